"""What is verified is built again in workers with fewer threads, as rows of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from jitmagic.backends import all_backends
from jitmagic.devices import usable_threads
from jitmagic.figures import plural
from jitmagic.measure.threads import Limited, has_threads
from jitmagic.outcome import Outcome
from jitmagic.steps import building, room

if TYPE_CHECKING:
    from jitmagic.steps.run import Run


def limits(asked: Sequence[str] | None) -> tuple[int | None, tuple[int, ...]]:
    """Returns the limit of the rows with the plain names, and those of the further ones, ascending.

    Parameters
    ----------
    asked : sequence of str or None
        As in ``Options.threads``; "all" and None are no limit.
    """
    if not asked:
        return None, ()
    counts = sorted({int(one) for one in asked if one != "all"})
    if "all" in asked:
        return None, tuple(counts)
    return counts[-1], tuple(counts[:-1])


def limit(run: Run) -> None:
    """Builds and verifies what is verified again, in workers with fewer threads.

    What has one thread anyway, and what runs on another device, gets no second row.
    """
    counts = [count for count in run.fewer_threads if count < usable_threads()]
    if len(counts) < len(run.fewer_threads):
        run.troubles.append(
            f"--threads asks for as many threads as this machine has ({usable_threads()}) or more: "
            "such rows would be those without a limit, and are left out"
        )
    wide = [
        one
        for one in (run.baseline, *run.outcomes)
        if one.verified and one.device == "cpu" and one.draft is not None
        and has_threads(all_backends()[one.backend], one.draft)
    ]  # fmt: skip
    made = []
    for count in counts:
        for one in wide:
            if one.draft is not None:
                name = f"{one.name}@{count}"
                further = Outcome(name, one.backend, one.device, one.mode, draft=replace(one.draft, variant=name))
                further.thread_limit, further.unlimited = count, one.name
                further.notes.append(
                    f"The source of {one.name}, timed with {plural(count, 'thread')}: set OMP_NUM_THREADS={count} (and "
                    f"NUMBA_NUM_THREADS or NPROC, for Numba or JAX) before its library is imported."
                )
                run.pool.begin(Limited(all_backends()[one.backend], count), one.device)
                made.append(further)
    run.outcomes += made
    for number, one in enumerate(made):
        one.verdict = room.check_build(run, one)
        if one.verdict is not None:
            continue
        building.build(run, run.backend_of(one), one, number, len(made))
        if not one.verified and one.verdict is None:
            one.verdict = building.unbuilt(one)
