import math

import pytest
from msgspec import structs

import reports
import results
from reports.text.findings import study_text
from results.analysis.history import history
from results.metrics import measured as of_run
from results.metrics import table as tables


@pytest.fixture
def calls(monkeypatch):
    """How often each expensive step ran."""
    counts = {}

    def counted(module, name):
        inner = getattr(module, name)

        def count(*given):
            counts[name] = counts.get(name, 0) + 1
            return inner(*given)

        monkeypatch.setattr(module, name, count)

    for name in ("timings", "medians", "measure_file", "warnings", "break_evens", "chains"):
        counted(of_run, name)
    counted(tables, "_columns")
    return counts


def everything(study):
    return (study.table, study.usable, study.chains, study.break_evens, study.runs[0].latencies, study.runs[0].warnings)


def test_everything_is_computed_once(measured, calls):
    study = results.Study(measured)
    everything(study)
    first = dict(calls)
    everything(study)
    everything(study.part([measured.files[0].run.id]))
    assert first.pop("medians", 0) == 0
    assert set(first.values()) == {1}
    assert calls["timings"] == calls["measure_file"] == calls["warnings"] == 1


def test_nothing_is_computed_that_nobody_asked_for(measured, calls):
    study = results.Study(measured)
    assert calls == {}
    assert not math.isnan(study.runs[0].latencies[0])
    assert calls == {"medians": 1}


def test_the_table_is_that_of_the_library(measured):
    study = results.Study(measured)
    assert study.table.equals(results.table(measured))
    assert study.table.attrs == results.table(measured).attrs


def test_cases_count_that_ended_well_with_the_right_result(measured):
    study = results.Study(measured)
    counted = dict(zip(study.table["status"] + " " + study.table["equality"].fillna(""), study.usable, strict=True))
    assert counted == {"ok ": True, "out-of-memory ": False, "ok wrong": False}


def test_a_case_without_any_value_does_not_count(tmp_path, make_record, write_run):
    record = make_record()
    empty = structs.replace(
        record,
        samples=structs.replace(record.samples, step_s=(), turn=(), wall_s=(), warmup=0),
        facts=structs.replace(record.facts, first_step_s=None, peak_resident_bytes=None),
    )
    assert results.Study(results.load(write_run(tmp_path, [empty]))).usable.tolist() == [False]


def test_a_part_holds_the_named_runs(two_runs):
    records = two_runs({}, {})
    study = results.Study(records)
    part = study.part(["run-1"])
    assert [file.run.id for file in part.records.files] == ["run-1"]
    assert part.runs == study.runs[1:]
    assert part.table.equals(results.table(results.load(records.files[1].path)))


def test_comparisons_and_histories_share_what_is_computed(two_runs, calls):
    study = results.Study(two_runs({}, {}))
    everything(study)
    before = dict(calls)
    base, new = study.part(["run-0"]), study.part(["run-1"])
    compared = results.compare(base, new)
    assert history(study)[0].points[0].latency_s == study.table["latency_s"][0]
    assert calls == before
    assert compared == results.compare(base.records, new.records)


def test_the_terminal_and_the_page_share_a_study(measured, calls, tmp_path):
    study = results.Study(measured)
    study_text(study, "table")
    reports.build(study, tmp_path / "page.html")
    assert calls["timings"] == calls["measure_file"] == calls["_columns"] == 1
