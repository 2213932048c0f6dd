"""Checkpoints: where the weights of a ResNet stand in what a file holds, and the names that they have there."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import torch
from torch import Tensor

from resnet.storage.inert import Inert

LANDMARK: Final = "layer1.0.conv1.weight"
"""A name that all networks of `resnet` have, as those of torchvision and timm: what precedes it in a file is the prefix
of the network."""
PREFERRED: Final = ("model_ema", "state_dict_ema", "state_dict", "model", "model_state_dict")
"""Keys of a checkpoint, best first where it has several: averaged weights are those that people evaluate."""
PREFIXES: Final = ("", "model.", "backbone.")
"""Prefixes, best first where a state dict has the tensors of several networks."""
WRAPPERS: Final = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
"""Parts of names that DataParallel, DDP, torch.compile, FSDP and checkpointing of activations add, at any depth."""
SYNONYMS: Final = {"shortcut": "downsample"}
"""Parts of names in other people's ResNets, and ours."""
CLASSIFIER: Final = re.compile(r"(?:^|\.)(fc|linear|classifier|head)\.(weight|bias)$")
"""Names that the last layer has in people's ResNets."""
COUNTERS: Final = {"n_averaged", "total_ops", "total_params"}
"""Last parts of the names of tensors that are no weights: of averaged models, and of a counter of operations."""


@dataclasses.dataclass(frozen=True, slots=True)
class Network:
    """The weights of a network in a file."""

    keys: tuple[str, ...]
    """Keys of the mappings that lead to them."""
    prefix: str
    """What precedes the network's own names."""
    tensors: dict[str, Tensor]
    """The network's tensors by the names that `ResNet` has for them; a name that it lacks stays as it is."""
    outside: list[str]
    """Names of tensors that stand in the same mapping, but not in the network."""
    classifier: str | None
    """The name that the last layer has in the file, such as ``linear``."""

    @property
    def location(self) -> str:
        """Where the weights stand, such as ``'model_ema', prefix 'module.'``; empty for a bare state dict."""
        parts = [".".join(map(repr, self.keys))] if self.keys else []
        parts += [f"prefix {self.prefix!r}"] if self.prefix else []
        return ", ".join(parts)


def find(content: object, *, source: str, features: int) -> tuple[Network, list[str]]:
    """Return the network in what a file holds, and notes on what was chosen and left out.

    Args:
        content: What the file holds.
        source: The file, for messages.
        features: Channels that a classifier takes; by them it is known where it stands outside the network.

    Raises:
        ValueError: No network, or several among which nothing decides. The message says what the file holds.
    """
    networks = [network for keys, mapping in _mappings(content) for network in _networks(keys, mapping, features)]
    if not networks:
        raise ValueError(f"weights {source!r} hold {_summary(content)}")
    networks.sort(key=_rank)
    first, others = networks[0], networks[1:]
    if others and _rank(first) == _rank(others[0]):
        raise ValueError(
            f"weights {source!r} hold {len(networks)} networks ({_locations(networks)}); save the state dict of one"
        )
    notes = []
    if others:
        notes.append(f"takes the network at {first.location or 'the top'}; there is another at {_locations(others)}")
    if first.outside:
        notes.append(f"leaves out what is not part of the network: {listed(first.outside)}")
    return first, notes


def _mappings(content: object) -> Iterator[tuple[tuple[str, ...], Mapping[object, object]]]:
    """Yield each mapping in what a file holds once, from the top, with the keys that lead to it."""
    queue: list[tuple[tuple[str, ...], object]] = [((), content)]
    seen: set[int] = set()
    for keys, value in queue:
        if id(value) in seen:
            continue
        seen.add(id(value))
        items: Iterable[tuple[object, object]] = ()
        if isinstance(value, Mapping):
            yield keys, value
            items = value.items()
        elif isinstance(value, list | tuple):
            items = enumerate(value)
        queue.extend(((*keys, str(key)), item) for key, item in items)


def _networks(keys: tuple[str, ...], mapping: Mapping[object, object], features: int) -> Iterator[Network]:
    """Yield the networks whose tensors stand in a mapping under their names."""
    names: dict[str, str] = {}
    tensors: dict[str, Tensor] = {}
    for key, value in mapping.items():
        if not isinstance(key, str) or not isinstance(value, Tensor) or key.rpartition(".")[2] in COUNTERS:
            continue
        name = _plain(key)
        # A network and its compiled twin share their tensors. Where they do not, the name is not expected.
        if name in tensors and not _same(tensors[name], value):
            name = key
        names[name], tensors[name] = key, value
    marks = [name for name in tensors if f".{name}".endswith(f".{LANDMARK}")]
    prefixes = sorted((mark.removesuffix(LANDMARK) for mark in marks), key=len, reverse=True)
    owners = {name: next((prefix for prefix in prefixes if name.startswith(prefix)), None) for name in tensors}
    for prefix in prefixes:
        inside = {name.removeprefix(prefix): tensors[name] for name, owner in owners.items() if owner == prefix}
        outside = {name: tensors[name] for name, owner in owners.items() if owner is None}
        classifier = _move_classifier(inside, outside, features)
        raw = names[prefix + LANDMARK]
        yield Network(
            keys=keys,
            prefix=raw.removesuffix(LANDMARK) if raw.endswith(LANDMARK) else prefix,
            tensors=inside,
            outside=[names[name] for name in outside],
            classifier=classifier,
        )


def _plain(key: str) -> str:
    """Return a name without the parts that wrappers add, and with our words for others' parts."""
    return ".".join(SYNONYMS.get(part, part) for part in key.split(".") if part not in WRAPPERS)


def _same(first: Tensor, second: Tensor) -> bool:
    return first.shape == second.shape and first.dtype == second.dtype and torch.equal(first, second)


def _move_classifier(inside: dict[str, Tensor], outside: dict[str, Tensor], features: int) -> str | None:
    """Name the classifier ``fc``, as we do, and bring it in where it stands outside; return the name that it had."""
    for group in (inside, outside):
        stems = {
            name.removesuffix(".weight"): match[1]
            for name, weight in group.items()
            if (match := CLASSIFIER.search(name)) and match[2] == "weight" and not name.startswith("layer")
            if group is inside or (weight.ndim == 2 and weight.shape[1] == features)
        }
        if len(stems) > 1:
            return None
        for stem, word in stems.items():
            for part in ("weight", "bias"):
                if f"{stem}.{part}" in group:
                    inside[f"fc.{part}"] = group.pop(f"{stem}.{part}")
            return word
    return None


def _rank(network: Network) -> tuple[int, int]:
    """Return how much a network is to be preferred, by its keys and then by its prefix: less is better."""
    keys = [PREFERRED.index(key) for key in network.keys if key in PREFERRED]
    prefix = _plain(network.prefix)
    return min(keys, default=len(PREFERRED)), PREFIXES.index(prefix) if prefix in PREFIXES else len(PREFIXES)


def _locations(networks: list[Network]) -> str:
    return listed([network.location or "the top" for network in networks])


def _summary(content: object) -> str:
    """Return what a file without a network holds, and what was expected."""
    mappings = list(_mappings(content))
    values = [
        ((), content),
        *(((*keys, str(key)), value) for keys, mapping in mappings for key, value in mapping.items()),
    ]
    for keys, value in values:
        if isinstance(value, Inert) and value.is_module:
            at = f" at {'.'.join(map(repr, keys))}" if keys else ""
            return (
                f"a whole network{at} ({value.origin}), pickled with references to its code, which is never run; "
                "save its weights with torch.save(network.state_dict(), path)"
            )
    if not mappings or not any(mapping for _, mapping in mappings):
        return f"{_kind_of(content)}, not a state dict; save one with torch.save(network.state_dict(), path)"
    keys, most = max(mappings, key=lambda item: len(item[1]))
    at = f" at {'.'.join(map(repr, keys))}" if keys else ""
    entries = [f"{key!r} ({_kind_of(value)})" for key, value in most.items()]
    return f"no ResNet with torchvision's names, such as {LANDMARK!r}, but{at}: {listed(entries)}"


def _kind_of(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)}"
    if isinstance(value, Inert):
        return value.origin
    name = f"{'empty ' if isinstance(value, Mapping) and not value else ''}{type(value).__name__}"
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def listed(items: list[str]) -> str:
    """Return the first three of `items` in a line, and how many more there are."""
    more = f" and {len(items) - 3} more" if len(items) > 3 else ""
    return "; ".join(items[:3]) + more
