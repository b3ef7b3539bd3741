"""Probes of other sizes: which axes belong together is guessed from equal lengths, and NumPy says which guess is right.

Axes of one length are one symbol, and so are the numbers among the arguments that equal it. Symbols are first changed
together, then the axes of one symbol one by one: what NumPy takes then had equal lengths by accident.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jitmagic.verify.probes import SHAPE, Inputs, Probe

_KEPT = 5
"""Axes up to this length (x, y, z; the taps of a filter) keep it where the others are made small."""

_FIRST = 7
"""The least length that longer axes are cut to: odd, and long enough for borders."""

_SPLITS = 7
"""Ways of dividing one symbol's axes that are tried."""


@dataclass(frozen=True)
class _Place:
    """An axis of an array, or a number (axis None), among the arguments."""

    label: str
    axis: int | None


def small(inputs: Inputs) -> Probe | None:
    """Returns the probe of short axes, from which probes of large arguments are made; None where all are short."""
    lengths = _small_lengths(inputs)
    if all(new == old for old, new in lengths.items()):
        return None
    return _resized(
        inputs, "short axes", _told(lengths), {place: lengths[old] for old, place in _places(inputs)}, False
    )


def of_sizes(inputs: Inputs) -> Iterator[Probe]:
    """Yields probes of other sizes, the most telling first."""
    places = list(_places(inputs))
    if (short := small(inputs)) is not None:
        yield short
    yield from _unequal(inputs, places)
    symbols = sorted({old for old, _ in places if old > 1})
    longer = [old for old in symbols if old > _KEPT] or symbols
    for target, name in ((1, "length 1"), (2, "length 2"), (0, "empty arrays")):
        changed = {old: target for old in longer if old != target}
        if changed:
            yield _resized(inputs, name, _told(changed), {p: changed.get(old, old) for old, p in places}, False)
    for old in symbols:
        if len(symbols) > 1:
            one = {p: (_odd_below(old) if mine == old else mine) for mine, p in places}
            yield _resized(inputs, "one length changed", _told({old: _odd_below(old)}), one, refusal=False)
    grown = {old: old + 1 for old in longer}
    for some in (grown, *({old: old + 1} for old in symbols if len(symbols) > 1)):
        if some:
            yield _resized(inputs, "longer by one", _told(some), {p: some.get(old, old) for old, p in places}, False)
    if inputs.arrays:
        steps = tuple(f"{label} = {label}[np.newaxis]" for label in inputs.arrays)
        others = tuple((step,) for step in steps) if len(steps) > 1 else ()
        yield Probe("one axis more", "an axis of length 1 before the others", steps, SHAPE, others, refusal=False)


def _unequal(inputs: Inputs, places: Sequence[tuple[int, _Place]]) -> Iterator[Probe]:
    """Yields probes in which axes that were of one length are of two; NumPy refuses most."""
    lengths = _small_lengths(inputs)
    for symbol in sorted({old for old, _ in places if old > 1}, reverse=True):
        mine = [place for old, place in places if old == symbol]
        for part in itertools.islice(_parts(mine), _SPLITS):
            new = {place: lengths[old] for old, place in places}
            short = max(2, lengths[symbol] - 2) if lengths[symbol] > 3 else lengths[symbol] + 1
            new.update(dict.fromkeys(part, short))
            about = " and ".join(_shown(place) for place in part)
            yield _resized(inputs, "unequal axes", f"{about} of length {short}, the others of {lengths[symbol]}", new)
            if len(part) == 1 and part[0].axis is not None:
                # what NumPy stretches
                one = {**new, part[0]: 1}
                about = f"{about} of length 1, the others of {lengths[symbol]}"
                yield _resized(inputs, "stretched axes", about, one, refusal=False)


def _parts(places: Sequence[_Place]) -> Iterator[tuple[_Place, ...]]:
    """Yields the ways to divide axes in two: single ones first, then axes of one rank, then pairs."""
    if len(places) < 2:
        return
    told: set[frozenset[_Place]] = set()
    singles = [(place,) for place in places]
    by_axis = [tuple(p for p in places if p.axis == axis) for axis in dict.fromkeys(p.axis for p in places)]
    by_label = [tuple(p for p in places if p.label == label) for label in dict.fromkeys(p.label for p in places)]
    for part in [*singles, *by_axis, *by_label, *itertools.combinations(places, 2)]:
        if 0 < len(part) < len(places):
            rest = frozenset(places) - frozenset(part)
            if frozenset(part) not in told and rest not in told:
                told.add(frozenset(part))
                yield part


def _places(inputs: Inputs) -> Iterator[tuple[int, _Place]]:
    for label, array in inputs.arrays.items():
        for axis, length in enumerate(array.shape):
            yield length, _Place(label, axis)
    for label, value in inputs.lengths.items():
        yield value, _Place(label, None)


def _small_lengths(inputs: Inputs) -> dict[int, int]:
    """Returns a short length for each length: in the same order, and related as they are (n + 1, 2 n, n m)."""
    lengths = sorted({old for old, _ in _places(inputs)})
    new: dict[int, int] = {}
    following = _FIRST
    for old in lengths:
        if old <= _KEPT or (old <= _FIRST and not new):
            new[old] = old
            continue
        related = _related(old, new)
        if related is None:
            related = max(following, max((v for k, v in new.items() if k > _KEPT), default=0) + 2)
        new[old] = min(old, related)
        following = max(following, new[old] + 2)
    return new


def _related(old: int, new: Mapping[int, int]) -> int | None:
    longer = [one for one in new if one > _KEPT]
    for one in reversed(longer):
        if old - one <= 2:
            return new[one] + (old - one)
    for one, other in itertools.combinations_with_replacement([k for k in new if k > 1], 2):
        if one * other == old and (one > _KEPT or other > _KEPT):
            return new[one] * new[other]
    for one in longer:
        for factor in (2, 3, 4):
            for extra in (-1, 0, 1):
                if factor * one + extra == old:
                    return factor * new[one] + extra
    return None


def _odd_below(length: int) -> int:
    return length - 2 if length % 2 and length > 3 else length - 1 if length > 2 else length + 1


def _resized(inputs: Inputs, name: str, about: str, new: Mapping[_Place, int], refusal: bool = True) -> Probe:
    """Returns the probe that gives each axis its new length: the first elements, or all of them over and over."""
    steps = []
    for label, array in inputs.arrays.items():
        shape = [new[_Place(label, axis)] for axis in range(array.ndim)]
        if tuple(shape) == array.shape:
            continue
        if all(short <= long for short, long in zip(shape, array.shape, strict=True)):
            cut = ", ".join(f":{s}" if s < n else ":" for s, n in zip(shape, array.shape, strict=True))
            steps.append(f"{label} = {label}[{cut}].copy()")
        else:
            for axis, (wanted, length) in enumerate(zip(shape, array.shape, strict=True)):
                if wanted != length:
                    steps.append(f"{label} = {label}.take(np.arange({wanted}) % {max(length, 1)}, axis={axis})")
    for label, value in inputs.lengths.items():
        if new[_Place(label, None)] != value:
            steps.append(f"{label} = {new[_Place(label, None)]}")
    within = tuple(_within(inputs, new))
    others = ((*steps, *within),) if within else ()
    return Probe(name, about, tuple(steps), SHAPE, others, refusal=refusal)


def _within(inputs: Inputs, new: Mapping[_Place, int]) -> Iterator[str]:
    """Yields the steps that keep integers, which may be indices into an axis, below its new length."""
    cut = {old: length for (old, place) in _places(inputs) if (length := new[place]) < old}
    for label, array in inputs.integers.items():
        top = int(array.max())
        fitting = sorted(old for old in cut if 0 <= top <= old)
        if fitting and cut[fitting[0]] > 0:
            limit = cut[fitting[0]] + (top == fitting[0])  # the ends of rows, as compressed matrices hold them
            yield f"{label} = ({label} % {limit}).astype({label}.dtype)"


def _shown(place: _Place) -> str:
    return place.label if place.axis is None else f"axis {place.axis} of {place.label}"


def _told(lengths: Mapping[int, int]) -> str:
    changed = [f"{old} → {new}" for old, new in lengths.items() if old != new]
    return f"axes of length {', '.join(changed[:4])}{', …' if len(changed) > 4 else ''}"
