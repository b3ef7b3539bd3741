"""The record's check: it agrees with a full JSON Schema validator, and says what is wrong where."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitmagic.report import record as rec
from tests.report import samples

FILES = sorted(path.stem for path in samples.FOLDER.glob("*.json"))
VALIDATOR = jsonschema.Draft202012Validator(rec.schema())


def read(name: str) -> dict[str, Any]:
    return json.loads((samples.FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Returns the path of every value inside a record."""
    inside: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    found = [path] if path else []
    for key, item in inside:
        found += places(item, (*path, key))
    return found


def put(record: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(record)
    holder: Any = changed
    for key in path[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return changed


def own_structural_check(record: dict[str, Any]) -> bool:
    root = rec.schema()
    return not list(rec._mismatches(record, root, root, "record"))


def test_the_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(rec.schema())


def test_every_field_of_the_schema_is_described() -> None:
    def undescribed(rule: Any, path: str) -> list[str]:
        found = []
        for name, field in rule.get("properties", {}).items():
            # `if`/`then` repeat fields without describing them again; they stand in `allOf`, which is not entered
            if "description" not in field:
                found.append(f"{path}.{name}")
            found += undescribed(field, f"{path}.{name}")
        if isinstance(rule.get("items"), dict):
            found += undescribed(rule["items"], f"{path}[]")
        return found

    root = rec.schema()
    missing = undescribed(root, "record")
    for name, rule in root["$defs"].items():
        missing += undescribed(rule, name)
    assert missing == []


@pytest.mark.parametrize("name", FILES)
def test_the_samples_are_valid_for_both_checks(name: str) -> None:
    VALIDATOR.validate(read(name))
    rec.validate(read(name))


@pytest.mark.parametrize("name", sorted(samples.MAKERS))
def test_the_sample_files_are_what_the_helper_makes(name: str) -> None:
    assert read(name) == samples.MAKERS[name]()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_own_check_agrees_with_jsonschema_on_spoiled_records(data: st.DataObject) -> None:
    record = samples.sample()
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(places(record)))
        values = st.sampled_from(
            [None, True, False, 0, 1, -1, 2.5, 3.0, "", "x", "faster", "baseline", "crashed", [], [1], ["a"], {}, ...]
        )
        record = put(record, path, data.draw(values))
    assert own_structural_check(record) == VALIDATOR.is_valid(record)


@pytest.mark.parametrize("name", FILES)
def test_what_is_dumped_loads_as_the_same(name: str) -> None:
    text = rec.dump(read(name))
    assert text.isascii()
    assert rec.load(text) == read(name)


@pytest.mark.parametrize("path", places(samples.sample()), ids=str)
def test_a_number_that_is_not_finite_is_refused_with_its_place(path: tuple[Any, ...]) -> None:
    with pytest.raises(rec.RecordError) as caught:
        rec.dump(put(samples.sample(), path, float("nan")))
    assert str(path[-1]) in str(caught.value)
    assert "finite" in str(caught.value)


@pytest.mark.parametrize("value", [np.float64(1.0), np.int64(3), (1, 2), b"x", {1: 2}, {1, 2}, 10**400])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(rec.RecordError, match="sweep"):
        rec.dump(put(samples.sample(), ("sweep",), {"a": value} if not isinstance(value, dict) else value))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("variants", 1, "speedup"), {"median": 2.0, "low": 1.9, "high": 2.1}, "only where the result was verified"),
        (("variants", 0, "verified"), None, "verified"),
        (("variants", 0, "speedup"), ..., "'speedup' is missing"),
        (("variants", 0, "clocks", "run"), None, "needs a verified result, a run time and a speedup"),
        (("variants", 0, "clocks", "run", "median"), "fast", "clocks.run.median: expected number"),
        (("variants", 0, "clocks", "run", "low"), 1.0, "low 1.0 is above high 0.0266"),
        (("variants", 0, "verdict"), "quick", 'expected one of "baseline", "faster"'),
        (("variants", 2, "verdict"), "baseline", "and of NumPy on another machine"),
        (("baseline", "verdict"), "faster", "baseline.verdict"),
        (("variants", 2, "name"), "numba-parallel", "stands already at record.variants[0]"),
        (("recommendation", "variant"), "jax", "not verified"),
        (("recommendation", "variant"), "mlx", "no variant"),
        (("workload",), ..., "'workload' is missing"),
        (("gotchas", 0, "line"), 0, "gotchas[0].line: expected at least 1"),
        (("machine", "cores"), True, "machine.cores: expected integer or null, found true"),
        (("schema",), "jitmagic/v0", "schema"),
    ],
)
def test_each_fault_is_named_with_its_place(path: tuple[Any, ...], value: Any, message: str) -> None:
    with pytest.raises(rec.RecordError) as caught:
        rec.validate(put(samples.sample(), path, value))
    assert message in str(caught.value)


def test_a_speedup_of_null_is_no_speedup() -> None:
    rec.validate(put(samples.sample(), ("variants", 1, "speedup"), None))


def test_unknown_fields_are_ignored() -> None:
    rec.validate(put(samples.sample(), ("variants", 0, "energy"), {"joule": 3.1}))


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "NaN", '{"a": Infinity}', "[" * 200_000, "1" * 5000])
def test_text_that_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(rec.RecordError):
        rec.load(text)


def test_a_newer_version_asks_for_an_update() -> None:
    with pytest.raises(rec.RecordError, match="update jitmagic"):
        rec.load(json.dumps({**samples.sample(), "schema": "jitmagic/v2"}))


def test_many_problems_are_counted_and_not_all_printed() -> None:
    record = samples.sample()
    record["warnings"] = [1] * 50
    with pytest.raises(rec.RecordError, match="and 40 more") as caught:
        rec.validate(record)
    assert len(caught.value.problems) == 50
