import pytest
import torch
from torchvision.models import get_model_weights

from bench.suites import models
from bench.tasks.networks import create_network, imagenet_top1
from results.errors import InputError


@pytest.mark.parametrize("ask", [create_network, imagenet_top1])
def test_an_unknown_name_suggests_the_nearest(ask):
    with pytest.raises(InputError, match="did you mean 'torchvision:vgg16'"):
        ask("vgg16")


@pytest.mark.parametrize("name", models.PEERS)
def test_a_peer_has_torchvisions_parameters(name):
    weights = get_model_weights(name.removeprefix(models.TORCHVISION)).DEFAULT
    with torch.device("meta"):
        network = create_network(name)
    assert sum(parameter.numel() for parameter in network.parameters()) == weights.meta["num_params"]


@pytest.mark.parametrize("name", models.PEERS)
def test_peers_give_one_plain_tensor_in_both_modes_and_run_at_their_least_size(name):
    with torch.device("meta"):
        network = create_network(name, num_classes=7)
        least = torch.empty(2, 3, models.minimum_image_size(name), models.minimum_image_size(name))
        usual = torch.empty(2, 3, models.default_image_size(name), models.default_image_size(name))
        assert network.eval()(least).shape == (2, 7)
        assert network.train()(usual).shape == (2, 7)


@pytest.mark.parametrize("name", ["torchvision:alexnet", "torchvision:googlenet", "torchvision:densenet121"])
def test_peers_run_below_their_least_size_no_more(name):
    size = models.minimum_image_size(name) - 1
    with torch.device("meta"), pytest.raises(RuntimeError):
        create_network(name).eval()(torch.empty(2, 3, size, size))


@pytest.mark.parametrize("name", models.PEERS)
@pytest.mark.parametrize("channels", [1, 4])
def test_a_peer_takes_images_of_other_channels_and_differs_in_nothing_else(name, channels):
    least = models.minimum_image_size(name)
    with torch.device("meta"):
        usual, other = create_network(name), create_network(name, in_channels=channels)
        assert other.eval()(torch.empty(2, channels, least, least + 9)).shape == (2, 1000)
    shapes = [{key: value.shape for key, value in network.state_dict().items()} for network in (usual, other)]
    assert list(shapes[0]) == list(shapes[1])
    ((first, shape),) = [(key, shape) for key, shape in shapes[1].items() if shapes[0][key] != shape]
    assert (shape[1], first.endswith(".weight")) == (channels, True)


def test_a_variant_is_made_by_resnet():
    network = create_network("cifar_resnet20", num_classes=4, in_channels=1)
    assert (network.config.num_classes, network.config.in_channels) == (4, 1)
    assert network.training
    assert create_network("cifar_resnet20").config.num_classes == models.default_num_classes("cifar_resnet20") == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "resnet18", "num_classes": -1}, r"^num_classes must be an integer of at least 0, not -1$"),
        ({"name": "torchvision:vgg16", "head": "segmentation"}, r"has only its classifier; the variants of resnet"),
        ({"name": "cifar_resnet20", "head": "faster-rcnn"}, r"^faster-rcnn needs a network of 4 stages"),
        ({"name": "torchvision:vgg16", "num_classes": 0}, r"num_classes of 'torchvision:vgg16' must be at least 1"),
    ],
)
def test_bad_arguments_are_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as raised:
        create_network(**arguments)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "accuracy", "weights"),
    [
        ("resnet18", 0.69758, "IMAGENET1K_V1"),
        ("resnet50", 0.80858, "IMAGENET1K_V2"),
        ("torchvision:resnet50", 0.80858, "IMAGENET1K_V2"),
        ("torchvision:vgg16", 0.71592, "IMAGENET1K_V1"),
    ],
)
def test_top1_is_the_best_published(name, accuracy, weights):
    found, label = imagenet_top1(name)
    assert (found, label) == (pytest.approx(accuracy, abs=1e-9), weights)


@pytest.mark.parametrize("name", ["preact_resnet50", "resnet50d", "plain34", "cifar_resnet50", "resnet26"])
def test_top1_of_what_torchvision_lacks_is_none(name):
    assert imagenet_top1(name) == (None, None)
