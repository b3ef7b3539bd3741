"""What both sides have to have in common, told and compared before anything of the user's is sent."""

from __future__ import annotations

import functools
import hashlib
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import jitmagic

MARK = "jitmagic-node "
"""Begins the line in which a node says what it is; all before it is what a login shell printed."""

ASK = """
def ask():
    import sys
    told = {"python": list(sys.version_info[:3])}
    try:
        from jitmagic.measure.nodes.about import about
        told.update(about())
    except Exception as error:
        told["error"] = type(error).__name__ + ": " + str(error)
    return told
"""
"""What says what is there; any Python 3 runs it, so that one that is too old can be told of."""

BOOT = f"""{ASK}
import json, sys
told = ask()
sys.stdout.write("\\n{MARK}" + json.dumps(told) + "\\n")
sys.stdout.flush()
if "error" not in told:
    from jitmagic.measure.nodes.serve import main
    main()
"""
"""What starts a node."""


def about() -> dict[str, Any]:
    """Says what this side is."""
    return {
        "python": list(sys.version_info[:3]),
        "jitmagic": jitmagic.__version__,
        "files": files(),
        "numpy": np.__version__,
        "host": platform.node(),
    }


@functools.cache
def files() -> str:
    """Returns a digest of jitmagic's own source: what is sent are its classes, and two states of one version differ."""
    digest = hashlib.blake2b(digest_size=8)
    folder = Path(jitmagic.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def mismatch(there: Mapping[str, Any]) -> str | None:
    """Says what keeps this side and another one from working together, and what mends it; None where nothing does.

    Parameters
    ----------
    there : mapping
        What the other side's :func:`about` said, or what :data:`ASK` said in its place.

    >>> mismatch({"python": [3, 8, 1], "error": "SyntaxError: invalid syntax"}).partition(" and here")[0]
    'it has Python 3.8.1,'
    """
    here = about()
    ours, theirs = here["python"], there["python"]
    if theirs[:2] != ours[:2]:
        wanted = ".".join(map(str, ours[:2]))
        return (
            f"it has Python {'.'.join(map(str, theirs))}, and here is {'.'.join(map(str, ours))}: "
            f"give an interpreter of Python {wanted} there, as ssh://host/path/to/bin/python"
        )
    error = there.get("error")
    if error is not None:
        mend = f'python -m pip install "jitmagic=={here["jitmagic"]}"'
        if "No module named 'jitmagic'" in error:
            return f"jitmagic is not installed there: {mend}"
        return f"its jitmagic cannot be imported ({error}): {mend}"
    if there["jitmagic"] != here["jitmagic"]:
        return (
            f"it has jitmagic {there['jitmagic']}, and here is {here['jitmagic']}: install the same version on both "
            "sides"
        )
    if there["files"] != here["files"]:
        return (
            f"it has another state of jitmagic {there['jitmagic']} than is here (its files differ): install the same "
            "one on both sides"
        )
    if there["numpy"].partition(".")[0] != here["numpy"].partition(".")[0]:
        return f"it has NumPy {there['numpy']}, and here is {here['numpy']}: install one of the same major version"
    return None
