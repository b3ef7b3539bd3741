"""Where Python itself needs a value: tests, ranges, conversions, shapes and slices that depend on the arguments.

A forward taint over names, without regard to order, with three levels:

====== =========================================================================================
STATIC literals, and what follows from dtypes, numbers of axes and lengths of the arguments
SCALAR depends on the value of a scalar parameter
ARRAY  depends on the contents of an array parameter
====== =========================================================================================

Every expression has two taints: of its value, and of its shape (``x[x > 0]`` has a length that depends on contents).

>>> from jitmagic.analysis.names import Names
>>> from jitmagic.analysis.tree import SourceTree
>>> tree = SourceTree("def fn(x):\\n    n = len(x)\\n    if n > 2 and x.sum() > 0:\\n        return x\\n", "fn")
>>> [(place.kind, place.span.line, place.level.name, place.reason) for place in Control(tree, Names(tree, {})).places]
[('if', 3, 'ARRAY', 'depends on the contents of `x`')]

Conservative: what may depend is reported as depending, implicit flow included (a counter that an ``if`` on data steps).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from jitmagic.analysis.aliases import Facts, no_facts
from jitmagic.analysis.memory import PLAIN_ATTRIBUTES
from jitmagic.analysis.names import Names
from jitmagic.analysis.shapes import DATA_SHAPED, SAME_SHAPE, shape_arguments
from jitmagic.analysis.tree import Comprehension, SourceTree, bind_arguments, own_nodes, parameter_nodes, target_names
from jitmagic.observe.facts import Span

ASKS_TYPE = frozenset(
    {"builtins.isinstance", "builtins.type", "builtins.callable", "builtins.hasattr", "builtins.issubclass",
     "numpy.ndim", "numpy.result_type", "numpy.dtype", "numpy.isscalar", "numpy.iscomplexobj", "numpy.isrealobj",
     "numpy.finfo", "numpy.iinfo", "numpy.issubdtype"}
)  # fmt: skip
"""Calls whose answer follows from types alone."""


class Level(IntEnum):
    """How deep a value depends on the arguments."""

    STATIC = 0
    SCALAR = 1
    ARRAY = 2


@dataclass(frozen=True)
class Taint:
    """A level and the parameters it comes from."""

    level: Level = Level.STATIC
    sources: frozenset[str] = frozenset()

    def __or__(self, other: Taint) -> Taint:
        return Taint(max(self.level, other.level), self.sources | other.sources)


STATIC = Taint()


@dataclass(frozen=True)
class Flow:
    """The taints of an expression's value and of its shape."""

    value: Taint = STATIC
    shape: Taint = STATIC

    def __or__(self, other: Flow) -> Flow:
        return Flow(self.value | other.value, self.shape | other.shape)


@dataclass(frozen=True)
class Place:
    """A place where Python needs to know a value that depends on the arguments.

    Attributes
    ----------
    kind : str
        ``"if"``, ``"while"``, ``"assert"``, ``"ternary"``, ``"and"``, ``"or"``, ``"not"``, ``"in"``, ``"chain"``
        (``a < b < c``), ``"filter"`` (of a comprehension), ``"range"``, ``"int"``, ``"float"``, ``"bool"``,
        ``"complex"``, ``"item"``, ``"tolist"``, ``"math"``, ``"minmax"``, ``"shape"``, ``"slice"``,
        ``"index"``, ``"format"``.
    span : Span
        Of the value that is needed (of the whole call for conversions).
    level : Level
        SCALAR or ARRAY.
    sources : frozenset of str
        The parameters that it depends on.
    reason : str
        One clause, e.g. "depends on the contents of `x`".
    function : str
        The `def` it stands in.
    node : ast.AST
    """

    kind: str
    span: Span
    level: Level
    sources: frozenset[str]
    reason: str
    function: str
    node: ast.AST = field(compare=False, repr=False)


class Control:
    """The taint of every expression, and the places where it matters.

    Attributes
    ----------
    places : tuple of Place
        In the order of the text; only those above STATIC.
    """

    def __init__(self, tree: SourceTree, names: Names, fact: Facts = no_facts) -> None:
        self.tree, self.names, self.fact = tree, names, fact
        self._flows: dict[tuple[ast.AST, str], Flow] = {}
        self._returns: dict[ast.AST, Flow] = {}
        for parameter in parameter_nodes(tree.entry):
            self._flows[tree.entry, parameter.arg] = self._parameter(parameter)
        self._changed = True
        while self._changed:  # flows only ever rise, so this ends
            self._changed = False
            for function in tree.definitions():
                self._pass(function)
        self.places = tuple(sorted(self._places(), key=_order))

    def flow(self, expression: ast.AST | None) -> Flow:
        """Returns the taints of an expression's value and shape."""
        return Flow() if expression is None else self._flow(expression)

    def level(self, expression: ast.AST | None) -> Level:
        """Returns how deep an expression's value depends on the arguments."""
        return self.flow(expression).value.level

    def tests_around(self, node: ast.AST) -> list[ast.expr]:
        """Returns the tests of the same function that decide whether a node runs, innermost first."""
        found: list[ast.expr] = []
        child = node
        for parent in self.tree.ancestors(node):
            if isinstance(parent, ast.FunctionDef | ast.Lambda):
                break
            if isinstance(parent, ast.If | ast.While | ast.IfExp) and child is not parent.test:
                found.append(parent.test)
            child = parent
        return found

    def _parameter(self, parameter: ast.arg) -> Flow:
        fact = self.fact(parameter)
        source = frozenset({parameter.arg})
        scalars = ("int", "float", "complex", "bool", "str", "none", "scalar", "function")
        if fact is not None and fact.kind in scalars:
            return Flow(Taint(Level.SCALAR, source), STATIC)
        items = fact.items if fact is not None and fact.kind in ("tuple", "list") else ()
        if items and all(item.kind in scalars for item in items):
            return Flow(Taint(Level.SCALAR, source), STATIC)
        return Flow(Taint(Level.ARRAY, source), STATIC)

    def _raise_to(self, function: ast.AST, name: str, flow: Flow) -> None:
        known = self._flows.get((function, name), Flow())
        joined = known | flow
        if joined != known:
            self._flows[function, name], self._changed = joined, True

    def _pass(self, function: ast.FunctionDef) -> None:
        for node in own_nodes(function):
            # JAX and Numba ask for one shape on every path, so that a guard taints values and not shapes.
            guard = Flow(self._guard(node)) if isinstance(node, ast.stmt) else Flow()
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._assign(function, target, node.value, guard)
            elif isinstance(node, ast.AnnAssign | ast.AugAssign) and node.value is not None:
                self._assign(function, node.target, node.value, guard)
            elif isinstance(node, ast.NamedExpr):
                self._assign(function, node.target, node.value, Flow())
            elif isinstance(node, ast.For | ast.comprehension):
                self._loop(function, node, guard)
            elif isinstance(node, ast.With):
                for item in node.items:
                    if item.optional_vars is not None:
                        self._assign(function, item.optional_vars, item.context_expr, guard)
            elif isinstance(node, ast.Return):
                known = self._returns.get(function, Flow())
                joined = known | self._flow(node.value) | guard if node.value is not None else known
                if joined != known:
                    self._returns[function], self._changed = joined, True
            elif isinstance(node, ast.Call):
                self._call_effects(function, node)
            elif isinstance(node, ast.Name) and getattr(self.tree.parents[node], "func", None) is not node:
                self._escape(node)

    def _escape(self, node: ast.Name) -> None:
        """Takes the worst of a function that is handed on instead of called: anything may come as its arguments."""
        helper = self.names.helper(node)
        if helper is not None:
            for parameter in parameter_nodes(helper):
                self._raise_to(helper, parameter.arg, Flow(Taint(Level.ARRAY)))

    def _loop(self, function: ast.FunctionDef, node: ast.For | ast.comprehension, guard: Flow) -> None:
        iterated = self._flow(node.iter)
        enumerated = isinstance(node.iter, ast.Call) and self.names.path(node.iter.func) == "builtins.enumerate"
        if enumerated and isinstance(node.target, ast.Tuple) and len(node.target.elts) == 2:
            for target, flow in zip(node.target.elts, (Flow(iterated.shape), iterated), strict=True):
                for name in target_names(target):
                    self._raise_to(function, name.id, flow | guard)
            return
        for name in target_names(node.target):
            self._raise_to(function, name.id, iterated | guard)

    def _assign(self, function: ast.FunctionDef, target: ast.AST, value: ast.AST, guard: Flow) -> None:
        if isinstance(target, ast.Name):
            self._raise_to(function, target.id, self._flow(value) | guard)
        elif isinstance(target, ast.Starred):
            self._assign(function, target.value, value, guard)
        elif isinstance(target, ast.Tuple | ast.List):
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) else None
            if parts is not None and len(parts) == len(target.elts):
                for element, part in zip(target.elts, parts, strict=True):
                    self._assign(function, element, part, guard)
            else:
                for element in target.elts:
                    self._assign(function, element, value, guard)
        elif isinstance(target, ast.Subscript):
            name = _root_name(target)
            if name is not None:
                stored = self._flow(value).value | self._flow(target.slice).value | guard.value
                self._raise_to(function, name, Flow(stored))
        elif isinstance(target, ast.Attribute):
            name = _root_name(target)
            if name is not None:
                self._raise_to(function, name, Flow(self._flow(value).value | guard.value))

    def _call_effects(self, function: ast.FunctionDef, node: ast.Call) -> None:
        helper = self.names.helper(node.func)
        if helper is not None:
            bound = bind_arguments(node, helper)
            for parameter in parameter_nodes(helper):
                arguments = node.args if bound is None else bound.get(parameter.arg, [])
                for argument in arguments:
                    self._raise_to(helper, parameter.arg, self._flow(argument))
        for keyword in node.keywords:
            if keyword.arg == "out" and isinstance(keyword.value, ast.Name):
                self._raise_to(function, keyword.value.id, Flow(self._join(node.args).value))
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("append", "extend", "insert", "add", "fill"):
            name = _root_name(node.func.value)
            if name is not None and self.names.path(node.func) is None:
                guard = self._guard(node)
                self._raise_to(function, name, Flow(self._join(node.args).value | guard, guard))

    def _guard(self, node: ast.AST) -> Taint:
        """Returns the taint of the tests, and of the loops with an early exit on data, that decide if a node runs."""
        found = STATIC
        for test in self.tests_around(node):
            found |= self._flow(test).value
        for loop in self.tree.loops_around(node):
            if isinstance(loop, ast.For):
                found |= self._flow(loop.iter).shape
                if isinstance(loop.iter, ast.Call) and self.names.path(loop.iter.func) == "builtins.range":
                    found |= self._flow(loop.iter).value
            for child in ast.walk(loop):
                if isinstance(child, ast.Break | ast.Continue | ast.Return):
                    for test in self.tests_around(child):
                        if any(parent is loop for parent in self.tree.ancestors(test)):
                            found |= self._flow(test).value
        return found

    def _name(self, node: ast.Name) -> Flow:
        binder = self.names.binder(node)
        if isinstance(binder, ast.Lambda):  # what it is called with is not followed
            return Flow(Taint(Level.ARRAY))
        if binder is not None and not isinstance(binder, ast.FunctionDef):
            binder = self.tree.definition_of(binder)  # a comprehension's names are kept by its `def`
        return self._flows.get((binder, node.id), Flow()) if binder is not None else Flow()

    def _flow(self, node: ast.AST) -> Flow:
        if isinstance(node, ast.Constant | ast.Lambda):
            return Flow()
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Compare):
            if all(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops):
                return Flow()  # identity is a matter of structure, not of contents
            return self._join([node.left, *node.comparators])
        if isinstance(node, ast.IfExp):
            test = self._flow(node.test).value
            return self._join([node.body, node.orelse]) | Flow(test, test)
        if isinstance(node, ast.Slice):
            return Flow(self._join([part for part in (node.lower, node.upper, node.step) if part is not None]).value)
        if isinstance(node, Comprehension):
            element = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            found = self._join(element)
            length = STATIC
            for generator in node.generators:
                iterated = self._flow(generator.iter)
                length |= iterated.shape | self._join(generator.ifs).value
                if isinstance(generator.iter, ast.Call) and self.names.path(generator.iter.func) == "builtins.range":
                    length |= iterated.value
            return Flow(found.value, found.shape | length)
        if isinstance(node, ast.Starred | ast.Await | ast.NamedExpr | ast.FormattedValue):
            return self._flow(node.value)
        return self._join([child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)])

    def _join(self, nodes: Iterable[ast.AST]) -> Flow:
        found = Flow()
        for node in nodes:
            found |= self._flow(node)
        return found

    def _attribute(self, node: ast.Attribute) -> Flow:
        if self.names.path(node) is not None:
            return Flow()
        base = self._flow(node.value)
        if node.attr in ("ndim", "dtype", "itemsize"):
            return Flow()
        if node.attr in PLAIN_ATTRIBUTES:
            return Flow(base.shape)
        return base

    def _subscript(self, node: ast.Subscript) -> Flow:
        base = self._flow(node.value)
        value, shape = base.value, base.shape
        for index in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
            found = self._flow(index)
            value |= found.value
            if isinstance(index, ast.Slice):
                shape |= found.value
            elif self._is_mask(index):
                shape |= found.value | found.shape
            else:
                shape |= found.shape
        return Flow(value, shape)

    def _is_mask(self, index: ast.AST) -> bool:
        fact = self.fact(index)
        if fact is not None:
            return fact.dtype == "bool"
        if isinstance(index, ast.Compare):
            return True
        if isinstance(index, ast.UnaryOp):
            return isinstance(index.op, ast.Invert)
        if isinstance(index, ast.BinOp):
            return isinstance(index.op, ast.BitAnd | ast.BitOr | ast.BitXor) and self._is_mask(index.left)
        if isinstance(index, ast.Name) and (binder := self.names.binder(index)) is not None:
            return any(
                isinstance(value, ast.Compare | ast.UnaryOp | ast.BinOp) and self._is_mask(value)
                for value in self.names.values(binder, index.id)
            )
        return False

    def _call(self, node: ast.Call) -> Flow:
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        helper = self.names.helper(node.func)
        if helper is not None:
            return self._returns.get(helper, Flow())
        path = self.names.path(node.func)
        if path is None:
            joined = self._join(arguments)
            if isinstance(node.func, ast.Attribute):
                return self._method(node, node.func, joined)
            return joined | self._flow(node.func)
        joined = self._join(arguments)
        if path in ("builtins.len", "numpy.shape", "numpy.size"):
            return Flow(joined.shape)
        if path in ASKS_TYPE:
            return Flow()
        if path == "builtins.range":
            return Flow(joined.value, joined.value)
        short = path.removeprefix("numpy.")
        if short in ("zeros_like", "ones_like", "empty_like"):
            return Flow(STATIC, joined.shape)
        if short in SAME_SHAPE:
            return Flow(joined.value, self._join(node.args[:1]).shape)
        shape = joined.shape
        for argument in shape_arguments(path, node):
            shape |= self._flow(argument).value
        if short in ("zeros", "ones", "empty", "eye", "identity", "tri", "indices"):
            return Flow(STATIC, shape)
        if short in DATA_SHAPED or (short == "where" and len(node.args) == 1):
            shape |= joined.value
        return Flow(joined.value, shape)

    def _method(self, node: ast.Call, function: ast.Attribute, joined: Flow) -> Flow:
        owner = self._flow(function.value)
        shape = owner.shape | joined.shape
        for argument in shape_arguments("." + function.attr, node):
            shape |= self._flow(argument).value
        if function.attr in ("nonzero", "compress"):
            shape |= owner.value | joined.value
        value = owner.value
        if function.attr not in ("reshape", "astype", "transpose", "swapaxes", "view"):
            value |= joined.value
        return Flow(value, shape)

    def _places(self) -> list[Place]:
        found: list[Place] = []

        def add(kind: str, node: ast.AST, taint: Taint) -> None:
            if taint.level is Level.STATIC:
                return
            owner = self.tree.definition_of(node)
            if owner is None:
                return
            span = self.tree.span(node)
            found.append(Place(kind, span, taint.level, taint.sources, self._reason(taint), owner.name, node))

        for node in ast.walk(self.tree.module):
            if isinstance(node, ast.If | ast.While | ast.Assert | ast.IfExp):
                kind = {ast.If: "if", ast.While: "while", ast.Assert: "assert", ast.IfExp: "ternary"}[type(node)]
                add(kind, node.test, self._flow(node.test).value)
            elif isinstance(node, ast.BoolOp):
                kind = "and" if isinstance(node.op, ast.And) else "or"
                add(kind, node, self._join(node.values[:-1]).value)
            elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
                add("not", node, self._flow(node.operand).value)
            elif isinstance(node, ast.Compare):
                if any(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops):
                    add("in", node, self._flow(node).value)
                elif len(node.ops) > 1:
                    add("chain", node, self._flow(node).value)
            elif isinstance(node, ast.comprehension):
                for test in node.ifs:
                    add("filter", test, self._flow(test).value)
            elif isinstance(node, ast.Subscript):
                self._index_places(node, add)
            elif isinstance(node, ast.FormattedValue):
                add("format", node.value, self._flow(node.value).value)
            elif isinstance(node, ast.Call):
                self._call_places(node, add)
        return found

    def _reason(self, taint: Taint) -> str:
        def is_array(name: str) -> bool:
            return self._flows.get((self.tree.entry, name), Flow()).value.level is Level.ARRAY

        if taint.level is Level.SCALAR:
            return f"depends on the value of {_listed(taint.sources)}"
        return f"depends on the contents of {_listed(name for name in taint.sources if is_array(name))}"

    def _index_places(self, node: ast.Subscript, add: Callable[..., None]) -> None:
        fact = self.fact(node.value)
        for index in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
            if isinstance(index, ast.Slice):
                for bound in (index.lower, index.upper, index.step):
                    if bound is not None:
                        add("slice", bound, self._flow(bound).value)
            elif fact is not None and fact.kind in ("list", "tuple", "dict"):
                add("index", index, self._flow(index).value)

    def _call_places(self, node: ast.Call, add: Callable[..., None]) -> None:
        path = self.names.path(node.func)
        first = self._join(node.args).value
        if path == "builtins.range":
            for argument in node.args:
                add("range", argument, self._flow(argument).value)
        elif path in ("builtins.int", "builtins.float", "builtins.bool", "builtins.complex"):
            add(path.removeprefix("builtins."), node, first)
        elif path is not None and path.startswith("math."):
            add("math", node, first)
        elif path in ("builtins.max", "builtins.min", "builtins.any", "builtins.all", "builtins.sorted"):
            add("minmax", node, first)
        elif path is None and isinstance(node.func, ast.Attribute) and node.func.attr in ("item", "tolist"):
            add(node.func.attr, node, self._flow(node.func.value).value)
        method = "." + node.func.attr if isinstance(node.func, ast.Attribute) else ""
        for argument in shape_arguments(path or method, node):
            add("shape", argument, self._flow(argument).value)


def _listed(names: Iterable[str]) -> str:
    quoted = [f"`{name}`" for name in sorted(names)] or ["the arguments"]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _order(place: Place) -> tuple[int, int, bool, str]:
    return place.span.line, place.span.column, place.kind not in ("if", "while", "assert", "ternary"), place.kind


def _root_name(node: ast.AST) -> str | None:
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
