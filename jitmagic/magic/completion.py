"""Completes the line of the magics: options and their values, and functions where the call begins."""

from __future__ import annotations

import inspect
from typing import Any

from IPython.core.error import TryNext

from jitmagic.magic.options import OPTIONS, Option, scan


def complete(shell: Any, event: Any) -> list[str]:
    """Completes the line of the magics: options, backends, devices, and functions where the call begins.

    Within the call, IPython's own completers know better.
    """
    typed = event.text_until_cursor.lstrip()
    typed = typed[len(event.command) :]
    if not typed:
        raise TryNext
    found = scan(typed)
    flags = [flag for option in OPTIONS for flag in option.flags]
    if found.ends_in == "option":
        return flags
    if found.ends_in == "value" and found.pending is not None:
        return _values(found.pending)
    if found.ends_in == "space":
        return _functions(shell) + flags
    if typed[found.rest :] == event.symbol:
        return _functions(shell)
    raise TryNext


def _values(option: Option) -> list[str]:
    if option.name == "backends":
        return _backends()
    if option.name == "devices":
        from jitmagic.devices import devices

        return [device["name"] for device in devices()]
    if option.value == "python":
        return [f"{backend}=" for backend in _backends()]
    if option.choices:
        return list(option.choices)
    raise TryNext


def _backends() -> list[str]:
    from jitmagic.backends import all_backends

    return [backend for backend in all_backends() if backend != "numpy"]


def _functions(shell: Any) -> list[str]:
    """Lists the user's functions, also those that a compiler's decorator wraps."""
    hidden = shell.user_ns_hidden
    return sorted(
        name
        for name, value in shell.user_ns.items()
        if not name.startswith("_")
        and name not in hidden
        and (inspect.isfunction(value) or inspect.isfunction(getattr(value, "__wrapped__", None)))
    )
