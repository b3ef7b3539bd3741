"""The plain Python function around a compiled core, where Numba's own calling rules differ from Python's.

It is written only where it is needed: keyword-only arguments, lists as arguments, and NumPy scalars other than
float64, int64, bool and complex128 as results, which Numba returns as Python numbers (NB-RET).
"""

from __future__ import annotations

import builtins
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
from jitmagic.generate.walking import Finder, Transformer
from jitmagic.observe.facts import Observation, ValueFact

_BUILTINS = frozenset(dir(builtins))
_NUMBERS = frozenset({"float", "int", "bool", "scalar"})
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
    returned : Returned or None
        The dicts and lists that the function returns: the core returns their values as a tuple.
    typed_dict : bool
        Whether the core returns one of Numba's dicts, of which Python's is made.
    further : tuple of str
        Names that the wrapper's head binds and the core takes behind its own parameters.
    """

    keyword_only: bool
    lists: Mapping[str, str]
    casts: tuple[str | None, ...]
    several: bool
    name: str
    arguments: tuple[str, ...]
    head: tuple[Any, ...] = ()
    returned: Returned | None = None
    typed_dict: bool = False
    further: tuple[str, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether there has to be a wrapper."""
        made = self.returned is not None or self.typed_dict
        return self.keyword_only or bool(self.lists) or any(self.casts) or bool(self.head) or made

    def core_parameters(self, given: cst.Parameters) -> cst.Parameters:
        """Returns the core's parameters: all positional, without defaults, `*args` last."""
        plain = [
            p.with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT, star="", comma=cst.MaybeSentinel.DEFAULT)
            for p in (*given.posonly_params, *given.params, *given.kwonly_params)
        ]
        plain += [cst.Param(cst.Name(name)) for name in self.further]
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
        passed += self.further
        call = f"{core}({', '.join(passed)})"
        if self.returned is not None:
            return self._rebuilt(self.returned, call, imports)
        if self.typed_dict:
            return f"def {self.name}():\n    # Numba returns a dict of its own\n    return dict({call})\n"
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

    def _rebuilt(self, returned: Returned, call: str, imports: Imports) -> str:
        """Returns the source of a wrapper that puts the core's results into dicts and lists."""
        taken = {argument.lstrip("*") for argument in self.arguments}
        names = []
        for number, wanted in enumerate(returned.names):
            usable = wanted.isidentifier() and not iskeyword(wanted) and wanted not in taken | _BUILTINS
            names.append(wanted if usable else fresh(f"result_{number}", taken))
            taken.add(names[-1])
        values = [
            f"{imports.code(f'numpy.{cast}')}({name})" if cast else name
            for name, cast in zip(names, self.casts, strict=True)
        ]
        end = "," if len(names) == 1 else ""
        result = returned.template.format(*values)
        return f"def {self.name}():\n    {', '.join(names)}{end} = {call}\n    return {result}\n"


def wrapping(
    workload: Workload, observed: Observation, function: cst.FunctionDef, head: Sequence[Any] = (),
    returned: Returned | None = None, further: Sequence[str] = (),
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
        The dicts and lists that the function returns.
    further : sequence of str
        Names that the head binds and the core takes too.
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
        form = list_form(fact)
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
    only = bool(function.params.kwonly_params)
    typed = returned is None and result is not None and result.kind == "dict"
    return Wrapping(only, lists, casts, several, name, tuple(names), tuple(head), returned, typed, tuple(further))


def list_form(fact: ValueFact) -> str | None:
    """Returns how a list is passed: numbers, and lists of equally many, as an array, arrays as a tuple; else None."""
    kinds = {item.kind for item in fact.items}
    if kinds and kinds <= _NUMBERS:
        return "array"
    if kinds == {"list"}:
        widths = {len(item.items) for item in fact.items}
        numbers = {part.kind for item in fact.items for part in item.items}
        return "array" if len(widths) == 1 and numbers and numbers <= _NUMBERS else None
    return "tuple" if kinds == {"array"} else None


@dataclass(frozen=True)
class Returned:
    """A function that returned dicts or lists, and returns what they hold as one flat tuple now.

    Attributes
    ----------
    function : libcst.FunctionDef
    names : tuple of str
        What the values are called, where a key or the function itself names them; else empty.
    template : str
        The source of the result, with ``{0}``, ``{1}``, … for the values.
    facts : tuple of (ValueFact or None)
        Of the values.
    """

    function: cst.FunctionDef
    names: tuple[str, ...]
    template: str
    facts: tuple[ValueFact | None, ...]


def without_containers(module: Module, function: cst.FunctionDef) -> Returned | None:
    """Returns a function that returns `{"a": x, "b": y}` as one that returns `x, y`; None where it does not.

    Numba's dicts hold values of one type, and come out as dicts of its own; so do lists.
    """
    finder = _Returns()
    function.body.visit(finder)
    given = {r.value.value for r in finder.found if isinstance(r.value, cst.Name)}
    named = {name for name in given & set(finder.literals) if finder.uses[name] == 2}
    results: list[_Flat] = []
    for node in finder.found:
        value = node.value
        if isinstance(value, cst.Name) and value.value in named:
            value = finder.literals[value.value]
        flat = _Flat()
        if value is None or isinstance(value, cst.Name) or not flat.add(value):
            return None
        results.append(flat)
    if len({flat.template for flat in results}) != 1 or not ({"{{", "["} & set(results[0].marks)):
        return None
    last = results[-1]
    changed = function.visit(_Tuples(set(map(id, finder.found)), named))
    assert isinstance(changed, cst.FunctionDef)
    return Returned(changed, tuple(last.names), last.template, tuple(module.fact(leaf) for leaf in last.leaves))


class _Flat:
    """The values in a nest of tuples, lists and dicts, and the nest without them as a template."""

    def __init__(self) -> None:
        self.leaves: list[cst.BaseExpression] = []
        self.names: list[str] = []
        self.marks: list[str] = []
        self.template = ""

    def add(self, node: cst.BaseExpression, name: str = "") -> bool:
        """Takes an expression apart; False where it holds something that cannot be named beforehand."""
        if isinstance(node, cst.Dict):
            self.marks.append("{{")
            self.template += "{{"
            for number, element in enumerate(node.elements):
                if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
                    return False
                key = element.key.value
                self.template += f"{', ' if number else ''}{key.replace('{', '{{').replace('}', '}}')}: "
                if not self.add(element.value, key.strip("'\"")):
                    return False
            self.template += "}}"
            return bool(node.elements)
        if isinstance(node, cst.Tuple | cst.List):
            opening, closing = ("(", ")") if isinstance(node, cst.Tuple) else ("[", "]")
            self.marks.append(opening)
            self.template += opening
            for number, one in enumerate(node.elements):
                self.template += ", " if number else ""
                if not isinstance(one, cst.Element) or not self.add(one.value):
                    return False
            self.template += "," + closing if opening == "(" and len(node.elements) == 1 else closing
            return bool(node.elements)
        self.template += f"{{{len(self.leaves)}}}"
        self.leaves.append(node)
        self.names.append(name or (node.value if isinstance(node, cst.Name) else ""))
        return True


class _Returns(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.Return] = []
        self.literals: dict[str, cst.BaseExpression] = {}
        self.uses: dict[str, int] = {}

    def visit_Return(self, node: cst.Return) -> None:
        self.found.append(node)

    def visit_Assign(self, node: cst.Assign) -> None:
        target = node.targets[0].target
        if len(node.targets) == 1 and isinstance(target, cst.Name) and isinstance(node.value, cst.Dict):
            self.literals[target.value] = node.value

    def visit_Name(self, node: cst.Name) -> None:
        self.uses[node.value] = self.uses.get(node.value, 0) + 1

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False


class _Tuples(Transformer):
    """Returns flat tuples, and makes them where the dicts were made."""

    def __init__(self, returns: set[int], named: set[str]) -> None:
        super().__init__()
        self.returns, self.named = returns, named

    def leave_Return(self, original_node: cst.Return, updated_node: cst.Return) -> cst.Return:
        value = updated_node.value
        if id(original_node) in self.returns and value is not None and not isinstance(value, cst.Name):
            return updated_node.with_changes(value=_tuple(value))
        return updated_node

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        target = updated_node.targets[0].target
        if isinstance(target, cst.Name) and target.value in self.named and isinstance(updated_node.value, cst.Dict):
            return updated_node.with_changes(value=_tuple(updated_node.value))
        return updated_node


def _tuple(node: cst.BaseExpression) -> cst.Tuple:
    flat = _Flat()
    flat.add(node)
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    elements = [cst.Element(value, comma=comma) for value in flat.leaves[:-1]]
    last = flat.leaves[-1]
    end = cst.Element(last, comma=cst.Comma()) if len(flat.leaves) == 1 else cst.Element(last)
    return cst.Tuple([*elements, end], lpar=[], rpar=[])
