"""Rewrite stores into arrays as new arrays: ``x[i] = v`` becomes ``x = x.at[i].set(v)``.

JAX arrays do not change. Each store becomes a new binding of the array's name; names that share memory with it get the
new value too where that can be proved, and are refused with their line where it cannot. Parameters that are stored into
are reported, so that the wrapper can write them back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.backends.jax.functions import BINARY_UFUNCS, ELEMENTWISE
from jitmagic.backends.jax.masks import aligned, mask_of, unmasked
from jitmagic.backends.jax.promotion import is_integer, of_operands
from jitmagic.backends.jax.store_targets import (
    AT_METHODS,
    REFUSED_METHODS,
    Stores,
    all_statements,
    calls_in,
    index_text,
    is_everything,
    out_argument,
    root_name,
)
from jitmagic.generate import names as name_tools
from jitmagic.generate.aliases import Aliases, Link, aliases
from jitmagic.generate.blocks import code, commented, leading, made, small, statements, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.liveness import Liveness, live_names
from jitmagic.generate.module import Module

_OPERATORS = {
    "AddAssign": ("+", "add"), "SubtractAssign": ("-", None), "MultiplyAssign": ("*", "multiply"),
    "DivideAssign": ("/", "divide"), "PowerAssign": ("**", "power"), "FloorDivideAssign": ("//", None),
    "ModuloAssign": ("%", None), "BitAndAssign": ("&", None), "BitOrAssign": ("|", None), "BitXorAssign": ("^", None),
    "MatrixMultiplyAssign": ("@", None), "LeftShiftAssign": ("<<", None), "RightShiftAssign": (">>", None),
}  # fmt: skip


@dataclass
class Stored:
    """A function after its stores were rewritten.

    Attributes
    ----------
    function : libcst.FunctionDef
    mutated : tuple of str
        Parameters that it writes into, in the order of the signature.
    """

    function: cst.FunctionDef
    mutated: tuple[str, ...] = ()


@dataclass
class Update:
    """One store in functional form: the name, and the text of its new value."""

    name: str
    value: str
    before: list[str] = field(default_factory=list)
    comment: str | None = None


def returned_aliases(function: cst.FunctionDef, kinds: Kinds, passes_on: Mapping[str, bool]) -> bool:
    """Says whether what a function returns may share memory with one of its arguments."""
    found = aliases(function, kinds, passes_on)
    return any(name.startswith("@") for names in found.returned for name in names)


def functional(
    module: Module,
    function: cst.FunctionDef,
    kinds: Kinds,
    mutating: Mapping[str, tuple[str, ...]],
    passes_on: Mapping[str, bool],
    outer: frozenset[str],
) -> Stored:
    """Rewrites the stores of one function.

    Parameters
    ----------
    module : Module
    function : libcst.FunctionDef
        With one small statement a line.
    kinds : Kinds
    mutating : mapping of str to tuple of str
        The helpers that are already rewritten, with the parameters that they mutate (and now return).
    passes_on : mapping of str to bool
        The helpers, and whether their result may share memory with an argument.
    outer : frozenset of str
        Names of the module that hold arrays or other values: stores into them are refused.

    Raises
    ------
    Unsupported
        For a store that cannot be expressed, with its line.
    """
    links = aliases(function, kinds, passes_on)
    finder = Stores(module, function, kinds, mutating, links)
    mutated = finder.mutated(statements(function))
    order = tuple(p for p in name_tools.parameters(function) if p in mutated)
    live = live_names(statements(function), order)
    body = _Rewrite(module, function, kinds, mutating, links, live, set(order), outer).block(statements(function))
    return Stored(with_body(function, body), order)


class _Rewrite(Stores):
    """Rewrites the statements of one function."""

    def __init__(
        self,
        module: Module,
        function: cst.FunctionDef,
        kinds: Kinds,
        mutating: Mapping[str, tuple[str, ...]],
        links: Aliases,
        live: Liveness,
        kept: set[str],
        outer: frozenset[str],
    ) -> None:
        super().__init__(module, function, kinds, mutating, links)
        self.live = live
        self.kept = kept
        self.outer = outer
        self.local = name_tools.bound(function)
        self.taken = set(name_tools.all_names(module.tree))

    def block(self, body: Sequence[Any]) -> list[Any]:
        result: list[Any] = []
        for node in body:
            new = self.statement(node)
            for one in new:
                self.module.inherit(one, node)
                if small(one) is not None and small(node) is not None:
                    self.module.inherit(small(one), small(node))
            result += new
        return result

    def statement(self, node: Any) -> list[Any]:
        if isinstance(node, cst.For | cst.While | cst.With | cst.If):
            new = with_body(node, self.block(statements(node)))
            orelse = getattr(node, "orelse", None)
            if isinstance(orelse, cst.If):
                new = new.with_changes(orelse=self.statement(orelse)[0])
            elif orelse is not None:
                new = new.with_changes(orelse=with_body(orelse, self.block(statements(orelse))))
            self.module.inherit(new, node)
            return [new]
        if isinstance(node, cst.FunctionDef):
            self.check_nested(node)
            return [node]
        statement = small(node)
        if statement is None:
            return [node]
        self.check_rebinding(node, statement)
        updates = self.updates(node, statement)
        if updates is None:
            return [node]
        lines: list[Any] = []
        for update in updates:
            for text in update.before:
                lines.append(made(text, node))
            if update.name:
                lines.append(made(f"{update.name} = {update.value}", node))
                lines += [made(text, node) for text in self.write_through(node, update.name)]
            elif update.value:
                lines.append(made(update.value, node))
        if lines:
            lines[0] = leading(lines[0], node)
            if len(updates) == 1 and updates[0].comment:
                lines[0] = commented(lines[0], updates[0].comment)
        if len(lines) == 1 and getattr(node.trailing_whitespace, "comment", None) is not None:
            lines[0] = lines[0].with_changes(trailing_whitespace=node.trailing_whitespace)
        return lines

    def check_nested(self, node: cst.FunctionDef) -> None:
        kinds = Kinds(self.module, node, {})
        found = aliases(node, kinds, {})
        stores = Stores(self.module, node, kinds, self.mutating, found)
        for inner in all_statements(node):
            for name in stores.stored(inner):
                raise self.refuse(
                    inner,
                    f"the nested function `{node.name.value}` stores into `{name}`; move it to the top of the module, or "
                    "let it return the new array",
                )

    def check_rebinding(self, node: Any, statement: Any) -> None:
        """Refuses to lose a mutated parameter whose name is bound to something else."""
        if not self.kept or not isinstance(statement, cst.Assign | cst.AnnAssign):
            return
        given = [t.target for t in statement.targets] if isinstance(statement, cst.Assign) else [statement.target]
        for name in (n for t in given for n in name_tools.targets(t)):
            if name in self.kept and statement.value is not None:
                same = isinstance(statement.value, cst.Call) and any(
                    o == name for o, _ in _sources(self, statement.value)
                )
                if not same:
                    raise self.refuse(
                        node,
                        f"the name `{name}` is bound anew, but the caller's array `{name}` is written into in this "
                        "function; use another name for the new array",
                        "JX-ARGMUT",
                    )

    def temporary(self, wanted: str) -> str:
        """Returns a name that is still free, and takes it."""
        name = name_tools.fresh(wanted, self.taken)
        self.taken.add(name)
        return name

    # what is stored ---------------------------------------------------------------------------

    def updates(self, node: Any, statement: Any) -> list[Update] | None:
        """Returns a statement's stores in functional form; None if it stores nothing."""
        if isinstance(statement, cst.Assign):
            return self.assignment(node, statement)
        if isinstance(statement, cst.AugAssign):
            return self.augmented(node, statement)
        if isinstance(statement, cst.Expr) and isinstance(statement.value, cst.Call):
            return self.call(node, statement.value, None)
        if isinstance(statement, cst.Del) and not isinstance(statement.target, cst.Name):
            raise self.refuse(node, "`del` of an element has no counterpart in JAX")
        for call in calls_in(statement):
            if self._call(call, statement):
                if isinstance(statement, cst.Return) and call is statement.value:
                    done = self.call(node, call, None)
                    if done:
                        return [*done, Update("", f"return {done[-1].name}")]
                raise self.refuse(
                    call, f"`{code(call)}` writes into an array inside an expression; give it its own line"
                )
        return None

    def assignment(self, node: Any, statement: cst.Assign) -> list[Update] | None:
        value = statement.value
        if isinstance(value, cst.Call):
            if len(statement.targets) == 1:
                done = self.call(node, value, statement.targets[0].target)
                if done is not None:
                    return done
        nested = [c for c in calls_in(statement) if c is not value and self._call(c, statement)]
        if nested:
            raise self.refuse(
                nested[0], f"`{code(nested[0])}` writes into an array inside an expression; give it its own line"
            )
        targets = [t.target for t in statement.targets]
        if len(targets) == 1 and isinstance(targets[0], cst.Tuple | cst.List):
            return self.unpacking(node, targets[0], value)
        if not any(self.is_store(t) for t in targets):
            return None
        if len(targets) == 1:
            return [self.store(node, targets[0], value)]
        result: list[Update] = []
        if not isinstance(value, cst.Name | cst.Integer | cst.Float):
            name = self.temporary("value")
            result.append(Update(name, code(value)))
            renewed = cst.Name(name)
            self.module.inherit(renewed, value)
            value = renewed
        for target in targets:
            if self.is_store(target):
                result.append(self.store(node, target, value))
            else:
                result.append(Update("", f"{code(target)} = {code(value)}"))
        return result

    def unpacking(self, node: Any, target: cst.Tuple | cst.List, value: cst.BaseExpression) -> list[Update] | None:
        parts = [e.value for e in target.elements]
        if not any(self.is_store(p) for p in parts):
            return None
        names = [self.temporary(f"new_{root_name(p) or 'value'}") if self.is_store(p) else code(p) for p in parts]
        result = [Update("", f"{', '.join(names)} = {code(value)}")]
        values = [e.value for e in value.elements] if isinstance(value, cst.Tuple | cst.List) else [None] * len(parts)
        for part, name, source in zip(parts, names, values, strict=False):
            if self.is_store(part):
                renewed = cst.Name(name)
                if source is not None:
                    self.module.inherit(renewed, source)
                result.append(self.store(node, part, renewed))
        return result

    def is_store(self, target: cst.BaseExpression) -> bool:
        if isinstance(target, cst.Attribute):
            return True
        if not isinstance(target, cst.Subscript):
            return False
        root = root_name(target)
        return root is None or not self.kinds.is_container(cst.Name(root))

    def base(self, node: Any, target: cst.BaseExpression) -> tuple[str, cst.BaseExpression, cst.Subscript | None]:
        """Returns the name, its expression and the subscript of a store's target, ``x[i][j]`` taken as ``x[i, j]``."""
        if isinstance(target, cst.Name):
            name: str = target.value
            self.check_local(node, name)
            return name, target, None
        if isinstance(target, cst.Subscript):
            if isinstance(target.value, cst.Name):
                self.check_local(node, target.value.value)
                return target.value.value, target.value, target
            if isinstance(target.value, cst.Subscript) and self.whole_index(target.value):
                joined = target.value.with_changes(
                    slice=[
                        *(
                            s.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
                            for s in target.value.slice
                        ),
                        *target.slice,
                    ]
                )
                return self.base(node, joined)
        raise self.refuse(
            node, f"`{code(target)}` is stored into; JAX arrays are stored into by name and index only, as x[i]"
        )

    def whole_index(self, subscript: cst.Subscript) -> bool:
        return all(
            isinstance(s.slice, cst.Index)
            and (fact := self.kinds.of(s.slice.value)) is not None
            and fact.kind in ("int", "scalar")
            for s in subscript.slice
        )

    def check_local(self, node: Any, name: str) -> None:
        if name not in self.local:
            raise self.refuse(
                node,
                f"`{name}` is not a local array: storing into it would be lost, or leak out of the compiled function; pass "
                "it as an argument",
                "JX-LEAK",
            )

    def store(self, node: Any, target: cst.BaseExpression, value: cst.BaseExpression) -> Update:
        """Returns the update of ``x[i] = v``."""
        name, base, subscript = self.base(node, target)
        assert subscript is not None
        mask = mask_of(subscript, self.kinds)
        if mask is not None:
            return self.masked(node, name, base, mask, value)
        if is_everything(subscript):
            fact = self.kinds.of(value)
            if fact is not None and fact.kind == "array" and self.same_type(base, value):
                return Update(name, code(value), comment=None)
            return Update(name, f"{name}.at[...].set({self.cast(base, value)})")
        return Update(name, f"{name}.at[{index_text(subscript)}].set({self.cast(base, value)})")

    def same_type(self, base: cst.BaseExpression, value: cst.BaseExpression) -> bool:
        a, b = self.kinds.of(base), self.kinds.of(value)
        return a is not None and b is not None and a.dtype == b.dtype and a.shape == b.shape and a.shape is not None

    def masked(
        self, node: Any, name: str, base: cst.BaseExpression, mask: cst.BaseExpression, value: cst.BaseExpression
    ) -> Update:
        whole = unmasked(value, mask, self.kinds)
        if whole is None:
            raise self.refuse(
                node,
                f"`{code(value)}` is stored where `{code(mask)}` holds, and it cannot be computed for all elements first; "
                "write it with np.where over the whole array",
                "JX-BOOLMASK",
            )
        text = f"__numpy__.where({aligned(mask, base, self.kinds)}, {code(whole)}, {name})"
        return Update(name, text + self.cast_back(base, [base, value]))

    def cast_back(self, base: cst.BaseExpression, operands: list[cst.BaseExpression]) -> str:
        """Returns ``.astype(x.dtype)`` where an operation on the operands would not have the array's own dtype."""
        dtype = self.kinds.dtype(base)
        facts = [f for o in operands if (f := self.kinds.of(o)) is not None]
        if dtype is None or len(facts) < len(operands):
            return ""
        got = of_operands(facts)
        return "" if got is None or got == dtype else f".astype({code(base)}.dtype)"

    def cast(self, base: cst.BaseExpression, value: cst.BaseExpression) -> str:
        """Returns the stored value as text, cast to the array's dtype where it is of another one."""
        dtype, given = self.kinds.dtype(base), self.kinds.of(value)
        text = code(value)
        if dtype is None or given is None:
            return text
        if given.kind in ("array", "scalar") and given.dtype is not None and given.dtype != dtype:
            if of_operands([given, self.kinds.of(base) or given]) == dtype:
                return text
            simple = isinstance(value, cst.Name | cst.Attribute | cst.Call | cst.Subscript) or value.lpar
            return f"{text if simple else f'({text})'}.astype({code(base)}.dtype)"
        if given.kind in ("float", "complex") and is_integer(dtype):
            return f"__numpy__.asarray({text}).astype({code(base)}.dtype)"
        return text

    def augmented(self, node: Any, statement: cst.AugAssign) -> list[Update] | None:
        symbol, method = _OPERATORS[type(statement.operator).__name__]
        target, value = statement.target, statement.value
        if isinstance(target, cst.Name):
            if self.kinds.is_container(target) or self.kinds.is_number(target):
                return None
            self.check_local(node, target.value)
            if not self.kinds.is_array(target):
                partners = self.partners(node, target.value)
                if not partners:
                    return None
            # rounds as NumPy does, which keeps the array's dtype
            back = self.cast_back(target, [target, value])
            if symbol == "/" and is_integer(self.kinds.dtype(target) or "float64"):
                return None
            if not back:
                return [Update(target.value, f"{target.value} {symbol} {_operand(value, symbol)}")]
            return [Update(target.value, f"({target.value} {symbol} {_operand(value, symbol)}){back}")]
        if not self.is_store(target):
            return None
        name, base, subscript = self.base(node, target)
        assert subscript is not None
        mask = mask_of(subscript, self.kinds)
        if mask is not None:
            whole = unmasked(value, mask, self.kinds)
            if whole is None:
                raise self.refuse(
                    node,
                    f"`{code(value)}` is added where `{code(mask)}` holds, and it cannot be computed for all elements "
                    "first; write it with np.where over the whole array",
                    "JX-BOOLMASK",
                )
            new = f"{name} {symbol} {_operand(whole, symbol)}"
            text = f"__numpy__.where({aligned(mask, base, self.kinds)}, {new}, {name})"
            return [Update(name, text + self.cast_back(base, [base, value]))]
        index = index_text(subscript)
        single = self.unique_places(subscript)
        if single and symbol == "-":
            stored = self.cast(base, value)
            plain = isinstance(value, cst.Name | cst.Call | cst.Attribute | cst.Subscript | cst.Float | cst.Integer)
            return [Update(name, f"{name}.at[{index}].add(-{stored if plain else f'({stored})'})")]
        if single and method is not None:
            return [Update(name, f"{name}.at[{index}].{method}({self.cast(base, value)})")]
        new = f"{code(subscript)} {symbol} {_operand(value, symbol)}"
        back = self.cast_back(base, [base, value])
        text = f"{name}.at[{index}].set({f'({new}){back}' if back else new})"
        note = None if single else "as in NumPy, a repeated index counts once"
        return [Update(name, text, comment=note)]

    def unique_places(self, subscript: cst.Subscript) -> bool:
        """Says whether a subscript names each element at most once: whole numbers and slices, no index arrays."""
        for element in subscript.slice:
            if isinstance(element.slice, cst.Slice):
                continue
            index: Any = getattr(element.slice, "value", None)
            fact = self.kinds.of(index)
            if isinstance(index, cst.Ellipsis) or (isinstance(index, cst.Name) and index.value == "None"):
                continue
            if fact is None or fact.kind not in ("int", "scalar"):
                path = self.kinds.path(index)
                if path == "numpy.newaxis":
                    continue
                return False
        return True

    def call(self, node: Any, call: cst.Call, target: cst.BaseExpression | None) -> list[Update] | None:
        """Returns the updates of a call that stores: ``out=``, ``np.copyto``, ``x.sort()``, a helper that mutates …"""
        path = self.kinds.path(call.func)
        out = out_argument(call, path)
        func = call.func
        if out is not None:
            return self.out(node, call, out, path, target)
        if path in AT_METHODS or path == "numpy.subtract.at":
            name, base, _ = self.base(node, call.args[0].value)
            index = code(call.args[1].value)
            index = index[1:-1] if isinstance(call.args[1].value, cst.Tuple) and index.startswith("(") else index
            text = self.cast(base, call.args[2].value)
            if path == "numpy.subtract.at":
                return [Update(name, f"{name}.at[{index}].add(-({text}))")]
            return [Update(name, f"{name}.at[{index}].{AT_METHODS[path]}({text})")]
        if path == "numpy.copyto":
            return [self.copyto(node, call)]
        if path == "numpy.fill_diagonal":
            name, base, subscript = self.base(node, call.args[0].value)
            if subscript is not None:
                raise self.refuse(node, "np.fill_diagonal of a part of an array cannot be passed on to the whole")
            text = self.cast(base, call.args[1].value)
            return [Update(name, f"__numpy__.fill_diagonal({name}, {text}, inplace=False)")]
        if path in ("numpy.putmask", "numpy.place"):
            name, base, subscript = self.base(node, call.args[0].value)
            if subscript is None and self.kinds.is_number(call.args[2].value):
                return [self.masked(node, name, base, call.args[1].value, call.args[2].value)]
            raise self.refuse(node, f"`{code(call)}` repeats its values over the mask; write it with np.where")
        if path == "numpy.put" or path == "numpy.random.shuffle":
            raise self.refuse(node, f"`{code(call)}` stores in place and has no counterpart in JAX")
        if path is None and isinstance(func, cst.Attribute) and root_name(func.value) is not None:
            done = self.method(node, call, func)
            if done is not None:
                return done
        if isinstance(func, cst.Name) and func.value in self.mutating and self.mutating[func.value]:
            return self.helper(node, call, target)
        return None

    def method(self, node: Any, call: cst.Call, func: cst.Attribute) -> list[Update] | None:
        known = self.kinds.of(func.value)
        if self.kinds.is_container(func.value) or (known is not None and known.kind != "array"):
            return None
        method = func.attr.value
        if method == "fill":
            name, base, subscript = self.base(node, func.value)
            text = self.cast(base, call.args[0].value)
            if subscript is None:
                return [Update(name, f"__numpy__.full_like({name}, {code(call.args[0].value)})")]
            return [Update(name, f"{name}.at[{index_text(subscript)}].set({text})")]
        if method == "sort":
            name, _, subscript = self.base(node, func.value)
            args = "".join(f", {code(a.with_changes(comma=cst.MaybeSentinel.DEFAULT))}" for a in call.args)
            if subscript is None:
                return [Update(name, f"__numpy__.sort({name}{args})")]
            return [Update(name, f"{name}.at[{index_text(subscript)}].set(__numpy__.sort({code(subscript)}{args}))")]
        if method in REFUSED_METHODS:
            raise self.refuse(node, f"`.{method}()` changes an array in place and has no counterpart in JAX")
        return None

    def copyto(self, node: Any, call: cst.Call) -> Update:
        name, base, subscript = self.base(node, call.args[0].value)
        value = call.args[1].value
        where = next((a.value for a in call.args[2:] if a.keyword is not None and a.keyword.value == "where"), None)
        if where is not None:
            if subscript is not None:
                raise self.refuse(
                    node, "np.copyto(..., where=) into a part of an array cannot be passed on to the whole"
                )
            new = f"__numpy__.where({code(where)}, {code(value)}, {name})"
            return Update(name, new + self.cast_back(base, [base, value]))
        index = "..." if subscript is None else index_text(subscript)
        return Update(name, f"{name}.at[{index}].set({self.cast(base, value)})")

    def out(
        self, node: Any, call: cst.Call, out: cst.BaseExpression, path: str | None, target: cst.BaseExpression | None
    ) -> list[Update]:
        if isinstance(out, cst.Tuple) and len(out.elements) == 1:
            out = out.elements[0].value
        name, base, subscript = self.base(node, out)
        kept = []
        for position, argument in enumerate(call.args):
            if argument.keyword is not None and argument.keyword.value in ("out", "casting"):
                continue
            if argument.keyword is not None and argument.keyword.value == "where":
                raise self.refuse(
                    node, "a ufunc with both out= and where= leaves elements as they are; use np.where", "JX-SETITEM"
                )
            if argument.keyword is None and argument.value is out and position >= 1 and position == len(call.args) - 1:
                continue
            kept.append(argument)
        if kept:
            kept[-1] = kept[-1].with_changes(
                comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=cst.SimpleWhitespace("")
            )
        new = call.with_changes(args=kept)
        operands = [a.value for a in kept if a.keyword is None]
        back = self.cast_back(base, operands) if path in BINARY_UFUNCS or path in ELEMENTWISE else ""
        if back == "" and self.kinds.dtype(base) is None:
            back = f".astype({code(base)}.dtype)"
        if subscript is None:
            fact = self.kinds.of(base)
            shapes = [self.kinds.of(o) for o in operands]
            same = fact is not None and any(s is not None and s.shape == fact.shape for s in shapes)
            elementwise = path in BINARY_UFUNCS or path in ELEMENTWISE
            if same or not elementwise:
                result = [Update(name, f"{code(new)}{back}")]
            else:
                result = [Update(name, f"{name}.at[...].set({code(new)}{back})")]
        else:
            result = [Update(name, f"{name}.at[{index_text(subscript)}].set({code(new)}{back})")]
        if target is not None and not (isinstance(target, cst.Name) and target.value == name):
            result.append(Update("", f"{code(target)} = {code(out)}"))
        return result

    def helper(self, node: Any, call: cst.Call, target: cst.BaseExpression | None) -> list[Update]:
        assert isinstance(call.func, cst.Name)
        callee = self.module_function(call.func.value)
        names = []
        for argument in self.mutated_arguments(call):
            if not isinstance(argument, cst.Name):
                raise self.refuse(
                    call,
                    f"`{call.func.value}` writes into `{code(argument)}`; pass a name, and store the result where it belongs",
                    "JX-ARGMUT",
                )
            self.check_local(node, argument.value)
            names.append(argument.value)
        gives = _returns_value(callee)
        if target is not None and not gives:
            raise self.refuse(call, f"`{call.func.value}` returns nothing")
        first = [code(target)] if target is not None else (["_"] if gives else [])
        result = [Update("", f"{', '.join([*first, *names])} = {code(call)}")]
        for name in names:
            result[0].before.extend([])
            for text in self.write_through(node, name):
                result.append(Update("", text))
        return result

    # who shares the memory --------------------------------------------------------------------

    def partners(self, node: Any, name: str) -> dict[str, Link]:
        """Returns the names that share memory with ``name`` at a statement and are needed behind it."""
        live = self.live.after.get(node, frozenset()) | self.kept
        return {
            other: link
            for other, link in self.links.at.get(node, {}).get(name, {}).items()
            if not other.startswith("@") and other in live
        }

    def write_through(self, node: Any, name: str) -> list[str]:
        """Returns the statements that give the names sharing memory with ``name`` its new contents."""
        lines: list[str] = []
        for other in self.links.at.get(node, {}).get(name, {}):
            if other.startswith("@") and other[1:] != name and other[1:] in self.kept:
                direct = self.links.at[node].get(name, {}).get(other[1:])
                if direct is None:
                    raise self.refuse(
                        node,
                        f"`{name}` may still be the caller's array `{other[1:]}`; make a copy of it first",
                        "JX-ARGMUT",
                    )
        partners = self.partners(node, name)
        bases = [o for o, link in partners.items() if link.kind == "view"]
        for other, how in partners.items():
            if how.kind == "same":
                lines.append(f"{other} = {name}")
            elif how.kind == "view" and how.index is not None:
                lines.append(f"{other} = {other}.at[{index_text(how.index)}].set({name})")
            elif how.kind == "base" and how.index is not None:
                lines.append(f"{other} = {code(how.index)}")
            elif not (bases and other in self.kept):
                raise self.refuse(
                    node,
                    f"`{name}` shares memory with `{other}`, which is used later: under JAX it would not see this store; "
                    f"copy one of them, or store into `{other}` directly",
                    "JX-IADD-ALIAS",
                )
        return lines


def _sources(rewrite: _Rewrite, value: cst.BaseExpression) -> list[tuple[str, Link]]:
    from jitmagic.generate.aliases import _Walker

    return [(n, link) for n, link in _Walker(rewrite.kinds, {}).sources(value) if link.kind == "same"]


def _returns_value(function: cst.FunctionDef) -> bool:
    return any(isinstance(small(s), cst.Return) and small(s).value is not None for s in all_statements(function))


def _operand(value: cst.BaseExpression, symbol: str) -> str:
    text = code(value)
    if isinstance(value, cst.BinaryOperation) and not value.lpar:
        # a sum keeps its brackets: (x + a) + b rounds differently from x + (a + b)
        product = isinstance(value.operator, cst.Multiply | cst.Divide | cst.Power | cst.MatrixMultiply)
        if symbol in ("+", "-") and product:
            return text
        return f"({text})"
    if isinstance(value, cst.Comparison | cst.BooleanOperation | cst.IfExp | cst.Lambda | cst.UnaryOperation):
        return text if value.lpar else f"({text})"
    return text
