"""Weights from torchvision or from a file, checked against the network before it gets them."""

import os
import pathlib
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from resnet.storage.checkpoint import Network, find, listed
from resnet.storage.files import read, reason

if TYPE_CHECKING:
    from resnet.model import ResNet

PUBLISHED: Final = "IMAGENET1K_"
"""Prefix of the names of torchvision's published weights."""
SUFFIXES: Final = (".pt", ".pth", ".th", ".tar", ".ckpt", ".bin", ".safetensors")
"""What people name weights files, to show those of a folder."""
FLOATS: Final = {torch.float16, torch.bfloat16, torch.float32, torch.float64}
"""Types of weights that become fp32; integers and fp8 need scales as well."""


def load(
    network: "ResNet", weights: str | os.PathLike[str], *, name: str | None, fresh_classifier: bool = False
) -> None:
    """Load weights into `network`; warnings say what of the file was chosen or left out.

    Args:
        network: The network that gets the weights. Without a classifier (``num_classes=0``) theirs is left out.
        weights: ``IMAGENET1K_V1``, ``IMAGENET1K_V2``, or the path of a state dict or a checkpoint. For a network with
            one channel the first convolution of weights with three is summed over its channels.
        name: The variant, which determines the published weights; None for a configuration without a name.
        fresh_classifier: Leave out a classifier of another size, so that the network's own stays as it began.

    Raises:
        ValueError: The weights do not exist, cannot be read safely, or do not fit.
    """
    source = os.fspath(weights)
    content: object = download(name, source) if source.startswith(PUBLISHED) else read(checked(source))
    state, notes = find(content, source=source, features=network.config.num_features)
    notes += _make_grey(network.state_dict(), state.tensors)
    notes += fit(network, state, source=source, fresh_classifier=fresh_classifier)
    for note in notes:
        warnings.warn(f"weights {source!r}: {note}", stacklevel=3)


def download(name: str | None, weights: str) -> Mapping[str, Tensor]:
    """Return torchvision's state dict, from its cache or the network.

    Its hash is checked when it is downloaded; a file that the cache holds already is taken as it is.

    Raises:
        ValueError: The variant has no such weights, or they cannot be downloaded.
    """
    # Only published weights need torchvision, whose package has these two without exporting them.
    from torchvision import models  # noqa: PLC0415
    from torchvision.models import (  # type: ignore[attr-defined]  # noqa: PLC0415
        get_model_weights,
        list_models,
    )

    entries = (
        {entry.name: entry for entry in get_model_weights(name)}
        if name is not None and name in list_models(module=models)
        else {}
    )
    if weights not in entries:
        had = f"it has {', '.join(entries)}" if entries else "torchvision publishes none for it"
        raise ValueError(
            f"no weights {weights!r} for {name or 'a configuration without name'}: {had}; "
            "weights may also be the path of a file"
        )
    entry = entries[weights]
    try:
        state: Mapping[str, Tensor] = entry.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except Exception as error:  # no network, another hash, or a damaged file in the cache: see `read`
        raise ValueError(
            f"cannot get weights {weights} of {name} ({reason(error)}); "
            f"fetch {entry.url} by other means and pass weights=PATH"
        ) from error
    return state


def checked(source: str) -> pathlib.Path:
    """Return the path of a weights file.

    Raises:
        ValueError: There is no such file.
    """
    path = pathlib.Path(source)
    expected = f"the path of a state dict or a checkpoint, or published weights ({PUBLISHED}V1, {PUBLISHED}V2)"
    if "://" in source:
        raise ValueError(f"no weights file {source!r}; download it, and give its path")
    if path.is_dir():
        names = sorted(file.name for file in path.iterdir() if file.suffix in SUFFIXES)
        holds = f"with {listed(names)}" if names else "without a weights file"
        raise ValueError(f"weights {source!r} are a folder {holds}; give {expected}")
    if not path.is_file():
        raise ValueError(f"no weights file {source!r}; give {expected}")
    return path


def fit(network: "ResNet", weights: Network, *, source: str, fresh_classifier: bool) -> list[str]:
    """Load weights into `network`, with equal keys and shapes, and return notes about them.

    Raises:
        ValueError: Names the first keys or shapes that do not match.
    """
    wanted, state, notes = network.state_dict(), weights.tensors, []
    start = f"weights {source!r}{f' at {weights.location}' if weights.location else ''}"
    if wrong := _mismatches(_body(wanted), _body(state)):
        raise ValueError(f"{start} do not fit: {listed(wrong)}{_hint(wanted, state)}")
    if not network.config.num_classes:
        state = _body(state)
    elif "fc.weight" not in state or len(state["fc.weight"]) != network.config.num_classes:
        notes.append(_other_classifier(wanted, state, start=start, fresh=fresh_classifier))
        state = wanted | _body(state)
    if wrong := _mismatches(wanted, state):
        raise ValueError(f"{start} do not fit: {listed(wrong)}")
    if weights.classifier == "linear" and network.config.shortcut == "padding":
        notes.append(
            "they do not say where shortcuts pad with zeros; code that names its classifier 'linear' mostly pads on "
            "both sides, which needs a configuration with shortcut='padding_both'"
        )
    network.load_state_dict(state, strict=False)
    return notes


def _make_grey(wanted: Mapping[str, Tensor], state: dict[str, Tensor]) -> list[str]:
    """Let weights for colour images take grey ones, if the network does; return a note about it.

    The sum over the channels computes what the weights would compute of a grey image in all three channels.
    """
    key = next(iter(wanted))
    if (
        key not in state
        or state[key].shape != (len(wanted[key]), 3, *wanted[key].shape[2:])
        or len(wanted[key][0]) != 1
    ):
        return []
    state[key] = state[key].sum(dim=1, keepdim=True)
    return [f"they are for colour images; {key} is summed over its channels to take grey ones"]


def _body(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors without those of the classifier."""
    return {key: tensor for key, tensor in state.items() if not key.startswith("fc.")}


def _other_classifier(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor], *, start: str, fresh: bool) -> str:
    """Return the note that the weights' classifier is left out.

    Raises:
        ValueError: It shall not be left out.
    """
    classes = len(wanted["fc.weight"])
    theirs = f"a classifier of {len(state['fc.weight'])} classes" if "fc.weight" in state else "no classifier"
    if fresh:
        return f"they have {theirs}; the network's own, of {classes} classes, stays as it began"
    take = f"num_classes={len(state['fc.weight'])} to take it, " if "fc.weight" in state else ""
    raise ValueError(
        f"{start} have {theirs}, and the network has {classes} classes; give {take}num_classes={classes} to begin with "
        "a new classifier, or num_classes=0 for features"
    )


def _mismatches(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> list[str]:
    """Return in words what differs between the tensors of a network and those for it."""
    both = [(key, tensor, state[key]) for key, tensor in wanted.items() if key in state]
    return [
        *(
            f"{key} is {tuple(given.shape)}, not {tuple(tensor.shape)}"
            for key, tensor, given in both
            if given.shape != tensor.shape
        ),
        *(
            f"{key} is of {str(given.dtype).removeprefix('torch.')}, no float of 16 bits or more"
            for key, tensor, given in both
            if tensor.is_floating_point() and given.dtype not in FLOATS
        ),
        # Checkpoints from before torch 0.4.1 do not count batches.
        *(f"missing {key}" for key in wanted if key not in state and not key.endswith(".num_batches_tracked")),
        *(f"unexpected {key}" for key in state if key not in wanted),
    ]


def _hint(wanted: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """Return a hint if the weights are for images with another number of channels."""
    key = next(iter(wanted))
    if key not in state or state[key].ndim != 4 or state[key].shape[1] == wanted[key].shape[1]:
        return ""
    return f"; for images of {state[key].shape[1]} channels give in_channels={state[key].shape[1]}"
