import pytest

from bench.machine.energy.meter import EnergyMeter
from bench.process.sustained import no_sustained_use
from bench.schedule.seat import Seat
from bench.schedule.sustain import COOL_DOWN_S, ENERGY_WINDOW_S, sustain
from results.schema.lines.record import Facts
from tests.bench.stepping import Machine, Scripted

IDLE_W, BUSY_W = 10.0, 60.0


class Counter:
    """Counts the joules of a machine: the idle power always, and more while it steps."""

    range_j = None

    def __init__(self, machine):
        self.machine, self.busy_s = machine, 0.0

    def joules(self):
        return IDLE_W * self.machine.now + (BUSY_W - IDLE_W) * self.busy_s


class Live:
    """The client of a worker that has a counter, or the reason why there is none."""

    def __init__(self, counters):
        self.meter, self.watched = EnergyMeter(counters), 0

    def energy_meter(self):
        return self.meter

    def watch_again(self):
        self.watched += 1


@pytest.fixture
def used(make_case):
    def used(seconds, counters=None, batch_size=4):
        machine = Machine()
        counter = Counter(machine)

        class Stepper(Scripted):
            def turn(self, **arguments):
                began = machine.now
                turn = super().turn(**arguments)
                counter.busy_s += machine.now - began
                return turn

        seat = Seat(make_case(batch_size=batch_size), Stepper(machine, "a", lambda now: 0.05))
        live = Live((counter,) if counters is None else counters)
        use = sustain(seat, live, seconds, clock=machine.clock, sleep=machine.sleep)
        assert live.watched == 1
        return use, machine.now

    return used


def test_the_energy_of_an_image_is_the_power_over_the_rate(used):
    use, took_s = used(20)
    assert use.step_s == pytest.approx(0.05)
    assert use.image_j == pytest.approx(BUSY_W * 0.05 / 4, rel=0.01)
    assert use.idle_w == pytest.approx(IDLE_W, rel=0.01)
    assert use.nulls == {}
    assert took_s == pytest.approx(20 + COOL_DOWN_S + ENERGY_WINDOW_S, abs=2)
    facts = use.added_to(Facts(graph_breaks=1))
    assert (facts.graph_breaks, facts.image_j, facts.idle_w) == (1, use.image_j, use.idle_w)


def test_a_short_window_gives_no_energy_and_says_how_to_get_it(used):
    use, took_s = used(2 * ENERGY_WINDOW_S - 1)
    assert use.step_s == pytest.approx(0.05)
    assert use.nulls.keys() == {"image_j", "idle_w"}
    assert "--sustained" in use.nulls["image_j"]
    assert took_s < 2 * ENERGY_WINDOW_S + 1  # nobody waits for the device to cool down


def test_without_a_counter_the_step_is_measured_and_the_reason_kept(used):
    use, took_s = used(20, counters="there is no counter")
    assert use.step_s == pytest.approx(0.05)
    assert (use.image_j, use.idle_w) == (None, None)
    assert use.nulls == dict.fromkeys(("image_j", "idle_w"), "there is no counter")
    assert took_s == pytest.approx(20, abs=2)


def test_what_was_not_measured_has_a_reason_for_each_fact():
    use = no_sustained_use("why")
    assert use.nulls == {"sustained_s": "why", "image_j": "why", "idle_w": "why"}
    assert use.added_to(Facts()) == Facts()
