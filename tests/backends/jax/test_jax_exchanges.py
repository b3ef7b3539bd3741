"""Double buffers of which one is returned: its contents, the caller's array, and which object it is."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees, make, run_both, same

RNG = np.random.default_rng(4)
HEAD = "import numpy as np\n\n\n"


def the_argument_is_returned(T, n):
    new = T.copy()
    for _ in range(n):
        new[1:-1] = 0.5 * (T[2:] + T[:-2])
        T, new = new, T
    return T


def the_other_is_returned(T, n):
    new = np.zeros_like(T)
    for step in range(n):
        new[1:-1] = T[1:-1] + 0.1 * step * (T[2:] - T[:-2])
        T, new = new, T
    return new


def both_are_returned(T, n):
    new = T.copy()
    for _ in range(n):
        new[1:-1] = 0.5 * (T[2:] + T[:-2])
        T, new = new, T
    return T, new


@pytest.mark.parametrize("exchanges", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("function", [the_argument_is_returned, the_other_is_returned], ids=lambda f: f.__name__)
def test_agrees_and_is_the_same_object(function, exchanges):
    # run_both asserts that what NumPy returns of the caller's own is the caller's own
    made, ours, theirs = run_both(HEAD + inspect.getsource(function), RNG.random(9), exchanges)
    same(ours, theirs, made.text)


def test_a_source_made_for_an_even_number_is_right_for_an_odd_one():
    made = make(HEAD + inspect.getsource(the_argument_is_returned), RNG.random(9), 4)
    for exchanges in (3, 6, 7):
        mine, theirs = np.linspace(0, 1, 9) ** 2, np.linspace(0, 1, 9) ** 2
        result, expected = made.function(mine, exchanges), the_argument_is_returned(theirs, exchanges)
        np.testing.assert_allclose(np.asarray(result), expected)
        np.testing.assert_allclose(mine, theirs)
        assert (result is mine) == (expected is theirs)


def test_the_flag_comes_back_with_the_value():
    text = agrees(HEAD + inspect.getsource(the_argument_is_returned), RNG.random(9), 3)
    assert text.endswith("    T[...] = new_T\n    return result if swapped else T\n")


def test_two_that_are_returned_are_refused():
    assert make(HEAD + inspect.getsource(both_are_returned), RNG.random(9), 3).refusal is not None
