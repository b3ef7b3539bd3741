"""Casts the arguments of a captured call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jitmagic.capture.workload import Workload


def cast(workload: Workload, dtype: str | None) -> Workload:
    """Casts floating arguments, for ``--dtype``."""
    if dtype is None:
        return workload
    import numpy as np

    def converted(value: Any) -> Any:
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
            return value.astype(dtype)
        if isinstance(value, list | tuple):
            return type(value)(map(converted, value))
        return value

    note = f"floating arguments were cast to {dtype} before the comparison, as asked for"
    return replace(
        workload,
        args=tuple(map(converted, workload.args)),
        kwargs={name: converted(value) for name, value in workload.kwargs.items()},
        notes=(*workload.notes, note),
    )
