"""May-alias: which names may share memory with which, per function and without regard to order.

A *root* is a name that owns memory: a parameter, a name from outside, or a local bound to something new. Two questions
are answered. `Aliases.roots`: whose memory may a store through this name change, at any time? `Aliases.may_share`: may
two names stand for the same memory at one time? They differ where names take turns: after ``u, v = v, u`` a store
through ``u`` may change either array, and yet ``u`` and ``v`` are never one.

The gotchas, the loop proofs and Numba's overlap rewrite ask here, of the text as the user wrote it. To ask about a
tree that is being rewritten, or what holds at one statement, there is `jitmagic.generate.aliases`.

>>> from jitmagic.analysis.names import Names
>>> from jitmagic.analysis.tree import SourceTree
>>> tree = SourceTree("def fn(a):\\n    v = a[1:].T\\n    w = a * 2\\n    v += 1\\n    return w\\n", "fn")
>>> aliases = Aliases(tree, Names(tree, {}))
>>> sorted(aliases.roots(tree.entry, "v")), sorted(aliases.roots(tree.entry, "w"))
(['a'], ['w'])
>>> aliases.may_share(tree.entry, "v", "a"), aliases.may_share(tree.entry, "v", "w")
(True, False)

A parameter that a statement of the function's own body rebinds has two memories: ``u = u.copy()`` on line 2 makes the
root ``u@2`` of all later lines.

Conservative: an alias that exists is reported; one that is reported may not exist (``ravel`` often copies).
Facts of a watched run, where given, tell a fancy index from a basic one and a scalar from an array.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from jitmagic.analysis import memory
from jitmagic.analysis.names import Names
from jitmagic.analysis.sharing import Sharing
from jitmagic.analysis.tree import (
    Comprehension,
    FunctionNode,
    SourceTree,
    bind_arguments,
    own_nodes,
    parameter_nodes,
    target_names,
)
from jitmagic.analysis.words import words
from jitmagic.observe.facts import ValueFact

Facts = Callable[[ast.AST], "ValueFact | None"]

IMMUTABLE = frozenset({"scalar", "float", "int", "bool", "complex", "str", "none", "function", "module"})
"""Kinds of values that no store can change, so that sharing them means nothing."""

PASSING_BUILTINS = frozenset({"list", "tuple", "zip", "enumerate", "reversed", "iter", "next", "map", "filter",
                              "sorted", "dict", "set", "getattr", "max", "min"})  # fmt: skip
PURE_PREFIXES = ("math.", "cmath.", "scipy.special.", "copy.deepcopy")
FANCY_MAKERS = words(
    "arange where nonzero flatnonzero argsort argwhere unique lexsort ix_ array asarray isnan isfinite isinf "
    "logical_and logical_or logical_not logical_xor tril_indices triu_indices diag_indices isin isclose greater less "
    "greater_equal less_equal equal not_equal random.permutation linspace argpartition signbit"
)
"""Functions of NumPy that never give an integer or a slice, so that an index which they made copies."""

NONE: frozenset[str] = frozenset()

Swap = dict[str, frozenset[str]]
"""The links that a permutation such as ``u, v = v, u`` makes: to each name the one whose memory it takes over."""


def no_facts(node: ast.AST) -> ValueFact | None:
    """Knows nothing: the facts of a function that was not watched."""
    return None


class Aliases:
    """The may-alias map of a module's functions.

    Parameters
    ----------
    tree, names
        The parsed module and its names.
    fact : callable
        From a node to its observed fact, or None.
    overlapping : iterable of (str, str)
        Labels of arguments that share memory with each other, as in `Observation.overlapping`; others count as
        disjoint.
    parts : mapping of str to str, optional
        Names that the text does not have, each with the name in the text whose memory it may be.
    """

    def __init__(
        self,
        tree: SourceTree,
        names: Names,
        fact: Facts = no_facts,
        overlapping: Iterable[tuple[str, str]] = (),
        parts: Mapping[str, str] | None = None,
    ) -> None:
        self.tree, self.names, self.fact = tree, names, fact
        self._parts = parts or {}
        self._overlapping = frozenset(frozenset(label.partition("[")[0] for label in pair) for pair in overlapping)
        self._direct: dict[ast.AST, dict[str, set[str]]] = {}
        self._swaps: dict[ast.AST, list[Swap]] = {}
        self._fresh: dict[ast.AST, set[str]] = {}
        self._rebound: dict[ast.AST, dict[str, list[ast.stmt]]] = {
            function: self._rebindings(function) for function in tree.definitions()
        }
        self._returns: dict[ast.AST, frozenset[str]] = dict.fromkeys(tree.definitions(), NONE)
        changed = True
        while changed:  # a helper's result may alias its parameters: repeat until no summary grows
            changed = False
            for function in tree.definitions():
                self._bind(function)
                returned = self._returned(function)
                if returned != self._returns[function]:
                    self._returns[function], changed = returned, True

    def roots(self, function: FunctionNode, name: str) -> frozenset[str]:
        """Returns the names whose memory ``name`` may share in ``function``; itself, where it owns some."""
        return self.trace(function, self._parts.get(name, name), self._swaps.get(function, []))

    def trace(self, function: ast.AST, name: str, swaps: Iterable[Swap]) -> frozenset[str]:
        """Follows a name to its roots, along these swaps among others."""
        direct, fresh = self._direct.get(function, {}), self._fresh.get(function, set())
        found: set[str] = set()
        start = {name} | {
            f"{name}@{s.lineno}" for s in self._rebound.get(function, {}).get(name, []) if "@" not in name
        }
        seen, pending = set(start), list(start)
        while pending:
            current = pending.pop()
            sources = direct.get(current)
            taken = [swap[current] for swap in swaps if current in swap]
            if (sources is None and not taken) or current in fresh:
                found.add(current)
            for source in (sources or set()).union(*taken):
                if source not in seen:
                    seen.add(source)
                    pending.append(source)
        return frozenset(found)

    def sources(self, expression: ast.AST) -> frozenset[str]:
        """Returns the root names whose memory an expression may share; empty for a copy or a plain number."""
        function = self.tree.definition_of(expression)
        if function is None:
            return NONE
        return frozenset(root for name in self._names(expression) for root in self.roots(function, name))

    def names_in(self, expression: ast.AST) -> frozenset[str]:
        """Returns the names, not traced further, whose memory an expression may share; empty for what is new."""
        return frozenset(name.partition("@")[0] for name in self._names(expression))

    def swaps(self, function: ast.AST) -> tuple[Swap, ...]:
        """Returns the permutations of names in a function."""
        return tuple(self._swaps.get(function, ()))

    def bound_names(self, function: ast.AST) -> frozenset[str]:
        """Returns the names that a function binds or reads from outside."""
        scope = self.names.scope(function)
        linked = {name.partition("@")[0] for name in self._direct.get(function, {})}
        return scope.local | scope.free | linked

    def may_share(self, function: FunctionNode, one: str, other: str) -> bool:
        """Tells whether two names may stand for the same memory at one time."""
        return self._sharing.may_share(function, self._parts.get(one, one), self._parts.get(other, other))

    @cached_property
    def _sharing(self) -> Sharing:
        return Sharing(self, self._overlapping)

    def returned(self, function: FunctionNode) -> frozenset[str]:
        """Returns the parameters and outer names with which a function's result may share memory."""
        return self._returns.get(function, NONE)

    def _rebindings(self, function: ast.FunctionDef) -> dict[str, list[ast.stmt]]:
        """Returns the unconditional rebindings of each parameter, unless a nested function may see both memories."""
        parameters = set(self.names.scope(function).parameters)
        nested = {
            name.id
            for node in own_nodes(function)
            if isinstance(node, ast.FunctionDef | ast.Lambda)
            for name in ast.walk(node)
            if isinstance(name, ast.Name)
        }
        found: dict[str, list[ast.stmt]] = {}
        for statement in function.body:
            if isinstance(statement, ast.Assign):
                for target in statement.targets:
                    for name in target_names(target):
                        if name.id in parameters - nested:
                            found.setdefault(name.id, []).append(statement)
        return found

    def _key(self, name: ast.Name) -> str:
        """Returns a name, with the line of the rebinding that its place comes after."""
        function = self.tree.definition_of(name)
        line = None
        for statement in self._rebound.get(function, {}).get(name.id, []) if function is not None else []:
            stored = isinstance(name.ctx, ast.Store) and self.tree.statement_of(name) is statement
            if stored or (statement.end_lineno or 0) < name.lineno:
                line = statement.lineno
        return name.id if line is None else f"{name.id}@{line}"

    def is_fancy(self, index: ast.AST) -> bool | None:
        """Tells whether an index selects by an array or a list (so that NumPy copies); None where it is not known."""
        if isinstance(index, ast.Tuple):
            answers = [self.is_fancy(element) for element in index.elts]
            return True if True in answers else None if None in answers else False
        fact = self.fact(index)
        if fact is not None and fact.kind != "mixed":
            if fact.kind == "array":
                return not (fact.ndim == 0 and fact.dtype != "bool")
            return fact.kind in ("list", "bool")
        if isinstance(index, ast.Slice | ast.Constant):
            return isinstance(index, ast.Constant) and isinstance(index.value, bool)
        if isinstance(index, ast.List | ast.Compare | Comprehension):
            return True
        if isinstance(index, ast.UnaryOp):
            return True if isinstance(index.op, ast.Invert) else self.is_fancy(index.operand)
        if isinstance(index, ast.BinOp):
            sides = (self.is_fancy(index.left), self.is_fancy(index.right))
            return True if True in sides else None if None in sides else False
        if isinstance(index, ast.Call):
            path = self.names.path(index.func) or ""
            if path.removeprefix("numpy.") in FANCY_MAKERS:
                return True
            return False if path in ("builtins.slice", "builtins.int", "builtins.len") else None
        if isinstance(index, ast.Attribute) and self.names.path(index) == "numpy.newaxis":
            return False
        if isinstance(index, ast.Name):
            return self._is_fancy_name(index)
        return None

    def _is_fancy_name(self, index: ast.Name) -> bool | None:
        binder = self.names.binder(index)
        if binder is None:
            return None
        answers = set()
        for value in self.names.values(binder, index.id):
            if isinstance(value, ast.For | ast.comprehension):
                ranged = isinstance(value.iter, ast.Call) and self.names.path(value.iter.func) in (
                    "builtins.range", "builtins.enumerate")  # fmt: skip
                answers.add(False if ranged and isinstance(value.target, ast.Name) else None)
            elif isinstance(value, ast.Compare | ast.List | ast.Call | ast.Constant | ast.Slice):
                answers.add(self.is_fancy(value))
            elif isinstance(value, ast.AugAssign):
                continue
            else:
                answers.add(None)
        return answers.pop() if len(answers) == 1 else None

    def _bind(self, function: ast.FunctionDef) -> None:
        direct: dict[str, set[str]] = {}
        fresh = {parameter.arg for parameter in parameter_nodes(function)} | self.names.scope(function).free
        swaps: list[Swap] = []
        self._direct[function], self._fresh[function], self._swaps[function] = direct, fresh, swaps

        def bind(target: ast.AST, value: ast.AST | None, names: frozenset[str] | None = None) -> None:
            if isinstance(target, ast.Starred):
                bind(target.value, value, names)
            elif isinstance(target, ast.Tuple | ast.List):
                values = value.elts if isinstance(value, ast.Tuple | ast.List) else None
                starred = any(isinstance(e, ast.Starred) for e in [*target.elts, *(values or [])])
                if values is not None and len(values) == len(target.elts) and not starred:
                    for element, part in zip(target.elts, values, strict=True):
                        bind(element, part)
                else:
                    found = names if names is not None else self._names(value) if value is not None else NONE
                    for element in target.elts:
                        bind(element, None, found)
            elif isinstance(target, ast.Name):
                found = names if names is not None else self._names(value) if value is not None else NONE
                known = self.fact(target)
                if known is not None and known.kind in IMMUTABLE:
                    found = NONE
                key = self._key(target)
                direct.setdefault(key, set()).update(found - {key})
                if not found:
                    fresh.add(key)
            elif isinstance(target, ast.Subscript | ast.Attribute) and value is not None:
                self._store(direct, target, value)

        for node in own_nodes(function):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if (swapped := _swapped(target, node.value)) is not None:
                        swaps.append({self._key(name): frozenset({self._key(value)}) for name, value in swapped})
                    else:
                        bind(target, node.value)
            elif isinstance(node, ast.AugAssign):
                if isinstance(node.op, ast.Add):  # rows += [a] on a list
                    self._store(direct, ast.Subscript(node.target, ast.Constant(0), ast.Store()), node.value)
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                bind(node.target, node.value)
            elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
                self._bind_loop(bind, node.target, node.iter)
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                bind(node.optional_vars, node.context_expr)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr in memory.HOLDING_METHODS:
                    for argument in node.args:
                        self._store(direct, node.func, argument)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                direct.setdefault(node.name, set())
                fresh.add(node.name)

    def _store(self, direct: dict[str, set[str]], target: ast.Subscript | ast.Attribute, value: ast.AST) -> None:
        """Notes that a container now holds a value; an array takes a copy instead."""
        fact = self.fact(target.value)
        if fact is not None and fact.kind in ("array", "scalar"):
            return
        if fact is None and isinstance(target, ast.Subscript) and not self._may_be_container(target.value):
            return
        for holder in self._names(target.value):
            direct.setdefault(holder, set()).update(self._names(value) - {holder})

    def _may_be_container(self, expression: ast.AST) -> bool:
        """Tells whether a name is bound to a display or a call of list, dict or set; a parameter counts as an array."""
        if not isinstance(expression, ast.Name) or (binder := self.names.binder(expression)) is None:
            return False
        for value in self.names.values(binder, expression.id):
            sides = [value.left, value.right] if isinstance(value, ast.BinOp) else [value]  # [0] * n
            if any(isinstance(side, ast.List | ast.Tuple | ast.Dict | ast.Set | Comprehension) for side in sides):
                return True
            if isinstance(value, ast.Call) and self.names.path(value.func) in (
                "builtins.list", "builtins.dict", "collections.defaultdict", "collections.deque"):  # fmt: skip
                return True
        return False

    def _bind_loop(self, bind: Callable[..., None], target: ast.AST, iterated: ast.expr) -> None:
        path = self.names.path(iterated.func) if isinstance(iterated, ast.Call) else None
        if isinstance(iterated, ast.Call) and path == "builtins.range":
            bind(target, None)
        elif isinstance(iterated, ast.Call) and path == "builtins.enumerate" and _pair(target) and iterated.args:
            bind(target.elts[0], None)  # type: ignore[attr-defined]
            bind(target.elts[1], None, self._elements(iterated.args[0]))  # type: ignore[attr-defined]
        elif isinstance(iterated, ast.Call) and path == "builtins.zip" and isinstance(target, ast.Tuple):
            if len(target.elts) == len(iterated.args):
                for element, argument in zip(target.elts, iterated.args, strict=True):
                    bind(element, None, self._elements(argument))
            else:
                bind(target, None, self._names(iterated))
        else:
            bind(target, None, self._elements(iterated))

    def _elements(self, iterated: ast.AST) -> frozenset[str]:
        fact = self.fact(iterated)
        if fact is not None and fact.kind == "array" and fact.ndim == 1:
            return NONE  # the elements are scalars
        return self._names(iterated)

    def _returned(self, function: ast.FunctionDef) -> frozenset[str]:
        names: set[str] = set()
        for node in own_nodes(function):
            if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) and node.value is not None:
                names |= self._names(node.value)
        return frozenset(root for name in names for root in self.roots(function, name))

    def _names(self, node: ast.AST) -> frozenset[str]:
        """Returns the names, not yet traced to their roots, that an expression may share memory with."""
        fact = self.fact(node)
        if fact is not None and fact.kind in IMMUTABLE:
            return NONE
        if isinstance(node, ast.Name):
            return NONE if self.names.path(node) is not None else frozenset({self._key(node)})
        if isinstance(node, ast.Starred | ast.NamedExpr | ast.Await):
            return self._names(node.value)
        if isinstance(node, ast.IfExp):
            return self._names(node.body) | self._names(node.orelse)
        if isinstance(node, ast.BoolOp):
            return self._union(node.values)
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            return self._union(node.elts)
        if isinstance(node, ast.Dict):
            return self._union(node.values)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            return self._names(node.elt)
        if isinstance(node, ast.DictComp):
            return self._names(node.value)
        if isinstance(node, ast.BinOp):  # [a] + [b] joins lists, which hold what they held
            lists = any(isinstance(side, ast.List) or self._may_be_container(side) for side in (node.left, node.right))
            return self._names(node.left) | self._names(node.right) if lists else NONE
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Attribute):
            if node.attr in memory.PLAIN_ATTRIBUTES or self.names.path(node) is not None:
                return NONE
            return self._names(node.value)
        if isinstance(node, ast.Call):
            return self._call(node)
        return NONE

    def _subscript(self, node: ast.Subscript) -> frozenset[str]:
        base = self.fact(node.value)
        container = self._may_be_container(node.value) if base is None else base.kind not in ("array", "scalar")
        if not container and self.is_fancy(node.slice) is True:
            return NONE
        index = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if base is not None and base.kind == "array" and base.ndim is not None and base.dtype != "object":
            integers = [i for i in index if self._is_integer(i)]
            if len(integers) == len(index) == base.ndim:
                return NONE  # one element, a scalar
        return self._names(node.value)

    def _is_integer(self, index: ast.AST) -> bool:
        fact = self.fact(index)
        if fact is not None:
            return fact.kind == "int" or (fact.kind == "scalar" and fact.dtype is not None and "int" in fact.dtype)
        if isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub):
            return self._is_integer(index.operand)
        if isinstance(index, ast.BinOp):
            return self._is_integer(index.left) and self._is_integer(index.right)
        if isinstance(index, ast.Name):  # the index of a loop over range()
            binder = self.names.binder(index)
            bound = self.names.values(binder, index.id) if binder is not None else []
            return bool(bound) and all(
                isinstance(value, ast.For | ast.comprehension)
                and isinstance(value.target, ast.Name)
                and isinstance(value.iter, ast.Call)
                and self.names.path(value.iter.func) == "builtins.range"
                for value in bound
            )
        return isinstance(index, ast.Constant) and type(index.value) is int

    def _call(self, node: ast.Call) -> frozenset[str]:
        helper = self.names.helper(node.func)
        if helper is not None:
            return self._helper(node, helper)
        path = self.names.path(node.func)
        out = self._union(memory.outputs_of(node, path))
        every = [*node.args, *(keyword.value for keyword in node.keywords)]
        if path is None and isinstance(node.func, ast.Attribute):
            return out | self._method(node, node.func, every)
        if path is None:
            return self._union(every)  # a callable that came as an argument
        if path.startswith("builtins."):
            return self._union(every) if path.removeprefix("builtins.") in PASSING_BUILTINS else NONE
        if not path.startswith("numpy."):
            return out | (NONE if path.startswith(PURE_PREFIXES) else self._union(every))
        if path == "numpy.diag" and node.args and self._is_vector(node.args[0]):
            return out  # a matrix of its own, with the vector's elements on a diagonal
        return out | self._union(_viewed(node, path.removeprefix("numpy.")))

    def _is_vector(self, node: ast.AST) -> bool:
        fact = self.fact(node)
        return fact is not None and fact.kind == "array" and fact.ndim == 1

    def _helper(self, node: ast.Call, helper: ast.FunctionDef) -> frozenset[str]:
        bound = bind_arguments(node, helper)
        names: set[str] = set()
        for root in self.returned(helper):
            if root not in self.names.scope(helper).parameters:
                # a local of the helper dies with it; what the helper reads from outside lives on
                names |= {root} if root in self.names.scope(helper).free else set()
            elif bound is None:
                names |= self._union(node.args)
            else:
                names |= self._union(bound.get(root, []))
        return frozenset(names)

    def _method(self, node: ast.Call, function: ast.Attribute, every: list[ast.expr]) -> frozenset[str]:
        name = function.attr
        if name == "astype":
            uncopied = len(node.args) > 4 or _uncopied(node)
            return self._names(function.value) if uncopied else NONE
        if name in memory.COPY_METHODS | memory.GENERATOR_METHODS | memory.PLAIN_METHODS:
            return NONE
        if name in ("conj", "conjugate"):
            fact = self.fact(function.value)
            if fact is not None and (fact.dtype or "").startswith("complex"):
                return NONE  # a real array is its own conjugate
        # of a method that is not NumPy's nothing is known: it may return what it was given
        return self._names(function.value) | (NONE if name in memory.VIEW_METHODS else self._union(every))

    def _union(self, nodes: list[ast.expr] | list[Any]) -> frozenset[str]:
        return frozenset(name for node in nodes if node is not None for name in self._names(node))


def _viewed(call: ast.Call, name: str) -> list[ast.expr]:
    """Returns the arguments of a call of NumPy whose memory the result may share, outputs apart."""
    first = [*call.args[:1], *(k.value for k in call.keywords if k.arg not in _PLAIN_KEYWORDS)]
    if name in ("array", "meshgrid"):
        return first if name == "array" and _uncopied(call) else call.args if _uncopied(call) else []
    if name == "nan_to_num":
        return first if len(call.args) > 1 or _uncopied(call) else []
    if name in memory.COPIES_FROM_TWO:
        orders = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == memory.COPIES_FROM_TWO[name])]
        least = [isinstance(n, ast.Constant) and isinstance(n.value, int) and n.value >= 2 for n in orders]
        return [] if all(least) else first
    if name in memory.BINS_VIEWED:
        place = memory.BINS_VIEWED[name]
        return [*call.args[place : place + 1], *(k.value for k in call.keywords if k.arg == "bins")]
    if name == "einsum":  # of one operand it may be a view
        return call.args[1:] if len(call.args) <= 3 else []
    if name in memory.SEVERAL_VIEWED or name.startswith(("ma.", "rec.", "lib.")):
        return [*call.args, *(k.value for k in call.keywords if k.arg != "out")]
    return first if name in memory.VIEW_FUNCTIONS else []


_PLAIN_KEYWORDS = words(
    "out shape newshape axis axes dtype order copy k offset source destination axis1 axis2 subok like"
)


def _uncopied(call: ast.Call) -> bool:
    return any(k.arg == "copy" and not _is_true(k.value) for k in call.keywords)


def _swapped(target: ast.AST, value: ast.AST) -> list[tuple[ast.Name, ast.Name]] | None:
    """Pairs the names of a permutation such as ``u, v = v, u``; None for anything else."""
    if not (isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
        return None
    pairs = [(t, v) for t, v in zip(target.elts, value.elts, strict=False) if isinstance(t, ast.Name)
             and isinstance(v, ast.Name)]  # fmt: skip
    names = {name.id for name, _ in pairs}
    whole = len(pairs) == len(target.elts) == len(value.elts) == len(names)
    return pairs if whole and names == {taken.id for _, taken in pairs} else None


def _pair(target: ast.AST) -> bool:
    return isinstance(target, ast.Tuple) and len(target.elts) == 2


def _is_true(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
