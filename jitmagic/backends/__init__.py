"""The backends: one folder each, found by name, and those of other packages by the entry point `jitmagic.backends`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from jitmagic.backends.protocol import Backend

_OWN = {
    "numpy": "jitmagic.backends.numpy.backend:NumpyBackend",
    "numba": "jitmagic.backends.numba.backend:NumbaBackend",
    "jax": "jitmagic.backends.jax.backend:JaxBackend",
    "torch": "jitmagic.backends.torch.backend:TorchBackend",
    "cupy": "jitmagic.backends.cupy.backend:CupyBackend",
    "numba-cuda": "jitmagic.backends.cuda.backend:NumbaCudaBackend",
    "cuda-python": "jitmagic.backends.cuda.backend:CudaPythonBackend",
}


@cache
def all_backends() -> Mapping[str, Backend]:
    """Returns every backend by name: our own first, then those of installed packages."""
    found: dict[str, Backend] = {}
    for name, place in _OWN.items():
        module, _, attribute = place.partition(":")
        found[name] = getattr(import_module(module), attribute)()
    for point in entry_points(group="jitmagic.backends"):
        if point.name not in found:
            found[point.name] = point.load()()
    return found
