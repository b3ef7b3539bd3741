"""Rewrite arrays of short vectors by their components: ``(n, n, 3)`` differences become three arrays ``(n, n)``.

    r = pos[None, :, :] - pos[:, None, :]          r = [pos_k[None, :] - pos_k[:, None] for pos_k in pos.T]
    d2 = np.sum(r**2, axis=-1)              ->     d2 = sum(r_k**2 for r_k in r)
    a = np.sum(r*w[:, :, None], axis=1)            a = jnp.stack([jnp.sum(r_k*w, axis=1) for r_k in r], axis=-1)

XLA's code for the CPU goes through a last axis of three elements one by one, and through the long axis of a component
eight or more at a time: pairs of bodies take a third of the time. Done where the axis was seen to be short, and where
all that is done with the array is elementwise, or a sum along an axis. What is written holds for any number of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.backends.jax.functions import ELEMENTWISE
from jitmagic.backends.jax.lowest import count_bindings
from jitmagic.backends.jax.parts import term
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import alternative, code, each_function, small, statements
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.precedence import bracketed
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import nodes_of

_MOST = 4
"""So many components are written one by one at most."""

_SUMMED = ("float64", "float32", "complex128", "complex64", "int64")
"""What NumPy sums in its own dtype."""

_ALL = ":"


@dataclass(frozen=True)
class _Each:
    """What an expression is for one component.

    Attributes
    ----------
    node : libcst.BaseExpression
    sources : dict of str to str
        The names that stand for a component in it, each with what they go through.
    """

    node: cst.BaseExpression
    sources: dict[str, str] = field(default_factory=dict)

    def over(self) -> str:
        """Returns the ``for … in …`` of all components."""
        names = ", ".join(self.sources)
        given = ", ".join(self.sources.values())
        return f"for {names} in {given if len(self.sources) == 1 else f'zip({given}, strict=True)'}"


class _Cannot(Exception):
    """An expression has no form by components; the argument is the name that stands in the way, if one does."""


def by_components(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with arrays of short vectors taken by their components."""
    taken = set(name_tools.all_names(tree))
    if {"sum", "zip"} & taken and any({"sum", "zip"} & k.local for k in kinds.values()):
        return tree
    return each_function(tree, kinds, lambda function, known: _function(module, function, known, taken))


def _function(module: Module, function: cst.FunctionDef, kinds: Kinds, taken: set[str]) -> cst.FunctionDef:
    names = {n for n in kinds.names if _is_short(kinds, n) and n not in name_tools.parameters(function)}
    names = {n for n in names if _in_one_block(function, n)}
    while True:
        rewriter = _Components(module, function, kinds, frozenset(names), taken)
        new: Any = function.visit(rewriter)
        left = {n.value for n in rewriter.left} & names
        if not left:
            break
        names -= left
    if not rewriter.done:
        return function
    taken |= set(name_tools.all_names(new))
    module.inherit(new, function)
    result: cst.FunctionDef = new
    return result


def _is_short(kinds: Kinds, name: str) -> bool:
    facts = kinds.names.get(name, [])
    return bool(facts) and all(_is_of_vectors(f) for f in facts)


def _is_of_vectors(fact: Any) -> bool:
    """Says whether a value was an array of at least three axes, the last of a few elements."""
    if fact is None or fact.kind != "array" or fact.shape is None or len(fact.shape) < 3:
        return False
    last = fact.shape[-1]
    return last is not None and 2 <= last <= _MOST


def _in_one_block(function: cst.FunctionDef, name: str) -> bool:
    """Says whether a name is bound in one block alone, and read there alone, behind its first value."""
    blocks = _blocks(statements(function))
    binding = [b for b in blocks if any(_binds(s, name) for s in b)]
    every = [n for n in nodes_of(function, cst.Name) if n.value == name]
    targets = [t for t in nodes_of(function, cst.AssignTarget) if name in name_tools.targets(t.target)]
    if len(binding) != 1 or name in name_tools.all_names(cst.Module(nodes_of(function.body, cst.FunctionDef))):
        return False
    block = binding[0]
    inside = [n for s in block for n in nodes_of(s, cst.Name) if n.value == name]
    first = next(s for s in block if name in name_tools.all_names(s))
    plain = [t for t in targets if isinstance(t.target, cst.Name)]
    count = sum(_binds(s, name) for s in block)
    return (
        len(inside) == len(every)
        and len(plain) == len(targets) == count
        and _binds(first, name)
        and name not in name_tools.loads(small(first).value)
        and not any(name in name_tools.targets(a.target) for a in nodes_of(function, cst.AugAssign))
        and not any(name in name_tools.targets(a.target) for a in nodes_of(function, cst.For))
    )


def _blocks(body: Sequence[Any]) -> list[Sequence[Any]]:
    found = [body]
    for node in body:
        if isinstance(node, cst.For | cst.While | cst.If | cst.With):
            found += _blocks(statements(node)) + (_blocks(alternative(node)) if alternative(node) else [])
    return found


def _binds(statement: Any, name: str) -> bool:
    one = small(statement)
    return isinstance(one, cst.Assign) and len(one.targets) == 1 and code(one.targets[0].target) == name


class _Components(Rewriter):
    """Rewrites what is bound to some names, and sums over arrays of short vectors."""

    def __init__(
        self, module: Module, function: cst.FunctionDef, kinds: Kinds, names: frozenset[str], taken: set[str]
    ) -> None:
        super().__init__(module)
        self.function, self.kinds, self.names, self.taken = function, kinds, names, taken
        self.left: list[cst.Name] = []
        self.done = False
        self.new: dict[cst.CSTNode, cst.BaseExpression] = {}
        self.inside = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self.inside += 1
        return self.inside == 1

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: Any) -> Any:
        self.inside -= 1
        return updated_node

    def visit_Assign(self, node: cst.Assign) -> bool:
        target = node.targets[0].target
        if len(node.targets) != 1 or not isinstance(target, cst.Name) or target.value not in self.names:
            return True
        try:
            each = self.each(node.value)
            if not each.sources:
                raise _Cannot
        except _Cannot:
            self.left.append(target)
            return True
        self.new[node.value] = cst.parse_expression(f"[{_bare(each.node)} {each.over()}]")
        self.done = True
        return False

    def leave_Assign(self, original_node: cst.Assign, updated_node: Any) -> Any:
        value = self.new.get(original_node.value)
        return updated_node if value is None else updated_node.with_changes(value=value)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> bool:
        return not isinstance(node.target, cst.Name)

    def visit_Call(self, node: cst.Call) -> bool:
        try:
            value = self.reduced(node)
        except _Cannot:
            return True
        if value is None:
            return True
        self.new[node] = value
        self.done = True
        return False

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        new = self.new.get(original_node)
        if new is None:
            return updated_node
        fact = self.module.fact(original_node)
        if fact is not None:
            self.module.learn(new, fact)
        return new

    def visit_Name(self, node: cst.Name) -> None:
        if node.value in self.names:
            self.left.append(node)

    # sums -------------------------------------------------------------------------------------

    def reduced(self, node: cst.Call) -> cst.BaseExpression | None:
        """Returns a sum over an array of short vectors by its components; None for any other call."""
        over = self.summed(node)
        if over is None:
            return None
        operand, axis, word, keepdims = over
        fact = self.kinds.of(operand)
        if not _is_of_vectors(fact) or fact is None or fact.ndim is None:
            return None
        each = self.each(operand)
        if not each.sources:
            raise _Cannot
        axis = axis if axis >= 0 else axis + fact.ndim
        if axis == fact.ndim - 1:
            if word == "mean" or fact.dtype not in _SUMMED:
                raise _Cannot
            total = _total(each, word)
            return cst.parse_expression(f"{term(code(total))}[..., None]") if keepdims else total
        if keepdims or word == "norm":
            raise _Cannot
        inner = f"__numpy__.{word}({_bare(each.node)}, axis={axis})"
        return cst.parse_expression(f"__numpy__.stack([{inner} {each.over()}], axis=-1)")

    def summed(self, node: cst.Call) -> tuple[cst.BaseExpression, int, str, bool] | None:
        """Returns what a call sums, along which axis, by which function, and whether the axis stays."""
        path = self.kinds.path(node.func)
        func: Any = node.func
        word = (path or "").rpartition(".")[2]
        args = list(node.args)
        if path in ("numpy.sum", "numpy.mean", "numpy.linalg.norm") and args and args[0].keyword is None:
            operand: Any = args.pop(0).value
        elif path is None and isinstance(func, cst.Attribute) and func.attr.value in ("sum", "mean"):
            operand, word = func.value, func.attr.value
        elif path == "numpy.einsum" and len(args) == 3 and _squares(args[0].value) and not any(a.keyword for a in args):
            # a sum of products over the last axis
            one, other = args[1].value, args[2].value
            product = cst.BinaryOperation(
                bracketed(_PRODUCT, "left", one), cst.Multiply(), bracketed(_PRODUCT, "right", other)
            )
            fact = self.kinds.of(one)
            if fact is None:
                return None
            self.module.learn(product, fact)
            return product, -1, "sum", False
        else:
            return None
        axis, keepdims = None, False
        for position, argument in enumerate(args):
            named = argument.keyword.value if argument.keyword is not None else ""
            if named == "axis" or (not named and position == 0 and word != "norm"):
                axis = _literal(argument.value)
            elif named == "keepdims" and code(argument.value) == "True":
                keepdims = True
            else:
                return None
        return None if axis is None else (operand, axis, word, keepdims)

    # elementwise ------------------------------------------------------------------------------

    def each(self, node: Any) -> _Each:
        """Returns an expression for one component."""
        if isinstance(node, cst.Name) and node.value in self.names:
            return self.source(node.value, node.value)
        if self.kinds.is_number(node) or isinstance(node, cst.Integer | cst.Float):
            if self.names & name_tools.loads(node):
                raise _Cannot
            return _Each(node)
        if isinstance(node, cst.BinaryOperation) and not isinstance(node.operator, cst.MatrixMultiply):
            left, right = self.each(node.left), self.each(node.right)
            new: Any = node.with_changes(
                left=bracketed(node, "left", left.node), right=bracketed(node, "right", right.node)
            )
            return _Each(new, left.sources | right.sources)
        if isinstance(node, cst.UnaryOperation):
            inner = self.each(node.expression)
            return _Each(node.with_changes(expression=bracketed(node, "expression", inner.node)), inner.sources)
        if isinstance(node, cst.Call):
            return self.call(node)
        if isinstance(node, cst.Subscript):
            return self.subscript(node)
        fact = self.kinds.of(node)
        if isinstance(node, cst.Name) and self.ends_in_one(node):
            return _Each(cst.parse_expression(f"{node.value}[..., 0]"))
        if isinstance(node, cst.Name) and fact is not None and fact.kind == "array" and fact.shape:
            return self.plain(node, len(fact.shape), fact.shape[-1])
        raise _Cannot

    def ends_in_one(self, node: Any, depth: int = 6) -> bool:
        """Says whether the last axis is proved to have one element: what a sum over it left, or a new axis."""
        if isinstance(node, cst.Name) and depth:
            values = [a.value for a in nodes_of(self.function, cst.Assign)
                      if any(node.value in name_tools.targets(t.target) for t in a.targets)]  # fmt: skip
            known = len(values) == 1 == count_bindings(self.function, node.value)
            return known and self.ends_in_one(values[0], depth - 1)
        if isinstance(node, cst.BinaryOperation) and not isinstance(node.operator, cst.MatrixMultiply):
            parts: list[Any] = [node.left, node.right]
        elif isinstance(node, cst.UnaryOperation):
            parts = [node.expression]
        elif isinstance(node, cst.Call) and (over := self.summed(node)) is not None:
            fact = self.kinds.of(over[0])
            return over[3] and fact is not None and fact.ndim is not None and over[1] in (-1, fact.ndim - 1)
        elif isinstance(node, cst.Call) and self.kinds.path(node.func) in ELEMENTWISE:
            parts = [a.value for a in node.args]
        else:
            return False
        arrays = [p for p in parts if not self.kinds.is_number(p)]
        return bool(arrays) and all(self.ends_in_one(p, depth - 1) for p in arrays)

    def plain(self, node: cst.Name, ndim: int, last: int | None) -> _Each:
        """Returns the components of an array that stays as it is."""
        if last is None or not 2 <= last <= _MOST or ndim > 2:
            raise _Cannot  # what lies in memory vector by vector is read so
        return self.source(node.value, node.value if ndim == 1 else f"{node.value}.T")

    def source(self, name: str, over: str) -> _Each:
        one = name_tools.fresh(f"{name}_k", self.taken)
        return _Each(cst.Name(one), {one: over})

    def call(self, node: cst.Call) -> _Each:
        over = self.summed(node)
        if over is not None and over[3]:
            operand, axis, word, _ = over
            fact = self.kinds.of(operand)
            if (
                fact is not None
                and fact.ndim is not None
                and axis in (-1, fact.ndim - 1)
                and word != "mean"
                and fact.dtype in _SUMMED
            ):
                each = self.each(operand)
                if each.sources:
                    return _Each(_total(each, word))
            raise _Cannot
        if self.kinds.path(node.func) not in ELEMENTWISE or any(a.keyword is not None or a.star for a in node.args):
            raise _Cannot
        parts = [self.each(a.value) for a in node.args]
        args = [a.with_changes(value=p.node) for a, p in zip(node.args, parts, strict=True)]
        sources = {name: over for p in parts for name, over in p.sources.items()}
        return _Each(node.with_changes(args=args), sources)

    def subscript(self, node: cst.Subscript) -> _Each:
        """Returns ``pos[None, :, :]`` or ``w[:, :, None]`` for one component: without the last axis."""
        base = node.value
        fact, whole = self.kinds.of(base), self.kinds.of(node)
        if fact is None or fact.kind != "array" or fact.shape is None or whole is None or whole.shape is None:
            raise _Cannot
        texts = [code(e.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for e in node.slice]
        if not all(t in (_ALL, "None", "...") or self.is_axis(e) for t, e in zip(texts, node.slice, strict=True)):
            raise _Cannot
        dots, named = "..." in texts, sum(t == _ALL for t in texts)
        if not dots and named > len(fact.shape):
            raise _Cannot
        if self.is_axis(node.slice[-1]) and (dots or named == len(fact.shape)):
            # an axis of one element at the end: the same for all components
            if self.names & name_tools.loads(base):
                raise _Cannot
            return _Each(_indexed(base, node.slice[:-1], texts[:-1]))
        if not isinstance(base, cst.Name):
            raise _Cannot
        each = self.source(base.value, base.value) if base.value in self.names else None
        each = self.plain(base, len(fact.shape), fact.shape[-1]) if each is None else each
        if not dots and named == len(fact.shape):
            return _Each(_indexed(each.node, node.slice[:-1], texts[:-1]), each.sources)
        if dots and texts[-1] not in (_ALL, "..."):
            raise _Cannot
        kept = node.slice[:-1] if dots and texts[-1] == _ALL else node.slice
        return _Each(_indexed(each.node, kept, texts[: len(kept)]), each.sources)

    def is_axis(self, element: cst.SubscriptElement) -> bool:
        """Says whether a subscript's element is a new axis."""
        index = element.slice
        if not isinstance(index, cst.Index):
            return False
        return code(index.value) == "None" or self.kinds.path(index.value) == "numpy.newaxis"


_PRODUCT: Any = cst.parse_expression("a*b")


def _indexed(base: cst.BaseExpression, elements: Sequence[cst.SubscriptElement], texts: Sequence[str]) -> Any:
    """Returns a subscript; the array itself where it takes all of it as it is."""
    if all(t in (_ALL, "...") for t in texts):
        return base
    last = elements[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return cst.Subscript(base, [*elements[:-1], last])


def _total(each: _Each, word: str) -> cst.BaseExpression:
    if word == "norm":
        square = cst.BinaryOperation(bracketed(_SQUARE, "left", each.node), cst.Power(), cst.Integer("2"))
        return cst.parse_expression(f"__numpy__.sqrt(sum({code(square)} {each.over()}))")
    return cst.parse_expression(f"sum({_bare(each.node)} {each.over()})")


_SQUARE: Any = cst.parse_expression("a**2")


def _bare(node: Any) -> str:
    """Returns the text of an expression without the parentheses around it."""
    return code(node.with_changes(lpar=[], rpar=[]))


def _squares(node: Any) -> bool:
    """Says whether einsum's subscripts sum products over the last axis alone: `ijk,ijk->ij`, `...k,...k->...`."""
    text = node.evaluated_value if isinstance(node, cst.SimpleString) else ""
    operands, arrow, result = text.replace(" ", "").partition("->") if isinstance(text, str) else ("", "", "")
    one, _, other = operands.partition(",")
    last = one[-1:]
    return bool(arrow) and one == other and last.isalpha() and one == result + last and last not in result


def _literal(node: Any) -> int | None:
    if isinstance(node, cst.Integer):
        return int(node.value)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        inner = _literal(node.expression)
        return None if inner is None else -inner
    return None
