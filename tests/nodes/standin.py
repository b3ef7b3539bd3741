"""A stand-in for the command ``ssh``: it runs what it is asked for here, in a session of its own, and passes bytes on.

Killed, it is a connection that broke; stopped, one that hangs. What it was sent is kept in a file.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_SCRIPT = '''#!{python}
import os, subprocess, sys, threading

arguments = sys.argv[1:]
target = arguments[arguments.index("--") + 1]
command = " ".join(arguments[arguments.index("--") + 2:])
folder = os.environ["STANDIN"]
if target == "nowhere":
    sys.exit("ssh: connect to host nowhere port 22: Connection refused")
environment = dict(os.environ, PYTHONPATH=os.environ["FAR_PYTHONPATH"], FAR="1")
child = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         start_new_session=True, cwd="/", env=environment)
with open(os.path.join(folder, "pids"), "a") as log:
    log.write(f"{{os.getpid()}} {{child.pid}}\\n")


def pump(source, sink, seen=None):
    while data := os.read(source, 1 << 16):
        if seen is not None:
            seen.write(data)
            seen.flush()
        try:
            os.write(sink, data)
        except OSError:
            break
    os.close(sink)


there = threading.Thread(target=pump, args=(0, child.stdin.fileno(), open(os.path.join(folder, "sent"), "ab")))
there.daemon = True
there.start()
pump(child.stdout.fileno(), 1)
sys.exit(child.wait())
'''


class StandIn:
    """The stand-in on the PATH, and what it did.

    Attributes
    ----------
    address : str
        Of a machine that runs this very Python.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"ssh://gpu1{sys.executable}"

    @property
    def last(self) -> tuple[psutil.Process, psutil.Process]:
        """The command itself and the node that it started, the newest."""
        ssh, node = (self.folder / "pids").read_text().split("\n")[-2].split()
        return psutil.Process(int(ssh)), psutil.Process(int(node))

    def sent(self) -> bytes:
        """Returns what went to the other side."""
        path = self.folder / "sent"
        return path.read_bytes() if path.exists() else b""

    def living(self) -> list[int]:
        """Returns the numbers of the commands and nodes that still run, with all that they started."""
        path = self.folder / "pids"
        known = [int(one) for one in path.read_text().split()] if path.exists() else []
        found = []
        for one in psutil.process_iter(["pid", "status", "environ"]):
            environ = one.info["environ"] or {}
            marked = environ.get("STANDIN") == str(self.folder) and "FAR" in environ
            if (one.pid in known or marked) and one.info["status"] != psutil.STATUS_ZOMBIE and one.pid != os.getpid():
                found.append(one.pid)
        return found


@contextmanager
def standing_in(folder: Path, monkeypatch, root: Path) -> Iterator[StandIn]:
    """Puts the stand-in on the PATH."""
    (folder / "bin").mkdir()
    ssh = folder / "bin" / "ssh"
    ssh.write_text(_SCRIPT.format(python=sys.executable))
    ssh.chmod(ssh.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("STANDIN", str(folder))
    monkeypatch.setenv("FAR_PYTHONPATH", str(root))
    yield StandIn(folder)
