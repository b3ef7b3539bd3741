"""Where a loop's body stores and reads: subscripts as sums of the index, and whether two of them can meet."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

from jitmagic.analysis.affine import Affine, affine
from jitmagic.backends.jax.loops import LoopMaker
from jitmagic.generate.blocks import code, small

_STATIC = frozenset({"shape", "ndim", "size", "dtype"})


@dataclass(frozen=True)
class Bounds:
    """Of an enclosing loop's index: the least value, and the text of a bound above, known while tracing."""

    low: int
    high: str | None


@dataclass(frozen=True)
class IndexRange:
    """What a loop counts through.

    Attributes
    ----------
    index : str
    low, high : str
        The first value and one more than the last, in ascending order, known while tracing.
    first : int
        A lower bound of the index, at least 0.
    down : bool
        Whether the loop counts down.
    only : tuple of str
        Conditions on the index: what of ``low`` to ``high`` the loop really visits.
    """

    index: str
    low: str
    high: str
    first: int
    down: bool = False
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Store:
    """``array = array.at[texts].method(value)``."""

    array: str
    elements: tuple[cst.SubscriptElement, ...]
    texts: tuple[str, ...]
    method: str
    value: cst.BaseExpression


def store_in(statement: cst.CSTNode) -> Store | None:
    """Reads a statement of the form ``x = x.at[…].set(v)``; None for any other."""
    one = small(statement)
    if not isinstance(one, cst.Assign) or len(one.targets) != 1 or not isinstance(one.targets[0].target, cst.Name):
        return None
    name, call = one.targets[0].target.value, one.value
    if not isinstance(call, cst.Call) or len(call.args) != 1 or call.args[0].keyword is not None:
        return None
    if not isinstance(call.func, cst.Attribute) or not isinstance(call.func.value, cst.Subscript):
        return None
    place = call.func.value
    if code(place.value) != f"{name}.at":
        return None
    return Store(name, tuple(place.slice), texts_of(place.slice), call.func.attr.value, call.args[0].value)


def texts_of(slices: Sequence[cst.SubscriptElement]) -> tuple[str, ...]:
    """Returns the source of each element of a subscript."""
    return tuple(code(element.slice).strip() for element in slices)


def is_plain(texts: Sequence[str]) -> bool:
    """Says whether a subscript's elements stand for one axis each."""
    return not any(text in ("...", "None") or text.endswith("newaxis") for text in texts)


def is_slice(text: str) -> bool:
    """Says whether a subscript's element is a slice."""
    return parsed(text) is None


def parsed(text: str) -> ast.expr | None:
    """Parses an expression; None for a slice, which is none."""
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def names_in(text: str) -> set[str]:
    """Returns the names in a subscript's element, slices included."""
    tree = ast.parse(f"_[{text}]", mode="eval")
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {"_"}


class Uses(cst.CSTVisitor):
    """Collects how names are used in statements.

    Attributes
    ----------
    read : dict of str to list
        The subscripts of each name.
    other : set of str
        Names that are used in any other way than under a subscript or for their shape and dtype.
    parameters : set of str
        Of nested functions.
    count : dict of str to int
        How often each name stands there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.read: dict[str, list[Sequence[cst.SubscriptElement]]] = {}
        self.other: set[str] = set()
        self.parameters: set[str] = set()
        self.count: dict[str, int] = {}
        self._known: set[cst.Name] = set()

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if isinstance(node.value, cst.Name):
            self._known.add(node.value)
            self.read.setdefault(node.value.value, []).append(node.slice)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        if not (isinstance(node.value, cst.Name) and node.attr.value in _STATIC):
            node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)  # a keyword is no name of the function's
        return False

    def visit_Param(self, node: cst.Param) -> None:
        self.parameters.add(node.name.value)

    def visit_Name(self, node: cst.Name) -> None:
        self.count[node.value] = self.count.get(node.value, 0) + 1
        if node not in self._known:
            self.other.add(node.value)


@dataclass(frozen=True)
class Meeting:
    """Decides whether subscripts of one array meet in different steps of a loop.

    Attributes
    ----------
    counted : IndexRange
    around : mapping of str to Bounds
        Of the enclosing loops.
    bound : set of str
        Names that the body gives values to.
    """

    counted: IndexRange
    around: Mapping[str, Bounds]
    bound: frozenset[str]

    def form(self, text: str) -> Affine | None:
        """Returns an element as a sum of the index and what does not change in the loop; None where it is none."""
        tree = parsed(text)
        found = affine(tree, self.counted.index, self.bound) if tree is not None else None
        return found if found is not None and found.coefficient in (0, 1) and self._is_natural(found) else None

    def _is_natural(self, form: Affine) -> bool:
        """Says whether an element is proved to be 0 or more: below, NumPy counts from the end."""
        low = form.offset.lowest(lambda name: self.around[name].low if name in self.around else None)
        return low is not None and low + form.coefficient * self.counted.first >= 0

    def never(self, a: Sequence[str], b: Sequence[str]) -> bool:
        """Says whether two subscripts are never the same place, in one step or in two."""
        for left, right in zip(map(self.form, a), map(self.form, b), strict=False):
            if left is not None and right is not None and left.coefficient == right.coefficient == 0:
                difference = (left.offset - right.offset).constant()
                if difference not in (None, 0):
                    return True
        return False

    def apart(self, a: Sequence[str], b: Sequence[str]) -> bool:
        """Says whether two subscripts are proved not to be the same place in two different steps."""
        if self.never(a, b):
            return True
        first, second = set(), set()
        for left, right in zip(map(self.form, a), map(self.form, b), strict=False):
            if left is None or right is None:
                continue
            difference = right.offset - left.offset
            if left.coefficient == right.coefficient == 1 and difference.constant() == 0:
                return True
            if (left.coefficient, right.coefficient) == (1, 0):
                first.add(difference)  # the step in which the first one can be there
            if (left.coefficient, right.coefficient) == (0, 1):
                second.add(left.offset - right.offset)
        return bool(first & second)


def index_range(
    loops: LoopMaker, node: cst.For, around: Mapping[str, Bounds], widen: bool = False
) -> IndexRange | None:
    """Returns what a loop over a range counts through; None unless its ends are known while tracing and not negative.

    Parameters
    ----------
    widen : bool
        Whether an end that depends on an enclosing loop's index may be replaced by a bound of it, with a condition.
    """
    call, down = node.iter, False
    if isinstance(call, cst.Call) and code(call.func) == "reversed" and len(call.args) == 1:
        call, down = call.args[0].value, True
    if not isinstance(call, cst.Call) or code(call.func) != "range" or not isinstance(node.target, cst.Name):
        return None
    if any(a.keyword is not None or a.star for a in call.args):
        return None
    given = [code(a.value) for a in call.args]
    if len(given) == 3:
        step = given[2].replace(" ", "")
        if step == "-1" and not down:
            given, down = [plus(given[1], 1), plus(given[0], 1)], True
        elif step == "1":
            given = given[:2]
    if len(given) > 2:
        return None
    low, high = ("0", given[0]) if len(given) == 1 else given
    index = node.target.value
    only: list[str] = []
    traced = {text: loops.tracing.expression(cst.parse_expression(text)) for text in (low, high)}
    if not low.isdecimal():
        # a range that might begin below 0 would index from the end
        least = _least(low, around)
        if not widen or least is None or least < 0:
            return None
        only.append(f"{index} >= {low}")
        low = str(least)
    if traced.get(high, False):
        most = _most(high, around)
        if not widen or most is None:
            return None
        only.append(f"{index} < {high}")
        high = most
    return IndexRange(index, low, high, int(low), down, tuple(only))


def _least(text: str, around: Mapping[str, Bounds]) -> int | None:
    tree = parsed(text)
    form = affine(tree, "", set()) if tree is not None else None
    return form.offset.lowest(lambda name: around[name].low if name in around else None) if form is not None else None


def _most(text: str, around: Mapping[str, Bounds]) -> str | None:
    """Returns a bound of ``index + constant`` for an enclosing loop's index."""
    tree = parsed(text)
    for name, bounds in around.items():
        form = affine(tree, name, set()) if tree is not None else None
        offset = form.offset.constant() if form is not None and form.coefficient == 1 else None
        if offset is not None and bounds.high is not None:
            return plus(bounds.high, offset - 1)
    return None


def plus(text: str, number: int) -> str:
    """Returns ``text + number``, with a number at its end taken into the sum.

    >>> plus("n - 2", 1), plus("i", 1), plus("3", -1), plus("n - 1", 1)
    ('n - 1', 'i + 1', '2', 'n')
    """
    tree = ast.parse(text, mode="eval").body
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub) and isinstance(tree.right, ast.Constant):
        value = tree.right.value
        if type(value) is int:
            number += value if isinstance(tree.op, ast.Add) else -value
            text, tree = ast.unparse(tree.left), tree.left
    try:
        return str(int(ast.literal_eval(tree)) + number)
    except ValueError:
        pass
    if number == 0:
        return text
    if isinstance(tree, ast.IfExp | ast.BoolOp | ast.Compare | ast.Lambda):
        text = f"({text})"
    return f"{text} {'+' if number > 0 else '-'} {abs(number)}"


def extent(low: str, high: str) -> str:
    """Returns the text of a slice, without a zero at its beginning."""
    return f"{'' if low == '0' else low}:{high}"


def as_tuple(texts: Sequence[str]) -> str:
    """Returns the text of a tuple; a single one stands for itself, and none for ``None``."""
    if not texts:
        return "None"
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
