"""The record as a notebook's output: one bundle of text, static HTML and the record itself."""

from __future__ import annotations

from typing import Any

from jitmagic.report.html import to_html
from jitmagic.report.record import MIME
from jitmagic.report.rows import Record
from jitmagic.report.text import to_text


def mimebundle(record: Record) -> dict[str, Any]:
    """Returns a valid record by media type, for IPython's ``_repr_mimebundle_``.

    A front end takes the richest type that it knows: ours with the JupyterLab extension, HTML elsewhere, text in a
    terminal.
    """
    return {"text/plain": to_text(record), "text/html": to_html(record), MIME: record}
