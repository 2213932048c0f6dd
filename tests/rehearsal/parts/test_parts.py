"""The sampler and the facts against a made-up driver library."""

import csv
import io
import types

import pytest

from bench.machine.nvml import Gpu
from tests.rehearsal.parts import facts, faults, sampler


class NvmlError(Exception):
    pass


def unsupported(handle, *arguments):
    raise NvmlError("Not Supported")


def gpu(**answers):
    """A GPU whose library answers these questions; it has no other questions that the sampler may ask."""
    library = types.SimpleNamespace(
        NVMLError=NvmlError,
        NVMLLibraryMismatchError=KeyError,
        NVML_ERROR_FUNCTION_NOT_FOUND=13,
        NVML_CLOCK_SM=1,
        NVML_CLOCK_MEM=2,
        NVML_TEMPERATURE_GPU=0,
    )
    for question, answer in answers.items():
        setattr(library, f"nvmlDeviceGet{question}", answer)
    return Gpu(nvml=library, handle=0)


def busy():
    held = iter(range(0, 10**12, 10**9))
    return gpu(
        ClockInfo=lambda handle, kind: {1: 1980, 2: 2619}[kind],
        PowerUsage=lambda handle: 700_000,
        Temperature=unsupported,
        CurrentClocksEventReasons=lambda handle: 4,
        ViolationStatus=lambda handle, policy: types.SimpleNamespace(violationTime=next(held)),
        MemoryInfo=lambda handle: types.SimpleNamespace(used=5),
        ComputeRunningProcesses=lambda handle: [1, 2],
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
    assert all(0 <= seconds <= 1 / sampler.HERTZ for seconds in waits)


def test_without_a_driver_library_the_file_holds_the_reason():
    file = io.StringIO()
    sampler.sample("NVML cannot be opened", file, lambda seconds: pytest.fail("nothing to wait for"))
    assert file.getvalue() == "# NVML cannot be opened\n"


def test_every_question_has_an_answer_or_its_exception():
    answers = facts.answers(busy())
    assert answers["ClockInfo 1"] == 1980
    assert answers["Temperature 0"] == "no answer: NvmlError: Not Supported"
    assert answers["Name"].startswith("no answer: ")
    assert len(answers) == sum(map(len, facts.QUESTIONS.values()))


def test_the_share_of_a_load_that_policies_held_is_a_share_of_its_time():
    times = iter([0.0, 1.0, 2.0, 4.0, 4.0])
    held = iter([{"power": 1.0, "thermal": 0.0}, {"power": 2.0}])
    stand_in = types.SimpleNamespace(held_s=lambda: next(held))
    assert facts.held_share(stand_in, lambda: None, 3.0, clock=lambda: next(times)) == {"power": 0.25}


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


def test_memory_is_waited_for_until_it_is_given_back(monkeypatch):
    used = iter([900, 900, 100])
    library = gpu(MemoryInfo=lambda handle: types.SimpleNamespace(used=next(used)))
    assert faults.settled(library, 100) == 100
    monkeypatch.setattr(faults, "PATIENCE_S", 0.0)
    assert faults.settled(gpu(MemoryInfo=lambda handle: types.SimpleNamespace(used=900)), 100) == 900
    assert faults.settled("no driver", None) is None
