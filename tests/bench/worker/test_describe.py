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

from bench.machine import cpu, nvml, software
from bench.worker.describe import accelerator, accelerators, describe, nvidia_identity, parse_torch_build
from results.schema.lines.run import Accelerator, Environment

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
    """NVIDIA's driver library with one H100, which torch sees as its device 0."""

    NVMLError = NvmlError
    NVMLLibraryMismatchError = KeyError
    NVML_CLOCK_SM = 1

    def __init__(self, *, power_is_known=True):
        self.power_is_known = power_is_known

    def nvmlDeviceGetHandleByUUID(self, identity):  # noqa: N802
        if identity != "GPU-1234":
            raise NvmlError("Not Found")
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


@pytest.mark.parametrize(
    ("properties", "why"),
    [({}, "torch does not report its UUID"), ({"uuid": "99"}, "NVML: Not Found")],
)
def test_a_card_that_cannot_be_identified_has_its_driver_and_the_reason(properties, why):
    nulls = {}
    part = types.SimpleNamespace(name="part", total_memory=1, **properties)
    described = accelerator(
        "cuda:0", types.SimpleNamespace(get_device_properties=lambda index: part), Nvml(), "", nulls
    )
    assert (described.driver, described.clock_hz) == ("570.86.15", None)
    assert nulls["accelerators.cuda:0.clock_hz"] == why


@pytest.mark.parametrize(
    ("device", "hip", "available", "identity"),
    [
        ("cuda:0", None, True, "1234"),
        ("cuda:0", "6.4", True, None),
        ("cuda:0", None, False, None),
        ("xpu:0", None, True, None),
        ("cpu", None, True, None),
    ],
)
def test_only_a_card_of_nvidia_has_an_identity(monkeypatch, device, hip, available, identity):
    monkeypatch.setattr(torch.version, "hip", hip)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: {"cuda:0": H100}[device])
    assert nvidia_identity(device) == identity


@pytest.mark.gpu
def test_nvml_knows_this_machines_card_by_its_identity():
    if not torch.cuda.is_available() or torch.version.hip:
        pytest.skip("no NVIDIA GPU")
    assert isinstance(nvml.find(nvidia_identity("cuda:0")), nvml.Gpu)


def test_an_amd_card_has_its_own_name_of_an_architecture(monkeypatch):
    monkeypatch.setattr(torch.version, "hip", "6.4")
    mi300 = types.SimpleNamespace(name="AMD Instinct MI300X", total_memory=1, major=9, minor=4, gcnArchName="gfx942")
    hip = types.SimpleNamespace(get_device_properties=lambda index: mi300)
    assert accelerator("cuda:0", hip, None, "only NVIDIA's driver library reports it", {}).capability == "gfx942"


def test_what_the_driver_does_not_know_is_none_with_its_words():
    nulls = {}
    found = accelerator("cuda:0", CUDA, Nvml(power_is_known=False), "", nulls)
    assert found.power_limit_w is None
    assert found.clock_hz == 1_755_000_000
    assert nulls == {"accelerators.cuda:0.power_limit_w": "NVML: Not Supported"}


def test_an_accelerator_without_properties_has_what_torch_tells_and_reasons_for_the_rest(monkeypatch):
    monkeypatch.setattr(torch.accelerator.memory, "get_memory_info", {"npu:0": (5_000, 12_000)}.__getitem__)
    nulls = {}
    described = accelerator("npu:0", types.SimpleNamespace(), None, "only NVIDIA's driver library reports it", nulls)
    assert described == Accelerator(device="npu:0", name="npu", memory_bytes=12_000)
    assert set(nulls) == {
        f"accelerators.npu:0.{field}" for field in ("capability", "driver", "clock_hz", "max_clock_hz", "power_limit_w")
    }
    assert nulls["accelerators.npu:0.driver"] == "only NVIDIA's driver library reports it"


def test_metal_is_not_asked_in_a_forked_process(monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: pytest.fail("Metal was asked"))
    nulls = {}
    assert accelerators(nulls) == ()
    assert "Metal hangs" in nulls["accelerators"]


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


def test_a_cudnn_that_refuses_the_gpu_is_a_null_with_its_words(monkeypatch):
    def refuse():
        raise RuntimeError("cuDNN version 91100 is not compatible with devices with SM < 7.5. See /home/ada/lib")

    monkeypatch.setattr(torch.backends.cudnn, "version", refuse)
    described = describe()
    assert "cudnn" not in described.torch_build
    assert described.nulls["torch_build.cudnn"] == "cuDNN version 91100 is not compatible with devices with SM < 7.5"


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
