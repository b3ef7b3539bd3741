"""Backends of other packages: taken in if they keep to the protocol, and held to it afterwards.

One that is old or broken is a backend that cannot be used, with the reason: it is never in the way of the others.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jitmagic.backends.protocol import PROTOCOL, Availability, Backend, Draft, Failure, VariantRefusal
from jitmagic.capture.workload import ModuleText, Workload
from jitmagic.errors import Refusal, WorkerError
from jitmagic.observe.facts import Observation
from jitmagic.plugins import Plugin, worded

_CALLED = ("availability", "environment", "drafts", "revise")
_TRAITS = ("compiles_by_shape", "checks_bounds", "copies_arguments", "threaded")
_TEXTS = ("static", "needs", "written", "notes", "spread")


class ProtocolError(TypeError):
    """A backend gave what the protocol does not allow."""


@dataclass
class Unusable:
    """Stands for a backend that could not be taken in.

    Attributes
    ----------
    name, title, origin : str
    reason, remedy : str
        Why, and what mends it.
    """

    name: str
    title: str
    origin: str
    reason: str
    remedy: str | None
    runtime: str = ""

    def availability(self) -> Availability:
        """Says why it cannot be used."""
        return Availability(False, reason=self.reason, remedy=self.remedy)

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns nothing: no worker runs it."""
        return {}

    def drafts(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Refuses its one variant."""
        mend = f": {self.remedy}" if self.remedy else ""
        return [VariantRefusal(self.name, self.name, "", Refusal(f"{self.reason}{mend}"))]

    def revise(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        """Refuses."""
        return Refusal(self.reason)


class Guarded:
    """A backend of another package: it answers as the protocol says, or raises an error that names what is wrong.

    Attributes
    ----------
    origin : str
        The package that it comes from, with its version.
    """

    def __init__(self, backend: Any, plugin: Plugin) -> None:
        self._backend = backend
        self._plugin = plugin
        self.name: str = backend.name
        self.title: str = backend.title
        self.runtime: str = backend.runtime
        self.origin = plugin.origin

    def availability(self) -> Availability:
        """Asks it; a fault of its own makes it unavailable, and does not hide the others."""
        try:
            state = self._backend.availability()
            _is(state, Availability, "availability()")
        except Exception as error:
            return Availability(
                False, reason=f"{self.origin} failed when it was asked for its library ({worded(error)})",
                remedy=self._plugin.update,
            )  # fmt: skip
        name, _, version = self.origin.partition(" ")
        return state if not state.installed else _with(state, name, version)

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns its variables.

        Raises
        ------
        WorkerError
            It failed, or they are no strings.
        """
        try:
            found = dict(self._backend.environment(device))
            for text in (*found, *found.values()):
                _is(text, str, "environment()")
        except Exception as error:
            raise WorkerError(f"{self.origin} failed when it was asked for variables ({worded(error)})") from error
        return found

    def drafts(self, workload: Workload, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Has it write, and checks what it wrote."""
        made = list(self._backend.drafts(workload, observed))
        for one in made:
            self._check(one, "drafts()")
            for trait in _TRAITS:
                if hasattr(self._backend, trait):
                    _is(getattr(self._backend, trait)(one.mode), bool, f"{trait}()")
            if hasattr(self._backend, "runs_on"):
                for kind in self.availability().kinds:
                    _is(self._backend.runs_on(one.mode, kind), bool, "runs_on()")
        return made

    def revise(self, workload: Workload, observed: Observation, draft: Draft, failure: Failure) -> Draft | Refusal:
        """Has it answer a failure, and checks the answer."""
        answer = self._backend.revise(workload, observed, draft, failure)
        if isinstance(answer, Refusal):
            return answer
        self._check(answer, "revise()")
        return answer

    def _check(self, one: Any, where: str) -> None:
        if isinstance(one, VariantRefusal):
            _is(one.refusal, Refusal, f"the refusal of {where}")
        else:
            _is(one, Draft, where)
            _is(one.module, ModuleText, f"Draft.module of {where}")
            if len(one.module.lines) < one.module.text.count("\n"):
                raise ProtocolError(f"{where} gave a module with fewer entries in `lines` than lines of text")
            for name in _TEXTS:
                for text in _is(getattr(one, name), tuple, f"Draft.{name} of {where}"):
                    _is(text, str, f"Draft.{name} of {where}")
        for name in ("variant", "backend", "mode"):
            _is(getattr(one, name), str, f"{name} of {where}")
        if one.backend != self.name or not re.fullmatch(rf"{re.escape(self.name)}(-[\w.-]+)?", one.variant):
            raise ProtocolError(
                f"{where} gave the variant {one.variant!r} of backend {one.backend!r}: the backend has to be "
                f"{self.name!r}, and its variants' names {self.name!r} or {self.name + '-…'!r}"
            )

    def __getattr__(self, name: str) -> Any:
        # what a backend may say beyond the protocol: absent here where it is absent there
        if name == "presence" or name in (*_TRAITS, "runs_on"):
            return getattr(self.__dict__["_backend"], name)
        raise AttributeError(name)


def take(plugin: Plugin, taken: Container[str]) -> Backend:
    """Loads a backend of another package, and says of one that cannot be used why.

    Parameters
    ----------
    plugin : Plugin
    taken : container of str
        Names of backends that there are already.
    """

    def unusable(reason: str, remedy: str | None, title: str = plugin.name) -> Unusable:
        name = f"{plugin.name} ({plugin.origin})" if plugin.name in taken else plugin.name
        return Unusable(name, title, plugin.origin, reason, remedy)

    if plugin.name in taken:
        return unusable(f"{plugin.origin} offers a backend {plugin.name!r}, and there is one of that name", None)
    try:
        backend = plugin.load()()
    except Exception as error:
        return unusable(f"the backend of {plugin.origin} could not be loaded ({worded(error)})", plugin.update)
    title = getattr(backend, "title", None)
    title = title if isinstance(title, str) and title else plugin.name
    version = getattr(backend, "protocol", None)
    if version != PROTOCOL:
        newer = isinstance(version, int) and version > PROTOCOL
        said = "says no version" if version is None else f"is written for version {version!r}"
        return unusable(
            f"the backend of {plugin.origin} {said} of jitmagic's protocol for backends, and here is {PROTOCOL}",
            "pip install --upgrade jitmagic" if newer else plugin.update,
            title,
        )
    fault = _fault(backend, plugin)
    if fault is not None:
        return unusable(f"the backend of {plugin.origin} does not keep to the protocol: {fault}", plugin.update, title)
    return Guarded(backend, plugin)


def _fault(backend: Any, plugin: Plugin) -> str | None:
    for name in ("name", "title", "runtime"):
        if not isinstance(getattr(backend, name, None), str):
            return f"`{name}` is no text"
    if backend.name != plugin.name:
        return f"its name is {backend.name!r}, and that of its entry point {plugin.name!r}"
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", backend.name):
        return f"{backend.name!r} is no name for a backend: small letters, digits and hyphens, without spaces"
    if not re.fullmatch(r"[\w.]+:\w+", backend.runtime):
        return f"`runtime` is {backend.runtime!r}, and not 'package.module:Class'"
    missing = [name for name in _CALLED if not callable(getattr(backend, name, None))]
    missing += [name for name in (*_TRAITS, "runs_on") if not callable(getattr(backend, name, _nothing))]
    return f"it has no method {missing[0]!r}" if missing else None


def _nothing() -> None: ...


def _is(value: Any, kind: type, where: str) -> Any:
    if not isinstance(value, kind):
        raise ProtocolError(f"{where} gave a {type(value).__name__} where the protocol says {kind.__name__}")
    return value


def _with(state: Availability, name: str, version: str) -> Availability:
    """Adds the package that a backend comes from to the versions that it tells."""
    return replace(state, versions={**state.versions, name: version})


def whose(backend: Backend) -> str:
    """Returns the package that a backend comes from: with its version, or jitmagic."""
    return str(getattr(backend, "origin", "jitmagic"))
