"""Writes array expressions that need temporary arrays as loops over their elements, in a function beside the user's.

`np.sum((x - y)**2)` becomes `sum_of(x, y)` with one loop and no array; `out += k * image[1:, :-1]` becomes a loop that
adds in place; an expression with functions that Numba does not fuse (`np.round`, `np.where`) becomes one loop as well.
An axis is stretched where it had length 1 in the example; lengths that do not fit are refused, as NumPy refuses them.
"""

from __future__ import annotations

import ast
import math
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba import helpers
from jitmagic.backends.numba.rewrites.aliasing import reads_ahead, reads_elsewhere
from jitmagic.backends.numba.rewrites.buffers import reusable
from jitmagic.backends.numba.rewrites.context import Context, LoopRewriter, code
from jitmagic.backends.numba.rewrites.elements import (
    DTYPES,
    LOOPS,
    PYTHON,
    WIDE,
    Element,
    ElementRewriter,
    Kernel,
    Place,
    axes_of,
    is_usable,
    is_wrapped,
    needs_parentheses,
)  # fmt: skip
from jitmagic.backends.numba.rewrites.own_arrays import own_arrays
from jitmagic.backends.numba.rewrites.windows import steps_of, window_of
from jitmagic.backends.numba.typing_model import UFUNC
from jitmagic.generate.blocks import in_one_line
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import Span, ValueFact

_NOTE = "the loops over elements make arrays of the dtypes of this call: for other dtypes compare again"


_WORTH_THREADS = 2000
"""Elements from which threads are begun in each step of a loop."""

_LABELS = {"=": "store", "+=": "add_to", "-=": "subtract_from", "*=": "multiply", "/=": "divide"}

_SHORT = 16
"""Up to this length one thread of a GPU adds up the product of two vectors."""


class Fused(LoopRewriter, ElementRewriter):
    """Rewrites reductions of expressions, stores of expressions in place, and expressions that Numba does not fuse.

    Parameters
    ----------
    context : Context
    aliases : Aliases
    spans : tuple of Span
        Loops that run in parallel already; outside of them the outermost loops that are written become `prange`, if the
        draft is a parallel one.
    """

    def __init__(self, context: Context, aliases: Aliases, spans: tuple[Span, ...] = ()) -> None:
        super().__init__(context)
        self._spans = spans
        self._aliases = aliases
        self._reusable: dict[str, cst.For | cst.While] = {}
        self._reused: dict[str, str] = {}
        self._own: frozenset[str] = frozenset()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) == 1:
            # an array that parallel steps share would be written by all of them
            self._reusable = {} if self.context.parallel else reusable(self, node, self._aliases)
            self._reused = {}
            self._own = own_arrays(self, node, self._aliases)

    def behind_loop(self, original_node: cst.For | cst.While, updated_node: Any) -> Any:
        """Puts the arrays that a loop reuses before it."""
        lines = [line for name, line in self._reused.items() if self._reusable[name] is original_node]
        if not lines:
            return updated_node
        self.module.inherit(updated_node, original_node)
        made = [cst.parse_statement(line) for line in lines]
        made[0] = made[0].with_changes(leading_lines=updated_node.leading_lines)
        loop = updated_node.with_changes(leading_lines=())
        self.module.inherit(loop, original_node)
        return cst.FlattenSentinel([*made, loop])

    def _outermost(self, node: cst.BaseExpression) -> str:
        """Returns how the outermost loop that takes an expression's place is to run."""
        if not self.context.parallel or self._is_inside(node) or (self.loops and self._is_small(node)):
            return "range"
        return self.context.imports.code("numba.prange")

    def _is_small(self, node: cst.BaseExpression) -> bool:
        """Says whether threads would take longer to begin than the elements take, in each step of a loop."""
        fact = self.fact(node)
        few = fact is not None and math.prod(n or 0 for n in fact.shape or ()) < _WORTH_THREADS
        return few and not self.context.every

    def _is_inside(self, node: cst.CSTNode) -> bool:
        """Says whether a node stands in a loop that runs in parallel, or where that is not known."""
        place = self.context.place(node)
        return place is None or any(s.line <= place.line and place.end_line <= s.end_line for s in self._spans)

    # -- reductions

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if self.path(original_node.func) == "numpy.dot" and len(original_node.args) == 2:
            vectors = [a.value for a in original_node.args]
            product = self._vectors_product(vectors[0], vectors[1], *(a.value for a in updated_node.args))
            if product is not None:
                return product
        func, called = original_node.func, updated_node.func
        method = isinstance(func, cst.Attribute) and func.attr.value == "dot" and self.path(func) is None
        if method and len(original_node.args) == 1 and isinstance(called, cst.Attribute):
            assert isinstance(func, cst.Attribute)
            others = original_node.args[0].value, called.value, updated_node.args[0].value
            product = self._vectors_product(func.value, *others) if self.is_array(func.value) else None
            if product is not None:
                return product
        found = self.reduction(original_node, updated_node)
        if found is None:
            return updated_node
        name, old, new, rest = found
        fact, result = self.fact(old), self.fact(original_node)
        if fact is None or result is None or not is_usable(fact) or not fact.shape:
            return updated_node
        options = {a.keyword.value if a.keyword is not None else "axis": a.value for a in rest}
        if set(options) - {"axis", "keepdims"} or len(options) != len(rest):
            return updated_node
        keep = code(options["keepdims"]) if "keepdims" in options else "False"
        axes = axes_of(options.get("axis"), len(fact.shape))
        if keep not in ("True", "False") or axes is None or (keep == "True" and len(axes) == len(fact.shape)):
            return updated_node
        kernel = Kernel(fact.shape, sizes=[[] for _ in fact.shape])
        element = self.element(kernel, old, new)
        dtype = result.dtype or PYTHON.get(result.kind)
        if element is None or kernel.operations == 0 or dtype not in DTYPES or not all(kernel.sizes):
            return updated_node
        if name in ("max", "min") and element.dtype not in ("float32", "float64"):
            return updated_node
        word = self._outermost(original_node)
        source = self._reduced(kernel, name, element, axes, dtype, keep == "True", code(original_node), word)
        self.context.note(_NOTE)
        helper = self.context.loops(f"{name}_of", source)
        return cst.Call(helper, [cst.Arg(self.context.bare(node)) for node in kernel.passed])

    def _reduced(
        self, kernel: Kernel, name: str, element: Element, axes: tuple[int, ...], dtype: str, keep: bool, said: str,
        word: str,
    ) -> str:  # fmt: skip
        ndim = len(kernel.shape)
        sizes = [several[0] for several in kernel.sizes]
        kept = [k for k in range(ndim) if k not in axes]
        wide = WIDE.get(dtype, dtype)
        added_up = bool(kept) and name == "sum" and axes == tuple(range(len(axes))) and wide == dtype
        if added_up or (not kept and name not in ("sum", "mean")):
            word = "range"  # its steps would write to the same places
        lines = self._head(kernel, said, word)
        if name in ("max", "min"):
            empty = " or ".join(f"{sizes[k]} == 0" for k in axes)
            lines += [f"    if {empty}:", '        raise ValueError("zero-size array to reduction operation")']
        start, step = {
            "sum": (f"{{np}}.{wide}(0)", "total += {v}"),
            "mean": (f"{{np}}.{wide}(0)", "total += {v}"),
            "max": (f"{{np}}.{dtype}(-{{np}}.inf)", "total = {np}.maximum(total, {v})"),
            "min": (f"{{np}}.{dtype}({{np}}.inf)", "total = {np}.minimum(total, {v})"),
            "any": ("False", "total |= {v} != 0"),
            "all": ("True", "total &= {v} != 0"),
        }[name]
        summed = [kernel.shape[k] for k in axes]
        numpy = self.context.imports.code("numpy.sum").split(".")[0]
        alone = (kept or word == "range") and not self.context.every
        if name in ("sum", "mean") and alone and helpers.in_any_order(element.text, element.dtype, summed, numpy):
            step = f"total = {code(self.context.helper('plus', helpers.PLUS))}(total, {{v}})"
        if element.dtype == "bool" and name in ("any", "all"):
            step = f"total {'|' if name == 'any' else '&'}= {{v}}"
        count = " * ".join(sizes[k] for k in axes)
        value = "total" if name != "mean" else f"total / {count}" if len(axes) == 1 else f"total / ({count})"
        shape = ", ".join(sizes[k] for k in kept) + ("," if len(kept) == 1 else "")
        made = "bool_" if dtype == "bool" else dtype
        back = f".reshape({', '.join('1' if k in axes else sizes[k] for k in range(ndim))})" if keep else ""
        pad = "    "
        if added_up:
            lines.append(f"    out = {{np}}.zeros(({shape}), dtype={{np}}.{made})")
            for k in range(ndim):
                lines.append(f"{pad}for {LOOPS[k]} in range({steps_of(sizes[k])}):")
                pad += "    "
            lines += [f"{pad}out[{', '.join(LOOPS[k] for k in kept)}] += {element.text}", f"    return out{back}"]
            return "\n" + "\n".join(lines) + "\n"
        if kept:
            lines.append(f"    out = {{np}}.empty(({shape}), dtype={{np}}.{made})")
        for k in kept:
            lines.append(f"{pad}for {LOOPS[k]} in {word}({steps_of(sizes[k])}):")
            pad += "    "
            word = "range"
        lines.append(f"{pad}total = {start}")
        deep = pad
        for k in axes:
            lines.append(f"{deep}for {LOOPS[k]} in {word}({steps_of(sizes[k])}):")
            deep += "    "
            word = "range"
        text = element.text[1:-1] if is_wrapped(element.text) else element.text
        operand = f"({text})" if "!=" in step and needs_parentheses(text) else text
        lines.append(deep + step.replace("{v}", operand))
        if kept:
            lines += [f"{pad}out[{', '.join(LOOPS[k] for k in kept)}] = {value}", f"    return out{back}"]
        elif dtype in WIDE:
            lines.append(f"    return {{np}}.{dtype}({value})")
        else:
            lines.append(f"    return {value}")
        return "\n" + "\n".join(lines) + "\n"

    def _head(self, kernel: Kernel, said: str, word: str) -> list[str]:
        options = 'error_model="numpy"' if word == "range" else 'parallel=True, error_model="numpy"'
        lines = [f"@njit({options})", f"def {{name}}({', '.join(kernel.parameters)}):"]
        shown = in_one_line(said)
        lines.append(f"    # {shown if len(shown) <= 100 else shown[:97] + '...'}".replace("{", "(").replace("}", ")"))
        checks = self._checks(kernel)
        checks += [f"{one} != 1" for one in dict.fromkeys(kernel.ones)]
        lines += [f"    {line}" for line in kernel.bounds]
        if checks:
            lines.append(f"    if {' or '.join(checks)}:")
            lines.append('        raise ValueError("operands could not be broadcast together")')
        return lines + [f"    {line}" for line in kernel.head]

    def _checks(self, kernel: Kernel) -> list[str]:
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

    # -- products of vectors

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        if not isinstance(original_node.operator, cst.MatrixMultiply):
            return updated_node
        old, new = original_node, updated_node
        return self._vectors_product(old.left, old.right, new.left, new.right) or updated_node

    def _vectors_product(
        self, left: cst.BaseExpression, right: cst.BaseExpression, *new: cst.BaseExpression
    ) -> cst.BaseExpression | None:
        """Writes the product of two vectors in a loop as a sum: for BLAS, what is strided has to be copied.

        The additions may be made in any order, as BLAS makes them: so they keep the processor's vectors busy.
        """
        facts = [self.fact(left), self.fact(right)]
        if not self.loops or any(one is None or len(one.shape or ()) != 1 for one in facts):
            return None
        dtypes = {one.dtype for one in facts if one is not None}
        lengths = {one.shape[0] for one in facts if one is not None and one.shape is not None}
        dtype = next(iter(dtypes))
        if len(dtypes) != 1 or len(lengths) != 1 or dtype not in ("float32", "float64"):
            return None
        if self.context.every and not all(length is not None and length <= _SHORT for length in lengths):
            return None  # in a kernel for a GPU one thread would add it up
        helper = self.context.helper("vector_product", helpers.VECTOR_PRODUCT[dtype])
        return cst.Call(helper, [cst.Arg(self.context.bare(one)) for one in new])

    # -- stores in place

    def leave_AugAssign(self, original_node: cst.AugAssign, updated_node: cst.AugAssign) -> cst.BaseSmallStatement:
        operator = code(updated_node.operator).strip()
        ufunc = UFUNC.get(type(original_node.operator))
        if operator in ("@=", "**=", "//=", "%=", "<<=", ">>=") or ufunc is None:
            return updated_node
        if self.context.parallel and isinstance(original_node.target, cst.Name) and self._is_inside(original_node):
            return updated_node  # `prange` has to see that it is a reduction
        old, new = original_node, updated_node
        return self._stored(old.target, new.target, old.value, new.value, operator) or updated_node

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.BaseSmallStatement:
        if len(original_node.targets) != 1:
            return updated_node
        old, new = original_node.targets[0].target, updated_node.targets[0].target
        if isinstance(old, cst.Subscript):
            return self._stored(old, new, original_node.value, updated_node.value, "=") or updated_node
        if isinstance(old, cst.Name):
            over = self._in_place(original_node, updated_node)
            return over or self._made(original_node, updated_node) or updated_node
        return updated_node

    def _in_place(self, original: cst.Assign, updated: cst.Assign) -> cst.BaseSmallStatement | None:
        """Writes `x = f(x)` in a loop as a store into `x`, where nobody else can see that."""
        target = original.targets[0].target
        assert isinstance(target, cst.Name)
        reads = [node for node in nodes_of(original.value, cst.Name) if node.value == target.value]
        if not self.loops or target.value not in self._own or not reads or self._is_inside(original.value):
            return None
        # what the name stood for before tells the shape and the dtype of its memory
        name = updated.targets[0].target
        return self._stored(reads[0], name, original.value, updated.value, "=", f"update_{target.value}")

    def _stored(
        self, target: cst.BaseExpression, place: cst.BaseExpression, old: cst.BaseExpression, new: cst.BaseExpression,
        operator: str, label: str | None = None,
    ) -> cst.BaseSmallStatement | None:  # fmt: skip
        """Writes a store as a loop over its elements, in a helper that is named ``label``; None where it cannot be."""
        base = target.value if isinstance(target, cst.Subscript) else target
        fact, into = self.fact(old), self.fact(base)
        if not isinstance(base, cst.Name) or into is None or fact is None or not is_usable(into) or not fact.shape:
            return None
        if not isinstance(place, cst.Name | cst.Subscript) or not is_usable(fact) or into.dtype is None:
            return None
        if isinstance(target, cst.Subscript) and not all(self._is_basic(e.slice) for e in target.slice):
            return self._masked(target, place, old, new, operator)
        ndim = _ndim_of(target, into)
        if ndim != len(fact.shape) or 1 in fact.shape:
            return None
        ahead = False
        if reads_elsewhere(self, self._aliases, base.value, target, old):
            ahead = ndim == 1 and reads_ahead(self, self._aliases, base.value, target, old)
            if not ahead:
                return None
        whole = isinstance(target, cst.Name) and into.shape == fact.shape
        if None in fact.shape and not ahead and not whole:
            return None
        if np.dtype(into.dtype).kind not in "fc" or into.dtype != fact.dtype:
            return None
        kernel = Kernel(fact.shape)
        stored = self._target(kernel, place, target, fact, ahead)
        kernel.sizes = [[length] for length in stored.lengths]
        element = self.element(kernel, old, new)
        if element is None or kernel.operations == 0:
            return None
        word = "range" if ahead else self._outermost(old)
        lines = self._head(kernel, f"{code(target)} {operator} {code(old)}", word)
        pad = "    "
        for k in range(ndim):
            lines.append(f"{pad}for {LOOPS[k]} in {word if k == 0 else 'range'}({steps_of(stored.lengths[k])}):")
            pad += "    "
        lines.append(f"{pad}{stored.at(LOOPS[:ndim])} {operator} {element.text}")
        helper = self.context.loops(label or _LABELS.get(operator, "update"), "\n" + "\n".join(lines) + "\n")
        return cst.Expr(cst.Call(helper, [cst.Arg(self.context.bare(node)) for node in kernel.passed]))

    def _target(
        self, kernel: Kernel, place: cst.BaseExpression, target: cst.BaseExpression, fact: ValueFact, ahead: bool
    ) -> Place:
        """Returns where a store goes: into a window with written bounds, or into what is passed as `out`."""
        window = window_of(place)
        if window is not None and (ahead or not window.moves) and isinstance(target, cst.Subscript):
            return self.place(kernel, place, fact)  # by the array's own name, as what it reads of it is
        kernel.parameters.append("out")
        kernel.passed.append(place)
        kernel.known[code(place)] = "out"
        axes = range(len(fact.shape or ()))
        return Place("out", ("",) * len(axes), tuple(f"out.shape[{k}]" for k in axes))

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
        kernel = Kernel(mask.shape, sizes=sizes, mask=code(index.value))
        kernel.parameters += ["out", "mask"]
        kernel.passed += [place.value, chosen.value]
        kernel.known[code(place.value)] = "out"
        element = self.element(kernel, old, new)
        if element is None or kernel.operations == 0:
            return None
        word = self._outermost(old)
        lines = self._head(kernel, f"{code(target)} {operator} {code(old)}", word)
        pad = "    "
        for k in axes:
            lines.append(f"{pad}for {LOOPS[k]} in {word if k == 0 else 'range'}(mask.shape[{k}]):")
            pad += "    "
        where = ", ".join(LOOPS[k] for k in axes)
        lines += [f"{pad}if mask[{where}]:", f"{pad}    out[{where}] {operator} {element.text}"]
        helper = self.context.loops("update_where", "\n" + "\n".join(lines) + "\n")
        return cst.Expr(cst.Call(helper, [cst.Arg(self.context.bare(node)) for node in kernel.passed]))

    def _reads_other(self, target: cst.Subscript, value: cst.BaseExpression) -> bool:
        """Says whether a value reads arrays that may share memory with the target under another name."""
        assert isinstance(target.value, cst.Name)
        base = target.value.value
        text = in_one_line(value.with_changes(lpar=[], rpar=[]))
        names = {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)} - {base}
        return self.may_share(self._aliases, base, names)

    def _is_basic(self, part: cst.BaseSlice) -> bool:
        if isinstance(part, cst.Slice):
            return True
        assert isinstance(part, cst.Index)
        fact = self.fact(part.value)
        return fact is not None and (fact.kind == "int" or (fact.kind == "scalar" and "int" in (fact.dtype or "")))

    # -- new arrays

    def _made(self, original: cst.Assign, updated: cst.Assign) -> cst.BaseSmallStatement | None:
        old, new = original.value, updated.value
        fact = self.fact(old)
        if fact is None or not fact.shape or not is_usable(fact):
            return None
        kernel = Kernel(fact.shape, sizes=[[] for _ in fact.shape])
        element = self.element(kernel, old, new)
        target = original.targets[0].target
        assert isinstance(target, cst.Name)
        reused = target.value in self._reusable and kernel.operations > 0
        if element is None or not all(kernel.sizes):
            return None
        joined = original in self.context.joined
        if not reused and not joined and (kernel.operations < 2 or not kernel.unfused):
            return None
        word = self._outermost(old)
        if reused:
            kernel.parameters.insert(0, "out")
            kernel.passed.insert(0, target)
        lines = self._head(kernel, code(old), word)
        sizes = [several[0] for several in kernel.sizes]
        made = "bool_" if fact.dtype == "bool" else fact.dtype
        shape = ", ".join(sizes) + ("," if len(sizes) == 1 else "")
        empty = f"out = {{np}}.empty(({shape}), dtype={{np}}.{made})"
        if reused:
            lines += [f"    if out.shape != ({shape}):", f"        {empty}"]
            numpy = self.context.imports.code("numpy.empty")
            dtype = self.context.imports.code(f"numpy.{made}")
            none = "0" if len(sizes) == 1 else f"({', '.join(['0'] * len(sizes))})"
            self._reused[target.value] = (
                f"{target.value} = {numpy}({none}, dtype={dtype})  # written anew in each step\n"
            )
        else:
            lines.append(f"    {empty}")
        pad = "    "
        for k, size in enumerate(sizes):
            lines.append(f"{pad}for {LOOPS[k]} in {word if k == 0 else 'range'}({steps_of(size)}):")
            pad += "    "
        lines += [f"{pad}out[{', '.join(LOOPS[: len(sizes)])}] = {element.text}", "    return out"]
        self.context.note(_NOTE)
        helper = self.context.loops(
            f"fill_{target.value}" if reused else f"new_{target.value}", "\n" + "\n".join(lines) + "\n"
        )
        call = cst.Call(helper, [cst.Arg(self.context.bare(node)) for node in kernel.passed])
        return updated.with_changes(value=call)


def _ndim_of(target: cst.BaseExpression, base: ValueFact) -> int:
    """Returns the number of axes of a place: of an array, or of a basic subscript of one."""
    ndim = len(base.shape or ())
    if isinstance(target, cst.Subscript):
        ndim -= sum(isinstance(element.slice, cst.Index) for element in target.slice)
    return ndim
