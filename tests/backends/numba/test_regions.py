"""Whole-array statements as one loop nest: what is written, and that it gives NumPy's results at other sizes too."""

import copy

import numpy as np
import pytest

from jitmagic.backends.numba.runtime import NumbaRuntime
from jitmagic.backends.protocol import Draft
from tests.backends.numba import test_windows as windows
from tests.backends.numba.harness import BOTH, assert_same, drafts, reference, workload


def draft_of(work, variant="numba"):
    draft = drafts(work)[variant]
    assert isinstance(draft, Draft), draft
    return draft


def call(work, draft, args):
    function = NumbaRuntime().load(draft.module.text, "<region>", draft.entry, dict(work.constants))
    args = copy.deepcopy(args)
    return function(*args), args


def check(source, args, *others, nest=True, variant="numba", rtol=1e-12):
    """Compares with NumPy on the arguments and on others; ``nest`` says whether the source must hold a nest."""
    work = workload(source, *copy.deepcopy(args))
    draft = draft_of(work, variant)
    assert ("# element by element" in draft.module.text) is nest, draft.module.text
    for given in (args, *others):
        one = workload(source, *copy.deepcopy(given))
        wanted, after = reference(one)
        got, left = call(work, draft, given)
        assert_same(got, wanted, rtol)
        assert_same(list(left), list(after), rtol)
    return draft.module.text


def rng(seed=0):
    return np.random.default_rng(seed)


def matrix(n, m, seed=0):
    return rng(seed).standard_normal((n, m))


CHAINS = {
    "pairs": (
        """
        def fn(x, q, eps):
            r = x[:, None] - x[None, :]
            d2 = r*r + eps
            return np.sum(q/np.sqrt(d2), axis=1)
        """,
        (matrix(1, 5)[0], matrix(1, 5, 1)[0], 0.1),
        (matrix(1, 1)[0], matrix(1, 1, 1)[0], 0.5),
    ),
    "three axes": (
        """
        def fn(pos, mass):
            r = pos[None, :, :] - pos[:, None, :]
            d2 = np.sum(r**2, axis=-1) + 0.01
            w = mass/d2
            np.fill_diagonal(w, 0)
            return np.sum(r*w[:, :, None], axis=1)
        """,
        (matrix(6, 3), np.arange(1.0, 7.0)),
        (matrix(4, 2), np.arange(1.0, 5.0)),
    ),
    "softmax": (
        """
        def fn(x):
            m = x.max(axis=1, keepdims=True)
            e = np.exp(x - m)
            return e/e.sum(axis=1, keepdims=True)
        """,
        (matrix(4, 6),),
        (matrix(2, 3) * np.inf,),
    ),
    "standardised": (
        """
        def fn(x):
            c = x - x.mean(axis=0)
            s = np.sqrt((c**2).mean(axis=0))
            z = c/s
            return z, s
        """,
        (matrix(7, 3),),
        (matrix(2, 5),),
    ),
    "made before a change, summed after it": (
        """
        def fn(x):
            a = x*2
            b = a + 1
            a += 5
            t = (a*b).sum(axis=1)
            u = b - t[:, None]
            return u, a
        """,
        (matrix(3, 4),),
        (matrix(2, 2),),
    ),
    "float32": (
        """
        def fn(x, k):
            d = x - x.mean()
            v = (d*d).mean()
            return k*d/np.sqrt(v)
        """,
        (rng().standard_normal(5000).astype("float32"), 2.0),
    ),
    "booleans": (
        """
        def fn(x):
            small = np.abs(x) < 1
            low = x < 0
            both = small & ~low
            return both.any(axis=1), both.all(axis=0), both.sum()
        """,
        (matrix(5, 4),),
        (matrix(1, 7),),
    ),
    "in place": (
        """
        def fn(x, v, dt):
            a = -x
            v += dt*a
            x += dt*v
        """,
        (matrix(1, 6)[0], matrix(1, 6, 1)[0], 0.1),
        (matrix(1, 2)[0], matrix(1, 2, 1)[0], 0.3),
    ),
    "names of loops and totals": (
        """
        def fn(i, j):
            total = i*j
            out = np.sqrt(np.abs(total)) + j
            k = out*total
            return k.sum(axis=0), out
        """,
        (matrix(3, 4), matrix(3, 4, 1)),
        (matrix(2, 2), matrix(2, 2, 1)),
    ),
    "two arrays in one assignment, and numbers among them": (
        """
        def fn(x, y, shift):
            a, b = np.radians(x), np.radians(y)
            c = np.radians(shift)
            d = a - c
            e = np.sin(d)**2 + np.cos(c)*np.cos(b)
            return np.sqrt(np.abs(e)), c
        """,
        (matrix(1, 6)[0], matrix(1, 6, 1)[0], 0.3),
        (matrix(1, 2)[0], matrix(1, 2, 1)[0], -3.0),
    ),
    "arrays of one number": (
        """
        def fn(x, limit):
            low = x < 0
            out = np.full(x.shape, limit)
            out[low] = x[low]**2
            w = np.ones_like(x)*limit + np.zeros(x.shape[0])[:, None]
            z = w*out + np.exp(x)
            return z, out
        """,
        (matrix(3, 4), 2.5),
        (matrix(2, 5), -1.0),
    ),
    "sums over the rows of both": (
        """
        def fn(x, y):
            d2 = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)[None, :]
            return np.sqrt(d2)
        """,
        (matrix(4, 3), matrix(5, 3, 1)),
        (matrix(2, 6), matrix(3, 1, 1)),
    ),
    "a name that is bound anew": (
        """
        def fn(x):
            x = x + 1
            x = x*x
            x = x - x.mean()
            return x
        """,
        (matrix(1, 6)[0],),
        (matrix(1, 3)[0],),
    ),
    "a step inside the user's own loop": (
        """
        def fn(x, n):
            y = np.zeros(x.shape)
            for s in range(n):
                d = x - y
                g = np.tanh(d)
                y = y + 0.1*g
            return y
        """,
        (matrix(1, 6)[0], 4),
        (matrix(1, 3)[0], 0),
    ),
}


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("variant", BOTH)
def test_a_chain_of_statements(name, variant):
    source, *given = CHAINS[name]
    # its nest adds up along the first axis, with no step for threads: whole arrays have some
    nest = (name, variant) != ("standardised", "numba-parallel")
    check(source, *given, nest=nest, variant=variant, rtol=1e-5 if name == "float32" else 1e-11)


LOOPS = {
    "escape": (
        """
        def fn(c, limit):
            z = np.zeros_like(c)
            count = np.zeros(c.shape, dtype=np.int64)
            alive = np.ones(c.shape, dtype=bool)
            for k in range(limit):
                z[alive] = z[alive]**2 + c[alive]
                gone = alive & (np.abs(z) > 2)
                count[gone] = k
                alive &= ~gone
            return count, alive
        """,
        (matrix(5, 4) + 1j * matrix(5, 4, 1), 30),
        (matrix(2, 3) + 1j * matrix(2, 3, 1), 0),
    ),
    "until all are at rest": (
        """
        def fn(x, limit):
            y = x.copy()
            going = np.abs(y) > 0.01
            for k in range(limit):
                if not going.any():
                    break
                y[going] = y[going]*0.5
                going = going & (np.abs(y) > 0.01)
            return y
        """,
        (matrix(4, 4), 50),
        (matrix(1, 3), 2),
    ),
    "a mask without rest": (
        """
        def fn(x, limit):
            y = x.copy()
            low = y < 0
            for k in range(limit):
                y[low] = np.exp(y[low])
                y = y - 0.5
                low = y < 0
            return y
        """,
        (matrix(1, 8)[0], 6),
        (matrix(1, 3)[0], 1),
    ),
    "a series": (
        """
        def fn(x, a):
            y = np.zeros(x.shape)
            for k in range(len(a)):
                y += a[k]*np.cos(k*x)
            return y
        """,
        (matrix(1, 8)[0], np.array([1.0, 0.5, 0.25])),
        (matrix(1, 8)[0], np.array([])),
    ),
    "an argument in place": (
        """
        def fn(x, n):
            for k in range(n):
                x += np.sin(x)/(k + 1)
        """,
        (matrix(3, 3), 5),
        (matrix(2, 3), 0),
    ),
    "a name bound anew in each step": (
        """
        def fn(s, drift, z, n):
            for t in range(n):
                s = s*np.exp(drift + 0.1*z)
            return s
        """,
        (1 + matrix(1, 5)[0] ** 2, 0.01, matrix(1, 5, 2)[0], 4),
        (1 + matrix(1, 2)[0] ** 2, 0.01, matrix(1, 2, 2)[0], 0),
    ),
    "over coefficients": (
        """
        def fn(x, c):
            y = np.zeros_like(x)
            for one in c:
                y = y*x + one
                y = np.where(y > 4, 4.0, y)
            return y
        """,
        (matrix(1, 5)[0], np.arange(4.0)),
        (matrix(1, 5)[0], np.arange(1.0)),
    ),
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("variant", BOTH)
def test_a_loop_over_steps_goes_inside(name, variant):
    source, *given = LOOPS[name]
    added_up = name == "a series" and variant == "numba-parallel"  # `prange` over its terms
    check(source, *given, variant=variant, rtol=1e-11, nest=not added_up)


def test_arrays_of_one_number_are_variables():
    source, args, *_ = LOOPS["escape"]
    text = draft_of(workload(source, *args)).module.text
    assert "z = np.complex128(0)" in text
    assert "\n    z = np.zeros_like(c)" not in text


def test_an_array_of_one_number_that_is_returned_is_made_by_numpy():
    source = """
    def fn(x):
        d = x - 1
        e = d*d
        zero = np.zeros(x.shape)
        return e/(1 + e), zero
    """
    text = draft_of(workload(source, np.arange(4.0))).module.text
    assert "zero = np.zeros(x.shape)" in text


def test_an_assignment_is_not_divided_where_a_value_reads_a_name_that_it_binds():
    source = """
    def fn(x, y):
        x, y = x + y, x - y
        return x*y
    """
    text = draft_of(workload(source, np.arange(4.0), np.arange(4.0))).module.text
    assert "x, y = x + y, x - y" in text


def test_an_element_at_rest_ends_its_loop():
    source, args, *_ = LOOPS["escape"]
    assert "if not alive_b:\n                    break" in draft_of(workload(source, *args)).module.text
    source, args, *_ = LOOPS["a mask without rest"]
    assert "break" not in draft_of(workload(source, *args)).module.text


LEFT = {
    "an array that is changed after its sum": (
        """
        def fn(x):
            e = np.exp(x)
            s = e.sum()
            e /= s
            return e
        """,
        (matrix(1, 9)[0],),
        (matrix(1, 3)[0],),
    ),
    "an alias": (
        """
        def fn(x):
            y = x
            z = y*2
            x += z
            w = y + z
            return w
        """,
        (matrix(1, 4)[0],),
    ),
    "a stop that asks all elements": (
        """
        def fn(x, n):
            for k in range(n):
                step = np.tanh(x)
                x = x - step
                if np.all(np.abs(step) < 0.1):
                    break
            return x
        """,
        (matrix(1, 6)[0], 50),
        (matrix(1, 3)[0], 2),
    ),
    "neighbours": (
        """
        def fn(x, n):
            for k in range(n):
                y = np.exp(-x)
                x = 0.5*(y + y[::-1])
            return x
        """,
        (matrix(1, 6)[0], 3),
        (matrix(1, 5)[0], 2),
    ),
    "time that goes on": (
        """
        def fn(x, t, n):
            for k in range(n):
                x = x + np.sin(t*x)
                t += 0.1
            return x, t
        """,
        (matrix(1, 6)[0], 0.0, 3),
        (matrix(1, 5)[0], 1.0, 0),
    ),
}


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize("variant", BOTH)
def test_what_is_no_chain_gives_the_same(name, variant):
    source, *given = LEFT[name]
    work = workload(source, *copy.deepcopy(given[0]))
    draft = drafts(work)[variant]
    assert isinstance(draft, Draft), draft
    for one in given:
        wanted, after = reference(workload(source, *copy.deepcopy(one)))
        got, left = call(work, draft, one)
        assert_same(got, wanted, 1e-11)
        assert_same(list(left), list(after), 1e-11)


def test_parts_that_overlap_are_not_changed_in_a_nest():
    source = """
        def fn(base):
            x, v = base[1:], base[:-1]
            a = v*2
            x += a
            b = a + v
            return b
        """
    text = check(source, (np.arange(8.0),), (np.arange(3.0),), nest=False)
    assert "x_all" not in text


def test_integers_divided_in_place_are_refused_as_numpy_refuses_them():
    source = """
        def fn(x, y):
            a = y*2.0
            x += 3
            b = a + x
            return b
        """
    check(source, (np.arange(5), np.arange(5)), (np.arange(2), np.arange(2)))


def test_lengths_that_do_not_fit_are_refused():
    source = CHAINS["pairs"][0]
    work = workload(source, *copy.deepcopy(CHAINS["pairs"][1]))
    with pytest.raises(ValueError, match="broadcast"):
        call(work, draft_of(work), (np.ones(4), np.ones(3), 0.1))


def test_a_maximum_over_nothing_is_refused():
    work = workload(CHAINS["softmax"][0], matrix(4, 6))
    with pytest.raises(ValueError, match="zero-size"):
        call(work, draft_of(work), (np.ones((3, 0)),))


def test_what_is_cheap_is_made_again_instead_of_kept():
    text = draft_of(workload(CHAINS["three axes"][0], *CHAINS["three axes"][1])).module.text
    assert text.count("r = pos[j, k] - pos[i, k]") == 2
    assert "r_out" not in text


BUFFERS = {
    "differences of vectors": (
        """
        def fn(r, n):
            f = np.zeros(r.shape)
            for i in range(n):
                for j in range(n):
                    d = r[i] - r[j]
                    d -= np.round(d)
                    f[i] += d*np.dot(d, d)
            return f
        """,
        (matrix(5, 3), 5),
        (matrix(4, 20), 4),
        (matrix(1, 2), 0),
    ),
    "lengths that change": (
        """
        def fn(x, n):
            s = 0.0
            for k in range(1, n):
                d = x[:k]*2 + 1
                s += (d*d).sum()
            return s
        """,
        (matrix(1, 9)[0], 9),
        (matrix(1, 4)[0], 3),
    ),
}


@pytest.mark.parametrize("name", BUFFERS)
def test_an_array_made_in_each_step_is_made_once(name):
    source, *given = BUFFERS[name]
    text = check(source, *given, nest=False, rtol=1e-11)
    assert "# written anew in each step" in text


HELD = {
    "in a list": "d = x[k] + 1\n                got.append(d)",
    "by another name": "d = x[k] + 1\n                e = d\n                last = e",
    "behind the loop": "d = x[k] + 1\n                last = d*2",
}


@pytest.mark.parametrize("name", HELD)
def test_an_array_that_something_holds_is_made_anew(name):
    source = f"""
        def fn(x):
            got = []
            last = x[0]*0
            for k in range(len(x)):
                {HELD[name]}
            return {"d, last" if name == "behind the loop" else "got, last"}
        """
    work = workload(source, matrix(3, 3))
    draft = drafts(work)["numba"]
    assert not isinstance(draft, Draft) or "written anew" not in draft.module.text


def test_comments_inside_a_loop_stay():
    source = """
        def fn(x, n):
            y = np.zeros(x.shape)
            for k in range(n):
                # a damped wave
                y += np.exp(-k*x)
            return y
        """
    text = check(source, (matrix(1, 4)[0], 3))
    assert "# a damped wave" in text


def test_a_loop_that_may_take_no_step_leaves_the_callers_array_what_it_is():
    check(
        """
        def fn(x, y, steps):
            for k in range(steps):
                x = x*0.5 + np.cos(y)*k
            x -= 2
            return y
        """,
        (matrix(3, 4), matrix(3, 4, 1), 2),
        (matrix(3, 4), matrix(3, 4, 1), 0),
        nest=False,
    )


def test_a_copy_may_be_changed_behind_a_loop_over_steps():
    check(
        """
        def fn(x, y, steps):
            x = x*1.5
            for k in range(steps):
                x = x*0.5 + np.cos(y)*k
            x[0] = 1.0
            return x
        """,
        (matrix(3, 4), matrix(3, 4, 1), 2),
        (matrix(3, 4), matrix(3, 4, 1), 0),
    )


PARTS = {
    "the inner part of another array": (
        """
        def fn(u, new, c):
            lap = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4*u[1:-1, 1:-1]
            flux = c*lap
            new[1:-1, 1:-1] = u[1:-1, 1:-1] + flux
            return new
        """,
        "new[i + 1, j + 1] = u[i + 1, j + 1] + flux",
        (matrix(6, 5), matrix(6, 5, 1), 0.1),
        (matrix(2, 5), matrix(2, 5, 1), 0.1),
        (matrix(1, 1), matrix(1, 1, 1), 0.1),
        (matrix(6, 5), matrix(5, 5, 1), 0.1),
    ),
    "added up": (
        """
        def fn(x, total):
            d = x[1:] - x[:-1]
            w = d*d
            total[:-1] += w/(1 + w)
            total[2:] *= 2
            return total
        """,
        "total[i] += w / (1 + w)",
        (matrix(1, 9)[0], matrix(1, 9, 1)[0]),
        (matrix(1, 1)[0], matrix(1, 1, 1)[0]),
    ),
    "arrays that take turns": (
        """
        def fn(u, n):
            un = u.copy()
            for _ in range(n):
                d = u[2:] - u[:-2]
                s = np.abs(d)
                un[1:-1] = u[1:-1] - 0.1*s*d
                u, un = un, u
            return u
        """,
        "un[i + 1] = u[i + 1] - 0.1 * s * d",
        (matrix(1, 9)[0], 4),
        (matrix(1, 2)[0], 3),
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_another_array_is_written_by_the_nest(name):
    source, line, *given = PARTS[name]
    assert line in windows.check(source, *given)


READ = {
    "beside": "u[1:-1] = u[1:-1] + flux",
    "by another name": "v = u\n            v[1:-1] = u[1:-1] + flux",
    "behind": "new[1:-1] = flux\n            u = new*2 + u",
    "by a number of it": "new[1:-1] = flux\n            u = u + new[1]",
    "stretched": "new[1:-1, 1:-1] = flux",
}


@pytest.mark.parametrize("name", READ)
def test_a_part_of_what_is_read_too_has_its_values_worked_out_before(name):
    wide = name == "stretched"
    source = f"""
        def fn(u, new):
            lap = u[2:] - 2*u[1:-1] + u[:-2]
            flux = 0.1*lap
            {READ[name]}
            return u, new
        """
    new = matrix(7, 9, 1) if wide else matrix(1, 9, 1)[0]
    windows.check(source, (matrix(1, 9)[0], new))
