# ruff: noqa: E501 -- a case is a line.
"""np.unravel_index and np.ix_ for Numba: what is written, what it gives, and what stays NumPy's."""

from dataclasses import replace

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

RNG = np.random.default_rng(3)
D = RNG.random((6, 5))
CUBE = RNG.random((3, 4, 5))

CASES = {
    "two axes": ("i, j = np.unravel_index(np.argmin(x), x.shape)\nreturn i, j, x[i, j]", D, "indices_of(np.argmin(x), x.shape)"),
    "three axes": ("k = np.unravel_index(x.argmax(), shape=x.shape)\nreturn x[k], k[2]", CUBE, "divmod(i2, shape[2])"),
    "a shape that is written out": (
        "s = 0.0\nfor p in range(12):\n    i, j = np.unravel_index(p, (3, 4))\n    s += x[i, j]*p\nreturn s", D,
        "indices_of(p, (3, 4))",
    ),
    "lists of rows and columns": (
        "keep = [k for k in range(len(x)) if x[k, 0] > 0.2]\nreturn x[np.ix_(keep, [0, 2])]", D, "x[np.array(keep)][:, np.array([0, 2])]",
    ),
    "masks": ("m = x[:, 0] > 0.4\nj = np.arange(0, 5, 2)\ny = x[np.ix_(m, j)]\ny[0, 0] = 3\nreturn y, x", D, "x[m][:, j]"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_places_are_written_as_numba_has_them(case):
    body, x, wanted = CASES[case]
    source = "def fn(x):\n" + "\n".join(f"    {line}" for line in body.splitlines()) + "\n"
    work = workload(source, x)
    draft = drafts(work)["numba"]
    assert isinstance(draft, Draft), draft
    assert wanted in draft.module.text
    assert "objmode" not in draft.module.text
    got, _ = run(work, draft, case)
    assert_same(got, reference(work)[0], 1e-12)


def test_a_place_outside_raises_as_in_numpy():
    source = "def fn(x, p):\n    i, j = np.unravel_index(p, x.shape)\n    return x[i, j]\n"
    work = workload(source, D, 7)
    draft = drafts(work)["numba"]
    with pytest.raises(ValueError, match="out of bounds"):
        run(replace(work, args=(D, 30)), draft, "outside")


@pytest.mark.parametrize("body", ["x[np.ix_([0, 1], [2])] = 0.0\n", "x[np.ix_([0, 1], [2])] += 1.0\n"])
def test_a_store_at_crossings_is_left_as_it_is(body):
    work = workload(f"def fn(x):\n    {body}    return x\n", D.copy())
    draft = drafts(work)["numba"]
    assert not isinstance(draft, Draft) or "][:, " not in draft.module.text
