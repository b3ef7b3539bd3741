"""Two network namespaces with OpenSSH's own server in one of them: the real way, with a cable that can be pulled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from jitmagic.measure import pool
from jitmagic.report.record import validate
from tests.nodes.test_ssh import ROOT, compared, fn

pytestmark = pytest.mark.namespaces
X = np.linspace(0.1, 1.0, 20_000)
SPACE = f"jitmagic{os.getpid()}"
HERE, THERE = "10.231.7.1", "10.231.7.2"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Yields the address of a machine of its own network, and its cable's name."""
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if sys.platform != "linux" or os.geteuid() != 0 or sshd is None or shutil.which("ip") is None:
        # a network of its own is made by root on Linux only, and a server is more than a test may install: CI spares it
        pytest.skip("needs Linux, root, `ip`, and OpenSSH's server (apt-get install openssh-server)")
    folder = tmp_path_factory.mktemp("sshd")
    try:
        ip("netns", "add", SPACE)
    except subprocess.CalledProcessError as error:
        # a container may take the right to make one from root
        pytest.skip(f"no network namespace can be made here: {error.stderr.strip()}")
    near, far = f"jmn{os.getpid()}", f"jmf{os.getpid()}"
    server = None
    try:
        ip("link", "add", near, "type", "veth", "peer", "name", far)
        ip("link", "set", far, "netns", SPACE)
        ip("addr", "add", f"{HERE}/24", "dev", near)
        ip("link", "set", near, "up")
        ip("-n", SPACE, "addr", "add", f"{THERE}/24", "dev", far)
        ip("-n", SPACE, "link", "set", far, "up")
        ip("-n", SPACE, "link", "set", "lo", "up")
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        (folder / "authorized").write_text((folder / "user.pub").read_text())
        os.chmod(folder / "authorized", 0o600)
        Path("/run/sshd").mkdir(exist_ok=True)
        settings = folder / "sshd_config"
        settings.write_text(
            f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\nPidFile {folder}/pid\nStrictModes no\n"
            f"PasswordAuthentication no\nPermitRootLogin prohibit-password\nSetEnv PYTHONPATH={ROOT} FARSIDE={SPACE}\n"
        )
        server = subprocess.Popen(
            ["ip", "netns", "exec", SPACE, sshd, "-D", "-e", "-p", "2222", "-f", str(settings)],
            stderr=(folder / "log").open("w"),
        )
        # the user's own settings, as in ~/.ssh/config: ssh takes no other home than the account's
        command = folder / "bin" / "ssh"
        command.parent.mkdir()
        command.write_text(
            f"#!/bin/sh\nexec {shutil.which('ssh')} -F none -i {folder}/user -o StrictHostKeyChecking=no "
            f'-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$@"\n'
        )
        command.chmod(0o755)
        time.sleep(1.0)
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{command.parent}:{before}"
        try:
            yield f"ssh://root@{THERE}:2222{sys.executable}", near
        finally:
            os.environ["PATH"] = before
    finally:
        pool.shutdown()
        if server is not None:
            server.terminate()
            server.wait(timeout=10)
        subprocess.run(["ip", "link", "del", near], capture_output=True)
        ip("netns", "del", SPACE)


def left() -> list[int]:
    """Returns the numbers of the processes that were started on the other side."""
    found = []
    for one in psutil.process_iter(["environ", "cmdline"]):
        serving = any("jitmagic" in part for part in one.info["cmdline"] or ())
        if serving and (one.info["environ"] or {}).get("FARSIDE") == SPACE:
            found.append(one.pid)
    return found


def gone(seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while left() and time.monotonic() < deadline:
        time.sleep(0.2)
    return left() == []


def test_variants_run_over_a_real_connection(other) -> None:
    address, _ = other
    found = compared(fn, X, on=[address])
    validate(found.record)
    assert found[f"numba@{THERE}"].verified is True, found[f"numba@{THERE}"].reason
    assert found[f"numba@{THERE}"].across["median"] > 0
    assert left() != []
    pool.shutdown()
    assert gone(15)


@pytest.mark.slow
def test_a_cable_that_is_pulled_is_a_verdict_and_the_other_side_cleans_up_by_itself(other, monkeypatch) -> None:
    from jitmagic.measure.nodes import client

    monkeypatch.setattr(client, "SILENCE", 6.0)
    address, cable = other
    pulled = []

    def pull(event) -> None:
        if event.step == "timing" and not pulled:
            pulled.append(True)
            ip("link", "set", cable, "down")

    began = time.monotonic()
    try:
        found = compared(fn, X, on=[address], progress=pull, timeout=300.0)
        assert pulled
        assert found[f"numba@{THERE}"].verdict == "stopped"
        assert found["numba"].verdict in ("faster", "slower", "no clear difference")
        assert time.monotonic() - began < 90
        # no word can reach it: it goes by itself, for it hears nothing
        assert gone(60)
    finally:
        ip("link", "set", cable, "up")
    # the cable is back: the next comparison connects anew
    assert compared(fn, X, on=[address])[f"numba@{THERE}"].verified is True
