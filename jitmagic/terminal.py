"""What a terminal can show: its width, colour, and one progress line. Used by the magic and the command line."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from jitmagic.comparison import Progress

NARROWEST = 40
WIDEST = 120
UNKNOWN = 80


def is_terminal(stream: TextIO | None) -> bool:
    """Returns whether a person looks at the stream (False for a closed or missing one)."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # a closed stream
        return False


def width() -> int:
    """Returns the columns to fill with a text: the terminal's, but from 40 to 120."""
    return max(NARROWEST, min(columns(), WIDEST))


def columns() -> int:
    """Returns the columns that the terminal has, 80 where they are unknown."""
    return shutil.get_terminal_size((UNKNOWN, 24)).columns


def wants_colour(stream: TextIO | None) -> bool:
    """Returns whether to colour: on a terminal that knows colour, unless NO_COLOR is set (https://no-color.org)."""
    if not is_terminal(stream) or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    # The old Windows console prints escape sequences as they are; those that read them set one of these.
    return sys.platform != "win32" or any(name in os.environ for name in ("WT_SESSION", "ANSICON", "TERM"))


def describe(event: Progress) -> str:
    """Words one progress event, e.g. ``jitmagic: compiling numba-parallel (3 of 8)``.

    Once there are rounds, it ends with the variant that is surely the fastest of them, and its speedup until then.
    """
    words = f"jitmagic: {f'{event.size}, ' if event.size else ''}{event.step}"
    if event.variant:
        words += f" {event.variant}"
        if event.total > 1:
            words += f" ({event.done + 1} of {event.total})"
    elif event.done:
        # how many rounds there will be is an estimate that changes from round to round
        words += f", round {event.done + 1}"
    if event.seconds_left is not None:
        words += f", about {max(0.0, event.seconds_left):.0f} s left"
    known = [(one.speedup.low, one.name, one.speedup) for one in event.standings if one.speedup is not None]
    if known:
        from jitmagic.report.progress import so_far

        _, name, speedup = max(known, key=lambda one: one[:2])
        words += f"; so far {name} {so_far(speedup)}"
    return words


class Throttle:
    """Lets an event through when its step or variant is new, and otherwise only every ``interval`` seconds."""

    def __init__(self, interval: float = 0.2, clock: Callable[[], float] = time.monotonic) -> None:
        self.interval = interval
        self.clock = clock
        self.last_key: tuple[str, str | None, str] | None = None
        self.last_time = 0.0

    def passes(self, event: Progress) -> bool:
        """Returns whether to show the event, and remembers it if so."""
        key, now = (event.step, event.variant, event.size), self.clock()
        if key == self.last_key and now - self.last_time < self.interval:
            return False
        self.last_key, self.last_time = key, now
        return True


class ProgressLine:
    """Shows events as one line that rewrites itself, where the stream is a terminal; shows nothing elsewhere."""

    def __init__(self, stream: TextIO | None = None, throttle: Throttle | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.shown = 0
        self.throttle = throttle or Throttle()
        self.enabled = is_terminal(self.stream)

    def __call__(self, event: Progress) -> None:
        if self.enabled and self.throttle.passes(event):
            # A line as wide as the terminal wraps, and a carriage return does not come back over the wrap.
            self._write(describe(event)[: max(1, columns() - 1)])

    def clear(self) -> None:
        """Removes the line."""
        if self.shown:
            self._write("")
            self.stream.write("\r")
            self.stream.flush()

    def _write(self, text: str) -> None:
        # Padding instead of an escape sequence: it works in every console.
        self.stream.write("\r" + text.ljust(self.shown))
        self.stream.flush()
        self.shown = len(text)
