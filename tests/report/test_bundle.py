"""The notebook's output: three forms of one record."""

from __future__ import annotations

import json

from jitmagic.report import bundle, html, record, text
from tests.report import samples


def test_the_bundle_holds_text_html_and_the_record() -> None:
    sample = samples.sample()
    made = bundle.mimebundle(sample)
    assert made == {"text/plain": text.to_text(sample), "text/html": html.to_html(sample), record.MIME: sample}
    json.dumps(made, allow_nan=False)


def test_no_notebook_library_is_needed() -> None:
    import subprocess
    import sys

    code = (
        "import sys, jitmagic.report.bundle;"
        "print([name for name in ('IPython', 'ipywidgets', 'bokeh', 'numpy', 'jsonschema') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
