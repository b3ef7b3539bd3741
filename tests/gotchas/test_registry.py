# ruff: noqa: E501 -- the sources of the clean functions are a line each.
"""The registry: pages, order, lines, blame, and no false alarms on clean functions."""

from __future__ import annotations

import ast
from dataclasses import replace

import numpy as np
import pytest

from jitmagic.gotchas import registry
from jitmagic.gotchas.diagnostic import SEVERITIES
from jitmagic.gotchas.registry import all_rules, blame, explain, find, rule
from tests.gotchas.rules import gotchas
from tests.gotchas.watching import observe, workload_of

X = np.linspace(0.5, 2.0, 6)
M = np.arange(12.0).reshape(3, 4)

CLEAN = {
    "polynomial": ("def fn(x):\n    return x + x * x + x * x * x", (X,)),
    "chain": ("def fn(x, y):\n    return np.sqrt(x**2 + y**2) * np.exp(-np.abs(x - y))", (X, X)),
    "einsum": ("def fn(a, b):\n    return np.einsum('ij,kj->ik', a, b)", (M, M)),
    "softmax": ("def fn(a):\n    e = np.exp(a - a.sum(axis=1, keepdims=True))\n    return e / e.sum(axis=1, keepdims=True)", (M / 12,)),
    "distances": ("def fn(p):\n    d = p[:, None, :] - p[None, :, :]\n    return np.sqrt((d**2).sum(-1))", (M,)),
    "matmul": ("def fn(a, b):\n    c = a @ b.T\n    return c.reshape(-1) * 0.5", (M, M)),
    "where": ("def fn(x):\n    return np.where(x > 1.0, x**3, -x**3)", (X,)),
    "reduction": ("def fn(a):\n    m = a.mean(axis=0)\n    return (a - m).sum(axis=0) / a.shape[0]", (M,)),
    "stencil": ("def fn(u):\n    return 0.5 * (u[:-2] + u[2:]) - u[1:-1]", (X,)),
    "helper": ("def scale(x, k):\n    return x * k\n\n\ndef fn(x):\n    a, b = x[::2], x[1::2]\n    return scale(a, 2.0) + b", (X,)),
    "float32": ("def fn(x, y):\n    return np.cos(x) * y + x", (X.astype("float32"), X.astype("float32"))),
    "shapes": ("def fn(a):\n    n, m = a.shape\n    if n > m:\n        a = a.T\n    return a.reshape(n * m) * np.arange(n * m)", (M,)),
}  # fmt: skip


@pytest.mark.parametrize("watched", [True, False], ids=["watched", "unwatched"])
@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_function_gives_no_silent_alarm(name: str, watched: bool) -> None:
    source, args = CLEAN[name]
    assert [g for g in gotchas(source, *args, watched=watched) if g.severity == "silent" and not g.handled] == []


def test_every_rule_has_a_page_with_the_fixed_headings() -> None:
    rules = all_rules()
    assert len(rules) >= 60
    for code, one in rules.items():
        page = explain(code)
        headings = [line for line in page.splitlines() if line.startswith("## ")]
        assert headings == ["## What happens", "## Why", "## Example", "## Instead", "## References"], code
        assert one.code == code
        assert one.severity in SEVERITIES
        assert all(link.startswith("https://") for link in one.links), code
        for snippet in (one.example, one.instead):
            ast.parse(snippet)


def test_a_rule_without_a_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="LAB-TEST: the docstring lacks"):

        @rule("LAB-TEST", severity="silent", backend="numba")
        def untold(ctx):  # type: ignore[no-untyped-def]
            """A title and nothing else."""

    assert "LAB-TEST" not in all_rules()


def test_an_unknown_code_names_its_neighbours() -> None:
    with pytest.raises(LookupError, match="JX-PRINT"):
        explain("JX-PRIMT")


def test_the_worst_stand_first_then_the_lines() -> None:
    found = gotchas(
        "def fn(x):\n    for i in range(99):\n        x[i % 6] += x[::-1][0]\n    print(x)\n    return np.median(x)", X
    )
    keys = [(SEVERITIES.index(g.severity), g.line) for g in found]
    assert keys == sorted(keys)
    assert len({(g.code, g.line, g.column, g.end_line, g.end_column) for g in found}) == len(found)


class TestAnErrorInARule:
    """A rule that breaks on code never seen before: the rest of the answer must stand, and the error must be told."""

    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(ctx: object) -> list[object]:
            raise KeyError("never seen")

        for code in ("JX-PRINT", "NB-NEP50"):
            monkeypatch.setitem(registry._RULES, code, replace(all_rules()[code], static=fails))

    def test_the_other_rules_go_on_and_it_is_told_once(self, broken: None) -> None:
        workload = workload_of("def fn(x):\n    x[0] = 1.0\n    return x", X)
        troubles: list[str] = []
        found = find(workload, observe(workload), troubles)
        assert "JX-SETITEM" in {g.code for g in found}
        (told,) = troubles
        assert "JX-PRINT, NB-NEP50" in told
        assert "KeyError: 'never seen'; test_registry.py, line" in told

    def test_without_a_list_it_is_raised(self, broken: None) -> None:
        workload = workload_of("def fn(x):\n    return x", X)
        with pytest.raises(KeyError, match="never seen"):
            find(workload, observe(workload))

    def test_in_blame_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(ctx: object, finding: object) -> list[object]:
            raise RecursionError("too deep")

        monkeypatch.setitem(registry._RULES, "JX-PROMO", replace(all_rules()["JX-PROMO"], finding=fails))
        workload = workload_of("def fn(x):\n    return x", X)
        troubles: list[str] = []
        assert blame(workload, observe(workload), "jax", "differs", "values", troubles) == ()
        assert "JX-PROMO" in troubles[0]

    def test_an_analysis_that_fails_for_all_rules_is_told_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        workload = workload_of("def fn(x):\n    print(x)\n    return x", X)
        observed = observe(workload)

        def fails(*given: object) -> None:
            raise ZeroDivisionError("in the effects")

        monkeypatch.setattr("jitmagic.gotchas.context.Effects", fails)
        troubles: list[str] = []
        find(workload, observed, troubles)
        assert len(troubles) == 1
        assert "more (ZeroDivisionError: in the effects; test_registry.py" in troubles[0]


def test_lines_are_the_users() -> None:
    workload = workload_of("def fn(x):\n    print(x)\n    return x", X, first_line=41)
    (found,) = [g for g in find(workload, observe(workload)) if g.code == "JX-PRINT"]
    assert (found.line, found.column, found.end_column) == (42, 4, 12)


def test_columns_count_characters() -> None:
    source = "def fn(x):\n    y = 'µµµ'; print(x)\n    return x"
    (found,) = [g for g in gotchas(source, X) if g.code == "JX-PRINT"]
    assert (found.column, found.end_column) == (15, 23)


def test_a_trap_in_a_helper_is_told_at_the_helpers_line() -> None:
    source = "def half(x):\n    x[0] = 1.0\n    return x / 2\n\n\ndef fn(x):\n    return half(x)"
    found = {g.code: g for g in gotchas(source, X)}
    assert "through `half`" in found["JX-ARGMUT"].message
    assert found["JX-SETITEM"].line == 6


class TestBlame:
    def blamed(self, source: str, args: tuple, backend: str, text: str, kind: str) -> list[str]:  # type: ignore[type-arg]
        workload = workload_of(source, *args)
        found = blame(workload, observe(workload), backend, text, kind)
        assert all(g.status == "confirmed" and g.backend in (backend, "all") for g in found)
        return [g.code for g in found]

    def test_a_wider_result_under_numba_is_the_literals(self) -> None:
        args = (X.astype("float32"),)
        text = "the result is float64 where NumPy gives float32"
        assert self.blamed("def fn(x):\n    return x * 2.0", args, "numba", text, "dtype") == ["NB-NEP50"]

    def test_a_narrower_result_under_jax_is_the_promotion(self) -> None:
        args = (X.astype("float32"), np.arange(6))
        text = "the result is float32 where NumPy gives float64"
        assert self.blamed("def fn(x, n):\n    return x * n", args, "jax", text, "dtype") == ["JX-PROMO"]

    def test_other_values_under_numba_are_the_overlap(self) -> None:
        codes = self.blamed(
            "def fn(a):\n    a[1:] += a[:-1]\n    return a", (X,), "numba", "result[2] differs", "values"
        )
        assert codes == ["NB-OVERLAP"]

    def test_an_exception_is_known_by_its_class(self) -> None:
        text = "jax.errors.NonConcreteBooleanIndexError: Array boolean indices must be concrete"
        assert self.blamed("def fn(x):\n    return x[x > 1]", (X,), "jax", text, "exception") == ["JX-BOOLMASK"]

    def test_what_the_variant_handles_is_not_blamed(self) -> None:
        assert self.blamed("def fn(x):\n    return x.std() * x", (X,), "torch", "differs", "values") == []

    def test_an_unknown_kind_is_refused(self) -> None:
        workload = workload_of("def fn(x):\n    return x", X)
        with pytest.raises(ValueError, match="kinds"):
            blame(workload, observe(workload), "jax", "", "speed")
