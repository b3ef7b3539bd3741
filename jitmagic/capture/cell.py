"""Reads a cell without running it: its functions, its set-up, and the call to compare.

>>> found = plan("def fn(x):\\n    return x + 1\\nx = 3\\nfn(x)\\n")
>>> found.call, found.call_line, found.functions
('fn(x)', 4, ('fn',))
>>> found.setup
'def fn(x):\\n    return x + 1\\nx = 3\\n     \\n'
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from jitmagic.capture.definitions import Definition, definitions, segment, source_lines, span, statements
from jitmagic.errors import CaptureError

EXAMPLE = "Write for example:\n\n    def fn(x):\n        return x + x*x\n\n    x = np.random.rand(1000)\n    fn(x)"


@dataclass(frozen=True)
class CellPlan:
    """What a cell holds, found without running it.

    Attributes
    ----------
    setup : str
        The source to run as an ordinary cell: the statement of the compared call is blanked out, if it is the
        last one, and every line keeps its number. A compared call that stands earlier is left where it is, for the
        statements after it may need its result.
    call : str or None
        The call to compare as text, e.g. ``"fn(x, y)"``; None where the arguments are to be found by name.
    call_line : int or None
        Its line in the source, from 1; None where the caller gave the call or there is none.
    functions : tuple of str
        The functions that the cell defines at its top level.
    function : str or None
        Name of the function to compare; None where the call reaches it through a dotted name.
    definitions : mapping of str to Definition
        Their source, by name.
    """

    setup: str
    call: str | None
    call_line: int | None
    functions: tuple[str, ...]
    function: str | None
    definitions: Mapping[str, Definition] = field(default_factory=dict)


def parse(source: str) -> ast.Module:
    """Parses source; raises :class:`CaptureError` with the line of a syntax error."""
    try:
        return ast.parse(source)
    except SyntaxError as error:
        at = f" (line {error.lineno})" if error.lineno is not None else ""
        raise CaptureError(f"the source cannot be read: {error.msg}{at}.", error.lineno) from error
    except ValueError as error:  # null bytes
        raise CaptureError(f"the source cannot be read: {error}.") from error


def plan(source: str, call: str | None = None, *, function: str | None = None, origin: str = "cell") -> CellPlan:
    """Plans the capture of a cell or file.

    Parameters
    ----------
    source : str
        Plain Python (magics already transformed); its line 1 is line 1 of what the user sees.
    call : str, optional
        The call to compare, or the bare name of the function; wins over what the source says.
    function : str, optional
        Name of the function to compare, where the call is to be found in the source.
    origin : str
        What :attr:`SourceFunction.origin` is to say.

    Raises
    ------
    CaptureError
        Where the source is no Python, holds nothing to compare, or leaves the choice open.
    """
    tree = parse(source)
    lines = source_lines(source)
    found = definitions(tree, source, origin)
    top = list(top_level(tree.body))
    last = top[-1] if top else None
    if call is not None and call.strip():
        given = parse_call(call.strip())
        if isinstance(given, ast.Call):
            repeated = last is not None and any(ast.dump(each) == ast.dump(given) for each in _calls(_value(last)))
            setup = _blanked(lines, last, tree) if repeated and last is not None else source
            return CellPlan(setup, call.strip(), None, tuple(found), _name(given.func), found)
        function = _name(given)
        if function is None:
            raise CaptureError(f"`{call.strip()}` names no function; give the call to compare, e.g. fn(x).")

    wanted = {function} if function is not None else {*found, *(_assigned(top) if found else ())}
    for statement in reversed(top):
        if not wanted and statement is not last:
            break
        chosen = _choose(statement, wanted)
        if chosen is not None and (statement is last or function is not None or not _uncalled(found, top)):
            setup = _blanked(lines, statement, tree) if statement is last else source
            text = segment(lines, chosen)
            return CellPlan(setup, text, chosen.lineno, tuple(found), _name(chosen.func), found)
    if function is None:
        function = _only_root(found, _roots(found))
    return CellPlan(source, None, None, tuple(found), function, found)


def parse_call(text: str) -> ast.expr:
    """Parses a call, or the bare (dotted) name of a function; raises :class:`CaptureError` for anything else."""
    try:
        expression = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise CaptureError(f"the call `{text}` cannot be read: {error.msg}; write it like fn(x, y).") from error
    if not isinstance(expression, ast.Call | ast.Name | ast.Attribute):
        raise CaptureError(f"`{text}` is not the call of a function; write it like fn(x, y).")
    return expression


def top_level(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the top-level statements; the body of ``if __name__ == "__main__":`` stands in its place."""
    for statement in body:
        if isinstance(statement, ast.If) and _asks_for_main(statement.test):
            yield from top_level(statement.body)
        else:
            yield statement


def _assigned(top: Sequence[ast.stmt]) -> Iterator[str]:
    """Yields the names that the top level assigns: one that is called there is a function, made by another one."""
    for statement in top:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name


def _asks_for_main(test: ast.expr) -> bool:
    match test:
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]):
            return True
        case ast.Compare(left=ast.Constant(value="__main__"), ops=[ast.Eq()], comparators=[ast.Name(id="__name__")]):
            return True
    return False


def _value(statement: ast.stmt) -> ast.expr | None:
    match statement:
        case ast.Expr(value=value) | ast.Assign(value=value) | ast.AugAssign(value=value):
            return value
        case ast.AnnAssign(value=value):
            return value
        case ast.Assert(test=test):
            return test
    return None


def _calls(expression: ast.expr | None) -> Iterator[ast.Call]:
    """Yields the calls in an expression, an outer one before those in it; lambdas and comprehensions are not entered.

    What stands inside these needs a variable that exists only there.
    """
    if expression is None or isinstance(
        expression, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ):
        return
    if isinstance(expression, ast.Call):
        yield expression
    for child in ast.iter_child_nodes(expression):
        if isinstance(child, ast.expr):
            yield from _calls(child)
        elif isinstance(child, ast.keyword):
            yield from _calls(child.value)


def _choose(statement: ast.stmt, wanted: Collection[str]) -> ast.Call | None:
    """Finds the call to compare in a statement: the outermost one of a wanted function.

    Where nothing is wanted by name: the outermost call of a name that is no builtin, else of a dotted name.
    """
    calls = list(_calls(_value(statement)))
    if wanted:
        calls = [each for each in calls if _name(each.func) in wanted]
    elif calls and isinstance(calls[0].func, ast.Lambda):
        return calls[0]  # the call is what is meant, though it has no name; nothing in its arguments is
    else:
        named = [each for each in calls if (name := _name(each.func)) is not None and not hasattr(builtins, name)]
        calls = named or [each for each in calls if _dotted(each.func)]
    if not calls:
        return None
    first = calls[0]
    inner = {id(each) for each in ast.walk(first)}
    beside = [each for each in calls if id(each) not in inner and _name(each.func) != _name(first.func)]
    if wanted and beside:
        one, other = ast.unparse(first), ast.unparse(beside[0])
        raise CaptureError(
            f"line {statement.lineno} calls two functions, `{one}` and `{other}`: which one is to be compared? "
            f"Name the call, e.g. {one}.",
            statement.lineno,
        )
    return first


def _name(expression: ast.expr) -> str | None:
    return expression.id if isinstance(expression, ast.Name) else None


def _dotted(expression: ast.expr) -> bool:
    while isinstance(expression, ast.Attribute):
        expression = expression.value
    return isinstance(expression, ast.Name)


def _roots(found: Mapping[str, Definition]) -> list[str]:
    """Lists the functions that no other function of the cell uses; all of them where each is used by another."""
    used = {
        each.id
        for name, definition in found.items()
        if definition.node is not None
        for each in ast.walk(definition.node)
        if isinstance(each, ast.Name) and each.id != name
    }
    return [name for name in found if name not in used] or list(found)


def _uncalled(found: Mapping[str, Definition], top: Sequence[ast.stmt]) -> list[str]:
    """Lists the roots that no statement of the top level names: each may be the one that is meant."""
    kept = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    named = {
        each.id
        for statement in top
        if not isinstance(statement, kept)
        for each in ast.walk(statement)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    }
    return [name for name in _roots(found) if name not in named]


def _only_root(found: Mapping[str, Definition], roots: Sequence[str]) -> str:
    """Returns the one function that can be meant where nothing calls one; refuses where there are several or none."""
    if not found:
        raise CaptureError(f"nothing to compare: the source defines no function and calls none. {EXAMPLE}")
    if len(roots) == 1:
        return roots[0]
    listed = ", ".join(f"`{name}` (line {found[name].first_line})" for name in roots[:-1])
    listed += f" and `{roots[-1]}` (line {found[roots[-1]].first_line})"
    parameters = definitions_parameters(found[roots[-1]])
    raise CaptureError(
        f"which function is to be compared: {listed}? Name the call, e.g. {roots[-1]}({parameters}).",
        found[roots[-1]].first_line,
    )


def definitions_parameters(definition: Definition) -> str:
    """Lists the parameters without a default, for an example of a call."""
    assert definition.node is not None
    arguments = definition.node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    names = [each.arg for each in positional[: len(positional) - len(arguments.defaults)]]
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    names += [f"{each.arg}={each.arg}" for each, default in keywords if default is None]
    return ", ".join(names)


def _blanked(lines: Sequence[str], statement: ast.stmt, tree: ast.Module) -> str:
    """Blanks a statement out; inside an ``if``, where a statement has to stand, ``pass`` takes its place."""
    line, column, end_line, end_column = span(statement)
    nested = statement not in tree.body
    text = [each.encode() for each in lines]
    for number in range(line, end_line + 1):
        content = text[number - 1]
        begin = column if number == line else 0
        end = end_column if number == end_line else len(content)
        filler = b"pass" if nested and number == line else b""
        text[number - 1] = content[:begin] + filler.ljust(end - begin) + content[end:]
    return "\n".join(each.decode() for each in text)


def cut_before(source: str, line: int) -> str:
    """Blanks out what runs after the statement on ``line``, this one included, but for definitions and imports.

    A file's set-up ends at the compared call: what follows shows or saves its result.
    """
    tree = parse(source)
    kept = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
    after = [
        each
        for each in top_level(tree.body)
        if (each.end_lineno or each.lineno) >= line and not isinstance(each, kept)
    ]
    for statement in after:
        source = _blanked(source_lines(source), statement, tree)
    return source


__all__ = ["CellPlan", "cut_before", "parse", "parse_call", "plan", "statements"]
