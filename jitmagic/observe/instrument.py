"""Rewrites a NumPy module so that running it reports what every expression evaluates to.

The rewritten module means what the module means: same order of evaluation, same exceptions, same side effects. What is
watched is sampled, so that it takes a small factor longer than the module itself (see `statements` and `guards`).
"""

from __future__ import annotations

import ast
import types
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from jitmagic.errors import Unsupported
from jitmagic.observe.expressions import Expressions, Site, load
from jitmagic.observe.facts import LoopFact, Span, ValueFact
from jitmagic.observe.guards import Guards
from jitmagic.observe.recorder import Recorder, WatchNames, merge
from jitmagic.observe.scopes import is_generator, lift_scopes
from jitmagic.observe.spans import SpanMap
from jitmagic.observe.statements import Statements

FILENAME = "<jitmagic workload>"
"""The file name that the frames of an observed module carry."""

_READS_LOCALS = frozenset({"locals", "vars", "dir", "eval", "exec"})


@dataclass(frozen=True)
class Instrumented:
    """A watched module, ready to be run in a namespace that holds ``recorder.bindings(names)``.

    Attributes
    ----------
    code : types.CodeType
        The compiled module.
    names : WatchNames
        Under which it calls its recorder.
    sites : tuple of Site
        Site number to its places.
    loops : tuple of int
        Loop number to its line.
    groups, gates : int
        How many guards and gates it has.
    catches : bool
        Whether it can go on after an exception (``try``, ``with``).
    """

    code: types.CodeType
    names: WatchNames
    sites: tuple[Site, ...]
    loops: tuple[int, ...]
    groups: int
    gates: int
    catches: bool

    def recorder(self, watch_seconds: float = float("inf")) -> Recorder:
        """Makes a recorder for one run."""
        return Recorder(
            tuple(site.index for site in self.sites), self.groups, len(self.loops), self.gates, watch_seconds
        )

    def expressions(self, recorder: Recorder) -> dict[Span, ValueFact]:
        """Returns the facts by place."""
        found: dict[Span, ValueFact] = {}
        for site, fact in zip(self.sites, recorder.facts(), strict=True):
            if fact is not None:
                for span in site.spans:
                    found[span] = merge(found[span], fact) if span in found else fact
        return found

    def loop_facts(self, recorder: Recorder, *, raised: bool) -> dict[int, LoopFact]:
        """Returns the facts of the loops by line; ``raised`` says whether the run ended with an exception."""
        facts = recorder.loops(exceptions=raised or self.catches)
        return {line: fact for line, fact in zip(self.loops, facts, strict=True) if fact is not None}


def instrument(text: str) -> Instrumented:
    """Rewrites and compiles a module.

    Parameters
    ----------
    text : str
        A module's source, as in ``Workload.module.text``.

    Raises
    ------
    SyntaxError
        Where the text is no Python.
    Unsupported
        Where a function looks at its own local variables, which the rewriting adds to.
    """
    tree = ast.parse(text, FILENAME)
    bound = Counter(_bindings(tree))
    _refuse_reads_of_locals(tree, bound)
    catches = any(isinstance(node, ast.Try | ast.TryStar | ast.With) for node in ast.walk(tree))
    names = WatchNames(_unused_prefix(text))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not is_generator(node)]
    plain = frozenset(node.name for node in functions if bound[node.name] == 1 and not node.decorator_list)
    expressions = Expressions(SpanMap(text), names, _imported_modules(tree), plain)
    guards = Guards()
    scopes: dict[int, list[ast.stmt]] = {}
    for function in functions:
        scopes |= lift_scopes(function)
        guards.add_function(function, guarded=catches)
    statements = Statements(expressions, guards, scopes)

    body: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not is_generator(node):
            body += (
                _both_versions(node, statements, names) if node.name in plain else [statements.watched_function(node)]
            )
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            body.append(ast.copy_location(ast.Assign(node.targets, expressions.watch(node.value)), node))
        else:
            body.append(node)
    tree.body = body
    ast.fix_missing_locations(tree)
    return Instrumented(
        compile(tree, FILENAME, "exec", dont_inherit=True),
        names,
        tuple(expressions.sites),
        tuple(statements.loops),
        guards.count,
        expressions.gates,
        catches,
    )


def _both_versions(function: ast.FunctionDef, statements: Statements, names: WatchNames) -> list[ast.stmt]:
    """Writes the plain version, kept under its own name, and the watched one, which has the function's name."""
    plain = statements.plain_function(function)
    watched = statements.watched_function(function)
    arguments = function.args
    given = [default for default in (*arguments.defaults, *arguments.kw_defaults) if default is not None]
    # A default is evaluated once; the two versions share its value, which may be a list that the function appends to.
    shared = any(not isinstance(default, ast.Constant) for default in given)
    stub = ast.copy_location(ast.Constant(None), function)
    plain.args = ast.arguments(
        posonlyargs=[_bare(a) for a in arguments.posonlyargs],
        args=[_bare(a) for a in arguments.args],
        vararg=arguments.vararg and _bare(arguments.vararg),
        kwonlyargs=[_bare(a) for a in arguments.kwonlyargs],
        kw_defaults=[d and (stub if shared else d) for d in arguments.kw_defaults],
        kwarg=arguments.kwarg and _bare(arguments.kwarg),
        defaults=[stub if shared else d for d in arguments.defaults],
    )
    plain.returns = None
    kept = ast.Assign([ast.Name(names.plain(function.name), ast.Store())], load(function, function.name))
    written: list[ast.stmt] = [plain, ast.copy_location(kept, function), watched]
    if shared:
        for attribute in ("__defaults__", "__kwdefaults__"):
            source = ast.Attribute(load(function, function.name), attribute, ast.Load())
            target = ast.Attribute(load(function, names.plain(function.name)), attribute, ast.Store())
            written.append(ast.copy_location(ast.Assign([target], source), function))
    return written


def _bare(argument: ast.arg) -> ast.arg:
    return ast.copy_location(ast.arg(argument.arg), argument)


def _unused_prefix(text: str) -> str:
    number = 0
    while (prefix := f"_jm{number}_") in text:
        number += 1
    return prefix


def _bindings(tree: ast.Module) -> Iterator[str]:
    """Yields a name for each place in a module, at whatever depth, that binds or declares it."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Name() if not isinstance(node.ctx, ast.Load):
                yield node.id
            case ast.arg():
                yield node.arg
            case ast.alias():
                yield (node.asname or node.name).split(".")[0]
            case ast.Global() | ast.Nonlocal():
                yield from node.names
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() if node.name:
                yield node.name
            case ast.MatchMapping() if node.rest:
                yield node.rest


def _imported_modules(tree: ast.Module) -> frozenset[str]:
    return frozenset(
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    )


def _refuse_reads_of_locals(tree: ast.Module, bound: Counter[str]) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _READS_LOCALS and not bound[node.id]:
            raise Unsupported(f"`{node.id}` reads the function's local variables, which watching adds to", node.lineno)
