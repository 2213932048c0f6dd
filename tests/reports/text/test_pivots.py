import math

import pandas as pd
import pytest
from msgspec import structs

from reports.text.pivots import depth_by_block, speedups_by_setting
from reports.text.table import pivots_text
from results.metrics.table import table
from results.schema.lines.record import Summary
from results.schema.lines.run import Source
from results.storage.reader import load


@pytest.fixture
def framed(tmp_path_factory, write_run):
    """Records to the frame, by way of a run file."""
    return lambda records, statics=(): table(load(write_run(tmp_path_factory.mktemp("runs"), records, statics)))


def _of(family, block, depth):
    return {"family": family, "block": block, "depth": depth}


def test_a_run_without_records_has_no_pivots(framed):
    frame = framed([])
    assert depth_by_block(frame).empty
    assert speedups_by_setting(frame).empty


def test_sizes_of_images_are_in_the_order_of_their_pixels(framed, make_record, make_case):
    sizes = (224, "224x160", "64x512", 96, "96x500")
    cases = [make_case(image_size=size, layout=layout) for size in sizes for layout in ("nchw", "nhwc")]
    records = [make_record(case, baseline_latency_s=None if case.is_baseline else 0.05, noise=0.0) for case in cases]
    pivot = speedups_by_setting(framed(records))
    assert list(pivot.index.get_level_values("image_size")) == [96, "64x512", "224x160", "96x500", 224]


def test_depth_by_block_has_a_column_a_kind(framed, make_record, make_case, make_static):
    kinds = {
        "resnet18": _of("resnet", "basic", 18),
        "resnet50": _of("resnet", "bottleneck", 50),
        "resnext50_32x4d": _of("resnext", "bottleneck", 50),
        "resnext101_32x8d": _of("resnext", "bottleneck", 101),
        "resnext101_64x4d": _of("resnext", "bottleneck", 101),
        "torchvision:vgg16": _of("peer", None, None),
    }
    records = [make_record(make_case(model=model), noise=0.0) for model in kinds]
    records.append(make_record(make_case(model="resnet50", batch_size=512), status="crash", cause="x"))
    pivot = depth_by_block(framed(records, [make_static(model, **kind) for model, kind in kinds.items()]))
    assert list(pivot.columns) == [
        "resnet basic",
        "resnet bottleneck",
        "resnext bottleneck",
        "resnext bottleneck: resnext101_32x8d",
        "resnext bottleneck: resnext101_64x4d",
    ]
    assert list(pivot.index) == [18, 50, 101]
    assert pivot.loc[50, "resnet bottleneck"] == pytest.approx(160)
    assert pivot.loc[50, "resnext bottleneck"] == pytest.approx(160)
    assert math.isnan(pivot.loc[101, "resnext bottleneck"])


def test_a_wrong_result_is_in_no_pivot(framed, make_record, make_case, make_static, make_equality):
    models = {"resnet18": _of("resnet", "basic", 18), "resnet34": _of("resnet", "basic", 34)}
    statics = [make_static(model, **kind) for model, kind in models.items()]
    right = [make_record(make_case(model=model, layout="nhwc"), baseline_latency_s=0.1) for model in models]
    wrong = structs.replace(right[0], equality=make_equality("wrong"))
    assert list(speedups_by_setting(framed([wrong, right[1]], statics)).index) == ["resnet34"]
    assert depth_by_block(framed([wrong, right[1]], statics)).empty


def test_depth_by_block_keeps_conditions_apart(framed, make_record, make_case, make_static):
    alone = make_record(make_case(layout="nhwc"))
    records = [
        make_record(make_case(task=task, model=model))
        for task in ("inference", "training")
        for model in ("resnet18", "resnet50")
    ]
    statics = [make_static(), make_static("resnet18", block="basic", depth=18)]
    pivot = depth_by_block(framed([*records, alone], statics))
    assert list(pivot.index) == [("inference", 18), ("inference", 50), ("training", 18), ("training", 50)]
    assert list(pivot.columns) == ["resnet basic", "resnet bottleneck"]


def test_speedups_are_by_precision_runtime_and_layout(framed, make_record, make_case):
    records = [
        make_record(),
        make_record(make_case(precision="amp-bf16", layout="nhwc"), baseline_latency_s=0.1, noise=0.0),
    ]
    pivot = speedups_by_setting(framed(records))
    assert len(pivot.columns) == 1  # the baseline is 1 by definition
    assert pivot.loc["resnet50", ("amp-bf16", "eager", "nhwc")] == pytest.approx(2)


@pytest.fixture
def imported(tmp_path_factory, make_record, make_case, make_run, write_run):
    """Two models of one source, which tells no threads and no family, with a run that was measured beside it."""
    records = [
        make_record(
            make_case(model=model, threads=None),
            latency_s=0.05,
            samples=None,
            ran=None,
            started=None,
            duration_s=None,
            summary=Summary(metrics={"latency_s": 0.05, "throughput_img_per_s": 160.0, "speedup": 2.0}, depth=depth),
        )
        for model, depth in (("resnet18", 18), ("resnet50", 50))
    ]
    source = Source(format="timm", file="t.csv", sha256="0" * 64)
    plan = tuple(record.case for record in records)
    run = make_run(plan, run_id="imported", started=None, settings=None, source=source)
    return load(write_run(tmp_path_factory.mktemp("imported"), records, run=run))


@pytest.mark.parametrize("beside", [False, True])
def test_cases_of_unknown_threads_are_in_the_pivot(
    imported, tmp_path, make_record, make_case, make_static, write_run, beside
):
    frame = table(imported)
    if beside:
        models = {"resnet18": 18, "resnet34": 34}
        statics = [make_static(model, family="resnet", block="basic", depth=depth) for model, depth in models.items()]
        measured = load(write_run(tmp_path, [make_record(make_case(model=model)) for model in models], statics))
        frame = table(type(imported)((*imported.files, *measured.files)))
    pivot = depth_by_block(frame)
    assert pivot["unknown"].dropna().tolist() == [160, 160]
    assert len(pivot) == (4 if beside else 2)


def test_unknown_threads_are_shown_as_in_the_table(imported):
    frame = table(imported)
    known = frame.assign(model=["resnet34", "resnet101"], threads=pd.array([2, 2], dtype="Int64"), family="resnet")
    text = pivots_text(pd.concat([frame, known], ignore_index=True), "table")
    assert "depth" in text
    assert "nan" not in text.lower()
    assert "<NA>" not in text
