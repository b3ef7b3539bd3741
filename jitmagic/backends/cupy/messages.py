"""Turns CuPy's errors into one plain sentence with the user's line."""

from __future__ import annotations

import re

from jitmagic.backends.protocol import Draft, Failure
from jitmagic.errors import Refusal

_CAUSES: tuple[tuple[str, str, str | None], ...] = (
    (r"module 'cupy(?:\.(\w+))?' has no attribute '(\w+)'", "CuPy has no `{1}`", "CP-NOFUNC"),
    (r"'ufunc' object has no attribute '(\w+)'|cupy.*ufunc.*'(\w+)'", "CuPy's ufuncs lack this method", "CP-UFMETH"),
    (r"Implicit conversion to a NumPy array", "NumPy is called with an array that lives on the GPU", "CP-NPMIX"),
    (r"Unsupported type <class 'numpy\.ndarray'>", "CuPy is called with an array that lives on the host", "CP-NPMIX"),
    (r"Unsupported dtype (\w+)", "CuPy has no arrays of {0}", "CP-DTYPE"),
    (r"Out of memory|OutOfMemoryError", "the GPU's memory does not hold the arrays", None),
    (
        r"Wrong number of arguments|unexpected keyword argument '(\w+)'",
        "CuPy's form of this call takes other arguments",
        "CP-NOFUNC",
    ),
)


def explain(draft: Draft, failure: Failure) -> Refusal:
    """Returns the reason of a failure in one sentence, at the user's line."""
    line = draft.module.origin_line(failure.line)
    where = f"line {line}: " if line is not None else ""
    for pattern, sentence, code in _CAUSES:
        match = re.search(pattern, f"{failure.type}: {failure.message}")
        if match is not None:
            return Refusal(where + sentence.format(*(group or "" for group in match.groups())), line, code)
    first = (failure.message.strip().splitlines() or [""])[0][:200]
    return Refusal(f"{where}CuPy stopped with {failure.type.rsplit('.', 1)[-1]}: {first}", line)
