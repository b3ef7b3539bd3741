"""Overlap: stores that read what they write."""

from __future__ import annotations

import pytest

from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.names import Names
from jitmagic.analysis.overlap import overlaps
from jitmagic.analysis.tree import SourceTree


def found(body: str) -> list[tuple[str, bool, bool]]:
    tree = SourceTree("def fn(a, b):\n" + "".join(f"    {line}\n" for line in body.splitlines()), "fn")
    names = Names(tree, {"np": "numpy"})
    return [(o.name, o.augmented, o.bare) for o in overlaps(tree, names, Aliases(tree, names))]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a[1:] += a[:-1]", [("a", True, True)]),
        ("a[1:] += 2 * a[:-1]", [("a", True, False)]),
        ("a[:] = a[::-1]", [("a", False, True)]),
        ("a[1:-1] = a[:-2] + a[2:]", [("a", False, False)]),
        ("v = a[:-1]\na[1:] += v[:]", [("a", True, True)]),
        ("a += a.T", [("a", True, True)]),
        ("np.add(a[1:], a[:-1], out=a[1:])", [("a", True, True)]),
        ("a[1:] += b[:-1]", []),
        ("a[1:] += a[1:]", []),
        ("a[1:] += a[:-1].copy()", []),
        ("a[0] = a[1]", []),
        ("a[:3] += a[3:6]", []),
        ("a[::2] += a[1::2]", []),
        ("a[:, 0] += a[:, 1]", []),
        ("a[[0, 1]] += a[[1, 0]]", []),
    ],
)
def test_overlaps(body: str, expected: list[tuple[str, bool, bool]]) -> None:
    assert found(body) == expected
