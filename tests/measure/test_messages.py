"""Frames between processes: what is sent arrives, and nothing that would import a library."""

import io
import pickle
from fractions import Fraction

import pytest

from jitmagic.measure.messages import Event, Reply, receive, send


def through(message):
    stream = io.BytesIO()
    send(stream, message)
    stream.seek(0)
    return receive(stream)


def test_messages_arrive():
    for message in (Event("timing"), Reply({"a": (1, 2.5, None)}), ("sample", {"calls": 3})):
        assert through(message) == message


def test_a_frame_cut_short_is_an_end_of_file():
    stream = io.BytesIO()
    send(stream, Reply(1))
    with pytest.raises(EOFError):
        receive(io.BytesIO(stream.getvalue()[:-1]))


def test_a_library_s_class_is_refused_by_name():
    with pytest.raises(pickle.UnpicklingError, match=r"fractions\.Fraction"):
        through(Reply(Fraction(1, 3)))
