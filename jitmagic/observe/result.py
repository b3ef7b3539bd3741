"""Says why a result cannot be compared with what other libraries return."""

from __future__ import annotations

import types
from typing import Any

from jitmagic.errors import Refusal

_CODE = types.FunctionType | types.BuiltinFunctionType | types.MethodType
_ONCE = (types.GeneratorType, types.AsyncGeneratorType, types.CoroutineType, map, filter, zip)
_INSTEAD = "return arrays and numbers, or a tuple, list or dict of them"


def refuse_result(value: Any, path: str = "its result") -> Refusal | None:
    """Returns why a value cannot be compared, None where nothing speaks against it.

    >>> refuse_result([1, 2**64]).reason
    'its result[1] is the integer 18446744073709551616, which does not fit the 64 bits in which every backend computes'
    """
    if type(value) is int and not -(2**63) <= value < 2**64:
        shown = str(value) if value.bit_length() < 200 else f"of {value.bit_length()} bits"
        return Refusal(f"{path} is the integer {shown}, which does not fit the 64 bits in which every backend computes")
    if isinstance(value, _CODE):
        return Refusal(f"{path} is a function: {_INSTEAD}")
    if isinstance(value, _ONCE):
        return Refusal(f"{path} is a {type(value).__name__}, which can be read only once: {_INSTEAD}")
    if type(value) in (tuple, list, dict):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            refusal = refuse_result(item, f"{path}[{key!r}]")
            if refusal is not None:
                return refusal
    return None


def unsent(value: Any, error: Exception) -> Refusal:
    """Words that a result could not be sent to the other processes."""
    name = type(value).__name__
    return Refusal(f"its result, of type {name}, cannot be sent to another process ({error}): {_INSTEAD}")
