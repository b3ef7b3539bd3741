"""What of a function `parallel=True` would run in threads, besides the loops over `prange`.

Numba makes a parallel loop, and compiles a kernel for it, of arithmetic on arrays, of arrays that are filled when they
are made (`np.zeros`, not `np.empty`), and of stores into parts of arrays.
"""

from __future__ import annotations

from collections.abc import Container

import libcst as cst

from jitmagic.backends.numba.nests.run import NUMBERS
from jitmagic.backends.numba.typing_model import literal_fact
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.walking import Finder, nodes_of

_FUNCTIONS = frozenset({"range", "prange", "len", "int", "float", "bool", "abs", "min", "max", "round"})


class Threads:
    """Says of statements of a function whether it is certain that there is nothing of the kind in them.

    Parameters
    ----------
    module : Module
    function : libcst.FunctionDef
        The function as the user wrote it.
    helpers : container of str
        Functions that are compiled by themselves.
    """

    def __init__(self, module: Module, function: cst.FunctionDef, helpers: Container[str]) -> None:
        self.module = module
        self.helpers = helpers
        seen: dict[str, set[str]] = {}
        for node in nodes_of(function, cst.Name):
            fact = module.fact(node)
            if fact is not None:
                seen.setdefault(node.value, set()).add(fact.kind)
        arguments = module.observed.arguments if module.observed is not None else {}
        for name, fact in arguments.items():
            seen.setdefault(name, set()).add(fact.kind)
        self._numbers = {name for name, kinds in seen.items() if kinds <= NUMBERS}

    def none(self, statement: cst.CSTNode) -> bool:
        """Says so of one statement."""
        finder = _Kernels(self)
        statement.visit(finder)
        return not finder.found

    def is_number(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression is certainly no array."""
        fact = self.module.fact(node) or literal_fact(node, self.module.names)
        if fact is not None:
            return fact.kind in NUMBERS
        if isinstance(node, cst.Name):
            return node.value in self._numbers
        if isinstance(node, cst.BinaryOperation):
            return self.is_number(node.left) and self.is_number(node.right)
        if isinstance(node, cst.UnaryOperation):
            return self.is_number(node.expression)
        shape = node.value if isinstance(node, cst.Subscript) else None
        return isinstance(shape, cst.Attribute) and shape.attr.value == "shape"


class _Kernels(Finder):
    def __init__(self, threads: Threads) -> None:
        super().__init__()
        self._threads = threads
        self.found = False

    def _number(self, *nodes: cst.BaseExpression) -> None:
        self.found = self.found or not all(map(self._threads.is_number, nodes))

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        self._number(node)

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> None:
        self._number(node)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        self._number(node.left, *(one.comparator for one in node.comparisons))

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._number(node.target, node.value)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        # a store into a part of an array; its index may be an array, too
        self.found = self.found or isinstance(node.target, cst.Subscript)

    def visit_Call(self, node: cst.Call) -> None:
        name = node.func.value if isinstance(node.func, cst.Name) else None
        if name in _FUNCTIONS or (name is not None and name in self._threads.helpers):
            return
        if qualified(node.func, self._threads.module.names) not in ("numpy.empty", "numpy.empty_like"):
            self._number(node)

    def visit_ListComp(self, node: cst.ListComp) -> None:
        self.found = True

    def visit_GeneratorExp(self, node: cst.GeneratorExp) -> None:
        self.found = True
