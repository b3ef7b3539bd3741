"""Turns torch's exceptions into one sentence about the user's line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jitmagic.backends.protocol import Draft, Failure
from jitmagic.errors import Refusal


@dataclass(frozen=True)
class _Rule:
    """What a message means: a pattern in the type and message, the reason, the gotcha that explains it."""

    pattern: str
    reason: str
    code: str | None = None


_RULES = (
    _Rule(
        r"Data-dependent|data-dependent|GuardOnDataDependent",
        "a branch, an index or a length depends on an array's value, which torch.compile cannot follow",
        "PT-DYNBREAK",
    ),
    _Rule(
        r"Dynamic shape operator|nonzero|data dependent operator",
        "the shape of a result depends on data, which torch.compile cannot follow",
        "PT-DYNBREAK",
    ),
    _Rule(
        r"Tensor\.item|\.item\(\)|aten\._local_scalar_dense",
        "an array's value is brought into Python, where torch.compile breaks the graph",
        "PT-DYNBREAK",
    ),
    _Rule(
        r"InvalidCxxCompiler|CppCompileError|No working C\+\+ compiler",
        "torch.compile needs a C++ compiler on the CPU: install g++, Xcode's tools or Visual Studio's",
    ),
    _Rule(
        r"some elements of the input tensor",
        "an array is written while an overlapping view of it is read: copy the right side",
        "PT-OVERLAP",
    ),
    _Rule(
        r"result type (\w+) can't be cast to",
        "an in-place operation would change the array's dtype",
        "PT-INPLACEDT",
    ),
    _Rule(
        r"expected .* same dtype|expected scalar type|must have the same dtype|dtypes match",
        "two arrays of different dtypes meet in an operation that wants one dtype: convert one",
        "PT-MIXED",
    ),
    _Rule(
        r"not implemented for '?\w*(Long|Int|Bool|Short|Byte|Char|Half)",
        "torch has this operation for floating-point numbers alone: `.astype(float)` first",
        "PT-MIXED",
    ),
    _Rule(
        r"step must be greater than zero|negative (step|strides)",
        "an array is sliced backwards, which torch does not have",
        "PT-NEGSTRIDE",
    ),
    _Rule(
        r"quantile\(\) input tensor is too large",
        "torch takes quantiles of at most 16 million elements",
        "PT-QUANT",
    ),
    _Rule(
        r"doesn't support float64",
        "this device has no float64",
        "PT-MPS64",
    ),
    _Rule(
        r"out of memory",
        "the device's memory is too small for this size",
    ),
    _Rule(
        r"ZeroDivisionError",
        "integers are divided by zero, which torch raises on and NumPy does not",
        "PT-INT0",
    ),
    _Rule(
        r"can't assign a|can't convert",
        "a list is used where torch wants an array: make an array of it first",
        "PT-MIXED",
    ),
)


def explain(draft: Draft, failure: Failure) -> Refusal:
    """Returns why a draft failed, at the user's line.

    >>> from jitmagic.capture.workload import ModuleText
    >>> draft = Draft("torch", "torch", "eager", "array", ModuleText("a\\nb\\n", (None, 7)), "fn")
    >>> explain(draft, Failure("run", "RuntimeError", "CUDA out of memory. Tried to …", 2)).reason
    "line 7: the device's memory is too small for this size"
    """
    line = draft.module.origin_line(failure.line) or _line_in_message(draft, failure)
    where = "" if line is None else f"line {line}: "
    for rule in _RULES:
        if re.search(rule.pattern, f"{failure.type}: {failure.message}"):
            return Refusal(f"{where}{rule.reason}", line, rule.code)
    unsupported = failure.type.startswith("torch._dynamo") or any("Unsupported" in name for name in failure.classes)
    if unsupported:
        return Refusal(
            f"{where}torch.compile cannot take the function as one graph: {_first_line(failure)}", line, "PT-DYNBREAK"
        )
    return Refusal(f"{where}torch raised {failure.type.rpartition('.')[2]}: {_first_line(failure)}", line)


def _first_line(failure: Failure) -> str:
    lines = [text.strip() for text in failure.message.splitlines() if text.strip()]
    return (lines[0] if lines else "no message")[:300]


def _line_in_message(draft: Draft, failure: Failure) -> int | None:
    """Finds the line that dynamo names in its text: the last frame in the draft's own lines."""
    found = None
    for match in re.finditer(r'File "<[^"]*>", line (\d+)', failure.message):
        found = draft.module.origin_line(int(match.group(1))) or found
    return found
