import collections
import itertools
import math
import random

import pytest
from msgspec import structs

from bench.schedule.rotation import QUANTUM_S, Left, Lost, Rotation, Stepped
from bench.schedule.seat import TURNS_TO_STOP, Seat
from results.schema.lines.run import Settings
from tests.bench.stepping import Machine, Scripted, noisy

SETTINGS = Settings(replicates=1, target=0.01, budget_s=5, timeout_s=60, time_limit_s=None)
NEVER = structs.replace(SETTINGS, target=1e-9)
"""Sampling that always spends its budget."""


class Outcome:
    def __init__(self, events):
        self.events = list(events)
        self.left = [(event.seat, event.stop) for event in self.events if isinstance(event, Left)]
        self.failures = [(event.seat, event.failure) for event in self.events if isinstance(event, Lost)]

    def stop(self, seat):
        return dict(self.left)[seat]


@pytest.fixture
def go(make_case):
    """Rotate scripted workers, by name; those named in `staying` stay."""

    def go(workers, settings=SETTINGS, deadline=float("inf"), staying=()):
        machine = Machine()
        seats = {name: Seat(make_case(), Scripted(machine, name, **script)) for name, script in workers.items()}
        rotation = Rotation(
            list(seats.values()),
            settings,
            staying=[seats[name] for name in staying],
            deadline=deadline,
            clock=machine.clock,
            sleep=machine.sleep,
            shuffler=random.Random(1),
        )
        return machine, Outcome(rotation.events()), seats

    return go


def nearly(seconds):
    return {"step_s": noisy(seconds, 0.01, seconds)}


def test_each_leaves_when_precise(go):
    _, outcome, seats = go(
        {
            "quiet": {"step_s": noisy(0.01, 0.002, 2)},
            "loud": {"step_s": noisy(0.01, 0.03, 3)},
        }
    )
    assert [seat for seat, _ in outcome.left] == [seats["quiet"], seats["loud"]]
    assert {stop for _, stop in outcome.left} == {"target"}
    assert seats["loud"].steps > seats["quiet"].steps


def test_every_turn_is_an_event_and_nothing_runs_before_the_next_event_is_asked_for(make_case):
    machine = Machine()
    seats = [Seat(make_case(), Scripted(machine, name, noisy(0.02, 0.5, 1))) for name in ("a", "b")]
    events = Rotation(seats, SETTINGS, clock=machine.clock, sleep=machine.sleep).events()
    assert machine.log == []
    assert isinstance(next(events), Stepped)
    assert len(machine.log) == 1
    assert isinstance(next(events), Stepped)
    assert sorted(machine.log) == ["a", "b"]


def test_the_workers_share_the_sum_of_their_budgets(go):
    workers = {"slow": nearly(0.3), "middle": nearly(0.05), "quick": nearly(0.002)}
    machine, outcome, seats = go(workers, NEVER)
    assert {stop for _, stop in outcome.left} == {"budget"}
    assert machine.now == pytest.approx(3 * NEVER.budget_s, abs=0.5)
    assert seats["slow"].spent_s > NEVER.budget_s > seats["quick"].spent_s


def test_a_worker_that_is_precise_gives_the_rest_of_its_budget_back(go):
    workers = {"quiet": {"step_s": noisy(0.01, 0.001, 1)}, "wild": {"step_s": noisy(0.05, 0.6, 2)}}
    machine, outcome, seats = go(workers)
    assert outcome.stop(seats["quiet"]) == "target"
    assert outcome.stop(seats["wild"]) == "budget"
    assert seats["quiet"].spent_s < 1
    assert seats["wild"].spent_s == pytest.approx(SETTINGS.budget_s, rel=0.1)
    assert machine.now < 1.3 * SETTINGS.budget_s


def test_visits_are_in_proportion_to_the_root_of_the_length_of_a_turn(go):
    workers = {"quick": nearly(0.02), "slow": nearly(0.36), "slower": nearly(1.0)}
    machine, _, _ = go(workers, structs.replace(NEVER, budget_s=60))
    visits = collections.Counter(machine.log)
    for name, turn_s in (("slow", 0.37), ("slower", 1.01)):
        assert visits["quick"] / visits[name] == pytest.approx(math.sqrt(turn_s / QUANTUM_S), rel=0.05)


def test_workers_with_long_turns_do_not_all_step_in_the_same_round(go):
    workers = {"quick": nearly(0.001)} | {f"slow {number}": nearly(1.0) for number in range(10)}
    machine, _, _ = go(workers, structs.replace(NEVER, budget_s=10))
    between = [0]
    for name in machine.log:
        if name == "quick":
            between.append(0)
        else:
            between[-1] += 1
    assert max(between[2:-1]) <= 5  # two in a round; two rounds may follow each other in opposite orders


def test_a_long_first_step_does_not_keep_a_worker_out(go):
    def first_is_long(now):
        return 2.0 if now < 0.1 else 0.02

    machine, _, _ = go({"a": {"step_s": first_is_long}, "b": nearly(0.02)}, structs.replace(NEVER, budget_s=4))
    second = [index for index, name in enumerate(machine.log) if name == machine.log[0]][1]
    assert second <= 2 * math.sqrt(2.0 / QUANTUM_S)


def test_an_early_wealth_of_quick_turns_buys_no_slow_turns(go):
    noise = noisy(1.0, 0.01, 1)

    def slows_down(now):
        return (0.02 if now < 5 else 1.0) * noise(now)

    machine, _, _ = go({"a": {"step_s": slows_down}, "b": nearly(0.02)}, structs.replace(NEVER, budget_s=60))
    late = collections.Counter(machine.log[-200:])
    assert late["b"] > 3 * late["a"]


def test_rounds_are_balanced(go):
    workers = {name: {"step_s": noisy(0.01, 0.1, name)} for name in ("a", "b", "c", "d")}
    machine, _, _ = go(workers, settings=structs.replace(NEVER, budget_s=20))
    rounds = [machine.log[i : i + 4] for i in range(0, len(machine.log), 4)]
    rounds = list(itertools.takewhile(lambda row: len(set(row)) == 4, rounds))
    assert len(rounds) > 50
    for before, after in itertools.permutations(workers, 2):
        first = sum(row.index(before) < row.index(after) for row in rounds)
        assert first == pytest.approx(len(rounds) / 2, abs=1)


def test_a_worker_that_fails_does_not_stop_the_others(go):
    _, outcome, seats = go(
        {
            "bad": {"step_s": noisy(0.02, 0.005, 2), "fails_at": 3},
            "good": {"step_s": noisy(0.02, 0.005, 3)},
            "fine": {"step_s": noisy(0.02, 0.005, 1)},
        }
    )
    assert [(seat, failure.status) for seat, failure in outcome.failures] == [(seats["bad"], "crash")]
    assert seats["bad"].steps == 2
    assert {seat for seat, _ in outcome.left} == {seats["good"], seats["fine"]}


def test_those_that_stay_step_until_the_last_of_the_others_has_left(go):
    workers = {"anchor": {"step_s": noisy(0.01, 0.001, 1)}, "wild": {"step_s": noisy(0.02, 0.6, 2)}}
    machine, outcome, seats = go(workers, staying=["anchor"])
    assert [seat for seat, _ in outcome.left] == [seats["wild"]]
    assert "anchor" in machine.log[-3:]
    assert machine.now == pytest.approx(2 * SETTINGS.budget_s, rel=0.1)


def test_where_all_stay_nothing_is_stepped(go):
    machine, outcome, _ = go({"a": nearly(0.01), "b": nearly(0.01)}, staying=["a", "b"])
    assert (machine.log, outcome.events) == ([], [])


def test_slow_steps_get_their_minimum_beyond_the_budget(go):
    _, outcome, seats = go({"slow": nearly(3.0)})
    assert seats["slow"].steps == 3
    assert outcome.stop(seats["slow"]) == "budget"


def test_hopelessly_slow_steps_are_given_up(go):
    _, outcome, seats = go({"glacial": nearly(100.0)})
    assert seats["glacial"].steps == 1
    assert outcome.stop(seats["glacial"]) == "budget"
    assert not seats["glacial"].samples(()).steady


def test_at_the_deadline_everyone_leaves(go):
    machine, outcome, _ = go({"a": {"step_s": noisy(0.02, 0.5, 1)}, "b": {"step_s": noisy(0.02, 0.5, 2)}}, deadline=1.0)
    assert {stop for _, stop in outcome.left} == {"time-limit"}
    assert machine.now < 1.3


def test_a_constant_series_is_no_miracle(go):
    _, outcome, seats = go({"frozen": {"step_s": lambda now: 0.05}})
    assert outcome.stop(seats["frozen"]) == "target"
    assert len(set(seats["frozen"].samples(()).turn)) >= TURNS_TO_STOP


def test_a_baseline_is_visited_more_often_the_more_cases_are_compared_with_it(make_case):
    machine = Machine()
    settings = [{}, {"layout": "nhwc"}, {"precision": "bf16"}, {"runtime": "compile"}, {"precision": "amp-bf16"}]
    base, *others = (make_case(batch_size=1, **own) for own in settings)
    alone = make_case(batch_size=2)
    seats = [
        Seat(case, Scripted(machine, index, noisy(0.01, 0.001, index)))
        for index, case in enumerate((base, *others, alone))
    ]
    rotation = Rotation(seats, NEVER, clock=machine.clock, sleep=machine.sleep)
    for _ in rotation.events():
        pass
    turns = {seat.case: len(seat.medians) for seat in seats}
    assert turns[base] / turns[others[0]] == pytest.approx(2, rel=0.05)  # the root of four
    assert turns[alone] == pytest.approx(turns[others[0]], abs=1)
