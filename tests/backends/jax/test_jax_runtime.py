"""The runtime: arrays to and fro, tracing without computing, and what it says of a loop that was written out."""

import numpy as np
import pytest

from jitmagic.backends.jax.backend import JaxBackend
from jitmagic.backends.jax.runtime import JaxRuntime, TooManyEquations


@pytest.fixture
def runtime():
    made = JaxRuntime()
    made.start("cpu")
    return made


def test_nested_values_come_back_as_they_went(runtime):
    value = (np.arange(3), [np.float32(2.5), {"a": np.eye(2, dtype="complex64")}], "text", None, 3)
    host = runtime.to_host(runtime.to_device(value))
    assert isinstance(host[0], np.ndarray)
    assert host[0].dtype == np.int64
    assert type(host[1][0]) is np.float32
    assert host[1][1]["a"].dtype == np.complex64
    assert host[2:] == ("text", None, 3)


def test_the_check_traces_the_core_of_a_wrapper_and_computes_nothing(runtime):
    source = "import jax\n\n@jax.jit\ndef _fn(a):\n    return a.undefined\n\ndef fn(a):\n    a[...] = _fn(a)\n"
    function = runtime.load(source, "<wrapper>", "fn", {})
    given = np.ones(3)
    with pytest.raises(AttributeError):
        runtime.check(function, (given,), {}, ())
    sound = runtime.load(source.replace("a.undefined", "a * 2"), "<wrapper>", "fn", {})
    runtime.check(sound, (given,), {}, ())
    assert given.tolist() == [1, 1, 1]
    sound(given)
    assert given.tolist() == [2, 2, 2]


def test_too_many_equations_are_named(runtime):
    source = "import jax\n\n@jax.jit\ndef fn(a):\n    for i in range(30000):\n        a = a + i\n    return a\n"
    function = runtime.load(source, "<unrolled>", "fn", {})
    with pytest.raises(TooManyEquations, match="20,000"):
        runtime.check(function, (np.ones(3),), {}, ())


def test_a_device_that_is_not_there_is_named(runtime):
    with pytest.raises(RuntimeError, match="take a smaller number"):
        JaxRuntime().start("cpu:99")


def test_the_source_is_found_by_inspect(runtime):
    import inspect

    function = runtime.load("def fn(a):\n    return a\n", "<found>", "fn", {})
    assert inspect.getsource(function) == "def fn(a):\n    return a\n"


def test_the_backend_imports_no_jax():
    import subprocess
    import sys

    code = (
        "import sys; from jitmagic.backends.jax.backend import JaxBackend; b = JaxBackend(); "
        "assert b.availability().installed and b.environment('cuda:0')['JAX_PLATFORMS'] == 'cuda,cpu'; "
        "assert 'jax' not in sys.modules and 'jaxlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert JaxBackend.runtime.endswith(":JaxRuntime")
