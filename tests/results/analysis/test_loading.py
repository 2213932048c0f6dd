import pytest
from msgspec import structs

from results.analysis.loading import loading_findings
from tests.loadings import loading, rate, stage


def test_the_fewest_workers_within_5_percent_of_the_best_are_advised():
    rates = [
        rate(workers=workers, per_s=per_s) for workers, per_s in ((0, 300), (1, 500), (2, 960), (4, 1000), (8, 700))
    ]
    findings = loading_findings(loading(rates=rates))
    assert findings.workers == 2
    assert [each.workers for each in findings.rates if each.advised] == [2]
    assert (findings.feed.path, findings.feed.workers) == ("DataLoader", 2)


def test_rates_are_in_the_order_of_their_workers():
    findings = loading_findings(loading(rates=[rate(workers=workers, per_s=100) for workers in (4, 0, 2)]))
    assert [each.workers for each in findings.rates] == [0, 2, 4]


@pytest.mark.parametrize(
    ("workers", "loads", "takes", "waits"),
    [
        (2, 900, 2400, 1 - 900 / 2400),  # the step takes as long as the loading
        (2, 2400, 900, 0.0),
        (0, 900, 900, 0.5),  # loading and computing take turns
        (0, 300, 900, 0.75),
    ],
)
def test_the_network_waits_for_what_it_cannot_get(workers, loads, takes, waits):
    findings = loading_findings(loading(rates=[rate(workers=workers, per_s=loads)], network_per_s=takes))
    assert findings.waits.value == pytest.approx(waits)
    assert findings.waits.low <= findings.waits.value <= findings.waits.high


def test_what_slows_a_whole_repetition_cancels_in_the_share_of_waiting():
    noise = (1.0, 1.3, 0.8, 1.1, 2.0)
    findings = loading_findings(
        loading(rates=[rate(workers=2, per_s=900, noise=noise)], network_per_s=2400, noise=noise)
    )
    assert findings.waits.low == pytest.approx(findings.waits.high) == pytest.approx(0.625)
    assert findings.feed.images_per_s.low < 700


def test_a_network_that_could_not_be_measured_waits_nobody_knows_how_long():
    findings = loading_findings(structs.replace(loading(), network_image_s=None))
    assert findings.network_per_s is findings.waits is None


def test_the_shares_of_the_stages_add_up():
    stages = [stage("read", 0.001), stage("decode", 0.006), stage("transform", 0.003), stage("transfer", None)]
    findings = loading_findings(loading(stages=stages, nulls={"transfer": "the CPU"}))
    assert [cost.share for cost in findings.stages] == [*map(pytest.approx, (0.1, 0.6, 0.3)), None]
    assert [cost.reason for cost in findings.stages] == [None, None, None, "the CPU"]
    assert findings.stages_per_s.value == pytest.approx(100)
    assert findings.stages[1].images_per_s.value == pytest.approx(1 / 0.006)


def test_slices_feed_the_network_and_are_compared_with_the_fastest_loader():
    rates = [rate(workers=0, per_s=500), rate(workers=2, per_s=1000), rate(path="slices", workers=0, per_s=30_000)]
    findings = loading_findings(loading(rates=rates))
    assert findings.feed.path == "slices"
    assert findings.slices_ratio.value == pytest.approx(30)
    assert findings.workers == 2
    assert loading_findings(loading()).slices_ratio is None


def test_first_batches_are_a_median():
    findings = loading_findings(loading(rates=[rate(workers=1, per_s=100, first_batch_s=(9.0, 0.2, 0.3))]))
    assert findings.feed.first_batch_s == 0.3
