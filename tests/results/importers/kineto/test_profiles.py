from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.errors import InputError
from results.importers.kineto.profiles import trace_profiles
from results.importers.kineto.trace import read_trace
from results.importers.reading import Content
from tests.traces import cpu_step, event, gpu_step, launched, operator, step, trace_bytes

MICRO = 1e-6


def profiles(events, **more):
    content = Content(Path("t.json.gz"), trace_bytes(events, **more))
    return trace_profiles(read_trace(content), content)


def profile(events, **more):
    (only,) = profiles(events, **more)
    return only


def seconds(profile, key):
    """The microseconds of rows by a field."""
    sums = {}
    for row in profile.operators:
        sums[getattr(row, key)] = sums.get(getattr(row, key), 0) + row.self_s / MICRO
    return {name: pytest.approx(value, abs=1e-6) for name, value in sums.items() if value}


def test_a_device_s_time_is_that_of_its_kernels_and_idle():
    made = profile(gpu_step())
    assert seconds(made, "kind") == {"convolution": 50, "communication": 10, "copy": 10, "idle": 30}
    assert seconds(made, "phase") == {"forward": 30, "backward": 20, "other": 50}
    assert (made.profiled_s, made.steps, made.queued) == (pytest.approx(100 * MICRO), 1, True)
    assert any("communication ran for 0.025 ms, of which 0.01 ms" in note for note in made.notes)


def test_the_device_waits_for_the_host_until_a_kernel_is_launched():
    # It is idle for 10 µs before each of two kernels, launched after 7 and 8 of them, and for 10 µs at the end.
    assert profile(gpu_step()).launch_bound == pytest.approx((7 + 8) / 30)


def test_without_calls_that_launch_nobody_knows_who_waits():
    made = profile([each for each in gpu_step() if each["cat"] != "cuda_runtime"])
    assert made.launch_bound is None
    assert "does not hold the calls" in made.nulls["launch_bound"]
    assert seconds(made, "kind")["idle"] == 30


def test_a_kernel_has_the_shapes_and_the_host_s_time_of_its_operator():
    made = profile(gpu_step())
    (row,) = [row for row in made.operators if row.name == "ampere_sgemm_32x32_tn"]
    assert (row.shapes, row.calls) == ("1x3x8x8, 4x3x3x3", 1)
    assert row.host_s == pytest.approx(8 * MICRO)
    (idle,) = [row for row in made.operators if row.kind == "idle"]
    assert idle.host_s is None


def test_an_operator_s_time_counts_once_for_all_that_it_launches():
    events = [step(0, 50), operator("aten::conv2d", 0, 10), *launched("a", 1, 10, 5, 1), *launched("b", 4, 20, 5, 2)]
    assert sum(row.host_s or 0 for row in profile(events).operators) == pytest.approx(10 * MICRO)


def test_without_a_launch_a_kernel_names_its_operator():
    conv = event("cpu_op", "aten::cudnn_convolution", 0, 5, **{"External id": 7})
    kernel = event("kernel", "some_gemm", 10, 5, process=0, device=0, **{"External id": 7})
    assert seconds(profile([step(0, 20), conv, kernel]), "kind") == {"convolution": 5, "idle": 15}


def test_steps_are_counted_and_what_surrounds_them_is_left_out():
    events = [
        *launched("early", 0, 95, 15, 1),  # queued before the steps, it ends inside
        step(100, 50, 4),
        *launched("first", 105, 115, 20, 2),
        step(150, 50, 5),
        *launched("second", 155, 170, 40, 3),  # runs on after the steps
        *launched("late", 210, 215, 20, 4),
    ]
    made = profile(events)
    assert made.steps == 2
    assert made.profiled_s == pytest.approx(100 * MICRO)  # from 110 to 210
    assert seconds(made, "name") == {"first": 20, "second": 40, "(idle)": 40}


def test_without_steps_all_of_the_trace_is_a_step():
    made = profile([operator("aten::add", 0, 10), operator("aten::add", 30, 10)])
    assert (made.steps, made.profiled_s) == (1, pytest.approx(40 * MICRO))
    assert "names no steps" in made.notes[0]


def test_each_device_has_a_profile_and_a_rank():
    events = [step(0, 50), *launched("a", 1, 10, 5, 1), *launched("b", 4, 20, 5, 2, device=1)]
    made = profiles(events, distributedInfo={"rank": 2})
    assert [each.label for each in made] == ["t, rank 2, cuda:0", "t, rank 2, cuda:1"]


def test_on_a_cpu_rows_are_self_times_of_operators():
    made = profile(cpu_step())
    assert seconds(made, "kind") == {"convolution": 30, "copy": 10, "activation": 20, "overhead": 40}
    assert all(row.host_s == row.self_s for row in made.operators)
    assert (made.label, made.queued, made.launch_bound) == ("t", False, None)


def test_threads_of_a_host_count_once_and_the_main_thread_first():
    other = operator("aten::mul", 40, 30, thread=2)  # the convolution of the main thread ends at 50
    made = profile([*cpu_step(), other])
    assert seconds(made, "name")["aten::mul"] == 20
    assert made.profiled_s == pytest.approx(100 * MICRO)


def test_processes_of_a_host_have_a_profile_each():
    made = profiles([operator("aten::add", 0, 10, process=1), operator("aten::mul", 0, 10, process=2)])
    assert [each.label for each in made] == ["t, process 1", "t, process 2"]


@pytest.mark.parametrize("events", [[operator("aten::add", 0, 0)], [event("kernel", "k", 3, 0)]])
def test_a_trace_in_which_nothing_lasts_is_refused(events):
    with pytest.raises(InputError, match="no operator or kernel lasts within"):
        profiles(events)


@given(st.lists(st.tuples(st.integers(0, 80), st.integers(0, 40), st.integers(0, 2)), min_size=1, max_size=10))
def test_rows_are_the_step(kernels):
    names = ("ampere_sgemm", "nccl_all_reduce", "Memcpy")
    events = [step(0, 100)]
    for number, (start, duration, which) in enumerate(kernels):
        events += launched(names[which], max(0, start - 5), start, duration, number, stream=which)
    made = profile(events)
    assert sum(row.self_s for row in made.operators) == pytest.approx(made.profiled_s)
    assert 0 <= made.launch_bound <= 1
