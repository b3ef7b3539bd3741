"""Probes: other arguments, made from the user's own, on which a verified variant is compared with NumPy once more.

A probe is a few statements over the arguments' names. They make the arguments in the workers, and they are what the
user is shown, so that what was found can be seen again by pasting them. What a function takes is not known here:
the probes are guesses, and NumPy is the judge of each (see ``reference.py``).
"""

from __future__ import annotations

import ast
import itertools
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jitmagic.verify import nested

VALUES, LAYOUT, DTYPE, SHAPE, GLOBALS = "values", "layout", "dtype", "shape", "globals"
"""What a probe changes: a compiler that has seen the user's arguments has seen the first, and none of the others."""

EXACT = frozenset({"a threshold met", "equal numbers"})
"""Probes that put a number right onto an edge: there NumPy moves by much for one unit, and that excuses nobody."""

_LITERALS = 4
"""Thresholds of the source that are put into arrays."""

_PAIRS = 6
"""Pairs of numbers that are made equal."""

_APART = 4
"""Arrays that get a NaN or an infinity one at a time."""

Call = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Probe:
    """One guess at other arguments.

    Attributes
    ----------
    name : str
        What kind of arguments they are, e.g. ``"NaN"``; not unique.
    about : str
        With what, in the user's names, e.g. ``"a NaN in x"``.
    steps : tuple of str
        Statements that turn the user's arguments, bound to their names, into the probe's. They write into no array of
        the user's. For :data:`GLOBALS` they are run over the captured names instead, between two calls.
    changes : str
        :data:`VALUES`, :data:`LAYOUT`, :data:`DTYPE`, :data:`SHAPE` or :data:`GLOBALS`.
    others : tuple of tuple of str
        Other steps for the same kind, tried in this order where NumPy refuses the first.
    oracle : bool
        Whether NumPy's result with the same values as float64 tells how large an error may be.
    refusal : bool
        Whether the probe is of use where NumPy raises: a variant that gives numbers there is a finding.
    extra : tuple of str
        Parameters that the steps bind and the user's call leaves at their defaults: they are passed by keyword.
    """

    name: str
    about: str
    steps: tuple[str, ...]
    changes: str = VALUES
    others: tuple[tuple[str, ...], ...] = ()
    oracle: bool = False
    refusal: bool = True
    extra: tuple[str, ...] = ()

    def labels(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Returns the labels of the probe's arguments, from those of the user's."""
        return (*labels, *self.extra)

    def after(self, base: Sequence[str]) -> Probe:
        """Returns the same probe of arguments that other steps have made."""
        if self.changes == GLOBALS or not base:
            return self
        return replace(self, steps=(*base, *self.steps), others=tuple((*base, *one) for one in self.others))


def usable(labels: Sequence[str]) -> bool:
    """Says whether the labels can be bound as names, as the steps need it."""
    roots = [label.partition("[")[0] for label in labels]
    return all(root.isidentifier() and not keyword.iskeyword(root) and root != "np" for root in roots)


def changed(steps: Sequence[str], labels: Sequence[str], call: Call, extra: Sequence[str] = ()) -> Call:
    """Runs steps over a call's arguments and returns the new call; the arguments are written to by no step.

    What ``extra`` names is bound by the steps, and passed by keyword.

    >>> changed(["x = x[:2]"], ["x"], ((np.arange(3),), {}))
    ((array([0, 1]),), {})
    """
    args, kwargs = call
    names: dict[str, Any] = {"np": np}
    for label, value in zip(labels, (*args, *kwargs.values()), strict=True):
        root, bracket, _ = label.partition("[")
        if bracket:
            names.setdefault(root, []).append(value)
        else:
            names[root] = value
    exec("\n".join(steps), names)
    values = [eval(label, names) for label in labels]
    more = {name: names[name] for name in extra}
    return tuple(values[: len(args)]), {**dict(zip(kwargs, values[len(args) :], strict=True)), **more}


def defaults_of(text: str, function: str, labels: Sequence[str]) -> dict[str, type]:
    """Returns the parameters that a call leaves at a default that is a number, with the number's type."""
    node = next(
        (one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef) and one.name == function), None
    )
    if node is None or node.args.kwarg is not None:
        return {}
    plain = [*node.args.posonlyargs, *node.args.args]
    pairs = [*zip(plain[len(plain) - len(node.args.defaults) :], node.args.defaults, strict=True),
             *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]  # fmt: skip
    given = {label.partition("[")[0] for label in labels}
    found: dict[str, type] = {}
    for parameter, default in pairs:
        if default is None or parameter.arg in given or parameter in node.args.posonlyargs:
            continue
        numbers = [type(one.value) for one in ast.walk(default) if isinstance(one, ast.Constant)]
        names = {one.id for one in ast.walk(default) if isinstance(one, ast.Name)}
        if numbers and set(numbers) <= {bool, int, float} and names <= {"np", "numpy", "math"}:
            found[parameter.arg] = numbers[0] if isinstance(default, ast.Constant) else float
    return found


@dataclass(frozen=True)
class Inputs:
    """The arguments by what they are, with their labels.

    Attributes
    ----------
    floats, integers, masks : mapping of str to array
        Arrays of floating-point (or complex) numbers, of integers, of booleans, that have elements.
    arrays : mapping of str to array
        All arrays of numbers.
    whole, real, flags : mapping of str to number
        Numbers.
    lengths : mapping of str to int
        Those of ``whole`` that equal the length of an axis, 2 at least: they likely are that length.
    defaults : mapping of str to type
        Parameters that the call leaves at their defaults; see :func:`defaults_of`.
    containers : mapping of str to tuple, list or dict
        Arguments in which arrays may stand; these are among ``arrays`` by their places, e.g. ``"state[0]"``.
    """

    floats: Mapping[str, np.ndarray[Any, Any]]
    integers: Mapping[str, np.ndarray[Any, Any]]
    masks: Mapping[str, np.ndarray[Any, Any]]
    arrays: Mapping[str, np.ndarray[Any, Any]]
    whole: Mapping[str, int]
    real: Mapping[str, float]
    flags: Mapping[str, bool]
    lengths: Mapping[str, int]
    defaults: Mapping[str, type] = field(default_factory=dict)
    containers: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, labels: Sequence[str], values: Sequence[Any], defaults: Mapping[str, type] | None = None) -> Inputs:
        """Sorts arguments."""
        given = dict(zip(labels, values, strict=True))
        inner = {place: array for label, one in given.items() for place, array in nested.arrays(label, one)}
        arrays = {
            k: v for k, v in {**given, **inner}.items() if isinstance(v, np.ndarray) and v.dtype.kind in "biufc"
        }
        full = {k: v for k, v in arrays.items() if v.size and v.ndim}
        whole = {k: v for k, v in given.items() if isinstance(v, int | np.integer) and not isinstance(v, bool)}
        axes = {length for array in arrays.values() for length in array.shape}
        return cls(
            floats={k: v for k, v in full.items() if v.dtype.kind in "fc"},
            integers={k: v for k, v in full.items() if v.dtype.kind in "iu"},
            masks={k: v for k, v in full.items() if v.dtype.kind == "b"},
            arrays=arrays,
            whole={k: int(v) for k, v in whole.items()},
            real={k: float(v) for k, v in given.items() if isinstance(v, float | np.floating)},
            flags={k: bool(v) for k, v in given.items() if isinstance(v, bool | np.bool_)},
            lengths={k: int(v) for k, v in whole.items() if v in axes and v >= 2},
            defaults=defaults or {},
            containers={k: v for k, v in given.items() if type(v) in (tuple, list, dict)},
        )

    def reached(self, probe: Probe) -> Probe:
        """Returns the probe with the statements around its own that reach into containers."""
        if not self.containers or probe.changes == GLOBALS:
            return probe
        steps, *others = (nested.reaching(one, self.containers) for one in (probe.steps, *probe.others))
        return replace(probe, steps=steps, others=tuple(others))


def of_values(inputs: Inputs, text: str, constants: Mapping[str, Any] | None = None) -> Iterator[Probe]:
    """Yields probes of the user's shapes and dtypes with other numbers, the most telling first.

    Parameters
    ----------
    inputs : Inputs
    text : str
        The NumPy source: numbers that it compares with are put into the arrays, for ``<`` is not ``<=``.
    constants : mapping of str to object
        Captured values; numbers among them are put into the arrays too.
    """
    floats, integers = inputs.floats, inputs.integers
    yield from _each(
        floats,
        "other order",
        "{} in another order",
        "{0} = np.random.default_rng(0).permuted({0}.reshape(-1)).reshape({0}.shape)",
    )
    yield from _each(
        floats, "other order", "{} the other way round", "{0} = {0}.reshape(-1)[::-1].reshape({0}.shape).copy()"
    )
    yield from _each(
        floats,
        "alternating",
        "{} as its largest and its least number in turn",
        _set("{0}.flat[::2] = {0}.max()", "{0}.flat[1::2] = {0}.min()"),
    )
    yield from _each(
        integers,
        "other order",
        "{} in another order",
        "{0} = np.random.default_rng(0).permuted({0}.reshape(-1)).reshape({0}.shape)",
    )
    yield from _each(
        integers,
        "other numbers",
        "{} drawn anew from its range",
        "{0} = np.random.default_rng(1).integers({0}.min(), {0}.max(), {0}.shape, {0}.dtype, endpoint=True)",
    )
    yield from _each(integers, "equal values", "{} all of its largest", "{0} = np.full_like({0}, {0}.max())")
    yield from _each(floats, "mixed signs", "every third number of {} with the other sign", _set("{0}.flat[::3] *= -1"))
    yield from _each(floats, "zeros", "zeros in {}", _set("{0}.flat[::4] = 0"))
    yield from _each(floats, "equal values", "{} all of one value", "{0} = np.full_like({0}, {0}.flat[0])")
    yield from _each(floats, "ties", "whole numbers in {}", "{0} = np.round({0})")
    yield from _each(floats, "sorted", "{} sorted", "{0} = np.sort({0}, axis=None).reshape({0}.shape)")
    yield from _each(floats, "other size of values", "{} times -2", "{0} = {0} * {0}.dtype.type(-2)")
    yield from _each(floats, "other size of values", "{} times 1.9", "{0} = {0} * {0}.dtype.type(1.9)")
    yield from _each(floats, "other size of values", "{} times 1000", "{0} = {0} * {0}.dtype.type(1000)")
    known = [repr(v) for v in (constants or {}).values() if type(v) in (int, float) and v and abs(v) < 1e300]
    for number in dict.fromkeys([*_thresholds(text), *known[:_LITERALS]]):
        yield from _each(floats, "a threshold met", f"{number} in {{}}", _set(f"{{0}}.flat[::3] = {number}"))
    for label in inputs.real:
        yield from _each(floats, "a threshold met", f"{label} itself in {{}}", _set(f"{{0}}.flat[::3] = {label}"))
    yield from _each(integers, "repeated indices", "repeated numbers in {}", _set("{0}.flat[1::2] = {0}.flat[0]"))
    yield from _each(inputs.masks, "masks", "{} true nowhere", "{0} = np.zeros_like({0})")
    yield from _each(inputs.masks, "masks", "{} true everywhere", "{0} = np.ones_like({0})")
    yield from _numbers(inputs, _exponents(text))
    yield from _each(floats, "NaN", "{} all NaN", "{0} = np.full_like({0}, np.nan)")
    for label in list(floats)[:_APART]:
        one = {label: floats[label]}
        yield from _each(one, "NaN", "a NaN in {}", _set("{0}.flat[{0}.size // 2] = np.nan"))
        yield from _each(one, "NaN", "a NaN first in {}", _set("{0}.flat[0] = np.nan"))
        yield from _each(
            one, "infinity", "both infinities in {}", _set("{0}.flat[0] = np.inf", "{0}.flat[-1] = -np.inf")
        )
    for label, array in list(integers.items())[:_APART]:
        one = {label: array}
        if array.dtype.kind == "i":
            yield from _each(one, "negative integers", "-1 in {}", _set("{0}.flat[0] = -1"))
        beyond = _beyond(inputs, array)
        yield from _each(
            one, "an index out of range", f"{beyond} in {{}}", _set(f"{{0}}.flat[{{0}}.size // 2] = {beyond}")
        )
        yield from _each(
            one,
            "integer extremes",
            "the least and the largest integer in {}",
            _set("{0}.flat[0] = np.iinfo({0}.dtype).min", "{0}.flat[-1] = np.iinfo({0}.dtype).max"),
            refusal=False,
        )
        yield from _each(one, "zeros", "{} all zero", "{0} = np.zeros_like({0})")


def of_layout(inputs: Inputs) -> Iterator[Probe]:
    """Yields probes of the same values that lie otherwise in memory."""
    arrays = {k: v for k, v in inputs.arrays.items() if v.ndim and v.size}
    yield from _each(
        arrays, "reversed views", "{} as a view that runs backwards", "{0} = {0}[::-1].copy()[::-1]", LAYOUT
    )
    yield from _each(
        arrays,
        "non-contiguous views",
        "{} as every second element of a larger array",
        "{0} = np.repeat({0}, 2, axis=-1)[..., ::2]",
        LAYOUT,
    )
    wide = {k: v for k, v in arrays.items() if v.ndim > 1}
    yield from _each(wide, "Fortran order", "{} in Fortran order", "{0} = np.asfortranarray({0})", LAYOUT)


def of_dtype(inputs: Inputs) -> Iterator[Probe]:
    """Yields the probe of single precision."""
    doubles = {k: v for k, v in inputs.floats.items() if v.dtype in (np.float64, np.complex128)}
    if doubles:
        steps = tuple(
            f"{label} = {label}.astype(np.{'float32' if array.dtype.kind == 'f' else 'complex64'})"
            for label, array in doubles.items()
        )
        yield Probe("float32", f"{_listed(doubles)} in single precision", steps, DTYPE, oracle=True, refusal=False)


def of_globals(constants: Mapping[str, Any]) -> Iterator[Probe]:
    """Yields probes in which a captured value becomes another between two calls; names in CAPITALS are constants."""
    for name, value in constants.items():
        if name.isupper() or not name.isidentifier():
            continue
        if isinstance(value, bool | np.bool_):
            step = f"{name} = not {name}"
        elif isinstance(value, int | float | complex | np.number):
            step = f"{name} = {name} + 1"
        elif isinstance(value, np.ndarray) and value.dtype.kind in "iufc" and value.size:
            step = f"{name} = {name} * 2"
        else:
            continue
        yield Probe("a changed global", f"{name} changed after the first call", (step,), GLOBALS, refusal=False)


def _numbers(inputs: Inputs, exponents: Set[str]) -> Iterator[Probe]:
    for label, whole in inputs.whole.items():
        if label in inputs.lengths:
            continue
        for number in dict.fromkeys((whole + 1, whole - 1, 0, -1, 3 * whole)):
            if number != whole:
                step = f"{label} = type({label})({number})"
                # a count below zero is nothing that a function is made for; a negative exponent is
                tells = number >= 0 or label in exponents
                yield Probe("another number", f"{label} = {number}", (step,), refusal=tells)
    for label, value in inputs.real.items():
        for text in ("0.0", f"-{label}", "0.5", f"100 * {label}", "np.nan"):
            if not (text == "0.0" and value == 0.0):
                kind = "NaN" if text == "np.nan" else "another number"
                yield Probe(kind, f"{label} = {text}", (f"{label} = type({label})({text})",), refusal=False)
    for label, other in list(itertools.permutations(inputs.real, 2))[:_PAIRS]:
        yield Probe("equal numbers", f"{label} = {other}", (f"{label} = {other}",), refusal=False)
    if inputs.real and inputs.floats:
        steps = [f"{label} = np.full_like({label}, {label}.flat[0])" for label in inputs.floats]
        steps += [f"{label} = type({label})(0)" for label in inputs.real]
        about = f"{_listed(inputs.floats)} all of one value, and {_listed(inputs.real)} zero"
        yield Probe("equal values", about, tuple(steps), refusal=False)
    for name, made in inputs.defaults.items():
        texts = {bool: ("True", "False"), int: ("0", "1", "2", "3"), float: ("0.0", "-1.0", "0.5", "100.0")}[made]
        for text in (*texts, *(inputs.real if made is float else ())):
            step = f"{name} = {text}"
            kind = "equal numbers" if text in inputs.real else "another default"
            yield Probe(kind, step, (step,), refusal=False, extra=(name,))
    for label in inputs.flags:
        yield Probe("another flag", f"{label} the other way", (f"{label} = not {label}",))


def _set(*statements: str) -> str:
    """Returns statements that write into a copy."""
    return "\n".join(("{0} = {0}.copy()", *statements))


def _each(
    arrays: Mapping[str, np.ndarray[Any, Any]],
    name: str,
    about: str,
    template: str,
    changes: str = VALUES,
    refusal: bool = True,
) -> Iterator[Probe]:
    """Yields one probe that changes all arrays at once; where NumPy refuses it, each is tried by itself."""
    if not arrays:
        return
    steps = [tuple(template.format(label).split("\n")) for label in arrays]
    together = tuple(step for one in steps for step in one)
    others = tuple(steps) if len(steps) > 1 else ()
    yield Probe(name, about.format(_listed(arrays)), together, changes, others, refusal=refusal)


def _listed(names: Mapping[str, Any]) -> str:
    found = list(names)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def _beyond(inputs: Inputs, array: np.ndarray[Any, Any]) -> int:
    """Returns an integer that is an index of no axis, and that the array can hold."""
    longest = max((length for other in inputs.arrays.values() for length in other.shape), default=0)
    return min(max(longest, int(array.max())) + 1, int(np.iinfo(array.dtype).max))


def _exponents(text: str) -> set[str]:
    """Returns the names that stand in an exponent."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            found |= {one.id for one in ast.walk(node.right) if isinstance(one, ast.Name)}
        elif isinstance(node, ast.Call) and len(node.args) > 1 and ast.unparse(node.func).endswith("power"):
            found |= {one.id for one in ast.walk(node.args[1]) if isinstance(one, ast.Name)}
    return found


def _thresholds(text: str) -> list[str]:
    """Returns the numbers that the source compares with, or clips to, as it writes them."""
    found: dict[str, None] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and re.search(
            r"(clip|maximum|minimum|max|min|heaviside)$", ast.unparse(node.func)
        ):
            parts = list(node.args)
        else:
            continue
        for part in parts:
            inner = part.operand if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub) else part
            number = inner.value if isinstance(inner, ast.Constant) else None
            if isinstance(number, int | float) and not isinstance(number, bool) and abs(number) < 1e9:
                found.setdefault(ast.unparse(part))
    return [number for number in found if number not in ("0", "0.0")][:_LITERALS]
