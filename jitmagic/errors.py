"""The errors that jitmagic raises: each says what was tried, what stood in the way, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass


class JitmagicError(Exception):
    """Base of every error that jitmagic raises on purpose."""


class CaptureError(JitmagicError):
    """The function, its helpers or its call could not be captured.

    Parameters
    ----------
    message : str
        What was tried, what stood in the way, and what to do next.
    line : int or None
        Line of the cell or file (1-based) that stood in the way.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class BaselineError(JitmagicError):
    """The NumPy function itself failed, so that there is nothing to compare with."""


class WorkerError(JitmagicError):
    """A worker process ended, hung, or could not be started."""


class NodeError(JitmagicError):
    """Another machine cannot be reached, or cannot be used; nothing of the user's was sent there."""


def line_in(error: BaseException, filename: str) -> int | None:
    """Returns the innermost line of a file that an exception passed; None where it passed none."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == filename:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


@dataclass(frozen=True)
class Refusal:
    """A reason why something cannot be done, at a line, with the next step.

    Attributes
    ----------
    reason : str
        One sentence that a user can act on, e.g. "line 7 changes the shape of `x` inside the loop".
    line : int or None
        Line of the user's cell or file (1-based).
    code : str or None
        Code of the gotcha that explains it, e.g. "JX-BOOLMASK".
    """

    reason: str
    line: int | None = None
    code: str | None = None


class Unsupported(JitmagicError):
    """A rewrite met something that it cannot prove or express; carries the :class:`Refusal`."""

    def __init__(self, reason: str, line: int | None = None, code: str | None = None) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, line, code)
