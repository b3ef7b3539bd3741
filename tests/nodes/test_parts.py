"""Addresses, places, and what is taken from another machine."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest

from jitmagic.backends.protocol import Availability
from jitmagic.measure.messages import Event, Reply, loads_from_outside
from jitmagic.measure.nodes import about, address, messages
from jitmagic.measure.nodes.messages import Heard, Raised
from jitmagic.measure.nodes.place import at, device_of, kind_of, node_of
from jitmagic.measure.transport import Parcel
from jitmagic.options import Options
from jitmagic.verify.compare import Finding


@pytest.mark.parametrize(
    ("text", "host", "port", "user", "python"),
    [
        ("ssh://gpu1", "gpu1", None, "", "python3"),
        ("ssh://MyNode", "MyNode", None, "", "python3"),
        ("ssh://me@gpu1.lab.org:2222/opt/my%20env/bin/python", "gpu1.lab.org", 2222, "me", "/opt/my env/bin/python"),
        ("ssh://[::1]:22", "::1", 22, "", "python3"),
        ("tcp://10.0.0.5:8786", "10.0.0.5", 8786, "", "python3"),
        ("tls://scheduler:8786", "scheduler", 8786, "", "python3"),
    ],
)
def test_addresses(text, host, port, user, python) -> None:
    found = address.parse(text)
    assert (found.host, found.port, found.user, found.python) == (host, port, user, python)


@pytest.mark.parametrize(
    "text",
    ["gpu1", "", "http://gpu1", "ssh://", "ssh://-oProxyCommand=touch", "ssh://me:word@gpu1", "ssh://gpu1:port",
     "ssh://-l@gpu1", "tcp://host", "tcp://host:1/path", "ssh://gpu1?x", "ssh://a b"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_how_one_looks(text) -> None:
    with pytest.raises(ValueError, match="ssh"):
        address.parse(text)
    with pytest.raises(ValueError, match="ssh"):
        Options(on=(text,))


def test_places() -> None:
    for node in ("", "gpu1", "gpu1.lab.org"):
        for device in ("cpu", "cuda:0"):
            place = at(node, device)
            assert (node_of(place), device_of(place)) == (node, device)
            assert kind_of(place) == device.partition(":")[0]


def test_the_same_on_both_sides_is_no_mismatch_and_what_differs_is_told() -> None:
    here = about.about()
    assert about.mismatch(here) is None
    for name, value, said in (
        ("python", [3, 8, 0], "Python 3.8.0"),
        ("jitmagic", "9.9", "jitmagic 9.9"),
        ("files", "0", "another state"),
        ("numpy", "1.26.0", "NumPy 1.26.0"),
        ("error", "ImportError: no libcst", "cannot be imported (ImportError: no libcst)"),
    ):
        assert said in str(about.mismatch({**here, name: value}))
    patch = [*here["python"][:2], here["python"][2] + 1]
    assert about.mismatch({**here, "python": patch}) is None


class Evil:
    def __reduce__(self):
        return print, ("this ran on the user's machine",)


@pytest.mark.parametrize(
    "value",
    [Evil(), np.zeros(2), io.StringIO, pickle.Unpickler, Options, getattr, eval, np.load, Parcel("", (), (), b"")],
    ids=["code", "array", "io", "pickle", "options", "getattr", "eval", "load", "parcel"],
)
def test_what_another_machine_sends_cannot_run_anything_here(value, capsys) -> None:
    with pytest.raises(pickle.UnpicklingError, match="which is not taken"):
        loads_from_outside(pickle.dumps(Heard(1, value)))
    assert capsys.readouterr().out == ""


def test_a_name_with_a_dot_reaches_no_further() -> None:
    def text(name: str) -> bytes:
        return b"\x8c" + bytes([len(name)]) + name.encode()

    # protocol 4's STACK_GLOBAL takes a name with dots
    data = b"\x80\x04" + text("jitmagic.measure.messages") + text("Reply.__init__") + b"\x93."
    assert pickle.loads(data) is Reply.__init__
    with pytest.raises(pickle.UnpicklingError, match="not taken"):
        loads_from_outside(data)


def test_what_a_node_says_arrives_as_it_was() -> None:
    finding = Finding(True, "", "", np.float64(1e-16), 0.0, None)
    for what in (
        None, Event("timing"), Raised("WorkerCrashed", "gone"), Reply(finding), Reply({"a": (1, 2.5, {3}, 1j)}),
        Reply({"numba": Availability(True, {"numba": "0.6"}, lacks={"cuda": ("why", None)})}),
    ):  # fmt: skip
        assert loads_from_outside(pickle.dumps(Heard(3, what))) == Heard(3, what)


def test_a_parcel_in_a_request_is_put_off_and_taken_in_again() -> None:
    with_file, without = Parcel("/dev/shm/a", ((0, 8),), (), b"x"), Parcel("", (), (), b"y")
    seen = []

    def send(parcel):
        seen.append(parcel)
        return "1"

    data = messages.dumps("open", {"arguments": with_file, "namespace": without}, send)
    request, arguments = messages.loads(data, lambda name: Parcel(f"there/{name}", (), (), b""))
    assert (request, seen) == ("open", [with_file])
    assert arguments == {"arguments": Parcel("there/1", (), (), b""), "namespace": without}
