"""Derivatives in JAX: one line around the function's own variant, for each order of forward and reverse."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from jitmagic.backends.jax.partial import PartialDraft
from jitmagic.backends.protocol import Draft, Failure, VariantRefusal
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal
from jitmagic.transforms.draft import TransformedDraft, made_around, wrapped
from jitmagic.transforms.signature import Around
from jitmagic.transforms.transform import Transform

WAYS = {
    "grad": {"reverse": "{jax}.grad({f}{at})", "forward": "{jax}.jacfwd({f}{at})"},
    "jacobian": {"reverse": "{jax}.jacrev({f}{at})", "forward": "{jax}.jacfwd({f}{at})"},
    "hessian": {
        "fwd-rev": "{jax}.jacfwd({jax}.grad({f}{at}){at})",
        "rev-rev": "{jax}.jacrev({jax}.grad({f}{at}){at})",
        "fwd-fwd": "{jax}.jacfwd({jax}.jacfwd({f}{at}){at})",
    },
    "vmap": {"vmap": "{jax}.vmap({f}, in_axes={axes})"},
}
"""By transformation and way, what stands inside ``jax.jit``."""

_NOTES = {
    "reverse": "Reverse mode: one pass back for each element of the result.",
    "forward": "Forward mode: one pass for each element of the argument.",
    "fwd-rev": "As jax.hessian: forward mode over reverse mode.",
    "rev-rev": "Reverse mode over reverse mode.",
    "fwd-fwd": "Forward mode over forward mode.",
}

_BACK_THROUGH_LOOP = re.compile(r"Reverse-mode differentiation does not work for")
_LOOP = re.compile(r"\b(while_loop|fori_loop)\(")
_NO_DERIVATIVE = re.compile(r"[Pp]ure callbacks? do(?:es)? not support|IO callbacks do not support")


def drafts(
    asked: Transform, workload: Workload, made: Sequence[Draft | VariantRefusal]
) -> Sequence[Draft | VariantRefusal]:
    """Writes the variants of a transformation from those of the function itself."""
    first = made[0]
    return [_draft(asked, workload, first, way) for way in WAYS[asked.kind]]


def _draft(asked: Transform, workload: Workload, inner: Draft | VariantRefusal, way: str) -> Draft | VariantRefusal:
    variant = f"jax-{way}"
    if isinstance(inner, VariantRefusal):
        return VariantRefusal(variant, "jax", way, inner.refusal)
    if isinstance(inner, PartialDraft):
        return VariantRefusal(variant, "jax", way, _partial(inner))
    return around_draft(asked, workload, inner, way)


def around_draft(asked: Transform, workload: Workload, inner: Draft, way: str) -> TransformedDraft:
    """Puts a derivative or a batch around a draft of the function."""
    made = made_around(asked, workload, inner)
    jax = next((name for name, path in inner.names.items() if path == "jax"), "jax")
    text = _text(asked, made, way, jax, inner.static)
    notes = tuple(note for key, note in _NOTES.items() if key == way)
    return wrapped(asked, workload, inner, way, f"jax-{way}", way, text, inner.module, made, notes)


def _text(asked: Transform, made: Around, way: str, jax: str, static: Sequence[str]) -> str:
    fixed = f", static_argnames={tuple(static)!r}" if static else ""
    form = WAYS[asked.kind][way]
    if made.position is not None and (made.plain and not static if asked.kind == "vmap" else True):
        at = f", argnums={made.position}" if made.position else ""
        count = made.passed.count(",") + 1
        axes = tuple(asked.axis if place == made.position else None for place in range(count))
        written = repr(axes) if count > 1 else str(asked.axis)
        return f"{made.name} = {jax}.jit({form.format(jax=jax, f=made.inner, at=at, axes=written)}{fixed})"
    # the argument is given by its name, or others are: only it goes through the transformation
    body = f"lambda {made.argument}: {made.inner}({made.passed})"
    value = form.format(jax=jax, f=body, at="", axes=asked.axis)
    head = f"@{jax}.jit" if not static else f"@{jax}.jit(static_argnames={tuple(static)!r})"
    return f"{head}\ndef {made.name}({made.parameters}):\n    return {value}({made.argument})"


def revise(
    workload: Workload,
    draft: TransformedDraft,
    failure: Failure,
    inner: Callable[[Draft, Failure], Draft | Refusal],
    fixed: Callable[[Draft], Draft | Refusal | None],
) -> Draft | Refusal:
    """Answers a failure of a transformed draft.

    Parameters
    ----------
    inner : callable
        Answers a failure of the function's own draft.
    fixed : callable
        Writes that draft anew with its whole numbers as constants; None where they are already.
    """
    if draft.inner is None or draft.transform is None:
        raise ValueError(f"{draft.variant} stands around no draft")
    if _BACK_THROUGH_LOOP.search(failure.message):
        answer = fixed(draft.inner)
        if answer is None or isinstance(answer, Refusal) or answer.module == draft.inner.module:
            return _no_way_back(draft)
    elif _NO_DERIVATIVE.search(failure.message):
        return Refusal("a part of the function is called back in Python, through which JAX does not derive")
    else:
        answer = inner(draft.inner, failure)
    if isinstance(answer, Refusal):
        return answer
    if isinstance(answer, PartialDraft):
        return _partial(answer)
    return around_draft(draft.transform, workload, answer, draft.way)


def _partial(inner: PartialDraft) -> Refusal:
    why = inner.refusal or Refusal("a part of it stays in NumPy")
    return Refusal(f"JAX goes through what it compiles whole alone, and here {why.reason}", why.line, why.code)


def _no_way_back(draft: TransformedDraft) -> Refusal:
    """Says which loop reverse mode cannot go back through."""
    line = None
    for number, text in enumerate(draft.module.text.splitlines(), 1):
        if _LOOP.search(text):
            line = _nearest(draft, number)
            break
    where = f"line {line}: " if line is not None else ""
    forward = "jax-forward" if "hessian" not in draft.entry else "jax-fwd-fwd"
    return Refusal(
        f"{where}reverse mode cannot go back through a loop whose number of steps is known only when it runs; "
        f"{forward} can, and so can a loop over a fixed range",
        line,
    )


def _nearest(draft: TransformedDraft, number: int) -> int | None:
    """Returns the user's line of a draft's line, or of the nearest one before it: loops are called on lines of ours."""
    while number > 0:
        line = draft.module.origin_line(number)
        if line is not None:
            return line
        number -= 1
    return None
