"""Purity: what a compiled function would drop, freeze or do once, at its line."""

from __future__ import annotations

import pytest

from jitmagic.gotchas.lint import lint_text

SOURCE = """\
import logging
import random
import time

import numpy as np

total = 0
cache = {}
gain = 2.0


def fn(x, out):
    global total
    print(x)
    logging.info("text")
    open("f.txt").read()
    np.save("a.npy", x)
    total += 1
    cache["x"] = 1.0
    start = time.time()
    r = random.random() + np.random.rand()
    out[:] = x * gain
    s = 0.0
    it = iter(x)
    for _ in range(3):
        s += next(it)
    return s + r + start
"""


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(SOURCE.splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("JX-PRINT", "print(x)"),
        ("JX-PRINT", "logging.info"),
        ("JX-IO", "open("),
        ("JX-IO", "np.save"),
        ("JX-LEAK", "total += 1"),
        ("JX-LEAK", 'cache["x"]'),
        ("JX-TIME", "time.time()"),
        ("JX-RNG", "random.random()"),
        ("JX-ARGMUT", "out[:]"),
        ("JX-GLOBALS", "out[:] = x * gain"),
        ("NB-GLOBALS", "out[:] = x * gain"),
        ("NB-SEED", "random.random()"),
        ("JX-ITER", "next(it)"),
        ("PT-SHARE", "out[:]"),
    ],
)
def test_an_effect_is_named_at_its_line(code: str, text: str) -> None:
    found = [(one.gotcha.code, one.gotcha.line) for one in lint_text(SOURCE, "a.py", unlikely=True)]
    assert (code, line_of(text)) in found
