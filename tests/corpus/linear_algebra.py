"""Solvers and factorisations, written out and through np.linalg."""

import math

import numpy as np
import numpy.linalg as la

from tests.corpus.sizes import of


def _spd(n, rng):
    a = rng.random((n, n))
    return a @ a.T + n*np.eye(n)


def thomas(a, b, c, d):
    """tridiagonal solve; a sub-, b main, c super-diagonal"""
    n = len(d)
    cp = np.zeros(n)
    dp = np.zeros(n)
    cp[0] = c[0]/b[0]
    dp[0] = d[0]/b[0]
    for i in range(1, n):
        m = b[i] - a[i]*cp[i-1]
        cp[i] = c[i]/m
        dp[i] = (d[i] - a[i]*dp[i-1])/m
    x = np.zeros(n)
    x[-1] = dp[-1]
    for i in range(n - 2, -1, -1):
        x[i] = dp[i] - cp[i]*x[i+1]
    return x


def thomas_args(size, rng):
    n = of(size, 9, 100, 5000)
    return rng.random(n), 3 + rng.random(n), rng.random(n), rng.random(n)


def forward_substitution(L, b):
    n = L.shape[0]
    y = np.zeros_like(b)
    for i in range(n):
        y[i] = (b[i] - L[i, :i] @ y[:i])/L[i, i]
    return y


def forward_substitution_args(size, rng):
    n = of(size, 8, 60, 300)
    return np.tril(_spd(n, rng)), rng.random(n)


def back_substitution(U, b):
    n = U.shape[0]
    x = np.zeros(n)
    for i in reversed(range(n)):
        s = b[i]
        for j in range(i + 1, n):
            s -= U[i, j]*x[j]
        x[i] = s/U[i, i]
    return x


def back_substitution_args(size, rng):
    n = of(size, 8, 40, 200)
    return np.triu(_spd(n, rng)), rng.random(n)


def cholesky(A):
    n = A.shape[0]
    L = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = np.dot(L[i, :j], L[j, :j])
            if i == j:
                L[i, j] = np.sqrt(A[i, i] - s)
            else:
                L[i, j] = (A[i, j] - s)/L[j, j]
    return L


def cholesky_args(size, rng):
    return (_spd(of(size, 6, 20, 80), rng),)


def cholesky_columns(A):
    """column after column (Cholesky-Crout)"""
    n = len(A)
    L = np.zeros((n, n))
    for j in range(n):
        L[j, j] = np.sqrt(A[j, j] - np.sum(L[j, :j]**2))
        for i in range(j + 1, n):
            L[i, j] = 1.0/L[j, j]*(A[i, j] - np.sum(L[i, :j]*L[j, :j]))
    return L


def cholesky_columns_args(size, rng):
    return (_spd(of(size, 6, 20, 80), rng),)


def cholesky_three_loops(A):
    n = A.shape[0]
    L = np.zeros((n, n))
    for i in range(n):
        for j in range(i):
            s = 0.0
            for k in range(j):
                s += L[i, k]*L[j, k]
            L[i, j] = (A[i, j] - s)/L[j, j]
        d = A[i, i]
        for k in range(i):
            d -= L[i, k]**2
        L[i, i] = np.sqrt(d)
    return L


def cholesky_three_loops_args(size, rng):
    return (_spd(of(size, 6, 20, 60), rng),)


def lu_inplace(A):
    N = A.shape[0]
    for i in range(N):
        for j in range(i):
            A[i, j] -= A[i, :j] @ A[:j, j]
            A[i, j] /= A[j, j]
        for j in range(i, N):
            A[i, j] -= A[i, :i] @ A[:i, j]


def lu_inplace_args(size, rng):
    return (_spd(of(size, 6, 20, 80), rng),)


def gauss_elimination(A, b):
    # with partial pivoting
    n = len(b)
    M = np.hstack([A, b.reshape(-1, 1)])
    for k in range(n):
        p = k + np.argmax(np.abs(M[k:, k]))
        if p != k:
            M[[k, p]] = M[[p, k]]
        for i in range(k + 1, n):
            factor = M[i, k]/M[k, k]
            M[i, k:] -= factor*M[k, k:]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (M[i, n] - M[i, i+1:n] @ x[i+1:])/M[i, i]
    return x


def gauss_elimination_args(size, rng):
    n = of(size, 6, 20, 80)
    return rng.random((n, n)), rng.random(n)


def gram_schmidt(A):
    m, n = A.shape
    Q = np.zeros((m, n))
    R = np.zeros((n, n))
    for j in range(n):
        v = A[:, j].copy()
        for i in range(j):
            R[i, j] = Q[:, i] @ A[:, j]
            v -= R[i, j]*Q[:, i]
        R[j, j] = np.linalg.norm(v)
        Q[:, j] = v/R[j, j]
    return Q, R


def gram_schmidt_args(size, rng):
    n = of(size, 5, 15, 60)
    return (rng.random((2*n, n)),)


def jacobi_method(A, b, x, niter):
    D = np.diag(A)
    R = A - np.diagflat(D)
    for i in range(niter):
        x = (b - np.dot(R, x))/D
    return x


def jacobi_method_args(size, rng):
    n = of(size, 6, 60, 300)
    return rng.random((n, n)) + n*np.eye(n), rng.random(n), np.zeros(n), 12


def conjugate_gradient(A, b, tol=1e-8):
    x = np.zeros(len(b))
    r = b - A @ x
    p = r.copy()
    rs = r @ r
    k = 0
    while np.sqrt(rs) > tol and k < 10*len(b):
        Ap = A @ p
        alpha = rs/(p @ Ap)
        x += alpha*p
        r -= alpha*Ap
        rs_new = r @ r
        p = r + (rs_new/rs)*p
        rs = rs_new
        k += 1
    return x, k


def conjugate_gradient_args(size, rng):
    n = of(size, 8, 40, 200)
    return _spd(n, rng), rng.random(n)


def power_iteration(M, tol):
    v = np.ones(M.shape[0])
    v /= np.linalg.norm(v)
    lam = 0.0
    while True:
        w = M @ v
        new = v @ w
        v = w/np.linalg.norm(w)
        if abs(new - lam) < tol:
            break
        lam = new
    return new, v


def power_iteration_args(size, rng):
    return _spd(of(size, 6, 30, 200), rng), 1e-9


def qr_eigenvalues(A, n_iter):
    Ak = np.copy(A)
    for _ in range(n_iter):
        Q, R = np.linalg.qr(Ak)
        Ak = R @ Q
    return np.sort(np.diag(Ak))


def qr_eigenvalues_args(size, rng):
    return _spd(of(size, 5, 12, 40), rng), 15


def pca_scores(X, k):
    Xc = X - X.mean(axis=0)
    C = Xc.T @ Xc/(X.shape[0] - 1)
    w, V = la.eigh(C)
    order = np.argsort(w)[::-1]
    return w[order][:k], np.abs(Xc @ V[:, order[:k]])


def pca_scores_args(size, rng):
    return rng.random((of(size, 15, 200, 2000), 6))*np.arange(1, 7), 3


def low_rank(A, k):
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    return (U[:, :k]*s[:k]) @ Vt[:k]


def low_rank_args(size, rng):
    n = of(size, 7, 40, 150)
    return rng.random((n, n + 3)), 3


def ridge_regression(X, y, lam):
    d = X.shape[1]
    G = np.einsum('ni,nj->ij', X, X)
    w = np.linalg.solve(G + lam*np.identity(d), X.T.dot(y))
    resid = y - X @ w
    return w, np.sum(resid**2)


def ridge_regression_args(size, rng):
    n = of(size, 12, 200, 3000)
    return rng.random((n, 4)), rng.random(n), 0.1


def mahalanobis(X, mu, S):
    d = X - mu
    Sinv = np.linalg.inv(S)
    return np.sqrt(np.einsum('ij,jk,ik->i', d, Sinv, d))


def mahalanobis_args(size, rng):
    return rng.random((of(size, 9, 100, 2000), 4)), rng.random(4), _spd(4, rng)


def matmul_by_hand(A, B):
    n, m = A.shape
    p = B.shape[1]
    C = np.zeros((n, p))
    for i in range(n):
        for j in range(p):
            for k in range(m):
                C[i, j] += A[i, k]*B[k, j]
    return C


def matmul_by_hand_args(size, rng):
    n = of(size, 5, 20, 80)
    return rng.random((n, n + 1)), rng.random((n + 1, n + 2))


def batched_rotation(angles, vecs):
    c, s = np.cos(angles), np.sin(angles)
    R = np.array([[c, -s], [s, c]]).transpose(2, 0, 1)
    return (R @ vecs[..., None])[..., 0]


def batched_rotation_args(size, rng):
    n = of(size, 7, 200, 10_000)
    return rng.uniform(0, 6, n), rng.random((n, 2))


def syr2k_triangle(alpha, beta, C, A, B):
    for i in range(A.shape[0]):
        C[i, :i+1] *= beta
        for k in range(A.shape[1]):
            C[i, :i+1] += A[:i+1, k]*alpha*B[i, k] + B[:i+1, k]*alpha*A[i, k]


def syr2k_triangle_args(size, rng):
    n = of(size, 6, 20, 100)
    return 1.5, 1.2, rng.random((n, n)), rng.random((n, n - 2)), rng.random((n, n - 2))


def determinant_by_elimination(mat):
    a = mat.astype(float)
    n = len(a)
    det = 1.0
    for col in range(n):
        pivot = col
        for row in range(col + 1, n):
            if abs(a[row][col]) > abs(a[pivot][col]):
                pivot = row
        if a[pivot, col] == 0:
            return 0.0
        if pivot != col:
            tmp = a[pivot].copy()
            a[pivot] = a[col]
            a[col] = tmp
            det = -det
        det *= a[col, col]
        for row in range(col + 1, n):
            a[row] -= a[col]*(a[row, col]/a[col, col])
    return det


def determinant_by_elimination_args(size, rng):
    n = of(size, 5, 9, 30)
    return (rng.integers(-5, 6, (n, n)),)


def ldlt(A):
    """A = L D L^T without square roots"""
    n = len(A)
    L = np.eye(n)
    D = np.zeros(n)
    for j in range(n):
        D[j] = A[j, j] - np.sum(L[j, :j]**2*D[:j])
        for i in range(j + 1, n):
            L[i, j] = (A[i, j] - np.sum(L[i, :j]*L[j, :j]*D[:j]))/D[j]
    return L, D


def ldlt_args(size, rng):
    return (_spd(of(size, 6, 20, 80), rng),)


def robust_line(x, y, rounds):
    """A cubic by least squares, the weights from Huber's function"""
    A = np.stack([np.ones_like(x), x, x**2, x**3], axis=1)
    weight = np.ones_like(y)
    for _ in range(rounds):
        coef, *_ = la.lstsq(A*weight[:, None], y*weight, rcond=None)
        residual = np.abs(y - A @ coef)
        scale = 1.48*np.median(residual) + 1e-12
        weight = np.sqrt(np.minimum(1.0, 1.345*scale/np.maximum(residual, 1e-12)))
    return coef, weight


def robust_line_args(size, rng):
    n = of(size, 12, 100, 5000)
    x = np.linspace(-1, 1, n)
    return x, 1 - x + 2*x**3 + rng.standard_normal(n)**3*0.1, 4


def householder_bidiag(A):
    A = A.copy()
    m, n = A.shape
    for k in range(n):
        x = A[k:, k].copy()
        alpha = -math.copysign(np.linalg.norm(x), x[0])
        x[0] -= alpha
        nx = np.linalg.norm(x)
        if nx > 1e-14:
            v = x/nx
            A[k:, k:] -= 2*np.outer(v, v @ A[k:, k:])
        if k < n - 2:
            y = A[k, k + 1:].copy()
            beta = -math.copysign(np.linalg.norm(y), y[0])
            y[0] -= beta
            ny = np.linalg.norm(y)
            if ny > 1e-14:
                w = y/ny
                A[k:, k + 1:] -= 2*np.outer(A[k:, k + 1:] @ w, w)
    return np.diag(A).copy(), np.diag(A, 1).copy()


def householder_bidiag_args(size, rng):
    m, n = of(size, (6, 4), (40, 25), (200, 150))
    return (rng.normal(size=(m, n)),)


def simplex_tableau(c, A, b, max_pivots=200):
    """Dense simplex for max c.x, A x <= b, x >= 0, b >= 0; Bland's rule."""
    m, n = A.shape
    T = np.zeros((m + 1, n + m + 1))
    T[:m, :n] = A
    T[:m, n:n + m] = np.eye(m)
    T[:m, -1] = b
    T[-1, :n] = -c
    basis = list(range(n, n + m))
    for _ in range(max_pivots):
        neg = np.where(T[-1, :-1] < -1e-9)[0]
        if len(neg) == 0:
            break
        col = neg[0]
        rows = np.where(T[:m, col] > 1e-9)[0]
        if len(rows) == 0:
            raise ValueError("unbounded")
        ratios = T[rows, -1]/T[rows, col]
        row = rows[np.argmin(ratios)]
        T[row] /= T[row, col]
        for i in range(m + 1):
            if i != row:
                T[i] -= T[i, col]*T[row]
        basis[row] = col
    x = np.zeros(n + m)
    x[basis] = T[:m, -1]
    return x[:n], T[-1, -1]


def simplex_tableau_args(size, rng):
    m, n = of(size, (4, 3), (25, 20), (80, 60))
    return rng.uniform(1, 5, n), rng.uniform(.1, 2, (m, n)), rng.uniform(5, 20, m)


def arnoldi(matvec_diag, low, b, m):
    """Arnoldi on diag(d) + u u^T given as an operator."""
    def op(x):
        return matvec_diag * x + low * (low @ x)
    n = len(b)
    Q = np.empty((n, m + 1), dtype=complex)
    h = np.zeros((m + 1, m), dtype=complex)
    Q[:, 0] = b / np.linalg.norm(b)
    for k in range(m):
        v = op(Q[:, k])
        for j in range(k + 1):
            h[j, k] = np.vdot(Q[:, j], v)
            v = v - h[j, k] * Q[:, j]
        h[k+1, k] = np.linalg.norm(v)
        Q[:, k+1] = v / h[k+1, k]
    return Q, h


def arnoldi_args(size, rng):
    n, m = of(size, (10, 4), (80, 12), (2000, 40))
    return (rng.random(n) + 1j*rng.random(n), rng.standard_normal(n),
            rng.standard_normal(n) + 1j*rng.standard_normal(n), m)


def toeplitz_matvec(c, r, x):
    """Product with a Toeplitz matrix by embedding in a circulant."""
    n = len(c)
    assert c[0] == r[0], "first elements must agree"
    col = np.concatenate([c, [0.0], r[:0:-1]])
    fx = np.fft.fft(np.r_[x, np.zeros(n)])
    y = np.fft.ifft(np.fft.fft(col) * fx)[:n]
    return y.real if np.isrealobj(x) else y


def toeplitz_matvec_args(size, rng):
    n = of(size, 9, 200, 20000)
    c, r = rng.standard_normal(n), rng.standard_normal(n)
    r[0] = c[0]
    return c, r, rng.standard_normal(n)


def conditional_normal(mean, cov, known, values):
    """Mean and covariance of the other components of a normal vector, some being known."""
    n = len(mean)
    left = np.array([i for i in range(n) if i not in known])
    S12 = cov[np.ix_(left, known)]
    gain = S12 @ np.linalg.inv(cov[np.ix_(known, known)])
    return mean[left] + gain @ (values - mean[known]), cov[np.ix_(left, left)] - gain @ S12.T


def conditional_normal_args(size, rng):
    n = of(size, 5, 20, 120)
    a = rng.standard_normal((n, n))
    known = np.sort(rng.choice(n, n//3, replace=False))
    return rng.standard_normal(n), a @ a.T + np.eye(n), known, rng.standard_normal(len(known))


def largest_pivots(A):
    # Gauss-Jordan elimination with complete pivoting: the pivots tell the rank
    A = A.copy()
    n = len(A)
    pivots = np.zeros(n)
    used_row = np.zeros(n, dtype=bool)
    used_col = np.zeros(n, dtype=bool)
    for k in range(n):
        size = np.where(used_row[:, None] | used_col[None, :], -1.0, np.abs(A))
        i, j = np.unravel_index(np.argmax(size), size.shape)
        pivots[k] = A[i, j]
        if abs(pivots[k]) < 1e-12:
            break
        used_row[i] = used_col[j] = True
        for r in range(n):
            if not used_row[r]:
                A[r] -= A[r, j]/pivots[k]*A[i]
    return pivots, used_col.sum()


def largest_pivots_args(size, rng):
    return (rng.standard_normal((of(size, 4, 16, 100),)*2),)
