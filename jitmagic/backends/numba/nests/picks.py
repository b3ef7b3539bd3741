"""Components of an array that a nest makes: `d[..., 0]` of `d = x[:, None] - x` is `x[i, 0] - x[j, 0]`."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from jitmagic.backends.numba.rewrites.windows import is_new_axis

_MANY = 10
"""Components that are told apart: their numbers take the place of a loop's index."""


@dataclass(frozen=True)
class Pick:
    """A subscript of full slices, new axes and numbers.

    Attributes
    ----------
    axes : tuple of (int or None)
        Of the result: an axis of the array, None for a new one.
    picked : dict of int to int
        The index along each axis that is gone.
    """

    axes: tuple[int | None, ...]
    picked: dict[int, int]


def pick_of(node: cst.BaseExpression, ndim: int) -> Pick | None:
    """Reads a subscript of an array of so many axes; None where it picks nothing, or is anything else.

    >>> pick_of(cst.parse_expression("d[..., 1, None]"), 3)
    Pick(axes=(0, 1, None), picked={2: 1})
    >>> pick_of(cst.parse_expression("d[:, None]"), 2) is None
    True
    """
    if not isinstance(node, cst.Subscript):
        return None
    parts = [element.slice for element in node.slice]
    dots = [k for k, part in enumerate(parts) if isinstance(part, cst.Index) and isinstance(part.value, cst.Ellipsis)]
    news = sum(isinstance(part, cst.Index) and is_new_axis(part.value) for part in parts)
    rest = ndim - (len(parts) - news - len(dots))
    if len(dots) > 1 or rest < 0:
        return None
    place = dots[0] if dots else len(parts)
    full: list[cst.BaseSlice] = [cst.Slice(lower=None, upper=None)] * rest
    axes: list[int | None] = []
    picked: dict[int, int] = {}
    axis = 0
    for part in (*parts[:place], *full, *parts[place + 1 :]):
        if not isinstance(part, cst.Index):
            if not isinstance(part, cst.Slice) or (part.lower, part.upper, part.step) != (None, None, None):
                return None
            axes.append(axis)
        elif is_new_axis(part.value):
            axes.append(None)
            continue
        elif isinstance(part.value, cst.Integer) and part.value.evaluated_value < _MANY:
            picked[axis] = part.value.evaluated_value
        else:
            return None
        axis += 1
    return Pick(tuple(axes), picked) if picked else None
