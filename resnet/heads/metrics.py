"""Measures of detections and masks against the truth: mean average precision, Dice and intersection over union."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torchvision.ops import box_iou

Boxes = Mapping[str, Tensor]
"""Detections of an image (``boxes``, ``labels``, ``scores``), or its truth (``boxes``, ``labels``)."""


def mean_average_precision(detections: Sequence[Boxes], truths: Sequence[Boxes], *, threshold: float = 0.5) -> float:
    """Return the mean over all classes in the truth of the area below the curve of precision over recall.

    The area is exact: precision is made monotonic and summed over every step of recall, as in Pascal VOC from 2010 on.
    COCO's average takes 101 points of the same curve. Classes that no truth has are left out.

    Args:
        detections: For each image.
        truths: For each image, in the same order.
        threshold: Least intersection over union of a detection with the truth that it hits.

    Returns:
        A number from 0 to 1, NaN where the truth has no box.

    Raises:
        ValueError: Not as many images with detections as with a truth.
    """
    classes = sorted({int(label) for truth in truths for label in truth["labels"]})
    areas = []
    for label in classes:
        precision, recall = precision_recall(detections, truths, label=label, threshold=threshold)
        ceiling = precision.flip(0).cummax(0).values.flip(0)
        areas.append(float((recall.diff(prepend=recall.new_zeros(1)) * ceiling).sum()))
    return math.fsum(areas) / len(areas) if areas else math.nan


def precision_recall(
    detections: Sequence[Boxes], truths: Sequence[Boxes], *, label: int, threshold: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Return precision and recall of a class after each detection, best score first: float64, (detections,) each.

    A detection hits the box of its class that it overlaps most and that no better detection has hit, as COCO counts.
    """
    if len(detections) != len(truths):
        raise ValueError(f"{len(detections)} images with detections, but {len(truths)} with a truth")
    scores, hits, boxes = [], [], 0
    for detected, truth in zip(detections, truths, strict=True):
        mine, real = detected["labels"] == label, truth["boxes"][truth["labels"] == label]
        order = detected["scores"][mine].argsort(descending=True, stable=True)
        scores.append(detected["scores"][mine][order].double())
        hits.append(_hits(detected["boxes"][mine][order], real, threshold))
        boxes += len(real)
    order = torch.cat(scores).argsort(descending=True, stable=True) if scores else torch.empty(0, dtype=torch.int64)
    hit = (torch.cat(hits) if hits else torch.empty(0))[order].double().cumsum(0)
    return hit / torch.arange(1, len(hit) + 1), hit / boxes


def _hits(boxes: Tensor, truth: Tensor, threshold: float) -> Tensor:
    """Return whether each box, best first, hits a true box that no earlier box has hit: bool, (boxes,)."""
    hits = torch.zeros(len(boxes), dtype=torch.bool)
    if not len(truth):
        return hits
    overlaps = box_iou(boxes.double(), truth.double()).cpu()
    for index, overlap in enumerate(overlaps):
        best = int(overlap.argmax())
        if overlap[best] >= threshold:
            hits[index] = True
            overlaps[:, best] = -1.0
    return hits


def dice(masks: Tensor, truths: Tensor) -> Tensor:
    """Return twice the common pixels over the sum of both masks, of each image: float64, (batch,).

    Args:
        masks: bool, (batch, ...).
        truths: bool, of the same shape.

    Returns:
        From 0 to 1, and 1 where both masks are empty.
    """
    common, both = _overlap(masks, truths)
    return torch.where(both > 0, 2 * common / both, 1.0)


def mask_iou(masks: Tensor, truths: Tensor) -> Tensor:
    """Return the common pixels over those of either mask, of each image, as `dice`: float64, (batch,)."""
    common, both = _overlap(masks, truths)
    return torch.where(both > 0, common / (both - common), 1.0)


def _overlap(masks: Tensor, truths: Tensor) -> tuple[Tensor, Tensor]:
    """Return the common pixels of each image, and the sum of the pixels of both masks.

    Raises:
        ValueError: The masks are not of one shape and type bool.
    """
    if masks.shape != truths.shape or masks.dtype != torch.bool or truths.dtype != torch.bool:
        raise ValueError(
            f"masks must be bool and of one shape, not {masks.dtype} {tuple(masks.shape)} and "
            f"{truths.dtype} {tuple(truths.shape)}"
        )
    masks, truths = masks.flatten(1), truths.flatten(1)
    return (masks & truths).sum(1).double(), (masks.sum(1) + truths.sum(1)).double()
