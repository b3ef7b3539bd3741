"""Writes array expressions that need temporary arrays as loops over their elements, in a function beside the user's.

`np.sum((x - y)**2)` becomes `sum_of(x, y)` with one loop and no array; `out += k * image[1:, :-1]` becomes a loop that
adds in place; an expression with functions that Numba does not fuse (`np.round`, `np.where`) becomes one loop as well.
An axis is stretched where it had length 1 in the example; lengths that do not fit are refused, as NumPy refuses them.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

import libcst as cst
import numpy as np

from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import SourceTree
from jitmagic.analysis.words import words
from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.backends.numba.typing_model import UFUNC, NumbaType, promoted
from jitmagic.gotchas.numba.support import MISSING_UFUNCS
from jitmagic.observe.facts import Span, ValueFact

_LOOPS = "ijklmn"
_FREE = "abcdefghpqrstuvwxyz"
_PYTHON = {"float": "float64", "int": "int64", "bool": "bool", "complex": "complex128"}
_TOTALS = {"sum": "sum", "mean": "mean", "max": "max", "min": "min", "amax": "max", "amin": "min", "any": "any",
           "all": "all"}  # fmt: skip
_NOTE = "the loops beside the function make arrays of the dtypes of this call: for other dtypes compare again"
_UNFUSED = frozenset({"numpy.where", "numpy.clip", "numpy.round", "numpy.around"})
_DTYPES = words("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128")
_WIDE = {"float32": "float64", "complex64": "complex128"}


@dataclass(frozen=True)
class _Element:
    """The source of one element, its dtype in NumPy, and whether it is a Python number there."""

    text: str
    dtype: str
    weak: bool = False


@dataclass
class _Kernel:
    """What a loop needs: its parameters, what is passed for them, and the lengths of the axes."""

    shape: tuple[int | None, ...]
    parameters: list[str] = field(default_factory=list)
    passed: list[cst.BaseExpression] = field(default_factory=list)
    sizes: list[list[str]] = field(default_factory=list)
    ones: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    operations: int = 0
    unfused: bool = False
    mask: str | None = None

    def parameter(self, node: cst.BaseExpression) -> str:
        """Returns the parameter for an expression."""
        text = code(node)
        if text in self.known and "(" not in text:
            return self.known[text]
        wanted = node.value if isinstance(node, cst.Name) else None
        if wanted is None or wanted in self.parameters or wanted in _LOOPS or wanted in ("out", "total"):
            wanted = next(letter for letter in _FREE if letter not in self.parameters)
        self.parameters.append(wanted)
        self.passed.append(node)
        self.known[text] = wanted
        return wanted


class Fused(NumbaRewriter):
    """Rewrites reductions of expressions, stores of expressions in place, and expressions that Numba does not fuse.

    Parameters
    ----------
    context : Context
    spans : tuple of Span, optional
        The loops in which to write; everywhere where there are none.
    """

    def __init__(self, context: Context, spans: tuple[Span, ...] | None = None) -> None:
        super().__init__(context)
        self._spans = spans
        self._tree = SourceTree(context.module.source.text, context.module.functions()[-1].name.value)
        observed = context.module.observed
        self._aliases = Aliases(
            self._tree, Names(self._tree, context.module.names), self._seen,
            observed.overlapping if observed is not None else (),
        )  # fmt: skip

    def _seen(self, node: ast.AST) -> ValueFact | None:
        observed = self.module.observed
        if observed is None or node not in self._tree.parents:
            return None
        return observed.expressions.get(self._tree.span(node))

    def _is_here(self, node: cst.CSTNode) -> bool:
        if self._spans is None:
            return True
        place = self.context.place(node)
        return place is not None and any(s.line <= place.line and place.end_line <= s.end_line for s in self._spans)

    # -- reductions

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        found = self._reduction(original_node, updated_node)
        if found is None or not self._is_here(original_node):
            return updated_node
        name, old, new, rest = found
        fact, result = self.fact(old), self.fact(original_node)
        if fact is None or result is None or not _usable(fact) or not fact.shape:
            return updated_node
        options = {a.keyword.value if a.keyword is not None else "axis": a.value for a in rest}
        if set(options) - {"axis", "keepdims"} or len(options) != len(rest):
            return updated_node
        keep = code(options["keepdims"]) if "keepdims" in options else "False"
        axes = _axes(options.get("axis"), len(fact.shape))
        if keep not in ("True", "False") or axes is None or (keep == "True" and len(axes) == len(fact.shape)):
            return updated_node
        kernel = _Kernel(fact.shape, sizes=[[] for _ in fact.shape])
        element = self._element(kernel, old, new)
        dtype = result.dtype or _PYTHON.get(result.kind)
        if element is None or kernel.operations == 0 or dtype not in _DTYPES or not all(kernel.sizes):
            return updated_node
        if name in ("max", "min") and element.dtype not in ("float32", "float64"):
            return updated_node
        source = self._reduced(kernel, name, element, axes, dtype, keep == "True", code(original_node))
        self.context.note(_NOTE)
        helper = self.context.helper(f"{name}_of", source)
        return cst.Call(helper, [cst.Arg(self.context.bare(node)) for node in kernel.passed])

    def _reduction(
        self, original: cst.Call, updated: cst.Call
    ) -> tuple[str, cst.BaseExpression, cst.BaseExpression, list[cst.Arg]] | None:
        path = self.path(original.func)
        if path is not None and path.startswith("numpy.") and path.removeprefix("numpy.") in _TOTALS:
            if not original.args or original.args[0].keyword is not None or any(a.star for a in original.args):
                return None
            name = _TOTALS[path.removeprefix("numpy.")]
            return name, original.args[0].value, updated.args[0].value, list(updated.args[1:])
        func, new = original.func, updated.func
        if path is None and isinstance(func, cst.Attribute) and isinstance(new, cst.Attribute):
            name = _TOTALS.get(func.attr.value, "")
            if name and self.is_array(func.value):
                return name, func.value, new.value, list(updated.args)
        return None

    def _reduced(
        self, kernel: _Kernel, name: str, element: _Element, axes: tuple[int, ...], dtype: str, keep: bool, said: str
    ) -> str:
        ndim = len(kernel.shape)
        sizes = [several[0] for several in kernel.sizes]
        kept = [k for k in range(ndim) if k not in axes]
        lines = self._head(kernel, said)
        if name in ("max", "min"):
            empty = " or ".join(f"{sizes[k]} == 0" for k in axes)
            lines += [f"    if {empty}:", '        raise ValueError("zero-size array to reduction operation")']
        wide = _WIDE.get(dtype, dtype)
        start, step = {
            "sum": (f"{{np}}.{wide}(0)", "total += {v}"),
            "mean": (f"{{np}}.{wide}(0)", "total += {v}"),
            "max": (f"{{np}}.{dtype}(-{{np}}.inf)", "total = {np}.maximum(total, {v})"),
            "min": (f"{{np}}.{dtype}({{np}}.inf)", "total = {np}.minimum(total, {v})"),
            "any": ("False", "total |= {v} != 0"),
            "all": ("True", "total &= {v} != 0"),
        }[name]
        if element.dtype == "bool" and name in ("any", "all"):
            step = f"total {'|' if name == 'any' else '&'}= {{v}}"
        count = " * ".join(sizes[k] for k in axes)
        value = "total" if name != "mean" else f"total / {count}" if len(axes) == 1 else f"total / ({count})"
        shape = ", ".join(sizes[k] for k in kept) + ("," if len(kept) == 1 else "")
        made = "bool_" if dtype == "bool" else dtype
        back = f".reshape({', '.join('1' if k in axes else sizes[k] for k in range(ndim))})" if keep else ""
        pad = "    "
        if kept and name == "sum" and axes == tuple(range(len(axes))) and wide == dtype:
            lines.append(f"    out = {{np}}.zeros(({shape}), dtype={{np}}.{made})")
            for k in range(ndim):
                lines.append(f"{pad}for {_LOOPS[k]} in range({sizes[k]}):")
                pad += "    "
            lines += [f"{pad}out[{', '.join(_LOOPS[k] for k in kept)}] += {element.text}", f"    return out{back}"]
            return "\n" + "\n".join(lines) + "\n"
        if kept:
            lines.append(f"    out = {{np}}.empty(({shape}), dtype={{np}}.{made})")
        for k in kept:
            lines.append(f"{pad}for {_LOOPS[k]} in range({sizes[k]}):")
            pad += "    "
        lines.append(f"{pad}total = {start}")
        deep = pad
        for k in axes:
            lines.append(f"{deep}for {_LOOPS[k]} in range({sizes[k]}):")
            deep += "    "
        text = element.text[1:-1] if _is_wrapped(element.text) else element.text
        operand = f"({text})" if "!=" in step and _needs_parentheses(text) else text
        lines.append(deep + step.replace("{v}", operand))
        if kept:
            lines += [f"{pad}out[{', '.join(_LOOPS[k] for k in kept)}] = {value}", f"    return out{back}"]
        elif dtype in _WIDE:
            lines.append(f"    return {{np}}.{dtype}({value})")
        else:
            lines.append(f"    return {value}")
        return "\n" + "\n".join(lines) + "\n"

    def _head(self, kernel: _Kernel, said: str, first: str = "") -> list[str]:
        parameters = ([first] if first else []) + kernel.parameters
        lines = ['@njit(error_model="numpy")', f"def {{name}}({', '.join(parameters)}):"]
        shown = " ".join(said.split())
        lines.append(f"    # {shown if len(shown) <= 100 else shown[:97] + '...'}".replace("{", "(").replace("}", ")"))
        checks = self._checks(kernel)
        checks += [f"{one} != 1" for one in dict.fromkeys(kernel.ones)]
        if checks:
            lines.append(f"    if {' or '.join(checks)}:")
            lines.append('        raise ValueError("operands could not be broadcast together")')
        return lines

    def _checks(self, kernel: _Kernel) -> list[str]:
        """Returns what must not be, for the lengths to fit: whole shapes where all axes are compared."""
        names = ["mask", "out", *kernel.parameters]
        ndim = len(kernel.shape)
        full = [
            name for name in dict.fromkeys(names)
            if all(f"{name}.shape[{k}]" in kernel.sizes[k] for k in range(ndim))
        ]  # fmt: skip
        first = next((name for name in full if f"{name}.shape[0]" == kernel.sizes[0][0]), None)
        whole = [name for name in full if name != first] if first is not None else []
        checks = [f"{name}.shape != {first}.shape" for name in whole]
        covered = {f"{name}.shape[{k}]" for name in whole for k in range(ndim)}
        for several in kernel.sizes:
            ours = [one for one in dict.fromkeys(several[1:]) if one != several[0] and one not in covered]
            checks += [f"{one} != {several[0]}" for one in ours]
        return checks

    # -- stores in place

    def leave_AugAssign(self, original_node: cst.AugAssign, updated_node: cst.AugAssign) -> cst.BaseSmallStatement:
        operator = code(updated_node.operator).strip()
        ufunc = UFUNC.get(type(original_node.operator))
        if operator in ("@=", "**=", "//=", "%=", "<<=", ">>=") or ufunc is None:
            return updated_node
        if not self._is_here(original_node.value):
            return updated_node
        if self.context.parallel and isinstance(original_node.target, cst.Name):
            return updated_node  # `prange` has to see that it is a reduction
        old, new = original_node, updated_node
        return self._stored(old.target, new.target, old.value, new.value, operator) or updated_node

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.BaseSmallStatement:
        if len(original_node.targets) != 1 or not self._is_here(original_node.value):
            return updated_node
        old, new = original_node.targets[0].target, updated_node.targets[0].target
        if isinstance(old, cst.Subscript):
            return self._stored(old, new, original_node.value, updated_node.value, "=") or updated_node
        if isinstance(old, cst.Name):
            return self._made(original_node, updated_node) or updated_node
        return updated_node

    def _stored(
        self, target: cst.BaseExpression, place: cst.BaseExpression, old: cst.BaseExpression, new: cst.BaseExpression,
        operator: str,
    ) -> cst.BaseSmallStatement | None:  # fmt: skip
        base = target.value if isinstance(target, cst.Subscript) else target
        fact, into = self.fact(old), self.fact(base)
        if not isinstance(base, cst.Name) or into is None or fact is None or not _usable(into) or not fact.shape:
            return None
        if not isinstance(place, cst.Name | cst.Subscript) or not _usable(fact) or into.dtype is None:
            return None
        if isinstance(target, cst.Subscript) and not all(self._is_basic(e.slice) for e in target.slice):
            return self._masked(target, place, old, new, operator)
        ndim = _ndim_of(target, into)
        if ndim != len(fact.shape) or None in fact.shape or 1 in fact.shape or self._overlaps(base.value, target, old):
            return None
        if np.dtype(into.dtype).kind not in "fc" or into.dtype != fact.dtype:
            return None
        kernel = _Kernel(fact.shape, sizes=[[f"out.shape[{k}]"] for k in range(ndim)])
        kernel.parameters.append("out")
        kernel.passed.append(place)
        kernel.known[code(place)] = "out"
        element = self._element(kernel, old, new)
        if element is None or kernel.operations == 0:
            return None
        lines = self._head(kernel, f"{code(target)} {operator} {code(old)}")
        pad = "    "
        for k in range(ndim):
            lines.append(f"{pad}for {_LOOPS[k]} in range(out.shape[{k}]):")
            pad += "    "
        lines.append(f"{pad}out[{', '.join(_LOOPS[:ndim])}] {operator} {element.text}")
        label = {"=": "store", "+=": "add_to", "-=": "subtract_from", "*=": "multiply", "/=": "divide"}.get(operator)
        helper = self.context.helper(label or "update", "\n" + "\n".join(lines) + "\n")
        return cst.Expr(cst.Call(helper, [cst.Arg(self.context.bare(node)) for node in kernel.passed]))

    def _masked(
        self, target: cst.Subscript, place: cst.BaseExpression, old: cst.BaseExpression, new: cst.BaseExpression,
        operator: str,
    ) -> cst.BaseSmallStatement | None:  # fmt: skip
        """Writes `z[m] = z[m]**2 + c[m]` as a loop over the elements that the mask chooses."""
        index = target.slice[0].slice
        into, fact = self.fact(target.value), self.fact(old)
        mask = self.fact(index.value) if len(target.slice) == 1 and isinstance(index, cst.Index) else None
        if mask is None or mask.dtype != "bool" or not mask.shape or into is None or fact is None:
            return None
        assert isinstance(index, cst.Index)
        assert isinstance(target.value, cst.Name)
        same = into.shape == mask.shape and into.dtype == fact.dtype and np.dtype(into.dtype).kind in "fc"
        called = "(" in code(index.value)
        if not same or called or not isinstance(place, cst.Subscript) or self._reads_other(target, old):
            return None
        axes = range(len(mask.shape))
        chosen = place.slice[0].slice
        assert isinstance(chosen, cst.Index)
        sizes = [[f"mask.shape[{k}]", f"out.shape[{k}]"] for k in axes]
        kernel = _Kernel(mask.shape, sizes=sizes, mask=code(index.value))
        kernel.parameters += ["out", "mask"]
        kernel.passed += [place.value, chosen.value]
        kernel.known[code(place.value)] = "out"
        element = self._element(kernel, old, new)
        if element is None or kernel.operations == 0:
            return None
        lines = self._head(kernel, f"{code(target)} {operator} {code(old)}")
        pad = "    "
        for k in axes:
            lines.append(f"{pad}for {_LOOPS[k]} in range(mask.shape[{k}]):")
            pad += "    "
        where = ", ".join(_LOOPS[k] for k in axes)
        lines += [f"{pad}if mask[{where}]:", f"{pad}    out[{where}] {operator} {element.text}"]
        helper = self.context.helper("update_where", "\n" + "\n".join(lines) + "\n")
        return cst.Expr(cst.Call(helper, [cst.Arg(self.context.bare(node)) for node in kernel.passed]))

    def _reads_other(self, target: cst.Subscript, value: cst.BaseExpression) -> bool:
        """Says whether a value reads arrays that may share memory with the target under another name."""
        assert isinstance(target.value, cst.Name)
        base = target.value.value
        around = {function.name.value for function in self.functions}
        definitions = [node for node in self._tree.definitions() if node.name in around]
        text = " ".join(code(value.with_changes(lpar=[], rpar=[])).split())
        names = {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)} - {base}
        return any(self._aliases.may_share(one, base, name) for one in definitions for name in names)

    def _is_basic(self, part: cst.BaseSlice) -> bool:
        if isinstance(part, cst.Slice):
            return True
        assert isinstance(part, cst.Index)
        fact = self.fact(part.value)
        return fact is not None and (fact.kind == "int" or (fact.kind == "scalar" and "int" in (fact.dtype or "")))

    def _overlaps(self, base: str, target: cst.BaseExpression, value: cst.BaseExpression) -> bool:
        """Says whether the value may read, at another place, what the store writes."""
        text = " ".join(code(value.with_changes(lpar=[], rpar=[])).split())
        parsed = ast.parse(text, mode="eval").body
        same = ast.dump(ast.parse(code(target), mode="eval").body)
        around = {function.name.value for function in self.functions}
        definitions = [node for node in self._tree.definitions() if node.name in around]
        clean = True

        def look(node: ast.AST) -> None:
            nonlocal clean
            if isinstance(node, ast.Subscript | ast.Name) and ast.dump(node) == same:
                return  # the very element that is written
            if isinstance(node, ast.Name) and any(
                self._aliases.may_share(one, base, node.id) for one in definitions if node.id != base
            ):
                clean = False
            if isinstance(node, ast.Name) and node.id == base:
                clean = False
            for child in ast.iter_child_nodes(node):
                look(child)

        look(parsed)
        return not clean

    # -- new arrays

    def _made(self, original: cst.Assign, updated: cst.Assign) -> cst.BaseSmallStatement | None:
        old, new = original.value, updated.value
        fact = self.fact(old)
        if fact is None or not fact.shape or not _usable(fact):
            return None
        kernel = _Kernel(fact.shape, sizes=[[] for _ in fact.shape])
        element = self._element(kernel, old, new)
        if element is None or kernel.operations < 2 or not kernel.unfused or not all(kernel.sizes):
            return None
        lines = self._head(kernel, code(old))
        sizes = [several[0] for several in kernel.sizes]
        made = "bool_" if fact.dtype == "bool" else fact.dtype
        shape = ", ".join(sizes) + ("," if len(sizes) == 1 else "")
        lines.append(f"    out = {{np}}.empty(({shape}), dtype={{np}}.{made})")
        pad = "    "
        for k, size in enumerate(sizes):
            lines.append(f"{pad}for {_LOOPS[k]} in range({size}):")
            pad += "    "
        lines += [f"{pad}out[{', '.join(_LOOPS[: len(sizes)])}] = {element.text}", "    return out"]
        target = original.targets[0].target
        assert isinstance(target, cst.Name)
        self.context.note(_NOTE)
        helper = self.context.helper(f"new_{target.value}", "\n" + "\n".join(lines) + "\n")
        call = cst.Call(helper, [cst.Arg(self.context.bare(node)) for node in kernel.passed])
        return updated.with_changes(value=call)

    # -- elements

    def _element(self, kernel: _Kernel, old: cst.BaseExpression, new: cst.BaseExpression) -> _Element | None:
        """Returns the element of an expression at the loops' indices; None where it cannot be written."""
        fact = self.fact(old)
        if fact is None:
            return None
        if fact.kind in _PYTHON or fact.kind == "scalar":
            return self._number(kernel, old, new, fact)
        if fact.kind != "array" or not _usable(fact) or not fact.shape or fact.dtype is None:
            return None
        made: _Element | None = None
        if type(old) is type(new):
            if isinstance(old, cst.BinaryOperation) and isinstance(new, cst.BinaryOperation):
                made = self._binary(kernel, old, new, fact.dtype)
            elif isinstance(old, cst.UnaryOperation) and isinstance(new, cst.UnaryOperation):
                made = self._unary(kernel, old, new, fact.dtype)
            elif isinstance(old, cst.Comparison) and isinstance(new, cst.Comparison):
                made = self._comparison(kernel, old, new)
            elif isinstance(old, cst.Call) and isinstance(new, cst.Call) and self._is_elementwise(old):
                made = self._call(kernel, old, new, fact.dtype)
            else:
                return self._leaf(kernel, new, fact)
        else:
            return self._leaf(kernel, new, fact)
        if made is None:
            return None
        kernel.operations += 1
        if old.lpar and _needs_parentheses(made.text):
            made = _Element(f"({made.text})", made.dtype, made.weak)
        return made

    def _number(
        self, kernel: _Kernel, old: cst.BaseExpression, new: cst.BaseExpression, fact: ValueFact
    ) -> _Element | None:
        dtype = fact.dtype or _PYTHON.get(fact.kind)
        if dtype not in _DTYPES:
            return None
        inner = new.expression if isinstance(new, cst.UnaryOperation) else new
        if isinstance(inner, cst.Integer | cst.Float | cst.Imaginary) or (self.path(new) or "").startswith("numpy."):
            return _Element(code(new), dtype, fact.kind != "scalar")
        return _Element(kernel.parameter(new), dtype, fact.kind != "scalar")

    def _leaf(self, kernel: _Kernel, new: cst.BaseExpression, fact: ValueFact) -> _Element | None:
        assert fact.shape is not None
        assert fact.dtype is not None
        if kernel.mask is not None:
            return self._chosen(kernel, new, fact.dtype)
        name = kernel.parameter(new)
        offset = len(kernel.shape) - len(fact.shape)
        if offset < 0:
            return None
        index = []
        for k, length in enumerate(fact.shape):
            axis = offset + k
            if length == 1 and kernel.shape[axis] != 1:
                index.append("0")
                kernel.ones.append(f"{name}.shape[{k}]")
            else:
                index.append(_LOOPS[axis])
                kernel.sizes[axis].append(f"{name}.shape[{k}]")
        return _Element(f"{name}[{', '.join(index)}]", fact.dtype)

    def _chosen(self, kernel: _Kernel, new: cst.BaseExpression, dtype: str) -> _Element | None:
        """Returns the element of `y[mask]`, None where a leaf is chosen by anything else."""
        if not isinstance(new, cst.Subscript) or len(new.slice) != 1 or code(new.slice[0].slice) != kernel.mask:
            return None
        base = self.fact(new.value)
        if base is None or base.shape != kernel.shape or not isinstance(new.value, cst.Name):
            return None
        name = kernel.parameter(new.value)
        for k, several in enumerate(kernel.sizes):
            several.append(f"{name}.shape[{k}]")
        return _Element(f"{name}[{', '.join(_LOOPS[: len(kernel.shape)])}]", dtype)

    def _binary(
        self, kernel: _Kernel, old: cst.BinaryOperation, new: cst.BinaryOperation, dtype: str
    ) -> _Element | None:
        ufunc = UFUNC.get(type(old.operator))
        if ufunc is None:
            return None
        left, right = self._element(kernel, old.left, new.left), self._element(kernel, old.right, new.right)
        if left is None or right is None:
            return None
        if ufunc == "power" and np.dtype(dtype).kind not in "fc":
            return None
        integer = isinstance(new.right, cst.Integer)
        if not (ufunc == "power" and integer):
            left, right = self._narrow(left, dtype), self._narrow(right, dtype)
        else:
            left = self._narrow(left, dtype)
        text = f"{left.text} {code(new.operator).strip()} {right.text}"
        if ufunc == "power" and integer and left.dtype == dtype:
            return _Element(text, dtype)
        given = promoted(ufunc, NumbaType(left.dtype, False), NumbaType(right.dtype, False), operator=True)
        if given is None:
            return None
        return _Element(text if given == dtype else self._cast(dtype, text), dtype)

    def _narrow(self, one: _Element, dtype: str) -> _Element:
        """Casts a Python float to the dtype of the array beside it."""
        if one.weak and dtype in ("float32", "complex64") and one.dtype == "float64":
            return _Element(f"{self.context.imports.code('numpy.float32')}({one.text})", "float32")
        if one.weak and dtype in ("float32", "complex64") and one.dtype == "int64":
            return _Element(f"{self.context.imports.code('numpy.float32')}({one.text})", "float32")
        return one

    def _cast(self, dtype: str, text: str) -> str:
        return f"{self.context.imports.code('numpy.bool_' if dtype == 'bool' else f'numpy.{dtype}')}({text})"

    def _unary(self, kernel: _Kernel, old: cst.UnaryOperation, new: cst.UnaryOperation, dtype: str) -> _Element | None:
        inner = self._element(kernel, old.expression, new.expression)
        if inner is None or isinstance(old.operator, cst.Not):
            return None
        if isinstance(old.operator, cst.BitInvert) and dtype == "bool":
            return _Element(f"(not {inner.text})", "bool")
        text = f"{code(new.operator).strip()}{inner.text}"
        small = np.dtype(dtype).kind in "iu" and dtype != "int64"
        return _Element(self._cast(dtype, text) if small else text, dtype)

    def _comparison(self, kernel: _Kernel, old: cst.Comparison, new: cst.Comparison) -> _Element | None:
        if len(old.comparisons) != 1:
            return None
        left = self._element(kernel, old.left, new.left)
        right = self._element(kernel, old.comparisons[0].comparator, new.comparisons[0].comparator)
        if left is None or right is None or {left.dtype, right.dtype} == {"uint64", "int64"}:
            return None
        left, right = self._narrow(left, right.dtype), self._narrow(right, left.dtype)
        operator = code(new.comparisons[0].operator).strip()
        if operator not in ("<", ">", "<=", ">=", "==", "!="):
            return None
        return _Element(f"{left.text} {operator} {right.text}", "bool")

    def _is_elementwise(self, call: cst.Call) -> bool:
        path = self.path(call.func)
        if any(a.keyword is not None or a.star for a in call.args):
            return False
        if path is None:
            if isinstance(call.func, cst.Name):
                return call.func.value == "abs" and len(call.args) == 1
            method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
            return method == "astype" and len(call.args) == 1
        if path in _UNFUSED:
            wanted = {"numpy.where": (3,), "numpy.clip": (3,)}.get(path, (1,))
            return len(call.args) in wanted and not any(code(a.value) == "None" for a in call.args)
        value = getattr(np, path.removeprefix("numpy."), None)
        if not isinstance(value, np.ufunc) or value.__name__ in MISSING_UFUNCS:
            return False
        return len(call.args) == value.nin and value.nout == 1

    def _call(self, kernel: _Kernel, old: cst.Call, new: cst.Call, dtype: str) -> _Element | None:
        path = self.path(old.func)
        if path is None and isinstance(old.func, cst.Attribute) and isinstance(new.func, cst.Attribute):
            inner = self._element(kernel, old.func.value, new.func.value)
            kernel.unfused = True
            return None if inner is None else _Element(self._cast(dtype, inner.text), dtype)
        parts = []
        for one, two in zip(old.args, new.args, strict=True):
            part = self._element(kernel, one.value, two.value)
            if part is None:
                return None
            bare = part.text[1:-1] if _is_wrapped(part.text) else part.text
            parts.append(_Element(bare, part.dtype, part.weak))
        kernel.unfused = kernel.unfused or path in _UNFUSED or path is None
        if path == "numpy.where":
            test, chosen, other = parts[0], self._narrow(parts[1], dtype), self._narrow(parts[2], dtype)
            yes = chosen.text if chosen.dtype == dtype else self._cast(dtype, chosen.text)
            no = other.text if other.dtype == dtype else self._cast(dtype, other.text)
            return _Element(f"({yes} if {test.text} else {no})", dtype)
        parts = [self._narrow(part, dtype) for part in parts]
        if path == "numpy.clip":
            if any(part.dtype != dtype for part in parts):
                return None
            np_name = self.context.imports.code("numpy.minimum"), self.context.imports.code("numpy.maximum")
            return _Element(f"{np_name[0]}({np_name[1]}({parts[0].text}, {parts[1].text}), {parts[2].text})", dtype)
        small = np.dtype(dtype).kind in "iu" and dtype != "int64"
        if path in ("numpy.round", "numpy.around") and np.dtype(dtype).kind != "f":
            return None
        text = f"{code(new.func)}({', '.join(part.text for part in parts)})"
        mixed = any(part.dtype != dtype for part in parts) and dtype in ("float32", "complex64")
        return _Element(self._cast(dtype, text) if small or mixed else text, dtype)


def _is_wrapped(text: str) -> bool:
    """Says whether one pair of parentheses stands around a whole expression."""
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return position == len(text) - 1 and text.startswith("(")
    return False


def _needs_parentheses(text: str) -> bool:
    compound = ast.BinOp | ast.BoolOp | ast.Compare | ast.UnaryOp | ast.IfExp
    return not _is_wrapped(text) and isinstance(ast.parse(text, mode="eval").body, compound)


def _usable(fact: ValueFact) -> bool:
    shape = fact.shape
    return fact.kind == "array" and fact.dtype in _DTYPES and shape is not None and 0 < len(shape) <= len(_LOOPS)


def _axes(node: cst.BaseExpression | None, ndim: int) -> tuple[int, ...] | None:
    """Returns the axes of a reduction, all where none is given; None where they are not written as numbers."""
    if node is None or code(node) == "None":
        return tuple(range(ndim))
    try:
        value = ast.literal_eval(code(node))
    except (ValueError, SyntaxError):
        return None
    values = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(one, int) and -ndim <= one < ndim for one in values):
        return None
    return tuple(sorted(one % ndim for one in values))


def _ndim_of(target: cst.BaseExpression, base: ValueFact) -> int:
    """Returns the number of axes of a place: of an array, or of a basic subscript of one."""
    ndim = len(base.shape or ())
    if isinstance(target, cst.Subscript):
        ndim -= sum(isinstance(element.slice, cst.Index) for element in target.slice)
    return ndim
