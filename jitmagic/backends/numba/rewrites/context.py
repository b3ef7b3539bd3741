"""What the rewrites share: the module, the imports, the variables' types, emitted helpers, notes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.typing_model import Variables, literal_fact
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.bindings import is_natural, naturals
from jitmagic.generate.imports import Imports
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Transformer
from jitmagic.observe.facts import Span, ValueFact


class Beyond(Unsupported):
    """A call of the user's that a rewrite cannot express; it may be left to NumPy, in Python.

    Attributes
    ----------
    place : Span
        Where the call stands.
    """

    def __init__(self, error: Unsupported, place: Span) -> None:
        super().__init__(error.refusal.reason, error.refusal.line, error.refusal.code)
        self.place = place


@dataclass
class Context:
    """The state of one rewriting: made anew for each draft.

    Attributes
    ----------
    module : Module
    imports : Imports
    parallel : bool
        Whether the draft is compiled with ``parallel=True``.
    every : bool
        Whether every array expression becomes a loop.
    helpers : dict of str to str
        Functions that the draft needs besides the user's: name to source.
    own : set of str
        Those of them that are loops in the place of the user's array arithmetic, and no function of NumPy's.
    notes : list of str
    joined : set of node
        Assignments of expressions that were put together from several: they are written as loops.
    """

    module: Module
    imports: Imports
    parallel: bool = False
    every: bool = False
    helpers: dict[str, str] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    joined: set[cst.CSTNode] = field(default_factory=set)

    def note(self, text: str) -> None:
        """Adds a sentence for the reader once."""
        if text not in self.notes:
            self.notes.append(text)

    def helper(self, name: str, source: str) -> cst.Name:
        """Asks for a helper function; returns its name. ``{name}`` and ``{np}`` are filled in."""
        wanted = name
        number = 1
        taken = name_tools.all_names(self.module.tree)
        while True:
            free = name_tools.fresh(wanted, taken)
            text = source.replace("{name}", free)
            if "{np}" in text:
                text = text.replace("{np}", self.imports.code("numpy.empty").split(".")[0])
            if self.helpers.setdefault(free, text) == text:
                return cst.Name(free)
            number += 1
            wanted = f"{name}_{number}"

    def loops(self, name: str, source: str) -> cst.Name:
        """Asks for loops in the place of the user's array arithmetic, as :meth:`helper` does."""
        helper = self.helper(name, source)
        self.own.add(helper.value)
        return helper

    def place(self, node: cst.CSTNode) -> Span | None:
        """Returns the place of a node in the user's text, None for one that a rewrite made."""
        try:
            return self.module.span(node)
        except KeyError:
            return None

    def bare(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Takes an expression's outer parentheses off: an argument needs none."""
        if not node.lpar or isinstance(node, cst.Tuple | cst.GeneratorExp):
            return node
        new = node.with_changes(lpar=[], rpar=[])
        self.module.inherit(new, node)
        return new

    def operand(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Puts parentheses around an expression that an attribute or an operator is to follow."""
        simple = cst.Name | cst.Attribute | cst.Subscript | cst.Call | cst.Integer | cst.Float
        if isinstance(node, simple) or node.lpar:
            return node
        new = node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        self.module.inherit(new, node)
        return new

    def cast(self, dtype: str, value: cst.BaseExpression) -> cst.Call:
        """Writes ``np.float32(value)``."""
        return cst.Call(self.imports.spell(scalar_path(dtype)), [cst.Arg(self.bare(value))])


class NumbaRewriter(Rewriter):
    """A rewriter that knows which function it stands in.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context.module)
        self.context = context
        self.functions: list[cst.FunctionDef] = []
        self._variables: list[Variables] = []
        self._locals: list[frozenset[str]] = []
        self._naturals: tuple[cst.FunctionDef | None, frozenset[str]] = (None, frozenset())

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        """Tells at which call a rewrite gave up, so that the call may be made in Python."""
        try:
            return super().on_leave(original_node, updated_node)
        except Unsupported as error:
            leaves = isinstance(original_node, cst.Call) and not self._is_builtin(original_node.func)
            place = self.context.place(original_node) if leaves else None
            if place is None or isinstance(error, Beyond):
                raise
            raise Beyond(error, place) from None

    def _is_builtin(self, func: cst.BaseExpression) -> bool:
        """Says whether a call is Python's own, which is not left to Python: only `print` and libraries are."""
        if isinstance(func, cst.Attribute) and self.path(func) is None:
            fact = self.fact(func.value)
            return fact is not None and fact.kind in ("dict", "list")
        return isinstance(func, cst.Name) and func.value != "print" and self.path(func) is None

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.functions.append(node)
        self._variables.append(Variables(self.module, node))
        outer = self._locals[-1] if self._locals else frozenset()
        self._locals.append(outer | name_tools.bound(node))

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self.functions.pop()
        self._variables.pop()
        self._locals.pop()
        return updated_node

    @property
    def variables(self) -> Variables | None:
        """The variables of the innermost function, None at module level."""
        return self._variables[-1] if self._variables else None

    def path(self, node: cst.BaseExpression) -> str | None:
        """Returns the dotted path of an imported name."""
        return qualified(node, self.module.names, self.own_names)

    @property
    def own_names(self) -> frozenset[str]:
        """The names that the functions around bind."""
        return self._locals[-1] if self._locals else frozenset()

    def may_share(self, aliases: Aliases, name: str, others: Iterable[str]) -> bool:
        """Says whether a name may stand for the memory of one of ``others`` in the functions around this place."""
        wanted = frozenset(others)
        around = {function.name.value for function in self.functions}
        return name in wanted or any(
            aliases.may_share(node, name, other)
            for node in aliases.tree.definitions()
            if node.name in around
            for other in wanted
        )

    def fact(self, node: cst.BaseExpression) -> ValueFact | None:
        """Returns what NumPy's value at this place was."""
        return self.module.fact(node) or literal_fact(node, self.module.names)

    def is_whole(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression was seen as a whole number of Python's, or one of 64 bits."""
        fact = self.fact(node)
        return fact is not None and (fact.kind == "int" or (fact.kind == "scalar" and fact.dtype == "int64"))

    def is_natural(self, node: cst.BaseExpression) -> bool:
        """Says whether a whole number is proved not to be negative."""
        if self.functions and self._naturals[0] is not self.functions[-1]:
            self._naturals = self.functions[-1], naturals(self.functions[-1])
        return is_natural(node, self._naturals[1] if self.functions else frozenset())

    def is_array(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression was seen as an array."""
        fact = self.fact(node)
        return fact is not None and fact.kind == "array"


class LoopRewriter(NumbaRewriter):
    """A rewriter that knows which loops it stands in.

    Parameters
    ----------
    context : Context

    Attributes
    ----------
    loops : list of (libcst.For or libcst.While)
        Those around the node at hand, innermost last.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.loops: list[cst.For | cst.While] = []

    def visit_For(self, node: cst.For) -> None:
        self.loops.append(node)

    def visit_While(self, node: cst.While) -> None:
        self.loops.append(node)

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> Any:
        self.loops.pop()
        return self.behind_loop(original_node, updated_node)

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> Any:
        self.loops.pop()
        return self.behind_loop(original_node, updated_node)

    def behind_loop(self, original_node: cst.For | cst.While, updated_node: Any) -> Any:
        """Returns what takes a loop's place; it is no longer among the loops around."""
        return updated_node


class ChosenLoops(NumbaRewriter):
    """A rewriter of what stands in chosen loops alone.

    Parameters
    ----------
    context : Context
    spans : tuple of Span
        The loops.

    Attributes
    ----------
    inside : int
        How many of them are around the node at hand.
    """

    def __init__(self, context: Context, spans: tuple[Span, ...]) -> None:
        super().__init__(context)
        self._places = {(span.line, span.column) for span in spans}
        self.inside = 0

    def visit_For(self, node: cst.For) -> None:
        self.inside += self._is_chosen(node)

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        self.inside -= self._is_chosen(original_node)
        return updated_node

    def _is_chosen(self, node: cst.For) -> bool:
        place = self.context.place(node)
        return place is not None and (place.line, place.column) in self._places


def scalar_path(dtype: str) -> str:
    """Returns the path of NumPy's scalar type of a dtype."""
    return "numpy.bool_" if dtype == "bool" else f"numpy.{dtype}"


def code(node: cst.CSTNode) -> str:
    """Returns a node's source."""
    return cst.Module([]).code_for_node(node)


def expression(text: str, **parts: cst.BaseExpression) -> cst.BaseExpression:
    """Makes an expression from text in which ``{name}`` stands for an expression; the parts keep their facts.

    >>> code(expression("{x}.sum() / n", x=cst.Name("y")))
    'y.sum() / n'
    """
    template = cst.parse_expression(text.format(**{name: f"__part_{name}__" for name in parts}))
    filled = template.visit(_Filled({f"__part_{name}__": part for name, part in parts.items()}))
    assert isinstance(filled, cst.BaseExpression)
    return filled


class _Filled(Transformer):
    """Puts the very nodes in the place of names: a copy would know nothing of what was observed."""

    def __init__(self, parts: dict[str, cst.BaseExpression]) -> None:
        super().__init__()
        self.parts = parts

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self.parts.get(original_node.value, updated_node)
