"""Settles gotchas by what became of the variants: what a verified variant shows to be avoided is no warning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from jitmagic.gotchas.diagnostic import Gotcha

_LOOPS = frozenset({"JX-UNROLL"})
"""Codes that speak of a loop left as it stands: avoided by a variant whose form is another."""


def settle(gotchas: Iterable[Gotcha], asked: Iterable[str], verified: Mapping[str, Iterable[str]]) -> list[Gotcha]:
    """Keeps the gotchas of the backends that were asked for, and marks those that a verified variant avoids.

    What would be an error did not happen where a variant of that backend ran and gave NumPy's result.

    Parameters
    ----------
    gotchas : iterable of Gotcha
    asked : iterable of str
        Names of the backends that were compared.
    verified : mapping of str to iterable of str
        By backend, the forms of its verified variants.
    """
    wanted = {"all", "numpy", *asked}
    kept: dict[tuple[str, int | None, int | None], Gotcha] = {}
    for gotcha in gotchas:
        if gotcha.backend not in wanted:
            continue
        forms = set(verified.get(gotcha.backend, ()))
        avoided = (gotcha.severity == "error" and bool(forms)) or (
            gotcha.code in _LOOPS and bool(forms) and "unrolled" not in forms
        )
        kept[gotcha.code, gotcha.line, gotcha.column] = replace(gotcha, handled=gotcha.handled or avoided)
    return list(kept.values())
