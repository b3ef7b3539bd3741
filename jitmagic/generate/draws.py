"""Takes random draws out of the compiled core: NumPy draws the same numbers before it, in the same order.

```
def fn(n):                              def fn(n):
    rng = np.random.default_rng(7)          rng = np.random.default_rng(7)
    x = 0.0                                 steps = rng.standard_normal(n)
    for i in range(n):                      return _fn(n, steps)
        x += rng.standard_normal()
    return x                            def _fn(n, steps): … x += steps[i] …
```

Compiled generators give another stream, with which no result could be compared. What is drawn must be known before the
core runs: a draw whose being made, or whose size, depends on what is computed is refused with its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.analysis.memory import GENERATOR_METHODS
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.array_shapes import Alike, Shapes, bound_often, reshaped, shape_of
from jitmagic.generate.blocks import code, made, small, statements, with_body
from jitmagic.generate.draws_in_loops import (
    Calls,
    Uncertain,
    bounds_of,
    holds,
    leaves,
    loops_around,
    operand,
    skeleton,
    target_of,
)
from jitmagic.generate.draws_of_places import places_drawn
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder
from jitmagic.observe.facts import ValueFact

_MAKERS = frozenset(
    {"numpy.random.default_rng", "numpy.random.RandomState", "numpy.random.Generator", "random.Random"}
    | {f"numpy.random.{name}" for name in ("SeedSequence", "PCG64", "MT19937", "Philox", "SFC64")}
)
_SEEDS = frozenset({"numpy.random.seed", "random.seed"})
# One number after another from the stream: n calls give what one call with a size of n gives.
_ONE_BY_ONE = frozenset({"random", "random_sample", "standard_normal", "standard_exponential"})
_PURE = frozenset({"len", "int", "float", "max", "min", "round", "abs", "range", "tuple"})


@dataclass
class Hoisted:
    """What was taken out of a function.

    Attributes
    ----------
    function : libcst.FunctionDef
        The core: its drawn numbers are parameters behind its own.
    statements : list
        Statements that draw, in their order, for the wrapper's head.
    facts : dict of str to ValueFact
        The new parameters.
    """

    function: cst.FunctionDef
    statements: list[Any] = field(default_factory=list)
    facts: dict[str, ValueFact] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The new parameters in their order."""
        return tuple(self.facts)


@dataclass(frozen=True)
class Library:
    """For whom draws are taken out: how a refusal names it, what it advises, and its gotcha."""

    name: str
    advice: str
    gotcha: str


def hoisted(
    module: Module, function: cst.FunctionDef, kinds: Kinds, mutated: Sequence[str], library: Library
) -> Hoisted:
    """Takes the draws out of a function.

    Parameters
    ----------
    module : Module
    function : libcst.FunctionDef
        The entry, in normal form.
    kinds : Kinds
    mutated : sequence of str
        Labels of the arguments that the call changed.
    library : Library

    Raises
    ------
    Unsupported
        With the line of a draw that cannot be made before the core runs.
    """
    finder = _Finder(kinds)
    function.visit(finder)
    if not finder.draws and not finder.makers and not finder.seeds:
        return Hoisted(function)
    if (other := places_drawn(module, function, kinds, finder.generators)) is not function:
        function, finder = other, _Finder(kinds)
        function.visit(finder)
    return _Hoist(module, function, kinds, finder, frozenset(mutated), library).run()


class _Finder(Finder):
    """Finds draws, and what makes or seeds generators."""

    def __init__(self, kinds: Kinds) -> None:
        super().__init__()
        self.kinds = kinds
        self.draws: list[cst.Call] = []
        self.makers: list[cst.Call] = []
        self.seeds: list[cst.Call] = []
        self.generators: set[str] = {
            name for name, facts in kinds.names.items() if facts and all(fact.kind == "object" for fact in facts)
        }

    def visit_Assign(self, node: cst.Assign) -> None:
        path = self.kinds.path(node.value.func) if isinstance(node.value, cst.Call) else None
        if path in _MAKERS:
            for target in node.targets:
                self.generators |= set(name_tools.targets(target.target))

    def leave_Call(self, original_node: cst.Call) -> None:
        # on leaving: in the order in which Python makes the calls
        node, func = original_node, original_node.func
        path = self.kinds.path(func)
        if path in _SEEDS:
            self.seeds.append(node)
        elif path in _MAKERS:
            self.makers.append(node)
        elif (path is not None and path.startswith(("numpy.random.", "random."))) or (
            isinstance(func, cst.Attribute)
            and isinstance(func.value, cst.Name)
            and func.value.value in self.generators
            and func.attr.value in GENERATOR_METHODS
        ):
            self.draws.append(node)


class _Hoist:
    def __init__(
        self, module: Module, function: cst.FunctionDef, kinds: Kinds, finder: _Finder, mutated: frozenset[str],
        library: Library,
    ) -> None:  # fmt: skip
        self.module, self.function, self.kinds, self.finder = module, function, kinds, finder
        self.library = library
        self.mutated = mutated - finder.generators
        self.taken = set(name_tools.all_names(function))
        self.parameters = frozenset(name_tools.parameters(function))
        self.rebound = bound_often(function)
        self.reshaped = reshaped(function, self.rebound, kinds)
        self.out = Hoisted(function)
        # names that the wrapper has, and the statements that would give it more
        self.ready = {p for p in self.parameters if p not in self.rebound}
        self.offers: dict[str, Any] = {}
        self.alike: dict[str, str] = {}
        self.replaced: dict[cst.CSTNode, cst.BaseExpression] = {}

    def run(self) -> Hoisted:
        kept: list[Any] = []
        for statement in statements(self.function):
            kept += self._top(statement)
        function: Any = with_body(self.function, kept).visit(_Replace(self.module, self.replaced))
        left = _Finder(self.kinds)
        function.visit(left)
        for call in (*left.draws, *left.makers, *left.seeds):
            raise self._refuse(call, "cannot be drawn before the compiled part")
        used = name_tools.loads(function) & self.finder.generators - self.parameters
        if used:
            name = sorted(used)[0]
            line = self.module.line(self.function)
            raise Unsupported(
                f"the random generator `{name}` is handed on, and what is drawn from it there cannot be drawn before "
                "the compiled part; draw in this function, or pass the numbers",
                line,
                self.library.gotcha,
            )
        function = function.with_changes(params=self._parameters(function.params))
        self.out.function = function
        return self.out

    def _parameters(self, old: cst.Parameters) -> cst.Parameters:
        """Returns the core's parameters: without generators, with what was drawn."""

        def bare(parameters: Sequence[cst.Param]) -> list[cst.Param]:
            return [
                p.with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT, comma=cst.MaybeSentinel.DEFAULT)
                for p in parameters
                if p.name.value not in self.finder.generators
            ]

        more = [cst.Param(cst.Name(name)) for name in self.out.names]
        only = bare(old.kwonly_params)
        if isinstance(old.star_arg, cst.Param) or only or old.star_kwarg is not None:
            return old.with_changes(params=bare(old.params), posonly_params=bare(old.posonly_params),
                                    kwonly_params=[*only, *more])  # fmt: skip
        return old.with_changes(params=[*bare(old.params), *more], posonly_params=bare(old.posonly_params))

    # -- statements

    def _top(self, statement: Any) -> list[Any]:
        finder = _Finder(self.kinds)
        finder.generators = self.finder.generators
        statement.visit(finder)
        one = small(statement)
        if finder.makers or finder.seeds:
            if one is None:
                raise self._refuse(
                    (finder.makers + finder.seeds)[0], "is made or seeded under a condition or in a loop"
                )
            self._need(one, statement)
            self._emit(statement)
            return []
        if not finder.draws:
            self._offer(statement, one)
            return [statement]
        if isinstance(statement, cst.For):
            self._loop(statement, finder.draws)
            return [statement]
        if isinstance(statement, cst.If) and all(holds(statement.test, call) for call in finder.draws):
            return self._line(statement, statement.test, finder.draws)
        if one is None:
            raise self._refuse(finder.draws[0], "is drawn only where a condition holds, or in a loop without a count")
        return self._line(statement, one, finder.draws)

    def _line(self, statement: Any, one: Any, draws: Sequence[cst.Call]) -> list[Any]:
        """Takes the draws out of a plain statement."""
        for call in draws:
            self._check_certain(one, call)
        target = one.targets[0].target if isinstance(one, cst.Assign) and len(one.targets) == 1 else None
        if len(draws) == 1 and isinstance(one, cst.Expr) and one.value is draws[0]:
            self._need(draws[0], statement)
            self._emit(statement)  # its numbers are thrown away, or it shuffles what the wrapper has
            if self._shuffles(draws[0]):
                raise self._refuse(draws[0], "shuffles in place")
            return []
        if (
            isinstance(target, cst.Name)
            and one.value is draws[0]
            and target.value not in self.parameters
            and target.value not in self.rebound
        ):
            self._need(draws[0], statement)
            self._emit(statement)
            self._new(target.value, self.module.fact(draws[0]))
            return []
        for call in draws:
            self._need(call, statement)
            name = self._fresh(target.value if isinstance(target, cst.Name) else "drawn")
            self._emit(made(f"{name} = {code(call)}", like=statement))
            self._new(name, self.module.fact(call))
            self._replace(call, cst.Name(name))
        return [statement]

    def _loop(self, loop: cst.For, draws: Sequence[cst.Call]) -> None:
        """Takes the draws out of a nest of counted loops, as arrays with an axis for each loop."""
        nests = [loops_around(loop, call) for call in draws]
        for call, nest in zip(draws, nests, strict=True):
            if nest is None:
                raise self._refuse(call, "is drawn only where a condition holds, or in a loop without a count")
            for one in nest:
                self._check_counted(one, call)
            self._need(call, loop, frozenset(code(one.target) for one in nest))
        plans = [self._plan(call, nest or []) for call, nest in zip(draws, nests, strict=True)]
        if len(draws) == 1 and (whole := self._whole(draws[0], nests[0] or [])) is not None:
            name = plans[0][0]
            self._emit(made(f"{name} = {whole}", like=loop))
        else:
            self._drawn_in_loops(loop, draws, plans)
        for call, (name, index, axes) in zip(draws, plans, strict=True):
            fact = self.module.fact(call)
            shape = (*(None for _ in range(axes)), *((fact.shape or ()) if fact is not None else ()))
            dtype = fact.dtype if fact is not None else None
            kinds = {"int": "int64", "float": "float64"}
            if dtype is None and fact is not None:
                dtype = kinds.get(fact.kind)
            self._new(name, ValueFact("array", dtype, shape, contiguous=True))
            self._replace(call, cst.parse_expression(f"{name}[{index}]"))

    def _plan(self, call: cst.Call, nest: Sequence[cst.For]) -> tuple[str, str, int]:
        """Returns the new array's name, the index of this draw in it, and the number of its loops."""
        given = target_of(nest[-1], call)
        name = self._fresh(f"drawn_{given}" if given is not None else "drawn")
        index = []
        for loop in nest:
            start = bounds_of(loop)[0]
            counter = code(loop.target)
            index.append(counter if start == "0" else f"{counter} - {operand(start)}")
        return name, ", ".join(index), len(nest)

    def _whole(self, call: cst.Call, nest: Sequence[cst.For]) -> str | None:
        """Returns one call that draws for all trips, None where the stream could be another."""
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value not in _ONE_BY_ONE:
            return None
        if name_tools.loads(call) & {code(loop.target) for loop in nest}:
            return None
        own = ""
        if call.args:
            keyword = call.args[0].keyword
            if len(call.args) > 1 or (keyword is not None and keyword.value != "size"):
                return None
            shape = call.args[0].value
            fact = self.kinds.of(shape)
            if isinstance(shape, cst.Tuple):
                own = f", {', '.join(code(element.value) for element in shape.elements)}"
            elif isinstance(shape, cst.Integer) or (fact is not None and fact.kind in ("int", "scalar")):
                own = f", {code(shape)}"
            elif fact is not None and fact.kind == "tuple":
                own = f", *{code(shape)}"
            else:
                return None
        counts = []
        for loop in nest:
            start, stop = bounds_of(loop)
            counts.append(stop if start == "0" else f"{operand(stop)} - {operand(start)}")
        size = f"({', '.join(counts)}{own})" if len(counts) > 1 or own else counts[0]
        return f"{code(func)}({size})"

    def _drawn_in_loops(self, loop: cst.For, draws: Sequence[cst.Call], plans: Sequence[tuple[str, str, int]]) -> None:
        """Emits the nest with nothing but its draws, in their order, and makes arrays of them."""
        keep = {call: name for call, (name, _, _) in zip(draws, plans, strict=True)}
        names = [name for name, _, _ in plans]
        for name in names:
            self._emit(made(f"{name} = []", like=loop))
        text = "\n".join(skeleton(loop, keep, ""))
        self._emit(cst.parse_statement(text + "\n"))
        module_name = next((n for n, path in self.kinds.module.names.items() if path == "numpy"), "__numpy__")
        for call, (name, _, axes) in zip(draws, plans, strict=True):
            shaped = ""
            if axes > 1:
                nest = loops_around(loop, call) or []
                counts = [
                    stop if start == "0" else f"{operand(stop)} - {operand(start)}"
                    for start, stop in map(bounds_of, nest)
                ]
                fact = self.module.fact(call)
                inner = f", *{module_name}.shape({name}[0])" if fact is not None and fact.shape else ""
                shaped = f".reshape({', '.join(counts)}{inner})"
            self._emit(made(f"{name} = {module_name}.array({name}){shaped}"))

    # -- checks

    def _check_certain(self, one: Any, call: cst.Call) -> None:
        """Refuses a draw that the statement may leave out or repeat."""
        finder = Uncertain(call)
        one.visit(finder)
        if finder.found:
            raise self._refuse(call, "is drawn only where a condition holds, or in a comprehension")

    def _check_counted(self, loop: cst.For, call: cst.Call) -> None:
        bounds = bounds_of(loop)
        if bounds is None or not isinstance(loop.target, cst.Name):
            raise self._refuse(call, f"is drawn in the loop `for {code(loop.target)} in {code(loop.iter)}`, which does "
                                     "not count by ones")  # fmt: skip
        if leaves(loop):
            raise self._refuse(call, "is drawn in a loop that may end early")
        if loop.target.value in name_tools.bound(loop.body):
            raise self._refuse(call, f"is drawn in a loop that changes its counter `{loop.target.value}`")
        for bound in bounds:
            self._need(cst.parse_expression(bound), loop)

    def _need(self, node: cst.CSTNode, statement: Any, counters: frozenset[str] = frozenset()) -> None:
        """Makes sure that the wrapper has all that an expression reads, by repeating what gives it."""
        reads = (name_tools.loads(node) & self.kinds.local) - counters - self._asked_for_shape(node)
        changed = sorted(reads & self.mutated)
        if changed:
            raise self._refuse(statement, f"depends on `{changed[0]}`, which the function changes")
        wanted = reads - self.ready
        for name in sorted(wanted):
            giver = self.offers.get(name)
            if giver is None:
                raise self._refuse(
                    node if isinstance(node, cst.Call) else statement,
                    f"needs `{name}`, which is computed before it",
                )
            del self.offers[name]
            self._need(small(giver).value, statement)
            if not set(name_tools.bound(giver)) <= self.ready:
                self._emit(giver)
                self.ready |= name_tools.bound(giver)

    def _offer(self, statement: Any, one: Any) -> None:
        """Remembers a plain statement that gives a number, which the wrapper may repeat."""
        if not isinstance(one, cst.Assign) or len(one.targets) != 1:
            return
        names = name_tools.targets(one.targets[0].target)
        source = shape_of(one.value, self.kinds)
        if len(names) == 1 and names[0] not in self.rebound and source in self.parameters - self.reshaped:
            # `s = spins.copy()`: its shape is the argument's
            self.alike[names[0]] = source
        if set(self.alike) & name_tools.loads(one.value):
            statement = statement.visit(Alike(self.module, self.alike))
            one = small(statement)
        fact = self.kinds.of(one.value)
        plain = fact is not None and fact.kind in ("int", "float", "bool", "scalar", "tuple")
        literal = isinstance(one.value, cst.Integer | cst.Float)
        reads = name_tools.loads(one.value) - self._asked_for_shape(one.value)
        if not names or set(names) & (self.rebound | self.parameters) or not (plain or literal):
            return
        if reads & self.mutated or not self._repeatable(one.value):
            return
        for name in names:
            self.offers[name] = statement

    def _asked_for_shape(self, node: cst.CSTNode) -> frozenset[str]:
        """Returns the parameters of which an expression reads the shape alone, which is as it was in the call."""
        finder = Shapes()
        node.visit(finder)
        return frozenset(finder.shapes - finder.others) & self.parameters - self.reshaped

    def _repeatable(self, node: cst.BaseExpression) -> bool:
        finder = Calls()
        node.visit(finder)
        for call in finder.found:
            path = self.kinds.path(call.func)
            plain = (
                isinstance(call.func, cst.Name)
                and call.func.value in _PURE
                and call.func.value not in self.taken - _PURE
            )
            if not plain and not (path or "").startswith(("math.", "numpy.")):
                return False
        return True

    def _shuffles(self, call: cst.Call) -> bool:
        return isinstance(call.func, cst.Attribute) and call.func.attr.value == "shuffle"

    # -- results

    def _emit(self, statement: Any) -> None:
        self.out.statements.append(statement)
        self.ready |= name_tools.bound(statement)

    def _new(self, name: str, fact: ValueFact | None) -> None:
        self.out.facts[name] = fact if fact is not None else ValueFact("array", "float64", None)

    def _fresh(self, wanted: str) -> str:
        name = wanted
        number = 1
        while name in self.taken:
            number += 1
            name = f"{wanted}_{number}"
        self.taken.add(name)
        return name

    def _replace(self, call: cst.Call, new: cst.BaseExpression) -> None:
        self.replaced[call] = new

    def _refuse(self, node: cst.CSTNode, why: str) -> Unsupported:
        line = self.module.line(node)
        text = f"`{code(node)}` " if isinstance(node, cst.Call) else "a random number "
        where = f"line {line}: " if line is not None else ""
        return Unsupported(
            f"{where}{text}{why}: {self.library.name} would draw other numbers; {self.library.advice}",
            line,
            self.library.gotcha,
        )


class _Replace(Rewriter):
    def __init__(self, module: Module, new: dict[cst.CSTNode, cst.BaseExpression]) -> None:
        super().__init__(module)
        self.new = new

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        made_ = self.new.get(original_node)
        if made_ is None:
            return updated_node
        self.module.inherit(made_, original_node)
        return made_
