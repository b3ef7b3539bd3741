"""Rewrite the indices at which a condition holds as the condition itself, where it is only asked whether, how often
and where first or last it does.

    below = np.where(y < limit)[0]          chosen = y < limit
    if len(below) == 0:              ->     if not jnp.any(chosen):
        return -1.0                             return -1.0
    return t[below[0]]                      return t[jnp.argmax(chosen)]

How many indices there are depends on values, so that JAX cannot make them. NumPy raises at ``below[0]`` where there are
none: each such place has to be proved to be reached with some. ``x[below]`` becomes ``x[chosen]``, of which reductions
and stores have a form of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.store_targets import root_name
from jitmagic.generate import asking
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, each_function, leading, made, small, statements
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import children, nodes_of


def without_indices(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree without names for the indices at which a condition holds, where they are not needed."""
    taken = set(name_tools.all_names(tree))
    return each_function(tree, kinds, lambda function, known: _function(module, function, known, taken))


def _function(module: Module, function: cst.FunctionDef, kinds: Kinds, taken: set[str]) -> cst.FunctionDef:
    for statement in nodes_of(function, cst.SimpleStatementLine):
        found = _indices(small(statement), kinds)
        if found is None:
            continue
        name, mask = found
        uses = _Uses(name, mask, kinds)
        uses.block(statements(function), False)
        if not uses.allowed(function):
            continue
        chosen = mask.value if isinstance(mask, cst.Name) else name_tools.fresh("chosen", taken)
        taken.add(chosen)
        new = function.visit(_Replace(module, name, statement, chosen, mask, uses))
        assert isinstance(new, cst.FunctionDef)
        module.inherit(new, function)
        function = new
    return function


def _indices(one: Any, kinds: Kinds) -> tuple[str, Any] | None:
    """Returns (name, condition) of ``name = np.flatnonzero(condition)`` and the like."""
    if not isinstance(one, cst.Assign) or len(one.targets) != 1:
        return None
    target: Any = one.targets[0].target
    value = one.value
    if isinstance(target, cst.Tuple) and len(target.elements) == 1:
        target = target.elements[0].value  # `i, = np.where(...)`
    elif isinstance(value, cst.Subscript) and _constant(value) == 0:
        value = value.value
    elif not (isinstance(value, cst.Call) and kinds.path(value.func) == "numpy.flatnonzero"):
        return None
    if not isinstance(target, cst.Name) or not isinstance(value, cst.Call):
        return None
    path = kinds.path(value.func)
    if path in ("numpy.where", "numpy.nonzero", "numpy.flatnonzero"):
        if len(value.args) != 1 or value.args[0].keyword is not None or value.args[0].star:
            return None
        mask: Any = value.args[0].value
    elif path is None and isinstance(value.func, cst.Attribute) and code(value.func.attr) == "nonzero":
        mask = value.func.value
    else:
        return None
    fact = kinds.of(mask)
    if fact is None or fact.kind != "array" or fact.dtype != "bool" or fact.ndim != 1:
        return None
    return target.value, mask


def _constant(node: cst.Subscript) -> int | None:
    """Returns the one whole number of a subscript, None where it is something else."""
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    text = code(node.slice[0].slice.value).replace(" ", "")
    return int(text) if text.removeprefix("-").isdigit() else None


class _Uses:
    """Finds what becomes of the indices in a function.

    Attributes
    ----------
    reads : int
        How often the name stands anywhere.
    known : int
        How often in a way that needs no indices.
    unproved : bool
        Whether the first or last is taken where there may be none.
    """

    def __init__(self, name: str, mask: Any, kinds: Kinds) -> None:
        self.name, self.mask, self.kinds = name, mask, kinds
        self.reads = self.known = self.bindings = 0
        self.unproved = False

    def allowed(self, function: cst.FunctionDef) -> bool:
        if self.unproved or self.bindings != 1 or self.reads != self.known or not self.reads:
            return False
        inner = [f for f in nodes_of(function, cst.FunctionDef) if f is not function]
        if any(self.name in name_tools.all_names(f) for f in (*inner, *nodes_of(function, cst.Lambda))):
            return False
        if not isinstance(self.mask, cst.Name):
            return True
        # the condition has to stay what it is
        targets = [t.target for t in nodes_of(function, cst.AssignTarget)]
        targets += [t.target for t in nodes_of(function, cst.AugAssign)]
        bound = sum(self.mask.value in name_tools.targets(t) for t in targets)
        stored = any(isinstance(t, cst.Subscript) and root_name(t) == self.mask.value for t in targets)
        outs = [a for a in nodes_of(function, cst.Arg) if a.keyword is not None and a.keyword.value == "out"]
        parameter = self.mask.value in name_tools.parameters(function)
        return not stored and bound + parameter == 1 and not any(code(a.value) == self.mask.value for a in outs)

    def block(self, body: Sequence[Any], some: bool) -> None:
        """Looks at statements; ``some`` says that there are indices for sure."""
        for node in body:
            one = small(node)
            if isinstance(node, cst.If):
                self.expression(node.test, some)
                asked = self.asks(node.test)
                self.block(statements(node), some or asked is True)
                other: Any = node.orelse
                if isinstance(other, cst.If):
                    self.block([other], some or asked is False)
                elif other is not None:
                    self.block(statements(other), some or asked is False)
                if asked is False and _leaves(statements(node)):
                    some = True
            elif isinstance(node, cst.For | cst.While | cst.With):
                # what a loop binds anew is not what was asked of before it
                inside = some and not self.binds(node)
                if isinstance(node, cst.For):
                    self.expression(node.iter, some)
                    self.bindings += self.name in name_tools.targets(node.target)
                elif isinstance(node, cst.While):
                    self.expression(node.test, inside)
                self.block(statements(node), inside)
                orelse: Any = getattr(node, "orelse", None)
                if orelse is not None:
                    self.block(statements(orelse), False)
                some = inside
            elif one is None:
                # a function, a try: what is done there, and when, is not followed
                self.reads += self.name in name_tools.all_names(node)
            else:
                self.expression(one, some)
                bound = name_tools.bound(node)
                if self.name in bound:
                    self.bindings += 1
                    some = False

    def binds(self, node: Any) -> bool:
        return self.name in name_tools.bound(node)

    def expression(self, node: Any, some: bool) -> None:
        if isinstance(node, cst.IfExp):
            asked = self.asks(node.test)
            self.expression(node.test, some)
            self.expression(node.body, some or asked is True)
            self.expression(node.orelse, some or asked is False)
            return
        if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.And):
            self.expression(node.left, some)
            self.expression(node.right, some or self.asks(node.left) is True)
            return
        if isinstance(node, cst.Assign | cst.AnnAssign | cst.AugAssign):
            for target in [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]:
                if not isinstance(target, cst.Name | cst.Tuple):
                    self.expression(target, some)
            if node.value is not None:
                self.expression(node.value, some)
            return
        if isinstance(node, cst.Name):
            self.reads += node.value == self.name
            return
        kind = self.use(node)
        if kind is not None:
            self.reads += 1
            self.known += 1
            self.unproved = self.unproved or (kind in ("first", "last") and not some)
            if kind == "part":
                self.expression(node.value, some)
            return
        if isinstance(node, cst.Attribute):
            self.expression(node.value, some)
            return
        if isinstance(node, cst.Arg):
            self.expression(node.value, some)
            return
        for child in children(node):
            self.expression(child, some)

    def use(self, node: Any) -> str | None:
        """Says which use of the indices an expression is, None where it is none that is known."""
        if isinstance(node, cst.Call) and len(node.args) == 1 and _is(node.args[0].value, self.name):
            counts = code(node.func) == "len" or self.kinds.path(node.func) == "numpy.size"
            return "count" if counts else None
        if isinstance(node, cst.Attribute) and _is(node.value, self.name) and node.attr.value == "size":
            return "count"
        if isinstance(node, cst.Subscript):
            if code(node).replace(" ", "") == f"{self.name}.shape[0]":
                return "count"
            if _is(node.value, self.name):
                return {0: "first", -1: "last"}.get(_constant(node))  # type: ignore[arg-type]
            only = node.slice[0].slice if len(node.slice) == 1 else None
            if isinstance(only, cst.Index) and _is(only.value, self.name):
                array, mask = self.kinds.of(node.value), self.kinds.of(self.mask)
                known = array is not None and array.kind == "array" and array.shape and mask is not None and mask.shape
                if known and array.shape[0] == mask.shape[0]:  # type: ignore[index,union-attr]
                    return "part"
        return None

    def asks(self, test: Any) -> bool | None:
        """Says which outcome of a test tells that there are indices, None where neither does."""
        return asking.asks(test, self._told)

    def _told(self, test: Any) -> bool | None:
        if self.use(test) == "count":
            return True
        if isinstance(test, cst.Comparison) and len(test.comparisons) == 1 and self.use(test.left) == "count":
            only = test.comparisons[0]
            said = (type(only.operator), code(only.comparator))
            if said in ((cst.GreaterThan, "0"), (cst.NotEqual, "0"), (cst.GreaterThanEqual, "1")):
                return True
            if said in ((cst.Equal, "0"), (cst.LessThan, "1"), (cst.LessThanEqual, "0")):
                return False
        return None


def _is(node: Any, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def _leaves(body: Sequence[Any]) -> bool:
    return bool(body) and isinstance(small(body[-1]), cst.Return | cst.Raise | cst.Break | cst.Continue)


class _Replace(Rewriter):
    def __init__(self, module: Module, name: str, statement: Any, chosen: str, mask: Any, uses: _Uses) -> None:
        super().__init__(module)
        self.name, self.statement, self.chosen, self.mask, self.uses = name, statement, chosen, mask, uses

    def made(self, text: str, old: Any) -> Any:
        new = cst.parse_expression(text.replace("@", self.chosen))
        return new.with_changes(lpar=old.lpar, rpar=old.rpar)

    def leave_SimpleStatementLine(self, original_node: Any, updated_node: Any) -> Any:
        if original_node is not self.statement:
            return updated_node
        if isinstance(self.mask, cst.Name):
            return cst.RemoveFromParent()
        line = made(f"{self.chosen} = 0", original_node)
        line = line.with_changes(body=[line.body[0].with_changes(value=self.mask)])
        self.module.inherit(line, original_node)
        return leading(line, original_node)

    def _asked(self, old: Any, new: Any) -> Any:
        asked = self.uses.asks(old)
        if asked is None or (isinstance(old, cst.UnaryOperation)):
            return new
        return self.made("__numpy__.any(@)" if asked else "not __numpy__.any(@)", old)

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> Any:
        return self._asked(original_node, updated_node)

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        return updated_node.with_changes(test=self._tested(original_node.test, updated_node.test))

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.IfExp:
        return updated_node.with_changes(test=self._tested(original_node.test, updated_node.test))

    def _tested(self, old: Any, new: Any) -> Any:
        """Asks whether any is, where the number of indices is the test."""
        if self.uses.use(old) == "count":
            return self.made("__numpy__.any(@)", old)
        if isinstance(old, cst.UnaryOperation) and self.uses.use(old.expression) == "count":
            return self.made("not __numpy__.any(@)", old)
        return new

    def _used(self, old: Any, new: Any) -> Any:
        kind = self.uses.use(old)
        if kind == "count":
            return self.made("__numpy__.count_nonzero(@)", old)
        if kind == "first":
            return self.made("__numpy__.argmax(@)", old)
        if kind == "last":
            return self.made("(@.shape[0] - 1 - __numpy__.argmax(@[::-1]))", old)
        if kind == "part":
            index = cst.Name(self.chosen)
            self.module.inherit(index, self.mask)
            return new.with_changes(slice=[cst.SubscriptElement(cst.Index(index))])
        return new

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> Any:
        return self._used(original_node, updated_node)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> Any:
        return self._used(original_node, updated_node)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> Any:
        return self._used(original_node, updated_node)
