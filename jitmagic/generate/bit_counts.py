"""Counts of the ones in a binary numeral: ``bin(x).count("1")``, ``f"{x:b}".count("1")``, ``x.bit_count()``."""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate.blocks import code


def counted(node: cst.Call) -> cst.BaseExpression | None:
    """Returns the number whose ones a call counts, None for another call."""
    func: Any = node.func
    if not isinstance(func, cst.Attribute):
        return None
    if func.attr.value == "bit_count" and not node.args:
        return func.value
    if func.attr.value == "count" and [code(a.value) for a in node.args] in (['"1"'], ["'1'"]):
        return _in_binary(func.value)
    return None


def _in_binary(node: Any) -> cst.BaseExpression | None:
    """Returns the number of ``bin(x)``, ``format(x, "b")`` and ``f"{x:b}"``."""
    if isinstance(node, cst.Call) and node.args:
        called, rest = code(node.func), [code(a.value).strip("\"'") for a in node.args[1:]]
        if (called == "bin" and not rest) or (
            called == "format" and len(rest) == 1 and rest[0].lstrip("0123456789") == "b"
        ):
            return node.args[0].value
    if isinstance(node, cst.FormattedString) and len(node.parts) == 1:
        only: Any = node.parts[0]
        if isinstance(only, cst.FormattedStringExpression) and only.conversion is None:
            shown = "".join(p.value for p in only.format_spec or () if isinstance(p, cst.FormattedStringText))
            return only.expression if shown.lstrip("0123456789") == "b" else None
    return None
