"""Values between processes: what arrives is what was sent, strides, overlaps and identities included."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jitmagic.measure.transport import Area, Opened, TransportError, discard, pack
from jitmagic.same_bits import same_bits


@pytest.fixture
def area(tmp_path):
    area = Area(None, tmp_path)
    yield area
    area.close()


dtypes = st.one_of(
    hnp.boolean_dtypes(), hnp.integer_dtypes(), hnp.floating_dtypes(), hnp.complex_number_dtypes(),
    hnp.unicode_string_dtypes(max_len=3), hnp.datetime64_dtypes(),
)  # fmt: skip
arrays = dtypes.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)))


@settings(max_examples=60, deadline=None)
@given(value=st.recursive(arrays | st.integers() | st.text(), lambda x: st.lists(x, max_size=3) | st.tuples(x, x)))
def test_any_nesting_of_arrays_arrives_bit_for_bit(value, tmp_path_factory):
    area = Area(None, tmp_path_factory.mktemp("area"))
    parcel = pack(value, area)
    for copy in (True, False):
        assert same_bits(value, Opened(parcel).value(copy=copy))
    area.close()


def test_views_keep_their_strides_and_their_overlap(area):
    base = np.arange(20.0).reshape(4, 5)
    opened = Opened(pack((base, base[::-1], base[1:, ::2], base.T, base), area))
    one, reversed_rows, some, transposed, again = opened.value()
    assert one is again
    assert reversed_rows.strides == base[::-1].strides
    one[3, 0] = 99
    assert reversed_rows[0, 0] == 99
    assert some[2, 0] == 99
    assert transposed[0, 3] == 99
    assert opened.value()[0][3, 0] == 15  # the next value knows nothing of it


def test_a_sparse_view_is_sent_without_its_gaps(area):
    sparse = np.zeros(50_000_000, np.int8)[::1000]
    parcel = pack(sparse, area)
    assert parcel.size == 50_000
    assert same_bits(np.ascontiguousarray(sparse), Opened(parcel).value())


def test_a_read_only_array_stays_read_only(area):
    array = np.arange(3)
    array.flags.writeable = False
    assert not Opened(pack(array, area)).value().flags.writeable


def test_alignment_is_kept(area):
    room = np.empty(4096, np.uint8)
    start = -room.__array_interface__["data"][0] % 64
    for shift in (0, 16, 40):
        array = room[start + shift : start + shift + 800].view(float)
        address = Opened(pack(array, area)).value().__array_interface__["data"][0]
        assert address % 64 == shift


def test_objects_are_refused_with_a_reason(area):
    with pytest.raises(TransportError, match="dtype object holds Python objects"):
        pack([np.array([1, "a", None], object)], area)
    with pytest.raises(TransportError, match="lambda"):
        pack((lambda: 1,), area)


def test_a_full_memory_file_system_is_no_obstacle(tmp_path, monkeypatch):
    import jitmagic.measure.transport as transport

    memory, disk = tmp_path / "memory", tmp_path / "disk"
    memory.mkdir()
    disk.mkdir()
    real = transport._write

    def full(path, *rest):
        if memory in path.parents:
            raise OSError(28, "No space left on device")
        real(path, *rest)

    monkeypatch.setattr(transport, "_write", full)
    parcel = pack(np.arange(10), Area(memory, disk))
    assert disk in Path(parcel.file).parents
    assert same_bits(np.arange(10), Opened(parcel).value())


def test_a_small_memory_file_system_is_left_alone(tmp_path, monkeypatch):
    import shutil

    memory, disk = tmp_path / "memory", tmp_path / "disk"
    memory.mkdir()
    disk.mkdir()
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=64 * 2**20))  # a container's default
    assert disk in Path(pack(np.zeros(1000), Area(memory, disk)).file).parents


def test_discard_and_close_leave_nothing(tmp_path):
    area = Area(None, tmp_path)
    parcel, other = pack(np.arange(3), area), pack(np.arange(4), area)
    discard(parcel)
    assert not Path(parcel.file).exists()
    assert Path(other.file).exists()
    area.close()
    assert not list(tmp_path.iterdir())


def test_another_process_reads_it(area):
    import pickle

    value = (np.arange(6).reshape(2, 3)[:, ::-1], {"k": 1.5})
    parcel = pack(value, area)
    code = (
        "import pickle, sys; from jitmagic.measure.transport import Opened\n"
        "parcel = pickle.load(sys.stdin.buffer)\n"
        "v = Opened(parcel).value(); v[0][...] *= 2; print(v[0].sum(), v[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(parcel), capture_output=True, check=True)
    assert done.stdout.decode().strip() == "30 {'k': 1.5}"
    assert value[0].sum() == 15
