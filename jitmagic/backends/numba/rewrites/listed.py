"""Keeps loops that fill a list from being run in parallel: `np.array(kept)` becomes a call of a small serial function.

```
for k in range(n):                               for k in range(n):
    x = step(x)                                      x = step(x)
    kept.append(x)                        ->         kept.append(x)
return np.array(kept)                            return array_of(kept)
```

In a function compiled with ``parallel=True`` Numba 0.68 takes a loop that appends once a step to a list, of which
`np.array` is called right behind it, for an array comprehension: the loop becomes a `prange`, though its steps build on
each other (`numba.core.inline_closurecall._inline_arraycall`). A call in a function of its own is out of its sight.
Without ``parallel=True`` the loop stays as it is, but of several such calls on one list, or on several lists that one
loop fills, all but one fail to compile.
"""

from __future__ import annotations

import ast
from collections import Counter

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.purity import Purity
from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.generate import names as name_tools
from jitmagic.generate.walking import nodes_of

_ARRAY_OF = """
@njit(error_model="numpy")
def {name}(values{more}):
    # a function of its own: beside the loop that fills the list Numba would take that for a comprehension
    return {array}
"""


class Listed(NumbaRewriter):
    """Makes arrays of lists in a function of their own, where Numba's pass for comprehensions would be wrong.

    Parameters
    ----------
    context : Context
    aliases : Aliases
        Of the user's text.
    """

    def __init__(self, context: Context, aliases: Aliases) -> None:
        super().__init__(context)
        self._tree = aliases.tree
        self._purity = Purity(aliases.tree, aliases.names, aliases)
        self._counts: list[Counter[str]] = []
        self._beside: list[set[str]] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        calls = [one for one in nodes_of(node, cst.Call) if self.path(one.func) == "numpy.array" and one.args]
        given = [one.args[0].value for one in calls]
        self._counts.append(Counter(one.value for one in given if isinstance(one, cst.Name)))
        self._beside.append(self._filled_apart(node, set(self._counts[-1])))

    def _filled_apart(self, function: cst.FunctionDef, names: set[str]) -> set[str]:
        """Returns those of the names that a loop fills with which Numba's pass cannot do what it tries.

        That is a loop that appends to another list too, or one over `zip(…)` or `enumerate(…)`, of which the pass
        does not know how many steps it has.
        """
        found: set[str] = set()
        for loop in nodes_of(function, cst.For):
            methods = [call.func for call in nodes_of(loop.body, cst.Call) if isinstance(call.func, cst.Attribute)]
            filled = {code(one.value) for one in methods if one.attr.value == "append"}
            if len(filled) > 1 or not (self._is_counted(loop.iter) or self.is_array(loop.iter)):
                found |= filled & names
        return found

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._counts.pop()
        self._beside.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if self.path(original_node.func) != "numpy.array" or not updated_node.args or updated_node.args[0].star:
            return updated_node
        old, new = original_node.args[0].value, updated_node.args[0].value
        if isinstance(new, cst.Name):
            independent = self.is_array(old) or self._is_comprehension(new.value)
            if not self.context.parallel:
                once = self._counts[-1].get(new.value, 0) < 2 and new.value not in self._beside[-1]
                independent = self.is_array(old) or once
        else:
            steps = isinstance(new, cst.ListComp) and self.context.parallel
            independent = not steps or self._is_pure(self._comprehension_at(old))
            if isinstance(new, cst.ListComp):
                independent = independent and self._is_counted(new.for_in.iter)
        if independent:
            return updated_node
        first = updated_node.args[0].with_changes(value=cst.Name("values"))
        source = _ARRAY_OF.replace("{array}", code(updated_node.with_changes(args=[first, *updated_node.args[1:]])))
        used = {n for a in updated_node.args[1:] for n in name_tools.loads(a.value)} & self._locals[-1]
        source = source.replace("{more}", "".join(f", {name}" for name in sorted(used)))
        helper = self.context.helper("array_of", source)
        return cst.Call(helper, [cst.Arg(new), *(cst.Arg(cst.Name(name)) for name in sorted(used))])

    def _is_counted(self, source: cst.BaseExpression) -> bool:
        """Says whether Numba's pass knows how many steps a comprehension has; else it raises."""
        return not isinstance(source, cst.Call) or (isinstance(source.func, cst.Name) and source.func.value == "range")

    def _comprehension_at(self, node: cst.CSTNode) -> ast.AST | None:
        place = self.context.place(node)
        found = (one for one in ast.walk(self._tree.module) if isinstance(one, ast.ListComp | ast.GeneratorExp))
        return next((one for one in found if place is not None and self._tree.span(one) == place), None)

    def _is_pure(self, node: ast.AST | None) -> bool:
        """Says whether the steps of a comprehension are proved to change nothing."""
        if node is None or any(isinstance(one, ast.NamedExpr) for one in ast.walk(node)):
            return False
        return all(self._purity.effect(one) is None for one in ast.walk(node) if isinstance(one, ast.Call))

    def _is_comprehension(self, name: str) -> bool:
        """Says whether all that a name of this function stands for are such comprehensions, and nothing is appended."""
        function = self._tree.functions.get(self.functions[0].name.value) if self.functions else None
        if function is None:
            return False
        uses = [one for one in ast.walk(function) if isinstance(one, ast.Name) and one.id == name]
        bindings = [self._tree.parents[one] for one in uses if not isinstance(one.ctx, ast.Load)]
        return bool(bindings) and all(
            isinstance(one, ast.Assign) and len(one.targets) == 1
            and (self._is_array_of(one.value, name)
                 or (isinstance(one.value, ast.ListComp) and self._is_pure(one.value)))
            for one in bindings
        ) and not any(isinstance(self._tree.parents[one], ast.Attribute) for one in uses)  # fmt: skip

    def _is_array_of(self, value: ast.expr, name: str) -> bool:
        """Says whether a value is `np.array(name)` itself."""
        if not isinstance(value, ast.Call) or self._purity.names.path(value.func) != "numpy.array":
            return False
        return len(value.args) == 1 and isinstance(value.args[0], ast.Name) and value.args[0].id == name
