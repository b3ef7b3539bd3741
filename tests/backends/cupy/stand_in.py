"""A CuPy without a GPU: NumPy behind CuPy's manners, so that a draft fails or goes wrong here where it would on a GPU.

Arrays without axes stay arrays (`a[i]` is a view, `a.sum()` an array, both changed by ``+=``), nothing is hashed or
used as an index, NumPy's functions refuse the arrays, CuPy's refuse lists and host arrays, and every function has
CuPy's own parameters (`jitmagic.backends.cupy.api`). Sources: docs.cupy.dev, "Differences between CuPy
and NumPy", and CuPy 14.2.
"""

from __future__ import annotations

import inspect
import operator
import sys
import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from jitmagic.analysis.words import words
from jitmagic.backends.cupy import api

_NUMBERS = (bool, int, float, complex, np.generic)
_ARRAYS = words("a x x1 x2 b m arr y v p condition ary xp fp f ar ar1 ar2 element test_elements weights A c")


class ndarray:
    """An array on the "device"."""

    __slots__ = ("_a",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, array: Any) -> None:
        self._a = np.asarray(array)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError(f"NumPy's {function.__name__} was given an array of CuPy's")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs:
            raise TypeError(f"NumPy's {ufunc.__name__}.{method} was given an array of CuPy's")
        return device(ufunc(*(_operand(x) for x in inputs)))

    def __getitem__(self, key: Any) -> ndarray:
        key, advanced = _key(key)
        found = self._a[key]
        if advanced:
            return ndarray(np.array(found))
        if isinstance(found, np.generic):  # an element: a view without axes
            found = self._a[(*key, ...) if isinstance(key, tuple) else (key, ...)]
        return ndarray(found)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._a[_key(key)[0]] = _operand(value)

    def __iter__(self) -> Iterator[ndarray]:
        if self._a.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self._a)))

    def __len__(self) -> int:
        return len(self._a)

    def __bool__(self) -> bool:
        return bool(self._a)

    def __int__(self) -> int:
        return int(self._a)

    def __float__(self) -> float:
        return float(self._a)

    def __complex__(self) -> complex:
        return complex(self._a)

    def __format__(self, spec: str) -> str:
        return format(self._a, spec)

    def __repr__(self) -> str:
        return repr(self._a)

    def __str__(self) -> str:
        return str(self._a)

    def __copy__(self) -> ndarray:
        return ndarray(self._a.copy())

    def __deepcopy__(self, memo: Any) -> ndarray:
        return ndarray(self._a.copy())

    def __neg__(self) -> Any:
        return device(-self._a)

    def __pos__(self) -> Any:
        return device(self._a.copy())

    def __abs__(self) -> Any:
        return device(abs(self._a))

    def __invert__(self) -> Any:
        return device(~self._a)

    def get(self) -> Any:
        """Copies to the host."""
        return self._a.copy()


def device(value: Any) -> Any:
    """Wraps every array and scalar of NumPy's in a nested value."""
    if isinstance(value, np.ndarray | np.generic):
        return ndarray(value)
    if isinstance(value, tuple):
        return _like(value, map(device, value))
    if isinstance(value, list):
        return [device(one) for one in value]
    if isinstance(value, dict):
        return {name: device(one) for name, one in value.items()}
    return value


def _like(value: tuple[Any, ...], parts: Iterable[Any]) -> tuple[Any, ...]:
    """Returns parts as a tuple, or as a named tuple of the same class."""
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)


def host(value: Any) -> Any:
    """Takes every array out of its wrapper, one without axes as a scalar."""
    if isinstance(value, ndarray):
        return value._a[()] if value._a.ndim == 0 else value._a
    if isinstance(value, tuple):
        return _like(value, map(host, value))
    if isinstance(value, list):
        return [host(one) for one in value]
    if isinstance(value, dict):
        return {name: host(one) for name, one in value.items()}
    return value


def _operand(value: Any) -> Any:
    if isinstance(value, ndarray):
        return value._a
    if not isinstance(value, _NUMBERS):
        raise TypeError(f"Unsupported type {type(value)}")
    return value


def _key(key: Any) -> tuple[Any, bool]:
    """Strips an index; says whether it is an advanced one, which makes a copy."""
    advanced = False
    found = []
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, slice):
            for end in (part.start, part.stop, part.step):
                if isinstance(end, ndarray):
                    raise TypeError("'cupy.ndarray' object cannot be interpreted as an integer")
        elif isinstance(part, ndarray):
            advanced, part = True, part._a
        elif isinstance(part, list | np.ndarray):
            if _any_device(part):
                raise TypeError("Implicit conversion to a NumPy array is not allowed.")
            advanced = True
        found.append(part)
    return (tuple(found) if isinstance(key, tuple) else found[0]), advanced


def _any_device(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_any_device(one) for one in value)
    return isinstance(value, ndarray)


def _operators() -> None:
    for name in sorted(words("add sub mul truediv floordiv mod pow lshift rshift and or xor matmul divmod")):
        function = divmod if name == "divmod" else getattr(operator, f"__{name}__")

        def forward(self: Any, other: Any, function: Any = function) -> Any:
            return device(function(self._a, _operand(other)))

        def backward(self: Any, other: Any, function: Any = function) -> Any:
            return device(function(_operand(other), self._a))

        setattr(ndarray, f"__{name}__", forward)
        setattr(ndarray, f"__r{name}__", backward)
    for name in sorted(words("eq ne lt le gt ge")):
        function = getattr(operator, name)

        def compare(self: Any, other: Any, function: Any = function) -> Any:
            if other is None:
                return function is operator.ne
            return device(function(self._a, _operand(other)))

        setattr(ndarray, f"__{name}__", compare)
    in_place = {
        "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
        "mod": np.remainder, "pow": np.power, "lshift": np.left_shift, "rshift": np.right_shift,
        "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    }  # fmt: skip
    for name, ufunc in in_place.items():

        def update(self: Any, other: Any, ufunc: Any = ufunc) -> Any:
            ufunc(self._a, _operand(other), out=self._a)
            return self

        setattr(ndarray, f"__i{name}__", update)


def _members() -> None:
    for name in api.ATTRIBUTES - {"device", "data"}:

        def read(self: Any, name: str = name) -> Any:
            found = getattr(self._a, name)
            return _Flat(found) if name == "flat" else device(found)

        def write(self: Any, value: Any, name: str = name) -> None:
            setattr(self._a, name, _operand(value) if name in ("real", "imag") else value)

        setattr(ndarray, name, property(read, write))
    for name, parameters in api.METHODS.items():

        def method(self: Any, *args: Any, name: str = name, parameters: str = parameters, **kwargs: Any) -> Any:
            given_names = parameters.split()
            if "*" not in given_names and len(args) > len(given_names):
                raise TypeError(f"{name}() takes {len(given_names)} arguments ({len(args)} given)")
            unknown = set(kwargs) - set(given_names) - {"order", "copy"}
            if unknown:
                raise TypeError(f"{name}() got an unexpected keyword argument {sorted(unknown)[0]!r}")
            if name == "dot":
                _operand(args[0])
            given = [_stripped(one) for one in args]
            named = {key: _stripped(one) for key, one in kwargs.items()}
            if name == "ptp":
                return device(np.ptp(self._a, *given, **named))
            found = getattr(self._a, name)(*given, **named)
            return found if name in ("item", "tolist", "tobytes") else device(found)

        setattr(ndarray, name, method)


class _Flat:
    def __init__(self, flat: Any) -> None:
        self.flat = flat

    def __getitem__(self, key: Any) -> Any:
        return device(np.asarray(self.flat[_key(key)[0]]))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.flat[_key(key)[0]] = _operand(value)

    def __iter__(self) -> Any:
        return (ndarray(one) for one in self.flat)

    def __len__(self) -> int:
        return len(self.flat)


def _stripped(value: Any) -> Any:
    """Takes arrays out of their wrappers; a host array is refused."""
    if isinstance(value, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if isinstance(value, ndarray):
        return value._a
    if isinstance(value, tuple):
        return tuple(_stripped(one) for one in value)
    if isinstance(value, list):
        return [_stripped(one) for one in value]
    return value


class _Ufunc:
    """One of CuPy's ufuncs; `reduce` and the like only where CuPy has them."""

    def __init__(self, name: str) -> None:
        self.name, self.ufunc = name, getattr(np, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        unknown = set(kwargs) - api.UFUNC_OPTIONS
        if unknown:
            raise TypeError(f"Wrong arguments {sorted(unknown)}")
        out = kwargs.get("out")
        given = [_operand(one) for one in args]
        if out is not None:
            self.ufunc(*given, **{**kwargs, "out": _operand(out)})
            return out
        return device(_as_arrays(self.ufunc(*given, **kwargs)))

    def _only(self, method: str, names: str) -> Any:
        if self.name not in names.split():
            # as CuPy answers, and this class stands for CuPy's: its ufuncs lack most of NumPy's methods
            raise NotImplementedError(f"`{self.name}.{method}` is not supported yet")
        return getattr(self.ufunc, method)

    def reduce(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """Reduces."""
        return device(self._only("reduce", "add multiply")(_operand(array), axis=axis, dtype=dtype, keepdims=keepdims))

    def accumulate(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
        """Accumulates."""
        return device(self._only("accumulate", "add multiply")(_operand(array), axis=axis, dtype=dtype))

    def reduceat(self, array: Any, indices: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
        """Reduces between indices."""
        return device(self._only("reduceat", "add")(_operand(array), _operand(indices), axis=axis, dtype=dtype))

    def outer(self, a: Any, b: Any, **kwargs: Any) -> Any:
        """Pairs all with all."""
        return device(self.ufunc.outer(_operand(a), _operand(b), **kwargs))

    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        """Stores without a buffer."""
        at = self._only("at", "add subtract maximum minimum bitwise_and bitwise_or bitwise_xor")
        at(_operand(a), _key(indices)[0], _operand(b))


def _as_arrays(value: Any) -> Any:
    return tuple(np.asarray(one) for one in value) if isinstance(value, tuple) else np.asarray(value)


_HOST_ANSWERS = words("shape ndim result_type common_type isfortran iscomplexobj isrealobj")
_CONVERTS = words("array asarray asanyarray ascontiguousarray asfortranarray")
_JOINS = words("concatenate concat stack vstack hstack dstack column_stack row_stack")


def _function(path: str) -> Any:
    last = path.rpartition(".")[2]
    theirs = np
    for word in path.split("."):
        theirs = getattr(theirs, word)
    parameters = api.FUNCTIONS[path].split()
    positional = [word for word in parameters if word[0] not in ".*"]
    names = {word.lstrip(".") for word in parameters}
    try:
        ours = list(inspect.signature(theirs).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        ours = positional

    def call(*args: Any, **kwargs: Any) -> Any:
        if "*" not in parameters and len(args) > len(positional):
            raise TypeError(f"{last}() takes {len(positional)} positional arguments but {len(args)} were given")
        unknown = set(kwargs) - names
        if unknown and "**" not in parameters:
            raise TypeError(f"{last}() got an unexpected keyword argument {sorted(unknown)[0]!r}")
        if last in _CONVERTS:
            first = [kwargs.pop(positional[0])] if not args else []
            return _convert(last, *first, *args, **kwargs)
        given: list[Any] = []
        named: dict[str, Any] = {}
        for place, one in enumerate(args):
            name = positional[place] if place < len(positional) else ""
            _check(last, name, one)
            if name in ours and ours.index(name) != place:
                named[name] = _stripped(one)
            else:
                given.append(_stripped(one))
        for name, one in kwargs.items():
            _check(last, name, one)
            known = name in ours or "**" in parameters or name not in positional
            renamed = name if known else ours[positional.index(name)]
            named[renamed] = _stripped(one)
        if last == "apply_along_axis":
            function = given[0]
            given[0] = lambda row, *rest: host(function(ndarray(row), *rest))
        if last in ("sort", "argsort"):
            if named.get("kind") not in (None, "stable") or len(given) > 2:
                raise ValueError("unknown sort kind")
            named["kind"] = "stable"
        found = theirs(*given, **named)  # type: ignore[operator]
        if last in _HOST_ANSWERS:
            return found
        if isinstance(found, bool):
            return ndarray(found)
        out = kwargs.get("out")
        return out if out is not None else device(found)

    return call


_SIZES = words("shape num N M n k reps repeats newshape dims minlength axis start_or_stop")


def _check(function: str, name: str, value: Any) -> None:
    sizes = value if isinstance(value, list | tuple) else [value]
    numbers = name in _SIZES or (function == "arange" and name in ("start", "stop", "step"))
    if numbers and any(isinstance(one, ndarray) and one.ndim == 0 for one in sizes):
        raise TypeError(f"{function}(): 'cupy.ndarray' object cannot be interpreted as an integer (`{name}`)")
    if function in _JOINS and isinstance(value, list | tuple):
        for one in value:
            if not isinstance(one, ndarray):
                raise TypeError("Only cupy arrays can be concatenated")
    elif name in _ARRAYS and isinstance(value, list | tuple):
        raise TypeError(f"{function}() wants an array of CuPy's for `{name}`, not a {type(value).__name__}")


def _convert(name: str, value: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(value, ndarray):
        found = getattr(np, name)(value._a, *args, **kwargs)
        return value if found is value._a else ndarray(found)
    if isinstance(value, list | tuple):
        leaves = list(_leaves(value))
        if any(isinstance(one, ndarray) for one in leaves) and not all(isinstance(one, ndarray) for one in leaves):
            raise TypeError("Implicit conversion to a NumPy array is not allowed.")
        value = _stripped(value)
    found = getattr(np, "array" if name == "asarray" else name)(value, *args, **kwargs)
    return ndarray(found.copy())


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


class _Grid:
    def __init__(self, name: str) -> None:
        self.grid = getattr(np, name)

    def __getitem__(self, key: Any) -> Any:
        return device(self.grid[_stripped(key)])


def _special(module: Any, name: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        for one in args:
            if isinstance(one, list):
                raise TypeError("Unsupported type <class 'list'>")
        return device(getattr(module, name)(*map(_stripped, args), **{k: _stripped(v) for k, v in kwargs.items()}))

    return call


_operators()
_members()


def modules() -> dict[str, types.ModuleType]:
    """Returns the modules by their names, for `sys.modules`."""
    import scipy.fft
    import scipy.ndimage
    import scipy.special

    cupy = types.ModuleType("cupy")
    for name, value in vars(np).items():
        known = name in api.LACKING or name in api.FUNCTIONS or inspect.ismodule(value)
        if not name.startswith("_") and not known and (isinstance(value, type) or not callable(value)):
            setattr(cupy, name, value)
    linalg, fft = types.ModuleType("cupy.linalg"), types.ModuleType("cupy.fft")
    tricks = types.ModuleType("cupy.lib.stride_tricks")
    cupy.lib = types.SimpleNamespace(stride_tricks=tricks)  # type: ignore[attr-defined]
    linalg.LinAlgError = np.linalg.LinAlgError  # type: ignore[attr-defined]
    for path, given in api.FUNCTIONS.items():
        head, _, last = path.rpartition(".")
        made = _Ufunc(path) if given.startswith("*ufunc") and hasattr(getattr(np, path), "reduce") else None
        target = {"": cupy, "linalg": linalg, "fft": fft}.get(head, tricks)
        if given.startswith("*ufunc"):
            setattr(target, last, made or _special(np, path))
        else:
            setattr(target, last, _function(path))
    for name in ("r_", "c_", "mgrid", "ogrid"):
        setattr(cupy, name, _Grid(name))
    parts: dict[str, Any] = {
        "ndarray": ndarray, "linalg": linalg, "fft": fft, "asnumpy": lambda value: host(value), "ndindex": np.ndindex,
        "size": lambda a: a.size, "get_array_module": lambda *arrays: cupy,
        "isscalar": np.isscalar, "broadcast_shapes": np.broadcast_shapes, "promote_types": np.promote_types,
    }  # fmt: skip
    for name, value in parts.items():
        setattr(cupy, name, value)
    cupy.asnumpy = lambda value: value.get() if isinstance(value, ndarray) else np.asarray(value)  # type: ignore[attr-defined]
    found = {"cupy": cupy, "cupy.linalg": linalg, "cupy.fft": fft}
    cupyx, scipy_part = types.ModuleType("cupyx"), types.ModuleType("cupyx.scipy")
    cupyx.scipy = scipy_part  # type: ignore[attr-defined]
    found |= {"cupyx": cupyx, "cupyx.scipy": scipy_part}
    for name, module in (("special", scipy.special), ("ndimage", scipy.ndimage), ("fft", scipy.fft)):
        part = types.ModuleType(f"cupyx.scipy.{name}")
        for path in api.SCIPY:
            if path.startswith(f"scipy.{name}."):
                last = path.rpartition(".")[2]
                setattr(part, last, _special(module, last))
        setattr(scipy_part, name, part)
        found[part.__name__] = part
    return found


@contextmanager
def installed() -> Iterator[None]:
    """Puts the stand-in in CuPy's place."""
    stand_in = modules()
    saved = {name: sys.modules.get(name) for name in stand_in}
    sys.modules.update(stand_in)
    try:
        yield
    finally:
        for name, module in saved.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
