"""Small functions that torch lacks, written above the user's where they are needed."""

from __future__ import annotations

PRELUDES: dict[str, str] = {
    "sign": '''
def sign(x):
    """Sign of real numbers as in NumPy: NaN stays NaN."""
    return torch.where(torch.isnan(x), x, torch.sign(x))
''',
    "interp": '''
def interp(x, xp, fp, left=None, right=None):
    """Linear interpolation as numpy.interp: constant outside of the points."""
    left, right = fp[0] if left is None else left, fp[-1] if right is None else right
    i = torch.clamp(torch.searchsorted(xp, x, right=True) - 1, 0, len(xp) - 2)
    slope = (fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i])
    y = fp[i] + slope * (x - xp[i])
    y = torch.where(x == xp[-1], fp[-1], y)
    y = torch.where(x < xp[0], left, y)
    return torch.where(x > xp[-1], right, y)
''',
    "nanvar": '''
def nanvar(x, dim=None, correction=0, keepdim=False):
    """Variance of what is not NaN, as numpy.nanvar."""
    deviation = x - torch.nanmean(x, dim=dim, keepdim=True)
    count = torch.sum(~torch.isnan(x), dim=dim, keepdim=keepdim)
    return torch.nansum(deviation**2, dim=dim, keepdim=keepdim) / (count - correction)
''',
    "histogram": '''
def histogram(x, edges, density=False, weights=None):
    """Counts of values between edges, the last bin closed, and the edges, as numpy.histogram."""
    inside = (x >= edges[0]) & (x <= edges[-1])
    x, weights = x[inside], None if weights is None else weights[inside]
    bins = torch.clamp(torch.searchsorted(edges, x, right=True) - 1, max=len(edges) - 2)
    counts = torch.bincount(bins, weights, minlength=len(edges) - 1)
    if density:
        counts = counts / torch.diff(edges) / counts.sum()
    return counts, edges
''',
    "packed": '''
def packed(values, dtype, device=None):
    """Nested lists of numbers and tensors as one tensor, as numpy.array."""
    if isinstance(values, (list, tuple)):
        parts = [packed(value, dtype, device) for value in values]
        return torch.stack(parts) if parts else torch.empty(0, dtype=dtype, device=device)
    return torch.as_tensor(values, dtype=dtype, device=device)
''',
    "dot": '''
def dot(a, b):
    """Product of arrays of any number of axes, as numpy.dot."""
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return torch.tensordot(a, b, dims=([a.ndim - 1], [max(b.ndim - 2, 0)]))
''',
    "polyval": '''
def polyval(p, x):
    """Value of a polynomial, highest power first, by Horner's rule."""
    y = torch.zeros_like(x)
    for coefficient in p:
        y = y * x + coefficient
    return y
''',
    "unwrap": '''
def unwrap(p):
    """Angles along the last axis without jumps of half a turn and more, as numpy.unwrap."""
    step = torch.diff(p)
    wrapped = torch.remainder(step + torch.pi, 2 * torch.pi) - torch.pi
    wrapped = torch.where((wrapped == -torch.pi) & (step > 0), torch.pi, wrapped)
    shift = torch.where(torch.abs(step) < torch.pi, 0, wrapped - step).cumsum(-1)
    return torch.cat((p[..., :1], p[..., 1:] + shift), dim=-1)
''',
    "lstsq": '''
def lstsq(a, b):
    """Least squares by singular values, as numpy.linalg.lstsq."""
    u, s, vh = torch.linalg.svd(a, full_matrices=False)
    kept = s > torch.finfo(s.dtype).eps * max(a.shape) * s[0]
    columns = b if b.ndim == 2 else b[:, None]
    x = vh.mH @ (torch.where(kept, 1 / s, 0)[:, None] * (u.mH @ columns))
    rank = kept.sum()
    full = rank == a.shape[1] < a.shape[0]
    residuals = torch.sum(torch.abs(columns - a @ x) ** 2, dim=0) if full else s[:0]
    return (x if b.ndim == 2 else x[:, 0]), residuals, rank.to(torch.int32), s
''',
    "lexsort": '''
def lexsort(keys):
    """Positions in the order of the last key, ties by the key before, as numpy.lexsort."""
    order = torch.argsort(keys[0], stable=True)
    for key in keys[1:]:
        order = order[torch.argsort(key[order], stable=True)]
    return order
''',
    "piecewise": '''
def piecewise(x, conditions, functions):
    """A function for each condition, as numpy.piecewise; one more is for what is left."""
    y = torch.zeros_like(x)
    if len(functions) > len(conditions):
        conditions = [*conditions, ~torch.stack(tuple(conditions)).any(dim=0)]
    for condition, function in zip(conditions, functions):
        y[condition] = function(x[condition]) if callable(function) else function
    return y
''',
    "vectorize": '''
def vectorize(function):
    """A function of elements as one of arrays, element by element, as numpy.vectorize."""
    def apply(*arrays):
        arrays = torch.broadcast_tensors(*map(torch.as_tensor, arrays))
        values = [function(*row) for row in zip(*(a.ravel() for a in arrays))]
        # a number of Python's has 64 bits in NumPy
        values = [torch.tensor(v, dtype=torch.float64) if isinstance(v, float) else torch.as_tensor(v) for v in values]
        return torch.stack(values).reshape(arrays[0].shape)
    return apply
''',
    "apply_along_axis": '''
def apply_along_axis(function, axis, x):
    """A function of vectors along an axis, as numpy.apply_along_axis."""
    rows = x.movedim(axis, -1)
    found = torch.stack([torch.as_tensor(function(row)) for row in rows.reshape(-1, rows.shape[-1])])
    found = found.reshape(rows.shape[:-1] + found.shape[1:])
    return found if found.ndim < x.ndim else found.movedim(-1, axis)
''',
    "reduceat": '''
def reduceat(reduce, x, indices):
    """Reduction of the parts of an array that begin at the indices, as numpy.add.reduceat."""
    starts = [int(i) for i in indices]
    stops = [*starts[1:], len(x)]
    return torch.stack([reduce(x[i:j], dim=0) if i < j else x[i] for i, j in zip(starts, stops)])
''',
    "symmetric": '''
def symmetric(x, pairs):
    """Padding by reflection with the border repeated, as numpy.pad with mode="symmetric"."""
    for axis, (before, after) in enumerate(pairs):
        places = torch.arange(-before, x.shape[axis] + after, device=x.device) % (2 * x.shape[axis])
        x = x.index_select(axis, torch.minimum(places, 2 * x.shape[axis] - 1 - places))
    return x
''',
    "roots": '''
def roots(p):
    """Roots of a polynomial, highest power first, as numpy.roots."""
    places = torch.nonzero(p).ravel()
    zeros = len(p) - 1 - int(places[-1])
    p = p[int(places[0]) : int(places[-1]) + 1]
    companion = torch.diag(torch.ones(len(p) - 2, dtype=p.dtype, device=p.device), -1)
    companion[0] = -p[1:] / p[0]
    found = torch.linalg.eigvals(companion)
    return torch.cat((found, found.new_zeros(zeros)))
''',
    "unique": '''
def unique(x):
    """Distinct values, where each stands first, which each element is, and how often, as numpy.unique."""
    values, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True)
    places = torch.arange(x.numel(), device=x.device)
    first = torch.full_like(counts, x.numel()).scatter_reduce_(0, inverse.ravel(), places, "amin")
    return values, first, inverse, counts
''',
    "convolve": '''
def convolve(a, v, mode="full"):
    """Convolution of two vectors as numpy.convolve."""
    if len(v) > len(a):
        a, v = v, a
    full = F.conv1d(a[None, None], v.flip(0)[None, None], padding=len(v) - 1)[0, 0]
    if mode == "full":
        return full
    start = (len(v) - 1) // 2 if mode == "same" else len(v) - 1
    stop = start + len(a) if mode == "same" else len(a)
    return full[start:stop]
''',
}
"""Name to source; ``torch`` and ``F`` (torch.nn.functional) are spelled by the module's imports."""
