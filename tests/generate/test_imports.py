"""One array module for another: before and after, as a reader sees it."""

import libcst as cst
import pytest

from jitmagic.capture.workload import ModuleText
from jitmagic.errors import Unsupported
from jitmagic.generate.imports import Imports, Offer
from jitmagic.generate.module import Module

OFFERS = (
    Offer("functools.partial", "partial", member=True),
    Offer("jax", "jax"),
    Offer("jax.numpy", "jnp"),
)


def decide(use):
    if use.path.startswith("numpy.testing"):
        raise Unsupported(f"line {use.line}: no testing", use.line)
    if use.path.startswith("numpy.lib"):
        return None
    return "jax." + use.path


def rewrite(before, names, after=()):
    text = before.lstrip("\n")
    module = Module(ModuleText(text, tuple(range(1, len(text.splitlines()) + 1))), names)
    imports = Imports(module, OFFERS)
    tree, bindings = imports.write(imports.replace(module.marked(), decide), after)
    return Module.finish(tree, module.source), bindings


def test_every_use_of_numpy_is_replaced_and_other_imports_stay():
    result, bindings = rewrite(
        """
import math
import numpy as np, os
from numpy import sqrt as root, pi
from numpy.linalg import norm

SCALE = 2 * np.pi  # of the circle


def fn(x, dtype=np.float32):
    # the length
    y = root(norm(x, axis=-1)) + math.pi
    return y.astype(dtype) * SCALE + np.linalg.det(x[np.newaxis]) + pi
""",
        {
            "np": "numpy",
            "math": "math",
            "root": "numpy.sqrt",
            "pi": "numpy.pi",
            "norm": "numpy.linalg.norm",
            "os": "os",
        },
    )
    assert (
        result.text
        == """
import math

import jax.numpy as jnp

SCALE = 2 * jnp.pi  # of the circle


def fn(x, dtype=jnp.float32):
    # the length
    y = jnp.sqrt(jnp.linalg.norm(x, axis=-1)) + math.pi
    return y.astype(dtype) * SCALE + jnp.linalg.det(x[jnp.newaxis]) + jnp.pi
""".lstrip()
    )
    assert bindings == {"math": "math", "jnp": "jax.numpy"}
    assert result.lines[result.text.splitlines().index("    # the length") + 1] == 11


def test_a_local_that_hides_the_import_is_left_alone():
    result, _ = rewrite(
        "import numpy as np\n\n\ndef fn(np, x):\n    return np.sin(x)\n\n\ndef g(x):\n    return np.sin(x=x)\n",
        {"np": "numpy"},
    )
    assert "def fn(np, x):\n    return np.sin(x)" in result.text
    assert "    return jnp.sin(x=x)" in result.text


def test_a_user_variable_called_jnp_keeps_its_name():
    result, bindings = rewrite("import numpy as np\n\n\ndef fn(jnp):\n    return np.sin(jnp)\n", {"np": "numpy"})
    assert "import jax.numpy as jnp_" in result.text
    assert "return jnp_.sin(jnp)" in result.text
    assert bindings == {"jnp_": "jax.numpy"}


def test_what_is_kept_keeps_its_import_and_statements_stand_below():
    result, _ = rewrite(
        "import numpy as np\n\n# a helper\ndef fn(x):\n    return np.lib.pad(np.sin(x))\n",
        {"np": "numpy"},
        ["# why", "SETTING = 1"],
    )
    assert (
        result.text == "import jax.numpy as jnp\nimport numpy as np\n\n# why\nSETTING = 1\n\n\n# a helper\ndef fn(x):\n"
        "    return np.lib.pad(jnp.sin(x))\n"
    )


def test_a_refusal_names_the_line():
    with pytest.raises(Unsupported) as caught:
        rewrite("import numpy as np\n\n\ndef fn(x):\n    np.testing.assert_allclose(x, x)\n", {"np": "numpy"})
    assert caught.value.refusal.line == 5


def test_a_path_is_spelled_by_its_longest_import():
    module = Module(ModuleText("x = 1\n", (1,)), {})
    imports = Imports(module, OFFERS)
    assert imports.code("jax.numpy.fft.rfft") == "jnp.fft.rfft"
    assert imports.code("jax.lax.scan") == "jax.lax.scan"
    assert imports.code("functools.partial") == "partial"
    with pytest.raises(LookupError):
        imports.spell("torch.nn")
    assert isinstance(imports.spell("jax.jit"), cst.Attribute)
