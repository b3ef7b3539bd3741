"""What is refused before anything is written: forms that Numba would compile into something else without a word."""

from __future__ import annotations

import ast

from jitmagic.analysis.names import Names
from jitmagic.analysis.scalars import assigned
from jitmagic.analysis.tree import SourceTree, base_name
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal
from jitmagic.observe.facts import Observation

_LIMIT = 2**63


def refusal(workload: Workload, observed: Observation) -> Refusal | None:
    """Returns the first reason why no Numba variant can be right, None where there is none."""
    tree = SourceTree(workload.module.text, workload.function.name)
    origin = workload.module.origin_line
    for function in tree.functions.values():
        if function.args.kwarg is not None:
            line = origin(function.lineno)
            return Refusal(
                f"line {line}: Numba takes no **{function.args.kwarg.arg}: name the keywords", line, "NB-SYNTAX"
            )
        local = assigned(function.body) | {
            argument.arg for argument in ast.walk(function) if isinstance(argument, ast.arg)
        }
        for node in ast.walk(function):
            line = origin(getattr(node, "lineno", None))
            if isinstance(node, ast.Global | ast.Nonlocal):
                changed = ", ".join(f"`{name}`" for name in node.names)
                return Refusal(
                    f"line {line} writes the global {changed}, which Numba freezes when it compiles: return the value "
                    "instead",
                    line,
                    "NB-GLOBALS",
                )
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                base = base_name(node)
                if base is not None and base not in local and base in workload.constants:
                    return Refusal(
                        f"line {line} writes into the global array `{base}`, which is read-only under Numba: pass it "
                        "as an argument",
                        line,
                        "NB-GLOBALARR",
                    )
    for span, fact in observed.expressions.items():
        if fact.kind == "int" and ((fact.high or 0) >= _LIMIT or (fact.low or 0) < -_LIMIT):
            line = origin(span.line)
            return Refusal(
                f"line {line} makes the integer {fact.high or fact.low}, and Numba's integers have 64 bits: use floats",
                line,
                "NB-INTWRAP",
            )
    return None


def kernel_refusal(workload: Workload) -> Refusal | None:
    """Returns why no kernels are made of a function, None where nothing is known.

    A list that grows and becomes an array: what its loop does is not taken apart for a GPU.
    """
    tree = SourceTree(workload.module.text, workload.function.name)
    names = Names(tree, workload.names)
    for function in tree.functions.values():
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        growing = {
            node.func.value.id
            for node in calls
            if isinstance(node.func, ast.Attribute)
            and node.func.attr in ("append", "extend")
            and isinstance(node.func.value, ast.Name)
        }
        for node in calls:
            path = names.path(node.func)
            argument = node.args[0] if node.args else None
            if path in ("numpy.array", "numpy.asarray") and isinstance(argument, ast.Name) and argument.id in growing:
                line = workload.module.origin_line(node.lineno)
                return Refusal(
                    f"line {line} makes an array of the list `{argument.id}`, which grows step by step: "
                    "store into an array of the final size instead",
                    line,
                    "NB-PRANGE-LIST",
                )
    return None
