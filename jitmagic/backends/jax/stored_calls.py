"""Rewrite calls that store: ``out=``, ``np.copyto``, ``np.add.at``, ``x.sort()``, and helpers that mutate."""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.jax.functions import BINARY_UFUNCS, ELEMENTWISE
from jitmagic.backends.jax.store_targets import (
    AT_METHODS,
    REFUSED_METHODS,
    all_statements,
    index_text,
    out_argument,
    root_name,
)
from jitmagic.backends.jax.store_values import Update, Values
from jitmagic.generate.blocks import code, small


class CallStores(Values):
    """Writes calls that store as new bindings."""

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
            value = call.args[1].value
            fact = self.kinds.of(base)
            number = self.kinds.is_number(value) or self.kinds.path(value) in ("numpy.inf", "numpy.nan")
            if len(call.args) == 2 and number and fact is not None and fact.ndim == 2:
                # one pass together with what is around it, where jnp.fill_diagonal scatters into a copy
                return [Update(name, f"__numpy__.where(__numpy__.eye(*{name}.shape, dtype=bool), {text}, {name})")]
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
                    f"`{call.func.value}` writes into `{code(argument)}`; pass a name, and store the result where "
                    "it belongs",
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


def _returns_value(function: cst.FunctionDef) -> bool:
    return any(isinstance(small(s), cst.Return) and small(s).value is not None for s in all_statements(function))
