"""Writes `sorted`, `.sort`, `max` and `min` with `key=` as small functions of the values and their keys.

```
order = sorted(range(n), key=lambda i: end[i])   ->   order = in_order(list(range(n)), [end[i] for i in range(n)])
best = max(pairs, key=lambda p: p[1])            ->   best = largest(pairs, [p[1] for p in pairs])
```

Numba takes no `key=` that reads names around it, none at all in `max` and `min`, and its sort by a key is a quicksort,
which moves elements with equal keys; Python's keeps their order.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import NumbaRewriter, code
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.walking import nodes_of

_PLAIN = frozenset({"range", "len", "zip", "enumerate", "abs", "min", "max", "float", "int", "list", "sum", "round"})
_VIEWS = frozenset({"items", "keys", "values"})

_BEST = """
@njit(error_model="numpy")
def {name}(values, keys):
    # the first of those with the {word} key
    if len(keys) == 0:
        raise ValueError("{builtin}() of nothing")
    best = 0
    for k in range(1, len(keys)):
        if keys[k] {sign} keys[best]:
            best = k
    return values[best]
"""


class Keys(NumbaRewriter):
    """Works out the keys first, then sorts by them as Python does."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        keywords = {a.keyword.value: a for a in updated_node.args if a.keyword is not None}
        if "key" not in keywords or not self.functions:
            return updated_node
        func = original_node.func
        positional = [(old, new) for old, new in zip(original_node.args, updated_node.args, strict=True)
                      if new.keyword is None]  # fmt: skip
        if isinstance(func, cst.Name) and func.value in ("sorted", "max", "min") and not self._is_local(func.value):
            if len(positional) != 1 or positional[0][1].star or set(keywords) - {"key", "reverse"}:
                raise self._refused(original_node, "takes the key of one sequence only")
            old, values = positional[0][0].value, positional[0][1].value
            keys = self._keys(original_node, values, keywords["key"].value)
            if func.value == "sorted":
                return self._sorted(original_node, self._listed(old, values), keys, keywords.get("reverse"))
            signs = {"max": (">", "largest"), "min": ("<", "smallest")}
            sign, word = signs[func.value]
            source = _BEST.replace("{sign}", sign).replace("{word}", word).replace("{builtin}", func.value)
            joined = keys[0] if len(keys) == 1 else self._together(updated_node, values, keywords["key"].value)
            return cst.Call(self.context.helper(word, source), [cst.Arg(self._listed(old, values)), cst.Arg(joined)])
        return updated_node

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.BaseSmallStatement:
        """Writes `rows.sort(key=…)` as `rows[:] = in_order(rows, …)`."""
        call = updated_node.value
        if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or call.func.attr.value != "sort":
            return updated_node
        keywords = {a.keyword.value: a for a in call.args if a.keyword is not None}
        if "key" not in keywords or not self.functions:
            return updated_node
        values = call.func.value
        if not isinstance(values, cst.Name) or len(keywords) != len(call.args) or set(keywords) - {"key", "reverse"}:
            raise self._refused(original_node, "sorts a list with a name only")
        keys = self._keys(original_node, values, keywords["key"].value)
        place = cst.Subscript(values, [cst.SubscriptElement(cst.Slice(None, None))])
        made = self._sorted(original_node, values, keys, keywords.get("reverse"))
        return cst.Assign([cst.AssignTarget(place)], made)

    def _is_local(self, name: str) -> bool:
        return bool(self._locals) and name in self._locals[-1]

    def _refused(self, node: cst.CSTNode, why: str) -> Unsupported:
        line = self.module.line(node)
        return Unsupported(
            f"line {line}: the sort by a key that is written for Numba {why}: give the values a name first, and a "
            "lambda of one value as key", line, "NB-SYNTAX",
        )  # fmt: skip

    def _keys(self, node: cst.CSTNode, values: cst.BaseExpression, key: cst.BaseExpression) -> list[cst.ListComp]:
        """Returns the lists of keys, of tuples one for each place."""
        if not self._is_repeatable(values):
            raise self._refused(node, "reads the values twice")
        target, value = self._key(node, values, key)
        parts = [value]
        if isinstance(value, cst.Tuple) and all(isinstance(e, cst.Element) for e in value.elements):
            parts = [element.value for element in value.elements]
        return [_comprehension(self.context.bare(part), target, values) for part in parts]

    def _together(self, node: cst.CSTNode, values: cst.BaseExpression, key: cst.BaseExpression) -> cst.ListComp:
        target, value = self._key(node, values, key)
        return _comprehension(value, target, values)

    def _key(
        self, node: cst.CSTNode, values: cst.BaseExpression, key: cst.BaseExpression
    ) -> tuple[str, cst.BaseExpression]:
        if isinstance(key, cst.Lambda):
            p = key.params
            plain = len(p.params) == 1 and p.params[0].default is None and not isinstance(p.star_arg, cst.Param)
            if not plain or p.kwonly_params or p.posonly_params or p.star_kwarg is not None:
                raise self._refused(node, "takes a lambda of one value")
            return p.params[0].name.value, key.body
        target = name_tools.fresh("one", name_tools.all_names(self.functions[-1]))
        if isinstance(key, cst.Attribute) and key.attr.value in ("get", "__getitem__"):
            # every value is a key of the dict that is gone through
            if key.attr.value == "get" and code(key.value) != code(values):
                raise self._refused(node, "reads no dict by `.get`")
            element = cst.SubscriptElement(cst.Index(cst.Name(target)))
            return target, cst.Subscript(key.value, [element])
        if isinstance(key, cst.Name) or self.path(key) is not None:
            return target, cst.Call(key, [cst.Arg(cst.Name(target))])
        raise self._refused(node, "takes a lambda or the name of a function")

    def _is_repeatable(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression gives the same values when it is read again."""
        if nodes_of(node, cst.NamedExpr) or _has_generator(node):
            return False
        for call in nodes_of(node, cst.Call):
            path = self.path(call.func)
            if isinstance(call.func, cst.Name) and call.func.value in _PLAIN and not self._is_local(call.func.value):
                continue
            if path is not None and path.startswith("numpy.") and not path.startswith("numpy.random."):
                continue
            if isinstance(call.func, cst.Attribute) and call.func.attr.value in _VIEWS and not call.args:
                continue
            return False
        return True

    def _listed(self, old: cst.BaseExpression, values: cst.BaseExpression) -> cst.BaseExpression:
        """Returns the values as something that has indices."""
        fact = self.fact(old)
        if isinstance(values, cst.ListComp | cst.List) or (fact is not None and fact.kind in ("list", "array")):
            return values
        return cst.Call(cst.Name("list"), [cst.Arg(values)])

    def _sorted(
        self, node: cst.CSTNode, values: cst.BaseExpression, keys: list[cst.ListComp], reverse: cst.Arg | None
    ) -> cst.Call:
        told = "False" if reverse is None else code(reverse.value)
        if told not in ("True", "False"):
            raise self._refused(node, "is told `reverse=True` or `False` only")
        name = "in_order" if told == "False" else "in_falling_order"
        helper = self.context.helper(name, _source(len(keys), told == "True"))
        return cst.Call(helper, [cst.Arg(values), *(cst.Arg(one) for one in keys)])


def _has_generator(node: cst.BaseExpression) -> bool:
    return bool(nodes_of(node, cst.GeneratorExp))


def _comprehension(value: cst.BaseExpression, target: str, values: cst.BaseExpression) -> cst.ListComp:
    return cst.ListComp(value, cst.CompFor(cst.Name(target), values))


def _source(count: int, falling: bool) -> str:
    """Returns a stable sort by one or several keys; falling, elements with equal keys keep their order too."""
    names = ["keys"] if count == 1 else [f"keys_{k}" for k in range(count)]
    backwards = "[::-1]" if falling else ""
    lines = [
        '@njit(error_model="numpy")',
        f"def {{name}}(values, {', '.join(names)}):",
        "    # values with equal keys keep their order, as in Python: Numba's sort by a key moves them",
    ]
    for k, name in enumerate(reversed(names)):
        lines.append(f"    column = {{np}}.array({name}){backwards}")
        lines += ["    for key in column:", "        if key != key:", '            raise ValueError("a key is NaN")']
        ordered = '{np}.argsort(column, kind="mergesort")' if k == 0 else (
            'order[{np}.argsort(column[order], kind="mergesort")]'
        )  # fmt: skip
        lines.append(f"    order = {ordered}")
    lines.append(
        "    return [values[len(values) - 1 - k] for k in order[::-1]]" if falling
        else "    return [values[k] for k in order]"
    )  # fmt: skip
    return "\n" + "\n".join(lines) + "\n"
