"""Linear algebra, numerical methods, partial differential equations."""

import numpy as np
import math

from tests.corpus.sizes import of


def jacobi_eig(A, tol=1e-10, max_sweeps=30):
    """Cyclic Jacobi for symmetric A (overwritten). Sorted eigenvalues, vectors."""
    n = A.shape[0]
    V = np.eye(n)
    for sweep in range(max_sweeps):
        off = 0.0
        for p in range(n - 1):
            for q in range(p + 1, n):
                off += A[p, q]**2
        if math.sqrt(off) < tol:
            break
        for p in range(n - 1):
            for q in range(p + 1, n):
                if abs(A[p, q]) < 1e-15:
                    continue
                tau = (A[q, q] - A[p, p])/(2*A[p, q])
                if tau >= 0:
                    t = 1/(tau + math.sqrt(1 + tau*tau))
                else:
                    t = -1/(-tau + math.sqrt(1 + tau*tau))
                c = 1/math.sqrt(1 + t*t)
                s = t*c
                for k in range(n):
                    akp, akq = A[k, p], A[k, q]
                    A[k, p] = c*akp - s*akq
                    A[k, q] = s*akp + c*akq
                for k in range(n):
                    apk, aqk = A[p, k], A[q, k]
                    A[p, k] = c*apk - s*aqk
                    A[q, k] = s*apk + c*aqk
                for k in range(n):
                    vkp, vkq = V[k, p], V[k, q]
                    V[k, p] = c*vkp - s*vkq
                    V[k, q] = s*vkp + c*vkq
    w = np.diag(A).copy()
    order = np.argsort(w)
    return w[order], V[:, order]


def jacobi_eig_args(size, rng):
    n = of(size, 4, 11, 30)
    B = rng.standard_normal((n, n))
    return (0.5*(B + B.T),)


def gmres(A, b, x0=None, m=30, tol=1e-10):
    n = len(b)
    x = np.zeros(n) if x0 is None else x0.copy()
    r = b - A @ x
    beta = np.linalg.norm(r)
    if beta < tol:
        return x, np.array([beta])
    Q = np.zeros((n, m + 1))
    H = np.zeros((m + 1, m))
    cs = np.zeros(m)
    sn = np.zeros(m)
    g = np.zeros(m + 1)
    g[0] = beta
    Q[:, 0] = r/beta
    hist = [beta]
    k = 0
    while k < m:
        v = A @ Q[:, k]
        for i in range(k + 1):
            H[i, k] = Q[:, i] @ v
            v = v - H[i, k]*Q[:, i]
        H[k+1, k] = np.linalg.norm(v)
        if H[k+1, k] > 1e-14:
            Q[:, k+1] = v/H[k+1, k]
        # old rotations on the new column
        for i in range(k):
            t = cs[i]*H[i, k] + sn[i]*H[i+1, k]
            H[i+1, k] = -sn[i]*H[i, k] + cs[i]*H[i+1, k]
            H[i, k] = t
        d = np.hypot(H[k, k], H[k+1, k])
        cs[k], sn[k] = H[k, k]/d, H[k+1, k]/d
        H[k, k], H[k+1, k] = d, 0.0
        g[k+1] = -sn[k]*g[k]
        g[k] = cs[k]*g[k]
        k += 1
        hist.append(abs(g[k]))
        if abs(g[k]) < tol*beta:
            break
    y = np.zeros(k)
    for i in range(k - 1, -1, -1):
        y[i] = (g[i] - H[i, i+1:k] @ y[i+1:k])/H[i, i]
    return x + Q[:, :k] @ y, np.array(hist)


def gmres_args(size, rng):
    n = of(size, 15, 150, 800)
    A = rng.standard_normal((n, n))/math.sqrt(n) + 2*np.eye(n)
    return A, rng.standard_normal(n), None, of(size, 8, 30, 80)


def smooth(u, f, h, nu):
    # damped Jacobi, 2/3
    for _ in range(nu):
        u[1:-1] += 2/3*(0.5*(u[:-2] + u[2:] + h*h*f[1:-1]) - u[1:-1])


def vcycle(u, f, h, nu):
    smooth(u, f, h, nu)
    n = len(u) - 1
    if n <= 2:
        u[1:-1] = 0.5*h*h*f[1:-1] + 0.5*(u[:-2] + u[2:])
        return u
    r = np.zeros_like(u)
    r[1:-1] = f[1:-1] + (u[:-2] - 2*u[1:-1] + u[2:])/h**2
    rc = np.zeros(n//2 + 1)
    rc[1:-1] = 0.25*(r[1:-2:2] + 2*r[2:-1:2] + r[3::2])
    ec = vcycle(np.zeros_like(rc), rc, 2*h, nu)
    u[::2] += ec
    u[1::2] += 0.5*(ec[:-1] + ec[1:])
    smooth(u, f, h, nu)
    return u


def multigrid_poisson(f, h, nu=2, cycles=10):
    u = np.zeros(f.shape[0])
    res = []
    for c in range(cycles):
        u = vcycle(u, f, h, nu)
        r = f[1:-1] + (u[:-2] - 2*u[1:-1] + u[2:])/h**2
        res.append(np.sqrt(h*np.sum(r**2)))
        if res[-1] < 1e-8:
            break
    return u, np.array(res)


def multigrid_poisson_args(size, rng):
    n = of(size, 16, 256, 65536)
    x = np.linspace(0, 1, n + 1)
    return np.sin(3*np.pi*x) + rng.uniform(-0.1, 0.1)*x, 1.0/n, 2, of(size, 3, 10, 15)


def gauleg(x1, x2, n):
    """Gauss-Legendre nodes and weights by Newton, and int of exp(-x^2) as test"""
    x = np.zeros(n)
    w = np.zeros(n)
    m = (n + 1)//2
    xm = 0.5*(x2 + x1)
    xl = 0.5*(x2 - x1)
    for i in range(m):
        z = math.cos(math.pi*(i + 0.75)/(n + 0.5))
        while True:
            p1, p2 = 1.0, 0.0
            for j in range(n):
                p3 = p2
                p2 = p1
                p1 = ((2*j + 1)*z*p2 - j*p3)/(j + 1)
            pp = n*(z*p1 - p2)/(z*z - 1)
            z1 = z
            z = z1 - p1/pp
            if abs(z - z1) < 1e-14:
                break
        x[i] = xm - xl*z
        x[n-1-i] = xm + xl*z
        w[i] = w[n-1-i] = 2*xl/((1 - z*z)*pp*pp)
    val = sum(wi*math.exp(-xi*xi) for xi, wi in zip(x, w))
    return x, w, val


def gauleg_args(size, rng):
    return float(rng.uniform(-1, 0)), 2.0, of(size, 10, 80, 500)


def natural_spline(x, y, xq):
    # tridiagonal for the second derivatives, then look-up
    n = len(x)
    M = np.zeros(n)
    c = np.zeros(n)
    d = np.zeros(n)
    for i in range(1, n - 1):
        h0 = x[i] - x[i-1]
        h1 = x[i+1] - x[i]
        b = 2*(h0 + h1)
        rhs = 6*((y[i+1] - y[i])/h1 - (y[i] - y[i-1])/h0)
        den = b - h0*c[i-1]
        c[i] = h1/den
        d[i] = (rhs - h0*d[i-1])/den
    for i in range(n - 2, 0, -1):
        M[i] = d[i] - c[i]*M[i+1]
    k = np.clip(np.searchsorted(x, xq) - 1, 0, n - 2)
    h = x[k+1] - x[k]
    a = (x[k+1] - xq)/h
    b = (xq - x[k])/h
    s = a*y[k] + b*y[k+1] + ((a**3 - a)*M[k] + (b**3 - b)*M[k+1])*h**2/6
    return s, M


def natural_spline_args(size, rng):
    n = of(size, 20, 4000, 150000)
    x = np.cumsum(rng.uniform(0.5, 1.5, n))
    return x, np.sin(0.3*x), rng.uniform(x[0], x[-1], 2*n)


def heat_adi(u, alpha, dx, dt, steps):
    """Peaceman-Rachford, u = 0 on the rim. Thomas algorithm on all the lines at once."""
    r = alpha*dt/(2*dx*dx)

    def sweep(B):
        # solves (1+2r) along axis 0
        n = B.shape[0]
        cp = np.zeros(n)
        X = np.array(B)
        cp[0] = -r/(1 + 2*r)
        X[0] /= 1 + 2*r
        for i in range(1, n):
            den = 1 + 2*r + r*cp[i-1]
            cp[i] = -r/den
            X[i] = (X[i] + r*X[i-1])/den
        for i in range(n - 2, -1, -1):
            X[i] -= cp[i]*X[i+1]
        return X

    for s in range(steps):
        inner = u[1:-1, 1:-1]
        rhs = inner + r*(u[1:-1, :-2] - 2*inner + u[1:-1, 2:])
        u[1:-1, 1:-1] = sweep(rhs)
        inner = u[1:-1, 1:-1]
        rhs = inner + r*(u[:-2, 1:-1] - 2*inner + u[2:, 1:-1])
        u[1:-1, 1:-1] = sweep(rhs.T).T
    return u.sum()*dx*dx


def heat_adi_args(size, rng):
    n = of(size, 10, 40, 150)
    u = np.zeros((n, n))
    u[n//4:n//2, n//3:2*n//3] = 1 + rng.random()
    return u, 0.1, 1.0/(n - 1), 0.002, of(size, 2, 10, 60)


def poisson_rbgs(u, f, h, omega, sweeps):
    """red-black SOR, in place"""
    ny, nx = u.shape
    for s in range(sweeps):
        for colour in range(2):
            for i in range(1, ny - 1):
                j0 = 1 + (i + colour) % 2
                for j in range(j0, nx - 1, 2):
                    gs = 0.25*(u[i-1, j] + u[i+1, j] + u[i, j-1] + u[i, j+1] - h*h*f[i, j])
                    u[i, j] += omega*(gs - u[i, j])


def poisson_rbgs_args(size, rng):
    n = of(size, 10, 32, 80)
    u = np.zeros((n, n))
    u[0] = 1.0
    return u, rng.standard_normal((n, n)), 1.0/(n - 1), 1.7, of(size, 4, 20, 80)


def weno5_burgers(u, dx, t_end, cfl=0.5):
    """Inviscid Burgers, periodic, Lax-Friedrichs splitting, SSP-RK3"""
    eps = 1e-6

    def face(a, b, c, d, e):
        b0 = 13/12*(a - 2*b + c)**2 + 0.25*(a - 4*b + 3*c)**2
        b1 = 13/12*(b - 2*c + d)**2 + 0.25*(b - d)**2
        b2 = 13/12*(c - 2*d + e)**2 + 0.25*(3*c - 4*d + e)**2
        w0, w1, w2 = 0.1/(eps + b0)**2, 0.6/(eps + b1)**2, 0.3/(eps + b2)**2
        q0 = (2*a - 7*b + 11*c)/6
        q1 = (-b + 5*c + 2*d)/6
        q2 = (2*c + 5*d - e)/6
        return (w0*q0 + w1*q1 + w2*q2)/(w0 + w1 + w2)

    def rhs(v):
        s = np.abs(v).max()
        fp = 0.5*(0.5*v**2 + s*v)
        fm = 0.5*(0.5*v**2 - s*v)
        R = lambda g, k: np.roll(g, -k)
        F = face(R(fp, -2), R(fp, -1), fp, R(fp, 1), R(fp, 2))
        F = F + face(R(fm, 3), R(fm, 2), R(fm, 1), fm, R(fm, -1))
        return -(F - np.roll(F, 1))/dx

    t = 0.0
    n = 0
    while t < t_end - 1e-14:
        dt = min(cfl*dx/np.abs(u).max(), t_end - t)
        u1 = u + dt*rhs(u)
        u2 = 0.75*u + 0.25*(u1 + dt*rhs(u1))
        u = u/3 + 2/3*(u2 + dt*rhs(u2))
        t += dt
        n += 1
    return u, n


def weno5_burgers_args(size, rng):
    n = of(size, 20, 60, 500)
    x = np.arange(n)/n
    return 0.5 + np.sin(2*np.pi*x) + rng.uniform(0, 0.1), 1.0/n, of(size, 0.02, 0.15, 0.5)


def fem_bar(x, EA, load):
    # linear elements, fixed at the left end, point load at the right
    h = np.diff(x)
    ne = len(h)
    k = EA/h
    ke = k[:, None, None]*np.array([[1.0, -1.0], [-1.0, 1.0]])
    conn = np.stack([np.arange(ne), np.arange(1, ne + 1)], axis=1)
    K = np.zeros((ne + 1, ne + 1))
    F = np.zeros(ne + 1)
    ii = np.repeat(conn, 2, axis=1).reshape(ne, 2, 2)
    jj = np.tile(conn, (1, 2)).reshape(ne, 2, 2)
    np.add.at(K, (ii, jj), ke)
    np.add.at(F, conn, 0.5*load*h[:, None])
    F[-1] += 1.0
    u = np.zeros(ne + 1)
    u[1:] = np.linalg.solve(K[1:, 1:], F[1:])
    stress = k*np.diff(u)
    reaction = K[0] @ u - F[0]
    return u, stress, reaction


def fem_bar_args(size, rng):
    n = of(size, 10, 100, 700)
    x = np.concatenate(([0.0], np.cumsum(rng.uniform(0.5, 1.5, n))))/n
    return x, rng.uniform(1, 2, n), 0.8


def cheb_poisson(N, k):
    """u_xx + u_yy + k^2 u = f on the square by Chebyshev collocation"""
    j = np.arange(N + 1)
    x = np.cos(np.pi*j/N)
    c = np.ones(N + 1)
    c[[0, -1]] = 2
    c *= (-1.0)**j
    X = np.tile(x[:, None], (1, N + 1))
    dX = X - X.T
    D = np.outer(c, 1/c)/(dX + np.eye(N + 1))
    D -= np.diag(D.sum(axis=1))
    D2 = (D @ D)[1:-1, 1:-1]
    I = np.eye(N - 1)
    L = np.kron(I, D2) + np.kron(D2, I) + k**2*np.eye((N - 1)**2)
    xx, yy = np.meshgrid(x[1:-1], x[1:-1])
    f = np.exp(-10*((yy - 1)**2 + (xx - 0.5)**2))
    u = np.linalg.solve(L, f.ravel())
    U = np.zeros((N + 1, N + 1))
    U[1:-1, 1:-1] = u.reshape(N - 1, N - 1)
    return U, x


def cheb_poisson_args(size, rng):
    return of(size, 6, 14, 30), float(rng.uniform(2, 4))


def forward_differences(y):
    """all forward differences at the first point, in place of a copy"""
    d = y.copy()
    n = len(d)
    first = np.zeros(n)
    for k in range(n):
        first[k] = d[0]
        d[:n-k-1] = d[1:n-k] - d[:n-k-1]
    return first


def forward_differences_args(size, rng):
    return (np.cumsum(rng.random(of(size, 6, 20, 40)))/100,)


def de_casteljau(points, t):
    """a point on a Bezier curve with one coordinate"""
    b = points.copy()
    n = len(b)
    for k in range(1, n):
        b[:n-k] = (1 - t)*b[:n-k] + t*b[1:n-k+1]
    return b[0]


def de_casteljau_args(size, rng):
    return rng.random(of(size, 5, 50, 400)), 0.3


def quadrature_2d(nx, ny):
    x, wx = np.polynomial.legendre.leggauss(nx)
    y, wy = np.polynomial.legendre.leggauss(ny)
    X, Y = np.meshgrid(x, y, indexing="ij")
    F = np.exp(-X**2)*np.cos(3*Y)/(1 + X*Y/4)
    return wx @ F @ wy


def quadrature_2d_args(size, rng):
    return of(size, (4, 5), (30, 40), (150, 200))


def square_wave(t, harmonics):
    """Partial Fourier sum of a square wave"""
    y = 0.0
    for n in range(1, 2*harmonics, 2):
        y = y + 4/(np.pi*n)*np.sin(n*t)
    return y


def square_wave_args(size, rng):
    return np.sort(rng.uniform(0, 20, of(size, 50, 2000, 200000))), of(size, 5, 9, 15)


def newton_form(c, nodes, x):
    """An interpolating polynomial in Newton's form at many places"""
    p = c[-1]
    for k in range(len(c) - 2, -1, -1):
        p = p*(x - nodes[k]) + c[k]
    return p


def newton_form_args(size, rng):
    return rng.normal(size=6), np.linspace(-1, 1, 6), rng.uniform(-1, 1, of(size, 40, 3000, 300000))


def adaptive_moments(A, b, rate, steps):
    """Least squares by gradient steps with first and second moments"""
    w = np.zeros(A.shape[1])
    m = 0.0
    v = 0.0
    for t in range(1, steps + 1):
        g = A.T @ (A @ w - b)/len(b)
        m = 0.9*m + 0.1*g
        v = 0.99*v + 0.01*g**2
        w = w - rate*m/(1 - 0.9**t)/(np.sqrt(v/(1 - 0.99**t)) + 1e-8)
    return w


def adaptive_moments_args(size, rng):
    n, p = of(size, (30, 3), (500, 8), (20000, 20))
    return rng.normal(size=(n, p)), rng.normal(size=n), 0.05, 30


def neville_table(x, y, xs):
    """interpolating polynomial through (x, y), at each of xs"""
    n = len(x)
    out = np.empty(len(xs))
    for j, t in enumerate(xs):
        p = y.copy()
        for k in range(1, n):
            p = ((t - x[k:])*p[:-1] - (t - x[:-k])*p[1:])/(x[:-k] - x[k:])
        out[j] = p[0]
    return out


def neville_table_args(size, rng):
    n, m = of(size, (6, 4), (12, 40), (40, 300))
    x = np.cos(np.pi*(2*np.arange(n) + 1)/(2*n))
    return x, np.exp(x)*rng.uniform(.5, 1.5), rng.uniform(-1, 1, m)


def spline_design_matrix(knots, x, order):
    # Cox-de Boor: a quotient with a knot of no width counts as nothing
    N = np.zeros((len(x), len(knots) - 1))
    for i in range(len(knots) - 1):
        N[:, i] = (knots[i] <= x) & (x < knots[i + 1])
    for k in range(1, order):
        for i in range(len(knots) - k - 1):
            wide, wide_next = knots[i + k] - knots[i], knots[i + k + 1] - knots[i + 1]
            rising = (x - knots[i])/wide if wide > 0 else 0.0
            falling = (knots[i + k + 1] - x)/wide_next if wide_next > 0 else 0.0
            N[:, i] = rising*N[:, i] + falling*N[:, i + 1]
    return N[:, :len(knots) - order]


def spline_design_matrix_args(size, rng):
    inner = np.linspace(0, 1, of(size, 4, 12, 40))
    return np.concatenate((np.zeros(3), inner, np.ones(3))), rng.random(of(size, 20, 400, 20000)), 4


def heated_wire(T, ambient, loss, power, dt, steps):
    # the heater is on in every other part of the time
    history = np.empty((steps + 1, len(T)))
    history[0] = T
    for n in range(steps):
        now = history[n]
        heat = power*np.cos(T) if n // 4 % 2 == 0 else 0.0
        history[n + 1] = now + dt*(heat*now - loss*(now - ambient))
    return history


def heated_wire_args(size, rng):
    n = of(size, 10, 100, 1000)
    return rng.uniform(290, 300, n), 293.0, 0.3, 0.02, 0.01, of(size, 20, 100, 400)


def bezier_curve(control, t):
    # Bernstein polynomials, one for each control point
    degree = len(control) - 1
    curve = np.zeros((len(t), control.shape[1]))
    for k in range(degree + 1):
        weight = math.comb(degree, k)*t**k*(1 - t)**(degree - k)
        curve += weight[:, None]*control[k]
    return curve


def bezier_curve_args(size, rng):
    return rng.uniform(-1, 1, (of(size, 4, 8, 20), 2)), np.linspace(0, 1, of(size, 20, 400, 20000))
