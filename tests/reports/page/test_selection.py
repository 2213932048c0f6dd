import re

import pytest

from reports.page import page
from reports.page.machine import sides
from reports.page.selection import shown
from results.analysis.study import Study
from results.storage import reader
from tests.reports.sources import payload, source_of


def test_beyond_what_a_page_holds_the_fastest_setting_stays(make_records, tmp_path, monkeypatch):
    records = make_records(tmp_path)
    monkeypatch.setattr("reports.page.selection.MOST_CASES", 40)
    everything = source_of(records).cases
    few, said = shown(Study(records), sides(records.files))
    kept = source_of(few.records).cases
    assert len(kept) < len(everything)
    assert f"{len(everything)} cases are more than a page can show" in said
    sound = everything[everything["status"].eq("ok")]
    fastest = sound.groupby(["model", "task"])["throughput_img_per_s"].max()
    best = kept.set_index(["model", "task"])["throughput_img_per_s"].dropna()
    assert best.to_dict() == pytest.approx(fastest.to_dict())
    given = payload(page.render(records))["cases"]
    assert len(given["status"]) == len(given["csv"]["rows"]) == len(kept)


def test_of_too_many_variants_the_most_accurate_stay(make_records, tmp_path, monkeypatch):
    records = make_records(tmp_path)
    monkeypatch.setattr("reports.page.selection.MOST_CASES", 40)
    monkeypatch.setattr("reports.page.selection.FEW_CASES", 2)
    few, _ = shown(Study(records), sides(records.files))
    assert {record.case.model for record in few.records} == {"resnext101_64x4d", "resnext101_32x8d"}
    assert {case for file in few.records.files for case in file.run.plan} == {record.case for record in few.records}


def test_the_latencies_of_a_study_are_not_computed_again(make_records, tmp_path, monkeypatch):
    study = Study(make_records(tmp_path))
    known = [run.latencies for run in study.runs]
    assert known
    monkeypatch.setattr("reports.page.selection.MOST_CASES", 40)
    monkeypatch.setattr("results.metrics.measured.medians", None)
    few, said = shown(study, sides(study.records.files))
    assert said
    assert few is not study


def test_a_machine_without_a_chosen_case_keeps_its_name_in_the_title(
    make_case, make_record, make_run, write_run, tmp_path, monkeypatch
):
    for device, model, accelerator in (("cpu", "resnet18", None), ("cuda:0", "resnet34", "NVIDIA H100")):
        record = make_record(make_case(model=model, device=device))
        run = make_run(plan=[record.case], run_id=model, accelerator=accelerator)
        write_run(tmp_path, [record], run=run)
    monkeypatch.setattr("reports.page.selection.MOST_CASES", 1)
    monkeypatch.setattr("reports.page.selection.FEW_CASES", 1)
    text = page.render(reader.load(tmp_path))
    title = re.search("<title>(.*?)</title>", text)[1]
    assert len(payload(text)["cases"]["status"]) == 1
    assert title.count("NVIDIA H100") == title.count("AMD EPYC 9B14") == 1
