import torch

from resnet.heads.phantoms import make_phantoms


def test_the_class_says_whether_there_is_a_lesion():
    phantoms = make_phantoms(count=40, size=48, seed=0)
    assert torch.equal(phantoms.masks.flatten(1).any(1), phantoms.labels == 1)
    assert set(phantoms.labels.tolist()) == {0, 1}
    assert (phantoms.images.dtype, phantoms.images.shape) == (torch.uint8, (40, 1, 48, 48))


def test_a_lesion_is_brighter_than_the_rest():
    phantoms = make_phantoms(count=20, size=48, lesions=1.0, seed=0)
    images = phantoms.images.float()
    inside = [image[mask].mean() for image, mask in zip(images, phantoms.masks, strict=True)]
    outside = [image[~mask].mean() for image, mask in zip(images, phantoms.masks, strict=True)]
    assert all(a > b + 20 for a, b in zip(inside, outside, strict=True))


def test_a_seed_gives_the_same_phantoms_and_another_gives_others():
    first, again, other = (make_phantoms(count=3, size=32, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.masks, again.masks)
    assert not torch.equal(first.images, other.images)
