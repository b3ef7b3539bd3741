"""Writes the function around the compiled core: argument checks outside, mutated arguments written back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.jax.exchanges import Own
from jitmagic.backends.jax.list_results import Given
from jitmagic.backends.jax.raising import Raised
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, made, small, statements, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import returns_of


@dataclass(frozen=True)
class Returns:
    """What a function gives back: values, a mutated parameter itself, or nothing."""

    value: bool
    parameter: str | None


@dataclass(frozen=True)
class GivenBack:
    """Names for the core's results, and the expression that makes the user's result of them."""

    names: tuple[str, ...]
    shown: str


def argument_checks(function: cst.FunctionDef, traced: Any) -> tuple[list[Any], list[Any]]:
    """Splits a function's leading checks of traced arguments off its body.

    Returns
    -------
    checks, rest : list of statements
        ``if …: raise …`` and ``assert`` at the head that read parameters alone; the docstring stays in ``rest``.
    """
    body = list(statements(function))
    parameters = set(name_tools.parameters(function))
    checks: list[Any] = []
    rest: list[Any] = []
    for position, node in enumerate(body):
        one = small(node)
        if (
            position == 0
            and isinstance(one, cst.Expr)
            and isinstance(one.value, cst.SimpleString | cst.ConcatenatedString)
        ):
            rest.append(node)
            continue
        test = None
        if isinstance(node, cst.If) and node.orelse is None and len(statements(node)) == 1:
            test = node.test if isinstance(small(statements(node)[0]), cst.Raise) else None
        elif isinstance(one, cst.Assert):
            test = one.test
        if test is None:
            return checks, rest + body[position:]
        reads = name_tools.loads(node) & name_tools.bound(function)
        if traced(test) and reads <= parameters:
            checks.append(node)
        else:
            rest.append(node)
    return checks, rest


def returning(module: Module, function: cst.FunctionDef, mutated: Sequence[str]) -> tuple[cst.FunctionDef, Returns]:
    """Lets a function return its mutated parameters behind its own value.

    Raises
    ------
    Unsupported
        Where some ``return`` gives the mutated argument itself and another one something else.
    """
    own = returns_of(function)
    parameters = {r.value.value for r in own if isinstance(r.value, cst.Name) and r.value.value in mutated}
    values = [r for r in own if r.value is not None and not (isinstance(r.value, cst.Name) and r.value.value == "None")]
    parameter = None
    if parameters:
        if len(parameters) > 1 or len(values) != len(
            [r for r in values if r.value is not None and code(r.value) in parameters]
        ):
            line = module.line(own[0])
            raise Unsupported(
                f"line {line}: the function returns its own argument on one path and something else on another; "
                "return the "
                "same thing on every path",
                line,
                "JX-ARGMUT",
            )
        parameter = next(iter(parameters))
    given = ", ".join(mutated)
    value = bool(values) and parameter is None
    new: Any = function.visit(_Returning(module, given, value))
    body = list(statements(new))
    last = small(body[-1]) if body else None
    if not isinstance(last, cst.Return) and not _ends(body):
        body.append(made(f"return {'None, ' if value else ''}{given}"))
    result: cst.FunctionDef = with_body(new, body)
    return result, Returns(value, parameter)


def _ends(body: Sequence[Any]) -> bool:
    from jitmagic.backends.jax.branches import always_returns

    return always_returns(body)


class _Returning(Rewriter):
    def __init__(self, module: Module, given: str, value: bool) -> None:
        super().__init__(module)
        self.given = given
        self.value = value
        self.depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self.depth += 1
        return self.depth == 1

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self.depth -= 1
        return updated_node

    def leave_Return(self, original_node: cst.Return, updated_node: cst.Return) -> cst.Return:
        text = self.given
        if self.value:
            value = updated_node.value
            shown = "None" if value is None else code(value)
            if isinstance(value, cst.Tuple) and not value.lpar:
                shown = f"({shown})"
            text = f"{shown}, {self.given}"
        return made(f"return {text}").body[0]


def wrapper(
    function: cst.FunctionDef, core: str, mutated: Sequence[str], returns: Returns, checks: Sequence[Any],
    draws: Sequence[Any] = (), given: GivenBack | None = None, own: Own | None = None,
    grown: Given | None = None, jax: str = "jax", raised: Sequence[Raised] = (),
) -> cst.FunctionDef:  # fmt: skip
    """Makes the function with the user's name and signature.

    Parameters
    ----------
    function : libcst.FunctionDef
        The user's, for signature and docstring.
    core : str
        Name of the compiled function.
    mutated : sequence of str
        Parameters to write back.
    returns : Returns
    checks : sequence of statements
        Argument checks to stand at the head.
    draws : sequence of statements
        Statements that draw random numbers, for which the core has parameters.
    given : GivenBack, optional
        What is returned, where it differs from the core's results.
    own : Own, optional
        When the result is a parameter itself.
    grown : Given, optional
        What is to be done about lists that grow.
    jax : str
        The name of JAX in the module.
    raised : sequence of Raised
        What is to be raised where the compiled function says so.
    """
    call = f"{core}({call_arguments(function)})"
    body: list[Any] = []
    first: Any = statements(function)[0]
    one = small(first)
    if isinstance(one, cst.Expr) and isinstance(one.value, cst.SimpleString | cst.ConcatenatedString):
        body.append(first)
    body += checks
    body += draws
    if grown is not None:
        return with_body(function, [*body, *_with_lists(function, call, mutated, returns, grown, jax)])
    if given is not None:
        body.append(made(f"{', '.join(given.names)} = {call}"))
        body.append(made(f"return {given.shown}"))
        return with_body(function, body)
    if raised:
        result = name_tools.fresh("result", name_tools.all_names(function))
        body.append(made(f"{', '.join([result, *(one.flag for one in raised)])} = {call}"))
        for one in raised:
            line = made(f"if {one.flag}:\n    pass\n", one.statement)
            body.append(with_body(line, [one.statement.with_changes(leading_lines=[])]))
        body.append(made(f"return {result}"))
        return with_body(function, body)
    if not mutated:
        body.append(made(f"return {call}"))
        return with_body(function, body)
    star = function.params.star_arg
    starred = star.name.value if isinstance(star, cst.Param) else None
    names = [name_tools.fresh(f"new_{m}", name_tools.all_names(function)) for m in mutated]
    plain = len(mutated) == 1 and not returns.value and mutated[0] != starred
    comment = cst.EmptyLine(
        comment=cst.Comment("# JAX arrays do not change: the new contents are written into the caller's")
    )
    if plain:
        line = made(f"{mutated[0]}[...] = {call}").with_changes(leading_lines=[comment])
        body.append(line)
    else:
        result = "(result, swapped)" if own is not None else "result"
        left = [*([result] if returns.value else []), *names]
        body.append(made(f"{', '.join(left)} = {call}"))
        for position, (name, new) in enumerate(zip(mutated, names, strict=True)):
            if name == starred:
                line = made(f"for old, new in zip({name}, {new}):\n    old[...] = new\n")
            else:
                line = made(f"{name}[...] = {new}")
            body.append(line.with_changes(leading_lines=[comment] if position == 0 else []))
    if returns.parameter is not None:
        body.append(made(f"return {returns.parameter}"))
    elif own is not None:
        either = (own.parameter, "result") if own.swapped else ("result", own.parameter)
        body.append(made(f"return {either[0]} if swapped else {either[1]}"))
    elif returns.value:
        body.append(made("return result"))
    return with_body(function, body)


def _with_lists(
    function: cst.FunctionDef, call: str, mutated: Sequence[str], returns: Returns, grown: Given, jax: str
) -> list[Any]:
    """Returns the statements that call the core with enough room, and make lists of the arrays that stand for them."""
    names = [name_tools.fresh(f"new_{m}", name_tools.all_names(function)) for m in mutated]
    left = ", ".join(grown.results) + ("," if len(grown.results) == 1 and not returns.value else "")
    if returns.value and mutated:
        left = f"({left})" if len(grown.results) > 1 else left
    several = len(grown.results) != 1 or bool(mutated)
    targets = ", ".join([*([left] if grown.results else []), *names]) if several else grown.results[0]
    body: list[Any] = []
    if grown.room:
        comment = cst.Comment("# how long the lists may become: where one becomes longer, all is computed again")
        first = made(f"{grown.room} = {grown.first}").with_changes(leading_lines=[cst.EmptyLine(comment=comment)])
        body.append(first)
        text = f"while True:\n    {targets} = {call}\n    if not {grown.full}:\n        break\n    {grown.room} *= 2\n"
        body.append(made(text))
    else:
        body.append(made(f"{targets} = {call}"))
    comment = cst.Comment("# JAX arrays do not change: the new contents are written into the caller's")
    for position, (name, new) in enumerate(zip(mutated, names, strict=True)):
        lines = [cst.EmptyLine(comment=comment)] if position == 0 else []
        body.append(made(f"{name}[...] = {new}").with_changes(leading_lines=lines))
    body += [made(f"{name} = {shown.replace('{jax}', jax)}") for name, shown in grown.lists]
    if grown.shown:
        body.append(made(f"return {grown.shown}"))
    return body


def call_arguments(function: cst.FunctionDef) -> str:
    """Returns the arguments that pass a function's own parameters on."""
    p = function.params
    parts = [x.name.value for x in (*p.posonly_params, *p.params)]
    if isinstance(p.star_arg, cst.Param):
        parts.append(f"*{p.star_arg.name.value}")
    parts += [f"{x.name.value}={x.name.value}" for x in p.kwonly_params]
    if p.star_kwarg is not None:
        parts.append(f"**{p.star_kwarg.name.value}")
    return ", ".join(parts)
