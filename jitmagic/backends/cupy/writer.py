"""Writes the CuPy draft: NumPy's functions replaced, constants put on the GPU once, written arguments copied back."""

from __future__ import annotations

import random
import re
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.analysis.words import MASKED
from jitmagic.backends.cupy import api, checks
from jitmagic.backends.cupy.calls import HELPERS, NUMBERS, Calls, on_host
from jitmagic.backends.cupy.elements import Elements
from jitmagic.backends.protocol import Draft
from jitmagic.capture.workload import Workload
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.imports import Imports, Offer, Use
from jitmagic.generate.kinds import literal
from jitmagic.generate.masked_ufuncs import without_masked_ufuncs
from jitmagic.generate.module import Module
from jitmagic.generate.returns import returned_parameters, returned_parts
from jitmagic.generate.vectorised import vectorise
from jitmagic.generate.vectorize_calls import without_vectorize
from jitmagic.generate.walking import Transformer
from jitmagic.observe.facts import Observation

# These stay NumPy's: they touch no array.
_HOST = frozenset({"numpy.errstate", "numpy.seterr", "numpy.geterr", "numpy.ndindex", "numpy.printoptions"})
_SCIPY = ("scipy.special", "scipy.ndimage", "scipy.fft")


WHOLE = "whole arrays"
"""The form in which map loops are whole-array statements; the next rung keeps them as loops."""


def write(workload: Workload, observed: Observation, vectorised: bool = True) -> Draft:
    """Writes the draft.

    Parameters
    ----------
    workload, observed
    vectorised : bool
        Whether map loops become whole-array statements.

    Raises
    ------
    Unsupported
        Where a function has no equal in CuPy, or where a loop would start a kernel an element.
    """
    module = Module.of(workload, observed)
    tree = module.marked()
    gone = vectorise(module, workload, observed) if vectorised else frozenset()
    name = workload.function.name
    tree = without_masked_ufuncs(module, without_vectorize(module, module.tree, name), name)
    checks.check(workload, observed, gone)
    alias = name_tools.fresh("cp", name_tools.all_names(tree) | set(workload.needs))
    numpy_name = next((name for name, path in workload.names.items() if path == "numpy"), "np")
    offers = [Offer("cupy", alias), Offer("numpy", numpy_name)]
    offers += [Offer(f"cupyx.{path}", path.rsplit(".", 1)[1]) for path in _SCIPY]
    imports = Imports(module, offers, workload.needs)
    tree = tree.visit(Elements(module, workload, observed))
    calls = Calls(module, workload, observed, imports)
    tree = tree.visit(calls)
    tree = imports.replace(tree, lambda use: _decide(use, module), ("numpy", "scipy"))
    checks.check_random(observed, calls.draws)
    tree = _with_helpers(tree, calls.helpers, alias)
    written = _written(workload, observed)
    if written:
        tree = _with_copies(tree, workload, observed, written, imports)
    arrays = [name for name in workload.needs if isinstance(workload.constants[name], np.ndarray)]
    imports.spell("cupy")
    moved = [f"{name} = {imports.code('cupy.asarray')}({name})" for name in arrays]
    after = []
    if arrays:
        names = ", ".join(arrays)
        after = [
            f"# {names} {'is' if len(arrays) == 1 else 'are'} expected in this namespace, and put on the GPU once.",
            *moved,
        ]
    tree, bindings = imports.write(tree, after)
    first = tree.body[0]
    if isinstance(first, cst.FunctionDef):  # no import is left above it
        comments = [line for line in first.leading_lines if line.comment is not None]
        tree = tree.with_changes(body=[first.with_changes(leading_lines=comments), *tree.body[1:]])
    return Draft(
        variant="cupy",
        backend="cupy",
        mode="array",
        form=WHOLE if gone else "array",
        module=Module.finish(tree, workload.module),
        entry=workload.function.name,
        names=bindings,
        needs=workload.needs,
        written=written,
        notes=tuple(checks.notes(workload, observed, gone)),
    )


def _with_helpers(tree: cst.Module, helpers: dict[str, str], alias: str) -> cst.Module:
    """Puts the small functions that were used above the user's."""
    if not helpers:
        return tree
    blank = cst.EmptyLine(indent=False)
    made: list[Any] = []
    for name, given in helpers.items():
        text = re.sub(rf"(?<![.\w]){name}\(", f"{given}(", HELPERS[name].strip())
        text = text.replace("cp.", f"{alias}.")
        made.append(cst.parse_statement(text + "\n").with_changes(leading_lines=[blank, blank]))
    body = list(tree.body)
    place = next(i for i, statement in enumerate(body) if isinstance(statement, cst.FunctionDef))
    first = body[place]
    if not first.leading_lines:
        body[place] = first.with_changes(leading_lines=[blank, blank])
    return tree.with_changes(body=[*body[:place], *made, *body[place:]])


def _decide(use: Use, module: Module) -> str | cst.BaseExpression | None:
    """Says what becomes of one use of NumPy or SciPy."""
    where, path = f"line {use.line}", use.path
    if path.startswith("numpy.random") or path in _HOST or _on_host(use, module):
        return None
    if path.startswith("scipy"):
        if path in api.SCIPY or path in _SCIPY:
            return f"cupyx.{path}"
        raise Unsupported(f"{where}: CuPy has no `{path}`", use.line, "CP-NOFUNC")
    name = path.removeprefix("numpy.")
    if path in ("numpy.linalg.eig", "numpy.linalg.eigvals"):
        raise Unsupported(
            f"{where}: CuPy has eigenvalues of symmetric matrices only (`eigh`) in most versions", use.line, "CP-NOFUNC"
        )
    if name.startswith("ma."):
        raise Unsupported(f"{where} calls `np.{name}`, {MASKED.format(library='CuPy')}", use.line, "CP-NOFUNC")
    if any(name == one or name.startswith(one + ".") for one in api.LACKING) or not _exists(name):
        raise Unsupported(f"{where}: CuPy has no `{name}`", use.line, "CP-NOFUNC")
    return "cupy" + path.removeprefix("numpy")


def _on_host(use: Use, module: Module) -> bool:
    """Tells whether a call computes a number of numbers, or an array that CuPy cannot make: NumPy goes on doing so."""
    if use.call is None:
        return False
    facts = [module.fact(argument.value) or literal(argument.value) for argument in use.call.args]
    if not on_host(facts):
        return False
    result = module.fact(use.call)
    name = use.path.removeprefix("numpy.")
    if name in api.LACKING or (use.path.startswith("numpy.") and not _exists(name)):
        return True
    return result is not None and result.kind in ("scalar", *NUMBERS)


def _exists(name: str) -> bool:
    """Tells whether CuPy has something under NumPy's name: functions of api.py, constants, types, modules."""
    if name in api.FUNCTIONS or name in ("r_", "c_", "s_", "mgrid", "ogrid", "size", "ndarray", "linalg", "fft"):
        return True
    head, _, method = name.partition(".")
    if method and isinstance(getattr(np, head, None), np.ufunc):
        return head in api.FUNCTIONS
    found: Any = np
    for word in name.split("."):
        found = getattr(found, word, None)
    kind = isinstance(found, type) and issubclass(found, np.generic | Exception)
    return found is None or kind or isinstance(found, float | int) or name in _BORROWED


_BORROWED = frozenset(
    {"finfo", "iinfo", "dtype", "isscalar", "promote_types", "issubdtype", "can_cast", "newaxis", "index_exp", "poly1d"}
)
"""What CuPy borrows from NumPy."""


def _written(workload: Workload, observed: Observation) -> tuple[str, ...]:
    """Returns the parameters whose arrays the function writes into; `Unsupported` where they cannot be mirrored."""
    for label in observed.mutated:
        fact = observed.arguments.get(label)
        if fact is not None and fact.kind == "object" and _is_generator(workload, label):
            continue  # the caller's generator goes on drawing on the host
        if "[" in label or fact is None or fact.kind != "array":
            raise Unsupported(
                f"the function changes its argument `{label}`, which cannot be copied back from the GPU as a whole: "
                "pass a plain array",
                None,
                "CP-NPMIX",
            )
        for one, other in observed.overlapping:
            if label in (one, other):
                raise Unsupported(
                    f"the function writes into `{label}`, and the arguments `{one}` and `{other}` share memory, which "
                    "copies on the GPU would not",
                    None,
                    "CP-NPMIX",
                )
        shared = label in observed.aliases_argument and observed.returns_argument != label
        if shared and returned_parts(workload, observed, observed.mutated) is None:
            raise Unsupported(
                f"the function returns a view of `{label}`, which it changes: on the GPU that would be a copy",
                None,
                "CP-NPMIX",
            )
    return tuple(label for label in observed.mutated if not _is_generator(workload, label))


def _is_generator(workload: Workload, label: str) -> bool:
    values = dict(zip(workload.argument_names, (*workload.args, *workload.kwargs.values()), strict=True))
    return isinstance(values.get(label), np.random.Generator | np.random.RandomState | random.Random)


def _with_copies(
    tree: cst.Module, workload: Workload, observed: Observation, written: tuple[str, ...], imports: Imports
) -> cst.Module:
    """Puts a wrapper around the function that copies the written arguments to the GPU and back."""
    name = workload.function.name
    taken = set(name_tools.all_names(tree)) | set(workload.needs)
    core = name_tools.fresh(f"_{name}", taken)
    body: list[Any] = []
    for statement in tree.body:
        if not isinstance(statement, cst.FunctionDef) or statement.name.value != name:
            body.append(statement)
            continue
        body.append(statement.visit(_Renamed(name, core)))
        local = {label: name_tools.fresh(f"{label}_gpu", taken) for label in written}
        asarray, asnumpy = imports.code("cupy.asarray"), imports.code("cupy.asnumpy")
        lines = [f"def {name}():"]
        lines += [f"    {local[label]} = {asarray}({label})" for label in written]
        call = f"{core}({_passed(statement.params, local)})"
        result = name_tools.fresh("result", taken | set(name_tools.parameters(statement)))
        maybe, certain = returned_parameters(statement, written)
        parts = None if certain or maybe else returned_parts(workload, observed, written)
        keeps = not certain and observed.result is not None and observed.result.kind != "none"
        lines.append(f"    {result} = {call}" if keeps else f"    {call}")
        lines.append("    # the caller's arrays live on the host")
        lines += [f"    {label}[...] = {asnumpy}({local[label]})" for label in written]
        if certain:
            lines.append(f"    return {maybe[0]}")
        elif keeps and parts is not None and any(parts):
            items = ", ".join(part or f"{result}[{place}]" for place, part in enumerate(parts))
            lines.append(f"    return {items}{',' if len(parts) == 1 else ''}")
        elif keeps:
            # which array it is may depend on the number of steps
            chosen = "".join(f"{label} if {result} is {local[label]} else " for label in maybe)
            lines.append(f"    return {chosen}{result}")
        wrapper = cst.parse_statement("\n".join(lines) + "\n")
        assert isinstance(wrapper, cst.FunctionDef)
        blank = cst.EmptyLine(indent=False)
        body.append(wrapper.with_changes(params=statement.params, leading_lines=[blank, blank]))
    return tree.with_changes(body=body)


def _passed(params: cst.Parameters, local: dict[str, str]) -> str:
    """Returns the arguments of the core's call, in the form of the wrapper's parameters."""
    parts = [local.get(p.name.value, p.name.value) for p in (*params.posonly_params, *params.params)]
    if isinstance(params.star_arg, cst.Param):
        parts.append(f"*{params.star_arg.name.value}")
    parts += [f"{p.name.value}={local.get(p.name.value, p.name.value)}" for p in params.kwonly_params]
    if params.star_kwarg is not None:
        parts.append(f"**{params.star_kwarg.name.value}")
    return ", ".join(parts)


class _Renamed(Transformer):
    def __init__(self, old: str, new: str) -> None:
        super().__init__()
        self.old, self.new = old, new

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        if original_node.name.value == self.old:
            return updated_node.with_changes(name=cst.Name(self.new))
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if isinstance(original_node.func, cst.Name) and original_node.func.value == self.old:
            return updated_node.with_changes(func=cst.Name(self.new))
        return updated_node
