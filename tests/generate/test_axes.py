"""The texts of axes: what is proved to have one shape, and what is not."""

import libcst as cst
import pytest

from jitmagic.capture.workload import ModuleText
from jitmagic.generate.axes import AxesOf, Bindings, broadcast, same
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.walking import children
from jitmagic.observe.facts import ValueFact

SOURCE = """
import numpy as np
def fn(A, x, n):
    m, p = A.shape
    w = np.zeros(p)
    y = np.sin(x)*2 + n
    X, Y = np.meshgrid(x, w)
    return A
"""
ARRAYS = {"A": 2, "x": 1, "w": 1, "y": 1, "X": 2, "Y": 2}


def axes_of():
    module = Module(ModuleText(SOURCE, (None,) * 9), {"np": "numpy"})
    function = module.function("fn")
    kinds = Kinds(module, function, {"n": ValueFact("int")})
    for name, ndim in ARRAYS.items():
        kinds.names[name] = [ValueFact("array", "float64", (None,) * ndim)]
    order = {}

    def number(node):
        order[node] = len(order)
        for child in children(node):
            number(child)

    number(function)
    return AxesOf(function, kinds, Bindings(function), order, ())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("n", ()), ("x", ("x.shape[0]",)), ("y", ("x.shape[0]",)), ("w", ("A.shape[1]",)),
        ("A.T", ("A.shape[1]", "A.shape[0]")), ("A[n]", ("A.shape[1]",)), ("A.T @ x", ("A.shape[1]",)),
        ("A @ A.T", ("A.shape[0]", "A.shape[0]")), ("A*w", ("A.shape[0]", "A.shape[1]")), ("A*x", None),
        ("x[:, None]", ("x.shape[0]", "1")), ("x[:, None] + w", ("x.shape[0]", "A.shape[1]")),
        ("X + Y", ("A.shape[1]", "x.shape[0]")), ("np.outer(x, w)", ("x.shape[0]", "A.shape[1]")),
        ("np.sin(x) + x.copy()", ("x.shape[0]",)), ("x[1:]", ("x[1:].shape[0]",)), ("unknown", None),
        ("np.zeros((len(x), n - 1))[:, 0]", ("x.shape[0]",)), ("np.zeros(len(w) + 1)", ("A.shape[1] + 1",)),
        ("np.zeros(n - (n + 1))", ("n - (n + 1)",)), ("np.zeros(f(n) - 1)", None),
    ],
)  # fmt: skip
def test_axes(text, wanted):
    assert axes_of().of(cst.parse_expression(text)) == wanted


def test_axes_that_meet():
    assert broadcast(("a", "1"), ("b",)) == ("a", "b")
    assert broadcast(("a",), ("b",)) is None
    assert same((), ("a",)) == ("a",)
    assert same(("a",), ("b",)) is None
