import torch

from resnet.shortcuts import PaddingShortcut, make_shortcut


def test_padding_takes_every_second_pixel_and_adds_channels_of_zeros_behind():
    x = torch.arange(2 * 3 * 5 * 5, dtype=torch.float32).reshape(2, 3, 5, 5)
    shortcut = make_shortcut("padding", 3, 7, stride=2, norm=True)
    out = shortcut(x)
    assert isinstance(shortcut, PaddingShortcut)
    assert list(shortcut.parameters()) == []
    assert out.shape == (2, 7, 3, 3)
    assert torch.equal(out[:, :3], x[:, :, ::2, ::2])
    assert not out[:, 3:].any()


def test_padding_both_adds_half_of_the_zeros_in_front():
    x = torch.arange(2 * 3 * 5 * 5, dtype=torch.float32).reshape(2, 3, 5, 5) + 1
    out = make_shortcut("padding_both", 3, 8, stride=2, norm=True)(x)
    assert out.shape == (2, 8, 3, 3)
    assert torch.equal(out[:, 2:5], x[:, :, ::2, ::2])
    assert not out[:, :2].any()
    assert not out[:, 5:].any()


def test_padding_keeps_channels_last():
    x = torch.randn(2, 16, 8, 8).to(memory_format=torch.channels_last)
    out = PaddingShortcut(16, 32, stride=2)(x)
    assert out.is_contiguous(memory_format=torch.channels_last)


def test_avgpool_means_only_the_pixels_there_are():
    shortcut = make_shortcut("avgpool", 1, 1, stride=2, norm=False)
    torch.nn.init.ones_(shortcut[1].weight)
    x = torch.arange(9, dtype=torch.float32).reshape(1, 1, 3, 3)
    expected = torch.tensor([[(0 + 1 + 3 + 4) / 4, (2 + 5) / 2], [(6 + 7) / 2, 8.0]])
    assert torch.equal(shortcut(x)[0, 0], expected)


def test_avgpool_at_stride_one_only_projects():
    shortcut = make_shortcut("avgpool", 4, 8, stride=1, norm=True)
    assert [type(layer).__name__ for layer in shortcut] == ["Identity", "Conv2d", "BatchNorm2d"]
    assert shortcut[1].stride == (1, 1)


def test_projection_strides_and_normalises_where_asked():
    assert [type(layer).__name__ for layer in make_shortcut("projection", 4, 8, stride=2, norm=True)] == [
        "Conv2d",
        "BatchNorm2d",
    ]
    (conv,) = make_shortcut("projection", 4, 8, stride=2, norm=False)
    assert conv(torch.randn(1, 4, 7, 7)).shape == (1, 8, 4, 4)
