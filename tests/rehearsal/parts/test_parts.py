"""The sampler and the facts against a made-up driver library."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import types

import pytest

from bench.machine.nvml import Gpu
from tests.bench.driver import NvmlError
from tests.bench.driver import driver as nvidia
from tests.bench.test_nvidia_driver import SOURCE, T4_AT_ITS_CAP, answers
from tests.rehearsal.parts import driver, facts, faults, rates, sampler
from tests.rehearsal.running import ROOT


def unsupported(handle, *arguments):
    raise NvmlError("Not Supported")


def gpu(**answers):
    """A GPU whose library answers these questions, with errors or no function for all others."""
    return Gpu(nvml=nvidia(**answers), handle=0)


def busy():
    held = iter(range(0, 10**12, 10**9))
    return gpu(
        ClockInfo=lambda handle, kind: {1: 1980, 2: 2619}[kind],
        PowerUsage=lambda handle: 700_000,
        Temperature=unsupported,
        CurrentClocksEventReasons=lambda handle: 4,
        ViolationStatus=lambda handle, policy: types.SimpleNamespace(violationTime=next(held)),
        MemoryInfo=lambda handle: types.SimpleNamespace(used=5),
        ComputeRunningProcesses=lambda handle: [types.SimpleNamespace(pid=pid) for pid in (7, 8)],
    )


def test_a_row_holds_what_the_driver_answers_and_else_nothing():
    values = dict(zip(["t_s", *sampler.COLUMNS], sampler.row(busy(), clock=lambda: 1.5), strict=True))
    assert values["t_s"] == 1.5
    assert (values["sm_mhz"], values["memory_mhz"], values["power_w"], values["reasons"]) == (1980, 2619, 700, 4)
    assert (values["used_bytes"], values["processes"]) == (5, 2)
    assert values["temperature_c"] == ""
    assert values["thermal_held_s"] - values["power_held_s"] == pytest.approx(1)


def test_an_old_library_without_a_question_leaves_its_column_empty():
    values = sampler.row(gpu(ClockInfo=lambda handle, kind: 300), clock=lambda: 0.0)
    assert values[1:3] == [300, 300]
    assert set(values[3:]) == {""}


def test_rows_are_written_until_the_end_and_once_more():
    file, waits = io.StringIO(), []

    def wait(seconds):
        waits.append(seconds)
        return len(waits) == 3

    sampler.sample(busy(), file, wait)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert len(rows) == 4
    # This wait takes no time, so each is for a later moment.
    assert all(0 <= seconds <= n / sampler.HERTZ for n, seconds in enumerate(waits, start=1))


def test_without_a_driver_library_the_file_holds_the_reason():
    file = io.StringIO()
    sampler.sample("NVML cannot be opened", file, lambda seconds: pytest.fail("nothing to wait for"))
    assert file.getvalue() == "# NVML cannot be opened\n"


def test_the_process_samples_through_nvidias_own_package(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler builds the stand-in for NVIDIA's library")
    library, path = tmp_path / "libnvidia-ml.so.1", tmp_path / "clocks.csv"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    environ = os.environ | {"LD_LIBRARY_PATH": str(tmp_path), "FAKE_NVML": answers(T4_AT_ITS_CAP)}
    command = [sys.executable, "-m", "tests.rehearsal.parts.sampler", path, "aa"]
    subprocess.run(command, check=True, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, timeout=60)
    first, last = csv.DictReader(io.StringIO(path.read_text()))
    assert (first["sm_mhz"], float(first["power_w"]), first["reasons"], first["processes"]) == ("900", 69.8, "4", "1")
    assert float(first["t_s"]) <= float(last["t_s"])


def test_every_question_has_an_answer_or_its_exception():
    given = facts.answers(busy())
    assert given["ClockInfo 1"] == 1980
    assert given["Temperature 0"] == "no answer: NvmlError: Not Supported"
    assert given["Name"].startswith("no answer: ")
    assert len(given) == sum(map(len, facts.QUESTIONS.values()))


def test_the_share_of_a_load_that_policies_held_is_a_share_of_its_time():
    times = iter([0.0, 1.0, 2.0, 4.0, 4.0])
    held = iter([{"power": 1.0, "thermal": 0.0}, {"power": 2.0}])
    stand_in = types.SimpleNamespace(held_s=lambda: next(held))
    assert facts.held_share(stand_in, lambda: None, 3.0, clock=lambda: next(times)) == {"power": 0.25}


def test_questions_are_those_of_nvidias_library():
    pynvml = pytest.importorskip("pynvml")
    assert [question for question in facts.QUESTIONS if not hasattr(pynvml, f"nvmlDeviceGet{question}")] == []


def test_structures_of_the_library_become_plain_values():
    pynvml = pytest.importorskip("pynvml")
    values = (pynvml.c_nvmlFieldValue_t * 2)()
    values[1].fieldId = 269
    values[1].value.ullVal = 7
    plain = json.loads(json.dumps(facts.plain(values)))
    assert (plain[1]["fieldId"], plain[1]["value"]["ullVal"]) == (269, 7)


@pytest.mark.parametrize(
    ("architectures", "capability", "runs"),
    [
        (["sm_75", "sm_90"], (9, 0), True),
        (["sm_86"], (8, 9), True),
        (["sm_86"], (8, 0), False),
        (["sm_80", "sm_90a"], (10, 0), False),
        (["sm_80", "compute_90"], (10, 0), True),
        (["sm_100", "sm_120"], (7, 0), False),
        ([], (9, 0), False),
    ],
)
def test_a_build_of_torch_runs_on_the_cards_that_it_names_and_some_later_ones(architectures, capability, runs):
    assert facts.built_for(architectures, *capability) is runs


def test_what_identifies_a_machine_is_left_out():
    text = "Product Name : H100\n  GPU UUID : GPU-8f\n  Serial Number : 123\n\n  Process ID : 77\n  Bus Id : 0:1\n"
    lines = facts.driver_report(lambda *_, **__: types.SimpleNamespace(stdout=text))
    assert lines == ["Product Name : H100"]


def test_the_facts_of_a_cpu_need_no_driver():
    collected = facts.collect("cpu")
    assert collected["nulls"] == {}
    assert collected["missing_packages"] == 0
    assert collected["environment"]["torch"] == collected["torch"]["version"]
    assert "nvml" not in collected


def test_a_fact_of_a_gpu_that_cannot_be_had_costs_no_other(monkeypatch):
    properties = types.SimpleNamespace(uuid="8f-12", name="H100", major=9, minor=0, total_memory=80 * 2**30)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr("torch.cuda.get_arch_list", lambda: ["sm_80", "sm_90"])
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: properties)
    card = gpu(UUID=lambda handle: "GPU-8f-12", Name=lambda handle: "H100")
    monkeypatch.setattr(driver, "find", lambda identity: card if identity == "8f-12" else "another card")
    collected = facts.collect("cuda:0")
    assert (collected["same_uuid"], collected["built_for_this"]) == (1, 1)
    assert collected["nvml"]["Name"] == "H100"
    assert collected["unanswered"] == len(collected["nvml"]) - 1
    assert collected["torch"]["properties"]["total_memory"] == 80 * 2**30
    assert set(collected["nulls"]) >= {"driver_report", "held_share"}
    assert "8f-12" not in json.dumps(collected)


def test_memory_outside_the_allocator_is_what_the_driver_saw_less_what_the_allocator_holds(monkeypatch):
    monkeypatch.setattr("torch.accelerator.synchronize", lambda device: None)
    monkeypatch.setattr("torch.accelerator.memory.memory_reserved", lambda device: 300)
    card = gpu(MemoryInfo=lambda handle: types.SimpleNamespace(used=1000))
    assert rates.outside_memory(card, "cuda:0", 200)["outside_bytes"] == 500


def test_memory_is_waited_for_until_it_is_given_back(monkeypatch):
    used = iter([900, 900, 100])
    library = gpu(MemoryInfo=lambda handle: types.SimpleNamespace(used=next(used)))
    assert faults.settled(library, 100) == 100
    monkeypatch.setattr(faults, "PATIENCE_S", 0.0)
    assert faults.settled(gpu(MemoryInfo=lambda handle: types.SimpleNamespace(used=900)), 100) == 900
    assert faults.settled("no driver", None) is None
