import pytest
import torch
from torch.nn import functional

from resnet import ResNetConfig, blocks
from resnet.model import make_block


def norm(x, module):
    return functional.batch_norm(
        x, module.running_mean, module.running_var, module.weight, module.bias, training=False, eps=module.eps
    )


def post_activation(x, block):
    """What the branch of a block computes, from the equations and its parameters alone."""
    out = functional.conv2d(x, block.conv1.weight, stride=block.conv1.stride, padding=block.conv1.padding)
    out = functional.conv2d(
        norm(out, block.bn1).relu(),
        block.conv2.weight,
        stride=block.conv2.stride,
        padding=1,
        groups=block.conv2.groups,
    )
    out = norm(out, block.bn2)
    if hasattr(block, "conv3"):
        out = norm(functional.conv2d(out.relu(), block.conv3.weight), block.bn3)
    return out


def pre_activation(x, block):
    out = norm(x, block.bn1).relu()
    out = functional.conv2d(out, block.conv1.weight, stride=block.conv1.stride, padding=block.conv1.padding)
    out = functional.conv2d(
        norm(out, block.bn2).relu(),
        block.conv2.weight,
        stride=block.conv2.stride,
        padding=1,
        groups=block.conv2.groups,
    )
    if hasattr(block, "conv3"):
        out = functional.conv2d(norm(out, block.bn3).relu(), block.conv3.weight)
    return out


def shortcut(x, block, config):
    if type(block.downsample) is torch.nn.Identity:
        return x
    conv = next(module for module in block.downsample.modules() if isinstance(module, torch.nn.Conv2d))
    out = functional.conv2d(x, conv.weight, stride=conv.stride)
    return out if config.preact else norm(out, block.downsample[1])


def seasoned(block):
    """Batch norms away from their start, so that a forgotten or misplaced one shows."""
    for module in block.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                tensor.uniform_(0.5, 1.5)
    return block.eval()


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ("basic", "projection"),
        ("basic", "none"),
        ("bottleneck", "projection"),
        ("bottleneck", "none"),
        ("preact_basic", "projection"),
        ("preact_bottleneck", "projection"),
    ],
)
def test_block_computes_its_equation(block, kind, stride):
    torch.manual_seed(0)
    config = ResNetConfig(
        block=block, shortcut=kind, **({"groups": 2, "width_per_group": 32} if "bottleneck" in block else {})
    )
    module = seasoned(make_block(config, config.out_channels(8), 8, stride=stride)).double()
    x = torch.randn(2, config.out_channels(8), 7, 9, dtype=torch.float64)

    if config.preact and stride == 1:
        expected = pre_activation(x, module) + x
    elif config.preact:
        expected = pre_activation(x, module) + shortcut(norm(x, module.bn1).relu(), module, config)
    elif kind == "none":
        expected = post_activation(x, module).relu()
    else:
        expected = (post_activation(x, module) + shortcut(x, module, config)).relu()

    before = x.clone()
    torch.testing.assert_close(module(x), expected)
    assert torch.equal(x, before), "a block leaves its input alone"


@pytest.mark.parametrize(
    ("block", "kind", "stride", "cls"),
    [
        ("basic", "projection", 1, blocks.Basic),
        ("basic", "padding", 2, blocks.Basic),
        ("basic", "none", 2, blocks.PlainBasic),
        ("bottleneck", "avgpool", 2, blocks.Bottleneck),
        ("bottleneck", "none", 1, blocks.PlainBottleneck),
        ("preact_basic", "projection", 1, blocks.PreactBasic),
        ("preact_basic", "projection", 2, blocks.ProjectedPreactBasic),
        ("preact_bottleneck", "projection", 1, blocks.PreactBottleneck),
        ("preact_bottleneck", "avgpool", 2, blocks.ProjectedPreactBottleneck),
    ],
)
def test_the_class_is_chosen_by_block_type_and_shape(block, kind, stride, cls):
    config = ResNetConfig(block=block, shortcut=kind)
    with torch.device("meta"):
        assert type(make_block(config, config.out_channels(64), 64, stride=stride)) is cls


@pytest.mark.parametrize("block", ["basic", "bottleneck", "preact_basic", "preact_bottleneck"])
def test_gradients_are_right(block):
    torch.manual_seed(0)
    config = ResNetConfig(block=block)
    module = seasoned(make_block(config, 4, 4, stride=2)).double()
    x = torch.randn(1, 4, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(module, (x,))
