"""What takes elements out of lists of arrays: Numba's own pop(0) and del free memory that is in use."""

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import IMPORTS, assert_same, drafts, reference, run, workload

X = np.random.default_rng(8).random((40, 50))

CASES = {
    "the oldest": (
        """
        def fn(x):
            kept = []
            s = 0.0
            for _ in range(30):
                for row in x:
                    kept.append(row*2)
                    if len(kept) > 4:
                        kept.pop(0)
                    s += kept[0][0]
            return s
        """,
        "taken_out(kept, 0)",
    ),
    "what is taken out is used": (
        """
        def fn(x):
            rows = [(k, x[k] + 1.0) for k in range(8)]
            s = 0.0
            for k in range(len(x)):
                i, row = rows.pop(k % 5)
                s += i*row[3]
                rows.append((k, x[k]*x[0]))
            return s, len(rows)
        """,
        "i, row = taken_out(rows, k % 5)",
    ),
    "one by its place": (
        """
        def fn(x):
            kept = []
            s = 0.0
            for _ in range(30):
                for row in x:
                    kept.append(row*2)
                    if len(kept) > 4:
                        del kept[-3]
                    s += kept[0][0]
            return s
        """,
        "taken_out(kept, -3)",
    ),
    "several": (
        """
        def fn(x):
            kept = []
            s = 0.0
            for _ in range(30):
                for row in x:
                    kept.append(row*2)
                    if len(kept) > 6:
                        del kept[1:4]
                    if len(kept) > 5:
                        del kept[-2:]
                    s += kept[-1][0] + len(kept)
            return s
        """,
        "cut_out(kept, -2, len(kept))",
    ),
    "names": (
        """
        def fn(x):
            names = ["p", "q", "r"]
            s = 0.0
            for row in x:
                names.append("row")
                names.remove("row")
                s += len(names)
            return s
        """,
        "taken_out(names, names.index(\"row\"))",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_elements_are_moved_by_hand(case):
    source, wanted = CASES[case]
    work = workload(source, X, imports=IMPORTS)
    draft = drafts(work)["numba"]
    assert isinstance(draft, Draft), draft
    assert wanted in draft.module.text, draft.module.text
    for _ in range(2):
        got, _ = run(work, draft, case)
    assert_same(got, reference(work)[0], 1e-12)


def test_lists_of_numbers_stay_as_they_are():
    source = """
    def fn(x):
        q = [0]
        pairs = [(0, 1.0)]
        s = 0.0
        while q:
            k = q.pop(0)
            del pairs[0]
            s += x[k, 0]
            if k < 20:
                q.append(k + 2)
            pairs.append((k, x[k, 1]))
        return s
    """
    draft = drafts(workload(source, X))["numba"]
    assert "q.pop(0)" in draft.module.text
    assert "del pairs[0]" in draft.module.text


def test_a_store_into_a_part_of_a_list_of_arrays_is_refused_with_its_line():
    source = """
    def fn(x):
        rows = [x[0], x[1], x[2]]
        rows[1:3] = [x[4]]
        return rows[0][0] + rows[1][0]
    """
    refused = drafts(workload(source, X))["numba"].refusal
    assert "line 3" in refused.reason or f"line {refused.line}" in refused.reason
    assert "make a new list" in refused.reason
