import dataclasses

import pytest
import torch

from resnet.config import ResNetConfig
from resnet.data import Augmentation, DataSet, Split
from resnet.model import ResNet
from resnet.training import Recipe, Trainer

CONFIG = ResNetConfig(
    block="basic", depths=(1, 1), widths=(8, 16), stem="cifar", stem_width=8, num_classes=4, in_channels=1
)
RECIPE = Recipe(name="tiny", epochs=2, batch_size=16, learning_rate=0.05)
AUGMENTED = Augmentation(crop_padding=1, flip=True)


def tiny_data(images=64, validation=40, noise=40):
    """Four classes: a bright quarter of an 8×8 image each, with noise."""
    random = torch.Generator().manual_seed(0)

    def split(count):
        labels = torch.arange(count) % 4
        pixels = torch.randint(0, noise, (count, 1, 8, 8), generator=random)
        for index, label in enumerate(labels.tolist()):
            row, column = 4 * (label // 2), 4 * (label % 2)
            pixels[index, 0, row : row + 4, column : column + 4] += 200
        return Split(images=pixels.to(torch.uint8), labels=labels)

    return DataSet(
        name="tiny",
        classes=("a", "b", "c", "d"),
        train=split(images),
        validation=split(validation),
        mean=(0.3,),
        std=(0.3,),
        image_size=8,
        in_channels=1,
        digest=f"{images} {validation} {noise}",
        held_out=False,
    )


def trainer_of(*, data=None, config=CONFIG, seed=0, options=None, **changes):
    """A trainer of a tiny network; `changes` are those of the recipe, `options` those of the trainer."""
    torch.manual_seed(seed)
    recipe = dataclasses.replace(RECIPE, **changes)
    return Trainer(ResNet(config), data or tiny_data(), recipe, seed=seed, **(options or {}))


def same_weights(first, second):
    theirs = second.state_dict()
    return all(torch.equal(value, theirs[key]) for key, value in first.state_dict().items())


@pytest.fixture
def forgetful():
    """Torch is deterministic for one test only."""
    yield
    torch.use_deterministic_algorithms(False)
