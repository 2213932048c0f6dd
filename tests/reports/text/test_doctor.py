import json

from reports.text.doctor import doctor_text
from tests.bench.doctor.examined import BAD, GOOD, WARN, run


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
