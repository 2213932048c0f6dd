import re

import pytest
from msgspec import structs

from results.metrics.reasons import is_wrong, usable_record
from results.schema.lines.record import Summary
from results.schema.lines.run import Arm
from results.schema.metrics import METRICS


def test_every_value_is_there_or_has_a_reason(make_record, make_case, make_static, measure):
    cases = [
        make_case(),
        make_case(task="training", precision="amp-bf16"),
        make_case(device="cuda:0", precision="fp16", runtime="compile"),
    ]
    for case in cases:
        for status in ("ok", "out-of-memory"):
            for static in (make_static(), None):
                found = measure(make_record(case, status=status), static)
                assert set(found.metrics) == set(METRICS)
                absent = {name for name, value in found.metrics.items() if value is None}
                assert absent == set(found.nulls)
                assert all(found.nulls.values())


def test_a_wrong_result_has_no_speed_up(make_record, make_case, make_equality, measure):
    record = make_record(make_case(layout="nhwc"), baseline_latency_s=0.1, equality=make_equality("wrong"))
    found = measure(record, None)
    assert found.metrics["speedup"] is None
    assert "wrong" in found.nulls["speedup"]
    assert "error 0.3" in found.nulls["speedup"]
    assert "speedup" not in found.intervals
    assert found.metrics["latency_s"] > 0


def test_an_arm_has_no_speed_up(make_record, make_case, measure):
    arm = Arm(name="a", pair="x", margin=0.02)
    for record in (make_record(), make_record(make_case(layout="nhwc"), baseline_latency_s=0.1)):
        found = measure(record, None, arm)
        assert found.metrics["speedup"] is None
        assert "arm of an A/B comparison" in found.nulls["speedup"]


def test_a_case_that_ran_without_a_baseline_has_no_speed_up(make_record, make_case, measure):
    found = measure(make_record(make_case(layout="nhwc")), None)
    assert found.metrics["speedup"] is None
    assert found.nulls["speedup"] == "its baseline was not measured in this replicate"


def test_a_percentile_that_cannot_be_bounded_is_null(make_record, measure):
    found = measure(make_record(turns=30, warmup=2), None)  # 58 steady steps
    assert found.metrics["latency_p90_s"] is not None
    assert found.metrics["latency_p95_s"] is None
    assert re.fullmatch(
        r"58 steady steps, which count as \d+ independent steps, are too few to bound it", found.nulls["latency_p95_s"]
    )
    many = measure(make_record(turns=300, warmup=2), None).metrics
    assert many["latency_p50_s"] < many["latency_p90_s"] < many["latency_p95_s"] < many["latency_p99_s"]


def test_correlated_steps_bound_no_tail(make_record, measure):
    # 598 steps, but in blocks of 50 that are alike: no more than some dozen independent ones.
    record = make_record(turns=300, warmup=2, noise=0.001)
    steps = tuple(step * (1.1 if index // 50 % 2 else 1.0) for index, step in enumerate(record.samples.step_s))
    samples = structs.replace(record.samples, step_s=steps)
    found = measure(structs.replace(record, samples=samples), None)
    assert found.metrics["latency_p99_s"] is None


def test_a_failure_keeps_its_reason_and_what_it_still_knows(make_record, measure):
    record = make_record(status="out-of-memory", cause="tried to allocate 2 GiB")
    facts = structs.replace(record.facts, peak_resident_bytes=7)
    found = measure(structs.replace(record, facts=facts), None)
    assert found.nulls["latency_s"] == "out-of-memory: tried to allocate 2 GiB"
    assert found.metrics["peak_resident_bytes"] == 7


def test_a_series_that_is_all_warm_up_has_no_latency(make_record, measure):
    found = measure(make_record(turns=2, warmup=4), None)
    assert found.metrics["latency_s"] is None
    assert found.nulls["latency_s"] == "no steady step was measured"


def test_phases_belong_to_training(make_record, make_case, measure):
    training = measure(make_record(make_case(task="training")), None).metrics
    assert training["forward_s"] == pytest.approx(0.3 * training["latency_s"])
    assert training["backward_s"] == pytest.approx(0.6 * training["latency_s"])
    assert training["optimizer_s"] == pytest.approx(0.1 * training["latency_s"])
    assert measure(make_record(), None).nulls["forward_s"] == "only training has phases"


def test_no_published_weights_means_no_accuracy(make_record, make_static, measure):
    found = measure(make_record(), make_static(imagenet_top1=None))
    assert found.metrics["imagenet_top1"] is None
    assert found.nulls["imagenet_top1"] == "no published ImageNet weights"


def test_a_result_is_wrong_only_where_it_was_checked(make_record, make_equality):
    verdicts = ("wrong", "equal", "eager-twice-differs")
    assert [is_wrong(make_record(equality=make_equality(verdict))) for verdict in verdicts] == [True, False, False]
    assert not is_wrong(make_record())
    imported = [make_record(summary=Summary(metrics={}, equality=verdict)) for verdict in (*verdicts, None)]
    assert [is_wrong(record) for record in imported] == [True, False, False, False]


def test_a_record_counts_that_ended_well_and_is_not_wrong(make_record, make_equality):
    assert usable_record(make_record())
    assert usable_record(make_record(equality=make_equality("eager-twice-differs")))
    assert not usable_record(make_record(equality=make_equality("wrong")))
    assert not usable_record(make_record(status="unsupported", cause="no"))
