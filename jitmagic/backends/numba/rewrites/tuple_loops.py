"""Write loops over a few numbers, or tuples of numbers, that stand in the source as loops over a range, for kernels.

    for d in (-1, 0, 1):                    for d in range(-1, 2):
    for dx, dy in ((1, 0), (0, 1)):   ->    for place in range(2):
                                                dx = 1 if place == 0 else 0
                                                dy = 0 if place == 0 else 1

Neighbours of a pixel are written so. A thread has no tuples to go through, and a compiler writes such a loop out.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import on_the_line_of, with_body
from jitmagic.generate.component_values import integer
from jitmagic.generate.precedence import bracketed
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import Span, ValueFact

_MOST = 32
"""Longer tables are arrays' work."""

_CHOICE: Any = cst.parse_expression("a if b else c")


class TupleLoops(NumbaRewriter):
    """Rewrites such loops inside of those at some places.

    Parameters
    ----------
    context : Context
    spans : tuple of Span
        The loops that become kernels.
    tree : libcst.Module
    constants : mapping of str to object
        What the user's global names stand for; a table of them is frozen, as Numba freezes it.
    """

    def __init__(
        self, context: Context, spans: tuple[Span, ...], tree: cst.Module, constants: Mapping[str, object]
    ) -> None:
        super().__init__(context)
        self._places = {(span.line, span.column) for span in spans}
        self._tree, self._constants = tree, constants
        self._inside = 0
        self._taken = set(name_tools.all_names(tree))

    def visit_For(self, node: cst.For) -> None:
        self._inside += self._is_chosen(node)

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        chosen = self._is_chosen(original_node)
        self._inside -= chosen
        if not self._inside or chosen or not self.functions or not isinstance(updated_node.body, cst.IndentedBlock):
            return updated_node
        items = self._items(original_node.iter, original_node)
        if items is None or not 1 <= len(items) <= _MOST:
            return updated_node
        wholes = [integer(item) for item in items]
        counted = _as_range(wholes)
        if isinstance(updated_node.target, cst.Name) and counted is not None:
            call = cst.parse_expression(f"range{counted}")
            return updated_node.with_changes(iter=call)
        columns = _columns(original_node.target, items)
        if columns is None:
            return updated_node
        name = self._fresh("place")
        lines = []
        for target, values in columns:
            assign = cst.Assign([cst.AssignTarget(cst.Name(target))], self._chosen(name, values))
            lines.append(on_the_line_of(cst.SimpleStatementLine([assign]), updated_node))
        call = cst.parse_expression(f"range({len(items)})")
        return with_body(updated_node, [*lines, *updated_node.body.body]).with_changes(target=cst.Name(name), iter=call)

    def _is_chosen(self, node: cst.For) -> bool:
        place = self.context.place(node)
        return place is not None and (place.line, place.column) in self._places

    def _chosen(self, name: str, values: list[Any]) -> Any:
        """Returns which of the values it is in each step."""
        if len({_text(value) for value in values}) == 1:
            return values[0].deep_clone()
        found = values[-1].deep_clone()
        for number in range(len(values) - 2, -1, -1):
            test = cst.parse_expression(f"{name} == {number}")
            value = bracketed(_CHOICE, "body", values[number].deep_clone())
            found = cst.IfExp(test=test, body=value, orelse=found)
        self.module.learn(found, _fact(values))
        return found

    def _items(self, node: cst.BaseExpression, loop: cst.For) -> list[Any] | None:
        """Returns the numbers, or tuples of them, that a loop goes through."""
        if isinstance(node, cst.Tuple | cst.List):
            values = [element.value for element in node.elements]
            return values if all(map(_is_written, values)) else None
        if isinstance(node, cst.Name):
            return self._named(node.value)
        if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Name) or self.path(node.func) is not None:
            return None
        if any(argument.star or argument.keyword for argument in node.args) or node.func.value in self._locals[-1]:
            return None
        columns = [self._items(argument.value, loop) for argument in node.args]
        if not columns or any(column is None for column in columns):
            return None
        known = [column for column in columns if column is not None]
        if node.func.value == "zip" and len({len(column) for column in known}) == 1:
            return [cst.Tuple([cst.Element(one) for one in row]) for row in zip(*known, strict=True)]
        if node.func.value == "enumerate" and len(known) == 1:
            return [
                cst.Tuple([cst.Element(cst.Integer(str(number))), cst.Element(one)])
                for number, one in enumerate(known[0])
            ]
        return None

    def _named(self, name: str) -> list[Any] | None:
        """Returns the items of a name that is bound once, to a table that stands in the source, and nowhere changed."""
        function = self.functions[0]
        local = name in name_tools.bound(function)
        where: Any = function.body if local else self._tree
        if name in name_tools.parameters(function):
            return None
        if not local and name in self._constants:
            return _table(self._constants[name]) if self._is_only_read(function, name, local) else None
        bindings = [
            assign.value
            for assign in nodes_of(where, cst.Assign)
            if any(name in name_tools.targets(target.target) for target in assign.targets)
        ]
        alone = [
            assign
            for assign in nodes_of(where, cst.Assign)
            if len(assign.targets) == 1
            and isinstance(assign.targets[0].target, cst.Name)
            and assign.targets[0].target.value == name
        ]
        if len(bindings) != 1 or len(alone) != 1 or not isinstance(bindings[0], cst.Tuple | cst.List):
            return None
        others = [one for one in nodes_of(where, cst.For) if name in name_tools.targets(one.target)]
        others_too = [one for one in nodes_of(where, cst.AugAssign) if name in name_tools.targets(one.target)]
        if others or others_too or not self._is_only_read(function, name, local):
            return None
        values = [element.value for element in bindings[0].elements]
        return values if all(map(_is_written, values)) else None

    def _is_only_read(self, function: cst.FunctionDef, name: str, local: bool) -> bool:
        """Says whether a list is nothing but gone through, looked up and measured."""
        reads = 0
        for loop in nodes_of(function, cst.For):
            reads += sum(one.value == name for one in nodes_of(loop.iter, cst.Name))
        for call in nodes_of(function, cst.Call):
            if isinstance(call.func, cst.Name) and call.func.value == "len":
                reads += sum(isinstance(a.value, cst.Name) and a.value.value == name for a in call.args)
        # the binding of a local is one more
        return reads + local == sum(one.value == name for one in nodes_of(function, cst.Name))

    def _fresh(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name


def _table(value: object) -> list[Any] | None:
    """Returns the items of a short list, tuple or array of numbers; None for anything else."""
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.dtype in (np.int64, np.float64) else None
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= _MOST:
        return None
    items: list[Any] = [cst.parse_expression(repr(item)) for item in value if _is_plain(item)]
    return items if len(items) == len(value) and all(map(_is_written, items)) else None


def _is_plain(value: object) -> bool:
    """Says whether a value is a number of Python's, or a list or tuple of such."""
    return type(value) in (int, float) or (isinstance(value, list | tuple) and all(map(_is_plain, value)))


def _is_written(node: cst.BaseExpression) -> bool:
    """Says whether a value is a number, or a tuple of such, that is written out."""
    if isinstance(node, cst.Tuple | cst.List):
        return all(_is_written(element.value) for element in node.elements)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus | cst.Plus):
        return _is_written(node.expression)
    if isinstance(node, cst.BinaryOperation) and isinstance(
        node.operator, cst.Add | cst.Subtract | cst.Multiply | cst.Divide
    ):
        return _is_written(node.left) and _is_written(node.right)
    return isinstance(node, cst.Integer | cst.Float)


def _as_range(values: list[int | None]) -> str | None:
    """Returns the arguments of a range with these steps.

    >>> _as_range([-1, 0, 1]), _as_range([3, 1]), _as_range([0, 1, 3])
    ('(-1, 2)', '(3, -1, -2)', None)
    """
    numbers = [value for value in values if value is not None]
    if len(numbers) < len(values) or len(numbers) < 2:
        return None
    step = numbers[1] - numbers[0]
    if not step or any(b - a != step for a, b in itertools.pairwise(numbers)):
        return None
    stop = numbers[-1] + step
    if step != 1:
        return f"({numbers[0]}, {stop}, {step})"
    return f"({stop})" if numbers[0] == 0 else f"({numbers[0]}, {stop})"


def _columns(target: cst.BaseExpression, items: list[Any]) -> list[tuple[str, list[Any]]] | None:
    """Returns the names of a loop's target with the values of each."""
    if isinstance(target, cst.Name):
        return [(target.value, items)] if not any(isinstance(one, cst.Tuple | cst.List) for one in items) else None
    if not isinstance(target, cst.Tuple | cst.List):
        return None
    found: list[tuple[str, list[Any]]] = []
    for place, element in enumerate(target.elements):
        values = []
        for item in items:
            fits = isinstance(item, cst.Tuple | cst.List) and len(item.elements) == len(target.elements)
            if not fits or isinstance(element, cst.StarredElement):
                return None
            values.append(item.elements[place].value)
        inner = _columns(element.value, values)
        if inner is None:
            return None
        found += inner
    return found


def _fact(values: list[Any]) -> ValueFact:
    whole = all(not nodes_of(value, cst.Float) and not nodes_of(value, cst.Divide) for value in values)
    return ValueFact("int" if whole else "float")


def _text(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)
