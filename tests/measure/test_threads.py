"""Threads: how many a worker's libraries have, and that those of an idle worker sleep."""

import importlib.util
import time

import numpy as np
import psutil
import pytest

from jitmagic.backends import all_backends
from jitmagic.backends.protocol import Draft
from jitmagic.capture.function import from_function
from jitmagic.capture.workload import ModuleText
from jitmagic.measure import threads
from jitmagic.measure.bench import Bench
from jitmagic.measure.pool import Pool
from jitmagic.measure.threads import Limited, calls_blas, environment, has_threads

CORES = psutil.cpu_count() or 1


def product(x):
    return x @ x


def rows(x):
    out = np.empty(x.shape[0])
    for i in range(x.shape[0]):
        out[i] = np.sin(x[i]).sum()
    return out


# a parallel loop is what Numba has threads for
WORK = {"numba": rows}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a @ b", True),
        ("np.dot(a, b)", True),
        ("a.dot(b)", True),
        ("np.linalg.solve(a, b)", True),
        ("np.einsum('ij,jk', a, b)", True),
        ("a * b + np.exp(a).sum()", False),
    ],
)
def test_what_calls_blas(text, expected):
    assert calls_blas(f"import numpy as np\n\ndef f(a, b):\n    return {text}\n") is expected


def draft(backend, mode, text="def f(a):\n    return a + 1\n"):
    return Draft(backend, backend, mode, "array", ModuleText(text, (None,) * text.count("\n")), "f")


def test_what_has_threads():
    known = all_backends()
    assert not has_threads(known["numpy"], draft("numpy", "baseline"))
    assert has_threads(known["numpy"], draft("numpy", "baseline", "def f(a):\n    return a @ a\n"))
    assert not has_threads(known["numba"], draft("numba", "serial"))
    assert has_threads(known["numba"], draft("numba", "parallel"))
    assert has_threads(known["jax"], draft("jax", "jit"))
    assert has_threads(known["torch"], draft("torch", "eager"))


def test_a_limited_backend_is_its_backend_in_other_processes():
    base = all_backends()["jax"]
    held = Limited(base, 3)
    assert (held.name, held.title, held.runtime) == (base.name, base.title, base.runtime)
    assert threads.seat(held) != threads.seat(base) == "jax"
    assert held.compiles_by_shape("jit") == base.compiles_by_shape("jit")
    assert dict(held.environment("cpu")) == {**base.environment("cpu"), **environment(3)}


@pytest.fixture
def pool():
    made = Pool()
    yield made
    made.shutdown()


def built(pool, backend, function, *args):
    """Builds a backend's first draft in a worker; returns the bench, what was built, and the variant's name."""
    workload = from_function(function, args, {})
    bench = Bench(workload, pool, 60.0)
    observation = bench.observe(all_backends()["numpy"], 10.0, 60.0)
    drafts = backend.drafts(workload, observation)
    chosen = next((one for one in drafts if getattr(one, "mode", "") == "parallel"), drafts[0])
    made = bench.build(backend, "cpu", chosen)
    assert made.finding is not None
    assert made.finding.ok
    return bench, made, chosen.variant


@pytest.mark.skipif(CORES < 2, reason="one core has one thread")
@pytest.mark.parametrize("name", ["numpy", "numba", "jax", "torch"])
def test_a_worker_has_the_threads_that_it_was_given(pool, name):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    backend = all_backends()[name]
    x = np.random.default_rng(0).random((200, 200))
    _, free, _ = built(pool, backend, WORK.get(name, product), x)
    _, one, _ = built(pool, Limited(backend, 1), WORK.get(name, product), x)
    assert one.threads == 1
    # what the user has set beforehand holds for a worker without a limit
    assert free.threads is not None
    assert 1 < free.threads <= CORES


@pytest.mark.parametrize("name", ["numpy", "numba", "jax", "torch"])
def test_an_idle_worker_takes_no_cpu(pool, name):
    """Threads that wait for more work at full speed would run into the next variant's sample."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    x = np.random.default_rng(0).random((200, 200))
    bench, _, variant = built(pool, all_backends()[name], WORK.get(name, product), x)
    sample = bench.sampler(variant, 1e-3)
    worker = pool.living(name, "cpu")
    process = psutil.Process(worker.pid)
    spent = []
    for _ in range(10):
        sample(20, 1)
        # a clock tick of the kernel's account is 10 ms
        before = sum(process.cpu_times()[:2])
        time.sleep(0.2)
        spent.append(sum(process.cpu_times()[:2]) - before)
    assert sorted(spent)[len(spent) // 2] <= 0.02, spent
