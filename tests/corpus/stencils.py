"""Time loops over grids in one, two and three dimensions."""

import numpy as np

from tests.corpus.sizes import of


def heat_1d(u, alpha, steps):
    u = u.copy()
    for _ in range(steps):
        u[1:-1] = u[1:-1] + alpha*(u[2:] - 2*u[1:-1] + u[:-2])
    return u


def heat_1d_args(size, rng):
    return rng.random(of(size, 20, 300, 3000)), 0.2, of(size, 5, 40, 300)


def heat_2d_swap(T, kappa, dt, dx, nt):
    """double buffer, swapped each step"""
    Tn = T.copy()
    c = kappa*dt/dx**2
    for n in range(nt):
        Tn[1:-1, 1:-1] = T[1:-1, 1:-1] + c*(T[2:, 1:-1] + T[:-2, 1:-1] + T[1:-1, 2:] + T[1:-1, :-2] - 4*T[1:-1, 1:-1])
        T, Tn = Tn, T
    return T


def heat_2d_swap_args(size, rng):
    n = of(size, 9, 40, 200)
    return rng.random((n, n + 2)), 0.1, 0.5, 1.0, of(size, 3, 10, 51)


def heat_3d_inplace(TSTEPS, A, B):
    for t in range(1, TSTEPS):
        B[1:-1, 1:-1, 1:-1] = (0.125*(A[2:, 1:-1, 1:-1] - 2.0*A[1:-1, 1:-1, 1:-1] + A[:-2, 1:-1, 1:-1])
                               + 0.125*(A[1:-1, 2:, 1:-1] - 2.0*A[1:-1, 1:-1, 1:-1] + A[1:-1, :-2, 1:-1])
                               + 0.125*(A[1:-1, 1:-1, 2:] - 2.0*A[1:-1, 1:-1, 1:-1] + A[1:-1, 1:-1, 0:-2])
                               + A[1:-1, 1:-1, 1:-1])
        A[1:-1, 1:-1, 1:-1] = B[1:-1, 1:-1, 1:-1]


def heat_3d_inplace_args(size, rng):
    n = of(size, 6, 14, 40)
    a = rng.random((n, n, n))
    return of(size, 4, 8, 20), a, a.copy()


def laplace_gauss_seidel(phi, tol, maxiter):
    ny, nx = phi.shape
    phi = phi.copy()
    for it in range(maxiter):
        biggest = 0.0
        for i in range(1, ny - 1):
            for j in range(1, nx - 1):
                old = phi[i, j]
                phi[i, j] = 0.25*(phi[i+1, j] + phi[i-1, j] + phi[i, j+1] + phi[i, j-1])
                change = abs(phi[i, j] - old)
                if change > biggest:
                    biggest = change
        if biggest < tol:
            break
    return phi, it


def laplace_gauss_seidel_args(size, rng):
    n = of(size, 7, 16, 60)
    return rng.random((n, n)), 1e-3, of(size, 20, 200, 1000)


def sor_sweeps(u, f, h, omega, sweeps):
    for s in range(sweeps):
        for i in range(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                gs = 0.25*(u[i-1, j] + u[i+1, j] + u[i, j-1] + u[i, j+1] - h*h*f[i, j])
                u[i, j] = (1 - omega)*u[i, j] + omega*gs
    return u


def sor_sweeps_args(size, rng):
    n = of(size, 6, 14, 40)
    return rng.random((n, n)), rng.random((n, n)), 0.1, 1.6, 3


def wave_equation(u0, c, dx, dt, nsteps):
    nx = len(u0)
    C2 = (c*dt/dx)**2
    u = np.zeros((nsteps + 1, nx))
    u[0, :] = u0
    u[1, 1:-1] = u0[1:-1] + 0.5*C2*(u0[2:] - 2*u0[1:-1] + u0[:-2])
    for n in range(1, nsteps):
        for i in range(1, nx - 1):
            u[n+1, i] = -u[n-1, i] + 2*u[n, i] + C2*(u[n, i-1] - 2*u[n, i] + u[n, i+1])
        u[n+1, 0] = 0; u[n+1, nx-1] = 0
    return u


def wave_equation_args(size, rng):
    n = of(size, 15, 60, 300)
    x = np.linspace(0, 1, n)
    return np.sin(np.pi*x)*rng.uniform(.5, 1), 1.0, x[1], 0.8*x[1], of(size, 8, 40, 200)


def gray_scott(U, V, Du, Dv, F, k, steps):
    def laplacian(Z):
        return (np.roll(Z, 1, 0) + np.roll(Z, -1, 0) + np.roll(Z, 1, 1) + np.roll(Z, -1, 1) - 4*Z)

    u, v = U.copy(), V.copy()
    for i in range(steps):
        uvv = u*v*v
        u += Du*laplacian(u) - uvv + F*(1 - u)
        v += Dv*laplacian(v) + uvv - (F + k)*v
    return u, v


def gray_scott_args(size, rng):
    n = of(size, 8, 40, 150)
    return rng.random((n, n)), 0.3*rng.random((n, n)), 0.16, 0.08, 0.035, 0.065, of(size, 4, 20, 60)


def burgers(u, nu, dx, dt, nt):
    un = np.empty_like(u)
    for n in range(nt):
        un = u.copy()
        u[1:-1] = (un[1:-1] - un[1:-1]*dt/dx*(un[1:-1] - un[:-2]) + nu*dt/dx**2*(un[2:] - 2*un[1:-1] + un[:-2]))
        u[0] = un[0] - un[0]*dt/dx*(un[0] - un[-2]) + nu*dt/dx**2*(un[1] - 2*un[0] + un[-2])
        u[-1] = u[0]
    return u


def burgers_args(size, rng):
    return 1 + rng.random(of(size, 21, 101, 1001)), 0.07, 0.1, 0.01, of(size, 5, 30, 100)


def cavity_pressure(p, source, h, sweeps):
    """Jacobi sweeps for laplace(p) = source; no flux through the walls, p given at the lid"""
    for sweep in range(sweeps):
        old = p.copy()
        p[1:-1, 1:-1] = 0.25*(old[1:-1, 2:] + old[1:-1, :-2] + old[2:, 1:-1] + old[:-2, 1:-1]
                              - h*h*source[1:-1, 1:-1])
        p[:, 0] = p[:, 1]
        p[:, -1] = p[:, -2]
        p[-1] = p[-2]


def cavity_pressure_args(size, rng):
    n = of(size, 9, 40, 150)
    return rng.random((n, n + 2)), rng.standard_normal((n, n + 2)), 0.1, of(size, 4, 20, 50)


def game_of_life(grid, generations):
    for _ in range(generations):
        padded = np.pad(grid, 1)
        n = (padded[:-2, :-2] + padded[:-2, 1:-1] + padded[:-2, 2:] + padded[1:-1, :-2]
             + padded[1:-1, 2:] + padded[2:, :-2] + padded[2:, 1:-1] + padded[2:, 2:])
        grid = ((n == 3) | ((grid == 1) & (n == 2))).astype(grid.dtype)
    return grid


def game_of_life_args(size, rng):
    n = of(size, 9, 40, 200)
    return rng.integers(0, 2, (n, n)), of(size, 3, 10, 30)


def fdtd_1d(ez, hy, steps):
    nx = ez.size
    for t in range(steps):
        hy[:nx-1] = hy[:nx-1] + 0.5*(ez[1:] - ez[:nx-1])
        ez[1:nx-1] = ez[1:nx-1] + 0.5*(hy[1:nx-1] - hy[:nx-2])
        ez[nx//2] += np.exp(-0.5*((t - 30)/10.0)**2)
    return ez, hy


def fdtd_1d_args(size, rng):
    n = of(size, 20, 200, 2000)
    return 0.01*rng.random(n), np.zeros(n), of(size, 6, 60, 300)


def upwind_advection(q, vel, dx, dt, steps):
    # flux through the faces; periodic
    for s in range(steps):
        left = np.roll(q, 1)
        right = np.roll(q, -1)
        dq = np.where(vel > 0, q - left, right - q)
        q = q - dt/dx*vel*dq
    return q


def upwind_advection_args(size, rng):
    n = of(size, 16, 200, 2000)
    return rng.random(n), rng.uniform(-1, 1, n), 1.0, 0.4, of(size, 5, 50, 200)


def red_black_poisson(p, rhs, h, omega, nsweep):
    n, m = p.shape
    for sweep in range(nsweep):
        for colour in (0, 1):
            for i in range(1, n - 1):
                for j in range(1 + (i + colour) % 2, m - 1, 2):
                    r = p[i-1, j] + p[i+1, j] + p[i, j-1] + p[i, j+1] - h*h*rhs[i, j]
                    p[i, j] = (1 - omega)*p[i, j] + 0.25*omega*r
    return p


def red_black_poisson_args(size, rng):
    n = of(size, 8, 25, 80)
    return rng.random((n, n)), rng.random((n, n)), 1.0/n, 1.4, of(size, 2, 5, 20)


def every_third_row_smoothed(z, first):
    out = z.copy()
    rows = z.shape[0]
    for i in range(rows - 2, first, -3):
        for j in range(1, z.shape[1] - 1):
            out[i, j] = (z[i, j-1] + z[i, j] + z[i, j+1])/3
    return out


def every_third_row_smoothed_args(size, rng):
    return rng.random((of(size, 11, 60, 400), of(size, 9, 50, 400))), 1


def rod_between_baths(T, left, right, r, steps):
    T = T.copy()
    for k in range(steps):
        T[1:-1] = T[1:-1] + r*(T[2:] - 2*T[1:-1] + T[:-2])
        T[0] = left
        T[-1] = right + 5*np.sin(0.1*k)
    return T


def rod_between_baths_args(size, rng):
    return 20 + rng.random(of(size, 9, 80, 1000)), 0.0, 100.0, 0.4, of(size, 6, 60, 300)


def lax_friedrichs_burgers(u0, dx, dt, steps):
    nx = len(u0)
    u = u0.copy()
    for n in range(steps):
        f = 0.5*u*u
        new = np.empty(nx)
        new[1:-1] = 0.5*(u[2:] + u[:-2]) - dt/(2*dx)*(f[2:] - f[:-2])
        # open ends
        new[0] = u[1]
        new[-1] = u[-2]
        u = new
    return u


def lax_friedrichs_burgers_args(size, rng):
    n = of(size, 12, 80, 1000)
    return rng.uniform(.5, 1) + np.sin(2*np.pi*np.arange(n)/n), 1/n, 0.2/n, of(size, 5, 50, 300)


def periodic_autocatalysis(U, V, Du, Dv, F, k, steps):
    """Gray-Scott on a torus: both fields are padded, and stepped at once."""
    for _ in range(steps):
        # periodic borders
        Up = np.pad(U, 1, mode="wrap")
        Vp = np.pad(V, 1, mode="wrap")
        lapU = Up[2:, 1:-1] + Up[:-2, 1:-1] + Up[1:-1, 2:] + Up[1:-1, :-2] - 4*U
        lapV = Vp[2:, 1:-1] + Vp[:-2, 1:-1] + Vp[1:-1, 2:] + Vp[1:-1, :-2] - 4*V
        uvv = U*V*V
        U = U + Du*lapU - uvv + F*(1 - U)
        V = V + Dv*lapV + uvv - (F + k)*V
    return U, V


def periodic_autocatalysis_args(size, rng):
    n = of(size, 7, 30, 150)
    return 0.5 + 0.1*rng.random((n, n)), 0.2*rng.random((n, n)), 0.16, 0.08, 0.035, 0.06, of(size, 3, 20, 100)


def insulated_rod(T, alpha, dx, dt, nt):
    # no heat leaves at the ends: the edge is repeated
    hottest = np.empty(nt)
    for it in range(nt):
        Tp = np.pad(T, 1, mode="edge")
        T = T + alpha*dt/dx**2*(Tp[2:] - 2*T + Tp[:-2])
        hottest[it] = T.max()
    return T, hottest


def insulated_rod_args(size, rng):
    n = of(size, 12, 200, 4000)
    return 300 + 50*rng.random(n), 1e-4, 0.01, 0.2, of(size, 5, 40, 200)


def folded_advection(c, u, dx, dt, nsteps):
    # upwind with a temporary for the flux; the first cell is an inflow
    new = c.copy()
    for step in range(nsteps):
        flux = u*c
        change = flux[1:] - flux[:-1]
        new[1:] = c[1:] - dt/dx*change
        c, new = new, c
    return c


def folded_advection_args(size, rng):
    n = of(size, 15, 300, 5000)
    return np.exp(-np.linspace(-3, 3, n)**2), 0.8, 0.1, 0.05, of(size, 4, 50, 300)
