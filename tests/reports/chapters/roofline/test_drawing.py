import pytest

from reports.chapters.roofline.drawing import MOST_STREAMS, gains, of_gains, of_roof, roof_points
from reports.chapters.roofline.frames import advice_frame, products_only, roof_layers
from tests.profiles import peaks, probe, profile


@pytest.fixture
def source(profiled):
    return profiled(peaks(), profile(task="training", probes=[probe(ratio=0.2), probe(ratio=0.2, phase="backward")]))


def test_points_lie_below_the_roofs(source):
    frame = products_only(roof_layers(source))
    figure = roof_points(frame)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    points = [trace for trace in figure.data if trace.mode == "markers"]
    assert {line.name for line in lines} >= {"matmul, best shape", "convolution, best shape"}
    assert len(lines) == 2 + min(MOST_STREAMS, 3)
    assert {trace.name for trace in points} == {"conv1", "layer1", "layer2", "fc"}
    assert sum(len(trace.x) for trace in points) == len(frame)


def test_the_sentence_names_the_layer_that_loses_most(source):
    said = of_roof(products_only(roof_layers(source)))
    assert said.startswith("At the roof resnet18/training")
    assert "layer1.0.conv1 backward loses most" in said


def test_gains_have_bars_with_whiskers(source):
    frame = advice_frame(source)
    (bars,) = gains(frame).data
    assert list(bars.x) == pytest.approx([1e3 * value for value in frame["saves_s"]])
    assert min(bars.error_x.array) >= 0
    assert "layout nhwc would save" in of_gains(frame)


def test_where_nothing_surely_helps_the_sentence_says_so(profiled):
    frame = advice_frame(profiled(profile(probes=[probe(ratio=1.0)])))
    assert of_gains(frame).startswith("No remedy surely helps")
