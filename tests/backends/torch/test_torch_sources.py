"""Before and after: what a reader of the torch source sees."""

import textwrap

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from jitmagic.observe.run import observe
from tests.backends.torch.torch_support import drafts, run, same, watch, workload

V = np.linspace(-1, 2, 12)
M = V.reshape(4, 3)


def text(source, *args, variant="torch", **kwargs):
    w = workload(source, *args, **kwargs)
    draft = drafts(w, watch(w).observation)[variant]
    assert isinstance(draft, Draft), draft.refusal
    return draft.module.text


def refusal(source, *args, variant="torch"):
    w = workload(source, *args)
    found = drafts(w, watch(w).observation)[variant]
    assert not isinstance(found, Draft), found.module.text
    return found.refusal


def check(source, after, *args, **kwargs):
    assert textwrap.dedent(after).strip() == text(source, *args, **kwargs).strip()


def test_what_torch_spells_alike_stays_to_the_letter():
    check(
        """
        def fn(x):
            # a cubic
            y = x + x*x   # keep   this
            return y.sum(), y @ y
        """,
        """
        def fn(x):
            # a cubic
            y = x + x*x   # keep   this
            return y.sum(), y @ y
        """,
        V,
    )


def test_names_axes_and_defaults_that_differ():
    check(
        """
        def fn(x):
            s = x.std(axis=0)
            c = np.concatenate([x, x], axis=1)
            return np.clip(c, 0, None), s, np.zeros(x.shape[0])
        """,
        """
        import torch


        def fn(x):
            s = x.std(dim=0, correction=0)
            c = torch.cat([x, x], dim=1)
            return torch.clamp(c, min=0), s, torch.zeros(x.shape[0], dtype=torch.float64, device=x.device)
        """,
        M,
    )


def test_integers_become_float64_where_numpy_makes_them_so():
    check(
        "def fn(a, n):\n    return a / n + np.sqrt(a) * 2",
        """
        import torch


        def fn(a, n):
            return a.to(torch.float64) / n + torch.sqrt(a.to(torch.float64)) * 2
        """,
        np.arange(4),
        3,
    )


def test_counts_that_become_sums_are_divided_as_numbers():
    check(
        """
        def fn(x):
            n = 0
            for i in range(len(x)):
                if x[i] > 0:
                    n += 1
            return np.log(n + 1), n / 3
        """,
        """
        import torch


        def fn(x):
            n = 0
            n = n + torch.sum(torch.where(x[:len(x)] > 0, torch.tensor(1, dtype=torch.int64), 0))
            return torch.log((n + 1).to(torch.float64)), n.to(torch.float64) / 3
        """,
        V,
    )


def test_python_numbers_stay_python_numbers():
    check(
        "def fn(x, k):\n    w = np.sqrt(k) * np.pi\n    return np.exp(-w * x)",
        """
        import math

        import torch


        def fn(x, k):
            w = math.sqrt(k) * math.pi
            return torch.exp(-w * x)
        """,
        V,
        2.0,
    )


def test_a_written_argument_has_a_wrapper_of_the_users_name():
    check(
        """
        def axpy(a, x, y=None):
            y += a * x  # in place
        """,
        '''
        import torch


        def axpy_on_tensors(a, x, y=None):
            y += a * x  # in place


        def axpy(a, x, y=None):
            """Runs `axpy_on_tensors` on copies of `y` and writes the results back."""
            y_tensor = torch.from_numpy(y.copy()).to(x.device)
            axpy_on_tensors(a, x, y_tensor)
            y[...] = y_tensor.numpy(force=True)
        ''',
        2.0,
        V,
        V.copy(),
    )


def test_a_returned_argument_is_the_same_object():
    source = "def fn(x, out):\n    np.multiply(x, 2, out=out)\n    return out"
    w = workload(source, V, np.zeros(12))
    draft = drafts(w, watch(w).observation)["torch"]
    assert draft.written == ("out",)
    assert draft.module.text.rstrip().endswith("return out")
    out = np.zeros(12)[::-1]
    result, _ = run(workload(source, V, out), draft)
    same(V * 2, result)


def test_arguments_returned_in_a_tuple_are_the_same_objects():
    source = "def fn(u, v):\n    u += v\n    v[1:] = u[:-1]\n    return u, v.sum(), v"
    w = workload(source, V.copy(), V * 2)
    draft = drafts(w, watch(w).observation)["torch"]
    assert draft.module.text.rstrip().endswith("return u, result[1], v")
    result, args = run(w, draft)
    same(watch(w).result, result)
    assert result[0] is args[0]


def test_a_reversed_view_of_what_is_written_by_another_view_is_refused():
    source = "def fn(x):\n    a = x.copy()\n    even, back = a[::2], a[::-1]\n    even *= 2\n    return back[:3] + 1"
    assert refusal(source, V).code == "PT-FLIPVIEW"


def test_a_large_constant_is_converted_once_under_the_imports():
    w = workload("def fn(x):\n    return weights @ x", V[:3], constants={"weights": M})
    watched = watch(w)
    draft = drafts(w, watched.observation)["torch"]
    assert draft.needs == ("weights",)
    assert (
        "# `weights` is expected in the namespace, as a NumPy array\nweights = torch.as_tensor(weights)"
        in draft.module.text
    )
    same(watched.result, run(w, draft)[0])


def test_an_element_that_is_kept_is_copied_only_where_its_array_is_stored_into():
    kept = "def fn(x):\n    y = x.copy()\n    t = y[0]\n    y[0] = 5.0\n    return t, y"
    read = "def fn(x):\n    t = x[0]\n    y = x * t\n    return t, y"
    assert "t = y[0].clone()" in text(kept, V)
    assert "t = x[0]\n" in text(read, V)


def test_an_overlapping_right_side_is_copied():
    assert "y[1:] = y[:-1].clone()" in text("def fn(x):\n    y = x.copy()\n    y[1:] = y[:-1]\n    return y", V)


def test_lines_of_the_draft_lead_to_the_users_lines():
    w = workload("def fn(x):\n    y = np.cbrt(x)\n    return np.sum(y)", V)
    module = drafts(w, watch(w).observation)["torch"].module
    lines = module.text.splitlines()
    origin = w.module.text.splitlines().index("    return np.sum(y)") + 1
    assert module.origin_line(lines.index("    return torch.sum(y)") + 1) == origin


@pytest.mark.parametrize(
    ("source", "words", "code"),
    [
        (
            "def fn(x):\n    y = x.copy()\n    y[::-1] = x\n    return y",
            "line 7 stores through a reversed slice",
            "PT-FLIPVIEW",
        ),
        (
            "def fn(x):\n    y = x.copy()\n    r = y[::-1]\n    y[0] = 9\n    return r",
            "keeps a reversed view of `y`",
            "PT-FLIPVIEW",
        ),
        ("def fn(x):\n    return x.reshape(3, 4, order='F')", "order", None),
    ],
)
def test_what_has_no_counterpart_is_refused_with_its_line(source, words, code):
    found = refusal(source, V)
    assert words in found.reason
    assert found.code == code


def test_unsigned_integers_without_arithmetic_are_refused():
    found = refusal("def fn(a):\n    return a + 1", np.arange(3, dtype=np.uint32))
    assert found.code == "PT-UINT"
    assert "uint32" in found.reason


def test_arguments_that_share_memory_are_refused_where_one_is_written():
    base = np.zeros(8)
    source = "def fn(x, y):\n    y += x"
    w = workload(source, base[:6], base[2:])
    args = base[:6], base[2:]
    observation = observe(w.module.text, "fn", {}, lambda: (args, {}), w.argument_names).observation
    if not observation.mutated:
        args[0][:] = 1.0
        observation = observe(w.module.text, "fn", {}, lambda: _shared(), w.argument_names).observation
    assert "share memory" in drafts(w, observation)["torch"].refusal.reason


def _shared():
    base = np.arange(8.0)
    return (base[:6], base[2:]), {}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def fn(x):\n    if x.sum() > 0:\n        return x\n    return -x", "line 6 branches on an array's value"),
        ("def fn(x):\n    return x * float(x[0])", "line 6 brings an array's value into Python"),
        ("def fn(x):\n    return x[x > 0]", "line 6 selects by a mask"),
        ("def fn(x):\n    print(1)\n    return x", "line 6 prints"),
        ("def fn(x):\n    for i in range(40):\n        x = x * 0.9\n    return x", "line 6 loops 40 times"),
        ("def fn(x):\n    while np.abs(x).max() > 0.5:\n        x = x * 0.5\n    return x", "line 6 loops until"),
    ],
)
def test_what_breaks_the_graph_is_refused_for_torch_compile(source, words):
    found = refusal(source, V, variant="torch-compile")
    assert words in found.reason
    assert found.code in ("PT-DYNBREAK", "PT-DYNUNROLL")
    text(source, V)


def test_compiled_and_traced_sources_wear_the_decorator():
    source = "def helper(x):\n    return np.sin(x)\n\n\ndef fn(x):\n    return helper(x) * 2"
    assert text(source, V, variant="torch-compile").count("@torch.compile(fullgraph=True)\ndef fn(x):") == 1
    traced = text(source, V, variant="torch-numpy")
    assert "return np.sin(x)" in traced
    assert "import numpy as np\nimport torch\n" in traced


@pytest.mark.parametrize(
    ("source", "argument", "code"),
    [
        ("def fn(a):\n    return a / 3", np.arange(4), "PT-DEFDTYPE"),
        ("def fn(a):\n    return np.sqrt(a)", np.arange(4), "PT-DEFDTYPE"),
        ("def fn(x):\n    return np.median(x)", V, "PT-NP-0D"),
        ("def fn(x):\n    y = x.copy()\n    r = y[::-1]\n    r[0] = 1\n    return y", V, "PT-FLIPVIEW"),
        ("def fn(x):\n    return x * np.random.rand(12)", V, "PT-NP-RNG"),
        ("def fn(x):\n    for i in range(40):\n        x = x * 0.9\n    return x", V, "PT-DYNUNROLL"),
        ("def fn(f):\n    return f * np.float64(2.0).sum()", V.astype(np.float32), "PT-0D"),
        ("def fn(x):\n    return x[np.tril_indices(3)]", M[:3], "PT-NP-TRIL"),
    ],
)
def test_tracing_is_refused_where_it_silently_differs(source, argument, code):
    assert refusal(source, argument, variant="torch-numpy").code == code


NODES = "def fn(x):\n    t, w = np.polynomial.legendre.leggauss(4)\n    return x[:4] * t + w"
COUNTS = "def fn(x, m):\n    h, a, b = np.histogram2d(x, 2 * x, bins=3)\n    return np.triu(h) + a[0] + m[0, 0]"


@pytest.mark.parametrize("source", [NODES, COUNTS])
def test_what_torch_has_nothing_for_numpy_computes_and_a_note_says_so(source):
    args = (V,) if source is NODES else (V, M)
    work = workload(source, *args)
    watched = watch(work)
    made = drafts(work, watched.observation)["torch"]
    assert [n.split(": ", 1)[1] for n in made.notes if n.startswith("line ") and "NumPy computes it, on the CPU" in n]
    found = refusal(source, *args, variant="torch-compile")
    assert "no counterpart" in found.reason
    same(watched.result, run(work, made)[0])


def test_a_view_of_an_array_that_is_stored_into_is_not_left_to_numpy():
    view = "np.lib.stride_tricks.as_strided(x, (3,), (8,))"
    source = f"def fn(x):\n    x = x.copy()\n    y = {view}\n    x[0] = 5\n    return y + 1"
    assert "as_strided" in refusal(source, V).reason


def test_an_element_of_the_array_that_is_divided_in_place_is_copied_first():
    source = "def fn(m):\n    m = m.copy()\n    m[1] /= m[1, 2]\n    return m"
    assert "m[1] /= m[1, 2].clone()" in text(source, M)
