import pytest
import torch

import resnet


@pytest.mark.parametrize("name", ["resnet18", "preact_resnet18", "resnet50d", "cifar_resnet20", "cifar_wrn_28_10"])
def test_the_mask_has_the_size_of_the_image(name):
    with torch.device("meta"):
        network = resnet.segmenter(name, in_channels=1, num_classes=3)
        logits, mask = network(torch.empty(2, 1, 70, 50))
    assert (logits.shape, mask.shape) == ((2, 3), (2, 1, 70, 50))


@pytest.mark.parametrize("name", ["resnet18", "cifar_resnet18"])
def test_the_coarse_mask_stops_at_an_eighth(name):
    with torch.device("meta"):
        _, mask = resnet.segmenter(name, mask_stride=8)(torch.empty(2, 3, 64, 96))
    assert mask.shape == (2, 1, 8, 12)


@pytest.mark.parametrize("stride", [1, 8])
@pytest.mark.parametrize("changes", [{}, {"block": "preact_basic"}, {"stem": "cifar"}])
def test_both_heads_train(small, changes, stride):
    network = resnet.segmenter(small(**changes).config, in_channels=1, mask_stride=stride)
    logits, mask = network(torch.randn(2, 1, 64, 64))
    (logits.sum() + mask.sum()).backward()
    assert [name for name, weight in network.named_parameters() if weight.grad is None] == []


def test_a_pixel_of_the_image_moves_the_mask_there(small):
    """The skip connection from the image keeps what the strides of the network lose."""
    network = resnet.segmenter(small().config, in_channels=1).eval()
    image = torch.zeros(1, 1, 64, 64)
    other = image.clone()
    other[0, 0, 20, 30] = 5.0
    with torch.no_grad():
        moved = (network(other)[1] - network(image)[1]).abs()[0, 0]
    assert moved[18:23, 28:33].max() == moved.max() > 0


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("resnet18", {"num_classes": 0}, "at least 1"),
        ("resnet18", {"mask_stride": 4}, "mask_stride must be 1 or 8"),
        ("cifar_resnet20", {"mask_stride": 8}, "strides of this network are 1, 2, 4"),
    ],
)
def test_nonsense_is_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        resnet.segmenter(name, **arguments)
