"""On which devices a backend's variants are run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jitmagic.backends.protocol import Availability, Backend
from jitmagic.measure.nodes.place import device_of, kind_of, node_of

RUN_ON = ("cpu", "cuda", "tpu", "mps")
"""Kinds of device that variants are run on. Others are found and listed only."""


def places(
    backend: str, state: Availability, found: Iterable[Mapping[str, Any]], asked: Sequence[str] | None
) -> list[str]:
    """Returns the names of the devices that a backend's variants are for, the CPU first.

    Without a wish these are the CPU and the first device of each other kind that is here and that it can use; where
    there is none at all, the first of the kind that it is made for: its source is shown for a machine that has one.

    Parameters
    ----------
    backend : str
        Its name.
    state : Availability
    found : iterable of mapping
        The devices that are here, as in the record.
    asked : sequence of str or None
        As in ``Options.devices``.

    >>> gpu = {"name": "cuda:0", "backends": ["jax", "cupy"]}
    >>> places("jax", Availability(True, kinds=("cpu", "cuda")), [{"name": "cpu", "backends": ["jax"]}, gpu], None)
    ['cpu', 'cuda:0']
    >>> places("cupy", Availability(False, kinds=("cuda",)), [], None)
    ['cuda:0']
    """
    kinds = [kind for kind in RUN_ON if kind in state.kinds]
    if asked is not None:
        return [one for one in asked if one.partition(":")[0] in kinds]
    chosen = ["cpu"] if "cpu" in kinds else []
    for kind in kinds:
        able = (one["name"] for one in found if backend in one["backends"] and one["name"].partition(":")[0] == kind)
        if kind != "cpu" and (first := next(able, None)) is not None:
            chosen.append(first)
    return chosen or [f"{kinds[0]}:0" if kinds[0] != "mps" else "mps"]


def runs(backend: Backend, mode: str, device: str) -> bool:
    """Says whether a variant of this mode is made for a device: all are, but where their backend says otherwise."""
    told = getattr(backend, "runs_on", None)
    return told is None or bool(told(mode, kind_of(device)))


def several(backend: Backend, place: str, found: Sequence[Mapping[str, Any]]) -> int:
    """Returns how many devices a backend can use together at a place: those of its kind, for the first of them.

    Parameters
    ----------
    found : sequence of mapping
        The devices of the place's machine.
    """
    told, kind = getattr(backend, "devices", None), kind_of(place)
    if told is None or device_of(place) not in (kind, f"{kind}:0"):
        return 1
    return int(told(kind, sum(one["name"].partition(":")[0] == kind for one in found)))


def named(variant: str, device: str, several: bool) -> str:
    """Returns the name of a variant on a device: where it is for several, that on another than the CPU bears it.

    On another machine it bears that one's name always.

    >>> named("jax", "gpu1/cuda:0", True), named("jax", "gpu1/cpu", True)
    ('jax@gpu1/cuda:0', 'jax@gpu1')
    >>> named("jax", "cuda:0", True), named("jax", "cpu", True), named("cupy", "cuda:0", False)
    ('jax@cuda:0', 'jax', 'cupy')
    """
    node, own = node_of(device), device_of(device)
    if node:
        return f"{variant}@{node}" if own == "cpu" or not several else f"{variant}@{device}"
    return f"{variant}@{device}" if several and device != "cpu" else variant
