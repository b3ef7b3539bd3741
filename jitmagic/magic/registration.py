"""Makes the magics known to an IPython shell, and takes them away.

``%load_ext jitmagic`` imports nothing heavy: the steps are imported at the first comparison.
"""

from __future__ import annotations

import sys
from typing import Any

from jitmagic.magic.completion import complete
from jitmagic.magic.magics import JitMagic

COMMANDS = ("%%jitcompare", "%jitcompare")

_LINT = (("line", "jitlint"), ("cell", "jitlint"))


def register(shell: Any) -> None:
    """Registers the magics and the completion of their options with an IPython shell; prints nothing."""
    unregister(shell)
    magics = JitMagic(shell)
    shell.register_magics(magics)
    for command in COMMANDS:
        shell.set_hook("complete_command", complete, str_key=command)


def unregister(shell: Any) -> None:
    """Takes the magics away and ends the worker processes, if a comparison ever ran."""
    manager = shell.magics_manager
    for kind, name in (("line", "jitcompare"), ("cell", "jitcompare"), ("line", "jitdevices"), *_LINT):
        manager.magics[kind].pop(name, None)
    manager.registry.pop(JitMagic.__name__, None)
    # `%reload_ext` imports this file anew, so the old instance is of another class of the same name.
    shell.configurables[:] = [item for item in shell.configurables if type(item).__name__ != JitMagic.__name__]
    dispatch = shell.strdispatchers.get("complete_command")
    if dispatch is not None:
        for command in COMMANDS:
            dispatch.strs.pop(command, None)
    comparison = sys.modules.get("jitmagic.comparison")
    if comparison is not None:
        comparison.shutdown()
