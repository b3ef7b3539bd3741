"""Random numbers: which of NumPy's streams Numba draws by itself, and what is drawn, or made, before the compiled core.

- A `numpy.random.Generator` draws the same numbers in compiled code as in NumPy, and goes on from there: one that the
  function makes is made in the wrapper and passed to the core.
- The legacy functions draw the same numbers after `np.random.seed` in the function itself.
- All else is drawn by NumPy: before the core where that is possible (`generate.draws`), else in Python at its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.analysis.memory import GENERATOR_METHODS
from jitmagic.analysis.words import words
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, normalised, small, statements, with_body
from jitmagic.generate.draws import Library, hoisted
from jitmagic.generate.kinds import Kinds, argument_facts
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.walking import Finder, nodes_of
from jitmagic.observe.facts import Observation, Span

SAME_STREAM = words(
    "integers shuffle permutation random standard_exponential standard_normal standard_gamma normal uniform "
    "exponential gamma beta f chisquare standard_cauchy pareto weibull power laplace logistic lognormal rayleigh "
    "standard_t wald geometric zipf triangular poisson negative_binomial noncentral_chisquare noncentral_f logseries "
    "binomial"
)
"""Methods of a Generator that draw NumPy's numbers in compiled code."""

LEGACY_SAME_STREAM = words(
    "random random_sample ranf sample rand uniform randn standard_normal normal randint exponential "
    "standard_exponential lognormal laplace triangular weibull"
)
"""Functions of `numpy.random` that draw NumPy's numbers in compiled code, once they are seeded there."""

_LIBRARY = Library("Numba", "draw them all before the computation, in one array, or pass a Generator", "NB-SEED")


@dataclass
class Arranged:
    """A tree whose random numbers are taken care of.

    Attributes
    ----------
    tree : libcst.Module
    head : list
        Statements for the wrapper, before it calls the core.
    outside : frozenset of Span
        Calls that are to be made in Python.
    notes : list of str
    native : bool
        Whether Numba draws from a global state of its own.
    """

    tree: cst.Module
    head: list[Any] = field(default_factory=list)
    outside: frozenset[Span] = frozenset()
    notes: list[str] = field(default_factory=list)
    native: bool = False


def arranged(
    module: Module, tree: cst.Module, entry: str, observed: Observation, parallel: bool, native: bool = True
) -> Arranged:
    """Arranges what a function draws.

    Parameters
    ----------
    module : Module
    tree : libcst.Module
    entry : str
    observed : Observation
    parallel : bool
    native : bool
        False where Numba did not take the legacy functions in the form in which they stand there.

    Raises
    ------
    Unsupported
        With the line of a draw that cannot be NumPy's.
    """
    finder = _Finder(module)
    tree.visit(finder)
    if not (finder.makers or finder.seeds or finder.legacy or finder.other):
        if observed.random:
            raise Unsupported(
                "the function draws from the global random state where it cannot be seen, and Numba has one of its "
                "own: pass a numpy.random.Generator",
                None,
                "NB-SEED",
            )
        return Arranged(tree)
    function = next(s for s in tree.body if isinstance(s, cst.FunctionDef) and s.name.value == entry)
    if not finder.other:
        made = _generators_outside(function, finder, module)
        same = all(name in LEGACY_SAME_STREAM for name, _ in finder.legacy)
        if made is not None and not finder.seeds and not finder.legacy:
            core, head = made
            return Arranged(_with(tree, core), head)
        seeded = _seeded_first(function, finder)
        arrays = any(_is_array(module, call) for _, call in finder.legacy)
        if native and made is not None and seeded and same and not (parallel and (arrays or finder.in_loops)):
            core, head = made
            note = "after the call NumPy's global random state is as it was before: Numba draws from one of its own"
            return Arranged(_with(tree, core), head, notes=[note], native=True)
    try:
        return _before(module, entry, observed, tree)
    except Unsupported:
        legacy = [call for _, call in finder.legacy] + finder.seeds
        if parallel or finder.makers or finder.other or not legacy:
            raise
        places = frozenset(module.span(call) for call in legacy)
        return Arranged(tree, outside=places)


def _is_array(module: Module, call: cst.Call) -> bool:
    fact = module.fact(call)
    return fact is None or fact.kind == "array"


def _with(tree: cst.Module, function: cst.FunctionDef) -> cst.Module:
    name = function.name.value
    return tree.with_changes(
        body=[function if isinstance(s, cst.FunctionDef) and s.name.value == name else s for s in tree.body]
    )


def _before(module: Module, entry: str, observed: Observation, tree: cst.Module) -> Arranged:
    """Draws before the core, where all that is drawn is known there."""
    tree = normalised(module, tree)
    function = next(s for s in tree.body if isinstance(s, cst.FunctionDef) and s.name.value == entry)
    kinds = Kinds(module, function, argument_facts(observed, function))
    found = hoisted(module, function, kinds, observed.mutated, _LIBRARY)
    tree = _with(tree, found.function)
    left = _Finder(module)
    tree.visit(left)
    for call in (*left.makers, *left.seeds, *left.other, *(call for _, call in left.legacy)):
        line = module.line(call)
        raise Unsupported(
            f"line {line}: `{code(call)}` draws in a function that is called, and Numba's numbers would be others: "
            "pass a numpy.random.Generator",
            line,
            "NB-SEED",
        )
    return Arranged(tree, found.statements)


def _generators_outside(
    function: cst.FunctionDef, finder: _Finder, module: Module
) -> tuple[cst.FunctionDef, list[Any]] | None:
    """Takes `rng = np.random.default_rng(seed)` out of the entry; None where one is made elsewhere or otherwise."""
    if not finder.makers:
        return function, []
    parameters = set(name_tools.parameters(function))
    bound = [name for s in _all_targets(function) for name in s]
    head, kept, made = [], [], []
    for statement in statements(function):
        one = small(statement)
        maker = isinstance(one, cst.Assign) and any(one.value is call for call in finder.makers)
        if not maker or len(statement.body) != 1:
            kept.append(statement)
            continue
        target = one.targets[0].target
        reads = name_tools.loads(one.value) & (parameters | set(bound))
        if len(one.targets) != 1 or not isinstance(target, cst.Name) or bound.count(target.value) != 1:
            return None
        if target.value in parameters or not reads <= parameters - set(bound):
            return None
        head.append(statement)
        made.append(target.value)
    if len(head) != len(finder.makers):
        return None
    core = with_body(function, kept)
    used = name_tools.loads(core.body)
    params = core.params
    bare = {"default": None, "equal": cst.MaybeSentinel.DEFAULT, "comma": cst.MaybeSentinel.DEFAULT}
    plain = [p.with_changes(**bare) for p in params.params if p.name.value in used]
    more = [cst.Param(cst.Name(name)) for name in made if name in used]
    return core.with_changes(params=params.with_changes(params=[*plain, *more])), head


def _seeded_first(function: cst.FunctionDef, finder: _Finder) -> bool:
    """Says whether a function seeds the global state by a statement of its own before anything draws from it."""
    calls = {call for _, call in finder.legacy}
    for statement in statements(function):
        one = small(statement)
        if isinstance(one, cst.Expr) and any(one.value is seed for seed in finder.seeds):
            return len(finder.seeds) == 1
        inside = nodes_of(statement, cst.Call)
        helpers = any(isinstance(c.func, cst.Name) and c.func.value in finder.drawing for c in inside)
        if helpers or any(call in calls for call in inside):
            return False
    return False


def _all_targets(function: cst.FunctionDef) -> list[tuple[str, ...]]:
    finder = _Targets()
    function.body.visit(finder)
    return finder.found


class _Targets(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self.found.append(name_tools.targets(node.target))

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self.found.append(name_tools.targets(node.target))

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self.found.append(name_tools.targets(node.target))

    def visit_For(self, node: cst.For) -> None:
        self.found.append(name_tools.targets(node.target))

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self.found.append(name_tools.targets(node.target))


class _Finder(Finder):
    """Finds what makes generators, seeds the global state, and draws from it."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        self.module = module
        self.makers: list[cst.Call] = []
        self.seeds: list[cst.Call] = []
        self.legacy: list[tuple[str, cst.Call]] = []
        self.other: list[cst.Call] = []
        self.drawing: set[str] = set()
        self.in_loops = False
        self._functions: list[str] = []
        self._depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._functions.append(node.name.value)

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self._functions.pop()

    def visit_For(self, node: cst.For) -> None:
        self._depth += 1

    def leave_For(self, original_node: cst.For) -> None:
        self._depth -= 1

    def visit_Call(self, node: cst.Call) -> None:
        path = qualified(node.func, self.module.names)
        if path is None or not path.startswith(("numpy.random.", "random.")):
            return
        self.in_loops = self.in_loops or self._depth > 0
        name = path.rsplit(".", 1)[-1]
        if path == "numpy.random.default_rng":
            self.makers.append(node)
        elif path == "numpy.random.seed":
            self.seeds.append(node)
        elif path.startswith("numpy.random.") and name in GENERATOR_METHODS | LEGACY_SAME_STREAM | {"shuffle"}:
            self.legacy.append((name, node))
            self.drawing |= set(self._functions)
        else:
            self.other.append(node)
