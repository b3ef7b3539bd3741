"""Executes the gallery: the notebooks in `examples/`.

``python -m pages.gallery`` executes them all and saves them with their outputs; ``--check`` executes them with a small
budget and saves nothing. A name, e.g. ``heat_equation``, executes that one.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from jitmagic.report.record import MIME, validate

FOLDER = Path(__file__).parents[1] / "examples"
_SECONDS = 600
"""A cell may take so long; it takes a tenth of it on a small machine."""
_BUDGET = 0.5
"""Seconds of timing in a check: what is checked is that all answers come, not what they are."""


ELSEWHERE = frozenset({"colab_tpu"})
"""Notebooks for machines that are not here: they are saved without results, and executed only by name."""


def notebooks() -> list[Path]:
    """Returns the notebooks that are executed here, in the order of their names."""
    return [path for path in sorted(FOLDER.glob("*.ipynb")) if path.stem not in ELSEWHERE]


class GalleryError(Exception):
    """A notebook did not do what it is there for; the text says which, and what."""


def execute(path: Path, budget: float | None = None) -> Any:
    """Executes a notebook in a kernel of its own, in an empty folder; returns it with its outputs.

    Parameters
    ----------
    budget : float, optional
        Seconds for each comparison's timing in place of the default.

    Raises
    ------
    GalleryError
        A comparison gave no result, or an output names a place of this machine.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder, "profile_default")
        profile.mkdir()
        if budget is not None:
            (profile / "ipython_kernel_config.py").write_text(f"c.JitMagic.budget = {budget}\n", encoding="utf-8")
        # the kernel finds this checkout also where it is not installed
        paths = os.pathsep.join(filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]))
        client = NotebookClient(
            notebook,
            timeout=_SECONDS,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": folder}},
        )
        client.execute(env={**os.environ, "PYTHONPATH": paths, "IPYTHONDIR": folder})
        check(notebook, path.name, [folder])
    # which version of Python it was is in each record
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def check(notebook: Any, name: str, places: list[str] | None = None) -> None:
    """Checks that every comparison gave a whole result, and that no place of this machine is named."""
    compared = [cell for cell in notebook.cells if cell.cell_type == "code" and "%jitcompare" in cell.source]
    if not compared:
        raise GalleryError(f"{name} compares nothing")
    for cell in compared:
        found = list(records(cell))
        if len(found) != 1:
            raise GalleryError(f"{name} has {len(found)} results below this cell, and needs one:\n{cell.source}")
        (record,) = found
        validate(record)
        if record["status"] != "complete" or not any(one["verified"] for one in record["variants"]):
            raise GalleryError(f"{name}: {record['workload']['call']} has no verified variant, or was interrupted")
    text = nbformat.writes(notebook)
    for place in [*(places or ()), str(FOLDER.parent), sys.prefix, str(Path.home())]:
        if len(place) > 2 and place in text:
            raise GalleryError(f"{name} names {place}, a place of the machine that it was executed on")


def records(cell: Any) -> Iterator[dict[str, Any]]:
    """Yields the records in a cell's outputs."""
    for output in cell.outputs:
        record = output.get("data", {}).get(MIME)
        if record is not None:
            yield record


def main() -> int:
    """Executes the notebooks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m pages.gallery", description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help="a notebook; all by default")
    parser.add_argument("--check", action="store_true", help=f"with a budget of {_BUDGET} s, and nothing is saved")
    given = parser.parse_args()
    paths = [FOLDER / f"{name.removesuffix('.ipynb')}.ipynb" for name in given.names] or notebooks()
    for path in paths:
        began = time.monotonic()
        notebook = execute(path, _BUDGET if given.check else None)
        if not given.check:
            nbformat.write(notebook, path)
        print(f"{path.name}: {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
