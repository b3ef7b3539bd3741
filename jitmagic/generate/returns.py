"""Which of its own parameters a function may return: the same object, under its name or under another one."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import libcst as cst

from jitmagic.analysis.scope import Scope, scope_of
from jitmagic.capture.workload import Workload
from jitmagic.generate import names as name_tools
from jitmagic.generate.walking import Finder
from jitmagic.observe.facts import Observation


def returned_parameters(function: cst.FunctionDef, among: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """Returns the parameters that may be what is returned, and whether it is the one there is on every path.

    Parameters
    ----------
    function : libcst.FunctionDef
    among : iterable of str
        The parameters that matter.

    Notes
    -----
    Followed are plain assignments of names, swaps among them: after ``a, b = b, a`` either may be either.
    """
    finder = _Finder()
    function.body.visit(finder)
    reached = {name for name in finder.returned if name is not None}
    while True:
        more = {source for target, source in finder.aliases if target in reached} - reached
        if not more:
            break
        reached |= more
    found = tuple(name for name in among if name in reached)
    certain = len(found) == 1 and set(finder.returned) == set(found) and found[0] not in finder.bound
    return found, certain


def returned_parts(workload: Workload, observed: Observation, among: Iterable[str]) -> tuple[str | None, ...] | None:
    """Tells which elements of a returned tuple are parameters themselves: ``("u", None)`` for ``return u, u.sum()``.

    Parameters
    ----------
    workload, observed
    among : iterable of str
        The parameters that matter.

    Returns
    -------
    tuple of (str or None), or None
        None where not every ``return`` is such a tuple, or where another element may be a view of one of them.
    """
    scope = scope_of(workload.module.text, workload.function.name, workload.names, observed)
    wanted = frozenset(among)
    bound = {node.id for node in ast.walk(scope.function) if isinstance(node, ast.Name) and _is_rebound(node, scope)}
    found: set[tuple[str | None, ...]] = set()
    for node in ast.walk(scope.function):
        if not isinstance(node, ast.Return):
            continue
        if not isinstance(node.value, ast.Tuple):
            return None
        parts: list[str | None] = []
        for element in node.value.elts:
            if isinstance(element, ast.Name) and element.id in wanted and element.id not in bound:
                parts.append(element.id)
                continue
            names = scope.aliases.names_in(element)
            if any(scope.may_share(name, one) for name in names for one in wanted):
                return None
            parts.append(None)
        found.add(tuple(parts))
    return found.pop() if len(found) == 1 else None


def _is_rebound(node: ast.Name, scope: Scope) -> bool:
    return isinstance(node.ctx, ast.Store) and not isinstance(scope.tree.parents.get(node), ast.AugAssign)


class _Finder(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.returned: list[str | None] = []
        self.aliases: list[tuple[str, str]] = []
        self.bound: set[str] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False

    def visit_Return(self, node: cst.Return) -> None:
        values: list[cst.BaseExpression | None] = [node.value]
        while values:
            value = values.pop()
            if isinstance(value, cst.IfExp):
                values += [value.body, value.orelse]
            else:
                self.returned.append(value.value if isinstance(value, cst.Name) else None)

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            self._assigned(target.target, node.value)

    def visit_For(self, node: cst.For) -> None:
        self.bound.update(name_tools.targets(node.target))

    def _assigned(self, target: cst.BaseExpression, value: cst.BaseExpression) -> None:
        if isinstance(target, cst.Tuple | cst.List):
            values = value.elements if isinstance(value, cst.Tuple | cst.List) else ()
            if len(values) == len(target.elements):
                for one, two in zip(target.elements, values, strict=True):
                    self._assigned(one.value, two.value)
                return
        if isinstance(target, cst.Name):
            self.bound.add(target.value)
            if isinstance(value, cst.IfExp):
                self._assigned(target, value.body)
                self._assigned(target, value.orelse)
            elif isinstance(value, cst.Name):
                self.aliases.append((target.value, value.value))
        elif isinstance(target, cst.Tuple | cst.List):
            self.bound.update(name_tools.targets(target))
