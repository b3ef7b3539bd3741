"""Rewrite ``np.divide(a, b, out=np.zeros_like(a), where=m)`` as ``np.where(m, np.divide(a, b), np.zeros_like(a))``.

The ufuncs of the libraries know no ``where=``, and some no ``out=``. Both forms give the elements of ``out`` where the
mask is False; the second also computes there what it does not take, which for floats is at worst a NaN that is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter
from jitmagic.observe.facts import ValueFact

_FRESH = frozenset(
    f"numpy.{name}" for name in ("zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "copy", "array")
)
"""Functions that give an array of which nobody else knows: what becomes of it is the result alone."""
_FRESH_METHODS = frozenset({"copy", "astype"})
_WEAK: dict[str, Any] = {"bool": True, "int": 1, "float": 1.0, "complex": 1j}


def without_masks(
    module: Module, tree: cst.Module, kinds: dict[str, Kinds], spell: Callable[[str], str] | None = None
) -> cst.Module:
    """Returns a tree in which such calls are choices.

    Parameters
    ----------
    module : Module
        Its names may get another one that stands for NumPy.
    tree : libcst.Module
    kinds : dict of str to Kinds
        By function.
    spell : callable, optional
        Returns how ``numpy.where`` is written; else by a name that stands for NumPy in the user's text.
    """
    if "where" not in module.source.text:
        return tree
    if spell is None:
        alias = next((name for name, path in module.names.items() if path == "numpy"), "__numpy__")
        module.names[alias] = "numpy"
        spell = lambda path: path.replace("numpy", alias)  # noqa: E731
    return tree.visit(_Masked(module, kinds, spell))


class _Masked(FunctionRewriter[Kinds]):
    """Takes ``where=`` and ``out=`` out of calls of ufuncs whose result is of the dtype of ``out``."""

    def __init__(self, module: Module, kinds: dict[str, Kinds], spell: Callable[[str], str]) -> None:
        super().__init__(module, kinds)
        self.spell = spell

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        found = self._masked(original_node)
        if found is None or not self._is_fresh(found[1]):
            return updated_node
        return self._chosen(original_node, updated_node)

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.BaseSmallStatement:
        """Writes ``np.divide(a, b, out=c, where=m)`` as a store into ``c``."""
        return self._stored(original_node.value, updated_node.value) or updated_node

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.BaseSmallStatement:
        """Does so of ``c = np.divide(a, b, out=c, where=m)``."""
        made = self._stored(original_node.value, updated_node.value)
        if made is None or len(original_node.targets) != 1:
            return updated_node
        target = original_node.targets[0].target
        out = _keyword(updated_node.value, "out") if isinstance(updated_node.value, cst.Call) else None
        return made if out is not None and code(target) == code(out) else updated_node

    def _masked(self, call: Any) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
        """Returns the mask and the array of a call of a ufunc that has both, and whose result is of that dtype."""
        if not isinstance(call, cst.Call) or not self.stack:
            return None
        kinds = self.stack[-1]
        path = kinds.path(call.func) or ""
        ufunc = getattr(np, path.removeprefix("numpy."), None) if path.count(".") == 1 else None
        if not isinstance(ufunc, np.ufunc) or ufunc.nout != 1 or not path.startswith("numpy."):
            return None
        mask, out = _keyword(call, "where"), _keyword(call, "out")
        operands = [a.value for a in call.args if a.keyword is None]
        keywords = {a.keyword.value for a in call.args if a.keyword is not None}
        if mask is None or out is None or keywords != {"where", "out"} or len(operands) != ufunc.nin:
            return None
        if any(a.star for a in call.args):
            return None
        given = kinds.of(out)
        dtype = _result(ufunc, [kinds.of(operand) for operand in operands])
        if given is None or given.kind != "array" or dtype is None or str(dtype) != given.dtype:
            return None
        # an integer that is divided by zero is an exception in some libraries
        return (mask, out) if dtype.kind in "fc" else None

    def _is_fresh(self, node: cst.BaseExpression) -> bool:
        if not isinstance(node, cst.Call):
            return False
        path = self.stack[-1].path(node.func)
        if path is None:
            return isinstance(node.func, cst.Attribute) and node.func.attr.value in _FRESH_METHODS
        return path in _FRESH

    def _chosen(self, original: cst.Call, updated: cst.Call) -> cst.Call:
        mask, out = _keyword(updated, "where"), _keyword(updated, "out")
        assert mask is not None
        assert out is not None
        operands = [a for a in updated.args if a.keyword is None]
        operands[-1] = operands[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        inner = updated.with_changes(args=operands, lpar=[], rpar=[])
        fact = self.module.fact(original)
        if fact is not None:
            self.module.learn(inner, fact)
        self.module.inherit(inner, original)
        given = [cst.Arg(self._bare(part)) for part in (mask, inner, out)]
        where = cst.Call(cst.parse_expression(self.spell("numpy.where")), given)
        return where.with_changes(lpar=updated.lpar, rpar=updated.rpar)

    def _stored(self, original: Any, updated: Any) -> cst.Assign | None:
        found = self._masked(original)
        if found is None or not isinstance(found[1], cst.Name) or not isinstance(updated, cst.Call):
            return None
        out = _keyword(updated, "out")
        assert isinstance(out, cst.Name)
        place = cst.Subscript(out, [cst.SubscriptElement(cst.Index(cst.Ellipsis()))])
        self.module.inherit(place, found[1])
        value = self._chosen(original, updated)
        self.module.inherit(value, original)
        return cst.Assign([cst.AssignTarget(place)], value)

    def _bare(self, node: cst.BaseExpression) -> cst.BaseExpression:
        if not node.lpar or isinstance(node, cst.Tuple | cst.GeneratorExp):
            return node
        new = node.with_changes(lpar=[], rpar=[])
        self.module.inherit(new, node)
        return new


def _keyword(call: cst.Call, name: str) -> cst.BaseExpression | None:
    return next((a.value for a in call.args if a.keyword is not None and a.keyword.value == name), None)


def _result(ufunc: np.ufunc, operands: list[ValueFact | None]) -> np.dtype[Any] | None:
    """Returns the dtype that a ufunc gives of such operands; NumPy itself says."""
    values: list[Any] = []
    for fact in operands:
        if fact is not None and fact.kind in _WEAK:
            values.append(_WEAK[fact.kind])
        elif fact is not None and fact.kind in ("array", "scalar") and fact.dtype is not None:
            values.append(np.ones((), fact.dtype))
        else:
            return None
    try:
        return ufunc(*values).dtype
    except (TypeError, ValueError):
        return None
