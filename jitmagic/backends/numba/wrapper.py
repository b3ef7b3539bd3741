"""The plain Python function around a compiled core, where Numba's own calling rules differ from Python's.

It is written only where it is needed: keyword-only arguments, lists as arguments, and NumPy scalars other than
float64, int64, bool and complex128 as results, which Numba returns as Python numbers (NB-RET).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

import libcst as cst

from jitmagic.capture.workload import Workload
from jitmagic.errors import Unsupported
from jitmagic.generate.imports import Imports
from jitmagic.generate.module import Module
from jitmagic.generate.names import fresh, parameters
from jitmagic.observe.facts import Observation, ValueFact

_PLAIN = frozenset({"float64", "int64", "bool", "complex128"})


@dataclass(frozen=True)
class Wrapping:
    """What the wrapper has to do.

    Attributes
    ----------
    keyword_only : bool
        Whether the function has keyword-only parameters.
    lists : mapping of str to str
        Parameters that came as lists: to ``"array"`` or ``"tuple"``.
    casts : tuple of (str or None)
        The dtype to which each result is cast, None for one that stays.
    several : bool
        Whether the result is a tuple.
    name : str
    arguments : tuple of str
        The core's parameters in order, ``*args`` last and with its star.
    head : tuple of statements
        What the wrapper does first: makes generators, draws.
    keys : tuple of str
        Keys (as source) of the dict that the function returns: the core returns its values as a tuple.
    """

    keyword_only: bool
    lists: Mapping[str, str]
    casts: tuple[str | None, ...]
    several: bool
    name: str
    arguments: tuple[str, ...]
    head: tuple[Any, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether there has to be a wrapper."""
        return self.keyword_only or bool(self.lists) or any(self.casts) or bool(self.head) or bool(self.keys)

    def core_parameters(self, given: cst.Parameters) -> cst.Parameters:
        """Returns the core's parameters: all positional, without defaults, `*args` last."""
        plain = [
            p.with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT, star="", comma=cst.MaybeSentinel.DEFAULT)
            for p in (*given.posonly_params, *given.params, *given.kwonly_params)
        ]
        star = given.star_arg if isinstance(given.star_arg, cst.Param) else cst.MaybeSentinel.DEFAULT
        return cst.Parameters(params=plain, star_arg=star)

    def source(self, core: str, imports: Imports) -> str:
        """Returns the wrapper's source; its parameters are put in by the caller."""
        passed = []
        for argument in self.arguments:
            form = self.lists.get(argument)
            if form == "array":
                passed.append(f"{imports.code('numpy.asarray')}({argument})")
            else:
                passed.append(f"tuple({argument})" if form == "tuple" else argument)
        call = f"{core}({', '.join(passed)})"
        if self.keys:
            return self._dict(call, imports)
        if not any(self.casts):
            return f"def {self.name}():\n    return {call}\n"
        note = "# Numba returns Python numbers: give back NumPy's scalar type\n"
        if not self.several:
            return f"def {self.name}():\n    {note}    return {imports.code(f'numpy.{self.casts[0]}')}({call})\n"
        results = [f"result_{k}" for k in range(len(self.casts))] if "result" not in self.arguments else []
        results = results or [f"value_{k}" for k in range(len(self.casts))]
        back = [
            f"{imports.code(f'numpy.{cast}')}({result})" if cast else result
            for cast, result in zip(self.casts, results, strict=True)
        ]
        end = "," if len(back) == 1 else ""
        lines = [f"def {self.name}():", f"    {', '.join(results)}{end} = {call}", f"    {note.rstrip()}"]
        return "\n".join([*lines, f"    return {', '.join(back)}{end}", ""])

    def _dict(self, call: str, imports: Imports) -> str:
        """Returns the source of a wrapper that puts the core's results into a dict."""
        taken = {argument.lstrip("*") for argument in self.arguments}
        names = []
        for number, key in enumerate(self.keys):
            plain = key.strip("'\"")
            usable = plain.isidentifier() and not iskeyword(plain) and plain not in taken
            names.append(plain if usable else fresh(f"result_{number}", taken))
            taken.add(names[-1])
        items = [
            f"{key}: {imports.code(f'numpy.{cast}')}({name})" if cast else f"{key}: {name}"
            for key, name, cast in zip(self.keys, names, self.casts, strict=True)
        ]
        end = "," if len(names) == 1 else ""
        return (
            f"def {self.name}():\n    {', '.join(names)}{end} = {call}\n    return {{{', '.join(items)}}}\n"
        )


def wrapping(
    workload: Workload, observed: Observation, function: cst.FunctionDef, head: Sequence[Any] = (),
    returned: Returned | None = None,
) -> Wrapping:  # fmt: skip
    """Finds out what the wrapper has to do; `Unsupported` for a list that the function changes.

    Parameters
    ----------
    workload, observed
    function : libcst.FunctionDef
        The core.
    head : sequence of statements
        What the wrapper does before it calls the core.
    returned : Returned, optional
        The dict that the function returns.
    """
    name = workload.function.name
    star = function.params.star_arg
    names = list(parameters(function))
    if isinstance(star, cst.Param):
        names.remove(star.name.value)
        names.append(f"*{star.name.value}")
    lists: dict[str, str] = {}
    for label, fact in observed.arguments.items():
        if fact.kind != "list" or "[" in label:
            continue
        if label in observed.mutated:
            raise Unsupported(
                f"the function changes the list `{label}`, which Numba would copy both ways: pass an array",
                None,
                "NB-REFLIST",
            )
        form = _list_form(fact)
        if form is not None:
            lists[label] = form
    result = observed.result
    several = result is not None and result.kind == "tuple"
    items: Sequence[ValueFact | None] = () if result is None else result.items if several else (result,)
    if returned is not None:
        items = returned.facts
    casts = tuple(
        item.dtype
        if item is not None and item.kind == "scalar" and item.dtype is not None and item.dtype not in _PLAIN
        else None
        for item in items
    )
    keys = returned.keys if returned is not None else ()
    return Wrapping(
        bool(function.params.kwonly_params), lists, casts, several, name, tuple(names), tuple(head), keys
    )


def _list_form(fact: ValueFact) -> str | None:
    """Returns how a list is passed: numbers as an array, arrays as a tuple; None where neither fits."""
    kinds = {item.kind for item in fact.items}
    if kinds and kinds <= {"float", "int", "bool", "scalar"}:
        return "array"
    return "tuple" if kinds == {"array"} else None


@dataclass(frozen=True)
class Returned:
    """A function that returned a dict, and returns its values as a tuple now.

    Attributes
    ----------
    function : libcst.FunctionDef
    keys : tuple of str
        The keys, as source.
    facts : tuple of (ValueFact or None)
        Of the values.
    """

    function: cst.FunctionDef
    keys: tuple[str, ...]
    facts: tuple[ValueFact | None, ...]


def without_dict(module: Module, function: cst.FunctionDef) -> Returned | None:
    """Returns a function that returns `{"a": x, "b": y}` as one that returns `x, y`; None where it does not.

    Numba's dicts hold values of one type, and come out as dicts of its own.
    """
    finder = _Returns()
    function.body.visit(finder)
    names = {node.value.value for node in finder.found if isinstance(node.value, cst.Name)}
    named = names & set(finder.dicts)
    literals: list[cst.Dict] = []
    for node in finder.found:
        if isinstance(node.value, cst.Dict):
            literals.append(node.value)
        elif isinstance(node.value, cst.Name) and node.value.value in named and finder.uses[node.value.value] == 2:
            literals.append(finder.dicts[node.value.value])
        else:
            return None
    keys = {tuple(_key(element) for element in literal.elements) for literal in literals}
    if len(keys) != 1 or len(literals) != len(finder.found):
        return None
    only = keys.pop()
    if not only or any(key is None for key in only):
        return None
    facts = tuple(
        module.fact(element.value) if isinstance(element, cst.DictElement) else None
        for element in literals[-1].elements
    )
    changed = function.visit(_Tuples(set(map(id, finder.found)), named))
    assert isinstance(changed, cst.FunctionDef)
    return Returned(changed, tuple(key for key in only if key is not None), facts)


def _key(element: cst.BaseDictElement) -> str | None:
    if isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString):
        return element.key.value
    return None


class _Returns(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.Return] = []
        self.dicts: dict[str, cst.Dict] = {}
        self.uses: dict[str, int] = {}

    def visit_Return(self, node: cst.Return) -> None:
        self.found.append(node)

    def visit_Assign(self, node: cst.Assign) -> None:
        target = node.targets[0].target
        if len(node.targets) == 1 and isinstance(target, cst.Name) and isinstance(node.value, cst.Dict):
            self.dicts[target.value] = node.value

    def visit_Name(self, node: cst.Name) -> None:
        self.uses[node.value] = self.uses.get(node.value, 0) + 1

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False


class _Tuples(cst.CSTTransformer):
    """Returns tuples in the place of dicts, and makes tuples where the dicts were made."""

    def __init__(self, returns: set[int], named: set[str]) -> None:
        super().__init__()
        self.returns, self.named = returns, named

    def leave_Return(self, original_node: cst.Return, updated_node: cst.Return) -> cst.Return:
        if id(original_node) in self.returns and isinstance(updated_node.value, cst.Dict):
            return updated_node.with_changes(value=_tuple(updated_node.value))
        return updated_node

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        target = updated_node.targets[0].target
        if isinstance(target, cst.Name) and target.value in self.named and isinstance(updated_node.value, cst.Dict):
            return updated_node.with_changes(value=_tuple(updated_node.value))
        return updated_node


def _tuple(node: cst.Dict) -> cst.Tuple:
    values = [element.value for element in node.elements]
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    elements = [cst.Element(value, comma=comma) for value in values[:-1]]
    last = cst.Element(values[-1], comma=cst.Comma()) if len(values) == 1 else cst.Element(values[-1])
    return cst.Tuple([*elements, last], lpar=[], rpar=[])
