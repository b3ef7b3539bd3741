"""JAX in its worker process: devices, loading, tracing without computing, and the way of arrays to and fro."""

from __future__ import annotations

import gc
import linecache
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jitmagic.backends.device_caches import emptier

MOST_EQUATIONS = 20_000
"""A trace with more equations than this compiles for minutes: its loops were written out."""


_SENT = re.compile(r"\b(all-gather|all-to-all|collective-permute|reduce-scatter)\b")
"""What XLA calls it when devices send parts of arrays to each other; joining sums (``all-reduce``) is none of them."""


class TooManyEquations(Exception):
    """A traced function has more equations than can be compiled in sensible time."""


class RowsSent(Exception):
    """The rows of a function that lie on several devices would be sent between them."""


class JaxRuntime:
    """What a worker asks of JAX. JAX is imported by :meth:`start`."""

    def __init__(self) -> None:
        self._jax: Any = None
        self._device: Any = None
        self._devices: list[Any] = []
        self._traced: list[Any] = []

    def start(self, device: str) -> Mapping[str, Any]:
        """Imports JAX with 64 bits on and takes a device.

        Parameters
        ----------
        device : str
            ``"cpu"``, ``"cuda:0"``, ``"tpu:0"``.

        Raises
        ------
        RuntimeError
            Where JAX does not see that device, with those that it sees.
        """
        import jax
        import jaxlib

        jax.config.update("jax_enable_x64", True)
        platform, _, number = device.partition(":")
        try:
            found = jax.devices({"cuda": "gpu", "rocm": "gpu"}.get(platform, platform))
        except RuntimeError as error:
            seen = ", ".join(str(d) for d in jax.devices())
            raise RuntimeError(
                f"JAX was asked for {device} and sees {seen} only ({error}); please install the JAX build for "
                "that device"
            ) from error
        index = int(number or 0)
        if index >= len(found):
            raise RuntimeError(f"JAX was asked for {device} and sees {len(found)} such devices; take a smaller number")
        self._jax = jax
        self._device, self._devices = found[index], found
        jax.config.update("jax_default_device", self._device)
        return {
            "versions": {"jax": jax.__version__, "jaxlib": jaxlib.__version__},
            "devices": [f"{d.platform}:{d.id} {d.device_kind}" for d in found],
            "empties_caches": self._device.platform == "gpu",
        }

    def load(self, source: str, filename: str, entry: str, namespace: Mapping[str, Any]) -> Callable[..., Any]:
        """Runs a draft's source in a new namespace and returns its entry."""
        # tracebacks and inspect find the source by this entry
        linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
        scope: dict[str, Any] = {"__name__": "jitmagic_variant", "__file__": filename, **namespace}
        exec(compile(source, filename, "exec"), scope)
        function: Callable[..., Any] = scope[entry]
        return function

    def check(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], static: Sequence[str]
    ) -> None:
        """Traces the entry's compiled function without computing.

        An entry that is a plain wrapper is called with its compiled core replaced by one that stops after tracing.

        Raises
        ------
        TooManyEquations
            For a trace with more than :data:`MOST_EQUATIONS` equations.
        Exception
            What JAX raises while it traces.
        """
        self._traced = []
        if _is_jitted(function):
            self._trace(function, args, kwargs)
            return
        scope = getattr(function, "__globals__", {})
        code = getattr(function, "__code__", None)
        cores = [n for n in (code.co_names if code is not None else ()) if _is_jitted(scope.get(n))]
        originals = {name: scope[name] for name in cores}

        class Traced(BaseException):
            """Leaves the wrapper once its core is traced."""

        def stopping(core: Any) -> Callable[..., Any]:
            def traced(*given: Any, **named: Any) -> Any:
                self._trace(core, given, named)
                raise Traced

            return traced

        for name, core in originals.items():
            scope[name] = stopping(core)
        try:
            function(*args, **kwargs)
        except Traced:
            pass
        finally:
            scope.update(originals)

    def _trace(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        traced = function.trace(*args, **kwargs)
        self._traced.append(traced)
        count = _equations(traced.jaxpr)
        if count > MOST_EQUATIONS:
            raise TooManyEquations(
                f"the traced function has {count:,} operations, above {MOST_EQUATIONS:,}: loops are written out, and "
                "compiling would take minutes; loop over a range with a plain body, so that it can become one "
                "compiled loop"
            )
        if any(isinstance(one, self._jax.Array) and len(one.sharding.device_set) > 1 for one in args):
            sent = sorted(set(_SENT.findall(traced.lower().compile().as_text())))
            if sent:
                raise RowsSent(f"XLA would send parts of them between the devices ({', '.join(sent)})")

    def operations(self) -> float | None:
        """Returns XLA's count of the floating-point operations of what was checked last, a loop's body counted once.

        None where XLA does not count, or nothing was traced.
        """
        counts = []
        for traced in self._traced:
            try:
                counts.append((traced.lower().cost_analysis() or {}).get("flops"))
            except Exception:  # a figure beside the answer is no reason to fail: not every platform counts
                return None
        self._traced = []
        known = [float(count) for count in counts if count is not None and count > 0]
        return sum(known) if counts and len(known) == len(counts) else None

    def to_device(self, value: Any) -> Any:
        """Moves every NumPy array in a nested value to the device, and waits until it is there."""
        moved = self._mapped(value, lambda a: self._jax.device_put(a, self._device))
        self.wait(moved)
        return moved

    def to_devices(self, value: Any) -> Any:
        """Lays the rows of every array on all devices of the kind, as many on each; one that cannot be so on the first.

        Rows that are no multiple of the devices are refused by the variant's own call, with the numbers.
        """
        from jax.sharding import Mesh, NamedSharding, PartitionSpec

        rows = NamedSharding(Mesh(self._devices, ("rows",)), PartitionSpec("rows"))

        def spread(array: Any) -> Any:
            even = array.ndim and not len(array) % len(self._devices)
            return self._jax.device_put(array, rows if even else self._device)

        moved = self._mapped(value, spread)
        self.wait(moved)
        return moved

    def _mapped(self, value: Any, move: Callable[[Any], Any]) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            supported = value.dtype.kind in "biufc" and value.dtype.itemsize <= 16
            return move(value) if supported and str(value.dtype) not in ("longdouble", "float128") else value
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(self._mapped(v, move) for v in value))
        if isinstance(value, tuple | list):
            return type(value)(self._mapped(v, move) for v in value)
        if isinstance(value, dict):
            return {k: self._mapped(v, move) for k, v in value.items()}
        return value

    def to_host(self, value: Any) -> Any:
        """Turns every JAX array in a nested value into NumPy's, one without axes into a scalar; no copy on the CPU."""
        if isinstance(value, self._jax.Array):
            host = np.asarray(value)
            return host[()] if host.ndim == 0 else host
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(self.to_host(v) for v in value))
        if isinstance(value, tuple | list):
            return type(value)(self.to_host(v) for v in value)
        if isinstance(value, dict):
            return {k: self.to_host(v) for k, v in value.items()}
        return value

    def wait(self, value: Any) -> None:
        """Returns when the whole nested value is complete on the device."""
        self._jax.block_until_ready(value)

    def cache_emptier(self) -> Callable[[], None]:
        """Returns what empties the shared cache of the device, a GPU."""
        jax = self._jax
        # the old lines are let go of, so that the same memory is written to
        add = jax.jit(lambda lines: lines + 1, donate_argnums=0)

        def write(lines: Any) -> Any:
            return jax.block_until_ready(add(lines))

        return emptier(None, lambda count: jax.device_put(np.zeros(count, np.float32), self._device), write)

    def threads(self) -> int | None:
        """Returns how many CPU threads XLA computes with: those of its pool, else the cores; None on an accelerator."""
        if self._device is None or self._device.platform != "cpu":
            return None
        if there := _pool_threads():
            return there
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count()

    def device_meter(self) -> DevicePeak | None:
        """Returns what measures an accelerator's memory; None on the CPU, where JAX does not count."""
        return None if self._device is None or self._device.platform == "cpu" else DevicePeak(self._device)

    def release(self) -> None:
        """Gives back compiled functions and the arrays that they hold."""
        if self._jax is not None:
            self._jax.clear_caches()
        gc.collect()


def _pool_threads() -> int:
    """Counts the threads of XLA's pool, which Linux shows by name; 0 elsewhere, and before the first computation."""
    found = 0
    for thread in Path("/proc/self/task").glob("*/comm"):
        try:
            found += thread.read_text().startswith("tf_XLAEigen")
        except OSError:  # it has just ended
            continue
    return found


class DevicePeak:
    """The peak of JAX's allocator on one device, in bytes (``Device.memory_stats``).

    JAX never sets its mark back: where a block needs no more than an earlier one, its own peak is not known, and None.
    """

    def __init__(self, device: Any) -> None:
        self.peak: int | None = None
        self._device = device
        self._before: Mapping[str, int] = {}

    def __enter__(self) -> DevicePeak:
        self._before = self._device.memory_stats() or {}
        return self

    def __exit__(self, *error: Any) -> None:
        after = self._device.memory_stats() or {}
        mark, before = after.get("peak_bytes_in_use"), self._before.get("peak_bytes_in_use")
        if mark is not None and before is not None and mark > before:
            self.peak = max(int(mark) - int(self._before.get("bytes_in_use", 0)), 0)


def _is_jitted(value: Any) -> bool:
    return callable(value) and hasattr(value, "trace") and hasattr(value, "lower")


def _equations(jaxpr: Any) -> int:
    """Counts the equations of a jaxpr with those inside its loops, branches and calls."""
    inner = getattr(jaxpr, "jaxpr", jaxpr)
    total = 0
    for equation in inner.eqns:
        total += 1
        for parameter in equation.params.values():
            for part in parameter if isinstance(parameter, tuple | list) else (parameter,):
                if hasattr(part, "eqns") or hasattr(part, "jaxpr"):
                    total += _equations(part)
    return total
