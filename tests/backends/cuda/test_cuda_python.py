# ruff: noqa: E501 -- functions as people write them
"""CUDA C++ without a GPU: the sources run with g++ in the compiler's place, and go through NVIDIA's compiler to PTX."""

from __future__ import annotations

import cmath
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

CASES = programs.programs()

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
    harness.assert_same(got, wanted, 1e-6 if name in ("cubic", "single", "single_complex") else 1e-12)
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
    text = "#undef INFINITY\n#undef NAN\n"  # as for NVRTC, which includes nothing
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


COMPLEX = [
    "z[i] + w[i]", "z[i] - 2", "z[i] * w[i]", "z[i] / w[i]", "1 / z[i]", "-z[i]", "+z[i]", "z[i] * x[i]", "a[i] + z[i]", "x[i] + 2j",
    "complex(x[i], a[i])", "complex(z[i])", "complex(x[i])", "np.complex64(z[i])", "np.complex128(x[i])", "z[i].real", "z[i].imag",
    "x[i].real", "np.imag(z[i])", "np.real(z[i] * w[i])", "(z[i] + w[i]).imag", "z[i].conjugate()", "np.conj(z[i]) * z[i]",
    "np.conjugate(x[i])", "abs(z[i])", "np.abs(z[i] - w[i])", "np.angle(z[i])", "z[i] ** 2", "z[i] ** 3", "z[i] ** 5", "z[i] ** -2",
    "z[i] ** 0.5", "z[i] ** w[i]", "z[i] ** a[i]", "z[i] ** -a[i]", "x[i] ** (1 + 2j)", "np.power(z[i], 3)", "0j ** z[i]", "np.exp(z[i])",
    "np.exp(1j * x[i])", "np.sqrt(z[i])", "np.sqrt(-x[i] + 0j)", "np.log(z[i])", "np.log10(z[i])", "np.sin(z[i])", "np.cos(z[i])",
    "np.tan(z[i])", "np.sinh(z[i])", "np.cosh(z[i])", "np.tanh(z[i])", "np.tanh(40 * z[i])", "cmath.exp(z[i])", "cmath.sqrt(-x[i])",
    "cmath.phase(z[i])", "cmath.log(x[i])", "np.isnan(z[i])", "np.isfinite(z[i] / 0.5)", "np.isinf(z[i])", "z[i] == w[i]", "z[i] != 1 + 1j", "z[i] == 0",
    "1 if z[i] else 2", "not z[i]", "z[i] if a[i] < 3 else 0.0", "bool(z[i])", "c[i] * c[i] + 1", "c[i] / np.float32(3)", "np.exp(c[i])", "abs(c[i])",
    "c[i] * x[i]", "np.sqrt(c[i])", "z[i] * 1e200 / (w[i] * 1e200)", "np.exp(710 + (0.7 + 0.1*x[i]) * 1j)", "np.log(1 + 1e-9 * z[i])",
]  # fmt: skip


@needs_compiler
@pytest.mark.parametrize("expressions", [ARITHMETIC, COMPLEX], ids=["real", "complex"])
def test_every_operation_is_numpys_own(expressions, monkeypatch):
    """Compares results and dtypes of each expression with what NumPy's function gives, some in one function."""
    cuda_core_stand_in.installed(monkeypatch)
    rng = np.random.default_rng(1)
    x, f, a, m = rng.random(9), rng.random(9).astype("float32"), np.arange(9), rng.random((9, 3))
    z, w = (rng.standard_normal(9) + 1j * rng.standard_normal(9) for _ in "zw")
    z[4], w[5] = 1 + 1j, z[5]
    given = {"x": x, "f": f, "a": a, "m": m, "z": z, "w": w, "c": z.astype("complex64")}
    known = {"np": np, "math": math, "cmath": cmath, "i": 2, **given}
    for begin in range(0, len(expressions), 14):
        several = expressions[begin : begin + 14]
        with np.errstate(all="ignore"):
            kinds = [str(np.asarray(eval(one, known)).dtype).replace("bool", "bool_") for one in several]
        made = [f"    o{k} = np.empty(n, dtype=np.{kind})" for k, kind in enumerate(kinds)]
        body = [f"        o{k}[i] = {one}" for k, one in enumerate(several)]
        names = ", ".join(f"o{k}" for k in range(len(several)))
        head = ["import cmath", "", "", f"def fn({', '.join(given)}):", "    n = len(x)"]
        lines = [*head, *made, "    for i in range(n):", *body, f"    return {names}", ""]
        work, draft = written("\n".join(lines), *given.values())
        assert isinstance(draft, Draft), draft.refusal.reason
        scope = {"__name__": "variant"}
        exec(compile(draft.module.text, "<variant>", "exec"), scope)
        wanted, _ = harness.reference(work)
        for one, got, right in zip(several, scope["fn"](*given.values()), wanted, strict=True):
            assert got.dtype == right.dtype, one
            single = "f" in one or "c[" in one or "64" in one
            np.testing.assert_allclose(got, right, rtol=2e-6 if single else 1e-13, err_msg=one)


def test_a_power_that_may_be_negative_is_refused():
    _, draft = written("def fn(a):\n    out = np.empty(a.size, dtype=np.int64)\n    for i in range(a.size):\n        out[i] = 2 ** a[i]\n    return out\n", np.arange(4))
    assert isinstance(draft, VariantRefusal)
    assert draft.refusal.line == 4


UNWRITTEN = ["z[i] < 1j", "max(z[i], 1j)", "np.maximum(z[i], 1)", "np.arcsin(z[i])", "np.floor(z[i].real) // z[i]", "math.sqrt(z[i])"]


@pytest.mark.parametrize("what", UNWRITTEN)
def test_what_complex_numbers_have_not_is_refused_with_its_line(what):
    source = f"def fn(z):\n    out = np.zeros(len(z), dtype=complex)\n    for i in range(len(z)):\n        out[i] = out[i] if i < 99 else {what}\n    return out\n"
    _, draft = written(source, np.ones(3) + 1j)
    assert isinstance(draft, VariantRefusal)
    assert draft.refusal.line == 4, draft.refusal.reason


def test_complex_numbers_bring_what_is_used_of_them_alone(made):
    text = kernels(made["mandelbrot_complex"][1])
    assert "z = (z * z) + c;" in text
    assert "while ((abs(z) <= 2.0) && (k < limit))" in text
    assert "operator+" in text
    assert "operator/" not in text
    assert "complex64" not in text
    assert "Complex" not in kernels(made["mandelbrot"][1])


def test_names_that_c_has_for_itself_are_changed(monkeypatch):
    _, draft = written("def fn(double, new):\n    out = np.empty(len(double))\n    for i in range(len(double)):\n        out[i] = double[i] * new\n    return out\n", np.ones(4), 2.0)
    assert "const double* double_" in kernels(draft)
    assert "double_[i] * new_" in kernels(draft)
