import numpy as np
import pytest

from results.metrics.relative.pairs import lacking, over_baseline, over_reference


@pytest.fixture
def known(make_record, make_case, run_of):
    """A baseline and a case with times, of two replicates, and a case that was measured apart; and what is known."""
    records = [
        make_record(latency_s=0.1, began_s=0.0),
        make_record(make_case(layout="nhwc"), latency_s=0.05, began_s=0.5),
        make_record(make_case(model="resnet18"), latency_s=0.02),
        make_record(make_case(layout="nhwc"), latency_s=0.05, began_s=90.5, replicate=1),
    ]
    run = run_of(*records)
    return records, run.replicates, run.levels, run.latencies


def test_a_record_is_compared_with_its_baseline_of_the_same_replicate(known):
    speed = over_baseline(*known)
    assert speed.partner.tolist() == [0, 0, 2, -1]
    assert speed.itself.tolist() == [True, False, True, False]
    assert np.exp(speed.log) == pytest.approx([1, 2, 1, np.nan], rel=0.01, nan_ok=True)
    assert np.isnan(speed.half).tolist() == [True, False, True, True]


def test_a_record_is_compared_with_the_reference_of_its_replicate(known, make_case):
    speed = over_reference(*known, make_case())
    assert speed.partner.tolist() == [0, 0, 0, -1]
    assert np.exp(speed.log) == pytest.approx([1, 2, 5, np.nan], rel=0.01, nan_ok=True)
    assert np.isnan(speed.half).tolist() == [True, False, True, True]
    assert speed.apart.tolist()[:3] == [False, False, True]
    assert np.isnan(over_reference(*known, None).log).all()


def test_an_older_record_is_compared_with_the_baseline_that_it_shared_rounds_with(make_record, make_case, run_of):
    run = run_of(make_record(make_case(layout="nhwc"), latency_s=0.05, baseline_latency_s=0.1))
    speed = over_baseline(run.file.records, run.replicates, run.levels, run.latencies)
    assert np.exp(speed.log) == pytest.approx([2], rel=0.01)
    assert speed.half[0] > 0


def test_a_missing_ratio_has_its_reason(known):
    records = known[0]
    speed = over_baseline(*known)
    assert lacking(speed, "its baseline", records, [None] * 4)[3] == "its baseline was not measured in this replicate"
    assert lacking(speed, "its baseline", records, ["wrong", None, None, None])[1] == "its baseline is excluded: wrong"
