"""What a training tells while it runs."""

import dataclasses
from pathlib import Path
from typing import Final

import torch

_STATUS: Final = Path("/proc/self/status")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an epoch is, after an optimizer step."""

    epoch: int
    """From 1."""
    step: int
    """Optimizer steps of the epoch so far."""
    steps: int
    """Optimizer steps of the whole epoch."""
    images: int
    """Images of the epoch so far."""
    loss: float | None
    """Mean training loss of the epoch up to some steps ago, as an accelerator is asked only now and then."""
    accuracy: float | None
    """Training accuracy, likewise."""
    seconds: float
    """Training seconds of the epoch so far; an accelerator may still be at work on the latest steps."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EpochResult:
    """What an epoch gave, with the validation after it."""

    epoch: int
    """From 1."""
    step: int
    """Optimizer steps since the training began."""
    learning_rate: float
    """Of the epoch's last step."""
    train_loss: float
    """Mean over the images of the epoch, as augmented and smoothed, while the weights moved."""
    train_accuracy: float
    validation_loss: float
    """Mean cross-entropy of the validation images, without label smoothing and class weights."""
    validation_accuracy: float
    validation_correct: int
    images: int
    """Training images of the epoch."""
    seconds: float
    """Data, computing and validation together, without checkpoints."""
    data_s: float
    """Waiting for images, and on a CPU augmenting them too; an accelerator augments while the CPU goes on."""
    compute_s: float
    """Forward, backward and optimizer: the rest of the training seconds."""
    validation_s: float
    elapsed_s: float
    """Seconds of this and all earlier epochs, of earlier processes too."""
    peak_memory_bytes: int | None
    """On an accelerator, allocated by torch in this epoch; on a CPU, resident since the process began."""
    nulls: dict[str, str]
    """Reason of each value that is missing."""


def restart_peak(device: torch.device) -> None:
    """Let the peak memory of an accelerator begin with what is in use now."""
    if device.type != "cpu":
        try:
            torch.accelerator.reset_peak_memory_stats(device)
        except (RuntimeError, AttributeError):
            return  # `peak_memory` gives the reason


def peak_memory(device: torch.device) -> tuple[int | None, str | None]:
    """Return the peak memory in bytes, or None and the reason."""
    if device.type != "cpu":
        try:
            return torch.accelerator.max_memory_allocated(device), None
        except (RuntimeError, AttributeError):
            return None, f"torch keeps no memory statistics for {device}"
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
        kibibytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None, f"{_STATUS} does not state the peak memory (VmHWM)"
    return kibibytes * 1024, None
