"""Lattices, particles, waves and radiation."""

import itertools
import math

from itertools import combinations

import numpy as np

from tests.corpus.sizes import of

J_COUPLING = 1.0


def ising_energy(spins, B=0.0):
    right = np.roll(spins, -1, axis=1)
    down = np.roll(spins, -1, axis=0)
    return -J_COUPLING*np.sum(spins*(right + down)) - B*spins.sum()


def ising_energy_args(size, rng):
    n = of(size, 6, 40, 300)
    return rng.choice([-1, 1], (n, n)), 0.1


def ising_metropolis(spins, sites, u, T):
    """sites: which spin each step tries; u: uniform numbers"""
    L = spins.shape[0]
    s = spins.copy()
    accepted = 0
    for k in range(len(sites)):
        i, j = sites[k]
        nb = s[(i+1) % L, j] + s[(i-1) % L, j] + s[i, (j+1) % L] + s[i, (j-1) % L]
        dE = 2*s[i, j]*nb
        if dE <= 0 or u[k] < np.exp(-dE/T):
            s[i, j] *= -1
            accepted += 1
    return s, accepted


def ising_metropolis_args(size, rng):
    n = of(size, 5, 12, 40)
    m = of(size, 30, 500, 5000)
    return rng.choice([-1, 1], (n, n)), rng.integers(0, n, (m, 2)), rng.random(m), 2.2


def leapfrog_nbody(pos, vel, m, dt, steps):
    def accel(p):
        a = np.zeros_like(p)
        n = p.shape[0]
        for i in range(n):
            dr = p - p[i]
            r2 = np.sum(dr**2, axis=1) + 1e-2
            a[i] = np.sum(m[:, None]*dr/r2[:, None]**1.5, axis=0)
        return a

    acc = accel(pos)
    for _ in range(steps):
        vel = vel + 0.5*dt*acc
        pos = pos + dt*vel
        acc = accel(pos)
        vel = vel + 0.5*dt*acc
    return pos, vel


def leapfrog_nbody_args(size, rng):
    n = of(size, 5, 12, 40)
    return rng.standard_normal((n, 3)), rng.standard_normal((n, 3)), rng.random(n), 0.01, of(size, 4, 15, 30)


def crossing_field(x, y, currents, mu0=4e-7*np.pi):
    # currents: rows x0, y0, I
    Bx = np.zeros_like(x)
    By = np.zeros_like(y)
    for x0, y0, cur in currents:
        rx, ry = x - x0, y - y0
        r2 = rx**2 + ry**2
        Bx += -mu0*cur/(2*np.pi)*ry/r2
        By += mu0*cur/(2*np.pi)*rx/r2
    return np.hypot(Bx, By)


def crossing_field_args(size, rng):
    n = of(size, 9, 40, 200)
    X, Y = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n + 1))
    return X, Y, rng.uniform(-1, 1, (4, 3))


def tight_binding(k, t1, t2):
    h = np.zeros((k.size, 2, 2), dtype=complex)
    h[:, 0, 1] = t1 + t2*np.exp(-1j*k)
    h[:, 1, 0] = np.conj(h[:, 0, 1])
    return np.linalg.eigvalsh(h)


def tight_binding_args(size, rng):
    return np.linspace(-np.pi, np.pi, of(size, 9, 101, 2001)), 1.0, rng.uniform(.2, .9)


def schroedinger_split_step(psi, V, dx, dt, steps):
    N = psi.shape[0]
    k = 2*np.pi*np.fft.fftfreq(N, d=dx)
    expV = np.exp(-0.5j*dt*V)
    expT = np.exp(-0.5j*dt*k**2)
    for _ in range(steps):
        psi = expV*psi
        psi = np.fft.ifft(expT*np.fft.fft(psi))
        psi *= expV
    return psi, np.sum(np.abs(psi)**2)*dx


def schroedinger_split_step_args(size, rng):
    n = of(size, 16, 128, 1024)
    x = np.linspace(-5, 5, n)
    return np.exp(-x**2 + 2j*x), 0.5*x**2*rng.uniform(.5, 1), x[1] - x[0], 0.01, of(size, 4, 20, 100)


def bouncing_ball(h, v, g, e, dt, tmax):
    t = 0.0
    bounces = 0
    while t < tmax:
        v -= g*dt
        h += v*dt
        if h < 0:
            h = -h
            v = -e*v
            bounces += 1
        t += dt
    return h, v, bounces


def bouncing_ball_args(size, rng):
    return 2.0 + rng.random(), 0.0, 9.81, 0.8, 0.003, of(size, 0.5, 2.0, 8.0)


def radial_distribution(coords, L, nbins):
    n = coords.shape[0]
    hist = np.zeros(nbins)
    dr = L/2/nbins
    for i in range(n):
        for j in range(i + 1, n):
            rij = coords[i, :] - coords[j, :]
            rij = rij - L*np.rint(rij/L)
            r = np.sqrt((rij**2).sum())
            if r < L/2:
                hist[int(r/dr)] += 2
    return hist/n


def radial_distribution_args(size, rng):
    return rng.random((of(size, 10, 40, 150), 3))*4, 4.0, 8


def ray_sphere(origins, directions, center, radius):
    oc = origins - center
    b = 2*np.einsum('ij,ij->i', oc, directions)
    c = np.sum(oc**2, 1) - radius**2
    disc = b*b - 4*c
    hit = disc > 0
    t = np.full(len(origins), np.inf)
    t[hit] = (-b[hit] - np.sqrt(disc[hit]))/2
    return t


def ray_sphere_args(size, rng):
    n = of(size, 20, 500, 20_000)
    d = rng.standard_normal((n, 3)); d[:, 2] = np.abs(d[:, 2]) + 2
    d /= np.linalg.norm(d, axis=1)[:, None]
    return np.zeros((n, 3)), d, np.array([0., 0., 5.]), 2.0


def hopping_current(psi, kx):
    ph = np.exp(1j*kx)
    c = np.conj(psi[:-1])*psi[1:]*ph
    return np.angle(c), c.imag.sum(), np.abs(psi).max(), (psi*psi.conj()).real


def hopping_current_args(size, rng):
    n = of(size, 12, 300, 10_000)
    return rng.random(n) + 1j*rng.random(n), 0.3


def contour_sum(coeffs, centre, radius, points):
    """Cauchy's formula for a polynomial's derivative: 1/(2 pi i) times the integral of f(z)/(z - centre)^2"""
    total = 0j
    for k in range(points):
        w = radius*np.exp(2j*np.pi*k/points)
        value = 0j
        for c in coeffs[::-1]:
            value = value*(centre + w) + c
        total += value/w
    return total/points


def contour_sum_args(size, rng):
    return rng.standard_normal(of(size, 5, 12, 40)), complex(0.3, -0.2), 0.8, of(size, 16, 64, 512)


def winding_number(z, a):
    # how often the closed path z goes around a
    turns = 0.0
    n = len(z)
    for k in range(n):
        turns += np.angle((z[(k + 1) % n] - a) / (z[k] - a))
    return turns / (2*np.pi)


def winding_number_args(size, rng):
    n = of(size, 12, 200, 5000)
    phase = 4*np.pi*np.arange(n)/n
    return (1 + 0.3*rng.random(n))*np.exp(1j*phase), complex(0.1, 0.2)


def slit_screen(x, slit, distance, wavelength):
    """Huygens: every point of the slits sends out a spherical wave"""
    k = 2*np.pi/wavelength
    intensity = np.zeros(len(x))
    for i in range(len(x)):
        amplitude = 0j
        for s in range(len(slit)):
            r = np.sqrt(distance**2 + (x[i] - slit[s])**2)
            amplitude += np.exp(1j*k*r)/r
        intensity[i] = abs(amplitude)**2
    return intensity


def slit_screen_args(size, rng):
    n, m = of(size, 9, 60, 600), of(size, 4, 20, 100)
    return np.linspace(-1, 1, n), 0.2*rng.random(m) - 0.1, 5.0, 0.05


def percolation_wall(T, steps, out=None):
    # optional out-parameter
    if out is None:
        out = np.zeros_like(T)
    for s in range(steps):
        out += T/(s + 1)
    out[out > 2.] = 2.
    return out


def percolation_wall_args(size, rng):
    n = of(size, 6, 40, 200)
    return rng.random((n, n)), 3


def euler_fluxes(rho, mom, ener, gamma, dx, dt, steps):
    """1-D Euler equations, Lax-Friedrichs"""
    for _ in range(steps):
        u = mom/rho
        p = (gamma - 1)*(ener - 0.5*rho*u**2)
        F = np.array([mom, mom*u + p, (ener + p)*u])
        Q = np.vstack((rho, mom, ener))
        Qn = Q.copy()
        Qn[:, 1:-1] = 0.5*(Q[:, 2:] + Q[:, :-2]) - dt/(2*dx)*(F[:, 2:] - F[:, :-2])
        rho, mom, ener = Qn
    return rho, mom, ener


def euler_fluxes_args(size, rng):
    n = of(size, 12, 100, 1000)
    return 1 + 0.1*rng.random(n), 0.1*rng.random(n), 2.5 + 0.1*rng.random(n), 1.4, 1.0, 0.2, of(size, 3, 20, 100)


def minmod(a, b):
    return np.where(a*b > 0, np.where(np.abs(a) < np.abs(b), a, b), 0.0)


def muscl_step(q, c, nu):
    dl = np.zeros_like(q)
    dl[1:-1] = minmod(q[1:-1] - q[:-2], q[2:] - q[1:-1])
    qL = q + 0.5*(1 - nu)*dl
    flux = c*qL
    qn = q.copy()
    qn[1:] -= nu/c*(flux[1:] - flux[:-1])
    return qn


def muscl_step_args(size, rng):
    return rng.random(of(size, 12, 300, 10_000)), 1.0, 0.5


def leapfrog_springs(x, v, k, m, dt, steps):
    # a chain with fixed ends: positions and velocities are updated where they stand
    n = len(x)
    a = np.zeros(n)
    for s in range(steps):
        for i in range(1, n - 1):
            a[i] = k/m*(x[i+1] - 2*x[i] + x[i-1])
        v += dt*a
        x += dt*v
    return x, v, 0.5*m*(v**2).sum()


def leapfrog_springs_args(size, rng):
    n = of(size, 9, 60, 400)
    return 0.1*rng.random(n), np.zeros(n), 2.0, 0.5, 0.01, of(size, 4, 20, 60)


def planar_arm(angles, lengths):
    """Position and heading of each joint of an arm in the plane, by homogeneous transforms"""
    T = np.eye(3)
    M = np.zeros((3, 3))
    joints = np.zeros((len(angles), 3))
    heading = 0.0
    for i in range(len(angles)):
        c, s = np.cos(angles[i]), np.sin(angles[i])
        M[:2, :2] = [[c, -s], [s, c]]
        M[:, 2] = lengths[i]*c, lengths[i]*s, 1
        T = T @ M
        heading += angles[i]
        joints[i] = T[0, 2], T[1, 2], heading
    return joints


def planar_arm_args(size, rng):
    n = of(size, 3, 40, 2000)
    return rng.uniform(-1, 1, n), rng.uniform(0.5, 1.5, n)


def dipole_potential(points, positions, moments):
    """Potential of point dipoles at some points, in units of 1/(4 pi eps0)"""
    d = points[:, np.newaxis, :] - positions[np.newaxis, 1:, :]
    r2 = np.sum(d**2, axis=-1) + 1e-3
    field = 3*d/r2[..., np.newaxis]**2.5
    return np.sum(np.sum(d*moments[None, 1:, :], axis=2)/r2**1.5, axis=1), field.sum(axis=1)


def dipole_potential_args(size, rng):
    n, m = of(size, 6, 60, 800), of(size, 4, 20, 200)
    return rng.normal(size=(n, 3)), rng.normal(size=(m, 3)), rng.normal(size=(m, 3))


def orbit_rk4(state, mu, J2, dt, steps):
    """A satellite around an oblate planet; functions within functions, as one writes them in a notebook"""
    R2 = 0.25

    def norm(r):
        return np.sqrt(r[0]**2 + r[1]**2 + r[2]**2)

    def accel(r):
        d = norm(r)
        z2 = 5*r[2]**2/d**2
        pull = lambda k: -mu*r[k]/d**3*(1 - 1.5*J2*R2/d**2*(z2 - (3 if k == 2 else 1)))
        return np.array([pull(0), pull(1), pull(2)])

    r, v = state[:3].copy(), state[3:].copy()
    energy = np.zeros(steps)
    for i in range(steps):
        k1, l1 = v, accel(r)
        k2, l2 = v + dt/2*l1, accel(r + dt/2*k1)
        k3, l3 = v + dt/2*l2, accel(r + dt/2*k2)
        k4, l4 = v + dt*l3, accel(r + dt*k3)
        r = r + dt/6*(k1 + 2*k2 + 2*k3 + k4)
        v = v + dt/6*(l1 + 2*l2 + 2*l3 + l4)
        energy[i] = 0.5*norm(v)**2 - mu/norm(r)
    return r, v, energy


def orbit_rk4_args(size, rng):
    return np.array([1.0, 0.0, 0.1*rng.random(), 0.0, 1.0, 0.2]), 1.0, 1e-3, 0.01, of(size, 5, 200, 5000)


def poincare_section(theta1, theta2, w1, w2, dt, nsteps):
    # double pendulum with equal masses and lengths, section at theta1 = 0 upwards
    g = 9.81

    def rhs(y):
        a, b, wa, wb = y
        d = a - b
        den = 2*1.0 + 1.0 - np.cos(2*a - 2*b)
        da = (-g*3*np.sin(a) - g*np.sin(a - 2*b)
              - 2*np.sin(d)*(wb**2 + wa**2*np.cos(d)))/den
        db = (2*np.sin(d)*(2*wa**2 + 2*g*np.cos(a) + wb**2*np.cos(d)))/den
        return np.array([wa, wb, da, db])

    y = np.array([theta1, theta2, w1, w2])
    points = []
    for n in range(nsteps):
        k1 = rhs(y)
        k2 = rhs(y + dt/2*k1)
        k3 = rhs(y + dt/2*k2)
        k4 = rhs(y + dt*k3)
        new = y + dt/6*(k1 + 2*k2 + 2*k3 + k4)
        if y[0] < 0 <= new[0]:
            s = -y[0]/(new[0] - y[0])
            points.append([y[1] + s*(new[1] - y[1]), y[3] + s*(new[3] - y[3])])
        y = new
    return np.array(points)


def poincare_section_args(size, rng):
    return 0.6, 0.3 + 0.1*rng.random(), 0.0, 0.0, 0.01, of(size, 200, 1000, 5000)


def entanglement_entropy(psi, n_left, n_right):
    entropies = []
    for cut in range(1, n_left + n_right):
        block = psi.reshape(2**cut, -1)
        rho = np.einsum('ia,ja->ij', block, block.conj())
        lam = np.linalg.eigvalsh(rho)
        lam = lam[lam > 1e-12]
        entropies.append(-np.sum(lam*np.log2(lam)))
    return np.array(entropies)


def entanglement_entropy_args(size, rng):
    nl, nr = of(size, 2, 3, 4), of(size, 2, 3, 4)
    psi = rng.normal(size=2**(nl+nr)) + 1j*rng.normal(size=2**(nl+nr))
    return psi/np.linalg.norm(psi), nl, nr


def mean_square_displacement(traj, box, max_lag):
    step = np.diff(traj, axis=0)
    step -= box*np.round(step/box)
    unwrapped = np.concatenate([traj[:1], traj[:1] + np.cumsum(step, axis=0)])
    msd = np.zeros(max_lag)
    for lag in range(1, max_lag):
        d = unwrapped[lag:] - unwrapped[:-lag]
        msd[lag] = np.mean(np.sum(d**2, axis=-1))
    slope = np.polyfit(np.arange(1, max_lag), msd[1:], 1)[0]
    return msd, slope/6


def mean_square_displacement_args(size, rng):
    t, n = of(size, 20, 100, 400), of(size, 4, 20, 100)
    return np.mod(np.cumsum(rng.normal(0, .3, (t, n, 3)), axis=0), 5.0), 5.0, of(size, 6, 30, 100)


def boris_push(x, v, E, B, qm, dt, steps):
    traj = np.empty((steps, x.shape[0], 3))
    for n in range(steps):
        v_minus = v + 0.5*qm*dt*E
        t = 0.5*qm*dt*B
        s = 2*t/(1 + np.sum(t*t))
        v_prime = v_minus + np.cross(v_minus, t)
        v_plus = v_minus + np.cross(v_prime, s)
        v = v_plus + 0.5*qm*dt*E
        x = x + v*dt
        traj[n] = x
    return traj, v


def boris_push_args(size, rng):
    n = of(size, 5, 50, 400)
    return rng.normal(size=(n, 3)), rng.normal(size=(n, 3)), np.array([0, .1, 0]), np.array([0, 0, 1.]), 1.0, 0.05, of(size, 10, 100, 500)


def lyapunov_spectrum(x0, dt, steps):
    """Lyapunov exponents of Lorenz's system by repeated orthonormalisation"""
    def flow(s):
        x, y, z = s
        return np.array([10*(y - x), x*(28 - z) - y, x*y - 8/3*z])

    def tangent(s):
        x, y, z = s
        return np.array([[-10, 10, 0], [28 - z, -1, -x], [y, x, -8/3]])

    s = x0.copy()
    Q = np.eye(3)
    growth = np.zeros(3)
    for k in range(steps):
        J = np.eye(3) + dt*tangent(s)
        s = s + dt*flow(s)
        Q, R = np.linalg.qr(J @ Q)
        growth += np.log(np.abs(np.diag(R)))
    return growth/(steps*dt)


def lyapunov_spectrum_args(size, rng):
    return np.array([1.0, 1.0, 20.0]) + 0.1*rng.normal(size=3), 0.002, of(size, 60, 300, 20000)


def chain_rates(A, depth):
    """Spectral radius and slowest rate of a relaxing network, and the diffusion of a ring from a mesh of phases"""
    w = np.linalg.eigvals(A)
    k, t = np.mgrid[0:np.pi:depth*1j, 0:1:5j]
    decay = np.exp(-2*(1 - np.cos(k))*t)
    return np.max(np.abs(w)), np.max(w.real), decay.sum(axis=0)


def chain_rates_args(size, rng):
    n = of(size, 6, 20, 80)
    return rng.normal(size=(n, n)), of(size, 10, 100, 2000)


def madelung_constant(shells):
    """Potential at an ion of rock salt, by neutral cubes of ions."""
    total = 0.0
    for i, j, k in itertools.product(range(-shells, shells + 1), repeat=3):
        if i == 0 and j == 0 and k == 0:
            continue
        # ions on faces, edges and corners of the cube count by the part that lies inside
        weight = 1.0
        for index in (i, j, k):
            if abs(index) == shells:
                weight *= 0.5
        total += weight*(-1)**(i + j + k)/math.sqrt(i*i + j*j + k*k)
    return -total


def madelung_constant_args(size, rng):
    return (of(size, 2, 6, 30),)


def pendulum_with_drive(theta0, omega0, pars, dt, steps):
    """A driven, damped pendulum by the midpoint rule; its constants in a dict."""
    def slope(t, y, pars):
        return np.array([y[1], -pars["g"]/pars["length"]*np.sin(y[0]) - pars["damping"]*y[1]
                         + pars["drive"]*np.cos(pars["omega"]*t)])

    y = np.array([theta0, omega0])
    track = np.empty((steps, 2))
    for n in range(steps):
        half = y + 0.5*dt*slope(n*dt, y, pars)
        y = y + dt*slope((n + 0.5)*dt, half, pars)
        track[n] = y
    return track


def pendulum_with_drive_args(size, rng):
    pars = {"g": 9.81, "length": 1.2, "damping": 0.3, "drive": 1.1, "omega": 2.0}
    return 0.4, 0.0, pars, 0.01, of(size, 50, 1_000, 20_000)


def debye_scattering(q_values, positions, weights):
    # scattering of an isotropic sample, atom by atom (Debye)
    intensity = np.zeros(len(q_values))
    for k, q in enumerate(q_values):
        total = 0.0
        for (x, y, z), w in zip(positions, weights):
            for (u, v, t), s in zip(positions, weights):
                r = np.sqrt((x - u)**2 + (y - v)**2 + (z - t)**2)
                total += w*s*np.sinc(q*r/np.pi)
        intensity[k] = total
    return intensity


def debye_scattering_args(size, rng):
    n = of(size, 6, 25, 60)
    return np.linspace(0.1, 8.0, of(size, 10, 100, 500)), rng.uniform(-3, 3, (n, 3)), rng.uniform(1, 8, n)


def winding_numbers(points, polygon):
    turns = np.zeros(len(points), dtype=np.int64)
    for k, (px, py) in enumerate(points):
        w = 0
        for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, axis=0)):
            side = (bx - ax)*(py - ay) - (px - ax)*(by - ay)
            if ay <= py < by and side > 0:
                w += 1
            elif by <= py < ay and side < 0:
                w -= 1
        turns[k] = w
    return turns


def winding_numbers_args(size, rng):
    angle = np.linspace(0, 4*np.pi, of(size, 9, 30, 90), endpoint=False)
    star = np.column_stack((np.cos(angle), np.sin(angle)))*rng.uniform(0.5, 1.0, (len(angle), 1))
    return rng.uniform(-1, 1, (of(size, 20, 400, 10000), 2)), star


def hydrogen_radial(n, l, r, a0):
    # radial function of the hydrogen atom, its Laguerre polynomial term by term
    rho = 2*r/(n*a0)
    norm = math.sqrt((2/(n*a0))**3*math.factorial(n - l - 1)/(2*n*math.factorial(n + l)))
    laguerre = np.zeros(len(r))
    for i in range(n - l):
        top = math.factorial(n + l)
        bottom = math.factorial(n - l - 1 - i)*math.factorial(2*l + 1 + i)*math.factorial(i)
        laguerre += (-1)**i*top/bottom*rho**i
    return norm*np.exp(-rho/2)*rho**l*laguerre


def hydrogen_radial_args(size, rng):
    n = of(size, 3, 6, 12)
    return n, 1, np.linspace(0.01, 60.0, of(size, 40, 1000, 50000)), 1.0


def pair_potential_sum(charges, places, softening):
    return sum(charges[a]*charges[b]/np.sqrt(np.sum((places[a] - places[b])**2) + softening)
               for a, b in combinations(range(len(charges)), 2))


def pair_potential_sum_args(size, rng):
    n = of(size, 5, 40, 300)
    return rng.choice([-1.0, 1.0], n), rng.uniform(-2, 2, (n, 3)), 0.01


def lattice_coupling(spins, J, h):
    # an Ising energy with couplings between all sites, nearer ones stronger
    pairs = sum(J/(j - i)**2*spins[i]*spins[j] for i, j in combinations(range(len(spins)), 2))
    return -pairs - h*np.sum(spins)


def lattice_coupling_args(size, rng):
    return rng.choice([-1.0, 1.0], of(size, 6, 60, 600)), 1.0, 0.2
