"""Finds the functions of the corpus: every ``name`` in a file beside this one that has a ``name_args(size, rng)``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_NOT_FIELDS = ("registry", "sizes")


@dataclass(frozen=True)
class Entry:
    """One function of the corpus.

    Attributes
    ----------
    field : str
        The file it stands in, e.g. ``"stencils"``.
    name : str
    function : callable
    make_args : callable
        ``make_args(size, rng)`` returns a tuple of arguments; ``size`` is "small", "medium" or "large".
    """

    field: str
    name: str
    function: Callable[..., Any]
    make_args: Callable[[str, np.random.Generator], tuple[Any, ...]]

    def args(self, size: str, seed: int = 0) -> tuple[Any, ...]:
        """Makes arguments from a seed."""
        return self.make_args(size, np.random.default_rng(seed))


def entries() -> Iterator[Entry]:
    """Yields all functions of the corpus, file by file."""
    here = Path(__file__).parent
    for found in sorted(pkgutil.iter_modules([str(here)]), key=lambda module: module.name):
        if found.name in _NOT_FIELDS or found.name.startswith("test_"):
            continue
        module = importlib.import_module(f"{__package__}.{found.name}")
        for name, value in list(vars(module).items()):
            make_args = getattr(module, f"{name}_args", None)
            if make_args is not None and callable(value):
                yield Entry(found.name, name, value, make_args)
