import types

import pytest

from bench.worker.accelerators import _describe, find
from results.schema.run import Accelerator


class NvmlError(Exception):
    pass


class Nvml:
    """NVIDIA's driver library with one H100, which torch sees as its device 0 and NVML numbers otherwise."""

    NVMLError = NvmlError
    NVML_CLOCK_SM = 1

    def __init__(self, *, power_is_known=True):
        self.power_is_known = power_is_known

    def nvmlDeviceGetHandleByUUID(self, identity):  # noqa: N802
        assert identity == "GPU-1234"
        return "handle"

    def nvmlSystemGetDriverVersion(self):  # noqa: N802
        return "570.86.15"

    def nvmlDeviceGetClockInfo(self, handle, kind):  # noqa: N802
        assert (handle, kind) == ("handle", 1)
        return 1755

    def nvmlDeviceGetMaxClockInfo(self, handle, kind):  # noqa: N802
        assert (handle, kind) == ("handle", 1)
        return 1980

    def nvmlDeviceGetEnforcedPowerLimit(self, handle):  # noqa: N802
        assert handle == "handle"
        if not self.power_is_known:
            raise NvmlError("Not Supported")
        return 700_000


H100 = types.SimpleNamespace(name="NVIDIA H100 80GB HBM3", total_memory=85_000_000_000, major=9, minor=0, uuid="1234")
CUDA = types.SimpleNamespace(get_device_properties=lambda index: {0: H100}[index])


def test_an_nvidia_card_is_described_in_base_units():
    nulls = {}
    assert _describe("cuda:0", CUDA, Nvml(), "", nulls) == Accelerator(
        device="cuda:0",
        name="NVIDIA H100 80GB HBM3",
        memory_bytes=85_000_000_000,
        capability="9.0",
        driver="570.86.15",
        clock_hz=1_755_000_000,
        max_clock_hz=1_980_000_000,
        power_limit_w=pytest.approx(700),
    )
    assert nulls == {}


def test_what_the_driver_does_not_know_is_none_with_its_words():
    nulls = {}
    found = _describe("cuda:0", CUDA, Nvml(power_is_known=False), "", nulls)
    assert found.power_limit_w is None
    assert found.clock_hz == 1_755_000_000
    assert nulls == {"accelerators.cuda:0.power_limit_w": "NVML: Not Supported"}


def test_an_apple_gpu_has_what_torch_tells_and_reasons_for_the_rest():
    nulls = {}
    mps = types.SimpleNamespace(recommended_max_memory=lambda: 12_000)
    found = _describe("mps:0", mps, None, "only NVIDIA's driver library tells", nulls)
    assert found == Accelerator(device="mps:0", name="mps", memory_bytes=12_000)
    assert set(nulls) == {
        f"accelerators.mps:0.{field}" for field in ("capability", "driver", "clock_hz", "max_clock_hz", "power_limit_w")
    }
    assert nulls["accelerators.mps:0.driver"] == "only NVIDIA's driver library tells"


def test_no_accelerator_has_its_reason(monkeypatch):
    import torch  # noqa: PLC0415

    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    nulls = {}
    assert find(nulls) == ()
    assert nulls == {"accelerators": "torch finds none"}


@pytest.mark.gpu
def test_this_machines_accelerators_are_found():
    import torch  # noqa: PLC0415

    if not torch.accelerator.is_available():
        pytest.skip("no accelerator")
    nulls = {}
    found = find(nulls)
    assert [one.device.partition(":")[2] for one in found] == [str(i) for i in range(torch.accelerator.device_count())]
    for one in found:
        assert one.memory_bytes
        for field in ("capability", "driver", "clock_hz", "max_clock_hz", "power_limit_w"):
            assert (getattr(one, field) is None) == (f"accelerators.{one.device}.{field}" in nulls)
