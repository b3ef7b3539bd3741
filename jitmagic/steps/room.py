"""What cannot fit into memory is refused before it is run, with the figures.

Only what must be there at once is counted: the copies of the arguments and the results that a comparison needs, without
the temporaries, which a variant may do without. What fits by that count and takes more is watched while it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitmagic.advice import verdict as verdicts
from jitmagic.backends import all_backends
from jitmagic.errors import BaselineError, WorkerError
from jitmagic.figures import size
from jitmagic.measure import process
from jitmagic.observe.amount import bytes_of
from jitmagic.outcome import Outcome

if TYPE_CHECKING:
    from jitmagic.steps.run import Run

_SMALLER = "try smaller arguments, or free memory"


def check_baseline(run: Run) -> None:
    """Refuses arguments of which not even NumPy's own process could have a copy; raises :class:`BaselineError`."""
    given, free = run.bench.size, process.available_memory()
    if given > free:
        raise BaselineError(
            f"{run.workload.call} cannot be compared here: its arguments take {size(given)}, the process that runs it "
            f"needs a copy, and {size(free)} of memory are free; {_SMALLER}"
        )


def check_build(run: Run, outcome: Outcome) -> verdicts.Verdict | None:
    """Returns the verdict of a variant that cannot fit while it is built, None for one that may."""
    needed, told = _needed(run, outcome)
    try:
        free = _free(run, outcome)
    except WorkerError as error:  # its machine is gone
        return verdicts.of_lost_worker(error)
    if needed <= free:
        return None
    why = f"it was not run: it needs at least {size(needed)} of memory ({told}), and {size(free)} are free"
    return verdicts.Verdict("unsupported", why, _SMALLER)


def leave_room(run: Run, live: list[Outcome]) -> list[Outcome]:
    """Takes variants out of the timing, from the last on, until the workers fit beside each other.

    In the timing every worker holds its arguments, since the rounds go over all variants.
    """
    kept = [one for one in live if not one.node]
    # each machine has its own memory; on another one the single variant was looked at
    elsewhere = [one for one in live if one.node]
    while len(kept) > 1:
        workers = {_place(one): _needed(run, one)[0] for one in kept}
        needed, free = sum(workers.values()), process.available_memory()
        if needed <= free:
            break
        out = _place(kept[-1])
        count = len(workers)
        for one in [one for one in kept if _place(one) == out and one is not run.baseline]:
            kept.remove(one)
            one.verdict = verdicts.Verdict(
                "unsupported",
                f"it was not timed: {count} processes beside each other need at least {size(needed)} of memory, and "
                f"{size(free)} are free",
                f"compare fewer at a time with --backends, or {_SMALLER}",
            )
    return [*kept, *elsewhere]


def _free(run: Run, outcome: Outcome) -> int:
    """Returns the bytes of memory that can be taken on a variant's machine."""
    return int(run.pool.node(outcome.device).ask("free")) if outcome.node else process.available_memory()


def _place(outcome: Outcome) -> tuple[str, str, int | None]:
    """Returns what tells the worker of one variant from that of another."""
    return outcome.backend, outcome.device, outcome.thread_limit


def _needed(run: Run, outcome: Outcome) -> tuple[int, str]:
    """Returns the bytes that a variant's worker must hold at once, and of what they are."""
    copies = getattr(all_backends()[outcome.backend], "copies_arguments", None)
    times = 2 if copies is not None and copies(outcome.mode) else 1
    given, result = run.bench.size, bytes_of(run.seen().result) or 0
    told = f"the arguments' {size(given)}" + (" twice" if times == 2 else "")
    return times * given + result, told + (f" and the result's {size(result)}" if result else "")
