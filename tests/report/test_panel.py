"""The widget as the kernel sees it: what it says is missing, what it answers, what of it is saved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jitmagic.report import panel, progress
from tests.report import samples

anywidget = pytest.importorskip("anywidget")


@pytest.fixture
def built(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script in the built one's place, where the front end was not built."""
    if panel.missing() is not None:
        script = tmp_path / "panel.js"
        script.write_text("export default { render() {} }", encoding="utf-8")
        monkeypatch.setattr(panel, "_SCRIPT", (str(script),))


class Sent:
    """Keeps what a widget sends."""

    def __init__(self, made: panel.Panel) -> None:
        self.messages: list[tuple[dict[str, Any], list[bytes]]] = []
        made.widget.send = lambda content, buffers=(): self.messages.append((content, list(buffers)))


def test_without_anywidget_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(panel.PanelMissing, match=r'pip install "jitmagic\[notebook\]"'):
        panel.Panel()


def test_without_a_built_script_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "_SCRIPT", ("static", "missing.js"))
    with pytest.raises(panel.PanelMissing, match=r"no Node\.js"):
        panel.Panel()


def test_progress_then_the_result(built: None) -> None:
    made = panel.Panel(kernel="k-1")
    assert made.widget.kernel == "k-1"
    made.report({"schema": progress.SCHEMA, "variants": []})
    assert made.widget.progress["schema"] == progress.SCHEMA
    made.show(samples.sample(), None)
    assert (made.widget.progress, json.loads(made.widget.record)) == (None, samples.sample())


def test_use_is_answered_also_where_it_fails(built: None) -> None:
    used: list[str] = []

    def use(name: str) -> None:
        if name == "broken":
            raise RuntimeError("it is broken")
        used.append(name)

    made = panel.Panel(use)
    sent = Sent(made)
    made._received(None, {"type": "use", "variant": "numba", "id": 1}, [])
    made._received(None, {"type": "use", "variant": "broken", "id": 2}, [])
    assert used == ["numba"]
    assert [content for content, _ in sent.messages] == [
        {"type": "answer", "id": 1, "error": None},
        {"type": "answer", "id": 2, "error": "RuntimeError: it is broken"},
    ]


@pytest.mark.parametrize("content", [None, "use", {}, {"type": "use"}, {"type": "stop"}, {"type": ["x"]}])
def test_odd_messages_do_nothing(built: None, content: Any) -> None:
    made = panel.Panel()
    sent = Sent(made)
    made._received(None, content, [])
    assert sent.messages == []


def test_bokehjs_comes_from_the_installed_bokeh_and_is_not_saved(built: None, monkeypatch: pytest.MonkeyPatch) -> None:
    bokeh = pytest.importorskip("bokeh")
    made = panel.Panel()
    sent = Sent(made)
    made._received(None, {"type": "bokeh"}, [])
    [(content, [script])] = sent.messages
    assert content == {"type": "bokeh"}
    assert f'"{bokeh.__version__}"'.encode() in script
    charts = {"schema": "jitmagic-charts/v1", "items": {}}
    monkeypatch.setattr(panel, "_bokeh_sent", False)
    made.show(samples.swept(), charts)
    made.show(samples.swept(), charts)
    assert [(content["type"], len(buffers)) for content, buffers in sent.messages[1:]] == [("charts", 1), ("charts", 0)]
    assert len(json.dumps(made.widget.get_state(), default=str)) < 100_000
