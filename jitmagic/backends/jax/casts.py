"""Rewrite an expression that JAX would give another dtype with the cast that keeps NumPy's.

``int32 / int32``, ``int32 * float32``, ``sqrt(int32)`` and ``mean(int32)`` are float64 in NumPy and float32 in
JAX, also with x64 on; ``cumsum(int32)`` is int64 in NumPy. The casts stand where the observed facts say that
the two differ, and nowhere else.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.jax.promotion import inexact, is_integer, of_operands
from jitmagic.generate.blocks import code, made, small
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter
from jitmagic.observe.facts import ValueFact

_WITH_DTYPE_NAMES = "mean std var cumsum cumprod nanmean nanstd nanvar sum prod trace"
_TO_FLOAT_NAMES = """
    sqrt cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh
    arctanh arctan2 hypot logaddexp logaddexp2 divide true_divide median nanmedian percentile quantile nanpercentile
    nanquantile average deg2rad rad2deg degrees radians sinc i0 cov corrcoef interp gradient trapezoid trapz polyfit
"""
_ARITHMETIC_NAMES = """
    add subtract multiply maximum minimum fmax fmin power float_power mod remainder fmod dot vdot inner outer matmul
    tensordot cross kron convolve correlate where clip polyval copysign heaviside floor_divide
"""
_WITH_DTYPE = frozenset(_WITH_DTYPE_NAMES.split())
_TO_FLOAT = frozenset(_TO_FLOAT_NAMES.split())
_ARITHMETIC = frozenset(_ARITHMETIC_NAMES.split())
_CASTABLE = frozenset(
    ("float32", "float64", "complex64", "complex128", "int16", "int32", "int64", "uint8", "uint32", "uint64")
)


_BINNED = frozenset({"numpy.histogram", "numpy.histogram2d", "numpy.histogram_bin_edges"})
_COUNTED_IN = {"numpy.histogram": ("int64",), "numpy.histogram2d": ("int64", "float64")}
"""The dtypes that NumPy counts in, and JAX in another."""


def casts(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with the casts that NumPy's dtypes need."""
    return tree.visit(_Casts(module, kinds))


class _Casts(FunctionRewriter[Kinds]):
    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        """Gives the counts of ``h, edges = np.histogram(x)`` NumPy's dtype, where JAX counts in another."""
        one = small(original_node)
        if not self.stack or not isinstance(one, cst.Assign) or not isinstance(one.value, cst.Call):
            return updated_node
        target = one.targets[0].target
        fact = self.stack[-1].of(one.value)
        if (
            isinstance(target, cst.Tuple)
            and isinstance(target.elements[0].value, cst.Name)
            and fact is not None
            and fact.items
            and (dtype := fact.items[0].dtype) in _COUNTED_IN.get(self.stack[-1].path(one.value.func) or "", ())
        ):
            name = target.elements[0].value.value
            return cst.FlattenSentinel([updated_node, made(f"{name} = {name}.astype(__numpy__.{dtype})", updated_node)])
        return updated_node

    def leave_SubscriptElement(
        self, original_node: cst.SubscriptElement, updated_node: cst.SubscriptElement
    ) -> cst.SubscriptElement:
        """Makes an array of a list that indexes an array: NumPy does so itself, JAX refuses it."""
        index = updated_node.slice
        if not self.stack or not isinstance(index, cst.Index):
            return updated_node
        old: Any = original_node.slice
        fact = self.stack[-1].of(old.value)
        if isinstance(old.value, cst.List) or (
            fact is not None and fact.kind == "list" and isinstance(old.value, cst.Name | cst.ListComp)
        ):
            new = cst.parse_expression(f"__numpy__.array({code(index.value)})")
            self.module.inherit(new, old.value)
            return updated_node.with_changes(slice=index.with_changes(value=new))
        return updated_node

    def leave_BinaryOperation(self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation) -> Any:
        if not self.stack:
            return updated_node
        kinds = self.stack[-1]
        wanted = kinds.dtype(original_node)
        left, right = kinds.of(original_node.left), kinds.of(original_node.right)
        if wanted is None or left is None or right is None:
            return updated_node
        got = of_operands([left, right])
        if got is not None and isinstance(original_node.operator, cst.Divide):
            got = inexact(got)
        if got is None or got == wanted or not _castable(wanted):
            return updated_node
        if _needs_cast(left, wanted, right):
            return updated_node.with_changes(left=cast_to(updated_node.left, wanted))
        if _needs_cast(right, wanted, left):
            return updated_node.with_changes(right=cast_to(updated_node.right, wanted))
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> Any:
        if not self.stack:
            return updated_node
        kinds = self.stack[-1]
        path = kinds.path(original_node.func)
        if path in _BINNED:
            return _binned(original_node, updated_node, kinds)
        wanted = kinds.dtype(original_node)
        if wanted is None or not _castable(wanted):
            return updated_node
        if path is None and isinstance(original_node.func, cst.Attribute):
            return _method(original_node, updated_node, wanted, kinds)
        if path is None or not path.startswith(("numpy.", "scipy.")):
            return updated_node
        name = path.removeprefix("numpy.")
        positional = [(p, a) for p, a in enumerate(original_node.args) if a.keyword is None and not a.star]
        facts = {p: f for p, a in positional if (f := kinds.of(a.value)) is not None and f.kind in _NUMERIC}
        if name in ("searchsorted", "digitize") and wanted == "int64":
            # JAX counts positions in 32 bits where they suffice
            return cst.parse_expression(f"{code(updated_node)}.astype(__numpy__.int64)")
        if name in _WITH_DTYPE:
            first = facts.get(0)
            if first is not None and first.dtype is not None and _reduced(name, first.dtype) != wanted:
                return _with_dtype(original_node, updated_node, wanted)
            return updated_node
        to_float = name in _TO_FLOAT or name.startswith(("linalg.", "fft.")) or path.startswith("scipy.")
        if not to_float and name not in _ARITHMETIC:
            return updated_node
        if name in ("where",):
            facts.pop(0, None)
        got = of_operands(list(facts.values()))
        if got is None:
            return updated_node
        if to_float:
            got = inexact(got)
        if got == wanted or (name.startswith("fft.") and got == wanted.replace("complex128", "float64")):
            return updated_node
        target = "float64" if wanted in ("float64", "complex128") else wanted
        args = list(updated_node.args)
        done = False
        for p, fact in facts.items():
            if fact.dtype is not None and is_integer(fact.dtype) and (to_float or not is_integer(wanted) or not done):
                args[p] = args[p].with_changes(value=cast_to(args[p].value, target))
                done = True
        return updated_node.with_changes(args=args)


def _binned(old: cst.Call, new: cst.Call, kinds: Kinds) -> cst.Call:
    """Casts small integers that are counted in bins: JAX's edges would be float32, NumPy's are float64."""
    args = list(new.args)
    for place, argument in enumerate(old.args[:2]):
        fact = kinds.of(argument.value) if argument.keyword is None and not argument.star else None
        counted = place == 0 or kinds.path(old.func) == "numpy.histogram2d"
        dtype = fact.dtype if fact is not None and fact.kind == "array" else None
        if counted and dtype not in (None, "bool") and is_integer(dtype) and inexact(dtype) != "float64":
            args[place] = args[place].with_changes(value=cast_to(args[place].value, "float64"))
    return new.with_changes(args=args)


def _method(old: cst.Call, new: cst.Call, wanted: str, kinds: Kinds) -> cst.Call:
    func, renewed = old.func, new.func
    if not isinstance(func, cst.Attribute) or not isinstance(renewed, cst.Attribute):
        return new
    name, fact = func.attr.value, kinds.of(func.value)
    if fact is None or fact.kind != "array" or fact.dtype is None:
        return new
    if name in _WITH_DTYPE and _reduced(name, fact.dtype) != wanted:
        return _with_dtype(old, new, wanted)
    if name == "dot" and old.args:
        other = kinds.of(old.args[0].value)
        if other is not None and of_operands([fact, other]) != wanted and is_integer(fact.dtype):
            return new.with_changes(func=renewed.with_changes(value=cast_to(renewed.value, wanted)))
    return new


_NUMERIC = ("array", "scalar", "int", "float", "complex", "bool")


def cast_to(value: cst.BaseExpression, dtype: str) -> cst.BaseExpression:
    """Makes ``value.astype(np.dtype)``; ``np`` is written as a full path here and spelled with the other names."""
    text = code(value)
    simple = isinstance(value, cst.Name | cst.Attribute | cst.Call | cst.Subscript) or value.lpar
    return cst.parse_expression(f"{text if simple else f'({text})'}.astype(__numpy__.{dtype})")


def _castable(dtype: str) -> bool:
    return dtype in _CASTABLE


def _needs_cast(fact: ValueFact, wanted: str, other: ValueFact) -> bool:
    """Says whether casting this operand gives the wanted dtype."""
    if fact.dtype is None or fact.kind not in ("array", "scalar") or fact.dtype == wanted:
        return False
    if not is_integer(fact.dtype) and other.dtype is not None and is_integer(other.dtype):
        return False
    return of_operands([ValueFact("array", dtype=wanted), other]) == wanted


def _reduced(name: str, dtype: str) -> str:
    if name in ("cumsum", "cumprod"):
        return "int64" if dtype == "bool" else dtype
    if name in ("sum", "prod", "trace"):
        if not is_integer(dtype):
            return dtype
        return "uint64" if dtype.startswith("u") else "int64"
    if dtype.startswith("complex") and name.endswith(("std", "var")):
        return "float64" if dtype == "complex128" else "float32"
    return inexact(dtype)


def _with_dtype(old: cst.Call, new: cst.Call, dtype: str) -> cst.Call:
    if any(a.keyword is not None and a.keyword.value == "dtype" for a in old.args):
        return new
    return with_keyword(new, "dtype", f"__numpy__.{dtype}")


def with_keyword(call: cst.Call, keyword: str, value: str) -> cst.Call:
    """Returns a call with one more keyword argument."""
    args = list(call.args)
    if args:
        space = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        args[-1] = args[-1].with_changes(comma=space, whitespace_after_arg=cst.SimpleWhitespace(""))
    argument = cst.Arg(
        cst.parse_expression(value),
        keyword=cst.Name(keyword),
        equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
    )
    return call.with_changes(args=[*args, argument])
