"""Stand-ins for the steps that the fronts call, small enough to be read at a glance. Used by the fronts' tests."""

from __future__ import annotations

import ast
import json
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jitmagic.backends.protocol import Availability
from jitmagic.errors import CaptureError

SAMPLE = Path(__file__).parent / "report" / "records" / "sample.json"
EVALUATED = "<the call to compare>"
MIME = "application/vnd.jitmagic.v1+json"


@dataclass(frozen=True)
class Options:
    backends: tuple[str, ...] | None = None
    devices: tuple[str, ...] | None = None
    budget: float = 10.0
    timeout: float = 60.0
    dtype: str | None = None
    sweep: str | None = None
    threads: tuple[str, ...] | None = None
    python: Mapping[str, str] | None = None
    cold: bool = False
    calls: int | None = None
    need: tuple[str, ...] | None = None
    deploy: str | None = None
    keep: str | None = None
    on: tuple[str, ...] | None = None
    transform: Any = None
    margin: float = 15.0

    def __post_init__(self) -> None:
        if self.budget <= 0:
            raise ValueError(f"the budget is {self.budget} s and has to be positive")


@dataclass(frozen=True)
class Progress:
    variant: str | None
    step: str
    done: int
    total: int
    seconds_left: float | None
    standings: tuple[Any, ...] = ()
    size: str = ""


@dataclass
class Comparison:
    record: dict[str, Any] = field(default_factory=lambda: json.loads(SAMPLE.read_text(encoding="utf-8")))
    status: str = "complete"

    def to_text(self, width: int = 80, color: bool = False, code: str | None = None) -> str:
        return f"text width={width} color={color} code={code} µ\n"

    def to_html(self, page: bool = False) -> str:
        return "<!doctype html><p>µ</p>" if page else "<p>µ</p>"

    def to_json(self, indent: int | None = None) -> str:
        return json.dumps(self.record, indent=indent)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": self.to_text(), "text/html": self.to_html(), MIME: self.record}


@dataclass(frozen=True)
class CellPlan:
    setup: str
    call: str | None
    call_line: int | None
    function: str | None
    definitions: dict[str, str]


@dataclass(frozen=True)
class Workload:
    call: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


def plan(source: str, call: str | None) -> CellPlan:
    body = ast.parse(source).body
    definitions = {node.name: node.name for node in body if isinstance(node, ast.FunctionDef)}
    lines = source.splitlines()
    line = None
    if call is None:
        if not body or not isinstance(body[-1], ast.Expr) or not isinstance(body[-1].value, ast.Call):
            raise CaptureError("the cell ends without a call; end it with one, e.g. fn(x)", len(lines))
        call = ast.get_source_segment(source, body[-1])
        line = body[-1].lineno
        for number in range(body[-1].lineno - 1, body[-1].end_lineno or 0):
            lines[number] = ""
    return CellPlan("\n".join(lines) + "\n", call, line, next(iter(definitions), None), definitions)


def from_call(
    call: str, namespace: Any, *, sources: Any = None, function: str | None = None, line: int | None = None
) -> Workload:
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    try:
        args = tuple(eval(compile(ast.Expression(part), EVALUATED, "eval"), dict(namespace)) for part in node.args)
    except Exception as error:
        raise CaptureError("an argument of the call raised", line) from error
    return Workload(call, args)


def from_file(path: str, function: str | None = None, call: str | None = None) -> Workload:
    source = Path(path).read_text(encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    planned = plan(source, call)
    try:
        exec(compile(planned.setup, str(Path(path).resolve()), "exec"), namespace)
    except Exception as error:
        raise CaptureError("the set-up failed", 4) from error
    return from_call(planned.call or "", namespace, function=function)


def resized_from_file(
    path: str, function: str | None = None, call: str | None = None, sweep: str | None = None
) -> tuple[Workload, None]:
    return from_file(path, function, call), None


class Steps:
    """What was asked of the steps, and what they answer."""

    def __init__(self) -> None:
        self.compared: list[tuple[Workload, Options]] = []
        self.comparison = Comparison()
        self.events = [Progress("numba", "timing", 1, 4, 6.0), Progress("jax", "timing", 2, 4, 3.0)]
        self.error: BaseException | None = None
        self.shutdowns = 0

    def compare_workload(
        self, workload: Workload, options: Options, progress: Any = None, resized: Any = None
    ) -> Comparison:
        self.compared.append((workload, options))
        if progress is not None:
            for event in self.events:
                progress(event)
        if self.error is not None:
            raise self.error
        return self.comparison

    def shutdown(self) -> None:
        self.shutdowns += 1


class Backend:
    def __init__(self, name: str, availability: Availability | Exception) -> None:
        self.name = name
        self.title = name.title()
        self._availability = availability

    def availability(self) -> Availability:
        if isinstance(self._availability, Exception):
            raise self._availability
        return self._availability


BACKENDS = {
    "numpy": Backend("numpy", Availability(True, {"numpy": "2.4.6"})),
    "numba": Backend("numba", Availability(True, {"numba": "0.68.1"})),
    "jax": Backend("jax", Availability(False, {}, "it is not installed", 'pip install "jitmagic[jax]"')),
    "cupy": Backend("cupy", Availability(True, {"cupy-cuda12x": "14.2.0"}, kinds=("cuda",))),
}


def _module(name: str, **contents: Any) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(contents)
    return module


def modules(steps: Steps) -> dict[str, types.ModuleType]:
    """Returns the stand-ins by the names under which the fronts import them."""
    return {
        "jitmagic.capture.cell": _module("jitmagic.capture.cell", plan=plan),
        "jitmagic.capture.call": _module("jitmagic.capture.call", from_call=from_call, EVALUATED=EVALUATED),
        "jitmagic.capture.file": _module("jitmagic.capture.file", resized_from_file=resized_from_file),
        "jitmagic.comparison": _module(
            "jitmagic.comparison",
            Options=Options,
            Progress=Progress,
            Comparison=Comparison,
            compare_workload=steps.compare_workload,
            shutdown=steps.shutdown,
        ),
    }


def install() -> Steps:
    """Puts the stand-ins in place for the rest of a process: for tests that run in a kernel of their own."""
    import jitmagic.backends

    steps = Steps()
    sys.modules.update(modules(steps))
    jitmagic.backends.all_backends = lambda: BACKENDS  # type: ignore[attr-defined]
    return steps
