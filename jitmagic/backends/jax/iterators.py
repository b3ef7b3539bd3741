"""Rewrite lists that ``map`` and ``itertools.accumulate`` give as comprehensions and NumPy's accumulations.

    norms = list(map(np.linalg.norm, rows))    ->    norms = [np.linalg.norm(one) for one in rows]
    high = list(accumulate(x, max))            ->    accumulated = np.maximum.accumulate(x)
                                                     high = list(accumulated)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.block_rewriter import BlockRewriter
from jitmagic.generate.blocks import code, each_function, leading, made, small
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import ValueFact

_BUILTINS = {"max": "maximum", "min": "minimum"}
_PATHS = {
    "operator.add": "add", "operator.mul": "multiply", "numpy.maximum": "maximum", "numpy.minimum": "minimum",
    "numpy.add": "add", "numpy.multiply": "multiply",
}  # fmt: skip
_FUNCTIONS = {"add": "cumsum", "multiply": "cumprod"}


def without_iterators(module: Module, tree: cst.Module, kinds: Mapping[str, Kinds]) -> cst.Module:
    """Returns the tree with such lists made by comprehensions and by functions of arrays."""
    taken = set(name_tools.all_names(tree))
    return each_function(tree, kinds, lambda function, known: _Function(module, function, known, taken).result())


class _Function(BlockRewriter):
    def __init__(self, module: Module, function: cst.FunctionDef, kinds: Kinds, taken: set[str]) -> None:
        super().__init__(module, function)
        self.kinds, self.taken = kinds, taken

    def fresh(self, wanted: str) -> str:
        name = name_tools.fresh(wanted, self.taken)
        self.taken.add(name)
        return name

    def statement(self, node: Any, before: Sequence[Any]) -> list[Any]:
        one = small(node)
        if one is None:
            return super().statement(node, before)
        lines: list[Any] = []
        new: dict[cst.CSTNode, Any] = {}
        for call in nodes_of(node, cst.Call):
            if code(call.func) != "list" or "list" in self.kinds.local or len(call.args) != 1:
                continue
            inner = call.args[0].value
            if not isinstance(inner, cst.Call) or any(a.star or a.keyword is not None for a in inner.args):
                continue
            if code(inner.func) == "map" and "map" not in self.kinds.local and len(inner.args) == 2:
                comprehension = self.mapped(call, inner)
                if comprehension is not None:
                    new[call] = comprehension
            elif self.kinds.path(inner.func) == "itertools.accumulate" and isinstance(one, cst.Assign):
                name = self.accumulated(node, inner, lines)
                if name is not None:
                    new[call] = name
        if not new:
            return [node]
        changed = node.visit(_Replaced(self.module, new))
        self.module.inherit(changed, node)
        result = [*lines, changed.with_changes(leading_lines=())]
        self.module.inherit(result[-1], node)
        return [leading(result[0], node), *result[1:]]

    def mapped(self, call: cst.Call, inner: cst.Call) -> cst.ListComp | None:
        """Returns the comprehension for ``list(map(f, xs))``."""
        function, iterated = inner.args[0].value, inner.args[1].value
        fact = self.kinds.of(call)
        items = set(fact.items) if fact is not None and fact.kind == "list" else set()
        kinds = {(i.kind, i.dtype, i.ndim) for i in items}
        element: Any
        if isinstance(function, cst.Lambda):
            parameters = name_tools.parameters(function)
            plain = function.params.params
            if len(parameters) != 1 or len(plain) != 1 or plain[0].default is not None:
                return None
            target, element = parameters[0], function.body
        elif isinstance(function, cst.Name | cst.Attribute):
            target = self.fresh("one")
            element = cst.Call(function, [cst.Arg(cst.Name(target))])
            if len(kinds) == 1:
                self.module.learn(element, next(iter(items)))
        else:
            return None
        new = cst.ListComp(element, cst.CompFor(cst.Name(target), iterated))
        self.module.inherit(new, call)
        return new

    def accumulated(self, node: Any, call: cst.Call, lines: list[Any]) -> cst.Call | None:
        """Returns ``list(name)`` for ``list(accumulate(x, f))``; the line that binds the name is added."""
        fact = self.kinds.of(call.args[0].value)
        if fact is None or fact.kind != "array" or fact.ndim != 1 or fact.dtype not in ("float64", "int64"):
            return None
        operation = "add"
        if len(call.args) == 2:
            given = call.args[1].value
            path = self.kinds.path(given)
            builtin = code(given) if path is None and code(given) not in self.kinds.local else ""
            operation = _BUILTINS.get(builtin) or _PATHS.get(path or "", "")
        if not operation or len(call.args) > 2:
            return None
        name = self.fresh("accumulated")
        of = _FUNCTIONS.get(operation, f"{operation}.accumulate")
        line = made(f"{name} = __numpy__.{of}({code(call.args[0].value)})", node)
        held = ValueFact("array", fact.dtype, fact.shape)
        self.module.learn(line.body[0].value, held)
        self.module.learn(line.body[0].targets[0].target, held)
        self.module.inherit(line, node)
        lines.append(line)
        result = cst.Call(cst.Name("list"), [cst.Arg(cst.Name(name))])
        self.module.learn(result.args[0].value, held)
        return result


class _Replaced(Rewriter):
    def __init__(self, module: Module, new: Mapping[cst.CSTNode, Any]) -> None:
        super().__init__(module)
        self.new = new

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        found: cst.BaseExpression = self.new.get(original_node, updated_node)
        return found
