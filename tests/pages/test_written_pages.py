"""The pages that are written by hand: what can be checked of them is."""

from __future__ import annotations

import math
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from jitmagic.advice.verdict import VERDICTS
from jitmagic.capture.function import from_function
from jitmagic.comparison import compare_workload
from jitmagic.options import Options
from jitmagic.report.rows import BUT, SEVERITIES, SIGNS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "examples" / "README.md"])


def text(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_link_to_a_file_of_ours_leads_there(path: Path) -> None:
    """Sphinx checks those between its own pages; these are also read on GitHub."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    # the gallery's place on the site; its files are in examples/
    links = [link.replace("gallery/", "../examples/") for link in links]
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_python_on_a_page_is_python(path: Path) -> None:
    for block in blocks(path.read_text(encoding="utf-8"), "python"):
        plain = re.sub(r"^%.*$", "", re.sub(r"= %(jitcompare)[^\n]*", "= 0", block), flags=re.MULTILINE)
        compile(plain, path.name, "exec")


def test_every_verdict_is_explained_with_its_sign() -> None:
    page = text("reading-a-result.md")
    assert set(SIGNS) == set(VERDICTS)
    for verdict, sign in {**SIGNS, "right here, but": BUT}.items():
        assert re.search(rf"^\| `{re.escape(sign)}` \| {verdict}", page, re.MULTILINE), verdict
    for severity in SEVERITIES:
        assert f"*{severity}*" in page


def test_the_limits_on_the_page_of_measuring_are_those_of_the_code() -> None:
    from jitmagic.measure import noise, rounds, statistics
    from jitmagic.options import Options
    from jitmagic.steps import timing

    page, plan = text("measuring.md"), rounds.Plan()
    for words in (
        f"last {plan.sample_seconds * 1e3:.0f} ms together",
        "shorter than half a second,\none that is not timed" if plan.warm_below == 0.5 else "other calls",
        "up to four times, spread" if plan.replaced == 4 else "another number",
        f"at least ±{plan.margin:.0%} (`--margin`);".replace("%", " %"),
        "a quarter of how far it is from 1 (a ratio of 1.3" if rounds._CLEAR_SHARE == 0.25 else "another share",
        f"where 1 is nearer than a tenth, it is ±{plan.close:.1%} or a tenth".replace("%", " %"),
        "at least five, or three where",
        f"{len(statistics.log_ratio_draws([1.0] * 7, [1.0] * 7))} bootstrap draws",
        f"at most {'eight' if timing._COLD_CALLS == 8 else timing._COLD_CALLS} in a sample",
        "more than a factor of two" if math.log(2) == statistics._UNSTEADY else "another factor",
        "With less\n  than six rounds",
        f"widened, as squares add up, by {statistics.BETWEEN_PROCESSES:.1%}".replace("%", " %"),
        f"The same {statistics.BETWEEN_PROCESSES:.1%} stands".replace("%", " %"),
        f"| {noise.most_others(1):.1f}, or 5 % of many |",
        f"(steal) | {noise.MOST_STEAL:.0%}".replace("%", " %"),
        f"held us back | {noise.MOST_THROTTLED:.0%}".replace("%", " %"),
        f"frequency | {1 - noise.LEAST_FREQUENCY:.0%}".replace("%", " %"),
    ):
        assert words in page, words
    assert (plan.least, statistics._FEW, rounds._HANGING, rounds._HANGING_SHARE) == (5, 6, 0.1, 0.1)
    assert (plan.budget, 100 * plan.margin) == (Options().budget, Options().margin)


def test_the_tolerances_on_the_page_are_those_of_the_code() -> None:
    from jitmagic.verify import movement, tolerance

    page = text("verifying.md")
    base, most, double = tolerance._BASE, tolerance._MOST, tolerance._BASE_DOUBLE
    assert f"({base:.0f} + {tolerance._PER_ROOT:.0f} √n) ε, at most {most:.0f} ε" in page
    assert f"({double:.0f} + {tolerance._PER_ROOT:.0f} √n) ε" in page
    assert f"{movement.STEPS:.0f} times what NumPy moves by" in page
    assert movement._MOST == 1e-4
    small = tolerance.tolerance(np.dtype(np.float32))
    assert small.absolute_share == small.relative / 16
    assert tolerance.tolerance(np.dtype(np.float64)).relative == pytest.approx(9e-13, rel=0.02)


def silenced(x):
    return 1.0 / x + x


def test_the_backend_on_the_page_runs(tmp_path, monkeypatch, use_backends) -> None:
    (source,) = blocks(text("writing-a-backend.md"), "python")
    (tmp_path / "jitmagic_silent.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))  # the workers search where this process does
    module = types.ModuleType("jitmagic_silent")
    exec(compile(source, "jitmagic_silent.py", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "jitmagic_silent", module)
    use_backends(module.SilentBackend())
    comparison = compare_workload(
        from_function(silenced, (np.linspace(-1.0, 1.0, 1001),), {}), Options(backends=("silent",), budget=0.1)
    )
    assert comparison["silent"].verified
    assert comparison["silent"].clocks["run"] is not None
