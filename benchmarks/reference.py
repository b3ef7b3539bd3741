"""What the field reports of well-known cases, and what is measured here: ``python -m benchmarks.reference``.

Their times are of their machines and say nothing here; what can be compared is how many times as fast one form is as
another, each within one run. Where they had an accelerator or several devices and there is none here, the row says so.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from jitmagic.comparison import Comparison, compare, shutdown
from jitmagic.devices import devices, machine

MISSING = "–"


def cubic(x):
    return x + x * x + x * x * x


def w_tilde(noise, uv, grid):
    offset = grid[:, None, :] - grid[None, :, :]
    phase = offset[..., 1, None] * uv[:, 1] + offset[..., 0, None] * uv[:, 0]
    return np.sum(np.cos(2 * np.pi * phase) / noise**2, axis=2)


def w_tilde_low_memory(noise, uv, grid):
    dy = grid[:, 0, None] - grid[:, 0]
    dx = grid[:, 1, None] - grid[:, 1]
    w = np.zeros((len(grid), len(grid)))
    for k in range(len(uv)):
        w += np.cos(2 * np.pi * (dx * uv[k, 1] + dy * uv[k, 0])) / noise[k] ** 2
    return w


def weighted_sum(out, weights, *arrays):
    for w, a in zip(weights, arrays, strict=True):
        out += w * a


def squares(x):
    return np.sum(x**2)


def rectified_cube(x):
    if x >= 0:
        return x**3
    else:
        return -(x**3)


def rows_times_vector(matrix, vector):
    out = np.zeros(len(matrix))
    for i in range(len(matrix)):
        out[i] = np.dot(matrix[i], vector)
    return out


def curvature(transfer, weights):
    return transfer.T @ weights @ transfer


@dataclass(frozen=True)
class Row:
    """One figure: what is over what, theirs and ours as ratios of speed (or values), and what is to be said of it."""

    case: str
    what: str
    theirs: str
    ours: str
    said: str = ""


def rows(budget: float) -> Iterator[Row]:
    """Yields every figure of the table, as it is measured."""
    rng = np.random.default_rng(0)
    accelerator = any(one["name"] != "cpu" for one in devices())
    small = rng.standard_normal((5000, 5000), dtype=np.float32)
    found = _compared(cubic, (small,), budget)
    yield Row("cubic, 5000 × 5000 float32", "JAX, compiled, over NumPy", "8.5", _over(found, "jax", "numpy"))
    yield Row("", "the best variant over NumPy", MISSING, _best(found), found.best.name)
    case, what = "cubic, 10,000 × 10,000", "compiled on an accelerator over NumPy"
    if accelerator:
        large = _compared(cubic, (rng.standard_normal((10_000, 10_000), dtype=np.float32),), budget, devices=None)
        yield Row(case, what, "86", _best(large), large.best.name)
    else:
        yield Row(case, what, "86", MISSING, "no accelerator here")

    sky = rng.uniform(0.5, 2.0, 300), rng.normal(0.0, 1e3, (300, 2)), rng.uniform(-1e-3, 1e-3, (300, 2))
    dense = _compared(w_tilde, sky, budget)
    over = "Numba, parallel, over NumPy"
    yield Row("w-tilde, dense (M = K = 300)", over, "1.7", _over(dense, "numba-parallel", "numpy"))
    yield Row("", "JAX over NumPy", "6.2", _over(dense, "jax", "numpy"))
    low = _compared(w_tilde_low_memory, sky, budget)
    times = [_median(dense, "numpy"), _median(low, "numba-parallel"), _median(low, "jax")]
    across = "of two comparisons, one after the other"
    yield Row("w-tilde, low memory", "Numba, parallel, over dense NumPy", "16", _ratio(times[0], times[1]), across)
    yield Row("", "JAX over dense NumPy", "10", _ratio(times[0], times[2]), across)

    arrays = [rng.standard_normal(1_000_000) for _ in range(8)]
    weighted = _compared(weighted_sum, (np.zeros(1_000_000), rng.random(8), *arrays), budget)
    yield Row("weighted sum of 8 arrays, in place", over, "3", _over(weighted, "numba-parallel", "numpy"))

    # NumPy's differences, which all is verified against, take 2 n² calls
    hessian = _compared(squares, (rng.standard_normal(200),), budget, hessian="x")
    yield Row("Hessian of Σ x², n = 200 (theirs 1000)", "torch, vectorised, over torch by loops", "32",
              _over(hessian, "torch-autograd-vmap", "torch-autograd"))  # fmt: skip
    yield Row("", "JAX (forward over reverse) over torch by loops", "1200",
              _over(hessian, "jax-fwd-rev", "torch-autograd"))  # fmt: skip
    for point, wanted in ((2.0, "12"), (-3.0, "-27")):
        cube = _compared(rectified_cube, (point,), min(budget, 1.0), grad="x")
        ours = f"{float(cube['jax-reverse'].build()(point)):g}" if cube["jax-reverse"].verified else MISSING
        yield Row(f"rectified cube at {point:g}", "its derivative, by JAX", wanted, ours)

    product = _compared(rows_times_vector, (rng.standard_normal((4000, 2000)), rng.standard_normal(2000)), budget)
    yield Row("matrix times vector, row by row", "one row a device, over 4 devices", MISSING, MISSING,
              f"no 4 devices here; on one the best over NumPy is {_best(product)}, {product.best.name}")  # fmt: skip
    winners = []
    for n in (50, 200, 800):
        chosen = _compared(curvature, (rng.standard_normal((n, n // 2)), np.diag(rng.random(n))), min(budget, 5.0))
        winners.append(f"{chosen.best.name} at {n}")
    yield Row("curvature matrix Tᵀ w T", "which form wins", "changes with size", ", ".join(winners))


def _compared(function: Callable[..., Any], args: tuple[Any, ...], budget: float, **asked: Any) -> Comparison:
    asked.setdefault("devices", None if "hessian" in asked or "grad" in asked else ["cpu"])
    return compare(function, *args, budget=budget, timeout=120.0, **asked)


def _median(found: Comparison, name: str) -> float | None:
    if name not in found or not found[name].verified or found[name].clocks["run"] is None:
        return None
    return float(found[name].clocks["run"]["median"])


def _ratio(slower: float | None, faster: float | None) -> str:
    return MISSING if slower is None or faster is None else f"{slower / faster:.2g}"


def _over(found: Comparison, fast: str, slow: str) -> str:
    """Returns how many times as fast one is as the other; both were timed in the same rounds."""
    return _ratio(_median(found, slow), _median(found, fast))


def _best(found: Comparison) -> str:
    return "1" if found.best.name == "numpy" else _over(found, found.best.name, "numpy")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reference", description=__doc__)
    parser.add_argument("--budget", type=float, default=10.0, help="seconds of timing for each comparison")
    options = parser.parse_args()
    here = machine()
    print(f"{datetime.date.today()}, {here['processor']}, {here['threads']} threads, load {here['load']}\n")
    print(f"{'case':<40} {'what':<48} {'theirs':>18} {'ours':>10}")
    try:
        for row in rows(options.budget):
            print(f"{row.case:<40} {row.what:<48} {row.theirs:>18} {row.ours:>10}"
                  f"{f'  ({row.said})' if row.said else ''}", flush=True)  # fmt: skip
    finally:
        shutdown()


if __name__ == "__main__":
    sys.exit(main())
