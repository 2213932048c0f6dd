import pytest

from reports.chapters.energy import CHAPTER, energy_bars
from tests.reports.sources import case_frame

(CHART,) = CHAPTER.charts.values()


@pytest.fixture
def frame():
    return case_frame(
        {"image_j": 2.0, "usable": True},
        {"image_j": 0.5, "usable": True, "precision": "amp-bf16"},
        {"image_j": None, "usable": True, "layout": "nhwc"},
    )


def test_only_cases_with_a_counter_are_drawn_and_the_most_frugal_is_named(frame):
    (view,) = CHART.views(frame)
    assert sum(len(trace.x) for trace in energy_bars(view.frame).data) == 2
    said = CHART.takeaway(view.frame).replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith("resnet50 amp-bf16 eager nchw takes least energy, 500 mJ an image")
    assert said.endswith("resnet50 fp32 eager nchw takes 4 times as much.")


def test_without_a_counter_there_is_no_figure(frame):
    assert CHART.views(frame.assign(image_j=float("nan"))) == ()
