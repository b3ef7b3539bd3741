"""Records to look at and to test with; ``python tests/report/samples.py`` writes them beside sample.json.

Everything starts from sample.json, which is the contract.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "records"

HOSTILE = (
    "\" onclick=alert(1) '></pre></td></details><script>alert(1)</script>"
    "<img src=x onerror=alert(1)>&amp;\x1b[31m\u202e\ud800\x00\x07"
)

LOOP = """import numpy as np


def smooth(a, n):
    # average of the neighbours, n times
    for _ in range(n):
        b = a.copy()
        for i in range(1, a.shape[0] - 1):
            for j in range(1, a.shape[1] - 1):
                b[i, j] = (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1]) / 4
        a = b
    return a
"""


def sample() -> dict[str, Any]:
    """Returns the contract's record."""
    loaded: dict[str, Any] = json.loads((FOLDER / "sample.json").read_text(encoding="utf-8"))
    return loaded


def clock(seconds: float, spread: float = 0.02, samples: int = 14) -> dict[str, Any]:
    """Returns a clock with a symmetric interval."""
    low, high = seconds * (1 - spread), seconds * (1 + spread)
    return {"median": seconds, "low": low, "high": high, "samples": samples, "calls": samples, "outliers": 0}


def timed(name: str, ratio: float, *, device: str = "cpu", build: float | None = 0.5, **more: Any) -> dict[str, Any]:
    """Returns a verified variant with its times, for a baseline of 151.2 ms."""
    variant = copy.deepcopy(sample()["variants"][0])
    verdict = "faster" if ratio > 1.03 else "slower" if ratio < 0.97 else "no clear difference"
    run = clock(0.1512 / ratio)
    moved = None if device == "cpu" else clock(0.004)
    variant.update(
        name=name,
        backend=name.split("-")[0],
        device=device,
        mode=name.partition("-")[2] or "jit",
        verdict=verdict,
        speedup={"median": ratio, "low": ratio * 0.97, "high": ratio * 1.03},
        clocks={
            "build": None if build is None else clock(build, 0, 1),
            "to_device": moved,
            "to_host": moved,
            "run": run,
            "end_to_end": run if moved is None else clock(0.1512 / ratio + 0.008),
        },
        break_even_calls=build / (0.1512 - 0.1512 / ratio) if build and verdict == "faster" else None,
        **more,
    )
    return variant


def untimed(name: str, verdict: str, reason: str = "", next_step: str = "", **more: Any) -> dict[str, Any]:
    """Returns a variant without figures."""
    variant = copy.deepcopy(sample()["variants"][3])
    variant.update(name=name, backend=name.split("-")[0], verdict=verdict, reason=reason, next_step=next_step, **more)
    return variant


def interrupted() -> dict[str, Any]:
    """Returns a record that the user stopped before two variants were timed."""
    record = sample()
    record.update(status="interrupted", elapsed=3.21, recommendation=None)
    record["variants"] = [
        record["variants"][0],
        untimed("jax", "stopped", verified=True, device="cpu"),
        untimed("torch-compile", "stopped", "it was interrupted while it was built", device="cpu"),
    ]
    return record


def unsupported() -> dict[str, Any]:
    """Returns a record in which no variant could be made."""
    record = sample()
    why = "line 7 changes the shape of `x` inside the loop"
    record["variants"] = [
        untimed(name, "unsupported", why, "preallocate `x` before the loop", source="", device="cpu")
        for name in ("numba", "numba-parallel", "jax", "torch")
    ]
    record["recommendation"] = {
        "variant": "numpy",
        "sentence": "Stay with NumPy: no variant can be made.",
        "conditions": [],
    }
    return record


def crashed() -> dict[str, Any]:
    """Returns a record with a crash, a time-out and a difference."""
    record = sample()
    record["variants"] += [
        untimed(
            "numba",
            "crashed",
            "the worker ended with signal 11 (SIGSEGV)",
            "run it with boundscheck=True",
            device="cpu",
        ),
        untimed(
            "torch-compile", "timed out", "building took longer than 60 s", "give it more with timeout=", device="cpu"
        ),
    ]
    return record


def many() -> dict[str, Any]:
    """Returns a record of a loop with many variants on four devices, and gotchas of every kind."""
    record = sample()
    record["workload"].update(
        name="smooth",
        call="smooth(a, 40)",
        source=LOOP,
        lines=[None, None, None, *range(2, 11)],
        notes=["the decorator @njit was taken off"],
    )
    record["baseline"]["source"] = LOOP
    fast = LOOP.replace("import numpy", "import numba\nimport numpy").replace(
        "def smooth", '@numba.njit(parallel=True, error_model="numpy")\ndef smooth'
    )
    fast = fast.replace("for i in range", "for i in numba.prange")
    record["devices"] = [
        {"name": "cpu", "title": "AMD EPYC, 2 cores", "details": ["AVX2"], "backends": ["numpy", "numba", "jax"]},
        {
            "name": "cuda:0", "title": "NVIDIA H200", "backends": ["jax", "torch", "cupy"],
            "details": ["compute capability 9.0", "driver 580.65.06 (CUDA up to 13.x)"],
        },
        {"name": "cuda:1", "title": "NVIDIA T4", "backends": ["jax", "torch", "cupy"]},
        {"name": "tpu:0", "title": "TPU v5e", "backends": []},
    ]
    record["variants"] = [
        timed("numba", 188.0, source=fast.replace("numba.prange", "range"), notes=["the loop over `i` is a stencil"]),
        timed(
            "numba-parallel", 310.4, source=fast, tried=[{"form": "array", "run": 0.02}, {"form": "flat", "run": None}]
        ),
        timed("jax", 61.0, source=LOOP.replace("numpy", "jax.numpy"), build=0.9),
        timed("jax", 402.0, device="cuda:0", source=LOOP.replace("numpy", "jax.numpy"), build=1.9),
        timed("torch-eager", 0.4, build=None, source=LOOP),
        timed("torch-compile", 1.005, build=24.0, source=LOOP),
        timed("cupy", 0.013, device="cuda:0", build=0.05, source=LOOP.replace("numpy", "cupy")),
        untimed(
            "cupy", "crashed", "the CUDA context was poisoned by an illegal address", "", device="cuda:1", source=LOOP
        ),
        untimed("jax", "timed out", "", "", device="cuda:1", source=LOOP),
        untimed(
            "jax-vmap",
            "unsupported",
            "line 4 carries `a` from one turn of the loop to the next",
            "",
            source="",
            device="cpu",
        ),
    ]
    record["recommendation"] = {
        "variant": "numba-parallel",
        "sentence": "Take numba-parallel: 310 times NumPy's speed here (301 to 320), building is earned back after 3.",
        "conditions": [
            "On cuda:0 jax is 1.3 times as fast, as long as the data stays there.",
            "Below 3 calls NumPy is done sooner.",
        ],
    }
    record["gotchas"] = [
        gotcha(
            "NB-FASTMATH", "numba", "silent", "possible", 7, False, "A sum in another order differs in the last digits."
        ),
        gotcha(
            "JX-X32",
            "jax",
            "silent",
            "not seen with these inputs",
            2,
            True,
            "JAX computes in 32 bits unless x64 is on.",
        ),
        gotcha("JX-INPLACE", "jax", "error", "confirmed", 8, True, "`b[i, j] = …` cannot change a JAX array."),
        gotcha(
            "TC-UNROLL",
            "torch",
            "performance",
            "confirmed",
            6,
            False,
            "torch.compile unrolls this loop: 24 s to build.",
        ),
        gotcha(
            "CP-SYNC", "cupy", "performance", "possible", None, False, "A launch returns before the device is done."
        ),
    ]
    return record


def gotcha(
    code: str, backend: str, severity: str, status: str, line: int | None, handled: bool, message: str
) -> dict[str, Any]:
    """Returns one gotcha."""
    return {
        "code": code, "backend": backend, "severity": severity, "status": status, "line": line, "column": 4,
        "end_line": line, "end_column": 20, "message": message, "fix": "write it as an array expression",
        "handled": handled, "link": "https://numba.readthedocs.io/en/stable/user/parallel.html",
    }  # fmt: skip


def non_ascii() -> dict[str, Any]:
    """Returns a record with names in several scripts, wide and combining."""
    record = sample()
    record["workload"].update(
        name="größe",
        call="größe(λ, 速度)",
        source="def größe(λ, 速度):\n    return λ * 速度  # é 👩\u200d🔬\n",
        lines=[1, 2],
    )
    record["variants"][0].update(
        name="numba-速い-とても長い名前のバリアント", reason="e\u0301" * 30 + " नमस्ते 안녕하세요"
    )
    record["recommendation"].update(variant=record["variants"][0]["name"], sentence="選ぶ " * 40)
    record["warnings"] = ["température élevée: 95 °C ⚠️ " * 5]
    return record


def interval(median: float) -> dict[str, float]:
    """Returns an interval of a twentieth on either side."""
    return {"median": median, "low": median * 0.95, "high": median * 1.05}


def swept() -> dict[str, Any]:
    """Returns a record with times over input sizes, a gap in one of them, and where they cross."""
    record = many()
    sizes = [100, 1000, 10_000, 100_000, 1_000_000]

    def series(name: str, fixed: float, each: float, growth: float | None, device: str = "cpu") -> dict[str, Any]:
        exponent = None if growth is None else {"median": growth, "low": growth - 0.04, "high": growth + 0.03}
        run = [interval(fixed + each * size) for size in sizes]
        return {"name": name, "device": device, "run": run, "growth": exponent}

    parallel = series("numba-parallel", 2e-5, 3e-9, 0.9)
    parallel["run"][0] = None
    record["sweep"] = {
        "parameter": "n",
        "meaning": "length of axis 0 of a",
        "n": sizes,
        "series": [
            series("numpy", 2e-6, 1e-8, 0.98),
            parallel,
            series("numba", 1e-6, 6e-9, 1.0),
            series("jax", 6e-5, 2e-10, None, device="cuda:0"),
        ],
        "crossovers": [
            {"variant": "numba-parallel", "over": "numba", "n": 6333, "low": 6000, "high": 6700},
            {"variant": "jax", "over": "numba-parallel", "n": 14286, "low": None, "high": None},
        ],
        "notes": ["Above 1,000,000 the arrays do not fit the `cache`."],
    }
    return record


def previous() -> dict[str, Any]:
    """Returns a record that stands against a run before, in which one variant was slower and another is gone."""
    record = many()
    # the baseline, a timed variant and one without a time
    names = [(one["name"], one["device"]) for one in (record["baseline"], *record["variants"])]
    changes: list[tuple[str, dict[str, float] | None]] = [
        ("no clear difference", interval(1.0)),
        ("faster", interval(1.3)),
        ("slower", interval(0.71)),
        ("new", None),
    ]
    changes += [("not comparable", None)] * (len(names) - len(changes))
    record["previous"] = {
        "created": "2026-11-20T09:58:13+00:00",
        "cautions": ["The source of fn changed between the runs."],
        "differences": [{"what": "numba", "before": "0.61.0", "now": "0.61.2"}],
        "variants": [
            *({"name": name, "device": device, "change": change, "ratio": ratio}
              for (name, device), (change, ratio) in zip(names, changes, strict=True)),
            {"name": "old", "device": "cuda:0", "change": "gone", "ratio": None},
        ],
    }  # fmt: skip
    return record


def disturbed() -> dict[str, Any]:
    """Returns a record of a noisy machine, with variants near its limits, and one under another interpreter."""
    record = sample()
    record["machine"]["noise"] = {
        "seconds": 3.25,
        "cpus": 8,
        "cpu_limit": 4.0,
        "others": 1.36,
        "steal": 0.0345,
        "throttled": 0.42,
        "heat": 1,
        "frequency": {"before": 3.4e9, "after": 2.1e9, "most": 4.8e9},
        "governor": "powersave",
        "battery": 0.545,
        "gpus": [
            {
                "name": "NVIDIA H200",
                "clock_before": 1.98e9,
                "clock_after": 1.2e9,
                "clock_most": 1.98e9,
                "slowed": ["its temperature slowed it down"],
                "processes": 2,
            }
        ],
    }
    record["warnings"] = ["other processes kept 1.4 of 8 CPUs busy while the clock ran: close `other` programs"]
    record["limits"] = {
        "traffic": 200_000_000, "bandwidth": 23.4e9, "threads": 2, "rate": 28.3e9, "dtype": "float64"
    }  # fmt: skip
    record["interpreters"] = [
        {
            "backend": "jax",
            "path": "/envs/<jax>/bin/python",
            "python": "3.13.0",
            "libraries": {"jax": "0.12.0", "numpy": "2.5.5"},
        }
    ]
    record["options"]["python"] = {"jax": "/envs/<jax>/bin/python"}

    def share(bandwidth: float | None, rate: float | None) -> dict[str, Any]:
        counted = None if rate is None else 1.0e9
        return {"bandwidth": bandwidth, "operations": counted, "counted_by": "XLA" if rate else None, "rate": rate}

    record["baseline"]["limits"] = share(0.06, None)
    near = [timed("jax", 9.0), timed("numba", 6.0), timed("torch", 2.0), timed("numba-parallel", 3.0)]
    shares = [share(0.825, 0.1), share(0.55, None), share(None, 0.93), None]
    for variant, own in zip(near, shares, strict=True):
        variant["limits"] = own
    record["variants"] = near
    return record


def elsewhere() -> dict[str, Any]:
    """Returns a record with two other machines, one of which was lost, and a rule of another package."""
    record = sample()

    def there(variant: dict[str, Any], machine: str, across: float | None) -> dict[str, Any]:
        variant["machine"] = machine
        variant["across"] = None if across is None else interval(across)
        return variant

    base = there(copy.deepcopy(record["baseline"]), "gpu1", 0.5)
    base["name"] = "numpy@gpu1"
    record["variants"] += [
        base,
        there(timed("jax@gpu1/cuda:0", 30.0, device="cuda:0"), "gpu1", 15.0),
        there(timed("numba@gpu1", 3.0), "gpu1", None),
        there(untimed("numpy@node2", "stopped", "the machine node2 was lost: Connection reset"), "node2", None),
        there(untimed("numba@node2", "stopped", "the machine node2 was lost: Connection reset"), "node2", None),
    ]
    computer = {**record["machine"], "processor": "Xeon <b>", "cores": 32, "threads": 64, "noise": None}
    record["machines"] = [
        {
            "name": "gpu1", "address": "ssh://gpu1", "machine": {**computer, "noise": disturbed()["machine"]["noise"]},
            "devices": [{"name": "cuda:0", "title": "NVIDIA H100", "backends": ["jax"]}],
            "libraries": {"jax": "0.10.2", "numpy": "2.4.6"}, "lost": None,
        },
        {
            "name": "node2", "address": "tcp://10.0.0.5:8786", "machine": computer, "devices": [],
            "libraries": {}, "lost": "the machine node2 was lost: Connection reset",
        },
    ]  # fmt: skip
    record["options"]["on"] = ["ssh://gpu1", "tcp://10.0.0.5:8786"]
    record["gotchas"] = [
        {**gotcha("LAB-SUM", "all", "silent", "confirmed", 1, False, "A sum loses digits."), "origin": "lab-rules 1.2"},
        {**gotcha("LAB-MEAN", "all", "silent", "possible", 1, True, "A mean too."), "origin": "this session"},
    ]
    return record


def derived() -> dict[str, Any]:
    """Returns a record of a derivative: one entry cannot be told, so that nothing is verified."""
    record = sample()
    record["options"]["transform"] = "--grad x"
    record["transform"] = {
        "kind": "grad", "argument": "x", "axis": None, "function": "relu",
        "baseline": "central differences in NumPy, with steps of 6e-06 of x", "uncertainty": 1.7e-8,
        "baseline_error": 8.7e-10, "entries": 4, "undecided": 1,
        "doubts": ["at result[2] the function has a kink, with 0 to the one side and 1 to the other"],
    }  # fmt: skip
    told = "NumPy's differences cannot tell: at result[2] the function has a kink"
    record["variants"] = [
        untimed("jax-reverse", "not verified", told, "move `x` off such places", verified=None),
        untimed("torch-reverse", "not verified", verified=None),
        untimed("numba", "unsupported", "Numba does not derive"),
    ]
    record["recommendation"] = {"variant": "numpy", "sentence": "No answer.", "conditions": []}
    return record


def batch() -> dict[str, Any]:
    """Returns a record of a batch."""
    record = sample()
    record["transform"] = {
        "kind": "vmap", "argument": "x", "axis": 1, "function": "fn", "uncertainty": None, "baseline_error": None,
        "baseline": "a loop in NumPy that calls fn for each slice of x along axis 1", "entries": None, "undecided": 0,
        "doubts": [],
    }  # fmt: skip
    return record


def hostile(size: int = 1) -> dict[str, Any]:
    """Returns a record whose every free string is an attack."""
    noisy, record = disturbed(), swept()
    record["machine"]["noise"] = noisy["machine"]["noise"]
    record["options"]["python"] = {"jax": "/python"}
    record.update(limits=noisy["limits"], interpreters=noisy["interpreters"])
    for variant in record["variants"]:
        variant["limits"] = noisy["variants"][0]["limits"]
    record["previous"] = previous()["previous"]
    return replace_strings(record, lambda text, path: HOSTILE * size + path)


def replace_strings(record: dict[str, Any], new: Callable[[str, str], str]) -> dict[str, Any]:
    """Returns a record with every string replaced that the schema leaves free (given the old one and its path)."""
    fixed = {"schema", "status", "verdict", "severity", "build_cache", "change"}

    def walk(value: Any, path: str, key: str) -> Any:
        if isinstance(value, dict):
            return {name: walk(item, f"{path}.{name}", name) for name, item in value.items()}
        if isinstance(value, list):
            return [walk(item, f"{path}[{index}]", key) for index, item in enumerate(value)]
        if not isinstance(value, str) or key in fixed or (key == "status"):
            return value
        return new(value, path)

    changed: dict[str, Any] = walk(record, "", "")
    if changed["recommendation"] and changed["recommendation"]["variant"] is not None:
        old = [record["baseline"], *record["variants"]]
        new_ones = [changed["baseline"], *changed["variants"]]
        index = [variant["name"] for variant in old].index(record["recommendation"]["variant"])
        changed["recommendation"]["variant"] = new_ones[index]["name"]
    if changed["sweep"]:
        # what is swept is one of the variants still
        old, new_ones = [record["baseline"], *record["variants"]], [changed["baseline"], *changed["variants"]]
        for series, before in zip(changed["sweep"]["series"], record["sweep"]["series"], strict=True):
            keys = [(variant["name"], variant["device"]) for variant in old]
            variant = new_ones[keys.index((before["name"], before["device"]))]
            series["name"], series["device"] = variant["name"], variant["device"]
    return changed


MAKERS: dict[str, Callable[[], dict[str, Any]]] = {
    "interrupted": interrupted,
    "unsupported": unsupported,
    "crashed": crashed,
    "many": many,
    "non_ascii": non_ascii,
    "swept": swept,
    "previous": previous,
    "disturbed": disturbed,
    "elsewhere": elsewhere,
    "derived": derived,
    "batch": batch,
    "hostile": hostile,
}


def write() -> None:
    """Writes every record as a file."""
    for name, make in MAKERS.items():
        text = json.dumps(make(), indent=1, allow_nan=False)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
