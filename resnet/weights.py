"""Weights from torchvision or from a file, checked against the network before it is used."""

import os
import pathlib
import pickle
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from resnet.model import ResNet

PUBLISHED = "IMAGENET1K_"
"""Prefix of the names of torchvision's published weights."""


def load(network: "ResNet", weights: str | os.PathLike[str], *, name: str | None) -> None:
    """Load weights into `network`.

    Args:
        network: The network that gets the weights. Without a classifier (``num_classes=0``) theirs is left out.
        weights: ``IMAGENET1K_V1``, ``IMAGENET1K_V2``, or the path of a state dict.
        name: The variant, which determines the published weights; None for a configuration without a name.

    Raises:
        ValueError: The weights do not exist, cannot be read safely, or do not fit.
    """
    if isinstance(weights, str) and weights.startswith(PUBLISHED):
        state = download(name, weights)
    else:
        state = read(pathlib.Path(weights))
    if network.config.num_classes == 0:
        state = {key: tensor for key, tensor in state.items() if not key.startswith("fc.")}
    fit(network, state, source=os.fspath(weights))


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


def read(path: pathlib.Path) -> Mapping[str, Tensor]:
    """Return the state dict in a file of torch or, by its suffix, of safetensors. No pickle is ever run.

    Raises:
        ValueError: No such file, or something else than a state dict in it.
    """
    if not path.is_file():
        raise ValueError(
            f"no weights file {str(path)!r}; give the path of a state dict, or the name of published weights "
            f"({PUBLISHED}V1, {PUBLISHED}V2)"
        )
    try:
        if path.suffix == ".safetensors":
            import safetensors.torch  # noqa: PLC0415 - a measuring process need not have it

            state = safetensors.torch.load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    # On a damaged file torch's unpickler raises many kinds of errors: KeyError, IndexError, struct.error…
    except Exception as error:
        raise ValueError(
            f"cannot read weights {str(path)!r}: damaged, or not a state dict of tensors as torch.save or safetensors "
            f"writes it ({reason(error)})"
        ) from error
    if not isinstance(state, Mapping):
        raise ValueError(  # noqa: TRY004 - what is wrong is the file, not the caller's type
            f"weights {str(path)!r} hold a {type(state).__name__}, not a state dict; "
            "save one with torch.save(network.state_dict(), path)"
        )
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise ValueError(  # noqa: TRY004
                f"weights {str(path)!r} hold a {type(value).__name__} at {key!r}, not a tensor; "
                "save the state dict alone with torch.save(network.state_dict(), path)"
            )
    return state


def fit(network: "ResNet", state: Mapping[str, Tensor], *, source: str) -> None:
    """Load `state` into `network`, with equal keys and shapes.

    Raises:
        ValueError: Names the first keys or shapes that do not match.
    """
    wanted = network.state_dict()
    shapes = [
        f"{key} is {tuple(state[key].shape)}, not {tuple(tensor.shape)}"
        for key, tensor in wanted.items()
        if key in state and state[key].shape != tensor.shape
    ]
    if shapes:
        raise ValueError(f"weights {source!r} do not fit: {listed(shapes)}")
    # torch judges what is missing: it knows the checkpoints from before batch norms counted their batches.
    missing, unexpected = network.load_state_dict(state, strict=False)
    wrong = [f"missing {key}" for key in missing] + [f"unexpected {key}" for key in unexpected]
    if wrong:
        raise ValueError(f"weights {source!r} do not fit: {listed(wrong)}")


def listed(items: list[str]) -> str:
    """Return the first three of `items` in a line, and how many more there are."""
    more = f" and {len(items) - 3} more" if len(items) > 3 else ""
    return "; ".join(items[:3]) + more


def reason(error: Exception) -> str:
    """Return an error's type and the first line of what it says."""
    # Of a pickle that it will not run, torch says how to run it all the same.
    said = [] if isinstance(error, pickle.UnpicklingError) else str(error).splitlines()
    return ": ".join([type(error).__name__, *said[:1]])
