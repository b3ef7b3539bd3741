"""The table of traps is whole, and its rows end as they should; `python -m tests.gotchas.traps` runs all of it."""

from __future__ import annotations

import pytest

from jitmagic.gotchas.registry import all_rules, explain
from tests.gotchas.traps.conduct import AVOIDED, CAUGHT, GREEN, NAMED, NOT_HERE, NOTHING, Fate, fate, problems
from tests.gotchas.traps.table import ERROR, SILENT, TIME, TRAPS, Trap

ROWS = {trap.code: trap for trap in TRAPS}


def test_each_of_the_156_traps_has_a_row_and_a_rule() -> None:
    assert len(TRAPS) == len(ROWS) == 156
    assert [code for code in ROWS if code not in all_rules()] == []


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.code)
def test_a_row_has_a_function_or_says_why_not(trap: Trap) -> None:
    assert sum((trap.function is not None, bool(trap.needs), bool(trap.reason))) >= 1
    assert trap.severity in (SILENT, ERROR, TIME)
    if trap.function is not None and not trap.needs:
        assert trap.backend


def test_a_rule_without_a_place_says_why() -> None:
    for code, rule in all_rules().items():
        if rule.unseen:
            assert "No place in a source can be named" in explain(code)


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        pytest.param("NB-OVERLAP", {AVOIDED}, marks=pytest.mark.slow),
        ("NB-INTWRAP", {CAUGHT}),
        ("JX-NANARG", {CAUGHT}),
        ("JX-PRINT", {NAMED, AVOIDED}),
        pytest.param("PT-MEDIAN", {AVOIDED}, marks=pytest.mark.slow),
        ("CP-OOB", {NOT_HERE}),
        ("JX-SELF", {NOTHING}),
    ],
)
def test_a_trap_ends_as_it_should(code: str, ends: set[str]) -> None:
    one = fate(ROWS[code])
    assert one.what in ends, one.how


def test_a_green_silent_trap_is_a_problem() -> None:
    fates = [Fate(ROWS["NB-OOB"], GREEN, "wrong"), Fate(ROWS["NB-AXIS"], GREEN, "slow")]
    assert problems(fates) == ["NB-OOB is green: wrong"]
