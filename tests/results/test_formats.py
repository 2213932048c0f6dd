import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.errors import InputError
from results.formats import digits, format_table, printable
from results.metrics import METRICS
from results.store import load
from results.tables import table

_EVIL = '=HYPERLINK("http://x")\x1b[31m|<b>[red]\n'


@pytest.fixture
def frame(tmp_path, write_run, make_record, make_case, make_static):
    records = [
        make_record(),
        make_record(make_case(layout="nhwc"), latency_s=0.025, baseline_latency_s=0.05),
        make_record(make_case(batch_size=512), status="out-of-memory", cause=_EVIL),
    ]
    return table(load(write_run(tmp_path, records, [make_static()])))


def test_the_table_for_people_has_one_line_a_case(frame):
    lines = format_table(frame, "table").splitlines()
    assert lines[0] == "AMD EPYC 9B14, torch 2.14.1, inference, 224 px, cpu, fp32, eager, 2 threads"
    assert " ".join(lines[1].split()) == "model batch layout ms ± % img/s speed-up GFLOP/s GB status"
    assert [line.split()[0] for line in lines[3:]] == ["resnet50"] * 3
    cells = lines[4].split()
    assert cells[:3] == ["resnet50", "8", "nhwc"]
    assert float(cells[3]) == pytest.approx(1e3 * frame["latency_s"][1], rel=0.005)
    assert float(cells[5]) == pytest.approx(frame["throughput_img_per_s"][1], rel=0.005)
    assert float(cells[6]) == pytest.approx(2, rel=0.01)
    assert cells[8:] == ["0.300", "ok"]


def test_warnings_stand_in_the_table(tmp_path, write_run, make_record, make_case):
    record = make_record(make_case(layout="nhwc"), ran=make_record().ran)
    shown = format_table(table(load(write_run(tmp_path, [record]))), "table")
    assert "ok, but label" in shown


@pytest.mark.parametrize("fmt", ["table", "markdown"])
def test_hostile_text_is_only_shown(frame, fmt):
    shown = format_table(frame, fmt)
    assert "\x1b" not in shown
    assert "\\x1b" in shown
    assert "\\n" in shown
    assert len(shown.splitlines()) == len(format_table(frame[:2], fmt).splitlines()) + 1


def test_markdown_is_escaped(frame):
    last = format_table(frame, "markdown").splitlines()[-1]
    assert "\\|&lt;b>\\[red\\]" in last
    heads = format_table(frame, "markdown").splitlines()[2]
    assert last.replace("\\|", "").count("|") == heads.count("|")


def test_json_gives_every_value_back(frame):
    rows = json.loads(format_table(frame, "json"), parse_constant=pytest.fail)
    assert [list(row) for row in rows] == [list(frame.columns)] * 3
    assert rows[0]["latency_s"] == frame["latency_s"][0]
    assert rows[0]["macs"] == 4_089_184_256
    assert isinstance(rows[0]["macs"], int)
    assert rows[2]["latency_s"] is None
    assert rows[2]["cause"] == _EVIL
    assert rows[2]["nulls"]["latency_s"].startswith("out-of-memory")


def test_csv_is_exact_and_runs_nothing(frame):
    rows = list(csv.DictReader(io.StringIO(format_table(frame, "csv"))))
    assert float(rows[0]["latency_s"]) == frame["latency_s"][0]
    assert rows[0]["macs"] == "4089184256"
    assert rows[2]["latency_s"] == ""
    assert rows[2]["cause"] == "'" + _EVIL
    assert json.loads(rows[0]["nulls"]) == frame["nulls"][0]
    assert set(METRICS) < set(rows[0])


@pytest.mark.parametrize("fmt", ["table", "json", "csv", "markdown"])
def test_no_rows_are_no_error(frame, fmt):
    assert format_table(frame[:0], fmt).endswith("\n")


def test_an_unknown_format_is_told_the_choices(frame):
    with pytest.raises(InputError, match="unknown format 'jsn'; did you mean 'json'"):
        format_table(frame, "jsn")


@pytest.mark.parametrize(
    ("value", "relative", "shown"),
    [
        (12.3456, 0.001, "12.35"),
        (12.3456, 0.01, "12.3"),
        (12.3456, 0.3, "12"),
        (12345.6, 0.01, "12300"),
        (0.00123456, 0.01, "0.00123"),
        (12.3456, None, "12.3"),
        (9.996, None, "10.00"),
        (0.0, None, "0"),
        (12.3456, 0.0, "12.346"),
    ],
)
def test_a_number_has_the_digits_that_its_interval_deserves(value, relative, shown):
    assert digits(value, relative) == shown


@given(st.floats(1e-9, 1e12), st.floats(1e-6, 2))
def test_rounding_stays_within_the_interval(value, relative):
    assert abs(float(digits(value, relative)) - value) <= 0.5 * max(relative, 1e-4) * value * 1.0001


@given(st.text())
def test_printable_text_has_no_control_characters(text):
    assert printable(text).isprintable()
    assert printable(text).isascii() or not text.isascii()
