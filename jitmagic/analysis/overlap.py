"""Overlap: stores into a slice of an array whose right side reads another slice of the same array.

>>> from jitmagic.analysis.aliases import Aliases
>>> from jitmagic.analysis.names import Names
>>> from jitmagic.analysis.tree import SourceTree
>>> tree = SourceTree("def fn(a):\\n    a[1:] += a[:-1]\\n    a[0] = a[1]\\n    a[2:] = a[2:] * 2\\n", "fn")
>>> names = Names(tree, {})
>>> [(o.name, o.bare, o.augmented, o.statement.lineno) for o in overlaps(tree, names, Aliases(tree, names))]
[('a', True, True, 2)]

Two subscripts are taken for overlapping unless their text is the same, or one axis has two constants that differ, or
the indices of two loops of which one begins behind the other.

This is what a user is told of the source, with the array's name and the place of the read. Numba's rewrite of the same
name (``backends/numba/rewrites/overlap.py``) asks less of a store and copies more: it works on a tree that other
rewrites have changed, and a copy too many costs time only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jitmagic.analysis.affine import affine
from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.names import Names
from jitmagic.analysis.scalars import assigned
from jitmagic.analysis.subscripts import is_range, nonnegative_constant, range_start
from jitmagic.analysis.tree import SourceTree


@dataclass(frozen=True)
class Overlap:
    """One store that may read what it writes.

    Attributes
    ----------
    name : str
        The root array.
    statement : ast.Assign, ast.AugAssign or ast.Call
        Where it happens; a call for ``np.add(a[1:], a[:-1], out=a[1:])``.
    target, read : ast.expr
        What is written, and the first view that is read.
    augmented : bool
        Whether it is ``+=`` or the like, or ``out=``.
    bare : bool
        Whether the right side is a view itself and not a temporary computed from it.
    """

    name: str
    statement: ast.Assign | ast.AugAssign | ast.Call
    target: ast.expr
    read: ast.expr
    augmented: bool
    bare: bool


def overlaps(tree: SourceTree, names: Names, aliases: Aliases) -> tuple[Overlap, ...]:
    """Finds the stores whose right side may overlap their target, in the order of the text."""
    found = []
    for node in ast.walk(tree.module):
        if isinstance(node, ast.AugAssign):
            found += _of(tree, aliases, node, node.target, [node.value], True)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript):
                    found += _of(tree, aliases, node, target, [node.value], False)
        elif isinstance(node, ast.Call) and (names.path(node.func) or "").startswith("numpy."):
            for keyword in node.keywords:
                if keyword.arg == "out":
                    found += _of(tree, aliases, node, keyword.value, node.args, True)
    return tuple(sorted(found, key=lambda overlap: (overlap.statement.lineno, overlap.statement.col_offset)))


def _of(
    tree: SourceTree,
    aliases: Aliases,
    statement: ast.Assign | ast.AugAssign | ast.Call,
    target: ast.expr,
    values: list[ast.expr],
    augmented: bool,
) -> list[Overlap]:
    if isinstance(target, ast.Subscript) and (not has_slice(target) or aliases.is_fancy(target.slice) is True):
        return []
    written = aliases.sources(target.value if isinstance(target, ast.Subscript) else target)
    loops = [loop for loop in tree.loops_around(statement) if isinstance(loop, ast.For)]
    for value in values:
        for read in _uncopied(value):
            shared = written & _read(aliases, read, target, loops)
            if shared:
                bare = bool(aliases.sources(value) & shared)
                return [Overlap(min(shared).partition("@")[0], statement, target, read, augmented, bare)]  # type: ignore[arg-type]
    return []


def _read(aliases: Aliases, read: ast.AST, target: ast.expr, loops: list[ast.For]) -> frozenset[str]:
    """Returns the roots that an expression views in another order or window than the target."""
    if isinstance(read, ast.Attribute) and read.attr in ("T", "mT"):
        return aliases.sources(read.value)
    if not isinstance(read, ast.Subscript) or aliases.is_fancy(read.slice) is True:
        return frozenset()
    if not has_slice(read):  # `a -= a[0]` reads a row that it overwrites; `a[1:] += a[0]` of a vector reads a number
        fact = aliases.fact(read)
        row = fact is not None and fact.kind == "array" and fact.ndim != 0
        return aliases.sources(read) if row and not _same_row(target, read, loops) else frozenset()
    if isinstance(target, ast.Subscript):
        same = ast.dump(read.slice) == ast.dump(target.slice)
        return frozenset() if same or _disjoint(target, read, loops) else aliases.sources(read.value)
    return aliases.sources(read.value)


def _uncopied(value: ast.AST) -> Iterator[ast.AST]:
    """Yields the nodes of an expression that no explicit copy stands around."""
    named = value.func.attr if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) else None
    if named in ("copy", "array", "flatten", "astype", "clone", "deepcopy"):
        return
    yield value
    for child in ast.iter_child_nodes(value):
        yield from _uncopied(child)


def has_slice(node: ast.Subscript) -> bool:
    """Tells whether a subscript selects a range and not one element."""
    index = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return any(
        isinstance(part, ast.Slice) or (isinstance(part, ast.Constant) and part.value is Ellipsis) for part in index
    )


def _same_row(target: ast.expr, read: ast.Subscript, loops: list[ast.For]) -> bool:
    return isinstance(target, ast.Subscript) and _disjoint(target, read, loops)


def _disjoint(one: ast.Subscript, other: ast.Subscript, loops: list[ast.For]) -> bool:
    """Tells whether two subscripts of one array surely share no element, in the loops around, innermost first."""
    if ast.dump(one.value) != ast.dump(other.value):
        return False
    left = one.slice.elts if isinstance(one.slice, ast.Tuple) else [one.slice]
    right = other.slice.elts if isinstance(other.slice, ast.Tuple) else [other.slice]
    for a, b in zip(left, right, strict=False):
        if any(isinstance(part, ast.Constant) and part.value is Ellipsis for part in (a, b)):
            return False  # the axes no longer line up
        first, second = _bounds(a), _bounds(b)
        if first is not None and second is not None and (first[1] <= second[0] or second[1] <= first[0]):
            return True
        low, high = _integer(a), _integer(b)
        if low is not None and high is not None and low != high and (low < 0) == (high < 0):
            return True  # the last and the last but one
        if _never_equal(a, b, loops) or _never_equal(b, a, loops):
            return True
        step_a, step_b = _phase(a), _phase(b)
        if step_a is not None and step_b is not None and step_a[1] == step_b[1] and step_a[0] != step_b[0]:
            return True  # red and black: a[0::2] and a[1::2]
    return False


def _bounds(index: ast.expr) -> tuple[float, float] | None:
    """Returns the half-open range of a constant index or slice with step 1 and bounds of one sign."""
    value = _integer(index)
    if value is not None:
        return (value, value + 1) if value >= 0 else None
    if isinstance(index, ast.Slice) and index.step is None:
        low = 0 if index.lower is None else _integer(index.lower)
        high = float("inf") if index.upper is None else _integer(index.upper)
        if low is not None and high is not None and low >= 0 and high >= 0:
            return low, high
    return None


def _never_equal(one: ast.expr, other: ast.expr, loops: list[ast.For]) -> bool:
    """Tells whether a loop's index is always above, or always below, that of a loop around it, and neither negative."""
    if not (isinstance(one, ast.Name) and isinstance(other, ast.Name)):
        return False
    named = [loop.target.id if isinstance(loop.target, ast.Name) else "" for loop in loops]
    if one.id not in named or other.id not in named[named.index(one.id) + 1 :]:
        return False
    inner, outer = loops[named.index(one.id)], loops[named.index(other.id)]
    if one.id in assigned(inner.body) or other.id in assigned(outer.body) or not is_range(inner.iter, set()):
        return False
    least = range_start(outer)
    assert isinstance(inner.iter, ast.Call)
    arguments = inner.iter.args
    if least is None or least < 0 or len(arguments) == 3:
        return False
    ends = [affine(argument, other.id, ()) for argument in arguments]
    ahead = [end.offset.constant() if end is not None and end.coefficient == 1 else None for end in ends]
    if len(ahead) == 2 and ahead[0] is not None and ahead[0] >= 1:
        return True
    from_zero = len(arguments) == 1 or nonnegative_constant(arguments[0])
    return from_zero and ahead[-1] is not None and ahead[-1] <= 0


def _phase(index: ast.expr) -> tuple[int, int] | None:
    if not isinstance(index, ast.Slice) or index.step is None:
        return None
    step = _integer(index.step)
    start = 0 if index.lower is None else _integer(index.lower)
    if step is None or start is None or step < 2 or start < 0:
        return None
    return start % step, step


def _integer(node: ast.expr) -> int | None:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _integer(node.operand)
        return None if value is None else -value
    return None
