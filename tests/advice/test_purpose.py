"""What is recommended for a purpose: how often, where, with gradients, simply; and what it costs."""

import re

import pytest

from jitmagic.advice.common import advised, differs
from jitmagic.advice.costs import changed, costs
from jitmagic.advice.purpose import Purpose
from jitmagic.advice.recommendation import Circumstances, recommend
from jitmagic.backends.protocol import Draft
from jitmagic.capture.workload import ModuleText
from jitmagic.measure.answers import Built
from jitmagic.observe.facts import LoopFact, Observation, ValueFact
from jitmagic.verify.compare import Finding
from tests.advice.test_recommendation import outcome, rounds

ORIGINAL = "import numpy as np\n\n\ndef fn(x):\n    # twice\n    return x + x\n"
ONE_LINE = ORIGINAL.replace("def fn", "@njit\ndef fn")
MANY = ORIGINAL.replace("    return x + x", "    out = np.empty_like(x)\n    out[:] = x\n    out += x\n    return out")
NUMPY = outcome("numpy", rounds(0.1))


def variant(name, seconds, build=0.0, text=ONE_LINE, device="cpu"):
    made = outcome(name, rounds(seconds), build, device=device)
    made.draft = Draft(name, made.backend, "", "", ModuleText(text, (None,) * text.count("\n")), "fn")
    return made


def advice(*outcomes, **purpose):
    given = Circumstances(ORIGINAL, differentiable=lambda one: one.backend in ("jax", "torch"))
    return recommend(NUMPY, outcomes, Purpose(**purpose), given)


def test_few_calls_do_not_earn_a_long_build_back():
    slow_build, quick_build = variant("jax", 0.01, 5.0), variant("numba", 0.05, 0.5)
    assert advice(slow_build, quick_build)["variant"] == "jax"
    five = advice(slow_build, quick_build, calls=5)
    assert five["variant"] == "numpy"
    assert re.fullmatch(
        r"Stay with NumPy for 5 calls: with it they take (4|5)\d\d ms, with numba 7\d\d ms, the build among them\.",
        five["sentence"],
    )
    some = advice(slow_build, quick_build, calls=40)
    assert some["variant"] == "numba"
    told = "Take numba: 40 calls with it, the build among them, take 2.5 s, with NumPy 4.0 s."
    assert some["sentence"].startswith(told)
    assert any("jax" in one and "it is ahead from" in one for one in some["conditions"])
    assert advice(slow_build, quick_build, calls=10_000)["variant"] == "jax"


def test_one_call_is_worded_as_one():
    assert "for 1 call: with it it takes" in advice(variant("jax", 0.01, 5.0), calls=1)["sentence"]


def test_gradients_are_had_from_what_can_differentiate_even_where_it_is_slower():
    found = advice(variant("numba", 0.01), variant("jax", 0.2), need=("gradients",))
    assert found["variant"] == "jax"
    assert "with gradients" in found["sentence"]
    assert any("`--grad ARG`" in one for one in found["conditions"])
    none = advice(variant("numba", 0.01), need=("gradients",))
    assert none["variant"] is None
    assert "JAX and from torch" in none["sentence"]


def test_for_a_place_only_what_ran_there_counts():
    there, here = variant("jax@cuda:0", 0.02, device="cuda:0"), variant("numba", 0.01)
    assert advice(here, there)["variant"] == "numba"
    assert advice(here, there, deploy="gpu")["variant"] == "jax@cuda:0"
    assert advice(here, there, deploy="cpu")["variant"] == "numba"
    unrun = variant("cupy", 0.1, device="cuda:0")
    unrun.samples, unrun.built = [], None
    none = advice(here, unrun, deploy="gpu")
    assert none["variant"] is None
    assert "no variant was verified and timed on one" in none["sentence"]
    assert "cupy can be read below, and was not run" in none["sentence"]
    assert "for the TPU" in advice(here, deploy="tpu")["sentence"]


def test_simple_is_what_changes_the_fewest_lines_of_what_is_faster():
    quick, simple, slow = variant("jax", 0.01, text=MANY), variant("numba", 0.05), variant("torch", 0.3)
    found = advice(quick, simple, slow, keep="simple")
    assert found["variant"] == "numba"
    assert "fewest lines changed (1)" in found["sentence"]
    assert any(one.startswith("jax is ") and "with 5 lines changed" in one for one in found["conditions"])


def test_lines_are_counted_without_comments_and_blanks():
    assert changed(variant("a", 0.1, text=ORIGINAL), ORIGINAL) == (0, 0)
    assert changed(variant("a", 0.1, text=ORIGINAL.replace("# twice", "# 2")), ORIGINAL) == (0, 0)
    assert changed(variant("a", 0.1), ORIGINAL) == (1, 0)
    assert changed(variant("a", 0.1, text=MANY), ORIGINAL) == (4, 1)
    assert changed(variant("a", 0.1, text=ORIGINAL.replace("x + x", "'# no comment'")), ORIGINAL) == (1, 1)


def test_what_it_costs_is_told():
    one = variant("numba", 0.02, 0.4)
    one.built = Built(finding=Finding(True, max_abs=1e-7, max_rel=1.0), first=0.42, second=0.02, host_peak=8_000_000)
    base = outcome("numpy", rounds(0.1))
    base.built = Built(finding=Finding(True), first=0.1, second=0.1, host_peak=24_000_000)
    told = costs(one, base, ORIGINAL, {"numba": "0.61.0"})
    assert told == [
        "1 line of code added and 0 taken away",
        "400 ms to build",
        "8 MB of memory at its peak, NumPy 24 MB",
        "a result that differs by 1.0e-07 at most",
        "numba 0.61.0 as a dependency",
    ]


def test_the_runner_up_is_the_next_fastest():
    found = advice(variant("jax", 0.01), variant("numba", 0.05, 0.5), variant("torch", 0.08))
    assert found["runner_up"]["variant"] == "numba"
    assert found["runner_up"]["sentence"].endswith("500 ms to build.")
    assert "runner_up" not in advice(variant("jax", 0.01))


def observed(trips=0, shape=(100_000,)):
    loops = {3: LoopFact(1, trips, trips, trips)} if trips else {}
    facts = {"x": ValueFact("array", "float64", shape)}
    return Observation(0.1, True, None, None, (), None, (), (), "", False, (), (), facts, loops=loops)


@pytest.mark.parametrize(
    ("facts", "backend"),
    [(observed(5000), "numba"), (observed(), "jax"), (observed(shape=(10, 10)), "numpy"), (observed(20), "jax")],
    ids=["many trips", "whole arrays", "small arrays", "few trips over large arrays"],
)
def test_what_is_commonly_advised_follows_from_what_was_seen(facts, backend):
    assert advised(facts)[0] == backend


def test_a_measurement_against_common_advice_is_told_with_its_figure():
    jax, numba = variant("jax", 0.02), variant("numba", 0.06)
    told = differs(observed(5000), jax, [jax, numba])
    assert told is not None
    assert told.startswith("Commonly advised for loops over elements (Numba's guide) is numba: measured here, jax has")
    assert differs(observed(5000), numba, [jax, numba]) is None
    assert differs(observed(5000), jax, [jax, variant("numba", 0.0201)]) is None
    assert "could be verified and timed" in (differs(observed(5000), jax, [jax]) or "")
    assert "jax is the faster one all the same" in (differs(observed(shape=(5,)), jax, [jax]) or "")


@pytest.mark.parametrize(
    "wrong",
    [{"calls": 0}, {"calls": 2.5}, {"calls": True}, {"need": ("speed",)}, {"deploy": "moon"}, {"keep": "it"}],
    ids=str,
)
def test_a_purpose_that_is_none_is_refused_with_what_there_is(wrong):
    with pytest.raises(ValueError, match=r"has to be|takes"):
        Purpose(**wrong)
