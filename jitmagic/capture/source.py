"""Finds the source of a live function, and proves that it is the source that runs.

A file may have been edited since it was imported, and a name may have been bound anew: the text that is found is
compiled, and its bytecode compared with the live function's.
"""

from __future__ import annotations
import __future__

import ast
import copy
import inspect
import os
import types
from collections.abc import Iterator, Mapping, Sequence

from jitmagic.capture.definitions import Definition, FunctionNode, of_function, of_lambda, source_lines
from jitmagic.capture.workload import SourceFunction
from jitmagic.errors import CaptureError

FUTURE_FLAGS = 0
for _feature in __future__.all_feature_names:
    FUTURE_FLAGS |= getattr(__future__, _feature).compiler_flag


def find_definition(
    function: types.FunctionType, name: str, sources: Mapping[str, SourceFunction], line: int | None = None
) -> Definition:
    """Finds the definition of a live function: in ``sources`` first, else in its file or notebook cell.

    Parameters
    ----------
    function : FunctionType
        A plain Python function.
    name : str
        The name that a lambda gets in the source.
    sources : mapping of str to SourceFunction
        Source known already, by name.
    line : int, optional
        Line of the user's code that asks for the function, for the error.

    Raises
    ------
    CaptureError
        Where there is no source, or where it is not the source of this function any more.
    """
    code = function.__code__
    shown = name if code.co_name == "<lambda>" else code.co_name
    known = sources.get(shown)
    decorated = known if isinstance(known, Definition) and known.decorators else None
    if known is not None:
        definition = _as_definition(known)
        if definition.node is not None and same_code(function, definition.node, definition.tree):
            return definition
    given = {id(each.tree): each for each in sources.values() if isinstance(each, Definition) and each.tree is not None}
    for each in given.values():
        assert each.tree is not None
        found = _search(function, name, each.tree, each.text, each.origin)
        if found is not None:
            return found
    try:
        whole, _ = inspect.findsource(code)
    except (OSError, IndexError) as error:
        if decorated is not None:
            raise replaced(decorated) from error
        raise CaptureError(
            f"`{shown}` is a function without source ({code.co_filename}, line {code.co_firstlineno}): put it in the "
            "cell or in a file.",
            line,
        ) from error
    source = "".join(whole)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        raise _changed(function, shown, line) from None
    origin = code.co_filename if os.path.isfile(code.co_filename) else "cell"
    found = _search(function, name, tree, source_lines(source), origin)
    if found is None:
        raise _changed(function, shown, line)
    return found


def _search(
    function: types.FunctionType, name: str, tree: ast.Module, lines: Sequence[str], origin: str
) -> Definition | None:
    """Finds the definition in a tree that compiles to what a live function runs; those on its line first."""
    code = function.__code__
    nodes = [each for each in ast.walk(tree) if isinstance(each, FunctionNode) and _named(each, code.co_name)]
    nodes.sort(key=lambda each: code.co_firstlineno not in (_first_line(each), each.lineno))
    for node in nodes:
        if not same_code(function, node, tree):
            continue
        if isinstance(node, ast.Lambda):
            return of_lambda(node, _assigned_name(tree, node) or name, lines, origin, tree)
        return of_function(node, lines, origin, tree)
    if nodes and "@pytest_ar" in code.co_names and code.co_firstlineno == _first_line(nodes[0]):
        # pytest rewrites the asserts of a test file, and nothing else.
        return None if isinstance(nodes[0], ast.Lambda) else of_function(nodes[0], lines, origin, tree)
    return None


def replaced(definition: Definition) -> CaptureError:
    """Makes the error for a decorator that gives back another function than the one that is written."""
    decorator = definition.decorators[0]
    return CaptureError(
        f"`{definition.name}` cannot be captured: the decorator @{decorator.text} (line {decorator.line}) puts another "
        "function in its place, which may change its result; take the decorator off.",
        decorator.line,
    )


def same_code(function: types.FunctionType, node: FunctionNode, tree: ast.Module | None = None) -> bool:
    """Says whether a definition compiles to the bytecode that a live function runs.

    Python compiles ``np.sin(x)`` in a function differently where the same compilation holds ``import numpy as np``. A
    file is compiled as a whole, and a notebook's cell statement by statement: each of these contexts is tried.
    """
    live = function.__code__
    contexts = [_alone(node, live.co_freevars)]
    if tree is not None:
        contexts += [ast.Module([each], []) for each in tree.body if any(inner is node for inner in ast.walk(each))]
        contexts += [tree]
    for context in contexts:
        try:
            compiled = compile(context, "<source>", "exec", flags=live.co_flags & FUTURE_FLAGS, dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        if any(
            _same(live, each)
            for each in _codes(compiled)
            if each.co_name == live.co_name and each.co_firstlineno in (_first_line(node), node.lineno)
        ):
            return True
    return False


def _alone(node: FunctionNode, cells: Sequence[str]) -> ast.Module:
    """Makes a module that holds a definition and nothing else; a function around it makes its cells cells."""
    if isinstance(node, ast.Lambda):
        body: list[ast.stmt] = [ast.Expr(copy.deepcopy(node))]
    else:
        plain = copy.deepcopy(node)
        plain.decorator_list = []
        body = [plain]
    if cells:
        around = ast.parse(f"def around({', '.join(cells)}): pass").body[0]
        assert isinstance(around, ast.FunctionDef)
        around.body = body
        body = [around]
    return ast.fix_missing_locations(ast.Module(body, []))


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield each
            yield from _codes(each)


def _same(one: types.CodeType, other: types.CodeType) -> bool:
    attributes = (
        "co_code",
        "co_names",
        "co_varnames",
        "co_freevars",
        "co_cellvars",
        "co_argcount",
        "co_posonlyargcount",
        "co_kwonlyargcount",
    )
    if any(getattr(one, each) != getattr(other, each) for each in attributes):
        return False
    return len(one.co_consts) == len(other.co_consts) and all(map(_same_constant, one.co_consts, other.co_consts))


def _same_constant(one: object, other: object) -> bool:
    if isinstance(one, types.CodeType) and isinstance(other, types.CodeType):
        return one.co_name == other.co_name and _same(one, other)
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return one == other
    return type(one) is type(other) and repr(one) == repr(other)


def _changed(function: types.FunctionType, name: str, line: int | None) -> CaptureError:
    code = function.__code__
    return CaptureError(
        f"the source of `{name}` ({code.co_filename}, line {code.co_firstlineno}) is not what runs: it was changed "
        "after it was imported, or a decorator or import hook rewrote it; run its cell again, or reload its module.",
        line,
    )


def _as_definition(source: SourceFunction) -> Definition:
    if isinstance(source, Definition) and source.node is not None:
        return source
    lines = source_lines(source.source)
    node = ast.parse(source.source).body[0]
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        raise CaptureError(f"the source given for `{source.name}` is not one `def`.", source.first_line)
    made = of_function(node, lines, source.origin)
    offset = source.first_line - 1
    return Definition(
        made.name,
        made.source,
        made.first_line + offset,
        source.origin,
        made.decorators,
        tuple(each + offset for each in made.lines),
        node,
    )


def _named(node: FunctionNode, name: str) -> bool:
    return name == "<lambda>" if isinstance(node, ast.Lambda) else node.name == name


def _first_line(node: FunctionNode) -> int:
    decorators: Sequence[ast.expr] = () if isinstance(node, ast.Lambda) else node.decorator_list
    return min([node.lineno, *(each.lineno for each in decorators)])


def _assigned_name(tree: ast.Module, node: ast.Lambda) -> str | None:
    for each in ast.walk(tree):
        match each:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node:
                return name
    return None
