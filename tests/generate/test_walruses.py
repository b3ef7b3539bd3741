"""Assignments inside expressions get lines of their own where nothing can tell the difference."""

import pytest

from jitmagic.capture.workload import ModuleText
from jitmagic.generate.module import Module
from jitmagic.generate.walruses import without_walruses


def rewritten(body):
    text = "def fn(x, n):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    module = Module(ModuleText(text, tuple(range(1, text.count("\n") + 1))), {})
    tree = without_walruses(module, module.marked())
    lines = Module.finish(tree, module.source).text.splitlines()
    return "\n".join(line[4:] for line in lines[1:])


CHANGED = {
    "a test": (
        "# back\nif (j := n - 3) >= 0:  # far\n    x[j] = 1\nelse:\n    pass",
        "# back\nj = n - 3\nif j >= 0:  # far\n    x[j] = 1\nelse:\n    pass",
    ),
    "a call": ("if (r := f(x)) > 0 and r < n:\n    return r", "r = f(x)\nif r > 0 and r < n:\n    return r"),
    "two": ("y = (a := x[0]) + (b := n)*a", "a = x[0]\nb = n\ny = a + b*a"),
    "an argument": ("y = f((k := n + 1), k)", "k = n + 1\ny = f(k, k)"),
    "returned": ("return (s := x[0])*s", "s = x[0]\nreturn s*s"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), CHANGED.values(), ids=CHANGED)
def test_they_are_made_above(before, after):
    assert rewritten(before) == after


STAYS = [
    "if n > 0 and (j := n - 3) > 1:\n    return j",
    "y = n + (n := 3)",
    "n += (n := 3)",
    "y = x[0] + (k := f(x))",
    "y = f(x) + (k := n)",
    "while (n := n - 1) > 0:\n    pass",
    "if n:\n    pass\nelif (j := n - 3) > 1:\n    return j",
    "y = [(k := v) for v in x]",
    "z = 0 if n else (m := 2)",
    "x[(k := 1)] += (m := 2)",
    "z = 0 < n < (m := 2)",
]


@pytest.mark.parametrize("body", STAYS)
def test_others_stay(body):
    assert rewritten(body) == body
