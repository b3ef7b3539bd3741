"""Writes SciPy's special functions, which Numba does not know, as `@vectorize`d functions of Python's `math`."""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import NumbaRewriter
from jitmagic.errors import Unsupported

_BODIES = {
    "erf": ("x", "{math}.erf(x)"),
    "erfc": ("x", "{math}.erfc(x)"),
    "gamma": ("x", "{math}.gamma(x)"),
    "gammaln": ("x", "{math}.lgamma(x)"),
    "loggamma": ("x", "{math}.lgamma(x)"),
    "expit": ("x", "1.0 / (1.0 + {math}.exp(-x))"),
    "logit": ("x", "{math}.log(x / (1.0 - x))"),
    "ndtr": ("x", "0.5 * {math}.erfc(-x / {math}.sqrt(2.0))"),
    "xlogy": ("x, y", "0.0 if x == 0.0 and not {math}.isnan(y) else x * {math}.log(y)"),
    "expm1": ("x", "{math}.expm1(x)"),
    "log1p": ("x", "{math}.log1p(x)"),
    "norm_pdf": ("x", "{math}.exp(-0.5 * x * x) / {math}.sqrt(2.0 * {math}.pi)"),
}
_PATHS = {f"scipy.special.{name}": name for name in _BODIES if not name.startswith("norm_")} | {
    "scipy.special._ufuncs." + name: name for name in _BODIES if not name.startswith("norm_")
}
_NORMAL = {"scipy.stats.norm.cdf": "ndtr", "scipy.stats.norm.pdf": "norm_pdf"}

_FUNCTION = """
@vectorize
def {name}({parameters}):
    # {path}, by Python's math
    return {body}
"""


class Special(NumbaRewriter):
    """Rewrites `scipy.special.erf(x)` as a call of a small `@vectorize`d function that the draft carries."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        path = self.path(original_node.func) or ""
        known = _PATHS.get(path) or _NORMAL.get(path)
        if known is None:
            return updated_node
        parameters, body = _BODIES[known]
        result = self.fact(original_node)
        plain = all(a.keyword is None and not a.star for a in updated_node.args)
        real = result is None or result.dtype in (None, "float32", "float64")
        if not plain or not real or len(updated_node.args) != parameters.count(",") + 1:
            line = self.module.line(original_node)
            raise Unsupported(
                f"line {line}: `{path}` is written for Numba only for real numbers, all given by position",
                line,
                "NB-NOFUNC",
            )
        imports = self.context.imports
        body = body.replace("{math}", imports.code("math.erf").rsplit(".", 1)[0])
        if result is not None and result.dtype == "float32":
            body = f"{imports.code('numpy.float32')}({body})"
        imports.spell("numba.vectorize")
        source = _FUNCTION.replace("{parameters}", parameters).replace("{body}", body).replace("{path}", path)
        label = known if result is None or result.dtype != "float32" else f"{known}_float32"
        return updated_node.with_changes(func=self.context.helper(label, source))
