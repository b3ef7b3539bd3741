"""Expressions over slices whose length changes, written over whole axes with a mask: ``x[:i].sum()``, ``A[k:, k] / p``.

An operand is the whole array and, for each axis that a moving slice cuts, the :class:`Frame` of what counts.
Elementwise operations act on the whole, reductions take the mask as ``where=``, products see zeros outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import libcst as cst

from jitmagic.backends.jax.frames import Frame
from jitmagic.backends.jax.functions import ELEMENTWISE
from jitmagic.backends.jax.integer_tables import Whole, changed
from jitmagic.backends.jax.parts import Ragged, Unknown, alike, cut, is_plain_number, packed, term, turned
from jitmagic.backends.jax.ragged_vectors import Value, Vectors
from jitmagic.backends.jax.sums import added, difference, written
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.precedence import bracketed

_REDUCTIONS = frozenset({"sum", "prod", "mean", "std", "var", "max", "min", "amax", "amin", "any", "all"})
_ARGS = {"argmax": ("max", "-__numpy__.inf"), "argmin": ("min", "__numpy__.inf")}
_COPIES = frozenset({"numpy.copy", "numpy.array", "numpy.asarray", "numpy.ascontiguousarray"})
_JOINING = frozenset({"numpy.concatenate", "numpy.hstack", "numpy.append"})
_BUILTINS = {"sum": "sum", "max": "max", "min": "min"}


class Evaluator(Vectors):
    """Turns expressions with moving slices into ones over whole axes.

    Parameters
    ----------
    kinds : Kinds
    slices : callable
        Returns the :class:`Ragged` of a subscript that a moving slice cuts, None for any other subscript.
    named : callable
        Returns the Ragged that a name stands for at this place, None for any other name.
    natural : callable
        Says whether an expression is never below zero.
    highest : callable
        Returns what a whole number that depends on values never exceeds, None where no such bound is found, and the
        empty string for a number that does not depend on values.
    as_long : callable
        Returns length, and as it was seen, of an array of which as many elements count; None where there is none.
    steady : callable
        Says whether a number is the same in all steps of the loop.
    tabled : callable
        Returns a function of whole numbers as a look-up, where that is less work.
    """

    def __init__(
        self,
        kinds: Kinds,
        slices: Callable[[cst.Subscript], Ragged | None],
        named: Callable[[cst.Name], Ragged | None],
        natural: Callable[[cst.BaseExpression], bool],
        highest: Callable[[cst.BaseExpression], str | None],
        as_long: Callable[[str], tuple[str, int | None] | None],
        steady: Callable[[cst.BaseExpression], bool],
        tabled: Callable[[Ragged], Ragged],
    ) -> None:
        self.kinds = kinds
        self.slices = slices
        self.named = named
        self.natural = natural
        self.highest = highest
        self.as_long = as_long
        self.steady = steady
        self.tabled = tabled

    def plain(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Returns an expression in which no moving slice is left; raises Unknown where its value is one."""
        value = self.value(node)
        if isinstance(value, Ragged):
            raise Unknown(f"the length of `{code(node)}` changes from step to step")
        return value

    def value(self, node: Any) -> Value:
        """Returns the value of an expression; the same node where it holds no moving slice."""
        if isinstance(node, cst.Name):
            return self.named(node) or node
        if isinstance(node, cst.Subscript):
            return self.subscript(node)
        if isinstance(node, cst.BinaryOperation):
            return self.binary(node)
        if isinstance(node, cst.UnaryOperation):
            inner = self.value(node.expression)
            if isinstance(inner, Ragged):
                operand = cst.parse_expression(term(inner.whole))
                result = self.mapped(inner, code(node.with_changes(expression=operand)), inner.dtype)
                if inner.of is None or not isinstance(node.operator, cst.Minus):
                    return result
                if inner.of.is_bare:
                    rest = {t: -n for t, n in inner.of.rest}
                    return replace(result, of=inner.of.shifted(-inner.of.step, rest, result.whole))
                return replace(result, of=replace(inner.of, function=f"-({inner.of.function})"))
            return node if inner is node.expression else node.with_changes(expression=inner)
        if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
            only = node.comparisons[0]
            return self.together(
                node,
                [node.left, only.comparator],
                lambda parts: node.with_changes(
                    left=bracketed(node, "left", parts[0]),
                    comparisons=[only.with_changes(comparator=bracketed(only, "comparator", parts[1]))],
                ),
                "bool",
            )
        if isinstance(node, cst.Call):
            return self.call(node)
        if isinstance(node, cst.Attribute):
            return self.attribute(node)
        if isinstance(node, cst.Integer | cst.Float | cst.Imaginary | cst.SimpleString | cst.FormattedString):
            return node
        return self.children(node)

    def children(self, node: Any) -> Any:
        """Returns any other expression with plain parts."""
        return node.visit(_Children(self, node))

    def subscript(self, node: cst.Subscript) -> Value:
        found = self.slices(node)
        if found is not None:
            return found
        shape = node.value
        if isinstance(shape, cst.Attribute) and shape.attr.value == "shape" and len(node.slice) == 1:
            return self.extent(node, shape.value)
        base = self.value(node.value)
        if isinstance(base, Ragged):
            return self.of_part(node, base)
        taken = self.gathered(node, base)
        if taken is not None:
            return taken
        new = self.children(node)
        return new if base is node.value else new.with_changes(value=base)

    def extent(self, node: cst.Subscript, of: cst.BaseExpression) -> Value:
        """Returns ``part.shape[k]``."""
        part = self.value(of)
        index: Any = getattr(node.slice[0].slice, "value", None)
        if not isinstance(part, Ragged):
            return node
        axis = _whole_number(index)
        if axis is None:
            raise Unknown(f"`{code(node)}` of a part whose length changes")
        place = axis if axis < 0 else axis - part.ndim
        if place in part.frames:
            return cst.parse_expression(term(part.frames[place].width()))
        return cst.parse_expression(f"{term(part.whole)}.shape[{axis}]")

    def of_part(self, node: cst.Subscript, base: Ragged) -> Value:
        """Returns what is taken of a part: an element, a part of it, or all of it turned round."""
        only = node.slice[0].slice
        if _is_whole(node):
            return base
        if all(isinstance(e.slice, cst.Slice) and _turns(e.slice) is not None for e in node.slice):
            for position, element in enumerate(node.slice):
                if _turns(element.slice):
                    if position - base.ndim not in base.frames:
                        raise Unknown(f"`{code(node)}` turns an axis round that does not move")
                    base = turned(base, position - base.ndim)
            return base
        rows = -base.ndim in base.frames and all(_is_all(e) for e in node.slice[1:])
        if rows and len(base.frames) == 1 and (base.ndim == 1 or not isinstance(only, cst.Index) or self.counts(only)):
            if isinstance(only, cst.Index):
                index = self.value(only.value)
                if isinstance(index, Ragged):
                    return self.chosen(node, base, index)
                return self.element(base, only.value)
            if isinstance(only, cst.Slice) and (only.step is None or code(only.step) == "1"):
                part = self.shorter(node, base, only)
                # all parts of one vector from its beginning: where they meet, each has been shifted once
                frame = part.frames[-part.ndim]
                first = difference(frame.start, base.frames[-part.ndim].start)
                if set(first) == {""} and base.frames[-part.ndim].start == "0":
                    stop = None if frame.stop is None else added(frame.stop, f"-({frame.start})")
                    stop = added(frame.length, f"-({frame.start})") if stop is None else stop
                    return self.moved(part, -part.ndim, replace(frame, start="0", stop=stop), node)
                return part
        raise Unknown(f"the length of `{code(node.value)}` changes from step to step, and `{code(node)}` cuts it")

    def counts(self, index: cst.Index) -> bool:
        """Says whether an index is one whole number."""
        fact = self.kinds.of(index.value)
        return fact is not None and fact.kind in ("int", "scalar")

    def chosen(self, node: cst.Subscript, base: Ragged, mask: Ragged) -> Ragged:
        """Returns ``part[part > 0]``: of what counts, only what the mask chooses."""
        own, other = base.frames[-1], mask.frames.get(-1)
        if (
            mask.dtype != "bool"
            or other is None
            or mask.ndim != 1
            or not own.same_start(other)
            or (not own.same_length(other) or not own.may_be_as_wide(other) or own.step != "1")
        ):
            raise Unknown(f"`{code(node)}` takes elements of a part whose length changes by an array")
        inside = own.mask()
        inside = inside if isinstance(cst.parse_expression(inside), cst.Name) else f"({inside})"
        both = f"{inside} & {term(mask.whole)}"
        return Ragged(base.whole, 1, {-1: Frame("0", None, "1", own.length, own.seen, both)}, base.dtype)

    def shorter(self, node: cst.Subscript, base: Ragged, only: cst.Slice) -> Ragged:
        """Returns ``part[a:b]``."""
        base = packed(base, -base.ndim)
        lower, upper, back = only.lower, only.upper, False
        start = "0" if lower is None else code(self.plain(lower))
        if lower is not None and not self.natural(lower):
            if (
                not isinstance(lower, cst.UnaryOperation)
                or not isinstance(lower.operator, cst.Minus)
                or (upper is not None or not self.natural(lower.expression))
            ):
                raise Unknown(f"`{code(node)}` cuts a part whose length changes at a place that may be negative")
            frame = base.frames[-base.ndim]
            start = f"__numpy__.maximum({added(frame.end(), f'-({code(lower.expression)})')}, {frame.start})"
            return replace(base, frames={-base.ndim: replace(frame, start=start, exact=False, inside=None)})
        if isinstance(upper, cst.UnaryOperation) and isinstance(upper.operator, cst.Minus):
            upper, back = upper.expression, True
        if upper is not None and not self.natural(upper):
            raise Unknown(f"`{code(node)}` cuts a part whose length changes at a place that may be negative")
        return cut(base, start, None if upper is None else code(self.plain(upper)), back)

    def gathered(self, node: cst.Subscript, base: Any) -> Ragged | None:
        """Returns ``t[part]``: the elements of an array that a part's whole numbers name; None for any other."""
        found: Ragged | None = None
        texts = []
        axes = 0
        for position, element in enumerate(node.slice):
            if not isinstance(element.slice, cst.Index):
                return None
            index = self.value(element.slice.value)
            if isinstance(index, Ragged):
                if found is not None or index.ndim != 1 or not (index.dtype or "").startswith(("int", "uint")):
                    return None
                if position:
                    return None
                found = index
                texts.append(index.whole)
            else:
                fact = self.kinds.of(element.slice.value)
                if fact is None or fact.kind not in ("int", "scalar"):
                    return None
                texts.append(code(index))
                axes += 1
        fact = self.kinds.of(node.value)
        if found is None or fact is None or fact.kind != "array" or fact.ndim is None:
            return None
        ndim = fact.ndim - axes
        return Ragged(f"{term(code(base))}[{', '.join(texts)}]", ndim, {-ndim: found.frames[-1]}, fact.dtype)

    def element(self, base: Ragged, index: cst.BaseExpression) -> cst.BaseExpression:
        """Returns one element of a part: its index counts from the start, or back from the end."""
        base = packed(base, -base.ndim)
        frame = base.frames[-base.ndim]
        fact = self.kinds.of(index)
        if fact is None or fact.kind not in ("int", "scalar") or frame.step != "1":
            raise Unknown("an element of a part whose length changes is taken by an index that is no whole number")
        negative = isinstance(index, cst.UnaryOperation) and isinstance(index.operator, cst.Minus)
        if negative:
            place = f"{term(frame.end())} - {code(index.expression)}"  # type: ignore[attr-defined]
        elif isinstance(index, cst.Integer) or self.natural(index):
            place = added(frame.start, code(index))
        else:
            text = term(code(index))
            place = f"__numpy__.where({text} < 0, {term(frame.end())} + {text}, {term(frame.start)} + {text})"
        return cst.parse_expression(f"{term(base.whole)}[{place}]")

    # elementwise ------------------------------------------------------------------------------

    def mapped(self, like: Ragged, text: str, dtype: str | None = None) -> Ragged:
        return Ragged(text, like.ndim, like.frames, dtype)

    def binary(self, node: cst.BinaryOperation) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if not isinstance(left, Ragged) and not isinstance(right, Ragged):
            same = left is node.left and right is node.right
            return node if same else node.with_changes(left=left, right=right)
        if isinstance(node.operator, cst.MatrixMultiply):
            return self.product(node, left, right, node.left, node.right)
        fact = self.kinds.of(node)
        of = self.of_whole(node, left, right)
        if of is None:
            left, right = self.looked_up(left), self.looked_up(right)
        result = self.together(
            node,
            [node.left, node.right],
            lambda parts: node.with_changes(
                left=bracketed(node, "left", parts[0]), right=bracketed(node, "right", parts[1])
            ),
            fact.dtype if fact is not None else None,
            [left, right],
        )
        if of is None or not isinstance(result, Ragged):
            return result
        return replace(result, of=replace(of, text=result.whole) if of.is_bare else of)

    def of_whole(self, node: cst.BinaryOperation, left: Value, right: Value) -> Whole | None:
        """Returns what an operation with a number makes of a function of whole numbers; None for any other."""
        first = isinstance(left, Ragged)
        part, other = (left, node.right) if first else (right, node.left)
        if not isinstance(part, Ragged) or part.of is None or isinstance(left, Ragged) == isinstance(right, Ragged):
            return None
        if not is_plain_number(other, self.kinds):
            return None
        fact = self.kinds.of(other)
        integer = fact is not None and (fact.kind == "int" or fact.dtype == "int64")
        found = changed(part.of, node, other, first, "", integer)
        if found is not None:
            return found
        if not self.steady(other):
            return None
        inner = bracketed(node, "left" if first else "right", cst.parse_expression(part.of.function))
        new = node.with_changes(left=inner) if first else node.with_changes(right=inner)
        power = isinstance(node.operator, cst.Power) and not isinstance(node.right, cst.Integer)
        return replace(part.of, function=code(new), dear=part.of.dear or power)

    def looked_up(self, value: Value) -> Value:
        return self.tabled(value) if isinstance(value, Ragged) and value.of is not None else value

    def together(
        self,
        node: Any,
        given: list[Any],
        build: Callable[[list[Any]], Any],
        dtype: str | None,
        values: list[Value] | None = None,
    ) -> Value:
        """Combines operands elementwise, all in the frames of the first that has one."""
        values = [self.value(g) for g in given] if values is None else values
        ragged = [v for v in values if isinstance(v, Ragged)]
        if not ragged:
            return node if all(v is g for v, g in zip(values, given, strict=True)) else build(values)
        values = alike(values)
        ragged = [v for v in values if isinstance(v, Ragged)]
        frames: dict[int, Frame] = {}
        # what begins at the beginning stays there: less is shifted
        for one in sorted(ragged, key=lambda part: any(f.start != "0" for f in part.frames.values())):
            for axis, frame in one.frames.items():
                frames.setdefault(axis, frame)
        ndim = max(one.ndim for one in ragged)
        parts = []
        for value, old in zip(values, given, strict=True):
            if isinstance(value, Ragged):
                for axis in frames:
                    if axis not in value.frames and -axis <= value.ndim:
                        raise Unknown(f"`{code(old)}` does not move with the other slices of `{code(node)}`")
                for axis, frame in frames.items():
                    if axis in value.frames:
                        value = self.moved(value, axis, frame, node)
                parts.append(cst.parse_expression(value.whole))
                continue
            fact = self.kinds.of(old)
            if not self.kinds.is_number(old):
                if fact is None or fact.kind != "array" or fact.shape is None:
                    if not is_plain_number(old, self.kinds):
                        raise Unknown(f"it is not known whether `{code(old)}` is a number")
                else:
                    ndim = max(ndim, len(fact.shape))
                    for axis in frames:
                        if -axis <= len(fact.shape) and fact.shape[axis] != 1:
                            raise Unknown(f"`{code(old)}` does not move with the other slices of `{code(node)}`")
            parts.append(value)
        return Ragged(code(build(parts)), ndim, frames, dtype)

    def moved(self, value: Ragged, axis: int, frame: Frame, node: Any) -> Ragged:
        """Returns a part whose elements stand where those of another frame stand."""
        own = value.frames[axis]
        if not own.may_be_as_wide(frame):
            raise Unknown(f"the slices in `{code(node)}` are not written with the same length")
        if own.same_start(frame) and own.same_length(frame):
            return value
        if own.step != "1" or frame.step != "1":
            if own.same_start(frame):
                return value
            raise Unknown(f"the slices in `{code(node)}` begin at different places")
        apart = difference(own.start, frame.start)
        shift = written(apart)
        if own.same_length(frame):
            along = "" if value.ndim == 1 else f", axis={axis + value.ndim}"
            text = f"__numpy__.roll({value.whole}, {written({t: -n for t, n in apart.items()})}{along})"
        else:
            place = f"__numpy__.arange({frame.length})"
            if apart:
                place = f"{place} + {shift}" if not shift.startswith("-") else f"{place} - {term(shift[1:])}"
                if shift.startswith("-") and len(apart) > 1:
                    place = f"__numpy__.arange({frame.length}) + ({shift})"
            before, behind = ":, " * (axis + value.ndim), ", :" * (-axis - 1)
            text = f"{term(value.whole)}[{before}{place}{behind if before else ''}]"
        return Ragged(text, value.ndim, {**value.frames, axis: frame}, value.dtype)

    # calls ------------------------------------------------------------------------------------

    def attribute(self, node: cst.Attribute) -> Value:
        inner = self.value(node.value)
        if not isinstance(inner, Ragged):
            return node if inner is node.value else node.with_changes(value=inner)
        name = node.attr.value
        if name == "T" and inner.ndim == 1:
            return inner
        if name == "T" and inner.ndim == 2:
            return Ragged(f"{term(inner.whole)}.T", 2, {-3 - a: f for a, f in inner.frames.items()}, inner.dtype)
        if name in ("real", "imag"):
            return self.mapped(inner, f"{term(inner.whole)}.{name}")
        if name == "size" and inner.ndim == 1:
            return cst.parse_expression(term(inner.frames[-1].width()))
        if name == "dtype":
            return cst.parse_expression(f"{term(inner.whole)}.dtype")
        raise Unknown(f"`{code(node)}` of a part whose length changes")

    def call(self, node: cst.Call) -> Value:
        path = self.kinds.path(node.func)
        func: Any = node.func
        plain = path is None and isinstance(func, cst.Name) and func.value not in self.kinds.local
        if path is None and isinstance(func, cst.Attribute):
            base = self.value(func.value)
            if isinstance(base, Ragged):
                return self.method(node, base, func.attr.value)
            if base is not func.value:
                node = node.with_changes(func=func.with_changes(value=base))
        if path in _JOINING and node.args:
            together = self.joined(node, path)
            if together is not None:
                return together
        values = [self.value(a.value) for a in node.args]
        if path == "numpy.arange" and not any(isinstance(v, Ragged) for v in values):
            counted = self.counted(node, values)
            if counted is not None:
                return counted
        if not any(isinstance(v, Ragged) for v in values):
            if all(v is a.value for v, a in zip(values, node.args, strict=True)):
                return node
            return node.with_changes(args=[a.with_changes(value=v) for v, a in zip(values, node.args, strict=True)])
        first = values[0]
        name = (path or "").removeprefix("numpy.")
        if plain and func.value == "len" and isinstance(first, Ragged) and -first.ndim in first.frames:
            return cst.parse_expression(term(first.frames[-first.ndim].width()))
        if plain and func.value == "abs" and isinstance(first, Ragged):
            return self.mapped(first, f"__numpy__.abs({first.whole})", first.dtype)
        if plain and func.value in _BUILTINS and isinstance(first, Ragged) and first.ndim == 1 and len(values) == 1:
            return self.reduced(_BUILTINS[func.value], first, [], node)
        if path in ELEMENTWISE and all(a.keyword is None for a in node.args):
            fact = self.kinds.of(node)
            if len(values) == 1 and isinstance(first, Ragged) and first.of is not None:
                result = self.mapped(first, f"{code(node.func)}({first.whole})", None if fact is None else fact.dtype)
                of = replace(first.of, function=f"{code(node.func)}({first.of.function})", dear=True)
                return replace(result, of=of)
            values = [self.looked_up(v) for v in values]
            return self.together(
                node,
                [a.value for a in node.args],
                lambda parts: node.with_changes(
                    args=[a.with_changes(value=p) for a, p in zip(node.args, parts, strict=True)]
                ),
                fact.dtype if fact is not None else None,
                values,
            )
        if isinstance(first, Ragged):
            if path in _COPIES and len(node.args) == 1:
                return first
            if name in _REDUCTIONS or name in _ARGS or name == "count_nonzero":
                return self.reduced(name, first, list(node.args[1:]), node)
            if name == "linalg.norm" and first.ndim == 1 and len(node.args) == 1:
                return cst.parse_expression(f"{code(node.func)}({first.zeroed(-1)})")
            if first.ndim == 1:
                done = self.vector(name, first, node, values)
                if done is not None:
                    return done
        if name == "polyfit" and len(values) == 3 and not isinstance(values[2], Ragged):
            return self.fitted(node, values)
        if name == "interp" and len(values) == 3 and not isinstance(values[0], Ragged):
            return self.between(node, values)
        if name in ("dot", "inner", "matmul") and len(values) == 2:
            return self.product(node, values[0], values[1], node.args[0].value, node.args[1].value)
        if name == "outer" and len(values) == 2:
            return self.outer(node, values)
        raise Unknown(f"the length of what `{code(node)}` is given changes from step to step")

    def method(self, node: cst.Call, base: Ragged, name: str) -> Value:
        if name in _REDUCTIONS or name in _ARGS:
            return self.reduced(name, base, list(node.args), node)
        if name == "copy" and not node.args:
            return base
        if name == "astype" and len(node.args) == 1:
            dtype = self.kinds.dtype(node)
            return self.mapped(base, f"{term(base.whole)}.astype({code(node.args[0].value)})", dtype)
        if name == "cumsum" and not node.args and base.ndim == 1:
            return self.mapped(base, f"__numpy__.cumsum({base.zeroed(-1)})", self.kinds.dtype(node))
        if name == "dot" and len(node.args) == 1:
            other = node.args[0].value
            func: Any = node.func
            return self.product(node, base, self.value(other), func.value, other)
        raise Unknown(f"`.{name}()` of a part whose length changes")

    def outer(self, node: cst.Call, values: list[Value]) -> Ragged:
        frames, texts = {}, []
        for value, argument, axis in zip(values, node.args, (-2, -1), strict=True):
            if isinstance(value, Ragged):
                if value.ndim != 1:
                    raise Unknown(f"`{code(node)}` of more than vectors")
                frames[axis] = value.frames[-1]
                texts.append(value.whole)
            else:
                fact = self.kinds.of(argument.value)
                if fact is None or fact.ndim != 1:
                    raise Unknown(f"it is not known whether `{code(argument.value)}` is a vector")
                texts.append(code(value))
        return Ragged(f"{code(node.func)}({', '.join(texts)})", 2, frames, self.kinds.dtype(node))

    def product(self, node: Any, left: Value, right: Value, old_left: Any, old_right: Any) -> Value:
        """Returns a matrix product; what lies outside along the axis that is summed over is zero."""
        ndims = []
        for value, old in ((left, old_left), (right, old_right)):
            fact = self.kinds.of(old)
            ndim = value.ndim if isinstance(value, Ragged) else fact.ndim if fact is not None else None
            if ndim not in (1, 2):
                raise Unknown(f"it is not known how many axes `{code(old)}` has")
            ndims.append(ndim)
        inner = (-1, -1 if ndims[1] == 1 else -2)
        if ndims == [1, 1]:
            left, right = alike([left, right])
        a = left.frames.get(inner[0]) if isinstance(left, Ragged) else None
        b = right.frames.get(inner[1]) if isinstance(right, Ragged) else None
        if (a is None) != (b is None):
            raise Unknown(f"one side of `{code(node)}` changes its length and the other does not")
        texts = []
        if a is not None and b is not None:
            assert isinstance(left, Ragged)
            assert isinstance(right, Ragged)
            if not a.same_start(b) or not a.same_length(b):
                if ndims[1] == 1:
                    right = self.moved(right, -1, a, node)
                elif ndims[0] == 1:
                    left = self.moved(left, -1, b, node)
                else:
                    right = self.moved(right, inner[1], a, node)
            elif not a.may_be_as_wide(b):
                raise Unknown(f"the slices in `{code(node)}` are not written with the same length")
            if ndims == [1, 1] and self.kinds.dtype(node) in ("float64", "complex128", "int64", "float32"):
                return cst.parse_expression(
                    f"__numpy__.sum({term(left.whole)} * {term(right.whole)}, where={left.mask([-1])})"
                )
            texts = [left.zeroed(inner[0]), right.zeroed(inner[1])]
        else:
            texts = [v.whole if isinstance(v, Ragged) else code(v) for v in (left, right)]
        text = f"{term(texts[0])} @ {term(texts[1])}"
        if getattr(node, "lpar", ()):
            text = f"({text})"
        frames: dict[int, Frame] = {}
        if isinstance(left, Ragged) and ndims[0] == 2 and -2 in left.frames:
            frames[-1 if ndims[1] == 1 else -2] = left.frames[-2]
        if isinstance(right, Ragged) and ndims[1] == 2 and -1 in right.frames:
            frames[-1] = right.frames[-1]
        if not frames:
            return cst.parse_expression(text)
        return Ragged(text, ndims[0] + ndims[1] - 2, frames, self.kinds.dtype(node))

    # reductions -------------------------------------------------------------------------------

    def reduced(self, name: str, part: Ragged, args: list[cst.Arg], node: Any) -> Value:
        """Returns a reduction over the elements that count."""
        more, axis, also = "", None, ""
        for position, argument in enumerate(args):
            word = argument.keyword.value if argument.keyword is not None else "axis" if position == 0 else ""
            if word == "axis":
                axis = _whole_number(argument.value)
                if axis is None:
                    raise Unknown(f"the axis of `{code(node)}` is not a plain number")
                axis = axis if axis < 0 else axis - part.ndim
            elif word == "ddof" and name in ("std", "var"):
                more = f", ddof={code(argument.value)}"
            elif word == "where" and part.ndim == 1 and name not in _ARGS:
                _, chosen = self.pair(node, part, self.value(argument.value))
                also = f" & {term(chosen.whole)}"
            elif word == "initial" and name in ("max", "min"):
                more += f", initial={code(self.plain(argument.value))}"
            else:
                raise Unknown(f"`{code(argument)}` in `{code(node)}`")
        if name in _ARGS:
            return self.position(name, part, axis, node)
        over = sorted(part.frames) if axis is None else [a for a in part.frames if a == axis]
        left = {} if axis is None else {(a if a > axis else a + 1): f for a, f in part.frames.items() if a != axis}
        where = ""
        if over:
            mask = part.mask(over)
            mask = f"({mask}){also}" if also else mask
            if name == "count_nonzero":
                text = part.whole if part.dtype == "bool" else f"({part.whole} != 0)"
                name, part, where = "sum", Ragged(text, part.ndim, part.frames, "bool"), f", where={mask}"
            elif name in ("max", "min", "amax", "amin"):
                where = f", where={mask}"
                if "initial=" not in more:
                    where += f", initial={_extreme(part.dtype, name.endswith('max'), node)}"
            elif name in ("mean", "std", "var") and part.ndim > len(over):
                where = f", where=__numpy__.broadcast_to({mask}, {term(part.whole)}.shape)"
            else:
                where = f", where={mask}"
        at = "" if axis is None else f", axis={axis + part.ndim}"
        text = f"__numpy__.{name}({part.whole}{at}{more}{where})"
        if left:
            return Ragged(text, part.ndim - 1, left, part.dtype)
        return cst.parse_expression(text)

    def position(self, name: str, part: Ragged, axis: int | None, node: Any) -> cst.BaseExpression:
        if part.ndim != 1 or part.frames[-1].step != "1":
            raise Unknown(f"`{code(node)}` over more than one axis")
        part = packed(part, -1)
        outside = _extreme(part.dtype, name == "argmax", node)
        frame = part.frames[-1]
        text = f"__numpy__.{name}(__numpy__.where({frame.mask()}, {part.whole}, {outside}))"
        if frame.start == "0":
            return cst.parse_expression(text)
        # where all that counts is as extreme as what does not, NumPy takes the first that counts
        return cst.parse_expression(f"__numpy__.maximum({text} - {term(frame.start)}, 0)")


class _Children(cst.CSTTransformer):
    """Replaces the outermost expressions inside a node by plain ones."""

    def __init__(self, evaluator: Evaluator, root: Any) -> None:
        super().__init__()
        self.evaluator = evaluator
        self.root = root

    def on_visit(self, node: cst.CSTNode) -> bool:
        return bool(node is self.root or not isinstance(node, cst.BaseExpression))

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        if original_node is self.root or not isinstance(original_node, cst.BaseExpression):
            return updated_node
        return self.evaluator.plain(original_node)


def _turns(part: Any) -> bool | None:
    """Says whether a slice turns its axis round; None for a slice that is neither ``:`` nor ``::-1``."""
    if part.lower is not None or part.upper is not None:
        return None
    step = "1" if part.step is None else code(part.step).replace(" ", "")
    return {"1": False, "-1": True}.get(step)


def _is_whole(node: cst.Subscript) -> bool:
    return all(_is_all(e) for e in node.slice)


def _is_all(element: cst.SubscriptElement) -> bool:
    part = element.slice
    return isinstance(part, cst.Slice) and part.lower is None and part.upper is None and part.step is None


def _extreme(dtype: str | None, largest: bool, node: Any) -> str:
    """Returns what never wins a search for the largest, or the smallest."""
    if dtype is not None and dtype.startswith("float"):
        return "-__numpy__.inf" if largest else "__numpy__.inf"
    if dtype is not None and dtype.startswith(("int", "uint")):
        return f"__numpy__.iinfo(__numpy__.{dtype}).{'min' if largest else 'max'}"
    raise Unknown(f"it is not known what numbers `{code(node)}` looks through")


def _whole_number(node: cst.BaseExpression) -> int | None:
    if isinstance(node, cst.Integer):
        return int(node.value)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        inner = _whole_number(node.expression)
        return None if inner is None else -inner
    return None
