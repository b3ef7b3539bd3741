"""Follows a function into everything that it reads from outside: modules, library functions, helpers, values.

Names are resolved on live objects, in each function's own globals and closure. All that is found has to fit into one
module, so that a name may stand for one thing only.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import re
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jitmagic.capture.binding import Binding, Unit, told
from jitmagic.capture.decorators import compiled_function, is_compiled, is_prange, unwrap
from jitmagic.capture.definitions import Definition, Edit, edited, segment, span
from jitmagic.capture.imports import lift
from jitmagic.capture.library import is_builtin, is_library_function, is_library_module, public_path
from jitmagic.capture.literal import identical, literal, needs_numpy
from jitmagic.capture.resolve import defaults, dotted_value, resolve
from jitmagic.capture.scope import chains, expression_reads, line_of, parameters, scope
from jitmagic.capture.source import find_definition, replaced, same_code
from jitmagic.capture.values import check_constant
from jitmagic.capture.workload import SourceFunction
from jitmagic.errors import CaptureError

ANNOTATION_ROOTS = frozenset({"numpy", "builtins", "typing", "collections", "types"})
"""Annotations from other packages are quoted: a variant should not import a package for the sake of a type's name."""

FORBIDDEN = {
    "eval": "runs text as code, which cannot be followed",
    "exec": "runs text as code, which cannot be followed",
    "globals": "reads or writes names that cannot be followed",
    "__import__": "imports by a name known only when it runs",
    "input": "waits for the keyboard",
    "breakpoint": "waits for the keyboard",
}


class Follower:
    """Gathers the units, bindings and notes of one capture."""

    def __init__(self, sources: Mapping[str, SourceFunction], lambdas: Mapping[int, Definition]) -> None:
        self.sources = sources
        self.lambdas = lambdas
        self.units: dict[int, Unit] = {}
        self.order: list[Unit] = []
        self.bindings: dict[str, Binding] = {}
        self.submodules: set[str] = set()
        self.notes: list[str] = []
        self.file: str | None = None
        self.parameters: frozenset[str] = frozenset()

    def add(
        self,
        value: Any,
        name: str,
        line: int | None = None,
        *,
        keep_name: bool = False,
        fixed: Mapping[str, Any] | None = None,
        optional: Collection[str] = (),
    ) -> Unit:
        """Adds a user function and all that it reads; returns the unit that stands for it.

        Parameters
        ----------
        value : object
            The live function, perhaps in the wrapper of a known compiler.
        name : str
            The name under which it is used.
        line : int, optional
            The user's line that uses it.
        keep_name : bool
            Whether the function keeps the name of its ``def`` where it is used under another one.
        fixed : mapping of str to object, optional
            Parameters to take out of the signature, and what they stand for.
        optional : collection of str
            Those of them that may stay where they cannot be taken out.
        """
        # A parameter's name says nothing of the function that was passed for it.
        known = self.sources.get(name) if name not in self.parameters else None
        decorators = known.decorators if isinstance(known, Definition) else ()
        function, compilers = unwrap(value, name, decorators[0].line if decorators else line)
        unit = self.units.get(id(function))
        if unit is not None:
            if name != unit.name and name not in unit.aliases:
                unit.aliases.append(name)
            return unit
        definition = self.lambdas.get(id(function))
        _refuse_method(function, name, line)
        if definition is None:
            if decorators and isinstance(known, Definition):
                _check_replaced(function, known)
            definition = find_definition(function, name, self.sources, line)
        if self.file is None:
            self.file = function.__code__.co_filename
        unit = Unit(function, definition, definition.name if keep_name else name, definition.source, definition.lines)
        self.units[id(function)] = unit
        self._note_decorators(unit, compilers)
        self._refuse_kinds(unit)
        if fixed:
            fixed = self._take_out(unit, fixed, optional)
            self.parameters = frozenset(fixed)
        self._bind(unit.name, Binding("helper", function, unit=unit, owner=unit.name), None)
        self._read(unit, fixed or {})
        self.order.append(unit)
        return unit

    def user_line(self, unit: Unit, line: int | None) -> int | None:
        """Translates a line of a unit's source into the user's line; None in another file than the function's."""
        if line is None or unit.function.__code__.co_filename != self.file:
            return None
        return unit.lines[line - 1]

    def place(self, unit: Unit, line: int | None) -> str:
        """Describes a line of a unit in words."""
        number = unit.lines[line - 1] if line is not None else unit.definition.first_line
        if unit.function.__code__.co_filename == self.file:
            return f"line {number}"
        return f"in `{unit.definition.name}`, {unit.function.__code__.co_filename} line {number}"

    def _note_decorators(self, unit: Unit, compilers: Sequence[str]) -> None:
        definition = unit.definition
        for decorator in definition.decorators:
            self.notes.append(f"the decorator @{decorator.text} of `{definition.name}` was taken off")
        if compilers and not definition.decorators:
            self.notes.append(f"`{unit.name}` is compiled by {compilers[0]}: the Python function inside was taken")

    def _refuse_kinds(self, unit: Unit) -> None:
        function = unit.function
        node = _node(unit)
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            self._refuse(unit, None, "it is `async`; write it as a plain function")
        if inspect.isgeneratorfunction(function):
            lines = [each.lineno for each in ast.walk(node) if isinstance(each, ast.Yield | ast.YieldFrom)]
            line = min(lines, default=1)
            self._refuse(unit, line, "it is a generator (`yield`); fill an array and return it")
        for each in ast.walk(node):
            outer = set(getattr(each, "names", ())) & set(function.__code__.co_freevars)
            if isinstance(each, ast.Nonlocal) and outer:
                name = sorted(outer)[0]
                self._refuse(
                    unit,
                    each.lineno,
                    f"`nonlocal {name}` changes a variable of the function around it; take "
                    f"`{name}` as an argument and return its new value",
                )
        if getattr(node, "type_params", None):
            self._refuse(unit, None, "it has type parameters, `def f[T](…)`; take them off")

    def _refuse(self, unit: Unit, line: int | None, reason: str) -> None:
        raise CaptureError(
            f"`{unit.definition.name}` ({self.place(unit, line)}) cannot be captured: {reason}.",
            self.user_line(unit, line if line is not None else 1),
        )

    def _take_out(self, unit: Unit, fixed: Mapping[str, Any], optional: Collection[str]) -> Mapping[str, Any]:
        """Takes parameters that stand for functions out of the signature; their names become names of the module.

        Returns those that were taken out.
        """
        from jitmagic.capture.signature import without_parameters

        node = _node(unit)
        assigned = {
            each.id: each.lineno
            for each in ast.walk(node)
            if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)
        }
        calls_itself = unit.name in scope(node).reads
        fixed = {
            name: value
            for name, value in fixed.items()
            if name not in optional or not (calls_itself or name in assigned)
        }
        for name in fixed:
            if name in assigned:
                self._refuse(
                    unit,
                    assigned[name],
                    f"the argument `{name}` is a function, and this line binds `{name}` anew; use another name",
                )
        if calls_itself and fixed:
            line = line_of(node, unit.name)
            self._refuse(
                unit,
                line,
                f"it takes the function `{next(iter(fixed))}` as an argument and calls itself; "
                "call the function by its own name instead of passing it",
            )
        unit.source, unit.lines = without_parameters(unit.source, unit.lines, tuple(fixed))
        return fixed

    def _read(self, unit: Unit, fixed: Mapping[str, Any]) -> None:
        """Rewrites a unit's signature where it has to be, and binds the names that it reads."""
        fixed = {**fixed, **self._lift_imports(unit)}
        node = _node(unit)
        unit.scope = scope(node)
        edits: list[Edit] = []
        skipped: set[int] = set()
        reads = list(unit.scope.reads)
        for expression, reason in self._signature_edits(unit, node, fixed):
            if reason is None:
                reads.extend(expression_reads(expression))
            else:
                edits.append(Edit(*span(expression), reason))
                skipped.add(id(expression))
        if unit.name != node.name:
            match = re.match(r"\s*(async\s+)?def\s+", unit.source)
            assert match is not None
            start = len(match.group().encode())
            edits.append(Edit(1, start, 1, start + len(node.name.encode()), unit.name))
        modules: dict[str, types.ModuleType] = {}
        for name in dict.fromkeys(reads):
            line = line_of(node, name)
            found, value = resolve(unit.function, name, fixed)
            if name == unit.name and name not in fixed and found and self._is_unit(value, unit):
                continue
            if not found:
                if name in unit.scope.writes:
                    continue
                raise CaptureError(
                    f"`{name}` ({self.place(unit, line)}) is not defined: define it before the comparison.",
                    self.user_line(unit, line),
                )
            if is_prange(value) and "range" not in unit.scope.bound:
                edits.extend(self._read_prange_as_range(unit, node, name))
                continue
            if isinstance(value, types.ModuleType) and name not in unit.scope.writes:
                modules[name] = value
                continue
            self._bind_value(unit, name, value, line)
            if name in unit.scope.writes:
                self.notes.append(
                    f"`{definition_name(unit)}` assigns the global `{name}` ({self.place(unit, line)}): each call "
                    "works on a captured copy"
                )
        edits.extend(self._follow_modules(unit, node, modules, skipped))
        unit.source, unit.lines = edited(unit.source, unit.lines, edits)

    def _lift_imports(self, unit: Unit) -> dict[str, Any]:
        """Takes imports of NumPy, SciPy and Python's own modules out of a body; returns what their names stand for."""
        values: dict[str, Any] = {}
        edits = []
        for line, edit, given in lift(_node(unit), unit.source):
            if any(name in self.bindings and self.bindings[name].value is not value for name, value in given.items()):
                continue
            values.update(given)
            edits.append(edit)
            self.notes.append(f"the import on {self.place(unit, line)} was moved to the top of the module")
        unit.source, unit.lines = edited(unit.source, unit.lines, edits)
        return values

    def _read_prange_as_range(self, unit: Unit, node: ast.AST, name: str) -> Iterator[Edit]:
        """Replaces Numba's ``prange``, which is ``range`` where nothing compiles it."""
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id == name:
                yield self._range_at(unit, each)

    def _range_at(self, unit: Unit, node: ast.expr) -> Edit:
        self._bind("range", Binding("builtin", range, owner=unit.definition.name), self.user_line(unit, node.lineno))
        self.notes.append(f"`prange` ({self.place(unit, node.lineno)}) was read as `range`")
        return Edit(*span(node), "range")

    def _is_unit(self, value: Any, unit: Unit) -> bool:
        return value is unit.function or (is_compiled(value) and unwrap(value, unit.name)[0] is unit.function)

    def _follow_modules(
        self, unit: Unit, node: ast.AST, modules: Mapping[str, types.ModuleType], skipped: set[int]
    ) -> Iterator[Edit]:
        """Binds the modules that a unit reads; what lives in a module of the user's own is taken out of it."""
        lines = unit.source.split("\n")
        for chain in chains(node, modules, skipped):
            name = chain.root.id
            value: Any = modules[name]
            line = chain.root.lineno
            if len(chain.attributes) == 1 and is_prange(getattr(value, chain.attributes[0].attr, None)):
                yield self._range_at(unit, chain.attributes[0])
                continue
            if is_library_module(value.__name__) or not chain.attributes:
                self._bind_value(unit, name, value, line)
                self._check_patched(unit, chain.root, chain.attributes, value)
                self._need_submodules(name, value, chain.attributes)
                continue
            for attribute in chain.attributes:
                if not isinstance(attribute.ctx, ast.Load):
                    text = segment(lines, attribute)
                    self._refuse(unit, line, f"`{text}` changes a module; return the value instead")
                try:
                    value = getattr(value, attribute.attr)
                except AttributeError:
                    self._refuse(unit, line, f"`{segment(lines, attribute)}` is not defined")
                if not isinstance(value, types.ModuleType) or is_library_module(value.__name__):
                    break
            plain = attribute.attr
            taken = plain in unit.scope.bound or plain in unit.scope.reads or hasattr(builtins, plain)
            other = self.bindings.get(plain)
            if taken or (other is not None and not self._same_value(other, value)):
                plain = f"{name}_{attribute.attr}"
            self._bind_value(unit, plain, value, line)
            yield Edit(*span(attribute), plain)

    def _same_value(self, binding: Binding, value: Any) -> bool:
        if binding.kind == "value":
            return binding.value is value or identical(binding.value, value)
        return binding.value is value or (is_compiled(value) and unwrap(value, "")[0] is binding.value)

    def _check_patched(
        self, unit: Unit, root: ast.Name, attributes: tuple[ast.Attribute, ...], module: types.ModuleType
    ) -> None:
        value: Any = module
        text = root.id
        for attribute in attributes:
            if not isinstance(value, types.ModuleType) or value.__name__.partition(".")[0] != "numpy":
                return
            text += f".{attribute.attr}"
            if not isinstance(attribute.ctx, ast.Load):
                self._refuse(
                    unit, attribute.lineno, f"`{text}` is assigned, which changes NumPy itself; use a name of your own"
                )
            value = getattr(value, attribute.attr, None)
            foreign = is_compiled(value) or (isinstance(value, types.FunctionType) and not is_library_function(value))
            if isinstance(value, types.FunctionType) and not foreign:
                home = str(value.__globals__.get("__name__")).partition(".")[0]
                foreign = home != "numpy" and home not in ("contextlib", "functools", "warnings")
            if foreign:
                self._refuse(
                    unit,
                    attribute.lineno,
                    f"`{text}` was replaced by a function defined outside NumPy; "
                    "restart the kernel, or call that function by a name of its own",
                )

    def _need_submodules(self, name: str, module: types.ModuleType, attributes: tuple[ast.Attribute, ...]) -> None:
        value: Any = module
        for attribute in attributes:
            loaded_on_demand = "__getattr__" in vars(value)
            value = getattr(value, attribute.attr, None)
            if not isinstance(value, types.ModuleType):
                return
            inside = hasattr(module, "__path__") and value.__name__.startswith(f"{module.__name__}.")
            if inside and not loaded_on_demand:
                self.submodules.add(value.__name__)

    def _signature_edits(
        self, unit: Unit, node: ast.FunctionDef | ast.AsyncFunctionDef, fixed: Mapping[str, Any]
    ) -> Iterator[tuple[ast.expr, str | None]]:
        """Yields each annotation and default with the text that has to take its place, None where it can stay."""
        annotations = [each.annotation for each in parameters(node)] + [node.returns]
        for annotation in annotations:
            if annotation is not None:
                yield annotation, None if self._annotation_stays(unit, annotation) else repr(ast.unparse(annotation))
        for name, expression, value in defaults(unit.function, node, fixed):
            yield expression, self._default(unit, name, expression, value)

    def _annotation_stays(self, unit: Unit, annotation: ast.expr) -> bool:
        if isinstance(annotation, ast.Constant):
            return True
        if any(isinstance(each, ast.Call | ast.Lambda | ast.NamedExpr) for each in ast.walk(annotation)):
            return False
        # Under `from __future__ import annotations` none was ever evaluated: what is not a plain name may not work.
        import __future__

        if unit.function.__code__.co_flags & __future__.annotations.compiler_flag and not isinstance(
            annotation, ast.Name | ast.Attribute
        ):
            return False
        for name in expression_reads(annotation):
            found, value = resolve(unit.function, name, {})
            path = public_path(value, name) if found else None
            if path is None or path.partition(".")[0] not in ANNOTATION_ROOTS:
                return False
        return True

    def _default(self, unit: Unit, parameter: str, expression: ast.expr, value: Any) -> str | None:
        """Says what takes a default's place: None where its text gives the live default again."""
        try:
            if identical(ast.literal_eval(expression), value):
                return None
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            pass  # no literal: what else it may be is asked below
        found, again = dotted_value(unit.function, expression)
        if found and (again is value or (isinstance(value, int | float | complex | str) and identical(again, value))):
            return None
        if isinstance(expression, ast.Lambda) and isinstance(value, types.FunctionType):
            return None
        text = None if needs_numpy(value) else literal(value, "np")
        if text is not None and "(" not in text:
            return text
        name = f"{unit.name}_{parameter}"
        self._bind_value(unit, name, value, expression.lineno)
        return name

    def _bind(self, name: str, binding: Binding, line: int | None) -> None:
        other = self.bindings.get(name)
        if other is None:
            self.bindings[name] = binding
        elif not other.same(binding):
            raise CaptureError(
                f"`{name}` stands for two things: {told(other)} in `{other.owner}`, and {told(binding)} in "
                f"`{binding.owner}`. The variants are one module, in which a name has one meaning: rename one of them.",
                line,
            )

    def _bind_value(self, unit: Unit, name: str, value: Any, line: int | None) -> None:
        """Binds a name that a unit reads to what it stands for: an import, a helper, a builtin, or a value."""
        owner = unit.definition.name
        user_line = self.user_line(unit, line)
        if is_builtin(value, name):
            if name in FORBIDDEN:
                self._refuse(unit, line, f"`{name}` {FORBIDDEN[name]}")
            self._bind(name, Binding("builtin", value, owner=owner), user_line)
            return
        path = self._import_path(unit, name, value, line)
        if path is not None:
            self._bind(name, Binding("import", value, path=path, owner=owner), user_line)
            return
        if is_function(value):
            helper = self.add(value, name, user_line)
            if helper not in unit.uses:
                unit.uses.append(helper)
            self._bind(name, Binding("helper", helper.function, unit=helper, owner=owner), user_line)
            return
        if isinstance(value, type):
            self._refuse(
                unit,
                line,
                f"`{name}` is a class of your own, {value.__qualname__}; pass and return arrays, numbers and tuples",
            )
        check_constant(value, name, user_line)
        self._bind(name, Binding("value", value, owner=owner), user_line)

    def _import_path(self, unit: Unit, name: str, value: Any, line: int | None) -> str | None:
        """Finds the path of a module or of a library's thing; None for what is the user's own, and for plain data."""
        if isinstance(value, types.ModuleType):
            path = public_path(value, name)
            if path is None:
                self._refuse(unit, line, f"`{name}` is a module that cannot be imported by its name, {value.__name__}")
            return path
        if isinstance(value, types.FunctionType):
            return public_path(value, name) if is_library_function(value) else None
        if is_compiled(value):
            inner = compiled_function(value)
            library = isinstance(inner, types.FunctionType) and is_library_function(inner)
            return public_path(value, name) if library else None
        if isinstance(value, type):
            library = value.__module__ == "builtins" or is_library_module(value.__module__)
            return public_path(value, name) if library else None
        data = isinstance(value, np.ndarray | np.generic | np.dtype) or type(value).__module__ == "builtins"
        if (data and not callable(value)) or not is_library_module(type(value).__module__):
            return None
        return public_path(value, name)


def _refuse_method(function: types.FunctionType, name: str, line: int | None) -> None:
    first = next(iter(function.__code__.co_varnames), "")
    inner = function.__qualname__.rpartition("<locals>.")[2]
    if "__class__" in function.__code__.co_freevars or ("." in inner and first in ("self", "cls")):
        raise CaptureError(
            f"`{name}` cannot be captured: it is a method of the class {inner.rpartition('.')[0]}; write a function "
            "that takes what it reads from `self` as arguments.",
            line,
        )


def _check_replaced(function: types.FunctionType, definition: Definition) -> None:
    """Raises where a decorator that is no known compiler gave back another function than the one that is written."""
    node = definition.node
    if node is None or function.__code__.co_name != definition.name or not same_code(function, node, definition.tree):
        raise replaced(definition)


def definition_name(unit: Unit) -> str:
    """Returns the name that the user gave a function."""
    return unit.definition.name


def _node(unit: Unit) -> ast.FunctionDef | ast.AsyncFunctionDef:
    node = ast.parse(unit.source).body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return node


def is_function(value: Any) -> bool:
    """Says whether a value is to be taken as a helper, or refused as one that cannot be."""
    kinds = (
        types.FunctionType,
        types.MethodType,
        types.BuiltinFunctionType,
        np.ufunc,
        np.vectorize,
        functools.partial,
        functools._lru_cache_wrapper,
    )
    return (
        isinstance(value, kinds)
        or is_compiled(value)
        or (callable(value) and type(value).__module__.partition(".")[0] == "numba")
    )
