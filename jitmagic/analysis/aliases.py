"""May-alias: which names may share memory with which, per function and without regard to order.

A *root* is a name that owns memory: a parameter, a name from outside, or a local bound to something new.

>>> from jitmagic.analysis.names import Names
>>> from jitmagic.analysis.tree import SourceTree
>>> tree = SourceTree("def fn(a):\\n    v = a[1:].T\\n    w = a * 2\\n    v += 1\\n    return w\\n", "fn")
>>> aliases = Aliases(tree, Names(tree, {}))
>>> sorted(aliases.roots(tree.entry, "v")), sorted(aliases.roots(tree.entry, "w"))
(['a'], ['w'])

A parameter that a statement of the function's own body rebinds has two memories: ``u = u.copy()`` on line 2 makes the
root ``u@2`` of all later lines.

Conservative: an alias that exists is reported; one that is reported may not exist (``ravel`` often copies).
Facts of a watched run, where given, tell a fancy index from a basic one and a scalar from an array.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from jitmagic.analysis.names import Names
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

VIEW_FUNCTIONS = words(
    "reshape ravel transpose swapaxes moveaxis rollaxis squeeze expand_dims broadcast_to broadcast_arrays asarray "
    "asanyarray ascontiguousarray asfortranarray asarray_chkfinite atleast_1d atleast_2d atleast_3d diagonal diag real "
    "imag flip fliplr flipud rot90 split array_split vsplit hsplit dsplit require matrix_transpose unstack trim_zeros "
    "lib.stride_tricks.as_strided lib.stride_tricks.sliding_window_view linalg.diagonal linalg.matrix_transpose "
    "real_if_close"
)
"""Functions of NumPy whose result may share memory with their arguments."""

GENERATOR_METHODS = words(
    "random normal standard_normal uniform integers choice permutation permuted poisson exponential gamma beta "
    "binomial multinomial lognormal laplace logistic pareto rayleigh triangular vonmises weibull zipf geometric "
    "standard_exponential standard_gamma standard_t standard_cauchy multivariate_normal dirichlet chisquare gumbel "
    "hypergeometric negative_binomial bytes spawn randint rand randn random_sample gauss"
)
"""Methods of ``numpy.random.Generator``, ``RandomState`` and ``random.Random`` that draw."""
COPY_METHODS = (
    words(
        "copy flatten tolist tobytes item sum mean std var min max prod cumsum cumprod any all argmax argmin argsort "
        "dot round clip take repeat conj conjugate nonzero trace ptp searchsorted choose compress astype count index "
        "format join split strip replace lower upper startswith endswith"
    )
    | GENERATOR_METHODS
)
VIEW_ATTRIBUTES = frozenset({"T", "mT", "real", "imag", "flat", "data", "base"})
PLAIN_ATTRIBUTES = frozenset({"shape", "ndim", "size", "dtype", "itemsize", "nbytes", "strides", "flags"})
PASSING_BUILTINS = frozenset({"list", "tuple", "zip", "enumerate", "reversed", "iter", "next", "map", "filter",
                              "sorted", "dict", "set", "getattr", "max", "min"})  # fmt: skip
FANCY_MAKERS = words(
    "arange where nonzero flatnonzero argsort argwhere unique lexsort ix_ array asarray searchsorted digitize isnan "
    "isfinite isinf logical_and logical_or logical_not logical_xor tril_indices triu_indices diag_indices isin isclose "
    "greater less greater_equal less_equal equal not_equal random.permutation random.randint linspace argpartition "
    "random.choice signbit unravel_index"
)

NONE: frozenset[str] = frozenset()


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
    """

    def __init__(self, tree: SourceTree, names: Names, fact: Facts = no_facts) -> None:
        self.tree, self.names, self.fact = tree, names, fact
        self._direct: dict[ast.AST, dict[str, set[str]]] = {}
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
        direct, fresh = self._direct.get(function, {}), self._fresh.get(function, set())
        found: set[str] = set()
        start = {name} | {
            f"{name}@{s.lineno}" for s in self._rebound.get(function, {}).get(name, []) if "@" not in name
        }
        seen, pending = set(start), list(start)
        while pending:
            current = pending.pop()
            sources = direct.get(current)
            if sources is None or current in fresh:
                found.add(current)
            for source in sources or ():
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
        self._direct[function], self._fresh[function] = direct, fresh

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
                    bind(target, node.value)
            elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                bind(node.target, node.value)
            elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
                self._bind_loop(bind, node.target, node.iter)
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                bind(node.optional_vars, node.context_expr)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr in ("append", "extend", "insert", "add", "appendleft", "setdefault", "update"):
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
            if isinstance(value, ast.List | ast.Dict | ast.Set | ast.BinOp | Comprehension):
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
            lists = isinstance(node.left, ast.List) or isinstance(node.right, ast.List)
            return self._names(node.left) | self._names(node.right) if lists else NONE
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Attribute):
            if node.attr in PLAIN_ATTRIBUTES or self.names.path(node) is not None:
                return NONE
            return self._names(node.value)
        if isinstance(node, ast.Call):
            return self._call(node)
        return NONE

    def _subscript(self, node: ast.Subscript) -> frozenset[str]:
        base = self.fact(node.value)
        container = base is not None and base.kind in ("list", "tuple", "dict", "object")
        if not container and self.is_fancy(node.slice) is True:
            return NONE
        index = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if base is not None and base.kind == "array" and base.ndim is not None:
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
        out = frozenset(n for k in node.keywords if k.arg == "out" for n in self._names(k.value))
        helper = self.names.helper(node.func)
        if helper is not None:
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
        path = self.names.path(node.func)
        if path is None and isinstance(node.func, ast.Attribute):
            return out | self._method(node, node.func)
        if path is None:
            return self._union([*node.args, *(k.value for k in node.keywords)])  # a callable that came as an argument
        if path.startswith("builtins."):
            return self._union(node.args) if path.removeprefix("builtins.") in PASSING_BUILTINS else NONE
        if not path.startswith("numpy."):
            return out | (self._union(node.args) if not path.startswith(("math.", "scipy.special.")) else NONE)
        short = path.removeprefix("numpy.")
        uncopied = any(k.arg == "copy" and not _is_true(k.value) for k in node.keywords)
        if short in VIEW_FUNCTIONS or (uncopied and short in ("array", "nan_to_num", "meshgrid", "astype")):
            return out | self._union(node.args) | self._union([k.value for k in node.keywords if k.arg == "a"])
        return out | self._union(outputs_of(short, node))

    def _method(self, node: ast.Call, function: ast.Attribute) -> frozenset[str]:
        if function.attr == "astype" and any(k.arg == "copy" and not _is_true(k.value) for k in node.keywords):
            return self._names(function.value)
        return NONE if function.attr in COPY_METHODS else self._names(function.value)

    def _union(self, nodes: list[ast.expr] | list[Any]) -> frozenset[str]:
        return frozenset(name for node in nodes if node is not None for name in self._names(node))


def outputs_of(name: str, call: ast.Call) -> list[ast.expr]:
    """Returns the positional arguments into which a NumPy ufunc (``"add"``) writes: those after its inputs."""
    function = getattr(np, name, None) if "." not in name else None
    return list(call.args[function.nin :]) if isinstance(function, np.ufunc) else []


def _pair(target: ast.AST) -> bool:
    return isinstance(target, ast.Tuple) and len(target.elts) == 2


def _is_true(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
