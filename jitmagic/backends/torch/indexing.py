"""Subscripts: reversed slices become flips, index arrays int64, `np.r_` and `np.mgrid` functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import libcst as cst

from jitmagic.backends.torch.calls import atom, code, literal
from jitmagic.backends.torch.kinds import Value, category
from jitmagic.observe.facts import ValueFact

Look = Callable[[cst.CSTNode], Value]
Fact = Callable[[cst.CSTNode], ValueFact | None]
Fail = Callable[..., None]


@dataclass(frozen=True)
class Indexed:
    """A translated subscript.

    Attributes
    ----------
    node : libcst.BaseExpression
    view : bool
        It shares the base's memory (basic indices only).
    flipped : bool
        NumPy's would share memory, torch's is a reversed copy.
    advanced : bool
        An index array or a mask takes part.
    masked : bool
        A mask takes part, so that the shape depends on data.
    """

    node: cst.BaseExpression
    view: bool
    flipped: bool
    advanced: bool
    masked: bool


def index(
    original: cst.Subscript, updated: cst.Subscript, look: Look, fact: Fact, spell: Callable[[str], str], fail: Fail
) -> Indexed:
    """Translates a subscript of a tensor.

    Parameters
    ----------
    original, updated : libcst.Subscript
        Before and after the translation of its parts.
    look : callable
        The value of an original node.
    fact : callable
        What was observed of an original node.
    spell, fail : callable
        As in the translator.
    """
    elements: list[cst.SubscriptElement] = []
    flips: list[int] = []
    advanced = masked = spelled = False
    dimension = 0  # of the result, which is where a flip takes place
    axis = 0  # of the array
    changed = False
    ellipsis = False
    for old, new in zip(original.slice, updated.slice, strict=True):
        part, old_part = new.slice, old.slice
        if isinstance(part, cst.Slice) and isinstance(old_part, cst.Slice) and _by_range(old_part, fact):
            # NumPy's would be a view, this is a copy
            new = new.with_changes(slice=_positions(part, updated.value, axis, ellipsis, fail))
            advanced = spelled = changed = True
            dimension += 1
        elif isinstance(part, cst.Slice) and isinstance(old_part, cst.Slice):
            forward, flipped = _forward(old_part, part, fact, fail)
            if flipped:
                flips.append(dimension if not ellipsis else -1 - _after(original.slice, old, look))
                new = new.with_changes(slice=forward)
                changed = True
            dimension += 1
        elif isinstance(part, cst.Index) and isinstance(old_part, cst.Index):
            value = look(old_part.value)
            if isinstance(part.value, cst.Ellipsis):
                ellipsis = True
            elif isinstance(part.value, cst.Name) and part.value.value == "None":
                dimension += 1
            elif value.is_tensor and value.ndim == 0 and value.dtype == "uint8":
                # torch takes uint8 for a mask
                cast = cst.parse_expression(f"int({code(part.value)})")
                new = new.with_changes(slice=cst.Index(cast))
                changed = True
            elif value.is_tensor and value.ndim != 0:
                advanced = True
                kind = category(value.dtype)
                masked = masked or kind == "bool"
                if kind == "int" and value.dtype != "int64":
                    cast = cst.parse_expression(f"{atom(part.value)}.to({spell('torch.int64')})")
                    new = new.with_changes(slice=cst.Index(cast))
                    changed = True
                dimension += 1
            elif value.kind == "sequence" and _is_tuple(part.value, fact(old_part.value)):
                advanced = advanced or any(item.kind == "tensor" and item.ndim != 0 for item in value.items)
            elif value.kind == "sequence":
                advanced = True
                dimension += 1
                listed = part.value
                computed = isinstance(listed, cst.List) and any(literal(e.value) is None for e in listed.elements)
                if computed or _holds_elements(listed, fact(old_part.value)):
                    # torch takes a list with a tensor in it for a tuple of indices, one an axis
                    gathered = cst.parse_expression(f"{spell('torch.tensor')}({code(listed)})")
                    new = new.with_changes(slice=cst.Index(gathered))
                    changed = True
        axis += _axes_of(old_part, look)
        elements.append(new)
    node: cst.BaseExpression = updated.with_changes(slice=elements) if changed else updated
    if flips:
        if advanced:
            fail("mixes a reversed slice with an index array: reverse first, then index", "PT-NEGSTRIDE")
        bare = _without_full_slices(elements, original)
        base = updated.value if bare else updated.with_changes(slice=elements)
        node = cst.parse_expression(f"{atom(base)}.flip({', '.join(map(str, flips))})")
        stride = _strided(original)
        if stride:
            node = cst.parse_expression(f"{code(node)}[{stride}]")
    return Indexed(node, not advanced and not flips, bool(flips) or spelled, advanced, masked)


def _holds_elements(node: cst.BaseExpression, seen: ValueFact | None) -> bool:
    """Tells whether an index is a list in a variable among whose numbers elements of arrays were seen."""
    return isinstance(node, cst.Name) and seen is not None and any(item.kind == "scalar" for item in seen.items)


def _axes_of(part: cst.BaseSlice, look: Look) -> int:
    """Returns how many axes of the array a part of a subscript takes up."""
    if not isinstance(part, cst.Index):
        return 1
    if isinstance(part.value, cst.Ellipsis) or code(part.value) in ("None", "np.newaxis", "numpy.newaxis"):
        return 0
    value = look(part.value)
    return (value.ndim or 1) if value.is_tensor and category(value.dtype) == "bool" else 1


def _by_range(part: cst.Slice, fact: Fact) -> bool:
    """Tells whether a slice goes backwards between limits of which no forward slice is known."""
    if part.step is None:
        return False
    step = literal(part.step)
    if step is None:
        seen = fact(part.step)
        return seen is not None and seen.low is not None and seen.low < 0
    if step > 0 or (part.lower is None and part.upper is None):
        return False
    return step != -1 or not all(_known(limit, fact) for limit in (part.lower, part.upper) if limit is not None)


def _known(limit: cst.BaseExpression, fact: Fact) -> bool:
    seen = fact(limit)
    return isinstance(literal(limit), int) or (seen is not None and seen.low is not None and seen.low >= 0)


def _positions(part: cst.Slice, base: cst.BaseExpression, axis: int, ellipsis: bool, fail: Fail) -> cst.BaseSlice:
    """Spells a backwards slice by Python's own range, which takes any limits as NumPy does."""
    if ellipsis or not isinstance(base, cst.Name | cst.Attribute):
        fail("slices backwards between computed limits, which torch does not have", "PT-NEGSTRIDE")
    size = f"len({code(base)})" if axis == 0 else f"{code(base)}.shape[{axis}]"
    return cst.Index(cst.parse_expression(f"list(range({size})[{code(part)}])"))


def _is_tuple(node: cst.BaseExpression, seen: ValueFact | None) -> bool:
    """Tells whether an index is a tuple in a variable: one index an axis, where a list is one index array."""
    return not isinstance(node, cst.Tuple | cst.List) and seen is not None and seen.kind == "tuple"


def _after(elements: Sequence[cst.SubscriptElement], at: cst.SubscriptElement, look: Look) -> int:
    """Returns how many axes of the result the elements behind one stand for: a number stands for none."""
    behind = list(elements)[list(elements).index(at) + 1 :]
    return sum(not isinstance(e.slice, cst.Index) or _is_none(e.slice.value) or _is_long(e.slice, look) for e in behind)


def _is_none(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _is_long(index: cst.Index, look: Look) -> bool:
    value = look(index.value)
    return value.kind == "sequence" or (value.is_tensor and value.ndim != 0)


def _step(part: cst.Slice) -> int | None:
    return None if part.step is None else literal(part.step)


def _forward(old: cst.Slice, new: cst.Slice, fact: Fact, fail: Fail) -> tuple[cst.Slice, bool]:
    """Returns a slice with a negative step as the forward slice over the same elements, to be flipped."""
    step = _step(old)
    if step is None:
        seen = None if old.step is None else fact(old.step)
        if seen is not None and seen.low is not None and seen.low < 0:
            fail("slices with a computed negative step, which torch does not have", "PT-NEGSTRIDE")
        return new, False
    if step > 0:
        return new, False
    if step != -1 and (old.lower is not None or old.upper is not None):
        fail(f"slices backwards by {-step} between limits; torch has no negative steps", "PT-NEGSTRIDE")
    lower = None if new.upper is None else _one_more(old.upper, new.upper, fact, fail)
    upper = None if new.lower is None else _one_more(old.lower, new.lower, fact, fail)
    return cst.parse_expression(f"x[{lower or ''}:{upper or ''}]").slice[0].slice, True  # type: ignore[attr-defined]


def _one_more(old: cst.BaseExpression | None, new: cst.BaseExpression, fact: Fact, fail: Fail) -> str:
    """Returns a limit plus one: slices backwards exclude and include the other way round."""
    value = literal(new)
    if isinstance(value, int):
        return "" if value == -1 else str(value + 1)
    seen = None if old is None else fact(old)
    if seen is None or seen.low is None or seen.low < 0:
        fail("slices backwards from or to a limit that may be negative; torch has no negative steps", "PT-NEGSTRIDE")
    return f"{atom(new)} + 1"


def _without_full_slices(elements: Sequence[cst.SubscriptElement], original: cst.Subscript) -> bool:
    """Tells whether nothing but reversals and full slices stood in the subscript."""
    return all(
        isinstance(e.slice, cst.Slice) and e.slice.lower is None and e.slice.upper is None and e.slice.step is None
        for e in elements
    )


def _strided(original: cst.Subscript) -> str:
    """Returns the steps to take after a flip, for ``x[::-2]``."""
    steps = []
    for element in original.slice:
        if isinstance(element.slice, cst.Index) and code(element.slice.value) != "None":
            continue  # an integer index takes its axis away
        step = _step(element.slice) if isinstance(element.slice, cst.Slice) else None
        steps.append(f"::{-step}" if step is not None and step < -1 else ":")
    return ", ".join(steps) if any(s != ":" for s in steps) else ""


def build(path: str, updated: cst.Subscript, spell: Callable[[str], str], made: str, fail: Fail) -> str:
    """Translates a subscript of ``np.c_``, ``np.r_``, ``np.mgrid`` or ``np.ogrid``.

    Parameters
    ----------
    made : str
        ``", device=…"`` of new tensors, or nothing.
    """
    parts = [e.slice for e in updated.slice]
    if path in ("numpy.c_", "numpy.r_"):
        if any(isinstance(p, cst.Slice) for p in parts):
            fail(f"builds an array from slices by `{path.replace('numpy', 'np')}`: write `np.arange`")
        items = ", ".join(code(p.value) for p in parts if isinstance(p, cst.Index))
        return f"{spell('torch.column_stack' if path == 'numpy.c_' else 'torch.cat')}(({items}))"
    axes = []
    for part in parts:
        if not isinstance(part, cst.Slice) or part.upper is None:
            fail(f"indexes `{path.replace('numpy', 'np')}` by other than slices with an end")
        else:
            axes.append(_axis(part, spell, made))
    if path == "numpy.ogrid":
        count = len(axes)
        shaped = [
            f"{axis}[{', '.join(':' if i == k else 'None' for i in range(count))}]" if count > 1 else axis
            for k, axis in enumerate(axes)
        ]
        return f"({', '.join(shaped)})"
    grid = f'{spell("torch.meshgrid")}({", ".join(axes)}, indexing="ij")'
    return axes[0] if len(axes) == 1 else f"{spell('torch.stack')}({grid})"


def _count(step: cst.BaseExpression | None) -> str | None:
    """Returns the number of points in a step written as ``n * 1j``, None for another step."""
    if isinstance(step, cst.BinaryOperation) and isinstance(step.operator, cst.Multiply):
        for count, unit in ((step.left, step.right), (step.right, step.left)):
            if literal(unit) == 1j:
                return code(count)
    return None


def _axis(part: cst.Slice, spell: Callable[[str], str], made: str) -> str:
    start = "0" if part.lower is None else code(part.lower)
    stop = code(part.upper) if part.upper is not None else ""
    step = None if part.step is None else literal(part.step)
    count = _count(part.step)
    if count is not None:
        return f"{spell('torch.linspace')}({start}, {stop}, {count}, dtype={spell('torch.float64')}{made})"
    if isinstance(step, complex):
        return f"{spell('torch.linspace')}({start}, {stop}, {int(step.imag)}, dtype={spell('torch.float64')}{made})"
    floats = any(isinstance(literal(x), float) for x in (part.lower, part.upper, part.step) if x is not None)
    limits = stop if start == "0" and part.step is None else f"{start}, {stop}"
    typed = f", dtype={spell('torch.float64')}" if floats else ""
    stride = "" if part.step is None else f", {code(part.step)}"
    return f"{spell('torch.arange')}({limits}{stride}{typed}{made})"
