"""Scenes for detection: made of small images that are pasted into larger ones, so that every box is exact."""

import dataclasses
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import interpolate

TRIES: Final = 20
"""Positions that are tried for an object before it is left out of its scene."""
BACKGROUND: Final = 40
"""The brightest grey of a scene's background, of 255."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenes:
    """Images of several objects with their boxes."""

    images: Tensor
    """uint8, (count, channels, size, size)."""
    boxes: tuple[Tensor, ...]
    """For each image float32, (objects, 4): x1, y1, x2, y2 in pixels from the top left corner."""
    labels: tuple[Tensor, ...]
    """For each image int64, (objects,): the class from 1; 0 is the background, as torchvision's detectors have it."""

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, indices: list[int]) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
        """Return scenes as torchvision's detectors take them: float images in [0, 1], and their targets."""
        images = [self.images[index].float() / 255 for index in indices]
        return images, [{"boxes": self.boxes[index], "labels": self.labels[index]} for index in indices]


def make_scenes(
    images: Tensor,
    labels: Tensor,
    *,
    count: int,
    size: int = 96,
    objects: tuple[int, int] = (2, 4),
    sides: tuple[int, int] = (24, 36),
    seed: int,
) -> Scenes:
    """Paste images, such as those of Fashion-MNIST or digits, at random places into dark, noisy scenes.

    Objects do not overlap, and an object for which no free place is drawn is left out. A box is that of the pixels of
    its object that are not black, after the object was resized.

    Args:
        images: uint8, (n, channels, height, width), on black.
        labels: int64, (n,): their classes from 0.
        count: Number of scenes.
        size: Height and width of a scene in pixels.
        objects: Least and greatest number of objects that are tried.
        sides: Least and greatest height and width in pixels to which an image is resized.
        seed: The same seed gives the same scenes.

    Raises:
        ValueError: The images are of another type, or an object is larger than the scene.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or len(images) != len(labels) or not len(images):
        raise ValueError("scenes need images as uint8 (n, channels, height, width) and a label for each")
    if sides[1] > size:
        raise ValueError(f"objects of {sides[1]} pixels do not fit into scenes of {size} pixels")
    source = torch.Generator().manual_seed(seed)
    shape = (count, images.shape[1], size, size)
    canvases = torch.randint(0, BACKGROUND + 1, shape, generator=source, dtype=torch.uint8)
    made = [_fill(canvas, images, labels, objects=objects, sides=sides, source=source) for canvas in canvases]
    return Scenes(
        images=canvases, boxes=tuple(boxes for boxes, _ in made), labels=tuple(classes for _, classes in made)
    )


def _fill(
    canvas: Tensor,
    images: Tensor,
    labels: Tensor,
    *,
    objects: tuple[int, int],
    sides: tuple[int, int],
    source: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Paste objects into a scene, and return their boxes and classes."""

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=source))

    boxes: list[list[int]] = []
    classes: list[int] = []
    for _ in range(draw(*objects)):
        index, side = draw(0, len(images) - 1), draw(*sides)
        patch = _trimmed(_resized(images[index], side))
        if patch.numel() == 0:  # a black image
            continue
        height, width = patch.shape[-2:]
        for _ in range(TRIES):
            left, top = draw(0, canvas.shape[-1] - width), draw(0, canvas.shape[-2] - height)
            box = [left, top, left + width, top + height]
            if all(_apart(box, other) for other in boxes):
                region = canvas[:, top : top + height, left : left + width]
                region.copy_(torch.maximum(region, patch))
                boxes.append(box)
                classes.append(1 + int(labels[index]))
                break
    return torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), torch.tensor(classes, dtype=torch.int64)


def _resized(image: Tensor, side: int) -> Tensor:
    resized = interpolate(image[None].float(), size=(side, side), mode="bilinear", antialias=True)
    return resized[0].round().clamp(0, 255).to(torch.uint8)


def _trimmed(image: Tensor) -> Tensor:
    """Return the part of an image (channels, height, width) that holds all its pixels that are not black."""
    ink = image.amax(0) > 0
    rows, columns = ink.any(1).nonzero()[:, 0], ink.any(0).nonzero()[:, 0]
    if not len(rows):
        return image[:, :0, :0]
    return image[:, int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]


def _apart(box: list[int], other: list[int]) -> bool:
    return box[2] <= other[0] or other[2] <= box[0] or box[3] <= other[1] or other[3] <= box[1]
