"""Rewrite slices whose length changes as whole axes with a mask: ``s = L[i, :j] @ y[:j]`` and ``x[i:] -= c * z[i:]``.

JAX has fixed shapes while it compiles. What a slice of changing length holds is computed for the whole axis, and a mask
says what counts: reductions get it as ``where=``, stores as ``np.where(mask, new, old)``. Windows of constant width are
left to :mod:`jitmagic.backends.jax.windows`. Done in NumPy's own form, before stores become functional.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import libcst as cst

from jitmagic.backends.jax.frames import Frame
from jitmagic.backends.jax.highest import Highest
from jitmagic.backends.jax.integer_tables import PLACE, bounds, steady
from jitmagic.backends.jax.lowest import Lowest, count_bindings, sizes_of
from jitmagic.backends.jax.masks import mask_of
from jitmagic.backends.jax.parts import Ragged, Unknown, is_plain_number, term
from jitmagic.backends.jax.ragged import Evaluator
from jitmagic.backends.jax.slice_uses import changed_in_place, count_reads, stored_into
from jitmagic.backends.jax.store_targets import root_name
from jitmagic.backends.jax.sums import added, difference, written
from jitmagic.backends.jax.tapers import Taper, Tapered
from jitmagic.backends.jax.tracing import Tracing
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, each_function, leading, made, small, statements, with_alternative, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder, nodes_of
from jitmagic.observe.facts import ValueFact

_BINARY = {
    "AddAssign": "+", "SubtractAssign": "-", "MultiplyAssign": "*", "DivideAssign": "/", "PowerAssign": "**",
    "FloorDivideAssign": "//", "ModuloAssign": "%", "BitAndAssign": "&", "BitOrAssign": "|", "BitXorAssign": "^",
}  # fmt: skip


def whole_axes(module: Module, tree: cst.Module, tracing: dict[str, Tracing], wanted: set[str]) -> cst.Module:
    """Returns the tree without slices whose length changes; raises Unsupported where there is no such form.

    Whole numbers among the parameters that lengths behind a loop depend on are added to ``wanted``: they have to be
    constants.
    """
    taken = set(name_tools.all_names(tree))
    return each_function(
        tree, tracing, lambda function, known: _Function(module, function, known, taken, wanted).result()
    )


class _Function:
    """Rewrites the statements of one function."""

    def __init__(
        self, module: Module, function: cst.FunctionDef, tracing: Tracing, taken: set[str], wanted: set[str]
    ) -> None:
        self.module, self.function, self.tracing, self.taken = module, function, tracing, taken
        self.kinds = tracing.kinds
        self.loops: list[cst.For] = []
        self.named: dict[str, Ragged] = {}
        self.bindings: dict[str, int | None] = {}
        self.places: dict[str, tuple[str, str]] = {}
        self.lifted: dict[str, str] | None = None
        self.views: set[str] = set()
        self.uses: dict[str, list[cst.Name]] = {}
        self.evaluator = Evaluator(self.kinds, self.ragged, self.name, self.never_negative, self.most, self.as_long,
                                   lambda node: steady(node, self.loops, self.kinds), self.tabled)  # fmt: skip
        self.sizes = sizes_of(function)
        self.highest = Highest(
            function, tracing.expression, self.never_negative, self.room, self.is_vector, self.loops
        )  # fmt: skip
        self.tapered = Tapered(module, tracing, self.highest, wanted)
        self.before: list[Any] = []
        self.tables: list[dict[str, str]] = []
        self.position = 0
        self.since: dict[str, int] = {}

    def result(self) -> cst.FunctionDef:
        finder = _Moving(self)
        self.function.visit(finder)
        if not finder.found and not self.tapered.anywhere():
            return self.function
        body: list[Any] = []
        outermost = statements(self.function)
        for self.position, node in enumerate(outermost):
            body += self.block([node], outermost[: self.position])
        new: cst.FunctionDef = with_body(self.function, body)
        self.module.inherit(new, self.function)
        for name, seen in self.uses.items():
            # what is read of it before stood for another value
            loads = sum(count_reads(s, name) for s in statements(self.function)[self.since[name] :])
            # a place may be looked at twice
            if loads > len({id(node) for node in seen}):
                line = self.bindings.get(name) or self.module.line(self.function)
                raise Unsupported(
                    f"line {line}: the length of `{name}` changes from step to step, and JAX needs fixed shapes; use "
                    "the whole array with np.where on the index",
                    line,
                    "JX-SHAPEARG",
                )
        return new

    # what moves -------------------------------------------------------------------------------

    def is_moving(self, element: cst.SubscriptElement) -> bool:
        """Says whether a slice's bounds are traced and its width is not constant."""
        part = element.slice
        if not isinstance(part, cst.Slice):
            return False
        bounds = [b for b in (part.lower, part.upper, part.step) if b is not None]
        if not any(self.tracing.expression(b) for b in bounds):
            return False
        if part.lower is None or part.upper is None or (part.step is not None and code(part.step) != "1"):
            return True
        left = difference(code(part.upper), code(part.lower))
        return any(t and self.tracing.expression(cst.parse_expression(t)) for t in left)

    def name(self, node: cst.Name) -> Ragged | None:
        found = self.named.get(node.value)
        if found is not None:
            self.uses.setdefault(node.value, []).append(node)
        return found

    def room(self, name: str) -> str | None:
        """Returns how long a named part can become; None for a name of anything else."""
        part = self.named.get(name)
        return part.frames[-1].length if part is not None and part.ndim == 1 and -1 in part.frames else None

    def as_long(self, count: str) -> tuple[str, int | None] | None:
        """Returns the length, and as it was seen, of a vector that loses elements and has at least so many."""
        for name in self.tapered.now:
            frame = next(iter(self.named[name].frames.values()))
            more = difference(frame.end(), count)
            if not set(more) - {""} and more.get("", 0) >= 0:
                return frame.length, frame.seen
        return None

    def is_vector(self, node: cst.BaseExpression) -> bool:
        fact = self.kinds.of(node)
        return fact is not None and fact.kind == "array" and fact.ndim == 1

    def most(self, node: cst.BaseExpression) -> str | None:
        """Returns what a number never exceeds, '' for one that does not depend on values."""
        if not name_tools.loads(node) & set(self.named) and self.is_settled(node):
            return ""
        return self.highest.bound(node)

    def is_settled(self, node: cst.BaseExpression, depth: int = 6) -> bool:
        """Says whether a number depends on whole numbers among the arguments at most, which can become constants."""
        if not self.tracing.expression(node):
            return True
        if isinstance(node, cst.Name) and depth:
            facts = self.kinds.names.get(node.value, [])
            if node.value in self.highest.parameters:
                once = count_bindings(self.function, node.value) == 1
                return once and bool(facts) and all(f.kind == "int" for f in facts)
            value = self.highest.value(node.value)
            return value is not None and self.is_settled(value, depth - 1)
        names = [cst.Name(n) for n in sorted(name_tools.loads(node)) if n in self.tracing.names]
        return bool(names) and not isinstance(node, cst.Name) and all(self.is_settled(n, depth) for n in names)

    def ragged(self, node: cst.Subscript) -> Ragged | None:
        """Returns what a subscript with moving slices, or with a mask, stands for; None for any other."""
        mask = mask_of(node, self.kinds)
        if mask is not None:
            return self.selected(node, mask)
        if not any(self.is_moving(e) for e in node.slice) or self.tapered.is_one(node.value):
            return None
        fact = self.kinds.of(node.value)
        if fact is None or fact.kind != "array" or fact.ndim is None:
            if self.kinds.is_container(node.value):
                return None
            raise Unknown(f"it is not known how many axes `{code(node.value)}` has")
        if isinstance(node.value, cst.Name) and node.value.value in self.named:
            raise Unknown(f"the length of `{code(node.value)}` changes, and `{code(node)}` cuts it")
        kept: list[str] = []
        frames: list[Frame | None] = []
        axis = 0
        for element in node.slice:
            if isinstance(element.slice, cst.Slice):
                if self.is_moving(element):
                    seen = None if fact.shape is None else fact.shape[axis]
                    frames.append(self.frame(element.slice, f"{code(node.value)}.shape[{axis}]", seen))
                    kept.append(":")
                else:
                    moving = any(
                        b is not None and self.tracing.expression(b)
                        for b in (element.slice.lower, element.slice.upper, element.slice.step)
                    )
                    if moving:
                        raise Unknown(f"`{code(node)}` cuts one axis by a window and another to a changing length")
                    frames.append(None)
                    kept.append(code(element.with_changes(comma=cst.MaybeSentinel.DEFAULT)))
            else:
                index: Any = getattr(element.slice, "value", None)
                known = self.kinds.of(index)
                if known is None or known.kind not in ("int", "scalar"):
                    raise Unknown(f"`{code(node)}` mixes a moving slice with an index that is no whole number")
                kept.append(code(self.evaluator.plain(index)))
            axis += 1
        frames += [None] * (fact.ndim - axis)
        while kept and kept[-1] == ":":
            kept.pop()
        base = self.evaluator.plain(node.value)
        whole = f"{code(base)}[{', '.join(kept)}]" if kept else code(base)
        cut = {place - len(frames): frame for place, frame in enumerate(frames) if frame is not None}
        return Ragged(whole, len(frames), cut, fact.dtype)

    def selected(self, node: cst.Subscript, mask: cst.BaseExpression) -> Ragged | None:
        """Returns ``x[mask]``; None where it is not known to be one row, or one element, for each place of the mask."""
        array, chosen = self.kinds.of(node.value), self.kinds.of(mask)
        if array is None or chosen is None or array.kind != "array" or array.ndim is None or array.shape is None:
            return None
        if name_tools.loads(node) & set(self.named) or chosen.ndim not in (1, array.ndim):
            return None
        base, text, seen = code(self.evaluator.plain(node.value)), code(self.evaluator.plain(mask)), array.shape[0]
        length = f"{base}.shape[0]"
        if chosen.ndim != 1:
            base, text, seen, ndim = f"{base}.ravel()", f"({text}).ravel()", None, 1
            length = f"{base}.size"
        else:
            ndim = array.ndim
        return Ragged(base, ndim, {-ndim: Frame("0", None, "1", length, seen, text)}, array.dtype)

    def frame(self, part: cst.Slice, length: str, seen: int | None) -> Frame:
        step = "1" if part.step is None else code(part.step)
        if part.step is not None and not self.never_negative(part.step):
            raise Unknown(f"the step `{step}` may be negative")
        start = "0" if part.lower is None else self.bound(part.lower, length, seen)
        stop = None if part.upper is None else self.bound(part.upper, length, seen)
        if stop is not None and part.upper is not None and self.is_length(part.upper, length):
            stop = None
        return Frame(start, stop, step, length, seen, exact=step == "1" and self.is_exact(part, length))

    def is_exact(self, part: cst.Slice, length: str) -> bool:
        """Says whether a slice's bounds are proved to lie inside the axis, and in order."""
        array = length.rpartition(".shape")[0]
        if not array.isidentifier() or not length.endswith("[0]"):
            return False
        bounds = [b for b in (part.lower, part.upper) if b is not None]
        if not all(self.never_negative(b) and self.highest.inside(b, array) for b in bounds):
            return False
        if part.lower is None or part.upper is None:
            return True
        return self.never_negative(cst.parse_expression(f"({code(part.upper)}) - ({code(part.lower)})"))

    def is_length(self, node: cst.BaseExpression, length: str) -> bool:
        """Says whether a bound is the length of the axis itself."""
        base = length.rpartition(".shape")[0]
        return code(node) == length or (code(node) == f"len({base})" and length.endswith("[0]"))

    def bound(self, node: cst.BaseExpression, length: str, seen: int | None) -> str:
        """Returns a bound counted from the beginning of the axis."""
        text = code(self.evaluator.plain(node))
        if self.never_negative(node):
            return text
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
            inner = node.expression
            if isinstance(inner, cst.Integer) or self.never_negative(cst.parse_expression(f"({code(inner)}) - 1")):
                return f"{length} - {term(code(self.evaluator.plain(inner)))}"
        closed = text if text.isidentifier() else f"({text})"
        whole = f"__numpy__.where({closed} < 0, {closed} + {length}, {text})"
        if self.lifted is None:
            return whole
        # axes that were equally long are taken together as they are
        key = (text, length if seen is None else str(seen))
        known = next((name for name, place in self.places.items() if place == key), None)
        if known is None:
            known = self.fresh(node.value if isinstance(node, cst.Name) else "place")
            self.places[known] = key
            self.lifted[known] = whole
        return known

    def fresh(self, wanted: str) -> str:
        name = name_tools.fresh(wanted, self.taken)
        self.taken.add(name)
        return name

    def never_negative(self, node: cst.BaseExpression) -> bool:
        return Lowest(self.loops, self.sizes).never_negative(node)

    # statements -------------------------------------------------------------------------------

    def block(self, body: Sequence[Any], before: Sequence[Any] = ()) -> list[Any]:
        result: list[Any] = []
        for position, node in enumerate(body):
            self.before = [*before, *body[:position]]
            for new in self.statement(node):
                self.module.inherit(new, node)
                if small(new) is not None and small(node) is not None:
                    self.module.inherit(small(new), small(node))
                result.append(new)
        return result

    def statement(self, node: Any) -> list[Any]:
        try:
            if small(node) is None:
                return self.rewritten(node)
            self.lifted = {}
            lines = self.rewritten(node)
            before = [made(f"{name} = {text}", node) for name, text in self.lifted.items()]
            if before and lines:
                first = lines[0].with_changes(leading_lines=())
                lines = [leading(before[0], lines[0]), *before[1:], first, *lines[1:]]
            self.lifted = None
            return lines
        except Unknown as reason:
            self.lifted = None
            if small(node) is not None and not self.moves(node):
                return [node]  # masks alone: what is left of them is refused in their own words
            # a part that has a name is left to NumPy, and told of, where it first gets one
            line = self.origin(node) or self.module.line(node)
            raise Unsupported(
                f"line {line}: {reason}, and JAX needs fixed shapes; use the whole array with np.where on the index, "
                "or a window of constant width",
                line,
                "JX-SHAPEARG",
            ) from None

    def origin(self, node: cst.CSTNode) -> int | None:
        """Returns the line at which the first of the parts got its name that a statement reads."""
        named = name_tools.loads(node) & set(self.named) & set(self.bindings)
        return min((self.bindings[n] or 0 for n in named), default=0) or None

    def moves(self, node: cst.CSTNode) -> bool:
        """Says whether a statement holds a slice that moves, or a name of a part."""
        return bool(name_tools.loads(node) & set(self.named)) or any(
            self.is_moving(e) for one in nodes_of(node, cst.Subscript) for e in one.slice
        )

    def rewritten(self, node: Any) -> list[Any]:
        if isinstance(node, cst.For | cst.While | cst.If | cst.With):
            return self.compound(node)
        one = small(node)
        if one is None:
            return [node]
        result = [node]
        if isinstance(one, cst.Assign):
            result = self.assigned(node, one)
        elif isinstance(one, cst.AugAssign):
            result = self.augmented(node, one)
        elif _mentions(self, one):
            new = self.evaluator.children(one)
            self.module.inherit(new, one)
            result = [node.with_changes(body=[new])]
        self.forget(one)
        return result

    def forget(self, one: Any) -> None:
        """Forgets the parts whose bounds or arrays a statement changes."""
        bound = set(name_tools.bound(cst.Module([cst.SimpleStatementLine([one])])))
        if isinstance(one, cst.Assign | cst.AugAssign):
            targets = [t.target for t in one.targets] if isinstance(one, cst.Assign) else [one.target]
            bound |= {root for target in targets if (root := root_name(target)) is not None}
        bound -= self.tapered.now.keys()  # they stay as long as they are
        for name, part in list(self.named.items()):
            reads = {n for f in part.frames.values() for t in f.texts() for n in _names(t)}
            if reads & bound:
                del self.named[name]
        self.places = {n: key for n, key in self.places.items() if not _names(key[0]) & bound}

    def compound(self, node: Any) -> list[Any]:
        new = node
        ahead: list[Any] = []
        outside, places, before = dict(self.named), dict(self.places), self.before
        bound = (name_tools.bound(cst.Module([node])) | stored_into(node)) - self.tapered.now.keys()
        steady = {n: key for n, key in places.items() if not _names(key[0]) & bound}
        tapers: list[Taper] = []
        if isinstance(node, cst.For):
            iterated = self.evaluator.plain(node.iter)
            new = new.with_changes(iter=iterated) if iterated is not node.iter else new
            tapers = [t for t in self.tapered.of(node, before, self.loops) if t.name not in self.named]
            self.loops.append(node)
            self.tables.append({})
        if isinstance(node, cst.For | cst.While):
            # what an iteration changes holds for the next one's beginning as well, and for the test before it
            self.places = dict(steady)
            for name, part in list(self.named.items()):
                texts = [t for f in part.frames.values() for t in f.texts()]
                if bound & ({name} | {n for t in texts for n in _names(t)}):
                    del self.named[name]
        for taper in tapers:
            self.tapered.now[taper.name] = taper
            self.named[taper.name] = Ragged(taper.name, -taper.axis, {taper.axis: taper.frame}, taper.dtype)
            self.uses[taper.name] = []
        if isinstance(node, cst.While | cst.If):
            test = self.evaluator.plain(node.test)
            if test is not node.test:
                self.module.inherit(test, node.test)
                new = new.with_changes(test=test)
        prefix = before if isinstance(node, cst.If) else ()
        body = self.block(statements(node), prefix)
        new = with_body(new, body or [made("pass", node)])
        if isinstance(node, cst.For):
            self.loops.pop()
            ahead = [made(f"{name} = {text}", node) for text, name in self.tables.pop().items()]
        behind = [line for taper in tapers for line in self.behind(node, taper)]
        now = {n: self.named[n] for n in self.tapered.now}
        kept = {n: p for n, p in self.named.items() if outside.get(n) is p} | now
        self.places = dict(places) if isinstance(node, cst.If) else dict(steady)
        if node.orelse is not None:
            self.named = dict(kept) if not isinstance(node, cst.If) else dict(outside)
            new = with_alternative(new, node, lambda body: self.block(body, prefix))
        if isinstance(node, cst.If):
            self.tapered.check_branches(node, now, self.named if node.orelse is not None else outside)
        if node.orelse is not None:
            kept = {n: p for n, p in kept.items() if self.named.get(n) is p or n in now}
        self.named = kept
        self.places = steady
        self.module.inherit(new, node)
        if ahead:
            ahead[0], new = leading(ahead[0], new), new.with_changes(leading_lines=())
            self.module.inherit(new, node)
        return [*ahead, new, *behind]

    def tabled(self, value: Ragged) -> Ragged:
        """Returns a function of whole numbers as a look-up in what is worked out before the loop."""
        of, frame = value.of, value.frames.get(-1)
        ends = bounds(of, self.loops) if of is not None and of.dear else None
        if of is None or frame is None or ends is None or not self.tapered.is_settled(ends, self.is_settled):
            return value
        same = all(steady(cst.parse_expression(t), self.loops, self.kinds) for t, _ in of.rest if t)
        low, high = ends[0], added(ends[1], "1")
        numbers = f"__numpy__.arange({high})" if low == "0" else f"__numpy__.arange({low}, {high})"
        text = of.function.replace(PLACE, term(of.text) if same else numbers)
        changing = name_tools.bound(self.loops[-1].body) - self.tapered.now.keys()
        if _names(text) & changing:
            return value  # its length is not known before the loop
        name = self.tables[-1].get(text)
        if name is None:
            name = self.tables[-1][text] = self.fresh("powers" if "**" in of.function else "table")
        at = of.text if low == "0" else written(difference(of.text, low))
        return replace(value, whole=name if same else f"{name}[{at}]", of=None)

    def behind(self, loop: cst.For, taper: Taper) -> list[Any]:
        """Returns the statements behind a loop that give a vector the length that is left of it."""
        name = taper.name
        part = self.named.pop(name)
        del self.tapered.now[name]
        if count_reads(loop.body, name) > len({id(node) for node in self.uses.pop(name)}):
            raise Unknown(f"`{name}` loses elements in each step, and is used in a way that has no form for that")
        self.tapered.check_end(taper, part)
        return self.tapered.cut(loop, taper, self.is_settled)

    def assigned(self, node: Any, one: cst.Assign) -> list[Any]:
        targets = [t.target for t in one.targets]
        only = targets[0]
        if isinstance(only, cst.Subscript) and self.is_masked(only) and not self.moves(node):
            return [node]
        parts = only.elements if len(targets) == 1 and isinstance(only, cst.Tuple) else ()
        if isinstance(one.value, cst.Tuple) and any(self.is_ragged(e.value) for e in parts):
            return self.exchanged(node, parts, one.value)
        value = self.evaluator.value(one.value) if not isinstance(one.value, cst.Tuple) else None
        value = self.tabled(value) if isinstance(value, Ragged) else value
        if any(name in self.tapered.now for target in targets for name in name_tools.targets(target)):
            return self.shortened(node, targets, value)
        if len(targets) == 1 and isinstance(only, cst.Subscript) and (mask := self.chosen(only)) is not None:
            return [self.where_chosen(node, one, mask, value)]
        if len(targets) == 1 and isinstance(only, cst.Name) and isinstance(value, Ragged):
            origin = self.origin(node) or self.module.line(node)
            self.named.pop(only.value, None)
            value, before = self.with_names(value, node, count_reads(self.function, only.value))
            changed = only.value in changed_in_place(self.function)
            view = isinstance(cst.parse_expression(value.whole), cst.Subscript | cst.Name | cst.Attribute)
            # a copy that is stored into must stay one, or the store would reach the array behind it
            own = not isinstance(one.value, cst.Subscript | cst.Name | cst.Attribute) or self.is_fancy(one.value)
            if changed and not own and "arange(" in value.whole:
                raise Unknown(
                    f"`{only.value}` is a view whose elements are read in another order, and it is stored into"
                )
            copy = ".copy()" if changed and view and own else ""
            new = made(f"{only.value} = {value.whole}{copy}", node)
            self.views.discard(only.value)
            if view and not own:
                self.views.add(only.value)
            frames = value.frames
            reads = {n for f in frames.values() for t in f.texts() for n in _names(t)}
            if only.value in reads:
                raise Unknown(f"`{only.value}` is bound to a part of itself")
            self.uses.setdefault(only.value, [])
            self.since.setdefault(only.value, self.position)
            self.named[only.value] = Ragged(only.value, value.ndim, frames, value.dtype)
            self.bindings[only.value] = origin
            lines = [*before, new]
            return [leading(lines[0], node), *lines[1:]]
        if len(targets) == 1 and isinstance(only, cst.Subscript) and self.is_ragged(only):
            assert value is not None
            return [self.stored(node, only, one.value, value)]
        if isinstance(value, Ragged):
            raise Unknown(f"the length of `{code(one.value)}` changes from step to step")
        if not _mentions(self, one):
            return [node]
        new = self.evaluator.children(one)
        self.module.inherit(new, one)
        return [node.with_changes(body=[new])]

    def shortened(self, node: Any, targets: Sequence[Any], value: Any) -> list[Any]:
        """Returns ``v = v[1:] + v[:-1]`` of a vector that loses elements, over the whole vector."""
        if len(targets) != 1 or not isinstance(targets[0], cst.Name):
            raise Unknown(f"`{code(small(node))}` binds a vector that loses elements with other names")
        name = targets[0].value
        frame = self.tapered.next_frame(self.named[name], value, name)
        axis = -self.named[name].ndim
        value = self.evaluator.moved(value, axis, frame, small(node))
        self.named[name] = Ragged(name, value.ndim, {axis: frame}, value.dtype)
        if value.whole == name:
            return []
        return [leading(made(f"{name} = {value.whole}", node), node)]

    def chosen(self, target: cst.Subscript) -> Ragged | None:
        """Returns the mask of ``v[v > 0] = 0`` where the vector loses elements; None for any other target."""
        index: Any = target.slice[0].slice
        if len(target.slice) != 1 or not isinstance(index, cst.Index) or not self.tapered.is_one(target.value):
            return None
        mask = self.evaluator.value(index.value)
        if not isinstance(mask, Ragged) or mask.dtype != "bool":
            return None
        part = self.evaluator.value(target.value)
        assert isinstance(part, Ragged)
        if mask.ndim != part.ndim:
            raise Unknown(f"`{code(target)}` chooses rows of an array that loses some")
        return self.evaluator.moved(mask, -mask.ndim, part.frames[-part.ndim], target)

    def where_chosen(self, node: Any, one: cst.Assign, mask: Ragged, value: Any) -> Any:
        if isinstance(value, Ragged) or not is_plain_number(one.value, self.kinds):
            raise Unknown(f"`{code(one)}` stores more than a number")
        target: Any = one.targets[0].target
        new = made(f"{target.value.value}[{mask.whole}] = {code(value)}", node)
        stored: Any = small(new).targets[0].target
        self.module.learn(stored.slice[0].slice.value, ValueFact("array", "bool", (None,) * mask.ndim))
        self.module.inherit(small(new).value, one.value)
        return leading(new, node)

    def is_fancy(self, node: Any) -> bool:
        """Says whether a value takes elements by a mask or an array, so that NumPy copies them."""
        while isinstance(node, cst.Subscript | cst.Attribute):
            if isinstance(node, cst.Subscript):
                for element in node.slice:
                    index = element.slice.value if isinstance(element.slice, cst.Index) else None
                    if index is not None and not is_plain_number(index, self.kinds):
                        return True
            node = node.value
        return False

    def with_names(self, value: Ragged, node: Any, reads: int) -> tuple[Ragged, list[Any]]:
        """Gives the masks of a part names, so that they are computed, and read, once."""
        lines, frames = [], dict(value.frames)
        for axis, frame in value.frames.items():
            if frame.chosen is not None and not frame.chosen.isidentifier():
                frames[axis] = replace(frame, chosen=self.fresh("chosen"))
                lines.append(made(f"{frames[axis].chosen} = {frame.chosen}", node))
            elif frame.chosen is None and frame.inside is None and reads > 1 and not frame.within:
                frames[axis] = replace(frame, inside=self.fresh("inside"))
                lines.append(made(f"{frames[axis].inside} = {frame.mask()}", node))
        return replace(value, frames=frames), lines

    def is_ragged(self, node: Any) -> bool:
        if not isinstance(node, cst.Subscript):
            return False
        cut = any(isinstance(e.slice, cst.Slice) for e in node.slice)
        return any(self.is_moving(e) for e in node.slice) or (cut and self.tapered.is_one(node.value))

    def is_masked(self, node: cst.Subscript) -> bool:
        """Says whether a subscript chooses by a mask: stores into one have their own form."""
        indices = [e.slice.value for e in node.slice if isinstance(e.slice, cst.Index)]
        return any(self.kinds.is_mask(i) for i in indices) or mask_of(node, self.kinds) is not None

    def augmented(self, node: Any, one: cst.AugAssign) -> list[Any]:
        if isinstance(one.target, cst.Subscript) and self.is_masked(one.target) and not self.moves(node):
            return [node]
        if isinstance(one.target, cst.Subscript) and self.is_ragged(one.target):
            symbol = _BINARY.get(type(one.operator).__name__)
            if symbol is None:
                raise Unknown(f"`{code(one)}` is an operation on a part whose length changes")
            value: Any = one.value
            if not value.lpar and not isinstance(value, cst.Name | cst.Call | cst.Subscript | cst.Integer | cst.Float):
                value = value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
                self.module.inherit(value, one.value)
            parsed = cst.parse_expression(f"a {symbol} b")
            assert isinstance(parsed, cst.BinaryOperation)
            whole = parsed.with_changes(left=one.target, right=value)
            return [self.stored(node, one.target, one.value, self.evaluator.value(whole))]
        if not _mentions(self, one):
            return [node]
        if isinstance(one.target, cst.Name) and one.target.value in self.named:
            return self.changed(node, one, one.target)
        value = self.evaluator.plain(one.value)
        # an element of a part stands at another place of the whole axis
        target: Any = one.target
        if isinstance(target, cst.Subscript) and _mentions(self, target):
            target = self.evaluator.plain(target)
            self.module.inherit(target, one.target)
        new = one.with_changes(value=value, target=target)
        self.module.inherit(new, one)
        self.module.inherit(value, one.value)
        return [node.with_changes(body=[new])]

    def changed(self, node: Any, one: cst.AugAssign, target: cst.Name) -> list[Any]:
        """Returns ``x /= p`` of a named part; of a view, no element outside of the part may change."""
        into = self.name(target)
        assert into is not None
        value = self.evaluator.value(one.value)
        old = one.value
        if isinstance(value, Ragged):
            for axis in value.frames:
                if axis not in into.frames:
                    raise Unknown(f"`{code(old)}` moves along an axis along which `{code(target)}` does not")
                value = self.evaluator.moved(value, axis, into.frames[axis], node)
            value = cst.parse_expression(value.whole)
        if target.value in self.views:
            symbol = _BINARY.get(type(one.operator).__name__)
            if symbol is None:
                raise Unknown(f"`{code(one)}` is an operation on a part whose length changes")
            name, text = target.value, code(value)
            simple = isinstance(value, cst.Name | cst.Call | cst.Subscript | cst.Integer | cst.Float)
            text = text if simple or value.lpar else f"({text})"
            new = made(f"{name}[:] = __numpy__.where({into.mask()}, {name} {symbol} {text}, {name})", node)
            self.module.inherit(small(new).value, old)
            return [leading(new, node)]
        changed = one.with_changes(value=value)
        self.module.inherit(changed, one)
        self.module.inherit(value, old)
        return [node.with_changes(body=[changed])]

    def stored(self, node: Any, target: cst.Subscript, old: cst.BaseExpression, value: Any) -> Any:
        """Returns a store into a part as a store of a selection into the whole."""
        into = self.evaluator.value(target) if self.tapered.is_one(target.value) else self.ragged(target)
        assert isinstance(into, Ragged)
        if isinstance(value, Ragged):
            if value.ndim > into.ndim:
                raise Unknown(f"`{code(old)}` has more axes than `{code(target)}`")
            for axis in value.frames:
                if axis not in into.frames:
                    raise Unknown(f"`{code(old)}` moves along an axis along which `{code(target)}` does not")
                value = self.evaluator.moved(value, axis, into.frames[axis], node)
            text = value.whole
        else:
            fact = self.kinds.of(old)
            if not is_plain_number(old, self.kinds) and (
                fact is None
                or fact.shape is None
                or any(-axis <= len(fact.shape) and fact.shape[axis] != 1 for axis in into.frames)
            ):
                raise Unknown(f"`{code(old)}` does not move with `{code(target)}`")
            text = code(value)
        new = made(f"{_settable(into.whole)} = __numpy__.where({into.mask()}, {text}, {into.whole})", node)
        self.module.inherit(small(new).value, old)
        return leading(new, node)

    def exchanged(self, node: Any, targets: Sequence[Any], value: cst.Tuple) -> list[Any]:
        """Returns an exchange of parts: all values first, then the stores."""
        if len(targets) != len(value.elements):
            raise Unknown(f"`{code(value)}` is unpacked into parts whose length changes")
        lines, stores = [], []
        for to, given in zip(targets, value.elements, strict=True):
            found = self.evaluator.value(given.value)
            name = name_tools.fresh("moved", self.taken)
            self.taken.add(name)
            if isinstance(found, Ragged):
                lines.append(made(f"{name} = {found.whole}", node))
                found = Ragged(name, found.ndim, found.frames, found.dtype)
            else:
                lines.append(made(f"{name} = {code(found)}", node))
                found = cst.Name(name)
            if self.is_ragged(to.value):
                stores.append(self.stored(node, to.value, given.value, found))
            else:
                if isinstance(found, Ragged):
                    raise Unknown(f"the length of `{code(given.value)}` changes from step to step")
                stores.append(made(f"{code(to.value)} = {name}", node))
        lines[0] = leading(lines[0], node)
        return [*lines, *(s.with_changes(leading_lines=()) for s in stores)]


def _settable(whole: str) -> str:
    return whole if whole.endswith("]") else f"{whole}[:]"


def _names(text: str) -> frozenset[str]:
    return name_tools.loads(cst.parse_expression(text))


class _Moving(Finder):
    def __init__(self, function: _Function) -> None:
        super().__init__()
        self.function = function
        self.found = False

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if any(self.function.is_moving(e) for e in node.slice) and not self.function.kinds.is_container(node.value):
            self.found = True
        self.found = self.found or mask_of(node, self.function.kinds) is not None

    def visit_Call(self, node: cst.Call) -> None:
        if self.function.kinds.path(node.func) == "numpy.arange":
            self.found = self.found or not all(self.function.is_settled(a.value) for a in node.args)


def _mentions(function: _Function, node: cst.CSTNode) -> bool:
    """Says whether a statement holds a moving slice, or a name that stands for one."""
    finder = _Moving(function)
    node.visit(finder)
    return finder.found or bool(name_tools.loads(node) & set(function.named))
