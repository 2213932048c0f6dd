import re

import pytest
from msgspec import structs

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


def test_every_machine_keeps_a_case_and_its_name_in_the_title(
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
    assert sorted(payload(text)["cases"]["facets"]["machine"]) == ["AMD EPYC 9B14", "NVIDIA H100"]
    assert title.count("NVIDIA H100") == title.count("AMD EPYC 9B14") == 1


@pytest.fixture
def select(make_case, make_record, make_run, make_static, tmp_path, monkeypatch):
    """Returns the cases of each machine that a page of `most` cases shows, of machines with given axes and seconds."""

    def choose(machines, most, accuracies=None):
        monkeypatch.setattr("reports.page.selection.MOST_CASES", 1)
        monkeypatch.setattr("reports.page.selection.FEW_CASES", most)
        files = []
        for name, given in machines.items():
            records = [make_record(make_case(**axes), latency_s=seconds) for axes, seconds in given]
            run = make_run(plan=[record.case for record in records], run_id=name)
            run = structs.replace(run, environment=structs.replace(run.environment, cpu=name))
            statics = [
                make_static(model, family="peer" if ":" in model else "resnet", imagenet_top1=top1)
                for model, top1 in (accuracies or {}).items()
            ]
            path = tmp_path / f"{name}.jsonl"
            files.append(
                reader.RunFile(
                    path=path, run=run, statics=tuple(statics), records=tuple(records), complete=True, problems=()
                )
            )
        records = reader.Records(tuple(files))
        few, said = shown(Study(records), sides(records.files))
        assert said
        return {file.run.id: [record.case for record in file.records] for file in few.records.files}

    return choose


def models(cases):
    return {case.model for case in cases}


def test_every_machine_stays_and_what_they_have_in_common_comes_first(select):
    own = [({"model": f"timm:own{index}"}, 0.01) for index in range(20)]
    common = [({"model": f"timm:common{index}"}, 0.02) for index in range(4)]
    kept = select({"A": own + common, "B": common, "C": common, "D": own[:1]}, 24, {"timm:own0": 0.9})
    assert models(kept["A"]) > models(kept["B"]) == models(kept["C"]) == {f"timm:common{index}" for index in range(4)}
    assert models(kept["D"]) == {"timm:own0"}
    assert sum(map(len, kept.values())) == 24


def test_our_variants_come_before_more_accurate_networks_of_others(select):
    names = {"timm:a": 0.9, "torchvision:vgg16": 0.89, "resnet18": 0.7, "resnet34": 0.6}
    given = [({"model": model}, 0.02) for model in names]
    for kept in select({"A": given, "B": given}, 4, names).values():
        assert models(kept) == {"resnet18", "resnet34"}


def test_the_setting_that_machines_share_stays_with_the_fastest_of_each(select):
    fp32, half, mixed = ({"precision": precision} for precision in ("fp32", "fp16", "amp-bf16"))
    kept = select(
        {"A": [(fp32, 0.04), (half, 0.01), (mixed, 0.05)], "B": [(fp32, 0.05), (mixed, 0.02)], "C": [(fp32, 0.1)]}, 10
    )
    precisions = {name: {case.precision for case in cases} for name, cases in kept.items()}
    assert precisions == {"A": {"fp32", "fp16"}, "B": {"fp32", "amp-bf16"}, "C": {"fp32"}}
