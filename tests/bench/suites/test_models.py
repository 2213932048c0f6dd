import subprocess
import sys

import pytest
import torch
from torchvision.models import get_model_weights

from bench.suites import models
from resnet import VARIANTS
from results.errors import InputError


def test_every_variant_and_peer_is_listed_once():
    listed = models.names()
    assert len(listed) == len(set(listed)) == len(VARIANTS) + len(models.PEERS)
    assert {"torchvision:vgg16", "torchvision:googlenet", "torchvision:alexnet", "torchvision:densenet121"} <= set(
        listed
    )
    for name in listed:
        models.check(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnt50", r"^unknown model 'resnt50'; did you mean 'resnet50'\?$"),
        ("vgg16", r"^unknown model 'vgg16'; did you mean 'torchvision:vgg16'\?$"),
        ("torchvision:alexnt", r"^unknown model 'torchvision:alexnt'; did you mean 'torchvision:alexnet'\?$"),
        ("zzz", r"^unknown model 'zzz'; resnet-bench list models shows them all$"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(name, message):
    for ask in (models.check, models.create, models.default_image_size, models.family, models.imagenet_top1):
        with pytest.raises(InputError, match=message):
            ask(name)


@pytest.mark.parametrize("name", models.PEERS)
def test_facts_of_peers_are_torchvisions(name):
    weights = get_model_weights(name.removeprefix(models.TORCHVISION)).DEFAULT
    assert models.default_num_classes(name) == len(weights.meta["categories"])
    assert models.default_image_size(name) == weights.transforms.keywords["crop_size"]
    assert models.minimum_image_size(name) >= weights.meta["min_size"][0]
    with torch.device("meta"):
        network = models.create(name)
    assert sum(parameter.numel() for parameter in network.parameters()) == weights.meta["num_params"]


@pytest.mark.parametrize("name", models.PEERS)
def test_peers_give_one_plain_tensor_in_both_modes_and_run_at_their_least_size(name):
    with torch.device("meta"):
        network = models.create(name, num_classes=7)
        least = torch.empty(2, 3, models.minimum_image_size(name), models.minimum_image_size(name))
        usual = torch.empty(2, 3, models.default_image_size(name), models.default_image_size(name))
        assert network.eval()(least).shape == (2, 7)
        assert network.train()(usual).shape == (2, 7)


@pytest.mark.parametrize("name", ["torchvision:alexnet", "torchvision:googlenet", "torchvision:densenet121"])
def test_peers_run_below_their_least_size_no_more(name):
    size = models.minimum_image_size(name) - 1
    with torch.device("meta"), pytest.raises(RuntimeError):
        models.create(name).eval()(torch.empty(2, 3, size, size))


def test_a_variant_is_made_by_resnet():
    network = models.create("cifar_resnet20", num_classes=4)
    assert network.config.num_classes == 4
    assert network.training
    assert models.create("cifar_resnet20").config.num_classes == models.default_num_classes("cifar_resnet20") == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "resnet18", "num_classes": -1}, r"^num_classes must be an integer of at least 0, not -1$"),
        ({"name": "torchvision:vgg16", "num_classes": 0}, r"num_classes of 'torchvision:vgg16' must be at least 1"),
    ],
)
def test_bad_arguments_are_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as raised:
        models.create(**arguments)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "family", "block", "depth"),
    [
        ("resnet50", "resnet", "bottleneck", 50),
        ("torchvision:resnet50", "resnet", "bottleneck", 50),
        ("torchvision:resnext101_64x4d", "resnext", "bottleneck", 101),
        ("preact_resnet18", "preact", "preact_basic", 18),
        ("torchvision:vgg16", "peer", None, None),
    ],
)
def test_family_block_and_depth(name, family, block, depth):
    assert (models.family(name), models.block(name), models.depth(name)) == (family, block, depth)


@pytest.mark.parametrize("name", [name for name in models.PEERS if models.family(name) != "peer"])
def test_torchvisions_resnets_have_the_facts_of_ours(name):
    ours = name.removeprefix(models.TORCHVISION)
    for fact in (models.default_image_size, models.minimum_image_size, models.default_num_classes):
        assert fact(name) == fact(ours)


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
    found, label = models.imagenet_top1(name)
    assert (found, label) == (pytest.approx(accuracy, abs=1e-9), weights)


@pytest.mark.parametrize("name", ["preact_resnet50", "resnet50d", "plain34", "cifar_resnet50", "resnet26"])
def test_top1_of_what_torchvision_lacks_is_none(name):
    assert models.imagenet_top1(name) == (None, None)


def test_names_and_facts_need_no_torch():
    program = (
        "import sys\n"
        "from bench.suites import models\n"
        "for name in models.names():\n"
        "    models.minimum_image_size(name), models.family(name), models.depth(name)\n"
        "assert 'torch' not in sys.modules and 'torchvision' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
