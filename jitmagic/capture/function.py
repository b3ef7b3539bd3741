"""Captures a live function with the arguments of one call.

>>> import numpy as np
>>> from jitmagic.capture.function import from_function
>>> workload = from_function(fn, (np.ones(3),), {})             # doctest: +SKIP
>>> print(workload.module.text)                                 # doctest: +SKIP
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import textwrap
import types
from collections.abc import Mapping, Sequence
from typing import Any

from jitmagic.capture.decorators import unwrap
from jitmagic.capture.definitions import Definition
from jitmagic.capture.follow import Follower, is_function
from jitmagic.capture.module import assemble, source_function
from jitmagic.capture.values import check_argument
from jitmagic.capture.workload import SourceFunction, Workload
from jitmagic.errors import CaptureError


def from_function(
    function: Any,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    call: str | None = None,
    sources: Mapping[str, SourceFunction] | None = None,
    name: str | None = None,
    line: int | None = None,
    lambdas: Mapping[int, Definition] | None = None,
) -> Workload:
    """Captures a live function; does not run it.

    Functions and modules among the arguments and defaults are taken out of the signature: in ``rk4(lorenz, y)`` the
    parameter that stands for ``lorenz`` becomes a name of the module. ``args`` and ``kwargs`` of the workload are
    without them, and a note says so.

    Parameters
    ----------
    function : callable
        A Python function, also under ``numba.njit``, ``jax.jit`` or ``torch.compile``, or a ``functools.partial``.
    args, kwargs
        The call's arguments; kept as they are, neither copied nor changed.
    call : str, optional
        The call as text.
    sources : mapping of str to SourceFunction, optional
        Source known already (of a cell or file), by name.
    name : str, optional
        What the caller calls the function, for errors.
    line : int, optional
        Line of the call in the user's cell or file, for errors.
    lambdas : mapping of int to Definition, optional
        Source of lambdas that stand in the call itself, by the ``id`` of the live function.

    Raises
    ------
    CaptureError
        Where the function, something that it reads, or an argument cannot be captured.
    """
    kwargs = dict(kwargs or {})
    args = tuple(args)
    notes = []
    while isinstance(function, functools.partial):
        args, kwargs = (*function.args, *args), {**function.keywords, **kwargs}
        notes.append("the arguments of the functools.partial were taken into the call")
        function = function.func
    own = getattr(function, "__name__", None)
    if name is None:
        name = own if isinstance(own, str) and own.isidentifier() else "fn"
    plain, _ = unwrap(function, name, line)
    if plain.__name__ == "<lambda>" and not name.isidentifier():
        name = "fn"

    try:
        return _workload(function, plain, name, args, kwargs, notes, call, sources or {}, lambdas or {}, line)
    except RecursionError:
        deepest = _deepest_line(plain)
        raise CaptureError(
            f"`{name}` cannot be captured: it is nested too deeply to be read, most so on line {deepest} (Python's "
            f"recursion limit is {sys.getrecursionlimit()}); split that expression into several statements.",
            deepest,
        ) from None


def _workload(
    function: Any,
    plain: types.FunctionType,
    name: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    notes: list[str],
    call: str | None,
    sources: Mapping[str, SourceFunction],
    lambdas: Mapping[int, Definition],
    line: int | None,
) -> Workload:
    """Captures a function whose wrappers are known, with the arguments in their final form."""
    follower = Follower(sources, lambdas)
    labels, fixed_at = _labels(plain, name, args, kwargs, line)
    values = (*args, *kwargs.values())
    fixed = {labels[index]: values[index] for index in fixed_at}
    defaults = {
        each.name: each.default
        for each in inspect.signature(plain).parameters.values()
        if each.name not in labels and _stands_apart(each.default)
    }
    unit = follower.add(function, name, line, keep_name=True, fixed={**fixed, **defaults}, optional=defaults)
    for label, value in zip(labels, values, strict=True):
        if label not in fixed:
            check_argument(value, label, line)
    taken = {key: value for key, value in {**fixed, **defaults}.items() if key in follower.parameters}
    for label, value in taken.items():
        told = getattr(value, "__name__", type(value).__name__)
        told = "a lambda" if told == "<lambda>" else f"`{told}`"
        notes.append(f"the argument `{label}` is fixed to {told}: the variants are called without it")
    module, names, constants, needs = assemble(follower)
    count = len(args)
    return Workload(
        function=source_function(unit),
        helpers=tuple(source_function(each) for each in follower.order if each is not unit),
        module=module,
        names=names,
        constants=constants,
        needs=needs,
        args=tuple(value for index, value in enumerate(args) if index not in fixed_at),
        kwargs={key: value for index, (key, value) in enumerate(kwargs.items()) if index + count not in fixed_at},
        call=call if call is not None else _call_text(unit.definition.name, labels, count),
        argument_names=tuple(label for label in labels if label not in fixed),
        notes=(*notes, *follower.notes),
    )


def _deepest_line(function: types.FunctionType) -> int:
    """Finds the line of the deepest nesting in a function's source, without recursion."""
    first = deepest_line = function.__code__.co_firstlineno
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError):  # no file, or a lambda in the middle of a statement
        return deepest_line
    waiting: list[tuple[ast.AST, int, int]] = [(tree, 0, 1)]
    deepest = 0
    while waiting:
        node, depth, line = waiting.pop()
        line = getattr(node, "lineno", line)
        if depth > deepest:
            deepest, deepest_line = depth, first + line - 1
        waiting += [(child, depth + 1, line) for child in ast.iter_child_nodes(node)]
    return deepest_line


def _labels(
    function: types.FunctionType, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], line: int | None
) -> tuple[list[str], frozenset[int]]:
    """Labels the arguments by the function's parameters, and finds those that are functions or modules."""
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        shown = ", ".join(str(each.replace(annotation=each.empty)) for each in signature.parameters.values())
        raise CaptureError(f"the call does not fit {name}({shown}): {error}.", line) from error
    labels: list[str] = []
    takes_any = None
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD) and len(labels) < len(args):
            labels.append(parameter.name)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            takes_any = parameter.name
    named = len(labels)
    labels += [f"{takes_any}[{index}]" for index in range(len(args) - named)]
    labels += list(kwargs)
    fixed = set()
    for index, value in enumerate((*args, *kwargs.values())):
        own = labels[index] in signature.parameters and (index < named or index >= len(args))
        if own and _stands_apart(value):
            fixed.add(index)
    return labels, frozenset(fixed)


def _stands_apart(value: Any) -> bool:
    """Says whether an argument is code and not data: a compiler wants it as a name, not as a value."""
    return isinstance(value, types.ModuleType) or is_function(value)


def _call_text(name: str, labels: Sequence[str], positional: int) -> str:
    given = [label if index < positional else f"{label}={label}" for index, label in enumerate(labels)]
    return f"{name}({', '.join(given)})"
