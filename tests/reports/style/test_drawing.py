import math

import pytest

from reports.style.drawing import bars, blank, hover, remark, series, series_name, whiskers
from reports.style.rows import each
from reports.style.theme import FAMILIES
from tests.reports.sources import case_frame


def row_of(**own):
    return next(each(case_frame(own)))


def test_a_blank_figure_carries_no_template_of_plotlys():
    figure = blank(300, barmode="stack")
    assert (figure.layout.height, figure.layout.barmode) == (300, "stack")
    assert not figure.layout.template.layout.to_plotly_json()
    assert not figure.data


def test_a_remark_stands_above_the_drawing():
    figure = blank(300)
    remark(figure, "3 of 5")
    (annotation,) = figure.layout.annotations
    assert (annotation.text, annotation.yref, annotation.yanchor) == ("3 of 5", "paper", "bottom")


def test_a_case_is_shown_with_its_conditions_and_its_interval():
    lines = hover(row_of(imagenet_top1=0.8058)).split("<br>")
    assert lines[0] == "<b>resnet50</b>"
    assert {"batch 8", "224 px", "fp32", "eager", "nchw"} < set(lines[1].split(" · "))
    assert "50" in lines[2]
    assert "±" in lines[2]
    assert "160" in lines[3]
    assert "80.58" in lines[4]


def test_a_case_without_accuracy_or_interval_shows_neither():
    words = hover(row_of(imagenet_top1=math.nan, latency_low_s=math.nan, latency_high_s=math.nan))
    assert "ImageNet" not in words
    assert "±" not in words


def test_a_hostile_name_is_escaped():
    words = hover(row_of(model="<img src=x>", runtime="<i>"))
    assert "<img" not in words
    assert "<i>" not in words


def test_whiskers_reach_from_the_value_to_the_ends_of_its_interval():
    drawn = whiskers([2.0, 5.0], [(1.5, 3.0), (4.0, 6.5)])
    assert drawn["array"] == pytest.approx([1.0, 1.5])
    assert drawn["arrayminus"] == pytest.approx([0.5, 1.0])


@pytest.mark.parametrize("missing", [None, math.nan])
def test_a_value_without_an_interval_has_no_whiskers(missing):
    drawn = whiskers([2.0], [(missing, missing)])
    assert (drawn["array"], drawn["arrayminus"], drawn["width"]) == ([0], [0], 0)
    assert whiskers([2.0, 2.0], [(missing, missing), (1.0, 3.0)])["width"] == 0
    assert whiskers([2.0], [(1.0, 3.0)])["width"] > 0


@pytest.mark.parametrize(
    ("family", "block", "name"),
    [
        ("resnet", "bottleneck", "resnet · bottleneck"),
        ("preact", "preact_basic", "preact · basic"),
        ("peer", None, "peer"),
        ("peer", math.nan, "peer"),
    ],
)
def test_a_series_is_a_family_and_a_block_type(family, block, name):
    assert series_name(row_of(family=family, block=block)) == name


def test_every_row_is_in_a_single_series_and_they_are_in_the_order_of_the_alphabet():
    frame = case_frame(
        {"model": "d", "family": "wide"},
        {"model": "a", "block": "basic"},
        {"model": "b", "family": "peer", "block": None},
        {"model": "c", "block": "basic"},
    )
    assert [list(rows["model"]) for rows in series(frame)] == [["b"], ["a", "c"], ["d"]]


def test_bars_lie_and_look_like_their_family():
    figure = blank(300)
    style = FAMILIES["preact"]
    bars(figure, style, "preact", case_frame({"model": "<a>"}, {"model": "b"}), [1.0, 2.0], ["one", "two"])
    (trace,) = figure.data
    assert (trace.orientation, trace.x, trace.y) == ("h", (1.0, 2.0), ("&lt;a&gt;", "b"))
    assert (trace.marker.color, trace.marker.pattern.shape) == (style.color, style.pattern)
    assert trace.customdata == ("one", "two")
