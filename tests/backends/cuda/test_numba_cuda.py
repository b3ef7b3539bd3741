# ruff: noqa: E501 -- functions as people write them
"""Numba CUDA without a GPU: the sources run in Numba's simulator, and are compiled to PTX where a compiler is."""

from __future__ import annotations

import copy
import os
import subprocess
import sys

import numpy as np
import pytest

from jitmagic.backends.cuda.backend import NumbaCudaBackend
from jitmagic.backends.protocol import Draft, VariantRefusal
from tests.backends.cuda import programs
from tests.backends.cuda.simulated import simulate
from tests.backends.numba import harness

# shapes in the simulator have no negative index, those of Numba's arrays have
CASES = {name: case for name, case in programs.programs().items() if name != "last_axis"}


def written(source, *args):
    work = harness.workload(source, *args)
    (made,) = NumbaCudaBackend().drafts(work, harness.observed(work))
    return work, made


@pytest.fixture(scope="module")
def made():
    """Returns workload and draft of every program."""
    return {name: written(source, *args) for name, (source, args) in CASES.items()}


@pytest.fixture(scope="module")
def ran(made):
    """Returns what came of every program, with its arguments on the host and on the GPU."""
    cases, names = [], []
    for name, (work, draft) in made.items():
        if isinstance(draft, Draft):
            arrays = [place for place, arg in enumerate(work.args) if isinstance(arg, np.ndarray)]
            for moved in ([], arrays):
                cases.append((draft.module.text, draft.entry, copy.deepcopy(list(work.args)), moved))
                names.append((name, bool(moved)))
    return dict(zip(names, simulate(cases), strict=True))


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_source_gives_numpys_result(name, made, ran):
    work, draft = made[name]
    assert isinstance(draft, Draft), draft.refusal.reason
    wanted, after = harness.reference(work)
    kind, got, given = ran[name, False]
    assert kind == "result", given
    harness.assert_same(_plain(got), wanted, 1e-6 if name in ("cubic", "single", "single_complex") else 1e-12)
    for one, other in zip(given, after, strict=True):
        harness.assert_same(one, other, 1e-12)


@pytest.mark.parametrize("name", sorted(CASES))
def test_arrays_that_lie_on_the_gpu_stay_there(name, made, ran):
    work, _ = made[name]
    kind, got, given = ran[name, True]
    assert kind == "result", given
    wanted, _ = harness.reference(work)
    parts = got if isinstance(got, tuple) and not _is_there(got) else (got,)
    for part, one in zip(parts, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        assert isinstance(one, np.ndarray) == _is_there(part)


def _is_there(value):
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def _plain(value):
    if _is_there(value):
        return value[1]
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def test_nothing_to_do_is_done(made):
    none = np.zeros(0)
    cases = [
        (made["branches"][1].module.text, "fn", [none, none, 0], []),
        (made["statements"][1].module.text, "fn", [np.zeros((0, 4)), np.zeros((0, 4))], []),
        (made["sum"][1].module.text, "fn", [none], []),
        (made["stencil_loops"][1].module.text, "fn", [np.zeros((1, 1))], []),
    ]
    results = [one[1] for one in simulate(cases)]
    assert [np.shape(one) for one in results] == [(0,), (0, 4), (), (1, 1)]
    assert results[2] == 0.0


def test_a_nest_of_loops_shares_out_both(made):
    text = made["stencil_loops"][1].module.text
    assert "    j_first, i_first = cuda.grid(2)\n" in text  # the last axis along x: neighbours read neighbours
    assert (
        "    for i in range(1 + i_first, n - 1, i_step):\n        for j in range(1 + j_first, m - 1, j_step):\n" in text
    )


def test_a_body_stays_as_it_was_written(made):
    assert "        # the rest\n        out[i] = 2*x[i] + math.sin(y[i])\n" in made["branches"][1].module.text


def test_lines_are_the_users(made):
    draft = made["branches"][1]
    line = draft.module.text.splitlines().index("        out[i] = 2*x[i] + math.sin(y[i])") + 1
    assert draft.module.origin_line(line) == 7


REFUSED = {
    "a range of single precision": ("def fn(x, h):\n    t = np.arange(0, 1, h)\n    out = np.empty(len(x))\n    for i in range(len(x)):\n        out[i] = x[i] + t[0]\n    return out\n", (np.ones(9), np.float32(0.25)), 2),
    "a histogram": ("def fn(x, n):\n    h = np.zeros(n)\n    for i in range(len(x)):\n        h[x[i]] += 1\n    return h\n", (np.arange(9) % 4, 4), 4),
    "a recurrence": ("def fn(x):\n    y = np.empty(len(x))\n    y[0] = x[0]\n    for i in range(1, len(x)):\n        y[i] = 0.5*y[i-1] + x[i]\n    return y\n", (np.ones(9),), 5),
    "a sort": ("def fn(x):\n    y = np.sort(x)\n    out = np.empty(len(x))\n    for i in range(len(x)):\n        out[i] = 2*y[i]\n    return out\n", (np.ones(9),), 2),
    "an element on the host": ("def fn(x):\n    out = np.empty(len(x))\n    first = x[0]\n    for i in range(len(x)):\n        out[i] = x[i] - first\n    return out\n", (np.ones(9),), 3),
    "an array in each step": ("def fn(x):\n    out = np.empty(len(x))\n    for i in range(len(x)):\n        t = np.zeros(4)\n        t[i % 4] = x[i]\n        out[i] = t.sum()\n    return out\n", (np.ones(9),), None),
    "a long vector in each step": ("def fn(x):\n    out = np.empty(len(x))\n    for i in range(len(x)):\n        t = x[i]*2\n        u = t\n        u += 1\n        out[i] = t[0]\n    return out\n", (np.ones((9, 3)),), None),
    "a special function": ("def fn(x):\n    out = np.empty(len(x))\n    for i in range(len(x)):\n        out[i] = np.sinc(x[i])\n    return out\n", (np.ones(9),), 4),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_what_has_no_kernel_is_refused_with_its_line(what):
    source, args, line = REFUSED[what]
    _, draft = written(source, *args)
    assert isinstance(draft, VariantRefusal)
    if line is not None:
        assert draft.refusal.line == line
    assert draft.refusal.reason


PTX = """
import pickle, sys
from types import SimpleNamespace
import numba.cuda.dispatcher
from numba import cuda, types
# Numba's `min`, `max` and calls between functions ask which GPU is at hand
numba.cuda.dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=(8, 0))
found = []
for name, source, kinds in pickle.load(sys.stdin.buffer):
    scope = {"__name__": "variant"}
    real = cuda.jit
    cuda.jit = lambda *a, **k: real(*a, **k) if k.get("device") else a[0] if a else lambda f: f
    try:
        exec(compile(source, "<variant>", "exec"), scope)
    finally:
        cuda.jit = real
    for kernel, signature in kinds.items():
        types_ = tuple(getattr(types, d)[(slice(None),) * n] if n else getattr(types, d) for d, n in signature)
        try:
            ptx, _ = cuda.compile_ptx(scope[kernel], types_, cc=(8, 0))
            found.append((name, kernel, ".visible .entry" in ptx, ""))
        except Exception as error:
            found.append((name, kernel, False, f"{type(error).__name__}: {error}"))
pickle.dump(found, sys.stdout.buffer)
"""


# as with nvcc: CI does not install NVIDIA's toolkit, and the simulator runs the same kernels everywhere
@pytest.mark.cuda_toolkit
@pytest.mark.slow
def test_kernels_compile_to_ptx(made):
    import pickle

    from jitmagic.backends.cuda.backend import program_of
    from jitmagic.backends.cuda.types import Array

    asked = []
    for name, (work, draft) in made.items():
        program = program_of(work, harness.observed(work))
        kinds = {}
        for kernel in program.kernels:
            signature = [
                (kernel.types[one].dtype, kernel.types[one].ndim if isinstance(kernel.types[one], Array) else 0)
                for one in kernel.parameters
            ]
            first = [(one.dtype, 0) for one in kernel.totals if one.operator in ("max", "min")]
            kinds[kernel.name] = [*signature, *first, *((one.dtype, 1) for one in kernel.totals)]
        asked.append((name, draft.module.text, kinds))
    home = next(
        (one for one in ("/usr/local/cuda", os.environ.get("CUDA_HOME", "")) if os.path.isdir(f"{one}/nvvm")), None
    )
    if home is None:
        pytest.skip("there is no NVVM here, which compiles Numba's kernels (CUDA_HOME)")
    done = subprocess.run(
        [sys.executable, "-c", PTX], input=pickle.dumps(asked), capture_output=True, timeout=300,
        env={**os.environ, "CUDA_HOME": home, "NUMBA_ENABLE_CUDASIM": "0"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found = pickle.loads(done.stdout)
    assert len(found) >= 20
    assert [(one[:2], one[3][-1500:]) for one in found if not one[2]] == []
