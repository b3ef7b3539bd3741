"""The backends: one folder each, found by name, and those of other packages by the entry point `jitmagic.backends`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from jitmagic.backends.foreign import take
from jitmagic.backends.protocol import Backend
from jitmagic.plugins import BACKENDS, plugins

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
    """Returns every backend by name: our own first, then those of installed packages, those that are broken too."""
    found: dict[str, Backend] = {}
    for name, place in _OWN.items():
        module, _, attribute = place.partition(":")
        found[name] = getattr(import_module(module), attribute)()
    for plugin in plugins(BACKENDS):
        backend = take(plugin, found)
        found[backend.name] = backend
    return found
