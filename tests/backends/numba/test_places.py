"""Places of extremes in a nest: the first one, the first NaN, and nothing refused that NumPy takes."""

import re

import numpy as np
import pytest

from tests.backends.numba.harness import assert_same, drafts, reference, workload
from tests.backends.numba.test_regions import call, check
from tests.backends.numba.test_windows import compiled, matrix

X, C = matrix(30, 2), matrix(4, 2, seed=1)
V = matrix(1, 12, seed=2)[0]

SEARCHES = {
    "nearest centre": (
        """
        def fn(x, c):
            d2 = ((x[:, None, :] - c[None, :, :])**2).sum(axis=2)
            label = np.argmin(d2, axis=1)
            return label
        """,
        (X, C),
    ),
    "nearest centre, and how far": (
        """
        def fn(x, c):
            d2 = ((x[:, None, :] - c)**2).sum(axis=-1)
            label = d2.argmin(axis=1)
            near = d2.min(axis=1)
            return label, near
        """,
        (X, C),
    ),
    "in one expression": (
        """
        def fn(x, c):
            return np.argmax(np.abs(x[:, :1] - c[:, 0]), axis=1)
        """,
        (X, C),
    ),
    "largest fall": (
        """
        def fn(p):
            top = np.maximum.accumulate(p)
            fall = top - p
            end = np.argmax(fall)
            return end
        """,
        (V,),
    ),
    "nearest sample": (
        """
        def fn(t, at):
            k = np.argmin(np.abs(t - at))
            return t[k], k
        """,
        (V, 0.3),
    ),
    "two of one array": (
        """
        def fn(p):
            q = p*p - p
            lo = np.argmin(q)
            hi = q.argmax()
            return lo, hi
        """,
        (V,),
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_place_is_found_in_the_nest(name):
    source, args = SEARCHES[name]
    odd = args[0].copy()
    odd.flat[[3, 5, 8]] = np.nan, np.inf, np.nan
    flat = np.zeros_like(args[0])
    rest = args[1:]
    text = check(source, args, (odd, *rest), (flat, *rest), (-odd[:4], *rest), (np.full_like(odd, -np.inf), *rest))
    code = re.sub("#.*", "", text)
    assert "np.argm" not in code
    assert ".argm" not in code


@pytest.mark.parametrize("name", SEARCHES)
def test_in_threads_too(name):
    source, args = SEARCHES[name]
    work = workload(source, *args)
    draft = drafts(work)["numba-parallel"]
    if hasattr(draft, "module"):
        assert_same(compiled(draft, work)(*args), reference(work)[0], 1e-12)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32"])
def test_of_numbers_of_other_types(dtype):
    source = """
        def fn(x, y):
            d = x[:, None] + y
            return np.argmax(d, axis=1), np.argmin(d, axis=1)
    """
    x, y = np.array([5, 1, 3]).astype(dtype), np.array([2, 2, 7, 7]).astype(dtype)
    check(source, (x, y))


def test_of_nothing_there_is_none():
    source, args = SEARCHES["nearest centre"]
    work = workload(source, *args)
    with pytest.raises(ValueError, match="argmin of an empty sequence"):
        call(work, drafts(work)["numba"], (X, C[:0]))


def test_a_place_in_an_index_is_left_where_it_is():
    source = """
        def fn(v):
            s = np.sign(v[np.abs(v).argmax(axis=0), np.arange(v.shape[1])])
            return v*s*2
    """
    check(source, (X,), (X[:1],), nest=False)
