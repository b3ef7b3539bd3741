"""Names, numbers and casts as C++ writes them."""

from __future__ import annotations

import math

from jitmagic.analysis.words import words
from jitmagic.backends.cuda.types import JOINS, KEEPS, ROUNDED, TESTS, is_complex, real_part_of

CTYPES = {
    "bool": "bool", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long long",
    "uint8": "unsigned char", "uint16": "unsigned short", "uint32": "unsigned int", "uint64": "unsigned long long",
    "float32": "float", "float64": "double", "complex64": "complex64", "complex128": "complex128",
}  # fmt: skip

_RESERVED = (KEEPS | JOINS | TESTS | ROUNDED) - words("gamma degrees radians deg2rad rad2deg") | words(
    "alignas alignof and asm auto bool break case catch char class const constexpr continue decltype default delete do "
    "double else enum explicit export extern false float for friend goto if inline int long mutable namespace new "
    "noexcept nullptr operator or private protected public register return short signed sizeof static struct switch "
    "template this throw true try typedef typename union unsigned using virtual void volatile while xor threadIdx "
    "blockIdx blockDim gridDim power wrapped floor_div floor_mod smaller larger minimum maximum absolute abs pow "
    "tgamma Complex complex64 complex128 conj arg has_nan has_inf is_finite"
)
"""What C++ or what is written here calls something else."""


def cname(name: str) -> str:
    """Returns a name that C++ leaves free.

    >>> cname("x"), cname("double"), cname("π")
    ('x', 'double_', 'u3c0')
    """
    plain = "".join(letter if letter.isascii() else f"u{ord(letter):x}" for letter in name)
    return f"{plain}_" if plain in _RESERVED else plain


def literal(value: object) -> str:
    """Returns a number in C++.

    >>> literal(3), literal(0.1), literal(1e30), literal(True), literal(2j)
    ('3LL', '0.1', '1e+30', 'true', 'complex128(0.0, 2.0)')
    >>> literal(math.inf), literal(math.nan)  # NVRTC has no INFINITY and no NAN without a header
    ('(1.0 / 0.0)', '(0.0 / 0.0)')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}LL"
    if isinstance(value, complex):
        return f"complex128({literal(value.real)}, {literal(value.imag)})"
    assert isinstance(value, float)
    if math.isinf(value):
        return "(1.0 / 0.0)" if value > 0 else "(-1.0 / 0.0)"
    return "(0.0 / 0.0)" if math.isnan(value) else repr(value)


def short(left: str, right: str) -> tuple[str, str]:
    """Leaves the suffix of a small number away where the other side is 64 bits wide anyway.

    >>> short("i", "1LL"), short("2LL", "3LL")
    (('i', '1'), ('2LL', '3LL'))
    """

    def plain(text: str, other: str) -> str:
        small = text.endswith("LL") and text[:-2].isdigit() and len(text) < 11
        return text[:-2] if small and not other.endswith("LL") else text

    return plain(left, right), plain(right, left)


def cast(text: str, given: str, wanted: str) -> str:
    """Returns a number of one dtype as one of another, e.g. ``(double)n`` and ``2.0`` for ``2LL``."""
    if given == wanted:
        return text
    if is_complex(wanted):
        part = cast(text, given, real_part_of(wanted)) if not is_complex(given) else text
        return f"{CTYPES[wanted]}({part[1:-1] if part.startswith('(') and closes(part) else part})"
    if wanted == "float64" and text.endswith("LL") and text[:-2].isdigit() and len(text) < 17:
        return f"{text[:-2]}.0"
    if wanted == "bool":
        return f"({factor(text)} != 0)"
    return f"({CTYPES[wanted]}){factor(text)}"


def factor(text: str) -> str:
    """Puts parentheses around what an operator would tear apart."""
    simple = all(letter.isalnum() or letter in "_." for letter in text)
    whole = text.startswith("(") and closes(text)
    opening = {")": "(", "]": "["}.get(text[-1:], "")
    name = text.partition(opening)[0] if opening else ""
    called = name.replace("_", "").isalnum() and closes(text[len(name) :])
    return text if simple or whole or called else f"({text})"


def closes(text: str) -> bool:
    """Says whether the first bracket closes at the end."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0:
            return place == len(text) - 1
    return False
