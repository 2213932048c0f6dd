import pytest
from msgspec import structs

from reports.chapters.static.layers import MOST_MODELS, by_quantity, layer_table, layers, of_layers, stage_rows
from reports.figures.treemap import treemap
from reports.style.views import split
from results.schema.static import Layer

COSTS = (
    ("conv1", "Conv2d", "conv1", 10, 400, 40),
    ("relu", "ReLU", "relu", 0, 0, 0),
    ("layer1.0.conv1", "Conv2d", "layer1", 30, 300, 30),
    ("layer1.0.bn1", "BatchNorm2d", "layer1", 5, 0, 0),
    ("layer1.1.conv1", "Conv2d", "layer1", 35, 300, 30),
    ("fc", "Linear", "fc", 20, 20, 1),
)


@pytest.fixture
def make_model(make_static):
    def make(model="resnet50", costs=COSTS, **fields):
        found = tuple(
            Layer(
                name=name,
                type=kind,
                stage=stage,
                output_shape=(1, 8, 4, 4),
                parameters=parameters,
                macs=macs,
                activations=activations,
            )
            for name, kind, stage, parameters, macs, activations in costs
        )
        return make_static(model, layers=found, **fields)

    return make


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
    frame = layers((make_model(),))
    (trace,) = treemap(_view(frame, "MACs")).data
    assert not any("bn1" in name or "relu" in name for name in trace.ids)
    assert sum(1 for view in split(by_quantity(frame), ("model", "image_size", "quantity"), 1, ordered=True)) == 3


def test_the_sentence_names_the_largest(make_model):
    said = of_layers(_view(layers((make_model(),)), "MACs"))
    assert said == "resnet50 has 1.02 k MACs at 224 px: 59 % in layer1, and 39 % in its largest layer, conv1.".replace(
        "1.02 k", "1.02\N{NO-BREAK SPACE}k"
    ).replace(" %", "\N{NO-BREAK SPACE}%")


def test_tables_hold_every_cost(make_model):
    frame = layers((make_model(),))
    stages = stage_rows(frame)
    assert [row[0] for row in stages] == ["stem", "layer1", "head", "whole model"]
    assert [row[1] for row in stages] == ["10.0", "70.0", "20.0", "100"]
    assert [row[2] for row in stages] == [f"{share}\N{NO-BREAK SPACE}%" for share in ("10.0", "70.0", "20.0", "100.0")]
    table = layer_table(frame)
    rows = [[cell.text for cell in row] for row in table.rows]
    assert [row[0] for row in rows] == [name for name, *_ in COSTS if name != "relu"]
    assert rows[1][2] == "8 × 4 × 4"
    assert all(len(row) == len(table.heads) == len(table.numeric) for row in table.rows)


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


def test_of_a_thousand_models_the_first_have_their_layers(make_model):
    statics = tuple(make_model(f"m{index:04}") for index in range(1000))
    frame = layers((*statics, structs.replace(statics[0], model="plain18", family="plain")))
    assert frame["model"].nunique() == MOST_MODELS
    assert "plain18" not in set(frame["model"])  # by family, then depth, then name


def test_no_model_gives_no_layer():
    frame = layers(())
    assert by_quantity(frame).empty
    assert split(by_quantity(frame), ("model", "image_size", "quantity"), 1, ordered=True) == ()


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
