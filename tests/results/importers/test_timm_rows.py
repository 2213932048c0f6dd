import pytest

from results.importers.rows import SourceRow
from results.importers.timm_rows import UNEXPLAINED, Attempt, ReadRows, attempt_of, without_words
from results.schema.lines.record import Record


def row(**cells):
    return without_words(SourceRow(file="x", line=2, cells={"model": "none", **cells}))


def test_words_for_nothing_are_empty_but_for_the_name():
    assert row(a="NaN", b=" inf ", c="None", d="info").cells == {
        "model": "none",
        "a": "",
        "b": "",
        "c": "",
        "d": "info",
    }


def test_times_are_read_with_their_prefix():
    attempt = attempt_of(row(train_step_time="10", train_samples_per_sec="100"), "train_")
    assert (attempt.step_ms, attempt.rate, attempt.cause, attempt.status) == (10, 100, None, "ok")


def test_the_cause_is_the_error_of_the_task_then_of_the_row_then_the_words_in_a_cell():
    cells = {"infer_error": "first", "error": "second", "infer_step_time": "third"}
    for expected in ("first", "second", "third"):
        assert attempt_of(row(**cells), "infer_").cause == expected
        del cells[next(name for name, cell in cells.items() if cell == expected)]
    assert attempt_of(row(**cells), "infer_").cause == UNEXPLAINED


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        (None, "ok"),
        (UNEXPLAINED, "error"),
        ("CUBLAS_STATUS_ALLOC_FAILED", "out-of-memory"),
        ("torch.OutOfMemoryError", "out-of-memory"),
        ("Timeout", "timeout"),
        ("room for more", "error"),
    ],
)
def test_the_status_follows_from_the_cause(cause, status):
    assert Attempt(cause=cause).status == status


def test_of_a_case_the_first_success_stays(make_case):
    def record(status="ok", replicate=0):
        return Record(case=make_case(), replicate=replicate, status=status, started=None, duration_s=None)

    rows, told = ReadRows(), []
    for number, each in enumerate([record("error"), record(), record(), record(replicate=1), record("error")], start=2):
        rows.add(each, f"line {number}")
    assert rows.records == {make_case(): record()}
    assert rows.positions == {make_case(): "line 3"}
    rows.tell("x", told.append)
    assert [line.split(": ")[-1] for line in told] == [
        "line 4 (as line 3)",
        "line 5 (as line 3), line 6 (as line 3)",
    ]
