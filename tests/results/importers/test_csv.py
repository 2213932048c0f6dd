import csv
import io

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

import results
from results.analysis.study import Study
from results.errors import InputError
from results.exporters.csv import to_csv
from results.importers import csv as from_csv
from results.importers.reading import Options
from results.importers.writing import import_files
from results.schema.metrics import BOUNDS, METRICS


def silent(_line):
    raise AssertionError("our own CSV leaves nothing out")


@pytest.fixture
def again(tmp_path):
    """Returns a function that imports bytes as a CSV file, and gives the records."""

    def run(content):
        path = tmp_path / "export.csv"
        path.write_bytes(content)
        return results.load(*import_files("csv", [path], tmp_path / "again", tell=silent))

    return run


def same(records, back):
    pd.testing.assert_frame_equal(results.table(back), results.table(records))
    assert results.table(back).attrs == results.table(records).attrs
    assert back.problems == ()


@pytest.mark.parametrize("name", ["measured", "imported"])
def test_every_column_comes_back_exactly(again, request, name):
    records = request.getfixturevalue(name)
    content = to_csv(Study(records)).content()
    back = again(content)
    same(records, back)
    assert to_csv(Study(back)).content() == content
    assert {file.run.source.format for file in back.files} == {"csv"}


@pytest.mark.parametrize(("gain", "told"), [(1.25, None), (0.8, "never: it is not faster than eager")])
def test_a_break_even_comes_back_though_nothing_is_left_to_compute_it_from(
    again, tmp_path, make_case, make_record, write_run, gain, told
):
    compiled = make_record(make_case(runtime="compile"), latency_s=0.05 / gain, baseline_latency_s=0.05)
    compiled = structs.replace(compiled, facts=structs.replace(compiled.facts, compile_s=10.0))
    records = results.load(write_run(tmp_path, [make_record(latency_s=0.05), compiled]))
    row = results.table(records).iloc[1]
    assert row["nulls"].get("break_even_steps") == told
    assert (row["break_even_low"] > 0) == (told is None)
    same(records, again(to_csv(Study(records)).content()))


def test_each_run_comes_back_as_itself(again, two_runs):
    records = two_runs({"accelerator": "NVIDIA H100"}, {})
    same(records, again(to_csv(Study(records)).content()))


def test_an_accelerator_is_that_of_its_device(again, tmp_path, make_case, make_record, make_run, write_run):
    cases = (make_case(), make_case(device="cuda:0"))
    run = make_run(cases, accelerator="=NVIDIA")
    records = results.load(write_run(tmp_path, [make_record(case) for case in cases], run=run))
    same(records, again(to_csv(Study(records)).content()))


def test_a_cause_that_fills_its_row_with_reasons_comes_back(again, tmp_path, make_case, make_record, write_run):
    failure = make_record(make_case(batch_size=1), status="error", cause="\u2028" * 4000)
    records = results.load(write_run(tmp_path, [make_record(make_case()), failure]))
    content = to_csv(Study(records)).content()
    assert max(map(len, content.split(b"\n"))) > 2**17  # more than Python's csv reads without being told to
    same(records, again(content))


def test_what_a_spreadsheet_saves_is_read(again, measured):
    content = to_csv(Study(measured)).content()
    rows = list(csv.reader(io.StringIO(content.decode())))
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows([row[::-1] for row in rows])
    same(measured, again(b"\xef\xbb\xbf" + out.getvalue().encode() + b"\r\n"))


def changed(content, column, cell, row=1):
    rows = list(csv.reader(io.StringIO(content.decode())))
    rows[row][rows[0].index(column)] = cell
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def without(content, *columns):
    rows = list(csv.reader(io.StringIO(content.decode())))
    kept = [place for place, head in enumerate(rows[0]) if head not in columns]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([[row[place] for place in kept] for row in rows])
    return out.getvalue().encode()


@pytest.mark.parametrize("column", [*METRICS, *BOUNDS])
def test_a_metric_that_an_older_version_did_not_export_is_null_with_a_reason(again, measured, column):
    content = without(to_csv(Study(measured)).content(), column)
    if column in {"latency_s", "throughput_img_per_s"}:
        with pytest.raises(InputError, match=f"line 1: no column '{column}'"):
            again(content)
        return
    before, after = results.table(measured), results.table(again(content))
    assert after[column].isna().all()
    told = before[column].isna()  # then the file itself says why
    assert all(("older version" in nulls[column]) != known for nulls, known in zip(after["nulls"], told, strict=True))
    others = [name for name in before if name not in {column, "nulls"}]
    pd.testing.assert_frame_equal(after[others], before[others])


def test_a_column_that_an_older_version_did_not_export_is_unknown(again, measured):
    absent = ("cpu", "accelerator", "torch", "family", "block", "depth", "interval", "equality", "state", "stop")
    after = results.table(
        again(without(to_csv(Study(measured)).content(), *absent, "cause", "warnings", "notes", "threads"))
    )
    assert after[[*absent, "threads"]].isna().all(axis=None)
    assert all(nulls["equality"] for nulls in after["nulls"])
    assert {*after["warnings"], *after["notes"]} == {()}


def test_an_axis_that_an_older_version_did_not_export_is_at_its_default(again, measured, monkeypatch):
    monkeypatch.setitem(from_csv.UNSTATED, "layout", "nhwc")  # as an axis will be that has a default
    monkeypatch.setattr(from_csv, "_NEEDED", from_csv._NEEDED - {"layout"})
    after = results.table(again(without(to_csv(Study(measured)).content(), "layout")))
    assert set(after["layout"]) == {"nhwc"}


@pytest.mark.parametrize("column", ["run", "model", "task", "batch_size", "layout", "status", "replicates"])
def test_what_makes_a_case_is_not_left_out(again, measured, column):
    with pytest.raises(InputError, match=f"line 1: no column '{column}'"):
        again(without(to_csv(Study(measured)).content(), column))


WRONG = [
    ("run", "../x", "line 2, run: run id '../x' is not"),
    ("run", "", "line 2, run: run id"),
    ("model", "", "line 2, model: should be text"),
    ("model", "a\x1b[31m", "line 2, model: "),
    ("model", "a\\ud800", "line 2, "),
    ("task", "guessing", "line 2, task: "),
    ("batch_size", "0", "line 2, batch_size: '0' is not at least 1"),
    ("batch_size", "8.5", "line 2, batch_size: '8.5' is not a whole number"),
    ("batch_size", "=8", "line 2, batch_size: '=8' is not a number"),
    ("batch_size", "", "line 2, batch_size: "),
    ("threads", "many", "line 2, threads: 'many' is not a number"),
    ("latency_s", "0", "line 2, latency_s: '0' is not at least 1e-12"),
    ("latency_s", "NaN", "line 2, latency_s: 'NaN' is not a number"),
    ("throughput_img_per_s", "1e999", "line 2, throughput_img_per_s: '1e999' is not a number"),
    ("latency_s", "1e300", "line 2, latency_s: '1e300' is not at least 1e-12 and at most 1e+30"),
    ("parameters", "-1", "line 2, parameters: '-1' is not at least 0"),
    ("status", "fine", "line 2, status: "),
    ("status", "", "line 2, status: "),
    ("replicates", "", "line 2, replicates: empty"),
    ("interval", "wide", "line 2, interval: "),
    ("equality", "yes", "line 2, equality: "),
    ("stop", "soon", "line 2, stop: "),
    ("warnings", "", "line 2, warnings: '' is no JSON list"),
    ("warnings", "{}", "line 2, warnings: '{}' is no JSON list"),
    ("warnings", "[1]", "line 2, warnings"),
    ("nulls", "[]", "line 2, nulls: '[]' is no JSON object"),
    ("nulls", '{"a": 1}', "line 2, nulls"),
    ("notes", "[" * 100_000, "line 2, notes: "),
    ("notes", "9" * 10_000, "line 2, notes: "),
    ("cpu", "another", "line 3, cpu: 'AMD EPYC 9B14' is not what line 2 has"),
    ("torch", "1.0", "line 3, torch: '2.14.1' is not what line 2 has"),
    ("accelerator", "H100", "line 3, accelerator: '' is not what line 2 has"),
    ("cause", "x" * 9000, "line 2, cause: "),
]


@pytest.mark.parametrize(("column", "cell", "message"), WRONG)
def test_what_is_wrong_is_named_with_line_and_column_and_nothing_is_written(
    again, measured, tmp_path, column, cell, message
):
    with pytest.raises(InputError) as caught:
        again(changed(to_csv(Study(measured)).content(), column, cell))
    assert f"export.csv {message}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 1000
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"latency_s", b"latency", "line 1: no column 'latency_s'"),
        (b"nulls\n", b"nulls,more\n", "line 1: unknown column 'more'"),
        (b"depth", b"model", "line 1: the column 'model' is there twice"),
        (b"resnet50", b"resnet\xff", "line 2: not UTF-8 text"),
        (b"resnet50", b"resnet\0", "line 2: holds a NUL"),
        (b"resnet50,", b"resnet50,more,", " cells under "),
        (b"resnet50,", b'"resnet50', "line 2: "),
    ],
)
def test_a_file_that_is_not_ours_is_refused(again, measured, old, new, message):
    with pytest.raises(InputError) as caught:
        again(to_csv(Study(measured)).content().replace(old, new, 1))
    assert message in str(caught.value)


def test_a_case_that_is_there_twice_is_refused(again, measured):
    content = to_csv(Study(measured)).content()
    with pytest.raises(InputError, match=r"line 6, model: the same case as line 2 \(resnet50/inference/"):
        again(content + content.splitlines(keepends=True)[1])
    with pytest.raises(InputError, match="holds no row"):
        again(content.splitlines(keepends=True)[0])


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
def test_any_change_gives_runs_or_one_line(tmp_path, measured, data):
    content = to_csv(Study(measured)).content()
    columns = content.splitlines()[0].decode().split(",")
    words = ["", "'", "=1", "-", "0", "1e308", "inf", "[]", "{}", '"', "a\nb", "\\", "\\ud800", "\x00", "\ufeff", "ok"]
    cell = data.draw(st.sampled_from(words) | st.text(max_size=20).filter(lambda text: text.isprintable()))
    damaged = changed(content, data.draw(st.sampled_from(columns)), cell, data.draw(st.integers(0, 4)))
    cut = data.draw(st.integers(0, 1))
    damaged = damaged[: data.draw(st.integers(0, len(damaged)))] if cut else damaged
    path, out = tmp_path / "damaged.csv", tmp_path / "out"
    path.write_bytes(damaged)
    problem = None
    try:
        files = import_files("csv", [path], out, Options(), tell=silent)
    except InputError as error:
        problem = str(error)
    if problem is not None:
        assert len(problem.splitlines()) == 1
        assert not out.exists()
    else:
        assert results.load(*files).problems == ()
        results.table(results.load(*files))
        for file in files:
            file.unlink()
        out.rmdir()


def test_images_of_any_size_and_channels_come_back(again, make_case, make_record, write_run, tmp_path):
    cases = [make_case(), make_case(image_size="224x160"), make_case(image_size=96, in_channels=1)]
    content = to_csv(Study(results.load(write_run(tmp_path / "runs", list(map(make_record, cases)))))).content()
    assert [record.case for record in again(content)] == cases
    with pytest.raises(InputError, match="line 3, image_size: '224x' is no image size"):
        again(content.replace(b"224x160", b"224x"))
