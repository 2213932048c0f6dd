"""What follows from labels alone: weights of classes, and parts of a set with the classes in proportion."""

import numpy as np
import torch
from torch import Tensor


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """Return a float32 weight of each class for the loss, inverse to the class's frequency.

    A class with n of N images gets N / (classes · n), so that the mean weight over the images is 1.

    Raises:
        ValueError: A class has no image, or a label is out of range.
    """
    counts = torch.bincount(labels, minlength=classes)
    if len(counts) > classes:
        raise ValueError(f"labels out of range: {len(counts) - 1} among {classes} classes")
    if (counts == 0).any():
        absent = int((counts == 0).nonzero()[0])
        raise ValueError(
            f"class {absent} has no training image, so its frequency has no inverse; drop the class weights"
        )
    return (len(labels) / (classes * counts.double())).float()


def stratified(labels: Tensor, count: int, seed: int) -> Tensor:
    """Return sorted indices of `count` random images in which each class has its share, to the nearest image.

    The images of a class are shuffled. An image at rank r of n gets the key (r + 1/2) / n, and those with the least
    keys are chosen.
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_class = shuffled[np.argsort(labels.numpy()[shuffled], kind="stable")]
    counts = np.bincount(labels.numpy())
    sizes = np.repeat(counts, counts)
    ranks = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = by_class[np.argsort((ranks + 0.5) / sizes, kind="stable")[:count]]
    return torch.from_numpy(np.sort(chosen))
