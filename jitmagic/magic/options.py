"""The line of `%jitcompare`: options first, then the call, which is left as it was typed.

The call is the user's Python and may hold anything (``f(x, -1)``, ``f(a, b="-o x")``), so the line is read from the
left, one option at a time, and what follows the last option is the call, character by character.

>>> read("-b numba,jax -o fn(x, -1)")
Line(settings={'backends': ('numba', 'jax'), 'result': True}, call='fn(x, -1)')
"""

from __future__ import annotations

import ast
import difflib
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jitmagic.advice.purpose import KEPT, NEEDS, PLACES
from jitmagic.measure.nodes import address
from jitmagic.measure.sweep import sizes
from jitmagic.transforms.transform import parse


class OptionError(ValueError):
    """The line cannot be read; the text says what is wrong and what to write instead."""


@dataclass(frozen=True)
class Option:
    """One option of the magic.

    Attributes
    ----------
    flags : tuple of str
        How it is written, e.g. ``("-b", "--backends")``.
    name : str
        Its key in ``Line.settings``.
    value : str or None
        What it takes: ``"names"`` (comma-separated), ``"seconds"``, ``"percent"``, ``"count"``, ``"variable"``,
        ``"choice"``, ``"sweep"``, ``"path"``, ``"python"`` (``BACKEND=PATH``), ``"address"``, ``"argument"``,
        ``"batch"`` (``ARG[:AXIS]``); None for a flag.
    help : str
        One line.
    choices : tuple of str
        Of ``"choice"``: what can be written.
    """

    flags: tuple[str, ...]
    name: str
    value: str | None
    help: str
    choices: tuple[str, ...] = ()


DTYPES = ("float32", "float64")

OPTIONS = (
    Option(("-b", "--backends"), "backends", "names", "backends to try, e.g. numba,jax; all that are here by default"),
    Option(("-d", "--devices"), "devices", "names", "devices to use, e.g. cpu,cuda:0; all that are here by default"),
    Option(("-o",), "result", None, "return the Comparison as the cell's result"),
    Option(("-v",), "variable", "variable", "store the Comparison in this variable"),
    Option(("-q",), "quiet", None, "show nothing"),
    Option(("--panel",), "panel", None, "show progress and result in a widget"),
    Option(("--no-panel",), "no_panel", None, "show no widget"),
    Option(("--budget",), "budget", "seconds", "seconds to spend on timing"),
    Option(("--margin",), "margin", "percent", "per cent to which every speedup is to be known; then the timing ends"),
    Option(("--timeout",), "timeout", "seconds", "seconds after which one variant is given up"),
    Option(("--dtype",), "dtype", "choice", "cast the floating arguments first: float32 or float64", DTYPES),
    Option(("--threads",), "threads", "names", "CPU threads the libraries may use, e.g. 1,all for both"),
    Option(("--sweep",), "sweep", "sweep", "sizes to measure too, e.g. n=1e3:1e7:9 or n=100,1000"),
    Option(("--cold",), "cold", None, "empty the processor's caches before every timed call"),
    Option(("--calls",), "calls", "count", "recommend for so many calls like this one, the build among them"),
    Option(("--need",), "need", "choice", "recommend among what offers this too: gradients", NEEDS),
    Option(("--deploy",), "deploy", "choice", "recommend for where it will run: cpu, gpu or tpu", tuple(PLACES)),
    Option(("--keep",), "keep", "choice", "simple: recommend the fewest changed lines before the highest speed", KEPT),
    Option(("--grad",), "grad", "argument", "compare the derivative of a number by this argument"),
    Option(("--jacobian",), "jacobian", "argument", "compare the derivatives of an array by this argument"),
    Option(("--hessian",), "hessian", "argument", "compare the second derivatives of a number by this argument"),
    Option(("--vmap",), "vmap", "batch", "compare the function for each slice of this argument, e.g. x or x:1"),
    Option(("--save",), "save", "path", "keep the record in this file, or in this folder under a dated name"),
    Option(("--python",), "python", "python", "another interpreter for a backend, e.g. jax=/envs/jax/bin/python"),
    Option(("--on",), "on", "address", "run it on another machine too: ssh://host, or a Dask scheduler's tcp://host:8786"),
    Option(("--help",), "help", None, "show the help"),
)
_NUMBERS = {"seconds": ("seconds", "20"), "percent": ("per cent", "3")}
"""What takes a number with a fraction: what it counts, and an example."""
BY_FLAG: Mapping[str, Option] = {flag: option for option in OPTIONS for flag in option.flags}


@dataclass(frozen=True)
class Line:
    """A line that was read: the settings by name, and the call as it was typed ("" if there is none)."""

    settings: Mapping[str, Any]
    call: str


@dataclass(frozen=True)
class Scan:
    """Where the options of a line end, and what stands at the line's end.

    Attributes
    ----------
    given : tuple of (Option, str, str)
        The options with the flag as typed and the raw value, in order.
    rest : int
        Where the call begins.
    ends_in : str
        What the line's last character belongs to, for completion: ``"option"``, ``"value"``, ``"space"`` (between
        options) or ``"call"``.
    pending : Option or None
        The option whose value the line ends in.
    problem : str or None
        The first thing that could not be read.
    """

    given: tuple[tuple[Option, str, str], ...]
    rest: int
    ends_in: str
    pending: Option | None = None
    problem: str | None = None


def read(line: str) -> Line:
    """Reads a line into settings and call; raises :class:`OptionError`."""
    found = scan(line)
    if found.problem:
        raise OptionError(found.problem)
    settings: dict[str, Any] = {}
    for option, flag, raw in found.given:
        if option.value == "names":
            settings[option.name] = (*settings.get(option.name, ()), *names(raw, flag))
        elif option.value == "python":
            settings[option.name] = {**settings.get(option.name, {}), **interpreter(raw, flag)}
        elif option.value == "address":
            settings[option.name] = (*settings.get(option.name, ()), converted(option, flag, raw))
        else:
            settings[option.name] = converted(option, flag, raw)
    call = line[found.rest :].strip().removesuffix(";").rstrip()
    misplaced = misplaced_option(call)
    if misplaced:
        behind = call[: call.rindex(misplaced)].rstrip() if call.count(misplaced) == 1 else "fn(x)"
        raise OptionError(f"the option {misplaced} stands behind the call; options come first: {misplaced} … {behind}")
    return Line(settings, call)


def names(raw: str, flag: str) -> tuple[str, ...]:
    """Splits ``"numba, jax"`` into its names; raises :class:`OptionError` where that cannot be."""
    found = tuple(part.strip() for part in raw.split(",") if part.strip())
    if not found:
        raise OptionError(f"{flag} needs one name or more, separated by commas, and got {raw!r}")
    odd = next((name for name in found if not re.fullmatch(r"[\w.:-]+", name)), None)
    if odd is not None:
        raise OptionError(f"{flag} takes names separated by commas, and {odd!r} is no name")
    return found


def interpreter(raw: str, flag: str) -> dict[str, str]:
    """Splits ``"jax=/path/to/python"``; raises :class:`OptionError` where that cannot be.

    >>> interpreter("jax=~/envs/jax", "--python")
    {'jax': '~/envs/jax'}
    """
    name, equals, path = raw.partition("=")
    if not (equals and name.strip() and path.strip()):
        told = f"{flag} takes a backend and its interpreter, e.g. {flag} jax=/path/to/python"
        raise OptionError(f"{told}, and got {raw!r}")
    return {name.strip(): path.strip()}


def scan(line: str) -> Scan:
    """Reads options from the left until something that is none; never raises."""
    given: list[tuple[Option, str, str]] = []
    position = _skip_space(line, 0)
    while line.startswith("-", position):
        end = _word_end(line, position)
        word = line[position:end]
        if word == "--":
            rest = _skip_space(line, end)
            return Scan(tuple(given), rest, "call" if end < len(line) else "option")
        flags, attached, problem = _flags(word)
        if problem:
            return Scan(tuple(given), position, "option" if end == len(line) else "call", None, problem)
        for flag in flags[:-1]:
            given.append((BY_FLAG[flag], flag, ""))
        flag, option = flags[-1], BY_FLAG[flags[-1]]
        if option.value is None:
            given.append((option, flag, ""))
            if end == len(line):
                return Scan(tuple(given), end, "option")
            position = _skip_space(line, end)
            continue
        if attached is None and end == len(line):
            return Scan(tuple(given), end, "option", None, _no_value(option, flag))
        start = _skip_space(line, end) if attached is None else end - len(attached)
        value, position, problem = _value(line, start, option, flag, attached is not None)
        if problem:
            at_value = start == len(line) or position == len(line)
            return Scan(tuple(given), position, "value" if at_value else "call", option if at_value else None, problem)
        given.append((option, flag, value))
        if position == len(line):
            return Scan(tuple(given), position, "value", option)
        position = _skip_space(line, position)
    return Scan(tuple(given), position, "space" if position == len(line) else "call")


def misplaced_option(call: str) -> str | None:
    """Finds an option behind the call: ``fn(x) -o`` would be a subtraction to Python.

    >>> misplaced_option("fn(x) --budget 5"), misplaced_option("fn(x, y -o)")
    ('--budget', None)
    """
    if not call or _is_call(call):
        return None
    for match in re.finditer(r"\)\s+(--?[A-Za-z]+)(?=[\s=]|$)", call):
        if match[1] in BY_FLAG and _is_call(call[: match.start() + 1]):
            return match[1]
    return None


def _is_call(text: str) -> bool:
    try:
        return isinstance(ast.parse(text, mode="eval").body, ast.Call)
    except (SyntaxError, ValueError):  # ValueError: a NUL character
        return False


def _skip_space(line: str, position: int) -> int:
    while position < len(line) and line[position].isspace():
        position += 1
    return position


def _word_end(line: str, position: int) -> int:
    while position < len(line) and not line[position].isspace():
        position += 1
    return position


def _flags(word: str) -> tuple[list[str], str | None, str | None]:
    """Splits one word into its flags, the value attached to the last of them, and what is wrong with it.

    ``--budget=5`` carries its value behind ``=``; ``-oq`` are two flags; ``-bnumba`` is ``-b numba``.
    """
    if word.startswith("--"):
        flag, equals, attached = word.partition("=")
        if flag not in BY_FLAG:
            return [], None, _unknown(flag)
        if equals and BY_FLAG[flag].value is None:
            return [], None, f"{flag} takes no value"
        return [flag], attached if equals else None, None
    flags: list[str] = []
    for index, letter in enumerate(word[1:], start=1):
        flag = "-" + letter
        if flag not in BY_FLAG:
            return [], None, _unknown(word)
        flags.append(flag)
        if BY_FLAG[flag].value is not None:
            attached = word[index + 1 :].removeprefix("=")
            return flags, attached if index + 1 < len(word) else None, None
    return (flags, None, None) if flags else ([], None, _unknown(word))


def _value(line: str, start: int, option: Option, flag: str, attached: bool) -> tuple[str, int, str | None]:
    """Reads an option's value from ``start``: a quoted text, or up to white space (a list goes on behind a comma)."""
    if start < len(line) and line[start] in "'\"":
        close = line.find(line[start], start + 1)
        if close < 0:
            return "", len(line), f"the quote that {flag} opens is not closed: {line[start:]}"
        return line[start + 1 : close], close + 1, None
    end = _word_end(line, start)
    while option.value in ("names", "sweep") and end < len(line):
        following = _skip_space(line, end)
        if not (line[end - 1] == "," or line.startswith(",", following)):
            break
        if following == len(line):
            end = following
            break
        end = _word_end(line, following)
    value = line[start:end]
    # A negative number is told apart further on, with the number in the message.
    if not value or (value.startswith("-") and not attached and option.value not in _NUMBERS):
        return "", start, _no_value(option, flag)
    return value, end, None


def converted(option: Option, flag: str, raw: str) -> Any:
    """Reads the value of an option; raises :class:`OptionError` where it is none."""
    if option.value is None:
        return True
    if option.value in _NUMBERS:
        words, example = _NUMBERS[option.value]
        try:
            return float(raw)
        except ValueError:
            raise OptionError(f"{flag} takes a number of {words}, e.g. {flag} {example}, and got {raw!r}") from None
    if option.value == "variable" and (not raw.isidentifier() or keyword.iskeyword(raw)):
        raise OptionError(f"{flag} takes the name of a variable, e.g. {flag} result, and got {raw!r}")
    if option.value == "count":
        try:
            number = float(raw)  # 1e6 is how people write a million
        except ValueError:
            number = 0.5
        if not number.is_integer() or number < 1:
            raise OptionError(f"{flag} takes a whole number from 1 on, e.g. {flag} 1000, and got {raw!r}")
        return int(number)
    if option.value == "choice" and raw not in option.choices:
        raise OptionError(f"{flag} takes {' or '.join(option.choices)}, and got {raw!r}")
    if option.name == "need":
        return (raw,)
    if option.value in ("argument", "batch"):
        try:
            return parse(option.name, raw).text.partition(" ")[2]
        except ValueError as error:
            raise OptionError(f"{flag}: {error}") from None
    if option.value == "sweep":
        try:
            return sizes.parse(raw).text
        except sizes.SweepError as error:
            raise OptionError(f"{flag}: {error}") from None
    if option.value == "address":
        try:
            return address.parse(raw).text
        except ValueError as error:
            raise OptionError(f"{flag}: {error}") from None
    return raw


def _no_value(option: Option, flag: str) -> str:
    example = {
        "names": "cpu" if option.name == "devices" else "numba,jax", "variable": "result",
        **{value: example for value, (_, example) in _NUMBERS.items()},
        "python": "jax=/path/to/python", "sweep": "n=1e3:1e7:9", "path": "results/", "count": "1000",
        "address": "ssh://host",
        "argument": "x", "batch": "x:0",
    }  # fmt: skip
    return f"{flag} needs a value, e.g. {flag} {option.choices[0] if option.choices else example[option.value or '']}"


def _unknown(word: str) -> str:
    close = difflib.get_close_matches(word, BY_FLAG, n=1)
    if close:
        return f"there is no option {word}; is {close[0]} meant?"
    return f"there is no option {word}; the options are {', '.join(BY_FLAG)}"
