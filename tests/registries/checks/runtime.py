"""The throw-away runtime ``scripted`` is known everywhere. Runs in a copy: see tests/registries/test_recipes.py."""

import json

import pytest

import results
from bench.cli import main
from bench.suites import suite

AXES = ["--model", "cifar_resnet20", "--image-size", "32", "--device", "cpu", "--threads", "1"]
SHORT = ["--replicates", "1", "--budget", "0.2", "--target", "50%", "--no-report"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A run of it next to its baseline, and of what it cannot do, with real workers."""
    folder = tmp_path_factory.mktemp("runs")
    main(["run", *AXES, "--runtime", "eager,scripted", "--precision", "fp32,bf16", *SHORT, "--out", str(folder)])
    return results.Study(results.load(folder))


def test_suites_take_it():
    chosen = suite.choose(None, {"model": ["resnet18"], "runtime": ["scripted"]}, {})
    assert [case.runtime for case in suite.expand(chosen, device="cpu", threads=2)] == ["scripted"]


def test_it_is_measured_and_its_result_is_checked(study):
    (record,) = [record for record in study.records if record.case.key.endswith("fp32/scripted/nchw/t1")]
    assert record.status == "ok", record.cause
    assert record.equality.verdict == "equal"
    assert record.ran.compute_dtypes == ("float32",)


def test_what_it_cannot_do_is_a_record(study):
    (record,) = [record for record in study.records if record.case.key.endswith("bf16/scripted/nchw/t1")]
    assert record.status == "unsupported"
    assert "fp32 only" in record.cause


def test_an_engine_that_compiles_nothing_has_no_figures_of_compilation(study, capsys):
    rows = study.table.set_index(["precision", "runtime"])
    assert rows["speedup"].notna()["fp32", "scripted"]
    for name in ("compile_s", "graph_breaks", "break_even_steps"):
        assert rows[name].isna()["fp32", "scripted"]
        assert rows["nulls"]["fp32", "scripted"][name]
    assert study.break_evens == ()
    assert main(["table", str(study.records.files[0].path), "--format", "json"]) == 0
    assert "scripted" in {row["runtime"] for row in json.loads(capsys.readouterr().out)}
