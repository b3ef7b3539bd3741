"""What the translation of one module knows while it walks: variables, parameters, returns, loops, aliases."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from jitmagic.analysis.memory import CONTAINER_METHODS
from jitmagic.backends.torch.kinds import Value, join
from jitmagic.generate.walking import Finder


@dataclass
class Learned:
    """What earlier passes over the same tree found; a pass that learns nothing new is the last.

    Attributes
    ----------
    loops : dict
        (loop, variable) to what the variable is assigned inside.
    parameters : dict
        (function, position or name) to what callers pass.
    returns : dict
        Function to what it returns.
    aliases : set
        (function, variable, variable) where one may be a view of the other.
    """

    loops: dict[tuple[cst.CSTNode, str], Value] = field(default_factory=dict)
    parameters: dict[tuple[str, int | str], Value] = field(default_factory=dict)
    returns: dict[str, Value] = field(default_factory=dict)
    aliases: set[tuple[str, str, str]] = field(default_factory=set)

    def snapshot(self) -> tuple[object, ...]:
        """Returns a copy to compare with."""
        return dict(self.loops), dict(self.parameters), dict(self.returns), set(self.aliases)

    def reached(self, function: str, names: frozenset[str]) -> frozenset[str]:
        """Returns the variables of a function that may share memory with any of the names."""
        found = set(names)
        while True:
            more = {y for f, x, y in self._pairs() if f == function and x in found} - found
            if not more:
                return frozenset(found)
            found |= more

    def _pairs(self) -> list[tuple[str, str, str]]:
        return [(f, *pair) for f, a, b in self.aliases for pair in ((a, b), (b, a))]


class Scope:
    """The variables of the function that is being walked.

    Attributes
    ----------
    values : dict of str to Value
    roots : dict of str to str
        Variable to the variable of whose memory it is a view.
    flipped : dict of str to str
        Variable that holds a reversed copy, to the variable of which NumPy would hold a view.
    stored : frozenset of str
        Variables into whose elements the function stores.
    grown : frozenset of str
        Variables that hold a list which is changed after it was made.
    keys : frozenset of node
        Names, where they stand, of what a dict gave back.
    device : str or None
        An expression of the device of the function's first array parameter.
    local : frozenset of str
        Names that hide imports.
    name : str
    """

    def __init__(
        self,
        name: str,
        local: frozenset[str],
        stored: frozenset[str],
        device: str | None,
        grown: frozenset[str] = frozenset(),
    ) -> None:
        self.keys: frozenset[cst.CSTNode] = frozenset()
        self.name, self.local, self.stored, self.device, self.grown = name, local, stored, device, grown
        self.values: dict[str, Value] = {}
        self.roots: dict[str, str] = {}
        self.flipped: dict[str, str] = {}

    def root(self, name: str) -> str:
        """Returns the variable that owns the memory behind a name."""
        seen = {name}
        while name in self.roots and self.roots[name] not in seen:
            name = self.roots[name]
            seen.add(name)
        return name

    def merged(self, other: dict[str, Value]) -> dict[str, Value]:
        """Returns the variables where two paths meet."""
        names = self.values.keys() | other.keys()
        return {n: join(self.values.get(n), other.get(n)) for n in names}


def base_name(node: cst.BaseExpression) -> str | None:
    """Returns the variable at the bottom of subscripts, attributes and method calls that make views.

    >>> base_name(cst.parse_expression("x[1:].T.reshape(3)"))
    'x'
    """
    while True:
        if isinstance(node, cst.Name):
            return node.value
        if isinstance(node, cst.Subscript | cst.Attribute):
            node = node.value
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in VIEWS:
            node = node.func.value
        else:
            return None


VIEWS = frozenset(
    [
        "reshape",
        "ravel",
        "transpose",
        "permute",
        "swapaxes",
        "view",
        "squeeze",
        "unsqueeze",
        "expand",
        "diagonal",
        "unfold",
        "broadcast_to",
        "moveaxis",
    ]
)
"""Methods that give views where they can."""


def stored_names(function: cst.CSTNode) -> frozenset[str]:
    """Returns the variables into whose elements a piece of source stores, or that it changes in place."""
    finder = _Stores()
    function.visit(finder)
    return frozenset(finder.names)


def grown_names(function: cst.CSTNode) -> frozenset[str]:
    """Returns the variables that a piece of source changes as one changes a list: by a method, an item, or ``+=``."""
    finder = _Grown()
    function.visit(finder)
    return frozenset(finder.names)


class _Grown(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_Call(self, node: cst.Call) -> None:
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in CONTAINER_METHODS:
            self._add(node.func.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._add(node.target)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        if isinstance(node.target, cst.Subscript):
            self._add(node.target)

    def _add(self, node: cst.BaseExpression) -> None:
        name = base_name(node)
        if name is not None:
            self.names.add(name)


class _Stores(Finder):
    _METHODS = frozenset({"fill", "sort", "itemset", "put", "partition"})
    _FUNCTIONS = frozenset({"at", "copyto", "put", "fill_diagonal", "put_along_axis", "putmask", "place", "shuffle"})

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def _add(self, node: cst.BaseExpression) -> None:
        name = base_name(node)
        if name is not None:
            self.names.add(name)

    def _target(self, node: cst.BaseExpression) -> None:
        if isinstance(node, cst.Subscript | cst.Attribute):
            self._add(node)
        elif isinstance(node, cst.Tuple | cst.List):
            for element in node.elements:
                self._target(element.value)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._target(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._add(node.target)

    def visit_Call(self, node: cst.Call) -> None:
        if isinstance(node.func, cst.Attribute):
            if node.func.attr.value in self._METHODS:
                self._add(node.func.value)
            if node.func.attr.value in self._FUNCTIONS and node.args:
                self._add(node.args[0].value)
        for argument in node.args:
            if argument.keyword is not None and argument.keyword.value == "out":
                self._add(argument.value)
