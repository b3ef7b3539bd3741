"""A worker: the process in which one backend's variants are built, verified and timed.

Started by exec as ``python -c "…; from jitmagic.measure.worker import main; main()"`` with pipes at its
standard input and output. Nothing of the user's kernel is here but source text, plain values and arrays:
a crash, a hang or a poisoned device ends this process and no other.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import io
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from jitmagic.backends.protocol import DeviceMeter, Draft, Runtime
from jitmagic.measure import layout
from jitmagic.measure.answers import KEPT, NOT_SENT, Asked, Built, Derived, Reference
from jitmagic.measure.arguments import Arguments, Move, Prepared
from jitmagic.measure.caches import Emptier
from jitmagic.measure.clock import time_calls, time_launch
from jitmagic.measure.confine import go_first, limit_data
from jitmagic.measure.failures import LONGEST, failure_of, filename
from jitmagic.measure.memory import PeakMeter, give_back, in_the_open
from jitmagic.measure.messages import Event, Reply, own_pipes, receive, send
from jitmagic.measure.transport import Area, Opened, Parcel, TransportError, pack
from jitmagic.observe import entropy
from jitmagic.observe.facts import Observation
from jitmagic.verify.compare import Finding, compare_call, count_elements, floors, shared_labels
from jitmagic.verify.derivatives import derivative
from jitmagic.verify.judge import NO_EXCEPTION, Judgement, judge, judge_error
from jitmagic.verify.movement import Movement
from jitmagic.verify.probes import GLOBALS, Call, Probe
from jitmagic.verify.reference import RAISED, TAKEN, Expected, changed_globals, expect, seed
from jitmagic.verify.sensitivity import movements


@dataclass
class _Job:
    """One open workload."""

    arguments: Arguments
    namespace: Opened
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    shares: dict[str, tuple[str, ...]] = field(default_factory=dict)
    plain: Callable[..., Any] | None = None
    checked: dict[str, Callable[..., Any]] = field(default_factory=dict)
    emptier: Callable[[], None] | None = None
    kept: _Kept | None = None
    built: dict[str, Built] = field(default_factory=dict)


@dataclass(frozen=True)
class _Kept:
    """What was built in the comparison before, for the same text, constants, and shapes of arguments.

    Attributes
    ----------
    same : tuple
        What has to be the same.
    functions, drafts, built
        By variant.
    """

    same: tuple[Any, ...]
    functions: Mapping[str, Callable[..., Any]]
    drafts: Mapping[str, Draft]
    built: Mapping[str, Built]


class Worker:
    """The requests that a worker answers: each public method is one.

    Parameters
    ----------
    notify : callable
        Sends an :class:`Event` to the user's process.
    """

    def __init__(self, notify: Callable[[str], None]) -> None:
        self._notify = notify
        self._runtime: Runtime | None = None
        self._jobs: dict[str, _Job] = {}
        self._kept: _Kept | None = None
        self._emptier: Callable[[], Callable[[], None]] = Emptier
        self._area: Area | None = None

    # -- life

    def start(
        self,
        runtime: str,
        device: str,
        path: Sequence[str],
        folder: str,
        roots: tuple[str | None, str],
        data_limit: int | None = None,
        behind: bool = False,
    ) -> Mapping[str, Any]:
        """Takes on the kernel's ``sys.path`` and working folder, and starts the backend's library.

        Parameters
        ----------
        runtime : str
            ``"module:Class"`` of the backend's runtime.
        roots : tuple
            Folders in memory (or None) and on disk for what this worker lays down.
        data_limit : int or None
            Bytes beyond which allocations fail; None where drivers of a GPU reserve more than they use.
        behind : bool
            Whether ``path`` comes after this process's own: it runs under another interpreter than the kernel.
        """
        if data_limit is not None:
            limit_data(data_limit)
        memory, disk = roots
        self._area = Area(None if memory is None else Path(memory), Path(disk))
        first, then = (sys.path, path) if behind else (path, sys.path)
        sys.path[:] = [*first, *(entry for entry in then if entry not in first)]
        with contextlib.suppress(OSError):  # the kernel's folder may be gone; only relative file names need it
            os.chdir(folder)
        entropy.install()
        module, _, name = runtime.partition(":")
        self._runtime = getattr(importlib.import_module(module), name)()
        facts = dict(self._runtime.start(device))
        if facts.get("empties_caches"):
            self._emptier = self._runtime.cache_emptier  # type: ignore[union-attr]
        # a library's version may be of a class of its own, which the user's process must not need to know
        facts["versions"] = {str(name): str(version) for name, version in facts.get("versions", {}).items()}
        facts["python"], facts["numpy"] = platform.python_version(), np.__version__
        return facts

    def open(
        self, key: str, arguments: Parcel, namespace: Parcel, labels: Sequence[str], code: str | None = None
    ) -> None:
        """Receives a workload's arguments and constants.

        ``code`` is the same for the same text with the same constants: what was built of it is taken again where it
        was closed last. None where nothing of it is to be kept.
        """
        job = self._jobs[key] = _Job(Arguments(Opened(arguments), labels), Opened(namespace))
        if code is not None:
            same = code, _signature(job.arguments.fresh())
            before = self._kept
            job.kept = before if before is not None and before.same == same else _Kept(same, {}, {}, {})

    def close(self, key: str) -> None:
        """Forgets a workload and gives back what an idle worker should not hold."""
        job = self._jobs.pop(key, None)
        if job is not None:
            job.arguments.forget()
            self._kept = None
            if job.kept is not None:
                self._kept = _Kept(job.kept.same, job.functions, job.drafts, job.built)
        if self._area is not None:
            self._area.close()
        self._library.release()
        give_back()

    # -- NumPy only

    def observe(self, key: str, text: str, entry: str, limit: float) -> tuple[Observation, Reference | None]:
        """Runs the function under watch; returns the facts, and the reference unless it raised."""
        from jitmagic.observe.result import unsent
        from jitmagic.observe.run import observe

        job = self._jobs[key]
        seed()
        seen = observe(
            text, entry, job.namespace.value(), job.arguments.fresh, job.arguments.labels, limit_seconds=limit
        )
        observation = seen.observation
        if observation.raised is not None or observation.refused is not None or self._area is None:
            return observation, None
        after = job.arguments.labelled((seen.args, seen.kwargs))
        try:
            parcel = pack((seen.result, after), self._area)
        except TransportError as error:
            return replace(observation, refused=unsent(seen.result, error)), None
        return observation, Reference(parcel, observation.mutated, observation.returns_argument)

    def own(self, key: str, reference: Reference) -> tuple[tuple[Any, ...], Mapping[str, float]]:
        """Returns the signature of the user's own arguments (see :class:`Asked`), and what is rounding there."""
        result, after = Opened(reference.parcel).value(copy=False)
        return _signature(self._jobs[key].arguments.fresh()), floors(result, after)

    def expect(self, key: str, text: str, entry: str, probe: Probe, limit: float) -> Asked:
        """Runs NumPy on a probe."""
        job = self._jobs[key]
        function = self._plain(job, text, entry)
        with _Quiet():
            answer = expect(function, probe, job.arguments.labels, job.arguments.fresh, limit)
        bare = replace(answer, call=None, result=None, after=None, oracle=None)
        if answer.status not in (TAKEN, RAISED) or self._area is None:
            return Asked(bare)
        try:
            parcel = pack((answer.call, answer.result, answer.after, answer.oracle), self._area)
        except TransportError:  # a result that cannot be sent is no ground for a comparison
            return Asked(replace(bare, status=NOT_SENT))
        return Asked(bare, parcel, _signature(answer.call or ((), {})))

    def movement(self, key: str, text: str, entry: str, asked: Asked | None, runs: int) -> Mapping[str, Movement]:
        """Measures how far NumPy's result moves for one unit in the last place of the user's arguments or a probe's."""
        job = self._jobs[key]
        function = self._plain(job, text, entry)
        fresh, labels = job.arguments.fresh, job.arguments.labels
        if asked is not None and asked.parcel is not None:
            labels = asked.expected.probe.labels(labels)
            opened = Opened(asked.parcel)

            def fresh() -> Call:
                call: Call = opened.value()[0]
                return call

        with _Quiet():
            try:
                return movements(function, fresh, labels, runs=runs, before=seed)
            except (Exception, SystemExit):  # NumPy takes these arguments, and not their neighbours
                return {}

    def derive(self, key: str, text: str, entry: str, second: bool, label: str, reference: Reference) -> Derived:
        """Finds the derivative of a function of the user's by one argument, and how sure each entry is."""
        job = self._jobs[key]
        function = self._library.load(text, "<jitmagic differences>", entry, dict(job.namespace.value()))
        labels, (args, kwargs) = job.arguments.labels, job.arguments.fresh()
        place = list(labels).index(label)

        def called(value: Any) -> Any:
            if place < len(args):
                return function(*args[:place], value, *args[place + 1 :], **kwargs)
            return function(*args, **{**kwargs, label: value})

        baseline = np.asarray(Opened(reference.parcel).value(copy=False)[0])
        with _Quiet():
            found = derivative(called, (*args, *kwargs.values())[place], second)
        if self._area is None:
            raise RuntimeError("the worker was not started")
        sure = np.isfinite(found.error)
        largest = float(np.abs(found.value[sure]).max(initial=0.0))
        off = float(np.abs(baseline.astype(np.float64) - found.value)[sure].max(initial=0.0))
        value = found.value.astype(baseline.dtype)[()]
        return Derived(
            pack((value, found.error), self._area),
            bool(value.dtype == np.float32),
            found.relative,
            off / largest if largest else None,
            found.doubts,
            found.doubtful,
            found.error.size,
        )

    def _plain(self, job: _Job, text: str, entry: str) -> Callable[..., Any]:
        if job.plain is None:
            job.plain = self._library.load(text, "<jitmagic probes>", entry, dict(job.namespace.value()))
        return job.plain

    def ceiling(self, what: str, **asked: Any) -> float:
        """Measures what this machine can do at best: a function of :mod:`jitmagic.measure.ceilings`, by its name."""
        from jitmagic.measure import ceilings

        give_back()
        measured = float(getattr(ceilings, what)(**asked))
        give_back()
        return measured

    # -- every backend

    def try_probe(
        self,
        key: str,
        variant: str,
        asked: Asked,
        movement: Mapping[str, Movement] | None,
        floor: Mapping[str, float] | None,
    ) -> Judgement:
        """Calls a built variant with a probe's arguments and judges what it did."""
        job, library = self._jobs[key], self._library
        function, draft = job.functions[variant], job.drafts[variant]
        if asked.parcel is None:
            raise ValueError(f"NumPy gave no answer to the probe {asked.expected.probe.name}")
        opened = Opened(asked.parcel)
        labels = asked.expected.probe.labels(job.arguments.labels)
        call, result, after, oracle = opened.value(copy=False)
        expected = replace(asked.expected, call=call, result=result, after=after, oracle=oracle)
        load = getattr(library, "load_checked", None)
        if expected.status == RAISED and load is not None:
            # compiled code that leaves its arrays reads what lies there: it is told of here, and not done
            if variant not in job.checked:
                with _Quiet():
                    namespace = dict(job.namespace.value())
                    job.checked[variant] = load(draft.module.text, filename(draft), draft.entry, namespace)
            return self._try_checked(job.checked[variant], expected, opened, labels)
        written = tuple(dict.fromkeys((*draft.written, *expected.mutated)))
        arguments = Arguments(opened, labels)

        def run() -> tuple[Any, Mapping[str, Any]]:
            host: Call = opened.value()[0]
            args, kwargs = arguments.ready(host, written, self._mover(draft))
            seed()
            if expected.probe.changes == GLOBALS:
                with changed_globals(function, expected.probe.steps):
                    given = function(*args, **kwargs)
                    library.wait(given)
            else:
                given = function(*args, **kwargs)
                library.wait(given)
            return library.to_host(given), arguments.labelled(host)

        with _Quiet():
            return judge(expected, labels, run, movement, floor)

    def _try_checked(
        self, function: Callable[..., Any], expected: Expected, opened: Opened, labels: Sequence[str]
    ) -> Judgement:
        """Calls a build with checked bounds where NumPy raises: an IndexError there is a silent read elsewhere."""
        args, kwargs = opened.value()[0]
        name, text = expected.error or ("", "")
        told = f"NumPy raises {name}" + (f": {text}" if text else "")
        with _Quiet():
            try:
                seed()
                function(*args, **kwargs)
            except IndexError:
                return Judgement(NO_EXCEPTION, "exception", f"{told}, and this reads or writes outside its arrays")
            except (Exception, SystemExit) as error:
                return judge_error(expected, type(error).__name__, str(error))
        return Judgement(NO_EXCEPTION, "exception", f"{told}, and this gives numbers")

    def check_bounds(self, key: str, variant: str) -> str | None:
        """Calls a variant once with checked bounds and the user's arguments; returns what went out of them.

        None where all stayed inside, or where its library has no such check.
        """
        job, library = self._jobs[key], self._library
        draft = job.drafts[variant]
        load = getattr(library, "load_checked", None)
        if load is None:
            return None
        args, kwargs = job.arguments.fresh()
        with _Quiet():
            function = load(draft.module.text, filename(draft), draft.entry, dict(job.namespace.value()))
            job.checked[variant] = function
            try:
                seed()
                function(*args, **kwargs)
            except IndexError as error:
                return str(error) or "an index is out of range"
            except (Exception, SystemExit):
                return None  # what the plain build does not raise is the check's own trouble
        return None

    def build(self, key: str, draft: Draft, reference: Reference, like: str | None = None) -> Built:
        """Loads a draft, runs the library's check, calls it twice, and compares both results with the reference.

        Parameters
        ----------
        like : str, optional
            The key of a workload with the same text and constants: where it has this draft built, that is taken.
        """
        job, library = self._jobs[key], self._library
        self._notify("checking")
        stage = "load"
        kept = job.kept if job.kept is not None and job.kept.drafts.get(draft.variant) == draft else None
        device_meter = getattr(library, "device_meter", lambda: None)
        on_device = [device_meter(), device_meter()]
        namespace, call = dict(job.namespace.value()), job.arguments.fresh()
        try:
            with _Quiet():
                # the clock of the build leaves the making of arguments out
                start = time.perf_counter()
                other = self._jobs.get(like) if like is not None else None
                if other is not None and other.drafts.get(draft.variant) == draft:
                    function = other.functions[draft.variant]
                elif kept is not None:
                    function = kept.functions[draft.variant]
                else:
                    function = library.load(draft.module.text, filename(draft), draft.entry, namespace)
                stage = "check"
                if kept is None:
                    library.check(function, *call, draft.static)
                loaded = time.perf_counter() - start
                self._notify("compiling")
                stage = "run"
                with in_the_open():
                    first, finding = self._verified_call(job, draft, function, reference, on_device[0])
                if not finding.ok:
                    return Built(finding=finding, first=loaded + first)
                self._notify("checking")
                meter = PeakMeter()
                del call
                with in_the_open():
                    second, again = self._verified_call(job, draft, function, reference, meter, on_device[1])
        except (Exception, SystemExit) as error:
            return Built(failure=failure_of(error, stage, draft))
        if not again.ok:
            return Built(finding=replace(again, message=f"in the second call {again.message}"), first=loaded + first)
        job.functions[draft.variant], job.drafts[draft.variant] = function, draft
        job.checked.pop(draft.variant, None)
        if kept is not None:
            before = kept.built[draft.variant]
            built = replace(before, finding=finding, first=before.first - before.second + second, second=second,
                            host_peak=meter.peak, cache=KEPT, shares=job.shares.get(draft.variant, ()))  # fmt: skip
        else:
            built = Built(
                finding=finding,
                first=loaded + first,
                second=second,
                host_peak=meter.peak,
                # a library that only keeps a mark tells of the first call, which set it
                device_peak=next((one.peak for one in on_device[::-1] if one and one.peak is not None), None),
                threads=library.threads(),
                cache=getattr(library, "build_cache", lambda: "cold")(),
                shares=job.shares.get(draft.variant, ()),
                operations=getattr(library, "operations", lambda: None)(),
            )
        job.built[draft.variant] = built
        return built

    def sample(self, key: str, variant: str, calls: int, warm: int, cold: bool = False) -> tuple[float, float]:
        """Times ``calls`` calls after ``warm`` ones that do not count.

        Returns the seconds a call, and the seconds of those before them together. ``cold`` empties the caches before
        each call, and times each by itself.
        """
        job, library = self._jobs[key], self._library
        function, draft = job.functions[variant], job.drafts[variant]
        to_device = self._mover(draft)
        wait = None if getattr(library, "synchronous", False) else library.wait
        before = total = 0.0
        with _Quiet():
            for prepared in job.arguments.prepared(draft.written, to_device, warm) if warm else ():
                before += time_calls(function, prepared, wait)
            for prepared in job.arguments.prepared(draft.written, to_device, calls):
                total += time_calls(function, self._cooled(job, prepared) if cold else prepared, wait)
        return total / calls, before

    def _cooled(self, job: _Job, prepared: Prepared) -> Prepared:
        """Returns the calls with what empties the caches before each: those of the device, else the processor's."""
        if job.emptier is None:
            job.emptier = self._emptier()
        empty, restore = job.emptier, prepared.restore

        def before() -> None:
            if restore is not None:
                restore()
            empty()

        return replace(prepared, restore=before)

    def transfer(self, key: str, variant: str) -> tuple[float | None, float | None, float]:
        """Times one way in, one way out, and one call end to end from host arrays to host arrays, in seconds."""
        job, library = self._jobs[key], self._library
        function, draft = job.functions[variant], job.drafts[variant]
        host, move = job.arguments.fresh(), self._mover(draft)
        with _Quiet():
            start = time.perf_counter()
            args, kwargs = job.arguments.ready(host, draft.written, move)
            moved = time.perf_counter()
            result = function(*args, **kwargs)
            library.wait(result)
            ran = time.perf_counter()
            library.to_host(result)
            end = time.perf_counter()
        if move is _identity:
            return None, None, end - start
        return moved - start, end - ran, end - start

    def launch(self, key: str, variant: str) -> tuple[float, float | None]:
        """Times a call's share on the host and on the device; see :func:`jitmagic.measure.clock.time_launch`.

        One call before it is not timed, and the device is idle when each begins.
        """
        job, library = self._jobs[key], self._library
        function, draft = job.functions[variant], job.drafts[variant]
        to_device = self._mover(draft)
        clock = getattr(library, "device_clock", lambda: None)()
        with _Quiet():
            for prepared in job.arguments.prepared(draft.written, to_device, 1):
                time_calls(function, prepared, library.wait)
            (prepared,) = job.arguments.prepared(draft.written, to_device, 1)
            return time_launch(function, prepared, library.wait, clock)

    # -- within

    @property
    def _library(self) -> Runtime:
        if self._runtime is None:
            raise RuntimeError("the worker was not started")
        return self._runtime

    def _mover(self, draft: Draft) -> Move:
        """Returns what brings an argument to where the draft's function wants it."""
        accepts = getattr(self._library, "accepts_host", None)
        if getattr(self._library, "synchronous", False) or (accepts is not None and accepts(draft.mode)):
            return _identity
        if draft.spread:
            return _Mover(self._library.to_device, draft.spread, self._library.to_devices)  # type: ignore[attr-defined]
        return _Mover(self._library.to_device)

    def _verified_call(
        self,
        job: _Job,
        draft: Draft,
        function: Callable[..., Any],
        reference: Reference,
        *meters: PeakMeter | DeviceMeter | None,
    ) -> tuple[float, Finding]:
        """Makes one call on fresh arguments; returns its seconds and how it compares with the reference."""
        host = job.arguments.fresh()
        args, kwargs = job.arguments.ready(host, draft.written, self._mover(draft))
        with contextlib.ExitStack() as stack:
            for meter in meters:
                stack.enter_context(meter or contextlib.nullcontext())
            seed()
            start = time.perf_counter()
            result = function(*args, **kwargs)
            self._library.wait(result)
            seconds = time.perf_counter() - start
        after = job.arguments.labelled(host)
        if reference.returns_argument in reference.mutated and result is not after[str(reference.returns_argument)]:
            message = f"NumPy returns its argument {reference.returns_argument} itself, this returns another object"
            return seconds, Finding(False, "identity", message)
        expected, expected_after = Opened(reference.parcel).value(copy=False)
        errors = None
        if reference.derivative is not None and draft.backend != "numpy":
            expected, error = Opened(reference.derivative).value(copy=False)
            errors = {"result": np.asarray(error)}
        given = self._library.to_host(result)
        job.shares[draft.variant] = shared_labels(given, after)
        finding = compare_call(
            expected,
            given,
            expected_after,
            after,
            reference.mutated,
            count_elements(list(after.values())),
            reference.movement,
            errors=errors,
        )
        return seconds, finding


@dataclass(frozen=True)
class _Mover:
    """Brings arguments to a device, and those in ``spread`` to several."""

    to_device: Callable[[Any], Any]
    spread: tuple[str, ...] = ()
    to_devices: Callable[[Any], Any] | None = None

    def __call__(self, label: str, value: Any) -> Any:
        return self.to_devices(value) if self.to_devices and label in self.spread else self.to_device(value)


def _identity(label: str, value: Any) -> Any:
    return value


def _signature(call: Call) -> tuple[Any, ...]:
    args, kwargs = call
    return tuple(map(_signed, (*args, *kwargs.values())))


def _signed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        flags = value.flags
        layout = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
        return str(value.dtype), value.shape, layout
    if isinstance(value, list | tuple):
        return tuple(map(_signed, value))
    if isinstance(value, dict):
        return tuple((str(key), _signed(part)) for key, part in value.items())
    return type(value).__name__


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


_NOWHERE = _Nowhere()


class _Quiet:
    """Drops what Python code prints inside of the block: it was seen once, in the watched run.

    A sample is taken inside of it, so that it does no more than it has to.
    """

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = _NOWHERE

    def __exit__(self, *raised: object) -> None:
        sys.stdout, sys.stderr = self._before


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answers requests until the other end is gone."""
    worker = Worker(lambda step: send(replies, Event(step)))
    while True:
        try:
            name, arguments = receive(requests)
        except EOFError:
            return
        try:
            reply = Reply(getattr(worker, name)(**arguments))
        except Exception:  # every error of a request goes to the user's process, which knows what to do with it
            reply = Reply(error=traceback.format_exc()[-LONGEST:])
        send(replies, reply)


def main() -> None:
    """Moves the pipes away from standard input and output, which user code may use, and serves."""
    layout.shift_heap()
    requests, replies = own_pipes()
    go_first()
    faulthandler.enable(file=sys.__stderr__ or sys.stderr)
    serve(requests, replies)
