"""The same under pytest; skipped by name where there is no GPU."""

from __future__ import annotations

import pytest

from jitmagic import devices
from tests.gpu.workloads import cases

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not any(one["name"] == "cuda:0" for one in devices.devices()), reason="needs an NVIDIA GPU (make gpu)"
    ),
]


@pytest.mark.parametrize("name", ["cubic", "stencil", "n_body", "total", "matrix_product", "mandelbrot", "w_tilde",
                                  "w_tilde_low_memory"])  # fmt: skip
@pytest.mark.parametrize("backend", ["cupy", "torch", "jax", "numba-cuda", "cuda-python"])
def test_it_is_numpys_result(name, backend):
    import jitmagic

    function, args, _ = cases()[name]
    comparison = jitmagic.compare(function, *args, backends=(backend,), devices=("cuda:0",), budget=2.0, timeout=300.0)
    for variant in comparison.to_dict()["variants"]:
        assert variant["verified"] is not False, variant["reason"]
        assert variant["device"] == "cuda:0"
