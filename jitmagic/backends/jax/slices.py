"""Rewrite slices whose length changes as whole axes with a mask: ``s = L[i, :j] @ y[:j]`` and ``x[i:] -= c * z[i:]``.

JAX has fixed shapes while it compiles. What a slice of changing length holds is computed for the whole axis, and a mask
says what counts: reductions get it as ``where=``, stores as ``np.where(mask, new, old)``. Windows of constant width are
left to :mod:`jitmagic.backends.jax.windows`. Done in NumPy's own form, before stores become functional.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.frames import Frame
from jitmagic.backends.jax.lowest import Lowest, count_bindings, sizes_of
from jitmagic.backends.jax.ragged import Evaluator, Ragged, Unknown, is_plain_number
from jitmagic.backends.jax.store_targets import root_name
from jitmagic.backends.jax.sums import difference
from jitmagic.backends.jax.tracing import Tracing
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, each_function, leading, made, small, statements, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder

_BINARY = {
    "AddAssign": "+", "SubtractAssign": "-", "MultiplyAssign": "*", "DivideAssign": "/", "PowerAssign": "**",
    "FloorDivideAssign": "//", "ModuloAssign": "%", "BitAndAssign": "&", "BitOrAssign": "|", "BitXorAssign": "^",
}  # fmt: skip


def whole_axes(module: Module, tree: cst.Module, tracing: dict[str, Tracing]) -> cst.Module:
    """Returns the tree without slices whose length changes; raises Unsupported where there is no such form."""
    taken = set(name_tools.all_names(tree))
    return each_function(tree, tracing, lambda function, known: _Function(module, function, known, taken).result())


class _Function:
    """Rewrites the statements of one function."""

    def __init__(self, module: Module, function: cst.FunctionDef, tracing: Tracing, taken: set[str]) -> None:
        self.module, self.function, self.tracing, self.taken = module, function, tracing, taken
        self.kinds = tracing.kinds
        self.loops: list[cst.For] = []
        self.named: dict[str, Ragged] = {}
        self.views: set[str] = set()
        self.uses: dict[str, int] = {}
        self.evaluator = Evaluator(self.kinds, self.ragged, self.name)
        self.sizes = sizes_of(function)

    def result(self) -> cst.FunctionDef:
        finder = _Moving(self)
        self.function.visit(finder)
        if not finder.found:
            return self.function
        new: cst.FunctionDef = with_body(self.function, self.block(statements(self.function)))
        self.module.inherit(new, self.function)
        for name, seen in self.uses.items():
            loads = _count(self.function, name)
            if loads > seen:
                line = self.module.line(self.function)
                raise Unsupported(
                    f"line {line}: the length of `{name}` changes from step to step, and JAX needs fixed shapes; use "
                    "the whole array with np.where on the index",
                    line,
                    "JX-SHAPEARG",
                )
        return new

    # what moves -------------------------------------------------------------------------------

    def is_moving(self, element: cst.SubscriptElement) -> bool:
        """Says whether a slice's bounds are traced and its width is not constant."""
        part = element.slice
        if not isinstance(part, cst.Slice):
            return False
        bounds = [b for b in (part.lower, part.upper, part.step) if b is not None]
        if not any(self.tracing.expression(b) for b in bounds):
            return False
        if part.lower is None or part.upper is None or (part.step is not None and code(part.step) != "1"):
            return True
        left = difference(code(part.upper), code(part.lower))
        return any(t and self.tracing.expression(cst.parse_expression(t)) for t in left)

    def name(self, node: cst.Name) -> Ragged | None:
        found = self.named.get(node.value)
        if found is not None:
            self.uses[node.value] = self.uses.get(node.value, 0) + 1
        return found

    def ragged(self, node: cst.Subscript) -> Ragged | None:
        """Returns what a subscript with moving slices stands for; None for any other."""
        if not any(self.is_moving(e) for e in node.slice):
            return None
        fact = self.kinds.of(node.value)
        if fact is None or fact.kind != "array" or fact.ndim is None:
            if self.kinds.is_container(node.value):
                return None
            raise Unknown(f"it is not known how many axes `{code(node.value)}` has")
        if isinstance(node.value, cst.Name) and node.value.value in self.named:
            raise Unknown(f"the length of `{code(node.value)}` changes, and `{code(node)}` cuts it")
        kept: list[str] = []
        frames: list[Frame | None] = []
        axis = 0
        for element in node.slice:
            if isinstance(element.slice, cst.Slice):
                if self.is_moving(element):
                    seen = None if fact.shape is None else fact.shape[axis]
                    frames.append(self.frame(element.slice, f"{code(node.value)}.shape[{axis}]", seen))
                    kept.append(":")
                else:
                    moving = any(
                        b is not None and self.tracing.expression(b)
                        for b in (element.slice.lower, element.slice.upper, element.slice.step)
                    )
                    if moving:
                        raise Unknown(f"`{code(node)}` cuts one axis by a window and another to a changing length")
                    frames.append(None)
                    kept.append(code(element.with_changes(comma=cst.MaybeSentinel.DEFAULT)))
            else:
                index: Any = getattr(element.slice, "value", None)
                known = self.kinds.of(index)
                if known is None or known.kind not in ("int", "scalar"):
                    raise Unknown(f"`{code(node)}` mixes a moving slice with an index that is no whole number")
                kept.append(code(self.evaluator.plain(index)))
            axis += 1
        frames += [None] * (fact.ndim - axis)
        while kept and kept[-1] == ":":
            kept.pop()
        base = self.evaluator.plain(node.value)
        whole = f"{code(base)}[{', '.join(kept)}]" if kept else code(base)
        cut = {place - len(frames): frame for place, frame in enumerate(frames) if frame is not None}
        return Ragged(whole, len(frames), cut, fact.dtype)

    def frame(self, part: cst.Slice, length: str, seen: int | None) -> Frame:
        step = "1" if part.step is None else code(part.step)
        if part.step is not None and not self.never_negative(part.step):
            raise Unknown(f"the step `{step}` may be negative")
        start = "0" if part.lower is None else self.bound(part.lower, length)
        stop = None if part.upper is None else self.bound(part.upper, length)
        if stop is not None and part.upper is not None and self.is_length(part.upper, length):
            stop = None
        return Frame(start, stop, step, length, seen)

    def is_length(self, node: cst.BaseExpression, length: str) -> bool:
        """Says whether a bound is the length of the axis itself."""
        base = length.rpartition(".shape")[0]
        return code(node) == length or (code(node) == f"len({base})" and length.endswith("[0]"))

    def bound(self, node: cst.BaseExpression, length: str) -> str:
        """Returns a bound counted from the beginning of the axis."""
        text = code(self.evaluator.plain(node))
        if self.never_negative(node):
            return text
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
            inner = node.expression
            if isinstance(inner, cst.Integer) or self.never_negative(inner):
                shown = code(inner) if isinstance(inner, cst.Name | cst.Integer) else f"({code(inner)})"
                if isinstance(inner, cst.Integer):
                    return f"{length} - {shown}"
        closed = text if text.isidentifier() else f"({text})"
        return f"__numpy__.where({closed} < 0, {closed} + {length}, {text})"

    def never_negative(self, node: cst.BaseExpression) -> bool:
        return Lowest(self.loops, self.sizes).never_negative(node)

    # statements -------------------------------------------------------------------------------

    def block(self, body: Sequence[Any]) -> list[Any]:
        result: list[Any] = []
        for node in body:
            for new in self.statement(node):
                self.module.inherit(new, node)
                if small(new) is not None and small(node) is not None:
                    self.module.inherit(small(new), small(node))
                result.append(new)
        return result

    def statement(self, node: Any) -> list[Any]:
        try:
            return self.rewritten(node)
        except Unknown as reason:
            line = self.module.line(node)
            raise Unsupported(
                f"line {line}: {reason}, and JAX needs fixed shapes; use the whole array with np.where on the index, "
                "or a window of constant width",
                line,
                "JX-SHAPEARG",
            ) from None

    def rewritten(self, node: Any) -> list[Any]:
        if isinstance(node, cst.For | cst.While | cst.If | cst.With):
            return [self.compound(node)]
        one = small(node)
        if one is None:
            return [node]
        result = [node]
        if isinstance(one, cst.Assign):
            result = self.assigned(node, one)
        elif isinstance(one, cst.AugAssign):
            result = self.augmented(node, one)
        elif _mentions(self, one):
            new = self.evaluator.children(one)
            self.module.inherit(new, one)
            result = [node.with_changes(body=[new])]
        self.forget(one)
        return result

    def forget(self, one: Any) -> None:
        """Forgets the parts whose bounds or arrays a statement changes."""
        bound = set(name_tools.bound(cst.Module([cst.SimpleStatementLine([one])])))
        if isinstance(one, cst.Assign | cst.AugAssign):
            targets = [t.target for t in one.targets] if isinstance(one, cst.Assign) else [one.target]
            bound |= {root for target in targets if (root := root_name(target)) is not None}
        for name, part in list(self.named.items()):
            reads = {n for f in part.frames.values() for t in (f.start, f.stop or "0", f.length) for n in _names(t)}
            if reads & bound:
                del self.named[name]

    def compound(self, node: Any) -> Any:
        new = node
        if isinstance(node, cst.While | cst.If):
            test = self.evaluator.plain(node.test)
            if test is not node.test:
                self.module.inherit(test, node.test)
                new = new.with_changes(test=test)
        elif isinstance(node, cst.For):
            iterated = self.evaluator.plain(node.iter)
            new = new.with_changes(iter=iterated) if iterated is not node.iter else new
            self.loops.append(node)
        outside = dict(self.named)
        if isinstance(node, cst.For | cst.While):
            # what an iteration changes holds for the next one's beginning as well
            bound = name_tools.bound(cst.Module([node])) | _stored(node)
            for name, part in list(self.named.items()):
                texts = [t for f in part.frames.values() for t in (f.start, f.stop or "0", f.length)]
                if bound & ({name} | {n for t in texts for n in _names(t)}):
                    del self.named[name]
        new = with_body(new, self.block(statements(node)))
        if isinstance(node, cst.For):
            self.loops.pop()
        kept = {n: p for n, p in self.named.items() if outside.get(n) is p}
        orelse = getattr(node, "orelse", None)
        if orelse is not None:
            self.named = dict(kept) if not isinstance(node, cst.If) else dict(outside)
            if isinstance(orelse, cst.If):
                new = new.with_changes(orelse=self.statement(orelse)[0])
            else:
                new = new.with_changes(orelse=with_body(orelse, self.block(statements(orelse))))
            kept = {n: p for n, p in kept.items() if self.named.get(n) is p}
        self.named = kept
        self.module.inherit(new, node)
        return new

    def assigned(self, node: Any, one: cst.Assign) -> list[Any]:
        targets = [t.target for t in one.targets]
        only = targets[0]
        parts = only.elements if len(targets) == 1 and isinstance(only, cst.Tuple) else ()
        if isinstance(one.value, cst.Tuple) and any(self.is_ragged(e.value) for e in parts):
            return self.exchanged(node, parts, one.value)
        value = self.evaluator.value(one.value) if not isinstance(one.value, cst.Tuple) else None
        if len(targets) == 1 and isinstance(only, cst.Name) and isinstance(value, Ragged):
            self.named.pop(only.value, None)
            changed = only.value in _changed(self.function)
            view = isinstance(cst.parse_expression(value.whole), cst.Subscript | cst.Name | cst.Attribute)
            # a copy that is stored into must stay one, or the store would reach the array behind it
            own = not isinstance(one.value, cst.Subscript | cst.Name | cst.Attribute)
            copy = ".copy()" if changed and view and own else ""
            new = made(f"{only.value} = {value.whole}{copy}", node)
            self.views.discard(only.value)
            if view and not own:
                self.views.add(only.value)
            self.uses.setdefault(only.value, 0)
            frames = value.frames
            reads = {n for f in frames.values() for t in (f.start, f.stop or "0", f.length) for n in _names(t)}
            if only.value in reads:
                raise Unknown(f"`{only.value}` is bound to a part of itself")
            if count_bindings(self.function, only.value) > 1:
                raise Unknown(f"`{only.value}` is bound to parts of different lengths")
            self.named[only.value] = Ragged(only.value, value.ndim, frames, value.dtype)
            return [leading(new, node)]
        if len(targets) == 1 and isinstance(only, cst.Subscript) and self.is_ragged(only):
            assert value is not None
            return [self.stored(node, only, one.value, value)]
        if isinstance(value, Ragged):
            raise Unknown(f"the length of `{code(one.value)}` changes from step to step")
        if not _mentions(self, one):
            return [node]
        new = self.evaluator.children(one)
        self.module.inherit(new, one)
        return [node.with_changes(body=[new])]

    def is_ragged(self, node: Any) -> bool:
        return isinstance(node, cst.Subscript) and any(self.is_moving(e) for e in node.slice)

    def augmented(self, node: Any, one: cst.AugAssign) -> list[Any]:
        if isinstance(one.target, cst.Subscript) and self.is_ragged(one.target):
            symbol = _BINARY.get(type(one.operator).__name__)
            if symbol is None:
                raise Unknown(f"`{code(one)}` is an operation on a part whose length changes")
            value: Any = one.value
            if not value.lpar and not isinstance(value, cst.Name | cst.Call | cst.Subscript | cst.Integer | cst.Float):
                value = value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
                self.module.inherit(value, one.value)
            parsed = cst.parse_expression(f"a {symbol} b")
            assert isinstance(parsed, cst.BinaryOperation)
            whole = parsed.with_changes(left=one.target, right=value)
            return [self.stored(node, one.target, one.value, self.evaluator.value(whole))]
        if not _mentions(self, one):
            return [node]
        if isinstance(one.target, cst.Name) and one.target.value in self.named:
            return self.changed(node, one, one.target)
        value = self.evaluator.plain(one.value)
        # an element of a part stands at another place of the whole axis
        target: Any = one.target
        if isinstance(target, cst.Subscript) and _mentions(self, target):
            target = self.evaluator.plain(target)
            self.module.inherit(target, one.target)
        new = one.with_changes(value=value, target=target)
        self.module.inherit(new, one)
        self.module.inherit(value, one.value)
        return [node.with_changes(body=[new])]

    def changed(self, node: Any, one: cst.AugAssign, target: cst.Name) -> list[Any]:
        """Returns ``x /= p`` of a named part; of a view, no element outside of the part may change."""
        into = self.name(target)
        assert into is not None
        value = self.evaluator.value(one.value)
        old = one.value
        if isinstance(value, Ragged):
            for axis in value.frames:
                if axis not in into.frames:
                    raise Unknown(f"`{code(old)}` moves along an axis along which `{code(target)}` does not")
                value = self.evaluator.moved(value, axis, into.frames[axis], node)
            value = cst.parse_expression(value.whole)
        if target.value in self.views:
            symbol = _BINARY.get(type(one.operator).__name__)
            if symbol is None:
                raise Unknown(f"`{code(one)}` is an operation on a part whose length changes")
            name, text = target.value, code(value)
            simple = isinstance(value, cst.Name | cst.Call | cst.Subscript | cst.Integer | cst.Float)
            text = text if simple or value.lpar else f"({text})"
            new = made(f"{name}[:] = __numpy__.where({into.mask()}, {name} {symbol} {text}, {name})", node)
            self.module.inherit(small(new).value, old)
            return [leading(new, node)]
        changed = one.with_changes(value=value)
        self.module.inherit(changed, one)
        self.module.inherit(value, old)
        return [node.with_changes(body=[changed])]

    def stored(self, node: Any, target: cst.Subscript, old: cst.BaseExpression, value: Any) -> Any:
        """Returns a store into a part as a store of a selection into the whole."""
        into = self.ragged(target)
        assert into is not None
        if isinstance(value, Ragged):
            if value.ndim > into.ndim:
                raise Unknown(f"`{code(old)}` has more axes than `{code(target)}`")
            for axis in value.frames:
                if axis not in into.frames:
                    raise Unknown(f"`{code(old)}` moves along an axis along which `{code(target)}` does not")
                value = self.evaluator.moved(value, axis, into.frames[axis], node)
            text = value.whole
        else:
            fact = self.kinds.of(old)
            if not is_plain_number(old, self.kinds) and (
                fact is None
                or fact.shape is None
                or any(-axis <= len(fact.shape) and fact.shape[axis] != 1 for axis in into.frames)
            ):
                raise Unknown(f"`{code(old)}` does not move with `{code(target)}`")
            text = code(value)
        new = made(f"{_settable(into.whole)} = __numpy__.where({into.mask()}, {text}, {into.whole})", node)
        self.module.inherit(small(new).value, old)
        return leading(new, node)

    def exchanged(self, node: Any, targets: Sequence[Any], value: cst.Tuple) -> list[Any]:
        """Returns an exchange of parts: all values first, then the stores."""
        if len(targets) != len(value.elements):
            raise Unknown(f"`{code(value)}` is unpacked into parts whose length changes")
        lines, stores = [], []
        for to, given in zip(targets, value.elements, strict=True):
            found = self.evaluator.value(given.value)
            name = name_tools.fresh("moved", self.taken)
            self.taken.add(name)
            if isinstance(found, Ragged):
                lines.append(made(f"{name} = {found.whole}", node))
                found = Ragged(name, found.ndim, found.frames, found.dtype)
            else:
                lines.append(made(f"{name} = {code(found)}", node))
                found = cst.Name(name)
            if self.is_ragged(to.value):
                stores.append(self.stored(node, to.value, given.value, found))
            else:
                if isinstance(found, Ragged):
                    raise Unknown(f"the length of `{code(given.value)}` changes from step to step")
                stores.append(made(f"{code(to.value)} = {name}", node))
        lines[0] = leading(lines[0], node)
        return [*lines, *(s.with_changes(leading_lines=()) for s in stores)]


def _settable(whole: str) -> str:
    return whole if whole.endswith("]") else f"{whole}[:]"


def _names(text: str) -> frozenset[str]:
    return name_tools.loads(cst.parse_expression(text))


def _changed(function: cst.FunctionDef) -> set[str]:
    """Returns the names whose elements are stored into, or that an operator changes in place."""
    finder = _ChangedInPlace()
    function.visit(finder)
    return finder.names


class _ChangedInPlace(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        root = root_name(node.target) if isinstance(node.target, cst.Subscript) else None
        self.names |= {root} if root is not None else set()

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        root = root_name(node.target)
        self.names |= {root} if root is not None else set()


def _stored(node: Any) -> set[str]:
    finder = _StoredInto()
    node.visit(finder)
    return finder.names


class _StoredInto(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._add(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._add(node.target)

    def _add(self, target: Any) -> None:
        root = root_name(target)
        if root is not None:
            self.names.add(root)


class _Moving(Finder):
    def __init__(self, function: _Function) -> None:
        super().__init__()
        self.function = function
        self.found = False

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if any(self.function.is_moving(e) for e in node.slice) and not self.function.kinds.is_container(node.value):
            self.found = True


def _mentions(function: _Function, node: cst.CSTNode) -> bool:
    """Says whether a statement holds a moving slice, or a name that stands for one."""
    finder = _Moving(function)
    node.visit(finder)
    return finder.found or bool(name_tools.loads(node) & set(function.named))


def _count(node: cst.CSTNode, name: str) -> int:
    """Counts the places where a name is read."""
    finder = _Counter(name)
    node.visit(finder)
    return finder.count


class _Counter(Finder):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.count = name, 0

    def visit_Name(self, node: cst.Name) -> None:
        self.count += node.value == self.name

    def visit_AssignTarget_target(self, node: cst.AssignTarget) -> None:
        self.count -= isinstance(node.target, cst.Name) and node.target.value == self.name
