"""Charts of a record as Bokeh documents: plain data, made once here and only embedded by a page.

Bokeh is imported when a chart is asked for, and nothing of it is needed to show a result: without it, or on a page that
cannot draw its documents, the tables say the same. No document holds a script.
"""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from jitmagic import figures
from jitmagic.report import clean, columns, rows
from jitmagic.report.rows import Record, Row

MIME = "application/vnd.jitmagic.charts.v1+json"
"""Media type of the charts in a notebook's output, beside the record's."""

SCHEMA = "jitmagic-charts/v1"

INK = "#717479"
"""Every line and letter is drawn in this grey, legible on white and on black; a page puts its text's colour there."""

_FONT = "system-ui, sans-serif"
_COLORS = {"faster": "#2a9d6f", "slower": "#c8703d"}
_EVEN = "#8a8f98"
_BACKENDS = {"numpy": "#8a8f98", "numba": "#3f7fb5", "jax": "#2a9d6f", "torch": "#c8703d", "cupy": "#8b6bb8"}
_DASHES = ("solid", "dashed", "dotted", "dotdash")
_MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex")
_NAME_COLUMNS = 30
_TEXT_COLUMNS = 200
_MOST_BARS = 40
_BAR_PIXELS = 27
_AXIS_PIXELS = 44
_SIZES_PIXELS = 320


def available() -> bool:
    """Says whether charts can be made here: whether Bokeh 3 is installed; imports nothing."""
    return importlib.util.find_spec("bokeh") is not None


def charts(record: Record) -> dict[str, Any] | None:
    """Makes the charts of a record.

    Parameters
    ----------
    record : mapping
        A valid record.

    Returns
    -------
    dict or None
        ``{"schema", "bokeh": its version, "items": {name: text of a json_item}}`` with the names "speed", "speed-log"
        (speed against NumPy on either axis) and "sizes" (where there was a sweep). They are text, since a notebook
        writes each number of an object on a line of its own. None where Bokeh is missing or too old, or there is
        nothing to draw.
    """
    made = [row for row in rows.rows(record) if row.timed][:_MOST_BARS]
    swept = record["sweep"] is not None and bool(record["sweep"]["series"])
    if not available() or (len(made) < 2 and not swept):
        return None
    import bokeh

    if int(bokeh.__version__.partition(".")[0]) < 3:
        return None
    from bokeh.embed import json_item

    plots = {}
    if len(made) > 1:
        plots = {"speed": _speed(made, log=False), "speed-log": _speed(made, log=True)}
    if swept:
        plots["sizes"] = _sizes(record)
    return {
        "schema": SCHEMA,
        "bokeh": bokeh.__version__,
        "items": {name: json.dumps(json_item(plot), separators=(",", ":")) for name, plot in plots.items()},
    }


def _plain(text: object, width: int = _TEXT_COLUMNS) -> str:
    """Returns text that is drawn as it stands: two dollar signs would make a formula of it."""
    return columns.cut(clean.line(text), width).replace("$$", "$ $")


def _unique(labels: Sequence[str]) -> list[str]:
    """Cuts labels for an axis, whose categories must differ."""
    made: list[str] = []
    for label in labels:
        short, number = _plain(label, _NAME_COLUMNS), 2
        while short in made:
            short, number = f"{_plain(label, _NAME_COLUMNS - 4)} ({number})", number + 1
        made.append(short)
    return made


def _axis_look() -> dict[str, Any]:
    return {
        "axis_line_color": None,
        "major_tick_line_color": None,
        "minor_tick_line_color": None,
        "major_label_text_color": INK,
        "major_label_text_font": _FONT,
        "major_label_text_font_size": "12px",
        "axis_label_text_color": INK,
        "axis_label_text_font": _FONT,
        "axis_label_text_font_size": "12px",
        "axis_label_text_font_style": "normal",
    }


def _plot(height: int, **ranges: Any) -> Any:
    from bokeh import models

    return models.Plot(
        height=height, sizing_mode="stretch_width", min_width=320, toolbar_location=None, min_border_right=12,
        background_fill_color=None, border_fill_color=None, outline_line_color=None, **ranges,
    )  # fmt: skip


def _speed(made: Sequence[Row], *, log: bool) -> Any:
    """Draws bars of the speed against NumPy with their intervals, the fastest on top."""
    from bokeh import models
    from bokeh.core.properties import value

    names = _unique([row.label for row in made])
    ratios = [row.ratio or 0.0 for row in made]
    lows = [row.variant["speedup"]["low"] if not row.baseline else 1.0 for row in made]
    highs = [row.variant["speedup"]["high"] if not row.baseline else 1.0 for row in made]
    top, positive = max(*highs, *ratios), [value for value in (*lows, *ratios) if value > 0]
    start, end = _log_ends(min([*positive, 1.0]), top) if log else (0.0, top * 1.28)
    # a logarithmic bar begins at NumPy's own speed, since there is no zero to begin at
    origin = 1.0 if log else 0.0
    source = models.ColumnDataSource(
        {
            "name": names,
            "ratio": ratios,
            "origin": [origin] * len(made),
            "low": [max(low, start) for low in lows],
            "high": highs,
            "beyond": [max(ratio, high, origin) for ratio, high in zip(ratios, highs, strict=True)],
            "color": [_COLORS.get(row.verdict, _EVEN) for row in made],
            "shown": [_shown(row) for row in made],
            "verdict": [f"{row.sign} {row.verdict}" for row in made],
            "run": [_with_interval(row) for row in made],
            "end_to_end": [row.end_to_end for row in made],
            "build": [row.build for row in made],
            "break_even": [row.break_even for row in made],
            "error": [row.error for row in made],
        }
    )
    plot = _plot(
        _AXIS_PIXELS + _BAR_PIXELS * len(made),
        x_range=models.Range1d(start, end),
        y_range=models.FactorRange(factors=names[::-1], range_padding=0.1),
        x_scale=models.LogScale() if log else models.LinearScale(),
        y_scale=models.CategoricalScale(),
    )
    elsewhere = any(row.variant.get("machine") for row in made)
    label = "times NumPy's speed on the same machine" if elsewhere else "times NumPy's speed"
    axis = (models.LogAxis if log else models.LinearAxis)(axis_label=label, **_axis_look())
    if log:
        ticks = _log_ticks(start, end)
        axis.ticker, axis.major_label_overrides = models.FixedTicker(ticks=ticks), {tick: f"{tick:g}" for tick in ticks}
    else:
        axis.ticker.desired_num_ticks = 7
    plot.add_layout(axis, "below")
    plot.add_layout(_names_axis(), "left")
    plot.add_layout(models.Grid(dimension=0, axis=axis, grid_line_color=INK, grid_line_alpha=0.18))
    plot.add_layout(models.Span(location=1, dimension="height", line_color=INK, line_dash="dashed", line_alpha=0.8))
    bars = plot.add_glyph(
        source, models.HBar(y="name", left="origin", right="ratio", height=0.58, fill_color="color", line_color=None)
    )
    plot.add_glyph(source, models.Segment(x0="low", x1="high", y0="name", y1="name", line_color=INK, line_width=1.6))
    for field in ("low", "high"):
        plot.add_glyph(source, _cap(field))
    plot.add_glyph(
        source,
        models.Text(
            x="beyond", y="name", text="shown", x_offset=8, text_baseline="middle", text_color=INK,
            text_font=value(_FONT), text_font_size="12px",
        ),
    )  # fmt: skip
    told = [("", "@name: @verdict"), ("speed", "@shown"), ("run", "@run")]
    if any(row.moved for row in made):
        told.append(("end to end", "@end_to_end"))
    told += [("build", "@build"), ("break-even calls", "@break_even"), ("largest error", "@error")]
    plot.add_tools(models.HoverTool(renderers=[bars], tooltips=told, point_policy="follow_mouse"))
    return plot


def _cap(field: str) -> Any:
    from bokeh import models

    return models.Scatter(x=field, y="name", marker="dash", angle=math.pi / 2, size=9, line_color=INK, line_width=1.6)


def _names_axis() -> Any:
    from bokeh import models

    return models.CategoricalAxis(**_axis_look())


def _shown(row: Row) -> str:
    """Returns the text behind a bar, with its sign first for a variant that is right with these arguments only."""
    text = f"{row.speedup} ({row.interval})" if row.interval else row.speedup
    return f"{row.sign} {text}" if row.but else text


def _with_interval(row: Row) -> str:
    clock = row.variant["clocks"]["run"]
    if clock["samples"] < 2:
        return row.run
    ends = figures.duration_interval(clock["median"], clock["low"], clock["high"])
    return f"{row.run} ({ends})" if ends else row.run


def _log_ends(low: float, high: float) -> tuple[float, float]:
    """Returns the ends of a logarithmic axis, with room on the right for what is written behind the bars."""
    decades = max(math.log10(high / low), 0.3)
    return low / 10 ** (0.06 * decades), high * 10 ** (0.32 * decades)


def _log_ticks(start: float, end: float) -> list[float]:
    """Returns ticks at powers of ten; where those are few, at twice and five times them too."""
    powers = range(math.ceil(math.log10(start)), math.floor(math.log10(end)) + 1)
    if len(powers) >= 3:
        return [10.0**power for power in powers[:: math.ceil(len(powers) / 8)]]
    few = [digit * 10.0**power for power in range(powers.start - 1, powers.stop + 1) for digit in (1, 2, 5)]
    return [tick for tick in few if start <= tick <= end]


def _sizes(record: Record) -> Any:
    """Draws the time of one call over the size, both logarithmic, with bands and crossovers."""
    from bokeh import models

    sweep = record["sweep"]
    found = [
        (size, run) for series in sweep["series"] for size, run in zip(sweep["n"], series["run"], strict=True)
        if run is not None and size > 0 and run["low"] > 0
    ]  # fmt: skip
    sizes = [size for size, _ in found] or [1.0]
    x_range = _padded(min(sizes), max(sizes))
    y_range = _padded(min([run["low"] for _, run in found] or [1.0]), max([run["high"] for _, run in found] or [1.0]))
    plot = _plot(_SIZES_PIXELS, x_range=models.Range1d(*x_range), y_range=models.Range1d(*y_range))
    plot.x_scale, plot.y_scale = models.LogScale(), models.LogScale()
    meaning = f": {_plain(sweep['meaning'], 80)}" if sweep["meaning"] else ""
    x_axis = models.LogAxis(axis_label=f"{_plain(sweep['parameter'], 40)}{meaning}", **_axis_look())
    y_axis = models.LogAxis(axis_label="time of one call", **_axis_look())
    plot.add_layout(x_axis, "below")
    plot.add_layout(y_axis, "left")
    for dimension, axis, ends, written in ((0, x_axis, x_range, _size), (1, y_axis, y_range, _time)):
        ticks = _log_ticks(*ends)
        axis.ticker, axis.major_label_overrides = models.FixedTicker(ticks=ticks), {at: written(at) for at in ticks}
        plot.add_layout(models.Grid(dimension=dimension, axis=axis, grid_line_color=INK, grid_line_alpha=0.16))
    for crossing in (crossover["n"] for crossover in sweep["crossovers"] if crossover["n"] > 0):
        plot.add_layout(models.Span(location=crossing, dimension="height", line_color=INK, line_dash="dotted"))
    backends = {variant["name"]: variant["backend"] for variant in (record["baseline"], *record["variants"])}
    seen: dict[str, int] = {}
    items, points = [], []
    labels = _unique([_series_label(series) for series in sweep["series"]])
    for index, (series, label) in enumerate(zip(sweep["series"], labels, strict=True)):
        backend = backends.get(series["name"], "")
        color = _BACKENDS.get(backend, "#b0568f")
        dash = _DASHES[seen.get(backend, 0) % len(_DASHES)]
        seen[backend] = seen.get(backend, 0) + 1
        runs = [run if run is not None and run["low"] > 0 else None for run in series["run"]]
        source = models.ColumnDataSource(
            {
                "n": list(sweep["n"]),
                # NaN breaks a line where nothing was measured
                **{end: [run[end] if run else math.nan for run in runs] for end in ("median", "low", "high")},
                "label": [label] * len(runs),
                "time": [figures.duration(run["median"], run["low"], run["high"]) if run else "" for run in runs],
            }
        )
        band = models.VArea(x="n", y1="low", y2="high", fill_color=color, fill_alpha=0.18)
        line = models.Line(x="n", y="median", line_color=color, line_width=2, line_dash=dash)
        marks = models.Scatter(
            x="n", y="median", marker=_MARKERS[index % len(_MARKERS)], size=6, fill_color=color, line_color=color
        )
        drawn = [plot.add_glyph(source, glyph) for glyph in (band, line, marks)]
        points.append(drawn[-1])
        items.append(models.LegendItem(label=label, renderers=drawn[1:]))
    plot.add_layout(
        models.Legend(
            items=items, label_text_color=INK, label_text_font=_FONT, label_text_font_size="12px", click_policy="mute",
            background_fill_color=None, border_line_color=None,
        ),
        "right",
    )  # fmt: skip
    told = [("", "@label"), (_plain(sweep["parameter"], 40).replace("@", "at "), "@n{0,0}"), ("one call", "@time")]
    plot.add_tools(models.HoverTool(renderers=points, tooltips=told))
    return plot


def _size(tick: float) -> str:
    return f"{tick:,.0f}" if 1 <= tick < 1e9 else f"{tick:g}"


def _time(tick: float) -> str:
    """Writes a tick of time with its unit and no digit too many: "1 µs", "50 ms"."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if tick >= scale * 0.999:
            return f"{tick / scale:.3g} {unit}"
    return f"{tick / 1e-9:.3g} ns"


def _series_label(series: Mapping[str, Any]) -> str:
    name, device = clean.line(series["name"]), clean.line(series["device"])
    return name if device == "cpu" or device in name else f"{name} · {device}"


def _padded(low: float, high: float) -> tuple[float, float]:
    room = 10 ** max(0.05 * math.log10(high / low), 0.05)
    return low / room, high * room
