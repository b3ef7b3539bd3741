"""The CuPy backend: the user's array code with CuPy's functions in NumPy's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from jitmagic.backends.cupy import messages, writer
from jitmagic.backends.protocol import Availability, Draft, Failure, VariantRefusal
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal, Unsupported
from jitmagic.observe.facts import Observation

_DISTRIBUTIONS = ("cupy", "cupy-cuda13x", "cupy-cuda12x", "cupy-cuda11x")


class CupyBackend:
    """Offers the variant ``cupy``; its source is written also where there is no GPU."""

    name = "cupy"
    title = "CuPy"
    runtime = "jitmagic.backends.cupy.runtime:CupyRuntime"

    def availability(self) -> Availability:
        """Finds CuPy by its metadata, and an NVIDIA driver by its files; imports nothing."""
        versions: dict[str, str] = {}
        for distribution in _DISTRIBUTIONS:
            try:
                versions[distribution] = metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
        if not versions:
            return Availability(False, {}, "CuPy is not installed", f'pip install "jitmagic[{_extra()}]"')
        if not _driver_loaded():
            return Availability(True, versions, "no NVIDIA GPU was found on this machine", None)
        return Availability(True, versions)

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns nothing: the user's CUDA_VISIBLE_DEVICES holds."""
        return {}

    def drafts(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Writes the variant, or says why not."""
        try:
            return (writer.write(workload, observed),)
        except Unsupported:
            try:
                return (writer.write(workload, observed, vectorised=False),)
            except Unsupported as error:
                return (VariantRefusal("cupy", "cupy", "array", error.refusal),)

    def revise(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        """Answers a failure: whole arrays by loops, else by the reason."""
        if draft.form == writer.WHOLE:
            try:
                return writer.write(workload, observed, vectorised=False)
            except Unsupported as error:
                return error.refusal
        return messages.explain(draft, failure)


def _driver_version() -> int | None:
    """Returns the major version of the NVIDIA kernel driver on Linux, None where it cannot be read."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text()
    except OSError:
        return None
    for word in text.split():
        head = word.split(".")[0]
        if "." in word and head.isdigit() and int(head) > 100:
            return int(head)
    return None


def _extra() -> str:
    """Returns the extra that fits the driver: CUDA 13 needs driver 580 or newer."""
    version = _driver_version()
    return "cuda13" if version is not None and version >= 580 else "cuda12"


def _driver_loaded() -> bool:
    """Says whether an NVIDIA GPU may be here; True where that cannot be told without loading a library."""
    import sys

    if not sys.platform.startswith("linux"):
        return sys.platform != "darwin"
    # WSL has no /proc entry but its own device
    places = ("/proc/driver/nvidia/version", "/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg")
    return any(Path(place).exists() for place in places)
