import pytest

import results
from reports.page import page
from results.metrics.rows import plain
from results.schema.axes import SETTINGS, WORKLOAD
from results.schema.labels import TASKS
from results.storage import reader
from results.text import csv_text
from tests.reports.sources import payload


def test_a_download_is_what_export_writes(make_records, tmp_path):
    records = make_records(tmp_path)
    given = payload(page.render(records))["cases"]["csv"]
    frame = results.table(records)
    exported = csv_text(list(frame.columns), [list(row.values()) for row in plain(frame)])
    assert "".join(f"{line}\n" for line in [given["head"], *given["rows"]]) == exported


def test_each_case_has_the_command_that_measures_it_again(make_case, make_record, make_run, write_run, tmp_path):
    case = make_case(runtime="compile", layout="nhwc", precision="amp-bf16")
    path = write_run(tmp_path, [make_record(case)], run=make_run(plan=[case]))
    (command,) = payload(page.render(reader.load(path)))["cases"]["commands"]
    assert command == (
        "resnet-bench run --model resnet50 --task inference --batch-size 8 --image-size 224 --device cpu "
        "--precision fp32,amp-bf16 --runtime eager,compile --layout nchw,nhwc --threads 2 "
        "--replicates 1 --target 1% --budget 5"
    )


def test_every_axis_of_the_workload_and_every_setting_is_a_facet(make_case, make_record, write_run, tmp_path):
    records = [make_record(make_case(image_size=size)) for size in (192, 224)]
    given = payload(page.render(reader.load(write_run(tmp_path, records))))
    facets = given["cases"]["facets"]
    assert {"machine", "family", "batch", *WORKLOAD, *SETTINGS} - set(facets) == {"batch_size"}
    assert facets["image_size"] == ["192", "224"]
    assert {*WORKLOAD, *SETTINGS} < set(given["pick_columns"])


def test_images_of_other_sizes_and_channels_are_shown_filtered_and_sorted(make_case, make_record, write_run, tmp_path):
    images = [(224, 3), ("96x500", 3), (96, 1), ("96x500", 1)]
    records = [make_record(make_case(image_size=size, in_channels=channels)) for size, channels in images]
    cases = payload(page.render(reader.load(write_run(tmp_path, records))))["cases"]
    assert cases["facets"]["image_size"] == cases["cells"]["image_size"]["text"] == ["224", "96x500", "96", "96x500"]
    assert cases["cells"]["image_size"]["sort"] == [50_176, 48_000, 9_216, 48_000]
    assert cases["facets"]["in_channels"] == cases["cells"]["in_channels"]["text"] == ["3", "3", "1", "1"]
    assert "--image-size 96x500 --in-channels 1 --device" in cases["commands"][3]


def test_the_usual_channels_are_not_shown(make_case, make_record, write_run, tmp_path):
    records = [make_record(make_case(model=model)) for model in ("resnet18", "resnet50")]
    text = page.render(reader.load(write_run(tmp_path, records)))
    assert "in_channels" not in payload(text)["cases"]["cells"]
    assert "3 channels" not in text


def test_the_script_learns_which_tasks_train(make_record, write_run, tmp_path):
    given = payload(page.render(reader.load(write_run(tmp_path, [make_record()]))))
    assert given["training"] == [name for name, task in TASKS.items() if task.trains]


def test_samples_are_thinned_and_keep_their_ends(make_record, write_run, tmp_path):
    record = make_record(turns=200)
    steady = record.samples.step_s[record.samples.warmup :]
    ((samples,),) = payload(page.render(reader.load(write_run(tmp_path, [record]))))["cases"]["samples"]
    assert len(samples) == 30
    assert (samples[0], samples[-1]) == pytest.approx((min(steady), max(steady)), rel=5e-3)
    assert samples == sorted(samples)


def test_intervals_stand_with_the_run_of_their_case(make_case, make_record, make_run, write_run, tmp_path):
    cases = [make_case(), make_case(model="resnet18")]
    for run in ("a", "b"):
        made = [make_record(case, replicate=index, latency_s=0.05) for index in range(3) for case in cases]
        write_run(tmp_path, made, run=make_run(plan=cases, run_id=run))
    spans = payload(page.render(reader.load(tmp_path)))["cases"]["spans"]
    assert spans["run"] == [0, 0, 1, 1]
    assert spans["relative"][0] == spans["relative"][2] == [1, 1]
    assert all(low < high < 1.1 for low, high in (spans["relative"][1], spans["relative"][3]))
    assert all(low < 0.051 and high > 0.049 for low, high in spans["latency_s"])
