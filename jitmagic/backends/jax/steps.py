"""Rewrite loops whose steps do not need one another as ``vmap`` over the index, growing lists as outputs of ``scan``.

    for i in range(n):                      def body(i, x_i):
        y[i] = f(x[i])              ->          return f(x_i)
        s += x[i]*w
                                            y = y.at[:n].set(...)

The proof: nothing that the body binds is needed by the next step but what :mod:`outputs` can read off as one value a
step, and no step reads what another one stores. Steps that make arrays are taken in batches: memory stays small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.frames import terms, written
from jitmagic.backends.jax.loops import Counted, LoopMaker, bound_in_order
from jitmagic.backends.jax.outputs import Output, output_of
from jitmagic.backends.jax.tracing import loop_line
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, small, with_body

_BATCH = 64
"""How many steps that make arrays are computed at a time: some hundred kilobytes for rows of a thousand numbers."""

_SMALL = 16
"""Arrays of at most so many elements may be kept for each step before they are summed."""

_NUMBERS = ("scalar", "float", "int", "bool", "complex")
_SUMMED = (None, "float64", "float32", "complex128", "complex64", "int64", "bool")


class _Cannot(Exception):
    """The loop has to go step by step."""


class StepMaker:
    """Makes whole-array forms from counted loops whose body is already rewritten.

    Parameters
    ----------
    loops : LoopMaker
        For names, facts and how loops are counted.
    """

    def __init__(self, loops: LoopMaker) -> None:
        self.loops = loops
        self.module = loops.module
        self.tracing = loops.tracing
        self.kinds = loops.tracing.kinds
        self.axes: dict[str, int] = {}
        self.stacked: set[str] = set()

    def for_loop(
        self,
        function: str,
        node: cst.For,
        counted: Counted,
        body: Sequence[Any],
        live: frozenset[str],
        after: frozenset[str],
        defined: set[str],
        before: list[Any],
    ) -> list[Any] | None:
        """Returns the statements that stand for a ``for``, None where its steps must go one by one.

        Parameters
        ----------
        function : str
            Name of the body's function.
        node : libcst.For
        counted : Counted
        body : sequence of statements
            Its body, rewritten.
        live, after : frozenset of str
            Names that are live where an iteration begins or behind the loop, and behind it.
        defined : set of str
            Names that are bound before the loop.
        before : list of statements
            What stands before the loop in its block; the beginnings of lists are taken out of it.
        """
        try:
            return self.made(function, node, counted, body, live, after, defined, before)
        except _Cannot:
            return None

    def made(
        self, function: str, node: cst.For, counted: Counted, body: Sequence[Any], live: frozenset[str],
        after: frozenset[str], defined: set[str], before: list[Any],
    ) -> list[Any]:  # fmt: skip
        if node.orelse is not None or any(self.tracing.expression(_parsed(t)) for t in (counted.start, counted.stop)):
            raise _Cannot
        targets = set(name_tools.targets(node.target))
        if targets & after:
            raise _Cannot
        inputs, binds, index = self.inputs(node, counted)
        inner = [*(made(text, node) for text in binds), *body]
        names: list[str] = []
        for statement in inner:
            bound_in_order(statement, names)
        carried = [n for n in names if n in live and n not in targets]
        fixed = frozenset(n for n in names if n not in carried) | targets - {index}
        outputs, kept = self.divided(inner, index, fixed, carried)
        lists = [o for o in outputs if o.kind == "list"]
        inner, kept = self.settled(inner, outputs, kept, node)
        free = set(carried) <= {o.name for o in outputs}
        try:
            if not free:
                raise _Cannot
            self.check(outputs, kept)
        except _Cannot:
            if not lists:
                raise
            # what is carried stays in the body; only what is appended is given out
            free = False
            given = {o.statement for o in lists}
            kept = [s for s in inner if s not in given]
            outputs = lists
            self.check(outputs, kept)
        if not outputs:
            raise _Cannot
        starts = {o.name: self.beginning(o.name, before) for o in lists}
        kept, values, inputs = self.elementwise(node, counted, kept, outputs, inputs, index)
        lines = [made(text, node) for text in counted.before]
        carry = [] if free else self.loops.carry(node, kept, live, targets | {counted.index}, defined)
        if carry:
            lines += [made(t, node) for t in self.loops.initial(node, carry, live | name_tools.loads(node.body))]
            lines += [made(t, node) for t in self.loops.first_values(node, carry, defined)]
        lines += self.called(function, node, kept, outputs, values, inputs, carry, counted, starts)
        lines[0] = leading(lines[0], node)
        return lines

    # what there is ----------------------------------------------------------------------------

    def inputs(self, node: cst.For, counted: Counted) -> tuple[list[tuple[str, str]], list[str], str | None]:
        """Returns (parameter, array) for what each step takes, statements that bind more, and the index's name."""
        iterated = node.iter
        if isinstance(iterated, cst.Call) and code(iterated.func) == "range" and isinstance(node.target, cst.Name):
            arguments = [code(a.value) for a in iterated.args]
            if len(arguments) > 1 and arguments[0] == "0" and len(arguments) == 2:
                arguments = arguments[1:]
            return [(node.target.value, f"__numpy__.arange({', '.join(arguments)})")], [], node.target.value
        if isinstance(iterated, cst.Call) and code(iterated.func) == "reversed":
            raise _Cannot
        found: list[tuple[str, str]] = [(counted.index, f"__numpy__.arange({counted.stop})")]
        binds = []
        several = counted.stop.startswith("min(")
        for text in counted.binds:
            target, _, value = text.partition(" = ")
            if value == counted.index and target.isidentifier():
                binds.append(text)
                continue
            array = value.removesuffix(f"[{counted.index}]")
            if not array.isidentifier() or array == value:
                raise _Cannot
            rows = f"{array}[:{counted.stop}]" if several else array
            if target.isidentifier():
                found.append((target, rows))
            else:
                name = self.loops.name("row")
                found.append((name, rows))
                binds.append(f"{target} = {name}")
        return found, binds, counted.index

    def settled(
        self, inner: list[Any], outputs: Sequence[Output], kept: list[Any], node: cst.For
    ) -> tuple[list[Any], list[Any]]:
        """Names what a step gives where it stands, if what it reads is bound anew behind it."""
        at = {id(o.statement): o for o in outputs}
        everything, rest = [], []
        for position, statement in enumerate(inner):
            output = at.get(id(statement))
            if output is None:
                everything.append(statement)
                rest.append(statement)
                continue
            later = {n for s in inner[position + 1 :] for n in name_tools.bound(s)}
            later -= {o.name for o in outputs if o.statement is not statement}
            if _reads(output) & later - {output.name}:
                if output.kind == "scatter":
                    raise _Cannot
                name = self.loops.name(f"new_{output.name}")
                line = made(f"{name} = {code(output.value)}", node)
                self.module.inherit(small(line).value, output.value)
                output.value = cst.Name(name)
                self.module.inherit(output.value, small(line).value)
                everything.append(line)
                rest.append(line)
            everything.append(statement)
        return everything, rest

    def divided(
        self, body: Sequence[Any], index: str | None, fixed: frozenset[str], carried: Sequence[str]
    ) -> tuple[list[Output], list[Any]]:
        outputs, kept = [], []
        for statement in body:
            found = output_of(statement, index, fixed)
            if found is not None and (found.name in carried or found.kind == "list"):
                outputs.append(found)
            else:
                kept.append(statement)
        return outputs, kept

    def check(self, outputs: Sequence[Output], kept: Sequence[Any]) -> None:
        """Raises where a step could see what another step gives."""
        for statement in kept:
            if not isinstance(small(statement), cst.Assign | cst.AugAssign | cst.AnnAssign) and not isinstance(
                statement, cst.FunctionDef
            ):
                raise _Cannot
        read = frozenset().union(*(name_tools.loads(s) for s in kept), frozenset())
        again = {n for s in kept for n in name_tools.bound(s)}
        for output in outputs:
            others = [o for o in outputs if o is not output and o.name == output.name]
            if output.kind == "list":
                if others or output.name in read | again or any(output.name in _reads(o) for o in outputs):
                    raise _Cannot
                if not self.kinds.is_container(cst.Name(output.name)):
                    raise _Cannot
                continue
            if others and not all(o.method == "add" for o in (output, *others)):
                raise _Cannot
            if output.name in read | again or any(output.name in _reads(o) for o in outputs if o is not output):
                raise _Cannot
            inside = output.value
            if output.kind == "store" and not others:
                # its own element may be read: it is still the one from before the loop
                inside = cst.parse_expression(code(inside).replace(output.own(), "0"))
            if output.name in name_tools.loads(inside):
                raise _Cannot
            if any(output.name in name_tools.loads(_parsed(t)) for t in _index_parts(output.index)):
                raise _Cannot
            self.check_sum(output)

    def check_sum(self, output: Output) -> None:
        """Raises where a sum would be of another dtype than NumPy's, or keep large arrays for each step."""
        if output.kind == "store":
            return
        facts = [f for f in self.kinds.names.get(output.name, []) if f.kind != "mixed"]
        if not facts or any(f.dtype not in _SUMMED for f in facts):
            raise _Cannot
        if output.kind == "sum":
            if not all(f.kind in _NUMBERS for f in facts):
                raise _Cannot
            return
        ndims = {f.ndim for f in facts}
        if len(ndims) != 1 or None in ndims:
            raise _Cannot
        left = next(iter(ndims)) - sum(not _is_slice(t) for t in output.index)  # type: ignore[operator]
        if left and output.kind == "scatter":
            raise _Cannot
        if left:
            fact = self.module.fact(output.value)
            shape = fact.shape if fact is not None else facts[0].shape and facts[0].shape[-left:]
            size = 1
            for length in shape or (None,):
                size *= length or _SMALL + 1
            if size > _SMALL:
                raise _Cannot

    def beginning(self, name: str, before: list[Any]) -> str | None:
        """Takes the statement that begins a list out of a block; returns the array of its first elements, if any."""
        for position in range(len(before) - 1, -1, -1):
            one = small(before[position])
            if isinstance(one, cst.Assign) and code(one.targets[0].target) == name and isinstance(one.value, cst.List):
                if len(one.targets) != 1 or _appends(self.tracing.function, name) != 1:
                    raise _Cannot
                if not _usable(self.tracing.function, name, self.kinds):
                    raise _Cannot
                if not one.value.elements:
                    removed = before.pop(position)
                    comments = [line for line in removed.leading_lines if line.comment is not None]
                    if comments and position < len(before):
                        behind = before[position]
                        before[position] = behind.with_changes(leading_lines=[*comments, *behind.leading_lines])
                    return None
                before[position] = before[position].with_changes(
                    body=[one.with_changes(value=_parsed(f"__numpy__.array({code(one.value)})"))]
                )
                return name
            if name in name_tools.loads(before[position]) or name in name_tools.bound(before[position]):
                break
        raise _Cannot

    # how it is written ------------------------------------------------------------------------

    def elementwise(
        self, node: cst.For, counted: Counted, kept: Sequence[Any], outputs: Sequence[Output],
        inputs: list[tuple[str, str]], index: str | None,
    ) -> tuple[list[Any], list[cst.BaseExpression], list[tuple[str, str]]]:  # fmt: skip
        """Hands ``x[i]`` to each step as an element of ``x``; returns statements, values and inputs."""
        values = [self.value(o) for o in outputs]
        if any(index in name_tools.parameters(f) for s in kept for f in _functions(s)):
            raise _Cannot
        taken = {n for s in kept for n in name_tools.bound(s)} | {o.name for o in outputs} | {p for p, _ in inputs}
        taken |= {n for s in kept for f in _functions(s) for n in name_tools.bound(f)}
        replace = _Elements(self, counted, index or "", taken, node)
        kept = [s.visit(replace) for s in kept]
        values = [_parsed(code(v.visit(replace))) for v in values]  # type: ignore[arg-type]
        more = [(parameter, rows) for parameter, rows in replace.found.values()]
        read = frozenset().union(*(name_tools.loads(s) for s in (*kept, *values)), frozenset())
        for output in outputs:
            if output.kind == "scatter":
                read |= {n for t in output.index for n in name_tools.loads(_parsed(t))}
        wanted = [(p, a) for p, a in [*inputs, *more] if p in read]
        return list(kept), values, wanted or inputs[:1]

    def value(self, output: Output) -> cst.BaseExpression:
        """Returns what a step gives, in the shape of what it is stored into."""
        value = output.value
        if output.kind == "list" and isinstance(value, cst.Tuple | cst.List):
            return _parsed(f"__numpy__.array([{', '.join(code(e.value) for e in value.elements)}])")
        if output.kind != "store":
            return value
        ndim = self.ndim(output.name)
        left = ndim - sum(not _is_slice(t) for t in output.index)
        if left == 0 or self.axes.get(code(value)) == left:
            return value
        fact = self.module.fact(value)
        if fact is not None and fact.ndim == left and None not in (fact.shape or (None,)) and 1 not in fact.shape:  # type: ignore[operator]
            return value
        return _parsed(f"__numpy__.broadcast_to({code(value)}, {output.own()}.shape)")

    def ndim(self, name: str) -> int:
        ndims = {f.ndim for f in self.kinds.names.get(name, []) if f.kind == "array"}
        if len(ndims) != 1 or None in ndims:
            raise _Cannot
        return next(iter(ndims))  # type: ignore[return-value]

    def called(
        self, function: str, node: cst.For, kept: list[Any], outputs: Sequence[Output],
        values: Sequence[cst.BaseExpression], inputs: Sequence[tuple[str, str]], carry: list[str], counted: Counted,
        starts: dict[str, str | None],
    ) -> list[Any]:  # fmt: skip
        given: list[str] = []
        results: list[str] = []
        places: list[list[str]] = []
        own = {p for p, _ in inputs} | _bound(kept)
        for output, value in zip(outputs, values, strict=True):
            where = []
            for text in output.index if output.kind == "scatter" else ():
                if name_tools.loads(_parsed(text)) & own:
                    given.append(text)
                    results.append(self.loops.name("place"))
                where.append(results[-1] if given and given[-1] == text else text)
            places.append(where)
            given.append(code(value))
            fresh = output.kind == "list" and not starts[output.name]
            results.append(output.name if fresh else "")
        parameters = [p for p, _ in inputs]
        arrays = [a for _, a in inputs]
        heavy = bool(carry) or self.makes_arrays(node, kept)
        body = list(kept)
        returned = ", ".join(given)
        first_state = carry[0] if len(carry) == 1 else f"({', '.join(carry)})"
        if carry:
            body.append(made(f"return {first_state}, {returned if len(given) == 1 else f'({returned})'}", node))
        else:
            body.append(made(f"return {returned}", outputs[0].statement))
        first = list(parameters)
        if heavy and len(parameters) > 1:
            packed = self.loops.name("step")
            body.insert(0, made(f"{', '.join(parameters)} = {packed}", node))
            first = [packed]
        if carry:
            packed = carry[0] if len(carry) == 1 else "carry"
            if len(carry) > 1:
                body.insert(0, made(f"{', '.join(carry)} = {packed}", node))
            first = [packed, *first]
        definition = with_body(made(f"def {function}({', '.join(first)}):\n    pass\n", node), body)
        over = arrays[0] if len(arrays) == 1 else f"({', '.join(arrays)})"
        if carry:
            call = f"__jax__.lax.scan({function}, {first_state}, {over})"
        elif heavy:
            call = f"__jax__.lax.map({function}, {over}, batch_size={_BATCH})"
        else:
            call = f"__jax__.vmap({function})({', '.join(arrays)})"
        lines = [definition]
        if len(results) == 1 and not carry:
            results[0] = call
        else:
            values_at = [i for i, name in enumerate(results) if not name]
            owners = [o.name for o in outputs if o.kind != "list" or starts[o.name]]
            for position, name in zip(values_at, owners, strict=True):
                results[position] = self.loops.name(f"new_{name}")
            left = ", ".join(results)
            if carry:
                left = f"{first_state}, {results[0] if len(results) == 1 else f'({left})'}"
            lines.append(made(f"{left} = {call}", node))
        stacks = iter(results)
        for output, where in zip(outputs, places, strict=True):
            stack = next(stacks)
            while stack in where:
                stack = next(stacks)
            line = self.behind(output, where, stack, counted, node, starts)
            if line is not None:
                lines.append(made(line, node))
        return lines

    def behind(
        self, output: Output, places: Sequence[str], stack: str, counted: Counted, node: cst.For,
        starts: dict[str, str | None],
    ) -> str | None:  # fmt: skip
        """Returns the statement that takes up what the steps gave."""
        name = output.name
        if output.kind == "list":
            self.stacked.add(name)
            if starts[name]:
                return f"{name} = __numpy__.concatenate([{name}, {stack}])"
            return None if stack == name else f"{name} = {stack}"
        if output.kind == "sum":
            return f"{name} = {name} + __numpy__.sum({stack})"
        if output.kind == "scatter":
            return f"{name} = {name}.at[{', '.join(places)}].add({stack})"
        if output.kind == "place":
            number = self.ndim(name) == len(output.index)
            total = f"__numpy__.sum({stack})" if number else f"__numpy__.sum({stack}, axis=0)"
            return f"{name} = {name}.at[{', '.join(output.index)}].add({total})"
        index = list(output.index)
        index[output.mapped] = self.places(output, counted, node)
        while len(index) > 1 and index[-1] == ":":
            index.pop()
        slices = sum(_is_slice(t) for t in output.index[: output.mapped])
        if slices:
            if any(not _is_slice(t) for i, t in enumerate(output.index) if i != output.mapped):
                raise _Cannot
            stack = f"__numpy__.moveaxis({stack}, 0, {slices})"
        self.axes[stack] = 1 + sum(_is_slice(t) for t in output.index)
        return f"{name} = {name}.at[{', '.join(index)}].{output.method}({stack})"

    def places(self, output: Output, counted: Counted, node: cst.For) -> str:
        """Returns the subscript that names the elements of all steps."""
        iterated: Any = node.iter
        arguments = [counted.start, counted.stop]
        step = ""
        if isinstance(iterated, cst.Call) and code(iterated.func) == "range":
            texts = [code(a.value) for a in iterated.args]
            arguments = ["0", texts[0]] if len(texts) == 1 else texts[:2]
            step = texts[2] if len(texts) == 3 else ""
        start, stop = arguments
        plain = not step or (step.isdigit() and step != "0")
        first = start if output.offset == "0" else _sum(start, output.offset)
        last = stop if output.offset == "0" else _sum(stop, output.offset)
        if plain and first.isdigit() and not self.tracing.expression(_parsed(last)):
            return f"{'' if first == '0' else first}:{last}" + (f":{step}" if step else "")
        more = [start, stop, step] if step else [start, stop] if start != "0" else [stop]
        if any(not _is_slice(t) for i, t in enumerate(output.index) if i != output.mapped) and any(
            _is_slice(t) for t in output.index
        ):
            raise _Cannot  # an array and a number with a slice between them would move the axes
        shift = "" if output.offset == "0" else f" + {output.offset}"
        return f"__numpy__.arange({', '.join(more)}){shift.replace('+ -', '- ')}"

    def makes_arrays(self, node: cst.For, kept: Sequence[Any]) -> bool:
        if any(isinstance(s, cst.FunctionDef) for s in kept):
            return True
        finder = _Arrays(self.module)
        node.body.visit(finder)
        return finder.found


class _Elements(cst.CSTTransformer):
    """Replaces ``x[i]`` and ``x[i, …]`` by an element that each step is given."""

    def __init__(self, maker: StepMaker, counted: Counted, index: str, taken: set[str], node: cst.For) -> None:
        super().__init__()
        self.maker, self.counted, self.index, self.taken = maker, counted, index, taken
        self.found: dict[str, tuple[str, str]] = {}
        fact = maker.module.observed.loops.get(loop_line(maker.module, node)) if maker.module.observed else None
        self.trips = fact.trips_high if fact is not None else None
        self.plain = counted.start.isdigit() and not counted.binds and self.trips is not None

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        if not self.plain or not isinstance(original_node.value, cst.Name):
            return updated_node
        name = original_node.value.value
        at, offset = self.place(original_node)
        if name in self.taken or at < 0:
            return updated_node
        facts = [f for f in self.maker.kinds.names.get(name, []) if f.kind == "array"]
        shape = facts[0].shape if facts else None
        start = int(self.counted.start) + offset
        if shape is None or len(shape) <= at or start < 0 or (shape[at] or 0) < start + (self.trips or 0):
            return updated_node
        stop = self.counted.stop if offset == 0 else _sum(self.counted.stop, str(offset))
        stop = "" if stop in (f"len({name})" if at == 0 else "", f"{name}.shape[{at}]") else stop
        whole = start == 0 and not stop
        before = [code(e.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for e in original_node.slice[:at]]
        rows = name
        if before or not whole:
            rows = f"{name}[{', '.join([*before, ':' if whole else f'{start or str()}:{stop}'])}]"
        key = rows
        if key not in self.found:
            shift = "" if offset == 0 else f"p{offset}" if offset > 0 else f"m{-offset}"
            wanted = f"{name}_{''.join(t for t in before if t.isidentifier())}{self.index}{shift}"
            self.found[key] = (self.maker.loops.name(wanted), rows)
        parameter = cst.Name(self.found[key][0])
        rest = updated_node.slice[at + 1 :]
        return updated_node.with_changes(value=parameter, slice=rest) if rest else parameter

    def place(self, node: cst.Subscript) -> tuple[int, int]:
        """Returns which subscript counts with the loop, and how far it is off; -1 where it is not as simple."""
        found, offset = -1, 0
        for position, element in enumerate(node.slice):
            reads = name_tools.loads(element)
            if self.index not in reads:
                if reads & self.taken or (found < 0 and not self.is_number(element)):
                    return -1, 0
                continue
            if found >= 0 or not isinstance(element.slice, cst.Index):
                return -1, 0
            parts = terms(element.slice.value)
            if parts.pop(self.index, 0) != 1 or any(n for t, n in parts.items() if t):
                return -1, 0
            found, offset = position, parts.get("", 0)
        return found, offset

    def is_number(self, element: cst.SubscriptElement) -> bool:
        if not isinstance(element.slice, cst.Index):
            return False
        node = element.slice.value
        return isinstance(node, cst.Integer) or self.maker.kinds.is_number(node)


class _Arrays(cst.CSTVisitor):
    """Finds whether a loop's body makes arrays."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module
        self.found = False

    def _look(self, node: cst.CSTNode) -> None:
        fact = self.module.fact(node)
        if fact is not None and fact.kind == "array" and fact.ndim != 0:
            self.found = True

    visit_BinaryOperation = visit_Call = visit_Comparison = visit_UnaryOperation = _look

    def visit_Subscript(self, node: cst.Subscript) -> None:
        self._look(node)


def _functions(statement: Any) -> list[cst.FunctionDef]:
    finder = _FunctionFinder()
    statement.visit(finder)
    return finder.found


class _FunctionFinder(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.FunctionDef] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.found.append(node)


def _bound(body: Sequence[Any]) -> frozenset[str]:
    return frozenset(n for s in body for n in name_tools.bound(s))


def _parsed(text: str) -> cst.BaseExpression:
    return cst.parse_expression(text)


def _is_slice(text: str) -> bool:
    return ":" in text and not text.startswith("(")


def _reads(output: Output) -> frozenset[str]:
    parts = [name_tools.loads(_parsed(t)) for t in _index_parts(output.index)]
    return name_tools.loads(output.value).union(*parts)


def _index_parts(index: Sequence[str]) -> list[str]:
    return [part for text in index for part in (text.split(":") if _is_slice(text) else [text]) if part.strip()]


def _sum(a: str, b: str) -> str:
    total = terms(_parsed(a))
    total.update(terms(_parsed(b)))
    return written({t: n for t, n in total.items() if n})


def _appends(function: cst.FunctionDef, name: str) -> int:
    finder = _Uses(name)
    function.visit(finder)
    return finder.appends


def _usable(function: cst.FunctionDef, name: str, kinds: Any) -> bool:
    """Says whether an array does in place of a list wherever the list is read."""
    finder = _Uses(name)
    function.visit(finder)
    return finder.bindings == 1 and finder.others == 0


class _Uses(cst.CSTVisitor):
    """Counts what is done with a list: appending, binding, reading as an array could be, anything else."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.appends = self.bindings = self.others = 0

    def visit_Name(self, node: cst.Name) -> None:
        self.others += node.value == self.name

    def _is(self, node: Any) -> bool:
        return isinstance(node, cst.Name) and node.value == self.name

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        if self._is(node.target):
            self.bindings += 1
            self.others -= 1

    def visit_Call(self, node: cst.Call) -> None:
        func = node.func
        if isinstance(func, cst.Attribute) and self._is(func.value) and func.attr.value == "append":
            self.appends += 1
            self.others -= 1
        elif code(func) == "len" or (isinstance(func, cst.Attribute) and not self._is(func.value)):
            # a function of NumPy, which makes an array of it anyway
            self.others -= sum(self._is(a.value) for a in node.args)

    def visit_Subscript(self, node: cst.Subscript) -> None:
        self.others -= self._is(node.value)
