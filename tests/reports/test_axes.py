import math

from hypothesis import given
from hypothesis import strategies as st

from reports.axes import HEIGHT, WIDTH, _box, _overlap, _pixels, log_axis, place

positive = st.lists(st.floats(1e-4, 1e6), min_size=1, max_size=30)


@given(positive)
def test_a_log_axis_holds_its_values_and_labels_some_of_it(values):
    axis = log_axis(values)
    low, high = axis["range"]
    assert low < math.log10(min(values)) <= math.log10(max(values)) < high
    labels = zip(axis["tickvals"], axis["ticktext"], strict=True)
    assert any(text for tick, text in labels if low <= math.log10(tick) <= high) or high - low < 0.35


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20))
def test_no_two_names_cover_each_other(points):
    x, y = zip(*points, strict=True)
    names = [f"variant_{index}" for index in range(len(points))]
    positions = place(x, y, names, [False] * len(points))
    boxes = [
        _box(px, py, 6.3 * len(name), position)
        for px, py, name, position in zip(_pixels(x, WIDTH), _pixels(y, HEIGHT), names, positions, strict=True)
        if position
    ]
    assert not any(_overlap(one, other) for index, one in enumerate(boxes) for other in boxes[:index])


def test_a_lone_point_is_named():
    assert place([1.0], [2.0], ["resnet50"], [True]) == ["top right"]
