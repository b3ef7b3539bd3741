"""What NumPy's functions, methods and attributes do with memory: which return views, which copy, which write.

The one table of its kind: aliases, effects, purity of calls and the rewriting of stores all read it. Held against NumPy
itself by its test: whatever returns memory of its argument there is listed here.

>>> "ravel" in VIEW_FUNCTIONS, "sort" in WRITING_METHODS, "conj" in COPY_METHODS
(True, True, False)
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from typing import Any

import numpy as np

from jitmagic.analysis.words import words

_CONVERSIONS = words(
    "bool bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 intp uintp long ulong longlong ulonglong int_ uint "
    "float16 float32 float64 half complex64 complex128 longdouble clongdouble cdouble csingle"
)
# np.float64(a) is `a` itself where it has that dtype

VIEW_FUNCTIONS = _CONVERSIONS | words(
    "reshape ravel transpose permute_dims matrix_transpose swapaxes moveaxis rollaxis squeeze expand_dims broadcast_to "
    "broadcast_arrays asarray asanyarray ascontiguousarray asfortranarray asarray_chkfinite asmatrix require "
    "atleast_1d atleast_2d atleast_3d diagonal diag real imag flip fliplr flipud rot90 split array_split vsplit hsplit "
    "dsplit unstack trim_zeros real_if_close einsum ix_ nditer frombuffer from_dlpack ndarray diff histogram "
    "histogram_bin_edges histogram2d histogramdd polyint polyder linalg.diagonal linalg.matrix_transpose "
    "linalg.matrix_power lib.stride_tricks.as_strided lib.stride_tricks.sliding_window_view"
)
"""Functions of NumPy whose result may share memory with an argument, some for special values only (``diff`` of n=0)."""

SAME_FUNCTIONS = words("asarray asanyarray ascontiguousarray asfortranarray require")
"""Those of them whose result may be the very argument."""

VIEW_METHODS = words("reshape ravel view transpose swapaxes squeeze diagonal getfield conj conjugate")
"""Methods of arrays whose result may share memory with the array and with nothing else (``astype(copy=False)`` too)."""

SEVERAL_VIEWED = words("broadcast_arrays atleast_1d atleast_2d atleast_3d ix_ nditer ndarray")
"""The view functions that may return memory of an argument other than the first."""

BINS_VIEWED = {"histogram": 1, "histogram_bin_edges": 1, "histogramdd": 1, "histogram2d": 2}
"""The view functions that return the ``bins`` they were given, and where these stand."""

COPIES_FROM_TWO = {"diff": "n", "linalg.matrix_power": "n", "polyint": "m", "polyder": "m"}
"""View functions that copy where their second argument, of this name, is left out or a number of at least two."""

COPY_METHODS = words(
    "copy flatten tolist tobytes item sum mean std var min max prod cumsum cumprod any all argmax argmin argsort "
    "argpartition dot round clip take repeat nonzero trace ptp searchsorted choose compress"
)
"""Methods of arrays that return new memory and change nothing."""

GENERATOR_METHODS = words(
    "random normal standard_normal uniform integers choice permutation permuted poisson exponential gamma beta "
    "binomial multinomial lognormal laplace logistic pareto rayleigh triangular vonmises weibull zipf geometric "
    "standard_exponential standard_gamma standard_t standard_cauchy multivariate_normal dirichlet chisquare gumbel "
    "hypergeometric negative_binomial bytes spawn randint rand randn random_sample gauss"
)
"""Methods of ``numpy.random.Generator``, ``RandomState`` and ``random.Random`` that draw."""

PLAIN_METHODS = words("count index format join split strip replace lower upper startswith endswith")
"""Methods of Python's strings and sequences that return plain values."""

VIEW_ATTRIBUTES = frozenset({"T", "mT", "real", "imag", "flat", "data", "base"})
"""Attributes that give another view of the same memory."""

PLAIN_ATTRIBUTES = frozenset({"shape", "ndim", "size", "dtype", "itemsize", "nbytes", "strides", "flags"})
"""Attributes that tell of an array and hold none of it."""

WRITING_FUNCTIONS = words("copyto put place putmask fill_diagonal put_along_axis random.shuffle")
"""Functions of NumPy that write into their first argument."""

WRITING_METHODS = words("sort fill resize put partition itemset setfield byteswap setflags")
"""Methods that change the array they are called on."""

CONTAINER_METHODS = words(
    "append extend insert remove pop clear reverse update add discard popitem setdefault appendleft popleft shuffle"
)
"""Methods that change the list, dict, set or deque they are called on."""

HOLDING_METHODS = words("append extend insert add appendleft setdefault update")
"""Those of them after which the container holds their arguments."""

_METHOD_OUTPUTS = {
    1: words("all any argmax argmin max min ptp dot round choose"),
    2: words("sum prod cumsum cumprod mean std var clip take compress"),
    4: words("trace"),
}


def outputs_of(call: ast.Call, path: str | None) -> list[ast.expr]:
    """Returns the arguments, named or not, into which a call of NumPy or of an array's method writes its result.

    Parameters
    ----------
    call : ast.Call
    path : str or None
        What is called, e.g. ``"numpy.add"``; None for a method.

    >>> [output.id for output in outputs_of(ast.parse("np.add(a, b, c)", mode="eval").body, "numpy.add")]
    ['c']
    """
    found: list[ast.expr] = []
    for keyword in call.keywords:
        if keyword.arg == "out":
            found += keyword.value.elts if isinstance(keyword.value, ast.Tuple) else [keyword.value]
    if path is not None:
        position = _output_position(path)
    else:
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        position = next((number for number, names in _METHOD_OUTPUTS.items() if method in names), None)
    return found + (call.args[position:] if position is not None else [])


@cache
def _output_position(path: str) -> int | None:
    """Returns where among the positional arguments a function of NumPy takes ``out``, None where it takes none so."""
    head, *rest = path.split(".")
    function: Any = np
    for name in rest if head == "numpy" else ["none"]:
        function = getattr(function, name, None)
    if isinstance(function, np.ufunc):
        return int(function.nin)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return {"numpy.dot": 2, "numpy.concatenate": 2}.get(path)  # written in C, without a signature
    return next(
        (place for place, one in enumerate(parameters) if one.name == "out" and one.kind is one.POSITIONAL_OR_KEYWORD),
        None,
    )
