"""What went wrong with a draft, as data."""

from __future__ import annotations

import traceback

from jitmagic.backends.protocol import Draft, Failure

LONGEST = 20_000
"""Characters of an exception's text that are sent on."""


def filename(draft: Draft) -> str:
    """Returns the name under which a draft's text is compiled, and stands in tracebacks."""
    return f"<jitmagic {draft.variant} {draft.form}>"


def failure_of(error: BaseException, stage: str, draft: Draft) -> Failure:
    """Turns an exception into data, with the line of the draft at which it left the draft's text."""
    line = None
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == filename(draft):
            line = frame.lineno
    if isinstance(error, SyntaxError) and error.filename == filename(draft):
        line = error.lineno
    kind = type(error)
    return Failure(
        stage,
        f"{kind.__module__}.{kind.__qualname__}",
        str(error)[:LONGEST],
        line,
        tuple(base.__name__ for base in kind.__mro__),
    )
