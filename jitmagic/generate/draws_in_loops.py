"""Where in a nest of loops a call is made, and how often: what taking random draws out of loops asks."""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate.blocks import code, small, statements
from jitmagic.generate.walking import Finder, nodes_of


class Calls(Finder):
    """Collects the calls of a part of a program, those inside others first."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.Call] = []

    def leave_Call(self, original_node: cst.Call) -> None:
        self.found.append(original_node)


class Uncertain(cst.CSTVisitor):
    """Finds whether a call stands where it may not be made, or be made several times."""

    def __init__(self, call: cst.Call) -> None:
        super().__init__()
        self.call = call
        self.found = False
        self.depth = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if node is self.call and self.depth:
            self.found = True
        self.depth += isinstance(node, _UNCERTAIN)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        self.depth -= isinstance(original_node, _UNCERTAIN)


_UNCERTAIN = (cst.IfExp, cst.BooleanOperation, cst.Lambda, cst.ListComp, cst.GeneratorExp, cst.SetComp, cst.DictComp,
              cst.FunctionDef)  # fmt: skip


def loops_around(loop: cst.For, call: cst.Call) -> list[cst.For] | None:
    """Returns the loops around a call, from the outermost; None where anything else decides whether it is made."""
    for statement in statements(loop):
        if not holds(statement, call):
            continue
        if isinstance(statement, cst.For):
            if holds(statement.iter, call):
                return None
            inner = loops_around(statement, call)
            return None if inner is None else [loop, *inner]
        part = statement.test if isinstance(statement, cst.If) else small(statement)
        if part is None or not holds(part, call):
            return None
        finder = Uncertain(call)
        part.visit(finder)
        return None if finder.found else [loop]
    return None


def target_of(loop: cst.For, call: cst.Call) -> str | None:
    """Returns the name that a statement of the loop gives to what a call draws."""
    for statement in statements(loop):
        one = small(statement)
        if isinstance(one, cst.Assign) and one.value is call and isinstance(one.targets[0].target, cst.Name):
            return str(one.targets[0].target.value)
    return None


def holds(node: cst.CSTNode, call: cst.Call) -> bool:
    finder = Calls()
    node.visit(finder)
    return any(found is call for found in finder.found)


def bounds_of(loop: cst.For) -> Any:
    """Returns the first and the last-but-one value of a counter that goes up by ones, as source; else None."""
    call = loop.iter
    if not (isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value == "range"):
        return None
    values = [code(a.value) for a in call.args]
    if len(values) == 1:
        return "0", values[0]
    return (values[0], values[1]) if len(values) == 2 else None


def leaves(loop: cst.For) -> bool:
    """Says whether a loop, or one inside of it, leaves steps out."""
    kinds: tuple[type[cst.CSTNode], ...] = (cst.Break, cst.Continue, cst.Return)
    return any(nodes_of(loop, kind) for kind in kinds)


def operand(text: str) -> str:
    whole = (cst.Name, cst.Integer, cst.Attribute, cst.Subscript, cst.Call)
    return text if isinstance(cst.parse_expression(text), whole) else f"({text})"


def skeleton(loop: cst.For, keep: dict[cst.Call, str], indent: str) -> list[str]:
    """Writes a nest of loops with nothing in it but its draws."""
    lines = [f"{indent}for {code(loop.target)} in {code(loop.iter)}:"]
    for statement in statements(loop):
        if isinstance(statement, cst.For):
            if any(holds(statement, call) for call in keep):
                lines += skeleton(statement, keep, indent + "    ")
            continue
        finder = Calls()
        (statement.test if isinstance(statement, cst.If) else statement).visit(finder)
        calls = [call for call in finder.found if call in keep]
        lines += [f"{indent}    {keep[call]}.append({code(call)})" for call in calls]
    return lines
