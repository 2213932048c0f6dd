import dataclasses

import pytest
import torch

from resnet.data import FileSplit, Split
from resnet.data.labelled import as_data, as_split, check_classes

PIXELS = torch.zeros(2, 1, 6, 6, dtype=torch.uint8)
LABELS = torch.tensor([0, 1])
SPLIT = Split(images=PIXELS, labels=LABELS)
FILES = FileSplit(paths=(), labels=torch.zeros(0, dtype=torch.int64))


def data(train=SPLIT, classes=("cat", "dog"), channels=1, image_size=9):
    values = (0.5,) * channels
    return as_data(train, train, classes=classes, mean=values, std=values, image_size=image_size)


def test_a_pair_of_tensors_is_a_split():
    split = as_split((PIXELS, LABELS))
    assert (split.images is PIXELS, split.labels is LABELS) == (True, True)
    assert as_split(SPLIT) is SPLIT
    with pytest.raises(ValueError, match="as many as images"):
        as_split((PIXELS, LABELS[:1]))


def test_images_in_memory_have_their_own_size():
    made = data()
    assert (made.image_size, made.in_channels, made.classes) == (6, 1, ("cat", "dog"))


def test_images_of_other_channels_are_refused():
    with pytest.raises(ValueError, match="expected"):
        data(channels=3)
    with pytest.raises(ValueError, match="image files have 3 channels, and the network takes 1"):
        data(FILES)


def test_a_label_means_the_same_class_on_both_sides():
    check_classes(("cat", "dog"), data())
    check_classes(("Katze", "Hund"), data())
    with pytest.raises(ValueError, match="has 2 classes, the classifier 3"):
        check_classes(("cat", "dog", "cow"), data())
    turned = dataclasses.replace(data(), classes=("dog", "cat"))
    with pytest.raises(ValueError, match="its label 0 is 'dog', and that of the classifier 'cat'"):
        check_classes(("cat", "dog"), turned)
