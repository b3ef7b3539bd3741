"""Rewrite stores into arrays as new arrays: ``x[i] = v`` becomes ``x = x.at[i].set(v)``.

JAX arrays do not change. Each store becomes a new binding of the array's name; names that share memory with it get the
new value too where that can be proved, and are refused with their line where it cannot. Parameters that are stored into
are reported, so that the wrapper can write them back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.jax.masks import aligned, mask_of, unmasked
from jitmagic.backends.jax.promotion import is_integer
from jitmagic.backends.jax.store_targets import (
    Stores,
    all_statements,
    calls_in,
    index_text,
    is_everything,
    root_name,
)
from jitmagic.backends.jax.store_values import Update
from jitmagic.backends.jax.stored_calls import CallStores
from jitmagic.generate import names as name_tools
from jitmagic.generate.aliases import aliases, same_objects
from jitmagic.generate.blocks import code, commented, leading, made, small, statements, with_alternative, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.liveness import live_names
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
    given = {p: kinds.names.get(p, [])[:1] for p in name_tools.parameters(function)}
    # what is None cannot be written into: the name stands for another array by then
    order = tuple(p for p in given if p in mutated and not any(f.kind == "none" for f in given[p]))
    live = live_names(statements(function), order)
    body = _Rewrite(module, function, kinds, mutating, links, live, set(order), outer).block(statements(function))
    return Stored(with_body(function, body), order)


class _Rewrite(CallStores):
    """Rewrites the statements of one function."""

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
            new = with_alternative(with_body(node, self.block(statements(node))), node, self.block)
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
                self.keep_facts(small(lines[-1]).value, update)
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

    def keep_facts(self, new: Any, update: Update) -> None:
        """Lets index and value of ``x.at[…].set(v)`` answer for what was observed of them."""
        source, target = update.source, update.target
        at: Any = getattr(getattr(new, "func", None), "value", None)
        if isinstance(target, cst.Subscript) and isinstance(at, cst.Subscript) and len(at.slice) == len(target.slice):
            for one, other in zip(at.slice, target.slice, strict=True):
                self.module.inherit_parts(one, other)
        if (
            source is not None
            and isinstance(new, cst.Call)
            and len(new.args) == 1
            and code(new.args[0].value) == code(source)
        ):
            self.module.inherit_parts(new.args[0].value, source)

    def check_nested(self, node: cst.FunctionDef) -> None:
        kinds = Kinds(self.module, node, {})
        found = aliases(node, kinds, {})
        stores = Stores(self.module, node, kinds, self.mutating, found)
        for inner in all_statements(node):
            for name in stores.stored(inner):
                raise self.refuse(
                    inner,
                    f"the nested function `{node.name.value}` stores into `{name}`; move it to the top of the "
                    "module, or "
                    "let it return the new array",
                )

    def check_rebinding(self, node: Any, statement: Any) -> None:
        """Refuses to lose a mutated parameter whose name is bound to something else."""
        if not self.kept or not isinstance(statement, cst.Assign | cst.AnnAssign):
            return
        given = [t.target for t in statement.targets] if isinstance(statement, cst.Assign) else [statement.target]
        for name in (n for t in given for n in name_tools.targets(t)):
            if name in self.kept and statement.value is not None:
                same = isinstance(statement.value, cst.Call) and name in same_objects(statement.value, self.kinds)
                if not same:
                    raise self.refuse(
                        node,
                        f"the name `{name}` is bound anew, but the caller's array `{name}` is written into in this "
                        "function; use another name for the new array",
                        "JX-ARGMUT",
                    )

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
        if isinstance(value, cst.Call) and len(statement.targets) == 1:
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

    def store(self, node: Any, target: cst.BaseExpression, value: cst.BaseExpression) -> Update:
        """Returns the update of ``x[i] = v``."""
        name, base, subscript = self.base(node, target)
        assert subscript is not None
        if isinstance(value, cst.Tuple | cst.List):
            # NumPy makes an array of them
            elements = cst.parse_expression(f"__numpy__.array([{', '.join(code(e.value) for e in value.elements)}])")
            self.module.inherit(elements, value)
            value = elements
        mask = mask_of(subscript, self.kinds)
        if mask is not None:
            return self.masked(node, name, base, mask, value)
        if is_everything(subscript):
            fact = self.kinds.of(value)
            if fact is not None and fact.kind == "array" and self.same_type(base, value):
                return Update(name, code(value), comment=None)
            if fact is not None and fact.dtype is not None and self.selects(name, value):
                return Update(name, code(value) + self.cast_back(base, [base, value]))
            return Update(name, f"{name}.at[...].set({self.cast(base, value)})")
        return Update(
            name, f"{name}.at[{index_text(subscript)}].set({self.cast(base, value)})", source=value, target=subscript
        )

    def selects(self, name: str, value: cst.BaseExpression) -> bool:
        """Says whether a value is ``np.where(mask, new, x)`` for the array ``x`` that it is stored into."""
        if not isinstance(value, cst.Call) or self.kinds.path(value.func) != "numpy.where" or len(value.args) != 3:
            return False
        return code(value.args[2].value) == name

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
            whole = unmasked(value, mask, self.kinds, looked_up=True)
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
            text = f"{name}.at[{index}].add(-{stored if plain else f'({stored})'})"
            return [Update(name, text, target=subscript)]
        if single and method is not None:
            return [
                Update(name, f"{name}.at[{index}].{method}({self.cast(base, value)})", source=value, target=subscript)
            ]
        new = f"{code(subscript)} {symbol} {_operand(value, symbol)}"
        back = self.cast_back(base, [base, value])
        text = f"{name}.at[{index}].set({f'({new}){back}' if back else new})"
        note = None if single else "as in NumPy, a repeated index counts once"
        return [Update(name, text, comment=note, target=subscript)]

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
