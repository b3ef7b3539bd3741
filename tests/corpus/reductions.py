"""Reductions along axes, softmax, scans, statistics."""

from collections import defaultdict

import numpy as np

from tests.corpus.sizes import of


def softmax(logits):
    m = np.max(logits, axis=-1, keepdims=True)
    e = np.exp(logits - m)
    return e / np.sum(e, axis=-1, keepdims=True)


def softmax_args(size, rng):
    return (4*rng.standard_normal((of(size, 5, 60, 600), 11)),)


def logsumexp(a, axis=0):
    amax = a.max(axis=axis, keepdims=True)
    s = np.log(np.sum(np.exp(a - amax), axis=axis))
    return s + np.squeeze(amax, axis=axis)


def logsumexp_args(size, rng):
    return rng.standard_normal((of(size, 6, 70, 700), 7)), 1


def zscore_columns(data):
    mu = data.mean(axis=0)
    sd = data.std(axis=0, ddof=1)
    sd[sd == 0] = 1.0
    return (data - mu)/sd


def zscore_columns_args(size, rng):
    d = rng.random((of(size, 12, 300, 3000), 5))
    d[:, 2] = 4
    return (d,)


def pearson(x, y):
    xm = x - x.mean()
    ym = y - y.mean()
    r_num = np.add.reduce(xm*ym)
    r_den = np.sqrt((xm*xm).sum()*(ym*ym).sum())
    return r_num/r_den


def pearson_args(size, rng):
    n = of(size, 20, 2000, 100_000)
    x = rng.random(n)
    return x, x + rng.random(n)


def running_max_drawdown(prices):
    peak = np.maximum.accumulate(prices)
    drawdown = (peak - prices)/peak
    end = np.argmax(drawdown)
    start = np.argmax(prices[:end + 1])
    return drawdown[end], start, end


def running_max_drawdown_args(size, rng):
    return (100*np.exp(np.cumsum(0.02*rng.standard_normal(of(size, 50, 1500, 50_000)))),)


def ewma(x, alpha):
    y = np.empty(len(x))
    y[0] = x[0]
    for t in range(1, len(x)):
        y[t] = alpha*x[t] + (1 - alpha)*y[t-1]
    return y


def ewma_args(size, rng):
    return rng.standard_normal(of(size, 40, 4000, 50_000)), 0.1


def moving_average(x, w):
    c = np.cumsum(np.insert(x, 0, 0.0))
    return (c[w:] - c[:-w])/w


def moving_average_args(size, rng):
    return rng.standard_normal(of(size, 40, 4000, 50_000)), of(size, 5, 9, 30)


def trapz_integral(y, x):
    return np.sum(0.5*(y[1:] + y[:-1])*np.diff(x))


def trapz_integral_args(size, rng):
    n = of(size, 40, 4000, 50_000)
    return rng.random(n), np.sort(rng.random(n))


def welford(samples):
    count, mean, M2 = 0, 0.0, 0.0
    for x in samples:
        count += 1
        delta = x - mean
        mean += delta/count
        M2 += delta*(x - mean)
    return mean, M2/(count - 1)


def welford_args(size, rng):
    return (rng.normal(5, 2, of(size, 40, 4000, 50_000)),)


def masked_statistics(image, mask):
    vals = image[mask]
    n = mask.sum()
    return vals.mean(), vals.max(), vals.min(), n, image[~mask].sum()


def masked_statistics_args(size, rng):
    n = of(size, 9, 60, 400)
    im = rng.random((n, n))
    return im, im > 0.3


def row_argmax_gap(scores):
    order = np.argsort(scores, axis=1)
    top = np.take_along_axis(scores, order[:, -1:], axis=1)
    second = np.take_along_axis(scores, order[:, -2:-1], axis=1)
    return order[:, -1], (top - second).ravel()


def row_argmax_gap_args(size, rng):
    return (rng.random((of(size, 8, 100, 1000), 6)),)


def median_filter_1d(x, k):
    n = x.shape[0]
    half = k//2
    padded = np.pad(x, half, mode='edge')
    y = np.zeros(n)
    for i in range(n):
        y[i] = np.median(padded[i:i+k])
    return y


def median_filter_1d_args(size, rng):
    return rng.random(of(size, 20, 400, 4000)), 5


def covariance_loops(samples):
    n, p = samples.shape
    centred = samples - samples.mean(axis=0)
    S = np.empty((p, p))
    for a in range(p):
        for b in range(a + 1):
            S[a, b] = S[b, a] = centred[:, a] @ centred[:, b]/(n - 1)
    return S


def covariance_loops_args(size, rng):
    return (rng.random((of(size, 12, 100, 1000), of(size, 4, 16, 60))),)


def percentile_clip(x, lo, hi):
    a, b = np.percentile(x, [lo, hi])
    return np.clip(x, a, b)


def percentile_clip_args(size, rng):
    return rng.standard_normal(of(size, 31, 3001, 50_001)), 5, 95


def template_match_ncc(img, tpl):
    th, tw = tpl.shape
    win = np.lib.stride_tricks.sliding_window_view(img, (th, tw))
    t = tpl - tpl.mean()
    w = win - win.mean(axis=(-1, -2), keepdims=True)
    num = (w*t).sum(axis=(-1, -2))
    den = np.sqrt((w**2).sum(axis=(-1, -2))*(t**2).sum())
    ncc = np.divide(num, den, out=np.zeros_like(num), where=den > 1e-12)
    return ncc, np.unravel_index(ncc.argmax(), ncc.shape)


def template_match_ncc_args(size, rng):
    n, t = of(size, (12, 4), (80, 8), (300, 12))
    im = rng.random((n, n))
    return im, im[3:3 + t, 2:2 + t].copy()


def word_bigrams(tokens, vocab):
    counts = defaultdict(int)
    for a, b in zip(tokens[:-1], tokens[1:]):
        counts[a, b] += 1
    P = np.zeros((vocab, vocab))
    for (a, b), c in counts.items():
        P[a, b] = c
    rows = P.sum(axis=1, keepdims=True)
    return np.divide(P, rows, out=np.zeros_like(P), where=rows > 0)


def word_bigrams_args(size, rng):
    n, v = of(size, (40, 6), (3000, 40), (100000, 300))
    return rng.integers(0, v, n), v


def mutual_information(x, y, bins=8):
    H, xe, ye = np.histogram2d(x, y, bins=bins)
    P = H/H.sum()
    px = P.sum(axis=1, keepdims=True)
    py = P.sum(axis=0, keepdims=True)
    nz = P > 0
    return np.sum(P[nz]*np.log(P[nz]/(px @ py)[nz]))


def mutual_information_args(size, rng):
    n = of(size, 50, 3000, 300000)
    x = rng.normal(size=n)
    return x, x + rng.normal(size=n)


def percentile_above(x, t, q):
    sel = x[x > t]
    return np.percentile(sel, q), sel.size, np.std(sel)


def percentile_above_args(size, rng):
    return rng.standard_normal(of(size, 20, 101, 1000)), -0.3, 90


def ecdf_masked_sort(x, m):
    v = np.sort(x[m])
    w = np.arange(1, v.size + 1)/v.size
    return np.max(np.abs(w - v))


def ecdf_masked_sort_args(size, rng):
    n = of(size, 20, 60, 400)
    return rng.random(n), rng.random(n) > 0.4


def sigma_clip(x, kappa):
    data = x[~np.isnan(x)]
    for _ in range(10):
        mu, sd = data.mean(), data.std()
        keep = np.abs(data - mu) < kappa*sd
        if keep.all():
            break
        data = data[keep]
    return data.mean(), data.std(), len(data)


def sigma_clip_args(size, rng):
    x = rng.standard_normal(of(size, 30, 101, 1000)); x[:3] = 20; x[5] = np.nan
    return x, 2.5


def iter_outliers(v, k):
    n0 = -1
    while len(v) != n0:
        n0 = len(v)
        med = np.median(v)
        mad = np.median(np.abs(v - med))
        v = v[np.abs(v - med) <= k*1.4826*mad]
    return np.mean(v), n0


def iter_outliers_args(size, rng):
    x = rng.standard_normal(of(size, 30, 101, 1000)); x[:3] = 20
    return x, 3.0
