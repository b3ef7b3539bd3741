"""Probes: what they are made of, what NumPy says to them, and what a variant may do with them."""

import copy
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jitmagic.same_bits import same_bits
from jitmagic.verify import judge, probes, reference, sizes
from jitmagic.verify.probes import GLOBALS, Inputs, Probe, changed, defaults_of
from jitmagic.verify.reference import OUTSIDE, RAISED, TAKEN, TOO_LONG, UNDETERMINED, expect
from jitmagic.verify.snippet import snippet

TEXT = "def fn(x, y, k, s):\n    return x[x > 0.75] + np.clip(y, -3, 2)\n"


def everything(labels, values, text=TEXT):
    inputs = Inputs.of(labels, values)
    return [
        *probes.of_values(inputs, text),
        *sizes.of_sizes(inputs),
        *probes.of_dtype(inputs),
        *probes.of_layout(inputs),
    ]


def answer(function, probe, labels, *args):
    return expect(function, probe, labels, lambda: (copy.deepcopy(args), {}), 0.5)


shapes = hnp.array_shapes(max_dims=3, max_side=9)
arrays = st.one_of(
    hnp.arrays(st.sampled_from([np.float64, np.float32, np.complex128]), shapes, elements=st.just(1.5)),
    hnp.arrays(st.sampled_from([np.int64, np.uint8]), shapes, elements=st.integers(0, 9)),
    hnp.arrays(np.bool_, shapes),
    hnp.arrays(np.float64, st.just((0,))),
)  # fmt: skip


@given(arrays, arrays, st.integers(0, 12), st.floats(-2, 2))
def test_every_probe_can_be_made_and_writes_into_no_argument(x, y, k, s):
    labels, values = ["x", "y", "k", "s"], (x, y, k, s)
    before = copy.deepcopy(values)
    for probe in everything(labels, values):
        for steps in (probe.steps, *probe.others):
            args, _ = changed(steps, labels, (values, {}))
            assert len(args) == 4
            assert same_bits(before, values), steps
            if probe.changes not in (probes.SHAPE,):
                assert [np.shape(a) for a in args] == [np.shape(v) for v in values], steps


def test_starred_arguments_have_names_too():
    args, _ = changed(["arrays[1] = arrays[1][:2]"], ["arrays[0]", "arrays[1]"], ((np.arange(3), np.arange(4)), {}))
    assert [one.shape for one in args] == [(3,), (2,)]
    assert not probes.usable(["np"])
    assert not probes.usable(["class"])


def test_the_sources_own_thresholds_are_put_into_the_arrays():
    told = [probe.about for probe in everything(["x", "s"], (np.ones(9), 0.5))]
    assert "0.75 in x" in told
    assert "-3 in x" in told
    assert "s itself in x" in told


def test_lengths_that_are_equal_are_changed_together_and_then_one_by_one():
    A, b = np.ones((40, 40)), np.ones(40)
    found = [p for p in everything(["A", "b", "n"], (A, b, 40)) if p.changes == probes.SHAPE]
    short = next(p for p in found if p.name == "short axes")
    args, _ = changed(short.steps, ["A", "b", "n"], ((A, b, 40), {}))
    assert args[0].shape == (args[2], args[2]) == (args[1].size, args[1].size)
    unequal = [changed(p.steps, ["A", "b", "n"], ((A, b, 40), {}))[0] for p in found if p.name == "unequal axes"]
    assert any(one.shape[0] != one.shape[1] for one, _, _ in unequal)


def test_related_lengths_stay_related():
    edges, counts = np.arange(41.0), np.arange(40.0)
    short = sizes.small(Inputs.of(["edges", "counts"], (edges, counts)))
    args, _ = changed(short.steps, ["edges", "counts"], ((edges, counts), {}))
    assert args[0].size == args[1].size + 1 < 20


class TestNumPyIsTheJudge:
    def test_what_it_takes_is_a_probe(self):
        found = answer(lambda x: x * 2, Probe("p", "", ("x = x + 1",)), ["x"], np.arange(3.0))
        assert found.status == TAKEN
        assert (found.result == [2, 4, 6]).all()
        assert found.mutated == ()

    def test_where_it_refuses_the_first_the_next_steps_are_tried(self):
        def gather(x, idx):
            return x[idx]

        probe = Probe("p", "", ("x = x[:3]",), probes.SHAPE, others=(("x = x[:3]", "idx = idx % 3"),))
        found = answer(gather, probe, ["x", "idx"], np.arange(9.0), np.arange(9))
        assert found.status == TAKEN
        assert found.probe.steps == ("x = x[:3]", "idx = idx % 3")

    def test_what_it_raises_is_kept(self):
        found = answer(lambda x, i: x[i], Probe("p", "", ("i = 99",)), ["x", "i"], np.arange(3), 0)
        assert found.status == RAISED
        assert found.error[0] == "IndexError"

    def test_a_loop_without_end_is_no_probe(self):
        def search(x):
            while not x[0] > 0:
                x = x + 0
            return x

        assert answer(search, Probe("p", "", ("x = x * np.nan",)), ["x"], np.ones(2)).status == TOO_LONG

    def test_memory_that_nothing_was_written_into_determines_nothing(self):
        def half(x):
            out = np.empty(len(x))
            out[: len(x) // 2] = 1
            return out

        assert answer(half, Probe("p", "", ("x = x + 1",)), ["x"], np.ones(4)).status == UNDETERMINED
        assert np.empty.__module__ == "numpy"  # and it is as it was

    def test_a_way_that_writes_a_file_is_not_taken(self, tmp_path):
        path = tmp_path / "log"

        def logged(x):
            if x[0] < 0:
                path.write_text("negative")
            return x

        assert answer(logged, Probe("p", "", ("x = -x",)), ["x"], np.ones(2)).status == OUTSIDE
        assert not path.exists()
        assert answer(logged, Probe("p", "", ("x = 2 * x",)), ["x"], np.ones(2)).status == TAKEN

    def test_a_changed_global_is_put_back(self):
        found = answer(scaled, Probe("p", "", ("factor = factor + 1",), GLOBALS), ["x"], np.ones(2))
        assert found.result.tolist() == [3.0, 3.0]
        assert factor == 2.0


factor = 2.0


def scaled(x):
    return x * factor


class TestJudging:
    def expected(self, function, steps=("x = x",), oracle=False):
        return answer(function, Probe("p", "", steps, oracle=oracle), ["x"], np.array([3.0, 1.0, np.nan]))

    def judged(self, expected, variant):
        def run():
            args, _ = copy.deepcopy(expected.call)
            return variant(*args), {"x": args[0]}

        return judge.judge(expected, ["x"], run)

    def test_the_same_agrees_and_another_differs(self):
        expected = self.expected(lambda x: x.max())
        assert self.judged(expected, lambda x: np.max(x)).outcome == judge.AGREES
        found = self.judged(expected, lambda x: np.nanmax(x))
        assert (found.outcome, found.kind, found.silent) == (judge.DIFFERS, "values", True)

    def test_numbers_where_numpy_raises(self):
        expected = self.expected(lambda x: x[7])
        found = self.judged(expected, lambda x: x[-1])
        assert (found.outcome, found.silent) == (judge.NO_EXCEPTION, True)
        assert "NumPy raises IndexError" in found.detail
        assert self.judged(expected, lambda x: x[9]).outcome == judge.AGREES

    def test_an_exception_where_numpy_gives_numbers(self):
        found = self.judged(self.expected(lambda x: x), lambda x: x[9])
        assert (found.outcome, found.silent) == (judge.RAISES, False)

    def test_an_argument_that_is_written_and_should_not_be(self):
        def writes(x):
            x[0] = 9.0
            return np.float64(1.0)

        assert self.judged(self.expected(lambda x: np.float64(1.0)), writes).kind == "mutated"

    def test_single_precision_is_held_against_double(self):
        def mean(x):
            return x[:2].sum() / 3

        expected = self.expected(mean, ("x = x.astype(np.float32)",), oracle=True)
        assert expected.oracle is not None
        assert self.judged(expected, lambda x: np.float32(x[:2].astype(np.float64).sum() / 3)).outcome == judge.AGREES
        assert self.judged(expected, lambda x: mean(x) * np.float32(1.001)).outcome == judge.DIFFERS


def test_defaults_that_are_numbers_are_probed():
    text = "def fn(x, k=3, tol=1e-3, w=2 * np.pi, flag=True, mode='a', other=None): pass"
    assert defaults_of(text, "fn", ["x", "k"]) == {"tol": float, "w": float, "flag": bool}
    inputs = Inputs.of(["x"], (np.ones(3),), {"tol": float})
    probe = next(p for p in probes.of_values(inputs, TEXT) if p.extra)
    _, kwargs = changed(probe.steps, ["x"], ((np.ones(3),), {}), probe.extra)
    assert kwargs == {"tol": 0.0}


@pytest.mark.parametrize(
    ("call", "labels", "keywords", "lines"),
    [
        ("fn(x)", ["x"], [], ["x = x + 1", "fn(x)"]),
        (
            "fn(data[0], 2, s=t)",
            ["x", "k", "s"],
            ["s"],
            ["x = data[0]", "k = 2", "s = t", "x = x + 1", "fn(x, k, s=s)"],
        ),
        ("fn(a, b)", ["x", "more[0]"], [], ["x = a", "more = [b]", "x = x + 1", "fn(x, more[0])"]),
        ("fn(*all)", ["x"], [], ["# x: the arguments of fn(*all)", "x = x + 1", "fn(x)"]),
    ],
)
def test_a_snippet_can_be_pasted_below_the_users_call(call, labels, keywords, lines):
    assert snippet("fn", call, labels, keywords, ["x = x + 1"]).split("\n") == lines


def test_a_snippet_shows_what_the_probe_did():
    data = np.array([1.0, 2.0, 3.0, 4.0])
    for probe in everything(["x"], (data,)):
        text = snippet("fn", "fn(data)", ["x"], [], probe.steps)
        names = {"np": np, "data": data.copy(), "fn": lambda x: x, "last": None}
        exec(re.sub(r"\nfn\(x\)$", "\nlast = fn(x)", text), names)
        args, _ = changed(probe.steps, ["x"], ((data,), {}))
        assert same_bits(names["last"], args[0])


def test_globals_in_capitals_are_constants():
    found = list(probes.of_globals({"scale": 2.0, "PI": 3.1, "w": np.ones(2), "name": "text"}))
    assert [probe.steps for probe in found] == [("scale = scale + 1",), ("w = w * 2",)]
    assert reference.globals_of(scaled)["factor"] == 2.0
