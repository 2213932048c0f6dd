import math

import numpy as np
import pytest
from msgspec import structs

from results.metrics.levels import ALONE, Levels, levels, log_ratios, ratios


@pytest.fixture
def timed(make_record, make_case):
    """Return a record with turns at a time each; its part changes after as many turns as `parts` has entries for."""

    def make(model="resnet50", *, latency_s=0.05, replicate=0, first_s=0.0, parts=None, drift=lambda _: 1.0, **fields):
        record = make_record(make_case(model=model), latency_s=latency_s, replicate=replicate, **fields)
        samples = record.samples
        at_s = tuple(first_s + 3 * turn for turn in range(len(samples.wall_s)))
        step_s = tuple(step * drift(at_s[turn]) for step, turn in zip(samples.step_s, samples.turn, strict=True))
        part = parts or (0,) * len(at_s)
        return structs.replace(record, samples=structs.replace(samples, step_s=step_s, at_s=at_s, part=part))

    return make


def swing(at_s):
    return 1.5 + 0.4 * math.sin(at_s / 25)


def test_levels_of_a_field_are_free_of_its_drift(timed):
    records = [timed("resnet18", latency_s=0.02, drift=swing), timed(latency_s=0.04, first_s=1.5, drift=swing)]
    found = levels(records)
    assert found.field.tolist() == [0, 0]
    assert found.level[1] - found.level[0] == pytest.approx(math.log(2), abs=0.01)
    assert (found.half < 0.03).all()  # the times themselves vary by 40 %


def test_replicates_and_parts_without_a_common_case_are_apart(timed):
    records = [
        timed("resnet18"),
        timed("resnet34"),
        timed("resnet50", parts=(1,) * 40),
        timed("resnet18", replicate=1),
        timed("resnet50", replicate=1),
    ]
    a, b, c, d, e = levels(records).field.tolist()
    assert a == b
    assert d == e
    assert len({a, c, d}) == 3


def test_cases_of_two_devices_share_no_drift(timed, make_case):
    devices = {"cuda:0": swing, "cuda:1": lambda at_s: 3.0 - swing(at_s)}
    records = [
        structs.replace(
            timed(model, latency_s=latency_s, first_s=first_s, drift=drift), case=make_case(model=model, device=device)
        )
        for device, drift in devices.items()
        for model, latency_s, first_s in (("resnet18", 0.02, 0.0), ("resnet50", 0.04, 1.5))
    ]
    fitted = levels(records)
    assert fitted.field.tolist() == [0, 0, 1, 1]
    for small, large in ((0, 1), (2, 3)):
        assert fitted.level[large] - fitted.level[small] == pytest.approx(math.log(2), abs=0.01)
    assert (fitted.half < 0.03).all()


def test_anchors_join_parts(timed):
    change = (0,) * 20 + (1,) * 20
    late = {"first_s": 60.0, "turns": 20, "parts": (1,) * 20}
    records = [
        timed("resnet18", latency_s=0.02, parts=change, drift=swing),
        timed("resnet34", latency_s=0.03, parts=change, drift=swing),
        timed("resnet50", latency_s=0.04, turns=20, drift=swing),
        timed("resnet101", latency_s=0.08, drift=swing, **late),
    ]
    found = levels(records)
    assert found.field.tolist() == [0, 0, 0, 0]
    assert found.level[3] - found.level[2] == pytest.approx(math.log(2), abs=0.02)


def test_a_case_that_was_measured_again_joins_both_sessions(timed):
    again = timed("resnet18", latency_s=0.02, first_s=1000.0, parts=(1,) * 40)
    records = [timed("resnet18", latency_s=0.02), timed("resnet34"), again, timed(first_s=1000.0, parts=(1,) * 40)]
    found = levels(records)
    assert found.field.tolist() == [0, 0, 0, 0]
    assert found.level[0] == found.level[2]


def test_arms_of_the_same_case_are_two(timed):
    found = levels([timed(latency_s=0.04), timed(latency_s=0.05, first_s=1.5)], ("a", "b"))
    assert found.level[1] - found.level[0] == pytest.approx(math.log(1.25), abs=0.01)


def test_a_record_of_an_older_file_has_its_level_over_its_baseline(make_record, make_case):
    nhwc = make_case(layout="nhwc")
    records = [
        make_record(latency_s=0.1),
        make_record(nhwc, latency_s=0.05, baseline_latency_s=0.1),
        make_record(make_case(layout="nhwc", precision="bf16"), latency_s=0.025, baseline_latency_s=0.1),
        make_record(make_case(model="resnet18"), latency_s=0.05),
        make_record(nhwc, latency_s=0.05, baseline_latency_s=0.1, replicate=1),
    ]
    found = levels(records)
    assert found.field.tolist() == [0, 0, 0, ALONE, 1]
    assert np.exp(found.level[[0, 1, 2, 4]]) == pytest.approx([1, 0.5, 0.25, 0.5], rel=0.01)
    assert found.half[0] == 0
    assert (found.half[[1, 2, 4]] > 0).all()
    assert np.isnan(found.level[3])


def test_rounds_without_the_baseline_give_nothing(make_record, make_case):
    record = make_record(make_case(layout="nhwc"), noise=0.0, warmup=4, baseline_latency_s=0.1)
    baseline_s = (9.0, 9.0, 0.1, 0.1, *[None] * 36)  # the first two turns are warm-up
    found = levels([structs.replace(record, samples=structs.replace(record.samples, baseline_s=baseline_s))])
    assert math.exp(found.level[0]) == pytest.approx(0.5)
    assert np.isnan(found.half[0])
    alone = structs.replace(record.samples, baseline_s=(None,) * 40)
    assert np.isnan(levels([structs.replace(record, samples=alone)]).level[0])


def test_failed_records_and_those_without_a_steady_turn_have_no_level(timed):
    crashed = structs.replace(timed("resnet18"), status="crash", cause="signal 11")
    records = [timed(), crashed, timed("resnet34", turns=2, warmup=4), timed("resnet101")]
    found = levels(records)
    assert np.isnan(found.level).tolist() == [False, True, True, False]
    assert found.field.tolist() == [0, ALONE, ALONE, 0]
    assert levels([]).level.size == 0


def _known(level, half, field):
    return Levels(np.array(level), np.array(half), np.array(field))


def test_ratios_pair_replicates_and_a_single_replicate_adds_the_widths_in_squares():
    found = _known([0.0, 0.5, 1.0, 1.6, 2.0, 2.7, 0.0, 0.1], [0.03, 0.04] * 4, [0, 0, 1, 1, 2, 2, 3, 3])
    value, low, high = ratios(found, np.full(8, np.nan), [1, 3, 5, 7], [0, 2, 4, 6], [3, 1])
    assert np.log(value) == pytest.approx([0.6, 0.1])
    assert np.log(high[0] / low[0]) / 2 == pytest.approx(4.302653 * 0.1 / math.sqrt(3))
    assert np.log(high[1] / low[1]) / 2 == pytest.approx(0.05)


def test_records_that_were_measured_apart_have_the_ratio_of_their_latencies():
    found = _known([0.0, 0.5, np.nan], [0.03, 0.04, np.nan], [0, 1, ALONE])
    latencies = np.array([1.0, 3.0, 6.0])
    assert np.exp(log_ratios(found, latencies, [1, 2, 2], [0, 1, 0])) == pytest.approx([3, 2, 6])
    value, low, high = ratios(found, latencies, [1, 2], [0, 1], [1, 1])
    assert value == pytest.approx([3, 2])
    assert np.isnan([low, high]).all()
    assert [end.size for end in ratios(found, latencies, [], [], [])] == [0, 0, 0]


def test_many_ratios_are_each_alone():
    rng = np.random.default_rng(1)
    found = Levels(rng.normal(0, 1, 12), np.append(rng.uniform(0.01, 0.1, 11), np.nan), np.zeros(12, dtype=np.int64))
    before, after, counts = list(range(6)), list(range(6, 12)), [3, 1, 1, 1]
    latencies = np.full(12, np.nan)
    together = np.array(ratios(found, latencies, before, after, counts))
    alone = [
        np.array(ratios(found, latencies, before[start : start + count], after[start : start + count], [count]))[:, 0]
        for start, count in zip([0, 3, 4, 5], counts, strict=True)
    ]
    assert together == pytest.approx(np.array(alone).T, nan_ok=True)
    assert np.isnan(together[1:, 3]).all()  # one half-width is not known
    assert not np.isnan(together[:, :3]).any()
