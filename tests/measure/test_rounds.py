"""The pace of a measurement, on a fake clock and fake variants."""

import itertools
import random

import pytest

from jitmagic.measure.rounds import Plan, run_rounds


class Machine:
    """A machine whose time passes only when a variant runs."""

    def __init__(self, speeds, noise=0.0, seed=0):
        self.now = 0.0
        self.speeds = dict(speeds)
        self.noise = noise
        self.rng = random.Random(seed)
        self.log = []

    def clock(self):
        return self.now

    def sampler(self, name):
        def sample(calls, warm):
            seconds = self.speeds[name] * (1 + self.noise * self.rng.random())
            self.now += seconds * (calls + warm)
            self.log.append((name, calls, warm))
            return seconds

        return sample

    def run(self, plan=None, estimates=None, **more):
        samplers = {name: self.sampler(name) for name in self.speeds}
        return run_rounds(
            samplers,
            estimates or self.speeds,
            "numpy",
            plan or Plan(),
            failures=(RuntimeError,),
            clock=self.clock,
            **more,
        )


def test_every_round_holds_every_variant_once_in_changing_order():
    machine = Machine({"numpy": 0.03, "jax": 0.02, "numba": 0.025}, noise=0.3)
    rounds = machine.run()
    lengths = {len(one.samples) for one in rounds.series.values()}
    assert len(lengths) == 1
    names = [name for name, _, _ in machine.log]
    in_threes = [tuple(names[i : i + 3]) for i in range(0, len(names) - 2, 3)]
    assert all(set(three) == {"numpy", "jax", "numba"} for three in in_threes)
    assert len(set(in_threes)) > 1


def test_a_fast_variant_is_called_often_enough_to_fill_a_sample():
    machine = Machine({"numpy": 1e-5, "numba": 1e-7})
    machine.run(Plan(budget=1.0), estimates={"numpy": 1e-3, "numba": 1e-3})
    calls = {name: n for name, n, _ in machine.log}
    sample = Plan().sample_seconds
    assert calls["numpy"] == pytest.approx(sample / 1e-5, rel=0.01)
    assert calls["numba"] == pytest.approx(sample / 1e-7, rel=0.01)


def test_a_variant_that_becomes_slow_is_called_less_often():
    machine = Machine({"numpy": 1e-5, "threads": 2e-6}, noise=0.5)
    sampler = machine.sampler("threads")
    taken = []

    def stalling(calls, warm):
        taken.append(calls)
        machine.speeds["threads"] = 2e-6 if len(taken) < 3 else 1e-3
        return sampler(calls, warm)

    run_rounds(
        {"numpy": machine.sampler("numpy"), "threads": stalling},
        {"numpy": 1e-5, "threads": 2e-6},
        "numpy",
        Plan(budget=60.0, most=20),
        failures=(RuntimeError,),
        clock=machine.clock,
    )
    few = Plan().sample_seconds / 1e-3
    assert taken[2] > 100 * few
    assert max(taken[4:]) <= 2 * few


def test_calls_that_were_counted_in_a_slow_moment_are_counted_again():
    machine = Machine({"numpy": 1e-5, "threads": 1e-4})
    sampler = machine.sampler("threads")

    def waking(calls, warm):
        machine.speeds["threads"] = 1e-4 if len(machine.log) < 3 else 1e-5
        return sampler(calls, warm)

    run_rounds(
        {"numpy": machine.sampler("numpy"), "threads": waking},
        machine.speeds,
        "numpy",
        Plan(budget=60.0, most=20),
        failures=(RuntimeError,),
        clock=machine.clock,
    )
    taken = [calls for name, calls, _ in machine.log if name == "threads"]
    assert taken[-1] == pytest.approx(Plan().sample_seconds / 1e-5, rel=0.01)


def test_it_stops_early_when_the_ratios_are_tight():
    machine = Machine({"numpy": 0.05, "jax": 0.01}, noise=0.0)
    rounds = machine.run(Plan(budget=100.0, least=5))
    assert len(rounds.series["jax"].samples) <= 6
    assert machine.now < 10


def test_what_is_clear_is_measured_less_often_than_what_is_close():
    clear = Machine({"numpy": 0.05, "jax": 0.02}, noise=0.4).run(Plan(budget=1000.0))
    close = Machine({"numpy": 0.05, "jax": 0.0505}, noise=0.4).run(Plan(budget=1000.0))
    assert 5 < len(clear.series["jax"].samples) < len(close.series["jax"].samples) / 2


def test_a_narrower_margin_takes_more_rounds_where_the_ratio_is_clear():
    def rounds(margin):
        machine = Machine({"numpy": 0.05, "jax": 0.01}, noise=0.4)
        return len(machine.run(Plan(budget=1000.0, margin=margin)).series["jax"].samples)

    wide, narrow = rounds(0.15), rounds(0.03)
    assert 4 * wide < narrow < 1000


def test_more_is_asked_where_the_verdict_hangs_on_it():
    rounds = {
        variant: len(Machine({"numpy": 0.02, "jax": 0.02 / variant}, noise=0.3).run(Plan(budget=1000.0, replaced=0))
                     .series["jax"].samples)
        for variant in (1.07, 1.14, 1.22)
    }  # fmt: skip
    assert rounds[1.07] > 2 * rounds[1.14]
    assert rounds[1.22] < rounds[1.14] < 3 * rounds[1.22]


def test_a_ratio_that_is_not_steady_keeps_the_clock_running_for_as_long_as_rounds_tell_more_of_it():
    machine = Machine({"numpy": 0.05, "jax": 0.05})
    turns = itertools.cycle([1.0, 30.0])

    def restless(calls, warm):
        machine.now += 0.05
        return 0.05 * next(turns)

    rounds = run_rounds(
        {"numpy": machine.sampler("numpy"), "jax": restless}, machine.speeds, "numpy", Plan(budget=20.0),
        failures=(RuntimeError,), clock=machine.clock,
    )  # fmt: skip
    assert 40 <= len(rounds.series["jax"].samples) < 60
    assert machine.now < 10


def test_all_but_long_calls_are_made_once_more_before_a_sample():
    machine = Machine({"numpy": 0.8, "numba": 0.2, "jax": 0.002})
    machine.run()
    warm = {name: warm for name, _, warm in machine.log}
    assert warm == {"numpy": 0, "numba": 1, "jax": 1}


def test_a_sample_is_foretold_to_last_as_long_as_it_does():
    for call in (0.8, 0.2, 1e-4):
        machine = Machine({"numpy": call, "jax": call})
        rounds = machine.run(Plan(budget=5.0))
        samples = sum(len(one.samples) for one in rounds.series.values())
        assert machine.now / samples == pytest.approx(Plan().lasts(call), rel=0.3)


def test_rounds_in_which_a_variant_still_gets_faster_count_for_none():
    machine = Machine({"numpy": 0.02, "jax": 0.02, "numba": 0.019}, noise=0.1)
    sampler, taken = machine.sampler("jax"), 0

    def warming(calls, warm):
        nonlocal taken
        taken += 1
        machine.speeds["jax"] = 0.02 * (1.5 if taken <= 8 else 1.0)
        return sampler(calls, warm)

    samplers = {"numpy": machine.sampler("numpy"), "jax": warming, "numba": machine.sampler("numba")}
    rounds = run_rounds(
        samplers, machine.speeds, "numpy", Plan(budget=60.0, at_least=10.0), failures=(RuntimeError,),
        clock=machine.clock,
    )  # fmt: skip
    assert rounds.warm_up == {"jax": 7}  # the first of the eight said how many calls make a sample
    assert max(rounds.series["jax"].samples) < 0.025
    assert len({len(one.samples) for one in rounds.series.values()}) == 1


def test_noise_keeps_it_at_work_until_the_budget_is_spent_and_no_longer():
    machine = Machine({"numpy": 0.05, "jax": 0.05}, noise=3.0)
    rounds = machine.run(Plan(budget=10.0, most=10_000))
    assert 8.0 < machine.now <= 10.5
    assert len(rounds.series["numpy"].samples) > 10


def test_a_function_slower_than_the_budget_still_gets_three_rounds():
    machine = Machine({"numpy": 30.0, "jax": 20.0})
    rounds = machine.run(Plan(budget=10.0))
    assert len(rounds.series["numpy"].samples) == 3


def test_a_variant_that_is_lost_on_the_way_leaves_the_others_whole():
    machine = Machine({"numpy": 0.02, "jax": 0.02, "numba": 0.02}, noise=0.5)
    samplers = {name: machine.sampler(name) for name in machine.speeds}
    count = 0

    def lost(calls, warm):
        nonlocal count
        count += 1
        if count > 3:
            raise RuntimeError("a segmentation fault")
        return samplers["jax"](calls, warm)

    rounds = run_rounds(
        {**samplers, "jax": lost},
        machine.speeds,
        "numpy",
        Plan(),
        failures=(RuntimeError,),
        clock=machine.clock,
    )
    assert str(rounds.failed["jax"]) == "a segmentation fault"
    assert "jax" not in rounds.series
    assert len(rounds.series["numpy"].samples) == len(rounds.series["numba"].samples) >= 5


def test_a_lost_baseline_ends_it():
    def lost(calls, warm):
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        run_rounds({"numpy": lost}, {"numpy": 1.0}, "numpy", Plan(), failures=(RuntimeError,))


def test_an_interrupt_keeps_the_whole_rounds_before_it():
    machine = Machine({"numpy": 0.02, "jax": 0.02}, noise=0.9)
    samplers = {name: machine.sampler(name) for name in machine.speeds}
    taken = 0

    def interrupted(calls, warm):
        nonlocal taken
        taken += 1
        if taken == 6:  # the first says how many calls make a sample
            raise KeyboardInterrupt
        return samplers["jax"](calls, warm)

    rounds = run_rounds(
        {"numpy": samplers["numpy"], "jax": interrupted},
        machine.speeds,
        "numpy",
        Plan(),
        failures=(RuntimeError,),
        clock=machine.clock,
    )
    assert rounds.interrupted
    assert len(rounds.series["numpy"].samples) == len(rounds.series["jax"].samples) == 4


def test_progress_counts_up_and_the_time_left_down():
    machine = Machine({"numpy": 0.05, "jax": 0.05}, noise=3.0)
    seen = []
    machine.run(Plan(budget=5.0), progress=lambda done, total, left: seen.append((done, total, left)))
    assert [done for done, _, _ in seen] == list(range(len(seen)))
    assert all(one[2] >= two[2] for one, two in itertools.pairwise(seen))


def test_the_ratios_so_far_are_told_after_three_rounds_and_grow_sure():
    machine = Machine({"numpy": 0.05, "jax": 0.01}, noise=0.3)
    seen = []
    rounds = machine.run(Plan(budget=5.0, margin=0.03), so_far=seen.append)
    assert all(set(one) == {"jax"} for one in seen)
    counts = [one["jax"].samples for one in seen]
    assert counts[0] == 3
    assert counts == sorted(counts)
    assert counts[-1] <= len(rounds.series["jax"].samples)
    assert seen[-1]["jax"].relative_width < seen[0]["jax"].relative_width
    assert 4.0 < seen[-1]["jax"].median < 6.0


def replacing(machine, each=0.5):
    """Gives every process of a variant a speed of its own, as `machine.speeds` times what a seeded draw says."""
    plain, draw, asked = dict(machine.speeds), random.Random(3), []

    def replace(names):
        machine.now += each
        asked.append((machine.now, tuple(names)))
        for name in names:
            machine.speeds[name] = plain[name] * (1 + 0.05 * draw.random())
        return names

    return replace, asked


def test_what_is_level_with_the_baseline_is_timed_in_several_processes():
    machine = Machine({"numpy": 0.011, "same": 0.011, "fast": 0.001}, noise=0.02)
    replace, asked = replacing(machine)
    rounds = machine.run(Plan(budget=20.0), replace=replace)
    assert [set(names) for _, names in asked] == [{"numpy", "same"}] * Plan.replaced
    assert len(rounds.series["same"].fresh) == Plan.replaced
    assert rounds.series["numpy"].fresh == rounds.series["same"].fresh
    assert rounds.series["fast"].fresh == []
    # spread over the budget
    assert [round(at / 20.0, 1) for at, _ in asked] == pytest.approx([0.2, 0.4, 0.6, 0.8], abs=0.1)
    assert len({len(one.samples) for one in rounds.series.values()}) == 1


def test_what_is_clearly_apart_is_left_in_its_process():
    machine = Machine({"numpy": 0.011, "fast": 0.004}, noise=0.3)
    replace, asked = replacing(machine)
    machine.run(Plan(budget=5.0), replace=replace)
    assert asked == []


def test_a_replacement_that_takes_too_long_is_the_last():
    machine = Machine({"numpy": 0.011, "same": 0.011}, noise=0.02)
    replace, asked = replacing(machine, each=3.0)
    rounds = machine.run(Plan(budget=10.0), replace=replace)
    assert len(asked) == 1
    assert len(rounds.series["same"].fresh) == 1


def test_a_variant_that_fails_in_its_new_process_is_lost_alone():
    machine = Machine({"numpy": 0.011, "same": 0.011, "other": 0.011}, noise=0.02)
    replace, asked = replacing(machine)
    samplers = {name: machine.sampler(name) for name in machine.speeds}

    def failing(calls, warm):
        if asked:
            raise RuntimeError("it cannot be built again")
        return samplers["same"](calls, warm)

    rounds = run_rounds(
        {**samplers, "same": failing},
        machine.speeds,
        "numpy",
        Plan(budget=10.0),
        failures=(RuntimeError,),
        clock=machine.clock,
        replace=replace,
    )
    assert set(rounds.failed) == {"same"}
    assert len(rounds.series["other"].fresh) == Plan.replaced
