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
