"""Dicts of parameters: named tuples that the wrapper makes; refused with the line where they are more than that."""

import re

import numpy as np
import pytest

from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

RNG = np.random.default_rng(5)

DRAG = """
def drag(v, params):
    return 0.5*params["rho"]*params["area"]*v**2

def fn(v, params, dt=0.01):
    # a body that slows down
    for _ in range(100):
        v = v - drag(v, params)/params["mass"]*dt
    return v
"""
VALUES = {"rho": 1.2, "area": np.float64(0.3), "mass": 2, "name": "ball"}


def test_keys_are_fields_also_in_helpers():
    work = workload(DRAG, 30.0, VALUES)
    draft = drafts(work)["numba"]
    text = draft.module.text
    assert 'Params = namedtuple("Params", "mass rho area")' in text
    assert 'params = Params(params["mass"], params["rho"], params["area"])' in text
    assert "drag(v, params)/params.mass*dt" in text
    assert "# a body that slows down" in text
    got, _ = run(work, draft, "drag")
    assert_same(got, reference(work)[0], 1e-12)


def test_keys_that_are_no_names_have_fields_too():
    source = """
    def fn(x, k):
        return x*k["lambda"] + k["k-1"]*k["2nd"]*k["_a"]
    """
    work = workload(source, RNG.random(7), {"lambda": 2.0, "k-1": np.arange(7.0), "2nd": 3, "_a": 0.5})
    draft = drafts(work)["numba"]
    assert "x*k.value_lambda + k.k_1*k.value_2nd*k.a" in draft.module.text
    got, _ = run(work, draft, "fields")
    assert_same(got, reference(work)[0], 1e-12)


def test_functions_inside_take_it_too_under_any_name():
    source = """
    def fn(y, pars, steps):
        def slope(y, p):
            return -p["rate"]*y

        def push(y):
            return y + pars["step"]*slope(y, pars)

        for _ in range(steps):
            y = push(y)
        return y
    """
    work = workload(source, RNG.random(4), {"rate": 0.5, "step": 0.1}, 5)
    draft = drafts(work)["numba"]
    assert "return -p.rate*y" in draft.module.text
    assert "pars.step*" in draft.module.text
    got, _ = run(work, draft, "inside")
    assert_same(got, reference(work)[0], 1e-12)


@pytest.mark.parametrize(
    ("body", "why"),
    [("    p['n'] = 2\n    return x*p['n']", "line 2: .*`p` is changed"),
     ("    s = 0.0\n    for k in p:\n        s += p[k]\n    return x*s", "line 3: .*is used as a whole"),
     ("    p = {'n': 3}\n    return x*p['n']", "line 2: .*is bound anew")],
)  # fmt: skip
def test_more_than_reading_by_keys_is_refused_with_the_line(body, why):
    found = drafts(workload(f"def fn(x, p):\n{body}\n", RNG.random(3), {"n": 1.0}))
    reason = found["numba"].refusal.reason
    assert re.search(why, reason), reason
