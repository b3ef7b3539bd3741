"""The table: what a NumPy or SciPy function is called in torch, and which adaptor fits its arguments.

An entry names NumPy's own parameters in their order, so that a call can be bound whatever way it was
written; the adaptor (a function in elementwise.py, reductions.py, shaping.py or algebra.py) writes the torch call.
Every target exists in torch: a test asks the installed library.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One line of the table.

    Attributes
    ----------
    adaptor : str
        Name of the adaptor that writes the call.
    target : str
        Dotted path in torch, ``""`` where the adaptor writes an expression of its own.
    parameters : str
        NumPy's parameters in their order.
    """

    adaptor: str
    target: str
    parameters: str


TABLE: dict[str, Entry] = {}


def _add(adaptor: str, parameters: str, names: str, *, source: str = "numpy", target: str = "torch") -> None:
    """Adds entries written as ``"name"`` (the same in both) or ``"name=torch_name"``; ``"name="`` has no target."""
    for name in names.split():
        theirs, equals, ours = name.partition("=")
        path = f"{target}.{ours}" if ours else "" if equals else f"{target}.{theirs}"
        TABLE[f"{source}.{theirs}"] = Entry(adaptor, path, parameters)


# one array in, one out, each element for itself: integers become float64 before a "real" function
_add(
    "real",
    "x out",
    """
    sin cos tan arcsin=asin arccos=acos arctan=atan asin acos atan sinh cosh tanh arcsinh=asinh arccosh=acosh
    arctanh=atanh asinh acosh atanh exp expm1 exp2 log log2 log10 log1p sqrt deg2rad radians=deg2rad rad2deg
    degrees=rad2deg sinc i0""",
)
_add(
    "same",
    "x out",
    """
    abs absolute=abs fabs=abs negative=neg positive square floor ceil trunc fix=trunc rint=round invert=bitwise_not
    bitwise_not bitwise_invert=bitwise_not reciprocal""",
)
_add("predicate", "x out", "isnan isinf isfinite isposinf isneginf signbit logical_not isreal")
_add("real_part", "x", "real imag")
_add("angle", "z deg", "angle")
_add("divmod", "x1 x2", "divmod=floor_divide")
_add("parts", "x", "modf=frac frexp")
_add("conjugate", "x out", "conj conjugate=conj")
_add("sign", "x", "sign=sign")
_add("cube_root", "x", "cbrt=")
_add("rounding", "a decimals out", "round around=round round_=round")
_add("nan_to_num", "x copy nan posinf neginf", "nan_to_num")
_add("real", "x out", "exp2 expm1 log1p", source="scipy.special", target="torch.special")
_add(
    "real",
    "x out",
    """
    erf erfc erfcx erfinv gammaln loggamma=gammaln digamma psi=digamma expit logit ndtr ndtri log_ndtr entr
    i0 i0e i1 i1e j0=bessel_j0 j1=bessel_j1 y0=bessel_y0 y1=bessel_y1 k0=modified_bessel_k0 k1=modified_bessel_k1
    k0e=scaled_modified_bessel_k0 k1e=scaled_modified_bessel_k1 sinc""",
    source="scipy.special",
    target="torch.special",
)

# two arrays in, one out
_add("binary", "x1 x2 out", "add subtract=sub multiply=mul remainder mod=remainder fmod floor_divide")
_add("divide", "x1 x2 out", "divide=div true_divide=div")
_add("binary", "x1 x2 out", "bitwise_and bitwise_or bitwise_xor left_shift=bitwise_left_shift")
_add("binary", "x1 x2 out", "right_shift=bitwise_right_shift bitwise_left_shift bitwise_right_shift")
_add("binary", "x1 x2 out", "power=pow pow float_power nextafter ldexp gcd lcm")
_add("binary_real", "x1 x2 out", "arctan2=atan2 atan2 hypot copysign logaddexp logaddexp2 heaviside")
_add("comparison", "x1 x2 out", "greater=gt greater_equal=ge less=lt less_equal=le equal=eq not_equal=ne")
_add("logical", "x1 x2 out", "logical_and logical_or logical_xor")
_add("extremum", "x1 x2 out", "maximum minimum fmax fmin")
_add("clamp", "a a_min a_max out min max", "clip=clamp")
_add("where", "condition x y", "where")
_add("select", "condlist choicelist default", "select=where")
_add("close", "a b rtol atol equal_nan", "isclose allclose")
_add("equal", "a1 a2", "array_equal=equal")
_add(
    "binary_real", "x1 x2 out", "xlogy xlog1py zeta gammainc gammaincc", source="scipy.special", target="torch.special"
)
_add("polygamma", "n x", "polygamma", source="scipy.special", target="torch.special")
_add("beta_log", "a b", "betaln=gammaln", source="scipy.special", target="torch.special")

# reductions
_add("sum", "a axis dtype out keepdims initial where", "sum nansum")
_add("prod", "a axis dtype out keepdims initial where", "prod")
_add("mean", "a axis dtype out keepdims where", "mean nanmean")
_add("spread", "a axis dtype out ddof keepdims where mean correction", "std var")
_add("extreme", "a axis out keepdims initial where", "max=amax min=amin amax amin")
_add("nan_extreme", "a axis out keepdims initial where", "nanmax=amax nanmin=amin")
_add("range", "a axis out keepdims", "ptp=amax")
_add("position", "a axis out keepdims", "argmax argmin")
_add("truth", "a axis out keepdims where", "any all")
_add("count", "a axis keepdims", "count_nonzero")
_add("median", "a axis out overwrite_input keepdims", "median=quantile nanmedian=nanquantile")
_add(
    "quantile",
    "a q axis out overwrite_input method keepdims weights interpolation",
    """
    quantile percentile=quantile nanquantile nanpercentile=nanquantile""",
)
_add("average", "a axis weights returned keepdims", "average=sum")
_add("cumulative", "a axis dtype out", "cumsum cumprod")
_add("trapezoid", "y x dx axis", "trapezoid trapz=trapezoid")
_add("covariance", "m y rowvar bias ddof", "cov")
_add("correlation", "x y rowvar", "corrcoef")
_add("log_sum_exp", "a axis b keepdims return_sign", "logsumexp", source="scipy.special")
_add("softmax", "x axis", "softmax log_softmax", source="scipy.special")

_add("nan_position", "a axis out keepdims", "nanargmax=argmax nanargmin=argmin")
_add("nan_spread", "a axis dtype out ddof keepdims", "nanstd= nanvar=")
_add("cumulative", "a axis dtype out", "nancumsum=cumsum")
_add("nan_prod", "a axis dtype out keepdims", "nanprod=prod")
_add("histogram", "a bins range density weights", "histogram=bincount")

# ufunc methods
_add("sum", "a axis dtype out keepdims initial where", "add.reduce=sum")
_add("prod", "a axis dtype out keepdims initial where", "multiply.reduce=prod")
_add("extreme", "a axis out keepdims initial where", "maximum.reduce=amax minimum.reduce=amin")
_add("truth", "a axis out keepdims where", "logical_and.reduce=all logical_or.reduce=any")
_add("cumulative", "a axis dtype out", "add.accumulate=cumsum multiply.accumulate=cumprod")
_add("running_extreme", "a axis", "maximum.accumulate=cummax minimum.accumulate=cummin")
_add("outer_operator", "a b", "add.outer= subtract.outer= multiply.outer= divide.outer= true_divide.outer=")
_add("scatter", "a indices b", "add.at= subtract.at= maximum.at= minimum.at=")
_add("segments", "array indices axis", "add.reduceat=sum maximum.reduceat=amax minimum.reduceat=amin")

# making arrays
_add("filled", "shape dtype order", "zeros ones empty")
_add("full", "shape fill_value dtype order", "full")
_add("filled_like", "a dtype order subok shape", "zeros_like ones_like empty_like")
_add("full_like", "a fill_value dtype order subok shape", "full_like")
_add("eye", "N M k dtype", "eye")
_add("eye", "N dtype", "identity=eye")
_add("arange", "start stop step dtype", "arange")
_add("linspace", "start stop num endpoint retstep dtype axis", "linspace")
_add("logspace", "start stop num endpoint base dtype axis", "logspace")
_add("geomspace", "start stop num endpoint dtype axis", "geomspace=logspace")
_add("array", "object dtype copy order subok ndmin", "array=tensor")
_add("asarray", "a dtype order", "asarray=as_tensor asanyarray=as_tensor ascontiguousarray=as_tensor")
_add("copy", "a order subok", "copy=clone")
_add("meshgrid", "*", "meshgrid")
_add("indices", "dimensions dtype sparse", "indices=meshgrid")
_add("from_function", "function shape dtype", "fromfunction=meshgrid")
_add("indices_of", "arr k", "diag_indices_from=arange tril_indices_from=tril_indices triu_indices_from=triu_indices")
_add("diag", "v k", "diag")
_add("diag", "v k", "diagflat")
_add("triangle", "m k", "tril triu")
_add("triangle_indices", "n k m", "tril_indices triu_indices")
_add("triangle_ones", "N M k dtype", "tri=tril")
_add("vander", "x N increasing", "vander")
_add("frequencies", "n d", "fftfreq rfftfreq", source="numpy.fft", target="torch.fft")
_add("frequencies", "n d", "fftfreq rfftfreq", source="scipy.fft", target="torch.fft")

# shape and order
_add("reshape", "a shape order copy newshape", "reshape")
_add("flat", "a order", "ravel")
_add("transpose", "a axes", "transpose=permute permute_dims=permute")
_add("plain", "a axis1 axis2", "swapaxes")
_add("matrix_transpose", "x", "matrix_transpose=Tensor.mT")
_add("plain", "a source destination", "moveaxis")
_add("expand_dims", "a axis", "expand_dims=unsqueeze")
_add("squeeze", "a axis", "squeeze")
_add("join", "arrays axis out dtype", "concatenate=cat concat=cat stack")
_add("join", "tup", "vstack hstack dstack column_stack row_stack=vstack")
_add("append", "arr values axis", "append=cat")
_add("insert", "arr obj values axis", "insert=cat")
_add("rollaxis", "a axis start", "rollaxis=movedim")
_add("block", "arrays", "block=cat")
_add("delete", "arr obj axis", "delete=cat")
_add("plain", "indices shape", "unravel_index")
_add(
    "window",
    "M beta",
    """
    hanning=hann_window hamming=hamming_window blackman=blackman_window bartlett=bartlett_window
    kaiser=kaiser_window""",
)
_add("sections", "ary indices_or_sections axis", "split=tensor_split array_split=tensor_split")
_add("sections", "ary indices_or_sections", "hsplit vsplit dsplit")
_add("flip", "m axis", "flip")
_add("plain", "m", "fliplr flipud")
_add("roll", "a shift axis", "roll")
_add("rotate", "m k axes", "rot90")
_add("tile", "A reps", "tile")
_add("repeat", "a repeats axis", "repeat=repeat_interleave")
_add("broadcast", "array shape subok", "broadcast_to")
_add("plain", "*", "broadcast_arrays=broadcast_tensors")
_add("plain", "a", "atleast_1d atleast_2d atleast_3d")
_add("diff", "a n axis prepend append", "diff")
_add("diff", "a", "ediff1d=diff")
_add("gradient", "f *", "gradient")
_add("pad", "array pad_width mode constant_values", "pad=nn.functional.pad")
_add("diagonal", "a offset axis1 axis2", "diagonal")
_add("windows", "x window_shape axis", "sliding_window_view=", source="numpy.lib.stride_tricks")
_add("shape_of", "a", "shape= ndim= size=")

# order, search, counting
_add("sort", "a axis kind order", "sort")
_add("argsort", "a axis kind order", "argsort")
_add("partition", "a kth axis kind order", "partition=sort argpartition=argsort")
_add("lexsort", "keys axis", "lexsort=argsort")
_add("sets", "ar1 ar2 assume_unique", "setdiff1d=isin intersect1d=isin union1d=unique")
_add("flat_position", "multi_index dims mode order", "ravel_multi_index=")
_add("choose", "a choices out mode", "choose=gather")
_add("piecewise", "x condlist funclist", "piecewise=")
_add("put", "a ind v mode", "put=Tensor.put_")
_add("put_mask", "a mask values", "putmask=where")
_add("iterated", "iter dtype count", "fromiter=")
_add("elementwise_function", "pyfunc otypes", "vectorize=")
_add("along_axis", "func1d axis arr", "apply_along_axis=")
_add("nonzero", "a", "nonzero argwhere flatnonzero=nonzero")
_add("take", "a indices axis out mode", "take=index_select")
_add("take_along", "arr indices axis", "take_along_axis=take_along_dim")
_add("compress", "condition a axis", "compress= extract=")
_add("searchsorted", "a v side sorter", "searchsorted")
_add("digitize", "x bins right", "digitize=bucketize")
_add("unique", "ar return_index return_inverse return_counts axis", "unique")
_add("membership", "element test_elements", "isin in1d=isin")
_add("bincount", "x weights minlength", "bincount")
_add("interpolate", "x xp fp left right period", "interp=searchsorted")
_add("convolve", "a v mode", "convolve=nn.functional.conv1d correlate=nn.functional.conv1d")
_add("polynomial", "p x", "polyval=")
_add("unwrap", "p discont axis", "unwrap=")
_add("polynomial_fit", "x y deg rcond full w cov", "polyfit=")
_add("polynomial_roots", "p", "roots=")
_add("fill_diagonal", "a val wrap", "fill_diagonal=Tensor.fill_diagonal_")
_add("copy_into", "dst src casting where", "copyto=Tensor.copy_")

# linear algebra
_add("einsum", "*", "einsum")
_add("dot", "a b out", "dot")
_add("products", "a b", "vdot inner outer")
_add("products", "a b", "kron")
_add("matmul", "x1 x2 out", "matmul")
_add("cross", "a b axisa axisb axisc axis", "cross=linalg.cross")
_add("cross", "x1 x2 axis", "cross", source="numpy.linalg", target="torch.linalg")
_add("tensordot", "a b axes", "tensordot")
_add("trace", "a offset axis1 axis2", "trace")
_add("vecdot", "x1 x2 axis", "vecdot=linalg.vecdot")
_add("vecdot", "x1 x2 axis", "vecdot", source="numpy.linalg", target="torch.linalg")
_add("linear", "a", "inv det slogdet eig eigvals", source="numpy.linalg", target="torch.linalg")
_add("linear", "a", "inv det", source="scipy.linalg", target="torch.linalg")
_add("linear", "a UPLO", "eigh eigvalsh", source="numpy.linalg", target="torch.linalg")
_add("linear", "a upper", "cholesky", source="numpy.linalg", target="torch.linalg")
_add("linear", "A", "expm=matrix_exp", source="scipy.linalg", target="torch.linalg")
_add("linear", "a n", "matrix_power", source="numpy.linalg", target="torch.linalg")
_add("rank", "A tol hermitian rtol", "matrix_rank", source="numpy.linalg", target="torch.linalg")
_add("rank", "a rcond hermitian rtol", "pinv", source="numpy.linalg", target="torch.linalg")
_add("linear", "x p", "cond", source="numpy.linalg", target="torch.linalg")
_add("solve", "a b", "solve", source="numpy.linalg", target="torch.linalg")
_add("solve", "a b", "solve", source="scipy.linalg", target="torch.linalg")
_add("least_squares", "a b rcond", "lstsq", source="numpy.linalg", target="torch.linalg")
_add("svd", "a full_matrices compute_uv hermitian", "svd", source="numpy.linalg", target="torch.linalg")
_add("svd", "a full_matrices compute_uv", "svd", source="scipy.linalg", target="torch.linalg")
_add("svdvals", "a", "svdvals", source="scipy.linalg", target="torch.linalg")
_add("qr", "a mode", "qr", source="numpy.linalg", target="torch.linalg")
_add("multi_dot", "arrays", "multi_dot", source="numpy.linalg", target="torch.linalg")
_add("norm", "x ord axis keepdims", "norm=vector_norm", source="numpy.linalg", target="torch.linalg")
_add("norm", "a ord axis keepdims", "norm=vector_norm", source="scipy.linalg", target="torch.linalg")
_add("cholesky_upper", "a lower", "cholesky", source="scipy.linalg", target="torch.linalg")
_add(
    "solve_triangular",
    "a b trans lower unit_diagonal",
    "solve_triangular",
    source="scipy.linalg",
    target="torch.linalg",
)

# Fourier transforms
for _source in ("numpy.fft", "scipy.fft"):
    _add("fourier", "a n axis norm", "fft ifft rfft irfft hfft ihfft", source=_source, target="torch.fft")
    _add(
        "fourier",
        "a s axes norm",
        "fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn",
        source=_source,
        target="torch.fft",
    )
    _add("fourier_shift", "x axes", "fftshift ifftshift", source=_source, target="torch.fft")

METHODS: dict[str, str] = {
    name: f"numpy.{name}"
    for name in [
        "all",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "clip",
        "compress",
        "conj",
        "conjugate",
        "copy",
        "cumprod",
        "cumsum",
        "diagonal",
        "dot",
        "max",
        "mean",
        "min",
        "nonzero",
        "prod",
        "ptp",
        "ravel",
        "repeat",
        "reshape",
        "round",
        "searchsorted",
        "squeeze",
        "std",
        "sum",
        "swapaxes",
        "take",
        "trace",
        "transpose",
        "var",
    ]
}
"""Methods of an array that are the function of a table entry with the array first."""

METHOD_PARAMETERS: dict[str, str] = {
    "clip": "a min max out",
    "compress": "a condition axis out",
    "searchsorted": "a v side sorter",
    "conj": "x",
    "conjugate": "x",
}
"""Where a method's parameters stand in another order than the function's."""

CONSTANTS: dict[str, str] = {
    "numpy.pi": "math.pi",
    "numpy.e": "math.e",
    "numpy.inf": "math.inf",
    "numpy.nan": "math.nan",
    "numpy.euler_gamma": "0.5772156649015329",
    "numpy.newaxis": "None",
}
"""Constants, as Python numbers: a torch source needs no NumPy for them."""

DTYPES: dict[str, str] = {
    "bool": "bool", "bool_": "bool", "int": "int64", "int_": "int64", "intp": "int64",
    "uint8": "uint8", "ubyte": "uint8",
    "int8": "int8", "int16": "int16", "int32": "int32", "intc": "int32", "int64": "int64", "longlong": "int64",
    "float": "float64", "half": "float16", "float16": "float16", "single": "float32", "float32": "float32",
    "double": "float64", "float64": "float64", "float_": "float64", "complex": "complex128", "csingle": "complex64",
    "complex64": "complex64", "complex128": "complex128", "cdouble": "complex128", "complex_": "complex128",
    "i4": "int32", "i8": "int64", "f4": "float32", "f8": "float64", "c8": "complex64", "c16": "complex128",
}  # fmt: skip
"""Spellings of a dtype (attributes of numpy, builtins, strings) to NumPy's and torch's common name."""

MATH: dict[str, str] = {
    "numpy.absolute": "abs", "numpy.abs": "abs", "numpy.fabs": "math.fabs",
    "numpy.arcsin": "math.asin", "numpy.arccos": "math.acos", "numpy.arctan": "math.atan",
    "numpy.arcsinh": "math.asinh", "numpy.arccosh": "math.acosh", "numpy.arctanh": "math.atanh",
    "numpy.deg2rad": "math.radians", "numpy.radians": "math.radians",
    "numpy.rad2deg": "math.degrees", "numpy.degrees": "math.degrees",
    "numpy.arctan2": "math.atan2", "numpy.hypot": "math.hypot", "numpy.copysign": "math.copysign",
    "numpy.maximum": "max", "numpy.minimum": "min", "numpy.fmax": "max", "numpy.fmin": "min",
    "numpy.isnan": "math.isnan", "numpy.isinf": "math.isinf", "numpy.isfinite": "math.isfinite",
    "numpy.cbrt": "math.cbrt", "numpy.exp2": "math.exp2", "numpy.power": "pow", "numpy.fmod": "math.fmod",
    "scipy.special.erf": "math.erf", "scipy.special.erfc": "math.erfc", "scipy.special.gammaln": "math.lgamma",
} | {
    f"numpy.{name}": f"math.{name}"
    for name in (
        "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp", "expm1",
        "log", "log2", "log10", "log1p", "sqrt", "atan2",
    )
}  # fmt: skip
"""Functions of real Python numbers: no tensor is needed for `np.sqrt(2.0)`."""
