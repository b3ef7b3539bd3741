"""Rewrite ``np.vectorize`` of a small function as the same function of arrays.

    cdf = np.vectorize(lambda z: 0.5*(1 + math.erf(z/math.sqrt(2))))
    N = cdf(d)
->
    cdf = lambda z: 0.5*(1 + scipy.special.erf(z/math.sqrt(2)))
    N = cdf(d)

    def payoff(s):                           def payoff(s):
        if s < K:                     ->         return np.where(s < K, 0.0, s - K)
            return 0.0
        return s - K
    v = np.vectorize(payoff)(x)              v = payoff(x)

NumPy calls Python for each element there. What a function of elements computes by arithmetic, comparisons, choices
and the functions of ``math`` it computes of whole arrays as well: both sides of a choice are evaluated then, and one is
taken. What calls anything else, loops, or returns numbers of several kinds (NumPy takes the dtype of the first) is left
as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import alternative, code, small, statements, with_body
from jitmagic.generate.kinds import Kinds, by_function, literal
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import ValueFact

_NUMPY = {
    "sqrt": "sqrt", "exp": "exp", "expm1": "expm1", "log": "log", "log10": "log10", "log2": "log2", "log1p": "log1p",
    "sin": "sin", "cos": "cos", "tan": "tan", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    "hypot": "hypot", "fabs": "abs", "degrees": "rad2deg", "radians": "deg2rad", "copysign": "copysign",
}  # fmt: skip
"""NumPy's names for the functions of ``math``."""

_SPECIAL = {"erf": "erf", "erfc": "erfc", "gamma": "gamma", "lgamma": "gammaln"}
"""SciPy's names for those that NumPy has not."""

_ELEMENTWISE = frozenset(_NUMPY.values()) | {"absolute", "square", "maximum", "minimum", "where", "power", "sign"}
"""Functions of NumPy's that are called with elements, and may be with arrays."""

_BUILTINS = {"abs": "abs", "min": "minimum", "max": "maximum"}
_DTYPES = {"bool": "bool", "int": "int64", "float": "float64", "complex": "complex128"}


class _Cannot(Exception):
    """The function stays one of elements."""


def without_vectorize(module: Module, tree: cst.Module, entry: str) -> cst.Module:
    """Returns the tree with functions of arrays for those that ``np.vectorize`` is given.

    Parameters
    ----------
    module : Module
    tree : libcst.Module
    entry : str
        The function that is compared, whose arguments were observed.
    """
    numpy = next((name for name, path in module.names.items() if path == "numpy"), None)
    if numpy is None or not any(one.attr.value == "vectorize" for one in nodes_of(tree, cst.Attribute)):
        return tree
    module.names["__special__"] = "scipy.special"
    return tree.visit(_Vectorized(module, by_function(module, tree, entry), tree, numpy))


class _Vectorized(FunctionRewriter[Kinds]):
    def __init__(self, module: Module, kinds: dict[str, Kinds], tree: cst.Module, numpy: str) -> None:
        super().__init__(module, kinds)
        self.numpy = numpy
        self.named: dict[str, list[cst.FunctionDef]] = {}
        for node in nodes_of(tree, cst.FunctionDef):
            self.named.setdefault(node.name.value, []).append(node)
        self.reads = [node.value for node in nodes_of(tree, cst.Name)]
        self.given: dict[cst.FunctionDef, cst.FunctionDef] = {}
        calls = [one for one in nodes_of(tree, cst.Call) if len(one.args) == 1 and not one.args[0].star]
        self.passed = [one.args[0].value.value for one in calls if isinstance(one.args[0].value, cst.Name)
                       and code(one.func).endswith("vectorize")]  # fmt: skip

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if not self.stack:
            return
        for call in nodes_of(node, cst.Call):
            name = call.args[0].value if self._is_vectorize(call) else None
            found = self.named.get(name.value, []) if isinstance(name, cst.Name) else []
            if len(found) == 1 and found[0] not in self.given and self._is_given_alone(found[0].name.value):
                try:
                    known = self.by_function.get(found[0].name.value, self.stack[-1])
                    self.given[found[0]] = _OfArrays(self.module, known, found[0].params, self.numpy).function(found[0])
                except _Cannot:
                    continue

    def _is_given_alone(self, name: str) -> bool:
        """Says whether a function is named where it is defined and where it is vectorized, and nowhere else."""
        return self.reads.count(name) == 1 + self.passed.count(name)

    def _is_vectorize(self, node: cst.Call) -> bool:
        one = node.args[0] if len(node.args) == 1 else None
        return one is not None and not one.star and one.keyword is None and (
            self.stack[-1].path(node.func) == "numpy.vectorize"
        )  # fmt: skip

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        super().leave_FunctionDef(original_node, updated_node)
        return self.given.get(original_node, updated_node)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if not self.stack or not self._is_vectorize(original_node):
            return updated_node
        function = original_node.args[0].value
        if isinstance(function, cst.Name):
            found = self.named.get(function.value, [])
            return updated_node.args[0].value if len(found) == 1 and found[0] in self.given else updated_node
        if not isinstance(function, cst.Lambda):
            return updated_node
        try:
            body = _OfArrays(self.module, self.stack[-1], function.params, self.numpy).value(function.body)
        except _Cannot:
            return updated_node
        return function.with_changes(body=body)


class _OfArrays:
    """Rewrites what a function computes of elements.

    Parameters
    ----------
    module : Module
    kinds : Kinds
        Of the function around it.
    parameters : libcst.Parameters
    numpy : str
        The name that NumPy has.
    """

    def __init__(self, module: Module, kinds: Kinds, parameters: cst.Parameters, numpy: str) -> None:
        several = (parameters.kwonly_params, parameters.posonly_params, parameters.star_kwarg)
        plain = all(one.default is None for one in parameters.params)
        if any(several) or isinstance(parameters.star_arg, cst.Param) or not parameters.params or not plain:
            raise _Cannot
        self.module, self.kinds, self.numpy = module, kinds, numpy
        self.arrays = {one.name.value for one in parameters.params}
        self.results: set[str | None] = set()

    # statements -------------------------------------------------------------------------------

    def function(self, node: cst.FunctionDef) -> cst.FunctionDef:
        """Returns a function of arrays; raises _Cannot."""
        if node.decorators or node.asynchronous is not None:
            raise _Cannot
        new = with_body(node, self.block(statements(node)))
        if len(self.results - {None}) != 1:
            raise _Cannot  # NumPy takes the dtype of the first element's
        self.module.inherit(new, node)
        return new

    def block(self, body: Sequence[Any]) -> list[Any]:
        """Returns statements, of which the last returns."""
        result: list[Any] = []
        for position, node in enumerate(body):
            one = small(node)
            if isinstance(one, cst.Expr) and isinstance(one.value, cst.SimpleString) and position == 0:
                result.append(node)
            elif isinstance(one, cst.Assign) and len(one.targets) == 1 and isinstance(one.targets[0].target, cst.Name):
                value = self.value(one.value)
                if self.depends(one.value):
                    self.arrays.add(one.targets[0].target.value)
                line = node.with_changes(body=[one.with_changes(value=value)])
                self.module.inherit(line, node)
                result.append(line)
            else:
                returned = cst.Return(self.chosen(body[position:]))
                line = cst.SimpleStatementLine([returned])
                self.module.inherit(line, node)
                return [*result, line.with_changes(leading_lines=node.leading_lines)]
        raise _Cannot  # it may return nothing

    def chosen(self, body: Sequence[Any]) -> cst.BaseExpression:
        """Returns what statements return, that are returns under conditions and a last one."""
        if not body:
            raise _Cannot
        first, rest = body[0], body[1:]
        one = small(first)
        if isinstance(one, cst.Return) and one.value is not None:
            self.results.add(self.dtype(one.value))
            return self.value(one.value)
        if not isinstance(first, cst.If):
            raise _Cannot
        then = self.chosen(statements(first))
        other = self.chosen([*alternative(first), *rest])
        return self.choice(first, first.test, then, other)

    # expressions ------------------------------------------------------------------------------

    def depends(self, node: cst.CSTNode) -> bool:
        return bool(name_tools.loads(node) & self.arrays)

    def value(self, node: Any) -> Any:
        """Returns an expression over whole arrays."""
        if not self.depends(node):
            return node
        if isinstance(node, cst.Name):
            return self.known(cst.Name(node.value), node)
        if isinstance(node, cst.BinaryOperation) and not isinstance(node.operator, cst.MatrixMultiply):
            return self.known(node.with_changes(left=self.value(node.left), right=self.value(node.right)), node)
        if isinstance(node, cst.UnaryOperation):
            if isinstance(node.operator, cst.Not):
                return self.call("logical_not", node, self.truth(node.expression))
            return self.known(node.with_changes(expression=self.value(node.expression)), node)
        if isinstance(node, cst.IfExp):
            if len({self.dtype(node.body), self.dtype(node.orelse)} - {None}) > 1:
                raise _Cannot
            return self.choice(node, node.test, self.value(node.body), self.value(node.orelse))
        if isinstance(node, cst.Comparison | cst.BooleanOperation):
            return self.truth(node)
        if isinstance(node, cst.Call):
            return self.called(node)
        raise _Cannot

    def truth(self, node: Any) -> Any:
        """Returns a condition over whole arrays."""
        if isinstance(node, cst.BooleanOperation):
            name = "logical_and" if isinstance(node.operator, cst.And) else "logical_or"
            return self.call(name, node, self.truth(node.left), self.truth(node.right))
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            return self.call("logical_not", node, self.truth(node.expression))
        if not isinstance(node, cst.Comparison):
            raise _Cannot
        if any(isinstance(one.operator, cst.In | cst.NotIn | cst.Is | cst.IsNot) for one in node.comparisons):
            raise _Cannot
        operands = [node.left, *(one.comparator for one in node.comparisons)]
        if any(not isinstance(one, cst.Name | cst.Integer | cst.Float) for one in operands[1:-1]):
            raise _Cannot  # it would be computed twice
        parts = []
        for left, one in zip(operands, node.comparisons, strict=False):
            new = one.with_changes(comparator=self.value(one.comparator))
            pair = cst.Comparison(self.value(left), [new], lpar=node.lpar, rpar=node.rpar)
            parts.append(self.learned(pair, node, "bool"))
        found = parts[0]
        for part in parts[1:]:
            found = self.call("logical_and", node, found, part)
        return found

    def choice(self, node: Any, test: Any, then: Any, other: Any) -> Any:
        if not self.depends(test):
            raise _Cannot  # the same for all elements: a branch
        seen = node if isinstance(node, cst.IfExp) else None
        return self.call("where", seen, self.truth(test), then, other)

    def called(self, node: cst.Call) -> Any:
        if any(a.star or a.keyword is not None for a in node.args):
            raise _Cannot
        path = self.kinds.path(node.func) or f"builtins.{code(node.func)}"
        library, _, name = path.rpartition(".")
        args = [self.value(a.value) for a in node.args]
        if library == "math" and name == "pow" and len(args) == 2:
            return self.call("power", node, *args)
        if library == "math" and name in _NUMPY and not (name == "log" and len(args) > 1):
            return self.call(_NUMPY[name], node, *args)
        if library == "math" and name in _SPECIAL:
            return self.call(f"__special__.{_SPECIAL[name]}", node, *args)
        if library == "builtins" and name == "float" and len(args) == 1 and self.dtype(node.args[0].value) == "float64":
            return args[0]
        if library == "builtins" and name in _BUILTINS and len(args) == (1 if name == "abs" else 2):
            return self.call(_BUILTINS[name], node, *args)
        if (library == "numpy" and name in _ELEMENTWISE) or library == "scipy.special":
            new = node.with_changes(args=[a.with_changes(value=v) for a, v in zip(node.args, args, strict=True)])
            return self.known(new, node)
        raise _Cannot

    # what is known ----------------------------------------------------------------------------

    def call(self, function: str, old: Any, *args: Any) -> cst.Call:
        path = function if "." in function else f"{self.numpy}.{function}"
        made = cst.Call(cst.parse_expression(path), [cst.Arg(one) for one in args])
        if function.startswith("logical_"):
            return self.learned(made, old, "bool")
        return made if old is None else self.known(made, old)

    def known(self, new: Any, old: Any) -> Any:
        """Lets a node know that it stands for an array of what was seen as an element."""
        dtype = self.dtype(old)
        return new if dtype is None else self.learned(new, old, dtype)

    def learned(self, new: Any, old: Any, dtype: str) -> Any:
        self.module.inherit(new, old)
        self.module.learn(new, ValueFact("array", dtype, None))
        return new

    def dtype(self, node: Any) -> str | None:
        """Returns the dtype of an element: NumPy calls with one of its own once, with Python's numbers then."""
        fact = self.module.fact(node) or literal(node)
        several: tuple[ValueFact, ...] = () if fact is None else fact.items if fact.kind == "mixed" else (fact,)
        found = {_dtype(one) for one in several}
        return found.pop() if len(found) == 1 else None


def _dtype(fact: ValueFact) -> str | None:
    return fact.dtype if fact.kind == "scalar" else _DTYPES.get(fact.kind)
