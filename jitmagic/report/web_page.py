"""The record as one page that stands alone: the static result, which a script on the page makes live, with its charts.

All of it is in the one file, and nothing is fetched. Without scripts the static result stays. The page's policy allows
its own scripts by their hashes and no other, so that nothing in a record can run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jitmagic.report import html
from jitmagic.report.charts import charts
from jitmagic.report.panel import bokeh_script
from jitmagic.report.rows import Record

_SCRIPT = ("static", "page.js")


def to_page(record: Record) -> str:
    """Writes a valid record as a page.

    Where the view was not built (an installation from source without Node.js) the page is the static one; where Bokeh
    is not installed it has the view's own bars instead of the charts.
    """
    view = resources.files("jitmagic.report").joinpath(*_SCRIPT)
    if not view.is_file():
        return html.to_html(record, page=True)
    documents = charts(record)
    bokeh = bokeh_script() if documents is not None else None
    data = {"jitmagic-record": record}
    scripts = [view.read_text(encoding="utf-8")]
    if documents is not None and bokeh is not None:
        data["jitmagic-charts"] = documents
        scripts.insert(0, bokeh.decode("utf-8"))
    scripts = [_inlined(script) for script in scripts]
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {hashes}"
    tags = [_data(name, value) for name, value in data.items()]
    # a module's script runs when the page is read, after the plain one
    tags += [f"<script>{script}</script>" for script in scripts[:-1]]
    tags.append(f'<script type="module">{scripts[-1]}</script>')
    return html.to_html(record, page=True, policy=policy, tail="\n".join(tags) + "\n")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _inlined(script: str) -> str:
    """Returns a script without what would end its tag, or begin a comment in it; the same to JavaScript."""
    return script.replace("\r\n", "\n").replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _data(name: str, value: Mapping[str, Any]) -> str:
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return f'<script type="application/json" id="{name}">{text.replace("<", chr(92) + "u003c")}</script>'
