import pytest

from bench.machine.nvml import Gpu
from bench.process.training.energy import NO_COUNTER, EnergyMeter
from tests.bench.driver import driver


def meter(counter, **fields):
    """Read a counter of millijoules that the test moves: a list with its value."""

    def answer(handle):
        return counter[0]

    gpu = Gpu(nvml=driver(TotalEnergyConsumption=answer), handle="GPU-aa", **fields)
    return EnergyMeter("aa", find=lambda identity: {"aa": gpu}[identity])


def test_joules_are_the_counter_s_difference():
    counter = [5_000]
    subject = meter(counter)
    counter[0] = 12_500
    assert subject.joules() == (pytest.approx(7.5), None)
    subject.restart()
    counter[0] = 13_500
    assert subject.joules() == (pytest.approx(1.0), None)


def test_what_cannot_be_known_has_a_reason():
    assert EnergyMeter(None).joules() == (None, NO_COUNTER)
    assert EnergyMeter("aa", find=lambda _: "no library").joules() == (None, "no library")
    assert "a part of the card" in meter([5], instance="MIG-1").joules()[1]
    counter = [5_000]
    subject = meter(counter)
    counter[0] = 0
    assert subject.joules() == (None, "the counter of the driver went backwards")


def test_a_card_without_a_counter_says_so():
    gpu = Gpu(nvml=driver(), handle="GPU-aa")
    joules, reason = EnergyMeter("aa", find=lambda _: gpu).joules()
    assert joules is None
    assert reason.startswith("NVML: ")
