"""What this machine has, and what each backend can use of it; found without starting any library or any GPU.

Initialising CUDA costs hundreds of megabytes and seconds, and belongs to a worker: GPUs are read from the driver's own
tool, libraries from their metadata. Nothing here raises for a machine that lacks a tool; what could not be found is
None, or a note.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from typing import Any

import psutil

from jitmagic.backends.protocol import Availability, Backend
from jitmagic.devices import lacking, nvidia, others
from jitmagic.devices.host import host
from jitmagic.devices.processor import processor, usable_cores, usable_threads, vector_instructions
from jitmagic.devices.table import counted, table

__all__ = ["availabilities", "detect", "devices", "machine", "processor", "table", "usable_threads"]


def machine() -> dict[str, Any]:
    """Describes the machine as the record holds it.

    Returns
    -------
    dict
        ``system``, ``release``, ``architecture``, ``processor``, ``cores`` (physical), ``threads`` (that this process
        may use), ``memory`` (bytes), ``python``, ``load`` (runnable processes, mean of one minute; None on Windows,
        which keeps none).
    """
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "processor": processor(),
        "cores": usable_cores(),
        "threads": usable_threads(),
        "memory": psutil.virtual_memory().total,
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def devices(backends: Mapping[str, Backend] | None = None) -> list[dict[str, Any]]:
    """Lists the devices as the record holds them: ``name``, ``title``, ``details``, ``backends`` (that can use it).

    Parameters
    ----------
    backends : mapping of str to Backend, optional
        Those to ask; all that are registered by default.
    """
    return _devices({name: state for name, (_, state) in availabilities(backends).items()})[0]


def _devices(states: Mapping[str, Availability]) -> tuple[list[dict[str, Any]], dict[str, list[lacking.Lack]]]:
    """Returns the devices, and by backend what it cannot use of them and why."""
    lacks: dict[str, list[lacking.Lack]] = {name: [] for name in states}
    found: list[dict[str, Any]] = []

    def add(name: str, title: str, details: tuple[str, ...] = (), gpu: nvidia.Gpu | None = None) -> None:
        able = []
        for backend, state in states.items():
            lack = lacking.lack(state, name, gpu)
            if lack is None:
                able.append(backend)
            elif lack.reason:
                lacks[backend].append(lack)
        found.append({"name": name, "title": title, "details": list(details), "backends": able})

    vectors = vector_instructions()
    add("cpu", f"{processor()}, {counted(usable_cores(), 'core')}", (vectors,) if vectors else ())
    visible = nvidia.visible_gpus(nvidia.find_gpus()[0], host().environ.get("CUDA_VISIBLE_DEVICES"))
    for number, one in enumerate(visible):
        title = one.title if one.memory is None else f"{one.title}, {one.memory / 2**30:.0f} GiB"
        add(f"cuda:{number}", title, one.details, one.gpu)
    for kind, title in others.accelerators():
        number = sum(device["name"].startswith(kind) for device in found)
        add(kind if kind == "mps" else f"{kind}:{number}", title)
    return found, lacks


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
        ``devices`` (names), ``lacks`` (``device``, ``reason`` and ``remedy`` for each device that is here and that it
        could use in another build), ``reason`` and ``remedy`` (None where nothing is amiss); ``notes``: sentences.
    """
    states = availabilities(backends)
    found, lacks = _devices({name: state for name, (_, state) in states.items()})
    described = [
        {
            "name": name,
            "title": title,
            "installed": state.installed,
            "versions": dict(state.versions),
            "devices": [device["name"] for device in found if name in device["backends"]],
            "lacks": [{"device": one.device, "reason": one.reason, "remedy": one.remedy} for one in lacks[name]],
            "reason": state.reason,
            "remedy": state.remedy,
        }
        for name, (title, state) in states.items()
    ]
    notes = _notes(found, any(lacks.values()))
    return {"machine": machine(), "devices": found, "backends": described, "notes": notes}


def _notes(found: list[dict[str, Any]], mended: bool) -> list[str]:
    gpus, problem = nvidia.find_gpus()
    environ = host().environ
    notes = [f"NVIDIA's driver is here but does not answer: {problem}."] if problem else []
    if nvidia.without_driver():
        notes.append(
            "An NVIDIA GPU is in this machine, and no driver for it: nothing can use it until NVIDIA's driver is "
            f"installed ({nvidia.LEAST_DRIVER[13]} or later runs everything)."
        )
    setting = environ.get("CUDA_VISIBLE_DEVICES")
    seen = [device for device in found if device["name"].startswith("cuda")]
    if gpus and setting is not None and len(seen) < len(gpus):
        notes.append(f"CUDA_VISIBLE_DEVICES={setting!r} shows {len(seen)} of {len(gpus)} GPUs.")
    if len({gpu.name for gpu in gpus}) > 1 and environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
        notes.append("The GPUs differ: set CUDA_DEVICE_ORDER=PCI_BUS_ID, or CUDA may number them in another order.")
    instances = sum(len(gpu.instances) for gpu in gpus)
    if instances > 1:
        notes.append(
            f"The GPUs are divided into {instances} instances (MIG): a program uses one, which "
            "CUDA_VISIBLE_DEVICES=MIG-… chooses (`nvidia-smi -L` lists them)."
        )
    elif any(gpu.divided for gpu in gpus) and not instances:
        notes.append(
            "MIG is on and there is no instance, so that no program can use the GPU: `nvidia-smi mig -cgi` makes one, "
            "`nvidia-smi -mig 0` turns it off."
        )
    if seen and not mended and not any(device["backends"] for device in seen):
        notes.append(f"No installed backend uses the GPU. {lacking.extra_remedy(gpus)}")
    return notes
