"""Adaptors of linear algebra and Fourier transforms."""

from __future__ import annotations

from jitmagic.backends.torch.calls import Argument, CallSite, Written, adaptor
from jitmagic.backends.torch.kinds import category, complex_dtype, numpy_result, real_dtype


def _common(c: CallSite, *arguments: Argument) -> str | None:
    """Returns the dtype in which NumPy computes: torch's products want one dtype for all operands."""
    if c.wanted.kind == "tensor" and c.wanted.dtype is not None:
        return c.wanted.dtype
    return numpy_result([a.value for a in arguments])


def _first(c: CallSite) -> str:
    return c.entry.parameters.split()[0]


@adaptor
def einsum(c: CallSite) -> Written:
    """Sums over named axes: the notation is the same."""
    c.forbid("out", "order", "casting")
    if not c.rest or not (isinstance(c.rest[0].literal, str) or c.rest[0].kind == "str"):
        c.fail("calls `np.einsum` without a written-out subscript string")
    dtype = _common(c, *c.rest[1:])
    texts = [c.tensor(a, dtype) for a in c.rest[1:]]
    return Written(c.write("torch.einsum", c.rest[0].code, *texts), dtype)


@adaptor
def matmul(c: CallSite) -> Written:
    """Matrix products in one dtype."""
    a, b = c.need("x1"), c.need("x2")
    dtype = _common(c, a, b)
    out = c.get("out")
    if (c.tensor(a, dtype), c.tensor(b, dtype)) == (a.code, b.code) and c.plain:
        return Written("", dtype, target="torch.matmul")
    return Written(
        c.write("torch.matmul", c.tensor(a, dtype), c.tensor(b, dtype), out=out.code if out else None), dtype
    )


@adaptor
def dot(c: CallSite) -> Written:
    """NumPy's dot by the number of axes: scalar, inner, or matrix product."""
    a, b = c.need("a"), c.need("b")
    dtype, out = _common(c, a, b), c.get("out")
    left, right = c.tensor(a, dtype, operator=True), c.tensor(b, dtype, operator=True)
    if 0 in (a.value.ndim, b.value.ndim) or "number" in (a.value.kind, b.value.kind):
        return Written(f"({a.atom} * {b.atom})", dtype)
    if a.value.ndim is None or b.value.ndim is None:
        return Written(f"{c.context.helper('dot')}({c.tensor(a, dtype)}, {c.tensor(b, dtype)})", dtype)
    if (a.value.ndim, b.value.ndim) == (1, 1):
        return Written(c.write("torch.dot", left if c.receiver else c.tensor(a, dtype), c.tensor(b, dtype)), dtype)
    if b.value.ndim <= 2:
        if out is not None:
            return Written(c.write("torch.matmul", left, right, out=out.code), dtype)
        return Written(f"({left} @ {right})", dtype)
    return Written(f"{c.context.spell('torch.tensordot')}({left}, {right}, dims=([-1], [-2]))", dtype)


@adaptor
def products(c: CallSite) -> Written:
    """Inner, outer and Kronecker products in one dtype; outer flattens in NumPy."""
    a, b = c.need("a"), c.need("b")
    dtype = _common(c, a, b)
    left, right = c.tensor(a, dtype), c.tensor(b, dtype)
    if c.entry.target in ("torch.outer", "torch.vdot"):
        left = left if a.value.ndim in (1, None) else f"{c.tensor(a, dtype, True)}.ravel()"
        right = right if b.value.ndim in (1, None) else f"{c.tensor(b, dtype, True)}.ravel()"
    if (left, right) == (a.code, b.code) and c.plain:
        return Written("", dtype, target=c.entry.target)
    return Written(c.write(c.entry.target, left, right), dtype)


@adaptor
def cross(c: CallSite) -> Written:
    """Cross products of three-vectors along the last axis, or the one given."""
    c.forbid("axisa", "axisb", "axisc")
    a, b = c.given[0], c.given[1]
    if any(v.value.shape and v.value.shape[-1] == 2 for v in (a, b)):
        c.fail("takes a cross product of two-vectors, which torch does not: write `a[0] * b[1] - a[1] * b[0]`")
    dtype = _common(c, a, b)
    left, right = c.tensor(a, dtype), c.tensor(b, dtype)
    if a.value.ndim != b.value.ndim:
        # torch repeats one of them only where both have as many axes
        several = c.write("torch.broadcast_tensors", left, right)
        return Written(c.write("torch.linalg.cross", f"*{several}", dim=c.axes()), dtype)
    return Written(c.write("torch.linalg.cross", left, right, dim=c.axes()), dtype)


@adaptor
def tensordot(c: CallSite) -> Written:
    """Contracts axes."""
    a, b = c.need("a"), c.need("b")
    dtype = _common(c, a, b)
    axes = c.get("axes")
    dims = "2" if axes is None else axes.code
    value = None if axes is None else axes.literal
    if isinstance(value, tuple | list) and any(isinstance(x, int) for x in value):
        dims = str(tuple([x] if isinstance(x, int) else list(x) for x in value))
    return Written(c.write("torch.tensordot", c.tensor(a, dtype), c.tensor(b, dtype), dims=dims), dtype)


@adaptor
def trace(c: CallSite) -> Written:
    """Sums of a diagonal."""
    a = c.need("a")
    dtype = "int64" if category(a.value.dtype) in ("int", "bool") else a.value.dtype
    if a.value.ndim == 2 and len(c.arguments) == 1:
        return Written(c.write("torch.trace", c.self_text("a")), dtype)
    diagonal = c.write(
        "torch.diagonal",
        c.self_text("a"),
        offset=c.text("offset", "") or None,
        dim1=c.text("axis1", "0"),
        dim2=c.text("axis2", "1"),
    )
    return Written(f"{diagonal}.sum(dim=-1)", dtype)


@adaptor
def vecdot(c: CallSite) -> Written:
    """Inner products along an axis."""
    a, b = c.need("x1"), c.need("x2")
    dtype = _common(c, a, b)
    return Written(c.write("torch.linalg.vecdot", c.tensor(a, dtype), c.tensor(b, dtype), dim=c.axes()), dtype)


@adaptor
def linear(c: CallSite) -> Written:
    """Functions of one matrix under the same name; integers become float64 first."""
    name = _first(c)
    a = c.need(name)
    cast = c.real_input(name)
    if c.entry.target.endswith("matrix_power"):
        cast = None
    given = cast or a.value.numpy_dtype
    keywords = {key: text for key in ("UPLO", "upper", "p", "n") if (text := c.text(key, "") or None)}
    rest = [keywords.pop("n")] if "n" in keywords else []
    text = c.write(c.entry.target, c.tensor(name, cast), *rest, **keywords)
    last = c.entry.target.rpartition(".")[2]
    if last in ("slogdet", "eigh", "eig"):
        return Written(text, kind="sequence", items=c.wanted.items)
    if last in ("eigvals",):
        # NumPy gives real eigenvalues as a real array, torch never does
        if category(c.wanted.dtype) == "float":
            text = f"{text}.real"
            given = real_dtype(given)
        else:
            given = complex_dtype(given)
    if last in ("eigvalsh", "cond"):
        given = real_dtype(given)
    return Written(text, given)


@adaptor
def rank(c: CallSite) -> Written:
    """Functions of singular values with a tolerance."""
    name = _first(c)
    cast = c.real_input(name)
    keywords = {"hermitian": c.text("hermitian", "") or None, "rtol": c.text("rtol", c.text("rcond", "")) or None}
    keywords["atol"] = c.text("tol", "") or None
    text = c.write(c.entry.target, c.tensor(name, cast), **keywords)
    return Written(text, "int64" if "rank" in c.path else cast or c.need(name).value.dtype)


@adaptor
def solve(c: CallSite) -> Written:
    """Solves linear systems in one dtype."""
    a, b = c.need("a"), c.need("b")
    dtype = _common(c, a, b)
    if category(dtype) in ("int", "bool"):
        dtype = "float64"
    return Written(c.write(c.entry.target, c.tensor(a, dtype), c.tensor(b, dtype)), dtype)


@adaptor
def least_squares(c: CallSite) -> Written:
    """Least squares by a helper: torch's own has other results, and on a GPU another algorithm."""
    a, b = c.need("a"), c.need("b")
    dtype = numpy_result([a.value, b.value])
    if category(dtype) in ("int", "bool"):
        dtype = "float64"
    rcond = c.get("rcond")
    if rcond is not None:
        c.fail("passes `rcond=` to `np.linalg.lstsq`: pass None, which takes the precision of the dtype")
    text = f"{c.context.helper('lstsq')}({c.tensor(a, dtype)}, {c.tensor(b, dtype)})"
    return Written(text, kind="sequence", items=c.wanted.items)


@adaptor
def svd(c: CallSite) -> Written:
    """Singular value decomposition, of which torch returns the same three parts."""
    c.forbid("hermitian")
    cast = c.real_input("a")
    if c.literal("compute_uv", True) is False:
        return Written(
            c.write("torch.linalg.svdvals", c.tensor("a", cast)), real_dtype(cast or c.need("a").value.dtype)
        )
    text = c.write("torch.linalg.svd", c.tensor("a", cast), full_matrices=c.text("full_matrices", "") or None)
    return Written(text, kind="sequence", items=c.wanted.items)


@adaptor
def svdvals(c: CallSite) -> Written:
    """Singular values."""
    cast = c.real_input("a")
    return Written(c.write("torch.linalg.svdvals", c.tensor("a", cast)), real_dtype(cast or c.need("a").value.dtype))


@adaptor
def qr(c: CallSite) -> Written:
    """QR decomposition; NumPy's mode ``"r"`` returns R alone."""
    cast, mode = c.real_input("a"), c.literal("mode", "reduced")
    if mode not in ("reduced", "complete", "r"):
        c.fail(f"calls `{c.name}` with the mode {mode!r}; torch has reduced, complete and r")
    text = c.write("torch.linalg.qr", c.tensor("a", cast), mode=None if mode == "reduced" else f'"{mode}"')
    if mode == "r":
        return Written(f"{text}.R", cast or c.need("a").value.dtype)
    return Written(text, kind="sequence", items=c.wanted.items)


@adaptor
def multi_dot(c: CallSite) -> Written:
    """Products of several matrices in the cheapest order."""
    return Written(c.write("torch.linalg.multi_dot", c.need("arrays").code), c.wanted.dtype)


@adaptor
def norm(c: CallSite) -> Written:
    """Norms of vectors, or of matrices where NumPy takes two axes for a matrix."""
    name = _first(c)
    x, order, axis = c.need(name), c.get("ord"), c.get("axis")
    cast = c.real_input(name)
    dtype = real_dtype(cast or x.value.numpy_dtype)
    two_axes = (axis is not None and axis.value.kind == "sequence" and len(axis.value.items) == 2) or (
        axis is None and x.value.ndim == 2
    )
    keywords = {"dim": c.axes(), "keepdim": c.keep()}
    if order is not None and two_axes:
        return Written(c.write("torch.linalg.matrix_norm", c.tensor(name, cast), ord=order.code, **keywords), dtype)
    given = None if order is None else order.code
    return Written(c.write("torch.linalg.vector_norm", c.tensor(name, cast), ord=given, **keywords), dtype)


@adaptor
def cholesky_upper(c: CallSite) -> Written:
    """SciPy's Cholesky factor, which is the upper one unless told otherwise."""
    cast = c.real_input("a")
    upper = None if c.literal("lower", False) else "True"
    return Written(c.write("torch.linalg.cholesky", c.tensor("a", cast), upper=upper), cast or c.need("a").value.dtype)


@adaptor
def solve_triangular(c: CallSite) -> Written:
    """Triangular systems; torch wants a matrix on the right and is told upper instead of lower."""
    c.forbid("trans")
    a, b = c.need("a"), c.need("b")
    dtype = _common(c, a, b)
    if category(dtype) in ("int", "bool"):
        dtype = "float64"
    upper = "False" if c.literal("lower", False) else "True"
    unit = "True" if c.literal("unit_diagonal", False) else None
    right = c.tensor(b, dtype, operator=True)
    vector = b.value.ndim == 1
    text = c.write(
        "torch.linalg.solve_triangular",
        c.tensor(a, dtype),
        f"{right}[:, None]" if vector else c.tensor(b, dtype),
        upper=upper,
        unitriangular=unit,
    )
    return Written(f"{text}[:, 0]" if vector else text, dtype)


_REAL_RESULT = ("irfft", "hfft", "irfft2", "irfftn")


@adaptor
def fourier(c: CallSite) -> Written:
    """Fourier transforms: axes are dims; integers become float64 first."""
    cast = c.real_input("a")
    if cast is not None and category(cast) == "complex":
        cast = "float64"
    keywords = {"n": c.text("n", "") or None, "s": c.text("s", "") or None}
    keywords["dim"] = c.axes("axis") or c.axes("axes")
    keywords["norm"] = c.text("norm", "") or None
    given = cast or c.need("a").value.numpy_dtype
    real = c.entry.target.endswith(_REAL_RESULT) and not c.entry.target.endswith("ihfft")
    dtype = real_dtype(given) if real else complex_dtype(given)
    return Written(c.write(c.entry.target, c.tensor("a", cast), **keywords), dtype)


@adaptor
def fourier_shift(c: CallSite) -> Written:
    """Shifts the zero frequency to the middle and back."""
    return Written(c.write(c.entry.target, c.tensor("x"), dim=c.axes("axes")), c.need("x").value.dtype)


@adaptor
def frequencies(c: CallSite) -> Written:
    """Sample frequencies, float64 as in NumPy."""
    spacing = "" if c.get("d") is None else f", d={c.need('d').code}"
    text = f"{c.context.spell(c.entry.target)}({c.need('n').code}{spacing}{c.made('float64')})"
    return Written(text, "float64")
