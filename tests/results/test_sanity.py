import dataclasses

import pytest

from results.sanity import warnings


def _with(record, **samples):
    return dataclasses.replace(record, samples=dataclasses.replace(record.samples, **samples))


@pytest.mark.parametrize("task", ["inference", "training"])
@pytest.mark.parametrize("precision", ["fp32", "tf32", "amp-fp16", "amp-bf16", "fp16", "bf16"])
@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_a_sound_record_has_no_warning(make_record, make_case, task, precision, device):
    assert warnings(make_record(make_case(task=task, precision=precision, device=device))) == ()


def test_a_failure_has_no_warning(make_record):
    assert warnings(make_record(status="crash", cause="signal 11")) == ()


def test_work_that_the_device_clock_misses_is_told(make_record):
    # A queue that launches in 1 ms and runs for 20 ms, timed without a synchronisation.
    record = make_record(latency_s=0.001)
    (warning,) = warnings(_with(record, wall_s=(0.020,) * 40))
    assert warning.startswith("clocks: ")
    assert "the batch is 8" in warning


def test_steps_that_do_not_fit_into_the_wall_time_are_told(make_record):
    (warning,) = warnings(_with(make_record(latency_s=0.01), wall_s=(0.005,) * 40))
    assert warning.startswith("clocks: ")
    assert "do not fit" in warning


def test_launching_short_steps_is_no_warning(make_record):
    assert warnings(_with(make_record(latency_s=0.0002), wall_s=(0.0008,) * 40)) == ()


def test_phases_must_add_up(make_record, make_case):
    record = make_record(make_case(task="training"))
    (warning,) = warnings(_with(record, backward_s=record.samples.forward_s))
    assert warning == "phases: forward, backward and optimizer add up to 70% of the step"


def test_more_allocated_than_reserved_is_told(make_record, make_case):
    record = make_record(make_case(device="cuda:0"))
    facts = dataclasses.replace(record.facts, peak_reserved_bytes=1)
    (warning,) = warnings(dataclasses.replace(record, facts=facts))
    assert warning.startswith("memory: ")


def test_a_series_that_never_settled_is_told(make_record):
    (warning,) = warnings(_with(make_record(), steady=False))
    assert warning.startswith("not-steady: ")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"tf32_matmul": True}, "TF32 matmul True"),
        ({"tf32_convolution": True}, "convolution True"),
        ({"parameter_dtypes": ("bfloat16",)}, "parameters in bfloat16"),
        ({"autocast": "float16"}, "autocast float16"),
        ({"layout": "mixed"}, "nchw ran as mixed"),
        ({"threads": 1}, "2 threads ran as 1"),
    ],
)
def test_a_label_is_a_promise(make_record, changes, part):
    record = make_record()
    (warning,) = warnings(dataclasses.replace(record, ran=dataclasses.replace(record.ran, **changes)))
    assert warning.startswith("label: ")
    assert part in warning
