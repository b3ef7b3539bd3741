"""A function over a batch in plain NumPy: a loop over the slices of one argument, results stacked."""

from __future__ import annotations

from jitmagic.transforms.signature import Around

_LOOP = '''
def {name}({parameters}):
    """{inner} for each slice of {x} along axis {axis}, results stacked."""
    slices = {slices}
    return {stacked}
'''


def source(around: Around, numpy: str, axis: int) -> str:
    """Writes the loop over the slices.

    Parameters
    ----------
    around : Around
    numpy : str
        NumPy's name in the module.
    axis : int
    """
    x = around.argument
    slices = x if axis == 0 else f"{numpy}.moveaxis({x}, {axis}, 0)"
    return _LOOP.format(
        name=around.name, parameters=around.parameters, inner=around.inner, x=x, axis=axis, slices=slices,
        stacked=f"{numpy}.stack([{around.inner}({around.passed}) for {x} in slices])",
    ).strip("\n")  # fmt: skip
