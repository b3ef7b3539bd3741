"""Random small programs do the same watched as plain, and every statement that ran has facts."""

import ast
import textwrap
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from jitmagic.observe.facts import Span, ValueFact
from jitmagic.observe.instrument import instrument
from jitmagic.observe.recorder import Recorder, WatchNames
from jitmagic.observe.spans import SpanMap

from .programs import Log, both

VARIABLES = ("a", "b", "c")
numbers = st.integers(-3, 12).map(str)
names = st.sampled_from(VARIABLES)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0:
        return draw(st.one_of(numbers, names))
    part = expressions(depth=depth - 1)
    form = draw(
        st.sampled_from(
            (
                "{0} + {1}",
                "({0}) * ({1}) % 17",
                "({0}) // ({1})",
                "log({0})",
                "log({0}, {1})",
                "({0} if {1} else {2})",
                "({0} and {1})",
                "({0} or {1})",
                "int({0} < {1} <= {2})",
                "-({0})",
                "helper({0}, {1}) % 13",
                "(({v} := {0}) + {1})",
                "x[({0}) % 5]",
                "x[-1]",
                "sum([{0} + i for i in range(3) if {1}])",
                "(lambda k: k + {0})({1})",
                "max({0}, {1})",
                "len(x[{0}:])",
            )
        )
    )
    return form.format(draw(part), draw(part), draw(part), v=draw(names))


@st.composite
def blocks(draw: st.DrawFn, depth: int, loop: bool) -> str:
    return "\n".join(draw(st.lists(statements(depth=depth, loop=loop), min_size=1, max_size=4)))


def indented(text: str) -> str:
    return textwrap.indent(text, "    ")


@st.composite
def statements(draw: st.DrawFn, depth: int, loop: bool) -> str:
    value = expressions()
    simple = [
        "{v} = {0}",
        "{v} += {0}",
        "x[({0}) % 5] = {1}",
        "x[({0}) % 5] += {1}",
        "log({0})",
        "{v}, b = {0}, {1}",
        "{v} = b = {0}",
        "pass",
        "total += {0}",
    ]
    rare = ["return {0}", "raise ValueError({0})", "assert {0}"] + (["break", "continue"] if loop else [])
    kinds = ["simple"] * 5 + ["rare"] + (["if", "for", "while", "try", "def"] * 2 if depth else [])
    kind = draw(st.sampled_from(kinds))
    if kind in ("simple", "rare"):
        form = draw(st.sampled_from(simple if kind == "simple" else rare))
        return form.format(draw(value), draw(value), v=draw(names))
    body = indented(draw(blocks(depth=depth - 1, loop=loop or kind in ("for", "while"))))
    other = indented(draw(blocks(depth=depth - 1, loop=loop)))
    if kind == "if":
        # A branch that is taken once, at some time.
        once = st.integers(0, 120).map(lambda time: f"tick() == {time}")
        text = f"if {draw(st.one_of(value, once))}:\n{body}"
        return text + draw(st.sampled_from(("", f"\nelse:\n{other}", f"\nelif {draw(value)}:\n{other}")))
    if kind == "for":
        iterable = draw(st.sampled_from(("range(7)", "range({0} % 9)", "list(x)", "(1, {0})", "enumerate(x)")))
        target = "i, " + draw(names) if iterable.startswith("enum") else draw(names)
        text = f"for {target} in {iterable.format(draw(value))}:\n{body}"
        return text + draw(st.sampled_from(("", f"\nelse:\n{other}")))
    if kind == "while":
        text = f"while fuel() and {draw(value)}:\n{body}"
        return text + draw(st.sampled_from(("", f"\nelse:\n{other}")))
    if kind == "try":
        caught = f"except (ZeroDivisionError, ValueError) as error:\n{indented('log(str(error))')}\n{other}"
        ends = (caught, f"finally:\n{other}", f"{caught}\nfinally:\n    log(0)")
        return f"try:\n{body}\n" + draw(st.sampled_from(ends))
    inner = indented(draw(blocks(depth=depth - 1, loop=False)))
    calls = ("log(inner({0}))", "{v} = inner({0}) or 0", "log(sum(inner(k) or 0 for k in range(2)))")
    call = draw(st.sampled_from(calls))
    scope = "    nonlocal a\n" if draw(st.booleans()) else "    a = 1\n"
    text = f"def inner(c):\n{scope}    global total\n    b = 2\n{inner}\n"
    return text + call.format(draw(value), v=draw(names))


@st.composite
def programs(draw: st.DrawFn) -> str:
    body = indented(draw(blocks(depth=3, loop=False)))
    helper = indented(draw(blocks(depth=1, loop=False)))
    return (
        "total = 0\nleft = 300\nticks = 0\n"
        "def tick():\n    global ticks\n    ticks += 1\n    return ticks\n"
        "def fuel():\n    global left\n    left -= 1\n    return left > 0\n"
        "def helper(a, c=[1]):\n    global total\n    c = 3\n    x = [a, 1, 2, 3, 4]\n    b = log(a)\n"
        "    if not fuel():\n        return 1\n"
        f"{helper}\n    return a + b\n"
        "def f(a):\n    global total\n    b, c = 1, 2\n    x = [5, 4, 3, 2, 1]\n"
        f"{body}\n    return a, b, c, x, total\n"
        "def many(n):\n    out = []\n    for k in range(n):\n        try:\n            out.append(f(k))\n"
        "        except Exception as error:\n            out.append(repr(error))\n    return out\n"
    )


# Shrinking these programs takes minutes; what fails is short enough to read.
slow = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


@pytest.mark.slow
@slow
@given(programs())
def test_a_random_program_does_the_same(text: str) -> None:
    for call in ("f(3)", "many(12)"):
        plain, watched = both(text, call)
        assert watched == plain


class WatchesAll(Recorder):
    """Samples nothing: every trip and every call is watched."""

    def bindings(self, names: WatchNames) -> dict[str, Any]:
        found = super().bindings(names)
        return found | {names.gate(number): lambda: True for number in range(self._gates)}

    def enter(self, loop: int) -> int:
        return 0

    def next_trip(self, loop: int, trip: int) -> int:
        return trip + 1


CONDITIONAL = ast.BoolOp | ast.IfExp | ast.Compare | ast.Lambda | ast.ListComp | ast.GeneratorExp


def facts_of(text: str, kind: type[Recorder]) -> dict[Span, ValueFact] | None:
    module = instrument(text)
    index = tuple(site.index for site in module.sites)
    recorder = kind(index, module.groups, len(module.loops), module.gates)
    scope = {"log": Log(), **recorder.bindings(module.names)}
    exec(module.code, scope)
    results = eval("many(40)", scope)
    return module.expressions(recorder) if not any("Error" in str(result) for result in results) else None


@pytest.mark.slow
@slow
@given(programs())
def test_every_statement_that_ran_to_its_end_was_watched_at_least_once(text: str) -> None:
    # Without what raises: a statement that an exception cuts short may be missed.
    text = text.replace("raise ValueError(", "log(").replace("assert ", "").replace(") // (", ") + (")
    everything, sampled = facts_of(text, WatchesAll), facts_of(text, Recorder)
    assume(everything is not None)
    assume(sampled is not None)
    spans = SpanMap(text)
    # What stands within a conditional expression may be missed, what stands in a statement may not.
    excused = {
        spans.of(inner)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, CONDITIONAL)
        for inner in ast.walk(node)
        if isinstance(inner, ast.expr) and inner is not node
    }
    missed = sorted(everything.keys() - sampled.keys() - excused)
    assert missed == [], text
    assert sampled.keys() <= everything.keys()


@pytest.mark.parametrize("body", ["log(c)", "if c:\n                log(c)", "break"])
def test_what_a_loop_binds_is_watched_though_no_call_before_came_to_it(body: str) -> None:
    text = (
        "def f(k):\n    x = [1, 2]\n    if k == 30:\n        for i, c in enumerate(x):\n"
        f"            {body}\n    return k\ndef many(n):\n    return [f(k) for k in range(n)]\n"
    )
    assert {Span(4, 12, 4, 13), Span(4, 15, 4, 16)} <= facts_of(text, Recorder).keys()
