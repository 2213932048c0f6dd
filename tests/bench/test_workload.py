import math

import pytest
import torch

from bench import precision
from bench.device import Unsupported
from bench.workload import build
from results.schema import CHOICES


@pytest.fixture(autouse=True)
def settings_of_torch():
    """Workers are alone in their process; these tests are not."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    precision.set_tf32(on=False)


@pytest.fixture
def tiny(make_case):
    def tiny(**axes):
        return make_case(**{"model": "cifar_resnet20", "batch_size": 2, "image_size": 32, "threads": 1, **axes})

    return tiny


def run(workload, steps=1):
    marks = []
    with workload.context():
        for _ in range(steps):
            workload.step(lambda: marks.append(1))
    return len(marks)


def test_inference_has_one_phase_and_leaves_the_model_as_it_is(tiny):
    workload = build(tiny())
    assert workload.phases == ()
    assert run(workload) == 0


def test_training_marks_the_borders_of_its_three_phases_and_learns(tiny, monkeypatch):
    losses = []
    entropy = torch.nn.CrossEntropyLoss.forward

    def watched(self, *arguments):
        loss = entropy(self, *arguments)
        losses.append(loss.item())
        return loss

    monkeypatch.setattr(torch.nn.CrossEntropyLoss, "forward", watched)
    monkeypatch.setattr("bench.workload.LEARNING_RATE", 0.05)
    workload = build(tiny(task="training", batch_size=4))
    assert workload.phases == ("forward", "backward", "optimizer")
    assert run(workload, steps=12) == 24
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize(
    ("label", "weights", "compute", "autocast"),
    [
        ("fp32", "float32", "float32", None),
        ("amp-bf16", "float32", "bfloat16", "bfloat16"),
        ("amp-fp16", "float32", "float16", "float16"),
        ("bf16", "bfloat16", "bfloat16", None),
    ],
)
@pytest.mark.parametrize("task", ["inference", "training"])
def test_a_precision_is_what_really_runs(tiny, label, weights, compute, autocast, task):
    workload = build(tiny(precision=label, task=task))
    run(workload)
    ran = workload.observe()
    assert ran.parameter_dtypes == (weights,)
    assert ran.compute_dtypes == (compute,)
    assert ran.autocast == autocast
    assert ran.grad_scaler == (label == "amp-fp16" and task == "training")
    assert not ran.tf32_matmul
    assert not ran.tf32_convolution
    assert ran.threads == 1


@pytest.mark.parametrize("layout", CHOICES["layout"])
def test_a_layout_survives_the_network(tiny, layout):
    assert build(tiny(layout=layout)).observe().layout == layout


def test_tf32_is_switched_for_products_and_convolutions_alike():
    for on in (True, False):
        precision.set_tf32(on=on)
        assert torch.backends.cuda.matmul.allow_tf32 is on
        assert torch.backends.cudnn.allow_tf32 is on


def test_fp32_switches_a_leaked_tf32_off(tiny):
    precision.set_tf32(on=True)
    ran = build(tiny()).observe()
    assert not ran.tf32_matmul
    assert not ran.tf32_convolution


@pytest.mark.parametrize(
    ("axes", "reason"),
    [
        ({"precision": "tf32"}, "format of NVIDIA GPUs"),
        ({"precision": "fp16", "task": "training"}, "use amp-fp16"),
        ({"runtime": "compile:reduce-overhead"}, "CUDA graphs"),
        ({"runtime": "compile:reduce-overhead", "device": "mps:0"}, "CUDA graphs"),
    ],
)
def test_what_would_be_something_else_is_unsupported(tiny, axes, reason):
    with pytest.raises(Unsupported, match=reason):
        build(tiny(**axes))


@pytest.mark.parametrize(
    ("flags", "label", "expected"),
    [
        (["avx2"], "fp32", None),
        (["avx2"], "amp-bf16", "emulated"),
        (["avx512_bf16"], "amp-bf16", None),
        (["amx_bf16"], "bf16", None),
        (["avx512_bf16"], "fp16", "emulated"),
        (["bf16", "asimdhp"], "bf16", None),
    ],
)
def test_emulation_is_told_by_the_flags_of_the_cpu(tiny, monkeypatch, flags, label, expected):
    monkeypatch.setattr("bench.environment.cpu_flags", lambda: tuple(flags))
    note = precision.emulated(tiny(precision=label))
    assert note is None if expected is None else expected in note
