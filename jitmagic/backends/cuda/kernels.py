"""What a kernel is: the loop that it stands for, its grid, its parameters and what its steps add up."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from jitmagic.backends.cuda.types import Type


@dataclass(frozen=True)
class Axis:
    """One loop of a kernel's nest, whose steps the grid's threads share out.

    Attributes
    ----------
    index : str
    start : ast expression or None
        None for 0.
    stop : ast expression
    """

    index: str
    start: ast.expr | None
    stop: ast.expr


@dataclass(frozen=True)
class Total:
    """A number that all steps of a loop add to, or the largest or smallest of which is wanted.

    Attributes
    ----------
    name : str
    operator : str
        ``"+"``, ``"*"``, ``"max"``, ``"min"``.
    dtype : str
    """

    name: str
    operator: str
    dtype: str


@dataclass
class Kernel:
    """A loop that becomes a kernel.

    Attributes
    ----------
    name : str
    function : str
        The host function that it stands in.
    first, last : int
        Its lines in the draft's text.
    column : int
        Where it begins in its line.
    axes : tuple of Axis
        The outermost first.
    body : tuple of ast statements
        What one step does.
    text : str
        The same as it is written, without indentation.
    parameters : tuple of str
        What it reads and writes from outside, by name.
    types : dict of str to Type
        Of its parameters and of what it assigns.
    own : tuple of str
        What each step assigns for itself.
    stored : frozenset of str
        The arrays that it writes into.
    totals : tuple of Total
    called : tuple of str
        Functions of the module that it calls.
    """

    name: str
    function: str
    first: int
    last: int
    column: int
    axes: tuple[Axis, ...]
    body: tuple[ast.stmt, ...]
    text: str
    parameters: tuple[str, ...]
    types: dict[str, Type]
    own: tuple[str, ...]
    stored: frozenset[str]
    totals: tuple[Total, ...]
    called: tuple[str, ...] = ()
