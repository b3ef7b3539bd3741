"""The types of an example's arguments, as Pythran's export comments spell them.

>>> import numpy as np
>>> type_of("x", np.zeros((2, 3))), type_of("x", np.zeros((2, 3), np.float32, order="F")), type_of("n", 3)
('float64[:, :]', 'float32[:, :] order(F)', 'int')
"""

from __future__ import annotations

import numpy as np

_KINDS = "biufc"
_SCALARS = {bool: "bool", int: "int", float: "float", complex: "complex", str: "str", type(None): "None"}


class NoType(Exception):
    """Something has no type in an export; the text is for the user."""

    def __init__(self, text, line=None):
        super().__init__(text)
        self.line = line


def type_of(name, value):
    """Returns a value's type; raises NoType where Pythran has none."""
    if isinstance(value, np.ndarray):
        return _array(name, value)
    if isinstance(value, np.generic) and value.dtype.kind in _KINDS:
        return value.dtype.name
    if type(value) in _SCALARS:
        return _SCALARS[type(value)]
    if isinstance(value, tuple) and value:
        return f"({', '.join(type_of(name, one) for one in value)})"
    if isinstance(value, list) and value:
        found = {type_of(name, one) for one in value}
        if len(found) == 1:
            return f"{found.pop()} list"
    raise NoType(f"its argument {name} ({type(value).__name__}) has no type that Pythran can be told")


def _array(name, value):
    if value.dtype.kind not in _KINDS or value.dtype.name in ("float16", "longdouble", "clongdouble"):
        raise NoType(f"its argument {name} has the dtype {value.dtype}, which Pythran does not know")
    if not value.dtype.isnative:
        raise NoType(f"its argument {name} is not in the machine's byte order")
    if value.ndim == 0:
        raise NoType(f"its argument {name} is an array without axes, which Pythran takes for a number")
    axes = ", ".join(":" * value.ndim)
    if value.flags.c_contiguous:
        return f"{value.dtype.name}[{axes}]"
    if value.ndim == 2 and value.flags.f_contiguous:
        return f"{value.dtype.name}[{axes}] order(F)"
    if value.ndim == 1:
        return f"{value.dtype.name}[::]"
    raise NoType(f"its argument {name} has strides: pass np.ascontiguousarray({name})")
