import dataclasses

import pytest
import torch
from torch import nn
from torchvision.ops import FrozenBatchNorm2d

import resnet
from resnet.heads.detector import anchor_sizes

NARROW = {"pyramid_channels": 8, "box_batch_size_per_image": 8, "rpn_post_nms_top_n_train": 20}


@pytest.fixture
def made(small):
    def made(block="basic", **arguments):
        config = small(block=block).config
        return resnet.detector(config, **{"num_classes": 3, "image_size": 64, **NARROW, **arguments})

    return made


def targets():
    return [{"boxes": torch.tensor([[8.0, 8.0, 40.0, 40.0]]), "labels": torch.tensor([1])} for _ in range(2)]


@pytest.mark.parametrize("block", ["basic", "preact_basic"])
def test_an_untrained_detector_has_finite_losses_and_trains_every_weight(made, block):
    network = made(block, in_channels=1)
    losses = network(list(torch.rand(2, 1, 64, 64)), targets())
    torch.stack(list(losses.values())).sum().backward()
    assert len(losses) == 4
    assert all(bool(loss.isfinite()) for loss in losses.values())
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []


def test_images_of_the_stated_size_reach_the_backbone_as_they_are(made):
    network = made(image_size=(64, 96)).eval()
    shapes = []
    network.backbone.register_forward_pre_hook(lambda _, arguments: shapes.append(tuple(arguments[0].shape)))
    with torch.inference_mode():
        network([torch.rand(3, 64, 96)])
    assert shapes == [(1, 3, 64, 96)]


def test_images_have_the_usual_size_of_the_network_where_none_is_stated(made):
    network = made(image_size=None)
    assert (network.transform.min_size, network.transform.max_size) == ((224,), 224)


def test_the_background_is_a_class_of_its_own(made):
    assert made(num_classes=3).roi_heads.box_predictor.cls_score.out_features == 4


def test_norms_train_without_weights_and_are_frozen_with_weights(made, small, tmp_path):
    torch.save(small().state_dict(), tmp_path / "weights.pt")
    trained = made(weights=tmp_path / "weights.pt")
    kinds = [{type(module) for module in network.modules()} for network in (made(), trained)]
    assert (nn.BatchNorm2d in kinds[0], FrozenBatchNorm2d in kinds[0]) == (True, False)
    assert (nn.BatchNorm2d in kinds[1], FrozenBatchNorm2d in kinds[1]) == (False, True)
    assert torch.equal(trained.backbone.features.network.conv1.weight, small().conv1.weight)
    assert trained.transform.image_mean == [0.485, 0.456, 0.406]


@pytest.mark.parametrize(
    ("strides", "size", "expected"),
    [
        ((4, 8, 16, 32), 800, (32, 64, 128, 256, 512)),  # torchvision's
        ((4, 8, 16, 32), 96, (16, 32, 64, 96, 96)),
        ((1, 2, 4, 8), 32, (4, 8, 16, 32, 32)),
    ],
)
def test_anchors_are_sized_for_the_image_and_leave_no_gaps(strides, size, expected):
    assert anchor_sizes(strides, size) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes must be an integer of at least 1"),
        ({"image_size": 31}, "at least 32 pixels"),
        ({"mean": [0.5]}, "mean has 1 values for images of 3 channels"),
    ],
)
def test_nonsense_is_refused(made, arguments, message):
    with pytest.raises(ValueError, match=message):
        made(**arguments)


def test_three_stages_are_too_few():
    with pytest.raises(ValueError, match="'cifar_resnet20' has 3; choose"):
        resnet.detector("cifar_resnet20", num_classes=3, image_size=32)


def test_a_configuration_of_ones_own_is_a_backbone(small):
    config = dataclasses.replace(small().config, stem="cifar")
    network = resnet.detector(config, num_classes=1, image_size=32, **NARROW).eval()
    with torch.inference_mode():
        (result,) = network([torch.rand(3, 32, 32)])
    assert set(result) == {"boxes", "labels", "scores"}
