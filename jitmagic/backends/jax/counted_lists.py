"""Rewrite lists that grow and shrink as values decide as arrays with a count of what is in use.

    stack = [start]                         n_stack = 0
    while stack:                            stack[n_stack] = start
        u = stack.pop()             ->      n_stack += 1
        …                                   while n_stack > 0 and not full:
            stack.append(v)                     n_stack -= 1
                                                u = stack[n_stack]
                                                …
                                                    stack[n_stack] = v
                                                    n_stack += 1
                                                    full = full or n_stack > room

The arrays are made where the function begins. How long one has to be is known where a plain loop appends once a step;
elsewhere ``room`` is a guess by the size of an argument, and ``full`` says that it was too small: loops end then, and
the wrapper calls again with twice the room. Nothing is computed from an array that was too short.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.list_elements import (
    Element,
    NotUniform,
    becomes_an_array,
    element_of,
    is_never_stored_into,
    joined,
)
from jitmagic.backends.jax.list_reads import CountedList, Reads
from jitmagic.backends.jax.list_results import Given, ListResults
from jitmagic.backends.jax.list_room import capacity_of, guess
from jitmagic.backends.jax.list_sites import (
    CHANGING,
    Growing,
    Sites,
    from_front,
    groups,
    growing,
    mentions,
    plus,
    pops_in,
    queue_of,
    surely,
)
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, small, statements, with_alternative, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.liveness import live_names
from jitmagic.generate.module import Module
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import ValueFact

_METHODS = frozenset({"append", "extend", "pop", "clear", "popleft"})


def counted_lists(
    module: Module, tree: cst.Module, entry: str, kinds: dict[str, Kinds]
) -> tuple[cst.Module, Given | None]:
    """Returns the tree without growing lists, and what the wrapper has to do; None where it has nothing to do.

    Raises
    ------
    Unsupported
        With its line, where a list is used in another way.
    """
    body: list[Any] = []
    given: Given | None = None
    taken = set(name_tools.all_names(tree)) | set(module.names)
    for statement in tree.body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value in kinds:
            rewrite = _Function(module, statement, kinds[statement.name.value], taken, statement.name.value == entry)
            statement = rewrite.result()
            given = rewrite.given or given
        body.append(statement)
    return tree.with_changes(body=body), given


def _bound_by(statement: Any) -> str:
    """Returns the one name that a statement binds."""
    one = small(statement)
    return code(one.targets[0].target) if isinstance(one, cst.Assign) and len(one.targets) == 1 else ""


class _Function(ListResults):
    """Rewrites one function."""

    def name(self, wanted: str) -> str:
        name = name_tools.fresh(wanted, self.taken)
        self.taken.add(name)
        return name

    def result(self) -> cst.FunctionDef:
        names = growing(self.function)
        if not names:
            return self.function
        self.collect(names)
        self.live = live_names(statements(self.function))
        body = list(statements(self.function))
        at = next(i for i, s in enumerate(body) if names & name_tools.all_names(s))
        self.begins = {n for s in body if (n := _bound_by(s)) in names}
        head, rest = body[:at], self.block(body[at:])
        new = with_body(self.function, [*head, *self.begun(body[at]), *rest])
        if self.room:
            params = new.params
            room = cst.Param(cst.Name(self.room))
            new = new.with_changes(params=params.with_changes(kwonly_params=[*params.kwonly_params, room]))
        self.module.inherit(new, self.function)
        return new

    # what there is ----------------------------------------------------------------------------

    def collect(self, names: frozenset[str]) -> None:
        """Finds what the lists hold and how long they may become."""
        sites = Sites(names)
        self.function.visit(sites)
        if sites.inner is not None:
            raise self.refuse(sites.inner, "a function inside this one uses a list that grows; pass it an array")
        for call in nodes_of(self.function, cst.Call):
            func = call.func
            if isinstance(func, cst.Attribute) and code(func.value) in names and func.attr.value in CHANGING - _METHODS:
                raise self.moves(call, call)
        open_ones = False
        together = groups(names, sites.renamed)
        together.sort(key=lambda group: min(sites.order.index(n) for n in group))
        arrays = {name for name in names if becomes_an_array(name, self.function, self.kinds)}
        for group in together:
            elements: list[Element] = []
            for name in group:
                for value in sites.values.get(name, []):
                    try:
                        elements.append(element_of(value, self.kinds, name in arrays))
                    except NotUniform as error:
                        raise self.refuse(value, f"`{name}` takes up `{code(value)}`, {error}", self.function) from None
            try:
                element = joined(elements)
            except NotUniform as error:
                raise self.refuse(self.function, f"the list `{group[0]}` {error}") from None
            capacity = capacity_of(self.module, self.function, self.kinds, group[0]) if len(group) == 1 else None
            open_ones = open_ones or capacity is None
            for name in group:
                first = self.name(f"first_{name}") if name in sites.fronts else ""
                self.lists[name] = CountedList(name, element, self.name(f"n_{name}"), first, capacity)
        if open_ones:
            if not self.entry:
                raise self.refuse(
                    self.function, f"how long `{together[0][0]}` becomes depends on array values; return an array of "
                    "fixed size, and how much of it is in use"
                )  # fmt: skip
            self.room, self.full = self.name("room"), self.name("full")
        first, seen = guess(self.function, self.kinds)
        for one in self.lists.values():
            length = seen if one.capacity is None else one.capacity.seen
            shape = (length, *one.element.lengths())
            self.known[one.name] = ValueFact("array", one.element.dtype, shape)
            self.known[one.count] = ValueFact("int")
            if one.first:
                self.known[one.first] = ValueFact("int")
        if self.full:
            self.known[self.full], self.known[self.room] = ValueFact("bool"), ValueFact("int")
        self.given = self.returned(first)

    # statements -------------------------------------------------------------------------------

    def begun(self, like: Any) -> list[Any]:
        """Returns the statements that make the arrays."""
        lines = []
        for one in self.lists.values():
            length = self.room if one.capacity is None else one.capacity.text
            shape = ", ".join([length, *one.element.shape])
            dtype = "bool_" if one.element.dtype == "bool" else one.element.dtype
            shape = f"({shape})" if one.element.shape else length
            lines.append(self.line(f"{one.name} = __numpy__.zeros({shape}, dtype=__numpy__.{dtype})", like))
            if one.name in self.begins:
                continue
            lines.append(self.line(f"{one.count} = 0", like))
            if one.first:
                lines.append(self.line(f"{one.first} = 0", like))
        if self.full:
            lines.append(self.line(f"{self.full} = False", like))
        return lines

    def line(self, text: str, like: Any, value: cst.CSTNode | None = None, fact: ValueFact | None = None) -> Any:
        """Makes a statement whose parts are known."""
        statement = made(text, like)
        self.learned(statement, like)
        one = small(statement)
        if isinstance(one, cst.Assign | cst.AugAssign):
            target = one.targets[0].target if isinstance(one, cst.Assign) else one.target
            name = code(target)
            known = fact or self.known.get(name) or ValueFact("int")
            self.module.inherit(one.value, value if value is not None else small(like) or like)
            if isinstance(one.value, cst.Tuple):
                known = ValueFact("tuple", items=(ValueFact("scalar", known.dtype, ()),) * len(one.value.elements))
            self.module.learn(one.value, known)
        self.module.inherit(statement, like)
        return statement

    def block(self, body: Sequence[Any]) -> list[Any]:
        result: list[Any] = []
        for node in body:
            if isinstance(node, cst.If | cst.For | cst.While | cst.With):
                new = [self.compound(node)]
            elif not name_tools.all_names(node) & set(self.lists) and not isinstance(small(node), cst.Return):
                new = [node]
            else:
                new = self.single(node)
                if new:
                    new[0] = leading(new[0], node)
            result += new
        return result

    def compound(self, node: Any) -> Any:
        new = node
        body = self.block(statements(node))
        if isinstance(node, cst.If | cst.While):
            self.no_pops(node.test, node)
            test = self.test(node.test)
            if isinstance(node, cst.While) and self.full:
                whole = None if code(test) in ("True", "1") else test
                if isinstance(whole, cst.BooleanOperation | cst.IfExp) and not whole.lpar:
                    whole = whole.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
                stop: Any = cst.parse_expression(f"not {self.full}")
                self.learned(stop, node)
                test = stop if whole is None else cst.BooleanOperation(whole, cst.And(), stop)
            new = new.with_changes(test=test)
        elif isinstance(node, cst.For):
            new, first = self.over(node)
            body = [*first, *body]
        new = with_alternative(with_body(new, body), node, self.block)
        self.module.inherit(new, node)
        return new

    def over(self, node: cst.For) -> tuple[Any, list[Any]]:
        """Returns a loop over a list as one over its places, and the statement that takes the element."""
        iterated, counter = node.iter, ""
        target: Any = node.target
        if isinstance(iterated, cst.Call) and code(iterated.func) == "enumerate" and len(iterated.args) == 1:
            inner = iterated.args[0].value
            parts = [e.value for e in target.elements] if isinstance(target, cst.Tuple) else []
            if isinstance(inner, cst.Name) and inner.value in self.lists and len(parts) == 2:
                iterated, counter, target = inner, code(parts[0]), parts[1]
        if not isinstance(iterated, cst.Name) or iterated.value not in self.lists:
            self.no_pops(node.iter, node)
            return node.with_changes(iter=self.reads(node.iter)), []
        one = self.lists[iterated.value]
        changed = Growing()
        node.body.visit(changed)
        if one.name in changed.changed or one.name in name_tools.bound(node.body):
            raise self.refuse(node, f"the loop over `{one.name}` changes the list that it runs over; use while and pop")
        index = counter or self.name(f"i_{one.name}")
        self.known.setdefault(index, ValueFact("int"))
        count: Any = cst.parse_expression(f"range({one.length()})")
        self.learned(count, node)
        left = code(target.with_changes(lpar=[], rpar=[]) if isinstance(target, cst.Tuple) else target)
        bind = self.line(
            f"{left} = {self.taken_apart(one, one.at(index), target)}", node, node.iter, one.element.fact()
        )
        place: Any = cst.Name(index)
        self.module.learn(place, ValueFact("int"))
        return node.with_changes(target=place, iter=count), [bind]

    def single(self, node: Any) -> list[Any]:
        """Returns the statements that stand for one that uses a list."""
        one = small(node)
        if isinstance(one, cst.Return):
            return self.given_out(node, one)
        if isinstance(one, cst.Assign) and len(one.targets) == 1 and isinstance(one.targets[0].target, cst.Name):
            name = one.targets[0].target.value
            if name in self.lists:
                return self.bound(node, self.lists[name], one.value)
        if isinstance(one, cst.AugAssign) and isinstance(one.target, cst.Name) and one.target.value in self.lists:
            if isinstance(one.operator, cst.AddAssign) and isinstance(one.value, cst.List):
                return self.appended(node, self.lists[one.target.value], [e.value for e in one.value.elements])
            raise self.refuse(node, f"`{code(one)}` needs the list as a whole, and its length depends on array values")
        if isinstance(one, cst.Del):
            return self.deleted(node, one)
        call = one.value if isinstance(one, cst.Expr) else None
        if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute):
            target = call.func.value
            if isinstance(target, cst.Name) and target.value in self.lists:
                return self.method(node, self.lists[target.value], call.func.attr.value, call)
        return self.with_pops(node)

    def bound(self, node: Any, one: CountedList, value: cst.BaseExpression) -> list[Any]:
        inner = queue_of(value) or value
        start = [self.line(f"{one.count} = 0", node)]
        if one.first:
            start.append(self.line(f"{one.first} = 0", node))
        if isinstance(inner, cst.List):
            return [*start, *self.appended(node, one, [e.value for e in inner.elements])]
        if isinstance(inner, cst.ListComp):
            return [*start, self.comprehension(node, one, inner)]
        added = plus(value, one.name)
        if added is not None:
            return self.appended(node, one, [e.value for e in added.elements])
        if isinstance(value, cst.Name) and value.value in self.lists:
            other = self.lists[value.value]
            if other.name in self.live.after.get(node, frozenset()):
                raise self.refuse(node, f"`{one.name}` and `{other.name}` are one list from here on; copy it")
            lines = [self.line(f"{one.name} = {other.name}.copy()", node)]
            lines.append(self.line(f"{one.count} = {other.count}", node))
            if one.first:
                lines.append(self.line(f"{one.first} = {other.first or 0}", node))
            elif other.first:
                raise self.refuse(node, f"`{other.name}` is emptied from the front and `{one.name}` is not")
            return lines
        raise self.refuse(node, f"`{one.name} = {code(value)}` needs a list as a whole, whose length depends on values")

    def comprehension(self, node: Any, one: CountedList, value: cst.ListComp) -> Any:
        """Returns ``xs = [v for … if …]`` as a loop."""
        loop: Any = cst.For(
            target=value.for_in.target, iter=value.for_in.iter,
            body=cst.IndentedBlock(self.appended(node, one, [value.elt])),
        )  # fmt: skip
        for test in reversed(value.for_in.ifs):
            inner = cst.If(test=self.test(test.test), body=loop.body)
            self.module.inherit(inner, node)
            loop = loop.with_changes(body=cst.IndentedBlock([inner]))
        if value.for_in.inner_for_in is not None:
            raise self.refuse(node, "a comprehension over two loops grows with values; write the loops out")
        # a loop of the line that the comprehension stands on
        header = made("for _ in ():\n    pass\n", node)
        inner = header.body.with_changes(body=loop.body.body)
        new = header.with_changes(target=loop.target, iter=loop.iter, body=inner)
        self.module.inherit(new, node)
        return new

    def appended(self, node: Any, one: CountedList, values: Sequence[cst.BaseExpression]) -> list[Any]:
        lines: list[Any] = []
        for value in values:
            self.no_pops(value, node)
            new: Any = self.reads(value)
            if one.element.tuples:
                new = cst.parse_expression(f"__numpy__.array({_bracketed(new)})")
                self.learned(new, node)
                self.module.learn(new, one.element.fact())
                self.module.inherit(new, value)
            line = made(f"{one.name}[{one.count}] = 0", node)
            self.learned(line, node)
            line = line.with_changes(body=[small(line).with_changes(value=new)])
            self.module.inherit(line, node)
            lines += [line, self.line(f"{one.count} += 1", node)]
        if values and one.capacity is None:
            lines.append(self.line(f"{self.full} = {self.full} or {one.count} > {self.room}", node))
        return lines

    def method(self, node: Any, one: CountedList, method: str, call: cst.Call) -> list[Any]:
        values = [a.value for a in call.args]
        if method == "append" and len(values) == 1:
            return self.appended(node, one, values)
        if method == "extend" and len(values) == 1 and isinstance(values[0], cst.List | cst.Tuple):
            return self.appended(node, one, [e.value for e in values[0].elements])
        if method == "clear" and not values:
            lines = [self.line(f"{one.count} = 0", node)]
            return [*lines, self.line(f"{one.first} = 0", node)] if one.first else lines
        if method in ("pop", "popleft"):
            return [self.shorter(node, one, from_front(call))]
        raise self.moves(node, call)

    def moves(self, node: Any, call: cst.Call) -> Unsupported:
        return self.refuse(
            node,
            f"`{code(call)}` moves the elements of a list whose length depends on array values; append and pop at its "
            "ends, or use an array",
        )

    def deleted(self, node: Any, one: cst.Del) -> list[Any]:
        target = one.target
        if isinstance(target, cst.Subscript) and isinstance(target.value, cst.Name):
            place = code(target).replace(" ", "").removeprefix(target.value.value)
            if target.value.value in self.lists and place in ("[0]", "[-1]"):
                return [self.shorter(node, self.lists[target.value.value], place == "[0]")]
        raise self.refuse(node, f"`{code(one)}` moves the elements of a list; pop at its ends, or use an array")

    def shorter(self, node: Any, one: CountedList, front: bool) -> Any:
        return self.line(f"{one.first} += 1" if front else f"{one.count} -= 1", node)

    def with_pops(self, node: Any) -> list[Any]:
        """Returns a statement that reads lists, what it pops taken out before."""
        pops = pops_in(node, set(self.lists))
        lines: list[Any] = []
        replaced: dict[cst.CSTNode, cst.BaseExpression] = {}
        for call in pops:
            one = self.lists[call.func.value.value]  # type: ignore[attr-defined]
            front = from_front(call)
            if not surely(small(node), call) or mentions(node, one.name) > 1:
                raise self.refuse(node, f"`{code(call)}` stands inside of an expression; write it on a line of its own")
            place = f"{one.first} - 1" if front else one.count
            if call is getattr(small(node), "value", None):
                element: Any = cst.parse_expression(self.element(one, place, small(node)))
            else:
                popped = self.name(f"popped_{one.name}" if len(pops) > 1 else "popped")
                self.known[popped] = one.element.fact()
                element = cst.Name(popped)
            self.learned(element, node)
            if not isinstance(element, cst.Tuple):
                self.module.learn(element, one.element.fact())
            replaced[call] = element
            lines.append(self.shorter(node, one, front))
            if isinstance(element, cst.Name):
                lines.append(self.line(f"{element.value} = {one.name}[{place}]", node, call, one.element.fact()))
        read: Any = getattr(small(node), "value", None)
        if isinstance(read, cst.Subscript) and isinstance(read.value, cst.Name) and read.value.value in self.lists:
            one = self.lists[read.value.value]
            if one.element.shape and isinstance(small(node), cst.Assign) and isinstance(read.slice[0].slice, cst.Index):
                target = code(small(node).targets[0].target)
                if not one.element.tuples and not is_never_stored_into(target, self.function):
                    raise self.refuse(node, f"`{target}` is an element of `{one.name}` and is stored into; copy it")
                old = read.slice[0].slice.value
                place = Reads(self, {}, node).place(one, old, self.reads(old))
                element = cst.parse_expression(self.element(one, place, small(node)))
                self.learned(element, node)
                if not isinstance(element, cst.Tuple):
                    self.module.learn(element, one.element.fact())
                replaced[read] = element
        return [*lines, self.reads(node, replaced)]

    def element(self, one: CountedList, place: str, near: Any) -> str:
        """Returns an element of a list, in parts where a tuple is taken apart."""
        target = near.targets[0].target if isinstance(near, cst.Assign) and len(near.targets) == 1 else None
        return self.taken_apart(one, place, target)

    def taken_apart(self, one: CountedList, place: str, target: Any) -> str:
        if one.element.tuples and isinstance(target, cst.Tuple) and len(target.elements) == one.element.seen[0]:
            return ", ".join(f"{one.name}[{place}, {k}]" for k in range(one.element.seen[0]))
        return f"{one.name}[{place}]" + (".copy()" if one.element.shape else "")

    def no_pops(self, node: cst.CSTNode, near: cst.CSTNode) -> None:
        for call in pops_in(node, set(self.lists)):
            raise self.refuse(near, f"`{code(call)}` stands inside of an expression; make it a statement of its own")


def _bracketed(node: cst.BaseExpression) -> str:
    return f"[{', '.join(code(e.value) for e in node.elements)}]" if isinstance(node, cst.Tuple) else code(node)
