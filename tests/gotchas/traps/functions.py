"""Functions that fall into a trap each, as a scientist would write them; `table.py` says which and with what arguments."""

# The traps are the very things that ruff would mend: unused names, mutable defaults, comparisons with None.
# ruff: noqa
import logging
import math

import numpy as np

factor = 2.0
weights = np.array([1.0, 2.0, 3.0, 4.0])
seen = []


def gather(x, idx):
    y = np.zeros(len(idx))
    for i in range(len(idx)):
        y[i] = x[idx[i]]
    return y


def scatter(x, idx):
    y = np.zeros(len(x))
    for i in range(len(idx)):
        y[idx[i]] = x[i]
    return y


def total(x):
    return x.sum()


def add_to_neighbours(a):
    a[1:] += a[:-1]
    return a


def shift(a):
    a[1:] = a[:-1]
    return a


def largest(x):
    y = x * 2.0
    return np.max(y)


def histogram(values, n):
    h = np.zeros(n)
    for i in range(len(values)):
        h[values[i]] += 1
    return h


def running_best(a):
    m = a[0]
    for i in range(len(a)):
        if a[i] > m:
            m = a[i]
    return m


def recurrence(f):
    u = np.zeros(len(f))
    for i in range(1, len(f)):
        u[i] = 0.5 * (u[i - 1] + f[i])
    return u


def backwards(a):
    b = np.zeros(len(a))
    for i in range(1, len(a)):
        b[i] = a[-i] * 2.0
    return b


def hashed(x):
    h = np.uint64(14695981039346656037)
    for i in range(len(x)):
        h = (h ^ x[i]) * np.uint64(1099511628211)
        h = h + 1
    return h


def kept(x):
    found = []
    for i in range(len(x)):
        if x[i] > 0.0:
            found.append(x[i])
    return np.array(found)


def positive_part(x):
    m = 0.0
    for i in range(len(x)):
        m = max(m, x[i])
    return m


def masked_sum(x, mask):
    s = 0.0
    for i in range(len(x)):
        if mask[i]:
            s += x[i]
    return s


def scaled32(x):
    return x * 2.0 + 1.0


def small_sum(a):
    out = np.zeros(len(a))
    for i in range(len(a) - 1):
        out[i] = a[i] + a[i + 1]
    return out


def factorial(n):
    p = 1
    for i in range(1, n + 1):
        p *= i
    return p


def powers(x, k):
    return x**k


def solve_counts(a, b):
    return np.linalg.solve(a, b)


def scaled_by_global(x):
    return x * factor


def last_of(x, n):
    for i in range(n):
        last = x[i]
    return last


def noise(n):
    return np.random.rand(n)


def seeded_noise(n):
    np.random.seed(3)
    return np.random.rand(n)


def cleaned(x):
    return np.where(np.isnan(x), 0.0, x).sum()


def inverted(x, flag):
    return x * float(~flag)


def guarded(x, i):
    try:
        y = x[i]
    except IndexError:
        y = -1.0
    return y


def first32(x):
    return x[0] * x[1]


def large_integers(x):
    return x + 1


def mixed_promotion(n, x):
    return n * x, n.mean(), np.sqrt(n)


def windows(x, k):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = x[max(0, i - k) : i + k + 1].sum()
    return out


def aliased(x):
    y = x
    y += 1.0
    return x * 2.0


def through_a_view(x):
    v = x[1:]
    v[:] = 0.0
    return x.sum()


def fill(x, out):
    out[:] = x * 3.0


def bump(a, idx):
    a[idx] += 1.0
    return a


def put(a, idx, v):
    a[idx] = v
    return a


def safe_log(x):
    return np.where(x > 0, np.log(x), 0.0)


def by_type(x):
    if isinstance(x, np.ndarray):
        return x * 2.0
    return x


def told(x):
    print("mean", x.mean())
    return x * 2.0


def remembered(x):
    seen.append(float(x.sum()))
    return x * 2.0


def by_iterator(x):
    it = iter(x)
    s = 0.0
    for _ in range(len(x)):
        s += next(it)
    return s


def checked_sqrt(x):
    if (x < 0).any():
        raise ValueError("negative")
    return np.sqrt(x)


def quotient(a, b):
    return a // b


def to_bytes(x):
    return x.astype(np.uint8)


def log_of_exp(x):
    return np.log(np.exp(x))


def tiny(x):
    return x * 1e-300 * 1e-10


def best_of(x):
    return np.nanargmax(x)


def partly_filled(x):
    out = np.empty(len(x))
    out[0] = 0.0
    for i in range(1, len(x)):
        out[i] = out[i - 1] + x[i]
    return out


def closest(a, b):
    best = math.inf
    for i in range(len(a)):
        best = min(best, abs(a[i] - b[i]))
    return best


def ratio_of_integers(a, b):
    return a / b, np.sqrt(a), np.zeros(3) + a[0]


def normalised(x, w):
    return x * w.sum()


def spread(x):
    return x.std(), x.var()


def middle(x):
    return np.median(x)


def repeated(x):
    return x.repeat(2)


def thirds(x):
    a, b, c = np.split(x, 3)
    return a + b + c


def by_size(x):
    return x.astype(np.float32).sum() / x.size


def reversed_view(x):
    y = x[::-1]
    y[0] = 9.0
    return x * 1.0


def in_place(x):
    x *= 2.0
    return x.sum()


def signs(x):
    return np.sign(x)


def ranking(x):
    return np.argsort(x, kind="stable")


def chosen(x):
    return x[[0, 2, 1]]


def lower_triangle(a):
    b = a.copy()
    b[np.tril_indices(3)] = 0.0
    return b


def sorted_in_place(x):
    x.sort()
    return x[0]


def squares_up_to(n):
    return np.zeros(n) + np.arange(n)


def clipped(x):
    if x.sum() > 0 and x[0] > 0:
        return x
    return -x


def positives(x):
    return x[x > 0].sum()


def rounded_mean(x):
    return int(x.mean())


def along(x):
    return x.max(axis=0) + x.mean(axis=0)


def contracted(a, b):
    return np.einsum("ij,jk->ik", a, b)


def stacked(a, b):
    return np.concatenate([a, b])


def reshaped(x):
    return x[:, ::2].reshape(-1)


def several(x):
    pair = [x[0], 2]
    return pair[0] * pair[1]


def maybe(x):
    if x.size == 0:
        return None
    return x.max()


def written_global(x):
    weights[0] = 1.0
    return x * weights


def leaves_early(x):
    for i in range(len(x)):
        if x[i] < 0:
            return i
    return -1


def half_precision(x):
    return x * x


def sum_of_list(values):
    s = 0.0
    for v in values:
        s += v
    return s


def polynomial(x):
    return x + x * x + x * x * x


def division(x, y):
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = x[i] / y[i]
    return out


def long_loop(x):
    for i in range(200):
        x = x * 0.5 + 1.0
    return x


def begins_as_integer(x):
    s = 0
    for i in range(len(x)):
        s += x[i]
    return s


def by_constants(x):
    return x * weights


def fortran(x):
    return np.asfortranarray(x) * 2.0


def bounded(x):
    return np.clip(x, a_min=0.0, a_max=1.0)


def by_length(x, n):
    return x[:n].sum()


def flipped(x):
    return x[::-1] * 2.0


def counts_up(x):
    x += 0.5
    return x


def distinct(x):
    return np.unique(x, return_index=True)


def conjugated(z):
    return np.conj(z) * 2.0


def unsigned(x):
    return x + x


def halves(x, y):
    return np.quantile(x, 0.5) + y
