"""Phantoms for segmentation: grey images of a body with organs, in half of them a lesion.

They are drawn by a formula: they show no patient, and prove nothing about the images of patients.
"""

import dataclasses
import math
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

NOISE: Final = 12.0
"""Standard deviation of the noise in a phantom, in grey levels of 255."""
TEXTURE: Final = 14.0
"""Standard deviation of the tissue's texture, which is smooth over `GRAIN` pixels."""
GRAIN: Final = 5
ORGANS: Final = (2, 4)
LESION: Final = (0.10, 0.22)
"""Half axes of a lesion as shares of the image: lesions cover about 3 to 15 % of it."""
CONTRAST: Final = (45.0, 80.0)
"""Grey levels by which a lesion is brighter than the tissue; organs are up to 30 levels brighter or darker."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Phantoms:
    """Images with a mask and a class."""

    images: Tensor
    """uint8, (count, 1, size, size)."""
    masks: Tensor
    """bool, (count, 1, size, size): the pixels of the lesion; none where there is no lesion."""
    labels: Tensor
    """int64, (count,): 1 with a lesion, 0 without."""

    def __len__(self) -> int:
        return len(self.images)


def make_phantoms(*, count: int, size: int = 64, lesions: float = 0.5, seed: int) -> Phantoms:
    """Draw phantoms: bodies with texture, organs and noise, in a share of them a lesion whose mask is exact.

    Args:
        count: Number of phantoms.
        size: Height and width in pixels.
        lesions: Share of the phantoms with a lesion.
        seed: The same seed gives the same phantoms.
    """
    source = torch.Generator().manual_seed(seed)
    labels = (torch.rand(count, generator=source) < lesions).long()
    images = torch.empty(count, 1, size, size, dtype=torch.uint8)
    masks = torch.zeros(count, 1, size, size, dtype=torch.bool)
    for index in range(count):
        image, mask = _phantom(size, bool(labels[index]), source)
        images[index, 0], masks[index, 0] = image, mask
    return Phantoms(images=images, masks=masks, labels=labels)


def _phantom(size: int, lesion: bool, source: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the grey levels and the mask of a phantom, each (size, size)."""

    def draw(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=source))

    body = _ellipse(
        size, (draw(-0.05, 0.05), draw(-0.05, 0.05)), (draw(0.36, 0.44), draw(0.40, 0.46)), draw(0, math.pi)
    )
    rough = torch.randn(1, 1, size + GRAIN - 1, size + GRAIN - 1, generator=source)
    texture = avg_pool2d(rough, GRAIN, stride=1)[0, 0] * GRAIN  # averaging divides the deviation by the side
    image = 20.0 + body * (70.0 + TEXTURE * texture)
    for _ in range(round(draw(*ORGANS))):
        organ = _ellipse(
            size, (draw(-0.25, 0.25), draw(-0.25, 0.25)), (draw(0.05, 0.15), draw(0.05, 0.15)), draw(0, math.pi)
        )
        image = image + (organ & body) * draw(-30, 30)
    mask = torch.zeros(size, size, dtype=torch.bool)
    if lesion:
        mask = (
            _ellipse(size, (draw(-0.2, 0.2), draw(-0.2, 0.2)), (draw(*LESION), draw(*LESION)), draw(0, math.pi)) & body
        )
        image = image + mask * draw(*CONTRAST)
    image = image + NOISE * torch.randn(size, size, generator=source)
    return image.round().clamp(0, 255).to(torch.uint8), mask


def _ellipse(size: int, centre: tuple[float, float], axes: tuple[float, float], angle: float) -> Tensor:
    """Return the pixels in an ellipse, bool (size, size); lengths are shares of the image, from its middle."""
    steps = (torch.arange(size) + 0.5) / size - 0.5
    y, x = torch.meshgrid(steps - centre[0], steps - centre[1], indexing="ij")
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    return (along / axes[0]) ** 2 + (across / axes[1]) ** 2 <= 1
