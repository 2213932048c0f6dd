import functools
import math

import pytest
from msgspec import structs

from results.analysis.history import HISTORY_COLUMNS, environment_text, frame, history
from results.errors import InputError
from results.schema.axes import AXES
from results.schema.lines.record import Noise, Summary
from results.schema.lines.run import Arm, Source
from results.storage import reader
from tests.results.histories import make_history, spreads

STEP = [0.05 * noise * (1.06 if index >= 10 else 1) for index, noise in enumerate(spreads(20))]


@pytest.fixture
def make(make_record, make_run):
    return functools.partial(make_history, make_record, make_run)


def test_a_step_is_named_with_what_changed_in_the_environment(make):
    def each(index):
        return {"environment": {"torch": "2.4.0" if index < 10 else "2.5.0", "os": "a" if index < 4 else "b"}}

    (series,) = history(make(STEP, each=each))
    (change,) = series.changes
    assert (series.reason, series.left_out) == (None, ())
    assert (change.index, change.run, change.previous) == (10, "run-010", "run-009")
    assert change.started == "2026-01-31T00:00:00Z"
    assert change.low < 1.06 < change.high
    assert change.ratio == pytest.approx(change.after_s / change.before_s)
    assert [(one.what, one.base, one.new) for one in change.environment] == [("torch", "2.4.0", "2.5.0")]
    assert (change.runs, change.noisy) == (20, 0)


def commits(*commit, dirty=None):
    """The fields of a run's index: imported from code of a commit until run 10, and of another from then on."""
    source = Source(format="pytest-benchmark", file="x.json", sha256="0" * 64, dirty=dirty)
    return lambda index: {"run": {"source": structs.replace(source, commit=commit[index >= 10])}}


def test_the_commit_of_imported_code_is_shown_at_a_change(make):
    (series,) = history(make(STEP, each=commits("a" * 40, "b" * 40)))
    (change,) = series.changes
    assert environment_text(change) == f"commit: {'a' * 12} became {'b' * 12}"
    assert [series.points[index].commit for index in (9, 10)] == ["a" * 40, "b" * 40]
    assert frame([series])["commit"].tolist() == ["a" * 40] * 10 + ["b" * 40] * 10


def test_a_commit_that_stays_is_shown_with_its_unknown_changes(make):
    (change,) = history(make(STEP, each=commits("a" * 40, "a" * 40)))[0].changes
    assert environment_text(change) == f"commit: {'a' * 12} before and after"
    (series,) = history(make(STEP, each=commits("a" * 40, "a" * 40, dirty=True)))
    text = environment_text(series.changes[0])
    assert text == f"commit: {'a' * 12}-dirty before and after, with unknown changes"
    assert series.points[0].commit == f"{'a' * 40}-dirty"


def test_the_commit_of_a_measured_run_is_that_of_the_tool(make):
    (series,) = history(make(STEP, each=lambda index: {"environment": {"tool_commit": f"{index}"}}))
    assert series.points[3].commit == "3"


def test_what_most_often_explains_a_change_comes_first(make):
    def each(index):
        late = index >= 10
        return {"environment": {"cpu_flags": ("avx",) if late else (), "torch": str(late), "tool_commit": str(index)}}

    (change,) = history(make(STEP, each=each))[0].changes
    assert [one.what for one in change.environment] == ["torch", "tool_commit", "cpu_flags"]


def test_points_hold_the_geometric_mean_with_its_interval_and_their_level(make):
    (series,) = history(make(STEP))
    assert [point.run for point in series.points] == [f"run-{index:03}" for index in range(20)]
    assert [point.segment for point in series.points] == [0] * 10 + [1] * 10
    for point, latency in zip(series.points, STEP, strict=True):
        assert point.latency_s == pytest.approx(latency, rel=0.002)
        assert point.low < point.latency_s < point.high
        assert (point.status, point.cause, point.noisy) == ("ok", None, ())
    assert {point.level_s for point in series.points[:10]} == {series.changes[0].before_s}
    assert {point.level_s for point in series.points[10:]} == {series.changes[0].after_s}


def test_runs_are_ordered_by_their_start_whatever_their_files_are_called(make):
    def each(index):
        return {"run": {"started": f"2026-03-{20 - index:02}T00:00:00+02:00"}}

    (series,) = history(make(STEP, each=each))
    assert [point.run for point in series.points] == [f"run-{index:03}" for index in reversed(range(20))]
    assert series.points[-1].started == "2026-03-19T22:00:00Z"
    assert [change.run for change in series.changes] == ["run-009"]
    assert series.changes[0].ratio < 1


def test_another_machine_is_a_series_of_its_own(make):
    def each(index):
        return {"environment": {"cpu": "other" if index % 2 else "one", "memory_bytes": 16 * 2**30 + index}}

    one, other = history(make(STEP, each=each))
    assert (one.machine, other.machine) == ("one 2 cores 16 GiB", "other 2 cores 16 GiB")
    assert [point.run for point in other.points] == [f"run-{index:03}" for index in range(1, 20, 2)]


def test_machines_of_one_name_are_told_apart(make):
    def each(index):
        return {"environment": {"cgroup_cpus": float(index % 2 + 1)}}

    names = [series.machine for series in history(make(STEP, each=each))]
    assert names == ["AMD EPYC 9B14 2 cores 16 GiB", "AMD EPYC 9B14 2 cores 16 GiB (2)"]


def test_each_case_is_a_series(make, make_case):
    cases = [make_case(), make_case(batch_size=1)]
    assert [series.case for series in history(make(STEP, cases=cases))] == cases


def test_a_failed_run_is_a_point_without_a_value_and_its_reason(make):
    def each(index):
        return {"record": {"status": "crash", "cause": "segfault"}} if index in {3, 10} else {}

    (series,) = history(make(STEP, each=each))
    failed = [point for point in series.points if point.latency_s is None]
    assert [point.run for point in failed] == ["run-003", "run-010"]
    for point in failed:
        assert (point.status, point.low, point.high, point.segment, point.level_s) == ("crash", None, None, None, None)
        assert "segfault" in point.cause
    (change,) = series.changes
    assert (change.index, change.run, change.previous, change.runs) == (11, "run-011", "run-009", 18)


def test_a_wrong_result_is_no_latency(make, make_equality):
    def each(index):
        return {"record": {"equality": make_equality("wrong", error=1.0)}} if index == 5 else {}

    point = history(make(STEP, each=each))[0].points[5]
    assert (point.latency_s, point.status) == (None, "wrong")
    assert point.cause.startswith("wrong: ")


def test_a_number_that_is_not_what_it_says_is_no_latency(make, make_record):
    ran = structs.replace(make_record().ran, threads=1)
    point = history(make(STEP, each=lambda index: {"record": {"ran": ran}} if index == 5 else {}))[0].points[5]
    assert (point.latency_s, point.status) == (None, "implausible")
    assert point.cause == "label: 2 threads ran as 1"


def test_noise_is_told_and_does_not_take_the_value_away(make):
    signs = {"signs": Noise(other_cpus=1.5, steal=0.5)}
    (series,) = history(make(STEP, each=lambda index: {"record": signs} if index in {2, 12, 13} else {}))
    assert [point.run for point in series.points if point.noisy] == ["run-002", "run-012", "run-013"]
    assert series.points[2].noisy == ("busy", "steal")
    assert series.points[2].latency_s is not None
    assert (series.changes[0].noisy, series.changes[0].runs) == (3, 20)


@pytest.mark.parametrize("count", [1, 7])
def test_too_few_runs_say_so(make, count):
    (series,) = history(make(STEP[20 - count :]))
    assert series.changes == ()
    assert series.reason.startswith(f"too few runs to tell: {count} run")
    assert {point.segment for point in series.points} == {0}


def test_where_all_failed_there_is_no_level(make):
    (series,) = history(make(STEP, each=lambda _: {"record": {"status": "timeout", "cause": "hung"}}))
    assert series.reason.startswith("too few runs to tell: no run with a latency")
    assert {point.level_s for point in series.points} == {None}


def test_the_margin_is_the_callers(make):
    assert history(make(STEP), margin=0.1)[0].changes == ()


@pytest.mark.parametrize("margin", [0, -0.1, 1.0, math.nan])
def test_a_margin_that_is_none_is_refused(make, margin):
    with pytest.raises(InputError, match="margin"):
        history(make(STEP[:1]), margin=margin)


@pytest.mark.parametrize(
    ("started", "why"), [(None, "its source gives no date"), ("yesterday", "'yesterday' is no date")]
)
def test_a_run_without_a_date_is_left_out_with_its_reason(make, started, why):
    def each(index):
        source = Source(format="timm", file="t.csv", sha256="0" * 64)
        return {"run": {"started": started, "source": source}} if index == 7 else {}

    (series,) = history(make(STEP, each=each))
    assert "run-007" not in [point.run for point in series.points]
    assert series.left_out == (f"run run-007 is left out: {why}",)


def test_the_sides_of_an_ab_comparison_are_no_history(make):
    arm = Arm(name="b", pair="pair", margin=0.02)
    (series,) = history(make(STEP, each=lambda index: {"run": {"arm": arm}} if index in {4, 5} else {}))
    assert [point.run for point in series.points[3:6]] == ["run-003", "run-006", "run-007"]
    assert [line.partition(": ")[0] for line in series.left_out] == [
        "run run-004 is left out",
        "run run-005 is left out",
    ]


@pytest.mark.parametrize("latency", [0.0, -1.0, math.inf, None])
def test_what_an_imported_table_holds_in_place_of_a_latency_is_no_latency(make, make_case, latency):
    def each(index):
        if index != 7:
            return {}
        metrics = {} if latency is None else {"latency_s": latency}
        return {"record": {"samples": None, "summary": Summary(metrics=metrics)}}

    (series,) = history(make(STEP, cases=[make_case(threads=None)], each=each))
    assert series.case.threads is None
    assert series.points[7].latency_s is None
    assert series.points[7].cause


def test_imported_latencies_count(make, make_case):
    def each(index):
        return {"record": {"samples": None, "summary": Summary(metrics={"latency_s": round(STEP[index], 3)})}}

    (series,) = history(make(STEP, cases=[make_case(threads=None)], each=each))
    assert [change.index for change in series.changes] == [10]


def test_no_records_have_no_history():
    assert history(reader.Records(())) == ()
    assert list(frame(()).columns) == list(HISTORY_COLUMNS)


def test_the_frame_has_a_row_a_point(make, make_case):
    def each(index):
        return {"environment": {"torch": "a" if index < 10 else "b"}} | (
            {"record": {"status": "crash", "cause": "segfault"}} if index == 3 else {}
        )

    series = history(make(STEP, cases=[make_case(), make_case(threads=None)], each=each))
    found = frame(series)
    assert list(found.columns) == list(HISTORY_COLUMNS)
    assert len(found) == 40
    assert found.groupby(list(AXES), dropna=False).ngroups == 2
    changed = found[found["change"].notna()]
    assert changed["run"].tolist() == ["run-010"] * 2
    assert changed["environment"].tolist() == ["torch: a became b"] * 2
    assert (changed["change_low"] < changed["change"]).all()
    assert found["latency_s"].isna().sum() == found["segment"].isna().sum() == 2
    assert found["noisy"].isna().all()
