import dataclasses

import pytest
import torch

from resnet.data import FileSplit, Split
from resnet.data.dataset import digest_of


def split(count=4, size=2, labels=None):
    images = torch.arange(count * size * size, dtype=torch.uint8).reshape(count, 1, size, size)
    return Split(images=images, labels=torch.arange(count) % 2 if labels is None else torch.tensor(labels))


def test_a_subset_keeps_images_and_labels_together():
    part = split().subset(torch.tensor([3, 0]))
    assert part.images[:, 0, 0, 0].tolist() == [12, 0]
    assert part.labels.tolist() == [1, 0]
    files = FileSplit(paths=("a", "b", "c"), labels=torch.tensor([0, 1, 2])).subset(torch.tensor([2, 1]))
    assert files.paths == ("c", "b")
    assert files.labels.tolist() == [2, 1]


def test_images_and_labels_must_fit():
    images, labels = split().images, split().labels
    for wrong in (images.float(), images[:, 0]):
        with pytest.raises(ValueError, match="images must be uint8"):
            Split(images=wrong, labels=labels)
    for wrong in (labels[1:], labels.int(), labels[:, None]):
        with pytest.raises(ValueError, match="labels must be int64"):
            Split(images=images, labels=wrong)
    with pytest.raises(ValueError, match="labels must be int64"):
        FileSplit(paths=("a",), labels=labels)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": ("only",)}, "1 class"),
        ({"train": split(0, 4)}, "no training images"),
        ({"validation": split(0, 4)}, "no validation images"),
        ({"train": split(4, 4, [0, 1, 3, 2])}, "training image 2 is 3, and 3 classes have labels from 0 to 2"),
        ({"validation": split(4, 4, [0, -1, 1, 2])}, "validation image 1 is -1"),
        ({"train": split(4, 2)}, "shape"),
        ({"mean": (0.0, 0.0)}, "mean"),
    ],
)
def test_a_set_that_cannot_be_learned_from_is_refused(numbered, changes, words):
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(numbered(4), **changes)


def test_the_digest_follows_images_and_labels():
    same = digest_of(split())
    assert same == digest_of(split()) != digest_of(split(labels=[1, 1, 1, 1]))
    changed = split()
    changed.images[3] += 1
    assert digest_of(changed) != same
    reshaped = Split(images=split().images.reshape(4, 1, 1, 4), labels=split().labels)
    assert digest_of(reshaped) != same
    assert len(same) == 64


def test_the_digest_follows_names_and_sizes_of_files_and_not_their_folder(tmp_path):
    digests = []
    for folder, name, content in (("x", "a", "12"), ("y", "a", "21"), ("z", "b", "12"), ("w", "a", "123")):
        path = tmp_path / folder / name
        path.parent.mkdir()
        path.write_text(content)
        digests.append(digest_of(FileSplit(paths=(str(path),), labels=torch.tensor([0]))))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
    with pytest.raises(ValueError, match="cannot read"):
        digest_of(FileSplit(paths=(str(tmp_path / "missing"),), labels=torch.tensor([0])))
