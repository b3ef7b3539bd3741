"""Rewrite boolean-mask selections as ``where``: JAX needs shapes that do not depend on values.

``x[m].sum()`` becomes ``jnp.sum(x, where=m)``, and a stored ``x[m] = f(y[m])`` becomes ``jnp.where(m, f(y), x)`` where
``f`` treats each element alone.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.jax.functions import ELEMENTWISE
from jitmagic.backends.jax.promotion import is_integer
from jitmagic.errors import Unsupported
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds, same_code
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter
from jitmagic.generate.walking import Finder

_REDUCTIONS = frozenset({"sum", "prod", "mean", "std", "var", "max", "min", "any", "all", "amax", "amin"})
_EMPTY = {"max": "-__numpy__.inf", "amax": "-__numpy__.inf", "min": "__numpy__.inf", "amin": "__numpy__.inf"}


def mask_of(node: cst.BaseExpression, kinds: Kinds) -> cst.BaseExpression | None:
    """Returns the mask of ``x[mask]``, None for any other expression."""
    if not isinstance(node, cst.Subscript) or len(node.slice) != 1:
        return None
    index = node.slice[0].slice
    if isinstance(index, cst.Index) and (kinds.is_mask(index.value) or _reads_as_mask(index.value, kinds)):
        return index.value
    return None


def _reads_as_mask(node: cst.BaseExpression, kinds: Kinds) -> bool:
    """Says whether an index that was not observed is written as a mask: a comparison with an array, or its inverse."""
    if kinds.of(node) is not None:
        return False
    if isinstance(node, cst.Comparison):
        return kinds.is_array(node.left) or any(kinds.is_array(c.comparator) for c in node.comparisons)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.BitInvert):
        return _reads_as_mask(node.expression, kinds) or kinds.is_mask(node.expression)
    return False


def unmasked(
    node: cst.BaseExpression, mask: cst.BaseExpression, kinds: Kinds, looked_up: bool = False
) -> cst.BaseExpression | None:
    """Returns an expression over whole arrays whose elements at the mask are those of ``node``; None if there is none.

    ``y[m] * 2 + c`` becomes ``y * 2 + c``. Only operations that treat each element alone may stand between; where
    elements at other places are thrown away, ``looked_up`` lets ``t[k[m]]`` be ``t[k]``, whose subscripts may lie
    outside of ``t`` there.
    """
    if isinstance(node, cst.Integer | cst.Float | cst.Imaginary):
        return node
    if kinds.is_number(node):
        return node
    inner = mask_of(node, kinds)
    if inner is not None:
        assert isinstance(node, cst.Subscript)
        return node.value if same_code(inner, mask) else None
    if isinstance(node, cst.Subscript):
        row = _row_unmasked(node, mask, kinds)
        return _elements_unmasked(node, mask, kinds) if row is None and looked_up else row
    if isinstance(node, cst.BinaryOperation) and not isinstance(node.operator, cst.MatrixMultiply):
        left, right = unmasked(node.left, mask, kinds, looked_up), unmasked(node.right, mask, kinds, looked_up)
        return None if left is None or right is None else node.with_changes(left=left, right=right)
    if isinstance(node, cst.UnaryOperation):
        inside = unmasked(node.expression, mask, kinds, looked_up)
        return None if inside is None else node.with_changes(expression=inside)
    if isinstance(node, cst.Comparison):
        left = unmasked(node.left, mask, kinds, looked_up)
        parts = [unmasked(c.comparator, mask, kinds, looked_up) for c in node.comparisons]
        if left is None or any(p is None for p in parts):
            return None
        renewed = [c.with_changes(comparator=p) for c, p in zip(node.comparisons, parts, strict=True)]
        return node.with_changes(left=left, comparisons=renewed)
    if isinstance(node, cst.Call):
        return _unmasked_call(node, mask, kinds, looked_up)
    return None


def _row_unmasked(node: cst.Subscript, mask: cst.BaseExpression, kinds: Kinds) -> cst.BaseExpression | None:
    """Returns ``W[k]`` for ``W[k, m]``, ``W[:, k]`` for ``W[m, k]``: the mask has one axis and k is a number."""
    fact = kinds.of(mask)
    if fact is None or fact.ndim != 1 or not kinds.is_array(node.value):
        return None
    elements: list[cst.SubscriptElement] = []
    masks = 0
    for element in node.slice:
        if not isinstance(element.slice, cst.Index):
            return None
        if same_code(element.slice.value, mask):
            masks += 1
            elements.append(element.with_changes(slice=cst.Slice(None, None)))
        elif kinds.is_number(element.slice.value):
            elements.append(element)
        else:
            return None
    while elements and isinstance(elements[-1].slice, cst.Slice):
        elements.pop()
    if masks != 1 or not elements:
        return None
    elements[-1] = elements[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return node.with_changes(slice=elements)


def _elements_unmasked(node: cst.Subscript, mask: cst.BaseExpression, kinds: Kinds) -> cst.BaseExpression | None:
    """Returns ``t[k]`` for ``t[k[m]]``, and ``t[k, j]`` for ``t[k[m], j[m]]``: one element for each place."""
    fact = kinds.of(node.value)
    if fact is None or fact.kind != "array" or fact.ndim != len(node.slice):
        return None
    elements = []
    for element in node.slice:
        if not isinstance(element.slice, cst.Index) or element.slice.star:
            return None
        index = element.slice.value
        found = kinds.of(index)
        whole = unmasked(index, mask, kinds, True)
        if whole is None or found is None or found.dtype == "bool":
            return None
        if found.kind != "int" and not is_integer(found.dtype or ""):
            return None
        elements.append(element.with_changes(slice=element.slice.with_changes(value=whole)))
    return node.with_changes(slice=elements)


def _unmasked_call(
    node: cst.Call, mask: cst.BaseExpression, kinds: Kinds, looked_up: bool
) -> cst.BaseExpression | None:
    func: Any = node.func
    path = kinds.path(func)
    if path is None and isinstance(func, cst.Attribute) and func.attr.value in ("astype", "conj", "clip", "round"):
        inside = unmasked(func.value, mask, kinds, looked_up)
        return None if inside is None else node.with_changes(func=func.with_changes(value=inside))
    if path not in ELEMENTWISE and not (path or "").startswith("scipy.special."):
        return None
    args = []
    for argument in node.args:
        if argument.keyword is not None:
            return None
        value = unmasked(argument.value, mask, kinds, looked_up)
        if value is None:
            return None
        args.append(argument.with_changes(value=value))
    return node.with_changes(args=args)


def aligned(mask: cst.BaseExpression, array: cst.BaseExpression, kinds: Kinds) -> str:
    """Returns the mask as text, with the axes that it lacks for the array's trailing axes."""
    m, a = kinds.of(mask), kinds.of(array)
    text = code(mask)
    missing = 0 if m is None or a is None or m.ndim is None or a.ndim is None else a.ndim - m.ndim
    if missing <= 0:
        return text
    if not isinstance(mask, cst.Name | cst.Attribute | cst.Call | cst.Subscript):
        text = f"({text})"
    return f"{text}[..., {', '.join(['None'] * missing)}]"


def masked_reductions(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with reductions over ``x[mask]`` written with ``where=``."""
    return tree.visit(_MaskedReductions(module, kinds))


class _MaskedReductions(FunctionRewriter[Kinds]):
    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if not self.stack:
            return updated_node
        kinds = self.stack[-1]
        path = kinds.path(original_node.func)
        func: Any = original_node.func
        # reductions inside are rewritten already; what was observed of them is still known
        args, new_func = updated_node.args, updated_node.func
        if path is not None and path.startswith("numpy.") and len(args) in (1, 2):
            name, operand, more = path.removeprefix("numpy."), args[0].value, args[1:]
        elif path is None and isinstance(func, cst.Attribute) and isinstance(new_func, cst.Attribute) and len(args) < 2:
            name, operand, more = func.attr.value, new_func.value, args
        else:
            return self.length(original_node, updated_node, kinds)
        if name == "size" and path is not None and (found := mask_of(operand, kinds)) is not None:
            return cst.parse_expression(f"__numpy__.count_nonzero({code(found)})")
        if name == "size" or name not in _REDUCTIONS:
            return self.length(original_node, updated_node, kinds)
        along = self.along_an_axis(name, operand, more, kinds)
        if along is not None:
            return along
        mask = _only_mask(operand, kinds)
        if mask is None or not _first_axis(more):
            return updated_node
        fact = kinds.of(mask)
        if more and (fact is None or fact.ndim != 1):
            return updated_node
        whole = unmasked(operand, mask, kinds)
        if whole is None:
            return updated_node
        return self.reduced(name, whole, mask, operand, kinds, updated_node, ", axis=0" if more else "")

    def along_an_axis(
        self, name: str, operand: cst.BaseExpression, more: Any, kinds: Kinds
    ) -> cst.BaseExpression | None:
        """Returns ``x[:, mask].sum(axis=1)`` with ``where=``; None for any other reduction."""
        if name not in ("sum", "prod", "any", "all") or not isinstance(operand, cst.Subscript):
            return None
        fact = kinds.of(operand.value)
        parts = [e.slice for e in operand.slice]
        masks = [i for i, p in enumerate(parts) if isinstance(p, cst.Index) and kinds.is_mask(p.value)]
        if fact is None or fact.kind != "array" or fact.ndim != 2 or len(parts) != 2 or len(masks) != 1:
            return None
        other: Any = parts[1 - masks[0]]
        if not isinstance(other, cst.Slice) or other.lower or other.upper or other.step or len(more) != 1:
            return None
        if more[0].keyword is not None and more[0].keyword.value != "axis":
            return None
        if code(more[0].value).replace(" ", "") not in (str(masks[0]), str(masks[0] - 2)):
            return None
        chosen: Any = parts[masks[0]]
        mask = kinds.of(chosen.value)
        if mask is None or mask.ndim != 1:
            return None
        text = code(chosen.value)
        if masks[0] == 0:
            text = f"({text})[:, None]" if not isinstance(chosen.value, cst.Name) else f"{text}[:, None]"
        return cst.parse_expression(f"__numpy__.{name}({code(operand.value)}, axis={masks[0]}, where={text})")

    def reduced(
        self, name: str, whole: Any, mask: Any, operand: Any, kinds: Kinds, node: cst.Call, axis: str
    ) -> cst.BaseExpression:
        m, a = kinds.of(mask), kinds.of(_selected(operand, kinds))
        if m is not None and a is not None and m.ndim != a.ndim:
            mask_text = aligned(mask, _selected(operand, kinds), kinds)
            if name in ("mean", "std", "var"):
                mask_text = f"__numpy__.broadcast_to({mask_text}, {code(_selected(operand, kinds))}.shape)"
        else:
            mask_text = code(mask)
        more = ""
        if name in _EMPTY:
            dtype = a.dtype if a is not None else None
            if dtype is None or not dtype.startswith("float"):
                bound = "min" if name in ("max", "amax") else "max"
                if dtype is None or not dtype.startswith(("int", "uint")):
                    return node
                more = f", initial=__numpy__.iinfo(__numpy__.{dtype}).{bound}"
            else:
                more = f", initial={_EMPTY[name]}"
        result = cst.parse_expression(f"__numpy__.{name}({code(whole)}{axis}, where={mask_text}{more})")
        return result

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if self.stack and original_node.attr.value == "size":
            fact = self.stack[-1].of(original_node.value)
            mask = mask_of(original_node.value, self.stack[-1])
            if mask is not None and fact is not None and fact.ndim == 1:
                return cst.parse_expression(f"__numpy__.count_nonzero({code(mask)})")
        return updated_node

    def length(self, old: cst.Call, new: cst.Call, kinds: Kinds) -> cst.BaseExpression:
        func = old.func
        if isinstance(func, cst.Name) and func.value == "len" and len(old.args) == 1:
            mask = mask_of(old.args[0].value, kinds)
            if mask is not None:
                return cst.parse_expression(f"__numpy__.count_nonzero({code(mask)})")
        return new


def _first_axis(args: Any) -> bool:
    """Says whether a reduction is told nothing, or to go along the first axis."""
    return not args or (
        (args[0].keyword is None or args[0].keyword.value == "axis")
        and isinstance(args[0].value, cst.Integer)
        and args[0].value.value == "0"
    )


def _only_mask(node: cst.BaseExpression, kinds: Kinds) -> cst.BaseExpression | None:
    """Returns the mask that an expression selects by, if it is one and the same everywhere."""
    found = _Masks(kinds)
    node.visit(found)
    if found.masks and all(same_code(m, found.masks[0]) for m in found.masks):
        return found.masks[0]
    return None


def _selected(node: cst.BaseExpression, kinds: Kinds) -> cst.BaseExpression:
    found = _Masks(kinds)
    node.visit(found)
    return found.bases[0]


class _Masks(Finder):
    def __init__(self, kinds: Kinds) -> None:
        super().__init__()
        self.kinds = kinds
        self.masks: list[cst.BaseExpression] = []
        self.bases: list[cst.BaseExpression] = []

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        mask = mask_of(node, self.kinds)
        if mask is not None:
            self.masks.append(mask)
            self.bases.append(node.value)
        return mask is None


def refuse_masks(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> None:
    """Raises :class:`Unsupported` at the first selection by a mask that is still there."""
    for statement in tree.body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value in kinds:
            found = _Remaining(kinds[statement.name.value], module)
            statement.visit(found)
            if found.first is not None:
                line = module.line(found.first)
                raise Unsupported(
                    f"line {line}: the shape of `{code(found.first)}` depends on values, which JAX cannot compile; "
                    "keep the full shape with np.where, or reduce it at once, as in x[m].sum()",
                    line,
                    "JX-BOOLMASK",
                )


class _Remaining(Finder):
    def __init__(self, kinds: Kinds, module: Module) -> None:
        super().__init__()
        self.kinds = kinds
        self.module = module
        self.first: cst.Subscript | None = None

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if self.first is None and mask_of(node, self.kinds) is not None and self.module.line(node) is not None:
            self.first = node
