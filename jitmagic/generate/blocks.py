"""Statement blocks in one shape: one statement a line, every body an indented block; and statements made from text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import libcst as cst

from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter

Known = TypeVar("Known")


def code(node: cst.CSTNode) -> str:
    """Returns the source of a node, without the marks and comments of its lines."""
    return cst.Module([]).code_for_node(node)


def in_one_line(source: cst.CSTNode | str) -> str:
    """Returns the source of an expression without its line breaks, and the backslashes before them.

    >>> in_one_line("a \\\\\\n    / b")
    'a / b'
    """
    text = source if isinstance(source, str) else code(source)
    return " ".join(text.replace("\\\n", " ").split())


def statements(node: cst.CSTNode) -> tuple[Any, ...]:
    """Returns the statements in the body of a function, loop or branch."""
    body = getattr(node, "body", node)
    inner = getattr(body, "body", ())
    return tuple(inner) if isinstance(inner, Sequence) else ()


def small(statement: cst.CSTNode) -> Any:
    """Returns the one small statement of a line, None for a compound statement."""
    if isinstance(statement, cst.SimpleStatementLine) and statement.body:
        return statement.body[0]
    return None


def made(text: str, like: cst.CSTNode | None = None) -> Any:
    """Makes a statement from text, on the line of another one.

    Parameters
    ----------
    text : str
        One statement.
    like : libcst.CSTNode or None
        The statement whose line (its mark) the new one takes over; the comment behind it is not repeated.
    """
    return on_the_line_of(cst.parse_statement(text), like)


def on_the_line_of(statement: Any, like: cst.CSTNode | None) -> Any:
    """Gives a new statement the line (its mark) of another one; the comment behind that one is not repeated."""
    mark = _mark(like) if like is not None else None
    if mark is None:
        return statement
    space = cst.TrailingWhitespace(whitespace=cst.SimpleWhitespace("  "), comment=cst.Comment(mark))
    if isinstance(statement, cst.SimpleStatementLine):
        return statement.with_changes(trailing_whitespace=space)
    body = getattr(statement, "body", None)
    if isinstance(body, cst.IndentedBlock):
        return statement.with_changes(body=body.with_changes(header=space))
    return statement


def bound_pairs(target: Any, value: Any) -> Iterator[tuple[Any, Any]]:
    """Yields what an assignment binds and to what: ``a, b = x, y`` binds two names, where the tuples are as long."""
    tuples = isinstance(target, cst.Tuple) and isinstance(value, cst.Tuple)
    if not tuples or len(target.elements) != len(value.elements):
        yield target, value
        return
    for one, other in zip(target.elements, value.elements, strict=True):
        yield from bound_pairs(one.value, other.value)


def with_body(node: Any, body: Iterable[Any]) -> Any:
    """Returns a compound statement with other statements in its indented block."""
    return node.with_changes(body=node.body.with_changes(body=tuple(body)))


def alternative(node: cst.CSTNode) -> tuple[Any, ...]:
    """Returns the statements behind ``else`` of a branch or loop; an ``elif`` is one statement."""
    orelse = getattr(node, "orelse", None)
    if orelse is None:
        return ()
    return (orelse,) if isinstance(orelse, cst.If) else statements(orelse)


def with_alternative(new: Any, old: Any, rewrite: Callable[[tuple[Any, ...]], Iterable[Any]]) -> Any:
    """Returns a compound statement with what another one has behind ``else``, rewritten; `elif` may become more."""
    orelse = getattr(old, "orelse", None)
    if orelse is None:
        return new
    body = tuple(rewrite(alternative(old)))
    if not isinstance(orelse, cst.If):
        return new.with_changes(orelse=with_body(orelse, body))
    alone = len(body) == 1 and isinstance(body[0], cst.If)
    return new.with_changes(orelse=body[0] if alone else cst.Else(cst.IndentedBlock(body)))


def leading(statement: Any, like: Any) -> Any:
    """Gives a new statement the comments and blank lines that stood above another one."""
    return statement.with_changes(leading_lines=like.leading_lines)


def commented(statement: Any, *lines: str) -> Any:
    """Puts comment lines above a statement, below those that stand there."""
    more = [cst.EmptyLine(comment=cst.Comment(f"# {line}")) for line in lines]
    return statement.with_changes(leading_lines=[*statement.leading_lines, *more])


def each_function(tree: cst.Module, known: Mapping[str, Known], rewrite: Callable[[Any, Known], Any]) -> cst.Module:
    """Returns the tree with its top-level functions rewritten, those of which something is known."""
    body = [
        rewrite(s, known[s.name.value]) if isinstance(s, cst.FunctionDef) and s.name.value in known else s
        for s in tree.body
    ]
    return tree.with_changes(body=body)


def _mark(statement: cst.CSTNode) -> str | None:
    space = getattr(statement, "trailing_whitespace", None)
    if space is None:
        body = getattr(statement, "body", None)
        space = getattr(body, "header", None)
    comment = getattr(space, "comment", None)
    if comment is None or "#@" not in comment.value:
        return None
    return comment.value[comment.value.rindex("#@") :]


class OneStatementALine(Rewriter):
    """Writes ``a; b`` on two lines and ``if c: a`` as a block, in the bodies of functions."""

    def leave_SimpleStatementSuite(self, original_node: cst.SimpleStatementSuite, updated_node: Any) -> Any:
        lines = [
            cst.SimpleStatementLine([s.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)]) for s in updated_node.body
        ]
        for line, old in zip(lines, original_node.body, strict=True):
            self.module.inherit(line, old)
            self.module.inherit(line.body[0], old)
        return cst.IndentedBlock(body=lines, header=updated_node.trailing_whitespace)

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        if len(updated_node.body) == 1:
            return updated_node
        lines = []
        for position, (statement, old) in enumerate(zip(updated_node.body, original_node.body, strict=True)):
            line = updated_node.with_changes(
                body=[statement.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)],
                leading_lines=updated_node.leading_lines if position == 0 else (),
            )
            self.module.inherit(line, old)
            self.module.inherit(line.body[0], old)
            lines.append(line)
        return cst.FlattenSentinel(lines)


def normalised(module: Module, tree: cst.Module) -> cst.Module:
    """Returns the tree with one statement a line and indented bodies only."""
    return tree.visit(OneStatementALine(module))
