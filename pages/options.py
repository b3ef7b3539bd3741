"""The page of all options, from where each of them is defined.

The magics' from ``magic.options.OPTIONS`` and the traits of ``JitMagic``, the shell's from its parsers, Python's from
the signature of ``compare``, the extension's settings from its schema.
"""

from __future__ import annotations

import argparse
import inspect
import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from jitmagic import cli
from jitmagic.comparison import compare
from jitmagic.magic.magics import JitMagic
from jitmagic.magic.options import OPTIONS, Option
from jitmagic.options import Options

_SCHEMA = Path(__file__).parents[1] / "labextension" / "schema" / "plugin.json"

_HEAD = """\
# Options

*Made from the options' own definitions by `python -m pages`; do not edit.*

The same options stand in four places: on the line of `%jitcompare` and `%%jitcompare` (before the call), as arguments
of `jitmagic compare` in a shell, as keyword arguments of `jitmagic.compare` in Python, and, for some, as defaults of
the session: `%config JitMagic.budget = 20`.
"""

_VALUES = {
    "names": "NAMES",
    "seconds": "SECONDS",
    "percent": "PERCENT",
    "variable": "NAME",
    "count": "N",
    "sweep": "n=1e3:1e7:9",
    "path": "FILE|DIR",
    "python": "BACKEND=PATH",
    "address": "ADDRESS",
    "argument": "ARG",
    "batch": "ARG[:AXIS]",
}

MORE: Mapping[str, str] = {
    "backends": "`numpy` is always there: it is what the others are verified against and timed beside. Names are "
    "separated by commas. What is not installed is shown as *unsupported*, with the command that installs it.",
    "devices": "`jitmagic devices`, or `%jitdevices`, lists what this machine has and which backend can use it.",
    "budget": "For all variants together, and for the rounds of the clock only: to build and to verify the variants "
    "comes before, and to try other arguments comes after and takes as long again at most. Five rounds are made in any "
    "case, or three where five would take longer than the budget. The rounds end sooner where every ratio is known "
    "well enough: see `--margin`. A sweep has a budget of this length of its own.",
    "margin": "Half of a speedup's 95 % interval over the speedup. 15 tells 5 from 6 within a few seconds, where the "
    "machine is quiet a good deal better; for figures that will be printed ask for 3, with a longer `--budget`, which "
    "ends the timing in any case. Speedups near 1 are always followed closer, since they may turn out on either side "
    "([How measuring works](measuring.md)).",
    "timeout": "A variant that takes longer to build is *timed out*: its process is ended, the others go on.",
    "dtype": "Arrays and NumPy's numbers of a floating dtype are cast before anything else, also for NumPy's own run: "
    "the baseline is in that precision too. Python's own floats, integers and complex numbers stay as they are.",
    "threads": "Numbers, or `all` for as many as the machine has; several make a row for each: `numba-parallel@1` "
    "beside `numba-parallel`. Each row runs in a process that was held to its number from its start "
    "(`OMP_NUM_THREADS`, `NUMBA_NUM_THREADS`, `OPENBLAS_NUM_THREADS` and the like).",
    "sweep": "A name, then from, to and how many (spaced evenly on a logarithmic axis), or a list: `n=100,1000`. "
    "The statements that the call depends on run again for each size, on copies. In Python, `make_args` makes the "
    "arguments, or `sweep` is a mapping of sizes to arguments.",
    "cold": "For data that was not used just before. Each call is timed by itself, and emptying the caches takes far "
    "longer than a short call: there will be fewer calls in the budget. On a GPU it is its shared cache that "
    "is emptied, with CuPy, PyTorch and JAX.",
    "calls": "What counts then is the time of all of them together: to build the variant, to bring the arrays to its "
    "device and the result back once, and to run it so often. For few calls that is often NumPy.",
    "need": "JAX and torch can differentiate. NumPy's own function is then no choice.",
    "deploy": "Only what was verified and timed there is recommended; where nothing was, that is said.",
    "keep": "Of what is clearly faster than NumPy, the variant with the fewest lines of code added or taken away; what "
    "the fastest would give is said.",
    "grad": "JAX and PyTorch, forward and reverse, against NumPy's central differences: [Derivatives and "
    "batches](derivatives.md). One of `--grad`, `--jacobian`, `--hessian` and `--vmap` at a time, and no sweep.",
    "jacobian": "The result has the axes of the function's result, then those of the argument.",
    "hessian": "The result has the argument's axes twice.",
    "vmap": "The axis is 0 where none is given. The baseline is NumPy's loop over the slices, results stacked.",
    "save": "The record is JSON ([The record](record.md)). In a folder the name is the function's with the time. "
    "`jitmagic diff` compares two of them, `jitmagic render` shows one.",
    "on": "May stand several times. The function's source and its arguments travel there, and the variants are set "
    "against NumPy there and NumPy here: [Other machines](other-machines.md).",
    "python": "A path, an environment's folder, or a name on the `PATH`. It needs Python 3.11 or newer, NumPy 2.0 or "
    "newer and the library, not jitmagic. May stand several times, for several backends.",
    "result": "`c = %jitcompare -o fn(x)` on a line. In a cell, the comparison is the cell's result, `_`.",
    "variable": "For a cell: `%%jitcompare -v c`.",
    "panel": "Needs `anywidget`. Where our JupyterLab extension is installed, it draws the result without a widget.",
}
"""What there is to say of an option beyond its one line; an option need not be here."""


def page() -> str:
    """Returns the page as Markdown."""
    return "\n".join([_HEAD, *_comparison(), *_session(), *_commands(), *_settings()])


def _comparison() -> Iterator[str]:
    """Yields a section for each option of a comparison, in the order of the magics' own help."""
    yield "## Options of a comparison\n"
    shell = {action.dest: action for action in _actions(_parsers()["compare"])}
    defaults = {field.name: field.default for field in fields(Options)}
    for option in OPTIONS:
        yield f"### {', '.join(f'`{flag}`' for flag in option.flags)}\n"
        default = defaults.get(option.name)
        yield _prose(_sentence(option.help) + ("" if default in (None, False) else f" Default: {default:g}."))
        if option.name in MORE:
            yield _prose(MORE[option.name])
        yield "| where | how |\n|---|---|"
        yield f"| `%jitcompare`, `%%jitcompare` | `{_cell(_usage(option))}` |"
        if option.name in shell:
            yield f"| `jitmagic compare` | `{_cell(_shell_usage(shell[option.name]))}` |"
        if option.name in inspect.signature(compare).parameters:
            yield f"| `jitmagic.compare` | `{option.name}=` |"
        if option.name in JitMagic.class_traits(config=True):
            yield f"| for the session | `%config JitMagic.{option.name} = …` |"
        yield ""
    yield "`jitmagic.compare` also takes `make_args`, for a sweep: see [The public API](api.md).\n"


def _session() -> Iterator[str]:
    """Yields the magics' defaults that a session can set."""
    yield "## Defaults of a session\n"
    yield "Set with `%config JitMagic.NAME = VALUE`, or as `c.JitMagic.NAME` in `ipython_config.py`.\n"
    yield "| name | meaning | default |\n|---|---|---|"
    for name, trait in sorted(JitMagic.class_traits(config=True).items()):
        yield f"| `{name}` | {_cell(trait.help)} | `{trait.default()!r}` |"
    yield ""


def _commands() -> Iterator[str]:
    """Yields a section for each command of the shell."""
    yield "## Commands of the shell\n"
    for name, parser in _parsers().items():
        yield f"### `jitmagic {name}`\n"
        yield _prose(parser.description or "")
        yield "| argument | meaning |\n|---|---|"
        for action in _actions(parser):
            yield f"| `{_cell(_shell_usage(action))}` | {_cell(action.help or '')} |"
        yield ""
        if parser.epilog:
            yield _prose(f"{parser.epilog[0].upper()}{parser.epilog[1:]}")


def _settings() -> Iterator[str]:
    """Yields the settings of the extension."""
    yield "## Settings of the extension\n"
    yield "*Settings → jitmagic* in JupyterLab and Notebook 7: the defaults of the sidebar's form.\n"
    yield "| setting | meaning | default |\n|---|---|---|"
    for part in json.loads(_SCHEMA.read_text(encoding="utf-8"))["properties"].values():
        yield f"| {_cell(part['title'])} | {_cell(part.get('description', ''))} | `{json.dumps(part.get('default'))}` |"
    yield ""


def _parsers() -> Mapping[str, argparse.ArgumentParser]:
    (commands,) = [one for one in cli.parser()._actions if isinstance(one, argparse._SubParsersAction)]
    parsers: Mapping[str, argparse.ArgumentParser] = commands.choices
    return parsers


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (one for one in parser._actions if not isinstance(one, argparse._HelpAction))


def _usage(option: Option) -> str:
    if option.choices:
        takes = "|".join(option.choices)
    else:
        takes = "COUNTS" if option.name == "threads" else _VALUES[option.value] if option.value else ""
    return " ".join(filter(None, [option.flags[-1], takes]))


def _shell_usage(action: argparse.Action) -> str:
    takes = action.metavar or ("|".join(map(str, action.choices)) if action.choices else "")
    if not action.option_strings:
        return str(takes or action.dest)
    value = "" if action.nargs == 0 else f" {takes or action.dest.upper()}"
    return ", ".join(action.option_strings) + value


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _prose(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) + "\n"
