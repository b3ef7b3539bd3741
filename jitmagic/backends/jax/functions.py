"""What JAX has of NumPy and SciPy, as data: which paths exist, and what to do about those that do not.

Checked against JAX 0.10 (names that 0.5 has too are not told apart: the check in the worker finds what is missing).
"""

from __future__ import annotations

_NUMPY = """
abs absolute acos acosh add all allclose amax amin angle any append apply_along_axis apply_over_axes arange arccos
arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort argwhere around array array_equal
array_equiv array_split asarray asin asinh astype atan atan2 atanh atleast_1d atleast_2d atleast_3d average bartlett
bincount bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
bitwise_xor blackman block bool bool_ broadcast_arrays broadcast_shapes broadcast_to c_ can_cast cbrt ceil choose clip
column_stack complex128 complex64 complexfloating compress concat concatenate conj conjugate convolve copy copysign
corrcoef correlate cos cosh count_nonzero cov cross cumprod cumsum cumulative_prod cumulative_sum deg2rad degrees delete
diag diag_indices diag_indices_from diagflat diagonal diff digitize divide divmod dot double dsplit dstack dtype e
ediff1d einsum einsum_path empty empty_like equal euler_gamma exp exp2 expand_dims expm1 extract eye fabs fill_diagonal
finfo flatnonzero flip fliplr flipud float16 float32 float64 float_power floating floor floor_divide fmax fmin fmod
frexp fromfunction full full_like gcd generic geomspace gradient greater greater_equal hamming hanning heaviside
histogram histogram2d histogram_bin_edges histogramdd hsplit hstack hypot i0 identity iinfo imag index_exp indices
inexact inf inner insert int16 int32 int64 int8 integer interp intersect1d invert isclose iscomplex iscomplexobj isdtype
isfinite isin isinf isnan isneginf isposinf isreal isrealobj isscalar issubdtype iterable ix_ kaiser kron lcm ldexp
left_shift less less_equal lexsort linspace log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or
logical_xor logspace mask_indices matmul matrix_transpose matvec max maximum mean median meshgrid mgrid min minimum mod
modf moveaxis multiply nan nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin
nanpercentile nanprod nanquantile nanstd nansum nanvar ndarray ndim negative newaxis nextafter nonzero not_equal number
ogrid ones ones_like outer packbits pad partition percentile permute_dims pi piecewise poly polyadd polyder polydiv
polyfit polyint polymul polysub polyval positive pow power prod promote_types ptp quantile r_ rad2deg radians ravel
ravel_multi_index real reciprocal remainder repeat reshape resize result_type right_shift rint roll rollaxis roots rot90
round s_ searchsorted select setdiff1d setxor1d shape sign signbit signedinteger sin sinc single sinh size sort
sort_complex spacing split sqrt square squeeze stack std subtract sum swapaxes take take_along_axis tan tanh tensordot
tile trace transpose trapezoid tri tril tril_indices tril_indices_from trim_zeros triu triu_indices triu_indices_from
true_divide trunc uint16 uint32 uint64 uint8 union1d unique unravel_index unsignedinteger unstack unwrap vander var vdot
vecdot vecmat vectorize vsplit vstack where zeros zeros_like put_along_axis unpackbits
"""
_LINALG = """
cholesky cond cross det diagonal eig eigh eigvals eigvalsh inv lstsq matmul matrix_norm matrix_power matrix_rank
matrix_transpose multi_dot norm outer pinv qr slogdet solve svd svdvals tensordot tensorinv tensorsolve trace vecdot
vector_norm
"""
_FFT = (
    "fft fft2 fftfreq fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft irfft2 irfftn rfft rfft2 rfftfreq rfftn"
)
_SPECIAL = """
bernoulli beta betainc betaln comb digamma entr erf erfc erfcx erfinv exp1 expi expit expn factorial gamma gammainc
gammaincc gammaln hyp1f1 i0 i0e i1 i1e kl_div log_ndtr log_softmax logit logsumexp multigammaln ndtr ndtri poch
polygamma rel_entr softmax spence xlog1py xlogy zeta
"""
_SCIPY_LINALG = """
block_diag cho_factor cho_solve cholesky det dft eigh eigh_tridiagonal expm hilbert inv lu lu_factor lu_solve polar qr
schur solve solve_triangular sqrtm svd toeplitz
"""
_SCIPY_SIGNAL = "convolve convolve2d correlate correlate2d detrend fftconvolve"

PATHS: dict[str, str] = {
    **{f"numpy.{n}": f"jax.numpy.{n}" for n in _NUMPY.split()},
    **{f"numpy.linalg.{n}": f"jax.numpy.linalg.{n}" for n in _LINALG.split()},
    **{f"numpy.fft.{n}": f"jax.numpy.fft.{n}" for n in _FFT.split()},
    **{f"scipy.fft.{n}": f"jax.numpy.fft.{n}" for n in _FFT.split()},
    **{f"scipy.special.{n}": f"jax.scipy.special.{n}" for n in _SPECIAL.split()},
    **{f"scipy.linalg.{n}": f"jax.scipy.linalg.{n}" for n in _SCIPY_LINALG.split()},
    **{f"scipy.signal.{n}": f"jax.scipy.signal.{n}" for n in _SCIPY_SIGNAL.split()},
    "scipy.linalg.norm": "jax.numpy.linalg.norm",
    "scipy.integrate.trapezoid": "jax.scipy.integrate.trapezoid",
    "scipy.ndimage.map_coordinates": "jax.scipy.ndimage.map_coordinates",
    "numpy.trapz": "jax.numpy.trapezoid",
    "numpy.in1d": "jax.numpy.isin",
    "numpy.intp": "jax.numpy.int64",
    "numpy.int_": "jax.numpy.int64",
    "numpy.uint": "jax.numpy.uint64",
    "numpy.csingle": "jax.numpy.complex64",
    "numpy.cdouble": "jax.numpy.complex128",
    "numpy.Inf": "jax.numpy.inf",
    "numpy.NaN": "jax.numpy.nan",
    # JAX has no memory order: these only copy
    "numpy.ascontiguousarray": "jax.numpy.asarray",
    "numpy.asfortranarray": "jax.numpy.asarray",
    "numpy.asanyarray": "jax.numpy.asarray",
    "numpy.asarray_chkfinite": "jax.numpy.asarray",
    # JAX's ufuncs have reduce and accumulate
    **{
        f"numpy.{u}.{m}": f"jax.numpy.{u}.{m}"
        for u in ("add", "multiply", "maximum", "minimum", "logical_and", "logical_or", "bitwise_or", "bitwise_and")
        for m in ("reduce", "accumulate", "outer", "reduceat")
    },
    **{f"numpy.{u}.outer": f"jax.numpy.{u}.outer" for u in ("subtract", "divide", "power", "less", "greater", "equal")},
}
for _name in _SPECIAL.split():
    PATHS.setdefault(f"scipy.special._ufuncs.{_name}", f"jax.scipy.special.{_name}")
for _method in ("cdf", "isf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"):
    PATHS[f"scipy.stats.norm.{_method}"] = f"jax.scipy.stats.norm.{_method}"

CONSTANTS = frozenset({"pi", "e", "inf", "nan", "newaxis", "euler_gamma"})
"""Members of numpy that are plain Python values."""

SHAPE_ONLY = frozenset(
    f"numpy.{n}"
    for n in (
        "shape", "ndim", "size", "result_type", "promote_types", "finfo", "iinfo", "dtype", "issubdtype",
        "iscomplexobj", "isrealobj", "can_cast", "broadcast_shapes",
    )
)  # fmt: skip
"""Functions whose result is known while tracing, whatever they are given."""

DATA_DEPENDENT = frozenset(
    f"numpy.{n}"
    for n in (
        "nonzero", "flatnonzero", "argwhere", "unique", "compress", "extract", "union1d", "intersect1d", "setdiff1d",
        "setxor1d", "trim_zeros",
    )
)  # fmt: skip
"""Functions whose result's shape depends on values."""

MATH = {
    "math.sqrt": "sqrt", "math.exp": "exp", "math.log": "log", "math.log2": "log2", "math.log10": "log10",
    "math.log1p": "log1p", "math.expm1": "expm1", "math.sin": "sin", "math.cos": "cos", "math.tan": "tan",
    "math.asin": "arcsin", "math.acos": "arccos", "math.atan": "arctan", "math.atan2": "arctan2", "math.sinh": "sinh",
    "math.cosh": "cosh", "math.tanh": "tanh", "math.asinh": "arcsinh", "math.acosh": "arccosh", "math.atanh": "arctanh",
    "math.hypot": "hypot", "math.fabs": "abs", "math.isnan": "isnan", "math.isinf": "isinf",
    "math.isfinite": "isfinite",
    "math.degrees": "degrees", "math.radians": "radians", "math.copysign": "copysign", "math.fmod": "fmod",
    "math.pow": "float_power", "math.cbrt": "cbrt", "math.exp2": "exp2",
    "cmath.exp": "exp", "cmath.sqrt": "sqrt", "cmath.log": "log", "cmath.sin": "sin", "cmath.cos": "cos",
}  # fmt: skip
"""Scalar functions that agree with a function of jax.numpy where they do not raise."""

MATH_SPECIAL = {"math.erf": "erf", "math.erfc": "erfc", "math.lgamma": "gammaln", "math.gamma": "gamma"}
"""Scalar functions that jax.scipy.special has."""

_ELEMENTWISE_NAMES = """
abs absolute add angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh around bitwise_and bitwise_or
bitwise_xor cbrt ceil clip conj conjugate copysign cos cosh deg2rad degrees divide equal exp exp2 expm1 fabs
float_power floor floor_divide fmax fmin fmod greater greater_equal heaviside hypot imag invert isfinite isinf isnan
less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor maximum
minimum mod multiply nan_to_num negative not_equal positive power rad2deg radians real reciprocal remainder rint
round sign sin sinc sinh sqrt square subtract tan tanh true_divide trunc where
"""
ELEMENTWISE = frozenset(f"numpy.{n}" for n in _ELEMENTWISE_NAMES.split())
"""Functions that treat each element alone: they may be applied before elements are chosen instead of after."""

BINARY_UFUNCS = frozenset(
    f"numpy.{n}"
    for n in (
        "add", "subtract", "multiply", "divide", "true_divide", "floor_divide", "power", "maximum", "minimum", "fmax",
        "fmin", "mod", "remainder", "fmod", "hypot", "arctan2", "logical_and", "logical_or", "logical_xor", "greater",
        "greater_equal", "less", "less_equal", "equal", "not_equal", "bitwise_and", "bitwise_or", "bitwise_xor",
        "copysign", "logaddexp", "matmul", "dot",
    )
)  # fmt: skip
"""Functions of two arrays whose third positional argument is ``out``."""
