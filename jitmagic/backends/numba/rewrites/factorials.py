"""Writes `math.factorial` and `math.comb`, which Numba does not know, as functions of the draft.

Python's whole numbers have no end; Numba's have 64 bits. Where a factorial only stands in a quotient, or goes through a
function that gives a float, it is a float from the start, which is exact up to 22!. Elsewhere it is a whole number, up
to 20!, and more raises.

```
x**k/math.factorial(k)      ->  x**k/float_factorial(k)
math.comb(n, k)             ->  binomial(n, k)
```
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.errors import Unsupported
from jitmagic.generate.walking import children, nodes_of

_FLOAT = """
@njit(error_model="numpy")
def {name}(n):
    # math.factorial(n) as a float: the largest is 170!
    if n < 0 or n > 170:
        {beyond}
    product = 1.0
    for k in range(2, n + 1):
        product *= k
    return product
"""

_WHOLE = """
@njit(error_model="numpy")
def {name}(n):
    # math.factorial(n): 20! is the largest in 64 bits
    if n < 0 or n > 20:
        raise OverflowError("the factorial does not fit into 64 bits")
    product = 1
    for k in range(2, n + 1):
        product *= k
    return product
"""

_BINOMIAL = """
@njit(error_model="numpy")
def {name}(n, k):
    # math.comb(n, k), as long as its steps fit into 64 bits
    if n < 0 or k < 0:
        raise ValueError("n and k must not be negative")
    count = 1 if k <= n else 0
    for i in range(min(k, n - k)):
        if count > 9223372036854775807 // (n - i):
            raise OverflowError("the number of choices does not fit into 64 bits")
        count = count * (n - i) // (i + 1)
    return count
"""

_FLOATS = frozenset({"float", "complex"})
_WIDE = frozenset({"float64", "float32", "complex128", "complex64"})
_ARITHMETIC = (cst.Add, cst.Subtract, cst.Multiply)


class Factorials(NumbaRewriter):
    """Rewrites the calls, those by another name of the function's too."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self._second: dict[str, cst.Assign] = {}
        self._names: dict[cst.CSTNode, cst.Name] = {}

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) > 1:
            return
        self._parents, self._second = {}, {}
        if any(code(one).endswith("factorial") for one in (*nodes_of(node, cst.Attribute), *nodes_of(node, cst.Name))):
            self._note(node)
            self._find(node)

    def _note(self, node: cst.CSTNode) -> None:
        for child in children(node):
            self._parents[child] = node
            self._note(child)

    def _find(self, function: cst.FunctionDef) -> None:
        """Finds second names, as in `f = math.factorial`, and what their calls need."""
        for assign in nodes_of(function, cst.Assign):
            target = assign.targets[0].target if len(assign.targets) == 1 else None
            if isinstance(target, cst.Name) and self.path(assign.value) == "math.factorial":
                self._second[target.value] = assign
        for name, assign in self._second.items():
            calls = [c for c in nodes_of(function, cst.Call) if code(c.func) == name]
            line = self.module.line(assign)
            once = sum(code(t.target) == name for t in nodes_of(function, cst.AssignTarget)) == 1
            used = sum(n.value == name for n in nodes_of(function, cst.Name))
            ways = {self._is_float(call) for call in calls}
            if not once or used != len(calls) + 1 or len(ways) != 1:
                raise Unsupported(
                    f"line {line}: `{name}` stands for `math.factorial`, of which Numba needs one form for whole "
                    "numbers and one for floats: call `math.factorial` where it is needed", line, "NB-NOFUNC",
                )  # fmt: skip
            self._names[assign] = self._helper(ways.pop(), assign)

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        helper = self._names.get(original_node)
        return updated_node if helper is None else updated_node.with_changes(value=helper)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> Any:
        path = self.path(original_node.func)
        plain = all(a.keyword is None and not a.star for a in original_node.args)
        if path == "math.comb" and plain and len(original_node.args) == 2:
            self._serial(original_node, "math.comb")
            return updated_node.with_changes(func=self.context.helper("binomial", _BINOMIAL))
        if path != "math.factorial" or not plain or len(original_node.args) != 1:
            return updated_node
        return updated_node.with_changes(func=self._helper(self._is_float(original_node), original_node))

    def _serial(self, node: cst.CSTNode, what: str) -> None:
        if self.context.parallel:
            line = self.module.line(node)
            raise Unsupported(
                f"line {line}: `{what}` of whole numbers may not fit into 64 bits, and an error of a parallel loop is "
                "lost: compute it before the loop", line, "NB-NOFUNC",
            )  # fmt: skip

    def _helper(self, as_float: bool, node: cst.CSTNode) -> cst.Name:
        if not as_float:
            self._serial(node, "math.factorial")
            return self.context.helper("factorial", _WHOLE)
        # what is raised in a parallel loop is lost
        beyond = "return {np}.nan" if self.context.parallel else 'raise OverflowError("the factorial is too large")'
        return self.context.helper("float_factorial", _FLOAT.replace("{beyond}", beyond))

    # -- whether anybody can tell the float from the whole number

    def _is_float(self, call: cst.Call) -> bool:
        return self._goes_into_floats(call, frozenset())

    def _goes_into_floats(self, node: cst.CSTNode, seen: frozenset[str]) -> bool:
        """Says whether all that is made of a value is a float."""
        while True:
            parent = self._parents.get(node)
            if isinstance(parent, cst.Arg) and parent.keyword is None and not parent.star:
                call = self._parents[parent]
                return isinstance(call, cst.Call) and call.func is not node and self._gives_floats(call)
            if isinstance(parent, cst.BinaryOperation):
                if isinstance(parent.operator, cst.Divide):
                    return True
                if not isinstance(parent.operator, _ARITHMETIC):
                    return False
                if self._was_float(parent.right if parent.left is node else parent.left):
                    return True
                node = parent
            elif isinstance(parent, cst.UnaryOperation) and isinstance(parent.operator, cst.Minus | cst.Plus):
                node = parent
            elif isinstance(parent, cst.AugAssign):
                return isinstance(parent.operator, cst.DivideAssign) or self._was_float(parent.target)
            elif isinstance(parent, cst.Assign) and len(parent.targets) == 1:
                return self._is_read_as_float(parent, seen)
            else:
                return False

    def _is_read_as_float(self, assign: cst.Assign, seen: frozenset[str]) -> bool:
        target = assign.targets[0].target
        if not isinstance(target, cst.Name) or target.value in seen or len(self.functions) != 1:
            return isinstance(target, cst.Subscript) and self._was_float(target)
        function = self.functions[0]
        named = [n for n in nodes_of(function, cst.Name) if n.value == target.value]
        stores = [n for n in named if isinstance(self._parents[n], cst.AssignTarget)]
        plain = len(stores) == 1 and not any(isinstance(self._parents[n], cst.AugAssign) for n in named)
        more = seen | {target.value}
        return plain and all(self._goes_into_floats(n, more) for n in named if n is not stores[0])

    def _gives_floats(self, call: cst.Call) -> bool:
        path = self.path(call.func) or ""
        known = ("sqrt", "log", "log2", "log10", "exp", "lgamma", "gamma")
        head, _, name = path.rpartition(".")
        builtin = code(call.func) == "float" and "float" not in self.own_names
        return builtin or (head in ("math", "numpy", "cmath") and name in known)

    def _was_float(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        return fact is not None and (fact.kind in _FLOATS or fact.dtype in _WIDE)
