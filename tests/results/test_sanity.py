import dataclasses

import pytest

from results.precisions import PROMISES
from results.sanity import warnings
from results.schema import CHOICES


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


def test_a_fifth_more_wall_time_than_steps_is_told(make_record):
    record = make_record(latency_s=0.05)
    assert warnings(_with(record, wall_s=(0.053,) * 40)) == ()
    (warning,) = warnings(_with(record, wall_s=(0.060,) * 40))
    assert "work goes unseen" in warning


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
        ({"compute_dtypes": ("bfloat16", "float32")}, "fp32 computed in bfloat16, float32"),
        ({"compute_dtypes": ()}, "fp32 computed in nothing"),
        ({"grad_scaler": True}, "inference ran with GradScaler on"),
        ({"layout": "mixed"}, "nchw ran as mixed"),
        ({"threads": 1}, "2 threads ran as 1"),
    ],
)
def test_a_label_is_a_promise(make_record, changes, part):
    record = make_record()
    (warning,) = warnings(dataclasses.replace(record, ran=dataclasses.replace(record.ran, **changes)))
    assert warning.startswith("label: ")
    assert part in warning


def test_autocast_that_left_the_convolutions_in_float32_is_told(make_record, make_case):
    record = make_record(make_case(precision="amp-bf16"))
    (warning,) = warnings(dataclasses.replace(record, ran=dataclasses.replace(record.ran, compute_dtypes=("float32",))))
    assert warning == "label: amp-bf16 computed in float32"


def test_training_in_fp16_without_a_loss_scaler_is_told(make_record, make_case):
    record = make_record(make_case(precision="amp-fp16", task="training"))
    (warning,) = warnings(dataclasses.replace(record, ran=dataclasses.replace(record.ran, grad_scaler=False)))
    assert warning == "label: amp-fp16 training ran with GradScaler off"


def test_every_precision_has_its_promise():
    assert tuple(PROMISES) == CHOICES["precision"]
