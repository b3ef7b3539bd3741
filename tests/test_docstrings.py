"""The examples in docstrings run as they stand, in every module that has one."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

import jitmagic

ROOT = Path(jitmagic.__file__).parent
MODULES = [
    ".".join(("jitmagic", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in sorted(ROOT.rglob("*.py"))
    if re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0
