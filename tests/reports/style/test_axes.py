import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.style.axes import PLOT_HEIGHT, PLOT_WIDTH, log_axis, name_box, name_positions, overlap, to_pixels

positive = st.lists(st.floats(1e-4, 1e6), min_size=1, max_size=30)


@given(positive)
def test_a_log_axis_holds_its_values_and_labels_some_of_it(values):
    axis = log_axis(values)
    low, high = axis["range"]
    assert low < math.log10(min(values)) <= math.log10(max(values)) < high
    labels = {tick: text for tick, text in zip(axis["tickvals"], axis["ticktext"], strict=True) if text}
    assert len({text for tick, text in labels.items() if low <= math.log10(tick) <= high}) >= 2
    assert [float(text.replace(",", "")) for text in labels.values()] == pytest.approx(list(labels))


def test_labels_are_as_few_as_serve():
    def labels(*values):
        axis = log_axis(values)
        return [text for text in axis["ticktext"] if text]

    assert labels(1, 100) == ["1", "2", "5", "10", "20", "50", "100"]
    assert labels(3, 8) == ["3", "4", "5", "6", "7", "8"]
    assert labels(1.3, 1.5) == ["1.2", "1.3", "1.4", "1.5", "1.6"]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
def test_no_two_names_cover_each_other(points):
    x, y = zip(*points, strict=True)
    names = [f"variant_{index}" for index in range(len(points))]
    ends = ((-0.1, 1.1), (-0.1, 1.1))
    positions = name_positions(x, y, names, [False] * len(points), ends)
    boxes = [
        name_box(px, py, 6.3 * len(name), position)
        for px, py, name, position in zip(
            to_pixels(x, ends[0], PLOT_WIDTH), to_pixels(y, ends[1], PLOT_HEIGHT), names, positions, strict=True
        )
        if position
    ]
    assert not any(overlap(one, other) for index, one in enumerate(boxes) for other in boxes[:index])


def test_a_lone_point_is_named():
    assert name_positions([1.0], [2.0], ["resnet50"], [True], ((0.0, 2.0), (0.0, 4.0))) == ["top right"]
