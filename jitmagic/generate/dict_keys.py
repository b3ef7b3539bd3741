"""Which names stand for keys that a dict gives back: they are Python's numbers, whatever was asked with first.

A dict that was filled with ``count[g.item()] = …`` gives numbers when a loop goes through it, where NumPy's gives the
scalars that were put in: whoever asks it again may not take the number of a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code
from jitmagic.generate.walking import nodes_of

_SAME_ELEMENTS = frozenset({"sorted", "list", "tuple", "reversed", "iter", "set"})
_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)


def keys_in(function: cst.FunctionDef, is_dict: Callable[[Any], bool]) -> frozenset[cst.CSTNode]:
    """Returns the names, where they stand, that only loops over keys bind, and the lists of keys.

    What a comprehension binds is so in the comprehension alone.

    Parameters
    ----------
    function : libcst.FunctionDef
    is_dict : callable
        Says whether an expression is a dict.
    """
    assigned: dict[str, list[Any]] = {}
    for one in nodes_of(function, cst.Assign):
        for target in one.targets:
            value = one.value if isinstance(target.target, cst.Name) else None
            for name in name_tools.targets(target.target):
                assigned.setdefault(name, []).append(value)

    def gives_keys(node: Any) -> bool:
        if is_dict(node):
            return True
        if isinstance(node, cst.Name):
            values = assigned.get(node.value, [])
            return len(values) == 1 and isinstance(values[0], cst.Call) and gives_keys(values[0])
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            return node.func.attr.value == "keys" and is_dict(node.func.value)
        if not isinstance(node, cst.Call) or not node.args:
            return False
        return code(node.func) in _SAME_ELEMENTS and gives_keys(node.args[0].value)

    def of_loop(target: Any, source: Any) -> frozenset[str]:
        method = source.func if isinstance(source, cst.Call) else None
        items = isinstance(method, cst.Attribute) and method.attr.value == "items" and is_dict(method.value)
        if items and isinstance(target, cst.Tuple) and len(target.elements) == 2:
            return frozenset(name_tools.targets(target.elements[0].value))
        return frozenset(name_tools.targets(target)) if gives_keys(source) else frozenset()

    found: set[cst.CSTNode] = set()
    hidden: set[cst.CSTNode] = set()
    for kind in _COMPREHENSIONS:
        for comprehension in nodes_of(function, kind):
            clauses = nodes_of(comprehension, cst.CompFor)
            keys = _alone([(of_loop(one.target, one.iter), one.target) for one in clauses], frozenset())
            bound = frozenset().union(*(frozenset(name_tools.targets(one.target)) for one in clauses))
            names = nodes_of(comprehension, cst.Name)
            found.update(node for node in names if node.value in keys)
            hidden.update(node for node in names if node.value in bound)
    loops = nodes_of(function, cst.For)
    others = frozenset(name_tools.parameters(function)) | frozenset(assigned)
    keys = _alone([(of_loop(one.target, one.iter), one.target) for one in loops], others)
    found.update(node for node in nodes_of(function, cst.Name) if node.value in keys and node not in hidden)
    # lists of keys: `sorted(count)`, what is bound to it, and what a comprehension collects of them
    found.update(one for one in nodes_of(function, cst.ListComp) if one.elt in found)
    calls, names = nodes_of(function, cst.Call), nodes_of(function, cst.Name)
    found.update(one for one in (*calls, *names) if not is_dict(one) and gives_keys(one))
    return frozenset(found)


def _alone(loops: list[tuple[frozenset[str], Any]], others: frozenset[str]) -> frozenset[str]:
    """Returns the names that all loops which bind them take from keys."""
    keys: frozenset[str] = frozenset().union(*(found for found, _ in loops))
    return keys - others.union(*(frozenset(name_tools.targets(target)) - found for found, target in loops))
