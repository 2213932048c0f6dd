import math

import pytest

from reports.chapters import FIGURES
from reports.figures.points import (
    macs_against_latency,
    macs_by_depth,
    memory_by_depth,
    names,
    points,
    short_name,
    throughput_by_depth,
)
from reports.style.drawing import blank
from tests.reports.sources import case_frame, source_of


@pytest.fixture
def frame(make_records, tmp_path):
    return source_of(make_records(tmp_path)).cases


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


@pytest.mark.parametrize(
    ("draw", "column", "factor"), [(memory_by_depth, "peak_bytes", 1e-6), (macs_by_depth, "macs", 1e-9)]
)
def test_depth_is_drawn_against_memory_and_macs_as_well(draw, column, factor, frame):
    rows = frame[frame["batch_size"].eq(8) & frame["task"].eq("inference")]
    rows = rows[rows["status"].eq("ok") & rows["depth"].notna()].drop_duplicates("model")
    figure = draw(rows)
    by_row = frame.set_index("row")
    drawn = [(row, y) for trace in figure.data for row, y in zip(trace.meta["rows"], trace.y, strict=True)]
    assert len(drawn) == len(rows)
    for row, y in drawn:
        assert y == pytest.approx(factor * by_row.loc[row, column])
    assert figure.layout.yaxis.type == "log"


@pytest.mark.parametrize(("block", "hollow"), [("basic", True), ("preact_basic", True), ("bottleneck", False)])
def test_basic_blocks_are_hollow(block, hollow):
    figure = blank(300)
    points(figure, case_frame({"block": block}), [1], [2])
    assert figure.data[0].marker.symbol.endswith("-open") == hollow


def test_a_point_knows_its_case_and_shows_its_words():
    figure = blank(300)
    points(figure, case_frame({"row": 7}, {"row": 3}), [1, 2], [3, 4], words=lambda row: f"case {row.row}")
    (trace,) = figure.data
    assert trace.meta == {"rows": [7, 3]}
    assert trace.customdata == ("case 7", "case 3")


def test_points_are_as_strong_as_they_are_told_and_families_without_a_style_lie_below():
    figure = blank(300)
    points(figure, case_frame({"family": "resnet"}, {"family": "resnet"}), [1, 2], [2, 3], strength=[1.0, 0.2])
    points(figure, case_frame({"family": "unheard"}), [1], [2])
    known, other = figure.data
    assert known.zorder > other.zorder
    assert list(known.marker.opacity) == [1.0, 0.2]
    assert other.marker.opacity == 1


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("resnet50", "resnet50"),
        ("my.net", "my.net"),
        ("timm:convnext_tiny", "convnext_tiny"),
        ("timm:resnet50.a1_in1k", "resnet50"),
        ("timm:.odd", ".odd"),
        (":odd", ":odd"),
    ],
)
def test_a_label_leaves_out_the_program_and_the_weights(model, name):
    assert short_name(model) == name


def test_only_points_with_room_for_it_show_a_name():
    frame = case_frame({"model": "<a>"}, {"model": "b"}).assign(position=["bottom left", ""])
    assert names(frame)["text"] == ["&lt;a&gt;", ""]
    assert names(frame)["textposition"][0] == "bottom left"


def test_depths_stand_in_the_order_of_their_numbers():
    frame = case_frame(*({"model": f"m{depth}", "depth": depth} for depth in (101, 18, 50)))
    figure = throughput_by_depth(frame)
    assert figure.layout.xaxis.categoryarray == ("18", "50", "101")
    assert figure.data[0].x == ("18", "50", "101")


def test_each_family_and_block_type_is_a_line():
    frame = case_frame({"depth": 18, "block": "basic"}, {"depth": 50}, {"depth": 50, "family": "wide"})
    assert [trace.name for trace in throughput_by_depth(frame).data] == [
        "resnet · basic",
        "resnet · bottleneck",
        "wide · bottleneck",
    ]


def test_the_time_of_an_image_is_that_of_a_step_over_the_batch():
    frame = case_frame({"batch_size": 8, "latency_s": 0.08, "macs": 4e9}, {"latency_s": 0.16, "macs": 2e9})
    figure = macs_against_latency(frame)
    trace, line = figure.data
    assert trace.x == pytest.approx((4, 2))
    assert trace.y == pytest.approx((10, 20))
    assert trace.error_y.array[0] == pytest.approx(1)
    assert (line.x, line.y) == (pytest.approx((2, 4)), pytest.approx((5, 10)))
    assert "400" in line.name
    assert "GMAC/s" in line.name


def test_a_case_without_an_interval_is_drawn_without_whiskers():
    figure = macs_against_latency(case_frame({"latency_low_s": math.nan, "latency_high_s": math.nan}, {}))
    assert figure.data[0].error_y.array[0] == 0
