"""Loops over elements: offered with a note, and right where torch's elements are views and NumPy's are scalars."""

import numpy as np
import pytest

pytest.importorskip("torch")

from jitmagic.backends.protocol import Draft
from jitmagic.backends.torch import source as source_module
from tests.backends.element_cases import CASES
from tests.backends.torch.torch_support import drafts, run, same, watch, workload

V = np.linspace(-1, 2, 12)


def draft_of(source, *args):
    w = workload(source, *args)
    watched = watch(w)
    return w, watched, drafts(w, watched.observation)["torch"]


@pytest.mark.parametrize("name", CASES)
def test_elements_are_numpys(name):
    source, *args = CASES[name]
    w, watched, draft = draft_of(source, *args)
    assert isinstance(draft, Draft), draft.refusal
    result, _ = run(w, draft)
    same(watched.result, result)


LOOP = "def fn(x):\n    s = 1.0\n    for i in range(300):\n        s = s * x[i % 12]\n    return s"


def test_the_note_tells_what_the_steps_cost():
    _, _, draft = draft_of(LOOP, V)
    cost = "600 separate torch calls, about 3.0 ms at 5 µs each"
    assert draft.notes[-1] == f"the loop of line 7 runs step by step: {cost}"


def test_a_loop_that_would_take_too_long_is_refused_with_the_figure(monkeypatch):
    monkeypatch.setattr(source_module, "MOST_SECONDS", 0.002)
    _, _, draft = draft_of(LOOP, V)
    assert (draft.refusal.line, draft.refusal.code) == (7, "PT-DYNUNROLL")
    assert "600 separate torch calls, about 3.0 ms" in draft.refusal.reason


def test_elements_that_nothing_changes_are_not_copied():
    _, _, draft = draft_of("def fn(x):\n    v = x[0]\n    return v * x", V)
    assert "clone" not in draft.module.text
