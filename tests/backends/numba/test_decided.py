"""Branches that the kinds of arguments decide, messages, lists: what Numba wants one type for."""

import numpy as np
import pytest

from jitmagic.backends.numba.backend import NumbaBackend
from jitmagic.backends.numba.draft import Choices
from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import drafts, observed, run, source_of, workload

F64 = np.arange(1.0, 7.0)
MATRIX = np.arange(12.0).reshape(3, 4)
RAISES = "raise NotImplementedError("

LEFT_OUT = {
    "another number of axes": ("if x.ndim == 1:\n    x = x[:, None]\nreturn x.sum(axis=0)", (MATRIX,)),
    "None": ("if k is None:\n    return x.sum()\nreturn x, k", (F64, F64)),
    "a flag": ("if k:\n    return x, x.sum()\nreturn x", (F64, False)),
    "a word": ("if k == 'full':\n    return x, x.sum()\nreturn x", (F64, "same")),
    "a dtype": ("if np.iscomplexobj(x):\n    return x.real.sum()\nreturn x[:, None]", (F64,)),
    "a number": ("if np.isscalar(x):\n    x = np.array([x])\nreturn x * 2", (F64,)),
    "the other arm": ("if x.ndim == 2:\n    y = x.sum(axis=1)\nelse:\n    y = x.sum()\nreturn y", (MATRIX,)),
    "an expression": ("y = x * 1j\nreturn y.real if np.isrealobj(x) else y", (F64,)),
    "a choice of value": ("y = x[None, :] if x.ndim == 1 else x\nreturn y.sum(axis=0)", (MATRIX,)),
}


def lines(text):
    return "def fn(x, k=0):\n    " + text.replace("\n", "\n    ") + "\n"


def without(source, *args):
    """Writes the serial variant without such branches."""
    work = workload(source, *args)
    made = NumbaBackend()._serial(work, observed(work), Choices(decided=True))
    assert isinstance(made, Draft), made
    return work, made


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_another_kind_of_argument_decides_is_left_out_and_raises(name):
    text, args = LEFT_OUT[name]
    work, draft = without(lines(text), *args)
    assert draft.module.text.count(RAISES) == 1
    assert any("not compiled" in note for note in draft.notes)
    expected, actual = work_result(work), run(work, draft, "numba")[0]
    assert np.array_equal(np.asarray(expected[0] if isinstance(expected, tuple) else expected),
                          np.asarray(actual[0] if isinstance(actual, tuple) else actual))  # fmt: skip
    first = drafts(work)["numba"]
    assert RAISES not in first.module.text
    assert first.undecided


def work_result(work):
    scope = {}
    exec(work.module.text, scope)
    return scope[work.function.name](*work.args)


def test_a_call_that_does_come_there_is_told_so_and_gets_no_number():
    _, draft = without(lines(LEFT_OUT["another number of axes"][0]), MATRIX)
    scope = {}
    exec(draft.module.text, scope)
    with pytest.raises(NotImplementedError, match="did not come here"):
        scope["fn"](F64)


KEPT = {
    "what values decide": ("if x[0] > 9:\n    return x.sum()\nreturn x.mean()", (F64,)),
    "a length": ("if len(x) > 9:\n    return x.sum()\nreturn x.mean()", (F64,)),
    "a default": ("if k is None:\n    k = np.ones(3)\nreturn x.sum() + k.sum()", (F64, F64)),
    "what was run": ("if x.ndim == 1:\n    x = x * 2\nreturn x", (F64,)),
    "a check": ("if x.ndim == 2:\n    raise ValueError(x)\nreturn x", (F64,)),
    "a name that is bound again": ("k = x[0] > 9\nif k:\n    return x.sum()\nreturn x.mean()", (F64, True)),
    "in a loop": ("s = 0.0\nfor i in range(3):\n    if k:\n        s = s + x[i]\nreturn s", (F64, False)),
}


@pytest.mark.parametrize("name", KEPT)
def test_other_branches_stay(name):
    text, args = KEPT[name]
    work, draft = without(lines(text), *args)
    assert RAISES not in draft.module.text
    assert not drafts(work)["numba"].undecided


MESSAGES = {
    'raise ValueError(f"step {k:.3g} of {x!r}")': 'raise ValueError("step {k:.3g} of {x!r}")',
    'raise ValueError(f"step {k}")': 'raise ValueError(f"step {k}")',
    'raise ValueError("step %d" % k)': 'raise ValueError("step %d")',
    'raise ValueError("step {}".format(k))': 'raise ValueError("step {}")',
    'raise ValueError("step " + str(k))': 'raise ValueError("step {str(k)}")',
    'raise ValueError("a" "b")': 'raise ValueError("a" "b")',
    'raise ValueError(f"{{ {k!r}\\n")': 'raise ValueError("{ {k!r}\\n")',
}


@pytest.mark.parametrize("text", MESSAGES)
def test_messages_that_numba_cannot_put_together_are_constants(text):
    source = source_of(workload(lines(f"if k > 5:\n    {text}\nreturn x"), F64, 1))
    assert MESSAGES[text].replace('"', "'") in source.replace('"', "'")


def test_an_assertion_keeps_its_condition():
    source = source_of(workload(lines('assert k < 5, f"{k:.2f}"\nreturn x'), F64, 1))
    assert "assert k < 5, '{k:.2f}'" in source


def test_empty_lists_are_made_one_by_one():
    text = "a, b = [], []  # both\nfor v in x:\n    a.append(v)\n    b.append(1)\nreturn np.array(a), np.array(b)"
    assert "    a = []  # both\n    b = []  # both\n" in source_of(workload(lines(text), F64))


def test_lists_of_which_one_is_made_of_the_other_stay_together():
    text = "a = [x[0]]\na, b = [], a + a\na.append(x[1])\nreturn np.array(a), np.array(b)"
    assert "a, b = [], a + a" in source_of(workload(lines(text), F64))


def test_a_number_added_at_pairs_of_indices():
    source = "def fn(x, r, c):\n    x[r, c] += 1\n    return x\n"
    pairs = np.array([0, 2]), np.array([1, 3])
    work = workload(source, MATRIX, *pairs)
    draft = drafts(work)["numba"]
    assert "store_at(x, r, c, take_at(x, r, c) + 1)" in draft.module.text
    assert np.array_equal(run(work, draft, "numba")[0], work_result(workload(source, MATRIX.copy(), *pairs)))


def test_a_product_in_parentheses_stays_one_operand_where_it_is_cast():
    vector = np.arange(4.0) + 1j
    source = source_of(workload("def fn(a, b):\n    return a * (a @ b)\n", np.arange(4.0), vector))
    assert "(a.astype(np.complex128) @ b)" in source
