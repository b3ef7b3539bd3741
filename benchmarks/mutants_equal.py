"""Mutants that are no mistakes: why each gives what the function gives, for whatever arguments NumPy takes."""

_OVERWRITTEN = "every element is written before it is read or returned"
_SQUARED = "the difference is squared, or its magnitude taken: its sign is lost"
_PARITY = "i + j and i - j are even together"

EQUAL: dict[str, str] = {
    "xy_checkerboard: black = (ii + jj) % 2 == 0  =>  black = (ii - jj) % 2 == 0": _PARITY,
    "hamming_matrix: D = np.zeros((n, n), dtype=int)  =>  D = np.ones((n, n), dtype=int)": _OVERWRITTEN,
    "lcg_floats: out = np.zeros(n)  =>  out = np.ones(n)": _OVERWRITTEN,
    "hamming_parity: p = words.copy()  =>  p = words": "p is bound anew and never written into",
    "bootstrap_curve: fwd = np.zeros(n)  =>  fwd = np.ones(n)": _OVERWRITTEN,
    "bootstrap_curve: zero = np.zeros(n)  =>  zero = np.ones(n)": _OVERWRITTEN,
    "copula_losses: loss = np.zeros(n_sims)  =>  loss = np.ones(n_sims)": _OVERWRITTEN,
    "soft_threshold: neg = x < -lam  =>  neg = x <= -lam": "at x == -lam both branches give 0",
    "colour_temperature: if r < 0:  =>  if r <= 0:": "it sets r to 0, which it is then",
    "compute_portfolio: port_ret = weights @ mu  =>  port_ret = mu @ weights": "both are vectors: an inner product",
    "ordinary_kriging: h = np.sqrt(((xy[:, None, :] - xy[None, :, :]) ** 2).sum(-1))  =>  "
    "h = np.sqrt(((xy[None, :, :] - xy[:, None, :]) ** 2).sum(-1))": _SQUARED,
    "pava: val = np.zeros(n)  =>  val = np.ones(n)": _OVERWRITTEN,
    "otsu_threshold: for t in range(256):  =>  for t in range(256 - 1):": "at t = 255 all is background: the loop ends",
    "power_iteration: v = np.ones(M.shape[0])  =>  v = np.ones(M.shape[1])": "a matrix that is not square is refused",
    "ridge_regression: resid = y - X @ w  =>  resid = X @ w - y": _SQUARED,
    "em_two_gaussians: p2 = (1 - pi) * np.exp(-0.5 * ((x - mu2) / s2) ** 2) / (s2 * np.sqrt(2 * np.pi))  =>  "
    "p2 = (1 - pi) * np.exp(-0.5 * ((mu2 - x) / s2) ** 2) / (s2 * np.sqrt(2 * np.pi))": _SQUARED,
    "gmres: y[i] = (g[i] - H[i, i + 1:k] @ y[i + 1:k]) / H[i, i]  =>  "
    "y[i] = (g[i] - y[i + 1:k] @ H[i, i + 1:k]) / H[i, i]": "both are vectors: an inner product",
    "jacobi_eig: for p in range(n - 1):  =>  for p in range(n + 1):": "for p >= n - 1 the inner loop has no trips",
    "cheb_poisson: U[1:-1, 1:-1] = u.reshape(N - 1, N - 1)  =>  U[1:-1, 1:-1] = u.reshape(N - 1, 1 - N)":
        "NumPy works a negative length out from the size, and it is N - 1",
    "manhattan: return np.abs(A[:, np.newaxis, :] - B[np.newaxis, :, :]).sum(axis=-1)  =>  "
    "return np.abs(B[np.newaxis, :, :] - A[:, np.newaxis, :]).sum(axis=-1)": _SQUARED,
    "nearest_neighbour: d = np.sum((points - query[q]) ** 2, axis=1)  =>  "
    "d = np.sum((query[q] - points) ** 2, axis=1)": _SQUARED,
    "crossing_field: rx, ry = (x - x0, y - y0)  =>  rx, ry = (x - x0, y0 - y)":
        "it turns the sign of Bx alone, and the magnitude is returned",
    "kalman_1d: xhat = np.zeros(n_iter)  =>  xhat = np.ones(n_iter)": _OVERWRITTEN,
    "fdtd_1d: ez[nx // 2] += np.exp(-0.5 * ((t - 30) / 10.0) ** 2)  =>  "
    "ez[nx // 2] += np.exp(-0.5 * ((t - 30) / -10.0) ** 2)": _SQUARED,
    "columns_reshaped: w = np.exp(-(lats - lons) ** 2 / scale)  =>  w = np.exp(-(lons - lats) ** 2 / scale)": _SQUARED,
    "greedy_colouring: colour = np.full(n, -1)  =>  colour = np.full(n, -2)": _OVERWRITTEN,
    "levinson: r = np.zeros(p + 1)  =>  r = np.zeros(p + 2)": "the element more is never read",
    "costas_pll: if ph < 0:  =>  if ph < 1:": "the phase is turned once more, and only its sine and cosine are used",
    "adaptive_delta_mod: prev = 0  =>  prev = 1": "it is not read before the first turn has set it",
    "atkinson_dither: xs = range(w) if step == 1 else range(w - 1, -1, -1)  =>  "
    "xs = range(w) if step == 1 else range(w - 1, -1 - 1, -1)":
        "the pixel more is the last one (index -1), rounded already: there is no error left to spread",
    "hillshade: sh = np.sin(alt) * np.cos(slope) + np.cos(alt) * np.sin(slope) * np.cos(az - aspect)  =>  "
    "sh = np.sin(alt) * np.cos(slope) + np.cos(alt) * np.sin(slope) * np.cos(aspect - az)": "the cosine is even",
    "collatz_lengths: k //= 2  =>  k /= 2": "k is even there, and far below 2**53: its half is exact",
    "sieve: while i * i <= limit:  =>  while i + i <= limit:": "the trips more cross out what is crossed out already",
    "heun_history: d = np.zeros(2)  =>  d = np.ones(2)": _OVERWRITTEN,
    "rbf_kernel_loops: s += (X[i, k] - X[j, k]) ** 2  =>  s += (X[j, k] - X[i, k]) ** 2": _SQUARED,
    "transition_matrix: seen = C.sum(axis=1) > 0  =>  seen = C.sum(axis=1) > 1": "a row with one count is divided by 1",
    "clamp_outliers: far = np.abs(table - table.mean(axis=1, keepdims=True)) > limit  =>  "
    "far = np.abs(table.mean(axis=1, keepdims=True) - table) > limit": _SQUARED,
    "fir_direct: out = np.zeros(N)  =>  out = np.ones(N)": _OVERWRITTEN,
    "print_progress: if it % 2 == 0:  =>  if it % 2 == 1:": "it prints, and what is printed is no part of the result",
    "rls: buf[1:] = buf[:-1].copy()  =>  buf[1:] = buf[:-1]": "NumPy copies what overlaps",
    "lucas_kanade: det = np.where(ok, det, np.float32(1))  =>  det = np.where(ok, det, np.float32(2))":
        "where it is not ok, what is divided by it is replaced by 0",
}  # fmt: skip
