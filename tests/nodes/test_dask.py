"""Variants on the machines of a Dask cluster: workers of Dask's are processes of their own here."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from jitmagic.errors import NodeError
from jitmagic.measure import pool
from jitmagic.report.record import validate
from tests.nodes.test_ssh import compared, files_of_ours, fn

distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'jitmagic[dask]'")
pytestmark = pytest.mark.slow
X = np.linspace(0.1, 1.0, 20_000)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def cluster(monkeypatch):
    pool.shutdown()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with distributed.LocalCluster(
        n_workers=2, processes=True, threads_per_worker=1, dashboard_address=None
    ) as one:
        yield one
        pool.shutdown()


def nodes() -> list[psutil.Process]:
    """Returns the nodes that run on this machine, and what they started."""
    found = []
    for one in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.Error):
            if any("jitmagic.measure.nodes.serve" in part for part in one.info["cmdline"] or ()):
                found += [one, *one.children(recursive=True)]
    return found


def wait_until_gone() -> list[psutil.Process]:
    deadline = time.monotonic() + 20
    while nodes() and time.monotonic() < deadline:
        time.sleep(0.1)
    return nodes()


def test_variants_run_beside_dasks_workers(cluster) -> None:
    before = files_of_ours()
    found = compared(fn, X, on=[cluster.scheduler_address])
    validate(found.record)
    (machine,) = found.record["machines"]  # two workers of one machine are one node
    there = found[f"numba@{machine['name']}"]
    assert there.verified, there.reason
    assert there.across["median"] > 0
    assert machine["address"] == cluster.scheduler_address
    # nothing is left in the cluster: neither a task nor a process
    pool.shutdown()
    assert wait_until_gone() == []
    with distributed.Client(cluster, set_as_default=False) as client:
        assert not any(client.who_has().values())
    assert files_of_ours() - before == set()


def test_a_worker_of_dasks_that_dies_takes_its_machine_with_it_and_is_a_verdict(cluster) -> None:
    killed = []

    def kill(event) -> None:
        if event.step == "timing" and not killed:
            node = next(one for one in nodes() if one.parent().name() != "" and "serve" in " ".join(one.cmdline()))
            killed.append(node.pid)
            node.parent().kill()

    began = time.monotonic()
    found = compared(fn, X, on=[cluster.scheduler_address], progress=kill)
    assert killed
    (machine,) = found.record["machines"]
    assert found[f"numba@{machine['name']}"].verdict == "stopped"
    assert found["numba"].verdict in ("faster", "slower", "no clear difference")
    assert machine["lost"]
    assert time.monotonic() - began < 90
    pool.shutdown()
    assert wait_until_gone() == []


def test_a_client_that_is_gone_leaves_nothing_in_the_cluster(cluster) -> None:
    import subprocess
    import sys

    script = (
        "import os, sys; import numpy as np\n"
        "from jitmagic.measure import pool\n"
        f"(node,) = pool.pool().connect([{cluster.scheduler_address!r}])\n"
        "print(node.name, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip(), done.stderr
    assert wait_until_gone() == []


def test_a_scheduler_that_does_not_answer_is_an_error_with_the_reason(monkeypatch) -> None:
    from jitmagic.measure.nodes import dask

    monkeypatch.setattr(dask, "_CONNECT", 1.0)
    with pytest.raises(NodeError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        compared(fn, X, on=["tcp://127.0.0.1:9"])


def test_a_cluster_without_workers_is_told_what_to_do() -> None:
    with (
        distributed.LocalCluster(n_workers=0, processes=True, dashboard_address=None) as cluster,
        pytest.raises(NodeError, match="has no workers: start one on the machine to use"),
    ):
        compared(fn, X, on=[cluster.scheduler_address])
