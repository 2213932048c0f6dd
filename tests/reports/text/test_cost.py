import csv
import io
import json

from reports.text.cost import cost_text, metrics_text, models_text, suites_text
from results.schema.metrics import METRICS


def test_precisions_with_the_same_size_share_a_column(make_static):
    heads = cost_text([make_static()], "table").splitlines()[0]
    assert "fp32 MB   fp16 MB" in heads
    assert "bf16" not in heads
    static = make_static(model_bytes={"fp32": 4_000_000, "int8": 1_000_000})
    assert cost_text([static], "table").splitlines()[2].split()[-2:] == ["4.0", "1.0"]


def test_programs_read_exact_values(make_static):
    static = make_static()
    (row,) = csv.DictReader(io.StringIO(cost_text([static], "csv")))
    (document,) = json.loads(cost_text([static], "json"))
    assert int(row["macs"]) == document["macs"] == static.macs
    assert int(row["model_bytes_fp16"]) == document["model_bytes"]["fp16"]
    assert "layers" not in document
    assert len(document["stages"]) == len(static.stages)


def test_heads_are_named_where_they_are_not_all_classifiers(make_static):
    statics = [make_static(), make_static(head="segmentation")]
    assert "head" not in cost_text(statics[:1], "table")
    assert "segmentation" in cost_text(statics, "table")


def test_layers_and_stages_come_before_the_models(make_static):
    static = make_static()
    rows = list(csv.DictReader(io.StringIO(cost_text([static], "csv", per="layer"))))
    assert [row["name"] for row in rows] == [layer.name for layer in static.layers]
    text = cost_text([static], "table", per="stage")
    assert text.index(static.stages[0].name) < text.index("GMACs")


def test_lists_show_all_that_they_are_given():
    models = models_text([("resnet18", "resnet", "basic", 18, 224), ("torchvision:vgg16", "peer", None, None, 224)])
    assert [line.split()[0] for line in models.splitlines()[2:]] == ["resnet18", "torchvision:vgg16"]
    assert suites_text({"quick": "A look"}).splitlines()[-1].split() == ["quick", "A", "look"]
    assert [line.split()[0] for line in metrics_text().splitlines()[2:]] == list(METRICS)
