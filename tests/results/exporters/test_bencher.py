import json
import re

import jsonschema
import pytest

import results
from results.analysis.study import Study
from results.exporters.bencher import to_bencher

# https://bencher.dev/docs/reference/bencher-metric-format, "Bencher Metric Format (BMF) JSON Schema"
SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema",
    "type": "object",
    "patternProperties": {
        ".+": {
            "type": "object",
            "patternProperties": {
                ".+": {
                    "type": "object",
                    "properties": {
                        "value": {"type": "number"},
                        "lower_value": {"type": "number"},
                        "upper_value": {"type": "number"},
                    },
                    "required": ["value"],
                }
            },
        }
    },
}


def exported(records):
    return json.loads(to_bencher(Study(records)).content(), parse_constant=pytest.fail)


def test_it_is_what_the_published_schema_asks_for(measured):
    content = exported(measured)
    jsonschema.Draft7Validator(SCHEMA).validate(content)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate({**content, "x": {"latency-s": {"lower_value": 1.0}}})


def test_values_are_those_of_the_table(measured, make_case):
    row = results.table(measured).iloc[0]
    found = exported(measured)[make_case().key]
    latency = {"value": row["latency_s"], "lower_value": row["latency_low_s"], "upper_value": row["latency_high_s"]}
    assert found["latency-s"] == latency
    assert found["first-step-s"] == {"value": row["first_step_s"]}
    assert found["throughput-img-per-s"]["value"] == row["throughput_img_per_s"]
    assert "compile-s" not in found


def test_measures_are_slugs_that_are_not_bencher_s_own(measured):
    for measures in exported(measured).values():
        for name in measures:
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
            assert len(name) <= 64
            assert name not in {"latency", "throughput"}


def test_the_longest_names_of_the_schema_fit(tmp_path, make_case, make_record, write_run):
    case = make_case(model="m" * 128, device="d" * 128, runtime="compile:max-autotune-no-cudagraphs")
    (name,) = exported(results.load(write_run(tmp_path, [make_record(case)])))
    assert len(name) + len(" on , torch , run ") + 128 + 128 + 64 <= 1024


def test_every_case_of_several_runs_is_there(two_runs):
    assert len(exported(two_runs({}, {}))) == 2
