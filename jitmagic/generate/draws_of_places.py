"""Draws places in place of elements, where an array that is drawn from is computed by the function itself.

```
perm = rng.permutation(pooled)      ->  perm = pooled[rng.permutation(len(a) + len(b))]
star = rng.choice(residuals, n)     ->  star = residuals[rng.choice(len(y), n)]
rng.shuffle(labels)                 ->  labels[:] = labels[rng.permutation(len(y))]
```

NumPy chooses places and takes what stands there, whatever it is: how many numbers its stream gives, and which,
depends on the length alone (``Generator.choice`` and ``permutation``, and ``shuffle`` of a vector; the same of
``RandomState``). The places can be drawn before the core, the elements cannot.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.lengths import Lengths
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.observe.facts import ValueFact

_METHODS = ("permutation", "choice", "shuffle")


def places_drawn(module: Module, function: cst.FunctionDef, kinds: Kinds, generators: set[str]) -> cst.FunctionDef:
    """Returns a function whose draws from vectors of its own are draws of places.

    Parameters
    ----------
    module : Module
    function : libcst.FunctionDef
        In normal form.
    kinds : Kinds
    generators : set of str
        Names of NumPy's generators.
    """
    new = function.visit(_Places(module, function, kinds, generators))
    assert isinstance(new, cst.FunctionDef)
    return new


class _Places(Rewriter):
    def __init__(self, module: Module, function: cst.FunctionDef, kinds: Kinds, generators: set[str]) -> None:
        super().__init__(module)
        self.kinds = kinds
        self.generators = generators
        self.lengths = Lengths(function, kinds)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        method = self._method(original_node)
        if method not in ("permutation", "choice") or (length := self._length(original_node)) is None:
            return updated_node
        if any(a.keyword is not None and a.keyword.value in ("axis", "shuffle") for a in original_node.args):
            return updated_node
        first, *rest = updated_node.args
        places = updated_node.with_changes(args=[first.with_changes(value=cst.parse_expression(length)), *rest])
        self.module.inherit(places, original_node)
        fact = self.module.fact(original_node)
        shape = fact.shape if fact is not None and fact.kind == "array" else ()
        self.module.learn(places, ValueFact("array" if shape else "int", "int64" if shape else None, shape or None))
        return cst.Subscript(first.value, [cst.SubscriptElement(cst.Index(places))])

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.BaseSmallStatement:
        call = original_node.value
        if not isinstance(call, cst.Call) or self._method(call) != "shuffle" or len(call.args) != 1:
            return updated_node
        length, array = self._length(call), call.args[0].value
        if length is None or not isinstance(array, cst.Name):
            return updated_node
        func: Any = call.func
        text = f"{array.value}[:] = {array.value}[{code(func.value)}.permutation({length})]"
        line = cst.parse_statement(text)
        assert isinstance(line, cst.SimpleStatementLine)
        new = line.body[0]
        assert isinstance(new, cst.Assign)
        assert isinstance(new.value, cst.Subscript)
        index = new.value.slice[0].slice
        assert isinstance(index, cst.Index)
        fact = self.kinds.of(array)
        self.module.learn(index.value, ValueFact("array", "int64", fact.shape if fact is not None else (None,)))
        target: Any = new.targets[0].target
        for part in (new.value, new.value.value, target.value):
            self.module.inherit(part, array)
        self.module.inherit(index.value, call)
        return new

    def _method(self, node: cst.Call) -> str | None:
        func = node.func
        if not isinstance(func, cst.Attribute) or func.attr.value not in _METHODS or not node.args:
            return None
        path = self.kinds.path(func)
        if path is not None:
            return func.attr.value if path == f"numpy.random.{func.attr.value}" else None
        ours = isinstance(func.value, cst.Name) and func.value.value in self.generators
        return func.attr.value if ours else None

    def _length(self, node: cst.Call) -> str | None:
        """Returns the length of the vector that is drawn from, where this is none of the arguments."""
        first = node.args[0]
        if first.keyword is not None or first.star:
            return None
        if isinstance(first.value, cst.Name) and first.value.value in self.lengths.parameters:
            return None
        return self.lengths.of(first.value)
