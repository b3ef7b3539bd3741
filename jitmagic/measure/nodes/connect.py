"""From addresses to nodes."""

from __future__ import annotations

from collections.abc import Container

from jitmagic.measure.nodes import address as addresses
from jitmagic.measure.nodes.client import Node


def connect(text: str, taken: Container[str]) -> list[Node]:
    """Starts nodes on the machines of an address.

    Parameters
    ----------
    text : str
    taken : container of str
        Names that other nodes have.

    Raises
    ------
    NodeError
        A machine cannot be reached or used; says why, and what to do.
    ValueError
        It is no address.
    """
    address = addresses.parse(text)
    given: set[str] = set()

    def named(host: str) -> str:
        # what stands behind a slash is the device
        name = plain = host.replace("/", "-") or address.host
        number = 2
        while name in taken or name in given:
            name, number = f"{plain}-{number}", number + 1
        given.add(name)
        return name

    if address.kind == "ssh":
        from jitmagic.measure.nodes import ssh

        return [ssh.connect(address, named(address.host))]
    from jitmagic.measure.nodes import dask

    return dask.connect(address, named)
