"""Which calls compute a new value and nothing else: no write, no print, no random number, no view."""

from __future__ import annotations

import ast
from collections.abc import Mapping

_WRITING = "copyto put place putmask fill_diagonal put_along_axis random.shuffle ndarray.fill"
# NumPy functions that write into an argument.
WRITING = frozenset(f"numpy.{name}" for name in _WRITING.split())
_VIEWING = (
    "asarray asanyarray ascontiguousarray asfortranarray atleast_1d atleast_2d atleast_3d reshape ravel "
    "squeeze transpose swapaxes moveaxis rollaxis expand_dims broadcast_to broadcast_arrays diagonal diag "
    "real imag split array_split hsplit vsplit dsplit flip fliplr flipud rot90 array require meshgrid "
    "permute_dims matrix_transpose lib.stride_tricks.as_strided lib.stride_tricks.sliding_window_view "
    "nan_to_num real_if_close"
)
# NumPy functions whose result may share memory with an argument.
VIEWING = frozenset(f"numpy.{name}" for name in _VIEWING.split())
_BUILTINS = "abs min max len float int bool complex range round pow sum divmod enumerate zip tuple"
BUILTINS = frozenset(_BUILTINS.split())
_VIEW_METHODS = "reshape ravel view transpose swapaxes squeeze diagonal astype"
VIEW_METHODS = frozenset(_VIEW_METHODS.split())
_VALUE_METHODS = (
    "sum mean std var min max prod argmin argmax any all dot copy flatten cumsum cumprod clip round conj "
    "conjugate item nonzero trace repeat searchsorted take ptp"
)
VALUE_METHODS = frozenset(_VALUE_METHODS.split())
VIEW_ATTRIBUTES = frozenset({"T", "mT", "real", "imag", "flat", "base"})
SHAPE_ATTRIBUTES = frozenset({"shape", "size", "ndim", "dtype", "itemsize", "nbytes", "strides"})


def path_of(node: ast.expr, names: Mapping[str, str]) -> str | None:
    """Resolves a name or a chain of attributes to its dotted path, None where its head is no import."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        head = path_of(node.value, names)
        return None if head is None else f"{head}.{node.attr}"
    return None


class Calls:
    """Answers for one module whether a call has an effect.

    Parameters
    ----------
    tree : ast.Module
    names : mapping of str to str
        Import bindings of the module.
    """

    def __init__(self, tree: ast.Module, names: Mapping[str, str]) -> None:
        self.names = names
        self.helpers = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self._known: dict[str, str | None] = {}

    def effect(self, call: ast.Call) -> str | None:
        """Returns what a call does besides computing a value, None where it does nothing."""
        if any(keyword.arg == "out" for keyword in call.keywords):
            return "writes into its out= argument"
        if any(keyword.arg is None for keyword in call.keywords):
            return "takes keywords from a dict"
        text = ast.unparse(call.func)
        path = path_of(call.func, self.names)
        if path is not None:
            if path.startswith(("numpy.random", "random.")):
                return "draws random numbers in a fixed order"
            if path in WRITING or path.endswith(".at"):
                return "writes into its first argument"
            if path.startswith(("numpy.", "math.", "cmath.", "scipy.special.")):
                return None
            return f"calls {path}, of which nothing is known"
        if isinstance(call.func, ast.Name):
            if text in self.helpers:
                return self._helper(text)
            if text in BUILTINS:
                return None
            return "prints" if text == "print" else f"calls {text}, of which nothing is known"
        if isinstance(call.func, ast.Attribute) and call.func.attr in VALUE_METHODS | VIEW_METHODS:
            return None
        return f"calls {text}, which may change something"

    def _helper(self, name: str) -> str | None:
        if name not in self._known:
            self._known[name] = f"calls {name}, which calls itself"
            self._known[name] = self._effect_of(self.helpers[name])
        return self._known[name]

    def _effect_of(self, function: ast.FunctionDef) -> str | None:
        fresh = fresh_arrays(function, self)
        for node in ast.walk(function):
            if isinstance(node, ast.Global | ast.Nonlocal):
                return f"calls {function.name}, which changes a global"
            targets: list[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AugAssign | ast.AnnAssign):
                targets = [node.target]
            for target in targets:
                written = [t for t in ast.walk(target) if isinstance(t, ast.Subscript | ast.Attribute)]
                if (
                    isinstance(node, ast.AugAssign)
                    and isinstance(target, ast.Name)
                    and target.id in _parameters(function)
                ):
                    return f"calls {function.name}, which may change its argument {target.id}"
                for place in written:
                    base = base_name(place)
                    if base is None or base not in fresh:
                        return f"calls {function.name}, which writes into {base or ast.unparse(place)}"
            if isinstance(node, ast.Call):
                effect = self.effect(node)
                if effect is not None:
                    return f"calls {function.name}, which {effect}"
        return None

    def is_fresh(self, value: ast.expr) -> bool:
        """Says whether an expression's value surely shares no memory with anything that has a name."""
        if isinstance(value, ast.BinOp | ast.UnaryOp | ast.Compare | ast.Constant | ast.ListComp):
            return True
        if isinstance(value, ast.Call):
            path = path_of(value.func, self.names)
            if path is not None:
                return path not in VIEWING and path.split(".")[0] in ("numpy", "math", "cmath")
            if isinstance(value.func, ast.Name):
                return value.func.id in BUILTINS - {"min", "max", "tuple", "zip", "enumerate"}
            return isinstance(value.func, ast.Attribute) and value.func.attr in VALUE_METHODS
        return False


def _parameters(function: ast.FunctionDef) -> set[str]:
    a = function.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    return {argument.arg for argument in every}


def fresh_arrays(function: ast.FunctionDef, calls: Calls) -> set[str]:
    """Returns the local names that are only ever bound to newly made values."""
    fresh: dict[str, bool] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                        whole = target is name and calls.is_fresh(node.value)
                        fresh[name.id] = fresh.get(name.id, True) and whole
        elif isinstance(node, ast.For | ast.comprehension):
            for name in ast.walk(node.target):
                if isinstance(name, ast.Name):
                    fresh[name.id] = False
    return {name for name, yes in fresh.items() if yes} - _parameters(function)


def base_name(node: ast.expr) -> str | None:
    """Returns the name at the head of subscripts and attributes: ``a`` of ``a[i].T[0]``."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
