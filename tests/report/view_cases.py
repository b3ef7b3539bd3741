"""What the view in TypeScript has to show as Python does; ``python -m tests.report.view_cases`` writes the file.

``labextension/test/view.test.ts`` holds the view to it, ``test_view_cases.py`` holds it to Python.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from jitmagic import figures
from jitmagic.report import circumstances, clean, rows, two_runs
from tests.report import samples

FILE = Path(__file__).parents[2] / "labextension" / "test" / "view-cases.json"
_FIELDS = ("label", "verdict", "sign", "timed", "recommended", "speedup", "interval", "run", "moved", "build", "error",
           "reason", "but", "probed")  # fmt: skip
_TEXTS = (
    "plain",
    " a\tb\n  c\r\nd ",
    "x\x1b[31m\x00\x7f\x85\x9b",
    "\u202eevil\u2066\u200b\ufeff",
    "é e\u0301 👩\u200d🔬 速い \u00a0\u3000",
    "\U000e0041\ue000",
    samples.HOSTILE,
)
_ADDRESSES = (
    "https://a.b/c?d#e", "http://a", "javascript:alert(1)", "https:///", " https://a.b", "https://a.b/\"", "ftp://a.b",
    "https://ä.b", "data:text/html,x", "//a.b", "https://a b",
)  # fmt: skip


def cases() -> dict[str, Any]:
    """Returns inputs with what Python makes of them."""
    dice = random.Random(0)
    numbers: list[dict[str, float]] = []
    for _ in range(400):
        median = round(10 ** dice.uniform(-9, 5), dice.randint(0, 12)) or 1e-9
        low, high = median * (1 - dice.random() ** 3), median * (1 + dice.random() ** 3)
        numbers.append({"median": median, "low": low, "high": high})
    numbers += [
        {"median": 0.0, "low": 0.0, "high": 0.0},
        {"median": 1.0, "low": 0.999, "high": 1.001},
        {"median": 999.6, "low": 999.1, "high": 1000.2},
        {"median": 0.15, "low": 0.15, "high": 0.15},
        {"median": 2.5e-05, "low": 1e-12, "high": 1e3},
        {"median": 7e-05, "low": 6e-05, "high": 8e-05},
    ]
    made = []
    for one in numbers:
        median, low, high = one["median"], one["low"], one["high"]
        clock = {**one, "samples": 9}
        made.append(
            {
                **one,
                "figure": [figures.figure(median), figures.figure(median, low, high)],
                "speedup": list(figures.speedup(one)),
                "duration": [figures.duration(median), figures.duration_interval(median, low, high)],
                "clock": figures.clock(clock),
                "size": figures.size(round(median)),
                "count": figures.count(round(median)),
                "calls": figures.calls(median),
            }
        )
    records = {}
    for path in sorted(samples.FOLDER.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        shown = [
            [*(getattr(row, name) for name in _FIELDS), row.break_even, row.end_to_end, row.error_detail, row.next_step,
             [[one.arguments, one.outcome, one.detail, one.snippet] for one in row.findings]]
            for row in rows.rows(record)
        ]
        hints = [
            [hint.code, hint.attention, hint.state, hint.message, hint.fix, hint.link, hint.place]
            for group in rows.hints(record).values()
            for hint in group
        ]
        told = [rows.machine(record), rows.interruption(record), *rows.arguments(record), rows.advice(record)[0]]
        told += [text for pair in circumstances.facts(record) for text in pair]
        told += [*circumstances.near(record), *(circumstances.shares(record, one) for one in record["variants"])]
        earlier = rows.before(record)
        records[path.stem] = {
            "rows": shown,
            "hints": hints,
            "told": told,
            "before": earlier and [earlier.caption, list(map(list, earlier.lines)), list(earlier.notes)],
        }
    pairs = [
        {"a": one, "b": other, **_side_by_side(one, other)}
        for one, other in (("sample", "sample"), ("sample", "many"), ("many", "previous"), ("crashed", "interrupted"))
    ]
    return {
        "pairs": pairs,
        "figures": made,
        "lines": [[text, clean.line(text), clean.block(text)] for text in _TEXTS],
        "addresses": [[text, clean.web_address(text)] for text in _ADDRESSES],
        "fields": [*_FIELDS, "breakEven", "endToEnd", "errorDetail", "nextStep", "findings"],
        "records": records,
    }


def _side_by_side(one: str, other: str) -> dict[str, Any]:
    a, b = (json.loads((samples.FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in (one, other))
    found = two_runs.compare_runs(a, b)
    return {
        "cautions": list(found.cautions),
        "differences": list(map(list, found.differences)),
        "changes": [[pair.label, pair.change, pair.ratio] for pair in found.pairs],
    }


def written() -> str:
    """Returns the file's text."""
    return json.dumps(cases(), ensure_ascii=True, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
