"""Writes one Numba draft: the rewrites in their order, then the decorators, the wrapper and the imports."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.loops import LoopClass
from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import SourceTree
from jitmagic.backends.numba.draft import Choices, NumbaDraft
from jitmagic.backends.numba.generators import arranged
from jitmagic.backends.numba.inlining import inlined
from jitmagic.backends.numba.merging import merged
from jitmagic.backends.numba.nests.regions import Regions
from jitmagic.backends.numba.rewrites.accumulations import Accumulations
from jitmagic.backends.numba.rewrites.along_axes import AlongAxes
from jitmagic.backends.numba.rewrites.bit_counts import BitCounts
from jitmagic.backends.numba.rewrites.broadcasting import Broadcasting
from jitmagic.backends.numba.rewrites.changing_lengths import ChangingLengths
from jitmagic.backends.numba.rewrites.columns import Columns
from jitmagic.backends.numba.rewrites.components import Components
from jitmagic.backends.numba.rewrites.context import Beyond, Context, NumbaRewriter
from jitmagic.backends.numba.rewrites.contiguity import Contiguity
from jitmagic.backends.numba.rewrites.counted_loops import with_counted_loops
from jitmagic.backends.numba.rewrites.decided import Decided
from jitmagic.backends.numba.rewrites.dict_arguments import without_dict_arguments
from jitmagic.backends.numba.rewrites.dicts import Dicts
from jitmagic.backends.numba.rewrites.empty_lists import EmptyLists
from jitmagic.backends.numba.rewrites.factorials import Factorials
from jitmagic.backends.numba.rewrites.folds import Folds
from jitmagic.backends.numba.rewrites.forwarding import Forwarding
from jitmagic.backends.numba.rewrites.frames import Frames
from jitmagic.backends.numba.rewrites.fused import Fused
from jitmagic.backends.numba.rewrites.generator_expressions import GeneratorLists, GeneratorLoops
from jitmagic.backends.numba.rewrites.grids import Grids
from jitmagic.backends.numba.rewrites.index_places import Places
from jitmagic.backends.numba.rewrites.keys import Keys
from jitmagic.backends.numba.rewrites.lifting import called_in_prange, lifted
from jitmagic.backends.numba.rewrites.listed import Listed
from jitmagic.backends.numba.rewrites.masks import Masks
from jitmagic.backends.numba.rewrites.number_calls import NumberCalls
from jitmagic.backends.numba.rewrites.offset_diagonals import OffsetDiagonals
from jitmagic.backends.numba.rewrites.outside import Outside, Supported
from jitmagic.backends.numba.rewrites.overlap import Overlap
from jitmagic.backends.numba.rewrites.pairs import Pairs
from jitmagic.backends.numba.rewrites.parallel import Parallel
from jitmagic.backends.numba.rewrites.placed_calls import PlacedCalls
from jitmagic.backends.numba.rewrites.plain_texts import PlainTexts
from jitmagic.backends.numba.rewrites.plain_views import PlainViews
from jitmagic.backends.numba.rewrites.promotion import Promotion
from jitmagic.backends.numba.rewrites.queues import Queues
from jitmagic.backends.numba.rewrites.ramps import Ramps
from jitmagic.backends.numba.rewrites.range_loops import RangeLoops
from jitmagic.backends.numba.rewrites.reductions import Reductions
from jitmagic.backends.numba.rewrites.removals import Removals
from jitmagic.backends.numba.rewrites.rolls import Rolls
from jitmagic.backends.numba.rewrites.rows import Rows
from jitmagic.backends.numba.rewrites.selects import Selects
from jitmagic.backends.numba.rewrites.short import Short
from jitmagic.backends.numba.rewrites.short_products import ShortProducts
from jitmagic.backends.numba.rewrites.small_matrices import SmallMatrices
from jitmagic.backends.numba.rewrites.special import Special
from jitmagic.backends.numba.rewrites.spelling import Spelling
from jitmagic.backends.numba.rewrites.starts import Starts
from jitmagic.backends.numba.rewrites.strict_zips import StrictZips
from jitmagic.backends.numba.rewrites.sweeps import Sweeps
from jitmagic.backends.numba.rewrites.tables import Tables
from jitmagic.backends.numba.rewrites.tolists import ToLists
from jitmagic.backends.numba.rewrites.tuple_loops import TupleLoops
from jitmagic.backends.numba.rewrites.turn_products import TurnProducts
from jitmagic.backends.numba.rewrites.turns import Turns
from jitmagic.backends.numba.rewrites.ufunc_methods import UfuncMethods
from jitmagic.backends.numba.rewrites.unpacking import Unpacking
from jitmagic.backends.numba.rewrites.view_stores import ViewStores
from jitmagic.backends.numba.rewrites.widening import Widening
from jitmagic.backends.numba.rewrites.wraparound import WrapAround
from jitmagic.backends.numba.short_axes import shortened
from jitmagic.backends.numba.threads import Threads
from jitmagic.backends.numba.wrapper import Wrapping, without_containers, wrapping
from jitmagic.capture.workload import Workload
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import normalised, with_body
from jitmagic.generate.closures import steady_closures
from jitmagic.generate.imports import Imports, Offer
from jitmagic.generate.kinds import by_function
from jitmagic.generate.masked_ufuncs import without_masked_ufuncs
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.nested_ranges import nested_products
from jitmagic.generate.optional import without_optional_tuples
from jitmagic.generate.powers import HalfPowers
from jitmagic.generate.records import without_records
from jitmagic.generate.vectorize_calls import without_vectorize
from jitmagic.generate.walking import Finder, Transformer
from jitmagic.generate.walruses import without_walruses
from jitmagic.observe.facts import Observation, Span, ValueFact


def write(
    workload: Workload,
    observed: Observation,
    variant: str,
    mode: str,
    form: str,
    loops: Mapping[str, Sequence[LoopClass]],
    parallel: frozenset[str],
    how: Choices,
) -> NumbaDraft:
    """Writes a draft.

    Parameters
    ----------
    workload, observed
    variant, mode, form : str
    loops : mapping of str to sequence of LoopClass
        The loops of each function that become `prange`.
    parallel : frozenset of str
        The functions to compile with ``parallel=True``.
    how : Choices
        Calls that turn out to have no form of their own are added to those made in Python.

    Raises
    ------
    Unsupported
        Where a form has no equal in Numba.
    """
    while True:
        try:
            return _write(workload, observed, variant, mode, form, loops, parallel, how)
        except _Serial:
            if not how.nests:
                raise
            how = replace(how, nests=False)  # as whole arrays there may be something for the threads
        except Beyond as found:
            looped = any(_within(found.place, loop.span) for several in loops.values() for loop in several)
            if found.place in how.outside or looped:
                raise
            how = replace(how, outside=how.outside | {found.place})


class _Serial(Unsupported):
    """The parallel variant has nothing left that runs in threads."""


def _aliases(module: Module) -> Aliases:
    """Returns what is known of the memory behind the names of the user's text."""
    tree = SourceTree(module.source.text, module.functions()[-1].name.value)
    observed = module.observed

    def seen(node: ast.AST) -> ValueFact | None:
        if observed is None or node not in tree.parents:
            return None
        return observed.expressions.get(tree.span(node))

    overlapping = observed.overlapping if observed is not None else ()
    return Aliases(tree, Names(tree, module.names), seen, overlapping, module.parts)


def _check_sums(module: Module, loops: Mapping[str, Sequence[LoopClass]], names: set[str]) -> None:
    """Refuses to run a loop in parallel that sums up in a name which was proved as a number, and is an array now."""
    for loop in (one for found in loops.values() for one in found):
        for reduction in loop.reductions:
            if reduction.name in names:
                line = module.source.origin_line(loop.span.line)
                raise Unsupported(
                    f"line {line}: the loop sums up arrays in `{reduction.name}`, which begins as a number: begin with "
                    "an array of zeros", line, "NB-UNIFY",
                )  # fmt: skip


def _within(inner: Span, outer: Span) -> bool:
    return outer.line <= inner.line and inner.end_line <= outer.end_line


def _write(
    workload: Workload, observed: Observation, variant: str, mode: str, form: str,
    loops: Mapping[str, Sequence[LoopClass]], parallel: frozenset[str], how: Choices,
) -> NumbaDraft:  # fmt: skip
    module = Module.of(workload, observed)
    name = workload.function.name
    signature = module.function(name).params
    counted = tuple(loop for found in loops.values() for loop in found if loop.counted is not None)
    tree = without_walruses(module, with_counted_loops(module, module.marked(), counted))
    drawn = arranged(module, tree, name, observed, bool(parallel), how.native)
    tree = without_vectorize(module, without_records(module, drawn.tree), name)
    tree = without_masked_ufuncs(module, tree, name)
    tree = nested_products(module, tree, by_function(module, tree, name))
    tree = without_optional_tuples(module, tree, by_function(module, tree, name))
    tree = steady_closures(module, tree, by_function(module, tree, name), columns=False)
    imports = _imports(module, workload)
    records = without_dict_arguments(module, tree, name, observed, imports)
    tree = records.tree
    context = Context(module, imports, bool(parallel), how.every, notes=list(drawn.notes))
    decided = Decided(context if how.decided else Context(module, imports))
    without = tree.visit(decided)
    if how.decided:
        tree = without
    starts = Starts(context, by_function(module, tree, name))
    tree = tree.visit(starts)
    _check_sums(module, loops, starts.names)
    tree = tree.visit(ToLists(context))
    tree = tree.visit(Outside(context, how.outside | drawn.outside))
    aliases = _aliases(module)
    if how.every:
        tree = tree.visit(PlainViews(context))
    elif how.nests:
        tree = tree.visit(Frames(context, aliases))
    rewrites: tuple[type[NumbaRewriter], ...] = (
        BitCounts, AlongAxes, Folds, Factorials, Queues, Removals, EmptyLists, PlainTexts, Unpacking, GeneratorLists,
        Keys, Dicts, Special, UfuncMethods, Grids, Places, Spelling, StrictZips,
    )  # fmt: skip
    for rewrite in rewrites:
        tree = tree.visit(rewrite(context))
    tree = tree.visit(RangeLoops(context))
    tree = tree.visit(Listed(context, aliases))
    tree = tree.visit(HalfPowers(module, by_function(module, tree, name), imports.code))
    every = tuple(loop for found in loops.values() for loop in found)
    spans = tuple(loop.span for loop in every)
    looked_up = False
    if how.every:
        tree = normalised(module, tree)
        tree = tree.visit(TupleLoops(context, spans, tree, workload.constants))
        tree = tree.visit(PlacedCalls(context, spans, tree, name))
        tree = tree.visit(NumberCalls(context, spans))
    if how.nests:
        tree = tree.visit(Pairs(context))
        if not how.every:
            tree = tree.visit(ShortProducts(context))
    if how.every:
        tree = tree.visit(Components(context, aliases, spans))
    if how.fuse:
        plain = tree
        tree = tree.visit(TurnProducts(context, spans))
        tree = tree.visit(Turns(context, spans))
        tree = tree.visit(Tables(context, spans))
        tree = tree.visit(Columns(context))
        tree = tree.visit(Sweeps(context, aliases, spans))
        looked_up = tree is not plain
    before = len(context.helpers)
    if how.nests:
        tree = tree.visit(Regions(context, aliases, spans))
    nested = len(context.helpers) > before
    before = len(context.helpers)
    whole = tree
    if how.fuse:
        tree = tree.visit(Short(context, aliases, spans))
    short = tree is not whole
    if how.fuse:
        if not how.every:
            tree = tree.visit(Ramps(context))
        tree = tree.visit(Forwarding(context, aliases, spans))
        tree = tree.visit(Fused(context, aliases, spans))
        if not how.every:
            tree = tree.visit(SmallMatrices(context))
    fused = looked_up or short or len(context.helpers) > before
    rewrites = (Accumulations, Rolls, Masks, Contiguity, Reductions, Promotion, Overlap)
    for rewrite in rewrites:
        tree = tree.visit(rewrite(context))
    if parallel:
        tree.visit(ChangingLengths(context, parallel))
        tree = tree.visit(Broadcasting(context, parallel, tuple(loop.span for loop in every)))
        tree = tree.visit(Widening(context, parallel))
        tree = tree.visit(ViewStores(context))
        tree = tree.visit(OffsetDiagonals(context))
    else:
        tree = tree.visit(WrapAround(context))
    tree = tree.visit(Rows(context))
    tree = tree.visit(Selects(context, spans))
    tree = tree.visit(Parallel(context, every))
    tree.visit(Supported(context))
    moved: dict[str, str] = {}
    if how.lift:
        tree, moved = lifted(module, tree, how.lift_all)
        parallel |= _parallel_ones(module, tree, moved, parallel)
    tree = tree.visit(GeneratorLoops(context))
    core = next(s for s in tree.body if isinstance(s, cst.FunctionDef) and s.name.value == name)
    returned = without_containers(module, core)
    if returned is not None:
        tree = tree.with_changes(body=[returned.function if s is core else s for s in tree.body])
        core = returned.function
    short_axes = shortened(tree, context, name, observed) if how.short and not how.every else None
    head: tuple[Any, ...] = (*drawn.head, *records.head)
    if short_axes is not None:
        tree = short_axes.tree
        head += short_axes.head(imports)
    further = tuple(short_axes.names.values()) if short_axes is not None else ()
    plan = wrapping(workload, observed, core, head, returned, further)
    if nested or fused:
        threaded = any("parallel=True" in source for source in context.helpers.values())
        kept = frozenset(one for one in parallel if _has_work(module, tree, one))
        if parallel and not kept and not threaded:
            raise _Serial(
                "nothing to run in parallel: its array arithmetic is too short for threads, or as loops has only steps "
                "that write to the same places"
            )
        parallel = kept
    called = dict(context.helpers)
    whole = tree
    if how.merge and not how.every:
        threads = Threads(module, module.function(name), called)
        made = merged(tree, name, context.helpers, context.own, name in parallel, threads.none)
        tree, context.helpers = made.tree, dict(made.helpers)
        parallel |= {name} if made.threaded else frozenset()
    is_merged = tree is not whole
    called = dict(context.helpers)
    if how.inline and not parallel and not how.every:
        context.helpers = inlined(tree, name, context.helpers)
    tree, entry = _decorate(tree, context, workload, parallel, frozenset(moved), plan, signature)
    tree = _with_helpers(tree, context)
    tree, bindings = imports.write(tree)
    tree = _merged_imports(tree)
    if workload.needs:
        tree = _with_needs(tree, workload.needs)
    return NumbaDraft(
        variant=variant,
        backend="numba",
        mode=mode,
        form=form,
        module=Module.finish(tree, workload.module),
        entry=entry,
        names=bindings,
        needs=workload.needs,
        written=observed.mutated,
        notes=tuple(context.notes),
        choices=how,
        native=drawn.native,
        nested=nested,
        fused=fused,
        lifted=bool(moved),
        shortened=short_axes is not None,
        inlined=context.helpers != called,
        merged=is_merged,
        undecided=decided.found and not how.decided,
    )


def _has_work(module: Module, tree: cst.Module, name: str) -> bool:
    """Says whether a function holds anything that `parallel=True` would run in threads."""
    function = next(s for s in tree.body if isinstance(s, cst.FunctionDef) and s.name.value == name)
    finder = _ArrayArithmetic(module)
    function.visit(finder)
    return finder.found or "prange" in name_tools.loads(function)


def _parallel_ones(
    module: Module, tree: cst.Module, moved: Mapping[str, str], parallel: frozenset[str]
) -> frozenset[str]:
    """Returns the lifted functions to compile with `parallel=True`: those of such a function that have work for it."""
    chosen = set(parallel)
    functions = {s.name.value: s for s in tree.body if isinstance(s, cst.FunctionDef)}
    serial = called_in_prange(tree, set(moved))
    for name, around in moved.items():
        finder = _ArrayArithmetic(module)
        functions[name].visit(finder)
        if around in chosen and name not in serial and (finder.found or "prange" in name_tools.loads(functions[name])):
            chosen.add(name)
    return frozenset(chosen)


def _imports(module: Module, workload: Workload) -> Imports:
    alias = next((name for name, path in workload.names.items() if path == "numpy"), "np")
    offers = [
        Offer("numpy", alias),
        Offer("numba.njit", "njit", member=True),
        Offer("numba.objmode", "objmode", member=True),
        Offer("numba.prange", "prange", member=True),
        Offer("numba.vectorize", "vectorize", member=True),
        Offer("numba.types", "types", member=True),
        Offer("numba.typed.Dict", "Dict", member=True),
        Offer("math", "math"),
        Offer("collections.namedtuple", "namedtuple", member=True),
    ]
    return Imports(module, offers, workload.needs)


def _decorate(
    tree: cst.Module,
    context: Context,
    workload: Workload,
    parallel: frozenset[str],
    moved: frozenset[str],
    plan: Wrapping,
    signature: cst.Parameters,
) -> tuple[cst.Module, str]:
    """Puts `@njit` over every function, and the plain wrapper below the core where one is needed."""
    njit = context.imports.code("numba.njit")
    name = workload.function.name
    core = name_tools.fresh(f"_{name}", name_tools.all_names(tree) | set(workload.needs)) if plan.needed else name
    ours = {name, *(helper.name for helper in workload.helpers)} | moved
    body: list[Any] = []
    for statement in tree.body:
        if not isinstance(statement, cst.FunctionDef) or statement.name.value not in ours:
            body.append(statement)
            continue
        options = 'parallel=True, error_model="numpy"' if statement.name.value in parallel else 'error_model="numpy"'
        decorator = cst.Decorator(cst.parse_expression(f"{njit}({options})"))
        changed = statement.with_changes(decorators=[decorator])
        if statement.name.value != name or not plan.needed:
            body.append(changed)
            continue
        renamed = changed.visit(_Renamed(name, core))
        assert isinstance(renamed, cst.FunctionDef)
        body.append(renamed.with_changes(params=plan.core_parameters(statement.params)))
        wrapper = cst.parse_statement(plan.source(core, context.imports))
        assert isinstance(wrapper, cst.FunctionDef)
        blank = cst.EmptyLine(indent=False)
        wrapper = with_body(wrapper, [*plan.head, *wrapper.body.body])
        body.append(wrapper.with_changes(params=signature, leading_lines=[blank, blank]))
    return tree.with_changes(body=body), name


class _Renamed(Transformer):
    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self.old, self.new = old, new

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        if original_node.name.value == self.old:
            return updated_node.with_changes(name=cst.Name(self.new))
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if isinstance(original_node.func, cst.Name) and original_node.func.value == self.old:
            return updated_node.with_changes(func=cst.Name(self.new))
        return updated_node


def _with_helpers(tree: cst.Module, context: Context) -> cst.Module:
    """Puts the emitted helpers before the first function."""
    if not context.helpers:
        return tree
    spelled = {f"@{name}": f"@{context.imports.code(f'numba.{name}')}" for name in ("njit",)}
    if any("@vectorize" in source for source in context.helpers.values()):
        spelled["@vectorize"] = f"@{context.imports.code('numba.vectorize')}"
    body = list(tree.body)
    first = next(k for k, statement in enumerate(body) if isinstance(statement, cst.FunctionDef))
    blank = cst.EmptyLine(indent=False)
    made: list[Any] = []
    for source in context.helpers.values():
        for plain, used in spelled.items():
            source = source.replace(plain, used)
        function = cst.parse_statement(source.strip() + "\n")
        assert isinstance(function, cst.FunctionDef)
        made.append(function.with_changes(leading_lines=[blank, blank]))
    follower = body[first]
    assert isinstance(follower, cst.FunctionDef)
    comments = [line for line in follower.leading_lines if line.comment is not None]
    body[first] = follower.with_changes(leading_lines=[blank, blank, *comments])
    return tree.with_changes(body=[*body[:first], *made, *body[first:]])


def _merged_imports(tree: cst.Module) -> cst.Module:
    """Joins `from numba import njit` and `from numba import prange` into one line."""
    ours = [
        statement
        for statement in tree.body
        if isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.ImportFrom)
        and isinstance(statement.body[0].module, cst.Name)
        and statement.body[0].module.value == "numba"
    ]
    if len(ours) < 2:
        return tree
    code = cst.Module([]).code_for_node
    named = [code(statement.body[0]).split(" import ", 1)[1] for statement in ours]
    joined = cst.parse_statement(f"from numba import {', '.join(sorted(named))}")
    joined = joined.with_changes(leading_lines=ours[0].leading_lines)
    body = [joined if s is ours[0] else s for s in tree.body if s is ours[0] or not any(s is o for o in ours)]
    return tree.with_changes(body=body)


def _with_needs(tree: cst.Module, needs: Sequence[str]) -> cst.Module:
    """Says above the first function which names the source expects."""
    names = ", ".join(needs)
    verb = "is" if len(needs) == 1 else "are"
    comment = cst.Comment(f"# {names} {verb} expected in this namespace; Numba freezes {names} when it first compiles.")
    body: list[Any] = list(tree.body)
    first = next(k for k, statement in enumerate(body) if isinstance(statement, cst.FunctionDef))
    blank = cst.EmptyLine(indent=False)
    mine = [line for line in body[first].leading_lines if line.comment is not None]
    body[first] = body[first].with_changes(
        leading_lines=[blank, cst.EmptyLine(indent=False, comment=comment), blank, blank, *mine]
    )
    return tree.with_changes(body=body)


def has_array_expressions(workload: Workload, observed: Observation, function: str) -> bool:
    """Says whether a function does arithmetic on whole arrays, which `parallel=True` fuses and runs in threads."""
    module = Module.of(workload, observed)
    finder = _ArrayArithmetic(module)
    module.function(function).visit(finder)
    return finder.found


class _ArrayArithmetic(Finder):
    def __init__(self, module: Module) -> None:
        super().__init__()
        self.module = module
        self.found = False

    def _look(self, node: cst.BaseExpression) -> None:
        fact = self.module.fact(node)
        if fact is not None and fact.kind == "array" and (fact.ndim or 0) > 0 and fact.dtype is not None:
            self.found = self.found or np.dtype(fact.dtype).kind in "biufc"

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        if not isinstance(node.operator, cst.MatrixMultiply):
            self._look(node)

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> None:
        self._look(node)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        self._look(node)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._look(node.target)
        self._look(node.value)

    def visit_Call(self, node: cst.Call) -> None:
        path = qualified(node.func, self.module.names)
        if path is not None and isinstance(getattr(np, path.removeprefix("numpy."), None), np.ufunc):
            self._look(node)
        elif path in ("numpy.sum", "numpy.mean", "numpy.prod") and len(node.args) == 1:
            self._double(node.args[0].value)
        elif path is None and isinstance(node.func, cst.Attribute) and not node.args and _is_total(node.func):
            self._double(node.func.value)

    def _double(self, node: cst.BaseExpression) -> None:
        fact = self.module.fact(node)
        if fact is not None and fact.kind == "array" and fact.dtype in ("float64", "complex128", "int64"):
            self.found = True


def _is_total(method: cst.Attribute) -> bool:
    return method.attr.value in ("sum", "mean", "prod")


def called_in_loops(workload: Workload, loops: Mapping[str, Sequence[LoopClass]]) -> frozenset[str]:
    """Returns the helpers that are called inside a loop that becomes `prange`: they stay serial."""
    tree = ast.parse(workload.module.text)
    inside: set[str] = set()
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for loop in loops.get(function.name, ()):
            for node in ast.walk(function):
                within = isinstance(node, ast.Call) and loop.span.line <= node.lineno <= loop.span.end_line
                if within and isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    inside.add(node.func.id)
    return frozenset(inside)
