"""What a backend writes for a transformation: a draft of the user's function with a function of ours around it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jitmagic.backends.protocol import Draft
from jitmagic.capture.workload import ModuleText, Workload
from jitmagic.transforms.signature import Around, around, with_function
from jitmagic.transforms.transform import Transform


@dataclass(frozen=True)
class TransformedDraft(Draft):
    """A draft of a transformation.

    Attributes
    ----------
    inner : Draft or None
        The draft of the user's own function that it stands around.
    transform : Transform or None
    way : str
        How it is done, e.g. ``"reverse"``: what its backend needs to write it again around another draft.
    """

    inner: Draft | None = None
    transform: Transform | None = None
    way: str = ""


def wrapped(
    transform: Transform, workload: Workload, inner: Draft, way: str, variant: str, mode: str, text: str,
    module: ModuleText, made: Around, notes: tuple[str, ...] = (),
) -> TransformedDraft:  # fmt: skip
    """Puts a function of ours behind a draft of the user's.

    Parameters
    ----------
    text : str
        The function of ours.
    module : ModuleText
        The draft's, with what the function needs imported.
    made : Around
        As :func:`made_around` returns it.
    """
    return TransformedDraft(
        variant=variant, backend=inner.backend, mode=mode, form=way, module=with_function(module, text),
        entry=made.name, static=inner.static, names=inner.names, needs=inner.needs, written=inner.written,
        notes=(*inner.notes, *notes), inner=inner, transform=transform, way=way,
    )  # fmt: skip


def made_around(transform: Transform, workload: Workload, inner: Draft) -> Around:
    """Finds the signature of the function around a draft's entry."""
    made = around(transform, workload, inner.module.text)
    return replace(made, inner=inner.entry)
