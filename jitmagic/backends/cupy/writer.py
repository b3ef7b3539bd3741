"""Writes the CuPy draft: NumPy's functions replaced, constants put on the GPU once, written arguments copied back."""

from __future__ import annotations

from typing import Any

import libcst as cst
import numpy as np

from jitmagic.backends.cupy import checks
from jitmagic.backends.protocol import Draft
from jitmagic.capture.workload import Workload
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.imports import Imports, Offer, Use
from jitmagic.generate.module import Module
from jitmagic.generate.returns import returned_parameters
from jitmagic.observe.facts import Observation

_LACKING = (
    "insert block ma matrix asmatrix mat char rec nditer frompyfunc nanpercentile nanquantile "
    "histogram_bin_edges spacing isnat datetime64 timedelta64 busday_count loadtxt genfromtxt fromregex "
    "linalg.multi_dot emath longdouble clongdouble apply_over_axes setdiff1d polynomial"
)
# What CuPy 13 and 14 lack; anything else that is missing is told by the check on the GPU.
_MISSING = frozenset(f"numpy.{name}" for name in _LACKING.split())
# These stay NumPy's: they touch no array.
_HOST = frozenset({"numpy.errstate", "numpy.seterr", "numpy.geterr", "numpy.ndindex", "numpy.printoptions"})
_SCIPY = ("scipy.special", "scipy.ndimage", "scipy.fft", "scipy.signal", "scipy.linalg", "scipy.interpolate")


def write(workload: Workload, observed: Observation) -> Draft:
    """Writes the draft.

    Raises
    ------
    Unsupported
        Where a function has no equal in CuPy, or where a loop would start a kernel an element.
    """
    checks.check(workload, observed)
    module = Module.of(workload, observed)
    tree = module.marked()
    alias = name_tools.fresh("cp", name_tools.all_names(tree) | set(workload.needs))
    numpy_name = next((name for name, path in workload.names.items() if path == "numpy"), "np")
    offers = [Offer("cupy", alias), Offer("numpy", numpy_name)]
    offers += [Offer(f"cupyx.{path}", path.rsplit(".", 1)[1]) for path in _SCIPY]
    imports = Imports(module, offers, workload.needs)
    tree = imports.replace(tree, _decide, ("numpy", "scipy"))
    checks.check_random(observed)
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
        form="array",
        module=Module.finish(tree, workload.module),
        entry=workload.function.name,
        names=bindings,
        needs=workload.needs,
        written=observed.mutated,
        notes=tuple(checks.notes(workload, observed)),
    )


def _decide(use: Use) -> str | cst.BaseExpression | None:
    """Says what becomes of one use of NumPy or SciPy."""
    where = f"line {use.line}"
    if use.path.startswith("numpy.random"):
        raise Unsupported(
            f"{where} draws random numbers, and CuPy's generators give others: draw them outside and pass them",
            use.line,
            "CP-RNG",
        )
    if use.path in _HOST:
        return None
    if any(use.path == name or use.path.startswith(name + ".") for name in _MISSING):
        raise Unsupported(f"{where}: CuPy has no `{use.path.removeprefix('numpy.')}`", use.line, "CP-NOFUNC")
    if use.path.startswith("scipy"):
        if use.path.startswith(_SCIPY):
            return f"cupyx.{use.path}"
        raise Unsupported(f"{where}: CuPy has no `{use.path}`", use.line, "CP-NOFUNC")
    if use.path.startswith("numpy.linalg.eig") and use.path in ("numpy.linalg.eig", "numpy.linalg.eigvals"):
        raise Unsupported(
            f"{where}: CuPy has eigenvalues of symmetric matrices only (`eigh`) in most versions", use.line, "CP-NOFUNC"
        )
    return "cupy" + use.path.removeprefix("numpy")


def _written(workload: Workload, observed: Observation) -> tuple[str, ...]:
    """Returns the parameters whose arrays the function writes into; `Unsupported` where they cannot be mirrored."""
    for label in observed.mutated:
        fact = observed.arguments.get(label)
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
        if label in observed.aliases_argument and observed.returns_argument != label:
            raise Unsupported(
                f"the function returns a view of `{label}`, which it changes: on the GPU that would be a copy",
                None,
                "CP-NPMIX",
            )
    return observed.mutated


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
        keeps = not certain and observed.result is not None and observed.result.kind != "none"
        lines.append(f"    {result} = {call}" if keeps else f"    {call}")
        lines.append("    # the caller's arrays live on the host")
        lines += [f"    {label}[...] = {asnumpy}({local[label]})" for label in written]
        if certain:
            lines.append(f"    return {maybe[0]}")
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


class _Renamed(cst.CSTTransformer):
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
