"""Replacing one array module by another: every use of an imported path, then the block of imports.

A backend says what becomes of each use by a function of the use (:data:`Decide`); this file finds the uses, respects
locals that hide an import, spells the new paths by the imports that the backend offers, and writes
the imports that the result needs and no others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.module import Module, dotted, qualified
from jitmagic.generate.rewriter import Rewriter

_STANDARD = frozenset({"functools", "itertools", "math", "cmath", "operator", "typing", "collections", "warnings"})


@dataclass(frozen=True)
class Use:
    """One use of an imported path in the source.

    Attributes
    ----------
    path : str
        The dotted path: ``"numpy.linalg.norm"``.
    node : libcst.BaseExpression
        The name or the chain of attributes, for :meth:`Module.fact` and the like.
    call : libcst.Call or None
        The call whose function it is.
    line : int or None
        The user's line.
    """

    path: str
    node: cst.BaseExpression
    call: cst.Call | None
    line: int | None


Decide = Callable[[Use], str | cst.BaseExpression | None]
"""Says what becomes of a use: None keeps it, a dotted path from the root (``"jax.numpy.linalg.norm"``) is spelled by
the offered imports, an expression stands as it is; raises :class:`jitmagic.errors.Unsupported` to refuse."""


@dataclass(frozen=True)
class Offer:
    """An import that the result may use: ``Offer("jax.numpy", "jnp")`` is ``import jax.numpy as jnp``.

    Attributes
    ----------
    path : str
    name : str
        The name to bind; another one is taken where the user's source has it for something else.
    member : bool
        True for ``from functools import partial`` (``Offer("functools.partial", "partial", member=True)``).
    """

    path: str
    name: str
    member: bool = False


class Imports:
    """The imports of a module that is being rewritten: spells paths, remembers which are used.

    Parameters
    ----------
    module : Module
    offers : sequence of Offer
        What may be imported anew, in the order in which it shall stand.
    taken : iterable of str
        Names that must not be bound beside those in the module (``Workload.needs``).
    """

    def __init__(self, module: Module, offers: Sequence[Offer], taken: Iterable[str] = ()) -> None:
        self.module = module
        occupied = name_tools.all_names(module.tree) | set(taken)
        self.bindings: dict[str, str] = {}
        self.offers: list[Offer] = []
        for offer in offers:
            name = offer.name
            if module.names.get(name) != offer.path:
                name = name_tools.fresh(name, occupied)
            self.offers.append(Offer(offer.path, name, offer.member))

    def spell(self, path: str) -> cst.BaseExpression:
        """Returns the expression of a path by the longest offered import that begins it; LookupError if none does."""
        fitting = [o for o in self.offers if path == o.path or path.startswith(o.path + ".")]
        if not fitting:
            raise LookupError(f"no import is offered for {path}")
        best = max(fitting, key=lambda o: len(o.path))
        self.bindings[best.name] = best.path
        return dotted(best.name + path[len(best.path) :])

    def code(self, path: str) -> str:
        """Returns :meth:`spell` as text, for statements that are made from text."""
        return cst.Module([]).code_for_node(self.spell(path))

    def replace(self, tree: cst.Module, decide: Decide, paths: tuple[str, ...] = ("numpy",)) -> cst.Module:
        """Replaces the uses of every path that begins with one of ``paths`` as ``decide`` says."""
        return tree.visit(_Replacer(self, decide, paths))

    def write(self, tree: cst.Module, after: Sequence[str] = ()) -> tuple[cst.Module, dict[str, str]]:
        """Writes the block of imports anew: new ones first, then the user's that are still used.

        Parameters
        ----------
        tree : libcst.Module
        after : sequence of str
            Statements or comment lines to stand below the imports.

        Returns
        -------
        tree : libcst.Module
        names : dict of str to str
            The bindings of the result, for ``Draft.names``.
        """
        rest = [s for s in tree.body if not _is_import(s)]
        used: set[str] = set()
        for statement in rest:
            used |= name_tools.loads(statement)
        after_tree = cst.parse_module("\n".join(after) + "\n") if after else None
        if after_tree is not None:
            used |= name_tools.loads(after_tree)
        lines: dict[str, str] = {}
        bindings: dict[str, str] = {}
        for offer in self.offers:
            if offer.name in used and self.bindings.get(offer.name) == offer.path:
                bindings[offer.name] = offer.path
                lines.setdefault(_import_line(offer.path, offer.name, offer.member), offer.path)
        for statement in tree.body:
            if not isinstance(statement, cst.SimpleStatementLine) or not _is_import(statement):
                continue
            for small in statement.body:
                for name, path, line in _split(small):
                    if name == "*" or (name in used and name not in bindings):
                        if name != "*":
                            bindings[name] = path
                        lines.setdefault(line, path)
        ordered = sorted(lines, key=lambda line: (_group(lines[line]), not line.startswith("import"), line))
        body: list[Any] = []
        group = None
        for line in ordered:
            statement = cst.parse_statement(line)
            blank = group is not None and _group(lines[line]) != group
            body.append(statement.with_changes(leading_lines=[cst.EmptyLine(indent=False)] if blank else []))
            group = _group(lines[line])
        if after_tree is not None:
            first = True
            for statement in after_tree.body:
                lead = [cst.EmptyLine(indent=False)] if first else []
                comments = (*after_tree.header, *statement.leading_lines) if first else statement.leading_lines
                body.append(statement.with_changes(leading_lines=[*lead, *comments]))
                first = False
        if rest and body:
            rest[0] = _spaced(rest[0])
        return tree.with_changes(body=[*body, *rest]), bindings


def _is_import(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and all(
        isinstance(s, cst.Import | cst.ImportFrom) for s in statement.body
    )


def _import_line(path: str, name: str, member: bool) -> str:
    stem, _, last = path.rpartition(".")
    if member:
        return f"from {stem} import {last}" if last == name else f"from {stem} import {last} as {name}"
    return f"import {path}" if path == name else f"import {path} as {name}"


def _split(node: cst.BaseSmallStatement) -> list[tuple[str, str, str]]:
    """Returns one (name, path, source line) for every name that an import statement binds."""
    code = re.sub(r"\s+", " ", cst.Module([]).code_for_node(node.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)))
    assert isinstance(node, cst.Import | cst.ImportFrom)
    if isinstance(node.names, cst.ImportStar):
        return [("*", "", code)]
    found = []
    for alias in node.names:
        one = node.with_changes(
            names=[alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)],
            semicolon=cst.MaybeSentinel.DEFAULT,
            **({"lpar": None, "rpar": None} if isinstance(node, cst.ImportFrom) else {}),
        )
        line = cst.Module([]).code_for_node(one)
        for name, path in name_tools.import_bindings(one).items():
            found.append((name, path, line))
    return found


def _group(path: str) -> int:
    return 0 if path.split(".", 1)[0] in _STANDARD else 1


def _spaced(statement: Any) -> Any:
    """Sees to the blank lines above the first statement below the imports, its comments kept."""
    lines = list(statement.leading_lines)
    while lines and lines[0].comment is None:
        lines.pop(0)
    wanted = 2 if isinstance(statement, cst.FunctionDef) else 1
    return statement.with_changes(leading_lines=[*[cst.EmptyLine(indent=False)] * wanted, *lines])


class _Replacer(Rewriter):
    """Puts what ``decide`` says in the place of every use."""

    def __init__(self, imports: Imports, decide: Decide, paths: tuple[str, ...]) -> None:
        super().__init__(imports.module)
        self.imports = imports
        self.decide = decide
        self.paths = paths
        self.names: Mapping[str, str] = imports.module.names
        self.locals: list[frozenset[str]] = []
        self.calls: dict[cst.CSTNode, cst.Call] = {}
        self.skip: set[cst.CSTNode] = set()

    def _path(self, node: cst.BaseExpression) -> str | None:
        local = self.locals[-1] if self.locals else frozenset()
        path = qualified(node, self.names, local)
        if path is None or not any(path == p or path.startswith(p + ".") for p in self.paths):
            return None
        return path

    def _enter(self, node: cst.FunctionDef | cst.Lambda) -> None:
        outer = self.locals[-1] if self.locals else frozenset()
        self.locals.append(outer | name_tools.bound(node))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.skip.add(node.name)
        self._enter(node)

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self.locals.pop()
        return updated_node

    def visit_Lambda(self, node: cst.Lambda) -> None:
        self._enter(node)

    def leave_Lambda(self, original_node: cst.Lambda, updated_node: cst.Lambda) -> cst.Lambda:
        self.locals.pop()
        return updated_node

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_Param(self, node: cst.Param) -> None:
        self.skip.add(node.name)

    def visit_Arg(self, node: cst.Arg) -> None:
        if node.keyword is not None:
            self.skip.add(node.keyword)

    def visit_Call(self, node: cst.Call) -> None:
        self.calls[node.func] = node

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        self.skip.add(node.attr)
        return self._path(node) is None

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        return self._replaced(original_node, updated_node)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return updated_node if original_node in self.skip else self._replaced(original_node, updated_node)

    def _replaced(self, original: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression:
        path = self._path(original)
        if path is None:
            return updated
        use = Use(path, original, self.calls.get(original), self.module.line(original))
        answer = self.decide(use)
        if answer is None:
            return updated
        return self.imports.spell(answer) if isinstance(answer, str) else answer
