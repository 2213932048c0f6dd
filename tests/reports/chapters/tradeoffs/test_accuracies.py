import pytest
from msgspec import structs

from reports.chapters.tradeoffs.accuracies import by_source, published
from reports.chapters.tradeoffs.chapter import CHAPTER, accurate
from results.schema.lines.record import Summary
from results.schema.lines.run import Source
from results.storage.reader import Records, RunFile
from tests.reports.sources import source_of


@pytest.fixture
def make_file(make_case, make_record, make_run, make_static, tmp_path):
    """Make the file of a machine: measured with torchvision's accuracies, or imported with those of a table."""

    def make(machine, accuracies, fmt=None, file="table.csv"):
        records, statics = [], []
        for model, top1 in accuracies.items():
            record = make_record(make_case(model=model), latency_s=0.01 * (1 + len(records)))
            if fmt is None:
                statics.append(make_static(model, imagenet_top1=top1))
            else:
                timed = {"latency_s": 0.01, "throughput_img_per_s": 800.0}
                metrics = timed if top1 is None else timed | {"imagenet_top1": top1}
                summary = Summary(metrics=metrics, family="resnet", block="basic", depth=18)
                record = structs.replace(record, samples=None, started=None, duration_s=None, summary=summary)
            records.append(record)
        run = make_run(plan=[record.case for record in records], run_id=machine)
        run = structs.replace(
            run,
            environment=structs.replace(run.environment, cpu=machine),
            source=fmt and Source(format=fmt, file=file, sha256="0" * 64),
        )
        return RunFile(
            path=tmp_path / machine,
            run=run,
            statics=tuple(statics),
            records=tuple(records),
            complete=True,
            problems=(),
        )

    return make


def names(*files):
    return list(published(Records(files)))


def test_the_source_of_the_most_cases_comes_first(make_file):
    measured = make_file("A", {"resnet18": 0.70, "resnet50": 0.81})
    imported = make_file("B", {"resnet18": 0.71, "resnet34": 0.75, "resnet50": 0.82}, "timm")
    assert names(measured, imported) == ["timm", "torchvision"]
    assert names(measured, make_file("C", {"resnet18": 0.71, "resnet50": 0.82}, "timm")) == ["torchvision", "timm"]


def test_versions_of_a_table_are_one_source(make_file):
    files = [make_file(name, {"resnet18": top1}, "timm", file=name) for name, top1 in (("A", 0.70), ("B", 0.71))]
    assert published(Records(tuple(files))) == {"timm": {("resnet18", 224): 0.71}}


def test_a_file_that_repeats_a_source_is_none_of_its_own(make_file):
    measured = make_file("A", {"resnet18": 0.70, "resnet50": 0.81})
    assert names(measured, make_file("B", {"resnet18": 0.70}, "csv")) == ["torchvision"]
    assert names(make_file("B", {"resnet18": 0.70, "resnet50": 0.81}, "csv"), measured) == ["torchvision"]
    same = [make_file(name, {"resnet18": 0.70}, "csv", file=name) for name in "BC"]
    assert names(*same) == ["B"]
    assert names(measured, make_file("D", {"resnet18": 0.72}, "csv", file="D")) == ["torchvision", "D"]


def test_a_variant_has_one_height_on_a_chart_whichever_machine_ran(make_file):
    measured = make_file("A", {"resnet18": 0.70, "resnet50": 0.81})
    imported = make_file("B", {"resnet18": 0.71, "resnet34": 0.75, "resnet50": None}, "timm")
    source = source_of(Records((measured, imported)))
    views = CHAPTER.charts["accuracy"].views(source.frame(by_source))
    tops = {
        view.frame["accuracy"].iloc[0]: dict(zip(view.frame["model"], view.frame["imagenet_top1"], strict=True))
        for view in views
    }
    assert tops == {
        "accuracy by torchvision": {"resnet18": 0.70, "resnet50": 0.81},
        "accuracy by timm": {"resnet18": 0.71, "resnet34": 0.75},
    }
    for view in views:
        assert view.frame.groupby("model")["imagenet_top1"].nunique().eq(1).all()
        assert view.frame["accuracy"].iloc[0] in view.label
        title = CHAPTER.charts["accuracy"].draw(view.frame).layout.yaxis.title.text
        assert title == f"ImageNet top-1 (%), {view.frame['accuracy'].iloc[0].removeprefix('accuracy ')}"
    assert set(accurate(source)["accuracy"]) == {views[0].frame["accuracy"].iloc[0]}


def test_the_table_of_cases_says_the_source_where_there_are_several(make_file):
    measured = make_file("A", {"resnet18": 0.70, "resnet50": 0.81})
    imported = make_file("B", {"resnet18": 0.71, "resnet34": 0.75}, "timm")
    cases = source_of(Records((measured, imported))).cases
    by_model = cases.groupby("model")
    assert by_model["imagenet_top1"].unique().map(list).to_dict() == {
        "resnet18": [0.70],
        "resnet34": [0.75],
        "resnet50": [0.81],
    }
    assert by_model["cited"].first().to_dict() == {
        "resnet18": "torchvision",
        "resnet34": "timm",
        "resnet50": "torchvision",
    }
    assert set(source_of(Records((measured,))).cases["cited"]) == {""}


def test_without_any_accuracy_nothing_is_drawn(make_file):
    source = source_of(Records((make_file("B", {"resnet18": None}, "timm"),)))
    assert source.frame(by_source).empty
    assert CHAPTER.charts["accuracy"].views(source.frame(by_source)) == ()
    assert accurate(source).empty
