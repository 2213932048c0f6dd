import functools

import pytest
import torch

import resnet
from bench.measure.device import Unsupported
from bench.tasks.heads import BatchedDetector, label_choices, loss_of, of_batches
from bench.tasks.workload import build
from results.schema.case import Case
from results.schema.labels import HEADS


def run(workload):
    with workload.context():
        return workload.step(lambda: None)


@pytest.fixture(scope="module")
def detector():
    """A training workload of a narrow detector with two images."""
    narrow = {"pyramid_channels": 8, "box_batch_size_per_image": 16, "rpn_post_nms_top_n_train": 50}
    case = Case(
        model="resnet18",
        task="training",
        batch_size=2,
        image_size=64,
        head="faster-rcnn",
        device="cpu",
        precision="fp32",
        runtime="eager",
        layout="nchw",
        threads=1,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.tasks.networks.detector", functools.partial(resnet.detector, **narrow))
        return case, build(case)


def test_inference_puts_out_what_the_head_says(tiny):
    assert run(build(tiny(head="none"))).shape == (2, 64)
    logits, mask = run(build(tiny(head="segmentation")))
    assert (logits.shape, mask.shape) == ((2, 2), (2, 1, 32, 32))


@pytest.mark.parametrize("head", ["none", "segmentation"])
def test_training_moves_every_weight(tiny, head):
    workload = build(tiny(head=head, task="training"))
    before = {name: weight.detach().clone() for name, weight in workload.module.named_parameters()}
    assert run(workload).shape == ()
    still = [name for name, weight in workload.module.named_parameters() if torch.equal(weight, before[name])]
    # A bias before a normalisation has no gradient, and there is none: every weight moves.
    assert still == []


def test_a_detector_trains_its_backbone_on_made_boxes(detector):
    _, workload = detector
    before = workload.module.detector.backbone.features.network.conv1.weight.detach().clone()
    loss = run(workload)
    assert loss.shape == ()
    assert bool(loss.isfinite())
    assert not torch.equal(workload.module.detector.backbone.features.network.conv1.weight, before)
    (first, second) = workload.module.targets
    assert torch.equal(first["boxes"], second["boxes"])
    assert first["boxes"].max() <= 64
    assert int(first["labels"].min()) >= 1


def test_a_detector_detects_in_a_batch(detector):
    _, workload = detector
    workload.module.eval()
    with torch.inference_mode():
        results = workload.module(workload.images)
    workload.module.train()
    assert [set(result) for result in results] == [{"boxes", "labels", "scores"}] * 2


def test_only_detectors_are_wrapped(detector):
    network = torch.nn.Identity()
    assert of_batches(network) is network
    assert isinstance(detector[1].module, BatchedDetector)


def test_labels_are_those_of_the_head(tiny):
    choices = [label_choices(tiny(head=head)) for head in ("classifier", "none", "segmentation")]
    assert choices == [10, 1, 2]


def test_the_loss_reads_new_labels(tiny):
    """The check of the result replaces labels in place."""
    labels = torch.tensor([0, 0])
    loss = loss_of(tiny(), torch.nn.Identity(), labels)
    logits = torch.tensor([[9.0, 0.0], [9.0, 0.0]])
    low = float(loss(logits))
    labels.fill_(1)
    assert float(loss(logits)) > low + 5


@pytest.mark.parametrize(
    ("axes", "reason"),
    [
        ({"head": "faster-rcnn"}, "needs a network of 4 stages, and cifar_resnet20 has 3"),
        ({"head": "none", "model": "torchvision:alexnet", "image_size": 64}, "has only its classifier"),
        ({"head": "faster-rcnn", "model": "resnet18", "runtime": "compile"}, "compiles for fixed shapes"),
    ],
)
def test_what_has_no_such_head_is_unsupported(tiny, axes, reason):
    with pytest.raises(Unsupported, match=reason):
        build(tiny(**axes))


def test_every_head_has_a_loss():
    from bench.tasks.heads import _LOSSES  # noqa: PLC0415

    assert set(_LOSSES) == set(HEADS)
