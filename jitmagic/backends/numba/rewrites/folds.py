"""Writes `functools.reduce` as a loop in a function of the draft; Numba takes no functions as values there.

```
reduce(np.dot, layers)                          @njit
                                                def folded(values):
                                       ->           result = values[0]
                                                    for k in range(1, len(values)):
                                                        result = np.dot(result, values[k])
                                                    return result
```
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import NumbaRewriter, code
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


class Folds(NumbaRewriter):
    """Rewrites calls with a function of NumPy's, one of the module, or a lambda that reads nothing else."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        args = updated_node.args
        if self.path(original_node.func) != "functools.reduce" or len(args) not in (2, 3) or not self.functions:
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

    def _step(self, func: cst.BaseExpression) -> str | None:
        """Returns the text of what is done with the result so far and the next value; None where that is not known."""
        if isinstance(func, cst.Lambda):
            names = name_tools.parameters(func)
            plain = len(names) == 2 and all(p.default is None for p in func.params.params)
            read = name_tools.loads(func.body) - set(names)
            if not plain or read & self._locals[-1] or "\n" in code(func.body):
                return None
            body = func.body.visit(_Renamed({names[0]: "result", names[1]: "values[k]"}))
            return code(body) if isinstance(body, cst.BaseExpression) else None
        path = self.path(func)
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
