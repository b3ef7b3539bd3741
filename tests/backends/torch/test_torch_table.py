"""Every entry of the table names something that is there, in NumPy or SciPy and in torch."""

import importlib

import pytest

from jitmagic.backends.torch import calling  # noqa: F401  (fills ADAPTORS)
from jitmagic.backends.torch.calls import ADAPTORS, TENSOR_METHODS
from jitmagic.backends.torch.table import CONSTANTS, DTYPES, MATH, METHODS, TABLE

torch = pytest.importorskip("torch")

NEWER = {"numpy.bitwise_invert", "numpy.matrix_transpose", "numpy.permute_dims", "numpy.concat", "numpy.vecdot"}
OLDER = {"numpy.trapz", "numpy.in1d", "numpy.row_stack", "numpy.round_"}


def find(path):
    parts = path.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise ImportError(path)


def test_the_table_is_broad():
    assert len(TABLE) >= 350


@pytest.mark.parametrize("path", TABLE)
def test_an_entry_has_an_adaptor_and_a_target_that_exists(path):
    entry = TABLE[path]
    assert entry.adaptor in ADAPTORS
    if entry.target:
        find(entry.target)


def test_the_names_on_the_left_exist():
    missing = []
    for path in TABLE:
        try:
            find(path)
        except (AttributeError, ImportError):
            missing.append(path)
    assert set(missing) <= NEWER | OLDER, missing


def test_methods_and_constants_and_dtypes_exist():
    assert [m for m in TENSOR_METHODS if not hasattr(torch.Tensor, m)] == []
    assert [p for p in METHODS.values() if p not in TABLE] == []
    assert [d for d in DTYPES.values() if not isinstance(getattr(torch, d), torch.dtype)] == []
    for path, ours in CONSTANTS.items():
        assert eval(ours, {"math": __import__("math")}) is None or find(path) == pytest.approx(
            eval(ours, {"math": __import__("math")}), nan_ok=True
        )
    for path, ours in MATH.items():
        assert path in TABLE
        if ours.startswith("math."):
            find(ours)
