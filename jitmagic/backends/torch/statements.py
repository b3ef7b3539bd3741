"""Translates statements: assignments, stores in place, loops, branches, returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.torch.calls import atom, code
from jitmagic.backends.torch.elements import Elements
from jitmagic.backends.torch.kinds import UNKNOWN, Value, category, from_fact, join, reconcile
from jitmagic.backends.torch.naming import BREAK
from jitmagic.backends.torch.scope import Scope, base_name, grown_names, stored_names
from jitmagic.capture.workload import Workload
from jitmagic.generate.dict_keys import keys_in
from jitmagic.generate.kinds import holds_number
from jitmagic.generate.names import bound, parameters, targets
from jitmagic.observe.facts import ValueFact

MAX_UNROLLED = 32
"""Trips that torch.compile may unroll: 400 took 24 s to compile."""


class Statements(Elements):
    """Rewrites a module's functions.

    Attributes
    ----------
    entry : str
        The function under study, whose returned numbers become tensors where NumPy had scalars.
    """

    entry: str = ""
    workload: Workload
    entry_arguments: dict[str, Value]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entry_arguments = {}
        self.loops: list[cst.CSTNode] = []
        self.branches: list[dict[str, Value]] = []

    # -- functions -----------------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.skip.add(node.name)
        outer = self.scope
        local = outer.local | bound(node)
        scope = Scope(node.name.value, local, stored_names(node) | outer.stored, None, grown_names(node))
        scope.keys = outer.keys | keys_in(node, self.is_dict)
        if self.scopes:
            scope.values = dict(outer.values)
            for name in bound(node):
                scope.values.pop(name, None)
        names = parameters(node)
        for position, name in enumerate(names):
            scope.values[name] = self._parameter(node, name, position)
        scope.device = self._device(node, names, scope) or outer.device
        self.scopes.append(outer)
        self.scope = scope

    def _parameter(self, node: cst.FunctionDef, name: str, position: int) -> Value:
        if not self.scopes and node.name.value == self.entry:
            return self.entry_arguments.get(name, UNKNOWN)
        passed = [self.learned.parameters.get((node.name.value, key)) for key in (position, name)]
        value = join(*passed) if any(passed) else UNKNOWN
        found = next((p for p in _params(node) if p.name.value == name), None)
        seen = self.fact(found.name) if found is not None else None
        return reconcile(value, seen)

    def _device(self, node: cst.FunctionDef, names: Sequence[str], scope: Scope) -> str | None:
        for name in names:
            value = scope.values.get(name, UNKNOWN)
            if value.is_tensor and value.ndim != 0:
                return f"{name}.device"
        return None

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self.scope = self.scopes.pop()
        return updated_node

    def visit_Lambda(self, node: cst.Lambda) -> None:
        inner = Scope(
            self.scope.name, self.scope.local | bound(node), self.scope.stored, self.scope.device, self.scope.grown
        )
        inner.values = {n: v for n, v in self.scope.values.items() if n not in bound(node)}
        self.scopes.append(self.scope)
        self.scope = inner

    def leave_Lambda(self, original_node: cst.Lambda, updated_node: cst.Lambda) -> cst.Lambda:
        self.scope = self.scopes.pop()
        return updated_node

    def visit_CompFor(self, node: cst.CompFor) -> None:
        for name in targets(node.target):
            self.scope.values.pop(name, None)

    def visit_Global(self, node: cst.Global) -> None:
        self.fail("writes a global variable: return the value instead", node=node)

    def visit_Nonlocal(self, node: cst.Nonlocal) -> None:
        self.fail("writes a variable of the enclosing function: return the value instead", node=node)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self.fail("defines a class inside: move it out of the function", node=node)

    def leave_Return(self, original_node: cst.Return, updated_node: cst.Return) -> cst.Return:
        if original_node.value is None or updated_node.value is None:
            return updated_node
        self.here = original_node
        value = self.tight(updated_node.value)
        kind = self.value(original_node.value)
        top = len(self.scopes) == 1
        if top:
            known = self.learned.returns.get(self.scope.name)
            self.learned.returns[self.scope.name] = kind if known is None else join(known, kind)
        if top and self.scope.name == self.entry:
            observed = self.module.observed
            value = self._result(original_node.value, value, None if observed is None else observed.result)
        else:
            value = self.owned(original_node.value, value)
        return updated_node.with_changes(value=value)

    def _result(
        self, original: cst.BaseExpression, updated: cst.BaseExpression, returned: ValueFact | None
    ) -> cst.BaseExpression:
        """Makes a tensor of a Python number that NumPy returned as its own scalar."""
        value, seen = self.value(original), self.fact(original) or returned
        if isinstance(original, cst.Tuple | cst.List) and isinstance(updated, cst.Tuple | cst.List):
            if any(isinstance(e, cst.StarredElement) for e in original.elements):
                return updated
            pairs = list(zip(original.elements, updated.elements, strict=True))
            parts = () if returned is None or len(returned.items) != len(pairs) else returned.items
            elements = [
                new.with_changes(value=self._result(old.value, new.value, parts[i] if parts else None))
                for i, (old, new) in enumerate(pairs)
            ]
            return updated.with_changes(elements=elements)
        if seen is not None and seen.dtype == "uint64" and value.is_tensor:
            return cst.parse_expression(f"{atom(updated)}.to({self.spell('torch.uint64')})")
        if value.kind in ("number", "either") and seen is not None and seen.kind == "scalar" and seen.dtype:
            make = "torch.tensor" if value.kind == "number" else "torch.as_tensor"
            return cst.parse_expression(f"{self.spell(make)}({code(updated)}, dtype={self.typed(seen.dtype)})")
        return updated

    # -- assignments ---------------------------------------------------------------------------------------------

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._mark(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._mark(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._mark(node.target)

    def visit_Del(self, node: cst.Del) -> None:
        self._mark(node.target)

    def _mark(self, target: cst.BaseExpression) -> None:
        self.targets.add(target)
        if isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self._mark(element.value)

    def bind(self, target: cst.BaseExpression, value: Value) -> None:
        """Notes what an assignment makes of the variables in its target."""
        if isinstance(target, cst.Tuple | cst.List):
            plain = not any(isinstance(e, cst.StarredElement) for e in target.elements)
            fitting = plain and value.kind == "sequence" and len(value.items) == len(target.elements)
            for place, element in enumerate(target.elements):
                node = element.value.value if isinstance(element.value, cst.StarredElement) else element.value
                self.bind(node, value.items[place] if fitting else UNKNOWN)
            return
        if not isinstance(target, cst.Name):
            return
        if value.kind == "sequence" and target.value in self.scope.grown:
            value = Value("sequence")  # what it holds later is told by what was seen there
        found = reconcile(value, self.fact(target))
        self.scope.values[target.value] = found
        self.scope.roots.pop(target.value, None)
        self.scope.flipped.pop(target.value, None)
        for loop in self.loops:
            key = (loop, target.value)
            known = self.learned.loops.get(key)
            self.learned.loops[key] = found if known is None else join(known, found)

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.BaseSmallStatement:
        self.here = original_node
        value, node = self.value(original_node.value), self.tight(updated_node.value)
        if not all(isinstance(target.target, cst.Subscript) for target in original_node.targets):
            node = self.owned(original_node.value, node)
        for target in original_node.targets:
            if isinstance(target.target, cst.Subscript):
                node = self.stored(target.target, original_node.value, node)
        for target in original_node.targets:
            self.bind(target.target, value)
            self._alias(target.target, original_node.value)
        targets = [
            new.with_changes(target=self._by_copies(old.target, new.target))
            for old, new in zip(original_node.targets, updated_node.targets, strict=True)
        ]
        return updated_node.with_changes(value=node, targets=targets)

    def _by_copies(self, old: cst.BaseExpression, new: Any) -> Any:
        """Copies an index that is the very array that is stored into, as in ``todo[todo] = x > 0``."""
        if not isinstance(old, cst.Subscript) or not isinstance(new, cst.Subscript):
            return new
        into = base_name(old)
        elements: list[Any] = []
        other: Any
        for one, other in zip(old.slice, new.slice, strict=False):
            index = one.slice.value if isinstance(one.slice, cst.Index) else None
            name = base_name(index) if isinstance(index, cst.Name | cst.Subscript) else None
            same = name is not None and into is not None and self.scope.root(name) == self.scope.root(into)
            if same and index is not None and self.value(index).is_tensor and self.value(index).ndim != 0:
                copy = cst.parse_expression(f"{atom(other.slice.value)}.clone()")
                other = other.with_changes(slice=other.slice.with_changes(value=copy))
            elements.append(other)
        return new if len(elements) != len(new.slice) else new.with_changes(slice=elements)

    def leave_AnnAssign(self, original_node: cst.AnnAssign, updated_node: cst.AnnAssign) -> cst.BaseSmallStatement:
        if original_node.value is not None and updated_node.value is not None:
            self.bind(original_node.target, self.value(original_node.value))
            return updated_node.with_changes(value=self.owned(original_node.value, self.tight(updated_node.value)))
        return updated_node

    def _alias(self, target: cst.BaseExpression, original: cst.BaseExpression) -> None:
        if isinstance(target, cst.Tuple | cst.List) and isinstance(original, cst.Tuple | cst.List):
            if len(target.elements) == len(original.elements):
                for one, two in zip(target.elements, original.elements, strict=True):
                    self._alias(one.value, two.value)
            return
        if not isinstance(target, cst.Name):
            return
        root = base_name(original)
        if root is None or root == target.value or root not in self.scope.values:
            return
        if isinstance(original, cst.Name) or self.value(original).view:
            self.learned.aliases.add((self.scope.name, target.value, root))
            self.scope.roots[target.value] = self.scope.root(root)
        elif _reversed(original) and not self.value(original).view:
            memory = self.memory[self.outermost]
            if memory.may_change(target.value) or memory.may_change(root):
                self.fail(
                    f"keeps a reversed view of `{root}`, which in torch is a copy, while elements are stored into: "
                    "write `.copy()` behind it if a copy is meant",
                    "PT-FLIPVIEW",
                    original,
                )

    def stored(
        self, target: cst.Subscript, original: cst.BaseExpression, node: cst.BaseExpression
    ) -> cst.BaseExpression:
        """Fits a value to the elements that it is stored into."""
        base, value = self.value(target.value), self.value(original)
        if not base.may_be_tensor:
            return node
        if value.kind == "sequence":
            return cst.parse_expression(self.packed(original, node, base.dtype or value.numpy_dtype))
        if value.is_tensor and value.dtype and base.dtype and value.dtype != base.dtype and self._advanced(target):
            return self.cast(node, base.dtype)
        return self._apart(target, original, node)

    def _advanced(self, target: cst.Subscript) -> bool:
        return any(
            isinstance(e.slice, cst.Index)
            and (v := self.value(e.slice.value)).kind in ("tensor", "sequence")
            and v.ndim != 0
            for e in target.slice
        )

    def _apart(
        self, target: cst.CSTNode, original: cst.BaseExpression, node: cst.BaseExpression, updates: bool = False
    ) -> cst.BaseExpression:
        """Copies a right side that is a view of the very array that is stored into: torch refuses an overlap.

        Where the array is updated in place, as in ``x /= x[-1]``, one element is an overlap too.
        """
        into, source = base_name(target), base_name(original)  # type: ignore[arg-type]
        value = self.value(original)
        if into is None or source is None or code(target) == code(original):
            return node
        shares = value.view or isinstance(original, cst.Name)
        single = value.ndim == 0 and not (updates and self.value(target).ndim != 0)
        if shares and value.is_tensor and not single and self.scope.root(source) == self.scope.root(into):
            return cst.parse_expression(f"{atom(node)}.clone()")
        return node

    def leave_AugAssign(self, original_node: cst.AugAssign, updated_node: cst.AugAssign) -> cst.BaseSmallStatement:
        self.here = original_node
        target, operator = original_node.target, _binary(original_node.operator)
        right = self.tight(updated_node.value)
        into, value = self.value(target), self.value(original_node.value)
        if isinstance(target, cst.Name):
            known = self.scope.values.get(target.value, UNKNOWN)
            into = reconcile(known, self.fact(target)) if known.kind != "number" else known
        if isinstance(target, cst.Subscript) and holds_number(self.module, target):
            # what the list or the dict holds may be a view of an array, where NumPy has a number that nothing changes
            left, right, _ = self.operate(operator, (updated_node.target, into), (right, value), None)
            text = f"{code(left)} {_symbol(operator)} {_operand(operator, right)}"
            return cst.Assign(targets=[cst.AssignTarget(updated_node.target)], value=cst.parse_expression(text))
        if not into.may_be_tensor and not value.may_be_tensor:
            if isinstance(target, cst.Name):
                _, _, result = self.operate(operator, (updated_node.target, into), (right, value), None)
                self.bind(target, result)
            return updated_node.with_changes(value=right)
        if isinstance(target, cst.Name) and (into.kind in ("number", "either") or into.scalar):
            seen = self.fact(target)
            left, right, result = self.operate(
                operator, (updated_node.target, into), (right, value), seen if value.kind != "number" else None
            )
            self.bind(target, result)
            rebound = into.scalar or value.scalar or (value.is_tensor and value.ndim == 0)
            if rebound or left is not updated_node.target:
                # NumPy's scalars are immutable: the name is bound anew, nothing else that holds the value changes
                text = f"{code(left)} {_symbol(operator)} {_operand(operator, right)}"
                return cst.Assign(targets=[cst.AssignTarget(cst.Name(target.value))], value=cst.parse_expression(text))
            return updated_node.with_changes(value=right)
        if isinstance(target, cst.Subscript) and self._widens(operator, target, into, value):
            # in place, torch would refuse what NumPy computes and then casts back
            left, right, _ = self.operate(operator, (updated_node.target, into), (right, value), None)
            text = f"{code(left)} {_symbol(operator)} {_operand(operator, right)}"
            return cst.Assign(targets=[cst.AssignTarget(updated_node.target)], value=cst.parse_expression(text))
        if isinstance(target, cst.Subscript) and value.kind != "sequence":
            right = self._cast_store(target, value, right)
        if value.kind == "sequence":
            right, _ = self._tensor_of(right, value, into)
        if isinstance(target, cst.Subscript | cst.Name):
            right = self._apart(target, original_node.value, right, True)
        if into.dtype and value.dtype and value.is_tensor and isinstance(operator, cst.MatrixMultiply):
            self.fail("multiplies matrices in place (`@=`), which torch does not have: write `x = x @ y`")
        return updated_node.with_changes(value=right)

    def _widens(self, operator: cst.BaseBinaryOp, target: cst.Subscript, into: Value, value: Value) -> bool:
        """Tells whether an element is updated to a value of a higher category (an int by a float)."""
        if not into.is_tensor or into.ndim != 0 or len(target.slice) != (self.value(target.value).ndim or 0):
            return False
        if isinstance(operator, cst.Divide) and category(into.dtype) in ("bool", "int"):
            return True
        ranks = ("bool", "int", "float", "complex")
        have, given = category(into.dtype), category(value.dtype)
        return have in ranks and given in ranks and ranks.index(given) > ranks.index(have)

    def _cast_store(self, target: cst.Subscript, value: Value, right: cst.BaseExpression) -> cst.BaseExpression:
        base = self.value(target.value)
        if value.is_tensor and value.dtype and base.dtype and value.dtype != base.dtype and self._advanced(target):
            return self.cast(right, base.dtype)
        return right

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> Any:
        if isinstance(original_node.value, cst.Call):
            path = self.path(original_node.value.func)
            if path in ("numpy.seterr", "numpy.set_printoptions"):
                return cst.RemoveFromParent()
        return updated_node.with_changes(value=self.tight(updated_node.value))

    def visit_Expr(self, node: cst.Expr) -> bool:
        if not isinstance(node.value, cst.Call):
            return True
        self.statements.add(node.value)
        if self.compiled and isinstance(node.value.func, cst.Name) and node.value.func.value == "print":
            self.fail("prints, where torch.compile would break the graph: print the result outside", BREAK, node)
        return self.path(node.value.func) not in ("numpy.seterr", "numpy.set_printoptions")

    def visit_With_items(self, node: cst.With) -> None:
        for item in node.items:
            if isinstance(item.item, cst.Call) and self.path(item.item.func) == "numpy.errstate":
                self.callees.add(item.item.func)

    def leave_With(self, original_node: cst.With, updated_node: cst.With) -> Any:
        """Takes off ``np.errstate``: torch gives no floating-point warnings."""
        items = [
            (old, new)
            for old, new in zip(original_node.items, updated_node.items, strict=True)
            if not (isinstance(old.item, cst.Call) and self.path(old.item.func) == "numpy.errstate")
        ]
        if len(items) == len(original_node.items):
            return updated_node
        if items:
            return updated_node.with_changes(items=[new for _, new in items])
        if not isinstance(updated_node.body, cst.IndentedBlock):
            self.fail("writes `np.errstate` on one line with its body: break the line", node=original_node)
        body: list[Any] = list(updated_node.body.body)
        body[0] = body[0].with_changes(leading_lines=[*updated_node.leading_lines, *body[0].leading_lines])
        return cst.FlattenSentinel(body)

    def _call_errstate(self, p: Any, k: Any, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        return updated

    # -- control flow --------------------------------------------------------------------------------------------

    def visit_If_body(self, node: cst.If) -> None:
        if self.compiled and self.value(node.test).may_be_tensor:
            self.fail("branches on an array's value: write `np.where`", BREAK, node)
        self.branches.append(dict(self.scope.values))

    def leave_If_body(self, node: cst.If) -> None:
        before = self.branches.pop()
        self.branches.append(dict(self.scope.values))
        self.scope.values = before

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        self.scope.values = self.scope.merged(self.branches.pop())
        return updated_node

    def visit_While(self, node: cst.While) -> None:
        self._enter(node)

    def visit_While_body(self, node: cst.While) -> None:
        if self.compiled and self.value(node.test).may_be_tensor:
            self.fail("loops until an array's value says stop, which torch.compile cannot follow", BREAK, node)

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> cst.While:
        self.loops.pop()
        return updated_node

    def visit_For(self, node: cst.For) -> None:
        self._mark(node.target)

    def visit_For_body(self, node: cst.For) -> None:
        for name in targets(node.target):
            self.scope.values.pop(name, None)
        self.bind(node.target, _element(self.value(node.iter)))
        self._enter(node)

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        self.loops.pop()
        return self.kept_steps(original_node, updated_node)

    def _enter(self, node: cst.For | cst.While) -> None:
        self.loops.append(node)
        for (loop, name), value in self.learned.loops.items():
            if loop is node:
                self.scope.values[name] = join(self.scope.values.get(name), value)
        self._judge(node)

    def _judge(self, node: cst.For | cst.While) -> None:
        """Refuses a loop that torch.compile would unroll into too many copies of its body."""
        observed = self.module.observed
        seen = None if observed is None else observed.loops.get(self.module.span(node).line)
        if not self.compiled or seen is None or seen.trips_total <= MAX_UNROLLED or not _work(node, self):
            return
        trips = f"{seen.trips_total:,}".replace(",", " ")
        self.fail(
            f"loops {trips} times, which torch.compile would unroll into as many copies of the body: "
            "a vectorised form is needed",
            "PT-DYNUNROLL",
            node,
        )


def _params(node: cst.FunctionDef) -> list[cst.Param]:
    p = node.params
    star = [p.star_arg] if isinstance(p.star_arg, cst.Param) else []
    return [*p.posonly_params, *p.params, *star, *p.kwonly_params, *([p.star_kwarg] if p.star_kwarg else [])]


def _element(value: Value) -> Value:
    """Returns what a loop over a sequence meets, where all its elements are of one kind."""
    if value.kind == "sequence" and value.items and len({i.kind for i in value.items}) == 1:
        first = value.items[0]
        return first if all(i == first for i in value.items) else Value(first.kind, scalar=first.scalar)
    return UNKNOWN


def _reversed(node: cst.BaseExpression) -> bool:
    if not isinstance(node, cst.Subscript):
        return False
    return any(isinstance(e.slice, cst.Slice) and isinstance(e.slice.step, cst.UnaryOperation) for e in node.slice)


def _binary(operator: cst.BaseAugOp) -> cst.BaseBinaryOp:
    return getattr(cst, type(operator).__name__.removesuffix("Assign"))()


def _symbol(operator: cst.BaseBinaryOp) -> str:
    return cst.Module([]).code_for_node(operator).strip()


def _operand(operator: cst.BaseBinaryOp, node: cst.BaseExpression) -> str:
    """Returns a right operand's text, in parentheses where the operator binds more tightly."""
    if isinstance(node, cst.BinaryOperation) and not node.lpar:
        additive = isinstance(operator, cst.Add) and not isinstance(node.operator, cst.BitAnd | cst.BitOr | cst.BitXor)
        product = isinstance(node.operator, cst.Multiply | cst.Divide | cst.MatrixMultiply | cst.Power)
        if additive or (isinstance(operator, cst.Subtract) and product):
            return code(node)
        return atom(node)
    if isinstance(node, cst.Comparison | cst.BooleanOperation | cst.IfExp | cst.Lambda):
        return atom(node)
    return code(node)


class _Worker(cst.CSTVisitor):
    def __init__(self, translator: Statements) -> None:
        super().__init__()
        self.translator = translator
        self.tensors = False

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.BaseExpression):
            seen = self.translator.fact(node)
            value = from_fact(seen)
            if value.is_tensor and not isinstance(node, cst.Name):
                self.tensors = True
        return True


def _work(node: cst.For | cst.While, translator: Statements) -> bool:
    """Tells whether a loop's body computes with arrays at all."""
    worker = _Worker(translator)
    node.body.visit(worker)
    return worker.tensors
