"""A module's text as a tree that remembers: dotted paths of names, spans, observed facts, the user's lines.

Every rewrite starts with :class:`Module`, edits its LibCST tree, and ends with :meth:`Module.finish`,
which turns the tree back into text *with* the map from the new lines to the user's lines. The map
survives any edit because each line carries its number with it, in a comment that is taken off at the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from jitmagic.capture.workload import ModuleText, Workload
from jitmagic.generate.walking import children
from jitmagic.observe.facts import Observation, Span, ValueFact

_MARK = re.compile(r"[ ]*#@(\d+):(\d+)@$")


class Module:
    """A parsed module with its metadata.

    Attributes
    ----------
    tree : libcst.Module
        The parsed text. Its nodes are the keys of the lookups below: edit with transformers that look up
        ``original_node``.
    source : ModuleText
        What it was parsed from.
    names : mapping of str to str
        Free names to dotted paths.
    observed : Observation or None
        The facts, if there was a watched run.
    parts : dict of str to str
        Variables that rewrites made of parts of a value, each with the user's name for the whole, whose memory it may
        be.
    flagged : set of str
        Variables of which a flag says whether they have a value yet: they are read only where it is set.
    """

    def __init__(self, source: ModuleText, names: Mapping[str, str], observed: Observation | None = None) -> None:
        self.source = source
        self.names = dict(names)
        self.observed = observed
        self.tree, positions = _parsed(source.text)
        self._positions = dict(positions)
        self._learned: dict[cst.CSTNode, ValueFact] = {}
        self.parts: dict[str, str] = {}
        self.flagged: set[str] = set()

    @classmethod
    def of(cls, workload: Workload, observed: Observation | None = None) -> Module:
        """Parses a workload's module."""
        return cls(workload.module, workload.names, observed)

    def span(self, node: cst.CSTNode) -> Span:
        """Returns the node's place in the text; KeyError for a node that a rewrite made."""
        place = self._positions[node]
        return Span(place.start.line, place.start.column, place.end.line, place.end.column)

    def line(self, node: cst.CSTNode) -> int | None:
        """Returns the user's line of a node; of one that a rewrite made its mark's, None where it has none."""
        place = self._positions.get(node)
        first = place.start.line if place is not None else _marked_line(node)
        return None if first is None else self.source.origin_line(first)

    def fact(self, node: cst.CSTNode) -> ValueFact | None:
        """Returns what was observed of an expression, None where nothing was."""
        learned = self._learned.get(node)
        if learned is not None:
            return learned
        if self.observed is None or node not in self._positions:
            return None
        return self.observed.expressions.get(self.span(node))

    def learn(self, node: cst.CSTNode, fact: ValueFact) -> None:
        """Notes what a node that a rewrite made will be, where it is not what was observed at its place."""
        self._learned[node] = fact

    def inherit(self, new: cst.CSTNode, old: cst.CSTNode) -> None:
        """Lets a node that a rewrite made answer look-ups as the node that it stands for."""
        if new is not old and old in self._positions:
            self._positions.setdefault(new, self._positions[old])
        if new is not old and old in self._learned:
            self._learned.setdefault(new, self._learned[old])

    def inherit_parts(self, new: cst.CSTNode, old: cst.CSTNode) -> None:
        """Does so for an expression and all its parts, where both are written alike."""
        self.inherit(new, old)
        for one, other in zip(children(new), children(old), strict=False):
            if type(one) is type(other):
                self.inherit_parts(one, other)

    def function(self, name: str) -> cst.FunctionDef:
        """Returns a top-level function of the module; KeyError where there is none."""
        for statement in self.tree.body:
            if isinstance(statement, cst.FunctionDef) and statement.name.value == name:
                return statement
        raise KeyError(name)

    def functions(self) -> tuple[cst.FunctionDef, ...]:
        """Returns the module's top-level functions in their order."""
        return tuple(s for s in self.tree.body if isinstance(s, cst.FunctionDef))

    def marked(self) -> cst.Module:
        """Returns the tree with each line's number in a comment at its end, for :meth:`finish`.

        ``self.tree`` becomes the marked tree, so that look-ups go on working: its nodes are new objects.
        """
        self.tree, positions = _marked(self.source.text)
        self._positions = dict(positions)
        return self.tree

    @staticmethod
    def finish(tree: cst.Module, source: ModuleText) -> ModuleText:
        """Turns an edited tree into text with its line map.

        Parameters
        ----------
        tree : libcst.Module
            A tree made from :meth:`marked`.
        source : ModuleText
            What the tree was made from.
        """
        lines: list[str] = []
        origins: list[int | None] = []
        for raw in tree.code.splitlines():
            match = _MARK.search(raw)
            if match is None:
                lines.append(raw)
                origins.append(None)
                continue
            lines.append(raw[: match.start()].rstrip())
            first, last = int(match.group(1)), int(match.group(2))
            origins.append(source.origin_line(last))
            # the earlier lines of a statement that spans several carry no mark of their own
            for back in range(1, min(last - first, len(lines) - 1) + 1):
                if origins[-1 - back] is not None:
                    break
                origins[-1 - back] = source.origin_line(last - back)
        return ModuleText("\n".join(lines) + "\n", tuple(origins))


def qualified(
    node: cst.BaseExpression, names: Mapping[str, str], local: frozenset[str] | set[str] = frozenset()
) -> str | None:
    """Resolves a name or a chain of attributes to its dotted path.

    >>> qualified(cst.parse_expression("np.linalg.norm"), {"np": "numpy"})
    'numpy.linalg.norm'

    Returns None where the head is a local name, or no import binds it.
    """
    if isinstance(node, cst.Name):
        return None if node.value in local else names.get(node.value)
    if isinstance(node, cst.Attribute):
        head = qualified(node.value, names, local)
        return None if head is None else f"{head}.{node.attr.value}"
    return None


def dotted(path: str) -> cst.BaseExpression:
    """Makes the expression of a dotted path.

    >>> cst.Module([]).code_for_node(dotted("jnp.linalg.norm"))
    'jnp.linalg.norm'
    """
    return cst.parse_expression(path)


_Places = Mapping[cst.CSTNode, CodeRange]


@lru_cache(maxsize=32)
def _parsed(text: str) -> tuple[cst.Module, _Places]:
    """Returns a text's tree and where its nodes stand; every library's variants begin with the same tree."""
    # unsafe_skip_copy: the tree comes from the parser, so no node stands in it twice
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    return wrapper.module, cast("_Places", wrapper.resolve(PositionProvider))


@lru_cache(maxsize=32)
def _marked(text: str) -> tuple[cst.Module, _Places]:
    tree, positions = _parsed(text)
    marker = _Marker(positions)
    return tree.visit(marker), marker.positions


class _Marker(cst.CSTTransformer):
    """Writes each statement's first and last line into a comment at the end of its (header's) last line."""

    def __init__(self, positions: Mapping[cst.CSTNode, CodeRange]) -> None:
        super().__init__()
        self.old = positions
        self.positions: dict[cst.CSTNode, CodeRange] = {}

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        place = self.old.get(original_node)
        if place is None:
            return updated_node
        first = place.start.line
        if isinstance(updated_node, cst.SimpleStatementLine):
            space = _with_mark(updated_node.trailing_whitespace, first, place.end.line)
            updated_node = updated_node.with_changes(trailing_whitespace=space)
        body = getattr(updated_node, "body", None)
        if isinstance(body, cst.IndentedBlock):
            # PositionProvider starts a block at its first statement: the header ends at least one line before it
            last = max(first, self.old[original_node.body].start.line - 1)
            last = min(last, first + _header_height(original_node))
            updated_node = self.renewed(updated_node, body.with_changes(header=_with_mark(body.header, first, last)))
        elif isinstance(body, cst.SimpleStatementSuite):
            space = _with_mark(body.trailing_whitespace, first, place.end.line)
            updated_node = self.renewed(updated_node, body.with_changes(trailing_whitespace=space))
        self.positions[updated_node] = place
        return updated_node

    def renewed(self, node: Any, body: Any) -> Any:
        # not with_deep_changes: it makes the test and the else anew, and they would lose their places
        old = self.positions.get(node.body)
        if old is not None:
            self.positions[body] = old
        return node.with_changes(body=body)


def _marked_line(node: Any) -> int | None:
    """Returns the first line of the mark of a statement, None for anything without one."""
    space = getattr(node, "trailing_whitespace", None) or getattr(getattr(node, "body", None), "header", None)
    comment = getattr(space, "comment", None)
    mark = _MARK.search(comment.value) if comment is not None else None
    return int(mark[1]) if mark is not None else None


def _header_height(node: cst.CSTNode) -> int:
    """Counts the line breaks in a compound statement's header, zero for a header on one line."""
    if not isinstance(node, cst.FunctionDef | cst.ClassDef | cst.If | cst.For | cst.While | cst.With):
        return 0
    bare = node.with_changes(body=cst.SimpleStatementSuite(body=[cst.Pass()]), leading_lines=())
    if isinstance(bare, cst.FunctionDef | cst.ClassDef):
        bare = bare.with_changes(decorators=(), lines_after_decorators=())
    elif isinstance(bare, cst.If | cst.For | cst.While):
        bare = bare.with_changes(orelse=None)
    return cst.Module([]).code_for_node(bare).rstrip().count("\n")


def _with_mark(space: cst.TrailingWhitespace, first: int, last: int) -> cst.TrailingWhitespace:
    mark = f"#@{first}:{last}@"
    comment = f"{space.comment.value}  {mark}" if space.comment is not None else mark
    blank = space.whitespace if space.comment is not None else cst.SimpleWhitespace("  ")
    return space.with_changes(whitespace=blank, comment=cst.Comment(comment))
