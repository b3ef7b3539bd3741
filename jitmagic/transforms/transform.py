"""What is asked for: a derivative by one argument, or the function over a batch of it.

>>> parse("vmap", "x:1")
Transform(kind='vmap', argument='x', axis=1)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jitmagic.errors import JitmagicError

DERIVATIVES = ("grad", "jacobian", "hessian")
KINDS = (*DERIVATIVES, "vmap")


class TransformError(JitmagicError, ValueError):
    """A transformation cannot be made of this function with this argument; says why and what to do."""


@dataclass(frozen=True)
class Transform:
    """One transformation.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS`: ``grad`` (of a number), ``jacobian`` (of an array), ``hessian`` (second derivatives of a
        number), ``vmap`` (the function for each slice of an argument, results stacked).
    argument : str
        The function's parameter that it is for.
    axis : int or None
        The axis of the argument that is the batch; None for derivatives.
    """

    kind: str
    argument: str
    axis: int | None = None

    @property
    def derives(self) -> bool:
        """Whether it is a derivative."""
        return self.kind in DERIVATIVES

    @property
    def text(self) -> str:
        """As it is asked for, e.g. ``--vmap x:1``."""
        return f"--{self.kind} {self.argument}" + (f":{self.axis}" if self.axis else "")


def parse(kind: str, text: str) -> Transform:
    """Reads what stands behind an option: the argument's name, and for a batch its axis.

    Raises
    ------
    ValueError
        Where it cannot be read, with an example.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no transformation {kind!r}; choose from {', '.join(KINDS)}")
    name, colon, axis = text.partition(":")
    if not name.isidentifier():
        raise ValueError(f"{kind} takes the name of one of the function's arguments, e.g. x, and got {text!r}")
    if not colon:
        return Transform(kind, name, 0 if kind == "vmap" else None)
    if kind != "vmap":
        raise ValueError(f"{kind} takes the name of an argument alone, e.g. {name}, and got {text!r}")
    if not re.fullmatch(r"-?\d{1,2}", axis):
        raise ValueError(f"vmap takes an argument and the axis of the batch, e.g. {name}:0, and got {text!r}")
    return Transform(kind, name, int(axis))
