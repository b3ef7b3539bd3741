"""Writes `np.mgrid`, `np.ogrid` and `np.c_`, which Numba lacks, by `np.arange` and functions that the draft carries.

```
ys, xs = np.mgrid[0:h, :w]    ->    ys, xs = grids(np.arange(h), np.arange(w))
```
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code, expression
from jitmagic.generate.walking import nodes_of

_MOST_AXES = 4
_LETTERS = "ijkl"


class Grids(NumbaRewriter):
    """Rewrites grids between whole numbers, or of a written-out count of points."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._unpacked: dict[cst.CSTNode, int] = {}

    def visit_Assign(self, node: cst.Assign) -> None:
        target = node.targets[0].target
        if len(node.targets) == 1 and isinstance(target, cst.Tuple | cst.List) and not nodes_of(
            target, cst.StarredElement
        ):  # fmt: skip
            self._unpacked[node.value] = len(target.elements)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        path = self.path(original_node.value)
        if path == "numpy.c_":
            return self._columns(original_node, updated_node)
        if path not in ("numpy.mgrid", "numpy.ogrid"):
            return updated_node
        axes = [self._axis(old, new) for old, new in zip(original_node.slice, updated_node.slice, strict=True)]
        given = [axis for axis in axes if axis is not None]
        if len(given) != len(axes) or len(axes) > _MOST_AXES:
            return updated_node
        if len(given) == 1:
            return given[0]
        if path == "numpy.ogrid":
            return self._open(given)
        fact = self.fact(original_node)
        if fact is None or fact.dtype not in ("int64", "float64"):
            return updated_node
        apart = self._unpacked.get(original_node) == len(given)
        source = _source(len(given), fact.dtype, apart)
        helper = self.context.helper("grids" if apart else "grid", source)
        return cst.Call(helper, [cst.Arg(axis) for axis in given])

    def _axis(self, old: cst.SubscriptElement, new: cst.SubscriptElement) -> cst.BaseExpression | None:
        """Returns the points along an axis, None where they are not known to be NumPy's to the last bit or so."""
        before, part = old.slice, new.slice
        if not isinstance(before, cst.Slice) or not isinstance(part, cst.Slice):
            return None
        if before.upper is None or part.upper is None:
            return None
        start = cst.Integer("0") if part.lower is None else part.lower
        if isinstance(before.step, cst.Imaginary):
            count = complex(before.step.value).imag
            if count != int(count):
                return None
            line = f"{self.context.imports.code('numpy.linspace')}({{a}}, {{b}}, {int(count)})"
            return expression(line, a=start, b=part.upper)
        count_of = None if part.step is None else self._count(part.step)
        if count_of is not None:
            linspace = self.context.imports.code("numpy.linspace")
            return expression(f"{linspace}({{a}}, {{b}}, {{n}})", a=start, b=part.upper, n=count_of)
        if not all(self._is_whole(bound) for bound in (before.lower, before.upper, before.step) if bound is not None):
            return None
        arange = self.context.imports.code("numpy.arange")
        if part.step is not None:
            return expression(f"{arange}({{a}}, {{b}}, {{s}})", a=start, b=part.upper, s=part.step)
        if code(start) == "0":
            return expression(f"{arange}({{b}})", b=part.upper)
        return expression(f"{arange}({{a}}, {{b}})", a=start, b=part.upper)

    def _count(self, step: cst.BaseExpression) -> cst.BaseExpression | None:
        """Returns the whole number of points that `n*1j`, `1j*n` or `complex(n)` asks for."""
        count: cst.BaseExpression | None = None
        if isinstance(step, cst.BinaryOperation) and isinstance(step.operator, cst.Multiply):
            sides = (step.left, step.right)
            units = [one for one in sides if isinstance(one, cst.Imaginary) and complex(one.value) == 1j]
            count = next((one for one in sides if one not in units), None) if len(units) == 1 else None
        elif isinstance(step, cst.Call) and code(step.func) == "complex" and len(step.args) in (1, 2):
            zero = len(step.args) == 1 or code(step.args[0].value) == "0"
            count = step.args[-1].value if zero and not any(a.keyword or a.star for a in step.args) else None
        return count if count is not None and self._is_whole(count) else None

    def _is_whole(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        return fact is not None and (fact.kind == "int" or fact.dtype == "int64") and fact.kind != "array"

    def _open(self, axes: list[cst.BaseExpression]) -> cst.BaseExpression:
        parts = []
        for place, axis in enumerate(axes):
            shape = ", ".join("-1" if k == place else "1" for k in range(len(axes)))
            parts.append(cst.Element(expression(f"{{x}}.reshape({shape})", x=axis)))
        return cst.Tuple(parts)

    def _columns(self, original: cst.Subscript, updated: cst.Subscript) -> cst.BaseExpression:
        """Writes `np.c_[x, y]` of arrays as `np.column_stack`."""
        elements = []
        for old, new in zip(original.slice, updated.slice, strict=True):
            if not isinstance(old.slice, cst.Index) or not isinstance(new.slice, cst.Index) or old.slice.star:
                return updated
            fact = self.fact(old.slice.value)
            if fact is None or fact.kind != "array" or fact.ndim not in (1, 2):
                return updated
            elements.append(cst.Element(self.context.bare(new.slice.value)))
        if len(elements) == 1:
            elements = [elements[0].with_changes(comma=cst.Comma())]
        return cst.Call(self.context.imports.spell("numpy.column_stack"), [cst.Arg(cst.Tuple(elements))])


def _source(axes: int, dtype: str, apart: bool) -> str:
    """Returns a function that makes the grid of some axes: one array, or a tuple of arrays."""
    names = [f"x{k}" for k in range(axes)]
    sizes = ", ".join(f"{name}.size" for name in names)
    letters = _LETTERS[:axes]
    lines = ['@njit(error_model="numpy")', f"def {{name}}({', '.join(names)}):", f"    # np.mgrid of {axes} axes"]
    if apart:
        lines += [f"    grid_{k} = {{np}}.empty(({sizes}), dtype={{np}}.{dtype})" for k in range(axes)]
    else:
        lines.append(f"    grid = {{np}}.empty(({axes}, {sizes}), dtype={{np}}.{dtype})")
    for depth, letter in enumerate(letters):
        lines.append(f"    {'    ' * depth}for {letter} in range({names[depth]}.size):")
    place = ", ".join(letters)
    for k, name in enumerate(names):
        target = f"grid_{k}[{place}]" if apart else f"grid[{k}, {place}]"
        lines.append(f"    {'    ' * axes}{target} = {name}[{letters[k]}]")
    result = ", ".join(f"grid_{k}" for k in range(axes)) if apart else "grid"
    return "\n" + "\n".join([*lines, f"    return {result}"]) + "\n"
