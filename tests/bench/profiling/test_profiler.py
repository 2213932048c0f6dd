import gzip
import json
import os
import time

import pytest

from bench.costs.static import cost
from bench.measure.device import open_device
from bench.profiling.profiler import module_ranges, modules_of, profiled_step, quiet_library
from bench.tasks.workload import build

OUTSIDE = {"overhead", "idle", "unexplained", "loss"}


@pytest.fixture(scope="module")
def profiled(tmp_path_factory):
    """Profile a small case, once a set of axes."""
    known = {}

    def profiled(**axes):
        key = tuple(sorted(axes.items()))
        if key not in known:
            from tests.conftest import _case  # noqa: PLC0415 - the function behind the fixture

            case = _case(**{"model": "cifar_resnet20", "image_size": 16, "batch_size": 2, "threads": 1, **axes})
            workload = build(case)
            with workload.context():
                workload.step(lambda: None)
            path = tmp_path_factory.mktemp("trace") / "trace.json.gz"
            answer = profiled_step(
                case, workload, open_device("cpu"), steps=4, trace=str(path), clock=time.perf_counter
            )
            known[key] = case, workload, answer, path
        return known[key]

    return profiled


CASES = [
    {"task": "inference"},
    {"task": "training"},
    {"task": "training", "layout": "nhwc", "grad_checkpointing": "blocks"},
    {"task": "inference", "precision": "amp-bf16"},
    {"task": "training", "optimizer": "adam", "head": "none"},
]


@pytest.mark.parametrize("axes", CASES)
def test_the_rows_are_the_step_and_nearly_all_of_it_has_a_module(profiled, axes):
    case, _, answer, _ = profiled(**axes)
    assert sum(row.self_s for row in answer.operators) == pytest.approx(answer.profiled_s, rel=0.02)
    inside = [row for row in answer.operators if row.phase in {"forward", "backward"} and row.kind not in OUTSIDE]
    named = sum(row.self_s for row in inside if row.module is not None)
    assert named >= 0.98 * sum(row.self_s for row in inside)
    assert len(answer.step_s) == 4
    phases = {row.phase for row in answer.operators} - {"other"}
    assert phases == ({"forward", "backward", "optimizer"} if case.task == "training" else {"forward"})


def test_every_convolution_is_in_its_own_module_forward_and_backward(profiled):
    _, workload, answer, _ = profiled(task="training")
    wanted = {name for name, part in workload.module.named_modules() if type(part).__name__ == "Conv2d"}
    for phase in ("forward", "backward"):
        rows = [row for row in answer.operators if row.kind == "convolution" and row.phase == phase]
        assert {row.module for row in rows if row.self_s} == wanted


def test_work_is_that_of_the_static_cost(profiled):
    case, _, answer, _ = profiled(task="training")
    counted = cost(case.model, image_size=case.image_size)
    flops = {
        phase: sum(work.flops for work in answer.works if work.phase == phase) for phase in ("forward", "backward")
    }
    assert flops["forward"] == case.batch_size * counted.flops
    assert sum(flops.values()) == case.batch_size * counted.training_flops
    assert all(work.fused_bytes <= work.bytes for work in answer.works)


def test_the_trace_is_one_that_viewers_open(profiled):
    _, _, answer, path = profiled(task="inference")
    assert answer.trace_bytes == path.stat().st_size
    trace = json.loads(gzip.decompress(path.read_bytes()))
    complete = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert {"name", "ts", "dur", "pid", "tid"} <= complete[0].keys()
    assert any(event["name"] == "aten::conv2d" for event in complete)


def test_nothing_is_left_in_the_network(profiled):
    _, workload, _, _ = profiled(task="inference")
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in workload.module.modules())
    with pytest.raises(ZeroDivisionError), module_ranges(workload.module):
        1 / 0  # noqa: B018 - it fails
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in workload.module.modules())


def test_modules_are_listed_with_type_and_stage(profiled):
    _, workload, answer, _ = profiled(task="inference")
    assert answer.modules == modules_of(workload.module)
    by_name = {each.name: each for each in answer.modules}
    assert (by_name["(root)"].type, by_name["layer1.0.conv1"].stage) == ("ResNet", "layer1")


def test_what_the_library_prints_is_not_for_the_user(capfd):
    with quiet_library():
        os.write(2, b"USDT: started")
    os.write(2, b"ours")
    assert capfd.readouterr().err == "ours"
