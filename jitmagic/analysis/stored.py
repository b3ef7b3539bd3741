"""Which arrays of a function are stored into, by whatever name: what an element that is kept must be copied for.

>>> text = "def fn(x):\\n    a = x.copy()\\n    even = a[::2]\\n    even += 1\\n    return a\\n"
>>> stored = Stored(Scope(text, "fn", {"np": "numpy"}, None))
>>> sorted(stored.names), stored.may_change("a"), stored.may_change("x")
(['even'], True, False)
"""

from __future__ import annotations

import ast

from jitmagic.analysis import memory
from jitmagic.analysis.scope import Scope
from jitmagic.analysis.tree import base_name, stores_of

_SHUFFLES = frozenset({"shuffle"})


class Stored:
    """The stores of one function, those of functions inside it included.

    Parameters
    ----------
    scope : Scope

    Attributes
    ----------
    names : frozenset of str
        The names through which something is stored.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        found: set[str | None] = set()
        for node in ast.walk(scope.function):
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For):
                found |= {base_name(store) for store in stores_of(node)}
            target = node.target if isinstance(node, ast.AugAssign) else None
            if isinstance(target, ast.Name) and not scope.is_scalar(target):
                found.add(target.id)
            if isinstance(node, ast.Call):
                found |= self._called(node)
        self.names = frozenset(name for name in found if name is not None)

    @property
    def parameters(self) -> frozenset[str]:
        """The parameters whose arrays may be stored into."""
        return frozenset(name for name in self.scope.parameters if self.may_change(name))

    def may_change(self, name: str | None) -> bool:
        """Tells whether the array of a name, or one that may share its memory, is stored into."""
        return name is None or any(self.scope.may_share(name, one) for one in self.names)

    def _called(self, call: ast.Call) -> set[str | None]:
        path = self.scope.names.path(call.func)
        found = {base_name(output) for output in memory.outputs_of(call, path)}
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if isinstance(call.func, ast.Attribute) and method in memory.WRITING_METHODS:
            found.add(base_name(call.func.value))
        writes = path is not None and path.removeprefix("numpy.") in memory.WRITING_FUNCTIONS
        if (writes or method == "at" or method in _SHUFFLES) and call.args:
            found.add(base_name(call.args[0]))
        return found
