"""Times our forms and the expert's version of one function in this process, in turn: a request as JSON on stdin."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from jitmagic.comparison import Comparison
from jitmagic.verify.compare import compare_call, count_elements
from tests.corpus.registry import Entry, entries

SAMPLE = 0.03
"""Seconds that a sample should take."""


def main() -> None:
    """Answers one request."""
    request = json.load(sys.stdin)
    entry = next(one for one in entries() if one.name == request["name"])
    with contextlib.redirect_stdout(io.StringIO()):
        answer = _timed(entry, request)
    print(json.dumps(answer))


def _timed(entry: Entry, request: dict[str, Any]) -> dict[str, Any]:
    library = request["library"]
    globals_there = vars(importlib.import_module(entry.function.__module__))
    comparison = Comparison(request["record"])
    makers: dict[str, Callable[[], Callable[..., Any]]] = {
        name: lambda v=comparison[name]: v.build(**{n: globals_there[n] for n in v.needs}) for name in request["forms"]
    }
    makers["expert"] = lambda: _expert(library, entry.name)
    {"numba": _warm_numba, "jax": _warm_jax}[library]()

    given = entry.args(request["size"])
    expected_args = entry.args(request["size"])
    expected = entry.function(*expected_args)
    written = [i for i, (a, b) in enumerate(zip(given, expected_args, strict=True))
               if isinstance(a, np.ndarray) and not np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")]  # fmt: skip
    build = dict.fromkeys(makers, float("inf"))
    calls: dict[str, _Call] = {}
    for _ in range(2):
        for name, make in makers.items():
            start = time.perf_counter()
            function = make()
            call = _Call(function, given, written, library)
            first = time.perf_counter()
            result, args = call.once()
            end = time.perf_counter()
            again = call.seconds(1)
            build[name] = min(build[name], max(end - first - again, 0.0) + call.made - start)
            calls[name] = call
            _check(name, entry, request["size"], expected, result, args, written, expected_args)
    calls["numpy"] = _Call(entry.function, given, written, "numpy")
    counts = {name: max(1, round(SAMPLE / max(call.seconds(1), 1e-9))) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    if counts["numpy"] == 1:
        # one call takes long enough to be its own sample, and would take most of the time
        samples["numpy"].append(calls.pop("numpy").seconds(1))
    order = list(calls)
    for number in range(request["rounds"]):
        for turn in range(len(order)):
            name = order[(turn + number) % len(order)]
            samples[name].append(calls[name].seconds(counts[name]))
    return {"samples": samples, "build": build}


class _Call:
    """One function with its arguments where its library wants them."""

    def __init__(self, function: Callable[..., Any], given: tuple[Any, ...], written: list[int], library: str) -> None:
        self.function, self.written = function, written
        self.made = time.perf_counter()
        self.saved = {i: given[i].copy() for i in written}
        self.args = [a.copy() if isinstance(a, np.ndarray) else a for a in given]
        self.wait: Callable[[Any], Any] = lambda result: result
        if library == "jax":
            import jax

            self.wait = jax.block_until_ready
            self.args = [jax.device_put(a) if isinstance(a, np.ndarray) and i not in written else a
                         for i, a in enumerate(self.args)]  # fmt: skip

    def once(self) -> tuple[Any, list[Any]]:
        self._restore()
        return self.wait(self.function(*self.args)), self.args

    def seconds(self, calls: int) -> float:
        """Returns the seconds a call; arguments that are written are put back outside the clock."""
        if not self.written:
            self.wait(self.function(*self.args))
            start = time.perf_counter()
            for _ in range(calls):
                self.wait(self.function(*self.args))
            return (time.perf_counter() - start) / calls
        total = 0.0
        for _ in range(calls):
            self._restore()
            start = time.perf_counter()
            self.wait(self.function(*self.args))
            total += time.perf_counter() - start
        return total / calls

    def _restore(self) -> None:
        for i, saved in self.saved.items():
            self.args[i][...] = saved


def _check(name: str, entry: Entry, size: str, expected: Any, result: Any, args: list[Any], written: list[int],
           expected_args: tuple[Any, ...]) -> None:  # fmt: skip
    """Raises where a result is not NumPy's: a wrong version's time means nothing."""
    plain = _as_numpy(result)
    if name == "expert" and expected is None and plain is not None:
        # what NumPy writes into its arguments, an expert's JAX returns
        there = [expected_args[i] for i in written]
        if _close(there[0] if len(there) == 1 else there, plain):
            return
    finding = compare_call(
        expected, plain, {str(i): expected_args[i] for i in written}, {str(i): args[i] for i in written},
        [str(i) for i in written], count_elements(list(expected_args)),
    )  # fmt: skip
    if name == "expert" and not finding.ok and _close(expected, plain):
        return  # another dtype or kind of scalar is no fault of a hand-written version
    if not finding.ok:
        raise AssertionError(f"{name} of {entry.name} is wrong at size {size}: {finding.message}")


def _close(expected: Any, actual: Any) -> bool:
    if isinstance(expected, tuple | list):
        return len(expected) == len(actual) and all(map(_close, expected, actual))
    return bool(np.allclose(expected, actual, rtol=1e-6, atol=1e-9, equal_nan=True))


def _as_numpy(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(map(_as_numpy, value))
    if isinstance(value, dict):
        return {key: _as_numpy(one) for key, one in value.items()}
    return np.asarray(value)[()] if type(value).__module__.startswith("jax") else value


def _expert(library: str, name: str) -> Callable[..., Any]:
    """Returns the expert's function, made anew: nothing that was compiled before is kept."""
    full = f"benchmarks.expert.with_{library}"
    sys.modules.pop(full, None)
    function: Callable[..., Any] = getattr(importlib.import_module(full), name)
    return function


def _warm_numba() -> None:
    from numba import njit, prange

    @njit(parallel=True)
    def warm(x):
        s = 0.0
        for i in prange(len(x)):
            s += np.sqrt(x[i])
        return s + np.sum(x * 2)

    warm(np.ones(100))


def _warm_jax() -> None:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    jax.block_until_ready(jax.jit(lambda x: jax.lax.fori_loop(0, 3, lambda i, s: s + jnp.sin(x), x))(jnp.ones(9)))


if __name__ == "__main__":
    main()
