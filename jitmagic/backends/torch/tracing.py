"""The variant in which torch traces the NumPy source itself: refused with the line where that is not faithful.

What torch's NumPy differs in without a word is found here from the source and the facts; verification finds the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from jitmagic.backends.torch.kinds import category, from_fact, numpy_result, torch_result
from jitmagic.backends.torch.scope import stored_names
from jitmagic.backends.torch.statements import MAX_UNROLLED
from jitmagic.backends.torch.table import TABLE
from jitmagic.capture.workload import ModuleText, Workload
from jitmagic.errors import Unsupported
from jitmagic.generate.imports import Imports, Offer
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.walking import Finder
from jitmagic.observe.facts import Observation

_REAL = frozenset(path for path, entry in TABLE.items() if entry.adaptor in ("real", "mean", "spread"))
_DIFFERENT = {
    "numpy.median": ("gives an array of one element where NumPy gives a scalar", "PT-NP-0D"),
    "numpy.tril_indices": ("gives one array where NumPy gives two", "PT-NP-TRIL"),
    "numpy.triu_indices": ("gives one array where NumPy gives two", "PT-NP-TRIL"),
    "numpy.cbrt": ("gives NaN for negative numbers", None),
    "numpy.interp": ("is not known to torch's tracing", "PT-DYNBREAK"),
    "numpy.add.at": ("is not known to torch's tracing", "PT-DYNBREAK"),
    "numpy.add.reduce": ("is not known to torch's tracing", "PT-DYNBREAK"),
}


@dataclass(frozen=True)
class Traced:
    """A finished source with its import bindings."""

    module: ModuleText
    names: dict[str, str]


def write(workload: Workload, observed: Observation) -> Traced:
    """Puts `@torch.compile(fullgraph=True)` on the user's NumPy function.

    Raises
    ------
    Unsupported
        With the user's line, where torch's tracing would give another result, or would unroll a long loop.
    """
    module = Module.of(workload, observed)
    tree = module.marked()
    tree.visit(_Unfaithful(module, frozenset(stored_names(tree))))
    imports = Imports(module, (Offer("torch", "torch"),), workload.needs)
    decorator = f"{imports.code('torch')}.compile(fullgraph=True)"
    entry = workload.function.name
    body = [
        s.with_changes(decorators=[cst.Decorator(cst.parse_expression(decorator))])
        if isinstance(s, cst.FunctionDef) and s.name.value == entry
        else s
        for s in tree.body
    ]
    result, names = imports.write(tree.with_changes(body=body))
    return Traced(Module.finish(result, workload.module), names)


class _Unfaithful(Finder):
    """Raises at the first place where torch's tracing of NumPy is known to differ."""

    def __init__(self, module: Module, stored: frozenset[str]) -> None:
        super().__init__()
        self.module, self.stored = module, stored

    def _fail(self, node: cst.CSTNode, why: str, code: str | None) -> None:
        line = self.module.line(node)
        raise Unsupported(f"line {line}: {why}", line, code)

    def visit_Call(self, node: cst.Call) -> None:
        path = qualified(node.func, self.module.names)
        if isinstance(node.func, cst.Name) and node.func.value == "print":
            self._fail(node, "a print breaks the graph of torch.compile: print the result outside", "PT-DYNBREAK")
        if path is None:
            return
        if path.startswith("numpy.random"):
            self._fail(node, "torch's tracing draws other random numbers than NumPy: pass them in", "PT-NP-RNG")
        if path.startswith("scipy."):
            self._fail(node, f"`{path}` is not NumPy: torch's tracing does not follow it", "PT-DYNBREAK")
        if path in _DIFFERENT:
            why, code = _DIFFERENT[path]
            self._fail(node, f"in torch's tracing `{path.replace('numpy', 'np', 1)}` {why}", code)
        if path in _REAL and node.args:
            value = from_fact(self.module.fact(node.args[0].value))
            if value.is_tensor and category(value.dtype) in ("int", "bool"):
                self._fail(
                    node,
                    "torch's tracing gives float32 for a function of integers: `.astype(float)` first",
                    "PT-DEFDTYPE",
                )

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        left, right = (from_fact(self.module.fact(side)) for side in (node.left, node.right))
        if not (left.is_tensor or right.is_tensor):
            return
        if isinstance(node.operator, cst.Divide):
            if all(category(v.dtype) in ("int", "bool", None) for v in (left, right)) and (left.dtype or right.dtype):
                kinds = {category(v.dtype) for v in (left, right)}
                if None not in kinds or isinstance(node.right, cst.Integer) or isinstance(node.left, cst.Integer):
                    self._fail(
                        node, "torch's tracing gives float32 for int / int: `.astype(float)` first", "PT-DEFDTYPE"
                    )
            return
        ours, theirs = numpy_result([left, right]), torch_result([left, right])
        if ours is not None and theirs is not None and ours != theirs:
            self._fail(node, f"torch's tracing computes in {theirs} where NumPy computes in {ours}", "PT-0D")

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._store(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._store(node.target)

    def _store(self, target: cst.BaseExpression) -> None:
        if isinstance(target, cst.Subscript) and _backwards(target):
            self._fail(target, "in torch's tracing a store through a reversed slice is lost", "PT-FLIPVIEW")

    def visit_Assign(self, node: cst.Assign) -> None:
        target = node.targets[0].target
        if not isinstance(target, cst.Name) or not isinstance(node.value, cst.Subscript):
            return
        if target.value in self.stored and _backwards(node.value):
            self._fail(node, "in torch's tracing a reversed slice is a copy: a store into it is lost", "PT-FLIPVIEW")

    def visit_For(self, node: cst.For) -> None:
        self._loop(node)

    def visit_While(self, node: cst.While) -> None:
        self._loop(node)

    def _loop(self, node: cst.For | cst.While) -> None:
        observed = self.module.observed
        seen = None if observed is None else observed.loops.get(self.module.span(node).line)
        if seen is not None and seen.trips_total > MAX_UNROLLED:
            trips = f"{seen.trips_total:,}".replace(",", " ")
            self._fail(
                node,
                f"the loop runs {trips} times, and torch.compile would unroll it: a vectorised form is needed",
                "PT-DYNUNROLL",
            )


def _backwards(node: cst.Subscript) -> bool:
    return any(isinstance(e.slice, cst.Slice) and isinstance(e.slice.step, cst.UnaryOperation) for e in node.slice)
