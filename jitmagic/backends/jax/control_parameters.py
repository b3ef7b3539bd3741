"""Finds the int parameters that JAX has to know as constants: what decides a branch, a shape or how a loop is written.

Traced numbers cannot choose between Python's branches, bound a list, or be given as an axis. Which of the entry's
parameters do so is seen in the text before anything is traced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import libcst as cst

from jitmagic.backends.jax import functions as known_functions
from jitmagic.backends.jax.outputs import appended
from jitmagic.backends.jax.tracing import loop_line
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, statements, with_body
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.walking import Finder
from jitmagic.observe.facts import ValueFact


def control_parameters(
    module: Module, function: cst.FunctionDef, parts: Iterable[cst.FunctionDef],
    arguments: Mapping[str, ValueFact], written_out: frozenset[int],
) -> frozenset[str]:  # fmt: skip
    """Returns int parameters that choose between branches or count loops written out: constants for the compiler.

    Parameters
    ----------
    module : Module
    function : libcst.FunctionDef
        The entry.
    parts : iterable of libcst.FunctionDef
        Functions that stood in it: what they read of it goes by the same name.
    arguments : mapping of str to ValueFact
    written_out : frozenset of int
        Lines (of the module's text) of the loops that are written out.
    """
    numbers = {n for n, f in arguments.items() if f.kind in ("int", "float") and n in name_tools.parameters(function)}
    integers = {n for n in numbers if arguments[n].kind == "int"}
    values = _AssignedValues()
    function.visit(values)
    finder = _ControlFinder(module, integers, numbers, values.found, written_out, name_tools.bound(function))
    function.visit(finder)
    for part in parts:
        part.visit(values)
        part.visit(finder)
    assigned = name_tools.bound(with_body(cst.For(cst.Name("_"), cst.Name("_"), function.body), statements(function)))
    return frozenset(finder.found - assigned)


class _AssignedValues(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.BaseExpression, cst.BaseExpression]] = []

    def visit_Assign(self, node: cst.Assign) -> None:
        self.found += [(target.target, node.value) for target in node.targets]


def _steps_by_a_name(iterated: cst.BaseExpression) -> bool:
    """Says whether a range counts by a step that does not stand in the source: how often is not known then."""
    if not isinstance(iterated, cst.Call) or code(iterated.func) != "range" or len(iterated.args) != 3:
        return False
    step = iterated.args[2].value
    return not isinstance(step.expression if isinstance(step, cst.UnaryOperation) else step, cst.Integer)


def _appending(node: cst.For) -> bool:
    """Says whether each step of a loop appends to a list."""
    return any(appended(s) is not None for s in statements(node))


class _ControlFinder(Finder):
    def __init__(
        self, module: Module, integers: set[str], numbers: set[str],
        assigned: list[tuple[cst.BaseExpression, cst.BaseExpression]], written_out: frozenset[int],
        local: frozenset[str],
    ) -> None:  # fmt: skip
        super().__init__()
        self.module = module
        self.integers = integers
        self.numbers = numbers
        self.assigned = assigned
        self.local = local
        self.written_out = written_out
        self.found: set[str] = set()

    def _test(self, node: cst.BaseExpression) -> None:
        names = {n for n in name_tools.loads(node) if n not in ("None", "True", "False")}
        if names and names <= self.integers:
            self.found |= names

    def visit_If(self, node: cst.If) -> None:
        self._test(node.test)

    def visit_IfExp(self, node: cst.IfExp) -> None:
        self._test(node.test)

    def visit_For(self, node: cst.For) -> None:
        if isinstance(node.iter, cst.Call) and loop_line(self.module, node) in self.written_out:
            self.found |= name_tools.loads(node.iter) & self.integers
        if _steps_by_a_name(node.iter):
            self.found |= self.behind(name_tools.loads(node.iter)) & self.integers
        if _appending(node):
            # how long a list becomes is a shape
            self.found |= self.behind(name_tools.loads(node.iter)) & self.numbers

    def visit_Call(self, node: cst.Call) -> None:
        path = qualified(node.func, self.module.names, self.local)
        known = path in known_functions.PATHS
        if path is not None and path.startswith("numpy.") and not known and ".random" not in path:
            # JAX has no such function: NumPy computes it while JAX traces, from plain numbers
            for argument in node.args:
                self.found |= name_tools.loads(argument.value) & self.integers

    def behind(self, names: frozenset[str]) -> frozenset[str]:
        """Returns names with all those from whose values they are computed."""
        seen: set[str] = set()
        left = set(names)
        while left:
            name = left.pop()
            seen.add(name)
            for target, value in self.assigned:
                if name in name_tools.targets(target):
                    left |= name_tools.loads(value) - seen
        return frozenset(seen)

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        if isinstance(node.operator, cst.Multiply):
            for one, other in ((node.left, node.right), (node.right, node.left)):
                if isinstance(one, cst.List):
                    # how long a list becomes
                    self.found |= self.behind(name_tools.loads(other)) & self.integers

    def visit_Slice(self, node: cst.Slice) -> None:
        for bound in (node.lower, node.upper, node.step):
            if bound is not None:
                self.found |= self.behind(name_tools.loads(bound)) & self.integers

    def visit_Arg(self, node: cst.Arg) -> None:
        if node.keyword is not None and node.keyword.value in (
            "axis",
            "axes",
            "k",
            "ddof",
            "ndmin",
            "n",
            "order",
            "decimals",
        ):
            self.found |= name_tools.loads(node.value) & self.integers
