"""The cell that holds the magic, while another cell runs inside of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any


class OuterCell:
    """The cell that holds the magic: its number and text, and a guard for its state while another cell runs inside."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        # The result that the running cell will return: None where the magic was called from code.
        self.result = getattr(shell.displayhook, "exec_result", None)
        info = getattr(self.result, "info", None)
        self.cell_id: str | None = getattr(info, "cell_id", None)
        self.raw: str = getattr(info, "raw_cell", None) or ""
        self.transformed: str | None = getattr(info, "transformed_cell", None)

    @property
    def count(self) -> int:
        """The number in the cell's ``In [n]``."""
        # IPython 9 counts up before it runs a cell, IPython 8 after.
        count = getattr(self.result, "execution_count", None)
        return self.shell.execution_count if count is None else count

    def cell_source(self, line: str, cell: str) -> str:
        """Returns the cell as plain Python with the user's line numbers: the magic's line becomes a comment."""
        # IPython drops empty lines at the start of what it transforms, so they are put back.
        above = self._empty_lines(self.raw) if self.raw.lstrip().startswith("%%jitcompare") else 0
        header = ["#"] * above + [f"# %%jitcompare {line}".rstrip()]
        return "\n".join(header + [""] * self._empty_lines(cell)) + "\n" + self.shell.transform_cell(cell)

    @staticmethod
    def _empty_lines(text: str) -> int:
        lines = text.splitlines()
        return next((number for number, line in enumerate(lines) if line and not line.isspace()), 0)

    def shows_result(self, line: str) -> bool:
        """Returns whether IPython displays what the magic returns: it is the last expression of the running cell."""
        if self.result is None or self.shell.ast_node_interactivity == "none":
            return False
        source = self.transformed if self.transformed is not None else self.shell.transform_cell(self.raw)
        try:
            body = ast.parse(source).body
        except SyntaxError:
            return False
        if not body or not isinstance(body[-1], ast.Expr) or not isinstance(body[-1].value, ast.Call):
            return False
        texts = [part.value for part in body[-1].value.args[:2] if isinstance(part, ast.Constant)]
        return texts == ["jitcompare", line] and not self.shell.displayhook.semicolon_at_end_of_expression(self.raw)

    def fail(self, error: BaseException) -> bool:
        """Marks the running cell as failed with an error that is shown already; returns False where there is none."""
        if self.result is None:
            return False
        self.result.error_in_exec = error
        return True

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Lets another cell run inside this one without a trace in its result, its number, `_` and Out."""
        shell, compiler, count = self.shell, self.shell.compile, self.count
        interactivity = shell.ast_node_interactivity
        cache, replaced = compiler.cache, vars(compiler).get("cache")

        def numbered(code: str, number: int = 0, raw_code: str | None = None) -> str:
            # Tracebacks name the cell by the number that its source was cached with.
            return cache(code, count, raw_code=raw_code)

        compiler.cache = numbered
        # The cell's last expression is the call to compare: none of those before it would be shown.
        shell.ast_node_interactivity = "none"
        try:
            yield
        finally:
            shell.ast_node_interactivity = interactivity
            if replaced is None:
                del compiler.cache
            else:
                compiler.cache = replaced
            shell.displayhook.exec_result = self.result


def users_part(trace: TracebackType | None, namespace: Mapping[str, Any]) -> TracebackType | None:
    """Cuts a traceback down to where the user's code begins; None where none of it was running."""
    from jitmagic.capture.call import EVALUATED

    # An evaluated argument sees the user's names; jitmagic and the libraries that it calls do not. The expression
    # itself is in the message: a frame of it alone would show nothing more.
    while trace is not None and (
        trace.tb_frame.f_globals.get("__name__") != namespace.get("__name__")
        or trace.tb_frame.f_code.co_filename == EVALUATED
    ):
        trace = trace.tb_next
    return trace
