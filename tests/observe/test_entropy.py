"""Generators without a seed: the same numbers in each run of a worker, and the system's entropy everywhere else."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.random import bit_generator

from jitmagic.observe import entropy
from jitmagic.observe.run import observe

TEXT = "import numpy as np\n\ndef fn(n):\n    return np.random.default_rng({0}).random(n)\n"


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(bit_generator, "randbits", bit_generator.randbits)  # put back afterwards
    entropy.install()


def watched(text):
    return observe(text, "fn", {}, lambda: ((3,), {}), ["n"])


MAKERS = (
    np.random.default_rng, np.random.RandomState, np.random.SeedSequence,
    lambda: np.random.Generator(np.random.Philox()), lambda: np.random.seed() or np.random.get_state(),
)  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_a_generator_without_a_seed_begins_alike_after_each_start(installed, make):
    def drawn():
        np.random.seed(0)
        entropy.restart()
        made = make()
        assert entropy.was_asked()
        if isinstance(made, np.random.SeedSequence):
            return made.generate_state(4)
        return made[1] if isinstance(made, tuple) else made.random(4) if hasattr(made, "random") else made.rand(4)

    one, two = drawn(), drawn()
    assert np.array_equal(one, two)


def test_two_generators_of_one_run_draw_different_numbers(installed):
    entropy.restart()
    one, two = np.random.default_rng(), np.random.default_rng()
    assert one.random() != two.random()


def test_a_seed_asks_for_no_entropy(installed):
    entropy.restart()
    np.random.default_rng(3).random()
    assert not entropy.was_asked()


def test_a_function_with_a_generator_of_its_own_is_seen_to_be_repeatable(installed):
    made = watched(TEXT.format(""))
    assert made.observation.unseeded
    assert made.observation.repeatable
    assert np.array_equal(made.result, watched(TEXT.format("")).result)
    assert not watched(TEXT.format("7")).observation.unseeded


def test_without_it_the_entropy_is_the_system_s():
    code = (
        "import numpy as np\nfrom jitmagic.observe import entropy\n"
        "entropy.restart()\none = np.random.default_rng().random()\n"
        "entropy.restart()\nassert one != np.random.default_rng().random()\nassert not entropy.was_asked()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
