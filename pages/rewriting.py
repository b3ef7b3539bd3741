"""The page of how the engine rewrites: small functions, and what it makes of them today."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jitmagic.backends import all_backends
from jitmagic.backends.protocol import Draft, VariantRefusal
from jitmagic.capture.call import from_call
from jitmagic.capture.cell import plan
from jitmagic.capture.workload import Workload
from jitmagic.observe.facts import Observation
from jitmagic.observe.run import observe


@dataclass(frozen=True)
class Case:
    """One function, and which of its variants the page shows.

    Attributes
    ----------
    title, about : str
        What is to be seen.
    source : str
        Functions, set-up and call, as in a cell.
    shown : mapping of str to str
        A variant's name, and what there is to say of it.
    """

    title: str
    about: str
    source: str
    shown: Mapping[str, str]


CASES = (
    Case(
        "What needs no change is left as it is",
        "A function whose every operation the library knows keeps its text, its comments and its names. Only what has "
        "to be there is added.",
        """
        def energy(v, m):
            # kinetic energy of each particle, in J
            return 0.5 * m * np.sum(v**2, axis=1)

        energy(rng.standard_normal((1000, 3)), 2.0)
        """,
        {
            "jax": "JAX has NumPy's functions under another name.",
            "torch": "torch spells them otherwise, and takes `dim` for `axis`.",
        },
    ),
    Case(
        "A loop of independent steps",
        "No step reads what another has written, and each writes an element of its own: this is proved from the "
        "subscripts. So the order of the steps does not matter.",
        """
        def rows(A, x):
            y = np.empty(A.shape[0])
            for i in range(A.shape[0]):
                y[i] = np.dot(A[i], x)
            return y

        rows(rng.standard_normal((200, 50)), rng.standard_normal(50))
        """,
        {
            "numba-parallel": "In Numba the steps run in threads: `prange` stands only where this was proved.",
            "jax": "In JAX they become one function of a step, mapped over all of them.",
            "torch": "In torch they become whole-array code, where there is such a form.",
        },
    ),
    Case(
        "A recurrence",
        "Each step needs the one before. Whole-array code cannot say that, and a Python loop under `jax.jit` would be "
        "written out step by step.",
        """
        def smooth(x, a):
            y = np.empty_like(x)
            y[0] = x[0]
            for i in range(1, len(x)):
                y[i] = a * x[i] + (1 - a) * y[i - 1]
            return y

        smooth(rng.standard_normal(1000), 0.1)
        """,
        {
            "numba": "Numba compiles the loop as it stands.",
            "jax": "For JAX it is a `scan` that carries what is needed.",
        },
    ),
    Case(
        "A loop whose length is known only when it ends",
        "The condition reads values that the loop computes.",
        """
        def newton(a):
            x = a
            steps = 0
            while abs(x * x - a) > 1e-12 * a and steps < 100:
                x = 0.5 * (x + a / x)
                steps += 1
            return x, steps

        newton(2.0)
        """,
        {"jax": "`while_loop` carries the names that change."},
    ),
    Case(
        "A choice that depends on values",
        "JAX traces a function without knowing its values, so that `if` cannot see them.",
        """
        def clipped(x, limit):
            total = 0.0
            for i in range(len(x)):
                if x[i] > limit:
                    total += limit
                elif x[i] > 0:
                    total += x[i]
            return total

        clipped(rng.standard_normal(1000), 1.0)
        """,
        {"numba": "Numba takes it as it is.", "jax": "In JAX both sides are computed, and one is chosen."},
    ),
    Case(
        "Arguments that are written to",
        "NumPy changes the caller's array. JAX's arrays cannot be changed, and a variant that left the caller's array "
        "alone would not do the same.",
        """
        def shift(u):
            u[1:] = u[:-1]

        shift(rng.standard_normal(1000))
        """,
        {
            "numba": "Numba would read elements that the same statement has just overwritten "
            "([NB-OVERLAP](gotchas/NB-OVERLAP.md)): the right side is copied first.",
            "jax": "The compiled part returns the new array, and a thin wrapper writes it back.",
        },
    ),
    Case(
        "Slices that grow with the index",
        "The shape of `x[:i]` changes in every step, and JAX compiles for one shape.",
        """
        def forward_substitution(L, b):
            x = np.zeros_like(b)
            for i in range(len(b)):
                x[i] = (b[i] - np.dot(L[i, :i], x[:i])) / L[i, i]
            return x

        forward_substitution(np.tril(rng.uniform(1, 2, (50, 50))), rng.standard_normal(50))
        """,
        {"jax": "The whole row is read in every step, and what lies behind `i` is left out of the sum."},
    ),
    Case(
        "Several statements over whole arrays",
        "NumPy makes an array for every operation. A compiler needs none of them.",
        """
        def score(x, y):
            d = x - y
            s = np.sqrt(d * d + 1.0)
            return np.sum(s - 1.0)

        score(rng.standard_normal(1000), rng.standard_normal(1000))
        """,
        {"numba": "Numba gets one loop, and no array in between."},
    ),
    Case(
        "An array that each step pads",
        "`np.pad` copies the whole array in each step, to put a frame around it.",
        """
        def diffuse(u, rate, steps):
            for _ in range(steps):
                padded = np.pad(u, 1)
                u = u + rate * (padded[2:] - 2 * u + padded[:-2])
            return u

        diffuse(rng.random(1000), 0.2, 40)
        """,
        {"numba": "Two arrays stay in their frames, and take turns: each step writes into the other one."},
    ),
    Case(
        "Pairs of points, without the matrix of pairs",
        "Distances of all pairs are arrays of n × m numbers, and more with their components. Where only a sum, an "
        "extreme or its place is wanted of them, the loops keep each for as long as it is needed.",
        """
        def smooth(points, centres, weights, width):
            d = points[:, None, :] - centres[None, :, :]
            d2 = d[..., 0]**2 + d[..., 1]**2
            nearest = np.argmin(d2, axis=1)
            value = np.exp(-d2 / width) @ weights
            return value, nearest

        smooth(rng.random((400, 2)), rng.random((50, 2)), rng.random(50), 0.1)
        """,
        {"numba": "The components are subtracted where they are read; the product with the weights is a sum."},
    ),
    Case(
        "What is refused",
        "What cannot be said in a library is not guessed at: the reason names the line.",
        """
        def walk(rng, n):
            x = 0.0
            for i in range(n):
                if x < 3.0:
                    x += rng.random()
                else:
                    x -= 1.0
            return x

        walk(np.random.default_rng(1), 50)
        """,
        {
            "numba": "Numba knows NumPy's generators and draws the same numbers.",
            "numba-parallel": "",
            "jax": "",
            "torch-compile": "",
        },
    ),
)

_HEAD = """\
# How the engine rewrites

*Made by running the engine on these functions (`python -m pages`); do not edit. A test runs what stands here.*

The engine goes from source to source: what you see is what runs, and it runs without jitmagic. It follows these rules:

- **Facts first.** The function is run once under watch, with your arguments: dtypes, shapes, which lines ran, what was
  changed. What the text proves (which names may be the same memory, whether the steps of a loop are independent) is
  proved apart from that; what only your arguments showed is never taken for proved.
- **As little as can be.** Statements that need no change keep their text, with their comments.
- **Several forms.** Where it is not clear which form is the faster, several are written and the clock decides. Where a
  library refuses a form, the next rung of a ladder is tried: a lowered loop, whole arrays, a loop written out where it
  is short, parts of the function.
- **No guess.** What cannot be proved is refused, with the line and the reason.

Each variant below is what is written first for the call that stands under the function; `rng` is
`np.random.default_rng(0)`.
"""


def page() -> str:
    """Returns the page as Markdown."""
    return "\n".join([_HEAD, *(line for case in CASES for line in _section(case))])


def _section(case: Case) -> Iterator[str]:
    workload, observed = captured(case)
    yield f"## {case.title}\n"
    yield _prose(case.about)
    yield f"```python\n{_cell(case)}```\n"
    for name, words in case.shown.items():
        made = variants(workload, observed)[name]
        yield f"### {name}\n"
        if words:
            yield _prose(words)
        if isinstance(made, VariantRefusal):
            yield _prose(f"> unsupported: {made.refusal.reason}").replace("\n", "\n> ").removesuffix("> ")
        else:
            yield f"```python\n{made.module.text.strip()}\n```\n"


def captured(case: Case) -> tuple[Workload, Observation]:
    """Captures a case as a cell, and runs it under watch."""
    planned = plan(_cell(case), None)
    # set up outside of the cell, so that a line in a reason is a line of what the page shows
    namespace: dict[str, Any] = {"__name__": "__main__", "np": np, "rng": np.random.default_rng(0)}
    exec(compile(planned.setup, "<cell>", "exec"), namespace)
    workload = from_call(
        planned.call, namespace, sources=planned.definitions, function=planned.function, line=planned.call_line
    )
    observed = observe(
        workload.module.text,
        workload.function.name,
        dict(workload.constants),
        lambda: copy.deepcopy((workload.args, dict(workload.kwargs))),
        workload.argument_names,
    )
    return workload, observed.observation


def variants(workload: Workload, observed: Observation) -> Mapping[str, Draft | VariantRefusal]:
    """Returns what each backend writes first, by variant."""
    with np.errstate(all="ignore"):
        return {
            made.variant: made
            for backend in all_backends().values()
            if backend.name != "numpy"
            for made in backend.drafts(workload, observed)
        }


def _cell(case: Case) -> str:
    return textwrap.dedent(case.source).strip("\n") + "\n"


def _prose(text: str) -> str:
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False) + "\n"
