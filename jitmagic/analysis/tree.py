"""The parsed module: one `ast` tree with parents, functions and character spans, shared by every analysis.

>>> tree = SourceTree("def fn(x):\\n    return x + 1\\n", "fn")
>>> [statement.lineno for statement in tree.entry.body]
[2]
>>> tree.span(tree.entry.body[0].value)
Span(line=2, column=11, end_line=2, end_column=16)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jitmagic.observe.facts import Span

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class SourceTree:
    """A module's text, parsed once.

    Parameters
    ----------
    text : str
        The module's source, e.g. ``Workload.module.text``.
    entry : str
        Name of the module-level function under study.

    Raises
    ------
    SyntaxError
        If the text is no Python.
    LookupError
        If the module defines no function of that name.
    """

    def __init__(self, text: str, entry: str) -> None:
        self.text = text
        self.module = ast.parse(text)
        self.parents: dict[ast.AST, ast.AST] = {}
        self.reparent()
        self.functions: dict[str, ast.FunctionDef] = {
            node.name: node for node in self.module.body if isinstance(node, ast.FunctionDef)
        }
        if entry not in self.functions:
            raise LookupError(f"the module defines {sorted(self.functions) or 'no function'}, and no {entry!r}")
        self.entry = self.functions[entry]
        self._lines = text.splitlines()

    def reparent(self) -> None:
        """Finds out anew which node stands in which."""
        self.parents = {child: node for node in ast.walk(self.module) for child in ast.iter_child_nodes(node)}

    def span(self, node: ast.AST) -> Span:
        """Returns a node's place in the text; columns count characters, where `ast` counts UTF-8 bytes."""
        line: int = getattr(node, "lineno", 1)
        end: int = getattr(node, "end_lineno", None) or line
        column = self._column(line, getattr(node, "col_offset", 0))
        return Span(line, column, end, self._column(end, getattr(node, "end_col_offset", None) or 0))

    def segment(self, node: ast.AST) -> str:
        """Returns the text of a node as the user wrote it."""
        return ast.get_source_segment(self.text, node) or ast.unparse(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yields the nodes around a node, innermost first."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def function_of(self, node: ast.AST) -> FunctionNode | None:
        """Returns the innermost function, nested ones and lambdas included, around a node."""
        for parent in self.ancestors(node):
            if isinstance(parent, FunctionNode):
                return parent
        return None

    def definition_of(self, node: ast.AST) -> ast.FunctionDef | None:
        """Returns the innermost `def` around a node, or the node itself if it is one."""
        if isinstance(node, ast.FunctionDef):
            return node
        return next((parent for parent in self.ancestors(node) if isinstance(parent, ast.FunctionDef)), None)

    def statement_of(self, node: ast.AST) -> ast.stmt | None:
        """Returns the statement that a node stands in."""
        if isinstance(node, ast.stmt):
            return node
        return next((parent for parent in self.ancestors(node) if isinstance(parent, ast.stmt)), None)

    def loops_around(self, node: ast.AST) -> list[ast.For | ast.While]:
        """Returns the `for` and `while` loops of the same function whose body holds a node, innermost first."""
        loops: list[ast.For | ast.While] = []
        child = node
        for parent in self.ancestors(node):
            if isinstance(parent, FunctionNode):
                break
            if isinstance(parent, ast.For | ast.While) and child in parent.body:
                loops.append(parent)
            child = parent
        return loops

    def definitions(self) -> list[ast.FunctionDef]:
        """Returns every `def` of the module, nested ones included, in the order of the text."""
        found = [node for node in ast.walk(self.module) if isinstance(node, ast.FunctionDef)]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    def _column(self, line: int, offset: int) -> int:
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore"))


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yields the nodes of a function's body without those of `def`s nested in it (lambdas and comprehensions stay)."""
    pending: list[ast.AST] = list(getattr(function, "body", []))
    while pending:
        node = pending.pop(0)
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            pending[:0] = [*node.decorator_list]
            continue
        pending[:0] = list(ast.iter_child_nodes(node))


def parameter_nodes(function: FunctionNode) -> list[ast.arg]:
    """Returns a function's parameters in the order of its signature, `*args` and `**kwargs` included."""
    arguments = function.args
    found = [*arguments.posonlyargs, *arguments.args]
    if arguments.vararg:
        found.append(arguments.vararg)
    found.extend(arguments.kwonlyargs)
    if arguments.kwarg:
        found.append(arguments.kwarg)
    return found


def target_names(target: ast.AST) -> Iterator[ast.Name]:
    """Yields the plain names that an assignment target binds."""
    if isinstance(target, ast.Name):
        yield target
    elif isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from target_names(element)
    elif isinstance(target, ast.Starred):
        yield from target_names(target.value)


def stores_of(node: ast.AST) -> list[ast.Subscript | ast.Attribute]:
    """Returns the subscripts and attributes that a statement or an assignment target stores into or deletes."""
    if isinstance(node, ast.Subscript | ast.Attribute):
        return [node] if isinstance(node.ctx, ast.Store | ast.Del) else []
    if isinstance(node, ast.Assign | ast.Delete):
        return [store for target in node.targets for store in stores_of(target)]
    if isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For):
        return stores_of(node.target)
    if isinstance(node, ast.Tuple | ast.List):
        return [store for element in node.elts for store in stores_of(element)]
    return stores_of(node.value) if isinstance(node, ast.Starred) else []


def base_name(node: ast.expr) -> str | None:
    """Returns the name at the head of subscripts and attributes: ``a`` of ``a[i].T[0]``."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def bind_arguments(call: ast.Call, function: FunctionNode) -> dict[str, list[ast.expr]] | None:
    """Pairs a call's argument expressions with parameter names; None where `*` or `**` hides the pairing."""
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(k.arg is None for k in call.keywords):
        return None
    positional = [a.arg for a in [*function.args.posonlyargs, *function.args.args]]
    bound: dict[str, list[ast.expr]] = {}
    for position, argument in enumerate(call.args):
        if position < len(positional):
            bound.setdefault(positional[position], []).append(argument)
        elif function.args.vararg:
            bound.setdefault(function.args.vararg.arg, []).append(argument)
    named = {*positional, *(a.arg for a in function.args.kwonlyargs)}
    for keyword in call.keywords:
        if keyword.arg in named:
            bound.setdefault(str(keyword.arg), []).append(keyword.value)
        elif function.args.kwarg:
            bound.setdefault(function.args.kwarg.arg, []).append(keyword.value)
    return bound
