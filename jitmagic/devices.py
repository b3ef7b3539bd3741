"""What this machine has, and what each backend can use of it; found without starting any library or any GPU.

Initialising CUDA costs hundreds of megabytes and seconds, and belongs to a worker: GPUs are read from `nvidia-smi`.
Nothing here raises for a machine that lacks a tool; what could not be found is None, or a note.
"""

from __future__ import annotations

import csv
import functools
import os
import platform
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from jitmagic.backends.protocol import Availability, Backend

SMI_FIELDS = ("index", "uuid", "name", "memory.total", "driver_version")
SMI_SECONDS = 20.0
"""A GPU whose driver sleeps takes seconds to answer."""
SMI_PLACES = ("/usr/lib/wsl/lib/nvidia-smi", r"C:\Windows\System32\nvidia-smi.exe")

CUDA_EXTRAS = ((580, "cuda13"), (525, "cuda12"))
"""The least driver of each CUDA major version, newest first (CUDA release notes, minor version compatibility)."""


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA GPU as `nvidia-smi` tells it.

    Attributes
    ----------
    index : int
        Its place in PCI bus order.
    uuid, name, driver : str
        ``"GPU-8f…"``, ``"NVIDIA H200"``, ``"580.65.06"``.
    memory : int or None
        Bytes; None where the driver does not tell.
    """

    index: int
    uuid: str
    name: str
    memory: int | None
    driver: str


def machine() -> dict[str, Any]:
    """Describes the machine as the record holds it.

    Returns
    -------
    dict
        ``system``, ``release``, ``architecture``, ``processor``, ``cores`` (physical), ``threads`` (that this process
        may use), ``memory`` (bytes), ``python``, ``load`` (runnable processes, mean of one minute; None on Windows,
        which keeps none).
    """
    threads = usable_threads()
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "processor": processor(),
        "cores": min(psutil.cpu_count(logical=False) or threads, threads),
        "threads": threads,
        "memory": psutil.virtual_memory().total,
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def usable_threads() -> int:
    """Returns how many hardware threads this process may run on (a batch system may give it fewer than there are)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def processor() -> str:
    """Returns the processor's name, e.g. ``"AMD EPYC 7B13"``; its architecture where the system knows no name."""
    name = {"Linux": _linux_processor, "Darwin": _mac_processor, "Windows": _windows_processor}.get(
        platform.system(), platform.processor
    )()
    name = re.sub(r"\((R|TM|C)\)", "", name, flags=re.IGNORECASE)
    return " ".join(name.split()) or platform.processor() or platform.machine()


def _linux_processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            found = cpuinfo_name(file.read())
    except OSError:  # no /proc in this container
        found = ""
    # ARM's cpuinfo holds numbers for names, which lscpu translates.
    return found or next(
        (line.partition(":")[2] for line in _output(["lscpu"])[0].splitlines() if line.startswith("Model name:")), ""
    )


def cpuinfo_name(text: str) -> str:
    """Finds the processor's name in the text of ``/proc/cpuinfo``, "" where it holds none.

    >>> cpuinfo_name("processor\\t: 0\\nmodel name\\t: AMD EPYC 7B13\\n")
    'AMD EPYC 7B13'
    """
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    # "cpu" is POWER's, "uarch" RISC-V's.
    return next((fields[key] for key in ("model name", "cpu", "uarch") if fields.get(key)), "")


def _mac_processor() -> str:
    return _output(["sysctl", "-n", "machdep.cpu.brand_string"])[0].strip()


def _windows_processor() -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0])
    except OSError:
        return platform.processor()


def _output(command: list[str], timeout: float = SMI_SECONDS) -> tuple[str, str | None]:
    """Runs a small tool; returns its output, and why there is none."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=timeout, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return "", f"{command[0]} did not answer within {timeout:.0f} s"
    except OSError as error:
        return "", f"{command[0]} could not be started: {error}"
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[:300]
        return "", f"{os.path.basename(command[0])} ended with code {done.returncode}: {said}"
    return done.stdout, None


def find_gpus() -> tuple[tuple[Gpu, ...], str | None]:
    """Asks `nvidia-smi` for the GPUs; returns them in PCI bus order, and why it failed where it is there and failed."""
    path = shutil.which("nvidia-smi") or next((place for place in SMI_PLACES if os.path.isfile(place)), None)
    return ((), None) if path is None else _asked_gpus(path)


@functools.cache
def _asked_gpus(path: str) -> tuple[tuple[Gpu, ...], str | None]:
    text, problem = _output([path, f"--query-gpu={','.join(SMI_FIELDS)}", "--format=csv,noheader,nounits"])
    if problem:
        return (), problem
    return parse_smi(text)


def parse_smi(text: str) -> tuple[tuple[Gpu, ...], str | None]:
    """Reads the CSV of `nvidia-smi` (fields of :data:`SMI_FIELDS`, no header, no units).

    >>> parse_smi("0, GPU-8f2b, NVIDIA H200, 143771, 580.65.06\\n")[0][0].name
    'NVIDIA H200'
    """
    gpus: list[Gpu] = []
    for row in csv.reader(text.splitlines(), skipinitialspace=True):
        if not row:
            continue
        if len(row) != len(SMI_FIELDS) or not row[0].strip().isdigit():
            return tuple(gpus), f"nvidia-smi gave a line that is not a GPU: {', '.join(row)[:200]}"
        index, uuid, name, memory, driver = (part.strip() for part in row)
        # A Jetson and a vGPU answer "[N/A]" or "[Not Supported]"; the unit is MiB.
        gpus.append(Gpu(int(index), uuid, name, int(memory) * 2**20 if memory.isdigit() else None, driver))
    return tuple(sorted(gpus, key=lambda gpu: gpu.index)), None


def visible_gpus(gpus: tuple[Gpu, ...], setting: str | None) -> tuple[tuple[str, int | None], ...]:
    """Returns title and memory of each GPU that CUDA numbers 0, 1, …, under a value of ``CUDA_VISIBLE_DEVICES``.

    As CUDA reads it: places or (beginnings of) UUIDs, and everything from the first invalid one on is ignored. A MIG
    instance stands for itself. Without ``CUDA_DEVICE_ORDER=PCI_BUS_ID`` CUDA puts a faster model first.

    >>> two = parse_smi("0, GPU-a1, A, 1024, 580.1\\n1, GPU-b2, B, 1024, 580.1\\n")[0]
    >>> [title for title, _ in visible_gpus(two, "GPU-b,0,7,1")], visible_gpus(two, "")
    (['B', 'A'], ())
    """
    if setting is None:
        return tuple((gpu.name, gpu.memory) for gpu in gpus)
    seen: list[tuple[str, int | None]] = []
    taken: set[str] = set()
    for part in (part.strip() for part in setting.split(",")):
        if part.upper().startswith("MIG-"):
            seen.append((f"MIG instance {part[4:12]}", None))
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
        seen.append((found[0].name, found[0].memory))
    return tuple(seen)


def devices(backends: Mapping[str, Backend] | None = None) -> list[dict[str, Any]]:
    """Lists the devices as the record holds them: ``name``, ``title``, ``backends`` (those that can use it).

    Parameters
    ----------
    backends : mapping of str to Backend, optional
        Those to ask; all that are registered by default.
    """
    states = availabilities(backends)
    return _devices(machine(), {name: state for name, (_, state) in states.items()})


def _devices(here: Mapping[str, Any], states: Mapping[str, Availability]) -> list[dict[str, Any]]:
    def users(kind: str) -> list[str]:
        return [name for name, state in states.items() if state.installed and not state.reason and kind in state.kinds]

    found = [
        {
            "name": "cpu",
            "title": f"{here['processor']}, {_counted(here['cores'], 'core')}",
            "backends": users("cpu"),
        }
    ]
    visible = visible_gpus(find_gpus()[0], os.environ.get("CUDA_VISIBLE_DEVICES"))
    for number, (name, memory) in enumerate(visible):
        title = name if memory is None else f"{name}, {memory / 2**30:.0f} GiB"
        found.append({"name": f"cuda:{number}", "title": title, "backends": users("cuda")})
    return found


def availabilities(backends: Mapping[str, Backend] | None = None) -> dict[str, tuple[str, Availability]]:
    """Asks every backend whether it can be used here; returns title and answer by name."""
    if backends is None:
        from jitmagic.backends import all_backends

        backends = all_backends()
    found = {}
    for name, backend in backends.items():
        try:
            state = backend.availability()
        except Exception as error:  # a plug-in's fault must not hide the others
            state = Availability(
                False,
                reason=f"its own check failed with {type(error).__name__}: {error}",
                remedy="report it to the makers of this backend",
            )
        found[name] = (backend.title, state)
    return found


def detect(backends: Mapping[str, Backend] | None = None) -> dict[str, Any]:
    """Finds the machine, its devices, and what each backend can use of them; never raises for what is missing.

    Returns
    -------
    dict
        ``machine`` and ``devices`` as in the record; ``backends``: ``name``, ``title``, ``installed``, ``versions``,
        ``devices`` (names), ``reason`` and ``remedy`` (None where nothing is amiss); ``notes``: sentences.
    """
    here = machine()
    states = availabilities(backends)
    found = _devices(here, {name: state for name, (_, state) in states.items()})
    described = [
        {
            "name": name,
            "title": title,
            "installed": state.installed,
            "versions": dict(state.versions),
            "devices": [device["name"] for device in found if name in device["backends"]],
            "reason": state.reason,
            "remedy": state.remedy,
        }
        for name, (title, state) in states.items()
    ]
    return {"machine": here, "devices": found, "backends": described, "notes": _notes(found)}


def _notes(found: list[dict[str, Any]]) -> list[str]:
    gpus, problem = find_gpus()
    notes = [f"NVIDIA's driver is here but does not answer: {problem}."] if problem else []
    setting = os.environ.get("CUDA_VISIBLE_DEVICES")
    seen = [device for device in found if device["name"].startswith("cuda")]
    if gpus and setting is not None and len(seen) < len(gpus):
        notes.append(f"CUDA_VISIBLE_DEVICES={setting!r} shows {len(seen)} of {len(gpus)} GPUs.")
    if len({gpu.name for gpu in gpus}) > 1 and os.environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
        notes.append("The GPUs differ: set CUDA_DEVICE_ORDER=PCI_BUS_ID, or CUDA may number them in another order.")
    if seen and not any(device["backends"] for device in seen):
        notes.append(f"No installed backend uses the GPU. {_cuda_remedy(gpus)}")
    return notes


def _cuda_remedy(gpus: tuple[Gpu, ...]) -> str:
    driver = next((gpu.driver for gpu in gpus), "")
    major = int(driver.split(".")[0]) if driver.split(".")[0].isdigit() else 0
    extra = next((extra for least, extra in CUDA_EXTRAS if major >= least), None)
    if extra is None:
        return f"Its driver {driver} is too old for CUDA 12: update it to {CUDA_EXTRAS[-1][0]} or later."
    return f'Mend it with: pip install "jitmagic[{extra}]"'


def table(detected: Mapping[str, Any], width: int = 80) -> str:
    """Lays out what :func:`detect` found as text of at most ``width`` columns (a longer command stays whole)."""
    here = detected["machine"]
    memory = f"{here['memory'] / 2**30:.0f} GiB"
    lines = [
        f"{here['system']} {here['release']} on {here['architecture']}, Python {here['python']}",
        f"{_counted(here['cores'], 'core')}, {_counted(here['threads'], 'thread')}, {memory} of memory",
        "",
    ]
    rows = [("device", "what it is", "usable by")]
    for device in detected["devices"]:
        rows.append((device["name"], device["title"], ", ".join(device["backends"]) or "none"))
    lines += _columns(rows, width)
    lines.append("")
    rows = [("backend", "version", "devices")]
    for backend in detected["backends"]:
        versions = ", ".join(f"{name} {version}" for name, version in backend["versions"].items())
        rows.append((backend["title"], versions or "not installed", ", ".join(backend["devices"]) or "none"))
    lines += _columns(rows, width)
    amiss = [backend for backend in detected["backends"] if backend["reason"] or not backend["installed"]]
    for backend in amiss:
        reason = backend["reason"] or "it is not installed"
        lines += ["", *_wrapped(f"{backend['title']}: {reason}", width)]
        if backend["remedy"]:
            lines.append(f"    {backend['remedy']}")
    for note in detected["notes"]:
        lines += ["", *_wrapped(note, width)]
    return "\n".join(line.rstrip() for line in lines)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _columns(rows: list[tuple[str, str, str]], width: int) -> list[str]:
    """Sets three columns; the last one wraps within the width."""
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    second = min(second, max(20, width // 2))
    lines = []
    for row in rows:
        middles = textwrap.wrap(row[1], second) or [""]
        lasts = textwrap.wrap(row[2], max(16, width - first - second - 4)) or [""]
        for number in range(max(len(middles), len(lasts))):
            cells = [column[number] if number < len(column) else "" for column in ([row[0]], middles, lasts)]
            lines.append(f"{cells[0]:<{first}}  {cells[1]:<{second}}  {cells[2]}")
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
