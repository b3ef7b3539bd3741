"""Rewrite the first or last place at which a condition holds, taken at once, as ``argmax``.

    i = np.flatnonzero(assigned == -1)[0]    ->    i = np.argmax(assigned == -1)

NumPy raises an IndexError where the condition holds nowhere. Where that is not excluded, by ``while np.any(condition)``
around it for instance, a check goes before: ``if not np.any(condition): raise IndexError(…)``.
``firsts`` does the same for indices that have a name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import libcst as cst

from jitmagic.backends.jax.store_targets import root_name
from jitmagic.backends.jax.tracing import Tracing
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, each_function, leading, made, small, statements, with_alternative, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import children, nodes_of
from jitmagic.observe.facts import ValueFact

_MESSAGE = "index 0 is out of bounds for axis 0 with size 0"
_PURE = (cst.Name, cst.Attribute, cst.Comparison, cst.BinaryOperation, cst.UnaryOperation, cst.Subscript, cst.Integer,
         cst.Float, cst.Index, cst.SubscriptElement, cst.ComparisonTarget, cst.BaseBinaryOp, cst.BaseCompOp,
         cst.BaseUnaryOp)  # fmt: skip
_MAYBE = (cst.IfExp, cst.BooleanOperation, cst.Lambda, cst.ListComp, cst.GeneratorExp, cst.SetComp, cst.DictComp)


def first_places(module: Module, tree: cst.Module, tracing: dict[str, Tracing]) -> cst.Module:
    """Returns the tree with such places found by ``argmax``."""
    return each_function(tree, tracing, lambda function, known: _Places(module, known).function(function))


class _Places:
    def __init__(self, module: Module, tracing: Tracing) -> None:
        self.module, self.tracing, self.kinds = module, tracing, tracing.kinds
        # the check may come to stand in the wrapper, which is the user's NumPy
        users = (name for name, path in module.names.items() if path == "numpy" and name != "__numpy__")
        self.numpy = next(users, "__numpy__")

    def function(self, function: cst.FunctionDef) -> cst.FunctionDef:
        if not any(map(self.place, nodes_of(function, cst.Subscript))):
            return function
        new = with_body(function, self.block(statements(function), frozenset()))
        self.module.inherit(new, function)
        return new

    def block(self, body: Iterable[Any], holds: frozenset[str]) -> list[Any]:
        """Rewrites statements; ``holds`` are the conditions of which some element is known to hold."""
        result: list[Any] = []
        for node in body:
            one = small(node)
            if one is not None:
                result += self.line(node, one, holds)
                holds |= {_text(found[0]) for part in _certain(one) if (found := self.place(part))}
            elif isinstance(node, cst.For | cst.While | cst.If):
                result.append(self.compound(node, holds))
            else:
                result.append(node)
            holds = self.left(holds, node)
        return result

    def compound(self, node: Any, holds: frozenset[str]) -> Any:
        inside = holds if isinstance(node, cst.If) else self.left(holds, node)
        if not isinstance(node, cst.For):
            inside |= self.asked(node.test)
        outer = holds if isinstance(node, cst.If) else frozenset[str]()
        new = with_body(node, self.block(statements(node), inside))
        new = with_alternative(new, node, lambda body: self.block(body, outer))
        self.module.inherit(new, node)
        return new

    def asked(self, test: Any) -> frozenset[str]:
        """Returns the conditions of which a test says that some element holds."""
        if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
            return self.asked(test.left) | self.asked(test.right)
        if not isinstance(test, cst.Call):
            return frozenset()
        func = test.func
        if self.kinds.path(func) in ("numpy.any", "numpy.count_nonzero") or code(func) == "any":
            return frozenset({_text(test.args[0].value)}) if len(test.args) == 1 else frozenset()
        method = isinstance(func, cst.Attribute) and func.attr.value == "any" and not test.args
        return frozenset({_text(func.value)}) if method and isinstance(func, cst.Attribute) else frozenset()

    def left(self, holds: frozenset[str], node: Any) -> frozenset[str]:
        """Returns the conditions that a statement leaves as they are."""
        changed = set(name_tools.bound(node))
        targets = [one.target for one in nodes_of(node, cst.AssignTarget)]
        for target in (*targets, *(one.target for one in nodes_of(node, cst.AugAssign))):
            changed |= {root_name(target) or ""}
        for call in nodes_of(node, cst.Call):
            path = self.kinds.path(call.func)
            if path is None or any(a.keyword is not None and a.keyword.value == "out" for a in call.args):
                changed |= name_tools.loads(call)
        # another name for the same memory may be stored through
        stored = any(isinstance(t.target, cst.Subscript) for t in nodes_of(node, cst.AssignTarget))
        stored |= bool(nodes_of(node, cst.AugAssign))
        facts = self.kinds
        same = {n for n in name_tools.all_names(facts.function) if stored and self.may_be_same(n, changed)}
        return frozenset(text for text in holds if not name_tools.loads(cst.parse_expression(text)) & (changed | same))

    def may_be_same(self, name: str, changed: set[str]) -> bool:
        """Says whether a name may stand for a view of what was changed: where it is bound to anything but a call."""
        for one in nodes_of(self.kinds.function, cst.Assign):
            bound = {n for t in one.targets for n in name_tools.targets(t.target)}
            plain = isinstance(one.value, cst.Name | cst.Subscript | cst.Attribute)
            if name in bound and plain and name_tools.loads(one.value) & changed:
                return True
            if bound & changed and plain and name in name_tools.loads(one.value):
                return True
        return False

    def line(self, node: Any, one: Any, holds: frozenset[str]) -> list[Any]:
        places = [(part, place) for part in _certain(one) if (place := self.place(part)) is not None]
        if not places:
            return [node]
        before = []
        for _, (mask, _) in places:
            if _text(mask) not in holds:
                check = made(f"if not {self.numpy}.any({code(mask)}):\n    raise IndexError('{_MESSAGE}')\n", node)
                self.module.inherit_parts(check.test.expression.args[0].value, mask)
                self.module.learn(check.test.expression, ValueFact("scalar", "bool", ()))
                before.append(check)
        new = node.visit(_Replaced(self.module, places))
        if before:
            before[0], new = leading(before[0], node), new.with_changes(leading_lines=[])
        return [*before, new]

    def place(self, node: Any) -> tuple[Any, int] | None:
        """Returns (condition, which) of ``np.flatnonzero(condition)[0]`` and the like."""
        which = _constant(node)
        if which not in (0, -1):
            return None
        inner = node.value
        if _constant(inner) == 0:
            inner, paths = inner.value, frozenset({"numpy.where", "numpy.nonzero"})
        else:
            paths = frozenset({"numpy.flatnonzero"})
        if not isinstance(inner, cst.Call) or self.kinds.path(inner.func) not in paths or len(inner.args) != 1:
            return None
        mask = inner.args[0].value
        fact = self.kinds.of(mask)
        one = fact is not None and fact.kind == "array" and fact.ndim == 1 and fact.dtype == "bool"
        pure = _is_pure(mask) and inner.args[0].keyword is None and not inner.args[0].star
        return (mask, which) if one and pure and self.tracing.expression(mask) else None


class _Replaced(Rewriter):
    def __init__(self, module: Module, places: list[tuple[cst.Subscript, tuple[Any, int]]]) -> None:
        super().__init__(module)
        self.places = places

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        found = next((place for node, place in self.places if node is original_node), None)
        if found is None:
            return updated_node
        mask, which = found
        text = code(mask)
        if which == 0:
            new: Any = cst.parse_expression(f"__numpy__.argmax({text})")
            self.module.inherit_parts(new.args[0].value, mask)
            return new
        return cst.parse_expression(f"(len({text}) - 1 - __numpy__.argmax(({text})[::-1]))")


def _constant(node: Any) -> int | None:
    if not isinstance(node, cst.Subscript) or len(node.slice) != 1:
        return None
    text = code(node.slice[0].slice).replace(" ", "")
    return int(text) if text.removeprefix("-").isdigit() else None


def _certain(node: cst.CSTNode) -> list[cst.Subscript]:
    """Returns the subscripts in a statement that are evaluated whenever it is."""
    if isinstance(node, _MAYBE):
        return []
    below = [one for child in children(node) for one in _certain(child)]
    return [node, *below] if isinstance(node, cst.Subscript) else below


def _is_pure(node: cst.CSTNode) -> bool:
    return isinstance(node, _PURE) and all(map(_is_pure, children(node)))


def _text(node: Any) -> str:
    """Returns an expression's text without parentheses around it and without blanks."""
    bare = node.with_changes(lpar=[], rpar=[]) if node.lpar else node
    return code(bare).replace(" ", "")
