import threading

import pytest
import torch
from torch import nn

from bench.costs.shapes import convolutions_by_shape, norms_by_shape


def test_only_the_counting_thread_is_spared_the_arithmetic():
    convolution, images = nn.Conv2d(3, 4, 3).requires_grad_(requires_grad=False), torch.rand(2, 3, 9, 9)
    right = convolution(images)
    other = []
    spared = []
    with convolutions_by_shape():
        thread = threading.Thread(target=lambda: other.append(convolution(images)))
        thread.start()
        thread.join()
        spared.append(convolution(images).shape)
        upward = nn.functional.conv_transpose2d(torch.ones(1, 1, 1, 1), torch.full((1, 1, 2, 2), 3.0))
    assert torch.equal(other[0], right)
    assert spared == [right.shape]
    assert torch.equal(upward, torch.full((1, 1, 2, 2), 3.0))
    assert torch.equal(convolution(images), right)


def test_one_thread_is_enough_unless_everything_is_computed(monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with convolutions_by_shape():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        monkeypatch.delattr(torch.library, "get_kernel")
        with convolutions_by_shape():
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_many_shapes_are_those_of_the_arithmetic():
    images = torch.rand(2, 4, 11, 13)
    for arguments in (
        {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2},
        {"kernel_size": 1, "bias": False},
        {"kernel_size": 3, "padding": "same", "dilation": 2},
    ):
        convolution = nn.Conv2d(4, 6, **arguments).requires_grad_(requires_grad=False)
        right = convolution(images).shape
        with convolutions_by_shape():
            assert convolution(images).shape == right


@pytest.mark.parametrize("affine", [True, False])
def test_norms_have_the_shapes_and_gradients_of_the_real_ones(affine):
    norm = nn.BatchNorm2d(4, affine=affine, device="meta").eval()
    images = torch.empty(2, 4, 3, 3, device="meta", requires_grad=True)
    with norms_by_shape():
        output = norm(images)
        output.sum().backward()
    assert output.shape == images.shape == images.grad.shape
    assert [p.grad.shape for p in norm.parameters()] == ([torch.Size([4])] * 2 if affine else [])
