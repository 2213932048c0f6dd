import math
from pathlib import Path

import pytest
from msgspec import structs

from results.metrics.table import BOUNDS, COLUMNS, table
from results.metrics.warnings import kind
from results.schema.axes import AXES
from results.schema.lines.record import Noise
from results.schema.lines.run import Arm, PeakRate
from results.schema.metrics import METRICS
from results.storage.reader import Records, RunFile, load


def test_there_is_one_row_a_case_in_the_order_of_the_plan(framed, make_record, make_case, make_run):
    cases = [make_case(batch_size=size) for size in (1, 2, 4)]
    records = [make_record(case, replicate=index) for index in (0, 1) for case in reversed(cases)]
    frame = framed(records, run=make_run(plan=cases))
    assert list(frame["batch_size"]) == [1, 2, 4]
    assert list(frame["replicates"]) == [2, 2, 2]
    assert tuple(frame.columns) == COLUMNS


def test_the_row_holds_axes_machine_metrics_and_units(framed, make_record, make_case, make_static, make_run):
    case = make_case(device="cuda:0")
    run = make_run(plan=[case], accelerator="NVIDIA H100")
    frame = framed([make_record(case)], [make_static()], run=run)
    (row,) = frame.to_dict("records")
    assert {axis: row[axis] for axis in AXES} == {axis: getattr(case, axis) for axis in AXES}
    assert (row["cpu"], row["accelerator"], row["torch"]) == ("AMD EPYC 9B14", "NVIDIA H100", "2.14.1")
    assert (row["family"], row["block"], row["depth"]) == ("resnet", "bottleneck", 50)
    assert row["macs"] == 4_089_184_256
    assert row["throughput_img_per_s"] * row["latency_s"] == pytest.approx(8)
    units = frame.attrs["units"]
    assert set(units) == {*METRICS, *BOUNDS}
    assert (units["latency_s"], units["macs"], units["peak_resident_bytes"]) == ("s", "MAC", "B")


def test_one_process_has_the_interval_within_it(framed, make_record):
    (row,) = framed([make_record()]).to_dict("records")
    assert row["interval"] == "process"
    assert row["latency_low_s"] < row["latency_s"] < row["latency_high_s"]


def test_a_failed_case_is_a_row_with_its_cause(framed, make_record, make_case):
    frame = framed([make_record(), make_record(make_case(batch_size=512), status="out-of-memory", cause="2 GiB")])
    row = frame.iloc[1]
    assert (row["status"], row["cause"], row["replicates"], row["failed_replicates"]) == (
        "out-of-memory",
        "2 GiB",
        0,
        1,
    )
    assert math.isnan(row["latency_s"])
    assert row["nulls"]["latency_s"] == "out-of-memory: 2 GiB"
    assert row["nulls"]["latency_low_s"] == "out-of-memory: 2 GiB"


def test_a_case_that_fails_now_and_then_does_not_look_sound(framed, make_record):
    records = [make_record(), make_record(replicate=1, status="crash", cause="signal 11"), make_record(replicate=2)]
    (row,) = framed(records).to_dict("records")
    assert row["status"] == "crash"
    assert row["cause"].startswith("1 of 3 replicates ")
    assert row["cause"].endswith(": signal 11")
    assert (row["replicates"], row["failed_replicates"]) == (2, 1)
    assert row["latency_s"] > 0


def test_a_replicate_that_was_measured_again_counts_once(framed, make_record):
    (row,) = framed([make_record(status="crash", cause="x"), make_record()]).to_dict("records")
    assert (row["status"], row["replicates"], row["failed_replicates"]) == ("ok", 1, 0)


def test_warnings_and_notes_are_told_once(framed, make_record):
    records = [make_record(replicate=index, notes=("bf16 is emulated",), stop="budget") for index in range(2)]
    (row,) = framed(records).to_dict("records")
    assert row["notes"] == ("bf16 is emulated",)
    assert row["stop"] == "budget"
    assert row["warnings"] == ()


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("equal", "equal"), "equal"),
        (("equal", "wrong"), "wrong"),
        (("wrong", None), "wrong"),
        (("equal", "eager-twice-differs"), "eager-twice-differs"),
        (("equal", None), "equal"),
        ((None, None), None),
    ],
)
def test_the_worst_verdict_on_the_result_counts(framed, make_record, make_case, make_equality, verdicts, expected):
    case = make_case(layout="nhwc")
    records = [
        make_record(case, replicate=index, baseline_latency_s=0.1, equality=verdict and make_equality(verdict))
        for index, verdict in enumerate(verdicts)
    ]
    (row,) = framed(records).to_dict("records")
    assert row["equality"] == expected
    assert ("equality" in row["nulls"]) == (expected is None)
    assert math.isnan(row["speedup"]) == (expected == "wrong")
    assert math.isnan(row["speedup_low"]) == (expected == "wrong")
    if expected == "wrong":
        assert row["nulls"]["speedup_low"].startswith("its result is wrong: output, error 0.3")
        assert row["warnings"][0].startswith("wrong: ")


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (({}, {}), "steady"),
        (({}, {"steady": False, "slowing": True}), "slowing"),
        (({"steady": False}, {"steady": False, "slowing": True}), "never steady"),
    ],
)
def test_the_worst_state_of_the_steps_counts(framed, make_record, series, expected):
    records = [make_record(replicate=index) for index in range(len(series))]
    changed = [
        structs.replace(record, samples=structs.replace(record.samples, **fields))
        for record, fields in zip(records, series, strict=True)
    ]
    assert framed(changed)["state"][0] == expected


def test_a_failure_has_no_state_and_no_verdict(framed, make_record):
    (row,) = framed([make_record(status="crash", cause="x")]).to_dict("records")
    assert (row["state"], row["equality"], row["stop"]) == (None, None, None)
    assert row["nulls"]["equality"] == "crash: x"


@pytest.mark.parametrize("stop", ["budget", "time-limit"])
def test_one_replicate_that_was_not_precise_enough_tells(framed, make_record, stop):
    assert framed([make_record(), make_record(replicate=1, stop=stop)])["stop"][0] == stop


def test_noise_and_peaks_reach_the_warnings(framed, make_record, make_static, make_run):
    record = make_record(signs=Noise(other_cpus=1.0))
    peak = PeakRate(device="cpu", precision="fp32", threads=2, flops_per_s=1e9)
    (row,) = framed([record], [make_static()], run=make_run(plan=[record.case], peaks=(peak,))).to_dict("records")
    assert [kind(line) for line in row["warnings"]] == ["peak", "busy"]


def test_an_arm_has_no_speed_up(framed, make_record, make_run):
    record = make_record()
    (row,) = framed([record], run=make_run(plan=[record.case], arm=Arm(name="a", pair="x", margin=0.02))).to_dict(
        "records"
    )
    assert math.isnan(row["speedup"])
    assert "arm of an A/B comparison" in row["nulls"]["speedup"]


def test_a_run_without_records_is_an_empty_frame(framed):
    frame = framed([])
    assert (len(frame), tuple(frame.columns)) == (0, COLUMNS)


def test_two_runs_stay_two(tmp_path, write_run, make_record, make_run):
    for name in ("a", "b"):
        write_run(tmp_path, [make_record()], run=make_run(run_id=name, plan=[make_record().case]))
    assert list(table(load(tmp_path))["run"]) == ["a", "b"]


def test_text_is_of_type_object_whatever_is_installed_and_missing_is_none(framed, make_record, make_case):
    frame = framed([make_record(make_case(model="resnet18"))])
    text = [name for name in COLUMNS if frame[name].dtype == object]
    assert {"run", "model", "accelerator", "family", "cause", "interval", "warnings", "nulls"} <= set(text)
    assert (frame["accelerator"][0], frame["family"][0], frame["cause"][0]) == (None, None, None)
    assert {str(frame[name].dtype) for name in COLUMNS} == {"object", "int64", "Int64", "float64"}


def test_a_name_that_no_encoding_knows_is_held(make_record, make_run, make_case):
    record = structs.replace(make_record(), case=make_case(model="\ud800"))
    file = RunFile(
        path=Path("x"), run=make_run(plan=[record.case]), statics=(), records=(record,), complete=True, problems=()
    )
    assert table(Records((file,)))["model"][0] == "\ud800"
