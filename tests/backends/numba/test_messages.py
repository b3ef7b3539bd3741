"""Numba's errors, made by Numba here, in one sentence with the user's line."""

import traceback

import numpy as np
import pytest

from jitmagic.backends.numba.backend import NumbaBackend
from jitmagic.backends.protocol import Draft, Failure
from tests.backends.numba.harness import drafts, observed, run, workload

pytest.importorskip("numba")

CAUSES = {
    "a starred name in a loop": (
        "def fn(x):\n    t = 0.0\n    for a, *b in [(1.0, 2.0), (3.0, 4.0)]:\n        t += a + b[0]\n    return t\n",
        3,
        "does not unpack into a starred name",
    ),
    "unify": (
        "def fn(x):\n    if x.size > 2:\n        y = 1\n    else:\n        y = x\n    return y\n",
        None,
        "one type",
    ),
}


@pytest.mark.parametrize(("source", "line", "words"), CAUSES.values(), ids=CAUSES)
def test_an_error_becomes_a_sentence(source, line, words):
    import re

    work = workload(source, np.arange(5.0))
    draft = drafts(work)["numba"]
    assert isinstance(draft, Draft)
    with pytest.raises(Exception, match=r".") as caught:
        run(work, draft, "messages")
    frames = [f.lineno for f in traceback.extract_tb(caught.value.__traceback__) if f.filename == "<messages>"]
    failure = Failure("check", type(caught.value).__qualname__, str(caught.value), frames[-1] if frames else None)
    answer = NumbaBackend().revise(work, observed(work), draft, failure)
    assert re.search(words, answer.reason), answer
    assert line is None or answer.line == line
    assert "\n" not in answer.reason


def test_prange_that_fails_gives_way_to_array_arithmetic():
    source = "def fn(x):\n    y = x * 2\n    for i in range(x.size):\n        y[i] = y[i] + 1\n    return y\n"
    work = workload(source, np.arange(5.0))
    draft = drafts(work)["numba-parallel"]
    assert draft.form == "prange"
    answer = NumbaBackend().revise(work, observed(work), draft, Failure("check", "TypingError", "no", None))
    assert answer.form == "array"
    assert "prange" not in answer.module.text


def test_a_call_that_typing_refuses_is_made_in_python():
    source = "def fn(x):\n    y = x + 1\n    return np.percentile(y, 50)\n"
    work = workload(source, np.arange(5.0))
    draft = drafts(work)["numba"]
    failure = Failure("check", "numba.core.errors.TypingError", "unsupported NumPy function 'numpy.percentile'", 8)
    answer = NumbaBackend().revise(work, observed(work), draft, failure)
    assert isinstance(answer, Draft)
    assert "with objmode(" in answer.module.text
    assert any("np.percentile" in note for note in answer.notes)


def test_loops_for_array_expressions_are_given_up_where_they_differ():
    source = "def fn(x, y):\n    return np.sum((x - y) ** 2)\n"
    work = workload(source, np.arange(5.0), np.arange(5.0) + 1)
    draft = drafts(work)["numba"]
    assert "for i in range(x.shape[0]):" in draft.module.text
    answer = NumbaBackend().revise(work, observed(work), draft, Failure("verify", "", "the value differs", None))
    assert isinstance(answer, Draft)
    assert "for i in" not in answer.module.text
