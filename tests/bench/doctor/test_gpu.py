import types

import pytest

from bench.doctor.gpu import GPU_CHECKS, gpu_checks
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
}


def run(**changes):
    found = gpu_checks(Gpu(nvml=driver(**{**HEALTHY, **changes}), handle="GPU-aa"))
    return {check.name: check for check in found}


def test_a_healthy_gpu_is_good_throughout():
    found = run()
    assert list(found) == list(GPU_CHECKS)
    assert {(check.state, check.remedy) for check in found.values()} == {("good", None)}


@pytest.mark.parametrize(
    ("name", "state", "changes"),
    [
        ("GPU persistence mode", "warn", {"PersistenceMode": 0}),
        ("GPU clocks", "warn", {"ClockInfo": 1200}),
        ("GPU clocks", "good", {"ClockInfo": 345, "CurrentClocksEventReasons": 1}),
        ("GPU throttling", "bad", {"CurrentClocksEventReasons": 0x40}),
        ("GPU throttling", "good", {"CurrentClocksEventReasons": 0x01}),
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
    (check,) = gpu_checks(nvml.find(None))
    assert (check.name, check.state) == ("accelerator", "unknown")
    assert check.seen == "only NVIDIA's driver library reports it"


@pytest.mark.gpu
def test_this_machines_gpu_answers():
    import torch  # noqa: PLC0415

    from bench.worker.describe import nvidia_identity  # noqa: PLC0415 - it imports torch

    if not torch.cuda.is_available() or torch.version.hip:
        pytest.skip("no NVIDIA GPU")
    found = gpu_checks(nvml.find(nvidia_identity("cuda:0")))
    assert [check.name for check in found] == list(GPU_CHECKS)
    assert all(check.seen for check in found)
