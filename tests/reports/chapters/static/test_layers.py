from msgspec import structs

from reports.chapters.static.layers import MOST_MODELS, by_quantity, layer_table, layers, of_layers, stage_rows
from reports.chapters.static.stages import QUANTITIES
from reports.style.views import split
from tests.reports.sources import LAYERS


def _view(frame, quantity):
    rows = by_quantity(frame)
    return rows[rows["quantity"] == quantity]


def test_the_sentence_names_the_largest(make_model):
    said = of_layers(_view(layers((make_model(),)), "MACs")).replace("\N{NO-BREAK SPACE}", " ")
    assert "resnet50 has 1.02 k MACs at 224 px" in said
    assert "59 % in layer1" in said
    assert "39 % in its largest layer, conv1" in said


def test_tables_hold_every_cost(make_model):
    frame = layers((make_model(),))
    stages = stage_rows(frame)
    assert [row[0] for row in stages] == ["stem", "layer1", "head", "whole model"]
    assert [row[1] for row in stages] == ["10.0", "70.0", "20.0", "100"]
    assert [row[2] for row in stages] == [f"{share}\N{NO-BREAK SPACE}%" for share in ("10.0", "70.0", "20.0", "100.0")]
    table = layer_table(frame)
    rows = [[cell.text for cell in row] for row in table.rows]
    assert [row[0] for row in rows] == [name for name, *_ in LAYERS if name != "relu"]
    assert rows[1][2] == "8 × 4 × 4"
    assert all(len(row) == len(table.heads) == len(table.numeric) for row in table.rows)


def test_of_a_thousand_models_the_first_have_their_layers(make_model):
    statics = tuple(make_model(f"m{index:04}") for index in range(1000))
    frame = layers((*statics, structs.replace(statics[0], model="plain18", family="plain")))
    assert frame["model"].nunique() == MOST_MODELS
    assert "plain18" not in set(frame["model"])  # by family, then depth, then name


def test_no_model_gives_no_layer():
    frame = layers(())
    assert by_quantity(frame).empty
    assert split(by_quantity(frame), ("model", "image_size", "quantity"), 1, ordered=True) == ()


def test_every_quantity_of_a_model_is_a_view(make_model):
    frame = by_quantity(layers((make_model(),)))
    views = split(frame, ("model", "image_size", "quantity"), 1, ordered=True)
    assert [view.frame["quantity"].iloc[0] for view in views] == list(QUANTITIES.values())
    assert (frame["value"] > 0).all()
