import numpy as np
import pytest
import torch
from PIL import Image

from resnet.data import DataSet, Split


def _numbered(count, channels=1, size=4, classes=3):
    """A set whose image at index i has the value i everywhere, and the label i % classes."""
    images = torch.arange(count, dtype=torch.uint8)[:, None, None, None].repeat(1, channels, size, size)
    split = Split(images=images, labels=torch.arange(count) % classes)
    return DataSet(
        name="numbered",
        classes=tuple(f"class {label}" for label in range(classes)),
        train=split,
        validation=split,
        mean=(0.0,) * channels,
        std=(1 / 255,) * channels,  # so that normalised pixels are those of the images
        image_size=size,
        in_channels=channels,
        digest="0" * 64,
        held_out=False,
    )


def _folder(root, images, size=(20, 12), parts=("train", "val")):
    """Class folders of PNG files with random pixels: `images` of each class, such as {"cat": 3, "dog": 2}."""
    random = np.random.default_rng(0)
    for part in parts:
        for name, count in images.items():
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return root


@pytest.fixture(scope="session")
def numbered():
    return _numbered


@pytest.fixture(scope="session")
def folder_of():
    return _folder
