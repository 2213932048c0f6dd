"""The simulated card behaves as what it stands for; and what a rotation of live workers does on it."""

import statistics

import pytest
import torch

from bench.schedule.rotation import Rotation, Stepped
from bench.schedule.seat import Seat
from results.schema.lines.run import Settings
from tests.bench.cards import BUSY, Arm, Card, kernels

LONG = Settings(replicates=1, target=1e-9, budget_s=2, timeout_s=60, time_limit_s=None)


def test_an_exclusive_card_admits_a_single_context():
    card = Card(exclusive=True)
    first = card.open()
    with pytest.raises(RuntimeError, match="busy or unavailable"):
        card.open()
    assert "busy or unavailable" in BUSY
    first.close()
    card.open()


def test_contexts_share_the_memory_of_a_card_and_keep_what_they_release():
    card = Card(memory_bytes=10_000, context_bytes=1_000)
    first, second = card.open(), card.open()
    first.allocate(5_000)
    first.release(4_000)
    with pytest.raises(torch.OutOfMemoryError):
        second.allocate(4_000)
    second.allocate(3_000)
    first.allocate(4_000)
    first.close()
    assert card.free == 6_000
    assert first.peak_memory().allocated == 5_000


def test_a_memory_that_is_full_admits_no_context():
    card = Card(memory_bytes=1_500, context_bytes=1_000)
    card.open()
    with pytest.raises(torch.OutOfMemoryError):
        card.open()


def test_the_clock_falls_when_idle_and_rises_with_work():
    card = Card(slow=0.2, falls_after_s=1.0, rises_in_s=0.05)
    context = card.open()
    step = kernels(context, 1, host_s=0.0, run_s=0.001)
    arm = Arm(context, step)
    assert arm.turn(steps=5, drop=0).step_s == pytest.approx([0.001] * 5)
    card.now += 2.0
    first, *_, last = arm.turn(steps=100, drop=0).step_s
    assert first == pytest.approx(0.005)
    assert last == pytest.approx(0.001)


def test_an_event_that_was_not_waited_for_has_no_time():
    context = Card().open()
    first = context.mark()
    context.launch(0.001, 0.020)
    last = context.mark()
    with pytest.raises(RuntimeError, match="completed"):
        context.seconds(first, last)
    context.synchronize()
    assert context.seconds(first, last) == pytest.approx(0.021)


def test_arms_in_rotation_share_the_power_that_each_has_alone(make_case):
    """What `docs/method.md` says of cards at their cap: ratios in rotation are not those of arms alone."""

    def steps_s(watts):
        card = Card(cap_w=200.0)
        seats = []
        for power in watts:
            context = card.open()
            step = kernels(context, 20, host_s=1e-5, run_s=0.0005, watts=power)
            seats.append(Seat(make_case(device="cuda:0"), Arm(context, step)))
        events = Rotation(seats, LONG, clock=card.clock).events()
        stepped = [event.seat for event in events if isinstance(event, Stepped)]
        assert set(stepped) == set(seats)
        return [statistics.median(seat.medians[6:12]) for seat in seats]

    (hungry,) = steps_s([400.0])
    (light,) = steps_s([100.0])
    assert hungry > 1.7 * light
    together = steps_s([400.0, 100.0])
    assert together[0] < 0.8 * hungry
    assert together[1] > 1.05 * light


def test_alone_and_without_a_pause_an_arm_shows_what_it_has_in_steady_use(make_case):
    card = Card(cap_w=200.0)
    seats = []
    for power in (400.0, 100.0):
        context = card.open()
        step = kernels(context, 20, host_s=1e-5, run_s=0.0005, watts=power)
        seats.append(Seat(make_case(device="cuda:0"), Arm(context, step)))
    for _ in Rotation(seats, LONG, clock=card.clock).events():
        pass
    for seat, alone_s in zip(seats, (0.020, 0.010), strict=True):
        seat.sustain(1.0, card.clock)
        assert seat.sustain(1.0, card.clock)[0] == pytest.approx(alone_s, rel=0.01)
        assert abs(statistics.median(seat.medians) / alone_s - 1) > 0.04
