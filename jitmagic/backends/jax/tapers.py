"""Vectors that lose elements at their ends, as many in each step of a loop: the whole, and how much of it counts.

    for i in range(n):                                def body(i, v):
        v = disc*(p*v[1:] + (1 - p)*v[:-1])    ->         return disc*(p*jnp.roll(v, -1) + (1 - p)*v)
    return v[0]                                       v = jax.lax.fori_loop(0, n, body, v)
                                                      return v[0]

Trees of option prices, Neville's and Romberg's tables and de Casteljau's points are such loops. The vector keeps its
length. Its first elements are those of the user's vector: a step that loses ``c`` elements reads at most ``c`` places
further on, so that what lies beyond never comes back into what counts. How many count follows from the loop's index;
reductions and elements from the end read it. Behind the loop the vector is cut to the length that NumPy's has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst

from jitmagic.backends.jax.frames import Frame
from jitmagic.backends.jax.functions import ELEMENTWISE
from jitmagic.backends.jax.highest import Highest
from jitmagic.backends.jax.lowest import Lowest, ends_of, sizes_of
from jitmagic.backends.jax.parts import Ragged, Unknown
from jitmagic.backends.jax.sums import difference, terms, written
from jitmagic.backends.jax.tracing import Tracing, loop_line
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import alternative, code, made, small, statements
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.walking import nodes_of

_COPIES = frozenset(f"numpy.{name}" for name in ("array", "asarray", "copy", "ascontiguousarray"))
_FILLED = frozenset(f"numpy.{name}" for name in ("zeros", "ones", "empty", "full"))
_LIKE = frozenset(f"numpy.{name}_like" for name in ("zeros", "ones", "empty", "full"))


@dataclass(frozen=True)
class Taper:
    """A vector, or rows, of which fewer count after each step of a loop.

    Attributes
    ----------
    name : str
    axis : int
        The axis that becomes shorter, from the end.
    lost : int
        How many elements a step loses.
    frame : Frame
        What counts where a step begins.
    left : str
        How many count behind the loop, where that is not negative.
    dtype : str or None
    """

    name: str
    axis: int
    lost: int
    frame: Frame
    left: str
    dtype: str | None


def candidates(kinds: Kinds, loop: cst.For) -> set[str]:
    """Returns the arrays that a loop's statements bind anew from themselves, and whose length was seen to differ."""
    read = name_tools.loads(loop.body)
    return {
        name
        for one in map(small, statements(loop))
        if isinstance(one, cst.Assign)
        for target in one.targets
        for name in name_tools.targets(target.target)
        if name in read and _changes(kinds, name)
    }


def tapers(
    module: Module, kinds: Kinds, highest: Highest, loop: cst.For, before: Sequence[Any], given: frozenset[str],
    natural: Callable[[Any], bool],
) -> list[Taper]:  # fmt: skip
    """Returns the vectors that become shorter in a loop.

    Parameters
    ----------
    module : Module
    kinds : Kinds
    highest : Highest
        Knows lengths.
    loop : libcst.For
    before : sequence of statements
        Those before the loop in its block.
    given : frozenset of str
        Parameters that may still stand for what the caller gave.
    natural : callable
        Says whether an expression is never below zero, where the loop stands.
    """
    steps = _steps(loop, kinds)
    names = candidates(kinds, loop) - _deeper(loop)
    if steps is None or not names or loop.orelse is not None:
        return []
    bound = name_tools.bound(loop.body)
    if any(_loads(count) & (bound - names) for count in steps):
        return []  # behind the loop they would say something else
    lost = _Lost(kinds, names).after(statements(loop))
    lengths = Lengths(kinds, highest, before)
    found = []
    for name in sorted(names):
        count = lost.get(name, {}).get(name, 0)
        values = _values_before(before, name, name in given)
        if count < 1 or not values:
            continue
        facts = [f for v in values if (f := module.fact(v) or kinds.of(v)) is not None]
        shapes = {f.shape for f in facts if f.kind == "array"}
        ndim = next(f.ndim for f in kinds.names[name] if f.kind == "array")
        seen = shapes.pop() if len(shapes) == 1 and not isinstance(values[0], cst.Name) else None
        known = [lengths.of(v) for v in values]
        length = known[0] if all(one == known[0] for one in known) else None
        whole = f"{name}.shape[0]"
        plain = length is not None and all("(" not in term and "." not in term for term in length)
        begin = length if plain and length is not None else {whole: 1}
        if _loads(begin) & (bound - {name}):
            continue
        if not ndim:
            continue
        left = written(_less(length or begin, highest.settled(Counter(steps[1])), count))
        frame = Frame(
            "0", written(_less(begin, steps[0], count)), "1", whole, None if seen is None else seen[0],
            exact=length is not None and natural(cst.parse_expression(left)), within=True,
        )  # fmt: skip
        dtypes = {f.dtype for f in kinds.names[name] if f.kind == "array"}
        dtype = dtypes.pop() if len(dtypes) == 1 else None
        found.append(Taper(name, -ndim, count, frame, left, dtype))
    return found


def _loads(found: Mapping[str, int]) -> frozenset[str]:
    return frozenset(n for term in found if term for n in name_tools.loads(cst.parse_expression(term)))


def _steps(loop: cst.For, kinds: Kinds) -> tuple[Mapping[str, int], Mapping[str, int]] | None:
    """Returns how many steps were done before one, and how many there are, as terms; None for other loops."""
    ends = ends_of(loop)
    if ends is None or not isinstance(loop.target, cst.Name) or ends[0] is None or ends[1] is None:
        return None
    iterated: Any = loop.iter
    name = loop.target.value
    backwards = code(iterated.func) == "reversed"
    if backwards:
        iterated = iterated.args[0].value
    step = 1
    if len(iterated.args) == 3:
        found = terms(iterated.args[2].value)
        step = found[""]
    whole = all(f.kind == "int" or f.dtype == "int64" for f in kinds.names.get(name, []))
    if step not in (1, -1) or name in name_tools.bound(loop.body) or not whole:
        return None
    if any("[" in term and ".shape[" not in term for end in ends if end for term in end):
        return None  # an element, which the loop may store into
    done: Counter[str] = Counter({name: 1})
    if step == 1 and not backwards:
        done.subtract(ends[0])
    else:
        done = Counter(ends[1])
        done.subtract({name: 1})
    total = Counter(ends[1])
    total.subtract(ends[0])
    total[""] += 1
    return {t: n for t, n in done.items() if n}, {t: n for t, n in total.items() if n}


def _less(length: Mapping[str, int], steps: Mapping[str, int], each: int) -> dict[str, int]:
    total = Counter(length)
    for term, n in steps.items():
        total[term] -= each * n
    return {t: n for t, n in total.items() if n}


def _changes(kinds: Kinds, name: str) -> bool:
    """Says whether a name stood for arrays whose first axis differed in length, and no other."""
    shapes = {f.shape for f in kinds.names.get(name, []) if f.kind == "array"}
    if not shapes or None in shapes or any(f.kind != "array" for f in kinds.names.get(name, [])):
        return False
    ndims = {len(shape) for shape in shapes if shape is not None}
    firsts = {shape[0] for shape in shapes if shape}
    rest = {shape[1:] for shape in shapes if shape is not None}
    return len(ndims) == 1 and 0 not in ndims and (None in firsts or len(firsts) > 1) and len(rest) == 1


def _values_before(before: Sequence[Any], name: str, given: bool) -> list[Any]:
    """Returns the values that a name may have where a loop begins; none where it is not bound plainly in the block."""
    for node in reversed(before):
        one = small(node)
        if name not in name_tools.bound(cst.Module([node])) or isinstance(one, cst.AugAssign):
            continue
        if isinstance(one, cst.Assign) and len(one.targets) == 1 and isinstance(one.targets[0].target, cst.Name):
            return [one.value]
        if isinstance(node, cst.If) and node.orelse is not None:
            both = [_values_before(body, name, False) for body in (statements(node), alternative(node))]
            return [*both[0], *both[1]] if all(both) else []
        return []
    return [cst.Name(name)] if given else []


def _deeper(loop: cst.For) -> frozenset[str]:
    """Returns the names that loops and functions in a loop bind."""
    found: set[str] = set()
    kinds: tuple[Any, ...] = (cst.For, cst.While, cst.FunctionDef, cst.Lambda, cst.With, cst.ListComp, cst.GeneratorExp)
    for kind in kinds:
        for one in nodes_of(loop.body, kind):
            found |= name_tools.bound(cst.Module([one])) if kind in (cst.For, cst.While, cst.With) else set()
            if kind in (cst.FunctionDef, cst.Lambda, cst.ListComp, cst.GeneratorExp):
                found |= name_tools.all_names(one)
    return frozenset(found)


class _Lost:
    """Counts by how many elements names are shorter than vectors were where the step began."""

    def __init__(self, kinds: Kinds, names: set[str]) -> None:
        self.kinds = kinds
        self.known: dict[str, dict[str, int]] = {name: {name: 0} for name in names}

    def after(self, body: Sequence[Any]) -> dict[str, dict[str, int]]:
        for node in body:
            one = small(node)
            if one is None:
                self.branch(node)
            elif isinstance(one, cst.Assign) and len(one.targets) == 1 and isinstance(one.targets[0].target, cst.Name):
                self.known[one.targets[0].target.value] = self.of(one.value)
            elif not isinstance(one, cst.AugAssign):  # in place the length stays
                self.forget(node)
        return self.known

    def forget(self, node: Any) -> None:
        for name in name_tools.bound(cst.Module([node])):
            self.known.pop(name, None)

    def branch(self, node: Any) -> None:
        if not isinstance(node, cst.If):
            self.forget(node)
            return
        before = dict(self.known)
        taken = dict(self.after(statements(node)))
        self.known = before
        self.after(alternative(node))
        self.known = {name: lost for name, lost in self.known.items() if taken.get(name) == lost}

    def of(self, node: Any) -> dict[str, int]:
        """Returns by how much an expression is shorter than each vector that it is made of elementwise."""
        if isinstance(node, cst.Name):
            return self.known.get(node.value, {})
        if isinstance(node, cst.UnaryOperation):
            return self.of(node.expression)
        if isinstance(node, cst.BinaryOperation) and not isinstance(node.operator, cst.MatrixMultiply):
            return self.common([node.left, node.right])
        if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
            return self.common([node.left, node.comparisons[0].comparator])
        if isinstance(node, cst.Subscript):
            return self.part(node)
        if not isinstance(node, cst.Call):
            return {}
        path = self.kinds.path(node.func)
        given = [a.value for a in node.args if a.keyword is None and not a.star]
        if path in ELEMENTWISE and len(given) == len(node.args):
            return self.common(given)
        if path in _COPIES and len(given) == len(node.args) == 1:
            return self.of(given[0])
        if path == "numpy.diff" and len(given) == len(node.args) == 1 and self.is_vector(node):
            return {name: count + 1 for name, count in self.of(given[0]).items()}
        if path is None and isinstance(node.func, cst.Attribute) and node.func.attr.value == "copy" and not given:
            return self.of(node.func.value)
        return {}

    def is_vector(self, node: Any) -> bool:
        fact = self.kinds.of(node)
        return fact is not None and fact.ndim == 1

    def common(self, parts: Sequence[Any]) -> dict[str, int]:
        """Returns what all vectors among some operands have; that they fit together is proved by their frames."""
        found: dict[str, int] = {}
        for part in parts:
            for name, count in self.of(part).items():
                if found.setdefault(name, count) != count:
                    return {}
        return found

    def part(self, node: cst.Subscript) -> dict[str, int]:
        base = self.of(node.value)
        first = node.slice[0].slice
        if not base or not isinstance(first, cst.Slice) or not all(_is_all(e.slice) for e in node.slice[1:]):
            return {}
        if first.step is not None and code(first.step) != "1":
            return {}
        low = 0 if first.lower is None else _literal(first.lower)
        high = 0 if first.upper is None else _literal(first.upper)
        if low is None or high is None or low < 0 or high > 0 or (high == 0 and first.upper is not None):
            return {}
        return {name: count + low - high for name, count in base.items()}


def _is_all(part: Any) -> bool:
    return isinstance(part, cst.Slice) and part.lower is None and part.upper is None and part.step is None


def _literal(node: Any) -> int | None:
    found = {t: n for t, n in terms(node).items() if n}
    return found.get("", 0) if not set(found) - {""} else None


class Lengths:
    """Finds how long a vector is where a loop begins, as terms.

    Parameters
    ----------
    kinds : Kinds
    highest : Highest
    before : sequence of statements
        Those before the loop in its block.
    """

    def __init__(self, kinds: Kinds, highest: Highest, before: Sequence[Any]) -> None:
        self.kinds, self.highest, self.before = kinds, highest, before

    def of(self, node: Any, depth: int = 8) -> Mapping[str, int] | None:
        """Returns the length of an array's first axis; None where it is not known."""
        if depth == 0:
            return None
        if isinstance(node, cst.Name):
            return self.name(node.value, depth)
        if isinstance(node, cst.UnaryOperation):
            return self.of(node.expression, depth - 1)
        if isinstance(node, cst.BinaryOperation) and not isinstance(node.operator, cst.MatrixMultiply):
            return self.common([node.left, node.right], depth)
        return self.call(node, depth) if isinstance(node, cst.Call) else None

    def name(self, name: str, depth: int) -> Mapping[str, int] | None:
        for position in reversed(range(len(self.before))):
            one = small(self.before[position])
            if name not in name_tools.bound(cst.Module([self.before[position]])) or isinstance(one, cst.AugAssign):
                continue
            if isinstance(one, cst.Assign) and all(isinstance(t.target, cst.Name) for t in one.targets):
                return Lengths(self.kinds, self.highest, self.before[:position]).of(one.value, depth - 1)
            return None
        value = self.highest.value(name)
        found = None if value is None else self.of(value, depth - 1)
        length = None if found is not None else self.highest.length(name)
        return found if length is None else self.settled(length)

    def call(self, node: cst.Call, depth: int) -> Mapping[str, int] | None:
        path = self.kinds.path(node.func)
        given = [a.value for a in node.args if a.keyword is None and not a.star]
        if path in ELEMENTWISE and len(given) == len(node.args):
            return self.common(given, depth)
        if path in _COPIES | _LIKE and given:
            return self.of(given[0], depth - 1)
        if path in _FILLED and given:
            first: Any = given[0]
            first = first.elements[0].value if isinstance(first, cst.Tuple) and first.elements else first
            return self.number(first)
        if path == "numpy.linspace" and len(given) == 3:
            return self.number(given[2])
        if path == "numpy.arange" and 1 <= len(given) <= 3 and len(given) == len(node.args):
            return arange_length(given, self.number)
        if path is None and isinstance(node.func, cst.Attribute) and node.func.attr.value in ("copy", "astype"):
            return self.of(node.func.value, depth - 1)
        return None

    def number(self, node: Any) -> Mapping[str, int] | None:
        fact = self.kinds.of(node)
        if fact is None or not (fact.kind == "int" or (fact.kind == "scalar" and fact.dtype == "int64")):
            return None
        return self.settled(terms(node))

    def settled(self, found: Mapping[str, int]) -> Mapping[str, int]:
        return dict(self.highest.settled(Counter(found)))

    def common(self, parts: Sequence[Any], depth: int) -> Mapping[str, int] | None:
        """Returns the length that all arrays among some operands have; all others must be numbers."""
        found: list[Mapping[str, int]] = []
        for part in parts:
            fact = self.kinds.of(part)
            if self.kinds.is_number(part) or (fact is not None and fact.ndim == 0):
                continue
            if fact is None or fact.kind != "array":
                return None
            length = self.of(part, depth - 1)
            if length is None:
                return None
            found.append(length)
        return found[0] if found and all(one == found[0] for one in found) else None


def arange_length(given: Sequence[Any], number: Callable[[Any], Mapping[str, int] | None]) -> Mapping[str, int] | None:
    """Returns how many elements ``np.arange`` of whole numbers has, as terms; None where they do not divide."""
    start = number(given[0]) if len(given) > 1 else {}
    stop = number(given[1] if len(given) > 1 else given[0])
    step = _literal(given[2]) if len(given) == 3 else 1
    if start is None or stop is None or not step:
        return None
    total = Counter(stop)
    total.subtract(start)
    if step < 0:
        total = Counter({t: -n for t, n in total.items()})
    step = abs(step)
    if any(n % step for t, n in total.items() if t):
        return None
    return {t: m for t, n in total.items() if (m := n // step if t else -(-n // step))}


class Tapered:
    """What one function's loops shorten: which vectors do so now, and what is left of them behind a loop.

    Parameters
    ----------
    module : Module
    tracing : Tracing
        Of the function.
    highest : Highest
    wanted : set of str
        Gets the parameters on which a length behind a loop depends.

    Attributes
    ----------
    now : dict of str to Taper
        The vectors that the loops around the present place shorten.
    """

    def __init__(self, module: Module, tracing: Tracing, highest: Highest, wanted: set[str]) -> None:
        self.module, self.tracing, self.highest, self.wanted = module, tracing, highest, wanted
        self.function, self.kinds = tracing.function, tracing.kinds
        self.now: dict[str, Taper] = {}

    def anywhere(self) -> bool:
        """Says whether some loop may shorten a vector."""
        return any(self.is_lowered(loop) and candidates(self.kinds, loop) for loop in nodes_of(self.function, cst.For))

    def is_lowered(self, loop: cst.For) -> bool:
        return loop_line(self.module, loop) in self.tracing.lowered

    def is_one(self, node: Any) -> bool:
        """Says whether an expression is the name of a vector that loses elements here."""
        return isinstance(node, cst.Name) and node.value in self.now

    def of(self, loop: cst.For, before: Sequence[Any], outer: Sequence[cst.For]) -> list[Taper]:
        """Returns what a loop shortens that stands inside of others."""
        if not self.is_lowered(loop):
            return []
        around = [one for one in nodes_of(self.function, cst.While) if any(n is loop for n in nodes_of(one, cst.For))]
        bound = Counter(n for a in nodes_of(self.function, cst.AssignTarget) for n in name_tools.targets(a.target))
        inside = Counter(n for a in nodes_of(loop, cst.AssignTarget) for n in name_tools.targets(a.target))
        given = frozenset[str]()
        if not outer and not around:
            given = frozenset(n for n in name_tools.parameters(self.function) if bound[n] == inside[n])
        natural = Lowest(outer, sizes_of(self.function)).never_negative
        return tapers(self.module, self.kinds, self.highest, loop, before, given, natural)

    def next_frame(self, part: Ragged, value: Any, name: str) -> Frame:
        """Returns what counts of a vector after it was bound anew."""
        axis = -part.ndim
        if not isinstance(value, Ragged) or value.ndim != part.ndim or set(value.frames) != {axis}:
            raise Unknown(f"the length of `{name}` changes from step to step, and not by its own elements alone")
        own, now = value.frames[axis], part.frames[axis]
        width = written(difference(own.stop or own.length, own.start))
        lost = _constant(difference(width, now.stop or now.length))
        if own.chosen is not None or own.step != "1" or lost is None or lost > 0:
            raise Unknown(f"it is not known by how many elements `{name}` becomes shorter")
        return replace(now, stop=written(_less(terms(cst.parse_expression(now.end())), {"": 1}, -lost)), inside=None)

    def check_end(self, taper: Taper, part: Ragged) -> None:
        """Raises where the vector has not become shorter by what was counted."""
        end = part.frames[taper.axis].end()
        if _constant(difference(end, taper.frame.end())) != -taper.lost:
            raise Unknown(f"it is not known by how many elements `{taper.name}` becomes shorter")

    def check_branches(self, node: cst.If, one: Mapping[str, Ragged], other: Mapping[str, Ragged]) -> None:
        """Raises where one branch shortens a vector and the other does not."""
        for name in self.now:
            if one[name].frames != other[name].frames:
                raise Unknown(f"`{name}` loses elements in one branch of `if {code(node.test)}` and not in the other")

    def cut(self, loop: cst.For, taper: Taper, settled: Callable[[Any], bool]) -> list[Any]:
        """Returns the statement that cuts the vector to its length; none where only first elements are read."""
        every = nodes_of(self.function, cst.Name)
        inside = {id(n) for n in nodes_of(loop, cst.Name)}
        last = max(i for i, n in enumerate(every) if id(n) in inside)
        repeated = any(n is loop for kind in (cst.For, cst.While) for o in nodes_of(self.function, kind)
                       for n in nodes_of(o.body, cst.For))  # fmt: skip
        behind = {id(n) for i, n in enumerate(every) if n.value == taper.name and (i > last or repeated)} - inside
        stored = {id(t.target) for t in nodes_of(self.function, cst.AssignTarget)}
        firsts = {
            id(one.value)
            for one in nodes_of(self.function, cst.Subscript)
            if isinstance(one.slice[0].slice, cst.Index) and isinstance(one.slice[0].slice.value, cst.Integer)
        }
        if behind <= firsts | stored:
            return []
        if not self.is_settled([taper.left], settled):
            raise Unknown(f"how many elements are left of `{taper.name}` depends on array values")
        shown = taper.left if taper.frame.exact else f"max({taper.left}, 0)"
        return [made(f"{taper.name} = {taper.name}[:{shown}]", loop)]

    def is_settled(self, texts: Sequence[str], settled: Callable[[Any], bool]) -> bool:
        """Says whether lengths depend on whole numbers among the parameters alone, which are to be constants then."""
        sums = [cst.parse_expression(text) for text in texts]
        parts = [p for one in sums for t in terms(one) if t and self.tracing.expression(p := cst.parse_expression(t))]
        if not all(map(settled, parts)):
            return False
        for part in parts:
            self.wanted |= self.parameters(part)
        return True

    def parameters(self, node: Any) -> set[str]:
        """Returns the parameters from which a whole number is worked out."""
        found: set[str] = set()
        for name in name_tools.loads(node) & self.tracing.names:
            value = self.highest.value(name)
            found |= {name} if name in self.highest.parameters or value is None else self.parameters(value)
        return found


def _constant(found: Mapping[str, int]) -> int | None:
    return None if set(found) - {""} else found.get("", 0)
