import json
import re

import jsonschema
import pytest

import results
from results.analysis.study import Study
from results.exporters.github_action import to_github_action_benchmark
from results.schema.metrics import METRICS

# interface BenchmarkResult in src/extract.ts of benchmark-action/github-action-benchmark; no entry is an error there
SCHEMA = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "value": {"type": "number"},
            "range": {"type": "string"},
            "unit": {"type": "string"},
            "extra": {"type": "string"},
        },
        "required": ["name", "value", "unit"],
        "additionalProperties": False,
    },
}
# src/extractRangeInfo.ts
RANGE = re.compile(r"(?P<prefix>(\+-|±)\s*)(?P<value>\d.+)")


def exported(records):
    files = to_github_action_benchmark(Study(records))
    return {part: json.loads(files.content(part), parse_constant=pytest.fail) for part in files.parts}


def test_both_files_are_what_the_action_extracts(measured):
    for content in exported(measured).values():
        jsonschema.Draft7Validator(SCHEMA).validate(content)
        names = [entry["name"] for entry in content]
        assert len(set(names)) == len(names)


def test_each_file_holds_the_metrics_of_its_direction(measured):
    labels = {
        "bigger": {metric.label for metric in METRICS.values() if metric.better == "higher"},
        "smaller": {metric.label for metric in METRICS.values() if metric.better == "lower"},
    }
    found = exported(measured)
    assert set(found) == {"bigger", "smaller"}
    for part, content in found.items():
        assert {entry["name"].rpartition(": ")[2] for entry in content} <= labels[part]
    assert any(entry["name"].endswith(": throughput") for entry in found["bigger"])
    assert any(entry["name"].endswith(": compile time") for entry in found["smaller"])


def test_the_range_is_a_half_width_that_the_action_reads(measured, make_case):
    row = results.table(measured).iloc[0]
    entries = {entry["name"]: entry for content in exported(measured).values() for entry in content}
    latency = entries[f"{make_case().key}: latency"]
    assert latency["value"] == row["latency_s"]
    assert latency["unit"] == "s"
    half = max(row["latency_high_s"] - row["latency_s"], row["latency_s"] - row["latency_low_s"])
    assert float(RANGE.fullmatch(latency["range"])["value"]) == pytest.approx(half)
    assert "across processes" in latency["extra"]
    assert "range" not in entries[f"{make_case().key}: first step"]


def test_an_imported_run_has_values_without_a_range(imported):
    found = exported(imported)
    (throughput,) = found["bigger"]
    assert throughput["value"] == 200.0
    assert "range" not in throughput
