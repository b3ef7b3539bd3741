"""Finds the functions that a source text defines, and cuts each out as text of its own.

>>> import ast
>>> text = "@njit\\ndef double(x):\\n    return 2 * x  # twice\\n"
>>> found = definitions(ast.parse(text), text, "cell")["double"]
>>> found.first_line, found.decorators[0].text
(2, 'njit')
>>> print(found.source, end="")
def double(x):
    return 2 * x  # twice
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from jitmagic.capture.workload import SourceFunction

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class Decorator:
    """One decorator as it is written, without the ``@``, and its line in the user's cell or file."""

    text: str
    line: int


@dataclass(frozen=True)
class Definition(SourceFunction):
    """A :class:`SourceFunction` with what the cut took off.

    Attributes
    ----------
    decorators : tuple of Decorator
        As they stand in the source, the outermost first.
    lines : tuple of int
        The user's line of each line of ``source``.
    node : ast node or None
        The definition in the tree of the whole cell or file: a ``def`` or a ``lambda``.
    tree : ast.Module or None
        That tree.
    text : tuple of str
        The lines of the whole cell or file.
    """

    decorators: tuple[Decorator, ...] = ()
    lines: tuple[int, ...] = ()
    node: FunctionNode | None = field(default=None, compare=False, repr=False)
    tree: ast.Module | None = field(default=None, compare=False, repr=False)
    text: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class Edit:
    """A piece of source to replace: ``ast`` positions (lines from 1, columns in UTF-8 bytes), the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


def source_lines(source: str) -> list[str]:
    """Splits source at line feeds alone: ``str.splitlines`` also splits at form feeds, and Python does not."""
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def span(node: ast.AST) -> tuple[int, int, int, int]:
    """Returns a node's place: line, column, end line, end column (columns in bytes)."""
    assert isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def segment(lines: Sequence[str], node: ast.AST) -> str:
    """Returns the text of a node, as it is written."""
    line, column, end_line, end_column = span(node)
    taken = [text.encode() for text in lines[line - 1 : end_line]]
    taken[-1] = taken[-1][:end_column]
    taken[0] = taken[0][column:]
    return b"\n".join(taken).decode()


def edited(source: str, lines: Sequence[int], edits: Iterable[Edit]) -> tuple[str, tuple[int, ...]]:
    """Applies edits that do not overlap, and keeps the map of the lines to the user's lines true."""
    text = [line.encode() for line in source.split("\n")]
    origin = list(lines)
    for edit in sorted(edits, key=lambda each: (each.line, each.column), reverse=True):
        joined = text[edit.line - 1][: edit.column] + edit.text.encode() + text[edit.end_line - 1][edit.end_column :]
        text[edit.line - 1 : edit.end_line] = [joined]
        if edit.column == 0 and not edit.text:
            origin[edit.line - 1] = origin[edit.end_line - 1]  # whole lines went
        del origin[edit.line : edit.end_line]
    return "\n".join(line.decode() for line in text), tuple(origin)


def of_function(
    node: ast.FunctionDef | ast.AsyncFunctionDef, lines: Sequence[str], origin: str, tree: ast.Module | None = None
) -> Definition:
    """Cuts a ``def`` out: dedented, without its decorators, with its comments."""
    assert node.end_lineno is not None
    # The lines inside a string that spans several are part of its value: they keep their indentation.
    within_string = {
        line
        for each in ast.walk(node)
        if (isinstance(each, ast.Constant) and isinstance(each.value, str | bytes)) or isinstance(each, ast.JoinedStr)
        for line in range(each.lineno + 1, (each.end_lineno or each.lineno) + 1)
    }
    taken = []
    for number in range(node.lineno, node.end_lineno + 1):
        text = lines[number - 1]
        if number not in within_string:
            indentation = len(text) - len(text.lstrip(" \t\f"))
            text = text[min(indentation, node.col_offset) :]
        taken.append(text.rstrip() if number not in within_string else text)
    return Definition(
        name=node.name,
        source="\n".join(taken) + "\n",
        first_line=node.lineno,
        origin=origin,
        decorators=tuple(Decorator(segment(lines, each), each.lineno) for each in node.decorator_list),
        lines=tuple(range(node.lineno, node.end_lineno + 1)),
        node=node,
        tree=tree,
        text=tuple(lines),
    )


def of_lambda(
    node: ast.Lambda, name: str, lines: Sequence[str], origin: str, tree: ast.Module | None = None
) -> Definition:
    """Writes a lambda as the ``def`` that does the same."""
    body = segment(lines, node.body)
    count = body.count("\n") + 1
    if count > 1:
        body = f"({body})"
    source = f"def {name}({ast.unparse(node.args)}):\n    return {body}\n"
    body_lines = range(node.body.lineno, node.body.lineno + count)
    return Definition(
        name=name,
        source=source,
        first_line=node.lineno,
        origin=origin,
        lines=(node.lineno, *body_lines),
        node=node,
        tree=tree,
        text=tuple(lines),
    )


def statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the statements of a module's own scope, also those inside ``if``, ``try``, ``with`` and loops."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for part in ("body", "orelse", "finalbody"):
            yield from statements(getattr(statement, part, None) or ())
        for handler in getattr(statement, "handlers", None) or ():
            yield from statements(handler.body)
        for case in getattr(statement, "cases", None) or ():
            yield from statements(case.body)


def definitions(tree: ast.Module, source: str, origin: str) -> dict[str, Definition]:
    """Finds the functions that a module's own scope defines, by name; the last one of a name is taken.

    A lambda that is assigned to one name counts, as the ``def`` of that name.
    """
    lines = source_lines(source)
    found: dict[str, Definition] = {}
    for statement in statements(tree.body):
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.pop(statement.name, None)
                found[statement.name] = of_function(statement, lines, origin, tree)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as node)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Lambda() as node)
            ):
                found.pop(name, None)
                found[name] = of_lambda(node, name, lines, origin, tree)
    return found
