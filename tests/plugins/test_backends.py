"""Backends of other packages: taken in, or named with what is wrong, and never in the way of the others."""

from __future__ import annotations

import re

import pytest

from tests.pages.test_written_pages import blocks, text
from tests.plugins.packages import package, run, told

GOOD = blocks(text("writing-a-backend.md"), "python")[0]
UPDATE = "pip install --upgrade lab-{name}"
COMPARE = """
import json, jitmagic, numpy as np
from pathlib import Path

Path("mine.py").write_text("def fn(x):\\n    return 2.0 * x\\n")
import mine
c = jitmagic.compare(mine.fn, np.arange(1000.0), backends={backends}, budget=0.1)
print(json.dumps(c.to_dict()))
"""
MODULE = "    protocol = 1\n"
UNUSABLE = {
    "absent": (("from importlib", "import nothing_of_that_name\nfrom importlib"),
               "could not be loaded (ModuleNotFoundError: No module", UPDATE),
    "unsaid": ((MODULE, ""), "says no version of jitmagic's protocol for backends, and here is 1", UPDATE),
    "old": ((MODULE, "    protocol = 0\n"), "is written for version 0 of", UPDATE),
    "new": ((MODULE, "    protocol = 99\n"), "is written for version 99 of", "pip install --upgrade jitmagic"),
    "method": (("def revise", "def correct"), "does not keep to the protocol: it has no method 'revise'", UPDATE),
    "name": (('name = "name"', 'name = "loud"'), "its name is 'loud', and that of its entry point 'name'", UPDATE),
    "raises": (("return Availability(True,", "raise OSError('no disk')\n        return ("),
               "failed when it was asked for its library (OSError: no disk)", UPDATE),
    "junk": (("return Availability(True,", "return (True,"),
             "gave a tuple where the protocol says Availability", UPDATE),
}  # fmt: skip
FAULTY = {
    "environment": (("return {}", "raise KeyError('HOME')"),
                    "failed when it was asked for variables (KeyError: 'HOME')"),
    "variables": (("return {}", "return {'A': 1}"), "gave a int where the protocol says str"),
    "none": (("return [\n", "return None and [\n"), "'NoneType' object is not iterable"),
    "number": (("return [\n", "return 7, [\n"), "gave a int where the protocol says Draft"),
    "needs": (("needs=workload.needs", 'needs="x"'), "gave a str where the protocol says tuple"),
    "variant": (('variant="variant"', 'variant="numba"'), "gave the variant 'numba'"),
    "trait": (("    def revise", "    def threaded(self, mode):\n        return 'many'\n\n    def revise"),
              "threaded() gave a str where the protocol says bool"),
    "module": (("module=workload.module", "module=workload.module.text"),
               "gave a str where the protocol says ModuleText"),
    "start": (("import numpy\n\n", "import numpy\n        raise RuntimeError('no licence')\n"), "no licence"),
    "entry": (("return scope[entry]", "return None"), "'NoneType' object is not callable"),
    "exit": (("return scope[entry]", "import os; os._exit(7)"), "it called exit with code 7"),
    "wrong": (("return scope[entry]", "return lambda x: x"), "value"),
    "revise": (("return scope[entry]", "raise ValueError('no')"), "lab-revise 1.2 failed"),
}  # fmt: skip


def install(folder, name, *change):
    source = GOOD.replace("silent", name)
    changed = source.replace(*change, 1) if change else source
    assert not change or changed != source
    if name == "revise":
        changed = changed.replace('return Refusal(f"', 'return (f"')
    package(
        folder, f"lab-{name}", {f"jitmagic_{name}": changed},
        f"[jitmagic.backends]\n{name} = jitmagic_{name}:SilentBackend\n",
    )  # fmt: skip


def compared(folder, *backends):
    record = told(folder, COMPARE.format(backends=list(backends) or None))
    return record, {one["name"]: one for one in record["variants"]}


def devices(folder):
    return " ".join(run(folder, "-m", "jitmagic", "devices").stdout.split())


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """One comparison with all of them, and a good one beside them; what `jitmagic devices` says of them."""
    folder = tmp_path_factory.mktemp("packages")
    for name, (change, *_) in {**UNUSABLE, **FAULTY}.items():
        install(folder, name, *change)
    install(folder, "silent")
    record, variants = compared(folder, *UNUSABLE, *FAULTY, "silent")
    return record, variants, devices(folder)


def test_a_backend_is_found_by_its_entry_point_and_compared_with(everything) -> None:
    record, variants, shown = everything
    assert variants["silent"]["verified"] is True
    assert variants["silent"]["speedup"]["median"] > 0
    assert record["libraries"]["lab-silent"] == "1.2"
    assert re.search(r"Silent NumPy numpy [\d.]+, lab-silent 1\.2 cpu", shown), shown
    assert record["recommendation"] is not None


@pytest.mark.parametrize("name", UNUSABLE)
def test_one_that_cannot_be_used_says_why_in_the_result_and_among_the_devices(everything, name) -> None:
    _, variants, shown = everything
    _, reason, remedy = UNUSABLE[name]
    assert variants[name]["verdict"] == "unsupported"
    assert reason in variants[name]["reason"]
    assert f"lab-{name} 1.2" in variants[name]["reason"]
    told_there = shown[shown.index(f"lab-{name} 1.2 ") :]
    assert reason in shown
    assert remedy.format(name=name) in told_there


@pytest.mark.parametrize("name", FAULTY)
def test_a_fault_in_the_middle_is_that_variants_verdict(everything, name) -> None:
    _, variants, _ = everything
    assert variants[name]["verdict"] in ("unsupported", "crashed", "differs")
    assert FAULTY[name][1] in variants[name]["reason"], variants[name]["reason"]
    assert "bug in jitmagic" not in variants[name]["reason"]
    assert not variants[name].get("speedup")


@pytest.mark.slow
def test_a_name_of_ours_is_not_taken_over(tmp_path) -> None:
    install(tmp_path, "numba")
    record, variants = compared(tmp_path, "numba")
    assert variants["numba"]["verified"] is True
    assert "lab-numba" not in record["libraries"]
    assert "lab-numba 1.2 offers a backend 'numba', and there is one of that name" in devices(tmp_path)
