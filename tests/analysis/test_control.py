# ruff: noqa: E501 -- a case is a line.
"""Control: where Python needs a value, and how deep it depends on the arguments."""

from __future__ import annotations

import pytest

from jitmagic.analysis.control import Control, Level
from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import SourceTree
from jitmagic.observe.facts import Span, ValueFact

IMPORTS = {"np": "numpy", "math": "math"}


def places(body: str, helper: str = "") -> list[tuple[str, str]]:
    """The places of a function of an array `x` and an integer `n`."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    tree = SourceTree(f"{helper}def fn(x, n):\n{lines}", "fn")
    kinds = {"x": ValueFact("array", "float64", (3,)), "n": ValueFact("int", low=3, high=3)}
    control = Control(tree, Names(tree, IMPORTS), lambda node: kinds.get(getattr(node, "arg", "")))
    return [(place.kind, place.level.name) for place in control.places]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("if x.ndim > 1: pass", []),
        ("if x.shape[0] > 2 and len(x) < 9: pass", []),
        ("if x is None: pass", []),
        ("if isinstance(x, float): pass", []),
        ("if x.dtype == 'float64': pass", []),
        ("if x.sum() > 0: pass", [("if", "ARRAY")]),
        ("if n > 2: pass", [("if", "SCALAR")]),
        ("while x[0] > 0: x = x - 1", [("while", "ARRAY")]),
        ("assert n", [("assert", "SCALAR")]),
        ("y = 1 if n else 2", [("ternary", "SCALAR")]),
        ("y = not x[0]", [("not", "ARRAY")]),
        ("y = 0 < x[0] < 1", [("chain", "ARRAY")]),
        ("for i in range(n): pass", [("range", "SCALAR")]),
        ("for i in range(len(x)): y = x[i]", []),
        ("y = int(x[0])", [("int", "ARRAY")]),
        ("y = float(len(x))", []),
        ("y = math.sqrt(n)", [("math", "SCALAR")]),
        ("y = x.max().item()", [("item", "ARRAY")]),
        ("y = np.zeros(n)", [("shape", "SCALAR")]),
        ("y = np.zeros(x.shape)", []),
        ("y = np.zeros((len(x), 2))\nif y.shape[0] > 1: pass", []),
        ("y = x[:n]", [("slice", "SCALAR")]),
        ("y = x[: len(x) // 2]", []),
        ("y = x.reshape(n, -1)", [("shape", "SCALAR")]),
        ("y = x[x > 0]\nif len(y): pass", [("if", "ARRAY")]),
        ("y = np.unique(x)\nz = np.ones(len(y))", [("shape", "ARRAY")]),
        ("y = np.arange(n)\nif y.size > 1: pass", [("shape", "SCALAR"), ("if", "SCALAR")]),
        ("k = 0\nfor v in x:\n    if v > 0:\n        k += 1\ny = x[:k]", [("if", "ARRAY"), ("slice", "ARRAY")]),
        ("k = 0\nfor i in range(3):\n    if x[i] > 0:\n        break\n    k = i\ny = x[:k]", [("if", "ARRAY"), ("slice", "ARRAY")]),
        ("y = np.ones(3)\ny[0] = x[0]\nif y[1]: pass", [("if", "ARRAY")]),
        ("y = [v for v in x if v > 0]", [("filter", "ARRAY")]),
        ("y = max(x[0], 0)", [("minmax", "ARRAY")]),
        ("y = x.std() if False else 0", []),
        ("def g(z):\n    if z > 0: return 1\n    return 2\ny = g(x[0])", [("if", "ARRAY")]),
        ("g = lambda z: 1 if z > 0 else 2\ny = g(x[0])", [("ternary", "ARRAY")]),
    ],
)  # fmt: skip
def test_places(body: str, found: list[tuple[str, str]]) -> None:
    assert places(body) == found


def test_through_helpers_both_ways() -> None:
    helper = "def width(z, k):\n    if k > 1:\n        return z.shape[0]\n    return 2\n\n\n"
    assert places("y = np.zeros(width(x, 3))", helper) == []
    assert places("y = np.zeros(width(x, n))", helper) == [("if", "SCALAR"), ("shape", "SCALAR")]


def test_the_place_is_the_value_that_is_needed() -> None:
    tree = SourceTree("def fn(x, n):\n    return x[1:n]\n", "fn")
    (place,) = Control(tree, Names(tree, {})).places
    assert place.span == Span(2, 15, 2, 16)
    assert place.level is Level.ARRAY  # what kind of argument `n` is was not told
    assert place.sources == {"n"}
