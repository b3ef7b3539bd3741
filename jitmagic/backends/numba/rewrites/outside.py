"""Leaves calls that Numba does not know to NumPy and SciPy: a small function of the draft makes them with `objmode`.

```
@njit(error_model="numpy")
def fft(x):
    # Numba has no np.fft.fft: called in Python
    with objmode(out="complex128[::1]"):
        out = np.fft.fft(x)
    return out
```

The rest stays compiled, and loops around such a call too; the call itself takes NumPy's time. The types of the results
are those of the example: with others Numba raises a TypeError, and gives nothing wrong.
"""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst
import numpy as np

from jitmagic.analysis import memory
from jitmagic.analysis.words import MASKED, words
from jitmagic.backends.numba.generators import SAME_STREAM
from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.kinds import Kinds, argument_facts
from jitmagic.generate.walking import Finder
from jitmagic.gotchas.numba.support import ARRAY_METHODS, FUNCTIONS, METHODS, MISSING_UFUNCS
from jitmagic.observe.facts import Span, ValueFact

_LIBRARIES = ("numpy.", "scipy.", "math.")
_MISSING_MATH = words("cbrt comb dist exp2 factorial fsum isqrt lcm nextafter perm prod remainder sumprod ulp")
"""What Python's `math` has and Numba has not (0.68)."""
_PASSED = frozenset({"array", "scalar", "int", "float", "bool", "complex"})
_NUMBERS = {"int": "int64", "float": "float64", "bool": "boolean", "complex": "complex128"}
_EIGENVALUES = frozenset({"numpy.linalg.eig", "numpy.linalg.eigvals", "numpy.roots"})
_FREE = "xyzuvwabcdefgh"


class Outside(NumbaRewriter):
    """Rewrites the calls at the given places as calls of functions that run them in Python.

    Parameters
    ----------
    context : Context
    places : collection of Span
    """

    def __init__(self, context: Context, places: Collection[Span]) -> None:
        super().__init__(context)
        self._places = frozenset(places)
        self._kinds: list[Kinds] = []

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        place = self.context.place(original_node)
        if place is None or (place not in self._places and not self._turns_complex(original_node)):
            return updated_node
        made = self._outside(original_node, updated_node)
        if made is None:
            line = self.module.line(original_node)
            if (self.path(original_node.func) or "").startswith("numpy.ma."):
                told = MASKED.format(library="Numba")
                raise Unsupported(f"line {line} calls `{code(original_node.func)}`, {told}", line, "NB-NOFUNC")
            raise Unsupported(
                f"line {line}: Numba does not take `{code(original_node.func)}` with these arguments", line, "NB-NOFUNC"
            )
        return made

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        observed = self.module.observed
        entry = self.module.functions()[-1].name.value == node.name.value
        self._kinds.append(Kinds(self.module, node, argument_facts(observed, node) if entry else {}))

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._kinds.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    def _turns_complex(self, call: cst.Call) -> bool:
        """Says whether eigenvalues of a real matrix came out complex: Numba's raise there."""
        if self.path(call.func) not in _EIGENVALUES or not call.args:
            return False
        given, result = self.known(call.args[0].value), self.fact(call)
        parts = result.items if result is not None and result.kind == "tuple" else (result,)
        found = {np.dtype(one.dtype).kind for one in parts if one is not None and one.dtype is not None}
        return given is not None and given.dtype is not None and np.dtype(given.dtype).kind != "c" and "c" in found

    def known(self, node: cst.BaseExpression) -> ValueFact | None:
        """Returns what is known of an expression, of a name also what was seen of it elsewhere."""
        return self._kinds[-1].of(node) if self._kinds else self.fact(node)

    def _outside(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression | None:
        path = self.path(original.func)
        result = self.fact(original)
        # how many arrays a list holds, the call says; how many numbers, the arrays that it was given
        arrays = result is not None and result.kind == "list" and {i.kind for i in result.items} == {"array"}
        several = result is not None and (result.kind == "tuple" or arrays)
        results = result.items if result is not None and several else (result,)
        if result is not None and result.kind == "none":
            results = ()
        prints = path is None and isinstance(original.func, cst.Name) and original.func.value == "print"
        method = path is None and isinstance(original.func, cst.Attribute)
        if prints:
            results, path = (), "print"
        elif not method and (path is None or not path.startswith(_LIBRARIES)):
            return None
        keeps = (path or "").removeprefix("numpy.") in memory.VIEW_FUNCTIONS
        types = [_type(fact, keeps) for fact in results]
        if any(one is None for one in types) or any(a.star for a in updated.args):
            return None
        inputs = _Inputs(self, self._locals[-1] if self._locals else frozenset())
        func = updated.func
        if method:
            assert isinstance(original.func, cst.Attribute)
            assert isinstance(func, cst.Attribute)
            owner = self.fact(original.func.value)
            if owner is None or owner.kind not in ("array", "object"):
                return None
            func = func.with_changes(value=inputs.passed(original.func.value, func.value))
        arguments = []
        for old, new in zip(original.args, updated.args, strict=True):
            value = inputs.argument(old.value, new.value)
            if value is None:
                return None
            arguments.append(new.with_changes(value=value))
        call = code(updated.with_changes(func=func, args=arguments))
        label = "shown" if prints else code(original.func).rsplit(".", 1)[-1] + "_in_python"
        helper = self.context.helper(label, self._source(call, types, results, inputs, code(original.func), method))
        line = self.module.line(original)
        where = f"line {line}: " if line is not None else ""
        if not prints:
            text = f"{where}Numba has no form of `{code(original.func)}`, so that it is called in Python there"
            self.context.note(text)
        given = [cst.Arg(self.context.bare(value)) for value in inputs.values]
        return cst.Call(helper, given)

    def _source(
        self, call: str, types: list[str | None], results: tuple[ValueFact | None, ...], inputs: _Inputs, func: str,
        method: bool,
    ) -> str:  # fmt: skip
        taken = set(inputs.names)
        outs = ["out"] if len(types) == 1 else [f"out_{k}" for k in range(len(types))]
        outs = [name_tools.fresh(out, taken) for out in outs]
        objmode = self.context.imports.code("numba.objmode")
        annotations = ", ".join(f'{out}="{one}"' for out, one in zip(outs, types, strict=True))
        shown = f".{func.rsplit('.', 1)[-1]}" if method else func
        assigned = f"{', '.join(outs)} = " if outs else ""
        lines = [
            '@njit(error_model="numpy")',
            f"def {{name}}({', '.join(inputs.names)}):",
            f"    # Numba has no {shown} of this kind: called in Python",
            f"    with {objmode}({annotations}):",
            f"        {assigned}{call}",
        ]
        for out, one, fact in zip(outs, types, results, strict=True):
            if one is not None and one.endswith("::1]") and fact is not None and _may_be_strided(fact):
                lines.append(f"        {out} = {{np}}.ascontiguousarray({out})")
        if outs:
            lines.append(f"    return {', '.join(outs)}")
        return "\n" + "\n".join(lines) + "\n"


class _Inputs:
    """The parameters of a function that makes a call in Python, and what is passed for them."""

    def __init__(self, rewriter: Outside, local: frozenset[str]) -> None:
        self.rewriter, self.local = rewriter, local
        self.names: list[str] = []
        self.values: list[cst.BaseExpression] = []

    def argument(self, old: cst.BaseExpression, new: cst.BaseExpression) -> cst.BaseExpression | None:
        """Returns what stands for an argument in the function; None where its value cannot be handed over."""
        if isinstance(new, cst.FormattedString):
            formatted = _formatted(new)
            if formatted is None:
                return None
            new = formatted
        if not name_tools.loads(new) & self.local:
            return new  # a literal, a dtype, a global: stands there as it is
        if _is_passed(self.rewriter.fact(old)):
            return self.passed(old, new)
        finder = _Names(self.local)
        old.visit(finder)
        if not finder.found or not all(_is_passed(self.rewriter.known(node)) for node in finder.found):
            return None
        for node in finder.found:
            self.passed(node, node)
        return new

    def passed(self, old: cst.BaseExpression, new: cst.BaseExpression) -> cst.Name:
        """Adds a parameter."""
        if isinstance(old, cst.Name):
            if old.value not in self.names:
                self.names.append(old.value)
                self.values.append(new)
            return cst.Name(old.value)
        name = next(letter for letter in _FREE if letter not in self.names)
        self.names.append(name)
        self.values.append(new)
        return cst.Name(name)


def _formatted(node: cst.FormattedString) -> cst.BaseExpression | None:
    """Writes `f"{x:.3f}"` as `"{:.3f}".format(x)`: Numba reads no formats of numbers, even where Python runs them."""
    text, values = "", []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            text += part.value
            continue
        assert isinstance(part, cst.FormattedStringExpression)
        spec = part.format_spec or ()
        if part.equal is not None or not all(isinstance(one, cst.FormattedStringText) for one in spec):
            return None
        told = "".join(code(one) for one in spec)
        conversion = f"!{part.conversion}" if part.conversion else ""
        text += f"{{{conversion}{':' + told if told else ''}}}"
        values.append(code(part.expression))
    start = node.start.replace("f", "").replace("F", "")
    if not values:
        return cst.parse_expression(f"{start}{text}{node.end}")
    return cst.parse_expression(f"{start}{text}{node.end}.format({', '.join(values)})")


class _Names(Finder):
    def __init__(self, local: frozenset[str]) -> None:
        super().__init__()
        self.local = local
        self.found: list[cst.Name] = []
        self._skip: set[cst.CSTNode] = set()

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self._skip.add(node.attr)

    def visit_Arg(self, node: cst.Arg) -> None:
        if node.keyword is not None:
            self._skip.add(node.keyword)

    def visit_Name(self, node: cst.Name) -> None:
        if node not in self._skip and node.value in self.local:
            self.found.append(node)


def _is_passed(fact: ValueFact | None) -> bool:
    if fact is None:
        return False
    if fact.kind == "mixed":
        return bool(fact.items) and all(_is_passed(item) and item.kind != "array" for item in fact.items)
    if fact.kind == "tuple":
        return bool(fact.items) and all(item is not None and item.kind in _PASSED for item in fact.items)
    if fact.kind in ("array", "scalar"):
        return fact.dtype is not None and _dtype_name(fact.dtype) is not None
    return fact.kind in _PASSED or fact.kind == "object"


def _dtype_name(dtype: str) -> str | None:
    try:
        kind = np.dtype(dtype)
    except TypeError:
        return None
    if kind.kind not in "biufc" or kind.itemsize > 16 or kind.name in ("float16", "longdouble", "float128"):
        return None
    return "boolean" if kind.kind == "b" else kind.name


def _type(fact: ValueFact | None, view: bool) -> str | None:
    """Returns the type of a result as `objmode` wants it named."""
    if fact is None:
        return None
    if fact.kind == "mixed":
        # a Python number now, one of NumPy's then: Numba has one type for both
        found = {_type(item, view) for item in fact.items if item.kind != "array"}
        return found.pop() if len(found) == 1 and "array" not in fact.kinds else None
    if fact.kind in _NUMBERS:
        return _NUMBERS[fact.kind]
    name = _dtype_name(fact.dtype) if fact.dtype is not None else None
    if name is None or fact.kind not in ("array", "scalar"):
        return None
    if fact.kind == "scalar":
        return name
    if not fact.ndim:
        return None
    if view:
        return f"{name}[{', '.join([':'] * fact.ndim)}]"
    return f"{name}[{', '.join([*[':'] * (fact.ndim - 1), '::1'])}]"


def _may_be_strided(fact: ValueFact) -> bool:
    return (fact.ndim or 0) > 1 or fact.contiguous is not True


class Supported(NumbaRewriter):
    """Raises `Beyond` at calls of NumPy's that no rewrite has turned into something that Numba has."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if self.context.place(original_node) is None:
            return updated_node
        path = self.path(original_node.func)
        keywords = {a.keyword.value for a in original_node.args if a.keyword is not None}
        missing: str | None = None
        if path is None and isinstance(original_node.func, cst.Name) and original_node.func.value == "print":
            missing = "print" if keywords or any(_is_formatted(a.value) for a in original_node.args) else None
        elif path is not None and path.startswith("scipy."):
            missing = path
        elif path is not None and path.startswith("math."):
            missing = path if path.removeprefix("math.") in _MISSING_MATH else None
        elif path is not None and path.startswith("numpy.") and not path.startswith("numpy.random."):
            missing = _missing(path.removeprefix("numpy."), keywords, len(original_node.args))
        elif path is None and isinstance(original_node.func, cst.Attribute) and self.is_array(original_node.func.value):
            name = original_node.func.attr.value
            if name in ARRAY_METHODS and (name not in METHODS or keywords - set(METHODS[name].split())):
                missing = name
        elif path is None and isinstance(original_node.func, cst.Attribute) and self._is_generator(original_node):
            name = original_node.func.attr.value
            arrays = any(self.is_array(a.value) for a in original_node.args)
            if name not in SAME_STREAM or (arrays and name not in ("shuffle", "permutation")):
                missing = name
        if missing is not None:
            line = self.module.line(original_node)
            raise Unsupported(f"line {line}: Numba has no `{code(original_node.func)}` of this form", line, "NB-NOFUNC")
        return updated_node

    def _is_generator(self, call: cst.Call) -> bool:
        assert isinstance(call.func, cst.Attribute)
        fact = self.fact(call.func.value)
        return fact is not None and fact.kind == "object" and call.func.attr.value in memory.GENERATOR_METHODS


def _is_formatted(node: cst.BaseExpression) -> bool:
    """Says whether a text is formatted by what Numba lacks: a format of numbers, `%`, `.format`."""
    if isinstance(node, cst.FormattedString):
        return any(isinstance(part, cst.FormattedStringExpression) for part in node.parts)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
        return isinstance(node.left, cst.SimpleString)
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "format"


def _missing(name: str, keywords: set[str], count: int) -> str | None:
    """Returns the name of a NumPy function that Numba lacks, or lacks a keyword of; None where it has it."""
    value: object = np
    for part in name.split("."):
        value = getattr(value, part, None)
    if isinstance(value, np.ufunc):
        return name if name in MISSING_UFUNCS or keywords or count > value.nin else None
    if isinstance(value, type) or value is None:
        return None  # a dtype, or something that only the user's NumPy has
    known = FUNCTIONS.get(name)
    if known is None:
        return name
    many = known != "args" and count > len(known.split())
    return name if many or keywords - set(known.split()) else None
