"""Arrays that a loop pads in each step stay in their frame, with NumPy's results for every shape."""

import copy

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, workload
from tests.backends.numba.test_windows import check, compiled, matrix


def grid(n, m, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, m))


FRAMED = {
    "zeros around integers": (
        """
        def fn(cells, steps):
            for _ in range(steps):
                p = np.pad(cells, 1)
                near = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:]
                cells = ((near == 1) | (cells & (near == 2))).astype(cells.dtype)
            return cells
        """,
        (grid(7, 5), 4),
        (grid(1, 1), 3),
        (grid(2, 9), 0),
    ),
    "periodic": (
        """
        def fn(u, c, steps):
            total = 0.0
            for _ in range(steps):
                p = np.pad(u, 1, mode="wrap")
                u = u + c*(p[2:, 1:-1] + p[:-2, 1:-1] + p[1:-1, 2:] + p[1:-1, :-2] - 4*u)
                total += u[0, 0]*np.abs(u).max()
            return u, total
        """,
        (matrix(6, 5), 0.1, 3),
        (matrix(1, 4), 0.2, 5),
        (matrix(2, 1), 0.2, 1),
    ),
    "no flux, wide, in a while loop": (
        """
        def fn(u, steps):
            t = 0
            while t < steps:
                t += 1
                wide = np.pad(u, 2, "edge")
                u = 0.1*(wide[4:] + wide[:-4]) + 0.2*(wide[3:-1] + wide[1:-3]) + 0.4*u
            return u*t
        """,
        (matrix(1, 9)[0], 4),
        (matrix(1, 1)[0], 4),
        (matrix(1, 2)[0], 0),
    ),
    "three axes, inside another loop": (
        """
        def fn(start, steps):
            sums = np.zeros(3)
            for k in range(3):
                v = start*(k + 1)
                for _ in range(steps):
                    p = np.pad(v, 1, mode="wrap")
                    mean = (p[2:, 1:-1, 1:-1] + p[:-2, 1:-1, 1:-1] + p[1:-1, 1:-1, 2:] + p[1:-1, :-2, 1:-1])/4
                    v = 0.5*v + 0.5*mean
                sums[k] = v[0, 0, 0] + v.sum()
            return sums
        """,
        (matrix(12, 5).reshape(3, 4, 5), 3),
        (matrix(1, 2).reshape(1, 1, 2), 2),
    ),
}


SLOW = frozenset(list(FRAMED)[3:])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in FRAMED]
)
def test_what_is_padded_in_each_step_stays_in_its_frame(name):
    source, *given = FRAMED[name]
    text = check(source, *given)
    assert "next_" in text
    assert text.count("pad_(") == 2  # the helper, and one call before the loop
    assert text.index("= pad_(") < text.rindex(" = next_")  # where they take turns
    work = workload(source, *given[0])
    parallel = drafts(work)["numba-parallel"]
    if isinstance(parallel, Draft):
        result, after = reference(work)
        args = copy.deepcopy(given[0])
        assert_same(compiled(parallel, work)(*args), result, 1e-12)
        assert_same(list(args), list(after), 0)


def test_several_arrays_take_turns_behind_one_loop():
    source = """
        def fn(u, v, steps):
            for _ in range(steps):
                # both fields
                up = np.pad(u, 1, mode="wrap")
                vp = np.pad(v, 1, mode="wrap")
                uv = u*v
                u = u + 0.1*(up[2:] + up[:-2] - 2*u) - uv
                v = v + 0.2*(vp[2:] + vp[:-2] - 2*v) + uv
            return u, v
        """
    text = check(source, (matrix(1, 9)[0], matrix(1, 9, 1)[0], 4), (matrix(1, 1)[0], matrix(1, 1, 1)[0], 2))
    assert text.count("# element by element") == 1
    assert "# both fields" in text
    assert text.index("next_vp[i + 1] = ") < text.index("up, next_up = next_up, up")
    # the second reads what the first has become
    text = check(source.replace("+ uv\n", "+ u\n"), (matrix(1, 9)[0], matrix(1, 9, 1)[0], 4))
    assert text.index("up, next_up = next_up, up") < text.rindex("(next_vp")


KEPT = {
    "another array is read": ("p = np.pad(a, 1)", "u = p[2:] + u", "u"),
    "the padded array is changed": ("p = np.pad(u, 1)\n                p[0] = 1.0", "u = p[2:] - p[:-2]", "u"),
    "the padded array is read behind": ("p = np.pad(u, 1)", "u = p[2:] - p[:-2]\n                s += p[1]", "u, s"),
    "the inner array is changed": ("p = np.pad(u, 1)", "u = p[2:] - p[:-2]\n                u[0] = 1.0", "u"),
    "the inner array has a second name": ("p = np.pad(u, 1)\n                old = u", "u = p[2:]*0.5", "u, old"),
    "it is sometimes made": (
        "p = np.pad(u, 1)", "s += 1\n                if s < 2:\n                    u = p[2:]", "u",
    ),
    "its dtype changes": ("p = np.pad(u, 1)", "u = (p[2:] > 0).astype(np.int64)", "u"),
    "its length changes": ("p = np.pad(u, 1)", "u = p[:-1]*0.5", "u"),
    "it is kept in a list": ("p = np.pad(u, 1)", "u = p[2:]*0.5\n                got.append(u)", "got[0]"),
    "another mode": ('p = np.pad(u, 1, "reflect")', "u = p[2:]*0.5", "u"),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_may_be_seen_otherwise_is_padded_in_each_step(name):
    pads, makes, result = KEPT[name]
    source = f"""
        def fn(a, n):
            got = []
            s = 0.0
            u = a*1.0
            for _ in range(n):
                {pads}
                {makes}
            return {result}
        """
    draft = drafts(workload(source, matrix(1, 6)[0], 3))["numba"]
    assert not isinstance(draft, Draft) or "next_p" not in draft.module.text


def test_an_argument_that_is_changed_behind_the_loop_is_not_taken_for_a_copy():
    source = """
        def fn(u, n):
            for _ in range(n):
                p = np.pad(u, 1)
                u = p[2:]*0.5
            u[0] = 7.0
            return u
        """
    text = check(source, (matrix(1, 6)[0], 3), (matrix(1, 6)[0], 0))
    assert "next_p" not in text
