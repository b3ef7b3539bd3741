"""What the tests of capture share: running a cell as a notebook does, and running a captured module by itself."""

from __future__ import annotations

import textwrap
from typing import Any

from jitmagic.capture.call import from_call
from jitmagic.capture.cell import plan
from jitmagic.capture.workload import Workload


def capture_cell(source: str, call: str | None = None, namespace: dict[str, Any] | None = None) -> Workload:
    """Plans a cell, runs its set-up, and captures its call; line 1 of the cell is the first line of ``source``."""
    source = textwrap.dedent(source).lstrip("\n")
    found = plan(source, call)
    scope = namespace if namespace is not None else {}
    scope.setdefault("__name__", "__main__")
    exec(compile(found.setup, "<cell of a test>", "exec", dont_inherit=True), scope)
    return from_call(found.call, scope, sources=found.definitions, function=found.function, line=found.call_line)


def run_alone(workload: Workload) -> Any:
    """Runs a captured module in a namespace of its own, and calls its function with the captured arguments."""
    namespace = {name: workload.constants[name] for name in workload.needs}
    exec(compile(workload.module.text, "<captured>", "exec", dont_inherit=True), namespace)
    return namespace[workload.function.name](*workload.args, **workload.kwargs)
