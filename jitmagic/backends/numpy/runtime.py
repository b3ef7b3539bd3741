"""Runs plain NumPy source in a worker; the base of the runtimes whose arrays are NumPy's."""

from __future__ import annotations

import linecache
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any


class NumpyRuntime:
    """Loads source with ``exec`` and moves nothing: the host is the device.

    Attributes
    ----------
    synchronous : bool
        A call is complete when it returns, and takes host arrays: there is nothing to wait for or to move.
    """

    synchronous = True

    def start(self, device: str) -> Mapping[str, Any]:
        """Imports NumPy; ValueError for a device other than the CPU."""
        import numpy

        if device != "cpu":
            raise ValueError(f"NumPy runs on the CPU only, not on {device!r}; ask for device 'cpu'")
        return {"versions": {"numpy": numpy.__version__}, "devices": ["cpu"]}

    def load(self, source: str, filename: str, entry: str, namespace: Mapping[str, Any]) -> Callable[..., Any]:
        """Runs source as a module of its own and returns its entry.

        Parameters
        ----------
        source : str
            A draft's complete text.
        filename : str
            What tracebacks name; each draft has its own.
        entry : str
            The name of the callable.
        namespace : mapping
            Values of the names that the source expects (`Draft.needs`).
        """
        # Tracebacks, inspect.getsource, Numba's messages and torch.compile all read the source through
        # linecache; an entry without a modification time is never checked against the disk.
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        # dataclasses, pickle and inspect look a function's module up in sys.modules.
        module = types.ModuleType(f"jitmagic_draft_{abs(hash(filename))}")
        module.__file__ = filename
        module.__dict__.update(namespace)
        sys.modules[module.__name__] = module
        exec(compile(source, filename, "exec"), module.__dict__)
        return module.__dict__[entry]

    def check(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], static: Sequence[str]
    ) -> None:
        """Does nothing: there is nothing to compile."""

    def to_device(self, value: Any) -> Any:
        """Returns the value."""
        return value

    def to_host(self, value: Any) -> Any:
        """Returns the value."""
        return value

    def wait(self, value: Any) -> None:
        """Returns at once: NumPy computes before it returns."""

    def threads(self) -> int | None:
        """Returns the largest thread pool of NumPy's libraries (BLAS), None where threadpoolctl is not installed."""
        try:
            from threadpoolctl import threadpool_info
        except ImportError:
            return None
        return max((pool["num_threads"] for pool in threadpool_info()), default=1)

    def release(self) -> None:
        """Holds nothing to give back."""
