"""Names: what each function binds, what it reads from outside, and which library function an expression means.

>>> from jitmagic.analysis.tree import SourceTree
>>> tree = SourceTree("def fn(x, k):\\n    y = np.linalg.norm(x)\\n    return y * scale\\n", "fn")
>>> names = Names(tree, {"np": "numpy"})
>>> names.path(tree.entry.body[0].value.func)
'numpy.linalg.norm'
>>> scope = names.scope(tree.entry)
>>> scope.parameters, sorted(scope.local), sorted(scope.free)
(('x', 'k'), ['k', 'x', 'y'], ['np', 'scale'])

For the names of a tree that is being rewritten there is `jitmagic.generate.names` (LibCST); for the order in which a
loop's body reads and assigns them, `jitmagic.analysis.scalars`.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jitmagic.analysis.tree import Comprehension, FunctionNode, SourceTree, own_nodes, parameter_nodes, target_names

SAME = {
    "numpy.amax": "numpy.max", "numpy.amin": "numpy.min", "numpy.around": "numpy.round", "numpy.round_": "numpy.round",
    "numpy.abs": "numpy.absolute", "numpy.conj": "numpy.conjugate", "numpy.row_stack": "numpy.vstack",
    "numpy.trapz": "numpy.trapezoid", "numpy.concat": "numpy.concatenate", "numpy.permute_dims": "numpy.transpose",
    "numpy.pow": "numpy.power", "numpy.product": "numpy.prod", "numpy.divide": "numpy.true_divide",
    "numpy.float_": "numpy.float64", "numpy.double": "numpy.float64", "numpy.single": "numpy.float32",
    "numpy.acos": "numpy.arccos", "numpy.asin": "numpy.arcsin", "numpy.atan": "numpy.arctan",
    "numpy.atan2": "numpy.arctan2", "numpy.random.random_sample": "numpy.random.random",
}  # fmt: skip
"""NumPy's second names, so that a rule asks for one."""


@dataclass(frozen=True)
class Scope:
    """The names of one function, lambda or comprehension.

    Attributes
    ----------
    parameters : tuple of str
        In the order of the signature.
    local : frozenset of str
        Names bound here, parameters included; names declared ``global`` or ``nonlocal`` are not.
    free : frozenset of str
        Names read or written here that are bound outside; builtins are not among them.
    declared_global : frozenset of str
        Names under a ``global`` statement.
    """

    parameters: tuple[str, ...]
    local: frozenset[str]
    free: frozenset[str]
    declared_global: frozenset[str] = field(default=frozenset())


class Names:
    """Scopes of a module and the meaning of dotted expressions.

    Parameters
    ----------
    tree : SourceTree
    imports : mapping of str to str
        ``Workload.names``: free names with their dotted path. Imports that the text itself makes are added.
    """

    def __init__(self, tree: SourceTree, imports: Mapping[str, str]) -> None:
        self.tree = tree
        self._imports = {**_imports(tree.module.body), **imports}
        self._bound: dict[ast.AST, list[tuple[str, ast.AST]]] = {}
        self._module_names = {name for name, _ in _bindings(tree.module)}
        self._scopes: dict[ast.AST, Scope] = {}
        for node in ast.walk(tree.module):
            if isinstance(node, FunctionNode | Comprehension):
                self._scopes[node] = _scope(node)

    def scope(self, function: ast.AST) -> Scope:
        """Returns the scope of a function, lambda or comprehension node."""
        return self._scopes[function]

    def binder(self, name: ast.Name) -> ast.AST | None:
        """Returns the function, lambda or comprehension that binds a name; None where it comes from the module."""
        for parent in self.tree.ancestors(name):
            scope = self._scopes.get(parent)
            if scope is None:
                continue
            if name.id in scope.declared_global:
                return None
            if name.id in scope.local:
                return parent
        return None

    def path(self, expression: ast.AST) -> str | None:
        """Returns the dotted path of what an expression stands for, None where it is a value or a local name.

        Second names are folded (``np.amax`` gives ``"numpy.max"``), builtins begin with ``"builtins."``.
        """
        found = self._path(expression, depth=0)
        return SAME.get(found, found) if found is not None else None

    def helper(self, expression: ast.AST) -> ast.FunctionDef | None:
        """Returns the `def` in this module that an expression calls, nested ones included."""
        if not isinstance(expression, ast.Name):
            return None
        binder = self.binder(expression)
        if binder is None:
            return None if expression.id in self._imports else self.tree.functions.get(expression.id)
        bound = self.values(binder, expression.id)
        return bound[0] if len(bound) == 1 and isinstance(bound[0], ast.FunctionDef) else None

    def values(self, function: ast.AST, name: str) -> list[ast.AST]:
        """Returns what is bound to a name in a function: the value of ``name = value``, else the binding node itself.

        Augmented assignments stand as themselves; parameters give their `ast.arg`.
        """
        if function not in self._bound:
            self._bound[function] = list(_bindings(function))
        return [value for bound, value in self._bound[function] if bound == name]

    def import_names(self) -> Mapping[str, str]:
        """Returns the free names that stand for importable things, with their paths."""
        return dict(self._imports)

    def _path(self, expression: ast.AST, depth: int) -> str | None:
        if isinstance(expression, ast.Attribute):
            head = self._path(expression.value, depth)
            return f"{head}.{expression.attr}" if head is not None else None
        if not isinstance(expression, ast.Name) or depth > 4:
            return None
        binder = self.binder(expression)
        if binder is not None:
            bound = self.values(binder, expression.id)
            if len(bound) == 1 and isinstance(bound[0], ast.Import | ast.ImportFrom):
                return _imports([bound[0]]).get(expression.id)
            if len(bound) == 1 and isinstance(bound[0], ast.Name | ast.Attribute):  # sqrt = np.sqrt
                return self._path(bound[0], depth + 1)
            return None
        if expression.id in self._imports:
            return self._imports[expression.id]
        if expression.id in self.tree.functions or expression.id in self._module_names:
            return None
        return f"builtins.{expression.id}" if hasattr(builtins, expression.id) else None


def _imports(body: list[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    found[alias.asname] = alias.name
                else:
                    found[alias.name.split(".")[0]] = alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _bindings(scope: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yields (name, value) for every binding of a scope; the value is the binding node where there is no expression."""
    if isinstance(scope, FunctionNode):
        for parameter in parameter_nodes(scope):
            yield parameter.arg, parameter
    if isinstance(scope, Comprehension):
        for generator in scope.generators:
            for name in target_names(generator.target):
                yield name.id, generator
        return
    if isinstance(scope, ast.Lambda):
        return
    for node in own_nodes(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
                elif isinstance(target, ast.Tuple | ast.List):
                    yield from _unpacked(target, node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node
        elif isinstance(node, ast.NamedExpr):
            yield node.target.id, node.value
        elif isinstance(node, ast.For | ast.AsyncFor):
            for name in target_names(node.target):
                yield name.id, node
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if item.optional_vars is not None:
                    for name in target_names(item.optional_vars):
                        yield name.id, item
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name.split(".")[0], node
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            yield node.name, node


def _unpacked(target: ast.Tuple | ast.List, node: ast.Assign) -> Iterator[tuple[str, ast.AST]]:
    values = node.value.elts if isinstance(node.value, ast.Tuple | ast.List) else None
    plain = not any(isinstance(e, ast.Starred) for e in [*target.elts, *(values or [])])
    for position, element in enumerate(target.elts):
        if values is not None and plain and len(values) == len(target.elts) and isinstance(element, ast.Name):
            yield element.id, values[position]
        else:
            for name in target_names(element):
                yield name.id, node


def _scope(node: ast.AST) -> Scope:
    parameters = tuple(p.arg for p in parameter_nodes(node)) if isinstance(node, FunctionNode) else ()
    outer: set[str] = set()
    declared_global: set[str] = set()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for child in own_nodes(node):
            if isinstance(child, ast.Global):
                declared_global |= set(child.names)
            if isinstance(child, ast.Global | ast.Nonlocal):
                outer |= set(child.names)
    local = {name for name, _ in _bindings(node)} - outer
    used = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    # A name that only a nested function binds is that function's own; here it counts as free only if read directly.
    inner: set[str] = set()
    for child in ast.walk(node):
        if child is not node and isinstance(child, FunctionNode | Comprehension):
            inner |= {name for name, _ in _bindings(child)}
    direct = {
        child.id
        for child in (own_nodes(node) if not isinstance(node, ast.Lambda) else ast.walk(node.body))
        if isinstance(child, ast.Name)
    }
    free = {name for name in used - local if name in direct - inner or name not in inner}
    free = {name for name in free if not hasattr(builtins, name) or name in outer}
    return Scope(parameters, frozenset(local), frozenset(free), frozenset(declared_global))
