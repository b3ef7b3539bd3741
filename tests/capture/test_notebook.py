"""Functions as they live in a notebook: IPython compiles each statement of a cell by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jitmagic.capture.call import from_call
from jitmagic.capture.cell import plan

from .support import run_alone

interactiveshell = pytest.importorskip("IPython.core.interactiveshell")


@pytest.fixture
def shell() -> Iterator[Any]:
    made = interactiveshell.InteractiveShell.instance()
    yield made
    made.reset(new_session=False)
    interactiveshell.InteractiveShell.clear_instance()


def compare(shell: Any, source: str, call: str | None = None) -> Any:
    found = plan(source, call)
    shell.run_cell(found.setup).raise_error()
    names = shell.user_ns
    return from_call(found.call, names, sources=found.definitions, function=found.function, line=found.call_line)


def test_helpers_and_imports_of_earlier_cells(shell: Any) -> None:
    shell.run_cell("import numpy as np").raise_error()
    shell.run_cell("# a helper\ndef helper(x):\n    return np.sum(x)  # all").raise_error()
    workload = compare(shell, "def fn(x):\n    return helper(x) + np.abs(x).max()\nfn(np.ones(3))\n")
    assert run_alone(workload) == 4.0
    assert "    return np.sum(x)  # all\n" in workload.module.text
    assert workload.module.lines == (None, None, None, None, None, None, None, 1, 2)
    assert {each.origin for each in (workload.function, *workload.helpers)} == {"cell"}


def test_a_line_magic_takes_a_function_that_lives_already(shell: Any) -> None:
    shell.run_cell("import numpy as np\ndef fn(x, k=2):\n    return np.sum(x) * k").raise_error()
    workload = from_call("fn(np.ones(3), k=3)", shell.user_ns)
    assert (run_alone(workload), workload.function.first_line) == (9.0, 2)


def test_a_cell_that_imports_numpy_itself(shell: Any) -> None:
    workload = compare(shell, "import numpy as np\ndef fn(x):\n    return np.sin(np.linalg.norm(x))\nfn(np.ones(3))\n")
    assert workload.names == {"np": "numpy"}


def test_known_compilers_are_taken_off(shell: Any) -> None:
    pytest.importorskip("numba")
    shell.run_cell("import numpy as np\nfrom numba import njit\n@njit\ndef helper(x):\n    return x * 2").raise_error()
    workload = compare(shell, "@njit(cache=False)\ndef fn(x):\n    return helper(x)\nfast = fn\nfast(np.ones(3))\n")
    assert workload.module.text == "def helper(x):\n    return x * 2\n\n\ndef fn(x):\n    return helper(x)\n"
    assert workload.notes == (
        "the decorator @njit(cache=False) of `fn` was taken off",
        "the decorator @njit of `helper` was taken off",
    )


def test_jax_jit_is_taken_off(shell: Any) -> None:
    pytest.importorskip("jax")
    workload = compare(shell, "import jax, numpy as np\n@jax.jit\ndef fn(x):\n    return x * 2\nfn(np.ones(3))\n")
    assert workload.module.text == "def fn(x):\n    return x * 2\n"


def test_display_of_ipython_is_not_taken_for_a_builtin(shell: Any) -> None:
    import builtins

    from IPython.display import display

    builtins.display, before = display, getattr(builtins, "display", None)
    try:
        workload = compare(shell, "def fn(x):\n    display(x)\n    return x\nfn(2)\n")
    finally:
        if before is None:
            del builtins.display
    assert workload.names["display"].startswith("IPython.")
