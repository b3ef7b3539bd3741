"""Derivatives in plain NumPy, as they are written without a library that derives: by central differences.

The steps are those that balance truncation and rounding: ``eps ** (1/3)`` of the argument for first derivatives,
``eps ** (1/4)`` for second ones (Press et al., Numerical Recipes, 3rd ed., section 5.7).
"""

from __future__ import annotations

from jitmagic.transforms.signature import Around

FIRST_STEP = 6e-6
SECOND_STEP = 1.2e-4

_SCALAR_GRAD = '''
def {name}({parameters}):
    """The derivative of {inner} with respect to {x}, by a central difference."""
    step = {first} * (abs({x}) or 1.0)
    high, low = {x} + step, {x} - step
    return ({high} - {low}) / (high - low)
'''

_GRAD = '''
def {name}({parameters}):
    """The derivative of {inner} with respect to {x}, by central differences: two calls for each element of {x}."""
    {x} = {np}.array({x}, dtype={np}.float64)  # a copy, of which one element at a time is moved
    scale = {np}.abs({x}).mean() or 1.0
    result = {np}.empty({x}.shape)
    for at in {np}.ndindex({x}.shape):
        here = {x}[at]
        step = {first} * max(abs(here), scale)
        high, low = here + step, here - step
        {x}[at] = high
        above = {inner}({passed})
        {x}[at] = low
        below = {inner}({passed})
        {x}[at] = here
        result[at] = (above - below) / (high - low)
    return result
'''

_SCALAR_JACOBIAN = '''
def {name}({parameters}):
    """The derivative of {inner} with respect to {x}, by a central difference."""
    step = {first} * (abs({x}) or 1.0)
    high, low = {x} + step, {x} - step
    return ({np}.asarray({high}) - {low}) / (high - low)
'''

_JACOBIAN = '''
def {name}({parameters}):
    """The Jacobian of {inner} with respect to {x}, by central differences: two calls for each element of {x}."""
    {x} = {np}.array({x}, dtype={np}.float64)  # a copy, of which one element at a time is moved
    scale = {np}.abs({x}).mean() or 1.0
    columns = []
    for at in {np}.ndindex({x}.shape):
        here = {x}[at]
        step = {first} * max(abs(here), scale)
        high, low = here + step, here - step
        {x}[at] = high
        above = {np}.array({inner}({passed}))
        {x}[at] = low
        below = {np}.array({inner}({passed}))
        {x}[at] = here
        columns.append((above - below) / (high - low))
    return {np}.stack(columns, axis=-1).reshape(above.shape + {x}.shape)
'''

_SCALAR_HESSIAN = '''
def {name}({parameters}):
    """The second derivative of {inner} with respect to {x}, by a central difference."""
    step = {second} * (abs({x}) or 1.0)
    high, low = {x} + step, {x} - step
    return ({high} - 2 * {here} + {low}) / ((high - {x}) * ({x} - low))
'''

_HESSIAN = '''
def {name}({parameters}):
    """The Hessian of {inner} with respect to {x}, by central differences: four calls for each pair of elements."""
    start = {np}.array({x}, dtype={np}.float64)
    steps = {second} * {np}.maximum({np}.abs(start), {np}.abs(start).mean() or 1.0).reshape(-1)
    result = {np}.empty((start.size, start.size))
    for i in range(start.size):
        for j in range(i + 1):
            total = 0.0
            for one, other in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                {x} = start.reshape(-1).copy()
                {x}[i] += one * steps[i]
                {x}[j] += other * steps[j]
                {x} = {x}.reshape(start.shape)
                total += one * other * {inner}({passed})
            result[i, j] = result[j, i] = total / (4 * steps[i] * steps[j])
    return result.reshape(start.shape * 2)
'''

_SOURCES = {
    ("grad", True): _SCALAR_GRAD, ("grad", False): _GRAD,
    ("jacobian", True): _SCALAR_JACOBIAN, ("jacobian", False): _JACOBIAN,
    ("hessian", True): _SCALAR_HESSIAN, ("hessian", False): _HESSIAN,
}  # fmt: skip


def source(kind: str, around: Around, numpy: str, scalar: bool, dtype: str) -> str:
    """Writes the function that derives the user's.

    Parameters
    ----------
    kind : str
        ``"grad"``, ``"jacobian"`` or ``"hessian"``.
    around : Around
    numpy : str
        NumPy's name in the module.
    scalar : bool
        Whether the argument is a number.
    dtype : str
        The argument's and the result's; differences are taken in float64, since those of float32 have three digits.
    """

    def call(at: str) -> str:
        x = around.argument
        moved = {x: at, f"{x}={x}": f"{x}={at}"}
        return f"{around.inner}({', '.join(moved.get(part, part) for part in around.passed.split(', '))})"

    text = _SOURCES[kind, scalar].format(
        name=around.name, parameters=around.parameters, inner=around.inner, x=around.argument, passed=around.passed,
        np=numpy, first=FIRST_STEP, second=SECOND_STEP, high=call("high"), low=call("low"), here=call(around.argument),
    ).strip("\n")  # fmt: skip
    if dtype == "float64":
        return text
    body, _, value = text.rpartition("return ")
    wide = "" if not scalar else f"    {around.argument} = {numpy}.float64({around.argument})\n"
    if wide:
        head, _, rest = body.partition('"""\n')
        body = f'{head}"""\n{wide}{rest}'
    return f"{body}return {numpy}.{dtype}({value})" if scalar and kind != "jacobian" else (
        f"{body}return ({value}).astype({numpy}.{dtype})"
    )


def calls(kind: str, size: int) -> int:
    """Returns how many calls of the user's function one derivative takes.

    >>> calls("grad", 1000), calls("hessian", 10)
    (2000, 220)
    """
    return 2 * size * (size + 1) if kind == "hessian" else 2 * size
