import csv
import functools
import io
import json

import pytest

from reports.text.history import history_text
from results.analysis.history import HISTORY_COLUMNS, history
from results.errors import InputError
from tests.results.histories import make_history, spreads

NOISE = spreads(20, spread=0.005)


@pytest.fixture
def make(make_record, make_run):
    return functools.partial(make_history, make_record, make_run)


@pytest.fixture
def two(make, make_case):
    """Two cases on one machine: one +6 % at run 10, the other +30 % at run 6 and +4 % at run 10."""

    def each(index):
        return {"environment": {"torch": "2.4.0" if index < 10 else "2.5.0"}} | (
            {"record": {"status": "crash", "cause": "segfault | <b>"}} if index == 3 else {}
        )

    latencies = [0.05 * noise * (1.06 if index >= 10 else 1) for index, noise in enumerate(NOISE)]
    slow = [0.05 * n * (1.3 if i >= 6 else 1) * (1.04 if i >= 10 else 1) for i, n in enumerate(NOISE)]
    first = history(make(latencies, cases=[make_case()], each=each))
    second = history(make(slow, cases=[make_case(batch_size=1)], each=each))
    return (*first, *second)


def _cells(line):
    return [cell.strip() for cell in line.strip("|\n").split(" | ")]


def test_changes_come_first_the_biggest_of_them_first(two):
    lines = history_text(two, "markdown", 0.02).splitlines()
    heads, _, *rows = (_cells(line) for line in lines if line.startswith("|"))
    assert heads[:4] == ["model", "batch_size", "since", "run"]
    assert [row[1] for row in rows[:3]] == ["1", "8", "1"]
    assert [row[3] for row in rows[:3]] == ["run-006", "run-010", "run-010"]
    assert [float(row[6]) for row in rows[:3]] == pytest.approx([1.3, 1.06, 1.04], rel=0.01)
    assert rows[1][8:] == ["0 of 19", "torch: 2.4.0 became 2.5.0"]


def test_then_comes_a_line_for_each_series(two):
    text = history_text(two, "table", 0.02)
    assert text.startswith("3 changes of level by more than 2 % in 2 series; advisory, ")
    assert "AMD EPYC 9B14 2 cores 16 GiB\n" in text
    *_, last_line = text.splitlines()
    last = last_line.split()
    assert last[:5] == ["resnet50", "1", "20", "1", "0"]
    assert float(last[5]) == pytest.approx(50 * NOISE[0], abs=0.2)
    assert float(last[7]) == pytest.approx(1.3 * 1.04 * NOISE[-1] / NOISE[0], abs=0.01)
    assert "2 changes; crash: 3 of 3 replicates" in last_line
    assert "segfault" in last_line


def test_markdown_is_escaped(two):
    text = history_text(two, "markdown", 0.02)
    assert "<b>" not in text
    assert "segfault \\| &lt;b>" in text


def test_where_nothing_changed_there_is_one_table_and_no_word_of_false_alarms(make):
    text = history_text(history(make([0.05 * noise for noise in NOISE])), "table", 0.02)
    assert text.startswith("no change of level ")
    assert "1 series" in text.partition("\n")[0]
    assert "since" not in text
    assert "where there is none" not in text
    assert text.splitlines()[-1].endswith("no change")


def test_too_few_runs_and_runs_without_a_date_are_told(make):
    records = make([0.05] * 5, each=lambda index: {"run": {"started": None}} if index == 2 else {})
    text = history_text(history(records), "table", 0.02)
    assert "1 of 1 series too short " in text
    assert "run run-002 is left out: " in text
    assert "too few runs to tell: 4 runs" in text


def test_of_many_runs_without_a_date_some_are_named(make):
    lines = history_text(
        history(make([0.05] * 9, each=lambda _: {"run": {"started": None}})), "table", 0.02
    ).splitlines()
    assert sum("is left out" in line for line in lines) == 5
    assert "4 more runs left out" in lines


def test_several_machines_are_a_column(make):
    records = make([0.05] * 4, each=lambda index: {"environment": {"cpu": f"cpu{index % 2}"}})
    lines = history_text(history(records), "table", 0.02).splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["cpu0", "cpu1"]


def test_a_series_without_any_latency_has_a_line(make):
    records = make([0.05] * 2, each=lambda _: {"record": {"status": "timeout", "cause": "hung"}})
    last = history_text(history(records), "table", 0.02).splitlines()[-1]
    assert last.split()[:7] == ["resnet50", "2", "2", "0", "-", "-", "-"]
    assert "hung" in last


def test_json_holds_everything(two):
    document = json.loads(history_text(two, "json", 0.02), parse_constant=pytest.fail)
    assert document["margin"] == 0.02
    first, second = document["series"]
    assert (first["case"]["batch_size"], second["case"]["batch_size"]) == (8, 1)
    assert first["points"][3]["latency_s"] is None
    (change,) = first["changes"]
    assert change["environment"] == [{"what": "torch", "base": "2.4.0", "new": "2.5.0"}]


def test_csv_is_a_row_a_point_exactly(two):
    rows = list(csv.DictReader(io.StringIO(history_text(two, "csv", 0.02))))
    assert list(rows[0]) == list(HISTORY_COLUMNS)
    assert len(rows) == 40
    assert [float(row["latency_s"]) for row in rows if row["latency_s"]] == [
        point.latency_s for one in two for point in one.points if point.latency_s is not None
    ]
    assert [row["environment"] for row in rows if row["change"]] == [
        "torch: 2.4.0 became 2.5.0",
        "nothing in the environment",
        "torch: 2.4.0 became 2.5.0",
    ]


@pytest.mark.parametrize("fmt", ["table", "markdown", "csv", "json"])
def test_no_series_are_shown_as_none(fmt):
    assert history_text((), fmt, 0.02).endswith("\n")


def test_an_unknown_format_is_refused(two):
    with pytest.raises(InputError, match="yaml"):
        history_text(two, "yaml", 0.02)
