"""Purity: which calls are proved to compute a value and nothing else: no write, no print, no random number.

>>> from jitmagic.analysis.aliases import Aliases
>>> from jitmagic.analysis.names import Names
>>> from jitmagic.analysis.tree import SourceTree
>>> text = "def sq(v):\\n    return v * v\\n\\n\\ndef fn(x):\\n    return sq(np.sin(x)) + x.sort() + solve(x)\\n"
>>> tree = SourceTree(text, "fn")
>>> names = Names(tree, {"np": "numpy"})
>>> purity = Purity(tree, names, Aliases(tree, names))
>>> [purity.effect(call) for call in ast.walk(tree.entry) if isinstance(call, ast.Call)][:3]
['calls solve, of which nothing is known', None, 'calls x.sort, which may change something']

The other way round than `jitmagic.analysis.effects`: a call is impure unless it is known to be pure. Loop proofs build
on this; what a user is warned of comes from the effects, which report only what is seen.
"""

from __future__ import annotations

import ast

from jitmagic.analysis import memory
from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import SourceTree, own_nodes, stores_of
from jitmagic.analysis.words import words

_BUILTINS = words("abs min max len float int bool complex range round pow sum divmod enumerate zip tuple")
_METHODS = memory.COPY_METHODS | memory.VIEW_METHODS | {"astype"}
_LIBRARIES = ("numpy.", "math.", "cmath.", "scipy.special.")
_ITERATORS = frozenset({"itertools.product", "itertools.combinations", "itertools.combinations_with_replacement"})


class Purity:
    """Answers for one module whether a call has an effect.

    Parameters
    ----------
    tree, names, aliases
        The parsed module, its names, and what may share memory in it.
    """

    def __init__(self, tree: SourceTree, names: Names, aliases: Aliases) -> None:
        self.tree, self.names, self.aliases = tree, names, aliases
        self._known: dict[ast.FunctionDef, str | None] = {}

    def effect(self, call: ast.Call) -> str | None:
        """Returns what a call does besides computing a value, None where it does nothing."""
        path = self.names.path(call.func)
        if any(keyword.arg is None for keyword in call.keywords):
            return "takes keywords from a dict"
        if isinstance(call.func, ast.Name | ast.Attribute) and self.tree.functions.get(ast.unparse(call.func)):
            return self._helper(self.tree.functions[ast.unparse(call.func)])
        inner = self.inner(call.func)
        if inner is not None:
            return self._helper(inner)
        if memory.outputs_of(call, path):
            return "writes into its out= argument"
        text = ast.unparse(call.func)
        if path is None:
            if isinstance(call.func, ast.Attribute):
                return None if call.func.attr in _METHODS else f"calls {text}, which may change something"
            return f"calls {text}, of which nothing is known"
        if path.startswith("builtins."):
            if text in _BUILTINS:
                return None
            return "prints" if text == "print" else f"calls {text}, of which nothing is known"
        if path.startswith(("numpy.random", "random.")):
            return "draws random numbers in a fixed order"
        if path.removeprefix("numpy.") in memory.WRITING_FUNCTIONS or path.endswith(".at"):
            return "writes into its first argument"
        if path == "numpy.nan_to_num" and (len(call.args) > 1 or any(k.arg == "copy" for k in call.keywords)):
            return "may write into its first argument"
        return None if path.startswith(_LIBRARIES) or path in _ITERATORS else f"calls {path}, of which nothing is known"

    def inner(self, expression: ast.expr) -> ast.FunctionDef | None:
        """Returns the function inside a function that a name stands for, one without decorators; None for all else."""
        found = self.names.helper(expression)
        inside = found is not None and found is not self.tree.functions.get(found.name)
        return found if inside and found is not None and not found.decorator_list else None

    def reads(self, function: ast.FunctionDef) -> frozenset[str]:
        """Returns the names from around a function that it reads whenever it is called, by those that it names too."""
        waiting, seen, found = [function], {function}, set[str]()
        while waiting:
            one = waiting.pop()
            found |= self.names.scope(one).free
            for node in ast.walk(one):
                named = self.inner(node) if isinstance(node, ast.Name) else None
                if named is not None and named not in seen:
                    seen.add(named)
                    waiting.append(named)
        return frozenset(found)

    def _helper(self, function: ast.FunctionDef) -> str | None:
        if function not in self._known:
            self._known[function] = f"calls {function.name}, which calls itself"
            self._known[function] = self._effect_of(function)
        return self._known[function]

    def _effect_of(self, function: ast.FunctionDef) -> str | None:
        for node in own_nodes(function):
            if isinstance(node, ast.Global | ast.Nonlocal):
                return f"calls {function.name}, which changes a global"
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                outer = self._outer(function, node.target)
                if outer is not None:
                    return f"calls {function.name}, which may change its argument {outer}"
            for place in stores_of(node):
                outer = self._outer(function, place.value)
                if outer is not None:
                    return f"calls {function.name}, which writes into {outer}"
            if isinstance(node, ast.Call):
                effect = self.effect(node)
                if effect is not None:
                    return f"calls {function.name}, which {effect}"
        return None

    def _outer(self, function: ast.FunctionDef, place: ast.expr) -> str | None:
        """Returns a name from outside whose memory a function's place may be, None where it is its own."""
        scope = self.names.scope(function)
        fact = self.aliases.fact(place)
        if fact is not None and fact.kind in ("float", "int", "bool", "complex", "scalar", "str"):
            return None
        for name in sorted(self.aliases.names_in(place)):
            for root in sorted(self.aliases.roots(function, name)):
                if root in scope.parameters or root.partition("@")[0] not in scope.local:
                    return root
        return None

    def is_fresh(self, value: ast.expr) -> bool:
        """Says whether an expression's value surely shares no memory with anything that has a name."""
        return not self.aliases.names_in(value)
