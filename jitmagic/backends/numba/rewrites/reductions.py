"""Reductions as Numba has them: float64 accumulators for float32, and the `axis=` and `keepdims=` that it lacks.

`x.sum()` of float32 adds naively in Numba (NB-F32SUM: 2e7 values of 0.1 give 2.097e6), so that the accumulator is asked
for: `np.float32(np.sum(x, dtype=np.float64))`. Only `sum` and `argmin`/`argmax` take an axis (NB-AXIS).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import libcst as cst
import numpy as np

from jitmagic.backends.numba import helpers
from jitmagic.backends.numba.rewrites.context import NumbaRewriter, code, expression
from jitmagic.errors import Unsupported
from jitmagic.observe.facts import ValueFact

_SIGNS = {"argmax": ("<=", "largest"), "argmin": (">=", "smallest")}
_REDUCTIONS = "sum mean std var max min prod any all argmax argmin ptp cumsum cumprod median"
_NAMES = {name: name for name in _REDUCTIONS.split()} | {"amax": "max", "amin": "min"}
_FLOATING = ("sum", "mean", "std", "var", "cumsum", "prod")
_ORDER = ("axis", "dtype", "out", "keepdims")


@dataclass(frozen=True)
class _Reduction:
    """A call of a reduction, with its arguments read."""

    name: str
    array: cst.BaseExpression
    axis: cst.BaseExpression | None
    dtype: cst.BaseExpression | None
    keepdims: bool
    ddof: cst.BaseExpression | None


class Reductions(NumbaRewriter):
    """Rewrites reductions of arrays, function and method form alike."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        name, source, rest = self._callee(original_node, updated_node)
        if name is None or source is None:
            return updated_node
        fact = self.fact(source[0])
        if fact is None or fact.kind != "array" or fact.dtype is None or fact.ndim is None:
            return updated_node
        call = self._read(name, source[1], rest, original_node)
        if call is None:
            return updated_node
        call = replace(call, array=self.context.bare(call.array))
        return self._write(call, fact.dtype, fact.ndim, original_node, updated_node)

    def _callee(
        self, original: cst.Call, updated: cst.Call
    ) -> tuple[str | None, tuple[cst.BaseExpression, cst.BaseExpression] | None, list[cst.Arg]]:
        """Returns the reduction's name, its array (as it was, as it is now), and the other arguments."""
        path = self.path(original.func)
        if path is not None and path.startswith("numpy."):
            name = _NAMES.get(path.removeprefix("numpy."))
            if name is not None and original.args and original.args[0].keyword is None and not original.args[0].star:
                return name, (original.args[0].value, updated.args[0].value), list(updated.args[1:])
        elif path is None and isinstance(original.func, cst.Attribute) and isinstance(updated.func, cst.Attribute):
            name = _NAMES.get(original.func.attr.value)
            if name is not None:
                return name, (original.func.value, updated.func.value), list(updated.args)
        return None, None, []

    def _read(self, name: str, array: cst.BaseExpression, rest: list[cst.Arg], call: cst.Call) -> _Reduction | None:
        found: dict[str, cst.BaseExpression] = {}
        for position, argument in enumerate(rest):
            if argument.star:
                return None
            key = argument.keyword.value if argument.keyword is not None else _ORDER[min(position, 3)]
            found[key] = argument.value
        for key in found:
            if key not in ("axis", "dtype", "keepdims", "ddof", "out"):
                line = self.module.line(call)
                raise Unsupported(f"line {line}: Numba's `{name}` has no `{key}=`", line, "NB-AXIS")
        if "out" in found:
            line = self.module.line(call)
            raise Unsupported(
                f"line {line}: Numba's `{name}` has no `out=`: assign its result instead", line, "NB-AXIS"
            )
        axis = found.get("axis")
        if axis is not None and code(axis) == "None":
            axis = None
        keepdims = found.get("keepdims")
        if keepdims is not None and code(keepdims) not in ("True", "False"):
            return None
        keep = keepdims is not None and code(keepdims) == "True"
        return _Reduction(name, array, axis, found.get("dtype"), keep, found.get("ddof"))

    def _write(
        self, call: _Reduction, dtype: str, ndim: int, original: cst.Call, updated: cst.Call
    ) -> cst.BaseExpression:
        narrow = dtype in ("float32", "complex64") and call.dtype is None
        if call.axis is None and not call.keepdims:
            return self._whole(call, dtype, ndim, narrow, updated, self.fact(original))
        line = self.module.line(original)
        if call.axis is None:
            if call.name in ("any", "all", "argmax", "argmin", "max", "min", "sum", "mean", "prod", "std", "var"):
                bare = _Reduction(call.name, call.array, None, call.dtype, False, call.ddof)
                value = self._whole(bare, dtype, ndim, narrow, self._bare(call))
                shape = "(" + ", ".join(["1"] * ndim) + ("," if ndim == 1 else "") + ")"
                kind = self.fact(original)
                if kind is not None and kind.dtype is not None:
                    full, of = self.context.imports.code("numpy.full"), self.context.imports.code(f"numpy.{kind.dtype}")
                    return expression(f"{full}({shape}, {{x}}, dtype={of})", x=value)
            raise Unsupported(f"line {line}: Numba's `{call.name}` has no `keepdims=`", line, "NB-AXIS")
        axes = self._axes(call.axis, ndim)
        if axes is None:
            raise Unsupported(
                f"line {line}: the axis `{code(call.axis)}` has to be a constant for Numba", line, "NB-AXIS"
            )
        if len(axes) == ndim and ndim > 1:
            whole = replace(call, axis=None)
            return self._write(whole, dtype, ndim, original, self._bare(call))
        short = len(axes) == 1 and (_is_name(call.array) or not call.keepdims)
        simple = call.name in ("sum", "mean", "argmax", "argmin", "cumsum", "cumprod") and short
        if ndim > 1 and not simple and call.name in helpers.REDUCED and call.dtype is None:
            made = self._looped(call, axes, dtype, ndim, original)
            if made is not None:
                return made
        if len(axes) > 1:
            raise Unsupported(
                f"line {line}: `{call.name}` over several axes at once is not written for Numba", line, "NB-AXIS"
            )
        value = self._along(call, axes[0], dtype, ndim, narrow, line)
        return self._kept(value, call.array, axes, ndim) if call.keepdims else value

    def _bare(self, call: _Reduction) -> cst.Call:
        return cst.Call(cst.Attribute(self.context.operand(call.array), cst.Name(call.name)), [])

    def _axes(self, node: cst.BaseExpression, ndim: int) -> tuple[int, ...] | None:
        try:
            value = eval(code(node), {"__builtins__": {}})  # only a literal evaluates without names
        except (NameError, SyntaxError, TypeError):
            fact = self.fact(node)
            if fact is None or fact.kind != "int" or fact.low is None or fact.low != fact.high:
                return None
            return None
        values = value if isinstance(value, tuple) else (value,)
        if not all(isinstance(v, int) and -ndim <= v < ndim for v in values):
            return None
        return tuple(sorted(v % ndim for v in values))

    def _whole(
        self, call: _Reduction, dtype: str, ndim: int, narrow: bool, updated: cst.Call,
        result: ValueFact | None = None,
    ) -> cst.BaseExpression:  # fmt: skip
        """Writes a reduction of the whole array."""
        np_sum = self.context.imports.code("numpy.sum")
        wide = self.context.imports.code("numpy.complex128" if dtype == "complex64" else "numpy.float64")
        if call.name == "mean" and narrow and not _is_name(call.array):
            helper = self.context.helper("mean", helpers.MEAN.replace("{wide}", wide.split(".")[-1]))
            return self.context.cast(dtype, expression(f"{code(helper)}({{x}})", x=call.array))
        if call.name in ("sum", "mean") and narrow:
            total = expression(f"{np_sum}({{x}}, dtype={wide})", x=call.array)
            if call.name == "mean":
                total = expression("{t} / {x}.size", t=total, x=self.context.operand(call.array))
            return self.context.cast(dtype, total)
        if call.name in ("std", "var") and (narrow or call.ddof is not None):
            if np.dtype(dtype).kind == "c":
                return updated
            helper = self.context.helper("variance", helpers.VARIANCE)
            ddof = code(call.ddof) if call.ddof is not None else "0"
            value: cst.BaseExpression = expression(f"{code(helper)}({{x}}, {ddof})", x=call.array)
            if call.name == "std":
                value = expression(f"{self.context.imports.code('numpy.sqrt')}({{v}})", v=value)
            return self.context.cast(dtype, value) if narrow else value
        if call.name == "median" and dtype in ("float64", "float32"):
            helper = self.context.helper("median", helpers.MEDIAN)
            return expression(f"{code(helper)}({{x}})", x=call.array)
        if call.name in _SIGNS and ndim == 1 and dtype in ("float64", "float32"):
            sign, word = _SIGNS[call.name]
            source = helpers.FIRST_EXTREMUM.replace("{sign}", sign).replace("{word}", word)
            helper = self.context.helper(f"first_{word}", source.replace("{reduction}", call.name))
            return expression(f"{code(helper)}({{x}})", x=call.array)
        if call.name in ("max", "min", "argmax", "argmin") and self.context.parallel:
            return self._serial_extremum(call)
        if call.dtype is not None and call.name not in ("sum",):
            cast = expression(f"{{x}}.astype({code(call.dtype)})", x=self.context.operand(call.array))
            value = expression(f"{{x}}.{call.name}()", x=cast)
            small = result is not None and result.dtype is not None and np.dtype(result.dtype).kind in "biu"
            if result is None or result.dtype is None or not small or np.dtype(result.dtype).itemsize == 8:
                return value
            # Numba adds up and multiplies whole numbers in 64 bits: the last bits are the same
            if result.kind == "array":
                return expression(f"{{v}}.astype({code(call.dtype)})", v=value)
            return self.context.cast(result.dtype, value)
        return updated

    def _serial_extremum(self, call: _Reduction) -> cst.BaseExpression:
        """Calls a helper compiled without `parallel`: there NaN is not lost (NB-NAN-PAR)."""
        source = helpers.SERIAL.replace("{reduction}", call.name)
        helper = self.context.helper(f"serial_{call.name}", source)
        return expression(f"{code(helper)}({{x}})", x=call.array)

    def _along(
        self, call: _Reduction, axis: int, dtype: str, ndim: int, narrow: bool, line: int | None
    ) -> cst.BaseExpression:
        """Writes a reduction along one axis."""
        imports = self.context.imports
        name = call.name
        if name == "mean" and not _is_name(call.array):
            accumulator = {"float32": "float64", "complex64": "complex128"}.get(dtype, "")
            asked = f", dtype={{np}}.{accumulator}" if accumulator else ""
            helper = self.context.helper(f"mean_axis{axis}", helpers.mean_along(axis, asked))
            value = expression(f"{code(helper)}({{x}})", x=call.array)
            return expression(f"{{v}}.astype({imports.code(f'numpy.{dtype}')})", v=value) if narrow else value
        if name in ("sum", "mean") and np.dtype(dtype).kind in "fc":
            accumulator = "complex128" if np.dtype(dtype).kind == "c" else "float64"
            asked = f", dtype={imports.code(f'numpy.{accumulator}')}" if narrow else ""
            if call.dtype is not None:
                asked = f", dtype={code(call.dtype)}"
            total = expression(f"{imports.code('numpy.sum')}({{x}}, axis={axis}{asked})", x=call.array)
            if name == "mean":
                total = expression(f"{{t}} / {{x}}.shape[{axis}]", t=total, x=self.context.operand(call.array))
            if narrow:
                kind = imports.code(f"numpy.{dtype}")
                return expression(f"{{t}}.astype({kind})", t=self.context.operand(total))
            return total
        if name in ("sum", "mean"):
            total = expression(f"{imports.code('numpy.sum')}({{x}}, axis={axis})", x=call.array)
            if name == "mean":
                total = expression(f"{{t}} / {{x}}.shape[{axis}]", t=total, x=self.context.operand(call.array))
            return total
        if name in ("argmax", "argmin"):
            return expression(f"{imports.code(f'numpy.{name}')}({{x}}, axis={axis})", x=call.array)
        if name in ("std", "var") and np.dtype(dtype).kind != "c":
            source = helpers.variance_along(ndim, axis)
            helper = self.context.helper(f"variance_axis{axis}", source)
            ddof = code(call.ddof) if call.ddof is not None else "0"
            value = expression(f"{code(helper)}({{x}}, {ddof})", x=call.array)
            if name == "std":
                value = expression(f"{imports.code('numpy.sqrt')}({{v}})", v=value)
            if narrow:
                value = expression(f"{{v}}.astype({imports.code(f'numpy.{dtype}')})", v=value)
            return value
        if ndim == 1 and name in ("max", "min", "prod", "any", "all", "median", "ptp"):
            bare = _Reduction(name, call.array, None, None, False, None)
            return self._whole(bare, dtype, ndim, narrow, self._bare(call))
        if ndim == 1 and name in ("cumsum", "cumprod"):
            return expression(f"{{x}}.{name}()", x=self.context.operand(call.array))
        if name in ("max", "min", "prod", "any", "all", "cumsum", "cumprod"):
            helper = self.context.helper(f"{name}_axis{axis}", helpers.along_axis(name, ndim, axis, dtype))
            return expression(f"{code(helper)}({{x}})", x=call.array)
        raise Unsupported(
            f"line {line}: Numba's `{name}` has no `axis=`, and there is no short way to write it", line, "NB-AXIS"
        )

    def _looped(
        self, call: _Reduction, axes: tuple[int, ...], dtype: str, ndim: int, original: cst.Call
    ) -> cst.BaseExpression | None:
        """Writes a reduction along axes through a helper of loops."""
        fact = self.fact(original)
        spread = call.name in ("std", "var")
        if fact is None or fact.dtype is None or (spread and np.dtype(dtype).kind == "c"):
            return None
        if call.name in ("max", "min") and np.dtype(dtype).kind == "c":
            return None
        inside = call.keepdims and not (_is_name(call.array) or ndim - len(axes) == 1)
        source = helpers.reduced(call.name, ndim, axes, dtype, fact.dtype, inside)
        label = f"{call.name}_axis{axes[0]}" if len(axes) == 1 else f"{call.name}_axes{''.join(map(str, axes))}"
        helper = self.context.helper(label, source)
        more = f", {code(call.ddof) if call.ddof is not None else '0'}" if spread else ""
        value = expression(f"{code(helper)}({{x}}{more})", x=call.array)
        return self._kept(value, call.array, axes, ndim) if call.keepdims and not inside else value

    def _kept(
        self, value: cst.BaseExpression, array: cst.BaseExpression, axes: tuple[int, ...], ndim: int
    ) -> cst.BaseExpression:
        """Gives the reduced axes back with length 1.

        By `reshape` with a literal 1: `expand_dims` hides from `parallel=True` that it may broadcast the axis.
        """
        kept = [axis for axis in range(ndim) if axis not in axes]
        if len(kept) > 1 and not _is_name(array):
            raise Unsupported(f"`{code(array)}` has to have a name for `keepdims=` under Numba", None, "NB-AXIS")
        sizes = ["1"] * ndim
        for axis in kept:
            sizes[axis] = "-1" if len(kept) == 1 else f"{code(self.context.operand(array))}.shape[{axis}]"
        return expression(f"{{v}}.reshape({', '.join(sizes)})", v=self.context.operand(value))


def _is_name(node: cst.BaseExpression) -> bool:
    """Says whether an expression costs nothing to write twice."""
    return isinstance(node, cst.Name | cst.Attribute)
