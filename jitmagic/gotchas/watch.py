"""Keeps an error of our own in one rule from ending the comparison, and from vanishing."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager


class Watch:
    """Collects what went wrong in rules; many rules that fail at one place make one sentence.

    Parameters
    ----------
    troubles : list of str or None
        Takes the sentences; with None every error is raised as it is.
    """

    def __init__(self, troubles: list[str] | None) -> None:
        self._troubles = troubles
        self._failed: dict[tuple[str, str], list[str]] = {}

    @contextmanager
    def over(self, what: str, origin: str = "") -> Iterator[None]:
        """Runs a block that may fail; ``what`` names it in the sentence, ``origin`` the package that it is of."""
        try:
            yield
        except Exception as error:
            if self._troubles is None:
                raise
            frame = traceback.extract_tb(error.__traceback__)[-1]
            # the file's name alone: where jitmagic is installed is nobody's business in a shared report
            place = f"{os.path.basename(frame.filename)}, line {frame.lineno}"
            self._failed.setdefault((f"{type(error).__name__}: {error}; {place}", origin), []).append(what)

    def report(self) -> None:
        """Adds the sentences to the list that was given."""
        for (error, origin), rules in self._failed.items():
            named = ", ".join(rules[:3]) + (f" and {len(rules) - 3} more" if len(rules) > 3 else "")
            maker = origin or "jitmagic"
            sentence = (
                f"{origin or 'jitmagic itself'} failed while it looked for the gotchas {named} ({error}): "
                f"this is a bug in {maker.split()[0]}, please report it with your function"
            )
            if self._troubles is not None and sentence not in self._troubles:
                self._troubles.append(sentence)
