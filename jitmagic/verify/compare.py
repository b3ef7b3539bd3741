"""Compares what a variant returned, and did to its arguments, with what NumPy did.

Plain functions of NumPy values: no backend is known here, device arrays were moved to the host before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jitmagic.same_bits import chunks, largest_magnitude, same_bits
from jitmagic.verify.movement import Movement
from jitmagic.verify.tolerance import Tolerance, tolerance

_SCALAR_DTYPES = {
    bool: np.dtype(bool),
    int: np.dtype(np.int64),
    float: np.dtype(np.float64),
    complex: np.dtype(np.complex128),
}


@dataclass(frozen=True)
class Finding:
    """The outcome of a comparison.

    Attributes
    ----------
    ok : bool
    kind : str
        Empty where ok, else the first thing that differs: "structure", "shape", "dtype", "values", "mutated",
        "identity", "exception", "undecided" (nothing differs, and part of what is expected is not sure enough to tell).
    message : str
        One sentence for the user; empty where ok.
    max_abs, max_rel : float or None
        Largest absolute and relative difference over all compared numbers; None where nothing could be compared.
    where : str
        The place of the largest difference, e.g. ``"result[3, 17]"``; empty where all is equal.
    """

    ok: bool
    kind: str = ""
    message: str = ""
    max_abs: float | None = None
    max_rel: float | None = None
    where: str = ""


@dataclass
class _Worst:
    """The largest difference so far, over all parts of a result; the mappings are those of :func:`compare_call`.

    ``scale`` is the largest finite magnitude that is expected anywhere.
    """

    scale: float = 0.0
    movement: Mapping[str, Movement] = field(default_factory=dict)
    floor: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    max_abs: float = 0.0
    max_rel: float = 0.0
    where: str = ""
    compared: bool = False


class _Differs(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def compare_call(
    expected: Any,
    actual: Any,
    expected_arguments: Mapping[str, Any],
    actual_arguments: Mapping[str, Any],
    mutated: Sequence[str],
    inputs: int,
    movement: Mapping[str, Movement] | None = None,
    floor: Mapping[str, float] | None = None,
    errors: Mapping[str, np.ndarray[Any, Any]] | None = None,
) -> Finding:
    """Compares one call's result and the arguments after it.

    Parameters
    ----------
    expected, actual : object
        What NumPy and the variant returned.
    expected_arguments, actual_arguments : mapping of str to object
        The arguments after the call, by label.
    mutated : sequence of str
        Labels of the arguments that NumPy changes: compared within tolerance; all others must be untouched to the bit.
    inputs : int
        Number of elements of all arguments, from which the length of reductions is estimated.
    movement : mapping of str to Movement, optional
        How NumPy's own numbers move for one unit in the last place of the arguments, by their path ("result",
        "result[0]", an argument's label); see :func:`jitmagic.verify.sensitivity.movements`.
    floor : mapping of str to float, optional
        Absolute differences that are nothing, by path; see :func:`floors`.
    errors : mapping of str to array, optional
        By path, how far each expected number may itself be from the truth; infinite where it says nothing.
    """
    changed = [expected_arguments[label] for label in mutated] if movement else []
    leaves = [array for one in (expected, *changed) for _, array in numeric_leaves(one)] if movement else []
    scale = max((largest_magnitude(array) for array in leaves if array.dtype.kind in "fc"), default=0.0)
    worst = _Worst(scale, movement or {}, floor or {}, errors or {})
    try:
        _compare(expected, actual, "result", inputs, worst)
        for label, before in expected_arguments.items():
            after = actual_arguments[label]
            if label in mutated:
                try:
                    _compare(before, after, label, inputs, worst)
                except _Differs as difference:
                    text = f"the argument {label} after the call is not as NumPy leaves it: {difference}"
                    raise _Differs("mutated", text) from None
            elif not same_bits(before, after):
                raise _Differs("mutated", f"the argument {label} was changed, which NumPy leaves as it was")
    except _Differs as difference:
        return Finding(False, difference.kind, str(difference), *_figures(worst))
    blind = sum(int(np.count_nonzero(np.isinf(error))) for error in worst.errors.values())
    if blind:
        every = sum(error.size for error in worst.errors.values())
        share = f"{blind} of {every} values cannot be checked" if every > 1 else "the value cannot be checked"
        return Finding(False, "undecided", f"{share}; {_first_blind(actual, worst)}", *_figures(worst))
    return Finding(True, "", "", *_figures(worst))


def _first_blind(actual: Any, worst: _Worst) -> str:
    """Says what stands at the first place at which nothing can be checked."""
    for path, array in numeric_leaves(actual):
        error = worst.errors.get(path)
        if error is not None and np.isinf(error).any():
            place = tuple(int(index) for index in np.argwhere(np.isinf(error))[0])
            return f"at {_at(path, place, array.shape)} it gives {_short(array[place])}"
    return "none is shown"


def count_elements(value: Any) -> int:
    """Counts the array elements in a nested value; a number counts as one."""
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, list | tuple):
        return sum(map(count_elements, value))
    if isinstance(value, dict):
        return sum(map(count_elements, value.values()))
    return 1


def numeric_leaves(value: Any, path: str = "result") -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Yields the arrays and numbers of a nested value, as arrays, with the paths that findings name."""
    if isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from numeric_leaves(part, f"{path}[{number}]")
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from numeric_leaves(part, f"{path}[{key!r}]")
    elif _is_numeric(value):
        array = np.asarray(value)
        if array.dtype.kind in "biufc":
            yield path, array


def floors(result: Any, arguments: Mapping[str, Any]) -> dict[str, float]:
    """Returns the differences that are rounding where a result is as large as this one, by path.

    What cancels leaves some of it: a sum of fields that is 0 but for rounding has no digit that is right.
    """
    found: dict[str, float] = {}
    for label, value in (("result", result), *arguments.items()):
        for path, array in numeric_leaves(value, label):
            if array.dtype.kind in "fc" and array.size:
                found[path] = tolerance(array.dtype).absolute_share * largest_magnitude(array)
    return found


def shared_labels(result: Any, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the labels of the arguments that a result shares memory with, so that who writes into one changes both.

    Arrays that cannot be written (a JAX array's, seen from NumPy) share nothing that could be noticed.
    """
    mine = [array for _, array in _arrays(result) if array.flags.writeable and array.size]
    found = []
    for label, value in arguments.items():
        for _, array in _arrays(value):
            if any(_share(array, one) for one in mine):
                found.append(label)
                break
    return tuple(found)


def _arrays(value: Any) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    return ((path, one) for path, one in numeric_leaves(value) if isinstance(one, np.ndarray))


def _share(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    try:
        return bool(np.shares_memory(one, other, max_work=10_000))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return np.may_share_memory(one, other)


def _figures(worst: _Worst) -> tuple[float | None, float | None, str]:
    if not worst.compared:
        return None, None, ""
    return worst.max_abs, worst.max_rel, worst.where


def _compare(expected: Any, actual: Any, path: str, inputs: int, worst: _Worst) -> None:
    if isinstance(expected, list | tuple):
        if not isinstance(actual, list | tuple) or isinstance(expected, list) != isinstance(actual, list):
            raise _Differs("structure", f"{path} is a {_kind(actual)} where NumPy gives a {_kind(expected)}")
        if len(expected) != len(actual):
            raise _Differs("structure", f"{path} has {len(actual)} elements where NumPy gives {len(expected)}")
        for number, (left, right) in enumerate(zip(expected, actual, strict=True)):
            _compare(left, right, f"{path}[{number}]", inputs, worst)
    elif isinstance(expected, dict):
        if not isinstance(actual, dict) or set(expected) != set(actual):
            raise _Differs("structure", f"{path} is a {_kind(actual)} with other keys than NumPy's")
        for key, left in expected.items():
            _compare(left, actual[key], f"{path}[{key!r}]", inputs, worst)
    elif _is_numeric(expected):
        if not _is_numeric(actual):
            raise _Differs("structure", f"{path} is a {_kind(actual)} where NumPy gives a {_kind(expected)}")
        _compare_numbers(expected, actual, path, inputs, worst)
    elif type(expected) is not type(actual) or not same_bits(expected, actual):
        raise _Differs("values", f"{path} is {_short(actual)} where NumPy gives {_short(expected)}")


def _is_numeric(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) or type(value) in _SCALAR_DTYPES


def _compare_numbers(expected: Any, actual: Any, path: str, inputs: int, worst: _Worst) -> None:
    left, right = _as_array(expected), _as_array(actual)
    if left.shape != right.shape:
        raise _Differs("shape", f"{path} has shape {right.shape} where NumPy gives {left.shape}")
    if left.dtype.kind not in "biufc":
        if not same_bits(left, right):
            raise _Differs("values", f"{path} differs from NumPy's")
        return
    same_dtype = left.dtype == right.dtype
    if not same_dtype and not (left.dtype.kind in "biufc" and right.dtype.kind in "biufc"):
        raise _Differs("dtype", f"{path} is {right.dtype} where NumPy gives {left.dtype}")
    allowed = tolerance(_coarser(left.dtype, right.dtype), inputs / max(left.size, 1))
    wrong, place = _difference(left, right, path, allowed, worst)
    if not same_dtype:
        raise _Differs("dtype", f"{path} is {right.dtype} where NumPy gives {left.dtype}")
    if wrong:
        at = _at(path, place, left.shape)
        share = f"{wrong} of {left.size} values differ" if left.size > 1 else "the value differs"
        shown, wanted = _apart(right[place], left[place])
        raise _Differs("values", f"{share}, most at {at}: {shown} where NumPy gives {wanted}")


def _difference(
    left: np.ndarray[Any, Any], right: np.ndarray[Any, Any], path: str, allowed: Tolerance, worst: _Worst
) -> tuple[int, tuple[int, ...]]:
    """Counts the values out of tolerance and finds the worst; keeps the figures in ``worst``."""
    worst.compared = True
    wrong, most, most_at = 0, -np.inf, 0
    unequal, first_unequal = 0, 0
    wide = np.result_type(left.dtype, right.dtype, np.float64)
    with np.errstate(all="ignore"):
        absolute = allowed.absolute_share * largest_magnitude(left) if allowed.absolute_share else 0.0
        moves = worst.movement.get(path)
        if moves is not None and moves.may_be(left, right):
            absolute = max(absolute, moves.allowed(left, allowed.absolute_share * worst.scale))
        absolute = max(absolute, worst.floor.get(path, 0.0))
        own = None if path not in worst.errors else worst.errors[path].reshape(-1)
        for start, exact_left, exact_right in chunks(left, right):
            # equal infinities and equal integers beyond 2**53 have no difference; a NaN equals a NaN
            equal = exact_left == exact_right
            if left.dtype.kind in "fc" and right.dtype.kind in "fc":
                equal |= np.isnan(exact_left) & np.isnan(exact_right)
            piece = None if own is None else own[start : start + equal.size]
            if piece is not None:
                # no difference counts where the expected number says nothing
                equal |= np.isinf(piece)
            if equal.all():
                continue
            first_unequal = first_unequal if unequal else start + int(np.argmin(equal))
            unequal += int(equal.size - np.count_nonzero(equal))
            one, two = exact_left.astype(wide), exact_right.astype(wide)
            gap = np.where(equal, 0.0, np.abs(one - two))
            size = np.abs(one)
            # a NaN or an infinity on one side only is infinitely far
            gap = np.where(np.isfinite(gap), gap, np.inf)
            allowance = absolute + allowed.relative * np.where(np.isfinite(size), size, 0.0)
            excess = gap - (allowance if piece is None else allowance + np.where(equal, 0.0, piece))
            # integers that differ beyond 2**53 have a gap of zero in float64
            bad = (excess > 0) | (~equal & (gap == 0.0))
            wrong += int(np.count_nonzero(bad))
            if bad.any():
                at = int(np.argmax(np.where(bad, excess, -np.inf)))
                if wrong == np.count_nonzero(bad) or excess[at] > most:
                    most, most_at = float(excess[at]), start + at
            top = float(gap.max())
            if top > worst.max_abs:
                worst.max_abs = top
                worst.where = _at(path, np.unravel_index(start + int(np.argmax(gap)), left.shape), left.shape)
            relative = gap[size > 0] / size[size > 0]
            if relative.size:
                worst.max_rel = max(worst.max_rel, float(relative.max()))
    if moves is not None and not wrong and unequal > moves.most_places(left):
        wrong, most_at = unequal, first_unequal
    return wrong, tuple(int(index) for index in np.unravel_index(most_at, left.shape)) if left.size else ()


def _as_array(value: Any) -> np.ndarray[Any, Any]:
    if type(value) in _SCALAR_DTYPES:
        if type(value) is int and not -(2**63) <= value < 2**63:
            raise _Differs("values", f"the integer {value} does not fit 64 bits, in which every backend computes")
        return np.asarray(value, _SCALAR_DTYPES[type(value)])
    return np.asarray(value)


def _coarser(left: np.dtype[Any], right: np.dtype[Any]) -> np.dtype[Any]:
    if left.kind in "fc" and right.kind in "fc":
        return left if np.finfo(left).eps >= np.finfo(right).eps else right
    return left


def _at(path: str, place: Sequence[Any], shape: tuple[int, ...]) -> str:
    return f"{path}[{', '.join(str(int(index)) for index in place)}]" if shape else path


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array"
    return "None" if value is None else type(value).__name__


def _apart(one: Any, other: Any) -> tuple[str, str]:
    """Writes two values that differ so that they look different."""
    texts = _short(one), _short(other)
    return texts if texts[0] != texts[1] else (repr(one.item()), repr(other.item()))


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray | np.generic):
        value = value.item() if np.ndim(value) == 0 else value.tolist()
    text = f"{value:.9g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
