"""What one watched run of the NumPy function showed: observed facts, with their places in the module's text.

All of it is plain data (str, int, float, bool, None, tuples, dicts, these dataclasses), so that it
travels between processes by pickle without the user's classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jitmagic.errors import Refusal


@dataclass(frozen=True, order=True)
class Span:
    """A place in a module's text: lines from 1, columns from 0 in characters, the end exclusive.

    An expression's span is the one that LibCST's ``PositionProvider`` gives: without the parentheses around it.
    """

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class ValueFact:
    """What was seen of one value, or of one expression over all its evaluations.

    Attributes
    ----------
    kind : str
        ``"array"`` (numpy.ndarray), ``"scalar"`` (numpy.generic), ``"float"``, ``"int"``, ``"bool"``,
        ``"complex"``, ``"str"``, ``"none"``, ``"tuple"``, ``"list"``, ``"dict"``, ``"function"``, ``"module"``,
        ``"object"``, or ``"mixed"`` where evaluations differed.
    dtype : str or None
        ``numpy.dtype.str``-free name such as ``"float32"``; for Python numbers None.
    shape : tuple of (int or None), or None
        For arrays and NumPy scalars; None for an axis whose length differed, None as a whole where ndim differed.
    items : tuple of ValueFact
        The elements of a tuple or list (at most the first 64); of a mixed value what was seen of each kind.
    low, high : int or None
        Smallest and largest value seen, for Python ints and NumPy integer scalars; for integer arrays that
        stand in an index (and for arguments) the smallest and largest element; for arrays of floats that are cast
        the same, rounded outwards. Seen is not proved: loops and calls are sampled.
    count : int
        How often it was evaluated while it was watched.
    unique : bool or None
        For integer arrays and lists of ints that stand in an index (and for arguments): False where an element
        was seen twice in one evaluation, True where none was in the evaluations that were checked (the first
        few, up to 1e6 elements each), None where nothing was checked.
    contiguous : bool or None
        For arrays: True where each was C-contiguous, False where one was not, None for anything else.
    """

    kind: str
    dtype: str | None = None
    shape: tuple[int | None, ...] | None = None
    items: tuple[ValueFact, ...] = ()
    low: int | None = None
    high: int | None = None
    count: int = 1
    unique: bool | None = None
    contiguous: bool | None = None

    @property
    def ndim(self) -> int | None:
        """Number of axes; None where it is not known."""
        return None if self.shape is None else len(self.shape)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that were seen: of a mixed value more than one."""
        return frozenset(item.kind for item in self.items) if self.kind == "mixed" else frozenset({self.kind})


@dataclass(frozen=True)
class LoopFact:
    """What was seen of one loop: how often it was entered and its trip counts.

    A trip that ``break`` or ``return`` cut short counts as one.

    Attributes
    ----------
    entries : int
        How many entries were counted.
    trips_low, trips_high : int
        Fewest and most trips of one entry.
    trips_total : int
        Trips of all counted entries.
    exact : bool
        True where every entry of the watched run was counted; False where some were not looked at.
    """

    entries: int
    trips_low: int
    trips_high: int
    trips_total: int
    exact: bool = False


@dataclass(frozen=True)
class RaisedFact:
    """An exception as data: type name, message and the module's line where it left the user's code."""

    type: str
    message: str
    line: int | None = None


@dataclass(frozen=True)
class Observation:
    """The observed facts of one workload.

    Attributes
    ----------
    seconds : float
        Wall time of the plain (unwatched) run in seconds.
    watched : bool
        Whether the watched run gave ``expressions`` and ``loops``; False where it could not be made.
    result : ValueFact or None
        The returned value; None where the function raised.
    raised : RaisedFact or None
        The exception the function ended with.
    mutated : tuple of str
        Labels of the arguments whose contents changed, e.g. ``("out", "arrays[1]")``.
    returns_argument : str or None
        The label of the argument that is returned as the same object.
    aliases_argument : tuple of str
        The labels of the arguments with which the result shares memory.
    overlapping : tuple of (str, str)
        Pairs of argument labels that share memory with each other.
    printed : str
        What was written to stdout and stderr (at most 10 000 characters).
    random : bool
        Whether NumPy's or Python's global random state moved.
    globals_changed : tuple of str
        Captured names whose value changed during the run.
    warned : tuple of str
        Distinct warnings as "Category: message".
    arguments : mapping of str to ValueFact
        Facts of the arguments, by label.
    expressions : mapping of Span to ValueFact
        Facts of the expressions in the module's text.
    loops : mapping of int to LoopFact
        Facts of the loops that were entered, by the module's line of their ``for`` or ``while``.
    watch_failed : str or None
        Why there is no watched run, where ``watched`` is False.
    repeatable : bool or None
        Whether the watched run, from the same arguments, globals and random state, ended as the plain run did
        (rounding apart); None where it was not run.
    refused : Refusal or None
        Why it cannot be compared at all, e.g. "writes the file 'out.txt', …"; its line is one of the module's text.
    unseeded : bool
        Whether a generator of NumPy's was made without a seed.

    Notes
    -----
    An expression has a fact where it was evaluated while it was watched, which happens at least once for every
    statement that ran to its end. Missed may be the arm of an ``if``-``else`` expression, the right side of ``and`` or
    ``or``, and the inside of a lambda or comprehension, where only unwatched evaluations took it.

    No fact: literals, f-strings and what they hold, callees, imported modules, assignment targets other than names
    (``a[i] = v`` has facts of ``a``, ``i`` and ``v``), bodies of classes and generators.
    The fact of a name that is assigned to is the value it was given; of a name in ``x += v``, the value after.
    """

    seconds: float
    watched: bool
    result: ValueFact | None
    raised: RaisedFact | None
    mutated: tuple[str, ...]
    returns_argument: str | None
    aliases_argument: tuple[str, ...]
    overlapping: tuple[tuple[str, str], ...]
    printed: str
    random: bool
    globals_changed: tuple[str, ...]
    warned: tuple[str, ...]
    arguments: Mapping[str, ValueFact]
    expressions: Mapping[Span, ValueFact] = field(default_factory=dict)
    loops: Mapping[int, LoopFact] = field(default_factory=dict)
    watch_failed: str | None = None
    repeatable: bool | None = None
    refused: Refusal | None = None
    unseeded: bool = False

    def fact(self, span: Span) -> ValueFact | None:
        """Returns the fact of the expression at a span, None where it was not seen."""
        return self.expressions.get(span)

    def fact_at(self, line: int, column: int, end_line: int, end_column: int) -> ValueFact | None:
        """Returns the fact of the expression at a place given as LibCST's ``PositionProvider`` gives it."""
        return self.expressions.get(Span(line, column, end_line, end_column))

    def loop(self, line: int) -> LoopFact | None:
        """Returns the fact of the loop whose ``for`` or ``while`` stands on a line, None where it was not entered."""
        return self.loops.get(line)
