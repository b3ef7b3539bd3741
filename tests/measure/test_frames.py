"""What a worker says, read with and without a thread: whole messages, in their order, whatever the pieces."""

import io
import os
import pickle
import threading
import time
from fractions import Fraction

import pytest

from jitmagic.measure.frames import Nothing, Polled, Threaded, frames
from jitmagic.measure.messages import Event, Reply, send


@pytest.fixture(params=["polled", "threaded"])
def line(request):
    """A pipe: what is read of it, and the end that a worker writes to."""
    if request.param == "polled" and os.name == "nt":
        pytest.skip("no pipe can be waited for on Windows")
    out, into = os.pipe()
    reader, writer = os.fdopen(out, "rb"), os.fdopen(into, "wb", buffering=0)
    read = Polled(reader) if request.param == "polled" else Threaded(reader, "test")
    yield read, writer
    writer.close()
    read.close()
    reader.close()


def said(*messages):
    stream = io.BytesIO()
    for message in messages:
        send(stream, message)
    return stream.getvalue()


def test_messages_come_in_their_order(line):
    read, writer = line
    writer.write(said(Event("compiling"), Reply((1.5, 0.25)), Reply(error="no")))
    assert [read.get(5.0) for _ in range(3)] == [Event("compiling"), Reply((1.5, 0.25)), Reply(error="no")]


def test_a_message_in_pieces_is_waited_for_and_nothing_of_it_is_lost(line):
    read, writer = line
    whole = said(Reply(list(range(50))), Reply("next"))
    for piece in (whole[:3], whole[3:20]):
        writer.write(piece)
        with pytest.raises(Nothing):
            read.get(0.02)
    writer.write(whole[20:])
    assert read.get(5.0) == Reply(list(range(50)))
    assert read.get(5.0) == Reply("next")


def test_a_message_longer_than_the_pipe(line):
    read, writer = line
    value = os.urandom(1_000_000)
    sender = threading.Thread(target=writer.write, args=(said(Reply(value)),))
    sender.start()
    assert read.get(10.0).value == value
    sender.join()


def test_silence_takes_the_time_given_and_no_more(line):
    read, _ = line
    start = time.monotonic()
    with pytest.raises(Nothing):
        read.get(0.05)
    assert time.monotonic() - start >= 0.045
    assert not read.come()


def test_what_has_come_is_told(line):
    read, writer = line
    writer.write(said(Reply(1)))
    until = time.monotonic() + 5.0
    while not read.come() and time.monotonic() < until:
        time.sleep(0.01)
    assert read.come()
    assert read.get(5.0) == Reply(1)


def test_the_end_is_none_and_stays_so(line):
    read, writer = line
    writer.write(said(Reply(1)) + said(Reply(2))[:-1])
    writer.close()
    assert read.get(5.0) == Reply(1)
    assert read.get(5.0) is None


def test_what_is_no_message_is_an_end(line):
    read, writer = line
    number = pickle.dumps(7)
    writer.write(len(number).to_bytes(8, "little") + number + said(Reply(1)))
    assert read.get(5.0) is None


def test_text_that_user_code_wrote_into_the_pipe_is_an_end(line):
    read, writer = line
    writer.write(b"a line of text\n")
    assert read.get(5.0) is None


def test_a_library_s_class_is_an_answer_that_says_so(line):
    read, writer = line
    writer.write(said(Reply(Fraction(1, 3)), Reply(2)))
    assert "fractions.Fraction" in read.get(5.0).error
    assert read.get(5.0) == Reply(2)


def test_this_system_s_way():
    out, into = os.pipe()
    with os.fdopen(out, "rb") as reader, os.fdopen(into, "wb", buffering=0) as writer:
        read = frames(reader, "test")
        writer.write(said(Reply("here")))
        assert read.get(5.0) == Reply("here")
        writer.close()
        read.close()
