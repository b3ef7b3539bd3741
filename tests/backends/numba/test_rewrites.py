"""Before and after: what each rewrite makes of a function. Nothing is compiled here."""

import textwrap

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import drafts, workload

F32 = np.arange(1.0, 7.0, dtype="float32")
F64 = np.arange(1.0, 7.0)
U8 = np.arange(1, 7, dtype="uint8")
MATRIX = np.arange(12.0).reshape(3, 4)


def body(variant, source, *args, **kwargs):
    """Returns the lines of the function itself, or the refusal."""
    draft = drafts(workload(source, *args, **kwargs))[variant]
    if not isinstance(draft, Draft):
        return draft.refusal.reason
    lines = draft.module.text.splitlines()
    start = max(k for k, line in enumerate(lines) if line.startswith("@njit"))
    return "\n".join(lines[start + 2 :]) + "\n"


_DIFFERENT = 'raise ValueError("operands could not be broadcast together")'

SUM_OF_AN_EXPRESSION = f"""# np.sum((x - k) ** 2)
    if k.shape != x.shape:
        {_DIFFERENT}
    total = np.float64(0)
    for i in range(x.shape[0]):
        total += (x[i] - k[i]) ** 2
    return total"""

SUM_ALONG_AN_AXIS = """# (x * x).sum(axis=1)
    out = np.empty((x.shape[0],), dtype=np.float64)
    for i in range(x.shape[0]):
        total = np.float64(0)
        for j in range(x.shape[1]):
            total += x[i, j] * x[i, j]
        out[i] = total
    return out"""

STORE_IN_PLACE = f"""# x += 2 * k
    if k.shape != x.shape:
        {_DIFFERENT}
    for i in range(x.shape[0]):
        x[i] += 2 * k[i]"""

MASKED_ELEMENTS = f"""# x[k] = 2 * x[k] + 1
    if x.shape != k.shape:
        {_DIFFERENT}
    for i in range(k.shape[0]):
        if k[i]:
            x[i] = 2 * x[i] + 1"""

SERIAL = {
    "a float beside float32": ("return x * 0.5", "return x * np.float32(0.5)", (F32,)),
    "a float beside float64": ("return x * 0.5", "return x * 0.5", (F64,)),
    "a parameter beside float32": ("return k * x", "return np.float32(k) * x", (F32, 0.5)),
    "an int beside float32 arrays": ("return x * 2", "return x * 2", (F32,)),
    "an int beside a float32 scalar": ("return x[:1] * (x[0] * 2)", "return x[:1] * (x[0] * np.float32(2))", (F32,)),
    "a constant of NumPy": ("return x * np.pi", "return x * np.float32(np.pi)", (F32,)),
    "a power": ("return x ** 0.5", "return x ** np.float32(0.5)", (F32,)),
    "an exact comparison": ("return x > 0.5", "return x > 0.5", (F32,)),
    "an inexact comparison": ("return x > 0.1", "return x > np.float32(0.1)", (F32,)),
    "where": ("return np.where(x > 0, x, 0.0)", "return np.where(x > 0, x, np.float32(0.0))", (F32,)),
    "math": ("return x[:2] * math.sqrt(x[0])", "return x[:2] * np.float32(math.sqrt(float(x[0])))", (F32,)),
    "a small integer array": ("return x * 3", "return x * np.uint8(3)", (U8,)),
    "small integers divided": ("return x / x", "return x.astype(np.float64) / x", (U8,)),
    "int64 with float32": ("return x * k", "return x.astype(np.float64) * k", (F32, np.arange(6))),
    "a store that wraps by itself": ("x[0] = x[1] * x[2] + 7", "x[0] = x[1] * x[2] + 7", (U8,)),
    "a negative power": ("return x * 10 ** -k", "return x * 10.0 ** -k", (F64, 2)),
    "sum": ("return x - x.sum()", "return x - np.float32(np.sum(x, dtype=np.float64))", (F32,)),
    "mean": ("return x - np.mean(x)", "return x - np.float32(np.sum(x, dtype=np.float64) / x.size)", (F32,)),
    "sum of float64": ("return x - x.sum()", "return x - x.sum()", (F64,)),
    "mean along an axis": ("return x.mean(axis=0)", "return np.sum(x, axis=0) / x.shape[0]", (MATRIX,)),
    "keepdims": (
        "return x - x.sum(axis=1, keepdims=True)",
        "return x - np.sum(x, axis=1).reshape(-1, 1)",
        (MATRIX,),
    ),
    "max along an axis": ("return x.max(axis=1)", "return max_axis1(x)", (MATRIX,)),
    "norm along an axis": (
        "return np.linalg.norm(x, axis=1)",
        "return np.sqrt(np.sum(x ** 2, axis=1))",
        (MATRIX,),
    ),
    "overlap": ("x[1:] += x[:-1]", "x[1:] += x[:-1].copy()", (F64,)),
    "reversal": ("x[:] = x[::-1]", "x[:] = x[::-1].copy()", (F64,)),
    "an expression needs no copy": ("x[1:] = x[:-1] + 1", "x[1:] = x[:-1] + 1", (F64,)),
    "the same place": ("x[1:] += x[1:]", "x[1:] += x[1:]", (F64,)),
    "rows apart": ("x[0] = x[1]", "x[0] = x[1]", (MATRIX,)),
    "other arrays": ("x[1:] = k[:-1]", "x[1:] = k[:-1]", (F64, F64 + 1)),
    "a list of arrays": ("return np.concatenate([x, x])", "return np.concatenate((x, x))", (F64,)),
    "a Python dtype": (
        "return np.zeros(3, dtype=int) + x.astype(float)[:3]",
        "return np.zeros(3, dtype=np.int64) + x.astype(np.float64)[:3]",
        (F64,),
    ),
    "out": ("np.multiply(x, 2.0, out=x)", "x[...] = np.multiply(x, 2.0)", (F64,)),
    "a mask of two axes": ("x[x > 3] = 0", "x[...] = np.where(x > 3, np.float64(0), x)", (MATRIX,)),
    "errstate": (
        "with np.errstate(divide='ignore'):\n        y = 1 / x\n    return y",
        "y = 1 / x\n    return y",
        (F64,),
    ),
    "a number among arrays": (
        "return np.concatenate(([0.0], x, [x[0]]))",
        "return np.concatenate((np.array([0.0]), x, np.array([x[0]])))",
        (F64,),
    ),
    "parts in brackets": ("return np.r_[x, 0.0]", "return np.concatenate((x, np.array([0.0])))", (F64,)),
    "Frobenius": ("return np.linalg.norm(x, 'fro')", "return np.linalg.norm(x)", (MATRIX,)),
    "Frobenius by its keyword": ("return np.linalg.norm(x, ord='fro')", "return np.linalg.norm(x)", (MATRIX,)),
    "columns in brackets": ("return np.c_[x, x]", "return np.column_stack((x, x))", (F64,)),
    "a grid": (
        "i, j = np.mgrid[0:len(x), 2:k]\n    return i - j",
        "i, j = grids(np.arange(len(x)), np.arange(2, k))\n    return i - j",
        (F64, 5),
    ),
    "a grid in one array": ("return np.mgrid[:k, 0:4:2]", "return grid(np.arange(k), np.arange(0, 4, 2))", (F64, 5)),
    "a grid of a count of points": (
        "return np.mgrid[0:1:5j, :2]",
        "return grid(np.linspace(0, 1, 5), np.arange(2))",
        (F64,),
    ),
    "an open grid": (
        "i, j = np.ogrid[:k, :3]\n    return i * j",
        "i, j = (np.arange(k).reshape(-1, 1), np.arange(3).reshape(1, -1))\n    return i * j",
        (F64, 5),
    ),
    "lists that are added": (
        "return np.concatenate([[1.0]] + [x[i:i + 2] for i in range(3)] + [x])",
        "return np.concatenate((np.array([1.0]), joined([x[i:i + 2] for i in range(3)]), x))",
        (F64,),
    ),
    "a list backwards": (
        "y = [v + 1 for v in x]\n    for v in reversed(y):\n        x[0] += v",
        "y = [v + 1 for v in x]\n    for v in y[::-1]:\n        x[0] += v",
        (F64,),
    ),
    "a count from one": (
        "for i, v in enumerate(x, start=1):\n        x[i - 1] = i * v",
        "for i, v in enumerate(x, 1):\n        x[i - 1] = i * v",
        (F64,),
    ),
    "a sum of an expression": ("return np.sum((x - k) ** 2)", SUM_OF_AN_EXPRESSION, (F64, F64 + 1)),
    "a sum along an axis": ("return (x * x).sum(axis=1)", SUM_ALONG_AN_AXIS, (MATRIX,)),
    "a store in place": ("x += 2 * k", STORE_IN_PLACE, (F64, F64 + 1)),
    "a store that reads its neighbours": ("x[1:] += 2 * x[:-1]", "x[1:] += 2 * x[:-1]", (F64,)),
    "masked elements": ("x[k] = 2 * x[k] + 1", MASKED_ELEMENTS, (F64, F64 > 2)),
    "pairs of indices": (
        "return x[np.arange(3), np.array([1, 2, 0])]",
        "return take_at(x, np.arange(3), np.array([1, 2, 0]))",
        (MATRIX,),
    ),
    "a list as index": ("return x[[0, 2]]", "return x[np.array([0, 2])]", (F64,)),
    "integers that overflow": (
        "return (x * x) >> 1",
        "return (x * x).astype(np.uint8) >> np.uint8(1)",
        (U8,),
    ),
    "matrices of integers": (
        "return x @ k",
        "return integer_product(x, k)",
        (MATRIX.astype("int64"), MATRIX.T.astype("int64")),
    ),
    "a comment": ("y = x + 1  # one more\n    return y", "y = x + 1  # one more\n    return y", (F64,)),
}


@pytest.mark.parametrize(("before", "after", "args"), SERIAL.values(), ids=SERIAL)
def test_serial(before, after, args):
    head = "def fn(x, k):\n" if len(args) == 2 else "def fn(x):\n"
    assert body("numba", f"{head}    {before}\n", *args) == f"    {after}\n"


PARALLEL = {
    "a map": (
        "y = np.empty_like(x)\nfor i in range(x.size):\n    y[i] = x[i] + 1\nreturn y",
        "y = np.empty_like(x)\nfor i in prange(x.size):\n    y[i] = x[i] + 1\nreturn y",
        (F64,),
    ),
    "an index that is computed with": (
        "y = np.empty_like(x)\nfor i in range(1, x.size):\n    y[i] = x[i - 1]\nreturn y",
        "y = np.empty_like(x)\nfor i_ in prange(1, x.size):\n    i = np.int64(i_)  # prange's index is unsigned\n"
        "    y[i] = x[i - 1]\nreturn y",
        (F64,),
    ),
    "a maximum": (
        "m = x[0]\nfor i in range(x.size):\n    # larger?\n    if m < x[i]:\n        m = x[i]  # take it\nreturn m",
        "m = x[0]\nfor i in prange(x.size):\n    # larger?\n    m = max(m, x[i])  # take it\nreturn m",
        (F64,),
    ),
    "a new axis": (
        "return x[:, None] - x[None, :]",
        "return np.ascontiguousarray(x).reshape(-1, 1) - np.ascontiguousarray(x).reshape(1, -1)",
        (F64,),
    ),
    "NaN in a maximum": ("return x / np.max(x)", "return x / serial_max(x)", (F64,)),
}


@pytest.mark.parametrize(("before", "after", "args"), PARALLEL.values(), ids=PARALLEL)
def test_parallel(before, after, args):
    source = "def fn(x):\n" + textwrap.indent(before, "    ") + "\n"
    assert body("numba-parallel", source, *args) == textwrap.indent(after, "    ") + "\n"


STORES = {
    "a smaller value": (
        "if x[j] + 1.0 < y[j]:\n    y[j] = x[j] + 1.0",
        "y[j] = x[j] + 1.0 if x[j] + 1.0 < y[j] else y[j]",
    ),
    "with a comment": (
        "# bound\nif y[j] < 0.0:\n    y[j] = 0.0  # below",
        "# bound\ny[j] = 0.0 if y[j] < 0.0 else y[j]  # below",
    ),
    "a neighbour's": ("if y[j + 1] > x[j]:\n    y[j + 1] = x[j]", "y[j + 1] = x[j] if y[j + 1] > x[j] else y[j + 1]"),
    "not read before": ("if x[j] > 0.0:\n    y[j] = x[j]", None),
    "read where the condition may not come to": ("if x[j] > 0.0 and y[j] > 0.0:\n    y[j] = x[j]", None),
    "an index from an array": ("if x[j] < y[k[j]]:\n    y[k[j]] = x[j]", None),
    "two stores": ("if x[j] < y[j]:\n    y[j] = x[j]\n    k[j] = j", None),
    "the same element in each step": ("if x[j] < y[0]:\n    y[0] = x[j]", None),
    "another dtype": ("if k[j] > x[j]:\n    k[j] = x[j]", None),
    "otherwise another": ("if y[j] < 0.0:\n    y[j] = 0.0\nelse:\n    y[j] = 1.0", None),
}


@pytest.mark.parametrize(("before", "after"), STORES.values(), ids=STORES)
def test_stores_under_a_condition(before, after):
    head = "def fn(x, y, k):\n    for j in range(x.size - 1):\n"
    made = body("numba", head + textwrap.indent(before, "        ") + "\n", F64, F64[::-1].copy(), np.arange(6))
    assert made.split("\n", 1)[1] == textwrap.indent(after or before, "        ") + "\n"


def test_a_loop_in_parallel_keeps_its_stores_under_their_condition():
    source = "def fn(x, y):\n    for j in range(x.size):\n        if x[j] < y[j]:\n            y[j] = x[j]\n"
    assert "if x[j] < y[j]:\n            y[j] = x[j]" in body("numba-parallel", source, F64, F64[::-1].copy())


def test_the_whole_file_reads_as_written_by_hand():
    source = '''
    GAIN = 2.5


    def helper(v):
        """Doubles."""
        return 2 * v


    def fn(x):
        # every element
        for i in range(x.size):
            x[i] = helper(x[i]) * GAIN  # scaled
    '''
    draft = drafts(workload(source, F64))["numba-parallel"]
    assert draft.module.text == textwrap.dedent('''\
        import numpy as np
        from numba import njit, prange

        GAIN = 2.5


        @njit(error_model="numpy")
        def helper(v):
            """Doubles."""
            return 2 * v


        @njit(parallel=True, error_model="numpy")
        def fn(x):
            # every element
            for i in prange(x.size):
                x[i] = helper(x[i]) * GAIN  # scaled
        ''').replace("import numpy as np\n", "")
    assert draft.module.origin_line(draft.module.text.splitlines().index("def fn(x):") + 1) == 9


def test_a_float32_result_is_wrapped():
    draft = drafts(workload("def fn(x):\n    return x[0]\n", F32))["numba"]
    assert draft.module.text.endswith(
        "def _fn(x):\n    return x[0]\n\n\ndef fn(x):\n"
        "    # Numba returns Python numbers: give back NumPy's scalar type\n"
        "    return np.float32(_fn(x))\n"
    )
    assert draft.entry == "fn"


def test_captured_arrays_are_named_in_a_comment():
    draft = drafts(workload("def fn(x):\n    return x * table\n", F64, needs={"table": F64}))["numba"]
    assert "# table is expected in this namespace; Numba freezes table when it first compiles.\n" in draft.module.text
    assert draft.needs == ("table",)


REFUSED = {
    "global": ("NB-GLOBALS", 2, "COUNT = 0\ndef fn(x):\n    global COUNT\n    COUNT += 1\n    return x\n", (F64,)),
    "keywords": ("NB-SYNTAX", 1, "def fn(x, **options):\n    return x\n", (F64,)),
    "big integers": ("NB-INTWRAP", 2, "def fn(n):\n    return 2 ** n / 3 ** n\n", (90,)),
}


@pytest.mark.parametrize(("code", "line", "source", "args"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_the_line(code, line, source, args):
    for answer in drafts(workload(source, *args)).values():
        assert answer.refusal.code == code
        assert answer.refusal.line in (line, line + 1)


def test_a_recurrence_says_why_it_is_not_parallel():
    source = "def fn(y, a):\n    for i in range(1, len(y)):\n        y[i] = a * y[i - 1]\n"
    answer = drafts(workload(source, F64, 0.5))["numba-parallel"]
    assert answer.refusal.line == 3
    assert answer.refusal.reason == (
        "nothing to run in parallel: the loop of line 2 writes `y[i]` and reads `y[i - 1]`, which another step "
        "wrote (line 3)"
    )


def test_an_axis_of_length_one_from_elsewhere_is_refused_in_parallel_only():
    made = drafts(workload("def fn(x, k):\n    return x - k\n", MATRIX, MATRIX[:1]))
    assert isinstance(made["numba"], Draft)
    assert "axis of length 1" in made["numba-parallel"].refusal.reason


def test_a_generator_is_made_in_the_wrapper():
    source = """
    def fn(n, seed):
        rng = np.random.default_rng(seed)
        x = 0.0
        for _ in range(n):
            x += rng.normal()
        return x
    """
    text = drafts(workload(source, 5, 3))["numba"].module.text
    assert "def _fn(n, rng):" in text
    assert "def fn(n, seed):\n    rng = np.random.default_rng(seed)\n    return _fn(n, rng)\n" in text


def test_a_seed_of_its_own_lets_numba_draw_and_says_so():
    source = "def fn(n):\n    np.random.seed(1)\n    return np.random.rand(n).mean()\n"
    draft = drafts(workload(source, 5))["numba"]
    assert "    np.random.seed(1)\n    return np.random.rand(n).mean()\n" in draft.module.text
    assert any("random state" in note for note in draft.notes)


def test_what_is_drawn_without_a_seed_is_drawn_by_numpy():
    source = "def fn(n):\n    return np.random.rand(n) + 1\n"
    text = drafts(workload(source, 5))["numba"].module.text
    assert "np.random.rand(n)" in text.partition("def fn(")[2]
    assert "np.random" not in text.partition("def fn(")[0]


def test_a_dict_comes_back_as_a_dict():
    source = 'def fn(x):\n    return {"sum": x.sum(), "both": (x[0], x[1])}\n'
    text = drafts(workload(source, F64))["numba"].module.text
    assert "    return x.sum(), x[0], x[1]\n" in text
    assert '    return {"sum": result_0, "both": (result_1, result_2)}\n' in text


def test_what_numba_lacks_is_called_in_python():
    draft = drafts(workload("def fn(x):\n    return np.fft.fft(x) * 2\n", F64))["numba"]
    assert '    with objmode(out="complex128[::1]"):\n        out = np.fft.fft(x)\n' in draft.module.text
    assert draft.notes == ("line 2: Numba has no form of `np.fft.fft`, so that it is called in Python there",)


def test_draws_under_a_condition_from_a_legacy_generator_are_refused():
    source = """
    def fn(n):
        rs = np.random.RandomState(1)
        t = 0.0
        for i in range(n):
            if i % 2:
                t += rs.rand()
        return t
    """
    refusal = drafts(workload(source, 4))["numba"].refusal
    assert (refusal.code, refusal.line) == ("NB-SEED", 6)
