"""Parts of arrays in loops: elements of the array beneath, with NumPy's results for every length and beginning."""

import copy

import numpy as np
import pytest

from jitmagic.backends.numba.runtime import NumbaRuntime
from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, workload


def written(source, args, variant="numba"):
    draft = drafts(workload(source, *copy.deepcopy(args)))[variant]
    assert isinstance(draft, Draft), draft
    return draft


def compiled(draft, work):
    return NumbaRuntime().load(draft.module.text, "<window>", draft.entry, dict(work.constants))


def check(source, args, *others):
    """Compares with NumPy on the arguments and on others, refusals included; returns the source."""
    draft = written(source, args)
    function = compiled(draft, workload(source, *copy.deepcopy(args)))
    for given in (args, *others):
        one = workload(source, *copy.deepcopy(given))
        left = copy.deepcopy(given)
        try:
            wanted, after = reference(one)
        except ValueError:
            with pytest.raises(ValueError, match="broadcast"):
                function(*left)
            continue
        assert_same(function(*left), wanted, 1e-12)
        assert_same(list(left), list(after), 1e-12)
    return draft.module.text


def matrix(n, m, seed=0):
    return np.random.default_rng(seed).standard_normal((n, m))


HEAT = """
def fn(T, new, c):
    new[1:-1, 1:-1] = T[1:-1, 1:-1] + c*(T[2:, 1:-1] + T[:-2, 1:-1] + T[1:-1, 2:] + T[1:-1, :-2] - 4*T[1:-1, 1:-1])
"""


def test_a_stencil_reads_and_writes_the_arrays_themselves():
    text = check(
        HEAT,
        (matrix(6, 5), matrix(6, 5, 1), 0.1),
        *((matrix(n, m), matrix(n, m, 1), 0.1) for n in (1, 2, 3) for m in (1, 2, 4)),
        (matrix(5, 4), matrix(4, 5), 0.1),
    )
    assert "new[i + 1, j + 1] = T[i + 1, j + 1] + c * (T[i + 2, j + 1] + T[i, j + 1]" in text


def test_a_part_that_moves_may_begin_anywhere():
    source = """
    def fn(x, out, top, left):
        out += 2.0*x[top:top + out.shape[0], left:left + out.shape[1]]
        return out
    """
    places = [(0, 0), (1, 2), (-7, -6), (-5, -4), (5, 0), (0, 9), (-8, 0), (4, 3)]
    text = check(
        source,
        (matrix(7, 6), matrix(3, 2, 1), 1, 2),
        *((matrix(7, 6), matrix(3, 2, 1), top, left) for top, left in places),
    )
    assert "x[i + start, j + start_b]" in text


def test_a_part_that_moves_may_end_anywhere():
    source = """
    def fn(x, n):
        x[:n] = 0.5*(x[1:n + 1] + x[:n]) - 1
        return np.sum(x[1:n]*x[:n - 1]) + np.sum(x[n:])
    """
    given = [(matrix(1, m)[0], n) for m in (5, 9) for n in (-7, -3, 0, 2, 3, 12)]
    text = check(source, (matrix(1, 9)[0], 5), *given)
    assert "x[i] = 0.5 * (x[i + 1] + x[i]) - 1" in text
    assert ".shape[0]) if " in text


def test_what_is_never_negative_is_not_asked():
    source = """
    def fn(x):
        for k in range(len(x) - 1, -1, -1):
            x[:k] = x[1:k + 1] - 0.25*x[:k]
        return x
    """
    text = check(source, (matrix(1, 9)[0],), *((matrix(1, n)[0],) for n in (0, 1, 2, 3)))
    assert "if k" not in text
    assert " >= 0" not in text


@pytest.mark.parametrize("bounds", ["2:6", ":3", "3:", "1:-2", ":-4", ":0", "9:"])
def test_bounds_beyond_the_array(bounds):
    source = f"""
    def fn(x, y):
        return np.sum((x[{bounds}] - y[{bounds}])**2)
    """
    lengths = [(n, n) for n in (0, 1, 3, 5, 9)] + [(8, 9), (6, 8), (2, 0)]
    check(source, *((matrix(1, n)[0], matrix(1, m, 1)[0]) for n, m in ((12, 12), *lengths) if fits(bounds, n, m)))


def fits(bounds, *lengths):
    """Says whether no part has length 1 beside a longer one: that is stretched where the example's was only."""
    found = {eval(f"range(n)[{bounds}]", {"n": n}).__len__() for n in lengths}
    return len(found) == 1 or 1 not in found


def test_new_axes_and_slices_are_read_where_they_lie():
    text = check(
        """
        def fn(x, y):
            r = x[1:, None, :] - y[None, :-1]
            d = np.sqrt(np.sum(r*r, axis=-1))
            return d.max(axis=1)
        """,
        (matrix(5, 3), matrix(6, 3, 1)),
        (matrix(2, 2), matrix(3, 2, 1)),
        (matrix(4, 3), matrix(3, 2, 1)),
    )
    assert "r = x[i + 1, k] - y[j, k]" in text


def test_a_name_for_a_beginning_is_none_of_the_functions_names():
    text = check(
        """
        def fn(x, out, start):
            out += start*x[start:start + out.shape[0], :]
            return out
        """,
        (matrix(9, 2), matrix(4, 2, 1), 2),
        (matrix(9, 2), matrix(4, 2, 1), -5),
    )
    assert "start_b = start if start >= 0" in text


def test_what_counts_from_the_end_or_steps_stays_a_view():
    text = check(
        """
        def fn(x, y):
            return np.sum((x[-3:] - y[::-2])**2)
        """,
        (matrix(1, 5)[0], matrix(1, 5, 1)[0]),
        (matrix(1, 6)[0], matrix(1, 6, 1)[0]),
    )
    assert "x[-3:]" in text
    assert "y[::-2]" in text


def test_rolled_arrays_are_read_where_their_elements_come_from():
    text = check(
        """
        def fn(u, c, steps):
            for _ in range(steps):
                lap = np.roll(u, 1, axis=0) + np.roll(u, -1, axis=0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4*u
                u = u + c*lap*(1 - u)
            return u
        """,
        (matrix(5, 4), 0.1, 3),
        *((matrix(n, m), 0.1, 2) for n, m in ((1, 1), (2, 3), (1, 4), (0, 3))),
    )
    assert "roll_axis" not in text
    assert "u_all[i - 1 if i > 0 else u_all.shape[0] - 1, j]" in text
    assert "u_all[i, j + 1 if j + 1 < u_all.shape[1] else 0]" in text


@pytest.mark.parametrize("shift", [0, 1, -1, 7, -9])
def test_shifts_beyond_the_length(shift):
    check(
        """
        def fn(u, v, s):
            return np.sum(np.roll(u, s)*v) + np.sum(np.roll(u, 2)*v)
        """,
        *((matrix(1, n)[0], matrix(1, n, 1)[0], shift) for n in (6, 1, 2, 0)),
    )


def test_what_is_not_taken_into_loops_is_rolled_as_a_whole():
    text = check(
        """
        def fn(u, s):
            return np.roll(u, (s, -2), axis=(0, -1)), np.roll(u, 1, axis=-1)
        """,
        (matrix(5, 4), 3),
        (matrix(1, 2), -7),
    )
    assert "roll_axis1(roll_axis0(u, s), -2)" in text
