"""Translates names, literals and attributes, and offers what every further step of the translation asks for."""

from __future__ import annotations

from typing import Any, NoReturn

import libcst as cst

from jitmagic.analysis.words import words
from jitmagic.backends.torch import algebra, elementwise, making, reductions, searching, shaping  # noqa: F401
from jitmagic.backends.torch.calls import Argument, CallSite, atom, code
from jitmagic.backends.torch.kinds import (
    INT,
    NO_ARITHMETIC,
    OTHER,
    SUPPORTED,
    UNKNOWN,
    Value,
    as_dtype,
    category,
    from_fact,
    reconcile,
    seen_dtype,
)
from jitmagic.backends.torch.scope import Learned, Scope
from jitmagic.backends.torch.shaping import reversed_axes
from jitmagic.backends.torch.table import CONSTANTS, DTYPES, TABLE
from jitmagic.errors import Unsupported
from jitmagic.generate.imports import Imports
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.names import fresh
from jitmagic.generate.walking import Finder, Transformer
from jitmagic.observe.facts import ValueFact

BREAK = "PT-DYNBREAK"

_PASSED_ON = words("real same predicate binary extremum matmul sum prod mean extreme")
"""The adaptors whose functions may be handed on as they are, for one array and no further argument."""

_NO_SUCH_ATTRIBUTES = {
    "strides": "take `x.stride()` apart from the function",
    "flags": "torch has no flags",
    "base": "torch does not tell a view's base",
    "ctypes": "torch has no ctypes view",
    "data": "index the array instead",
}


class Names(Transformer):
    """Rewrites names, literals and attributes; the base of the translation.

    Attributes
    ----------
    scope : Scope
        The function that is being walked.
    scopes : list of Scope
        Those around it, the module's first.
    values : dict
        What each original node is in torch.
    helpers : dict of str to None
        Preludes that were used, in order.
    statements : set
        Original calls that stand alone, whose result nobody reads.
    """

    def __init__(
        self,
        module: Module,
        imports: Imports,
        learned: Learned,
        functions: frozenset[str],
        stores: bool,
        compiled: bool,
    ) -> None:
        super().__init__()
        self.module, self.imports, self.learned = module, imports, learned
        self.functions, self.stores, self.compiled = functions, stores, compiled
        self.scope = Scope("", frozenset(), frozenset(), None)
        self.scopes: list[Scope] = []
        self.values: dict[cst.CSTNode, Value] = {}
        self.parts: dict[cst.CSTNode, Argument] = {}
        self.helpers: dict[str, None] = {}
        self.helper_names: dict[str, str] = {}
        self.notes: dict[str, None] = {}
        self.callees: set[cst.CSTNode] = set()
        self.skip: set[cst.CSTNode] = set()
        self.targets: set[cst.CSTNode] = set()
        self.loose: set[cst.CSTNode] = set()
        self.statements: set[cst.CSTNode] = set()
        self.here: cst.CSTNode | None = None

    # -- what adaptors ask ---------------------------------------------------------------------------------------

    def spell(self, path: str) -> str:
        """Spells a dotted path by the module's imports."""
        return self.imports.code(path)

    def helper(self, name: str) -> str:
        """Returns the name of a prelude, which is then written above the user's functions."""
        self.helpers[name] = None
        if name not in self.helper_names:
            taken = _plain_names(self.module.tree)
            self.helper_names[name] = name if name not in taken else fresh(f"torch_{name}", taken)
        return self.helper_names[name]

    def device(self) -> str | None:
        """Returns an expression of the device of new tensors."""
        return self.scope.device

    def fail(self, why: str, code: str | None = None, node: cst.CSTNode | None = None) -> NoReturn:
        """Refuses; ``why`` continues "line 7 …"."""
        line = self.module.line(node if node is not None else self.here) if (node or self.here) is not None else None  # type: ignore[arg-type]
        where = "the function" if line is None else f"line {line}"
        raise Unsupported(f"{where} {why}", line, code)

    # -- looking up ----------------------------------------------------------------------------------------------

    def fact(self, node: cst.CSTNode) -> ValueFact | None:
        """Returns what was observed of an original node."""
        return self.module.fact(node)

    def value(self, node: cst.CSTNode) -> Value:
        """Returns what an original node is in torch."""
        seen = self.fact(node)
        if node in self.scope.keys and seen is not None and seen.kind == "scalar":
            return _number(seen)
        if node in self.scope.keys and seen is not None and seen.items and seen.kind in ("list", "tuple"):
            numbers = tuple(_number(one) if one.kind == "scalar" else from_fact(one) for one in seen.items)
            return Value("sequence", items=numbers)
        found = self.values.get(node)
        return from_fact(seen) if found is None else found

    def path(self, node: cst.BaseExpression) -> str | None:
        """Resolves an original node to a dotted path, in the form in which the table has it."""
        path = qualified(node, self.module.names, self.scope.local)
        if path is None:
            return None
        if path in TABLE or not path.startswith(("numpy.", "scipy.")):
            return path
        kept = [p for p in path.split(".") if not p.startswith("_") and p not in ("core", "lib")]
        short = ".".join(kept)
        return short if short in TABLE or len(kept) < 3 else path

    def argument(self, original: cst.CSTNode, updated: cst.BaseExpression) -> Argument:
        """Makes an argument of a translated node."""
        parts: tuple[Argument, ...] = ()
        if isinstance(original, cst.Tuple | cst.List) and isinstance(updated, cst.Tuple | cst.List):
            pairs = list(zip(original.elements, updated.elements, strict=True))
            if not any(isinstance(old, cst.StarredElement) for old, _ in pairs):
                parts = tuple(self.argument(old.value, new.value) for old, new in pairs)
        seen = self.fact(original)
        return Argument(updated, self.value(original), parts, None if seen is None else seen.kind)

    def parsed(self, text: str, like: cst.BaseExpression, loose: bool = False) -> cst.BaseExpression:
        """Parses a written expression; keeps the parentheses that the user had around it."""
        node = cst.parse_expression(text)
        if like.lpar and not isinstance(node, cst.Name) and not node.lpar:
            node = node.with_changes(lpar=like.lpar, rpar=like.rpar)
        elif node.lpar:
            self.loose.add(node)
        return node

    def packed(self, original: cst.BaseExpression, updated: cst.BaseExpression, dtype: str | None) -> str:
        """Writes a tuple or list of numbers and elements as one tensor."""
        made = TABLE["numpy.array"]
        argument = self.argument(original, updated)
        site = CallSite("numpy.array", made, [argument], {}, UNKNOWN, self, self.module.line(original))
        return site.pack(argument, dtype)

    def cast(self, node: cst.BaseExpression, dtype: str) -> cst.BaseExpression:
        """Writes ``node.to(dtype)``."""
        return cst.parse_expression(f"{atom(node)}.to({self.typed(dtype)})")

    def typed(self, dtype: str) -> str:
        """Spells a dtype."""
        if dtype in NO_ARITHMETIC:
            self.fail(f"computes with {dtype}, for which torch has no arithmetic: take int64 or uint8", "PT-UINT")
        if dtype not in SUPPORTED:
            self.fail(f"computes with the dtype {dtype}, which torch does not have")
        return self.spell(f"torch.{dtype}")

    def settle(self, node: cst.BaseExpression, value: Value, original: cst.CSTNode) -> tuple[cst.BaseExpression, Value]:
        """Sees to it that a new tensor is what NumPy's value was: a Python number, or of its dtype."""
        seen = self.fact(original)
        if seen is None or not value.is_tensor:
            return node, value if seen is None else reconcile(value, seen)
        if seen.kind in ("int", "float", "bool", "complex"):
            self.pull(f"{seen.kind}()", original)
            return cst.parse_expression(f"{seen.kind}({code(node)})"), Value("number", seen.kind)
        wanted = seen_dtype(seen)
        if wanted is not None and value.dtype is not None and value.dtype != wanted:
            node = self.cast(node, wanted)
        return node, reconcile(value if wanted is None else as_dtype(value, wanted), seen)

    def pull(self, what: str, node: cst.CSTNode) -> None:
        """Refuses, for `torch.compile`, to bring a number from the device into Python."""
        if self.compiled:
            self.fail(
                f"brings an array's value into Python ({what}), where torch.compile would break the graph", BREAK, node
            )

    # -- names and literals --------------------------------------------------------------------------------------

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_Param(self, node: cst.Param) -> None:
        self.skip.add(node.name)

    def visit_Arg(self, node: cst.Arg) -> None:
        if node.keyword is not None:
            self.skip.add(node.keyword)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        self.skip.add(node.attr)
        return self.path(node) is None

    def visit_Call(self, node: cst.Call) -> None:
        self.callees.add(node.func)

    def visit_Annotation(self, node: cst.Annotation) -> bool:
        return False

    def leave_Annotation(self, original_node: cst.Annotation, updated_node: cst.Annotation) -> cst.Annotation:
        if "random" not in code(original_node.annotation) and any(
            p.startswith("numpy") for p in _paths(original_node.annotation, self)
        ):
            return updated_node.with_changes(annotation=cst.parse_expression(self.spell("torch.Tensor")))
        return updated_node

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if original_node in self.skip:
            return updated_node
        known = self.scope.values.get(original_node.value)
        self.values[original_node] = reconcile(known, self.fact(original_node))
        if original_node in self.callees or original_node in self.targets:
            return updated_node
        return self._constant(original_node, updated_node)

    def leave_Integer(self, original_node: cst.Integer, updated_node: cst.Integer) -> cst.Integer:
        self.values[original_node] = INT
        return updated_node

    def leave_Float(self, original_node: cst.Float, updated_node: cst.Float) -> cst.Float:
        self.values[original_node] = Value("number", "float")
        return updated_node

    def leave_Imaginary(self, original_node: cst.Imaginary, updated_node: cst.Imaginary) -> cst.Imaginary:
        self.values[original_node] = Value("number", "complex")
        return updated_node

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.SimpleString:
        self.values[original_node] = OTHER
        return updated_node

    def _sequence(self, original_node: Any) -> None:
        if any(isinstance(e, cst.StarredElement) for e in original_node.elements):
            self.values[original_node] = from_fact(self.fact(original_node))
        else:
            items = tuple(self.value(e.value) for e in original_node.elements)
            self.values[original_node] = Value("sequence", items=items)

    def leave_Tuple(self, original_node: cst.Tuple, updated_node: cst.Tuple) -> cst.Tuple:
        self._sequence(original_node)
        return updated_node

    def leave_List(self, original_node: cst.List, updated_node: cst.List) -> cst.List:
        self._sequence(original_node)
        return updated_node

    def leave_Element(self, original_node: cst.Element, updated_node: cst.Element) -> cst.Element:
        return updated_node.with_changes(value=self.tight(updated_node.value))

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(value=self.tight(updated_node.value))

    def tight(self, node: Any) -> Any:
        """Takes off parentheses that a rewrite put around an expression which turned out to stand alone."""
        if node in self.loose:
            return node.with_changes(lpar=(), rpar=())
        return node

    # -- attributes ----------------------------------------------------------------------------------------------

    def _constant(self, original: Any, updated: Any) -> cst.BaseExpression:
        path = self.path(original)
        if path is None or not path.startswith(("numpy.", "scipy.")):
            return updated
        if path in CONSTANTS:
            ours = CONSTANTS[path]
            self.values[original] = OTHER if ours == "None" else Value("number", "float")
            return cst.parse_expression(self.spell(ours) if ours.startswith("math.") else ours)
        last = path.rpartition(".")[2]
        self.values[original] = OTHER
        if path.count(".") == 1 and last in DTYPES:
            return cst.parse_expression(self.typed(DTYPES[last]))
        if path == "numpy.ndarray":
            return cst.parse_expression(self.spell("torch.Tensor"))
        if path.endswith("linalg.LinAlgError"):
            return cst.parse_expression(self.spell("torch.linalg.LinAlgError"))
        if path in ("numpy.floating", "numpy.integer", "numpy.complexfloating", "numpy.number", "numpy.bool"):
            self.fail(f"asks for the abstract dtype `{code(original)}`, which torch does not have", node=original)
        if path.startswith("numpy.random"):
            return updated
        entry = TABLE.get(path)
        if entry is not None and entry.adaptor in _PASSED_ON and entry.target:
            return cst.parse_expression(self.spell(entry.target))
        if original in self.skip or path in ("numpy.linalg", "numpy.fft", "scipy.special"):
            return updated
        self.fail(f"uses `{code(original)}`, for which torch has no counterpart that is known here", node=original)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if original_node in self.callees:
            return updated_node
        if self.path(original_node) is not None:
            return self._constant(original_node, updated_node)
        owner, name = self.value(original_node.value), original_node.attr.value
        seen = self.fact(original_node)
        self.values[original_node] = from_fact(seen)
        if owner.kind == "number":
            # NumPy had a scalar, torch's source has a Python number
            if name in ("real", "imag"):
                self.values[original_node] = Value("number", "float" if owner.dtype == "complex" else owner.dtype)
            return updated_node
        if not owner.may_be_tensor and not (owner.kind == "unknown" and name in ("T", "size")):
            of_dtype = isinstance(original_node.value, cst.Attribute) and original_node.value.attr.value == "dtype"
            if of_dtype and name in ("kind", "type", "char", "name"):
                self.fail(f"reads `dtype.{name}`, which torch does not have", node=original_node)
            return updated_node
        if name == "T":
            self.values[original_node] = reconcile(Value("tensor", owner.dtype, None, view=True), seen)
            text = reversed_axes(atom(updated_node.value), owner.ndim)
            return updated_node if text == code(updated_node) else self.parsed(text, updated_node)
        if name == "size":
            self.values[original_node] = INT
            return updated_node.with_changes(attr=cst.Name("numel")).visit(_Called())  # type: ignore[return-value]
        if name == "nbytes":
            self.values[original_node] = INT
        if name == "shape":
            self.values[original_node] = (
                from_fact(seen) if seen else Value("sequence", items=(INT,) * (owner.ndim or 0))
            )
        if name == "flat":
            self.values[original_node] = reconcile(Value("tensor", owner.dtype, None, view=True), seen)
            if original_node in self.targets:
                self.fail(
                    "stores through `.flat`, which torch does not have: use `.ravel()` or an index", node=original_node
                )
            return self.parsed(f"{atom(updated_node.value)}.ravel()", updated_node)
        if name == "imag" and category(owner.dtype) != "complex":
            return self.parsed(f"{self.spell('torch.zeros_like')}({code(updated_node.value)})", updated_node)
        if name in _NO_SUCH_ATTRIBUTES:
            self.fail(f"reads `.{name}` of an array: {_NO_SUCH_ATTRIBUTES[name]}", node=original_node)
        return updated_node


def _paths(node: cst.BaseExpression, translator: Names) -> set[str]:
    finder = _Names()
    node.visit(finder)
    return {p for n in finder.found if (p := translator.module.names.get(n)) is not None}


class _Names(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self.found.add(node.value)


def _plain_names(tree: cst.CSTNode) -> set[str]:
    """Returns the names in a module that are not attributes of something."""
    finder = _Names()
    tree.visit(finder)
    return finder.found


class _Called(Transformer):
    """Turns the attribute it is given into a call without arguments."""

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        return False

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        return cst.Call(updated_node.with_changes(lpar=(), rpar=()), lpar=updated_node.lpar, rpar=updated_node.rpar)


def _number(seen: ValueFact) -> Value:
    """Returns what Python's number is that stands for a scalar of NumPy's."""
    dtype = seen.dtype or "int"
    return Value("number", "int" if "int" in dtype else dtype.rstrip("0123456789_"), scalar=True)
