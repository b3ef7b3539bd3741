"""Layers of neural networks."""

import numpy as np

from tests.corpus.sizes import of


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1/(1 + np.exp(-x))


def mlp_forward(x, W1, b1, W2, b2):
    h = relu(x @ W1 + b1)
    z = h @ W2 + b2
    z = z - z.max(axis=1)[:, None]
    p = np.exp(z)
    return p/p.sum(axis=1)[:, None]


def mlp_forward_args(size, rng):
    n = of(size, 5, 50, 500)
    f = np.float32
    return tuple(rng.standard_normal(s).astype(f) for s in ((n, 8), (8, 16), (16,), (16, 4), (4,)))


def lstm_cell(xs, h, c, Wx, Wh, b):
    H = h.shape[-1]
    for t in range(xs.shape[0]):
        gates = xs[t] @ Wx + h @ Wh + b
        i, f, g, o = gates[:, :H], gates[:, H:2*H], gates[:, 2*H:3*H], gates[:, 3*H:]
        c = sigmoid(f)*c + sigmoid(i)*np.tanh(g)
        h = sigmoid(o)*np.tanh(c)
    return h, c


def lstm_cell_args(size, rng):
    B, D, H = 3, 4, of(size, 3, 8, 32)
    r = rng.standard_normal
    return r((of(size, 4, 12, 40), B, D)), np.zeros((B, H)), np.zeros((B, H)), r((D, 4*H)), r((H, 4*H)), np.zeros(4*H)


def attention(Q, K, V, mask=None):
    scale = 1/np.sqrt(Q.shape[-1])
    scores = Q @ K.transpose(0, 2, 1)*scale
    if mask is not None:
        scores = np.where(mask, scores, -1e9)
    scores -= scores.max(axis=-1, keepdims=True)
    w = np.exp(scores)
    w /= w.sum(-1, keepdims=True)
    return np.einsum('bij,bjd->bid', w, V)


def attention_args(size, rng):
    n = of(size, 5, 20, 80)
    r = rng.standard_normal
    return r((2, n, 4)), r((2, n, 4)), r((2, n, 4)), np.tril(np.ones((n, n), dtype=bool))


def layer_norm(x, gamma, beta, eps=1e-5):
    mu = x.mean(-1, keepdims=True)
    var = x.var(-1, keepdims=True)
    return gamma*(x - mu)/np.sqrt(var + eps) + beta


def layer_norm_args(size, rng):
    n = of(size, 5, 50, 500)
    return rng.random((n, 16), dtype=np.float32), rng.random(16, dtype=np.float32), rng.random(16, dtype=np.float32)


def batchnorm_train(x, running_mean, running_var, momentum=0.9):
    # running statistics are updated in place
    mean = np.mean(x, axis=0)
    var = np.var(x, axis=0)
    running_mean *= momentum
    running_mean += (1 - momentum)*mean
    running_var[:] = momentum*running_var + (1 - momentum)*var
    return (x - mean)/np.sqrt(var + 1e-5)


def batchnorm_train_args(size, rng):
    n = of(size, 9, 90, 900)
    return rng.random((n, 6)), np.zeros(6), np.ones(6)


def cross_entropy_grad(logits, labels):
    n = logits.shape[0]
    e = np.exp(logits - logits.max(1, keepdims=True))
    probs = e/e.sum(1, keepdims=True)
    loss = -np.log(probs[np.arange(n), labels]).mean()
    grad = probs.copy()
    grad[np.arange(n), labels] -= 1
    return loss, grad/n


def cross_entropy_grad_args(size, rng):
    n = of(size, 7, 70, 700)
    return rng.standard_normal((n, 5)), rng.integers(0, 5, n)


def adam_steps(w, grads, lr=1e-2, b1=0.9, b2=0.999):
    m = np.zeros_like(w)
    v = np.zeros_like(w)
    for t, g in enumerate(grads, start=1):
        m = b1*m + (1 - b1)*g
        v = b2*v + (1 - b2)*g**2
        mh = m/(1 - b1**t)
        vh = v/(1 - b2**t)
        w = w - lr*mh/(np.sqrt(vh) + 1e-8)
    return w


def adam_steps_args(size, rng):
    n = of(size, 5, 40, 400)
    return rng.random(n), rng.standard_normal((of(size, 6, 30, 100), n))


def one_hot(labels, k):
    out = np.zeros((labels.size, k), dtype=np.float32)
    out[np.arange(labels.size), labels] = 1
    return out


def one_hot_args(size, rng):
    return rng.integers(0, 6, of(size, 9, 90, 900)), 6


def embed_positions(n, d):
    pos = np.arange(n)[:, None]
    i = np.arange(d)[None, :]
    ang = pos/np.power(10000, (2*(i//2))/d)
    pe = np.zeros((n, d))
    pe[:, 0::2] = np.sin(ang[:, 0::2])
    pe[:, 1::2] = np.cos(ang[:, 1::2])
    return pe


def embed_positions_args(size, rng):
    return of(size, 6, 40, 300), 8


def bfs_levels(indptr, indices, start):
    """Breadth first with an array as the queue."""
    n = len(indptr) - 1
    level = -np.ones(n, dtype=np.int64)
    queue = np.empty(n, dtype=np.int64)
    head, tail = 0, 1
    queue[0] = start
    level[start] = 0
    while head < tail:
        u = queue[head]
        head += 1
        for v in indices[indptr[u]:indptr[u+1]]:
            if level[v] < 0:
                level[v] = level[u] + 1
                queue[tail] = v
                tail += 1
    return level


def bfs_levels_args(size, rng):
    n, k = of(size, (10, 2), (100, 3), (5000, 5))
    return np.arange(n + 1)*k, rng.integers(0, n, n*k), 0


def csr_jacobi(indptr, indices, data, b, n_iter):
    """Jacobi iteration on a sparse matrix in CSR form."""
    n = len(b)
    x = np.zeros(n)
    for it in range(n_iter):
        new = np.zeros(n)
        for i in range(n):
            s = b[i]
            d = 1.0
            for j, a in zip(indices[indptr[i]:indptr[i+1]], data[indptr[i]:indptr[i+1]]):
                if j == i:
                    d = a
                else:
                    s -= a*x[j]
            new[i] = s/d
        x = new
    return x


def csr_jacobi_args(size, rng):
    n, k = of(size, (8, 5), (60, 20), (3000, 50))
    ind = np.stack([np.arange(n), (np.arange(n) + 1) % n, (np.arange(n) - 1) % n], 1).ravel()
    dat = np.tile([4.0, -1.0, -1.0], n) + 0.1*rng.random(3*n)
    return np.arange(n + 1)*3, ind, dat, rng.random(n), k


def topological_order(A):
    """Kahn's algorithm on an adjacency matrix; raises on a cycle."""
    n = len(A)
    indeg = A.sum(axis=0)
    order = []
    ready = [i for i in range(n) if indeg[i] == 0]
    while ready:
        u = ready.pop()
        order.append(u)
        for v in np.flatnonzero(A[u]):
            indeg[v] -= 1
            if indeg[v] == 0:
                ready.append(v)
    if len(order) != n:
        raise ValueError("the graph has a cycle")
    return np.array(order)


def topological_order_args(size, rng):
    n = of(size, 8, 40, 500)
    return (np.triu(rng.random((n, n)) < 0.3, 1).astype(int),)


def hungarian_greedy_auction(benefit, eps=0.01):
    """Bertsekas' auction for the assignment problem."""
    n = benefit.shape[0]
    prices = np.zeros(n)
    owner = -np.ones(n, dtype=int)
    assigned = -np.ones(n, dtype=int)
    while (assigned == -1).any():
        i = np.flatnonzero(assigned == -1)[0]
        value = benefit[i] - prices
        j = value.argmax()
        best = value[j]
        value[j] = -np.inf
        second = value.max()
        prices[j] += best - second + eps
        if owner[j] != -1:
            assigned[owner[j]] = -1
        owner[j] = i
        assigned[i] = j
    return assigned, benefit[np.arange(n), assigned].sum()


def hungarian_greedy_auction_args(size, rng):
    n = of(size, 5, 20, 100)
    return (rng.random((n, n)),)


def list_scheduling(cost, machines):
    """Greedy list scheduling: next job to the machine that is free first."""
    free_at = np.zeros(machines)
    owner = np.full(len(cost), -1)
    while np.any(owner < 0):
        j = np.where(owner < 0)[0][0]
        m = np.argmin(free_at)
        owner[j] = m
        free_at[m] += cost[j]
    return owner, free_at.max()


def list_scheduling_args(size, rng):
    n = of(size, 9, 60, 500)
    return rng.random(n), 3
