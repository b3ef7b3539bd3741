"""The part of an axis that a slice takes whose length changes: from where to where, as text, and as a mask."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from jitmagic.backends.jax.sums import difference, written


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
    chosen : str or None
        The mask itself, where one chooses what counts and not a slice.
    exact : bool
        Whether ``0 <= start <= stop <= length`` is proved: the bounds are positions then, and not only asked for.
    within : bool
        Whether ``stop <= length`` is proved.
    inside : str or None
        The name under which the mask is known, in all that has this very frame.
    """

    start: str
    stop: str | None
    step: str
    length: str
    seen: int | None = field(default=None, compare=False)
    chosen: str | None = None
    exact: bool = False
    within: bool = field(default=False, compare=False)
    inside: str | None = field(default=None, compare=False)

    def mask(self) -> str:
        """Returns the mask over the whole axis that is True inside the slice."""
        if self.chosen is not None or self.inside is not None:
            return self.chosen or self.inside or ""
        position = f"__numpy__.arange({self.length})"
        parts = []
        if self.start != "0":
            parts.append(f"{position} >= {self.start}")
        if self.stop is not None:
            parts.append(f"{position} < {self.stop}")
        if self.step != "1":
            parts.append(f"({position} - {_term(self.start)}) % {_term(self.step)} == 0")
        if not parts:
            return f"__numpy__.ones({self.length}, bool)"
        return " & ".join(f"({p})" for p in parts) if len(parts) > 1 else parts[0]

    def width(self) -> str:
        """Returns how many elements lie inside."""
        if self.exact and self.stop is not None and self.step == "1":
            return written(difference(self.stop, self.start))
        return f"__numpy__.count_nonzero({self.mask()})"

    def end(self) -> str:
        """Returns the position behind the last element; one that lies inside the axis, or before the start."""
        if self.stop is None:
            return self.length
        return self.stop if self.exact or self.within else f"__numpy__.minimum({self.stop}, {self.length})"

    def texts(self) -> tuple[str, ...]:
        """Returns all that stands for a value: what a frame depends on."""
        return (self.start, self.stop or "0", self.length, self.chosen or "0", self.inside or "0")

    def same_start(self, other: Frame) -> bool:
        if self.chosen != other.chosen or self.step != other.step:
            return False
        if not difference(other.start, self.start):
            return True
        return self.same_length(other) and not difference(other.in_lengths(other.start), self.in_lengths(self.start))

    def in_lengths(self, text: str) -> str:
        """Returns a bound with the axis's own length under one name: so `x[a:b]` and `y[a:b]` can be compared."""
        return re.sub(rf"(?<![\w.]){re.escape(self.length)}(?!\w)", "__length__", text)

    def same_length(self, other: Frame) -> bool:
        return self.length == other.length or (self.seen is not None and self.seen == other.seen)

    def may_be_as_wide(self, other: Frame) -> bool:
        """Says whether NumPy can take both together: widths that are written differently cannot be told equal."""
        if self.chosen is not None or other.chosen is not None:
            return self.chosen == other.chosen
        if self.stop is None or other.stop is None:
            return True
        mine, theirs = difference(self.stop, self.start), difference(other.stop, other.start)
        if mine == theirs:
            return True
        if not self.same_length(other):
            return False
        return difference(self.in_lengths(self.stop), self.in_lengths(self.start)) == difference(
            other.in_lengths(other.stop), other.in_lengths(other.start)
        )


def _term(text: str) -> str:
    return text if text.replace("_", "").isalnum() else f"({text})"
