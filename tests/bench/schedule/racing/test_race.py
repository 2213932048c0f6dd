import pytest

from bench.schedule.racing.race import Bounds, Race
from results.schema.lines.record import Record
from tests.bench.schedule.racing.contenders import Paddock

STEPS = {
    "eager": 0.075,
    "export": 0.072,
    "onnxruntime": 0.06,
    "openvino": 0.05,
    "compile": 0.07,
    "compile:freezing": 0.04,
}


@pytest.fixture
def raced(make_case):
    def raced(paddock, runtimes=tuple(STEPS), *, bounds=None, deadline=1e6):
        cases = [make_case(runtime=name) for name in runtimes]
        race = Race(
            paddock.stable,
            cases,
            bounds or Bounds(),
            epoch=0.0,
            deadline=deadline,
            clock=paddock.machine.clock,
            sleep=paddock.machine.sleep,
        )
        records = [event for event in race.run() if isinstance(event, Record)]
        return {case.runtime: candidate for case, candidate in race.fates.items()}, records

    return raced


def test_the_fastest_stays_and_the_others_leave_with_the_difference(raced):
    paddock = Paddock(STEPS)
    fates, records = raced(paddock)
    assert {name for name, each in fates.items() if each.fate == "stayed"} == {"compile:freezing"}
    assert "slower than" in fates["openvino"].reason
    assert fates["eager"].round < fates["compile:freezing"].round
    assert all(worker.closed for worker in paddock.started.values())
    assert {record.case.runtime for record in records} == set(STEPS)
    assert {record.stop for record in records if record.case.runtime == "eager"} == {"eliminated"}


def test_only_the_winner_is_checked(raced):
    paddock = Paddock(STEPS)
    raced(paddock)
    checked = {case.runtime for case, worker in paddock.started.items() if worker.checked}
    assert checked == {"compile:freezing"}


def test_a_compiler_that_cannot_win_is_not_started(raced):
    paddock = Paddock({**STEPS, "openvino": 0.02})
    fates, _ = raced(paddock)
    assert fates["compile"].fate == "cannot-win"
    assert "not started" in fates["compile"].reason
    assert "compile" not in {case.runtime for case in paddock.started}


def test_what_does_not_start_is_noted_and_the_others_go_on(raced):
    fates, records = raced(Paddock(STEPS, refused={"openvino"}))
    assert (fates["openvino"].fate, fates["openvino"].reason) == ("unsupported", "it lacks a package")
    assert fates["compile:freezing"].fate == "stayed"
    assert sum(record.status == "unsupported" for record in records) == 1


def test_a_worker_that_crashes_leaves_with_its_record(raced):
    fates, records = raced(Paddock(STEPS, fails_at={"openvino": 3}))
    assert fates["openvino"].fate == "failed"
    assert {record.status for record in records} == {"ok", "crash"}


def test_candidates_over_a_bound_leave(raced):
    fates, _ = raced(Paddock(STEPS), ("eager", "onnxruntime", "openvino"), bounds=Bounds(latency_s=0.055))
    assert fates["eager"].fate in {"too-slow", "slower"}
    assert fates["openvino"].fate == "stayed"
    fates, _ = raced(Paddock(STEPS), ("eager", "onnxruntime"), bounds=Bounds(latency_s=0.001))
    assert {each.fate for each in fates.values()} <= {"too-slow", "slower"}
    assert "too-slow" in {each.fate for each in fates.values()}


def test_a_process_that_takes_too_much_memory_leaves_at_once(raced):
    paddock = Paddock(STEPS, host_bytes={"openvino": 5 << 30})
    fates, _ = raced(paddock, ("eager", "openvino"), bounds=Bounds(memory_bytes=1 << 30))
    assert fates["openvino"].fate == "too-large"
    assert "5.37 GB of 1.07 GB" in fates["openvino"].reason
    assert fates["eager"].fate == "stayed"


def test_equally_fast_candidates_all_stay(raced):
    fates, records = raced(Paddock({"eager": 0.02, "export": 0.02}), ("eager", "export"))
    assert {each.fate for each in fates.values()} == {"stayed"}
    assert {record.stop for record in records} == {"target"}


def test_the_time_limit_ends_the_race_with_a_reason_for_each(raced):
    paddock = Paddock(STEPS, prepare_s=10.0)
    fates, _ = raced(paddock, deadline=25.0)
    assert {each.fate for each in fates.values()} == {"no-time"}
    assert all(each.reason or each.round is not None for each in fates.values())
    assert all(worker.closed for worker in paddock.started.values())


def test_where_memory_is_short_the_losers_make_room(raced):
    paddock = Paddock(STEPS, most=2)
    fates, _ = raced(paddock)
    assert set(fates) == set(STEPS)
    assert fates["compile:freezing"].fate == "stayed"
    assert fates["eager"].fate == "slower"


def test_workers_end_where_the_race_is_left(make_case):
    paddock = Paddock(STEPS)
    race = Race(paddock.stable, [make_case(runtime="eager")], Bounds(), epoch=0.0, deadline=1e6,
                clock=paddock.machine.clock, sleep=paddock.machine.sleep)  # fmt: skip
    events = race.run()
    next(events)
    next(events)
    events.close()
    assert all(worker.closed for worker in paddock.started.values())


def test_a_time_limit_before_the_first_turn_still_gives_records(raced):
    fates, records = raced(Paddock(STEPS, prepare_s=10.0), ("eager", "export"), deadline=5.0)
    assert len(records) == 1
    assert {name: each.fate for name, each in fates.items()} == {"eager": "stayed", "export": "no-time"}
    assert all(record.samples.step_s for record in records)
