import math

import pytest
import torch

from bench.measure import precision
from bench.measure.device import Unsupported
from bench.tasks.workload import build


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
    monkeypatch.setattr("bench.tasks.training.LEARNING_RATE", 0.05)
    workload = build(tiny(task="training", batch_size=4))
    assert workload.phases == ("forward", "backward", "optimizer")
    assert run(workload, steps=12) == 24
    assert all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0] / 2


def test_the_step_gives_the_logits_or_the_loss(tiny):
    for task, shape in (("inference", (2, 10)), ("training", ())):
        workload = build(tiny(task=task))
        with workload.context():
            assert workload.step(lambda: None).shape == shape


def test_weights_and_input_can_be_replaced_in_place(tiny):
    workload, other = build(tiny(layout="nhwc")), build(tiny(model="cifar_resnet20"))
    with torch.no_grad():
        other.module.fc.bias.add_(1.0)
        workload.images.copy_(torch.zeros(2, 3, 32, 32))
    workload.module.load_state_dict(other.module.state_dict())
    with workload.context():
        first, second = workload.step(lambda: None)
    assert torch.equal(first, second)  # both images are black
    assert workload.images.is_contiguous(memory_format=torch.channels_last)


def test_another_dtype_holds_the_same_weights_and_images(tiny):
    single, double = build(tiny()), build(tiny(), dtype="float64")
    assert double.images.dtype == torch.float64
    assert torch.equal(double.images, single.images.double())
    assert torch.equal(double.module.conv1.weight, single.module.conv1.weight.double())


def test_tf32_is_switched_for_products_and_convolutions_alike():
    for on in (True, False):
        precision.set_tf32(on=on)
        assert torch.backends.cuda.matmul.allow_tf32 is on
        assert torch.backends.cudnn.allow_tf32 is on


def test_fp32_switches_a_leaked_tf32_off(tiny):
    precision.set_tf32(on=True)
    build(tiny())
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32


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
    monkeypatch.setattr("bench.machine.cpu.cpu_flags", lambda: tuple(flags))
    note = precision.emulated(tiny(precision=label))
    assert note is None if expected is None else expected in note
