# ruff: noqa: E501 -- a case is a line.
"""May-alias, held against NumPy: what shares memory when it runs must be reported."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import SourceTree

IMPORTS = {"np": "numpy"}


def roots(expression: str, before: str = "", parameters: str = "a, b, k") -> frozenset[str]:
    lines = "".join(f"    {line}\n" for line in before.splitlines())
    tree = SourceTree(f"def fn({parameters}):\n{lines}    v = {expression}\n    return v\n", "fn")
    return Aliases(tree, Names(tree, IMPORTS)).roots(tree.entry, "v")


VIEWS = [
    "a", "a[1:]", "a[:, 0]", "a[..., None]", "a.T", "a.reshape(-1)", "a.ravel()", "np.ravel(a)", "a.swapaxes(0, 1)",
    "np.squeeze(a)", "a.view()", "a.real", "np.broadcast_to(a, (2, 4, 4))", "np.asarray(a)", "np.atleast_2d(a)",
    "a if k else b", "a[::-1]", "np.flip(a)", "np.diagonal(a)", "np.split(a, 2)[0]", "np.add(a, 1, out=a)",
    "np.array(a, copy=False)", "np.expand_dims(a, 0)", "np.moveaxis(a, 0, 1)", "a[1:][0].T", "(a, b)[0]", "np.add(b, 1, a)",
    "a.astype(float, copy=False)", "[a, b][0]", "np.nan_to_num(a, copy=False)",
]  # fmt: skip
COPIES = [
    "a + 1", "a[[0, 1]]", "a[a > 0]", "np.array(a)", "a.copy()", "a.flatten()", "np.sqrt(a)", "a @ b", "a.sum()",
    "np.where(a > 0, a, b)", "-a", "a.astype(float)", "np.concatenate((a, b))", "a[np.arange(2)]", "len(a)", "a.shape",
]  # fmt: skip


@pytest.mark.parametrize("expression", VIEWS)
def test_a_view_keeps_its_root(expression: str) -> None:
    value = eval(expression, {"np": np, "a": (a := np.ones((4, 4))), "b": np.zeros((4, 4)), "k": True})
    assert np.shares_memory(value, a), "the test itself: NumPy makes a view here"
    assert "a" in roots(expression)


@pytest.mark.parametrize("expression", COPIES)
def test_a_copy_breaks_the_alias(expression: str) -> None:
    assert roots(expression) == {"v"}


def test_through_names_loops_and_tuples() -> None:
    assert roots("w", "u = a[1:]\nw = u.T") == {"a"}
    assert roots("q", "p, q = b, a\np, q = q, p") == {"a", "b"}
    assert roots("r", "for i, r in enumerate(a):\n    pass") == {"a"}
    assert roots("s", "for r, s in zip(a, b):\n    pass") == {"b"}
    assert roots("rows[0]", "rows = []\nrows.append(a)") >= {"a"}


def test_through_a_helper() -> None:
    text = "def tail(z, n):\n    return z[n:]\n\n\ndef fn(a, b):\n    v = tail(b, 1)\n    w = tail(z=a, n=1)\n    return v\n"
    tree = SourceTree(text, "fn")
    aliases = Aliases(tree, Names(tree, IMPORTS))
    assert aliases.roots(tree.entry, "v") == {"b"}
    assert aliases.roots(tree.entry, "w") == {"a"}
    assert aliases.returned(tree.entry) == {"b"}


def test_a_slice_object_is_no_number() -> None:
    assert roots("a[s]", "s = slice(1, 3)") == {"a"}


STEPS = [
    "{0}[1:]",
    "{0}.T",
    "{0}.reshape(-1)[:]",
    "{0}.copy()",
    "{0} + 0",
    "np.flip({0})",
    "{0}[::-1]",
    "np.asarray({0})",
]


@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from("abvw"), st.sampled_from("vw")), min_size=1, max_size=6)
)
def test_no_alias_is_missed(steps: list[tuple[str, str, str]]) -> None:
    """Runs random programs: names that share memory at the end are reported to share a root."""
    lines = ["v = a", "w = b", *(f"{target} = {step.format(source)}" for step, source, target in steps)]
    tree = SourceTree("def fn(a, b):\n" + "".join(f"    {line}\n" for line in lines), "fn")
    aliases = Aliases(tree, Names(tree, IMPORTS))
    space: dict[str, object] = {"np": np, "a": np.ones((8, 8)), "b": np.zeros((8, 8))}
    exec("\n".join(lines), space)
    for one in "abvw":
        for other in "abvw":
            if np.may_share_memory(space[one], space[other]):  # type: ignore[call-overload]
                assert aliases.roots(tree.entry, one) & aliases.roots(tree.entry, other), (one, other, lines)


def test_fancy_or_basic() -> None:
    tree = SourceTree("def fn(a, i):\n    k = a > 0\n    a[k], a[~k], a[1:], a[[1]], a[i]\n", "fn")
    aliases = Aliases(tree, Names(tree, IMPORTS))
    subscripts = [node for node in ast.walk(tree.entry) if isinstance(node, ast.Subscript)]
    assert [aliases.is_fancy(node.slice) for node in subscripts] == [True, True, False, True, None]
