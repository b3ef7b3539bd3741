"""Readies functions for having their bodies written twice."""

from __future__ import annotations

import ast

from jitmagic.observe.guards import inside


def is_generator(function: ast.FunctionDef) -> bool:
    """Says whether a function has a ``yield`` of its own."""
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for statement in function.body for node in inside(statement))


class _Lifter(ast.NodeTransformer):
    """Takes ``global`` and ``nonlocal`` out of a function's own body, and collects the functions in it."""

    def __init__(self) -> None:
        self.taken: list[ast.stmt] = []
        self.functions: list[ast.FunctionDef] = []

    def _take(self, node: ast.Global | ast.Nonlocal) -> ast.stmt:
        self.taken.append(node)
        return ast.copy_location(ast.Pass(), node)

    visit_Global = _take
    visit_Nonlocal = _take

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.functions.append(node)
        return node

    def _stay(self, node: ast.AST) -> ast.AST:
        return node

    visit_AsyncFunctionDef = _stay
    visit_ClassDef = _stay
    visit_Lambda = _stay


def lift_scopes(function: ast.FunctionDef) -> dict[int, list[ast.stmt]]:
    """Replaces ``global`` and ``nonlocal`` by ``pass`` in a function and in those within it.

    Python allows such a statement once, before the name's first use, so that it cannot stand in both copies of a body.

    Returns
    -------
    dict of int to list of ast.stmt
        What was taken out of each function, by the function's id. Generators are left as they are.
    """
    if is_generator(function):
        return {}
    lifter = _Lifter()
    function.body = [lifter.visit(statement) for statement in function.body]
    taken = {id(function): lifter.taken}
    for nested in lifter.functions:
        taken |= lift_scopes(nested)
    return taken
