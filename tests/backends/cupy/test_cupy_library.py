"""Much of NumPy, topic by topic, on the stand-in with CuPy's functions and parameters."""

import inspect

import numpy as np
import pytest

from jitmagic.backends.cupy.backend import CupyBackend
from jitmagic.backends.protocol import Draft
from jitmagic.verify.compare import compare_call
from tests.backends import library_cases
from tests.backends.cupy.test_cupy_backend import run
from tests.backends.numba.harness import IMPORTS, drafts, reference, workload

TOPICS = [name.removesuffix("_args") for name in vars(library_cases) if name.endswith("_args")]


@pytest.mark.parametrize("topic", TOPICS)
def test_the_topic_is_numpys(topic):
    function, make = getattr(library_cases, topic), getattr(library_cases, f"{topic}_args")
    imports = IMPORTS.rstrip() + "\nfrom numpy.lib.stride_tricks import sliding_window_view\n\n\n"
    work = workload(inspect.getsource(function), *make(np.random.default_rng(0)), imports=imports)
    draft = drafts(work, CupyBackend())["cupy"]
    assert isinstance(draft, Draft), draft
    wanted, _ = reference(work)
    got, _ = run(work, draft, topic)
    finding = compare_call(wanted, got, {}, {}, (), 100)
    assert finding.ok, finding.message
