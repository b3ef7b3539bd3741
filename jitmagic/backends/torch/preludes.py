"""Small functions that torch lacks, written above the user's where they are needed."""

from __future__ import annotations

PRELUDES: dict[str, str] = {
    "sign": '''
def sign(x):
    """Sign of real numbers as in NumPy: NaN stays NaN."""
    return torch.where(torch.isnan(x), x, torch.sign(x))
''',
    "interp": '''
def interp(x, xp, fp):
    """Linear interpolation as numpy.interp: constant outside of the points."""
    i = torch.clamp(torch.searchsorted(xp, x, right=True) - 1, 0, len(xp) - 2)
    slope = (fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i])
    y = fp[i] + slope * (x - xp[i])
    y = torch.where(x <= xp[0], fp[0], y)
    return torch.where(x >= xp[-1], fp[-1], y)
''',
    "nanvar": '''
def nanvar(x, dim=None, correction=0, keepdim=False):
    """Variance of what is not NaN, as numpy.nanvar."""
    deviation = x - torch.nanmean(x, dim=dim, keepdim=True)
    count = torch.sum(~torch.isnan(x), dim=dim, keepdim=keepdim)
    return torch.nansum(deviation**2, dim=dim, keepdim=keepdim) / (count - correction)
''',
    "histogram": '''
def histogram(x, edges, density=False):
    """Counts of values between edges, the last bin closed, and the edges, as numpy.histogram."""
    x = x[(x >= edges[0]) & (x <= edges[-1])]
    bins = torch.clamp(torch.searchsorted(edges, x, right=True) - 1, max=len(edges) - 2)
    counts = torch.bincount(bins, minlength=len(edges) - 1)
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
