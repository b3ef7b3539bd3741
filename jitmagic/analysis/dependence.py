"""Proves that a loop's steps are independent: affine dependence tests on arrays, privacy and reductions on scalars.

Two accesses of one array conflict unless in some axis their subscripts can never be equal in two different
steps (distance and GCD tests, and i/j symmetry under ``j >= i``). Subscripts must not be negative, since
``a[-1]`` is another name for the last element.

>>> scope = Scope("def fn(x, n):\\n    for i in range(1, n):\\n        x[i] = x[i - 1]\\n", "fn", {}, None)
>>> found = LoopProof(scope, scope.function.body[0]).result(depth=0, parent=None)
>>> found.kind, found.parallel, found.blockers[0].reason
('scan', False, 'writes `x[i]` and reads `x[i - 1]`, which another step wrote')
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from jitmagic.analysis.affine import affine
from jitmagic.analysis.bounds import Bounds
from jitmagic.analysis.loops import Blocker, LoopClass, Reduction
from jitmagic.analysis.memory import PLAIN_ATTRIBUTES
from jitmagic.analysis.reductions import reduction_of
from jitmagic.analysis.scalars import assigned, live_after, loaded, needed_from_before, path_to
from jitmagic.analysis.scope import Scope
from jitmagic.analysis.subscripts import apart, is_name, is_range, nonnegative_constant, side_of, subscripts_of
from jitmagic.analysis.tree import base_name


@dataclass(frozen=True)
class _Access:
    """One element or slice access: the array's name, its subscripts (None: the whole array), and whether it writes."""

    name: str
    subscripts: tuple[ast.expr, ...] | None
    write: bool
    node: ast.expr
    loops: tuple[ast.For, ...]


class LoopProof:
    """The proof for one loop: collects what stands against independence."""

    def __init__(self, scope: Scope, loop: ast.For | ast.While) -> None:
        self.scope = scope
        self.loop = loop
        self.blockers: list[Blocker] = []
        self.reductions: list[Reduction] = []
        self.private: set[str] = set()
        self.carried: set[str] = set()
        self.stored: set[str] = set()
        self.python = False
        self.irregular = False
        self.recurrence = False
        self.growing = False
        self.index: str | None = None
        self.bounds = Bounds(scope, loop)

    def result(self, depth: int, parent: int | None) -> LoopClass:
        """Runs the proof and names the loop's class."""
        loop = self.loop
        if isinstance(loop, ast.While):
            self._block("runs until a condition holds, so that how often is not known before", loop.test)
        else:
            self._header(loop)
        self._exits(loop.body, inside=False)
        self._statements()
        self._scalars()
        accesses = self._accesses()
        self._arrays(accesses)
        triangular = self.index is not None and self._triangular()
        parallel = not self.blockers
        kind = self._kind(parallel, accesses, triangular)
        return LoopClass(
            span=self.scope.span(loop),
            kind=kind,
            parallel=parallel,
            index=self.index,
            depth=depth,
            parent=parent,
            triangular=triangular,
            private=tuple(sorted(self.private)),
            carried=tuple(sorted(self.carried)),
            stored=tuple(sorted(self.stored)),
            reductions=tuple(self.reductions),
            blockers=tuple(self.blockers),
            counted=self.scope.counted.get(self.scope.span(loop)),
        )

    def _kind(self, parallel: bool, accesses: list[_Access], triangular: bool) -> str:
        if isinstance(self.loop, ast.While):
            return "while"
        if self.python:
            return "python"
        if parallel:
            if self.reductions:
                return "reduction"
            return "stencil" if self._reads_neighbours(accesses) else "map"
        if self.irregular:
            return "irregular"
        if self.growing and triangular:
            return "triangular"
        return "scan" if self.recurrence or self.carried else "python"

    def _block(self, reason: str, node: ast.AST) -> None:
        self.blockers.append(Blocker(reason, self.scope.span(node)))

    # -- the loop's header and control flow

    def _header(self, loop: ast.For) -> None:
        if not isinstance(loop.target, ast.Name) or not is_range(loop.iter, self.scope.locals):
            self.python = True
            self._block("does not count over `range(...)`: write it with an index", loop.iter)
            return
        self.index = loop.target.id
        step = self.bounds.step()
        if step is None or step == 0:
            self._block("has a step that is not a constant", loop.iter)
        if loop.orelse:
            self._block("has an `else`", loop.orelse[0])
        if self.index in assigned(loop.body):
            self.carried.add(self.index)
            self._block(f"assigns its own index `{self.index}`", loop)
        if self.index in live_after(loop, self.scope.function):
            self._block(f"leaves its index `{self.index}` to be read after it", loop)

    def _exits(self, statements: list[ast.stmt], inside: bool) -> None:
        for statement in statements:
            if isinstance(statement, ast.Return):
                self._block("returns from inside", statement)
            elif isinstance(statement, ast.Raise | ast.Assert):
                self._block("may raise an exception from inside: check before the loop", statement)
            elif isinstance(statement, ast.Break) and not inside:
                self._block("stops early with `break`", statement)
            elif isinstance(statement, ast.For | ast.While):
                self._exits(statement.body, True)
                self._exits(statement.orelse, inside)
            elif isinstance(statement, ast.If):
                self._exits(statement.body, inside)
                self._exits(statement.orelse, inside)
            elif isinstance(statement, ast.With | ast.Try | ast.Match):
                self.python = True
                self._block("holds a `with`, `try` or `match` block", statement)

    # -- calls and statements that only Python can run

    def _statements(self) -> None:
        for statement in self.loop.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Call):
                    effect = self.scope.purity.effect(node)
                    if effect is not None:
                        self.python = True
                        self._block(effect, node)
                elif isinstance(node, ast.Name) and (inner := self.scope.purity.inner(node)) is not None:
                    bound = assigned(self.loop.body) | ({self.index} if self.index is not None else set())
                    read = sorted(self.scope.purity.reads(inner) & bound)
                    if read:
                        self._block(f"calls {node.id}, which reads `{read[0]}` of the step", node)
                elif isinstance(node, ast.Yield | ast.YieldFrom | ast.Await | ast.Lambda | ast.NamedExpr):
                    self.python = True
                    self._block("holds an expression that is not followed here", node)
                elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Delete):
                    self.python = True
                    self._block("holds a definition, an import or a `del`", node)
                elif isinstance(node, ast.Global | ast.Nonlocal):
                    self.python = True
                    self._block("changes a global", node)

    # -- scalars

    def _scalars(self) -> None:
        body = self.loop.body
        bound = {self.index} if self.index is not None else set()
        if isinstance(self.loop, ast.For) and self.index is None:
            bound = {n.id for n in ast.walk(self.loop.target) if isinstance(n, ast.Name)}
        names = assigned(body) - bound
        needed = needed_from_before(body, bound)
        after = live_after(self.loop, self.scope.function)
        for name in sorted(names):
            if name in self.scope.globals_written:
                self._block(f"changes the global `{name}`", self._first(name))
            elif name in needed:
                self._accumulator(name, body)
            elif name in after:
                self.carried.add(name)
                self._block(f"leaves `{name}` of its last step to be read after it", self._first(name))
            else:
                self.private.add(name)
        if isinstance(self.loop, ast.While):
            self.carried |= names & loaded(self.loop.test)

    def _accumulator(self, name: str, body: list[ast.stmt]) -> None:
        fact = self.scope.name_fact(name)
        array = fact is not None and fact.kind == "array"
        reduction = reduction_of(name, body, self.scope.span, array)
        if reduction is None:
            self.carried.add(name)
            self.recurrence = True
            place = self._first(name)
            self._block(f"takes `{name}` from the step before", place)
            return
        unknown = fact is None and name in self.scope.parameters
        if (array or unknown) and (name in self.scope.parameters or not self._allocated(name)):
            self.carried.add(name)
            self._block(f"adds into the array `{name}`, which was not made in this function", self._first(name))
            return
        self.reductions.append(reduction)

    def _allocated(self, name: str) -> bool:
        values = [
            node.value
            for node in ast.walk(self.scope.function)
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        ]
        return bool(values) and all(self.scope.purity.is_fresh(value) for value in values)

    def _first(self, name: str) -> ast.AST:
        for statement in self.loop.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For) and name in assigned([node]):
                    return node if not isinstance(node, ast.For) else node.target
        return self.loop

    # -- arrays

    def _accesses(self) -> list[_Access]:
        found: list[_Access] = []

        def expression(node: ast.AST, loops: tuple[ast.For, ...]) -> None:
            if isinstance(node, ast.Attribute) and node.attr in PLAIN_ATTRIBUTES and isinstance(node.value, ast.Name):
                return
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
                return
            if isinstance(node, ast.Subscript):
                access = self._element(node, isinstance(node.ctx, ast.Store | ast.Del), loops)
                if access is not None:
                    found.append(access)
                    for subscript in access.subscripts or ():
                        expression(subscript, loops)
                    return
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                self.python = True
                self._block(f"sets the attribute `{ast.unparse(node)}`", node)
            if isinstance(node, ast.Name):
                inner = self.scope.purity.inner(node)
                if inner is not None:  # it reads what is around it when it is called
                    read = self.scope.purity.reads(inner)
                    found.extend(_Access(name, None, False, node, loops) for name in sorted(read))
                elif isinstance(node.ctx, ast.Load) and not self.scope.is_scalar(node):
                    found.append(_Access(node.id, None, False, node, loops))
                return
            for child in ast.iter_child_nodes(node):
                expression(child, loops)

        def statements(block: list[ast.stmt], loops: tuple[ast.For, ...]) -> None:
            for statement in block:
                if isinstance(statement, ast.For):
                    expression(statement.iter, loops)
                    statements(statement.body, (*loops, statement))
                    statements(statement.orelse, loops)
                elif isinstance(statement, ast.If | ast.While):
                    expression(statement.test, loops)
                    statements(statement.body, loops)
                    statements(statement.orelse, loops)
                elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
                    # `s += e` on an array writes into it: seen by the reductions, or by the names it may alias
                    name = statement.target.id
                    if not self.scope.is_scalar(statement.value) or not self._plain(name):
                        found.append(_Access(name, None, True, statement.target, loops))
                    expression(statement.value, loops)
                else:
                    expression(statement, loops)

        statements(self.loop.body, ())
        return found

    def _plain(self, name: str) -> bool:
        fact = self.scope.name_fact(name)
        return fact is not None and fact.kind in ("float", "int", "bool", "complex", "scalar", "mixed")

    def _element(self, node: ast.Subscript, write: bool, loops: tuple[ast.For, ...]) -> _Access | None:
        subscripts = subscripts_of(node)
        value = node.value
        while True:
            if isinstance(value, ast.Subscript):
                outer = subscripts_of(value)
                if not all(self._is_index(s) for s in outer):
                    break
                subscripts = (*outer, *subscripts)
                value = value.value
            elif isinstance(value, ast.Name) and value.id in self.private and value.id in self.scope.views:
                # `row = a[i]` and then `row[j]` is `a[i, j]`, while what `i` is stays the same within the step
                view = self.scope.views[value.id]
                outer = subscripts_of(view)
                steady = {self.index} | self._inner_indices()
                if not all(self._is_index(s) and loaded(s) & assigned(self.loop.body) <= steady for s in outer):
                    break
                subscripts = (*outer, *subscripts)
                value = view.value
            else:
                break
        if isinstance(value, ast.Name):
            return _Access(value.id, subscripts, write, node, loops)
        base = base_name(node)
        if write and base is not None:
            return _Access(base, None, True, node, loops)
        return None

    def _inner_indices(self) -> set[str]:
        return {
            n.target.id
            for s in self.loop.body
            for n in ast.walk(s)
            if isinstance(n, ast.For) and isinstance(n.target, ast.Name)
        }

    def _is_index(self, node: ast.expr) -> bool:
        """Says whether a subscript is surely one integer, so that it takes exactly one axis away."""
        if isinstance(node, ast.Slice | ast.Tuple | ast.Starred):
            return False
        if isinstance(node, ast.Constant):
            return type(node.value) is int
        fact = self.scope.fact(node)
        if fact is not None:
            return fact.kind == "int" or (fact.kind == "scalar" and (fact.dtype or "").startswith(("int", "uint")))
        if isinstance(node, ast.Name):
            return node.id == self.index or node.id in self._inner_indices()
        return isinstance(node, ast.BinOp) and self._is_index(node.left) and self._is_index(node.right)

    def _arrays(self, accesses: list[_Access]) -> None:
        local = {name for name in self.private if self._made_here(name)}
        writes = [a for a in accesses if a.write and a.name not in local]
        reported: set[tuple[str, int]] = set()
        for write in writes:
            if self._is_container(write.name) and not isinstance(write.node, ast.Name):
                self.python = True
                self._block(f"stores into `{write.name}`, which is no array", write.node)
                continue
            updated = isinstance(write.node, ast.Name)
            if not updated:
                self.stored.add(write.name)
            for other in accesses:
                if updated and other.name == write.name:
                    continue  # `s += e` on a name is judged with the scalars
                if other.name in local or not self.scope.may_share(write.name, other.name):
                    continue
                if other.name != write.name and (self._alone(write.name) or self._alone(other.name)):
                    continue
                if other.node is write.node and other.write is False:
                    continue
                reason = self._conflict(write, other)
                key = (reason or "", write.node.lineno)
                if reason is not None and key not in reported:
                    reported.add(key)
                    self._block(reason, other.node if other.node is not write.node else write.node)

    def _made_here(self, name: str) -> bool:
        values = [
            node.value
            for statement in self.loop.body
            for node in ast.walk(statement)
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        ]
        return bool(values) and all(self.scope.purity.is_fresh(value) for value in values)

    def _alone(self, name: str) -> bool:
        """Says whether a name was bound to a new array before the loop and nothing else was bound to that array since.

        This is the step of a simulation: ``new = u.copy()``, a loop that fills ``new``, then ``u = new``.
        """
        aliases = self.scope.aliases

        def touched(statements: list[ast.stmt]) -> bool:
            for statement in statements:
                if name in assigned([statement]):
                    return True
                for node in ast.walk(statement):
                    bound = node.iter if isinstance(node, ast.For) else getattr(node, "value", None)
                    binds = isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.For)
                    if binds and bound is not None and name in aliases.names_in(bound):
                        return True
                    if isinstance(node, ast.Call) and self._keeps(node, name):
                        return True
            return False

        if touched(self.loop.body):
            return False
        for owner, block, position in reversed(path_to(self.scope.function, self.loop)):
            for statement in reversed(block[:position]):
                if isinstance(statement, ast.Assign) and any(is_name(t, name) for t in statement.targets):
                    return len(statement.targets) == 1 and self.scope.purity.is_fresh(statement.value)
                if touched([statement]):
                    return False
            if isinstance(owner, ast.For | ast.While) and touched(owner.body):
                return False
        return False

    def _keeps(self, call: ast.Call, name: str) -> bool:
        """Says whether what is called may keep an array that it was given: ``rows.append(new)``."""
        given = any(name in self.scope.aliases.names_in(argument) for argument in call.args)
        return given and self.scope.purity.effect(call) is not None

    def _is_container(self, name: str) -> bool:
        fact = self.scope.name_fact(name)
        if fact is not None:
            return fact.kind in ("list", "dict", "tuple", "object")
        for node in ast.walk(self.scope.function):
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
                value = node.value
                if isinstance(value, ast.List | ast.Dict | ast.ListComp | ast.DictComp | ast.Set):
                    return True
                if isinstance(value, ast.BinOp) and isinstance(value.left, ast.List):
                    return True
        return False

    def _conflict(self, write: _Access, other: _Access) -> str | None:
        """Says why two accesses may meet in one element in two different steps, None where they surely do not."""
        text = f"`{ast.unparse(write.node)}`"
        if write.name != other.name:
            self.irregular = True
            return f"writes {text} while it uses `{other.name}`, which may be the same memory"
        if self.index is None:
            return f"writes {text}, and its steps are not counted"
        if write.subscripts is None:
            self.irregular = True
            return f"writes into the whole of `{write.name}` in each step"
        if other.subscripts is None:
            self.recurrence = True
            return f"writes {text} while it reads the whole of `{write.name}`"
        variant = assigned(self.loop.body)
        distance: int | None = None
        computed = True
        for one, two in zip(self._axes(write.subscripts), self._axes(other.subscripts), strict=False):
            if isinstance(one, ast.Slice) and isinstance(two, ast.Slice) and self._blocks_apart(one, two, variant):
                return None
            first, second = affine(one, self.index, variant), affine(two, self.index, variant)
            if first is None or second is None or isinstance(one, ast.Slice):
                continue
            computed = computed and first.coefficient == 0 == second.coefficient
            verdict = apart(first, second)
            if verdict is True:
                if self.bounds.never_negative(one, first) and self.bounds.never_negative(two, second):
                    return None
                return f"uses `{ast.unparse(one)}` as a subscript of `{write.name}`, which may be negative"
            if isinstance(verdict, int) and not isinstance(verdict, bool):
                distance = verdict
        if self._mirrored(write, other):
            return None
        if other is write or ast.dump(write.node) == ast.dump(other.node) or distance is None:
            if other.node is not write.node and any(
                isinstance(s, ast.Slice) and self.index in loaded(s) for s in other.subscripts
            ):
                self.growing = self.recurrence = True
                return f"writes {text} and reads `{ast.unparse(other.node)}`, which other steps wrote"
            self.irregular = True
            return (
                f"may write {text} in two different steps"
                if other.write
                else (f"writes {text} and reads `{ast.unparse(other.node)}`, which another step may have written")
            )
        self.recurrence = True
        return f"writes {text} and reads `{ast.unparse(other.node)}`, which another step wrote"

    @staticmethod
    def _axes(subscripts: tuple[ast.expr, ...]) -> tuple[ast.expr, ...]:
        """Returns the subscripts whose axis is known: those before an Ellipsis or None."""
        for position, subscript in enumerate(subscripts):
            if isinstance(subscript, ast.Constant) and (subscript.value is Ellipsis or subscript.value is None):
                return subscripts[:position]
            if isinstance(subscript, ast.Attribute) and subscript.attr == "newaxis":
                return subscripts[:position]
        return subscripts

    def _blocks_apart(self, one: ast.Slice, two: ast.Slice, variant: set[str]) -> bool:
        """Says whether two equal slices are blocks of at most one step's width: ``a[4 * i:4 * i + 4]``."""
        if ast.dump(one) != ast.dump(two) or one.lower is None or one.upper is None or one.step is not None:
            return False
        low, high = affine(one.lower, self.index or "", variant), affine(one.upper, self.index or "", variant)
        if low is None or high is None or low.coefficient != high.coefficient:
            return False
        width = (high.offset - low.offset).constant()
        step = abs(low.coefficient * (self.bounds.step() or 0))
        return width is not None and 0 < width <= step and self.bounds.never_negative(one.lower, low)

    def _mirrored(self, write: _Access, other: _Access) -> bool:
        """Says whether the accesses are ``a[i, j]`` and ``a[j, i]`` with ``j`` always on one side of ``i``."""
        if write.subscripts is None or other.subscripts is None or len(write.subscripts) < 2:
            return False
        one, two = write.subscripts[:2], other.subscripts[:2]
        if not all(isinstance(s, ast.Name) for s in (*one, *two)):
            return False
        first = [s.id for s in one if isinstance(s, ast.Name)]
        second = [s.id for s in two if isinstance(s, ast.Name)]
        if first != second[::-1] or self.index not in first:
            return False
        inner = first[0] if first[1] == self.index else first[1]
        sides = [side_of(loops, inner, self.index) for loops in (write.loops, other.loops)]
        start, _ = self.bounds.range()
        positive = start is None or nonnegative_constant(start)
        return positive and sides[0] is not None and sides[0] == sides[1]

    def _triangular(self) -> bool:
        assert self.index is not None
        for statement in self.loop.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.For) and self.index in loaded(node.iter):
                    return True
                if isinstance(node, ast.Slice):
                    ends = [self.index in loaded(end) for end in (node.lower, node.upper) if end is not None]
                    if any(ends) and not (len(ends) == 2 and all(ends)):
                        return True
        return False

    def _reads_neighbours(self, accesses: list[_Access]) -> bool:
        variant = assigned(self.loop.body)
        for access in accesses:
            if access.write or access.subscripts is None or self.index is None:
                continue
            for subscript in access.subscripts:
                form = affine(subscript, self.index, variant)
                if form is not None and form.coefficient == 1 and form.offset.constant() not in (None, 0):
                    return True
        return False
