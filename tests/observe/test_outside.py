"""What a watched function may not change: files, processes, the network. Nothing of it happens, not even once."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from jitmagic.observe.outside import kept_inside
from jitmagic.observe.result import refuse_result


def attempts(folder):
    file = folder / "kept.txt"
    return {
        "write": lambda: open(folder / "new.txt", "w"),
        "append": lambda: open(file, "a"),
        "update": lambda: open(file, "r+b"),
        "low level": lambda: os.open(folder / "new.txt", os.O_CREAT | os.O_WRONLY),
        "remove": lambda: os.remove(file),
        "rename": lambda: os.rename(file, folder / "new.txt"),
        "folder": lambda: os.mkdir(folder / "new"),
        "program": lambda: subprocess.run(["true"], check=False),
        "system": lambda: os.system("true"),
        "network": lambda: socket.socket().connect(("127.0.0.1", 9)),
    }


@pytest.mark.parametrize("name", list(attempts(Path("unused"))))
def test_an_attempt_is_stopped_and_named(name, tmp_path):
    (tmp_path / "kept.txt").write_text("kept")
    act = attempts(tmp_path)[name]
    after = []
    with kept_inside(__file__) as attempt:
        try:
            act()
        except Exception:  # a function's own handler does not hold it
            after.append("swallowed")
        after.append("went on")
    assert after == []
    assert attempt.refusal is not None
    assert attempt.refusal.line == act.__code__.co_firstlineno
    assert "outside" in attempt.refusal.reason
    assert os.listdir(tmp_path) == ["kept.txt"]
    assert (tmp_path / "kept.txt").read_text() == "kept"


def test_reading_and_the_null_device_are_free(tmp_path):
    (tmp_path / "kept.txt").write_text("kept")
    with kept_inside(__file__) as attempt:
        read = (tmp_path / "kept.txt").read_text()
        with open(os.devnull, "w") as nowhere:
            nowhere.write("x")
    assert (read, attempt.refusal) == ("kept", None)


def test_an_import_may_write_its_cache(tmp_path, monkeypatch):
    (tmp_path / "freshly_written_module.py").write_text("value = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    with kept_inside(__file__) as attempt:
        import freshly_written_module  # type: ignore[import-not-found]
    assert (freshly_written_module.value, attempt.refusal) == (3, None)


def test_afterwards_all_is_allowed_again(tmp_path):
    with kept_inside(__file__):
        (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    assert os.listdir(tmp_path) == ["b"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (2**64, "its result is the integer 18446744073709551616"),
        ([1, (2, -(2**70))], "its result[1][1] is the integer"),
        (2**10**4, "of 10001 bits"),
        ({"f": len}, "its result['f'] is a function"),
        (map(str, []), "a map, which can be read only once"),
    ],
)
def test_results_that_cannot_be_compared(value, words):
    refusal = refuse_result(value)
    assert refusal is not None
    assert words in refusal.reason


@pytest.mark.parametrize("value", [None, 2**63 - 1, 2**63, 1.5, "text", [1, {"a": (2.0, None)}]])
def test_results_that_nothing_speaks_against(value):
    assert refuse_result(value) is None
