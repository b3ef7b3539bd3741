"""Rewrite a dict whose keys are all written out as variables: a record under another name.

    hist = {"S": [], "I": []}                       hist_S = []
    for day in range(days):                         hist_I = []
        hist["S"].append(s)              ->         for day in range(days):
        hist["I"].append(i)                             hist_S.append(s)
    return hist                                         hist_I.append(i)
                                                    return {"S": hist_S, "I": hist_I}

That holds where nothing else knows the dict: it is made by one statement, each key that is stored or read is a string
in the source, and as a whole it is returned, or taken apart in the order of its keys. What is asked for by a key that
the run computes, handed to a function, or emptied, stays a dict.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import alternative, code, leading, made, small, statements
from jitmagic.generate.liveness import Liveness, live_names
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import nodes_of

_MOST_COPIES = 32
"""How many statements a loop over the keys may become."""

_OF_ALL = frozenset({"list", "tuple", "sum", "max", "min"})
"""Builtins that take the values of a dict as they take a list of them."""


@dataclass
class _Record:
    """A dict that may be taken apart.

    Attributes
    ----------
    name : str
    statement : libcst.SimpleStatementLine
        What makes it.
    first : dict of str to expression
        The keys that it begins with, and their values.
    comments : dict of str to str
        What stands behind a key's line.
    variables : dict of str to str
        By key, in the order in which the dict would give them.
    later : sequence of statements or None
        Those behind which keys are added, where some are: the dict is whole in these alone.
    """

    name: str
    statement: cst.SimpleStatementLine
    first: dict[str, cst.BaseExpression]
    comments: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    later: Sequence[Any] | None = None


def without_records(module: Module, tree: cst.Module) -> cst.Module:
    """Returns the tree without such dicts; `module.parts` then tells of which dict a variable was a part."""
    body: list[Any] = []
    for statement in tree.body:
        if isinstance(statement, cst.FunctionDef):
            statement = _taken_apart(module, tree, statement)
        body.append(statement)
    return tree.with_changes(body=body)


def _taken_apart(module: Module, tree: cst.Module, function: cst.FunctionDef) -> cst.FunctionDef:
    taken = set(name_tools.all_names(tree)) | set(module.names) | set(dir(builtins))
    never = set(name_tools.parameters(function)) | _declared(function)
    while True:
        block, one = next((f for f in _records(function) if f[1].name not in never), (None, None))
        if block is None or one is None:
            return function
        never.add(one.name)
        _name_keys(one, block, taken)
        if not one.variables:
            continue  # its keys are computed
        new = function.visit(_Variables(module, one, function))
        if not isinstance(new, cst.FunctionDef) or one.name in name_tools.all_names(new):
            continue  # something needs the dict itself
        module.inherit(new, function)
        module.parts.update(dict.fromkeys(one.variables.values(), one.name))
        taken |= set(one.variables.values())
        function = new


def _declared(function: cst.FunctionDef) -> set[str]:
    """Returns the names that a function, or one inside, takes from outside to bind them."""
    several: list[Any] = [*nodes_of(function, cst.Nonlocal), *nodes_of(function, cst.Global)]
    return {item.name.value for one in several for item in one.names}


def _records(function: cst.FunctionDef) -> Iterator[tuple[Sequence[Any], _Record]]:
    """Yields the dicts that one statement alone makes, each with the block that this one stands in."""
    plain = "dict" not in name_tools.bound(function)
    found = [(block, one) for block in _blocks(statements(function)) for s in block if (one := _record(s, plain))]
    counts = [one.name for _, one in found]
    yield from ((block, one) for block, one in found if counts.count(one.name) == 1)


def _blocks(body: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yields a block and those inside of it, functions aside."""
    yield body
    for node in body:
        if isinstance(node, cst.If | cst.For | cst.While | cst.With):
            yield from _blocks(statements(node))
            yield from _blocks(alternative(node))


def _record(statement: Any, plain: bool) -> _Record | None:
    """Reads ``d = {"a": x, "b": y}``, ``d = {}`` or, where ``dict`` is Python's, ``d = dict(a=x)``; None for others."""
    one = small(statement)
    if not isinstance(one, cst.Assign) or len(statement.body) != 1 or len(one.targets) != 1:
        return None
    target, value = one.targets[0].target, one.value
    if not isinstance(target, cst.Name) or target.value in name_tools.loads(value):
        return None
    record = _Record(target.value, statement, {})
    if isinstance(value, cst.Dict):
        for element in value.elements:
            key = _text(element.key) if isinstance(element, cst.DictElement) else None
            if key is None or key in record.first:
                return None
            record.first[key] = element.value
            if (comment := _comment_behind(element)) is not None:
                record.comments[key] = comment
        return record
    if plain and isinstance(value, cst.Call) and isinstance(value.func, cst.Name) and value.func.value == "dict":
        keys = [a.keyword.value for a in value.args if a.keyword is not None]
        if len(keys) < len(value.args):
            return None
        record.first.update(zip(keys, (a.value for a in value.args), strict=True))
        return record
    return None


def _comment_behind(element: Any) -> str | None:
    """Returns the comment on the line of a key of a dict that is written over several lines."""
    space = getattr(element.comma, "whitespace_after", None)
    comment = space.first_line.comment if isinstance(space, cst.ParenthesizedWhitespace) else None
    return None if comment is None or "#@" in comment.value else comment.value.lstrip("#").strip()


def _behind(line: Any, comment: str) -> Any:
    """Puts a comment behind a statement, before the mark of its line."""
    space = line.trailing_whitespace
    mark = "" if space.comment is None else f"  {space.comment.value}"
    new = space.with_changes(whitespace=cst.SimpleWhitespace("  "), comment=cst.Comment(f"# {comment}{mark}"))
    return line.with_changes(trailing_whitespace=new)


def _text(node: cst.CSTNode) -> str | None:
    """Returns the value of a string that is written out."""
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return value if isinstance(value, str) else None


def _name_keys(one: _Record, block: Sequence[Any], taken: set[str]) -> None:
    """Finds the keys that statements of the same block add, and names all of them."""
    keys = list(one.first)
    behind = block[block.index(one.statement) + 1 :]
    for position, node in enumerate(behind):
        inner = small(node)
        for target in inner.targets if isinstance(inner, cst.Assign) else ():
            key = _key(target.target, one.name)
            if key is not None and key not in keys:
                keys.append(key)
                one.later = behind[position + 1 :]
    used = set(taken)
    for key in keys:
        plain = re.sub(r"\W", "_", key).strip("_")
        wanted = f"{one.name}_{plain or 'value'}"
        variable = name_tools.fresh(f"{wanted}_" if iskeyword(wanted) else wanted, used)
        used.add(variable)
        one.variables[key] = variable


def _key(node: cst.CSTNode, name: str) -> str | None:
    """Returns the key of ``name["key"]``, None for anything else."""
    if not isinstance(node, cst.Subscript) or not _is(node.value, name) or len(node.slice) != 1:
        return None
    index = node.slice[0].slice
    return _text(index.value) if isinstance(index, cst.Index) and index.star is None else None


def _stores_into(node: cst.CSTNode, name: str) -> bool:
    """Says whether a piece of source gives a key of a dict another value."""
    stores: list[Any] = [*nodes_of(node, cst.AssignTarget), *nodes_of(node, cst.AugAssign)]
    stores += [*nodes_of(node, cst.AnnAssign), *nodes_of(node, cst.For), *nodes_of(node, cst.CompFor)]
    waiting: list[Any] = [one.target for one in stores]
    waiting += [one.name for one in nodes_of(node, cst.AsName)]
    while waiting:
        one = waiting.pop()
        if isinstance(one, cst.Tuple | cst.List):
            waiting += [element.value for element in one.elements]
        elif isinstance(one, cst.Subscript) and _is(one.value, name):
            return True
    return False


def _is(node: Any, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def _only_name(target: cst.BaseExpression) -> str | None:
    return target.value if isinstance(target, cst.Name) else None


class _Variables(Rewriter):
    """Puts variables in the place of one dict; where it cannot, the dict's name is left standing."""

    def __init__(
        self, module: Module, record: _Record, function: cst.FunctionDef, live: Liveness | None = None, whole: int = 0
    ) -> None:
        super().__init__(module)
        self.record, self.name, self.function = record, record.name, function
        self.live = live or live_names(statements(function))
        self.local, self.captured = name_tools.bound(function), name_tools.captured(function)
        self.whole = whole or int(record.later is None)
        self.inner = 0
        self.above: list[cst.EmptyLine] = []

    # where the dict is whole ------------------------------------------------------------------

    def enter(self, node: cst.CSTNode, by: int) -> None:
        self.whole += by * any(node is one for one in self.record.later or ())

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        self.enter(node, 1)

    def visit_If(self, node: cst.If) -> None:
        self.enter(node, 1)

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        self.enter(original_node, -1)
        return updated_node

    def visit_While(self, node: cst.While) -> None:
        self.enter(node, 1)

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> cst.While:
        self.enter(original_node, -1)
        return updated_node

    def visit_For(self, node: cst.For) -> None:
        self.enter(node, 1)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        if node is self.function:
            return True
        self.inner += 1
        # what a function inside stores would be a variable of its own: the dict keeps its name, and stays
        return self.name not in name_tools.bound(node) and not _stores_into(node, self.name)

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self.inner -= original_node is not self.function
        return updated_node

    def visit_Del(self, node: cst.Del) -> bool:
        return False

    # statements -------------------------------------------------------------------------------

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        self.enter(original_node, -1)
        if original_node is not self.record.statement:
            if self.above and not self.inner:
                updated_node = updated_node.with_changes(leading_lines=(*self.above, *updated_node.leading_lines))
                self.above = []
            return updated_node
        new = small(updated_node).value
        values = [one.value for one in (new.elements if isinstance(new, cst.Dict) else new.args)]
        lines: list[Any] = []
        for (key, old), value in zip(self.record.first.items(), values, strict=True):
            line = made(f"{self.record.variables[key]} = 0", original_node)
            self.module.inherit(value, old)
            assignment = small(line).with_changes(value=self.alone(value))
            line = line.with_changes(body=[assignment])
            lines.append(_behind(line, self.record.comments[key]) if key in self.record.comments else line)
        if not lines:
            self.above = [line for line in original_node.leading_lines if line.comment is not None]
            return cst.RemoveFromParent()
        lines[0] = leading(lines[0], original_node)
        behind = original_node.trailing_whitespace.comment
        if behind is not None and not behind.value.startswith("#@"):
            # the comment behind the whole
            lines[0] = lines[0].with_changes(trailing_whitespace=original_node.trailing_whitespace)
        return cst.FlattenSentinel(lines)

    def alone(self, value: cst.BaseExpression) -> cst.BaseExpression:
        """Returns a value that went over several lines inside of the braces so that it may do so by itself."""
        if "\n" not in code(value) or value.lpar:
            return value
        new = value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        self.module.inherit(new, value)
        return new

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> Any:
        """Writes a loop over the keys out."""
        puts = self.puts(original_node.target, original_node.iter, original_node.body)
        self.enter(original_node, -1)
        body = statements(original_node)
        targets = set(name_tools.targets(original_node.target))
        later = self.live.after.get(original_node)
        bound = frozenset().union(*(name_tools.bound(s) for s in body))
        kinds = (cst.Break, cst.Continue, cst.FunctionDef, cst.Lambda)
        if (
            puts is None
            or original_node.orelse is not None
            or later is None
            or targets & (later | self.captured | bound)
            or len(puts) * len(body) > _MOST_COPIES
            or any(nodes_of(statement, kind) for statement in body for kind in kinds)
        ):
            return updated_node
        lines: list[Any] = []
        for put in puts:
            for statement in body:
                lines.append(self.step(statement, put))  # the keys are written out now
        lines[0] = lines[0].with_changes(leading_lines=(*original_node.leading_lines, *lines[0].leading_lines))
        return cst.FlattenSentinel(lines)

    def copied(self, node: cst.CSTNode, put: dict[str, cst.BaseExpression]) -> Any:
        """Returns a copy of a piece of source with expressions in the place of names."""
        clone = node.deep_clone()
        self.module.inherit_parts(clone, node)
        return clone.visit(_Put(self.module, put))

    def puts(
        self, target: cst.BaseExpression, iterated: cst.BaseExpression, *read: cst.CSTNode
    ) -> list[dict[str, cst.BaseExpression]] | None:
        """Returns what a loop's targets stand for in each step over the dict; None for any other loop.

        Parameters
        ----------
        target, iterated
        *read
            What is done in each step.
        """
        over = self.over(iterated)
        if over is None or (over != "given" and not self.whole):
            return None
        if over == "given":
            if not any(self.name in name_tools.all_names(one) for one in read):
                return None  # of something else
            assert isinstance(iterated, cst.Tuple | cst.List)
            keys = [str(_text(element.value)) for element in iterated.elements]
        else:
            keys = list(self.record.variables)
        if over in ("items", "values") and any(_stores_into(one, self.name) for one in read):
            return None  # the value of the step would no longer be the variable's
        quoted = {key: cst.parse_expression(_quoted(key)) for key in keys}
        variables = {key: cst.Name(self.record.variables[key]) for key in keys}
        name = _only_name(target)
        if over == "items":
            parts = [_only_name(e.value) for e in target.elements] if isinstance(target, cst.Tuple) else []
            if len(parts) != 2 or None in parts:
                return None
            return [{str(parts[0]): quoted[key], str(parts[1]): variables[key]} for key in keys]
        if name is None:
            return None
        return [{name: variables[key] if over == "values" else quoted[key]} for key in keys]

    def over(self, node: cst.BaseExpression) -> str | None:
        """Says how an expression goes through the dict: by "keys", "values" or "items", or by "given" keys."""
        if _is(node, self.name):
            return "keys"
        if isinstance(node, cst.Call) and not node.args and isinstance(node.func, cst.Attribute):
            method = node.func.attr.value
            return method if _is(node.func.value, self.name) and method in ("keys", "values", "items") else None
        if isinstance(node, cst.Tuple | cst.List) and node.elements:
            texts = [_text(element.value) for element in node.elements]
            return "given" if all(text in self.record.variables for text in texts) else None
        return None

    # expressions ------------------------------------------------------------------------------

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        key = _key(original_node, self.name)
        if key is None or key not in self.record.variables:
            return updated_node
        new = cst.Name(self.record.variables[key])
        self.module.inherit(new, original_node)
        return new

    def leave_Return(self, original_node: cst.Return, updated_node: cst.Return) -> cst.Return:
        value = updated_node.value
        if not self.whole or self.inner or value is None:
            return updated_node
        if _is(value, self.name):
            return updated_node.with_changes(value=self.display())
        if isinstance(value, cst.Tuple) and [_is(e.value, self.name) for e in value.elements].count(True) == 1:
            elements = [
                e.with_changes(value=self.display()) if _is(e.value, self.name) else e for e in value.elements
            ]
            return updated_node.with_changes(value=value.with_changes(elements=elements))
        return updated_node

    def display(self) -> cst.BaseExpression:
        """Returns the dict written out."""
        quoted = (f"{_quoted(key)}: {variable}" for key, variable in self.record.variables.items())
        return cst.parse_expression("{" + ", ".join(quoted) + "}")

    def leave_ListComp(self, original_node: cst.ListComp, updated_node: cst.ListComp) -> cst.BaseExpression:
        steps = self.steps(original_node.for_in, original_node.elt)
        if steps is None:
            return updated_node
        elements = [cst.Element(self.step(original_node.elt, put)) for put in steps]
        return cst.List(elements)

    def leave_DictComp(self, original_node: cst.DictComp, updated_node: cst.DictComp) -> cst.BaseExpression:
        steps = self.steps(original_node.for_in, original_node.key, original_node.value)
        key = _only_name(original_node.key)
        if steps is None or key is None or any(key not in put or _text(put[key]) is None for put in steps):
            return updated_node
        elements = [cst.DictElement(put[key], self.step(original_node.value, put)) for put in steps]
        return cst.Dict(elements)

    def steps(self, loop: cst.CompFor, *read: cst.BaseExpression) -> list[dict[str, cst.BaseExpression]] | None:
        """Returns what the targets of a comprehension over the dict stand for in each step."""
        if loop.ifs or loop.inner_for_in is not None or loop.asynchronous is not None:
            return None
        again = frozenset().union(*(name_tools.bound(one) for one in read))
        if again & set(name_tools.targets(loop.target)) or any(nodes_of(one, cst.Lambda) for one in read):
            return None
        return self.puts(loop.target, loop.iter, *read)

    def step(self, node: cst.CSTNode, put: dict[str, cst.BaseExpression]) -> Any:
        return self.copied(node, put).visit(_Variables(self.module, self.record, self.function, self.live, self.whole))

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        """Writes `list(d.values())` and the like as a list of the variables."""
        func, args = original_node.func, original_node.args
        if not isinstance(func, cst.Name) or func.value not in _OF_ALL or func.value in self.local:
            return updated_node
        if len(args) != 1 or not self.whole or self.over(args[0].value) != "values":
            return updated_node
        values = cst.List([cst.Element(cst.Name(variable)) for variable in self.record.variables.values()])
        return values if func.value == "list" else updated_node.with_changes(args=[cst.Arg(values)])


def _quoted(text: str) -> str:
    return '"' + text + '"' if text.isprintable() and not set('"\\') & set(text) else repr(text)


class _Put(Rewriter):
    """Puts expressions in the place of names."""

    def __init__(self, module: Module, put: dict[str, cst.BaseExpression]) -> None:
        super().__init__(module)
        self.put = put

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        new = self.put.get(original_node.value)
        return updated_node if new is None else new.deep_clone()
