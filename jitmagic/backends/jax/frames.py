"""The part of an axis that a slice takes whose length changes: from where to where, as text, and as a mask."""

from __future__ import annotations

from dataclasses import dataclass, field

from jitmagic.backends.jax.sums import difference


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
