"""Rewrite a ufunc's ``out=`` with ``where=`` as ``np.where``, which every library has.

    r = np.divide(a, b, out=np.zeros_like(a), where=b != 0)
    np.log(x, out=y, where=x > 0)
->
    r = np.where(b != 0, np.divide(a, b), np.zeros_like(a))
    y[...] = np.where(x > 0, np.log(x), y)

Both give the elements of ``out`` where the condition is false. The function is evaluated everywhere then, so that one
that may raise for some elements (a division of whole numbers) is left as it is.
"""

from __future__ import annotations

from typing import Any

import libcst as cst
import numpy as np

from jitmagic.generate.blocks import small
from jitmagic.generate.kinds import Kinds, by_function
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter
from jitmagic.observe.facts import ValueFact

_FRESH = frozenset(f"numpy.{n}" for n in ("zeros", "zeros_like", "ones", "ones_like", "full", "full_like", "copy"))
"""Functions whose result nobody else has: what is written into it is seen in the result alone."""

_PYTHON = {"bool": "bool", "int": "int64", "float": "float64", "complex": "complex128"}


def without_masked_ufuncs(module: Module, tree: cst.Module, entry: str) -> cst.Module:
    """Returns the tree with ``np.where`` for the ufuncs that have both ``out=`` and ``where=``.

    Parameters
    ----------
    module : Module
    tree : libcst.Module
    entry : str
        The function that is compared, whose arguments were observed.
    """
    return tree.visit(MaskedUfuncs(module, by_function(module, tree, entry)))


class MaskedUfuncs(FunctionRewriter[Kinds]):
    """Does so in functions of which ``kinds`` tells what is known.

    Parameters
    ----------
    module : Module
    kinds : mapping of str to Kinds
    """

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if not self.stack:
            return updated_node
        known = self.chosen(original_node, updated_node)
        return known[0] if known is not None and self.is_fresh(known[1]) else updated_node

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Any:
        old, new = small(original_node), small(updated_node)
        if not self.stack or not isinstance(old, cst.Expr | cst.Assign) or not isinstance(new, cst.Expr | cst.Assign):
            return updated_node
        if not isinstance(old.value, cst.Call) or not isinstance(new.value, cst.Call):
            return updated_node
        known = self.chosen(old.value, new.value)
        if known is None or not isinstance(known[1], cst.Name | cst.Subscript):
            return updated_node
        value, out = known
        if isinstance(old, cst.Assign) and (len(old.targets) != 1 or not isinstance(old.targets[0].target, cst.Name)):
            return updated_node
        target = out if isinstance(out, cst.Subscript) else _whole(out)
        if target is not out:
            self.module.inherit(target, out)
        store = cst.Assign([cst.AssignTarget(target)], value)
        self.module.inherit(store, old)
        first = updated_node.with_changes(body=[store])
        self.module.inherit(first, original_node)
        if isinstance(old, cst.Expr) or _name(old.targets[0].target) == _name(out):
            return first
        second = updated_node.with_changes(body=[cst.Assign(old.targets, out)], leading_lines=[])
        self.module.inherit(second, original_node)
        return cst.FlattenSentinel([first, second])

    def is_fresh(self, out: cst.BaseExpression) -> bool:
        if not isinstance(out, cst.Call):
            return False
        method = isinstance(out.func, cst.Attribute) and (
            (out.func.attr.value == "copy" and not out.args)
            or (out.func.attr.value == "astype" and len(out.args) == 1)
        )
        return self.stack[-1].path(out.func) in _FRESH or (method and self.stack[-1].path(out.func) is None)

    def chosen(self, old: cst.Call, new: cst.Call) -> tuple[cst.Call, Any] | None:
        """Returns the choice by ``np.where`` with what it falls back on; None for any other call."""
        kinds = self.stack[-1]
        path = kinds.path(old.func)
        ufunc = getattr(np, path.removeprefix("numpy."), None) if path is not None else None
        if not isinstance(ufunc, np.ufunc) or ufunc.nout != 1 or not isinstance(old.func, cst.Attribute):
            return None
        if any(a.star for a in old.args):
            return None
        plain = [a for a in new.args if a.keyword is None]
        named = {a.keyword.value: a.value for a in new.args if a.keyword is not None}
        if len(plain) == ufunc.nin + 1 and "out" not in named:
            named["out"] = plain.pop().value
        if len(plain) != ufunc.nin or set(named) != {"out", "where"}:
            return None
        operands = [a.value for a in old.args if a.keyword is None][: ufunc.nin]
        out: Any = named["out"]
        if isinstance(out, cst.Tuple) and len(out.elements) == 1:
            out = out.elements[0].value
        inner_fact = self.result(ufunc, operands, kinds.of(old))
        if inner_fact is None:
            return None
        args = [a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in plain]
        inner = new.with_changes(args=args, whitespace_before_args=cst.SimpleWhitespace(""), lpar=[], rpar=[])
        self.module.inherit(inner, old)
        self.module.learn(inner, inner_fact)
        where = new.func.with_changes(attr=cst.Name("where"))
        choice = cst.Call(where, [cst.Arg(named["where"]), cst.Arg(inner), cst.Arg(out)], lpar=new.lpar, rpar=new.rpar)
        self.module.inherit(choice, old)
        return choice, out

    def result(self, ufunc: np.ufunc, operands: list[cst.BaseExpression], whole: ValueFact | None) -> ValueFact | None:
        """Returns what the function gives by itself; None where that is not known, or would change the dtype."""
        if whole is None or whole.kind != "array" or whole.dtype is None:
            return None
        dtypes: list[Any] = []
        for one in operands:
            fact = self.stack[-1].of(one)
            if fact is None:
                return None
            if fact.kind in ("array", "scalar") and fact.dtype is not None:
                dtypes.append(np.dtype(fact.dtype))
            elif fact.kind in _PYTHON:
                dtypes.append({"bool": bool, "int": int, "float": float, "complex": complex}[fact.kind])
            else:
                return None
        try:
            dtype = ufunc.resolve_dtypes((*dtypes, None))[-1]
        except TypeError:
            return None
        if dtype.kind in "iu" or np.result_type(dtype, whole.dtype) != np.dtype(whole.dtype):
            return None
        return ValueFact("array", str(dtype), whole.shape)


def _whole(name: Any) -> cst.Subscript:
    """Returns ``x[...]``."""
    return cst.Subscript(name, [cst.SubscriptElement(cst.Index(cst.Ellipsis()))])


def _name(node: Any) -> str | None:
    return node.value if isinstance(node, cst.Name) else None
