import dataclasses

import pytest
import torch

import resnet


@pytest.fixture
def small():
    """Return a network of four narrow stages, without a classifier."""

    def make(**changes):
        torch.manual_seed(0)
        config = resnet.ResNetConfig(block="basic", depths=(1, 1, 1, 1), widths=(8, 16, 16, 16), stem_width=8)
        return resnet.create(dataclasses.replace(config, num_classes=0, **changes))

    return make


@pytest.fixture
def tiles():
    """Return rectangles of three heights on black, and the height as class."""
    images = torch.zeros(6, 1, 8, 8, dtype=torch.uint8)
    labels = torch.arange(6) % 3
    for image, label in zip(images, labels, strict=True):
        image[0, 1 : 3 + 2 * int(label), 1:6] = 200
    return images, labels
