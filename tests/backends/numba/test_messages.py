"""Numba's errors, made by Numba here, in one sentence with the user's line."""

import traceback

import numpy as np
import pytest

from jitmagic.backends.numba import NumbaBackend
from jitmagic.backends.protocol import Draft, Failure
from tests.backends.numba.harness import drafts, observed, run, workload

pytest.importorskip("numba")

CAUSES = {
    "no such function": (
        "def fn(x):\n    y = x + 1\n    return np.heaviside(y, 0.5)\n",
        3,
        "`heaviside`|`numpy.heaviside`",
    ),
    "unify": (
        "def fn(x):\n    if x.size > 2:\n        y = 1\n    else:\n        y = x\n    return y\n",
        None,
        "one type",
    ),
    "fft": ("def fn(x):\n    return np.fft.fft(x)\n", 2, "numpy.fft|fft"),
    "keyword": ("def fn(x):\n    return np.sort(x, axis=0)\n", 2, "sort"),
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
