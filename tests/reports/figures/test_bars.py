import math

import pandas as pd
import pytest

from reports.chapters import FIGURES
from reports.chapters.static.stages import stages
from reports.figures.bars import cost_by_stage, memory, memory_range, throughput, throughput_range, training_phases
from reports.style.theme import FAMILIES, STAGES
from tests.reports.sources import case_frame, source_of

TWO = case_frame(
    {"model": "fast", "latency_s": 0.01, "peak_bytes": 2e8, "family": "wide"},
    {"model": "slow", "latency_s": 0.04, "peak_bytes": 5e8, "model_bytes": math.nan},
)


@pytest.fixture
def frame(make_records, tmp_path):
    return source_of(make_records(tmp_path)).cases


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


def test_the_largest_peak_is_on_top_and_weights_are_marked_where_they_are_known():
    figure = memory(TWO)
    assert figure.layout.yaxis.categoryarray == ("fast", "slow")  # from below
    *families, weights = figure.data
    assert {trace.y[0]: trace.x[0] for trace in families} == {"slow": pytest.approx(500), "fast": pytest.approx(200)}
    assert (weights.y, weights.x) == (("fast",), (pytest.approx(100),))


@pytest.mark.parametrize(("allocated", "kind"), [(math.nan, "resident"), (3e8, "allocated")])
def test_the_axis_names_the_kind_of_memory(allocated, kind):
    figure = memory(TWO.assign(peak_allocated_bytes=allocated))
    assert kind in figure.layout.xaxis.title.text


def test_a_family_has_its_colour_and_pattern():
    for figure in (memory(TWO), throughput(TWO)):
        looks = {
            trace.name: (trace.marker.color, trace.marker.pattern.shape)
            for trace in figure.select_traces({"type": "bar"})
        }
        for family in ("wide", "resnet"):
            assert looks[family] == (FAMILIES[family].color, FAMILIES[family].pattern)


def test_the_fastest_is_on_top_with_its_interval():
    figure = throughput(TWO)
    assert figure.layout.yaxis.categoryarray == ("slow", "fast")
    trace = next(trace for trace in figure.data if trace.y == ("fast",))
    assert trace.x == (pytest.approx(800),)
    assert trace.x[0] + trace.error_x.array[0] == pytest.approx(8 / 0.009)
    assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(8 / 0.011)


def test_ranges_name_both_ends_and_their_ratio():
    said = throughput_range(TWO)
    assert said.index("fast") < said.index("4 times") < said.index("slow")
    said = memory_range(TWO)
    assert said.index("slow peaks at 500") < said.index("fast at 200")


@pytest.mark.parametrize("say", [throughput_range, memory_range])
def test_of_a_single_variant_no_range_is_claimed(say):
    said = say(TWO.head(1))
    assert said.count("fast") == 1
    assert "times" not in said


def test_each_phase_says_its_share():
    frame = case_frame({"forward_s": 0.01, "backward_s": 0.03, "optimizer_s": 0.01})
    forward, backward, _ = training_phases(frame).data
    assert backward.x == (pytest.approx(30),)
    assert "20%" in forward.customdata[0]
    assert "60%" in backward.customdata[0]


def test_the_first_model_of_the_stages_is_on_top():
    frame = pd.DataFrame(
        [("first", "stem", "MACs", 3), ("second", "head", "MACs", 4), ("first", "head", "MACs", 1)],
        columns=["model", "stage", "quantity", "value"],
    )
    figure = cost_by_stage(frame)
    assert figure.layout.yaxis.categoryarray == ("second", "first")
    assert "MACs" in figure.layout.xaxis.title.text
    shares = {trace.name: dict(zip(trace.y, trace.x, strict=True)) for trace in figure.data}
    assert shares == {"stem": {"first": 75}, "head": {"second": 100, "first": 25}}
