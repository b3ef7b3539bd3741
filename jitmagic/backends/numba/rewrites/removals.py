"""Takes elements out of the middle of lists of arrays, strings, lists or tuples of them by functions of the draft.

```
history.pop(0)          ->      taken_out(history, 0)
del rows[k]             ->      taken_out(rows, k)
del rows[:2]            ->      cut_out(rows, 0, 2)
names.remove(name)      ->      taken_out(names, names.index(name))
```

Numba (0.68) moves what lies behind, but leaves what it moved at the end of the list as well: the next `append` there
frees memory that is in use, and Python crashes, at once or later (https://github.com/numba/numba/issues/8753). Numbers
are no memory to be freed, so that lists of numbers stay as they are; `pop()` from the end is right for all.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.errors import Unsupported
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import ValueFact

_NUMBERS = frozenset({"int", "float", "bool", "complex", "scalar"})

_TAKEN_OUT = """
@njit(error_model="numpy")
def {name}(values, place):
    # values.pop(place): Numba's own frees memory that is in use, where the values are no numbers (numba#8753)
    if place < 0:
        place += len(values)
    if place < 0 or place >= len(values):
        raise IndexError("pop index out of range")
    value = values[place]
    for k in range(place, len(values) - 1):
        values[k] = values[k + 1]
    values.pop()
    return value
"""

_CUT_OUT = """
@njit(error_model="numpy")
def {name}(values, start, stop):
    # del values[start:stop]: Numba's own frees memory that is in use, where the values are no numbers (numba#8753)
    size = len(values)
    start = max(start + size, 0) if start < 0 else min(start, size)
    stop = max(stop + size, 0) if stop < 0 else min(stop, size)
    gone = max(stop - start, 0)
    for k in range(start, size - gone):
        values[k] = values[k + gone]
    for k in range(gone):
        values.pop()
"""


class Removals(NumbaRewriter):
    """Rewrites what removes elements, unless the list is seen to hold numbers alone."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._kinds: list[Kinds] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        self._kinds.append(Kinds(self.module, node, {}))

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._kinds.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    def _is_builtin(self, func: cst.BaseExpression) -> bool:
        """Says of every call that it is not left to Python: lists do not go there and back."""
        return True

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        func, args, old = updated_node.func, updated_node.args, original_node.func
        if not isinstance(func, cst.Attribute) or not isinstance(old, cst.Attribute) or not self._kinds:
            return updated_node
        if len(args) != 1:
            return updated_node
        method = func.attr.value
        if method not in ("pop", "remove") or args[0].keyword or args[0].star or not self._is_list(old.value):
            return updated_node
        if (method == "pop" and code(args[0].value) == "-1") or self._holds_numbers(old.value):
            return updated_node
        place = args[0].value
        if method == "remove":
            place = cst.Call(cst.Attribute(func.value, cst.Name("index")), [cst.Arg(place)])
        return cst.Call(self.context.helper("taken_out", _TAKEN_OUT), [cst.Arg(func.value), cst.Arg(place)])

    def leave_Del(self, original_node: cst.Del, updated_node: cst.Del) -> cst.BaseSmallStatement:
        target, old = updated_node.target, original_node.target
        if not isinstance(target, cst.Subscript) or not isinstance(old, cst.Subscript) or len(target.slice) != 1:
            return updated_node
        if not self._kinds or not self._is_list(old.value) or self._holds_numbers(old.value):
            return updated_node
        part: Any = target.slice[0].slice
        if isinstance(part, cst.Index):
            helper, given = self.context.helper("taken_out", _TAKEN_OUT), [part.value]
        else:
            if part.step is not None:
                raise self._refused(original_node)
            length = cst.Call(cst.Name("len"), [cst.Arg(target.value)])
            helper = self.context.helper("cut_out", _CUT_OUT)
            given = [part.lower or cst.Integer("0"), part.upper or length]
        return cst.Expr(cst.Call(helper, [cst.Arg(target.value), *(cst.Arg(self.context.bare(one)) for one in given)]))

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        for one in original_node.targets:
            target = one.target
            part = target.slice[0].slice if isinstance(target, cst.Subscript) and self._kinds else None
            if not isinstance(target, cst.Subscript) or not isinstance(part, cst.Slice):
                continue
            if self._is_list(target.value) and not self._holds_numbers(target.value):
                raise self._refused(original_node)
        return updated_node

    def _refused(self, node: cst.CSTNode) -> Unsupported:
        line = self.module.line(node)
        what = code(node).strip().splitlines()[0]
        return Unsupported(
            f"line {line}: `{what}` may free memory that is in use: Numba's lists of arrays and strings do not take "
            "it; make a new list", line, "NB-REFLIST",
        )  # fmt: skip

    def _is_list(self, node: cst.BaseExpression) -> bool:
        fact = self._kinds[-1].of(node)
        if fact is not None and fact.kind != "object":
            return fact.kind == "list"
        # what was a deque, or did not happen with the example; a set, or a dict, has such methods too
        values = [one.value for one in nodes_of(self._kinds[-1].function, cst.Assign)
                  if any(code(target.target) == code(node) for target in one.targets)]  # fmt: skip
        return bool(values) and all(map(_is_made_list, values))

    def _holds_numbers(self, node: cst.BaseExpression) -> bool:
        """Says whether all that was seen in a list were numbers, or tuples of numbers; where nothing was, it is not."""
        kinds = self._kinds[-1]
        facts = [kinds.of(node)]
        if isinstance(node, cst.Name):
            facts += kinds.names.get(node.value, [])
        items = [item for fact in facts if fact is not None and fact.kind == "list" for item in fact.items]
        taken: list[ValueFact | None] = []
        for call in nodes_of(kinds.function, cst.Call):
            func = call.func
            own = isinstance(func, cst.Attribute) and code(func.value) == code(node) and call.args
            if own and isinstance(func, cst.Attribute) and func.attr.value in ("append", "insert"):
                taken.append(_known(call.args[-1].value, kinds))
        if any(one is None for one in taken) and not items:
            return False
        found = [*items, *(one for one in taken if one is not None)]
        return bool(found) and all(map(_is_number, found))


def _is_made_list(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.Call):
        return code(value.func) == "list"
    return isinstance(value, cst.List | cst.ListComp)


def _known(node: cst.BaseExpression, kinds: Kinds) -> ValueFact | None:
    """Returns what is known of an element, of a tuple that is written out by its parts."""
    fact = kinds.of(node)
    if fact is None and isinstance(node, cst.Tuple):
        parts = [_known(element.value, kinds) for element in node.elements]
        if None not in parts:
            return ValueFact("tuple", items=tuple(part for part in parts if part is not None))
    return fact


def _is_number(fact: ValueFact) -> bool:
    if fact.kind == "tuple":
        return bool(fact.items) and all(map(_is_number, fact.items))
    if fact.kind == "mixed":
        return bool(fact.items) and all(map(_is_number, fact.items))
    return fact.kind in _NUMBERS
