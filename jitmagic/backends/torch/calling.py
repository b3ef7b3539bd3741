"""Translates calls: NumPy's by the table, methods of arrays, Python's builtins, the user's own functions."""

from __future__ import annotations

import libcst as cst

from jitmagic.analysis.memory import VIEW_FUNCTIONS
from jitmagic.analysis.words import MASKED
from jitmagic.backends.torch import algebra, elementwise, making, reductions, searching, shaping  # noqa: F401
from jitmagic.backends.torch.calls import ADAPTORS, Argument, CallSite, Written, atom, code, dtype_name
from jitmagic.backends.torch.draws import Draws
from jitmagic.backends.torch.kinds import (
    BOOL,
    OTHER,
    SUPPORTED,
    Value,
    as_dtype,
    category,
    from_fact,
    join,
    number,
    reconcile,
)
from jitmagic.backends.torch.naming import BREAK
from jitmagic.backends.torch.table import DTYPES, MATH, METHOD_PARAMETERS, METHODS, TABLE, Entry

_COMPLEX_MATH = frozenset(
    {
        "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp", "log",
        "log10", "sqrt", "isnan", "isinf", "isfinite",
    }
)  # fmt: skip


_REDUCTIONS = frozenset({"sum", "prod", "mean", "spread", "extreme", "truth", "median", "position", "norm", "average"})
_ELEMENTWISE = frozenset({"real", "same", "predicate", "clamp", "rounding", "sign", "filled_like", "full_like", "copy"})
_VECTORS = frozenset({"arange", "linspace", "logspace", "geomspace", "frequencies", "window"})


class Calls(Draws):
    """Rewrites calls."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        self.here = original_node
        path = self.path(original_node.func)
        if path is not None and path.startswith(("numpy.", "scipy.")):
            return self._library_call(path, original_node, updated_node)
        if path is None and self.draws_by_method(original_node):
            return self.drawn(original_node, updated_node)
        if isinstance(original_node.func, cst.Attribute) and path is None:
            return self._method_call(original_node, updated_node)
        if isinstance(original_node.func, cst.Name) and path is None:
            name = original_node.func.value
            if name in self.functions and name not in self.scope.local:
                self._user_call(name, original_node)
                return updated_node
            return self._builtin_call(name, original_node, updated_node)
        values = [self.value(a.value) for a in original_node.args]
        if path is not None and path.startswith("random."):
            self.draws += 1
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
            return self.drawn(original, updated)
        positional, keywords = self._bind(original, updated)
        last = path.rpartition(".")[2]
        if path.startswith("numpy.") and path.count(".") == 1 and last in DTYPES and path not in TABLE:
            return self._to_dtype(DTYPES[last], positional, original, updated)
        special = getattr(self, f"_call_{last}", None) if path.startswith("numpy.") else None
        if special is not None:
            return special(positional, keywords, original, updated)
        entry = TABLE.get(path)
        if entry is None:
            return self._left_to_numpy(path, original, updated)
        everything = [*positional, *keywords.values()]
        if path in MATH and not keywords and everything and all(a.value.kind == "number" for a in everything):
            return self._math_call(path, everything, original, updated)
        return self._adapted(path, entry, positional, keywords, original, updated)

    def _left_to_numpy(self, path: str, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Keeps a call that torch has nothing for: its arguments go to the host, its results to the device."""
        seen = self.fact(original)
        results = seen.items if seen is not None and seen.kind == "tuple" else (seen,)
        made = seen is not None and bool(results) and all(
            fact is not None and fact.kind in ("array", "scalar", "float", "int", "bool") for fact in results
        )  # fmt: skip
        short = path.removeprefix("numpy.")
        arguments = [self._on_host(old.value, new.value) for old, new in zip(original.args, updated.args, strict=True)]
        unknown = not made or None in arguments or any(a.star for a in original.args)
        # where nothing is stored into arrays, a view is as good as a copy
        if self.compiled or unknown or (self.stores and short in VIEW_FUNCTIONS):
            if path.startswith("numpy.ma."):
                self.fail(f"calls `{code(original.func)}`, {MASKED.format(library='torch')}")
            self.fail(f"calls `{code(original.func)}`, for which torch has no counterpart that is known here")
        assert seen is not None
        args = [new.with_changes(value=one) for new, one in zip(updated.args, arguments, strict=True)]
        call = code(updated.with_changes(args=args))
        for fact in results:
            dtype = from_fact(fact).dtype
            if fact is not None and fact.kind in ("array", "scalar"):
                self.typed(dtype or "float64")
        line = self.module.line(original)
        where = f"line {line}: " if line is not None else ""
        self.notes[f"{where}torch has no `{code(original.func)}`: NumPy computes it, on the CPU"] = None
        self.values[original] = from_fact(seen)
        if seen.kind in ("float", "int", "bool"):
            return self.parsed(call, updated)
        place = f", device={self.scope.device}" if self.scope.device else ""
        tensor = self.spell("torch.as_tensor")
        if seen.kind != "tuple":
            return self.parsed(f"{tensor}({call}{place})", updated)
        self.values[original] = Value("sequence", items=tuple(self._as_tensor(from_fact(fact)) for fact in results))
        return self.parsed(f"tuple({tensor}(part{place}) for part in {call})", updated)

    def _as_tensor(self, value: Value) -> Value:
        return value if value.is_tensor else Value("tensor", value.numpy_dtype, (), scalar=True)

    def _on_host(self, original: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression | None:
        """Returns an argument as NumPy takes it, None where it is none of what can be handed over."""
        if isinstance(original, cst.List | cst.Tuple) and isinstance(updated, cst.List | cst.Tuple):
            pairs = zip(original.elements, updated.elements, strict=True)
            parts = [None if isinstance(old, cst.StarredElement) else self._on_host(old.value, new.value)
                     for old, new in pairs]  # fmt: skip
            made = [new.with_changes(value=one) for new, one in zip(updated.elements, parts, strict=True) if one]
            return updated.with_changes(elements=made) if parts and len(made) == len(parts) else None
        value = self.value(original)
        if value.is_tensor:
            return cst.parse_expression(f"{atom(updated)}.numpy(force=True)")
        if value.kind == "number" or isinstance(original, cst.SimpleString):
            return updated
        if value.kind == "sequence":
            return updated if value.items and all(item.kind == "number" for item in value.items) else None
        return updated if isinstance(original, cst.Name) and original.value in ("None", "True", "False") else None

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
        self.values[original] = number(kind or "float")
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
        whole = entry.adaptor in _REDUCTIONS and not {"axis", "keepdims", "dim"} & site.arguments.keys()
        first = site.given[0].value.shape if site.given and entry.adaptor in _ELEMENTWISE else None
        vector = (None,) if entry.adaptor in _VECTORS else first
        return self._finish(node, written, original, () if whole and ".reduce" not in path else vector)

    def _finish(
        self,
        node: cst.BaseExpression,
        written: Written,
        original: cst.Call,
        shape: tuple[int | None, ...] | None = None,
    ) -> cst.BaseExpression:
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
        known = written.dtype is not None and written.dtype in SUPPORTED
        guess = Value("tensor", written.dtype if known else None, shape, scalar=shape == (), view=written.view)
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
            self.values[original] = number(kind)
            if x.value.dtype == kind:
                return self.parsed(x.code, updated)
            if kind == "float" and isinstance(x.literal, int):
                return self.parsed(repr(float(x.literal)), updated)
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

    def _call_ndindex(self, p: list[Argument], k: dict[str, Argument], o: cst.Call, u: cst.Call) -> cst.BaseExpression:
        self.values[o] = OTHER
        product = self.spell("itertools.product")
        if len(p) == 1 and p[0].value.kind != "number":
            return self.parsed(f"{product}(*map(range, {p[0].code}))", u)
        return self.parsed(f"{product}({', '.join(f'range({a.code})' for a in p)})", u)

    def _call_ndenumerate(
        self, p: list[Argument], k: dict[str, Argument], o: cst.Call, u: cst.Call
    ) -> cst.BaseExpression:
        self.values[o] = OTHER
        x = p[0].atom
        return self.parsed(f"((i, {x}[i]) for i in {self.spell('itertools.product')}(*map(range, {x}.shape)))", u)

    def _call_diag_indices(
        self, p: list[Argument], k: dict[str, Argument], o: cst.Call, u: cst.Call
    ) -> cst.BaseExpression:
        if len(p) != 1 or k:
            self.fail("calls `np.diag_indices` with other than a length: write `np.arange(n)`")
        place = f", device={self.device()}" if self.device() else ""
        steps = f"{self.spell('torch.arange')}({p[0].code}{place})"
        item = Value("tensor", "int64", (None,))
        self.values[o] = Value("sequence", items=(item, item))
        return self.parsed(f"(({steps},) * 2)", u)

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
        elif name in ("str", "repr") and len(values) == 1 and values[0].is_tensor and values[0].ndim == 0:
            self.pull(f"{name}()", original)
            return updated.with_changes(args=[_item_of(updated.args[0])])
        elif name == "round" and tensor:
            self.pull("round()", original)
            args = [_item_of(updated.args[0])]
            self.values[original] = Value("number", from_fact(seen).dtype or "int")
            return updated.with_changes(args=[*args, *updated.args[1:]])
        elif name in ("min", "max", "range", "print") and tensor and self.compiled:
            self.pull(f"{name}()", original)
        elif name == "divmod" and tensor and len(values) == 2:
            # Python asks for a method that tensors lack
            first, second = (atom(a.value) for a in updated.args)
            return cst.parse_expression(f"({first}//{second}, {first} % {second})")
        elif name in ("max", "min") and tensor and len(values) > 1:
            self.values[original] = reconcile(Value("either", scalar=True, shape=()), seen)
        return updated

    # -- methods of arrays ---------------------------------------------------------------------------------------

    def _method_call(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        assert isinstance(original.func, cst.Attribute)
        assert isinstance(updated.func, cst.Attribute)
        name, owner = original.func.attr.value, self.value(original.func.value)
        self.values[original] = from_fact(self.fact(original))
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
            if name == "reshape" and not keywords:
                return self._finish(updated, Written("", owner.dtype, view=True), original)
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


def _item_of(argument: cst.Arg) -> cst.Arg:
    return argument.with_changes(value=cst.parse_expression(f"{atom(argument.value)}.item()"))
