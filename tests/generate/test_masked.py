"""Ufuncs with ``out=`` and ``where=`` as choices: before and after, and NumPy's results."""

import numpy as np
import pytest

from jitmagic.generate.kinds import by_function
from jitmagic.generate.masked import without_masks
from jitmagic.generate.module import Module
from tests.backends.numba.harness import assert_same, observed, workload

A = np.array([1.0, -2.0, 3.0, np.inf])
B = np.array([2.0, 0.0, -1.0, 0.0])
WHOLE = np.array([4, 0, -1, 0])


def rewritten(source, *args):
    work = workload(source, *args)
    module = Module.of(work, observed(work))
    tree = module.marked()
    tree = without_masks(module, tree, by_function(module, tree, work.function.name))
    return Module.finish(tree, work.module).text


def result(text, args):
    scope = {"np": np}
    exec(text, scope)
    with np.errstate(all="ignore"):
        return scope["fn"](*[a.copy() for a in args])


CASES = {
    "a new array": (
        "return np.divide(a, b, out=np.zeros_like(a), where=b != 0)",
        "return np.where(b != 0, np.divide(a, b), np.zeros_like(a))",
        (A, B),
    ),
    "whole numbers divided": (
        "return np.divide(a, b, out=np.full(len(a), -1.0), where=(b != 0)) + 1",
        "return np.where(b != 0, np.divide(a, b), np.full(len(a), -1.0)) + 1",
        (WHOLE, WHOLE),
    ),
    "one operand, and a number": (
        "return np.log(a, out=b.copy(), where=a > 0), np.divide(1, a, where=a > 2, out=np.ones(4))",
        "return np.where(a > 0, np.log(a), b.copy()), np.where(a > 2, np.divide(1, a), np.ones(4))",
        (A, B),
    ),
    "an array that is there": (
        "np.multiply(a, 3.0, out=b, where=b == 0)\n    return b",
        "b[...] = np.where(b == 0, np.multiply(a, 3.0), b)\n    return b",
        (A, B),
    ),
    "its own name": (
        "a = np.sqrt(a, out=a, where=a > 0)\n    return a, b",
        "a[...] = np.where(a > 0, np.sqrt(a), a)\n    return a, b",
        (A, B),
    ),
    "a smaller operand": (
        "return np.add(a, 1.0, out=np.zeros((3, 4)), where=b > 0)",
        "return np.where(b > 0, np.add(a, 1.0), np.zeros((3, 4)))",
        (A, B),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_choice_has_the_elements_of_out_where_the_mask_is_false(case):
    before, after, args = CASES[case]
    head = "import numpy as np\n\n\ndef fn(a, b):\n    "
    text = rewritten(head + before + "\n", *args)
    assert after in text
    assert_same(result(text, args), result(head + before + "\n", args), 0.0)


UNTOUCHED = {
    "nothing says what stands where the mask is False": "np.divide(a, b, where=b != 0)",
    "memory that nobody wrote": "np.divide(a, b, out=np.empty_like(a), where=b != 0)",
    "an array that has another name too": "np.add(a, b, out=c, where=b != 0)",
    "another dtype": "np.divide(a, b, out=np.zeros(4, dtype=np.float32), where=b != 0, casting='same_kind')",
    "a narrower result": "np.add(a, b, out=np.zeros(4, dtype=np.float32), where=b != 0)",
    "no ufunc": "np.sum(a, where=b != 0)",
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_what_is_not_sure_stays_as_it_is(case):
    source = f"import numpy as np\n\n\ndef fn(a, b):\n    c = a.copy()\n    d = {UNTOUCHED[case]}\n    return c, d\n"
    assert UNTOUCHED[case] in rewritten(source, A, B)


def test_whole_numbers_are_not_divided_where_the_mask_forbids_it():
    # an integer division by zero is an exception in torch
    line = "np.floor_divide(a, b, out=np.zeros_like(a), where=b != 0)"
    assert line in rewritten(f"import numpy as np\n\n\ndef fn(a, b):\n    return {line}\n", WHOLE, WHOLE)
