"""The Numba backend: the variants ``numba`` and ``numba-parallel``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from jitmagic.analysis.loops import LoopClass, classify
from jitmagic.backends.numba import batches, checks, messages, presence, writer
from jitmagic.backends.numba.draft import Choices, NumbaDraft
from jitmagic.backends.numba.rewrites.parallel import chosen
from jitmagic.backends.protocol import Availability, Draft, Failure, VariantRefusal
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal, Unsupported
from jitmagic.observe.facts import Observation
from jitmagic.transforms.draft import TransformedDraft
from jitmagic.transforms.transform import Transform

_FIRST = Choices()


class NumbaBackend:
    """Offers a serial variant, and a parallel one where something was proved independent."""

    name = "numba"
    title = "Numba"
    presence = "jitmagic.backends.numba.presence:find"
    runtime = "jitmagic.backends.numba.runtime:NumbaRuntime"

    def checks_bounds(self, mode: str) -> bool:
        """Says that the runtime has ``load_checked``."""
        return True

    def availability(self) -> Availability:
        """Finds Numba by its metadata."""
        return presence.find()

    def threaded(self, mode: str) -> bool:
        """Says whether a mode has threads of its own."""
        return mode == "parallel"

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns nothing: the user's NUMBA_NUM_THREADS and the like hold."""
        return {}

    def drafts(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Writes both variants, or says why not."""
        refused = checks.refusal(workload, observed)
        if refused is not None:
            return tuple(
                VariantRefusal(variant, "numba", mode, refused)
                for variant, mode in (("numba", "serial"), ("numba-parallel", "parallel"))
            )
        return self._serial(workload, observed), self._parallel(workload, observed)

    def transformed(
        self, asked: Transform, workload: Workload, observed: Observation
    ) -> Sequence[Draft | VariantRefusal]:
        """Writes loops over a batch; nothing for derivatives, which Numba has none of."""
        if asked.derives:
            return ()
        # a loop over the batch calls the core, around which there may be no plain function
        refused = checks.refusal(workload, observed)
        inner: Draft | VariantRefusal
        if refused is not None:
            inner = VariantRefusal("numba", "numba", "serial", refused)
        else:
            inner = self._serial(workload, observed, replace(_FIRST, short=False))
        return batches.drafts(asked, workload, observed, inner)

    def loops(self, workload: Workload, observed: Observation) -> Draft | Refusal:
        """Writes the parallel variant with a loop for every array expression, as kernels for a GPU begin."""
        refused = checks.refusal(workload, observed)
        if refused is not None:
            return refused
        made = self._parallel(workload, observed, how=replace(_FIRST, every=True, native=False))
        return made if isinstance(made, Draft) else made.refusal

    def _serial(self, workload: Workload, observed: Observation, how: Choices = _FIRST) -> Draft | VariantRefusal:
        try:
            return writer.write(workload, observed, "numba", "serial", "njit", {}, frozenset(), how)
        except Unsupported as error:
            return VariantRefusal("numba", "numba", "serial", error.refusal)

    def _parallel(
        self, workload: Workload, observed: Observation, prange: bool = True, how: Choices = _FIRST
    ) -> Draft | VariantRefusal:
        refused = checks.kernel_refusal(workload) if how.every else None
        if refused is not None:
            return VariantRefusal("numba-parallel", "numba", "parallel", refused)
        loops = {
            function.name: classify(workload.module.text, function.name, workload.names, observed, elements=True)
            for function in (*workload.helpers, workload.function)
        }
        trips = {line: fact.trips_high for line, fact in observed.loops.items()}
        main = workload.function.name
        taken: dict[str, tuple[LoopClass, ...]] = {}
        if prange:
            called_in_loops = writer.called_in_loops(
                workload, {name: chosen(found, trips) for name, found in loops.items()}
            )
            for name, found in loops.items():
                if name == main or name not in called_in_loops:
                    # an array that all steps add to is a race between the threads of a GPU
                    some = tuple(one for one in found if not (how.every and any(r.array for r in one.reductions)))
                    taken[name] = chosen(some, trips) if len(some) == len(found) else _alone(some, trips)
        array = writer.has_array_expressions(workload, observed, main)
        functions = frozenset(name for name, found in taken.items() if found) | ({main} if array else frozenset())
        if not functions:
            return VariantRefusal("numba-parallel", "numba", "parallel", _nothing_parallel(workload, loops))
        form = "prange" if any(taken.values()) else "array"
        try:
            return writer.write(workload, observed, "numba-parallel", "parallel", form, taken, functions, how)
        except Unsupported as error:
            if form == "prange" and array:
                return self._parallel(workload, observed, False, how)
            return VariantRefusal("numba-parallel", "numba", "parallel", error.refusal)

    def revise(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        """Leaves to NumPy what Numba does not take, then does without loops for array expressions, else explains."""
        if isinstance(draft, TransformedDraft):
            return batches.revise(
                workload, observed, draft, failure, lambda inner, why: self.revise(workload, observed, inner, why)
            )
        if isinstance(draft, NumbaDraft):
            for how in _next_choices(draft, failure, workload):
                again = (
                    self._serial(workload, observed, how)
                    if draft.mode == "serial"
                    else self._parallel(workload, observed, draft.form == "prange", how)
                )
                if isinstance(again, Draft):
                    return again
        if draft.form == "prange" and failure.stage in ("load", "check", "run"):
            answer = self._parallel(workload, observed, prange=False)
            if isinstance(answer, Draft):
                return answer
        reason = messages.explain(draft, failure, workload)
        if draft.mode == "parallel" and failure.stage == "verify":
            return replace(reason, reason=f"run in parallel the function gives another result: {failure.message}")
        return reason


def _alone(loops: tuple[LoopClass, ...], trips: dict[int, int]) -> tuple[LoopClass, ...]:
    """Chooses of loops some of which were left out, so that their places are others: those that stand in no loop."""
    return chosen(tuple(loop for loop in loops if loop.depth == 0), trips)


def _next_choices(draft: NumbaDraft, failure: Failure, workload: Workload) -> list[Choices]:
    """Returns what to try next on one rung, the best first."""
    how = draft.choices
    found: list[Choices] = []
    if draft.undecided and "unify" in failure.message:
        found.append(replace(how, decided=True))
    if draft.native and failure.type.startswith("numba.") and how.native:
        found.append(replace(how, native=False))
    more = messages.refused_calls(draft, failure, workload) - how.outside
    if more:
        found.append(replace(how, outside=how.outside | more))
    if draft.inlined and how.inline and "inline" in failure.message:
        found.append(replace(how, inline=False))
    if draft.merged and how.merge and failure.type.startswith("numba."):
        # in one function a name has one type
        found.append(replace(how, merge=False))
    if draft.nested and how.nests:
        found.append(replace(how, nests=False))
    if draft.fused and how.fuse:
        found.append(replace(how, fuse=False))
    inside = failure.type.endswith("AssertionError") or "closure" in failure.message
    if inside and how.lift and not how.lift_all:
        # Numba puts an inner function's body in the place of its call, and trips over some
        found.insert(0, replace(how, lift_all=True))
    if draft.shortened and how.short and failure.type.startswith("numba."):
        found.append(replace(how, short=False))
    if draft.lifted and how.lift and failure.type.startswith("numba."):
        found.append(replace(how, lift=False))
    if draft.undecided and failure.type.startswith("numba."):
        found.append(replace(how, decided=True))
    return found


def _nothing_parallel(workload: Workload, loops: Mapping[str, Sequence[LoopClass]]) -> Refusal:
    """Says what stands in the way of the first loop, in the user's lines."""
    origin = workload.module.origin_line
    for name in (workload.function.name, *(helper.name for helper in workload.helpers)):
        for loop in loops[name]:
            if loop.blockers:
                blocker = loop.blockers[0]
                line = origin(blocker.span.line)
                at = origin(loop.span.line)
                return Refusal(
                    f"nothing to run in parallel: the loop of line {at} {blocker.reason} (line {line})", line
                )
    return Refusal(
        "nothing to run in parallel: there is neither a loop over independent steps nor arithmetic on arrays"
    )
