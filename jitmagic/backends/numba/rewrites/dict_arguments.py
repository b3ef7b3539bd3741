"""Passes dicts of parameters as named tuples: Numba takes no Python dict, and its own hold values of one type.

    def fall(v, params):                          Params = namedtuple("Params", "m cd")
        return params["cd"]*v**2/params["m"]
                                          ->      @njit
                                                  def _fall(v, params):
                                                      return params.cd*v**2/params.m

                                                  def fall(v, params):
                                                      params = Params(params["m"], params["cd"])
                                                      return _fall(v, params)

What is read is known from the source: keys that are written out, also in functions that are given the dict on. A dict that
is read in another way, or changed, is refused with its line.
"""

from __future__ import annotations

import re
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
from jitmagic.generate.walking import nodes_of
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
        reads.follow(entry, name)
        if not reads.keys:
            continue
        fields = _fields(reads.keys)
        label = name_tools.fresh(name.title().replace("_", ""), taken)
        taken.add(label)
        for function, parameter in reads.places:
            new = functions[function].visit(_Replaced(module, parameter, fields))
            assert isinstance(new, cst.FunctionDef)
            module.inherit(new, functions[function])
            functions[function] = new
        namedtuple = imports.code("collections.namedtuple")
        types.append(made(f'{label} = {namedtuple}("{label}", "{" ".join(fields.values())}")\n'))
        given = ", ".join(f"{name}[{key!r}]".replace("'", '"') for key in fields)
        head.append(made(f"{name} = {label}({given})\n"))
    if not types:
        return Records(tree)
    body: list[Any] = [functions[s.name.value] if isinstance(s, cst.FunctionDef) else s for s in tree.body]
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
    """Follows a dict through the functions that it is given on to, and collects the keys that they read."""

    def __init__(self, module: Module, functions: dict[str, cst.FunctionDef], name: str) -> None:
        self.module, self.functions, self.name = module, functions, name
        self.keys: list[str] = []
        self.places: list[tuple[str, str]] = []

    def follow(self, function: str, parameter: str) -> None:
        if (function, parameter) in self.places:
            return
        self.places.append((function, parameter))
        node = self.functions[function]
        if parameter in name_tools.bound(node.body):
            self.refuse(next(n for n in nodes_of(node.body, cst.Name) if n.value == parameter), "is bound anew")
        known: set[int] = set()
        for target in [*nodes_of(node.body, cst.AssignTarget), *nodes_of(node.body, cst.AugAssign)]:
            if isinstance(target.target, cst.Subscript) and _is(target.target.value, parameter):
                self.refuse(target.target, "is changed")
        for part in nodes_of(node.body, cst.Subscript):
            key = _key(part, parameter)
            if key is not None:
                known.add(id(part.value))
                if key not in self.keys:
                    self.keys.append(key)
        for call in nodes_of(node.body, cst.Call):
            for position, argument in enumerate(call.args):
                if not _is(argument.value, parameter):
                    continue
                other = self.functions.get(call.func.value) if isinstance(call.func, cst.Name) else None
                if other is None or argument.star or any(a.star for a in call.args[:position]):
                    continue
                names = list(name_tools.parameters(other))
                into = argument.keyword.value if argument.keyword is not None else names[position]
                known.add(id(argument.value))
                self.follow(other.name.value, into)
        for one in nodes_of(node.body, cst.Name):
            if one.value == parameter and id(one) not in known:
                self.refuse(one, "is used as a whole, or with a key that is not written out")

    def refuse(self, node: cst.CSTNode, why: str) -> None:
        line = self.module.line(node)
        raise Unsupported(
            f"line {line}: Numba takes no dict, and `{self.name}` {why}: read its values before the function, or by "
            'keys that are written out, such as `params["mass"]`', line, "NB-DTYPE",
        )  # fmt: skip


def _is(node: Any, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def _key(node: cst.Subscript, name: str) -> str | None:
    """Returns the key of `name["key"]`; None for anything else."""
    if not _is(node.value, name) or len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    key = node.slice[0].slice.value
    return key.evaluated_value if isinstance(key, cst.SimpleString) and isinstance(key.evaluated_value, str) else None


class _Replaced(Rewriter):
    def __init__(self, module: Module, name: str, fields: dict[str, str]) -> None:
        super().__init__(module)
        self.name, self.fields = name, fields

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        key = _key(original_node, self.name)
        return updated_node if key is None else cst.Attribute(cst.Name(self.name), cst.Name(self.fields[key]))
