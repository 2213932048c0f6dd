import torch

from resnet.data.sources.content import Request
from resnet.data.sources.fake import make_fake


def test_the_seed_decides_the_noise():
    first, again, other = (make_fake(Request(seed=seed, image_size=4)) for seed in (0, 0, 1))
    assert torch.equal(first.train.images, again.train.images)
    assert torch.equal(first.train.labels, again.train.labels)
    assert not torch.equal(first.train.images, other.train.images)
    assert not torch.equal(first.train.images[:256], first.validation.images)


def test_the_noise_fills_the_range():
    content = make_fake(Request())
    assert content.train.images.shape[1:] == (3, 32, 32)
    assert len(content.train.images.unique()) == 256
    assert content.train.labels.unique().tolist() == list(range(10))
    assert "nothing can be learned" in content.note
