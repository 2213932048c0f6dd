"""Images as people have them, paths, PIL images and tensors, as a batch for a network."""

import os
from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from resnet.data.decoding import center_crop, open_image, to_tensor

Picture = str | os.PathLike[str] | Image.Image | Tensor
"""A path, a PIL image, or a tensor (channels, height, width): uint8, or floats in [0, 1]."""


def pictures_to_batch(
    pictures: Sequence[Picture], *, image_size: int, mean: tuple[float, ...], std: tuple[float, ...]
) -> Tensor:
    """Return images, resized and cut to a square, as a normalised float32 batch (n, channels, size, size).

    Colour images become grey where `mean` has a single value.

    Raises:
        ValueError: An image cannot be read, or has another number of channels.
    """
    batch = torch.stack([_resized(picture, image_size, len(mean)) for picture in pictures])
    shape = (1, -1, 1, 1)
    return (batch - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)


def _resized(picture: Picture, size: int, channels: int) -> Tensor:
    """Return an image as floats in [0, 1] of shape (channels, size, size)."""
    if isinstance(picture, Tensor):
        return _from_tensor(picture, size, channels)
    image = picture if isinstance(picture, Image.Image) else open_image(os.fspath(picture))
    if channels not in {1, 3}:
        raise ValueError(f"the network takes {channels} channels, which an image file has not; give a tensor")
    return to_tensor(center_crop(image.convert("L" if channels == 1 else "RGB"), size)).float() / 255


def _from_tensor(picture: Tensor, size: int, channels: int) -> Tensor:
    if picture.ndim != 3 or picture.shape[0] != channels or not picture.numel():
        raise ValueError(f"expected an image of shape ({channels}, height, width), not {tuple(picture.shape)}")
    if picture.dtype == torch.uint8:
        picture = picture.float() / 255
    elif not picture.is_floating_point():
        raise ValueError(f"expected an image of uint8, or of floats in [0, 1], not {picture.dtype}")
    elif not (float(picture.min()) >= 0 and float(picture.max()) <= 1):
        raise ValueError("expected pixels in [0, 1]; the classifier normalises them itself")
    height, width = picture.shape[1:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    picture = picture[:, top : top + side, left : left + side]
    if side == size:
        return picture.float()
    return functional.interpolate(picture[None].float(), (size, size), mode="bilinear", antialias=True)[0]
