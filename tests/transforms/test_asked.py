"""What can be asked for, and what is said where it cannot be had."""

import numpy as np
import pytest

import jitmagic
from jitmagic.capture.function import from_function
from jitmagic.options import Options, asked_transform
from jitmagic.transforms.checks import check
from jitmagic.transforms.transform import Transform, TransformError, parse
from tests.fakes import FakeBackend
from tests.transforms import programs

X = np.linspace(0.5, 2.0, 4)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("grad", "x", Transform("grad", "x")),
        ("hessian", "theta", Transform("hessian", "theta")),
        ("vmap", "x", Transform("vmap", "x", 0)),
        ("vmap", "x:1", Transform("vmap", "x", 1)),
        ("vmap", "x:-1", Transform("vmap", "x", -1)),
    ],
)
def test_what_can_be_asked_for(kind, text, expected):
    assert parse(kind, text) == expected
    assert parse(kind, expected.text.split()[1]) == expected


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("grad", "x y", "the name of one of the function's arguments"),
        ("grad", "x:1", "an argument alone, e.g. x"),
        ("vmap", "x:first", "e.g. x:0"),
        ("vmap", "", "got ''"),
    ],
)
def test_what_cannot_be_read_shows_an_example(kind, text, told):
    with pytest.raises(ValueError, match=told):
        parse(kind, text)


def test_one_at_a_time():
    with pytest.raises(ValueError, match="--grad x and --vmap y are two comparisons"):
        asked_transform({"grad": "x", "vmap": "y"})
    assert asked_transform({}) is None
    with pytest.raises(ValueError, match="--grad x is for one size"):
        Options(transform=Transform("grad", "x"), sweep="n=1,10")


@pytest.mark.parametrize(
    ("kind", "argument", "function", "args", "told"),
    [
        ("grad", "y", programs.squares, (X,), "has no argument `y` in this call; it has x"),
        ("grad", "x", programs.squares, (np.arange(4),), r"an array of int64, .*pass it as x.astype\(float\)"),
        ("grad", "n", programs.counted, (X, 4), r"of type int, .*pass it as float\(n\)"),
        ("grad", "x", programs.squares, (X + 1j,), "its real and imaginary parts apart"),
        ("grad", "x", programs.squares, (np.float16(1.0),), "float64 or float32 number or array"),
        ("grad", "x", programs.squares, (np.array([]),), "`x` is empty"),
        ("grad", "x", programs.squares, (np.array([1.0, np.nan]),), "holds NaN or infinity"),
        ("grad", "x", programs.squares, ([1.0, 2.0],), "of type list"),
        ("vmap", "x", programs.squares, (2.0,), "a batch is an array"),
        ("vmap", "x", programs.squares, (np.ones((0, 3)),), "no slice along axis 0"),
        ("vmap", "x", programs.squares, (np.array(["a"]),), "an array of numbers"),
    ],
)
def test_arguments_that_have_none_are_told_at_once(kind, argument, function, args, told):
    asked = Transform(kind, argument, 0 if kind == "vmap" else None)
    with pytest.raises(TransformError, match=told):
        check(asked, from_function(function, args))


def test_an_axis_that_is_not_there():
    with pytest.raises(TransformError, match="`x` has one axis; take 0"):
        check(Transform("vmap", "x", 1), from_function(programs.squares, (X,)))


@pytest.mark.parametrize(
    ("asked", "function", "args", "told"),
    [
        ({"grad": "x"}, programs.curve, (X, 0.5), r"shape \(4,\).*or ask for --jacobian"),
        ({"hessian": "x"}, programs.curve, (X, 0.5), r"shape \(4,\).*--hessian of one of its elements"),
        ({"grad": "x"}, programs.writes, (X,), "writes into its argument `x`"),
        ({"jacobian": "x"}, programs.two, (X,), "returns a tuple"),
        ({"vmap": "x"}, programs.two, (X,), "returns a tuple, which is not stacked"),
        ({"grad": "x"}, programs.draws, (X, np.random.default_rng(0)), "draws random numbers"),
        ({"jacobian": "x"}, programs.curve, (np.ones(10**6), 0.5), "TB, several copies"),
        ({"hessian": "x"}, programs.squares, (np.ones(30_000),), r"calls of squares, about|GB, several copies"),
    ],
)
def test_functions_that_have_none_are_told_after_one_run(asked, function, args, told, use_backends):
    use_backends(FakeBackend("one", {}))
    with pytest.raises(TransformError, match=told):
        jitmagic.compare(function, *args, timeout=20.0, **asked)
