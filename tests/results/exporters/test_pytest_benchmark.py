import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_benchmark.stats import Stats

import results
from results.analysis.study import Study
from results.exporters.pytest_benchmark import VERSION, summarised, to_pytest_benchmark


def exported(records):
    return json.loads(to_pytest_benchmark(Study(records)).content(), parse_constant=pytest.fail)


@given(st.lists(st.floats(1e-9, 1e6), min_size=1, max_size=40))
def test_statistics_are_those_that_pytest_benchmark_computes(data):
    stats = Stats()
    for one in data:
        stats.update(one)
    assert summarised(data) == stats.as_dict()


def test_compare_prints_every_benchmark(measured, tmp_path, make_case):
    (tmp_path / "saved.json").write_bytes(to_pytest_benchmark(Study(measured)).content())
    command = [
        sys.executable,
        "-m",
        "pytest_benchmark",
        "compare",
        "saved.json",
        "--sort=name",
        "--columns=median,rounds",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "2 tests" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(make_case().key)]
    # Two processes of 40 turns of two steps, the first four of each not steady.
    assert line.split()[-1] == str(2 * (80 - 4))
    assert "Failed" not in done.stderr


def test_a_session_of_pytest_compares_with_it(measured, tmp_path):
    (tmp_path / "saved.json").write_bytes(to_pytest_benchmark(Study(measured)).content())
    (tmp_path / "test_it.py").write_text("def test_it(benchmark):\n    benchmark.pedantic(int, rounds=2)\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--benchmark-compare=saved.json", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Comparing against benchmarks from: saved.json" in done.stdout + done.stderr


def test_rounds_are_the_steady_steps_of_all_processes(measured):
    content = exported(measured)
    steps = [step for record in measured[:2] for step in record.samples.step_s[record.samples.warmup :]]
    stats = content["benchmarks"][0]["stats"]
    assert stats["data"] == steps
    assert stats["iterations"] == 1
    assert content["version"] == VERSION
    assert content["machine_info"]["cpu"]["brand_raw"] == "AMD EPYC 9B14"
    assert content["datetime"] == "2026-11-22T00:38:12Z"


def test_what_a_case_is_and_gave_stands_beside_it(measured, hostile):
    found = exported(measured)["benchmarks"][1]
    row = results.table(measured).iloc[1]
    assert found["params"]["model"] == found["extra_info"]["model"] == hostile
    assert found["extra_info"]["run"] == row["run"]
    assert found["extra_info"]["metrics"]["speedup"] == row["speedup"]
    assert found["extra_info"]["bounds"]["speedup"] == [row["speedup_low"], row["speedup_high"]]
    assert found["extra_info"]["samples"] is True


def test_an_imported_case_is_one_round_of_its_latency(imported):
    (found,) = exported(imported)["benchmarks"]
    assert found["stats"]["data"] == [0.04]
    assert found["stats"]["median"] == 0.04
    assert found["extra_info"]["samples"] is False
    assert found["extra_info"]["source"]["format"] == "timm"
    assert found["params"]["threads"] is None


def test_what_runs_disagree_on_is_null(two_runs, make_run):
    content = exported(two_runs({}, {"environment": make_run(accelerator="NVIDIA H100").environment}))
    assert content["machine_info"]["accelerators"] is None
    assert content["machine_info"]["system"] == "Linux"
    assert len({one["fullname"] for one in content["benchmarks"]}) == 2
