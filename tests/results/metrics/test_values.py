import math
import statistics

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from results.schema.lines.record import Agreement


def test_latency_is_the_median_of_the_steady_steps(make_record, measure):
    record = make_record(warmup=10)
    found = measure(record, None)
    assert found.metrics["latency_s"] == statistics.median(record.samples.step_s[10:])
    assert found.metrics["warmup_steps"] == 10
    interval = found.intervals["latency_s"]
    assert interval.low < found.metrics["latency_s"] == interval.value < interval.high


@given(latency=st.floats(1e-5, 100), batch=st.integers(1, 1024))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the factories keep no state
def test_throughput_times_latency_is_the_batch(make_record, make_case, latency, batch, measure):
    found = measure(make_record(make_case(batch_size=batch), latency_s=latency, turns=10), None)
    assert found.metrics["throughput_img_per_s"] * found.metrics["latency_s"] == pytest.approx(batch)


def test_the_achieved_rate_counts_what_the_task_computes(make_record, make_case, make_static, measure):
    for task, flops in (("inference", 2 * 4_089_184_256), ("training", 24_299_077_632)):
        found = measure(make_record(make_case(task=task)), make_static()).metrics
        assert found["flops_per_s"] == pytest.approx(flops * 8 / found["latency_s"])


def test_a_speed_up_above_one_is_faster_than_the_baseline(make_record, make_case, measure):
    case = make_case(layout="nhwc")
    found = measure(make_record(case, latency_s=0.05, baseline_latency_s=0.1), None)
    assert found.metrics["speedup"] == pytest.approx(2, rel=0.01)
    interval = found.intervals["speedup"]
    assert interval.low < found.metrics["speedup"] < interval.high


def test_a_speed_up_is_free_of_the_drift_that_both_share(make_record, make_case, measure):
    # Both drift by half together: unpaired, the ratio of medians would still be right, its interval useless.
    record = make_record(make_case(layout="nhwc"), noise=0.0, warmup=0, baseline_latency_s=0.1)
    drift = [1.5 + 0.5 * math.sin(index / 8) for index in range(40)]
    samples = structs.replace(
        record.samples,
        step_s=tuple(0.05 * drift[turn] for turn in record.samples.turn),
        baseline_s=tuple(0.1 * factor for factor in drift),
    )
    interval = measure(structs.replace(record, samples=samples), None).intervals["speedup"]
    assert interval.low == pytest.approx(2, rel=5e-3)
    assert interval.high == pytest.approx(2, rel=5e-3)


def test_a_speed_up_needs_the_baseline_in_the_same_replicate_only(make_record, make_case, measure):
    record = make_record(make_case(layout="nhwc"), latency_s=0.05)
    apart = measure(record, others=[make_record(latency_s=0.1)])  # an older file, of two groups
    assert apart.metrics["speedup"] == pytest.approx(2, rel=0.01)
    assert "speedup" not in apart.intervals
    record = make_record(make_case(layout="nhwc"), latency_s=0.05, began_s=0.5)
    together = measure(record, others=[make_record(latency_s=0.1, began_s=0.0)])
    interval = together.intervals["speedup"]
    assert interval.low < 2 < interval.high < 2.05
    assert interval.value == together.metrics["speedup"]


def test_the_baseline_of_another_replicate_is_none(make_record, make_case, measure):
    record = make_record(make_case(layout="nhwc"), began_s=0.5)
    found = measure(record, others=[make_record(began_s=0.0, replicate=1)])
    assert found.metrics["speedup"] is None
    assert found.nulls["speedup"] == "its baseline was not measured in this replicate"


def test_times_are_relative_to_the_reference_by_the_image(make_record, make_case, measure):
    record = make_record(make_case(model="resnet18", batch_size=16), latency_s=0.05, began_s=0.5)
    found = measure(record, others=[make_record(latency_s=0.1, began_s=0.0)])
    assert found.metrics["relative"] == pytest.approx(0.25, rel=0.01)
    interval = found.intervals["relative"]
    assert interval.low < found.metrics["relative"] < interval.high < 0.26
    itself = measure(make_record(latency_s=0.1, began_s=0.0), others=[record])
    assert itself.metrics["relative"] == 1.0
    assert "relative" not in itself.intervals


def test_a_failed_or_wrong_reference_is_a_reason(run_of, make_record, make_case, make_equality):
    record = make_record(make_case(model="resnet18"))
    failed = make_record(status="crash", cause="signal 11")
    wrong = make_record(make_case(runtime="compile"), equality=make_equality("wrong"))
    for partner, reason in (
        (failed, "the reference failed: crash: signal 11"),
        (make_record(turns=2, warmup=4), "no steady step of the reference was measured"),
        (wrong, "the reference is excluded: its result is wrong: output"),
    ):
        measures = run_of(record, partner, reference="resnet50").measures
        assert np.isnan(measures.values["relative"]).all()
        assert measures.reasons[0]["relative"].startswith(reason)


def test_a_wrong_replicate_takes_the_ratios_of_all(run_of, make_record, make_case, make_equality):
    case = make_case(runtime="compile")
    records = [
        make_record(),
        make_record(replicate=1),
        make_record(case, equality=make_equality("wrong")),
        make_record(case, replicate=1),
    ]
    measures = run_of(*records).measures
    for name in ("speedup", "relative"):
        assert np.isnan(measures.values[name]).tolist() == [False, False, True, True]
        assert "its result is wrong" in measures.reasons[3][name]


def test_the_baseline_is_its_own_measure(make_record, measure):
    found = measure(make_record(), None)
    assert found.metrics["speedup"] == 1.0
    assert "speedup" not in found.intervals


def test_what_cannot_be_judged_keeps_its_speed_up(make_record, make_case, make_equality, measure):
    unsure = make_equality("eager-twice-differs")
    found = measure(make_record(make_case(layout="nhwc"), baseline_latency_s=0.1, equality=unsure), None)
    assert found.metrics["speedup"] == pytest.approx(2, rel=0.01)


def test_the_error_of_a_result_is_a_metric(make_record, make_equality, measure):
    assert measure(make_record(equality=make_equality()), None).metrics["equality_error"] == 1e-6
    infinite = measure(make_record(equality=make_equality("wrong", error=None, what="fc.weight")), None)
    assert infinite.nulls["equality_error"] == "fc.weight is not finite"
    unchecked = measure(make_record(nulls={"equality": "it is the baseline"}), None)
    assert unchecked.nulls["equality_error"] == "it is the baseline"


@pytest.mark.parametrize(("precision", "size"), [("fp32", 4), ("tf32", 4), ("amp-fp16", 4), ("fp16", 2), ("bf16", 2)])
def test_the_size_of_the_model_is_that_of_its_weights(make_record, make_case, make_static, precision, size, measure):
    static = make_static(model_bytes={"fp32": 4, "fp16": 2, "bf16": 2})
    assert measure(make_record(make_case(precision=precision)), static).metrics["model_bytes"] == size


def test_an_agreement_has_its_share_its_loss_and_the_ends_of_both(make_record, make_case, measure):
    agreement = Agreement(network="a network", images=1000, agreed=980, lost=15, gained=5, reference_correct=930)
    case = make_case(runtime="openvino", precision="int8")
    found = measure(make_record(case, agreement=agreement), None).metrics
    assert found["agreement"] == 0.98
    assert 0.96 < found["agreement_least"] < 0.98
    assert found["accuracy_lost"] == pytest.approx(0.01)
    assert found["accuracy_lost_most"] == pytest.approx(0.01 + 1.96 * math.sqrt(20 - 0.1) / 1000, abs=1e-4)


def test_without_an_agreement_its_metrics_share_its_reason(make_record, measure):
    found = measure(make_record(nulls={"agreement": "no images here"}), None)
    assert found.metrics["accuracy_lost"] is None
    assert {found.nulls[name] for name in ("agreement", "agreement_least", "accuracy_lost")} == {"no images here"}
