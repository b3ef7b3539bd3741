"""What other packages add: found by their entry points, each with the package that it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

BACKENDS = "jitmagic.backends"
"""The group of backends: each entry point is a class of :class:`jitmagic.backends.protocol.Backend`."""

GOTCHAS = "jitmagic.gotchas"
"""The group of gotcha rules: each entry point is a module that registers its rules where it is imported."""


@dataclass(frozen=True)
class Plugin:
    """An entry point of another package.

    Attributes
    ----------
    name : str
        The entry point's.
    module : str
        Where it leads to.
    distribution : str
        The package, as pip knows it; "" where that is not known.
    origin : str
        The package with its version, for the reader: ``"jitmagic-pythran 0.1.0"``.
    """

    name: str
    module: str
    distribution: str
    origin: str
    _point: EntryPoint

    def load(self) -> Any:
        """Imports what the entry point names, in the user's process."""
        return self._point.load()

    @property
    def update(self) -> str | None:
        """The command that brings its newest version; None where its package is not known."""
        return f"pip install --upgrade {self.distribution}" if self.distribution else None


def plugins(group: str) -> Iterator[Plugin]:
    """Yields the entry points of a group by name; one that several folders of the path list is yielded once."""
    # takes 40 ms, which each worker would spend that begins
    from importlib.metadata import entry_points

    seen = set()
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        name = point.dist.name if point.dist is not None else ""
        if (point.name, point.value, name) in seen:
            continue
        seen.add((point.name, point.value, name))
        version = point.dist.version if point.dist is not None else ""
        yield Plugin(point.name, point.module, name, f"{name} {version}".strip() or point.module, point)


def worded(error: BaseException) -> str:
    """Returns an error's type and the first line of its text."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
