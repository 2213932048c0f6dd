"""A step of a training: forward, loss, backward, optimizer."""

import os
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from resnet.training.optimizers import make_optimizer
from resnet.training.recipe import Recipe


class Learner:
    """A network that learns from batches as a recipe says.

    Args:
        network: On its device, in its memory format.
        recipe: Optimizer, loss, clipping, accumulation.
        autocast: Type in which autocast computes; None for the type of the weights.
        scale_loss: Scale the loss, as gradients in float16 need it.
        compiled: Compile the network with its loss.
        class_weights: Weight of each class in the training loss.
    """

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        *,
        autocast: torch.dtype | None = None,
        scale_loss: bool = False,
        compiled: bool = False,
        class_weights: Tensor | None = None,
    ) -> None:
        self._network, self._recipe, self._autocast = network, recipe, autocast
        self._parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.optimizer = make_optimizer(network, recipe)
        self._device = self._parameters[0].device
        self.scaler = torch.amp.GradScaler(self._device.type, enabled=scale_loss)
        self._weights = class_weights
        self._compiled_size = recipe.batch_size if compiled else 0
        self._loss_and_hits = torch.compile(self._train, dynamic=False) if compiled else self._train
        self._scores = torch.compile(self._logits, dynamic=False) if compiled else self._logits

    def step(self, images: Tensor, labels: Tensor, rate: float) -> Tensor:
        """Update the weights once.

        Args:
            images: Shape (n, channels, height, width).
            labels: int64 of shape (n,).
            rate: The learning rate.

        Returns:
            The sum of the images' losses, and the images that were classified right: shape (2,), on the device.
        """
        divisor: Any = len(labels) if self._weights is None else self._weights[labels].sum()
        sums = torch.zeros(2, device=self._device)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        parts = self._recipe.accumulate
        for some, their in zip(images.chunk(parts), labels.chunk(parts), strict=True):
            loss, hits = self._loss_and_hits(some, their)
            self.scaler.scale(loss / divisor).backward()
            sums += torch.stack((loss.detach() * len(labels) / divisor, hits))
        if self._recipe.clip_norm is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self._parameters, self._recipe.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return sums

    @torch.no_grad()
    def validate(self, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, int]:
        """Return the sums of `step` over all batches, and their images, without label smoothing and class weights."""
        sums, images = torch.zeros(2, device=self._device), 0
        for batch, labels in batches:
            logits = self._scores(self._filled(batch))[: len(labels)]
            loss = functional.cross_entropy(logits, labels, reduction="sum")
            sums += torch.stack((loss, (logits.argmax(1) == labels).sum().float()))
            images += len(labels)
        return sums, images

    def _filled(self, images: Tensor) -> Tensor:
        """Return a batch of the size that compiled code is for."""
        missing = self._compiled_size - len(images)
        if missing <= 0:
            return images
        return torch.cat((images, images[:1].expand(missing, -1, -1, -1)))

    def _train(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weighted sum of the losses, and the number of hits as a float."""
        logits = self._logits(images)
        smoothing = self._recipe.label_smoothing
        loss = functional.cross_entropy(
            logits, labels, weight=self._weights, label_smoothing=smoothing, reduction="sum"
        )
        return loss, (logits.detach().argmax(1) == labels).sum().float()

    def _logits(self, images: Tensor) -> Tensor:
        with torch.autocast(self._device.type, dtype=self._autocast, enabled=self._autocast is not None):
            logits: Tensor = self._network(images)
        return logits.float()


def be_deterministic() -> None:
    """Let torch use algorithms only that repeat to the bit, in this process from now on."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it, torch refuses products on CUDA
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False


def resized(images: Tensor, pixels: int) -> Tensor:
    """Return square images of shape (n, channels, pixels, pixels), in the same memory format."""
    if images.shape[-1] == pixels:
        return images
    return functional.interpolate(images, (pixels, pixels), mode="bilinear", antialias=True)


def train_mode(network: nn.Module) -> None:
    """Put `network` into training mode, but for layers that are frozen: their batch norms keep their statistics."""
    network.train()
    for module in network.modules():
        parameters = list(module.parameters(recurse=False))
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            module.eval()
