"""Tells Numba the length of an argument's short axis when it compiles, so that loops along it are unrolled.

The three columns of points in space make a loop of three steps, which LLVM writes out and keeps in registers where it
knows that they are three. A shape is known only when the function runs; but the length of a tuple is part of its type.
The plain function around the core passes a tuple as long as the axis, and Numba compiles anew for another length:

    columns = (0,) * pos.shape[1] if pos.shape[1] <= 8 else np.empty(pos.shape[1])
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, code
from jitmagic.generate import names as name_tools
from jitmagic.generate.imports import Imports
from jitmagic.generate.walking import Transformer, nodes_of
from jitmagic.observe.facts import Observation

_LONGEST = 8
"""Longer axes keep their loops: there is nothing to win, and other lengths would be compiled for in vain."""

Axis = tuple[str, int]
"""A parameter's name, and the number of one of its axes."""


@dataclass(frozen=True)
class Shortened:
    """A core whose loops along short axes end at the lengths of tuples that it is passed.

    Attributes
    ----------
    tree : libcst.Module
    names : dict of Axis to str
        The core's further parameters in their order.
    """

    tree: cst.Module
    names: Mapping[Axis, str]

    def head(self, imports: Imports) -> tuple[Any, ...]:
        """Returns the statements of the plain function that make the tuples."""
        made = []
        for (name, axis), tuple_name in self.names.items():
            length = f"{name}.shape[{axis}]"
            rest = f"{imports.code('numpy.empty')}({length})"
            made.append(cst.parse_statement(f"{tuple_name} = (0,) * {length} if {length} <= {_LONGEST} else {rest}\n"))
        comment = cst.Comment("# a tuple's length is part of its type: Numba unrolls loops of so many steps")
        made[0] = made[0].with_changes(leading_lines=[cst.EmptyLine(comment=comment)])
        return tuple(made)


def shortened(tree: cst.Module, context: Context, name: str, observed: Observation) -> Shortened | None:
    """Returns a core whose loops along its arguments' short axes are of known lengths; None where there is none.

    The helpers of the context that are changed with it are put into the context.
    """
    core = next(s for s in tree.body if isinstance(s, cst.FunctionDef) and s.name.value == name)
    short = _short_axes(core, observed)
    params = core.params
    plain = not (params.star_kwarg or params.kwonly_params or isinstance(params.star_arg, cst.Param))
    if not short or not plain or name in name_tools.loads(core.body):
        return None
    taken = set(name_tools.all_names(tree)).union(*map(words_of, context.helpers.values()))
    names: dict[Axis, str] = {}
    plain_names = Counter(_wanted(axis, observed) for axis in short)
    for axis in short:
        wanted = _wanted(axis, observed)
        wanted = wanted if plain_names[wanted] == 1 else f"{wanted}_of_{axis[0]}"
        names[axis] = name_tools.fresh(wanted, taken | set(names.values()))
    own = _Ends(_known(core, {axis: axis for axis in short}), names)
    changed = core.visit(own)
    assert isinstance(changed, cst.FunctionDef)
    used = set(own.used)
    passed = _helper_arguments(tree, core, context.helpers)
    more: dict[str, list[Axis]] = {}
    for helper, arguments in passed.items():
        function = cst.parse_statement(context.helpers[helper].strip() + "\n")
        assert isinstance(function, cst.FunctionDef)
        inside = {
            (parameter, axis[1]): axis
            for parameter, argument in zip(name_tools.parameters(function), arguments, strict=False)
            for axis in short
            if argument == axis[0] and parameter not in _stored(function)
        }
        ends = _Ends(_known(function, inside), names)
        written = function.visit(ends)
        if not ends.used:
            continue
        assert isinstance(written, cst.FunctionDef)
        more[helper] = [axis for axis in short if axis in ends.used]
        used.update(ends.used)
        context.helpers[helper] = f"\n{code(_with_parameters(written, [names[axis] for axis in more[helper]]))}"
    if not used:
        return None
    names = {axis: one for axis, one in names.items() if axis in used}
    arguments_of = {helper: [names[axis] for axis in axes] for helper, axes in more.items()}
    changed = changed.visit(_Calls(arguments_of))
    body = [changed if s is core else s for s in tree.body]
    return Shortened(tree.with_changes(body=body), names)


def _short_axes(core: cst.FunctionDef, observed: Observation) -> list[Axis]:
    """Returns the short axes of the arrays that a function is given, and whose names it never binds anew.

    What may be None by default, or whose number of axes the function asks for, may have no such axis in another call.
    """
    found = []
    stored = set(_stored(core))
    stored |= {p.name.value for p in (*core.params.posonly_params, *core.params.params) if p.default is not None}
    stored |= {code(a.value) for a in nodes_of(core.body, cst.Attribute) if a.attr.value == "ndim"}
    for name in name_tools.parameters(core):
        fact = observed.arguments.get(name)
        if fact is None or fact.kind != "array" or name in stored:
            continue
        lengths = [n or 0 for n in fact.shape or ()]
        # an example that is small as a whole says nothing of its axes
        found += [
            (name, k) for k, n in enumerate(lengths) if 2 <= n <= _LONGEST and math.prod(lengths) // n > _LONGEST
        ]
    return found


def _wanted(axis: Axis, observed: Observation) -> str:
    ndim = observed.arguments[axis[0]].ndim or 0
    return {(2, 0): "rows", (2, 1): "columns"}.get((ndim, axis[1]), "layers")


def _stored(function: cst.FunctionDef) -> frozenset[str]:
    """Returns the names that a function's body binds, those of functions inside it too."""
    inner = [name_tools.bound(one) for one in nodes_of(function.body, cst.FunctionDef)]
    return frozenset().union(name_tools.bound(function.body), *inner)


def words_of(source: str) -> frozenset[str]:
    """Returns the identifiers in a function's source."""
    return name_tools.all_names(cst.parse_module(source))


def _known(function: cst.FunctionDef, axes: Mapping[Axis, Axis]) -> dict[str, Axis]:
    """Returns the texts that stand for a short axis's length in a function: `x.shape[1]`, and names bound to it."""
    known = {f"{name}.shape[{axis}]": whole for (name, axis), whole in axes.items()}
    known |= {f"len({name})": whole for (name, axis), whole in axes.items() if axis == 0}
    times = Counter(
        name
        for node in nodes_of(function.body, cst.AssignTarget)
        for name in name_tools.targets(node.target)
    )  # fmt: skip
    others = {name for node in nodes_of(function.body, cst.AugAssign) for name in name_tools.targets(node.target)}
    others |= {name for node in nodes_of(function.body, cst.For) for name in name_tools.targets(node.target)}
    others |= {name for node in nodes_of(function.body, cst.NamedExpr) for name in name_tools.targets(node.target)}
    others |= set(name_tools.parameters(function))

    def once(name: str) -> bool:
        return times[name] == 1 and name not in others

    for assign in nodes_of(function.body, cst.Assign):
        target = assign.targets[0].target
        if len(assign.targets) != 1:
            continue
        if isinstance(target, cst.Name) and once(target.value) and code(assign.value) in known:
            known[target.value] = known[code(assign.value)]
        elif isinstance(target, cst.Tuple) and code(assign.value).endswith(".shape"):
            base = code(assign.value).removesuffix(".shape")
            for k, element in enumerate(target.elements):
                whole = axes.get((base, k))
                if whole is not None and isinstance(element.value, cst.Name) and once(element.value.value):
                    known[element.value.value] = whole
    return known


def _helper_arguments(
    tree: cst.Module, core: cst.FunctionDef, helpers: Mapping[str, str]
) -> dict[str, tuple[str | None, ...]]:
    """Returns for each helper that the core alone calls the names that each of its parameters always stands for."""
    elsewhere: Counter[str] = Counter()
    for source in helpers.values():
        elsewhere.update(name for name in words_of(source) if name in helpers)
    for statement in tree.body:
        if statement is not core:
            elsewhere.update(name for name in name_tools.loads(statement) if name in helpers)
    found: dict[str, tuple[str | None, ...]] = {}
    uses = Counter(node.value for node in nodes_of(core.body, cst.Name) if node.value in helpers)
    calls = Counter[str]()
    for call in nodes_of(core.body, cst.Call):
        if not isinstance(call.func, cst.Name) or call.func.value not in helpers:
            continue
        name = call.func.value
        calls[name] += 1
        if any(a.star or a.keyword is not None for a in call.args):
            return {}
        given = tuple(a.value.value if isinstance(a.value, cst.Name) else None for a in call.args)
        before = found.get(name, given)
        found[name] = tuple(one if one == other else None for one, other in zip(before, given, strict=True))
    # a helper's own definition names it once
    return {name: given for name, given in found.items() if elsewhere[name] == 1 and uses[name] == calls[name]}


def _with_parameters(function: cst.FunctionDef, names: Sequence[str]) -> cst.FunctionDef:
    params = [*function.params.params, *(cst.Param(cst.Name(name)) for name in names)]
    return function.with_changes(params=function.params.with_changes(params=params))


class _Ends(Transformer):
    """Writes the ends of innermost loops along short axes as the lengths of tuples."""

    def __init__(self, known: Mapping[str, Axis], names: Mapping[Axis, str]) -> None:
        super().__init__()
        self._known = known
        self._names = names
        self._depth = 0
        self.used: set[Axis] = set()

    def visit_For(self, node: cst.For) -> None:
        self._depth += 1

    def visit_While(self, node: cst.While) -> None:
        self._depth += 1

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> cst.While:
        self._depth -= 1
        return updated_node

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        self._depth -= 1
        call = updated_node.iter
        if not self._depth or not isinstance(call, cst.Call) or code(call.func) != "range":
            return updated_node
        kinds: tuple[type[cst.CSTNode], ...] = (cst.For, cst.While)
        if any(nodes_of(original_node.body, kind) for kind in kinds):
            return updated_node  # what is written out would grow too long
        inner = _Lengths(self._known, self._names)
        written = call.visit(inner)
        self.used |= inner.used
        return updated_node.with_changes(iter=written) if inner.used else updated_node


class _Lengths(Transformer):
    """Puts the lengths of tuples in the place of those of axes."""

    def __init__(self, known: Mapping[str, Axis], names: Mapping[Axis, str]) -> None:
        super().__init__()
        self._known, self._names = known, names
        self.used: set[Axis] = set()

    def _put(self, node: Any) -> Any:
        axis = self._known.get(code(node.with_changes(lpar=[], rpar=[])))
        if axis is None:
            return node
        self.used.add(axis)
        return cst.parse_expression(f"len({self._names[axis]})")

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self._put(updated_node)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        return self._put(updated_node)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        return self._put(updated_node)


class _Calls(Transformer):
    """Passes the tuples on to helpers."""

    def __init__(self, more: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._more = more

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        func = updated_node.func
        names = self._more.get(func.value, ()) if isinstance(func, cst.Name) else ()
        return updated_node.with_changes(args=[*updated_node.args, *(cst.Arg(cst.Name(name)) for name in names)])
