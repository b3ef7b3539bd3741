"""Runs a program plain and watched, and returns what each did."""

from typing import Any

import numpy as np

from jitmagic.observe.facts import LoopFact, Span, ValueFact
from jitmagic.observe.instrument import FILENAME, Instrumented, instrument
from jitmagic.observe.recorder import Recorder


class Log:
    """A function that notes what it is called with, and returns its last argument."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def __call__(self, *values: Any) -> Any:
        self.events.append(repr(values))
        return values[-1]


def outcome(code: Any, scope: dict[str, Any], call: str) -> tuple[str, list[str], str | None]:
    log = Log()
    scope |= {"log": log, "np": np}
    try:
        exec(code, scope)
        result = repr(eval(call, scope))
    except Exception as error:
        trace, line = error.__traceback__, None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == FILENAME:
                line = trace.tb_lineno
            trace = trace.tb_next
        return f"{type(error).__name__}: {error}", log.events, f"line {line}"
    return result, log.events, None


def both(text: str, call: str) -> tuple[Any, Any]:
    """Returns the outcome (result or exception, order of side effects, line) of the plain and of the watched module."""
    plain = outcome(compile(text, FILENAME, "exec"), {}, call)
    module = instrument(text)
    return plain, outcome(module.code, module.recorder().bindings(module.names), call)


class Watched:
    """One watched run, with its facts by the text of the expression."""

    def __init__(self, text: str, call: str, **scope: Any) -> None:
        self.text = text
        self.module: Instrumented = instrument(text)
        self.recorder: Recorder = self.module.recorder()
        bindings = self.recorder.bindings(self.module.names)
        self.watches = 0
        watch = bindings[self.module.names.watch]

        def counted(site: int, value: Any) -> Any:
            self.watches += 1
            return watch(site, value)

        space = {"np": np, **scope, **bindings, self.module.names.watch: counted}
        exec(self.module.code, space)
        self.result = eval(call, space)
        self.expressions: dict[Span, ValueFact] = self.module.expressions(self.recorder)
        self.loops: dict[int, LoopFact] = self.module.loop_facts(self.recorder, raised=False)

    def source(self, span: Span) -> str:
        lines = self.text.split("\n")
        if span.line == span.end_line:
            return lines[span.line - 1][span.column : span.end_column]
        return "…"

    def fact(self, expression: str, line: int | None = None, occurrence: int = 0) -> ValueFact:
        """Returns the fact of an expression, found by its text, on a line if one is given."""
        found = sorted(
            span for span in self.expressions if self.source(span) == expression and (line is None or span.line == line)
        )
        return self.expressions[found[occurrence]]
