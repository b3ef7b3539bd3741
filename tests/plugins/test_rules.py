"""Gotcha rules of other packages and of a session: shown with whom they come from; a broken one spares the others."""

from __future__ import annotations

import json

from tests.plugins.packages import package, run, told

RULE = '''
from jitmagic.gotchas.registry import rule


@rule("LAB-SUM", severity="silent", backend="all")
def sums(ctx):
    """A sum in single precision.

    What happens: digits are lost.
    Why: float32 has seven.
    Example:
        x.sum()
    Instead:
        x.sum(dtype="float64")
    See: https://example.org/sums
    """
    for call, array, name in ctx.array_calls("sum"):
        yield ctx.gotcha(call, ctx.status(call), f"`{ctx.text(call)}` loses digits.", "Sum in float64.")
'''
POINTS = "[jitmagic.gotchas]\nlab = lab_rules\n"
COMPARE = """
import json, jitmagic, numpy as np
from pathlib import Path

Path("mine.py").write_text("def fn(x):\\n    return x.sum()\\n")
import mine
c = jitmagic.compare(mine.fn, np.arange(1000.0), backends=["cupy"], budget=0.1)
print(c)
print(c.to_html().count("from lab-rules 1.2"))
print(json.dumps(c.to_dict()))
"""


def test_a_rule_is_found_shown_with_its_package_and_explained(tmp_path) -> None:
    package(tmp_path, "lab-rules", {"lab_rules": RULE}, POINTS)
    done = run(tmp_path, "-c", COMPARE)
    assert done.returncode == 0, done.stderr
    *shown, html, record = done.stdout.splitlines()
    (gotcha,) = [one for one in json.loads(record)["gotchas"] if one["code"] == "LAB-SUM"]
    assert (gotcha["origin"], gotcha["backend"], gotcha["line"]) == ("lab-rules 1.2", "all", 2)
    assert "LAB-SUM (all; confirmed; from lab-rules 1.2)" in " ".join(" ".join(shown).split())
    assert int(html) >= 1
    page = run(tmp_path, "-m", "jitmagic", "explain", "LAB-SUM").stdout
    assert "This rule comes from lab-rules 1.2." in page
    linted = run(tmp_path, "-m", "jitmagic", "lint", "mine.py")
    assert "no gotchas" in linted.stdout  # the file does not name NumPy
    (tmp_path / "mine.py").write_text("import numpy as np\n\ndef fn(x):\n    return np.abs(x).sum()\n")
    linted = run(tmp_path, "-m", "jitmagic", "lint", "mine.py")
    assert "LAB-SUM [silent, possible; from lab-rules 1.2]" in linted.stdout


def test_the_pages_of_jitmagic_are_its_own(tmp_path) -> None:
    package(tmp_path, "lab-rules", {"lab_rules": RULE}, POINTS)
    found = told(
        tmp_path,
        "import json; from jitmagic.gotchas.pages import pages; from jitmagic.gotchas.registry import all_rules; "
        "print(json.dumps(['LAB-SUM' in all_rules(), any('LAB-SUM' in text for text in pages().values())]))",
    )
    assert found == [True, False]


def test_rules_that_cannot_be_loaded_are_a_warning_and_none_of_them_is_kept(tmp_path) -> None:
    package(tmp_path, "lab-rules", {"lab_rules": RULE + "\nraise OSError('half of it')\n"}, POINTS)
    record = told(tmp_path, COMPARE)
    assert [one for one in record["gotchas"] if one["code"] == "LAB-SUM"] == []
    (warning,) = [one for one in record["warnings"] if "lab-rules" in one]
    assert "could not be loaded (OSError: half of it): pip install --upgrade lab-rules" in warning
    (tmp_path / "mine.py").write_text("import numpy as np\n\ndef fn(x):\n    print(np.abs(x))\n")
    linted = run(tmp_path, "-m", "jitmagic", "lint", "mine.py")
    assert "JX-PRINT" in linted.stdout
    assert "! the gotcha rules of lab-rules 1.2 could not be loaded" in linted.stderr


def test_a_rule_that_fails_is_its_packages_bug_and_spares_the_others(tmp_path) -> None:
    package(tmp_path, "lab-rules", {"lab_rules": RULE.replace("ctx.array_calls", "ctx.no_such_thing")}, POINTS)
    record = told(tmp_path, COMPARE)
    (warning,) = [one for one in record["warnings"] if "LAB-SUM" in one]
    assert warning.startswith("lab-rules 1.2 failed while it looked for the gotchas LAB-SUM")
    assert "this is a bug in lab-rules" in warning
    assert record["baseline"]["verified"] is True


def test_codes_and_backends_of_ours_are_not_taken(tmp_path) -> None:
    for change, said in (
        (('"LAB-SUM"', '"NB-SUM"'), "begins with none of NB, JX"),
        (('"LAB-SUM"', '"lab sum"'), "a code of capitals"),
        ((', backend="all"', ""), "says whom it concerns"),
    ):
        folder = tmp_path / change[1].strip('"').replace(" ", "-")
        folder = folder if change[1] else tmp_path / "none"
        folder.mkdir()
        package(folder, "lab-rules", {"lab_rules": RULE.replace(*change)}, POINTS)
        (fault,) = told(
            folder, "import json; from jitmagic.gotchas.registry import faults; print(json.dumps(faults()))"
        )
        assert said in fault


def test_a_rule_of_the_session_is_found_and_its_cell_may_run_again(tmp_path) -> None:
    again = RULE + RULE.replace("loses digits", "loses many digits") + COMPARE
    record = told(tmp_path, again)
    (gotcha,) = [one for one in record["gotchas"] if one["code"] == "LAB-SUM"]
    assert gotcha["origin"] == "this session"
    assert "loses many digits" in gotcha["message"]
