"""What every test has: no worker process and no shared file outlives the test run."""

import os
import sys

import pytest
from hypothesis import settings

# CI asks about the change at hand: the same programs each time. What is new is looked for by runs outside of it.
settings.register_profile("strict", derandomize=True)
if os.environ.get("JITMAGIC_TEST_STRICT"):
    settings.load_profile("strict")


@pytest.fixture(scope="session", autouse=True)
def _no_workers_left():
    yield
    from jitmagic.measure import pool

    pool.shutdown()


@pytest.fixture
def use_backends(monkeypatch):
    """Puts fake backends beside NumPy's real one."""

    def use(*fakes):
        from jitmagic import backends
        from jitmagic.backends.numpy.backend import NumpyBackend
        from jitmagic.steps import run  # noqa: F401 - with it come all modules that hold the function by name

        table = {"numpy": NumpyBackend(), **{fake.name: fake for fake in fakes}}
        known = backends.all_backends
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "jitmagic" and getattr(module, "all_backends", None) is known:
                monkeypatch.setattr(module, "all_backends", lambda: table)

    return use


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Makes a skip a failure in CI, where every tool has to be there; tests for a real GPU apart."""
    report = yield
    if report.skipped and os.environ.get("JITMAGIC_TEST_STRICT") and "gpu" not in item.keywords:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
