import pytest

from reports.chapters.savings import CHAPTER, savings
from tests.reports.sources import case_frame

(CHART,) = CHAPTER.charts.values()


@pytest.fixture
def frame():
    usual = {"task": "training", "usable": True}
    return case_frame(
        {**usual, "latency_s": 0.2, "peak_bytes": 1e9},
        {**usual, "latency_s": 0.26, "peak_bytes": 4e8, "grad_checkpointing": "stages"},
        {**usual, "latency_s": 0.21, "peak_bytes": 1.1e9, "optimizer": "adamw"},
        {**usual, "latency_s": 0.3, "peak_bytes": 1e8, "grad_checkpointing": "blocks", "layout": "nhwc"},
    )


def test_changes_are_compared_with_the_case_that_lacks_them(frame):
    (view,) = CHART.views(frame)
    assert view.frame["time_ratio"].tolist() == pytest.approx([1.3, 1.05])
    assert view.frame["memory_ratio"].tolist() == pytest.approx([0.4, 1.1])
    assert list(savings(view.frame).data[0].text) == ["checkpoints of stages", "adamw"]


def test_the_sentence_names_the_saving_and_its_price(frame):
    (view,) = CHART.views(frame)
    assert CHART.takeaway(view.frame) == (
        "checkpoints of stages saves resnet50 most: 60% of its peak, for 30% more time a step."
    )


def test_where_nothing_is_saved_the_sentence_says_so(frame):
    (view,) = CHART.views(frame[frame["grad_checkpointing"].eq("none")])
    assert CHART.takeaway(view.frame) == "No change here saves memory."
