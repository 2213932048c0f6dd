import pytest

from bench.doctor import floor
from bench.doctor.floor import equal_arms, resolutions, smallest_margin, spread_interval
from reports.text.doctor import doctor_text
from results.schema.lines.record import Noise
from results.statistics.looks import judge, smallest_effect
from tests.bench.doctor.examined import ratios, run


def test_both_arms_are_the_same_case_on_the_same_device(paired):
    asked = []

    def aa(a, b, **options):
        asked.append((a, b, options))
        return paired()

    findings = run(aa, device="cuda:0", model="resnet34", batch_size=4, time_s=7.0)
    (a, b, options), *more = asked
    assert not more
    assert a == b
    assert dict(a.axes) == {"model": "resnet34", "batch_size": 4}
    assert options["device"] == "cuda:0"
    assert options["out"] is None
    assert options["time_limit_s"] == 7.0
    assert findings.floor.case == "resnet18/inference/b1/224/cpu/fp32/eager/nchw/t2"
    assert findings.checks[-1] == equal_arms(paired().judged)


def test_noise_is_watched_while_the_arms_run(paired, monkeypatch):
    alive = []

    class Watch:
        def __init__(self):
            alive.append("watched")

        def noise(self):
            assert alive == ["watched", "measured"]
            return Noise(steal=0.25), {"other_cpus": "not told"}

    monkeypatch.setattr(floor, "Watch", Watch)
    findings = run(lambda *_, **__: alive.append("measured") or paired())
    assert findings.floor.noise.steal == 0.25
    assert "steal 0.25 CPUs" in doctor_text(findings, "table")


def test_warnings_of_the_arms_are_told(paired):
    found = run(lambda *_, **__: paired(notices=("power-capped in arm a: 3 of its processes",)))
    assert "power-capped in arm a: 3 of its processes" in doctor_text(found, "table")


def test_only_looks_that_fit_the_time_count():
    found = resolutions(0.01, 5.0, 0.02, 30.0)
    assert [(each.seconds, each.pairs) for each in found] == [(30.0, None), (60.0, 10), (120.0, 20), (300.0, 40)]
    assert found[0].slower is None
    assert found[0].same is None
    for each in found[1:]:
        assert each.slower == smallest_effect(0.01, each.pairs, 0.02)
        assert each.same == smallest_margin(0.01, each.pairs)
    assert found[1].slower > found[2].slower > 0.02
    assert found[1].same > found[2].same > 0


def test_the_a_a_runs_own_time_is_told_once():
    assert [each.seconds for each in resolutions(0.01, 5.0, 0.02, 60.0)] == [60.0, 120.0, 300.0]
    assert resolutions(None, None, 0.02, 60.0) == ()


@pytest.mark.parametrize("pairs", [10, 20, 40])
def test_at_the_smallest_margin_equal_arms_are_called_same_in_95_percent_of_runs(pairs):
    spread, runs = 0.01, 1000
    margin = smallest_margin(spread, pairs)
    same = sum(judge(ratios(pairs, spread, seed), margin).verdict == "same" for seed in range(runs))
    assert 0.93 <= same / runs <= 0.99


def test_the_interval_of_the_spread_holds_the_true_one():
    true, runs = 0.01, 1000
    held = 0
    for seed in range(runs):
        low, high = spread_interval(judge(ratios(10, true, seed), 0.02).spread, 10)
        held += low <= true <= high
    assert 0.93 <= held / runs <= 0.97


@pytest.mark.parametrize(
    ("factor", "spread", "state"), [(1.0, 0.005, "good"), (1.0, 0.05, "warn"), (1.2, 0.005, "bad"), (0.8, 0.005, "bad")]
)
def test_equal_arms_that_differ_are_bad(factor, spread, state):
    check = equal_arms(judge([factor * ratio for ratio in ratios(10, spread)], 0.02))
    assert check.state == state
    assert (check.remedy is None) == (state == "good")


def test_equal_arms_with_doubts_are_a_warning_that_names_the_first():
    check = equal_arms(judge(ratios(10, 0.005), 0.02), ("crash in arm b: killed", "another"))
    assert check.state == "warn"
    assert "crash in arm b: killed" in check.remedy
