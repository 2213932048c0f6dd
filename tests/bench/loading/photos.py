"""Folders of JPEG images, cut from the photographs that scikit-learn brings, or made of smooth noise."""

import io
import pathlib

import numpy as np
from PIL import Image


def photographs():
    """Return two photographs, or where scikit-learn is not installed two images of smooth noise, as PIL images."""
    try:
        from sklearn.datasets import load_sample_images  # noqa: PLC0415 - optional

        arrays = load_sample_images().images
    except ImportError:
        noise = np.random.default_rng(0).integers(0, 256, (2, 54, 80, 3), dtype=np.uint8)
        return [Image.fromarray(part).resize((640, 427), Image.Resampling.BICUBIC) for part in noise]
    return [Image.fromarray(array) for array in arrays]


def write_photos(folder, count, *, size=(500, 375), classes=2):
    """Write `count` JPEG images of a `size` (width, height), each another cut of a photograph, into class folders."""
    random = np.random.default_rng(0)
    sources = photographs()
    for number in range(count):
        source = sources[number % len(sources)]
        scale = random.uniform(0.6, 0.95)
        width, height = int(source.width * scale), int(source.height * scale)
        left = int(random.integers(0, source.width - width))
        top = int(random.integers(0, source.height - height))
        image = source.crop((left, top, left + width, top + height)).resize(size)
        path = pathlib.Path(folder, f"class{number % classes}", f"{number:05}.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, quality=90)
    return pathlib.Path(folder)


def jpeg_bytes(size=(40, 30)):
    """Return the bytes of a small JPEG image."""
    buffer = io.BytesIO()
    photographs()[0].resize(size).save(buffer, "JPEG")
    return buffer.getvalue()
