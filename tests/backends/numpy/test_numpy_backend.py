"""The baseline: the module as it is, loaded so that tracebacks and inspect find its source."""

import inspect
import traceback

import numpy as np
import pytest

from jitmagic.backends.numpy.backend import NumpyBackend
from jitmagic.backends.numpy.runtime import NumpyRuntime
from jitmagic.backends.protocol import Failure
from tests.backends.numba.harness import drafts, observed, workload


def test_the_draft_is_the_users_module():
    work = workload("def fn(x):\n    x += 1\n", np.ones(2))
    draft = drafts(work, NumpyBackend())["numpy"]
    assert draft.module == work.module
    assert (draft.mode, draft.form, draft.entry, draft.written) == ("baseline", "original", "fn", ("x",))


def test_loaded_source_is_found_by_tracebacks_and_inspect():
    function = NumpyRuntime().load("def fn(x):\n    return 1 / x + n\n", "<draft 1>", "fn", {"n": 2})
    assert function(1) == 3
    assert inspect.getsource(function) == "def fn(x):\n    return 1 / x + n\n"
    with pytest.raises(ZeroDivisionError) as caught:
        function(0)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].line == "return 1 / x + n"


def test_two_drafts_do_not_see_each_other():
    runtime = NumpyRuntime()
    one = runtime.load("c = 1\ndef fn():\n    return c\n", "<one>", "fn", {})
    two = runtime.load("c = 2\ndef fn():\n    return c\n", "<two>", "fn", {})
    assert (one(), two()) == (1, 2)


def test_arrays_stay_where_they_are():
    runtime = NumpyRuntime()
    x = np.ones(2)
    assert runtime.to_device(x) is x
    assert runtime.to_host(x) is x
    assert runtime.wait(x) is None
    threads = runtime.threads()
    assert threads is None or threads >= 1
    assert runtime.start("cpu")["versions"]["numpy"] == np.__version__
    with pytest.raises(ValueError, match="CPU only"):
        runtime.start("cuda:0")


def test_a_failing_baseline_is_told_with_its_line():
    work = workload("def fn(x):\n    return x\n", 1.0)
    draft = drafts(work, NumpyBackend())["numpy"]
    line = draft.module.text.splitlines().index("    return x") + 1
    answer = NumpyBackend().revise(work, observed(work), draft, Failure("run", "ValueError", "no", line))
    assert (answer.line, answer.reason) == (2, "the NumPy function itself failed: ValueError: no")
