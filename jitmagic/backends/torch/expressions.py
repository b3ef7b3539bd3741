"""Translates expressions: each is rewritten bottom-up, together with what it is in torch (kinds.Value).

NumPy's run says which dtype an expression has; the promotion model says which one torch would give; where
they differ, the operand that mends it is cast.
"""

from __future__ import annotations

from typing import Any, NoReturn

import libcst as cst

from jitmagic.backends.torch import algebra, elementwise, making, reductions, searching, shaping  # noqa: F401
from jitmagic.backends.torch.calls import ADAPTORS, Argument, CallSite, Written, atom, code, dtype_name, literal
from jitmagic.backends.torch.indexing import build, index
from jitmagic.backends.torch.kinds import (
    BOOL,
    INT,
    NO_ARITHMETIC,
    OTHER,
    SUPPORTED,
    UNKNOWN,
    Value,
    as_dtype,
    category,
    from_fact,
    join,
    number,
    numpy_result,
    reconcile,
    torch_result,
)
from jitmagic.backends.torch.scope import Learned, Scope
from jitmagic.backends.torch.shaping import reversed_axes
from jitmagic.backends.torch.table import CONSTANTS, DTYPES, MATH, METHOD_PARAMETERS, METHODS, TABLE, Entry
from jitmagic.errors import Unsupported
from jitmagic.generate.imports import Imports
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.names import fresh
from jitmagic.observe.facts import ValueFact

BREAK = "PT-DYNBREAK"

_COMPLEX_MATH = frozenset(
    "sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp log log10 sqrt isnan isinf isfinite".split()
)
_SYNTAX_RANK = {cst.Add: 1, cst.Subtract: 1, cst.Multiply: 2, cst.Divide: 2, cst.MatrixMultiply: 2}
_NO_SUCH_ATTRIBUTES = {
    "strides": "take `x.stride()` apart from the function",
    "flags": "torch has no flags",
    "base": "torch does not tell a view's base",
    "ctypes": "torch has no ctypes view",
    "data": "index the array instead",
}


class Expressions(cst.CSTTransformer):
    """Rewrites expressions; the statements around them are in statements.py.

    Attributes
    ----------
    scope : Scope
        The function that is being walked.
    values : dict
        What each original node is in torch.
    helpers : dict of str to None
        Preludes that were used, in order.
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
        self.values: dict[cst.CSTNode, Value] = {}
        self.parts: dict[cst.CSTNode, Argument] = {}
        self.helpers: dict[str, None] = {}
        self.helper_names: dict[str, str] = {}
        self.notes: dict[str, None] = {}
        self.callees: set[cst.CSTNode] = set()
        self.skip: set[cst.CSTNode] = set()
        self.targets: set[cst.CSTNode] = set()
        self.loose: set[cst.CSTNode] = set()
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
        found = self.values.get(node)
        return from_fact(self.fact(node)) if found is None else found

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
            if not any(isinstance(e, cst.StarredElement) for e in original.elements):
                parts = tuple(
                    self.argument(o.value, u.value) for o, u in zip(original.elements, updated.elements, strict=True)
                )
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
        wanted = seen.dtype if seen.kind in ("array", "scalar") else None
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
        if any(p.startswith("numpy") for p in _paths(original_node.annotation, self)):
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
        entry = TABLE.get(path)
        if (
            entry is not None
            and entry.adaptor in ("real", "same", "predicate", "binary", "extremum", "matmul")
            and entry.target
        ):
            return cst.parse_expression(self.spell(entry.target))
        if original in self.skip or path in ("numpy.linalg", "numpy.fft", "numpy.random", "scipy.special"):
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
            if name in ("kind", "type", "char", "name") and isinstance(original_node.value, cst.Attribute):
                if original_node.value.attr.value == "dtype":
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

    # -- operators -----------------------------------------------------------------------------------------------

    def operate(
        self,
        operator: cst.BaseBinaryOp,
        left: tuple[cst.BaseExpression, Value],
        right: tuple[cst.BaseExpression, Value],
        seen: ValueFact | None,
    ) -> tuple[cst.BaseExpression, cst.BaseExpression, Value]:
        """Casts operands so that torch arrives at NumPy's dtype; returns them and the result's value."""
        (a, va), (b, vb) = left, right
        if not va.may_be_tensor and not vb.may_be_tensor:
            return a, b, self._numbers(operator, va, vb, seen)
        if va.kind == "sequence" or vb.kind == "sequence":
            a, va = self._tensor_of(a, va, vb)
            b, vb = self._tensor_of(b, vb, va)
        wanted = seen.dtype if seen is not None and seen.kind in ("array", "scalar") else None
        if seen is None or seen.kind == "mixed":
            wanted = self._numpy_dtype(operator, va, vb)
        if wanted in NO_ARITHMETIC or (wanted is not None and wanted not in SUPPORTED):
            self.typed(wanted)
        if isinstance(operator, cst.MatrixMultiply):
            if wanted is not None:
                a = self.cast(a, wanted) if va.dtype not in (wanted, None) else a
                b = self.cast(b, wanted) if vb.dtype not in (wanted, None) else b
            return a, b, reconcile(Value("tensor", wanted, None), seen)
        predicted = self._torch_dtype(operator, va, vb)
        if wanted is not None and predicted is not None and predicted != wanted:
            a, b = self._mend(operator, (a, va), (b, vb), wanted)
        shape = (
            va.shape
            if vb.ndim == 0 or vb.kind == "number"
            else vb.shape
            if va.ndim == 0 or va.kind == "number"
            else None
        )
        scalar = all(v.kind == "number" or v.scalar for v in (va, vb))
        kind = "either" if {va.kind, vb.kind} == {"either", "number"} else "tensor"
        return a, b, reconcile(Value(kind, wanted or predicted, shape, scalar=scalar), seen)

    def _numbers(self, operator: cst.BaseBinaryOp, a: Value, b: Value, seen: ValueFact | None) -> Value:
        if a.kind == "number" and b.kind == "number":
            kinds = ("bool", "int", "float", "complex")
            dtype = max(a.dtype or "int", b.dtype or "int", key=kinds.index)
            dtype = "float" if isinstance(operator, cst.Divide) and dtype in ("bool", "int") else dtype
            return reconcile(Value("number", "int" if dtype == "bool" else dtype), seen)
        return from_fact(seen)

    def _tensor_of(self, node: cst.BaseExpression, value: Value, other: Value) -> tuple[cst.BaseExpression, Value]:
        if value.kind != "sequence" or not other.is_tensor:
            return node, value
        if any(item.kind != "number" for item in value.items) or not value.items:
            self.fail(f"computes with the list `{code(node)}` and an array: make it an array first")
        dtype = value.numpy_dtype or "float64"
        device = self.scope.device
        rest = f", device={device}" if device else ""
        text = f"{self.spell('torch.tensor')}({code(node)}, dtype={self.typed(dtype)}{rest})"
        return cst.parse_expression(text), Value("tensor", dtype, (len(value.items),))

    def _numpy_dtype(self, operator: cst.BaseBinaryOp, a: Value, b: Value) -> str | None:
        dtype = numpy_result([a, b])
        if isinstance(operator, cst.Divide) and category(dtype) in ("bool", "int"):
            return "float64"
        return dtype

    def _torch_dtype(self, operator: cst.BaseBinaryOp, a: Value, b: Value) -> str | None:
        if "either" in (a.kind, b.kind):
            # where it is a number it may bring in float32: that answer is the one to mend
            as_numbers = [number(v.dtype) if v.kind == "either" else v for v in (a, b)]
            if any(v.is_tensor for v in as_numbers):
                a, b = as_numbers
        dtype = torch_result([a, b])
        if isinstance(operator, cst.Divide) and category(dtype) in ("bool", "int"):
            return "float32"
        return dtype

    def _mend(
        self,
        operator: cst.BaseBinaryOp,
        left: tuple[cst.BaseExpression, Value],
        right: tuple[cst.BaseExpression, Value],
        wanted: str,
    ) -> tuple[cst.BaseExpression, cst.BaseExpression]:
        """Casts as few operands as suffice, the one with axes first."""
        (a, va), (b, vb) = left, right
        order = [(True, False), (False, True)] if (va.ndim or 0) >= (vb.ndim or 0) else [(False, True), (True, False)]
        for first, second in [*order, (True, True)]:
            if (first and not va.is_tensor) or (second and not vb.is_tensor):
                continue
            pair = (as_dtype(va, wanted) if first else va, as_dtype(vb, wanted) if second else vb)
            if self._torch_dtype(operator, *pair) == wanted:
                return (self.cast(a, wanted) if first else a), (self.cast(b, wanted) if second else b)
        # Python numbers alone cannot carry a dtype that no tensor has
        if va.is_tensor:
            return self.cast(a, wanted), b
        return a, self.cast(b, wanted) if vb.is_tensor else b

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        self.here = original_node
        left = (updated_node.left, self.value(original_node.left))
        right = (updated_node.right, self.value(original_node.right))
        a, b, value = self.operate(original_node.operator, left, right, self.fact(original_node))
        rank = _SYNTAX_RANK.get(type(original_node.operator), 9)
        if a in self.loose and isinstance(a, cst.BinaryOperation) and _SYNTAX_RANK.get(type(a.operator), 0) >= rank:
            a = self.tight(a)
        if b in self.loose and isinstance(b, cst.BinaryOperation) and _SYNTAX_RANK.get(type(b.operator), 0) > rank:
            b = self.tight(b)
        self.values[original_node] = value
        return updated_node.with_changes(left=a, right=b)

    def leave_UnaryOperation(
        self, original_node: cst.UnaryOperation, updated_node: cst.UnaryOperation
    ) -> cst.BaseExpression:
        operand = self.value(original_node.expression)
        if isinstance(original_node.operator, cst.Not):
            self.values[original_node] = BOOL
            if operand.may_be_tensor:
                self.pull("not", original_node)
            return updated_node
        if operand.kind in ("tensor", "either", "number"):
            self.values[original_node] = reconcile(
                Value(operand.kind, operand.dtype, operand.shape, operand.scalar), self.fact(original_node)
            )
        return updated_node

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        self.here = original_node
        operators = [c.operator for c in original_node.comparisons]
        nodes = [original_node.left, *[c.comparator for c in original_node.comparisons]]
        values = [self.value(n) for n in nodes]
        if not any(v.may_be_tensor for v in values) or any(
            isinstance(o, cst.Is | cst.IsNot | cst.In | cst.NotIn) for o in operators
        ):
            seen = from_fact(self.fact(original_node))
            self.values[original_node] = BOOL if not seen.is_tensor or all(v.kind == "number" for v in values) else seen
            return updated_node
        if len(operators) > 1:
            self.pull("a chained comparison", original_node)
        left, right = updated_node.left, updated_node.comparisons[0].comparator
        if len(operators) == 1 and "sequence" not in (values[0].kind, values[1].kind):
            wanted, predicted = numpy_result(values), torch_result(values)
            if (
                wanted is not None
                and predicted is not None
                and wanted != predicted
                and not _small(original_node, values)
            ):
                left, right = self._mend(cst.Add(), (left, values[0]), (right, values[1]), wanted)
                comparison = updated_node.comparisons[0].with_changes(comparator=right)
                updated_node = updated_node.with_changes(left=left, comparisons=[comparison])
        shape = None if len(operators) > 1 else values[0].shape if values[1].kind == "number" else None
        scalar = all(v.kind == "number" or v.scalar or v.ndim == 0 for v in values)
        guess = Value("tensor", "bool", () if scalar else shape, scalar=scalar)
        self.values[original_node] = reconcile(guess, self.fact(original_node))
        return updated_node

    def leave_BooleanOperation(
        self, original_node: cst.BooleanOperation, updated_node: cst.BooleanOperation
    ) -> cst.BaseExpression:
        left, right = self.value(original_node.left), self.value(original_node.right)
        if left.may_be_tensor:
            self.pull("and/or", original_node)
        self.values[original_node] = reconcile(join(left, right), self.fact(original_node))
        return updated_node

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.BaseExpression:
        if self.value(original_node.test).may_be_tensor:
            self.pull("if … else", original_node)
        both = join(self.value(original_node.body), self.value(original_node.orelse))
        self.values[original_node] = reconcile(both, self.fact(original_node))
        return updated_node

    def leave_NamedExpr(self, original_node: cst.NamedExpr, updated_node: cst.NamedExpr) -> cst.BaseExpression:
        self.values[original_node] = self.value(original_node.value)
        if isinstance(original_node.target, cst.Name):
            self.scope.values[original_node.target.value] = self.value(original_node.value)
        return updated_node

    # -- subscripts ----------------------------------------------------------------------------------------------

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if self.path(node.value) in ("numpy.c_", "numpy.r_", "numpy.mgrid", "numpy.ogrid"):
            self.callees.add(node.value)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        self.here = original_node
        path = self.path(original_node.value)
        if path in ("numpy.c_", "numpy.r_", "numpy.mgrid", "numpy.ogrid"):
            device = f", device={self.scope.device}" if self.scope.device else ""
            text = build(path, updated_node, self.spell, device, self.fail)
            value = from_fact(self.fact(original_node))
            if path == "numpy.ogrid":
                self.values[original_node] = value
                return self.parsed(text, updated_node)
            node, value = self.settle(self.parsed(text, updated_node), Value("tensor", value.dtype), original_node)
            self.values[original_node] = value
            return node
        base = self.value(original_node.value)
        seen = self.fact(original_node)
        if not base.may_be_tensor:
            known = _item(base, original_node)
            self.values[original_node] = reconcile(known, seen)
            return updated_node
        found = index(original_node, updated_node, self.value, self.fact, self.spell, self.fail)
        if original_node in self.targets:
            if found.flipped:
                self.fail(
                    "stores through a reversed slice, which in torch is a copy: reverse the right side", "PT-FLIPVIEW"
                )
        elif found.masked and self.compiled:
            self.fail(
                "selects by a mask: the shape of the result depends on data, which torch.compile cannot follow", BREAK
            )
        guess = Value("tensor", base.dtype, None, view=found.view)
        value = reconcile(guess, seen)
        self.values[original_node] = value
        node = found.node
        if node is not updated_node and updated_node.lpar and not node.lpar:
            node = node.with_changes(lpar=updated_node.lpar, rpar=updated_node.rpar)
        return node

    # -- calls ---------------------------------------------------------------------------------------------------

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        self.here = original_node
        path = self.path(original_node.func)
        if path is not None and path.startswith(("numpy.", "scipy.")):
            return self._library_call(path, original_node, updated_node)
        if isinstance(original_node.func, cst.Attribute) and path is None:
            return self._method_call(original_node, updated_node)
        if isinstance(original_node.func, cst.Name) and path is None:
            name = original_node.func.value
            if name in self.functions and name not in self.scope.local:
                self._user_call(name, original_node)
                return updated_node
            return self._builtin_call(name, original_node, updated_node)
        values = [self.value(a.value) for a in original_node.args]
        if path is not None and path.startswith("math.") and any(v.may_be_tensor for v in values):
            self.pull(f"{code(original_node.func)} of an array's value", original_node)
        self.values[original_node] = from_fact(self.fact(original_node))
        return updated_node

    def _bind(self, original: cst.Call, updated: cst.Call) -> tuple[list[Argument], dict[str, Argument]]:
        positional: list[Argument] = []
        keywords: dict[str, Argument] = {}
        for old, new in zip(original.args, updated.args, strict=True):
            if old.star:
                self.fail(f"passes a starred argument to `{code(original.func)}`: pass the arguments one by one")
            argument = self.argument(old.value, new.value)
            if old.keyword is None:
                positional.append(argument)
            else:
                keywords[old.keyword.value] = argument
        return positional, keywords

    def _library_call(self, path: str, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        if path.startswith("numpy.random"):
            self.fail(
                f"draws random numbers (`{code(original.func)}`), another stream in torch: draw them outside and pass them in"
            )
        positional, keywords = self._bind(original, updated)
        last = path.rpartition(".")[2]
        if path.startswith("numpy.") and path.count(".") == 1 and last in DTYPES and path not in TABLE:
            return self._to_dtype(DTYPES[last], positional, original, updated)
        special = getattr(self, f"_call_{last}", None) if path.startswith("numpy.") else None
        if special is not None:
            return special(positional, keywords, original, updated)
        entry = TABLE.get(path)
        if entry is None:
            self.fail(f"calls `{code(original.func)}`, for which torch has no counterpart that is known here")
        everything = [*positional, *keywords.values()]
        if path in MATH and not keywords and everything and all(a.value.kind == "number" for a in everything):
            return self._math_call(path, everything, original, updated)
        return self._adapted(path, entry, positional, keywords, original, updated)

    def _math_call(
        self, path: str, arguments: list[Argument], original: cst.Call, updated: cst.Call
    ) -> cst.BaseExpression:
        """Writes a function of Python numbers by the standard library."""
        ours = MATH[path]
        if any(a.value.dtype == "complex" for a in arguments) and ours.startswith("math."):
            if ours.removeprefix("math.") not in _COMPLEX_MATH:
                self.fail(f"calls `{code(original.func)}` of a complex number, which Python's cmath does not have")
            ours = ours.replace("math.", "cmath.")
        kind = from_fact(self.fact(original)).dtype
        self.values[original] = number(kind) if kind else Value("number", "float")
        name = self.spell(ours) if "." in ours else ours
        return updated.with_changes(func=cst.parse_expression(name))

    def _adapted(
        self,
        path: str,
        entry: Entry,
        positional: list[Argument],
        keywords: dict[str, Argument],
        original: cst.Call,
        updated: cst.Call,
        parameters: str | None = None,
        receiver: bool = False,
    ) -> cst.BaseExpression:
        wanted = from_fact(self.fact(original))
        site = CallSite(
            path, entry, positional, keywords, wanted, self, self.module.line(original), parameters, receiver
        )
        if self.compiled and entry.adaptor in ("nonzero", "unique", "compress"):
            self.fail(
                f"calls `{site.name}`, whose result's shape depends on data, which torch.compile cannot follow", BREAK
            )
        written = ADAPTORS[entry.adaptor](site)
        if written.target is not None:
            node: cst.BaseExpression = updated.with_changes(func=cst.parse_expression(self.spell(written.target)))
        else:
            node = self.parsed(written.code, updated)
        return self._finish(node, written, original)

    def _finish(self, node: cst.BaseExpression, written: Written, original: cst.Call) -> cst.BaseExpression:
        if written.kind == "sequence":
            items = written.items or from_fact(self.fact(original)).items
            self.values[original] = Value("sequence", items=items)
            return node
        if written.kind == "other":
            self.values[original] = OTHER
            return node
        if written.kind == "number":
            self.values[original] = reconcile(Value("number", category(written.dtype)), self.fact(original))
            return node
        seen = self.fact(original)
        guess = Value("tensor", written.dtype, None, view=written.view)
        if guess.dtype is not None and (guess.dtype in NO_ARITHMETIC or guess.dtype not in SUPPORTED):
            guess = Value("tensor", None, None, view=written.view)
        loose = node in self.loose
        settled, value = self.settle(node, guess, original)
        if loose and settled is not node:
            settled = settled.with_changes()
        self.values[original] = value
        return settled

    def _to_dtype(
        self, dtype: str, positional: list[Argument], original: cst.Call, updated: cst.Call
    ) -> cst.BaseExpression:
        """Writes ``np.float32(x)``: a cast of a tensor, a Python number of a Python number."""
        if not positional:
            self.fail(f"calls `{code(original.func)}` without a value")
        x = positional[0]
        if x.value.is_tensor:
            self.values[original] = reconcile(as_dtype(x.value, dtype), self.fact(original))
            return self.parsed(f"{x.atom}.to({self.typed(dtype)})", updated)
        strong = dtype in ("float64", "int64", "complex128", "bool")
        if x.value.kind == "number" and strong:
            kind = category(dtype) or "float"
            self.values[original] = Value("number", kind)
            if x.value.dtype == kind:
                return self.parsed(x.code, updated)
            return self.parsed(f"{kind}({x.code})", updated)
        text = f"{self.spell('torch.tensor')}({x.code}, dtype={self.typed(dtype)})"
        self.values[original] = reconcile(Value("tensor", dtype, (), scalar=True), self.fact(original))
        return self.parsed(text, updated)

    def _call_finfo(self, p: list[Argument], k: dict[str, Argument], o: cst.Call, u: cst.Call) -> cst.BaseExpression:
        return self._info("torch.finfo", p, o, u)

    def _call_iinfo(self, p: list[Argument], k: dict[str, Argument], o: cst.Call, u: cst.Call) -> cst.BaseExpression:
        return self._info("torch.iinfo", p, o, u)

    def _info(self, target: str, p: list[Argument], original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        name = dtype_name(p[0].node)
        self.values[original] = OTHER
        return self.parsed(f"{self.spell(target)}({p[0].code if name is None else self.typed(name)})", updated)

    def _call_dtype(self, p: list[Argument], k: dict[str, Argument], o: cst.Call, u: cst.Call) -> cst.BaseExpression:
        name = dtype_name(p[0].node)
        self.values[o] = OTHER
        return self.parsed(p[0].code if name is None else self.typed(name), u)

    def _call_isscalar(self, p: list[Argument], k: dict[str, Argument], o: cst.Call, u: cst.Call) -> cst.BaseExpression:
        self.values[o] = BOOL
        text = f"(not isinstance({p[0].code}, {self.spell('torch.Tensor')}) or {p[0].atom}.ndim == 0)"
        return self.parsed(text, u)

    def _call_ix_(self, p: list[Argument], k: dict[str, Argument], o: cst.Call, u: cst.Call) -> cst.BaseExpression:
        self.values[o] = Value("sequence", items=tuple(a.value for a in p))
        if len(p) != 2 or not all(a.value.is_tensor for a in p):
            self.fail("calls `np.ix_` with other than two arrays: index with None instead")
        return self.parsed(f"({p[0].atom}[:, None], {p[1].code})", u)

    def _call_result_type(
        self, p: list[Argument], k: dict[str, Argument], o: cst.Call, u: cst.Call
    ) -> cst.BaseExpression:
        self.values[o] = OTHER
        if len(p) != 2 or not all(a.value.is_tensor for a in p):
            self.fail("calls `np.result_type` with other than two arrays")
        return self.parsed(f"{self.spell('torch.promote_types')}({p[0].atom}.dtype, {p[1].atom}.dtype)", u)

    def _user_call(self, name: str, original: cst.Call) -> None:
        for position, argument in enumerate(original.args):
            key: int | str = position if argument.keyword is None else argument.keyword.value
            value = self.value(argument.value)
            if argument.star:
                continue
            self.learned.parameters[name, key] = join(self.learned.parameters.get((name, key)), value)
        self.values[original] = reconcile(self.learned.returns.get(name), self.fact(original))

    def _builtin_call(self, name: str, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        seen = self.fact(original)
        values = [self.value(a.value) for a in original.args]
        tensor = any(v.may_be_tensor for v in values)
        self.values[original] = from_fact(seen)
        if name in ("float", "int", "bool", "complex"):
            if tensor:
                self.pull(f"{name}()", original)
            self.values[original] = Value("number", name)
        elif name in ("abs", "pow", "min", "max", "round") and values and all(v.kind == "number" for v in values):
            self.values[original] = reconcile(Value("number", "float"), seen)
        elif name == "round" and tensor:
            self.pull("round()", original)
            args = [updated.args[0].with_changes(value=cst.parse_expression(f"{atom(updated.args[0].value)}.item()"))]
            self.values[original] = number(from_fact(seen).dtype)
            return updated.with_changes(args=[*args, *updated.args[1:]])
        elif name in ("min", "max", "range", "print") and tensor and self.compiled:
            self.pull(f"{name}()", original)
        elif name in ("max", "min") and tensor and len(values) > 1:
            self.values[original] = reconcile(Value("either", scalar=True, shape=()), seen)
        return updated

    # -- methods of arrays ---------------------------------------------------------------------------------------

    def _method_call(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        assert isinstance(original.func, cst.Attribute) and isinstance(updated.func, cst.Attribute)
        name, owner = original.func.attr.value, self.value(original.func.value)
        seen = self.fact(original)
        self.values[original] = from_fact(seen)
        if owner.kind == "number" and name in ("item", "astype", "conjugate", "conj", "copy"):
            if name == "astype":
                x = self.argument(original.func.value, updated.func.value)
                found = dtype_name(original.args[0].value)
                return self._to_dtype(found or "float64", [x], original, updated)
            self.values[original] = owner
            return updated.func.value if name in ("item", "conj", "copy") else updated
        if not (owner.may_be_tensor or (owner.kind == "unknown" and name in METHODS and name not in ("copy", "sort"))):
            return updated
        special = getattr(self, f"_method_{name}", None)
        receiver = self.argument(original.func.value, updated.func.value)
        if special is not None:
            return special(receiver, original, updated)
        path = METHODS.get(name)
        if path is None:
            self.fail(f"calls the array method `.{name}()`, for which torch has no counterpart that is known here")
        positional, keywords = self._bind(original, updated)
        entry = TABLE[path]
        parameters = METHOD_PARAMETERS.get(name)
        if name in ("transpose", "reshape") and len(positional) > 1:
            texts = ", ".join(a.code for a in positional)
            items = tuple(a.value for a in positional)
            joined = Argument(cst.parse_expression(f"({texts})"), Value("sequence", items=items), tuple(positional))
            self.loose.add(joined.node)
            positional = [joined]
            if name == "reshape":
                text = f"{receiver.atom}.reshape({texts})"
                return self._finish(self.parsed(text, updated), Written("", owner.dtype, view=True), original)
        return self._adapted(path, entry, [receiver, *positional], keywords, original, updated, parameters, True)

    def _method_astype(self, x: Argument, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        positional, keywords = self._bind(original, updated)
        asked = positional[0] if positional else keywords.get("dtype")
        if asked is None:
            self.fail("calls `.astype()` without a dtype")
        name = dtype_name(original.args[0].value) or dtype_name(asked.node)
        dtype = from_fact(self.fact(original)).dtype or name
        copied = ", copy=True" if self.stores and dtype == x.value.dtype else ""
        text = asked.code if name is None else self.typed(name)
        self.values[original] = reconcile(Value("tensor", dtype, x.value.shape), self.fact(original))
        return self.parsed(f"{x.atom}.to({text}{copied})", updated)

    def _method_fill(self, x: Argument, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        self.values[original] = OTHER
        return updated.with_changes(func=cst.parse_expression(f"{x.atom}.fill_"))

    def _method_sort(self, x: Argument, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        positional, keywords = self._bind(original, updated)
        dim = positional[0].code if positional else keywords["axis"].code if "axis" in keywords else None
        rest = "" if dim is None else f", dim={dim}"
        self.values[original] = OTHER
        return self.parsed(f"{x.atom}.copy_({self.spell('torch.sort')}({x.code}{rest}).values)", updated)

    def _method_flatten(self, x: Argument, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        if original.args:
            self.fail("flattens in another order than C, which torch cannot")
        text = f"{x.atom}.ravel().clone()" if self.stores else f"{x.atom}.flatten()"
        return self._finish(self.parsed(text, updated), Written("", x.value.dtype), original)

    def _method_item(self, x: Argument, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        self.pull(".item()", original)
        self.values[original] = from_fact(self.fact(original))
        if original.args:
            index_text = ", ".join(code(a.value) for a in updated.args)
            return self.parsed(f"{x.atom}[{index_text}].item()", updated)
        return updated

    def _method_tolist(self, x: Argument, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        self.pull(".tolist()", original)
        self.values[original] = from_fact(self.fact(original))
        return updated


def _paths(node: cst.BaseExpression, translator: Expressions) -> set[str]:
    finder = _Names()
    node.visit(finder)
    return {p for n in finder.found if (p := translator.module.names.get(n)) is not None}


def _item(base: Value, node: cst.Subscript) -> Value:
    """Returns the element of a tuple or list that a written-out index names."""
    if base.kind != "sequence" or len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return UNKNOWN
    place = literal(node.slice[0].slice.value)
    if isinstance(place, int) and -len(base.items) <= place < len(base.items):
        return base.items[place]
    kinds = {item.kind for item in base.items}
    return Value("number", base.items[0].dtype) if kinds == {"number"} else UNKNOWN


def _small(node: cst.Comparison, values: list[Value]) -> bool:
    """Tells whether a comparison of an integer tensor with a written-out float is exact in any dtype."""
    for child, value in zip((node.left, node.comparisons[0].comparator), values, strict=True):
        constant = literal(child)
        if value.kind == "number" and isinstance(constant, int | float) and float(constant).is_integer():
            return abs(constant) < 2**24 and all(category(v.dtype) in ("int", "float", "bool") for v in values)
    return False


class _Names(cst.CSTVisitor):
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


class _Called(cst.CSTTransformer):
    """Turns the attribute it is given into a call without arguments."""

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        return False

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        return cst.Call(updated_node.with_changes(lpar=(), rpar=()), lpar=updated_node.lpar, rpar=updated_node.rpar)
