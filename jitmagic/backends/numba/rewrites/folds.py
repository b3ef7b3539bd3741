"""Writes `functools.reduce` as a loop in a function of the draft; Numba takes no functions as values there.

```
reduce(np.dot, layers)                          @njit
                                                def folded(values):
                                       ->           result = values[0]
                                                    for k in range(1, len(values)):
                                                        result = np.dot(result, values[k])
                                                    return result
```

So it writes `itertools.accumulate`, whose values are a list then.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import in_one_line
from jitmagic.generate.walking import Transformer

_FOLDED = """
@njit(error_model="numpy")
def {name}({given}):
    # reduce({said})
{start}
    for k in range({first}, len(values)):
        result = {step}
    return result
"""


_ACCUMULATED = """
@njit(error_model="numpy")
def {name}(values):
    # accumulate({said})
    found = []
    if len(values) > 0:
        result = values[0]
        found.append(result)
        for k in range(1, len(values)):
            result = {step}
            found.append(result)
    return found
"""

_ACCUMULATED_FROM = """
@njit(error_model="numpy")
def {name}(values, result):
    # accumulate({said})
    found = [result]
    for k in range(len(values)):
        result = {step}
        found.append(result)
    return found
"""

_OPERATORS = {"operator.add": "+", "operator.mul": "*", "operator.sub": "-", "operator.truediv": "/",
              "operator.or_": "|", "operator.and_": "&", "operator.xor": "^"}  # fmt: skip
_NUMBERS = frozenset({"int", "float", "complex"})
_PLAIN = frozenset({"int64", "float64", "float32", "complex128"})
"""Those of which Numba's sums have the dtype of NumPy's."""


class Folds(NumbaRewriter):
    """Rewrites calls with a function of NumPy's, one of the module, or a lambda that reads nothing else."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._lists: set[cst.BaseExpression] = set()

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        args = updated_node.args
        func = original_node.func
        if self.path(func) == "itertools.accumulate" and args and self.functions:
            return self._accumulated(original_node, updated_node)
        if code(func) == "list" and "list" not in self.own_names and len(args) == 1 and args[0].value in self._lists:
            return args[0].value
        if self.path(func) != "functools.reduce" or len(args) not in (2, 3) or not self.functions:
            return updated_node
        fact = self.fact(original_node.args[1].value)
        if any(a.star or a.keyword for a in args) or fact is None or fact.kind not in ("list", "array"):
            return updated_node
        step = self._step(args[0].value)
        if step is None:
            return updated_node
        begins = len(args) == 3
        source = _FOLDED.replace("{given}", "values, result" if begins else "values").replace("{step}", step)
        source = source.replace("{first}", "0" if begins else "1")
        start = '    if len(values) == 0:\n        raise TypeError("reduce of an empty list")\n    result = values[0]'
        source = source.replace("\n{start}", "" if begins else f"\n{start}")
        said = in_one_line(args[0].value).replace("{", "(").replace("}", ")")
        source = source.replace("{said}", f"{said}, …")
        helper = self.context.helper("folded", source)
        return cst.Call(helper, [cst.Arg(self.context.bare(a.value)) for a in args[1:]])

    def _accumulated(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Returns a call of loops that make a list of all that `accumulate` gives, one by one."""
        args = list(updated.args)
        initial = [a.value for a in args if a.keyword is not None and a.keyword.value == "initial"]
        given = [a for a in args if a.keyword is None or a.keyword.value == "func"]
        fact = self.fact(original.args[0].value)
        items = fact.items if fact is not None else ()
        numbers = fact is not None and (
            (fact.kind == "array" and fact.ndim == 1 and fact.dtype in _PLAIN)
            or (fact.kind == "list" and all(i.kind in _NUMBERS or i.dtype in _PLAIN for i in items) and bool(items))
        )
        if not numbers or len(given) + len(initial) != len(args) or len(given) > 2 or any(a.star for a in args):
            return updated
        step = self._step(given[1].value) if len(given) == 2 else "result + values[k]"
        if step is None or code(initial[0] if initial else original) == "None":
            return updated
        said = " ".join(code(original).partition("(")[2][:-1].split()).replace("{", "(").replace("}", ")")
        source = (_ACCUMULATED_FROM if initial else _ACCUMULATED).replace("{step}", step).replace("{said}", said)
        values = [given[0].value, *initial]
        made = cst.Call(self.context.helper("accumulated", source), [cst.Arg(self.context.bare(v)) for v in values])
        self._lists.add(made)
        return made

    def _step(self, func: cst.BaseExpression) -> str | None:
        """Returns the text of what is done with the result so far and the next value; None where that is not known."""
        if isinstance(func, cst.Name) and func.value in ("max", "min") and func.value not in self.own_names:
            sign = ">" if func.value == "max" else "<"
            return f"values[k] if values[k] {sign} result else result"
        if isinstance(func, cst.Lambda):
            names = name_tools.parameters(func)
            plain = len(names) == 2 and all(p.default is None for p in func.params.params)
            read = name_tools.loads(func.body) - set(names)
            if not plain or read & self._locals[-1] or "\n" in code(func.body):
                return None
            body = func.body.visit(_Renamed({names[0]: "result", names[1]: "values[k]"}))
            return code(body) if isinstance(body, cst.BaseExpression) else None
        path = self.path(func)
        if path in _OPERATORS:
            return f"result {_OPERATORS[path]} values[k]"
        if path is not None and path.startswith("numpy."):
            return f"{self.context.imports.code(path)}(result, values[k])"
        own = {function.name.value for function in self.module.functions()}
        if isinstance(func, cst.Name) and func.value in own and func.value not in self._locals[-1]:
            return f"{func.value}(result, values[k])"
        return None


class _Renamed(Transformer):
    def __init__(self, names: dict[str, str]) -> None:
        super().__init__()
        self.names = names

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        new = self.names.get(original_node.value)
        return updated_node if new is None else cst.parse_expression(new)
