"""Spells calls as Numba has them: tuples for lists, `np.float64` for `float`, a store for `out=`, `einsum` as loops."""

from __future__ import annotations

from typing import Any

import libcst as cst
import numpy as np

from jitmagic.analysis.words import words
from jitmagic.backends.numba import helpers
from jitmagic.backends.numba.rewrites.context import NumbaRewriter, code, expression, scalar_path
from jitmagic.backends.numba.wrapper import list_form
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder
from jitmagic.observe.facts import ValueFact

_JOINING = "concatenate stack hstack vstack dstack column_stack row_stack"
_JOINS = frozenset(f"numpy.{name}" for name in _JOINING.split())
_PYTHON_DTYPES = {"float": "float64", "int": "int64", "bool": "bool", "complex": "complex128"}
_DTYPE_PLACES = {
    f"numpy.{name}": place
    for place, names in (
        (1, "zeros ones empty identity array asarray ascontiguousarray zeros_like ones_like empty_like"),
        (2, "full full_like"), (3, "eye arange"),
    )
    for name in names.split()
}  # fmt: skip
"""Where these functions take a dtype without its keyword."""
_NO_ARRAYS = ("axis", "axes", "dtype", "shape")
"""Keywords whose lists and tuples are no arrays."""
_NUMBERS = frozenset({"int", "float", "bool", "complex", "scalar"})
_WIDEST = 16
"""Values of a tuple up to which they are written out one by one."""
_WITH_DTYPE = frozenset({"astype", "view"})
_OUT = (
    "add subtract multiply divide true_divide power maximum minimum sqrt exp log sin cos tan tanh abs "
    "absolute negative square floor ceil fmax fmin mod remainder floor_divide log10 log2 log1p expm1 arctan2 "
    "hypot sign where clip reciprocal logical_and logical_or logical_not greater less"
)
_OUT_UFUNCS = frozenset(f"numpy.{name}" for name in _OUT.split())

_OF_ARRAYS = frozenset(
    f"numpy.{name}"
    for name in words(
        "all amax amin any argmax argmin argsort average bincount convolve corrcoef correlate cov cross "
        "cumprod cumsum diff dot histogram inner interp max mean median min nanmax nanmean nanmedian nanmin "
        "nanstd nansum nanvar outer percentile polyfit polyval prod ptp quantile searchsorted sort std sum "
        "trapezoid trapz unique vander var vdot linalg.cond linalg.det linalg.eigh linalg.eigvalsh linalg.inv "
        "linalg.lstsq linalg.pinv linalg.qr linalg.solve linalg.svd"
    )
)
"""Functions that take lists for arrays wherever an array may stand."""

_DRAWN = {
    f"numpy.random.{name}": given
    for name, given in (
        ("normal", ("0.0", "1.0")), ("uniform", ("0.0", "1.0")), ("exponential", ("1.0",)),
        ("lognormal", ("0.0", "1.0")), ("laplace", ("0.0", "1.0")),
    )
}  # fmt: skip
"""What these functions take where only a size is given: Numba wants it said."""


class Spelling(NumbaRewriter):
    """Replaces forms that Numba's typing refuses by equal ones that it takes."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        path = self.path(original_node.func)
        if path in _JOINS:
            return self._joined(path, original_node, updated_node)
        if path == "numpy.einsum":
            return self._einsum(original_node, updated_node)
        if path == "numpy.linalg.norm":
            return self._norm(original_node, updated_node)
        if path == "numpy.inner" and len(updated_node.args) == 2 and self._ndims(original_node) == (1, 1):
            return updated_node.with_changes(func=self.context.imports.spell("numpy.dot"))
        if path == "numpy.tile" and self._ndims(original_node)[:1] == (1,):
            return self._tile(original_node, updated_node)
        if path == "numpy.isclose" or path == "numpy.allclose":
            return self._float_keywords(updated_node)
        if path in ("numpy.array", "numpy.asarray") and updated_node.args and not updated_node.args[0].star:
            return self._copied(path, original_node, self._dtype_arguments(original_node, updated_node))
        if path is not None and isinstance(getattr(np, path.removeprefix("numpy."), None), np.ufunc):
            updated_node = self._without_lists(original_node, updated_node)
        if path is None and isinstance(original_node.func, cst.Name) and original_node.func.value == "sum":
            return self._summed(original_node, updated_node)
        if isinstance(original_node.func, cst.Name) and original_node.func.value == "enumerate" and path is None:
            plain = [a.with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT) for a in updated_node.args]
            return updated_node.with_changes(args=plain) if _keyword(updated_node.args[-1]) == "start" else updated_node
        if isinstance(original_node.func, cst.Name) and original_node.func.value == "reversed" and path is None:
            return self._reversed(original_node, updated_node)
        if path == "numpy.meshgrid" and self._ndims(original_node)[:2] == (1, 1):
            return self._meshgrid(updated_node)
        if path == "numpy.pad":
            return self._padded(original_node, updated_node)
        if path in _DRAWN and len(updated_node.args) == 1 and _keyword(updated_node.args[0]) == "size":
            size = updated_node.args[0].with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT)
            given = [cst.Arg(cst.Float(one), comma=_comma()) for one in _DRAWN[path]]
            return updated_node.with_changes(args=[*given, size])
        if path is None and self._draws_one_bound(original_node):
            return updated_node.with_changes(args=[cst.Arg(cst.Integer("0"), comma=_comma()), *updated_node.args])
        if path == "numpy.gradient" and self._ndims(original_node)[:1] == (1,):
            return self._gradient(original_node, updated_node)
        updated_node = self._dtype_arguments(original_node, updated_node)
        if path in _OF_ARRAYS:
            return self._without_lists(original_node, updated_node)
        if path is not None and path.split(".")[0] == "numpy":
            return updated_node
        if self._copies_a_number(original_node) and isinstance(updated_node.func, cst.Attribute):
            return updated_node.func.value
        if isinstance(updated_node.func, cst.Attribute) and updated_node.func.attr.value in _WITH_DTYPE:
            return self._method_dtype(original_node, updated_node)
        return updated_node

    def _reversed(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Writes `reversed(x)` of a list or an array as `x[::-1]`, and of a range as a range."""
        fact = self.fact(original.args[0].value) if len(original.args) == 1 else None
        if fact is None or fact.kind not in ("list", "array"):
            return _reversed_range(updated)
        return expression("{x}[::-1]", x=self.context.operand(updated.args[0].value))

    def _copies_a_number(self, call: cst.Call) -> bool:
        """Says whether a call is `x[0].copy()` of a NumPy scalar: Numba has a number there, which nothing changes."""
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value != "copy" or call.args:
            return False
        owner = self.fact(func.value)
        return owner is not None and owner.kind == "scalar"

    def _float_keywords(self, call: cst.Call) -> cst.Call:
        """Writes `rtol=0` as `rtol=0.0`: Numba's typing takes floats only."""
        return call.with_changes(
            args=[
                a.with_changes(value=cst.Float(f"{a.value.value}.0"))
                if a.keyword is not None and a.keyword.value in ("rtol", "atol") and isinstance(a.value, cst.Integer)
                else a
                for a in call.args
            ]
        )

    def _copied(self, path: str, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Writes `np.array(x, dtype=float)` of an array as `x.astype(np.float64)`: Numba's `array` takes lists only."""
        given, result = self.fact(original.args[0].value), self.fact(original)
        rest = updated.args[1:]
        names = [a.keyword.value if a.keyword is not None else "dtype" for a in rest]
        if (of_list := self._of_list(original, updated, given, result, names)) is not None:
            return of_list
        if set(names) <= {"dtype"} and result is not None and (rows := self._rows(original.args[0].value, result)):
            return cst.Call(self.context.helper("rows", rows), [cst.Arg(updated.args[0].value)])
        if self._lists_arrays(original.args[0].value, result):
            if len(updated.args) == 1:
                return cst.Call(self.context.helper("stacked", helpers.STACKED), [cst.Arg(updated.args[0].value)])
            return updated
        if result is not None and result.dtype == "float64" and (result.ndim or 0) > 1:
            first = updated.args[0]
            value = self._as_floats(original.args[0].value, first.value, 0)
            updated = updated.with_changes(args=[first.with_changes(value=value), *updated.args[1:]])
        listed = isinstance(updated.args[0].value, cst.List)
        if listed and result is not None and result.kind == "array":
            return self._stacked(original, updated, result.ndim)
        if result is None or result.dtype is None or given is None or set(names) - {"dtype", "copy"}:
            return updated
        if given.kind != "array" or given.dtype is None:
            return updated
        if "copy" in names and code(rest[names.index("copy")].value) != "True":
            return updated
        operand = self.context.operand(updated.args[0].value)
        if result.dtype != given.dtype:
            return expression(f"{{x}}.astype({self.context.imports.code(scalar_path(result.dtype))})", x=operand)
        return expression("{x}.copy()", x=operand) if path == "numpy.array" else updated.args[0].value

    def _as_floats(self, old: cst.BaseExpression, new: cst.BaseExpression, depth: int) -> cst.BaseExpression:
        """Writes the whole numbers in a matrix of floats as floats: Numba wants one type for all rows."""
        if isinstance(old, cst.List | cst.Tuple) and isinstance(new, cst.List | cst.Tuple):
            pairs = zip(old.elements, new.elements, strict=True)
            made = [b.with_changes(value=self._as_floats(a.value, b.value, depth + 1)) for a, b in pairs]
            return new.with_changes(elements=made)
        if isinstance(new, cst.UnaryOperation) and isinstance(old, cst.UnaryOperation) and depth:
            inner = self._as_floats(old.expression, new.expression, depth)
            return new.with_changes(expression=inner) if isinstance(inner, cst.Float) else new
        if isinstance(new, cst.Integer):
            return cst.Float(f"{new.value}.0") if new.value.isdecimal() and depth else new
        fact = self.fact(old)
        if depth < 2 or fact is None or fact.kind not in ("int", "bool"):
            return new
        return cst.Call(cst.Name("float"), [cst.Arg(self.context.bare(new))])

    def _of_list(
        self, original: cst.Call, updated: cst.Call, given: ValueFact | None, result: ValueFact | None, names: list[str]
    ) -> cst.BaseExpression | None:
        """Writes `np.array(y, dtype=float)` of an argument that came as a list: the wrapper hands on an array."""
        if given is None or given.kind != "list" or result is None or result.kind != "array" or result.dtype is None:
            return None
        name, value = original.args[0].value, updated.args[0].value
        function = self.functions[-1] if self.functions else None
        if not isinstance(name, cst.Name) or function is None or set(names) - {"dtype", "copy"}:
            return None
        if name.value not in name_tools.parameters(function) or np.dtype(result.dtype).kind not in "biufc":
            return None
        made = scalar_path(result.dtype)
        entry = self.module.functions()[-1].name.value == function.name.value
        observed = self.module.observed
        came = observed.arguments.get(name.value) if observed is not None else None
        if not entry or came is None or list_form(came) != "array" or self._is_list_later(function, name.value):
            if result.ndim != 1:
                return None
            # a list of the function's own, or an array: which of them, the caller knows
            source = helpers.COPIED.replace("{dtype}", made.removeprefix("numpy."))
            return cst.Call(self.context.helper("copied", source), [cst.Arg(self.context.bare(value))])
        if "dtype" in names:
            return expression(f"{{x}}.astype({self.context.imports.code(made)})", x=value)
        return expression("{x}.copy()", x=value)

    def _is_list_later(self, function: cst.FunctionDef, name: str) -> bool:
        """Says whether a parameter's name is given another list in the function."""
        finder = _Given(self.module, name)
        function.body.visit(finder)
        return finder.found

    def _rows(self, node: cst.BaseExpression, result: ValueFact) -> str | None:
        """Returns the source of a function that makes a matrix of a list of tuples or lists of numbers."""
        fact = self.fact(node)
        if result.ndim != 2 or result.dtype is None or not isinstance(node, cst.Name):
            return None
        if fact is None or fact.kind != "list" or not fact.items or np.dtype(result.dtype).kind not in "biufc":
            return None
        if not all(item.kind in ("tuple", "list") and bool(item.items) for item in fact.items):
            return None
        dtype = scalar_path(result.dtype).removeprefix("numpy.")
        width = len(fact.items[0].items)
        numbers = all(part.kind in _NUMBERS for item in fact.items for part in item.items)
        if numbers and all(item.kind == "tuple" and len(item.items) == width <= _WIDEST for item in fact.items):
            return helpers.rows_of_tuples(width, dtype)
        if all(len({part.kind for part in item.items}) == 1 for item in fact.items):
            return helpers.ROWS.replace("{dtype}", dtype)
        return None

    def _lists_arrays(self, node: cst.BaseExpression, result: ValueFact | None) -> bool:
        """Says whether an array of several axes is made of a list that holds arrays."""
        if result is None or (result.ndim or 0) < 2:
            return False
        if isinstance(node, cst.ListComp):
            return not isinstance(node.elt, cst.List | cst.Tuple | cst.ListComp)
        fact = self.fact(node)
        if not isinstance(node, cst.Name) or fact is None or fact.kind != "list":
            return False
        return not fact.items or all(item.kind == "array" for item in fact.items)

    def _stacked(self, original: cst.Call, updated: cst.Call, ndim: int | None) -> cst.BaseExpression:
        """Writes `np.array([x, y])` of arrays as `np.stack((x, y))`, level by level."""
        old, new = original.args[0].value, updated.args[0].value
        if len(updated.args) != 1 or not isinstance(old, cst.List) or not isinstance(new, cst.List):
            return updated
        stacked = self._level(old, new)
        return updated if stacked is None else stacked

    def _level(self, old: cst.List, new: cst.List) -> cst.BaseExpression | None:
        parts: list[cst.BaseExpression] = []
        for before, after in zip(old.elements, new.elements, strict=True):
            fact = self.fact(before.value)
            if isinstance(before.value, cst.List) and isinstance(after.value, cst.List):
                inner = self._level(before.value, after.value)
                if inner is None:
                    return None
                parts.append(inner)
            elif fact is not None and fact.kind == "array" and (fact.ndim or 0) > 0:
                parts.append(self.context.bare(after.value))
            else:
                return None
        if not parts:
            return None
        elements = [cst.Element(part) for part in parts]
        if len(elements) == 1:
            elements = [elements[0].with_changes(comma=cst.Comma())]
        stack = self.context.imports.spell("numpy.stack")
        return cst.Call(stack, [cst.Arg(cst.Tuple(elements))])

    def _ndims(self, call: cst.Call) -> tuple[int | None, ...]:
        facts = [self.fact(argument.value) for argument in call.args]
        return tuple(None if fact is None else fact.ndim for fact in facts)

    def _joined(self, path: str, original: cst.Call, call: cst.Call) -> cst.BaseExpression:
        """Gives a joining function a tuple of arrays: Numba takes no lists, and no numbers among the parts."""
        if not call.args or call.args[0].star:
            return call
        first, old = call.args[0], original.args[0].value
        if isinstance(old, cst.BinaryOperation) and isinstance(old.operator, cst.Add) and len(call.args) == 1:
            return self._joined_lists(path, original, call)
        if isinstance(old, cst.Name | cst.ListComp | cst.Subscript) and len(call.args) == 1:
            given, result = self.fact(old), self.fact(original)
            listed = isinstance(old, cst.ListComp) or (given is not None and given.kind == "list")
            if listed and result is not None and result.ndim is not None:
                if path == "numpy.concatenate" or (path == "numpy.hstack" and result.ndim == 1):
                    return cst.Call(self.context.helper("joined", helpers.JOINED), [cst.Arg(first.value)])
                if path == "numpy.stack" or (path == "numpy.vstack" and result.ndim == 2):
                    return cst.Call(self.context.helper("stacked", helpers.STACKED), [cst.Arg(first.value)])
            return call
        if not isinstance(first.value, cst.List | cst.Tuple) or not isinstance(old, cst.List | cst.Tuple):
            return call
        elements = []
        for before, after in zip(old.elements, first.value.elements, strict=True):
            if not isinstance(after, cst.Element):
                return call
            elements.append(after.with_changes(value=self._part(before.value, after.value)))
        if len(elements) == 1:
            elements = [elements[0].with_changes(comma=cst.Comma())]
        parentheses = {"lpar": [cst.LeftParen()], "rpar": [cst.RightParen()]}
        made = cst.Tuple(elements, **parentheses)  # type: ignore[arg-type]
        return call.with_changes(args=[first.with_changes(value=made), *call.args[1:]])

    def _joined_lists(self, path: str, original: cst.Call, call: cst.Call) -> cst.Call:
        """Writes `np.concatenate([x] + [f(k) for k in …])` as the concatenation of each list's."""
        result = self.fact(original)
        if result is None or not (path == "numpy.concatenate" or (path == "numpy.hstack" and result.ndim == 1)):
            return call
        parts: list[cst.Element] = []
        for old, new in _summands(original.args[0].value, call.args[0].value):
            fact = self.fact(old)
            if isinstance(old, cst.List) and isinstance(new, cst.List):
                for one, two in zip(old.elements, new.elements, strict=True):
                    if isinstance(one, cst.StarredElement):
                        return call
                    parts.append(cst.Element(self._part(one.value, two.value)))
            elif isinstance(old, cst.ListComp) or (isinstance(old, cst.Name) and self._lists_vectors(fact)):
                parts.append(cst.Element(cst.Call(self.context.helper("joined", helpers.JOINED), [cst.Arg(new)])))
            else:
                return call
        made = cst.Tuple(parts, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        return call.with_changes(args=[call.args[0].with_changes(value=made)])

    def _lists_vectors(self, fact: ValueFact | None) -> bool:
        return fact is not None and fact.kind == "list" and bool(fact.items) and all(
            item.kind == "array" for item in fact.items
        )  # fmt: skip

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        """Writes `np.r_[x, 0.0, y]` of arrays and numbers as `np.concatenate`."""
        if self.path(original_node.value) != "numpy.r_":
            return updated_node
        elements = []
        for old, new in zip(original_node.slice, updated_node.slice, strict=True):
            if not isinstance(old.slice, cst.Index) or not isinstance(new.slice, cst.Index) or old.slice.star:
                return updated_node
            fact = self.fact(old.slice.value)
            if fact is None or fact.kind == "str" or (fact.kind == "array" and fact.ndim != 1):
                return updated_node
            elements.append(cst.Element(self._part(old.slice.value, new.slice.value)))
        if len(elements) == 1:
            elements = [elements[0].with_changes(comma=cst.Comma())]
        return cst.Call(self.context.imports.spell("numpy.concatenate"), [cst.Arg(cst.Tuple(elements))])

    def _part(self, old: cst.BaseExpression, new: cst.BaseExpression) -> cst.BaseExpression:
        """Makes an array of a number, or of a list or tuple of numbers, that is joined with arrays."""
        fact = self.fact(old)
        array = self.context.imports.code("numpy.array")
        if fact is not None and fact.kind in ("float", "int", "scalar", "complex", "bool"):
            return expression(f"{array}([{{x}}])", x=new)
        if isinstance(old, cst.List | cst.Tuple) or (fact is not None and fact.kind in ("list", "tuple")):
            return expression(f"{array}({{x}})", x=new)
        return new

    def _without_lists(self, original: cst.Call, updated: cst.Call) -> cst.Call:
        arguments = [
            new.with_changes(value=self._from_list(old.value, new.value))
            if self._is_listed(old.value) and _keyword(old) not in _NO_ARRAYS else new
            for old, new in zip(original.args, updated.args, strict=True)
        ]  # fmt: skip
        return updated.with_changes(args=arguments)

    def _from_list(self, old: cst.BaseExpression, new: cst.BaseExpression) -> cst.BaseExpression:
        """Makes the array that NumPy makes of a list or tuple."""
        fact = self.fact(old)
        if fact is None or not fact.items or not all(item.kind == "array" for item in fact.items):
            made = self._part(old, new)
        elif isinstance(old, cst.List) and isinstance(new, cst.List):
            made = self._level(old, new) or new
        elif fact.kind == "tuple":
            made = cst.Call(self.context.imports.spell("numpy.stack"), [cst.Arg(new)])
        else:
            made = cst.Call(self.context.helper("stacked", helpers.STACKED), [cst.Arg(new)])
        if fact is not None and (told := _as_array(fact)) is not None:
            self.module.learn(made, told)
        return made

    def _summed(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Writes `sum(x[k] for k in ...)` as a sum over a list, and one of arrays through a helper."""
        given = updated.args[0].value if len(updated.args) == 1 else None
        result = self.fact(original)
        if isinstance(given, cst.GeneratorExp):
            given = cst.ListComp(given.elt, given.for_in)
        if not isinstance(given, cst.ListComp | cst.Name) or result is None:
            return updated
        if result.kind == "array" and result.dtype is not None:
            name = "bool_" if result.dtype == "bool" else result.dtype
            helper = self.context.helper("summed", helpers.SUMMED.replace("{dtype}", name))
            listed = self.fact(original.args[0].value)
            if isinstance(given, cst.Name) and (listed is None or listed.kind != "list"):
                return updated
            return cst.Call(helper, [cst.Arg(given)])
        return updated.with_changes(args=[updated.args[0].with_changes(value=given)])

    def _draws_one_bound(self, call: cst.Call) -> bool:
        """Says whether a call is `rng.integers(n)`, of which Numba wants both bounds."""
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value != "integers" or not call.args:
            return False
        owner = self.fact(func.value)
        keywords = {a.keyword.value for a in call.args if a.keyword is not None}
        plain = [a for a in call.args if a.keyword is None]
        return owner is not None and owner.kind == "object" and len(plain) == 1 and "high" not in keywords

    def _python_dtype(self, node: cst.BaseExpression) -> cst.BaseExpression:
        if isinstance(node, cst.Name) and node.value in _PYTHON_DTYPES and self.path(node) is None:
            return self.context.imports.spell(scalar_path(_PYTHON_DTYPES[node.value]))
        return node

    def _dtype_arguments(self, original: cst.Call, updated: cst.Call) -> cst.Call:
        place = _DTYPE_PLACES.get(self.path(original.func) or "")
        arguments = [
            a.with_changes(value=self._python_dtype(a.value))
            if (a.keyword is not None and a.keyword.value == "dtype") or (a.keyword is None and k == place)
            else a
            for k, a in enumerate(updated.args)
        ]
        return updated.with_changes(args=arguments)

    def _method_dtype(self, original: cst.Call, updated: cst.Call) -> cst.Call:
        kept = [a for a in updated.args if a.keyword is None or a.keyword.value != "copy"]
        if not kept:
            return updated
        first = kept[0].with_changes(
            value=self._python_dtype(kept[0].value),
            keyword=None,
            equal=cst.MaybeSentinel.DEFAULT,
            comma=cst.MaybeSentinel.DEFAULT,
        )
        return updated.with_changes(args=[first])

    def _einsum(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        line = self.module.line(original)
        first = updated.args[0].value if updated.args else None
        result = self.fact(original)
        if not isinstance(first, cst.SimpleString) or any(a.star for a in updated.args) or result is None:
            raise Unsupported(
                f'line {line}: `einsum` has to begin with a literal such as "ij,jk->ik"', line, "NB-NOFUNC"
            )
        subscripts = str(first.evaluated_value)
        source = helpers.einsum(subscripts)
        if source is None or result.dtype is None:
            raise Unsupported(
                f"line {line}: einsum {subscripts!r} is not written for Numba: spell the axes out", line, "NB-NOFUNC"
            )
        for argument in updated.args[1:]:
            if argument.keyword is not None and argument.keyword.value != "optimize":
                raise Unsupported(f"line {line}: Numba's `einsum` here takes no `{argument.keyword.value}=`", line)
        wide = {"float32": "float64", "complex64": "complex128"}.get(result.dtype, result.dtype)
        source = source.replace("{dtype}", result.dtype).replace("{wide}", wide)
        label = "".join(c if c.isalpha() else "_" for c in subscripts.replace("->", "_to_").replace(" ", ""))
        helper = self.context.helper(f"einsum_{label}", source)
        operands = [a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in updated.args[1:] if a.keyword is None]
        call = cst.Call(helper, operands)
        return call if result.kind == "array" or wide == result.dtype else self.context.cast(result.dtype, call)

    def _norm(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Writes the 2-norm along an axis as the root of the sum of squares, and integers as floats.

        Frobenius' norm has no name in Numba: it is that of a matrix where none is asked for.
        """
        orders = [a for a in updated.args[1:] if code(a.value) in ("'fro'", '"fro"') and _keyword(a) in (None, "ord")]
        fact = self.fact(original.args[0].value) if original.args else None
        if orders and len(updated.args) == 2 and fact is not None and fact.ndim == 2:
            updated = updated.with_changes(args=[updated.args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)])
        keywords = {a.keyword.value: a.value for a in updated.args if a.keyword is not None}
        positional = [a.value for a in updated.args if a.keyword is None]
        fact = self.fact(original.args[0].value) if original.args else None
        if fact is None or fact.dtype is None or fact.ndim is None:
            return updated
        array = positional[0]
        kind = np.dtype(fact.dtype).kind
        if not keywords and len(positional) == 1:
            if kind in "biu":
                double = self.context.imports.code("numpy.float64")
                return updated.with_changes(
                    args=[cst.Arg(expression(f"{{x}}.astype({double})", x=self.context.operand(array)))]
                )
            if fact.dtype == "float32":
                return self.context.cast("float32", updated)
            return updated
        if set(keywords) - {"axis", "keepdims", "ord"} or len(positional) > 1:
            return updated
        order = keywords.get("ord")
        axis = keywords.get("axis")
        if (order is not None and code(order) not in ("2", "None")) or axis is None:
            return updated
        line = self.module.line(original)
        try:
            number = int(code(axis).replace(" ", ""))
        except ValueError:
            raise Unsupported(
                f"line {line}: the axis of `norm` has to be a constant for Numba", line, "NB-AXIS"
            ) from None
        number %= fact.ndim
        imports = self.context.imports
        total, root = imports.code("numpy.sum"), imports.code("numpy.sqrt")
        magnitude = array if kind != "c" else expression(f"{imports.code('numpy.abs')}({{x}})", x=array)
        narrow = fact.dtype in ("float32", "complex64")
        double = imports.code("numpy.float64")
        asked = f", dtype={double}" if narrow else ""
        square = expression("{x} ** 2", x=self.context.operand(magnitude))
        where = f", axis={number}" if fact.ndim > 1 else ""
        value = expression(f"{root}({total}({{s}}{where}{asked}))", s=square)
        if narrow:
            single = imports.code("numpy.float32")
            value = expression(f"{{v}}.astype({single})", v=value) if where else self.context.cast("float32", value)
        if "keepdims" in keywords and code(keywords["keepdims"]) == "True" and where:
            kept = [k for k in range(fact.ndim) if k != number]
            sizes = ["1"] * fact.ndim
            for k in kept:
                sizes[k] = "-1" if len(kept) == 1 else f"{code(self.context.operand(array))}.shape[{k}]"
            value = expression(f"{{v}}.reshape({', '.join(sizes)})", v=self.context.operand(value))
        return value

    def _tile(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Writes `np.tile` of one axis through a helper."""
        repeats = self.fact(original.args[1].value) if len(original.args) == 2 else None
        if repeats is None or repeats.kind != "int":
            return updated
        source = (
            '\n@njit(error_model="numpy")\ndef {name}(x, count):\n    # np.tile of one axis\n'
            "    out = {np}.empty(x.size * count, dtype=x.dtype)\n    for i in range(count):\n"
            "        out[i * x.size:(i + 1) * x.size] = x\n    return out\n"
        )
        return updated.with_changes(func=self.context.helper("tile", source))

    def _padded(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Writes `np.pad(x, 1)` and the like through a helper."""
        fact = self.fact(original.args[0].value) if original.args else None
        keywords = {a.keyword.value: a.value for a in updated.args if a.keyword is not None}
        plain = [a.value for a in updated.args if a.keyword is None]
        if fact is None or fact.kind != "array" or not fact.ndim or fact.dtype is None or len(plain) > 3:
            return updated
        mode = keywords.pop("mode", plain[2] if len(plain) == 3 else cst.SimpleString('"constant"'))
        width = keywords.pop("pad_width", plain[1] if len(plain) > 1 else None)
        if keywords or width is None or not isinstance(mode, cst.SimpleString) or not plain:
            return updated
        source = helpers.padded(str(mode.evaluated_value), fact.ndim)
        widths = self._widths(width, original, fact.ndim)
        if source is None or widths is None:
            return updated
        helper = self.context.helper("pad", source)
        return cst.Call(helper, [cst.Arg(plain[0]), *(cst.Arg(one) for one in widths)])

    def _widths(self, node: cst.BaseExpression, call: cst.Call, ndim: int) -> list[cst.BaseExpression] | None:
        """Returns the widths before and after each axis, None where they are not spelled out."""
        if isinstance(node, cst.Integer) or (isinstance(node, cst.Name) and self._is_int(node)):
            return [node] * (2 * ndim)
        if not isinstance(node, cst.Tuple | cst.List):
            return None
        parts = [element.value for element in node.elements]
        if all(isinstance(part, cst.Tuple | cst.List) and len(part.elements) == 2 for part in parts):
            if len(parts) != ndim:
                return None
            return [e.value for part in parts if isinstance(part, cst.Tuple | cst.List) for e in part.elements]
        if len(parts) == 2 and all(isinstance(part, cst.Integer) or self._is_int(part) for part in parts):
            return [parts[0], parts[1]] * ndim
        return None

    def _is_int(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        return fact is not None and fact.kind == "int"

    def _meshgrid(self, updated: cst.Call) -> cst.BaseExpression:
        """Writes `np.meshgrid(x, y)` through a helper."""
        keywords = {a.keyword.value: code(a.value).strip("'\"") for a in updated.args if a.keyword is not None}
        indexing = keywords.pop("indexing", "xy")
        if keywords or indexing not in helpers.MESHGRID or len([a for a in updated.args if a.keyword is None]) != 2:
            return updated
        helper = self.context.helper("meshgrid", helpers.MESHGRID[indexing])
        return cst.Call(helper, [cst.Arg(argument.value) for argument in updated.args[:2]])

    def _gradient(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Writes `np.gradient` of one axis with equal spacing through a helper."""
        fact = self.fact(original.args[0].value)
        if fact is None or fact.dtype not in ("float64", "complex128") or any(a.keyword for a in updated.args):
            return updated
        spacing = self.fact(original.args[1].value) if len(original.args) == 2 else None
        if len(original.args) > 2 or (spacing is not None and spacing.kind not in ("int", "float", "scalar")):
            return updated
        if len(original.args) == 2 and spacing is None:
            return updated
        step = updated.args[1].value if len(updated.args) == 2 else cst.Float("1.0")
        helper = self.context.helper("gradient", helpers.GRADIENT)
        return cst.Call(helper, [cst.Arg(updated.args[0].value), cst.Arg(step)])

    # -- statements

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        """Writes `x + [1, 0]` as `x + np.array([1, 0])`."""
        changes = {}
        for side, other in (("left", "right"), ("right", "left")):
            old = getattr(original_node, side)
            if self.is_array(getattr(original_node, other)) and self._is_listed(old):
                changes[side] = self._part(old, getattr(updated_node, side))
        return updated_node.with_changes(**changes) if changes else updated_node

    def _is_listed(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        if isinstance(node, cst.List):
            return bool(node.elements)
        return fact is not None and fact.kind in ("list", "tuple")

    def leave_With(self, original_node: cst.With, updated_node: cst.With) -> Any:
        """Takes `with np.errstate(…):` off: compiled code warns of nothing."""
        for item in original_node.items:
            call = item.item
            if not isinstance(call, cst.Call) or self.path(call.func) != "numpy.errstate" or item.asname is not None:
                return updated_node
            if any(not isinstance(a.value, cst.SimpleString) for a in call.args):
                return updated_node
            if any(code(a.value).strip("'\"") in ("raise", "call", "log") for a in call.args):
                return updated_node
        body: list[Any] = list(updated_node.body.body)
        if not isinstance(updated_node.body, cst.IndentedBlock) or not body:
            return updated_node
        body[0] = body[0].with_changes(leading_lines=[*updated_node.leading_lines, *body[0].leading_lines])
        return cst.FlattenSentinel(body)

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.BaseSmallStatement:
        """Writes `np.add(a, b, out=c)` as `c[...] = np.add(a, b)`."""
        call = updated_node.value
        assert isinstance(original_node.value, cst.BaseExpression)
        path = self.path(original_node.value.func) if isinstance(original_node.value, cst.Call) else None
        if not isinstance(call, cst.Call) or path is None:
            return updated_node
        if path in ("numpy.copyto",) and len(call.args) == 2 and all(a.keyword is None for a in call.args):
            return _store(call.args[0].value, call.args[1].value)
        if path not in _OUT_UFUNCS:
            return updated_node
        out = [a.value for a in call.args if a.keyword is not None and a.keyword.value == "out"]
        if len(out) != 1:
            return updated_node
        rest = [a for a in call.args if a.keyword is None or a.keyword.value != "out"]
        rest[-1] = rest[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return _store(out[0], call.with_changes(args=rest))


def _as_array(fact: ValueFact) -> ValueFact | None:
    """Returns what an array of a list is, where its elements are all alike; else None."""
    dtypes = {item.dtype or _PYTHON_DTYPES.get(item.kind) for item in fact.items}
    shapes = {() if item.kind in _NUMBERS else item.shape for item in fact.items if item.kind in _NUMBERS | {"array"}}
    inner, dtype = next(iter(shapes), None), next(iter(dtypes), None)
    if len(dtypes) != 1 or len(shapes) != 1 or dtype is None or inner is None:
        return None
    return ValueFact("array", dtype, (None, *inner), contiguous=True)


class _Given(Finder):
    """Finds out whether a name is assigned a list, or a value of which nothing is known."""

    def __init__(self, module: Module, name: str) -> None:
        super().__init__()
        self.module, self.name = module, name
        self.found = False

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        if self.name in name_tools.targets(node.target):
            fact = self.module.fact(node.target)
            self.found = self.found or fact is None or fact.kind in ("list", "mixed")

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self.found = self.found or self.name in name_tools.targets(node.target)

    def visit_For(self, node: cst.For) -> None:
        self.found = self.found or self.name in name_tools.targets(node.target)


def _summands(old: Any, new: Any) -> list[tuple[Any, Any]]:
    """Returns the parts of `x + y + z` as they were and as they are."""
    both = isinstance(old, cst.BinaryOperation) and isinstance(new, cst.BinaryOperation)
    if both and isinstance(old.operator, cst.Add):
        return [*_summands(old.left, new.left), *_summands(old.right, new.right)]
    return [(old, new)]


def _keyword(argument: cst.Arg) -> str | None:
    return argument.keyword.value if argument.keyword is not None else None


def _comma() -> cst.Comma:
    return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def _reversed_range(call: cst.Call) -> cst.Call:
    """Writes `reversed(range(n))` as `range(n - 1, -1, -1)`."""
    inner = call.args[0].value if len(call.args) == 1 else None
    if not isinstance(inner, cst.Call) or not isinstance(inner.func, cst.Name) or inner.func.value != "range":
        return call
    if any(a.keyword is not None or a.star for a in inner.args) or len(inner.args) > 2:
        return call
    start = cst.Integer("0") if len(inner.args) == 1 else inner.args[0].value
    stop = inner.args[-1].value
    last = expression(
        "{n} - 1", n=stop if _simple(stop) else stop.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    )
    before = (
        expression("{a} - 1", a=start)
        if not isinstance(start, cst.Integer)
        else cst.parse_expression(str(int(start.value) - 1))
    )
    arguments = [cst.Arg(last), cst.Arg(before), cst.Arg(cst.parse_expression("-1"))]
    return cst.Call(inner.func, arguments)


def _simple(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name | cst.Integer | cst.Call | cst.Subscript | cst.Attribute) or bool(node.lpar)


def _store(target: cst.BaseExpression, value: cst.BaseExpression) -> cst.Assign:
    place = cst.Subscript(target, [cst.SubscriptElement(cst.Index(cst.Ellipsis()))])
    return cst.Assign([cst.AssignTarget(place)], value)
