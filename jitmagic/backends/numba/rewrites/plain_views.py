"""Rewrites X as Y: `x[..., 1, None]` as `x[:, :, 1, None]`, and `x.reshape(n, 1)` of a vector as `x[:, None]`.

For kernels only, whose nests read views that are written so. A vector whose length is not the one that is asked for was
refused by NumPy, and is taken here.
"""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from jitmagic.backends.numba.rewrites.context import NumbaRewriter

_ALL = cst.SubscriptElement(cst.Index(cst.Name("None")))


class PlainViews(NumbaRewriter):
    """Writes views with one subscript for each axis."""

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        places = [k for k, one in enumerate(updated_node.slice) if _is_ellipsis(one)]
        fact = self.module.fact(original_node.value)
        if fact is None or fact.kind != "array" or fact.ndim is None:
            return updated_node
        if not places:
            return self._in_two(updated_node, original_node)
        given = [one for one in updated_node.slice if not _is_ellipsis(one) and not _is_new(one)]
        if any(self._is_array(one) for one in original_node.slice):
            return updated_node
        whole = [cst.SubscriptElement(cst.Slice(None, None)) for _ in range(fact.ndim - len(given))]
        parts = [*updated_node.slice[: places[0]], *whole, *updated_node.slice[places[0] + 1 :]]
        return self._in_two(updated_node.with_changes(slice=_separated(parts)), original_node)

    def _in_two(self, node: cst.Subscript, original: cst.Subscript) -> cst.Subscript:
        """Writes `x[:, 1, None]` as `x[:, 1][:, None]`: elements are picked before axes are added."""
        self.module.inherit(node, original)
        fact = self.module.fact(original)
        picks = [isinstance(one.slice, cst.Index) and not _is_new(one) for one in node.slice]
        news = [_is_new(one) for one in node.slice]
        if not any(picks) or not any(news) or fact is None or fact.shape is None:
            return node
        inner = node.with_changes(slice=_separated([one for one in node.slice if not _is_new(one)]))
        outer = [one for one, pick in zip(node.slice, picks, strict=True) if not pick]
        new = [_is_new(one) for one in outer]
        shape = tuple(n for n, added in zip(fact.shape, new, strict=False) if not added) + fact.shape[len(new) :]
        self.module.learn(inner, replace(fact, shape=shape))
        whole = cst.SubscriptElement(cst.Slice(None, None))
        made = cst.Subscript(inner, _separated([_ALL if added else whole for added in new]))
        self.module.inherit(made, original)
        return made

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        function = updated_node.func
        old = original_node.func
        if not isinstance(function, cst.Attribute) or not isinstance(old, cst.Attribute):
            return updated_node
        if function.attr.value != "reshape" or any(one.keyword is not None or one.star for one in updated_node.args):
            return updated_node
        before, after = self.module.fact(old.value), self.module.fact(original_node)
        if before is None or after is None or before.kind != "array" or before.ndim != 1 or after.shape is None:
            return updated_node
        sizes = updated_node.args
        if len(sizes) == 1 and isinstance(sizes[0].value, cst.Tuple):
            shape = [one.value for one in sizes[0].value.elements]
        else:
            shape = [one.value for one in sizes]
        if len(shape) != 2 or sum(isinstance(one, cst.Integer) and one.value == "1" for one in shape) != 1:
            return updated_node
        column = isinstance(shape[1], cst.Integer) and shape[1].value == "1"
        whole, new_axis = cst.SubscriptElement(cst.Slice(None, None)), _ALL
        new = cst.Subscript(function.value, _separated([whole, new_axis] if column else [new_axis, whole]))
        self.module.inherit(new, original_node)
        return new

    def _is_array(self, element: cst.SubscriptElement) -> bool:
        fact = self.module.fact(element.slice.value) if isinstance(element.slice, cst.Index) else None
        return fact is not None and fact.kind == "array"


def _separated(parts: list[cst.SubscriptElement]) -> list[cst.SubscriptElement]:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return [
        one.with_changes(comma=comma if k < len(parts) - 1 else cst.MaybeSentinel.DEFAULT)
        for k, one in enumerate(parts)
    ]


def _is_ellipsis(element: cst.SubscriptElement) -> bool:
    return isinstance(element.slice, cst.Index) and isinstance(element.slice.value, cst.Ellipsis)


def _is_new(element: cst.SubscriptElement) -> bool:
    return isinstance(element.slice, cst.Index) and isinstance(element.slice.value, cst.Name) and (
        element.slice.value.value == "None"
    )  # fmt: skip
