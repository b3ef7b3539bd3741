"""What makes a CuPy variant pointless or wrong, and what its reader should know."""

from __future__ import annotations

import ast

from jitmagic.analysis.launches import launches
from jitmagic.analysis.scope import scope_of
from jitmagic.capture.workload import Workload
from jitmagic.errors import Unsupported
from jitmagic.figures import duration
from jitmagic.observe.facts import Observation

LAUNCH_SECONDS = 10e-6
"""What starting a kernel costs, as CuPy's own performance notes give it (cupy#2271)."""

MOST_SECONDS = 5.0
"""Estimated time in loops, launch by launch, up to which a variant is offered."""

NOTED_SECONDS = 1e-3
"""Estimated time in loops from which a note says so."""


def check(workload: Workload, observed: Observation, gone: frozenset[int] = frozenset()) -> None:
    """Raises `Unsupported` for loops that would take too long and globals that are written."""
    tree = ast.parse(workload.module.text)
    origin = workload.module.origin_line
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        scope = scope_of(workload.module.text, function.name, workload.names, observed)
        for node in ast.walk(scope.function):
            if isinstance(node, ast.Global | ast.Nonlocal):
                line = origin(node.lineno)
                raise Unsupported(f"line {line} writes a global: return the value instead", line)
    found = launches(workload.module.text, observed, gone)
    seconds = found.count * LAUNCH_SECONDS
    if found.line is not None and seconds > MOST_SECONDS:
        line = origin(found.line)
        raise Unsupported(
            f"the loop of line {line} makes {_grouped(found.trips)} trips: {_cost(found.count)} (more than "
            f"{MOST_SECONDS:.0f} s are not offered): write it with whole arrays",
            line,
            "CP-LOOP",
        )
    for label, fact in observed.arguments.items():
        if fact.kind == "object" and (fact.dtype or "") == "object":
            raise Unsupported(
                f"the argument `{label}` holds Python objects, which cannot be on a GPU", None, "CP-DTYPE"
            )


def check_random(observed: Observation, draws: int) -> None:
    """Raises `Unsupported` where the global random state moved by a call that the source does not show."""
    if observed.random and not draws:
        raise Unsupported(
            "the function draws from the global random generator in a call that is not followed here: draw outside "
            "and pass the numbers",
            None,
            "CP-RNG",
        )


def _cost(count: int) -> str:
    took, each = duration(count * LAUNCH_SECONDS), f"{LAUNCH_SECONDS * 1e6:.0f} µs"
    return f"{_grouped(count)} kernels one after the other, about {took} at {each} each"


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def notes(workload: Workload, observed: Observation, gone: frozenset[int] = frozenset()) -> list[str]:
    """Returns sentences on loops that run step by step, and on places where the host waits for the GPU."""
    found: list[str] = []
    tree = ast.parse(workload.module.text)
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        scope = scope_of(workload.module.text, function.name, workload.names, observed)
        loops = [node for node in ast.walk(scope.function) if isinstance(node, ast.For) and node.lineno in gone]
        inside = {inner for loop in loops for inner in ast.walk(loop)}
        for node in ast.walk(scope.function):
            pulled: ast.expr | None = None
            if node in inside:
                continue
            if isinstance(node, ast.If | ast.While):
                pulled = node.test
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("float", "int", "bool")
            ):
                pulled = node.args[0] if node.args else None
            fact = scope.fact(pulled) if pulled is not None else None
            if pulled is not None and fact is not None and fact.kind == "scalar":
                line = workload.module.origin_line(pulled.lineno)
                found.append(f"line {line}: `{ast.unparse(pulled)}` is read by the host, which waits for the GPU there")
    steps = launches(workload.module.text, observed, gone)
    if steps.line is not None and steps.count * LAUNCH_SECONDS >= NOTED_SECONDS:
        line = workload.module.origin_line(steps.line)
        found.append(f"the loop of line {line} runs step by step: {_cost(steps.count)}")
    return list(dict.fromkeys(found))
