import dataclasses
import json
import math
import random

import pytest

from bench.doctor.checks import Check
from bench.doctor.doctor import examine
from reports.text.doctor import doctor_text
from results.analysis.ab import Paired
from results.statistics.looks import judge

GOOD = Check(name="steal", state="good", seen="0.00 CPUs")
WARN = Check(name="turbo", state="warn", seen="on", remedy="turn it off")
BAD = Check(name="power", state="bad", seen="on battery", remedy="plug it in")


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


def test_the_table_ends_with_the_noise_floor(paired):
    text = doctor_text(run(lambda *_, **__: paired(reasons=("crash in arm b: killed",)), found=(GOOD, WARN)), "table")
    lines = text.splitlines()
    assert lines[0] == "fit, with 2 warnings"
    assert any(line.startswith("noise floor: a pair's ratio spreads by ") for line in lines)
    assert "crash in arm b: killed" in lines
    assert [line.split()[0] for line in lines[-3:]] == ["60", "120", "300"]


def test_json_holds_everything_exactly(paired):
    findings = run(lambda *_, **__: paired(), found=(GOOD, BAD))
    content = json.loads(doctor_text(findings, "json"))
    assert content["verdict"] == "not fit: power"
    assert content["fit"] is False
    assert content["checks"][1] == {"name": "power", "state": "bad", "seen": "on battery", "remedy": "plug it in"}
    assert content["floor"]["judged"]["spread"] == findings.floor.judged.spread
    assert [each["pairs"] for each in content["floor"]["resolutions"]] == [10, 20, 40]
