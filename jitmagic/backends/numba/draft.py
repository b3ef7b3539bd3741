"""What a draft of Numba's remembers for the next rung of its ladder. Imports nothing heavy: workers read it."""

from __future__ import annotations

from dataclasses import dataclass

from jitmagic.backends.protocol import Draft
from jitmagic.observe.facts import Span


@dataclass(frozen=True)
class Choices:
    """How a draft is to be written.

    Attributes
    ----------
    outside : frozenset of Span
        Places of the calls that are made in Python, by `objmode`.
    native : bool
        Whether Numba may draw from a global random state of its own.
    nests : bool
        Whether several statements on arrays are written as one loop nest.
    fuse : bool
        Whether array expressions that need temporaries are written as loops.
    lift : bool
        Whether functions inside functions become functions of the module.
    decided : bool
        Whether branches that the example's kinds of arguments do not come to are left out.
    lift_all : bool
        Whether those that are called at one place only become so too.
    every : bool
        Whether every array expression becomes a loop, those too that Numba itself would make one of: for kernels.
    short : bool
        Whether the function around the core tells Numba the lengths of the arguments' short axes.
    inline : bool
        Whether helpers with a single call are put in its place by Numba.
    merge : bool
        Whether those that a statement of the core's own calls are written into the core.
    """

    outside: frozenset[Span] = frozenset()
    native: bool = True
    nests: bool = True
    fuse: bool = True
    lift: bool = True
    decided: bool = False
    lift_all: bool = False
    every: bool = False
    short: bool = True
    inline: bool = True
    merge: bool = True


@dataclass(frozen=True)
class NumbaDraft(Draft):
    """A draft, and how it was made.

    Attributes
    ----------
    choices : Choices
    native, nested, fused, lifted, shortened, inlined, merged : bool
        Whether it does draw from a global state of Numba's own, does hold such nests, such loops, such functions, such
        lengths, and such helpers.
    undecided : bool
        Whether it does hold such branches.
    """

    choices: Choices = Choices()
    native: bool = False
    nested: bool = False
    fused: bool = False
    lifted: bool = False
    shortened: bool = False
    inlined: bool = False
    merged: bool = False
    undecided: bool = False
