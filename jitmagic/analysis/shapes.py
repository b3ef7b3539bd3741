"""Which arguments of NumPy's functions and methods decide the shape of the result.

>>> import ast

from jitmagic.analysis.words import words
>>> call = ast.parse("np.linspace(a, b, n)", mode="eval").body
>>> [argument.id for argument in shape_arguments("numpy.linspace", call)]
['n']
"""

from __future__ import annotations

import ast

from jitmagic.analysis.words import words

_POSITIONS: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "zeros": ((0,), ("shape",)),
    "ones": ((0,), ("shape",)),
    "empty": ((0,), ("shape",)),
    "full": ((0,), ("shape",)),
    "eye": ((0, 1), ("N", "M")),
    "identity": ((0,), ("n",)),
    "tri": ((0, 1), ("N", "M")),
    "indices": ((0,), ("dimensions",)),
    "arange": ((0, 1, 2), ("start", "stop", "step")),
    "linspace": ((2,), ("num",)),
    "logspace": ((2,), ("num",)),
    "geomspace": ((2,), ("num",)),
    "reshape": ((1,), ("shape", "newshape")),
    "broadcast_to": ((1,), ("shape",)),
    "resize": ((1,), ("new_shape",)),
    "tile": ((1,), ("reps",)),
    "repeat": ((1,), ("repeats",)),
    "pad": ((1,), ("pad_width",)),
    "bincount": ((2,), ("minlength",)),
    "histogram": ((), ()),
    "split": ((1,), ("indices_or_sections",)),
    "array_split": ((1,), ("indices_or_sections",)),
    "vander": ((1,), ("N",)),
    "diff": ((1,), ("n",)),
    "hanning": ((0,), ("M",)),
    "hamming": ((0,), ("M",)),
    "blackman": ((0,), ("M",)),
    "bartlett": ((0,), ("M",)),
    "kaiser": ((0,), ("M",)),
    "tril_indices": ((0,), ("n",)),
    "triu_indices": ((0,), ("n",)),
    "fft.fft": ((1,), ("n",)),
    "fft.ifft": ((1,), ("n",)),
    "fft.rfft": ((1,), ("n",)),
    "fft.irfft": ((1,), ("n",)),
    "fft.fftfreq": ((0,), ("n",)),
    "fft.rfftfreq": ((0,), ("n",)),
    "diag": ((1,), ("k",)),
}
_METHODS = {"repeat": ((0,), ("repeats",)), "resize": ((0, 1, 2, 3), ())}

DATA_SHAPED = words(
    "nonzero flatnonzero argwhere unique compress extract union1d intersect1d setdiff1d setxor1d trim_zeros delete "
    "unique_values unique_counts unique_inverse unique_all bincount repeat"
)
"""Functions whose result has a shape that depends on the contents of their arguments."""

SAME_SHAPE = words("sort argsort cumsum cumprod roll flip fliplr flipud")
"""Functions whose result has the shape (up to raveling) of their first argument, whatever the others are."""


def shape_arguments(path: str, call: ast.Call) -> list[ast.expr]:
    """Returns the arguments of a call that decide its result's shape; a method's path is its name after a dot."""
    if path == ".reshape":
        return [*call.args, *(k.value for k in call.keywords if k.arg == "shape")]
    if path.startswith("."):
        positions, keywords = _METHODS.get(path[1:], ((), ()))
    else:
        positions, keywords = _POSITIONS.get(path.removeprefix("numpy."), ((), ()))
        if not path.startswith("numpy."):
            return []
    found = [call.args[p] for p in positions if p < len(call.args) and not isinstance(call.args[p], ast.Starred)]
    return found + [keyword.value for keyword in call.keywords if keyword.arg in keywords]
