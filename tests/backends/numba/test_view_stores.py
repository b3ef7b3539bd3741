"""Stores into arrays of which parts have names: in parallel mode by a function of their own."""

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

X = np.random.default_rng(4).standard_normal(400)

VIEWED = {
    "a stencil over named parts": """
        def fn(x):
            u = x.copy()
            inner, left, right = u[1:-1], u[:-2], u[2:]
            for _ in range(4):
                u[1:-1] = inner + 0.1*(left - 2*inner + right)
            return u
    """,
    "two arrays that change each other": """
        def fn(x):
            f, b = x.copy(), x.copy()
            for m in range(4):
                ff = f[m + 1:]
                bb = b[m:len(x) - 1]
                up = ff + 0.3*bb
                down = bb + 0.3*ff
                f[m + 1:] = up
                b[m + 1:] = down
            return f, b
    """,
    "in place": """
        def fn(x):
            u = x.copy()
            left = u[:-1]
            for _ in range(3):
                u[1:] += 0.5*left
            return u
    """,
}


@pytest.mark.parametrize("name", VIEWED)
def test_parts_that_have_names_are_read_before_the_store(name):
    work = workload(VIEWED[name], X)
    draft = drafts(work)["numba-parallel"]
    assert isinstance(draft, Draft), draft
    assert "stored(" in draft.module.text
    got, _ = run(work, draft, "views")
    assert_same(got, reference(work)[0], 1e-12)


def test_arrays_without_such_names_are_stored_into_as_before():
    source = """
    def fn(x):
        u, v = x.copy(), x.copy()
        for _ in range(3):
            v[1:-1] = 0.5*(u[:-2] + u[2:])
            u, v = v, u
        picked = u[np.array([1, 2, 3])]
        u[:3] = picked*2
        return u
    """
    draft = drafts(workload(source, X))["numba-parallel"]
    assert isinstance(draft, Draft), draft
    assert "stored(" not in draft.module.text
