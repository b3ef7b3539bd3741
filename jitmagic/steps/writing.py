"""Every backend writes its drafts; what it will not write has its verdict."""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from jitmagic.advice import verdict as verdicts
from jitmagic.backends.foreign import whose
from jitmagic.backends.protocol import Backend, Draft, VariantRefusal
from jitmagic.errors import BaselineError, Refusal
from jitmagic.measure.nodes.place import device_of, node_of
from jitmagic.outcome import Outcome
from jitmagic.steps import places
from jitmagic.steps.progress import Progress
from jitmagic.transforms.transform import Transform

if TYPE_CHECKING:
    from jitmagic.steps.run import Run


def write(run: Run) -> None:
    """Has every backend write its drafts; what it will not write has its verdict now."""
    observed = run.seen()
    draft = run.numpy.drafts(run.workload, observed)[0]
    if not isinstance(draft, Draft):
        raise BaselineError(draft.refusal.reason)
    run.baseline.draft = replace(draft, written=observed.mutated)
    for one in run.bases.values():
        one.draft = replace(draft, variant=one.name, written=observed.mutated)
        run.outcomes.append(one)
    if run.options.transform is not None and not run.options.transform.derives:
        for made in drafts_of(run, run.numpy):
            _take(run, made, Outcome(made.variant, "numpy", "cpu", made.mode))
    written_for: dict[str, Sequence[Draft | VariantRefusal]] = {}
    for backend, device in run.backends():
        if backend.name not in written_for:
            run.progress(Progress(backend.name, "writing", 0, 1))
            written_for[backend.name] = drafts_of(run, backend)
        available = run.available(backend, node_of(device))
        over = places.several(backend, device, run.found(node_of(device)))
        for made in (*written_for[backend.name], *_spread(run, backend, written_for[backend.name], over)):
            if not places.runs(backend, made.mode, device):
                continue
            name = places.named(made.variant, device, "cpu" in available.kinds)
            outcome = Outcome(name, backend.name, device, made.mode)
            if _take(run, made, outcome):
                if device_of(device) != "cpu" and not run.has(device):
                    outcome.verdict = verdicts.of_missing_device(device)
                elif not available.installed:
                    outcome.verdict = verdicts.of_missing_library(backend.title, available)


def _take(run: Run, made: Draft | VariantRefusal, outcome: Outcome) -> bool:
    """Takes on what a backend wrote; returns whether it is a draft."""
    run.outcomes.append(outcome)
    if isinstance(made, VariantRefusal):
        outcome.verdict = verdicts.of_refusal(made.refusal)
        return False
    # what NumPy writes into stays on the host and is new in every call
    written = tuple(dict.fromkeys((*made.written, *run.seen().mutated)))
    outcome.draft = replace(made, variant=outcome.name, written=written)
    return True


def _spread(
    run: Run, backend: Backend, made: Sequence[Draft | VariantRefusal], devices: int
) -> Sequence[Draft | VariantRefusal]:
    """Has a backend write what runs on several devices at once, where there are several."""
    spread = getattr(backend, "spread", None)
    if devices < 2 or spread is None or run.options.transform is not None:
        return ()
    try:
        draft = spread(*run.studied(), made)
    except Exception as error:
        return [VariantRefusal(f"{backend.name}-sharded", backend.name, "sharded", own_error(backend, error))]
    if draft is None:
        return ()
    told = f"It runs on {devices} devices at once, with as many rows of {', '.join(draft.spread)} on each."
    return [replace(draft, notes=(*draft.notes, told))]


def drafts_of(run: Run, backend: Backend) -> Sequence[Draft | VariantRefusal]:
    """Returns what a backend writes; of the same call, of which the same was seen, it need not write again."""
    if whose(backend) != "jitmagic":  # what it goes by is not for us to know
        return _written(run, backend)
    key, seen = (backend.name, run.options.transform), replace(run.studied()[1], seconds=0.0)
    before = run.known.written.get(key)
    if before is None or before[0] != seen or before[1] is not backend:
        before = run.known.written[key] = seen, backend, _written(run, backend)
    return before[2]


def _written(run: Run, backend: Backend) -> Sequence[Draft | VariantRefusal]:
    """Has a backend write; an error of its own is that backend's verdict and spares the others."""
    asked, (workload, observed) = run.options.transform, run.studied()
    try:
        if asked is None:
            return backend.drafts(workload, observed)
        write = getattr(backend, "transformed", None)
        made: Sequence[Draft | VariantRefusal] = () if write is None else write(asked, workload, observed)
        return made or [VariantRefusal(backend.name, backend.name, "", _without(backend, asked))]
    except Exception as error:
        return [VariantRefusal(backend.name, backend.name, "", own_error(backend, error))]


def _without(backend: Backend, asked: Transform) -> Refusal:
    if asked.derives:
        return Refusal(f"{backend.title} does not derive: it runs functions as they are written")
    return Refusal(f"{backend.title} has nothing that makes a batch of a function")


def own_error(backend: Backend, error: Exception) -> Refusal:
    """Words an exception in a backend's writer, which is a bug there and not the user's fault."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}, line {frame.lineno}"
    maker = whose(backend)
    failed = "jitmagic itself" if maker == "jitmagic" else maker
    return Refusal(
        f"{failed} failed while it wrote this for {backend.title} ({type(error).__name__}: {error}; {place}): "
        f"this is a bug in {maker.split()[0]}, please report it with your function"
    )
