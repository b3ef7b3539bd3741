"""Puts the loops that a rewrite wrote beside the core into the core, where a call stands among its own statements.

A function of its own is typed, optimised and linked once more with the one that calls it, and what runs in threads is
optimised twice with it: that takes longer than to compile its loops. Numba's `inline="always"` wins a part of this, and
not for threads. A call inside a loop stays one: of loops in loops of steps the compiler makes less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, on_the_line_of, small, with_body
from jitmagic.generate.walking import Transformer, nodes_of

_SERIAL = '@njit(error_model="numpy")'
_THREADED = '@njit(parallel=True, error_model="numpy")'

_LETTERS = "ijklmnpqrstuvw"


@dataclass(frozen=True)
class Merged:
    """A core with the bodies of helpers in the place of their calls.

    Attributes
    ----------
    tree : libcst.Module
    helpers : dict of str to str
        The helpers that stay beside it.
    threaded : bool
        Whether loops that run in threads have come into a core that had none.
    """

    tree: cst.Module
    helpers: Mapping[str, str]
    threaded: bool


def merged(
    tree: cst.Module, name: str, helpers: Mapping[str, str], chosen: Container[str], threaded: bool,
    plain: Callable[[Any], bool],
) -> Merged:  # fmt: skip
    """Returns the core with those of the chosen helpers in it that are called once, and in a statement of its own.

    Parameters
    ----------
    tree : libcst.Module
    name : str
        The core.
    helpers : mapping of str to str
    chosen : container of str
        The helpers that may be put there: a function of NumPy's that was written anew keeps its name.
    threaded : bool
        Whether the core is compiled with ``parallel=True``.
    plain : callable
        Says of a statement of the core whether ``parallel=True`` makes no loop of anything in it.
    """
    core = next(s for s in tree.body if isinstance(s, cst.FunctionDef) and s.name.value == name)
    as_it_was = Merged(tree, helpers, False)
    # what runs in Python (`objmode`), or in a function inside, sees the core's names
    kinds: tuple[type[cst.CSTNode], ...] = (cst.With, cst.Try, cst.FunctionDef, cst.Lambda, cst.Global)
    if not isinstance(core.body, cst.IndentedBlock) or any(nodes_of(core.body, kind) for kind in kinds):
        return as_it_was
    uses = Counter(node.value for node in nodes_of(tree, cst.Name) if node.value in helpers)
    sources = {one: cst.parse_statement(source.strip() + "\n") for one, source in helpers.items()}
    # each source names its own function once
    uses.update(n.value for source in sources.values() for n in nodes_of(source, cst.Name) if n.value in helpers)
    body: list[Any] = list(core.body.body)
    left = dict(helpers)
    became = False
    for statement in core.body.body:
        call = _called(statement)
        if call is None or not isinstance(call.func, cst.Name) or uses[call.func.value] != 2:
            continue
        helper = call.func.value
        function = sources.get(helper) if helper in chosen else None
        if not isinstance(function, cst.FunctionDef) or any(nodes_of(function.body, kind) for kind in kinds):
            continue
        # a serial one's arrays would become loops in threads of their own
        wanted = _THREADED if threaded or became else _SERIAL
        decorator = helpers[helper].strip().split("\n", 1)[0]
        if decorator != wanted and (became or threaded or decorator != _THREADED or not all(map(plain, body))):
            continue
        inside = _body(core, body, statement, function, call)
        if inside is None:
            continue
        place = body.index(statement)
        body[place : place + 1] = inside
        del left[helper]
        became = became or (decorator == _THREADED and not threaded)
    if len(left) == len(helpers):
        return as_it_was
    changed = with_body(core, body)
    return Merged(tree.with_changes(body=[changed if s is core else s for s in tree.body]), left, became)


def _called(statement: Any) -> cst.Call | None:
    """Returns the call that a statement is made of: a return, an assignment to names, or a call alone."""
    one = small(statement)
    if isinstance(one, cst.Assign):
        target = one.targets[0].target
        several = target.elements if isinstance(target, cst.Tuple) else ()
        names = all(isinstance(e, cst.Element) and isinstance(e.value, cst.Name) for e in several)
        if len(one.targets) != 1 or not names or not isinstance(target, cst.Name | cst.Tuple):
            return None
    elif not isinstance(one, cst.Return | cst.Expr):
        return None
    call = one.value
    if not isinstance(call, cst.Call) or any(a.star or a.keyword is not None for a in call.args):
        return None
    return call


def _body(
    core: cst.FunctionDef, body: Sequence[Any], statement: Any, function: cst.FunctionDef, call: cst.Call
) -> list[Any] | None:
    """Returns a helper's statements in the place of its call; None where they cannot stand there."""
    params = function.params.params
    if len(call.args) != len(params) or any(p.default is not None for p in params):
        return None
    inner: list[Any] = list(function.body.body)
    returns = nodes_of(function.body, cst.Return)
    ends = isinstance(small(statement), cst.Return)
    result: cst.BaseExpression | None = None
    if not ends:
        last = small(inner[-1])
        if len(returns) > 1 or (returns and last is not returns[0]):
            return None  # it may end early
        if returns:
            result = returns[0].value
            inner.pop()
    targets = [] if ends else _targets(small(statement))
    around = [s for s in body if s is not statement]
    taken = _names(around) | {name for p in core.params.params for name in [p.name.value]}
    passed = [a.value for a in call.args]
    own = name_tools.bound(function)
    if (name_tools.loads(function.body) - own) & name_tools.bound(core):
        return None  # a name of the module that the core has another use for
    stored = frozenset().union(*(name_tools.bound(s) for s in inner))
    renamed: dict[str, str] = {}
    first: list[Any] = []
    given = frozenset().union(*(name_tools.all_names(one) for one in passed)) if passed else frozenset()
    for parameter, value in zip(params, passed, strict=True):
        name = parameter.name.value
        if isinstance(value, cst.Name) and (name not in stored or (ends and value.value == name)):
            renamed[name] = value.value
    for old, new in _results(result, targets, given):
        if old not in renamed and new not in _names(inner) - own and old in stored:
            renamed[old] = new
    busy = taken | given | set(targets) | set(renamed.values()) | (name_tools.loads(function.body) - own)
    loops = _only_loops(inner) & _only_loops(around, core)
    for one in sorted(own - set(renamed)):
        if one in loops and one not in given and one not in targets:
            continue  # each loop binds its index anew
        if one in busy:
            renamed[one] = _free(one, busy | own)
            busy.add(renamed[one])
    for parameter, value in zip(params, passed, strict=True):
        name = renamed.get(parameter.name.value, parameter.name.value)
        if not isinstance(value, cst.Name) or value.value != name:
            first.append(made(f"{name} = {code(value)}\n"))
    rename = _Renamed(renamed)
    written = [*first, *(s.visit(rename) for s in inner)]
    if result is not None:
        text = code(result.visit(rename))  # type: ignore[arg-type]
        target = small(statement).targets[0].target if targets else None
        if target is not None and code(target).strip("()") != text.strip("()"):
            written.append(made(f"{code(target)} = {text}\n"))
    if not written:
        return None
    written[0] = on_the_line_of(written[0], statement)
    notes = written[0].leading_lines
    written[0] = leading(written[0], statement)
    written[0] = written[0].with_changes(leading_lines=[*written[0].leading_lines, *notes])
    return written


def _targets(statement: Any) -> list[str]:
    if not isinstance(statement, cst.Assign):
        return []
    return list(name_tools.targets(statement.targets[0].target))


def _results(
    result: cst.BaseExpression | None, targets: Sequence[str], given: frozenset[str]
) -> Iterable[tuple[str, str]]:
    """Yields for the variables that a helper returns the names that the core gives them."""
    if result is None:
        return
    parts = [e.value for e in result.elements] if isinstance(result, cst.Tuple) else [result]
    if len(parts) != len(targets) or len({code(one) for one in parts}) != len(parts):
        return
    for part, target in zip(parts, targets, strict=True):
        if isinstance(part, cst.Name) and target not in given:
            yield part.value, target


def _names(several: Iterable[cst.CSTNode]) -> set[str]:
    return set().union(*(name_tools.all_names(one) for one in several))


def _only_loops(several: Iterable[cst.CSTNode], core: cst.FunctionDef | None = None) -> frozenset[str]:
    """Returns the names that are nothing but the index of a `for` over a range, and read nowhere behind it.

    The index of a `prange` is unsigned: it has a name of its own.
    """
    found: set[str] = set()
    others: set[str] = set(name_tools.parameters(core)) if core is not None else set()
    for one in several:
        loops = [one, *nodes_of(one, cst.For)] if isinstance(one, cst.For) else nodes_of(one, cst.For)
        heads = [loop for loop in loops if isinstance(loop.target, cst.Name) and code(loop.iter).startswith("range(")]
        indices = {loop.target.value for loop in heads if isinstance(loop.target, cst.Name)}
        found |= indices
        inside = Counter[str]()
        for loop in heads:
            assert isinstance(loop.target, cst.Name)
            inside[loop.target.value] += 1 + sum(
                n.value == loop.target.value for n in nodes_of(loop.body, cst.Name)
            )
        every = Counter(n.value for n in nodes_of(one, cst.Name))
        others |= {name for name, times in every.items() if times != inside[name]}
        for kind in (cst.Assign, cst.AugAssign):
            others |= {n for node in nodes_of(one, kind) for n in name_tools.bound(node)}
    return frozenset(found - others)


def _free(wanted: str, taken: set[str] | frozenset[str]) -> str:
    """Returns a name that is free: of a letter the next letter, else with a letter behind it."""
    if len(wanted) == 1 and wanted in _LETTERS:
        for letter in _LETTERS:
            if letter not in taken:
                return letter
    for letter in "bcdefghijklmnopqrstuvwxyz":
        if f"{wanted}_{letter}" not in taken:
            return f"{wanted}_{letter}"
    return name_tools.fresh(wanted, taken)


class _Renamed(Transformer):
    """Gives variables other names; attributes and keywords keep theirs."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self._names = names

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        new = self._names.get(updated_node.value)
        return updated_node if new is None else updated_node.with_changes(value=new)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)
