"""The part of an axis that a slice takes whose length changes: from where to where, as text, and as a mask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import libcst as cst

from jitmagic.backends.jax.sums import difference, terms
from jitmagic.generate.blocks import code


@dataclass(frozen=True)
class Frame:
    """A slice of one axis whose bounds are known while running only.

    Attributes
    ----------
    start : str
        First position; ``"0"`` where the slice is open below.
    stop : str or None
        Position behind the last; None where the slice is open above.
    step : str
        ``"1"``, or what stands behind the second colon.
    length : str
        The length of the whole axis.
    seen : int or None
        That length as it was observed: axes that were equally long are taken together as they are.
    """

    start: str
    stop: str | None
    step: str
    length: str
    seen: int | None = field(default=None, compare=False)

    def mask(self) -> str:
        """Returns the mask over the whole axis that is True inside the slice."""
        position = f"__numpy__.arange({self.length})"
        parts = []
        if self.start != "0":
            parts.append(f"{position} >= {self.start}")
        if self.stop is not None:
            parts.append(f"{position} < {self.stop}")
        if self.step != "1":
            parts.append(f"({position} - {_term(self.start)}) % {_term(self.step)} == 0")
        return " & ".join(f"({p})" for p in parts) if len(parts) > 1 else parts[0]

    def width(self) -> str:
        """Returns how many elements lie inside."""
        return f"__numpy__.count_nonzero({self.mask()})"

    def same_start(self, other: Frame) -> bool:
        return self.step == other.step and not difference(other.start, self.start)

    def same_length(self, other: Frame) -> bool:
        return self.length == other.length or (self.seen is not None and self.seen == other.seen)

    def may_be_as_wide(self, other: Frame) -> bool:
        """Says whether NumPy can take both together: widths that are written differently cannot be told equal."""
        if self.stop is None or other.stop is None:
            return True
        mine, theirs = difference(self.stop, self.start), difference(other.stop, other.start)
        # `x[i:n]` and `x[i:]`: an end that does not move is the array's own
        return mine == theirs


def _term(text: str) -> str:
    return text if text.replace("_", "").isalnum() else f"({text})"


class Lowest:
    """Proves that a sum is never below zero, from the ranges of the loops around it.

    Parameters
    ----------
    loops : sequence of libcst.For
        The loops around the place, the outermost first.
    seen_low : callable
        Returns a proved lower bound of a term that no loop counts, None where there is none.
    """

    def __init__(self, loops: list[cst.For], seen_low: object) -> None:
        self.loops = loops
        self.seen_low = seen_low

    def never_negative(self, node: cst.BaseExpression) -> bool:
        return self._never_negative(terms(node), 6)

    def _never_negative(self, found: Mapping[str, int], depth: int) -> bool:
        left = {t: n for t, n in found.items() if n}
        for loop in reversed(self.loops):
            name = loop.target.value if isinstance(loop.target, cst.Name) else None
            if name is None or name not in left or depth == 0:
                continue
            ends = ends_of(loop)
            if ends is None:
                continue
            count = left.pop(name)
            end = ends[0] if count > 0 else ends[1]
            if end is None:
                return False
            for term, n in end.items():
                left[term] = left.get(term, 0) + count * n
            return self._never_negative(left, depth - 1)
        lowest = left.pop("", 0)
        for term, count in left.items():
            low = self.seen_low(term) if count > 0 else None  # type: ignore[operator]
            if low is None:
                return False
            lowest += count * low
        return lowest >= 0


def ends_of(loop: cst.For) -> tuple[Counter[str] | None, Counter[str] | None] | None:
    """Returns the smallest and the largest value of a loop over a range, as terms; None for any other loop."""
    iterated = loop.iter
    backwards = False
    if isinstance(iterated, cst.Call) and code(iterated.func) == "reversed" and len(iterated.args) == 1:
        iterated, backwards = iterated.args[0].value, True
    if not (isinstance(iterated, cst.Call) and code(iterated.func) == "range"):
        if (
            isinstance(iterated, cst.Call)
            and code(iterated.func) in ("np.arange", "numpy.arange")
            and all(a.keyword is None for a in iterated.args)
        ):
            pass
        else:
            return None
    values = [a.value for a in iterated.args]
    start = terms(values[0]) if len(values) > 1 else Counter({"": 0})
    stop = terms(values[1] if len(values) > 1 else values[0])
    step = 1
    if len(values) == 3:
        only = terms(values[2])
        if set(only) - {""}:
            return None
        step = only[""]
    if step == 0 or (backwards and step != 1):
        return None
    if step > 0:
        last = Counter(stop)
        last[""] -= 1
        return start, last
    first = Counter(stop)
    first[""] += 1
    return first, start
