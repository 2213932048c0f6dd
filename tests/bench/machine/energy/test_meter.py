import pytest

from bench.machine.energy.meter import NO_COUNTER, EnergyMeter, card_counters, cpu_counters
from bench.machine.nvml import Gpu
from tests.bench.driver import driver


def card(counter, **fields):
    """A card whose counter of millijoules the test moves: a list with its value."""
    gpu = Gpu(nvml=driver(TotalEnergyConsumption=lambda handle: counter[0]), handle="GPU-aa", **fields)
    return card_counters("aa", find=lambda identity: {"aa": gpu}[identity])


def zone(folder, name, microjoules, *, range_uj=262_143_328_850, label="package-0"):
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    (path / "name").write_text(f"{label}\n")
    (path / "max_energy_range_uj").write_text(f"{range_uj}\n")
    (path / "energy_uj").write_text(f"{microjoules}\n")
    return path / "energy_uj"


def test_joules_are_the_difference_of_a_card_s_counter():
    counter = [5_000]
    meter = EnergyMeter(card(counter))
    counter[0] = 12_500
    assert meter.joules() == (pytest.approx(7.5), None)
    meter.restart()
    counter[0] = 13_500
    assert meter.joules() == (pytest.approx(1.0), None)


def test_what_cannot_be_known_has_a_reason():
    assert EnergyMeter(card_counters(None)).joules() == (None, NO_COUNTER)
    assert EnergyMeter(card_counters("aa", find=lambda _: "no library")).joules() == (None, "no library")
    assert "a part of the card" in EnergyMeter(card([5], instance="MIG-1")).joules()[1]


def test_a_card_s_counter_that_goes_backwards_counts_nothing():
    counter = [5_000]
    meter = EnergyMeter(card(counter))
    counter[0] = 0
    assert meter.joules() == (None, "the counter of the driver went backwards")


def test_a_card_without_a_counter_says_so():
    gpu = Gpu(nvml=driver(), handle="GPU-aa")
    joules, reason = EnergyMeter(card_counters("aa", find=lambda _: gpu)).joules()
    assert joules is None
    assert reason.startswith("NVML: ")


def test_packages_and_memory_add_up(tmp_path):
    first = zone(tmp_path, "intel-rapl:0", 1_000_000)
    memory = zone(tmp_path, "intel-rapl:0:1", 0, label="dram")
    second = zone(tmp_path, "intel-rapl:1", 5_000_000, label="package-1")
    meter = EnergyMeter(cpu_counters(tmp_path))
    first.write_text("3000000")
    memory.write_text("500000")
    second.write_text("6000000")
    assert meter.joules() == (pytest.approx(2 + 0.5 + 1), None)


def test_a_counter_that_begins_again_is_followed(tmp_path):
    file = zone(tmp_path, "intel-rapl:0", 9_000_000, range_uj=10_000_000)
    meter = EnergyMeter(cpu_counters(tmp_path))
    for microjoules in (1_000_000, 8_000_000, 2_000_000):
        file.write_text(str(microjoules))
        meter.tick()
    assert meter.joules() == (pytest.approx(2 + 7 + 4), None)


def test_a_counter_that_vanishes_or_breaks_ends_the_count_with_its_file(tmp_path):
    file = zone(tmp_path, "intel-rapl:0", 9)
    meter = EnergyMeter(cpu_counters(tmp_path))
    file.unlink()
    joules, reason = meter.joules()
    assert joules is None
    assert (str(file) in reason, "errno 2" in reason) == (True, True)
    file.write_text("many")
    assert "not a number" in EnergyMeter(cpu_counters(tmp_path)).joules()[1]
