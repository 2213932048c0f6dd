import pytest
import timm
import torch
from torch import nn

import resnet
from results.importers.timm_names import TIMM, architecture, network


def counts(made):
    """Elements of the parameters by shape, multiply-adds and activations of a network on the meta device."""
    macs, activations = [], []

    def count(module, _inputs, output):
        macs.append(output.numel() * module.weight[0].numel())
        activations.append(output.numel())

    for module in made.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    made.eval()(torch.empty(1, 3, 224, 224, device="meta"))
    # timm's pre-activation classifier is a 1x1 convolution.
    shapes = sorted(tuple(size for size in one.shape if size > 1) for one in made.parameters())
    return shapes, sum(macs), sum(activations)


@pytest.mark.parametrize("name", TIMM)
def test_each_is_the_same_network_and_is_described_as_our_registry_does(name):
    known = TIMM[name]
    config = resnet.VARIANTS[known.model]
    assert (known.family, known.block, known.depth) == (config.family, config.block, config.depth)
    with torch.device("meta"):
        theirs, ours = timm.create_model(name, pretrained=False), resnet.create(known.model)
    assert counts(ours) == counts(theirs)


def test_no_variant_that_timm_has_under_the_same_name_is_left_out():
    ours = {known.model for known in TIMM.values()}
    assert {name for name in resnet.VARIANTS if timm.is_model(name)} <= ours
    assert not {name for name in resnet.VARIANTS if not name.startswith(("cifar", "plain"))} - ours


def test_a_network_that_we_do_not_have_keeps_its_name():
    assert network("resnet50.a1_in1k") == TIMM["resnet50"]
    assert network("resnet50c").model == "timm:resnet50c"  # another stem
    assert network("resnetv2_50d").model == "timm:resnetv2_50d"
    assert network("tv_resnet50").model == "timm:tv_resnet50"  # of timm's older files: the same network again
    assert network("convnext_tiny.fb_in1k").model == "timm:convnext_tiny.fb_in1k"
    assert network("convnext_tiny").block is None
    assert network("convnext_tiny").depth is None


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("convnext_tiny", "convnext"),
        ("convnextv2_atto.fcmae", "convnextv2"),
        ("tf_efficientnetv2_b0", "efficientnetv2"),
        ("mobilenetv3_large_100", "mobilenetv3"),
        ("res2net50_26w_4s", "res2net"),
        ("resnet14t", "resnet"),
        ("regnety_160", "regnety"),
        ("vgg16", "vgg"),
        ("xception.tf_in1k", "xception"),
        ("50resnet", None),
        ("", None),
    ],
)
def test_the_family_is_the_word_that_leads(name, family):
    assert network(name).family == family


def test_the_architecture_is_what_stands_before_the_weights():
    assert architecture("resnet50.a1.x") == "resnet50"
    assert architecture("resnet50") == "resnet50"
