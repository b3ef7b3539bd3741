# ruff: noqa: E501 -- functions as people write them
"""CUDA C++ without a GPU: the sources run with g++ in the compiler's place, and go through NVIDIA's compiler to PTX."""

from __future__ import annotations

import copy
import math
import shutil
import subprocess

import numpy as np
import pytest

from jitmagic.backends.cuda.backend import CudaPythonBackend
from jitmagic.backends.protocol import Draft, VariantRefusal
from tests.backends.cuda import cuda_core_stand_in, programs
from tests.backends.numba import harness

CASES = {name: case for name, case in programs.programs().items() if name != "mandelbrot_complex"}

# the stand-in compiles the kernels for the CPU; CI installs it, and a skip is a failure there
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++ here")


def written(source, *args):
    work = harness.workload(source, *args)
    (made,) = CudaPythonBackend().drafts(work, harness.observed(work))
    return work, made


@pytest.fixture(scope="module")
def made():
    return {name: written(source, *args) for name, (source, args) in CASES.items()}


def kernels(draft):
    return draft.module.text.partition('KERNELS = r"""')[2].partition('"""')[0]


@needs_compiler
@pytest.mark.parametrize("name", sorted(CASES))
def test_the_source_gives_numpys_result(name, made, monkeypatch):
    cuda_core_stand_in.installed(monkeypatch)
    work, draft = made[name]
    assert isinstance(draft, Draft), draft.refusal.reason
    wanted, after = harness.reference(work)
    scope = {"__name__": "variant"}
    exec(compile(draft.module.text, "<variant>", "exec"), scope)
    given = copy.deepcopy(list(work.args))
    got = scope[draft.entry](*given)
    harness.assert_same(got, wanted, 1e-6 if name in ("cubic", "single") else 1e-12)
    for one, other in zip(given, after, strict=True):
        harness.assert_same(one, other, 1e-12)
    there = [scope["on_device"](one) if isinstance(one, np.ndarray) else one for one in copy.deepcopy(list(work.args))]
    result = scope[draft.entry](*there)
    several = result if isinstance(result, tuple) else (result,)
    for one, other in zip(several, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        assert hasattr(one, "copy_to_host") == isinstance(other, np.ndarray)
        harness.assert_same(one.copy_to_host() if hasattr(one, "copy_to_host") else one, other, 1e-6)


# NVIDIA's toolkit takes gigabytes that CI does not install: the same kernels run on the stand-in everywhere
@pytest.mark.cuda_toolkit
@pytest.mark.skipif(shutil.which("nvcc") is None, reason="there is no nvcc here")
def test_kernels_compile_to_ptx(made, tmp_path):
    # all in one run of the compiler, each in a namespace of its own
    text = ""
    for name, (_, draft) in made.items():
        assert kernels(draft).count('extern "C" __global__') >= 1
        inside = kernels(draft).replace('extern "C" ', "")
        text += f"namespace {name} {{\n{inside}\n}}\n"
    (tmp_path / "all.cu").write_text(text)
    done = subprocess.run(
        ["nvcc", "-ptx", "-std=c++17", "-arch=compute_80", "--Werror", "all-warnings", "all.cu"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, (done.stderr + done.stdout)[:3000]
    assert (tmp_path / "all.ptx").read_text().count(".visible .entry") == text.count("__global__")


ARITHMETIC = [
    "x[i] // 0.3", "x[i] % 0.3", "-x[i] % 0.3", "(-x[i]) // 0.3", "a[i] // 3", "-a[i] // 3", "a[i] % -3", "a[i] % 5", "a[i] ** 2",
    "x[i] ** 3", "x[i] ** -1", "x[i] ** 0.5", "x[i] ** a[i]", "a[i] / 4", "f[i] / 3", "f[i] * f[i]", "f[i] + 1", "f[i] ** 2",
    "np.float32(2) * f[i]", "a[i] * x[i]", "a[i] << 2", "a[i] >> 1", "a[i] & 6", "a[i] | 1", "a[i] ^ 3", "~a[i]", "not a[i]",
    "abs(a[i])", "abs(-x[i])", "min(x[i], 0.5)", "max(a[i], 2, 3)", "min(a[i], x[i])", "np.maximum(x[i], 0.4)", "np.minimum(f[i], x[i])",
    "int(x[i] * 10)", "float(a[i])", "1 if x[i] > 0.5 else 2.5", "x[i] > 0.2 and x[i] < 0.7", "0.2 < x[i] < 0.7",
    "x[i] > 0.5 or a[i] == 2", "math.sqrt(a[i])", "np.sqrt(f[i])", "np.sin(f[i])", "np.arctan2(x[i], f[i])", "np.floor(x[i] * 7)",
    "np.hypot(x[i], 2)", "np.exp(-x[i])", "np.isnan(x[i])", "math.pi * x[i]", "np.float64(a[i]) / 3", "x[-1]", "x[i - 1]", "x[-i]",
    "m[i, 1] + m[i - 2, -1]", "m[i][0]", "x[a[i]]", "x.size + len(m) + m.shape[1]", "np.deg2rad(x[i])", "(x[i] > 0.5) + a[i]",
    "x[i] if a[i] else f[i]", "1 << a[i]", "a[i] == 3 and not (x[i] > 0.9)", "np.abs(f[i] - 1)", "10000000000 * a[i]",
]  # fmt: skip


@needs_compiler
def test_every_operation_is_numpys_own(monkeypatch):
    """Compares results and dtypes of each expression with what NumPy's function gives, some in one function."""
    cuda_core_stand_in.installed(monkeypatch)
    rng = np.random.default_rng(1)
    x, f, a, m = rng.random(9), rng.random(9).astype("float32"), np.arange(9), rng.random((9, 3))
    known = {"np": np, "math": math, "x": x, "f": f, "a": a, "m": m, "i": 2}
    for begin in range(0, len(ARITHMETIC), 14):
        several = ARITHMETIC[begin : begin + 14]
        with np.errstate(all="ignore"):
            kinds = [str(np.asarray(eval(one, known)).dtype).replace("bool", "bool_") for one in several]
        made = [f"    o{k} = np.empty(n, dtype=np.{kind})" for k, kind in enumerate(kinds)]
        body = [f"        o{k}[i] = {one}" for k, one in enumerate(several)]
        names = ", ".join(f"o{k}" for k in range(len(several)))
        lines = ["def fn(x, f, a, m):", "    n = len(x)", *made, "    for i in range(n):", *body, f"    return {names}", ""]
        work, draft = written("\n".join(lines), x, f, a, m)
        assert isinstance(draft, Draft), draft.refusal.reason
        scope = {"__name__": "variant"}
        exec(compile(draft.module.text, "<variant>", "exec"), scope)
        wanted, _ = harness.reference(work)
        for one, got, right in zip(several, scope["fn"](x, f, a, m), wanted, strict=True):
            assert got.dtype == right.dtype, one
            np.testing.assert_allclose(got, right, rtol=2e-6 if "f" in one else 1e-13, err_msg=one)


def test_a_power_that_may_be_negative_is_refused():
    _, draft = written("def fn(a):\n    out = np.empty(a.size, dtype=np.int64)\n    for i in range(a.size):\n        out[i] = 2 ** a[i]\n    return out\n", np.arange(4))
    assert isinstance(draft, VariantRefusal)
    assert draft.refusal.line == 4


def test_complex_numbers_are_refused_with_their_line():
    source, args = programs.programs()["mandelbrot_complex"]
    _, draft = written(source, *args)
    assert isinstance(draft, VariantRefusal)
    assert "complex" in draft.refusal.reason


def test_names_that_c_has_for_itself_are_changed(monkeypatch):
    _, draft = written("def fn(double, new):\n    out = np.empty(len(double))\n    for i in range(len(double)):\n        out[i] = double[i] * new\n    return out\n", np.ones(4), 2.0)
    assert "const double* double_" in kernels(draft)
    assert "double_[i] * new_" in kernels(draft)
