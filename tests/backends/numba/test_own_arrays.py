"""What is made of an array of a function's own is written over it, and only there."""

import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, workload
from tests.backends.numba.test_windows import check, compiled, matrix

OWN = {
    "a copy of an argument": (
        """
        def fn(u0, f, dt, n):
            u = u0.copy()
            for _ in range(n):
                u = u + dt*f
            return u
        """,
        "update_u(u, dt, f)",
        (matrix(1, 9)[0], matrix(1, 9)[0], 0.1, 4),
        (matrix(1, 3)[0], matrix(1, 3)[0], 0.2, 0),
    ),
    "one that loses its end": (
        """
        def fn(x, n):
            c = np.maximum(x - 0.5, 0)
            for k in range(n):
                c = 0.5*c
                c = c[:-1]
                c = np.minimum(c, x[k] + c*c)
            return c
        """,
        "update_c(c)",
        (matrix(1, 9)[0], 4),
        (matrix(1, 5)[0], 5),
    ),
    "beside a number that is made of all of it": (
        """
        def fn(a, n):
            w = np.ones((a.shape[0], 1)) * a
            for _ in range(n):
                w = w/np.sqrt(np.sum(w*w)) + w*0.5
            return w, w.sum()
        """,
        "update_w(w, ",
        (matrix(4, 3), 5),
        (matrix(2, 6), 1),
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_what_is_made_of_an_own_array_is_written_over_it(name):
    source, call, *given = OWN[name]
    text = check(source, *given)
    assert call in text


HELD = {
    "by an argument": ("x = a", "x = 0.5*x + 1", "x"),
    "by another name": ("x = a*2", "y = x\n                x = 0.5*x + y*y", "x, y"),
    "by a name of a part": ("x = a*2", "y = x[1:]\n                x = 0.5*x + 1\n                s += y[0]", "x, s"),
    "by a list": ("x = a*2", "got.append(x)\n                x = 0.5*x + 1", "got"),
    "by a tuple": ("x = a*2", "both = (x, 1.0)\n                x = 0.5*x + 1\n                s = both[0][0]", "x, s"),
    "by a function that reads it later": ("x = a*2\n            g = lambda: x[0]", "x = 0.5*x + g()", "x"),
    "by a choice": ("x = a*2 if a[0] > 9 else a", "x = 0.5*x + 1", "x"),
}


@pytest.mark.parametrize("name", HELD)
def test_what_something_else_holds_is_made_anew(name):
    start, step, result = HELD[name]
    source = f"""
        def fn(a, n):
            got = []
            s = 0.0
            {start}
            for _ in range(n):
                {step}
            return {result}
        """
    draft = drafts(workload(source, matrix(1, 5)[0], 3))["numba"]
    assert not isinstance(draft, Draft) or "update_x(" not in draft.module.text


def test_what_a_function_gives_may_be_its_own():
    source = """
        TABLE = np.arange(5.0)

        def start():
            return TABLE

        def fn(n):
            x = start()
            for _ in range(n):
                x = 0.5*x + 1
            return x
        """
    draft = drafts(workload(source, 3))["numba"]
    assert not isinstance(draft, Draft) or "update_x(" not in draft.module.text


TURNED = {
    "transposed": "0.5*x.T + 0.25*x",
    "by a method": "0.5*x.transpose() + np.maximum(x, 0.1)",
    "from behind": "0.5*x[::-1] + x",
    "in another shape": "0.1*x.reshape(-1)[::-1].reshape(x.shape)",
}


@pytest.mark.parametrize("name", TURNED)
@pytest.mark.parametrize("operator", ["+=", "="])
def test_an_array_in_another_order_is_not_read_while_it_is_written(name, operator):
    value = TURNED[name] if operator == "+=" else f"x + {TURNED[name]}"
    source = f"""
        def fn(a, n):
            x = a.copy()
            for _ in range(n):
                x {operator} {value}
            return x
        """
    work = workload(source, matrix(40, 40), 2)
    made = {variant: draft for variant, draft in drafts(work).items() if isinstance(draft, Draft)}
    assert "numba-parallel" in made
    for draft in made.values():
        assert_same(compiled(draft, work)(matrix(40, 40), 2), reference(work)[0], 1e-12)
