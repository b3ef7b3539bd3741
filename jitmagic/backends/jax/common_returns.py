"""Rewrite a return from inside a loop, of the beginning of arrays that are returned whole behind it, as a break.

    for i in range(1, n):                   stop = len(out)
        …                                   for i in range(1, n):
        if out[i] < limit:                      …
            return out[:i+1]        ->          if out[i] < limit:
    return out                                      stop = i+1
                                                    break
                                            return out, stop        # in the wrapper: return out[:stop]

Compiled code gives back arrays of one shape: what they are cut to is told beside them, and cut in the wrapper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.list_results import Given
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, small, statements, with_alternative, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.walking import nodes_of, returns_of


def without_early_returns(module: Module, tree: cst.Module, entry: str) -> tuple[cst.Module, Given | None]:
    """Returns the tree with breaks for such returns of the entry, all of them or none, and what its wrapper cuts."""
    function = next(s for s in tree.body if isinstance(s, cst.FunctionDef) and s.name.value == entry)
    body = list(statements(function))
    if len(body) < 2 or not isinstance(body[-2], cst.For | cst.While) or body[-2].orelse is not None:
        return tree, None
    loop, last = body[-2], small(body[-1])
    early = _own_returns(loop)
    # each return is this one, or leaves this very loop
    if not isinstance(last, cst.Return) or last.value is None or len(early) + 1 != len(returns_of(function)):
        return tree, None
    plan = _plan(last, early)
    if plan is None:
        return tree, None
    ends, cut = plan
    before = body[:-2]
    if not cut <= name_tools.bound(with_body(function, [*before, made("pass")])) or cut & name_tools.bound(loop):
        return tree, None
    taken = set(name_tools.all_names(tree))
    stop = name_tools.fresh("stop", taken)
    whole = ", ".join(f"len({name})" for name in sorted(cut))
    start = leading(made(f"{stop} = {whole if len(cut) == 1 else f'max({whole})'}", loop), loop)
    breaking = with_body(loop.with_changes(leading_lines=()), _Breaks(module, stop, ends).block(statements(loop)))
    module.inherit(breaking, loop)
    finish = leading(made(f"return {', '.join(_texts(last))}, {stop}", body[-1]), body[-1])
    new: cst.FunctionDef = with_body(function, [*before, start, breaking, finish])
    module.inherit(new, function)
    given = _given(last, cut, stop, taken)
    return tree.with_changes(body=[new if s is function else s for s in tree.body]), given


def _given(last: cst.Return, cut: frozenset[str], stop: str, taken: set[str]) -> Given:
    """Says what the wrapper makes of the results."""
    results: list[str] = []
    for number, text in enumerate(_texts(last)):
        results.append(text if text.isidentifier() else name_tools.fresh(f"result_{number}", taken))
    shown = [f"{one}[:{stop}]" if one in cut else one for one in results]
    several = isinstance(last.value, cst.Tuple)
    return Given([*results, stop], [], ", ".join(shown) + ("," if several and len(shown) == 1 else ""))


def _plan(last: cst.Return, early: Sequence[cst.Return]) -> tuple[dict[int, str], frozenset[str]] | None:
    """Returns where each early return cuts, by its identity, and the arrays that are cut; None where they differ.

    The last return gives whole arrays where an early one gives their beginning; all else is the same in each.
    """
    whole = _texts(last)
    ends: dict[int, str] = {}
    cut: set[str] = set()
    for one in early:
        if one.value is None:
            return None
        parts = _parts(one.value)
        if len(parts) != len(whole) or isinstance(one.value, cst.Tuple) != isinstance(last.value, cst.Tuple):
            return None
        found: set[str] = set()
        for part, text in zip(parts, whole, strict=True):
            if code(part) == text:
                continue
            beginning = _beginning(part)
            if beginning is None or beginning[0] != text:
                return None
            cut.add(text)
            found.add(beginning[1])
        if len(found) > 1:
            return None
        ends[id(one)] = next(iter(found), "")
    if not cut or any(nodes_of(part, cst.Call) for part in _parts(last.value)):
        return None  # a call might not give the same again
    for one in early:
        cuts = [_beginning(part) for part, text in zip(_parts(one.value), whole, strict=True) if text in cut]
        if None in cuts:
            return None
    return ends, frozenset(cut)


def _parts(value: Any) -> list[Any]:
    return [element.value for element in value.elements] if isinstance(value, cst.Tuple) else [value]


def _texts(one: cst.Return) -> list[str]:
    return [code(part) for part in _parts(one.value)]


def _beginning(node: Any) -> tuple[str, str] | None:
    """Returns (array, where it ends) of ``array[:end]``."""
    if not isinstance(node, cst.Subscript) or not isinstance(node.value, cst.Name) or len(node.slice) != 1:
        return None
    part = node.slice[0].slice
    if not isinstance(part, cst.Slice) or part.lower is not None or part.upper is None or part.step is not None:
        return None
    return node.value.value, code(part.upper)


def _own_returns(loop: Any) -> list[cst.Return]:
    """Returns the returns that leave this loop, and no loop inside of it first."""
    found: list[cst.Return] = []

    def look(block: Sequence[Any]) -> None:
        for statement in block:
            one = small(statement)
            if isinstance(one, cst.Return):
                found.append(one)
            elif isinstance(statement, cst.If):
                look(statements(statement))
                rest: Any = statement.orelse
                while isinstance(rest, cst.If):
                    look(statements(rest))
                    rest = rest.orelse
                if rest is not None:
                    look(statements(rest))

    look(statements(loop))
    return found


class _Breaks:
    """Puts breaks in the place of returns."""

    def __init__(self, module: Module, stop: str, ends: dict[int, str]) -> None:
        self.module, self.stop, self.ends = module, stop, ends

    def block(self, block: Sequence[Any]) -> list[Any]:
        new: list[Any] = []
        for statement in block:
            one = small(statement)
            if isinstance(one, cst.Return):
                new.append(leading(made(f"{self.stop} = {self.ends[id(one)]}", statement), statement))
                new.append(made("break", statement))
            elif isinstance(statement, cst.If):
                new.append(self._branch(statement))
            else:
                new.append(statement)
        return new

    def _branch(self, node: Any) -> Any:
        changed = with_body(node, self.block(statements(node)))
        return self._with(node, with_alternative(changed, node, self.block))

    def _with(self, before: Any, after: Any) -> Any:
        self.module.inherit(after, before)
        return after
