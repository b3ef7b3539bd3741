"""`--threads 1,all`: rows of their own for fewer threads."""

import numpy as np
import psutil
import pytest

import jitmagic
from jitmagic.measure import pool
from jitmagic.report.record import dump, load
from jitmagic.steps import limiting
from jitmagic.steps.limiting import limits
from tests.fakes import FakeBackend

SAME = "import os\n\ndef fn(x):\n    assert os.environ.get('OMP_NUM_THREADS', 'all') == {!r}\n    return x + 1\n"
PLAIN = "def fn(x):\n    return x + 1\n"


def fn(x):
    return x + 1


def product(x):
    return x @ x


@pytest.fixture(autouse=True)
def _cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(limiting, "usable_threads", lambda: 8)


@pytest.mark.parametrize(
    ("asked", "main", "further"),
    [(None, None, ()), (("all",), None, ()), (("1", "all"), None, (1,)), (("1",), 1, ()), (("4", "1", "2"), 4, (1, 2))],
)
def test_which_rows_there_are(asked, main, further):
    assert limits(asked) == (main, further)


def test_each_variant_has_a_row_for_each_count(use_backends):
    use_backends(FakeBackend("one", {"good": PLAIN}))
    result = jitmagic.compare(fn, np.arange(9.0), budget=0.3, threads=[1, 2, "all"])
    record = load(dump(result.record))
    # NumPy's addition has one thread however many are allowed
    assert [one["name"] for one in record["variants"]] == ["good", "good@1", "good@2"]
    assert [one.get("thread_limit") for one in record["variants"]] == [None, 1, 2]
    assert record["options"]["threads"] == ["1", "2", "all"]
    for one in record["variants"]:
        assert one["verified"] is True
        assert one["clocks"]["run"] is not None
        assert one["source"] == PLAIN
    assert "set OMP_NUM_THREADS=1 " in record["variants"][1]["notes"][0]
    assert result["good@1"].build()(1) == 2


def test_a_row_runs_in_a_process_that_was_held_from_its_start(use_backends):
    use_backends(FakeBackend("one", {"held": SAME.format("1")}), FakeBackend("two", {"free": SAME.format("all")}))
    record = jitmagic.compare(fn, np.arange(9.0), budget=0.3, threads=["all", 1]).record
    found = {one["name"]: one for one in record["variants"]}
    # what does not hold without the limit gets no second row, and what does not hold with it says so
    assert found["held"]["verified"] is not True
    assert "held@1" not in found
    assert found["free"]["verified"] is True
    assert found["free@1"]["verdict"] == "crashed"
    assert "AssertionError" in found["free@1"]["reason"]


def test_one_count_holds_all_and_adds_no_row(use_backends):
    other = SAME.format("1").replace("x + 1", "x @ x")
    use_backends(FakeBackend("one", {"held": other}))
    record = jitmagic.compare(product, np.ones((30, 30)), budget=0.3, threads=[1]).record
    assert [(one["name"], one["verified"]) for one in record["variants"]] == [("held", True)]
    assert record["baseline"]["threads"] == 1


def test_numpy_has_a_second_row_where_blas_works_for_it(use_backends):
    use_backends()
    record = jitmagic.compare(product, np.ones((50, 50)), budget=0.3, threads=[1, "all"]).record
    (row,) = record["variants"]
    assert (row["name"], row["backend"], row["thread_limit"], row["threads"]) == ("numpy@1", "numpy", 1, 1)


def test_more_threads_than_cores_are_no_row(use_backends):
    use_backends(FakeBackend("one", {"good": PLAIN}))
    record = jitmagic.compare(fn, np.arange(9.0), budget=0.3, threads=[64, "all"]).record
    assert [one["name"] for one in record["variants"]] == ["good"]
    assert any("as many threads as this machine has" in warning for warning in record["warnings"])


@pytest.mark.parametrize("threads", [[0], [-1], ["two"], ["1.5"], [""], ["٣"]])
def test_what_is_no_number_of_threads_is_told_of(threads):
    with pytest.raises(ValueError, match="threads takes numbers from 1 on and all"):
        jitmagic.compare(fn, np.arange(3.0), threads=threads)


def test_a_sweep_has_the_rows_too(use_backends):
    use_backends(FakeBackend("one", {"good": PLAIN}))
    record = jitmagic.compare(
        fn, budget=0.5, threads=[1, "all"], sweep=[10, 100], make_args=lambda n: (np.arange(float(n)),)
    ).record
    assert [one["name"] for one in record["sweep"]["series"]] == ["numpy", "good", "good@1"]
    assert all(all(one["run"]) for one in record["sweep"]["series"])


def test_no_worker_is_left(use_backends):
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    use_backends(FakeBackend("one", {"good": PLAIN}))
    jitmagic.compare(fn, np.arange(9.0), budget=0.3, threads=[1, "all"])
    pool.shutdown()
    left = [one for one in psutil.Process().children(recursive=True) if one.status() != "zombie"]
    assert {one.pid for one in left} <= before
