import math

import pytest
from msgspec import structs

from results.metrics.table import BOUNDS
from results.schema.metrics import METRICS


def test_replicates_have_the_interval_across_them(framed, make_record, make_case):
    case = make_case(layout="nhwc")
    records = [
        make_record(case, replicate=index, latency_s=0.05 * factor, baseline_latency_s=0.1, noise=0.0)
        for index, factor in enumerate((0.9, 1.0, 1 / 0.9))
    ]
    (row,) = framed(records).to_dict("records")
    half = 4.302652729911275 * math.log(1 / 0.9) / math.sqrt(3)
    assert row["interval"] == "replicates"
    assert row["latency_s"] == pytest.approx(0.05)
    assert row["latency_low_s"] == pytest.approx(0.05 * math.exp(-half))
    assert row["speedup"] == pytest.approx(2)
    assert row["speedup_high"] == pytest.approx(2 * math.exp(half))
    assert row["throughput_img_per_s"] * row["latency_s"] == pytest.approx(8)


def test_a_metric_that_one_replicate_lacks_is_null(framed, make_record):
    (row,) = framed([make_record(turns=200), make_record(replicate=1, turns=20)]).to_dict("records")
    assert math.isnan(row["latency_p99_s"])
    assert "too few" in row["nulls"]["latency_p99_s"]


def test_every_missing_number_has_a_reason(framed, make_record, make_case):
    cases = [make_case(), make_case(precision="amp-bf16"), make_case(runtime="compile")]
    for row in framed([make_record(case, turns=4) for case in cases]).to_dict("records"):
        for name in (*METRICS, *BOUNDS):
            assert math.isnan(row[name]) == (name in row["nulls"]), name


@pytest.mark.parametrize(
    ("gain", "noise", "never"),
    [
        (1.25, 0.01, set()),
        (1.002, 0.05, {"break_even_high"}),
        (0.8, 0.01, {"break_even_steps", "break_even_low", "break_even_high", "warm_break_even_steps"}),
    ],
)
def test_break_even_stands_in_the_row_of_the_compiled_case(framed, make_record, make_case, gain, noise, never):
    compiled = make_record(make_case(runtime="compile"), latency_s=0.05 / gain, baseline_latency_s=0.05, noise=noise)
    compiled = structs.replace(compiled, facts=structs.replace(compiled.facts, warm_compile_s=1.0))
    eager, row = framed([make_record(), compiled]).to_dict("records")
    columns = ("break_even_steps", "break_even_low", "break_even_high", "warm_break_even_steps")
    assert {name for name in columns if math.isnan(row[name])} == never
    assert all(row["nulls"][name].startswith("never: ") for name in never)
    assert not set(columns) - never & set(row["nulls"])
    if not never:
        assert row["break_even_low"] < row["break_even_steps"] < row["break_even_high"]
        assert row["warm_break_even_steps"] < row["break_even_steps"] / 5
    assert all("only a compiled case" in eager["nulls"][name] for name in columns)


def test_break_even_that_is_not_known_has_its_reason(framed, make_record, make_case, make_equality):
    case = make_case(runtime="compile")
    wrong = make_record(case, baseline_latency_s=0.1, equality=make_equality("wrong"))
    cold = make_record(case, baseline_latency_s=0.1)
    for record, name, reason in (
        (wrong, "break_even_steps", "its result is wrong"),
        (wrong, "warm_break_even_steps", "its result is wrong"),
        (cold, "warm_break_even_steps", "not recorded"),
    ):
        row = framed([make_record(), record]).to_dict("records")[1]
        assert math.isnan(row[name])
        assert row["nulls"][name].startswith(reason)


def test_compiling_in_no_time_can_be_brought_together(framed, make_record, make_case):
    records = [make_record(make_case(runtime="compile"), replicate=index) for index in range(2)]
    facts = structs.replace(records[0].facts, compile_s=0.0)
    (row,) = framed([structs.replace(record, facts=facts) for record in records]).to_dict("records")
    assert row["compile_s"] == 0


def test_a_model_that_computes_nothing_has_a_rate_of_zero_in_any_number_of_replicates(framed, make_record, make_static):
    for replicates in (1, 3):
        records = [make_record(replicate=one, latency_s=0.05 + 0.001 * one) for one in range(replicates)]
        row = framed(records, [make_static(macs=0)]).iloc[0]
        assert row["flops_per_s"] == 0
        assert row["latency_s"] > 0
        assert "flops_per_s" not in row["nulls"]


def test_rows_tell_alike_why_numbers_are_missing_however_many_share_the_reasons(framed, make_record, make_case):
    cases = [make_case(batch_size=size) for size in (1, 2, 3)]
    records = [make_record(case, turns=30, warmup=2) for case in cases] + [make_record(cases[1], replicate=1, turns=3)]
    frame = framed(records)
    for _, row in frame.iterrows():
        missing = {name for name in (*METRICS, *BOUNDS) if row[name] != row[name]}
        assert missing <= set(row["nulls"])
        assert all(row["nulls"].values())
    ends = {"relative_low": "both times were measured apart", "relative_high": "both times were measured apart"}
    assert frame["nulls"][0] | ends == frame["nulls"][2]  # the first is the reference
    assert "58 steady steps" in frame["nulls"][0]["latency_p99_s"]
