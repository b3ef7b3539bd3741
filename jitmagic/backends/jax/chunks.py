"""Write sums whose ends only the run tells as sums of chunks: a step of a compiled loop costs more than its addition.

    for k in range(start[i], stop[i]):            def body_k(chunk, s):
        s += data[k]*x[column[k]]          ->         def term(k):
                                                          return data[k]*x[column[k]]
                                                      k = start[i] + 32*chunk + jnp.arange(32)
                                                      return s + jnp.sum(jax.vmap(term)(k), where=k < stop[i])

What a chunk reads beyond the end is left out by ``where``; JAX reads no memory that is not the array's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.tracing import Tracing
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, made, small, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.walking import nodes_of

CHUNK = 32
"""Terms that one step adds up."""

_WORTH = 16
"""Steps that the loop has to have taken in the example."""

_NUMBERS = frozenset({"int", "float", "complex", "scalar"})


def chunked(
    module: Module, tracing: Tracing, node: cst.For, function: str, body: Sequence[Any], carry: Sequence[str],
    counted: tuple[str, str, str], taken: set[str],
) -> list[Any] | None:  # fmt: skip
    """Returns the statements for a loop that adds up one number a step; None for another loop.

    Parameters
    ----------
    module : Module
    tracing : Tracing
        Of the function that the loop stands in.
    node : libcst.For
        As it was.
    function : str
        Name of the body's function.
    body : sequence of statements
        Its body, rewritten.
    carry : sequence of str
        The names that the loop carries.
    counted : tuple of str
        The loop's variable, where it begins and where it ends.
    taken : set of str
        Names in use.
    """
    if len(carry) != 1 or not isinstance(node.iter, cst.Call) or not _is_long(module, node):
        return None
    if not any(tracing.expression(argument.value) for argument in node.iter.args):
        return None
    total = carry[0]
    facts = tracing.kinds.names.get(total, [])
    if not facts or any(not fact.kinds <= _NUMBERS for fact in facts):
        return None
    *before, last = body
    term = _term(small(last), total)
    plain = all(isinstance(one, cst.SimpleStatementLine) and isinstance(small(one), cst.Assign) for one in before)
    if term is None or not plain or any(total in name_tools.all_names(one) for one in before):
        return None
    index, start, stop = counted
    if {index, total} & (name_tools.loads(_parsed(start)) | name_tools.loads(_parsed(stop))):
        return None
    one, chunk = _free("term", taken), _free("chunk", taken)
    inner = with_body(made(f"def {one}({index}):\n    pass\n", node), [*before, made(f"return {code(term)}\n", last)])
    first = "" if start == "0" else f"{_operand(start)} + "
    lines = [
        inner,
        made(f"{index} = {first}{CHUNK}*{chunk} + __numpy__.arange({CHUNK})\n", node),
        made(f"return {total} + __numpy__.sum(__jax__.vmap({one})({index}), where={index} < {_operand(stop)})\n", last),
    ]
    length = _operand(stop) if start == "0" else f"{_operand(stop)} - {_operand(start)}"
    end = f"({length} + {CHUNK - 1})//{CHUNK}"
    definition = with_body(made(f"def {function}({chunk}, {total}):\n    pass\n", node), lines)
    return [definition, made(f"{total} = __jax__.lax.fori_loop(0, {end}, {function}, {total})\n", node)]


def _is_long(module: Module, node: cst.For) -> bool:
    observed = module.observed
    try:
        line = module.span(node).line
    except KeyError:
        return False
    seen = observed.loops.get(line) if observed is not None else None
    return seen is not None and seen.trips_high >= _WORTH


def _term(statement: Any, total: str) -> cst.BaseExpression | None:
    """Returns what `s += x` or `s = s + x` adds to the total."""
    if isinstance(statement, cst.AugAssign) and isinstance(statement.operator, cst.AddAssign):
        term: cst.BaseExpression = statement.value
        target: cst.BaseExpression = statement.target
    elif isinstance(statement, cst.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0].target, statement.value
        if not isinstance(value, cst.BinaryOperation) or not isinstance(value.operator, cst.Add):
            return None
        if code(value.left) != total:
            return None
        term = value.right
    else:
        return None
    if code(target) != total or total in name_tools.loads(term) or nodes_of(term, cst.Lambda):
        return None
    return term


def _free(wanted: str, taken: set[str]) -> str:
    name = wanted
    number = 2
    while name in taken:
        name = f"{wanted}_{number}"
        number += 1
    return name


def _parsed(text: str) -> cst.BaseExpression:
    return cst.parse_expression(text)


def _operand(text: str) -> str:
    simple = isinstance(_parsed(text), cst.Name | cst.Subscript | cst.Attribute | cst.Integer | cst.Call)
    return text if simple else f"({text})"
