"""A whole sweep: real workers, source that the test writes, and no word about speed."""

import json
import signal
import threading

import numpy as np
import pytest

import jitmagic
from jitmagic.capture.resized import Given
from jitmagic.comparison import Options, compare_workload
from jitmagic.errors import CaptureError
from jitmagic.measure.sweep import plan as planning
from jitmagic.measure.sweep.sizes import SweepError
from jitmagic.report.record import dump, load
from jitmagic.steps import sweeping
from tests.fakes import FakeBackend

GOOD = "def fn(x):\n    return x * 2.0 + 1.0\n"


def fn(x):
    return x * 2.0 + 1.0


def swept(sizes=(10, 100), budget=1.0, make=np.arange, function=fn, **more):
    given = Given(function, sizes, lambda n: (make(float(n)),), {})
    return compare_workload(given.workload(sizes[-1]), Options(budget=budget), resized=given, **more)


def of(record, name):
    return next(each["run"] for each in record["sweep"]["series"] if each["name"] == name)


def test_every_variant_has_a_time_at_every_size(use_backends):
    use_backends(FakeBackend("one", {"good": GOOD}))
    record = load(dump(swept((10, 100, 1000)).record))
    assert record["sweep"]["n"] == [10, 100, 1000]
    assert record["sweep"]["meaning"] == "length of axis 0 of x"
    assert [each["name"] for each in record["sweep"]["series"]] == ["numpy", "good"]
    for name in ("numpy", "good"):
        assert all(run["low"] <= run["median"] <= run["high"] for run in of(record, name))
    assert record["sweep"]["series"][0]["growth"] is not None


def test_a_size_at_which_it_is_wrong_has_no_time(use_backends):
    wrong = "def fn(x):\n    return x * 2.0 + (1.0 if x.size < 50 else 1.5)\n"
    use_backends(FakeBackend("one", {"wrong": wrong, "good": GOOD}))
    given = Given(fn, (10, 20, 100, 200), lambda n: (np.arange(float(n)),), {})
    record = compare_workload(given.workload(10), Options(budget=1.0), resized=given).record
    assert [run is not None for run in of(record, "wrong")] == [True, True, False, False]
    assert all(of(record, "good"))
    (note,) = [each for each in record["sweep"]["notes"] if "n = 100," in each]
    assert note.startswith("wrong has no time at n = 100, since it was not verified there")


@pytest.mark.slow
def test_a_variant_that_raises_or_crashes_at_a_size_leaves_the_others(use_backends):
    crash = "import os\n\ndef fn(x):\n    if x.size > 50:\n        os._exit(3)\n    return x * 2.0 + 1.0\n"
    raises = "def fn(x):\n    if x.size > 50:\n        raise KeyError('large')\n    return x * 2.0 + 1.0\n"
    use_backends(FakeBackend("one", {"crash": crash}), FakeBackend("two", {"raises": raises, "good": GOOD}))
    given = Given(fn, (10, 100, 1000), lambda n: (np.arange(float(n)),), {})
    record = compare_workload(given.workload(10), Options(budget=1.0), resized=given).record
    assert [run is not None for run in of(record, "crash")] == [True, False, False]
    assert [run is not None for run in of(record, "raises")] == [True, False, False]
    assert all(of(record, "good"))
    told = " ".join(record["sweep"]["notes"])
    assert "crash drops out from n = 100 on: crashed" in told
    assert "raises has no time at n = 1,000" in told


class Rewriting(FakeBackend):
    """Writes for the arguments that were observed, as a backend does that settles a branch."""

    def drafts(self, workload, observed):
        size = workload.args[0].size
        source = f"def fn(x):\n    assert x.size <= 2 * {size}\n    return x * 2.0 + 1.0\n"
        return FakeBackend(self.name, {"settled": source}).drafts(workload, observed)


@pytest.mark.slow
def test_a_source_that_does_not_hold_is_written_anew_for_that_size(use_backends):
    use_backends(Rewriting("one", {}))
    given = Given(fn, (5, 10, 100), lambda n: (np.arange(float(n)),), {})
    result = compare_workload(given.workload(10), Options(budget=1.0), resized=given)
    assert all(of(result.record, "settled"))
    assert "10" in result["settled"].source
    assert any(
        note.startswith("settled was written anew for n = 100:") for note in result.record["sweep"]["notes"]
    )


def test_a_size_at_which_numpy_raises_is_left_out(use_backends):
    use_backends(FakeBackend("one", {"good": GOOD}))

    def odd(x):
        if x.size == 100:
            raise ValueError("not a hundred")
        return x * 2.0 + 1.0

    record = swept((10, 100, 1000), function=odd).record
    assert record["sweep"]["n"] == [10, 1000]
    assert record["sweep"]["notes"] == ["n = 100 is left out: NumPy raises ValueError: not a hundred"]


@pytest.mark.slow
def test_equal_arguments_are_no_size_of_their_own(use_backends):
    use_backends(FakeBackend("one", {"good": GOOD}))
    data = np.arange(50.0)
    record = swept((10, 100, 1000), make=lambda n: data[: int(n)]).record
    assert record["sweep"]["n"] == [10, 100]
    assert "bit for bit" in record["sweep"]["notes"][0]


@pytest.mark.slow
def test_what_does_not_fit_memory_or_budget_is_left_out(use_backends, monkeypatch):
    use_backends(FakeBackend("one", {"good": GOOD}))
    monkeypatch.setattr(sweeping, "available_memory", lambda: 300 * 2**20)
    given = Given(fn, (1000, 10_000, 10**9), lambda n: (np.ones(int(n)),), {})
    record = compare_workload(given.workload(1000), Options(budget=1.0), resized=given).record
    assert record["sweep"]["n"] == [1000, 10_000]
    assert record["sweep"]["notes"][0].startswith("Left out for memory: n = 1,000,000,000.")

    monkeypatch.setattr(planning, "foretell", lambda points, size, steepest=3.0: 1e7 if size > 1000 else 1e-6)
    record = compare_workload(given.workload(1000), Options(budget=1.0), resized=given).record
    assert record["sweep"]["n"] == [1000]
    assert record["sweep"]["notes"][0].startswith("Left out for time: n = 10,000 and above")


@pytest.mark.slow
def test_an_interrupt_keeps_the_sizes_that_are_done(use_backends):
    slow = "import random, time\n\ndef fn(x):\n    time.sleep(random.choice([0.001, 0.02]))\n    return x * 2.0 + 1.0\n"
    use_backends(FakeBackend("one", {"slow": slow}))
    main = threading.main_thread().ident
    done = []

    def interrupt(event):
        if event.size.startswith("n = 100 ") and event.step == "timing" and not done:
            done.append(event)
            threading.Timer(0.01, lambda: signal.pthread_kill(main, signal.SIGINT)).start()

    given = Given(fn, (10, 100, 1000), lambda n: (np.arange(float(n)),), {})
    record = compare_workload(given.workload(10), Options(budget=30.0), interrupt, given).record
    assert done
    assert record["status"] == "interrupted"
    assert record["sweep"]["n"] == [10]
    assert record["recommendation"]["variant"]


def test_progress_names_the_size(use_backends):
    use_backends(FakeBackend("one", {"good": GOOD}))
    events = []
    swept(progress=events.append)
    sizes = [event.size for event in events if event.size]
    assert list(dict.fromkeys(sizes)) == ["n = 10 (1 of 2)", "n = 100 (2 of 2)"]
    assert all(standing.name in ("numpy", "good") for event in events for standing in event.standings)


@pytest.mark.slow
def test_in_python_sizes_come_as_a_mapping_or_with_a_callable(use_backends):
    use_backends(FakeBackend("one", {"good": GOOD}))
    by_mapping = jitmagic.compare(fn, budget=0.5, sweep={100: (np.ones(100),), 10: np.ones(10)})
    assert by_mapping.record["sweep"]["n"] == [10, 100]
    assert by_mapping.record["workload"]["arguments"][0]["shape"] == [100]
    made = jitmagic.compare(fn, np.ones(7), budget=0.5, sweep="n=10:100:2", make_args=np.ones)
    assert made.record["sweep"]["n"] == [10, 100]
    assert made.record["workload"]["arguments"][0]["shape"] == [7]
    assert made.record["options"]["sweep"] == "n=10:100:2"


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"sweep": [10, 100]}, ValueError, "needs the arguments at each size"),
        ({"make_args": np.ones}, ValueError, "say which sizes"),
        ({"sweep": {10: 1.0, 20: 2.0}, "make_args": np.ones}, ValueError, "one or the other"),
        ({"sweep": {10: 1.0}}, SweepError, "one size is no sweep"),
        ({"sweep": "n=ten", "make_args": np.ones}, SweepError, "is no number"),
        ({"sweep": [10, 20], "make_args": lambda n: 1 / 0}, CaptureError, "n = 10 the arguments could not be made"),
    ],
)
def test_bad_sweeps_in_python_are_told_of(given, error, told):
    with pytest.raises(error, match=told):
        jitmagic.compare(fn, np.ones(3), **given)


def test_the_recommendation_names_the_crossover(use_backends):
    # a call that sleeps always as long, beside one whose loop grows: which is faster is no matter of the machine
    flat = "import time\n\ndef fn(x):\n    time.sleep(0.004)\n    return x * 2.0 + 1.0\n"
    use_backends(FakeBackend("one", {"flat": flat}))

    def loop(x):
        out = np.empty_like(x)
        for i in range(len(x)):
            out[i] = x[i] * 2.0 + 1.0
        return out

    given = Given(loop, (10, 100, 100_000), lambda n: (np.arange(float(n)),), {})
    record = compare_workload(given.workload(100_000), Options(budget=2.0), resized=given).record
    (crossing,) = record["sweep"]["crossovers"]
    assert (crossing["variant"], crossing["over"]) == ("flat", "numpy")
    assert 100 < crossing["n"] < 100_000
    assert record["recommendation"]["conditions"][0].startswith("From n ≈ ")
    assert "on flat is faster; below, NumPy." in record["recommendation"]["conditions"][0]


def test_a_file_is_swept(tmp_path, capsys):
    from jitmagic import cli

    file, out = tmp_path / "model.py", tmp_path / "out.json"
    file.write_text(
        "import numpy as np\n\ndef fn(x):\n    return x + 1\n\nif __name__ == '__main__':\n    n = 100\n"
        "    x = np.ones(n)\n    print(fn(x))\n"
    )
    code = cli.main(
        ["compare", str(file), "-b", "numba", "--budget", "0.5", "--sweep", "n=10,100", "-q", "--json", str(out)]
    )
    assert code == 0, capsys.readouterr().err
    assert json.loads(out.read_text())["sweep"]["n"] == [10, 100]
    for bad, told in (("m=10,100", "no variable `m`"), ("n=", "needs a name"), ("x=1,2", "over a number")):
        assert cli.main(["compare", str(file), "--sweep", bad, "-q"]) == 2
        assert told in capsys.readouterr().err
