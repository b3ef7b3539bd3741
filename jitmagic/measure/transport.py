"""Values between processes: arrays through shared files, everything else by pickle.

A :class:`Parcel` is a value laid down for other processes: NumPy arrays lie in one file, in memory where
the system has a memory file system with room (``/dev/shm``), else in the temporary folder, so that no
front end, container or operating system is left out. What overlapped in memory overlaps again on the
other side, and strides are kept: a reversed view arrives as a reversed view.

``multiprocessing.shared_memory`` is not used: before Python 3.13 a process that only attaches to a block
also registers it for removal (https://github.com/python/cpython/issues/82300).
"""

from __future__ import annotations

import ctypes
import io
import os
import pickle
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from jitmagic.measure import memory

_ALIGN = 64
_RESERVE = 64 * 2**20
"""Bytes that are left free in a memory file system, since others need it too."""


class TransportError(Exception):
    """A value cannot be sent to another process."""


@dataclass(frozen=True)
class ArrayPlace:
    """Where one array lies in its block: offset and strides in bytes."""

    block: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    writeable: bool


@dataclass(frozen=True)
class Parcel:
    """A value laid down for other processes.

    Attributes
    ----------
    file : str
        Path of the file that holds the blocks; empty where there are no arrays.
    blocks : tuple of (int, int)
        Offset and size in bytes of each block in the file.
    arrays : tuple of ArrayPlace
    payload : bytes
        The value's pickle, with arrays by number.
    """

    file: str
    blocks: tuple[tuple[int, int], ...]
    arrays: tuple[ArrayPlace, ...]
    payload: bytes

    @property
    def size(self) -> int:
        """Bytes of all blocks."""
        return sum(size for _, size in self.blocks)


class Area:
    """A folder of this process's own for parcels, removed with :meth:`close`.

    Parameters
    ----------
    memory : Path or None
        A folder on a memory file system to make it in; None where there is none.
    disk : Path
        A folder on a disk, for what does not fit into memory.
    """

    def __init__(self, memory: Path | None, disk: Path) -> None:
        self._memory = memory
        self._disk = disk
        self._folders: dict[Path, Path] = {}
        self._count = 0

    @classmethod
    def of_this_system(cls) -> Area:
        """Makes an area in the system's usual places."""
        shm = Path("/dev/shm")
        return cls(shm if os.access(shm, os.W_OK) else None, Path(tempfile.gettempdir()))

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that exist by now."""
        return tuple(str(folder) for folder in self._folders.values())

    def roots(self) -> tuple[str | None, str]:
        """Makes the folders and returns them, for a worker's own area inside this one: they go together."""
        memory = None if self._memory is None else self._made(self._memory)
        return None if memory is None else str(memory), str(self._folder(self._disk))

    def place(self, size: int) -> Path:
        """Returns a path for a new file of ``size`` bytes, in memory if there is room.

        Raises
        ------
        TransportError
            There is room nowhere; says how much there is.
        """
        if self._memory is not None and min(shutil.disk_usage(self._memory).free, _free()) > size + _RESERVE:
            folder = self._made(self._memory)
            if folder is not None:
                return self._new(folder)
        return self.on_disk(size)

    def on_disk(self, size: int) -> Path:
        """Returns a path for a new file on the disk, for what memory has no room for; see :meth:`place`."""
        free = shutil.disk_usage(self._disk).free
        if free < size:
            raise self.no_room(size)
        return self._new(self._folder(self._disk))

    def no_room(self, size: int) -> TransportError:
        """Words that ``size`` bytes have room nowhere."""
        places = [place for place in (self._memory, self._disk) if place is not None]
        told = ", ".join(f"{place} has {shutil.disk_usage(place).free / 1e9:.3g} GB free" for place in places)
        return TransportError(
            f"{size / 1e9:.3g} GB have to be laid down for other processes, and there is no room: {told}. "
            "Make room there, or set TMPDIR to a folder that has it"
        )

    def _new(self, folder: Path) -> Path:
        self._count += 1
        return folder / f"{os.getpid()}-{self._count}"

    def _made(self, root: Path) -> Path | None:
        """Returns the folder in a memory file system, None where not even that can be made there."""
        try:
            return self._folder(root)
        except OSError:
            return None

    def close(self) -> None:
        """Removes the folders with all that is in them."""
        for folder in self._folders.values():
            shutil.rmtree(folder, ignore_errors=True)
        self._folders.clear()

    def _folder(self, root: Path) -> Path:
        folder = self._folders.get(root)
        if folder is None or not folder.is_dir():
            folder = self._folders[root] = Path(tempfile.mkdtemp(prefix=f"jitmagic-{os.getpid()}-", dir=root))
        return folder


def _free() -> float:
    """Returns the bytes of memory that are free: a memory file system's own figure says only what it may take."""
    told = memory.free()
    return float("inf") if told is None else told


def pack(value: Any, area: Area) -> Parcel:
    """Lays a value down for other processes.

    Raises
    ------
    TransportError
        Something in the value cannot be pickled, or an array holds Python objects.
    """
    arrays: list[np.ndarray[Any, Any]] = []
    buffer = io.BytesIO()
    try:
        _Pickler(buffer, arrays).dump(value)
    except TransportError:
        raise
    except Exception as error:  # whatever a user's __reduce__ raises
        raise TransportError(f"{type(error).__name__}: {error}") from error
    blocks, places = _lay_out(arrays)
    if not blocks:
        return Parcel("", (), tuple(places), buffer.getvalue())
    offsets: list[tuple[int, int]] = []
    end = 0
    for low, high in blocks:
        # the address keeps its distance from an alignment boundary: libraries take other paths off it
        end += low % _ALIGN
        offsets.append((end, high - low))
        end = -(-(end + high - low) // _ALIGN) * _ALIGN
    path = area.place(end)
    try:
        _write(path, blocks, offsets)
    except OSError:
        # the memory file system filled up in between
        path.unlink(missing_ok=True)
        path = area.on_disk(end)
        try:
            _write(path, blocks, offsets)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise TransportError(f"{error.strerror or error}; {area.no_room(end)}") from error
    except BaseException:  # an interrupt in the middle of a large array
        path.unlink(missing_ok=True)
        raise
    del arrays
    return Parcel(str(path), tuple(offsets), tuple(places), buffer.getvalue())


def discard(parcel: Parcel) -> None:
    """Removes a parcel's file."""
    if parcel.file:
        Path(parcel.file).unlink(missing_ok=True)


class Opened:
    """A parcel seen from a process: gives the value as often as it is asked for.

    Every value that :meth:`value` returns stands alone: writing to it changes no other.
    """

    def __init__(self, parcel: Parcel) -> None:
        self.parcel = parcel
        self._maps: list[np.ndarray[Any, Any]] = []
        for offset, size in parcel.blocks:
            if size:
                self._maps.append(np.memmap(parcel.file, dtype=np.uint8, mode="r", offset=offset, shape=(size,)))
            else:
                self._maps.append(np.empty(0, np.uint8))

    def value(self, *, copy: bool = True) -> Any:
        """Builds the value.

        Parameters
        ----------
        copy : bool
            True: arrays in ordinary memory, writeable as the original was. False: read-only views of the shared file.
        """
        blocks = [_copied(block) for block in self._maps] if copy else self._maps
        arrays = []
        for place in self.parcel.arrays:
            array: np.ndarray[Any, Any] = np.ndarray(
                place.shape, place.dtype, buffer=blocks[place.block], offset=place.offset, strides=place.strides
            )
            if not place.writeable:
                array.flags.writeable = False
            arrays.append(array)
        return _Unpickler(io.BytesIO(self.parcel.payload), arrays).load()


def _copied(block: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Copies a block into memory of NumPy's allocator, as a user's arrays are, as far from an alignment boundary."""
    phase = block.__array_interface__["data"][0] % _ALIGN
    room = np.empty(block.size + _ALIGN, np.uint8)
    start = (phase - room.__array_interface__["data"][0]) % _ALIGN
    fresh = room[start : start + block.size]
    fresh[...] = block
    return fresh


class _Pickler(pickle.Pickler):
    """Pickles a value with its arrays put aside."""

    def __init__(self, file: io.BytesIO, arrays: list[np.ndarray[Any, Any]]) -> None:
        super().__init__(file, protocol=5)
        self.arrays = arrays
        self.numbers: dict[int, int] = {}

    def persistent_id(self, obj: Any) -> int | None:
        if not isinstance(obj, np.ndarray) or type(obj) not in (np.ndarray, np.memmap):
            return None
        if obj.dtype.hasobject:
            raise TransportError(f"an array of dtype {obj.dtype} holds Python objects: no backend computes with them")
        number = self.numbers.get(id(obj))
        if number is None:
            number = self.numbers[id(obj)] = len(self.arrays)
            self.arrays.append(obj)
        return number


class _Unpickler(pickle.Unpickler):
    """Loads a value, with its arrays put back."""

    def __init__(self, file: io.BytesIO, arrays: list[np.ndarray[Any, Any]]) -> None:
        super().__init__(file)
        self.arrays = arrays

    def persistent_load(self, pid: Any) -> Any:
        return self.arrays[pid]


def _lay_out(arrays: list[np.ndarray[Any, Any]]) -> tuple[list[tuple[int, int]], list[ArrayPlace]]:
    """Groups arrays that overlap in memory into blocks of addresses, and places each array in its block."""
    for number, array in enumerate(arrays):
        low, high = byte_bounds(array)
        if high - low > 4 * array.nbytes + 2**24:
            # a sparse view (`x[::1000]`): its gaps are not worth sending, its own strides are given up
            arrays[number] = np.array(array)
    bounds = [byte_bounds(array) for array in arrays]
    blocks: list[tuple[int, int]] = []
    block_of: dict[int, int] = {}
    for number in sorted(range(len(arrays)), key=lambda n: bounds[n]):
        low, high = bounds[number]
        if blocks and low < blocks[-1][1]:
            blocks[-1] = (blocks[-1][0], max(blocks[-1][1], high))
        else:
            blocks.append((low, high))
        block_of[number] = len(blocks) - 1
    places = []
    for number, array in enumerate(arrays):
        block = block_of[number]
        offset = array.__array_interface__["data"][0] - blocks[block][0] if array.size else 0
        strides = array.strides if array.size else tuple(0 for _ in array.shape)
        places.append(ArrayPlace(block, offset, array.shape, strides, array.dtype, bool(array.flags.writeable)))
    return blocks, places


def _write(path: Path, blocks: list[tuple[int, int]], offsets: list[tuple[int, int]]) -> None:
    with path.open("wb") as file:
        for (low, high), (offset, _) in zip(blocks, offsets, strict=True):
            file.seek(offset)
            if high > low:
                file.write(memoryview((ctypes.c_ubyte * (high - low)).from_address(low)).cast("B"))
        # a block of zero bytes at the end still needs its place
        file.truncate(max(file.tell(), 1))
