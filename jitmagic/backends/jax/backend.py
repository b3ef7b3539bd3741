"""The JAX backend in the user's process: writes source, imports no JAX."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace

from jitmagic.backends.jax import derivatives, ladder, presence, sharding
from jitmagic.backends.jax.list_sites import lines_of_growing_lists
from jitmagic.backends.jax.partial import PartialDraft, partly
from jitmagic.backends.jax.unrolling import more_written_out, short_by_shape
from jitmagic.backends.jax.writer import LoweredDraft, write
from jitmagic.backends.protocol import Availability, Draft, Failure, VariantRefusal
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal, Unsupported
from jitmagic.generate.kinds import Kinds, argument_facts
from jitmagic.generate.module import Module
from jitmagic.observe.facts import Observation, ValueFact
from jitmagic.transforms.draft import TransformedDraft
from jitmagic.transforms.transform import Transform


class JaxBackend:
    """Writes the variant ``jax``: ``jax.jit`` around the function in ``jax.numpy``, with ``lax`` loops.

    Where loops over whole arrays are short by the shape of an argument, ``jax-unrolled`` has them written out. Where
    there are several devices and the result has the rows of arguments, ``jax-sharded`` spreads these over them.
    """

    name = "jax"
    title = "JAX"
    presence = "jitmagic.backends.jax.presence:find"
    runtime = "jitmagic.backends.jax.runtime:JaxRuntime"

    def compiles_by_shape(self, mode: str) -> bool:
        """Says that XLA compiles for each shape."""
        return True

    def copies_arguments(self, mode: str) -> bool:
        """Says that JAX's arrays are copies of NumPy's, on the CPU too."""
        return True

    def devices(self, kind: str, there: int) -> int:
        """Returns how many devices one call can use: all; the CPU is several where JAX was told so."""
        return sharding.cpu_devices() if kind == "cpu" else there

    def spread(
        self, workload: Workload, observed: Observation, made: Sequence[Draft | VariantRefusal]
    ) -> Draft | None:
        """Writes ``jax-sharded`` around the first variant, where that has rows to spread."""
        return sharding.sharded(workload, observed, made[0]) if made and isinstance(made[0], Draft) else None

    def differentiates(self, draft: Draft) -> bool:
        """Says that JAX does, but for what goes through NumPy on its way."""
        return draft.form != "partial"

    def availability(self) -> Availability:
        """Finds whether JAX is installed, from its metadata alone."""
        return presence.find()

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns the variables for a worker: 64 bits, no preallocation, only the device's platform, no chatter."""
        platform = device.partition(":")[0]
        return {
            "JAX_ENABLE_X64": "1",
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            # the CPU comes along with an accelerator: small host computations run there
            "JAX_PLATFORMS": {"cpu": "cpu", "cuda": "cuda,cpu", "tpu": "tpu,cpu", "rocm": "rocm,cpu"}.get(
                platform, platform
            ),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }

    def drafts(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Writes the first draft of each variant, or the reason why not."""
        draft = _written(workload, observed, ())
        if isinstance(draft, Refusal):
            draft = partly(workload, observed, draft, _written)
        if isinstance(draft, Refusal):
            return [VariantRefusal("jax", "jax", "jit", draft)]
        other = _unrolled(workload, observed, draft)
        return [draft] if other is None else [draft, other]

    def transformed(
        self, asked: Transform, workload: Workload, observed: Observation
    ) -> Sequence[Draft | VariantRefusal]:
        """Writes the variants of a derivative, or of a batch, around the function's first variant."""
        return derivatives.drafts(asked, workload, self.drafts(workload, observed))

    def revise(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        """Answers a failed check: one more static argument, a loop written out, only parts compiled, or the reason."""
        if isinstance(draft, TransformedDraft):
            return derivatives.revise(
                workload,
                draft,
                failure,
                lambda inner, why: self.revise(workload, observed, inner, why),
                lambda inner: _with_constants(workload, observed, inner),
            )
        if isinstance(draft, sharding.ShardedDraft):
            return self._spread(workload, observed, draft, failure)
        if draft.mode == "unrolled":
            module = Module.of(workload, observed)
            found = ladder.answer(draft, failure, argument_facts(observed, module.function(workload.function.name)))
            return found if isinstance(found, Refusal) else Refusal(f"`{found.names[0]}` would have to be static")
        if isinstance(draft, PartialDraft):
            return _fewer_parts(workload, observed, draft, failure)
        answer = self._whole(workload, observed, draft, failure)
        if isinstance(answer, Refusal) and failure.stage in ("load", "check"):
            return partly(workload, observed, answer, _written)
        return answer

    def _spread(
        self, workload: Workload, observed: Observation, draft: sharding.ShardedDraft, failure: Failure
    ) -> Draft | Refusal:
        if draft.inner is None or {"IndivisibleError", "RowsSent"} & {*failure.classes}:
            return sharding.answer(draft, failure)
        # what stands against the function itself is answered as for one device
        inner = self.revise(workload, observed, draft.inner, failure)
        return inner if isinstance(inner, Refusal) else sharding.again(workload, observed, inner)

    def _whole(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        module = Module.of(workload, observed)
        arguments = argument_facts(observed, module.function(workload.function.name))
        found = ladder.answer(draft, failure, arguments)
        written_out = draft.written_out if isinstance(draft, LoweredDraft) else frozenset[int]()
        stepwise = isinstance(draft, LoweredDraft) and draft.stepwise
        counted = isinstance(draft, LoweredDraft) and draft.counted
        if not isinstance(found, Refusal):
            return _written(workload, observed, (*draft.static, *found.names), written_out, stepwise, counted)
        if not stepwise and failure.stage in ("load", "check"):
            # a form over whole arrays that JAX does not take: step by step it may
            other = _written(workload, observed, draft.static, written_out, True, counted)
            if isinstance(other, Draft) and other.module != draft.module:
                return other
        if not counted and failure.stage in ("load", "check") and lines_of_growing_lists(module):
            other = _tried(workload, observed, draft.static, written_out, stepwise, True)
            if isinstance(other, Draft):
                return other
        more = more_written_out(module, found.line, written_out)
        if more == written_out or failure.stage not in ("load", "check"):
            return found
        renewed = _written(workload, observed, draft.static, more, stepwise, counted)
        return found if isinstance(renewed, Refusal) else renewed


def _with_constants(workload: Workload, observed: Observation, draft: Draft) -> Draft | Refusal | None:
    """Writes a draft anew with all whole numbers among the arguments as constants; None where they are already."""
    module = Module.of(workload, observed)
    arguments = argument_facts(observed, module.function(workload.function.name))
    numbers = tuple(name for name, fact in arguments.items() if fact.kind == "int" and name not in draft.static)
    if not numbers or not isinstance(draft, LoweredDraft):
        return None
    static = (*draft.static, *numbers)
    return _written(workload, observed, static, draft.written_out, draft.stepwise, draft.counted)


def _unrolled(workload: Workload, observed: Observation, draft: Draft) -> Draft | None:
    """Writes the variant in which short loops over whole arrays are written out, None where there are none."""
    if not isinstance(draft, LoweredDraft):
        return None
    module = Module.of(workload, observed)
    lines = short_by_shape(module, module.function(workload.function.name)) - draft.written_out
    if not lines:
        return None
    other = _written(workload, observed, draft.static, draft.written_out | lines, draft.stepwise)
    if isinstance(other, Refusal) or other.module.text == draft.module.text:
        return None
    return replace(other, variant="jax-unrolled", mode="unrolled")


def _fewer_parts(workload: Workload, observed: Observation, draft: PartialDraft, failure: Failure) -> Draft | Refusal:
    """Leaves one more line to NumPy, or makes one more name static."""
    numbers = _whole_numbers(workload, observed, draft)
    found = ladder.answer(draft, failure, numbers)
    why = draft.refusal or Refusal("JAX refused")
    if isinstance(found, ladder.Static):
        fixed = tuple(dict.fromkeys((*draft.fixed, *found.names)))
        if fixed != draft.fixed:
            return partly(workload, observed, why, _written, draft.left, fixed)
        # constants do not help: the line stays in NumPy
        found = ladder.answer(draft, failure, {})
        if isinstance(found, ladder.Static):
            return Refusal(f"JAX raised {failure.type}: {failure.message[:200]}")
    if found.line is None or found.line in draft.left or failure.stage == "verify":
        return found
    return partly(workload, observed, why, _written, draft.left | {found.line}, draft.fixed)


def _whole_numbers(workload: Workload, observed: Observation, draft: Draft) -> dict[str, ValueFact]:
    """Returns those parameters of a draft's functions that were whole numbers, which may become constants."""
    tree = ast.parse(draft.module.text)
    given = {a.arg for f in tree.body if isinstance(f, ast.FunctionDef) for a in (*f.args.args, *f.args.kwonlyargs)}
    module = Module.of(workload, observed)
    function = module.function(workload.function.name)
    names = Kinds(module, function, argument_facts(observed, function)).names
    return {n: ValueFact("int") for n in sorted(given) if names.get(n) and all(f.kind == "int" for f in names[n])}


def _written(
    workload: Workload, observed: Observation, static: Sequence[str], written_out: frozenset[int] = frozenset(),
    stepwise: bool = False, counted: bool = False,
) -> Draft | Refusal:  # fmt: skip
    """Writes a draft with as few loops written out as can be, or returns why the first could not be written.

    Lists that grow as values decide are arrays with a count then, where nothing else helps.
    """
    lists = frozenset[int]() if counted else lines_of_growing_lists(Module.of(workload, observed))
    if not lists:
        return _tried(workload, observed, static, written_out, stepwise, counted)
    # before loops are written out that were short in the example only
    for one in (False, True):
        answer = _tried(workload, observed, static, written_out, stepwise, one, False)
        if isinstance(answer, Draft):
            return answer
    plain = _tried(workload, observed, static, written_out, stepwise, False)
    # what stands against the lists is answered; what stands against the rest is not
    return plain if isinstance(plain, Draft) or plain.line not in lists else answer


def _tried(
    workload: Workload, observed: Observation, static: Sequence[str], written_out: frozenset[int], stepwise: bool,
    counted: bool, more_loops: bool = True,
) -> Draft | Refusal:  # fmt: skip
    """Writes a draft in one way; where ``more_loops`` says so, with more and more loops written out."""
    first: Refusal | None = None
    while True:
        try:
            return write(workload, observed, static, written_out, stepwise, counted)
        except Unsupported as error:
            first = first or _in_their_names(error.refusal, workload)
            more = more_written_out(Module.of(workload, observed), error.refusal.line, written_out)
            if more == written_out or not more_loops:
                return first
            written_out = more
        except Exception as error:
            if not stepwise:
                stepwise = True
                continue
            # one variant less, and a bug to be told of; the comparison goes on with the other variants
            return first or Refusal(
                f"the rewriting to JAX met code that it does not know ({type(error).__name__}: "
                f"{' '.join(str(error).split())[:200]}); "
                "please report the function"
            )


def _in_their_names(refusal: Refusal, workload: Workload) -> Refusal:
    """Words a refusal with the user's name for NumPy, for which rewrites may have put a mark."""
    numpy = next((name for name, path in workload.names.items() if path == "numpy"), "np")
    return replace(refusal, reason=refusal.reason.replace("__numpy__", numpy).replace("__jax__", "jax"))
