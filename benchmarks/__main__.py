"""Prints how fair and how fast jitmagic is here: ``python -m benchmarks [--rounds N] [--comparisons N] [--out FILE]``.

1. Our steady time over a hand-written timing of the same code, in one run, some processes of each, sample by sample
   in turn; and over pyperf's, for a dozen functions.
2. How often the verdict is right where the truth is known, on the machine as it is and with a busy loop beside.
3. What measuring costs beyond the calls that are measured.
4. The time of ``%load_ext jitmagic`` in a fresh process.
5. The time from Enter to the answer, cold (no worker runs yet) and warm.

With a hundred comparisons of either kind it takes most of an hour; each part can be run by itself, e.g. ``python -m
benchmarks.verdicts``.
"""

from __future__ import annotations

import argparse
import datetime
import io
import sys
from pathlib import Path

import numpy as np

from benchmarks import answer, beside_pyperf, fairness, harness, load_ext, verdicts
from jitmagic import __version__
from jitmagic.comparison import shutdown
from jitmagic.devices import machine


def main() -> None:
    """Runs all three and prints them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="samples a process for the comparison of clocks")
    parser.add_argument("--comparisons", type=int, default=100, help="for the verdicts, with a busy loop and without")
    parser.add_argument("--out", type=Path, help="also write what was printed to this file")
    options = parser.parse_args()
    lines = io.StringIO()

    def say(text: str = "") -> None:
        print(text, flush=True)
        lines.write(text + "\n")

    here = machine()
    say(f"jitmagic {__version__}, {datetime.date.today()}, {here['processor']}, {here['threads']} threads, "
        f"Python {here['python']}, NumPy {np.__version__}, load {here['load']}")  # fmt: skip

    say("\nOur steady time over a hand-written timing of the same code (wanted: 0.97 to 1.03)")
    say(f"  {'case':<22} {'variant':<16} {'ours':>10} {'by hand':>10}  {'ratio (95 %)':<24} by hand among themselves")
    ratios, within, reaching = [], 0, 0
    for row in fairness.rows(options.rounds):
        ratios.append(row.ratio.median)
        reaching += row.ratio.low <= 1.03 and row.ratio.high >= 0.97
        within += row.spread[0] <= row.ratio.median <= row.spread[1]
        say(f"  {row.case:<22} {row.variant:<16} {row.ours * 1e3:>8.3f}ms {row.hand * 1e3:>8.3f}ms  "
            f"{row.ratio.median:.3f} ({row.ratio.low:.3f} to {row.ratio.high:.3f})   "
            f"{row.spread[0]:.3f} to {row.spread[1]:.3f}")  # fmt: skip
    inside = sum(0.97 <= ratio <= 1.03 for ratio in ratios)
    say(f"  geometric mean {np.exp(np.mean(np.log(ratios))):.3f}; {inside} of {len(ratios)} within 0.97 to 1.03, "
        f"{reaching} with an interval that reaches into it, {within} between two hand-written ones")  # fmt: skip

    say("\nOur clock beside pyperf's (wanted: 0.97 to 1.03)")
    beside_pyperf.said(say=say)

    for busy in (False, True):
        say(f"\nVerdicts where the truth is known{', with a busy loop beside' if busy else ''}")
        verdicts.said(options.comparisons, busy=busy, say=say)

    say("\nWhat measuring costs beyond the calls that are measured (wanted: 10 % at most)")
    harness.said(say=say)

    times = load_ext.times()
    say(f"\n%load_ext jitmagic: median {np.median(times) * 1e3:.1f} ms of {len(times)} fresh processes "
        f"(slowest {max(times) * 1e3:.1f} ms; wanted: under 50 ms)")  # fmt: skip

    say("\nFrom Enter to the answer")
    for row in answer.rows():
        say(f"  {row.case:<22} {row.state:<15} first speedups {row.first:>5.1f} s, all {row.seconds:>5.1f} s, of which "
            f"timing {row.timing:.1f} s")  # fmt: skip
    shutdown()
    if options.out is not None:
        options.out.write_text(lines.getvalue())


if __name__ == "__main__":
    sys.exit(main())
