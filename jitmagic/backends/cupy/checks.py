"""What makes a CuPy variant pointless or wrong, and what its reader should know."""

from __future__ import annotations

import ast

from jitmagic.analysis.scalars import assigned
from jitmagic.analysis.scope import Scope
from jitmagic.capture.workload import Workload
from jitmagic.errors import Unsupported
from jitmagic.observe.facts import Observation

MOST_ELEMENTS = 256
"""Element accesses in one run of the function up to which a Python loop over elements is let through: each costs a
kernel start or a copy of some 10 µs (cupy#2271)."""


def check(workload: Workload, observed: Observation) -> None:
    """Raises `Unsupported` for loops over elements and globals that are written."""
    tree = ast.parse(workload.module.text)
    origin = workload.module.origin_line
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        scope = Scope(workload.module.text, function.name, workload.names, observed)
        for node in ast.walk(scope.function):
            if isinstance(node, ast.Global | ast.Nonlocal):
                line = origin(node.lineno)
                raise Unsupported(f"line {line} writes a global: return the value instead", line)
            if isinstance(node, ast.For | ast.While):
                _check_loop(node, scope, observed, origin(node.lineno))
    for label, fact in observed.arguments.items():
        if fact.kind == "object" and (fact.dtype or "") == "object":
            raise Unsupported(
                f"the argument `{label}` holds Python objects, which cannot be on a GPU", None, "CP-DTYPE"
            )


def check_random(observed: Observation) -> None:
    """Raises `Unsupported` where the global random state moved: by a call that the source does not show."""
    if observed.random:
        raise Unsupported(
            "the function draws from the global random generator, and CuPy's gives other numbers: draw outside "
            "and pass them",
            None,
            "CP-RNG",
        )


def _check_loop(loop: ast.For | ast.While, scope: Scope, observed: Observation, line: int | None) -> None:
    fact = observed.loops.get(loop.lineno)
    trips = fact.trips_total if fact is not None else None
    element = _element(loop, scope)
    if element is None or (trips is not None and trips <= MOST_ELEMENTS):
        return
    often = f"{trips} steps" if trips is not None else "every step"
    raise Unsupported(
        f"the loop of line {line} takes single elements (`{element}`) in {often}, and each would be a kernel of its "
        "own on the GPU: write it with whole arrays",
        line,
        "CP-LOOP",
    )


def _element(loop: ast.For | ast.While, scope: Scope) -> str | None:
    """Returns the first access of a single element in the loop's own body, None where there is none."""
    changing = assigned(loop.body) | (
        {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)} if isinstance(loop, ast.For) else set()
    )
    for statement in loop.body:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Subscript):
                continue
            base = scope.fact(node.value)
            if base is not None and base.kind != "array":
                continue
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            if any(isinstance(part, ast.Slice) for part in parts):
                continue
            seen = scope.fact(node)
            single = seen is not None and seen.kind == "scalar"
            if seen is None and base is not None and base.ndim == len(parts):
                facts = [scope.fact(part) for part in parts]
                single = all(f is not None and f.kind in ("int", "scalar") for f in facts) or all(
                    isinstance(part, ast.Name | ast.BinOp) for part in parts
                )
            names = {n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)}
            if single and names & changing:
                return ast.unparse(node)
    return None


def notes(workload: Workload, observed: Observation) -> list[str]:
    """Returns sentences on places where the host waits for the GPU."""
    found: list[str] = []
    tree = ast.parse(workload.module.text)
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        scope = Scope(workload.module.text, function.name, workload.names, observed)
        for node in ast.walk(scope.function):
            pulled: ast.expr | None = None
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
    return list(dict.fromkeys(found))
