"""Worker processes: the environment that they start in."""

import os
import time

import psutil
import pytest

from jitmagic.measure.process import STEADY_MALLOC, WorkerProcess


@pytest.fixture
def environment_of():
    started = []

    def start(**environment):
        worker = WorkerProcess("numpy", environment)
        started.append(worker)
        there, deadline = {}, time.monotonic() + 10
        while not there and time.monotonic() < deadline:  # just after the start the system may show none
            there = psutil.Process(worker.pid).environ()
        return there

    yield start
    for worker in started:
        worker.kill()


def test_every_worker_has_the_same_limits_of_malloc(environment_of):
    before = dict(os.environ)
    there = environment_of()
    assert {name: there[name] for name in STEADY_MALLOC} == STEADY_MALLOC
    assert dict(os.environ) == before


def test_limits_of_malloc_that_the_user_has_set_win(environment_of, monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "4096")
    assert environment_of()["MALLOC_TRIM_THRESHOLD_"] == "4096"


def test_what_a_backend_asks_for_is_on_top_of_the_users_environment(environment_of, monkeypatch):
    monkeypatch.setenv("JITMAGIC_TEST", "the user's")
    there = environment_of(JITMAGIC_TEST="the backend's")
    assert there["JITMAGIC_TEST"] == "the backend's"
    assert there["PATH"] == os.environ["PATH"]
