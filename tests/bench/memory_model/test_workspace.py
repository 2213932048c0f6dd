import pytest
import torch

from bench.memory_model.workspace import cpu_workspace

FORWARD, BACKWARD = torch.ops.aten.convolution.default, torch.ops.aten.convolution_backward.default
LAYOUT = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}


def convolution(channels=64, outputs=128, groups=1, layout="nchw"):
    """Images of 16 kB a channel, their weight, and the result."""
    made = (
        torch.empty(1, channels, 64, 64, device="meta"),
        torch.empty(outputs, channels // groups, 3, 3, device="meta"),
        torch.empty(1, outputs, 64, 64, device="meta"),
    )
    return [tensor.to(memory_format=LAYOUT[layout]) for tensor in made]


def forward(groups=1, **shape):
    images, weight, result = convolution(groups=groups, **shape)
    held = cpu_workspace(FORWARD, (images, weight, None, [1], [1], [1], False, [0], groups), result)
    assert held == cpu_workspace(torch.ops.aten.conv2d.default, (images, weight, None, 1, 1, 1, groups), result)
    return max(held), images.nbytes, weight.nbytes, result.nbytes


def backward(groups=1, needs_gradient=True, **shape):
    images, weight, gradient = convolution(groups=groups, **shape)
    args = (gradient, images, weight, None, [1], [1], [1], False, [0], groups, [needs_gradient, True, False])
    return max(cpu_workspace(BACKWARD, args, None)), images.nbytes, weight.nbytes, gradient.nbytes


def test_images_in_nchw_are_copied_and_so_is_the_result():
    held, images, weight, result = forward()
    assert held == max(images + weight, result)
    held, images, weight, gradient = backward()
    assert held == images + gradient


@pytest.mark.parametrize("shape", [{"layout": "nhwc"}, {"channels": 3}, {"groups": 32}])
def test_in_nhwc_and_in_thin_or_grouped_images_only_the_weight_is_copied(shape):
    held, _, weight, _ = forward(**shape)
    assert held == weight
    held, _, weight, gradient = backward(**shape)
    assert held == (2 * weight if shape.get("layout") == "nhwc" else max(2 * weight, gradient))


def test_other_operators_hold_nothing():
    assert cpu_workspace(torch.ops.aten.relu.default, (), None) == ()
