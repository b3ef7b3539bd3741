"""Places of stdlib ``ast`` nodes as the rest of jitmagic (LibCST) counts them.

Two differences are bridged: ``ast`` counts columns in UTF-8 bytes, LibCST in characters; and ``ast`` counts the
parentheses of a tuple and of a generator expression to the node, LibCST does not.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize

from jitmagic.observe.facts import Span

Place = tuple[int, int]

_NOT_CODE = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})


class SpanMap:
    """Translates the positions of ``ast`` nodes of one text into LibCST's spans.

    >>> text = "y = (1, é[0])\\n"
    >>> node = ast.parse(text).body[0].value
    >>> SpanMap(text).of(node)
    Span(line=1, column=5, end_line=1, end_column=12)
    """

    def __init__(self, text: str) -> None:
        self._lines = re.split(r"\r\n|\r|\n", text)
        self._inner: dict[tuple[Place, Place], tuple[Place, Place]] = {}
        self._match_parentheses(text)

    def _match_parentheses(self, text: str) -> None:
        # For each pair of parentheses: where its inside begins (first token) and ends (last token).
        tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in _NOT_CODE]
        open_at: list[int] = []
        for number, token in enumerate(tokens):
            if token.type != tokenize.OP:
                continue
            if token.string == "(":
                open_at.append(number)
            elif token.string == ")" and open_at:
                start = open_at.pop()
                outer = (tokens[start].start, token.end)
                if number == start + 1:
                    self._inner[outer] = (token.start, token.start)
                else:
                    self._inner[outer] = (tokens[start + 1].start, tokens[number - 1].end)

    def _characters(self, line: int, byte_column: int) -> int:
        text = self._lines[line - 1]
        return byte_column if text.isascii() else len(text.encode()[:byte_column].decode(errors="replace"))

    def _outer(self, node: ast.AST) -> tuple[Place, Place]:
        line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        end_line, end_column = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        return (line, self._characters(line, column)), (end_line, self._characters(end_line, end_column))

    def parenthesised(self, node: ast.AST) -> bool:
        """Says whether the node's own span begins with a parenthesis that its end closes."""
        return self._outer(node) in self._inner

    def of(self, node: ast.AST) -> Span:
        """Returns the span of an expression (or of a parameter's name) as LibCST gives it."""
        start, end = self._outer(node)
        if isinstance(node, ast.arg):
            return Span(*start, start[0], start[1] + len(node.arg))
        if isinstance(node, ast.Tuple | ast.GeneratorExp):
            start, end = self._inner.get((start, end), (start, end))
        return Span(*start, *end)
