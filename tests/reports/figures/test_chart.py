import dataclasses

import pandas as pd
import plotly.graph_objects as go

from reports.figures.chart import Chart, Insert, sound
from reports.style.views import View
from results.storage import reader
from tests.reports.sources import source_of

CHART = Chart(
    title="a figure",
    definition="what it shows",
    absent="nothing",
    rows=sound("latency_s"),
    by=("task",),
    draw=lambda _: go.Figure(),
    takeaway=lambda _: "It shows.",
    columns=("model", "task", "first_step_s"),
)
FRAME = pd.DataFrame(
    {
        "model": [f"m{index}" for index in range(6)],
        "task": ["inference"] * 4 + ["training"] * 2,
        "status": ["ok"] * 6,
        "usable": [True] * 6,
        "latency_s": [0.1] * 6,
        "first_step_s": [0.2] * 6,
        "throughput_img_per_s": [10.0, 20.0, 30.0, 40.0, 1.0, 2.0],
        "batch_size": [1] * 6,
    }
)


def test_a_frame_is_made_once(make_record, write_run, tmp_path):
    source = source_of(reader.load(write_run(tmp_path, [make_record()])))
    made = []

    def make(given):
        made.append(given)
        return given.cases

    assert source.frame(make) is source.frame(make)
    assert made == [source]


def test_a_source_says_what_its_files_hold(make_record, make_static, write_run, tmp_path):
    for name, statics in (("without", []), ("with", [make_static()])):
        source = source_of(reader.load(write_run(tmp_path / name, [make_record()], statics)))
        assert source.holds("record")
        assert source.holds("static") == bool(statics)
        assert len(source.statics) == len(statics)


def test_views_are_sets_of_equal_rows_the_largest_first():
    first, second = CHART.views(FRAME)
    assert (first.label, len(first.frame), second.label) == ("inference", 4, "training")


def test_of_too_many_variants_the_fastest_are_drawn_and_the_label_says_so():
    first, _ = dataclasses.replace(CHART, most=2).views(FRAME)
    assert list(first.frame["model"]) == ["m2", "m3"]
    assert first.label == "inference · the 2 fastest of 4 variants"


def test_the_data_of_a_view_leave_out_what_all_rows_share():
    assert CHART.data(View(label="", frame=FRAME)).names == ("model", "task", "first_step_s")
    assert CHART.data(CHART.views(FRAME)[0]).names == ("model", "first_step_s")


def test_only_charts_of_pairs_are_paired():
    assert not CHART.paired
    assert dataclasses.replace(CHART, by=("pair",)).paired


def test_what_failed_is_never_drawn():
    failed = FRAME.assign(usable=[False, *FRAME["usable"][1:]], latency_s=[0.1, 0.0, *FRAME["latency_s"][2:]])
    assert list(sound("latency_s", trains=False)(failed)["model"]) == ["m2", "m3"]


def test_what_trains_is_what_its_task_says(monkeypatch):
    monkeypatch.setattr("reports.figures.chart.TRAINING", ("training", "tuning"))
    tuned = FRAME.assign(task=["inference", "tuning", *FRAME["task"][2:]])
    assert list(sound("latency_s", trains=True)(tuned)["model"]) == ["m1", "m4", "m5"]
    assert list(sound("latency_s", trains=False)(tuned)["model"]) == ["m0", "m2", "m3"]
    assert len(sound("latency_s")(tuned)) == len(tuned)


def test_an_insert_is_a_template_with_values():
    insert = Insert(template="a/chapter.html", values=lambda source: {"source": source})
    assert insert.values(None) == {"source": None}
