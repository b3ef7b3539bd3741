"""Counts of the ones of binary numerals are Python's: negative numbers, unsigned ones, the ends of their ranges."""

import numpy as np
import pytest

from tests.backends.numba.harness import drafts, reference, run, workload

SOURCES = {
    "bin": 'bin(x[i]).count("1")',
    "format": 'format(int(x[i]), "b").count("1")',
    "formatted": "f'{x[i]:064b}'.count('1')",
    "method": "int(x[i]).bit_count()",
}


@pytest.mark.parametrize("how", SOURCES)
@pytest.mark.parametrize("dtype", ["int64", "uint64", "int32", "uint8"])
def test_the_ones_are_pythons(how, dtype):
    if dtype == "uint64" and "int(" in SOURCES[how]:
        dtype = "uint32"  # a whole number of Python's that is larger than Numba's is refused
    ends = np.iinfo(dtype)
    x = np.array([0, 1, 2, 3, 7, 100, ends.min, ends.max, ends.max - 1], dtype)
    work = workload(
        f"""
        def fn(x):
            y = np.zeros(len(x), dtype=np.int64)
            for i in range(len(x)):
                y[i] = {SOURCES[how]}
            return y
        """,
        x,
    )
    got, _ = run(work, drafts(work)["numba"], f"ones_{how}_{dtype}")
    np.testing.assert_array_equal(got, reference(work)[0])
