"""Noise with random labels, of any size: it costs what images cost, and teaches nothing."""

from typing import Final

import torch

from resnet.data.dataset import Split
from resnet.data.sources.content import Content, Request

FAKE_TRAIN: Final = 1024
FAKE_VALIDATION: Final = 256
FAKE_CLASSES: Final = 10
FAKE_SIZE: Final = 32
"""Pixels a side if nobody asks for another size."""
FAKE_NOTE: Final = "random images and labels: for throughput only, nothing can be learned"


def make_fake(request: Request) -> Content:
    """Return colour images of independent random pixels; the seed decides them."""
    generator = torch.Generator().manual_seed(request.seed)
    size = request.image_size or FAKE_SIZE

    def split(count: int) -> Split:
        return Split(
            images=torch.randint(256, (count, 3, size, size), dtype=torch.uint8, generator=generator),
            labels=torch.randint(FAKE_CLASSES, (count,), generator=generator),
        )

    return Content(
        classes=tuple(f"class {number}" for number in range(FAKE_CLASSES)),
        train=split(FAKE_TRAIN),
        validation=split(FAKE_VALIDATION),
        in_channels=3,
        image_size=size,
        note=FAKE_NOTE,
    )
