"""Elements of arrays and results of reductions: scalars of their own in NumPy, arrays without axes in CuPy.

What NumPy does with a scalar, CuPy does with memory: ``v = a[i]`` is a view that follows later stores, ``s += 1``
writes into whatever else holds ``s``; and Python gets no index, no length and no key from such an array unless it is
asked for its number.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.analysis import memory
from jitmagic.analysis.scope import scope_of
from jitmagic.analysis.stored import Stored
from jitmagic.capture.workload import Workload
from jitmagic.errors import Unsupported
from jitmagic.generate.blocks import code
from jitmagic.generate.dict_keys import keys_in
from jitmagic.generate.kept import kept, kept_arguments, stepped
from jitmagic.generate.kinds import Kinds, argument_facts, holds_number, is_given_numbers
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter
from jitmagic.observe.facts import Observation, ValueFact

_KEYED_METHODS = frozenset({"add", "discard", "remove", "get", "setdefault", "pop"})
_RANKS = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}
_ATOMS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.List, cst.ListComp)


def kinds_of(module: Module, workload: Workload, observed: Observation) -> dict[str, Kinds]:
    """Returns what is known of the expressions of each function of a module."""
    found = {}
    for function in module.functions():
        entry = function.name.value == workload.function.name
        arguments = argument_facts(observed, function) if entry else {}
        found[function.name.value] = Kinds(module, function, arguments)
    return found


def atom(node: cst.BaseExpression) -> str:
    """Returns an expression's text, in parentheses where an attribute would tear it apart."""
    return code(node) if isinstance(node, _ATOMS) or node.lpar else f"({code(node)})"


def method(node: Any, name: str) -> cst.Call:
    """Makes a call of a method without arguments; the node itself stays, with what is known of it."""
    if not isinstance(node, _ATOMS) and not node.lpar:
        node = node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.Call(cst.Attribute(value=node, attr=cst.Name(name)))


class Elements(FunctionRewriter[Kinds]):
    """Makes elements behave as NumPy's scalars: copied where kept, bound anew by ``+=``, numbers where Python asks."""

    def __init__(self, module: Module, workload: Workload, observed: Observation) -> None:
        super().__init__(module, kinds_of(module, workload, observed))
        self.entry = workload.function.name
        self.memory = {
            name: Stored(scope_of(workload.module.text, name, workload.names, observed)) for name in self.by_function
        }
        self.storing = frozenset(name for name, one in self.memory.items() if one.parameters and name != self.entry)
        self.function: list[str] = []
        self.keys: list[frozenset[cst.CSTNode]] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        self.function.append(node.name.value)
        self.keys.append(keys_in(node, lambda one: self._kind(one) == "dict"))

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self.function.pop()
        self.keys.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    # -- what is known -----------------------------------------------------------------------------------------------

    def known(self, node: cst.CSTNode) -> ValueFact | None:
        """Returns what is known of an original expression."""
        return self.stack[-1].of(node) if self.stack else None

    def _kind(self, node: cst.CSTNode) -> str | None:
        fact = self.known(node)
        return None if fact is None else fact.kind

    def _is_element(self, node: cst.BaseExpression) -> bool:
        if not isinstance(node, cst.Subscript):
            return False
        kind = self._kind(node)
        if kind is not None:
            return kind == "scalar"
        base = self.known(node.value)
        if base is None or base.kind != "array" or base.ndim != len(node.slice):
            return False
        indices = [e.slice.value if isinstance(e.slice, cst.Index) else None for e in node.slice]
        return all(index is not None and self._kind(index) in ("int", "scalar") for index in indices)

    def may_change(self, node: cst.BaseExpression) -> bool:
        """Tells whether the memory behind an original expression may be stored into."""
        while isinstance(node, cst.Subscript | cst.Attribute):
            node = node.value
        func = node.func if isinstance(node, cst.Call) else None
        if isinstance(func, cst.Attribute) and func.attr.value in memory.VIEW_METHODS:
            return self.may_change(func.value)
        name = node.value if isinstance(node, cst.Name) else None
        outer = self.function[0]
        return bool(self.storing - {outer}) or self.memory[outer].may_change(name)

    # -- what is kept ------------------------------------------------------------------------------------------------

    def _copy(self, original: cst.BaseExpression, updated: Any) -> Any:
        views = isinstance(original, cst.Attribute) and original.attr.value in memory.VIEW_ATTRIBUTES
        element = self._is_element(original) or (views and self._kind(original) == "scalar")
        if element and self.may_change(original):
            if is_given_numbers(self.module, original):
                return cst.parse_expression(f"1*{atom(updated)}")  # a number of Python's has no method `copy`
            return method(updated, "copy")
        return updated

    def _kept(self, original: cst.BaseExpression, updated: Any) -> Any:
        return kept(original, updated, self._copy)

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        if not self.stack or all(isinstance(target.target, cst.Subscript) for target in original_node.targets):
            return updated_node
        return updated_node.with_changes(value=self._kept(original_node.value, updated_node.value))

    def leave_AnnAssign(self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign) -> cst.AnnAssign:
        if not self.stack or original_node.value is None:
            return updated_node
        return updated_node.with_changes(value=self._kept(original_node.value, updated_node.value))

    def leave_NamedExpr(self, original_node: cst.NamedExpr, updated_node: cst.NamedExpr) -> cst.NamedExpr:
        if not self.stack:
            return updated_node
        return updated_node.with_changes(value=self._kept(original_node.value, updated_node.value))

    def leave_Return(self, original_node: cst.Return, updated_node: cst.Return) -> cst.Return:
        if not self.stack or original_node.value is None or self.function == [self.entry]:
            return updated_node
        return updated_node.with_changes(value=self._kept(original_node.value, updated_node.value))

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        if not self.stack or not isinstance(updated_node.body, cst.IndentedBlock):
            return updated_node
        found = [
            target.value
            for target, source in stepped(original_node.target, original_node.iter)
            if isinstance(target, cst.Name)
            and self._kind(target) == "scalar"
            and self._kind(source) == "array"
            and self.may_change(source)
        ]
        lines = [cst.parse_statement(f"{name} = {name}.copy()") for name in found]
        return updated_node.with_changes(body=updated_node.body.with_changes(body=[*lines, *updated_node.body.body]))

    # -- in place ----------------------------------------------------------------------------------------------------

    def leave_AugAssign(self, original_node: cst.AugAssign, updated_node: cst.AugAssign) -> cst.BaseSmallStatement:
        if not self.stack:
            return updated_node
        target = original_node.target
        if isinstance(target, cst.Name):
            if not self._rebinds(target):
                return updated_node
        elif not isinstance(target, cst.Subscript) or not (
            holds_number(self.module, target) or self._widens(target, original_node)
        ):
            return updated_node
        # NumPy's scalars are immutable: the name is bound anew, nothing else that holds the value changes
        operator = getattr(cst, type(original_node.operator).__name__.removesuffix("Assign"))()
        right = updated_node.value
        if not _binds_tighter(right, operator) and not right.lpar:
            right = right.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
            self.module.inherit(right, original_node.value)
        left = cst.parse_expression(code(updated_node.target))
        value = cst.BinaryOperation(left=left, operator=operator, right=right)
        return cst.Assign(targets=[cst.AssignTarget(updated_node.target)], value=value)

    def _rebinds(self, target: cst.Name) -> bool:
        fact = self.known(target)
        if fact is not None and fact.kind != "mixed":
            return fact.kind == "scalar"
        seen = {one.kind for one in self.stack[-1].names.get(target.value, [])}
        return "scalar" in seen and "array" not in seen

    def _widens(self, target: cst.Subscript, node: cst.AugAssign) -> bool:
        """Tells whether an element is updated to a value of a higher category, which CuPy refuses in place."""
        base, value = self.known(target.value), self.known(node.value)
        if base is None or base.kind != "array" or base.ndim != len(target.slice) or base.dtype is None:
            return False
        indices = [e.slice.value if isinstance(e.slice, cst.Index) else None for e in target.slice]
        if any(index is None or self._kind(index) == "array" for index in indices):
            return False
        rank = _RANKS.get(_letter(base.dtype), 9)
        if isinstance(node.operator, cst.DivideAssign) and rank < 2:
            return True
        if value is None:
            return False
        letter = {"bool": "b", "int": "i", "float": "f", "complex": "c"}.get(value.kind) or _letter(value.dtype or "")
        return _RANKS.get(letter, -1) > rank

    # -- where Python needs a number ---------------------------------------------------------------------------------

    def _whole(self, original: cst.CSTNode, updated: Any) -> Any:
        """Writes ``int(…)`` around a scalar, or those in a list, where Python wants an index or a length."""
        if isinstance(original, cst.List) and isinstance(updated, cst.List):
            pairs = zip(original.elements, updated.elements, strict=True)
            elements = [new.with_changes(value=self._whole(old.value, new.value)) for old, new in pairs]
            return updated.with_changes(elements=elements)
        return cst.Call(cst.Name("int"), [cst.Arg(updated)]) if self._may_be_element(original) else updated

    def _may_be_element(self, node: cst.CSTNode) -> bool:
        """Says whether a number may be an array without axes: a name may be Python's at first, an element later."""
        kind = self._kind(node)
        if kind in ("scalar", "mixed"):
            return True
        if isinstance(node, cst.Name):
            return any(fact.kind in ("scalar", "mixed") for fact in self.stack[-1].names.get(node.value, []))
        if isinstance(node, cst.BinaryOperation):
            return self._may_be_element(node.left) or self._may_be_element(node.right)
        return isinstance(node, cst.UnaryOperation) and self._may_be_element(node.expression)

    def _places(self, original: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression:
        """Writes the whole numbers of a list that is an index, where elements of arrays are among them."""
        fact = self.known(original)
        if not isinstance(original, cst.Name) or fact is None or fact.kind != "list":
            return updated
        if not any(item.kind == "scalar" for item in fact.items):
            return updated
        if not all(item.kind == "int" or _letter(item.dtype or "") in ("i", "u") for item in fact.items):
            return updated
        name = "part" if original.value != "part" else "one"
        return cst.parse_expression(f"[int({name}) for {name} in {code(updated)}]")

    def _key(self, original: Any, updated: Any) -> Any:
        if isinstance(original, cst.Tuple) and isinstance(updated, cst.Tuple):
            pairs = zip(original.elements, updated.elements, strict=True)
            return updated.with_changes(
                elements=[new.with_changes(value=self._key(old.value, new.value)) for old, new in pairs]
            )
        fact = self.known(original)
        if fact is not None and fact.kind == "tuple" and fact.items and all(i.kind == "scalar" for i in fact.items):
            return cst.parse_expression(f"tuple(part.item() for part in {code(updated)})")
        if fact is not None and fact.kind == "tuple" and any(item.kind == "scalar" for item in fact.items):
            line = self.module.line(original)
            raise Unsupported(
                f"line {line} asks a dict or a set for array elements, which CuPy cannot hash: write `int(…)` of them",
                line,
                "CP-0D",
            )
        if fact is not None and fact.kind == "scalar" and not self._is_plain(original):
            return method(updated, "item")
        return updated

    def _is_plain(self, node: Any) -> bool:
        """Says whether this has a number of Python's where NumPy has a scalar: an expression of keys and numbers."""
        if any(node in keys for keys in self.keys):
            return True
        if isinstance(node, cst.BinaryOperation):
            return self._is_plain(node.left) and self._is_plain(node.right)
        if isinstance(node, cst.UnaryOperation):
            return self._is_plain(node.expression)
        return isinstance(node, cst.Integer | cst.Float) or self._kind(node) in ("int", "float", "bool")

    def _hashes(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Set | cst.Dict) or self._kind(node) in ("dict", "object")

    def leave_Slice(self, original_node: cst.Slice, updated_node: cst.Slice) -> cst.Slice:
        if not self.stack:
            return updated_node
        for part in ("lower", "upper", "step"):
            old, new = getattr(original_node, part), getattr(updated_node, part)
            if old is not None:
                updated_node = updated_node.with_changes(**{part: self._whole(old, new)})
        return updated_node

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        if not self.stack:
            return updated_node
        base = self.known(original_node.value)
        kind = None if base is None else base.kind
        elements = []
        for old, new in zip(original_node.slice, updated_node.slice, strict=True):
            if isinstance(old.slice, cst.Index) and isinstance(new.slice, cst.Index):
                index = new.slice.value
                listed = isinstance(old.slice.value, cst.List)
                if kind in ("list", "tuple") or listed or (kind == "array" and self._is_part(original_node, base)):
                    index = self._whole(old.slice.value, index)
                elif self._hashes(original_node.value):
                    index = self._key(old.slice.value, index)
                if kind == "array":
                    index = self._places(old.slice.value, index)
                if index is not new.slice.value:
                    new = new.with_changes(slice=new.slice.with_changes(value=index))
            elements.append(new)
        return updated_node.with_changes(slice=elements)

    def _is_part(self, node: cst.Subscript, base: ValueFact | None) -> bool:
        """Tells whether a subscript is an array, and so a view in NumPy: by an index array CuPy would make a copy."""
        kind = self._kind(node)
        if kind is not None:
            return kind == "array"
        return base is not None and (base.ndim is None or len(node.slice) < base.ndim)

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.Comparison:
        last = original_node.comparisons[-1]
        if not self.stack or not isinstance(last.operator, cst.In | cst.NotIn) or not self._hashes(last.comparator):
            return updated_node
        return updated_node.with_changes(left=self._key(original_node.left, updated_node.left))

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BinaryOperation:
        if not self.stack or not isinstance(original_node.operator, cst.Multiply):
            return updated_node
        if self._kind(original_node.left) in ("list", "tuple", "str") or isinstance(original_node.left, cst.List):
            return updated_node.with_changes(right=self._whole(original_node.right, updated_node.right))
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if not self.stack or not original_node.args:
            return updated_node
        func = original_node.func
        builtin = func.value if isinstance(func, cst.Name) and func.value not in self.stack[-1].local else None
        pairs = list(zip(original_node.args, updated_node.args, strict=True))
        if builtin == "range":
            wholes = [new.with_changes(value=self._whole(old.value, new.value)) for old, new in pairs]
            return updated_node.with_changes(args=wholes)
        if builtin == "round" and self._kind(original_node.args[0].value) == "scalar":
            first = method(updated_node.args[0].value, "item")
            return _with_first(updated_node, first)
        path = self.stack[-1].path(func)
        if path in ("math.gcd", "math.comb", "math.factorial", "math.lcm", "math.isqrt"):
            wholes = [new.with_changes(value=self._whole(old.value, new.value)) for old, new in pairs]
            return updated_node.with_changes(args=wholes)
        if path is not None:
            return updated_node
        if isinstance(func, cst.Attribute) and func.attr.value in _KEYED_METHODS and self._hashes(func.value):
            return _with_first(updated_node, self._key(pairs[0][0].value, pairs[0][1].value))
        return kept_arguments(original_node, updated_node, self.storing, self._copy)


def _binds_tighter(node: cst.BaseExpression, operator: cst.BaseBinaryOp) -> bool:
    """Tells whether an expression may stand on the right of an operator as it is."""
    if isinstance(node, (*_ATOMS, cst.Integer, cst.Float)):
        return True
    products = (cst.Multiply, cst.Divide, cst.FloorDivide, cst.Modulo, cst.MatrixMultiply, cst.Power)
    additive = isinstance(operator, cst.Add | cst.Subtract)
    return additive and isinstance(node, cst.BinaryOperation) and isinstance(node.operator, products)


def _with_first(call: cst.Call, value: cst.BaseExpression) -> cst.Call:
    return call.with_changes(args=[call.args[0].with_changes(value=value), *call.args[1:]])


def _letter(dtype: str) -> str:
    return {"bool": "b", "uint": "u", "int": "i", "float": "f", "complex": "c"}.get(dtype.rstrip("0123456789"), "")
