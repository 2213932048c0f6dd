"""What a step makes of a head: the input that the network takes, the made targets, and the loss.

Targets are made, and nothing of them depends on an image: they set how much a step computes, and no network learns.
"""

from collections.abc import Callable
from typing import Any, Final

import torch
from torch import nn
from torchvision.models.detection import FasterRCNN

from bench.tasks import networks
from resnet.heads.fit import segmentation_loss
from results.image_size import sides
from results.schema.case import Case

Loss = Callable[[Any], torch.Tensor]
"""The loss of what a network puts out."""

BOXES: Final = ((0.1, 0.1, 0.5, 0.5), (0.4, 0.5, 0.9, 0.9), (0.55, 0.05, 0.95, 0.4))
"""The boxes of every image: x1, y1, x2, y2 as shares of its width and height."""
DISC: Final = 0.25
"""Radius of the disc that is the mask of every image, as a share of its sides."""


class BatchedDetector(nn.Module):
    """A detector that takes images as a single tensor, and in training mode aims at the targets that it was given.

    Args:
        detector: Torchvision's detector, which takes a list of images and in training mode a list of targets.
    """

    def __init__(self, detector: FasterRCNN) -> None:
        super().__init__()
        self.detector = detector
        self.targets: list[dict[str, torch.Tensor]] = []
        """For each image its boxes and their labels."""

    def forward(self, images: torch.Tensor) -> Any:
        """Return the detections of images (batch, channels, height, width), or in training mode four losses by name."""
        return self.detector(list(images), self.targets if self.training else None)


def of_batches(network: nn.Module) -> nn.Module:
    """Return a network that takes a batch of images as a single tensor."""
    return BatchedDetector(network) if isinstance(network, FasterRCNN) else network


def label_choices(case: Case) -> int:
    """Return the number of labels that random images of a case may have; a head without classes ignores them."""
    return max(1, networks.head_classes(case.model, case.head))


def loss_of(case: Case, network: nn.Module, labels: torch.Tensor) -> Loss:
    """Return the loss of a case, whose targets lie on its device.

    Args:
        case: The case.
        network: Its network, which gets the targets if it computes its losses itself.
        labels: A class of each image, (batch,). They are read in every step, except by a detector.
    """
    return _LOSSES[case.head](case, network, labels)


def _entropy(_case: Case, _network: nn.Module, labels: torch.Tensor) -> Loss:
    entropy = nn.CrossEntropyLoss()
    return lambda logits: entropy(logits, labels)


def _mean_square(_case: Case, _network: nn.Module, _labels: torch.Tensor) -> Loss:
    return lambda features: features.square().mean()


def _sum(case: Case, network: nn.Module, labels: torch.Tensor) -> Loss:
    assert isinstance(network, BatchedDetector)  # noqa: S101 - the head says so
    height, width = sides(case.image_size)
    scale = torch.tensor([width, height, width, height], device=case.device)
    boxes = torch.tensor(BOXES, device=case.device) * scale
    ranks = torch.arange(len(BOXES), device=case.device)
    network.targets = [{"boxes": boxes, "labels": 1 + (label + ranks) % networks.OBJECTS} for label in labels]
    return lambda losses: torch.stack(list(losses.values())).sum()


def _of_both(case: Case, _network: nn.Module, labels: torch.Tensor) -> Loss:
    height, width = sides(case.image_size)
    y, x = (torch.linspace(-0.5, 0.5, side, device=case.device) for side in (height, width))
    disc = (y[:, None].square() + x.square() <= DISC**2).float()
    masks = disc.expand(case.batch_size, 1, height, width).contiguous()
    return lambda outputs: segmentation_loss(outputs, labels, masks)


_LOSSES: Final[dict[str, Callable[[Case, nn.Module, torch.Tensor], Loss]]] = {
    "classifier": _entropy,
    "none": _mean_square,
    "faster-rcnn": _sum,
    "segmentation": _of_both,
}
"""Every value of the axis ``head``."""
