"""Lattice Boltzmann, alternating directions, finite volumes in more than one dimension."""

import numpy as np

from tests.corpus.sizes import of

# D2Q9: velocities and weights
cx = np.array([0, 1, 0, -1, 0, 1, -1, -1, 1])
cy = np.array([0, 0, 1, 0, -1, 1, 1, -1, -1])
w = np.array([4/9, 1/9, 1/9, 1/9, 1/9, 1/36, 1/36, 1/36, 1/36])


def equilibrium(rho, ux, uy):
    feq = np.zeros((9,) + rho.shape)
    usqr = 1.5*(ux**2 + uy**2)
    for i in range(9):
        cu = 3*(cx[i]*ux + cy[i]*uy)
        feq[i] = rho*w[i]*(1 + cu + 0.5*cu**2 - usqr)
    return feq


def lattice_boltzmann(f, obstacle, omega, nsteps):
    """Periodic channel with a solid obstacle, BGK collisions."""
    opposite = np.array([0, 3, 4, 1, 2, 7, 8, 5, 6])
    for step in range(nsteps):
        # streaming
        for i in range(9):
            f[i] = np.roll(np.roll(f[i], cx[i], axis=1), cy[i], axis=0)
        bounced = f[opposite][:, obstacle]
        rho = f.sum(axis=0)
        ux = (f * cx[:, None, None]).sum(axis=0)/rho
        uy = (f * cy[:, None, None]).sum(axis=0)/rho
        f = f + omega*(equilibrium(rho, ux, uy) - f)
        f[:, obstacle] = bounced
    return rho, ux, uy


def lattice_boltzmann_args(size, rng):
    n = of(size, 8, 24, 64)
    f = np.ones((9, n, 2*n)) + 0.01*rng.standard_normal((9, n, 2*n))
    f[1] += 0.2
    y, x = np.mgrid[:n, :2*n]
    return f, (x - n//2)**2 + (y - n//2)**2 < (n//5)**2, 1.2, of(size, 4, 10, 20)


def lbm_1d_diffusion(T, alpha, steps):
    n = len(T)
    omega = 1.0/(alpha + 0.5)
    f1 = 0.5*T
    f2 = 0.5*T
    for _ in range(steps):
        rho = f1 + f2
        f1 = f1 - omega*(f1 - 0.5*rho)
        f2 = f2 - omega*(f2 - 0.5*rho)
        # move: f1 to the right, f2 to the left
        for i in range(n - 1, 0, -1):
            f1[i] = f1[i-1]
        for i in range(n - 1):
            f2[i] = f2[i+1]
        # wall at 1 on the left, insulated on the right
        f1[0] = 1.0 - f2[0]
        f2[n-1] = f2[n-2]
    return f1 + f2


def lbm_1d_diffusion_args(size, rng):
    return rng.random(of(size, 20, 100, 1000)), 0.25, of(size, 6, 40, 200)


def adi_heat(u, r, nsteps):
    """Peaceman and Rachford: implicit along x, then along y; Thomas algorithm on each line."""
    n = u.shape[0]
    half = np.zeros_like(u)
    new = u.copy()
    for t in range(nsteps):
        p = np.zeros(n)
        q = np.zeros(n)
        for j in range(1, n-1):
            p[0] = 0.0
            q[0] = new[0, j]
            for i in range(1, n-1):
                d = r/2*new[i, j-1] + (1 - r)*new[i, j] + r/2*new[i, j+1]
                den = 1 + r - r/2*p[i-1]
                p[i] = r/2/den
                q[i] = (d + r/2*q[i-1])/den
            half[n-1, j] = new[n-1, j]
            for i in range(n-2, 0, -1):
                half[i, j] = p[i]*half[i+1, j] + q[i]
        for i in range(1, n-1):
            p[0] = 0.0
            q[0] = new[i, 0]
            for j in range(1, n-1):
                d = r/2*half[i-1, j] + (1 - r)*half[i, j] + r/2*half[i+1, j]
                den = 1 + r - r/2*p[j-1]
                p[j] = r/2/den
                q[j] = (d + r/2*q[j-1])/den
            for j in range(n-2, 0, -1):
                new[i, j] = p[j]*new[i, j+1] + q[j]
    return new


def adi_heat_args(size, rng):
    n = of(size, 8, 20, 80)
    return rng.random((n, n)), 0.4, of(size, 2, 3, 5)


def solve_lines(a, b, c, d):
    # many tridiagonal systems at once, one a row
    m, n = d.shape
    cp = np.empty((m, n))
    dp = np.empty((m, n))
    cp[:, 0] = c[0]/b[0]
    dp[:, 0] = d[:, 0]/b[0]
    for k in range(1, n):
        den = b[k] - a[k]*cp[:, k-1]
        cp[:, k] = c[k]/den
        dp[:, k] = (d[:, k] - a[k]*dp[:, k-1])/den
    x = np.empty_like(d)
    x[:, -1] = dp[:, -1]
    for k in range(n - 2, -1, -1):
        x[:, k] = dp[:, k] - cp[:, k]*x[:, k+1]
    return x


def solve_lines_args(size, rng):
    n = of(size, 9, 40, 200)
    return rng.random(n), 3 + rng.random(n), rng.random(n), rng.random((of(size, 5, 30, 300), n))


def shallow_water(h, hu, g=9.81, dx=1.0, dt=0.01, steps=5):
    # Lax-Friedrichs, reflecting ends
    h, hu = h.copy(), hu.copy()
    for k in range(steps):
        flux_h = hu
        flux_hu = hu**2/h + 0.5*g*h**2
        hn = h.copy()
        hun = hu.copy()
        hn[1:-1] = 0.5*(h[2:] + h[:-2]) - dt/(2*dx)*(flux_h[2:] - flux_h[:-2])
        hun[1:-1] = 0.5*(hu[2:] + hu[:-2]) - dt/(2*dx)*(flux_hu[2:] - flux_hu[:-2])
        hn[0], hn[-1] = hn[1], hn[-2]
        hun[0], hun[-1] = -hun[1], -hun[-2]
        h, hu = hn, hun
    return h, hu


def shallow_water_args(size, rng):
    n = of(size, 30, 300, 5000)
    return 1 + rng.random(n), 0.1*rng.standard_normal(n)


def limited_advection(q, speed, dx, t_end, cfl=0.4):
    """Linear advection on a ring: van Leer's limiter, Heun's method in time"""
    def limiter(a, b):
        product = a*b
        return np.where(product > 0, 2*product/(a + b + 1e-30), 0.0)

    def rate(p):
        right = lambda g: np.roll(g, -1)
        left = lambda g: np.roll(g, 1)
        slope = limiter(p - left(p), right(p) - p)
        face = p + 0.5*slope if speed > 0 else right(p - 0.5*slope)
        return -speed*(face - left(face))/dx

    t = 0.0
    while t < t_end - 1e-12:
        dt = min(cfl*dx/abs(speed), t_end - t)
        half = q + dt*rate(q)
        q = 0.5*(q + half + dt*rate(half))
        t += dt
    return q


def limited_advection_args(size, rng):
    n = of(size, 16, 100, 2000)
    return np.sin(2*np.pi*np.arange(n)/n) + rng.random(), 1.0, 1.0/n, of(size, 0.1, 0.1, 0.02)
