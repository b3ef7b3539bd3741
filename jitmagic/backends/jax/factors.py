"""Rewrite Cholesky's factorisation by hand as the library's, the loops for what that cannot factor.

    for i in range(n):                                      factor = np.linalg.cholesky(np.tril(A) + np.tril(A, -1).T)
        for j in range(i + 1):                              if np.all(np.isfinite(factor)):
            s = np.dot(L[i, :j], L[j, :j])            ->        L = factor
            if i == j: L[i, j] = np.sqrt(A[i, i] - s)       else:
            else: L[i, j] = (A[i, j] - s)/L[j, j]               (as it was)

Each element waits for those before it, so that the loops cannot be run as arrays. What makes them the factorisation is
their equation: ``L[i, j]`` is what ``A[i, j]`` lacks of the product of the rows so far, over ``L[j, j]``, and on the
diagonal the square root of it. They read the lower half of A, and store the lower half of a matrix of zeros. Where A is
not positive definite the library gives NaN throughout, and the loops are run, which give NaN from a column on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.aliases import aliases
from jitmagic.generate.blocks import code, each_function, leading, made, small, statements, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import ValueFact

_ROOTS = frozenset({"numpy.sqrt", "math.sqrt"})
_DOTS = frozenset({"numpy.dot", "numpy.inner", "numpy.vdot"})
_SIGNS = {cst.Add: "+", cst.Subtract: "-", cst.Multiply: "*", cst.Divide: "/", cst.Power: "**"}

_DIAGONAL = "sqrt((a - s))"
_BELOW = ("((a - s) / d)", "((1 / d) * (a - s))", "((a - s) * (1 / d))")
"""What is stored, in terms of the element a of the matrix, the sum s and the factor's diagonal d."""


class _Other(Exception):
    """The loop is no factorisation."""


def factorisations(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with Cholesky's loops as a call of the library."""
    return each_function(tree, kinds, lambda function, known: _Function(module, function, known).result())


class _Function:
    def __init__(self, module: Module, function: cst.FunctionDef, kinds: Kinds) -> None:
        self.module, self.function, self.kinds = module, function, kinds
        self.taken = set(name_tools.all_names(module.tree)) | set(name_tools.all_names(function))

    def result(self) -> cst.FunctionDef:
        body = statements(self.function)
        result: list[Any] = []
        for position, node in enumerate(body):
            found = self.factored(node, body[:position]) if isinstance(node, cst.For) else None
            result += [node] if found is None else self.written(node, *found)
        if len(result) == len(body):
            return self.function
        new = with_body(self.function, result)
        self.module.inherit(new, self.function)
        return new

    # what it is -------------------------------------------------------------------------------

    def factored(self, loop: cst.For, before: Sequence[Any]) -> tuple[str, str] | None:
        """Returns the names of the matrix and of its factor; None for another loop."""
        names = {code(one.value) for one in nodes_of(loop, cst.Subscript) if isinstance(one.value, cst.Name)}
        if len(names) != 2 or name_tools.bound(loop) & names or not all(self.is_matrix(one) for one in names):
            return None
        for factor in sorted(names):
            matrix = next(iter(names - {factor}))
            try:
                _Equation(self.kinds, matrix, factor).check(loop)
            except _Other:
                continue
            _, size = _range(loop)
            if aliases(self.function, self.kinds).at.get(loop, {}).get(factor):
                return None
            if self.is_zeros(factor, size, before) and self.is_side(size, matrix, before):
                return matrix, factor
        return None

    def is_matrix(self, name: str) -> bool:
        facts = [fact for fact in self.kinds.names.get(name, []) if fact.kind == "array"]
        shapes = {fact.shape for fact in facts}
        square = all(shape is not None and len(shape) == 2 and shape[0] == shape[1] for shape in shapes)
        return bool(facts) and square and all(fact.dtype == "float64" for fact in facts)

    def is_zeros(self, name: str, size: str, before: Sequence[Any]) -> bool:
        """Says whether an array was made as zeros, with as many rows and columns as the loop has steps, and left so."""
        uses = [one for one in before if name in name_tools.all_names(one)]
        one = small(uses[0]) if len(uses) == 1 else None
        if not isinstance(one, cst.Assign) or code(one.targets[0].target) != name or len(one.targets) != 1:
            return False
        call = one.value
        if not isinstance(call, cst.Call) or self.kinds.path(call.func) != "numpy.zeros" or not call.args:
            return False
        shape = call.args[0].value
        return isinstance(shape, cst.Tuple) and [code(part.value) for part in shape.elements] == [size, size]

    def is_side(self, size: str, matrix: str, before: Sequence[Any]) -> bool:
        """Says whether the loop has as many steps as the matrix has rows."""
        sides = (f"{matrix}.shape[0]", f"len({matrix})", f"{matrix}.shape[1]")
        if size in sides:
            return True
        bound = [one for one in before if size in name_tools.bound(one) or matrix in name_tools.bound(one)]
        one = small(bound[-1]) if bound else None
        if not isinstance(one, cst.Assign) or size in name_tools.parameters(self.function) or len(bound) != 1:
            return False
        target = one.targets[0].target
        if isinstance(target, cst.Tuple):
            return code(one.value) == f"{matrix}.shape" and size in name_tools.targets(target)
        return code(target) == size and code(one.value) in sides

    # how it is written ------------------------------------------------------------------------

    def written(self, loop: cst.For, matrix: str, factor: str) -> list[Any]:
        name = name_tools.fresh("factor", self.taken)
        self.taken.add(name)
        lower = f"__numpy__.tril({matrix}) + __numpy__.tril({matrix}, -1).T"
        call = leading(made(f"{name} = __numpy__.linalg.cholesky({lower})\n", loop), loop)
        shape = self.kinds.names[matrix][0].shape
        for node in nodes_of(small(call).value, cst.BaseExpression):  # type: ignore[type-abstract]
            if isinstance(node, cst.Call | cst.BinaryOperation) or code(node).endswith(".T"):
                self.module.inherit(node, loop)
                self.module.learn(node, ValueFact("array", "float64", shape))
        text = f"if __numpy__.all(__numpy__.isfinite({name})):\n    {factor} = {name}\nelse:\n    pass\n"
        choice = made(text, loop)
        for node in nodes_of(choice, cst.Name):
            if node.value in (name, factor):
                self.module.inherit(node, loop)
                self.module.learn(node, ValueFact("array", "float64", shape))
        comment = cst.EmptyLine(comment=cst.Comment("# not positive definite: as the loops leave it"))
        kept = loop.with_changes(leading_lines=[comment])
        self.module.inherit(kept, loop)
        assert isinstance(choice.orelse, cst.Else)
        choice = choice.with_changes(orelse=with_body(choice.orelse, [kept]))
        self.module.inherit(call, loop)
        self.module.inherit(choice, loop)
        return [call, choice]


class _Equation:
    """What the loops store, in terms of the element, the sum and the diagonal.

    Parameters
    ----------
    kinds : Kinds
    matrix, factor : str
    """

    def __init__(self, kinds: Kinds, matrix: str, factor: str) -> None:
        self.kinds, self.matrix, self.factor = kinds, matrix, factor
        self.row = self.column = ""
        self.diagonal = False

    def check(self, loop: cst.For) -> None:
        """Raises _Other where the loops store anything but the factor."""
        start, size = _range(loop)
        outer = code(loop.target)
        inner = [one for one in statements(loop) if isinstance(one, cst.For) and len(nodes_of(one, cst.For)) < 3]
        loops = [one for one in inner if self._stores(one)]
        if start != "0" or len(loops) != 1:
            raise _Other
        first, last = _range(loops[0])
        name, body = code(loops[0].target), list(statements(loops[0]))
        position = list(statements(loop)).index(loops[0])
        before, after = list(statements(loop))[:position], list(statements(loop))[position + 1 :]
        if first == "0" and last == f"{outer}+1" and not before and not after:
            self._is(body, outer, name, True)
            self._is(body, outer, name, False)
        elif first == "0" and last == outer and not before:
            self._is(body, outer, name, False)
            self._is(after, outer, outer, True)
        elif first == f"{outer}+1" and last == size and not after:
            self._is(before, outer, outer, True)
            self._is(body, name, outer, False)
        else:
            raise _Other

    def _stores(self, node: cst.CSTNode) -> bool:
        return any(isinstance(one.target, cst.Subscript) for one in nodes_of(node, cst.AssignTarget))

    def _is(self, body: Sequence[Any], row: str, column: str, diagonal: bool) -> None:
        self.row, self.column, self.diagonal = row, column, diagonal
        stored = self._run(body, {})
        if len(stored) != 1 or stored[0] not in ((_DIAGONAL,) if diagonal else _BELOW):
            raise _Other

    def _run(self, body: Sequence[Any], values: dict[str, str]) -> list[str]:
        """Returns what is stored, statement after statement."""
        stored: list[str] = []
        for statement in body:
            one = small(statement)
            if isinstance(statement, cst.If):
                stored += self._run(self._branch(statement), values)
            elif isinstance(statement, cst.For):
                self._accumulate(statement, values)
            elif isinstance(one, cst.Assign) and len(one.targets) == 1:
                target = one.targets[0].target
                value = self._value(one.value, values)
                if isinstance(target, cst.Name):
                    values[target.value] = value
                elif self._is_place(target):
                    stored.append(value)
                else:
                    raise _Other
            elif isinstance(one, cst.AugAssign) and isinstance(one.target, cst.Name):
                self._change(one, self._value(one.value, values), values)
            else:
                raise _Other
        return stored

    def _is_place(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Subscript) and code(node.value) == self.factor and self._index(node) == "r,c"

    def _branch(self, node: cst.If) -> Sequence[Any]:
        if not isinstance(node.orelse, cst.Else):
            raise _Other
        return statements(node) if self._holds(node.test) else statements(node.orelse)

    def _holds(self, test: cst.BaseExpression) -> bool:
        if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
            raise _Other
        if {code(test.left), code(test.comparisons[0].comparator)} != {
            self.row,
            self.column,
        } or self.row == self.column:
            raise _Other
        operator = test.comparisons[0].operator
        if not isinstance(operator, cst.Equal | cst.NotEqual):
            raise _Other
        return self.diagonal == isinstance(operator, cst.Equal)

    def _accumulate(self, loop: cst.For, values: dict[str, str]) -> None:
        """Takes `for k in range(j): s += L[i, k]*L[j, k]` in."""
        start, stop = _range(loop)
        body = statements(loop)
        one = small(body[0]) if len(body) == 1 else None
        if start != "0" or self._name(stop) != "c" or not isinstance(one, cst.AugAssign):
            raise _Other
        self._change(one, "s" if self._is_term(one.value, code(loop.target)) else "", values)

    def _is_term(self, node: cst.BaseExpression, index: str) -> bool:
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
            parts = [node.left, node.right]
        elif isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Power) and code(node.right) == "2":
            parts = [node.left, node.left]
        else:
            return False
        rows = [self._row(part, index) for part in parts]
        return sorted(rows) == (["c", "c"] if self.diagonal else ["c", "r"])

    def _row(self, node: cst.BaseExpression, index: str) -> str:
        """Returns which row of the factor `L[i, k]` or `L[i, :j]` is of; empty for anything else."""
        if not isinstance(node, cst.Subscript) or code(node.value) != self.factor or len(node.slice) != 2:
            return ""
        first, second = (code(one.slice).replace(" ", "") for one in node.slice)
        return self._name(first) if second == index else ""

    def _change(self, one: cst.AugAssign, value: str, values: dict[str, str]) -> None:
        name = code(one.target)
        if name not in values or not value:
            raise _Other
        if isinstance(one.operator, cst.AddAssign):
            values[name] = value if values[name] == "0" else f"({values[name]} + {value})"
        elif isinstance(one.operator, cst.SubtractAssign):
            values[name] = f"({values[name]} - {value})"
        else:
            raise _Other

    def _name(self, text: str) -> str:
        if text == self.column or (self.diagonal and text == self.row):
            return "c"
        return "r" if text == self.row else ""

    def _index(self, node: cst.Subscript) -> str:
        names = [self._name(code(one.slice).replace(" ", "")) for one in node.slice]
        return "r,c" if names == (["c", "c"] if self.diagonal else ["r", "c"]) else ",".join(names)

    def _value(self, node: cst.BaseExpression, values: Mapping[str, str]) -> str:
        """Returns an expression in terms of the element, the sum and the diagonal."""
        if self._is_sum(node):
            return "s"
        if isinstance(node, cst.Name) and node.value in values:
            return values[node.value]
        if isinstance(node, cst.Integer | cst.Float):
            number = float(node.value)
            return str(int(number)) if number == int(number) else node.value
        if isinstance(node, cst.BinaryOperation) and type(node.operator) in _SIGNS:
            left, right = self._value(node.left, values), self._value(node.right, values)
            return f"({left} {_SIGNS[type(node.operator)]} {right})"
        if isinstance(node, cst.IfExp):
            return self._value(node.body if self._holds(node.test) else node.orelse, values)
        if isinstance(node, cst.Call) and self.kinds.path(node.func) in _ROOTS and len(node.args) == 1:
            return f"sqrt({self._value(node.args[0].value, values)})"
        if isinstance(node, cst.Subscript) and len(node.slice) == 2:
            if code(node.value) == self.matrix and self._index(node) == "r,c":
                return "a"
            if code(node.value) == self.factor and not self.diagonal and self._index(node) == "c,c":
                return "d"
        raise _Other

    def _is_sum(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression is the product of the two rows so far."""
        operands: list[cst.BaseExpression] = []
        term: cst.BaseExpression | None = None
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.MatrixMultiply):
            operands = [node.left, node.right]
        elif isinstance(node, cst.Call):
            path = self.kinds.path(node.func)
            values = [argument.value for argument in node.args]
            if path in _DOTS and len(values) == 2:
                operands = values
            elif path == "numpy.sum" and len(values) == 1:
                term = values[0]
            elif path is None and isinstance(node.func, cst.Attribute) and node.func.attr.value == "dot":
                operands = [node.func.value, *values]
            elif path is None and isinstance(node.func, cst.Attribute) and node.func.attr.value == "sum" and not values:
                term = node.func.value
        begun = [f":{name}" for name in {self.column, self.row if self.diagonal else self.column}]
        if term is not None:
            return any(self._is_term(term, part) for part in begun)
        for part in begun:
            if len(operands) == 2 and sorted(self._row(one, part) for one in operands) == (
                ["c", "c"] if self.diagonal else ["c", "r"]
            ):
                return True
        return False


def _range(loop: cst.For) -> tuple[str, str]:
    """Returns where a loop over `range` begins and ends, without blanks."""
    call = loop.iter
    if not isinstance(call, cst.Call) or code(call.func) != "range" or loop.orelse is not None:
        raise _Other
    if not 1 <= len(call.args) <= 2 or any(a.keyword is not None or a.star for a in call.args):
        raise _Other
    texts = [code(argument.value).replace(" ", "") for argument in call.args]
    return (texts[0], texts[1]) if len(texts) == 2 else ("0", texts[0])
