"""Rewrite Python's scalar operations on traced values as JAX's: ``and``, ``a < b < c``, ``a if c else b``, ``max``."""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.jax.functions import BINARY_UFUNCS, ELEMENTWISE, MATH, MATH_SPECIAL
from jitmagic.backends.jax.tracing import Tracing
from jitmagic.errors import Unsupported
from jitmagic.generate.blocks import code
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter

_CREATION = frozenset(
    f"numpy.{n}"
    for n in (
        "zeros",
        "ones",
        "empty",
        "full",
        "zeros_like",
        "ones_like",
        "empty_like",
        "full_like",
        "array",
        "asarray",
    )
) | {"numpy.copy", "numpy.ascontiguousarray", "numpy.asfortranarray", "numpy.eye", "numpy.require"}
_JOINING = frozenset(f"numpy.{n}" for n in ("concatenate", "hstack", "vstack", "stack", "column_stack", "dstack"))
_REDUCING_NAMES = "sum prod mean std var max min amax amin median any all argmax argmin cumsum cumprod sort argsort ptp"
_REDUCING = frozenset(_REDUCING_NAMES.split())
_OF_ARRAYS_NAMES = "percentile quantile nanpercentile nanquantile dot inner outer cross linalg.norm diff diag average"
_OF_ARRAYS = frozenset(_OF_ARRAYS_NAMES.split()) | _REDUCING
_CLIP = {"a_min": "min", "a_max": "max"}
"""What JAX calls the parameters of ``np.clip`` that have names: those of the array API."""

_CONVERSIONS = {"float": "float64", "int": "int64", "complex": "complex128", "bool": "bool_"}


def scalars(module: Module, tree: cst.Module, tracing: dict[str, Tracing]) -> cst.Module:
    """Returns the tree with scalar operations on traced values that JAX can trace."""
    return tree.visit(_Scalars(module, tracing))


class _Scalars(FunctionRewriter[Tracing]):
    def traced(self, node: cst.CSTNode) -> bool:
        return bool(self.stack) and self.stack[-1].expression(node)

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.BaseExpression:
        if not self.traced(original_node.test):
            return updated_node
        parts = (updated_node.test, updated_node.body, updated_node.orelse)
        return cst.parse_expression(f"__numpy__.where({', '.join(code(p) for p in parts)})")

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> cst.While:
        return updated_node.with_changes(test=self.asked(original_node.test, updated_node.test))

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        return updated_node.with_changes(test=self.asked(original_node.test, updated_node.test))

    def asked(self, old: cst.BaseExpression, new: cst.BaseExpression) -> cst.BaseExpression:
        """Returns a test of a traced number as a comparison with zero."""
        fact = self.stack[-1].kinds.of(old) if self.traced(old) else None
        number = fact is not None and fact.kind in ("int", "float", "scalar") and fact.dtype != "bool"
        if not number or isinstance(old, cst.Comparison | cst.BooleanOperation):
            return new
        return cst.parse_expression(f"{_bracketed(code(new))} != 0")

    def leave_BooleanOperation(
        self, original_node: cst.BooleanOperation, updated_node: cst.BooleanOperation
    ) -> cst.BaseExpression:
        if not self.traced(original_node.left):
            return updated_node
        name = "logical_and" if isinstance(original_node.operator, cst.And) else "logical_or"
        return cst.parse_expression(f"__numpy__.{name}({code(updated_node.left)}, {code(updated_node.right)})")

    def leave_UnaryOperation(
        self, original_node: cst.UnaryOperation, updated_node: cst.UnaryOperation
    ) -> cst.BaseExpression:
        if isinstance(original_node.operator, cst.Not) and self.traced(original_node.expression):
            return cst.parse_expression(f"__numpy__.logical_not({code(updated_node.expression)})")
        return updated_node

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        if (found := self.one_of(original_node, updated_node)) is not None:
            return found
        if len(updated_node.comparisons) < 2 or not self.traced(original_node):
            return updated_node
        left = updated_node.left
        parts = []
        for comparison in updated_node.comparisons:
            parts.append(f"({code(cst.Comparison(left, [comparison]))})")
            left = comparison.comparator
        return cst.parse_expression(f"({' & '.join(parts)})")

    def one_of(self, old: cst.Comparison, new: cst.Comparison) -> cst.BaseExpression | None:
        """Returns ``case in (1, 14)`` as comparisons with each of the numbers; None for any other comparison."""
        if len(old.comparisons) != 1 or not isinstance(old.comparisons[0].operator, cst.In | cst.NotIn):
            return None
        among = new.comparisons[0].comparator
        if not isinstance(among, cst.Tuple | cst.List | cst.Set) or not among.elements or not self.traced(old):
            return None
        kinds = self.stack[-1].kinds
        given: Any = old.comparisons[0].comparator
        if not kinds.is_number(old.left) or not all(kinds.is_number(e.value) for e in given.elements):
            return None
        left = _bracketed(code(new.left))
        without = isinstance(old.comparisons[0].operator, cst.NotIn)
        word, sign = ("!=", " & ") if without else ("==", " | ")
        parts = [f"({left} {word} {_bracketed(code(e.value))})" for e in among.elements]
        text = sign.join(parts)
        return cst.parse_expression(f"({text})" if len(parts) > 1 else parts[0])

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if not self.stack:
            return updated_node
        kinds = self.stack[-1].kinds
        path = kinds.path(original_node.func)
        func: Any = original_node.func
        if path in _CREATION:
            updated_node = without_keyword(updated_node, "order")
        if path == "numpy.clip":
            updated_node = _renamed(updated_node, _CLIP, first="a")
        updated_node = self.without_lists(path, original_node, updated_node)
        updated_node = self.joined_lists(path, updated_node)
        if path in ("numpy.sort", "numpy.argsort") or (
            isinstance(func, cst.Attribute) and func.attr.value in ("sort", "argsort") and path is None
        ):
            updated_node = without_keyword(updated_node, "kind")  # JAX's sorts are stable by default
        traced = any(self.traced(a.value) for a in original_node.args)
        if path is not None and traced:
            if path in MATH:
                if path == "math.log" and len(original_node.args) == 2:
                    x, base = (code(a.value) for a in updated_node.args)
                    return cst.parse_expression(f"__numpy__.log({x}) / __numpy__.log({base})")
                return updated_node.with_changes(func=cst.parse_expression(f"__numpy__.{MATH[path]}"))
            if path in MATH_SPECIAL:
                return updated_node.with_changes(
                    func=cst.parse_expression(f"__jax__.scipy.special.{MATH_SPECIAL[path]}")
                )
            if path in ("math.floor", "math.ceil", "math.trunc"):
                rounded = updated_node.with_changes(func=cst.parse_expression(f"__numpy__.{path[5:]}"))
                return cst.parse_expression(f"{code(rounded)}.astype(__numpy__.int64)")
            if path.startswith(("math.", "cmath.")):
                line = self.module.line(original_node)
                raise Unsupported(
                    f"line {line}: `{path}` needs a Python number, but its argument depends on array values; use "
                    "a NumPy "
                    "function instead",
                    line,
                    "JX-INTCAST",
                )
        if isinstance(func, cst.Name) and path is None and func.value not in kinds.local and traced:
            return self.builtin(func.value, original_node, updated_node)
        if path is None and isinstance(func, cst.Attribute) and self.traced(func.value):
            fact = kinds.of(func.value)
            if func.attr.value == "item" and not original_node.args:
                inner = updated_node.func
                assert isinstance(inner, cst.Attribute)
                return (
                    inner.value
                    if fact is not None and fact.ndim == 0
                    else cst.parse_expression(f"{code(inner.value)}.reshape(())")
                )
        return updated_node

    def joined_lists(self, path: str | None, node: cst.Call) -> cst.Call:
        """Makes arrays of the lists among the arrays that are joined."""
        if path not in _JOINING or not node.args or not isinstance(node.args[0].value, cst.Tuple | cst.List):
            return node
        parts = node.args[0].value
        if not any(isinstance(e.value, cst.List) for e in parts.elements):
            return node
        elements = [
            e.with_changes(value=cst.parse_expression(f"__numpy__.array({code(e.value)})"))
            if isinstance(e.value, cst.List)
            else e
            for e in parts.elements
        ]
        return node.with_changes(
            args=[node.args[0].with_changes(value=parts.with_changes(elements=elements)), *node.args[1:]]
        )

    def without_lists(self, path: str | None, old: cst.Call, new: cst.Call) -> cst.Call:
        """Makes arrays of lists where NumPy does so itself and JAX refuses."""
        name = (path or "").removeprefix("numpy.")
        if path is None or not (path in ELEMENTWISE or path in BINARY_UFUNCS or name in _OF_ARRAYS):
            return new
        kinds = self.stack[-1].kinds
        args = list(new.args)
        for position, argument in enumerate(old.args):
            fact = kinds.of(argument.value)
            is_list = isinstance(argument.value, cst.List | cst.ListComp | cst.Tuple) or (
                fact is not None and fact.kind in ("list", "tuple")
            )
            keyword = argument.keyword.value if argument.keyword is not None else None
            needed = self.traced(argument.value) or isinstance(argument.value, cst.List)
            if is_list and needed and not argument.star and (position < 2 if keyword is None else keyword == "q"):
                if keyword is None and position == 1 and name in _REDUCING:
                    continue  # the axes
                value = cst.parse_expression(f"__numpy__.array({code(args[position].value)})")
                args[position] = args[position].with_changes(value=value)
        return new.with_changes(args=args)

    def builtin(self, name: str, old: cst.Call, new: cst.Call) -> cst.BaseExpression:
        kinds = self.stack[-1].kinds
        args = new.args
        plain = all(a.keyword is None and not a.star for a in args)
        if not plain:
            return new
        texts = [code(a.value) for a in args]
        if name in ("max", "min", "any", "all") and len(args) == 1 and not kinds.is_array(old.args[0].value):
            only = old.args[0].value
            if isinstance(only, cst.GeneratorExp):
                texts[0] = f"[{code(args[0].value.with_changes(lpar=[], rpar=[]))}]"
            elif not isinstance(only, cst.ListComp) and not kinds.is_container(only):
                return new
            return cst.parse_expression(f"__numpy__.{name}(__numpy__.array({texts[0]}))")
        if name in ("max", "min"):
            if len(args) == 1:
                return (
                    cst.parse_expression(f"__numpy__.{name}({texts[0]})") if kinds.is_array(old.args[0].value) else new
                )
            result = texts[0]
            for text in texts[1:]:
                result = f"__numpy__.{name}imum({result}, {text})"
            return cst.parse_expression(result)
        if name == "sum" and len(args) == 1 and kinds.is_array(old.args[0].value):
            return cst.parse_expression(f"__numpy__.sum({texts[0]}, axis=0)")
        if name in ("any", "all") and kinds.is_array(old.args[0].value):
            return cst.parse_expression(f"__numpy__.{name}({texts[0]})")
        if name == "round":
            rounded = f"__numpy__.round({', '.join(texts)})"
            return cst.parse_expression(rounded if len(args) == 2 else f"{rounded}.astype(__numpy__.int64)")
        if name == "complex" and len(args) == 2:
            return cst.parse_expression(f"({_bracketed(texts[0])} + 1j * {_bracketed(texts[1])})")
        if name in _CONVERSIONS and len(args) == 1:
            fact = kinds.of(old.args[0].value)
            if fact is not None and fact.kind == "float" and name == "float":
                return args[0].value
            return cst.parse_expression(f"__numpy__.asarray({texts[0]}).astype(__numpy__.{_CONVERSIONS[name]})")
        return new


def _bracketed(text: str) -> str:
    node = cst.parse_expression(text)
    plain = cst.Name | cst.Call | cst.Subscript | cst.Attribute | cst.Integer | cst.Float
    return text if isinstance(node, plain) else f"({text})"


def _renamed(call: cst.Call, names: dict[str, str], first: str) -> cst.Call:
    """Returns a call with other names for its keyword arguments, of which ``first`` has none any more."""
    placed: list[cst.Arg] = []
    rest: list[cst.Arg] = []
    for a in call.args:
        if a.keyword is not None and a.keyword.value == first:
            placed.append(cst.Arg(a.value))
        elif a.keyword is not None:
            rest.append(a.with_changes(keyword=cst.Name(names.get(a.keyword.value, a.keyword.value))))
        else:
            rest.append(a)
    args = [one.with_changes(comma=cst.MaybeSentinel.DEFAULT) for one in (*placed, *rest)]
    return call.with_changes(args=args)


def without_keyword(call: cst.Call, keyword: str) -> cst.Call:
    """Returns a call without one of its keyword arguments."""
    kept = [a for a in call.args if a.keyword is None or a.keyword.value != keyword]
    if len(kept) == len(call.args):
        return call
    if kept:
        kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return call.with_changes(args=kept)
