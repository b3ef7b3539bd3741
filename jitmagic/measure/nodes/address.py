"""Addresses of other machines, as ``--on`` takes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_EXAMPLES = "write ssh://host, ssh://user@host:22/path/to/bin/python, or a Dask scheduler's tcp://host:8786"
_NAME = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:-]*")


@dataclass(frozen=True)
class Address:
    """Where other machines are.

    Attributes
    ----------
    text : str
        As it was given.
    kind : str
        ``"ssh"`` or ``"dask"``.
    host : str
    port : int or None
    user : str
    python : str
        The interpreter there; ssh only.
    """

    text: str
    kind: str
    host: str
    port: int | None = None
    user: str = ""
    python: str = "python3"


def parse(text: str) -> Address:
    """Reads an address.

    Raises
    ------
    ValueError
        It is none; says how one looks.

    >>> parse("ssh://me@gpu1:2222/opt/env/bin/python").python
    '/opt/env/bin/python'
    >>> parse("tcp://10.0.0.5:8786").kind
    'dask'
    """
    try:
        parts = urlsplit(text)
        port = parts.port
        # `hostname` has small letters only, and ssh's settings tell them apart from capitals
        whole = parts.netloc.rpartition("@")[2]
        host = whole[1:].partition("]")[0] if whole.startswith("[") else whole.partition(":")[0]
    except ValueError as error:
        raise ValueError(f"{text!r} is no address ({error}): {_EXAMPLES}") from None
    user = unquote(parts.username or "")
    if parts.scheme not in ("ssh", "tcp", "tls") or not host or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is no address of another machine: {_EXAMPLES}")
    if parts.password is not None:
        raise ValueError("a password does not belong into an address: set up a key (ssh-copy-id, ssh-agent)")
    # what begins with a hyphen, ssh would take for an option
    if not _NAME.fullmatch(host) or (user and not _NAME.fullmatch(user)):
        raise ValueError(f"{text!r} has an odd host or user: {_EXAMPLES}")
    if parts.scheme != "ssh":
        if port is None or parts.path.strip("/") or user:
            raise ValueError(f"{text!r} is no address of a Dask scheduler: {_EXAMPLES}")
        return Address(text, "dask", host, port)
    python = unquote(parts.path).rstrip("/")
    return Address(text, "ssh", host, port, user, python or "python3")
