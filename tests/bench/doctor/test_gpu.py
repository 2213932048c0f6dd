import types

import pytest

from bench.doctor.gpu import GPU_CHECKS, gpu_checks
from bench.machine.nvml import Gpu


class NvmlError(Exception):
    pass


HEALTHY = {
    "PersistenceMode": lambda: 1,
    "ClockInfo": lambda kind: 1950,
    "MaxClockInfo": lambda kind: 1980,
    "CurrentClocksEventReasons": lambda: 0,
    "ComputeRunningProcesses": list,
    "GraphicsRunningProcesses": list,
    "UtilizationRates": lambda: types.SimpleNamespace(gpu=0),
    "Temperature": lambda sensor: 40,
    "TemperatureThreshold": lambda threshold: 90,
    "EnforcedPowerLimit": lambda: 700_000,
    "PowerManagementDefaultLimit": lambda: 700_000,
    "EccMode": lambda: [1, 1],
}


def run(**changes):
    library = types.SimpleNamespace(
        NVMLError=NvmlError, NVML_CLOCK_SM=1, NVML_TEMPERATURE_GPU=0, NVML_TEMPERATURE_THRESHOLD_SLOWDOWN=1
    )
    for name, answer in {**HEALTHY, **changes}.items():
        setattr(library, f"nvmlDeviceGet{name}", lambda handle, *arguments, answer=answer: answer(*arguments))
    found = gpu_checks("cuda:0", lambda device: Gpu(nvml=library, handle=0))
    return {check.name: check for check in found}


def test_a_healthy_gpu_is_good_throughout():
    found = run()
    assert list(found) == list(GPU_CHECKS)
    assert {(check.state, check.remedy) for check in found.values()} == {("good", None)}


@pytest.mark.parametrize(
    ("name", "state", "changes"),
    [
        ("GPU persistence mode", "warn", {"PersistenceMode": lambda: 0}),
        ("GPU clocks", "warn", {"ClockInfo": lambda kind: 1200}),
        ("GPU clocks", "good", {"ClockInfo": lambda kind: 345, "CurrentClocksEventReasons": lambda: 1}),
        ("GPU throttling", "bad", {"CurrentClocksEventReasons": lambda: 0x40}),
        ("GPU throttling", "good", {"CurrentClocksEventReasons": lambda: 0x01}),
        ("GPU processes", "warn", {"GraphicsRunningProcesses": lambda: [types.SimpleNamespace(pid=7)]}),
        ("GPU processes", "bad", {"UtilizationRates": lambda: types.SimpleNamespace(gpu=60)}),
        ("GPU temperature", "warn", {"Temperature": lambda sensor: 80}),
        ("GPU temperature", "bad", {"Temperature": lambda sensor: 90}),
        ("GPU power cap", "warn", {"EnforcedPowerLimit": lambda: 500_000}),
        ("GPU ECC", "warn", {"EccMode": lambda: [1, 0]}),
        ("GPU ECC", "good", {"EccMode": lambda: [0, 0]}),
    ],
)
def test_what_is_seen_decides_and_what_is_not_good_has_a_remedy(name, state, changes):
    check = run(**changes)[name]
    assert check.state == state
    assert (check.remedy is None) == (state == "good")


def test_a_process_that_computes_and_draws_is_one():
    both = {f"{kind}RunningProcesses": lambda: [types.SimpleNamespace(pid=7)] for kind in ("Compute", "Graphics")}
    assert run(**both)["GPU processes"].seen.startswith("1;")


@pytest.mark.parametrize("question", ["EccMode", "TemperatureThreshold", "PersistenceMode"])
def test_what_the_driver_does_not_tell_is_unknown_with_its_words(question):
    def refuse(*arguments):
        raise NvmlError("Not Supported")

    unknown = [check for check in run(**{question: refuse}).values() if check.state == "unknown"]
    assert [check.seen for check in unknown] == ["NVML: Not Supported"]


def test_an_accelerator_without_a_driver_library_is_unknown_once():
    (check,) = gpu_checks("xpu:0")
    assert (check.state, check.seen) == ("unknown", "no driver library is asked about xpu")


@pytest.mark.gpu
def test_this_machines_gpu_answers():
    import torch  # noqa: PLC0415

    if not torch.cuda.is_available() or torch.version.hip:
        pytest.skip("no NVIDIA GPU")
    found = gpu_checks("cuda:0")
    assert [check.name for check in found] == list(GPU_CHECKS)
    assert all(check.seen for check in found)
