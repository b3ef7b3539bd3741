"""Writes `for a, b in zip(x, y, strict=True)` as a test of the lengths and a loop: Numba's `zip` has no `strict=`."""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, LoopRewriter, code
from jitmagic.errors import Unsupported
from jitmagic.generate.blocks import leading, made

_SIZED = frozenset({"array", "tuple", "list", "str"})


class StrictZips(LoopRewriter):
    """Rewrites calls of `zip`.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._of_loops: dict[cst.Call, cst.For] = {}
        self._tested: dict[cst.For, list[str]] = {}

    def visit_For(self, node: cst.For) -> None:
        super().visit_For(node)
        call = node.iter
        if isinstance(call, cst.Call) and code(call.func) == "enumerate" and call.args:
            call = call.args[0].value
        if isinstance(call, cst.Call):
            self._of_loops[call] = node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        named = [a for a in original_node.args if a.keyword is not None and a.keyword.value == "strict"]
        is_zip = isinstance(original_node.func, cst.Name) and original_node.func.value == "zip"
        if not named or not is_zip or "zip" in self.own_names:
            return updated_node
        asked, line = code(named[0].value), self.module.line(original_node)
        values = [a.value for a in original_node.args if a.keyword is None]
        loop = self._of_loops.get(original_node)
        if asked != "False":
            facts = [self.fact(one) for one in values]
            plain = all(isinstance(one, cst.Name) for one in values) and not any(a.star for a in original_node.args)
            sized = all(fact is not None and fact.kind in _SIZED for fact in facts)
            if asked != "True" or loop is None or not plain or not sized:
                raise Unsupported(
                    f"line {line}: Numba's `zip` has no `strict=`: loop over `zip(...)` of names, or compare the "
                    "lengths before", line, "NB-AXIS",
                )  # fmt: skip
            first, *others = map(code, values)
            self._tested[loop] = [f"len({one}) != len({first})" for one in others]
        kept = [a for a in updated_node.args if a.keyword is None or a.keyword.value != "strict"]
        kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(args=kept)

    def behind_loop(self, original_node: cst.For | cst.While, updated_node: Any) -> Any:
        """Puts the test of the lengths before a loop."""
        tests = self._tested.get(original_node) if isinstance(original_node, cst.For) else None
        if not tests:
            return updated_node
        text = f'if {" or ".join(tests)}:\n    raise ValueError("zip() has arguments of different lengths")\n'
        test = leading(made(text, original_node), updated_node)
        loop = updated_node.with_changes(leading_lines=())
        self.module.inherit(loop, original_node)
        return cst.FlattenSentinel([test, loop])
