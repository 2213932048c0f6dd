import dataclasses
import math

import pytest
from msgspec import structs

import results
from results.analysis.study import Study
from results.exporters import EXPORTERS, exporter
from results.exporters.benchmarks import RATES, benchmarks
from results.schema.lines.record import Summary
from results.schema.metric import STATIC
from results.schema.metrics import METRICS
from results.storage.reader import Records


def test_only_cases_with_a_right_result_are_kept_and_the_others_counted(measured, hostile):
    found = benchmarks(Study(measured))
    assert [one.case.model for one in found.benchmarks] == ["resnet50", hostile]
    assert [len(one.records) for one in found.benchmarks] == [2, 1]
    (line,) = found.left_out
    assert line.startswith("2 of 4 cases left out")


def test_values_and_intervals_are_those_of_the_table(measured):
    frame = results.table(measured)
    one = benchmarks(Study(measured)).benchmarks[1]
    row = frame.iloc[1]
    for name in METRICS:
        value = one.values.get(name)
        assert (value is None) == (row[name] != row[name])
        if value is not None:
            assert value.value == row[name]
            if METRICS[name].bounds and value.low is not None:
                assert (value.low, value.high) == tuple(row[end] for end in METRICS[name].bounds)
    assert one.values["speedup"].low < one.values["speedup"].value < one.values["speedup"].high
    assert one.values["first_step_s"].low is None


@pytest.mark.parametrize("name", RATES)
def test_the_interval_of_a_rate_is_the_inverse_of_the_latencys(measured, name):
    one = benchmarks(Study(measured)).benchmarks[0]
    rate, latency = one.values[name], one.values["latency_s"]
    work = rate.value * latency.value
    assert (rate.low, rate.high) == pytest.approx((work / latency.high, work / latency.low))


def test_what_was_measured_has_a_direction_and_is_no_static_cost(measured):
    for one in benchmarks(Study(measured)).benchmarks:
        names = {value.metric.name for value in one.measured}
        assert {"latency_s", "throughput_img_per_s", "peak_resident_bytes"} <= names
        assert not names & {metric.name for metric in STATIC}
        assert "warmup_steps" not in names


@pytest.mark.parametrize(
    ("first", "second", "where"),
    [
        ({"cpu": "A"}, {"cpu": "B"}, ["A", "B"]),
        ({"torch": "2.13.0"}, {"torch": None}, ["AMD EPYC 9B14, torch 2.13.0", "AMD EPYC 9B14, torch unknown"]),
        ({}, {}, [f"AMD EPYC 9B14, torch 2.14.1, run run-{number}" for number in (0, 1)]),
    ],
)
def test_names_say_as_much_as_tells_runs_apart(two_runs, make_run, make_case, first, second, where):
    usual = make_run().environment
    records = two_runs(*({"environment": structs.replace(usual, **fields)} for fields in (first, second)))
    assert [one.name for one in benchmarks(Study(records)).benchmarks] == [
        f"{make_case().key} on {one}" for one in where
    ]


def test_a_single_run_is_named_by_its_cases_alone(measured, make_case):
    assert benchmarks(Study(measured)).benchmarks[0].name == make_case().key


def test_names_that_pose_as_each_other_are_refused(tmp_path, make_case, make_record, write_run):
    posing = (
        make_case(model="m/inference/b8/224/x", device="cpu"),
        make_case(model="m", device="x/inference/b8/224/cpu"),
    )
    assert posing[0].key == posing[1].key
    records = results.load(write_run(tmp_path, [make_record(case) for case in posing]))
    with pytest.raises(results.InputError, match="the same name"):
        benchmarks(Study(records))


def test_no_result_at_all_is_an_error_that_names_the_remedy(tmp_path, make_record, write_run):
    records = results.load(write_run(tmp_path, [make_record(status="crash", cause="signal 11")]))
    with pytest.raises(results.InputError, match="none of the 1 cases has a result; csv and parquet hold failures"):
        benchmarks(Study(records))


def test_imported_summaries_are_benchmarks_too(imported):
    (one,) = benchmarks(Study(imported)).benchmarks
    assert one.name.endswith("/t?")
    assert "threads" not in one.axes
    assert {name: value.value for name, value in one.values.items()} == {
        "latency_s": 0.04,
        "throughput_img_per_s": 200.0,
        "relative": 1.0,
    }
    assert one.values["throughput_img_per_s"].low is None


@pytest.mark.parametrize(
    ("metrics", "bounds"),
    [
        ({"latency_s": 0.04, "speedup": math.inf}, {"latency_low_s": 0.0, "latency_high_s": math.inf}),
        ({"latency_s": 0.04, "throughput_img_per_s": 200.0}, {"latency_low_s": 0.0, "latency_high_s": 1.0}),
        ({"throughput_img_per_s": 200.0}, {"latency_low_s": 0.03, "latency_high_s": 0.05}),
        ({"latency_s": 1e-320, "throughput_img_per_s": 1e308}, {"latency_low_s": 1e-320, "latency_high_s": 1e308}),
    ],
)
def test_damaged_summaries_give_only_what_is_finite(imported, metrics, bounds):
    (file,) = imported.files
    record = structs.replace(file.records[0], summary=Summary(metrics=metrics, bounds=bounds))
    records = Records((dataclasses.replace(file, records=(record,)),))
    (one,) = benchmarks(Study(records)).benchmarks
    relative = {"relative"} if "latency_s" in metrics else set()  # to the only case
    assert set(one.values) == relative | {name for name, value in metrics.items() if math.isfinite(value)}
    rate = one.values.get("throughput_img_per_s")
    assert rate is None or rate.low is None or 0 <= rate.low <= rate.high < math.inf
    for fmt in sorted(EXPORTERS):
        files = exporter(fmt)(Study(records))
        assert all(files.content(part) for part in files.parts)
