"""Which outcome of a test tells something: of ``not``, ``and`` and ``or`` it follows from their parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst


def asks(test: Any, part: Callable[[Any], bool | None]) -> bool | None:
    """Returns the outcome of a test that tells it, None where neither does.

    Parameters
    ----------
    part : callable
        Says so of a test that is made of no others.
    """
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        inner = asks(test.expression, part)
        return None if inner is None else not inner
    if isinstance(test, cst.BooleanOperation):
        wanted = isinstance(test.operator, cst.And)
        return wanted if wanted in (asks(test.left, part), asks(test.right, part)) else None
    return part(test)
