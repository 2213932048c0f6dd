import contextlib
import dataclasses
import types

import pytest

from bench.doctor import doctor
from bench.doctor.checks import CHECKS, Check
from bench.doctor.doctor import Findings, full_name
from reports.text.doctor import doctor_text
from results.errors import InputError
from tests.bench.doctor.examined import BAD, GOOD, WARN, run

UNKNOWN = Check(name="heat", state="unknown", seen="nobody counts")


@pytest.mark.parametrize(
    ("found", "fit", "verdict"),
    [
        ((GOOD,), True, "fit to measure"),
        ((GOOD, UNKNOWN), True, "fit to measure"),
        ((GOOD, WARN), True, "fit, with 1 warning"),
        ((WARN, WARN), True, "fit, with 2 warnings"),
        ((GOOD, WARN, BAD), False, "not fit: power"),
        ((BAD, dataclasses.replace(BAD, name="memory")), False, "not fit: power, memory"),
    ],
)
def test_the_verdict_follows_from_the_worst_check(found, fit, verdict):
    findings = Findings(device="cpu", checks=found, floor=None)
    assert (findings.fit, findings.verdict) == (fit, verdict)
    text = doctor_text(findings, "table")
    assert text.startswith(f"{verdict}\n")
    assert all(check.seen in text and (check.remedy or "") in text for check in found)


def test_without_an_a_a_run_there_is_no_floor():
    assert run().floor is None
    assert run().checks == (GOOD,)


def test_too_few_pairs_are_unknown_and_no_floor(paired):
    findings = run(lambda *_, **__: paired([1.01]), found=(GOOD,))
    assert findings.checks[-1].state == "unknown"
    assert findings.floor.resolutions == ()
    assert "no noise floor: 1 pair" in doctor_text(findings, "table")


def test_this_machine_is_checked(monkeypatch):
    monkeypatch.setattr("bench.doctor.host.WATCH_S", 0.01)
    found = doctor.checks("cpu")
    assert len(found) == len(CHECKS)
    environment = types.SimpleNamespace(torch_build={"cuda": "13.0"})
    described = types.SimpleNamespace(identities=("aa",), environment=environment)
    monkeypatch.setattr(doctor, "ForkServer", contextlib.nullcontext)
    monkeypatch.setattr(doctor.ask, "description", lambda server, devices: described)
    monkeypatch.setattr(doctor.nvml, "find", lambda identity: f"no driver knows {identity}")
    *more, variables, accelerator = doctor.checks("cuda:0")
    assert variables.name == "GPU variables"
    assert [check.name for check in more] == [check.name for check in found]
    assert (accelerator.state, accelerator.seen) == ("unknown", "no driver knows aa")


def test_on_a_gpu_that_admits_a_single_process_there_is_no_a_a_run():
    mode = Check(name="GPU compute mode", state="warn", seen="EXCLUSIVE_PROCESS", remedy="lift it")
    findings = run(lambda *_, **__: 1 / 0, found=(GOOD, mode))
    assert findings.floor is None
    assert (findings.checks[-1].name, findings.checks[-1].state) == ("A/A run", "unknown")


@pytest.mark.parametrize(
    ("device", "why"), [("cuda:0", "no device 'cuda:0'; too old"), ("xpu:0", "no device 'xpu:0'$")]
)
def test_a_gpu_that_torch_does_not_show_for_its_old_driver_says_so(monkeypatch, device, why, make_run):
    def environment(server, devices):
        if devices == {"cpu"}:
            return ["cpu"], make_run().environment
        raise InputError(f"no device {device!r}")

    monkeypatch.setattr(doctor, "ForkServer", contextlib.nullcontext)
    monkeypatch.setattr(doctor.ask, "environment", environment)
    monkeypatch.setattr(doctor, "old_driver", lambda torch_cuda: "too old")
    with pytest.raises(InputError, match=why):
        full_name(device)


def test_the_cpu_needs_no_process_to_be_found(monkeypatch):
    monkeypatch.setattr(doctor, "ForkServer", None)
    assert full_name("cpu") == "cpu"
