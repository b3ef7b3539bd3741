"""A run of statements that may become one loop nest, and which of its names are what."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.nests.contractions import factors, product
from jitmagic.backends.numba.nests.nest import Ends
from jitmagic.backends.numba.nests.picks import Pick, pick_of
from jitmagic.backends.numba.nests.places import place_of
from jitmagic.backends.numba.rewrites.context import code
from jitmagic.backends.numba.rewrites.elements import ElementRewriter, axes_of, is_usable
from jitmagic.backends.numba.rewrites.windows import window_of
from jitmagic.generate import names as name_tools
from jitmagic.generate.bindings import stored_in
from jitmagic.generate.blocks import small, statements
from jitmagic.generate.liveness import Liveness
from jitmagic.generate.walking import children, nodes_of
from jitmagic.observe.facts import ValueFact

NUMBERS = frozenset({"int", "float", "bool", "complex", "scalar"})
"""The kinds of values that are no arrays, and can be calculated with."""


class Run:
    """Statements that stand one after the other.

    Parameters
    ----------
    owner : ElementRewriter
    aliases : Aliases
    body : sequence of statement
    live : Liveness
        Of the function around them.
    captured : frozenset of str
        Names that functions inside that function read.
    unbound : frozenset of str
        Names that may have no value yet, whichever way the function came here.

    Attributes
    ----------
    bound, changed : set of str
        Arrays that are bound here, and those whose elements are stored into.
    numbers : set of str
        Numbers that are bound here.
    parts : set of str
        Arrays of ``changed`` of which a part is written as a whole, and nothing is read.
    """

    def __init__(
        self, owner: ElementRewriter, aliases: Aliases, body: Sequence[Any], live: Liveness, captured: frozenset[str],
        unbound: frozenset[str],
    ) -> None:  # fmt: skip
        self.owner = owner
        self.aliases = aliases
        self.body = body
        self.live = live
        self.captured = captured
        self.unbound = unbound
        self.bound: set[str] = set()
        self.changed: set[str] = set()
        self.numbers: set[str] = set()
        self.parts: set[str] = set()
        self._products: dict[cst.BaseExpression, cst.BinaryOperation] = {}

    def collect(self, run: Iterable[Any]) -> None:
        """Notes what the statements bind and change; raises Ends where one has an `else`."""
        for statement in run:
            if isinstance(statement, cst.For | cst.While | cst.If):
                if isinstance(statement, cst.For):
                    self.numbers.update(name_tools.targets(statement.target))
                self.collect(statements(statement))
                if getattr(statement, "orelse", None) is not None:
                    raise Ends
                continue
            one = small(statement)
            if isinstance(one, cst.Assign):
                target = one.targets[0].target
                if len(one.targets) == 1 and isinstance(target, cst.Name):
                    (self.bound if self.is_array(one.value) else self.numbers).add(target.value)
                elif isinstance(target, cst.Subscript) and isinstance(target.value, cst.Name):
                    self.changed.add(target.value.value)
            elif isinstance(one, cst.AugAssign):
                base = one.target.value if isinstance(one.target, cst.Subscript) else one.target
                if isinstance(base, cst.Name):
                    (self.changed if self.is_array(base) else self.numbers).add(base.value)

    def is_part(self, target: cst.Subscript, taken: Iterable[Any]) -> bool:
        """Says whether a store goes into a part of an array, `new[1:-1, 1:-1]`, of which nothing is read so far.

        Parameters
        ----------
        target : libcst.Subscript
        taken : iterable of statement
            Those of the run up to this one.
        """
        base = target.value
        if not isinstance(base, cst.Name):
            return False
        name = base.value
        if sum(node.value == name for one in taken for node in nodes_of(one, cst.Name)) != 1:
            return False
        fact = self.fact(base)
        if fact is None or not is_usable(fact) or fact.shape is None:
            return False
        window = window_of(target, len(fact.shape))
        if window is None or window.moves or None in window.axes:
            return False
        return len(window.axes) == len(fact.shape)

    def shares(self, name: str, others: Iterable[str]) -> bool:
        """Says whether an array may share memory with other names."""
        return self.owner.may_share(self.aliases, name, others)

    def fact(self, node: cst.BaseExpression) -> ValueFact | None:
        return self.owner.fact(node)

    def is_array(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        return fact is not None and fact.kind == "array"

    @property
    def ours(self) -> set[str]:
        return self.bound | self.changed

    def is_mask(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        return fact is not None and is_usable(fact) and fact.dtype == "bool"

    def is_outer(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Name) and node.value not in self.ours

    def reads_ours(self, node: cst.BaseExpression) -> bool:
        return bool(name_tools.loads(node) & (self.ours | self.numbers))

    def is_changed_elsewhere(self, name: str) -> bool:
        """Says whether the function may change the array of a name in place, and somebody else may see that."""
        stored = stored_in(self.owner.module, self.owner.functions[-1].name.value)
        if stored is None or not stored.may_change(name):
            return stored is None
        scope = stored.scope
        others = scope.locals | scope.parameters | scope.names.scope(scope.function).free
        return name in scope.parameters or any(scope.may_share(name, one) for one in others - {name})

    def reads_outer(self, node: cst.BaseExpression, bound: Container[str], looped: bool) -> bool:
        """Says whether an expression reads arrays as they are before the run, and nothing that the run makes.

        Parameters
        ----------
        node : libcst expression
        bound : container of str
            The arrays that the run has bound where the expression stands.
        looped : bool
            Whether it stands in a loop over steps, and so behind all that is bound there.
        """
        ours = name_tools.loads(node) & (self.ours | self.numbers)
        late = ours - self.changed - self.numbers
        return ours == late and not any(name in bound or looped for name in late)

    def reductions(self, node: cst.CSTNode) -> list[cst.BaseExpression]:
        """Returns the outermost reductions in an expression; products with matrices that are made here are sums."""
        if isinstance(node, cst.Call) and self.owner.reduction(node, node) is not None:
            return [node]
        if place_of(self.owner, node) is not None and isinstance(node, cst.Call):
            return [node]
        if isinstance(node, cst.BaseExpression) and self.is_contraction(node):
            return [node]
        return [call for child in children(node) for call in self.reductions(child)]

    def is_contraction(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression is the product of a vector with a matrix that the run makes."""
        found = factors(self.owner, node)
        if found is None:
            return False
        matrix = found[0]
        if isinstance(matrix, cst.Name):
            return matrix.value in self.bound
        if isinstance(matrix, cst.Call):
            return self.owner.is_elementwise(matrix)
        return isinstance(matrix, cst.BinaryOperation | cst.UnaryOperation) and factors(self.owner, matrix) is None

    def pick(self, node: cst.BaseExpression) -> Pick | None:
        """Returns what a subscript picks of an array that the run makes, and changes nowhere; None for any other."""
        if not isinstance(node, cst.Subscript) or not isinstance(node.value, cst.Name):
            return None
        fact = self.fact(node.value)
        if node.value.value not in self.bound - self.changed or fact is None or not is_usable(fact):
            return None
        return pick_of(node, len(fact.shape or ()))

    def saves_an_array(self, call: cst.BaseExpression) -> bool:
        """Says whether a reduction's operand would be an array in memory, written as a statement of its own."""
        place = place_of(self.owner, call)
        if place is None:
            return self.is_contraction(call)
        return isinstance(place.source, cst.BinaryOperation | cst.UnaryOperation | cst.Call)

    def reduced(self, call: cst.BaseExpression) -> tuple[str, cst.BaseExpression, tuple[int, ...], bool]:
        """Returns the name of a reduction, what is reduced, its axes, and whether they are kept."""
        if self.is_contraction(call):
            if call not in self._products:
                self._products[call] = product(self.owner, call)
            return "sum", self._products[call], (1,), False
        place = place_of(self.owner, call)
        if place is not None:
            return place.name, place.source, (place.axis,), False
        found = self.owner.reduction(call, call) if isinstance(call, cst.Call) else None
        if found is None:
            raise Ends
        name, old, _, rest = found
        fact = self.fact(old)
        options = {a.keyword.value if a.keyword is not None else "axis": a.value for a in rest}
        if fact is None or not is_usable(fact) or set(options) - {"axis", "keepdims"} or len(options) != len(rest):
            raise Ends
        assert fact.shape is not None
        axes = axes_of(options.get("axis"), len(fact.shape))
        keep = code(options["keepdims"]) if "keepdims" in options else "False"
        if axes is None or keep not in ("True", "False"):
            raise Ends
        return name, old, axes, keep == "True"
