"""The record: one comparison as plain JSON, its schema, its check, and the way in and out of text.

The schema (``schema/v1.json``, JSON Schema 2020-12) is the one description of the record. :func:`validate` reads that
same file with a small interpreter of the keywords it uses, so that no dependency is needed and nothing is said twice.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from jitmagic.errors import JitmagicError

MIME = "application/vnd.jitmagic.v1+json"
"""Media type of the record in a notebook's output."""

SCHEMA_NAME = "jitmagic/v1"

_SHOWN_PROBLEMS = 10
_ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description"}
_KNOWN = _ANNOTATIONS | {
    "$ref", "type", "const", "enum", "minimum", "minLength", "required", "properties", "additionalProperties",
    "items", "anyOf", "allOf", "if", "then",
}  # fmt: skip


class RecordError(JitmagicError):
    """A record does not have the form that the schema describes.

    Parameters
    ----------
    problems : sequence of str
        One sentence each: the place, what is expected there, what was found.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        shown = problems[:_SHOWN_PROBLEMS]
        more = len(problems) - len(shown)
        lines = ["this is no valid jitmagic record:", *(f"  {problem}" for problem in shown)]
        if more:
            lines.append(f"  and {more} more")
        super().__init__("\n".join(lines))


def schema() -> dict[str, Any]:
    """Returns the JSON Schema of the record as a new dict."""
    text = resources.files("jitmagic.report").joinpath("schema", "v1.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def _shared_schema() -> dict[str, Any]:
    return schema()


def validate(record: Any) -> None:
    """Checks a record against the schema and against what a schema cannot say.

    Beyond the schema: every number is finite, intervals are in order, a variant's name and device are unique, and the
    recommended variant is one of the record's, with a verified result.

    Raises
    ------
    RecordError
        With every problem found, each with its place.
    """
    problems = list(_not_json(record, "record"))
    if not problems:
        root = _shared_schema()
        problems = list(_mismatches(record, root, root, "record"))
    if not problems:
        problems = list(_contradictions(record))
    if problems:
        raise RecordError(problems)


def dump(record: Mapping[str, Any]) -> str:
    """Writes a valid record as strict JSON, in ASCII so that no file encoding can spoil it.

    Raises
    ------
    RecordError
        Where the record is invalid: among others where it holds a number that is not finite, or an object that JSON
        has no form for (a NumPy scalar, a tuple).
    """
    validate(record)
    return json.dumps(record, allow_nan=False, indent=1)


def load(text: str | bytes) -> dict[str, Any]:
    """Reads a record from strict JSON and validates it.

    Raises
    ------
    RecordError
        Where the text is no JSON (NaN and Infinity are none), has another version, or does not fit the schema.
    """
    try:
        record = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise RecordError(["the text is nested too deeply to be a record"]) from None
    except ValueError as error:
        raise RecordError([f"the text is no strict JSON: {error}"]) from error
    if isinstance(record, dict):
        found = record.get("schema")
        if isinstance(found, str) and found != SCHEMA_NAME and found.startswith("jitmagic/"):
            raise RecordError([f"its version is {found!r} and this jitmagic reads {SCHEMA_NAME!r}: update jitmagic"])
    validate(record)
    loaded: dict[str, Any] = record
    return loaded


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number; the producer writes null for it")


def _not_json(value: Any, path: str) -> Iterator[str]:
    """Finds values that strict JSON cannot hold. Iterative, since a hostile record may be nested deeply."""
    stack = [(value, path)]
    while stack:
        value, path = stack.pop()
        if value is None or isinstance(value, str | bool):
            continue
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    yield f"{path}: the key {key!r} is a {type(key).__name__}, where JSON has only text"
            stack.extend((item, f"{path}.{key}") for key, item in value.items())
        elif isinstance(value, list):
            stack.extend((item, f"{path}[{index}]") for index, item in enumerate(value))
        # `type`, since numpy.float64 is a float to isinstance and yet no plain number
        elif type(value) is float:
            if not math.isfinite(value):
                yield f"{path}: {value!r} is not finite; write null"
        elif type(value) is int:
            if value.bit_length() > 1000:
                yield f"{path}: an integer of {value.bit_length()} bits is too large for a JSON number"
        else:
            yield f"{path}: a {type(value).__module__}.{type(value).__qualname__} is no JSON; use a plain Python value"


def _mismatches(value: Any, rule: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yields where a value breaks a schema; understands the keywords that ``v1.json`` uses and refuses others."""
    unknown = rule.keys() - _KNOWN
    if unknown:
        raise NotImplementedError(f"the check knows no schema keyword {sorted(unknown)}")
    if "$ref" in rule:
        name = rule["$ref"].removeprefix("#/$defs/")
        yield from _mismatches(value, root["$defs"][name], root, path)
    if "type" in rule:
        names = [rule["type"]] if isinstance(rule["type"], str) else rule["type"]
        if not any(_is(value, name) for name in names):
            # what hangs on the type would only repeat it
            yield f"{path}: expected {' or '.join(names)}, found {_shown(value)}{_meaning(rule)}"
            return
    if "const" in rule and not _same(value, rule["const"]):
        yield f"{path}: expected {_shown(rule['const'])}, found {_shown(value)}"
    if "enum" in rule and not any(_same(value, allowed) for allowed in rule["enum"]):
        yield f"{path}: expected one of {', '.join(map(_shown, rule['enum']))}, found {_shown(value)}"
    if "minimum" in rule and _is(value, "number") and value < rule["minimum"]:
        yield f"{path}: expected at least {rule['minimum']}, found {_shown(value)}{_meaning(rule)}"
    if "minLength" in rule and isinstance(value, str) and len(value) < rule["minLength"]:
        yield f"{path}: must not be empty{_meaning(rule)}"
    if isinstance(value, dict):
        yield from _object_mismatches(value, rule, root, path)
    if isinstance(value, list) and "items" in rule:
        for index, item in enumerate(value):
            yield from _mismatches(item, rule["items"], root, f"{path}[{index}]")
    if "anyOf" in rule:
        found = [list(_mismatches(value, branch, root, path)) for branch in rule["anyOf"]]
        if all(found):
            # the branch that describes the content stands first, `null` after it
            yield from found[0]
    for branch in rule.get("allOf", ()):
        for problem in _mismatches(value, branch, root, path):
            yield f"{problem} ({branch['description']})" if "description" in branch else problem
    if "if" in rule and not any(_mismatches(value, rule["if"], root, path)):
        yield from _mismatches(value, rule["then"], root, path)


def _object_mismatches(
    value: Mapping[str, Any], rule: Mapping[str, Any], root: Mapping[str, Any], path: str
) -> Iterator[str]:
    properties = rule.get("properties", {})
    for name in rule.get("required", ()):
        if name not in value:
            yield f"{path}: {name!r} is missing{_meaning(properties.get(name, {}))}"
    for name, item in value.items():
        if name in properties:
            yield from _mismatches(item, properties[name], root, f"{path}.{name}")
        elif "additionalProperties" in rule:
            yield from _mismatches(item, rule["additionalProperties"], root, f"{path}.{name}")


def _is(value: Any, name: str) -> bool:
    if name in ("number", "integer"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return name == "number" or float(value).is_integer()
    kinds: dict[str, type | tuple[type, ...]] = {
        "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
    }  # fmt: skip
    return isinstance(value, kinds[name])


def _same(value: Any, expected: Any) -> bool:
    # True == 1 in Python and not in JSON
    return isinstance(value, bool) == isinstance(expected, bool) and bool(value == expected)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _meaning(rule: Mapping[str, Any]) -> str:
    return f". It is: {rule['description']}" if rule.get("description") else ""


def _contradictions(record: Mapping[str, Any]) -> Iterator[str]:
    """Yields what no schema can say of a record that fits it."""
    everything = [("baseline", record["baseline"])]
    everything += [(f"variants[{index}]", variant) for index, variant in enumerate(record["variants"])]
    seen: dict[tuple[str, str], str] = {}
    for path, variant in everything:
        key = (variant["name"], variant["device"])
        if key in seen:
            yield f"record.{path}: {key[0]!r} on {key[1]!r} stands already at record.{seen[key]}"
        seen.setdefault(key, path)
        intervals = {f"clocks.{name}": clock for name, clock in variant["clocks"].items()}
        intervals["speedup"] = variant.get("speedup")
        for name, interval in intervals.items():
            if isinstance(interval, dict) and interval["low"] > interval["high"]:
                yield f"record.{path}.{name}: low {interval['low']} is above high {interval['high']}"
    yield from _sweep_contradictions(record)
    for index, variant in enumerate((record.get("previous") or {}).get("variants", ())):
        if variant["ratio"] is not None and variant["ratio"]["low"] > variant["ratio"]["high"]:
            yield f"record.previous.variants[{index}].ratio: its low end is above its high end"
    advice = record["recommendation"]
    if advice is not None and advice["variant"] is not None:
        named = [variant for _, variant in everything if variant["name"] == advice["variant"]]
        if not named:
            yield f"record.recommendation.variant: there is no variant {_shown(advice['variant'])}"
        elif not any(variant["verified"] is True for variant in named):
            yield f"record.recommendation.variant: the result of {_shown(advice['variant'])} was not verified"


def _sweep_contradictions(record: Mapping[str, Any]) -> Iterator[str]:
    sweep = record["sweep"]
    if sweep is None:
        return
    sizes = sweep["n"]
    if any(size >= following for size, following in itertools.pairwise(sizes)):
        yield "record.sweep.n: the sizes have to ascend, each once"
    known = {(variant["name"], variant["device"]) for variant in (record["baseline"], *record["variants"])}
    for index, series in enumerate(sweep["series"]):
        path = f"record.sweep.series[{index}]"
        if (series["name"], series["device"]) not in known:
            yield f"{path}: there is no variant {_shown(series['name'])} on {_shown(series['device'])}"
        if len(series["run"]) != len(sizes):
            yield f"{path}.run: expected one entry for each of the {len(sizes)} sizes, found {len(series['run'])}"
        for place, interval in enumerate([*series["run"], series["growth"]]):
            if interval is not None and interval["low"] > interval["high"]:
                name = "growth" if place == len(series["run"]) else f"run[{place}]"
                yield f"{path}.{name}: low {interval['low']} is above high {interval['high']}"
