"""Which names a piece of source binds and reads, and names that are still free."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from jitmagic.generate.walking import Finder, nodes_of

_SCOPES = (cst.FunctionDef, cst.Lambda, cst.ClassDef)


def parameters(function: cst.FunctionDef | cst.Lambda) -> tuple[str, ...]:
    """Returns all parameter names in the order of the signature, with those of ``*args`` and ``**kwargs``."""
    p = function.params
    names = [x.name.value for x in (*p.posonly_params, *p.params)]
    if isinstance(p.star_arg, cst.Param):
        names.append(p.star_arg.name.value)
    names += [x.name.value for x in p.kwonly_params]
    if p.star_kwarg is not None:
        names.append(p.star_kwarg.name.value)
    return tuple(names)


def targets(target: cst.BaseExpression) -> tuple[str, ...]:
    """Returns the names that an assignment target binds; stores into elements or attributes bind none."""
    if isinstance(target, cst.Name):
        return (target.value,)
    if isinstance(target, cst.Tuple | cst.List):
        return tuple(n for e in target.elements for n in targets(e.value))
    if isinstance(target, cst.StarredElement):
        return targets(target.value)
    return ()


def bound(node: cst.CSTNode) -> frozenset[str]:
    """Returns the names that a function, or any statements, bind in their own scope.

    Parameters, assignments, loop and ``with`` targets, nested functions, comprehension targets and walruses
    count; what nested functions bind inside does not.
    """
    finder = _Bound(node)
    node.visit(finder)
    return frozenset(finder.names) - finder.outer


def loads(node: cst.CSTNode) -> frozenset[str]:
    """Returns the names that a piece of source reads, those in nested functions included.

    The name before a subscript or an attribute that is stored into is read; a name that is plainly assigned
    is not. An augmented assignment reads its target.
    """
    finder = _Loads()
    node.visit(finder)
    return frozenset(finder.names)


def captured(function: cst.FunctionDef) -> frozenset[str]:
    """Returns the names that functions inside a function read, whenever they are called.

    >>> sorted(captured(cst.parse_statement("def fn(x):\\n    return lambda t: t*x\\n")))
    ['t', 'x']
    """
    inner = [*nodes_of(function.body, cst.FunctionDef), *nodes_of(function.body, cst.Lambda)]
    return frozenset().union(*(loads(one) for one in inner))


def fresh(wanted: str, taken: Iterable[str]) -> str:
    """Returns ``wanted``, or with the fewest underscores behind it that are not taken.

    >>> fresh("jnp", {"jnp"})
    'jnp_'
    """
    used = set(taken)
    while wanted in used:
        wanted += "_"
    return wanted


def all_names(node: cst.CSTNode) -> frozenset[str]:
    """Returns every identifier that occurs in a piece of source, whatever its role."""
    finder = _All()
    node.visit(finder)
    return frozenset(finder.names)


class _All(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_Name(self, node: cst.Name) -> None:
        self.names.add(node.value)


class _Bound(Finder):
    def __init__(self, root: cst.CSTNode) -> None:
        super().__init__()
        self.root = root
        self.names: set[str] = set()
        self.outer: set[str] = set()
        if isinstance(root, cst.FunctionDef | cst.Lambda):
            self.names.update(parameters(root))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        if node is self.root:
            return True
        self.names.add(node.name.value)
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return node is self.root

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        self.names.add(node.name.value)
        return node is self.root

    def visit_Global(self, node: cst.Global) -> None:
        self.outer.update(item.name.value for item in node.names)

    def visit_Nonlocal(self, node: cst.Nonlocal) -> None:
        self.outer.update(item.name.value for item in node.names)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self.names.update(targets(node.target))

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self.names.update(targets(node.target))

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self.names.update(targets(node.target))

    def visit_For(self, node: cst.For) -> None:
        self.names.update(targets(node.target))

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self.names.update(targets(node.target))

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self.names.update(targets(node.target))

    def visit_AsName(self, node: cst.AsName) -> None:
        if isinstance(node.name, cst.Name | cst.Tuple | cst.List):
            self.names.update(targets(node.name))

    def visit_Import(self, node: cst.Import) -> bool:
        self.names.update(import_bindings(node))
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        self.names.update(import_bindings(node))
        return False


class _Loads(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self._stores: set[cst.CSTNode] = set()

    def _store(self, target: cst.CSTNode) -> None:
        if isinstance(target, cst.Name):
            self._stores.add(target)
        elif isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self._store(element.value)
        elif isinstance(target, cst.StarredElement):
            self._store(target.value)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._store(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._store(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._store(node.target)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self._store(node.target)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._store(node.target)

    def visit_AsName(self, node: cst.AsName) -> None:
        self._store(node.name)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._stores.add(node.name)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._stores.add(node.name)

    def visit_Param(self, node: cst.Param) -> None:
        self._stores.add(node.name)

    def visit_Arg(self, node: cst.Arg) -> None:
        if node.keyword is not None:
            self._stores.add(node.keyword)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self._stores.add(node.attr)

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_Name(self, node: cst.Name) -> None:
        if node not in self._stores:
            self.names.add(node.value)


def import_bindings(node: cst.Import | cst.ImportFrom) -> dict[str, str]:
    """Returns the names that an import statement binds, with their dotted paths.

    A star import binds names that cannot be read off the source: it gives none.
    """
    found: dict[str, str] = {}
    if isinstance(node.names, cst.ImportStar):
        return found
    stem = ""
    if isinstance(node, cst.ImportFrom):
        stem = (_path(node.module) if node.module is not None else "") + "."
    for alias in node.names:
        path = _path(alias.name)
        if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
            found[alias.asname.name.value] = stem + path
        elif isinstance(node, cst.ImportFrom):
            found[path] = stem + path
        else:
            head = path.split(".", 1)[0]
            found[head] = head
    return found


def _path(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_path(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""
