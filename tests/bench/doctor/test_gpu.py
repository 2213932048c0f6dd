import types

import pytest

from bench.doctor.gpu import GPU_CHECKS, gpu_checks, old_driver
from bench.machine import nvml
from bench.machine.nvml import Gpu
from tests.bench.driver import NvmlError, driver, processes

HEALTHY = {
    "PersistenceMode": 1,
    "ClockInfo": 1950,
    "MaxClockInfo": 1980,
    "CurrentClocksEventReasons": 0,
    "ComputeRunningProcesses": processes(),
    "GraphicsRunningProcesses": processes(),
    "UtilizationRates": types.SimpleNamespace(gpu=0),
    "Temperature": 40,
    "TemperatureThreshold": 90,
    "EnforcedPowerLimit": 700_000,
    "PowerManagementDefaultLimit": 700_000,
    "EccMode": [1, 1],
    "ComputeMode": 0,
    "MigMode": [0, 0],
    "CurrPcieLinkWidth": 16,
    "MaxPcieLinkWidth": 16,
}


def run(torch_cuda="13.0", **changes):
    found = gpu_checks(Gpu(nvml=driver(**{**HEALTHY, **changes}), handle="GPU-aa"), torch_cuda)
    return {check.name: check for check in found}


def test_a_healthy_gpu_is_good_throughout():
    found = run()
    assert list(found) == ["GPU driver", *GPU_CHECKS]
    assert {(check.state, check.remedy) for check in found.values()} == {("good", None)}


@pytest.mark.parametrize(
    ("name", "state", "changes"),
    [
        ("GPU persistence mode", "warn", {"PersistenceMode": 0}),
        ("GPU clocks", "warn", {"ClockInfo": 1200}),
        ("GPU clocks", "good", {"ClockInfo": 345, "CurrentClocksEventReasons": 1}),
        ("GPU throttling", "bad", {"CurrentClocksEventReasons": 0x40}),
        ("GPU throttling", "warn", {"CurrentClocksEventReasons": 0x04}),
        ("GPU throttling", "good", {"CurrentClocksEventReasons": 0x01}),
        ("GPU clock setting", "warn", {"CurrentClocksEventReasons": 0x02}),
        ("GPU compute mode", "warn", {"ComputeMode": 3}),
        ("GPU compute mode", "bad", {"ComputeMode": 2}),
        ("GPU MIG", "warn", {"MigMode": [1, 1]}),
        ("GPU MIG", "warn", {"MigMode": [0, 1]}),
        ("GPU PCIe link", "warn", {"CurrPcieLinkWidth": 4}),
        ("GPU processes", "warn", {"GraphicsRunningProcesses": processes(7)}),
        ("GPU processes", "bad", {"UtilizationRates": types.SimpleNamespace(gpu=60)}),
        ("GPU temperature", "warn", {"Temperature": 80}),
        ("GPU temperature", "bad", {"Temperature": 90}),
        ("GPU power cap", "warn", {"EnforcedPowerLimit": 500_000}),
        ("GPU ECC", "warn", {"EccMode": [1, 0]}),
        ("GPU ECC", "good", {"EccMode": [0, 0]}),
    ],
)
def test_what_is_seen_decides_and_what_is_not_good_has_a_remedy(name, state, changes):
    check = run(**changes)[name]
    assert check.state == state
    assert (check.remedy is None) == (state == "good")


@pytest.mark.parametrize(
    ("torch_cuda", "state"),
    [("13.0", "good"), ("12.8", "good"), ("13.2", "warn"), ("14.0", "bad"), (None, "unknown")],
)
def test_the_driver_is_as_new_as_torch_wants(torch_cuda, state):
    check = run(torch_cuda)["GPU driver"]
    assert check.state == state
    assert "driver 580.65.06 knows CUDA 13.0" in check.seen
    assert (check.remedy is None) == (state in {"good", "unknown"})


def test_a_driver_that_is_too_old_for_torch_says_why_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(nvml, "library", lambda: (driver(), ""))
    assert old_driver("13.2") is None
    assert old_driver("14.0") == (
        "driver 580.65.06 knows CUDA 13.0, torch is built for 14.0: "
        "install a driver for CUDA 14.0, or torch for CUDA 13.0"
    )
    monkeypatch.setattr(nvml, "library", lambda: (None, "NVML cannot be opened"))
    assert old_driver("14.0") is None


def test_a_driver_before_535_is_asked_for_the_reasons_by_their_old_name():
    check = run(CurrentClocksEventReasons=None, CurrentClocksThrottleReasons=0x40)["GPU throttling"]
    assert (check.state, check.seen) == ("bad", "hw_thermal_slowdown")


def test_a_process_that_computes_and_draws_is_one():
    both = {f"{kind}RunningProcesses": processes(7) for kind in ("Compute", "Graphics")}
    assert run(**both)["GPU processes"].seen.startswith("1;")


@pytest.mark.parametrize("question", ["EccMode", "TemperatureThreshold", "PersistenceMode"])
def test_what_the_driver_does_not_tell_is_unknown_with_its_words(question):
    def refuse(*arguments):
        raise NvmlError("Not Supported")

    unknown = [check for check in run(**{question: refuse}).values() if check.state == "unknown"]
    assert [check.seen for check in unknown] == ["NVML: Not Supported"]


def test_an_accelerator_without_a_driver_library_is_unknown_once():
    (check,) = gpu_checks(nvml.find(None), None)
    assert (check.name, check.state) == ("accelerator", "unknown")
    assert check.seen == "only NVIDIA's driver library reports it"


@pytest.mark.gpu
def test_this_machines_gpu_answers():
    import torch  # noqa: PLC0415

    from bench.worker.describe import nvidia_identity  # noqa: PLC0415 - it imports torch

    if not torch.cuda.is_available() or torch.version.hip:
        pytest.skip("no NVIDIA GPU")
    found = gpu_checks(nvml.find(nvidia_identity("cuda:0")), torch.version.cuda)
    assert [check.name for check in found] == ["GPU driver", *GPU_CHECKS]
    assert all(check.seen for check in found)
