"""Arrays of a loop nest that are written over others which nobody reads any more."""

import pytest

from tests.backends.numba.test_regions import check
from tests.backends.numba.test_windows import matrix

X = matrix(6, 9)

OVER = {
    "softmax": (
        """
        def fn(x):
            e = np.exp(x - x.max(axis=1, keepdims=True))
            return e/e.sum(axis=1, keepdims=True)
        """,
        "e_out[{i}, {j}] = result",
    ),
    "a share of each row": (
        """
        def fn(x):
            decay = np.exp(-np.abs(x))
            total = np.sum(decay, axis=1, keepdims=True)
            share = decay/(1 + total)
            return share
        """,
        "decay_out[{i}, {j}] = share",
    ),
    "a named result": (
        """
        def fn(x):
            e = np.exp(-x*x)
            weight = e.sum(axis=1)
            p = e/weight[:, None]
            return p, weight
        """,
        "e_out[{i}, {j}] = p",
    ),
}

APART = {
    "it is returned too": """
        def fn(x):
            e = np.exp(x - x.max(axis=1, keepdims=True))
            p = e/e.sum(axis=1, keepdims=True)
            return e, p
    """,
    "it is read later": """
        def fn(x):
            e = np.exp(x - x.max(axis=1, keepdims=True))
            p = e/e.sum(axis=1, keepdims=True)
            f = e - p.mean(axis=1, keepdims=True)
            return p, f
    """,
    "along another axis": """
        def fn(x):
            e = np.exp(-x*x)
            top = e.max(axis=0)
            p = e/e.sum(axis=1, keepdims=True)
            return p*e[:, :1] + top
    """,
    "another type": """
        def fn(x):
            e = np.exp(x - x.max(axis=1, keepdims=True))
            return e > 0.1*e.sum(axis=1, keepdims=True)
    """,
}


def made(text):
    return text.count("np.empty(")


@pytest.mark.parametrize("name", OVER)
def test_an_array_is_written_over_one_that_is_read_no_more(name):
    source, line = OVER[name]
    text = check(source, (X,), (X[:1],), (X[:, :1],))
    assert any(line.format(i=i, j=j) in text for i in "ijkl" for j in "ijkl"), text
    assert made(text) == 1 + text.count("weight_out = ")


@pytest.mark.parametrize("name", APART)
def test_an_array_that_is_read_again_stays(name):
    check(APART[name], (X,), (X[:1],), (X[:, :1],))


def test_what_nobody_reads_stays_as_it_is():
    source = """
        def fn(x):
            for i in range(len(x)):
                f = np.abs(x[i] + 1)
                g = f*f
            return x*2
    """
    check(source, (X,), (X[:1],), nest=False)
