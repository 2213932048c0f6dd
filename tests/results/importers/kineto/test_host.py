from pathlib import Path

import pytest

from results.importers.kineto.host import kernel_kind, nested_calls
from results.importers.kineto.trace import read_trace
from results.importers.reading import Content
from tests.traces import event, operator, trace_bytes


def calls(*events):
    return nested_calls(read_trace(Content(Path("t.json"), trace_bytes(list(events)))).spans)


def test_calls_nest_by_thread():
    outer, other, inner = calls(
        operator("aten::conv2d", 0, 10), operator("aten::copy_", 2, 5), operator("aten::add", 1, 3, thread=2)
    )
    assert [call.span.name for call in inner.operators()] == ["aten::copy_", "aten::conv2d"]
    assert (outer.own, inner.own) == (5000, 5000)
    assert other.parent is None


def test_a_launch_is_its_operator_s_own_time():
    conv, launch = calls(operator("aten::conv2d", 0, 10), event("cuda_runtime", "cudaLaunchKernel", 2, 5))
    assert conv.own == 10_000
    assert next(launch.operators()) is conv


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("autograd::engine::evaluate_function: AddBackward0", "backward"),
        ("AddmmBackward", "backward"),
        ("Optimizer.step#SGD.step", "optimizer"),
        ("Optimizer.zero_grad#SGD.zero_grad", "optimizer"),
        ("aten::conv2d", "forward"),
        ("aten::convolution_backward", "forward"),
    ],
)
def test_names_tell_the_phase_of_what_they_enclose(name, phase):
    _, inner = calls(event("user_annotation", name, 0, 10), operator("aten::mul", 2, 5))
    assert inner.phase == phase


@pytest.mark.parametrize(
    ("kernel", "launcher", "kind"),
    [
        ("ampere_sgemm_32x32_tn", "aten::cudnn_convolution", "convolution"),
        ("ampere_sgemm_32x32_tn", "aten::addmm", "linear"),
        ("vectorized_elementwise_kernel", "aten::relu_", "activation"),
        ("vectorized_elementwise_kernel", "aten::mul", "other"),
        ("Memcpy DtoD (Device -> Device)", "aten::cudnn_convolution", "copy"),
        ("ampere_sgemm_32x32_tn", "Optimizer.step#Muon.step", "optimizer"),
    ],
)
def test_the_launching_operator_says_what_the_name_of_a_kernel_does_not(kernel, launcher, kind):
    (call,) = calls(operator(launcher, 0, 10))
    assert kernel_kind(kernel, call) == kind


def test_without_a_launcher_the_name_of_a_kernel_decides():
    assert kernel_kind("ampere_sgemm_32x32_tn", None) == "linear"
