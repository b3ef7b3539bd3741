"""Strings of which characters are compared: as code points where that is all, as they are where it is not."""

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees
from tests.backends.jax.test_jax_slices import HEAD

RNG = np.random.default_rng(5)


def letters(n):
    return "".join(RNG.choice(list("ACGT"), n))


LOCAL = """def fn(a, b):
    score = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    best = 0
    for i, ca in enumerate(a, 1):
        for j, cb in enumerate(b, 1):
            here = score[i - 1][j - 1] + (2 if ca == cb else -1)
            score[i][j] = max(0, here, score[i - 1][j] - 2, score[i][j - 1] - 2)
            if score[i][j] > best:
                best = score[i][j]
    return best
"""
SKEW = """def fn(s):
    g = np.zeros(len(s) + 1)
    for i in range(len(s)):
        if s[i] == "G":
            g[i + 1] = g[i] + 1
        elif s[i] == "C":
            g[i + 1] = g[i] - 1
        else:
            g[i + 1] = g[i]
    return g
"""


def test_two_strings_are_code_points():
    text = agrees(HEAD + LOCAL, letters(30), letters(41))
    assert "    a = jnp.array([ord(one) for one in a], dtype=jnp.int32)\n" in text
    assert "static" not in text
    assert "fori_loop" in text


def test_a_character_that_is_written_out_is_compared_by_its_code_point():
    text = agrees(HEAD + SKEW, letters(60) + "\u00e9\U0001f9ec")
    assert 's[i] == ord("G")' in text


@pytest.mark.parametrize(
    ("body", "given"),
    [
        ('    s = 0.0\n    for v in x:\n        s += v if text == "sum" else v * v\n    return s\n', "sum"),
        ("    t = 0.0\n    for c in text:\n        t += int(c) * x[0]\n    return t\n", "1203"),
        ('    t = 0.0\n    for c in text:\n        if c in "ab":\n            t += x[1]\n    return t\n', "abcab"),
        ('    t = 0.0\n    for c in text:\n        if c < "b":\n            t += x[1]\n    return t\n', "abcab"),
    ],
)
def test_a_string_of_which_more_is_asked_stays_one(body, given):
    assert "ord(one)" not in agrees(HEAD + f"def fn(x, text):\n{body}", RNG.random(9), given)
