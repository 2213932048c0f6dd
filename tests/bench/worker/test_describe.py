import getpass
import os
import platform
import socket
import types
from pathlib import Path

import msgspec
import psutil
import pytest
import torch
from msgspec import structs

from bench.machine import cpu, software
from bench.worker.describe import accelerator, accelerators, describe, parse_torch_build
from results.schema.run import Accelerator, Environment

BUILD = """\
PyTorch built with:
  - GCC 13.3
  - C++ Version: 202002
  - Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 20240605 for Intel(R) 64 architecture applications
  - Intel(R) MKL-DNN v3.12.0 (Git Hash 80afa71049cd69a3df32adcccb623b12cd7baa22)
  - OpenMP 201511 (a.k.a. OpenMP 4.5)
  - Build settings: BLAS_INFO=mkl, BUILD_TYPE=Release, USE_MKLDNN=ON,
"""


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
    assert accelerator("cuda:0", CUDA, Nvml(), "", nulls) == Accelerator(
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


def test_a_card_without_identity_is_the_visible_one_of_its_number(monkeypatch):
    class Two(Nvml):
        def nvmlDeviceGetCount(self):  # noqa: N802
            return 2

        def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
            return ("another", "handle")[index]

        def nvmlDeviceGetName(self, handle):  # noqa: N802
            return "NVIDIA H100 80GB HBM3"

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    properties = types.SimpleNamespace(**{name: value for name, value in vars(H100).items() if name != "uuid"})
    cuda = types.SimpleNamespace(get_device_properties=lambda index: {0: properties}[index])
    assert accelerator("cuda:0", cuda, Two(), "", {}).clock_hz == 1_755_000_000


def test_a_card_that_cannot_be_identified_has_its_driver_and_the_reason(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1234")
    nulls = {}
    cuda = types.SimpleNamespace(get_device_properties=lambda index: types.SimpleNamespace(name="part", total_memory=1))
    described = accelerator("cuda:0", cuda, Nvml(), "", nulls)
    assert (described.driver, described.clock_hz) == ("570.86.15", None)
    assert "MIG-1234" in nulls["accelerators.cuda:0.clock_hz"]


def test_what_the_driver_does_not_know_is_none_with_its_words():
    nulls = {}
    found = accelerator("cuda:0", CUDA, Nvml(power_is_known=False), "", nulls)
    assert found.power_limit_w is None
    assert found.clock_hz == 1_755_000_000
    assert nulls == {"accelerators.cuda:0.power_limit_w": "NVML: Not Supported"}


def test_an_apple_gpu_has_what_torch_tells_and_reasons_for_the_rest():
    nulls = {}
    mps = types.SimpleNamespace(recommended_max_memory=lambda: 12_000)
    found = accelerator("mps:0", mps, None, "only NVIDIA's driver library reports it", nulls)
    assert found == Accelerator(device="mps:0", name="mps", memory_bytes=12_000)
    assert set(nulls) == {
        f"accelerators.mps:0.{field}" for field in ("capability", "driver", "clock_hz", "max_clock_hz", "power_limit_w")
    }
    assert nulls["accelerators.mps:0.driver"] == "only NVIDIA's driver library reports it"


def test_memory_that_the_properties_lack_is_asked_of_the_generic_interface(monkeypatch):
    npu = types.SimpleNamespace(get_device_properties=lambda index: types.SimpleNamespace(name="NPU"))
    memory = {"npu:1": (5_000, 64_000)}
    monkeypatch.setattr(torch.accelerator.memory, "get_memory_info", memory.__getitem__)
    nulls = {}
    assert accelerator("npu:1", npu, None, "no library", nulls).memory_bytes == 64_000
    assert "accelerators.npu:1.memory_bytes" not in nulls

    def refuse(device):
        raise NotImplementedError("no allocator")

    monkeypatch.setattr(torch.accelerator.memory, "get_memory_info", refuse)
    assert accelerator("npu:1", npu, None, "no library", nulls).memory_bytes is None
    assert nulls["accelerators.npu:1.memory_bytes"] == "torch does not report it"
    monkeypatch.delattr(torch.accelerator.memory, "get_memory_info")
    assert accelerator("npu:1", npu, None, "no library", {}).memory_bytes is None


def test_no_accelerator_has_its_reason(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    nulls = {}
    assert accelerators(nulls) == ()
    assert nulls == {"accelerators": "torch finds none"}


@pytest.mark.gpu
def test_this_machines_accelerators_are_found():
    if not torch.accelerator.is_available():
        pytest.skip("no accelerator")
    nulls = {}
    found = accelerators(nulls)
    assert [one.device.partition(":")[2] for one in found] == [str(i) for i in range(torch.accelerator.device_count())]
    for one in found:
        for field in ("memory_bytes", "capability", "driver", "clock_hz", "max_clock_hz", "power_limit_w"):
            assert (getattr(one, field) is None) == (f"accelerators.{one.device}.{field}" in nulls)


def test_what_torch_was_built_with_is_read_from_its_text():
    assert parse_torch_build(BUILD) == {
        "mkl": "2024.2-Product Build 20240605",
        "onednn": "v3.12.0",
        "openmp": "201511 (a.k.a. OpenMP 4.5)",
        "compiler": "GCC 13.3",
        "blas": "mkl",
    }
    assert parse_torch_build("") == {}


@pytest.fixture(scope="module")
def here():
    return describe()


def test_this_machine_is_described(here):
    assert isinstance(here, Environment)
    assert 1 <= here.usable_cores <= here.logical_cores == os.cpu_count()
    assert here.memory_bytes == psutil.virtual_memory().total
    assert here.torch == torch.__version__
    assert here.torch_threads == torch.get_num_threads()
    assert here.torch_build["git"] == torch.version.git_version
    assert here.python == f"CPython {platform.python_version()}"
    assert here.cpu_flags == cpu.cpu_flags()
    assert len(here.accelerators) == torch.accelerator.device_count()


def test_every_missing_value_has_its_reason(here):
    missing = {field.name for field in structs.fields(here) if getattr(here, field.name) is None}
    assert missing <= set(here.nulls)
    assert all(here.nulls.values())
    present = {field.name for field in structs.fields(here)} - missing - {"accelerators"}
    assert not present & set(here.nulls)


def test_nobody_is_named(monkeypatch):
    host, user = "qx-odd-host-73", "zv_odd_user_41"
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    machine = platform.uname()
    monkeypatch.setattr(platform, "uname", lambda: machine._replace(node=host))
    home = f"/home/{user}"
    for name, value in {
        "HOSTNAME": host,
        "USER": user,
        "LOGNAME": user,
        "HOME": home,
        "PWD": f"{home}/{host}",
        "OMP_NUM_THREADS": "1",
        "TORCHINDUCTOR_CACHE_DIR": f"{home}/{host}",
        "MALLOC_CONF_FILE": f"~{user}",
        "LD_PRELOAD": f"{home}/libnone.so",
    }.items():
        monkeypatch.setenv(name, value)
    assert (getpass.getuser(), socket.gethostname(), platform.node()) == (user, host, host)
    monkeypatch.setattr(software, "_ROOT", Path(home) / host)
    text = repr(msgspec.to_builtins(describe()))
    assert "OMP_NUM_THREADS" in text
    assert "libnone.so" in text
    for private in (host, user, "/home"):
        assert private not in text
