"""Gotchas after the variants were tried."""

from jitmagic.gotchas.diagnostic import Gotcha
from jitmagic.gotchas.settle import settle


def gotcha(code, backend, severity, line=3):
    return Gotcha(code, backend, severity, "confirmed", line, 4, line, 9, "m", "f", False, "https://example.org")


def test_an_error_that_a_verified_variant_avoids_is_no_warning():
    (one,) = settle([gotcha("NB-AXIS", "numba", "error")], ["numba"], {"numba": ["array"]})
    assert one.handled
    (one,) = settle([gotcha("NB-AXIS", "numba", "error")], ["numba"], {})
    assert not one.handled


def test_a_silent_trap_stays_whatever_was_verified_here():
    (one,) = settle([gotcha("NB-OOB", "numba", "silent")], ["numba"], {"numba": ["array"]})
    assert not one.handled


def test_a_loop_is_a_warning_only_where_it_was_left_as_it_stands():
    unroll = gotcha("JX-UNROLL", "jax", "performance")
    assert settle([unroll], ["jax"], {"jax": ["fori_loop"]})[0].handled
    assert not settle([unroll], ["jax"], {"jax": ["unrolled"]})[0].handled


def test_backends_that_were_not_asked_for_are_left_out_and_doubles_merged():
    all_of_them = [gotcha("NB-OOB", "numba", "silent")] * 2 + [gotcha("JX-PRINT", "jax", "silent")]
    assert [one.code for one in settle(all_of_them, ["numba"], {})] == ["NB-OOB"]
