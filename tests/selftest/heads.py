"""Train a detector and a segmenter as the documents promise: accuracy and seconds on the cores of this machine."""

import time
from collections.abc import Iterator
from typing import Final

import torch
from sklearn.datasets import load_digits
from torchvision.models.detection import FasterRCNN

import resnet
from resnet.heads.fit import fit_detector, fit_segmenter, score_detector, score_segmenter
from resnet.heads.phantoms import make_phantoms
from resnet.heads.scenes import Scenes, make_scenes
from tests.selftest.rows import Row

LEARNT: Final = 1400
"""Digits that appear in training scenes; the others appear in those of the test."""
SIZE: Final = 64
SMALL: Final = {
    "pyramid_channels": 64,
    "box_batch_size_per_image": 64,
    "rpn_batch_size_per_image": 64,
    "rpn_pre_nms_top_n_train": 400,
    "rpn_post_nms_top_n_train": 200,
    "rpn_pre_nms_top_n_test": 200,
    "rpn_post_nms_top_n_test": 100,
}
"""A detector for two to four objects on 64 pixels; torchvision's is for a hundred on 800."""


def detect(*, quick: bool) -> Iterator[Row]:
    """Train a detector with ResNet-18 on scenes of digits, and yield its precision and its seconds."""
    training, test = scenes(2000, 300)
    torch.manual_seed(0)
    began = time.perf_counter()
    network = small_detector()
    for _ in fit_detector(network, training, epochs=1 if quick else 2):
        pass
    seconds = time.perf_counter() - began
    score = score_detector(network, test)
    what = "detector on scenes of digits that are made: mAP at IoU 0.5"
    yield Row(what, f"{score:.3f}", "≥ 0.90", score >= 0.9 or (None if quick else False))
    yield Row("its training on the cores of this machine", f"{seconds:.0f} s", "≤ 360 s", seconds <= 360)


def segment(*, quick: bool) -> Iterator[Row]:
    """Train a segmenter with ResNet-18 on phantoms, and yield its Dice coefficient and its seconds."""
    training, test = make_phantoms(count=800, seed=1), make_phantoms(count=200, seed=2)
    torch.manual_seed(0)
    began = time.perf_counter()
    network = resnet.segmenter("resnet18", in_channels=1, num_classes=2)
    for _ in fit_segmenter(network, training, epochs=1 if quick else 3):
        pass
    seconds = time.perf_counter() - began
    score = score_segmenter(network, test)
    what = "segmenter on phantoms that are made: mean Dice of the lesions"
    yield Row(what, f"{score.dice:.3f}", "≥ 0.90", score.dice >= 0.9 or (None if quick else False))
    yield Row("its classes, with and without a lesion", f"{score.accuracy:.1%}", "printed", kept=True)
    yield Row("its training on the cores of this machine", f"{seconds:.0f} s", "≤ 180 s", seconds <= 180)


def scenes(training: int, test: int) -> tuple[Scenes, Scenes]:
    """Return scenes for training and test, which share no digit."""
    digits = load_digits()
    images = torch.tensor(digits.images * 255 / 16).round().to(torch.uint8)[:, None]
    labels = torch.tensor(digits.target)
    options = {"size": SIZE, "sides": (16, 28)}
    return (
        make_scenes(images[:LEARNT], labels[:LEARNT], count=training, seed=1, **options),
        make_scenes(images[LEARNT:], labels[LEARNT:], count=test, seed=2, **options),
    )


def small_detector() -> FasterRCNN:
    """Return the detector that is trained, with the mean and deviation of scenes."""
    return resnet.detector("resnet18", num_classes=10, in_channels=1, image_size=SIZE, mean=[0.15], std=[0.25], **SMALL)
