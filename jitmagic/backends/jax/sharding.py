"""The variant whose rows lie on all devices of a kind: JAX splits the computation as its arguments are split.

It is for a function of rows that know nothing of each other. That is not guessed here: every argument that has as many
rows as the result is spread, and XLA says in the worker whether it would have to send rows between devices for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jitmagic.backends.protocol import Draft, Failure
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal
from jitmagic.observe.facts import Observation, ValueFact
from jitmagic.transforms.checks import definition
from jitmagic.transforms.signature import fresh, passing, with_function, with_import

MODE = "sharded"

_SPREAD = '''
def {name}({parameters}):
    """{inner} with the rows of {listed} spread over all devices."""
    {targets} = jax.device_put({values}, {rows})
    return {inner}({passed})
'''
_ROWS = '''
{mesh} = jax.sharding.Mesh(jax.devices(), ("rows",))
{rows} = jax.sharding.NamedSharding({mesh}, jax.sharding.PartitionSpec("rows"))
'''


@dataclass(frozen=True)
class ShardedDraft(Draft):
    """A draft with rows spread; ``inner`` is the one for a single device."""

    inner: Draft | None = None


def sharded(workload: Workload, observed: Observation, inner: Draft) -> ShardedDraft | None:
    """Puts the spreading around a draft; None where its result has no rows, or its arguments have others.

    What writes into its arguments works on NumPy's own arrays, and what runs in parts goes through NumPy.
    """
    node = definition(workload)
    if node is None or inner.written or observed.mutated or inner.form == "partial":
        return None
    parameters, passed = passing(node)
    plain = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    rows = _rows(observed.result)
    spread = tuple(
        name for name in plain
        if rows is not None and _rows(observed.arguments.get(name)) == rows and name not in inner.static
    )  # fmt: skip
    if not spread:
        return None
    taken = inner.module.text
    name, place = fresh(f"{inner.entry}_sharded", taken), fresh("rows", taken)
    listed = spread[0] if len(spread) == 1 else f"{', '.join(spread[:-1])} and {spread[-1]}"
    values = spread[0] if len(spread) == 1 else f"({', '.join(spread)})"
    text = _SPREAD.format(
        name=name, parameters=parameters, inner=inner.entry, listed=listed, targets=", ".join(spread), values=values,
        rows=place, passed=passed,
    )  # fmt: skip
    layout = _ROWS.format(rows=place, mesh=fresh("mesh", taken)).strip("\n")
    module = with_function(with_import(inner.module, "import jax"), f"{layout}\n\n{text}")
    own = {one: getattr(inner, one) for one in ("backend", "form", "static", "names", "needs", "notes")}
    return ShardedDraft(variant="jax-sharded", mode=MODE, module=module, entry=name, spread=spread, inner=inner, **own)


def answer(draft: ShardedDraft, failure: Failure) -> Refusal:
    """Says why rows cannot be spread."""
    listed = ", ".join(draft.spread)
    if "IndivisibleError" in failure.classes:
        counts = re.search(r"partitioned (\d+) times, but the dimension size is (\d+)", failure.message)
        found = f"{counts[2]} rows on {counts[1]} devices" if counts else "so many rows"
        return Refusal(f"{found} are not as many on each; pad {listed} until they are")
    return Refusal(f"its rows are not independent: {failure.message}; on one device they are at hand")


def again(workload: Workload, observed: Observation, inner: Draft) -> Draft | Refusal:
    """Spreads the rows around another form of the function."""
    made = sharded(workload, observed, inner)
    return made if made is not None else Refusal("the form of it that JAX takes has no arguments with rows to spread")


def cpu_devices(environment: Mapping[str, str] = os.environ) -> int:
    """Returns into how many devices JAX divides the CPU: one, but where the user's environment says otherwise.

    >>> cpu_devices({"JAX_NUM_CPU_DEVICES": "4"}), cpu_devices({})
    (4, 1)
    >>> cpu_devices({"XLA_FLAGS": "--xla_force_host_platform_device_count=8"})
    8
    """
    told = environment.get("JAX_NUM_CPU_DEVICES", "")
    flag = re.search(r"--xla_force_host_platform_device_count=(\d+)", environment.get("XLA_FLAGS", ""))
    count = told if told.isdigit() else flag[1] if flag else "1"
    return max(int(count), 1)


def _rows(fact: ValueFact | None) -> int | None:
    """Returns how many rows a value has; of several values, as many as each of them has."""
    if fact is None:
        return None
    if fact.kind == "tuple" and fact.items:
        counts = {_rows(item) for item in fact.items}
        return counts.pop() if len(counts) == 1 else None
    return fact.shape[0] if fact.kind == "array" and fact.shape else None
