# ruff: noqa: E501
"""Compares every workload on a real GPU, and prints what came of it beside the clocks of CuPy and torch themselves.

    python -m tests.gpu [--out FILE.json] [--budget SECONDS] [--only NAME,…]

Exit code: 0 where all that could run was verified and agrees; 1 where something was not; 3 where there is no GPU.

Each workload is compared as a user compares it, in worker processes. Then the same sources are loaded into this process,
one library after the other, and timed once more by `cupyx.profiler.benchmark` and `torch.utils.benchmark`: our time has to
be within 3 % of theirs. The libraries' events give the time on the device, and the time until a call has returned, before
the device is done (enqueue), apart.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import jitmagic
from jitmagic import devices
from tests.gpu.workloads import cases

BACKENDS = ("cupy", "torch", "jax", "numba-cuda", "cuda-python")
WITHIN = 0.03


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.gpu")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--budget", type=float, default=5.0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    found = devices.detect()
    print(devices.table(found, 110))
    if not any(device["name"] == "cuda:0" for device in found["devices"]):
        print("\nskipped: cubic, w-tilde (both), stencil, n-body, a total, a matrix product and Mandelbrot need a GPU")
        return 3
    wanted = [name for name in options.only.split(",") if name] or list(cases())
    copied = _copy_bandwidth()
    print(f"\ncopying within the GPU: {'unknown' if copied is None else f'{copied / 1e9:.0f} GB/s'}")
    results, wrong = [], []
    for name in wanted:
        function, args, moved = cases()[name]
        result = _compared(name, function, args, moved, copied, options.budget)
        results.append(result)
        wrong += [f"{name}: {one}" for one in result["wrong"]]
        _print(result)
    record = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "machine": found["machine"],
        "devices": found["devices"],
        "host": platform.node(),
        "copy_bandwidth": copied,
        "results": results,
    }
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(f"\nkept in {options.out}")
    print("\n" + ("all agrees" if not wrong else "\n".join(["what does not agree:", *wrong])))
    return 1 if wrong else 0


def _compared(
    name: str, function: Callable[..., Any], args: tuple[Any, ...], moved: int | None, copied: float | None, budget: float
) -> dict[str, Any]:
    comparison = jitmagic.compare(function, *args, backends=BACKENDS, devices=("cuda:0",), budget=budget, timeout=300.0)
    record = comparison.to_dict()
    rows, wrong = [], []
    for variant in record["variants"]:
        clocks = variant["clocks"]
        run = clocks["run"]["median"] if clocks.get("run") else None
        row = {
            "variant": variant["name"], "verdict": variant["verdict"], "reason": variant["reason"],
            "verified": variant["verified"], "run": run,
            "to_device": clocks["to_device"]["median"] if clocks.get("to_device") else None,
            "to_host": clocks["to_host"]["median"] if clocks.get("to_host") else None,
            "end_to_end": clocks["end_to_end"]["median"] if clocks.get("end_to_end") else None,
            "speedup": (variant.get("speedup") or {}).get("median"),
        }  # fmt: skip
        if variant["verified"] is False:
            wrong.append(f"{variant['name']} is not NumPy's result: {variant['reason']}")
        if run and moved and copied:
            row["share_of_copy_bandwidth"] = moved / run / copied
        other = _their_clock(variant, args) if run else None
        if other is not None:
            row |= other
            near = abs(run / other["theirs"] - 1.0)
            if other["theirs"] > 50e-6 and near > WITHIN:  # below that the launch itself is timed
                wrong.append(f"{variant['name']}: we say {run:.3g} s, {other['by']} {other['theirs']:.3g} s ({near:.0%})")
        rows.append(row)
    return {"name": name, "baseline": record["baseline"]["clocks"]["run"]["median"], "variants": rows, "wrong": wrong}


def _their_clock(variant: dict[str, Any], args: tuple[Any, ...]) -> dict[str, Any] | None:
    """Times a variant's source in this process, by its library's own benchmark."""
    if variant["backend"] not in ("cupy", "torch"):
        return None
    scope: dict[str, Any] = {"__name__": "variant"}
    exec(compile(variant["source"], f"<{variant['name']}>", "exec"), scope)
    entry = scope[variant["entry"]]
    if variant["backend"] == "cupy":
        import cupy
        from cupyx.profiler import benchmark

        given = tuple(cupy.asarray(one) if isinstance(one, np.ndarray) else one for one in args)
        told = benchmark(entry, given, n_repeat=50, n_warmup=5)
        both = np.maximum(told.gpu_times[0], told.cpu_times)
        found = {
            "by": "cupyx.profiler", "theirs": float(np.median(both)), "device_time": float(np.median(told.gpu_times[0])),
            "enqueue": float(np.median(told.cpu_times)),
        }  # fmt: skip
        cupy.get_default_memory_pool().free_all_blocks()
        return found
    import torch
    from torch.utils import benchmark as clock

    given = tuple(torch.from_numpy(one.copy()).to("cuda:0") if isinstance(one, np.ndarray) else one for one in args)
    told = clock.Timer("entry(*given)", globals={"entry": entry, "given": given}).blocked_autorange(min_run_time=1.0)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    started = time.perf_counter()
    entry(*given)
    enqueue = time.perf_counter() - started
    end.record()
    torch.cuda.synchronize()
    found = {
        "by": "torch.utils.benchmark", "theirs": float(told.median), "device_time": begin.elapsed_time(end) / 1e3,
        "enqueue": enqueue,
    }  # fmt: skip
    torch.cuda.empty_cache()
    return found


def _copy_bandwidth() -> float | None:
    """Measures bytes read and written a second by a copy within the GPU; None without CuPy and torch."""
    size = 2**28
    try:
        import cupy
        from cupyx.profiler import benchmark

        one, other = cupy.zeros(size, cupy.uint8), cupy.zeros(size, cupy.uint8)
        told = benchmark(cupy.copyto, (other, one), n_repeat=50, n_warmup=5)
        seconds = float(np.median(told.gpu_times[0]))
        del one, other
        cupy.get_default_memory_pool().free_all_blocks()
    except ImportError:
        try:
            import torch
        except ImportError:
            return None
        one, other = (torch.zeros(size, dtype=torch.uint8, device="cuda:0") for _ in range(2))
        other.copy_(one)
        torch.cuda.synchronize()
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(50):
            other.copy_(one)
        end.record()
        torch.cuda.synchronize()
        seconds = begin.elapsed_time(end) / 1e3 / 50
    return 2 * size / seconds


def _print(result: dict[str, Any]) -> None:
    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value * 1e3:.3f}"

    print(f"\n{result['name']}: NumPy {shown(result['baseline'])} ms")
    print("  variant              run ms  to device  to host  end to end  theirs  on device  enqueue  of copy bandwidth")
    for row in result["variants"]:
        if row["run"] is None:
            print(f"  {row['variant']:<18} {row['verdict']}: {row['reason'][:90]}")
            continue
        times = [row["run"], row["to_device"], row["to_host"], row["end_to_end"]]
        times += [row.get(name) for name in ("theirs", "device_time", "enqueue")]
        share = row.get("share_of_copy_bandwidth")
        print(f"  {row['variant']:<18}", *(f"{shown(one):>9}" for one in times), "-" if share is None else f"{share:.0%}")


if __name__ == "__main__":
    sys.exit(main())
