"""Which arrays a statement stores into: by subscripts, ``out=``, methods, ufuncs' ``at``, and helpers that mutate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.functions import BINARY_UFUNCS, ELEMENTWISE
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.aliases import Aliases
from jitmagic.generate.blocks import alternative, code, small, statements
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder

AT_METHODS = {
    "numpy.add.at": "add", "numpy.multiply.at": "multiply", "numpy.maximum.at": "max", "numpy.minimum.at": "min",
    "numpy.divide.at": "divide", "numpy.power.at": "power",
}  # fmt: skip
REFUSED_METHODS = frozenset({"itemset", "resize", "setflags", "partition", "byteswap", "put", "setfield"})
_INTO_FIRST = frozenset(
    ("numpy.subtract.at", "numpy.copyto", "numpy.fill_diagonal", "numpy.putmask", "numpy.place", "numpy.put")
)


class Stores:
    """Finds what each statement stores into."""

    def __init__(
        self,
        module: Module,
        function: cst.FunctionDef,
        kinds: Kinds,
        mutating: Mapping[str, tuple[str, ...]],
        links: Aliases,
    ) -> None:
        self.module = module
        self.function = function
        self.kinds = kinds
        self.mutating = mutating
        self.links = links

    def refuse(self, node: cst.CSTNode, reason: str, code_: str = "JX-SETITEM") -> Unsupported:
        line = self.module.line(node)
        return Unsupported(f"line {line}: {reason}", line, code_)

    def mutated(self, body: Sequence[Any]) -> set[str]:
        """Returns the parameters that some store may reach."""
        found: set[str] = set()
        for node in body:
            for name in self.stored(node):
                for other in self.links.at.get(node, {}).get(name, {}):
                    if other.startswith("@"):
                        found.add(other[1:])
            if isinstance(node, cst.For | cst.While | cst.With | cst.If):
                found |= self.mutated(statements(node))
                found |= self.mutated(alternative(node))
        return found

    def stored(self, node: Any) -> list[str]:
        """Returns the names of the arrays that a statement (not those in its blocks) stores into."""
        statement = small(node)
        if statement is None:
            return []
        found: list[str] = []
        if isinstance(statement, cst.Assign):
            for target in statement.targets:
                found += self._target(target.target)
        elif isinstance(statement, cst.AnnAssign | cst.AugAssign):
            found += self._target(statement.target)
            if isinstance(statement, cst.AugAssign) and isinstance(statement.target, cst.Name):
                links = self.links.at.get(node, {}).get(statement.target.value, {})
                if not self.kinds.is_number(statement.target) and not self.kinds.is_container(statement.target):
                    known = self.kinds.of(statement.target)
                    if (known is not None and known.kind == "array") or (links and known is None):
                        found.append(statement.target.value)
        for call in calls_in(statement):
            found += self._call(call, statement)
        return found

    def _target(self, target: cst.BaseExpression) -> list[str]:
        if isinstance(target, cst.Tuple | cst.List):
            return [n for e in target.elements for n in self._target(e.value)]
        if isinstance(target, cst.Subscript | cst.Attribute):
            root = root_name(target)
            if root is not None and not self.kinds.is_container(cst.Name(root)):
                return [root]
        return []

    def _call(self, call: cst.Call, statement: Any) -> list[str]:
        path = self.kinds.path(call.func)
        out = out_argument(call, path)
        if out is not None:
            root = root_name(out)
            return [root] if root is not None else []
        if path in AT_METHODS or path in _INTO_FIRST:
            root = root_name(call.args[0].value)
            return [root] if root is not None else []
        func = call.func
        if path is None and isinstance(func, cst.Attribute) and func.attr.value in ("fill", "sort", *REFUSED_METHODS):
            root = root_name(func.value)
            if root is not None and not self.kinds.is_container(cst.Name(root)):
                return [root]
        if isinstance(func, cst.Name) and self.mutating.get(func.value):
            return [r for p in self.mutated_arguments(call) if (r := root_name(p)) is not None]
        return []

    def mutated_arguments(self, call: cst.Call) -> list[cst.BaseExpression]:
        """Returns the arguments of a call of a helper that the helper mutates, in the helper's order."""
        assert isinstance(call.func, cst.Name)
        callee = self.module_function(call.func.value)
        parameters = name_tools.parameters(callee)
        given: dict[str, cst.BaseExpression] = {}
        for position, argument in enumerate(call.args):
            if argument.star:
                raise self.refuse(call, f"`{call.func.value}` writes into arguments that are passed with a star")
            if argument.keyword is not None:
                given[argument.keyword.value] = argument.value
            elif position < len(parameters):
                given[parameters[position]] = argument.value
        return [given[p] for p in self.mutating[call.func.value] if p in given]

    def module_function(self, name: str) -> cst.FunctionDef:
        return self.module.function(name)


def all_statements(node: Any) -> list[Any]:
    """Returns the statements in a function, loop or branch, what is behind ``else`` and all inner ones among them."""
    found = []
    for statement in (*statements(node), *alternative(node)):
        found.append(statement)
        if isinstance(statement, cst.For | cst.While | cst.With | cst.If):
            found += all_statements(statement)
    return found


def root_name(node: cst.BaseExpression) -> str | None:
    """Returns the name at the bottom of ``x[i].T[j]``."""
    while isinstance(node, cst.Subscript | cst.Attribute):
        node = node.value
    return node.value if isinstance(node, cst.Name) else None


def index_text(subscript: cst.Subscript) -> str:
    """Returns what stands between the brackets."""
    return ", ".join(code(s.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for s in subscript.slice)


def out_argument(call: cst.Call, path: str | None) -> cst.BaseExpression | None:
    """Returns the array that a call is told to write into, by ``out=`` or as the ufunc's last positional argument."""
    if path is None or not path.startswith(("numpy.", "scipy.")):
        func = call.func
        if not isinstance(func, cst.Attribute):
            return None
    for argument in call.args:
        if argument.keyword is not None and argument.keyword.value == "out":
            none = isinstance(argument.value, cst.Name) and argument.value.value == "None"
            return None if none else argument.value
    positional = [a for a in call.args if a.keyword is None]
    if path in BINARY_UFUNCS and len(positional) == 3:
        return positional[2].value
    if (
        path in ELEMENTWISE
        and path not in BINARY_UFUNCS
        and len(positional) == 2
        and path
        not in (
            "numpy.clip",
            "numpy.where",
            "numpy.round",
            "numpy.around",
            "numpy.heaviside",
            "numpy.nan_to_num",
        )
    ):
        return positional[1].value
    return None


def calls_in(statement: cst.CSTNode) -> list[cst.Call]:
    found = _CallFinder()
    statement.visit(found)
    return found.calls


class _CallFinder(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[cst.Call] = []

    def visit_Call(self, node: cst.Call) -> None:
        self.calls.append(node)


def is_everything(subscript: cst.Subscript) -> bool:
    if len(subscript.slice) != 1:
        return False
    index = subscript.slice[0].slice
    if isinstance(index, cst.Slice):
        return index.lower is None and index.upper is None and index.step is None
    return isinstance(index, cst.Index) and isinstance(index.value, cst.Ellipsis)
