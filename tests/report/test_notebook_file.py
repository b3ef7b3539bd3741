"""The notebook of the variants: valid, and it runs."""

from __future__ import annotations

import json

import nbclient
import nbformat
import pytest

from jitmagic.report import notebook_file
from tests.report import samples


@pytest.mark.parametrize("name", [path.stem for path in sorted(samples.FOLDER.glob("*.json"))])
def test_it_is_a_valid_notebook(name: str) -> None:
    record = json.loads((samples.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    nbformat.validate(nbformat.reads(notebook_file.to_notebook(record), as_version=4))


def test_its_cells_run_and_are_the_verified_sources() -> None:
    notebook = nbformat.reads(notebook_file.to_notebook(samples.sample()), as_version=4)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    record = samples.sample()
    verified = [one["source"] for one in [record["baseline"], *record["variants"]] if one["verified"]]
    assert sorted(source.strip() for source in sources) == sorted(source.strip() for source in verified)
    notebook.cells = [cell for cell in notebook.cells if "torch" not in cell.source]
    notebook.cells.append(nbformat.v4.new_code_cell("import numpy\nprint(fn(numpy.ones(3))[0])"))
    nbclient.NotebookClient(notebook, timeout=120).execute()
    assert notebook.cells[-1].outputs[0].text.strip() == "3.0"


def test_what_was_not_verified_is_told_and_does_not_run() -> None:
    notebook = nbformat.reads(notebook_file.to_notebook(samples.sample()), as_version=4)
    [told] = [cell for cell in notebook.cells if cell.source.startswith("## jax")]
    assert told.cell_type == "markdown"
    assert "    import jax" in told.source


def test_hostile_strings_are_no_markup() -> None:
    record = samples.replace_strings(samples.sample(), lambda old, path: "<b>[x](javascript:1)</b>`" + samples.HOSTILE)
    notebook = nbformat.reads(notebook_file.to_notebook(record), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            prose = [line for line in cell.source.split("\n") if not line.startswith("    ")]
            assert "<" not in "".join(prose).replace("\\<", "")
            assert "](" not in "".join(prose)
