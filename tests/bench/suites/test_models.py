import subprocess
import sys

import pytest
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
    for ask in (models.check, models.default_image_size, models.minimum_image_size, models.family):
        with pytest.raises(InputError, match=message):
            ask(name)


@pytest.mark.parametrize("name", models.PEERS)
def test_facts_of_peers_are_torchvisions(name):
    weights = get_model_weights(name.removeprefix(models.TORCHVISION)).DEFAULT
    assert models.default_num_classes(name) == len(weights.meta["categories"])
    assert models.default_image_size(name) == weights.transforms.keywords["crop_size"]
    assert models.minimum_image_size(name) >= weights.meta["min_size"][0]


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


def test_names_and_facts_need_no_torch():
    program = (
        "import sys\n"
        "from bench.suites import models\n"
        "for name in models.names():\n"
        "    models.minimum_image_size(name), models.family(name), models.depth(name)\n"
        "assert 'torch' not in sys.modules and 'torchvision' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("name", "size", "stem", "chosen"),
    [
        ("resnet18", 28, None, "cifar_resnet18"),
        ("resnet18", 64, None, "cifar_resnet18"),
        ("resnet18", 65, None, "resnet18"),
        ("resnet18", 64, "imagenet", "resnet18"),
        ("resnet18", 224, "cifar", "cifar_resnet18"),
        ("cifar_resnet18", 224, None, "cifar_resnet18"),
        ("cifar_resnet18", 64, "imagenet", "resnet18"),
        ("resnet18d", 64, None, "resnet18d"),
        ("cifar_resnet20", 8, None, "cifar_resnet20"),
    ],
)
def test_small_images_are_trained_with_the_cifar_stem(name, size, stem, chosen):
    variant, line = models.for_images(name, size, stem)
    assert variant == chosen
    assert (line is None) == (name == chosen)
    assert line is None or (name in line and chosen in line)


@pytest.mark.parametrize(
    ("name", "size", "stem", "words"),
    [
        ("resnt18", 28, None, "did you mean 'resnet18'"),
        ("torchvision:resnet18", 28, None, "train a variant such as 'resnet18'"),
        ("torchvision:vgg16", 28, None, "train a variant"),
        ("resnet18", 28, "imagenet", "28 pixels are too small for 'resnet18'"),
        ("resnet18d", 64, "cifar", "no twin with the stem 'cifar'"),
        ("cifar_resnet20", 64, "imagenet", "no twin with the stem 'imagenet'"),
    ],
)
def test_a_variant_that_cannot_be_trained_is_a_line(name, size, stem, words):
    with pytest.raises(InputError, match=words):
        models.for_images(name, size, stem)
