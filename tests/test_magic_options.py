"""The line of `%jitcompare`: what is an option, and what is the call."""

from __future__ import annotations

import ast
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitmagic.magic.options import BY_FLAG, OptionError, misplaced_option, read, scan

names = st.sampled_from(["x", "y", "o", "b", "dtype", "np", "fn", "q"])
atoms = st.one_of(
    names,
    st.integers(-5, 5).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.text(max_size=12).map(repr),
    st.sampled_from(["'-o x'", '"--budget 5"', "x -o", "x - b", "-x", "x[::-1]", "x[1:, -1]", "{'-q': -1}"]),
)
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.tuples(inner, st.sampled_from(["+", " - ", " -", "*"]), inner).map(lambda parts: f"({''.join(parts)})"),
        st.lists(inner, max_size=2).map(lambda parts: f"np.sum({', '.join(parts)})"),
    ),
    max_leaves=6,
)
calls = st.builds(
    lambda function, args, kwargs: f"{function}({', '.join(args + [f'{name}={value}' for name, value in kwargs])})",
    st.sampled_from(["fn", "module.fn", "make(-1)", "table['-o']", "(lambda x: -x)"]),
    st.lists(values, max_size=3),
    st.lists(st.tuples(names, values), max_size=2, unique_by=lambda pair: pair[0]),
)
options = st.lists(
    st.sampled_from(
        [
            ("-o", {"result": True}),
            ("-q", {"quiet": True}),
            ("-oq", {"result": True, "quiet": True}),
            ("-b numba", {"backends": ("numba",)}),
            ("-bnumba", {"backends": ("numba",)}),
            ("--backends=numba", {"backends": ("numba",)}),
            ("-b 'numba'", {"backends": ("numba",)}),
            ("-d cuda:0", {"devices": ("cuda:0",)}),
            ("--budget 2.5", {"budget": 2.5}),
            ("--margin 3", {"margin": 3.0}),
            ("-v out", {"variable": "out"}),
            ("--dtype=float32", {"dtype": "float32"}),
        ]
    ),
    max_size=4,
    unique_by=lambda pair: next(iter(pair[1])),
)


@given(options, calls, st.sampled_from([" ", "   ", "\t"]))
def test_any_call_comes_back_as_it_was_typed(given_options, call, space):
    ast.parse(call, mode="eval")
    expected = {}
    for _, settings in given_options:
        expected.update(settings)
    line = read(space.join([*(text for text, _ in given_options), call]))
    assert line.call == call
    assert line.settings == expected


@given(st.text())
def test_no_text_breaks_the_reading(text):
    assert 0 <= scan(text).rest <= len(text)
    with contextlib.suppress(OptionError):
        read(text)


@pytest.mark.parametrize(
    ("line", "settings", "call"),
    [
        ("", {}, ""),
        ("fn(x, -1)", {}, "fn(x, -1)"),
        ('f(a, b="-o x")', {}, 'f(a, b="-o x")'),
        ("-o fn(x);", {"result": True}, "fn(x)"),
        ("-b numba, jax fn(x)", {"backends": ("numba", "jax")}, "fn(x)"),
        ("-b numba ,jax fn(x)", {"backends": ("numba", "jax")}, "fn(x)"),
        ('-b "numba, jax" fn(x)', {"backends": ("numba", "jax")}, "fn(x)"),
        ("-b numba -b jax", {"backends": ("numba", "jax")}, ""),
        ("-d cpu,cuda:0 -b jax fn(x)", {"devices": ("cpu", "cuda:0"), "backends": ("jax",)}, "fn(x)"),
        ("-- -o", {}, "-o"),
        ("fn(x)  # the call", {}, "fn(x)  # the call"),
    ],
)
def test_line(line, settings, call):
    found = read(line)
    assert (found.settings, found.call) == (settings, call)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--backend numba fn(x)", "is --backends meant?"),
        ("-x fn(x)", "there is no option -x"),
        ("-", "there is no option -"),
        ("-b", "-b needs a value, e.g. -b numba,jax"),
        ("-b -o fn(x)", "-b needs a value"),
        ("-d", "e.g. -d cpu"),
        ("-b , fn(x)", "'fn(x)' is no name"),
        ("-b numba, fn(x)", "'fn(x)' is no name"),
        ("-b ',' fn(x)", "-b needs one name or more"),
        ("--budget soon fn(x)", "a number of seconds"),
        ("--budget= 5", "--budget needs a value"),
        ("--margin tight fn(x)", "a number of per cent, e.g. --margin 3, and got 'tight'"),
        ("--margin", "--margin needs a value, e.g. --margin 3"),
        ("--dtype float16 fn(x)", "float32 or float64, and got 'float16'"),
        ("-v my-result fn(x)", "the name of a variable"),
        ("-v class fn(x)", "the name of a variable"),
        ("--help=yes", "--help takes no value"),
        ("-b 'numba fn(x)", "the quote that -b opens is not closed"),
        ("fn(x) -o", "the option -o stands behind the call; options come first: -o … fn(x)"),
        ("fn(x) --budget 5", "--budget stands behind the call"),
    ],
)
def test_a_wrong_line_is_told(line, said):
    with pytest.raises(OptionError) as caught:
        read(line)
    assert said in str(caught.value)


def test_a_subtraction_in_a_call_is_no_misplaced_option():
    assert misplaced_option("fn(g(x) -o, h(y) -b)") is None


@pytest.mark.parametrize(
    ("text", "ends_in", "pending"),
    [
        (" -", "option", None),
        (" --bud", "option", None),
        (" -b", "option", None),
        (" -b ", "value", "backends"),
        (" -b nu", "value", "backends"),
        (" -b numba,", "value", "backends"),
        (" -b numba, ", "value", "backends"),
        (" --backends=nu", "value", "backends"),
        (" -b numba ", "space", None),
        (" ", "space", None),
        (" -o f", "call", None),
        (" fn(x, -", "call", None),
        (" -d cpu,cu", "value", "devices"),
        (" --dtype ", "value", "dtype"),
    ],
)
def test_what_the_end_of_a_line_belongs_to(text, ends_in, pending):
    found = scan(text)
    assert (found.ends_in, found.pending.name if found.pending else None) == (ends_in, pending)


def test_every_option_is_in_the_help():
    from jitmagic.magic.magics import JitMagic

    for flag in BY_FLAG:
        assert flag in JitMagic.jitcompare.__doc__


def test_interpreters_of_several_backends_stand_one_after_the_other():
    line = read("--python jax=/a/b --python 'torch=/c d/python' fn(x)")
    assert line.settings["python"] == {"jax": "/a/b", "torch": "/c d/python"}
    assert line.call == "fn(x)"


@pytest.mark.parametrize("raw", ["jax", "=path", "jax="])
def test_an_interpreter_without_backend_or_path_is_told_with_an_example(raw):
    with pytest.raises(OptionError, match="--python jax=/path/to/python, and got"):
        read(f"--python '{raw}' fn(x)")
