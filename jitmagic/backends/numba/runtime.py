"""Runs Numba drafts in a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jitmagic.backends.numpy.runtime import NumpyRuntime


class NumbaRuntime(NumpyRuntime):
    """Compiles for the CPU; arrays stay NumPy's."""

    def start(self, device: str) -> Mapping[str, Any]:
        """Imports Numba; ValueError for a device other than the CPU."""
        found = super().start(device)
        import llvmlite  # type: ignore[import-untyped]
        import numba

        _take_a_safe_threading_layer()
        versions = {**found["versions"], "numba": numba.__version__, "llvmlite": llvmlite.__version__}
        return {"versions": versions, "devices": ["cpu"]}

    def check(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], static: Sequence[str]
    ) -> None:
        """Compiles for the arguments' types without running; a plain wrapper is left to its first call."""
        import inspect

        import numba
        from numba.core.dispatcher import Dispatcher
        from numba.core.errors import ForceLiteralArg

        if not isinstance(function, Dispatcher):
            return
        bound = inspect.signature(function.py_func).bind(*args, **kwargs)
        types = []
        for name, parameter in inspect.signature(function.py_func).parameters.items():
            if parameter.kind is parameter.VAR_POSITIONAL:
                types.append(numba.typeof(tuple(bound.arguments.get(name, ()))))
            elif name in bound.arguments:
                types.append(numba.typeof(bound.arguments[name]))
            else:
                types.append(numba.types.Omitted(parameter.default))
        try:
            function.compile(tuple(types))
        except ForceLiteralArg:
            # an argument whose value is needed while compiling, such as an axis: known at the first call only
            return

    def load_checked(self, source: str, filename: str, entry: str, namespace: Mapping[str, Any]) -> Callable[..., Any]:
        """Loads a draft whose compiled code raises IndexError where an index leaves its array.

        Its parallel loops run one trip after the other: threads cannot raise.
        """
        from numba.core import config

        function = self.load(source.replace("parallel=True", "parallel=False"), filename, entry, namespace)

        def checked(*args: Any, **kwargs: Any) -> Any:
            # read while it compiles, which is at the first call with arguments of these types
            before = config.BOUNDSCHECK
            config.BOUNDSCHECK = 1
            try:
                return function(*args, **kwargs)
            finally:
                config.BOUNDSCHECK = before

        return checked

    def threads(self) -> int | None:
        """Returns Numba's number of threads."""
        import numba

        return numba.get_num_threads()


def _take_a_safe_threading_layer() -> None:
    """Asks for a layer that survives use by several threads; *workqueue* ends the process there.

    Nothing is changed where the user chose a layer, or where only workqueue is built (then one thread calls at a time).
    """
    from numba.core import config
    from numba.np.ufunc import parallel

    if config.THREADING_LAYER != "default":
        return
    for layer, module in (("omp", "omppool"), ("tbb", "tbbpool")):
        if _has(f"{parallel.__package__}.{module}"):
            config.THREADING_LAYER = layer
            return


def _has(module: str) -> bool:
    import importlib

    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True
