"""Writes the JAX module of a workload: the rewrites in their order, then the imports, the core and its wrapper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import libcst as cst

from jitmagic.backends.jax import functions as known_functions
from jitmagic.backends.jax.bit_counts import counted_bits
from jitmagic.backends.jax.casts import casts
from jitmagic.backends.jax.common_returns import without_early_returns
from jitmagic.backends.jax.components import by_components
from jitmagic.backends.jax.comprehensions import counted_comprehensions
from jitmagic.backends.jax.control import Control
from jitmagic.backends.jax.control_parameters import control_parameters
from jitmagic.backends.jax.counted_lists import counted_lists
from jitmagic.backends.jax.counts import counted_to
from jitmagic.backends.jax.effects import effects
from jitmagic.backends.jax.exchanges import Own, without_exchanges
from jitmagic.backends.jax.factors import factorisations
from jitmagic.backends.jax.first_places import first_places
from jitmagic.backends.jax.firsts import without_indices
from jitmagic.backends.jax.grown_arrays import grown_as_lists
from jitmagic.backends.jax.iterators import without_iterators
from jitmagic.backends.jax.jumps import Exits, needed, without_jumps
from jitmagic.backends.jax.lifting import lifted
from jitmagic.backends.jax.list_comprehensions import filled_lists
from jitmagic.backends.jax.list_ends import arrays_at_the_end
from jitmagic.backends.jax.list_results import Given
from jitmagic.backends.jax.list_rows import rows_as_tuples
from jitmagic.backends.jax.lists import straight_lists
from jitmagic.backends.jax.masks import masked_reductions, refuse_masks
from jitmagic.backends.jax.mirrors import without_mirrors
from jitmagic.backends.jax.next_values import next_as_loops
from jitmagic.backends.jax.raising import Raised, without_raises
from jitmagic.backends.jax.scalars import scalars
from jitmagic.backends.jax.selections import inlined
from jitmagic.backends.jax.settled import Assigned, assigned_facts
from jitmagic.backends.jax.shrinking import without_shrinking
from jitmagic.backends.jax.slices import whole_axes
from jitmagic.backends.jax.sliding import without_sliding_views
from jitmagic.backends.jax.stores import functional, returned_aliases
from jitmagic.backends.jax.storing_calls import calls_on_their_own
from jitmagic.backends.jax.strings import coded_strings
from jitmagic.backends.jax.table_lists import tables
from jitmagic.backends.jax.tracing import Tracing, analyse, is_static_value, loop_line
from jitmagic.backends.jax.tuple_comparisons import without_tuple_comparisons
from jitmagic.backends.jax.turns import looked_up_turns
from jitmagic.backends.jax.walks import counted_walks
from jitmagic.backends.jax.windows import windows
from jitmagic.backends.jax.wrapper import GivenBack, Returns, argument_checks, returning, wrapper
from jitmagic.backends.protocol import Draft
from jitmagic.capture.workload import Workload
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, made, normalised, small, statements, with_body
from jitmagic.generate.closures import steady_closures
from jitmagic.generate.draws import Library, hoisted
from jitmagic.generate.imports import Imports, Offer, Use
from jitmagic.generate.kinds import Kinds, argument_facts
from jitmagic.generate.masked_ufuncs import without_masked_ufuncs
from jitmagic.generate.module import Module
from jitmagic.generate.nested_ranges import nested_ranges
from jitmagic.generate.optional import Known, without_none
from jitmagic.generate.powers import HalfPowers
from jitmagic.generate.records import without_records
from jitmagic.generate.vectorize_calls import without_vectorize
from jitmagic.generate.walking import returns_of
from jitmagic.observe.facts import Observation, ValueFact

_OFFERS = (
    Offer("functools.partial", "partial", member=True),
    Offer("jax", "jax"),
    Offer("jax.numpy", "jnp"),
)
_LIBRARY = Library("JAX", "draw them all before the computation, in one array, or use jax.random with a key", "JX-RNG")
_X64 = 'jax.config.update("jax_enable_x64", True)  # NumPy computes in 64 bits, JAX by default in 32'


@dataclass(frozen=True)
class LoweredDraft(Draft):
    """A draft that remembers how it came to be, for the next rung.

    Attributes
    ----------
    written_out : frozenset of int
        Lines (of the module's text) of the loops that could not be lowered.
    stepwise : bool
        Whether loops were left as loops, since a form over whole arrays failed.
    counted : bool
        Whether lists that grow are arrays with a count.
    """

    written_out: frozenset[int] = frozenset()
    stepwise: bool = False
    counted: bool = False


@dataclass
class _Parts:
    """What is known while a module is written."""

    workload: Workload
    observed: Observation
    module: Module
    arguments: dict[str, ValueFact]
    static: frozenset[str]
    written_out: frozenset[int]
    entry: str
    lines: dict[int, str]
    lowered: set[int] = field(default_factory=set)
    exits: Exits = field(default_factory=dict)
    draws: list[Any] = field(default_factory=list)
    drawn: tuple[str, ...] = ()
    asserts: list[int | None] = field(default_factory=list)
    stepwise: bool = False
    lists: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    own: Own | None = None
    counted: bool = False
    grown: Given | None = None
    raised: tuple[Raised, ...] = ()
    coded: tuple[str, ...] = ()


def write(
    workload: Workload, observed: Observation, static: Iterable[str] = (), written_out: Iterable[int] = (),
    stepwise: bool = False, counted: bool = False,
) -> Draft:  # fmt: skip
    """Writes the draft of the variant ``jax``.

    Parameters
    ----------
    workload : Workload
    observed : Observation
    static : iterable of str
        Parameters that are static arguments beside those that are by their values.
    written_out : iterable of int
        Lines (of the module's text) of the loops that cannot be lowered, and are written out while they are short.
    stepwise : bool
        Whether every loop that is lowered goes step by step, none as a form over whole arrays.
    counted : bool
        Whether lists that grow are to be arrays with a count of what is in use.

    Raises
    ------
    Unsupported
        With the user's line, where the function cannot be expressed.
    """
    module = Module.of(workload, observed)
    module.names.update({"__numpy__": "numpy", "__jax__": "jax"})
    entry = workload.function.name
    tree = without_vectorize(module, normalised(module, module.marked()), entry)
    tree = lifted(module, without_records(module, tree))
    _refuse_function(module, _functions(tree)[entry])
    if observed.overlapping and observed.mutated:
        a, b = observed.overlapping[0]
        if {a, b} & set(observed.mutated):
            raise Unsupported(
                f"the arguments `{a}` and `{b}` share memory and are written into; pass copies", None, "JX-IADD-ALIAS"
            )
    arguments = argument_facts(observed, _functions(tree)[entry])
    entry_kinds = Kinds(module, _functions(tree)[entry], arguments)
    tree, coded = coded_strings(module, tree, entry, entry_kinds, arguments)
    arguments |= {name: ValueFact("array", "int32", (None,)) for name in coded}
    fixed = frozenset(static) | {n for n, f in arguments.items() if is_static_value(f)}
    signature = _functions(tree)[entry].params
    lines = {
        line: name
        for name, f in sorted(_functions(tree).items(), key=lambda item: -_height(module, item[1]))
        for line in range(module.span(f).line, module.span(f).end_line + 1)
    }
    parts = _Parts(workload, observed, module, arguments, fixed, frozenset(written_out), entry, lines)
    parts.stepwise, parts.counted, parts.coded = stepwise, counted, coded
    tree = without_tuple_comparisons(module, tree, _kinds(parts, tree))
    tree = next_as_loops(module, tree)
    tree = grown_as_lists(module, tree, _kinds(parts, tree))
    tree = without_iterators(module, tree, _kinds(parts, tree))
    tree = filled_lists(module, tree, entry, partial(_kinds, parts), parts.written_out)
    tree, parts.tables = tables(module, tree, entry, _kinds(parts, tree))
    tree = counted_comprehensions(module, tree, _kinds(parts, tree), parts.written_out)
    tree = calls_on_their_own(module, tree, _kinds(parts, tree))
    tree = without_masked_ufuncs(module, tree, entry)
    if not counted:
        tree, parts.grown = without_early_returns(module, tree, entry)
    tree = without_sliding_views(module, tree, _kinds(parts, tree))
    tree = without_indices(module, tree, _kinds(parts, tree))
    tree = _without_draws(parts, tree)
    tree, parts.own = without_exchanges(module, tree, entry, _kinds(parts, tree)[entry])
    tree = nested_ranges(module, tree, _kinds(parts, tree))
    traced = {name: Known(one.kinds, one.names) for name, one in _tracing(parts, tree).items()}
    tree = without_none(module, tree, traced)
    tree = counted_walks(module, tree, _tracing(parts, tree))
    tree = first_places(module, tree, _tracing(parts, tree))
    if counted:
        tree = arrays_at_the_end(module, tree, _kinds(parts, tree))
    tree = rows_as_tuples(module, tree, _kinds(parts, tree))
    tree = straight_lists(module, tree)
    if counted:
        tree, parts.grown = counted_lists(module, tree, entry, _kinds(parts, tree))
        if parts.grown is not None and parts.grown.room:
            fixed |= {parts.grown.room}
            parts.static = fixed
    tree = without_mirrors(module, tree, _kinds(parts, tree))
    tree = steady_closures(module, tree, _kinds(parts, tree))
    tree = factorisations(module, tree, _kinds(parts, tree))
    functions = _functions(tree)
    users = {parts.entry, *(helper.name for helper in workload.helpers)}
    of_entry = [one for name, one in functions.items() if name not in users]
    parts.static = fixed | control_parameters(
        module, functions[parts.entry], of_entry, parts.arguments, parts.written_out
    )

    facts = {n: assigned_facts(module, f) for n, f in _functions(tree).items()}
    tree = _without_jumps(parts, tree)
    checks: list[Any] = []
    tree, checks = _without_checks(parts, tree)
    tree, parts.raised = without_raises(module, tree, entry, _tracing(parts, tree)[entry])
    tree, counts = counted_to(module, tree, parts.entry, _kinds(parts, tree))
    checks += counts
    tree = tree.visit(HalfPowers(module, _kinds(parts, tree), lambda path: path.replace("numpy", "__numpy__")))
    tree = looked_up_turns(module, tree, _kinds(parts, tree))
    tree = counted_bits(module, tree, _tracing(parts, tree))
    tree = effects(module, tree, _tracing(parts, tree), parts.asserts)
    tree = without_shrinking(module, tree, _kinds(parts, tree))
    tree = inlined(module, tree, _kinds(parts, tree))
    tree = masked_reductions(module, tree, _kinds(parts, tree))
    tree = casts(module, tree, _kinds(parts, tree))
    wanted: set[str] = set()
    tree = whole_axes(module, tree, _tracing(parts, tree), wanted)
    if wanted - parts.static:
        return write(workload, observed, {*static, *wanted}, written_out, stepwise, counted)
    # before the scalars: `v = a if c else b` must still be seen as a name for either array
    tree, mutated, returns = _without_stores(parts, tree)
    tree = scalars(module, tree, _tracing(parts, tree))
    tree = windows(module, tree, _tracing(parts, tree))
    refuse_masks(module, tree, _kinds(parts, tree))
    tree = by_components(module, tree, _kinds(parts, tree))
    tree, forms = _lowered(parts, tree, facts)
    return _finished(parts, tree, signature, mutated[entry], returns, checks, forms)


def _height(module: Module, function: cst.FunctionDef) -> int:
    span = module.span(function)
    return span.end_line - span.line


def _functions(tree: cst.Module) -> dict[str, cst.FunctionDef]:
    return {s.name.value: s for s in tree.body if isinstance(s, cst.FunctionDef)}


def _kinds(parts: _Parts, tree: cst.Module) -> dict[str, Kinds]:
    return {
        name: Kinds(parts.module, f, parts.arguments if name == parts.entry else {})
        for name, f in _functions(tree).items()
    }


def _tracing(parts: _Parts, tree: cst.Module) -> dict[str, Tracing]:
    arrays = [n for n in parts.workload.needs if _is_array(parts.workload.constants.get(n))]
    return analyse(
        parts.module, tree, parts.entry, _kinds(parts, tree), parts.arguments, parts.static, arrays, parts.lowered,
        parts.written_out,
    )  # fmt: skip


def _is_array(value: Any) -> bool:
    return hasattr(value, "__array__") and hasattr(value, "dtype")


def _replaced(tree: cst.Module, functions: dict[str, cst.FunctionDef]) -> cst.Module:
    return tree.with_changes(
        body=[functions.get(s.name.value, s) if isinstance(s, cst.FunctionDef) else s for s in tree.body]
    )


def _refuse_function(module: Module, function: cst.FunctionDef) -> None:
    line = module.line(function)
    if function.asynchronous is not None:
        raise Unsupported(f"line {line}: a coroutine cannot be compiled", line)


def _without_draws(parts: _Parts, tree: cst.Module) -> cst.Module:
    """Takes random draws out of the entry; they stand in the wrapper then."""
    function = _functions(tree)[parts.entry]
    found = hoisted(parts.module, function, _kinds(parts, tree)[parts.entry], parts.observed.mutated, _LIBRARY)
    parts.draws, parts.drawn = found.statements, found.names
    parts.arguments.update(found.facts)
    return _replaced(tree, {parts.entry: found.function})


def _without_jumps(parts: _Parts, tree: cst.Module) -> cst.Module:
    """Takes the jumps out of loops that are compiled, among them those whose end a traced value decides."""
    tracing = _tracing(parts, tree)
    while found := needed(parts.module, tree, tracing) - parts.lowered:
        parts.lowered |= found
        tracing = _tracing(parts, tree)
    tree, parts.exits = without_jumps(parts.module, tree, tracing, parts.grown.full if parts.grown else "")
    return tree


def _without_checks(parts: _Parts, tree: cst.Module) -> tuple[cst.Module, list[Any]]:
    functions = _functions(tree)
    function = functions[parts.entry]
    tracing = _tracing(parts, tree)[parts.entry]
    checks, rest = argument_checks(function, tracing.expression)
    if not checks:
        return tree, []
    return _replaced(tree, {parts.entry: with_body(function, rest)}), checks


def _without_stores(parts: _Parts, tree: cst.Module) -> tuple[cst.Module, dict[str, tuple[str, ...]], Returns]:
    kinds = _kinds(parts, tree)
    functions = _functions(tree)
    outer = frozenset(parts.workload.constants) | frozenset(functions)
    mutating: dict[str, tuple[str, ...]] = {}
    passes_on: dict[str, bool] = {}
    new: dict[str, cst.FunctionDef] = {}
    returns = Returns(True, None)
    parts.module.tree = tree
    for name, function in functions.items():
        stored = functional(parts.module, function, kinds[name], mutating, passes_on, outer)
        passes_on[name] = returned_aliases(function, kinds[name], passes_on)
        # what was drawn is nobody else's: it is not given back
        mutating[name] = tuple(m for m in stored.mutated if name != parts.entry or m not in parts.drawn)
        new[name] = stored.function
        if mutating[name]:
            new[name], gives = returning(parts.module, stored.function, mutating[name])
            returns = gives if name == parts.entry else returns
    result = _replaced(tree, new)
    parts.module.tree = result
    seen = {label.partition("[")[0] for label in parts.observed.mutated}
    # a generator goes on in the wrapper
    unexplained = (
        seen - set(mutating[parts.entry]) - (set(parts.arguments) - set(name_tools.parameters(functions[parts.entry])))
    )
    if unexplained:
        name = sorted(unexplained)[0]
        raise Unsupported(
            f"the argument `{name}` was changed by the call, and no statement that does it was found; return the "
            "new array instead",
            parts.module.line(functions[parts.entry]),
            "JX-ARGMUT",
        )
    return result, mutating, returns


def _lowered(
    parts: _Parts, tree: cst.Module, facts: dict[str, dict[str, list[Assigned]]]
) -> tuple[cst.Module, set[str]]:
    forms: set[str] = set()
    new: dict[str, cst.FunctionDef] = {}
    functions = _functions(tree)
    tracing = _tracing(parts, tree)
    for name, function in functions.items():
        control = Control(
            parts.module, tracing[name], facts.get(name, {}), tuple(functions), parts.exits, parts.stepwise
        )
        new[name] = control.function(function)
        forms |= control.forms
        if name == parts.entry:
            parts.lists = control.steps.returned | parts.tables
        elif control.steps.returned:
            raise Unsupported(
                f"`{name}` returns a list, which compiled code cannot; return np.array(...)", None, "JX-LEAK"
            )
    return _replaced(tree, new), forms


def _finished(
    parts: _Parts, tree: cst.Module, signature: cst.Parameters, written: tuple[str, ...], returns: Returns,
    checks: list[Any], forms: set[str],
) -> Draft:  # fmt: skip
    workload, module, entry = parts.workload, parts.module, parts.entry
    imports = Imports(module, _OFFERS, workload.needs)
    decide = _Decide(parts, _tracing(parts, tree))
    tree = imports.replace(tree, decide, ("numpy", "scipy", "jax"))
    function = _functions(tree)[entry]
    static = tuple(p for p in name_tools.parameters(function) if p in parts.static)
    jit = imports.code("jax.jit")
    decorator = jit
    if static:
        names = ", ".join(f'"{s}"' for s in static)
        decorator = (
            f"{imports.code('functools.partial')}({jit}, static_argnames=({names}{',' if len(static) == 1 else ''}))"
        )
    config = f"{imports.code('jax')}{_X64[3:]}"
    after = [config]
    for name in workload.needs:
        if _is_array(workload.constants.get(name)) and name in name_tools.loads(tree):
            after.append(f"{name} = {imports.code('jax.numpy')}.asarray({name})  # expected in the namespace")
    function = function.with_changes(leading_lines=_two_blank(function))
    decorated = function.with_changes(decorators=[cst.Decorator(cst.parse_expression(decorator))])
    given = _given_back(parts, function, written)
    grown = parts.grown
    if grown is not None and (given or parts.own is not None or returns.parameter is not None):
        raise Unsupported("the function returns a list that grows and an array that it was given; copy the array", None)
    if parts.raised and (written or given or grown is not None or parts.own is not None):
        line = module.line(small(parts.raised[0].statement))
        raise Unsupported(
            f"line {line}: whether this raises depends on array values, and the function gives back a list or an "
            "argument besides; check before the call, or return new arrays",
            line,
            "JX-RAISE",
        )
    points = f"{imports.code('jax.numpy')}.array([ord(one) for one in {{0}}], dtype={imports.code('jax.numpy')}.int32)"
    checks = [*checks, *(made(f"{name} = {points.format(name)}") for name in parts.coded)]
    if written or checks or parts.draws or given or grown is not None or parts.raised:
        core = name_tools.fresh(f"_{entry}", name_tools.all_names(tree))
        inner = decorated.with_changes(name=cst.Name(core))
        outer = wrapper(
            function, core, written, returns, checks, parts.draws, given, parts.own, grown, imports.code("jax"),
            parts.raised,
        ).with_changes(params=signature, decorators=[], leading_lines=[cst.EmptyLine(indent=False)] * 2)
        inner = with_body(inner, _without_docstring(statements(inner)))
        position = next(i for i, s in enumerate(tree.body) if isinstance(s, cst.FunctionDef) and s.name.value == entry)
        body = list(tree.body)
        body[position : position + 1] = [inner, outer]
        tree = tree.with_changes(body=body)
    else:
        tree = _replaced(tree, {entry: decorated})
    tree, bindings = imports.write(tree, after)
    text = Module.finish(tree, module.source)
    lowered = next((form for form in ("while_loop", "fori_loop", "scan", "vmap") if form in forms), None)
    form = lowered or ("unrolled" if "unrolled" in forms else "array")
    labels = [label for label in workload.argument_names if label.partition("[")[0] in written]
    notes = [f"`{s}` is a static argument: each new value is compiled anew" for s in static if _varies(parts, s)]
    if parts.draws:
        notes.append(
            "NumPy draws the random numbers before the compiled part, so that they are the same; drawn with jax.random "
            "they would be others, and drawn on the device"
        )
    if parts.asserts:
        shown = ", ".join(str(line) for line in parts.asserts)
        notes.append(f"compiled code cannot assert what depends on array values: line {shown} is left out")
    if grown is not None and grown.room:
        notes.append(
            f"lists that grow are arrays of `{grown.room}` elements: where one grows beyond, all is compiled and "
            "computed again with twice as many"
        )
    if "written out" in forms:
        notes.append("the loop is written out while tracing: compile time grows with its trip count")
    return LoweredDraft(
        variant="jax",
        backend="jax",
        mode="jit",
        form=form,
        module=text,
        entry=entry,
        static=static,
        names=bindings,
        needs=tuple(n for n in workload.needs),
        written=tuple(labels),
        notes=tuple(notes),
        written_out=parts.written_out,
        stepwise=parts.stepwise,
        counted=parts.counted,
    )


def _given_back(parts: _Parts, function: cst.FunctionDef, written: tuple[str, ...]) -> GivenBack | None:
    """Returns what the wrapper makes of the core's results where some are lists for the user, None where none is."""
    if not parts.lists:
        return None
    last = small(statements(function)[-1])
    if written or not isinstance(last, cst.Return) or last.value is None or len(returns_of(function)) != 1:
        line = parts.module.line(function)
        raise Unsupported(
            f"line {line}: a list that grows in a loop is returned; return an array instead, as in np.array(...)",
            line,
            "JX-LEAK",
        )
    values = [e.value for e in last.value.elements] if isinstance(last.value, cst.Tuple) else [last.value]
    kinds = Kinds(parts.module, function, parts.arguments)
    names = [value.value if isinstance(value, cst.Name) else f"result_{k}" for k, value in enumerate(values)]
    shown = [_as_lists(value, name, parts.lists, kinds) for value, name in zip(values, names, strict=True)]
    return GivenBack(tuple(names), ", ".join(shown))


def _as_lists(value: cst.BaseExpression, access: str, lists: set[str], kinds: Kinds) -> str:
    """Returns the expression for a part of the result, of which ``access`` is the core's, with lists for arrays."""
    if isinstance(value, cst.Dict):
        pairs = [(code(e.key), e.value) for e in value.elements if isinstance(e, cst.DictElement)]
        inner = (f"{key}: {_as_lists(part, f'{access}[{key}]', lists, kinds)}" for key, part in pairs)
        return "{" + ", ".join(inner) + "}"
    if not isinstance(value, cst.Name) or value.value not in lists:
        return access
    facts = [i for f in kinds.names.get(value.value, []) if f.kind == "list" for i in f.items]
    plain = all(i.kind in ("int", "float", "bool", "complex") or i.dtype in ("float64", "int64") for i in facts)
    numbers = plain and not any(i.kind == "array" for i in facts)
    return f"{access}.tolist()" if numbers else f"list({access})"


def _two_blank(function: cst.FunctionDef) -> list[cst.EmptyLine]:
    """Returns the comments above a function, with two blank lines before them."""
    lines = list(function.leading_lines)
    while lines and lines[0].comment is None:
        lines.pop(0)
    return [cst.EmptyLine(indent=False), cst.EmptyLine(indent=False), *lines]


def _varies(parts: _Parts, name: str) -> bool:
    fact = parts.arguments.get(name)
    return fact is not None and fact.kind in ("float", "int", "complex", "scalar")


def _without_docstring(body: tuple[Any, ...]) -> list[Any]:
    first = body[0].body[0] if isinstance(body[0], cst.SimpleStatementLine) else None
    if (
        len(body) > 1
        and isinstance(first, cst.Expr)
        and isinstance(first.value, cst.SimpleString | cst.ConcatenatedString)
    ):
        return list(body[1:])
    return list(body)


class _Decide:
    """Says what becomes of each use of NumPy and SciPy."""

    def __init__(self, parts: _Parts, tracing: dict[str, Tracing]) -> None:
        self.parts = parts
        self.tracing = tracing

    def __call__(self, use: Use) -> str | cst.BaseExpression | None:
        path = use.path
        if path.startswith("jax"):
            return path
        name = path.removeprefix("numpy.")
        if name in known_functions.CONSTANTS:
            return f"jax.{path}"
        tracing = self.tracing.get(self.parts.lines.get(loop_line(self.parts.module, use.node), ""))
        if use.call is not None and tracing is not None:
            given = any(tracing.expression(a.value) for a in use.call.args)
            if not given:
                fact = tracing.kinds.of(use.call)
                if fact is not None and fact.kind in ("scalar", "int", "float", "bool", "tuple") and path not in _TYPES:
                    return None
            elif path in known_functions.DATA_DEPENDENT or (path == "numpy.where" and len(use.call.args) == 1):
                raise Unsupported(
                    f"line {use.line}: the shape of what `{code(use.call)}` gives depends on values, which JAX cannot "
                    "compile; keep the full shape with np.where(condition, x, y), or reduce at once",
                    use.line,
                    "JX-BOOLMASK",
                )
        elif use.call is not None and loop_line(self.parts.module, use.node) and tracing is None:
            return known_functions.PATHS.get(path)  # module level
        known = known_functions.PATHS.get(path)
        if known is not None:
            return known
        if path in ("numpy", "scipy"):
            return "jax.numpy" if path == "numpy" else None
        if path.startswith("numpy.") and use.call is None and name in ("linalg", "fft"):
            return f"jax.{path}"
        if use.call is not None and tracing is not None and not any(tracing.expression(a.value) for a in use.call.args):
            return None
        raise Unsupported(
            f"line {use.line}: JAX has no counterpart of `{path}`; write it with functions that it has, or leave "
            "this part in "
            "NumPy outside the function",
            use.line,
            "JX-NPCALL",
        )


_TYPES = frozenset(f"numpy.{n}" for n in ("float32", "float64", "int32", "int64", "complex64", "complex128"))
