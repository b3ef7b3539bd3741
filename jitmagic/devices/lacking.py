"""Why a backend cannot use a device that is here, and the one command that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jitmagic.backends.protocol import Availability
from jitmagic.devices.nvidia import LEAST_CAPABILITY, LEAST_DRIVER, Gpu


@dataclass(frozen=True)
class Lack:
    """What stands between a backend and a device.

    Attributes
    ----------
    device : str
    reason : str
        "" where the backend has no build for such a device at all: that is no fault.
    remedy : str or None
    """

    device: str
    reason: str = ""
    remedy: str | None = None


def lack(state: Availability, device: str, gpu: Gpu | None = None) -> Lack | None:
    """Says what keeps a backend from a device; None where nothing does.

    Parameters
    ----------
    state : Availability
    device : str
        ``"cpu"``, ``"cuda:0"``, ….
    gpu : Gpu, optional
        What stands behind a device of kind ``cuda``, where that is known.
    """
    kind = device.partition(":")[0]
    if not state.installed or state.reason:
        return Lack(device)  # said of the backend as a whole
    if kind not in state.kinds:
        reason, remedy = state.lacks.get(kind, ("", None))
        return Lack(device, reason, remedy)
    if kind == "cuda" and gpu is not None and state.cuda is not None:
        return _of_driver(state, device, gpu) or _of_capability(state, device, gpu)
    return None


def _of_driver(state: Availability, device: str, gpu: Gpu) -> Lack | None:
    built = _major(state.cuda)
    least = LEAST_DRIVER.get(built)
    if least is None or gpu.cuda is None or gpu.cuda >= built:
        return None
    reason = f"it is built for CUDA {state.cuda}, which needs NVIDIA's driver {least} or later; here is {gpu.driver}"
    other = state.other_cuda.get(str(gpu.cuda))
    if other is None:
        return Lack(device, f"{reason}: update the driver")
    return Lack(device, f"{reason}: update the driver, or take the build for CUDA {gpu.cuda}", other)


def _of_capability(state: Availability, device: str, gpu: Gpu) -> Lack | None:
    least = LEAST_CAPABILITY.get(_major(state.cuda))
    if least is None or gpu.capability is None or gpu.capability >= least:
        return None
    older = next(
        (cuda for cuda, needs in LEAST_CAPABILITY.items() if gpu.capability >= needs and cuda <= (gpu.cuda or cuda)),
        None,
    )
    reason = (
        f"it is built for CUDA {state.cuda}, which has given up GPUs below compute capability {least[0]}.{least[1]}; "
        f"this one has {gpu.capability[0]}.{gpu.capability[1]}"
    )
    return Lack(device, reason, state.other_cuda.get(str(older)))


def _major(version: str | None) -> int:
    head = (version or "").split(".")[0]
    return int(head) if head.isdigit() else 0


def extra_remedy(gpus: Sequence[Gpu]) -> str:
    """Says what makes jitmagic's own extras use these GPUs."""
    gpu = next(iter(gpus), None)
    newest = gpu.cuda if gpu is not None else None
    able = [
        cuda
        for cuda in (13, 12)
        if (newest is None or cuda <= newest)
        and (gpu is None or gpu.capability is None or gpu.capability >= LEAST_CAPABILITY[cuda])
    ]
    if not able and gpu is not None:
        if newest is not None and newest < 12:
            return f"Its driver {gpu.driver} is too old for CUDA 12: update it to {LEAST_DRIVER[12]} or later."
        return f"{gpu.name} is too old for CUDA 12."
    extra = able[0] if newest is not None else 12
    return f'Mend it with: pip install "jitmagic[cuda{extra}]"'
