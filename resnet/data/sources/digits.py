"""Handwritten digits (Alpaydin 1998, as scikit-learn ships them): 1,797 grey images, 8 pixels a side, for seconds."""

from typing import Final

import numpy as np
import torch

from resnet.data.dataset import Split
from resnet.data.sources.content import Content, Request

DIGITS_HOLD_OUT: Final = 0.2
"""Share to validate on; scikit-learn's copy has no official split."""
DIGITS_WHITE: Final = 16
"""Greatest value of a pixel."""


def load_digits(_request: Request) -> Content:
    """Return all images as training images, with the pixels from 0 to 255.

    Raises:
        ValueError: scikit-learn is not installed.
    """
    try:
        from sklearn import datasets  # noqa: PLC0415 - an optional package
    except ImportError as error:
        raise ValueError("the data set 'digits' needs scikit-learn; pip install scikit-learn") from error
    images, labels = datasets.load_digits(return_X_y=True)
    pixels = np.round(images.reshape(-1, 1, 8, 8) * (255 / DIGITS_WHITE)).astype(np.uint8)
    return Content(
        classes=tuple("0123456789"),
        train=Split(images=torch.from_numpy(pixels), labels=torch.from_numpy(labels.astype(np.int64))),
        validation=None,
        in_channels=1,
        image_size=8,
        hold_out=DIGITS_HOLD_OUT,
    )
