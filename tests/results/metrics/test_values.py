import re
import statistics

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from results.metrics.values import measure
from results.schema.metrics import METRICS
from results.schema.run import Arm
from results.statistics.steady import turn_medians


def test_every_metric_is_declared_under_its_name():
    assert all(name == metric.name for name, metric in METRICS.items())
    assert {metric.better for metric in METRICS.values()} == {"higher", "lower", None}


def test_every_value_is_there_or_has_a_reason(make_record, make_case, make_static):
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


def test_latency_is_the_median_of_the_steady_steps(make_record):
    record = make_record(warmup=10)
    found = measure(record, None)
    assert found.metrics["latency_s"] == statistics.median(record.samples.step_s[10:])
    assert found.metrics["warmup_steps"] == 10
    interval = found.intervals["latency_s"]
    assert interval.low < found.metrics["latency_s"] == interval.value < interval.high


@given(latency=st.floats(1e-5, 100), batch=st.integers(1, 1024))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the factories keep no state
def test_throughput_times_latency_is_the_batch(make_record, make_case, latency, batch):
    found = measure(make_record(make_case(batch_size=batch), latency_s=latency, turns=10), None)
    assert found.metrics["throughput_img_per_s"] * found.metrics["latency_s"] == pytest.approx(batch)


def test_the_achieved_rate_counts_what_the_task_computes(make_record, make_case, make_static):
    for task, flops in (("inference", 2 * 4_089_184_256), ("training", 24_299_077_632)):
        found = measure(make_record(make_case(task=task)), make_static()).metrics
        assert found["flops_per_s"] == pytest.approx(flops * 8 / found["latency_s"])


def test_a_speed_up_above_one_is_faster_than_the_baseline(make_record, make_case):
    case = make_case(layout="nhwc")
    found = measure(make_record(case, latency_s=0.05, baseline_latency_s=0.1), None)
    assert found.metrics["speedup"] == pytest.approx(2, rel=0.01)
    interval = found.intervals["speedup"]
    assert interval.low < found.metrics["speedup"] < interval.high


def test_a_speed_up_is_paired_by_turn(make_record, make_case):
    # Both drift tenfold together: unpaired, the ratio of medians would still be right, its interval useless.
    record = make_record(make_case(layout="nhwc"), noise=0.0, warmup=0, baseline_latency_s=0.1)
    drift = [1 + index for index in range(40)]
    samples = structs.replace(
        record.samples,
        step_s=tuple(0.05 * drift[turn] for turn in record.samples.turn),
        baseline_s=tuple(0.1 * factor for factor in drift),
    )
    interval = measure(structs.replace(record, samples=samples), None).intervals["speedup"]
    assert interval.low == pytest.approx(2)
    assert interval.high == pytest.approx(2)


def test_turns_without_a_baseline_or_in_warm_up_are_left_out(make_record, make_case):
    record = make_record(make_case(layout="nhwc"), noise=0.0, warmup=4, baseline_latency_s=0.1)
    baseline = (9.0, 9.0, 0.1, 0.1, *[None] * 36)  # the first two turns are warm-up
    record = structs.replace(record, samples=structs.replace(record.samples, baseline_s=baseline))
    found = measure(record, None)
    assert found.metrics["speedup"] == pytest.approx(2)
    assert "speedup" not in found.intervals


def test_the_baseline_is_its_own_measure(make_record):
    found = measure(make_record(), None)
    assert found.metrics["speedup"] == 1.0
    assert "speedup" not in found.intervals


def test_a_wrong_result_has_no_speed_up(make_record, make_case, make_equality):
    record = make_record(make_case(layout="nhwc"), baseline_latency_s=0.1, equality=make_equality("wrong"))
    found = measure(record, None)
    assert found.metrics["speedup"] is None
    assert found.nulls["speedup"] == "its result is wrong: output, error 0.3 where 1e-05 is allowed"
    assert "speedup" not in found.intervals
    assert found.metrics["latency_s"] > 0


def test_what_cannot_be_judged_keeps_its_speed_up(make_record, make_case, make_equality):
    unsure = make_equality("eager-twice-differs")
    found = measure(make_record(make_case(layout="nhwc"), baseline_latency_s=0.1, equality=unsure), None)
    assert found.metrics["speedup"] == pytest.approx(2, rel=0.01)


def test_the_error_of_a_result_is_a_metric(make_record, make_equality):
    assert measure(make_record(equality=make_equality()), None).metrics["equality_error"] == 1e-6
    infinite = measure(make_record(equality=make_equality("wrong", error=None, what="fc.weight")), None)
    assert infinite.nulls["equality_error"] == "fc.weight is not finite"
    unchecked = measure(make_record(nulls={"equality": "it is the baseline"}), None)
    assert unchecked.nulls["equality_error"] == "it is the baseline"


def test_an_arm_has_no_speed_up(make_record, make_case):
    arm = Arm(name="a", pair="x", margin=0.02)
    for record in (make_record(), make_record(make_case(layout="nhwc"), baseline_latency_s=0.1)):
        found = measure(record, None, arm)
        assert found.metrics["speedup"] is None
        assert "arm of an A/B comparison" in found.nulls["speedup"]
    record = make_record(make_case(layout="nhwc"))
    beside = structs.replace(record, samples=structs.replace(record.samples, arm_s=(0.1,) * 40))
    assert "arm of an A/B comparison" in measure(beside, None).nulls["speedup"]


def test_a_case_that_ran_without_a_baseline_has_no_speed_up(make_record, make_case):
    found = measure(make_record(make_case(layout="nhwc")), None)
    assert found.metrics["speedup"] is None
    assert "no baseline" in found.nulls["speedup"]


def test_a_percentile_that_cannot_be_bounded_is_null(make_record):
    found = measure(make_record(turns=30, warmup=2), None)  # 58 steady steps
    assert found.metrics["latency_p90_s"] is not None
    assert found.metrics["latency_p95_s"] is None
    assert re.fullmatch(
        r"58 steady steps, worth \d+ independent ones, are too few to bound it", found.nulls["latency_p95_s"]
    )
    many = measure(make_record(turns=300, warmup=2), None).metrics
    assert many["latency_p50_s"] < many["latency_p90_s"] < many["latency_p95_s"] < many["latency_p99_s"]


def test_correlated_steps_bound_no_tail(make_record):
    # 598 steps, but in blocks of 50 that are alike: no more than some dozen independent ones.
    record = make_record(turns=300, warmup=2, noise=0.001)
    steps = tuple(step * (1.1 if index // 50 % 2 else 1.0) for index, step in enumerate(record.samples.step_s))
    samples = structs.replace(record.samples, step_s=steps)
    found = measure(structs.replace(record, samples=samples), None)
    assert found.metrics["latency_p99_s"] is None


def test_a_failure_keeps_its_reason_and_what_it_still_knows(make_record):
    record = make_record(status="out-of-memory", cause="tried to allocate 2 GiB")
    facts = structs.replace(record.facts, peak_resident_bytes=7)
    found = measure(structs.replace(record, facts=facts), None)
    assert found.nulls["latency_s"] == "out-of-memory: tried to allocate 2 GiB"
    assert found.metrics["peak_resident_bytes"] == 7


def test_a_series_that_is_all_warm_up_has_no_latency(make_record):
    found = measure(make_record(turns=2, warmup=4), None)
    assert found.metrics["latency_s"] is None
    assert found.nulls["latency_s"] == "no steady step was measured"


def test_phases_belong_to_training(make_record, make_case):
    training = measure(make_record(make_case(task="training")), None).metrics
    assert training["forward_s"] == pytest.approx(0.3 * training["latency_s"])
    assert training["backward_s"] == pytest.approx(0.6 * training["latency_s"])
    assert training["optimizer_s"] == pytest.approx(0.1 * training["latency_s"])
    assert measure(make_record(), None).nulls["forward_s"] == "only training has phases"


@pytest.mark.parametrize(("precision", "size"), [("fp32", 4), ("tf32", 4), ("amp-fp16", 4), ("fp16", 2), ("bf16", 2)])
def test_the_size_of_the_model_is_that_of_its_weights(make_record, make_case, make_static, precision, size):
    static = make_static(model_bytes={"fp32": 4, "fp16": 2, "bf16": 2})
    assert measure(make_record(make_case(precision=precision)), static).metrics["model_bytes"] == size


def test_no_published_weights_means_no_accuracy(make_record, make_static):
    found = measure(make_record(), make_static(imagenet_top1=None))
    assert found.metrics["imagenet_top1"] is None
    assert found.nulls["imagenet_top1"] == "no published ImageNet weights"


def test_turn_medians_skip_warm_up(make_record):
    samples = make_record(warmup=3).samples
    medians = turn_medians(samples)
    assert min(medians) == 1
    assert medians[1] == samples.step_s[3]
    assert medians[2] == statistics.median(samples.step_s[4:6])
