"""Puts the user's own functions in the place of their calls.

    def force(r, k):                               r2 = d[0]**2 + d[1]**2
        r2 = r[0]**2 + r[1]**2                     f[i] += -k*d / r2
        return -k*r / r2                    ->
    ...
    f[i] += force(d, k)

For loops of which every statement has to be seen. A function is put in place where every path through it ends in a
`return`; its names become others where the caller has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import OneStatementALine, alternative, on_the_line_of, small, statements, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import children, nodes_of, returns_of

_DEPTH = 6
"""Functions that call functions are put in place so deep."""

_SOMETIMES: tuple[type[cst.CSTNode], ...] = (
    cst.IfExp, cst.BooleanOperation, cst.Lambda, cst.ListComp, cst.GeneratorExp, cst.SetComp, cst.DictComp
)  # fmt: skip
"""Expressions whose parts are worked out sometimes, or several times."""

_BEYOND: tuple[type[cst.CSTNode], ...] = (
    cst.FunctionDef, cst.Lambda, cst.ClassDef, cst.Global, cst.Nonlocal, cst.Yield, cst.Try, cst.With, cst.Raise,
    cst.Assert, cst.Await, cst.NamedExpr, cst.Del, cst.ListComp, cst.GeneratorExp, cst.SetComp, cst.DictComp,
)  # fmt: skip
"""What a function that is put in place does not hold."""


class Placer:
    """Puts functions in place, each time under names that nothing has.

    Parameters
    ----------
    module : Module
    tree : libcst.Module
        Where the functions are looked up.
    entry : str
        The function under study, which nothing calls.
    wanted : callable
        Says whether a call is to go; it takes the call and what each parameter is given.
    """

    def __init__(
        self,
        module: Module,
        tree: cst.Module,
        entry: str,
        wanted: Callable[[cst.Call, Mapping[str, cst.BaseExpression]], bool],
    ) -> None:
        self.module, self._wanted = module, wanted
        self._taken = set(name_tools.all_names(tree)) | set(module.names)
        self._used: set[str] = set()
        self._locals: frozenset[str] = frozenset()
        self._known = {
            one.name.value: one
            for one in tree.body
            if isinstance(one, cst.FunctionDef) and one.name.value != entry and not one.decorators
        }
        rest = [one for one in tree.body if one not in self._known.values()]
        self._elsewhere = frozenset().union(*map(name_tools.all_names, rest)) | set(module.names) | set(self._known)
        # what they read from the module must not become a name of the caller's
        for one in self._known.values():
            self._elsewhere |= name_tools.loads(one) - name_tools.bound(one)

    def lines(self, line: cst.SimpleStatementLine, local: frozenset[str]) -> list[Any]:
        """Returns a statement behind the functions that it calls; `local` are the names of the function around it."""
        one = small(line)
        self._locals = local
        if len(line.body) != 1 or not isinstance(one, cst.Assign | cst.AugAssign):
            return [line]
        lines = self._written(line, _DEPTH)
        if len(lines) > 1:
            lines[0] = lines[0].with_changes(leading_lines=[*line.leading_lines, *lines[0].leading_lines])
            lines[-1] = lines[-1].with_changes(leading_lines=())
        return lines

    def _written(self, line: Any, depth: int) -> list[Any]:
        """Returns a statement with the functions that it calls before it."""
        before: list[Any] = []
        while depth:
            found = self._next(line)
            if found is None:
                break
            call, (lines, value) = found
            for one in lines:
                before += self._written(one, depth - 1)
            put = line.visit(_Put(self.module, {call: value}))
            self.module.inherit(put, line)
            line = put
        return [*before, line]

    def _next(self, line: cst.CSTNode) -> tuple[cst.Call, tuple[list[Any], cst.BaseExpression]] | None:
        """Returns a call in a statement, and what stands for it: statements before, and a value."""
        if not isinstance(line, cst.SimpleStatementLine):
            return None
        sometimes = {part for kind in _SOMETIMES for node in nodes_of(line, kind) for part in _every(node)}
        # the arguments of a call before the call
        for call in reversed(nodes_of(line, cst.Call)):
            if call in sometimes or not isinstance(call.func, cst.Name):
                continue
            function = self._known.get(call.func.value)
            if function is None or call.func.value in self._locals:
                continue
            made = self._placed(call, function, line)
            if made is not None:
                return call, made
        return None

    def _placed(
        self, call: cst.Call, function: cst.FunctionDef, line: cst.SimpleStatementLine
    ) -> tuple[list[Any], cst.BaseExpression] | None:
        given = _given(call, function)
        if given is None or not self._wanted(call, given):
            return None
        plain = function.visit(OneStatementALine(self.module))
        assert isinstance(plain, cst.FunctionDef)
        body = [one for one in statements(plain) if not _is_text(one)]
        if any(nodes_of(one, kind) for one in body for kind in _BEYOND):
            return None
        bound = name_tools.bound(cst.IndentedBlock(body))
        if (name_tools.loads(plain) - name_tools.bound(plain)) & self._locals:
            return None  # a global that the caller has a variable for
        names: dict[str, Any] = {}
        lines: list[Any] = []
        for name, value in given.items():
            if name not in bound and isinstance(value, cst.Name | cst.Integer | cst.Float):
                names[name] = value
                continue
            names[name] = cst.Name(self._fresh(name))
            assign = cst.Assign([cst.AssignTarget(names[name])], value)
            lines.append(on_the_line_of(cst.SimpleStatementLine([assign]), line))
        for name in sorted(bound - set(given)):
            names[name] = cst.Name(self._fresh(name))
        renamed = []
        for one in body:
            copy = one.deep_clone()
            self.module.inherit_parts(copy, one)
            renamed.append(copy.visit(_Renamed(self.module, names)))
        returns = returns_of(plain)
        end = small(renamed[-1])
        if len(returns) == 1 and isinstance(end, cst.Return) and end.value is not None:
            return [*lines, *renamed[:-1]], end.value
        results = self._results(returns)
        if results is None:
            return None
        tail = _tail(renamed, results)
        if tail is None:
            return None
        self._tell(call, results, tail)
        value = results[0] if len(results) == 1 else cst.Tuple([cst.Element(one) for one in results])
        return [*lines, *tail], value

    def _tell(self, call: cst.Call, results: Sequence[cst.Name], lines: Sequence[Any]) -> None:
        """Notes of the names for results what was seen of the call."""
        fact = self.module.fact(call)
        if fact is None:
            return
        facts = [fact] if len(results) == 1 else fact.items
        known = {one.value: seen for one, seen in zip(results, facts, strict=False)}
        for node in [*results, *(one for line in lines for one in nodes_of(line, cst.Name))]:
            if node.value in known:
                self.module.learn(node, known[node.value])

    def _results(self, returns: Sequence[cst.Return]) -> list[cst.Name] | None:
        """Returns names for what a function with several `return` gives; None where they are of several kinds."""
        values = [one.value for one in returns]
        counts = {len(one.elements) if isinstance(one, cst.Tuple) else 0 for one in values}
        if None in values or len(counts) != 1:
            return None
        (count,) = counts
        if not count:
            return [cst.Name(self._fresh("result"))]
        return [cst.Name(self._fresh(f"result_{k}")) for k in range(count)]

    def _fresh(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._taken and not (number == 1 and self._is_only_there(name)):
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        self._used.add(name)
        return name

    def _is_only_there(self, name: str) -> bool:
        """Says whether no function has a name but those that may be put in place, and none was yet."""
        return name not in self._used and name not in self._elsewhere


def _given(call: cst.Call, function: cst.FunctionDef) -> dict[str, cst.BaseExpression] | None:
    """Returns what each parameter is given."""
    params = function.params
    if isinstance(params.star_arg, cst.Param) or params.star_kwarg is not None or params.kwonly_params:
        return None
    every = [*params.posonly_params, *params.params]
    names = [one.name.value for one in every]
    found: dict[str, cst.BaseExpression] = {}
    for place, argument in enumerate(call.args):
        if argument.star or (argument.keyword is None and place >= len(names)):
            return None
        name = argument.keyword.value if argument.keyword is not None else names[place]
        if name not in names or name in found:
            return None
        found[name] = argument.value
    for one in every:
        if one.name.value in found:
            continue
        if not isinstance(one.default, cst.Integer | cst.Float):
            return None
        found[one.name.value] = one.default
    return found


def _tail(body: Sequence[Any], results: list[cst.Name]) -> list[Any] | None:
    """Returns statements in which each `return` is an assignment; None where not every path ends in one."""
    made: list[Any] = []
    for number, one in enumerate(body):
        end = small(one)
        if isinstance(end, cst.Return):
            made.append(one.with_changes(body=[_assigned(results, end.value)]))
            return made
        if not nodes_of(one, cst.Return):
            made.append(one)
            continue
        if not isinstance(one, cst.If):
            return None
        then, other, rest = list(statements(one)), list(alternative(one)), list(body[number + 1 :])
        if _ends(then):
            other += rest
        elif _ends(other):
            then += rest
        else:
            return None
        first, second = _tail(then, results), _tail(other, results)
        if first is None or second is None:
            return None
        made.append(with_body(one, first).with_changes(orelse=cst.Else(cst.IndentedBlock(second))))
        return made
    return None


def _assigned(results: list[cst.Name], value: Any) -> cst.Assign:
    if len(results) == 1:
        return cst.Assign([cst.AssignTarget(results[0].deep_clone())], value)
    target = cst.Tuple([cst.Element(one.deep_clone()) for one in results], lpar=(), rpar=())
    return cst.Assign([cst.AssignTarget(target)], value)


def _ends(body: Sequence[Any]) -> bool:
    """Says whether every path through statements ends in a `return`."""
    if not body:
        return False
    last = body[-1]
    if isinstance(last, cst.If):
        return _ends(statements(last)) and _ends(alternative(last))
    return isinstance(small(last), cst.Return)


def _is_text(node: Any) -> bool:
    one = small(node)
    return isinstance(one, cst.Expr) and isinstance(one.value, cst.SimpleString | cst.ConcatenatedString)


def _every(node: cst.CSTNode) -> list[cst.CSTNode]:
    return [node, *(one for child in children(node) for one in _every(child))]


class _Put(Rewriter):
    """Puts a value in the place of a call."""

    def __init__(self, module: Any, values: Mapping[cst.CSTNode, cst.BaseExpression]) -> None:
        super().__init__(module)
        self._values = values

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        return self._values.get(original_node, updated_node)


class _Renamed(Rewriter):
    """Puts names or numbers in the place of a function's own names."""

    def __init__(self, module: Any, names: Mapping[str, Any]) -> None:
        super().__init__(module)
        self._names = names

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        new = self._names.get(original_node.value)
        if new is None:
            return updated_node
        copy = new.deep_clone()
        self.module.inherit_parts(copy, new)
        found: cst.BaseExpression = copy
        return found

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)
