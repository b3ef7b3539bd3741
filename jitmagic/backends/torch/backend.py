"""The torch backend: torch eager, torch compiled, and torch's own tracing of the NumPy source. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from jitmagic.backends.protocol import Availability, Draft, Failure, VariantRefusal
from jitmagic.backends.torch import derivatives, presence, source, tracing
from jitmagic.backends.torch.failures import explain
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal, Unsupported
from jitmagic.observe.facts import Observation
from jitmagic.transforms.draft import TransformedDraft
from jitmagic.transforms.transform import Transform

WHOLE = "whole arrays"
"""The form in which map loops are whole-array statements; the next rung keeps them as loops."""


class TorchBackend:
    """Writes torch variants of a workload."""

    name = "torch"
    title = "PyTorch"
    presence = "jitmagic.backends.torch.presence:find"
    runtime = "jitmagic.backends.torch.runtime:TorchRuntime"

    def compiles_by_shape(self, mode: str) -> bool:
        """Says which modes torch.compile traces anew for other shapes."""
        return mode in ("compile", "numpy")

    def differentiates(self, draft: Draft) -> bool:
        """Says that torch does, but not where it takes NumPy's arrays and gives them back."""
        return draft.mode != "numpy"

    def runs_on(self, mode: str, kind: str) -> bool:
        """Says that torch's NumPy tracing is for the CPU: its arrays come from the host and go back in each call."""
        return kind == "cpu" or mode != "numpy"

    def availability(self) -> Availability:
        """Finds whether torch is installed, from its metadata alone."""
        return presence.find()

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns environment variables of the worker; operations that Metal lacks then run on the CPU."""
        return {"PYTORCH_ENABLE_MPS_FALLBACK": "1"} if device.startswith("mps") else {}

    def drafts(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Writes the drafts of `torch`, `torch-compile` and `torch-numpy`, or the reasons why not."""
        return [
            self._draft(workload, observed, "torch", "eager"),
            self._draft(workload, observed, "torch-compile", "compile"),
            self._draft(workload, observed, "torch-numpy", "numpy"),
        ]

    def transformed(
        self, asked: Transform, workload: Workload, observed: Observation
    ) -> Sequence[Draft | VariantRefusal]:
        """Writes the variants of a derivative, or of a batch, around the eager variant."""
        eager = self._draft(workload, observed, "torch", "eager")
        return derivatives.drafts(asked, workload, eager, self._draft(workload, observed, "torch-compile", "compile"))

    def revise(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        """Answers a failure: whole arrays by loops, symbolic shapes by fixed ones, else by the reason."""
        if isinstance(draft, TransformedDraft):
            return derivatives.revise(
                workload, draft, failure, lambda inner, why: self.revise(workload, observed, inner, why)
            )
        if draft.form == WHOLE:
            other = self._draft(workload, observed, draft.variant, draft.mode, vectorised=False)
            return other if isinstance(other, Draft) else other.refusal
        marked = "torch.compile(fullgraph=True)"
        symbolic = "ConstraintViolation" in failure.type or "symbolic_shapes" in failure.message
        if draft.mode != "eager" and symbolic and marked in draft.module.text:
            text = draft.module.text.replace(marked, "torch.compile(fullgraph=True, dynamic=False)")
            return replace(draft, form="fixed shapes", module=replace(draft.module, text=text))
        return explain(draft, failure)

    def _draft(
        self, workload: Workload, observed: Observation, variant: str, mode: str, vectorised: bool = True
    ) -> Draft | VariantRefusal:
        try:
            if mode == "numpy":
                traced = tracing.write(workload, observed)
                return Draft(
                    variant,
                    self.name,
                    mode,
                    "traced",
                    traced.module,
                    workload.function.name,
                    names=traced.names,
                    needs=workload.needs,
                    written=observed.mutated,
                    notes=("torch traces the NumPy source itself: NumPy arrays in and out, on the CPU",),
                )
            made = source.write(workload, observed, mode == "compile", vectorised)
            return Draft(
                variant,
                self.name,
                mode,
                WHOLE if made.vectorised else "array",
                made.module,
                workload.function.name,
                names=made.names,
                needs=workload.needs,
                written=made.written,
                notes=made.notes,
            )
        except Unsupported as error:
            if vectorised and mode != "numpy":
                return self._draft(workload, observed, variant, mode, vectorised=False)
            return VariantRefusal(variant, self.name, mode, error.refusal)
