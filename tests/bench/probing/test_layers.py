import time

import pytest
import torch

from bench.measure.device import open_device
from bench.probing.layers import layer_groups, layer_step, probed_layers
from bench.schedule.profiling.explain import other_settings
from bench.tasks.workload import build


@pytest.fixture
def prepared(make_case):
    def prepared(**axes):
        case = make_case(**{"model": "cifar_resnet20", "image_size": 16, "batch_size": 2, "threads": 1, **axes})
        return case, build(case)

    return prepared


def probed(case, workload, others, seconds=5.0):
    return probed_layers(
        case,
        workload.module,
        workload.images,
        open_device("cpu"),
        others=others,
        seconds=seconds,
        clock=time.perf_counter,
    )


def test_layers_of_equal_shape_are_a_group(prepared):
    _, workload = prepared()
    groups = {group.names[0]: group for group in layer_groups(workload.module, workload.images)}
    assert groups["layer1.0.conv1"].names == tuple(f"layer1.{n}.conv{m}" for n in range(3) for m in (1, 2))
    assert groups["conv1"].first
    assert groups["layer1.0.conv1"].shape == (2, 16, 16, 16)
    assert not any(part._forward_pre_hooks for part in workload.module.modules())


def test_in_a_doubled_batch_ratios_are_those_of_an_image(prepared):
    case, workload = prepared()
    others = [other for other in other_settings(case) if other.batch_size == 4]
    answer = probed(case, workload, others)
    assert {(probe.axis, probe.value) for probe in answer.probes} == {("batch_size", "4")}
    group = next(g for g in layer_groups(workload.module, workload.images) if g.names[0] == "conv1")
    assert layer_step(others[0], group)(None).shape[0] == 4


@pytest.mark.parametrize("task", ["inference", "training"])
def test_each_layer_has_ratios_in_the_other_layout(prepared, task):
    case, workload = prepared(task=task)
    others = [other for other in other_settings(case) if other.layout == "nhwc"]
    answer = probed(case, workload, others)
    phases = {"inference": {"forward"}, "training": {"forward", "backward"}}[task]
    assert {probe.phase for probe in answer.probes} == phases
    assert {(probe.axis, probe.value) for probe in answer.probes} == {("layout", "nhwc")}
    named = {name for probe in answer.probes for name in probe.layers}
    assert {"conv1", "bn1", "layer3.2.conv2", "fc"} <= named
    assert all(len(probe.ratios) == 5 and min(probe.ratios) > 0 for probe in answer.probes)


def test_what_time_does_not_allow_is_left_out_with_its_reason(prepared):
    case, workload = prepared()
    answer = probed(case, workload, other_settings(case)[:1], seconds=0.0)
    assert answer.probes == ()
    assert "cheap layers were not reached" in answer.nulls["probes"]


def test_a_precision_that_is_only_emulated_is_not_tried(prepared, monkeypatch):
    case, workload = prepared()
    monkeypatch.setattr("bench.probing.layers.precision.emulated", lambda other: f"{other.precision} is emulated")
    others = [other for other in other_settings(case) if other.precision != "fp32"]
    assert probed(case, workload, others).nulls["precision=amp-bf16"] == "amp-bf16 is emulated"


def test_a_step_computes_the_layer_in_the_settings_of_the_case(prepared):
    case, workload = prepared(layout="nhwc", precision="amp-bf16")
    group = next(g for g in layer_groups(workload.module, workload.images) if g.names[0] == "conv1")
    result = layer_step(case, group)(None)
    assert result.dtype == torch.bfloat16
    assert result.is_contiguous(memory_format=torch.channels_last)
