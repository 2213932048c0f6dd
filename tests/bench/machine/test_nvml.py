import sys

import pytest

from bench.machine import nvml
from bench.machine.nvml import Gpu, find, locate
from tests.bench.driver import MismatchError, NvmlError, driver, processes, violation


def gpu(**answers):
    return Gpu(nvml=driver(**answers), handle="GPU-aa")


def test_a_card_is_the_one_of_its_uuid():
    found = locate(driver(("GPU-aa", "GPU-bb")), "bb")
    assert (found.handle, found.instance) == ("GPU-bb", None)


def test_a_part_of_a_card_has_the_clocks_of_the_card_and_processes_of_its_own():
    listed = {"MIG-cc": processes(7), "GPU-aa": processes(7, 8)}
    library = driver(
        parts={"MIG-cc": "GPU-aa"},
        ComputeRunningProcesses=lambda handle: listed[handle](handle),
        ClockInfo=lambda handle, kind: handle,
    )
    found = locate(library, "cc")
    assert (found.handle, found.instance) == ("GPU-aa", "MIG-cc")
    assert found.ask("ClockInfo", 1) == "GPU-aa"
    assert found.processes() == {7}


def test_a_uuid_that_the_driver_does_not_know_is_a_reason():
    assert locate(driver(), "zz") == "NVML: Not Found"


def test_where_no_worker_names_a_gpu_of_nvidia_the_driver_is_not_opened(monkeypatch):
    monkeypatch.setattr(nvml, "library", lambda: 1 / 0)
    assert find(None) == "only NVIDIA's driver library reports it"


def test_a_driver_that_cannot_be_opened_is_a_reason(monkeypatch):
    monkeypatch.setattr(nvml, "library", lambda: (None, "NVML cannot be opened: Driver Not Loaded"))
    assert find("aa") == "NVML cannot be opened: Driver Not Loaded"


def test_an_interpreter_without_the_package_is_a_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvml.library.__wrapped__() == (None, "this interpreter lacks nvidia-ml-py")


def test_reasons_leave_out_idleness_and_clocks_that_were_set():
    assert gpu(CurrentClocksEventReasons=0x1FF).reasons() == tuple(nvml.REASONS)
    assert gpu(CurrentClocksEventReasons=0x103).reasons() == ()
    with pytest.raises(NvmlError):
        gpu().reasons()


@pytest.mark.parametrize("missing", ["symbol", "function"])
def test_a_driver_before_535_has_the_reasons_under_their_old_name(missing):
    def mismatch(handle):
        raise NvmlError("Function Not Found")

    new = {"symbol": mismatch, "function": None}[missing]
    assert gpu(CurrentClocksEventReasons=new, CurrentClocksThrottleReasons=0x40).reasons() == ("hw_thermal_slowdown",)


def test_a_driver_that_is_too_old_for_a_function_has_no_answer():
    def mismatch(handle):
        raise MismatchError("Unversioned function called")

    with pytest.raises(NvmlError):
        gpu(ComputeRunningProcesses=mismatch).processes()


def test_time_held_is_in_seconds_for_the_policies_that_are_counted():
    assert gpu(ViolationStatus=violation({0: 2_500_000_000, 1: 0})).held_s() == {"power": 2.5, "thermal": 0.0}
    assert gpu().held_s() == {}


@pytest.mark.parametrize(
    ("mode", "restriction"), [(0, None), (1, "EXCLUSIVE_THREAD"), (2, "PROHIBITED"), (3, "EXCLUSIVE_PROCESS")]
)
def test_a_compute_mode_may_restrict_processes(mode, restriction):
    assert gpu(ComputeMode=mode).restriction() == restriction


def test_a_compute_mode_that_is_not_reported_restricts_nobody():
    assert gpu().restriction() is None


def test_names_are_those_of_nvidias_library():
    import pynvml  # noqa: PLC0415

    for name, bit in nvml.REASONS.items():
        camel = "".join(word.capitalize() for word in name.split("_"))
        assert getattr(pynvml, f"nvmlClocksEventReason{camel}") == bit
    for name, policy in nvml.POLICIES.items():
        assert getattr(pynvml, f"NVML_PERF_POLICY_{name.upper()}") == policy
    for mode, name in nvml.RESTRICTIONS.items():
        assert getattr(pynvml, f"NVML_COMPUTEMODE_{name}") == mode
