import doctest
import subprocess
import sys

import pytest
import torch

import resnet

# Where each count comes from. torchvision: `num_params` of its weights; He 2015, table 6, as counted with batch
# norms by others (0.27M, 0.46M, 0.66M, 0.85M, 1.7M); WRN: Zagoruyko 2016, table 4 (36.5M); CIFAR with ImageNet
# widths: the common re-implementation; timm: compared again, layer by layer, in test_parity_timm.
PARAMETERS = {
    "resnet18": 11_689_512,
    "resnet26": 15_995_176,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "preact_resnet18": 11_687_720,
    "preact_resnet34": 21_795_880,
    "preact_resnet50": 25_549_352,
    "preact_resnet101": 44_541_480,
    "preact_resnet152": 60_185_128,
    "resnext50_32x4d": 25_028_904,
    "resnext101_32x8d": 88_791_336,
    "resnext101_64x4d": 83_455_272,
    "wide_resnet50_2": 68_883_240,
    "wide_resnet101_2": 126_886_696,
    "resnet18d": 11_708_744,
    "resnet34d": 21_816_904,
    "resnet50d": 25_576_264,
    "resnet101d": 44_568_392,
    "resnet152d": 60_212_040,
    # A plain network has its residual twin's parameters less the projections of three stages and their norms.
    "plain18": 11_689_512 - (64 * 128 + 256 + 128 * 256 + 512 + 256 * 512 + 1024),
    "plain34": 21_797_672 - (64 * 128 + 256 + 128 * 256 + 512 + 256 * 512 + 1024),
    # Option A has no parameters, so these pairs are alike.
    "cifar_plain20": 269_722,
    "cifar_plain56": 853_018,
    "cifar_resnet18": 11_173_962,
    "cifar_resnet34": 21_282_122,
    "cifar_resnet50": 23_520_842,
    "cifar_resnet101": 42_512_970,
    "cifar_resnet152": 58_156_618,
    "cifar_resnet20": 269_722,
    "cifar_resnet32": 464_154,
    "cifar_resnet44": 658_586,
    "cifar_resnet56": 853_018,
    "cifar_resnet110": 1_727_962,
    "cifar_wrn_28_10": 36_479_194,
}


def test_every_row_of_the_registry_is_counted_below():
    assert list(PARAMETERS) == sorted(PARAMETERS, key=list(resnet.VARIANTS).index)
    assert set(PARAMETERS) == set(resnet.VARIANTS)


@pytest.mark.parametrize("name", resnet.VARIANTS)
def test_has_the_documented_parameters(name):
    with torch.device("meta"):
        network = resnet.create(name)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", resnet.VARIANTS)
def test_trains_one_step(name):
    torch.manual_seed(0)
    network = resnet.create(name, num_classes=10)
    # One more than the least is two pixels a side in the last stage, of which batch norm has a gradient.
    size = network.config.minimum_image_size + 1
    images = torch.randn(2, 3, size, size)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    before = network.fc.weight.detach().clone()

    loss = torch.nn.functional.cross_entropy(network(images), torch.tensor([3, 7]))
    loss.backward()
    optimizer.step()

    assert torch.isfinite(loss)
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert 0 < parameter.grad.norm() < float("inf"), key
    assert not torch.equal(network.fc.weight, before)


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ValueError, match=r"^unknown model 'resnt50'; did you mean 'resnet50'\?$"):
        resnet.create("resnt50")


def test_unknown_name_unlike_any_says_where_to_look():
    with pytest.raises(ValueError, match=r"^unknown model 'zzz'; see resnet.VARIANTS$"):
        resnet.create("zzz")


def test_create_takes_a_configuration_and_keeps_its_own_channels():
    config = resnet.ResNetConfig(
        block="basic", depths=(1, 1), widths=(8, 16), stem="cifar", stem_width=8, num_classes=5, in_channels=1
    )
    network = resnet.create(config)
    assert network(torch.randn(2, 1, 16, 16)).shape == (2, 5)
    assert network.config is config


def test_create_takes_other_classes_and_channels():
    network = resnet.create("cifar_resnet20", num_classes=7, in_channels=4)
    assert network(torch.randn(2, 4, 32, 32)).shape == (2, 7)
    assert (network.config.num_classes, network.config.in_channels) == (7, 4)


@pytest.mark.parametrize("argument", [{"num_classes": -1}, {"in_channels": 0}])
def test_create_rejects_nonsense_by_name(argument):
    (name,) = argument
    with pytest.raises(ValueError, match=rf"^{name} must be an integer"):
        resnet.create("resnet18", **argument)


def test_names_and_configurations_need_no_torch():
    program = (
        "import sys, resnet\n"
        "assert resnet.VARIANTS['resnet50'].depth == 50 and resnet.ResNetConfig().image_size == 224\n"
        "assert 'torch' not in sys.modules\n"
        "assert resnet.ResNet.__name__ == 'ResNet' and 'torch' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_unknown_attribute_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'resnet' has no attribute 'ResNeXt'"):
        _ = resnet.ResNeXt


@pytest.mark.parametrize("module", [resnet, resnet.variants])
def test_examples_of_the_documentation_run(module):
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0
