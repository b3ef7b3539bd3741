"""The text view: what a reader of 80 columns sees, and that no record can break the layout or the terminal."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitmagic.report import record as rec
from jitmagic.report import rows, text
from tests.report import samples
from tests.report.test_columns import terminal_width

FILES = sorted(path.stem for path in samples.FOLDER.glob("*.json"))
ANSI = re.compile(r"\x1b\[\d+m")
anything = st.text(st.characters(exclude_categories=()), max_size=40)


def read(name: str) -> dict[str, Any]:
    return json.loads((samples.FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def row_of(shown: str, name: str) -> str:
    """Returns the first line of the table of variants that begins with a name."""
    return next(line for line in shown.split("\n") if re.match(rf"{re.escape(name)}  +[^\w\s] ", line))


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Draws a valid record: any verdicts, figures and strings."""
    figures = st.floats(1e-9, 1e9)
    made = samples.many()
    made["status"] = draw(st.sampled_from(["complete", "interrupted"]))
    variants = []
    for index in range(draw(st.integers(0, 5))):
        device = draw(st.sampled_from(["cpu", "cuda:0", "tpu:11"]))
        if draw(st.booleans()):
            low = draw(figures)
            variant = samples.timed(f"v{index}", 2.0, device=device, build=draw(st.one_of(st.none(), figures)))
            variant["verdict"] = draw(st.sampled_from(rows.TIMED_VERDICTS))
            variant["speedup"] = {
                "median": low * draw(st.floats(1, 3)),
                "low": low,
                "high": low * draw(st.floats(1, 9)),
            }
            variant["clocks"]["run"] = samples.clock(draw(figures), draw(st.floats(0, 0.9)), draw(st.integers(1, 99)))
            variant["error"] = {"max_abs": draw(st.one_of(st.none(), figures)), "max_rel": None, "where": None}
        else:
            verdict = draw(st.sampled_from(["differs", "unsupported", "crashed", "timed out", "stopped"]))
            variant = samples.untimed(
                f"v{index}", verdict, device=device, verified=draw(st.sampled_from([None, False]))
            )
        variants.append(variant)
    made["variants"] = variants
    made["recommendation"]["variant"] = draw(st.sampled_from(["numpy", None]))
    strings = draw(st.lists(anything, min_size=1, max_size=8))
    counter = iter(range(10**6))

    def new(old: str, path: str) -> str:
        number = next(counter)
        # names stay unique and are never empty, as the schema asks
        return strings[number % len(strings)] + (str(number) if path.endswith((".name", ".device", ".backend")) else "")

    return samples.replace_strings(made, new)


@settings(max_examples=100, deadline=None)
@given(records(), st.integers(40, 120), st.booleans())
def test_no_line_is_wider_than_asked_whatever_the_record(record: dict[str, Any], width: int, color: bool) -> None:
    rec.validate(record)
    shown = text.to_text(record, width=width, color=color, code="all")
    for line in shown.split("\n"):
        assert terminal_width(ANSI.sub("", line) if color else line) <= width


def test_costs_that_do_not_fit_beside_a_name_stand_below_it() -> None:
    record = samples.sample()
    record["variants"][0]["name"] = "a-variant-with-a-long-name"
    record["recommendation"] = None
    record["variants"][0]["break_even_calls"] = 3e12
    for width in range(40, 80):
        assert max(terminal_width(line) for line in text.to_text(record, width=width).split("\n")) <= width


@pytest.mark.parametrize("width", [40, 47, 60, 72, 80, 132])
@pytest.mark.parametrize("name", FILES)
def test_no_sample_is_wider_than_asked(name: str, width: int) -> None:
    shown = text.to_text(read(name), width=width, code="all")
    assert max(terminal_width(line) for line in shown.split("\n")) <= width


@pytest.mark.parametrize("name", FILES)
def test_colour_changes_no_character(name: str) -> None:
    plain, coloured = (text.to_text(read(name), color=color) for color in (False, True))
    assert plain != coloured
    assert ANSI.sub("", coloured).split("\n") == plain.split("\n")


def test_the_advice_stands_before_the_table() -> None:
    shown = text.to_text(samples.sample())
    assert shown.index("fn(x)") < shown.index("Take numba-parallel") < shown.index("▲ faster")
    assert "Below 11 calls" in shown


def test_each_verdict_is_a_sign_a_word_and_what_belongs_to_it() -> None:
    shown = text.to_text(samples.sample())
    assert re.search(r"▲ faster +█+ +5\.8× \(5\.6–6\.0\)$", row_of(shown, "numba-parallel"))
    assert re.search(r"= baseline +█.* 1×$", row_of(shown, "numpy"))
    assert re.search(r"▼ slower +█.* 0\.81× \(0\.78–0\.84\)$", row_of(shown, "torch"))
    assert "≠ differs      the result is float64 where NumPy gives float32" in row_of(shown, "jax")
    assert "largest error 0.50 (relative 0.25)" in shown
    assert "– unsupported  no NVIDIA GPU" in row_of(shown, "cupy · cuda:0")
    assert "→ the source is here to be run" in shown
    assert "numba-parallel  26.0 ms     26.0 ms  1.3 s    11 calls        2.4e-07" in shown


def test_no_figure_of_speed_for_what_was_not_verified() -> None:
    record = samples.sample()
    # a producer's slip: figures beside a failed verification
    record["variants"][0].update(verdict="differs", verified=False)
    shown = text.to_text({**record, "recommendation": None})
    assert "5.8×" not in shown
    assert "26.0 ms" not in shown


def test_bars_are_as_long_as_the_speedups() -> None:
    record = samples.sample()
    record["variants"] = [samples.timed("numba", 4.0), samples.timed("jax", 2.0)]
    lengths = [row_of(text.to_text(record, width=100), name).count("█") for name in ("numba", "jax", "numpy")]
    assert lengths[0] == pytest.approx(2 * lengths[1], abs=1)
    assert lengths[0] == pytest.approx(4 * lengths[2], abs=3)


def test_a_tiny_speedup_still_has_a_bar() -> None:
    assert "▏" in row_of(text.to_text(samples.many()), "torch-eager")


def test_devices_are_listed_where_there_is_more_than_the_cpu() -> None:
    assert "CUDA up to 13.x); jax, torch and cupy" in " ".join(text.to_text(samples.many()).split())
    assert "no backend can use it" in text.to_text(samples.many())
    assert "Devices" not in text.to_text(samples.sample())


def test_an_interrupted_comparison_says_so_before_anything_else() -> None:
    shown = text.to_text(samples.interrupted())
    assert shown.index("Interrupted after 3.2 s") < shown.index("variant ")
    assert "No recommendation" in shown
    assert "■ stopped" in shown


def test_where_nothing_was_timed_there_is_no_figure_but_the_baselines() -> None:
    shown = text.to_text(samples.unsupported())
    assert shown.count("×") == 1
    # one cause, told once, beside all that it is of
    assert shown.count("preallocate `x`") == 1
    table = shown[: shown.index("preallocate `x`") + 200]
    for variant in samples.unsupported()["variants"]:
        assert variant["name"] in table


def test_causes_that_differ_are_told_each() -> None:
    made = samples.unsupported()
    made["variants"][-1] |= {"reason": "something else", "next_step": ""}
    shown = text.to_text(made)
    assert (shown.count("something else"), shown.count("preallocate `x`")) == (1, 1)


def test_gotchas_stand_with_their_line_and_the_fix_for_those_that_press() -> None:
    shown = text.to_text(samples.many())
    assert "line 7: NB-FASTMATH (numba; possible)" in shown
    assert "for j in range(1, a.shape[1] - 1):" in shown
    assert shown.index("Silent:") < shown.index("JX-X32") < shown.index("Error:") < shown.index("Performance:")
    assert shown.count("→ write it as an array expression") == 3


def test_source_is_appended_where_it_is_asked_for() -> None:
    record = samples.sample()
    assert "@numba.njit" not in text.to_text(record)
    assert '@numba.njit(parallel=True, error_model="numpy")\ndef fn(x):\n' in text.to_text(
        record, code="numba-parallel"
    )
    shown = text.to_text(record, code="all")
    assert all(line in shown for line in ("@numba.njit", "import torch", "import cupy as cp"))


def test_a_variant_without_source_says_why() -> None:
    assert "no source was written: line 7 changes" in text.to_text(samples.unsupported(), code="jax")


def test_an_unknown_variant_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no variant 'mlx' to show; this comparison has numba-parallel, numpy, torch"):
        text.to_text(samples.sample(), code="mlx")


def test_a_broken_line_of_source_is_marked() -> None:
    record = samples.sample()
    record["variants"][0]["source"] = "x = " + "1234567890" * 10 + "\n"
    assert "\n↳ " in text.to_text(record, code="numba-parallel", width=60)


def test_hostile_strings_send_no_command_to_the_terminal() -> None:
    shown = text.to_text(samples.hostile(), code="all")
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\x00" not in shown
    shown.encode("utf-8")


def test_a_name_of_a_megabyte_leaves_the_text_short() -> None:
    record = samples.sample()
    big = samples.replace_strings(record, lambda old, path: "x" * 1_000_000 + path)
    assert len(text.to_text(big)) < 60_000
