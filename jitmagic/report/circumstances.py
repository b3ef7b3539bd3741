"""Under what circumstances a result was measured, and how near it is to the machine's limits: as text for every view.

Every string is clean. ``circumstances.ts`` writes the same from a saved record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jitmagic import figures
from jitmagic.report import clean, rows

NEAR = 0.7
"""Share of a limit from which on little is left to win."""
_SHORTEST = 0.3
"""Seconds below which systems tell nothing of what disturbed them."""
WORTH_SAYING = 0.4
"""Share below which the limit says nothing: what holds the variant back is something else."""


def near(record: rows.Record) -> list[str]:
    """Returns a sentence for each timed variant that is near to a limit of the machine, the fastest first."""
    found = []
    for row in rows.rows(record):
        told = _nearest(record, row.variant) if row.timed else None
        if told is None or told[0] < WORTH_SAYING:
            continue
        share, limit = told
        left = f"by this count about {figures.figure(1 / share)} times its speed is the most there is"
        rest = "little is left to win" if share >= NEAR else left
        found.append(f"{row.label}: {_percent(share)} of {limit}; {rest}.")
    return found


def _nearest(record: rows.Record, variant: Mapping[str, Any]) -> tuple[float, str] | None:
    """Returns the share of the limit that a variant is nearest to, and that limit in words."""
    machine, own = record.get("limits"), variant.get("limits")
    if not machine or not own:
        return None
    found = []
    if own["bandwidth"] is not None and machine["bandwidth"] is not None:
        measured = f"{figures.size(machine['bandwidth'])}/s"
        found.append((own["bandwidth"], f"the memory bandwidth that was measured here ({measured})"))
    if own["rate"] is not None and machine["rate"] is not None:
        measured = f"{figures.figure(machine['rate'] / 1e9)} GFLOP/s"
        found.append((own["rate"], f"the rate of matrix products that was measured here ({measured})"))
    return max(found, key=lambda one: float(one[0]), default=None)


def shares(record: rows.Record, variant: Mapping[str, Any]) -> str:
    """Returns how much of the nearest limit a variant uses, "" where that says nothing."""
    told = _nearest(record, variant)
    return "" if told is None or told[0] < WORTH_SAYING else f"{_percent(told[0])} of {told[1]}"


def facts(record: rows.Record) -> list[tuple[str, str]]:
    """Returns names and texts: what was compared in the function's place, what the machine did meanwhile, and so on."""
    found = []
    if record.get("transform"):
        found += _transformed(record["transform"])
    noise = record["machine"].get("noise")
    if noise:
        found.append(("while the clock ran", _noise(noise)))
    limits = record.get("limits")
    if limits and limits["bandwidth"] is not None:
        threads = figures.plural(limits["threads"], "thread")
        found.append(
            (
                "memory bandwidth",
                f"{figures.size(limits['bandwidth'])}/s read and written, by copying with {threads}; a call moves "
                f"{figures.size(limits['traffic'])} at least",
            )
        )
    if limits and limits["rate"] is not None:
        text = f"{figures.figure(limits['rate'] / 1e9)} GFLOP/s in {limits['dtype']}, by NumPy's own product"
        found.append(("matrix products", clean.line(text)))
    for one in record.get("interpreters") or ():
        versions = ", ".join(f"{name} {version}" for name, version in one["libraries"].items())
        text = f"{one['backend']} ran under {one['path']}: Python {one['python']}, {versions}"
        found.append(("interpreter", clean.line(text)))
    for one in record.get("machines") or ():
        found += _machine(one)
    return found


def _machine(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns names and texts of another machine: what it is, its devices, what it did meanwhile."""
    name = clean.line(one["name"])
    versions = ", ".join(f"{library} {version}" for library, version in one["libraries"].items())
    told = clean.line(f"{one['address']}; {rows.computer(one['machine'])}" + (f"; {versions}" if versions else ""))
    found = [(f"machine {name}", told)]
    found += [(f"device of {name}", rows.device(device)) for device in one["devices"]]
    if one["machine"].get("noise"):
        found.append((f"while the clock ran on {name}", _noise(one["machine"]["noise"])))
    if one.get("lost"):
        found.append((f"loss of {name}", clean.line(one["lost"])))
    return found


def _transformed(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns what was compared in the function's place, and how sure that is."""
    found = [("baseline", clean.line(told["baseline"]))]
    if told["kind"] == "vmap":
        return found
    parts = []
    if told["uncertainty"] is not None:
        sure = figures.figure(told["uncertainty"])
        parts.append(
            f"variants are held against extrapolated differences, which are sure to {sure} of the largest entry"
        )
    if told["baseline_error"] is not None:
        parts.append(f"the baseline itself is off by {figures.figure(told['baseline_error'])}")
    if told["undecided"]:
        parts.append(f"of {told['entries']} entries {told['undecided']} cannot be checked, so that nothing is verified")
    found.append(("derivative", clean.line("; ".join(parts))))
    found += [("in doubt", clean.line(doubt)) for doubt in told["doubts"]]
    return found


def _noise(noise: Mapping[str, Any]) -> str:
    parts = []
    if noise["others"] is not None:
        parts.append(f"other processes kept {figures.figure(noise['others'])} of {noise['cpus']} CPUs busy")
    if noise["steal"] is not None:
        parts.append(f"the hypervisor took {figures.figure(100 * noise['steal'])} % for other machines")
    if noise["cpu_limit"] is not None:
        parts.append(f"a limit of {figures.figure(noise['cpu_limit'])} CPUs")
    if noise["throttled"]:
        parts.append(f"held back by it for {figures.duration(noise['throttled'])}")
    if noise["frequency"] is not None:
        parts.append(f"the CPUs ran at {figures.figure(noise['frequency']['after'] / 1e9)} GHz")
    if noise["governor"]:
        parts.append(f"governor {noise['governor']}")
    if noise["heat"]:
        parts.append(f"slowed down for heat {figures.plural(noise['heat'], 'time')}")
    if noise["battery"] is not None:
        parts.append(f"on battery, {_percent(noise['battery'])} left")
    for gpu in noise["gpus"]:
        at = "" if gpu["clock_after"] is None else f" at {figures.figure(gpu['clock_after'] / 1e9)} GHz"
        parts.append(f"{gpu['name']}{at}" + "".join(f", {words}" for words in gpu["slowed"]))
    nothing = "too short to tell of" if noise["seconds"] < _SHORTEST else "this system tells nothing"
    return clean.line(f"{figures.duration(noise['seconds'])}: {'; '.join(parts) or nothing}")


def _percent(share: float) -> str:
    # as JavaScript rounds, so that the two views write the same
    return f"{int(100 * share + 0.5)} %"
