"""Rewrite lists of numbers that comprehensions make as lists of zeros that a loop fills, where these become arrays.

    alpha = [0.0] + [f(i) for i in range(1, n)]    ->    alpha = [0.0] + [0.0] * (n - 1)
                                                         for i in range(1, n):
                                                             alpha[i] = f(i)

`table_lists.py` makes arrays of them then. Where it would not, the list stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.comprehensions import (
    ComprehensionRewriter,
    counted,
    is_written_out,
    loop_of,
    number_dtype,
    stored,
)  # fmt: skip
from jitmagic.backends.jax.sums import added
from jitmagic.backends.jax.table_lists import Place, would_be_tables
from jitmagic.backends.jax.tracing import literal_trips
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, each_function, leading, made, small
from jitmagic.generate.kinds import Kinds, literal
from jitmagic.generate.module import Module
from jitmagic.generate.walking import nodes_of

_ZEROS = {"bool_": "False", "int64": "0", "float64": "0.0"}


def filled_lists(
    module: Module, tree: cst.Module, entry: str, kinds_of: Callable[[cst.Module], dict[str, Kinds]],
    kept: Collection[int],
) -> cst.Module:  # fmt: skip
    """Returns the tree with lists of numbers filled by loops, those that can be arrays.

    Parameters
    ----------
    module : Module
    tree : libcst.Module
    entry : str
        The function that is compiled.
    kinds_of : callable
        Returns what is known of the functions of a tree.
    kept : collection of int
        Lines (of the module's text) on which comprehensions stay as they are.
    """
    kinds = kinds_of(tree)
    functions = frozenset(s.name.value for s in tree.body if isinstance(s, cst.FunctionDef))
    wanted: set[Place] | None = None
    while True:
        taken = set(name_tools.all_names(tree))
        done: set[Place] = set()

        def rewritten(
            function: Any, known: Kinds, taken: set[str] = taken, done: set[Place] = done,
            wanted: set[Place] | None = wanted,
        ) -> Any:  # fmt: skip
            one = _Lists(module, function, known, functions, taken, kept)
            one.wanted, one.done = wanted, done
            return one.result()

        new = each_function(tree, kinds, rewritten)
        if not done:
            return tree
        accepted = done & would_be_tables(module, new, entry, kinds_of(new))
        if accepted == done:
            return new
        wanted = accepted


class _Lists(ComprehensionRewriter):
    wanted: set[Place] | None
    done: set[Place]

    def statement(self, node: Any, before: Sequence[Any]) -> list[Any]:
        one = small(node)
        if isinstance(one, cst.Return) and isinstance(one.value, cst.ListComp):
            name = self.fresh("elements")
            lines = self.filled(node, name, one.value)
            if lines is None:
                return [node]
            end = made(f"return {name}", node)
            self.module.inherit(end, node)
            self.module.inherit(end.body[0], one)
            return [leading(lines[0], node), *lines[1:], end]
        if isinstance(one, cst.Assign) and len(one.targets) == 1 and isinstance(one.targets[0].target, cst.Name):
            lines = self.filled(node, one.targets[0].target.value, one.value)
            if lines is not None:
                return [leading(lines[0], node), *lines[1:]]
        return super().statement(node, before)

    def filled(self, node: Any, name: str, value: cst.BaseExpression) -> list[Any] | None:
        """Returns the statements that make a list of numbers and fill it, None where that cannot be."""
        place = (self.function.name.value, name)
        if (self.wanted is not None and place not in self.wanted) or name in name_tools.loads(value):
            return None
        parts = _parts(value)
        if parts is None or not any(isinstance(p, cst.ListComp) for p in parts):
            return None
        texts, loops, offset = [], [], "0"
        for part in parts:
            if isinstance(part, cst.List):
                texts.append(code(part))
                offset = added(offset, str(len(part.elements)))
                continue
            made_of = self.part(node, name, part, offset)
            if made_of is None:
                return None
            text, length, loop = made_of
            texts.append(text)
            loops.append(loop)
            offset = added(offset, length)
        first = made(f"{name} = {' + '.join(texts)}", node)
        self.module.inherit(first, node)
        self.done.add(place)
        return [first, *loops]

    def part(self, node: Any, name: str, part: cst.ListComp, offset: str) -> tuple[str, str, Any] | None:
        """Returns the zeros of a comprehension, how many they are, and the loop that fills them."""
        if part.for_in.ifs or not self.may_be_a_loop(part):
            return None
        if is_written_out(part) and not self.is_moved(name):
            return None
        outer = self.renamed(part, node)
        across = counted(outer.for_in, self.kinds, self.fresh("k"))
        if across is None:
            return None
        index = added(across.index, offset)
        inner: Any = part.elt
        if isinstance(inner, cst.ListComp) and offset == "0" and not inner.for_in.ifs:
            renamed = self.renamed(outer.elt, node)
            along = counted(renamed.for_in, self.kinds, self.fresh("m"))
            zero = _ZEROS.get(number_dtype(self.kinds.of(inner.elt)) or "")
            if zero is None or along is None:
                return None
            if name_tools.loads(cst.parse_expression(along.length)) & {*name_tools.targets(across.target)}:
                return None  # rows of different lengths
            store = stored(self.module, f"{name}[{index}][{along.index}]", renamed.elt, node, None)
            loop = loop_of(self.module, part, across, [loop_of(self.module, inner, along, [store], node)], node)
            return f"[[{zero}] * {_factor(along.length)} for _ in range({across.length})]", across.length, loop
        zero = _ZEROS.get(number_dtype(self.kinds.of(inner)) or "")
        if zero is None:
            return None
        store = stored(self.module, f"{name}[{index}]", outer.elt, node, None)
        return f"[{zero}] * {_factor(across.length)}", across.length, loop_of(self.module, part, across, [store], node)

    def is_moved(self, name: str) -> bool:
        """Says whether a name is indexed with anything but numbers, and names of loops, that are written out."""
        every: list[Any] = [*nodes_of(self.function, cst.ListComp), *nodes_of(self.function, cst.GeneratorExp)]
        short = {t for one in every if is_written_out(one) for t in name_tools.targets(one.for_in.target)}
        for loop in nodes_of(self.function, cst.For):
            change = short.update if literal_trips(loop) is not None else short.difference_update
            change(name_tools.targets(loop.target))
        for read in nodes_of(self.function, cst.Subscript):
            index = read.slice[0].slice
            if code(read.value) != name or not isinstance(index, cst.Index) or literal(index.value) is not None:
                continue
            if not (isinstance(index.value, cst.Name) and index.value.value in short):
                return True
        return False


def _parts(value: Any) -> list[Any] | None:
    """Returns the comprehensions and lists that are written out of a sum of such, None for anything else."""
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Add):
        left, right = _parts(value.left), _parts(value.right)
        return None if left is None or right is None else [*left, *right]
    if isinstance(value, cst.Call) and code(value.func) == "list" and len(value.args) == 1:
        only = value.args[0].value
        return [cst.ListComp(only.elt, only.for_in)] if isinstance(only, cst.GeneratorExp) else None
    shown = isinstance(value, cst.List) and value.elements and all(isinstance(e, cst.Element) for e in value.elements)
    return [value] if shown or isinstance(value, cst.ListComp) else None


def _factor(text: str) -> str:
    node = cst.parse_expression(text)
    return text if isinstance(node, cst.Name | cst.Integer | cst.Call) else f"({text})"
