import pytest

from reports.chapters.tradeoffs.fronts import with_accuracy
from reports.chapters.tradeoffs.picks import CLOSE, cheapest, fastest, most_telling
from reports.style.measures import LATENCY, MEMORY
from tests.reports.sources import case_frame, source_of

BEST = {"model": "best", "imagenet_top1": 0.8, "latency_s": 0.1, "peak_bytes": 4e8}
CLOSE_BY = {"model": "close", "imagenet_top1": 0.795, "latency_s": 0.05, "peak_bytes": 1e8}
FAR = {"model": "far", "imagenet_top1": 0.7, "latency_s": 0.001, "peak_bytes": 1e6}


@pytest.fixture
def recorded(make_records, tmp_path):
    return source_of(make_records(tmp_path, run_id="one")).cases


def test_the_cheapest_within_a_point_is_named_with_its_conditions(recorded):
    rows = with_accuracy(MEMORY)(recorded)
    said = cheapest(MEMORY, "needs the least memory")(rows)
    eight = rows[rows["batch_size"].eq(8) & rows["runtime"].eq("eager") & rows["layout"].eq("nchw")]
    close = eight[eight["imagenet_top1"] >= eight["imagenet_top1"].max() - 0.01]
    assert said.startswith(f"{close.sort_values('peak_bytes')['model'].iloc[0]} needs the least memory")
    assert said.endswith("(inference · batch 8 · 224 px · fp32 · eager · nchw · AMD EPYC 9B14).")


def test_the_fastest_is_sought_within_a_point_of_the_best():
    said = fastest(case_frame(BEST, CLOSE_BY, FAR))
    assert said.startswith("close ")
    assert "2 times as fast" in said
    assert "best (80.00" in said
    assert "far" not in said.replace(" as far", "")


def test_what_is_further_than_a_point_is_no_choice():
    further = {**CLOSE_BY, "imagenet_top1": BEST["imagenet_top1"] - CLOSE - 0.001}
    for say in (fastest, cheapest(LATENCY, "answers soonest")):
        assert say(case_frame(BEST, further)).startswith("best ")


def test_where_the_most_accurate_is_also_the_fastest_there_is_no_ratio():
    said = fastest(case_frame({**BEST, "latency_s": 0.01}, CLOSE_BY))
    assert said.startswith("best ")
    assert "nothing here is more accurate" in said
    assert "times" not in said


@pytest.mark.parametrize(("measure", "ratio"), [(LATENCY, "0.5"), (MEMORY, "0.25")])
def test_the_cheapest_is_compared_with_the_most_accurate(measure, ratio):
    said = cheapest(measure, "is best")(case_frame(BEST, CLOSE_BY, FAR))
    assert said.startswith("close is best ")
    assert f"{ratio} times that of the most accurate, best" in said


def test_only_rows_that_differ_in_nothing_but_the_model_are_compared():
    rows = case_frame(BEST, CLOSE_BY, {**FAR, "imagenet_top1": 0.8, "batch_size": 1}, {**FAR, "machine": "other"})
    assert list(most_telling(rows)["model"]) == ["best", "close"]
    assert fastest(rows).endswith("(inference · batch 8 · 224 px · fp32 · eager · nchw · AMD EPYC 9B14).")


def test_the_choice_has_its_cost_and_names_what_is_within_the_uncertainty():
    near = {"reference": "resnet50", "relative": 1.03, "relative_low": 1.01, "relative_high": 1.05}
    rival = {**near, "model": "rival", "imagenet_top1": 0.795, "relative": 1.06, "latency_s": 0.06}
    rows = case_frame(BEST, {**CLOSE_BY, **near}, {**rival, "relative_low": 1.04, "relative_high": 1.08})
    for say in (fastest, cheapest(LATENCY, "answers soonest")):
        said = say(rows).replace("\N{NO-BREAK SPACE}", " ")
        assert said.endswith(". close costs 1.03 × resnet50, ± 1.9 %. Within the uncertainty: rival.")
    assert not any(word in cheapest(MEMORY, "is smallest")(rows) for word in ("costs", "uncertainty"))
    apart = case_frame(BEST, {**CLOSE_BY, **near}, {**rival, "relative_low": 1.055, "relative_high": 1.08})
    assert "uncertainty" not in fastest(apart)
