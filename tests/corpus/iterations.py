"""Loops that run until something is reached."""

import numpy as np

from tests.corpus.sizes import of


def mandelbrot(centre, width, pixels, limit):
    re = np.linspace(centre.real - width/2, centre.real + width/2, pixels)
    im = np.linspace(centre.imag - width/2, centre.imag + width/2, pixels)
    c = re[None, :] + 1j*im[:, None]
    z = np.zeros_like(c)
    escaped_at = np.full(c.shape, limit)
    alive = np.ones(c.shape, dtype=bool)
    for k in range(limit):
        z[alive] = z[alive]*z[alive] + c[alive]
        gone = alive & (z.real**2 + z.imag**2 > 4)
        escaped_at[gone] = k
        alive &= ~gone  # never looked at again
    return escaped_at


def mandelbrot_args(size, rng):
    return complex(-0.6, 0.1*rng.random()), 2.8, of(size, 15, 60, 200), of(size, 12, 30, 60)


def mandelbrot_loops(width, height, maxit):
    out = np.zeros((height, width), dtype=np.uint8)
    for py in range(height):
        for px in range(width):
            c = complex(-2 + 3*px/width, -1 + 2*py/height)
            z = 0j
            it = 0
            while abs(z) <= 2 and it < maxit:
                z = z*z + c
                it += 1
            out[py, px] = it
    return out


def mandelbrot_loops_args(size, rng):
    n = of(size, 8, 20, 60)
    return n, n + 1, of(size, 10, 30, 60)


def newton_fractal(z, max_iter, tol):
    roots = np.array([1.0 + 0j, -0.5 + 0.8660254037844386j, -0.5 - 0.8660254037844386j])
    which = np.full(z.shape, -1, dtype=int)
    for _ in range(max_iter):
        z = z - (z**3 - 1)/(3*z**2)
    for idx, r in enumerate(roots):
        which[np.abs(z - r) < tol] = idx
    return which


def newton_fractal_args(size, rng):
    n = of(size, 8, 40, 200)
    x = np.linspace(-1.5, 1.5, n)
    return x[None, :] + 1j*x[:, None] + 0.01, 20, 1e-6


def newton_root(x0, a, tol=1e-12, maxiter=100):
    # cube root of a
    x = x0
    for i in range(maxiter):
        fx = x**3 - a
        dfx = 3*x**2
        step = fx/dfx
        x = x - step
        if abs(step) < tol:
            return x, i
    return x, maxiter


def newton_root_args(size, rng):
    return 1.0, rng.uniform(2, 30)


def bisection(coeffs, lo, hi, eps):
    def poly(x):
        r = 0.0
        for c in coeffs:
            r = r*x + c
        return r

    flo = poly(lo)
    while hi - lo > eps:
        mid = (lo + hi)/2
        fm = poly(mid)
        if fm == 0:
            return mid
        if flo*fm < 0:
            hi = mid
        else:
            lo, flo = mid, fm
    return 0.5*(lo + hi)


def bisection_args(size, rng):
    return np.array([1.0, 0.0, -rng.uniform(1, 3), -5.0]), 0.0, 5.0, 1e-10


def kepler(M, e):
    E = M.copy()
    for i in range(M.size):
        Ei = M[i]
        delta = 1.0
        while abs(delta) > 1e-12:
            delta = (Ei - e*np.sin(Ei) - M[i])/(1 - e*np.cos(Ei))
            Ei -= delta
        E[i] = Ei
    return E


def kepler_args(size, rng):
    return rng.uniform(0, 6, of(size, 20, 400, 5000)), 0.3


def collatz_lengths(n):
    lengths = np.zeros(n + 1, dtype=np.int64)
    for start in range(1, n + 1):
        k = start
        steps = 0
        while k != 1:
            if k % 2 == 0:
                k //= 2
            else:
                k = 3*k + 1
            steps += 1
        lengths[start] = steps
    return lengths


def collatz_lengths_args(size, rng):
    return (of(size, 20, 200, 3000),)


def logistic_map(r_values, n_transient, n_keep):
    x = 0.5*np.ones_like(r_values)
    for _ in range(n_transient):
        x = r_values*x*(1 - x)
    out = np.empty((n_keep, r_values.size))
    for k in range(n_keep):
        x = r_values*x*(1 - x)
        out[k] = x
    return out


def logistic_map_args(size, rng):
    # below the onset of chaos, so that rounding does not grow
    return np.linspace(2.5, 3.5, of(size, 20, 400, 5000)), of(size, 20, 60, 200), 8


def rk4_lorenz(state, dt, nsteps, sigma=10.0, rho=28.0, beta=8/3):
    def f(s):
        x, y, z = s
        return np.array([sigma*(y - x), x*(rho - z) - y, x*y - beta*z])

    traj = np.zeros((nsteps + 1, 3))
    traj[0] = state
    for i in range(nsteps):
        k1 = f(traj[i])
        k2 = f(traj[i] + 0.5*dt*k1)
        k3 = f(traj[i] + 0.5*dt*k2)
        k4 = f(traj[i] + dt*k3)
        traj[i+1] = traj[i] + dt/6*(k1 + 2*k2 + 2*k3 + k4)
    return traj


def rk4_lorenz_args(size, rng):
    return 1 + rng.random(3), 0.01, of(size, 10, 60, 200)


def lotka_volterra(x0, y0, a, b, c, d, dt, n):
    xs = [x0]
    ys = [y0]
    for i in range(n):
        x, y = xs[-1], ys[-1]
        xs.append(x + dt*(a*x - b*x*y))
        ys.append(y + dt*(-c*y + d*x*y))
    return np.array(xs), np.array(ys)


def lotka_volterra_args(size, rng):
    return 10.0, 5.0, 1.1, 0.4, 0.4, 0.1, 0.01, of(size, 20, 300, 3000)


def pendulum_verlet(theta0, omega0, dt, N):
    g, L = 9.81, 1.0
    theta = np.zeros(N); omega = np.zeros(N)
    theta[0], omega[0] = theta0, omega0
    acc = -g/L*np.sin(theta0)
    for i in range(N - 1):
        theta[i+1] = theta[i] + omega[i]*dt + 0.5*acc*dt**2
        acc_new = -g/L*np.sin(theta[i+1])
        omega[i+1] = omega[i] + 0.5*(acc + acc_new)*dt
        acc = acc_new
    return theta, omega


def pendulum_verlet_args(size, rng):
    return rng.uniform(.1, 1), 0.0, 0.01, of(size, 20, 300, 3000)


def gradient_descent(X, y, lr, epochs):
    n, d = X.shape
    w = np.zeros(d)
    losses = []
    for epoch in range(epochs):
        err = X.dot(w) - y
        losses.append((err**2).mean())
        w -= lr*2/n*X.T.dot(err)
    return w, np.array(losses)


def gradient_descent_args(size, rng):
    n = of(size, 12, 200, 2000)
    return rng.random((n, 3)), rng.random(n), 0.1, of(size, 6, 40, 100)


def sieve(limit):
    is_prime = np.ones(limit + 1, dtype=bool)
    is_prime[:2] = False
    i = 2
    while i*i <= limit:
        if is_prime[i]:
            is_prime[i*i::i] = False
        i += 1
    return np.flatnonzero(is_prime)


def sieve_args(size, rng):
    return (of(size, 50, 1000, 20_000),)


def pagerank(A, d, tol):
    n = A.shape[0]
    M = A/A.sum(axis=0)
    r = np.full(n, 1/n)
    diff = 1.0
    iters = 0
    while diff > tol:
        r_new = d*M.dot(r) + (1 - d)/n
        diff = np.abs(r_new - r).sum()
        r = r_new
        iters += 1
    return r, iters


def pagerank_args(size, rng):
    n = of(size, 8, 60, 400)
    return (rng.random((n, n)) < 0.4).astype(float) + np.eye(n), 0.85, 1e-8


def heun_history(y0, duration, steps, k, damping):
    """Heun's method; the history in lists"""
    def slope(y):
        d = np.zeros(2)
        d[0] = y[1]
        d[1] = -k*y[0] - damping*y[1]
        return d

    h = duration/steps
    y = np.array(y0)
    times, states, energies = [0.0], [y], []
    for i in range(steps):
        a = slope(y)
        b = slope(y + h*a)
        y = y + 0.5*h*(a + b)
        times.append(times[-1] + h)
        states.append(y)
        energies.append(0.5*(k*y[0]**2 + y[1]**2))
    return np.array(times), np.array(states), np.array(energies)


def heun_history_args(size, rng):
    return np.array([1.0, rng.random()]), 5.0, of(size, 10, 200, 2000), 2.0, 0.1


def secant_table(coeffs, x0, x1, n):
    """The secant method, each step a row: its number, x, f(x), whether the sign changed"""
    table = np.zeros((n + 1, 4))
    f0 = np.polyval(coeffs, x0)
    table[0] = 0, x0, f0, False
    for k in range(1, n + 1):
        f1 = np.polyval(coeffs, x1)
        table[k] = k, x1, f1, f0*f1 < 0
        if f1 == f0:
            return table[:k + 1]
        x0, x1, f0 = x1, x1 - f1*(x1 - x0)/(f1 - f0), f1
    return table


def secant_table_args(size, rng):
    return np.array([1.0, 0.0, -2.0, -5.0 - 0.1*rng.random()]), 2.0, 3.0, of(size, 3, 6, 6)


def adams_bashforth(y0, rate, duration, steps):
    """Two-step Adams-Bashforth for predator and prey; the start may be a list"""
    def slope(y):
        return np.array([y[0]*(1 - y[1]), rate*y[1]*(y[0] - 1)])

    h = duration/steps
    y = np.array(y0, dtype=float)
    old = slope(y)
    y = y + h*old
    peak = y.max()
    for _ in range(1, steps):
        new = slope(y)
        y = y + h*(1.5*new - 0.5*old)
        old = new
        peak = max(peak, y[0], y[1])
    return y, peak


def adams_bashforth_args(size, rng):
    return [2, 1], 0.5 + 0.1*rng.random(), 4.0, of(size, 10, 400, 20_000)


def dare_gain(A, B, Q, R, tol=1e-9, max_iter=500):
    P = Q.copy()
    for i in range(max_iter):
        BtP = B.T @ P
        K = np.linalg.solve(R + BtP @ B, BtP @ A)
        P_next = Q + A.T @ P @ (A - B @ K)
        P_next = 0.5*(P_next + P_next.T)
        if np.linalg.norm(P_next - P, ord='fro') < tol:
            return K, P_next, i + 1
        P = P_next
    raise RuntimeError("no convergence")


def dare_gain_args(size, rng):
    n = of(size, 3, 8, 40)
    return .6*np.eye(n) + .2*rng.normal(size=(n, n))/np.sqrt(n), rng.normal(size=(n, 2)), np.eye(n), np.eye(2), 1e-6


def next_permutations(a, count):
    p = a.copy()
    n = p.size
    for _ in range(count):
        i = n - 2
        while i >= 0 and p[i] >= p[i+1]:
            i -= 1
        if i < 0:
            p = p[::-1].copy()
            continue
        j = n - 1
        while p[j] <= p[i]:
            j -= 1
        p[i], p[j] = p[j], p[i]
        p[i+1:] = p[i+1:][::-1]
    return p


def next_permutations_args(size, rng):
    n = of(size, 5, 8, 12)
    return np.arange(n), int(of(size, 20, 100, 1000))


def pancake_flips(a):
    a = a.copy()
    flips = 0
    for end in range(len(a), 1, -1):
        m = np.argmax(a[:end])
        if m != end - 1:
            a[:m+1] = a[:m+1][::-1]
            a[:end] = a[:end][::-1]
            flips += 2
    return a, flips


def pancake_flips_args(size, rng):
    return (rng.permutation(of(size, 9, 30, 200)),)


def convolved_by_indices(a, b):
    n = len(a)
    out = np.zeros(n)
    for i in range(n):
        k = np.arange(i + 1)
        out[i] = np.sum(a[k]*b[i-k])
    return out


def convolved_by_indices_args(size, rng):
    n = of(size, 20, 60, 400)
    return rng.random(n), rng.random(n)


def burning_ship(xs, ys, limit):
    c = xs[None, :] + 1j*ys[:, None]
    z = np.zeros_like(c)
    steps, inside = np.zeros(c.shape, dtype=int), np.ones(c.shape, dtype=bool)
    for k in range(limit):
        z[inside] = (np.abs(z.real[inside]) + 1j*np.abs(z.imag[inside]))**2 + c[inside]
        inside &= np.abs(z) <= 2
        steps[inside] = k + 1
    return steps


def burning_ship_args(size, rng):
    n = of(size, 8, 30, 150)
    return np.linspace(-2.2, 1.2, n), np.linspace(-2, 0.8, n + 3), of(size, 8, 20, 40)


def logistic_exponents(r, x0, steps):
    """Lyapunov exponents of the logistic map for many growth rates at once"""
    x = np.full(r.shape, x0)
    total = np.zeros(r.shape)
    for _ in range(steps):
        x = r*x*(1 - x)
        total += np.log(np.abs(r - 2*r*x) + 1e-30)
    return total/steps


def logistic_exponents_args(size, rng):
    return np.linspace(2.8, 3.5, of(size, 10, 100, 2000)), 0.3, of(size, 10, 50, 100)


def lbfgs_quadratic(A, b, x, m=4, iters=15):
    # two-loop recursion; a quadratic has an exact line search
    steps, changes = [], []
    g = A @ x - b
    for k in range(iters):
        q = g.copy()
        used = []
        for s, y in zip(reversed(steps), reversed(changes)):
            rho = 1/(y @ s)
            a = rho*(s @ q)
            used.append((a, rho))
            q -= a*y
        if steps:
            q *= (steps[-1] @ changes[-1])/(changes[-1] @ changes[-1])
        for (s, y), (a, rho) in zip(zip(steps, changes), reversed(used)):
            q += (a - rho*(y @ q))*s
        t = (g @ q)/(q @ A @ q)
        new = x - t*q
        g_new = A @ new - b
        steps.append(new - x)
        changes.append(g_new - g)
        if len(steps) > m:
            steps.pop(0)
            changes.pop(0)
        x, g = new, g_new
        if np.linalg.norm(g) < 1e-9:
            break
    return x


def lbfgs_quadratic_args(size, rng):
    n = of(size, 5, 20, 150)
    B = rng.random((n, n))
    return B @ B.T + n*np.eye(n), rng.random(n), np.zeros(n)


def averaged_orbits(x, rate, keep, steps):
    """Mean of the last few states of a coupled map, which are kept in a list."""
    recent = []
    drift = 0.0
    for _ in range(steps):
        x = (1 - 0.2)*rate*x*(1 - x) + 0.1*(np.roll(x, 1) + np.roll(x, -1))*(1 - 0.5)
        recent.append(x)
        if len(recent) > keep:
            oldest = recent[0]
            del recent[0]
            drift += np.abs(x - oldest).mean()
    total = np.zeros_like(x)
    for state in recent:
        total += state
    return total/len(recent), drift


def averaged_orbits_args(size, rng):
    return rng.random(of(size, 6, 60, 2000)), 3.6, 4, of(size, 12, 80, 400)
