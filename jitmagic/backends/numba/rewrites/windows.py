"""Views that are read as elements of the array beneath them: `x[1:-1, None]` at `i, j` is `x[i + 1]`.

A view of a part has strides that only the run tells, and loops over it are not vectorised; the array itself has its
elements side by side, as the compiler knows. What a view is as long as, is said of the array too.

>>> node = cst.parse_expression("x[1:-1, None, :5]")
>>> [axis for axis in window_of(node).axes]
[Part(base=0, start=1, upper=-1), None, Part(base=1, start=0, upper=5)]
>>> length_of("x", window_of(node).axes[0])
'max(x.shape[0] - 2, 0)'
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst


@dataclass(frozen=True)
class Part:
    """An axis of a view that is a part of an axis of its array.

    Attributes
    ----------
    base : int
        The array's axis.
    start : int or libcst expression
        Where it begins: a number that is not negative, or what the function works out.
    upper : int, libcst expression or None
        Where it ends, as written; None for the end of the axis.
    """

    base: int
    start: int | cst.BaseExpression
    upper: int | cst.BaseExpression | None = None


@dataclass(frozen=True)
class Window:
    """A view of slices and new axes.

    Attributes
    ----------
    array : libcst Name
    axes : tuple of (Part or None)
        Of the view; None for a new axis.
    moves : bool
        Whether where it begins or ends is worked out by the function.
    """

    array: cst.Name
    axes: tuple[Part | None, ...]
    moves: bool


def window_of(node: cst.BaseExpression, ndim: int | None = None) -> Window | None:
    """Reads a view; None where it picks, steps, or counts from the end where it begins.

    Parameters
    ----------
    node : libcst expression
    ndim : int, optional
        Axes of the array, where the axes behind the last slice are wanted too.
    """
    if not isinstance(node, cst.Subscript) or not isinstance(node.value, cst.Name):
        return None
    axes: list[Part | None] = []
    base = 0
    moves = False
    for element in node.slice:
        part = element.slice
        if isinstance(part, cst.Slice):
            if part.step is not None:
                return None
            lower, upper = _bound(part.lower), _bound(part.upper)
            if isinstance(lower, int) and lower < 0:
                return None
            moves = moves or not (isinstance(lower, int | None) and isinstance(upper, int | None))
            axes.append(Part(base, 0 if lower is None else lower, upper))
            base += 1
        elif isinstance(part, cst.Index) and is_new_axis(part.value):
            axes.append(None)
        else:
            return None
    axes += [Part(k, 0) for k in range(base, ndim or 0)]
    return Window(node.value, tuple(axes), moves)


def is_new_axis(node: cst.BaseExpression) -> bool:
    """Says whether what stands in a subscript makes a new axis."""
    if isinstance(node, cst.Attribute):
        return node.attr.value == "newaxis"
    return isinstance(node, cst.Name) and node.value == "None"


def length_of(array: str, part: Part) -> str:
    """Returns the length of a part whose bounds are written as numbers."""
    whole = f"{array}.shape[{part.base}]"
    assert isinstance(part.start, int)
    assert isinstance(part.upper, int | None)
    if part.upper is None or part.upper < 0:
        cut = part.start - (part.upper or 0)
        return f"max({whole} - {cut}, 0)" if cut else whole
    if part.start == 0:
        return f"min({whole}, {part.upper})"
    return f"max(min({whole}, {part.upper}) - {part.start}, 0)"


def steps_of(length: str) -> str:
    """Returns what `range` takes for a length: it makes no step where that is negative.

    >>> steps_of("max(x.shape[0] - 2, 0)"), steps_of("x.shape[0]")
    ('x.shape[0] - 2', 'x.shape[0]')
    """
    if length.startswith("max(") and length.endswith(", 0)"):
        return length.removeprefix("max(").removesuffix(", 0)")
    return length


def _bound(node: cst.BaseExpression | None) -> int | cst.BaseExpression | None:
    if isinstance(node, cst.Integer):
        return node.evaluated_value
    if (
        isinstance(node, cst.UnaryOperation)
        and isinstance(node.operator, cst.Minus)
        and isinstance(node.expression, cst.Integer)
    ):
        return -node.expression.evaluated_value
    return node
