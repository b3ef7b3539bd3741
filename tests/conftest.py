"""What every test has: no worker process and no shared file outlives the test run."""

import contextlib
import os
import signal
import time

import psutil
import pytest
from hypothesis import settings

from jitmagic.measure import process
from tests.fakes import installed

# CI asks about the change at hand: the same programs each time. What is new is looked for by runs outside of it.
settings.register_profile("strict", derandomize=True)
if os.environ.get("JITMAGIC_TEST_STRICT"):
    settings.load_profile("strict")


# a shell's background job begins with interrupts ignored, and Python then leaves them so
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


if os.environ.get("COVERAGE_PROCESS_CONFIG"):
    # a worker that is killed at once has no time to write down which lines it ran
    _end_tree = process.end_tree

    def _asked_first(pid):
        with contextlib.suppress(OSError, psutil.Error):
            os.kill(pid, signal.SIGTERM)
            for _ in range(20):
                if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                    break
                time.sleep(0.05)
        _end_tree(pid)

    process.end_tree = _asked_first


@pytest.fixture(scope="session", autouse=True)
def _no_workers_left():
    yield
    from jitmagic.measure import pool

    pool.shutdown()


@pytest.fixture
def use_backends():
    """Puts fake backends beside NumPy's real one."""
    with contextlib.ExitStack() as stack:

        def use(*fakes):
            stack.close()
            stack.enter_context(installed(*fakes))

        yield use


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Makes a skip a failure in CI, where every tool has to be there but for a GPU, NVIDIA's compilers and root."""
    report = yield
    spared = {"gpu", "cuda_toolkit", "namespaces"} & set(item.keywords)
    if report.skipped and os.environ.get("JITMAGIC_TEST_STRICT") and not spared:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
