"""What is recommended, from made-up measurements."""

import random
import re

import pytest

from jitmagic.advice.recommendation import Circumstances, recommend
from jitmagic.advice.verdict import Verdict, of_failure, of_lost_worker, of_ratio, of_refusal
from jitmagic.backends.protocol import Failure
from jitmagic.errors import Refusal
from jitmagic.measure.answers import Built
from jitmagic.measure.process import WorkerCrashed, WorkerOutOfMemory, WorkerTimedOut
from jitmagic.measure.statistics import Interval
from jitmagic.outcome import Outcome, variant_record
from jitmagic.verify.compare import Finding

RIGHT = Finding(True, max_abs=0.0, max_rel=0.0)


def outcome(name, samples, build=0.0, finding=RIGHT, device="cpu"):
    samples = list(samples)
    first = build + samples[0] if samples else build
    return Outcome(
        name,
        name.split("-")[0],
        device,
        "",
        built=Built(finding=finding, first=first, second=0.1, threads=1),
        samples=samples,
        calls=len(samples),
    )


def rounds(seconds, spread=0.02, count=20):
    rng = random.Random(seconds)
    return [seconds * (1 + spread * (rng.random() - 0.5)) for _ in range(count)]


NUMPY = outcome("numpy", rounds(0.1))


def test_the_fastest_verified_variant_is_taken_with_its_figures():
    advice = recommend(NUMPY, [outcome("jax", rounds(0.02), 1.0), outcome("numba", rounds(0.05), 0.4)])
    assert advice["variant"] == "jax"
    assert re.match(r"Take jax: [45]\.\d+ times NumPy's speed here \([45]\.\d+–[45]\.\d+\)", advice["sentence"])
    assert "earned back after 13 calls" in advice["conditions"][0]


def test_what_speed_cannot_tell_apart_the_build_time_does():
    advice = recommend(
        NUMPY, [outcome("torch-compile", [0.0196, 0.0202] * 10, 20.0), outcome("numba", rounds(0.0201), 0.4)]
    )
    assert advice["variant"] == "numba"
    assert any("torch-compile" in condition for condition in advice["conditions"])


def test_noise_alone_does_not_make_a_slower_variant_the_better_one():
    jax = outcome("jax", [0.02, 0.08] * 10, 0.1)
    advice = recommend(outcome("numpy", [0.2, 0.3] * 10), [jax, outcome("numba", [0.055, 0.015] * 10, 3.0)])
    assert advice["variant"] == "numba"
    assert "Perhaps as fast: jax." in advice["conditions"]


def test_it_says_stay_with_numpy_where_nothing_is_faster():
    advice = recommend(NUMPY, [outcome("jax", rounds(0.1)), outcome("numba", rounds(0.3))])
    assert advice["variant"] == "numpy"
    assert "none of the 2 verified variants" in advice["sentence"]
    assert "no variant could be verified" in recommend(NUMPY, [outcome("jax", [])])["sentence"]


def test_a_fast_variant_that_is_wrong_is_never_recommended():
    wrong = outcome("torch", rounds(0.001), finding=Finding(False, "values", "3 of 9 values differ"))
    advice = recommend(NUMPY, [wrong, outcome("numba", rounds(0.05), 0.4)])
    assert advice["variant"] == "numba"
    wrong.verdict = Verdict("differs", "3 of 9 values differ")
    entry = variant_record(wrong, NUMPY)
    assert "speedup" not in entry
    assert entry["break_even_calls"] is None


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [((1.2, 1.1, 1.3), "faster"), ((0.8, 0.7, 0.9), "slower"), ((1.05, 0.99, 1.2), "no clear difference"),
     ((1.1, 1.0, 1.2), "no clear difference")],
)  # fmt: skip
def test_an_interval_that_holds_one_is_no_clear_difference(ratio, verdict):
    assert of_ratio(Interval(*ratio, 20)).verdict == verdict


def test_break_even_counts_the_calls_that_earn_the_build_back():
    numba = outcome("numba", rounds(0.05, spread=0.0), 0.35)
    numba.verdict = Verdict("faster")
    assert variant_record(numba, outcome("numpy", rounds(0.15, spread=0.0)))["break_even_calls"] == 4
    slow = outcome("jax", rounds(0.2), 0.4)
    slow.verdict = Verdict("slower")
    assert variant_record(slow, NUMPY)["break_even_calls"] is None


def test_each_loss_has_one_cause_and_one_next_step():
    told = [
        of_lost_worker(WorkerTimedOut("it did not answer within 60 s and was ended")),
        of_lost_worker(WorkerOutOfMemory("it took 20 GiB")),
        of_lost_worker(WorkerCrashed("it ended by a segmentation fault (SIGSEGV)")),
        of_failure(Failure("run", "builtins.ValueError", "bad\nworse", 3, ("ValueError",)), 7),
        of_refusal(Refusal("line 7 prints inside a compiled loop", 7, "JX-PRINT")),
    ]
    assert [one.verdict for one in told] == ["timed out", "crashed", "crashed", "crashed", "unsupported"]
    assert all(one.reason and one.next_step for one in told)
    assert "ValueError at line 7" in told[3].reason
    assert "worse" not in told[3].reason
    assert "JX-PRINT" in told[4].next_step


def swept(crossovers=(), runs=None):
    low_high = {"numpy": [(1.0, 1.1), (9.0, 10.0)], **(runs or {})}
    series = [
        {"name": name, "run": [{"low": low, "median": low, "high": high} for low, high in ends]}
        for name, ends in low_high.items()
    ]
    return {"parameter": "n", "n": [1000, 100_000], "series": series, "crossovers": list(crossovers)}


CROSSING = {"variant": "jax", "over": "numpy", "n": 41_200.0, "low": 38_100.0, "high": 44_400.0}


def test_a_crossover_is_the_first_condition():
    advice = recommend(NUMPY, [outcome("jax", rounds(0.02), 1.0)], given=Circumstances(swept=swept([CROSSING])))
    assert advice["conditions"][0] == "From n ≈ 41,000 (38,000–44,000) on jax is faster; below, NumPy."
    assert not any("other sizes may have another winner" in each for each in advice["conditions"])


def test_staying_with_numpy_names_the_size_at_which_that_ends():
    advice = recommend(NUMPY, [outcome("jax", rounds(0.2), 1.0)], given=Circumstances(swept=swept([CROSSING])))
    assert advice["variant"] == "numpy"
    assert advice["conditions"] == ["From n ≈ 41,000 (38,000–44,000) on jax is faster; below, NumPy."]


def test_a_crossover_of_two_others_is_no_condition():
    advice = recommend(NUMPY, [outcome("numba", rounds(0.02), 1.0)], given=Circumstances(swept=swept([CROSSING])))
    assert not any("jax" in each for each in advice["conditions"])


def test_one_that_is_faster_at_every_size_is_said_to_be():
    always = swept(runs={"jax": [(0.1, 0.2), (1.0, 2.0)]})
    advice = recommend(NUMPY, [outcome("jax", rounds(0.02), 1.0)], given=Circumstances(swept=always))
    assert "at every size that was measured, n = 1,000 to 100,000" in advice["conditions"][0]
    not_always = swept(runs={"jax": [(1.0, 2.0), (1.0, 2.0)]})
    advice = recommend(NUMPY, [outcome("jax", rounds(0.02), 1.0)], given=Circumstances(swept=not_always))
    assert not any("at every size" in each for each in advice["conditions"])


def test_a_variant_held_to_threads_says_so():
    held = outcome("jax@1", rounds(0.02), 1.0)
    held.thread_limit = 1
    assert any("It was held to 1 thread" in each for each in recommend(NUMPY, [held])["conditions"])
