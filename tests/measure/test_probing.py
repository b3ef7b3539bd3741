"""Probing keeps to its time, and names what it had no time for: on a fake clock, with fake workers."""

from dataclasses import replace

import pytest

from jitmagic.measure.answers import Asked
from jitmagic.measure.probing import Candidate, Known, Probing, settled
from jitmagic.measure.process import WorkerCrashed, WorkerTimedOut
from jitmagic.verify import judge
from jitmagic.verify.judge import Judgement
from jitmagic.verify.movement import Movement
from jitmagic.verify.probes import SHAPE, VALUES, Probe
from jitmagic.verify.reference import RAISED, TAKEN, Expected

OWN = (("float64", (9,), "C"),)


class Workers:
    def __init__(self, compiles=1.0):
        self.now = 0.0
        self.compiles = compiles
        self.seen = {OWN}
        self.answers = {}
        self.ran = []

    def clock(self):
        return self.now

    def own(self):
        return OWN, {}

    def expect(self, probe, limit):
        self.now += 0.01
        status = RAISED if probe.name == "refused" else TAKEN
        signature = OWN if probe.changes == VALUES else (("float64", (len(probe.about),), "C"),)
        return Asked(Expected(probe, status, seconds=0.01), None, signature)

    def movement(self, asked):
        return {}

    def try_probe(self, variant, asked, timeout, movement, floor):
        self.ran.append((variant, asked.expected.probe.about))
        if asked.signature not in self.seen:
            self.seen.add(asked.signature)
            self.now += self.compiles
        self.now += 0.01
        answer = self.answers.get(asked.expected.probe.about, Judgement(judge.AGREES))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def check_bounds(self, variant, timeout):
        self.now += self.compiles
        return None


def plan(values=5, shapes=5):
    return [
        *(Probe("value", f"v{n}", ("x = x",)) for n in range(values)),
        *(Probe("size", "s" * (n + 1), ("x = x",), SHAPE) for n in range(shapes)),
    ]


def probed(workers, allowed, candidates, probes):
    probing = Probing(workers, allowed, 0.001, 60.0, workers.clock)
    probing.ask_numpy(probes, None)
    return {one.name: found for one, found in probing.probe(candidates)}, probing


def jax(name="jax", build=1.0):
    return Candidate(name, "jax", "jit", build, 0.01)


@pytest.mark.parametrize("allowed", [0.2, 1.0, 3.0, 20.0])
def test_it_takes_no_longer_than_allowed(allowed):
    workers = Workers()
    found, probing = probed(workers, allowed, [jax("a"), jax("b", 2.0)], plan())
    assert probing.spent <= allowed + 0.02
    for some in found.values():
        assert len(some) == 10  # each is there, run or not
        assert all(one.detail == "its time was spent" for one in some if one.outcome == judge.NOT_RUN)


def test_what_needs_no_compiling_goes_first():
    workers = Workers()
    probed(workers, 2.6, [jax()], plan()[::-1])
    assert [about for _, about in workers.ran][:5] == ["v4", "v3", "v2", "v1", "v0"]
    assert 0 < sum(about.startswith("s") for _, about in workers.ran) < 5


def test_a_compiler_that_does_not_look_at_shapes_has_time_for_all():
    workers = Workers(compiles=0.0)
    found, _ = probed(workers, 2.0, [Candidate("torch", "torch", "eager", 1.9, 0.001, by_shape=False)], plan())
    assert {one.outcome for one in found["torch"]} == {judge.AGREES}


def test_what_ends_a_worker_is_a_finding_and_ends_that_variants_probes():
    workers = Workers()
    workers.answers["v2"] = WorkerCrashed("a segmentation fault")
    found, _ = probed(workers, 60.0, [jax("a"), jax("b", 2.0)], plan())
    outcomes = [one.outcome for one in found["a"]]
    assert outcomes[:3] == [judge.AGREES, judge.AGREES, judge.CRASHED]
    assert set(outcomes[3:]) == {judge.NOT_RUN}
    assert [about for name, about in workers.ran if name == "b"][:3] == ["v0", "v1", "v2"]
    workers.answers["v2"] = WorkerTimedOut("too long")
    found, _ = probed(workers, 60.0, [jax("a")], plan())
    assert found["a"][2].outcome == judge.TIMED_OUT
    assert found["a"][2].wrong


class Slow(Workers):
    """Workers of which each probe would take a minute, were it not given up before."""

    def try_probe(self, variant, asked, timeout, movement, floor):
        self.ran.append((variant, timeout))
        self.now += min(60.0, timeout)
        if timeout < 60.0:
            raise WorkerTimedOut("given up")
        return Judgement(judge.AGREES)


def test_what_would_overrun_the_time_is_given_up_and_is_no_finding():
    workers = Slow()
    found, probing = probed(workers, 5.0, [jax("a"), jax("b", 2.0)], plan(3, 0))
    assert probing.spent <= 5.1
    assert [one.outcome for some in found.values() for one in some] == [judge.NOT_RUN] * 6
    assert {one.detail for some in found.values() for one in some} == {"its time was spent"}


def test_what_does_not_end_in_fair_time_is_a_finding():
    workers = Slow()
    found, probing = probed(workers, 60.0, [jax("a")], plan(3, 0))
    assert [one.outcome for one in found["a"]] == [judge.TIMED_OUT, judge.NOT_RUN, judge.NOT_RUN]
    assert probing.spent < 10


def test_a_variant_pays_for_the_worker_that_one_before_has_lost():
    workers = Workers()
    workers.answers["v1"] = WorkerCrashed("a segmentation fault")
    found, _ = probed(workers, 6.0, [jax("a"), jax("b", 1.5)], plan(3, 0))
    assert found["a"][1].outcome == judge.CRASHED
    assert {one.outcome for one in found["b"]} == {judge.NOT_RUN}


def test_bounds_are_checked_where_the_library_does_not():
    workers = Workers()
    found, _ = probed(workers, 60.0, [Candidate("numba", "numba", "serial", 1.0, 0.01, checks_bounds=True)], plan(1, 0))
    assert [one.name for one in found["numba"]] == ["bounds checked", "value"]


def test_a_difference_that_numpy_itself_makes_says_nothing():
    differs = Judgement(judge.DIFFERS, "values", "one is off", 1e-3)
    plain = Probe("zeros", "", ())
    assert settled(differs, plain, {"result": Movement(1e-4)}).outcome == judge.NOT_RUN
    assert settled(differs, plain, {"result": Movement(1e-9)}).outcome == judge.DIFFERS
    assert settled(differs, plain, {"result": Movement(float("inf"))}).outcome == judge.NOT_RUN
    assert settled(differs, Probe("a threshold met", "", ()), {"result": Movement(1e-4)}).outcome == judge.DIFFERS


def again(workers, allowed, candidates, probes, known):
    probing = Probing(workers, allowed, 0.001, 60.0, workers.clock, known)
    probing.ask_numpy(probes, None, candidates)
    return {one.name: found for one, found in probing.probe(candidates)}, probing


def test_what_is_known_of_a_call_is_taken_over_and_the_rest_is_gone_on_with():
    workers, known = Workers(), Known()
    workers.answers = {"v1": Judgement(judge.DIFFERS, "values", "off by one")}
    first, probing = again(workers, 3.0, [jax()], plan(), known)
    left = [one.arguments for one in first["jax"] if one.outcome == judge.NOT_RUN]
    assert left
    assert probing.taken_over == 0
    workers.ran.clear()
    second, probing = again(workers, 20.0, [jax()], plan(), known)
    assert [about for _, about in workers.ran] == left
    assert probing.taken_over == 10 - len(left)
    assert [one.arguments for one in second["jax"]] == [one.arguments for one in first["jax"]]
    assert next(one for one in second["jax"] if one.arguments == "v1").detail == "off by one"
    now = workers.now
    again(workers, 20.0, [jax()], plan(), known)
    assert workers.now == now  # neither NumPy nor the variant is asked again


def test_another_source_is_probed_anew_and_nothing_known_of_it_is_lost():
    workers, known = Workers(), Known()
    again(workers, 20.0, [jax()], plan(shapes=0), known)
    workers.ran.clear()
    other = replace(jax(), source="def f(x): return x")
    found, probing = again(workers, 20.0, [jax(), other], plan(shapes=0), known)
    assert len(workers.ran) == 5
    assert probing.taken_over == 5
    assert len(found["jax"]) == 5


def test_what_lost_a_worker_or_its_time_is_tried_again():
    workers, known = Workers(), Known()
    workers.answers = {"v1": WorkerCrashed("gone"), "v3": WorkerTimedOut("slow")}
    again(workers, 60.0, [jax()], plan(shapes=0), known)
    workers.ran.clear()
    workers.answers = {}
    found, _ = again(workers, 60.0, [jax()], plan(shapes=0), known)
    assert [about for _, about in workers.ran] == ["v1", "v2", "v3", "v4"]
    assert {one.outcome for one in found["jax"]} == {judge.AGREES}


def test_a_probe_that_numpy_refuses_is_asked_once_in_a_session():
    workers, known = Workers(), Known()
    refused = [replace(Probe("refused", "r", ("x = x",)), refusal=False)]
    again(workers, 60.0, [jax()], refused, known)
    now = workers.now
    found, _ = again(workers, 60.0, [jax()], refused, known)
    assert (workers.now, found["jax"]) == (now, [])
