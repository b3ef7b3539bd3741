"""Where a comparison's progress and result are shown: a terminal, a notebook's output, a widget, or nowhere."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from IPython.core.display_functions import display
from IPython.core.displaypub import CapturingDisplayPublisher, DisplayPublisher

if TYPE_CHECKING:
    from jitmagic.capture.workload import Workload
    from jitmagic.comparison import Comparison, Options, Progress


class View:
    """Where progress and the result are shown; this one shows nothing."""

    def report(self, event: Progress) -> None:
        """Shows how far the comparison is."""

    def show(self, comparison: Comparison) -> None:
        """Shows the result in place of the progress."""

    def close(self) -> None:
        """Takes the progress away."""


class _DisplayView(View):
    """Displays the result alone: in a notebook without a reader, and under `%%capture`."""

    def show(self, comparison: Comparison) -> None:
        display(comparison)


class _TerminalView(View):
    """A progress line on stderr, and the text as wide and as coloured as the terminal is."""

    def __init__(self, line: Any) -> None:
        self.line = line

    def report(self, event: Progress) -> None:
        self.line(event)

    def show(self, comparison: Comparison) -> None:
        from jitmagic import terminal

        self.line.clear()
        if terminal.is_terminal(sys.stdout):
            text = comparison.to_text(width=terminal.width(), color=terminal.wants_colour(sys.stdout))
            print(text.removesuffix("\n"))
        else:
            display(comparison)

    def close(self) -> None:
        self.line.clear()


class Shown:
    """What a view needs to know of the comparison before it runs."""

    def __init__(self, workload: Workload, options: Options, panel: bool | None) -> None:
        self.call = workload.call
        self.budget = options.budget
        self.panel = panel


class _NotebookView(View):
    """One output: the progress, which the result replaces, so that a saved notebook holds the result alone.

    A front end with our extension draws the progress as bars; others show a line of text.
    """

    def __init__(self, throttle: Any, shown: Shown) -> None:
        self.throttle = throttle
        self.shown = shown
        self.handle: Any = None

    def report(self, event: Progress) -> None:
        from jitmagic import terminal
        from jitmagic.report import progress

        if not self.throttle.passes(event):
            return
        state = progress.state(self.shown.call, event, self.shown.budget)
        self.update({"text/plain": terminal.describe(event), progress.MIME: state})

    def update(self, bundle: dict[str, Any]) -> None:
        """Shows a bundle in place of what is there."""
        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)

    def show(self, comparison: Comparison) -> None:
        if self.handle is None:
            display(comparison)
        else:
            self.handle.update(comparison)

    def close(self) -> None:
        # An output cannot be taken out of a notebook, but one without data shows as nothing.
        if self.handle is not None:
            self.handle.update({}, raw=True)


class _PanelView(_NotebookView):
    """A widget with bars and *Stop*, and then the result with its tabs.

    In JupyterLab the static result takes the widget's place in the notebook, and the page draws the live one over it: a
    notebook that is opened without its kernel shows an error for a widget. Elsewhere the widget stays, and the static
    result follows as an output of its own.
    """

    def __init__(self, throttle: Any, shown: Shown, namespace: dict[str, Any], front_end: str) -> None:
        from jitmagic.report.panel import Panel

        super().__init__(throttle, shown)
        self.namespace = namespace
        self.comparison: Comparison | None = None
        self.stays = front_end != "jupyter"
        self.panel = Panel(self.use, _kernel_id())
        if front_end == "colab":
            _enable_colab_widgets()

    def report(self, event: Progress) -> None:
        from jitmagic.report import progress

        if not self.throttle.passes(event):
            return
        self.panel.report(progress.state(self.shown.call, event, self.shown.budget))
        self._place()

    def _place(self) -> None:
        if self.handle is None:
            self.update(self.panel.widget._repr_mimebundle_()[0])

    def use(self, name: str) -> None:
        """Binds a variant's function to its name in the user's namespace."""
        if self.comparison is None:
            raise RuntimeError("there is no result yet")
        self.comparison.use(name, self.namespace)

    def show(self, comparison: Comparison) -> None:
        from jitmagic.report import bundle, charts

        record = comparison.record
        self.comparison = comparison
        self._place()
        self.panel.show(record, charts.charts(record), marked=not self.stays)
        if self.stays:
            display(bundle.mimebundle(record, folded=True), raw=True, metadata=bundle.FOLDED)
        else:
            self.update(bundle.mimebundle(record, mark=self.panel.mark))

    def close(self) -> None:
        super().close()
        self.panel.close()


def _kernel_id() -> str:
    """Returns the id that a Jupyter server knows this kernel by, which names its connection file; else ""."""
    from ipykernel.connect import get_connection_file

    try:
        name = os.path.basename(get_connection_file())
    except RuntimeError:  # no kernel runs in this process
        return ""
    return name.removeprefix("kernel-").removesuffix(".json")


def _enable_colab_widgets() -> None:
    # Colab shows widgets that are not of its own only after this was asked for.
    from google.colab import output

    output.enable_custom_widget_manager()


def view_for(shell: Any, cell_id: str | None, shown: Shown, *, quiet: bool, live: bool) -> View:
    """Chooses where to show a comparison.

    Parameters
    ----------
    cell_id : str or None
        Of the cell that runs, which notebooks name.
    live : bool
        Whether its progress is wanted.
    """
    from jitmagic import terminal

    publisher = shell.display_pub
    if quiet:
        return View()
    if isinstance(publisher, CapturingDisplayPublisher):
        return _DisplayView()
    if type(publisher) is DisplayPublisher:
        return _TerminalView(terminal.ProgressLine())
    # jupyter console and qtconsole print a display but never update it, and would lose the result; nothing tells
    # them apart but that notebooks name the cell that they run.
    if cell_id is not None or "google.colab" in sys.modules:
        return notebook_view(shell, shown, live)
    return _DisplayView()


def notebook_view(shell: Any, shown: Shown, live: bool) -> View:
    """Chooses the best that this front end can show: its own drawing of the record, a widget, or a line of text."""
    from jitmagic import terminal
    from jitmagic.report import front_end
    from jitmagic.report.panel import PanelMissing

    front = front_end.detect(shell.user_ns)
    plain = _NotebookView(terminal.Throttle(), shown)
    live = live and front.has_widgets and not front.draws_record
    if shown.panel is False or not (shown.panel or live):
        return plain
    try:
        return _PanelView(terminal.Throttle(), shown, shell.user_ns, front.name)
    except PanelMissing as error:
        if shown.panel:
            print(f"jitmagic: {error}", file=sys.stderr)
        return plain
