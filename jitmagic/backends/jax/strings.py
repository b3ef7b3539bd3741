"""Rewrite strings of which only characters are compared as vectors of code points, which compiled loops can index.

    for i, ca in enumerate(a, 1):                     def f(a, b):
        for j, cb in enumerate(b, 1):         ->          a = jnp.array([ord(one) for one in a], dtype=jnp.int32)
            if ca == cb: ...                              b = …
                                                          return _f(a, b)

A parameter is taken for such a string where all that is done with it is known: its length is asked for, it is iterated,
and its characters are compared with each other and with characters that are written out, for equality alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import ValueFact

_TEXT = ValueFact("array", "int32", (None,))
_CHARACTER = ValueFact("scalar", "int32", ())


def coded_strings(
    module: Module, tree: cst.Module, entry: str, kinds: Kinds, arguments: Mapping[str, ValueFact]
) -> tuple[cst.Module, tuple[str, ...]]:
    """Returns the tree with strings as code points, and the parameters that the wrapper has to code.

    Parameters
    ----------
    module : Module
    tree : libcst.Module
    entry : str
        The function that is compiled.
    kinds : Kinds
        Of the entry.
    arguments : mapping of str to ValueFact
        Facts of its parameters.
    """
    function = kinds.function
    texts = {
        name
        for name, fact in arguments.items()
        if fact.kind == "str" and name in name_tools.parameters(function)
    }  # fmt: skip
    bound = name_tools.bound(function.body)
    texts -= bound
    inner: list[Any] = [*nodes_of(function.body, cst.FunctionDef), *nodes_of(function.body, cst.Lambda)]
    texts -= {name for one in inner for name in name_tools.loads(one)}
    if not texts or not nodes_of(function.body, cst.For):
        return tree, ()
    characters = _characters(function, kinds, texts)
    if characters is None or not _only_compared(function, texts, characters):
        return tree, ()
    for node in nodes_of(function.body, cst.Name):
        if node.value in texts:
            module.learn(node, _TEXT)
        elif node.value in characters:
            module.learn(node, _CHARACTER)
    for read in nodes_of(function.body, cst.Subscript):
        if code(read.value) in texts:
            module.learn(read, _CHARACTER)
    new = function.visit(_Coded(module, texts | characters))
    module.inherit(new, function)  # type: ignore[arg-type]
    body = [new if one is function else one for one in tree.body]
    return tree.with_changes(body=body), tuple(n for n in name_tools.parameters(function) if n in texts)


def _characters(function: cst.FunctionDef, kinds: Kinds, texts: set[str]) -> set[str] | None:
    """Returns the names that loops over the strings bind to characters; None where one is bound otherwise too."""
    found: set[str] = set()
    counts: dict[str, int] = {}
    loops: list[Any] = [*nodes_of(function.body, cst.For), *nodes_of(function.body, cst.CompFor)]
    for loop in loops:
        for target, iterated in _pairs(loop.target, loop.iter):
            if isinstance(target, cst.Name) and code(iterated) in texts:
                found.add(target.value)
                counts[target.value] = counts.get(target.value, 0) + 1
    stores: list[Any] = [*nodes_of(function.body, cst.AssignTarget), *nodes_of(function.body, cst.AugAssign), *loops]
    for name in found:
        every = sum(name_tools.targets(one.target).count(name) for one in stores)
        if every != counts[name] or name in name_tools.parameters(function):
            return None
    return found


def _pairs(target: Any, iterated: Any) -> Iterator[tuple[Any, Any]]:
    """Yields what a loop binds and what it takes that from."""
    parts = [e.value for e in target.elements] if isinstance(target, cst.Tuple) else []
    given = [a.value for a in iterated.args] if isinstance(iterated, cst.Call) else []
    called = code(iterated.func) if given else ""
    if called == "enumerate" and len(parts) == 2:
        yield from _pairs(parts[1], given[0])
    elif called == "zip" and len(parts) == len(given):
        for one, other in zip(parts, given, strict=True):
            yield from _pairs(one, other)
    else:
        yield target, iterated


def _only_compared(function: cst.FunctionDef, texts: set[str], characters: set[str]) -> bool:
    """Says whether every use of the strings, and of their characters, is one that code points know."""
    known: dict[str, int] = {}

    def count(node: Any) -> None:
        known[node.value] = known.get(node.value, 0) + 1

    loops: list[Any] = [*nodes_of(function.body, cst.For), *nodes_of(function.body, cst.CompFor)]
    for loop in loops:
        for target, iterated in _pairs(loop.target, loop.iter):
            if code(iterated) in texts and isinstance(target, cst.Name):
                count(iterated)
                count(target)
    for call in nodes_of(function.body, cst.Call):
        if code(call.func) == "len" and len(call.args) == 1 and code(call.args[0].value) in texts:
            count(call.args[0].value)
    for one in nodes_of(function.body, cst.Comparison):
        if len(one.comparisons) != 1 or not isinstance(one.comparisons[0].operator, cst.Equal | cst.NotEqual):
            continue
        sides: list[Any] = [one.left, one.comparisons[0].comparator]
        if all(_is_character(side, texts, characters) for side in sides):
            for side in sides:
                if isinstance(side, cst.Name):
                    count(side)
                elif isinstance(side, cst.Subscript):
                    count(side.value)
    every: dict[str, int] = {}
    for name in nodes_of(function.body, cst.Name):
        every[name.value] = every.get(name.value, 0) + 1
    return all(every.get(name, 0) == known.get(name, 0) for name in texts | characters)


def _is_character(node: Any, texts: set[str], characters: set[str]) -> bool:
    if isinstance(node, cst.Name):
        return node.value in characters
    if isinstance(node, cst.Subscript):
        return code(node.value) in texts and len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index)
    text = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return isinstance(text, str) and len(text) == 1


class _Coded(Rewriter):
    """Writes the code points of characters that are compared with those of the strings."""

    def __init__(self, module: Module, names: set[str]) -> None:
        super().__init__(module)
        self.names = names

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.Comparison:
        only = updated_node.comparisons[0]
        read = name_tools.loads(original_node) & self.names
        if not read or len(updated_node.comparisons) != 1:
            return updated_node
        new = only.with_changes(comparator=_coded(only.comparator))
        return updated_node.with_changes(left=_coded(updated_node.left), comparisons=[new])


def _coded(node: cst.BaseExpression) -> cst.BaseExpression:
    if not isinstance(node, cst.SimpleString):
        return node
    return cst.Call(cst.Name("ord"), [cst.Arg(node)])
