"""Turns the outermost proved loops into `prange`, and maxima by `if` into `max`, a reduction that `prange` knows."""

from __future__ import annotations

import libcst as cst

from jitmagic.analysis.loops import LoopClass
from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.generate import names as name_tools
from jitmagic.generate.walking import Finder
from jitmagic.observe.facts import Span

_PLAIN = (cst.Name, cst.Integer, cst.Call, cst.Subscript, cst.Attribute)


def chosen(loops: tuple[LoopClass, ...], trips: dict[int, int] | None = None) -> tuple[LoopClass, ...]:
    """Returns the loops to run in parallel: of each nest the outermost that is proved.

    Parameters
    ----------
    loops : tuple of LoopClass
    trips : dict of int to int, optional
        The largest trip count of the loop at each line: a loop of a single step is left to the one inside it.
    """
    taken: list[int] = []
    for position, loop in enumerate(loops):
        above, inside = loop.parent, False
        while above is not None:
            inside = inside or above in taken
            above = loops[above].parent
        # Numba 0.68 corrupts memory where an array reduction is entered more than once in a call (seen: malloc aborts)
        nested = loop.parent is not None and any(reduction.array for reduction in loop.reductions)
        # and gives zeros where one is written as `s = s + e`
        rebound = any(reduction.array and reduction.rebound for reduction in loop.reductions)
        if loop.parallel and not nested and not rebound and not inside and (trips or {}).get(loop.span.line, 2) > 1:
            taken.append(position)
    return tuple(loops[position] for position in taken)


class Parallel(NumbaRewriter):
    """Rewrites `for i in range(n)` as `for i in prange(n)` where it stands at one of the chosen spans.

    Parameters
    ----------
    context : Context
    loops : tuple of LoopClass
    """

    def __init__(self, context: Context, loops: tuple[LoopClass, ...]) -> None:
        super().__init__(context)
        self._lines = {(loop.span.line, loop.span.column): loop for loop in loops}
        self._guarded = {
            (span.line, span.column): reduction
            for loop in loops
            for reduction in loop.reductions
            for span in reduction.guarded
        }

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        place = self._place(original_node)
        loop = self._lines.get(place) if place is not None else None
        if loop is None or not isinstance(updated_node.iter, cst.Call) or not isinstance(updated_node.target, cst.Name):
            return updated_node
        spelled = self.context.imports.spell("numba.prange")
        changed = updated_node.with_changes(iter=updated_node.iter.with_changes(func=spelled))
        index = updated_node.target.value
        uses = _IndexUse(index)
        original_node.body.visit(uses)
        stepped = self._stepped(updated_node.iter, original_node)
        if not uses.arithmetic and stepped is None:
            return changed
        taken = name_tools.all_names(self.module.tree)
        raw = name_tools.fresh(f"{index}_", taken)
        cast = self.context.imports.code("numpy.int64")
        if stepped is None:
            first = cst.parse_statement(f"{index} = {cast}({raw})  # prange's index is unsigned\n")
        else:
            count, start, step = stepped
            changed = changed.with_changes(iter=cst.Call(spelled, [cst.Arg(cst.parse_expression(count))]))
            first = cst.parse_statement(f"{index} = {start} + {step}*{cast}({raw})  # prange counts by ones\n")
        body = changed.body
        assert isinstance(body, cst.IndentedBlock)
        return changed.with_changes(target=cst.Name(raw), body=body.with_changes(body=[first, *body.body]))

    def _stepped(self, call: cst.Call, loop: cst.For) -> tuple[str, str, str] | None:
        """Returns how often a loop runs, where it begins and its step; None where it counts by ones already."""
        ends = [argument.value for argument in call.args]
        if len(ends) != 3 or code(ends[2]) == "1":
            return None
        if name_tools.bound(loop.body) & frozenset().union(*(name_tools.loads(end) for end in ends)):
            return None  # its steps would begin elsewhere
        start, _, step = (code(end if end.lpar or isinstance(end, _PLAIN) else _wrapped(end)) for end in ends)
        return f"len(range({', '.join(code(end) for end in ends)}))", start, step

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.BaseStatement:
        place = self._place(original_node)
        reduction = self._guarded.get(place) if place is not None else None
        if reduction is None:
            return updated_node
        body = updated_node.body
        if isinstance(body, cst.IndentedBlock) and isinstance(body.body[0], cst.SimpleStatementLine):
            line = body.body[0]
            small = line.body[0]
        elif isinstance(body, cst.SimpleStatementSuite):
            small = body.body[0]
            line = cst.SimpleStatementLine([small], trailing_whitespace=body.trailing_whitespace)
        else:
            return updated_node
        assert isinstance(small, cst.Assign)
        call = cst.Call(cst.Name(reduction.operator), [cst.Arg(cst.Name(reduction.name)), cst.Arg(small.value)])
        assign = small.with_changes(value=call, semicolon=cst.MaybeSentinel.DEFAULT)
        return line.with_changes(body=[assign], leading_lines=updated_node.leading_lines)

    def _place(self, node: cst.CSTNode) -> tuple[int, int] | None:
        try:
            span: Span = self.module.span(node)
        except KeyError:
            return None
        return span.line, span.column


def _wrapped(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


class _IndexUse(Finder):
    """Finds out whether an index is computed with; subscripts such as `a[i]` and `a[i + 1]` do not count."""

    def __init__(self, index: str) -> None:
        super().__init__()
        self.index = index
        self.arithmetic = False

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        node.value.visit(self)
        for element in node.slice:
            part = element.slice
            if not (isinstance(part, cst.Index) and self._plain(part.value)):
                part.visit(self)
        return False

    def _plain(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.Name):
            return True
        return (
            isinstance(node, cst.BinaryOperation)
            and isinstance(node.operator, cst.Add)
            and isinstance(node.left, cst.Name)
            and isinstance(node.right, cst.Integer)
        )

    def visit_For(self, node: cst.For) -> bool:
        # `range(i + 1, n)` hands the unsigned type on to its own index: fine as long as that one only subscribes too
        counted = (
            isinstance(node.iter, cst.Call)
            and isinstance(node.iter.func, cst.Name)
            and node.iter.func.value == "range"
            and isinstance(node.target, cst.Name)
            and len(node.iter.args) <= 2
        )
        if not counted or not isinstance(node.iter, cst.Call) or not isinstance(node.target, cst.Name):
            return True
        reads = _Reads(self.index)
        node.iter.visit(reads)
        if not reads.found:
            return True
        if not all(self._plain(a.value) or not _reads(a.value, self.index) for a in node.iter.args):
            return True
        inner = _IndexUse(node.target.value)
        node.body.visit(inner)
        self.arithmetic = self.arithmetic or inner.arithmetic
        node.body.visit(self)
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self.arithmetic = self.arithmetic or node.value == self.index


class _Reads(Finder):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.found = False

    def visit_Name(self, node: cst.Name) -> None:
        self.found = self.found or node.value == self.name


def _reads(node: cst.CSTNode, name: str) -> bool:
    finder = _Reads(name)
    node.visit(finder)
    return finder.found
