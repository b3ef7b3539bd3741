"""Runs a source of Numba CUDA in Numba's simulator: a process of its own, since the simulator is chosen before import.

Reads a pickled list of (source, entry, arguments) from standard input, and writes a pickled list of what came of each:
("result", value, arguments afterwards) or ("error", type, message). Arrays come back from the host's side.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

_RUN = """
import os, pickle, sys, types
answers = sys.stdout.buffer
sys.stdout = sys.stderr
from numba import cuda
from numba.core import config
assert config.ENABLE_CUDASIM
from numba.cuda.simulator.kernel import FakeCUDAKernel
from tests.backends.cuda import recorded
# what the simulator does not say of itself: an H100's registers, and those of a kernel
gpu = types.SimpleNamespace(MAX_REGISTERS_PER_MULTIPROCESSOR=recorded.GPUS[-1].registers)
cuda.get_current_device = lambda: gpu
FakeCUDAKernel.get_regs_per_thread = lambda self: 72
configured = FakeCUDAKernel.__getitem__
def checked(self, configuration):
    three = [one if isinstance(one, tuple) else (one,) for one in configuration[:2]]
    recorded.allowed(*three)
    return configured(self, configuration)
FakeCUDAKernel.__getitem__ = checked
found = []
for source, entry, args, moved in pickle.load(sys.stdin.buffer):
    scope = {"__name__": "variant"}
    try:
        exec(compile(source, "<variant>", "exec"), scope)
        given = [cuda.to_device(a) if place in moved else a for place, a in enumerate(args)]
        result = scope[entry](*given)
        def fetched(value):
            if isinstance(value, tuple):
                return tuple(fetched(one) for one in value)
            return ("there", value.copy_to_host()) if hasattr(value, "copy_to_host") else value
        found.append(("result", fetched(result), [fetched(a) for a in given]))
    except Exception as error:
        import traceback
        found.append(("error", type(error).__name__, traceback.format_exc()))
pickle.dump(found, answers)
"""


def simulate(cases):
    """Runs (source, entry, arguments, places of arguments that lie on the GPU) and returns what came of each."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN],
        input=pickle.dumps(cases),
        capture_output=True,
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return pickle.loads(done.stdout)
