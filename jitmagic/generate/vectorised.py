"""Map loops as whole-array statements.

``for i in range(1, n): y[i] = x[i] - x[i - 1]`` becomes ``y[1:n] = x[1:n] - x[:n - 1]``.

For libraries that pay for every operation apart. Only loops whose steps are proved independent
(`jitmagic.analysis.dependence`), or that add into a number, and whose subscripts are an index and a constant; perfectly
nested loops over rectangles become one statement. What is not of this form stays a loop.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.analysis.affine import Polynomial, affine
from jitmagic.analysis.dependence import LoopProof
from jitmagic.analysis.loops import LoopClass
from jitmagic.analysis.scalars import assigned
from jitmagic.analysis.scope import Scope, scope_of
from jitmagic.analysis.subscripts import is_range
from jitmagic.capture.workload import Workload
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import alternative, code, on_the_line_of, small, statements, with_body
from jitmagic.generate.choices import Choices, NoChoice, lines_of
from jitmagic.generate.component_values import Surroundings
from jitmagic.generate.components import Components
from jitmagic.generate.kinds import literal
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.nest_expressions import STRONG, NestExpressions, NestLoop, StaysLoopError, nodes
from jitmagic.generate.placed_calls import Placer
from jitmagic.generate.precedence import bracketed
from jitmagic.generate.rewriter import Rewriter
from jitmagic.observe.facts import Observation, ValueFact

_ROUNDS = 4
"""How often the axes of what an inner loop carries are looked for."""

_State = dict[str, tuple[frozenset[int], str]]


def vectorise(module: Module, workload: Workload, observed: Observation) -> frozenset[int]:
    """Rewrites a module's loops in its tree; returns the lines of those that are gone.

    Parameters
    ----------
    module : Module
        Its tree (marked or not) is replaced; look-ups of facts go on working, and know the new arrays.
    workload, observed
    """
    if not observed.watched:
        return frozenset()
    if "numpy" not in module.names.values():
        if "np" in name_tools.all_names(module.tree):
            return frozenset()
        module.names["np"] = "numpy"  # for functions that the loops have no need of
    rewriter = _Vectorise(module, workload, observed)
    module.tree = module.tree.visit(rewriter)
    return frozenset(rewriter.gone)



class _Vectorise(Rewriter):
    def __init__(self, module: Module, workload: Workload, observed: Observation) -> None:
        super().__init__(module)
        self.workload, self.observed = workload, observed
        self.scopes: list[Scope] = []
        self.functions: list[cst.FunctionDef] = []
        self.loops: list[dict[int, ast.For]] = []
        self.made: dict[cst.CSTNode, list[Any]] = {}
        self.gone: set[int] = set()
        self.proofs: dict[ast.For, LoopClass] = {}
        self.placer = Placer(module, module.tree, workload.function.name, lambda call, given: True)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        if self.scopes:
            return False  # a function inside sees names of the one around
        scope = scope_of(self.workload.module.text, node.name.value, self.workload.names, self.observed)
        self.scopes.append(scope)
        self.functions.append(node)
        self.loops.append({one.lineno: one for one in ast.walk(scope.function) if isinstance(one, ast.For)})
        return True

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        if self.scopes and self.scopes[0].function.name == original_node.name.value:
            self.scopes.pop()
            self.functions.pop()
            self.loops.pop()
        return updated_node

    def visit_For(self, node: cst.For) -> bool:
        if not self.scopes:
            return True
        lines = self._written(node)
        if lines is None:
            # vectors of a few numbers, as numbers
            apart = self._apart(node) if self._nest(node) else None
            lines = None if apart is None else self._written(apart[1], node)
            if apart is None or lines is None:
                return True
            lines = [*apart[0], *lines]
        self.made[node] = lines
        return False

    def _written(self, node: cst.For, before: cst.For | None = None) -> list[Any] | None:
        """Returns what takes a loop's place, which may have been another one before; None where it stays."""
        nest = self._nest(node)
        more = set() if before is None else name_tools.bound(node) - name_tools.bound(before)
        for depth in range(len(nest), 0, -1):
            body = self._body(node, depth)
            if not self._is_worth_it(nest[:depth], body):
                continue
            try:
                lines = _Nest(self, self.scopes[-1], nest[:depth], more).statements(body)
            except StaysLoopError:
                continue
            self.gone |= {loop.node.lineno for loop in nest[:depth]}
            return lines
        return None

    def _apart(self, node: cst.For) -> tuple[list[Any], cst.For] | None:
        """Returns a loop with its short vectors taken apart, those among them that functions take and give."""
        placed = node.visit(_Placing(self.module, self.placer, frozenset(self.scopes[-1].locals)))
        assert isinstance(placed, cst.For)
        self.module.inherit(placed, node)
        return Components(self._surroundings()).rewritten(placed, node)

    def _surroundings(self) -> Surroundings:
        scope, names = self.scopes[-1], self.module.names
        numpy = next(name for name, path in names.items() if path == "numpy")
        taken = set(name_tools.all_names(self.module.tree)) | set(names)
        return Surroundings(
            self.module,
            self.functions[-1],
            lambda node: self.module.fact(node) or literal(node),
            lambda node: qualified(node, names, frozenset(scope.locals)),
            lambda path: cst.parse_expression(numpy + path.removeprefix("numpy")),
            scope.may_share,
            taken,
        )

    def _is_worth_it(self, nest: list[NestLoop], body: Sequence[Any]) -> bool:
        """Says whether whole arrays over these loops leave fewer steps than whole arrays over those inside them do."""
        trips = 1
        for loop in nest:
            seen = self.observed.loops.get(loop.node.lineno)
            trips *= seen.trips_high if seen is not None else 0
        return self._steps(body) <= trips

    def _steps(self, body: Sequence[Any]) -> int:
        """Returns how many steps the loops in a body make, at most."""
        total = 0
        for line in body:
            if isinstance(line, cst.For):
                seen = self.observed.loops.get(self.module.span(line).line)
                total += (seen.trips_high if seen is not None else 1) * max(self._steps(statements(line)), 1)
            elif isinstance(line, cst.If):
                total += self._steps(statements(line)) + self._steps(alternative(line))
        return total

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> Any:
        made = self.made.get(original_node)
        if made is None:
            return updated_node
        first = made[0].with_changes(leading_lines=[*original_node.leading_lines, *made[0].leading_lines])
        self.module.inherit(first, made[0])
        made[0] = first
        return cst.FlattenSentinel(made)

    def _body(self, node: cst.For, depth: int) -> tuple[Any, ...]:
        for _ in range(depth - 1):
            node = statements(node)[0]
        return statements(node)

    def _proof(self, scope: Scope, loop: ast.For) -> LoopClass:
        """Returns the proof of a loop, made once."""
        if loop not in self.proofs:
            self.proofs[loop] = LoopProof(scope, loop).result(0, None)
        return self.proofs[loop]

    def _nest(self, node: cst.For) -> list[NestLoop]:
        """Returns the loops, outermost first, where each holds the next one and nothing else."""
        scope = self.scopes[-1]
        found: list[NestLoop] = []
        current: Any = node
        while isinstance(current, cst.For):
            loop: Any = self.loops[-1].get(self.module.span(current).line)
            if loop is None or loop.orelse or not isinstance(loop.target, ast.Name):
                break
            if not is_range(loop.iter, scope.locals):
                break
            assert isinstance(loop.iter, ast.Call)
            arguments = loop.iter.args
            if len(arguments) > 2:
                break
            start = affine(arguments[0], "", ()) if len(arguments) == 2 else None
            stop = affine(arguments[-1], "", ())
            proof = self._proof(scope, loop)
            if stop is None or (len(arguments) == 2 and start is None) or not proof.parallel:
                break
            around = {one.index for one in found} | {loop.target.id}
            if around & {n.id for n in ast.walk(loop.iter) if isinstance(n, ast.Name)} or loop.target.id in {
                one.index for one in found
            }:
                break
            first = start.offset if start is not None else Polynomial(())
            found.append(NestLoop(loop.target.id, first, stop.offset, loop, proof))
            body = statements(current)
            current = body[0] if len(body) == 1 else None
        return found


class _Placing(Rewriter):
    """Puts the user's functions in the place of their calls."""

    def __init__(self, module: Module, placer: Placer, local: frozenset[str]) -> None:
        super().__init__(module)
        self.placer, self.local = placer, local

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Any:
        lines = self.placer.lines(updated_node, self.local)
        return lines[0] if len(lines) == 1 else cst.FlattenSentinel(lines)


class _Nest(NestExpressions):
    """One nest on its way into whole arrays: each array has the axes of the nest, those behind it broadcast."""

    def __init__(
        self, rewriter: _Vectorise, scope: Scope, loops: list[NestLoop], more: Iterable[str] = ()
    ) -> None:
        super().__init__(rewriter.module, scope, loops, rewriter.observed)
        self.own = {name for loop in loops for name in loop.proof.private} | set(more)
        self.changing |= set(more)
        self.sums = {one.name for one in loops[0].proof.reductions if one.operator == "+" and not one.array}
        if any(one.name not in self.sums or one.guarded for loop in loops for one in loop.proof.reductions):
            raise StaysLoopError
        self.choices = Choices(self.module, self.sums, self.own, self.dtype, self.seen)
        self.partial = self.choices.partial
        self.skipped: list[list[_State]] = []
        self.placer = rewriter.placer
        entry = scope.function.name == rewriter.workload.function.name
        kept = scope.parameters - assigned(scope.function.body)
        self.given = {name: fact for name, fact in rewriter.observed.arguments.items() if entry and name in kept}

    def statements(self, body: tuple[Any, ...]) -> list[Any]:
        """Rewrites the body."""
        self.by_name = {
            node.value: fact
            for line in body
            for node in nodes(line)
            if isinstance(node, cst.Name) and node.value not in self.changing and (fact := self.module.fact(node))
        }
        for name, fact in self.given.items():
            self.by_name.setdefault(name, fact)  # where no step came to it
        self.find_stores()
        made = self._block(body)
        if not made:
            raise StaysLoopError
        return made

    # -- statements ---------------------------------------------------------------------------------------------------

    def _block(self, body: Sequence[Any]) -> list[Any]:
        """Rewrites statements, one after the other."""
        made: list[Any] = []
        waiting: list[Any] = []

        def done() -> None:
            try:
                lines = self.choices.block(waiting)
            except NoChoice:
                raise StaysLoopError from None
            for line in lines:
                if not isinstance(line, cst.SimpleStatementLine) or not line.body:
                    raise StaysLoopError
                small = [self._small(one) for one in line.body if not _is_text(one)]
                if small:
                    made.append(line.with_changes(body=small))
            waiting.clear()

        body = [one for line in lines_of(body) for one in self._placed(line)]
        body = [one for line in body for one in parts_of(self.module, line, self.own)]
        for number, line in enumerate(body):
            if isinstance(line, cst.For):
                done()
                self._inner(line, made)
            elif isinstance(line, cst.If) and self._is_common(line.test, bool(waiting), done):
                made.append(self._common_branch(line))
            elif isinstance(line, cst.If) and line.orelse is None and _skips(line):
                waiting += body[number:]  # the rest is for those steps that are not skipped
                break
            elif isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Continue) and self.skipped:
                done()
                self.skipped[-1].append(dict(self.private))
                made.append(line)
                break
            else:
                waiting.append(line)
        done()
        return made

    def _placed(self, line: Any) -> list[Any]:
        """Returns a statement behind the functions of the user's that it calls."""
        if not isinstance(line, cst.SimpleStatementLine):
            return [line]
        lines = self.placer.lines(line, frozenset(self.scope.locals))
        for one in lines[:-1]:
            self.own |= name_tools.bound(one)
            self.changing |= name_tools.bound(one)
        return lines

    def _is_common(self, test: Any, waits: bool, done: Callable[[], None]) -> bool:
        """Says whether all steps of the nest decide a branch alike; what stands before it is rewritten first."""
        read = {node.value for node in nodes(test) if isinstance(node, cst.Name)}
        if read & set(self.names):
            return False
        if waits:
            done()
        try:
            return not self.value(test)[1]
        except StaysLoopError:
            return False

    def _common_branch(self, node: Any) -> Any:
        """Rewrites a branch that all steps of the nest take, or none."""
        before, bound = dict(self.private), set(self.choices.bound)
        sides, ends, names = [], [], []
        for block in (statements(node), alternative(node)):
            self.private, self.choices.bound = dict(before), set(bound)
            sides.append(self._block(block))
            left = bool(sides[-1]) and isinstance(small(sides[-1][-1]), cst.Continue)
            if not left:
                ends.append(self.private)
                names.append(self.choices.bound)
        if len(ends) == 2 and any(ends[0][name] != ends[1][name] for name in ends[0].keys() & ends[1].keys()):
            raise StaysLoopError  # in one case a number, in the other an array
        self.private = {**ends[0], **ends[-1]} if ends else before
        self.choices.bound = set.intersection(*names) if names else bound
        empty = cst.SimpleStatementLine([cst.Pass()])
        new = with_body(node, sides[0] or [empty])
        new = new.with_changes(orelse=cst.Else(cst.IndentedBlock(sides[1])) if sides[1] else None)
        self.module.inherit(new, node)
        return new

    def _inner(self, node: cst.For, made: list[Any]) -> None:
        """Rewrites a loop inside the nest that stays one: each of its steps is for all steps of the nest at once."""
        targets = set(name_tools.targets(node.target))
        if node.orelse is not None or not targets <= self.own or targets & set(self.private):
            raise StaysLoopError
        self._check_steps(node.iter)
        entry, bound = dict(self.private), set(self.choices.bound)
        self.inner |= targets
        taken = set(self.choices.taken)
        for _ in range(_ROUNDS):
            self.choices.taken = set(taken)
            head = dict(self.private)
            self.choices.bound = set(bound)
            self.skipped.append([])
            lines = self._block(statements(node))
            states = [self.private, *self.skipped.pop()]
            self.private = _joined(head, states)
            if all(self.private[name] == head[name] for name in head):
                break
        else:
            raise StaysLoopError
        self.choices.bound |= bound
        for name in entry:
            if self.private[name] != entry[name]:
                self._begin_as_array(name, entry[name], made)
        if not lines:
            raise StaysLoopError
        new = with_body(node, lines)
        self.module.inherit(new, node)
        made.append(new)

    def _check_steps(self, node: cst.BaseExpression) -> None:
        """Refuses a loop whose steps differ from one step of the nest to the next."""
        for one in nodes(node):
            if isinstance(one, cst.Call) and not (
                isinstance(one.func, cst.Name) and one.func.value in ("range", "zip", "enumerate", "len")
            ):
                raise StaysLoopError
            if isinstance(one, cst.Name) and one.value in self.changing - self.inner and (
                one.value not in self.private or self.private[one.value][0]
            ):
                raise StaysLoopError

    def _begin_as_array(self, name: str, entry: tuple[frozenset[int], str], made: list[Any]) -> None:
        """Makes an array of a number with which an inner loop begins: `total = 0.0` becomes `total = np.zeros(n)`."""
        dims, dtype = self.private[name]
        last = next((line for line in reversed(made) if name in name_tools.bound(line)), None)
        if last is None and self.skipped:
            return  # it begins before the loop around this one, which finds so in its next round
        one = small(last) if last is not None else None
        if entry[0] or not isinstance(one, cst.Assign) or dtype not in (entry[1], "float64"):
            raise StaysLoopError
        value: Any = one.value
        if dtype != entry[1]:
            if not isinstance(value, cst.Integer):
                raise StaysLoopError
            value = cst.Float(f"{value.value}.0")
        assert last is not None
        place = next(k for k, line in enumerate(made) if line is last)
        if any(name in name_tools.loads(line) for line in made[place + 1 :]):
            raise StaysLoopError
        shape = self.shape_text(dims)
        zero = isinstance(value, cst.Float) and float(value.value) == 0.0
        text = f"{self.numpy}.zeros({shape})" if zero else f"{self.numpy}.full({shape}, {code(value)})"
        new = cst.parse_expression(text)
        self.known(new, dtype, dims)
        target = self.known(cst.Name(name), dtype, dims)
        made[place] = last.with_changes(body=[cst.Assign([cst.AssignTarget(target)], new)])

    def _small(self, node: Any) -> Any:
        if isinstance(node, cst.Assign) and len(node.targets) == 1:
            target = node.targets[0].target
            value, dims = self.in_a_branch(node.value) if node.value in self.partial else self.value(node.value)
            if isinstance(target, cst.Subscript):
                into, axes = self.element(target, store=True)
                if axes != frozenset(range(len(self.loops))):
                    raise StaysLoopError
                return node.with_changes(targets=[node.targets[0].with_changes(target=into)], value=value)
            if isinstance(target, cst.Name) and target.value in self.own:
                value = self.kept(value, dims)
                inside = self.is_inside(node.value) and node.value not in self.partial
                self.inside = self.inside | {target.value} if inside else self.inside - {target.value}
                fact = self.module.fact(value) if dims else None
                dtype = fact.dtype if fact is not None and fact.dtype is not None else self.dtype(node.value)
                self.private[target.value] = dims, dtype
                name = self.known(cst.Name(target.value), dtype, dims) if dims else target
                return node.with_changes(targets=[node.targets[0].with_changes(target=name)], value=value)
            if isinstance(target, cst.Tuple):
                return self._common_values(node, target)
        if isinstance(node, cst.AugAssign):
            value, dims = self.value(node.value)
            if isinstance(node.target, cst.Subscript):
                into, axes = self.element(node.target, store=True)
                if axes != frozenset(range(len(self.loops))) or self._widens(node, into):
                    raise StaysLoopError
                return node.with_changes(target=into, value=value)
            added = isinstance(node.operator, cst.AddAssign | cst.SubtractAssign)
            if isinstance(node.target, cst.Name) and node.target.value in self.sums and added:
                return node.with_changes(value=self._summed(node, value, dims))
            if isinstance(node.target, cst.Name) and node.target.value in self.private:
                return self._renewed(node)
        raise StaysLoopError

    def _common_values(self, node: cst.Assign, target: cst.Tuple) -> cst.Assign:
        """Keeps an assignment to several numbers that are the same for all steps."""
        fact = self.module.fact(node.value)
        names = [element.value for element in target.elements]
        if fact is None or fact.kind != "tuple" or len(fact.items) != len(names):
            raise StaysLoopError
        self.check_common(node.value)
        for name, item in zip(names, fact.items, strict=True):
            dtype = item.dtype if item.kind == "scalar" else STRONG.get(item.kind)
            if not isinstance(name, cst.Name) or name.value not in self.own or dtype is None:
                raise StaysLoopError
            self.private[name.value] = frozenset(), dtype
        return node

    def _renewed(self, node: cst.AugAssign) -> cst.Assign:
        """Rewrites `t += e` of a number of each step as `t = t + e`: in place it may change the array that it was."""
        name: Any = node.target
        operator: Any = getattr(cst, type(node.operator).__name__.removesuffix("Assign"))()
        whole = cst.BinaryOperation(node.target, operator, node.value)
        whole = whole.with_changes(right=bracketed(whole, "right", node.value))
        if isinstance(operator, cst.Power | cst.LeftShift | cst.FloorDivide | cst.Modulo):
            raise StaysLoopError
        if isinstance(operator, cst.Multiply) and self.private[name.value][1] == "int64":
            raise StaysLoopError  # Python's integers grow
        value, dims = self.value(whole)
        fact = self.module.fact(value) if dims else None
        dtype = fact.dtype if fact is not None else None
        if dtype is None:
            dtype = self.common(None, node.target, node.value)
        if isinstance(operator, cst.Divide) and np.dtype(dtype).kind in "biu":
            dtype = "float64"
        self.private[name.value] = dims, dtype
        target = self.known(cst.Name(name.value), dtype, dims) if dims else name
        return cst.Assign([cst.AssignTarget(target)], value)

    def _widens(self, node: cst.AugAssign, into: cst.BaseExpression) -> bool:
        """Tells whether NumPy would refuse in place, for an array, what it casts back for an element."""
        fact = self.module.fact(into)
        kinds = "biufc"
        target = np.dtype(fact.dtype).kind if fact is not None and fact.dtype else "b"
        given = np.dtype(self.dtype(node.value)).kind
        divides = isinstance(node.operator, cst.DivideAssign) and target in "biu"
        return divides or kinds.index(given) > kinds.index(target)

    def _summed(self, node: cst.AugAssign, value: cst.BaseExpression, dims: frozenset[int]) -> cst.BaseExpression:
        every = frozenset(range(len(self.loops)))
        if dims != every or any(one[1] < 0 for loop in self.loops for one in loop.stop.terms if not one[0]):
            raise StaysLoopError
        if len(self.loops) > 1 and not self.whole:
            raise StaysLoopError  # the terms of the sum would be an array that is larger than any there is
        dtype = self.dtype(node.value)
        total = cst.Call(self.function("sum"), [cst.Arg(value.with_changes(lpar=(), rpar=()))])
        dtype = "int64" if dtype == "bool" else dtype
        self.module.learn(total, ValueFact("scalar", dtype, ()))
        return total


def _is_text(node: Any) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString)


def _skips(node: cst.If) -> bool:
    """Says whether a branch ends in `continue`."""
    body = lines_of(statements(node))
    return bool(body) and isinstance(small(body[-1]), cst.Continue)


def _joined(head: _State, states: Sequence[_State]) -> _State:
    """Returns what a loop's names are at the head of any of its steps."""
    found = {**states[0]}
    for name, before in head.items():
        several = [before, *(state[name] for state in states if name in state)]
        dims = frozenset().union(*(one[0] for one in several))
        dtypes = {one[1] for one in several}
        found[name] = dims, dtypes.pop() if len(dtypes) == 1 else str(np.result_type(*dtypes))
    return found


def parts_of(module: Module, line: Any, own: set[str]) -> list[Any]:
    """Returns assignments to several names as one for each: `x, y = a, b`, `x = y = 0`, and rows `x, y = pos[i]`."""
    one = small(line)
    if not isinstance(one, cst.Assign) or len(line.body) != 1:
        return [line]
    target, value = one.targets[0].target, one.value
    pairs: list[tuple[Any, Any]] = []
    if len(one.targets) > 1:
        if not isinstance(value, cst.Integer | cst.Float | cst.Name):
            return [line]
        pairs = [(several.target, value) for several in one.targets]
    elif isinstance(target, cst.Tuple | cst.List):
        places = [element.value for element in target.elements]
        if not all(isinstance(place, cst.Name) and place.value in own for place in places):
            return [line]
        values = _values(module, value, len(places))
        if values is None:
            return [line]
        for number, part in enumerate(values):
            if name_tools.loads(part) & {code(place) for place in places[:number]}:
                return [line]
        pairs = list(zip(places, values, strict=True))
    if not pairs:
        return [line]
    lines = [cst.Assign([cst.AssignTarget(place)], part) for place, part in pairs]
    return [
        line.with_changes(body=[lines[0]]),
        *(on_the_line_of(cst.SimpleStatementLine([other]), line) for other in lines[1:]),
    ]


def _values(module: Module, value: Any, count: int) -> list[Any] | None:
    """Returns the parts of a tuple that is written out, or the elements of a row of an array."""
    if isinstance(value, cst.Tuple | cst.List):
        parts = [element.value for element in value.elements]
        return parts if len(parts) == count and not any(isinstance(p, cst.StarredElement) for p in parts) else None
    if not isinstance(value, cst.Subscript) or not all(isinstance(e.slice, cst.Index) for e in value.slice):
        return None
    base, row = module.fact(value.value), module.fact(value)
    if base is None or row is None or base.kind != "array" or row.kind != "array" or row.shape != (count,):
        return None
    if base.ndim != len(value.slice) + 1 or base.dtype is None:
        return None
    found = []
    for number in range(count):
        last = cst.SubscriptElement(cst.Index(cst.Integer(str(number))))
        part = cst.Subscript(value.value, [*value.slice, last])
        module.learn(part, ValueFact("scalar", base.dtype, ()))
        found.append(part)
    return found
