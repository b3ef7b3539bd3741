"""Rewrite loops whose steps do not need one another as ``vmap`` over the index, growing lists as outputs of ``scan``.

    for i in range(n):                      def body(i, x_i):
        y[i] = f(x[i])              ->          return f(x_i)
        s += x[i]*w
                                            y = y.at[:n].set(...)

The proof: nothing that the body binds is needed by the next step but what :mod:`outputs` can read off as one value a
step, and no step reads what another one stores. Steps that make arrays are taken in batches, so that memory stays
small, unless the arrays of all steps are: what goes in batches is compiled twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import libcst as cst

from jitmagic.analysis.loops import classify
from jitmagic.backends.jax.list_uses import grows, uses_of
from jitmagic.backends.jax.loops import Counted, LoopMaker, bound_in_order
from jitmagic.backends.jax.lowest import Lowest, ends_of, sizes_of
from jitmagic.backends.jax.outputs import Output, is_slice, output_of
from jitmagic.backends.jax.rows import NoRows, Rows, by_rows
from jitmagic.backends.jax.step_batches import fits, makes_arrays
from jitmagic.backends.jax.step_checks import Cannot, check, check_places
from jitmagic.backends.jax.step_inputs import ElementMaker, Span
from jitmagic.backends.jax.sums import added, terms, written
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, small, with_body
from jitmagic.generate.walking import Finder

_BATCH = 64
"""How many steps that make arrays are computed at a time: some hundred kilobytes for rows of a thousand numbers."""


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
        self.nest: list[cst.For] = []
        self.sizes = sizes_of(loops.tracing.function)
        self.returned: set[str] = set()
        self.independent: set[int] | None = None

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
        known = list(before)
        try:
            lines = self.made(function, node, counted, body, live, after, defined, known)
        except Cannot:
            return None
        before[:] = known
        return lines

    def made(
        self, function: str, node: cst.For, counted: Counted, body: Sequence[Any], live: frozenset[str],
        after: frozenset[str], defined: set[str], before: list[Any],
    ) -> list[Any]:  # fmt: skip
        if node.orelse is not None:
            raise Cannot
        targets = set(name_tools.targets(node.target))
        if targets & after:
            raise Cannot
        mask = ""
        if any(self.tracing.expression(_parsed(t)) for t in (counted.start, counted.stop)):
            span, mask = self.masked(node, counted)
            index: str | None = counted.index
            inputs, binds = [(counted.index, span.arange())], list[str]()
        else:
            inputs, binds, index, span = self.inputs(node, counted)
        inner = [*(made(text, node) for text in binds), *body]
        names: list[str] = []
        for statement in inner:
            bound_in_order(statement, names)
        rows: list[Rows] = []
        carried = [n for n in names if n in live and n not in targets]
        fixed = frozenset(n for n in names if n not in carried) | targets - {index}
        if index in names:
            raise Cannot
        outputs, kept = self.divided(inner, index, fixed, carried)
        natural = Lowest([*self.nest, node], self.sizes).never_negative
        check_places(outputs, natural, False)
        again = self.stored_again(outputs)
        lists = [o for o in outputs if o.kind == "list"]
        free = set(carried) <= {o.name for o in outputs}
        try:
            if not free:
                raise Cannot
            check_places(outputs, natural, True)
            check(outputs, kept, self.kinds, self.module)
            _, kept = self.settled(inner, outputs, kept, node, again)
            if mask:
                self.chosen(outputs, kept, mask, counted.index, span)
        except Cannot:
            if mask:
                raise
            # what is carried stays in the body; rows and what is appended are given out
            free = False
            inner, _ = self.settled(inner, lists, kept, node, {})
            given = {id(o.statement) for o in lists}
            kept, rows = self.rows(node, inner, index, span, carried, frozenset(names) | targets - {index}, bool(lists))
            kept = [s for s in kept if id(s) not in given]
            check(lists, kept, self.kinds, self.module)
            outputs = [*lists, *(self.row_output(one, index or "", kept) for one in rows)]
        if not outputs or any(grows(s, self.kinds) for s in kept):
            raise Cannot from None
        if span.reverse and lists:
            if rows:
                raise Cannot
            inputs, span = (
                [(inputs[0][0], f"__numpy__.{code(node.iter).replace('range', 'arange', 1)}")],
                Span("?", "?"),
            )
        starts = {o.name: self.beginning(o.name, before) for o in lists}
        kept, values, inputs = self.elementwise(node, span, kept, outputs, inputs, index)
        lines = [made(text, node) for text in counted.before]
        earlier = [n for one in rows for n in one.earlier]
        for one in rows:
            for distance, name in enumerate(one.earlier, 1):
                first = added(span.stop, str(distance - 1)) if span.reverse else added(span.start, str(-distance))
                lines.append(made(f"{name} = {one.name}[{', '.join([*one.prefix, added(first, one.offset)])}]", node))
        live, defined = live | set(earlier), defined | set(earlier)
        carry: list[str] = []
        if not free:
            ordered = list(earlier)
            for statement in kept:
                bound_in_order(statement, ordered)
            if set(ordered) & live - targets - {counted.index}:
                carry = self.loops.carry(
                    node, [*(_bind(n) for n in earlier), *kept], live, targets | {counted.index}, defined
                )
        if carry:
            lines += [made(t, node) for t in self.loops.initial(node, carry, live | name_tools.loads(node.body))]
            lines += [made(t, node) for t in self.loops.first_values(node, carry, defined)]
        lines += self.called(function, node, kept, outputs, values, inputs, (carry, rows, after), span, starts)
        lines[0] = leading(lines[0], node)
        return lines

    # what there is ----------------------------------------------------------------------------

    def inputs(self, node: cst.For, counted: Counted) -> tuple[list[tuple[str, str]], list[str], str | None, Span]:
        """Returns (parameter, array) for what each step takes, statements that bind more, the index and its range."""
        iterated, backwards = node.iter, False
        if isinstance(iterated, cst.Call) and code(iterated.func) == "reversed" and len(iterated.args) == 1:
            iterated, backwards = iterated.args[0].value, True
        if isinstance(iterated, cst.Call) and code(iterated.func) == "range" and isinstance(node.target, cst.Name):
            texts = [code(a.value) for a in iterated.args]
            span = Span("0", texts[0]) if len(texts) == 1 else Span(texts[0], texts[1])
            if len(texts) == 3:
                step = texts[2].replace(" ", "")
                if step == "-1":
                    span, backwards = Span(added(span.stop, "1"), added(span.start, "1")), not backwards
                elif not backwards and not self.tracing.expression(_parsed(texts[2])):
                    span = Span(span.start, span.stop, texts[2])
                else:
                    raise Cannot
            span = replace(span, reverse=backwards)
            return [(node.target.value, span.arange())], [], node.target.value, span
        if backwards:
            raise Cannot
        found: list[tuple[str, str]] = [(counted.index, f"__numpy__.arange({counted.stop})")]
        binds = []
        several = counted.stop.startswith("min(")
        for text in counted.binds:
            target, _, value = text.partition(" = ")
            if target.isidentifier() and (value == counted.index or value.startswith(f"{counted.index} + ")):
                binds.append(text)
                continue
            array = value.removesuffix(f"[{counted.index}]")
            if not array.isidentifier() or array == value:
                raise Cannot
            rows = f"{array}[:{counted.stop}]" if several else array
            if target.isidentifier():
                found.append((target, rows))
            else:
                name = self.loops.name("row")
                found.append((name, rows))
                binds.append(f"{target} = {name}")
        return found, binds, counted.index, Span("0", counted.stop)

    def rows(
        self, node: cst.For, body: list[Any], index: str | None, span: Span, carried: Sequence[str],
        fixed: frozenset[str], lists: bool,
    ) -> tuple[list[Any], list[Rows]]:  # fmt: skip
        """Takes the arrays that are stored row by row out of what is carried."""
        found: list[Rows] = []
        natural = Lowest([*self.nest, node], self.sizes).never_negative
        for name in carried:
            if index is None or span.step != "1" or (span.reverse and lists):
                break
            facts = [f for f in self.kinds.names.get(name, []) if f.kind == "array"]
            ndims = {f.ndim for f in facts}
            if len(ndims) != 1 or None in ndims:
                continue

            def cast(value: cst.BaseExpression, axes: int, name: str = name, dtype: Any = facts[0].dtype) -> str:
                return self.cast(value, axes, name, dtype)

            try:
                one = by_rows(
                    self.module,
                    self.kinds,
                    name,
                    facts[0].ndim or 0,
                    body,
                    index,
                    fixed,
                    not span.reverse,
                    self.loops.name,
                    cast,
                    natural,
                )
            except NoRows:
                continue
            found.append(one)
            body = one.body
        return body, found

    def cast(self, value: cst.BaseExpression, axes: int, name: str, dtype: str | None) -> str:
        """Returns a value in the dtype and shape of a row."""
        fact = self.kinds.of(value)
        text = code(value)
        known = fact is not None and (
            fact.dtype == dtype or (fact.kind == "float" and dtype in ("float32", "float64", "complex128"))
        )
        if axes and not (fact is not None and fact.ndim == axes and 1 not in (fact.shape or (1,))):
            shape = f"{name}.shape[-{axes}:]"
            text = f"__numpy__.broadcast_to({text}, {shape})"
            return text if known else f"{text}.astype({name}.dtype)"
        return text if known else f"__numpy__.asarray({text}, dtype={name}.dtype)"

    def row_output(self, one: Rows, index: str, kept: Sequence[Any]) -> Output:
        place = index if one.offset == "0" else added(index, one.offset)
        axes = self.ndim(one.name) - sum(":" not in t for t in one.prefix) - 1
        behind = [":"] * (axes - sum(":" in t for t in one.prefix))
        return Output(
            "row", one.name, cst.Name(one.row), [*one.prefix, place, *behind], len(one.prefix), one.offset,
            statement=kept[-1],
        )  # fmt: skip

    def masked(self, node: cst.For, counted: Counted) -> tuple[Span, str]:
        """Returns a range that holds those of all iterations of the loops around it, and what tells the loop's own."""
        plain = isinstance(node.iter, cst.Call) and code(node.iter.func) == "range" and len(node.iter.args) < 3
        if not plain or counted.binds:
            raise Cannot
        start, stop = self.outermost(counted.start, False), self.outermost(counted.stop, True)
        tests = [f"{counted.index} >= {_operand(counted.start)}"] if start != counted.start else []
        tests += [f"{counted.index} < {_operand(counted.stop)}"] if stop != counted.stop else []
        return Span(start, stop), " & ".join(f"({t})" for t in tests) if len(tests) > 1 else tests[0]

    def outermost(self, text: str, high: bool) -> str:
        """Returns the smallest or largest value of a bound over the loops around it; raises where it is not known."""
        left = {t: n for t, n in terms(_parsed(text)).items() if n}
        for loop in reversed(self.nest):
            name = loop.target.value if isinstance(loop.target, cst.Name) else ""
            if name not in left:
                continue
            ends = ends_of(loop)
            count = left.pop(name)
            end = None if ends is None else ends[1 if (count > 0) == high else 0]
            if end is None:
                raise Cannot
            for term, n in end.items():
                left[term] = left.get(term, 0) + count * n
        result = written({t: n for t, n in left.items() if n})
        if self.tracing.expression(_parsed(result)):
            raise Cannot
        return result

    def chosen(self, outputs: Sequence[Output], kept: Sequence[Any], mask: str, index: str, span: Span) -> None:
        """Lets each step outside the loop's own range give what changes nothing."""
        if any("while_loop" in code(s) for s in kept) or any(o.kind == "list" for o in outputs):
            raise Cannot
        for output in outputs:
            if output.method not in ("set", "add"):
                raise Cannot
            if output.kind == "store" and output.method == "set" and not any(map(is_slice, output.index)):
                # chosen behind the loop: a loop around it can see then that the element keeps its own value
                output.mask = mask.replace(f"{index} >= ", f"{span.arange()} >= ")
                output.mask = output.mask.replace(f"{index} < ", f"{span.arange()} < ")
                continue
            nothing = output.own() if output.kind == "store" and output.method == "set" else "0"
            output.value = _parsed(f"__numpy__.where({mask}, {code(output.value)}, {nothing})")

    def stored_again(self, outputs: Sequence[Output]) -> dict[int, list[Output]]:
        """Finds stores whose value another store of the step reads: ``K[j, i] = K[i, j]`` behind ``K[i, j] = v``."""
        found: dict[int, list[Output]] = {}
        for position, output in enumerate(outputs):
            for earlier in outputs[:position]:
                if earlier.kind == "store" and earlier.method == "set" and code(output.value) == earlier.own():
                    found.setdefault(id(earlier.statement), []).append(output)
                    output.value = _parsed("0")
        return found

    def settled(
        self, inner: list[Any], outputs: Sequence[Output], kept: list[Any], node: cst.For,
        again: dict[int, list[Output]],
    ) -> tuple[list[Any], list[Any]]:  # fmt: skip
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
            others = again.get(id(statement), [])
            if others or output.reads() & later - {output.name}:
                if output.kind == "scatter":
                    raise Cannot
                name = self.loops.name(f"new_{output.name}")
                line = made(f"{name} = {code(_row(output))}", node)
                self.module.inherit(small(line).value, output.value)
                output.value = cst.Name(name)
                self.module.inherit(output.value, small(line).value)
                for other in others:
                    other.value = cst.Name(name)
                everything.append(line)
                rest.append(line)
            everything.append(statement)
        return everything, rest

    def divided(
        self, body: Sequence[Any], index: str | None, fixed: frozenset[str], carried: Sequence[str]
    ) -> tuple[list[Output], list[Any]]:
        outputs, kept = [], []
        for statement in body:
            found = output_of(statement, index, fixed, self.kinds)
            if found is not None and (found.name in carried or found.kind == "list"):
                outputs.append(found)
            else:
                kept.append(statement)
        return outputs, kept

    def beginning(self, name: str, before: list[Any]) -> str | None:
        """Takes the statement that begins a list out of a block; returns the array of its first elements, if any."""
        for position in range(len(before) - 1, -1, -1):
            one = small(before[position])
            if isinstance(one, cst.Assign) and code(one.targets[0].target) == name and isinstance(one.value, cst.List):
                uses = uses_of(self.tracing.function, name)
                if len(one.targets) != 1 or uses.appends != 1:
                    raise Cannot
                if uses.bindings != 1 or uses.others:
                    raise Cannot
                if uses.returned:
                    self.returned.add(name)
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
        raise Cannot

    # how it is written ------------------------------------------------------------------------

    def elementwise(
        self, node: cst.For, span: Span, kept: Sequence[Any], outputs: Sequence[Output],
        inputs: list[tuple[str, str]], index: str | None,
    ) -> tuple[list[Any], list[cst.BaseExpression], list[tuple[str, str]]]:  # fmt: skip
        """Hands ``x[i]`` to each step as an element of ``x``; returns statements, values and inputs."""
        values = [self.value(o) for o in outputs]
        if any(index in name_tools.parameters(f) for s in kept for f in _functions(s)):
            raise Cannot
        taken = {n for s in kept for n in name_tools.bound(s)} | {p for p, _ in inputs}
        taken |= {o.name for o in outputs if o.kind != "row"}
        taken |= {n for s in kept for f in _functions(s) for n in name_tools.bound(f)}
        elements = ElementMaker(self.loops, span, index or "", taken, node)
        kept = [s.visit(elements) for s in kept]
        values = [_parsed(code(v.visit(elements))) for v in values]  # type: ignore[arg-type]
        more = [(parameter, rows) for parameter, rows in elements.found.values()]
        given = {p for p, _ in more}
        for position, statement in enumerate(kept):
            one = small(statement)
            if isinstance(one, cst.Assign) and code(one.value) in given and isinstance(one.targets[0].target, cst.Name):
                # `y_i = y_i_2`: the row is what the step is given, unless that is read elsewhere
                parameter, target = code(one.value), one.targets[0].target.value
                rest = [*kept[:position], *kept[position + 1 :], *values]
                if not any(parameter in name_tools.loads(s) for s in rest) and target.startswith(
                    parameter.rstrip("0123456789_")
                ):
                    more = [(target if p == parameter else p, rows) for p, rows in more]
                    kept = [*kept[:position], *kept[position + 1 :]]
                break
        read = frozenset().union(*(name_tools.loads(s) for s in (*kept, *values)), frozenset())
        for output in outputs:
            if output.kind == "scatter":
                read |= {n for t in output.index for n in name_tools.loads(_parsed(t))}
        wanted = [(p, a) for p, a in [*inputs, *more] if p in read]
        return list(kept), values, wanted or inputs[:1]

    def value(self, output: Output) -> cst.BaseExpression:
        """Returns what a step gives, in the shape of what it is stored into."""
        value = _row(output)
        if output.kind != "store":
            return value  # a row is in shape already
        ndim = self.ndim(output.name)
        left = ndim - sum(not is_slice(t) for t in output.index)
        if left == 0 or self.axes.get(code(value)) == left:
            return value
        fact = self.module.fact(value)
        if fact is not None and fact.ndim == left and None not in (fact.shape or (None,)) and 1 not in fact.shape:  # type: ignore[operator]
            return value
        return _parsed(f"__numpy__.broadcast_to({code(value)}, {output.own()}.shape)")

    def ndim(self, name: str) -> int:
        ndims = {f.ndim for f in self.kinds.names.get(name, []) if f.kind == "array"}
        if len(ndims) != 1 or None in ndims:
            raise Cannot
        return next(iter(ndims))  # type: ignore[return-value]

    def called(
        self, function: str, node: cst.For, kept: list[Any], outputs: Sequence[Output],
        values: Sequence[cst.BaseExpression], inputs: Sequence[tuple[str, str]],
        state: tuple[list[str], list[Rows], frozenset[str]], span: Span,
        starts: dict[str, str | None],
    ) -> list[Any]:  # fmt: skip
        carry, rows, after = state
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
        heavy = bool(carry) or (makes_arrays(self.module, node, [*kept, *values]) and not fits(self.module, node))
        body = list(kept)
        returned = ", ".join(given)
        first_state = _tuple(carry)
        if carry:
            later = {name: now for one in rows for name, now in one.next().items()}
            last = _tuple([later.get(name, name) for name in carry])
            body.append(made(f"return {last}, {_tuple(given)}", node))
        else:
            last = made(f"return {returned}", outputs[0].statement)
            below = isinstance(body[-1], cst.FunctionDef) if body else False
            body.append(last.with_changes(leading_lines=[cst.EmptyLine(indent=False)]) if below else last)
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
            more = ", reverse=True" if span.reverse else ""
            call = f"__jax__.lax.scan({function}, {first_state}, {over}{more})"
        elif heavy:
            call = f"__jax__.lax.map({function}, {over}, batch_size={_BATCH})"
            if self.is_batched():
                call = f"__jax__.vmap({function})({over})"
        else:
            call = f"__jax__.vmap({function})({', '.join(arrays)})"
        lines = [definition]
        if len(results) == 1 and not carry and not any(o.mask for o in outputs):
            results[0] = call
        else:
            values_at = [i for i, name in enumerate(results) if not name]
            owners = [o.name for o in outputs if o.kind != "list" or starts[o.name]]
            for position, name in zip(values_at, owners, strict=True):
                results[position] = self.loops.name(f"new_{name}")
            left = ", ".join(results)
            if carry:
                left_state = _tuple([n if n in after else "_" for n in carry]) if set(carry) & after else "_"
                left = f"{left_state}, {_tuple(results)}"
            lines.append(made(f"{left} = {call}", node))
        stacks = iter(results)
        for output, where in zip(outputs, places, strict=True):
            stack = next(stacks)
            while stack in where:
                stack = next(stacks)
            line = self.behind(output, where, stack, span, starts)
            if line is not None:
                lines.append(made(line, node))
        return lines

    def behind(
        self, output: Output, places: Sequence[str], stack: str, span: Span,
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
            number = self.ndim(name) == sum(not is_slice(t) for t in output.index)
            total = f"__numpy__.sum({stack})" if number else f"__numpy__.sum({stack}, axis=0)"
            return f"{name} = {name}.at[{', '.join(output.index)}].add({total})"
        index = list(output.index)
        index[output.mapped] = self.places(output, span)
        while len(index) > 1 and index[-1] == ":":
            index.pop()
        slices = sum(is_slice(t) for t in output.index[: output.mapped])
        if slices:
            if any(not is_slice(t) for i, t in enumerate(output.index) if i != output.mapped):
                raise Cannot
            stack = f"__numpy__.moveaxis({stack}, 0, {slices})"
        axes = 1 + sum(is_slice(t) for t in output.index)
        if output.mask:
            stack = f"__numpy__.where({output.mask}, {stack}, {name}[{', '.join(index)}])"
        self.axes[stack] = axes
        return f"{name} = {name}.at[{', '.join(index)}].{output.method}({stack})"

    def places(self, output: Output, span: Span) -> str:
        """Returns the subscript that names the elements of all steps."""
        first = span.start if output.offset == "0" else added(span.start, output.offset)
        last = span.stop if output.offset == "0" else added(span.stop, output.offset)
        if first.isdigit() and span.step.isdigit() and not self.tracing.expression(_parsed(last)):
            return f"{'' if first == '0' else first}:{last}" + (f":{span.step}" if span.step != "1" else "")
        others = [t for i, t in enumerate(output.index) if i != output.mapped]
        if any(map(is_slice, others)) and not all(map(is_slice, others)):
            raise Cannot  # an array and a number with a slice between them would move the axes
        shift = "" if output.offset == "0" else f" + {output.offset}"
        return f"{span.arange()}{shift.replace('+ -', '- ')}"

    def is_batched(self) -> bool:
        """Says whether the steps of the loop around are independent: they go in batches, and batches of batches
        would only take longer to compile."""
        if not self.nest:
            return False
        if self.independent is None:
            name = self.tracing.function.name.value
            try:
                found = classify(self.module.source.text, name, self.module.names, self.module.observed)
            except LookupError:
                found = ()  # a function that was lifted out of another one
            self.independent = {loop.span.line for loop in found if loop.parallel}
        return self.module.span(self.nest[-1]).line in self.independent


def _row(output: Output) -> cst.BaseExpression:
    """Returns an output's value, as an array where a tuple is appended to a list."""
    value = output.value
    if output.kind == "list" and isinstance(value, cst.Tuple | cst.List):
        return _parsed(f"__numpy__.array([{', '.join(code(e.value) for e in value.elements)}])")
    return value


def _tuple(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def _bind(name: str) -> Any:
    return made(f"{name} = {name}")


def _functions(statement: Any) -> list[cst.FunctionDef]:
    finder = _FunctionFinder()
    statement.visit(finder)
    return finder.found


class _FunctionFinder(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.FunctionDef] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.found.append(node)


def _bound(body: Sequence[Any]) -> frozenset[str]:
    return frozenset(n for s in body for n in name_tools.bound(s))


def _parsed(text: str) -> cst.BaseExpression:
    return cst.parse_expression(text)


def _operand(text: str) -> str:
    return text if isinstance(_parsed(text), cst.Name | cst.Integer | cst.Call | cst.Subscript) else f"({text})"
