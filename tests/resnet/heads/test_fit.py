import dataclasses
import math

import pytest
import torch

import resnet
from resnet.heads.fit import (
    fit_detector,
    fit_segmenter,
    grey,
    score_detector,
    score_segmenter,
    segmentation_loss,
)
from resnet.heads.phantoms import Phantoms, make_phantoms
from resnet.heads.scenes import make_scenes


@pytest.fixture
def scenes(tiles):
    return make_scenes(*tiles, count=4, size=32, objects=(1, 1), sides=(14, 16), seed=0)


@pytest.fixture
def detector(small):
    options = {"pyramid_channels": 8, "box_batch_size_per_image": 16, "rpn_post_nms_top_n_train": 20}
    return resnet.detector(small().config, num_classes=3, in_channels=1, image_size=32, **options)


def test_a_detector_learns_scenes_by_heart(detector, scenes):
    steps = list(fit_detector(detector, scenes, epochs=30, batch_size=4, learning_rate=1e-2))
    assert [step.step for step in steps] == list(range(1, 31))
    assert steps[-1].loss < steps[0].loss / 2
    assert 0.0 <= score_detector(detector, scenes) <= 1.0


def test_one_seed_gives_the_same_training(small, scenes):
    def losses(seed):
        torch.manual_seed(0)
        options = {"pyramid_channels": 8, "box_batch_size_per_image": 16, "rpn_post_nms_top_n_train": 20}
        network = resnet.detector(small().config, num_classes=3, in_channels=1, image_size=32, **options)
        return [step.loss for step in fit_detector(network, scenes, epochs=1, batch_size=2, seed=seed)]

    assert losses(1) == losses(1) != losses(2)


def test_a_segmenter_learns_phantoms(small):
    phantoms = make_phantoms(count=32, size=32, seed=0)
    network = resnet.segmenter(small().config, in_channels=1)
    before = score_segmenter(network, phantoms)
    *_, last = fit_segmenter(network, phantoms, epochs=15, batch_size=8, learning_rate=1e-2)
    after = score_segmenter(network, phantoms)
    assert last.step == last.steps == 60
    assert after.dice > max(0.5, before.dice)
    assert after.iou < after.dice


def test_a_network_that_is_scored_between_steps_goes_on_in_training_mode(small):
    phantoms = make_phantoms(count=8, size=32, seed=0)
    network = resnet.segmenter(small().config, in_channels=1)
    modes = []
    network.register_forward_pre_hook(lambda module, inputs: modes.append(module.training))
    steps = fit_segmenter(network, phantoms, epochs=2, batch_size=8)
    next(steps)
    score_segmenter(network, phantoms)
    next(steps)
    assert modes == [True, False, True]


def test_the_score_of_a_segmenter_is_that_of_its_mask():
    """A mask of the upper half, and a lesion in the upper left quarter: Dice 2/3. The class is right for one of two."""

    class Half(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images):
            mask = torch.full((len(images), 1, 8, 8), -1.0)
            mask[:, :, :4] = 1.0
            return torch.tensor([[0.0, 1.0]]).expand(len(images), 2), mask

    masks = torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    masks[0, 0, :4, :4] = True
    phantoms = Phantoms(images=torch.zeros(2, 1, 8, 8, dtype=torch.uint8), masks=masks, labels=torch.tensor([1, 0]))
    score = score_segmenter(Half(), phantoms)
    assert (score.dice, score.iou, score.accuracy) == pytest.approx((2 / 3, 1 / 2, 1 / 2))


def test_a_loss_that_is_not_finite_ends_with_its_step(small):
    network = resnet.segmenter(small().config, in_channels=1)
    torch.nn.init.constant_(network.fc.bias, math.inf)
    with pytest.raises(ValueError, match=r"the loss is \w+ at step 1 of 2; choose a lower learning_rate"):
        list(fit_segmenter(network, make_phantoms(count=8, size=32, seed=0), epochs=1, batch_size=4))


def test_less_than_a_batch_is_refused(small):
    network = resnet.segmenter(small().config, in_channels=1)
    with pytest.raises(ValueError, match="8 images are no batch of 16"):
        list(fit_segmenter(network, make_phantoms(count=8, size=32, seed=0), epochs=1))


def test_the_loss_is_the_sum_of_both_and_a_coarse_mask_meets_averages():
    """A quarter of the pixels under the coarse pixel belong to the mask; logits of 0 cost ln 2 each."""
    masks = torch.zeros(1, 1, 8, 8)
    masks[0, 0, :4, :4] = 1.0
    outputs = torch.zeros(1, 2), torch.full((1, 1, 1, 1), math.log(1 / 3))
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    loss = segmentation_loss(outputs, torch.tensor([1]), masks)
    assert float(loss) == pytest.approx(math.log(2) + entropy)


def test_grey_goes_from_minus_one_to_one():
    assert grey(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


def test_steps_are_values(detector, scenes):
    (step,) = fit_detector(detector, scenes, epochs=1, batch_size=4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.loss = 0.0
