"""Worker processes as the user's process sees them: start, ask, watch, end."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

import psutil

from jitmagic.errors import WorkerError
from jitmagic.measure import cgroup, interpreter, layout
from jitmagic.measure.frames import Nothing, frames
from jitmagic.measure.interrupts import held
from jitmagic.measure.messages import Event, send
from jitmagic.measure.threads import IDLE

_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from jitmagic.measure.worker import main; main()"
STEADY_MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(256 << 20)}
"""How glibc's ``malloc`` behaves in every worker; other systems take no notice, and the user's own settings win.

Left alone it raises the first limit to the size of the array last freed, up to 32 MiB, and hands memory back to the
system according to what happens to lie at the end of its heap: of two equal processes one pays for page faults in every
call, and the other for none. Fixed at where it may end up, all variants are timed under the same rules.
"""
_POLL = 0.05
"""Seconds between looks at a busy worker's clock and memory."""
_GRACE = 2.0
"""Seconds that a worker whose pipe has closed may take to end."""


class WorkerCrashed(WorkerError):
    """A worker ended by itself while it worked on a request."""


class WorkerTimedOut(WorkerError):
    """A worker was ended because a request took longer than allowed."""


class WorkerOutOfMemory(WorkerError):
    """A worker was ended because it took more memory than the machine can spare."""


class RequestFailed(WorkerError):
    """A worker could not answer a request; the text is the traceback on its side. This is a bug of ours."""


class WorkerProcess:
    """One worker process.

    Parameters
    ----------
    name : str
        For messages: the backend's name.
    environment : mapping of str to str
        Variables on top of the user's own environment, which itself stays as it is, and of :data:`STEADY_MALLOC`.
    memory_limit : int or None
        Resident bytes at which the worker is ended; default: four fifths of what is available now.
    python : str or None
        The interpreter to run under, where it is another than this process's own.
    """

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        memory_limit: int | None = None,
        python: str | None = None,
    ) -> None:
        self.name = name
        self.python = python
        self.memory_limit = memory_limit if memory_limit is not None else int(available_memory() * 0.8)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in kill(), it lives as long as the process
        root = str(interpreter.PACKAGE.parent)
        inherited = dict(os.environ) if python is None else interpreter.environment(os.environ)
        command = (
            [sys.executable, "-c", _BOOT, root]
            if python is None
            else [python, "-c", interpreter.BOOT, str(interpreter.PACKAGE)]
        )
        flags: dict[str, Any] = (
            {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
            if sys.platform == "win32"
            # its own session: Ctrl-C in a terminal, or an interrupt of the kernel, is for the user's process only
            else {"start_new_session": True}
        )
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**STEADY_MALLOC, **IDLE, **inherited, **environment, **layout.environment()},
            **flags,
        )
        self._ended = False
        janitor().add(self._process.pid)
        self._frames = frames(cast(BinaryIO, self._process.stdout), name)
        self.folders: set[str] = set()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def resident(self) -> int | None:
        """Returns the bytes of memory that it holds; None where it is gone."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss) if self.alive else None
        except psutil.Error:
            return None

    def ask(
        self,
        request: str,
        *,
        timeout: float | None = None,
        notify: Callable[[str], None] | None = None,
        **arguments: Any,
    ) -> Any:
        """Sends a request and waits for its answer.

        Raises
        ------
        WorkerCrashed, WorkerTimedOut, WorkerOutOfMemory
            The worker is gone then.
        RequestFailed
            The worker lives, its answer is an error.
        KeyboardInterrupt
            The worker is ended, since it is still at work.
        """
        with self._ended_by_interrupts():
            self.post(request, **arguments)
            return self.answer(timeout=timeout, notify=notify)

    def post(self, request: str, **arguments: Any) -> None:
        """Sends a request without waiting."""
        with self._ended_by_interrupts():
            try:
                if self._process.stdin is None:
                    raise OSError("the pipe is closed")
                send(cast(BinaryIO, self._process.stdin), (request, arguments))
            except (OSError, ValueError):  # ValueError: closed by a kill
                self._fail()

    def answer(self, *, timeout: float | None = None, notify: Callable[[str], None] | None = None) -> Any:
        """Waits for the answer to what was posted; see :meth:`ask`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._ended_by_interrupts():
            while True:
                try:
                    frame = self._frames.get(timeout=_POLL)
                except Nothing:
                    self._look(deadline, timeout)
                    continue
                if frame is None:
                    self._fail()
                if isinstance(frame, Event):
                    if notify is not None:
                        notify(frame.step)
                    continue
                if frame.error is not None:
                    raise RequestFailed(f"the {self.name} worker could not answer:\n{frame.error}")
                return frame.value

    @contextlib.contextmanager
    def _ended_by_interrupts(self) -> Iterator[None]:
        """Ends the worker where an interrupt (or an error of the caller's) leaves a request without its answer.

        It is still at work then, or holds half a message: the next request would get this one's answer.
        """
        try:
            yield
        except WorkerError:
            raise
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Ends the process at once, with the processes it started, and waits; does nothing to one that has ended."""
        with held():
            if not self._ended:
                self._ended = True
                end_tree(self.pid)
            self._process.wait()
            self._frames.close()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):  # closing flushes what a dead process will not read
                        pipe.close()
            janitor().remove(self.pid)
            with contextlib.suppress(ValueError):  # closed by an earlier kill
                self._log.close()

    def _look(self, deadline: float | None, timeout: float | None) -> None:
        if deadline is not None and time.monotonic() > deadline:
            self.kill()
            raise WorkerTimedOut(f"it did not answer within {timeout:g} s and was ended")
        if not self.alive and not self._frames.come():
            # a process that it forked may hold the pipe open: then no end of file ever comes
            self._fail()
        try:
            used = psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return  # it has just ended
        if used > self.memory_limit:
            self.kill()
            raise WorkerOutOfMemory(
                f"it took {used / 2**30:.1f} GiB of memory, more than the {self.memory_limit / 2**30:.1f} GiB "
                "that this machine can spare, and was ended"
            )

    def _fail(self) -> None:
        try:
            code = self._process.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise WorkerCrashed("it lives, but what it sent was no message: it was ended") from None
        tail = self._tail()
        self.kill()
        raise WorkerCrashed(describe_exit(code) + (f": {tail}" if tail else ""))

    def _tail(self) -> str:
        """Returns the first line of what the process last said of a fatal error."""
        try:
            self._log.seek(0)
        except ValueError:  # it was ended before, and its log with it
            return ""
        text = self._log.read().decode(errors="replace")
        fatal = [line for line in text.splitlines() if line.startswith("Fatal Python error")]
        return fatal[-1].removeprefix("Fatal Python error: ") if fatal else ""


def end_tree(pid: int) -> None:
    """Ends a process that leads a session of its own, and all that it started.

    Libraries compile and compute in processes of their own, which would outlive a worker that is killed.
    """
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # none of them is left
            os.killpg(pid, signal.SIGKILL)
        return
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (*process.children(recursive=True), process):
            with contextlib.suppress(psutil.Error):
                one.kill()


def describe_exit(code: int) -> str:
    """Says in words how a process ended.

    >>> describe_exit(3)
    'it called exit with code 3'
    """
    if code >= 0:
        return f"it called exit with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    words = {
        "SIGSEGV": "a segmentation fault",
        "SIGABRT": "an abort",
        "SIGKILL": "being killed from outside, perhaps for memory",
    }
    return f"it ended by {words.get(name, name)} ({name})"


def available_memory() -> int:
    """Returns the bytes of memory that can still be taken, a container's limit included."""
    free = int(psutil.virtual_memory().available)
    allowed = cgroup.free_memory() if sys.platform == "linux" else None
    return free if allowed is None else min(free, allowed)


class _Janitor:
    """The process that cleans up after this one; started with the first worker."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("janitor.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=sys.platform != "win32",
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def add(self, worker: int) -> None:
        self._say(f"+{worker}")

    def remove(self, worker: int) -> None:
        self._say(f"-{worker}")

    def folder(self, path: str) -> None:
        self._say(f"/{path}")

    def close(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # it was ended from outside
                self._process.stdin.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        if self._process.stdin is None:
            return
        # half a line would spoil the next; without a janitor all works, but for the cleaning after a kill
        with held(), contextlib.suppress(OSError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


_janitor: _Janitor | None = None


def janitor() -> _Janitor:
    """Returns this process's janitor."""
    global _janitor
    if _janitor is None:
        with held():
            _janitor = _Janitor()
            atexit.register(close_janitor)
    return _janitor


def close_janitor() -> None:
    """Ends the janitor, which ends what workers are left."""
    global _janitor
    if _janitor is not None:
        _janitor.close()
        _janitor = None
