# ruff: noqa: E501 -- a case is a line.
"""Effects: what a function changes, through views, aliases and helpers too."""

from __future__ import annotations

import numpy as np
import pytest

from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.effects import Effects
from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import SourceTree

IMPORTS = {"np": "numpy", "time": "time", "logging": "logging", "random": "random", "datetime": "datetime.datetime"}


def effects(text: str) -> Effects:
    tree = SourceTree(text, "fn")
    names = Names(tree, IMPORTS)
    return Effects(tree, names, Aliases(tree, names))


def written(body: str, helper: str = "") -> set[str]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    found = effects(f"{helper}def fn(a, b, i):\n{lines}")
    return set(found.written_parameters(found.tree.entry))


WRITES = [
    "a[0] = 1", "a += 1", "a[1:] *= 2", "a.sort()", "a.fill(0)", "a.T[0] = 1", "np.add(a, 1, out=a)", "np.copyto(a, b)",
    "np.add.at(a, i, 1)", "np.fill_diagonal(a, 0)", "np.put(a, 0, 1)", "np.place(a, a > 0, 0)", "np.random.shuffle(a)",
    "v = a[1:]\nv[:] = 0", "v = a\nv -= 1", "v = a.ravel()\nv[0] = 1", "for row in a:\n    row += 1", "np.multiply(b, 2, a)",
    "v = a if i else b.copy()\nv[0] = 1", "a[0], c = 1, 2", "a.flat[0] = 1", "for a[0] in range(3):\n    pass",
    "v, w = a, b.copy()\nv[0] = 1", "def inner():\n    a[0] = 1\ninner()", "np.nan_to_num(a, copy=False)", "del a[0]",
    "c = [a]\nc[0][0] = 1", "a.partition(2)", "a[0] = 0\na = a.copy()", "if i:\n    a = a.copy()\na[0] = 1", "a = a.ravel()\na[0] = 1",
    "a = a[1:]\nv = a.T\nv += 1", "v = a[1:]\na = a.copy()\nv += 1",
]  # fmt: skip


@pytest.mark.parametrize("body", WRITES)
def test_a_write_into_a_parameter(body: str) -> None:
    assert "a" in written(body)


@pytest.mark.parametrize(
    "body",
    ["a = a + 1", "v = a.copy()\nv[0] = 1", "v = a[a > 0]\nv += 1", "np.sort(a)", "v = np.add(a, 1)\nv[0] = 1",
     "c = []\nc.append(1)", "a = a * 2\nreturn a[0]", "a = a.copy()\nfor k in range(3):\n    a[k] = 0",
     "a = np.array(a)\nv = a[1:]\nv[:] = 0", "a, i = a + 1, 2\na += 1", "s = 0\nfor k in range(3):\n    s += k"],
)  # fmt: skip
def test_no_write_into_a_parameter(body: str) -> None:
    assert "a" not in written(body)


def test_writes_through_helpers_and_their_helpers() -> None:
    helper = "def put(z, v):\n    z[0] = v\n\n\ndef twice(y, v):\n    put(y[1:], v)\n\n\n"
    assert written("twice(b, a)", helper) == {"b"}
    assert written("twice(v=1, y=a.T)", helper) == {"a"}
    assert written("twice(*[a, b])", helper) == {"a", "b"}


def test_kinds_and_places() -> None:
    text = (
        "def fn(a, rng):\n    global n\n    n = 1\n    print(a)\n    logging.info('x')\n    t = time.time()\n"
        "    d = datetime.now()\n    r = np.random.rand(3) + rng.normal()\n    log.append(r)\n    f = open('f')\n"
        "    if a[0] < k:\n        raise ValueError('no')\n    return t\n"
    )
    found = [(e.kind, e.span.line, e.name) for e in effects(text).all if e.kind not in ("local written",)]
    assert found == [
        ("global write", 3, "n"), ("print", 4, "print"), ("log", 5, "logging.info"), ("time", 6, "time.time"),
        ("time", 7, "datetime.now"), ("random", 8, "np.random.rand"), ("random", 8, "rng.normal"),
        ("global read", 9, "log"), ("global write", 9, "log"), ("file", 10, "open"), ("global read", 11, "k"),
        ("raise", 12, "ValueError"),
    ]  # fmt: skip


def test_every_write_that_numpy_makes_is_reported() -> None:
    """Runs each writing body: where the argument really changes, it must be reported (the table is no wish list)."""
    changed = 0
    for body in WRITES:
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        space: dict[str, object] = {"np": np}
        exec(f"def fn(a, b, i):\n{lines}", space)
        a = np.arange(16.0)[::-1].reshape(4, 4).copy()
        a[0, 0] = np.nan
        before = a.copy()
        try:
            space["fn"](a, np.ones((4, 4)), 1)  # type: ignore[operator]
        except (ValueError, TypeError):
            continue  # `del a[0]` is for lists
        changed += not np.array_equal(a, before, equal_nan=True)
    assert changed >= 20
