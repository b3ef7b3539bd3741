"""NVIDIA GPUs as the driver's own tool tells them, and which of them CUDA numbers 0, 1, ….

`nvidia-smi` speaks NVML in a process of its own: no CUDA context is made, and nothing of NVIDIA's is loaded into the
user's session. Fields and answers: "NVIDIA System Management Interface" and "NVML API Reference" (docs.nvidia.com).
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from jitmagic.devices.host import Host, host

SMI_PLACES = ("/usr/lib/wsl/lib/nvidia-smi", r"C:\Windows\System32\nvidia-smi.exe")
SMI_FIELDS = ("index", "uuid", "name", "memory.total", "driver_version")
MORE_FIELDS = ("compute_cap", "clocks.max.sm", "clocks.sm", "memory.used", "mig.mode.current")
"""What drivers before 470 may refuse to be asked for."""

LEAST_DRIVER = {13: 580, 12: 525, 11: 450}
"""The least driver of each CUDA major version (CUDA release notes, minor version compatibility; Linux)."""

LEAST_CAPABILITY = {13: (7, 5), 12: (5, 0), 11: (3, 5)}
"""The oldest GPU that each CUDA major version still compiles for (CUDA release notes, deprecated architectures)."""

_NVIDIA_ON_PCI = "0x10de"


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA GPU, or one instance of a GPU that is divided (MIG).

    Attributes
    ----------
    index : int
        Its place in PCI bus order.
    uuid, name, driver : str
        ``"GPU-8f…"``, ``"NVIDIA H200"``, ``"580.65.06"``.
    memory, used : int or None
        Bytes in all, and bytes in use now; None where the driver does not tell (WSL, Jetson, vGPU).
    capability : tuple of int or None
        Compute capability, e.g. ``(9, 0)``.
    clock, most : int or None
        MHz of its multiprocessors, now and at most.
    divided : bool
        Whether MIG is on: CUDA then shows its instances and not the GPU.
    instances : tuple of (str, str)
        Profile and UUID of each MIG instance, e.g. ``("3g.40gb", "MIG-…")``.
    processes : int or None
        How many processes compute on it; None where the driver does not tell.
    """

    index: int
    uuid: str
    name: str
    memory: int | None
    driver: str
    capability: tuple[int, int] | None = None
    clock: int | None = None
    most: int | None = None
    used: int | None = None
    divided: bool = False
    instances: tuple[tuple[str, str], ...] = ()
    processes: int | None = None

    @property
    def cuda(self) -> int | None:
        """The newest CUDA major version that its driver runs; None where the driver's number is not known."""
        head = self.driver.split(".")[0]
        if not head.isdigit():
            return None
        return next((cuda for cuda, least in LEAST_DRIVER.items() if int(head) >= least), 0)


@dataclass(frozen=True)
class Visible:
    """A GPU as CUDA shows it to a program.

    Attributes
    ----------
    title : str
    memory : int or None
        Bytes.
    gpu : Gpu or None
        What it is, or is a part of; None for an instance that the tool does not list.
    part : bool
        Whether it is an instance of a divided GPU.
    """

    title: str
    memory: int | None
    gpu: Gpu | None
    part: bool = False

    @property
    def details(self) -> tuple[str, ...]:
        """What else is known of it, in words."""
        gpu = self.gpu
        if gpu is None:
            return ()
        found = []
        if gpu.capability is not None:
            found.append(f"compute capability {gpu.capability[0]}.{gpu.capability[1]}")
        cuda = f" (CUDA up to {gpu.cuda}.x)" if gpu.cuda else ""
        found.append(f"driver {gpu.driver}{cuda}")
        if gpu.most is not None:
            now = f", {gpu.clock} MHz now" if gpu.clock is not None else ""
            found.append(f"up to {gpu.most} MHz{now}")
        if not self.part and gpu.processes:
            held = f", {gpu.used / 2**30:.1f} GiB in use" if gpu.used is not None else ""
            found.append(f"{gpu.processes} process{'' if gpu.processes == 1 else 'es'} on it{held}")
        return tuple(found)


def find_gpus() -> tuple[tuple[Gpu, ...], str | None]:
    """Asks `nvidia-smi` for the GPUs; returns them in PCI bus order, and why it failed where it is there and failed."""
    path = host().tool("nvidia-smi", SMI_PLACES)
    return ((), None) if path is None else _asked(host(), path)


@functools.cache
def _asked(machine: Host, path: str) -> tuple[tuple[Gpu, ...], str | None]:
    def query(fields: Sequence[str]) -> tuple[str, str | None]:
        return machine.output([path, f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"])

    text, problem = query((*SMI_FIELDS, *MORE_FIELDS))
    if problem and "not a valid field" in problem:
        text, problem = query(SMI_FIELDS)
    if problem:
        return (), problem
    gpus, problem = parse_smi(text)
    if any(gpu.divided for gpu in gpus):
        listed, _ = machine.output([path, "-L"])
        parts = parse_list(listed)
        gpus = tuple(replace(gpu, instances=parts.get(gpu.uuid, ())) for gpu in gpus)
    told, silent = machine.output([path, "--query-compute-apps=gpu_uuid,pid", "--format=csv,noheader,nounits"])
    if silent is None and gpus:
        gpus = tuple(replace(gpu, processes=_processes(told, gpu.uuid)) for gpu in gpus)
    return gpus, problem


def parse_smi(text: str) -> tuple[tuple[Gpu, ...], str | None]:
    """Reads the CSV of `nvidia-smi` (:data:`SMI_FIELDS`, with or without :data:`MORE_FIELDS`; no header, no units).

    >>> parse_smi("0, GPU-8f2b, NVIDIA H200, 143771, 580.65.06\\n")[0][0].name
    'NVIDIA H200'
    >>> parse_smi("0, GPU-8f2b, NVIDIA H200, 143771, 580.65.06, 9.0, 1980, 345, 4, Disabled\\n")[0][0].capability
    (9, 0)
    """
    gpus: list[Gpu] = []
    for row in csv.reader(text.splitlines(), skipinitialspace=True):
        if not row:
            continue
        lengths = (len(SMI_FIELDS), len(SMI_FIELDS) + len(MORE_FIELDS))
        if len(row) not in lengths or not row[0].strip().isdigit():
            return tuple(gpus), f"nvidia-smi gave a line that is not a GPU: {', '.join(row)[:200]}"
        index, uuid, name, memory, driver, *more = (part.strip() for part in row)
        gpu = Gpu(int(index), uuid, name, _mebibytes(memory), driver)
        if more:
            capability, most, clock, used, divided = more
            gpu = replace(
                gpu,
                capability=_capability(capability),
                most=_number(most),
                clock=_number(clock),
                used=_mebibytes(used),
                divided=divided == "Enabled",
            )
        gpus.append(gpu)
    return tuple(sorted(gpus, key=lambda gpu: gpu.index)), None


def parse_list(text: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Reads the instances of divided GPUs from `nvidia-smi -L`: profile and UUID of each, by the GPU's UUID.

    >>> parse_list("GPU 0: A100 (UUID: GPU-1)\\n  MIG 3g.20gb     Device  0: (UUID: MIG-2)\\n")
    {'GPU-1': (('3g.20gb', 'MIG-2'),)}
    """
    found: dict[str, list[tuple[str, str]]] = {}
    gpu = ""
    for line in text.splitlines():
        whole = re.match(r"GPU \d+:.*\(UUID: (GPU-[^)]+)\)", line)
        part = re.match(r"\s+MIG (\S+)\s+Device\s+\d+: \(UUID: (MIG-[^)]+)\)", line)
        if whole:
            gpu = whole[1]
            found[gpu] = []
        elif part and gpu:
            found[gpu].append((part[1], part[2]))
    return {one: tuple(parts) for one, parts in found.items()}


def _number(text: str) -> int | None:
    # a Jetson and a vGPU answer "[N/A]" or "[Not Supported]"
    return int(text) if text.isdigit() else None


def _mebibytes(text: str) -> int | None:
    number = _number(text)
    return None if number is None else number * 2**20


def _capability(text: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def _processes(text: str, uuid: str) -> int:
    return sum(1 for row in csv.reader(text.splitlines(), skipinitialspace=True) if row and row[0].strip() == uuid)


def visible_gpus(gpus: tuple[Gpu, ...], setting: str | None) -> tuple[Visible, ...]:
    """Returns each GPU that CUDA numbers 0, 1, …, under a value of ``CUDA_VISIBLE_DEVICES``.

    As CUDA reads it: places or (beginnings of) UUIDs, and everything from the first invalid one on is ignored. A MIG
    instance stands for itself; of divided GPUs a program sees one instance only, the first where nothing is set (CUDA C
    programming guide, environment variables; MIG user guide). Without ``CUDA_DEVICE_ORDER=PCI_BUS_ID`` CUDA puts a
    faster model first.

    >>> two = parse_smi("0, GPU-a1, A, 1024, 580.1\\n1, GPU-b2, B, 1024, 580.1\\n")[0]
    >>> [one.title for one in visible_gpus(two, "GPU-b,0,7,1")], visible_gpus(two, "")
    (['B', 'A'], ())
    """
    if setting is None:
        divided = [gpu for gpu in gpus if gpu.divided]
        if divided:
            first = next(((gpu, gpu.instances[0]) for gpu in divided if gpu.instances), None)
            return () if first is None else (_instance(gpus, first[1][1]),)
        return tuple(_whole(gpu) for gpu in gpus)
    seen: list[Visible] = []
    taken: set[str] = set()
    for part in (part.strip() for part in setting.split(",")):
        if part.upper().startswith("MIG-"):
            seen.append(_instance(gpus, part))
            continue
        if part.upper().startswith("GPU-"):
            found = [gpu for gpu in gpus if gpu.uuid.upper().startswith(part.upper())]
        else:
            found = [gpu for gpu in gpus if part.isdigit() and gpu.index == int(part)]
        if len(found) != 1:
            break
        if found[0].uuid in taken:  # CUDA takes a repeated one for a mistake and shows none at all
            return ()
        taken.add(found[0].uuid)
        if found[0].divided:
            if found[0].instances:
                seen.append(_instance(gpus, found[0].instances[0][1]))
            continue
        seen.append(_whole(found[0]))
    instances = [one for one in seen if one.part]
    return tuple(instances[:1]) if instances else tuple(seen)


def _whole(gpu: Gpu) -> Visible:
    return Visible(gpu.name, gpu.memory, gpu)


def _instance(gpus: Sequence[Gpu], uuid: str) -> Visible:
    for gpu in gpus:
        for profile, one in gpu.instances:
            if one.upper().startswith(uuid.upper()):
                size = re.search(r"(\d+)gb", profile)
                return Visible(f"{gpu.name}, MIG {profile}", int(size[1]) * 2**30 if size else None, gpu, True)
    return Visible(f"MIG instance {uuid[4:12]}", None, None, True)


def without_driver() -> bool:
    """Says whether an NVIDIA GPU is on this machine's PCI bus while no driver answers for it (Linux only)."""
    machine = host()
    if machine.system != "Linux" or machine.tool("nvidia-smi", SMI_PLACES) is not None:
        return False
    for vendor in machine.matching("/sys/bus/pci/devices", "*/vendor"):
        kind = machine.text(f"{vendor.rpartition('/')[0]}/class") or ""
        # class 03 is a display controller: an NVIDIA card has a sound device of its own beside it
        if (machine.text(vendor) or "").strip() == _NVIDIA_ON_PCI and kind.startswith("0x03"):
            return True
    return False
