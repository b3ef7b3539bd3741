"""Writes what is made of a generator expression without one: Numba has none.

`max(f(v) for v in x)` becomes `max([f(v) for v in x])`: all is computed in either form. `any`, `all` and `next` stop
at the first that tells, so that theirs become functions with a loop that returns there:

```
any(v > limit for v in x)   ->   any_of(x, limit)
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import in_one_line
from jitmagic.generate.walking import Finder, nodes_of

_WHOLE = frozenset({"sum", "min", "max", "sorted", "list", "set", "tuple"})
_READING = frozenset({"sum", "min", "max", "sorted"})
"""Those that take lists, and of a dict's parts Numba's do not."""
_STOPPING = frozenset({"any", "all", "next"})

_TOLD = {
    "any": "    for value in values:\n        if value:\n            return True\n    return False\n",
    "all": "    for value in values:\n        if not value:\n            return False\n    return True\n",
}


class GeneratorLists(NumbaRewriter):
    """Writes generator expressions of which every value is taken as lists, early: other rewrites know lists."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        func, args = updated_node.func, updated_node.args
        first = args[0].value if args else None
        if isinstance(first, cst.Call) and self._is_part_of_dict(original_node.args[0].value):
            if not isinstance(func, cst.Name) or func.value not in _READING or _is_local(self, func.value):
                return updated_node
            values = cst.Call(cst.Name("list"), [cst.Arg(first)])
            return updated_node.with_changes(args=[args[0].with_changes(value=values), *args[1:]])
        if not isinstance(first, cst.GeneratorExp):
            return updated_node
        path = self.path(func)
        if path == "numpy.fromiter":
            return self._array(updated_node, first)
        builtin = isinstance(func, cst.Name) and func.value in _WHOLE and not _is_local(self, func.value)
        if not builtin or not isinstance(func, cst.Name) or func.value == "tuple":
            return updated_node
        listed = self._listed(first)
        if func.value == "list" and len(args) == 1:
            return listed
        return updated_node.with_changes(args=[args[0].with_changes(value=listed), *args[1:]])

    def _is_part_of_dict(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression is `d.values()`, `d.keys()` or `d.items()` of a dict."""
        func = node.func if isinstance(node, cst.Call) and not node.args else None
        if not isinstance(func, cst.Attribute) or func.attr.value not in ("values", "keys", "items"):
            return False
        fact = self.fact(func.value)
        return fact is not None and fact.kind == "dict" and not _is_local(self, "list")

    def _listed(self, node: cst.GeneratorExp) -> cst.ListComp:
        new = cst.ListComp(node.elt, node.for_in)
        self.module.inherit(new, node)
        return new

    def _array(self, call: cst.Call, first: cst.GeneratorExp) -> cst.Call:
        """Writes `np.fromiter((…), dtype=float)` as `np.array([…], dtype=float)`."""
        rest = [a for a in call.args[1:] if a.keyword is None or a.keyword.value != "count"]
        if len(rest) != 1:
            return call
        argument = call.args[0].with_changes(value=self._listed(first))
        dtype = rest[0].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return call.with_changes(func=self.context.imports.spell("numpy.array"), args=[argument, dtype])


class GeneratorLoops(NumbaRewriter):
    """Writes `any`, `all` and `next` of generator expressions as functions with a loop, late: they take text."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._functions: list[set[str]] = []
        self._taken: set[cst.CSTNode] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        finder = _Functions()
        node.body.visit(finder)
        self._functions.append(finder.names)

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._functions.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    def visit_Lambda(self, node: cst.Lambda) -> None:
        outer = self._locals[-1] if self._locals else frozenset()
        self._locals.append(outer | set(name_tools.parameters(node)))

    def leave_Lambda(self, original_node: cst.Lambda, updated_node: cst.Lambda) -> cst.Lambda:
        self._locals.pop()
        return updated_node

    def leave_GeneratorExp(self, original_node: cst.GeneratorExp, updated_node: cst.GeneratorExp) -> cst.BaseExpression:
        if original_node in self._taken:
            return updated_node
        line = self.module.line(original_node)
        raise Unsupported(
            f"line {line}: Numba has no generator expressions: write a list, or a loop", line, "NB-SYNTAX"
        )

    def visit_Call(self, node: cst.Call) -> None:
        first = node.args[0].value if node.args else None
        name = node.func.value if isinstance(node.func, cst.Name) else ""
        if isinstance(first, cst.GeneratorExp) and name in _STOPPING and not _is_local(self, name):
            self._check(first)
            self._taken.add(first)

    def _check(self, node: cst.GeneratorExp) -> None:
        """Refuses what a function of its own could not do: a call of a function inside another one, `:=`."""
        functions = name_tools.loads(node) & {n for names in self._functions for n in names}
        if functions or nodes_of(node, cst.NamedExpr):
            what = f"with the inner function `{sorted(functions)[0]}`" if functions else "with `:=`"
            line = self.module.line(node)
            raise Unsupported(
                f"line {line}: a generator expression {what} has no form for Numba: write a loop", line, "NB-SYNTAX"
            )

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        name = original_node.func.value if isinstance(original_node.func, cst.Name) else ""
        if name not in _STOPPING or _is_local(self, name) or not self.functions:
            return updated_node
        if any(a.keyword is not None or a.star for a in updated_node.args):
            return updated_node
        args = [a.value for a in updated_node.args]
        if len(args) == (2 if name == "next" else 1) or (name == "next" and len(args) == 1):
            if isinstance(args[0], cst.GeneratorExp):
                return self._loop(name, args[0], args[1:], original_node)
            if name in _TOLD:
                said = f'\n@njit(error_model="numpy")\ndef {{name}}(values):\n    # {name}(values)\n{_TOLD[name]}'
                return cst.Call(self.context.helper(f"{name}_of", said), [cst.Arg(self.context.bare(args[0]))])
        return updated_node

    def _loop(
        self, name: str, node: cst.GeneratorExp, rest: list[cst.BaseExpression], original: cst.Call
    ) -> cst.BaseExpression:
        local = self._locals[-1]
        own = {n for loop in _loops(node.for_in) for n in name_tools.targets(loop.target)}
        inside = [node.elt, *(test.test for loop in _loops(node.for_in) for test in loop.ifs)]
        inside += [loop.iter for loop in _loops(node.for_in)][1:]
        reads = {n for part in inside for n in name_tools.loads(part)} - own
        reads |= name_tools.loads(node.for_in.iter)  # read around the expression, whatever its variables are called
        reads &= local
        given = _in_order(node, reads)
        taken = set(given) | own
        extra = [name_tools.fresh("default", taken)] if rest else []
        said = in_one_line(original).replace("{", "(").replace("}", ")")
        lines = [
            '@njit(error_model="numpy")',
            f"def {{name}}({', '.join([*given, *extra])}):",
            f"    # {said if len(said) <= 100 else said[:97] + '...'}",
        ]
        pad = "    "
        for loop in _loops(node.for_in):
            lines.append(f"{pad}for {_text(loop.target)} in {_text(loop.iter)}:")
            pad += "    "
            for test in loop.ifs:
                lines.append(f"{pad}if {_text(test.test)}:")
                pad += "    "
        element = _text(node.elt)
        if name == "next":
            lines.append(f"{pad}return {element}")
            lines.append(f"    return {extra[0]}" if extra else "    raise StopIteration")
        elif name == "any":
            lines += [f"{pad}if {element}:", f"{pad}    return True", "    return False"]
        else:
            simple = isinstance(node.elt, cst.Name | cst.Call | cst.Subscript | cst.Attribute | cst.Comparison)
            wanted = f"not {element}" if simple else f"not ({element})"
            lines += [f"{pad}if {wanted}:", f"{pad}    return False", "    return True"]
        source = "\n" + "\n".join(lines) + "\n"
        helper = self.context.helper("first_of" if name == "next" else f"{name}_of", source)
        values: list[Any] = [cst.Arg(cst.Name(one)) for one in given]
        return cst.Call(helper, [*values, *(cst.Arg(self.context.bare(one)) for one in rest)])


def _is_local(rewriter: NumbaRewriter, name: str) -> bool:
    return bool(rewriter._locals) and name in rewriter._locals[-1]


def _loops(loop: cst.CompFor | None) -> Iterator[cst.CompFor]:
    while loop is not None:
        yield loop
        loop = loop.inner_for_in


def _text(node: cst.BaseExpression) -> str:
    """Returns the source of an expression, in parentheses where it goes over several lines."""
    text = code(node)
    return f"({text})" if "\n" in text and not node.lpar else text


class _Functions(Finder):
    """The names of functions inside a function."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.names.add(node.name.value)

    def visit_Assign(self, node: cst.Assign) -> None:
        if isinstance(node.value, cst.Lambda):
            self.names.update(name for t in node.targets for name in name_tools.targets(t.target))


def _in_order(node: cst.CSTNode, names: set[str]) -> list[str]:
    finder = _Order(names)
    node.visit(finder)
    return finder.found


class _Order(Finder):
    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self.names = names
        self.found: list[str] = []

    def visit_Name(self, node: cst.Name) -> None:
        if node.value in self.names and node.value not in self.found:
            self.found.append(node.value)
