"""A value of which only a part counts, and what can be done with one along its axis: cut it, turn it round, pack it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import libcst as cst

from jitmagic.backends.jax.frames import Frame
from jitmagic.backends.jax.integer_tables import Whole
from jitmagic.backends.jax.sums import added, difference, written
from jitmagic.generate.kinds import Kinds


class Unknown(Exception):
    """A use of a moving slice that has no form over the whole axis; the message is a clause for the user."""


@dataclass(frozen=True)
class Ragged:
    """A value of which only a part counts.

    Attributes
    ----------
    whole : str
        The expression over whole axes.
    ndim : int
    frames : dict of int to Frame
        What counts, by axis from the end (-1 is the last).
    dtype : str or None
    of : Whole or None
        What it is of whole numbers, where it is a function of these alone.
    """

    whole: str
    ndim: int
    frames: dict[int, Frame] = field(default_factory=dict)
    dtype: str | None = None
    of: Whole | None = field(default=None, compare=False)

    def mask(self, axes: Any = None) -> str:
        """Returns the mask of some axes (all by default), shaped to broadcast against the whole."""
        parts = []
        for axis in sorted(self.frames if axes is None else axes):
            text = self.frames[axis].mask()
            if axis < -1:
                text = f"({text})[:, {', '.join(['None'] * (-axis - 1))}]"
            elif len(self.frames if axes is None else axes) > 1 and " & " in text:
                text = f"({text})"
            parts.append(text)
        return " & ".join(f"({p})" if " " in p and not p.startswith("(") and len(parts) > 1 else p for p in parts)

    def zeroed(self, axis: int) -> str:
        """Returns the whole with zeros in place of what does not count along an axis."""
        return self.filled("0", axis)

    def filled(self, value: str, axis: int = -1) -> str:
        """Returns the whole with one value in place of what does not count along an axis."""
        return f"__numpy__.where({self.mask([axis])}, {self.whole}, {value})"


def packed(part: Ragged, axis: int) -> Ragged:
    """Returns a part with the elements that a mask chooses moved to the beginning of their axis, in their order."""
    frame = part.frames[axis]
    if frame.chosen is None:
        return part
    if part.ndim + axis != 0:
        raise Unknown(f"`{part.whole}` is chosen from along another axis than the first, and its order counts")
    place = f"__jax__.numpy.flatnonzero({frame.chosen}, size={frame.length})"
    front = Frame("0", f"__numpy__.count_nonzero({frame.chosen})", "1", frame.length, frame.seen, exact=True)
    return Ragged(f"{term(part.whole)}[{place}]", part.ndim, {**part.frames, axis: front}, part.dtype)


def turned(part: Ragged, axis: int) -> Ragged:
    """Returns ``part[::-1]``: each element stands where the one as far from the other end stood."""
    part = packed(part, axis)
    frame = part.frames[axis]
    if frame.step != "1":
        raise Unknown("a part of steps other than 1 is turned round")
    before = ":, " * (axis + part.ndim)
    last = added(added(frame.start, frame.end()), "-1")
    place = f"{last} - __numpy__.arange({frame.length})"
    behind = ", :" * (-axis - 1) if before else ""
    return replace(part, whole=f"{term(part.whole)}[{before}{place}{behind}]")


def cut(part: Ragged, lower: str | None, upper: str | None, back: bool) -> Ragged:
    """Returns ``part[lower:upper]``; the bounds count from its start, the upper one ``back`` from its end.

    The lower bound must not be negative, nor the upper one but where it counts back.
    """
    axis = -part.ndim
    part = packed(part, axis)
    frame = part.frames[axis]
    if frame.step != "1":
        raise Unknown("a part of steps other than 1 is cut again")
    start = frame.start if lower in (None, "0") else added(frame.start, str(lower))
    stop = frame.stop
    if upper is not None and back:
        # of a part that is shorter than this nothing is left: the end lies before the start
        stop = added(frame.end(), f"-({upper})")
        return replace(part, frames={axis: replace(frame, start=start, stop=stop, exact=False, inside=None)})
    if upper is not None:
        stop = added(frame.start, upper)
        more = None if frame.stop is None else difference(frame.stop, stop)
        if more is not None and (set(more) - {""} or more.get("", 0) < 0):
            stop = f"__numpy__.minimum({stop}, {frame.stop})"
    same = start == frame.start and stop == frame.stop
    cut_again = replace(frame, start=start, stop=stop, exact=frame.exact and same, inside=None)
    return replace(part, frames={axis: cut_again})


def differences(part: Ragged) -> Ragged:
    """Returns ``np.diff(part)`` of a vector: it has one element less."""
    part = packed(part, -1)
    frame = part.frames[-1]
    if frame.step != "1":
        raise Unknown("differences of a part of steps other than 1")
    stop = None if frame.stop is None else added(frame.stop, "-1")
    if frame.within and part.dtype != "bool":
        # it keeps its length: what counts of it is told by the frame alone
        whole = f"__numpy__.roll({part.whole}, -1) - {term(part.whole)}"
        return Ragged(whole, 1, {-1: replace(frame, stop=stop, exact=False, inside=None)}, part.dtype)
    seen = None if frame.seen is None else frame.seen - 1
    shorter = Frame(frame.start, stop, "1", added(frame.length, "-1"), seen)
    return Ragged(f"__numpy__.diff({part.whole})", 1, {-1: shorter}, part.dtype)


def ordered(part: Ragged) -> Ragged:
    """Returns ``np.sort(part)`` of a vector: what does not count goes to the end."""
    frame = part.frames[-1]
    stop = frame.end() if frame.start == "0" and frame.chosen is None and frame.step == "1" else frame.width()
    front = Frame("0", stop, "1", frame.length, frame.seen, exact=True)
    return Ragged(f"__numpy__.sort({part.filled(beyond(part))})", 1, {-1: front}, part.dtype)


def beyond(part: Ragged) -> str:
    """Returns what NumPy sorts behind all numbers, NaN among them."""
    dtype = part.dtype or ""
    if dtype.startswith("float"):
        return "__numpy__.nan"
    if dtype.startswith(("int", "uint")):
        return f"__numpy__.iinfo(__numpy__.{dtype}).max"
    raise Unknown(f"it is not known what numbers `{part.whole}` holds, and they are put in order")


def ranked(name: str, part: Ragged, more: str) -> str:
    """Returns ``np.median``, ``np.percentile`` or ``np.quantile`` of a vector of which a part counts.

    NaN stands for what does not count, and the functions that leave NaN out do the rest; a NaN that counts makes the
    result NaN, as it does in NumPy.
    """
    dtype = part.dtype or ""
    if not dtype.startswith(("float", "int", "uint")):
        raise Unknown(f"it is not known what numbers `{part.whole}` holds, and they are put in order")
    result = f"__numpy__.nan{name}({part.filled('__numpy__.nan')}{more})"
    if not dtype.startswith("float"):
        return result
    return (
        f"__numpy__.where(__numpy__.any(__numpy__.isnan({part.whole}), where={part.mask()}), __numpy__.nan, {result})"
    )


def joined(pieces: list[Ragged]) -> Ragged | str:
    """Returns ``np.concatenate`` of vectors of which parts count; text where no length depends on values.

    Each place of the result reads the piece that it lies in.
    """
    dtypes = {p.dtype for p in pieces}
    if len(dtypes) != 1 or None in dtypes:
        raise Unknown("it is not known what numbers the joined parts hold, or they differ in kind")
    total, room, texts = "0", "0", []
    length = "0"
    for piece in pieces:
        piece = packed(piece, -1)
        frame = piece.frames[-1]
        if frame.step != "1":
            raise Unknown("a part of steps other than 1 is joined to others")
        exact = frame.exact or frame.start == "0"
        width = written(difference(frame.end(), frame.start))
        width = width if exact else f"__numpy__.maximum({width}, 0)"
        texts.append((piece.whole, added(frame.start, f"-({total})"), added(total, width)))
        total, room = added(total, width), added(room, frame.length)
    length = room
    known = total if _is_shape(total) else None
    place = f"__numpy__.arange({known or length})"
    text = ""
    for whole, shift, end in reversed(texts):
        at = (
            place if shift == "0" else f"{place} - {term(shift[1:])}" if shift.startswith("-") else f"{place} + {shift}"
        )
        if shift.startswith("-") and len(difference(shift, "0")) > 1:
            at = f"{place} + ({shift})"
        read = f"{term(whole)}[{at}]"
        text = f"__numpy__.where({place} < {end}, {read}, {text})" if text else read
    if known is not None:
        return text
    return Ragged(text, 1, {-1: Frame("0", total, "1", length, exact=True)}, pieces[0].dtype)


def _is_shape(text: str) -> bool:
    """Says whether a sum holds lengths and whole numbers alone."""
    return all(t == "" or (".shape[" in t and "(" not in t) for t in difference(text, "0"))


def alike(values: list[Any]) -> list[Any]:
    """Packs vectors that a mask chooses where they meet parts that begin somewhere: the same mask stays as it is."""
    frames = [f for v in values if isinstance(v, Ragged) for f in v.frames.values()]
    if len({f.chosen for f in frames}) < 2:
        return values
    return [packed(v, -v.ndim) if isinstance(v, Ragged) and -v.ndim in v.frames else v for v in values]


def is_plain_number(node: Any, kinds: Kinds) -> bool:
    """Says whether an expression is a number because all that it is made of are."""
    if isinstance(node, cst.Integer | cst.Float | cst.Imaginary) or kinds.is_number(node):
        return True
    if isinstance(node, cst.Name):
        if node.value in ("True", "False"):
            return True
        # a Python number at first and NumPy's later
        known = [f for f in kinds.names.get(node.value, []) if f.kind != "mixed"]
        return bool(known) and all(f.kind in ("scalar", "float", "int", "bool", "complex") for f in known)
    if isinstance(node, cst.BinaryOperation):
        return is_plain_number(node.left, kinds) and is_plain_number(node.right, kinds)
    if isinstance(node, cst.UnaryOperation):
        return is_plain_number(node.expression, kinds)
    path = kinds.path(node) if isinstance(node, cst.Attribute) else None
    return path in ("numpy.pi", "numpy.e", "numpy.inf", "numpy.nan")


def term(text: str) -> str:
    """Puts brackets around what would fall apart behind a dot or beside an operator."""
    node = cst.parse_expression(text)
    tight = cst.Name | cst.Attribute | cst.Call | cst.Subscript | cst.Integer | cst.Float
    return text if isinstance(node, tight) or bool(getattr(node, "lpar", False)) else f"({text})"
