"""What is kept of an expression: before and after, with a copy of every subscript."""

import libcst as cst
import pytest

from jitmagic.generate.blocks import code
from jitmagic.generate.kept import kept, kept_arguments, stepped


def copied(original, updated):
    return cst.parse_expression(f"{code(updated)}.copy()") if isinstance(original, cst.Subscript) else updated


CASES = {
    "a[i]": "a[i].copy()",
    "a[i] + a[j]": "a[i] + a[j]",
    "(a[i], b)": "(a[i].copy(), b)",
    "[a[i], [a[j]]]": "[a[i].copy(), [a[j].copy()]]",
    "a[i] if a[j] > 0 else 0.0": "a[i].copy() if a[j] > 0 else 0.0",
    "a[i] or b": "a[i].copy() or b",
    "max(a[i], b[j], 0)": "max(a[i].copy(), b[j].copy(), 0)",
    "max(a)": "max(a)",
    "[a[i] for i in b]": "[a[i].copy() for i in b]",
    "f(a[i])": "f(a[i])",
}


@pytest.mark.parametrize("before", CASES)
def test_only_what_is_the_value_is_copied(before):
    node = cst.parse_expression(before)
    assert code(kept(node, node, copied)) == CASES[before]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("out.append(a[i])", "out.append(a[i].copy())"),
        ("put(a, a[i])", "put(a, a[i].copy())"),
        ("out.count(a[i])", "out.count(a[i])"),
    ],
)
def test_containers_and_helpers_keep_their_arguments(before, after):
    node = cst.ensure_type(cst.parse_expression(before), cst.Call)
    assert code(kept_arguments(node, node, frozenset({"put"}), copied)) == after


def test_the_targets_of_a_loop_are_paired_with_what_they_run_over():
    loop = cst.ensure_type(cst.parse_statement("for i, row in enumerate(m): pass"), cst.For)
    assert [(code(a), code(b)) for a, b in stepped(loop.target, loop.iter)] == [("row", "m")]
    loop = cst.ensure_type(cst.parse_statement("for k, v in table.items(): pass"), cst.For)
    assert stepped(loop.target, loop.iter) == []
