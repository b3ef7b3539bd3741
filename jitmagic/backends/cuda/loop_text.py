"""How the draft writes its loops: the index that Numba makes unsigned and the draft makes signed again, and ranges."""

from __future__ import annotations

import ast


def index_of(node: ast.For) -> str:
    """Returns the index under which a loop's body knows its step: `for i_ in prange(n): i = np.int64(i_)` has `i`."""
    assert isinstance(node.target, ast.Name)
    cast = cast_of(node, node.target.id)
    return node.target.id if cast is None else cast


def cast_of(node: ast.For, raw: str) -> str | None:
    """Returns the name that a loop's first statement gives its unsigned index; None where it does not begin so."""
    first = node.body[0]
    if (
        isinstance(first, ast.Assign)
        and isinstance(first.value, ast.Call)
        and len(first.value.args) == 1
        and isinstance(first.value.args[0], ast.Name)
        and first.value.args[0].id == raw
        and ast.unparse(first.value.func).endswith("int64")
        and isinstance(first.targets[0], ast.Name)
        and raw == f"{first.targets[0].id}_"
    ):
        return first.targets[0].id
    return None


def without_cast(node: ast.For, index: str) -> list[ast.stmt]:
    """Returns a loop's body, which knows its step as ``index``, without the line that makes it signed."""
    assert isinstance(node.target, ast.Name)
    return node.body[1:] if node.target.id != index and cast_of(node, node.target.id) == index else node.body


def is_range(node: ast.expr) -> bool:
    """Says whether an expression is a plain call of `range`."""
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range" and not node.keywords
    )


def as_loaded(node: ast.expr) -> ast.expr:
    """Returns the target of an assignment as an expression that is read."""
    copied = ast.parse(ast.unparse(node), mode="eval").body
    return ast.copy_location(copied, node)
