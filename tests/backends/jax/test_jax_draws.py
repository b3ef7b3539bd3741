"""Random numbers are drawn by NumPy before the compiled core, in NumPy's order, or refused with their line."""

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make, run_both, same

HEAD = "import numpy as np\n\n"

WRITTEN = {
    "draws at the top stay as they are": (
        "def fn(n):\n    np.random.seed(1)\n    x = np.random.rand(n)\n    y = np.random.normal(0, 2, size=n)\n"
        "    return (x * y).sum()\n",
        (7,),
        "    np.random.seed(1)\n    x = np.random.rand(n)\n    y = np.random.normal(0, 2, size=n)\n"
        "    return _fn(n, x, y)\n",
    ),
    "what a size needs is computed for the wrapper too": (
        "def fn(data):\n    rng = np.random.default_rng(3)\n    n = len(data)\n    noise = rng.normal(size=n)\n"
        "    return data / n + noise\n",
        (np.ones(4),),
        "    rng = np.random.default_rng(3)\n    n = len(data)\n    noise = rng.normal(size=n)\n"
        "    return _fn(data, noise)\n",
    ),
    "one draw in a loop becomes one call": (
        "def fn(x, n):\n    rng = np.random.default_rng(3)\n    for i in range(n):\n"
        "        x = x + rng.standard_normal(3)\n    return x\n",
        (np.ones(3), 40),
        "    drawn = rng.standard_normal((n, 3))\n    return _fn(x, n, drawn)\n",
    ),
    "several draws in a loop keep their order": (
        "def fn(n):\n    np.random.seed(3)\n    s = 0.0\n    for i in range(2, n):\n"
        "        u = np.random.uniform(0, i)\n"
        "        s += u * np.random.randint(5)\n    return s\n",
        (50,),
        "    for i in range(2, n):\n        drawn_u.append(np.random.uniform(0, i))\n"
        "        drawn.append(np.random.randint(5))\n",
    ),
    "a draw in a test": (
        "def fn(n):\n    np.random.seed(3)\n    hits = 0\n    for i in range(n):\n"
        "        if np.random.random() < 0.3:\n            hits += 1\n    return hits\n",
        (60,),
        "    drawn = np.random.random(n)\n",
    ),
    "a nest of loops": (
        "def fn(a, sweeps):\n    rng = np.random.RandomState(5)\n    a = a.copy()\n    for k in range(sweeps):\n"
        "        for i in range(1, a.shape[0]):\n            a[i] = a[i - 1] * rng.random_sample()\n    return a\n",
        (np.ones(40), 3),
        "    drawn = rng.random_sample((sweeps, a.shape[0] - 1))\n",
    ),
    "a generator that is passed in": (
        "def fn(rng, n):\n    z = rng.standard_normal(n)\n    return np.cumsum(z)\n",
        (np.random.default_rng(11), 6),
        "    z = rng.standard_normal(n)\n    return _fn(n, z)\n",
    ),
    "a permutation of what is computed": (
        "def fn(a, b, n):\n    rng = np.random.default_rng(3)\n    pooled = np.concatenate((a, b))\n    s = 0.0\n"
        "    for i in range(n):\n        s += rng.permutation(pooled)[: len(a)].mean() * i\n    return s\n",
        (np.arange(3.0), np.arange(4.0) ** 2, 5),
        "        drawn.append(rng.permutation(len(a) + len(b)))\n",
    ),
    "a choice among what is computed": (
        "def fn(x, y, n):\n    rng = np.random.default_rng(3)\n    A = np.column_stack([np.ones(len(x)), x])\n"
        "    res = y - A @ np.linalg.solve(A.T @ A, A.T @ y)\n    star = rng.choice(res, size=(n, 2), p=x / 6)\n"
        "    return star.sum(axis=0)\n",
        (np.arange(4.0), np.arange(4.0) ** 2, 5),
        "    star_2 = rng.choice(np.broadcast_shapes(len(y), len(x))[0], size=(n, 2), p=x / 6)\n",
    ),
    "shuffled in place": (
        "def fn(x):\n    y = 2 * x\n    np.random.seed(2)\n    np.random.shuffle(y)\n"
        "    return y * np.arange(len(x))\n",
        (np.arange(5),),
        "    drawn = np.random.permutation(len(x))\n",
    ),
    "what was drawn is changed in place": (
        "def fn(n):\n    np.random.seed(0)\n    x = np.random.rand(n)\n    x[0] = 0.0\n    x[1:] *= 2\n    return x\n",
        (6,),
        "    x = np.random.rand(n)\n    return _fn(n, x)\n",
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_draws_stand_before_the_core(name) -> None:
    source, args, expected = WRITTEN[name]
    made, ours, theirs = run_both(HEAD + source, *args)
    same(ours[0], theirs[0], made.text)
    assert expected in made.text
    core = made.text[made.text.index("def _fn") : made.text.index("def fn")]
    assert "rng" not in core
    assert "random" not in core


REFUSED = {
    "under a condition": (
        "def fn(x):\n    if x[0] > 0:\n        x = x + np.random.rand(3)\n    return x\n",
        (np.ones(3),),
        5,
    ),
    "only where the first part holds": (
        "def fn(n):\n    s = 0\n    for i in range(n):\n        if i % 2 == 0 or np.random.rand() < 0.5:\n"
        "            s += 1\n    return s\n",
        (40,),
        6,
    ),
    "in a loop that ends early": (
        "def fn(n):\n    s = 0.0\n    for i in range(n):\n        s += np.random.rand()\n        if s > 3:\n"
        "            break\n    return s\n",
        (40,),
        6,
    ),
    "in a while loop": (
        "def fn(n):\n    s = 0.0\n    while s < n:\n        s += np.random.rand()\n    return s\n",
        (4,),
        6,
    ),
    "with a computed size": (
        "def fn(x):\n    x = x * 2\n    k = int(x.sum())\n    return np.random.rand(k).sum()\n",
        (np.ones(3),),
        6,
    ),
    "from what the function changes": (
        "def fn(x):\n    x[0] = 9\n    return np.random.poisson(x)\n",
        (np.ones(3),),
        5,
    ),
    "rows shuffled in place": (
        "def fn(x):\n    y = x.copy()\n    np.random.shuffle(y)\n    return y\n",
        (np.ones((3, 2)),),
        5,
    ),
    "a permutation of what values decide the length of": (
        "def fn(x):\n    y = x[x > 1]\n    return np.random.permutation(y)\n",
        (np.arange(4.0),),
        5,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_drawn_before_is_refused_at_its_line(name) -> None:
    source, args, line = REFUSED[name]
    made = make(HEAD + source, *args)
    assert made.refusal is not None
    assert (made.refusal.line, made.refusal.code) == (line, "JX-RNG")
