# ruff: noqa: E501 -- a case is a line.
"""Names: scopes, and what a dotted expression stands for."""

from __future__ import annotations

import ast

import pytest

from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import SourceTree

IMPORTS = {"np": "numpy", "sqrt": "numpy.sqrt", "m": "math"}


def paths(body: str, parameters: str = "x") -> list[str | None]:
    tree = SourceTree(f"def fn({parameters}):\n    {body}\n", "fn")
    names = Names(tree, IMPORTS)
    return [names.path(node.func) for node in ast.walk(tree.entry) if isinstance(node, ast.Call)]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("return np.linalg.norm(x)", "numpy.linalg.norm"),
        ("return sqrt(x)", "numpy.sqrt"),
        ("return m.sin(x)", "math.sin"),
        ("return np.amax(x)", "numpy.max"),
        ("return len(x)", "builtins.len"),
        ("return x.sum()", None),
        ("import scipy.special as sp; return sp.erf(x)", "scipy.special.erf"),
        ("f = np.sqrt; return f(x)", "numpy.sqrt"),
        ("sqrt = x; return sqrt(x)", None),
        ("return [sqrt(v) for sqrt in x]", None),
        ("return (lambda np: np.sum(x))(x)", None),
    ],
)
def test_path_of_a_call(body: str, path: str | None) -> None:
    assert path in paths(body)


def test_a_parameter_hides_an_import() -> None:
    assert paths("return np.sum(x)", "x, np") == [None]


def test_scopes() -> None:
    text = "def fn(a, *b, c=1, **d):\n    global g\n    g = a\n    for i, (j, k) in b:\n        z = [q + w for q in b]\n    return out\n"
    tree = SourceTree(text, "fn")
    scope = Names(tree, {}).scope(tree.entry)
    assert scope.parameters == ("a", "b", "c", "d")
    assert scope.local == {"a", "b", "c", "d", "i", "j", "k", "z"}
    assert scope.free == {"g", "w", "out"}


def test_helpers_are_found_unless_hidden() -> None:
    text = "def h(x):\n    return x\n\n\ndef fn(x):\n    def inner(y):\n        return y\n    return h(inner(x))\n"
    tree = SourceTree(text, "fn")
    names = Names(tree, {})
    calls = [node for node in ast.walk(tree.entry) if isinstance(node, ast.Call)]
    assert [getattr(names.helper(call.func), "name", None) for call in calls] == ["h", "inner"]
