"""A ufunc with out= and where= becomes np.where: sources before and after, and values against NumPy."""

import libcst as cst
import numpy as np
import pytest

from jitmagic.generate.masked_ufuncs import without_masked_ufuncs
from jitmagic.generate.module import Module
from jitmagic.observe.run import observe
from tests.backends.jax.jax_workbench import workload_of

X = np.array([-1.0, 0.0, 2.0, 5.0])
Y = np.array([3.0, 0.0, 4.0, 0.0])


def rewritten(body, *args):
    source = f"import numpy as np\n\n\ndef f(a, b):\n{body}"
    workload = workload_of(source, args)
    observed = observe(
        workload.module.text, "f", {}, lambda: (tuple(np.copy(a) for a in args), {}), workload.argument_names
    )
    module = Module.of(workload, observed.observation)
    tree = without_masked_ufuncs(module, module.tree, "f")
    assert isinstance(tree, cst.Module)
    return source, tree.code


CASES = {
    "a ratio": (
        "    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)\n",
        "    return np.where(b != 0, np.divide(a, b), np.zeros_like(a))\n",
    ),
    "into an array": (
        "    np.log(a, out=b, where=a > 0)\n    return b\n",
        "    b[...] = np.where(a > 0, np.log(a), b)\n    return b\n",
    ),
    "into a part": (
        "    np.sqrt(a[1:], out=b[1:], where=a[1:] > 0)\n    return b\n",
        "    b[1:] = np.where(a[1:] > 0, np.sqrt(a[1:]), b[1:])\n    return b\n",
    ),
    "whole numbers that give floats": (
        "    return np.divide(a, 2, out=np.full(len(a), -1.0), where=(b != 0)) + 1\n",
        "    return np.where((b != 0), np.divide(a, 2), np.full(len(a), -1.0)) + 1\n",
    ),
    "two at once": (
        "    return np.log(a, out=b.copy(), where=a > 0), np.divide(1, a, where=a > 2, out=np.ones(4))\n",
        "    return np.where(a > 0, np.log(a), b.copy()), np.where(a > 2, np.divide(1, a), np.ones(4))\n",
    ),
    "under its own name": (
        "    a = np.sqrt(a, out=a, where=a > 0)\n    return a\n",
        "    a[...] = np.where(a > 0, np.sqrt(a), a)\n    return a\n",
    ),
    "and named": (
        "    c = np.add(a, b, b, where=a > 0)\n    return c\n",
        "    b[...] = np.where(a > 0, np.add(a, b), b)\n    c = b\n    return c\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_is_np_where(case):
    before, after = CASES[case]
    source, text = rewritten(before, X, Y)
    assert text.endswith(after)
    results = []
    for one in (source, text):
        scope = {}
        exec(one, scope)
        a, b = X.copy(), Y.copy()
        with np.errstate(all="ignore"):
            results.append((scope["f"](a, b), a, b))
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("body", "args"),
    [
        ("    return np.floor_divide(a, b, out=np.zeros_like(a), where=b != 0)\n", (np.arange(3), np.arange(3))),
        ("    return np.divide(a, b, where=b != 0)\n", (X, Y)),
        ("    return np.divide(a, b, out=np.empty_like(a), where=b != 0)\n", (X, Y)),
        ("    return np.add(a, b, out=np.zeros(4, np.float32), where=b != 0)\n", (X, Y)),
        ("    return np.add(a, b, out=b)\n", (X, Y)),
    ],
    ids=["whole numbers may raise", "no out", "elements of no value", "another dtype", "no where"],
)
def test_is_left_as_it_is(body, args):
    source, text = rewritten(body, *args)
    assert text == source
