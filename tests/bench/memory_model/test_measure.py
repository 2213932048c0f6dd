from types import SimpleNamespace

import pytest

from bench.measure.device import PeakMemory
from bench.memory_model.measure import _from_events, measured_memory
from bench.profiling.events import MARK


def event(name, nbytes=0):
    return SimpleNamespace(name=lambda: name, nbytes=lambda: nbytes)


def test_allocations_stand_on_what_lived_before_and_marks_divide_them():
    events = [event("[memory]", 100), event("aten::add"), event(MARK), event("[memory]", 50), event("[memory]", -150)]
    answer = _from_events(events, 1000, ("forward", "backward"))
    assert answer.peak_bytes == 1150
    assert [(point.bytes, point.phase) for point in answer.points] == [
        (1000, "forward"),
        (1100, "forward"),
        (1150, "backward"),
        (1000, "backward"),
    ]


@pytest.mark.parametrize(("allocated", "reason"), [(123, None), (None, "no statistics")])
def test_a_device_s_allocator_gives_the_peak_or_the_reason(make_case, allocated, reason):
    calls = []
    device = SimpleNamespace(
        synchronize=lambda: calls.append("wait"),
        restart_peak=lambda: calls.append("restart"),
        peak_memory=lambda: PeakMemory(allocated=allocated, reserved=None, reason=reason),
    )
    workload = SimpleNamespace(context=pytest.MonkeyPatch.context, step=lambda mark: calls.append("step"))
    answer = measured_memory(make_case(device="cuda:0"), workload, device)
    assert calls == ["step", "wait", "restart", "step", "wait"]
    assert answer.peak_bytes == allocated
    assert answer.nulls.get("measured_bytes") == reason
