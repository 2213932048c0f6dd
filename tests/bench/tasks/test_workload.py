import pytest
import torch

from bench.measure import precision
from bench.measure.device import Unsupported
from bench.tasks.workload import build


def test_weights_and_input_can_be_replaced_in_place(tiny):
    workload, other = build(tiny(layout="nhwc")), build(tiny(model="cifar_resnet20"))
    with torch.no_grad():
        other.module.fc.bias.add_(1.0)
    workload.prepared.feed(torch.zeros(2, 3, 32, 32))
    workload.prepared.load(other.module.state_dict())
    with workload.context():
        first, second = workload.step(lambda: None)
    assert torch.equal(first, second)  # both images are black
    assert workload.images.is_contiguous(memory_format=torch.channels_last)


def test_another_dtype_holds_the_same_weights_and_images(tiny):
    single, double = build(tiny()), build(tiny(), dtype="float64")
    assert double.images.dtype == torch.float64
    assert torch.equal(double.images, single.images.double())
    assert torch.equal(double.module.conv1.weight, single.module.conv1.weight.double())


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


def test_the_step_gives_the_logits_or_the_loss(tiny):
    for task, shape in (("inference", (2, 10)), ("training", ())):
        workload = build(tiny(task=task))
        with workload.context():
            assert workload.step(lambda: None).shape == shape
