"""What the magic shows in each front end, in faked surroundings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("IPython")

from jitmagic.magic import views
from jitmagic.report import front_end, panel
from tests.test_magic import shell, steps  # noqa: F401 - fixtures


class FakePanel:
    """A panel that needs nothing."""

    made: list[FakePanel]

    def __init__(self, use: Any, kernel: str = "") -> None:
        self.use, self.kernel = use, kernel
        self.shown: list[Any] = []
        self.closed = False
        self.mark = "jitmagic-0"
        self.widget = SimpleNamespace(_repr_mimebundle_=lambda: ({"widget": "view"}, {}))
        FakePanel.made.append(self)

    def report(self, state: Any) -> None:
        self.shown.append(state)

    def show(self, record: Any, charts: Any, *, marked: bool) -> None:
        self.shown.append(record)
        self.marked = marked

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def instance(shell, steps, monkeypatch):  # noqa: F811
    FakePanel.made = []
    monkeypatch.setattr(panel, "Panel", FakePanel)
    monkeypatch.setattr(views, "_kernel_id", lambda: "k-1")
    return next(one for one in shell.configurables if type(one).__name__ == "JitMagic")


def view(instance: Any, monkeypatch: pytest.MonkeyPatch, front: front_end.FrontEnd, asked: bool | None) -> Any:
    monkeypatch.setattr(front_end, "detect", lambda namespace: front)
    shown = views.Shown(SimpleNamespace(call="fn(1)"), SimpleNamespace(budget=10.0), asked)
    return views.notebook_view(instance.shell, shown, instance.progress)


LAB = front_end.FrontEnd("jupyter", draws_record=True, has_widgets=True)
BARE = front_end.FrontEnd("jupyter", draws_record=False, has_widgets=True)
COLAB = front_end.FrontEnd("colab", draws_record=False, has_widgets=False)
CODE = front_end.FrontEnd("vscode", draws_record=False, has_widgets=False)


@pytest.mark.parametrize(
    ("front", "asked", "name"),
    [
        # our extension draws the record and the progress itself
        (LAB, None, "_NotebookView"),
        (LAB, True, "_PanelView"),
        # live while it runs, where the widget is known to work
        (BARE, None, "_PanelView"),
        (BARE, False, "_NotebookView"),
        # static, unless it is asked for
        (COLAB, None, "_NotebookView"),
        (CODE, None, "_NotebookView"),
        (CODE, True, "_PanelView"),
    ],
)
def test_each_front_end_gets_the_best_that_it_can_show(
    instance: Any, monkeypatch: pytest.MonkeyPatch, front: front_end.FrontEnd, asked: bool | None, name: str
) -> None:
    assert type(view(instance, monkeypatch, front, asked)).__name__ == name


def test_colab_enables_its_widget_manager_for_a_panel(instance: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setattr(views, "_enable_colab_widgets", lambda: called.append(True))
    view(instance, monkeypatch, COLAB, None)
    assert called == []
    view(instance, monkeypatch, COLAB, True)
    assert called == [True]


def test_without_progress_no_widget_is_made_for_it(instance: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    instance.progress = False
    assert type(view(instance, monkeypatch, BARE, None)).__name__ == "_NotebookView"


def test_the_option_and_the_trait(instance: Any) -> None:
    assert instance._wants_panel({}) is None
    assert instance._wants_panel({"panel": True}) is True
    instance.panel = True
    assert instance._wants_panel({}) is True
    assert instance._wants_panel({"no_panel": True}) is False


def test_a_panel_that_cannot_be_made_is_told_where_it_was_asked_for(
    instance: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(use: Any, kernel: str) -> None:
        raise panel.PanelMissing("the panel needs anywidget")

    monkeypatch.setattr(panel, "Panel", refuse)
    assert type(view(instance, monkeypatch, BARE, None)).__name__ == "_NotebookView"
    assert capsys.readouterr().err == ""
    assert type(view(instance, monkeypatch, BARE, True)).__name__ == "_NotebookView"
    assert capsys.readouterr().err == "jitmagic: the panel needs anywidget\n"


class Shows:
    """Keeps what is displayed, as a notebook would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.outputs: list[Any] = []
        monkeypatch.setattr(views, "display", self.display)

    def display(self, data: Any, raw: bool = False, display_id: bool = False, metadata: Any = None) -> Any:
        self.outputs.append(data)
        index = len(self.outputs) - 1

        def update(new: Any, raw: bool = False) -> None:
            self.outputs[index] = new

        return SimpleNamespace(update=update) if display_id else None


def event() -> Any:
    return SimpleNamespace(variant="numba", step="compiling", done=0, total=1, seconds_left=None, standings=(), size="")


@pytest.mark.parametrize("asked", [None, True])
def test_in_jupyterlab_the_notebook_holds_the_static_result_alone(
    instance: Any, monkeypatch: pytest.MonkeyPatch, asked: bool | None
) -> None:
    from tests.front_fakes import MIME, Comparison

    notebook = Shows(monkeypatch)
    made = view(instance, monkeypatch, BARE, asked)
    made.report(event())
    assert notebook.outputs == [{"widget": "view"}]
    made.show(Comparison())
    # a widget would be an error in a session without this kernel; the page draws it over what bears its mark
    [held] = notebook.outputs
    assert set(held) == {"text/plain", "text/html", MIME}
    assert 'class="jitmagic-0"' in held["text/html"]
    assert FakePanel.made[0].marked
    assert not FakePanel.made[0].closed


def test_elsewhere_a_panel_stays_beside_the_static_result(instance: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.front_fakes import MIME, Comparison

    notebook = Shows(monkeypatch)
    made = view(instance, monkeypatch, CODE, True)
    made.report(event())
    comparison = Comparison()
    made.show(comparison)
    widget, static = notebook.outputs
    assert widget == {"widget": "view"}
    assert static[MIME] == comparison.record
    assert FakePanel.made[0].shown[-1] == comparison.record
    assert not FakePanel.made[0].closed


def test_an_error_takes_the_panel_away(instance: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = Shows(monkeypatch)
    made = view(instance, monkeypatch, BARE, None)
    made.report(event())
    made.close()
    assert notebook.outputs == [{}]
    assert FakePanel.made[0].closed
