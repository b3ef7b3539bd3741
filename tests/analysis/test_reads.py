"""What every call is sure to read whole, and the products of matrices that it makes."""

import numpy as np
import pytest

from jitmagic.analysis.reads import products, read_whole
from jitmagic.capture.function import from_function
from jitmagic.observe.run import observe

NP = {"np": "numpy"}


def body(*lines):
    return "def fn(x, y, k):\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["return x + 1"], {"x"}),
        (["return -x"], {"x"}),
        (["return x[k] + y"], {"y"}),
        (["return np.sin(x) * y.sum()"], {"x", "y"}),
        (["z = np.where(x > k, 1, 0)", "return z"], {"x", "k"}),
        (["y += x", "return y"], {"x", "y"}),
        (["return x.shape[0] + np.size(y)"], set()),
        (["return helper(x)"], set()),
        (["return np.take(x, k)"], set()),
        (["if k:", "    return x + 1", "return y + 1"], set()),
        (["for i in range(3):", "    y = x + y", "return y"], set()),
        (["return x + 1 if k else y + 1"], set()),
        (["return k > 0 and x + 1"], {"k"}),
        (["x = x[:10]", "return x + y"], {"y"}),
        (["z = x + y", "x = z", "return x"], {"x", "y"}),
        (["return [x + i for i in range(3)]"], set()),
        (["return (lambda: x + 1)"], set()),
        (["with np.errstate(all='ignore'):", "    z = x * y", "return z"], {"x", "y"}),
    ],
)
def test_only_what_every_call_reads_whole_counts(lines, expected):
    assert read_whole(body(*lines), "fn", NP) == expected


def seen(function, *args):
    workload = from_function(function, args, {})
    text, entry = workload.module.text, workload.function.name
    found = observe(text, entry, {}, lambda: (args, {}), workload.argument_names, limit_seconds=5.0)
    return text, entry, workload.names, found.observation


def chain(a, b, v):
    c = a @ b
    w = np.dot(c, v)
    if w[0] > 0:
        w = w + (a @ a)[0, 0]
    return w


def test_products_are_counted_by_their_observed_shapes_where_every_call_makes_them():
    a, b, v = np.ones((20, 20)), np.ones((20, 30)), np.ones(30)
    assert products(*seen(chain, a, b, v)) == 2 * 20 * 20 * 30 + 2 * 20 * 30


def test_products_of_integers_count_for_nothing():
    def whole(a):
        return a @ a

    assert products(*seen(whole, np.ones((5, 5), int))) == 0.0
