"""Turns Numba's errors into one plain sentence with the user's line."""

from __future__ import annotations

import ast
import re

import numpy as np

from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import SourceTree
from jitmagic.backends.protocol import Draft, Failure
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal
from jitmagic.observe.facts import Span

_PLACE = re.compile(r'(?:File "[^"]*", line |<[^<>]*> \()(\d+)')
# (pattern in Numba's message, sentence, gotcha); groups of the pattern fill the sentence in
_CAUSES: tuple[tuple[str, str, str], ...] = (
    (r"unsupported NumPy function '([\w.]+)'", "Numba has no `{0}`", "NB-NOFUNC"),
    (r"Unknown attribute '(\w+)' of type Module\(<module '([\w.]+)'", "Numba has no `{1}.{0}`", "NB-NOFUNC"),
    (
        r"Untyped global name '(\w+)'.*[Cc]annot determine Numba type of <class 'function'>",
        "Numba cannot compile a call to the plain Python function `{0}`",
        "NB-CALLS",
    ),
    (r"Untyped global name '(\w+)'.*(?:NameError|is not defined)", "the name `{0}` is not known to Numba", "NB-CALLS"),
    (r"Untyped global name '(\w+)'", "Numba cannot use the global `{0}`", "NB-CALLS"),
    (r"Cannot determine Numba type of <class '([\w.]+)'>", "Numba knows no values of type `{0}`", "NB-DTYPE"),
    (
        r"[Cc]annot unify ([^\n]+?) and ([^\n]+?) for '\$[\w.$]+'",
        "a value is {0} on one path and {1} on another, and Numba wants one type",
        "NB-UNIFY",
    ),
    (
        r"[Cc]annot unify ((?:Literal\S+|int|float|complex)[^\n]*?) and (array[^\n]+?) for '(\w+)[\w.]*'",
        "`{2}` begins as a number, {0}, and becomes {1}, whose shape was not proved before: begin with an array, such "
        "as `np.zeros(shape)`",
        "NB-UNIFY",
    ),
    (
        r"[Cc]annot unify ([^\n]+?) and ([^\n]+?) for '(\w+)[\w.]*'",
        "`{2}` is {0} on one path and {1} on another, and Numba wants one type",
        "NB-UNIFY",
    ),
    (
        r"Can't unify return type from the following types: ([^\n]+)",
        "the function returns different types ({0}), and Numba wants one",
        "NB-UNIFY",
    ),
    (
        r"\b(?:dot|matmul)\(array\(u?int|unsupported dtype for <BLAS function>",
        "Numba multiplies matrices of floats only: use `.astype(np.float64)`",
        "NB-F32LINALG",
    ),
    (
        r"Sizes of [^\n]* do not match",
        "Numba's parallel mode takes axes for equal that NumPy would stretch",
        "NB-PAR-BROADCAST",
    ),
    (
        r"(\w+)\(\) argument must not cause a domain change",
        "Numba's `{0}` of a real matrix gives no complex numbers, as it has to here: pass `.astype(np.complex128)`",
        "NB-UNIFY",
    ),
    (r"([^\n]*f-strings? not supported[^\n.]*)", "Numba: {0}", "NB-SYNTAX"),
    (
        r">>> getitem\((Tuple\([^\n]*\)), int64\)",
        "the values of a tuple with several types ({0}) are taken by a computed index, and Numba wants to know which "
        "when it compiles: use numbers as indices, or an array",
        "NB-UNIFY",
    ),
    (
        r"DictType\[undefined",
        "Numba does not see what this dict holds: store something in it in the same function before it is read, or use "
        "an array",
        "NB-UNIFY",
    ),
    (
        r"No implementation of function Function\(<(?:built-in )?(?:function|ufunc) '?(\w+)[^\n]*\n?[^>]*"
        r">>> (\w+\([^\n]*\))",
        "Numba's `{0}` does not take these arguments: {1}",
        "NB-AXIS",
    ),
    (r"Unknown attribute '(\w+)' of type ([^\n]+)", "Numba has no `.{0}` of {1}", "NB-NOFUNC"),
    (r"got an unexpected keyword argument '(\w+)'", "Numba's form of this call takes no `{0}=`", "NB-AXIS"),
    (r"unsupported keyword arguments when calling ([^\n]+)", "Numba takes no keywords in this call of {0}", "NB-AXIS"),
    (r"reflected list|list\(undefined\)|cannot reflect", "Numba cannot take this list: use an array", "NB-REFLIST"),
    (r"The use of '?(\w+)'? is not supported", "Numba does not support `{0}`", "NB-SYNTAX"),
    (
        r"Use of unsupported opcode \(UNPACK_EX\)",
        "Numba does not unpack into a starred name: take the parts by index and slice",
        "NB-SYNTAX",
    ),
    (
        r"use of yield in a closure",
        "Numba has no generator expressions: write a list, or a loop",
        "NB-SYNTAX",
    ),
    (r"Use of unsupported opcode \((\w+)\)", "Numba cannot compile the Python instruction {0} here", "NB-SYNTAX"),
    (
        r"Unsupported Python exception|unsupported exception|Exception matching is limited",
        "Numba catches only `except:` and `except Exception:`",
        "NB-EXC",
    ),
)


def explain(draft: Draft, failure: Failure, workload: Workload) -> Refusal:
    """Returns the reason of a failure in one sentence, at the user's line.

    Parameters
    ----------
    draft : Draft
    failure : Failure
        Its ``line`` and the lines in its message are lines of ``draft.module.text``.
    workload : Workload
    """
    line = _line(draft, failure)
    where = f"line {line}: " if line is not None else ""
    message = failure.message.replace("\x1b[1m", "").replace("\x1b[0m", "")
    message = re.sub(r"\x1b\[[0-9;]*m", "", message)
    for pattern, sentence, code in _CAUSES:
        match = re.search(pattern, message, re.DOTALL if ".*" in pattern else 0)
        if match is not None:
            return Refusal(where + sentence.format(*(g.strip() for g in match.groups())), line, code)
    if failure.type.endswith("AssertionError"):
        return Refusal(where + "Numba failed inside its compiler on this function", line, "NB-TS")
    kind = failure.type.rsplit(".", 1)[-1]
    return Refusal(f"{where}Numba could not compile this ({kind}): {_first_cause(message)}", line, None)


def _line(draft: Draft, failure: Failure) -> int | None:
    found = draft.module.origin_line(failure.line)
    # the last place named is the innermost: Numba lists the way to it first
    for number in reversed(_PLACE.findall(failure.message)):
        origin = draft.module.origin_line(int(number))
        if origin is not None:
            return origin
    return found


def _first_cause(message: str) -> str:
    """Returns the first line that says something of the user's code."""
    for raw in message.splitlines():
        text = raw.strip()
        if text and not text.startswith(("Failed in nopython", "During:", "File ", "-", "<source")):
            return text[:200].rstrip(".")
    return (message.strip().splitlines() or ["no message"])[0][:200]


_CALLEES = (
    r"unsupported NumPy function '(?:[\w.]*\.)?(\w+)'",
    r"Unknown attribute '(\w+)' of type (?:Module|array|\w*Array)",
    r"No implementation of function Function\(<(?:built-in )?(?:function|ufunc) '?(\w+)",
    r"Use of unsupported NumPy function '(?:[\w.]*\.)?(\w+)'",
)


def refused_calls(draft: Draft, failure: Failure, workload: Workload) -> frozenset[Span]:
    """Returns the places of the NumPy calls that Numba's typing refuses, as far as its message tells.

    Where it names a line only, all calls there that are more than arithmetic are meant.
    """
    if failure.stage not in ("check", "run") or not failure.type.startswith("numba."):
        return frozenset()
    line = _line(draft, failure)
    if line is None:
        return frozenset()
    message = re.sub(r"\x1b\[[0-9;]*m", "", failure.message)
    named = {name for pattern in _CALLEES for name in re.findall(pattern, message)}
    tree = SourceTree(workload.module.text, workload.function.name)
    names = Names(tree, workload.names)
    found: dict[str, list[Span]] = {}
    for node in ast.walk(tree.module):
        if not isinstance(node, ast.Call) or workload.module.origin_line(node.lineno) != line:
            continue
        path = names.path(node.func) or ""
        if path.startswith("numpy.random."):
            continue
        if path.startswith(("numpy.", "scipy.")):
            member = getattr(np, path.removeprefix("numpy."), None)
            if isinstance(member, np.ufunc | type):
                continue
            found.setdefault(path.rsplit(".", 1)[-1], []).append(tree.span(node))
        elif isinstance(node.func, ast.Attribute) and node.func.attr in named:
            found.setdefault(node.func.attr, []).append(tree.span(node))
    chosen = {name: spans for name, spans in found.items() if name in named} or found
    return frozenset(span for spans in chosen.values() for span in spans)
