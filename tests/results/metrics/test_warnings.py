import pytest
from msgspec import structs

from results.metrics.timings import medians
from results.metrics.values import latencies
from results.metrics.warnings import NOISES, TOLERATED, RecordWarning, kind
from results.metrics.warnings import warnings as of_records
from results.schema.axes import AXES
from results.schema.labels import PROMISES
from results.schema.lines.record import UNSEEN, Clocks, Noise, Readings
from results.schema.lines.run import PeakRate


def warnings(record, static=None, peaks=()):
    """The warnings of one record, as lines."""
    typical = medians([record])
    (row,) = of_records([record], [static], peaks, typical, latencies([record], typical))
    assert all(RecordWarning.parse(str(warning)) == warning for warning in row)
    return tuple(map(str, row))


def _with(record, **samples):
    return structs.replace(record, samples=structs.replace(record.samples, **samples))


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


def test_a_host_that_queues_all_the_time_is_what_was_measured(make_record, make_case):
    case = make_case(device="cuda:0", batch_size=1)
    assert warnings(_with(make_record(case), queued=(0.99,) * 10 + (0.6,) * 30)) == ()
    (warning,) = warnings(_with(make_record(case), queued=(0.98,) * 30 + (0.6,) * 10))
    assert warning.startswith("host-bound: the host queued steps for 98% of the time")
    assert "host-bound" in TOLERATED - NOISES


def test_a_step_that_waits_for_the_device_does_not_show_what_bounds_it(make_record, make_case):
    """The loss scaler reads whether it overflowed, so the host never gets ahead."""
    for precision, count in (("amp-fp16", 0), ("amp-bf16", 1)):
        case = make_case(device="cuda:0", precision=precision, task="training")
        assert len(warnings(_with(make_record(case), queued=(0.99,) * 40))) == count


def test_phases_must_add_up(make_record, make_case):
    record = make_record(make_case(task="training"))
    (warning,) = warnings(_with(record, backward_s=record.samples.forward_s))
    assert warning.startswith("phases: ")
    assert "70%" in warning


def test_more_allocated_than_reserved_is_told(make_record, make_case):
    record = make_record(make_case(device="cuda:0"))
    facts = structs.replace(record.facts, peak_reserved_bytes=1)
    (warning,) = warnings(structs.replace(record, facts=facts))
    assert warning.startswith("memory: ")


def test_a_series_that_never_settled_is_told(make_record):
    (warning,) = warnings(_with(make_record(), steady=False))
    assert warning.startswith("not-steady: ")


def test_growing_slower_stands_in_place_of_never_settling(make_record):
    (warning,) = warnings(_with(make_record(), steady=False, slowing=True))
    assert warning.startswith("slowing: ")


def _peak(flops_per_s, **axes):
    return PeakRate(**{"device": "cpu", "precision": "fp32", "threads": 2, **axes}, flops_per_s=flops_per_s)


def test_a_rate_beyond_what_winograd_may_save_is_told(make_record, make_static):
    record, static = make_record(latency_s=0.05, noise=0.0), make_static()
    rate = 2 * static.macs * 8 / 0.05
    assert warnings(record, static, (_peak(rate / 2.2),)) == ()
    (warning,) = warnings(record, static, (_peak(rate / 2.3),))
    assert warning.startswith("peak: ")
    assert "2.25 times" in warning


@pytest.mark.parametrize("axes", [{"device": "cuda:0"}, {"precision": "bf16"}, {"threads": 1}])
def test_a_peak_of_something_else_says_nothing(make_record, make_static, axes):
    assert warnings(make_record(), make_static(), (_peak(1.0, **axes),)) == ()


def test_without_a_static_cost_there_is_no_rate_to_doubt(make_record):
    assert warnings(make_record(), None, (_peak(1.0),)) == ()


def test_a_wrong_result_is_told_with_its_error(make_record, make_equality):
    (warning,) = warnings(make_record(equality=make_equality("wrong")))
    assert warning.startswith("wrong: output")
    assert "error 0.3 where 1e-05 is allowed" in warning
    (warning,) = warnings(make_record(equality=make_equality("wrong", error=None)))
    assert "error not finite" in warning
    assert warnings(make_record(equality=make_equality())) == ()


def test_a_baseline_that_does_not_repeat_itself_is_told(make_record, make_equality):
    (warning,) = warnings(make_record(equality=make_equality("eager-twice-differs")))
    assert warning.startswith("eager-twice-differs: ")
    assert kind(warning) in TOLERATED


def test_compiling_inside_the_timed_steps_is_told(make_record, make_case):
    record = make_record(make_case(runtime="compile"))
    for count, told in ((0, 0), (2, 1)):
        found = warnings(structs.replace(record, facts=structs.replace(record.facts, recompiles=count)))
        assert [kind(line) for line in found] == ["recompiled"] * told


@pytest.mark.parametrize(
    ("noise", "expected"),
    [
        (Noise(), []),
        (Noise(other_cpus=0.2, steal=0.04, cpu_pressure=0.9, memory_pressure=0.005, throttled_s=0.0), ["pressure"]),
        (Noise(other_cpus=0.05, cpu_pressure=0.9), []),  # our own threads and compilers wait for one another
        (Noise(other_cpus=0.15, cpu_pressure=0.1), []),
        (Noise(cpu_pressure=0.3), ["pressure"]),
        (Noise(other_cpus=0.3), ["busy"]),
        (Noise(steal=0.06), ["steal"]),
        (Noise(memory_pressure=0.02), ["pressure"]),
        (Noise(throttled_s=0.01), ["throttled"]),
        (Noise(accelerator_throttling=("sw_thermal_slowdown",)), ["throttled"]),
        (Noise(accelerator_processes=0), []),
        (Noise(accelerator_processes=2), ["shared-gpu"]),
    ],
)
def test_signs_of_noise_are_told(make_record, noise, expected):
    found = warnings(make_record(signs=noise))
    assert [kind(line) for line in found] == expected
    assert set(expected) <= NOISES


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({"power": 0.04, "sw_power_cap": 0.05}, []),
        ({"power": 0.9}, ["power-capped"]),
        ({"board_limit": 0.06}, ["power-capped"]),
        ({"sw_power_cap": 0.5, "power": 0.0}, ["power-capped"]),
        ({"reliability": 1.0, "sync_boost": 1.0}, []),
        ({"thermal": 0.01}, []),
        ({"thermal": 0.02}, ["throttled"]),
        ({"hw_slowdown": 0.5}, ["throttled"]),
        ({"hw_power_brake_slowdown": 0.5, "power": 0.3}, ["throttled", "power-capped"]),
    ],
)
def test_low_clocks_are_told_by_their_share_and_a_power_limit_is_no_noise(make_record, held, expected):
    found = warnings(make_record(signs=Noise(accelerator_held=held)))
    assert [kind(line) for line in found] == expected
    assert ("throttled" in expected) == bool(NOISES & set(expected))
    assert set(expected) <= TOLERATED


def test_low_clocks_are_told_with_their_causes(make_record):
    held = {"power": 0.62, "thermal": 0.125, "hw_slowdown": 0.03}
    heat, power = warnings(make_record(signs=Noise(accelerator_held=held)))
    assert heat == "throttled: the accelerator held its clocks down: thermal 12%, hw_slowdown 3%"
    assert power == "power-capped: its power limit held the clocks down for 62% of the time"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("power", "reliability"), ["power-capped"]),
        (("reliability",), []),
        (("thermal", "power"), ["throttled", "power-capped"]),
    ],
)
def test_names_without_shares_of_older_files_mean_the_same(make_record, names, expected):
    found = warnings(make_record(signs=Noise(accelerator_throttling=names)))
    assert [kind(line) for line in found] == expected


@pytest.mark.parametrize(("low", "moved"), [(1.88e9, False), (1.85e9, True)])
def test_a_clock_that_moved_is_told_and_is_no_noise(make_record, low, moved):
    clocks = Clocks(turns=40, sm_hz=Readings(median=1.9e9, low=low, high=1.91e9))
    found = warnings(make_record(clocks=clocks))
    assert found == (("clocks-moved: the clock was 1850 to 1910 MHz after turns, median 1900 MHz",) if moved else ())
    assert "clocks-moved" in TOLERATED - NOISES
    assert warnings(make_record(clocks=Clocks(turns=40))) == ()


def test_noise_is_told_of_a_failure_too(make_record):
    (warning,) = warnings(make_record(status="timeout", cause="hung", signs=Noise(other_cpus=1.5)))
    assert warning == "busy: other processes kept 1.5 CPUs busy"


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
        ({"batch_size": 4}, "batch 8 ran as 4"),
        ({"image_size": 112}, "224 pixels ran as 112"),
        ({"image_size": "224x160"}, "224 pixels ran as 224x160"),
        ({"in_channels": 1}, "3 channels ran as 1"),
        ({"cudnn_benchmark": True}, "eager ran with the autotuner on"),
    ],
)
def test_a_label_is_a_promise(make_record, changes, part):
    record = make_record()
    (warning,) = warnings(structs.replace(record, ran=structs.replace(record.ran, **changes)))
    assert warning.startswith("label: ")
    assert part in warning


def test_a_detector_pads_its_images_as_it_says(make_record, make_case):
    record = make_record(make_case(head="faster-rcnn", image_size=100))
    ran = structs.replace(record.ran, image_size=128)
    assert warnings(structs.replace(record, ran=ran)) == ()
    (warning,) = warnings(structs.replace(record, ran=structs.replace(ran, image_size=100)))
    assert warning == "label: 100 pixels ran as 100"


def test_the_layout_that_a_compiler_chooses_is_told_and_breaks_no_promise(make_record, make_case):
    record = make_record(make_case(runtime="compile"))
    (warning,) = warnings(structs.replace(record, ran=structs.replace(record.ran, layout="nhwc")))
    assert warning == "layout: the compiler ran nchw as nhwc"
    assert kind(warning) in TOLERATED


def test_what_could_not_be_seen_accuses_nobody(make_record, make_case):
    record = make_record(make_case(runtime="compile:reduce-overhead"))
    unseen = structs.replace(
        record.ran, layout=UNSEEN, compute_dtypes=(), batch_size=None, image_size=None, in_channels=None
    )
    assert warnings(structs.replace(record, ran=unseen)) == ()


def test_autocast_that_left_the_convolutions_in_float32_is_told(make_record, make_case):
    record = make_record(make_case(precision="amp-bf16"))
    (warning,) = warnings(structs.replace(record, ran=structs.replace(record.ran, compute_dtypes=("float32",))))
    assert warning == "label: amp-bf16 computed in float32"


def test_training_in_fp16_without_a_loss_scaler_is_told(make_record, make_case):
    record = make_record(make_case(precision="amp-fp16", task="training"))
    (warning,) = warnings(structs.replace(record, ran=structs.replace(record.ran, grad_scaler=False)))
    assert warning.startswith("label: amp-fp16 ")
    assert "GradScaler off" in warning


def test_every_precision_has_its_promise():
    assert tuple(PROMISES) == AXES["precision"].choices
