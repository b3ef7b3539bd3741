"""The backends of kernels: `numba-cuda` in Python, `cuda-python` in CUDA C++; written where there is no GPU too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jitmagic.backends.cuda import cxx_source, numba_source, presence
from jitmagic.backends.cuda.program import Program
from jitmagic.backends.numba.backend import NumbaBackend
from jitmagic.backends.protocol import Availability, Draft, Failure, VariantRefusal
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal, Unsupported
from jitmagic.observe.facts import Observation


def program_of(workload: Workload, observed: Observation) -> Program:
    """Returns the loops of a workload as kernels; raises Unsupported."""
    draft = NumbaBackend().loops(workload, observed)
    if isinstance(draft, Refusal):
        raise Unsupported(draft.reason, draft.line, draft.code)
    return Program(draft, observed, workload.constants)


class NumbaCudaBackend:
    """Offers the variant ``numba-cuda``: a kernel for each loop that Numba's parallel variant runs in threads."""

    name = "numba-cuda"
    title = "Numba CUDA"
    presence = "jitmagic.backends.cuda.presence:find_numba"
    runtime = "jitmagic.backends.cuda.runtime:NumbaCudaRuntime"

    def availability(self) -> Availability:
        """Finds Numba's CUDA target by its metadata, and an NVIDIA driver by its files; imports nothing."""
        return presence.find_numba()

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns what keeps Numba from warning of small grids, into a worker's output."""
        return {"NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS": "0"}

    def drafts(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Writes the variant, or says why not."""
        try:
            return (numba_source.write(program_of(workload, observed)),)
        except Unsupported as error:
            return (VariantRefusal("numba-cuda", self.name, "cuda", error.refusal),)

    def revise(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        """Answers a failure with its reason: there is no other form."""
        return _explained(draft, failure, self.title)


class CudaPythonBackend:
    """Offers the variant ``cuda-python``: the same kernels in CUDA C++, compiled by NVRTC when they are first run."""

    name = "cuda-python"
    title = "CUDA Python"
    presence = "jitmagic.backends.cuda.presence:find_python"
    runtime = "jitmagic.backends.cuda.runtime:CudaPythonRuntime"

    def availability(self) -> Availability:
        """Finds CUDA Python by its metadata, and an NVIDIA driver by its files; imports nothing."""
        return presence.find_python()

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns nothing: the user's CUDA_VISIBLE_DEVICES holds."""
        return {}

    def drafts(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Writes the variant, or says why not."""
        try:
            return (cxx_source.write(program_of(workload, observed)),)
        except Unsupported as error:
            return (VariantRefusal("cuda-python", self.name, "c++", error.refusal),)

    def revise(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        """Answers a failure with its reason: there is no other form."""
        return _explained(draft, failure, self.title)


def _explained(draft: Draft, failure: Failure, title: str) -> Refusal:
    line = draft.module.origin_line(failure.line)
    at = f"line {line}: " if line is not None else ""
    if failure.stage == "verify":
        return Refusal(f"{at}it gives another result: {failure.message}", line)
    lines = [one.strip() for one in failure.message.strip().splitlines() if one.strip()]
    return Refusal(f"{at}{title} does not take it: {failure.type}: {lines[-1] if lines else 'no message'}"[:600], line)
