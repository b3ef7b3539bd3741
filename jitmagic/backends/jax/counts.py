"""Rewrite ``np.bincount(x, minlength=k)`` with the fixed length that JAX needs, checked before the compiled part.

NumPy gives a longer result where ``x`` holds ``k`` or more, and raises where it holds a number below 0, which JAX
counts as 0. For an 8-bit image and 256 bins that cannot be; else the numbers have to be an argument, so that the
wrapper can look at them.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, made
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter


def counted_to(module: Module, tree: cst.Module, entry: str, kinds: dict[str, Kinds]) -> tuple[cst.Module, list[Any]]:
    """Returns the tree with counts of fixed length, and the checks that belong before the entry."""
    rewrite = _Counts(module, kinds, entry)
    return tree.visit(rewrite), rewrite.checks


class _Counts(FunctionRewriter[Kinds]):
    def __init__(self, module: Module, kinds: dict[str, Kinds], entry: str) -> None:
        super().__init__(module, kinds)
        self.entry = entry
        self.checks: list[Any] = []

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if not self.stack or self.stack[-1].path(original_node.func) != "numpy.bincount":
            return updated_node
        kinds = self.stack[-1]
        args = original_node.args
        at = next((i for i, a in enumerate(args) if a.keyword is not None and a.keyword.value == "minlength"), None)
        if at is None or not args or args[0].keyword is not None:
            return updated_node
        length, numbers = args[at].value, args[0].value
        if not self.never_longer(numbers, length, kinds):
            check = self.check(numbers, length, kinds)
            if check is None:
                return updated_node
            if all(code(check) != code(known) for known in self.checks):
                self.checks.append(check)
        new = list(updated_node.args)
        new[at] = new[at].with_changes(keyword=cst.Name("length"))
        return updated_node.with_changes(args=new)

    def never_longer(self, numbers: cst.BaseExpression, length: cst.BaseExpression, kinds: Kinds) -> bool:
        fact = kinds.of(numbers)
        bits = {"uint8": 8, "bool": 1}.get(fact.dtype or "" if fact is not None else "")
        return bits is not None and isinstance(length, cst.Integer) and int(length.value) >= 2**bits

    def check(self, numbers: cst.BaseExpression, length: cst.BaseExpression, kinds: Kinds) -> Any:
        """Returns the statement that refuses numbers beyond the length; None where they are not arguments."""
        parameters = set(name_tools.parameters(kinds.function))
        base: Any = numbers
        while isinstance(base, cst.Call) and isinstance(base.func, cst.Attribute) and not base.args:
            if base.func.attr.value not in ("ravel", "flatten"):
                return None
            base = base.func.value
        if kinds.function.name.value != self.entry or not isinstance(base, cst.Name):
            return None
        reads = {base.value, *name_tools.loads(length)}
        bound = name_tools.bound(cst.Module(body=list(kinds.function.body.body)))  # type: ignore[arg-type]
        if not reads <= parameters or reads & bound:
            return None
        fact = kinds.of(numbers)
        signed = fact is None or fact.dtype is None or not fact.dtype.startswith(("uint", "bool"))
        beyond = f"{base.value}.max() >= {code(length)}"
        text = (
            f"if {base.value}.size and "
            + (f"({base.value}.min() < 0 or {beyond}):\n" if signed else f"{beyond}:\n")
            + f'    raise ValueError("`{base.value}` holds numbers {"below 0 or " if signed else ""}beyond the '
            f'{code(length)} that are counted")\n'
        )
        return made(text)
