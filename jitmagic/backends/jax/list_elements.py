"""What a list's elements are, so that an array can hold them: numbers, tuples of numbers, arrays of one shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.walking import Finder, nodes_of
from jitmagic.observe.facts import ValueFact

_PLAIN = {"int": "int64", "float": "float64", "bool": "bool", "complex": "complex128"}


class NotUniform(Exception):
    """The elements do not fit into one array; the message says what they are."""


@dataclass(frozen=True)
class Element:
    """One element.

    Attributes
    ----------
    dtype : str
    shape : tuple of str
        Expressions for the lengths of its axes; none for a number.
    seen : tuple of int
        The lengths that were seen.
    plain : bool
        Whether it is a Python number (or a tuple of such), not one of NumPy's.
    tuples : bool
        Whether it is a tuple of numbers.
    """

    dtype: str
    shape: tuple[str, ...] = ()
    seen: tuple[int, ...] = ()
    plain: bool = True
    tuples: bool = False

    def lengths(self) -> tuple[int, ...]:
        return self.seen

    def fact(self) -> ValueFact:
        """Returns what is known of an element as it is read from the array."""
        if self.shape:
            return ValueFact("array", self.dtype, self.seen)
        return ValueFact("scalar", self.dtype, ())


def element_of(node: cst.BaseExpression, kinds: Kinds, as_array: bool = False) -> Element:
    """Returns what is known of an expression as an element; raises NotUniform where it fits into no array.

    With ``as_array`` nothing but an array is made of the list, so that whole numbers beside floats become floats.
    """
    if isinstance(node, cst.Tuple):
        parts = [element_of(e.value, kinds) for e in node.elements]
        if not parts or any(p.shape for p in parts):
            raise NotUniform("a tuple of more than numbers")
        if as_array and {p.dtype for p in parts} == {"int64", "float64"}:
            return Element("float64", (str(len(parts)),), (len(parts),), False, True)
        whole = joined(parts)
        if len({p.dtype for p in parts}) > 1:
            raise NotUniform("numbers of different kinds; use a list for each")
        return Element(whole.dtype, (str(len(parts)),), (len(parts),), all(p.plain for p in parts), True)
    fact = kinds.of(node)
    if fact is None:
        raise NotUniform("which did not happen with the example, so that its dtype is not known")
    return _of_fact(fact, node, kinds)


def _of_fact(fact: ValueFact, node: Any, kinds: Kinds) -> Element:
    if fact.kind in _PLAIN:
        return Element(_PLAIN[fact.kind])
    if fact.kind == "scalar" and fact.dtype is not None:
        return Element(fact.dtype, plain=False)
    if fact.kind == "mixed" and fact.items:
        return joined([_of_fact(item, node, kinds) for item in fact.items])
    if fact.kind == "tuple" and fact.items:
        parts = [_of_fact(item, None, kinds) for item in fact.items]
        if any(p.shape for p in parts) or len({p.dtype for p in parts}) > 1:
            raise NotUniform("a tuple of more than numbers of one kind; use a list for each")
        return Element(parts[0].dtype, (str(len(parts)),), (len(parts),), all(p.plain for p in parts), True)
    if fact.kind == "array" and fact.dtype is not None and fact.shape is not None and None not in fact.shape:
        if not _is_own(node, kinds):
            raise NotUniform("an array that may be stored into later; append a copy")
        lengths = tuple(n for n in fact.shape if n is not None)
        shape = _shape_of(node, lengths, kinds)
        if shape:
            return Element(fact.dtype, shape, lengths, False)
        raise NotUniform("an array whose shape is not that of an argument")
    raise NotUniform(f"which is {'an' if fact.kind[0] in 'aeio' else 'a'} {fact.kind} and fits into no array")


def becomes_an_array(name: str, function: cst.FunctionDef, kinds: Kinds) -> bool:
    """Says whether a list is only appended to, and read by ``np.array`` alone."""
    left = sum(one.value == name for one in nodes_of(function, cst.Name))
    arrays = 0
    for assignment in nodes_of(function, cst.AssignTarget):
        left -= code(assignment.target) == name
    for call in nodes_of(function, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "append" and code(call.func.value) == name:
            left -= 1
        elif kinds.path(call.func) == "numpy.array" and len(call.args) == 1 and code(call.args[0].value) == name:
            left -= 1
            arrays += 1
    return left == 0 and arrays > 0


def is_never_stored_into(name: str, function: cst.FunctionDef) -> bool:
    """Says whether a function changes no array in place by this name."""
    values = _Values(name)
    function.visit(values)
    return values.plain


def _is_own(node: Any, kinds: Kinds, seen: frozenset[str] = frozenset()) -> bool:
    """Says whether nothing but the list can reach an array that it takes up, so that a copy is as good."""
    if isinstance(node, cst.BinaryOperation | cst.UnaryOperation) or code(node).endswith(".copy()"):
        return True
    if isinstance(node, cst.Call):
        return kinds.path(node.func) in ("numpy.array", "numpy.copy", "numpy.zeros", "numpy.maximum", "numpy.minimum")
    if not isinstance(node, cst.Name):
        return False
    if node.value in seen:
        return True
    values = _Values(node.value)
    kinds.function.visit(values)
    return values.plain and bool(values.found) and all(
        _is_own(v, kinds, seen | {node.value}) for v in values.found
    )  # fmt: skip


class _Values(Finder):
    """Collects what a name is bound to, and whether it is never stored into."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.found: list[cst.BaseExpression] = []
        self.plain = True

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            if code(target.target) == self.name:
                self.found.append(node.value)
            elif self.name in {code(n) for n in nodes_of(target.target, cst.Name)}:
                self.plain = False  # stored into, or bound with others

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self.plain &= self.name not in name_tools.all_names(node.target)

    def visit_For(self, node: cst.For) -> None:
        self.plain &= self.name not in name_tools.targets(node.target)

    def visit_Call(self, node: cst.Call) -> None:
        # `out=`, and methods that change the array
        self.plain &= not any(a.keyword is not None and code(a.value) == self.name for a in node.args)
        func = node.func
        if isinstance(func, cst.Attribute) and code(func.value) == self.name:
            self.plain &= func.attr.value not in ("sort", "fill", "put", "partition", "resize")


_LIKE = ("numpy.array", "numpy.asarray", "numpy.copy", "numpy.zeros_like", "numpy.ones_like", "numpy.empty_like")


def _shape_of(node: Any, lengths: tuple[int, ...], kinds: Kinds, seen: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Returns the lengths of an array's axes by an argument that has as many, empty where none is known to."""
    if isinstance(node, cst.Call):
        func = node.func
        if code(node).endswith((".copy()", ".astype(float)")) and isinstance(func, cst.Attribute):
            return _shape_of(func.value, lengths, kinds, seen)
        like = kinds.path(func) in _LIKE and node.args
        return _shape_of(node.args[0].value, lengths, kinds, seen) if like else ()
    if not isinstance(node, cst.Name) or node.value in seen:
        return ()
    name = node.value
    if name in name_tools.parameters(kinds.function):
        facts = kinds.names.get(name, [])
        if facts and all(f.kind == "array" and f.shape == lengths for f in facts):
            return tuple(f"{name}.shape[{a}]" for a in range(len(lengths)))
        if facts and all(f.kind in ("tuple", "list") for f in facts) and len(lengths) == 1:
            return (f"len({name})",)
        return ()
    values = _Values(name)
    kinds.function.visit(values)
    found = (_shape_of(v, lengths, kinds, seen | {name}) for v in values.found)
    return next((one for one in found if one), ())


def joined(elements: Sequence[Element]) -> Element:
    """Returns the element that an array for all of them has; raises NotUniform where that changes a value."""
    if not elements:
        raise NotUniform("takes up nothing with the example, so that its dtype is not known")
    first = elements[0]
    if any((e.shape, e.tuples) != (first.shape, first.tuples) for e in elements):
        raise NotUniform("takes up elements of different shapes")
    dtypes = {e.dtype for e in elements}
    if len(dtypes) > 1:
        if dtypes <= {"int8", "int16", "int32", "int64"}:
            dtypes = {"int64"}
        elif dtypes <= {"int64", "float64"} and all(e.plain for e in elements if e.dtype == "int64"):
            dtypes = {"float64"}
        else:
            raise NotUniform(f"takes up {' and '.join(sorted(dtypes))}")
    return Element(dtypes.pop(), first.shape, first.seen, all(e.plain for e in elements), first.tuples)
