"""Which front end shows the output, told by what is there; nothing is imported to find out.

No front end says what it is. What can be known from the kernel's side: the environment that a server or a service
starts its kernels with, modules that a service loads, and which front-end extensions lie where this environment's own
JupyterLab would find them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

EXTENSION = "jitmagic"
LEAST_NODE = 20
WIDGETS = "anywidget"


@dataclass(frozen=True)
class FrontEnd:
    """What a front end can show.

    Attributes
    ----------
    name : str
        "jupyter" (JupyterLab, Notebook 7), "vscode", "colab", "kaggle", or "other".
    draws_record : bool
        Whether it has our extension, which draws the record and the progress themselves.
    has_widgets : bool
        Whether it is known to show our widget without asking the user or the network for anything.
    """

    name: str
    draws_record: bool
    has_widgets: bool


def detect(
    namespace: Mapping[str, Any] = {},
    environ: Mapping[str, str] | None = None,
    modules: Mapping[str, Any] | None = None,
    folders: Iterable[Path] | None = None,
) -> FrontEnd:
    """Finds out which front end is there.

    Parameters
    ----------
    namespace : mapping
        The user's names: VS Code leaves one of its own there.
    environ, modules, folders
        The environment, the loaded modules, and where JupyterLab looks for extensions; those of this process by
        default.
    """
    environ = os.environ if environ is None else environ
    modules = sys.modules if modules is None else modules
    name = _name(namespace, environ, modules)
    if name != "jupyter":
        return FrontEnd(name, draws_record=False, has_widgets=False)
    there = list(extension_folders(environ) if folders is None else folders)
    return FrontEnd(
        name,
        draws_record=any((folder / EXTENSION / "package.json").is_file() for folder in there),
        has_widgets=any((folder / WIDGETS / "package.json").is_file() for folder in there),
    )


def _name(namespace: Mapping[str, Any], environ: Mapping[str, str], modules: Mapping[str, Any]) -> str:
    if "google.colab" in modules:
        return "colab"
    if "KAGGLE_KERNEL_RUN_TYPE" in environ:
        return "kaggle"
    if "__vsc_ipynb_file__" in namespace:
        return "vscode"
    # set by Jupyter Server for the kernel of a notebook
    if "JPY_SESSION_NAME" in environ:
        return "jupyter"
    # inherited by all that VS Code starts, so it says less than the above
    return "vscode" if "VSCODE_PID" in environ else "other"


def extension_folders(environ: Mapping[str, str]) -> list[Path]:
    """Returns where JupyterLab looks for prebuilt extensions, as `jupyter --paths` says it.

    A remote server may look elsewhere: what is found here is a good guess where both share an environment.
    """
    # https://docs.jupyter.org/en/latest/use/jupyter-directories.html
    found = [Path(part) for part in environ.get("JUPYTER_PATH", "").split(os.pathsep) if part]
    if "JUPYTER_DATA_DIR" in environ:
        found.append(Path(environ["JUPYTER_DATA_DIR"]))
    elif sys.platform == "darwin":
        found.append(Path.home() / "Library" / "Jupyter")
    elif sys.platform == "win32":
        found.append(Path(environ.get("APPDATA", str(Path.home()))) / "jupyter")
    else:
        found.append(Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "jupyter")
    found.append(Path(sys.prefix) / "share" / "jupyter")
    if sys.platform != "win32":
        found += [Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter")]
    return [folder / "labextensions" for folder in found]


def not_built(folders: Iterable[Path] | None = None) -> str | None:
    """Says that jitmagic was installed without the parts that Node.js builds; None where they are there.

    Parameters
    ----------
    folders
        Where JupyterLab looks for extensions; those of this process by default.
    """
    there = list(extension_folders(os.environ) if folders is None else folders)
    panel = resources.files("jitmagic.report").joinpath("static", "panel.js").is_file()
    extension = any((folder / EXTENSION / "package.json").is_file() for folder in there)
    if panel and extension:
        return None
    lacking = " and ".join(
        name for name, found in (("the live panel", panel), ("the JupyterLab extension", extension)) if not found
    )
    return (
        f"Without {lacking}: jitmagic was installed from its source and they were not built, which needs Node.js "
        f"{LEAST_NODE} or newer. Results are shown as text and static HTML. Mend it: install a wheel, or Node.js and "
        "then jitmagic again."
    )
