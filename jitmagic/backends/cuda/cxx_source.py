"""Writes a program as CUDA Python: kernels in CUDA C++, compiled when the module is first used, and host functions."""

from __future__ import annotations

from typing import ClassVar

from jitmagic.analysis.words import words
from jitmagic.backends.cuda.cxx import Cxx
from jitmagic.backends.cuda.hosting import Text
from jitmagic.backends.cuda.kernels import Kernel
from jitmagic.backends.cuda.numba_source import Writer
from jitmagic.backends.cuda.program import Program
from jitmagic.backends.cuda.types import Array, Scalar
from jitmagic.backends.protocol import Draft

_ARRAY = '''
class DeviceArray:
    """An array in the GPU's memory; parts of it are views."""

    def __init__(self, shape, dtype, pointer=None, strides=None, owner=None):
        self.shape = (int(shape),) if isinstance(shape, (int, np.integer)) else tuple(map(int, shape))
        self.dtype = np.dtype(dtype)
        self.ndim, self.size = len(self.shape), math.prod(self.shape)
        # in elements, C order by default
        self.strides = strides or tuple(math.prod(self.shape[axis + 1 :]) for axis in range(self.ndim))
        self.owner = owner
        if pointer is None:
            self.owner = gpu().allocate(max(self.size, 1) * self.dtype.itemsize, stream=gpu().default_stream)
            pointer = int(self.owner.handle)
        self.pointer = pointer

    @property
    def __cuda_array_interface__(self):
        strides = tuple(step * self.dtype.itemsize for step in self.strides)
        return {
            "shape": self.shape, "typestr": self.dtype.str, "data": (self.pointer, False), "strides": strides,
            "version": 3,
        }

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        shape, strides, offset = [], [], 0
        key = key if isinstance(key, tuple) else (key,)
        for axis, part in enumerate(key + (slice(None),) * (self.ndim - len(key))):
            if isinstance(part, slice):
                several = range(self.shape[axis])[part]
                shape.append(len(several))
                strides.append(self.strides[axis] * several.step)
                offset += self.strides[axis] * several.start
            else:
                offset += self.strides[axis] * range(self.shape[axis])[part]
        pointer = self.pointer + offset * self.dtype.itemsize
        return DeviceArray(shape, self.dtype, pointer, tuple(strides), self.owner)

    def copy_to_host(self, into=None):
        """Returns its elements as a NumPy array; with `into`, writes them there."""
        host = np.empty(self.shape, self.dtype)
        transfer(host.ctypes.data, self.pointer, host.nbytes, to_host=True)
        if into is None:
            return host
        into[...] = host
        return into
'''

_HELPERS = {
    "on_device": f'''
@functools.cache
def gpu():
    """Returns the GPU, with a context to work in."""
    device = Device()
    device.set_current()
    return device


def transfer(to, source, size, to_host=False, to_device=False):
    """Copies bytes, and waits until they are there."""
    kinds = runtime.cudaMemcpyKind
    kind = kinds.cudaMemcpyDeviceToDevice
    if to_host or to_device:
        kind = kinds.cudaMemcpyDeviceToHost if to_host else kinds.cudaMemcpyHostToDevice
    (error,) = runtime.cudaMemcpy(to, source, size, kind)
    if error != runtime.cudaError_t.cudaSuccess:
        raise RuntimeError(f"copying {{size}} bytes between host and GPU failed: {{error}}")

{_ARRAY}

def on_device(array):
    """Returns an array of the GPU: the same one where it is there already, else a copy."""
    if isinstance(array, DeviceArray):
        return array
    if hasattr(array, "__cuda_array_interface__"):  # of CuPy, torch, Numba or JAX
        told = array.__cuda_array_interface__
        whole = np.dtype(told["typestr"]).itemsize
        strides = told.get("strides")
        made = DeviceArray(
            told["shape"], told["typestr"], told["data"][0], strides and tuple(step // whole for step in strides), array
        )
        if made.strides != DeviceArray(made.shape, made.dtype, made.pointer).strides:
            raise ValueError("an array of the GPU has to lie in C order: copy it first")
        return made
    host = np.ascontiguousarray(array)
    new = DeviceArray(host.shape, host.dtype)
    transfer(new.pointer, host.ctypes.data, host.nbytes, to_device=True)
    return new


@functools.cache
def compiled(name):
    """Compiles the kernels for the GPU that is here."""
    program = Program(KERNELS, "c++", ProgramOptions(std="c++17", arch=f"sm_{{gpu().arch}}"))
    return program.compile("cubin").get_kernel(name)


def arguments(values):
    """Returns a kernel's arguments: an array as its address and its shape, a part of one with its strides too."""
    for value in values:
        if not isinstance(value, (DeviceArray, strided)):
            yield value
            continue
        array = value.array if isinstance(value, strided) else value
        yield from (array.pointer, *map(np.int64, array.shape))
        if isinstance(value, strided):
            yield from map(np.int64, array.strides)


class strided:
    """A part of an array, which a kernel takes with its strides."""

    def __init__(self, array):
        self.array = array


def run(name, blocks, threads, *values):
    """Launches a kernel; what comes later on the same stream waits for it."""
    launch(gpu().default_stream, LaunchConfig(grid=blocks, block=threads), compiled(name), *arguments(values))
''',
    "run_all": '''
@functools.cache
def threads_of(name):
    """Returns how many threads a block has: 256, or 128 where a multiprocessor takes more threads in such blocks."""
    resident = compiled(name).occupancy.max_active_blocks_per_multiprocessor
    return max((256, 128), key=lambda threads: resident(threads, 0) * threads)


def run_all(name, extents, *values):
    """Launches a kernel over so many steps."""
    if min(extents) > 0:
        run(name, *grid_of(threads_of(name), *extents), *values)
''',
    "filled": '''
def filled(shape, value, dtype):
    """Returns a new array of the GPU that holds one value."""
    array = DeviceArray(shape, dtype)
    if value == 0:
        array.owner.fill(0, stream=gpu().default_stream)
    else:
        host = np.full(array.shape, value, array.dtype)
        transfer(array.pointer, host.ctypes.data, host.nbytes, to_device=True)
    return array
''',
    "copied": '''
def copied(array):
    """Returns a copy on the GPU."""
    new = DeviceArray(array.shape, array.dtype)
    transfer(new.pointer, array.pointer, array.size * array.dtype.itemsize)
    return new
''',
}


def write(program: Program) -> Draft:
    """Writes the draft; raises Unsupported with the user's line."""
    return _CxxWriter(program).draft()


class _CxxWriter(Writer):
    variant, mode = "cuda-python", "c++"
    helpers: ClassVar[dict[str, str]] = {**_HELPERS, "grid_of": Writer.helpers["grid_of"]}
    imports = (
        "import functools\n\nfrom cuda.bindings import runtime\n"
        "from cuda.core import Device, LaunchConfig, Program, ProgramOptions, launch"
    )
    empty = "DeviceArray({shape}, {dtype})"
    reserved = words(
        "gpu transfer DeviceArray compiled threads_of arguments strided run functools runtime Device LaunchConfig "
        "Program ProgramOptions launch KERNELS"
    )

    def _kernels(self, into: Text) -> None:
        self.math = True
        text = Cxx(self.program).source()
        into.add(f'\n\nKERNELS = r"""\n{text}"""')

    def _passed(self, kernel: Kernel, names: list[str]) -> list[str]:
        """Writes arguments in the types that the kernel takes."""
        np = self.module_names["numpy"]
        totals = {total.name: total.dtype for total in kernel.totals}
        found = []
        for name in names:
            kind = kernel.types.get(name)
            if isinstance(kind, Array):
                found.append(f"strided({name})" if kind.view else self._there(name))
            elif isinstance(kind, Scalar):
                dtype = totals.get(name, kind.dtype)
                found.append(f"{np}.{'bool_' if dtype == 'bool' else dtype}({name})")
            else:
                found.append(name)
        return found

    def _plain_launch(self, kernel: Kernel, extents: list[str], passed: list[str]) -> str:
        given = ", ".join(self._passed(kernel, passed))
        self.helper("grid_of")
        steps = f"{', '.join(extents)}{',' if len(extents) == 1 else ''}"
        return f'{self.helper("run_all")}("{kernel.name}", ({steps}), {given})'

    def _total_launch(
        self, kernel: Kernel, blocks: str, threads: str, passed: list[str], first: list[str], several: list[str]
    ) -> str:
        pairs = []
        for total in kernel.totals:
            if total.name in first:
                pairs += self._passed(kernel, [total.name])
            pairs.append(f"{total.name}_of_blocks.pointer")
        given = ", ".join([*self._passed(kernel, passed), *pairs])
        return f'run("{kernel.name}", {blocks}, {threads}, {given})'
