"""All pairs, by broadcasting and by loops."""

from itertools import combinations

import numpy as np

from tests.corpus.sizes import of


def distance_matrix(X, Y):
    # ||x||^2 + ||y||^2 - 2 x.y
    d2 = (X**2).sum(axis=1)[:, None] + (Y**2).sum(axis=1)[None, :] - 2*X @ Y.T
    return np.sqrt(np.maximum(d2, 0))


def distance_matrix_args(size, rng):
    n = of(size, 7, 80, 600)
    return rng.random((n, 3)), rng.random((n + 4, 3))


def manhattan(A, B):
    return np.abs(A[:, np.newaxis, :] - B[np.newaxis, :, :]).sum(axis=-1)


def manhattan_args(size, rng):
    n = of(size, 6, 50, 200)
    return rng.random((n, 4)), rng.random((n + 1, 4))


def rbf_kernel_loops(X, gamma):
    n, d = X.shape
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(i, n):
            s = 0.0
            for k in range(d):
                s += (X[i, k] - X[j, k])**2
            K[i, j] = np.exp(-gamma*s)
            K[j, i] = K[i, j]
    return K


def rbf_kernel_loops_args(size, rng):
    return rng.random((of(size, 8, 40, 150), 3)), 0.7


def nbody_acceleration(pos, mass, G, softening):
    # r[i, j] points from body i to body j
    r = pos[None, :, :] - pos[:, None, :]
    d2 = np.sum(r**2, axis=-1) + softening**2
    inv3 = d2**-1.5
    np.fill_diagonal(inv3, 0.0)
    return G*np.sum(r*(mass*inv3)[:, :, None], axis=1)


def nbody_acceleration_args(size, rng):
    n = of(size, 8, 60, 500)
    return rng.standard_normal((n, 3)), rng.random(n), 1.0, 0.05


def lennard_jones(r, box, sigma, epsilon, rcut):
    """energy and forces with periodic minimum images"""
    N = r.shape[0]
    forces = np.zeros((N, 3))
    energy = 0.0
    rc2 = rcut*rcut
    for i in range(N - 1):
        for j in range(i + 1, N):
            d = r[i] - r[j]
            d -= box*np.round(d/box)  # minimum image
            r2 = np.dot(d, d)
            if r2 > rc2:
                continue
            s6 = (sigma*sigma/r2)**3
            energy += 4*epsilon*(s6*s6 - s6)
            f = 24*epsilon*(2*s6*s6 - s6)/r2
            forces[i] += f*d
            forces[j] -= f*d
    return energy, forces


def lennard_jones_args(size, rng):
    n = of(size, 3, 4, 6)
    grid = np.stack(np.meshgrid(*[np.arange(n)]*3), axis=-1).reshape(-1, 3)*1.2
    return grid + 0.1*rng.random(grid.shape), n*1.2, 1.0, 1.0, 2.5


def coulomb_energy(q, x):
    U = 0.
    for i, qi in enumerate(q):
        for j, qj in enumerate(q):
            if i == j:
                continue
            U += 0.5*qi*qj/np.linalg.norm(x[i] - x[j])
    return U


def coulomb_energy_args(size, rng):
    n = of(size, 8, 30, 100)
    return rng.choice([-1.0, 1.0], n), rng.random((n, 3))


def outer_table(f, g):
    table = np.outer(f, g)
    table += f[:, None]
    table[np.diag_indices(len(f))] = 0
    return table / table.max(axis=1, keepdims=True)


def outer_table_args(size, rng):
    n = of(size, 8, 80, 400)
    return rng.random(n) + .5, rng.random(n) + .5


def nearest_neighbour(points, query):
    best = np.empty(len(query), dtype=np.int64)
    for q in range(len(query)):
        d = np.sum((points - query[q])**2, axis=1)
        best[q] = np.argmin(d)
    return best


def nearest_neighbour_args(size, rng):
    n = of(size, 15, 150, 1000)
    return rng.random((n, 2)), rng.random((n // 3, 2))


def contact_map(xyz, cutoff):
    n = len(xyz)
    C = np.zeros((n, n), dtype=np.int8)
    n_contacts = 0
    for i in range(n):
        for j in range(i + 3, n):
            d = xyz[i] - xyz[j]
            if np.sqrt(np.sum(d*d)) < cutoff:
                C[i, j] = 1
                C[j, i] = 1
                n_contacts += 1
    return C, n_contacts


def contact_map_args(size, rng):
    return np.cumsum(rng.normal(size=(of(size, 12, 60, 400), 3)), axis=0), 2.5


def rank_correlations(R):
    # Spearman, column by column
    m, p = R.shape
    rho = np.eye(p)
    for a in range(p - 1):
        ra = np.argsort(np.argsort(R[:, a]))
        for b in range(a + 1, p):
            rb = np.argsort(np.argsort(R[:, b]))
            d = ra - rb
            rho[a, b] = 1 - 6*np.sum(d**2)/(m*(m**2 - 1))
            rho[b, a] = rho[a, b]
    return rho


def rank_correlations_args(size, rng):
    return (rng.normal(size=(of(size, 15, 60, 300), of(size, 4, 12, 40))),)


def pair_forces(q, x, F):
    """Coulomb in 1-D with softening, antisymmetric, into F"""
    n = len(q)
    for i in range(n):
        for j in range(i):
            r = x[i] - x[j]
            f = q[i]*q[j]*r/(r*r + 0.01)**1.5
            F[i, j] = f
            F[j, i] = -f


def pair_forces_args(size, rng):
    n = of(size, 9, 60, 500)
    return rng.choice([-1.0, 1.0], n), rng.random(n)*10, np.zeros((n, n))


def closest_pairs(P, k):
    # list of the k closest pairs, greedy, each point used once
    n = len(P)
    D = np.full((n, n), np.inf)
    for i in range(n):
        for j in range(i + 1, n):
            D[i, j] = (P[i, 0] - P[j, 0])**2 + (P[i, 1] - P[j, 1])**2
    pairs = []
    while len(pairs) < k and np.isfinite(D).any():
        i, j = np.unravel_index(np.argmin(D), D.shape)
        pairs.append((i, j))
        D[i, :] = np.inf
        D[:, i] = np.inf
        D[j, :] = np.inf
        D[:, j] = np.inf
    return np.array(pairs)


def closest_pairs_args(size, rng):
    return rng.random((of(size, 10, 50, 300), 2)), of(size, 3, 10, 40)


def great_circles(lon1, lat1, lon2, lat2):
    """Angles in degrees between all pairs of places, after Vincenty, and which pairs are close to antipodes"""
    l1, p1, l2, p2 = (np.radians(v) for v in (lon1, lat1, lon2, lat2))
    s1, s2 = [np.sin(v) for v in (p1, p2)]
    c1, c2 = map(np.cos, (p1, p2))
    d = l2[None, :] - l1[:, None]
    cd = np.cos(d)
    x = c1[:, None]*s2 - s1[:, None]*c2*cd
    angle = np.arctan2(np.hypot(c2*np.sin(d), x), s1[:, None]*s2 + c1[:, None]*c2*cd)
    return np.degrees(angle), angle > 0.97*np.pi


def great_circles_args(size, rng):
    n, m = of(size, 5, 40, 600), of(size, 7, 50, 700)
    return rng.uniform(-180, 180, n), rng.uniform(-80, 80, n), rng.uniform(-180, 180, m), rng.uniform(-80, 80, m)


def gaussian_overlaps(centres, widths, points):
    """Sums of normalised Gaussians of several widths, and their gradients"""
    diff = points[:, None] - centres[None, :]
    scaled = diff[..., None]/widths
    g = np.exp(-0.5*scaled**2)/(np.sqrt(2*np.pi)*widths)
    return g.sum(axis=1), (-scaled/widths*g).sum(axis=1)


def gaussian_overlaps_args(size, rng):
    return rng.random(of(size, 4, 20, 80)), np.array([0.1, 0.3, 1.0]), rng.random(of(size, 6, 50, 1000))


def flock_steering(p, v, radius, w_sep):
    """cohesion, alignment and separation of boids in the plane"""
    d = p[None, :, :] - p[:, None, :]
    dist = np.sqrt(np.sum(d**2, axis=2))
    near = (dist < radius) & (dist > 0)
    count = np.maximum(near.sum(axis=1), 1)[:, None]
    towards = (near[:, :, None]*d).sum(axis=1)/count
    along = (near[:, :, None]*v[None, :, :]).sum(axis=1)/count - v
    away = np.where(near[..., None], d/np.where(near, dist, 1.0)[..., None]**2, 0.0).sum(axis=1)
    return towards + along - w_sep*away


def flock_steering_args(size, rng):
    n = of(size, 8, 60, 400)
    return 10*rng.random((n, 2)), rng.standard_normal((n, 2)), 3.0, 1.5


def dipole_field(points, sources, moments):
    # field of magnetic dipoles, mu0/4pi = 1
    r = points[:, None, :] - sources[None, :, :]
    dist = np.linalg.norm(r, axis=-1, keepdims=True)
    u = r/dist
    along = np.sum(u*moments[None], axis=-1, keepdims=True)
    return np.sum((3*along*u - moments[None])/dist**3, axis=1)


def dipole_field_args(size, rng):
    n, m = of(size, (5, 4), (60, 20), (800, 100))
    return rng.uniform(2, 3, (n, 3)), rng.random((m, 3)), rng.standard_normal((m, 3))


def inverse_distance_weighting(places, values, targets, power):
    """Shepard's interpolation; a loop over the coordinates, however many there are"""
    n, dims = places.shape
    out = np.zeros(len(targets))
    for t in range(len(targets)):
        total = 0.0
        for i in range(n):
            d2 = 0.0
            for k in range(dims):
                d2 += (places[i, k] - targets[t, k])**2
            w = 1/(d2 + 1e-12)**(power/2)
            out[t] += w*values[i]
            total += w
        out[t] /= total
    return out


def inverse_distance_weighting_args(size, rng):
    n, m = of(size, 12, 60, 300), of(size, 9, 40, 200)
    return rng.random((n, 2)), rng.standard_normal(n), rng.random((m, 2)), 2.5


def gravity_potential(pos, mass, eps):
    # potential at each body, and the field's energy
    sep = pos[:, None, :] - pos[None, :, :]
    r = np.sqrt((sep**2).sum(axis=2) + eps**2)
    w = mass[None, :]/r
    np.fill_diagonal(w, 0.0)
    phi = -w.sum(axis=1)
    return phi, 0.5*np.sum(mass*phi)


def gravity_potential_args(size, rng):
    n = of(size, 10, 60, 400)
    return rng.standard_normal((n, 3)), rng.random(n), 0.1


def nearest_centres(points, centres):
    # squared distances by the binomial formula, as k-means does
    d2 = (points**2).sum(axis=1)[:, None] - 2*points @ centres.T + (centres**2).sum(axis=1)
    soft = np.exp(-np.maximum(d2, 0.0))
    return soft/soft.sum(axis=1, keepdims=True)


def nearest_centres_args(size, rng):
    return rng.random((of(size, 40, 300, 5000), 4)), rng.random((of(size, 9, 20, 40), 4))


def cosine_excess(A, B):
    lengths = np.sqrt((A**2).sum(axis=1))[:, None]*np.sqrt((B**2).sum(axis=1))[None, :]
    return np.maximum(A @ B.T/lengths - 0.5, 0.0)


def cosine_excess_args(size, rng):
    return rng.standard_normal((of(size, 30, 90, 500), 3)), rng.standard_normal((of(size, 20, 80, 400), 3))


def gp_posterior_mean(x_new, x_train, alpha, length, amplitude):
    # Matern 3/2 kernel; alpha = (K + sigma^2 I)^-1 y was solved for before
    r = np.abs(x_new[:, None] - x_train[None, :])/length
    K_star = amplitude**2*(1 + np.sqrt(3)*r)*np.exp(-np.sqrt(3)*r)
    return K_star @ alpha


def gp_posterior_mean_args(size, rng):
    n, m = of(size, 9, 60, 400), of(size, 7, 50, 500)
    return np.sort(rng.random(n)), np.sort(rng.random(m)), rng.standard_normal(m), 0.2, 1.3


def irregular_periodogram(t, y, freqs):
    # the classical (Schuster) periodogram of unevenly sampled data
    y = y - y.mean()
    E = np.exp(-2j*np.pi*freqs[:, None]*t)
    c = np.dot(E, y)
    return np.abs(c)**2/len(t)


def irregular_periodogram_args(size, rng):
    n = of(size, 15, 80, 400)
    return np.sort(100*rng.random(n)), rng.standard_normal(n), np.linspace(0.01, 2.0, of(size, 9, 60, 500))


def closest_approach(stars, velocities, horizon):
    # of each pair the time at which it comes closest, and the smallest distance of all
    best = np.inf
    times = []
    for i, j in combinations(range(len(stars)), 2):
        d = stars[i] - stars[j]
        v = velocities[i] - velocities[j]
        t = min(max(-(d @ v)/(v @ v), 0.0), horizon)
        times.append(t)
        best = min(best, np.sqrt(((d + v*t)**2).sum()))
    return best, np.array(times)


def closest_approach_args(size, rng):
    n = of(size, 5, 20, 150)
    return rng.random((n, 3)), rng.standard_normal((n, 3)), 2.0


def axilrod_teller(positions):
    """Energy of three bodies, summed over triples."""
    energy = 0.0
    for a, b, c in combinations(positions, 3):
        x, y, z = a - b, b - c, c - a
        p, q, r = np.sqrt((x**2).sum()), np.sqrt((y**2).sum()), np.sqrt((z**2).sum())
        cosines = -(x @ y)*(y @ z)*(z @ x)/(p*q*r)**2
        energy += (1 - 3*cosines)/(p*q*r)**3
    return energy


def axilrod_teller_args(size, rng):
    return (rng.random((of(size, 5, 12, 40), 3))*3,)
