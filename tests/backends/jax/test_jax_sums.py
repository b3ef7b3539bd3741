"""Sums of terms mean the same after they were taken apart and written again."""

import itertools

import libcst as cst
import pytest

from jitmagic.backends.jax.sums import terms, written

SUMS = (
    "n - (a % b)",
    "2 * (a // b) - 3",
    "-(a // b) + n",
    "n - (a if b > 2 else n)",
    "(a & b) + 1 - n",
    "n - (a - (b - 4))",
)


@pytest.mark.parametrize("text", SUMS)
def test_a_sum_keeps_its_value(text):
    again = written({term: count for term, count in terms(cst.parse_expression(text)).items() if count})
    for a, b, n in itertools.product(range(7), (1, 2, 3), (0, 5)):
        names = {"a": a, "b": b, "n": n}
        assert eval(again, names) == eval(text, names), again
