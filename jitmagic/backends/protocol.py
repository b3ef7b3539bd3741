"""What a backend is: the one protocol behind which each library stands.

A backend is two classes. :class:`Backend` lives in the user's process, imports nothing heavy, and writes
source. :class:`Runtime` lives in that backend's worker process, imports the library, and runs what
was written. A backend knows its library and nothing of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from jitmagic.capture.workload import ModuleText, Workload
from jitmagic.errors import Refusal
from jitmagic.observe.facts import Observation

PROTOCOL = 1
"""The version of this protocol, which a backend of another package names as its ``protocol``.

Within a version only what may be absent is added: fields with a default, and methods that are looked for. A backend of
another version is not used, and the reader is told why.
"""


@dataclass(frozen=True)
class Draft:
    """One candidate for a variant: complete source in one form, not yet checked.

    Attributes
    ----------
    variant : str
        Name of the variant, e.g. ``"numba-parallel"``; drafts of one variant are rungs of one ladder.
    backend, mode : str
        ``"numba"``, ``"parallel"``.
    form : str
        Which lowering it is, e.g. ``"array"``, ``"unrolled"``, ``"fori_loop"``.
    module : ModuleText
        Complete source that runs outside jitmagic, with the map back to the user's lines.
    entry : str
        The callable in that source which takes the place of the user's function: NumPy arrays or the backend's
        arrays in, and the user's arguments mutated where the user's function mutates them.
    static : tuple of str
        Parameters that are compile-time constants.
    names : mapping of str to str
        The module's import bindings, as in ``Workload.names``.
    needs : tuple of str
        Names that the source expects in its namespace (large constants).
    written : tuple of str
        Labels of the arguments that ``entry`` writes into: they are passed as NumPy arrays while timing.
    notes : tuple of str
        What the reader should know, one sentence each.
    spread : tuple of str
        Labels of the arguments whose rows lie on all devices of the kind before ``entry`` is called.
    """

    variant: str
    backend: str
    mode: str
    form: str
    module: ModuleText
    entry: str
    static: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    spread: tuple[str, ...] = ()


def plain(draft: Draft) -> Draft:
    """Returns a draft without what its backend keeps with it: a worker needs none of the writer's classes."""
    return Draft(**{one.name: getattr(draft, one.name) for one in fields(Draft)})


@dataclass(frozen=True)
class Failure:
    """Why a draft did not run, as data from the worker.

    Attributes
    ----------
    stage : str
        ``"load"``, ``"check"``, ``"run"`` or ``"verify"``.
    type : str
        Qualified name of the exception's class, e.g. ``"jax.errors.ConcretizationTypeError"``.
    message : str
        Its text, at most 20 000 characters.
    line : int or None
        Line of the draft's text that the innermost frame in it stood at.
    classes : tuple of str
        Names of all the classes in its MRO, innermost first.
    """

    stage: str
    type: str
    message: str
    line: int | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Availability:
    """Whether a backend can be used here, found without importing it.

    Attributes
    ----------
    installed : bool
    versions : mapping of str to str
        Distribution name to version.
    reason : str or None
        Why it cannot be used.
    remedy : str or None
        The one command that mends it, e.g. ``pip install "jitmagic[numba]"``.
    kinds : tuple of str
        The kinds of device that the installed build can use, e.g. ``("cpu", "cuda")``; from metadata alone, whether
        such a device is here or not. Kinds are ``cpu``, ``cuda``, ``rocm``, ``xpu``, ``mps`` and ``tpu``.
    lacks : mapping of str to (str, str or None)
        By kind of device that the library can use in another build, and not in this one: why, and the one command that
        mends it. Shown where such a device is here.
    cuda : str or None
        The CUDA version that it is built for, e.g. ``"12.8"`` or ``"13"``.
    other_cuda : mapping of str to str
        The command that installs it for another major version of CUDA, by that version.
    """

    installed: bool
    versions: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    remedy: str | None = None
    kinds: tuple[str, ...] = ("cpu",)
    lacks: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    cuda: str | None = None
    other_cuda: Mapping[str, str] = field(default_factory=dict)


class Backend(Protocol):
    """What jitmagic asks of a backend in the user's process. Must import no heavy library.

    Attributes
    ----------
    name : str
        ``"numba"``; also the name of its folder and of its entry point in the group ``jitmagic.backends``.
    title : str
        As its makers spell it: ``"Numba"``.
    runtime : str
        ``"package.module:Class"`` of its :class:`Runtime`, imported in the worker only.

    One of another package also has ``protocol``, the number of the version that it is written for (:data:`PROTOCOL`),
    and names its variants by its own name, with a hyphen and a word behind it where it has several. It
    may also have ``presence``, a ``"package.module:function"`` that is ``availability`` and can be asked under
    another interpreter, since importing it takes the standard library only; ``compiles_by_shape(mode) -> bool``,
    whether arguments of another shape are compiled for anew; and ``checks_bounds(mode) -> bool``, whether its runtime
    has ``load_checked``; ``copies_arguments(mode) -> bool``, whether its arrays are copies in the host's memory;
    ``threaded(mode) -> bool``, whether it may use more than one CPU thread (without it: yes);
    ``runs_on(mode, kind) -> bool``, whether a mode is for a kind of device that its library can use (without it: yes);
    ``devices(kind, there) -> int``, how many devices of a kind its library can use for one call, where so many are
    there, and ``spread(workload, observed, made) -> Draft | None``, a draft that uses them, around one that it made;
    ``differentiates(draft) -> bool``, whether its library can differentiate a draft (without it: no);
    ``transformed(asked, workload, observed) -> drafts``, as ``drafts`` for a derivative or a batch of the workload's
    function (:mod:`jitmagic.transforms`), nothing where it has none; ``revise`` is given them like any other.
    """

    name: str
    title: str
    runtime: str

    def availability(self) -> Availability:
        """Finds whether the library is installed, from its metadata alone."""

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns environment variables that its worker is started with."""

    def drafts(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Writes the first draft of every variant it can offer, or the reason why not."""

    def revise(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        """Answers a draft's failed check with the next rung of its ladder, or with the reason why there is none.

        Called at most 20 times a variant. The reason speaks of the user's lines.
        """


@dataclass(frozen=True)
class VariantRefusal:
    """A variant that is not made, and why."""

    variant: str
    backend: str
    mode: str
    refusal: Refusal


class DeviceMeter(Protocol):
    """Measures how many bytes of a device's memory a `with` block needs beyond what was in use before.

    Attributes
    ----------
    peak : int or None
        Known after the block, None where the library does not tell.
    """

    peak: int | None

    def __enter__(self) -> DeviceMeter:
        """Begins."""

    def __exit__(self, *error: Any) -> None:
        """Ends."""


class DeviceClock(Protocol):
    """Times, by the device's own clock, what it is asked for between ``begin`` and ``end``."""

    def begin(self) -> None:
        """Marks the beginning, in the stream that calls go to."""

    def end(self) -> None:
        """Marks the end, and returns at once."""

    def seconds(self) -> float:
        """Returns the time in between, once the device has done all of it."""


class Runtime(Protocol):
    """What a worker asks of a backend's library. Runs in the backend's own process.

    A runtime may also have ``accepts_host(mode: str) -> bool``: True for a mode whose entry takes NumPy arrays as
    they are, so that the worker leaves ``to_device`` out. Without it, every mode takes the backend's arrays. One
    whose drafts have ``spread`` has ``to_devices``, as ``to_device`` for arrays whose rows are to lie on several. A
    library that reads outside its arrays without a word may have ``load_checked``, as ``load``, for a build that
    raises IndexError there. One whose device has a memory of its own may have ``device_meter() -> DeviceMeter |
    None``, and one whose device has a clock of its own ``device_clock() -> DeviceClock | None``. One that can empty
    its device's caches has ``cache_emptier() -> Callable[[], None]``, which returns what does so and waits for it,
    and says so in what :meth:`start` returns (``"empties_caches": True``). One whose compiler counts may have
    ``operations() -> float | None``: floating-point operations of the entry that was checked last.
    """

    def start(self, device: str) -> Mapping[str, Any]:
        """Imports and configures the library for a device; returns ``{"versions": {…}, "devices": [...]}``."""

    def load(self, source: str, filename: str, entry: str, namespace: Mapping[str, Any]) -> Callable[..., Any]:
        """Runs a draft's source in a new namespace and returns its entry."""

    def check(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], static: Sequence[str]
    ) -> None:
        """Runs the library's cheap check without computing (``eval_shape``); raises what it raises. May do nothing."""

    def to_device(self, value: Any) -> Any:
        """Moves every array in a nested value to the device, and waits until it is there."""

    def to_host(self, value: Any) -> Any:
        """Turns every device array in a nested value into NumPy, leaving the structure."""

    def wait(self, value: Any) -> None:
        """Returns when the whole nested value is complete on the device."""

    def threads(self) -> int | None:
        """Returns how many CPU threads the library uses, None where that makes no sense."""

    def release(self) -> None:
        """Gives back what an idle worker should not hold (caches, GPU memory)."""
