"""Runs the plug-in as jitmagic does; it has to be installed, and Pythran with a C++ compiler."""

import subprocess
import sys

import jitmagic
import numpy as np
import pytest
from jitmagic.backends import all_backends
from jitmagic.gotchas.registry import explain

from jitmagic_pythran.types import NoType, type_of


def pairs(p):
    """Loops that NumPy is slow at."""
    n = p.shape[0]
    total = 0.0
    for i in range(n):
        for j in range(i):
            d = p[i] - p[j]
            total += np.sqrt((d * d).sum())
    return total


def scaled(x, k):
    x *= k


def noisy(x):
    return x + np.random.normal(size=x.shape)


def unknown(x):
    y = x + 1.0
    return np.linalg.eigvalsh(y)


def compared(function, *args):
    return jitmagic.compare(function, *args, backends=["pythran"], budget=0.2)


def test_a_loop_is_compiled_verified_and_timed():
    found = compared(pairs, np.random.default_rng(0).normal(size=(60, 3)))
    variant = found["pythran"]
    assert variant.verified is True, variant.reason
    assert variant.verdict == "faster"
    assert found.record["libraries"]["jitmagic-pythran"]
    # what is kept runs by itself, and is compiled
    p = np.random.default_rng(1).normal(size=(9, 3))
    np.testing.assert_allclose(variant.build()(p), pairs(p))


def test_an_argument_is_written_in_place():
    assert compared(scaled, np.arange(1000.0), 2.0)["pythran"].verified is True


def test_random_numbers_are_refused_with_their_line_and_named_by_a_rule():
    found = compared(noisy, np.zeros(10))
    assert found["pythran"].verdict == "unsupported"
    assert "line" in found["pythran"].reason
    (gotcha,) = [one for one in found.record["gotchas"] if one["code"] == "PYTHRAN-RANDOM"]
    assert gotcha["origin"].startswith("jitmagic-pythran ")
    assert "jitmagic-pythran" in explain("PYTHRAN-RANDOM")


def test_what_pythran_does_not_compile_has_its_reason_with_the_users_line():
    variant = compared(unknown, np.eye(4))["pythran"]
    assert variant.verdict == "unsupported"
    line = unknown.__code__.co_firstlineno + 2
    assert variant.reason.startswith(f"Pythran does not compile line {line}: "), variant.reason


def test_types():
    assert type_of("x", np.zeros((2, 3, 4))) == "float64[:, :, :]"
    assert type_of("x", np.zeros(6)[::2]) == "float64[::]"
    assert type_of("x", (1, 2.0)) == "(int, float)"
    assert type_of("x", [1.0, 2.0]) == "float list"
    for value in (np.zeros((4, 4))[::2, ::2], np.array(1.0), [1, 2.0], object(), np.zeros(2, np.float16)):
        with pytest.raises(NoType, match="argument x"):
            type_of("x", value)


def test_the_users_process_never_imports_pythran():
    told = subprocess.run(
        [sys.executable, "-c",
         "from jitmagic.backends import all_backends; all_backends()['pythran'].availability(); "
         "import sys; print('pythran' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )
    assert told.stdout.strip() == "False", told.stderr
    assert all_backends()["pythran"].availability().installed
