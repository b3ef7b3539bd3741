"""Edits the host's part of a draft in its own text: lines stay as they were written where nothing has to change."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from jitmagic.backends.cuda.kernels import Kernel
from jitmagic.backends.cuda.program import Program
from jitmagic.capture.workload import ModuleText

Edit = tuple[int, int, int, str]
"""A line, the columns from and to, and what takes their place."""


@dataclass
class Text:
    """Lines with the user's line of each."""

    lines: list[str] = field(default_factory=list)
    origins: list[int | None] = field(default_factory=list)

    def add(self, text: str, origin: int | None = None) -> None:
        """Adds lines, all from one line of the user's."""
        for line in text.splitlines():
            self.lines.append(line.rstrip())
            self.origins.append(origin)

    def blank(self, count: int = 2) -> None:
        """Adds empty lines."""
        for _ in range(count):
            self.add("\n")

    def finished(self) -> ModuleText:
        """Returns the module."""
        return ModuleText("\n".join(self.lines) + "\n", tuple(self.origins))


class Hosting:
    """The functions that stay on the host, with launches where their parallel loops were.

    Parameters
    ----------
    program : Program
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.edits: list[Edit] = []

    def replace(self, node: ast.expr, text: str) -> None:
        """Puts text in an expression's place; it has to stand on one line."""
        assert node.end_col_offset is not None
        self.edits.append((node.lineno, node.col_offset, node.end_col_offset, text))

    def function(
        self, into: Text, name: str, node: ast.FunctionDef, launches: dict[int, list[str]], header: str
    ) -> None:
        """Adds a host function's text.

        Parameters
        ----------
        into : Text
        name : str
            The function's name in the draft.
        node : ast.FunctionDef
        launches : dict of int to list of str
            By the first line of each loop, what takes its place, without indentation.
        header : str
            Its `def` line.
        """
        program = self.program
        origin = program.draft.module.origin_line
        loops = {kernel.first: kernel for kernel in program.kernels if kernel.function == name}
        into.add(header, origin(node.lineno))
        number = node.body[0].lineno
        if number > node.lineno + 1:  # comments above the first statement
            number = _after_header(program.lines, node)
        last = node.end_lineno or number
        while number <= last:
            kernel: Kernel | None = loops.get(number)
            if kernel is not None:
                pad = " " * kernel.column
                for line in launches[number]:
                    into.add(pad + line, origin(number))
                number = kernel.last + 1
                continue
            into.add(self._edited(number) or "\n", origin(number))
            number += 1

    def _edited(self, number: int) -> str:
        line = self.program.lines[number - 1]
        for _, start, end, text in sorted((one for one in self.edits if one[0] == number), reverse=True):
            # columns of ast are bytes
            raw = line.encode()
            line = raw[:start].decode() + text + raw[end:].decode()
        return line


def _after_header(lines: list[str], node: ast.FunctionDef) -> int:
    number = node.lineno
    depth = 0
    while number <= len(lines):
        code = lines[number - 1].partition("#")[0]
        depth += code.count("(") + code.count("[") - code.count(")") - code.count("]")
        if depth <= 0 and code.rstrip().endswith(":"):
            return number + 1
        number += 1
    return node.body[0].lineno
