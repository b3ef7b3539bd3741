"""Whether a transformation is possible for an argument, before anything runs."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from jitmagic.capture.workload import Workload
from jitmagic.transforms.transform import Transform, TransformError


def check(transform: Transform, workload: Workload) -> Any:
    """Returns the argument's value, where the transformation is possible for it.

    Raises
    ------
    TransformError
        It is none of the function's arguments, or of a kind that has no derivative or no slices.
    """
    name, told = workload.function.name, transform.text
    labels = workload.argument_names
    if transform.argument not in labels:
        raise TransformError(
            f"{told}: {name} has no argument `{transform.argument}` in this call; it has {', '.join(labels) or 'none'}"
        )
    if definition(workload) is None:
        raise TransformError(f"{told}: write {name} as a `def`, so that a function can be written around it")
    value = workload.argument_values()[labels.index(transform.argument)]
    return _check_batch(transform, value) if transform.kind == "vmap" else _check_real(transform, value)


def definition(workload: Workload) -> ast.FunctionDef | None:
    """Returns the function's definition in the workload's module; None where it is none at its top."""
    found = None
    for node in ast.parse(workload.module.text).body:
        if isinstance(node, ast.FunctionDef) and node.name == workload.function.name:
            found = node
    return found


def _check_real(transform: Transform, value: Any) -> Any:
    told, name = transform.text, transform.argument
    what = f"`{name}` is {_kind(value)}"
    if isinstance(value, bool | int | np.bool_ | np.integer) or _of_kind(value, "biu"):
        raise TransformError(f"{told}: {what}, by which there is no derivative; pass it as {_as_float(value, name)}")
    if isinstance(value, complex | np.complexfloating) or _of_kind(value, "c"):
        raise TransformError(
            f"{told}: {what}, and derivatives here are by real numbers; pass its real and imaginary parts apart"
        )
    if not isinstance(value, float | np.floating | np.ndarray) or not _is_real(value):
        raise TransformError(f"{told}: {what}; a derivative is by a float64 or float32 number or array")
    if isinstance(value, np.ndarray) and not value.size:
        raise TransformError(f"{told}: `{name}` is empty: there is nothing to derive by")
    if not np.isfinite(value).all():
        raise TransformError(f"{told}: `{name}` holds NaN or infinity, where there is no derivative")
    return value


def _is_real(value: Any) -> bool:
    return np.asarray(value).dtype in (np.dtype(np.float32), np.dtype(np.float64))


def _check_batch(transform: Transform, value: Any) -> Any:
    told, name = transform.text, transform.argument
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        raise TransformError(f"{told}: `{name}` is {_kind(value)}; a batch is an array with an axis for it")
    if value.dtype.kind not in "biufc":
        raise TransformError(f"{told}: `{name}` is {_kind(value)}; a batch is an array of numbers")
    axis = transform.axis or 0
    if not -value.ndim <= axis < value.ndim:
        there = "one axis; take 0" if value.ndim == 1 else f"{value.ndim} axes; take one from 0 to {value.ndim - 1}"
        raise TransformError(f"{told}: `{name}` has {there}")
    if not value.shape[axis]:
        raise TransformError(f"{told}: `{name}` has no slice along axis {axis}: it is empty there")
    return value


def _of_kind(value: Any, kinds: str) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}" if value.ndim else f"an array of {value.dtype} without axes"
    return "None" if value is None else f"of type {type(value).__name__}"


def _as_float(value: Any, name: str) -> str:
    return f"{name}.astype(float)" if isinstance(value, np.ndarray) else f"float({name})"
