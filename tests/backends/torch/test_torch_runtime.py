"""The runtime: arrays to tensors and back, never shared, and the compiled modes end to end."""

import importlib.util
import traceback

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft, Failure
from jitmagic.backends.torch.backend import TorchBackend
from jitmagic.errors import Refusal

torch = pytest.importorskip("torch")

from jitmagic.backends.torch.runtime import TorchRuntime  # noqa: E402
from tests.backends.torch.torch_support import drafts, run, same, watch, workload  # noqa: E402


@pytest.fixture
def runtime():
    made = TorchRuntime()
    made.start("cpu")
    return made


def test_start_says_versions_devices_and_where_builds_are_kept(runtime):
    said = runtime.start("cpu")
    assert said["versions"]["torch"] == torch.__version__
    assert "cpu" in said["devices"]
    assert isinstance(said["cache"], str)
    assert isinstance(said["cache_filled"], bool)
    assert runtime.threads() >= 1


def test_a_device_that_is_not_there_is_an_error():
    if torch.cuda.is_available():
        pytest.skip("a GPU is there")
    with pytest.raises(RuntimeError, match="cuda:0"):
        TorchRuntime().start("cuda:0")


def test_arrays_go_to_tensors_and_back_without_needless_copies(runtime):
    x = np.arange(4.0)
    fixed = np.arange(3.0)
    fixed.flags.writeable = False
    moved = runtime.to_device({"a": [x, (x[::-1], np.float32(2), 3, "s")], "fixed": fixed})
    assert moved["a"][1][0].tolist() == [3, 2, 1, 0]
    assert moved["a"][1][1].dtype == torch.float32
    moved["a"][0][0] = 99
    moved["fixed"][0] = 99
    assert x[0] == 99  # the worker's own array: a variant that writes into it is seen to
    assert fixed[0] == 0
    back = runtime.to_host(moved)
    same({"a": [np.array([99.0, 1, 2, 3]), (np.array([3.0, 2, 1, 0]), np.float32(2), 3, "s")]}, {"a": back["a"]})


def test_lazy_conjugates_and_named_tuples_come_back(runtime):
    z = torch.tensor([1 + 2j])
    same(np.array([1 - 2j], dtype=np.complex64), runtime.to_host(z.conj()))
    back = runtime.to_host(torch.linalg.eigh(torch.eye(2, dtype=torch.float64)))
    assert type(back) is tuple
    assert all(isinstance(b, np.ndarray) for b in back)


def test_a_dtype_that_torch_lacks_is_named(runtime):
    with pytest.raises(TypeError, match="object"):
        runtime.to_device(np.array([None, 1]))


def test_a_traceback_finds_the_source(runtime):
    function = runtime.load("def fn(x):\n    return x.nothing\n", "<draft torch>", "fn", {})
    with pytest.raises(AttributeError) as caught:
        function(1)
    assert "return x.nothing" in "".join(traceback.format_exception(caught.value))


def test_the_backend_imports_no_torch_and_tells_whether_it_is_there():
    backend = TorchBackend()
    found = backend.availability()
    assert found.installed == (importlib.util.find_spec("torch") is not None)
    assert found.versions["torch"] == torch.__version__


def failing(type_, message, line=2):
    source = "def fn(x):\n    return np.sin(x)\n"
    w = workload(source, np.ones(3))
    observation = watch(w).observation
    draft = drafts(w, observation)["torch"]
    at = draft.module.text.splitlines().index("    return torch.sin(x)") + 1
    return TorchBackend().revise(w, observation, draft, Failure("run", type_, message, at if line else None))


@pytest.mark.parametrize(
    ("type_", "message", "words"),
    [
        ("RuntimeError", "quantile() input tensor is too large", "16 million"),
        ("torch._dynamo.exc.Unsupported", "Data-dependent branching\n  Explanation: …", "depends on an array's value"),
        ("torch._dynamo.exc.Unsupported", "Something new\nmore", "one graph: Something new"),
        ("torch._inductor.exc.InductorError", "InvalidCxxCompiler: No working C++ compiler found", "C++ compiler"),
        ("RuntimeError", "\"addmm_impl_cpu_\" not implemented for 'Half'", "floating-point"),
        ("ZeroDivisionError", "", "divided by zero"),
        ("ValueError", "something else", "torch raised ValueError: something else"),
    ],
)
def test_a_failure_is_explained_at_the_users_line(type_, message, words):
    refusal = failing(type_, message)
    assert isinstance(refusal, Refusal)
    assert words in refusal.reason
    assert refusal.reason.startswith("line 6: ")
    assert refusal.line == 6


COMPILED = {
    "elementwise": ("def fn(x):\n    return x + x*x + np.sin(x)*np.sqrt(np.abs(x))", (np.linspace(-1, 1, 30),)),
    "in place": (
        "def fn(u, out):\n    out[1:-1] = u[2:] - 2*u[1:-1] + u[:-2]\n    return out",
        (np.linspace(0, 1, 20) ** 2, np.zeros(20)),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["torch-compile", "torch-numpy"])
@pytest.mark.parametrize("name", COMPILED)
def test_the_compiled_modes_give_what_numpy_gives(variant, name):
    source, args = COMPILED[name]
    w = workload(source, *args)
    watched = watch(w)
    draft = drafts(w, watched.observation)[variant]
    assert isinstance(draft, Draft), draft.refusal
    result, after = run(w, draft)
    same(watched.result, result)
    for label, expected, actual in zip(w.argument_names, watched.args, after, strict=True):
        same(expected, actual, label)
