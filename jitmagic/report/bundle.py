"""The record as a notebook's output: one bundle of text, static HTML, the record itself, and its charts."""

from __future__ import annotations

from typing import Any

from jitmagic.report import charts as chart_documents
from jitmagic.report.html import to_html
from jitmagic.report.record import MIME
from jitmagic.report.rows import Record
from jitmagic.report.text import to_text


def mimebundle(record: Record, *, charts: bool = False) -> dict[str, Any]:
    """Returns a valid record by media type, for IPython's ``_repr_mimebundle_``.

    A front end takes the richest type that it knows: ours with the JupyterLab extension, HTML elsewhere, text in a
    terminal.

    Parameters
    ----------
    record : mapping
    charts : bool
        Whether to put the charts beside the record, for a front end with our extension. Takes a second, the first time.
    """
    made = {"text/plain": to_text(record), "text/html": to_html(record), MIME: record}
    documents = chart_documents.charts(record) if charts else None
    return made if documents is None else {**made, chart_documents.MIME: documents}
