"""The progress as data: a step and a share for each variant."""

from __future__ import annotations

import json

from jitmagic.comparison import Progress, Standing
from jitmagic.measure.statistics import Interval
from jitmagic.report import progress

NUMPY = Standing("numpy", "cpu", True, None)


def states(event: Progress) -> dict[str, tuple[str, float]]:
    made = progress.state("fn(x)", event, 10.0)
    json.dumps(made, allow_nan=False)
    return {one["label"]: (one["step"], one["share"]) for one in made["variants"]}


def test_each_variant_has_its_step() -> None:
    standings = (
        NUMPY,
        Standing("numba", "cpu", False, None),
        Standing("jax", "cpu", False, None),
        Standing("cupy", "cuda:0", False, "unsupported"),
    )
    assert states(Progress("numba", "compiling", 0, 2, None, standings)) == {
        "numpy": ("checked", 0.6),
        "numba": ("compiling", 0.25),
        "jax": ("waiting", 0.0),
        "cupy · cuda:0": ("unsupported", 1.0),
    }


def test_while_timing_all_verified_variants_go_on_together() -> None:
    standings = (NUMPY, Standing("numba", "cpu", True, None), Standing("jax", "cpu", False, "differs"))
    early = states(Progress(None, "timing", 1, 5, 10.0, standings))
    late = states(Progress(None, "timing", 4, 5, 2.5, standings))
    assert early == {"numpy": ("timing", 0.6), "numba": ("timing", 0.6), "jax": ("differs", 1.0)}
    assert late["numba"] == ("timing", 0.9)
    # the least number of rounds is made even where the budget is spent
    assert states(Progress(None, "timing", 5, 5, -3.0, standings))["numba"] == ("timing", 1.0)


def test_the_speedup_by_the_rounds_until_now_is_told_with_its_interval() -> None:
    numba = Standing("numba", "cpu", True, None, Interval(5.8, 5.6, 6.02, 12))
    event = Progress(None, "timing", 12, 90, 8.0, (NUMPY, numba, Standing("jax", "cpu", True, None)))
    made = progress.state("fn(x)", event, 10.0)
    assert [one["so_far"] for one in made["variants"]] == [None, "5.8× (5.6–6.0)", None]


def test_shares_never_go_back_on_the_way() -> None:
    shares = [
        states(Progress("numba", step, 0, 1, None, (Standing("numba", "cpu", False, None),)))["numba"][1]
        for step in ("waiting", "writing", "compiling", "checking")
    ]
    shares += [states(Progress(None, "timing", 1, 5, left, (Standing("numba", "cpu", True, None),)))["numba"][1]
               for left in (10.0, 5.0, 0.0)]  # fmt: skip
    assert shares == sorted(shares)


def test_names_are_clean_and_short() -> None:
    made = progress.state(
        "f\x1b[31m(" + "x" * 1000,
        Progress("a" * 500, "writing", 0, 1, None, (Standing("n\n" * 99, "cpu", False, None),)),
        1,
    )
    assert "\x1b" not in made["call"]
    assert max(len(made["call"]), len(made["doing"]), len(made["variants"][0]["label"])) <= 161


def test_a_comparison_tells_what_became_of_each_variant() -> None:
    import numpy as np

    from jitmagic.capture.function import from_function
    from jitmagic.comparison import Options, compare_workload

    def double(x):
        return x + x

    events: list[Progress] = []
    options = Options(backends=("numba", "cupy"), budget=0.3)
    compare_workload(from_function(double, (np.ones(100),), {}), options, events.append)
    assert [one.name for one in events[0].standings] == ["numpy"]
    last = {one.name: one for one in events[-1].standings}
    assert (last["numba"].verified, last["numba"].verdict) == (True, None)
    assert last["cupy"].verdict == "unsupported"
    steps = {event.step for event in events}
    assert {"observing", "writing", "compiling", "checking", "timing"} <= steps
    assert last["numba"].speedup.low < last["numba"].speedup.high
    assert last["numpy"].speedup is last["cupy"].speedup is None


def test_in_a_sweep_the_size_stands_before_what_is_done() -> None:
    event = Progress("jax", "compiling", 0, 2, 5.0, (NUMPY,), "n = 1,000 (2 of 9)")
    assert progress.state("fn(x)", event, 10.0)["doing"] == "n = 1,000 (2 of 9): compiling jax"
