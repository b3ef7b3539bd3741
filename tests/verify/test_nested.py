"""Probes of arrays inside tuples, lists and dicts: the user's own containers stay as they were."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitmagic.measure.probing import plan
from jitmagic.same_bits import same_bits
from jitmagic.verify import nested
from jitmagic.verify.probes import Inputs, changed
from jitmagic.verify.reference import TAKEN, expect

ARRAYS = st.builds(lambda n, whole: np.arange(n) if whole else np.linspace(0.5, 2, n), st.integers(1, 6), st.booleans())
VALUES = st.recursive(
    st.one_of(ARRAYS, st.integers(0, 3), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.sampled_from(["a", "it's", 'a "b"', "{}", 7]), inner, max_size=3),
    ),
    max_leaves=6,
)


def probes_of(values):
    inputs = Inputs.of(["p", "q"], values)
    return plan(inputs, "def fn(p, q): return p[0] > 0.75", {})


def shape_of(value):
    if isinstance(value, tuple | list):
        return type(value), [shape_of(one) for one in value]
    return (dict, {key: shape_of(one) for key, one in value.items()}) if isinstance(value, dict) else type(value)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_the_users_containers_are_not_written_into_and_keep_their_kinds(p, q):
    values = (p, q)
    before = copy.deepcopy(values)
    for probe in probes_of(values):
        for steps in (probe.steps, *probe.others):
            args, _ = changed(steps, ["p", "q"], (values, {}))
            assert same_bits(before, values), steps
            assert shape_of(args) == shape_of(values), steps


@pytest.mark.parametrize(
    ("given_value", "place"),
    [((np.ones(6), 2.0), "p[0]"), ([np.zeros(2), np.ones(6)], "p[1]"), ({"dx": np.ones(6)}, "p['dx']"),
     ({"grid": (1, [np.ones(6)])}, "p['grid'][1][0]")],
)  # fmt: skip
def test_an_array_in_a_container_gets_a_nan(given_value, place):
    (probe,) = [one for one in probes_of((given_value, 0)) if one.about.startswith("a NaN in") and place in one.about]
    args, _ = changed(probe.steps, ["p", "q"], ((given_value, 0), {}))
    assert np.isnan(eval(place, {"p": args[0]})).sum() == 1


def test_a_function_of_a_tuple_is_probed_with_other_sizes():
    def fn(p, q):
        x, v = p
        return x * q + v

    values = ((np.ones(9), np.ones(9)), 2.0)
    taken = {
        one.name for one in probes_of(values)
        if expect(fn, one, ["p", "q"], lambda: (copy.deepcopy(values), {}), 1.0).status == TAKEN
    }  # fmt: skip
    assert {"short axes", "empty arrays", "NaN", "float32", "reversed views", "other order"} <= taken


def test_of_a_long_list_the_first_arrays_tell():
    assert len(list(nested.arrays("p", [np.ones(2)] * 1000))) < 20


def test_a_class_of_the_users_is_left_alone():
    class Pair(tuple):
        pass

    assert list(nested.arrays("p", Pair((np.ones(2), np.ones(2))))) == []
