"""The examples in the analyses' docstrings run as they stand."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import jitmagic.analysis

MODULES = [module.name for module in pkgutil.iter_modules(jitmagic.analysis.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_example_runs(name: str) -> None:
    module = importlib.import_module(f"jitmagic.analysis.{name}")
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
