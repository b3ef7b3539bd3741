"""jitmagic: would Numba, JAX, PyTorch or CuPy make this NumPy function faster here, and is it still right?

>>> import numpy as np
>>> import jitmagic
>>> def fn(x):
...     return x + x * x
>>> c = jitmagic.compare(fn, np.ones(1000), backends=["numba"], budget=0.1)
>>> c["numba"].verified
True
>>> list(c)
['numpy', 'numba', 'numba-parallel']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from jitmagic.comparison import Comparison, Variant, compare

__all__ = ["Comparison", "Variant", "__version__", "compare", "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    # `%load_ext jitmagic` has to take milliseconds: the steps are imported at the first comparison.
    if name in ("Comparison", "Variant", "compare"):
        from jitmagic import comparison

        return getattr(comparison, name)
    raise AttributeError(f"module 'jitmagic' has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """Registers `%jitcompare` and `%%jitcompare`; called by `%load_ext jitmagic`."""
    from jitmagic.magic.registration import register

    register(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Ends the worker processes; called by `%unload_ext jitmagic`."""
    from jitmagic.magic.registration import unregister

    unregister(shell)
