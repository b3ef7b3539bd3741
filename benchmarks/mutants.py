"""The mutation test: small wrong edits of the corpus's functions, which the verifier has to catch.

``python -m benchmarks.mutants [--each 2] [--only NAME …] [--seed 0]``

Each mutant takes the place of a variant: it is compared with NumPy as a variant is, on the example's arguments and on
the probes. It runs in this process, for NumPy can do that; what is tested is the verifier and not the workers. Those
that survive have to be equal in meaning: `EQUAL` says why, one by one.
"""

from __future__ import annotations

import argparse
import ast
import collections
import copy
import functools
import inspect
import os
import random
import sys
import textwrap
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.mutants_equal import EQUAL
from jitmagic.capture.function import from_function
from jitmagic.measure.probing import plan, settled
from jitmagic.verify import judge
from jitmagic.verify.compare import floors, numeric_leaves, shared_labels
from jitmagic.verify.judge import Judgement
from jitmagic.verify.limits import TooLong, at_most
from jitmagic.verify.movement import Movement
from jitmagic.verify.probes import Call, Inputs, Probe, defaults_of
from jitmagic.verify.reference import RAISED, TAKEN, Expected, expect, seed
from jitmagic.verify.sensitivity import movements
from tests.corpus.registry import Entry, entries

WANTED = 0.99
"""The share of mutants that are not equal in meaning which has to be caught."""

LEAST = 200

_OPPOSITE: Mapping[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Div,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
_NAMES = {
    "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "argmin": "argmax", "argmax": "argmin",
    "floor": "ceil", "ceil": "floor", "sin": "cos", "cos": "sin", "zeros": "ones", "zeros_like": "ones_like",
    "sum": "mean", "mean": "sum", "std": "var", "cumsum": "cumprod", "any": "all", "all": "any",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One edit: its kind, and the statement before and after it."""

    kind: str
    before: str
    after: str
    function: Callable[..., Any]


@dataclass(frozen=True)
class Verdict:
    """How a mutant was caught: by the example's arguments or by a probe; "" where it was not."""

    by: str
    detail: str = ""


def mutants(entry: Entry, count: int, draw: random.Random, floating: bool) -> Iterator[Mutant]:
    """Yields up to ``count`` mutants of a function; ``floating`` says whether its result has float64 numbers."""
    source = textwrap.dedent(inspect.getsource(entry.function))
    tree = ast.parse(source)
    edits = list(_edits(tree))
    draw.shuffle(edits)
    # of kinds that are rare in the text as many as of those that are everywhere
    seen: collections.Counter[str] = collections.Counter()
    ranks = []
    for edit in edits:
        seen[edit[0]] += 1
        ranks.append(seen[edit[0]])
    edits = [edit for _, edit in sorted(zip(ranks, edits, strict=True), key=lambda pair: pair[0])]
    made = 0
    for kind, number, change in edits:
        if made == count:
            return
        other = copy.deepcopy(tree)
        node = list(ast.walk(other))[number]
        before = ast.unparse(_statement(other, node)).split("\n")[0]
        statement = _statement(other, node)
        change(node, other)
        ast.fix_missing_locations(other)
        after = {"lost statement": "pass", "precision": f"{before}, through single precision"}.get(kind, "")
        after = after or ast.unparse(statement).split("\n")[0]
        if before == after or (kind == "precision" and not floating):
            continue
        namespace = dict(vars(sys.modules[entry.function.__module__]))
        exec(compile(other, f"<mutant of {entry.name}>", "exec"), namespace)
        made += 1
        yield Mutant(kind, before, after, namespace[entry.function.__name__])


Change = Callable[[Any, ast.AST], None]


def _edits(tree: ast.AST) -> Iterator[tuple[str, int, Change]]:
    """Yields kind, the node's number in ``ast.walk`` order, and what changes it."""
    function = tree.body[0]  # type: ignore[attr-defined]
    # defaults and decorators are no part of what a call does
    inside = {id(node) for statement in function.body for node in ast.walk(statement)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) not in inside:
            continue
        for kind, change in _edits_of(node):
            yield kind, number, change


def _edits_of(node: ast.AST) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _OPPOSITE:
        yield "boundary", lambda n, t: n.ops.__setitem__(0, _OPPOSITE[type(n.ops[0])]())
    elif isinstance(node, ast.BinOp):
        if type(node.op) in _OPPOSITE:
            yield "operator", lambda n, t: setattr(n, "op", _OPPOSITE[type(n.op)]())
        if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow | ast.FloorDiv | ast.Mod):
            yield "swapped operands", _swap
    elif isinstance(node, ast.BoolOp):
        yield "operator", lambda n, t: setattr(n, "op", _OPPOSITE[type(n.op)]())
    elif isinstance(node, ast.AugAssign):
        if type(node.op) in _OPPOSITE:
            yield "operator", lambda n, t: setattr(n, "op", _OPPOSITE[type(n.op)]())
        yield "lost statement", _drop
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        yield "lost statement", _drop
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield "off by one", lambda n, t: setattr(n, "value", n.value + 1)
    elif isinstance(node, ast.Constant) and type(node.value) is float and node.value:
        yield "sign", lambda n, t: setattr(n, "value", -n.value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", lambda n, t: setattr(n, "op", ast.UAdd())
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
        yield "off by one", lambda n, t: setattr(n, "slice", ast.BinOp(n.slice, ast.Sub(), ast.Constant(1)))
    elif isinstance(node, ast.Call):
        yield from _edits_of_call(node)
    elif isinstance(node, ast.Return) and node.value is not None:
        yield "precision", _through_float32


def _edits_of_call(node: ast.Call) -> Iterator[tuple[str, Change]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "range" and node.args:
        yield (
            "last iteration",
            lambda n, t: n.args.__setitem__(
                min(1, len(n.args) - 1), ast.BinOp(n.args[min(1, len(n.args) - 1)], ast.Sub(), ast.Constant(1))
            ),
        )
    if name == "copy" and isinstance(node.func, ast.Attribute):
        yield "dropped copy", _drop_copy
    if name in _NAMES and isinstance(node.func, ast.Attribute):
        yield "function", lambda n, t: setattr(n.func, "attr", _NAMES[n.func.attr])
    elif name in ("min", "max"):
        yield "function", lambda n, t: setattr(n.func, "id", _NAMES[n.func.id])
    if name in ("std", "var"):
        yield "ddof", lambda n, t: n.keywords.append(ast.keyword("ddof", ast.Constant(1)))
    for place, word in enumerate(node.keywords):
        if word.arg == "axis" and isinstance(word.value, ast.Constant) and word.value.value in (0, 1):
            yield "axis", functools.partial(_other_axis, place)
    if name in ("abs", "sqrt", "exp", "log", "tanh") and len(node.args) == 1:
        yield "function", _identity


def _swap(node: Any, tree: ast.AST) -> None:
    node.left, node.right = node.right, node.left


def _other_axis(place: int, node: Any, tree: ast.AST) -> None:
    node.keywords[place].value = ast.Constant(1 - node.keywords[place].value.value)


def _drop_copy(node: Any, tree: ast.AST) -> None:
    inner = node.args[0] if node.args else node.func.value
    _replace(tree, node, inner)


def _identity(node: Any, tree: ast.AST) -> None:
    _replace(tree, node, node.args[0])


def _drop(node: Any, tree: ast.AST) -> None:
    _replace(tree, node, ast.Pass())


def _through_float32(node: Any, tree: ast.AST) -> None:
    node.value = ast.Call(ast.Name("_rounded", ast.Load()), [node.value], [])
    body = tree.body  # type: ignore[attr-defined]
    body[:0] = ast.parse("from benchmarks.mutants import rounded as _rounded").body


def rounded(value: Any) -> Any:
    """Sends floating-point numbers through single precision."""
    if isinstance(value, tuple | list):
        return type(value)(map(rounded, value))
    if isinstance(value, float):
        return type(value)(np.float32(value))
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.float32).astype(value.dtype)
    return value


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if value is old:
                setattr(node, name, new)
                return
            if isinstance(value, list) and any(one is old for one in value):
                value[next(n for n, one in enumerate(value) if one is old)] = new
                return


def _statement(tree: ast.AST, node: ast.AST) -> ast.AST:
    """Returns the innermost statement that holds a node."""
    found: ast.AST = tree
    for candidate in ast.walk(tree):
        if isinstance(candidate, ast.stmt) and any(one is node for one in ast.walk(candidate)):
            found = candidate
    return found


class Verifier:
    """NumPy's answers for one function, made once for all its mutants."""

    def __init__(self, entry: Entry) -> None:
        args = entry.args("small")
        self.entry = entry
        workload = from_function(entry.function, args, {})
        self.labels = list(workload.argument_names)
        self.own = expect(
            entry.function, Probe("the example", "the example's arguments", ()), self.labels, self.fresh, 5
        )
        self.floor = floors(self.own.result, self.own.after or {})
        text = workload.module.text
        inputs = Inputs.of(self.labels, args, defaults_of(text, workload.function.name, self.labels))
        guesses = plan(inputs, text, {name: value for name, value in workload.constants.items() if name.isupper()})
        taken = [expect(entry.function, probe, self.labels, self.fresh, 1.0) for probe in guesses]
        self.expected = [one for one in taken if one.status == TAKEN or (one.status == RAISED and one.probe.refusal)]

    def fresh(self) -> Call:
        return tuple(self.entry.args("small")), {}

    def verdict(self, function: Callable[..., Any]) -> Verdict:
        """Says what catches a mutant."""
        if self.own.status != TAKEN:
            return Verdict("no example", self.own.status)
        judged, shares = self._judged(function, self.own)
        if judged.outcome != judge.AGREES:
            return Verdict("the example", judged.detail)
        if shares != self._numpy_shares():
            return Verdict("shared memory", f"shares memory with {shares}, NumPy's with {self._numpy_shares()}")
        for one in self.expected:
            judged, _ = self._judged(function, one)
            if judged.outcome not in (judge.AGREES, judge.NOT_RUN):
                return Verdict(one.probe.name, f"with {one.probe.about}: {judged.detail}")
        return Verdict("")

    @functools.cache  # noqa: B019 - lives as long as the verifier of one function
    def _numpy_shares(self) -> tuple[str, ...]:
        args, _ = self.fresh()
        seed()
        result = self.entry.function(*args)
        return shared_labels(result, dict(zip(self.labels, args, strict=True)))

    def _judged(self, function: Callable[..., Any], expected: Expected) -> tuple[Judgement, tuple[str, ...]]:
        shares: list[tuple[str, ...]] = [()]
        labels = expected.probe.labels(self.labels)

        def run() -> tuple[Any, Mapping[str, Any]]:
            args, kwargs = copy.deepcopy(expected.call or ((), {}))
            seed()
            result = function(*args, **kwargs)
            after = dict(zip(labels, (*args, *kwargs.values()), strict=True))
            shares[0] = shared_labels(result, after)
            return result, after

        try:
            with at_most(20 * expected.seconds + 2.0), np.errstate(all="ignore"):
                judged = judge.judge(expected, labels, run, None, self.floor)
                if judged.outcome == judge.DIFFERS and judged.kind in ("values", "mutated"):
                    moves = self._movement(expected)
                    if moves:
                        judged = settled(judge.judge(expected, labels, run, moves, self.floor), expected.probe, moves)
        except (TooLong, MemoryError):
            judged = Judgement(judge.TIMED_OUT, detail="it did not end")
        return judged, shares[0]

    def _movement(self, expected: Expected) -> Mapping[str, Movement]:
        try:
            return movements(
                self.entry.function,
                lambda: copy.deepcopy(expected.call or ((), {})),
                expected.probe.labels(self.labels),
                before=seed,
            )
        except Exception:  # the neighbours of these arguments are nothing that NumPy takes
            return {}


def _hush() -> None:
    """Keeps LAPACK, which complains of a NaN on the process's own output, from between the lines."""
    sys.stdout, sys.stderr = os.fdopen(os.dup(1), "w"), os.fdopen(os.dup(2), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def main() -> int:
    """Prints what caught what; returns 1 where too few were caught."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.add_argument("--each", type=int, default=2, help="mutants a function")
    parser.add_argument("--only", nargs="+", help="names of functions, or of fields")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    _hush()
    chosen = [one for one in entries() if not options.only or {one.name, one.field} & set(options.only)]
    caught: collections.Counter[str] = collections.Counter()
    kinds: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0])
    missed, equal = [], []
    start = time.monotonic()
    for entry in chosen:
        print(f"\r{entry.name:<40}", end="", file=sys.stderr, flush=True)
        verifier = Verifier(entry)
        floating = any(leaf.dtype == np.float64 for _, leaf in numeric_leaves(verifier.own.result))
        draw = random.Random(f"{options.seed} {entry.name}")
        for mutant in mutants(entry, options.each, draw, floating):
            verdict = verifier.verdict(mutant.function)
            key = f"{entry.name}: {mutant.before}  =>  {mutant.after}"
            if verdict.by:
                caught[verdict.by] += 1
                kinds[mutant.kind][0] += 1
            elif key in EQUAL:
                equal.append(key)
            else:
                missed.append(f"[{mutant.kind}] {key}")
            kinds[mutant.kind][1] += 1
    wrong = sum(caught.values()) + len(missed)
    print(f"{wrong + len(equal)} mutants of {len(chosen)} functions in {time.monotonic() - start:.0f} s")
    print("\ncaught by")
    for name, number in caught.most_common():
        print(f"{number:6}  {name}")
    print("\nof each kind")
    for name, (some, whole) in sorted(kinds.items()):
        print(f"{some:6} of {whole:4}  {name}")
    print(f"\n{len(equal)} are equal in meaning:")
    for key in equal:
        print(f"  {key}\n      {EQUAL[key]}")
    print(f"\n{sum(caught.values())} of {wrong} wrong ones caught ({sum(caught.values()) / max(wrong, 1):.1%})")
    for text in missed:
        print(f"missed: {text}")
    whole = options.only is None
    return 1 if sum(caught.values()) < WANTED * wrong or (whole and wrong < LEAST) else 0


if __name__ == "__main__":
    sys.exit(main())
