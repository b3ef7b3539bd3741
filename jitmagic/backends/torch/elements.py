"""Elements of arrays: scalars of their own in NumPy, views in torch; copied where they are kept and may be changed.

``v = a[i]`` is a tensor without axes in torch: a later store into ``a[i]`` changes ``v``, where NumPy's scalar stays.
And torch hashes a tensor by its identity, so that a dict or a set is asked for the number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libcst as cst

from jitmagic.analysis.stored import Stored
from jitmagic.backends.torch.calling import Calls
from jitmagic.backends.torch.calls import atom, code
from jitmagic.backends.torch.scope import base_name
from jitmagic.generate.kept import kept, kept_arguments, stepped
from jitmagic.generate.kinds import is_given_numbers

_KEYED_METHODS = frozenset({"add", "discard", "remove", "get", "setdefault", "pop"})


class Elements(Calls):
    """Copies elements that are kept, and takes the number of those that a dict or a set is asked for.

    Attributes
    ----------
    storing : frozenset of str
        The module's functions that store into elements of their parameters.
    memory : mapping of str to Stored
        Each top-level function's stores.
    """

    storing: frozenset[str] = frozenset()
    memory: Mapping[str, Stored]

    @property
    def outermost(self) -> str:
        """The top-level function that is being walked."""
        return [*self.scopes, self.scope][1].name

    # -- what is kept ------------------------------------------------------------------------------------------------

    def owned(self, original: cst.BaseExpression, updated: Any) -> Any:
        """Copies the elements in an expression that is kept, where the function stores into their array."""
        return kept(original, updated, self._own)

    def _own(self, original: cst.BaseExpression, updated: Any) -> Any:
        value, seen = self.value(original), self.fact(original)
        # an index that is a tensor, or a line that did not run, hides what NumPy gives; of an array that is indexed
        # along all its axes it is an element or, by index arrays, a copy already
        scalar = value.scalar or (seen is not None and seen.kind == "scalar") or self._is_indexed_fully(original)
        if not scalar or not value.may_be_tensor:
            return updated
        passed_on = isinstance(original, cst.Subscript) or (
            isinstance(original, cst.Attribute | cst.Call) and value.view
        )
        if passed_on and self.may_change(original):
            if is_given_numbers(self.module, original):
                return cst.parse_expression(f"1*{atom(updated)}")  # a number of Python's has no method `clone`
            return cst.parse_expression(f"{atom(updated)}.clone()")
        return updated

    def _is_indexed_fully(self, node: cst.BaseExpression) -> bool:
        if not isinstance(node, cst.Subscript) or not all(isinstance(e.slice, cst.Index) for e in node.slice):
            return False
        places = [e.slice.value for e in node.slice if isinstance(e.slice, cst.Index)]
        if any(isinstance(place, cst.Ellipsis) or code(place) in ("None", "np.newaxis") for place in places):
            return False
        base = self.fact(node.value)
        ndim = base.ndim if base is not None and base.kind == "array" else self.value(node.value).ndim
        return ndim == len(places)

    def may_change(self, node: cst.BaseExpression) -> bool:
        """Tells whether the memory behind an expression may be stored into, here or in a function that is called."""
        return bool(self.storing - {self.outermost}) or self.memory[self.outermost].may_change(base_name(node))

    def kept_steps(self, original: cst.For, updated: cst.For) -> cst.For:
        """Copies the elements over which a loop runs, at the head of its body, where their array may change."""
        found = [
            target.value
            for target, source in stepped(original.target, original.iter)
            if isinstance(target, cst.Name)
            and (value := self.value(target)).scalar
            and value.is_tensor
            and self.value(source).may_be_tensor
            and self.may_change(source)
        ]
        if not found or not isinstance(updated.body, cst.IndentedBlock):
            return updated
        lines = [cst.parse_statement(f"{name} = {name}.clone()") for name in found]
        return updated.with_changes(body=updated.body.with_changes(body=[*lines, *updated.body.body]))

    def leave_NamedExpr(self, original_node: cst.NamedExpr, updated_node: cst.NamedExpr) -> cst.BaseExpression:
        super().leave_NamedExpr(original_node, updated_node)
        return updated_node.with_changes(value=self.owned(original_node.value, updated_node.value))

    # -- what a dict or a set is asked for ---------------------------------------------------------------------------

    def key(self, original: cst.BaseExpression, updated: Any) -> Any:
        """Takes the numbers out of what is hashed."""
        if isinstance(original, cst.Tuple) and isinstance(updated, cst.Tuple):
            elements = [
                new.with_changes(value=self.key(old.value, new.value))
                for old, new in zip(original.elements, updated.elements, strict=True)
            ]
            return updated.with_changes(elements=elements)
        if original in self.scope.keys:
            return updated
        value = self.value(original)
        if value.kind == "sequence" and value.items and all(item.is_tensor and item.ndim == 0 for item in value.items):
            self.pull("a key", original)
            return cst.parse_expression(f"tuple(part.item() for part in {code(updated)})")
        if value.kind == "either" or (value.kind == "sequence" and any(item.may_be_tensor for item in value.items)):
            self.fail("asks a dict or a set for array elements: write `int(…)` of them first", node=original)
        if value.is_tensor:
            self.pull("a key", original)
            return cst.parse_expression(f"{atom(updated)}.item()")
        return updated

    def is_dict(self, node: cst.BaseExpression) -> bool:
        """Tells whether an original node was seen as a dict."""
        seen = self.fact(node)
        return seen is not None and seen.kind == "dict"

    def hashes(self, node: cst.BaseExpression) -> bool:
        """Tells whether an original node is a dict or a set (which the watch knows as an object)."""
        if isinstance(node, cst.Set | cst.Dict | cst.SetComp | cst.DictComp):
            return True
        seen = self.fact(node)
        return seen is not None and seen.kind in ("dict", "object")

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        result = super().leave_Comparison(original_node, updated_node)
        last = original_node.comparisons[-1]
        if isinstance(last.operator, cst.In | cst.NotIn) and self.hashes(last.comparator):
            assert isinstance(result, cst.Comparison)
            return result.with_changes(left=self.key(original_node.left, result.left))
        return result

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        result = super().leave_Subscript(original_node, updated_node)
        if not self.hashes(original_node.value) or not isinstance(result, cst.Subscript):
            return result
        elements = []
        for old, new in zip(original_node.slice, result.slice, strict=True):
            if isinstance(old.slice, cst.Index) and isinstance(new.slice, cst.Index):
                key = self.key(old.slice.value, new.slice.value)
                new = new.with_changes(slice=new.slice.with_changes(value=key))
            elements.append(new)
        return result.with_changes(slice=elements)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        result = super().leave_Call(original_node, updated_node)
        func = original_node.func
        if not isinstance(result, cst.Call) or not result.args or len(result.args) != len(original_node.args):
            return result
        if isinstance(func, cst.Attribute) and func.attr.value in _KEYED_METHODS and self.hashes(func.value):
            first = self.key(original_node.args[0].value, result.args[0].value)
            return result.with_changes(args=[result.args[0].with_changes(value=first), *result.args[1:]])
        if self.path(func) is not None:
            return result
        return kept_arguments(original_node, result, self.storing, self._own)
