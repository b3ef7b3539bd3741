"""Accelerators that are no NVIDIA GPUs: AMD's and Intel's GPUs, Apple's, and Google's TPUs; by their files alone."""

from __future__ import annotations

from jitmagic.devices.host import host

_TPU_VARIABLES = ("TPU_ACCELERATOR_TYPE", "TPU_NAME", "COLAB_TPU_ADDR", "TPU_CHIPS_PER_HOST_BOUNDS")
_GOOGLE_ON_PCI = "0x1ae0"
_GPU_MAKERS = {"0x1002": ("rocm", "AMD GPU"), "0x8086": ("xpu", "Intel GPU")}


def accelerators() -> list[tuple[str, str]]:
    """Returns kind and title of each accelerator that is no NVIDIA GPU, e.g. ``("tpu", "TPU v5e, 8 chips")``.

    Kinds: ``"rocm"``, ``"xpu"``, ``"mps"``, ``"tpu"``. An Intel GPU that only drives a display is not told apart.
    """
    return [*_apple(), *_pci(), *_tpu()]


def _apple() -> list[tuple[str, str]]:
    machine = host()
    return [("mps", "Apple GPU (Metal)")] if (machine.system, machine.architecture) == ("Darwin", "arm64") else []


def _pci() -> list[tuple[str, str]]:
    machine = host()
    found = []
    for vendor in machine.matching("/sys/bus/pci/devices", "*/vendor"):
        maker = _GPU_MAKERS.get((machine.text(vendor) or "").strip())
        kind = machine.text(f"{vendor.rpartition('/')[0]}/class") or ""
        if maker is None or not kind.startswith("0x03"):
            continue
        if maker[0] == "rocm" and not machine.matching("/dev", "kfd"):
            continue  # the kernel has no compute driver for it: nothing could use it
        if maker[0] == "xpu" and not machine.matching("/dev/dri", "renderD*"):
            continue
        found.append(maker)
    return found


def _tpu() -> list[tuple[str, str]]:
    machine = host()
    chips = len(machine.matching("/dev", "accel[0-9]*")) or (
        len(machine.matching("/dev/vfio", "[0-9]*"))
        if any(
            (machine.text(vendor) or "").strip() == _GOOGLE_ON_PCI
            for vendor in machine.matching("/sys/bus/pci/devices", "*/vendor")
        )
        else 0
    )
    told = next((machine.environ[name] for name in _TPU_VARIABLES if machine.environ.get(name)), None)
    if not chips and told is None:
        return []
    kind = machine.environ.get("TPU_ACCELERATOR_TYPE", "").rpartition("-")[0]
    title = f"TPU {kind}" if kind else "TPU"
    return [("tpu", f"{title}, {chips} chip{'' if chips == 1 else 's'}" if chips else title)]
