"""Finds the set-up statements that a call rests on: those that have to run again for other values of a name.

>>> body = ast.parse("n = 10\\nrng = default_rng(0)\\nx = rng.random(n)\\nx.sort()\\nprint(x)\\nz = 3\\n").body
>>> [ast.unparse(each) for each in needed(body, {"x"}, {})]
['n = 10', 'rng = default_rng(0)', 'x = rng.random(n)', 'x.sort()']

A statement is taken where it binds a name that is needed, or may write into what such a name holds. What only looks at
it (prints, plots, files that are written) is left out.
"""

from __future__ import annotations

import ast
import builtins
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_IN_PLACE = {
    "fill_diagonal", "copyto", "put", "place", "putmask", "put_along_axis", "at", "shuffle", "seed", "set_state",
}  # fmt: skip
"""NumPy's functions that write into an argument or set a random state."""

_ONLY_LOOKS = ("plot", "hist", "show", "print", "save", "dump", "write", "tofile", "to_", "display", "info", "close")
"""Methods whose names begin like this put something out, and are not run again."""

_VIEWS = {"reshape", "ravel", "view", "transpose", "swapaxes", "squeeze", "diagonal", "T", "real", "imag", "flat"}


def needed(body: Sequence[ast.stmt], wanted: set[str], namespace: Mapping[str, Any]) -> list[ast.stmt]:
    """Returns the statements that ``wanted`` names rest on, in their order.

    Parameters
    ----------
    body : sequence of ast.stmt
        The set-up's top level.
    wanted : set of str
        The names that the call reads.
    namespace : mapping of str to object
        What names stand for that the set-up does not bind: modules are told apart from data by it.
    """
    needs, seen_through = set(wanted), set(wanted)
    taken: set[int] = set()
    modules = _modules(body, namespace)
    own = {each.name: each for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    before = -1
    while before != len(taken) + len(needs) + len(seen_through):
        before = len(taken) + len(needs) + len(seen_through)
        for place, statement in enumerate(body):
            seen_through |= _views_of(statement, seen_through)
            data = (needs | seen_through) - modules
            if place not in taken and (binds(statement) & needs or _touches(statement, data, modules, own, namespace)):
                taken.add(place)
            if place in taken:
                found = reads(statement)
                needs |= found
                seen_through |= found
        needs |= {name for each in tuple(needs) for name in _read_by_function(namespace.get(each), namespace)}
    return [statement for place, statement in enumerate(body) if place in taken]


def reads(node: ast.AST) -> set[str]:
    """Returns every name that a statement or expression reads, what it defines included."""
    loaded = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    changed = {each.target.id for each in ast.walk(node)
               if isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name)}  # fmt: skip
    return loaded | changed


def binds(statement: ast.stmt) -> set[str]:
    """Returns the names that a statement binds at its own level."""
    found: set[str] = set()
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name is not None:
            found.add(node.name)
        waiting += ast.iter_child_nodes(node)
    return found


def external(statements: Sequence[ast.stmt], namespace: Mapping[str, Any]) -> set[str]:
    """Returns the names that statements, run in their order, read from the namespace, and what functions there read."""
    bound: set[str] = set()
    found: set[str] = set()
    later = {name for each in statements for name in binds(each)}
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found |= reads(statement) - later
        else:
            found |= reads(statement) - bound
        bound |= binds(statement)
    found = {name for name in found if name in namespace}
    while more := {
        name for each in found for name in _read_by_function(namespace.get(each), namespace) if name not in found
    }:
        found |= more
    return found


def _touches(
    statement: ast.stmt,
    data: set[str],
    modules: set[str],
    own: Mapping[str, ast.AST],
    namespace: Mapping[str, Any],
) -> bool:
    """Says whether a statement may write into what one of these names holds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    calls = [each for each in ast.walk(statement) if isinstance(each, ast.Call)]
    if any(_only_looks(each) for each in calls):
        return False
    for node in ast.walk(statement):
        stored = isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load)
        if stored and _root(node) in data:
            return True
    for call in calls:
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        arguments = {_root(each.value if isinstance(each, ast.Starred) else each) for each in given}
        out = {_root(keyword.value) for keyword in call.keywords if keyword.arg == "out"}
        if out & data:
            return True
        match call.func:
            case ast.Attribute(attr=method) as func:
                root = _root(func)
                if root in data:
                    return True  # its method
                in_module = root in modules or isinstance(namespace.get(root or ""), types.ModuleType)
                if in_module and method in _IN_PLACE and (arguments & data or method in ("seed", "set_state")):
                    return True
            case ast.Name(id=name):
                users = name in own or _is_users(namespace.get(name), namespace)
                if users and (arguments & data or _globals_of(own.get(name)) & data):
                    return True
    return False


def _only_looks(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name.startswith(_ONLY_LOOKS)
    return False


def _views_of(statement: ast.stmt, names: set[str]) -> set[str]:
    """Returns the names that a statement binds to what may be the memory of one of these."""
    if not isinstance(statement, ast.Assign):
        return set()
    value: ast.expr = statement.value
    if isinstance(value, ast.Call):
        if not isinstance(value.func, ast.Attribute) or value.func.attr not in _VIEWS:
            return set()
        value = value.func
    return binds(statement) if _root(value) in names else set()


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _modules(body: Sequence[ast.stmt], namespace: Mapping[str, Any]) -> set[str]:
    imported = {name for each in body if isinstance(each, ast.Import) for name in binds(each)}
    return imported | {name for name, value in namespace.items() if isinstance(value, types.ModuleType)}


def _globals_of(function: ast.AST | None) -> set[str]:
    if function is None:
        return set()
    return {name for each in ast.walk(function) if isinstance(each, ast.Global) for name in each.names}


def _is_users(value: Any, namespace: Mapping[str, Any]) -> bool:
    return isinstance(value, types.FunctionType) and value.__globals__ is namespace


def _read_by_function(value: Any, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Yields the globals that a function of this namespace reads."""
    if not _is_users(value, namespace):
        return
    waiting = [value.__code__]
    while waiting:
        code = waiting.pop()
        for name in code.co_names:
            if name in namespace and not hasattr(builtins, name):
                yield name
        waiting += [each for each in code.co_consts if isinstance(each, types.CodeType)]
