"""The machine and its devices, with `nvidia-smi` played from text."""

from __future__ import annotations

import json
import os
import re
import stat
import sys

import pytest

from jitmagic import devices
from jitmagic.backends.cupy import presence as cupy_presence
from jitmagic.backends.jax import presence as jax_presence
from jitmagic.backends.protocol import Availability
from jitmagic.backends.torch import presence as torch_presence
from jitmagic.devices import nvidia, others
from jitmagic.devices.host import host
from jitmagic.devices.processor import cpuinfo_name
from tests import front_fakes as fakes
from tests import machines

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
    monkeypatch.setattr(nvidia, "SMI_PLACES", ())
    monkeypatch.setenv("PATH", "")
    nvidia._asked.cache_clear()
    yield put
    nvidia._asked.cache_clear()


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
    assert first == {
        "name": "cuda:0",
        "title": "NVIDIA H200, 140 GiB",
        "details": ["driver 580.65.06 (CUDA up to 13.x)"],
        "backends": ["cupy"],
    }
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
    gpus, problem = nvidia.parse_smi(TWO)
    assert problem is None
    assert [one.title for one in nvidia.visible_gpus(gpus, setting)] == titles


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
    gpus, told = nvidia.parse_smi(text)
    assert len(gpus) == count
    assert (problem is None and told is None) or problem in told
    assert all(gpu.memory is None for gpu in gpus)


def test_a_driver_that_does_not_answer_is_told(smi):
    smi("", 9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")
    found = devices.detect(fakes.BACKENDS)
    assert [device["name"] for device in found["devices"]] == ["cpu"]
    assert "ended with code 9: NVIDIA-SMI has failed" in found["notes"][0]


def test_a_tool_that_hangs_is_given_up(smi, monkeypatch):
    text, problem = host().output([sys.executable, "-c", "import time; time.sleep(30)"], timeout=0.2)
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
    assert cpuinfo_name("processor : 0\nmodel name : Xeon(R)\nmodel name : other\n") == "Xeon(R)"
    assert cpuinfo_name("processor : 0\ncpu : POWER9\n") == "POWER9"
    assert cpuinfo_name("processor : 0\nCPU implementer : 0x41\n") == ""


@pytest.fixture
def on(monkeypatch):
    """Puts a recorded machine in the place of this one; returns what is detected there."""

    def put(machine, **states):
        for module in (nvidia, others, devices):
            monkeypatch.setattr(module, "host", lambda: machine)
        backends = {name: fakes.Backend(name, state) for name, state in states.items()}
        return devices.detect(backends or {"numba": fakes.BACKENDS["numba"]})

    return put


TORCH_CUDA = torch_presence.built(
    "2.13.0", "cuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n", "Linux", "x86_64"
)
TORCH_13 = torch_presence.built("2.13.0", "cuda: Optional[str] = '13.0'\n", "Linux", "x86_64")
TORCH_CPU = torch_presence.built(
    "2.13.0+cpu", "cuda: Optional[str] = None\nhip: Optional[str] = None\n", "Linux", "x86_64"
)
JAX = {"jax": "0.10.2", "jaxlib": "0.10.2"}


def lacks(found, backend):
    return next(one for one in found["backends"] if one["name"] == backend)["lacks"]


def test_a_gpu_is_told_with_all_that_its_driver_says(on):
    found = on(machines.H100, torch=TORCH_CUDA, numba=Availability(True, {"numba": "0.68.1"}))
    gpu = found["devices"][1]
    assert (gpu["name"], gpu["title"]) == ("cuda:0", "NVIDIA H100 80GB HBM3, 80 GiB")
    assert gpu["details"] == [
        "compute capability 9.0",
        "driver 580.65.06 (CUDA up to 13.x)",
        "up to 1980 MHz, 345 MHz now",
        "2 processes on it, 2.0 GiB in use",
    ]
    assert gpu["backends"] == ["torch"]
    assert found["notes"] == []
    # Numba has no build for a GPU: that is no fault of the machine's
    assert lacks(found, "numba") == []


def test_a_cpu_build_beside_a_gpu_is_told_with_the_command_that_mends_it(on):
    found = on(machines.H100, torch=TORCH_CPU, jax=jax_presence.with_plugins(dict(JAX)))
    assert found["devices"][1]["backends"] == []
    (torch,) = lacks(found, "torch")
    assert torch["reason"] == "torch 2.13.0+cpu is a build for the CPU"
    assert torch["remedy"].startswith("pip install --force-reinstall torch==2.13.0 --index-url ")
    assert torch["remedy"].endswith("/cu126")
    (jax,) = lacks(found, "jax")
    assert (jax["reason"], jax["remedy"]) == (
        "JAX 0.10.2 is installed without its plug-in for it", 'pip install "jax[cuda12]"',
    )  # fmt: skip
    assert "PyTorch" not in devices.table(found)
    assert "Torch cannot use cuda:0: torch 2.13.0+cpu is a build for the CPU" in devices.table(found)


def test_a_cpu_build_without_a_gpu_is_no_fault(on):
    found = on(machines.Machine(), torch=TORCH_CPU, jax=jax_presence.with_plugins(dict(JAX)))
    assert [backend["lacks"] for backend in found["backends"]] == [[], []]


def test_a_driver_too_old_for_the_build_is_told(on):
    found = on(
        machines.OLD_DRIVER, torch=TORCH_13, cupy=cupy_presence.with_builds({"cupy-cuda13x": "14.2.0"}, True, "cuda12")
    )
    assert found["devices"][1]["backends"] == []
    (torch,) = lacks(found, "torch")
    assert "built for CUDA 13.0, which needs NVIDIA's driver 580 or later; here is 535.183.01" in torch["reason"]
    assert torch["remedy"].endswith("/cu126")
    (cupy,) = lacks(found, "cupy")
    assert cupy["remedy"] == "pip uninstall -y cupy-cuda13x && pip install cupy-cuda12x"
    # what mends it is said once, and not as if nothing were installed
    assert found["notes"] == []


def test_the_build_that_fits_the_driver_is_used(on):
    found = on(machines.OLD_DRIVER, torch=TORCH_CUDA)
    assert found["devices"][1]["backends"] == ["torch"]
    assert "driver 535.183.01 (CUDA up to 12.x)" in found["devices"][1]["details"]


def test_a_driver_that_knows_few_fields_is_asked_for_those(on):
    found = on(machines.ANCIENT_DRIVER, torch=TORCH_CUDA)
    assert found["devices"][1]["title"] == "Tesla K80, 11 GiB"
    (torch,) = lacks(found, "torch")
    assert torch["reason"].endswith("here is 460.106.00: update the driver")
    assert torch["remedy"] is None


def test_a_gpu_that_cuda_has_given_up_is_told(on):
    found = on(machines.VOLTA, cupy=cupy_presence.with_builds({"cupy-cuda13x": "14.2.0"}, True, "cuda13"))
    (cupy,) = lacks(found, "cupy")
    assert "below compute capability 7.5; this one has 7.0" in cupy["reason"]
    assert cupy["remedy"] == "pip uninstall -y cupy-cuda13x && pip install cupy-cuda12x"


def test_of_a_divided_gpu_the_instance_is_shown_that_cuda_shows(on):
    found = on(machines.DIVIDED, torch=TORCH_CUDA)
    assert [one["title"] for one in found["devices"][1:]] == ["NVIDIA A100-SXM4-40GB, MIG 3g.20gb, 20 GiB"]
    assert "divided into 2 instances (MIG)" in found["notes"][0]
    machine = machines.Machine(machines.DIVIDED.told, variables={"CUDA_VISIBLE_DEVICES": "MIG-bbbb-2"})
    assert [one["title"] for one in on(machine)["devices"][1:]] == ["NVIDIA A100-SXM4-40GB, MIG 2g.10gb, 10 GiB"]
    empty = on(machines.DIVIDED_EMPTY, torch=TORCH_CUDA)
    assert [one["name"] for one in empty["devices"]] == ["cpu"]
    assert "MIG is on and there is no instance" in empty["notes"][0]


def test_a_gpu_without_a_driver_is_told(on):
    assert "no driver for it" in on(machines.NO_DRIVER)["notes"][0]
    assert on(machines.Machine())["notes"] == []
    assert "couldn't communicate" in on(machines.BROKEN_DRIVER)["notes"][0]


def test_what_wsl_and_a_jetson_do_not_tell_is_left_out(on):
    wsl = on(machines.WSL, torch=TORCH_CUDA)["devices"][1]
    assert wsl["title"] == "NVIDIA GeForce RTX 4070 Laptop GPU, 8 GiB"
    assert not any("process" in detail for detail in wsl["details"])
    jetson = on(machines.JETSON, torch=TORCH_CUDA)["devices"][1]
    assert (jetson["title"], jetson["details"]) == (
        "Orin (nvgpu)", ["compute capability 8.7", "driver 540.4.0 (CUDA up to 12.x)"],
    )  # fmt: skip


def test_two_gpus_and_the_variables_that_order_and_hide_them(on):
    both = on(machines.TWO, torch=TORCH_CUDA)
    assert [one["title"] for one in both["devices"][1:]] == ["NVIDIA H200, 140 GiB", "NVIDIA A100-SXM4-40GB, 40 GiB"]
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in both["notes"][0]
    assert on(machines.TWO_ORDERED, torch=TORCH_CUDA)["notes"] == []
    second = on(machines.TWO_SECOND_ONLY, torch=TORCH_CUDA)
    assert [(one["name"], one["title"]) for one in second["devices"][1:]] == [
        ("cuda:0", "NVIDIA A100-SXM4-40GB, 40 GiB")
    ]


def test_accelerators_that_are_not_nvidias(on):
    mps = torch_presence.built("2.13.0", "cuda = None\n", "Darwin", "arm64")
    assert on(machines.APPLE, torch=mps)["devices"][1] == {
        "name": "mps", "title": "Apple GPU (Metal)", "details": [], "backends": ["torch"],
    }  # fmt: skip
    assert len(on(machines.INTEL_MAC)["devices"]) == 1
    tpu = jax_presence.with_plugins({**JAX, "libtpu": "0.0.30"})
    assert on(machines.TPU_VM, jax=tpu)["devices"][1]["title"] == "TPU v4, 4 chips"
    colab = on(machines.COLAB_TPU, jax=jax_presence.with_plugins(dict(JAX)))
    assert (colab["devices"][1]["title"], colab["devices"][1]["backends"]) == ("TPU v5litepod, 1 chip", [])
    assert lacks(colab, "jax")[0]["remedy"] == 'pip install "jax[tpu]"'
    rocm = torch_presence.built("2.13.0+rocm6.4", "cuda = None\nhip: Optional[str] = '6.4.1'\n", "Linux", "x86_64")
    assert on(machines.AMD, torch=rocm)["devices"][1]["backends"] == ["torch"]
    assert len(on(machines.AMD_DISPLAY_ONLY)["devices"]) == 1


def test_a_plug_in_of_another_version_than_jaxlib_is_told(on):
    found = on(machines.H100, jax=jax_presence.with_plugins({**JAX, "jax-cuda12-plugin": "0.9.0"}))
    (jax,) = lacks(found, "jax")
    assert jax["reason"] == "jax-cuda12-plugin 0.9.0 does not fit jaxlib 0.10.2: JAX takes them in one version only"
    assert jax["remedy"] == 'pip install --upgrade "jax-cuda12-plugin[with-cuda]==0.10.2"'


def test_two_builds_of_cupy_are_told():
    state = cupy_presence.with_builds({"cupy-cuda12x": "14.2.0", "cupy-cuda13x": "14.2.0"}, True, "cuda13")
    assert "cupy-cuda12x and cupy-cuda13x are both installed" in state.reason
    assert state.remedy == 'pip uninstall -y cupy-cuda12x cupy-cuda13x && pip install "jitmagic[cuda13]"'


def test_a_build_is_read_from_torchs_own_file(tmp_path):
    folder = tmp_path / "torch"
    folder.mkdir()
    (folder / "version.py").write_text(
        "__version__ = '2.9.1+cu128'\ncuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n"
    )
    assert "'12.8'" in torch_presence._version_file([str(tmp_path / "none"), str(folder)])
    assert torch_presence.built("2.9.1+cu128", "", "Linux", "x86_64").cuda == "12.8"
    assert torch_presence.built("2.9.1+xpu", "", "Linux", "x86_64").kinds == ("cpu", "xpu")


@pytest.mark.parametrize(
    "name", sorted(name for name, one in vars(machines).items() if isinstance(one, machines.Machine))
)
@pytest.mark.parametrize("width", [60, 100])
def test_every_recorded_machine_has_its_table(on, name, width):
    found = on(getattr(machines, name), torch=TORCH_13, jax=jax_presence.with_plugins(dict(JAX)))
    text = devices.table(found, width)
    assert max(len(line) for line in text.splitlines() if not line.startswith("    ")) <= width
    json.dumps(found)
