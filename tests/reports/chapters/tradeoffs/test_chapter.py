import pytest

from reports.chapters.tradeoffs.chapter import CHAPTER, accurate
from reports.chapters.tradeoffs.picks import most_telling
from reports.figures.chart import sound
from tests.reports.sources import source_of


@pytest.fixture
def source(make_records, tmp_path):
    return source_of(make_records(tmp_path))


@pytest.fixture
def frame(source):
    return source.cases


def test_the_front_is_what_nothing_beats(frame):
    rows = CHAPTER.charts["accuracy"].rows(frame)
    assert rows["front"].any()
    assert not rows["front"].all()
    for _, group in rows.groupby("machine"):
        for row in group.itertuples():
            beaten = (
                (group["throughput_img_per_s"] >= row.throughput_img_per_s)
                & (group["imagenet_top1"] >= row.imagenet_top1)
                & (group.index != row.Index)
            ).any()
            assert row.front == (not beaten)


def test_accuracy_at_another_size_is_not_claimed(frame):
    assert CHAPTER.charts["accuracy"].views(frame.assign(image_size=160)) == ()


def test_the_figure_draws_the_cases_that_are_accurate(source):
    chart = CHAPTER.charts["accuracy"]
    assert accurate(source)["row"].tolist() == chart.rows(source.cases)["row"].tolist()
    assert sorted(row for view in chart.views(source.cases) for row in view.frame["row"]) == sorted(
        accurate(source)["row"]
    )


def test_training_and_failures_are_in_no_figure(frame):
    for chart in CHAPTER.charts.values():
        rows = chart.rows(frame)
        assert set(rows["task"]) == {"inference"}
        assert set(rows["row"]) <= set(sound("latency_s")(frame)["row"])


def test_the_still_drawing_holds_the_most_telling_cases(source):
    still = CHAPTER.charts["accuracy"].still
    drawn = still.values(source)["pareto"]
    assert sorted(dot.name for dot in drawn.dots) == sorted(most_telling(accurate(source))["model"])


@pytest.mark.parametrize("name", CHAPTER.charts)
def test_a_lone_variant_is_a_figure(name, frame):
    chart = CHAPTER.charts[name]
    (view,) = chart.views(frame[frame["model"].eq("resnet50") & frame["batch_size"].eq(1)])
    assert "resnet50" in chart.takeaway(view.frame)
    assert chart.draw(view.frame).data
