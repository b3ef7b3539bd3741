"""The CuPy backend: the user's array code with CuPy's functions in NumPy's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jitmagic.backends.cupy import messages, presence, writer
from jitmagic.backends.protocol import Availability, Draft, Failure, VariantRefusal
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal, Unsupported
from jitmagic.observe.facts import Observation
from jitmagic.transforms import broadcasting
from jitmagic.transforms.transform import Transform


class CupyBackend:
    """Offers the variant ``cupy``; its source is written also where there is no GPU."""

    name = "cupy"
    title = "CuPy"
    presence = "jitmagic.backends.cupy.presence:find"
    runtime = "jitmagic.backends.cupy.runtime:CupyRuntime"

    def availability(self) -> Availability:
        """Finds CuPy by its metadata, and an NVIDIA driver by its files; imports nothing."""
        return presence.find()

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns nothing: the user's CUDA_VISIBLE_DEVICES holds."""
        return {}

    def drafts(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Writes the variant, or says why not."""
        try:
            return (writer.write(workload, observed),)
        except Unsupported:
            return self._by_loops(workload, observed)

    def _by_loops(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Writes the variant with the user's loops as they are, or says why not."""
        try:
            return (writer.write(workload, observed, vectorised=False),)
        except Unsupported as error:
            return (VariantRefusal("cupy", "cupy", "array", error.refusal),)

    def transformed(
        self, asked: Transform, workload: Workload, observed: Observation
    ) -> Sequence[Draft | VariantRefusal]:
        """Writes the one call that takes a whole batch, where broadcasting does; nothing for derivatives."""
        # a loop as a whole array has an axis of its own, which a batch's would meet
        return broadcasting.drafts(asked, workload, observed, self._by_loops, "cupy-broadcast", "cupy")

    def revise(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        """Answers a failure: whole arrays by loops, else by the reason."""
        if draft.form == writer.WHOLE:
            try:
                return writer.write(workload, observed, vectorised=False)
            except Unsupported as error:
                return error.refusal
        return messages.explain(draft, failure)
