"""Short vectors in loops: random programs give NumPy's results, run by Python itself; and what is written for some."""

import copy

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, workload
from tests.backends.numba.test_random_chains import interpreted

PROGRAMS = 120


class Writer:
    """Writes a program over points `r`, `v` (n, 3), weights `m` (n,) and a number `c`."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.vectors = []
        self.numbers = ["c", "m[i]", "m[j]", "2.0"]

    def pick(self, *choices):
        return choices[int(self.rng.integers(len(choices)))]

    def vector(self, depth=2):
        kind = self.rng.random()
        rows = ["r[i]", "v[j]", "r[j]", "v[i, :]", "r[-1]", "w[:-1, 1]", "w[1:, 0]", "u[i + 1]"]
        if depth == 0 or kind < 0.25:
            return self.pick(*rows, *self.vectors, *self.vectors)
        if kind < 0.35:
            return f"np.round({self.vector(depth - 1)}/c)"
        if kind < 0.45:
            return f"np.abs({self.vector(depth - 1)})"
        if kind < 0.65:
            return f"({self.vector(depth - 1)}{self.pick('*', '/', ' + ')}{self.number()})"
        return f"({self.vector(depth - 1)} {self.pick('+', '-', '*')} {self.vector(depth - 1)})"

    def number(self):
        more = [f"{name}[{k}]" for name in self.vectors for k in (0, 2)]
        products = [f"np.dot({name}, v[i])*0.1" for name in self.vectors]
        return self.pick(*self.numbers, *self.numbers, *more, *products, "(c + 1)")

    def statement(self):
        kind = self.rng.random()
        if kind < 0.3 or not self.vectors:
            name = self.pick("d", "e", "f")
            line = f"{name} = {self.vector()}"
            if name not in self.vectors:
                self.vectors.append(name)
            return line
        if kind < 0.45:
            place = self.pick(*self.vectors, "out[i]", "out[j, :]", "acc", "w[1:, 1]", "v[i]")
            return f"{place} {self.pick('+=', '-=', '*=')} {self.pick(self.vector(), self.vector(1))}*0.1"
        if kind < 0.6:
            return f"{self.pick('out[i]', 'out[j]', 'w[:-1, 0]', 'r[i]')} = {self.vector()}*0.3"
        if kind < 0.8:
            one, other = self.vector(1), self.vector(1)
            total = self.pick(f"np.dot({one}, {other})", f"{one} @ {other}", f"np.sum({one}*{other})", f"({one}).sum()")
            name = self.pick("s", "t")
            line = self.pick(f"{name} = {total}", f"{name} = 1.0 + np.sqrt(np.abs({total}))", f"total += {total}*0.01")
            if not line.startswith("total") and name not in self.numbers:
                self.numbers.append(name)
            return line
        if kind < 0.9:
            return f"if {self.number()} > 0.8:\n            total += 1.0\n            continue"
        return self.pick("total += c", "k = i*j", "last = d" if "d" in self.vectors else "pass")

    def program(self):
        lines = [self.statement() for _ in range(int(self.rng.integers(3, 9)))]
        body = "\n            ".join(line.replace("\n            ", "\n                ") for line in lines)
        loop = self.pick("for j in range(i):", "for j in range(n):", "for j in range(i + 1, n):")
        out = self.pick("np.zeros((n, 3))", "np.zeros_like(r)", "np.ones((n, 3))")
        return (
            "def fn(r, v, w, u, m, c):\n    n = r.shape[0]\n"
            f"    out = {out}\n    acc = np.zeros(3)\n    total = 0.0\n"
            f"    for i in range(n):\n        {loop}\n            {body}\n    return out, acc, total\n"
        )


def arguments(n, seed=0):
    rng = np.random.default_rng(seed)
    r, v, u = rng.standard_normal((n, 3)), rng.standard_normal((n, 3)), rng.standard_normal((n + 1, 3))
    return r, v, rng.standard_normal((4, 2)), u, rng.random(n), 0.7


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(k, k + 20), id=f"{k}", marks=[pytest.mark.slow] if k else [])
        for k in range(0, PROGRAMS, 20)
    ],
)
def test_random_programs(seeds):
    inlined = 0
    for seed in seeds:
        source = Writer(seed).program()
        args = arguments(4)
        work = workload(source, *copy.deepcopy(args))
        try:
            answers = [(given, reference(workload(source, *copy.deepcopy(given)))) for given in (args, arguments(2, 5))]
        except Exception:
            continue  # NumPy itself refuses it
        if not all(np.isfinite(part).all() for _, (result, _) in answers for part in result):
            continue
        draft = drafts(work)["numba"]
        assert isinstance(draft, Draft), f"{draft}\n{source}"
        inlined += any(f"for {k} in range(" in draft.module.text for k in "kl")
        for given, (wanted, after) in answers:
            got, left = interpreted(work, draft, given)
            try:
                assert_same(got, wanted, 1e-9)
                assert_same(list(left), list(after), 1e-9)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}\n{source}\n{draft.module.text}") from error
    assert inlined >= 3


PAIRS = """
def fn(r, box):
    forces = np.zeros((r.shape[0], 3))
    for i in range(r.shape[0]):
        for j in range(i):
            d = r[i] - r[j]  # from j to i
            d -= box*np.round(d/box)
            w = np.exp(-np.dot(d, d))
            forces[i] += w*d
            forces[j] -= w*d
    return forces
"""


def text_of(source, *args, variant="numba"):
    draft = drafts(workload(source, *args))[variant]
    return draft.module.text if isinstance(draft, Draft) else draft.refusal.reason


def test_a_written_length_is_written_into_every_loop():
    assert text_of(PAIRS, *arguments(4)[:1], 1.5).endswith(
        """
    forces = np.zeros((r.shape[0], 3))
    if r.shape[1] != 3:
        raise ValueError("operands could not be broadcast together")
    d = np.empty(3)  # written anew in each step
    for i in range(r.shape[0]):
        for j in range(i):
            for k in range(3):  # from j to i
                d[k] = r[i, k] - r[j, k]
            for k in range(3):
                d[k] -= box * np.round(d[k] / box)
            total = 0.0
            for k in range(3):
                total += d[k] * d[k]
            w = np.exp(-total)
            for k in range(3):
                forces[i, k] += w * d[k]
            for k in range(3):
                forces[j, k] -= w * d[k]
    return forces
"""
    )


def test_lengths_that_do_not_fit_are_refused_before_the_loops():
    draft = drafts(workload(PAIRS, arguments(4)[0], 1.5))["numba"]
    with pytest.raises(ValueError, match="broadcast"):
        interpreted(workload(PAIRS, arguments(4)[0], 1.5), draft, (np.ones((4, 2)), 1.5))


def test_a_pair_loop_over_short_vectors_is_not_offered_in_threads():
    assert "too short for threads" in text_of(PAIRS, arguments(4)[0], 1.5, variant="numba-parallel")


def test_numbers_that_the_loop_changes_or_that_take_long_are_worked_out_before_it():
    text = text_of(
        """
        def fn(x, n):
            for _ in range(n):
                x *= x[0]*np.exp(-x[1])
            return x
        """,
        np.array([0.5, 0.2, 0.1]),
        3,
    )
    assert "  factor = x[0]*np.exp(-x[1])\n        for k in range(x.shape[0]):\n            x[k] *= factor\n" in text


def test_longer_vectors_and_vectors_outside_of_loops_stay_whole():
    source = """
        def fn(x, y, n):
            y += 2*x
            for _ in range(n):
                y -= x*0.5
            return y
        """
    assert "for k in" not in text_of(source, np.ones(100), np.ones(100), 2)
    assert text_of(source, np.ones(4), np.ones(4), 2).count("for k in") == 1
