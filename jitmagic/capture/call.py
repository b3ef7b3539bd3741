"""Captures a call that is given as text, in the namespace where it would run."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Mapping
from typing import Any

from jitmagic.capture.cell import parse_call
from jitmagic.capture.decorators import unwrap
from jitmagic.capture.definitions import Definition, of_lambda, segment, source_lines
from jitmagic.capture.function import from_function
from jitmagic.capture.workload import SourceFunction, Workload
from jitmagic.errors import CaptureError

EVALUATED = "<the call to compare>"
"""What the parts of the call are compiled as, for tracebacks."""


def from_call(
    call: str | None,
    namespace: Mapping[str, Any],
    *,
    sources: Mapping[str, SourceFunction] | None = None,
    function: str | None = None,
    line: int | None = None,
) -> Workload:
    """Captures a call: evaluates the function's name and each argument once, in order, and does not run the function.

    Parameters
    ----------
    call : str or None
        The call, e.g. ``"fn(x, n=3)"``, or the bare name of the function; None where ``function`` says which.
    namespace : mapping
        Where the names are looked up; nothing is bound in it.
    sources : mapping of str to SourceFunction, optional
        Source known already (of a cell or file), by name.
    function : str, optional
        Name of the function, whose arguments are then taken from the namespace by the names of its parameters.
    line : int, optional
        Line of the call in the user's cell or file, for errors.

    Raises
    ------
    CaptureError
        Where the call cannot be read or evaluated (its ``__cause__`` is then the exception), or not be captured.
    """
    if call is None:
        if function is None:
            raise CaptureError("nothing to compare: name the call, e.g. fn(x).")
        expression = parse_call(function)
    else:
        expression = parse_call(call)
    # A copy, so that a walrus in an argument binds nothing for the user.
    scope = dict(namespace)
    if not isinstance(expression, ast.Call):
        callee = _evaluate(expression, scope, f"the function `{ast.unparse(expression)}`", line)
        return _by_name(callee, ast.unparse(expression), scope, sources or {}, line)
    if not _is_dotted(expression.func):
        raise CaptureError(
            f"`{ast.unparse(expression.func)}` is not the name of a function; bind it to a name first, and call that.",
            line,
        )
    name = ast.unparse(expression.func)
    callee = _evaluate(expression.func, scope, f"the function `{name}`", line)
    if not isinstance(callee, functools.partial):
        known = (sources or {}).get(name)
        decorators = known.decorators if isinstance(known, Definition) else ()
        # Refused before the arguments are evaluated, which may be costly.
        unwrap(callee, name, decorators[0].line if decorators else None)
    text = source_lines(call or "")
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    lambdas: dict[int, Definition] = {}

    def value_of(node: ast.expr, label: str) -> Any:
        value = _evaluate(node, scope, f"the argument `{segment(text, node)}`", line)
        if isinstance(node, ast.Lambda):
            lambdas[id(value)] = _at_line(of_lambda(node, label, text, "cell"), line)
        return value

    for index, node in enumerate(expression.args):
        if isinstance(node, ast.Starred):
            spread = _evaluate(node.value, scope, f"the argument `*{segment(text, node.value)}`", line)
            try:
                args.extend(spread)
            except TypeError as error:
                shown = segment(text, node.value)
                raise CaptureError(f"the argument `*{shown}` cannot be spread: {error}.", line) from error
        else:
            args.append(value_of(node, f"argument_{index}"))
    for keyword in expression.keywords:
        if keyword.arg is not None:
            given = {keyword.arg: value_of(keyword.value, keyword.arg)}
        else:
            shown = segment(text, keyword.value)
            spread = _evaluate(keyword.value, scope, f"the argument `**{shown}`", line)
            try:
                given = dict(**spread)
            except TypeError as error:
                raise CaptureError(f"the argument `**{shown}` cannot be spread: {error}.", line) from error
        for key, value in given.items():
            if key in kwargs:
                raise CaptureError(f"the call gives the argument `{key}` twice.", line)
            kwargs[key] = value
    return from_function(
        callee, args, kwargs, call=call, sources=sources, name=_last(expression.func), line=line, lambdas=lambdas
    )


def _by_name(
    callee: Any, name: str, namespace: Mapping[str, Any], sources: Mapping[str, SourceFunction], line: int | None
) -> Workload:
    """Takes each parameter that has no default from the namespace."""
    last = name.rpartition(".")[2]
    known = sources.get(last)
    line = line if line is not None or known is None else known.first_line
    plain, _ = unwrap(callee, last)
    args, kwargs, given = [], {}, []
    missing = []
    for parameter in inspect.signature(plain).parameters.values():
        if parameter.default is not parameter.empty or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            continue
        if parameter.name not in namespace:
            missing.append(parameter.name)
        elif parameter.kind is parameter.KEYWORD_ONLY:
            kwargs[parameter.name] = namespace[parameter.name]
            given.append(f"{parameter.name}={parameter.name}")
        else:
            args.append(namespace[parameter.name])
            given.append(parameter.name)
    if missing:
        listed = ", ".join(f"`{each}`" for each in missing)
        raise CaptureError(
            f"no call of `{name}` was found, and there is no variable {listed} to call it with: end with a call, e.g. "
            f"{name}({', '.join([*given, *(f'{each}=…' for each in missing)])}), or define {listed}.",
            line,
        )
    return from_function(
        callee, args, kwargs, call=f"{name}({', '.join(given)})", sources=sources, name=last, line=line
    )


def _evaluate(node: ast.expr, scope: dict[str, Any], what: str, line: int | None) -> Any:
    code = compile(ast.Expression(node), EVALUATED, "eval", dont_inherit=True)
    try:
        return eval(code, scope)
    except Exception as error:  # the user's own expression may raise anything
        step = "; define it first, or run the cell that does" if isinstance(error, NameError) else ""
        raise CaptureError(f"{what} could not be evaluated: {type(error).__name__}: {error}{step}", line) from error


def _at_line(definition: Definition, line: int | None) -> Definition:
    if line is None:
        return definition
    moved = tuple(each + line - 1 for each in definition.lines)
    return Definition(
        definition.name, definition.source, moved[0], definition.origin, lines=moved, node=definition.node
    )


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)
