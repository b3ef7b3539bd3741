"""Writes indexing that Numba lacks: masks of several axes, and several index arrays at once.

`x[x < 0] = 0` on a matrix becomes `x[...] = np.where(x < 0, np.float64(0), x)`; what takes or stores elements by a mask
of several axes, or by pairs of indices as in `p[np.arange(n), labels]`, becomes a small function of loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code, expression
from jitmagic.observe.facts import ValueFact

_OPERATORS: dict[type[cst.BaseAugOp], type[Any]] = {
    cst.AddAssign: cst.Add, cst.SubtractAssign: cst.Subtract, cst.MultiplyAssign: cst.Multiply,
    cst.DivideAssign: cst.Divide, cst.BitAndAssign: cst.BitAnd, cst.BitOrAssign: cst.BitOr,
    cst.BitXorAssign: cst.BitXor, cst.PowerAssign: cst.Power, cst.FloorDivideAssign: cst.FloorDivide,
    cst.ModuloAssign: cst.Modulo, cst.LeftShiftAssign: cst.LeftShift, cst.RightShiftAssign: cst.RightShift,
}  # fmt: skip
_LETTERS = "ijklmnpq"


@dataclass(frozen=True)
class _Index:
    """A subscript that has to be written as loops.

    Attributes
    ----------
    arrays : tuple of expression
        The mask, or the index arrays.
    mask : bool
    before, within, after : int
        Whole axes before the indexed ones, the indexed ones, and those behind them.
    """

    arrays: tuple[cst.BaseExpression, ...]
    mask: bool
    before: int
    within: int
    after: int


class Masks(NumbaRewriter):
    """Rewrites the subscripts that Numba's arrays do not take."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._targets: set[cst.CSTNode] = set()

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._targets.add(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._targets.add(node.target)

    def visit_Del(self, node: cst.Del) -> None:
        self._targets.add(node.target)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        updated_node = self._lists_as_arrays(original_node, updated_node)
        if original_node in self._targets:
            return updated_node
        base, index = self.fact(original_node.value), self._index(original_node, updated_node)
        if index is None or base is None:
            return updated_node
        helper = self.context.helper("take_where" if index.mask else "take_at", _take(index))
        return cst.Call(helper, self._arguments(updated_node, index))

    def _lists_as_arrays(self, original: cst.Subscript, updated: cst.Subscript) -> cst.Subscript:
        """Writes `x[[i, j]]` as `x[np.array([i, j])]`."""
        if not self.is_array(original.value):
            return updated
        elements = []
        for old, new in zip(original.slice, updated.slice, strict=True):
            if isinstance(old.slice, cst.Index) and isinstance(new.slice, cst.Index) and self._is_list(old.slice.value):
                array = expression(f"{self.context.imports.code('numpy.array')}({{x}})", x=new.slice.value)
                new = new.with_changes(slice=new.slice.with_changes(value=array))
            elements.append(new)
        return updated.with_changes(slice=elements)

    def _is_list(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        return (isinstance(node, cst.List) and bool(node.elements)) or (fact is not None and fact.kind == "list")

    def _arguments(self, subscript: cst.Subscript, index: _Index) -> list[cst.Arg]:
        return [cst.Arg(self.context.bare(node)) for node in (subscript.value, *index.arrays)]

    def _index(self, original: cst.Subscript, updated: cst.Subscript) -> _Index | None:
        base = self.fact(original.value)
        if base is None or base.kind != "array" or base.ndim is None:
            return None
        parts: list[ValueFact | None] = []
        for element in original.slice:
            part = element.slice
            if isinstance(part, cst.Slice):
                if part.lower is not None or part.upper is not None or part.step is not None:
                    return None
                parts.append(None)
            elif isinstance(part, cst.Index):
                fact = self.fact(part.value)
                if self._is_list(part.value):
                    fact = ValueFact("array", "int64", (None,))
                if fact is None or fact.kind != "array" or fact.dtype is None:
                    return None
                parts.append(fact)
            else:
                return None
        positions = [k for k, part in enumerate(parts) if part is not None]
        if not positions or positions != list(range(positions[0], positions[-1] + 1)):
            return None
        facts = [parts[k] for k in positions]
        arrays = []
        for k in positions:
            node = updated.slice[k].slice
            assert isinstance(node, cst.Index)
            arrays.append(node.value)
        before = positions[0]
        if len(facts) == 1 and facts[0] is not None and facts[0].dtype == "bool":
            within = facts[0].ndim or 0
            if within < 2:
                return None
            return _Index(tuple(arrays), True, before, within, base.ndim - before - within)
        plain = all(f is not None and f.ndim == 1 and f.dtype != "bool" for f in facts)
        lengths = {f.shape[0] for f in facts if f is not None and f.shape}
        if len(facts) < 2 or not plain or 1 in lengths:
            return None
        return _Index(tuple(arrays), False, before, len(facts), base.ndim - before - len(facts))

    # -- stores

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.BaseSmallStatement:
        if len(updated_node.targets) != 1:
            return updated_node
        target, old = updated_node.targets[0].target, original_node.targets[0].target
        if not isinstance(target, cst.Subscript) or not isinstance(old, cst.Subscript):
            return updated_node
        return self._stored(old, target, original_node.value, updated_node.value, "") or updated_node

    def leave_AugAssign(self, original_node: cst.AugAssign, updated_node: cst.AugAssign) -> cst.BaseSmallStatement:
        target, old = updated_node.target, original_node.target
        operator = _OPERATORS.get(type(original_node.operator))
        if not isinstance(target, cst.Subscript) or not isinstance(old, cst.Subscript) or operator is None:
            return updated_node
        sign = code(operator()).strip()
        return self._stored(old, target, original_node.value, updated_node.value, sign) or updated_node

    def _stored(
        self, old: cst.Subscript, target: cst.Subscript, old_value: cst.BaseExpression, value: cst.BaseExpression,
        operator: str,
    ) -> cst.BaseSmallStatement | None:  # fmt: skip
        index = self._index(old, target)
        base, fact = self.fact(old.value), self.fact(old_value)
        if index is None or base is None or base.dtype is None or fact is None:
            return None
        number = fact.kind in ("float", "int", "bool", "complex", "scalar")
        if not number and fact.kind != "array":
            return None
        whole = index.mask and index.before == 0 and index.after == 0
        source = self._same_mask(old, old_value, value) if whole else None
        if whole and (number or source is not None):
            taken = value if source is None else source
            if operator:
                taken = expression(f"{{x}} {operator} {{v}}", x=target.value, v=self.context.operand(taken))
            elif number:
                taken = self.context.cast(base.dtype, value)
            where = self.context.imports.code("numpy.where")
            chosen = expression(f"{where}({{m}}, {{v}}, {{x}})", m=index.arrays[0], v=taken, x=target.value)
            return _store(target.value, chosen)
        if operator and not index.mask:
            # repeated indices: NumPy takes all elements before it stores any
            whole_value = self.context.helper("take_at", _take(index))
            call = cst.Call(whole_value, self._arguments(target, index))
            value = expression(f"{{x}} {operator} {{v}}", x=call, v=self.context.operand(value))
            operator, number = "", False
        elif not number and (fact.ndim or 0) < index.before + 1 + index.after:
            return None
        label = "store_where" if index.mask else "store_at"
        helper = self.context.helper(label, _put(index, operator, number))
        arguments = [*self._arguments(target, index), cst.Arg(self.context.bare(value))]
        return cst.Expr(cst.Call(helper, arguments))

    def _same_mask(
        self, target: cst.Subscript, old: cst.BaseExpression, new: cst.BaseExpression
    ) -> cst.BaseExpression | None:
        """Returns `y` of a value `y[mask]` with the target's own mask and shape, None for any other value."""
        if not isinstance(old, cst.Subscript) or len(old.slice) != 1 or not isinstance(new, cst.Call):
            return None
        one, two = self.fact(target.value), self.fact(old.value)
        same = code(old.slice[0].slice) == code(target.slice[0].slice)
        if not same or one is None or two is None or one.shape != two.shape or not new.args:
            return None
        return new.args[0].value


def _store(target: cst.BaseExpression, value: cst.BaseExpression) -> cst.Assign:
    place = cst.Subscript(target, [cst.SubscriptElement(cst.Index(cst.Ellipsis()))])
    return cst.Assign([cst.AssignTarget(place)], value)


def _shown(index: _Index, names: str) -> str:
    parts = [":"] * index.before + ([names] if names else []) + [":"] * index.after
    return ", ".join(parts)


def _fits(index: _Index) -> list[str]:
    """Returns the lines that refuse a mask of another shape, as NumPy does."""
    axes = [f"mask.shape[{k}] != x.shape[{index.before + k}]" for k in range(index.within)]
    return [f"    if {' or '.join(axes)}:", '        raise IndexError("the mask has another shape than the array")']


def _index_names(count: int) -> list[str]:
    return ["rows", "columns"] if count == 2 else [f"index_{k}" for k in range(count)]


def _lengths(names: list[str]) -> list[str]:
    """Returns the lines that refuse index arrays of different lengths."""
    different = " or ".join(f"{name}.size != {names[0]}.size" for name in names[1:])
    return [f"    if {different}:", '        raise IndexError("index arrays of different lengths")']


def _as_many(different: str) -> list[str]:
    """Returns the lines that refuse another number of values."""
    return [f"    if {different}:", '        raise ValueError("as many values are wanted as elements are chosen")']


def _take(index: _Index) -> str:
    """Returns the source of a function that takes the elements."""
    before = [f"x.shape[{k}]" for k in range(index.before)]
    after = [f"x.shape[{index.before + index.within + k}]" for k in range(index.after)]
    place = _shown(index, "k" if not index.mask else "count")
    if not index.mask:
        names = _index_names(index.within)
        element = _shown(index, ", ".join(f"{name}[k]" for name in names))
        shape = ", ".join([*before, f"{names[0]}.size", *after]) + ("," if not before + after else "")
        lines = [
            f"def {{name}}(x, {', '.join(names)}):",
            f"    # x[{_shown(index, ', '.join(names))}]: Numba takes one index array at most",
            *_lengths(names),
            f"    out = {{np}}.empty(({shape}), dtype=x.dtype)",
            f"    for k in range({names[0]}.size):",
            f"        out[{place}] = x[{element}]",
            "    return out",
        ]
        return '\n@njit(error_model="numpy")\n' + "\n".join(lines) + "\n"
    letters = _LETTERS[: index.within]
    element = _shown(index, ", ".join(letters))
    shape = ", ".join([*before, "{np}.count_nonzero(mask)", *after]) + ("," if not before + after else "")
    lines = [
        "def {name}(x, mask):",
        f"    # x[{_shown(index, 'mask')}]: Numba takes masks of one axis",
        *_fits(index),
        f"    out = {{np}}.empty(({shape}), dtype=x.dtype)",
        "    count = 0",
    ]
    pad = "    "
    for axis, letter in enumerate(letters):
        lines.append(f"{pad}for {letter} in range(mask.shape[{axis}]):")
        pad += "    "
    lines += [
        f"{pad}if mask[{', '.join(letters)}]:",
        f"{pad}    out[{place}] = x[{element}]",
        f"{pad}    count += 1",
        "    return out",
    ]
    return '\n@njit(error_model="numpy")\n' + "\n".join(lines) + "\n"


def _put(index: _Index, operator: str, number: bool) -> str:
    """Returns the source of a procedure that stores the elements."""
    place = "values" if number else f"values[{_shown(index, 'count' if index.mask else 'k')}]"
    if not index.mask:
        names = _index_names(index.within)
        element = _shown(index, ", ".join(f"{name}[k]" for name in names))
        lines = [
            f"def {{name}}(x, {', '.join(names)}, values):",
            f"    # x[{_shown(index, ', '.join(names))}] = values: Numba takes one index array at most",
            *_lengths(names),
            *([] if number else _as_many(f"values.shape[{index.before}] != {names[0]}.size")),
            f"    for k in range({names[0]}.size):",
            f"        x[{element}] = {place}",
        ]
        return '\n@njit(error_model="numpy")\n' + "\n".join(lines) + "\n"
    letters = _LETTERS[: index.within]
    element = _shown(index, ", ".join(letters))
    lines = [
        "def {name}(x, mask, values):",
        f"    # x[{_shown(index, 'mask')}] {operator}= values: Numba takes masks of one axis",
        *_fits(index),
    ]
    if not number:
        lines += _as_many(f"values.shape[{index.before}] != {{np}}.count_nonzero(mask)")
        lines.append("    count = 0")
    pad = "    "
    for axis, letter in enumerate(letters):
        lines.append(f"{pad}for {letter} in range(mask.shape[{axis}]):")
        pad += "    "
    lines += [f"{pad}if mask[{', '.join(letters)}]:", f"{pad}    x[{element}] {operator}= {place}"]
    if not number:
        lines.append(f"{pad}    count += 1")
    return '\n@njit(error_model="numpy")\n' + "\n".join(lines) + "\n"
