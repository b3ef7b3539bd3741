"""Rewrite ``sliding_window_view`` as subscripts, one for each element of each window.

    v = sliding_window_view(x, w)     ->     v = x[jnp.arange(x.shape[0] - w + 1)[:, None] + jnp.arange(w)]
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.jax.list_elements import is_never_stored_into
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter

_PATH = "numpy.lib.stride_tricks.sliding_window_view"


def without_sliding_views(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with subscripts for the sliding windows of named arrays."""
    return tree.visit(_Sliding(module, kinds))


class _Sliding(FunctionRewriter[Kinds]):
    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if not self.stack or self.stack[-1].path(original_node.func) != _PATH:
            return updated_node
        kinds = self.stack[-1]
        plain = [a for a in original_node.args if a.keyword is None]
        given = dict(zip(("x", "window_shape", "axis"), plain, strict=False))
        given |= {a.keyword.value: a for a in original_node.args if a.keyword is not None}
        if set(given) - {"x", "window_shape", "axis"} or not {"x", "window_shape"} <= set(given):
            return updated_node
        x, window = given["x"].value, given["window_shape"].value
        fact = kinds.of(x)
        ndim = fact.ndim if fact is not None and fact.kind == "array" else None
        if not isinstance(x, cst.Name) or not ndim or not is_never_stored_into(x.value, kinds.function):
            return updated_node  # a view would see what is stored
        windows = [e.value for e in window.elements] if isinstance(window, cst.Tuple) else [window]
        axes = _axes(given["axis"].value if "axis" in given else None, ndim)
        if axes is None or len(axes) != len(windows) or not all(map(_is_plain, windows)):
            return updated_node
        text = self.text(x.value, [code(w) for w in windows], axes, ndim)
        return updated_node if text is None else cst.parse_expression(text)

    def text(self, x: str, windows: list[str], axes: list[int], ndim: int) -> str | None:
        steps = [
            f"__numpy__.arange({x}.shape[{a}] - {w} + 1)[:, None] + __numpy__.arange({w})"
            for a, w in zip(axes, windows, strict=True)
        ]
        if ndim == 1:
            return f"{x}[{steps[0]}]"
        if len(axes) == 1:
            return f"__numpy__.moveaxis(__numpy__.take({x}, {steps[0]}, axis={axes[0]}), {axes[0] + 1}, -1)"
        if ndim == 2 and axes == [0, 1]:
            return f"{x}[({steps[0]})[:, None, :, None], ({steps[1]})[None, :, None, :]]"
        return None


def _axes(node: cst.BaseExpression | None, ndim: int) -> list[int] | None:
    """Returns the axes that windows slide along, None where they are not written out."""
    if node is None or code(node) == "None":
        return list(range(ndim))
    values = [e.value for e in node.elements] if isinstance(node, cst.Tuple) else [node]
    texts = [code(v).replace(" ", "") for v in values]
    if not all(t.removeprefix("-").isdigit() for t in texts):
        return None
    return [int(t) % ndim for t in texts]


def _is_plain(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name | cst.Integer)
