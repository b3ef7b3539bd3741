"""A comparison with probes, through real workers: what is right here only is never shown as plainly right."""

import json
import random

import numpy as np
import pytest

from jitmagic import comparison
from jitmagic.capture.function import from_function
from jitmagic.errors import BaselineError
from jitmagic.report import record as records
from jitmagic.report import rows, text

pytestmark = pytest.mark.filterwarnings("ignore")

scale = 2.0


def closest(a, b):
    best = 1e9
    for i in range(len(a)):
        best = min(best, abs(a[i] - b[i]))
    return best * scale


def gather(x, idx):
    y = np.zeros(len(idx))
    for i in range(len(idx)):
        y[i] = x[idx[i]] * 2.0
    return y


def hilbert_solve(A, b):
    x = np.zeros(len(b))
    r = b - A @ x
    p = r.copy()
    for _ in range(len(b)):
        Ap = A @ p
        alpha = (r @ r) / (p @ Ap)
        x = x + alpha * p
        new = r - alpha * Ap
        p = new + (new @ new) / (r @ r) * p
        r = new
    return x


def last_position(steps):
    rng = np.random.default_rng()
    where = 0.0
    for _ in range(steps):
        where += rng.standard_normal()
    return where


def tossed(n):
    coin = random.Random()
    heads = 0
    for _ in range(n):
        heads += coin.random() < 0.5
    return heads


def compared(function, *args, backends, budget=3.0):
    found = comparison.compare_workload(
        from_function(function, args, {}), comparison.Options(backends=backends, budget=budget)
    )
    records.validate(found.record)
    return found


@pytest.fixture(scope="module")
def gathered():
    rng = np.random.default_rng(0)
    return compared(gather, rng.random(60), rng.integers(0, 60, 60), backends=("numba", "jax"), budget=6.0)


def findings(found, name):
    return {one["name"]: one for one in found[name].probes if one["outcome"] not in ("agrees", "not run")}


def test_an_index_out_of_range_is_told_of_and_not_done(gathered):
    one = findings(gathered, "numba")["an index out of range"]
    assert one["outcome"] == "no exception"
    assert "NumPy raises IndexError" in one["detail"]
    assert "reads or writes outside its arrays" in one["detail"]
    assert "idx.flat" in one["snippet"]
    assert one["snippet"].endswith("gather(x, idx)")


def test_the_figures_stay_and_the_sign_goes(gathered):
    assert gathered["numba"].verified is True
    (row,) = [row for row in rows.rows(gathered.record) if row.name == "numba"]
    assert row.timed
    assert row.sign == rows.BUT
    assert row.but.startswith("right here, but with 61 in idx: NumPy raises IndexError")
    assert row.but in row.reason
    shown = text.to_text(gathered.record, width=100)
    assert "Right here, but" in shown
    assert "right here, but with 61 in idx" in " ".join(shown.split())
    assert "right here, but with 61 in idx" in gathered.to_html()
    assert "not with 61 in idx" in gathered.record["recommendation"]["sentence"]


def test_a_gotcha_is_confirmed_by_the_probe(gathered):
    codes = {one["code"]: one["status"] for one in gathered.record["gotchas"]}
    assert codes["NB-OOB"] == "confirmed"


def test_probing_takes_no_longer_than_the_timing_did(gathered):
    spent = gathered.record["probing"]
    # one probe may be under way when the time is over
    assert spent["seconds"] <= 1.5 * spent["allowed"] + 1.0


def test_the_next_comparison_of_the_call_takes_over_what_is_known_and_another_call_does_not(gathered):
    rng = np.random.default_rng(0)
    x, idx = rng.random(60), rng.integers(0, 60, 60)
    again = compared(gather, x, idx, backends=("numba", "jax"))
    assert again.record["probing"]["taken_over"] > 10
    before = {one["name"]: one for one in gathered["numba"].probes if one["outcome"] == "no exception"}
    after = {one["name"]: one for one in again["numba"].probes if one["outcome"] == "no exception"}
    assert before
    assert after == before
    x[7] += 1.0
    assert compared(gather, x, idx, backends=("numba", "jax")).record["probing"]["taken_over"] == 0


def test_it_survives_the_way_through_a_file(gathered):
    again = comparison.Comparison.from_json(records.dump(gathered.record))
    assert again.to_text() == gathered.to_text()
    for one in json.loads(gathered.to_json())["variants"]:
        assert {"name", "arguments", "outcome", "kind", "detail", "snippet"} == set(one["probes"][0])


@pytest.mark.slow
def test_a_nan_and_a_changed_global_are_found_in_jax():
    rng = np.random.default_rng(0)
    found = findings(compared(closest, rng.random(30), rng.random(30), backends=("jax",), budget=8.0), "jax")
    assert found["a changed global"]["outcome"] == "differs"
    assert found["a changed global"]["snippet"].split("\n") == ["closest(a, b)", "scale = scale + 1", "closest(a, b)"]
    assert found["NaN"]["outcome"] == "differs"


@pytest.mark.parametrize(("n", "verdicts"), [(4, ("faster", "slower", "no clear difference")), (9, ("differs",))])
def test_an_ill_conditioned_result_is_neither_wrong_nor_taken_for_exact(n, verdicts):
    # Hilbert matrices: one unit in the last place moves NumPy's result by 2e-11 of it at n = 4, by 5e-5 at n = 9
    i = np.arange(1, n + 1)
    one = compared(hilbert_solve, 1.0 / (i[:, None] + i - 1), np.ones(n), backends=("jax",), budget=1.0)["jax"]
    assert one.verdict in verdicts
    if one.error["max_rel"] > 1e-11:
        assert "move by" in " ".join(one.notes)


@pytest.mark.slow
def test_what_draws_from_a_generator_without_a_seed_is_compared_number_by_number():
    found = compared(last_position, 200, backends=("numba", "jax", "torch"), budget=1.0)
    for name in ("numba", "jax", "torch"):
        assert found[name].verified, found[name].verdict
    (note,) = [one for one in found.record["workload"]["notes"] if "without a seed" in one]
    assert "the same numbers" in note
    assert "without a seed" in text.to_text(found.record)
    # none draws by itself: its numbers would be of another stream, and agree by chance at best
    for name in ("jax", "torch"):
        assert not any(word in found[name].source for word in ("jax.random", "torch.rand", "torch.normal"))


def test_what_no_entropy_makes_repeatable_is_refused_with_its_cause():
    with pytest.raises(BaselineError, match="depends on time, on random numbers"):
        compared(tossed, 1000, backends=("numba",), budget=1.0)
