"""Rewrite exceptions that depend on values as a flag that the compiled function returns, and the wrapper raises on.

    for k in range(most):                       …
        …                                       failed = not returned
        if error < tol:             ->          return x, failed
            return x
    raise RuntimeError("no convergence")        # in the wrapper: if failed: raise RuntimeError("no convergence")

Compiled code goes on behind the place where NumPy would have raised: what it computes there is not given out. A
``while`` behind such a place might never end with the values that were to be refused, and stands against it.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.jax.tracing import Tracing
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import alternative, code, leading, made, small, statements, with_alternative, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.walking import nodes_of, returns_of


@dataclass(frozen=True)
class Raised:
    """An exception that the wrapper raises.

    Attributes
    ----------
    flag : str
        Its result of the compiled function.
    statement : libcst.SimpleStatementLine
    """

    flag: str
    statement: Any


class _Cannot(Exception):
    """A raise stays where it is."""


def without_raises(
    module: Module, tree: cst.Module, entry: str, tracing: Tracing
) -> tuple[cst.Module, tuple[Raised, ...]]:
    """Returns the tree with flags for the exceptions of the entry that traced values decide about.

    Parameters
    ----------
    module : Module
    tree : libcst.Module
    entry : str
    tracing : Tracing
        Of the entry.
    """
    function = next(s for s in tree.body if isinstance(s, cst.FunctionDef) and s.name.value == entry)
    raises = [s for s in nodes_of(function, cst.Raise) if _can_move(s, function, module)]
    if not raises or len(raises) != len(nodes_of(function, cst.Raise)):
        return tree, ()
    rewrite = _Rewrite(module, tracing, set(name_tools.all_names(tree)))
    try:
        body = rewrite.block(list(statements(function)))
    except _Cannot:
        return tree, ()
    new = with_body(function, body)
    if not rewrite.found or nodes_of(new, cst.Raise) or not _always_returns(body):
        return tree, ()
    if any(r.value is None for r in returns_of(new)):
        return tree, ()
    flags = [one.flag for one in rewrite.found]
    start = 1 if _is_docstring(body[0]) else 0
    body[start:start] = [made(f"{one.flag} = False") for one in rewrite.found if _returns_before(one.flag, body)]
    new = _with_flags(with_body(function, body), flags, module)
    module.inherit(new, function)
    return tree.with_changes(body=[new if s is function else s for s in tree.body]), tuple(rewrite.found)


class _Rewrite:
    def __init__(self, module: Module, tracing: Tracing, taken: set[str]) -> None:
        self.module, self.tracing, self.taken = module, tracing, taken
        self.found: list[Raised] = []

    def flag(self, statement: Any) -> str:
        name = name_tools.fresh("failed", self.taken)
        self.taken.add(name)
        self.found.append(Raised(name, statement))
        return name

    def block(self, body: list[Any]) -> list[Any]:
        """Returns the statements of the function's own block, or of a branch that ends in a return."""
        result: list[Any] = []
        for position, node in enumerate(body):
            rest = body[position + 1 :]
            if not isinstance(node, cst.If) or not self.tracing.expression(node.test):
                if isinstance(node, cst.If) and nodes_of(node, cst.Raise):
                    raise _Cannot  # a constant decides: it raises while JAX traces
                result.append(node)
                continue
            then, other = list(statements(node)), list(alternative(node))
            if _only_raises(then):
                return [*result, *self.failing(node, then[0], node.test, [*other, *rest])]
            if _only_raises(other) or (not other and _always_returns(then) and _only_raises(rest)):
                raised = (other or rest)[0]
                behind = [] if _always_returns(then) else rest
                return [*result, *self.failing(node, raised, _negated(node.test), [*then, *behind])]
            result.append(node)
            if _always_returns(then) and nodes_of(node, cst.Raise):
                raise _Cannot
        return result

    def failing(self, node: Any, raised: Any, test: cst.BaseExpression, rest: list[Any]) -> list[Any]:
        if any(nodes_of(s, cst.While) for s in rest):
            raise _Cannot
        flag = self.flag(raised)
        line = made(f"{flag} = {code(test)}", node)
        self.module.inherit(line, node)
        self.module.inherit_parts(small(line).value, test)
        line = leading(line, node)
        return [line, *self.block(rest)]


def _with_flags(function: cst.FunctionDef, flags: Sequence[str], module: Module) -> cst.FunctionDef:
    own = {id(r) for r in returns_of(function)}

    def renewed(node: Any) -> Any:
        if isinstance(node, cst.FunctionDef):
            return node
        one = small(node)
        if isinstance(one, cst.Return) and id(one) in own:
            value: Any = one.value
            if isinstance(value, cst.Tuple) and not value.lpar:
                inner = value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
                module.inherit(inner, value)
                value = inner
            whole = cst.Tuple([cst.Element(value), *(cst.Element(cst.Name(f)) for f in flags)], lpar=[], rpar=[])
            new = node.with_changes(body=[one.with_changes(value=whole)])
            module.inherit(new, node)
            module.inherit(small(new), one)
            return new
        if isinstance(node, cst.If):
            new = with_body(node, map(renewed, statements(node)))
            new = with_alternative(new, node, lambda body: map(renewed, body))
            module.inherit(new, node)
            return new
        return node

    return with_body(function, [renewed(s) for s in statements(function)])


def _can_move(node: cst.Raise, function: cst.FunctionDef, module: Module) -> bool:
    """Says whether the wrapper can raise an exception: whether it has all that the statement reads."""
    if node.exc is None or node.cause is not None:
        return False
    bound = name_tools.bound(cst.For(cst.Name("_"), cst.Name("_"), function.body))
    parameters = set(name_tools.parameters(function)) - bound
    return all(n in parameters or (n not in bound and _is_free(n, module)) for n in name_tools.loads(node))


def _is_free(name: str, module: Module) -> bool:
    return hasattr(builtins, name) or name in module.names


def _returns_before(flag: str, body: Sequence[Any]) -> bool:
    """Says whether the function may return before a flag is set."""
    for statement in body:
        if flag in name_tools.bound(statement):
            return False
        if nodes_of(statement, cst.Return):
            return True
    return False


def _only_raises(body: Sequence[Any]) -> bool:
    return len(body) == 1 and isinstance(small(body[0]), cst.Raise)


def _always_returns(body: Sequence[Any]) -> bool:
    if not body:
        return False
    last = body[-1]
    if isinstance(last, cst.If) and last.orelse is not None:
        return _always_returns(statements(last)) and _always_returns(alternative(last))
    return isinstance(small(last), cst.Return)


def _is_docstring(statement: Any) -> bool:
    one = small(statement)
    return isinstance(one, cst.Expr) and isinstance(one.value, cst.SimpleString | cst.ConcatenatedString)


def _negated(test: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return test.expression
    inner = test
    if isinstance(test, cst.BooleanOperation | cst.IfExp | cst.Comparison | cst.NamedExpr) and not test.lpar:
        inner = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.UnaryOperation(cst.Not(), inner)
