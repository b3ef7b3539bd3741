"""Runs CuPy drafts in a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jitmagic.backends.device_caches import emptier
from jitmagic.backends.events import Events
from jitmagic.backends.numpy.runtime import NumpyRuntime


class CupyRuntime(NumpyRuntime):
    """Keeps arrays on one NVIDIA GPU."""

    synchronous = False

    def start(self, device: str) -> Mapping[str, Any]:
        """Imports CuPy and picks the device; RuntimeError with the reason where there is none.

        Parameters
        ----------
        device : str
            ``"cuda:0"``, ``"cuda:1"``, ….
        """
        import cupy

        if not cupy.is_available():  # getDeviceCount raises without a GPU: is_available asks safely
            raise RuntimeError("CuPy finds no NVIDIA GPU here: see `jitmagic devices`")
        number = int(device.partition(":")[2] or 0)
        count = cupy.cuda.runtime.getDeviceCount()
        if number >= count:
            raise RuntimeError(f"there is no {device}: CuPy finds {count} GPU(s), cuda:0 to cuda:{count - 1}")
        cupy.cuda.Device(number).use()
        self._cupy = cupy
        title = cupy.cuda.runtime.getDeviceProperties(number)["name"]
        versions = {
            "numpy": np.__version__,
            "cupy": cupy.__version__,
            "cuda-runtime": str(cupy.cuda.runtime.runtimeGetVersion()),
            "cuda-driver": str(cupy.cuda.runtime.driverGetVersion()),
        }
        names = [title.decode() if isinstance(title, bytes) else str(title)]
        return {"versions": versions, "devices": names, "empties_caches": True}

    def to_device(self, value: Any) -> Any:
        """Copies every NumPy array in a nested value to the GPU, and waits."""
        moved = mapped(value, lambda v: self._cupy.asarray(v) if isinstance(v, np.ndarray) else v)
        self._cupy.cuda.get_current_stream().synchronize()
        return moved

    def to_host(self, value: Any) -> Any:
        """Copies every CuPy array in a nested value to NumPy; an array without axes becomes a NumPy scalar."""
        return mapped(value, self._fetched)

    def _fetched(self, value: Any) -> Any:
        if not isinstance(value, self._cupy.ndarray):
            return value
        host = self._cupy.asnumpy(value)
        return host[()] if host.ndim == 0 else host

    def wait(self, value: Any) -> None:
        """Waits for the current stream."""
        self._cupy.cuda.get_current_stream().synchronize()

    def threads(self) -> int | None:
        """Returns None: the work is not done by CPU threads."""
        return None

    def device_meter(self) -> Any:
        """Returns what measures the GPU's memory."""
        return _device_peak(self._cupy.cuda.MemoryHook)

    def device_clock(self) -> Events:
        """Returns the GPU's clock."""
        cuda = self._cupy.cuda

        def mark() -> Any:
            event = cuda.Event()
            event.record()
            return event

        return Events(mark, cuda.get_elapsed_time)

    def cache_emptier(self) -> Callable[[], None]:
        """Returns what empties the GPU's shared cache."""
        cupy = self._cupy

        def write(lines: Any) -> Any:
            lines += 1
            self.wait(lines)
            return lines

        cache = cupy.cuda.Device().attributes.get("L2CacheSize")
        return emptier(cache, lambda count: cupy.zeros(count, cupy.float32), write)

    def release(self) -> None:
        """Gives the memory pools' free blocks back to the GPU and to the host."""
        self._cupy.get_default_memory_pool().free_all_blocks()
        self._cupy.get_default_pinned_memory_pool().free_all_blocks()


def _device_peak(base: type) -> Any:
    """Returns a hook of CuPy's that follows what its pool hands out, and so knows the peak (in bytes).

    Parameters
    ----------
    base : type
        ``cupy.cuda.MemoryHook``: it is a context manager, and is told of each block (cupy.cuda.memory_hook).
    """

    class Peak(base):
        name = "jitmagic's peak"

        def __init__(self) -> None:
            self.peak = 0
            self._held = 0

        def malloc_postprocess(self, **block: Any) -> None:
            self._held += block["mem_size"]
            self.peak = max(self.peak, self._held)

        def free_postprocess(self, **block: Any) -> None:
            self._held -= block["mem_size"]

    return Peak()


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Applies a function to the leaves of nested tuples, lists and dicts."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(item, change) for item in value))
    if isinstance(value, tuple | list):
        return type(value)(mapped(item, change) for item in value)
    if isinstance(value, dict):
        return {key: mapped(item, change) for key, item in value.items()}
    return change(value)
