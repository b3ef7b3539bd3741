"""Derivatives in PyTorch: by ``torch.func`` and by ``torch.autograd``, eager and compiled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from jitmagic.backends.protocol import Draft, Failure, VariantRefusal
from jitmagic.backends.torch.failures import explain
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal
from jitmagic.transforms.draft import TransformedDraft, made_around, wrapped
from jitmagic.transforms.signature import Around, with_import
from jitmagic.transforms.transform import Transform

FUNCTIONAL = {
    "grad": {"reverse": "torch.func.grad({f})({x})", "forward": "torch.func.jacfwd({f})({x})"},
    "jacobian": {"reverse": "torch.func.jacrev({f})({x})", "forward": "torch.func.jacfwd({f})({x})"},
    "hessian": {
        "fwd-rev": "torch.func.hessian({f})({x})",
        "rev-rev": "torch.func.jacrev(torch.func.grad({f}))({x})",
    },
    "vmap": {"vmap": "torch.vmap({f}{dims})({x})"},
}
"""By transformation and way, the value in ``torch.func``; these are compiled too."""

AUTOGRAD: Mapping[str, Mapping[str, str | None]] = {
    "grad": {"autograd": None},
    "jacobian": {
        "autograd": "torch.autograd.functional.jacobian({f}, {x})",
        "autograd-vmap": "torch.autograd.functional.jacobian({f}, {x}, vectorize=True)",
    },
    "hessian": {
        "autograd": "torch.autograd.functional.hessian({f}, {x})",
        "autograd-vmap": "torch.autograd.functional.hessian({f}, {x}, vectorize=True)",
    },
    "vmap": {},
}
"""The same in ``torch.autograd``; None for the classic two statements."""

_NOTES = {
    "reverse": "Reverse mode: one pass back for each element of the result.",
    "forward": "Forward mode: one pass for each element of the argument.",
    "fwd-rev": "As torch.func.hessian: forward mode over reverse mode.",
    "rev-rev": "Reverse mode over reverse mode.",
    "autograd-vmap": "All rows at once (torch.vmap) instead of one after the other.",
}

_COMPILED = "-compile"

_RULES = (
    (
        r"does not require grad and does not have a grad_fn|appears to not have been used in the graph",
        "the result does not depend on the argument in a way that torch can derive: a rounding, a comparison, an "
        "integer or a number taken out of an array stands between them",
    ),
    (
        r"got (?:unsupported type )?<class '(?:float|int|bool)'>|'float' object is not iterable",
        "the result is a number of Python's (float() or .item()), through which torch does not derive: return NumPy's",
    ),
    (
        r"modified by an inplace operation|a view of a leaf Variable|leaf Variable that requires grad is being used",
        "an array is written in place that the way back needs; make a new one",
    ),
    (
        r"vmap: .*inplace arithmetic|in-place operation .* batch|vmap: aten::\w+_\(self",
        "an array is written in place with values of a batch, which torch.vmap does not do; make a new one",
    ),
    (
        r"data-dependent control flow|\.item\(\) on a Tensor|vmap: It looks like you're",
        "a branch depends on a value, which is another one for each part of a batch: write `np.where`",
    ),
    (
        r"derivative for .* is not implemented|not differentiable|forward AD .* not .*(?:supported|implemented)"
        r"|Trying to use forward AD with",
        "torch has no derivative for an operation here",
    ),
)
"""What torch says where it cannot derive, and what it means."""


def drafts(
    asked: Transform, workload: Workload, eager: Draft | VariantRefusal, compiled: Draft | VariantRefusal
) -> Sequence[Draft | VariantRefusal]:
    """Writes the variants of a transformation from the eager variant of the function itself.

    What torch.compile cannot take of the function, it cannot take of its derivative.
    """
    refused = compiled if isinstance(compiled, VariantRefusal) else eager
    return [_draft(asked, workload, refused if way.endswith(_COMPILED) else eager, way) for way in _ways(asked)]


def _ways(asked: Transform) -> Iterator[str]:
    yield from FUNCTIONAL[asked.kind]
    yield from AUTOGRAD[asked.kind]
    yield from (way + _COMPILED for way in FUNCTIONAL[asked.kind])


def _draft(asked: Transform, workload: Workload, inner: Draft | VariantRefusal, way: str) -> Draft | VariantRefusal:
    if isinstance(inner, VariantRefusal):
        return VariantRefusal(f"torch-{way}", "torch", _mode(way), inner.refusal)
    return around_draft(asked, workload, inner, way)


def around_draft(asked: Transform, workload: Workload, inner: Draft, way: str) -> TransformedDraft:
    """Puts a derivative or a batch around a draft of the function."""
    made = made_around(asked, workload, inner)
    plain = way.removesuffix(_COMPILED)
    text = _text(asked, made, plain, compiled=way != plain)
    module = with_import(inner.module, "import torch")
    notes = tuple(note for key, note in _NOTES.items() if key == plain)
    draft = wrapped(asked, workload, inner, way, f"torch-{way}", _mode(way), text, module, made, notes)
    return replace(draft, names={**draft.names, "torch": "torch"})


def _mode(way: str) -> str:
    return "compile" if way.endswith(_COMPILED) else "eager"


def _text(asked: Transform, made: Around, way: str, compiled: bool) -> str:
    head = "@torch.compile(fullgraph=True)\n" if compiled else ""
    head += f"def {made.name}({made.parameters}):\n"
    x, call = made.argument, f"{made.inner}({made.passed})"
    form = {**FUNCTIONAL[asked.kind], **AUTOGRAD[asked.kind]}[way]
    if form is None:
        return f"{head}    {x} = {x}.detach().requires_grad_()\n    return torch.autograd.grad({call}, {x})[0]"
    function = made.inner if made.passed == x else f"lambda {x}: {call}"
    dims = f", in_dims={asked.axis}" if asked.axis else ""
    return f"{head}    return {form.format(f=function, x=x, dims=dims)}"


def revise(
    workload: Workload,
    draft: TransformedDraft,
    failure: Failure,
    inner: Callable[[Draft, Failure], Draft | Refusal],
) -> Draft | Refusal:
    """Answers a failure of a transformed draft; ``inner`` answers one of the function's own draft."""
    if draft.inner is None or draft.transform is None:
        raise ValueError(f"{draft.variant} stands around no draft")
    for pattern, reason in _RULES:
        if re.search(pattern, failure.message, re.DOTALL):
            told = explain(draft, replace(failure, message="", type=""))
            where = "" if told.line is None else f"line {told.line}: "
            return Refusal(where + reason, told.line)
    if failure.stage == "load" or draft.inner.form == "whole arrays":
        answer = inner(draft.inner, failure)
        if isinstance(answer, Draft):
            return around_draft(draft.transform, workload, answer, draft.way)
    return explain(draft, failure)
