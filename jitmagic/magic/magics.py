"""The magics themselves: they read the line, run the cell, compare, and hand the result to a view."""

from __future__ import annotations

import ast
import inspect
import os
import sys
import textwrap
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, needs_local_scope, no_var_expand
from traitlets import Bool, Float, List, Unicode, Union

from jitmagic.errors import JitmagicError
from jitmagic.magic.cell import OuterCell, users_part
from jitmagic.magic.options import OptionError, read
from jitmagic.magic.views import Shown, View, view_for

if TYPE_CHECKING:
    from jitmagic.capture.resized import Resized
    from jitmagic.capture.workload import Workload
    from jitmagic.comparison import Comparison, Options

EXAMPLES = """%jitcompare fn(x)
Or in a cell: %%jitcompare
    def fn(x):
        return x + x*x
    x = np.random.randn(1000)
    fn(x)"""
_REMEMBERED = 50
"""Runs that are kept to be compared with the next of the same call."""


@magics_class
class JitMagic(Magics):
    """Compares a NumPy function with what Numba, JAX, PyTorch and CuPy make of it.

    The traits are the defaults of the options of `%%jitcompare`.
    """

    budget = Float(10.0, help="Seconds to spend on timing.").tag(config=True)
    margin = Float(15.0, help="Per cent to which every speedup is to be known; then the timing ends.").tag(config=True)
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
            --margin PERCENT       end the timing sooner where every speedup is known to so many per cent (15)
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

        outer = OuterCell(self.shell)
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
        shown = Shown(workload, options, self._wants_panel(settings))
        view = view_for(self.shell, outer.cell_id, shown, quiet=quiet, live=self.progress)
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
            "margin": self.margin,
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
        self, line: str, cell: str, call: str | None, outer: OuterCell, sweep: str | None
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

    def _run(self, source: str, outer: OuterCell) -> bool:
        """Runs source as an ordinary cell that leaves In, Out, `_` and the count alone; returns whether it went well.

        The traceback of a failure is shown by the shell; the outer cell is marked as failed, so that "run all" stops.
        """
        with outer.kept():
            result = self.shell.run_cell(source, store_history=False, silent=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            outer.fail(error)
        return error is None

    def _compared(self, workload: Workload, options: Options, view: View, resized: Resized | None) -> Comparison:
        from jitmagic.comparison import compare_workload

        return compare_workload(workload, options, view.report if self.progress else None, resized)

    def _show_cause(self, error: JitmagicError) -> None:
        """Shows the traceback of the user's own exception, where that is why the capture failed."""
        cause = error.__cause__
        if cause is None:
            return
        trace = users_part(cause.__traceback__, self.shell.user_ns)
        if trace is not None:
            self.shell.showtraceback((type(cause), cause, trace), tb_offset=0)

    def _against_before(self, outer: OuterCell, record: dict[str, Any]) -> dict[str, Any] | None:
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

def _as_names(value: Any) -> tuple[str, ...] | None:
    """Turns a trait into a tuple of names: a list, or a text with commas; None and empty ones mean all."""
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",") if name.strip()]
    return tuple(value) if value else None
