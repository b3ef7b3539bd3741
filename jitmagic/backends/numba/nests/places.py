"""The places of extremes in a nest, `np.argmin(d2, axis=1)`: one variable for the extreme so far, one for its place."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst
import numpy as np

from jitmagic.backends.numba.nests.scans import extreme
from jitmagic.backends.numba.rewrites.elements import ElementRewriter, axes_of, is_usable

_OPERATORS = {"argmax": ">", "argmin": "<"}


@dataclass(frozen=True)
class Place:
    """A search for the first extreme along an axis.

    Attributes
    ----------
    name : str
        `argmax` or `argmin`.
    source : libcst expression
    dtype : str
        Of the source.
    axis : int
    """

    name: str
    source: cst.BaseExpression
    dtype: str
    axis: int

    def start(self, best: str, place: str) -> str:
        """Returns the lines before the first element."""
        return f"{best} = {extreme(_OPERATORS[self.name], self.dtype)}\n{place} = 0"

    def step(self, best: str, place: str, element: str, index: str) -> str:
        """Returns the lines for an element, which has to be a name: of several NaN the first one stays, as in NumPy."""
        odd = f" or ({element} != {element} and {best} == {best})" if np.dtype(self.dtype).kind == "f" else ""
        test = f"if {element} {_OPERATORS[self.name]} {best}{odd}:"
        return f"{test}\n    {best} = {element}\n    {place} = {index}"

    def check(self, length: str) -> str:
        """Returns the lines that refuse an axis without elements, as NumPy does."""
        said = f"attempt to get {self.name} of an empty sequence"
        return f'if {length} == 0:\n    raise ValueError("{said}")'


def place_of(owner: ElementRewriter, node: cst.CSTNode) -> Place | None:
    """Reads `np.argmax(x, axis=1)` and `x.argmax(1)`; None for anything else, and where the axis is not written out."""
    if not isinstance(node, cst.Call) or any(a.star for a in node.args):
        return None
    plain = [a.value for a in node.args if a.keyword is None]
    named = {a.keyword.value: a.value for a in node.args if a.keyword is not None}
    path, func = owner.path(node.func), node.func
    if path is None and isinstance(func, cst.Attribute) and owner.is_array(func.value):
        name, source, rest = func.attr.value, func.value, plain
    elif path is not None and path.startswith("numpy.") and plain:
        name, source, rest = path.removeprefix("numpy."), plain[0], plain[1:]
    else:
        return None
    if name not in _OPERATORS or set(named) - {"axis"} or len(rest) + len(named) > 1:
        return None
    fact, result = owner.fact(source), owner.fact(node)
    if fact is None or result is None or not is_usable(fact) or result.dtype != "int64":
        return None
    assert fact.shape is not None
    assert fact.dtype is not None
    axes = axes_of(named.get("axis", rest[0] if rest else None), len(fact.shape))
    if axes is None or len(axes) != 1 or np.dtype(fact.dtype).kind not in "fiu":
        return None
    return Place(name, source, fact.dtype, axes[0])
