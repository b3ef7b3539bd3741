"""Writes `np.add.at`, `np.add.outer` and `np.add.reduce`, which Numba's ufuncs do not have."""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import NumbaRewriter, expression

_REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_or": "any",
               "logical_and": "all"}  # fmt: skip
_SCANS = {"add": "cumsum", "multiply": "cumprod"}
_AT = {"add": "+=", "subtract": "-=", "multiply": "*="}

_ADD_AT = """
@njit(error_model="numpy")
def {name}(out, index, values):
    # np.{ufunc}.at: repeated indices count each time
    for i in range(index.size):
        out[index[i]] {operator} values{element}
"""


class UfuncMethods(NumbaRewriter):
    """Rewrites the methods of ufuncs for arrays of one axis, and `reduce` along any axis."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        path = self.path(original_node.func) or ""
        parts = path.split(".")
        if len(parts) != 3 or parts[0] != "numpy" or any(a.star for a in updated_node.args):
            return updated_node
        _, ufunc, method = parts
        facts = [self.fact(a.value) for a in original_node.args]
        arrays = all(fact is not None and fact.kind == "array" for fact in facts)
        positional = all(a.keyword is None for a in updated_node.args)
        ndims = [fact.ndim if fact is not None else None for fact in facts]
        imports = self.context.imports
        if method == "reduce" and ufunc in _REDUCTIONS and facts and facts[0] is not None and ndims[0]:
            named = {a.keyword.value for a in updated_node.args if a.keyword is not None}
            if named - {"axis"} or len(updated_node.args) > 2:
                return updated_node
            call = updated_node.with_changes(func=imports.spell(f"numpy.{_REDUCTIONS[ufunc]}"))
            if len(updated_node.args) == 1 and ndims[0] > 1:
                axis = cst.Arg(cst.Integer("0"), keyword=cst.Name("axis"), equal=_equal())
                call = call.with_changes(args=[*_with_comma(call.args), axis])
            return call
        if method == "accumulate" and positional and arrays and ndims == [1] and ufunc in _SCANS:
            return updated_node.with_changes(func=imports.spell(f"numpy.{_SCANS[ufunc]}"))
        if method == "outer" and positional and arrays and ndims == [1, 1]:
            first, second = (a.value for a in updated_node.args)
            contiguous = imports.code("numpy.ascontiguousarray")
            column = expression(f"{contiguous}({{x}}).reshape(-1, 1)", x=first)
            return expression(f"{imports.code(f'numpy.{ufunc}')}({{x}}, {{y}})", x=column, y=second)
        if method == "at" and ufunc in _AT and positional and len(facts) == 3:
            several = self._at_several(ufunc, original_node, updated_node)
            if several is not None:
                return several
        if method == "at" and ufunc in _AT and positional and len(facts) == 3 and ndims[:2] == [1, 1]:
            index, values = facts[1], facts[2]
            if index is None or index.kind != "array" or index.dtype == "bool" or values is None:
                return updated_node
            element = "[i]" if values.kind == "array" and values.ndim == 1 else ""
            if values.kind == "array" and not element:
                return updated_node
            source = _ADD_AT.replace("{ufunc}", ufunc).replace("{operator}", _AT[ufunc]).replace("{element}", element)
            label = f"{ufunc}_at" if element else f"{ufunc}_number_at"
            return updated_node.with_changes(func=self.context.helper(label, source))
        return updated_node

    def _at_several(self, ufunc: str, original: cst.Call, updated: cst.Call) -> cst.BaseExpression | None:
        """Writes `np.add.at(x, (rows, columns), values)`."""
        index, new = original.args[1].value, updated.args[1].value
        base, values = self.fact(original.args[0].value), self.fact(original.args[2].value)
        if not isinstance(index, cst.Tuple) or not isinstance(new, cst.Tuple) or base is None or values is None:
            return None
        facts = [self.fact(element.value) for element in index.elements]
        plain = all(f is not None and f.kind == "array" and f.ndim == 1 and f.dtype != "bool" for f in facts)
        if not plain or base.ndim != len(facts) or (values.kind == "array" and values.ndim != 1):
            return None
        names = ["rows", "columns"] if len(facts) == 2 else [f"index_{k}" for k in range(len(facts))]
        element = "[k]" if values.kind == "array" else ""
        different = " or ".join(f"{name}.size != {names[0]}.size" for name in names[1:])
        lines = [
            '@njit(error_model="numpy")',
            f"def {{name}}(out, {', '.join(names)}, values):",
            f"    # np.{ufunc}.at: repeated indices count each time",
            f"    if {different}{f' or values.size != {names[0]}.size' if element else ''}:",
            '        raise IndexError("index arrays of different lengths")',
            f"    for k in range({names[0]}.size):",
            f"        out[{', '.join(f'{name}[k]' for name in names)}] {_AT[ufunc]} values{element}",
        ]
        helper = self.context.helper(f"{ufunc}_at", "\n" + "\n".join(lines) + "\n")
        indices = [e.value for e in new.elements]
        given = [updated.args[0].value, *indices, updated.args[2].value]
        return cst.Call(helper, [cst.Arg(self.context.bare(one)) for one in given])


def _with_comma(args: object) -> list[cst.Arg]:
    return [a.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))) for a in args]  # type: ignore[attr-defined]


def _equal() -> cst.AssignEqual:
    return cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
