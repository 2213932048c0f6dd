import itertools
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bench.process.protocol import Failed, Turn
from bench.schedule.rotation import TURNS_TO_STOP, Left, Lost, Seat, Stepped, plan_turn, rotate
from results.schema.run import Settings

SETTINGS = Settings(replicates=1, target=0.01, budget_s=5, timeout_s=60, time_limit_s=None)


class Machine:
    """A machine with one clock, which every worker's steps move."""

    def __init__(self):
        self.now = 0.0
        self.paused = 0.0
        self.log = []

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.paused += seconds


class Scripted:
    """A worker whose steps take what a function of time says, and that may fail at a given turn."""

    def __init__(self, machine, name, step_s, fails_at=None):
        self.machine, self.name, self.step_s, self.fails_at = machine, name, step_s, fails_at
        self.turns = 0

    def turn(self, *, steps, drop):
        self.turns += 1
        if self.turns == self.fails_at:
            raise Failed("crash", "killed by SIGSEGV")
        self.machine.log.append(self.name)
        times = []
        for _ in range(drop + steps):
            times.append(self.step_s(self.machine.now))
            self.machine.now += times[-1]
        kept = times[drop:]
        return Turn(phase_s=tuple((t,) for t in kept), wall_s=sum(kept) / len(kept))


def noisy(mean_s, sd, seed):
    rng = random.Random(seed)
    return lambda now: mean_s * rng.lognormvariate(0, sd)


class Outcome:
    def __init__(self, events):
        self.events = list(events)
        self.left = [(event.seat, event.stop) for event in self.events if isinstance(event, Left)]
        self.failures = [(event.seat, event.failure) for event in self.events if isinstance(event, Lost)]

    def stop(self, seat):
        return dict(self.left)[seat]


@pytest.fixture
def go(make_case):
    """Rotate scripted workers, by name; the one called ``base`` is the baseline."""

    def go(workers, settings=SETTINGS, deadline=float("inf"), **seat_options):
        machine = Machine()
        seats = {
            name: Seat(make_case(), Scripted(machine, name, **script), **seat_options.get(name, {}))
            for name, script in workers.items()
        }
        events = rotate(
            list(seats.values()),
            seats.get("base"),
            settings,
            deadline=deadline,
            clock=machine.clock,
            sleep=machine.sleep,
            shuffler=random.Random(1),
        )
        return machine, Outcome(events), seats

    return go


def test_each_leaves_when_precise_and_the_baseline_last(go):
    _, outcome, seats = go(
        {
            "base": {"step_s": noisy(0.02, 0.005, 1)},
            "quiet": {"step_s": noisy(0.01, 0.002, 2)},
            "loud": {"step_s": noisy(0.01, 0.03, 3)},
        }
    )
    assert [seat for seat, _ in outcome.left] == [seats["quiet"], seats["loud"], seats["base"]]
    assert {stop for _, stop in outcome.left} == {"target"}
    assert seats["loud"].steps > seats["quiet"].steps


def test_every_turn_is_an_event_and_nothing_runs_before_the_next_is_asked_for(make_case):
    machine = Machine()
    seats = [Seat(make_case(), Scripted(machine, name, noisy(0.02, 0.5, 1))) for name in ("a", "b")]
    events = rotate(seats, None, SETTINGS, clock=machine.clock, sleep=machine.sleep)
    assert machine.log == []
    assert isinstance(next(events), Stepped)
    assert len(machine.log) == 1
    assert isinstance(next(events), Stepped)
    assert sorted(machine.log) == ["a", "b"]


def test_who_is_not_precise_in_time_leaves_at_the_budget(go):
    _, outcome, seats = go({"wild": {"step_s": noisy(0.05, 0.6, 1)}})
    assert outcome.stop(seats["wild"]) == "budget"
    assert seats["wild"].spent_s == pytest.approx(SETTINGS.budget_s, rel=0.2)


def test_drift_of_the_machine_cancels_in_the_ratio(go):
    def drifting(mean_s):
        return lambda now: mean_s * (1 + 0.1 * now)

    _, _, seats = go(
        {"base": {"step_s": drifting(0.02)}, "case": {"step_s": drifting(0.01)}},
        settings=structs.replace(SETTINGS, target=1e-6, budget_s=3),
    )
    samples = seats["case"].samples(())
    own = [
        statistics.median(step for step, turn in zip(samples.step_s, samples.turn, strict=True) if turn == index)
        for index in range(len(samples.wall_s))
    ]
    ratios = [base / mine for base, mine in zip(samples.baseline_s, own, strict=True) if base is not None]
    assert len(ratios) >= len(own) // 2
    assert max(own) / min(own) > 1.3
    assert statistics.median(ratios) == pytest.approx(2, rel=0.01)


def test_turns_beside_a_baseline_that_still_warms_up_are_no_pairs(go):
    def warming(now):
        return 0.05 if now < 1 else 0.02

    _, _, seats = go(
        {"base": {"step_s": warming}, "case": {"step_s": noisy(0.01, 0.001, 1)}},
        settings=structs.replace(SETTINGS, target=1e-9, budget_s=3),
    )
    samples = seats["case"].samples(())
    assert samples.warmup == 0
    assert samples.baseline_s[0] is None
    assert set(samples.baseline_s) == {None, 0.02}
    assert 0.05 not in samples.baseline_s


def test_rounds_are_balanced(go):
    workers = {name: {"step_s": noisy(0.02, 0.5, name)} for name in ("a", "b", "c", "d")}
    machine, _, _ = go(workers, settings=structs.replace(SETTINGS, budget_s=20))
    rounds = [machine.log[i : i + 4] for i in range(0, len(machine.log), 4)]
    rounds = [one for one in rounds if len(set(one)) == 4]  # the last ones are of those that have not left
    assert len(rounds) > 50
    for one, other in itertools.permutations(workers, 2):
        first = sum(row.index(one) < row.index(other) for row in rounds)
        assert first == pytest.approx(len(rounds) / 2, abs=1)


def test_one_that_fails_does_not_stop_the_others(go):
    _, outcome, seats = go(
        {
            "base": {"step_s": noisy(0.02, 0.005, 1)},
            "bad": {"step_s": noisy(0.02, 0.005, 2), "fails_at": 3},
            "good": {"step_s": noisy(0.02, 0.005, 3)},
        }
    )
    assert [(seat, failure.status) for seat, failure in outcome.failures] == [(seats["bad"], "crash")]
    assert seats["bad"].steps == 2
    assert {seat for seat, _ in outcome.left} == {seats["good"], seats["base"]}


def test_without_its_baseline_the_others_go_on_unpaired(go):
    _, outcome, seats = go(
        {
            "base": {"step_s": noisy(0.02, 0.005, 1), "fails_at": 4},
            "case": {"step_s": noisy(0.02, 0.005, 3)},
        }
    )
    samples = seats["case"].samples(())
    assert [value is None for value in samples.baseline_s[:5]] == [False, False, False, True, True]
    assert outcome.stop(seats["case"]) == "target"


def test_a_baseline_that_is_only_company_leaves_with_the_last_of_the_others(go):
    _, outcome, seats = go(
        {"base": {"step_s": noisy(0.02, 0.5, 1)}, "case": {"step_s": noisy(0.02, 0.002, 2)}},
        base={"recorded": False},
        settings=structs.replace(SETTINGS, budget_s=30),
    )
    assert [seat for seat, _ in outcome.left] == [seats["case"], seats["base"]]
    assert seats["base"].stepper.turns == seats["case"].stepper.turns


def test_slow_steps_get_their_minimum_beyond_the_budget(go):
    _, outcome, seats = go({"slow": {"step_s": lambda now: 3.0}})
    assert seats["slow"].steps == 3
    assert outcome.stop(seats["slow"]) == "budget"


def test_hopelessly_slow_steps_are_given_up(go):
    _, outcome, seats = go({"glacial": {"step_s": lambda now: 100.0}})
    assert seats["glacial"].steps == 1
    assert outcome.stop(seats["glacial"]) == "budget"
    assert not seats["glacial"].samples(()).steady


def test_a_machine_that_grows_hot_is_told_from_a_load_that_sets_in(go):
    noise = noisy(1.0, 0.005, 1)
    for slowness, slowing in ((lambda now: 1 + 0.2 * now, True), (lambda now: 1.5 if now > 3 else 1.0, False)):
        _, _, seats = go(
            {"case": {"step_s": lambda now, slowness=slowness: 0.02 * slowness(now) * noise(now)}},
            settings=structs.replace(SETTINGS, target=1e-6),
        )
        samples = seats["case"].samples(())
        assert (samples.steady, samples.slowing) == (False, slowing)


def test_at_the_deadline_everyone_leaves(go):
    machine, outcome, _ = go({"a": {"step_s": noisy(0.02, 0.5, 1)}, "b": {"step_s": noisy(0.02, 0.5, 2)}}, deadline=1.0)
    assert {stop for _, stop in outcome.left} == {"time-limit"}
    assert machine.now < 1.3


def test_a_constant_series_is_no_miracle(go):
    _, outcome, seats = go({"frozen": {"step_s": lambda now: 0.05}})
    assert outcome.stop(seats["frozen"]) == "target"
    assert len(set(seats["frozen"].samples(()).turn)) >= TURNS_TO_STOP


def test_turns_by_length_of_step():
    assert (plan_turn(None, alone=False).drop, plan_turn(None, alone=False).steps) == (0, 1)
    fast, middle, slow = (plan_turn(step_s, alone=False) for step_s in (0.001, 0.025, 0.3))
    assert (fast.drop, fast.steps, fast.pause_s) == (5, 20, 0)
    assert (middle.drop, middle.steps, middle.pause_s) == (1, 1, 0)
    assert (slow.drop, slow.steps) == (0, 1)
    assert slow.pause_s > 0
    assert plan_turn(0.025, alone=True).drop == 0


@given(st.floats(1e-6, 100), st.booleans())
def test_any_turn_keeps_a_step_and_its_cost_is_bounded(step_s, alone):
    plan = plan_turn(step_s, alone=alone)
    assert plan.steps >= 1
    lost_s = plan.pause_s + plan.drop * step_s
    assert lost_s <= plan.steps * step_s * (0 if alone else 1)


def test_training_phases_come_back_in_their_columns(make_case):
    seat = Seat(make_case(task="training"), Phased())
    for _ in range(3):
        seat.take_turn(plan_turn(None, alone=True), lambda: 0.0)
        seat.set_partner(None)
    samples = seat.samples(("forward", "backward", "optimizer"))
    assert samples.forward_s == (0.1,) * 3
    assert samples.backward_s == (0.2,) * 3
    assert samples.optimizer_s == (0.05,) * 3
    assert samples.step_s == pytest.approx((0.35,) * 3)
    assert samples.baseline_s == ()


def test_a_phase_without_a_column_is_not_dropped(make_case):
    seat = Seat(make_case(task="training"), Phased())
    seat.take_turn(plan_turn(None, alone=True), lambda: 0.0)
    seat.set_partner(None)
    with pytest.raises(TypeError, match="evaluation_s"):
        seat.samples(("forward", "backward", "evaluation"))


class Phased:
    def turn(self, *, steps, drop):
        return Turn(phase_s=((0.1, 0.2, 0.05),) * steps, wall_s=0.36)
