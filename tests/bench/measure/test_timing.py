import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measure.device import Accelerator, Cpu
from bench.measure.timing import MARKS, SHORT_S, TimingError, mark_s, time_turn
from bench.schedule.seat import plan_turn
from tests.bench.cards import Arm, Card, Context, as_torch, kernels
from tests.bench.devices import AsyncDevice, EagerEvents, Unsynchronised, queued


def test_a_step_that_launches_in_1_ms_and_runs_for_20_is_reported_as_20():
    device = AsyncDevice()
    turn = time_turn(queued(device), device, steps=10, clock=device.clock)
    # The first step alone shows its launch: the device has nothing else to do meanwhile.
    assert turn.step_s[1:] == pytest.approx([0.020] * 9)
    assert turn.step_s[0] == pytest.approx(0.021)
    assert turn.wall_s == pytest.approx(0.0201)


def test_steps_behind_a_dropped_step_show_no_launch():
    device = AsyncDevice()
    turn = time_turn(queued(device), device, steps=4, drop=6, clock=device.clock)
    assert turn.step_s == pytest.approx([0.020] * 4)
    assert turn.wall_s == pytest.approx(0.020)


@pytest.mark.parametrize("step_s", [0.0001, 0.003, 0.027, 0.108, 0.4])
@pytest.mark.parametrize("alone", [True, False])
def test_turns_of_any_length_show_no_launch_on_an_idle_queue(step_s, alone):
    context = Card(idle_s=0.0004).open()
    arm = Arm(context, kernels(context, 2, host_s=1e-5, run_s=step_s / 2))
    for known_s in (None, step_s):
        plan = plan_turn(known_s, alone=alone, accelerator=True)
        turn = arm.turn(steps=plan.steps, drop=plan.drop)
        assert turn.step_s == pytest.approx([step_s] * plan.steps)
        assert turn.wall_s == pytest.approx(step_s)


def test_a_turn_has_the_overlap_of_steps_that_wait_for_the_device():
    """The loss scaler waits in each step before the optimizer, whose end then overlaps with the next launches."""
    context = Card(idle_s=2e-5).open()

    def step(mark):
        for _ in range(60):
            context.launch(2e-4, 1e-4)
        context.synchronize()
        for _ in range(5):
            context.launch(1e-5, 1e-3)

    arm = Arm(context, step)
    lasting = sum(arm.turn(steps=100, drop=1).step_s) / 100
    plan = plan_turn(lasting, alone=False, accelerator=True)
    assert plan.steps >= 2
    for shape in ({"drop": 1, "steps": 1}, {"drop": plan.drop, "steps": plan.steps}):
        assert arm.turn(**shape).step_s == pytest.approx([lasting] * shape["steps"], rel=1e-3)
    assert arm.turn(drop=0, steps=1).step_s[0] > 1.09 * lasting


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


class HostMarks(Context):
    """A device whose marks are readings of the host's clock."""

    def mark(self):
        return self.card.now

    def seconds(self, first, last):
        return last - first


def test_marks_that_end_before_the_work_are_refused():
    context = HostMarks(Card(), "cuda:0")
    with pytest.raises(TimingError, match="works on after its last mark"):
        time_turn(kernels(context, 72, host_s=0.0003, run_s=0.001), context, steps=1, drop=1, clock=context.card.clock)


@pytest.mark.parametrize("run_s", [0.001, 0.00001])
def test_a_host_that_stood_still_at_the_end_of_a_turn_repeats_it(run_s):
    context = Card().open()
    waits, stalls, wait = [], [2], context.synchronize

    def synchronize():
        waits.append(context.card.now)
        wait()
        if len(waits) in stalls:
            context.card.now += 10.0

    context.synchronize = synchronize
    step = kernels(context, 20, host_s=0.0003, run_s=run_s)
    turn = time_turn(step, context, steps=2, drop=1, clock=context.card.clock)
    # Marks that reach beyond the queueing are the device's own, however late the host was: only its own clock is wrong.
    assert len(waits) == (4 if run_s < 0.0003 else 2)
    assert turn.step_s == pytest.approx([20 * max(run_s, 0.0003)] * 2, rel=0.01)
    stalls += [len(waits) + 2, len(waits) + 4]
    if run_s < 0.0003:
        with pytest.raises(TimingError):
            time_turn(step, context, steps=2, drop=1, clock=context.card.clock)


def test_the_end_of_a_short_turn_may_be_seen_late():
    context = Card().open()
    wait = context.synchronize

    def synchronize():
        wait()
        context.card.now += 0.9 * SHORT_S

    context.synchronize = synchronize
    step = kernels(context, 1, host_s=1e-5, run_s=1e-5)
    assert time_turn(step, context, steps=1, drop=1, clock=context.card.clock).step_s == pytest.approx((1e-5,))


def test_the_share_of_queueing_tells_a_bound_host_from_a_bound_device():
    for host_s, run_s, low, high in ((1e-5, 1e-3, 0.0, 0.05), (1e-3, 1e-5, 0.99, 1.0)):
        context = Card().open()
        turn = Arm(context, kernels(context, 20, host_s=host_s, run_s=run_s)).turn(steps=2, drop=1)
        assert low <= turn.queued <= high


def test_the_cpu_queues_nothing():
    assert time_turn(lambda mark: None, Cpu(), steps=3, drop=1).queued is None


def test_a_turn_creates_no_events_if_an_earlier_turn_has_created_them(monkeypatch):
    card = Card(create_s=5e-6)
    context = as_torch(monkeypatch, card)
    accelerator = Accelerator("cuda:0")
    step = kernels(context, 1, host_s=1e-4, run_s=1e-5)  # bound by the host, which creates events
    turns = [time_turn(step, accelerator, steps=steps, drop=1, clock=card.clock) for steps in (20, 20, 10, 20)]
    assert card.created == 22  # one around each step, and one at the start of the block
    for turn in turns[1:]:
        assert turn.step_s == pytest.approx([1e-4] * len(turn.step_s))


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


@pytest.mark.parametrize(("event_s", "create_s", "seen_s"), [(2e-6, 0.0, 2e-6), (2e-6, 1e-4, 2e-6)])
def test_the_time_of_a_mark_is_that_of_an_event_that_is_recorded_again(monkeypatch, event_s, create_s, seen_s):
    card = Card(event_s=event_s, create_s=create_s)
    as_torch(monkeypatch, card)
    device = Accelerator("cuda:0")
    assert mark_s(device) == pytest.approx(seen_s)
    assert card.created == MARKS + 1
