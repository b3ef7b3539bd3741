"""Arrays that stand in a tuple, list or dict among the arguments, and the statements that let a probe reach them.

A probe speaks of such an array by its place, ``state[0]`` or ``grid['dx']``. Its statements may not write into the
user's own containers, and cannot write into a tuple: the containers are copied before them, as lists where they are
tuples, and are made tuples again after them.

>>> dict(arrays("p", (np.ones(2), {"a": np.zeros(1)}))).keys()
dict_keys(['p[0]', "p[1]['a']"])
>>> reaching(["p[0] = p[0] * 2"], {"p": (np.ones(2), 1)})
('p = list(p)', 'p[0] = p[0] * 2', 'p = tuple(p)')
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

_MOST = 12
"""Places of one argument that are looked at: of a long list of arrays the first tell as much as all."""

_DEEPEST = 3


def arrays(label: str, value: Any) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Yields the arrays inside an argument that is a container, by their places."""
    for place, part in _places(label, value):
        if isinstance(part, np.ndarray):
            yield place, part


def reaching(steps: Sequence[str], given: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns statements in which those that name a place inside a container work on a copy of the container.

    Parameters
    ----------
    steps : sequence of str
    given : mapping of str to object
        The arguments by label.
    """
    before: list[str] = []
    after: list[str] = []
    for label, value in given.items():
        named = [place for place, _ in _places(label, value) if any(place in step for step in steps)]
        for place, part in [(label, value), *_places(label, value)]:
            if type(part) in (tuple, list, dict) and any(one.startswith(f"{place}[") for one in named):
                before.append(f"{place} = {'dict' if type(part) is dict else 'list'}({place})")
                if type(part) is tuple:
                    after.insert(0, f"{place} = tuple({place})")
    return (*before, *steps, *after)


def _places(label: str, value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yields all parts of a container with their places, outer ones before inner ones."""
    if depth == _DEEPEST:
        return
    # only the plain types: a class of the user's may be made otherwise than from its parts
    if type(value) in (tuple, list):
        parts = list(enumerate(value[:_MOST]))
    elif type(value) is dict:
        parts = [(key, part) for key, part in list(value.items())[:_MOST] if type(key) in (str, int)]
    else:
        return
    for key, part in parts:
        place = f"{label}[{key!r}]"
        yield place, part
        yield from _places(place, part, depth + 1)
