"""Physics and astronomy: orbits, lattices, fields, stars."""

import math

import numpy as np

from tests.corpus.sizes import of

MU0_4PI = 1e-7
SQRT_PI = math.sqrt(math.pi)


def kepler_orbit(t, a, e, P, tol=1e-12):
    # position in the orbital plane, focus at origin
    x = np.zeros(len(t))
    y = np.zeros(len(t))
    n = 2*math.pi/P
    b = a*math.sqrt(1 - e*e)
    for i in range(len(t)):
        M = (n*t[i]) % (2*math.pi)
        E = M if e < 0.8 else math.pi
        it = 0
        while True:
            dE = (E - e*math.sin(E) - M)/(1 - e*math.cos(E))
            E -= dE
            it += 1
            if abs(dE) < tol or it > 50:
                break
        x[i] = a*(math.cos(E) - e)
        y[i] = b*math.sin(E)
    return x, y


def kepler_orbit_args(size, rng):
    return rng.uniform(0, 900, of(size, 40, 2000, 60000)), 1.52, 0.0934, 686.98


def potts_sweep(s, q, beta, cand, u):
    """One Metropolis sweep of the q-state Potts model, random numbers supplied."""
    L = s.shape[0]
    for i in range(L):
        for j in range(L):
            old = s[i, j]
            new = cand[i, j] % q
            if new == old:
                continue
            same_old = 0
            same_new = 0
            for di, dj in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                nb = s[(i + di) % L, (j + dj) % L]
                if nb == old:
                    same_old += 1
                elif nb == new:
                    same_new += 1
            dE = same_old - same_new
            if dE <= 0 or u[i, j] < math.exp(-beta*dE):
                s[i, j] = new


def potts_sweep_args(size, rng):
    L = of(size, 8, 40, 200)
    return rng.integers(0, 4, (L, L)), 4, 1.1, rng.integers(0, 4, (L, L)), rng.random((L, L))


def ewald_energy(pos, q, L, alpha, kmax):
    N = len(q)
    # real space part, minimum image
    e_real = 0.0
    for i in range(N - 1):
        for j in range(i + 1, N):
            r2 = 0.0
            for c in range(3):
                d = pos[i, c] - pos[j, c]
                d -= L*round(d/L)
                r2 += d*d
            r = math.sqrt(r2)
            e_real += q[i]*q[j]*math.erfc(alpha*r)/r
    # k space
    e_k = 0.0
    for nx in range(-kmax, kmax + 1):
        for ny in range(-kmax, kmax + 1):
            for nz in range(-kmax, kmax + 1):
                n2 = nx*nx + ny*ny + nz*nz
                if n2 == 0 or n2 > kmax*kmax:
                    continue
                k = 2*np.pi/L*np.array([nx, ny, nz])
                rho = np.sum(q*np.exp(1j*(pos @ k)))
                k2 = np.dot(k, k)
                e_k += np.exp(-k2/(4*alpha**2))/k2*abs(rho)**2
    e_k *= 2*np.pi/L**3
    e_self = -alpha/SQRT_PI*np.sum(q**2)
    return e_real + e_k + e_self, e_real, e_k


def ewald_energy_args(size, rng):
    N = of(size, 6, 40, 300)
    q = np.ones(N)
    q[1::2] = -1.0
    return rng.uniform(0, 10, (N, 3)), q, 10.0, 0.6, of(size, 2, 4, 7)


def lambda_iteration(tau, B, eps, nmu, maxit=80, tol=1e-4):
    """Two-level atom source function by plain Lambda iteration

    tau : optical depth grid, B : Planck function, eps : destruction probability
    """
    mu, w = np.polynomial.legendre.leggauss(nmu)
    mu = 0.5*(mu + 1)
    w = 0.5*w
    S = B.copy()
    nd = len(tau)
    for it in range(maxit):
        Iup = np.zeros((nd, nmu))
        Idn = np.zeros((nd, nmu))
        Iup[-1] = B[-1]
        for k in range(1, nd):
            ex = np.exp(-(tau[k] - tau[k-1])/mu)
            Idn[k] = Idn[k-1]*ex + 0.5*(S[k] + S[k-1])*(1 - ex)
        for k in range(nd - 2, -1, -1):
            ex = np.exp(-(tau[k+1] - tau[k])/mu)
            Iup[k] = Iup[k+1]*ex + 0.5*(S[k] + S[k+1])*(1 - ex)
        J = 0.5*(Iup + Idn) @ w
        Snew = (1 - eps)*J + eps*B
        err = np.max(np.abs(Snew - S)/Snew)
        S = Snew
        if err < tol:
            break
    return S, J, it + 1


def lambda_iteration_args(size, rng):
    nd = of(size, 8, 30, 120)
    tau = np.logspace(-3, 2, nd)
    return tau, 1 + 0.01*tau, 0.05, of(size, 2, 3, 6), of(size, 4, 40, 100)


def verlet_list(pos, box, rc, skin=0.3, max_nb=64):
    n = pos.shape[0]
    nb = -np.ones((n, max_nb), dtype=np.int32)
    cnt = np.zeros(n, dtype=np.int32)
    rl2 = (rc + skin)**2
    for i in range(n - 1):
        dr = pos[i+1:] - pos[i]
        dr -= box*np.rint(dr/box)
        d2 = (dr**2).sum(axis=1)
        for j in np.where(d2 < rl2)[0]:
            if cnt[i] == max_nb:
                break
            nb[i, cnt[i]] = j + i + 1
            cnt[i] += 1
    return nb, cnt


def verlet_list_args(size, rng):
    n = of(size, 30, 400, 3000)
    box = (n/0.7)**(1/3)
    return rng.uniform(0, box, (n, 3)), box, 1.6


def biot_savart(r, wire, I=1.0):
    mid = 0.5*(wire[1:] + wire[:-1])
    dl = np.diff(wire, axis=0)
    R = r[:, None, :] - mid[None, :, :]
    R3 = np.sum(R**2, axis=-1)**1.5
    dB = np.cross(dl[None, :, :], R)/R3[..., None]
    return MU0_4PI*I*dB.sum(axis=1)


def biot_savart_args(size, rng):
    m = of(size, 16, 100, 600)
    phi = np.linspace(0, 2*np.pi, m + 1)
    wire = np.stack([np.cos(phi), np.sin(phi), np.zeros_like(phi)], axis=1)
    r = rng.uniform(-0.5, 0.5, (of(size, 10, 100, 1500), 3))
    r[:, 2] += 0.8
    return r, wire, 2.5


def lane_emden(n, h):
    def rhs(xi, th, ph):
        t = th if th > 0 else 0.0
        return -ph/xi**2, t**n*xi**2

    # series near the centre, otherwise 0/0
    xi = h
    theta = 1 - xi**2/6 + n*xi**4/120
    phi = xi**3/3
    while xi < 30:
        a1, b1 = rhs(xi, theta, phi)
        a2, b2 = rhs(xi + h/2, theta + h/2*a1, phi + h/2*b1)
        a3, b3 = rhs(xi + h/2, theta + h/2*a2, phi + h/2*b2)
        a4, b4 = rhs(xi + h, theta + h*a3, phi + h*b3)
        tnew = theta + h*(a1 + 2*a2 + 2*a3 + a4)/6
        pnew = phi + h*(b1 + 2*b2 + 2*b3 + b4)/6
        if tnew <= 0:
            f = theta/(theta - tnew)
            return xi + f*h, phi + f*(pnew - phi)
        theta, phi = tnew, pnew
        xi += h
    return xi, phi


def lane_emden_args(size, rng):
    return 1.5, of(size, 0.05, 0.002, 0.00005)


def rkf45_vdp(mu, y0, t_end, tol=1e-6):
    # Fehlberg coefficients, checked against the book
    f = lambda y: np.array([y[1], mu*(1 - y[0]**2)*y[1] - y[0]])
    t, h = 0.0, 0.01
    y = np.array(y0, dtype=float)
    ts = [t]
    ys = [y]
    rejected = 0
    while t < t_end:
        if t + h > t_end:
            h = t_end - t
        k1 = h*f(y)
        k2 = h*f(y + k1/4)
        k3 = h*f(y + 3/32*k1 + 9/32*k2)
        k4 = h*f(y + 1932/2197*k1 - 7200/2197*k2 + 7296/2197*k3)
        k5 = h*f(y + 439/216*k1 - 8*k2 + 3680/513*k3 - 845/4104*k4)
        k6 = h*f(y - 8/27*k1 + 2*k2 - 3544/2565*k3 + 1859/4104*k4 - 11/40*k5)
        y4 = y + 25/216*k1 + 1408/2565*k3 + 2197/4104*k4 - k5/5
        err = np.max(np.abs(k1/360 - 128/4275*k3 - 2197/75240*k4 + k5/50 + 2/55*k6))
        if err <= tol:
            t += h
            y = y4
            ts.append(t)
            ys.append(y)
        else:
            rejected += 1
        s = 4.0 if err == 0 else 0.84*(tol/err)**0.25
        h = h*min(max(s, 0.1), 4.0)
        if h < 1e-10:
            break
    return np.array(ts), np.array(ys), rejected


def rkf45_vdp_args(size, rng):
    return 3.0, [2.0, 0.0], of(size, 0.5, 6.0, 120.0)


def xy_checkerboard(theta, beta, step, prop, u):
    """XY model, black and white sublattices updated all at once. theta is changed."""
    L = theta.shape[0]
    ii, jj = np.meshgrid(np.arange(L), np.arange(L), indexing='ij')
    black = (ii + jj) % 2 == 0
    m = np.zeros(len(prop))

    def energy(th):
        e = np.zeros_like(th)
        for ax in (0, 1):
            e -= np.cos(th - np.roll(theta, 1, axis=ax))
            e -= np.cos(th - np.roll(theta, -1, axis=ax))
        return e

    for k in range(len(prop)):
        for colour in (black, ~black):
            trial = theta + step*(prop[k] - 0.5)
            dE = energy(trial) - energy(theta)
            ok = colour & (u[k] < np.exp(-beta*np.maximum(dE, 0)))
            theta[ok] = trial[ok]
        m[k] = np.abs(np.exp(1j*theta).mean())
    return m


def xy_checkerboard_args(size, rng):
    L = of(size, 8, 32, 100)
    n = of(size, 2, 10, 40)
    th = rng.uniform(-np.pi, np.pi, (L, L))
    return th, 1.2, 1.0, rng.random((n, L, L)), rng.random((n, L, L))


def match_catalogues(ra1, dec1, ra2, dec2, max_sep=1.0):
    # haversine, everything in degrees. index = -1 if nothing close
    a1, d1, a2, d2 = (np.deg2rad(v) for v in (ra1, dec1, ra2, dec2))
    sd = np.sin(0.5*(d1[:, None] - d2))**2
    sa = np.sin(0.5*(a1[:, None] - a2))**2
    h = sd + np.cos(d1)[:, None]*np.cos(d2)*sa
    sep = np.rad2deg(2*np.arcsin(np.sqrt(np.clip(h, 0, 1))))
    idx = np.argmin(sep, axis=1)
    best = sep[np.arange(len(ra1)), idx]
    idx = np.where(best <= max_sep, idx, -1)
    return idx, best


def match_catalogues_args(size, rng):
    n, m = of(size, 20, 150, 1000), of(size, 30, 200, 1200)
    ra2 = rng.uniform(0, 360, m)
    dec2 = rng.uniform(-80, 80, m)
    pick = rng.integers(0, m, n)
    return (ra2[pick] + rng.normal(0, 0.8, n), dec2[pick] + rng.normal(0, 0.8, n),
            ra2, dec2)


def imf_masses(u, slopes, breaks):
    # inverse of the cumulative function of a broken power law
    n = len(slopes)
    k = np.ones(n)
    for i in range(1, n):
        k[i] = k[i-1]*breaks[i]**(slopes[i] - slopes[i-1])
    seg = np.empty(n)
    for i in range(n):
        a = 1 - slopes[i]
        seg[i] = k[i]/a*(breaks[i+1]**a - breaks[i]**a)
    cdf = np.insert(np.cumsum(seg), 0, 0.0)
    cdf /= cdf[-1]
    which = np.searchsorted(cdf, u, side='right') - 1
    which = np.clip(which, 0, n - 1)
    a = 1 - slopes[which]
    frac = (u - cdf[which])/(cdf[which + 1] - cdf[which])
    lo, hi = breaks[which]**a, breaks[which + 1]**a
    return (lo + frac*(hi - lo))**(1/a)


def imf_masses_args(size, rng):
    return rng.random(of(size, 30, 2000, 300000)), np.array([.3, 1.3, 2.3]), np.array([.01, .08, .5, 100.])
