"""Pairs of sides: which cases match, their ratios and their verdicts."""

import dataclasses
import math

import pytest
from msgspec import structs

from reports.chapters.sides.frame import BEST, BOTH, FAILED, OTHER_SETTINGS, OVER, SAME, UNKNOWN, with_ratio
from reports.chapters.sides.orders import in_one_order
from reports.chapters.sides.relative import of_relative
from results import compare
from results.storage import reader
from results.storage.reader import Records
from tests.reports.sources import LATENCIES, paired


def test_different_hardware_matches_but_for_device_and_threads(make_side):
    faster = {model: latency / 10 for model, latency in LATENCIES.items()}
    _, _, frame = paired(make_side("cpu", threads=2), make_side("gpu", faster, accelerator="H100", threads=1))
    assert set(frame["pair"]) == {f"H100 {OVER} AMD EPYC 9B14"}
    assert set(frame["matched"]) == {SAME}
    assert frame["ratio"].tolist() == pytest.approx([10] * 4, rel=0.01)
    assert frame["significant"].all()
    assert set(frame["verdict"]) == {"faster"}


def test_a_setting_names_the_device_where_a_side_has_several(
    make_side, make_run, make_case, make_record, write_run, tmp_path
):
    paths = []
    for model, device in (("resnet18", "cuda:0"), ("resnet34", "cuda:1")):
        case = make_case(model=model, device=device)
        run = make_run(plan=[case], run_id=model, accelerator="H100")
        cards = tuple(structs.replace(card, device=device) for card in run.environment.accelerators)
        run = structs.replace(run, environment=structs.replace(run.environment, accelerators=cards))
        paths.append(write_run(tmp_path, [make_record(case)], run=run))
    _, _, frame = paired(make_side("cpu"), reader.load(*paths))
    assert [setting.split(" · ")[-1] for setting in frame["b_setting"]] == ["cuda:0", "cuda:1"]
    assert not any("cpu" in setting for setting in frame["a_setting"])


def test_two_cards_of_a_run_are_compared_as_two_machines(make_run, make_case, make_record, write_run, tmp_path):
    slowness = {"cuda:0": 1.0, "cuda:1": 1.1}
    records = [
        make_record(
            make_case(model=model, device=device), latency_s=slow * level * latency_s, replicate=replicate, noise=0
        )
        for replicate, level in enumerate((0.998, 1.0, 1.002))
        for model, latency_s in LATENCIES.items()
        for device, slow in slowness.items()
    ]
    run = make_run(plan=dict.fromkeys(record.case for record in records), accelerator="H100")
    (card,) = run.environment.accelerators
    cards = tuple(structs.replace(card, device=device) for device in slowness)
    run = structs.replace(run, environment=structs.replace(run.environment, accelerators=cards))
    _, cases, frame = paired(reader.load(write_run(tmp_path, records, run=run)))
    assert set(zip(cases["machine"], cases["device"], strict=True)) == {
        ("H100 · cuda:0", "cuda:0"),
        ("H100 · cuda:1", "cuda:1"),
    }
    assert set(frame["pair"]) == {f"H100 · cuda:1 {OVER} H100 · cuda:0"}
    assert set(frame["matched"]) == {SAME}
    assert frame["ratio"].tolist() == pytest.approx([1 / 1.1] * 4, rel=0.01)
    assert set(frame["verdict"]) == {"slower"}


def test_the_interval_brings_both_latencies_together(make_side):
    _, frame, found = paired(make_side("cpu"), make_side("gpu", accelerator="H100"))
    rows = frame[frame["model"] == "resnet50"]
    halves = [math.log(high / low) / 2 for low, high in zip(rows["latency_low_s"], rows["latency_high_s"], strict=True)]
    one = found[found["model"] == "resnet50"].iloc[0]
    assert math.log(one["ratio_high"] / one["ratio_low"]) / 2 == pytest.approx(math.hypot(*halves))
    assert one["verdict"] == "same"
    assert not one["significant"]


@pytest.mark.parametrize(("others", "verdict"), [(0, "faster"), (60, "inconclusive")])
def test_on_different_hardware_the_number_of_cases_is_corrected_for(make_side, others, verdict):
    base = {"resnet50": 0.1} | {f"same{index}": 0.1 for index in range(others)}
    new = base | {"resnet50": 0.1 / 1.03}
    _, _, frame = paired(make_side("cpu", base), make_side("gpu", new, accelerator="H100"))
    row = frame[frame["model"] == "resnet50"].iloc[0]
    assert row["ratio_low"] > 1.02
    assert (row["verdict"], row["significant"]) == (verdict, verdict == "faster")


def test_on_different_hardware_the_verdicts_are_those_of_compare_on_like_hardware(make_side):
    speeds = {f"m{index}": 0.1 / (1 + 0.004 * index) for index in range(20)}
    base = dict.fromkeys(speeds, 0.1)
    gate = {one.case.model: one.verdict for one in compare(make_side("base", base), make_side("new", speeds)).cases}
    _, _, frame = paired(make_side("cpu", base), make_side("gpu", speeds, accelerator="H100"))
    page = dict(zip(frame["model"], frame["verdict"], strict=True))
    told = {"faster", "slower"}
    assert {model for model, word in page.items() if word in told} == {
        model for model, word in gate.items() if word in told
    }
    assert "faster" in page.values()
    assert "inconclusive" in page.values()


def test_the_same_hardware_is_compared_as_the_gate_does(make_side):
    base, new = make_side("base"), make_side("new", {**LATENCIES, "resnet50": 0.06, "resnet34": 0.03})
    _, _, frame = paired(base, new)
    judged = {one.case.model: one for one in compare(base, new).cases}
    assert dict(zip(frame["model"], frame["verdict"], strict=True)) == {
        model: one.verdict for model, one in judged.items()
    }
    for row in frame.itertuples():
        one = judged[row.model]
        assert (row.ratio, row.ratio_low, row.ratio_high) == pytest.approx((1 / one.ratio, 1 / one.high, 1 / one.low))
    assert set(frame.loc[frame["significant"], "model"]) == {"resnet50", "resnet34"}


def test_without_a_common_case_each_side_is_at_its_best(make_side):
    slow = make_side("cpu", batch_size=1)
    fast = make_side("gpu", accelerator="H100", precision="amp-fp16", batch_size=64)
    _, _, frame = paired(slow, fast)
    assert set(frame["matched"]) == {BEST}
    assert frame["a_setting"].tolist() == ["batch 1 · fp32 · eager · nchw"] * 4
    assert frame["b_setting"].tolist() == ["batch 64 · amp-fp16 · eager · nchw"] * 4
    assert frame["ratio"].tolist() == pytest.approx([64] * 4, rel=0.01)
    assert "each in its fastest setting" in of_relative(frame)


def test_what_failed_or_has_no_interval_says_so(make_side):
    slow, fast = make_side("cpu", replicates=1, turns=3), make_side("gpu", accelerator="H100", failed=["resnet18"])
    _, _, frame = paired(slow, fast)
    verdicts = dict(zip(frame["model"], frame["verdict"], strict=True))
    assert verdicts == {"resnet18": FAILED[1], "resnet34": UNKNOWN, "resnet50": UNKNOWN, "resnet101": UNKNOWN}
    assert not frame["significant"].any()
    failed = frame[frame["model"] == "resnet18"].iloc[0]
    assert failed["reason"].startswith("H100: crash (")
    assert math.isnan(failed["ratio"])
    assert "resnet18" not in set(with_ratio(frame)["model"])
    _, _, both = paired(make_side("one", failed=["resnet50"]), make_side("two", failed=["resnet50"], accelerator="A"))
    assert both.loc[both["model"] == "resnet50", "verdict"].tolist() == [BOTH]


def test_versions_that_share_no_setting_are_shown_and_not_judged(make_side):
    (new,) = make_side("new", batch_size=16).files
    environment = structs.replace(new.run.environment, torch="2.15.0")
    new = dataclasses.replace(new, run=structs.replace(new.run, environment=environment))
    _, _, frame = paired(make_side("old"), Records((new,)))
    assert set(frame["matched"]) == {BEST}
    assert set(frame["verdict"]) == {OTHER_SETTINGS}
    assert frame["ratio"].notna().all()
    assert not frame["significant"].any()


def test_a_single_side_gives_no_pair(make_side):
    _, _, frame = paired(make_side("cpu"))
    assert frame.empty
    assert in_one_order(frame).empty
    assert with_ratio(frame).empty


def test_only_sides_with_most_cases_arepaired(make_side):
    sides = [make_side(f"gpu{index}", {"resnet50": 0.1}, accelerator=f"G{index}") for index in range(11)]
    sides.append(make_side("big", accelerator="Big"))
    _, _, frame = paired(*sides)
    assert frame["pair"].nunique() == 45
    assert frame["a"].eq("Big").any() or frame["b"].eq("Big").any()
