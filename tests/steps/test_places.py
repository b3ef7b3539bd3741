"""On which devices variants run, with devices that are faked at the detection alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import jitmagic
from jitmagic import devices
from jitmagic.backends.protocol import Availability
from jitmagic.options import Options
from jitmagic.steps import places
from tests.fakes import FakeBackend

HERE = [
    {"name": "cpu", "title": "a CPU", "details": [], "backends": ["both", "jax"]},
    {"name": "cuda:0", "title": "a GPU", "details": [], "backends": ["both", "only"]},
    {"name": "cuda:1", "title": "a GPU", "details": [], "backends": ["both", "only"]},
    {"name": "tpu:0", "title": "a TPU", "details": [], "backends": ["jax"]},
]
BOTH = Availability(True, kinds=("cpu", "cuda"))
ONLY = Availability(True, kinds=("cuda",))


@pytest.mark.parametrize(
    ("name", "state", "asked", "expected"),
    [
        ("both", BOTH, None, ["cpu", "cuda:0"]),
        ("both", BOTH, ("cuda:1",), ["cuda:1"]),
        ("both", BOTH, ("cpu", "tpu:0"), ["cpu"]),
        ("only", ONLY, None, ["cuda:0"]),
        ("only", ONLY, ("cpu",), []),
        ("jax", Availability(True, kinds=("cpu", "tpu")), None, ["cpu", "tpu:0"]),
        # it cannot use what is there: its source is shown for the machine that has one
        ("broken", Availability(False, reason="too old", kinds=("cuda",)), None, ["cuda:0"]),
        ("broken", Availability(True, reason="too old", kinds=("cpu", "cuda")), None, ["cpu"]),
    ],
)
def test_places(name, state, asked, expected):
    assert places.places(name, state, HERE, asked) == expected


def test_a_backend_runs_beside_the_cpu_on_what_it_can_use(use_backends, monkeypatch):
    """A fake that never asks for its device runs on two: each row is verified and timed in a worker of its own."""
    source = "def fn(x):\n    return x * 2\n"
    anywhere = "tests.fakes:AnyDevice"
    use_backends(
        FakeBackend("both", {"both": source}, present=BOTH, runtime=anywhere),
        FakeBackend("only", {"only": source}, present=ONLY, runtime=anywhere),
    )
    monkeypatch.setattr(devices, "devices", lambda: HERE)
    found = jitmagic.compare(_double, np.arange(5.0), budget=0.3).to_dict()
    rows = {one["name"]: one for one in found["variants"]}
    assert {name: one["device"] for name, one in rows.items()} == {
        "both": "cpu", "both@cuda:0": "cuda:0", "only": "cuda:0",
    }  # fmt: skip
    assert all(one["verified"] and one["clocks"]["run"] for one in rows.values())


def _double(x):
    return x * 2


def test_nothing_is_run_where_its_device_is_not(use_backends, monkeypatch):
    use_backends(FakeBackend("only", {"only": "def fn(x):\n    return x * 2\n"}, present=ONLY))
    monkeypatch.setattr(devices, "devices", lambda: HERE[:1])
    (row,) = jitmagic.compare(_double, np.arange(5.0), budget=0.3).to_dict()["variants"]
    assert (row["device"], row["verified"], row["verdict"]) == ("cuda:0", None, "unsupported")
    assert row["source"]
    assert row["clocks"]["run"] is None


def test_a_device_that_nothing_asked_for_can_use_is_refused(use_backends):
    use_backends(FakeBackend("only", {}, present=ONLY))
    with pytest.raises(ValueError, match=r"nothing to compare on cpu: jitmagic runs only on cuda"):
        Options(backends=("only",), devices=("cpu",))


def test_the_tpus_notebook_is_one():
    path = Path(__file__).parents[2] / "examples" / "colab_tpu.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") for cell in notebook["cells"])
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code" and text.startswith("%%jitcompare"):
            compile(text.partition("\n")[2], "<cell>", "exec")
