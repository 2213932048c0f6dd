import csv
import io
import json

import pytest

from reports.text.table import format_table, pivots_text
from results.errors import InputError
from results.metrics.table import table
from results.schema.lines.record import Noise
from results.schema.metrics import METRICS
from results.storage.reader import load
from results.text import printable

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
    assert lines[1] == "± is the half-width of the 95 % interval within one process"
    heads = "model batch layout ms ± % img/s GFLOP/s speed-up ± % relative ± % GB resident status"
    assert lines[2].split() == heads.split()
    assert [line.split()[0] for line in lines[4:]] == ["resnet50"] * 3
    cells = lines[5].split()
    assert cells[:3] == ["resnet50", "8", "nhwc"]
    assert float(cells[3]) == pytest.approx(1e3 * frame["latency_s"][1], rel=0.005)
    assert float(cells[5]) == pytest.approx(frame["throughput_img_per_s"][1], rel=0.005)
    assert float(cells[7]) == pytest.approx(2, rel=0.01)
    low, high = frame["speedup_low"][1], frame["speedup_high"][1]
    assert float(cells[8]) == pytest.approx(100 * (high - low) / 2 / frame["speedup"][1], rel=0.1)
    assert float(cells[9]) == pytest.approx(0.5, rel=0.01)  # relative to the first case, which is the reference
    assert cells[-2:] == ["0.300", "ok"]
    assert lines[4].split()[7:11] == ["1.00", "-", "1.00", "-"]  # exact by definition


def test_an_interval_wider_than_its_number_is_unknown_and_the_remedy_stands_above(
    tmp_path, write_run, make_record, make_case
):
    made = [
        make_record(make_case(), replicate=index, latency_s=latency_s) for index, latency_s in enumerate((0.05, 0.07))
    ]
    text = format_table(table(load(write_run(tmp_path, made))), "table")
    assert "unknown: the 95 % interval is wider than the number itself; it takes more replicates" in text
    assert "unknown" in text.splitlines()[-1].split()


def test_warnings_stand_in_the_table(tmp_path, write_run, make_record, make_case):
    record = make_record(make_case(layout="nhwc"), ran=make_record().ran)
    shown = format_table(table(load(write_run(tmp_path, [record]))), "table")
    assert "ok, but label" in shown


def test_a_wrong_result_is_called_so_and_shows_no_speed_up(tmp_path, write_run, make_record, make_case, make_equality):
    case = make_case(layout="nhwc")
    record = make_record(case, baseline_latency_s=0.1, equality=make_equality("wrong"), signs=Noise(steal=1.0))
    line = format_table(table(load(write_run(tmp_path, [make_record(), record]))), "table").splitlines()[-1]
    assert line.endswith("   wrong result, steal")
    cells = line.split()
    assert cells[:2] == ["resnet50", "nhwc"]
    assert cells[5] == "-"


def test_never_is_null_in_json_and_csv(tmp_path, write_run, make_record, make_case):
    slow = make_record(make_case(runtime="compile"), latency_s=0.1, baseline_latency_s=0.05)
    frame = table(load(write_run(tmp_path, [make_record(), slow])))
    row = json.loads(format_table(frame, "json"), parse_constant=pytest.fail)[1]
    assert row["break_even_steps"] is None
    assert row["nulls"]["break_even_steps"] == "never: it is not faster than eager"
    assert list(csv.DictReader(io.StringIO(format_table(frame, "csv"))))[1]["break_even_steps"] == ""


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
    heads = next(line for line in format_table(frame, "markdown").splitlines() if line.startswith("|"))
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
    assert rows[2]["cause"] == "'" + printable(_EVIL)
    assert json.loads(rows[0]["nulls"]) == frame["nulls"][0]
    assert set(METRICS) < set(rows[0])


@pytest.mark.parametrize("fmt", ["table", "json", "csv", "markdown"])
def test_no_rows_are_no_error(frame, fmt):
    assert format_table(frame[:0], fmt).endswith("\n")


def test_an_unknown_format_is_told_the_choices(frame):
    with pytest.raises(InputError, match="unknown format 'jsn'; did you mean 'json'"):
        format_table(frame, "jsn")


def test_memory_of_two_kinds_has_two_columns(tmp_path, write_run, make_record, make_case):
    records = [make_record(), make_record(make_case(device="cuda:0"))]
    lines = format_table(table(load(write_run(tmp_path, records))), "table").splitlines()
    assert any("GB resident   GB allocated" in line for line in lines)
    assert [line.split()[-3:] for line in lines[-2:]] == [["0.300", "-", "ok"], ["-", "0.200", "ok"]]


def test_two_cards_of_a_run_are_told_apart_by_their_device(tmp_path, write_run, make_record, make_case):
    records = [make_record(make_case(device=f"cuda:{index}")) for index in (0, 1)]
    lines = format_table(table(load(write_run(tmp_path, records))), "table").splitlines()
    assert ["model", "device"] in [line.split()[:2] for line in lines]
    assert [line.split()[:2] for line in lines[-2:]] == [["resnet50", "cuda:0"], ["resnet50", "cuda:1"]]


def test_the_machine_is_a_column_where_it_differs(tmp_path, write_run, make_record, make_case, make_run):
    case = make_case(device="cuda:0")
    for name, card in (("a", "H100"), ("b", "H200")):
        write_run(tmp_path, [make_record(case)], run=make_run(plan=[case], run_id=name, accelerator=card))
    lines = format_table(table(load(tmp_path)), "table").splitlines()
    assert ["run", "machine", "model"] in [line.split()[:3] for line in lines]
    assert [line for line in lines if "torch" in line] == lines[-2:]
    assert "H100, torch 2.14.1" in lines[-2]
    assert "H200, torch 2.14.1" in lines[-1]


def test_what_the_interval_spans_is_told(tmp_path, write_run, make_record, make_case):
    many = [make_record(replicate=index, latency_s=0.05 + 0.001 * index) for index in range(3)]
    three = format_table(table(load(write_run(tmp_path / "a", many))), "table").splitlines()
    (legend,) = [line for line in three if line.startswith("± ")]
    assert legend.endswith("across 3 processes")
    mixed = [*many, make_record(make_case(layout="nhwc"))]
    both = format_table(table(load(write_run(tmp_path / "b", mixed))), "table").splitlines()
    (legend,) = [line for line in both if line.startswith("± ")]
    assert "3 processes" in legend
    assert "within one process" in legend
    assert ["model", "layout", "processes"] in [line.split()[:3] for line in both]
    assert ["resnet50", "nchw", "3"] in [line.split()[:3] for line in both]


@pytest.mark.parametrize("fmt", ["table", "markdown"])
def test_pivots_set_depths_and_speed_ups_side_by_side(tmp_path, write_run, make_record, make_case, make_static, fmt):
    records = [
        make_record(make_case(model="resnet18"), noise=0.0),
        make_record(noise=0.0),
        make_record(make_case(layout="nhwc"), latency_s=0.025, baseline_latency_s=0.05, noise=0.0),
        make_record(make_case(runtime="compile"), latency_s=0.1, baseline_latency_s=0.05, noise=0.0),
    ]
    statics = [make_static(), make_static("resnet18", block="basic", depth=18)]
    shown = pivots_text(table(load(write_run(tmp_path, records, statics))), fmt)
    lines = [line.replace("|", " ").split() for line in shown.splitlines()]
    assert ["depth", "resnet", "basic", "resnet", "bottleneck"] in lines
    assert ["50", "-", "160"] in lines
    assert ["model", "fp32", "eager", "nhwc", "fp32", "compile", "nchw"] in lines
    assert ["resnet50", "2.00", "0.500"] in lines


def test_pivots_are_for_people_and_for_more_than_one_column(frame):
    assert pivots_text(frame, "json") == pivots_text(frame, "csv") == ""
    assert pivots_text(frame[:1], "table") == ""
    assert pivots_text(frame[:0], "table") == ""
