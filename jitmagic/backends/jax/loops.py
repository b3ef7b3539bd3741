"""Rewrite ``for`` and ``while`` over traced values as ``lax.fori_loop`` and ``lax.while_loop``.

The carry is what AutoGraph takes for it: names that the body binds and that are live where an iteration begins or
behind the loop. Its dtypes stay fixed: an initial value of a narrower dtype is cast to the one observed inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.jax.chunks import chunked
from jitmagic.backends.jax.promotion import promoted
from jitmagic.backends.jax.settled import Assigned
from jitmagic.backends.jax.sums import difference, written
from jitmagic.backends.jax.tracing import Tracing
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import alternative, code, leading, made, small, statements, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.walking import nodes_of

GROWING = frozenset({"append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault"})


@dataclass(frozen=True)
class Counted:
    """How a ``for`` is counted: from ``start`` to ``stop`` by ``index``, with statements that bind its targets."""

    index: str
    start: str
    stop: str
    binds: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    last: str | None = None


class LoopMaker:
    """Makes ``lax`` loops from loops whose body is already rewritten.

    Parameters
    ----------
    module : Module
    tracing : Tracing
        Of the function that the loops stand in.
    facts : mapping
        From :func:`jitmagic.backends.jax.settled.assigned_facts`.
    taken : set of str
        Names in use; names that are made are added.
    """

    def __init__(self, module: Module, tracing: Tracing, facts: dict[str, list[Assigned]], taken: set[str]) -> None:
        self.module = module
        self.tracing = tracing
        self.facts = facts
        self.taken = taken

    def refuse(self, node: cst.CSTNode, reason: str, code_: str | None = "JX-UNROLL") -> Unsupported:
        line = self.module.line(node)
        return Unsupported(f"line {line}: {reason}", line, code_)

    def name(self, wanted: str) -> str:
        """Returns a free name."""
        name = wanted
        number = 2
        while name in self.taken:
            name = f"{wanted}_{number}"
            number += 1
        self.taken.add(name)
        return name

    def reserve(self, node: cst.For | cst.While) -> str:
        """Returns a name for the body of a loop: ``body``, or with the loop's target where that is taken."""
        target = code(node.target) if isinstance(node, cst.For) and isinstance(node.target, cst.Name) else "inner"
        return self.name("body" if "body" not in self.taken else f"body_{target}")

    def for_loop(
        self,
        function: str,
        node: cst.For,
        body: Sequence[Any],
        head: frozenset[str],
        after: frozenset[str],
        defined: set[str],
        counted: Counted,
    ) -> list[Any]:
        """Returns the statements that stand for a ``for``.

        Parameters
        ----------
        function : str
            Name of the body's function.
        node : libcst.For
            As it was.
        body : sequence of statements
            Its body, rewritten.
        head, after : frozenset of str
            Names that are live where an iteration begins, and behind the loop.
        defined : set of str
            Names that are bound before the loop.
        counted : Counted
        """
        self.check(node)
        targets = set(name_tools.targets(node.target))
        carry = self.carry(node, body, head | after, targets | {counted.index}, defined)
        lines = [made(text, node) for text in counted.before]
        lines += [made(text, node) for text in self.initial(node, carry, head | name_tools.loads(node.body))]
        lines += [made(text, node) for text in self.first_values(node, carry, defined)]
        chunks = None
        if not counted.binds and not after & targets:
            place = (counted.index, counted.start, counted.stop)
            chunks = chunked(self.module, self.tracing, node, function, body, carry, place, self.taken)
        if chunks is not None:
            lines += chunks
            lines[0] = leading(lines[0], node)
            return lines
        binds = [made(text, node) for text in counted.binds]
        definition, state = self.body_function(node, function, [counted.index], carry, [*binds, *body])
        if after & targets - set(carry) and (counted.last is None or len(targets) > 1):
            raise self.refuse(
                node, f"`{', '.join(targets & after)}` is used after the loop; compute it explicitly there"
            )
        lines.append(definition)
        lines.append(
            made(
                f"{', '.join(carry)} = __jax__.lax.fori_loop({counted.start}, {counted.stop}, {function}, {state})",
                node,
            )
        )
        if after & targets - set(carry):
            lines.append(made(f"{next(iter(targets))} = {counted.last}", node))
        lines[0] = leading(lines[0], node)
        return lines

    def for_until(
        self,
        function: str,
        node: cst.For,
        body: Sequence[Any],
        head: frozenset[str],
        after: frozenset[str],
        defined: set[str],
        flags: Sequence[str],
    ) -> list[Any]:
        """Returns the statements that stand for a ``for`` that flags may end: a ``while_loop`` that counts.

        Parameters
        ----------
        flags : sequence of str
            Names that are False until the loop is to end; the other parameters are those of :meth:`for_loop`.
        """
        self.check(node)
        counted = self.counted(node)
        targets = set(name_tools.targets(node.target))
        index, binds = counted.index, list(counted.binds)
        if index in targets & (after | frozenset(name_tools.bound(with_body(node, body)) - targets)):
            # the target keeps its value at the exit, the count goes on
            index = self.name("step")
            binds.insert(0, f"{counted.index} = {index}")
        elif index == "_":
            index = self.name("step")
        inner = [*(made(text, node) for text in binds), *body]
        carry = self.carry(node, inner, head | after | frozenset(flags), (targets - after) | {index}, defined)
        lines = [made(text, node) for text in counted.before]
        lines += [made(text, node) for text in self.initial(node, carry, head | name_tools.loads(node.body))]
        lines += [made(text, node) for text in self.first_values(node, carry, defined)]
        stop = counted.stop
        if name_tools.loads(cst.parse_expression(stop)) & {*carry, index}:
            lines.append(made(f"{(stop := self.name('stop'))} = {counted.stop}", node))
        test = self.name("condition")
        unpacked = ", ".join(n if n == index or n in flags else "_" for n in [index, *carry])
        asked = " & ".join([f"({index} < {stop})", *(f"~{flag}" for flag in flags)])
        lines.append(made(f"def {test}(carry):\n    {unpacked} = carry\n    return {asked}\n", node))
        definition, _ = self.body_function(node, function, [], [index, *carry], inner, f"{index} + 1")
        lines.append(definition)
        state = ", ".join([counted.start, *carry])
        result = ", ".join(["_", *carry])
        lines.append(made(f"{result} = __jax__.lax.while_loop({test}, {function}, ({state}))", node))
        lines[0] = leading(lines[0], node)
        return lines

    def while_loop(
        self,
        function: str,
        node: cst.While,
        body: Sequence[Any],
        head: frozenset[str],
        after: frozenset[str],
        defined: set[str],
    ) -> list[Any]:
        """Returns the statements that stand for a ``while``; the parameters are those of :meth:`for_loop`."""
        self.check(node)
        carry = self.carry(node, body, head | after, set(), defined)
        read = name_tools.loads(node.test)
        lines = [made(text, node) for text in self.initial(node, carry, head)]
        lines += [made(text, node) for text in self.first_values(node, carry, defined)]
        test = self.name("condition")
        if len(carry) == 1:
            definition = made(f"def {test}({carry[0]}):\n    return {code(node.test)}\n", node)
        else:
            unpacked = ", ".join(c if c in read else "_" for c in carry)
            definition = made(f"def {test}(carry):\n    {unpacked} = carry\n    return {code(node.test)}\n", node)
        lines.append(definition)
        definition, state = self.body_function(node, function, [], carry, body)
        lines.append(definition)
        lines.append(made(f"{', '.join(carry)} = __jax__.lax.while_loop({test}, {function}, {state})", node))
        lines[0] = leading(lines[0], node)
        return lines

    def body_function(
        self, node: Any, name: str, first: list[str], carry: list[str], body: Sequence[Any], step: str = ""
    ) -> tuple[Any, str]:
        """Returns the body's function and its first state; ``step`` is the next value of the first carried name."""
        state = carry[0] if len(carry) == 1 else f"({', '.join(carry)})"
        given = carry[0] if len(carry) == 1 else self.name("carry")
        self.taken.discard("carry")
        definition = made(f"def {name}({', '.join([*first, given])}):\n    pass\n", node)
        inner = list(body)
        if len(carry) > 1:
            inner.insert(0, made(f"{', '.join(carry)} = {given}", node))
        last = small(inner[-1])
        if len(carry) == 1 and isinstance(last, cst.Assign) and code(last.targets[0].target) == carry[0]:
            # the last new value is the result
            result = made(f"return {code(last.value)}", inner[-1])
            inner[-1] = inner[-1].with_changes(body=result.body)
        else:
            inner.append(made(f"return {', '.join([step, *carry[1:]] if step else carry)}", node))
        return with_body(definition, inner), state

    def carry(
        self, node: Any, body: Sequence[Any], live: frozenset[str], own: set[str], defined: set[str]
    ) -> list[str]:
        """Returns the loop's carried names in the order in which the body binds them."""
        ordered: list[str] = []
        for statement in body:
            bound_in_order(statement, ordered)
        carried = [n for n in ordered if n in live and n not in own]
        for name in carried:
            if name not in defined and self.placeholder(name, defined) is None:
                raise self.refuse(
                    node,
                    f"`{name}` gets its first value inside the loop and is used after it; give it a value before "
                    "the loop",
                    "JX-CARRY",
                )
        if not carried:
            raise self.refuse(node, _no_state(body, live), None)
        return carried

    def kept(self, node: cst.For | cst.While, live: frozenset[str], defined: set[str]) -> set[str]:
        """Returns the names that a loop carries from step to step and that have no value before it, where one is known.

        Python raises where such a name is read before a step has bound it; here it is zero then.
        """
        bound = name_tools.bound(node.body) & live - defined
        return {name for name in bound if self.placeholder(name, defined) is not None}

    def length(self, length: int | None, near: set[str]) -> str | None:
        """Returns an expression for the length of an axis: that of an array which was seen to be as long."""
        for name in sorted(near):
            facts = [f for f in self.tracing.kinds.names.get(name, []) if f.kind == "array"]
            if facts and len({f.shape for f in facts}) == 1:
                for axis, n in enumerate(facts[0].shape or ()):
                    if n is not None and n == length:
                        return f"{name}.shape[{axis}]"
        return None

    def placeholder(self, name: str, near: set[str]) -> str | None:
        """Returns a zero of the kind and shape that a name has inside the loop, None where it is not known."""
        facts = [a.fact for a in self.facts.get(name, [])] or self.tracing.kinds.names.get(name, [])
        kinds = {(f.kind, f.dtype) for f in facts}
        if len(kinds) != 1:
            return None
        kind, dtype = next(iter(kinds))
        if kind == "array" and dtype is not None and len({f.shape for f in facts}) == 1:
            lengths = [self.length(n, near) for n in facts[0].shape or (None,)]
            if None in lengths:
                return None
            shape = f"({', '.join(str(n) for n in lengths)}{',' if len(lengths) == 1 else ''})"
            return f"__numpy__.zeros({shape}, __numpy__.{dtype if dtype != 'bool' else 'bool_'})"
        if kind == "scalar" and dtype is not None:
            return f"__numpy__.zeros((), __numpy__.{dtype if dtype != 'bool' else 'bool_'})"
        return {"int": "0", "float": "0.0", "bool": "False", "complex": "0j"}.get(kind)

    def first_values(self, node: Any, carry: list[str], defined: set[str]) -> list[str]:
        """Returns statements that give a value to carried names which the loop's first iteration binds."""
        return [f"{name} = {self.placeholder(name, defined)}" for name in carry if name not in defined]

    def initial(self, node: Any, carry: list[str], near: frozenset[str]) -> list[str]:
        """Returns statements that give carried names the dtype and shape which they have inside the loop."""
        lines = []
        span = self.module.span(node)
        for name in carry:
            seen = self.facts.get(name, [])
            inside = [a.fact for a in seen if span.line < a.line <= span.end_line]
            before = [a.fact for a in seen if a.line < span.line]
            if not inside or not before:
                continue
            first = before[-1]
            dtypes = {f.dtype for f in inside if f.kind in ("array", "scalar") and f.dtype is not None}
            shapes = {f.shape for f in inside if f.kind == "array"}
            dtype = next(iter(dtypes)) if len(dtypes) == 1 else None
            if first.kind in ("float", "int") and len(shapes) == 1 and dtype is not None:
                shape = next(iter(shapes))
                if shape is not None and len(shape) > 0:
                    lines.append(self.filled(node, name, shape, dtype, near))
                    continue
            if first.kind not in ("array", "scalar") or not first.dtype or not dtype or first.dtype == dtype:
                continue
            if promoted(first.dtype, dtype) == dtype:
                lines.append(f"{name} = {name}.astype(__numpy__.{dtype})")
        return lines

    def filled(self, node: Any, name: str, shape: tuple[int | None, ...], dtype: str, near: frozenset[str]) -> str:
        """Gives a Python number the shape that it takes in the loop, by an array of that shape."""
        for other in sorted(near):
            facts = self.tracing.kinds.names.get(other, [])
            if other != name and facts and all(f.kind == "array" and f.shape == shape for f in facts):
                return f"{name} = __numpy__.full_like({other}, {name}, dtype=__numpy__.{dtype})"
        raise self.refuse(
            node,
            f"`{name}` is a number before the loop and an array of shape {shape} inside; a compiled loop keeps "
            "shapes, so "
            f"begin with an array, as in {name} = np.zeros(...)",
            "JX-CARRY",
        )

    def check(self, node: Any) -> None:
        """Refuses what a compiled loop cannot contain."""
        if node.orelse is not None:
            raise self.refuse(node, "a loop with else cannot be compiled; set a flag instead", "JX-IFTRACED")
        for inner in _own_statements(node):
            if isinstance(inner, cst.Break | cst.Continue | cst.Return):
                word = type(inner).__name__.lower()
                raise self.refuse(
                    inner,
                    f"`{word}` leaves a loop that must be compiled as a whole; compute all steps and select with "
                    "np.where, or "
                    "put the condition into a while",
                    "JX-IFTRACED",
                )
            for call in nodes_of(inner, cst.Call):
                if not isinstance(call.func, cst.Attribute):
                    continue
                target = call.func.value
                if call.func.attr.value in GROWING and self.tracing.kinds.is_container(target):
                    raise self.refuse(
                        inner,
                        f"the list `{code(target)}` grows inside a compiled loop, whose shapes are fixed; make an "
                        "array of the "
                        "final size before the loop and store into it",
                        "JX-LEAK",
                    )

    # counting ---------------------------------------------------------------------------------

    def counted(self, node: cst.For) -> Counted:
        """Returns how a ``for`` is counted."""
        iterated, target = node.iter, node.target
        if isinstance(iterated, cst.Call) and isinstance(iterated.func, cst.Name):
            if iterated.func.value == "range" and isinstance(target, cst.Name):
                return self.over_range(node, target.value, [code(a.value) for a in iterated.args], iterated)
            if iterated.func.value == "reversed" and isinstance(target, cst.Name):
                inner = iterated.args[0].value
                if isinstance(inner, cst.Call) and code(inner.func) == "range" and len(inner.args) == 1:
                    n = code(inner.args[0].value)
                    step = self.name("step")
                    return Counted(step, "0", n, (f"{target.value} = {_minus(n)} - 1 - {step}",), last="0")
        counted_by = _enumerated(node)
        index = counted_by or self.name("i")
        before: list[str] = []
        binds: list[str] = []
        lengths: list[str] = []
        self.elements(node, iterated, target, index, before, binds, lengths)
        unique = list(dict.fromkeys(lengths))
        stop = unique[0] if len(unique) == 1 else f"min({', '.join(unique)})"
        if len(unique) > 1 and any(self.tracing.expression(cst.parse_expression(one)) for one in unique):
            stop = unique[0]
            for one in unique[1:]:
                stop = f"__numpy__.minimum({stop}, {one})"
        return Counted(index, "0", stop, tuple(b for b in binds if b), tuple(before))

    def over_range(self, node: cst.For, name: str, given: list[str], iterated: cst.Call) -> Counted:
        if len(given) == 1:
            return Counted(name, "0", given[0], last=f"{_minus(given[0])} - 1")
        if len(given) == 2:
            return Counted(name, given[0], given[1], last=f"{_minus(given[1])} - 1")
        start, stop, step = given
        index = self.name("step")
        if step.replace(" ", "") == "-1":
            count = f"{_minus(start)} - {_term(stop)}" if stop.replace(" ", "") != "-1" else f"{_minus(start)} + 1"
            return Counted(index, "0", count, (f"{name} = {_minus(start)} - {index}",))
        by = step.replace(" ", "")
        if any(self.tracing.expression(a.value) for a in iterated.args) and by.removeprefix("-").isdigit() and int(by):
            first, last = (start, stop) if int(by) > 0 else (stop, start)
            up = abs(int(by)) - 1
            count = f"({_minus(last)} - {_term(first)} + {up}) // {abs(int(by))}"
            return Counted(index, "0", count, (f"{name} = {_minus(start)} + {index} * {_term(step)}",))
        if any(self.tracing.expression(a.value) for a in iterated.args):
            raise self.refuse(node, f"the number of steps of `{code(iterated)}` depends on array values", "JX-SHAPEARG")
        return Counted(index, "0", f"len({code(iterated)})", (f"{name} = {_minus(start)} + {index} * {_term(step)}",))

    def fixed(self, node: cst.For, iterated: cst.Call, before: list[str]) -> list[str]:
        """Returns the arguments of a range; what the loop's body changes of them is kept as it was before it."""
        given = []
        for argument in iterated.args:
            text = code(argument.value)
            if name_tools.loads(argument.value) & (name_tools.bound(node.body) | {*name_tools.targets(node.target)}):
                text = self.name("bound")
                before.append(f"{text} = {code(argument.value)}")
            given.append(text)
        return given

    def elements(
        self,
        node: cst.For,
        iterated: cst.BaseExpression,
        target: cst.BaseExpression,
        index: str,
        before: list[str],
        binds: list[str],
        lengths: list[str],
    ) -> None:
        """Collects the statements that bind a loop's targets to elements number ``index``."""
        if isinstance(iterated, cst.Call) and isinstance(iterated.func, cst.Name):
            name = iterated.func.value
            parts = [e.value for e in target.elements] if isinstance(target, cst.Tuple | cst.List) else []
            if name == "enumerate" and len(parts) == 2 and len(iterated.args) in (1, 2):
                if len(iterated.args) == 2:
                    binds.append(f"{code(parts[0])} = {index} + {_term(code(iterated.args[1].value))}")
                elif code(parts[0]) != index:
                    binds.append(f"{code(parts[0])} = {index}")
                self.elements(node, iterated.args[0].value, parts[1], index, before, binds, lengths)
                return
            if name == "zip" and len(parts) == len(iterated.args):
                for part, argument in zip(parts, iterated.args, strict=True):
                    self.elements(node, argument.value, part, index, before, binds, lengths)
                return
            if name == "range":
                counted = self.over_range(node, code(target), self.fixed(node, iterated, before), iterated)
                if counted.binds:
                    # counted by a name of its own, from zero
                    binds.append(counted.binds[0].replace(counted.index, index))
                    lengths.append(counted.stop)
                    return
                binds.append(f"{code(target)} = {written(difference(index, f'-({counted.start})'))}")
                lengths.append(written(difference(counted.stop, counted.start)))
                return
        if not self.tracing.kinds.is_array(iterated):
            raise self.refuse(
                node, f"the loop runs over `{code(iterated)}`, which is not known to be an array or a range"
            )
        text = code(iterated)
        if not isinstance(iterated, cst.Name):
            name = self.name("elements")
            before.append(f"{name} = {text}")
            text = name
        lengths.append(f"{text}.shape[0]")
        shown = code(target)
        if isinstance(target, cst.Tuple) and not target.lpar:
            shown = f"({shown})"
        binds.append(f"{shown.strip('()') if isinstance(target, cst.Tuple) else shown} = {text}[{index}]")


def _enumerated(node: cst.For) -> str | None:
    """Returns the name that ``for i, … in enumerate(…)`` counts with."""
    if (
        isinstance(node.iter, cst.Call)
        and code(node.iter.func) == "enumerate"
        and len(node.iter.args) == 1
        and isinstance(node.target, cst.Tuple)
        and isinstance(node.target.elements[0].value, cst.Name)
    ):
        return node.target.elements[0].value.value
    return None


def _minus(text: str) -> str:
    return text if _simple(text) or not any(op in text for op in (" if ", " and ", " or ", "<", ">")) else f"({text})"


def _term(text: str) -> str:
    return text if _simple(text) else f"({text})"


def _simple(text: str) -> bool:
    return text.replace("_", "").replace(".", "").isalnum()


def bound_in_order(statement: Any, found: list[str]) -> None:
    """Adds the names that a statement binds to a list, in the order in which it does."""
    one = small(statement)
    names: list[str] = []
    if isinstance(one, cst.Assign):
        names = [n for t in one.targets for n in name_tools.targets(t.target)]
    elif isinstance(one, cst.AugAssign | cst.AnnAssign):
        names = list(name_tools.targets(one.target))
    elif isinstance(statement, cst.For):
        names = list(name_tools.targets(statement.target))
    for name in names:
        if name not in found:
            found.append(name)
    if isinstance(statement, cst.For | cst.While | cst.If | cst.With):
        for inner in (*statements(statement), *alternative(statement)):
            bound_in_order(inner, found)


def _own_statements(node: Any) -> list[Any]:
    """Returns the small statements in a loop's body; of inner loops, those that may leave this one."""
    found: list[Any] = []

    def walk(body: Sequence[Any], inner_loop: bool) -> None:
        for statement in body:
            one = small(statement)
            if one is not None and not (inner_loop and isinstance(one, cst.Break | cst.Continue)):
                found.append(one)
            if isinstance(statement, cst.If):
                walk((*statements(statement), *alternative(statement)), inner_loop)
            elif isinstance(statement, cst.For | cst.While):
                walk(statements(statement), True)

    walk(statements(node), False)
    return found


def _no_state(body: Sequence[Any], live: frozenset[str]) -> str:
    """Says why a loop has nothing to carry: what it changes is nothing that JAX can carry, or is not used."""
    stores: list[Any] = [
        node for statement in body for kind in (cst.AssignTarget, cst.AugAssign) for node in nodes_of(statement, kind)
    ]
    for node in stores:
        # of `rows[i][j] = x` it is `rows` that changes
        changed = node.target
        while isinstance(changed, cst.Subscript | cst.Attribute):
            changed = changed.value
        if changed is not node.target and isinstance(changed, cst.Name) and changed.value in live:
            return (
                f"what the loop changes, `{changed.value}`, is neither an array nor a number, and JAX carries "
                "only those through a loop; use an array, indexed by whole numbers"
            )
    return "the loop changes nothing that is used later; take it out"
