"""Calls in CuPy's own form: its parameters, arrays where NumPy takes lists, draws that stay NumPy's.

What CuPy has, and what its parameters are called, is in api.py; a call that cannot be written so is refused with its
line.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

import libcst as cst
import numpy as np

from jitmagic.analysis.memory import GENERATOR_METHODS
from jitmagic.analysis.words import words
from jitmagic.backends.cupy import api
from jitmagic.backends.cupy.elements import atom, kinds_of, method
from jitmagic.capture.workload import Workload
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.bindings import Bindings
from jitmagic.generate.blocks import code
from jitmagic.generate.imports import Imports
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter
from jitmagic.observe.facts import Observation, ValueFact

NUMBERS = ("float", "int", "bool", "complex")
_ARRAYS = words("a x x1 x2 b m arr y v p condition ary xp fp f ar ar1 ar2 element test_elements weights A values array")
"""Parameters of NumPy's functions that take a list for an array, which CuPy's do not."""
_SIZES = words(
    "shape num N M n k reps repeats newshape new_shape dims minlength shift offset axis axes axis1 axis2 deg "
    "dimensions decimals bins kth"
)
"""Parameters that are numbers of the host: lengths, counts, axes."""
_JOINS = words("concatenate concat stack vstack hstack dstack column_stack row_stack")
_MAKES = words("array asarray asanyarray ascontiguousarray")
_REDUCTIONS = {
    "maximum.reduce": "max", "minimum.reduce": "min", "logical_and.reduce": "all", "logical_or.reduce": "any"
}  # fmt: skip
_UFUNC_METHODS = {
    "reduce": words("add multiply"),
    "accumulate": words("add multiply"),
    "reduceat": words("add"),
    "at": words("add subtract maximum minimum bitwise_and bitwise_or bitwise_xor"),
}
"""Methods that CuPy has for some ufuncs only (docs.cupy.dev, "Universal functions"); ``outer`` it has for all."""

HELPERS = {
    "packed": '''
def packed(values, dtype=None):
    """Nested lists of numbers and arrays as one array, as numpy.array."""
    if isinstance(values, (list, tuple)):
        parts = [packed(value, dtype) for value in values]
        return cp.stack(parts) if parts else cp.empty(0, dtype)
    return cp.asarray(values, dtype)
''',
    "running": '''
def running(extreme, x):
    """Running maximum or minimum of a vector, by doubling: cupy.maximum has no accumulate."""
    x, step = x.copy(), 1
    while step < len(x):
        x[step:] = extreme(x[step:], x[:-step])
        step *= 2
    return x
''',
}
"""Small functions that CuPy lacks, written above the user's; ``cp`` is spelled by the module's imports."""


def on_host(facts: list[ValueFact | None]) -> bool:
    """Tells whether values are numbers of Python, or lists of them, each time."""
    return all(_plain(fact) for fact in facts)


def _plain(fact: ValueFact | None) -> bool:
    if fact is None:
        return False
    if fact.kind in ("list", "tuple"):
        return bool(fact.items) and on_host(list(fact.items))
    return fact.kind in NUMBERS or fact.kind in ("str", "none")


class Calls(FunctionRewriter[Kinds]):
    """Rewrites calls; the names of the functions are replaced afterwards, by the imports.

    Attributes
    ----------
    helpers : dict of str to str
        Which of :data:`HELPERS` were used, to the names they got.
    draws : int
        How many calls that draw random numbers were kept.
    """

    def __init__(self, module: Module, workload: Workload, observed: Observation, imports: Imports) -> None:
        super().__init__(module, kinds_of(module, workload, observed))
        self.imports = imports
        self.helpers: dict[str, str] = {}
        self.draws = 0
        self.taken = set(name_tools.all_names(module.tree)) | set(workload.needs)
        self.statements: set[cst.CSTNode] = set()
        self.values: list[dict[str, list[cst.BaseExpression]]] = []

    # -- what is known -----------------------------------------------------------------------------------------------

    def known(self, node: cst.CSTNode) -> ValueFact | None:
        """Returns what is known of an original expression."""
        found = self.stack[-1].of(node) if self.stack else None
        if found is None and isinstance(node, cst.List | cst.Tuple):
            items = [self.known(e.value) for e in node.elements]
            return ValueFact("list", items=tuple(item if item is not None else ValueFact("mixed") for item in items))
        return found

    def _kind(self, node: cst.CSTNode) -> str | None:
        fact = self.known(node)
        return None if fact is None else fact.kind

    def _cupy(self, name: str) -> str:
        return self.imports.code(f"cupy.{name}")

    def _fail(self, node: cst.CSTNode, why: str, tag: str = "CP-NOFUNC") -> NoReturn:
        line = self.module.line(node)
        raise Unsupported(f"line {line}: {why}", line, tag)

    # -- lists ------------------------------------------------------------------------------------------------------

    def _array(self, original: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression:
        """Makes an array of a list or tuple; anything else stays."""
        fact = self.known(original)
        if fact is None or fact.kind not in ("list", "tuple"):
            return updated
        return cst.parse_expression(self._packed(fact, code_of(updated), ""))

    def _packed(self, fact: ValueFact, text: str, rest: str) -> str:
        kinds = {leaf.kind for leaf in _leaves(fact)}
        if kinds <= {*NUMBERS} or kinds == {"array"}:
            return f"{self._cupy('array')}({text}{rest})"
        return f"{self._helper('packed')}({text}{rest})"

    def _helper(self, name: str) -> str:
        if name not in self.helpers:
            self.helpers[name] = name_tools.fresh(name, self.taken)
            self._cupy("asarray")
        return self.helpers[name]

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        for target in original_node.targets:
            if isinstance(target.target, cst.Subscript) and self._kind(target.target.value) == "array":
                return updated_node.with_changes(value=self._array(original_node.value, updated_node.value))
        return updated_node

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BinaryOperation:
        left, right = self._kind(original_node.left), self._kind(original_node.right)
        if left in ("array", "scalar") and right in ("list", "tuple"):
            return updated_node.with_changes(right=self._array(original_node.right, updated_node.right))
        repeats = isinstance(original_node.operator, cst.Multiply) and right == "scalar"
        if right in ("array", "scalar") and left in ("list", "tuple") and not repeats:
            return updated_node.with_changes(left=self._array(original_node.left, updated_node.left))
        return updated_node

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.Comparison:
        """Compares NumPy's scalars as numbers: one on the left would ask CuPy's array as if it were NumPy's."""
        left = updated_node.left
        others = [self._kind(one.comparator) for one in original_node.comparisons]
        if self._is_host_scalar(original_node.left) and {"array", "scalar", None} & set(others):
            return updated_node.with_changes(left=method(left, "item"))
        return updated_node

    def _is_host_scalar(self, node: cst.BaseExpression) -> bool:
        """Says whether NumPy computes a scalar of numbers of the host: a call that stays, or a name for such calls."""
        if isinstance(node, cst.Call):
            path = self.stack[-1].path(node.func) if self.stack else None
            facts = [self.known(argument.value) for argument in node.args]
            plain = path is not None and path.startswith("numpy.") and self._kind(node) == "scalar"
            return plain and self._stays(node, facts)
        if isinstance(node, cst.Name) and self.values:
            values = self.values[-1].get(node.value, [])
            return bool(values) and all(isinstance(one, cst.Call) and self._is_host_scalar(one) for one in values)
        return False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        bindings = Bindings(node)
        known = {name: values for name, values in bindings.values.items() if name not in bindings.unknown}
        self.values.append({name: values for name, values in known.items() if name not in bindings.ranges})

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self.values.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    # -- calls ------------------------------------------------------------------------------------------------------

    def visit_Expr(self, node: cst.Expr) -> None:
        self.statements.add(node.value)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if not self.stack:
            return updated_node
        path = self.stack[-1].path(original_node.func)
        if path is not None and path.startswith("random."):
            self.draws += 1
        if (path is not None and path.startswith("numpy.random.")) or (path is None and self._draws(original_node)):
            return self._drawn(original_node, updated_node)
        if path is not None and path.startswith("numpy."):
            return self._function(path.removeprefix("numpy."), original_node, updated_node)
        if path is not None and path.startswith("scipy."):
            pairs = zip(original_node.args, updated_node.args, strict=True)
            return updated_node.with_changes(
                args=[new.with_changes(value=self._array(old.value, new.value)) for old, new in pairs]
            )
        if path is None and isinstance(original_node.func, cst.Attribute):
            return self._method(original_node, updated_node)
        return updated_node

    def _function(self, name: str, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        facts = [self.known(argument.value) for argument in original.args]
        if any(argument.star for argument in original.args):
            return updated
        kind = getattr(np, name, None)
        if isinstance(kind, type) and issubclass(kind, np.generic):
            return self._converted(original, updated, facts)
        if name in api.LACKING:
            return self._lacking(name, original, updated, facts)
        if self._stays(original, facts):
            return updated
        ufunc, _, method = name.partition(".")
        if method and isinstance(getattr(np, ufunc, None), np.ufunc):
            return self._ufunc_method(name, original, updated)
        if name == "vectorize":
            self._fail(original, "CuPy compiles what `vectorize` is given, and takes few functions: use `where`")
        if name == "fromiter" and updated.args:
            source = code(updated.args[0].value).strip()
            inner = source[1:-1] if source.startswith("(") and source.endswith(")") else f"*{source}"
            rest = "".join(f", {code(argument.value)}" for argument in updated.args[1:2])
            return cst.parse_expression(f"{self._helper('packed')}([{inner}]{rest})")
        parameters = api.FUNCTIONS.get(name)
        result = self.known(original)
        arrays = result is not None and bool(result.items) and all(item.kind == "array" for item in result.items)
        if parameters is None and on_host(facts) and arrays:
            # nodes and weights of a quadrature: NumPy makes them of numbers
            self.module.inherit(updated, original)
            moved = cst.Call(cst.Name("map"), [cst.Arg(cst.parse_expression(self._cupy("asarray"))), cst.Arg(updated)])
            return cst.Call(cst.Name("tuple"), [cst.Arg(moved)])
        if parameters is None:
            return updated  # a constant, a class, or what the imports will refuse
        if name in _MAKES and facts and facts[0] is not None and facts[0].kind in ("list", "tuple"):
            return self._made(name, original, updated, facts[0])
        if name in _JOINS:
            updated = self._joined(original, updated)
        if parameters.startswith("*ufunc"):
            return self._elementwise(name, original, updated)
        return self._bound(name, parameters, original, updated)

    def _stays(self, original: cst.Call, facts: list[ValueFact | None]) -> bool:
        result = self.known(original)
        return result is not None and result.kind in ("scalar", *NUMBERS) and on_host(facts)

    def _converted(self, original: cst.Call, updated: cst.Call, facts: list[ValueFact | None]) -> cst.BaseExpression:
        """Writes ``np.float32(x)`` of an array or an element as a cast: NumPy's types take nothing from a GPU."""
        if len(facts) != 1 or facts[0] is None or facts[0].kind not in ("array", "scalar"):
            return updated
        return cst.parse_expression(f"{atom(updated.args[0].value)}.astype({code(updated.func)})")

    def _lacking(
        self, name: str, original: cst.Call, updated: cst.Call, facts: list[ValueFact | None]
    ) -> cst.BaseExpression:
        result = self.known(original)
        if on_host(facts) and result is not None and result.kind == "array":
            return cst.parse_expression(f"{self._cupy('asarray')}({code(updated)})")
        found = self._composed(name, original, updated)
        if found is not None:
            return found
        if name == "insert" and len(facts) == 3 and all(argument.keyword is None for argument in original.args):
            array, place, value = facts
            vector = array is not None and array.kind == "array" and array.ndim == 1
            if vector and place is not None and place.kind == "int" and value is not None and value.kind in NUMBERS:
                x, k, v = (code_of(argument.value) for argument in updated.args)
                x = atom(updated.args[0].value)
                new = f"{self._cupy('array')}([{v}], {x}.dtype)"
                parts = f"({new}, {x})" if k == "0" else f"({x}[:{k}], {new}, {x}[{k}:])"
                return cst.parse_expression(f"{self._cupy('concatenate')}({parts})")
        return updated  # the imports refuse it

    def _composed(self, name: str, original: cst.Call, updated: cst.Call) -> cst.BaseExpression | None:
        """Writes what CuPy lacks by what it has, None where that is not known."""
        if not updated.args or any(argument.keyword is not None for argument in original.args):
            return None
        old, new = original.args[0].value, updated.args[0].value
        if name == "ndenumerate" and len(updated.args) == 1:
            x = atom(new)
            return cst.parse_expression(f"((i, {x}[i]) for i in {self._cupy('ndindex')}({x}.shape))")
        if name == "linalg.multi_dot" and isinstance(new, cst.List | cst.Tuple) and len(new.elements) > 1:
            return cst.parse_expression(f"({' @ '.join(atom(e.value) for e in new.elements)})")
        if name in ("nanpercentile", "nanquantile") and len(updated.args) == 2:
            x = atom(new)
            function = self._cupy(name.removeprefix("nan"))
            return cst.parse_expression(f"{function}({x}[~{self._cupy('isnan')}({x})], {code(updated.args[1].value)})")
        if name == "block" and isinstance(old, cst.List) and isinstance(new, cst.List) and len(updated.args) == 1:
            rows = [e.value for e in old.elements]
            if all(isinstance(row, cst.List) for row in rows) and all(
                (fact := self.known(e.value)) is not None and fact.kind == "array" and fact.ndim == 2
                for row in rows if isinstance(row, cst.List) for e in row.elements
            ):  # fmt: skip
                join = self._cupy("concatenate")
                texts = ", ".join(f"{join}({code(e.value)}, axis=1)" for e in new.elements)
                return cst.parse_expression(f"{join}([{texts}])")
        return None

    def _ufunc_method(self, name: str, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        ufunc, _, method = name.partition(".")
        first = self.known(original.args[0].value) if original.args else None
        plain = len(original.args) == 1 or (len(original.args) == 2 and _is_keyword(original.args[1], "axis"))
        if name in _REDUCTIONS and plain:
            axis = code(updated.args[1].value) if len(updated.args) == 2 else "0"
            return cst.parse_expression(f"{self._cupy(_REDUCTIONS[name])}({code(updated.args[0].value)}, axis={axis})")
        vector = len(original.args) == 1 and first is not None and first.ndim == 1
        if name in ("maximum.accumulate", "minimum.accumulate") and vector:
            text = f"{self._cupy(ufunc)}, {code(updated.args[0].value)}"
            return cst.parse_expression(f"{self._helper('running')}({text})")
        if method != "outer" and ufunc not in _UFUNC_METHODS.get(method, frozenset()):
            self._fail(original, f"CuPy has no `{name}`", "CP-UFMETH")
        # the indices of `at` may be a tuple, one for an axis
        return self._with_arrays(original, updated, (0, 2) if method == "at" else range(len(original.args)))

    def _with_arrays(self, original: cst.Call, updated: cst.Call, places: Iterable[int]) -> cst.Call:
        args = list(updated.args)
        for place in places:
            if place < len(args):
                old, new = original.args[place], args[place]
                args[place] = new.with_changes(value=self._array(old.value, new.value))
        return updated.with_changes(args=args)

    def _made(self, name: str, original: cst.Call, updated: cst.Call, fact: ValueFact) -> cst.BaseExpression:
        """Writes ``np.array`` of a list: CuPy takes lists of numbers or lists of arrays, not of both."""
        kinds = {leaf.kind for leaf in _leaves(fact)}
        first = updated.args[0].value
        if isinstance(original.args[0].value, cst.ListComp | cst.GeneratorExp) and not fact.items:
            return updated
        if kinds <= {*NUMBERS} or kinds == {"array"}:
            return self._bound(name, api.FUNCTIONS[name], original, updated)
        dtype = next((a for a in updated.args[1:] if a.keyword is None or a.keyword.value == "dtype"), None)
        if len(updated.args) > (1 if dtype is None else 2):
            self._fail(original, f"`np.{name}` of a list with array elements takes a dtype alone here")
        rest = "" if dtype is None else f", {code(dtype.value)}"
        return cst.parse_expression(f"{self._helper('packed')}({code_of(first)}{rest})")

    def _joined(self, original: cst.Call, updated: cst.Call) -> cst.Call:
        """Makes arrays of the lists and numbers among what is joined."""
        if not original.args:
            return updated
        old, new = original.args[0].value, updated.args[0].value
        if not isinstance(old, cst.Tuple | cst.List) or not isinstance(new, cst.Tuple | cst.List):
            fact = self.known(old)
            if fact is not None and fact.kind in ("list", "tuple") and any(i.kind != "array" for i in fact.items):
                if all(item.kind in ("array", "scalar") or _holds_numbers(item) for item in fact.items):
                    text = f"[{self._cupy('asarray')}(part) for part in {code(new)}]"
                    first = updated.args[0].with_changes(value=cst.parse_expression(text))
                    return updated.with_changes(args=[first, *updated.args[1:]])
                self._fail(original, f"joins `{code(old)}`, a list in which not every element is an array", "CP-NPMIX")
            return updated
        elements = []
        for one, two in zip(old.elements, new.elements, strict=True):
            fact = self.known(one.value)
            if isinstance(one, cst.StarredElement) or fact is None or fact.kind == "array":
                elements.append(two)
            elif fact.kind in ("list", "tuple"):
                elements.append(two.with_changes(value=self._array(one.value, two.value)))
            else:
                made = cst.parse_expression(f"{self._cupy('asarray')}({code(two.value)})")
                elements.append(two.with_changes(value=made))
        first = updated.args[0].with_changes(value=new.with_changes(elements=elements))
        return updated.with_changes(args=[first, *updated.args[1:]])

    def _elementwise(self, name: str, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        for argument in original.args:
            word = argument.keyword.value if argument.keyword is not None else None
            if word is not None and word not in api.UFUNC_OPTIONS:
                self._fail(original, f"CuPy's `{name}` takes no `{word}=`")
        inputs = [place for place, argument in enumerate(original.args) if argument.keyword is None]
        return self._with_arrays(original, updated, range(len(inputs)))

    def _bound(self, name: str, parameters: str, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Passes each argument as CuPy's parameter of that name, or of that place where the names differ."""
        named = parameters.split()
        positional = [word for word in named if word[0] not in ".*"]
        names = {word.lstrip(".") for word in named}
        theirs, defaults = _signature(name)
        if "*" in named or not theirs:
            return updated
        args: list[cst.Arg] = []
        for place, (old, new) in enumerate(zip(original.args, updated.args, strict=True)):
            word = old.keyword.value if old.keyword is not None else theirs[place] if place < len(theirs) else ""
            new = new.with_changes(value=self._argument(name, word, old.value, new.value))
            if name in ("sort", "argsort") and word in ("kind", "stable"):
                continue  # CuPy's sort is stable, and knows no other
            passes = old.keyword is not None and "**" in named and word not in theirs[: len(positional)]
            in_place = old.keyword is None and place < len(positional)
            if passes or (in_place and (positional[place] == word or word not in names)):
                args.append(new)
            elif word in names:
                args.append(_keyword(new, word))
            elif (renamed := _renamed(word, theirs, positional)) is not None:
                args.append(_keyword(new, renamed))
            elif not _is_default(old.value, defaults.get(word)):
                self._fail(original, f"CuPy's `{name}` takes no `{word}=`")
        if args:
            args[-1] = args[-1].with_changes(comma=updated.args[-1].comma)
        return updated.with_changes(args=args)

    def _argument(self, name: str, word: str, original: Any, updated: Any) -> Any:
        """Gives an argument the form that CuPy's parameter wants: an array, or a number of the host."""
        if word in _ARRAYS:
            return self._array(original, updated)
        if name == "arange" and word not in ("dtype", "like") and self._kind(original) == "scalar":
            return method(updated, "item")
        return self._size(original, updated) if word in _SIZES else updated

    def _size(self, original: Any, updated: Any) -> Any:
        """Writes ``int(…)`` around a scalar, or those in a tuple, that is a length, a count or an axis."""
        if isinstance(original, cst.Tuple | cst.List) and isinstance(updated, cst.Tuple | cst.List):
            pairs = zip(original.elements, updated.elements, strict=True)
            elements = [new.with_changes(value=self._size(old.value, new.value)) for old, new in pairs]
            return updated.with_changes(elements=elements)
        fact = self.known(original)
        whole = fact is not None and fact.kind == "scalar" and (fact.dtype or "").startswith(("int", "uint"))
        return cst.Call(cst.Name("int"), [cst.Arg(updated)]) if whole else updated

    def _method(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        assert isinstance(original.func, cst.Attribute)
        assert isinstance(updated.func, cst.Attribute)
        fact = self.known(original.func.value)
        if fact is None or fact.kind not in ("array", "scalar"):
            return updated
        name = original.func.attr.value
        args: list[cst.Arg] = []
        parameters = api.METHODS.get(name)
        if parameters is None:
            self._fail(original, f"CuPy's arrays have no `.{name}()`")
        named = parameters.split()
        if name == "item" and original.args:
            index = ", ".join(code(argument.value) for argument in updated.args)
            return cst.parse_expression(f"{atom(updated.func.value)}[{index}].item()")
        for old, new in zip(original.args, updated.args, strict=True):
            word = old.keyword.value if old.keyword is not None else None
            if name in ("sort", "argsort") and word in ("kind", "stable"):
                continue
            if word is not None and word not in (*named, "order", "copy"):
                self._fail(original, f"CuPy's `.{name}()` takes no `{word}=`")
            if name in ("dot", "searchsorted") and word is None and not args:
                new = new.with_changes(value=self._array(old.value, new.value))
            elif name in ("reshape", "repeat", "round", "swapaxes", "sum", "mean", "max", "min"):
                new = new.with_changes(value=self._size(old.value, new.value))
            args.append(new)
        if "*" not in named and len(args) > len(named):
            self._fail(original, f"CuPy's `.{name}()` takes at most {len(named)} arguments")
        if args:
            args[-1] = args[-1].with_changes(comma=updated.args[-1].comma)
        return updated.with_changes(args=args)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if not self.stack or self._kind(original_node.value) != "array":
            return updated_node
        name = original_node.attr.value
        if name not in api.ATTRIBUTES and name not in api.METHODS:
            self._fail(original_node, f"CuPy's arrays have no `.{name}`")
        return updated_node

    # -- draws ------------------------------------------------------------------------------------------------------

    def _draws(self, node: cst.Call) -> bool:
        if not isinstance(node.func, cst.Attribute) or node.func.attr.value not in GENERATOR_METHODS | {"shuffle"}:
            return False
        return self._kind(node.func.value) == "object"

    def _drawn(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Lets NumPy draw, from its own stream, and moves what it drew to the GPU."""
        self.draws += 1
        name = original.func.attr.value if isinstance(original.func, cst.Attribute) else ""
        fact = self.known(original)
        if name == "shuffle":
            return self._shuffled(original, updated)
        args = []
        for old, new in zip(original.args, updated.args, strict=True):
            seen = self.known(old.value)
            if seen is not None and seen.kind == "array":
                new = new.with_changes(value=cst.parse_expression(f"{self._cupy('asnumpy')}({code(new.value)})"))
            elif seen is not None and seen.kind == "scalar":
                new = new.with_changes(value=cst.parse_expression(f"{atom(new.value)}.item()"))
            elif seen is not None and any(leaf.kind in ("array", "scalar") for leaf in _leaves(seen)):
                self._fail(original, "draws by a list with array elements: draw outside and pass the numbers", "CP-RNG")
            args.append(new)
        updated = updated.with_changes(args=args)
        if fact is None and original not in self.statements:
            self._fail(original, "draws random numbers where it was not seen what they are: pass them", "CP-RNG")
        if fact is not None and fact.kind == "array":
            return cst.parse_expression(f"{self._cupy('asarray')}({code(updated)})")
        return updated

    def _shuffled(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Writes ``rng.shuffle(x)`` of a vector as a permutation, which draws alike."""
        fact = self.known(original.args[0].value) if len(original.args) == 1 else None
        if fact is not None and fact.kind == "list":
            return updated
        owner = updated.func.value if isinstance(updated.func, cst.Attribute) else None
        if fact is None or fact.kind != "array" or fact.ndim != 1 or owner is None:
            self._fail(original, "shuffles other than a vector: take a permutation and index by it", "CP-RNG")
        x = atom(updated.args[0].value)
        drawn = f"{code(owner)}.permutation({self._cupy('asnumpy')}({x}))"
        return cst.parse_expression(f"{self._cupy('copyto')}({x}, {self._cupy('asarray')}({drawn}))")


def code_of(node: cst.BaseExpression) -> str:
    """Returns an expression's text, a tuple always in parentheses."""
    text = code(node)
    return f"({text})" if isinstance(node, cst.Tuple) and not node.lpar else text


def _leaves(fact: ValueFact) -> Iterator[ValueFact]:
    if fact.kind in ("list", "tuple"):
        for item in fact.items:
            yield from _leaves(item)
    else:
        yield fact


def _holds_numbers(fact: ValueFact) -> bool:
    return all(leaf.kind in NUMBERS for leaf in _leaves(fact))


def _signature(name: str) -> tuple[list[str], dict[str, Any]]:
    """Returns NumPy's parameters in their order and what they default to."""
    function: Any = np
    for word in name.split("."):
        function = getattr(function, word)
    try:
        found = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return [], {}
    return list(found), {key: one.default for key, one in found.items() if one.default is not one.empty}


def _renamed(word: str, theirs: list[str], positional: list[str]) -> str | None:
    """Returns what CuPy calls the parameter at the place of one of NumPy's, where NumPy has no such name."""
    place = theirs.index(word) if word in theirs else len(positional)
    return positional[place] if place < len(positional) and positional[place] not in theirs else None


def _keyword(argument: cst.Arg, name: str) -> cst.Arg:
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return argument.with_changes(keyword=cst.Name(name), equal=equal)


def _is_keyword(argument: cst.Arg, name: str) -> bool:
    return argument.keyword is not None and argument.keyword.value == name


def _is_default(node: cst.BaseExpression, default: Any) -> bool:
    import ast

    try:
        return bool(ast.literal_eval(code(node)) == default)
    except (ValueError, SyntaxError):
        return False
