import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bench.process.messages import Turn
from bench.process.protocol import Failed
from bench.schedule.seat import MIN_STEPS, PATIENCE, TURNS_TO_STOP, Seat, plan_turn
from results.schema.lines.run import Settings
from tests.bench.stepping import Machine, Scripted, noisy

SETTINGS = Settings(replicates=1, target=0.01, budget_s=5, timeout_s=60, time_limit_s=None)
NOT_OUT = {"out_of_time": False, "out_of_budget": False}


class Phased:
    def turn(self, *, steps, drop):
        return Turn(phase_s=((0.1, 0.2, 0.05),) * steps, wall_s=0.36)


@pytest.fixture
def seated(make_case):
    """A seat on a machine whose steps take what a function of the time says."""

    def seated(step_s, *, turns=0, **options):
        machine = Machine()
        seat = Seat(make_case(), Scripted(machine, "a", step_s), **options)
        for _ in range(turns):
            seat.take_turn(seat.plan(alone=False), machine.clock, machine.sleep)
        return machine, seat

    return seated


def test_turns_by_length_of_step():
    assert (plan_turn(None, alone=False).drop, plan_turn(None, alone=False).steps) == (0, 1)
    fast, middle, slow = (plan_turn(step_s, alone=False) for step_s in (0.001, 0.025, 0.3))
    assert (fast.drop, fast.steps, fast.pause_s) == (5, 20, 0)
    assert (middle.drop, middle.steps, middle.pause_s) == (1, 1, 0)
    assert (slow.drop, slow.steps) == (0, 1)
    assert slow.pause_s > 0
    assert plan_turn(0.025, alone=True).drop == 0


@pytest.mark.parametrize("alone", [True, False])
def test_turns_on_an_accelerator_begin_with_a_dropped_step_and_never_with_a_pause(alone):
    fast, middle, slow = (plan_turn(step_s, alone=alone, accelerator=True) for step_s in (0.001, 0.025, 0.3))
    assert (fast.drop, fast.steps) == (5, 20)
    assert (middle.drop, middle.steps) == (1, 2)
    assert (slow.drop, slow.steps) == (1, 1)
    assert plan_turn(None, alone=alone, accelerator=True).drop == 1
    assert fast.pause_s == middle.pause_s == slow.pause_s == 0


@pytest.mark.parametrize(("device", "drop", "pauses"), [("cpu", 0, True), ("cuda:0", 1, False), ("xpu:1", 1, False)])
def test_a_seat_plans_for_the_device_of_its_case(make_case, device, drop, pauses):
    machine = Machine()
    seat = Seat(make_case(device=device), Scripted(machine, "a", lambda now: 0.3))
    assert seat.plan(alone=True).drop == drop
    seat.take_turn(seat.plan(alone=True), machine.clock, machine.sleep)
    plan = seat.plan(alone=False)
    assert (plan.drop, plan.pause_s > 0) == (drop, pauses)


def test_the_share_of_queueing_is_recorded_where_a_device_has_a_queue(make_case):
    for queued, expected in ((0.25, (0.25, 0.25)), (None, ())):

        class Queued:
            def turn(self, *, steps, drop, queued=queued):
                return Turn(phase_s=((0.1,),) * steps, wall_s=0.1, queued=queued)

        seat = Seat(make_case(), Queued())
        for _ in range(2):
            seat.take_turn(plan_turn(None, alone=True), lambda: 0.0)
        assert seat.samples(()).queued == expected


@given(st.floats(1e-6, 100), st.booleans())
def test_any_turn_has_a_step_and_its_cost_is_bounded(step_s, alone):
    plan = plan_turn(step_s, alone=alone)
    assert plan.steps >= 1
    lost_s = plan.pause_s + plan.drop * step_s
    assert lost_s <= plan.steps * step_s * (0 if alone else 1)


@pytest.mark.parametrize("step_s", [0.001, 0.025, 0.3])
def test_the_cost_of_a_turn_is_what_the_turn_takes(seated, step_s):
    machine, seat = seated(lambda now: step_s)
    assert seat.cost_s == 0
    seat.take_turn(seat.plan(alone=False), machine.clock, machine.sleep)
    expected_s, before_s = seat.cost_s, machine.now
    took_s = seat.take_turn(seat.plan(alone=False), machine.clock, machine.sleep)
    assert took_s == pytest.approx(machine.now - before_s)
    assert took_s == pytest.approx(expected_s)
    assert seat.spent_s == pytest.approx(machine.now)


def test_a_turn_has_the_time_of_the_middle_of_its_timed_steps_since_the_run_began(seated):
    machine, seat = seated(lambda now: 0.01)
    machine.now = 107.0
    seat._epoch = 100.0
    for _ in range(2):
        seat.take_turn(seat.plan(alone=False), machine.clock, machine.sleep)
    # One step of 10 ms first, then a dropped step and two timed steps.
    assert seat.samples(()).at_s == pytest.approx((7.005, 7.03))


def test_times_rise_and_parts_are_those_of_their_turns(seated):
    machine, seat = seated(noisy(0.01, 0.3, 1), turns=20, epoch=-3.0)
    seat.part = 4
    for _ in range(10):
        seat.take_turn(seat.plan(alone=False), machine.clock, machine.sleep)
    samples = seat.samples(())
    assert all(before < after for before, after in zip(samples.at_s, samples.at_s[1:], strict=False))
    assert samples.at_s[0] > 3
    assert samples.part == (0,) * 20 + (4,) * 10
    assert len(samples.at_s) == len(samples.wall_s) == max(samples.turn) + 1


def test_a_failed_turn_leaves_no_trace(make_case):
    machine = Machine()
    seat = Seat(make_case(), Scripted(machine, "a", lambda now: 0.01, fails_at=3))
    for _ in range(2):
        seat.take_turn(seat.plan(alone=True), machine.clock, machine.sleep)
    with pytest.raises(Failed):
        seat.take_turn(seat.plan(alone=True), machine.clock, machine.sleep)
    samples = seat.samples(())
    assert len(samples.at_s) == len(samples.part) == len(samples.wall_s) == 2


def test_a_quiet_worker_is_precise_after_its_turns_and_a_loud_worker_is_not(seated):
    for noise, reasons in ((0.002, {"target"}), (0.5, {None})):
        machine, seat = seated(noisy(0.02, noise, 1))
        seen = []
        while len(seat.medians) < TURNS_TO_STOP + 3:
            seat.take_turn(seat.plan(alone=False), machine.clock, machine.sleep)
            seen.append(seat.stop(SETTINGS, **NOT_OUT))
        assert set(seen[: TURNS_TO_STOP - 1]) == {None}
        assert set(seen[TURNS_TO_STOP - 1 :]) & reasons


def test_nobody_leaves_before_the_least_steps_unless_they_take_too_long(seated):
    out = {"out_of_time": True, "out_of_budget": True}
    _, seat = seated(lambda now: 3.0, turns=MIN_STEPS - 1)
    assert seat.stop(SETTINGS, **out) is None
    _, seat = seated(lambda now: 3.0, turns=MIN_STEPS)
    assert seat.stop(SETTINGS, **out) == "time-limit"
    assert seat.stop(SETTINGS, **{**out, "out_of_time": False}) == "budget"
    _, seat = seated(lambda now: (PATIENCE + 1) * SETTINGS.budget_s, turns=1)
    assert seat.enough(SETTINGS)
    assert seat.stop(SETTINGS, **out) == "time-limit"
    assert not seat.enough(structs.replace(SETTINGS, budget_s=100))


def test_a_machine_that_grows_hot_is_told_from_a_load_that_sets_in(seated):
    noise = noisy(1.0, 0.005, 1)
    for slowness, slowing in ((lambda now: 1 + 0.2 * now, True), (lambda now: 1.5 if now > 3 else 1.0, False)):
        _, seat = seated(lambda now, slowness=slowness: 0.02 * slowness(now) * noise(now), turns=130)
        samples = seat.samples(())
        assert (samples.steady, samples.slowing) == (False, slowing)


def test_a_drift_over_later_parts_does_not_make_the_first_part_a_warm_up(seated):
    noise = noisy(0.02, 0.003, 1)
    machine, seat = seated(lambda now: noise(now) * (1.0 if seat_part() == 0 else 1.2))
    seat_part = lambda: seat.part  # noqa: E731
    for seat.part in (0, 1, 2):
        for _ in range(30):
            seat.take_turn(seat.plan(alone=False), machine.clock, machine.sleep)
    samples = seat.samples(())
    assert samples.steady
    assert samples.warmup < 10


def test_training_phases_come_back_in_their_columns(make_case):
    seat = Seat(make_case(task="training"), Phased())
    for _ in range(3):
        seat.take_turn(plan_turn(None, alone=True), lambda: 0.0)
    samples = seat.samples(("forward", "backward", "optimizer"))
    assert samples.forward_s == (0.1,) * 3
    assert samples.backward_s == (0.2,) * 3
    assert samples.optimizer_s == (0.05,) * 3
    assert samples.step_s == pytest.approx((0.35,) * 3)
    assert seat.medians == [pytest.approx(statistics.median(samples.step_s))] * 3


def test_a_phase_without_a_column_is_not_dropped(make_case):
    seat = Seat(make_case(task="training"), Phased())
    seat.take_turn(plan_turn(None, alone=True), lambda: 0.0)
    with pytest.raises(TypeError, match="evaluation_s"):
        seat.samples(("forward", "backward", "evaluation"))
