"""Names of devices with the machine that has them: ``"cuda:0"`` here, ``"gpu1/cuda:0"`` on the node ``gpu1``."""

from __future__ import annotations


def node_of(place: str) -> str:
    """Returns the node of a place, "" for this machine.

    >>> node_of("gpu1/cuda:0"), node_of("cpu")
    ('gpu1', '')
    """
    return place.rpartition("/")[0]


def device_of(place: str) -> str:
    """Returns the device as its own machine calls it.

    >>> device_of("gpu1/cuda:0"), device_of("cpu")
    ('cuda:0', 'cpu')
    """
    return place.rpartition("/")[2]


def kind_of(place: str) -> str:
    """Returns the kind of a place's device.

    >>> kind_of("gpu1/cuda:0")
    'cuda'
    """
    return device_of(place).partition(":")[0]


def at(node: str, device: str) -> str:
    """Returns the place of a device on a node.

    >>> at("gpu1", "cpu"), at("", "cpu")
    ('gpu1/cpu', 'cpu')
    """
    return f"{node}/{device}" if node else device
