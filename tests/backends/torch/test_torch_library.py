"""Much of NumPy, topic by topic: each draft gives NumPy's values, dtypes and shapes, for other arguments too."""

import inspect

import numpy as np
import pytest

pytest.importorskip("torch")

from jitmagic.backends.protocol import Draft
from tests.backends import library_cases
from tests.backends.torch.torch_support import drafts, run, same, watch, workload

TOPICS = [name.removesuffix("_args") for name in vars(library_cases) if name.endswith("_args")]


@pytest.mark.parametrize("topic", TOPICS)
def test_the_topic_is_numpys(topic):
    function, make = getattr(library_cases, topic), getattr(library_cases, f"{topic}_args")
    source = "from numpy.lib.stride_tricks import sliding_window_view\n\n\n" + inspect.getsource(function)
    w = workload(source, *make(np.random.default_rng(0)))
    watched = watch(w)
    draft = drafts(w, watched.observation)["torch"]
    assert isinstance(draft, Draft), draft.refusal
    result, _ = run(w, draft)
    same(watched.result, result, rtol=1e-8)
    other = workload(source, *make(np.random.default_rng(7)))
    result, _ = run(other, draft)
    same(function(*make(np.random.default_rng(7))), result, rtol=1e-8)
