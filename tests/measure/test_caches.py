"""How large the caches are taken to be, and that they are emptied before each call and outside its clock."""

import numpy as np
import pytest

from jitmagic.capture.function import from_function
from jitmagic.comparison import compare_workload
from jitmagic.measure import caches, worker
from jitmagic.measure.arguments import Prepared
from jitmagic.options import Options
from jitmagic.report import record as records
from jitmagic.report import text


def folder(tmp_path, *sizes):
    for number, one in enumerate(sizes):
        (tmp_path / f"index{number}").mkdir()
        (tmp_path / f"index{number}" / "size").write_text(one)
    return tmp_path


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        (("32K\n", "512K\n", "32768K\n"), 32 * 2**20),
        (("48K", "2M"), 2 * 2**20),
        (("1G",), 2**28),  # of a whole machine, as some hypervisors tell
        ((), 32 * 2**20),
        (("unknown",), 32 * 2**20),
    ],
)
def test_the_largest_cache_counts(tmp_path, sizes, wanted):
    assert caches.size(folder(tmp_path, *sizes)) == wanted


def test_caches_are_emptied_after_arguments_are_put_back_and_outside_the_clock(monkeypatch):
    log = []
    monkeypatch.setattr(worker, "Emptier", lambda: lambda: log.append("empty"))
    job = worker._Job(None, None)
    prepared = worker.Worker(lambda step: None)._cooled(job, Prepared([((), {})], 3, lambda: log.append("restore")))
    ticks = iter(range(100))

    def timer():
        log.append("clock")
        return next(ticks)

    worker.time_calls(lambda: log.append("call"), prepared, None, timer)
    assert log == ["restore", "empty", "clock", "call", "clock"] * 3


def smooth(x):
    return x[1:-1] * 0.5 + x[2:] * 0.25 + x[:-2] * 0.25


@pytest.mark.slow
def test_a_cold_comparison_says_so_in_the_record_and_the_text():
    workload = from_function(smooth, (np.random.default_rng(0).random(100_000),), {})
    found = compare_workload(workload, Options(backends=("numba",), budget=2.0, cold=True))
    records.validate(found.record)
    assert found.record["options"]["cold"] is True
    clock = found.record["baseline"]["clocks"]["run"]
    assert clock["calls"] <= 8 * clock["samples"]
    assert "caches were emptied" in " ".join(text.to_text(found.record, width=100).split())
