"""Rewrite ``xs = np.array(xs)`` at a function's end as part of what it returns.

    peaks = np.array(peaks)
    return x, peaks               ->     return x, np.array(peaks)

How long a list became depends on values: its array can be made behind the compiled part, and not within.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate.blocks import code, each_function, small, statements, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import nodes_of


def arrays_at_the_end(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with the arrays that are made of lists just before the return made in it."""
    return each_function(tree, kinds, lambda function, known: _function(module, function, known))


def _function(module: Module, function: cst.FunctionDef, kinds: Kinds) -> cst.FunctionDef:
    body = list(statements(function))
    last: Any = small(body[-1]) if body else None
    if not isinstance(last, cst.Return) or last.value is None:
        return function
    position = len(body) - 2
    while position >= 0:
        one = small(body[position])
        name = _made_of_itself(one, kinds)
        if name is None or one is None:
            break
        assert isinstance(one, cst.Assign)
        behind = body[position + 1 :]
        if sum(n.value == name for s in behind for n in nodes_of(s, cst.Name)) != 1 or not _is_part(last.value, name):
            break
        end = body[-1].visit(_Put(module, name, one.value))
        module.inherit(end, body[-1])
        lines = [line for line in body[position].leading_lines if line.comment is not None]
        del body[position]
        body[-1] = end
        body[position] = body[position].with_changes(leading_lines=[*lines, *body[position].leading_lines])
        last = small(body[-1])
        position -= 1
    if len(body) == len(statements(function)):
        return function
    new = with_body(function, body)
    module.inherit(new, function)
    return new


def _made_of_itself(one: Any, kinds: Kinds) -> str | None:
    """Returns the name in ``xs = np.array(xs)``, None for any other statement."""
    if not isinstance(one, cst.Assign) or len(one.targets) != 1 or not isinstance(one.targets[0].target, cst.Name):
        return None
    value, name = one.value, one.targets[0].target.value
    made = isinstance(value, cst.Call) and kinds.path(value.func) in ("numpy.array", "numpy.asarray")
    return name if made and isinstance(value, cst.Call) and value.args and code(value.args[0].value) == name else None


def _is_part(value: cst.BaseExpression, name: str) -> bool:
    """Says whether a name is what is returned, or an element of it."""
    values = [e.value for e in value.elements] if isinstance(value, cst.Tuple) else [value]
    return any(isinstance(v, cst.Name) and v.value == name for v in values)


class _Put(Rewriter):
    def __init__(self, module: Module, name: str, value: cst.BaseExpression) -> None:
        super().__init__(module)
        self.name, self.value = name, value

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self.value if original_node.value == self.name else updated_node
