import math

import pytest

from reports.chapters import FIGURES
from reports.figures.heatmap import speedup_map
from tests.reports.sources import case_frame, source_of


@pytest.fixture
def frame(make_records, tmp_path):
    return source_of(make_records(tmp_path)).cases


def cells(trace, values):
    """What the map shows, by model and setting."""
    return {
        (model, setting): value
        for model, line in zip(trace.y, values, strict=True)
        for setting, value in zip(trace.x, line, strict=True)
    }


def test_speedups_show_ratios_and_failures(frame):
    chart = FIGURES["speedups"]
    view = next(view for view in chart.views(frame) if "inference" in view.label)
    heat, crosses = chart.draw(view.frame).data
    colors = cells(heat, heat.z)
    assert colors["resnet50", "amp-bf16<br>eager<br>nchw"] == pytest.approx(math.log2(0.11), abs=0.1)
    assert colors["resnet50", "fp32<br>eager<br>nhwc"] == pytest.approx(math.log2(1.22), abs=0.05)
    assert colors["resnet50", "fp32<br>compile<br>nhwc"] == 0
    assert colors["resnext50_32x4d", "fp32<br>compile<br>nchw"] is None
    assert set(crosses.text) == {"timeout"}
    assert "no answer within 60 s" in crosses.customdata[0]


def test_a_cell_is_grey_where_the_interval_does_not_exclude_none():
    frame = case_frame(
        {"layout": "nhwc", "speedup": 2.0},
        {"runtime": "compile", "speedup": 1.2, "speedup_low": 0.9},
        {"precision": "bf16", "speedup": 1.2, "speedup_low": math.nan, "speedup_high": math.nan},
    )
    (heat,) = speedup_map(frame).data
    colors, texts = cells(heat, heat.z), cells(heat, heat.text)
    assert colors["resnet50", "fp32<br>eager<br>nhwc"] == pytest.approx(1)
    assert colors["resnet50", "fp32<br>compile<br>nchw"] == 0
    assert colors["resnet50", "bf16<br>eager<br>nchw"] == 0
    assert "±" in texts["resnet50", "fp32<br>compile<br>nchw"]
    assert "±" not in texts["resnet50", "bf16<br>eager<br>nchw"]


def test_twice_and_half_as_fast_are_as_far_from_grey():
    (heat,) = speedup_map(case_frame({"layout": "nhwc", "speedup": 2.0}, {"runtime": "compile", "speedup": 0.5})).data
    fast, slow = (value for value in cells(heat, heat.z).values() if value is not None)
    assert fast == pytest.approx(-slow)
    assert (heat.zmin, heat.zmid, heat.zmax) == (-1, 0, 1)


def test_the_first_model_is_on_top_and_what_was_not_measured_is_empty():
    frame = case_frame({"model": "first", "layout": "nhwc"}, {"model": "second", "runtime": "compile"})
    (heat,) = speedup_map(frame).data
    assert heat.y == ("second", "first")  # from below
    assert cells(heat, heat.z)["first", "fp32<br>compile<br>nchw"] is None
    assert cells(heat, heat.text)["first", "fp32<br>compile<br>nchw"] == ""


def test_a_failure_is_a_cross_in_its_cell_with_its_cause():
    failed = {"model": "<i>", "runtime": "compile", "status": "crash", "cause": "<script>", "speedup": math.nan}
    heat, crosses = speedup_map(case_frame({"model": "<i>"}, failed)).data
    assert (crosses.x, crosses.y) == (("fp32<br>compile<br>nchw",), ("&lt;i&gt;",))
    assert cells(heat, heat.z)["&lt;i&gt;", "fp32<br>compile<br>nchw"] is None
    assert (crosses.text, crosses.customdata) == (("crash",), ("&lt;script&gt;",))
