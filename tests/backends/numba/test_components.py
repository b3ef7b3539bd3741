# ruff: noqa: E501 -- functions as people write them
"""Short vectors and small matrices in loops that become kernels, as numbers; calls and loops over tuples in them."""

import numpy as np
import pytest

from jitmagic.backends.numba.backend import NumbaBackend
from jitmagic.backends.protocol import Draft
from tests.backends.numba import harness

rng = np.random.default_rng(0)
POINTS, OTHERS, MASS = rng.random((9, 3)), rng.random((9, 3)), rng.random(9)


def loops(source, *args):
    """Returns the text that kernels begin with, without imports."""
    work = harness.workload(source, *args)
    made = NumbaBackend().loops(work, harness.observed(work))
    assert isinstance(made, Draft), made
    return made.module.text


def body(text):
    """Returns the lines of the last function, without indentation."""
    return [line.strip() for line in text[text.rindex("\ndef ") :].splitlines() if line.strip()]


def test_a_difference_of_points_is_taken_apart():
    lines = body(loops("""
        def fn(pos, mass):
            acc = np.zeros((len(pos), 3))
            for i in range(len(pos)):
                for j in range(len(pos)):
                    r = pos[j] - pos[i]  # from i to j
                    d = np.sqrt((r**2).sum()) + 0.1
                    acc[i] += mass[j]*r/d**3
            return acc
    """, POINTS, MASS))  # fmt: skip
    assert "r_0 = pos[j, 0] - pos[i, 0]  # from i to j" in lines
    assert "r_2 = pos[j, 2] - pos[i, 2]" in lines
    assert "d = np.sqrt(r_0**2 + r_1**2 + r_2**2) + 0.1" in lines
    assert "acc[i, 1] += mass[j]*r_1/d**3" in lines
    assert "if pos.shape[1] != 3 or acc.shape[1] != 3:" in lines


def test_a_component_that_reads_another_one_is_written_at_once():
    lines = body(loops("""
        def fn(v, b):
            out = np.zeros_like(v)
            for i in range(len(v)):
                u = v[i] + 1.0
                u = np.cross(u, b)
                u /= np.linalg.norm(u)
                out[i] = u
            return out
    """, POINTS, OTHERS[0].copy()))  # fmt: skip
    assert "u_0, u_1, u_2 = u_1 * b[2] - u_2 * b[1], u_2 * b[0] - u_0 * b[2], u_0 * b[1] - u_1 * b[0]" in " ".join(lines).replace("*b", " * b") or any(line.startswith("u_0, u_1, u_2 = ") for line in lines)
    assert "factor = np.sqrt(u_0**2 + u_1**2 + u_2**2)" in lines
    assert "u_1 /= factor" in lines


def test_a_view_of_what_the_loop_writes_stays_a_view():
    text = loops("""
        def fn(v, b):
            out = np.zeros(len(v))
            for i in range(len(v)):
                row = v[i]
                v[i] = b
                out[i] = row[0] + row[1]
            return out
    """, POINTS.copy(), OTHERS[0].copy())  # fmt: skip
    assert "row_0" not in text


def test_two_names_of_one_vector_stay_one():
    text = loops("""
        def fn(v):
            out = np.zeros(len(v))
            for i in range(len(v)):
                a = v[i]*2
                b = a
                a += 1
                out[i] = b[0] + a[1]
            return out
    """, POINTS)  # fmt: skip
    assert "b_0" not in text


def test_matrices_of_a_step_are_taken_apart():
    lines = body(loops("""
        def fn(angle, v):
            out = np.zeros_like(v)
            for i in range(len(v)):
                c, s = np.cos(angle[i]), np.sin(angle[i])
                R = np.array([[c, -s], [s, c]])
                out[i] = R.T @ v[i]
            return out
    """, MASS, POINTS[:, :2].copy()))  # fmt: skip
    assert "R_01 = -s" in lines
    assert "out[i, 0] = R_00*v[i, 0] + R_10*v[i, 1]" in lines


def test_a_function_of_vectors_stands_where_it_is_called():
    lines = body(loops("""
        def force(r, k):
            # Hooke, and nothing beyond a distance
            d = np.linalg.norm(r)
            if d > 0.9:
                return np.zeros(3)
            return -k*r/(d + 1)

        def fn(pos, k):
            out = np.zeros_like(pos)
            for i in range(len(pos)):
                for j in range(len(pos)):
                    out[i] += force(pos[i] - pos[j], k)
            return out
    """, POINTS, 2.0))  # fmt: skip
    assert "d = np.sqrt(r_0**2 + r_1**2 + r_2**2)" in lines
    assert "if d > 0.9:" in lines
    assert "result_1 = 0.0" in lines
    assert "result_1 = -k*r_1/(d + 1)" in lines
    assert "out[i, 2] += result_2" in lines


def test_several_results_of_a_function_have_names():
    lines = body(loops("""
        def split(a, b, sign=1.0):
            s = a + b
            return s, sign*(a - b)

        def fn(x, y):
            out = np.zeros(len(x))
            for i in range(len(x)):
                p, q = split(x[i], y[i])
                u, v = split(p, q, sign=-1.0)
                out[i] = u*v
            return out
    """, MASS, MASS[::-1].copy()))  # fmt: skip
    assert not any("split(" in line for line in lines)


def test_neighbours_by_offsets_are_a_loop_over_a_range():
    text = loops("""
        def fn(u):
            n, m = u.shape
            out = np.zeros_like(u)
            for i in range(n):
                for j in range(m):
                    for di, dj in ((1, 0), (-1, 0), (0, 1)):
                        out[i, j] += u[(i + di) % n, (j + dj) % m]
                    for d in (-1, 0, 1):
                        out[i, j] -= u[i, (j + d) % m]
            return out
    """, POINTS)  # fmt: skip
    assert "for place in range(3):" in text
    assert "di = 1 if place == 0 else -1 if place == 1 else 0" in text
    assert "for d in range(-1, 2):" in text


@pytest.mark.parametrize(("call", "wanted"), [
    ("np.clip(x[i], 0.2, 0.8)", "np.minimum(np.maximum(x[i], 0.2), 0.8)"),
    ("np.where(x[i] > 0.5, x[i], 0.0)", "x[i] if x[i] > 0.5 else 0.0"),
    ("np.sign(x[i] - 0.5)", "np.sign(x[i] - 0.5)"),
    ("np.sign(x[i])", "1.0 if x[i] > 0 else -1.0 if x[i] < 0 else x[i]"),
    ("np.square(x[i])", "x[i] * x[i]"),
    ("np.mod(x[i] + 1, 0.3)", "(x[i] + 1) % 0.3"),
])  # fmt: skip
def test_functions_of_arrays_with_numbers_are_operators(call, wanted):
    text = loops(f"""
        def fn(x):
            out = np.zeros(len(x))
            for i in range(len(x)):
                out[i] = {call}
            return out
    """, MASS)  # fmt: skip
    assert f"out[i] = {wanted}" in text
