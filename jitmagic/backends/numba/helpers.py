"""Source of the small functions that a draft carries where Numba lacks a NumPy form.

Each text holds ``{name}`` for the helper's name and ``{np}`` for the module's name of NumPy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from jitmagic.analysis.words import words

VARIANCE = """
@njit(error_model="numpy")
def {name}(x, ddof):
    # two passes with float64 accumulators, as np.var makes them
    mean = {np}.sum(x, dtype={np}.float64) / x.size
    total = 0.0
    for value in x.flat:
        total += (value - mean) ** 2
    return total / (x.size - ddof)
"""

MEAN = """
@njit(error_model="numpy")
def {name}(x):
    # with a wide accumulator: Numba's own mean of float32 adds in float32
    return {np}.sum(x, dtype={np}.{wide}) / x.size
"""

FIRST_EXTREMUM = """
@njit(error_model="numpy")
def {name}(x):
    # np.{reduction} of one axis: the first of the {word}, or of what is not a number; Numba's own takes twice as long
    if x.size == 0:
        raise ValueError("attempt to get {reduction} of an empty sequence")
    at, best = 0, x[0]
    for i in range(x.size):
        if not x[i] {sign} best:
            at, best = i, x[i]
            if best != best:
                break
    return at
"""


SERIAL = """
@njit(error_model="numpy")
def {name}(x):
    # compiled without parallel=True, which would pass over NaN
    return x.{reduction}()
"""


MEDIAN = """
@njit(error_model="numpy")
def {name}(x):
    # NaN where there is one, as in NumPy: Numba's own median leaves it anywhere among the others
    for value in x.flat:
        if value != value:
            return value
    return {np}.median(x)
"""


_VECTOR_PRODUCT = """
@njit(error_model="numpy", fastmath={"reassoc", "contract"})
def {name}(x, y):
    # np.dot(x, y), added up in any order as BLAS does: a call of BLAS takes longer
    if x.shape != y.shape:
        raise ValueError("shapes not aligned")
    total = {np}.float64(0)
    for i in range(x.shape[0]):
        total += x[i] * y[i]
    return {result}
"""

VECTOR_PRODUCT = {
    "float64": _VECTOR_PRODUCT.replace("{result}", "total"),
    "float32": _VECTOR_PRODUCT.replace("{result}", "{np}.float32(total)"),
}
"""Source of ``np.dot(x, y)`` for two vectors of a dtype."""


PLUS = """
@njit(error_model="numpy", fastmath={"reassoc"})
def {name}(total, x):
    # one more number of a sum that may be made in any order, as np.sum makes it
    return total + x
"""

_VECTORS = frozenset({"{np}.sqrt", "{np}.abs", "{np}.absolute", "{np}.square", "{np}.float64", "{np}.float32", "abs"})
"""Functions that the compiler applies to several numbers at once."""

_MANY = 16
"""Numbers from which a sum is worth the processor's vectors."""


def in_any_order(element: str, dtype: str, lengths: Iterable[int | None], np: str) -> bool:
    """Says whether a sum is made faster in another order: one that keeps the processor's vectors busy.

    Parameters
    ----------
    element : str
        The source of what is added up.
    dtype : str
        Of what is added up.
    lengths : iterable of (int or None)
        How many numbers there were along each axis that is added up.
    np : str
        The module's name of NumPy.
    """
    if dtype not in ("float32", "float64") or not all(length is None or length >= _MANY for length in lengths):
        return False
    called = {one.replace(f"{np}.", "{np}.") for one in re.findall(r"([\w.{}]+)\(", element)}
    powers = re.findall(r"\*\* *(\S+)", element)
    return called <= _VECTORS and all(one.strip("()").isdecimal() for one in powers)


def mean_along(axis: int, asked: str) -> str:
    """Returns the source of ``np.mean(x, axis=axis)``; ``asked`` is the accumulator's keyword or nothing."""
    return (
        f'\n@njit(error_model="numpy")\ndef {{name}}(x):\n    # np.mean along axis {axis}: Numba\'s takes no axis\n'
        f"    return {{np}}.sum(x, axis={axis}{asked}) / x.shape[{axis}]\n"
    )


def roll_along(axis: int) -> str:
    """Returns the source of ``np.roll(x, shift, axis=axis)``."""
    before = ":, " * axis
    return (
        f'\n@njit(error_model="numpy")\ndef {{name}}(x, shift):\n'
        f"    # np.roll along axis {axis}: Numba's takes no axis\n"
        f"    out = {{np}}.empty_like(x)\n    n = x.shape[{axis}]\n    shift = shift % max(n, 1)\n"
        f"    out[{before}shift:] = x[{before}:n - shift]\n    out[{before}:shift] = x[{before}n - shift:]\n"
        "    return out\n"
    )


MESHGRID = {
    "xy": """
@njit(error_model="numpy")
def {name}(x, y):
    # np.meshgrid of two axes
    across = {np}.empty((y.size, x.size), dtype=x.dtype)
    down = {np}.empty((y.size, x.size), dtype=y.dtype)
    for i in range(y.size):
        across[i] = x
        down[i] = y[i]
    return across, down
""",
    "ij": """
@njit(error_model="numpy")
def {name}(x, y):
    # np.meshgrid of two axes, indexing="ij"
    down = {np}.empty((x.size, y.size), dtype=x.dtype)
    across = {np}.empty((x.size, y.size), dtype=y.dtype)
    for i in range(x.size):
        down[i] = x[i]
        across[i] = y
    return down, across
""",
}

GRADIENT = """
@njit(error_model="numpy")
def {name}(x, spacing):
    # np.gradient of one axis with equal spacing
    if x.size < 2:
        raise ValueError("Shape of array too small to calculate a numerical gradient")
    out = {np}.empty_like(x)
    out[0] = (x[1] - x[0]) / spacing
    out[1:-1] = (x[2:] - x[:-2]) / (2 * spacing)
    out[-1] = (x[-1] - x[-2]) / spacing
    return out
"""


def _leading(ndim: int, axis: int) -> str:
    """Returns the expression of ``x`` with an axis moved to the front."""
    if axis == 0:
        return "x"
    order = (axis, *(k for k in range(ndim) if k != axis))
    return f"x.transpose({order})"


def _back(ndim: int, axis: int) -> str:
    """Returns the call that moves the front axis of ``out`` back, empty where it stays."""
    if axis == 0:
        return ""
    order = list(range(1, ndim))
    order.insert(axis, 0)
    return f".transpose({tuple(order)})"


def variance_along(ndim: int, axis: int) -> str:
    """Returns the source of ``np.var(x, axis=axis, ddof=ddof)`` in two passes."""
    expand = "" if axis == 0 else f".transpose({(axis, *(k for k in range(ndim) if k != axis))})"
    rows = f"rows = x{expand}"
    text = f"""
@njit(error_model="numpy")
def {{name}}(x, ddof):
    # np.var along axis {axis}: Numba's takes no axis
    {rows}
    mean = {{np}}.sum(rows, axis=0, dtype={{np}}.float64) / rows.shape[0]
    total = {{np}}.zeros_like(mean)
    for row in rows:
        total += (row - mean) ** 2
    return total / (rows.shape[0] - ddof)
"""
    return text if axis else _without_rows(text)


def _without_rows(text: str) -> str:
    """Uses `x` itself where no axis had to be moved."""
    return text.replace("    rows = x\n", "").replace("rows", "x")


_FIRST = {
    "max": ("rows[0].copy()", "out = {np}.maximum(out, rows[i])"),
    "min": ("rows[0].copy()", "out = {np}.minimum(out, rows[i])"),
    "any": ("rows[0] != 0", "out |= rows[i] != 0"),
    "all": ("rows[0] != 0", "out &= rows[i] != 0"),
}


def along_axis(name: str, ndim: int, axis: int, dtype: str) -> str:
    """Returns the source of a reduction or an accumulation along one axis of an array of at least two axes.

    Parameters
    ----------
    name : str
        ``"max"``, ``"min"``, ``"any"``, ``"all"``, ``"prod"``, ``"cumsum"`` or ``"cumprod"``.
    ndim, axis : int
    dtype : str
        Of the array; integer products and sums are made in 64 bits, as NumPy makes them.
    """
    text = _along_axis(name, ndim, axis, dtype)
    return text if axis else _without_rows(text)


def _along_axis(name: str, ndim: int, axis: int, dtype: str) -> str:
    head = f'@njit(error_model="numpy")\ndef {{name}}(x):\n    # np.{name} along axis {axis}: Numba\'s takes no axis\n'
    rows = f"    rows = {_leading(ndim, axis)}\n"
    if name in ("max", "min"):
        first, update = _FIRST[name]
        check = '    if rows.shape[0] == 0:\n        raise ValueError("zero-size array to reduction operation")\n'
        loop = f"    out = {first}\n    for i in range(1, rows.shape[0]):\n        {update}\n    return out\n"
        return "\n" + head + rows + check + loop
    if name in ("any", "all"):
        start = "zeros" if name == "any" else "ones"
        loop = (
            f"    out = {{np}}.{start}(rows.shape[1:], dtype={{np}}.bool_)\n"
            f"    for row in rows:\n        {_FIRST[name][1].replace('rows[i]', 'row')}\n    return out\n"
        )
        return "\n" + head + rows + loop
    wide = {"b": "int64", "i": "int64", "u": "uint64"}.get(dtype[0] if dtype != "bool" else "b", dtype)
    if name == "prod":
        loop = (
            f"    out = {{np}}.ones(rows.shape[1:], dtype={{np}}.{wide})\n"
            "    for row in rows:\n        out *= row\n    return out\n"
        )
        return "\n" + head + rows + loop
    sign = "+" if name == "cumsum" else "*"
    loop = (
        f"    out = {{np}}.empty(rows.shape, dtype={{np}}.{wide})\n"
        "    if rows.shape[0] > 0:\n        out[0] = rows[0]\n"
        f"    for i in range(1, rows.shape[0]):\n        out[i] = out[i - 1] {sign} rows[i]\n"
        f"    return out{_back(ndim, axis)}\n"
    )
    return "\n" + head + rows + loop


def einsum(subscripts: str) -> str | None:
    """Returns the source of ``np.einsum(subscripts, …)`` as plain loops; None for ellipses and traces of one axis.

    >>> "for k in range(a.shape[1])" in einsum("ik,kj->ij")
    True
    """
    text = subscripts.replace(" ", "")
    if "." in text:
        return None
    inputs, arrow, output = text.partition("->")
    operands = inputs.split(",")
    letters = [c for c in inputs if c != ","]
    if not arrow:
        output = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if not all(c.isalpha() for c in letters) or len(operands) > 8 or any(c not in letters for c in output):
        return None
    if len(set(output)) != len(output):
        return None
    names = "abcdefgh"[: len(operands)]
    taken = set(names) | {"x", "out", "total"}
    index: dict[str, str] = {}
    for letter in dict.fromkeys(output + "".join(letters)):
        index[letter] = letter if letter not in taken and letter not in "lIO" else f"{letter}{letter}"
    size: dict[str, str] = {}
    for name, axes in zip(names, operands, strict=True):
        for axis, letter in enumerate(axes):
            size.setdefault(letter, f"{name}.shape[{axis}]")
    terms = [
        f"{name}[{', '.join(index[c] for c in axes)}]" if axes else name
        for name, axes in zip(names, operands, strict=True)
    ]
    product = " * ".join(terms)
    summed = [c for c in dict.fromkeys(letters) if c not in output]
    lines = [
        '@njit(error_model="numpy")',
        f"def {{name}}({', '.join(names)}):",
        f"    # np.einsum({subscripts!r}, ...)",
    ]
    pad = "    "
    for name, axes in zip(names, operands, strict=True):
        for axis, letter in enumerate(axes):
            if size[letter] != f"{name}.shape[{axis}]":
                lines.append(f"{pad}if {name}.shape[{axis}] != {size[letter]}:")
                lines.append(f'{pad}    raise ValueError("operands could not be broadcast together")')
    if output:
        shape = ", ".join(size[c] for c in output) + ("," if len(output) == 1 else "")
        lines.append(f"{pad}out = {{np}}.empty(({shape}), dtype={{np}}.{{dtype}})")
        for letter in output:
            lines.append(f"{pad}for {index[letter]} in range({size[letter]}):")
            pad += "    "
    lines.append(f"{pad}total = {{np}}.{{wide}}(0)")
    inner = pad
    for letter in summed:
        lines.append(f"{inner}for {index[letter]} in range({size[letter]}):")
        inner += "    "
    lines.append(f"{inner}total += {product}")
    if output:
        lines.append(f"{pad}out[{', '.join(index[c] for c in output)}] = total")
        lines.append("    return out")
    else:
        lines.append("    return total")
    return "\n" + "\n".join(lines) + "\n"


STACKED = """
@njit(error_model="numpy")
def {name}(parts):
    # np.array of a list of arrays
    out = {np}.empty((len(parts),) + parts[0].shape, dtype=parts[0].dtype)
    for i in range(len(parts)):
        out[i] = parts[i]
    return out
"""

JOINED = """
@njit(error_model="numpy")
def {name}(parts):
    # np.concatenate of a list of arrays
    count = 0
    for part in parts:
        count += part.shape[0]
    out = {np}.empty((count,) + parts[0].shape[1:], dtype=parts[0].dtype)
    start = 0
    for part in parts:
        out[start:start + part.shape[0]] = part
        start += part.shape[0]
    return out
"""

REDUCED = words("sum mean prod max min any all var std")
"""Reductions that :func:`reduced` writes."""

_INDICES = "ijklmnpq"
_STEPS = {
    "sum": ("0", "{t} += {v}"),
    "mean": ("0", "{t} += {v}"),
    "prod": ("1", "{t} *= {v}"),
    "any": ("False", "{t} |= {v} != 0"),
    "all": ("True", "{t} &= {v} != 0"),
}


def reduced(name: str, ndim: int, axes: tuple[int, ...], dtype: str, result: str, keepdims: bool) -> str:
    """Returns the source of a reduction along some of an array's axes, as loops in the order of its memory.

    Parameters
    ----------
    name : str
        ``"sum"``, ``"mean"``, ``"prod"``, ``"max"``, ``"min"``, ``"any"``, ``"all"``, ``"var"`` or ``"std"``; the last
        two take ``ddof``.
    ndim : int
    axes : tuple of int
        In order, from 0, and fewer than ``ndim``.
    dtype, result : str
        Of the array and of the result; sums of float32 are made in float64, as they are of integers in 64 bits.
    keepdims : bool

    >>> "for j in range(x.shape[1])" in reduced("max", 2, (1,), "float64", "float64", False)
    True
    """
    kept = [k for k in range(ndim) if k not in axes]
    sizes = [f"x.shape[{k}]" for k in range(ndim)]
    element = f"x[{', '.join(_INDICES[:ndim])}]"
    place = f"out[{', '.join(_INDICES[k] for k in kept)}]"
    wide = {"float32": "float64", "float16": "float64", "complex64": "complex128"}.get(result, result)
    if name in ("var", "std", "mean") and wide != "complex128":
        wide = "float64"
    said = f"axis={axes[0]}" if len(axes) == 1 else f"axis={axes}"
    count = " * ".join(sizes[k] for k in axes)
    spread = name in ("var", "std")
    lines = [
        '@njit(error_model="numpy")',
        f"def {{name}}(x{', ddof' if spread else ''}):",
        f"    # np.{name}(x, {said}{', keepdims=True' if keepdims else ''})",
    ]
    if name in ("max", "min"):
        empty = " or ".join(f"{sizes[k]} == 0" for k in axes)
        lines += [f"    if {empty}:", '        raise ValueError("zero-size array to reduction operation")']
    shape = "(" + ", ".join(sizes[k] for k in kept) + ("," if len(kept) == 1 else "") + ")"
    back = "out"
    if keepdims:
        back += f".reshape({', '.join('1' if k in axes else sizes[k] for k in range(ndim))})"
    if name in ("max", "min") and dtype[0] in "fc":
        step = f"{{t}} = {{np}}.{name}imum({{t}}, {{v}})"
    elif name in ("max", "min"):
        step = f"{{t}} = {name}({{t}}, {{v}})"
    else:
        step = _STEPS.get(name, ("", ""))[1]
    first = f"x[{', '.join('0' if k in axes else _INDICES[k] for k in range(ndim))}]"
    kind = "bool_" if wide == "bool" else wide
    start = first if name in ("max", "min") else f"{{np}}.{kind}({_STEPS.get(name, '0')[0]})"
    leading = axes == tuple(range(len(axes))) and not spread and name != "mean" and wide == result
    if leading:
        if name in ("max", "min"):
            lines.append(f"    out = x[{', '.join('0' for _ in axes)}].copy()")
        else:
            filled = {"0": "zeros", "False": "zeros", "1": "ones", "True": "ones"}[_STEPS[name][0]]
            lines.append(f"    out = {{np}}.{filled}({shape}, dtype={{np}}.{'bool_' if result == 'bool' else result})")
        pad = "    "
        for k in range(ndim):
            lines.append(f"{pad}for {_INDICES[k]} in range({sizes[k]}):")
            pad += "    "
        lines.append(pad + step.replace("{t}", place).replace("{v}", element))
        lines.append(f"    return {back}")
        return "\n" + "\n".join(lines) + "\n"
    lines.append(f"    out = {{np}}.empty({shape}, dtype={{np}}.{'bool_' if result == 'bool' else result})")
    pad = "    "
    for k in kept:
        lines.append(f"{pad}for {_INDICES[k]} in range({sizes[k]}):")
        pad += "    "

    def nest(begin: str, inner: str) -> None:
        lines.append(f"{pad}{begin}")
        deep = pad
        for k in axes:
            lines.append(f"{deep}for {_INDICES[k]} in range({sizes[k]}):")
            deep += "    "
        lines.append(f"{deep}{inner}")

    if spread:
        nest("mean = 0.0", f"mean += {element}")
        lines.append(f"{pad}mean /= {count}")
        nest("total = 0.0", f"total += ({element} - mean) ** 2")
        value = f"total / ({count} - ddof)"
        lines.append(f"{pad}{place} = " + (f"{{np}}.sqrt({value})" if name == "std" else value))
    else:
        total = {"max": "largest", "min": "smallest", "any": "found", "all": "every"}.get(name, "total")
        nest(f"{total} = {start}", step.replace("{t}", total).replace("{v}", element))
        lines.append(f"{pad}{place} = {total}" + (f" / ({count})" if name == "mean" and len(axes) > 1 else "")
                     + (f" / {count}" if name == "mean" and len(axes) == 1 else ""))  # fmt: skip
    lines.append(f"    return {back}")
    return "\n" + "\n".join(lines) + "\n"


def product(left: int, right: int, dtype: str) -> str:
    """Returns the source of a product of matrices or vectors as loops, for integers: Numba's are for floats."""
    head = '\n@njit(error_model="numpy")\ndef {name}(a, b):\n    # a @ b of integers\n'
    check = f'    if a.shape[{left - 1}] != b.shape[0]:\n        raise ValueError("shapes do not match")\n'
    zeros = f"dtype={{np}}.{'bool_' if dtype == 'bool' else dtype}"
    update = "|= a[i, k] and b[k, j]" if dtype == "bool" else "+= a[i, k] * b[k, j]"
    if (left, right) == (2, 2):
        loops = (
            f"    out = {{np}}.zeros((a.shape[0], b.shape[1]), {zeros})\n    for i in range(a.shape[0]):\n"
            "        for k in range(a.shape[1]):\n            for j in range(b.shape[1]):\n"
            f"                out[i, j] {update}\n    return out\n"
        )
    elif (left, right) == (2, 1):
        loops = (
            f"    out = {{np}}.zeros(a.shape[0], {zeros})\n    for i in range(a.shape[0]):\n"
            f"        for k in range(a.shape[1]):\n            out[i] {update.replace('[k, j]', '[k]')}\n"
            "    return out\n"
        )
    elif (left, right) == (1, 2):
        loops = (
            f"    out = {{np}}.zeros(b.shape[1], {zeros})\n    for k in range(a.shape[0]):\n"
            f"        for j in range(b.shape[1]):\n            out[j] {update.replace('[i, k]', '[k]')}\n"
            "    return out\n"
        )
    else:
        plain = update.replace("[i, k]", "[k]").replace("[k, j]", "[k]")
        kind = "bool_" if dtype == "bool" else dtype
        loops = (
            f"    out = {{np}}.{kind}(0)\n    for k in range(a.shape[0]):\n        out {plain}\n"
            f"    return {{np}}.{kind}(out)\n"
        )
    return head + check + loops


ROWS = """
@njit(error_model="numpy")
def {name}(parts):
    # np.array of a list of tuples or lists
    out = {np}.empty((len(parts), len(parts[0])), dtype={np}.{dtype})
    for i in range(len(parts)):
        for j in range(len(parts[0])):
            out[i, j] = parts[i][j]
    return out
"""

COPIED = """
@njit(error_model="numpy")
def {name}(values):
    # np.array of a list or an array of one axis
    out = {np}.empty(len(values), dtype={np}.{dtype})
    for i in range(len(values)):
        out[i] = values[i]
    return out
"""


def rows_of_tuples(width: int, dtype: str) -> str:
    """Returns the source of ``np.array`` of a list of tuples, whose values may have different types.

    >>> "out[i, 1] = parts[i][1]" in rows_of_tuples(2, "float64")
    True
    """
    stores = "".join(f"        out[i, {k}] = parts[i][{k}]\n" for k in range(width))
    return f"""
@njit(error_model="numpy")
def {{name}}(parts):
    # np.array of a list of tuples
    if len(parts) == 0:
        raise ValueError("how many columns an empty list has is not known")
    out = {{np}}.empty((len(parts), {width}), dtype={{np}}.{dtype})
    for i in range(len(parts)):
{stores}    return out
"""


SUMMED = """
@njit(error_model="numpy")
def {name}(parts):
    # sum of a list of arrays
    out = parts[0].astype({np}.{dtype})
    for i in range(1, len(parts)):
        out += parts[i]
    return out
"""

_PADDED = {
    "constant": "",
    "edge": "min(max({i} - before_{k}, 0), x.shape[{k}] - 1)",
    "wrap": "({i} - before_{k}) % x.shape[{k}]",
}


_FRAMED = """
    # zeros around, and nowhere that they are written over: a third of the time of a copy into np.zeros
    out = {np}.empty((x.shape[0] + before_0 + after_0, x.shape[1] + before_1 + after_1), dtype=x.dtype)
    out[:before_0] = 0
    out[before_0 + x.shape[0]:] = 0
    for i in range(x.shape[0]):
        row = out[before_0 + i]
        row[:before_1] = 0
        for j in range(x.shape[1]):
            row[before_1 + j] = x[i, j]
        row[before_1 + x.shape[1]:] = 0
    return out
"""


def padded(mode: str, ndim: int) -> str | None:
    """Returns the source of ``np.pad`` with a width before and after each axis; None for a mode that is not written."""
    if mode not in _PADDED:
        return None
    names = [f"{side}_{k}" for k in range(ndim) for side in ("before", "after")]
    shape = ", ".join(f"x.shape[{k}] + before_{k} + after_{k}" for k in range(ndim)) + ("," if ndim == 1 else "")
    lines = ['@njit(error_model="numpy")', f"def {{name}}(x, {', '.join(names)}):", f'    # np.pad, mode="{mode}"']
    if mode == "constant" and ndim == 2:
        return "\n" + "\n".join(lines) + _FRAMED
    if mode == "constant":
        inner = ", ".join(f"before_{k}:before_{k} + x.shape[{k}]" for k in range(ndim))
        lines += [f"    out = {{np}}.zeros(({shape}), dtype=x.dtype)", f"    out[{inner}] = x", "    return out"]
        return "\n" + "\n".join(lines) + "\n"
    lines.append(f"    out = {{np}}.empty(({shape}), dtype=x.dtype)")
    pad = "    "
    for k in range(ndim):
        lines.append(f"{pad}for {_INDICES[k]} in range(out.shape[{k}]):")
        pad += "    "
    source = ", ".join(_PADDED[mode].format(i=_INDICES[k], k=k) for k in range(ndim))
    lines += [f"{pad}out[{', '.join(_INDICES[:ndim])}] = x[{source}]", "    return out"]
    return "\n" + "\n".join(lines) + "\n"
