"""Reads which sizes a sweep is to measure: ``n=1e3:1e7:9`` or ``n=100,1000,5000``.

>>> asked = parse("n=1e3:1e6:4")
>>> asked.parameter, asked.values(whole=True)
('n', (1000, 10000, 100000, 1000000))
>>> parse("eps=0.5,0.1").values(whole=False)
(0.1, 0.5)
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterable
from dataclasses import dataclass

FORM = "n=1e3:1e7:9 (from, to, how many; logarithmic) or n=100,1000,5000"
COUNT = 7
"""How many sizes are measured where the option does not say."""

MOST = 50
"""More sizes than this are refused: each is built for, verified and timed."""

LARGEST = 1e15
"""Above this no array has that many elements: a slip of the pen is told of before anything runs."""


class SweepError(ValueError):
    """What is to be swept cannot be read; the text says what is wrong and what to write instead."""


@dataclass(frozen=True)
class Asked:
    """The sizes that were asked for.

    Attributes
    ----------
    parameter : str
        The name that gets each size.
    text : str
        As it was written.
    start, stop, count
        The two ends and how many sizes lie between, ends included; None where the sizes are listed.
    listed : tuple of float
        The sizes as listed, ascending, each once.
    """

    parameter: str
    text: str
    start: float | None = None
    stop: float | None = None
    count: int | None = None
    listed: tuple[float, ...] = ()

    def values(self, *, whole: bool) -> tuple[float, ...]:
        """Returns the sizes, ascending, each once.

        Parameters
        ----------
        whole : bool
            Whether the parameter is an integer: sizes on the logarithmic scale are then rounded.

        Raises
        ------
        SweepError
            A listed size is no integer where one is needed, or fewer than two sizes are left.
        """
        if self.start is None or self.stop is None or self.count is None:
            odd = next((size for size in self.listed if whole and not size.is_integer()), None)
            if odd is not None:
                raise SweepError(f"`{self.parameter}` is an integer, and the size {odd:g} is none")
            return tuple(int(size) if whole else size for size in self.listed)
        low, high = math.log(self.start), math.log(self.stop)
        spaced = [math.exp(low + (high - low) * step / (self.count - 1)) for step in range(self.count)]
        # the ends are what was written, to the last bit
        spaced[0], spaced[-1] = self.start, self.stop
        found = sorted({max(1, round(size)) for size in spaced} if whole else set(spaced))
        if len(found) < 2:
            raise SweepError(f"{self.text} holds the one integer {found[0]}: give ends that are further apart")
        return tuple(found)


def parse(text: str) -> Asked:
    """Reads the option's text; raises :class:`SweepError`."""
    name, equals, given = (part.strip() for part in text.partition("="))
    if not equals or not given:
        raise SweepError(f"a sweep needs a name and its sizes, e.g. {FORM}; got {text!r}")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise SweepError(f"a sweep needs the name of a variable before the =, e.g. {FORM}; got {name!r}")
    if ":" in given:
        return _spaced(name, given, text)
    return of_list(name, [_number(part, text) for part in given.split(",") if part.strip()], text)


def of_list(parameter: str, sizes: Iterable[float], text: str | None = None) -> Asked:
    """Takes sizes one by one; raises :class:`SweepError` where there are too few, too many, or none that can be."""
    listed = sorted({_checked(float(size), text or f"the size {size!r}") for size in sizes})
    told = text if text is not None else f"{parameter}={','.join(map(_written, listed))}"
    if len(listed) < 2:
        raise SweepError(f"one size is no sweep: give two or more, e.g. {FORM}; got {told!r}")
    if len(listed) > MOST:
        raise SweepError(f"a sweep takes {MOST} sizes at most, and {told[:60]!r} lists {len(listed)}")
    return Asked(parameter, told, listed=tuple(listed))


def _written(size: float) -> str:
    """Writes a size as short as it may be: what is read from the text is the size, to the last bit."""
    short = f"{size:g}"
    return short if float(short) == size else repr(size).removesuffix(".0")


def _spaced(name: str, given: str, text: str) -> Asked:
    parts = [part.strip() for part in given.split(":")]
    if len(parts) > 3:
        raise SweepError(f"write the sizes as from:to:how many, e.g. {FORM}; got {text!r}")
    start, stop = _number(parts[0], text), _number(parts[1], text)
    count = COUNT if len(parts) == 2 else _count(parts[2], text)
    if not start < stop:
        raise SweepError(f"the sizes go from the smaller to the larger, and {parts[0]} is not below {parts[1]}")
    return Asked(name, text.strip(), start, stop, count)


def _count(part: str, text: str) -> int:
    number = _number(part, text)
    if not number.is_integer() or not 2 <= number <= MOST:
        raise SweepError(f"how many sizes has to be an integer from 2 to {MOST}, and {part!r} is not")
    return int(number)


def _number(part: str, text: str) -> float:
    try:
        number = float(part)
    except ValueError:
        raise SweepError(f"{part.strip()!r} is no number; write {FORM}") from None
    return _checked(number, text)


def _checked(number: float, text: str) -> float:
    if not math.isfinite(number) or number <= 0:
        raise SweepError(f"sizes have to be positive numbers, and {number:g} in {text!r} is none")
    if number > LARGEST:
        raise SweepError(f"the size {number:g} in {text!r} is above {LARGEST:g}: no array is that long")
    return number
