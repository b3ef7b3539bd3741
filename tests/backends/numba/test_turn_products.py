"""Products of vectors with matrices of turns: sums of looked up values, without the matrix."""

import pytest

from tests.backends.numba.harness import BOTH, assert_same, drafts, reference, workload
from tests.backends.numba.test_windows import compiled, matrix

X = matrix(1, 24)[0]

PRODUCTS = {
    "Fourier": """
        def fn(x):
            N = len(x)
            n = np.arange(N)
            k = n.reshape((N, 1))
            W = np.exp(-2j*np.pi*k*n/N)
            return W @ x
    """,
    "cosine, in one expression": """
        def fn(x):
            N = len(x)
            k = np.arange(N)
            return np.dot(np.cos(np.pi*k[:, None]*(2*k + 1)/(2*N)), x)/np.sqrt(N)
    """,
    "of every other number": """
        def fn(x):
            N = len(x)
            n = np.arange(3, 3 + 2*N, 2)
            k = np.arange(N)[:, None]
            return np.exp(2j*np.pi*k*(5 - n)/N) @ x
    """,
    "with a line between": """
        def fn(x):
            N = len(x)
            k = np.arange(1, N + 1)
            S = np.sin(np.pi*k[:, None]*k/(N + 1))
            scale = np.sqrt(2/(N + 1))
            c = S.dot(x)
            return scale*c
    """,
}

UNEVEN = {
    "numbers that are chosen": """
        def fn(x):
            N = len(x)
            m = np.arange(3*N)
            n = m[m % 3 != 1][:N]
            k = np.arange(N)[:, None]
            return np.exp(2j*np.pi*k*n/N) @ x
    """,
    "numbers that are changed": """
        def fn(x):
            N = len(x)
            n = np.arange(N)
            n[N//2] = 1
            k = np.arange(N)[:, None]
            return np.exp(-2j*np.pi*k*n/N) @ x
    """,
    "names like ours": """
        def fn(x):
            turns = len(x)
            steps = np.arange(turns)
            number = np.arange(turns)[:, None]
            return np.exp(-2j*np.pi*number*(steps*steps)/turns) @ x
    """,
    "squares": """
        def fn(x):
            N = len(x)
            n = np.arange(N)
            return np.exp(-2j*np.pi*n[:, None]*(n*n)/N) @ x
    """,
}

LEFT = {
    "read twice": """
        def fn(x):
            N = len(x)
            n = np.arange(N)
            W = np.exp(-2j*np.pi*n[:, None]*n/N)
            return W @ x, W
    """,
    "its numbers change in between": """
        def fn(x):
            N = len(x)
            n = np.arange(N)
            W = np.cos(2*np.pi*n[:, None]*n/N)
            n[0] = 7
            return W @ x + n
    """,
    "in a loop": """
        def fn(x):
            N = len(x)
            n = np.arange(N)
            W = np.cos(2*np.pi*n[:, None]*n/N)/N
            for _ in range(3):
                x = W @ x
            return x
    """,
}


def found(source, variant):
    work = workload(source, X)
    draft = drafts(work)[variant]
    text = draft.module.text
    for x in (X, X[:1], X[:7]):
        assert_same(compiled(draft, work)(x.copy()), reference(workload(source, x))[0], 1e-9)
    return text


@pytest.mark.parametrize("variant", BOTH)
@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product_looks_its_values_up(name, variant):
    text = found(PRODUCTS[name], variant)
    assert "values[turn] * x[j]" in text
    assert "W = " not in text


@pytest.mark.parametrize("name", UNEVEN)
def test_each_turn_is_found_by_itself_where_they_are_not_evenly_spaced(name):
    assert "% period] * x[j]" in found(UNEVEN[name], "numba")


@pytest.mark.parametrize("name", LEFT)
def test_a_matrix_that_is_needed_stays(name):
    assert "_product(" not in found(LEFT[name], "numba")
