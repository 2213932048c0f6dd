import dataclasses

import pandas as pd
import pytest

from reports.figures.chart import Chart
from reports.page.content import Figured, content
from reports.page.payload import rounded
from reports.page.section import section
from reports.style.drawing import blank
from reports.style.views import View, pair_key
from results.analysis.study import Study


@pytest.fixture
def chart():
    return Chart(
        title="a figure",
        definition="what it shows",
        absent="nothing",
        rows=lambda frame: frame,
        by=("task",),
        draw=lambda frame: blank(300).add_scatter(x=[1], y=list(frame["latency_s"])),
        takeaway=lambda frame: f"It shows {frame['model'].iloc[0]}.",
        columns=("model",),
    )


def view(label="", model="resnet50", latency_s=0.05, **columns):
    return View(label=label, frame=pd.DataFrame({"model": [model], "latency_s": [latency_s], "task": ["x"], **columns}))


def figured(chart, *views, **fields):
    return Figured(name="a", chart=chart, views=views, **{"fixed": "", "more": 0, **fields})


def test_a_section_draws_the_views_that_are_offered(make_records, tmp_path):
    shown = content(Study(make_records(tmp_path)))
    figure = next(figure for figure in shown.figures if figure.name == "depth")
    drawn = section(figure)
    assert [view["label"] for view in drawn.views] == [view.label for view in figure.views]
    assert len({view["slug"] for view in drawn.views}) == len(drawn.views)
    assert drawn.takeaway == drawn.views[0]["takeaway"]


def test_views_of_like_labels_have_addresses_of_their_own(chart):
    drawn = section(figured(chart, view("batch 8"), view("Batch (8)"), view("batch 8"), view("")))
    assert [shown["slug"] for shown in drawn.views] == ["batch-8", "batch-8-2", "batch-8-3", "all"]


def test_a_view_is_drawn_with_its_words_and_its_data(chart):
    (shown,) = section(figured(chart, view("one"))).views
    assert shown["data"][0]["y"] == [0.05]
    assert shown["takeaway"] == "It shows resnet50."
    assert (shown["table"]["heads"], shown["table"]["rows"]) == (("variant",), [["resnet50"]])
    assert "pair" not in shown


def test_numbers_are_rounded_for_the_script(chart):
    (shown,) = section(figured(chart, view(latency_s=0.123456789012))).views
    assert shown["data"][0]["y"] == [rounded(0.123456789012)] != [0.123456789012]


def test_what_could_steer_a_terminal_only_shows(chart):
    drawn = section(figured(chart, view("a\x1b[31m", model="b\u202e"), fixed="c\x1b"))
    assert "\x1b" not in drawn.fixed + drawn.views[0]["label"]
    assert "\u202e" not in drawn.takeaway


def test_without_a_view_there_is_no_takeaway(chart):
    drawn = section(figured(chart, more=3))
    assert (drawn.takeaway, drawn.views, drawn.more) == ("", (), 3)


def test_a_view_of_a_pair_has_the_key_by_which_all_figures_choose_it(chart):
    of_pairs = dataclasses.replace(chart, by=("pair",))
    (shown,) = section(figured(of_pairs, view(pair=["b over a"]))).views
    assert shown["pair"] == pair_key("b over a")
