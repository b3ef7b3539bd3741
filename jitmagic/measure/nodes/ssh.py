"""Nodes over ssh: the user's own command with the user's own keys and settings; nothing else is opened."""

from __future__ import annotations

import shlex
import shutil

from jitmagic.errors import NodeError
from jitmagic.measure.nodes.about import BOOT, mismatch
from jitmagic.measure.nodes.address import Address
from jitmagic.measure.nodes.channel import PipeChannel
from jitmagic.measure.nodes.client import Node

_OPTIONS = (
    "-T",
    # no password is asked for: the standard input is the node's
    "-o", "BatchMode=yes",
    "-o", "ConnectTimeout=15",
    # a way that is gone without a word ends after a quarter of a minute
    "-o", "ServerAliveInterval=5",
    "-o", "ServerAliveCountMax=3",
)  # fmt: skip


def connect(address: Address, name: str) -> Node:
    """Starts a node on the machine of an address.

    Raises
    ------
    NodeError
        It cannot be reached, or has another Python, jitmagic or NumPy: nothing of the user's was sent then.
    """
    ssh = shutil.which("ssh")
    if ssh is None:
        raise NodeError(f"{address.text} needs the command ssh, and there is none on the PATH: install OpenSSH")
    target = f"{address.user}@{address.host}" if address.user else address.host
    port = ["-p", str(address.port)] if address.port is not None else []
    command = [ssh, *_OPTIONS, *port, "--", target, f"exec {shlex.quote(address.python)} -c {shlex.quote(BOOT)}"]
    channel = PipeChannel(command)
    try:
        told = channel.hello()
    except (EOFError, ValueError, OSError) as error:
        channel.close()
        said = channel.last_words() or str(error) or "nothing was said"
        raise NodeError(
            f"{address.text} could not be reached: {said}. Try `ssh {target} {address.python} --version`, which has to "
            "work without a password"
        ) from error
    except BaseException:
        channel.close()
        raise
    problem = mismatch(told)
    if problem is not None:
        channel.close()
        raise NodeError(f"{address.text} cannot be used: {problem}. Nothing was sent.")
    return Node(name, address.text, channel, told)
