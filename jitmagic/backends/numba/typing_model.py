"""Which dtype Numba gives an expression: its promotion rules are older than NumPy 2's.

Figures were read off Numba 0.68's own typing context. Differences from NumPy: Python floats are float64 and do not
adapt to the array beside them; small integer scalars widen to 64 bits; an array of float32 with one of 32- or 64-bit
integers stays float32; 8- and 16-bit integers divide to float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import libcst as cst
import numpy as np

from jitmagic.generate.module import Module, qualified
from jitmagic.generate.walking import Finder
from jitmagic.observe.facts import ValueFact

_PYTHON = {"float": "float64", "int": "int64", "bool": "bool", "complex": "complex128"}
_SMALL = frozenset({"bool", "int8", "int16", "uint8", "uint16"})
_WIDE = frozenset({"int32", "int64", "uint32", "uint64"})

UFUNC: Mapping[type[cst.BaseBinaryOp] | type[cst.BaseAugOp], str] = {
    cst.Add: "add",
    cst.Subtract: "subtract",
    cst.Multiply: "multiply",
    cst.Divide: "divide",
    cst.FloorDivide: "floor_divide",
    cst.Modulo: "remainder",
    cst.Power: "power",
    cst.BitAnd: "bitwise_and",
    cst.BitOr: "bitwise_or",
    cst.BitXor: "bitwise_xor",
    cst.LeftShift: "left_shift",
    cst.RightShift: "right_shift",
    cst.AddAssign: "add",
    cst.SubtractAssign: "subtract",
    cst.MultiplyAssign: "multiply",
    cst.DivideAssign: "divide",
    cst.FloorDivideAssign: "floor_divide",
    cst.ModuloAssign: "remainder",
    cst.PowerAssign: "power",
    cst.BitAndAssign: "bitwise_and",
    cst.BitOrAssign: "bitwise_or",
    cst.BitXorAssign: "bitwise_xor",
    cst.LeftShiftAssign: "left_shift",
    cst.RightShiftAssign: "right_shift",
}


@dataclass(frozen=True)
class NumbaType:
    """A number or an array as Numba types it.

    Attributes
    ----------
    dtype : str
    array : bool
    weak : bool
        Whether NumPy sees a Python number here, which takes the dtype of the array beside it.
    """

    dtype: str
    array: bool
    weak: bool = False


def of_fact(fact: ValueFact | None) -> NumbaType | None:
    """Returns the type of a value that NumPy and Numba agree on, None where it is no number or array of numbers."""
    if fact is None:
        return None
    if fact.kind in _PYTHON:
        return NumbaType(_PYTHON[fact.kind], False, weak=True)
    if fact.kind in ("array", "scalar") and fact.dtype is not None and _is_number(fact.dtype):
        return NumbaType(fact.dtype, fact.kind == "array")
    return None


_CONSTANTS = frozenset(
    f"{module}.{name}" for module in ("numpy", "math") for name in ("pi", "e", "inf", "nan", "tau", "euler_gamma")
)


def literal_fact(node: cst.BaseExpression, names: Mapping[str, str]) -> ValueFact | None:
    """Returns the fact of a literal or of a constant such as `np.pi`, which nobody needs to observe."""
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus | cst.Plus):
        return literal_fact(node.expression, names)
    if isinstance(node, cst.Integer):
        return ValueFact("int", low=node.evaluated_value, high=node.evaluated_value)
    if isinstance(node, cst.Float):
        return ValueFact("float")
    if isinstance(node, cst.Imaginary):
        return ValueFact("complex")
    if isinstance(node, cst.Name) and node.value in ("True", "False"):
        return ValueFact("bool")
    if isinstance(node, cst.Name | cst.Attribute) and qualified(node, names) in _CONSTANTS:
        return ValueFact("float")
    return None


def _is_number(dtype: str) -> bool:
    try:
        return np.dtype(dtype).kind in "biufc"
    except TypeError:
        return False


def promoted(ufunc: str, left: NumbaType, right: NumbaType, operator: bool) -> str | None:
    """Returns the dtype that Numba gives ``left (op) right``; None where there is no such operation.

    Parameters
    ----------
    ufunc : str
        NumPy's name of the operation.
    left, right : NumbaType
    operator : bool
        True for ``a + b``, whose scalars follow Python's rules; False for ``np.add(a, b)``.
    """
    one, two = np.dtype(left.dtype), np.dtype(right.dtype)
    names = {left.dtype, right.dtype}
    kinds = {one.kind, two.kind}
    if operator and not left.array and not right.array:
        if kinds <= {"b", "i", "u"} and ufunc != "divide":
            if kinds == {"b"} and ufunc.startswith("bitwise"):
                return "bool"
            return "uint64" if kinds == {"u"} else "int64"
        if "uint16" in names and names & {"float32", "complex64"}:
            return "float64" if "float32" in names else "complex128"
        if kinds <= {"b", "i", "u"}:
            return "float64"
    else:
        if ufunc == "divide" and names <= _SMALL:
            return "float32"
        if names & _WIDE and names & {"float32", "complex64"}:
            return "float32" if "float32" in names else "complex64"
    try:
        loop = getattr(np, ufunc).resolve_dtypes((one, two, None))
    except (TypeError, AttributeError):
        return None
    return str(loop[-1])


class Variables:
    """What Numba makes of each local variable: the join of all that is assigned to it.

    A variable that begins as the Python float ``0.0`` and goes on as a NumPy float32 scalar is float64 in Numba: it is
    called *wide* here. Wide accumulators are kept, since they are more exact than NumPy's.

    Parameters
    ----------
    module : Module
    function : libcst.FunctionDef
    """

    def __init__(self, module: Module, function: cst.FunctionDef) -> None:
        self.module = module
        self._values: dict[str, list[NumbaType]] = {}
        self._sources: dict[str, list[cst.BaseExpression]] = {}
        self.wide: set[str] = set()
        function.visit(_Assignments(self))
        for parameter in (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params):
            self._add(parameter.name.value, module.fact(parameter.name))
        for name, values in self._values.items():
            if len({v.dtype for v in values}) > 1 and not any(v.array for v in values):
                self.wide.add(name)
        before = -1
        while before != len(self.wide):
            before = len(self.wide)
            for name, sources in self._sources.items():
                if any(self.is_wide(source) for source in sources):
                    self.wide.add(name)

    def _add(self, name: str, fact: ValueFact | None) -> None:
        found = of_fact(fact)
        if found is not None:
            self._values.setdefault(name, []).append(found)

    def fact(self, node: cst.BaseExpression) -> ValueFact | None:
        """Returns what was observed of an expression, or what a literal is."""
        return self.module.fact(node) or literal_fact(node, self.module.names)

    def assigned(self, name: str, value: cst.BaseExpression) -> None:
        """Takes note of one assignment."""
        self._add(name, self.fact(value))
        self._sources.setdefault(name, []).append(value)

    def dtype(self, name: str) -> str | None:
        """Returns the one dtype of a variable, None where it has several or is not known."""
        found = {v.dtype for v in self._values.get(name, ())}
        return found.pop() if len(found) == 1 else None

    def is_wide(self, node: cst.BaseExpression) -> bool:
        """Says whether a floating scalar is computed in more bits by Numba than by NumPy."""
        if isinstance(node, cst.Name):
            return node.value in self.wide
        fact = self.module.fact(node)
        if fact is not None and fact.kind not in ("scalar", "mixed"):
            return False
        if isinstance(node, cst.BinaryOperation):
            return self.is_wide(node.left) or self.is_wide(node.right)
        if isinstance(node, cst.UnaryOperation):
            return self.is_wide(node.expression)
        if isinstance(node, cst.IfExp):
            return self.is_wide(node.body) or self.is_wide(node.orelse)
        if isinstance(node, cst.Call):
            return fact is not None and any(self.is_wide(argument.value) for argument in node.args)
        return False

    def type(self, node: cst.BaseExpression) -> NumbaType | None:
        """Returns what Numba gives an expression, once it is rewritten."""
        found = of_fact(self.fact(node))
        if self.is_wide(node):
            kind = np.dtype(found.dtype).kind if found is not None else "f"
            if kind == "f":
                return NumbaType("float64", False, weak=True)
            if kind == "c":
                return NumbaType("complex128", False, weak=True)
            return NumbaType("int64", False, weak=True)
        return found


class _Assignments(Finder):
    def __init__(self, variables: Variables) -> None:
        super().__init__()
        self.variables = variables

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            self._pair(target.target, node.value)

    def _pair(self, target: cst.BaseExpression, value: cst.BaseExpression) -> None:
        if isinstance(target, cst.Name):
            self.variables.assigned(target.value, value)
        elif (
            isinstance(target, cst.Tuple)
            and isinstance(value, cst.Tuple)
            and len(target.elements) == len(value.elements)
        ):
            for one, other in zip(target.elements, value.elements, strict=True):
                self._pair(one.value, other.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        if isinstance(node.target, cst.Name):
            fact = self.variables.fact(node.value)
            if fact is not None and fact.kind != "array":
                self.variables.assigned(node.target.value, node.value)

    def visit_Name(self, node: cst.Name) -> None:
        # reads tell what an augmented assignment or an unpacking left in a variable
        self.variables._add(node.value, self.variables.module.fact(node))


def function_variables(module: Module, functions: Iterable[cst.FunctionDef]) -> dict[str, Variables]:
    """Returns the variables of each function by its name."""
    return {function.name.value: Variables(module, function) for function in functions}
