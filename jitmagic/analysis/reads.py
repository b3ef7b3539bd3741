"""What every call is sure to read and to compute: arguments that are read whole, and products of matrices.

Both are lower bounds, for saying how near a time is to what the machine can do: what is not proved counts for nothing.

>>> read_whole("def fn(x, y, k):\\n    return x * 2 + y[k]\\n", "fn", {})
frozenset({'x'})
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import numpy as np

from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import Comprehension, SourceTree, target_names
from jitmagic.observe.facts import Observation, ValueFact

_WHOLE_METHODS = frozenset(
    {"sum", "prod", "mean", "std", "var", "min", "max", "argmin", "argmax", "cumsum", "dot", "copy"}
)
_WHOLE_FUNCTIONS = frozenset(
    f"numpy.{name}"
    for name in (
        "sum", "prod", "mean", "std", "var", "min", "max", "argmin", "argmax", "cumsum", "cumprod", "dot", "inner",
        "tensordot", "sort", "argsort", "where", "clip", "round", "nansum", "nanmean", "nanmax", "nanmin",
        "linalg.norm",
    )
)  # fmt: skip
_PRODUCTS = frozenset({"numpy.dot", "numpy.matmul"})


def read_whole(text: str, entry: str, imports: Mapping[str, str]) -> frozenset[str]:
    """Returns the parameters of whose arrays every call reads every element.

    Those that stand bare in arithmetic, or as an argument of a function that reads all, in a statement that every call
    comes to, before they are bound to something else.
    """
    tree = SourceTree(text, entry)
    names = Names(tree, imports)
    open_ = set(names.scope(tree.entry).parameters)
    found: set[str] = set()
    for statement in _always(tree.entry.body):
        for node in _evaluated(statement):
            for operand in _operands(node, names):
                if isinstance(operand, ast.Name) and operand.id in open_:
                    found.add(operand.id)
        open_ -= {name.id for node in ast.walk(statement) for name in _bound(node)}
    return frozenset(found)


def products(text: str, entry: str, imports: Mapping[str, str], observed: Observation) -> float:
    """Returns the floating-point operations of the products of matrices that every call makes: 2 m n k of each.

    A product in a loop is counted once.
    """
    tree = SourceTree(text, entry)
    names = Names(tree, imports)
    total = 0.0
    for statement in _always(tree.entry.body):
        for node in _evaluated(statement):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                total += _product(tree, observed, node.left, node.right)
            elif isinstance(node, ast.Call) and names.path(node.func) in _PRODUCTS and len(node.args) == 2:
                total += _product(tree, observed, *node.args)
    return total


def _product(tree: SourceTree, observed: Observation, left: ast.expr, right: ast.expr) -> float:
    a, b = (_lengths(observed.fact(tree.span(one))) for one in (left, right))
    if a is None or b is None:
        return 0.0
    if len(a) == 2 and 1 <= len(b) <= 2:
        return 2.0 * a[0] * a[1] * (b[1] if len(b) == 2 else 1)
    return 0.0


def _lengths(fact: ValueFact | None) -> tuple[int, ...] | None:
    """Returns the shape of an array of floating-point numbers, None for anything else."""
    if fact is None or fact.kind != "array" or fact.shape is None or fact.dtype not in ("float32", "float64"):
        return None
    known = tuple(length for length in fact.shape if length is not None)
    return known if len(known) == len(fact.shape) else None


def _always(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the statements that every call comes to: those before the first that may leave the function early."""
    for statement in body:
        if isinstance(statement, ast.With):
            yield from _always(statement.body)
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr | ast.Return):
            yield statement
        if any(isinstance(node, ast.Return | ast.Raise | ast.Yield) for node in ast.walk(statement)):
            return


def _evaluated(statement: ast.AST) -> Iterator[ast.AST]:
    """Yields the expressions that are evaluated whenever the statement is: no arms of a choice, none of a lambda."""
    if isinstance(statement, ast.Lambda | ast.FunctionDef | Comprehension):
        return
    yield statement
    if isinstance(statement, ast.IfExp):
        yield from _evaluated(statement.test)
    elif isinstance(statement, ast.BoolOp):
        yield from _evaluated(statement.values[0])
    else:
        for child in ast.iter_child_nodes(statement):
            yield from _evaluated(child)


def _operands(node: ast.AST, names: Names) -> Iterator[ast.expr]:
    """Yields the expressions whose every element a node reads."""
    if isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Compare) and len(node.comparators) == 1:
        yield from (node.left, *node.comparators)
    elif isinstance(node, ast.AugAssign):
        yield node.value
        yield node.target
    elif isinstance(node, ast.Call):
        path = names.path(node.func) or ""
        if _reads_all(path):
            yield from node.args
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _WHOLE_METHODS and not path:
            yield node.func.value


def _reads_all(path: str) -> bool:
    if path in _WHOLE_FUNCTIONS:
        return True
    library, _, name = path.partition(".")
    return library == "numpy" and isinstance(getattr(np, name, None), np.ufunc)


def _bound(node: ast.AST) -> Iterator[ast.Name]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from target_names(target)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr | ast.For):
        yield from target_names(node.target)
