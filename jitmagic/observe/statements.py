"""Rewrites the statements of a function into a watched and a plain copy.

A watched loop chooses a copy of its body at each trip::

    for i in range(n):              k = 0; watch_at = enter(loop)
        body                        try:
                                        for i in watch(site, range(n)):
                                            if k == watch_at:
                                                watch_at = next(loop, k); k += 1
                                                watched body
                                            else:
                                                k += 1
                                                plain body
                                    finally:
                                        leave(loop, k)

Loops in a plain copy are plain too, so that a nest of depth d grows with d², not with 2 to the d.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from jitmagic.observe.expressions import Expressions, call, load, renewed, target_names
from jitmagic.observe.guards import COMPOUND, Guard, Guards, groups, runs_to_end
from jitmagic.observe.scopes import is_generator


class Statements:
    """Writes the copies of one module's functions, and keeps the table of loops.

    Parameters
    ----------
    expressions : Expressions
        Writes the expressions.
    guards : Guards
        Of all functions of the module; they must be placed before anything is written.
    scopes : mapping of int to list of ast.stmt
        What `scopes.lift_scopes` took out of each function, by the function's id.
    """

    def __init__(self, expressions: Expressions, guards: Guards, scopes: Mapping[int, list[ast.stmt]]) -> None:
        self.loops: list[int] = []
        self._expressions = expressions
        self._names = expressions.names
        self._guards = guards
        self._loop_numbers: dict[int, int] = {}
        self._scopes = scopes

    # -- functions -----------------------------------------------------------------------------------------------

    def watched_function(self, function: ast.FunctionDef) -> ast.FunctionDef:
        """Writes a function that watches a call where its gate says so, and else runs its plain copy."""
        opening, body = self._opening(function)
        arguments = function.args
        named = [
            *arguments.posonlyargs,
            *arguments.args,
            *([arguments.vararg] if arguments.vararg else []),
            *arguments.kwonlyargs,
            *([arguments.kwarg] if arguments.kwarg else []),
        ]
        watched = [*(self._expressions.report_name(name) for name in named), *self.watch(body, in_loop=False)]
        choice = ast.If(self._expressions.gate(function), watched, self.plain(body, in_loop=False))
        return renewed(function, body=[*opening, ast.copy_location(choice, body[0])])

    def plain_function(self, function: ast.FunctionDef) -> ast.FunctionDef:
        """Writes a function that watches nothing but what no call of it has shown yet."""
        opening, body = self._opening(function)
        return renewed(function, body=[*opening, *self.plain(body, in_loop=False)])

    def _opening(self, function: ast.FunctionDef) -> tuple[list[ast.stmt], list[ast.stmt]]:
        scopes = self._scopes[id(function)]
        first = function.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            rest = function.body[1:] or [ast.copy_location(ast.Pass(), first)]
            return [first, *scopes], rest
        return list(scopes), function.body

    # -- the watched copy ----------------------------------------------------------------------------------------

    def watch(self, block: Sequence[ast.stmt], *, in_loop: bool) -> list[ast.stmt]:
        """Writes the watched copy of a block."""
        written: list[ast.stmt] = []
        for group in groups(block):
            first = group[0]
            if isinstance(first, COMPOUND):
                written += self._watch_compound(first, in_loop)
            else:
                written += self._watch_group(group)
        return written

    def _watch_group(self, group: Sequence[ast.stmt]) -> list[ast.stmt]:
        written = [part for statement in group for part in self._watch_simple(statement)]
        guard = self._guards.find(group[0])
        if guard is None:
            return written
        # An exception may cut the group short: it counts as seen when it came to its end, or after a few attempts.
        begun = self._mark(guard, group[0], self._names.attempt)
        if isinstance(group[-1], ast.Return | ast.Raise):
            return [begun, *written]
        end = len(written) - isinstance(group[-1], ast.Break | ast.Continue)
        return [begun, *written[:end], self._mark(guard, group[-1], self._names.mark), *written[end:]]

    def _watch_simple(self, statement: ast.stmt) -> list[ast.stmt]:
        write = self._expressions
        match statement:
            case ast.Assign():
                direct = [write.spans.of(target) for target in statement.targets if isinstance(target, ast.Name)]
                unpacked = [
                    name
                    for target in statement.targets
                    if not isinstance(target, ast.Name)
                    for name in target_names(target)
                ]
                assigned = renewed(
                    statement,
                    value=write.watch(statement.value, also=direct),
                    targets=[write.target(target) for target in statement.targets],
                )
                return [assigned, *(write.report_name(name) for name in unpacked)]
            case ast.AnnAssign() if statement.value is not None:
                also = [write.spans.of(statement.target)] if isinstance(statement.target, ast.Name) else []
                return [
                    renewed(
                        statement,
                        value=write.watch(statement.value, also=also),
                        target=write.target(statement.target),
                    )
                ]
            case ast.AugAssign():
                changed = renewed(statement, target=write.target(statement.target), value=write.watch(statement.value))
                return [changed, *(write.report_name(name) for name in target_names(statement.target))]
            case ast.Expr():
                return [renewed(statement, value=write.watch(statement.value))]
            case ast.Return() if statement.value is not None:
                return [renewed(statement, value=write.watch(statement.value))]
            case ast.Assert():
                return [renewed(statement, test=write.watch(statement.test))]
        return [statement]

    def _watch_compound(self, statement: ast.stmt, in_loop: bool) -> list[ast.stmt]:
        write = self._expressions
        match statement:
            case ast.If():
                branch = renewed(
                    statement,
                    test=write.watch(statement.test),
                    body=self.watch(statement.body, in_loop=in_loop),
                    orelse=self.watch(statement.orelse, in_loop=in_loop),
                )
                return [*self._mark_header(statement.test), branch]
            case ast.For() | ast.While():
                return self._watch_loop(statement, in_loop)
            case ast.With():
                items = [
                    renewed(
                        item,
                        context_expr=write.watch(item.context_expr),
                        optional_vars=item.optional_vars and write.target(item.optional_vars),
                    )
                    for item in statement.items
                ]
                kept = [item.optional_vars for item in statement.items if item.optional_vars]
                bound = [name for target in kept for name in target_names(target)]
                body = [*map(write.report_name, bound), *self.watch(statement.body, in_loop=in_loop)]
                return [renewed(statement, items=items, body=body)]
            case ast.Try():
                return [self._try(statement, in_loop, watched=True)]
            case ast.Match():
                cases = [
                    renewed(
                        case,
                        guard=case.guard and write.watch(case.guard),
                        body=self.watch(case.body, in_loop=in_loop),
                    )
                    for case in statement.cases
                ]
                return [renewed(statement, subject=write.watch(statement.subject), cases=cases)]
            case ast.FunctionDef() if not is_generator(statement):
                return [self.watched_function(statement)]
        return [statement]

    def _watch_loop(self, loop: ast.For | ast.While, in_loop: bool) -> list[ast.stmt]:
        write, names = self._expressions, self._names
        number = self._loop_number(loop)
        trip, watch_at = f"{names.prefix}k{number}", f"{names.prefix}n{number}"
        is_watched = ast.Compare(load(loop, trip), [ast.Eq()], [load(loop, watch_at)])
        counted = ast.AugAssign(ast.Name(trip, ast.Store()), ast.Add(), ast.Constant(1))
        watched: list[ast.stmt] = [
            self._assign(loop, watch_at, call(loop, names.next, number, load(loop, trip))),
            counted,
        ]
        if isinstance(loop, ast.For):
            watched += [write.report_name(name) for name in target_names(loop.target)]
            if (guard := self._guards.find(loop.target)) is not None:
                watched.append(self._mark(guard, loop, names.mark))
        watched += self.watch(loop.body, in_loop=True)
        choice = ast.If(is_watched, watched, [counted, *self.plain(loop.body, in_loop=True)])
        body: list[ast.stmt] = [ast.copy_location(choice, loop.body[0])]
        orelse = self.watch(loop.orelse, in_loop=in_loop)
        rewritten: ast.stmt
        if isinstance(loop, ast.For):
            rewritten = renewed(loop, iter=write.watch(loop.iter), body=body, orelse=orelse)
            header: ast.expr = loop.iter
        else:
            test = ast.IfExp(is_watched, write.watch(loop.test), write.plain(loop.test))
            rewritten = renewed(loop, test=ast.copy_location(test, loop.test), body=body, orelse=orelse)
            header = loop.test
        left = ast.Expr(call(loop, names.leave, number, load(loop, trip)))
        return [
            *self._flags(loop, in_loop),
            *self._mark_header(header),
            self._assign(loop, trip, ast.Constant(0)),
            self._assign(loop, watch_at, call(loop, names.enter, number)),
            ast.copy_location(ast.Try([rewritten], [], [], [left]), loop),
        ]

    # -- the plain copy ------------------------------------------------------------------------------------------

    def plain(self, block: Sequence[ast.stmt], *, in_loop: bool, bound: Sequence[ast.stmt] = ()) -> list[ast.stmt]:
        """Writes the plain copy of a block, with guards where it may run before it was watched.

        ``bound`` reports what a loop has bound; it runs where the block's first statements are watched.
        """
        written: list[ast.stmt] = []
        for position, group in enumerate(groups(block)):
            first = group[0]
            if isinstance(first, COMPOUND):
                written += self._plain_compound(first, in_loop)
                continue
            simple = [self._plain_simple(statement) for statement in group]
            guard = self._guards.find(first)
            if guard is None:
                written += simple
            else:
                more = [] if position else list(bound)
                choice = ast.If(self._flag(guard, first), simple, [*more, *self._watch_group(group)])
                written.append(ast.copy_location(choice, first))
        return written

    def _plain_simple(self, statement: ast.stmt) -> ast.stmt:
        if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass | ast.Break | ast.Continue):
            return statement
        return self._expressions.plain(statement)

    def _plain_header(self, header: ast.expr) -> ast.expr:
        plain, guard = self._expressions.plain(header), self._guards.find(header)
        if guard is None:
            return plain
        marked: ast.expr = call(header, self._names.mark, guard.number)
        if guard.local:
            marked = ast.NamedExpr(ast.Name(self._flag_name(guard), ast.Store()), marked)
        watched = ast.IfExp(marked, self._expressions.watch(header), ast.Constant(None))
        return ast.copy_location(ast.IfExp(self._flag(guard, header), plain, watched), header)

    def _plain_compound(self, statement: ast.stmt, in_loop: bool) -> list[ast.stmt]:
        write, names = self._expressions, self._names
        match statement:
            case ast.If():
                return [
                    renewed(
                        statement,
                        test=self._plain_header(statement.test),
                        body=self.plain(statement.body, in_loop=in_loop),
                        orelse=self.plain(statement.orelse, in_loop=in_loop),
                    )
                ]
            case ast.For():
                number = self._loop_number(statement)
                iterable = self._plain_header(statement.iter)
                opening = self._flags(statement, in_loop)
                if runs_to_end(statement):
                    iterable = call(statement.iter, names.count, number, iterable)
                else:
                    opening.append(self._uncounted(statement, number))
                bound = [write.report_name(name) for name in target_names(statement.target)]
                body = self.plain(statement.body, in_loop=True, bound=bound)
                guard = self._guards.find(statement.target)
                if guard is not None and bound:
                    report = [*bound, self._mark(guard, statement, names.mark)]
                    choice = ast.If(self._flag(guard, statement), [ast.Pass()], report)
                    body.insert(0, ast.copy_location(choice, statement))
                orelse = self.plain(statement.orelse, in_loop=in_loop)
                return [*opening, renewed(statement, iter=iterable, body=body, orelse=orelse)]
            case ast.While():
                body, orelse = self.plain(statement.body, in_loop=True), self.plain(statement.orelse, in_loop=in_loop)
                return [
                    *self._flags(statement, in_loop),
                    self._uncounted(statement, self._loop_number(statement)),
                    renewed(statement, test=self._plain_header(statement.test), body=body, orelse=orelse),
                ]
            case ast.With():
                items = [renewed(item, context_expr=write.plain(item.context_expr)) for item in statement.items]
                return [renewed(statement, items=items, body=self.plain(statement.body, in_loop=in_loop))]
            case ast.Try():
                return [self._try(statement, in_loop, watched=False)]
            case ast.Match():
                cases = [renewed(case, body=self.plain(case.body, in_loop=in_loop)) for case in statement.cases]
                return [renewed(statement, subject=write.plain(statement.subject), cases=cases)]
            case ast.FunctionDef() if not is_generator(statement):
                return [self.plain_function(statement)]
        return [statement]

    # -- both ----------------------------------------------------------------------------------------------------

    def _try(self, statement: ast.Try, in_loop: bool, *, watched: bool) -> ast.Try:
        write = self.watch if watched else self.plain
        return renewed(
            statement,
            body=write(statement.body, in_loop=in_loop),
            handlers=[renewed(handler, body=write(handler.body, in_loop=in_loop)) for handler in statement.handlers],
            orelse=write(statement.orelse, in_loop=in_loop),
            finalbody=write(statement.finalbody, in_loop=in_loop),
        )

    def _loop_number(self, loop: ast.For | ast.While) -> int:
        if id(loop) not in self._loop_numbers:
            self._loop_numbers[id(loop)] = len(self.loops)
            self.loops.append(loop.lineno)
        return self._loop_numbers[id(loop)]

    def _assign(self, at: ast.AST, name: str, value: ast.expr) -> ast.stmt:
        return ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], value), at)

    def _uncounted(self, at: ast.AST, number: int) -> ast.stmt:
        slot = ast.Subscript(load(at, self._names.uncounted), ast.Constant(number), ast.Store())
        return ast.copy_location(ast.Assign([slot], ast.Constant(1)), at)

    def _flag_name(self, guard: Guard) -> str:
        return f"{self._names.prefix}s{guard.number}"

    def _seen(self, guard: Guard, at: ast.AST) -> ast.expr:
        return ast.Subscript(load(at, self._names.seen), ast.Constant(guard.number), ast.Load())

    def _flag(self, guard: Guard, at: ast.AST) -> ast.expr:
        return load(at, self._flag_name(guard)) if guard.local else self._seen(guard, at)

    def _flags(self, loop: ast.For | ast.While, in_loop: bool) -> list[ast.stmt]:
        """Writes the local flags of an outermost loop, as they stand when it is entered."""
        if in_loop:
            return []
        return [self._assign(loop, self._flag_name(g), self._seen(g, loop)) for g in self._guards.of_loop(loop)]

    def _mark(self, guard: Guard, at: ast.AST, how: str) -> ast.stmt:
        marked = call(at, how, guard.number)
        if guard.local:
            return self._assign(at, self._flag_name(guard), marked)
        return ast.copy_location(ast.Expr(marked), at)

    def _mark_header(self, header: ast.expr) -> list[ast.stmt]:
        guard = self._guards.find(header)
        return [self._mark(guard, header, self._names.mark)] if guard else []
