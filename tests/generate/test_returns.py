"""Which elements of a returned tuple are the caller's own arrays."""

import numpy as np
import pytest

from jitmagic.generate.returns import returned_parts
from tests.backends.numba.harness import observed, workload

CASES = {
    "itself": ("u += 1\n    return u, u.sum()", ("u", None)),
    "both": ("u += v\n    v += u\n    return u, v", ("u", "v")),
    "a view": ("u += 1\n    return u, u[1:]", None),
    "a view by a name": ("w = u[1:]\n    u += 1\n    return u, w", None),
    "bound anew": ("u[:] = 1\n    u = u * 2\n    return u, v", None),
    "not the same on every path": ("u += 1\n    if v.sum() > 0:\n        return u, 1\n    return v, 1", None),
    "no tuple": ("u += 1\n    return u", None),
    "a copy": ("u += 1\n    return u.copy(), u", (None, "u")),
}


@pytest.mark.parametrize("name", CASES)
def test_parts(name):
    body, wanted = CASES[name]
    work = workload(f"def fn(u, v):\n    {body}\n", np.zeros(4), np.ones(4))
    assert returned_parts(work, observed(work), ("u", "v")) == wanted
