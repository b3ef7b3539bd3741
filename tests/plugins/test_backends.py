"""Backends of other packages: taken in, or named with what is wrong, and never in the way of the others."""

from __future__ import annotations

import re

import pytest

from tests.pages.test_written_pages import blocks, text
from tests.plugins.packages import package, run, told

GOOD = blocks(text("writing-a-backend.md"), "python")[0]
UPDATE = "pip install --upgrade lab-silent"
COMPARE = """
import json, jitmagic, numpy as np
from pathlib import Path

Path("mine.py").write_text("def fn(x):\\n    return 2.0 * x\\n")
import mine
c = jitmagic.compare(mine.fn, np.arange(1000.0), backends={backends}, budget=0.1)
print(json.dumps(c.to_dict()))
jitmagic.shutdown()
"""


def compared(folder, *backends):
    record = told(folder, COMPARE.format(backends=list(backends) or None))
    return record, {one["name"]: one for one in record["variants"]}


def silent(folder, source, name="silent"):
    package(
        folder, f"lab-{name}", {f"jitmagic_{name}": source},
        f"[jitmagic.backends]\n{name} = jitmagic_{name}:SilentBackend\n",
    )  # fmt: skip


def test_a_backend_is_found_by_its_entry_point_and_compared_with(tmp_path) -> None:
    silent(tmp_path, GOOD)
    record, variants = compared(tmp_path, "silent")
    assert variants["silent"]["verified"] is True
    assert variants["silent"]["speedup"]["median"] > 0
    assert record["libraries"]["lab-silent"] == "1.2"
    shown = run(tmp_path, "-m", "jitmagic", "devices").stdout
    assert re.search(r"Silent NumPy +numpy [\d.]+, lab-silent 1\.2 +cpu", shown), shown


@pytest.mark.parametrize(
    ("change", "reason", "remedy"),
    [
        (("import", "import nothing_of_that_name\nimport", 1), "could not be loaded (ModuleNotFoundError: No module",
         UPDATE),
        (("    protocol = 1\n", "", 1), "says no version of jitmagic's protocol for backends, and here is 1",
         UPDATE),
        (("    protocol = 1\n", "    protocol = 0\n", 1), "is written for version 0 of", UPDATE),
        (("    protocol = 1\n", "    protocol = 99\n", 1), "is written for version 99 of",
         "pip install --upgrade jitmagic"),
        (("def revise", "def correct", 1), "does not keep to the protocol: it has no method 'revise'",
         UPDATE),
        (('name = "silent"', 'name = "loud"', 1), "its name is 'loud', and that of its entry point 'silent'",
         UPDATE),
        (("return Availability(True,", "raise OSError('no disk')\n        return (", 1),
         "failed when it was asked for its library (OSError: no disk)", UPDATE),
        (("return Availability(True,", "return (True,", 1), "gave a tuple where the protocol says Availability",
         UPDATE),
    ],
    ids=["import", "unsaid", "old", "new", "method", "name", "raises", "junk"],
)  # fmt: skip
def test_one_that_cannot_be_used_says_why_and_spares_the_others(tmp_path, change, reason, remedy) -> None:
    broken = GOOD.replace(*change)
    assert broken != GOOD
    silent(tmp_path, broken)
    silent(tmp_path, GOOD.replace("silent", "quiet"), "quiet")
    record, variants = compared(tmp_path, "silent", "quiet")
    assert variants["quiet"]["verified"] is True
    assert variants["silent"]["verdict"] == "unsupported"
    assert reason in variants["silent"]["reason"]
    assert "lab-silent 1.2" in variants["silent"]["reason"]
    shown = " ".join(run(tmp_path, "-m", "jitmagic", "devices").stdout.split())
    assert reason in shown
    assert remedy in shown
    # and all that are known are listed where one is misspelt
    assert record["recommendation"] is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("return {}", "raise KeyError('HOME')", 1), "failed when it was asked for variables (KeyError: 'HOME')"),
        (("return {}", "return {'A': 1}", 1), "gave a int where the protocol says str"),
        (("return [\n", "return None and [\n", 1), "'NoneType' object is not iterable"),
        (("return [\n", "return 7, [\n", 1), "gave a int where the protocol says Draft"),
        (('needs=workload.needs', 'needs="x"', 1), "gave a str where the protocol says tuple"),
        (('variant="silent"', 'variant="numba"', 1), "gave the variant 'numba'"),
        (("    def revise", "    def threaded(self, mode):\n        return 'many'\n\n    def revise", 1),
         "threaded() gave a str where the protocol says bool"),
        (("module=workload.module", "module=workload.module.text", 1), "gave a str where the protocol says ModuleText"),
        (("import numpy\n\n", "import numpy\n        raise RuntimeError('no licence')\n", 1), "no licence"),
        (("return scope[entry]", "return None", 1), "'NoneType' object is not callable"),
        (('return scope[entry]', 'import os; os._exit(7)', 1), "it called exit with code 7"),
        (("return scope[entry]", "return lambda x: x", 1), "value"),
    ],
    ids=["environment", "variables", "none", "number", "needs", "variant", "trait", "module", "start", "entry", "exit",
         "wrong"],
)  # fmt: skip
def test_a_fault_in_the_middle_is_that_variants_verdict(tmp_path, change, reason) -> None:
    broken = GOOD.replace(*change)
    assert broken != GOOD
    silent(tmp_path, broken)
    silent(tmp_path, GOOD.replace("silent", "quiet"), "quiet")
    _, variants = compared(tmp_path, "silent", "quiet")
    assert variants["quiet"]["verified"] is True
    assert variants["silent"]["verdict"] in ("unsupported", "crashed", "differs")
    assert reason in variants["silent"]["reason"], variants["silent"]["reason"]
    assert "bug in jitmagic" not in variants["silent"]["reason"]
    assert not variants["silent"].get("speedup")


def test_a_junk_answer_to_a_failure_is_that_variants_verdict(tmp_path) -> None:
    broken = GOOD.replace("return scope[entry]", "raise ValueError('no')").replace('return Refusal(f"', 'return (f"')
    silent(tmp_path, broken)
    _, variants = compared(tmp_path, "silent")
    assert "lab-silent 1.2 failed" in variants["silent"]["reason"]
    assert "bug in lab-silent" in variants["silent"]["reason"]


def test_a_name_of_ours_is_not_taken_over(tmp_path) -> None:
    silent(tmp_path, GOOD.replace('"silent"', '"numba"'))
    (tmp_path / "lab_silent-1.2.dist-info" / "entry_points.txt").write_text(
        "[jitmagic.backends]\nnumba = jitmagic_silent:SilentBackend\n"
    )
    record, variants = compared(tmp_path, "numba")
    assert variants["numba"]["verified"] is True
    assert "lab-silent" not in record["libraries"]
    shown = " ".join(run(tmp_path, "-m", "jitmagic", "devices").stdout.split())
    assert "lab-silent 1.2 offers a backend 'numba', and there is one of that name" in shown
