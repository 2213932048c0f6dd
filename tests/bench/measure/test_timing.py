import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measure.device import Cpu
from bench.measure.timing import TimingError, time_turn
from tests.bench.devices import AsyncDevice, EagerEvents, Unsynchronised, queued


def test_a_step_that_launches_in_1_ms_and_runs_for_20_is_reported_as_20():
    device = AsyncDevice()
    turn = time_turn(queued(device), device, steps=10, clock=device.clock)
    # The first step alone shows its launch: the device has nothing else to do meanwhile.
    assert turn.step_s[1:] == pytest.approx([0.020] * 9)
    assert turn.step_s[0] == pytest.approx(0.021)
    assert turn.wall_s == pytest.approx(0.0201)


def test_work_queued_before_the_block_is_not_part_of_it():
    device = AsyncDevice()
    turn = time_turn(queued(device), device, steps=4, drop=6, clock=device.clock)
    assert turn.wall_s == pytest.approx((4 * 0.020 + 0.001) / 4)


def test_a_step_bound_by_its_launches_is_reported_with_them():
    device = AsyncDevice()
    turn = time_turn(queued(device, host_s=0.005, run_s=0.001), device, steps=5, clock=device.clock)
    assert turn.step_s == pytest.approx([0.006, *[0.005] * 4], rel=0.2)


def test_without_synchronisation_the_times_are_not_ready():
    device = Unsynchronised()
    with pytest.raises(RuntimeError, match="not ready"):
        time_turn(queued(device), device, steps=3, clock=device.clock)


def test_marks_that_exceed_the_wall_clock_are_refused():
    device = EagerEvents()
    with pytest.raises(TimingError, match="not synchronised"):
        time_turn(queued(device), device, steps=3, clock=device.clock)


def test_phases_are_timed_between_their_marks():
    device = AsyncDevice()

    def step(mark):
        device.launch(0, 0.003)
        mark()
        device.launch(0, 0.005)
        mark()
        device.launch(0, 0.001)

    turn = time_turn(step, device, steps=2, clock=device.clock)
    assert turn.phase_s[1] == pytest.approx((0.003, 0.005, 0.001))
    assert turn.step_s == pytest.approx((0.009, 0.009))


def test_a_clock_that_stands_still_is_refused():
    class Stopped(Cpu):
        def mark(self):
            return 1.0

    with pytest.raises(TimingError, match="took 0"):
        time_turn(lambda mark: None, Stopped(), steps=2)


def test_the_cpu_is_timed_by_the_host_clock():
    calls = []
    turn = time_turn(lambda mark: calls.append(1), Cpu(), steps=3, drop=2)
    assert len(calls) == 5
    assert len(turn.step_s) == 3
    assert sum(turn.step_s) <= turn.wall_s * 3


@given(st.lists(st.floats(1e-6, 10), min_size=1, max_size=20), st.integers(0, 3))
def test_any_series_of_run_times_comes_back(run_s, drop):
    device = AsyncDevice()
    coming = iter([1.0] * drop + run_s)
    turn = time_turn(
        lambda mark: device.launch(0, next(coming)), device, steps=len(run_s), drop=drop, clock=device.clock
    )
    assert turn.step_s == pytest.approx(run_s)
    assert turn.wall_s == pytest.approx(sum(run_s) / len(run_s))
