"""np.vectorize of a small function becomes one of arrays: sources before and after, and values against NumPy."""

import libcst as cst
import numpy as np
import pytest

from jitmagic.backends import all_backends
from jitmagic.backends.protocol import Draft
from jitmagic.generate.module import Module
from jitmagic.generate.vectorize_calls import without_vectorize
from jitmagic.observe.run import observe
from tests.backends.jax.jax_workbench import workload_of
from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

HEAD = "import math\n\nimport numpy as np\n\n\ndef f(x, k):\n"
X = np.array([-1.0, 0.25, 0.5, 2.0, 5.0])


def rewritten(body):
    workload = workload_of(HEAD + body, (X, 0.5))
    observed = observe(
        workload.module.text, "f", {"math": __import__("math")}, lambda: ((X.copy(), 0.5), {}), workload.argument_names
    )
    module = Module.of(workload, observed.observation)
    tree = without_vectorize(module, module.tree, "f")
    assert isinstance(tree, cst.Module)
    return tree.code[tree.code.index("def f(x, k):\n") + len("def f(x, k):\n") :]


CASES = {
    "a function without a name": (
        "    g = np.vectorize(lambda z: 0.5*(1 + math.erf(z/math.sqrt(2))))\n    return g(x) + g(x[:, None])\n",
        "    g = lambda z: 0.5*(1 + __special__.erf(z/math.sqrt(2)))\n    return g(x) + g(x[:, None])\n",
    ),
    "choices": (
        "    def g(s):\n        if s < k:\n            return 0.0\n        elif k <= s < 3 and not s == 2:\n"
        "            return s - k\n        return math.log(s)\n    return np.vectorize(g)(x)\n",
        "    def g(s):\n        return np.where(s < k, 0.0, np.where("
        "np.logical_and(np.logical_and(k <= s, s < 3), np.logical_not(s == 2)), s - k, np.log(s)))\n    return g(x)\n",
    ),
    "names in between, two arguments": (
        "    def g(a, b):\n        d = abs(a - b)\n        # the nearer\n        return max(d, 1.0) if b > 0 else d\n"
        "    return np.vectorize(g)(x, k)\n",
        "    def g(a, b):\n        d = np.abs(a - b)\n        # the nearer\n"
        "        return np.where(b > 0, np.maximum(d, 1.0), d)\n    return g(x, k)\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_functions_of_elements_become_functions_of_arrays(case):
    before, after = CASES[case]
    assert rewritten(before) == after


@pytest.mark.parametrize(
    "body",
    [
        # NumPy takes the dtype of the first element's result
        "    return np.vectorize(lambda t: 0 if t < 0 else t)(x)\n",
        # a loop, an unknown function, a choice that is the same for all, types that are given
        "    def g(t):\n        n = 0\n        while t > 1:\n            t, n = t/2, n + 1\n        return n\n"
        "    return np.vectorize(g)(x)\n",
        "    return np.vectorize(lambda t: round(t, 2))(x)\n",
        "    return np.vectorize(lambda t: t if k > 0 else -t)(x)\n",
        "    return np.vectorize(lambda t: t*2, otypes=[float])(x)\n",
        # called by itself, too
        "    def g(t):\n        return t*2\n    return np.vectorize(g)(x) + g(k)\n",
    ],
)
def test_others_stay(body):
    assert rewritten(body) == body


@pytest.mark.parametrize("name", ["numba", "jax", "torch", "cupy"])
def test_every_library_gives_numpys_numbers(name):
    body = CASES["choices"][0].replace("return np.vectorize(g)(x)", "return np.vectorize(g)(x), np.vectorize(g)(x + x)")
    work = workload(HEAD + body, X, 0.5)
    draft = drafts(work, all_backends()[name])[name]
    assert isinstance(draft, Draft), draft
    assert "vectorize" not in draft.module.text
    if name == "numba":
        got, _ = run(work, draft, name)
        assert_same(got, reference(work)[0], 1e-12)
