import threading
import types

import pytest

from bench.machine.nvml import REASONS, Gpu
from bench.process.gpu_watch import GROWTH_BYTES, GpuWatch, own_memory
from results.schema.lines.record import Clocks, Noise, Readings
from tests.bench.driver import driver, processes, violation


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watch(clock):
    """Watch a GPU with a driver that answers so."""

    def begin(**answers):
        gpu = Gpu(nvml=driver(**answers), handle="GPU-aa")
        watch = GpuWatch(find=lambda identity: {"aa": gpu}[identity], clock=clock, own=lambda: {41, 42})
        watch.begin("aa")
        return watch

    return begin


def one_after_another(*lists):
    """Answer with a list of processes after another; a question too many is an error."""
    answers = iter(lists)

    def answer(handle):
        return processes(*next(answers))(handle)

    return answer


def held(watch):
    return watch.signs(Noise())[0].accelerator_held


def test_a_policy_has_its_share_of_the_time(watch, clock):
    times = {0: 5_000_000_000, 1: 0, 5: 7}
    subject = watch(ViolationStatus=violation(times))
    clock.now, times[0], times[5] = 110.0, 11_000_000_000, 20_000_000_007
    assert held(subject) == {"power": pytest.approx(0.6), "thermal": 0.0, "reliability": 1.0}


def test_a_counter_that_begins_anew_counts_nothing(watch, clock):
    times = {0: 5_000_000_000}
    subject = watch(ViolationStatus=violation(times))
    clock.now, times[0] = 110.0, 0
    assert held(subject) == {"power": 0.0}


def test_a_reason_has_its_share_of_the_turns(watch):
    bits = iter([0x04, 0x04, 0x40, 0x00])
    subject = watch(CurrentClocksEventReasons=lambda handle: next(bits))
    for _ in range(4):
        subject.read()
    assert held(subject) == dict.fromkeys(REASONS, 0.0) | {"sw_power_cap": 0.5, "hw_thermal_slowdown": 0.25}


def test_reasons_are_those_after_turns_and_not_those_of_an_end(watch):
    subject = watch(CurrentClocksEventReasons=lambda handle: 1 / 0)
    assert held(subject) is None


def test_clock_and_power_after_the_turns_have_a_median_and_a_range(watch):
    clocks = iter([300, *range(1900, 1919), 1980])
    subject = watch(ClockInfo=lambda handle, kind: next(clocks), PowerUsage=lambda handle: 350_000)
    for _ in range(21):
        subject.read()
    read, nulls = subject.clocks()
    assert read == Clocks(
        turns=21,
        sm_hz=Readings(median=1_909_000_000, low=1_900_000_000, high=1_918_000_000),
        power_w=Readings(median=350, low=350, high=350),
    )
    assert nulls == {}


def test_few_readings_have_their_whole_range(watch):
    clocks = iter([1400, 1900, 1950])
    subject = watch(ClockInfo=lambda handle, kind: next(clocks))
    for _ in range(3):
        subject.read()
    read, nulls = subject.clocks()
    assert (read.turns, read.sm_hz) == (3, Readings(median=1.9e9, low=1.4e9, high=1.95e9))
    assert (read.power_w, nulls) == (None, {"clocks.power_w": "NVML: Not Supported"})


def test_without_a_turn_there_is_no_clock(watch):
    assert watch(ClockInfo=1900).clocks() == (None, {"clocks": "no turn was measured"})


@pytest.mark.parametrize(("pids", "others"), [((41,), 0), ((41, 42), 0), ((41, 7), 1), ((42, 7, 8), 2)])
def test_processes_that_are_none_of_this_runs_are_counted(watch, pids, others):
    subject = watch(ComputeRunningProcesses=processes(*pids))
    subject.read()
    assert subject.signs(Noise())[0].accelerator_processes == others


def test_the_most_processes_at_a_time_count_and_they_are_listed_once_a_second(watch, clock):
    subject = watch(ComputeRunningProcesses=one_after_another([41], [41, 7, 8], [41, 9]))
    for now in (100.0, 100.5, 101.0, 101.9, 102.0):
        clock.now = now
        subject.read()
    assert subject.signs(Noise())[0].accelerator_processes == 2


@pytest.mark.parametrize("pids", [(), (900_001,)])
def test_in_a_container_that_hides_processes_their_number_is_unknown(watch, pids):
    subject = watch(ComputeRunningProcesses=processes(*pids))
    subject.read()
    noise, missing = subject.signs(Noise())
    assert noise.accelerator_processes is None
    assert missing["accelerator_processes"] == "NVML lists none of this run's processes, as in a container"


@pytest.mark.parametrize(
    ("pids", "growth", "own", "others"),
    [
        ((900_001,), GROWTH_BYTES + 1, False, 1),
        ((900_001,), GROWTH_BYTES, False, None),
        ((900_001,), -GROWTH_BYTES, False, None),
        ((900_001,), GROWTH_BYTES + 1, True, None),
        ((41,), GROWTH_BYTES + 1, False, 0),
    ],
)
def test_where_processes_are_hidden_memory_that_no_worker_took_is_a_sign(watch, clock, pids, growth, own, others):
    used = types.SimpleNamespace(used=5 << 30)
    subject = watch(ComputeRunningProcesses=processes(*pids), MemoryInfo=used)
    subject.read()
    if own:
        own_memory.may_grow()
    used.used += growth
    clock.now += 1
    subject.read()
    assert subject.signs(Noise())[0].accelerator_processes == others


def test_what_the_workers_of_another_card_take_explains_no_memory_of_this(watch, clock):
    used = types.SimpleNamespace(used=5 << 30)
    subject = watch(ComputeRunningProcesses=processes(900_001), MemoryInfo=used)
    subject.read()
    other = threading.Thread(target=own_memory.may_grow)
    other.start()
    other.join()
    used.used += GROWTH_BYTES + 1
    clock.now += 1
    subject.read()
    assert subject.signs(Noise())[0].accelerator_processes == 1


def test_a_run_is_not_counted_where_it_has_ended_a_worker(watch, clock, monkeypatch):
    subject = watch(ComputeRunningProcesses=one_after_another([41, 42], [42]))
    subject.read()
    monkeypatch.setattr(subject, "_own", lambda: {42})
    clock.now += 1
    subject.read()
    assert subject.signs(Noise())[0].accelerator_processes == 0


def test_other_signs_remain(watch):
    subject = watch(ViolationStatus=violation({0: 0}))
    assert subject.signs(Noise(steal=0.5))[0].steal == 0.5


def test_a_driver_that_reports_nothing_is_a_reason(watch):
    subject = watch()
    subject.read()
    assert subject.signs(Noise()) == (
        Noise(),
        {
            "accelerator_held": "NVML reports no reason of low clocks",
            "accelerator_processes": "NVML: Not Supported",
        },
    )


def test_a_gpu_that_cannot_be_asked_is_a_reason():
    subject = GpuWatch(find=lambda identity: "NVML cannot be opened: Driver Not Loaded")
    assert subject.signs(Noise())[1]["accelerator_held"] == "its worker was never ready"
    subject.begin("aa")
    subject.read()
    assert subject.signs(Noise())[1]["accelerator_held"] == "NVML cannot be opened: Driver Not Loaded"
    assert subject.clocks() == (None, {"clocks": "NVML cannot be opened: Driver Not Loaded"})


def test_the_driver_of_another_vendor_is_not_asked():
    subject = GpuWatch()
    subject.begin(None)
    assert subject.signs(Noise())[1]["accelerator_held"] == "only NVIDIA's driver library reports it"
