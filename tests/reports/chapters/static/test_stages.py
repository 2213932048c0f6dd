from reports.chapters.static.stages import MODEL_COLUMNS, model_table, stages
from results.schema.metrics import METRICS
from results.storage import reader
from tests.reports.sources import source_of


def test_the_table_of_models_has_every_metric_that_says_so():
    assert {name for name, metric in METRICS.items() if "models" in metric.tables} < set(MODEL_COLUMNS)


def test_models_stand_by_family_and_depth_each_once(make_record, make_static, write_run, tmp_path):
    statics = [make_static("resnet50", depth=50), make_static("plain18", family="plain", depth=18)]
    statics.append(make_static("resnet18", depth=18))
    source = source_of(reader.load(write_run(tmp_path, [make_record()], statics)))
    table = model_table(source)
    assert [row[0].text for row in table.rows] == ["resnet18", "resnet50", "plain18"]
    assert dict(zip(table.names, table.rows[0], strict=True))["uncounted"].text


def test_without_a_model_there_is_no_table(make_record, write_run, tmp_path):
    assert model_table(source_of(reader.load(write_run(tmp_path, [make_record()])))) is None
    assert stages(()).empty
