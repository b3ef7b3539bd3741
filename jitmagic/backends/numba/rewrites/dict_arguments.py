"""Passes dicts of parameters as named tuples: Numba takes no Python dict, and its own hold values of one type.

    def fall(v, params):                          Params = namedtuple("Params", "m cd")
        return params["cd"]*v**2/params["m"]
                                          ->      @njit
                                                  def _fall(v, params):
                                                      return params.cd*v**2/params.m

                                                  def fall(v, params):
                                                      params = Params(params["m"], params["cd"])
                                                      return _fall(v, params)

What is read is known from the source: keys that are written out, also in functions that are given the dict on. A dict
that is read in another way, or changed, is refused with its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

import libcst as cst

from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import made
from jitmagic.generate.imports import Imports
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder, nodes_of
from jitmagic.observe.facts import Observation


@dataclass(frozen=True)
class Records:
    """A tree in which dicts of parameters are named tuples, and what makes them before the compiled core is called."""

    tree: cst.Module
    head: tuple[Any, ...] = ()


def without_dict_arguments(
    module: Module, tree: cst.Module, entry: str, observed: Observation, imports: Imports
) -> Records:
    """Returns the tree with each dict that the entry function takes as a named tuple.

    Raises
    ------
    Unsupported
        A dict is changed, or read in another way than by keys that are written out; names the line.
    """
    functions = {s.name.value: s for s in tree.body if isinstance(s, cst.FunctionDef)}
    dicts = [
        name
        for name in name_tools.parameters(functions[entry])
        if (fact := observed.arguments.get(name)) is not None and fact.kind == "dict"
    ]
    taken = set(name_tools.all_names(tree))
    head, types = [], []
    for name in dicts:
        reads = _Reads(module, functions, name)
        reads.follow(functions[entry], name)
        if not reads.keys:
            continue
        fields = _fields(reads.keys)
        label = name_tools.fresh(name.title().replace("_", ""), taken)
        taken.add(label)
        tree = tree.visit(_Replaced(module, reads.places, fields))
        functions = {s.name.value: s for s in tree.body if isinstance(s, cst.FunctionDef)}
        namedtuple = imports.code("collections.namedtuple")
        types.append(made(f'{label} = {namedtuple}("{label}", "{" ".join(fields.values())}")\n'))
        given = ", ".join(f"{name}[{key!r}]".replace("'", '"') for key in fields)
        head.append(made(f"{name} = {label}({given})\n"))
    if not types:
        return Records(tree)
    body = list(tree.body)
    first = next(i for i, s in enumerate(body) if isinstance(s, cst.FunctionDef))
    types[0] = types[0].with_changes(leading_lines=[cst.EmptyLine(indent=False)])
    return Records(tree.with_changes(body=[*body[:first], *types, *body[first:]]), tuple(head))


def _fields(keys: list[str]) -> dict[str, str]:
    """Returns the name of each key's field: the key itself where it can be one."""
    found: dict[str, str] = {}
    for key in keys:
        plain = re.sub(r"\W", "_", key).lstrip("_") or "value"
        plain = f"value_{plain}" if iskeyword(plain) or not plain[0].isalpha() else plain
        found[key] = name_tools.fresh(plain, set(found.values()) | {"count", "index"})
    return found


class _Reads:
    """Follows a dict through the functions that it is given on to, and collects the keys that they read.

    Attributes
    ----------
    keys : list of str
    places : list of (FunctionDef, str)
        The functions that take the dict, those inside others among them, each with its name for it.
    """

    def __init__(self, module: Module, functions: Mapping[str, cst.FunctionDef], name: str) -> None:
        self.module, self.name = module, name
        self.functions = {f.name.value: f for one in functions.values() for f in (*nodes_of(one, cst.FunctionDef), one)}
        self.keys: list[str] = []
        self.places: list[tuple[cst.FunctionDef, str]] = []

    def follow(self, function: cst.FunctionDef, parameter: str) -> None:
        if any(function is one and parameter == name for one, name in self.places):
            return
        self.places.append((function, parameter))
        uses = _Uses(parameter)
        function.body.visit(uses)
        if uses.changed is not None:
            self.refuse(uses.changed, "is changed")
        if uses.bound is not None:
            self.refuse(uses.bound, "is bound anew")
        self.keys += [key for key in uses.keys if key not in self.keys]
        known = set()
        for call in uses.calls:
            other = self.functions.get(call.func.value) if isinstance(call.func, cst.Name) else None
            if other is None or any(a.star for a in call.args):
                continue
            names = list(name_tools.parameters(other))
            for position, argument in enumerate(call.args):
                if _is(argument.value, parameter):
                    known.add(id(argument.value))
                    self.follow(other, argument.keyword.value if argument.keyword is not None else names[position])
        for one in uses.others:
            if id(one) not in known:
                self.refuse(one, "is used as a whole, or with a key that is not written out")

    def refuse(self, node: cst.CSTNode, why: str) -> None:
        line = self.module.line(node)
        raise Unsupported(
            f"line {line}: Numba takes no dict, and `{self.name}` {why}: read its values before the function, or by "
            'keys that are written out, such as `params["mass"]`', line, "NB-DTYPE",
        )  # fmt: skip


class _Uses(Finder):
    """What a function does with a name; functions inside that have a parameter of that name are left out."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.keys: list[str] = []
        self.calls: list[cst.Call] = []
        self.others: list[cst.Name] = []
        self.changed: cst.CSTNode | None = None
        self.bound: cst.CSTNode | None = None

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return self.name not in name_tools.parameters(node)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self.target(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self.target(node.target)

    def visit_For(self, node: cst.For) -> None:
        self.target(node.target)

    def target(self, node: Any) -> None:
        if isinstance(node, cst.Subscript) and _is(node.value, self.name):
            self.changed = self.changed or node
        elif self.name in name_tools.targets(node):
            self.bound = self.bound or node

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        key = _key(node, self.name)
        if key is None:
            return True
        self.keys.append(key)
        return False

    def visit_Call(self, node: cst.Call) -> None:
        self.calls.append(node)

    def visit_Name(self, node: cst.Name) -> None:
        if node.value == self.name:
            self.others.append(node)


def _is(node: Any, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def _key(node: cst.Subscript, name: str) -> str | None:
    """Returns the key of `name["key"]`; None for anything else."""
    if not _is(node.value, name) or len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    key = node.slice[0].slice.value
    return key.evaluated_value if isinstance(key, cst.SimpleString) and isinstance(key.evaluated_value, str) else None


class _Replaced(Rewriter):
    """Reads fields in the place of keys, in the functions that take the dict."""

    def __init__(self, module: Module, places: Sequence[tuple[cst.FunctionDef, str]], fields: dict[str, str]) -> None:
        super().__init__(module)
        self.places, self.fields = places, fields
        self.names: list[frozenset[str]] = [frozenset()]

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        own = {name for one, name in self.places if one is node}
        self.names.append(self.names[-1] - set(name_tools.parameters(node)) | own)

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self.names.pop()
        return updated_node

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        for name in self.names[-1]:
            key = _key(original_node, name)
            if key is not None:
                return cst.Attribute(cst.Name(name), cst.Name(self.fields[key]))
        return updated_node
