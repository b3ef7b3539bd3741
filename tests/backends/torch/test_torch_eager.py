"""Eager drafts give NumPy's values, dtypes, shapes and kinds, over functions of many kinds."""

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
    result, _ = run(w, draft)
    same(watched.result, result)
