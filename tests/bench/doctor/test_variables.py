import pytest

from bench.doctor import doctor
from bench.doctor.variables import variables_check


@pytest.mark.parametrize(
    ("variables", "state"),
    [
        ({}, "good"),
        ({"CUDA_VISIBLE_DEVICES": "0"}, "good"),
        ({"CUDA_LAUNCH_BLOCKING": "0"}, "good"),
        ({"CUDA_LAUNCH_BLOCKING": "1"}, "bad"),
        ({"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}, "bad"),
        ({"PYTORCH_NO_CUDA_MEMORY_CACHING": "0"}, "bad"),  # torch takes any value for yes
    ],
    ids=str,
)
def test_a_variable_that_slows_every_step_is_bad_and_is_to_be_unset(variables, state):
    check = variables_check(variables)
    assert check.state == state
    assert check.remedy == (None if state == "good" else f"unset {next(iter(variables))}")


def test_all_of_them_are_unset_at_once():
    check = variables_check({"PYTORCH_NO_HIP_MEMORY_CACHING": "1", "CUDA_LAUNCH_BLOCKING": "1"})
    assert check.remedy == "unset CUDA_LAUNCH_BLOCKING PYTORCH_NO_HIP_MEMORY_CACHING"
    assert check.seen == (
        "CUDA_LAUNCH_BLOCKING: the host waits for every kernel; "
        "PYTORCH_NO_HIP_MEMORY_CACHING: the driver allocates every tensor"
    )


@pytest.mark.parametrize(("device", "expected"), [("cpu", []), ("cuda:0", ["bad"])])
def test_the_doctor_asks_only_for_an_accelerator(monkeypatch, device, expected):
    monkeypatch.setenv("CUDA_LAUNCH_BLOCKING", "1")
    monkeypatch.setattr(doctor, "CHECKS", ())
    monkeypatch.setattr(doctor, "_accelerator_checks", lambda device: [])
    monkeypatch.setattr(doctor.host, "look", lambda: None)
    assert [check.state for check in doctor.checks(device)] == expected
