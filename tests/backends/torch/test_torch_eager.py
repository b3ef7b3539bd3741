"""Eager drafts give NumPy's values, dtypes, shapes and kinds, over functions of many kinds."""

from dataclasses import replace

import pytest

pytest.importorskip("torch")

from jitmagic.backends.protocol import Draft
from tests.backends.torch.torch_functions import CASES
from tests.backends.torch.torch_support import drafts, run, same, watch, workload


@pytest.mark.parametrize("name", CASES)
def test_the_torch_source_gives_what_numpy_gives(name):
    source, *args = CASES[name]
    w = workload(source, *args)
    watched = watch(w)
    draft = drafts(w, watched.observation)["torch"]
    assert isinstance(draft, Draft), draft.refusal
    assert "np." not in draft.module.text.replace("as np", "")
    result, after = run(w, draft)
    same(watched.result, result)
    for label, expected, actual in zip(w.argument_names, watched.args, after, strict=True):
        same(expected, actual, label)


@pytest.mark.parametrize(
    "name",
    [
        "scalar aliases",
        "swap elements",
        "int true division",
        "scalar sqrt is strong",
        "aranges",
        "zscore",
        "heat stencil",
    ],
)
def test_a_run_that_was_not_watched_still_gives_what_numpy_gives(name):
    source, *args = CASES[name]
    w = workload(source, *args)
    watched = watch(w)
    draft = drafts(w, replace(watched.observation, watched=False, expressions={}, loops={}))["torch"]
    assert isinstance(draft, Draft), draft.refusal
    assert "inferred" in draft.notes[-1]
    same(watched.result, run(w, draft)[0])
