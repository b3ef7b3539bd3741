"""`%%jitcompare`, `%jitcompare` and `%jitdevices`: the IPython front.

`%load_ext jitmagic` imports this file and nothing heavy: the steps are imported at the first comparison.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
import textwrap
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from IPython.core.display_functions import display
from IPython.core.displaypub import CapturingDisplayPublisher, DisplayPublisher
from IPython.core.error import TryNext, UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, needs_local_scope, no_var_expand
from traitlets import Bool, Float, List, Unicode, Union

from jitmagic.errors import JitmagicError
from jitmagic.magic_options import OPTIONS, Option, OptionError, read, scan

if TYPE_CHECKING:
    from jitmagic.capture.resized import Resized
    from jitmagic.capture.workload import Workload
    from jitmagic.comparison import Comparison, Options, Progress

EXAMPLES = """%jitcompare fn(x)
Or in a cell: %%jitcompare
    def fn(x):
        return x + x*x
    x = np.random.randn(1000)
    fn(x)"""
COMMANDS = ("%%jitcompare", "%jitcompare")
_REMEMBERED = 50
"""Runs that are kept to be compared with the next of the same call."""

_LINT = (("line", "jitlint"), ("cell", "jitlint"))


def register(shell: Any) -> None:
    """Registers the magics and the completion of their options with an IPython shell; prints nothing."""
    unregister(shell)
    magics = JitMagic(shell)
    shell.register_magics(magics)
    for command in COMMANDS:
        shell.set_hook("complete_command", complete, str_key=command)


def unregister(shell: Any) -> None:
    """Takes the magics away and ends the worker processes, if a comparison ever ran."""
    manager = shell.magics_manager
    for kind, name in (("line", "jitcompare"), ("cell", "jitcompare"), ("line", "jitdevices"), *_LINT):
        manager.magics[kind].pop(name, None)
    manager.registry.pop(JitMagic.__name__, None)
    # `%reload_ext` imports this file anew, so the old instance is of another class of the same name.
    shell.configurables[:] = [item for item in shell.configurables if type(item).__name__ != JitMagic.__name__]
    dispatch = shell.strdispatchers.get("complete_command")
    if dispatch is not None:
        for command in COMMANDS:
            dispatch.strs.pop(command, None)
    comparison = sys.modules.get("jitmagic.comparison")
    if comparison is not None:
        comparison.shutdown()


@magics_class
class JitMagic(Magics):
    """Compares a NumPy function with what Numba, JAX, PyTorch and CuPy make of it.

    The traits are the defaults of the options of `%%jitcompare`.
    """

    budget = Float(10.0, help="Seconds to spend on timing.").tag(config=True)
    timeout = Float(60.0, help="Seconds after which one variant is given up.").tag(config=True)
    backends = Union(
        [List(Unicode()), Unicode()], allow_none=True, default_value=None, help="Backends to try; None: all."
    ).tag(config=True)
    devices = Union(
        [List(Unicode()), Unicode()], allow_none=True, default_value=None, help="Devices to use; None: all."
    ).tag(config=True)
    dtype = Unicode(
        None, allow_none=True, help="Cast floating arguments to float32 or float64 first; None: leave them."
    ).tag(config=True)
    progress = Bool(True, help="Show how far a comparison is while it runs.").tag(config=True)
    panel = Bool(
        None, allow_none=True, help="Show progress and result in a widget; None: in JupyterLab without our extension."
    ).tag(config=True)

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._before: dict[tuple[str | None, str, str], dict[str, Any]] = {}

    @no_var_expand
    @line_cell_magic
    @needs_local_scope
    def jitcompare(self, line: str = "", cell: str | None = None, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Would Numba, JAX, PyTorch or CuPy make this NumPy function faster here, and is it still right?

        In a cell, the last expression is the call to compare; it runs in worker processes, not in the kernel::

            %%jitcompare [options] [call]
            def fn(x):
                return x + x*x

            x = np.random.randn(1_000_000)
            fn(x)

        On a line, for a function that lives already::

            %jitcompare [options] fn(x)

        Options (before the call; defaults are set with `%config JitMagic.budget = 20` and so on)::

            -b, --backends NAMES   backends to try: numba,jax,torch,cupy; all that are here by default
            -d, --devices NAMES    devices to use: cpu,cuda:0; all that are here by default (see %jitdevices)
            -o                     return the Comparison as the cell's result
            -v NAME                store the Comparison in the variable NAME
            -q                     show nothing
            --panel                show progress and result in a widget (needs anywidget)
            --no-panel             show no widget
            --budget SECONDS       seconds to spend on timing (10)
            --timeout SECONDS      seconds after which one variant is given up (60)
            --dtype DTYPE          cast the floating arguments to float32 or float64 first
            --threads 1,all        time with one CPU thread and with all, as rows of their own (also 4, or 1,4,all)
            --cold                 empty the processor's caches before every timed call: for data not used just before
            --on ADDRESS           run it on another machine too: ssh://host, or a Dask scheduler's tcp://host:8786
            --sweep n=1e3:1e7:9    measure at other sizes too (from, to, how many; or n=100,1000): the statements of the
                                   cell that depend on n run again for each, and your own n and arrays stay
            --calls N              recommend for so many calls like this one, the build among them
            --need gradients       recommend among what has gradients too
            --deploy cpu|gpu|tpu   recommend for where it will run
            --keep simple          recommend the fewest changed lines before the highest speed
            --grad ARG             compare the derivative of the function by an argument: JAX and PyTorch against
                                   NumPy's differences (also --jacobian ARG for a result that is an array,
                                   --hessian ARG for second derivatives)
            --vmap ARG[:AXIS]      compare the function for each slice of an argument along an axis, results stacked
            --save FILE|DIR        keep the record as JSON: in this file, or in this folder under a dated name
            --python BACKEND=PATH  another interpreter for a backend: jax=/envs/jax/bin/python; may stand several times
            --help                 show this help

        An interrupt keeps what is measured so far.
        """
        form = "%jitcompare" if cell is None else "%%jitcompare"
        try:
            asked = read(line)
        except OptionError as error:
            example = "%jitcompare -b numba,jax fn(x)" if cell is None else "%%jitcompare -b numba,jax"
            raise UsageError(f"{form}: {error}\nExample: {example}") from None
        settings = asked.settings
        if "help" in settings:
            print(inspect.getdoc(JitMagic.jitcompare))
            return None
        if cell is None and not asked.call:
            raise UsageError(f"{form}: there is no call to compare.\nExample: {EXAMPLES}")

        from jitmagic.transforms.checks import check

        outer = _Outer(self.shell)
        options = self._options(form, settings)
        try:
            if cell is None:
                workload, resized = self._captured_line(asked.call, local_ns, options.sweep)
            else:
                captured = self._captured_cell(line, cell, asked.call or None, outer, options.sweep)
                if captured is None:
                    return None
                workload, resized = captured
            if options.transform is not None:
                check(options.transform, workload)
        except JitmagicError as error:
            self._show_cause(error)
            number = getattr(error, "line", None)
            where = f"line {number}: " if number is not None and f"line {number}" not in str(error) else ""
            raise UsageError(f"{form}: {where}{error}") from None

        returned = "result" in settings
        quiet = "quiet" in settings
        # `-o` on an expression of its own is shown by IPython as the cell's result.
        shown_by_shell = returned and outer.shows_result(line)
        view = self._view(outer, quiet, _Shown(workload, options, self._wants_panel(settings)))
        try:
            comparison = self._compared(workload, options, view, resized)
        except BaseException as error:
            view.close()
            if isinstance(error, JitmagicError):
                # IPython asks the exception: the frames of jitmagic would bury what it says.
                told = f"{type(error).__name__}: {error}"
                error._render_traceback_ = lambda: [told]  # type: ignore[attr-defined]
            raise
        comparison.record["previous"] = self._against_before(outer, comparison.record)
        if quiet or shown_by_shell:
            view.close()
        else:
            view.show(comparison)
        if "save" in settings:
            self._save(form, comparison, settings["save"], quiet)
        if "variable" in settings:
            self.shell.user_ns[settings["variable"]] = comparison
        return comparison if returned else None

    @no_var_expand
    @line_cell_magic
    def jitlint(self, line: str = "", cell: str | None = None) -> None:
        """Shows what may go wrong with functions when they are compiled, from their source alone; nothing is run.

        ::

            %jitlint            every function of this notebook that uses NumPy
            %jitlint fn gn      these functions
            %%jitlint           this cell's functions
        """
        from jitmagic.gotchas import lint

        known = {name: value.__name__ for name, value in self.shell.user_ns.items() if inspect.ismodule(value)}
        troubles: list[str] = []
        try:
            if cell is not None:
                found = lint.lint_text(cell, "cell", names=known, every=True, troubles=troubles)
            else:
                wanted = line.split()
                found = [one for text, where in self._sources(wanted) for one in
                         lint.lint_text(text, where, names=known, every=bool(wanted), troubles=troubles)]  # fmt: skip
        except JitmagicError as error:
            raise UsageError(str(error)) from error
        print("\n".join([lint.to_text(found), *(f"! {trouble}" for trouble in troubles)]))

    def _sources(self, wanted: list[str]) -> Iterator[tuple[str, str]]:
        """Yields the source of functions of the notebook, with what to call each."""
        functions = {
            name: value
            for name, value in self.shell.user_ns.items()
            if inspect.isfunction(value) and value.__module__ == "__main__" and not name.startswith("_")
        }
        for name in wanted or functions:
            if name not in functions:
                have = ", ".join(functions) or "none"
                raise UsageError(f"there is no function `{name}` here; there are: {have}")
            try:
                yield textwrap.dedent(inspect.getsource(functions[name])), name
            except OSError:
                if wanted:
                    known = f"the source of `{name}` is not known: run the cell that defines it again"
                    raise UsageError(known) from None

    @line_magic
    def jitdevices(self, line: str = "") -> None:
        """Shows this machine's devices, what each backend can use, and what mends what cannot."""
        if line.strip():
            raise UsageError(f"%jitdevices takes nothing and got {line.strip()!r}.\nExample: %jitdevices")
        from jitmagic import devices, terminal
        from jitmagic.report import front_end

        detected = devices.detect()
        detected["notes"] += filter(None, [front_end.not_built()])
        print(devices.table(detected, width=terminal.width()))

    def _options(self, form: str, settings: Mapping[str, Any]) -> Options:
        from jitmagic.comparison import Options
        from jitmagic.options import asked_transform

        defaults = {
            "backends": _as_names(self.backends),
            "devices": _as_names(self.devices),
            "budget": self.budget,
            "timeout": self.timeout,
            "dtype": self.dtype,
            "sweep": None,
            "threads": None,
            "python": None,
            "cold": False,
            "calls": None,
            "need": None,
            "deploy": None,
            "keep": None,
            "on": None,
        }
        try:
            given = {name: settings.get(name, default) for name, default in defaults.items()}
            return Options(**given, transform=asked_transform(settings))
        except ValueError as error:
            raise UsageError(f"{form}: {error}\nExample: {form} -b numba,jax --budget 20") from None

    def _captured_line(
        self, call: str, local_ns: Mapping[str, Any] | None, sweep: str | None
    ) -> tuple[Workload, Resized | None]:
        """Captures the call, and where a sweep is asked for also how it is made at other sizes."""
        from jitmagic.capture.call import from_call

        namespace = self.shell.user_ns
        if local_ns is not None and local_ns is not namespace:
            namespace = {**namespace, **local_ns}
        workload = from_call(call, namespace)
        if sweep is None:
            return workload, None
        from jitmagic.capture.resized import SetUp
        from jitmagic.measure.sweep.sizes import parse

        set_up = SetUp(parse(sweep).parameter, namespace, call=call)
        set_up.settle(sweep)
        return workload, set_up

    def _captured_cell(
        self, line: str, cell: str, call: str | None, outer: _Outer, sweep: str | None
    ) -> tuple[Workload, Resized | None] | None:
        """Plans the cell, runs its set-up in the kernel, and captures the call; None where the cell itself failed."""
        from jitmagic.capture.call import from_call
        from jitmagic.capture.cell import plan

        shell = self.shell
        source = outer.cell_source(line, cell)
        with warnings.catch_warnings():
            # They are shown once, when the cell runs.
            warnings.simplefilter("ignore")
            try:
                ast.parse(source)
            except SyntaxError:
                parses = awaits = False
            else:
                parses, awaits = True, shell.should_run_async(source, transformed_cell=source)
        if not parses:
            # IPython words a syntax error best, and a cell that does not compile runs nothing.
            self._run(source, outer)
            return None
        if awaits:
            raise UsageError(
                "%%jitcompare: the cell awaits something at its top level, which a magic cannot run; "
                "await it in a cell of its own before this one, and use its result here."
            )
        planned = plan(source, call)
        set_up = None
        if sweep is not None:
            from jitmagic.capture.resized import SetUp
            from jitmagic.measure.sweep.sizes import parse

            # before the set-up runs: what it changes is copied as it is now
            set_up = SetUp(
                parse(sweep).parameter,
                shell.user_ns,
                source=planned.setup,
                call=planned.call,
                function=planned.function,
                sources=planned.definitions,
                line=planned.call_line,
            )
        if not self._run(planned.setup, outer):
            return None
        workload = from_call(
            planned.call,
            shell.user_ns,
            sources=planned.definitions,
            function=planned.function,
            line=planned.call_line,
        )
        if set_up is not None and sweep is not None:
            set_up.settle(sweep)
        return workload, set_up

    def _run(self, source: str, outer: _Outer) -> bool:
        """Runs source as an ordinary cell that leaves In, Out, `_` and the count alone; returns whether it went well.

        The traceback of a failure is shown by the shell; the outer cell is marked as failed, so that "run all" stops.
        """
        with outer.kept():
            result = self.shell.run_cell(source, store_history=False, silent=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            outer.fail(error)
        return error is None

    def _compared(self, workload: Workload, options: Options, view: _View, resized: Resized | None) -> Comparison:
        from jitmagic.comparison import compare_workload

        return compare_workload(workload, options, view.report if self.progress else None, resized)

    def _show_cause(self, error: JitmagicError) -> None:
        """Shows the traceback of the user's own exception, where that is why the capture failed."""
        cause = error.__cause__
        if cause is None:
            return
        trace = _users_part(cause.__traceback__, self.shell.user_ns)
        if trace is not None:
            self.shell.showtraceback((type(cause), cause, trace), tb_offset=0)

    def _against_before(self, outer: _Outer, record: dict[str, Any]) -> dict[str, Any] | None:
        """Compares with the run before of the same call in the same cell, and remembers this one in its place."""
        from jitmagic.report.two_runs import previous

        key = (outer.cell_id, record["workload"]["name"], record["workload"]["call"])
        before = self._before.pop(key, None)
        self._before[key] = {name: value for name, value in record.items() if name != "previous"}
        while len(self._before) > _REMEMBERED:
            del self._before[next(iter(self._before))]
        return None if before is None else previous(before, record)

    def _save(self, form: str, comparison: Comparison, where: str, quiet: bool) -> None:
        from jitmagic.report.saving import save

        try:
            saved = save(comparison.record, os.path.expanduser(where))
        except OSError as error:
            raise UsageError(f"{form}: --save {where}: the record cannot be written: {error}") from None
        if not quiet:
            print(f"jitmagic: saved as {saved}", file=sys.stderr)

    def _wants_panel(self, settings: Mapping[str, Any]) -> bool | None:
        if "no_panel" in settings:
            return False
        return True if "panel" in settings else self.panel

    def _view(self, outer: _Outer, quiet: bool, shown: _Shown) -> _View:
        from jitmagic import terminal

        publisher = self.shell.display_pub
        if quiet:
            return _View()
        if isinstance(publisher, CapturingDisplayPublisher):
            return _DisplayView()
        if type(publisher) is DisplayPublisher:
            return _TerminalView(terminal.ProgressLine())
        # jupyter console and qtconsole print a display but never update it, and would lose the result; nothing tells
        # them apart but that notebooks name the cell that they run.
        if outer.cell_id is not None or "google.colab" in sys.modules:
            return self._notebook_view(shown)
        return _DisplayView()

    def _notebook_view(self, shown: _Shown) -> _View:
        """Chooses the best that this front end can show: its own drawing of the record, a widget, or a line of text."""
        from jitmagic import terminal
        from jitmagic.report import front_end
        from jitmagic.report.panel import PanelMissing

        front = front_end.detect(self.shell.user_ns)
        plain = _NotebookView(terminal.Throttle(), shown)
        live = self.progress and front.has_widgets and not front.draws_record
        if shown.panel is False or not (shown.panel or live):
            return plain
        try:
            return _PanelView(terminal.Throttle(), shown, self.shell.user_ns, front.name)
        except PanelMissing as error:
            if shown.panel:
                print(f"jitmagic: {error}", file=sys.stderr)
            return plain


class _View:
    """Where progress and the result are shown; this one shows nothing."""

    def report(self, event: Progress) -> None:
        """Shows how far the comparison is."""

    def show(self, comparison: Comparison) -> None:
        """Shows the result in place of the progress."""

    def close(self) -> None:
        """Takes the progress away."""


class _DisplayView(_View):
    """Displays the result alone: in a notebook without a reader, and under `%%capture`."""

    def show(self, comparison: Comparison) -> None:
        display(comparison)


class _TerminalView(_View):
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


class _Shown:
    """What a view needs to know of the comparison before it runs."""

    def __init__(self, workload: Workload, options: Options, panel: bool | None) -> None:
        self.call = workload.call
        self.budget = options.budget
        self.panel = panel


class _NotebookView(_View):
    """One output: the progress, which the result replaces, so that a saved notebook holds the result alone.

    A front end with our extension draws the progress as bars; others show a line of text.
    """

    def __init__(self, throttle: Any, shown: _Shown) -> None:
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

    def __init__(self, throttle: Any, shown: _Shown, namespace: dict[str, Any], front_end: str) -> None:
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


class _Outer:
    """The cell that holds the magic: its number and text, and a guard for its state while another cell runs inside."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        # The result that the running cell will return: None where the magic was called from code.
        self.result = getattr(shell.displayhook, "exec_result", None)
        info = getattr(self.result, "info", None)
        self.cell_id: str | None = getattr(info, "cell_id", None)
        self.raw: str = getattr(info, "raw_cell", None) or ""
        self.transformed: str | None = getattr(info, "transformed_cell", None)

    @property
    def count(self) -> int:
        """The number in the cell's ``In [n]``."""
        # IPython 9 counts up before it runs a cell, IPython 8 after.
        count = getattr(self.result, "execution_count", None)
        return self.shell.execution_count if count is None else count

    def cell_source(self, line: str, cell: str) -> str:
        """Returns the cell as plain Python with the user's line numbers: the magic's line becomes a comment."""
        # IPython drops empty lines at the start of what it transforms, so they are put back.
        above = self._empty_lines(self.raw) if self.raw.lstrip().startswith("%%jitcompare") else 0
        header = ["#"] * above + [f"# %%jitcompare {line}".rstrip()]
        return "\n".join(header + [""] * self._empty_lines(cell)) + "\n" + self.shell.transform_cell(cell)

    @staticmethod
    def _empty_lines(text: str) -> int:
        lines = text.splitlines()
        return next((number for number, line in enumerate(lines) if line and not line.isspace()), 0)

    def shows_result(self, line: str) -> bool:
        """Returns whether IPython displays what the magic returns: it is the last expression of the running cell."""
        if self.result is None or self.shell.ast_node_interactivity == "none":
            return False
        source = self.transformed if self.transformed is not None else self.shell.transform_cell(self.raw)
        try:
            body = ast.parse(source).body
        except SyntaxError:
            return False
        if not body or not isinstance(body[-1], ast.Expr) or not isinstance(body[-1].value, ast.Call):
            return False
        texts = [part.value for part in body[-1].value.args[:2] if isinstance(part, ast.Constant)]
        return texts == ["jitcompare", line] and not self.shell.displayhook.semicolon_at_end_of_expression(self.raw)

    def fail(self, error: BaseException) -> bool:
        """Marks the running cell as failed with an error that is shown already; returns False where there is none."""
        if self.result is None:
            return False
        self.result.error_in_exec = error
        return True

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Lets another cell run inside this one without a trace in its result, its number, `_` and Out."""
        shell, compiler, count = self.shell, self.shell.compile, self.count
        interactivity = shell.ast_node_interactivity
        cache, replaced = compiler.cache, vars(compiler).get("cache")

        def numbered(code: str, number: int = 0, raw_code: str | None = None) -> str:
            # Tracebacks name the cell by the number that its source was cached with.
            return cache(code, count, raw_code=raw_code)

        compiler.cache = numbered
        # The cell's last expression is the call to compare: none of those before it would be shown.
        shell.ast_node_interactivity = "none"
        try:
            yield
        finally:
            shell.ast_node_interactivity = interactivity
            if replaced is None:
                del compiler.cache
            else:
                compiler.cache = replaced
            shell.displayhook.exec_result = self.result


def _as_names(value: Any) -> tuple[str, ...] | None:
    """Turns a trait into a tuple of names: a list, or a text with commas; None and empty ones mean all."""
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",") if name.strip()]
    return tuple(value) if value else None


def _users_part(trace: TracebackType | None, namespace: Mapping[str, Any]) -> TracebackType | None:
    """Cuts a traceback down to where the user's code begins; None where none of it was running."""
    from jitmagic.capture.call import EVALUATED

    # An evaluated argument sees the user's names; jitmagic and the libraries that it calls do not. The expression
    # itself is in the message: a frame of it alone would show nothing more.
    while trace is not None and (
        trace.tb_frame.f_globals.get("__name__") != namespace.get("__name__")
        or trace.tb_frame.f_code.co_filename == EVALUATED
    ):
        trace = trace.tb_next
    return trace


def complete(shell: Any, event: Any) -> list[str]:
    """Completes the line of the magics: options, backends, devices, and functions where the call begins.

    Within the call, IPython's own completers know better.
    """
    typed = event.text_until_cursor.lstrip()
    typed = typed[len(event.command) :]
    if not typed:
        raise TryNext
    found = scan(typed)
    flags = [flag for option in OPTIONS for flag in option.flags]
    if found.ends_in == "option":
        return flags
    if found.ends_in == "value" and found.pending is not None:
        return _values(found.pending)
    if found.ends_in == "space":
        return _functions(shell) + flags
    if typed[found.rest :] == event.symbol:
        return _functions(shell)
    raise TryNext


def _values(option: Option) -> list[str]:
    if option.name == "backends":
        return _backends()
    if option.name == "devices":
        from jitmagic.devices import devices

        return [device["name"] for device in devices()]
    if option.value == "python":
        return [f"{backend}=" for backend in _backends()]
    if option.choices:
        return list(option.choices)
    raise TryNext


def _backends() -> list[str]:
    from jitmagic.backends import all_backends

    return [backend for backend in all_backends() if backend != "numpy"]


def _functions(shell: Any) -> list[str]:
    """Lists the user's functions, also those that a compiler's decorator wraps."""
    hidden = shell.user_ns_hidden
    return sorted(
        name
        for name, value in shell.user_ns.items()
        if not name.startswith("_")
        and name not in hidden
        and (inspect.isfunction(value) or inspect.isfunction(getattr(value, "__wrapped__", None)))
    )
