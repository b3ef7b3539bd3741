"""CuPy's source: what it reads like, and that it computes what NumPy computes, on a stand-in with CuPy's manners."""

import copy
import dataclasses

import numpy as np
import pytest

from jitmagic.backends.cupy import checks, presence
from jitmagic.backends.cupy.backend import CupyBackend
from jitmagic.backends.numpy.runtime import NumpyRuntime
from jitmagic.backends.protocol import Draft, Failure, VariantRefusal
from tests.backends.cupy import stand_in
from tests.backends.numba.harness import assert_same, drafts, observed, reference, workload
from tests.backends.numba.programs import PROGRAMS


def run(work, draft, name):
    """Runs a draft on the stand-in; returns the result and the arguments as it left them, on the host."""
    with stand_in.installed(), np.errstate(all="ignore"):
        function = NumpyRuntime().load(draft.module.text, f"<{name}>", draft.entry, dict(work.constants))
        args, kwargs = copy.deepcopy((work.args, dict(work.kwargs)))
        labels = work.argument_names
        moved = [a if labels[i] in draft.written else stand_in.device(a) for i, a in enumerate(args)]
        named = {k: v if k in draft.written else stand_in.device(v) for k, v in kwargs.items()}
        result = function(*moved, **named)
        return stand_in.host(result), [stand_in.host(a) for a in moved]


def draft_of(source, *args, **kwargs):
    return drafts(workload(source, *args, **kwargs), CupyBackend())["cupy"]


ARRAYS = [
    "polynomial in float32",
    "sigmoid with a clip",
    "relu",
    "sum of float32",
    "norms",
    "axis reductions",
    "standardise",
    "softmax",
    "heat stencil on slices",
    "matrix product",
    "einsum",
    "in place",
    "out keyword",
    "weighted sum of arrays",
    "stacking",
    "mask of a matrix",
    "keyword-only",
    "runge-kutta",
    "cumulative sums",
    "int8 image",
]


@pytest.mark.parametrize("name", ARRAYS)
def test_array_programs_compute_the_same(name):
    source, args, _, *rest = PROGRAMS[name]
    work = workload(source, *args, **(rest[0] if rest else {}))
    draft = drafts(work, CupyBackend())["cupy"]
    assert isinstance(draft, Draft), draft
    assert "np." not in draft.module.text
    wanted, left = reference(work)
    got, after = run(work, draft, name)
    assert_same(got, wanted, 1e-12)
    for one, two in zip(after, left, strict=True):
        assert_same(one, two, 1e-12)


def test_the_source_is_the_users_with_other_functions():
    draft = draft_of("def fn(x):  # root\n    # of squares\n    return np.sqrt(x * x)\n", np.ones(3))
    assert (
        draft.module.text == "import cupy as cp\n\n\ndef fn(x):  # root\n    # of squares\n    return cp.sqrt(x * x)\n"
    )


def test_a_written_argument_is_copied_there_and_back():
    draft = draft_of("def fn(x, out):\n    out[:] = np.sin(x)\n    return out\n", np.ones(3), np.zeros(3))
    assert draft.written == ("out",)
    assert draft.module.text == (
        "import cupy as cp\n\n\ndef _fn(x, out):\n    out[:] = cp.sin(x)\n    return out\n\n\n"
        "def fn(x, out):\n    out_gpu = cp.asarray(out)\n    _fn(x, out_gpu)\n"
        "    # the caller's arrays live on the host\n"
        "    out[...] = cp.asnumpy(out_gpu)\n    return out\n"
    )


def test_the_same_object_comes_back():
    work = workload("def fn(x):\n    x *= 2\n    return x\n", np.ones(3))
    draft = drafts(work, CupyBackend())["cupy"]
    result, args = run(work, draft, "same")
    assert result is args[0]


def test_arguments_returned_in_a_tuple_are_the_same_objects():
    work = workload("def fn(u, v):\n    u += v\n    return u, u.sum()\n", np.ones(3), np.ones(3))
    draft = drafts(work, CupyBackend())["cupy"]
    assert draft.module.text.endswith("    return u, result[1]\n")
    result, args = run(work, draft, "tuple")
    assert result[0] is args[0]


def test_constant_arrays_go_to_the_gpu_once():
    work = workload("def fn(x):\n    return x @ table\n", np.ones(3), needs={"table": np.arange(3.0)})
    draft = drafts(work, CupyBackend())["cupy"]
    assert "table = cp.asarray(table)\n" in draft.module.text
    assert run(work, draft, "table")[0] == 3.0


LOOP = "def fn(x):\n    y = x.copy()\n    for i in range(1, x.size):\n        y[i] = y[i - 1] * 2\n    return y\n"
REFUSED = {
    "missing": ("CP-NOFUNC", 2, "def fn(x):\n    return np.insert(x, [0, 2], 1.0)\n", (np.ones(3),)),
    "parameter": ("CP-NOFUNC", 2, "def fn(x):\n    return np.sum(x, where=x > 0)\n", (np.ones(3),)),
    "ufunc parameter": ("CP-NOFUNC", 2, "def fn(x):\n    return np.log(x, where=x > 0)\n", (np.ones(3),)),
    "ufunc method": ("CP-UFMETH", 2, "def fn(x):\n    return np.logaddexp.reduce(x)\n", (np.ones(3),)),
    "attribute": ("CP-NOFUNC", 2, "def fn(x):\n    return x.ctypes is not None\n", (np.ones(3),)),
}


@pytest.mark.parametrize(("code", "line", "source", "args"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_the_line(code, line, source, args):
    answer = draft_of(source, *args)
    assert isinstance(answer, VariantRefusal)
    assert (answer.refusal.code, answer.refusal.line) == (code, line)


def test_a_loop_over_elements_is_noted_with_what_it_costs():
    draft = draft_of(LOOP, np.ones(401))
    cost = "1 200 kernels one after the other, about 12 ms at 10 µs each"
    assert draft.notes == (f"the loop of line 3 runs step by step: {cost}",)


def test_a_loop_that_would_take_too_long_is_refused_with_the_figure(monkeypatch):
    monkeypatch.setattr(checks, "MOST_SECONDS", 0.01)
    answer = draft_of(LOOP, np.ones(401))
    assert (answer.refusal.code, answer.refusal.line) == ("CP-LOOP", 3)
    assert "400 trips" in answer.refusal.reason
    assert "about 12 ms" in answer.refusal.reason


def test_a_time_loop_of_array_steps_is_let_through():
    source = "def fn(u, n):\n    for _ in range(n):\n        u = u + 0.1 * np.sin(u)\n    return u\n"
    assert isinstance(draft_of(source, np.ones(4), 2000), Draft)


def test_overlapping_arguments_that_are_written_are_refused():
    work = workload("def fn(a, b):\n    a[:] = b\n", np.zeros(4), np.ones(4))
    facts = observed(work)
    assert isinstance(CupyBackend().drafts(work, facts)[0], Draft)
    answer = CupyBackend().drafts(work, dataclasses.replace(facts, overlapping=(("a", "b"),)))[0]
    assert isinstance(answer, VariantRefusal)
    assert "share memory" in answer.refusal.reason


def test_a_condition_on_a_result_is_noted():
    draft = draft_of("def fn(x):\n    if x.sum() > 1:\n        return x\n    return -x\n", np.ones(3))
    assert any("line 2" in note and "waits" in note for note in draft.notes)


def test_a_missing_function_is_told_from_cupys_error():
    work = workload("def fn(x):\n    return np.heaviside(x, 0.5)\n", np.ones(3))
    backend = CupyBackend()
    draft = drafts(work, backend)["cupy"]
    line = draft.module.text.splitlines().index("    return cp.heaviside(x, 0.5)") + 1
    failure = Failure("check", "builtins.AttributeError", "module 'cupy' has no attribute 'heaviside'", line)
    answer = backend.revise(work, None, draft, failure)
    assert (answer.line, answer.reason) == (2, "line 2: CuPy has no `heaviside`")


def test_without_cupy_the_remedy_fits_the_driver(monkeypatch):
    def missing(name):
        raise presence.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(presence.metadata, "version", missing)
    monkeypatch.setattr(presence, "_driver_version", lambda: 590)
    assert CupyBackend().availability().remedy == 'pip install "jitmagic[cuda13]"'
    monkeypatch.setattr(presence, "_driver_version", lambda: None)
    assert CupyBackend().availability().remedy == 'pip install "jitmagic[cuda12]"'


def test_without_a_driver_the_reason_says_so(monkeypatch):
    def version(name):
        if name != "cupy-cuda12x":
            raise presence.metadata.PackageNotFoundError(name)
        return "14.2.0"

    monkeypatch.setattr(presence.metadata, "version", version)
    monkeypatch.setattr(presence, "driver_loaded", lambda: False)
    found = CupyBackend().availability()
    assert found.installed
    assert "no NVIDIA GPU" in found.reason
