"""Fake backends for tests: real workers, real arrays, source that the test writes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from jitmagic.backends.numpy.runtime import NumpyRuntime
from jitmagic.backends.protocol import Availability, Draft, VariantRefusal
from jitmagic.capture.workload import ModuleText
from jitmagic.errors import Refusal


class AnyDevice(NumpyRuntime):
    """NumPy's runtime, for whatever device it is asked."""

    def start(self, device):
        return super().start("cpu")


@dataclass
class FakeBackend:
    """A backend whose variants are given as source; it runs on NumPy's runtime, in workers of its own."""

    name: str
    sources: Mapping[str, str]
    title: str = "Fake"
    runtime: str = "jitmagic.backends.numpy.runtime:NumpyRuntime"
    refusals: Mapping[str, str] = field(default_factory=dict)
    present: Availability = field(default_factory=lambda: Availability(True))

    def availability(self):
        return self.present

    def environment(self, device):
        return {}

    def drafts(self, workload, observed):
        made = [
            Draft(variant, self.name, "fake", "array", ModuleText(source, (None,) * source.count("\n")), "fn")
            for variant, source in self.sources.items()
        ]
        refused = [
            VariantRefusal(variant, self.name, "fake", Refusal(reason)) for variant, reason in self.refusals.items()
        ]
        return [*made, *refused]

    def revise(self, workload, observed, draft, failure):
        return Refusal(f"{failure.type}: {failure.message}")


@contextlib.contextmanager
def installed(*fakes: Any) -> Iterator[None]:
    """Puts fake backends beside NumPy's real one, wherever the steps look them up."""
    from jitmagic import backends
    from jitmagic.backends.numpy.backend import NumpyBackend
    from jitmagic.steps import run  # noqa: F401 - with it come all modules that hold the function by name

    table = {"numpy": NumpyBackend(), **{fake.name: fake for fake in fakes}}
    known = backends.all_backends
    with contextlib.ExitStack() as stack:
        for name, module in sys.modules.copy().items():  # other threads import meanwhile
            if name.partition(".")[0] == "jitmagic" and getattr(module, "all_backends", None) is known:
                stack.enter_context(mock.patch.object(module, "all_backends", return_value=table))
        yield
