"""Random numbers: NumPy goes on drawing them, at the same places and from the same stream; the result becomes a tensor.

torch's own generators give another stream, with which no result could be compared.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.analysis.memory import GENERATOR_METHODS
from jitmagic.backends.torch.calls import atom, code
from jitmagic.backends.torch.expressions import Expressions
from jitmagic.backends.torch.kinds import OTHER, Value, from_fact
from jitmagic.backends.torch.naming import BREAK

_SHUFFLES = frozenset({"shuffle"})


class Draws(Expressions):
    """Keeps NumPy's calls that draw.

    Attributes
    ----------
    draws : int
        How many calls on the global generator or on one of its own were kept.
    """

    draws: int = 0

    def draws_by_method(self, original: cst.Call) -> bool:
        """Tells whether a call is a draw from a generator object (``rng.normal(…)``)."""
        drawing = GENERATOR_METHODS | _SHUFFLES
        if not isinstance(original.func, cst.Attribute) or original.func.attr.value not in drawing:
            return False
        owner = self.fact(original.func.value)
        return owner is not None and owner.kind == "object"

    def drawn(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Keeps a call of NumPy's that draws, its arguments brought to the host and its result to the device."""
        assert isinstance(original.func, cst.Attribute | cst.Name)
        if self.compiled:
            self.fail("draws random numbers, which torch.compile would take from another stream: pass them in", BREAK)
        self.draws += 1
        name = original.func.attr.value if isinstance(original.func, cst.Attribute) else original.func.value
        if name in _SHUFFLES:
            return self._shuffled(original, updated)
        args = [
            new.with_changes(value=self._host(old.value, new.value))
            for old, new in zip(original.args, updated.args, strict=True)
        ]
        call = updated.with_changes(args=args)
        seen = self.fact(original)
        if seen is None and not self._discarded(original):
            self.fail("draws random numbers where it was not seen what they are: pass them in")
        value = from_fact(seen)
        self.values[original] = value if value.kind != "unknown" else OTHER
        if not value.is_tensor:
            return call
        device = self.scope.device
        if value.scalar:
            rest = f", device={device}" if device else ""
            text = f"{self.spell('torch.tensor')}({code(call)}, dtype={self.typed(value.dtype or 'float64')}{rest})"
            return cst.parse_expression(text)
        self.typed(value.dtype or "float64")
        place = f", device={device}" if device else ""
        return cst.parse_expression(f"{self.spell('torch.as_tensor')}({code(call)}{place})")

    def _discarded(self, original: cst.Call) -> bool:
        return original in self.statements

    def _host(self, original: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression:
        value = self.value(original)
        if value.is_tensor and value.ndim == 0:
            return cst.parse_expression(f"{atom(updated)}.item()")
        if value.is_tensor:
            return cst.parse_expression(f"{atom(updated)}.numpy(force=True)")
        if value.kind == "either" or (value.kind == "sequence" and any(item.may_be_tensor for item in value.items)):
            self.fail("draws random numbers by a list with array elements: draw outside and pass them in")
        return updated

    def _shuffled(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Writes ``rng.shuffle(x)`` as a permutation, which draws alike for a vector and needs no memory in common."""
        value = self.value(original.args[0].value) if len(original.args) == 1 else Value("unknown")
        self.values[original] = OTHER
        if value.kind == "sequence" or value.kind == "other":
            return updated
        if not value.is_tensor or value.ndim != 1:
            self.fail("shuffles other than a vector: take `rng.permutation(len(x))` and index by it")
        owner = updated.func.value if isinstance(updated.func, cst.Attribute) else None
        if owner is None:
            self.fail("shuffles by a bare name: write `np.random.shuffle`")
        x = atom(updated.args[0].value)
        drawn = f"{self.spell('torch.as_tensor')}({code(owner)}.permutation({x}.numpy(force=True)))"
        return cst.parse_expression(f"{x}.copy_({drawn})")
