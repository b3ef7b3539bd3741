"""The promotion model against the libraries themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitmagic.backends.torch.kinds import SUPPORTED, Value, numpy_result, torch_result

torch = pytest.importorskip("torch")

NUMBERS = {"bool": True, "int": 1, "float": 1.0, "complex": 1j}
OPERANDS = st.one_of(
    st.sampled_from(sorted(NUMBERS)).map(lambda kind: Value("number", kind)),
    st.builds(
        lambda d, shape: Value("tensor", d, shape), st.sampled_from(sorted(SUPPORTED)), st.sampled_from([(), (2,)])
    ),
)


@given(OPERANDS, OPERANDS)
def test_torch_promotes_as_the_model_says(a, b):
    def operand(value):
        if value.kind == "number":
            return NUMBERS[value.dtype]
        return torch.ones(value.shape, dtype=getattr(torch, value.dtype))

    expected = str(torch.result_type(operand(a), operand(b))).removeprefix("torch.")
    assert expected == torch_result([a, b])


@given(OPERANDS, OPERANDS)
def test_numpy_promotes_as_the_model_says(a, b):
    def operand(value):
        return NUMBERS[value.dtype] if value.kind == "number" else np.ones(value.shape, value.dtype)

    assert str(np.result_type(operand(a), operand(b))) == numpy_result([a, b])


def test_what_is_not_known_gives_no_answer():
    assert torch_result([Value("unknown"), Value("number", "int")]) is None
    assert torch_result([Value("tensor", "uint64", (2,)), Value("number", "int")]) is None
