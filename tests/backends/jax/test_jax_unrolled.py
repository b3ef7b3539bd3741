"""Short loops over whole arrays, written out in a variant of their own."""

import numpy as np
import pytest

from jitmagic.backends.jax.backend import JaxBackend
from jitmagic.backends.jax.runtime import JaxRuntime
from jitmagic.backends.protocol import Draft
from jitmagic.observe.run import observe
from tests.backends.jax.jax_workbench import workload_of

RNG = np.random.default_rng(7)
HEAD = "import numpy as np\n\n\n"

CORRELATE = """
def fn(image, kernel):
    kh, kw = kernel.shape
    out = np.zeros((image.shape[0] - kh + 1, image.shape[1] - kw + 1))
    for a in range(kh):
        for b in range(kw):
            out += kernel[a, b]*image[a:a + out.shape[0], b:b + out.shape[1]]
    return out
"""
DISTANCES = """
def fn(x, y):
    d2 = np.zeros((len(x), len(y)))
    for k in range(x.shape[1]):
        diff = x[:, k][:, None] - y[:, k][None, :]
        d2 += diff**2
    return np.sqrt(d2)
"""
BY_AN_ARGUMENT = """
def fn(x, n):
    y = x.copy()
    for k in range(n):
        y = y + np.sin(y)
    return y
"""
OF_NUMBERS = """
def fn(x):
    s = 0.0
    for k in range(x.shape[0]):
        s = s*0.5 + x[k]
    return s
"""
LOOP_INSIDE = """
def fn(x, n):
    y = np.zeros(x.shape[1])
    for k in range(x.shape[0]):
        y = y + x[k]
        for i in range(n):
            y = y*0.9
    return y
"""


def drafts_of(source, *args):
    workload = workload_of(HEAD + source.lstrip(), args)
    seen = observe(
        workload.module.text, workload.function.name, {}, lambda: (args, {}), workload.argument_names
    ).observation
    return [d for d in JaxBackend().drafts(workload, seen) if isinstance(d, Draft)]


@pytest.mark.parametrize(
    ("source", "first", "second"),
    [
        (CORRELATE, (RNG.random((40, 50)), RNG.random((3, 4))), (RNG.random((20, 30)), RNG.random((5, 2)))),
        (DISTANCES, (RNG.random((40, 3)), RNG.random((50, 3))), (RNG.random((9, 4)), RNG.random((7, 4)))),
    ],
)
def test_a_second_variant_has_no_loop_left_and_is_right_for_other_shapes(source, first, second):
    one, other = drafts_of(source, *first)
    assert (one.variant, other.variant, other.mode) == ("jax", "jax-unrolled", "unrolled")
    assert "lax." not in other.module.text
    assert "    for " in other.module.text
    assert any("written out" in note for note in other.notes)
    runtime = JaxRuntime()
    runtime.start("cpu")
    function = runtime.load(other.module.text, "unrolled.py", other.entry, {})
    scope = {}
    exec(HEAD + source, scope)
    for args in (first, second):
        np.testing.assert_allclose(runtime.to_host(function(*args)), scope["fn"](*args), rtol=1e-12)


@pytest.mark.parametrize(
    ("source", "args"),
    [
        (DISTANCES, (RNG.random((40, 33)), RNG.random((50, 33)))),
        (DISTANCES, (RNG.random((40, 1)), RNG.random((50, 1)))),
        (BY_AN_ARGUMENT, (RNG.random(50), 4)),
        (OF_NUMBERS, (RNG.random(6),)),
        (LOOP_INSIDE, (RNG.random((3, 50)), 4)),
    ],
    ids=["too many axes", "one axis", "an argument counts", "numbers", "a loop inside"],
)
def test_no_second_variant(source, args):
    assert [d.variant for d in drafts_of(source, *args)] == ["jax"]


def test_of_loops_that_are_too_many_copies_together_the_inner_ones_are_written_out():
    one, other = drafts_of(CORRELATE, RNG.random((60, 60)), RNG.random((6, 6)))
    assert one.module.text.count("fori_loop") == 2
    assert other.module.text.count("fori_loop") == 1
    assert "for b in range(kw):" in other.module.text
