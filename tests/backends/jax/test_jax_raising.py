"""Exceptions that depend on values: the wrapper raises what NumPy raises, and gives the same where it does not."""

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees, make

HEAD = "import numpy as np\n\n\n"

NEWTON = (
    HEAD
    + """
def root(a, tol=1e-10, most=50):
    x = a
    for k in range(most):
        dx = (x*x - a)/(2*x)
        x = x - dx
        if abs(dx) < tol:
            return x, k
    raise RuntimeError(f"no root in {most} steps")
"""
)

ELSE = (
    HEAD
    + """
def relaxed(b, most=400, tol=1e-10):
    x = np.zeros_like(b)
    r = b - 2*x
    for k in range(most):
        x = x + 0.1*r
        r = b - 2*x
        if np.linalg.norm(r) < tol:
            break
    else:
        raise ValueError("not converged")
    return x
"""
)

CHECKS = (
    HEAD
    + '''
def scaled(A, b):
    """Solves."""
    d = np.linalg.det(A)
    if abs(d) < 1e-12:
        raise np.linalg.LinAlgError("singular")
    y = np.linalg.solve(A, b)
    if (y > 1e6).any():
        raise ValueError("too large")
    elif len(b) > 3:
        y = y*1.5
    return y, d
'''
)

EARLY = (
    HEAD
    + """
def early(x):
    s = x.sum()
    if s > 10:
        return s
    if s < 0:
        raise ValueError("negative")
    return np.sqrt(s)
"""
)


def raises_alike(source, good, bad, error, match):
    agrees(source, *good)
    made = make(source, *good)
    with pytest.raises(error, match=match):
        made.function(*bad)
    scope = {}
    exec(source, scope)
    with pytest.raises(error, match=match):
        scope[made.draft.entry](*bad)
    return made.text


def why_not(source, *args):
    """Returns why the whole is not compiled."""
    made = make(source, *args)
    return made.refusal if made.refusal is not None else made.draft.refusal


def test_no_convergence():
    text = raises_alike(NEWTON, (3.0,), (3.0, 1e-10, 2), RuntimeError, "no root in 2 steps")
    assert "    failed = jnp.logical_not(returned)\n    return (x, k), failed\n" in text
    assert text.endswith(
        "    result, failed = _root(a, tol, most)\n    if failed:\n"
        '        raise RuntimeError(f"no root in {most} steps")\n'
        "    return result\n"
    )


def test_the_else_of_a_loop():
    raises_alike(ELSE, (np.ones(4),), (np.ones(4), 3), ValueError, "not converged")


def test_two_of_them_and_a_docstring():
    A = 2 * np.eye(4)
    text = raises_alike(CHECKS, (A, np.ones(4)), (np.zeros((4, 4)), np.ones(4)), np.linalg.LinAlgError, "singular")
    assert "failed_" in text
    raises_alike(CHECKS, (A, np.ones(4)), (A, np.full(4, 1e8)), ValueError, "too large")


@pytest.mark.parametrize("x", [np.ones(20), np.ones(5)])
def test_a_return_before_it(x):
    raises_alike(EARLY, (x,), (-np.ones(3),), ValueError, "negative")


def test_a_while_behind_it_stands_against_it():
    source = HEAD + (
        "def halve(x):\n    s = x.sum()\n    if s == np.inf:\n        raise ValueError\n    n = 0\n"
        "    while s > 1:\n        s = s/2\n        n += 1\n    return n\n"
    )
    assert why_not(source, np.ones(9)).code == "JX-RAISE"


def test_a_message_that_needs_what_the_loop_left():
    source = NEWTON.replace('f"no root in {most} steps"', 'f"stopped at {x}"')
    assert why_not(source, 3.0).code == "JX-RAISE"


def test_an_argument_that_is_changed_besides():
    source = HEAD + "def f(x):\n    x *= 2\n    if x.sum() < 0:\n        raise ValueError\n    return x.mean()\n"
    assert why_not(source, np.ones(3)).code == "JX-RAISE"
