"""Begins with an array what becomes one: Numba wants one type for a name.

```
total = 0.0                                          total = np.zeros(x.shape)
for c in coefficients[::-1]:                 ->      for c in coefficients[::-1]:
    total = total*x + c                                  total = total*x + c
```

Where the shape is proved, and where nobody can tell the array of equal numbers from the number: it is read beside
arrays of that shape only, or after a statement that has made it an array. Where that statement stands in a loop, a loop
without a step raises instead of giving another shape than NumPy does. So is the other side of `x if wanted else 0.0`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.context import Context, scalar_path
from jitmagic.generate import names as name_tools
from jitmagic.generate.axes import Axes, AxesOf, Binding, Bindings, broadcast
from jitmagic.generate.blocks import code, made, statements
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import children, nodes_of
from jitmagic.observe.facts import ValueFact

_NUMBERS = frozenset({"int", "float", "complex", "scalar", "bool"})
_PYTHON = {"int": 0, "float": 0.0, "complex": 0j, "bool": False}
_LEAVING = (cst.Break, cst.Continue, cst.Return, cst.Raise)


@dataclass
class _Plan:
    """What is changed in one function."""

    numbers: dict[cst.CSTNode, str] = field(default_factory=dict)  # numbers, and what stands for them
    guards: dict[cst.CSTNode, list[str]] = field(default_factory=dict)  # loops, and the statements before them
    facts: dict[cst.CSTNode, ValueFact] = field(default_factory=dict)  # and what that is
    names: dict[str, ValueFact] = field(default_factory=dict)  # names that are arrays now


class Starts(Rewriter):
    """Writes arrays for numbers that stand in an array's place.

    Parameters
    ----------
    context : Context
    by_function : mapping of str to Kinds

    Attributes
    ----------
    names : set of str
        The names that are arrays now, of any function.
    """

    def __init__(self, context: Context, by_function: dict[str, Kinds]) -> None:
        super().__init__(context.module)
        self.context, self.by_function = context, by_function
        self.names: set[str] = set()
        self._plan = _Plan()
        self._depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        kinds = self.by_function.get(node.name.value)
        if self._depth == 0:
            self._plan = _Function(self.context, node, kinds).plan() if kinds is not None else _Plan()
            self.names |= set(self._plan.names)
        self._depth += 1

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._depth -= 1
        return updated_node

    def _number(self, original_node: cst.BaseExpression, updated_node: cst.BaseExpression) -> cst.BaseExpression:
        text = self._plan.numbers.get(original_node)
        if text is None:
            return updated_node
        new = cst.parse_expression(text)
        self.module.learn(new, self._plan.facts[original_node])
        return new

    leave_Integer = leave_Float = leave_Imaginary = leave_Subscript = leave_Call = leave_BinaryOperation = _number
    leave_UnaryOperation = leave_Attribute = _number

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if original_node in self._plan.numbers:
            return self._number(original_node, updated_node)
        if original_node.value in self._plan.names:
            self.module.learn(updated_node, self._plan.names[original_node.value])
        return updated_node

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For | cst.FlattenSentinel[Any]:
        guards = self._plan.guards.get(original_node)
        if guards is None:
            return updated_node
        checks = [made(text, original_node) for text in guards]
        checks[0] = checks[0].with_changes(leading_lines=updated_node.leading_lines)
        return cst.FlattenSentinel([*checks, updated_node.with_changes(leading_lines=[])])


class _Function:
    """Finds out for one function which numbers are to be arrays."""

    def __init__(self, context: Context, function: cst.FunctionDef, kinds: Kinds) -> None:
        self.context, self.function, self.kinds = context, function, kinds
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.order: dict[cst.CSTNode, int] = {}
        self._number(function)
        self.bindings = Bindings(function)

    def _number(self, node: cst.CSTNode) -> None:
        self.order[node] = len(self.order)
        for child in children(node):
            self.parents[child] = node
            self._number(child)

    def plan(self) -> _Plan:
        plan = _Plan()
        reshaped = any(a.attr.value == "resize" for a in nodes_of(self.function, cst.Attribute))
        if reshaped or nodes_of(self.function, cst.FunctionDef)[1:]:
            return plan
        sites = {name: found for name in self.bindings.found if (found := self._sites(name))}
        taken = frozenset(sites)
        for name, numbers in sites.items():
            self._add(plan, name, numbers, AxesOf(self.function, self.kinds, self.bindings, self.order, taken))
        return plan

    def _fact(self, node: cst.BaseExpression) -> ValueFact | None:
        return self.context.module.fact(node) or self.kinds.of(node)

    def _is_number(self, node: cst.BaseExpression) -> bool:
        fact = self._fact(node)
        return fact is not None and fact.kind in _NUMBERS

    def _array(self, node: cst.BaseExpression | None) -> ValueFact | None:
        """Returns what is known of a value that is an array, in some runs of the statement at least."""
        fact = self._fact(node) if node is not None else None
        if fact is not None and fact.kind == "mixed":
            arrays = [item for item in fact.items if item.kind == "array"]
            fact = arrays[0] if len(arrays) == 1 and fact.kinds <= _NUMBERS | {"array"} else None
        if fact is None and node is not None:
            fact = self._of_doubles(node)
        return fact if fact is not None and fact.kind == "array" and fact.dtype is not None and fact.ndim else None

    def _of_doubles(self, node: cst.BaseExpression) -> ValueFact | None:
        """Returns what arithmetic is that was not run, where all that it reads are float64 and Python's numbers."""
        operations = (cst.BinaryOperation, cst.UnaryOperation)
        whole = cst.MatrixMultiply | cst.Not
        if isinstance(node, operations) and not isinstance(node.operator, whole):
            parts = [child for child in children(node) if isinstance(child, cst.BaseExpression)]
            facts = [self._fact(part) or self._of_doubles(part) for part in parts]
            plain = [one for one in facts if one is not None and one.kind in ("int", "float")]
            arrays = [one for one in facts if one is not None and one.kind == "array" and one.dtype == "float64"]
            if arrays and len(plain) + len(arrays) == len(parts):
                return max(arrays, key=lambda one: one.ndim or 0)
        return None

    def _sites(self, name: str) -> list[cst.BaseExpression]:
        """Returns the numbers that a name is bound to, where it is bound to arrays elsewhere."""
        found = self.bindings.found[name]
        if name in name_tools.parameters(self.function) or any(one.how not in ("value", "changed") for one in found):
            return []
        values = [one.value for one in found if one.how == "value" and one.value is not None]
        numbers = [one for one in values if self._is_number(one)]
        for one in values:
            if isinstance(one, cst.IfExp):
                numbers += [side for side in (one.body, one.orelse) if self._is_number(side)]
        numbers = [one for one in numbers if name not in name_tools.loads(one) and not isinstance(one, cst.IfExp)]
        arrays = [one for one in found if self._arrays_of(one)]
        return numbers if numbers and arrays else []

    def _arrays_of(self, binding: Binding) -> list[cst.BaseExpression]:
        """Returns the arrays that a binding may give: of a conditional expression its sides."""
        value = binding.value
        if isinstance(value, cst.IfExp):
            return [one for one in (value.body, value.orelse) if not self._is_number(one)]
        return [value] if value is not None and self._array(value) is not None else []

    def _add(self, plan: _Plan, name: str, numbers: list[cst.BaseExpression], axes_of: AxesOf) -> None:
        found = self.bindings.found[name]
        first = min(self.order[one.node] for one in found)
        if any(isinstance(one, cst.Name) and one.value == name and self.order[one] < first for one in self.order):
            return
        axes: Axes = ()
        dtypes = set()
        for one in found:
            for value in self._arrays_of(one):
                told, fact = axes_of.of(value), self._array(value)
                if not told or fact is None or (axes and told != axes) or fact.ndim != len(told):
                    return
                axes = told
                dtypes.add(self._dtype(one, fact, numbers))
        dtype = dtypes.pop() if len(dtypes) == 1 else None
        if not axes or dtype is None or np.dtype(dtype).kind not in "ifc":
            return
        if not all(axes_of.are_there(axes, self.order[number]) for number in numbers):
            return
        guards: dict[cst.CSTNode, str] = {}
        for load in self._loads(name):
            if self._is_absorbed(load, axes, axes_of):
                continue
            for number in numbers:
                if not self._is_covered(name, number, load, guards):
                    return
        known = ValueFact("array", dtype, (None,) * len(axes), contiguous=True)
        for number in numbers:
            plan.numbers[number] = self._source(number, axes, dtype)
            plan.facts[number] = known
        for loop, guard in guards.items():
            if guard not in plan.guards.setdefault(loop, []):
                plan.guards[loop].append(guard)
        plan.names[name] = replace(known, contiguous=None)

    def _dtype(self, binding: Binding, fact: ValueFact, numbers: list[cst.BaseExpression]) -> str | None:
        """Returns the dtype that the name has after a binding."""
        if binding.how == "value":
            return fact.dtype
        found = {self._fact(number) for number in numbers}
        kinds = {one.kind for one in found if one is not None}
        if not kinds <= set(_PYTHON) or fact.dtype is None:
            return fact.dtype if kinds == {"scalar"} and {one.dtype for one in found if one} == {fact.dtype} else None
        results = {str((np.zeros(1, fact.dtype) + _PYTHON[kind]).dtype) for kind in kinds}
        return results.pop() if len(results) == 1 else None

    def _loads(self, name: str) -> list[cst.Name]:
        found = []
        for node in self.order:
            if isinstance(node, cst.Name) and node.value == name:
                parent = self.parents[node]
                target = isinstance(parent, cst.AssignTarget) or (isinstance(parent, cst.AugAssign)
                                                                  and parent.target is node)  # fmt: skip
                element = isinstance(parent, cst.Element) and self._is_target(parent)
                other = isinstance(parent, cst.Attribute) and parent.attr is node
                keyword = isinstance(parent, cst.Arg) and parent.keyword is node
                if not (target or element or other or keyword):
                    found.append(node)
        return found

    def _is_target(self, element: cst.CSTNode) -> bool:
        return isinstance(self.parents.get(self.parents[element]), cst.AssignTarget)

    # -- may it be seen as a number

    def _is_absorbed(self, load: cst.Name, axes: Axes, axes_of: AxesOf) -> bool:
        """Says whether a value is read element by element only, beside an array of its shape."""
        node: cst.CSTNode = load
        while True:
            parent = self.parents[node]
            if isinstance(parent, cst.Arg):
                node, parent = parent, self.parents[parent]
            if not self._is_elementwise(parent):
                return False
            beside: Axes | None = ()
            for child in children(parent):
                value = child.value if isinstance(child, cst.Arg) else child
                if child is not node and isinstance(value, cst.BaseExpression) and value is not getattr(
                    parent, "func", None
                ):
                    beside = broadcast(beside, axes_of.of(value))
            if beside == axes:
                return True
            if beside != ():
                return False
            node = parent

    def _is_elementwise(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.BinaryOperation):
            return not isinstance(node.operator, cst.MatrixMultiply)
        if isinstance(node, cst.UnaryOperation):
            return not isinstance(node.operator, cst.Not)
        if not isinstance(node, cst.Call) or any(a.keyword is not None or a.star for a in node.args):
            return False
        path = self.kinds.path(node.func)
        return path is not None and isinstance(getattr(np, path.removeprefix("numpy."), None), np.ufunc)

    def _chain(self, node: cst.CSTNode) -> list[tuple[cst.CSTNode, cst.IndentedBlock]]:
        """Returns the statements around a node, each with what holds it, innermost first."""
        found = []
        while node in self.parents:
            parent = self.parents[node]
            if isinstance(parent, cst.IndentedBlock):
                found.append((node, parent))
            node = parent
        return found

    def _is_covered(
        self, name: str, number: cst.BaseExpression, load: cst.Name, guards: dict[cst.CSTNode, str]
    ) -> bool:
        """Says whether the name is an array by then, whichever way was taken from the number."""
        if isinstance(self.parents[number], cst.IfExp):
            return False
        start, home = self._chain(number)[0]
        for statement, block in self._chain(load):
            body: list[cst.CSTNode] = list(block.body)
            at = body.index(statement)
            begin = body.index(start) + 1 if block is home else 0
            for one in body[begin:at]:
                if self._makes_array(name, one):
                    return True
                guard = self._guard(name, one)
                if guard is not None:
                    guards[one] = guard
                    return True
            if block is home:
                return False
        return False

    def _makes_array(self, name: str, statement: cst.CSTNode) -> bool:
        if not isinstance(statement, cst.SimpleStatementLine):
            return False
        bound = [one for one in self.bindings.found[name] if one.node in statement.body]
        return any(one.value is not None and not isinstance(one.value, cst.IfExp) and self._arrays_of(one)
                   for one in bound)  # fmt: skip

    def _guard(self, name: str, loop: cst.CSTNode) -> str | None:
        """Returns what raises where a loop runs no step, of a loop whose every step makes the name an array."""
        if not isinstance(loop, cst.For):
            return None
        for one in statements(loop):
            if self._makes_array(name, one):
                empty = self._is_empty(loop.iter)
                text = f'raise ValueError("no steps: `{name}` stays a number")'
                return None if empty is None else f"if {empty}:\n    {text}\n"
            if any(nodes_of(one, kind) for kind in _LEAVING):
                return None
        return None

    def _is_empty(self, source: cst.BaseExpression) -> str | None:
        """Returns the condition under which a loop runs no step."""
        called = source.func.value if isinstance(source, cst.Call) and isinstance(source.func, cst.Name) else ""
        given = [a.value for a in source.args] if isinstance(source, cst.Call) else []
        if called == "range" and len(given) == 1:
            return f"{code(given[0])} <= 0"
        if called == "range" and len(given) == 3 and code(given[2]) == "-1":
            return f"{code(given[0])} <= {code(given[1])}"
        positive = isinstance(given[2], cst.Integer) if len(given) == 3 else len(given) == 2
        if called == "range" and positive:
            return f"{code(given[1])} <= {code(given[0])}"
        if called in ("zip", "enumerate") and given:
            several = given if called == "zip" else given[:1]
            texts = [self._is_empty(one) for one in several]
            return None if None in texts else " or ".join(dict.fromkeys(str(text) for text in texts))
        if isinstance(source, cst.Subscript) and not nodes_of(source, cst.Call):
            return f"len({code(source)}) == 0"
        return f"len({code(source)}) == 0" if isinstance(source, cst.Name) else None

    def _source(self, number: cst.BaseExpression, axes: Axes, dtype: str) -> str:
        name = axes[0].partition(".")[0]
        whole = all(text == f"{name}.shape[{k}]" for k, text in enumerate(axes))
        fact = self.kinds.of(cst.Name(name)) if whole else None
        shape = f"{name}.shape" if whole and fact is not None and fact.ndim == len(axes) else f"({', '.join(axes)})"
        if len(axes) == 1 and not shape.endswith(".shape"):
            shape = axes[0]
        imports = self.context.imports
        text = code(number)
        kind = imports.code(scalar_path(dtype))
        more = "" if dtype == "float64" else f", dtype={kind}"
        if text.strip("()") in ("0", "0.0", "0."):
            return f"{imports.code('numpy.zeros')}({shape}{more})"
        if text.strip("()") in ("1", "1.0", "1."):
            return f"{imports.code('numpy.ones')}({shape}{more})"
        return f"{imports.code('numpy.full')}({shape}, {kind}({text}))"
