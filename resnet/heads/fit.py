"""Train a detector on scenes and a segmenter on phantoms: AdamW with one cycle of the learning rate (Smith 2018)."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.detection import FasterRCNN

from resnet.heads.metrics import dice, mask_iou, mean_average_precision
from resnet.heads.phantoms import Phantoms
from resnet.heads.scenes import Scenes
from resnet.heads.segmenter import Segmenter

WEIGHT_DECAY: Final = 0.01
CLIP_NORM: Final = 10.0
"""The largest norm of all gradients: the first steps of an untrained detector may have larger norms."""
BATCH: Final = 32
"""Images that are evaluated at once."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FitStep:
    """A step of an optimizer."""

    step: int
    """From 1."""
    steps: int
    """Steps of the whole training."""
    loss: float
    seconds: float
    """Since the training began."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SegmenterScore:
    """How well a segmenter does on phantoms."""

    dice: float
    """Mean Dice coefficient of the images with a lesion."""
    iou: float
    """Mean intersection over union of these images."""
    accuracy: float
    """Share of all images whose class is right."""


def fit_detector(
    network: FasterRCNN, scenes: Scenes, *, epochs: int, batch_size: int = 8, learning_rate: float = 1e-3, seed: int = 0
) -> Iterator[FitStep]:
    """Train a detector, on the device of its weights; the loss is the sum of its four losses.

    Args:
        network: As `resnet.detector` makes it.
        scenes: Training scenes.
        epochs: Passes over the scenes.
        batch_size: Scenes a step; the rest of an epoch is left out.
        learning_rate: The highest of the cycle.
        seed: Seed of the order of the scenes, and of torch, which draws the anchors that are trained.

    Yields:
        Each step, after the optimizer.

    Raises:
        ValueError: Too few scenes, or a loss that is not finite; the message says at which step.
    """
    device = next(network.parameters()).device

    def loss_of(indices: Tensor) -> Tensor:
        images, targets = scenes.batch(indices.tolist())
        moved = [{name: tensor.to(device) for name, tensor in target.items()} for target in targets]
        losses: dict[str, Tensor] = network([image.to(device) for image in images], moved)
        return torch.stack(list(losses.values())).sum()

    return _fit(network, loss_of, len(scenes), epochs, batch_size, learning_rate, seed)


def fit_segmenter(
    network: Segmenter,
    phantoms: Phantoms,
    *,
    epochs: int,
    batch_size: int = 16,
    learning_rate: float = 2e-3,
    seed: int = 0,
) -> Iterator[FitStep]:
    """Train a segmenter, on the device of its weights, by `segmentation_loss`, with flips of both axes.

    Arguments, steps and errors are those of `fit_detector`.
    """
    device = next(network.parameters()).device

    def loss_of(indices: Tensor) -> Tensor:
        images, masks = grey(phantoms.images[indices]), phantoms.masks[indices]
        flips = [axis for axis in (2, 3) if float(torch.rand(())) < 0.5]
        outputs = network(images.flip(flips).to(device))
        return segmentation_loss(outputs, phantoms.labels[indices].to(device), masks.flip(flips).float().to(device))

    return _fit(network, loss_of, len(phantoms), epochs, batch_size, learning_rate, seed)


def segmentation_loss(outputs: tuple[Tensor, Tensor], labels: Tensor, masks: Tensor) -> Tensor:
    """Return the cross-entropy of the classes plus the mean binary cross-entropy of the pixels.

    Args:
        outputs: Logits of the classes (batch, classes) and of the mask (batch, 1, height, width).
        labels: Classes, int64 (batch,).
        masks: Share of each pixel that belongs to the mask, float (batch, 1, height, width). They are averaged where
            the network's mask is coarser.
    """
    logits, predicted = outputs
    height, width = predicted.shape[-2:]
    truth = functional.adaptive_avg_pool2d(masks, (height, width)) if masks.shape != predicted.shape else masks
    return functional.cross_entropy(logits, labels) + functional.binary_cross_entropy_with_logits(
        predicted, truth.to(predicted.dtype)
    )


def grey(images: Tensor) -> Tensor:
    """Return images of uint8 as float, from -1 to 1."""
    return images.float() / 127.5 - 1


def score_detector(network: FasterRCNN, scenes: Scenes) -> float:
    """Return the mean average precision of a detector at an intersection over union of 0.5; leaves it in eval mode."""
    network.eval()
    device = next(network.parameters()).device
    detections: list[dict[str, Tensor]] = []
    truths: list[dict[str, Tensor]] = []
    with torch.inference_mode():
        for start in range(0, len(scenes), BATCH):
            images, targets = scenes.batch(list(range(start, min(start + BATCH, len(scenes)))))
            results = network([image.to(device) for image in images])
            detections += [{name: tensor.cpu() for name, tensor in result.items()} for result in results]
            truths += targets
    return mean_average_precision(detections, truths)


def score_segmenter(network: Segmenter, phantoms: Phantoms) -> SegmenterScore:
    """Return how well a segmenter does; a coarse mask is enlarged to the image. Leaves it in eval mode."""
    network.eval()
    device = next(network.parameters()).device
    right, masks = [], []
    with torch.inference_mode():
        for start in range(0, len(phantoms), BATCH):
            part = slice(start, start + BATCH)
            logits, mask = network(grey(phantoms.images[part]).to(device))
            right.append(logits.argmax(1).cpu() == phantoms.labels[part])
            size = phantoms.masks.shape[-2:]
            masks.append(functional.interpolate(mask, size=size, mode="bilinear").cpu() > 0)
    ill = phantoms.labels == 1
    predicted, truth = torch.cat(masks)[ill], phantoms.masks[ill]
    return SegmenterScore(
        dice=float(dice(predicted, truth).mean()),
        iou=float(mask_iou(predicted, truth).mean()),
        accuracy=float(torch.cat(right).double().mean()),
    )


def _fit(
    network: nn.Module,
    loss_of: Callable[[Tensor], Tensor],
    count: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
) -> Iterator[FitStep]:
    """Yield the steps of a training; `loss_of` returns the loss of a batch from the indices of its images."""
    steps = epochs * (count // batch_size)
    if steps < 1:
        raise ValueError(f"{count} images are no batch of {batch_size}; make more images, or choose a smaller batch")
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps)
    began = time.perf_counter()
    for step in range(1, steps + 1):
        network.train()  # whoever takes the steps may have scored the network since the last
        batch = (step - 1) % (count // batch_size)
        if batch == 0:
            order = torch.randperm(count)
        loss = loss_of(order[batch * batch_size : (batch + 1) * batch_size])
        value = float(loss.detach())
        if not math.isfinite(value):
            raise ValueError(f"the loss is {value} at step {step} of {steps}; choose a lower learning_rate")
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
        yield FitStep(step=step, steps=steps, loss=value, seconds=time.perf_counter() - began)
