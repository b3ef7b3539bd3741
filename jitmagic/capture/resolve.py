"""Looks names up as a live function does, without running anything of the user's."""

from __future__ import annotations

import ast
import builtins
import types
from collections.abc import Iterator, Mapping
from typing import Any

from jitmagic.capture.library import is_library_function
from jitmagic.errors import CaptureError


def resolve(function: types.FunctionType, name: str, fixed: Mapping[str, Any]) -> tuple[bool, Any]:
    """Looks a name up as the live function does: in its closure, its globals, the builtins."""
    if name in fixed:
        return True, fixed[name]
    if name in function.__code__.co_freevars:
        cell = (function.__closure__ or ())[function.__code__.co_freevars.index(name)]
        try:
            return True, cell.cell_contents
        except ValueError:  # an empty cell
            return False, None
    if name in function.__globals__:
        return True, _builtin_inside(name, function.__globals__[name])
    if name in vars(builtins):
        return True, vars(builtins)[name]
    return False, None


def _builtin_inside(name: str, value: Any) -> Any:
    """Returns Python's own builtin where a shell has put its wrapper into the namespace, as IPython does to `open`."""
    own = vars(builtins).get(name)
    if own is not None and getattr(value, "__wrapped__", None) is own and is_library_function(value):
        return own
    return value


def dotted_value(function: types.FunctionType, expression: ast.expr) -> tuple[bool, Any]:
    """Evaluates a dotted name of a module, or arithmetic of numbers; says first whether it is one."""
    if isinstance(expression, ast.Name):
        return resolve(function, expression.id, {})
    if isinstance(expression, ast.Attribute):
        found, value = dotted_value(function, expression.value)
        if found and isinstance(value, types.ModuleType) and hasattr(value, expression.attr):
            return True, getattr(value, expression.attr)
    if isinstance(expression, ast.BinOp | ast.UnaryOp):
        return arithmetic(function, expression)
    return False, None


def arithmetic(function: types.FunctionType, expression: ast.expr) -> tuple[bool, Any]:
    """Evaluates ``2 * N + 1`` where its names stand for plain numbers, which cannot have side effects."""
    allowed = ast.BinOp | ast.UnaryOp | ast.Constant | ast.operator | ast.unaryop | ast.expr_context
    leaves = {}
    for each in ast.walk(expression):
        if isinstance(each, ast.Name):
            found, value = resolve(function, each.id, {})
            if not found or type(value) not in (int, float, complex, bool):
                return False, None
            leaves[each.id] = value
        elif not isinstance(each, allowed):
            return False, None
    try:
        return True, eval(compile(ast.Expression(expression), "<default>", "eval"), leaves)
    except (ArithmeticError, TypeError):
        return False, None


def defaults(
    function: types.FunctionType, node: ast.FunctionDef | ast.AsyncFunctionDef, fixed: Mapping[str, Any]
) -> Iterator[tuple[str, ast.expr, Any]]:
    """Yields each parameter's default: its name, its expression, and the live value."""
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    live = function.__defaults__ or ()
    values = dict(zip(positional[len(positional) - len(live) :], live, strict=True))
    values.update(function.__kwdefaults__ or {})
    arguments = [*node.args.posonlyargs, *node.args.args]
    last = arguments[len(arguments) - len(node.args.defaults) :]
    written = {each.arg: default for each, default in zip(last, node.args.defaults, strict=True)}
    for each, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is not None:
            written[each.arg] = default
    if set(written) != set(values) - set(fixed):
        raise CaptureError(
            f"the defaults of `{function.__name__}` were changed after its definition; run its definition again.",
            node.lineno,
        )
    for name, expression in written.items():
        yield name, expression, values[name]
