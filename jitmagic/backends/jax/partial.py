"""Compile those parts of a function that JAX can compile, and leave the rest in NumPy.

    order = np.argsort(-score)                    order = np.argsort(-score)
    keep = order[score[order] > 0]                keep = order[score[order] > 0]      # how many, NumPy alone knows
    for i in range(n):                    ->      total = np.array(lines_4_6(x, n))
        for j in range(n):
            total[i] += …

What stands at a line that JAX refused stays as the user wrote it; what stands before, behind and inside of it is tried
part by part. A part becomes a function of its own at its own place in the text, so that all that was observed there
still holds, and goes through the same writer as a whole function does.
"""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import libcst as cst

from jitmagic.analysis.scalars import Exposure, assigned, live_after, loaded, path_to
from jitmagic.analysis.scope import Scope, scope_of
from jitmagic.analysis.stored import Stored
from jitmagic.backends.protocol import Draft
from jitmagic.capture.workload import ModuleText, SourceFunction, Workload
from jitmagic.errors import Refusal
from jitmagic.generate.walking import Transformer
from jitmagic.observe.facts import Observation, ValueFact

Write = Callable[[Workload, Observation, Sequence[str]], Draft | Refusal]
"""Writes a whole function: (workload, observed, static parameters)."""

_MOST_TRIES = 16
"""How many parts are tried for one function: each takes some tenths of a second to write."""

_ENOUGH, _ENOUGH_INSIDE = 4, 8
"""A part without a loop is compiled from so many operations on arrays on, and from so many inside of a loop of NumPy's,
where each call costs some ten microseconds."""

_PASSED = ("array", "float", "int", "bool", "complex", "scalar", "tuple")
_NUMBERS = {"int": "int", "float": "float", "bool": "bool", "complex": "complex"}


@dataclass(frozen=True)
class PartialDraft(Draft):
    """A draft whose compiled functions stand for parts of the user's.

    Attributes
    ----------
    refusal : Refusal or None
        Why the whole is not compiled.
    left : frozenset of int
        The user's lines at which JAX refused.
    fixed : tuple of str
        Names that are static parameters of the parts that have them.
    """

    refusal: Refusal | None = None
    left: frozenset[int] = frozenset()
    fixed: tuple[str, ...] = ()


@dataclass
class _Part:
    """Some statements of one block as a function of their own."""

    statements: list[ast.stmt]
    final: bool
    name: str
    inputs: list[str]
    outputs: list[str]
    draft: Draft


@dataclass
class _Search:
    """What is known while parts are looked for."""

    workload: Workload
    observed: Observation
    scope: Scope
    write: Write
    fixed: tuple[str, ...]
    left: set[int]
    tries: int = 0
    parts: list[_Part] = field(default_factory=list)


def partly(
    workload: Workload, observed: Observation, refusal: Refusal, write: Write,
    left: frozenset[int] = frozenset(), fixed: tuple[str, ...] = (),
) -> Draft | Refusal:  # fmt: skip
    """Writes a draft that compiles parts of a function.

    Parameters
    ----------
    workload : Workload
    observed : Observation
    refusal : Refusal
        Why the whole cannot be compiled; it is returned where no part can.
    write : callable
        Writes a part.
    left : frozenset of int
        The user's lines that are known to stay in NumPy.
    fixed : tuple of str
        Names of static parameters.
    """
    if not observed.watched:
        return refusal
    scope = scope_of(workload.module.text, workload.function.name, workload.names, observed)
    known = left if refusal.line is None else left | {refusal.line}
    search = _Search(workload, observed, scope, write, fixed, set(known))
    if not known or any(isinstance(n, ast.Yield | ast.YieldFrom | ast.Global) for n in ast.walk(scope.function)):
        return refusal
    _compile(search, scope.function.body, True, None if refusal.line is None else refusal)
    if not search.parts:
        return refusal
    return _assembled(search, refusal)


# which parts ------------------------------------------------------------------------------------


def _compile(search: _Search, block: Sequence[ast.stmt], final: bool, refusal: Refusal | None = None) -> None:
    """Finds the longest runs of statements of a block that can be compiled."""
    if not block or not _is_worth(search, block):
        return
    line = refusal.line if refusal is not None else None
    if line is None:
        line = next((n for n in sorted(search.left) if _at(search, block, n) is not None), None)
    if line is None:
        answer = _tried(search, block, final)
        if isinstance(answer, _Part):
            search.parts.append(answer)
            return
        line = answer.line
        if line is not None:
            search.left.add(line)
    position = None if line is None else _at(search, block, line)
    if position is None:
        # not known where: each loop by itself
        for number, statement in enumerate(block):
            if len(block) > 1 and isinstance(statement, ast.For | ast.While):
                _compile(search, [statement], final and number == len(block) - 1)
        return
    _compile(search, block[:position], False)
    for inner in _blocks(block[position]):
        _compile(search, inner, False)
    _compile(search, block[position + 1 :], final)


def _at(search: _Search, block: Sequence[ast.stmt], line: int) -> int | None:
    """Returns the position of the statement that holds a line of the user's."""
    source = search.workload.module
    for position, statement in enumerate(block):
        if any(source.origin_line(n) == line for n in range(statement.lineno, (statement.end_lineno or 0) + 1)):
            return position
    return None


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    if isinstance(statement, ast.For | ast.While | ast.If | ast.With):
        yield statement.body
        if not isinstance(statement, ast.With):
            yield statement.orelse


def _is_worth(search: _Search, block: Sequence[ast.stmt]) -> bool:
    """Says whether a run of statements does enough to be a compiled function."""

    def is_array(node: ast.AST) -> bool:
        fact = search.scope.fact(node) if isinstance(node, ast.expr) else None
        return fact is not None and fact.kind == "array" and fact.ndim != 0

    operations = 0
    for statement in block:
        for node in ast.walk(statement):
            if isinstance(node, ast.For | ast.While):
                return True
            if isinstance(node, ast.BinOp | ast.Compare | ast.UnaryOp):
                operations += is_array(node)
            elif isinstance(node, ast.Call):
                given = [*node.args, node.func.value] if isinstance(node.func, ast.Attribute) else node.args
                operations += any(map(is_array, given))
    return operations >= (_ENOUGH_INSIDE if _around(search.scope, block[0]) else _ENOUGH)


def _around(scope: Scope, statement: ast.stmt) -> list[ast.For | ast.While]:
    """Returns the loops around a statement."""
    owners = [owner for owner, _, _ in path_to(scope.function, statement)]
    return [owner for owner in owners if isinstance(owner, ast.For | ast.While)]


def _tried(search: _Search, block: Sequence[ast.stmt], final: bool) -> _Part | Refusal:
    """Writes a run of statements as a function of its own, or says why not."""
    # names at either end cost nothing in NumPy
    statements = list(block)
    while statements and not final and _is_plain(search, statements[-1]):
        statements.pop()
    while statements and _is_plain(search, statements[0]) and not _begins_a_list(statements):
        statements.pop(0)
    if not statements:
        return Refusal("nothing to compile")
    search.tries += 1
    if search.tries > _MOST_TRIES:
        return Refusal("too many parts were tried")
    # what stands against some statements together may stand against none of them alone
    line = search.workload.module.origin_line(statements[0].lineno) if len(statements) == 1 else None
    shared = _shared_function(search.scope, statements)
    if shared is not None:
        line = search.workload.module.origin_line(shared.lineno)
        return Refusal("makes a function that is called elsewhere too", line)
    leaving = [] if final else [s for s in statements if _leaves(s)]
    if leaving and len(statements) > 1:
        line = search.workload.module.origin_line(leaving[0].lineno)
        return Refusal("leaves the function or the loop around it", line)
    outlined = _outlined(search, statements, final)
    if isinstance(outlined, Refusal):
        return replace(outlined, line=line)
    workload, observed, inputs, outputs = outlined
    static = [n for n in search.fixed if n in inputs]
    moving = _moving(search, statements[0], inputs)
    if moving:
        return Refusal(f"`{moving}` has another length in each step, and would be compiled anew", line)
    draft = search.write(workload, observed, static)
    if isinstance(draft, Refusal):
        return draft
    changing = assigned([*_around(search.scope, statements[0])][:1])
    if set(draft.static) & changing:
        return Refusal(f"would be compiled anew for each `{draft.static[0]}`", line)
    return _Part(statements, final, workload.function.name, inputs, outputs, draft)


def _shared_function(scope: Scope, statements: Sequence[ast.stmt]) -> ast.FunctionDef | None:
    """Returns a function that some statements make and that other statements of the function call."""
    made = {node.name: node for s in statements for node in ast.walk(s) if isinstance(node, ast.FunctionDef)}
    if not made:
        return None
    inside = {node for s in statements for node in ast.walk(s)}
    for node in ast.walk(scope.function):
        if isinstance(node, ast.Name) and node.id in made and node not in inside:
            return made[node.id]
    return None


def _moving(search: _Search, first: ast.stmt, inputs: Sequence[str]) -> str:
    """Returns an input that is of another shape in another step of the loop around a part, or ""."""
    around = _around(search.scope, first)
    for node in ast.walk(around[0]) if around else ():
        if isinstance(node, ast.Name) and node.id in inputs:
            fact = search.scope.fact(node)
            if fact is not None and fact.kind == "array" and None in (fact.shape or (None,)):
                return node.id
    return ""


def _begins_a_list(statements: Sequence[ast.stmt]) -> bool:
    """Says whether the first of some statements makes lists that the others let grow."""
    first = statements[0]
    if not isinstance(first, ast.Assign) or not any(isinstance(n, ast.List) for n in ast.walk(first.value)):
        return False
    grown = {
        node.func.value.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }
    return bool(assigned([first]) & grown)


def _is_plain(search: _Search, statement: ast.stmt) -> bool:
    """Says whether a statement only names numbers, shapes or other names."""
    if not isinstance(statement, ast.Assign | ast.Expr | ast.AnnAssign | ast.Return) or statement.value is None:
        return isinstance(statement, ast.Pass | ast.Import | ast.ImportFrom)
    for node in ast.walk(statement.value):
        fact = search.scope.fact(node) if isinstance(node, ast.expr) else None
        if isinstance(node, ast.BinOp | ast.Call) and fact is not None and fact.kind == "array":
            return False
    return True


# a part as a function ---------------------------------------------------------------------------


def _outlined(
    search: _Search, statements: list[ast.stmt], final: bool
) -> tuple[Workload, Observation, list[str], list[str]] | Refusal:
    """Makes a workload of some statements: the same text, with all else of the function blanked out."""
    scope, source = search.scope, search.workload.module
    lines = source.text.splitlines()
    first, last = statements[0], statements[-1]
    end = last.end_lineno or last.lineno
    line = source.origin_line(first.lineno)
    column = first.col_offset
    # ast counts columns in bytes
    behind = lines[end - 1].encode()[last.end_col_offset or 0 :].decode()
    if lines[first.lineno - 1][:column].strip() or behind.partition("#")[0].strip():
        return Refusal("shares a line with another statement", line)
    if not final and any(_leaves(s) for s in statements):
        return Refusal("leaves the function or the loop around it", line)
    inner = _needed_functions(scope, statements, column)
    if inner is None:
        return Refusal("calls a function that is made further in or out", line)
    inputs = _inputs(search, statements, inner)
    if isinstance(inputs, Refusal):
        return inputs
    outputs = [] if final else sorted(assigned(statements) & live_after(last, scope.function))
    problem = _shares(scope, statements, list(inputs), outputs)
    if problem is not None:
        return Refusal(problem, line)
    kept = {n for s in (*inner, *statements) for n in range(s.lineno, (s.end_lineno or s.lineno) + 1)}
    functions = _helpers(search.workload, [*inner, *statements])
    tree = ast.parse(source.text)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name not in functions:
            continue
        kept |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    header = min(s.lineno for s in (*inner, *statements)) - 1
    numbers = [source.origin_line(n) or n for n in (first.lineno, end)]
    name = f"lines_{numbers[0]}_{numbers[1]}" if numbers[0] != numbers[1] else f"line_{numbers[0]}"
    text = [lines[n - 1] if n in kept else "" for n in range(1, len(lines) + 1)]
    origins = list(source.lines)
    if header < 1 or text[header - 1].strip():
        return Refusal("has no line above it", line)
    text[header - 1] = f"def {name}({', '.join(inputs)}):"
    if not (final and isinstance(last, ast.Return)) and outputs:
        if end < len(text) and text[end].strip():
            return Refusal("has no line below it", line)
        text[end : end + 1] = [f"{' ' * column}return {', '.join(outputs)}"]
        origins[end : end + 1] = [source.origin_line(end)]
    module = ModuleText("\n".join(text) + "\n", tuple(origins))
    helpers = tuple(h for h in search.workload.helpers if h.name in functions)
    workload = replace(
        search.workload, function=SourceFunction(name, "\n".join(lines[first.lineno - 1 : end]), line or 1, "cell"),
        helpers=helpers, module=module, args=(), kwargs={}, argument_names=tuple(inputs),
    )  # fmt: skip
    observed = replace(
        search.observed, result=None, mutated=(), returns_argument=None, aliases_argument=(), overlapping=(),
        arguments=inputs, random=False, globals_changed=(), printed="",
    )  # fmt: skip
    return workload, observed, list(inputs), outputs


def _leaves(statement: ast.stmt) -> bool:
    """Says whether a statement may leave the block it stands in."""

    def leaves(node: ast.AST, looping: bool) -> bool:
        if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom):
            return True
        if isinstance(node, ast.Break | ast.Continue):
            return not looping
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            return False
        if isinstance(node, ast.For | ast.While):
            return any(leaves(s, True) for s in node.body) or any(leaves(s, looping) for s in node.orelse)
        return any(leaves(child, looping) for child in ast.iter_child_nodes(node))

    return leaves(statement, False)


def _needed_functions(scope: Scope, statements: Sequence[ast.stmt], column: int) -> list[ast.stmt] | None:
    """Returns the functions inside the user's that a part calls; None where they do not stand at its own depth."""
    made = {n.name: n for n in ast.walk(scope.function) if isinstance(n, ast.FunctionDef) and n is not scope.function}
    own = {n.name for s in statements for n in ast.walk(s) if isinstance(n, ast.FunctionDef)}
    wanted: dict[str, ast.stmt] = {}
    left = [n for s in statements for n in loaded(s) if n in made and n not in own]
    while left:
        name = left.pop()
        if name not in wanted:
            wanted[name] = made[name]
            left += [n for n in loaded(made[name]) if n in made and n not in own]
    below = statements[0].lineno
    if any(node.col_offset != column or node.lineno > below for node in wanted.values()):
        return None
    return sorted(wanted.values(), key=lambda node: node.lineno)


def _inputs(
    search: _Search, statements: Sequence[ast.stmt], inner: Sequence[ast.stmt]
) -> dict[str, ValueFact] | Refusal:
    """Returns what a part is given, with what is known of it."""
    scope = search.scope
    exposure = Exposure()
    exposure.run(list(statements), set())
    wanted = set(exposure.exposed)
    # what is bound on some ways only, and read afterwards, is what it was
    unsure = assigned(statements) & live_after(statements[-1], scope.function)
    surely = Exposure().run(list(statements), set())
    wanted |= {n for n in unsure if n not in surely and _is_bound_before(scope, n, statements[0])}
    for node in inner:
        assert isinstance(node, ast.FunctionDef)
        own = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)} | assigned(node.body)
        wanted |= loaded(node) - own
    wanted &= scope.locals
    names = {n.name for n in inner if isinstance(n, ast.FunctionDef)}
    found: dict[str, ValueFact] = {}
    for name in sorted(wanted - names):
        fact = _fact(search, name, statements[0].lineno)
        line = search.workload.module.origin_line(statements[0].lineno)
        if fact is None or fact.kind not in _PASSED:
            return Refusal(f"needs `{name}`, which is no array or number", line)
        found[name] = fact
    return found


def _is_bound_before(scope: Scope, name: str, first: ast.stmt) -> bool:
    if name in scope.parameters:
        return True
    return any(
        isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) and n.lineno < first.lineno
        for n in ast.walk(scope.function)
    )


def _fact(search: _Search, name: str, line: int) -> ValueFact | None:
    """Returns what was seen of a name last before a line, or else first behind it."""
    places: list[tuple[int, int, ValueFact]] = []
    for node in ast.walk(search.scope.function):
        if isinstance(node, ast.Name) and node.id == name:
            fact = search.scope.fact(node)
            if fact is not None:
                places.append((node.lineno, node.col_offset, fact))
    places.sort(key=lambda place: place[:2])
    if name in search.scope.parameters and name in search.observed.arguments:
        places.insert(0, (0, 0, search.observed.arguments[name]))
    before = [place for place in places if place[0] < line]
    chosen = before[-1] if before else (places[0] if places else None)
    if chosen is not None and chosen[2].kind == "mixed":
        # a Python number in the first step of a loop and NumPy's in the later ones: what is read behind it has one type
        chosen = next((one for one in places if one[0] >= line and one[2].kind != "mixed"), chosen)
    return None if chosen is None else chosen[2]


def _shares(scope: Scope, statements: Sequence[ast.stmt], inputs: Sequence[str], outputs: Sequence[str]) -> str | None:
    """Says why a part's arrays may be one memory under two names, None where they surely are not."""
    stored = Stored(scope).names
    arrays = [n for n in {*inputs, *outputs} if not _is_number(scope, n)]
    for one, other in itertools.combinations(sorted(arrays), 2):
        if scope.may_share(one, other) and {one, other} & stored:
            return f"uses `{one}` and `{other}`, which may be the same memory"
    # what a part binds comes back as a copy
    for name in sorted(set(outputs) & assigned(statements) & stored & set(arrays)):
        for other in sorted(scope.parameters - {name}):
            if scope.may_share(name, other):
                return f"binds `{name}`, which may be the argument `{other}`"
    return None


def _is_number(scope: Scope, name: str) -> bool:
    fact = scope.name_fact(name)
    return fact is not None and fact.kind in ("float", "int", "bool", "complex", "scalar")


def _helpers(workload: Workload, nodes: Sequence[ast.AST]) -> set[str]:
    """Returns the user's functions that are called, directly or not."""
    tree = ast.parse(workload.module.text)
    made = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    found: set[str] = set()
    left = [n for node in nodes for n in loaded(node)]
    while left:
        name = left.pop()
        if name in made and name not in found and name != workload.function.name:
            found.add(name)
            left += loaded(made[name])
    return found


# all in one module ------------------------------------------------------------------------------


def _assembled(search: _Search, refusal: Refusal) -> Draft | Refusal:
    workload = search.workload
    search.parts.sort(key=lambda part: part.statements[0].lineno)
    host, origins = _host(search)
    tree = ast.parse("\n".join(host))
    used = _helpers(replace(workload, module=ModuleText("\n".join(host), ())), [tree.body[-1]])
    chunks: list[tuple[list[str], list[int | None], str]] = []
    compiled: dict[str, str] = {}
    for part in search.parts:
        for lines, where, name in _chunks(part.draft.module):
            whole = "\n".join(lines)
            if name and (name in used or compiled.setdefault(name, whole) != whole):
                return refusal  # one name for two functions
            if all(lines != one for one, _, _ in chunks):
                chunks.append((lines, where, name))
    here = ModuleText("\n".join(host) + "\n", tuple(origins))
    for lines, where, name in _chunks(here):
        is_entry = name == workload.function.name
        if (not name or is_entry or name in used) and all(lines != one for one, _, _ in chunks):
            chunks.append((lines, where, name))
    text: list[str] = []
    back: list[int | None] = []
    before = 0
    for rank, lines, where in sorted(((_rank(c[0], c[2]), *c[:2]) for c in chunks), key=lambda chunk: chunk[0]):
        gap = 2 if rank == _FUNCTION else int(rank != before and bool(text))
        text += [""] * gap + lines
        back += [None] * gap + where
        before = rank
    module = ModuleText(_evenly_indented("\n".join(text) + "\n"), tuple(back))
    drafts = [part.draft for part in search.parts]
    spans = ", ".join(part.name.removeprefix("lines_").removeprefix("line_").replace("_", "–") for part in search.parts)
    reason = refusal.reason.partition(";")[0]
    return PartialDraft(
        variant="jax",
        backend="jax",
        mode="jit",
        form="partial",
        module=module,
        entry=workload.function.name,
        names={**workload.names, **{k: v for d in drafts for k, v in d.names.items()}},
        needs=workload.needs,
        # what NumPy goes on with stays NumPy's
        written=workload.argument_names,
        notes=(
            f"compiled are lines {spans}; the rest stays in NumPy, because {reason}",
            *(f"each new length of `{name}` is compiled anew, and it depends on values" for name in _varying(search)),
            *dict.fromkeys(note for draft in drafts for note in draft.notes),
        ),
        refusal=refusal,
        left=frozenset(search.left),
        fixed=search.fixed,
    )


_STANDARD, _LIBRARY, _STATEMENT, _FUNCTION = range(4)


def _rank(lines: Sequence[str], name: str) -> int:
    """Returns where a statement of a module stands: imports first, functions last."""
    if name:
        return _FUNCTION
    words = lines[-1].split()
    if words[0] not in ("import", "from"):
        return _STATEMENT
    return _STANDARD if words[1].partition(".")[0] in sys.stdlib_module_names else _LIBRARY


def _evenly_indented(text: str) -> str:
    """Returns a module whose blocks are indented by four: parts keep the depth that they had."""
    tree = cst.parse_module(text).visit(_Even())
    assert isinstance(tree, cst.Module)
    return tree.with_changes(default_indent="    ").code


class _Even(Transformer):
    def leave_IndentedBlock(self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock) -> Any:
        return updated_node.with_changes(indent=None)


def _chunks(module: ModuleText) -> Iterator[tuple[list[str], list[int | None], str]]:
    """Yields a module's statements as (lines, the user's lines, name of a function or ""), comments above included."""
    lines = module.text.splitlines()
    done = 0
    for node in ast.parse(module.text).body:
        end = node.end_lineno or node.lineno
        begin = done
        while begin < node.lineno - 1 and not lines[begin].strip():
            begin += 1
        name = node.name if isinstance(node, ast.FunctionDef) else ""
        where = [module.origin_line(n) for n in range(begin + 1, end + 1)]
        yield lines[begin:end], where, name
        done = end


def _varying(search: _Search) -> list[str]:
    """Returns arrays that parts are given and that were made where JAX refused, for their shape perhaps."""
    source = search.workload.module
    found: list[str] = []
    for part in search.parts:
        for node in ast.walk(search.scope.function):
            if isinstance(node, ast.Assign) and source.origin_line(node.lineno) in search.left:
                names = assigned([node]) & set(part.inputs)
                found += [n for n in sorted(names) if not _is_number(search.scope, n) and n not in found]
    return found


def _host(search: _Search) -> tuple[list[str], list[int | None]]:
    """Returns the user's module with calls in place of the parts that are compiled."""
    source = search.workload.module
    lines, origins = source.text.splitlines(), list(source.lines)
    numpy = next((n for n, path in search.workload.names.items() if path == "numpy"), "")
    for part in reversed(search.parts):
        first, last = part.statements[0], part.statements[-1]
        begin, end = first.lineno - 1, last.end_lineno or last.lineno
        indent = " " * first.col_offset
        call = f"{part.name}({', '.join(part.inputs)})"
        if part.final and any(isinstance(n, ast.Return) for s in part.statements for n in ast.walk(s)):
            new = [f"return {call}"]
        elif part.outputs:
            shown = [_as_numpy(search, n, numpy or "np", last) for n in part.outputs]
            names = ", ".join(part.outputs)
            if len(shown) == 1:
                new = [f"{names} = {shown[0].replace('@', call)}"]
            else:
                changed = [n for n, text in zip(part.outputs, shown, strict=True) if text != "@"]
                given = [text.replace("@", n) for n, text in zip(part.outputs, shown, strict=True) if text != "@"]
                new = [f"{names} = {call}", *([f"{', '.join(changed)} = {', '.join(given)}"] if given else [])]
        else:
            new = [call]
        lines[begin:end] = [indent + text for text in new]
        origins[begin:end] = [source.origin_line(first.lineno)] * len(new)
    if not numpy and any("np." in line for line in lines):
        lines, origins = ["import numpy as np", *lines], [None, *origins]
    return lines, origins


def _as_numpy(search: _Search, name: str, numpy: str, last: ast.stmt) -> str:
    """Returns the conversion of what a part gives; "@" stands for it."""
    fact: Any = _fact(search, name, (last.end_lineno or last.lineno) + 1)
    if fact is not None and fact.kind in _NUMBERS:
        return f"{_NUMBERS[fact.kind]}(@)"
    if fact is not None and fact.kind == "scalar":
        return f"{numpy}.asarray(@)[()]"
    if fact is not None and fact.kind == "list":
        return "@"  # the part has made it one
    # a copy, since NumPy may store into it and JAX lends its memory for reading alone
    return f"{numpy}.array(@)"
