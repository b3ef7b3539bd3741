"""The statements by which a user sees a probe again, in their own names."""

from __future__ import annotations

import ast
from collections.abc import Sequence


def snippet(function: str, call: str, labels: Sequence[str], keywords: Sequence[str], steps: Sequence[str],
            between: bool = False) -> str:  # fmt: skip
    """Writes a probe as statements that can be pasted below the user's own.

    Parameters
    ----------
    function : str
        The function's name.
    call : str
        The user's call, e.g. ``"fn(data, 0.1)"``.
    labels : sequence of str
        A label an argument, positional ones first.
    keywords : sequence of str
        The last of the labels, which are passed by keyword.
    steps : sequence of str
    between : bool
        Whether the steps stand between two calls.

    >>> print(snippet("fn", "fn(data)", ["x"], [], ["x = x[:2]"]))
    x = data
    x = x[:2]
    fn(x)
    """
    plain = list(labels[: len(labels) - len(keywords)])
    line = f"{function}({', '.join([*plain, *(f'{name}={name}' for name in keywords)])})"
    bound = _bindings(call, plain, keywords)
    return "\n".join([*bound, *([line] if between else []), *steps, line])


def _bindings(call: str, plain: Sequence[str], keywords: Sequence[str]) -> list[str]:
    """Returns the statements that bind the labels to what stands in the call, but for those that repeat a name."""
    try:
        node = ast.parse(call, mode="eval").body
    except SyntaxError:
        return [f"# {', '.join([*plain, *keywords])}: the arguments of {call}"]
    given = node.args if isinstance(node, ast.Call) else []
    if len(given) != len(plain) or any(isinstance(one, ast.Starred) for one in given) or not isinstance(node, ast.Call):
        return [f"# {', '.join([*plain, *keywords])}: the arguments of {' '.join(call.split())}"]
    lines: list[str] = []
    starred: dict[str, list[str]] = {}
    for label, one in zip(plain, given, strict=True):
        root, bracket, _ = label.partition("[")
        if bracket:
            starred.setdefault(root, []).append(ast.unparse(one))
        elif ast.unparse(one) != label:
            lines.append(f"{label} = {ast.unparse(one)}")
    lines += [f"{root} = [{', '.join(parts)}]" for root, parts in starred.items()]
    for word in node.keywords:
        if word.arg in keywords and ast.unparse(word.value) != word.arg:
            lines.append(f"{word.arg} = {ast.unparse(word.value)}")
    return lines
