"""Cholesky's factorisation by hand becomes the library's, with the loops for what it cannot factor."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees
from tests.backends.jax.test_jax_slices import both_sizes, spd
from tests.corpus import linear_algebra

HEAD = "import numpy as np\n\n\n"


def source(function):
    return inspect.getsource(function)


BY_ROWS = source(linear_algebra.cholesky)
SPELLINGS = [
    BY_ROWS,
    BY_ROWS.replace("np.dot(L[i, :j], L[j, :j])", "L[j, :j] @ L[i, :j]"),
    BY_ROWS.replace("np.dot(L[i, :j], L[j, :j])", "(L[i, :j]*L[j, :j]).sum()"),
    BY_ROWS.replace("i == j", "i != j").replace("np.sqrt(A[i, i] - s)", "?").replace(
        "(A[i, j] - s)/L[j, j]", "np.sqrt(A[i, i] - s)").replace("?", "1.0/L[j, j]*(A[i, j] - s)"),
    source(linear_algebra.cholesky_columns),
    source(linear_algebra.cholesky_three_loops),
]  # fmt: skip


def indefinite(n):
    a = spd(n)
    a[n // 2, n // 2] = -1.0
    return a


@pytest.mark.parametrize("text", SPELLINGS)
def test_spellings_of_one_equation(text):
    lopsided = spd(7)
    lopsided[np.triu_indices(7, 1)] = 99.0  # what is above the diagonal is not read
    with np.errstate(invalid="ignore", divide="ignore"):
        made = both_sizes(
            text,
            (spd(5),),
            (spd(9),),
            (spd(1),),
            (lopsided,),
            (indefinite(6),),
            (np.zeros((3, 3)),),
        )
    assert "jnp.linalg.cholesky(jnp.tril(A) + jnp.tril(A, -1).T)" in made


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(A[i, j] - s)/L[j, j]", "(A[i, j] + s)/L[j, j]"),
        ("(A[i, j] - s)/L[j, j]", "(A[i, j] - s)/L[i, j]"),
        ("(A[i, j] - s)/L[j, j]", "(A[j, i] - s)/L[j, j]"),
        ("np.sqrt(A[i, i] - s)", "A[i, i] - s"),
        ("L[j, :j])", "L[j, :j]) + 0.5"),
        ("range(i + 1)", "range(i + 2)"),
        ("L = np.zeros((n, n))", "L = np.ones((n, n))"),
        ("n = A.shape[0]", "n = A.shape[0] - 1"),
        ("L = np.zeros((n, n))", "L = np.zeros((n, n))\n    L[0, 2] = 3.0"),
        ("else:", "else:\n                A[i, j] += 0.0"),
    ],
)
def test_another_equation_keeps_its_loops(old, new):
    text = BY_ROWS.replace(old, new)
    assert text != BY_ROWS
    try:
        made = agrees(HEAD + text, spd(5))
    except (IndexError, AssertionError) as error:
        made = str(error)
    assert "linalg.cholesky" not in made


RAGGED = """
def fn(data, column, start, x):
    n = len(start) - 1
    y = np.zeros(n)
    for i in range(n):
        s = 0.0
        for k in range(start[i], start[i + 1]):
            w = 2*data[k]
            s += w*x[column[k]]
        y[i] = s
    return y
"""


def ragged(lengths, seed=3):
    rng = np.random.default_rng(seed)
    start = np.concatenate(([0], np.cumsum(lengths)))
    return rng.random(start[-1]), rng.integers(0, 7, start[-1]), start, rng.random(7)


def test_long_sums_with_ends_of_the_run_are_made_in_chunks():
    made = both_sizes(RAGGED, ragged([40, 0, 3, 64, 32]), ragged([1, 1]), ragged([0, 200, 31, 33]))
    assert "jnp.sum(jax.vmap(term)(k), where=k < " in made


def test_what_lies_behind_the_end_does_not_count():
    data, column, start, x = ragged([40, 3])
    data[40:] = np.nan
    made = both_sizes(RAGGED, (data, column, start, x))
    assert "jax.vmap(term)" in made


def test_short_sums_and_other_loops_go_step_by_step():
    assert "jax.vmap(term)" not in agrees("import numpy as np\n" + RAGGED, *ragged([4, 0, 3]))
    other = RAGGED.replace("s += w*x[column[k]]", "s = 0.5*s + w*x[column[k]]")
    assert "jax.vmap(term)" not in agrees("import numpy as np\n" + other, *ragged([40, 3]))
