"""The machine and its devices, with `nvidia-smi` played from text."""

from __future__ import annotations

import json
import os
import re
import stat
import sys

import pytest

from jitmagic import devices
from jitmagic.backends.protocol import Availability
from tests import front_fakes as fakes

TWO = "1, GPU-bbbb-2, NVIDIA A100-SXM4-40GB, 40960, 580.65.06\n0, GPU-aaaa-1, NVIDIA H200, 143771, 580.65.06\n"


@pytest.fixture
def smi(monkeypatch, tmp_path):
    """Puts an `nvidia-smi` on the path that prints a text and ends with a code."""

    def put(text, code=0, error=""):
        if os.name == "nt":
            pytest.skip("the stand-in is a shell script")
        script = tmp_path / "nvidia-smi"
        told = f"print({text!r}, end='')\nprint({error!r}, file=sys.stderr)"
        script.write_text(f"#!{sys.executable}\nimport sys\n{told}\nsys.exit({code})\n")
        script.chmod(script.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("PATH", str(tmp_path))

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "SMI_PLACES", ())
    monkeypatch.setenv("PATH", "")
    devices._asked_gpus.cache_clear()
    yield put
    devices._asked_gpus.cache_clear()


def test_machine_has_the_form_of_the_record(smi):
    sample = json.loads(fakes.SAMPLE.read_text(encoding="utf-8"))
    here = devices.machine()
    assert list(here) == list(sample["machine"])
    assert here["processor"]
    assert 1 <= here["cores"] <= here["threads"]
    assert here["memory"] > 2**28
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", here["python"])
    found = devices.devices(fakes.BACKENDS)
    assert [list(device) for device in found] == [list(sample["devices"][0])]
    assert found[0]["backends"] == ["numpy", "numba"]
    assert found[0]["title"].startswith(here["processor"] + ", ")
    json.dumps(here)


def test_gpus(smi):
    smi(TWO)
    _, first, second = devices.devices(fakes.BACKENDS)
    assert first == {"name": "cuda:0", "title": "NVIDIA H200, 140 GiB", "backends": ["cupy"]}
    assert second["title"] == "NVIDIA A100-SXM4-40GB, 40 GiB"


@pytest.mark.parametrize(
    ("setting", "titles"),
    [
        (None, ["NVIDIA H200", "NVIDIA A100-SXM4-40GB"]),
        ("", []),
        ("-1", []),
        ("1", ["NVIDIA A100-SXM4-40GB"]),
        ("1,0", ["NVIDIA A100-SXM4-40GB", "NVIDIA H200"]),
        ("1,7,0", ["NVIDIA A100-SXM4-40GB"]),
        ("GPU-aaaa", ["NVIDIA H200"]),
        ("0,0", []),
        ("MIG-c0ffee00-1", ["MIG instance c0ffee00"]),
    ],
)
def test_what_cuda_numbers(setting, titles):
    gpus, problem = devices.parse_smi(TWO)
    assert problem is None
    assert [title for title, _ in devices.visible_gpus(gpus, setting)] == titles


@pytest.mark.parametrize(
    ("text", "count", "problem"),
    [
        ("", 0, None),
        ("0, GPU-1, Orin (nvgpu), [N/A], 540.4.0\n", 1, None),
        ("0, GPU-1, NVIDIA, 1024\n", 0, "a line that is not a GPU"),
        ("No devices were found\n", 0, "a line that is not a GPU: No devices were found"),
    ],
)
def test_odd_answers(text, count, problem):
    gpus, told = devices.parse_smi(text)
    assert len(gpus) == count
    assert (problem is None and told is None) or problem in told
    assert all(gpu.memory is None for gpu in gpus)


def test_a_driver_that_does_not_answer_is_told(smi):
    smi("", 9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")
    found = devices.detect(fakes.BACKENDS)
    assert [device["name"] for device in found["devices"]] == ["cpu"]
    assert "ended with code 9: NVIDIA-SMI has failed" in found["notes"][0]


def test_a_tool_that_hangs_is_given_up(smi, monkeypatch):
    text, problem = devices._output([sys.executable, "-c", "import time; time.sleep(30)"], timeout=0.2)
    assert (text, "did not answer within" in problem) == ("", True)


def test_a_plug_in_whose_check_fails_hides_nothing(smi):
    broken = {**fakes.BACKENDS, "odd": fakes.Backend("odd", RuntimeError("no metadata"))}
    found = devices.detect(broken)
    states = {backend["name"]: backend for backend in found["backends"]}
    assert states["odd"]["reason"] == "its own check failed with RuntimeError: no metadata"
    assert states["numba"]["devices"] == ["cpu"]
    assert states["jax"]["remedy"] == 'pip install "jitmagic[jax]"'
    assert states["cupy"]["devices"] == []


def test_a_backend_that_cannot_be_used_uses_nothing(smi):
    old = {"jax": fakes.Backend("jax", Availability(True, {"jax": "0.1"}, "jax 0.1 is too old"))}
    assert devices.devices(old)[0]["backends"] == []


@pytest.mark.parametrize(
    ("driver", "said"), [("580.1", "jitmagic[cuda13]"), ("535.2", "jitmagic[cuda12]"), ("470.1", "update it to 525")]
)
def test_a_gpu_that_nothing_uses_is_told_with_what_mends_it(smi, driver, said):
    smi(f"0, GPU-1, NVIDIA, 1024, {driver}\n")
    notes = devices.detect({"numba": fakes.BACKENDS["numba"]})["notes"]
    assert said in notes[0]


def test_hidden_and_differing_gpus_are_told(smi, monkeypatch):
    smi(TWO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    notes = devices.detect(fakes.BACKENDS)["notes"]
    assert notes[0] == "CUDA_VISIBLE_DEVICES='1' shows 1 of 2 GPUs."
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in notes[1]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_keeps_its_width(smi, width):
    smi(TWO)
    text = devices.table(devices.detect(fakes.BACKENDS), width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "NVIDIA H200, 140 GiB" in text
    assert "cupy-cuda12x 14.2.0" in text
    assert "Jax: it is not installed" in text
    assert '    pip install "jitmagic[jax]"' in text.splitlines()


def test_processor_names():
    assert devices.cpuinfo_name("processor : 0\nmodel name : Xeon(R)\nmodel name : other\n") == "Xeon(R)"
    assert devices.cpuinfo_name("processor : 0\ncpu : POWER9\n") == "POWER9"
    assert devices.cpuinfo_name("processor : 0\nCPU implementer : 0x41\n") == ""
