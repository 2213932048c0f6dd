import datetime
import math

import pytest
from msgspec import structs

import results
from results.analysis.history_points import date_of, point_of
from results.metrics.rows import plain
from results.metrics.table import usable
from results.schema.lines.record import Noise

DATE = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


@pytest.fixture
def point(tmp_path, write_run, make_record):
    """The point of the only case of a run, whose row is replaced in part."""

    def make(row=None, **fields):
        path = write_run(tmp_path, [make_record(**fields)])
        frame = results.table(results.load(path)).assign(**{name: [value] for name, value in (row or {}).items()})
        (plain_row,) = plain(frame)
        return point_of({**plain_row, "usable": bool(usable(frame).iloc[0])}, DATE, "c0ffee")

    return make


def test_a_sound_row_is_a_latency_within_its_interval(point):
    made = point(latency_s=0.05)
    assert made.low < made.latency_s < made.high
    assert made.latency_s == pytest.approx(0.05, rel=0.02)
    assert (made.status, made.cause, made.noisy) == ("ok", None, ())
    assert (made.started, made.segment, made.level_s) == ("2026-01-02T03:04:05Z", None, None)
    assert made.commit == "c0ffee"


def test_a_failure_has_its_status_and_no_latency(point):
    made = point(status="crash", cause="segfault")
    assert (made.latency_s, made.low, made.high, made.status) == (None, None, None, "crash")
    assert "segfault" in made.cause


def test_a_failure_without_a_cause_says_that(point):
    assert point({"cause": None}, status="crash", cause="x").cause == "no cause given"


def test_a_wrong_result_is_no_latency(point, make_equality):
    made = point(equality=make_equality("wrong"))
    assert (made.latency_s, made.low, made.high, made.status) == (None, None, None, "wrong")
    assert "error 0.3" in made.cause


def test_a_wrong_result_without_a_warning_is_no_latency_either(point):
    made = point({"equality": "wrong"})
    assert (made.latency_s, made.status) == (None, "wrong")


def test_a_number_that_is_not_what_its_label_says_is_implausible(point, make_record):
    made = point(ran=structs.replace(make_record().ran, threads=1))
    assert (made.latency_s, made.status) == (None, "implausible")
    assert made.cause.startswith("label: ")


def test_noise_is_named_and_takes_no_latency_away(point):
    made = point(signs=Noise(other_cpus=1.5, steal=0.5))
    assert made.noisy == ("busy", "steal")
    assert made.latency_s is not None
    assert made.status == "ok"


@pytest.mark.parametrize("latency", [0.0, -1.0, math.inf, None])
def test_what_is_no_time_is_no_latency_and_has_a_cause(point, latency):
    made = point({"latency_s": latency, "nulls": {"latency_s": "too few turns"}})
    assert (made.latency_s, made.low, made.high, made.cause) == (None, None, None, "too few turns")


def test_without_a_latency_and_its_reason_there_is_a_cause_all_the_same(point):
    assert point({"latency_s": None, "nulls": {}}).cause


@pytest.mark.parametrize("end", ["latency_low_s", "latency_high_s"])
def test_an_end_that_is_no_time_leaves_the_latency(point, end):
    made = point({end: math.inf})
    assert made.latency_s is not None
    assert [made.low, made.high].count(None) == 1


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02", "2026-01-02T00:00:00+00:00"),
        ("2026-01-02T03:04:05-02:00", "2026-01-02T05:04:05+00:00"),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("0900-01-01", None),
        ("", None),
        (None, None),
        ("<b>", None),
    ],
)
def test_dates_are_utc_or_none(text, date):
    parsed = date_of(text)
    assert (parsed and parsed.isoformat()) == date
