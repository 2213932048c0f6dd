import pandas as pd
import pytest

from reports.chapters.speedups.chains import CHAIN_COLUMNS, MOST_CHAINS, largest, of_chain
from reports.style.columns import table
from reports.style.views import CONTEXT, split


def _longest(frame):
    """The chain of a frame that has the most steps."""
    return split(frame, ("model", *CONTEXT), 1)[0].frame


def test_a_chain_has_a_row_a_step_and_its_factors_multiply_to_the_total(chains):
    frame = _longest(chains())
    assert frame["step"].tolist() == [1, 2, 3]
    assert list(zip(frame["change"], frame["before"], frame["after"], strict=True)) == [
        ("layout", "nchw", "nhwc"),
        ("runtime", "eager", "compile"),
        ("precision", "fp32", "amp-bf16"),
    ]
    assert frame["factor"].tolist() == pytest.approx([1.2, 1.5, 0.5], rel=0.02)
    assert frame["factor"].prod() == pytest.approx(frame["total"].iloc[0])
    assert (frame["factor_low"] <= frame["factor"]).all()
    assert (frame["factor"] <= frame["factor_high"]).all()


def test_the_table_of_a_chain_shows_its_steps(chains):
    shown = table(_longest(chains()), ("change", "before", "after", "factor"), CHAIN_COLUMNS)
    assert shown.names == ("change", "before", "after", "factor")
    texts = [[cell.text for cell in row] for row in shown.rows]
    assert texts[1][:3] == ["runtime", "eager", "compile"]
    assert texts[1][3].startswith("1.5")


def test_the_sentence_names_the_step_that_gives_most_and_the_one_that_costs(chains):
    said = of_chain(_longest(chains()))
    assert said.startswith("resnet50 is 0.9")
    assert "eager → compile gives most (1.5" in said
    assert "fp32 → amp-bf16 costs (0.5" in said


def test_without_a_slower_step_no_cost_is_claimed(chains):
    frame = _longest(chains()).head(2)
    assert "costs" not in of_chain(frame)
    assert "eager → compile gives most" in of_chain(frame)


def test_where_no_step_was_shown_to_be_faster_none_is_named(chains):
    said = of_chain(_longest(chains()).assign(factor_low=0.9, factor_high=3.0))
    assert "none of the changes was shown" in said
    assert "gives most" not in said


def test_a_broken_chain_is_a_row_with_its_reason_and_comes_last(chains):
    frame = chains(models=("resnet18",), broken=2)
    broken = frame[frame["total"].isna()]
    assert broken["step"].eq(1).all()
    assert broken["factor"].isna().all()
    assert broken["reason"].str.contains("no answer in 60 s").all()
    assert frame.index.get_indexer(broken.index).min() >= frame["total"].notna().sum()
    said = of_chain(broken.head(1))
    assert "resnet18" in said
    assert "cannot be attributed: " in said


def test_the_largest_gain_is_offered_first_and_training_after_inference(chains):
    frame = chains(models=("resnet18", "resnet50"), tasks=("training", "inference"))
    views = split(frame, ("model", *CONTEXT), 1, ordered=True)
    tasks = [view.frame["task"].iloc[0] for view in views]
    assert tasks == ["inference"] * 8 + ["training"] * 8
    totals = [view.frame["total"].iloc[0] for view in views]
    assert totals[:8] == sorted(totals[:8], reverse=True)
    assert all(view.frame["step"].is_monotonic_increasing for view in views)


def test_of_too_many_the_best_of_each_variant_stay(chains):
    frame = chains()
    many = [frame.assign(model=f"model{index}", total=frame["total"] * (1 + index)) for index in range(MOST_CHAINS)]
    kept = largest(pd.concat(many))
    first = kept.drop_duplicates(["model", *CONTEXT])
    assert len(first) == MOST_CHAINS
    assert first["model"].nunique() == MOST_CHAINS
    assert len(kept) > MOST_CHAINS  # whole chains


def test_an_unknown_number_of_threads_loses_no_chain(chains):
    frame = chains()
    unknown = frame.assign(model="imported", threads=None)
    kept = largest(pd.concat([frame, unknown]))
    assert kept.groupby("model").size().to_dict() == {"imported": len(frame), "resnet50": len(frame)}
