"""What the page of rewritings shows is what a comparison uses: the same source, and verified."""

from __future__ import annotations

import pytest

from jitmagic.backends.protocol import Draft
from jitmagic.comparison import compare_workload
from jitmagic.options import Options
from pages.rewriting import CASES, Case, captured, variants


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.title, marks=[pytest.mark.slow] if place > 1 else [])
        for place, case in enumerate(CASES)
    ],
)
def test_what_is_shown_is_what_a_comparison_takes(case: Case) -> None:
    workload, observed = captured(case)
    made = variants(workload, observed)
    asked = {made[name].backend for name in case.shown}
    comparison = compare_workload(workload, Options(backends=tuple(asked), budget=0.1))
    for name in case.shown:
        ours, shown = comparison[name], made[name]
        if isinstance(shown, Draft):
            assert ours.verified, (name, ours.reason)
            assert ours.source.strip() == shown.module.text.strip()
        else:
            assert (ours.verdict, ours.reason) == ("unsupported", shown.refusal.reason)


def test_a_refusal_is_shown_too() -> None:
    case = CASES[-1]
    made = variants(*captured(case))
    assert [name for name in case.shown if not isinstance(made[name], Draft)]
