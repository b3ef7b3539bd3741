"""Every program's drafts, compiled here, give NumPy's values, dtypes and mutated arguments."""

import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, run, workload
from tests.backends.numba.programs import PROGRAMS

pytest.importorskip("numba")


def _tolerance(values):
    text = " ".join(str(getattr(value, "dtype", "")) for value in values)
    return 2e-5 if "float32" in text or "complex64" in text else 1e-12


SLOW = frozenset(name for place, name in enumerate(PROGRAMS) if place % 3)
"""Two of three, which `make test-slow` runs."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in PROGRAMS]
)
def test_drafts_agree_with_numpy(name):
    source, args, parallel, *rest = PROGRAMS[name]
    work = workload(source, *args, **(rest[0] if rest else {}))
    made = drafts(work)
    assert isinstance(made["numba"], Draft), made["numba"]
    assert isinstance(made["numba-parallel"], Draft) is parallel, made["numba-parallel"]
    wanted, left = reference(work)
    for variant, draft in made.items():
        if not isinstance(draft, Draft):
            continue
        print(f"# {variant}\n{draft.module.text}")
        got, after = run(work, draft, f"{name} {variant}")
        assert_same(got, wanted, _tolerance(args))
        for one, two in zip(after, left, strict=True):
            assert_same(one, two, _tolerance(args))
