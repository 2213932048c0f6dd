import types

import pytest

from bench.machine import nvml
from bench.machine.nvml import Gpu, find, locate


class NvmlError(Exception):
    pass


def driver(names=("H100",), uuids=("GPU-aa",), **answers):
    """NVIDIA's driver library: `answers` by the question; a question that it does not know is an error."""

    def get(question):
        def ask(handle, *arguments):
            if question not in answers:
                raise NvmlError("Not Supported")
            answer = answers[question]
            return answer(*arguments) if callable(answer) else answer

        return ask

    library = types.SimpleNamespace(
        NVMLError=NvmlError,
        NVML_CLOCK_SM=1,
        NVML_TEMPERATURE_GPU=0,
        NVML_TEMPERATURE_THRESHOLD_SLOWDOWN=1,
        nvmlDeviceGetCount=lambda: len(names),
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetName=lambda handle: names[handle],
        nvmlDeviceGetHandleByUUID=uuids.index,
    )
    for question in ("ViolationStatus", "CurrentClocksEventReasons"):
        setattr(library, f"nvmlDeviceGet{question}", get(question))
    return library


def violation(times):
    def answer(policy):
        if policy not in times:
            raise NvmlError("Not Supported")
        return types.SimpleNamespace(violationTime=times[policy])

    return answer


@pytest.mark.parametrize(
    ("names", "environ", "index", "handle"),
    [
        (("H100",), {}, 0, 0),
        (("H100", "H100"), {}, 1, 1),
        (("H100", "H100", "H100"), {"CUDA_VISIBLE_DEVICES": "2, 0"}, 0, 2),
        (("T4", "H100"), {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, 0, 1),
        (("T4", "H100"), {"CUDA_VISIBLE_DEVICES": "GPU-bb"}, 0, 1),
    ],
)
def test_the_device_that_torch_means_is_found(names, environ, index, handle):
    assert locate(driver(names, ("GPU-aa", "GPU-bb")), index, environ).handle == handle


def test_an_identity_tells_cards_apart_where_no_number_does():
    assert locate(driver(("T4", "H100"), ("GPU-aa", "GPU-bb")), 0, {}, "bb").handle == 1


@pytest.mark.parametrize(
    ("names", "environ", "index", "why"),
    [
        (("T4", "H100"), {}, 0, "CUDA_DEVICE_ORDER=PCI_BUS_ID"),
        (("H100",), {"CUDA_VISIBLE_DEVICES": "MIG-1234"}, 0, "MIG-1234"),
        (("H100",), {"CUDA_VISIBLE_DEVICES": ""}, 0, "no device 0"),
        (("H100",), {"CUDA_VISIBLE_DEVICES": "0"}, 1, "no device 1"),
        (("H100",), {}, 1, "no device 1"),
    ],
)
def test_where_it_is_not_known_which_it_is_the_reason_is_told(names, environ, index, why):
    assert why in locate(driver(names), index, environ)


def test_reasons_leave_out_idleness_and_clocks_that_were_set():
    every = driver(CurrentClocksEventReasons=0x1FF)
    assert Gpu(nvml=every, handle=0).reasons() == tuple(nvml.REASONS)
    assert Gpu(nvml=driver(CurrentClocksEventReasons=0x103), handle=0).reasons() == ()
    assert Gpu(nvml=driver(), handle=0).reasons() is None


def test_time_held_is_in_seconds_for_the_policies_that_are_counted():
    gpu = Gpu(nvml=driver(ViolationStatus=violation({0: 2_500_000_000, 1: 0})), handle=0)
    assert gpu.held_s() == {"power": 2.5, "thermal": 0.0}
    assert Gpu(nvml=driver(), handle=0).held_s() == {}


def test_only_nvidias_devices_are_asked_about():
    assert find("xpu:0") == "no driver library is asked about xpu"


def test_a_driver_that_cannot_be_opened_is_a_reason(monkeypatch):
    monkeypatch.setattr(nvml, "library", lambda: (None, "NVML cannot be opened: Driver Not Loaded"))
    assert find("cuda:0", {}) == "NVML cannot be opened: Driver Not Loaded"


def test_an_error_of_the_driver_is_a_reason(monkeypatch):
    def lost(index):
        raise NvmlError("GPU is lost")

    library = driver()
    library.nvmlDeviceGetHandleByIndex = lost
    monkeypatch.setattr(nvml, "library", lambda: (library, ""))
    assert find("cuda:0", {}) == "NVML: GPU is lost"


def test_names_are_those_of_nvidias_library():
    import pynvml  # noqa: PLC0415

    for name, bit in nvml.REASONS.items():
        camel = "".join(word.capitalize() for word in name.split("_"))
        assert getattr(pynvml, f"nvmlClocksEventReason{camel}") == bit
    for name, policy in nvml.POLICIES.items():
        assert getattr(pynvml, f"NVML_PERF_POLICY_{name.upper()}") == policy
