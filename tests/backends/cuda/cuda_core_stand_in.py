# ruff: noqa: E501
"""A `cuda.core` without a GPU: kernels are compiled by g++ for the host, and a block's threads are the system's.

Only what the sources of the variant `cuda-python` use. Names and signatures are those of cuda-core 1.2 and
cuda-bindings 13.5.
"""

from __future__ import annotations

import ctypes
import enum
import hashlib
import re
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import numpy as np

from tests.backends.cuda import recorded

_SHIM = r"""
#include <cmath>
#undef INFINITY  // NVRTC includes nothing
#undef NAN
using namespace std;
#define __global__
#define __device__
#define __shared__ static
struct Place { unsigned x, y, z; };
static thread_local Place threadIdx;
static Place blockIdx, blockDim, gridDim;
"""

_TOGETHER = r"""
#include <barrier>
#include <thread>
#include <vector>
static std::barrier<>* barrier_;
static void __syncthreads() { barrier_->arrive_and_wait(); }
"""

_LAUNCH = r"""
extern "C" void launch_{name}(Place grid__, Place block__{parameters})
{{
    gridDim = grid__;
    blockDim = block__;
    for (unsigned z__ = 0; z__ < grid__.z; ++z__)
    for (unsigned y__ = 0; y__ < grid__.y; ++y__)
    for (unsigned x__ = 0; x__ < grid__.x; ++x__)
    {{
        blockIdx = {{x__, y__, z__}};
        {before}
        for (unsigned c__ = 0; c__ < block__.z; ++c__)
        for (unsigned b__ = 0; b__ < block__.y; ++b__)
        for (unsigned a__ = 0; a__ < block__.x; ++a__)
        {{
            auto work__ = [=] {{ threadIdx = {{a__, b__, c__}}; {name}({passed}); }};
            {work}
        }}
        {after}
    }}
}}
"""

_IN_THREADS = {
    "before": "std::barrier<> all__(block__.x * block__.y * block__.z); barrier_ = &all__; std::vector<std::thread> several__;",
    "work": "several__.emplace_back(work__);",
    "after": "for (auto& one : several__) one.join();",
}
_ONE_BY_ONE = {"before": "", "work": "work__();", "after": ""}


def _complex(part):
    """Makes a class of complex numbers as they are passed by value."""

    class Complex(ctypes.Structure):
        _fields_ = [("real", part), ("imag", part)]

        def __init__(self, value):
            super().__init__(value.real, value.imag)

    return Complex


_KINDS = {
    "complex64": _complex(ctypes.c_float), "complex128": _complex(ctypes.c_double),
    "bool": ctypes.c_bool, "signed char": ctypes.c_int8, "short": ctypes.c_int16, "int": ctypes.c_int32,
    "long long": ctypes.c_int64, "unsigned char": ctypes.c_uint8, "unsigned short": ctypes.c_uint16,
    "unsigned int": ctypes.c_uint32, "unsigned long long": ctypes.c_uint64, "float": ctypes.c_float,
    "double": ctypes.c_double,
}  # fmt: skip

_HEAD = re.compile(r'extern "C" __global__ void (\w+)\(\n\s+(.*?)\)\n', re.DOTALL)


class _Place(ctypes.Structure):
    _fields_ = [("x", ctypes.c_uint), ("y", ctypes.c_uint), ("z", ctypes.c_uint)]


def signatures(code):
    """Returns the parameters of each kernel as (type, name)."""
    return {
        name: [(one.rpartition(" ")[0].strip(), one.rpartition(" ")[2]) for one in several.split(", ")]
        for name, several in _HEAD.findall(code)
    }


class _Kernel:
    class occupancy:
        @staticmethod
        def max_active_blocks_per_multiprocessor(block_size, dynamic_shared_memory_size):
            assert dynamic_shared_memory_size == 0
            return Device.attributes.resident(block_size, Device.registers)

    def __init__(self, function, parameters):
        self.function, self.parameters = function, parameters


class Program:
    folder = None

    def __init__(self, code, code_type, options=None):
        assert code_type == "c++"
        self.code = code

    def compile(self, target_type, name_expressions=()):
        assert target_type == "cubin"
        found = signatures(self.code)
        together = "__syncthreads" in self.code
        text = _SHIM + (_TOGETHER if together else "") + self.code
        for name, parameters in found.items():
            text += _LAUNCH.format(
                name=name,
                parameters="".join(f", {kind} {one}" for kind, one in parameters),
                passed=", ".join(one for _, one in parameters),
                **(_IN_THREADS if together else _ONE_BY_ONE),
            )
        if Program.folder is None:
            Program.folder = tempfile.TemporaryDirectory()
        path = Path(Program.folder.name) / f"{hashlib.sha1(text.encode()).hexdigest()}.so"
        if not path.exists():
            done = subprocess.run(
                ["g++", "-std=c++20", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-pthread", "-x", "c++", "-", "-o", str(path)],
                input=text, capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr[:3000] + text
        library = ctypes.CDLL(str(path))
        kernels = {name: _Kernel(library[f"launch_{name}"], parameters) for name, parameters in found.items()}
        return types.SimpleNamespace(get_kernel=kernels.__getitem__)


class Buffer:
    def __init__(self, size):
        self.memory = np.full(size, 0xAB, np.uint8)  # new memory holds anything
        self.handle = self.memory.ctypes.data

    def fill(self, value, *, stream):
        self.memory[:] = value


class Device:
    arch = "90"
    attributes, registers = recorded.GPUS[-1], 72
    default_stream = "the default stream"

    def __init__(self, number=0):
        self.current = False

    def set_current(self):
        self.current = True

    def allocate(self, size, *, stream):
        assert self.current
        return Buffer(size)

    def sync(self):
        pass


class LaunchConfig:
    def __init__(self, grid=None, block=None):
        self.grid, self.block = (_three(one) for one in (grid, block))
        recorded.allowed(*(tuple(getattr(one, axis) for axis in "xyz") for one in (self.grid, self.block)))


def _three(given):
    several = (given,) if isinstance(given, int) else tuple(given)
    assert all(isinstance(one, int) and one > 0 for one in several), several
    return _Place(*several, *(1,) * (3 - len(several)))


def launch(stream, config, kernel, *values):
    assert stream == Device.default_stream
    assert len(values) == len(kernel.parameters), (values, kernel.parameters)
    passed = []
    for value, (kind, name) in zip(values, kernel.parameters, strict=True):
        if kind.endswith("*"):
            assert type(value) is int, (name, value)  # cuda.core takes a Python int for an address, and nothing else
            passed.append(ctypes.c_void_p(value))
            continue
        wanted = _KINDS[kind]
        assert isinstance(value, np.generic), (name, value)
        assert value.dtype.itemsize == ctypes.sizeof(wanted), (name, value)
        passed.append(wanted(value.item()))
    kernel.function(config.grid, config.block, *passed)


class _Copies(enum.Enum):
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2
    cudaMemcpyDeviceToDevice = 3


def cudaMemcpy(to, source, size, kind):
    ctypes.memmove(to, source, size)
    return (0,)


def installed(monkeypatch):
    """Puts the stand-in where `cuda.core` and `cuda.bindings` would be."""
    core = types.ModuleType("cuda.core")
    for name in ("Device", "LaunchConfig", "Program", "launch"):
        setattr(core, name, globals()[name])
    core.ProgramOptions = lambda std, arch: None
    runtime = types.ModuleType("cuda.bindings.runtime")
    runtime.cudaMemcpy, runtime.cudaMemcpyKind = cudaMemcpy, _Copies
    runtime.cudaError_t = types.SimpleNamespace(cudaSuccess=0)
    bindings = types.ModuleType("cuda.bindings")
    bindings.runtime = runtime
    cuda = types.ModuleType("cuda")
    cuda.core, cuda.bindings = core, bindings
    for module in (cuda, core, bindings, runtime):
        monkeypatch.setitem(sys.modules, module.__name__, module)
