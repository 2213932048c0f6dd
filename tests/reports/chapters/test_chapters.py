import dataclasses
import math

import pytest

from reports.chapters import CHAPTER_FOLDER, CHAPTERS, FIGURES
from reports.chapters.static.stages import stages
from reports.figures.chart import Chapter, all_cases
from reports.page import page
from reports.style.theme import STAGES
from results.storage import reader
from tests.reports.sources import source_of


@pytest.fixture
def frame(make_records, tmp_path):
    return source_of(make_records(tmp_path)).cases


@pytest.fixture
def source(make_records, tmp_path):
    """What figures draw, of three runs of one machine: enough for pairs and for a history."""
    for day in range(1, 4):
        make_records(tmp_path, run_id=f"day-{day}", slowness=1 + 0.1 * day, started=f"2026-11-0{day}T08:00:00Z")
    return source_of(reader.load(tmp_path))


@pytest.mark.parametrize("name", FIGURES)
def test_every_view_draws_its_rows(name, source):
    chart = FIGURES[name]
    views = chart.views(source.frame(chart.frame))
    assert views
    assert len({view.label for view in views}) == len(views)
    for view in views:
        assert len(view.frame.drop_duplicates(list(chart.by))) == 1
        figure = chart.draw(view.frame)
        assert figure.data or figure.layout.annotations
        assert chart.takeaway(view.frame).endswith(".")


@pytest.mark.parametrize("name", FIGURES)
def test_a_single_row_is_enough(name, source):
    chart = FIGURES[name]
    row = chart.rows(source.frame(chart.frame)).head(1)
    assert len(row) == 1
    assert chart.draw(row).data
    assert chart.takeaway(row)


@pytest.mark.parametrize("name", FIGURES)
def test_no_rows_give_no_view(name, source):
    assert FIGURES[name].views(source.frame(FIGURES[name].frame).iloc[:0]) == ()


def test_where_all_failed_only_the_heat_map_and_the_counts_have_something_to_show(frame):
    failed = frame[frame["status"] != "ok"]
    of_cases = {name: chart for name, chart in FIGURES.items() if chart.frame is all_cases}
    assert {name for name, chart in of_cases.items() if chart.views(failed)} == {"speedups", "depth_macs"}


def test_speedups_show_ratios_and_failures(frame):
    chart = FIGURES["speedups"]
    view = next(view for view in chart.views(frame) if "inference" in view.label)
    heat, crosses = chart.draw(view.frame).data
    cells = {
        (model, setting): value
        for model, line in zip(heat.y, heat.z, strict=True)
        for setting, value in zip(heat.x, line, strict=True)
    }
    assert cells["resnet50", "amp-bf16<br>eager<br>nchw"] == pytest.approx(math.log2(0.11), abs=0.1)
    assert cells["resnet50", "fp32<br>eager<br>nhwc"] == pytest.approx(math.log2(1.22), abs=0.05)
    assert cells["resnet50", "fp32<br>compile<br>nhwc"] == 0
    assert cells["resnext50_32x4d", "fp32<br>compile<br>nchw"] is None
    assert set(crosses.text) == {"timeout"}
    assert "no answer within 60 s" in crosses.customdata[0]


def test_a_case_that_failed_in_part_is_a_cross_and_nothing_else(frame):
    partly = frame.assign(status=frame["status"].mask(frame["runtime"].eq("compile"), "crash"))
    assert partly.loc[partly["status"].eq("crash"), "speedup"].notna().any()
    for name, chart in FIGURES.items():
        if chart.frame is not all_cases:
            continue
        assert name == "speedups" or set(chart.rows(partly)["status"]) == {"ok"}
    heat, crosses = FIGURES["speedups"].draw(FIGURES["speedups"].views(partly)[0].frame).data
    crossed = set(zip(crosses.y, crosses.x, strict=True))
    valued = {
        (model, setting)
        for model, line in zip(heat.y, heat.z, strict=True)
        for setting, value in zip(heat.x, line, strict=True)
        if value is not None
    }
    assert ("resnet50", "fp32<br>compile<br>nchw") in crossed
    assert valued
    assert not crossed & valued


def test_the_front_is_what_nothing_beats(frame):
    rows = FIGURES["accuracy"].rows(frame)
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


def test_whiskers_are_the_intervals(frame):
    view = FIGURES["depth"].views(frame)[0]
    figure = FIGURES["depth"].draw(view.frame)
    trace = next(trace for trace in figure.data if trace.name == "resnet · bottleneck")
    row = view.frame[view.frame["model"] == "resnet50"].iloc[0]
    place = trace.x.index("50")
    low = trace.y[place] - trace.error_y.arrayminus[place]
    assert trace.y[place] == pytest.approx(8 / row["latency_s"])
    assert low == pytest.approx(8 / row["latency_high_s"])


def test_macs_lie_on_or_above_the_line_of_the_best(frame):
    figure = FIGURES["macs"].draw(FIGURES["macs"].views(frame)[0].frame)
    *series, line = figure.data
    slope = line.y[0] / line.x[0]
    ratios = [y / x / slope for trace in series for x, y in zip(trace.x, trace.y, strict=True)]
    assert min(ratios) == pytest.approx(1)


def test_training_phases_add_up(frame):
    view = FIGURES["training"].views(frame)[0]
    figure = FIGURES["training"].draw(view.frame)
    assert [trace.name for trace in figure.data] == ["forward", "backward", "optimizer"]
    totals = [sum(parts) for parts in zip(*(trace.x for trace in figure.data), strict=True)]
    assert totals == pytest.approx(sorted(1e3 * view.frame["latency_s"]), rel=0.02)


def test_stages_add_up_to_the_whole(make_statics):
    chart = FIGURES["stages"]
    views = chart.views(stages(tuple(make_statics())))
    assert [view.label for view in views] == ["parameters", "MACs", "activations"]
    for view in views:
        shares = {}
        for trace in chart.draw(view.frame).data:
            for model, share in zip(trace.y, trace.x, strict=True):
                shares[model] = shares.get(model, 0) + share
        assert list(shares.values()) == pytest.approx([100] * len(shares))
        assert [trace.name for trace in chart.draw(view.frame).data] == list(STAGES)
        assert "resnet50" in shares
        assert not any(model.startswith("torchvision:") for model in shares)


def test_accuracy_at_another_size_is_not_claimed(frame):
    assert FIGURES["accuracy"].views(frame.assign(image_size=160)) == ()


def test_every_template_of_a_chapter_lies_in_its_own_folder():
    for name, chapter in CHAPTERS.items():
        inserts = [chapter.intro, *(chart.still for chart in chapter.charts.values())]
        for insert in filter(None, inserts):
            assert insert.template.startswith(f"{name}/")
            assert (CHAPTER_FOLDER / insert.template).is_file()


def test_a_chapter_is_a_line_of_the_registry(make_records, tmp_path, monkeypatch):
    chart = dataclasses.replace(FIGURES["depth"], title="A figure of its own")
    chapter = Chapter(title="Thrown away", lead="A chapter of a test.", charts={"thrown_away": chart})
    monkeypatch.setitem(CHAPTERS, "test", chapter)
    monkeypatch.setitem(FIGURES, "thrown_away", chart)
    text = page.render(make_records(tmp_path))
    assert "<h2>Thrown away</h2>" in text
    assert 'id="chart-thrown_away"' in text
