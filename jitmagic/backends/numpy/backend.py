"""The NumPy backend: the user's module as it is, the baseline that every variant is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata

from jitmagic.backends.protocol import Availability, Draft, Failure, VariantRefusal
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal
from jitmagic.observe.facts import Observation
from jitmagic.transforms import broadcasting
from jitmagic.transforms.transform import Transform

BROADCAST = "numpy-broadcast"


class NumpyBackend:
    """Offers the one variant ``numpy``: the function unchanged; of a batch, one call without a loop."""

    name = "numpy"
    title = "NumPy"
    runtime = "jitmagic.backends.numpy.runtime:NumpyRuntime"

    def availability(self) -> Availability:
        """Returns NumPy's version; jitmagic itself needs it, so it is always there."""
        return Availability(True, {"numpy": metadata.version("numpy")})

    def threaded(self, mode: str) -> bool:
        """Says no: NumPy's own loops have one thread. BLAS, which has more, is seen in the source."""
        return False

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns nothing: the baseline runs as it would in the user's kernel."""
        return {}

    def drafts(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Returns the workload's own module as the one draft."""
        return (
            Draft(
                variant="numpy",
                backend="numpy",
                mode="baseline",
                form="original",
                module=workload.module,
                entry=workload.function.name,
                names=dict(workload.names),
                needs=workload.needs,
                written=observed.mutated,
            ),
        )

    def transformed(
        self, asked: Transform, workload: Workload, observed: Observation
    ) -> Sequence[Draft | VariantRefusal]:
        """Writes the one call that takes a whole batch, where broadcasting does; nothing for derivatives."""
        return broadcasting.drafts(asked, workload, observed, self.drafts, BROADCAST, "numpy")

    def revise(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        """Refuses: there is no other way to write the baseline, or the one call for a batch."""
        line = draft.module.origin_line(failure.line)
        if draft.variant == BROADCAST:
            return Refusal(f"NumPy cannot take the batch at once: {failure.type}: {failure.message}", line)
        return Refusal(f"the NumPy function itself failed: {failure.type}: {failure.message}", line)
