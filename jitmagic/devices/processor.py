"""The CPU: its name, its cores, and the vector instructions that NumPy finds in it."""

from __future__ import annotations

import functools
import importlib
import os
import platform
import re
import sys

import psutil

from jitmagic.devices.host import host

_VECTORS = (
    ("AVX-512", ("X86_V4", "AVX512_SKX")),
    ("AVX2", ("X86_V3", "AVX2")),
    ("AVX", ("AVX",)),
    ("SSE4.2", ("X86_V2", "SSE42")),
    ("SVE", ("SVE",)),
    ("NEON", ("ASIMD", "NEON")),
    ("VSX", ("VSX4", "VSX3", "VSX2", "VSX")),
    ("VXE", ("VXE2", "VXE")),
    ("RVV", ("RVV",)),
    ("LSX", ("LSX",)),
)
"""Names of vector instructions, the widest of each architecture first, and NumPy's names for having them."""


def usable_threads() -> int:
    """Returns how many hardware threads this process may run on (a batch system may give it fewer than there are)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usable_cores() -> int:
    """Returns how many physical cores there are, at most as many as threads that this process may use."""
    threads = usable_threads()
    return min(psutil.cpu_count(logical=False) or threads, threads)


@functools.cache
def processor() -> str:
    """Returns the processor's name, e.g. ``"AMD EPYC 7B13"``; its architecture where the system knows no name."""
    name = {"Linux": _linux_processor, "Darwin": _mac_processor, "Windows": _windows_processor}.get(
        platform.system(), platform.processor
    )()
    name = re.sub(r"\((R|TM|C)\)", "", name, flags=re.IGNORECASE)
    return " ".join(name.split()) or platform.processor() or platform.machine()


def _linux_processor() -> str:
    found = cpuinfo_name(host().text("/proc/cpuinfo") or "")  # some containers have no /proc
    # ARM's cpuinfo holds numbers for names, which lscpu translates.
    return found or next(
        (line.partition(":")[2] for line in host().output(["lscpu"])[0].splitlines() if line.startswith("Model name:")),
        "",
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
    return host().output(["sysctl", "-n", "machdep.cpu.brand_string"])[0].strip()


def _windows_processor() -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0])
    except OSError:
        return platform.processor()


def vector_instructions() -> str | None:
    """Returns the widest vector instructions that NumPy may use here, e.g. ``"AVX2"``; None where it does not tell.

    NumPy asks the processor once when it is imported (what `numpy.show_runtime` prints).
    """
    try:
        extension = importlib.import_module("numpy._core._multiarray_umath")
    except ImportError:  # a private place: another NumPy may have it elsewhere
        return None
    features = getattr(extension, "__cpu_features__", {})
    return widest({name for name, there in features.items() if there})


def widest(features: set[str]) -> str | None:
    """Names the widest vector instructions of a set of NumPy's feature names.

    >>> widest({"SSE2", "AVX2", "X86_V3"}), widest({"NEON", "ASIMD"}), widest(set())
    ('AVX2', 'NEON', None)
    """
    return next((name for name, known in _VECTORS if features.intersection(known)), None)
