"""A small stand-in for the watched run: evaluates a function once and notes a fact for every expression."""

from __future__ import annotations

import ast
import copy
import textwrap
from typing import Any

import numpy as np

from jitmagic.analysis.tree import SourceTree
from jitmagic.capture.workload import ModuleText, SourceFunction, Workload
from jitmagic.observe.facts import LoopFact, Observation, RaisedFact, Span, ValueFact

IMPORTS = {"np": "numpy", "math": "math", "scipy": "scipy", "time": "time", "random": "random", "logging": "logging"}


def fact_of(value: Any) -> ValueFact:
    if isinstance(value, np.ndarray):
        return ValueFact("array", value.dtype.name, value.shape)
    if isinstance(value, np.generic):
        whole = int(value) if value.dtype.kind in "iu" else None
        return ValueFact("scalar", value.dtype.name, (), low=whole, high=whole)
    if isinstance(value, bool):
        return ValueFact("bool")
    if isinstance(value, int):
        return ValueFact("int", low=value, high=value)
    if isinstance(value, tuple | list):
        return ValueFact(type(value).__name__, items=tuple(fact_of(item) for item in value[:64]))
    kinds = {float: "float", complex: "complex", str: "str", dict: "dict", type(None): "none"}
    for type_, kind in kinds.items():
        if isinstance(value, type_):
            return ValueFact(kind)
    return ValueFact("function" if callable(value) else "object")


def merged(old: ValueFact | None, new: ValueFact) -> ValueFact:
    if old is None:
        return new
    if (old.kind, old.dtype) != (new.kind, new.dtype):
        return ValueFact("mixed", count=old.count + 1)
    shape = old.shape
    if old.shape is not None and new.shape is not None:
        same = len(old.shape) == len(new.shape)
        shape = tuple(a if a == b else None for a, b in zip(old.shape, new.shape, strict=True)) if same else None
    low = None if old.low is None or new.low is None else min(old.low, new.low)
    high = None if old.high is None or new.high is None else max(old.high, new.high)
    return ValueFact(old.kind, old.dtype, shape, new.items, low, high, old.count + 1)


class _Watch(ast.NodeTransformer):
    def __init__(self, tree: SourceTree) -> None:
        self.tree = tree
        self.spans: list[Span] = []

    def visit_Import(self, node: ast.Import) -> ast.AST:
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self.visit(part.value)
        return node

    def _loop(self, node: ast.For | ast.While) -> list[ast.stmt]:
        line = node.lineno
        self.generic_visit(node)
        node.body.insert(0, _statement(f"__trip__({line})"))
        return [_statement(f"__entry__({line})"), node]

    visit_For = visit_While = _loop

    def generic_visit(self, node: ast.AST) -> ast.AST:
        span = self.tree.span(node) if isinstance(node, ast.expr) else None
        super().generic_visit(node)
        skipped = isinstance(node, ast.Starred | ast.Slice | ast.FormattedValue | ast.Tuple)
        if span is None or skipped or isinstance(getattr(node, "ctx", ast.Load()), ast.Store | ast.Del):
            return node
        self.spans.append(span)
        call = ast.parse(f"__fact__({len(self.spans) - 1})", mode="eval").body
        call.args.append(node)
        return call


def _statement(text: str) -> ast.stmt:
    return ast.parse(text).body[0]


def workload_of(source: str, *args: Any, constants: dict[str, Any] | None = None, first_line: int = 1) -> Workload:
    """Makes a workload of the last function of a source text; the user's lines are shifted by ``first_line - 1``."""
    text = textwrap.dedent(source).strip("\n") + "\n"
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    name = functions[-1].name
    labels: list[str] = []
    parameters = functions[-1].args
    for position, _ in enumerate(args):
        if position < len(parameters.args):
            labels.append(parameters.args[position].arg)
        else:
            labels.append(f"{parameters.vararg.arg}[{position - len(parameters.args)}]")  # type: ignore[union-attr]
    lines = tuple(range(first_line, first_line + text.count("\n")))
    return Workload(
        SourceFunction(name, text, first_line, "cell"), (), ModuleText(text, lines), IMPORTS, constants or {},
        tuple(constants or {}), args, {}, f"{name}(…)", tuple(labels),
    )  # fmt: skip


def observe(workload: Workload, watched: bool = True) -> Observation:
    """Runs the function on copies of its arguments and notes what it saw."""
    text, name = workload.module.text, workload.function.name
    arguments = {label: fact_of(v) for label, v in zip(workload.argument_names, workload.args, strict=True)}
    if not watched:
        return Observation(0.1, False, None, None, (), None, (), (), "", False, (), (), arguments)
    tree = SourceTree(text, name)
    watch = _Watch(tree)
    module = ast.parse(text)
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            node.body = [s for old in node.body for s in _listed(watch.visit(old))]
    facts: dict[Span, ValueFact] = {}
    trips: dict[int, list[int]] = {}

    def note(position: int, value: Any) -> Any:
        facts[watch.spans[position]] = merged(facts.get(watch.spans[position]), fact_of(value))
        return value

    def trip(line: int) -> None:
        trips[line][-1] += 1

    namespace: dict[str, Any] = {
        "__fact__": note, "__trip__": trip, "__entry__": lambda line: trips.setdefault(line, []).append(0),
        **copy.deepcopy(dict(workload.constants)),
    }  # fmt: skip
    for local, path in IMPORTS.items():
        namespace[local] = __import__(path)
    import scipy.special  # noqa: F401

    exec(compile(ast.fix_missing_locations(module), "<watched>", "exec"), namespace)
    args = copy.deepcopy(workload.args)
    result, raised = None, None
    try:
        result = fact_of(namespace[name](*args))
    except Exception as error:
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            if frame.tb_next.tb_frame.f_code.co_filename != "<watched>":
                break
            frame = frame.tb_next
        raised = RaisedFact(type(error).__name__, str(error), frame.tb_lineno if frame else None)
    mutated = tuple(
        label for label, old, new in zip(workload.argument_names, workload.args, args, strict=True)
        if isinstance(old, np.ndarray) and not np.array_equal(old, new, equal_nan=old.dtype.kind == "f")
    )  # fmt: skip
    loops = {line: LoopFact(len(counts), min(counts), max(counts), sum(counts)) for line, counts in trips.items()}
    return Observation(0.1, True, result, raised, mutated, None, (), (), "", False, (), (), arguments, facts, loops)


def _listed(node: Any) -> list[ast.stmt]:
    return node if isinstance(node, list) else [node]
