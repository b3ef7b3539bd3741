"""Signal processing and time series."""

from itertools import accumulate

import numpy as np
import math

from tests.corpus.sizes import of


def nlms(x, d, M, mu, y, e, eps=1e-6):
    # y and e are filled in
    w = np.zeros(M)
    for n in range(M - 1, len(x)):
        u = x[n-M+1:n+1][::-1]
        y[n] = np.dot(w, u)
        e[n] = d[n] - y[n]
        w += mu*e[n]*u/(eps + np.dot(u, u))


def nlms_args(size, rng):
    n = of(size, 100, 4000, 80000)
    x = rng.standard_normal(n)
    d = np.convolve(x, [0.5, -0.3, 0.2, 0.05])[:n] + 0.01*rng.standard_normal(n)
    return x, d, of(size, 4, 8, 16), 0.6, np.zeros(n), np.zeros(n)


def rls(x, d, M=4, lam=0.99, delta=100.0):
    """Recursive least squares, returns last weights and a priori error."""
    N = len(x)
    P = delta*np.eye(M)
    w = np.zeros((M, 1))
    err = np.zeros(N)
    buf = np.zeros((M, 1))
    for n in range(N):
        buf[1:] = buf[:-1].copy()
        buf[0, 0] = x[n]
        Pu = P @ buf
        k = Pu/(lam + (buf.T @ Pu).item())
        err[n] = d[n] - (w.T @ buf).item()
        w = w + k*err[n]
        P = (P - k @ buf.T @ P)/lam
    return w.ravel(), err


def rls_args(size, rng):
    n = of(size, 40, 1500, 30000)
    x = rng.standard_normal(n)
    return x, np.convolve(x, [1.0, 0.4, -0.2])[:n] + 0.05*rng.standard_normal(n), of(size, 3, 5, 8)


def levinson(x, p):
    n = len(x)
    r = np.zeros(p + 1)
    for lag in range(p + 1):
        r[lag] = np.sum(x[:n-lag]*x[lag:])/n
    a = np.zeros(p + 1)
    a[0] = 1.0
    refl = np.zeros(p)
    E = r[0]
    tmp = np.zeros(p + 1)
    for i in range(1, p + 1):
        acc = r[i]
        for j in range(1, i):
            acc += a[j]*r[i-j]
        k = -acc/E
        refl[i-1] = k
        for j in range(1, i):
            tmp[j] = a[j] + k*a[i-j]
        for j in range(1, i):
            a[j] = tmp[j]
        a[i] = k
        E *= 1 - k*k
        if E <= 0:
            break
    return a, refl, E


def levinson_args(size, rng):
    n = of(size, 200, 3000, 60000)
    x = np.convolve(rng.standard_normal(n), [1, 0.7, 0.4, -0.1])
    return x, of(size, 10, 100, 700)


def cic_decimate(x, R, N=3, D=1):
    # relies on two's complement wraparound like the hardware
    y = x.astype(np.int32)
    for _ in range(N):
        y = np.cumsum(y, dtype=np.int32)
    y = y[R-1::R]
    for _ in range(N):
        prev = np.zeros_like(y)
        prev[D:] = y[:-D]
        y = y - prev
    gain = (R*D)**N
    return y, y/gain


def cic_decimate_args(size, rng):
    n = of(size, 200, 20000, 2000000)
    t = np.arange(n)
    return np.rint(1000*np.sin(0.01*t) + rng.normal(0, 50, n)).astype(np.int16), 16


def costas_pll(x, f0, bw, zeta=0.707):
    """Second order loop on complex baseband, BPSK phase detector"""
    theta = bw/(zeta + 0.25/zeta)
    den = 1 + 2*zeta*theta + theta**2
    kp = 4*zeta*theta/den
    ki = 4*theta**2/den
    ph, fr = 0.0, f0
    out = np.empty_like(x)
    freq = np.empty(len(x))
    for n in range(len(x)):
        nco = complex(math.cos(ph), -math.sin(ph))
        v = x[n]*nco
        out[n] = v
        err = v.imag*(1.0 if v.real > 0 else -1.0)
        fr += ki*err
        ph += fr + kp*err
        if ph > 2*math.pi:
            ph -= 2*math.pi
        elif ph < 0:
            ph += 2*math.pi
        freq[n] = fr
    return out, freq


def costas_pll_args(size, rng):
    n = of(size, 100, 5000, 150000)
    bits = np.repeat(rng.choice([-1.0, 1.0], n//10 + 1), 10)[:n]
    ph = 0.05*np.arange(n) + 0.7
    return bits*np.exp(1j*ph) + 0.1*(rng.standard_normal(n) + 1j*rng.standard_normal(n)), 0.04, 0.02


def spectral_gate(x, nfft=256, hop=64, floor_db=-12.0):
    """STFT, mute weak bins, overlap-add back"""
    win = 0.5 - 0.5*np.cos(2*np.pi*np.arange(nfft)/nfft)
    nfr = 1 + (len(x) - nfft)//hop
    idx = np.arange(nfft)[None, :] + hop*np.arange(nfr)[:, None]
    X = np.fft.rfft(x[idx]*win, axis=1)
    mag = np.abs(X)
    noise = np.median(mag, axis=0)
    X[mag < 2*noise] *= 10**(floor_db/20)
    frames = np.fft.irfft(X, n=nfft, axis=1)*win
    y = np.zeros(len(x))
    norm = np.zeros(len(x))
    for k in range(nfr):
        y[k*hop:k*hop+nfft] += frames[k]
        norm[k*hop:k*hop+nfft] += win**2
    y /= np.maximum(norm, 1e-3)
    return y, 20*np.log10(mag + 1e-12)


def spectral_gate_args(size, rng):
    n = of(size, 400, 8000, 200000)
    t = np.arange(n)
    nfft = of(size, 64, 128, 256)
    return np.sin(0.2*t) + 0.3*np.sin(0.9*t + 1) + 0.2*rng.standard_normal(n), nfft, nfft//4


def envelope_freq(x, fs):
    # analytic signal by fft
    n = x.shape[-1]
    X = np.fft.fft(x, axis=-1)
    h = np.zeros(n)
    h[0] = 1
    if n % 2 == 0:
        h[n//2] = 1
        h[1:n//2] = 2
    else:
        h[1:(n+1)//2] = 2
    z = np.fft.ifft(X*h, axis=-1)
    env = np.abs(z)
    ph = np.unwrap(np.angle(z), axis=-1)
    f = np.diff(ph, axis=-1)*fs/(2*np.pi)
    teager = x[:, 1:-1]**2 - x[:, :-2]*x[:, 2:]
    return env, f, teager


def envelope_freq_args(size, rng):
    c, n = of(size, 2, 4, 8), of(size, 101, 4096, 65536)
    t = np.arange(n)/1000.0
    f = rng.uniform(40, 120, (c, 1))
    am = 1 + 0.5*np.sin(2*np.pi*3*t)
    return am*np.cos(2*np.pi*f*t + rng.uniform(0, 6, (c, 1))), 1000.0


def hampel(x, k=3, nsig=3.0):
    y = x.copy()
    n = len(x)
    bad = []
    for i in range(n):
        lo = max(0, i - k)
        hi = min(n, i + k + 1)
        win = x[lo:hi]
        med = np.median(win)
        s = 1.4826*np.median(np.abs(win - med))
        if np.abs(x[i] - med) > nsig*s:
            y[i] = med
            bad.append(i)
    return y, np.array(bad, dtype=int)


def hampel_args(size, rng):
    n = of(size, 30, 600, 10000)
    x = np.cumsum(rng.normal(0, 0.1, n))
    x[rng.integers(0, n, n//20)] += 5
    return x, of(size, 2, 3, 5)


def savgol(y, window, order, deriv=0, dx=1.0):
    """Savitzky-Golay with mirrored ends"""
    if window % 2 == 0:
        window += 1
    m = window//2
    A = np.vander(np.arange(-m, m + 1), order + 1, increasing=True).astype(float)
    c = np.linalg.pinv(A)[deriv]*math.factorial(deriv)/dx**deriv
    first = y[0] - np.abs(y[1:m+1][::-1] - y[0])
    last = y[-1] + np.abs(y[-m-1:-1][::-1] - y[-1])
    ext = np.concatenate((first, y, last))
    return np.convolve(ext, c[::-1], mode='valid')


def savgol_args(size, rng):
    n = of(size, 40, 5000, 500000)
    return np.sin(np.linspace(0, 20, n)) + 0.1*rng.standard_normal(n), of(size, 7, 15, 31), 3, 1, 20/n


def adaptive_delta_mod(x, step0=0.05, up=1.5, smin=0.005, smax=1.0):
    n = x.size
    bits = np.zeros(n, dtype=np.int8)
    rec = np.zeros(n)
    steps = np.zeros(n, np.float32)
    est = 0.0
    step = step0
    prev = 0
    for i, v in enumerate(x):
        b = 1 if v >= est else -1
        if i > 0:
            if b == prev:
                step *= up
            else:
                step /= up
        # keep in range
        step = smin if step < smin else smax if step > smax else step
        est += b*step
        bits[i] = b
        rec[i] = est
        steps[i] = step
        prev = b
    snr = 10*np.log10(np.sum(x**2)/np.sum((x - rec)**2))
    return bits, rec, steps, snr


def adaptive_delta_mod_args(size, rng):
    n = of(size, 100, 8000, 300000)
    return (np.sin(0.05*np.arange(n)) + 0.3*np.cos(0.013*np.arange(n)) + 0.02*rng.standard_normal(n),)


def threshold_crossing(t, y, level):
    """Time of the first sample above a level, interpolated; raises where there is none."""
    i = np.where(y > level)[0][0]
    j = np.flatnonzero(y > level)[-1]
    if i == 0:
        return t[0], t[j]
    w = (level - y[i-1])/(y[i] - y[i-1])
    return t[i-1] + w*(t[i] - t[i-1]), t[j]


def threshold_crossing_args(size, rng):
    n = of(size, 10, 200, 20000)
    return np.linspace(0, 1, n), np.cumsum(rng.random(n))/n, 0.2


def rescaled_range(x):
    """R/S of Hurst: the range of the summed deviations over the standard deviation."""
    deviation = x - x.mean()
    summed = np.cumsum(deviation)
    high = np.maximum.accumulate(summed)
    low = np.minimum.accumulate(summed)
    spread = (high - low)/x.std()
    return spread


def rescaled_range_args(size, rng):
    return (rng.standard_normal(of(size, 25, 800, 20_000)),)


def peaks_and_recoveries(prices):
    peaks = np.array(list(accumulate(prices, max)))
    lows = np.array(list(accumulate(prices[::-1], min)))[::-1]
    return prices/peaks - 1.0, lows/prices - 1.0


def peaks_and_recoveries_args(size, rng):
    return (np.exp(np.cumsum(rng.normal(0, 0.01, of(size, 20, 500, 20000)))),)


def leaky_sum(x, keep):
    # what is left of each value fades from step to step
    level = list(accumulate(x, lambda old, new: 0.9*old + new, initial=0.0))
    return np.array(level[1:])*keep


def leaky_sum_args(size, rng):
    return rng.normal(size=of(size, 20, 500, 20000)), 0.5


def moving_energy(x, width):
    energy = np.zeros(len(x))
    total = 0.0
    for n, v in enumerate(x):
        total += v*v
        if (first := n - width) >= 0:
            total -= x[first]**2
        energy[n] = (weighted := total/min(n + 1, width)) + 0.5*weighted**2
    return energy


def moving_energy_args(size, rng):
    return rng.normal(size=of(size, 20, 500, 20000)), of(size, 4, 16, 100)
