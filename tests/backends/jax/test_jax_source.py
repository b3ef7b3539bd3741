"""What the sources look like: before and after, to the letter."""

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees, make

X = np.random.default_rng(0).normal(size=50)
JAX = 'import jax\n\njax.config.update("jax_enable_x64", True)  # NumPy computes in 64 bits, JAX by default in 32\n\n\n'
JNP = JAX.replace("import jax\n", "import jax\nimport jax.numpy as jnp\n", 1)


def test_an_elementwise_function_keeps_its_text_and_comments():
    text = agrees("import numpy as np\n\n\ndef fn(x):\n    # a cubic\n    return x + x*x + np.sin(x)  # yes\n", X)
    assert text == JNP + "@jax.jit\ndef fn(x):\n    # a cubic\n    return x + x*x + jnp.sin(x)  # yes\n"


def test_the_bounds_of_clip_may_be_named():
    clips = "np.clip(x, a_min=-0.5, a_max=None) + np.clip(a_min=0, a=x, a_max=1)"
    text = agrees(f"import numpy as np\n\n\ndef fn(x):\n    return {clips}\n", X)
    assert "jnp.clip(x, min=-0.5, max=None) + jnp.clip(x, min=0, max=1)" in text


def test_counts_are_of_numbers_that_numpy_counts():
    text = "import numpy as np\n\n\ndef fn(k):\n    return np.bincount(k, minlength=6) * 2\n"
    k = np.array([0, 3, 3])
    source = agrees(text, k)
    assert "if k.size and (k.min() < 0 or k.max() >= 6):" in source
    assert "min()" not in agrees(text, k.astype(np.uint16))
    scope = {}
    exec(source, scope)
    for wrong in ([0, -1], [6]):
        with pytest.raises(ValueError, match="below 0 or beyond the 6"):
            scope["fn"](np.array(wrong))


def test_an_out_parameter_is_returned_by_the_core_and_written_back():
    text = agrees("def fn(out, a, w):\n    out += w * a\n    out[0] = 0\n", X.copy(), X, 0.5)
    assert (
        text
        == JAX
        + """@jax.jit
def _fn(out, a, w):
    out = out + w * a
    out = out.at[0].set(0)
    return out


def fn(out, a, w):
    # JAX arrays do not change: the new contents are written into the caller's
    out[...] = _fn(out, a, w)
"""
    )


def test_a_recurrence_carries_the_last_element_only():
    text = agrees(
        "import numpy as np\n\n\ndef fn(x, a):\n    y = np.zeros_like(x)\n    y[0] = x[0]\n"
        "    # smooth\n    for i in range(1, len(x)):\n        y[i] = a * y[i - 1] + (1 - a) * x[i]\n    return y\n",
        X,
        0.3,
    )
    assert (
        text
        == JNP
        + """@jax.jit
def fn(x, a):
    y = jnp.zeros_like(x)
    y = y.at[0].set(x[0])
    # smooth
    y_im1 = y[0]

    def body(y_im1, x_i):
        y_i = a * y_im1 + (1 - a) * x_i
        return y_i, y_i

    _, new_y = jax.lax.scan(body, y_im1, x[1:])
    y = y.at[1:len(x)].set(new_y)
    return y
"""
    )


def test_lines_lead_back_to_the_users():
    made = make("import numpy as np\n\n\ndef fn(x):\n    y = np.zeros(3)\n    y[0] = x[0]\n    return y\n", X)
    at = made.text.splitlines().index("    y = y.at[0].set(x[0])")
    assert made.draft.module.lines[at] == 6


def test_argument_checks_by_value_stay_outside_in_numpy():
    source = (
        'import numpy as np\n\n\ndef fn(x, n):\n    """Doc."""\n    if np.any(np.isnan(x)):\n'
        '        raise ValueError("nan")\n    return np.zeros(n) + x[:n]\n'
    )
    made = make(source, X, 5)
    assert '    if np.any(np.isnan(x)):\n        raise ValueError("nan")\n    return _fn(x, n)\n' in made.text
    assert made.text.count('"""Doc."""') == 1
    assert made.draft.static == ("n",)


def test_a_shape_argument_is_found_by_tracing():
    made = make("import numpy as np\n\n\ndef fn(n):\n    return np.zeros(n) + np.arange(n)\n", 5)
    assert made.draft.static == ("n",)
    assert '@partial(jax.jit, static_argnames=("n",))' in made.text
    assert made.draft.notes


def test_a_scalar_stays_traced():
    made = make("import numpy as np\n\n\ndef fn(x, a):\n    return a * np.exp(-x * a)\n", X, 0.5)
    assert made.draft.static == ()


def test_masks_become_where():
    text = agrees(
        "import numpy as np\n\n\ndef fn(x, y):\n    x = x.copy()\n    m = x > 0\n    x[m] = np.sqrt(y[m]) + 1\n"
        "    x[~m] += 2.0\n    return x[m].sum()\n",
        X,
        np.abs(X),
    )
    assert "    x = jnp.where(m, jnp.sqrt(y) + 1, x)\n    x = jnp.where(~m, x + 2.0, x)\n" in text
    assert "    return jnp.sum(x, where=m)\n" in text


def test_a_repeated_index_counts_once_as_in_numpy():
    text = agrees(
        "import numpy as np\n\n\ndef fn(i):\n    h = np.zeros(4)\n    h[i] += 1\n    np.add.at(h, i, 0.5)\n    "
        "return h\n",
        np.array([0, 0, 1]),
    )
    assert "h = h.at[i].set(h[i] + 1)" in text
    assert "h = h.at[i].add(0.5)" in text


def test_casts_stand_only_where_the_dtypes_differ():
    i = np.arange(6, dtype="int32")
    text = agrees("import numpy as np\n\n\ndef fn(a, x):\n    return a / 2 + np.sqrt(a), a * 2, x * 2.5\n", i, X[:6])
    assert "a.astype(jnp.float64) / 2 + jnp.sqrt(a.astype(jnp.float64)), a * 2, x * 2.5" in text


def test_a_large_constant_is_expected_in_the_namespace():
    source = "def fn(x):\n    return x * weights\n"
    text = agrees(source, X, constants={"weights": np.arange(50.0)})
    assert "weights = jnp.asarray(weights)  # expected in the namespace\n" in text


def test_a_view_passes_its_store_on_to_the_base():
    text = agrees("def fn(a):\n    b = a.copy()\n    row = b[0]\n    row += 5\n    return b\n", X.reshape(5, 10))
    assert "    row = row + 5\n    b = b.at[0].set(row)\n" in text


def test_a_helper_that_writes_into_its_argument_returns_it():
    text = agrees("def scale(a, s):\n    a *= s\n\n\ndef fn(x):\n    y = x * 2\n    scale(y, 3.0)\n    return y\n", X)
    assert "    y = scale(y, 3.0)\n" in text
    assert "    a = a * s\n    return a\n" in text


def test_the_returned_argument_is_the_same_object():
    made = make("def fn(x):\n    x -= x.mean()\n    return x\n", X.copy())
    given = X.copy()
    assert made.function(given) is given
    assert abs(given.mean()) < 1e-12


def test_a_window_of_constant_width_is_a_dynamic_slice():
    text = agrees(
        "import numpy as np\n\n\ndef fn(x, w):\n    n, k = len(x), len(w)\n    out = np.zeros(n - k + 1)\n"
        "    for i in range(n - k + 1):\n        out[i] = np.sum(x[i:i + k] * w)\n    return out\n",
        X,
        np.ones(5),
    )
    assert "jax.lax.dynamic_slice_in_dim(x, i, k) * w" in text


def test_comments_of_branches_stand_above_what_they_became():
    text = agrees(
        "import numpy as np\n\n\ndef fn(x, limit):\n    s = 0.0\n    for i in range(len(x)):\n        s += x[i]\n"
        "        if s > limit:\n            # too much\n            s = 0.0  # start again\n        else:\n"
        "            # fine\n            s = s * 2\n    return s\n",
        X, 3.0,
    )  # fmt: skip
    comments = "        # too much\n        # start again\n        # fine\n"
    assert f"{comments}        return jnp.where(s > limit, 0.0, s * 2)\n" in text
