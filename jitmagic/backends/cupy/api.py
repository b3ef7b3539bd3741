"""What CuPy has of NumPy and SciPy, and what its parameters are called: facts read from CuPy 14.2 itself.

A draft may be written and tested where no GPU is: what is not in here is refused, so that nothing is offered that only
NumPy could run.
"""

from __future__ import annotations

from jitmagic.analysis.words import words

_PARAMETERS = {
    "*ufunc:1": (
        "abs absolute acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh "
        "bitwise_count bitwise_invert bitwise_not cbrt ceil conj conjugate cos cosh deg2rad degrees exp exp2 "
        "expm1 fabs fix floor frexp i0 invert isfinite isinf isnan log log10 log1p log2 logical_not modf "
        "negative positive rad2deg radians reciprocal rint sign signbit sin sinc sinh sqrt square tan tanh "
        "trunc "
    ),
    "*ufunc:2": (
        "add arctan2 atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign "
        "divide divmod equal float_power floor_divide fmax fmin fmod gcd greater greater_equal heaviside "
        "hypot lcm ldexp left_shift less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor "
        "maximum minimum mod multiply nextafter not_equal pow power remainder right_shift subtract "
        "true_divide "
    ),
    "*": "atleast_1d atleast_2d atleast_3d broadcast_arrays common_type ix_ result_type",
    "* **": "einsum frombuffer fromfunction fromiter meshgrid",
    "* .axes .axis .keepdims .casting .dtype .signature .order .out": "matmul linalg.matmul",
    "A reps": "tile",
    "M": "bartlett blackman hamming hanning",
    "M beta": "kaiser",
    "M n": "linalg.matrix_power",
    "M tol": "linalg.matrix_rank",
    "N M k dtype": "tri",
    "N M k dtype order": "eye",
    "a": (
        "argwhere flatnonzero fliplr flipud isfortran ndim nonzero shape sort_complex linalg.cholesky "
        "linalg.det linalg.eig linalg.eigvals linalg.inv linalg.matrix_transpose linalg.slogdet "
    ),
    "a UPLO": "linalg.eigh linalg.eigvalsh",
    "a a_min a_max out": "clip",
    "a axes": "permute_dims transpose",
    "a axis": "count_nonzero expand_dims flip squeeze",
    "a axis bitorder": "packbits unpackbits",
    "a axis dtype out": "cumprod cumsum nancumprod nancumsum",
    "a axis dtype out ddof keepdims": "nanstd nanvar std var",
    "a axis dtype out keepdims": "argmax argmin mean nanargmax nanargmin nanmean nanprod nansum prod sum",
    "a axis kind": "argsort sort",
    "a axis out keepdims": "all amax amin any max min nanmax nanmin ptp",
    "a axis out overwrite_input keepdims": "median nanmedian",
    "a axis start": "rollaxis",
    "a axis weights returned .keepdims": "average",
    "a axis1 axis2": "swapaxes",
    "a b": "inner kron vdot linalg.solve",
    "a b axes": "tensordot linalg.tensorsolve",
    "a b axisa axisb axisc axis": "cross",
    "a b out": "dot outer",
    "a b rcond": "linalg.lstsq",
    "a b rtol atol equal_nan": "allclose isclose",
    "a choices out mode": "choose",
    "a decimals out": "around round",
    "a dtype": "ascontiguousarray asfortranarray",
    "a dtype order": "asarray_chkfinite",
    "a dtype order .copy .blocking": "asanyarray asarray",
    "a dtype order subok shape": "ones_like zeros_like",
    "a dtype requirements": "require",
    "a fill_value dtype order subok shape": "full_like",
    "a full_matrices compute_uv": "linalg.svd",
    "a ind": "linalg.tensorinv",
    "a ind v mode": "put",
    "a indices axis": "take_along_axis",
    "a indices axis out": "take",
    "a k axes": "rot90",
    "a kth axis": "argpartition partition",
    "a mask values": "putmask",
    "a mode": "linalg.qr",
    "a n axis norm": "fft.fft fft.hfft fft.ifft fft.ihfft fft.irfft fft.rfft",
    "a n axis prepend append": "diff",
    "a new_shape": "resize",
    "a newshape order .copy": "reshape",
    "a offset axis1 axis2": "diagonal",
    "a offset axis1 axis2 dtype out": "trace",
    "a order": "copy ravel",
    "a q axis out overwrite_input method keepdims .interpolation": "percentile quantile",
    "a rcond": "linalg.pinv",
    "a repeats axis": "repeat",
    "a s axes norm": "fft.fft2 fft.fftn fft.ifft2 fft.ifftn fft.irfft2 fft.irfftn fft.rfft2 fft.rfftn",
    "a shift axis": "roll",
    "a source destination": "moveaxis",
    "a tol": "real_if_close",
    "a v mode": "convolve correlate",
    "a v side sorter": "searchsorted",
    "a val wrap": "fill_diagonal",
    "a y rowvar bias ddof .dtype": "corrcoef",
    "a y rowvar bias ddof fweights aweights .dtype": "cov",
    "a1 a2": "array_equiv polyadd polymul polysub",
    "a1 a2 equal_nan": "array_equal",
    "ar return_index return_inverse return_counts axis .equal_nan": "unique",
    "ar1 ar2 assume_unique": "setdiff1d setxor1d",
    "arr": "diag_indices_from",
    "arr indices axis": "delete",
    "arr indices values axis": "put_along_axis",
    "arr k": "tril_indices_from triu_indices_from",
    "arr mask vals": "place",
    "arr to_end to_begin": "ediff1d",
    "arr values axis": "append",
    "arr1 arr2": "union1d",
    "arr1 arr2 assume_unique return_indices": "intersect1d",
    "array pad_width mode **": "pad",
    "array shape": "broadcast_to",
    "ary indices_or_sections": "dsplit hsplit vsplit",
    "ary indices_or_sections axis": "array_split split",
    "condition a": "extract",
    "condition a axis out": "compress",
    "condition x y": "where",
    "condlist choicelist default": "select",
    "dimensions dtype": "indices",
    "dst src casting where": "copyto",
    "element": "isscalar",
    "element test_elements assume_unique invert": "isin",
    "f * .axis .edge_order": "gradient",
    "filt trim": "trim_zeros",
    "from_ to casting": "can_cast",
    "func a axes": "apply_over_axes",
    "func1d axis arr * **": "apply_along_axis",
    "indices dims order": "unravel_index",
    "keys": "lexsort",
    "m k": "tril triu",
    "multi_index dims mode order": "ravel_multi_index",
    "n d": "fft.fftfreq fft.rfftfreq",
    "n dtype": "identity",
    "n k m": "tril_indices triu_indices",
    "n mask_func k": "mask_indices",
    "n ndim": "diag_indices",
    "obj dtype copy order subok ndmin .blocking": "array",
    "p": "roots",
    "p discont axis .period": "unwrap",
    "p x": "polyval",
    "prototype dtype order subok shape": "empty_like",
    "sample bins range weights density": "histogramdd",
    "seq_of_zeros": "poly",
    "shape dtype order": "empty ones zeros",
    "shape fill_value dtype order": "full",
    "start stop num endpoint base dtype axis": "logspace",
    "start stop num endpoint retstep dtype axis": "linspace",
    "start stop step dtype": "arange",
    "tup": "column_stack dstack",
    "tup .dtype .casting": "hstack row_stack vstack",
    "tup axis out .dtype .casting": "concat concatenate stack",
    "v k": "diag diagflat",
    "val": "imag real",
    "x": (
        "iscomplex iscomplexobj isreal isrealobj matrix_transpose unique_all unique_counts unique_inverse "
        "unique_values "
    ),
    "x .axis .dtype .out .include_initial": "cumulative_prod cumulative_sum",
    "x N increasing": "vander",
    "x axes": "fft.fftshift fft.ifftshift",
    "x bins range density weights": "histogram",
    "x bins right": "digitize",
    "x condlist funclist": "piecewise",
    "x copy nan posinf neginf": "nan_to_num",
    "x dtype .copy": "astype",
    "x ord axis keepdims": "linalg.norm",
    "x out": "isneginf isposinf",
    "x p": "linalg.cond",
    "x weights minlength": "bincount",
    "x xp fp left right period": "interp",
    "x y bins range weights density": "histogram2d",
    "x y deg rcond full w cov": "polyfit",
    "x1 x2 .axis": "linalg.cross",
    "y x dx axis": "trapezoid",
    "z deg": "angle",
    "x shape strides": "lib.stride_tricks.as_strided",
    "x window_shape axis .subok .writeable": "lib.stride_tricks.sliding_window_view",
}
FUNCTIONS: dict[str, str] = {name: given for given, names in _PARAMETERS.items() for name in names.split()}
"""NumPy's functions, by their path below ``numpy``, to the parameters of CuPy's: words, ``.name`` for a keyword-only
one, ``*`` and ``**`` for the rest; ``*ufunc:n`` for a ufunc of n inputs."""

LACKING = words(
    "asmatrix block bmat busday_count busday_offset busdaycalendar bytes_ character clongdouble complex256 "
    "datetime64 datetime_as_string datetime_data einsum_path errstate flexible float128 frompyfunc fromregex "
    "geomspace getbufsize geterr geterrcall histogram_bin_edges insert is_busday isnat longdouble matrix "
    "matvec nanpercentile nanquantile ndenumerate nested_iters object_ polyder polydiv polyint recarray "
    "record setbufsize seterr seterrcall spacing str_ timedelta64 unstack vecdot vecmat void linalg.diagonal "
    "linalg.matrix_norm linalg.multi_dot linalg.outer linalg.svdvals linalg.tensordot linalg.trace "
    "linalg.vecdot linalg.vector_norm "
)
"""What NumPy has and CuPy has not, by their path below ``numpy``."""

METHODS: dict[str, str] = {
    "all": "axis out keepdims",
    "any": "axis out keepdims",
    "argmax": "axis out dtype keepdims",
    "argmin": "axis out dtype keepdims",
    "argpartition": "kth axis",
    "argsort": "axis kind",
    "astype": "dtype order casting subok copy",
    "byteswap": "inplace",
    "choose": "choices out mode",
    "clip": "min max out",
    "compress": "condition axis out",
    "conj": "",
    "conjugate": "",
    "copy": "order",
    "cumprod": "axis dtype out",
    "cumsum": "axis dtype out",
    "diagonal": "offset axis1 axis2",
    "dot": "b out",
    "fill": "value",
    "flatten": "order",
    "item": "",
    "max": "axis out keepdims",
    "mean": "axis dtype out keepdims",
    "min": "axis out keepdims",
    "nonzero": "",
    "partition": "kth axis",
    "prod": "axis dtype out keepdims",
    "ptp": "axis out keepdims",
    "put": "indices values mode",
    "ravel": "order",
    "repeat": "repeats axis",
    "reshape": "* order copy",
    "round": "decimals out",
    "searchsorted": "v side sorter",
    "sort": "axis kind",
    "squeeze": "axis",
    "std": "axis dtype out ddof keepdims",
    "sum": "axis dtype out keepdims",
    "swapaxes": "axis1 axis2",
    "take": "indices axis out",
    "tobytes": "order",
    "tolist": "",
    "trace": "offset axis1 axis2 dtype out",
    "transpose": "*",
    "var": "axis dtype out ddof keepdims",
    "view": "dtype type",
}
"""Methods of arrays to their parameters."""

ATTRIBUTES = words("T base data device dtype flags flat imag itemsize mT nbytes ndim real shape size strides ")
"""Attributes of arrays."""

UFUNC_OPTIONS = frozenset({"out", "dtype"})
"""Keywords that a ufunc of CuPy takes; it has no public ``where``."""

_SCIPY = {
    "scipy.special": (
        "bdtr bdtrc bdtri beta betainc betaincinv betaln binom boxcox boxcox1p cbrt chdtr chdtrc chdtri cosdg "
        "cosm1 cotdg digamma ellipeinc ellipj ellipk ellipkinc ellipkm1 entr erf erfc erfcinv erfcx erfinv "
        "exp1 exp10 exp2 expi expit expm1 expn exprel fdtr fdtrc fdtri gamma gammainc gammaincc gammainccinv "
        "gammaincinv gammaln gammasgn gdtr gdtrc huber i0 i0e i1 i1e inv_boxcox inv_boxcox1p j0 j1 k0 k0e k1 "
        "k1e kl_div lambertw log1p log_expit log_ndtr log_softmax loggamma logit logsumexp lpmv multigammaln "
        "nbdtr nbdtrc nbdtri ndtr ndtri pdtr pdtrc pdtri poch polygamma pseudo_huber psi radian rel_entr "
        "rgamma round shichi sici sinc sindg softmax sph_harm_y spherical_yn tandg wright_bessel xlog1py "
        "xlogy y0 y1 yn zeta zetac "
    ),
    "scipy.ndimage": (
        "affine_transform binary_closing binary_dilation binary_erosion binary_fill_holes binary_hit_or_miss "
        "binary_opening binary_propagation black_tophat center_of_mass convolve convolve1d correlate "
        "correlate1d distance_transform_edt extrema find_objects fourier_ellipsoid fourier_gaussian "
        "fourier_shift fourier_uniform gaussian_filter gaussian_filter1d gaussian_gradient_magnitude "
        "gaussian_laplace generate_binary_structure generic_filter generic_filter1d "
        "generic_gradient_magnitude generic_laplace grey_closing grey_dilation grey_erosion grey_opening "
        "histogram iterate_structure label labeled_comprehension laplace map_coordinates maximum "
        "maximum_filter maximum_filter1d maximum_position mean median median_filter minimum minimum_filter "
        "minimum_filter1d minimum_position morphological_gradient morphological_laplace percentile_filter "
        "prewitt rank_filter rotate shift sobel spline_filter spline_filter1d standard_deviation sum "
        "sum_labels uniform_filter uniform_filter1d value_indices variance white_tophat zoom "
    ),
    "scipy.fft": (
        "dct dctn dst dstn fft fft2 fftfreq fftn fftshift fht hfft hfft2 hfftn idct idctn idst idstn ifft "
        "ifft2 ifftn ifftshift ifht ihfft ihfft2 ihfftn irfft irfft2 irfftn next_fast_len rfft rfft2 rfftfreq "
        "rfftn "
    ),
}
SCIPY = frozenset(f"{module}.{name}" for module, names in _SCIPY.items() for name in names.split())
"""Functions of SciPy that are in ``cupyx.scipy``."""
