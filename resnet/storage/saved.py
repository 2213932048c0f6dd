"""A trained network as a single file of safetensors: weights, configuration, classes and normalisation. No pickle.

The file needs no trust: its metadata are JSON that is checked, and no tensor is allocated before all shapes fit.
"""

import dataclasses
import json
import math
import os
import pathlib
from typing import Any, Final

import torch
from torch import Tensor

from resnet.config import ResNetConfig
from resnet.model import ResNet
from resnet.storage.atomic import replace_file
from resnet.storage.files import reason

FILE_FORMAT: Final = "resnet-bench network 1"
"""The value of ``format`` in the metadata: what the file is, and the version of its metadata."""
_EXPECTED: Final = "expected a trained network that `resnet.storage.saved.save_network` or `resnet-bench train` wrote"
_PARTS: Final = ("config", "classes", "mean", "std", "image_size")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """What a network's user must know beside its weights.

    Raises:
        ValueError: A value cannot be; the message names it.
    """

    classes: tuple[str, ...]
    """Names of the classes, in the order of the logits."""
    mean: tuple[float, ...]
    """Mean of each channel, of images in [0, 1]."""
    std: tuple[float, ...]
    """Standard deviation of each channel, likewise."""
    image_size: int
    """Height and width of the images in pixels."""

    def __post_init__(self) -> None:
        if not self.classes or not all(isinstance(name, str) for name in self.classes):
            raise ValueError("classes should be names, at least a single name")
        for field in ("mean", "std"):
            values = getattr(self, field)
            if not all(isinstance(value, float | int) and math.isfinite(value) for value in values):
                raise ValueError(f"{field} should be finite numbers")
        if min(self.std, default=0) <= 0:
            raise ValueError("std should be positive")
        if isinstance(self.image_size, bool) or not isinstance(self.image_size, int) or self.image_size < 1:
            raise ValueError("image_size should be a whole number >= 1")


def save_network(
    path: str | os.PathLike[str],
    network: ResNet,
    *,
    classes: tuple[str, ...],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    image_size: int,
) -> None:
    """Write `network` to `path`; a file that is there is replaced once the new file is complete.

    Args:
        path: The new file.
        network: The network, in any memory format, on any device.
        classes: Names of the classes, in the order of the logits.
        mean: Mean of each channel, of images in [0, 1].
        std: Standard deviation of each channel, likewise.
        image_size: Height and width of the images in pixels.

    Raises:
        ValueError: The facts do not fit the network, or the disk refuses.
    """
    import safetensors.torch  # noqa: PLC0415 - a measuring process need not have it

    facts = NetworkFacts(classes=classes, mean=mean, std=std, image_size=image_size)
    _check_fit(facts, network.config)
    parts = {"config": dataclasses.asdict(network.config), **dataclasses.asdict(facts)}
    metadata = {"format": FILE_FORMAT, **{name: json.dumps(parts[name]) for name in _PARTS}}
    # safetensors refuses tensors in channels_last (safetensors issue 308).
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    target = pathlib.Path(path)
    try:
        replace_file(target, safetensors.torch.save(tensors, metadata))
    except OSError as error:
        raise ValueError(f"cannot write {str(target)!r}: {error.strerror or error}; the earlier file stays") from None


def read_network(path: str | os.PathLike[str]) -> tuple[ResNet, NetworkFacts]:
    """Return the network of a file in evaluation mode, on the CPU, and its facts.

    Raises:
        ValueError: The file is damaged, or holds something else; the message says which.
    """
    import safetensors  # noqa: PLC0415 - likewise

    source = os.fspath(path)
    start = f"cannot read the network {source!r}:"
    if not pathlib.Path(source).is_file():
        raise ValueError(f"{start} there is no such file")
    try:
        with safetensors.safe_open(source, "pt") as file:
            config, facts = _parsed(file.metadata() or {})
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            network = _fitting(config, shapes)
            tensors = {name: file.get_tensor(name) for name in shapes}
    except safetensors.SafetensorError as error:
        raise ValueError(f"{start} damaged, or no safetensors ({reason(error)}); {_EXPECTED}") from None
    except OSError as error:
        raise ValueError(f"{start} {error.strerror or error}") from None
    except ValueError as error:
        raise ValueError(f"{start} {error}") from None
    _check_types(network, tensors, start)
    network.load_state_dict(tensors, assign=True)
    return network.eval().requires_grad_(), facts


def _parsed(metadata: dict[str, str]) -> tuple[ResNetConfig, NetworkFacts]:
    """Return the configuration and the facts of metadata, checked."""
    if metadata.get("format") != FILE_FORMAT:
        raise ValueError(f"it is no such file; {_EXPECTED}")
    try:
        parts: dict[str, Any] = {name: json.loads(metadata[name]) for name in _PARTS}
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in parts.pop("config").items()
        }
        config = ResNetConfig(**fields)
        facts = NetworkFacts(
            classes=tuple(parts["classes"]),
            mean=tuple(parts["mean"]),
            std=tuple(parts["std"]),
            image_size=parts["image_size"],
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ValueError(f"its metadata are damaged ({reason(error)})") from None
    _check_fit(facts, config)
    return config, facts


def _check_fit(facts: NetworkFacts, config: ResNetConfig) -> None:
    if len(facts.classes) != config.num_classes:
        raise ValueError(f"the network has {config.num_classes} outputs, and there are {len(facts.classes)} classes")
    if not len(facts.mean) == len(facts.std) == config.in_channels:
        raise ValueError(
            f"the network takes {config.in_channels} channels, and mean and std have {len(facts.mean)} and "
            f"{len(facts.std)}"
        )
    if facts.image_size < config.minimum_image_size:
        raise ValueError(f"image_size {facts.image_size} is too small, the network needs {config.minimum_image_size}")


def _fitting(config: ResNetConfig, shapes: dict[str, tuple[int, ...]]) -> ResNet:
    """Return the network of a configuration without memory; its tensors have these shapes."""
    if sum(config.depths) > len(shapes):  # before a made-up number of blocks takes the memory of the process
        raise ValueError(f"its configuration has {sum(config.depths)} blocks, and its weights {len(shapes)} tensors")
    try:
        with torch.device("meta"):
            network = ResNet(config)
    except (RuntimeError, TypeError, OverflowError) as error:
        raise ValueError(f"its configuration makes no network ({reason(error)})") from None
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    if wanted != shapes:
        wrong = sorted(name for name in wanted.keys() | shapes.keys() if wanted.get(name) != shapes.get(name))
        raise ValueError(f"its weights do not fit its configuration, such as {wrong[0]!r}")
    return network


def _check_types(network: ResNet, tensors: dict[str, Tensor], start: str) -> None:
    wrong = [name for name, tensor in network.state_dict().items() if tensors[name].dtype != tensor.dtype]
    if wrong:
        raise ValueError(f"{start} {wrong[0]!r} is of {str(tensors[wrong[0]].dtype).removeprefix('torch.')}")
