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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.backends.jax.list_elements import Element, NotUniform, element_of, is_never_stored_into, joined
from jitmagic.backends.jax.list_room import Capacity, capacity_of, guess
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, small, statements, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.liveness import live_names
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder, children, nodes_of
from jitmagic.observe.facts import ValueFact

_METHODS = frozenset({"append", "extend", "pop", "clear", "popleft"})
_CHANGING = _METHODS | {"insert", "remove", "appendleft", "reverse", "sort"}
_QUEUES = ("deque", "collections.deque")


@dataclass
class Given:
    """What the wrapper does about the entry's lists.

    Attributes
    ----------
    results : list of str
        Names of what the compiled function returns.
    lists : list of (str, str)
        Names of lists, and the expression that makes the list from its array; ``{jax}`` stands for the module.
    shown : str
        What is returned, as the user wrote it; empty where nothing is.
    room : str
        The parameter that says how long the arrays are; empty where each length is known.
    first : str
        What it is at first.
    full : str
        The result that says that the room was too small.
    """

    results: list[str] = field(default_factory=list)
    lists: list[tuple[str, str]] = field(default_factory=list)
    shown: str = ""
    room: str = ""
    first: str = ""
    full: str = ""


@dataclass
class _List:
    """A list that becomes an array."""

    name: str
    element: Element
    count: str
    first: str
    capacity: Capacity | None

    def length(self) -> str:
        return f"{self.count} - {self.first}" if self.first else self.count

    def mask(self) -> str:
        """Returns which elements of the array are the list's."""
        places = f"__numpy__.arange(len({self.name}))"
        upper = f"({places} < {self.count})"
        return f"({places} >= {self.first}) & {upper}" if self.first else upper

    def reduced(self, reduction: str) -> str:
        initial = ""
        if reduction in ("max", "min"):
            lowest = "inf" if self.element.dtype.startswith("float") else ""
            word = "max" if reduction == "min" else "min"
            sign = "-" if reduction == "max" else ""
            initial = f", initial={sign}__numpy__.inf" if lowest else (
                f", initial=__numpy__.iinfo(__numpy__.{self.element.dtype}).{word}"
            )  # fmt: skip
        return f"__numpy__.{reduction}({self.name}{initial}, where={self.mask()})"

    def at(self, place: str) -> str:
        """Returns the subscript of element ``place``, counted from the list's own first one."""
        return f"{self.first} + {place}" if self.first else place

    def shown(self, as_array: bool) -> str:
        """Returns the list made of the array, or its rows where only ``np.array`` takes them."""
        rows = f"{{jax}}.device_get({self.name})[{self.first}:{self.count}]"
        if as_array:
            # an empty list has a dtype of its own
            return f"{rows} if {self.count} > {self.first or 0} else []"
        if self.element.tuples:
            return f"list(map(tuple, {rows}.tolist()))"
        return f"{rows}.tolist()" if self.element.plain else f"list({rows})"


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


def growing(function: cst.FunctionDef) -> frozenset[str]:
    """Returns the lists of a function that change their length after they were made."""
    finder = _Growing()
    function.visit(finder)
    found = finder.changed & finder.made
    while more := {a for pair in finder.renamed for a in pair if set(pair) & found} - found:
        found |= more
    return frozenset(found)


def lines_of_growing_lists(module: Module) -> frozenset[int]:
    """Returns the user's lines at which lists of a module's functions change their length."""
    found: set[int] = set()
    for function in module.functions():
        names = growing(function)
        for node in nodes_of(function, cst.Call) if names else ():
            func = node.func
            if isinstance(func, cst.Attribute) and code(func.value) in names and func.attr.value in _CHANGING:
                found.add(module.line(node) or 0)
        found |= {module.line(n) or 0 for n in nodes_of(function, cst.AugAssign) if code(n.target) in names}
    return frozenset(found)


def _bound_by(statement: Any) -> str:
    """Returns the one name that a statement binds."""
    one = small(statement)
    return code(one.targets[0].target) if isinstance(one, cst.Assign) and len(one.targets) == 1 else ""


class _Growing(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.changed: set[str] = set()
        self.made: set[str] = set()
        self.renamed: list[tuple[str, str]] = []

    def visit_Call(self, node: cst.Call) -> None:
        func = node.func
        if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name) and func.attr.value in _CHANGING:
            self.changed.add(func.value.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        if isinstance(node.target, cst.Name) and isinstance(node.operator, cst.AddAssign):
            if isinstance(node.value, cst.List):
                self.changed.add(node.target.value)

    def visit_Del(self, node: cst.Del) -> None:
        if isinstance(node.target, cst.Subscript) and isinstance(node.target.value, cst.Name):
            self.changed.add(node.target.value.value)

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            if isinstance(target.target, cst.Tuple) and isinstance(node.value, cst.Tuple):
                pairs = zip(target.target.elements, node.value.elements, strict=False)
                self.made |= {code(t.value) for t, v in pairs if isinstance(v.value, cst.List)}
            if not isinstance(target.target, cst.Name):
                continue
            name = target.target.value
            if isinstance(node.value, cst.List | cst.ListComp) or _queue_of(node.value) is not None:
                if name in self.made:
                    self.changed.add(name)  # another list, perhaps of another length
                self.made.add(name)
            elif isinstance(node.value, cst.Name):
                self.renamed.append((name, node.value.value))
            elif _plus(node.value, name) is not None:
                self.changed.add(name)


def _queue_of(node: Any) -> cst.BaseExpression | None:
    """Returns what ``deque([…])`` or ``list()`` is made from."""
    if isinstance(node, cst.Call) and code(node.func) in (*_QUEUES, "list") and len(node.args) <= 1:
        inner = node.args[0].value if node.args else cst.List([])
        return inner if isinstance(inner, cst.List | cst.ListComp) else None
    return None


def _plus(node: Any, name: str) -> cst.List | None:
    """Returns what ``xs + […]`` adds to a list."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add) and code(node.left) == name:
        return node.right if isinstance(node.right, cst.List) else None
    return None


class _Function:
    """Rewrites one function."""

    def __init__(self, module: Module, function: cst.FunctionDef, kinds: Kinds, taken: set[str], entry: bool) -> None:
        self.module, self.function, self.kinds, self.taken, self.entry = module, function, kinds, taken, entry
        self.lists: dict[str, _List] = {}
        self.given: Given | None = None
        self.room = self.full = ""
        self.known: dict[str, ValueFact] = {}

    def refuse(self, node: cst.CSTNode, reason: str, near: cst.CSTNode | None = None) -> Unsupported:
        line = self.module.line(node)
        if line is None and near is not None:
            line = self.module.line(near)
        return Unsupported(f"line {line}: {reason}", line, "JX-LEAK")

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
        sites = _Sites(names)
        self.function.visit(sites)
        if sites.inner is not None:
            raise self.refuse(sites.inner, "a function inside this one uses a list that grows; pass it an array")
        open_ones = False
        groups = _groups(names, sites.renamed)
        groups.sort(key=lambda group: min(sites.order.index(n) for n in group))
        for group in groups:
            elements: list[Element] = []
            for name in group:
                for value in sites.values.get(name, []):
                    try:
                        elements.append(element_of(value, self.kinds))
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
                self.lists[name] = _List(name, element, self.name(f"n_{name}"), first, capacity)
        if open_ones:
            if not self.entry:
                raise self.refuse(
                    self.function, f"how long `{groups[0][0]}` becomes depends on array values; return an array of "
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

    def returned(self, first: str) -> Given | None:
        """Says what the wrapper has to do, from the function's returns."""
        finder = _Returns()
        self.function.visit(finder)
        lists = any(name_tools.loads(r) & set(self.lists) for r in finder.found)
        if not lists and not self.room:
            return None
        if not self.entry:
            raise self.refuse(
                next((r for r in finder.found if name_tools.loads(r) & set(self.lists)), self.function),
                "a list that grows in a loop is returned, which compiled code cannot; return an array of fixed size, "
                "and how much of it is in use",
            )
        layouts = [self.layout(r) for r in finder.found]
        if any(one != layouts[0] for one in layouts):
            raise self.refuse(finder.found[-1], "the function returns a list in one place and something else in another")
        results, shown, used = layouts[0] if layouts else ([], "", [])
        arrays = _only_made_arrays_of(shown, self.module.names)
        given = Given(list(results), [(n, self.lists[n].shown(n in arrays)) for n in used], shown)
        if self.room:
            given.room, given.first, given.full = self.room, first, self.full
            given.results.append(self.full)
        return given

    def layout(self, node: cst.Return) -> tuple[list[str], str, list[str]]:
        """Returns the names of the compiled function's results, what is shown of them, and the lists among them."""
        if node.value is None or code(node.value) == "None":
            return [], "", []
        several = isinstance(node.value, cst.Tuple)
        values = [e.value for e in node.value.elements] if isinstance(node.value, cst.Tuple) else [node.value]
        results: list[str] = []
        shown: list[str] = []
        used: list[str] = []
        for number, value in enumerate(values):
            found = [n for n in self.lists if n in name_tools.loads(value)]
            if found and not self.outside(value, found):
                raise self.refuse(
                    node, f"`{code(value)}` uses a list whose length depends on array values; make it a name of its "
                    "own first"
                )  # fmt: skip
            if found and not self.inside(value):
                for name in found:
                    if name not in used:
                        used.append(name)
                        one = self.lists[name]
                        results += [name, one.count, *([one.first] if one.first else [])]
                shown.append(code(value))
                continue
            own = value.value if isinstance(value, cst.Name) else ""
            if self.is_the_callers(value):
                shown.append(own)
                continue
            if own in name_tools.parameters(self.function):
                own = ""
            if not own.isidentifier() or own in results or own in ("True", "False", "None"):
                own = name_tools.fresh(f"result_{number}" if several else "result", {*self.taken, *results})
            results.append(own)
            shown.append(own)
        return results, ", ".join(shown) + ("," if several and len(shown) == 1 else ""), used

    def reduction(self, call: cst.Call) -> str:
        """Returns the reduction of a list of numbers that a mask can express, empty for any other call."""
        one = self.lists.get(code(call.args[0].value)) if len(call.args) == 1 else None
        if one is None or one.element.shape or one.element.dtype == "bool" or "complex" in one.element.dtype:
            return ""
        path = self.kinds.path(call.func)
        name = (path or "").removeprefix("numpy.") if path is not None else code(call.func)
        builtin = path is None and name in ("sum", "max", "min") and name not in self.kinds.local
        return name if builtin or (path is not None and name in ("sum", "mean", "max", "min")) else ""

    def is_membership(self, node: cst.Comparison) -> bool:
        if len(node.comparisons) != 1 or not isinstance(node.comparisons[0].operator, cst.In | cst.NotIn):
            return False
        one = self.lists.get(code(node.comparisons[0].comparator))
        return one is not None and not one.element.shape

    def is_the_callers(self, value: cst.BaseExpression) -> bool:
        """Says whether a value is an argument itself, which the wrapper has."""
        if not isinstance(value, cst.Name) or value.value not in name_tools.parameters(self.function):
            return False
        body = cst.For(cst.Name("_"), cst.Name("_"), self.function.body)
        return value.value not in name_tools.bound(body)

    def outside(self, value: cst.BaseExpression, found: Sequence[str]) -> bool:
        """Says whether the wrapper can compute a value: from lists and NumPy alone."""
        rest = name_tools.loads(value) - set(found)
        builtins = {"len", "sum", "min", "max", "sorted", "tuple", "list", "int", "float", "bool"}
        return self.inside(value) or all(n in self.module.names or n in builtins for n in rest - self.kinds.local)

    def inside(self, value: cst.BaseExpression) -> bool:
        """Says whether the compiled function can compute a value, which reads no list as a whole."""
        reads = _Whole(self)
        value.visit(reads)
        return not reads.found

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

    def learned(self, node: cst.CSTNode, like: cst.CSTNode) -> None:
        """Notes what the names in a new node are."""
        for name in nodes_of(node, cst.Name):
            if name.value in self.known:
                self.module.learn(name, self.known[name.value])
                self.module.inherit(name, like)
        for element in nodes_of(node, cst.Subscript):
            one = self.lists.get(code(element.value))
            if one is not None:
                fact = one.element.fact() if len(element.slice) == 1 else ValueFact("scalar", one.element.dtype, ())
                self.module.learn(element, fact)
                self.module.inherit(element, like)

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
        new = with_body(new, body)
        orelse = getattr(node, "orelse", None)
        if isinstance(orelse, cst.If):
            new = new.with_changes(orelse=self.compound(orelse))
        elif orelse is not None:
            new = new.with_changes(orelse=with_body(orelse, self.block(statements(orelse))))
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
        changed = _Growing()
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

    def bound(self, node: Any, one: _List, value: cst.BaseExpression) -> list[Any]:
        inner = _queue_of(value) or value
        start = [self.line(f"{one.count} = 0", node)]
        if one.first:
            start.append(self.line(f"{one.first} = 0", node))
        if isinstance(inner, cst.List):
            return [*start, *self.appended(node, one, [e.value for e in inner.elements])]
        if isinstance(inner, cst.ListComp):
            return [*start, self.comprehension(node, one, inner)]
        added = _plus(value, one.name)
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

    def comprehension(self, node: Any, one: _List, value: cst.ListComp) -> Any:
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
        new = header.with_changes(target=loop.target, iter=loop.iter, body=header.body.with_changes(body=loop.body.body))
        self.module.inherit(new, node)
        return new

    def appended(self, node: Any, one: _List, values: Sequence[cst.BaseExpression]) -> list[Any]:
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

    def method(self, node: Any, one: _List, method: str, call: cst.Call) -> list[Any]:
        values = [a.value for a in call.args]
        if method == "append" and len(values) == 1:
            return self.appended(node, one, values)
        if method == "extend" and len(values) == 1 and isinstance(values[0], cst.List | cst.Tuple):
            return self.appended(node, one, [e.value for e in values[0].elements])
        if method == "clear" and not values:
            lines = [self.line(f"{one.count} = 0", node)]
            return [*lines, self.line(f"{one.first} = 0", node)] if one.first else lines
        if method in ("pop", "popleft"):
            return [self.shorter(node, one, _from_front(call))]
        raise self.refuse(
            node, f"`{code(call)}` moves the elements of a list whose length depends on array values; append and pop "
            "at its ends, or use an array"
        )  # fmt: skip

    def deleted(self, node: Any, one: cst.Del) -> list[Any]:
        target = one.target
        if isinstance(target, cst.Subscript) and isinstance(target.value, cst.Name):
            place = code(target).replace(" ", "").removeprefix(target.value.value)
            if target.value.value in self.lists and place in ("[0]", "[-1]"):
                return [self.shorter(node, self.lists[target.value.value], place == "[0]")]
        raise self.refuse(node, f"`{code(one)}` moves the elements of a list; pop at its ends, or use an array")

    def shorter(self, node: Any, one: _List, front: bool) -> Any:
        return self.line(f"{one.first} += 1" if front else f"{one.count} -= 1", node)

    def with_pops(self, node: Any) -> list[Any]:
        """Returns a statement that reads lists, what it pops taken out before."""
        pops = _pops(node, set(self.lists))
        lines: list[Any] = []
        replaced: dict[cst.CSTNode, cst.BaseExpression] = {}
        for call in pops:
            one = self.lists[call.func.value.value]  # type: ignore[union-attr, attr-defined]
            front = _from_front(call)
            if not _surely(small(node), call) or _mentions(node, one.name) > 1:
                raise self.refuse(node, f"`{code(call)}` stands inside of an expression; make it a statement of its own")
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
                    raise self.refuse(node, f"`{target}` is stored into while it is an element of `{one.name}`; copy it")
                old = read.slice[0].slice.value
                place = _Reads(self, {}, node).place(one, old, self.reads(old))
                element = cst.parse_expression(self.element(one, place, small(node)))
                self.learned(element, node)
                if not isinstance(element, cst.Tuple):
                    self.module.learn(element, one.element.fact())
                replaced[read] = element
        return [*lines, self.reads(node, replaced)]

    def element(self, one: _List, place: str, near: Any) -> str:
        """Returns an element of a list, in parts where a tuple is taken apart."""
        target = near.targets[0].target if isinstance(near, cst.Assign) and len(near.targets) == 1 else None
        return self.taken_apart(one, place, target)

    def taken_apart(self, one: _List, place: str, target: Any) -> str:
        if one.element.tuples and isinstance(target, cst.Tuple) and len(target.elements) == one.element.seen[0]:
            return ", ".join(f"{one.name}[{place}, {k}]" for k in range(one.element.seen[0]))
        return f"{one.name}[{place}]" + (".copy()" if one.element.shape else "")

    def no_pops(self, node: cst.CSTNode, near: cst.CSTNode) -> None:
        for call in _pops(node, set(self.lists)):
            raise self.refuse(near, f"`{code(call)}` stands inside of an expression; make it a statement of its own")

    def given_out(self, node: Any, one: cst.Return) -> list[Any]:
        """Returns a ``return`` of the compiled function."""
        if self.given is None:
            return [self.reads(node)]
        values: list[Any] = []
        if one.value is not None and code(one.value) != "None":
            values = [e.value for e in one.value.elements] if isinstance(one.value, cst.Tuple) else [one.value]
        given: list[Any] = []
        named: set[str] = set()
        for value in values:
            if self.is_the_callers(value):
                continue
            if self.inside(value):
                given.append(self.reads(value))
                continue
            for name in self.lists:
                if name in name_tools.loads(value) and name not in named:
                    named.add(name)
                    known = self.lists[name]
                    given += [self.named(n, node) for n in (name, known.count, known.first) if n]
        if self.full:
            given.append(self.named(self.full, node))
        if not given:
            return [node.with_changes(body=[cst.Return()])]
        value = given[0] if len(given) == 1 else cst.Tuple([cst.Element(g) for g in given], lpar=[], rpar=[])
        new = node.with_changes(body=[one.with_changes(value=value, whitespace_after_return=cst.SimpleWhitespace(" "))])
        self.module.inherit(new, node)
        self.module.inherit(small(new), one)
        return [new]

    def named(self, name: str, like: cst.CSTNode) -> cst.Name:
        node = cst.Name(name)
        self.learned(node, like)
        return node

    # expressions ------------------------------------------------------------------------------

    def reads(self, node: Any, replaced: dict[cst.CSTNode, cst.BaseExpression] | None = None) -> Any:
        new = node.visit(_Reads(self, replaced or {}, node))
        return new

    def test(self, node: cst.BaseExpression) -> Any:
        if isinstance(node, cst.Name) and node.value in self.lists:
            new: Any = cst.parse_expression(f"{self.lists[node.value].length()} > 0")
            self.learned(new, node)
            self.module.learn(new, ValueFact("bool"))
            self.module.inherit(new, node)
            return new
        return self.reads(node)


class _Reads(Rewriter):
    """Replaces what reads a list by reads of its array and its count."""

    def __init__(self, owner: _Function, replaced: dict[cst.CSTNode, cst.BaseExpression], near: cst.CSTNode) -> None:
        super().__init__(owner.module)
        self.owner, self.replaced, self.near = owner, replaced, near
        self.allowed: set[cst.CSTNode] = set()

    def made(self, text: str, like: cst.CSTNode, fact: ValueFact | None = None) -> Any:
        new: Any = cst.parse_expression(text)
        self.owner.learned(new, like)
        if fact is not None:
            self.module.learn(new, fact)
        return new

    def listed(self, node: Any) -> _List | None:
        return self.owner.lists.get(node.value) if isinstance(node, cst.Name) else None

    def visit_Call(self, node: cst.Call) -> None:
        if node in self.replaced:
            self.allowed.add(node.func.value)  # type: ignore[union-attr, attr-defined]
        elif len(node.args) == 1 and (code(node.func) in ("len", "bool") or self.owner.reduction(node)):
            self.allowed.add(node.args[0].value)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        if self.owner.is_membership(node):
            self._operands(node.comparisons[0].comparator)

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        if not self.owner.is_membership(original_node):
            return updated_node
        one = self.owner.lists[code(original_node.comparisons[0].comparator)]
        found = f"__numpy__.any(({one.name} == {code(updated_node.left)}) & {one.mask()})"
        without = isinstance(original_node.comparisons[0].operator, cst.NotIn)
        return self.made(f"__numpy__.logical_not({found})" if without else found, original_node, ValueFact("bool"))

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if original_node in self.replaced:
            return self.replaced[original_node]
        if len(original_node.args) == 1 and (one := self.listed(original_node.args[0].value)) is not None:
            called = code(original_node.func)
            reduction = self.owner.reduction(original_node)
            if reduction:
                return self.made(one.reduced(reduction), original_node)
            if called == "len":
                text = f"({one.length()})" if one.first else one.length()
                return self.made(text, original_node, ValueFact("int"))
            if called == "bool":
                return self.made(f"({one.length()} > 0)", original_node, ValueFact("bool"))
        return updated_node

    def _operands(self, *nodes: cst.BaseExpression) -> None:
        self.allowed.update(n for n in nodes if self.listed(n) is not None)

    def visit_BooleanOperation(self, node: cst.BooleanOperation) -> None:
        self._operands(node.left, node.right)

    def leave_BooleanOperation(self, original_node: cst.BooleanOperation, updated_node: Any) -> cst.BaseExpression:
        for side in ("left", "right"):
            one = self.listed(getattr(original_node, side))
            if one is not None:
                updated_node = updated_node.with_changes(**{side: self.made(f"{one.length()} > 0", original_node)})
        return updated_node  # type: ignore[no-any-return]

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> None:
        if isinstance(node.operator, cst.Not):
            self._operands(node.expression)

    def leave_UnaryOperation(self, original_node: cst.UnaryOperation, updated_node: Any) -> cst.BaseExpression:
        one = self.listed(original_node.expression) if isinstance(original_node.operator, cst.Not) else None
        if one is None:
            return updated_node  # type: ignore[no-any-return]
        return self.made(f"{one.length()} == 0", original_node, ValueFact("bool"))

    def visit_IfExp(self, node: cst.IfExp) -> None:
        self._operands(node.test)

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.BaseExpression:
        one = self.listed(original_node.test)
        if one is None:
            return updated_node
        return updated_node.with_changes(test=self.made(f"{one.length()} > 0", original_node, ValueFact("bool")))

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if self.listed(node.value) is not None and len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
            self.allowed.add(node.value)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        if original_node in self.replaced:
            return self.replaced[original_node]
        one = self.listed(original_node.value)
        if one is None or original_node.value not in self.allowed:
            return updated_node
        old: Any = original_node.slice[0].slice
        new: Any = updated_node.slice[0].slice
        return self.made(f"{one.name}[{self.place(one, old.value, new.value)}]", original_node, one.element.fact())

    def place(self, one: _List, old: cst.BaseExpression, new: cst.BaseExpression) -> str:
        """Returns where in the array an element of the list is."""
        text = code(new)
        if isinstance(old, cst.UnaryOperation) and isinstance(old.operator, cst.Minus):
            if isinstance(old.expression, cst.Integer):
                return f"{one.count} - {code(old.expression)}"
        if isinstance(old, cst.Integer):
            return one.at(text) if text != "0" else (one.first or "0")
        if isinstance(old, cst.Name) and old.value in self.owner.known:
            return one.at(text)
        if not isinstance(new, cst.Name | cst.Call | cst.Subscript):
            text = f"({text})"
        return f"__numpy__.where({text} < 0, {one.count} + {text}, {one.at(text)})"

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if self.listed(original_node) is not None and original_node not in self.allowed:
            raise self.owner.refuse(
                self.near,
                f"the list `{original_node.value}` is used here as a whole, and its length depends on array values; "
                "keep an array of fixed size and how much of it is in use",
                original_node,
            )
        return updated_node


class _Whole(Finder):
    """Finds lists that are read as a whole."""

    def __init__(self, owner: _Function) -> None:
        super().__init__()
        self.owner, self.names = owner, set(owner.lists)
        self.found = False
        self.allowed: set[cst.CSTNode] = set()

    def visit_Call(self, node: cst.Call) -> None:
        if len(node.args) == 1 and (code(node.func) in ("len", "bool") or self.owner.reduction(node)):
            self.allowed.add(node.args[0].value)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        if self.owner.is_membership(node):
            self.allowed.add(node.comparisons[0].comparator)

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
            self.allowed.add(node.value)

    def visit_IfExp(self, node: cst.IfExp) -> None:
        self.allowed.add(node.test)

    def visit_Name(self, node: cst.Name) -> None:
        self.found = self.found or (node.value in self.names and node not in self.allowed)


class _Sites(Finder):
    """Collects what lists take up, which are emptied from the front, and which go by two names."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self.names = names
        self.values: dict[str, list[cst.BaseExpression]] = {}
        self.fronts: set[str] = set()
        self.renamed: list[tuple[str, str]] = []
        self.order: list[str] = []
        self.inner: cst.CSTNode | None = None
        self.depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.depth += 1
        if self.depth > 1 and self.names & name_tools.all_names(node):
            self.inner = node

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self.depth -= 1

    def visit_Lambda(self, node: cst.Lambda) -> None:
        if self.names & name_tools.all_names(node):
            self.inner = node

    def visit_Name(self, node: cst.Name) -> None:
        if node.value in self.names and node.value not in self.order:
            self.order.append(node.value)

    def add(self, name: str, values: Sequence[cst.BaseExpression]) -> None:
        if name in self.names:
            self.values.setdefault(name, []).extend(values)

    def visit_Call(self, node: cst.Call) -> None:
        func = node.func
        if not isinstance(func, cst.Attribute) or not isinstance(func.value, cst.Name):
            return
        name, values = func.value.value, [a.value for a in node.args]
        if func.attr.value == "append":
            self.add(name, values)
        elif func.attr.value == "extend" and len(values) == 1 and isinstance(values[0], cst.List | cst.Tuple):
            self.add(name, [e.value for e in values[0].elements])
        elif func.attr.value in ("pop", "popleft") and name in self.names and _from_front(node):
            self.fronts.add(name)

    def visit_Del(self, node: cst.Del) -> None:
        if isinstance(node.target, cst.Subscript) and code(node.target).replace(" ", "").endswith("[0]"):
            self.fronts |= {code(node.target.value)} & self.names

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        if isinstance(node.target, cst.Name) and isinstance(node.value, cst.List):
            self.add(node.target.value, [e.value for e in node.value.elements])
        elif isinstance(node.target, cst.Subscript) and isinstance(node.target.value, cst.Name):
            self.add(node.target.value.value, [node.value])

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            where = target.target
            if isinstance(where, cst.Subscript) and isinstance(where.value, cst.Name):
                self.add(where.value.value, [node.value])
            if not isinstance(where, cst.Name):
                continue
            value = _queue_of(node.value) or _plus(node.value, where.value) or node.value
            if isinstance(value, cst.List):
                self.add(where.value, [e.value for e in value.elements])
            elif isinstance(value, cst.ListComp):
                self.add(where.value, [value.elt])
            elif isinstance(value, cst.Name) and {value.value, where.value} <= self.names:
                self.renamed.append((where.value, value.value))


def _only_made_arrays_of(text: str, names: Mapping[str, str]) -> frozenset[str]:
    """Returns the names that an expression reads in ``np.array(name)`` only."""
    if not text:
        return frozenset()
    node = cst.parse_expression(text)
    given = [
        call.args[0].value
        for call in nodes_of(node, cst.Call)
        if qualified(call.func, names) == "numpy.array" and call.args and call.args[0].keyword is None
    ]
    found = {one.value for one in given if isinstance(one, cst.Name)}
    return frozenset(n for n in found if _mentions(node, n) == sum(code(one) == n for one in given))


class _Returns(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.Return] = []
        self.depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self.depth += 1
        return self.depth == 1

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self.depth -= 1

    def visit_Return(self, node: cst.Return) -> None:
        self.found.append(node)


def _groups(names: frozenset[str], renamed: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Returns the names in groups, those together that may stand for one list."""
    groups = [{n} for n in sorted(names)]
    for a, b in renamed:
        one = next(g for g in groups if a in g)
        other = next(g for g in groups if b in g)
        if one is not other:
            groups.remove(other)
            one |= other
    return [sorted(g) for g in groups]


def _from_front(call: cst.Call) -> bool:
    method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    return method == "popleft" or (len(call.args) == 1 and code(call.args[0].value) == "0")


def _pops(node: cst.CSTNode, names: set[str]) -> list[cst.Call]:
    """Returns the calls that take an element off a list."""
    return [
        call
        for call in nodes_of(node, cst.Call)
        if isinstance(call.func, cst.Attribute)
        and isinstance(call.func.value, cst.Name)
        and call.func.value.value in names
        and call.func.attr.value in ("pop", "popleft")
        and (not call.args or code(call.args[0].value) in ("0", "-1"))
    ]


def _surely(node: cst.CSTNode, call: cst.Call) -> bool:
    """Says whether a call in a statement is made once whenever the statement is run."""
    if node is call:
        return True
    for child in children(node):
        if call in nodes_of(child, cst.Call):
            sometimes = isinstance(
                node, cst.BooleanOperation | cst.IfExp | cst.Lambda | cst.ListComp | cst.GeneratorExp | cst.CompFor
            )
            return not sometimes and _surely(child, call)
    return False


def _mentions(node: cst.CSTNode, name: str) -> int:
    return sum(one.value == name for one in nodes_of(node, cst.Name))


def _bracketed(node: cst.BaseExpression) -> str:
    return f"[{', '.join(code(e.value) for e in node.elements)}]" if isinstance(node, cst.Tuple) else code(node)
