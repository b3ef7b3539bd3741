"""Filters, transforms, convolution."""

import numpy as np

from tests.corpus.sizes import of


def iir_biquad(x, b0, b1, b2, a1, a2):
    y = np.zeros_like(x)
    x1 = x2 = y1 = y2 = 0.0
    for n in range(len(x)):
        y[n] = b0*x[n] + b1*x1 + b2*x2 - a1*y1 - a2*y2
        x2, x1 = x1, x[n]
        y2, y1 = y1, y[n]
    return y


def iir_biquad_args(size, rng):
    return rng.standard_normal(of(size, 40, 2000, 40_000)), 0.067, 0.135, 0.067, -1.143, 0.413


def fir_direct(signal, taps):
    N = len(signal)
    M = len(taps)
    out = np.zeros(N)
    for n in range(N):
        acc = 0.0
        for k in range(M):
            if n - k >= 0:
                acc += taps[k]*signal[n - k]
        out[n] = acc
    return out


def fir_direct_args(size, rng):
    return rng.standard_normal(of(size, 30, 300, 3000)), rng.random(7)


def kalman_1d(z, q, r):
    n_iter = z.size
    xhat = np.zeros(n_iter)
    P = np.zeros(n_iter)
    xhat[0] = z[0]
    P[0] = 1.0
    for k in range(1, n_iter):
        # predict
        xminus = xhat[k-1]
        Pminus = P[k-1] + q
        # update
        K = Pminus/(Pminus + r)
        xhat[k] = xminus + K*(z[k] - xminus)
        P[k] = (1 - K)*Pminus
    return xhat, P


def kalman_1d_args(size, rng):
    return rng.normal(0.4, 0.1, of(size, 30, 500, 5000)), 1e-5, 0.01


def kalman_matrix(zs, F, H, Q, R, x, P):
    I = np.eye(F.shape[0])
    history = []
    for z in zs:
        x = F @ x
        P = F @ P @ F.T + Q
        y = z - H @ x
        S = H @ P @ H.T + R
        K = P @ H.T @ np.linalg.inv(S)
        x = x + K @ y
        P = (I - K @ H) @ P
        history.append(x)
    return np.array(history), P


def kalman_matrix_args(size, rng):
    F = np.array([[1., 0.1], [0., 1.]])
    return (rng.random((of(size, 10, 80, 500), 1)), F, np.array([[1., 0.]]), 0.01*np.eye(2), np.array([[0.2]]),
            np.zeros(2), np.eye(2))


def fft_recursive(x):
    N = len(x)
    if N <= 1:
        return x
    even = fft_recursive(x[0::2])
    odd = fft_recursive(x[1::2])
    T = np.exp(-2j*np.pi*np.arange(N//2)/N)*odd
    return np.concatenate([even + T, even - T])


def fft_recursive_args(size, rng):
    n = of(size, 8, 64, 512)
    return (rng.random(n) + 1j*rng.random(n),)


def fft_iterative(x):
    """radix 2, in place, decimation in time"""
    N = x.shape[0]
    X = x.astype(np.complex128)
    j = 0
    for i in range(1, N):
        bit = N >> 1
        while j & bit:
            j ^= bit
            bit >>= 1
        j |= bit
        if i < j:
            X[i], X[j] = X[j], X[i]
    length = 2
    while length <= N:
        w = np.exp(-2j*np.pi/length)
        for i in range(0, N, length):
            wk = 1.0 + 0.0j
            for k in range(length//2):
                u = X[i + k]
                v = X[i + k + length//2]*wk
                X[i + k] = u + v
                X[i + k + length//2] = u - v
                wk *= w
        length *= 2
    return X


def fft_iterative_args(size, rng):
    return (rng.random(of(size, 8, 64, 512)),)


def dft_matrix(x):
    N = len(x)
    n = np.arange(N)
    k = n.reshape((N, 1))
    W = np.exp(-2j*np.pi*k*n/N)
    return W @ x


def dft_matrix_args(size, rng):
    return (rng.random(of(size, 9, 60, 400)),)


def lowpass_fft(x, cutoff, fs):
    X = np.fft.rfft(x)
    f = np.fft.rfftfreq(len(x), d=1/fs)
    X[f > cutoff] = 0
    return np.fft.irfft(X, n=len(x))


def lowpass_fft_args(size, rng):
    return rng.random(of(size, 32, 1024, 16384)), 20.0, 100.0


def power_spectrum_2d(im):
    F = np.fft.fftshift(np.fft.fft2(im))
    return np.log1p(np.abs(F)**2)


def power_spectrum_2d_args(size, rng):
    n = of(size, 8, 48, 256)
    return (rng.random((n, n)),)


def autocorrelation(x, maxlag):
    x = x - np.mean(x)
    n = len(x)
    acf = np.zeros(maxlag)
    c0 = np.dot(x, x)/n
    for lag in range(maxlag):
        acf[lag] = np.dot(x[:n-lag], x[lag:])/n/c0
    return acf


def autocorrelation_args(size, rng):
    return rng.random(of(size, 30, 500, 5000)), of(size, 6, 20, 60)


def smooth(x, window_len=11):
    s = np.r_[x[window_len-1:0:-1], x, x[-2:-window_len-1:-1]]
    w = np.hanning(window_len)
    return np.convolve(w/w.sum(), s, mode='valid')


def smooth_args(size, rng):
    return (rng.random(of(size, 40, 400, 10_000)),)


def spectral_solver(u, nu, dt, steps):
    N = u.size
    k = np.fft.fftfreq(N, 1.0/N)*1j
    u_hat = np.fft.fft(u)
    for _ in range(steps):
        u_hat = u_hat + dt*(nu*k**2*u_hat)
    return np.fft.ifft(u_hat).real


def spectral_solver_args(size, rng):
    return rng.random(of(size, 16, 128, 1024)), 0.05, 1e-4, of(size, 5, 50, 100)


def zero_crossings(sig):
    count = 0
    prev = sig[0]
    for s in sig[1:]:
        if (prev < 0) != (s < 0):
            count += 1
        prev = s
    return count


def zero_crossings_args(size, rng):
    return (rng.standard_normal(of(size, 30, 3000, 30_000)),)


def goertzel(samples, freq, rate):
    omega = 2*np.pi*freq/rate
    coeff = 2*np.cos(omega)
    s_prev = s_prev2 = 0.0
    for x in samples:
        s = x + coeff*s_prev - s_prev2
        s_prev2 = s_prev
        s_prev = s
    return s_prev2**2 + s_prev**2 - coeff*s_prev*s_prev2


def goertzel_args(size, rng):
    return rng.standard_normal(of(size, 30, 3000, 30_000)), 440.0, 8000.0


def clipped_window_max(x, reach):
    # the window is cut short at both ends
    n = len(x)
    out = np.empty(n)
    for i in range(n):
        lo = max(0, i - reach)
        hi = min(n, i + reach + 1)
        out[i] = x[lo:hi].max()
    return out


def clipped_window_max_args(size, rng):
    return rng.standard_normal(of(size, 12, 200, 2000)), 3


def holt_trend(series, alpha, beta):
    """Double exponential smoothing: the first two values start level and trend"""
    first, second, *rest = series
    level, trend = second, second - first
    error = 0.0
    for value in rest:
        error += (value - level - trend)**2
        new = alpha*value + (1 - alpha)*(level + trend)
        trend = beta*(new - level) + (1 - beta)*trend
        level = new
    return level, trend, error/len(rest)


def holt_trend_args(size, rng):
    n = of(size, 10, 300, 30_000)
    return np.cumsum(rng.standard_normal(n)) + 0.1*np.arange(n), 0.4, 0.2


def peak_table(x, height):
    """Peaks above a height, the highest first: where, how high, how far from the one before"""
    peaks = []
    last = 0
    for i in range(1, len(x) - 1):
        if x[i - 1] < x[i] >= x[i + 1] and x[i] > height:
            peaks.append((i, x[i], i - last))
            last = i
    peaks.sort(key=lambda p: -p[1])
    return np.array(peaks), len(peaks)


def peak_table_args(size, rng):
    n = of(size, 40, 600, 60_000)
    return np.sin(np.arange(n)*0.4) + 0.3*rng.standard_normal(n), 0.5


def dct2_matrix(x):
    """DCT-II as a matrix product, orthonormal"""
    N = len(x)
    n = np.arange(N)
    k = n[:, None]
    C = np.cos(np.pi*k*(2*n + 1)/(2*N))
    X = C @ x*np.sqrt(2/N)
    X[0] /= np.sqrt(2)
    return X


def dct2_matrix_args(size, rng):
    return (rng.random(of(size, 8, 64, 400)),)


def inverse_dft_2d(F):
    M, N = F.shape
    rows = np.arange(M)
    cols = np.arange(N)
    Wm = np.exp(2j*np.pi*rows[:, None]*rows/M)
    Wn = np.exp(2j*np.pi*cols[:, None]*cols/N)
    return (Wm @ F @ Wn).real/(M*N)


def inverse_dft_2d_args(size, rng):
    m = of(size, 5, 40, 150)
    return (np.fft.fft2(rng.random((m, m + 3))),)


def cross_correlation_lags(a, b, reach):
    # how alike two images are when one is moved by (dy, dx)
    H, W = a.shape[0] - 2*reach, a.shape[1] - 2*reach
    score = np.zeros((H, W))
    for dy in range(2*reach + 1):
        for dx in range(2*reach + 1):
            moved = b[reach, dy]*0.5 + b[dy, reach]*0.5
            score += moved*a[dy:dy + H, dx:dx + W]
    return score


def cross_correlation_lags_args(size, rng):
    n = of(size, 8, 40, 220)
    return rng.random((n, n)), rng.random((n, n)), 2


def bode_margins(num, den, w):
    s = 1j*w
    G = np.polyval(num, s)/np.polyval(den, s)
    mag = 20*np.log10(np.abs(G))
    phase = np.rad2deg(np.unwrap(np.angle(G)))
    gm, pm = np.inf, np.inf
    cross = np.where(np.diff(np.sign(mag)) != 0)[0]
    if len(cross) > 0:
        i = cross[0]
        f = mag[i]/(mag[i] - mag[i+1])
        pm = 180 + phase[i] + f*(phase[i+1] - phase[i])
    pc = np.nonzero((phase[:-1] + 180)*(phase[1:] + 180) < 0)[0]
    if pc.size:
        gm = -mag[pc[0]]
    return mag, phase, min(gm, 1e9), min(pm, 1e9)


def bode_margins_args(size, rng):
    return np.array([20.0 + rng.random()]), np.array([1., 6, 11, 6]), np.logspace(-2, 2, of(size, 50, 1000, 100000))


def spike_triggered_average(stim, spikes, window):
    sta = np.zeros((window, stim.shape[1]))
    used = 0
    for s in spikes:
        if s < window:
            continue
        sta += stim[s-window:s][::-1]
        used += 1
    if used == 0:
        return sta, 0.0
    sta /= used
    segs = np.lib.stride_tricks.sliding_window_view(stim, window, axis=0)
    proj = np.einsum('nkw,wk->n', segs[..., ::-1], sta)
    return sta, proj.std()


def spike_triggered_average_args(size, rng):
    n = of(size, 100, 1000, 20000)
    return rng.normal(size=(n, 4)), np.sort(rng.choice(n, n//10, replace=False)), 12


def haar_denoise(x, levels=4, k=3.0):
    a = x.copy()
    details = []
    for _ in range(levels):
        even, odd = a[::2], a[1::2]
        details.append((even - odd)/np.sqrt(2))
        a = (even + odd)/np.sqrt(2)
    sigma = np.median(np.abs(details[0]))/0.6745
    t = sigma*np.sqrt(2*np.log(len(x)))*k/3
    for d in reversed(details):
        d = np.sign(d)*np.maximum(np.abs(d) - t, 0)
        up = np.empty(2*len(a))
        up[0::2] = (a + d)/np.sqrt(2)
        up[1::2] = (a - d)/np.sqrt(2)
        a = up
    return a


def haar_denoise_args(size, rng):
    n = of(size, 32, 4096, 2**19)
    return (np.cumsum(rng.normal(size=n)),)


def peak_area(x, y, thr):
    i = np.argmax(y)
    lo = i
    while lo > 0 and y[lo-1] > thr:
        lo -= 1
    hi = i
    while hi < len(y) - 1 and y[hi+1] > thr:
        hi += 1
    seg = y[lo:hi+1]
    return seg.sum(), seg.mean(), seg.max(), np.trapezoid(y[lo:hi+1], x[lo:hi+1]), np.dot(seg, seg)


def peak_area_args(size, rng):
    n = of(size, 30, 200, 2000)
    x = np.linspace(-3, 3, n)
    return x, np.exp(-x**2) + 0.01*rng.random(n), 0.2


def width_at_half(x, y):
    half = y.max()/2
    i = np.argmax(y)
    left = np.interp(half, y[:i+1], x[:i+1])
    right = np.interp(-half, -y[i:], x[i:])
    return right - left


def width_at_half_args(size, rng):
    n = of(size, 31, 201, 2001)
    x = np.linspace(-4, 4, n)
    return x, np.exp(-x**2/2)


def centroid_window(spec, freqs, half):
    i = int(np.argmax(spec))
    lo = max(0, i - half)
    hi = min(len(spec), i + half + 1)
    w = spec[lo:hi]
    return np.sum(w * freqs[lo:hi]) / np.sum(w)


def centroid_window_args(size, rng):
    n = of(size, 30, 200, 2000)
    return rng.random(n), np.linspace(0, 1, n), 4


def longest_quiet_stretch(x, fs, limit):
    """Start, end (s) and mean level of the longest stretch below a limit; NaN where there is none."""
    longest = None
    start = -1
    for i in range(len(x) + 1):
        quiet = i < len(x) and abs(x[i]) < limit
        if quiet and start < 0:
            start = i
        elif not quiet and start >= 0:
            if longest is None or i - start > longest[1] - longest[0]:
                longest = (start, i)
            start = -1
    if longest is None:
        return np.nan, np.nan, np.nan
    return longest[0]/fs, longest[1]/fs, np.mean(np.abs(x[longest[0]:longest[1]]))


def longest_quiet_stretch_args(size, rng):
    n = of(size, 200, 5_000, 200_000)
    return rng.normal(size=n)*(1 + np.sin(np.arange(n)/50)), 8000.0, 0.8


def dct_rows(frames, keep):
    """the first coefficients of the type II cosine transform of each frame"""
    n = frames.shape[1]
    k = np.arange(keep)
    i = np.arange(n)
    basis = np.cos(np.pi*k[:, None]*(2*i + 1)/(2*n))
    scale = np.where(k == 0, np.sqrt(1/n), np.sqrt(2/n))
    return frames @ (basis*scale[:, None]).T


def dct_rows_args(size, rng):
    m, n = of(size, (3, 8), (20, 64), (200, 512))
    return rng.standard_normal((m, n)), of(size, 4, 24, 256)


def steering_spectrum(snapshots, n_angles):
    """power that a line of sensors, half a wavelength apart, receives from each direction"""
    m = snapshots.shape[0]
    s = np.arange(m)
    q = np.arange(n_angles)[:, None]
    W = np.exp(-2j*np.pi*q*s/n_angles)
    R = snapshots @ snapshots.conj().T/snapshots.shape[1]
    return np.real(np.einsum('as,st,at->a', W, R, W.conj()))


def steering_spectrum_args(size, rng):
    m, t, a = of(size, (4, 6, 9), (8, 40, 90), (24, 400, 720))
    return rng.standard_normal((m, t)) + 1j*rng.standard_normal((m, t)), a


def alpha_beta_smoother(zs, F, H, R, Q):
    """A filter's pass, and the Rauch-Tung-Striebel pass back over what it kept"""
    n, d = len(zs), F.shape[0]
    x, P = np.zeros(d), np.eye(d)
    xs, Ps = np.zeros((n, d)), np.zeros((n, d, d))
    for k in range(n):
        x, P = F @ x, F @ P @ F.T + Q
        S = (H @ P @ H.T + R)[0, 0]
        K = P @ H[0]/S
        x = x + K*(zs[k] - H[0] @ x)
        P = P - np.outer(K, H[0] @ P)
        xs[k], Ps[k] = x, P
    for k in range(n - 2, -1, -1):
        ahead = F @ Ps[k] @ F.T + Q
        C = np.linalg.solve(ahead, F @ Ps[k]).T
        xs[k] = xs[k] + C @ (xs[k+1] - F @ xs[k])
    return xs


def alpha_beta_smoother_args(size, rng):
    F = np.array([[1.0, 0.1, 0.005], [0.0, 1.0, 0.1], [0.0, 0.0, 1.0]])
    n = of(size, 12, 80, 400)
    return np.cumsum(rng.standard_normal(n))*0.1, F, np.array([[1.0, 0.0, 0.0]]), np.array([[0.5]]), 0.01*np.eye(3)


def jones_stack(angles, delays):
    """Polarised light through a stack of wave plates: Jones matrices, one after the other"""
    field = np.array([1.0 + 0j, 0.0])
    for a, d in zip(angles, delays):
        turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + 0j
        plate = np.array([[np.exp(-0.5j*d), 0], [0, np.exp(0.5j*d)]])
        field = turn.T @ plate @ turn @ field
    return np.abs(field)**2


def jones_stack_args(size, rng):
    n = of(size, 10, 60, 400)
    return rng.uniform(0, np.pi, n), rng.uniform(0, 2, n)
