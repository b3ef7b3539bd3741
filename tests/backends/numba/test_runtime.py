"""Numba's runtime: starts, compiles without running, and finds no harm in wrappers."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from jitmagic.backends.numba import presence  # noqa: E402
from jitmagic.backends.numba.backend import NumbaBackend  # noqa: E402
from jitmagic.backends.numba.runtime import NumbaRuntime  # noqa: E402

SOURCE = "from numba import njit\n\n\n@njit\ndef fn(x, k=2, *more):\n    print('ran')\n    return x * k\n"


def test_it_starts_on_the_cpu_only():
    runtime = NumbaRuntime()
    assert runtime.start("cpu")["versions"]["numba"] == numba.__version__
    assert runtime.threads() == numba.get_num_threads()
    with pytest.raises(ValueError, match="CPU only"):
        runtime.start("cuda:0")


def test_check_compiles_and_does_not_run(capfd):
    runtime = NumbaRuntime()
    function = runtime.load(SOURCE, "<check>", "fn", {})
    runtime.check(function, (np.ones(3),), {"k": 3}, ())
    runtime.check(function, (np.ones(3), 2, 1.0, 2.0), {}, ())
    runtime.check(function, (np.ones(3),), {}, ())
    assert len(function.signatures) == 3
    before = list(function.signatures)
    function(np.ones(3), 2, 1.0, 2.0)
    assert function.signatures == before
    assert capfd.readouterr().out == "ran\n"
    runtime.check(lambda x: 1 / 0, (1,), {}, ())


def test_check_raises_numbas_typing_error():
    runtime = NumbaRuntime()
    source = "from numba import njit\n\n\n@njit\ndef fn(x):\n    return x.nothing\n"
    with pytest.raises(numba.TypingError):
        runtime.check(runtime.load(source, "<typing>", "fn", {}), (np.ones(3),), {}, ())


def test_numba_is_found_without_importing_it(monkeypatch):
    assert NumbaBackend().availability().versions["numba"] == numba.__version__
    monkeypatch.setattr(presence, "find_spec", lambda name: None)
    found = NumbaBackend().availability()
    assert (found.installed, found.remedy) == (False, 'pip install "jitmagic[numba]"')
    assert NumbaBackend().environment("cpu") == {}
