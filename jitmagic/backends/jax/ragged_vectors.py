"""NumPy's functions of vectors of which only a part counts: sorted, ranked, joined, integrated, looked up in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from jitmagic.backends.jax.frames import Frame
from jitmagic.backends.jax.integer_tables import PLACE, Whole
from jitmagic.backends.jax.parts import (
    Ragged,
    Unknown,
    alike,
    beyond,
    differences,
    is_plain_number,
    joined,
    ordered,
    packed,
    ranked,
    term,
    turned,
)
from jitmagic.backends.jax.sums import added, terms, written
from jitmagic.backends.jax.tapers import arange_length
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds

Value = Ragged | cst.BaseExpression

_PYTHON = {"int": "int64", "float": "float64", "bool": "bool"}


class Vectors:
    """Writes such calls; what stands in them is evaluated by the class that inherits."""

    kinds: Kinds
    natural: Callable[[cst.BaseExpression], bool]
    highest: Callable[[cst.BaseExpression], str | None]
    as_long: Callable[[str], tuple[str, int | None] | None]

    def value(self, node: Any) -> Value:
        """Returns the value of an expression."""
        raise NotImplementedError

    def mapped(self, like: Ragged, text: str, dtype: str | None = None) -> Ragged:
        """Returns a value of which the same part counts."""
        raise NotImplementedError

    def moved(self, value: Ragged, axis: int, frame: Frame, node: Any) -> Ragged:
        """Returns a part whose elements stand where those of another frame stand."""
        raise NotImplementedError

    def reduced(self, name: str, part: Ragged, args: list[cst.Arg], node: Any) -> Value:
        """Returns a reduction over the elements that count."""
        raise NotImplementedError

    def vector(self, name: str, first: Ragged, node: cst.Call, values: list[Value]) -> Value | None:
        """Returns a function of a vector of which a part counts; None for a function that has no such form."""
        rest = [a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in node.args[1:]]
        plain = not any(isinstance(v, Ragged) for v in values[1:])
        more = "".join(f", {code(a)}" for a in rest)
        if name == "cumsum" and not rest:
            return self.mapped(first, f"__numpy__.cumsum({first.zeroed(-1)})", self.kinds.dtype(node))
        if name == "sort" and not rest:
            return ordered(first)
        if name == "diff" and not rest:
            return differences(first)
        if name in ("flip", "flipud") and not rest:
            return turned(first, -1)
        if name == "median" and not rest:
            return cst.parse_expression(ranked("median", first, ""))
        if name in ("percentile", "quantile") and len(rest) == 1 and plain:
            return cst.parse_expression(ranked(name, first, more))
        if name == "ptp" and not rest:
            low, high = (self.reduced(n, first, [], node) for n in ("min", "max"))
            return cst.parse_expression(f"({code(high)} - {code(low)})")  # type: ignore[arg-type]
        if name in ("ones_like", "zeros_like"):
            return (
                self.mapped(first, f"__numpy__.{name}({first.whole}{more})", self.kinds.dtype(node)) if plain else None
            )
        if name in ("trapezoid", "trapz") and (not rest or isinstance(values[1], Ragged)):
            return self.area(node, first, values[1] if rest else None)
        if name == "searchsorted" and plain and rest:
            front = packed(first, -1)
            frame = front.frames[-1]
            if frame.start == "0" and frame.step == "1":
                text = f"__numpy__.searchsorted({front.filled(beyond(front))}{more})"
                return cst.parse_expression(f"__numpy__.minimum({text}, {frame.width()})")
        return None

    def pair(self, node: cst.Call, one: Any, other: Any) -> tuple[Ragged, Ragged]:
        """Returns two vectors of which the same part counts."""
        if not isinstance(one, Ragged) or not isinstance(other, Ragged) or one.ndim != 1 or other.ndim != 1:
            raise Unknown(f"one side of `{code(node)}` changes its length and the other does not")
        one, other = alike([one, other])
        if not other.frames[-1].may_be_as_wide(one.frames[-1]):
            raise Unknown(f"the slices in `{code(node)}` are not written with the same length")
        return one, self.moved(other, -1, one.frames[-1], node)

    def fitted(self, node: cst.Call, values: list[Any]) -> cst.BaseExpression:
        """Returns ``np.polyfit`` of a part: what does not count has no weight."""
        x, y = self.pair(node, values[0], values[1])
        if any(a.keyword is not None for a in node.args):
            raise Unknown(f"`{code(node)}` of a part has options")
        weights = f"__numpy__.where({x.mask()}, 1.0, 0.0)"
        return cst.parse_expression(
            f"__numpy__.polyfit({x.zeroed(-1)}, {y.zeroed(-1)}, {code(values[2])}, w={weights})"
        )

    def between(self, node: cst.Call, values: list[Any]) -> cst.BaseExpression:
        """Returns ``np.interp`` in a table that is a part: its ends are repeated over what does not count."""
        x, y = self.pair(node, values[1], values[2])
        x, y = packed(x, -1), packed(y, -1)
        frame = x.frames[-1]
        if frame.step != "1":
            raise Unknown(f"`{code(node)}` looks up in a part of steps other than 1")
        at = f"__numpy__.clip(__numpy__.arange({frame.length}), {frame.start}, {added(frame.end(), '-1')})"
        return cst.parse_expression(
            f"__numpy__.interp({code(values[0])}, {term(x.whole)}[{at}], {term(y.whole)}[{at}])"
        )

    def area(self, node: cst.Call, heights: Ragged, places: Value | None) -> cst.BaseExpression:
        """Returns the trapezoidal rule over a part."""
        heights = packed(heights, -1)
        step = "1"
        if isinstance(places, Ragged):
            places = packed(places, -1)
            if places.ndim != 1 or not places.frames[-1].may_be_as_wide(heights.frames[-1]):
                raise Unknown(f"the slices in `{code(node)}` are not written with the same length")
            places = self.moved(places, -1, heights.frames[-1], node)
            step = differences(places).whole
        inside = differences(heights).frames[-1]
        whole = term(heights.whole)
        sums = f"({whole}[1:] + {whole}[:-1])"
        return cst.parse_expression(f"__numpy__.sum({step} * {sums} / 2, where={inside.mask()})")

    def joined(self, node: cst.Call, path: str) -> Value | None:
        """Returns ``np.concatenate((x[k:], x[:k]))``; None where nothing in it moves."""
        first: Any = node.args[0].value
        given = [a.value for a in node.args]
        if path != "numpy.append":
            if len(node.args) != 1 or not isinstance(first, cst.Tuple | cst.List):
                return None
            given = [e.value for e in first.elements]
        elif len(given) != 2 or any(a.keyword is not None for a in node.args):
            return None
        values = [self.value(g) for g in given]
        if not any(isinstance(v, Ragged) for v in values):
            return None
        pieces = []
        for value, old in zip(values, given, strict=True):
            if isinstance(value, Ragged):
                if value.ndim != 1:
                    raise Unknown(f"`{code(node)}` joins more than vectors")
                pieces.append(value)
                continue
            fact = self.kinds.of(old)
            if isinstance(old, cst.List) and all(is_plain_number(e.value, self.kinds) for e in old.elements):
                length, text = str(len(old.elements)), f"__numpy__.array({code(value)})"
                dtypes = {
                    self.kinds.dtype(e.value) or _PYTHON.get(getattr(self.kinds.of(e.value), "kind", ""))
                    for e in old.elements
                }
                dtype = dtypes.pop() if len(dtypes) == 1 else None
            elif fact is not None and fact.kind == "array" and fact.ndim == 1:
                length, text, dtype = f"{term(code(value))}.shape[0]", code(value), fact.dtype
            else:
                raise Unknown(f"it is not known how long `{code(old)}` is")
            pieces.append(Ragged(text, 1, {-1: Frame("0", length, "1", length, exact=True)}, dtype))
        result = joined(pieces)
        return cst.parse_expression(result) if isinstance(result, str) else result

    def counted(self, node: cst.Call, values: list[Value]) -> Ragged | None:
        """Returns ``np.arange(k)`` of a count that depends on values as a part of a longer one; None for any other."""
        if any(a.keyword is not None for a in node.args):
            return None
        beside = self.beside(node, values)
        if beside is not None or len(values) > 2:
            return beside
        bounds = [self.highest(a.value) for a in node.args]
        if not any(b != "" for b in bounds):
            return None
        dtype = self.kinds.dtype(node)
        if dtype is None or not dtype.startswith("int"):
            return None
        if bounds[-1] is None:
            return None
        most = bounds[-1] or code(node.args[-1].value)
        stop = code(values[-1])  # type: ignore[arg-type]
        if len(values) == 1:
            text = f"__numpy__.arange({most})"
            return Ragged(text, 1, {-1: Frame("0", stop, "1", most)}, dtype, Whole(PLACE, 1, (), stop, text))
        start = code(values[0])  # type: ignore[arg-type]
        if bounds[0] == "" and isinstance(node.args[0].value, cst.Integer):
            length = added(most, f"-({start})")
            text, count = f"__numpy__.arange({start}, {most})", added(stop, f"-({start})")
            rest = (("", int(start)),) if int(start) else ()
            frame = Frame("0", count, "1", length)
            return Ragged(text, 1, {-1: frame}, dtype, Whole(PLACE, 1, rest, count, text))
        if not self.natural(node.args[0].value):
            raise Unknown(f"`{code(node)}` may begin below zero, so that no bound is known for its length")
        return Ragged(
            f"{term(start)} + __numpy__.arange({most})", 1,
            {-1: Frame("0", added(stop, f"-({start})"), "1", most)}, dtype,
        )  # fmt: skip

    def beside(self, node: cst.Call, values: list[Value]) -> Ragged | None:
        """Returns ``np.arange`` of as many numbers as count of a vector that loses elements; None for any other."""
        dtype = self.kinds.dtype(node)
        count = arange_length(values, lambda one: terms(one))
        if count is None or dtype is None or not dtype.startswith("int") or not values:
            return None
        room = self.as_long(written(count))
        if room is None:
            return None
        start = code(values[0]) if len(values) > 1 else "0"  # type: ignore[arg-type]
        step = int(code(values[2])) if len(values) == 3 else 1  # type: ignore[arg-type]
        text = f"__numpy__.arange({room[0]})"
        text = text if abs(step) == 1 else f"{abs(step)} * {text}"
        if start != "0" or step < 0:
            sign = "-" if step < 0 else "+"
            text = f"-{text}" if start == "0" else f"{term(start) if '-' not in start[:1] else start} {sign} {text}"
        frame = Frame("0", written(count), "1", *room, within=True)
        rest = tuple(sorted((t, n) for t, n in terms(cst.parse_expression(start)).items() if n))
        return Ragged(text, 1, {-1: frame}, dtype, Whole(PLACE, step, rest, written(count), text))
