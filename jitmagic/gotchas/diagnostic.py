"""A gotcha: one diagnostic at a place in the user's source."""

from __future__ import annotations

from dataclasses import dataclass

SEVERITIES = ("silent", "error", "performance")
"""What goes wrong: a different number without a word; an exception; time lost or measured wrongly."""

STATUSES = ("confirmed", "possible", "not seen with these inputs")


@dataclass(frozen=True)
class Gotcha:
    """One diagnostic.

    Attributes
    ----------
    code : str
        E.g. ``"JX-PRINT"``; the rule's name in the catalogue.
    backend : str
        Whom it concerns: ``"jax"``, ``"numba"``, ``"torch"``, ``"cupy"``, ``"all"``.
    severity : str
        One of :data:`SEVERITIES`.
    status : str
        One of :data:`STATUSES`.
    line, column, end_line, end_column : int or None
        Span in the user's cell or file: lines from 1, columns from 0 in characters; None where it has no place.
    message : str
        What happens here, with the user's names.
    fix : str
        What to do instead.
    handled : bool
        True where the generated variants already avoid it.
    link : str
        Documentation.
    origin : str or None
        The package whose rule it is, with its version; None for jitmagic's own.
    """

    code: str
    backend: str
    severity: str
    status: str
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    message: str
    fix: str
    handled: bool
    link: str
    origin: str | None = None
