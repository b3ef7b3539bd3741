"""Arrays of short vectors, taken by their components."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.test_jax_slices import HEAD, both_sizes, run_both, same

RNG = np.random.default_rng(4)


def distances(X, Y):
    return np.sqrt(((X[:, None, :] - Y[None, :, :]) ** 2).sum(-1))


def distances_args(n):
    return RNG.random((n, 3)), RNG.random((n + 2, 3))


def norms(X):
    d = X[:, np.newaxis] - X[np.newaxis]
    return np.linalg.norm(d, axis=2)


def norms_args(n):
    return (RNG.random((n, 2)),)


def periodic_forces(r, box):
    d = r[:, None, :] - r[None, :, :]
    d -= box * np.round(d / box)  # the nearest image
    r2 = np.sum(d * d, axis=-1) + 0.1
    return (d / r2[..., None] ** 2).sum(axis=1), np.mean(d, axis=0)


def periodic_forces_args(n):
    return 9 * RNG.random((n, 3)), np.array([9.0, 8.0, 10.0])


def charges(pos, q):
    diff = pos[:, None, :] - pos[None, :, :]
    dist = np.sqrt(np.einsum("ijk,ijk->ij", diff, diff))
    np.fill_diagonal(dist, np.inf)
    return np.sum(q[:, None, None] * q[None, :, None] * diff / dist[:, :, None] ** 3, axis=1)


def charges_args(n):
    return RNG.random((n, 3)), RNG.random(n)


def directions(pos):
    d = pos[None] - pos[:, None]
    u = d / (np.linalg.norm(d, axis=-1, keepdims=True) + 1e-9)
    return u.sum(axis=0)


def directions_args(n):
    return (RNG.random((n, 3)),)


def steps_of_bodies(pos, vel, m):
    pos, vel = pos.copy(), vel.copy()
    for _ in range(40):
        dx = pos[None, :, :] - pos[:, None, :]
        r2 = (dx**2).sum(axis=2) + 0.01
        vel = vel + 0.01 * np.sum(m[None, :, None] * dx * (r2**-1.5)[:, :, None], axis=1)
        pos = pos + 0.01 * vel
    return pos, vel


def steps_of_bodies_args(n):
    return RNG.random((n, 3)), RNG.random((n, 3)), RNG.random(n)


CASES = {name: value for name, value in globals().items() if f"{name}_args" in globals()}


@pytest.mark.parametrize("name", CASES)
def test_short_vectors_are_taken_by_components(name):
    args = globals()[f"{name}_args"]
    text = both_sizes(inspect.getsource(CASES[name]), args(9), args(17))
    assert "_k in " in text
    assert "axis=2" not in text


def test_the_users_names_and_comments_stay():
    text = both_sizes(inspect.getsource(periodic_forces), periodic_forces_args(9))
    assert "d = [r_k[:, None] - r_k[None, :] for r_k in r.T]" in text
    assert "d = [d_k - box_k * jnp.round(d_k / box_k) for d_k, box_k in zip(d, box, strict=True)]" in text


def test_another_number_of_components_is_right_too():
    both_sizes(inspect.getsource(distances), distances_args(9), (RNG.random((9, 7)), RNG.random((4, 7))))


def test_one_number_in_the_place_of_several_is_no_silent_loss():
    made, ours, theirs = run_both(HEAD + inspect.getsource(periodic_forces), *periodic_forces_args(9))
    same(ours, theirs, made.text)
    with pytest.raises(ValueError, match="zip"):
        made.function(RNG.random((9, 3)), np.array([9.0]))


def read_at_a_place(pos):
    d = pos[None] - pos[:, None]
    return d[0], np.sum(d**2, axis=-1)


def many_components(X):
    d = X[None] - X[:, None]
    return np.sum(d**2, axis=-1)


def carried_on(pos):
    d = pos[None] - pos[:, None]
    for _ in range(40):
        d = d - 0.1 * np.round(d)
    return np.sum(d**2, axis=-1)


def along_the_first_of_three(A, w):
    return np.sum(A[:, None] * w, axis=-1)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (read_at_a_place, (RNG.random((9, 3)),)),
        (many_components, (RNG.random((9, 12)),)),
        (carried_on, (RNG.random((9, 3)),)),
        (along_the_first_of_three, (RNG.random((4, 9, 3)), RNG.random((9, 3)))),
    ],
)
def test_other_uses_keep_the_array(function, args):
    text = both_sizes(inspect.getsource(function), args)
    assert "_k in " not in text
