"""The state of a training in a file: safetensors with JSON in its metadata, never a pickle."""

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from resnet.storage.atomic import replace_file

_FORMAT: Final = "resnet-bench training 1"
"""Says that a file is a state of a training, and of which form."""


@dataclasses.dataclass(slots=True)
class Position:
    """How far a training is, and what its epoch gave so far."""

    epoch: int = 0
    """Epochs that ended, with their validation."""
    batch: int = 0
    """Batches of the epoch that are done."""
    step: int = 0
    images: int = 0
    """Training images of the epoch so far."""
    data_s: float = 0.0
    train_s: float = 0.0
    """Seconds of the epoch so far, waiting for images included."""
    elapsed_s: float = 0.0
    """Seconds of all epochs that ended."""
    best: float | None = None
    """Best value of what early stopping watches."""
    worse_epochs: int = 0
    """Epochs since then."""

    def is_best(self, value: float) -> bool:
        """Note what early stopping watches in an epoch, the less the better; return whether it is the best so far."""
        best = self.best is None or value < self.best
        self.best = value if best else self.best
        self.worse_epochs = 0 if best else self.worse_epochs + 1
        return best

    def next_epoch(self, elapsed_s: float) -> "Position":
        """Return the beginning of the next epoch, after `elapsed_s` seconds of training."""
        return Position(
            epoch=self.epoch + 1,
            step=self.step,
            elapsed_s=elapsed_s,
            best=self.best,
            worse_epochs=self.worse_epochs,
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a file holds: tensors by name, and facts that JSON can hold."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    def position(self, path: str | os.PathLike[str]) -> Position:
        """Return how far the training was; raise `ValueError`, naming the file, where that is damaged."""
        try:
            position = Position(**self.facts["position"])
            counts = (position.epoch, position.batch, position.step, position.images, position.worse_epochs)
            sound = all(isinstance(count, int) and count >= 0 for count in counts)
        except (KeyError, TypeError):
            sound = False
        if not sound:
            raise ValueError(f"cannot read checkpoint {os.fspath(path)!r}: damaged, it does not say how far it is")
        return position

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose names begin with `prefix` and a colon, without it."""
        return {
            key.removeprefix(f"{prefix}:"): value for key, value in self.tensors.items() if key.startswith(f"{prefix}:")
        }


def write_state(path: str | os.PathLike[str], tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write a file atomically: whatever happens, the path holds the old state or the new state, whole.

    Raises:
        ValueError: The file cannot be written, such as on a full disk; an older file is as it was.
    """
    import safetensors.torch  # noqa: PLC0415 - a measuring process need not have it

    target = Path(path)
    # A network in channels_last is not contiguous, and safetensors stores contiguous tensors only.
    plain = {key: value.detach().to("cpu").contiguous() for key, value in tensors.items()}
    content = safetensors.torch.save(plain, {"format": _FORMAT, "facts": json.dumps(facts)})
    try:
        replace_file(target, content)
    except OSError as error:
        before = "; the checkpoint from before is intact" if target.exists() else ""
        raise ValueError(f"cannot save checkpoint {str(target)!r}: {error.strerror}{before}") from error


def read_state(path: str | os.PathLike[str], identity: Mapping[str, Any]) -> Saved:
    """Return what `write_state` wrote.

    Args:
        path: The file.
        identity: What the fact ``identity`` must be: recipe, data and so on, each by its name.

    Raises:
        ValueError: The file cannot be read, is damaged, is no state of a training or that of another training.
    """
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - likewise

    start = f"cannot read checkpoint {os.fspath(path)!r}:"
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no dict
    except OSError as error:
        raise ValueError(f"{start} {error.strerror or error}") from error
    except SafetensorError as error:
        raise ValueError(f"{start} damaged, or not of safetensors: {error}") from error
    if metadata.get("format") != _FORMAT:
        raise ValueError(f"{start} not the state of a training (its format is {metadata.get('format')!r})")
    facts, known = _facts(metadata.get("facts", ""), start)
    for name, own in identity.items():
        theirs = known.get(name)
        if theirs != own:
            raise ValueError(f"{start} it is of another training: its {name} is {theirs}, not {own}")
    return Saved(tensors=tensors, facts=facts)


def _facts(text: str, start: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the facts of a file, and of these the identity of its training.

    Raises:
        ValueError: They are no JSON, or not of this form.
    """
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict) or not isinstance(facts.get("identity"), dict):
        raise ValueError(f"{start} its facts are damaged; begin the training again, or take another checkpoint")  # noqa: TRY004
    return facts, facts["identity"]


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the state of an optimizer as tensors: ``<number of the parameter>.<name>``."""
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": value
        for number, values in state.items()
        for name, value in values.items()
        if isinstance(value, Tensor)
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` returned; rates and other choices stay as they are."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                # Fused kernels walk through memory, so a channels_last weight needs its momentum in the same order.
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def shapes_digest(network: nn.Module) -> str:
    """Return the number of a network's parameters, and a short digest of the names and shapes of its tensors."""
    shapes = sorted((key, tuple(value.shape)) for key, value in network.state_dict().items())
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return f"of {parameters:,} parameters ({hashlib.sha256(repr(shapes).encode()).hexdigest()[:8]})"


def random_states(device: torch.device) -> dict[str, Tensor]:
    """Return the states of torch's generators on the CPU and on an accelerator, by names for `write_state`."""
    states = {"random": torch.get_rng_state()}
    if device.type != "cpu":
        states["device random"] = torch.get_device_module(device).get_rng_state(*_arguments(device))
    return states


def restore_random(tensors: Mapping[str, Tensor], device: torch.device) -> None:
    """Put back what `random_states` returned."""
    torch.set_rng_state(tensors["random"])
    if "device random" in tensors and device.type != "cpu":
        torch.get_device_module(device).set_rng_state(tensors["device random"], *_arguments(device))


def _arguments(device: torch.device) -> tuple[torch.device, ...]:
    return () if device.type == "mps" else (device,)  # torch.mps knows a single device, and takes none


def all_finite(state: Mapping[str, Tensor]) -> bool:
    """Return whether no number of a state dict is infinite or no number."""
    floats = [value.isfinite().all() for value in state.values() if value.is_floating_point()]
    return bool(torch.stack(floats).all())
