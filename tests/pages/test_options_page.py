"""Every option stands on the page, and says the same wherever it can be given."""

from __future__ import annotations

import inspect
from dataclasses import fields

from jitmagic.comparison import compare
from jitmagic.magic.magics import JitMagic
from jitmagic.magic.options import BY_FLAG, OPTIONS
from jitmagic.options import Options
from jitmagic.transforms.transform import KINDS
from pages import options

PAGE = options.page()


def test_every_flag_stands_on_the_page() -> None:
    shell = [flag for parser in options._parsers().values() for one in options._actions(parser) for flag in
             one.option_strings]  # fmt: skip
    assert shell
    assert [flag for flag in (*BY_FLAG, *shell) if f"{flag}`" not in PAGE and f"{flag} " not in PAGE] == []


def test_what_is_said_beyond_the_one_line_is_said_of_an_option() -> None:
    assert set(options.MORE) - {option.name for option in OPTIONS} == set()


def test_a_default_is_the_same_wherever_it_is_left_out() -> None:
    keywords, traits = inspect.signature(compare).parameters, JitMagic.class_traits(config=True)
    assert all(keywords[kind].default is None for kind in KINDS)
    for field in fields(Options):
        if field.name == "transform":
            continue  # in Python it is one keyword for each kind
        assert keywords[field.name].default == field.default
        if field.name in traits:
            assert traits[field.name].default() == field.default
    for action in options._actions(options._parsers()["compare"]):
        if action.dest in keywords:
            # None is left to Options
            assert action.default is None or action.default == keywords[action.dest].default
