"""JAX, by hand, in 64 bits."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

jax.config.update("jax_enable_x64", True)

PLANCK_H = 6.62607015e-34
LIGHT_C = 2.99792458e8
BOLTZMANN = 1.380649e-23


@jax.jit
def blackbody(wavelength, T):
    return 2.0 * PLANCK_H * LIGHT_C**2 / (wavelength**5 * jnp.expm1(PLANCK_H * LIGHT_C / (wavelength * BOLTZMANN * T)))


@jax.jit
def haversine(lat1, lon1, lat2, lon2):
    p1, p2 = jnp.radians(lat1), jnp.radians(lat2)
    h = (
        jnp.sin((p2 - p1) / 2) ** 2
        + jnp.cos(p1) * jnp.cos(p2) * jnp.sin(jnp.radians(lon2 - lon1) / 2) ** 2
    )  # fmt: skip
    return 2 * 6371.0 * jnp.arcsin(jnp.sqrt(h))


@jax.jit
def distance_matrix(X, Y):
    d2 = (X**2).sum(1)[:, None] + (Y**2).sum(1)[None, :] - 2 * X @ Y.T
    return jnp.sqrt(jnp.maximum(d2, 0))


@jax.jit
def rbf_kernel_loops(X, gamma):
    d2 = ((X[:, None, :] - X[None, :, :]) ** 2).sum(-1)
    return jnp.exp(-gamma * d2)


@jax.jit
def nbody_acceleration(pos, mass, G, softening):
    x, y, z = pos.T
    dx = x[None, :] - x[:, None]
    dy = y[None, :] - y[:, None]
    dz = z[None, :] - z[:, None]
    d2 = dx * dx + dy * dy + dz * dz + softening**2
    w = jnp.where(jnp.eye(len(x), dtype=bool), 0.0, mass[None, :] / (d2 * jnp.sqrt(d2)))
    return G * jnp.stack([(w * dx).sum(1), (w * dy).sum(1), (w * dz).sum(1)], axis=1)


@jax.jit
def lennard_jones(r, box, sigma, epsilon, rcut):
    d = r[:, None, :] - r[None, :, :]
    d = d - box * jnp.round(d / box)
    r2 = (d * d).sum(-1)
    near = (r2 <= rcut * rcut) & ~jnp.eye(r.shape[0], dtype=bool)
    r2 = jnp.where(near, r2, 1.0)
    s6 = (sigma * sigma / r2) ** 3
    energy = 0.5 * jnp.sum(jnp.where(near, 4 * epsilon * (s6 * s6 - s6), 0.0))
    f = jnp.where(near, 24 * epsilon * (2 * s6 * s6 - s6) / r2, 0.0)
    return energy, (f[:, :, None] * d).sum(1)


@jax.jit
def softmax(logits):
    return jax.nn.softmax(logits, axis=-1)


@jax.jit
def running_max_drawdown(prices):
    peak = lax.cummax(prices)
    drawdown = (peak - prices) / peak
    end = jnp.argmax(drawdown)
    start = jnp.argmax(jnp.where(jnp.arange(prices.size) <= end, prices, -jnp.inf))
    return drawdown[end], start, end


@jax.jit
def covariance_loops(samples):
    centred = samples - samples.mean(0)
    return centred.T @ centred / (samples.shape[0] - 1)


@partial(jax.jit, static_argnames=("nt",))
def heat_2d_swap(T, kappa, dt, dx, nt):
    c = kappa * dt / dx**2

    def step(_, T):
        inner = T[1:-1, 1:-1]
        return T.at[1:-1, 1:-1].set(inner + c * (T[2:, 1:-1] + T[:-2, 1:-1] + T[1:-1, 2:] + T[1:-1, :-2] - 4 * inner))

    return lax.fori_loop(0, nt, step, T)


@jax.jit
def laplace_gauss_seidel(phi, tol, maxiter):
    ny, _ = phi.shape

    def sweep(state):
        phi, it, _, _ = state

        def row(i, carry):
            phi, biggest = carry
            below, here, above = phi[i + 1], phi[i], phi[i - 1]

            def element(left, parts):
                down, up, right = parts
                new = 0.25 * (down + up + right + left)
                return new, new

            _, inner = lax.scan(element, here[0], (below[1:-1], above[1:-1], here[2:]))
            biggest = jnp.maximum(biggest, jnp.max(jnp.abs(inner - here[1:-1])))
            return phi.at[i, 1:-1].set(inner), biggest

        phi, biggest = lax.fori_loop(1, ny - 1, row, (phi, 0.0))
        return phi, it + 1, biggest, biggest < tol

    def going(state):
        return (state[1] < maxiter) & ~state[3]

    phi, it, _, _ = lax.while_loop(going, sweep, (phi, 0, 0.0, False))
    return phi, it - 1


@partial(jax.jit, static_argnames=("nsteps",))
def wave_equation(u0, c, dx, dt, nsteps):
    C2 = (c * dt / dx) ** 2
    second = jnp.zeros_like(u0).at[1:-1].set(u0[1:-1] + 0.5 * C2 * (u0[2:] - 2 * u0[1:-1] + u0[:-2]))

    def step(carry, _):
        before, now = carry
        inner = -before[1:-1] + 2 * now[1:-1] + C2 * (now[:-2] - 2 * now[1:-1] + now[2:])
        new = jnp.zeros_like(now).at[1:-1].set(inner)
        return (now, new), new

    _, rest = lax.scan(step, (u0, second), length=nsteps - 1)
    return jnp.concatenate([u0[None], second[None], rest])


@partial(jax.jit, static_argnames=("generations",))
def game_of_life(grid, generations):
    def step(_, grid):
        rows = jnp.pad(grid, ((1, 1), (0, 0)))
        rows = rows[:-2] + rows[1:-1] + rows[2:]
        rows = jnp.pad(rows, ((0, 0), (1, 1)))
        n = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:] - grid
        return ((n == 3) | ((grid == 1) & (n == 2))).astype(grid.dtype)

    return lax.fori_loop(0, generations, step, grid)


@jax.jit
def thomas(a, b, c, d):
    def forward(carry, row):
        cp, dp = carry
        a, b, c, d = row
        m = b - a * cp
        new = c / m, (d - a * dp) / m
        return new, new

    first = c[0] / b[0], d[0] / b[0]
    _, (cp, dp) = lax.scan(forward, first, (a[1:], b[1:], c[1:], d[1:]))

    def back(x, row):
        cp, dp = row
        x = dp - cp * x
        return x, x

    last = dp[-1]
    cp, dp = jnp.append(first[0], cp[:-1]), jnp.append(first[1], dp[:-1])
    _, x = lax.scan(back, last, (cp, dp), reverse=True)
    return jnp.append(x, last)


@jax.jit
def cholesky(A):
    return jnp.linalg.cholesky(A)


@jax.jit
def edit_distance(s, t):
    n = t.size
    columns = jnp.arange(n + 1)

    def row(before, letter):
        cost = jnp.minimum(before[1:] + 1, before[:-1] + (t != letter))
        open_ = jnp.concatenate([before[:1] + 1, cost])
        # the insertions of a row: a running minimum of value - column
        new = lax.cummin(open_ - columns) + columns
        return new, None

    last, _ = lax.scan(row, columns, s)
    return last[-1]


@partial(jax.jit, static_argnames=("W",))
def knapsack(weights, values, W):
    columns = jnp.arange(W + 1)

    def item(best, one):
        w, v = one
        shifted = jnp.where(columns >= w, best[jnp.maximum(columns - w, 0)] + v, -jnp.inf)
        return jnp.maximum(best, shifted), None

    best, _ = lax.scan(item, jnp.zeros(W + 1), (weights, values))
    return best[W]


@jax.jit
def floyd_warshall(dist):
    def through(k, d):
        return jnp.minimum(d, d[:, k, None] + d[None, k, :])

    return lax.fori_loop(0, dist.shape[0], through, dist)


@jax.jit
def iir_biquad(x, b0, b1, b2, a1, a2):
    def step(carry, v):
        x1, x2, y1, y2 = carry
        y = b0 * v + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        return (v, x1, y, y1), y

    zero = jnp.zeros((), x.dtype)
    return lax.scan(step, (zero, zero, zero, zero), x)[1]


@jax.jit
def kalman_matrix(zs, F, H, Q, R, x, P):
    identity = jnp.eye(F.shape[0])

    def step(carry, z):
        x, P = carry
        x = F @ x
        P = F @ P @ F.T + Q
        PHt = P @ H.T
        K = PHt @ jnp.linalg.inv(H @ PHt + R)
        x = x + K @ (z - H @ x)
        return (x, (identity - K @ H) @ P), x

    (_, P), history = lax.scan(step, (x, P), zs)
    return history, P


@jax.jit
def dft_matrix(x):
    N = x.size
    n = jnp.arange(N)
    roots = jnp.exp(-2j * jnp.pi * n / N)
    return roots[(n[:, None] * n) % N] @ x


@partial(jax.jit, static_argnames=("nbins",))
def histogram_loop(x, nbins, lo, hi):
    b = ((x - lo) / ((hi - lo) / nbins)).astype(jnp.int64)
    inside = (b >= 0) & (b < nbins)
    return jnp.zeros(nbins, jnp.int64).at[jnp.where(inside, b, nbins)].add(1, mode="drop")


@jax.jit
def csr_matvec(data, indices, indptr, x):
    n = indptr.size - 1
    rows = jnp.searchsorted(indptr, jnp.arange(data.size), side="right") - 1
    return jax.ops.segment_sum(data * x[indices], rows, num_segments=n, indices_are_sorted=True)


@partial(jax.jit, static_argnames=("pixels", "limit"))
def mandelbrot(centre, width, pixels, limit):
    re = jnp.linspace(centre.real - width / 2, centre.real + width / 2, pixels)
    im = jnp.linspace(centre.imag - width / 2, centre.imag + width / 2, pixels)
    cr, ci = re[None, :], im[:, None]

    def step(k, state):
        zr, zi, escaped_at = state
        zr, zi = zr * zr - zi * zi + cr, 2 * zr * zi + ci
        gone = (escaped_at == limit) & (zr * zr + zi * zi > 4)
        return zr, zi, jnp.where(gone, k, escaped_at)

    zero = jnp.zeros((pixels, pixels))
    return lax.fori_loop(0, limit, step, (zero, zero, jnp.full((pixels, pixels), limit)))[2]


@jax.jit
def conv2d_valid(image, kernel):
    kh, kw = kernel.shape
    h, w = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    return sum(kernel[dy, dx] * image[dy : dy + h, dx : dx + w] for dy in range(kh) for dx in range(kw))


@partial(jax.jit, static_argnames=("N",))
def binomial_american_put(S0, K, T, r, sigma, N):
    dt = T / N
    u = jnp.exp(sigma * jnp.sqrt(dt))
    d = 1 / u
    p = (jnp.exp(r * dt) - d) / (u - d)
    disc = jnp.exp(-r * dt)
    j = jnp.arange(N + 1)

    def back(k, C):
        i = N - 1 - k
        # beyond i the values are never looked at again
        held = disc * (p * jnp.append(C[1:], 0.0) + (1 - p) * C)
        return jnp.maximum(held, K - S0 * u ** (2.0 * j - i))

    return lax.fori_loop(0, N, back, jnp.maximum(0, K - S0 * u ** (2.0 * j - N)))[0]


@jax.jit
def ising_energy(spins, B=0.0):
    bonds = jnp.sum(spins * (jnp.roll(spins, -1, axis=1) + jnp.roll(spins, -1, axis=0)))
    return -1.0 * bonds - B * spins.sum()
