"""The live panel as a widget, for front ends without our extension: progress, *Stop*, then the tabs.

It draws with the very view of the extension (``labextension/src/view``), which the build bundles into one module,
``static/panel.js``. BokehJS is no part of it, nor of what a notebook saves of it: the page asks for it, and the kernel
sends the file that lies in the installed bokeh package, so that both are of one version.
"""

from __future__ import annotations

import importlib.util
import json
import secrets
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from jitmagic.errors import JitmagicError

_SCRIPT = ("static", "panel.js")


class PanelMissing(JitmagicError):
    """The panel cannot be shown here; the text says what is missing and how to get it."""


def missing() -> str | None:
    """Says what the panel lacks here, and what to do; None where it can be shown."""
    if importlib.util.find_spec("anywidget") is None:
        return 'the panel needs anywidget, which is not installed: pip install "jitmagic[notebook]"'
    if not resources.files("jitmagic.report").joinpath(*_SCRIPT).is_file():
        return (
            "the panel's script was not built when jitmagic was installed from source, since there was no Node.js: "
            "install a wheel, or install Node.js 20 and run pip install again"
        )
    return None


class Panel:
    """One panel.

    Parameters
    ----------
    use : callable or None
        Called with a variant's name when the user wants it bound; None: not offered.
    kernel : str
        The kernel's id at its server, "" where it is not known. The page offers *Stop* where a Jupyter server lets it
        interrupt that kernel; a message would not be read before the comparison ends.

    Raises
    ------
    PanelMissing
        A library or the script is not there.
    """

    def __init__(self, use: Callable[[str], None] | None = None, kernel: str = "") -> None:
        why = missing()
        if why is not None:
            raise PanelMissing(why)
        self._use = use
        self.mark = f"jitmagic-{secrets.token_hex(8)}"
        self.widget = _widget_class()(can_use=use is not None, kernel=kernel, mark=self.mark)
        self.widget.on_msg(self._received)

    def report(self, state: Mapping[str, Any]) -> None:
        """Shows how far it is; see :func:`jitmagic.report.progress.state`."""
        self.widget.progress = dict(state)

    def show(self, record: Mapping[str, Any], charts: Mapping[str, Any] | None, *, marked: bool = False) -> None:
        """Shows the result in place of the progress.

        Parameters
        ----------
        record, charts
        marked : bool
            Whether the page shall also draw it where the static result with this panel's ``mark`` stands. The notebook
            then holds that alone, and not the widget.
        """
        if charts is not None:
            self._send_charts(charts)
        with self.widget.hold_sync():
            self.widget.marked = marked
            self.widget.record = json.dumps(record, allow_nan=False, separators=(",", ":"))
            self.widget.progress = None

    def close(self) -> None:
        """Takes the panel away, and its state out of what the notebook saves."""
        self.widget.close()

    def _received(self, widget: Any, content: Any, buffers: Any) -> None:
        kind = content.get("type") if isinstance(content, dict) else None
        if kind == "use" and self._use is not None:
            self._answer(content, lambda: self._use and self._use(str(content.get("variant"))))
        elif kind == "bokeh":
            self._send_bokeh()

    def _answer(self, content: Mapping[str, Any], act: Callable[[], object]) -> None:
        error = None
        try:
            act()
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
        self.widget.send({"type": "answer", "id": content.get("id"), "error": error})

    def _send_charts(self, charts: Mapping[str, Any]) -> None:
        """Sends the charts, and with the first of a session BokehJS: asked for later, a busy kernel would not answer.

        They go as a message and not as the widget's state, since without this kernel there is no BokehJS to draw them.
        """
        global _bokeh_sent
        script = None if _bokeh_sent else bokeh_script()
        _bokeh_sent = True
        self.widget.send({"type": "charts", "charts": dict(charts)}, buffers=[script] if script else [])

    def _send_bokeh(self) -> None:
        script = bokeh_script()
        if script is not None:
            self.widget.send({"type": "bokeh"}, buffers=[script])


_bokeh_sent = False


def bokeh_script() -> bytes | None:
    """Returns the BokehJS that the installed bokeh package carries; None where there is none."""
    if importlib.util.find_spec("bokeh") is None:
        return None
    file = resources.files("bokeh").joinpath("server", "static", "js", "bokeh.min.js")
    return file.read_bytes() if file.is_file() else None


_made: list[type] = []


def _widget_class() -> type:
    """Makes the widget's class, once: anywidget is imported when the first panel is shown."""
    if _made:
        return _made[0]
    import anywidget
    import traitlets

    class JitmagicPanel(anywidget.AnyWidget):
        _esm = resources.files("jitmagic.report").joinpath(*_SCRIPT).read_text(encoding="utf-8")
        progress = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
        # as text: a front end that saves widgets writes each number of an object on a line of its own
        record = traitlets.Unicode("").tag(sync=True)
        kernel = traitlets.Unicode("").tag(sync=True)
        mark = traitlets.Unicode("").tag(sync=True)
        marked = traitlets.Bool(False).tag(sync=True)
        can_use = traitlets.Bool(False).tag(sync=True)

    _made.append(JitmagicPanel)
    return JitmagicPanel
