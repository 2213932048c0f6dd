import dataclasses
import json
import math
import random

import pytest

from bench.doctor import doctor
from bench.doctor.checks import CHECKS, Check
from bench.doctor.doctor import (
    Findings,
    equal_arms,
    examine,
    findings_text,
    full_name,
    resolutions,
    smallest_margin,
    spread_interval,
)
from results.analysis.ab import Paired
from results.statistics.looks import judge, smallest_effect

GOOD = Check(name="steal", state="good", seen="0.00 CPUs")
WARN = Check(name="turbo", state="warn", seen="on", remedy="turn it off")
BAD = Check(name="power", state="bad", seen="on battery", remedy="plug it in")
UNKNOWN = Check(name="heat", state="unknown", seen="nobody counts")


def ratios(count, spread=0.008, seed=0):
    rng = random.Random(seed)
    return [math.exp(rng.gauss(0, spread)) for _ in range(count)]


@pytest.fixture
def paired(make_case):
    def make(found=None, **fields):
        found = ratios(10) if found is None else found
        usual = Paired(
            pair="20261122-003812-ab-a1b2",
            margin=0.02,
            a=make_case(model="resnet18", batch_size=1),
            b=make_case(model="resnet18", batch_size=1),
            judged=judge(found, 0.02),
            ratios=tuple(found),
            a_latency_s=0.02,
            b_latency_s=0.02,
            pair_s=4.0,
            broken=False,
            counts=(),
            environment=(),
            reasons=(),
            notices=(),
        )
        return dataclasses.replace(usual, **fields)

    return make


def run(aa=None, found=(GOOD,), device="cpu", **options):
    return examine(device, aa=aa, look=lambda device: found, **options)


@pytest.mark.parametrize(
    ("found", "fit", "verdict"),
    [
        ((GOOD,), True, "fit to measure"),
        ((GOOD, UNKNOWN), True, "fit to measure"),
        ((GOOD, WARN), True, "fit, with 1 warning"),
        ((WARN, WARN), True, "fit, with 2 warnings"),
        ((GOOD, WARN, BAD), False, "not fit: power"),
        ((BAD, dataclasses.replace(BAD, name="memory")), False, "not fit: power, memory"),
    ],
)
def test_the_verdict_follows_from_the_worst_check(found, fit, verdict):
    findings = Findings(device="cpu", checks=found, floor=None)
    assert (findings.fit, findings.verdict) == (fit, verdict)
    text = findings_text(findings, "table")
    assert text.startswith(f"{verdict}\n")
    assert all(check.seen in text and (check.remedy or "") in text for check in found)


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


def test_without_an_a_a_run_there_is_no_floor():
    assert run().floor is None
    assert run().checks == (GOOD,)


def test_noise_is_watched_while_the_arms_run(paired, monkeypatch):
    alive = []

    class Watch:
        def __init__(self, device):
            alive.append(device)

        def noise(self):
            assert alive == ["cpu", "measured"]
            return doctor.Noise(steal=0.25), {"other_cpus": "not told"}

    monkeypatch.setattr(doctor, "Watch", Watch)
    findings = run(lambda *_, **__: alive.append("measured") or paired())
    assert findings.floor.noise.steal == 0.25
    assert "steal 0.25 CPUs" in findings_text(findings, "table")


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


def test_too_few_pairs_are_unknown_and_no_floor(paired):
    findings = run(lambda *_, **__: paired([1.01]), found=(GOOD,))
    assert findings.checks[-1].state == "unknown"
    assert findings.floor.resolutions == ()
    assert "no noise floor: 1 pair" in findings_text(findings, "table")


def test_the_table_ends_with_the_noise_floor(paired):
    text = findings_text(run(lambda *_, **__: paired(reasons=("crash in arm b: killed",)), found=(GOOD, WARN)), "table")
    lines = text.splitlines()
    assert lines[0] == "fit, with 2 warnings"
    assert any(line.startswith("noise floor: a pair's ratio spreads by ") for line in lines)
    assert "crash in arm b: killed" in lines
    assert [line.split()[0] for line in lines[-3:]] == ["60", "120", "300"]


def test_json_holds_everything_exactly(paired):
    findings = run(lambda *_, **__: paired(), found=(GOOD, BAD))
    content = json.loads(findings_text(findings, "json"))
    assert content["verdict"] == "not fit: power"
    assert content["fit"] is False
    assert content["checks"][1] == {"name": "power", "state": "bad", "seen": "on battery", "remedy": "plug it in"}
    assert content["floor"]["judged"]["spread"] == findings.floor.judged.spread
    assert [each["pairs"] for each in content["floor"]["resolutions"]] == [10, 20, 40]


def test_this_machine_is_checked(monkeypatch):
    monkeypatch.setattr("bench.doctor.host.WATCH_S", 0.01)
    found = doctor.checks("cpu")
    assert len(found) == len(CHECKS)
    more = doctor.checks("xpu:0")
    assert [check.name for check in more] == [*(check.name for check in found), "accelerator"]


def test_the_cpu_needs_no_process_to_be_found(monkeypatch):
    monkeypatch.setattr(doctor, "ForkServer", None)
    assert full_name("cpu") == "cpu"
