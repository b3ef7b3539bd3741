"""Runs kernels in a worker. The only file of this folder that imports Numba or CUDA Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jitmagic.backends.cupy.runtime import mapped
from jitmagic.backends.events import Events
from jitmagic.backends.numpy.runtime import NumpyRuntime


class NumbaCudaRuntime(NumpyRuntime):
    """Keeps arrays on one NVIDIA GPU, as Numba's device arrays."""

    synchronous = False

    def start(self, device: str) -> Mapping[str, Any]:
        """Imports Numba and takes the device; RuntimeError with the reason where there is none.

        Parameters
        ----------
        device : str
            ``"cuda:0"``, ``"cuda:1"``, ….
        """
        import numba
        from numba import cuda
        from numba.core import config

        if config.ENABLE_CUDASIM:
            # the simulator says that it is a GPU: what ran in it was on the CPU, and no time of it may be shown
            raise RuntimeError(
                "NUMBA_ENABLE_CUDASIM is set, so that kernels would run in Numba's simulator and not on a GPU: unset it"
            )
        if not cuda.is_available():
            raise RuntimeError("Numba finds no NVIDIA GPU here: see `jitmagic devices`")
        number = int(device.partition(":")[2] or 0)
        count = len(cuda.gpus)
        if number >= count:
            raise RuntimeError(f"there is no {device}: Numba finds {count} GPU(s), cuda:0 to cuda:{count - 1}")
        cuda.select_device(number)
        self._cuda = cuda
        name = cuda.get_current_device().name
        versions = {"numpy": np.__version__, "numba": numba.__version__}
        own = getattr(cuda, "__version__", None)
        if own is not None:
            versions["numba-cuda"] = str(own)
        return {"versions": versions, "devices": [name.decode() if isinstance(name, bytes) else str(name)]}

    def to_device(self, value: Any) -> Any:
        """Copies every NumPy array in a nested value to the GPU, and waits."""
        moved = mapped(value, self._moved)
        self._cuda.synchronize()
        return moved

    def _moved(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.ndim == 0:
            return value
        return self._cuda.to_device(np.ascontiguousarray(value))

    def to_host(self, value: Any) -> Any:
        """Copies every array of the GPU in a nested value to NumPy."""
        return mapped(value, lambda one: one.copy_to_host() if hasattr(one, "copy_to_host") else one)

    def wait(self, value: Any) -> None:
        """Waits for all that the GPU was asked for."""
        self._cuda.synchronize()

    def threads(self) -> int | None:
        """Returns None: the work is not done by CPU threads."""
        return None

    def device_clock(self) -> Events:
        """Returns the GPU's clock."""

        def mark() -> Any:
            event = self._cuda.event(timing=True)
            event.record()
            return event

        return Events(mark, self._cuda.event_elapsed_time)

    def check(self, function: Callable[..., Any], args: Any, kwargs: Mapping[str, Any], static: Any) -> None:
        """Does nothing: kernels are compiled at their first launch."""

    def release(self) -> None:
        """Gives back the memory of arrays that are no longer used, which Numba frees in batches."""
        pending = getattr(self._cuda.current_context(), "deallocations", None) or getattr(
            self._cuda.current_context().memory_manager, "deallocations", None
        )
        if pending is not None:
            pending.clear()


class CudaPythonRuntime(NumpyRuntime):
    """Keeps arrays on one NVIDIA GPU, in memory that `cuda.core` allocates."""

    synchronous = False

    def start(self, device: str) -> Mapping[str, Any]:
        """Imports CUDA Python and takes the device; RuntimeError with the reason where there is none.

        Parameters
        ----------
        device : str
            ``"cuda:0"``, ``"cuda:1"``, ….
        """
        import cuda.bindings
        import cuda.core
        from cuda.bindings import runtime

        self._runtime = runtime
        error, count = runtime.cudaGetDeviceCount()
        if error != runtime.cudaError_t.cudaSuccess or not count:
            raise RuntimeError(f"CUDA Python finds no NVIDIA GPU here ({error}): see `jitmagic devices`")
        number = int(device.partition(":")[2] or 0)
        if number >= count:
            raise RuntimeError(f"there is no {device}: CUDA Python finds {count} GPU(s), cuda:0 to cuda:{count - 1}")
        taken = cuda.core.Device(number)
        taken.set_current()
        self._device = taken
        versions = {
            "numpy": np.__version__,
            "cuda-core": str(cuda.core.__version__),
            "cuda-bindings": str(cuda.bindings.__version__),
        }
        return {"versions": versions, "devices": [str(taken.name)]}

    def to_device(self, value: Any) -> Any:
        """Copies every NumPy array in a nested value to the GPU, and waits."""
        return mapped(value, self._moved)

    def _moved(self, value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.ndim == 0:
            return value
        host = np.ascontiguousarray(value)
        buffer = self._device.allocate(max(host.nbytes, 1), stream=self._device.default_stream)
        self._device.sync()
        self._copied(int(buffer.handle), host.ctypes.data, host.nbytes, "cudaMemcpyHostToDevice")
        return Resident(host.shape, host.dtype, buffer)

    def _copied(self, to: int, source: int, size: int, kind: str) -> None:
        (error,) = self._runtime.cudaMemcpy(to, source, size, getattr(self._runtime.cudaMemcpyKind, kind))
        if error != self._runtime.cudaError_t.cudaSuccess:
            raise RuntimeError(f"copying {size} bytes between host and GPU failed: {error}")

    def to_host(self, value: Any) -> Any:
        """Copies every array of the GPU in a nested value to NumPy."""
        return mapped(value, self._fetched)

    def _fetched(self, value: Any) -> Any:
        if isinstance(value, Resident):
            host = np.empty(value.shape, value.dtype)
            self._copied(host.ctypes.data, int(value.buffer.handle), host.nbytes, "cudaMemcpyDeviceToHost")
            return host
        return value.copy_to_host() if hasattr(value, "copy_to_host") else value

    def wait(self, value: Any) -> None:
        """Waits for all that the GPU was asked for."""
        self._device.sync()

    def device_clock(self) -> Events:
        """Returns the GPU's clock, which is asked in the default stream: there the kernels are launched."""
        return Events(self._marked, lambda first, last: self._answer(self._runtime.cudaEventElapsedTime(first, last)))

    def _marked(self) -> Any:
        event = self._answer(self._runtime.cudaEventCreate())
        self._answer(self._runtime.cudaEventRecord(event, 0))
        return event

    def _answer(self, answered: tuple[Any, ...]) -> Any:
        """Returns what a call of CUDA gave back beside its error, which is raised."""
        error, *value = answered
        if error != self._runtime.cudaError_t.cudaSuccess:
            raise RuntimeError(f"the GPU's clock could not be read: {error}")
        return value[0] if value else None

    def threads(self) -> int | None:
        """Returns None: the work is not done by CPU threads."""
        return None


class Resident:
    """An argument in the GPU's memory, in C order, as other libraries take it (`__cuda_array_interface__`)."""

    def __init__(self, shape: tuple[int, ...], dtype: Any, buffer: Any) -> None:
        self.shape, self.dtype, self.buffer = shape, np.dtype(dtype), buffer

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (int(self.buffer.handle), False),
            "strides": None,
            "version": 3,
        }
