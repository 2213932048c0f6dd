import pandas as pd
import pytest

from reports.chapters.sides.orders import MOST_ORDERED, in_one_order, of_orders, orders, swaps
from reports.chapters.sides.relative import relative_speeds
from tests.reports.sources import LATENCIES, paired


def _lines(figure):
    """The ranks on both sides by the name on the left."""
    return {
        trace.text[place].split("  ")[0]: trace.y[place : place + 2]
        for trace in figure.data
        for place in range(0, len(trace.x), 3)
    }


def test_variants_that_change_places_are_told_from_those_that_do_not(make_side):
    other = {"resnet18": 0.02, "resnet34": 0.06, "resnet50": 0.04, "resnet101": 0.09}
    _, _, frame = paired(make_side("cpu"), make_side("gpu", other, accelerator="H100"))
    rows = in_one_order(frame)
    (swap,) = swaps(rows)
    assert (rows["model"].iloc[swap.first], rows["model"].iloc[swap.second]) == ("resnet34", "resnet50")
    assert swap.lead == pytest.approx(0.05 / 0.04, rel=0.01)
    assert swap.lag == pytest.approx(0.04 / 0.06, rel=0.01)
    assert _lines(orders(rows)) == {
        "resnet18": (1, 1),
        "<b>resnet34</b>": (2, 3),
        "<b>resnet50</b>": (3, 2),
        "resnet101": (4, 4),
    }
    said = of_orders(rows)
    assert "Kendall's tau of 4 variants' order is 0.67" in said  # 5 pairs in order, 1 reversed
    assert said.index("resnet34 is 1.25×") < said.index("resnet50 on AMD EPYC 9B14")


def test_within_its_interval_nothing_changes_places(make_side):
    other = {**LATENCIES, "resnet34": 0.0405, "resnet50": 0.0400}
    _, _, frame = paired(make_side("cpu"), make_side("gpu", other, accelerator="H100"))
    rows = in_one_order(frame)
    assert swaps(rows) == []
    assert "no two variants swap" in of_orders(rows)
    wide = rows.assign(a_low=rows["a_throughput"] / 3, a_high=rows["a_throughput"] * 3)
    assert swaps(wide.assign(b_throughput=1 / wide["b_throughput"])) == []


def test_one_setting_gives_the_order(make_side):
    few = {"resnet18": 0.02, "resnet34": 0.04}
    sides = [make_side("cpu"), make_side("gpu", accelerator="H100")]
    sides += [make_side("cpu2", few, batch_size=1), make_side("gpu2", few, accelerator="H100", batch_size=1)]
    _, _, frame = paired(*sides)
    assert len(frame) == 6
    rows = in_one_order(frame)
    assert set(rows["batch_size"]) == {8}
    assert rows["model"].is_unique


def test_of_too_many_variants_the_swaps_stay(make_side):
    _, _, frame = paired(make_side("cpu"), make_side("gpu", accelerator="H100"))
    row = in_one_order(frame).head(1)
    speeds = [(f"m{index}", 1.1**index, 1.1**index) for index in range(MOST_ORDERED + 9)]
    speeds += [("up", 1.0, 100.0), ("down", 100.0, 1.0)]
    many = pd.concat(
        [
            row.assign(
                model=model,
                **{f"a_{what}": a for what in ("throughput", "low", "high")},
                **{f"b_{what}": b for what in ("throughput", "low", "high")},
            )
            for model, a, b in speeds
        ],
        ignore_index=True,
    )
    figure = orders(many)
    lines = _lines(figure)
    assert len(lines) == MOST_ORDERED
    assert {"<b>up</b>", "<b>down</b>"} <= set(lines)


def test_hostile_names_are_escaped_in_figures(make_side):
    evil = "<img src=x onerror=alert(1)>"
    latencies = {evil: 0.1, "resnet50": 0.05}
    other = {evil: 0.01, "resnet50": 0.05}
    _, _, frame = paired(make_side("cpu", latencies), make_side("gpu", other, accelerator="<b>H100</b>"))
    for figure in (relative_speeds(frame), orders(in_one_order(frame))):
        drawn = figure.to_json()
        assert "<img" not in drawn
        assert "<b>H100" not in drawn.replace("<b>&lt;b&gt;H100", "")
