"""The front end in the build: with Node.js, without it, and its settings beside the magic's options."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from jitmagic.advice.purpose import KEPT, NEEDS, PLACES
from jitmagic.magic.options import DTYPES, OPTIONS
from jitmagic.report import front_end
from jitmagic.transforms.transform import KINDS

pytest.importorskip("hatchling")

ROOT = Path(__file__).parents[1]


class Told:
    """What hatchling shows to the user."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def display_warning(self, message: str) -> None:
        self.warnings.append(message)

    def display_info(self, message: str) -> None:
        pass

    def display_error(self, message: str) -> None:
        pass


@pytest.fixture
def module() -> Any:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the hook looks at, with nothing built."""
    for name in ("package.json", "yarn.lock", "tsconfig.json", "install.json"):
        target = tmp_path / "labextension" / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "labextension" / name, target)
    for name in ("src", "style", "schema", "scripts"):
        (tmp_path / "labextension" / name).mkdir()
    schema = Path("jitmagic", "report", "schema", "v1.json")
    (tmp_path / schema).parent.mkdir(parents=True)
    shutil.copy(ROOT / schema, tmp_path / schema)
    return tmp_path


@pytest.fixture
def without_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JITMAGIC_FRONT_END", raising=False)


def hook(module: Any, tree: Path, target: str = "wheel") -> tuple[Any, Told]:
    told = Told()
    return module.CustomBuildHook(str(tree), {}, None, None, str(tree / "out"), target, told), told


def build_data() -> dict[str, Any]:
    return {"shared_data": {}}


def build(tree: Path) -> Path:
    """Leaves what a build leaves."""
    dist = tree / "labextension" / "dist"
    dist.mkdir()
    (dist / "package.json").write_text("{}")
    return dist


@pytest.mark.usefixtures("without_node")
def test_without_node_the_python_part_is_built_and_what_is_missing_is_said(module: Any, tree: Path) -> None:
    made, told = hook(module, tree)
    data = build_data()
    assert made.dependencies() == []
    made.initialize("standard", data)
    assert data == build_data()
    (warning,) = told.warnings
    assert "there is no Node.js" in warning
    assert "Node.js 20" in warning


@pytest.mark.usefixtures("without_node")
def test_a_required_front_end_that_cannot_be_built_is_an_error(
    module: Any, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JITMAGIC_FRONT_END", "require")
    made, _ = hook(module, tree)
    with pytest.raises(RuntimeError, match=r"no Node\.js"):
        made.initialize("standard", build_data())
    monkeypatch.setenv("JITMAGIC_FRONT_END", "perhaps")
    with pytest.raises(ValueError, match=r"'perhaps'.*auto, require or skip"):
        made.initialize("standard", build_data())


@pytest.mark.usefixtures("without_node")
def test_what_is_built_goes_into_the_wheel_until_its_source_is_newer(module: Any, tree: Path) -> None:
    dist = build(tree)
    made, told = hook(module, tree)
    data = build_data()
    made.initialize("standard", data)
    assert data["shared_data"] == {str(dist): "share/jupyter/labextensions/jitmagic"}
    assert told.warnings == []
    later = time.time() + 60
    os.utime(tree / "labextension" / "package.json", (later, later))
    made.initialize("standard", build_data())
    assert len(told.warnings) == 1, "what is there is too old"


@pytest.mark.usefixtures("without_node")
def test_an_unpacked_sdist_needs_no_node(module: Any, tree: Path) -> None:
    build(tree)
    (tree / "PKG-INFO").write_text("")
    later = time.time() + 60
    os.utime(tree / "labextension" / "package.json", (later, later))
    made, told = hook(module, tree)
    data = build_data()
    made.initialize("standard", data)
    assert data["shared_data"]
    assert told.warnings == []


@pytest.mark.usefixtures("without_node")
def test_an_editable_install_builds_nothing(module: Any, tree: Path) -> None:
    made, told = hook(module, tree)
    made.initialize("editable", build_data())
    assert told.warnings == []


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    said = front_end.not_built([tmp_path])
    assert said is not None
    assert "the JupyterLab extension" in said
    assert "Node.js 20" in said
    (tmp_path / "jitmagic").mkdir()
    (tmp_path / "jitmagic" / "package.json").write_text("{}")
    assert "the JupyterLab extension" not in (front_end.not_built([tmp_path]) or "")


def test_the_least_node_is_said_alike(module: Any) -> None:
    assert module.LEAST_NODE == front_end.LEAST_NODE


def test_every_option_of_the_form_is_one_of_the_magic() -> None:
    schema = json.loads((ROOT / "labextension" / "schema" / "plugin.json").read_text(encoding="utf-8"))
    options = {option.name: option for option in OPTIONS}
    form = {name: rule for name, rule in schema["properties"].items() if name != "marks"}
    assert form.keys() <= options.keys()
    # all that take a value and may be a default: the others are for one comparison, or are this machine's
    once = {"variable", "python", "sweep", "save", "calls", "need", "deploy", "keep"}
    once |= {"grad", "jacobian", "hessian", "vmap", "on"}
    lasting = {option.name for option in OPTIONS if option.value is not None and option.name not in once}
    assert form.keys() == lasting | {"cold"}
    assert set(form["dtype"]["enum"]) == {*DTYPES, None}


def test_the_flags_that_the_form_writes_are_the_magics() -> None:
    source = (ROOT / "labextension" / "src" / "python" / "magic-line.ts").read_text(encoding="utf-8")
    for flag, name in (
        ("-b", "backends"), ("-d", "devices"), ("--budget", "budget"), ("--margin", "margin"), ("--timeout", "timeout"),
        ("--dtype", "dtype"),
        ("--threads", "threads"), ("--sweep", "sweep"), ("--cold", "cold"),
        ("--calls", "calls"), ("--need", "need"), ("--deploy", "deploy"), ("--keep", "keep"), ("--on", "on"),
    ):  # fmt: skip
        assert f"'{flag}'" in source
        assert next(option for option in OPTIONS if flag in option.flags).name == name
    for word in (*NEEDS, *PLACES, *KEPT, *KINDS):
        assert f"'{word}'" in source


def test_the_extension_has_the_version_of_the_package() -> None:
    import jitmagic

    package = json.loads((ROOT / "labextension" / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == jitmagic.__version__.replace(".dev0", "")
