"""Which names may share memory where something is stored: a forward may-alias analysis on structured code.

The state is a set of links between names. ``y = x`` links them as *same*, ``v = a[1:]`` as *view* (with the index,
so that a store can be passed on to the base), and where paths disagree, or the relation is not simple, as
*may*. A parameter ``p`` begins as *same* with the pseudo-name ``@p``, the caller's object: whoever is
linked with ``@p`` at a store writes into the argument. Reference: the may-alias part is the usual one for
structured code; exchanging names (``u, v = v, u``) is exact because links, not memory cells, are renamed.

It differs from `jitmagic.analysis.aliases` in what it answers and of what: there, for a whole function and the text as
the user wrote it, which names may ever share; here, at each statement of a LibCST tree that rewrites have changed,
which do so now, and by which index one is a view of the other. Both read NumPy's views from `jitmagic.analysis.memory`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.analysis import memory
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import statements
from jitmagic.generate.kinds import Kinds

VIEW_FUNCTIONS = frozenset(f"numpy.{name}" for name in memory.VIEW_FUNCTIONS - memory.SAME_FUNCTIONS)
SAME_FUNCTIONS = frozenset(f"numpy.{name}" for name in memory.SAME_FUNCTIONS)


@dataclass(frozen=True)
class Link:
    """How a name shares memory with another one.

    Attributes
    ----------
    kind : str
        ``"same"`` (one object), ``"view"`` (the first is ``base[index]``), ``"base"`` (the second is a view of the
        first) or ``"may"``.
    index : libcst.Subscript or None
        For views by a slice: the expression that made it.
    """

    kind: str
    index: cst.Subscript | None = None


_MAY = Link("may")
_WITHOUT_MEMORY = frozenset({"scalar", "float", "int", "bool", "complex", "str", "none", "function"})
"""Kinds of values that share no array's memory; a name may have been several of them."""

State = dict[str, dict[str, Link]]


@dataclass
class Aliases:
    """The result for one function.

    Attributes
    ----------
    at : dict of node to dict
        For each statement the links of every name, as they are before it.
    returned : list of set of str
        For each ``return`` the names that the value may share memory with.
    """

    at: dict[cst.CSTNode, Mapping[str, Mapping[str, Link]]] = field(default_factory=dict)
    returned: list[set[str]] = field(default_factory=list)


def aliases(function: cst.FunctionDef, kinds: Kinds, passes_on: Mapping[str, bool] | None = None) -> Aliases:
    """Analyses one function.

    Parameters
    ----------
    function : libcst.FunctionDef
        With one small statement a line.
    kinds : Kinds
    passes_on : mapping of str to bool
        For each helper whether what it returns may share memory with an argument; True for unknown ones.
    """
    walker = _Walker(kinds, passes_on or {})
    state: State = {}
    for p in name_tools.parameters(function):
        _link(state, p, f"@{p}", Link("same"))
    walker.block(statements(function), state)
    return walker.result


def same_objects(value: cst.BaseExpression, kinds: Kinds) -> tuple[str, ...]:
    """Returns the names whose very object an expression may be: ``x`` for ``np.asarray(x)`` of an array."""
    return tuple(name for name, link in _Walker(kinds, {}).sources(value) if link.kind == "same")


def _link(state: State, a: str, b: str, link: Link) -> None:
    state.setdefault(a, {})[b] = link
    mirrored = {"view": "base", "base": "view"}.get(link.kind, link.kind)
    state.setdefault(b, {})[a] = Link(mirrored, link.index)


def _unlink(state: State, name: str) -> None:
    for other in state.pop(name, {}):
        state.get(other, {}).pop(name, None)


def _copy(state: State) -> State:
    return {name: dict(links) for name, links in state.items()}


def _join(a: State, b: State) -> State:
    joined: State = {}
    for name in a.keys() | b.keys():
        left, right = a.get(name, {}), b.get(name, {})
        links = {}
        for other in left.keys() | right.keys():
            one, two = left.get(other), right.get(other)
            links[other] = one if one is not None and one == two else _MAY
        if links:
            joined[name] = links
    return joined


class _Walker:
    def __init__(self, kinds: Kinds, passes_on: Mapping[str, bool]) -> None:
        self.kinds = kinds
        self.passes_on = passes_on
        self.result = Aliases()

    def block(self, body: Sequence[Any], state: State) -> State:
        for statement in body:
            before = self.result.at.get(statement)
            now = _copy(state)
            self.result.at[statement] = now if before is None else _join(dict_of(before), now)
            state = self.statement(statement, state)
        return state

    def statement(self, node: Any, state: State) -> State:
        if isinstance(node, cst.SimpleStatementLine):
            for one in node.body:
                state = self.small(one, state)
            return state
        if isinstance(node, cst.If):
            then = self.block(statements(node), _copy(state))
            other = _copy(state)
            if isinstance(node.orelse, cst.Else):
                other = self.block(statements(node.orelse), other)
            elif node.orelse is not None:
                other = self.statement(node.orelse, other)
            return _join(then, other)
        if isinstance(node, cst.For | cst.While):
            for _ in range(20):
                inside = _copy(state)
                if isinstance(node, cst.For):
                    self.bind_loop(node, inside)
                grown = _join(state, self.block(statements(node), inside))
                if grown == state:
                    break
                state = grown
            if node.orelse is not None:
                state = self.block(statements(node.orelse), state)
            return state
        if isinstance(node, cst.With):
            return self.block(statements(node), state)
        if isinstance(node, cst.FunctionDef):
            _unlink(state, node.name.value)
        return state

    def bind_loop(self, node: cst.For, state: State) -> None:
        sources = [
            (name, _MAY)
            for name in name_tools.loads(node.iter)
            if name in state or not self.kinds.is_number(cst.Name(name))
        ]
        for target in name_tools.targets(node.target):
            _unlink(state, target)
        for target in name_tools.targets(node.target):
            facts = self.kinds.names.get(target, [])
            if facts and all(f.kind in ("scalar", "float", "int", "bool", "complex", "str") for f in facts):
                continue
            if isinstance(node.iter, cst.Call) and self.is_builtin(node.iter.func, "range"):
                continue
            self.bind(state, target, sources)

    def is_builtin(self, func: cst.BaseExpression, name: str) -> bool:
        return isinstance(func, cst.Name) and func.value == name and name not in self.kinds.local

    def small(self, node: Any, state: State) -> State:
        if isinstance(node, cst.Return):
            found: set[str] = set()
            if node.value is not None:
                for name, _ in self.sources(node.value):
                    found |= {name, *state.get(name, {})}
            self.result.returned.append(found)
            return state
        if isinstance(node, cst.Assign):
            for target in node.targets:
                state = self.assign(target.target, node.value, state)
        elif isinstance(node, cst.AnnAssign) and node.value is not None:
            state = self.assign(node.target, node.value, state)
        elif isinstance(node, cst.AugAssign) and isinstance(node.target, cst.Name):
            _forget_number(self, node.target, state)
        return state

    def assign(self, target: cst.BaseExpression, value: cst.BaseExpression, state: State) -> State:
        pairs = _pairs(target, value)
        planned = [(name, self.sources(source)) for name, source in pairs]
        old = _copy(state)
        for name, _ in planned:
            _unlink(state, name)
        for name, sources in planned:
            self.bind(state, name, sources, old, {n for n, _ in planned})
        # names that are bound at once (u, v = v, u) share memory as their sources did
        for name, sources in planned:
            for other, others in planned:
                if name < other and any(s == t or t in old.get(s, {}) for s, _ in sources for t, _ in others):
                    _link(state, name, other, _MAY)
        for name, _ in planned:
            self.forget_index(state, name)
        return state

    def bind(
        self,
        state: State,
        name: str,
        sources: list[tuple[str, Link]],
        old: State | None = None,
        rebound: frozenset[str] | set[str] = frozenset(),
    ) -> None:
        before = state if old is None else old
        for source, link in sources:
            if source != name and source not in rebound:
                _link(state, name, source, link)
            for other, further in before.get(source, {}).items():
                if other == name or other in rebound or (link.kind == "same" and other in state.get(name, {})):
                    continue
                if link.kind == "same":
                    _link(state, name, other, further)
                elif further.kind == "same":
                    _link(state, name, other, link)
                elif not _disjoint(link, further):
                    _link(state, name, other, _MAY)

    def forget_index(self, state: State, name: str) -> None:
        """Turns views whose index reads a name that has just changed into links of kind "may"."""
        for links in state.values():
            for other, link in list(links.items()):
                if link.index is not None and name in name_tools.loads(link.index) and not _is_base(link, name):
                    links[other] = _MAY

    def sources(self, value: cst.BaseExpression) -> list[tuple[str, Link]]:
        """Returns the names whose memory an expression's value may share."""
        fact = self.kinds.of(value)
        if fact is not None and fact.kinds and fact.kinds <= _WITHOUT_MEMORY:
            return []
        if isinstance(value, cst.Name):
            return [] if value.value in ("None", "True", "False") else [(value.value, Link("same"))]
        if isinstance(value, cst.Subscript):
            if not self.is_basic(value):
                return []
            direct = isinstance(value.value, cst.Name) and not self.kinds.is_container(value.value)
            link = Link("view", value) if direct else _MAY
            return [(name, link) for name, _ in self.sources(value.value)]
        if isinstance(value, cst.Attribute):
            if value.attr.value in memory.VIEW_ATTRIBUTES:
                return [(name, _MAY) for name, _ in self.sources(value.value)]
            return []
        if isinstance(value, cst.Call):
            return self.call_sources(value)
        if isinstance(value, cst.IfExp):
            return [(n, _MAY) for branch in (value.body, value.orelse) for n, _ in self.sources(branch)]
        if isinstance(value, cst.BooleanOperation):
            return [(n, _MAY) for branch in (value.left, value.right) for n, _ in self.sources(branch)]
        if isinstance(value, cst.NamedExpr):
            return self.sources(value.value)
        if isinstance(value, cst.Tuple | cst.List):
            return [(n, _MAY) for e in value.elements for n, _ in self.sources(e.value)]
        return []

    def call_sources(self, call: cst.Call) -> list[tuple[str, Link]]:
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in memory.VIEW_METHODS:
            path = self.kinds.path(call.func)
            if path is None:
                return [(name, _MAY) for name, _ in self.sources(call.func.value)]
        path = self.kinds.path(call.func)
        if path == "numpy.diag" and call.args and self.is_vector(call.args[0].value):
            return []  # a matrix of its own, with the vector's elements on a diagonal
        if path in VIEW_FUNCTIONS and call.args:
            return [(n, _MAY) for a in _viewed(path, call) for n, _ in self.sources(a)]
        if path in SAME_FUNCTIONS and call.args:
            given, got = self.kinds.of(call.args[0].value), self.kinds.of(call)
            if given is not None and (given.kind != "array" or (got is not None and given.dtype != got.dtype)):
                return []
            known = given is not None and got is not None and path in ("numpy.asarray", "numpy.asanyarray")
            return [(n, link if known else _MAY) for n, link in self.sources(call.args[0].value)]
        if path is None and isinstance(call.func, cst.Name) and self.passes_on.get(call.func.value, False):
            return [(n, _MAY) for a in call.args for n, _ in self.sources(a.value)]
        return []

    def is_vector(self, node: cst.BaseExpression) -> bool:
        fact = self.kinds.of(node)
        return fact is not None and fact.kind == "array" and fact.ndim == 1

    def is_basic(self, node: cst.Subscript) -> bool:
        for element in node.slice:
            if isinstance(element.slice, cst.Slice):
                continue
            index: Any = getattr(element.slice, "value", None)
            fact = self.kinds.of(index)
            if isinstance(index, cst.List) or (fact is not None and fact.kind in ("array", "list")):
                return False
        return True


def _viewed(path: str, call: cst.Call) -> list[cst.BaseExpression]:
    """Returns the arguments of a view function whose memory its result may share."""
    name = path.removeprefix("numpy.")
    plain = [a.value for a in call.args if a.keyword is None]
    named = {a.keyword.value: a.value for a in call.args if a.keyword is not None}
    if name in memory.COPIES_FROM_TWO:
        orders = [*plain[1:2], *(v for k, v in named.items() if k == memory.COPIES_FROM_TWO[name])]
        if all(isinstance(n, cst.Integer) and int(n.value) >= 2 for n in orders):
            return []
    if name in memory.BINS_VIEWED:
        place = memory.BINS_VIEWED[name]
        return [*plain[place : place + 1], *(v for k, v in named.items() if k == "bins")]
    if name == "einsum":  # of one operand it may be a view
        written = isinstance(plain[0], cst.SimpleString)
        return plain if not written else plain[1:] if len(plain) <= 2 else []
    return [call.args[0].value]


def _forget_number(walker: _Walker, target: cst.Name, state: State) -> None:
    # += on a number binds the name anew; on an array it stores into it
    if walker.kinds.is_number(target):
        _unlink(state, target.value)
        walker.forget_index(state, target.value)


def dict_of(state: Mapping[str, Mapping[str, Link]]) -> State:
    """Returns a state that may be changed."""
    return {name: dict(links) for name, links in state.items()}


def _is_base(link: Link, name: str) -> bool:
    # the base was stored into, not rebound to something else: its name in the index is no loop variable
    return (
        link.index is not None
        and isinstance(link.index.value, cst.Name)
        and link.index.value.value == name
        and (name not in frozenset().union(*(name_tools.loads(e) for e in link.index.slice)))
    )


def _disjoint(a: Link, b: Link) -> bool:
    """Says whether two views of one base cannot overlap: both begin with different whole numbers."""
    # b is seen from the base: "base" says that the other is its view
    if a.kind != "view" or b.kind != "base" or a.index is None or b.index is None:
        return False
    first, second = (_first_integer(x.index) for x in (a, b))
    return first is not None and second is not None and first != second and (first >= 0) == (second >= 0)


def _first_integer(node: cst.Subscript | None) -> int | None:
    if node is None:
        return None
    first = node.slice[0].slice
    if not isinstance(first, cst.Index):
        return None
    value: cst.BaseExpression = first.value
    if isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus):
        inner = value.expression
        return -int(inner.value, 0) if isinstance(inner, cst.Integer) else None
    return int(value.value, 0) if isinstance(value, cst.Integer) else None


def _pairs(target: cst.BaseExpression, value: cst.BaseExpression) -> list[tuple[str, cst.BaseExpression]]:
    """Returns which name gets which expression; the elements of an unpacked whole each get the whole."""
    if isinstance(target, cst.Name):
        return [(target.value, value)]
    if isinstance(target, cst.Tuple | cst.List):
        parts = [e.value for e in target.elements]
        if isinstance(value, cst.Tuple | cst.List) and len(value.elements) == len(parts):
            return [p for t, v in zip(parts, value.elements, strict=True) for p in _pairs(t, v.value)]
        whole = cst.Tuple([cst.Element(value)])
        return [(name, whole) for part in parts for name in name_tools.targets(part)]
    return []
