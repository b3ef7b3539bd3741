"""Makes constants of exceptions' messages that Numba cannot put together.

`raise ValueError(f"step must be positive: {dx:.3g}")` becomes `raise ValueError("step must be positive: {dx:.3g}")`:
Numba formats numbers and text as they are, but takes no format after a colon, no `!r`, no `%` and no `.format`. The
type of the exception stays, and what the message would show stands in it by its name.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.generate.walking import nodes_of


class PlainTexts(NumbaRewriter):
    """Rewrites the messages of `raise` and `assert`."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)

    def leave_Raise(self, original_node: cst.Raise, updated_node: cst.Raise) -> cst.Raise:
        call = updated_node.exc
        if not isinstance(call, cst.Call):
            return updated_node
        args = [argument.with_changes(value=self._plain(argument.value)) for argument in call.args]
        if all(new.value is old.value for new, old in zip(args, call.args, strict=True)):
            return updated_node
        return updated_node.with_changes(exc=call.with_changes(args=args))

    def leave_Assert(self, original_node: cst.Assert, updated_node: cst.Assert) -> cst.Assert:
        if updated_node.msg is None or (new := self._plain(updated_node.msg)) is updated_node.msg:
            return updated_node
        return updated_node.with_changes(msg=new)

    def _plain(self, node: cst.BaseExpression) -> cst.BaseExpression:
        text = _template(node)
        if text is None:
            return node
        self.context.note("messages of exceptions name their values where Numba cannot format them")
        return cst.SimpleString(repr(text))


def _template(node: cst.BaseExpression) -> str | None:
    """Returns the text of a message before values are put into it; None for one that Numba takes."""
    if isinstance(node, cst.ConcatenatedString | cst.FormattedString):
        parts = _strings(node)
        formatted = [one for part in parts for one in nodes_of(part, cst.FormattedStringExpression)]
        if not any(one.format_spec is not None or one.conversion is not None or one.equal for one in formatted):
            return None
        return "".join(_shown(part) for part in parts)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
        return _literal(node.left)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        left, right = (_literal(side) or _template(side) for side in (node.left, node.right))
        calls = nodes_of(node, cst.Call)
        if (left is None and right is None) or not any(code(c.func) in ("str", "repr") for c in calls):
            return None
        sides = zip((left, right), (node.left, node.right), strict=True)
        return "".join(f"{{{code(side)}}}" if text is None else text for text, side in sides)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "format":
        return _literal(node.func.value)
    return None


def _strings(node: Any) -> list[Any]:
    if isinstance(node, cst.ConcatenatedString):
        return [*_strings(node.left), *_strings(node.right)]
    return [node]


def _literal(node: cst.BaseExpression) -> str | None:
    if not isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        return None
    value = node.evaluated_value
    return value if isinstance(value, str) else None


def _shown(part: Any) -> str:
    """Returns one string with the fields of an f-string as they stand in the source."""
    if isinstance(part, cst.SimpleString):
        return str(part.evaluated_value)
    texts = []
    for one in part.parts:
        if isinstance(one, cst.FormattedStringText):
            quoted = cst.parse_expression(f'"{one.value}"') if '"' not in one.value and "\n" not in one.value else None
            plain = str(quoted.evaluated_value) if isinstance(quoted, cst.SimpleString) else one.value
            texts.append(plain.replace("{{", "{").replace("}}", "}"))
        else:
            texts.append(code(one))
    return "".join(texts)
