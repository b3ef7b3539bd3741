"""The call to compare at other sizes: the set-up that depends on a name, run again in a namespace of its own.

The user's names, arrays and random state stay as they are: what the set-up reads is copied first, functions of the
notebook see the copies, and the global random states are put back.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import linecache
import numbers
import random
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from jitmagic.capture.call import from_call
from jitmagic.capture.cell import parse, parse_call, top_level
from jitmagic.capture.function import from_function
from jitmagic.capture.slicing import binds, external, needed, reads
from jitmagic.capture.workload import SourceFunction, Workload
from jitmagic.errors import CaptureError, line_in
from jitmagic.measure.sweep.sizes import SweepError
from jitmagic.measure.sweep.sizes import parse as parse_sizes

Where = Callable[[], AbstractContextManager[Any]]


class Resized(Protocol):
    """A call that can be made at other sizes.

    Attributes
    ----------
    parameter : str
        The name of the size.
    sizes : sequence of float
        Ascending.
    """

    parameter: str
    sizes: Sequence[float]

    def workload(self, size: float) -> Workload:
        """Captures the call at a size; raises :class:`CaptureError` where that cannot be made."""


class SetUp:
    """A call with its set-up. Made before the set-up runs for the user: what it changes is copied as it was.

    Parameters
    ----------
    parameter : str
        The name that gets each size.
    namespace : dict
        Where the set-up runs, and the call's names are looked up.
    source : str
        The set-up; empty where there is none of its own.
    call : str or None
        The call, or None where ``function`` says which.
    function, sources, line
        As in :func:`jitmagic.capture.call.from_call`.
    filename : str
        What tracebacks name, and where sources are looked up.
    where : callable, optional
        Returns the context in which it runs.

    Raises
    ------
    CaptureError
        Nothing that the call rests on depends on the parameter, or what the set-up changes cannot be copied.
    """

    def __init__(
        self,
        parameter: str,
        namespace: dict[str, Any],
        *,
        source: str = "",
        call: str | None = None,
        function: str | None = None,
        sources: Mapping[str, SourceFunction] | None = None,
        line: int | None = None,
        filename: str = "<the set-up of a sweep>",
        where: Where = contextlib.nullcontext,
    ) -> None:
        self.parameter = parameter
        self.sizes: Sequence[float] = ()
        self._namespace = namespace
        self._call, self._function, self._sources, self._line = call, function, sources, line
        self._filename, self._where = filename, where
        if namespace.get("__file__") != filename:
            linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        body = list(top_level(parse(source).body))
        wanted = reads(parse_call(call if call is not None else function or ""))
        if function is not None and (call is None or not isinstance(parse_call(call), ast.Call)):
            wanted |= _parameters(function, body, namespace)
        self._statements = needed(body, wanted, namespace)
        bound = {name for each in body for name in binds(each)}
        if parameter not in bound and parameter not in namespace:
            raise CaptureError(
                f"there is no variable `{parameter}` to sweep: assign it in the cell, e.g. {parameter} = 1000, and "
                f"make the arguments from it, e.g. x = np.random.rand({parameter})."
            )
        called = [ast.Expr(parse_call(call))] if call else []
        outside = external([*self._statements, *called], namespace)
        if parameter not in (wanted | outside | {name for each in self._statements for name in reads(each)}):
            raise CaptureError(
                f"nothing that `{call or function}` needs depends on `{parameter}`: make the arguments from it in the "
                f"same cell, e.g. x = np.random.rand({parameter}), or in the call, e.g. fn(np.ones({parameter}))."
            )
        self._outside = outside - {parameter}
        # what only functions read they may change too
        direct = {name for each in self._statements for name in reads(each)}
        self._before = self._copied(self._outside & (self._changed() | (self._outside - direct - wanted)), {})

    def settle(self, sweep: str) -> None:
        """Chooses the sizes, now that the set-up has run: integers where the user's own value is one.

        Raises
        ------
        CaptureError
            The parameter is no number, or the sizes are none that it can be.
        """
        value = self._namespace.get(self.parameter)
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise CaptureError(
                f"`{self.parameter}` is {value!r:.60}, a {type(value).__name__}: a sweep is over a number."
            )
        try:
            self.sizes = parse_sizes(sweep).values(whole=isinstance(value, numbers.Integral))
        except SweepError as error:
            raise CaptureError(f"the sweep {sweep}: {error}") from None

    def workload(self, size: float) -> Workload:
        """Runs the set-up with this size and captures the call; see :class:`Resized`."""
        memo: dict[int, Any] = {}
        space = dict(self._namespace)
        for name in {each for statement in self._statements for each in binds(statement)} - self._outside:
            space.pop(name, None)
        space.update(copy.deepcopy(self._before, memo))
        space.update(self._copied(self._outside - self._before.keys(), memo))
        for name, value in list(space.items()):
            if isinstance(value, types.FunctionType) and value.__globals__ is self._namespace:
                space[name] = _rebound(value, space)
        space[self.parameter] = size
        with self._where(), _unseen():
            for statement in self._statements:
                code = compile(ast.Module([statement], []), self._filename, "exec", dont_inherit=True)
                try:
                    exec(code, space)
                except (Exception, SystemExit) as error:
                    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                    line = line_in(error, self._filename) or statement.lineno
                    raise CaptureError(
                        f"with {self.parameter} = {shown(size)} the set-up fails at line {line}: {told}", line
                    ) from error
                if self.parameter in binds(statement):
                    space[self.parameter] = size
            return from_call(self._call, space, sources=self._sources, function=self._function, line=self._line)

    def _changed(self) -> set[str]:
        """Returns the names that the statements bind, or may change by a method or a store."""
        found: set[str] = set()
        for statement in self._statements:
            found |= binds(statement)
            for node in ast.walk(statement):
                read = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
                if isinstance(node, ast.Attribute | ast.Subscript) and not read and isinstance(node.value, ast.Name):
                    found.add(node.value.id)
                elif isinstance(node, ast.Call):
                    found |= {each.id for each in node.args if isinstance(each, ast.Name)}
        return found

    def _copied(self, names: set[str], memo: dict[int, Any]) -> dict[str, Any]:
        """Copies the values of names; modules, classes and functions stay what they are."""
        found = {}
        for name in names:
            value = self._namespace.get(name)
            if name not in self._namespace or isinstance(value, types.ModuleType | type) or callable(value):
                continue
            try:
                found[name] = copy.deepcopy(value, memo)
            except Exception as error:  # deepcopy runs the code of any class
                raise CaptureError(
                    f"`{name}`, which the set-up reads, cannot be copied ({type(error).__name__}: {error}): a sweep "
                    f"runs the set-up on copies, so that your own values stay; make `{name}` in the same cell."
                ) from error
        return found


class Given:
    """A live function with arguments for each size, as ``jitmagic.compare(…, sweep=…)`` takes them.

    Parameters
    ----------
    function : callable
    sizes : sequence of float
    make : callable
        Returns the positional arguments at a size: a tuple, or the only argument.
    kwargs : mapping
        Keyword arguments, the same at each size.
    parameter : str
    """

    def __init__(
        self,
        function: Callable[..., Any],
        sizes: Sequence[float],
        make: Callable[[float], Any],
        kwargs: Mapping[str, Any],
        parameter: str = "n",
    ) -> None:
        self.parameter = parameter
        self.sizes = sizes
        self._function, self._make, self._kwargs = function, make, dict(kwargs)

    def workload(self, size: float) -> Workload:
        """Makes the arguments and captures the call; see :class:`Resized`."""
        with _random_states():
            try:
                made = self._make(size)
            except Exception as error:  # the user's own code may raise anything
                told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                raise CaptureError(f"with n = {shown(size)} the arguments could not be made: {told}") from error
        args = made if isinstance(made, tuple) else (made,)
        return from_function(self._function, args, self._kwargs)


def shown(size: float) -> str:
    """Writes a size for a sentence: "1,000,000", "0.25"."""
    return f"{int(size):,}" if float(size).is_integer() else f"{size:g}"


def _parameters(function: str, body: Sequence[ast.stmt], namespace: Mapping[str, Any]) -> set[str]:
    """Returns the names of a function's parameters: where there is no call, its arguments have these names."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef) and statement.name == function:
            arguments = statement.args
            return {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    code = getattr(namespace.get(function), "__code__", None)
    return set() if code is None else set(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _rebound(function: types.FunctionType, space: dict[str, Any]) -> types.FunctionType:
    """Makes a function anew whose globals are this namespace."""
    made = types.FunctionType(function.__code__, space, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__qualname__, made.__module__, made.__doc__ = function.__qualname__, function.__module__, function.__doc__
    made.__dict__.update(function.__dict__)
    return made


@contextmanager
def _unseen() -> Iterator[None]:
    """Runs the set-up without what it prints and warns, which were seen when it ran for the user."""
    with (
        _random_states(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _random_states() -> Iterator[None]:
    """Puts the global random states back, Python's and NumPy's."""
    numpy_random = sys.modules.get("numpy.random")
    state = random.getstate()
    numpy_state = numpy_random.get_state() if numpy_random is not None else None
    try:
        yield
    finally:
        random.setstate(state)
        if numpy_random is not None:
            numpy_random.set_state(numpy_state)
