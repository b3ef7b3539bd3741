"""A captured module, run by itself, gives what the user's function gives."""

from __future__ import annotations

import copy
import pickle
import random
import subprocess
import sys
import textwrap
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitmagic.capture.call import from_call
from jitmagic.capture.function import from_function
from jitmagic.capture.literal import identical
from jitmagic.capture.workload import SourceFunction

from .support import capture_cell, run_alone

CELLS = {
    "constants, helpers, a dotted import": """
        import numpy as np
        import scipy.special as sc
        from math import exp as e
        from numpy import sqrt, pi
        from scipy.special import erf
        N = 5
        W = np.array([1.0, 2.0, -0.0])
        TABLE = np.arange(100.0)
        OPTIONS = {"scale": 2.0, "names": ["a", "b"]}
        sq = lambda v: v*v
        def helper(y, n=N, *, big=TABLE):
            return sq(y) + W.sum() + big[3] + n
        def fn(x: np.ndarray, k: float = 3.5) -> np.ndarray:
            # a comment
            return sqrt(np.sin(x)**2)*pi + e(-k) + helper(x) + erf(x) + sc.gamma(k) * OPTIONS["scale"] + max(1, N)
        fn(np.linspace(0, 1, 5), k=2)
    """,
    "a method called with a function": """
        import numpy as np
        def lorenz(t, y, sigma=10.0):
            return np.array([sigma*(y[1] - y[0]), y[0]*(28 - y[2]) - y[1], y[0]*y[1] - 8/3*y[2]])
        def rk4(f, y0, h, n, *, callback=None):
            y = y0.copy()
            for i in range(n):
                k1 = f(i*h, y)
                k2 = f(i*h + h/2, y + h/2*k1)
                y = y + h*k2
            return y
        rk4(lorenz, np.ones(3), 0.01, n=10)
    """,
    "a lambda as an argument": """
        import numpy as np
        G = 9.81
        def integrate(
            f,  # the integrand
            a,
            b,
            n=100,
        ):
            x = np.linspace(a, b, n)
            return f(x).sum() * (b - a) / n
        integrate(lambda t: G*np.sin(t), 0.0, 1.0)
    """,
    "a ufunc and a module as arguments": """
        import numpy as np
        def fold(op, x, xp):
            return xp.abs(op.reduce(x))
        fold(np.add, np.arange(4.0), xp=np)
    """,
    "recursion, and two that call each other": """
        import numpy as np
        def even(n):
            return True if n == 0 else odd(n - 1)
        def odd(n):
            return False if n == 0 else even(n - 1)
        def fn(n):
            return np.array([even(n), fn(n - 1)[0] if n else False])
        fn(5)
    """,
    "a function as a default that is not passed": """
        import numpy as np
        def square(x):
            return x * x
        def fn(x, f=square, g=lambda v: v + 1, h=np.sin, kept=np.cos, n=2):
            kept = kept or np.sin
            return f(x) + g(x) * h(x) + kept(x)
        fn(np.ones(3))
    """,
    "closures": """
        import numpy as np
        def make(k, weights):
            def helper(x):
                return x * weights
            def inner(x):
                return helper(x) * k
            return inner
        scaled = make(4.0, np.arange(20.0))
        scaled(np.ones(20))
    """,
    "an alias of a helper": """
        import numpy as np
        def smooth(x):
            return x if x.size < 2 else smooth(x[::2])
        blur = smooth
        mymax = max
        def fn(x):
            return blur(x) + mymax(1, 2)
        fn(np.ones(8))
    """,
    "imports in the body": """
        def fn(x):
            '''Doc.'''
            import numpy as np
            from math import (sin,
                              cos)
            def inner(q):
                return np.sum(q) + cos(2.0)
            return inner(x) + sin(1.0)
        fn([1.0, 2.0])
    """,
    "defaults of every kind": """
        import numpy as np
        from types import SimpleNamespace
        G = 3.0
        P = SimpleNamespace(d=np.ones(3))
        def fn(x, out=None, w=[1, 2], k=np.ones(3), big=np.arange(20), dtype=np.float64, f=lambda q: np.sin(q)*G,
               t=np.float32(1), n=-3, p=np.pi, h=(1, 2.5), s="é\\n", g=2*G):
            return f(k.sum()) + big.sum() + P.d[0] + n + p + h[1] + len(s) + dtype(t) + sum(w) + g
        fn(np.ones(3))
    """,
    "a default that was bound before its global changed": """
        N = 3
        def fn(x, n=N):
            return x * n + N
        N = 5
        fn(2)
    """,
    "annotations that cannot be run elsewhere": """
        from __future__ import annotations
        from typing import TYPE_CHECKING, Optional
        if TYPE_CHECKING:
            from nowhere import Grid
        class Mesh: pass
        def fn(x: Grid[int,
                       float], m: Optional[Mesh] = None) -> Mesh:
            return x + 1
        fn(2)
    """,
    "starred arguments": """
        import numpy as np
        arrays = [np.ones(2), np.zeros(2)]
        options = {"k": 2}
        def fn(first, *rest, k, **more):
            return first + sum(rest) * k + more["z"]
        fn(np.ones(2), *arrays, **options, z=3)
    """,
    "a multi-line string and deep indentation": '''
        if True:
                def fn(x):
                        text = """a
          b
        c"""
                        return len(text) + x
        fn(2)
    ''',
    "a name that is a builtin's elsewhere": """
        from numpy import *
        def fn(x):
            return sum(x, axis=0) + abs(x).max() + pi
        fn(ones((2, 3)))
    """,
    "a submodule that its package does not import": """
        import xml.etree.ElementTree
        import numpy as np
        import numpy.linalg as la
        def fn(x):
            return la.norm(x) + np.linalg.norm(x) + len(xml.etree.ElementTree.Element("a").tag)
        fn(np.ones(3))
    """,
    "a walrus, a global that is written, nested comprehension": """
        import numpy as np
        counter = 0
        def fn(x):
            global counter, last
            counter += 1
            last = [y for row in x if (y := row.sum()) > 0]
            return np.array(last) * counter
        fn(np.arange(6.0).reshape(2, 3))
    """,
    "constants that numpy itself has to write": """
        from numpy import float32, array
        A = float32(0.1)
        B = array([1, 2], dtype="u1")
        def fn(x):
            return x * A + B
        fn(2)
    """,
    "a user function named as a literal's constructor": """
        C = float("inf")
        Z = complex(-0.0, -0.0)
        def float(x):
            return -x
        def fn(x):
            return float(x) + C + Z.real
        fn(2)
    """,
}


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
def test_gives_the_same_result(cell: str) -> None:
    namespace: dict[str, Any] = {}
    workload = capture_cell(cell, namespace=namespace)
    expected = eval(workload.call, dict(namespace))
    result = run_alone(workload)
    assert type(result) is type(expected)
    np.testing.assert_array_equal(result, expected)
    assert len(workload.module.lines) == workload.module.text.count("\n")
    assert len(workload.argument_names) == len(workload.argument_values())
    pickle.dumps((workload.constants, workload.args, dict(workload.kwargs)))
    if workload.needs:
        with pytest.raises(NameError):
            exec(workload.module.text + f"\n{workload.needs[0]}", {})


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
def test_lines_lead_to_the_line_that_the_user_wrote(cell: str) -> None:
    source = textwrap.dedent(cell).lstrip("\n").split("\n")
    module = capture_cell(cell).module
    for text, line in zip(module.text.split("\n"), module.lines, strict=False):
        if line is not None and not text.lstrip().startswith(("def ", "return ")) and "fn_t" not in text:
            assert text.strip() == source[line - 1].strip()
    assert any(line is not None for line in module.lines)


def test_the_module_reads_as_a_person_would_write_it() -> None:
    workload = capture_cell(
        """
        import numpy as np
        from numpy import sqrt
        N = 5
        BIG = np.zeros(100)
        @staticmethod
        def helper(x):
            # doubles
            return 2 * x


        def fn(x):
            return helper(sqrt(x)) + N + BIG[0]
        helper = helper.__func__
        fn(np.ones(3))
    """.replace("@staticmethod", "").replace("helper = helper.__func__", "")
    )
    assert workload.module.text == (
        "from numpy import sqrt\n\nN = 5\n\n\ndef helper(x):\n    # doubles\n    return 2 * x\n\n\n"
        "def fn(x):\n    return helper(sqrt(x)) + N + BIG[0]\n"
    )
    assert workload.module.lines == (None, None, None, None, None, 6, 7, 8, None, None, 11, 12)
    assert workload.names == {"sqrt": "numpy.sqrt"}
    assert workload.needs == ("BIG",)
    assert set(workload.constants) == {"N", "BIG"}
    source = "def fn(x):\n    return helper(sqrt(x)) + N + BIG[0]\n"
    assert workload.function == SourceFunction("fn", source, 11, "cell")
    assert [each.name for each in workload.helpers] == ["helper"]


def test_labels_the_arguments() -> None:
    workload = capture_cell(CELLS["starred arguments"])
    assert workload.argument_names == ("first", "rest[0]", "rest[1]", "k", "z")
    assert list(workload.kwargs) == ["k", "z"]
    by_name = capture_cell("def fn(x, y=2, *, k):\n    return x + k\nx, k = 1, 2\n")
    assert (by_name.call, by_name.args, by_name.kwargs) == ("fn(x, k=k)", (1,), {"k": 2})


def test_a_function_argument_is_taken_out_with_a_note() -> None:
    workload = capture_cell(CELLS["a method called with a function"])
    assert workload.function.source.startswith("def rk4(y0, h, n, *, callback=None):")
    assert workload.argument_names == ("y0", "h", "n")
    assert [each.name for each in workload.helpers] == ["f"]
    assert workload.notes == ("the argument `f` is fixed to `lorenz`: the variants are called without it",)


def test_functions_that_are_defaults_are_taken_out_where_nothing_binds_them_anew() -> None:
    workload = capture_cell(CELLS["a function as a default that is not passed"])
    assert workload.function.source.startswith("def fn(x, kept=np.cos, n=2):")
    assert [each.name for each in workload.helpers] == ["f", "g"]
    assert workload.names == {"np": "numpy", "h": "numpy.sin"}


def test_prange_is_read_as_range() -> None:
    pytest.importorskip("numba")
    workload = capture_cell("""
        import numpy as np
        import numba as nb
        from numba import prange
        @nb.njit(parallel=True)
        def fn(x):
            s = 0.0
            for i in nb.prange(x.size):
                for j in prange(2):
                    s += x[i]
            return s
        fn(np.ones(3))
    """)
    assert workload.module.text == (
        "def fn(x):\n    s = 0.0\n    for i in range(x.size):\n        for j in range(2):\n            s += x[i]\n"
        "    return s\n"
    )
    assert (workload.names, run_alone(workload)) == ({}, 6.0)


def test_capture_changes_nothing_of_the_users() -> None:
    x = np.arange(5.0)
    scope = {"x": x, "T": np.ones(30), "np": np}
    exec("def fn(x, k):\n    x += T[0]\n    return x\n", scope)
    before, state, python = dict(scope), np.random.get_state()[1].copy(), random.getstate()
    sources = {"fn": SourceFunction("fn", "def fn(x, k):\n    x += T[0]\n    return x\n", 1, "cell")}
    workload = from_call("fn(x, k=(q := 3))", scope, sources=sources)
    assert scope.keys() == before.keys()
    assert all(scope[key] is before[key] for key in before)
    assert (x == np.arange(5.0)).all()
    assert (np.random.get_state()[1] == state).all()
    assert random.getstate() == python
    assert workload.args[0] is x
    assert workload.constants["T"] is not scope["T"]


def test_evaluates_each_argument_once_and_in_order() -> None:
    seen: list[str] = []
    namespace = {"mark": lambda label: seen.append(label) or label}
    call = "fn(mark('a'), *mark('bc'), k=mark('d'), **{'z': mark('e')})"
    capture_cell("def fn(*a, **k):\n    return a\n", call, namespace)
    assert seen == ["a", "bc", "d", "e"]


def test_one_object_with_two_names_stays_one() -> None:
    workload = capture_cell("A = [1]\nB = A\ndef fn(x):\n    return A is B\nfn(1)")
    assert run_alone(workload) is True


def test_a_partial_is_taken_into_the_call() -> None:
    workload = capture_cell("""
        import functools
        def fn(x, y, k):
            return x - y * k
        partly = functools.partial(fn, 10, k=3)
        partly(2)
    """)
    assert (workload.args, workload.kwargs, run_alone(workload)) == ((10, 2), {"k": 3}, 4)


SCALE = 3.0


def live(x, k=2):  # type: ignore[no-untyped-def]
    return _live_helper(x) * k * SCALE


def _live_helper(x):  # type: ignore[no-untyped-def]
    return np.asarray(x) + 1


def test_captures_a_live_function_of_a_file() -> None:
    workload = from_function(live, (1.0,), {"k": 3})
    assert run_alone(workload) == live(1.0, k=3)
    assert workload.call == "live(x, k=k)"
    assert workload.function.origin == __file__
    assert workload.module.lines[-1] == live.__code__.co_firstlineno + 1
    assert from_function(live, (1.0,), {}).key == workload.key


def test_a_thread_lock_in_an_unread_global_is_no_obstacle() -> None:
    namespace = {"lock": threading.Lock()}
    assert run_alone(capture_cell("def fn(x):\n    return x\nfn(2)", namespace=namespace)) == 2


JSON = st.recursive(
    st.one_of(st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary(), st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.tuples(inner, inner), st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_any_plain_value_is_captured_exactly(value: Any) -> None:
    before = copy.deepcopy(value)
    workload = capture_cell("def fn():\n    return VALUE\nfn()", namespace={"VALUE": value})
    assert identical(run_alone(workload), value)
    assert identical(before, value)


def test_the_text_is_the_same_each_time() -> None:
    texts = {capture_cell(CELLS["constants, helpers, a dotted import"]).key for _ in range(2)}
    assert len(texts) == 1


def test_no_compiler_library_is_imported_for_a_plain_function() -> None:
    program = (
        "import sys, jitmagic.capture.file, jitmagic.capture.call\n"
        "print([m for m in ('numba', 'jax', 'torch', 'cupy', 'IPython', 'libcst') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
