import pytest

from reports.chapters.static.layers import by_quantity, layers
from reports.figures.treemap import treemap
from reports.style.theme import STAGES


def _view(frame, quantity):
    rows = by_quantity(frame)
    return rows[rows["quantity"] == quantity]


def test_boxes_add_up_to_their_parents(make_model):
    view = _view(layers((make_model(),)), "parameters")
    (trace,) = treemap(view).data
    values = dict(zip(trace.ids, trace.values, strict=True))
    inside = {}
    for name, parent in zip(trace.ids, trace.parents, strict=True):
        if parent:
            inside[parent] = inside.get(parent, 0) + values[name]
    assert inside == {parent: values[parent] for parent in inside}
    assert values["/"] == 100
    assert values["/layer1/"] == 70
    assert values["/layer1/layer1.0/"] == 35
    assert set(trace.parents) <= {"", *trace.ids}
    assert list(trace.parents).count("") == 1
    assert trace.branchvalues == "total"


def test_what_costs_nothing_has_no_box(make_model):
    (trace,) = treemap(_view(layers((make_model(),)), "MACs")).data
    assert not any("bn1" in name or "relu" in name for name in trace.ids)


def test_a_peer_keeps_the_names_of_its_children(make_model):
    costs = (("features.0", "Conv2d", "features", 10, 10, 10), ("classifier.6", "Linear", "classifier", 90, 90, 1))
    (trace,) = treemap(_view(layers((make_model("torchvision:vgg16", costs),)), "parameters")).data
    assert set(trace.ids) == {
        "/",
        "/features/",
        "/features/features.0/features.0",
        "/classifier/",
        "/classifier/classifier.6/classifier.6",
    }


def test_hostile_names_are_escaped(make_model):
    costs = (("<b>x</b>.0", "<i>", "<b>x</b>", 10, 10, 10),)
    figure = treemap(_view(layers((make_model("<script>", costs),)), "parameters"))
    (trace,) = figure.data
    for text in (
        *trace.labels,
        *trace.text,
        *(word.replace("<b>", "", 1).replace("</b>", "", 1) for word in trace.customdata),
    ):
        assert "<" not in text.replace("<br>", "")


@pytest.fixture
def boxes(make_model):
    """The boxes of the parameters of a model, by id: label, text, words when pointed at, colour, pattern."""
    (trace,) = treemap(_view(layers((make_model(),)), "parameters")).data
    looks = (trace.labels, trace.text, trace.customdata, trace.marker.colors, trace.marker.pattern.shape)
    return dict(zip(trace.ids, zip(*looks, strict=True), strict=True))


def test_all_boxes_of_a_stage_look_alike_and_stages_do_not(boxes):
    stages = {}
    for name, (*_, color, pattern) in boxes.items():
        stages.setdefault(name.split("/")[1], set()).add((color, pattern))
    assert {len(looks) for looks in stages.values()} == {1}
    assert len({*map(frozenset, stages.values())}) == len(stages)
    assert next(iter(stages["layer1"]))[1] == STAGES["layer1"].pattern


def test_white_words_are_read_on_every_box(boxes):
    def linear(channel):
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    for *_, color, _ in boxes.values():
        red, green, blue = (linear(int(color[start : start + 2], 16) / 255) for start in (1, 3, 5))
        assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5, color  # WCAG 2.2, 1.4.3


def test_a_box_says_its_share_and_a_layer_what_it_is(boxes):
    label, text, words, *_ = boxes["/layer1/layer1.0/layer1.0.conv1"]
    assert label == "conv1"
    assert "30.0" in text
    assert "layer1.0.conv1" in words
    assert "Conv2d, output 8 × 4 × 4" in words
    label, text, *_ = boxes["/layer1/"]
    assert label.startswith("layer1 · ")
    assert "70.0" in label
    assert text == ""


def test_a_block_of_one_layer_is_that_layer(boxes):
    assert "/stem/conv1/conv1" in boxes
    assert "/stem/conv1/" not in boxes
