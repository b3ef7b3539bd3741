"""Map loops as whole-array statements.

``for i in range(1, n): y[i] = x[i] - x[i - 1]`` becomes ``y[1:n] = x[1:n] - x[:n - 1]``.

For libraries that pay for every operation apart. Only loops whose steps are proved independent
(`jitmagic.analysis.dependence`), or that add into a number, and whose subscripts are an index and a constant; perfectly
nested loops over rectangles become one statement. What is not of this form stays a loop.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
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
from jitmagic.generate.blocks import code, statements
from jitmagic.generate.choices import Choices, NoChoice
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import children
from jitmagic.observe.facts import Observation, ValueFact

_MATH = {
    "sqrt": "sqrt", "exp": "exp", "log": "log", "log10": "log10", "log2": "log2", "log1p": "log1p", "expm1": "expm1",
    "sin": "sin", "cos": "cos", "tan": "tan", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "hypot": "hypot", "fabs": "fabs",
}  # fmt: skip
"""Functions of the standard library that NumPy has for arrays, with float results."""
_STRONG = {"float": "float64", "int": "int64", "bool": "bool", "complex": "complex128"}
_LEAST = -2
"""The constant behind a length at the end of a range from which a slice of that length is never another one: with
``x[1:n - 2]`` and n < 2 both are empty, while ``x[1:n - 4]`` of three elements is not."""


_FAR = 2**31
"""Products of Python's integers as large as this may be too large for NumPy's elsewhere."""


class _StaysLoopError(Exception):
    """The loop is not of the form that is rewritten."""


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


@dataclass(frozen=True)
class _Loop:
    """One loop of a nest: its index, and where it begins and ends."""

    index: str
    start: Polynomial
    stop: Polynomial
    node: ast.For
    proof: LoopClass


class _Vectorise(Rewriter):
    def __init__(self, module: Module, workload: Workload, observed: Observation) -> None:
        super().__init__(module)
        self.workload, self.observed = workload, observed
        self.scopes: list[Scope] = []
        self.loops: list[dict[int, ast.For]] = []
        self.made: dict[cst.CSTNode, list[Any]] = {}
        self.gone: set[int] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        if self.scopes:
            return False  # a function inside sees names of the one around
        scope = scope_of(self.workload.module.text, node.name.value, self.workload.names, self.observed)
        self.scopes.append(scope)
        self.loops.append({one.lineno: one for one in ast.walk(scope.function) if isinstance(one, ast.For)})
        return True

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        if self.scopes and self.scopes[0].function.name == original_node.name.value:
            self.scopes.pop()
            self.loops.pop()
        return updated_node

    def visit_For(self, node: cst.For) -> bool:
        if not self.scopes:
            return True
        nest = self._nest(node)
        if not nest:
            return True
        try:
            self.made[node] = _Nest(self, self.scopes[-1], nest).statements(self._body(node, len(nest)))
        except _StaysLoopError:
            return True
        self.gone |= {loop.node.lineno for loop in nest}
        return False

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> Any:
        made = self.made.get(original_node)
        if made is None:
            return updated_node
        made[0] = made[0].with_changes(leading_lines=[*original_node.leading_lines, *made[0].leading_lines])
        return cst.FlattenSentinel(made)

    def _body(self, node: cst.For, depth: int) -> tuple[Any, ...]:
        for _ in range(depth - 1):
            node = statements(node)[0]
        return statements(node)

    def _nest(self, node: cst.For) -> list[_Loop]:
        """Returns the loops, outermost first, where each holds the next one and nothing else."""
        scope = self.scopes[-1]
        found: list[_Loop] = []
        current: Any = node
        while isinstance(current, cst.For):
            loop: Any = self.loops[-1].get(self.module.span(current).line)
            if loop is None or loop.orelse or not isinstance(loop.target, ast.Name):
                return []
            if not is_range(loop.iter, scope.locals):
                return []
            assert isinstance(loop.iter, ast.Call)
            arguments = loop.iter.args
            if len(arguments) > 2:
                return []
            start = affine(arguments[0], "", ()) if len(arguments) == 2 else None
            stop = affine(arguments[-1], "", ())
            proof = LoopProof(scope, loop).result(0, None)
            if stop is None or (len(arguments) == 2 and start is None) or not proof.parallel:
                return []
            first = start.offset if start is not None else Polynomial(())
            found.append(_Loop(loop.target.id, first, stop.offset, loop, proof))
            body = statements(current)
            current = body[0] if len(body) == 1 else None
        names = {loop.index for loop in found}
        read = {n.id for one in found for n in ast.walk(one.node.iter) if isinstance(n, ast.Name)}
        return [] if names & read or len(names) < len(found) else found


class _Nest:
    """One nest on its way into whole arrays: each array has the axes of the nest, those behind it broadcast."""

    def __init__(self, rewriter: _Vectorise, scope: Scope, loops: list[_Loop]) -> None:
        self.module, self.scope, self.loops = rewriter.module, scope, loops
        self.names = [loop.index for loop in loops]
        self.changing = assigned([loops[0].node]) | set(self.names)
        self.observed = rewriter.observed
        self.own = {name for loop in loops for name in loop.proof.private}
        self.private: dict[str, tuple[frozenset[int], str]] = {}
        self.partial: set[cst.CSTNode] = set()
        self.whole = self.guarded = False
        self.by_name: dict[str, ValueFact] = {}
        self.sums = {one.name for one in loops[0].proof.reductions if one.operator == "+" and not one.array}
        if any(one.name not in self.sums or one.guarded for loop in loops for one in loop.proof.reductions):
            raise _StaysLoopError
        local = rewriter.module.names
        self.numpy = next(name for name, path in local.items() if path == "numpy")
        if self.numpy in scope.locals:
            raise _StaysLoopError

    def statements(self, body: tuple[Any, ...]) -> list[Any]:
        """Rewrites the body."""
        made = []
        self.by_name = {
            node.value: fact
            for line in body
            for node in _nodes(line)
            if isinstance(node, cst.Name) and node.value not in self.changing and (fact := self.module.fact(node))
        }
        choices = Choices(self.module, self.sums, self.own, self._dtype)
        self.partial = choices.partial
        try:
            body = tuple(choices.block(body))
        except NoChoice:
            raise _StaysLoopError from None
        for line in body:
            if not isinstance(line, cst.SimpleStatementLine) or not line.body:
                raise _StaysLoopError
            small = [self._small(one) for one in line.body if not _is_text(one)]
            if small:
                made.append(line.with_changes(body=small))
        if not made:
            raise _StaysLoopError
        return made

    def _small(self, node: Any) -> Any:
        if isinstance(node, cst.Assign) and len(node.targets) == 1:
            target = node.targets[0].target
            value, dims = self._in_a_branch(node.value) if node.value in self.partial else self.value(node.value)
            if isinstance(target, cst.Subscript):
                into, axes = self._element(target, store=True)
                if axes != frozenset(range(len(self.loops))):
                    raise _StaysLoopError
                return node.with_changes(targets=[node.targets[0].with_changes(target=into)], value=value)
            if isinstance(target, cst.Name) and target.value in self.own:
                fact = self.module.fact(value) if dims else None
                dtype = fact.dtype if fact is not None and fact.dtype is not None else self._dtype(node.value)
                self.private[target.value] = dims, dtype
                name = self._known(cst.Name(target.value), dtype, dims) if dims else target
                return node.with_changes(targets=[node.targets[0].with_changes(target=name)], value=value)
        if isinstance(node, cst.AugAssign):
            value, dims = self.value(node.value)
            if isinstance(node.target, cst.Subscript):
                into, axes = self._element(node.target, store=True)
                if axes != frozenset(range(len(self.loops))) or self._widens(node, into):
                    raise _StaysLoopError
                return node.with_changes(target=into, value=value)
            added = isinstance(node.operator, cst.AddAssign | cst.SubtractAssign)
            if isinstance(node.target, cst.Name) and node.target.value in self.sums and added:
                return node.with_changes(value=self._summed(node, value, dims))
        raise _StaysLoopError

    def _widens(self, node: cst.AugAssign, into: cst.BaseExpression) -> bool:
        """Tells whether NumPy would refuse in place, for an array, what it casts back for an element."""
        fact = self.module.fact(into)
        kinds = "biufc"
        target = np.dtype(fact.dtype).kind if fact is not None and fact.dtype else "b"
        given = np.dtype(self._dtype(node.value)).kind
        divides = isinstance(node.operator, cst.DivideAssign) and target in "biu"
        return divides or kinds.index(given) > kinds.index(target)

    def _summed(self, node: cst.AugAssign, value: cst.BaseExpression, dims: frozenset[int]) -> cst.BaseExpression:
        every = frozenset(range(len(self.loops)))
        if dims != every or any(one[1] < 0 for loop in self.loops for one in loop.stop.terms if not one[0]):
            raise _StaysLoopError
        if len(self.loops) > 1 and not self.whole:
            raise _StaysLoopError  # the terms of the sum would be an array that is larger than any there is
        dtype = self._dtype(node.value)
        total = cst.Call(self._function("sum"), [cst.Arg(value.with_changes(lpar=(), rpar=()))])
        dtype = "int64" if dtype == "bool" else dtype
        self.module.learn(total, ValueFact("scalar", dtype, ()))
        return total

    # -- expressions: each with the axes of the nest that it has ------------------------------------------------------

    def value(self, node: Any) -> tuple[Any, frozenset[int]]:
        """Returns an expression over the whole nest, and which of its indices it depends on."""
        if isinstance(node, cst.Integer | cst.Float | cst.Imaginary):
            return node, frozenset()
        if isinstance(node, cst.Name):
            return self._name(node)
        if isinstance(node, cst.Subscript):
            return self._element(node)
        if isinstance(node, cst.Attribute):
            return self._invariant(node)
        if isinstance(node, cst.BinaryOperation):
            left, one = self.value(node.left)
            right, two = self.value(node.right)
            dims = one | two
            whole = isinstance(node.operator, cst.FloorDivide | cst.Modulo)
            if self.guarded and whole and not isinstance(node.right, cst.Integer | cst.Float):
                raise _StaysLoopError  # by zero, perhaps, which some libraries refuse
            fact = self.module.fact(node)
            if dims and fact is not None and fact.kind == "int" and _may_grow(node.operator, fact):
                raise _StaysLoopError
            return self._made(node.with_changes(left=left, right=right), node, dims, self._promoted(node, left, right))
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus | cst.Plus):
            inner, dims = self.value(node.expression)
            return self._made(node.with_changes(expression=inner), node, dims, self._promoted(node, inner))
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            return self._logical("logical_not", node, [self.value(node.expression)])
        if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
            return self._compared(node)
        if isinstance(node, cst.BooleanOperation):
            name = "logical_and" if isinstance(node.operator, cst.And) else "logical_or"
            return self._logical(name, node, [self.value(node.left), self._in_a_branch(node.right)])
        if isinstance(node, cst.IfExp):
            return self._chosen(node, self.value(node.test), *map(self._in_a_branch, (node.body, node.orelse)))
        if isinstance(node, cst.Call):
            return self._call(node)
        raise _StaysLoopError

    def _in_a_branch(self, node: Any) -> tuple[Any, frozenset[int]]:
        """Returns the value of an expression that not every step evaluates."""
        before, self.guarded = self.guarded, True
        try:
            return self.value(node)
        finally:
            self.guarded = before

    def _logical(self, name: str, node: Any, parts: list[tuple[Any, frozenset[int]]]) -> tuple[Any, frozenset[int]]:
        for made, dims in parts:
            fact = self.module.fact(made)
            if not dims or fact is None or fact.dtype != "bool":
                raise _StaysLoopError
        args = [cst.Arg(made.with_changes(lpar=(), rpar=())) for made, _ in parts]
        for arg, (made, _) in zip(args, parts, strict=True):
            self._same(arg.value, made)
        dims = frozenset().union(*(one for _, one in parts))
        return self._made(cst.Call(self._function(name), args), node, dims, "bool")

    def _name(self, node: cst.Name) -> tuple[Any, frozenset[int]]:
        if node.value in self.names:
            place = self.names.index(node.value)
            loop = self.loops[place]
            first, last = _text(loop.start), _text(loop.stop)
            text = f"{self.numpy}.arange({last if first == '0' else f'{first}, {last}'})"
            behind = len(self.loops) - 1 - place
            text += f"[:{', None' * behind}]" if behind else ""
            made = cst.parse_expression(text)
            self._known(made, "int64", frozenset({place}))
            if isinstance(made, cst.Subscript):
                self.module.learn(made.value, ValueFact("array", "int64", (None,)))
            return made, frozenset({place})
        if node.value in self.private:
            dims, dtype = self.private[node.value]
            return (self._known(cst.Name(node.value), dtype, dims) if dims else node), dims
        return self._invariant(node)

    def _invariant(self, node: Any) -> tuple[Any, frozenset[int]]:
        tree = ast.parse(code(node), mode="eval")
        if {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)} & self.changing:
            raise _StaysLoopError
        fact = self._fact(node)
        path = qualified(node, self.module.names, frozenset(self.scope.locals))
        if path is not None and isinstance(getattr(np, path.rpartition(".")[2], None), float):
            return node, frozenset()
        if fact is None or fact.kind not in ("scalar", *_STRONG):
            raise _StaysLoopError
        return node, frozenset()

    def _element(self, node: cst.Subscript, store: bool = False) -> tuple[Any, frozenset[int]]:
        """Rewrites an element as the part of its array over which the nest runs."""
        parts: list[str] = []
        dims: list[int] = []
        base = node.value
        fact = self._fact(base)
        if not isinstance(base, cst.Name) or base.value in self.changing:
            raise _StaysLoopError
        if fact is None or fact.kind != "array" or fact.ndim != len(node.slice):
            raise _StaysLoopError
        for element in node.slice:
            if not isinstance(element.slice, cst.Index):
                raise _StaysLoopError
            text, dim = self._subscript(element.slice.value)
            parts.append(text)
            if dim is not None:
                dims.append(dim)
                if self.guarded and not self._holds(fact, len(parts) - 1, element.slice.value, dim):
                    raise _StaysLoopError
        if not dims:
            if store:
                raise _StaysLoopError
            return self._invariant(node)
        if len(set(dims)) < len(dims):
            raise _StaysLoopError
        # axes of the nest that this array has not: behind its own they are new ones, in front of them they broadcast
        behind = list(range(max(dims) + 1, len(self.loops)))
        missing = [place for place in range(min(dims), len(self.loops)) if place not in dims]
        transposed = dims != sorted(dims)
        if missing != behind or (transposed and (len(dims) != 2 or behind or store)):
            raise _StaysLoopError
        parts += ["None"] * len(behind)
        self.whole = self.whole or len(dims) == len(self.loops)
        made = cst.parse_expression(f"{code(base)}[{', '.join(parts)}]{'.T' if transposed else ''}")
        dtype = fact.dtype or "float64"
        inner = made.value if isinstance(made, cst.Attribute) else made
        assert isinstance(inner, cst.Subscript)
        self.module.learn(inner.value, replace(fact, shape=(None,) * len(node.slice)))
        self._known(inner, dtype, frozenset(dims))
        self._known(made, dtype, frozenset(dims))
        return made, frozenset(dims)

    def _holds(self, fact: ValueFact, axis: int, subscript: cst.BaseExpression, place: int) -> bool:
        """Tells whether an axis was long enough for all steps of a loop, those included that left the element alone."""
        loop = self.loops[place]
        seen = self.observed.loops.get(loop.node.lineno)
        form = affine(ast.parse(code(subscript), mode="eval").body, loop.index, self.changing - {loop.index})
        first = None if form is None else (loop.start + form.offset).constant()
        length = fact.shape[axis] if fact.shape is not None else None
        return seen is not None and first is not None and length is not None and first + seen.trips_high <= length

    def _subscript(self, node: cst.BaseExpression) -> tuple[str, int | None]:
        tree = ast.parse(code(node), mode="eval").body
        for place, loop in enumerate(self.loops):
            if loop.index not in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}:
                continue
            form = affine(tree, loop.index, self.changing - {loop.index})
            if form is None or form.coefficient != 1:
                raise _StaysLoopError
            first, last = loop.start + form.offset, loop.stop + form.offset
            start = first.constant()
            behind = dict(last.terms).get("", 0)
            if start is None or start < 0 or (last.constant() is None and behind < _LEAST):
                raise _StaysLoopError
            if any(count < 0 for symbol, count in last.terms if symbol):
                raise _StaysLoopError
            return f"{start or ''}:{_text(last)}", place
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        fact = self._fact(node)
        inner = tree.operand if isinstance(tree, ast.UnaryOp) else tree
        literal = isinstance(inner, ast.Constant)
        if names & self.changing or not (literal or (fact is not None and fact.kind == "int")):
            raise _StaysLoopError
        return code(node), None

    def _compared(self, node: cst.Comparison) -> tuple[Any, frozenset[int]]:
        other = node.comparisons[0]
        if not isinstance(
            other.operator,
            cst.LessThan | cst.LessThanEqual | cst.GreaterThan | cst.GreaterThanEqual | cst.Equal | cst.NotEqual,
        ):
            raise _StaysLoopError
        left, one = self.value(node.left)
        right, two = self.value(other.comparator)
        made = node.with_changes(left=left, comparisons=[other.with_changes(comparator=right)])
        return self._made(made, node, one | two, "bool")

    def _chosen(self, node: Any, test: Any, body: Any, orelse: Any) -> tuple[Any, frozenset[int]]:
        dims = test[1] | body[1] | orelse[1]
        if not test[1]:
            raise _StaysLoopError
        args = [cst.Arg(part.with_changes(lpar=(), rpar=())) for part, _ in (test, body, orelse)]
        made = cst.Call(self._function("where"), args)
        return self._made(made, node, dims, self._common(node, body[0], orelse[0]))

    def _common(self, node: Any, *parts: Any) -> str:
        """Returns the dtype of a choice: where it was now a number, now a scalar, that of both together."""
        fact = None if node is None else self.module.fact(node)
        if fact is not None and fact.kind != "mixed":
            return self._dtype(node)
        operands: list[Any] = []
        for part in parts:
            known = self.module.fact(part)
            if known is not None and known.dtype is not None:
                operands.append(np.dtype(known.dtype))
            else:
                operands.append({"float64": 0.0, "int64": 0}.get(self._dtype(part), np.dtype(self._dtype(part))))
        return str(np.result_type(*operands))

    def _call(self, node: cst.Call) -> tuple[Any, frozenset[int]]:
        if any(argument.keyword is not None or argument.star for argument in node.args):
            raise _StaysLoopError
        path = qualified(node.func, self.module.names, frozenset(self.scope.locals))
        if not any(isinstance(one, cst.Name) and one.value in self.changing for one in _nodes(node)):
            return self._invariant(node)  # proved to do nothing else
        if isinstance(node.func, cst.Attribute) and path is None:
            raise _StaysLoopError
        given = [self.value(argument.value) for argument in node.args]
        dims = frozenset().union(*(one for _, one in given))
        if not dims:
            raise _StaysLoopError
        args = [old.with_changes(value=new) for old, (new, _) in zip(node.args, given, strict=True)]
        name = node.func.value if isinstance(node.func, cst.Name) and node.func.value not in self.scope.locals else None
        if path is not None and path.startswith("numpy."):
            ufunc = getattr(np, path.removeprefix("numpy."), None)
            if not isinstance(ufunc, np.ufunc) or ufunc.nout != 1 or len(given) != ufunc.nin:
                raise _StaysLoopError
            return self._made(node.with_changes(args=args), node, dims)
        if path is not None and path.startswith("math.") and path.removeprefix("math.") in _MATH:
            function = self._function(_MATH[path.removeprefix("math.")])
            return self._made(node.with_changes(func=function, args=args), node, dims)
        if name == "abs" and len(given) == 1:
            return self._made(node.with_changes(func=self._function("abs"), args=args), node, dims)
        if name in ("max", "min") and len(given) == 2:
            # as Python chooses, NaN included: the second only where it is larger (smaller)
            sign = ">" if name == "max" else "<"
            a, b = (code(new) for new, _ in given)
            text = f"{self.numpy}.where({_atom(given[1][0])} {sign} {_atom(given[0][0])}, {b}, {a})"
            made = cst.parse_expression(text)
            assert isinstance(made, cst.Call)
            test = made.args[0].value
            assert isinstance(test, cst.Comparison)
            self._known(test, "bool", dims)
            copies = (test.comparisons[0].comparator, test.left, made.args[1].value, made.args[2].value)
            for new, place in zip(copies, (0, 1, 1, 0), strict=True):
                self._same(new, given[place][0])
            return self._made(made, node, dims, self._common(node, given[0][0], given[1][0]))
        raise _StaysLoopError

    # -- what is known of what is made --------------------------------------------------------------------------------

    def _same(self, copy: cst.CSTNode, node: cst.CSTNode) -> None:
        """Carries what is known of an expression over to a copy of it, part by part."""
        fact = self.module.fact(node)
        if fact is not None:
            self.module.learn(copy, fact)
        for one, two in zip(children(copy), children(node), strict=False):
            self._same(one, two)

    def _made(self, made: Any, like: Any, dims: frozenset[int], dtype: str | None = None) -> tuple[Any, frozenset[int]]:
        if not dims:
            return like, dims
        return self._known(made, dtype or self._dtype(like), dims), dims

    def _known(self, node: Any, dtype: str, dims: frozenset[int]) -> Any:
        self.module.learn(node, ValueFact("array", dtype, (None,) * (len(self.loops) - min(dims))))
        return node

    def _fact(self, node: cst.CSTNode) -> ValueFact | None:
        """Returns what is known of an expression, of a name also what was seen of it elsewhere in the loop.

        What no step of the example came to has no facts of its own.
        """
        fact = self.module.fact(node)
        return self.by_name.get(node.value) if fact is None and isinstance(node, cst.Name) else fact

    def _promoted(self, node: Any, *parts: Any) -> str | None:
        """Returns the dtype of an operation that no step came to, None where its own was seen."""
        if self.module.fact(node) is not None:
            return None
        found = self._common(None, *parts)
        plain = isinstance(node, cst.UnaryOperation) or isinstance(node.operator, cst.Add | cst.Subtract | cst.Multiply)
        if found != "float64" and (not plain or found == "bool"):
            raise _StaysLoopError  # the operands do not tell
        return found

    def _dtype(self, node: cst.CSTNode) -> str:
        fact = self._fact(node)
        if isinstance(node, cst.Integer | cst.Float):
            return "int64" if isinstance(node, cst.Integer) else "float64"
        if fact is not None and fact.kind == "scalar" and fact.dtype is not None:
            return fact.dtype
        if fact is not None and fact.kind in _STRONG:
            return _STRONG[fact.kind]
        raise _StaysLoopError

    def _function(self, name: str) -> cst.BaseExpression:
        return cst.Attribute(cst.Name(self.numpy), cst.Name(name))


def _nodes(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Returns a node and all below it."""
    return [node, *(inner for child in children(node) for inner in _nodes(child))]


def _may_grow(operator: cst.BaseBinaryOp, fact: ValueFact) -> bool:
    """Tells whether Python's integers, which grow, may leave the range in which NumPy's wrap around."""
    if isinstance(operator, cst.Power | cst.LeftShift):
        return True
    seen = max(abs(fact.low or 0), abs(fact.high or 0))
    return isinstance(operator, cst.Multiply) and (fact.high is None or seen > _FAR)


def _is_text(node: Any) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString)


def _atom(node: cst.BaseExpression) -> str:
    plain = isinstance(node, cst.Name | cst.Call | cst.Subscript | cst.Attribute | cst.Integer | cst.Float) or node.lpar
    return code(node) if plain else f"({code(node)})"


def _text(polynomial: Polynomial) -> str:
    """Spells an integer combination: symbols first, the constant last."""
    text = ""
    for symbol, count in sorted(polynomial.terms, key=lambda term: term[0] == ""):
        size = str(abs(count)) if symbol == "" else symbol if abs(count) == 1 else f"{abs(count)}*({symbol})"
        plain = symbol == "" or abs(count) != 1 or symbol.isidentifier() or symbol.endswith((")", "]")) or "." in symbol
        size = size if plain and not any(sign in symbol for sign in " ") else f"({size})"
        text += (f" {'+' if count > 0 else '-'} " if text else "-" if count < 0 else "") + size
    return text or "0"
