"""The public face of a comparison: ``compare`` makes one, and a :class:`Comparison` is its answer."""

from __future__ import annotations

import inspect
import itertools
import json
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jitmagic.capture.resized import Given, Resized
from jitmagic.capture.workload import Workload
from jitmagic.measure import pool as pools
from jitmagic.measure.sweep import sizes
from jitmagic.options import Options, asked_transform
from jitmagic.steps.progress import Progress, Standing
from jitmagic.steps.run import Run

__all__ = [
    "Comparison", "Options", "Progress", "Standing", "Variant", "compare", "compare_workload", "shutdown"
]  # fmt: skip

_BUILDS = itertools.count()
"""Numbers the modules of functions that were built in this process."""


class Variant:
    """One variant of a comparison: a view of its entry in the record.

    The entry's fields are attributes: ``name``, ``backend``, ``device``, ``mode``, ``verdict``, ``reason``, ``source``,
    ``verified``, ``error``, ``speedup`` (median, low, high; without a unit), ``clocks`` (in seconds), ``memory`` (in
    bytes), ``probes`` and the others that the record's page lists.

    Parameters
    ----------
    entry : mapping
        The record's entry.
    constants : mapping of str to object
        Values of the names that the source needs; known in the session that made the comparison.
    interpreter : str or None
        What its worker ran under, where that is another interpreter than this session's own; or the other machine.
    """

    def __init__(
        self, entry: Mapping[str, Any], constants: Mapping[str, Any], interpreter: str | None = None
    ) -> None:
        self._entry = entry
        self._constants = constants
        self._interpreter = interpreter

    def __getattr__(self, name: str) -> Any:
        # the record's fields are the attributes: name, backend, device, mode, verdict, reason, source, verified, …
        try:
            return self.__dict__["_entry"][name]
        except KeyError:
            raise AttributeError(f"a variant has no {name!r}") from None

    def __repr__(self) -> str:
        where = f"{self.device} of {machine}" if (machine := self._entry.get("machine")) else self.device
        return f"<Variant {self.name} on {where}: {self.verdict}>"

    def build(self, **names: Any) -> Callable[..., Any]:
        """Makes the function from its source, in this process, and returns it.

        Parameters
        ----------
        **names
            Values for the names in ``needs``, where the comparison was read from a file.

        Raises
        ------
        ValueError
            There is no source, or a needed name is missing.
        ImportError
            The backend is not installed here; says where it ran.
        """
        if not self.source:
            raise ValueError(f"{self.name} was not made: {self.reason}")
        values = {**self._constants, **names}
        missing = [name for name in self.needs if name not in values]
        if missing:
            raise ValueError(f"{self.name} needs {', '.join(missing)}: give them as build({missing[0]}=…)")
        # a module of its own that Python knows: Numba looks up there what a function calls in Python
        module = types.ModuleType(f"jitmagic_{self.name.replace('-', '_')}_{next(_BUILDS)}")
        sys.modules[module.__name__] = module
        namespace = module.__dict__
        namespace.update({name: values[name] for name in self.needs})
        filename = f"<jitmagic {self.name}>"
        _remember_source(filename, self.source)
        try:
            exec(compile(self.source, filename, "exec"), namespace)
        except ModuleNotFoundError as error:
            if self._interpreter is None:
                raise
            raise ImportError(
                f"{self.name} needs {error.name}, which is not installed here: it ran under {self._interpreter}, "
                "so run its source there",
                name=error.name,
            ) from error
        function: Callable[..., Any] = namespace[self.entry]
        return function


class Comparison(Mapping[str, Variant]):
    """The answer: a mapping of variant names to variants, with the record behind it.

    Parameters
    ----------
    record : dict
        See ``jitmagic/report/schema/v1.json``.
    constants : mapping of str to object
        Values that variants' sources need.
    """

    def __init__(self, record: dict[str, Any], constants: Mapping[str, Any] | None = None) -> None:
        self.record = record
        entries = [record["baseline"], *record["variants"]]
        pythons = {one["backend"]: one["path"] for one in record.get("interpreters") or ()}
        self._variants = {
            entry["name"]: Variant(
                entry, constants or {}, entry.get("machine") or pythons.get(entry["backend"])
            )
            for entry in entries
        }

    def __getitem__(self, name: str) -> Variant:
        try:
            return self._variants[name]
        except KeyError:
            raise KeyError(f"there is no variant {name!r}; there are {', '.join(self._variants)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._variants)

    def __len__(self) -> int:
        return len(self._variants)

    @property
    def best(self) -> Variant:
        """The recommended variant, which is the NumPy baseline where that is the advice.

        Raises
        ------
        LookupError
            None can be recommended; says why.
        """
        advice = self.record["recommendation"]
        if advice is None or advice["variant"] is None:
            raise LookupError("none can be recommended" if advice is None else advice["sentence"])
        return self[advice["variant"]]

    @property
    def status(self) -> str:
        """Either ``"complete"`` or ``"interrupted"``."""
        return str(self.record["status"])

    def use(self, name: str, namespace: dict[str, Any] | None = None) -> Callable[..., Any]:
        """Builds a variant and binds it to the function's own name; returns it.

        Parameters
        ----------
        name : str
            The variant's.
        namespace : dict, optional
            Where to bind it; the caller's globals by default.

        Raises
        ------
        KeyError
            There is no such variant; names those that there are.
        ValueError, ImportError
            As :meth:`Variant.build`.
        """
        function = self[name].build()
        if namespace is None:
            frame = inspect.currentframe()
            caller = frame.f_back if frame is not None else None
            if caller is None:
                raise ValueError("the caller's namespace cannot be found here: give it as namespace=globals()")
            namespace = caller.f_globals
        namespace[self.record["workload"]["name"]] = function
        return function

    def to_dict(self) -> dict[str, Any]:
        """Returns a copy of the record: plain dicts, lists, strings and numbers."""
        copied: dict[str, Any] = json.loads(self.to_json())
        return copied

    def to_json(self, indent: int | None = None) -> str:
        """Returns the record as JSON, on one line or with an indent of so many spaces."""
        return json.dumps(self.record, indent=indent, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Comparison:
        """Reads a record that :meth:`to_json`, ``--json`` or ``--save`` wrote.

        Raises
        ------
        RecordError
            The text is no strict JSON, or no record that this version can read; says what is wrong where.
        """
        from jitmagic.report.record import load

        return cls(load(text))

    def to_text(self, width: int = 80, color: bool = False, code: str | None = None) -> str:
        """Returns the answer as text for a terminal.

        Parameters
        ----------
        width : int
            Columns that no line exceeds, 40 at least.
        color : bool
            Whether to add ANSI colours.
        code : str, optional
            A variant whose source is appended, or ``"all"``.

        Raises
        ------
        ValueError
            There is no such variant.
        """
        from jitmagic.report.text import to_text

        return to_text(self.record, width=width, color=color, code=code)

    def to_html(self, page: bool = False) -> str:
        """Returns the answer as a fragment of static HTML, or as a whole page that stands alone, with its charts."""
        if page:
            from jitmagic.report.web_page import to_page

            return to_page(self.record)
        from jitmagic.report.html import to_html

        return to_html(self.record)

    def to_notebook(self) -> str:
        """Returns a notebook, as JSON, with a cell for each verified variant."""
        from jitmagic.report.notebook_file import to_notebook

        return to_notebook(self.record)

    def to_script(self) -> str:
        """Returns a module with the variants that runs without jitmagic; raises ValueError where none can be made."""
        from jitmagic.report.script_file import to_script

        return to_script(self.record)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<Comparison of {self.record['workload']['call']}: {self.record['recommendation']['variant']}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from jitmagic.report.bundle import mimebundle
        from jitmagic.report.front_end import detect

        return mimebundle(self.record, charts=detect().draws_record)


def compare(
    function: Callable[..., Any],
    *args: Any,
    backends: Sequence[str] | None = None,
    devices: Sequence[str] | None = None,
    budget: float = 10.0,
    margin: float = 15.0,
    timeout: float = 60.0,
    dtype: str | None = None,
    sweep: str | Sequence[float] | Mapping[float, Any] | None = None,
    make_args: Callable[[Any], Any] | None = None,
    threads: Sequence[int | str] | None = None,
    python: Mapping[str, str] | None = None,
    cold: bool = False,
    calls: int | None = None,
    need: Sequence[str] | None = None,
    deploy: str | None = None,
    keep: str | None = None,
    on: Sequence[str] | None = None,
    grad: str | None = None,
    jacobian: str | None = None,
    hessian: str | None = None,
    vmap: str | None = None,
    **kwargs: Any,
) -> Comparison:
    """Compares a NumPy function with its variants on these arguments.

    Parameters
    ----------
    function : callable
        A plain Python function that computes with NumPy.
    *args, **kwargs
        Its arguments, of any shapes and dtypes; never written to.
    backends, devices : sequence of str, optional
        Which to compare, e.g. ``["numba", "jax"]`` and ``["cpu"]``; all that are found by default.
    budget : float
        Seconds for the timing of all variants together.
    margin : float
        Per cent: the timing ends sooner where half of every speedup's 95 % interval is less than that, and narrower
        where the speedup is near 1.
    timeout : float
        Seconds that one variant may take to build.
    dtype : str, optional
        ``"float32"`` or ``"float64"``: floating arguments are cast to it first.
    sweep : str, sequence of numbers, or mapping, optional
        Sizes to measure too: ``"n=1e3:1e7:9"`` or a sequence, with ``make_args``; or a mapping of each size to its
        positional arguments, a tuple or the only one.
    make_args : callable, optional
        Returns the positional arguments at a size: a tuple, or the only one. Keyword arguments are those of the call.
    threads : sequence of int or "all", optional
        How many CPU threads the libraries may use; several, e.g. ``[1, "all"]``, give each variant that uses threads a
        row for each: ``numba-parallel@1`` beside ``numba-parallel``.
    python : mapping of str to str, optional
        Interpreters by backend, e.g. ``{"jax": "/envs/jax/bin/python"}``: that backend's worker runs under it. It needs
        NumPy and the library, not jitmagic.
    cold : bool
        Whether the processor's caches are emptied before every timed call, as for data that was not used just before.
    calls : int, optional
        Recommend for so many calls like this one, the build among them.
    need : sequence of str, optional
        Recommend among what offers this too: ``["gradients"]``.
    deploy : str, optional
        Recommend for where it will run: ``"cpu"``, ``"gpu"`` or ``"tpu"``.
    keep : str, optional
        ``"simple"``: recommend the fewest changed lines before the highest speed.
    on : sequence of str, optional
        Other machines to run the variants on too, e.g. ``["ssh://gpu1"]``, or a Dask scheduler's address. The
        function's source and its arguments travel there.
    grad, jacobian, hessian : str, optional
        The name of an argument: what is compared is the derivative by it, of a number (grad), of an array (jacobian),
        or the second derivatives of a number (hessian). The baseline is NumPy's differences. One of them at a time.
    vmap : str, optional
        The name of an argument, and the axis of the batch, e.g. ``"x"`` or ``"x:1"``: what is compared is the function
        for each slice, results stacked. The baseline is NumPy's loop.

    Returns
    -------
    Comparison
        Its status is "interrupted" where an interrupt stopped it: what was done by then is kept.

    Raises
    ------
    CaptureError
        The function cannot be captured; says why and at which line.
    BaselineError
        The NumPy function itself failed.
    NodeError
        Another machine cannot be reached or used; nothing was sent there.
    ValueError
        An option is not one that there is; the sizes cannot be read; the argument has no derivative.

    Notes
    -----
    Without arguments the example is the call at the largest size.

    Examples
    --------
    >>> import numpy as np
    >>> def fn(x, k):
    ...     return x * k
    >>> c = compare(fn, np.ones(1000), 2.0, backends=["numba"], budget=0.1)
    >>> c["numba"].build()(np.ones(3), 2.0)
    array([2., 2., 2.])
    """
    from jitmagic.capture.function import from_function

    resized, text = _resized(function, sweep, make_args, kwargs)
    options = Options(
        None if backends is None else tuple(backends),
        None if devices is None else tuple(devices),
        budget,
        timeout,
        dtype,
        text,
        None if threads is None else tuple(map(str, threads)),
        python,
        cold,
        calls,
        None if need is None else tuple(need),
        deploy,
        keep,
        None if on is None else tuple(on),
        asked_transform({"grad": grad, "jacobian": jacobian, "hessian": hessian, "vmap": vmap}),
        margin,
    )
    if resized is not None and not args:
        workload = resized.workload(resized.sizes[-1])
    else:
        workload = from_function(function, args, kwargs)
    return compare_workload(workload, options, resized=resized)


def _resized(
    function: Callable[..., Any],
    sweep: str | Sequence[float] | Mapping[float, Any] | None,
    make_args: Callable[[Any], Any] | None,
    kwargs: Mapping[str, Any],
) -> tuple[Resized | None, str | None]:
    """Returns the call at other sizes, with the sizes as text."""
    if sweep is None:
        if make_args is not None:
            raise ValueError("make_args makes the arguments of a sweep: say which sizes, e.g. sweep=[1000, 10_000]")
        return None, None
    if isinstance(sweep, Mapping):
        if make_args is not None:
            raise ValueError("a mapping of sizes to arguments needs no make_args: give one or the other")
        asked, make = sizes.of_list("n", sweep), {float(size): made for size, made in sweep.items()}.__getitem__
    elif make_args is None:
        raise ValueError(
            "a sweep needs the arguments at each size: make_args=lambda n: (np.ones(n),), or a mapping, "
            "e.g. sweep={1000: (x,), 10_000: (y,)}"
        )
    else:
        asked = sizes.parse(sweep) if isinstance(sweep, str) else sizes.of_list("n", sweep)
        make = make_args
    whole = asked.listed == () or all(size.is_integer() for size in asked.listed)
    return Given(function, asked.values(whole=whole), make, kwargs, asked.parameter), asked.text


def shutdown() -> None:
    """Ends every worker process and removes every shared file of this session."""
    pools.shutdown()


def compare_workload(
    workload: Workload,
    options: Options | None = None,
    progress: Callable[[Progress], None] | None = None,
    resized: Resized | None = None,
) -> Comparison:
    """Runs the steps on a workload; see :func:`compare`.

    Parameters
    ----------
    resized : Resized, optional
        The call at other sizes, which are measured too.

    An interrupt keeps what is done: the comparison's status is then "interrupted". Before the baseline was run there
    is nothing to keep, and the interrupt is raised.
    """
    options = options or Options()
    if resized is not None:
        # what cannot be made at all is told before the example takes its time
        resized.workload(resized.sizes[0])
    try:
        run = Run(workload, options, progress, resized)
        try:
            record = run.through()
        finally:
            run.close()
    except KeyboardInterrupt:  # wherever it came: nothing is left behind
        shutdown()
        raise
    return Comparison(record, {name: workload.constants[name] for name in workload.needs})


def _remember_source(filename: str, source: str) -> None:
    """Lets tracebacks, ``inspect.getsource`` and compilers read a source that is in no file."""
    import linecache

    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
