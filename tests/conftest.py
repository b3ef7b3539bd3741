"""What every test has: no worker process and no shared file outlives the test run."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_workers_left():
    yield
    from jitmagic.measure import pool

    pool.shutdown()


@pytest.fixture
def use_backends(monkeypatch):
    """Puts fake backends beside NumPy's real one."""

    def use(*fakes):
        from jitmagic import backends, comparison
        from jitmagic.backends.numpy.backend import NumpyBackend

        table = {"numpy": NumpyBackend(), **{fake.name: fake for fake in fakes}}
        monkeypatch.setattr(backends, "all_backends", lambda: table)
        monkeypatch.setattr(comparison, "all_backends", lambda: table)

    return use
