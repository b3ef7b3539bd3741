"""Lists what a function's source reads from outside: free names, and dotted names that start at one.

>>> import ast
>>> node = ast.parse("def f(x, n=N):\\n    return np.sin(x) * scale + n\\n").body[0]
>>> sorted(scope(node).reads)
['np', 'scale']
"""

from __future__ import annotations

import ast
import copy
import symtable
from collections.abc import Collection, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """The names of one function's body; annotations and defaults of its own signature are looked at apart.

    Attributes
    ----------
    reads : tuple of str
        Names that are looked up outside the function, in the order in which they appear.
    writes : tuple of str
        Names that it binds outside (``global``).
    bound : frozenset of str
        Names that it binds inside, also in the functions within it.
    """

    reads: tuple[str, ...]
    writes: tuple[str, ...]
    bound: frozenset[str]


def scope(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Scope:
    """Finds the free names of a function that stands at the top level of a module."""
    plain = copy.deepcopy(node)
    plain.decorator_list = []
    plain.returns = None
    for each in parameters(plain):
        each.annotation = None
    plain.args.defaults = [ast.Constant(None) for _ in plain.args.defaults]
    plain.args.kw_defaults = [each and ast.Constant(None) for each in plain.args.kw_defaults]
    return _scope(ast.unparse(ast.fix_missing_locations(plain)), node)


def expression_reads(expression: ast.expr) -> tuple[str, ...]:
    """Lists the free names of an expression that stands in a signature."""
    reads = _scope(f"({ast.unparse(expression)})", expression).reads
    named = {each.id for each in ast.walk(expression) if isinstance(each, ast.Name)}
    return tuple(each for each in reads if each in named)


def _scope(source: str, node: ast.AST) -> Scope:
    table = symtable.symtable(source, "<source>", "exec")
    reads, writes, bound = set(), set(), set()
    for each in _tables(table):
        for symbol in each.get_symbols():
            outside = symbol.is_global() or (each is table and not symbol.is_assigned() and symbol.is_referenced())
            if outside and (symbol.is_referenced() or symbol.is_declared_global()):
                reads.add(symbol.get_name())
            if symbol.is_declared_global() and symbol.is_assigned():
                writes.add(symbol.get_name())
            if not outside:
                bound.add(symbol.get_name())
    order = {name: index for index, name in enumerate(_appearing(node))}
    last = len(order)
    return Scope(
        tuple(sorted(reads, key=lambda name: (order.get(name, last), name))), tuple(sorted(writes)), frozenset(bound)
    )


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


def _appearing(node: ast.AST) -> Iterator[str]:
    names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
    yield from dict.fromkeys(each.id for each in sorted(names, key=lambda each: (each.lineno, each.col_offset)))


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.arg]:
    """Yields the parameters of a function, ``*args`` and ``**kwargs`` among them."""
    arguments = node.args
    yield from (*arguments.posonlyargs, *arguments.args)
    if arguments.vararg is not None:
        yield arguments.vararg
    yield from arguments.kwonlyargs
    if arguments.kwarg is not None:
        yield arguments.kwarg


def line_of(node: ast.AST, name: str) -> int | None:
    """Finds the first line on which a name appears."""
    lines = [each.lineno for each in ast.walk(node) if isinstance(each, ast.Name) and each.id == name]
    lines += [each.lineno for each in ast.walk(node) if isinstance(each, ast.Global) and name in each.names]
    return min(lines, default=None)


@dataclass(frozen=True)
class Chain:
    """A dotted name as it is used: ``np.linalg.norm`` has the root ``np`` and the nodes of its two attributes."""

    root: ast.Name
    attributes: tuple[ast.Attribute, ...]


def chains(node: ast.AST, roots: Collection[str], skipped: Collection[int] = ()) -> Iterator[Chain]:
    """Yields the dotted names that start at one of ``roots``, each at its full length.

    Parameters
    ----------
    node : ast node
    roots : collection of str
    skipped : collection of int
        ``id`` of nodes that are not entered.
    """
    if id(node) in skipped:
        return
    attributes: list[ast.Attribute] = []
    inner = node
    while isinstance(inner, ast.Attribute):
        attributes.append(inner)
        inner = inner.value
    if attributes and isinstance(inner, ast.Name):
        if inner.id in roots:
            yield Chain(inner, tuple(reversed(attributes)))
        return
    if isinstance(node, ast.Name) and node.id in roots:
        yield Chain(node, ())
        return
    for child in ast.iter_child_nodes(node):
        yield from chains(child, roots, skipped)
