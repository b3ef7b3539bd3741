"""How the documentation site is built: ``make docs``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import jitmagic

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # mathml.py
GALLERY = HERE / "gallery"
"""The notebooks of `examples/` are copied here for the build: Sphinx reads what lies below its own folder."""

project = "jitmagic"
author = "The jitmagic developers"
copyright = author
version = release = jitmagic.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "mathml"]
html_theme = "furo"
html_title = f"jitmagic {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
exclude_patterns = ["_build"]
linkcheck_anchors = False

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"
suppress_warnings = ["mystnb.unknown_mime_type"]

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False


def _copy_gallery(app: Any) -> None:
    """Copies the notebooks below Sphinx's own folder; those that are gone go."""
    shutil.rmtree(GALLERY, ignore_errors=True)
    GALLERY.mkdir()
    for source in sorted((HERE.parent / "examples").glob("*.ipynb")):
        shutil.copy(source, GALLERY)
    shutil.copy(HERE.parent / "examples" / "README.md", GALLERY)


def _list_below(app: Any, name: str, source: list[str]) -> None:
    """Adds a list of what lies beside it to a page that GitHub shows too, where such a list would be code."""
    if name in ("gotchas/README", "gallery/README"):
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"


def setup(app: Any) -> None:
    """Registers the two steps with Sphinx."""
    app.connect("builder-inited", _copy_gallery)
    app.connect("source-read", _list_below)
