"""The real nvidia-ml-py on a stand-in for NVIDIA's driver library, with what cards of several kinds answer."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SOURCE = pathlib.Path(__file__).with_name("fake_nvml.c")
H100 = {
    "Uuid": "GPU-aa",
    "Driver": "580.65.06",
    "Cuda": "13000",
    "ClockInfo": "1980",
    "MaxClockInfo": "1980",
    "PowerUsage": "612000",
    "EnforcedPowerLimit": "700000",
    "PowerManagementDefaultLimit": "700000",
    "ViolationStatus": "0,0,0,0,0,0",
    "CurrentClocksEventReasons": "0",
    "ComputeMode": "0",
    "MigMode": "0,0",
    "EccMode": "1,1",
    "PersistenceMode": "1",
    "UtilizationRates": "0",
    "Temperature": "55",
    "TemperatureThreshold": "92",
    "CurrPcieLinkWidth": "16",
    "MaxPcieLinkWidth": "16",
    "ComputeRunningProcesses": "41",
    "GraphicsRunningProcesses": "",
}
"""Answers of an H100 in good order, by the question; the process 41 is ours."""
T4_AT_ITS_CAP = H100 | {
    "ClockInfo": "900",
    "MaxClockInfo": "1590",
    "PowerUsage": "69800",
    "EnforcedPowerLimit": "70000",
    "PowerManagementDefaultLimit": "70000",
    "CurrentClocksEventReasons": "0x4",
    "MigMode": "!3",
}
GEFORCE = H100 | {"ViolationStatus": "!3", "EccMode": "!3", "MigMode": "!3", "PersistenceMode": "0"}
MIG = H100 | {
    "Part": "MIG-cc",
    "MigMode": "1,1",
    "PartComputeRunningProcesses": "41",
    "ComputeRunningProcesses": "41,7",
}
EXCLUSIVE = H100 | {"ComputeMode": "3"}
OLD = {key: value for key, value in H100.items() if key != "CurrentClocksEventReasons"} | {
    "Driver": "470.42.01",
    "Cuda": "11040",
    "CurrentClocksThrottleReasons": "0x40",
}
PROGRAM = """
import json, os, sys
import msgspec
from bench.doctor.gpu import gpu_checks
from bench.machine import nvml
from bench.process.gpu_watch import GpuWatch
from results.schema.lines.record import Noise

identity, *readings = json.loads(sys.argv[1])
now = 0.0
watch = GpuWatch(clock=lambda: now, own=lambda: {41})
os.environ["FAKE_NVML"] = readings[0]
watch.begin(identity)
for os.environ["FAKE_NVML"] in readings[1:]:
    now += 10.0
    watch.read()
noise, missing = watch.signs(Noise())
clocks, nulls = watch.clocks()
gpu = nvml.find(identity)
print(json.dumps({
    "gpu": gpu if isinstance(gpu, str) else "a part" if gpu.instance else "a card",
    "restriction": watch.restriction,
    "held": noise.accelerator_held,
    "others": noise.accelerator_processes,
    "clocks": msgspec.to_builtins(clocks),
    "nulls": missing | nulls,
    "checks": {check.name: [check.state, check.seen] for check in gpu_checks(gpu, "13.0")},
}))
"""


def answers(profile):
    return "".join(f"{key}={value};" for key, value in profile.items())


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    """Build the library as of today's drivers and of old ones; gives their folders."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        pytest.skip("no C compiler builds the stand-in for NVIDIA's library")
    folders = {}
    for age, flags in {"today": (), "old": ("-DOLD",)}.items():
        folders[age] = tmp_path_factory.mktemp(age)
        library = folders[age] / "libnvidia-ml.so.1"
        subprocess.run([compiler, "-shared", "-fPIC", *flags, "-o", library, SOURCE], check=True)
    return folders


@pytest.fixture
def ask(libraries):
    """Watch a GPU while it answers as one profile after another, ten seconds and a turn each."""

    def ask(*profiles, identity="aa", age="today"):
        given = json.dumps([identity, *map(answers, profiles)])
        environ = os.environ | {"LD_LIBRARY_PATH": str(libraries[age]), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, given], env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def test_an_h100_answers_every_question(ask):
    found = ask(H100, H100)
    assert (found["gpu"], found["restriction"], found["others"], found["nulls"]) == ("a card", None, 0, {})
    assert set(found["held"].values()) == {0.0}
    assert found["clocks"]["sm_hz"]["median"] == 1.98e9
    assert found["clocks"]["power_w"]["median"] == 612
    assert found["checks"].pop("GPU processes") == ["warn", "1; the GPU is 0 % busy"]  # that of the run
    assert {state for state, _ in found["checks"].values()} == {"good"}


def test_a_t4_at_its_cap_is_held_down_for_power_alone(ask):
    held = T4_AT_ITS_CAP | {"ViolationStatus": "9000000000,0,0,0,0,0"}
    found = ask(T4_AT_ITS_CAP, held)["held"]
    assert (found["power"], found["sw_power_cap"]) == (0.9, 1.0)
    assert sum(found.values()) == 1.9


def test_what_a_geforce_does_not_report_is_null_with_its_reason(ask):
    found = ask(GEFORCE, GEFORCE)
    assert set(found["held"]) == {
        "sw_power_cap", "hw_slowdown", "sync_boost", "sw_thermal_slowdown", "hw_thermal_slowdown",
        "hw_power_brake_slowdown",
    }  # fmt: skip
    assert found["checks"]["GPU ECC"] == ["unknown", "NVML: Not Supported"]
    assert found["checks"]["GPU persistence mode"][0] == "warn"


def test_a_mig_instance_has_its_own_processes_and_the_clocks_of_its_card(ask):
    found = ask(MIG, MIG, identity="cc")
    assert (found["gpu"], found["others"], found["nulls"]) == ("a part", 0, {})
    assert found["clocks"]["sm_hz"]["median"] == 1.98e9
    assert found["checks"]["GPU MIG"][0] == "warn"
    assert ask(MIG, MIG)["others"] == 1


def test_an_exclusive_card_is_restricted(ask):
    found = ask(EXCLUSIVE, EXCLUSIVE)
    assert found["restriction"] == "EXCLUSIVE_PROCESS"
    assert found["checks"]["GPU compute mode"][0] == "warn"


def test_an_old_driver_answers_what_it_can(ask):
    found = ask(OLD, OLD, age="old")
    assert found["held"]["hw_thermal_slowdown"] == 1.0
    assert found["nulls"] == {"accelerator_processes": "NVML: Function Not Found"}
    assert found["checks"]["GPU processes"] == ["unknown", "NVML: Function Not Found"]
    assert found["checks"]["GPU throttling"][0] == "bad"
    assert found["checks"]["GPU driver"] == ["bad", "driver 470.42.01 knows CUDA 11.4, torch is built for 13.0"]


def test_processes_of_others_are_counted(ask):
    assert ask(H100, H100 | {"ComputeRunningProcesses": "7,41,8"}, H100)["others"] == 2


@pytest.mark.parametrize(("used", "others"), [(5_200_000_000, None), (5_500_000_000, 1)])
def test_memory_of_others_is_a_sign_where_no_process_can_be_seen(ask, used, others):
    hidden = H100 | {"ComputeRunningProcesses": "900001", "MemoryInfo": "5000000000"}
    assert ask(hidden, hidden, hidden | {"MemoryInfo": str(used)})["others"] == others
    part = MIG | {"PartComputeRunningProcesses": "900001", "PartMemoryInfo": "5000000000"}
    assert ask(part, part, part | {"PartMemoryInfo": str(used)}, identity="cc")["others"] == others


@pytest.mark.parametrize(
    ("profile", "identity", "reason"),
    [
        (H100, "zz", "NVML: Not Found"),
        (H100 | {"Init": "!9"}, "aa", "NVML cannot be opened: Driver Not Loaded"),
        (H100, None, "only NVIDIA's driver library reports it"),
    ],
)
def test_a_gpu_that_cannot_be_asked_is_a_reason(ask, profile, identity, reason):
    found = ask(profile, profile, identity=identity)
    assert found["gpu"] == reason
    assert set(found["nulls"].values()) == {reason}
    assert found["checks"] == {"accelerator": ["unknown", reason]}
