"""What is a number by the text alone: for lines that the example did not come to, of which nothing was observed.

A name is a number if all that the function binds it to are numbers: arguments that came as numbers, literals, indices
of `range`, elements of arrays, and what is computed from these.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.kinds import Kinds, argument_facts, literal
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder
from jitmagic.observe.facts import ValueFact

_NUMBERS = frozenset({"int", "float", "complex", "scalar"})
_COMPUTING = frozenset({"min", "max", "abs", "int", "float", "len", "round", "sum", "divmod"})


class Numbers:
    """Tells which expressions of one function are numbers.

    Parameters
    ----------
    module : Module
    function : libcst.FunctionDef
        As the user wrote it, at the top of the module.
    """

    def __init__(self, module: Module, function: cst.FunctionDef) -> None:
        self.module = module
        entry = module.functions()[-1].name.value == function.name.value
        self.arguments = argument_facts(module.observed, function) if entry else {}
        self.kinds = Kinds(module, function, self.arguments)
        self.parameters = set(name_tools.parameters(function))
        self.bindings = _Bindings()
        function.body.visit(self.bindings)
        self._asked: dict[str, bool] = {}

    def is_number(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression is a number, one of Python's or of NumPy's; False where that is not proved."""
        fact = self.module.fact(node) or literal(node)
        if fact is not None:
            return all(kind in _NUMBERS for kind in fact.kinds)
        if isinstance(node, cst.Name):
            return self._name(node.value)
        if isinstance(node, cst.BinaryOperation):
            plain = not isinstance(node.operator, cst.MatrixMultiply)
            return plain and self.is_number(node.left) and self.is_number(node.right)
        if isinstance(node, cst.UnaryOperation):
            return not isinstance(node.operator, cst.Not) and self.is_number(node.expression)
        if isinstance(node, cst.IfExp):
            return self.is_number(node.body) and self.is_number(node.orelse)
        if isinstance(node, cst.Subscript):
            return self.is_element(node)
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in _COMPUTING:
            if node.func.value == "len":
                return True
            return len(node.args) > 0 and all(not a.star and self.is_number(a.value) for a in node.args)
        return False

    def is_element(self, node: cst.Subscript) -> bool:
        """Says whether a subscript is one element of an array: as many numbers as there are axes."""
        base = self.module.fact(node.value) or (self.kinds.of(node.value) if isinstance(node.value, cst.Name) else None)
        if base is None or base.kind != "array" or base.ndim != len(node.slice):
            return False
        return all(isinstance(e.slice, cst.Index) and self.is_number(e.slice.value) for e in node.slice)

    def _name(self, name: str) -> bool:
        if name not in self._asked:
            self._asked[name] = True  # what a name is computed from may be itself
            self._asked[name] = self._is_bound_to_numbers(name)
        return self._asked[name]

    def _is_bound_to_numbers(self, name: str) -> bool:
        given = self.arguments.get(name) if name in self.parameters else None
        if name in self.parameters and not _is_number(given):
            return False
        found = self.bindings.values.get(name)
        if found is None:
            return name in self.parameters or self._is_constant(name)
        return all(value is not None and self.is_number(value) for value in found)

    def _is_constant(self, name: str) -> bool:
        found = [
            small.value
            for statement in self.module.tree.body if isinstance(statement, cst.SimpleStatementLine)
            for small in statement.body if isinstance(small, cst.Assign)
            for target in small.targets if name in name_tools.targets(target.target)
        ]  # fmt: skip
        return bool(found) and all(_is_number(literal(value)) for value in found)


def _is_number(fact: ValueFact | None) -> bool:
    return fact is not None and all(kind in _NUMBERS for kind in fact.kinds)


class _Bindings(Finder):
    """What each name is bound to; None for a binding that no expression stands for."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[cst.BaseExpression | None]] = {}

    def _bind(self, target: cst.BaseExpression, value: cst.BaseExpression | None) -> None:
        if isinstance(target, cst.Name):
            self.values.setdefault(target.value, []).append(value)
        elif isinstance(target, cst.Tuple | cst.List):
            parts = value.elements if isinstance(value, cst.Tuple | cst.List) else ()
            alike = len(parts) == len(target.elements)
            for k, element in enumerate(target.elements):
                self._bind(element.value, parts[k].value if alike else None)
        elif isinstance(target, cst.StarredElement):
            self._bind(target.value, None)

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            self._bind(target.target, node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._bind(node.target, node.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._bind(node.target, node.value)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._bind(node.target, node.value)

    def visit_For(self, node: cst.For) -> None:
        called = node.iter.func if isinstance(node.iter, cst.Call) else None
        counts = isinstance(called, cst.Name) and called.value == "range"
        self._bind(node.target, cst.Integer("0") if counts else None)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self._bind(node.target, None)

    def visit_AsName(self, node: cst.AsName) -> None:
        self._bind(node.name, None)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        for name in (node.name.value, *name_tools.parameters(node)):
            self.values.setdefault(name, []).append(None)

    def visit_Lambda(self, node: cst.Lambda) -> None:
        for name in name_tools.parameters(node):
            self.values.setdefault(name, []).append(None)
