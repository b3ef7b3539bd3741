"""Writes the complete source of one variant: imports, constants, helpers, the user's functions, the wrapper."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import libcst as cst
import numpy as np

from jitmagic.analysis.launches import launches
from jitmagic.analysis.scope import scope_of
from jitmagic.analysis.stored import Stored
from jitmagic.backends.torch.calls import code, literal
from jitmagic.backends.torch.kinds import NO_ARITHMETIC, SUPPORTED, Value, from_fact
from jitmagic.backends.torch.preludes import PRELUDES
from jitmagic.backends.torch.scope import Learned, stored_names
from jitmagic.backends.torch.statements import Statements
from jitmagic.capture.workload import ModuleText, Workload
from jitmagic.errors import Unsupported
from jitmagic.figures import duration
from jitmagic.generate.imports import Imports, Offer
from jitmagic.generate.masked_ufuncs import without_masked_ufuncs
from jitmagic.generate.module import Module
from jitmagic.generate.names import all_names, fresh, parameters
from jitmagic.generate.returns import returned_parameters, returned_parts
from jitmagic.generate.vectorised import vectorise
from jitmagic.generate.vectorize_calls import without_vectorize
from jitmagic.generate.walking import Transformer
from jitmagic.observe.facts import Observation, ValueFact

_OFFERS = (
    Offer("math", "math"),
    Offer("cmath", "cmath"),
    Offer("itertools", "itertools"),
    Offer("torch", "torch"),
    Offer("torch.nn.functional", "F"),
)
_PASSES = 5

CALL_SECONDS = 5e-6
"""Taken for the cost of a call of torch, however small: a few microseconds on a CPU, and as much for a GPU's kernel."""

MOST_SECONDS = 5.0
"""Estimated time in loops, call by call, up to which a variant is offered."""

NOTED_SECONDS = 1e-3
"""Estimated time in loops from which a note says so."""


@dataclass(frozen=True)
class Source:
    """A finished source.

    Attributes
    ----------
    module : ModuleText
    names : dict of str to str
        Import bindings, for ``Draft.names``.
    written : tuple of str
        Labels of the arguments that the wrapper writes.
    notes : tuple of str
    vectorised : bool
        Whether a loop became whole-array statements.
    """

    module: ModuleText
    names: dict[str, str]
    written: tuple[str, ...]
    notes: tuple[str, ...]
    vectorised: bool = False


def write(workload: Workload, observed: Observation, compiled: bool, vectorised: bool = False) -> Source:
    """Writes a workload in torch.

    Parameters
    ----------
    workload, observed
    compiled : bool
        For `torch.compile`.
    vectorised : bool
        Whether map loops become whole-array statements.

    Raises
    ------
    Unsupported
        With the user's line, where something has no counterpart.
    """
    module = Module.of(workload, observed)
    entry = workload.function.name
    written = _written(workload, observed, module)
    _check_dtypes(workload, observed)
    tree = module.marked()
    gone = vectorise(module, workload, observed) if vectorised else frozenset()
    tree = without_masked_ufuncs(module, without_vectorize(module, module.tree, entry), entry)
    steps = None if compiled else _steps(workload, observed, gone)
    learned = Learned()
    functions = frozenset(f.name.value for f in module.functions())
    memory = {name: Stored(scope_of(workload.module.text, name, workload.names, observed)) for name in functions}
    for _ in range(_PASSES):
        before = learned.snapshot()
        imports = Imports(module, _OFFERS, workload.needs)
        translator = Statements(module, imports, learned, functions, bool(stored_names(tree)), compiled)
        translator.entry, translator.workload = entry, workload
        translator.memory = memory
        translator.storing = frozenset(name for name, stored in memory.items() if stored.parameters and name != entry)
        translator.entry_arguments = _arguments(module.function(entry), workload, observed)
        result = tree.visit(translator)
        if learned.snapshot() == before:
            break
    if observed.random and (compiled or not translator.draws):
        raise Unsupported(
            "the function draws random numbers in a call that is not followed here: draw them outside and pass them in"
        )
    torch = imports.code("torch")
    helpers = [_prelude(imports, name, translator.helper_names[name]) for name in translator.helpers]
    core = fresh(f"{entry}_on_tensors", all_names(tree)) if written else entry
    if written:
        result = result.visit(_Rename(entry, core))
    if compiled:
        result = result.visit(_Decorate(core, f"{torch}.compile(fullgraph=True)"))
    body = list(result.body)
    place = next(i for i, s in enumerate(body) if isinstance(s, cst.FunctionDef))
    body[place:place] = [cst.parse_statement(text).with_changes(leading_lines=_BLANK) for text in helpers]
    if written:
        body.append(_wrapper(module.function(entry), core, written, observed, imports, translator))
    result = result.with_changes(body=body)
    arrays = [name for name in workload.needs if _is_array(workload.constants.get(name))]
    constants: list[str] = []
    if arrays:
        verb, kind = ("is", "a NumPy array") if len(arrays) == 1 else ("are", "NumPy arrays")
        constants = [f"# {_listed(arrays)} {verb} expected in the namespace, as {kind}"]
        constants += [f"{name} = {torch}.as_tensor({name})" for name in arrays]
    result, names = imports.write(result, constants)
    result = _without_blank_start(result)
    notes = tuple(translator.notes) + (() if steps is None else (steps,))
    if not observed.watched:
        notes += ("the NumPy run was too long to be watched: dtypes inside the function were inferred",)
    return Source(Module.finish(result, workload.module), names, written, notes, bool(gone))


def _steps(workload: Workload, observed: Observation, gone: frozenset[int]) -> str | None:
    """Says what the loops cost, call by call; refuses what would take too long."""
    found = launches(workload.module.text, observed, gone)
    seconds = found.count * CALL_SECONDS
    if found.line is None or seconds < NOTED_SECONDS:
        return None
    line = workload.module.origin_line(found.line)
    each = f"{CALL_SECONDS * 1e6:.0f} µs"
    cost = f"{_grouped(found.count)} separate torch calls, about {duration(seconds)} at {each} each"
    if seconds > MOST_SECONDS:
        raise Unsupported(
            f"the loop of line {line} makes {_grouped(found.trips)} trips: {cost} (more than {MOST_SECONDS:.0f} s are "
            "not offered): write it with whole arrays",
            line,
            "PT-DYNUNROLL",
        )
    return f"the loop of line {line} runs step by step: {cost}"


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", " ")


_BLANK = [cst.EmptyLine(indent=False), cst.EmptyLine(indent=False)]


def _without_blank_start(tree: cst.Module) -> cst.Module:
    """Takes off the blank lines that the imports left behind where none are needed any more."""
    first = tree.body[0]
    assert isinstance(first, cst.FunctionDef | cst.SimpleStatementLine)
    lines = list(first.leading_lines)
    while lines and lines[0].comment is None:
        lines.pop(0)
    return tree.with_changes(body=[first.with_changes(leading_lines=lines), *tree.body[1:]])


def _listed(names: list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _is_array(value: object) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "shape")


def _prelude(imports: Imports, name: str, given: str) -> str:
    text = re.sub(rf"(?<![.\w]){name}\(", f"{given}(", PRELUDES[name].strip())
    for word, path in (("torch.", "torch"), ("F.", "torch.nn.functional")):
        if word in text:
            text = text.replace(word, imports.code(path) + ".")
    return text


def _arguments(function: cst.FunctionDef, workload: Workload, observed: Observation) -> dict[str, Value]:
    """Returns what the entry's parameters are; the elements of ``*arrays`` become one sequence."""
    found: dict[str, Value] = {}
    gathered: dict[str, list[Value]] = {}
    for label, fact in observed.arguments.items():
        head = label.split("[", 1)[0]
        if head != label:
            gathered.setdefault(head, []).append(from_fact(fact))
        else:
            found[label] = from_fact(fact)
    for name, items in gathered.items():
        found[name] = Value("sequence", items=tuple(items))
    for param in (*function.params.params, *function.params.kwonly_params):
        if param.name.value not in found and param.default is not None:
            found[param.name.value] = _default(param.default)
    return found


def _default(node: cst.BaseExpression) -> Value:
    value = literal(node)
    known = isinstance(value, bool | int | float | complex)
    return Value("number", type(value).__name__) if known else Value("unknown")


def _facts(fact: ValueFact) -> list[ValueFact]:
    return [fact, *(inner for item in fact.items for inner in _facts(item))]


def _check_dtypes(workload: Workload, observed: Observation) -> None:
    for label, whole in observed.arguments.items():
        for fact in _facts(whole):
            if fact.kind not in ("array", "scalar") or fact.dtype is None or fact.dtype in SUPPORTED:
                continue
            code = "PT-UINT" if fact.dtype in NO_ARITHMETIC else None
            why = "has no arithmetic for" if code else "does not have"
            raise Unsupported(f"the argument `{label}` is {fact.dtype}, which torch {why}", None, code)


def _written(workload: Workload, observed: Observation, module: Module) -> tuple[str, ...]:
    """Returns the arguments that are written, refusing what a wrapper cannot mirror."""
    if observed.globals_changed:
        names = ", ".join(f"`{n}`" for n in observed.globals_changed)
        raise Unsupported(f"the function changes the global {names}: return the value instead")
    if observed.raised is not None:
        raise Unsupported(f"the NumPy function raises {observed.raised.type} with these arguments")
    labels = tuple(label for label in observed.mutated if not _is_generator(workload, label))
    own = parameters(module.function(workload.function.name))
    for label in labels:
        fact = observed.arguments.get(label)
        if label not in own or fact is None or fact.kind != "array":
            raise Unsupported(
                f"the function writes into `{label}`, which is not an array parameter of its own: pass the array itself"
            )
    for pair in observed.overlapping:
        if set(pair) & set(labels):
            raise Unsupported(
                f"the arguments `{pair[0]}` and `{pair[1]}` share memory, and one is written into: pass copies"
            )
    shared = [a for a in observed.aliases_argument if a in labels]
    parts = returned_parts(workload, observed, labels) if shared else None
    if shared and observed.returns_argument is None and parts is None:
        raise Unsupported(
            f"the function writes into `{shared[0]}` and returns a view of it: return a copy, or the array itself"
        )
    return labels


def _is_generator(workload: Workload, label: str) -> bool:
    """Tells whether an argument is a random generator, which goes on drawing for the caller."""
    values = dict(zip(workload.argument_names, (*workload.args, *workload.kwargs.values()), strict=True))
    return isinstance(values.get(label), np.random.Generator | np.random.RandomState | random.Random)


class _Rename(Transformer):
    """Gives a function another name, where it is defined and where it is called."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self.old, self.new = old, new
        self.attributes: set[cst.CSTNode] = set()

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self.attributes.add(node.attr)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        if original_node.value != self.old or original_node in self.attributes:
            return updated_node
        return updated_node.with_changes(value=self.new)


class _Decorate(Transformer):
    """Puts a decorator on a top-level function."""

    def __init__(self, name: str, decorator: str) -> None:
        super().__init__()
        self.name, self.decorator = name, decorator

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        if original_node.name.value != self.name:
            return updated_node
        return updated_node.with_changes(decorators=[cst.Decorator(cst.parse_expression(self.decorator))])


def _wrapper(
    function: cst.FunctionDef,
    core: str,
    written: tuple[str, ...],
    observed: Observation,
    imports: Imports,
    translator: Statements,
) -> cst.FunctionDef:
    """Writes the function of the user's name: NumPy arrays in, results written back into them."""
    torch = imports.code("torch")
    anchor = next(
        (
            f"{label}.device"
            for label, fact in observed.arguments.items()
            if label not in written and fact.kind == "array" and "[" not in label
        ),
        None,
    )
    lines = [f'"""Runs `{core}` on copies of {_listed(list(written))} and writes the results back."""']
    taken = set(all_names(function))
    tensors: dict[str, str] = {}
    for name in written:
        tensors[name] = fresh(f"{name}_tensor", taken)
        taken.add(tensors[name])
        moved = f".to({anchor})" if anchor else ""
        lines.append(f"{tensors[name]} = {torch}.from_numpy({name}.copy()){moved}")
    passed = []
    signature = function.params
    for param in (*signature.posonly_params, *signature.params):
        passed.append(tensors.get(param.name.value, param.name.value))
    if isinstance(signature.star_arg, cst.Param):
        passed.append(f"*{signature.star_arg.name.value}")
    for param in signature.kwonly_params:
        passed.append(f"{param.name.value}={tensors.get(param.name.value, param.name.value)}")
    if signature.star_kwarg is not None:
        passed.append(f"**{signature.star_kwarg.name.value}")
    call = f"{core}({', '.join(passed)})"
    nothing = observed.result is None or observed.result.kind == "none"
    maybe, certain = returned_parameters(function, written)
    parts = None if nothing or certain or maybe else returned_parts(translator.workload, observed, written)
    lines.append(call if nothing or certain else f"result = {call}")
    lines += [f"{name}[...] = {tensors[name]}.numpy(force=True)" for name in written]
    if certain:
        lines.append(f"return {maybe[0]}")
    elif parts is not None and any(parts):
        items = ", ".join(name or f"result[{place}]" for place, name in enumerate(parts))
        lines.append(f"return {items}{',' if len(parts) == 1 else ''}")
    elif not nothing:
        # which array it is may depend on the number of steps
        chosen = "".join(f"{name} if result is {tensors[name]} else " for name in maybe)
        lines.append(f"return {chosen}result")
    bare = function.params.visit(_Bare())
    assert isinstance(bare, cst.Parameters)
    head = f"def {function.name.value}({code(bare)}):"
    text = "\n    ".join([head, *lines])
    statement = cst.parse_statement(text + "\n")
    assert isinstance(statement, cst.FunctionDef)
    return statement.with_changes(leading_lines=_BLANK)


class _Bare(Transformer):
    """Takes annotations off parameters."""

    def leave_Param(self, original_node: cst.Param, updated_node: cst.Param) -> cst.Param:
        return updated_node.with_changes(annotation=None)
