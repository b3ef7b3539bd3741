"""The saved notebooks: whole, with results of the very source they hold, and without a trace of who executed them."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import nbformat
import pytest

from pages import gallery

NOTEBOOKS = gallery.notebooks()


@pytest.fixture(params=NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def path(request) -> Path:
    return request.param


def test_a_saved_notebook_is_whole(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    gallery.check(notebook, path.name)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"


def test_a_result_is_of_the_source_above_it(path: Path) -> None:
    """Who changes a function executes the notebook again."""
    notebook = nbformat.read(path, as_version=4)
    sources = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    for cell in notebook.cells:
        for record in gallery.records(cell) if cell.cell_type == "code" else ():
            function = re.search(r"^def .*?(?=^\S|\Z)", record["workload"]["source"], re.DOTALL | re.MULTILINE)
            assert function is not None
            assert function[0].strip() in sources


def test_a_saved_notebook_names_no_place_of_the_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"/(?:home|root|Users|tmp|work)/[\w./-]*", text) == []


def test_every_notebook_is_listed() -> None:
    listed = re.findall(r"\((\w+\.ipynb)\)", (gallery.FOLDER / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == [path.name for path in sorted(gallery.FOLDER.glob("*.ipynb"))]
    assert len(listed) >= 10


def test_a_cell_without_its_result_is_told() -> None:
    notebook = copy.deepcopy(nbformat.read(NOTEBOOKS[0], as_version=4))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    with pytest.raises(gallery.GalleryError, match="needs one"):
        gallery.check(notebook, "a")


def test_a_place_in_an_output_is_told() -> None:
    notebook = copy.deepcopy(nbformat.read(NOTEBOOKS[0], as_version=4))
    notebook.cells[1].outputs.append(nbformat.v4.new_output("stream", text=f"in {Path.home()}/x"))
    with pytest.raises(gallery.GalleryError, match="a place of the machine"):
        gallery.check(notebook, "a")
