"""What a worker asks of PyTorch: the only file of this folder that imports torch."""

from __future__ import annotations

import linecache
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jitmagic.backends.device_caches import emptier
from jitmagic.backends.events import Events


class TorchRuntime:
    """Runs torch sources on one device."""

    def __init__(self) -> None:
        self.torch: Any = None
        self.device: Any = None
        self._built_before: frozenset[str] = frozenset()

    def start(self, device: str) -> Mapping[str, Any]:
        """Imports torch for a device (``"cpu"``, ``"cuda:0"``, ``"mps"``).

        Returns
        -------
        mapping
            ``versions``; ``devices``; ``cache``, the folder in which torch.compile keeps what it built, and
            ``cache_filled``, whether something lay in it at the start (so that a build is warm).
        """
        import torch

        self.torch = torch
        self.device = torch.device(device)
        cache = _cache_folder()
        devices = ["cpu"]
        if torch.cuda.is_available():
            devices += [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            devices.append("mps")
        if self.device.type not in {name.split(":")[0] for name in devices}:
            raise RuntimeError(f"torch {torch.__version__} sees no device {device!r}; it sees {', '.join(devices)}")
        if self.device.type != "cpu":
            # a source with no array argument makes its tensors where torch is told to
            torch.set_default_device(self.device)
        return {
            "versions": {"torch": torch.__version__},
            "devices": devices,
            "cache": cache,
            "cache_filled": os.path.isdir(cache) and bool(os.listdir(cache)),
            "empties_caches": self.device.type == "cuda",
        }

    def build_cache(self) -> str:
        """Tells of the last build: "cold" where torch.compile wrote new files, else "warm": it found them on disk."""
        return "cold" if _built() - self._built_before else "warm"

    def accepts_host(self, mode: str) -> bool:
        """Tells whether a mode's entry takes NumPy arrays as they are: the worker then leaves ``to_device`` out."""
        return mode == "numpy"

    def load(self, source: str, filename: str, entry: str, namespace: Mapping[str, Any]) -> Callable[..., Any]:
        """Runs a source in a new namespace and returns its entry; tracebacks find its lines."""
        self._built_before = _built()
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        scope: dict[str, Any] = {"__name__": "jitmagic_torch_variant", **namespace}
        exec(compile(source, filename, "exec", dont_inherit=True), scope)
        return scope[entry]

    def check(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], static: Sequence[str]
    ) -> None:
        """Does nothing: torch has no cheap check; the first call is the check."""

    def to_device(self, value: Any) -> Any:
        """Turns every array and NumPy scalar in a nested value into a tensor on the device.

        On the CPU the tensor shares the array's memory where torch can.

        Raises
        ------
        TypeError
            For a dtype that torch does not have.
        """
        moved = self._map(value, (np.ndarray, np.generic), self._tensor)
        self.wait(moved)
        return moved

    def to_host(self, value: Any) -> Any:
        """Turns every tensor into a NumPy array, one without axes into a NumPy scalar."""
        return self._map(value, (self.torch.Tensor, np.ndarray), self._host)

    def wait(self, value: Any) -> None:
        """Returns when the device has done all that was asked."""
        if self.device.type == "cuda":
            self.torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            self.torch.mps.synchronize()

    def threads(self) -> int | None:
        """Returns how many CPU threads torch uses within one operation."""
        return int(self.torch.get_num_threads())

    def device_meter(self) -> DevicePeak | None:
        """Returns what measures the memory of an NVIDIA GPU; None for other devices."""
        return DevicePeak(self.torch.cuda, self.device) if self.device.type == "cuda" else None

    def device_clock(self) -> Events | None:
        """Returns the clock of an NVIDIA GPU; None for other devices."""
        if self.device.type != "cuda":
            return None
        stream = self.torch.cuda.current_stream(self.device)
        return Events(
            lambda: stream.record_event(self.torch.cuda.Event(enable_timing=True)),
            lambda first, last: first.elapsed_time(last),
        )

    def cache_emptier(self) -> Callable[[], None]:
        """Returns what empties an NVIDIA GPU's shared cache."""
        torch = self.torch

        def write(lines: Any) -> Any:
            lines.add_(1)
            self.wait(lines)
            return lines

        cache = getattr(torch.cuda.get_device_properties(self.device), "L2_cache_size", None)
        return emptier(cache, lambda count: torch.zeros(count, dtype=torch.float32, device=self.device), write)

    def release(self) -> None:
        """Gives back compiled functions and cached device memory."""
        if "torch._dynamo" in sys.modules:
            self.torch._dynamo.reset()
        if self.device.type == "cuda":
            self.torch.cuda.empty_cache()
        elif self.device.type == "mps":
            self.torch.mps.empty_cache()

    def _tensor(self, array: Any) -> Any:
        try:
            array = np.asarray(array)
            if not array.flags.writeable or any(stride < 0 for stride in array.strides):
                # torch takes neither; any other array is shared, as a user of `from_numpy` would: the worker's
                # arguments are its own
                array = array.copy(order="C")
            return self.torch.from_numpy(array).to(self.device)
        except TypeError as error:
            raise TypeError(f"torch has no dtype for an array of {array.dtype}: convert it first") from error

    def _host(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value[()] if value.ndim == 0 else value
        array = value.detach().resolve_conj().resolve_neg().cpu().numpy()
        return array[()] if array.ndim == 0 else array

    def _map(self, value: Any, kinds: tuple[type, ...], move: Callable[[Any], Any]) -> Any:
        if isinstance(value, kinds):
            return move(value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(self._map(v, kinds, move) for v in value))
        if isinstance(value, tuple) and type(value).__module__.startswith("torch"):
            return tuple(self._map(v, kinds, move) for v in value)
        if type(value) in (tuple, list):
            return type(value)(self._map(v, kinds, move) for v in value)
        if type(value) is dict:
            return {k: self._map(v, kinds, move) for k, v in value.items()}
        return value


class DevicePeak:
    """The peak of torch's own allocator on one NVIDIA GPU (``torch.cuda.max_memory_allocated``), in bytes."""

    def __init__(self, cuda: Any, device: Any) -> None:
        self.peak: int | None = None
        self._cuda, self._device = cuda, device
        self._before = 0

    def __enter__(self) -> DevicePeak:
        self._cuda.synchronize(self._device)
        self._cuda.reset_peak_memory_stats(self._device)
        self._before = self._cuda.memory_allocated(self._device)
        return self

    def __exit__(self, *error: Any) -> None:
        self._cuda.synchronize(self._device)
        self.peak = max(int(self._cuda.max_memory_allocated(self._device)) - self._before, 0)


def _cache_folder() -> str:
    """Returns where torch.compile keeps what it built (TORCHINDUCTOR_CACHE_DIR, else a user's temporary folder)."""
    given = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    if given:
        return given
    import getpass

    return os.path.join(tempfile.gettempdir(), f"torchinductor_{getpass.getuser()}")


def _built() -> frozenset[str]:
    """Lists the compiled files in torch.compile's folder."""
    return frozenset(
        os.path.join(folder, name)
        for folder, _, names in os.walk(_cache_folder())
        for name in names
        if name.endswith((".so", ".dylib", ".pyd", ".dll", ".cubin"))
    )
