import statistics

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from results.metrics.values import measure


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


@pytest.mark.parametrize(("precision", "size"), [("fp32", 4), ("tf32", 4), ("amp-fp16", 4), ("fp16", 2), ("bf16", 2)])
def test_the_size_of_the_model_is_that_of_its_weights(make_record, make_case, make_static, precision, size):
    static = make_static(model_bytes={"fp32": 4, "fp16": 2, "bf16": 2})
    assert measure(make_record(make_case(precision=precision)), static).metrics["model_bytes"] == size
