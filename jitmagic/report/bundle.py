"""The record as a notebook's output: one bundle of text, static HTML, the record itself, and its charts."""

from __future__ import annotations

from typing import Any

from jitmagic.report import charts as chart_documents
from jitmagic.report.html import to_html
from jitmagic.report.record import MIME
from jitmagic.report.rows import Record
from jitmagic.report.text import to_text

_ROOM = 60_000
"""Characters of HTML above which it is made brief: a saved notebook is to grow by 150 kB at most."""

FOLDED = {"jitmagic": {"folded": True}}
"""Metadata of an output that our extension draws folded to its recommendation."""


def mimebundle(record: Record, *, charts: bool = False, folded: bool = False, mark: str = "") -> dict[str, Any]:
    """Returns a valid record by media type, for IPython's ``_repr_mimebundle_``.

    A front end takes the richest type that it knows: ours with the JupyterLab extension, HTML elsewhere, text in a
    terminal.

    Parameters
    ----------
    record : mapping
    charts : bool
        Whether to put the charts beside the record, for a front end with our extension. Takes a second, the first time.
    folded : bool
        Whether to fold the HTML to its recommendation, below a panel that shows the whole; :data:`FOLDED` goes with it.
    mark : str
        A class by which a panel finds the HTML on a page.
    """
    static = to_html(record, folded=folded, brief=folded, mark=mark)
    if len(static) > _ROOM:
        static = to_html(record, folded=folded, brief=True, mark=mark)
    made = {"text/plain": to_text(record), "text/html": static, MIME: record}
    documents = chart_documents.charts(record) if charts else None
    return made if documents is None else {**made, chart_documents.MIME: documents}
