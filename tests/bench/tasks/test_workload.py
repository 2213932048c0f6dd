import pytest
import torch

from bench.measure import precision
from bench.measure.device import Cpu, Unsupported
from bench.measure.timing import time_turn
from bench.tasks.workload import BUILDERS, Builder, build, random_batch
from results.schema.labels import RUNTIMES, TASKS, Runtime, Task


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


@pytest.mark.parametrize("task", TASKS)
def test_images_have_their_sides_and_channels(tiny, task):
    workload = build(tiny(image_size="24x40", in_channels=1, task=task))
    assert workload.images.shape == (2, 1, 24, 40)
    with workload.context():
        workload.step(lambda: None)


def test_images_and_labels_are_drawn_on_the_device(tiny):
    images, labels = random_batch(tiny(device="meta", layout="nhwc", precision="bf16"), 1 << 40)  # no host holds them
    assert (images.device.type, labels.device.type) == ("meta", "meta")
    assert (images.dtype, images.stride()[1], len(labels)) == (torch.bfloat16, 1, 1 << 40)


def test_images_of_the_cpu_are_the_same_in_every_process(tiny):
    torch.manual_seed(0)
    expected = torch.randn(2, 3, 32, 32)
    torch.manual_seed(0)
    assert torch.equal(random_batch(tiny(), 2)[0], expected)


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


def test_a_new_task_is_its_facts_and_its_builder(tiny, monkeypatch):
    """Scoring: a forward pass, and the best class of each image, in phases of its own."""

    def scoring(parts):
        def step(mark):
            logits = parts.prepared.forward()
            mark()
            return logits.argmax(1)

        return step

    monkeypatch.setitem(TASKS, "scoring", Task(description="forward and argmax", phases=("forward", "argmax")))
    monkeypatch.setitem(RUNTIMES, "eager", Runtime(engine="eager", tasks=("scoring",)))
    with pytest.raises(KeyError, match="scoring"):  # forgotten, and loud
        build(tiny(task="scoring"))
    monkeypatch.setitem(BUILDERS, "scoring", Builder(step=scoring, context=torch.inference_mode))
    workload = build(tiny(task="scoring"))
    assert workload.phases == ("forward", "argmax")
    assert not workload.module.training
    with workload.context():
        turn = time_turn(workload.step, Cpu(), steps=3)
        assert workload.step(lambda: None).shape == (2,)
    assert [len(phases) for phases in turn.phase_s] == [2] * 3
    with pytest.raises(Unsupported, match="eager runs no inference"):
        build(tiny(task="inference"))
