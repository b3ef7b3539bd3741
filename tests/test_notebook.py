"""Every example in a real notebook kernel: the output's MIME types, the answers, and what the user had before."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import jitmagic
from jitmagic.report.record import MIME, validate

ROOT = Path(jitmagic.__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

pytestmark = pytest.mark.slow

BEFORE = """
import os, sys, hashlib, random
import numpy as np
rng_state = np.random.get_state()[1].copy(), random.getstate()
environment = dict(os.environ)
backends_before = {"numba", "jax", "torch", "cupy"} & set(sys.modules)
data = np.random.default_rng(1).standard_normal(100_000)
digest = hashlib.sha256(data).hexdigest()
names_before = set(dir())
"""

AFTER = """
assert (np.random.get_state()[1] == rng_state[0]).all()
assert random.getstate() == rng_state[1]
assert dict(os.environ) == environment
assert not {"numba", "jax", "torch", "cupy"} & set(sys.modules)
assert hashlib.sha256(data).hexdigest() == digest
print(sorted(set(dir()) - names_before - {"names_before"}))
"""


def run(cells, tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    # the kernel finds this checkout also where it is not installed
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute(env={**os.environ, "PYTHONPATH": paths})
    nbformat.validate(notebook)
    return notebook


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    cells = ["%load_ext jitmagic", BEFORE]
    cells += [f"%%jitcompare --budget 1\n{path.read_text()}" for path in EXAMPLES]
    cells += [
        "def scale(v, k):\n    v *= k\n    return v",
        "%jitcompare -b numba --budget 0.5 scale(data, 3.0)",
        AFTER,
    ]
    return run(cells, tmp_path_factory.mktemp("notebook"))


def results(cell):
    return [out for out in cell.outputs if out.output_type in ("display_data", "execute_result") and MIME in out.data]


def test_load_ext_shows_nothing(notebook):
    assert notebook.cells[0].outputs == []


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=[path.stem for path in EXAMPLES])
def test_an_example_answers_in_a_notebook(notebook, number):
    cell = notebook.cells[2 + number]
    assert not [out for out in cell.outputs if out.output_type in ("error", "stream")]
    (result,) = results(cell)
    assert {"text/plain", "text/html", MIME} <= set(result.data)
    record = result.data[MIME]
    validate(record)
    assert record["status"] == "complete"
    assert "<script" not in result.data["text/html"].lower()
    check_answers(EXAMPLES[number].stem, record)


def test_the_users_session_is_as_it_was(notebook):
    (out,) = notebook.cells[-1].outputs
    new = eval(out.text)
    # what the cells themselves define, and nothing of ours
    assert not [name for name in new if "jit" in name.lower()]
    (result,) = results(notebook.cells[-2])
    scaled = {one["name"]: one["verdict"] for one in result.data[MIME]["variants"]}
    assert scaled["numba"] in ("faster", "slower", "no clear difference")


def check_answers(example, record):
    """Asserts that each backend's variants are verified, or refused for the right reason."""
    variants = {one["name"]: one for one in record["variants"]}
    told = {name: (one["verdict"], one["reason"]) for name, one in variants.items()}
    for name, words in EXPECTED[example].items():
        if words is True:
            assert variants[name]["verified"] is True, told[name]
            assert variants[name]["speedup"]["low"] <= variants[name]["speedup"]["median"]
        else:
            assert variants[name]["verdict"] == "unsupported", told[name]
            assert words in variants[name]["reason"], told[name]
    assert not [name for name, one in variants.items() if one["verdict"] in ("crashed", "differs", "timed out")], told


EXPECTED = {
    "cubic": {"numba": True, "numba-parallel": True, "jax": True, "torch": True},
    "w_tilde_dense": {"numba": True, "jax": True, "torch": True},
    "w_tilde_low_memory": {"numba": True, "jax": True},
    "weighted_sum": {"numba": True, "jax": True, "torch": True},
    "rectified_cube": {"numba": True, "jax": True},
    "black_scholes": {"jax": True, "torch": True},
    "planck": {"numba": True, "jax": True, "torch": True},
    "matrix_rows": {"numba": True, "numba-parallel": True, "jax": True},
    "curvature_matrix": {"numba": True, "jax": True, "torch": True},
}


def test_a_saved_comparison_in_a_notebook_is_small(notebook):
    for cell in notebook.cells:
        for result in results(cell):
            assert len(json.dumps(result.data)) < 150_000
